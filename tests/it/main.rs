//! The road, end to end: the real binary on a free port, the simulator of Intercom behind it as
//! witness, and clients that send bytes.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that finds something missing fails"
)]

mod client;
mod raw;
mod stand;

mod architecture;
mod bounds;
mod closed;
mod crash;
mod door;
mod kill;
mod load;
mod misdelivery;
mod process;
mod races;
mod road;
mod strict;
mod upstream;
