//! A proven person: who decides, reads or administers, and how that was proven.
//!
//! The private field is the point: a [`Person`] is made by this room alone, from a credential that
//! was good at that moment. What takes a `&Person` need not ask again whether somebody is who they
//! say, only what they may do.

use super::sessions::Told;
use super::token::Scope;
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
    /// A button in Slack, which Slack signed.
    Slack,
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
    /// What the credential may be used for, if that is less than everything.
    scopes: Option<Vec<Scope>>,
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
            scopes: None,
            proof: Proof,
        }
    }

    /// A person as their organisation's identity provider describes them.
    pub(super) fn told(id: &ApproverId, told: &Told, now: Timestamp) -> Self {
        let approver = Approver { id: id.clone(), groups: told.groups.clone() };
        let name = told.display.clone();
        Self { name, ..Self::proven(&approver, &told.roles, Via::Oidc, now) }
    }

    pub(super) fn stepped_up(self, at: Option<Timestamp>) -> Self {
        let mut person = self;
        person.stepped_up_at = at;
        person
    }

    /// The same person by a credential that may do less.
    pub(crate) fn with_scopes(self, scopes: &[Scope]) -> Self {
        Self { scopes: Some(scopes.to_vec()), ..self }
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

    /// Whether the credential may be used for this: tokens have scopes, everything else has all.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.as_ref().is_none_or(|scopes| scopes.contains(&scope))
    }

    /// Whether they have a role.
    #[must_use]
    pub fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}
