//! What `policy status` shows.

use serde::{Deserialize, Serialize};

use super::KeptRevision;
use crate::domain::{Digest, Timestamp};
use crate::gate::ShadowState;

/// Where policy stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PolicyStatus {
    /// What decides.
    pub active: ActiveRevision,
    /// What the configuration says to follow.
    pub source: String,
    /// Whether the source is looked at by itself.
    pub followed: bool,
    /// Whether only signed bundles are loaded.
    pub signed_only: bool,
    /// Whether the active revision stays whatever the source has.
    pub pinned: bool,
    /// The last time that something else was tried than what was active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_attempt: Option<Attempt>,
    /// The candidate that watches, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow: Option<ShadowState>,
    /// The revisions on disk, oldest first.
    pub kept: Vec<KeptRevision>,
}

/// The revision that decides.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ActiveRevision {
    /// What decisions are bound to.
    pub revision: Digest,
    /// Its author's name for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where it came from.
    pub source: String,
    /// Since when it decides, in this process.
    pub since: Timestamp,
    /// Why it is interpreted, which is slower; absent if it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interpreted_because: Option<String>,
}

/// A try to put another revision in force.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Attempt {
    /// When.
    pub at: Timestamp,
    /// What was tried; absent if it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Digest>,
    /// Where it came from.
    pub source: String,
    /// Why it is not in force; absent if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// How many revisions were offered since start, beside the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Loads {
    /// Put in force.
    pub taken: u64,
    /// Not in order: the one before stayed.
    pub refused: u64,
}
