//! A proven person: who decides, reads or administers, and how that was proven.
//!
//! The private field is the point: a [`Person`] is made by this room alone, from a credential that
//! was good at that moment. What takes a `&Person` need not ask again whether somebody is who they
//! say, only what they may do.

use crate::domain::{Approver, ApproverId, Role, Timestamp};

/// How a person proved who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// A local account's password.
    Password,
    /// A login at the organisation's identity provider.
    Oidc,
    /// An API token, which may do what its scopes say and nothing else.
    Token,
    /// An approver's key, as the command line uses it.
    Key,
}

/// A person who proved who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The name in records and rules.
    pub id: ApproverId,
    /// The name for people to read; the id where nothing else is known.
    pub name: String,
    /// Groups, for rules such as "from `kb-editors`".
    pub groups: Vec<String>,
    /// What they may do with Portcullis, apart from what rules say of single holds.
    pub roles: Vec<Role>,
    /// How they proved who they are.
    pub via: Via,
    /// When.
    pub signed_at: Timestamp,
    /// When they last gave a second proof; rules ask for one that is fresh before risky releases.
    pub stepped_up_at: Option<Timestamp>,
    proof: Proof,
}

/// Only this room makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Proof;

impl Person {
    /// A person as their account or configuration describes them, just proven.
    pub(super) fn proven(approver: &Approver, roles: &[Role], via: Via, now: Timestamp) -> Self {
        Self {
            id: approver.id.clone(),
            name: approver.id.to_string(),
            groups: approver.groups.clone(),
            roles: roles.to_vec(),
            via,
            signed_at: now,
            stepped_up_at: None,
            proof: Proof,
        }
    }

    /// A person for tests of other rooms.
    #[cfg(test)]
    pub(crate) fn for_test(id: &str, groups: &[&str], roles: &[Role], now: Timestamp) -> Self {
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        let approver = Approver { id: id.parse().unwrap(), groups };
        Self::proven(&approver, roles, Via::Password, now)
    }

    /// As policy knows them.
    #[must_use]
    pub fn approver(&self) -> Approver {
        Approver { id: self.id.clone(), groups: self.groups.clone() }
    }

    /// Whether they have a role.
    #[must_use]
    pub fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}
