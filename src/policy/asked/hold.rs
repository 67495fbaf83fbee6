//! A person's wish about a held call, as it is written.

use serde::{Deserialize, Serialize};

use super::{Misasked, id};
use crate::domain::{Action, Approver, ApproverId, HoldId, Release, Timestamp};
use crate::policy::{ApproveFacts, HoldFacts};

/// Who wants to release a hold, as it is written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Releaser {
    /// The name.
    pub id: String,
    /// The groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// What that person wants to do; to approve if it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
}

impl Releaser {
    pub(super) fn of(ask: &ApproveFacts<'_>) -> Self {
        let Approver { id, groups } = ask.approver;
        Self { id: id.to_string(), groups: groups.clone(), action: Some(ask.action) }
    }

    /// Who wants to do what.
    pub(super) fn wish(&self) -> Result<(Approver, Action), Misasked> {
        let id = id(&self.id, "approver.id")?;
        let approver = Approver { id, groups: self.groups.clone() };
        Ok((approver, self.action.unwrap_or(Action::Approve)))
    }
}

/// A hold, as it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// Its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<HoldId>,
    /// When it was opened; at the time that rules see if it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_at: Option<Timestamp>,
    /// When it expires; as its conditions say if it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Its conditions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Release>,
    /// Who has released it already.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<String>,
}

impl From<&HoldFacts> for Hold {
    fn from(hold: &HoldFacts) -> Self {
        Self {
            id: Some(hold.id),
            opened_at: Some(hold.opened_at),
            expires_at: Some(hold.expires_at),
            release: Some(hold.release.clone()),
            approvals: hold.approvals.iter().map(ToString::to_string).collect(),
        }
    }
}

impl Hold {
    /// What rules see of it at this time.
    pub(super) fn facts(&self, now: Timestamp) -> Result<HoldFacts, Misasked> {
        let release = self.release.clone().unwrap_or_default();
        let opened_at = self.opened_at.unwrap_or(now);
        let approvals: Result<Vec<ApproverId>, Misasked> =
            self.approvals.iter().map(|name| id(name, "hold.approvals")).collect();
        Ok(HoldFacts {
            id: self.id.unwrap_or(HoldId::from_random(0)),
            opened_at,
            expires_at: self.expires_at.unwrap_or(opened_at.plus(release.expires)),
            release,
            approvals: approvals?,
        })
    }
}
