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

use crate::desk::{Contents, Detail, Shown};
use crate::domain::{ApproverId, Effected, Grant, GrantId, PrincipalId};
use crate::gate::{Granting, ShadowReport};
use crate::holds::HoldView;
use crate::identity::Pause;
use crate::rollout::{PluginsStatus, PolicyStatus};

pub use client::{ControlError, ask, is_running};
pub use policy::PolicyQuestion;
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
    /// What an approver asks about one hold.
    Hold {
        /// The approver's key: what a call contains is for those who decide on it.
        key: String,
        /// The hold, as the approver saw it.
        shown: Shown,
        /// What about it.
        wish: Wish,
    },
    /// Make a harmless call that waits for a person.
    TestHold,
    /// Pause an agent, or let it call again.
    Pause {
        /// Which.
        principal: PrincipalId,
        /// Whether it is to be paused.
        pause: bool,
    },
    /// The agents that are paused.
    Paused,
    /// The grants in force.
    Grants {
        /// The approver's key.
        key: String,
        /// Take this one back first.
        #[serde(default)]
        revoke: Option<GrantId>,
    },
    /// Release several holds of one tool and principal, each of which this approver has opened.
    Batch {
        /// The approver's key.
        key: String,
        /// The holds, as the approver saw them.
        shown: Vec<Shown>,
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

/// What an approver asks about a hold.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case", deny_unknown_fields)]
pub enum Wish {
    /// Show it with its call.
    Show {
        /// Also what its pseudonyms stand for, if policy shows that to this approver.
        #[serde(default)]
        reveal: bool,
    },
    /// Show it with what it would change.
    Detail,
    /// Release it.
    Approve,
    /// Refuse it.
    Reject {
        /// Told to the agent.
        reason: String,
    },
    /// Ask the agent for a change.
    Ask {
        /// Told to the agent.
        question: String,
    },
    /// Take a release back.
    Revoke,
    /// Release it, and let calls like it through for a while.
    Grant {
        /// What is let through.
        granting: Granting,
    },
    /// Release it with other arguments.
    Edit {
        /// All of the arguments, as one JSON object.
        arguments: String,
    },
    /// Give it to somebody, or to nobody in particular.
    Assign {
        /// To whom.
        to: Option<ApproverId>,
    },
    /// Lengthen the wait.
    Extend {
        /// By so many seconds.
        seconds: u64,
    },
    /// Say what became of a call whose outcome is not known.
    Note {
        /// Whether it took effect.
        effected: Effected,
        /// In the person's words.
        text: String,
    },
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
    /// A hold with what it would change.
    Detail {
        /// As the page shows it.
        detail: Box<Detail>,
    },
    /// The agents that are paused.
    Paused {
        /// By name.
        paused: Vec<Pause>,
    },
    /// One hold.
    Hold {
        /// The hold.
        hold: Box<HoldView>,
        /// The call.
        contents: Box<Contents>,
    },
    /// The grants in force.
    Grants {
        /// That ends first first.
        grants: Vec<Grant>,
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
