//! The two kinds of people and programs, kept apart by type.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ApproverId, PrincipalId};

/// How a principal proved who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrincipalKind {
    /// An agent with a key that Portcullis issued.
    Agent,
    /// An agent known only by the hash of its own Intercom token (pass-through mode).
    PassThrough,
    /// Everybody on a listener that asks for no credential (a test set-up; configuration warns).
    Anonymous,
    /// Portcullis itself, for its own housekeeping towards Intercom.
    Portcullis,
}

/// The name of [`PrincipalKind::Portcullis`], which no other principal can have.
pub const OWN_PRINCIPAL: &str = "portcullis";

/// Who calls: an agent, and the human it acts for, proven by a credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Principal {
    /// The name in configuration, records and rules.
    pub id: PrincipalId,
    /// How it was proven.
    pub kind: PrincipalKind,
    /// Roles, which the shipped policies map to tools.
    pub roles: Vec<String>,
    /// Groups of the organisation.
    pub groups: Vec<String>,
    /// Free attributes for rules.
    pub attributes: BTreeMap<String, String>,
    /// The human the agent acts for, as configured.
    pub on_behalf_of: Option<String>,
}

/// A person who may release a hold. Never made from a [`Principal`], nor the other way round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Approver {
    /// The name in records and rules.
    pub id: ApproverId,
    /// Groups, for rules such as "from `kb-editors`".
    pub groups: Vec<String>,
}

/// What a person may do with Portcullis itself. What they may do with one hold, rules say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// May change people, policies and grants. Is no approver by that.
    Admin,
    /// May be asked to decide on holds.
    Approver,
    /// May read everything that approvers and admins read, and change nothing.
    Auditor,
}

impl Role {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Admin, Self::Approver, Self::Auditor];

    /// The name in configuration and commands.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Approver => "approver",
            Self::Auditor => "auditor",
        }
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("roles are `admin`, `approver` and `auditor`")]
pub struct ParseRoleError;

impl std::str::FromStr for Role {
    type Err = ParseRoleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(ParseRoleError)
    }
}
