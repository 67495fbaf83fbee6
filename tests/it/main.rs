//! The road, end to end: the real binary on a free port, the simulator of Intercom behind it as
//! witness, and clients that send bytes.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that finds something missing fails"
)]

mod browser;
mod client;
#[path = "../../src/plugin/tests/wat.rs"]
#[expect(dead_code, reason = "the host's own tests use more of it")]
mod guests;
mod live;
mod provider;
mod raw;
mod stand;

mod address;
mod answers;
mod architecture;
mod bounds;
mod budgets;
mod carry;
mod checks;
mod chunked;
mod closed;
mod console;
mod core_tasks;
mod crash;
mod crowd;
mod desk;
mod door;
mod drift;
mod edited;
mod egress;
mod eras;
mod explain;
mod flow;
mod gullible;
mod history;
mod impact;
mod inbox;
mod kill;
mod leaving;
mod load;
mod matrix;
mod misdelivery;
mod notify;
mod obligations;
mod oidc;
mod ops;
mod own;
mod page;
mod planted;
mod plugin_verbs;
mod plugins;
mod points;
mod process;
mod profiles;
mod pseudonyms;
mod questions;
mod races;
mod redaction;
mod reload;
mod replays;
mod road;
mod rollout;
mod routes;
mod shadow;
mod streams;
mod strict;
mod subscriptions;
mod target;
mod tls;
mod trouble;
mod tutorial;
mod unseen;
mod upstream;
mod verbs;
