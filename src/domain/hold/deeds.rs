//! What people did about a hold, as the fold keeps it.

use super::{Effected, OwnAnswer};
use crate::domain::{ApproverId, Timestamp};

/// A person's release, and the groups that this person stands for where that matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Who.
    pub approver: ApproverId,
    /// For which groups.
    pub groups: Vec<String>,
}

/// What the person whom the agent acts for said to it, asked by their own client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelfConfirmed {
    /// Who, as configured.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// What they said.
    pub answer: OwnAnswer,
}

/// A change of the call by a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Who.
    pub by: ApproverId,
    /// When.
    pub at: Timestamp,
    /// What is another.
    pub fields: Vec<String>,
}

/// A hold given to somebody; the list of them shows whom it was given to first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Who gave it.
    pub by: ApproverId,
    /// To whom; nobody in particular if absent.
    pub to: Option<ApproverId>,
    /// When.
    pub at: Timestamp,
}

/// What a person saw of a call whose outcome is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Who.
    pub by: ApproverId,
    /// When.
    pub at: Timestamp,
    /// Whether it took effect.
    pub effected: Effected,
    /// In that person's words.
    pub text: String,
}
