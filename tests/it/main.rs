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
mod stand;

mod road;
mod upstream;
