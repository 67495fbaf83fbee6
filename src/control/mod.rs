//! The operator's door: a Unix socket in the data folder, for the commands of `portcullis`.
//!
//! One request and one answer per connection, each a line of JSON. Whoever can open the socket is
//! the user that runs Portcullis (mode 0600 in a 0700 folder); seeing what a held call contains and
//! deciding on it need an approver's key besides, so that running Portcullis is not the same as
//! approving.

mod client;
mod policy;
mod server;

use serde::{Deserialize, Serialize};

use crate::domain::{Digest, HoldId};
use crate::gate::ShadowReport;
use crate::holds::HoldView;
use crate::rollout::{PluginsStatus, PolicyStatus};

pub use client::{ControlError, ask, is_running};
pub use policy::PolicyQuestion;
pub(crate) use server::release;
pub use server::{Control, Door, serve};

/// The socket's name in the data folder.
pub const SOCKET: &str = "control.sock";

/// What can be asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
pub enum Question {
    /// Are you there?
    Status,
    /// The holds.
    Holds {
        /// Also those that are over.
        all: bool,
    },
    /// One hold with the call's arguments.
    Hold {
        /// Which.
        id: HoldId,
        /// The approver's key: what a call contains is for those who decide on it.
        key: String,
        /// Also what its pseudonyms stand for, if policy shows that to this approver.
        #[serde(default)]
        reveal: bool,
    },
    /// Release a hold.
    Approve {
        /// Which.
        id: HoldId,
        /// The approver's key.
        key: String,
        /// The binding that was shown; the present one if absent.
        shown: Option<Digest>,
    },
    /// Refuse a hold.
    Reject {
        /// Which.
        id: HoldId,
        /// The approver's key.
        key: String,
        /// Told to the agent.
        reason: String,
    },
    /// Take a release back.
    Revoke {
        /// Which.
        id: HoldId,
        /// The approver's key.
        key: String,
    },
    /// Read Intercom's tool list now, and what was pinned by the command line.
    RefreshTools,
    /// Which policies decide.
    Policy {
        /// What about them.
        what: PolicyQuestion,
    },
    /// Which plugins look, and how they do.
    Plugins,
    /// Read the configuration's plugins and their files again.
    ReloadPlugins,
}

/// What is answered.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// Done; words for the person.
    Done {
        /// What was done.
        text: String,
    },
    /// Holds.
    Holds {
        /// Newest first.
        holds: Vec<HoldView>,
    },
    /// One hold.
    Hold {
        /// The hold.
        hold: Box<HoldView>,
        /// The arguments, exactly as they will be sent but for pseudonyms.
        arguments: String,
        /// Whether pseudonyms in them are turned back in what is sent.
        #[serde(default)]
        pseudonyms: bool,
        /// The arguments exactly as they will be sent, if it was asked what pseudonyms stand for.
        #[serde(default)]
        revealed: Option<String>,
        /// What will be sent beside them, if anything (`inputResponses`, `requestState`).
        beside: Option<String>,
        /// Why the agent calls, in its own words: untrusted.
        #[serde(default)]
        reason: Option<String>,
    },
    /// Where policy stands.
    PolicyStatus {
        /// As it is now.
        status: Box<PolicyStatus>,
    },
    /// Where plugins stand.
    Plugins {
        /// As they are now.
        status: Box<PluginsStatus>,
    },
    /// What a candidate in shadow has seen.
    Shadow {
        /// So far.
        report: Box<ShadowReport>,
    },
    /// It did not work.
    Error {
        /// Why, and what to do.
        text: String,
    },
}
