//! What can happen to a hold.

use serde::{Deserialize, Serialize};

use super::{Binding, HoldState, Opened, Risk, TargetVersion};
use crate::domain::{ApproverId, Decision, Digest, Reason, Release, Timestamp};

/// What a person saw of a call whose outcome is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effected {
    /// It took effect.
    Yes,
    /// It did not.
    No,
    /// It cannot be told.
    Unclear,
}

impl Effected {
    /// The words for people and agents.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Yes => "it took effect",
            Self::No => "it did not take effect",
            Self::Unclear => "it cannot be told whether it took effect",
        }
    }
}

/// What the person whom an agent acts for said when their own client asked them about a held call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnAnswer {
    /// Send it.
    Accepted,
    /// Do not.
    Declined,
    /// Nothing; it is left to the approvers.
    Left,
}

impl OwnAnswer {
    /// The words for people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Accepted => "confirmed it for themselves",
            Self::Declined => "declined it",
            Self::Left => "left it to the approvers",
        }
    }
}

/// A call that a person changed: what replaces what the hold was opened with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edited {
    /// Who.
    pub approver: ApproverId,
    /// The binding that was on that person's screen.
    pub shown: Digest,
    /// The fields that are another now, in the agent's words for them.
    pub fields: Vec<String>,
    /// The edited call, sealed. The one before it stays in the record.
    pub sealed: String,
    /// What an approval is bound to from now on.
    pub binding: Binding,
    /// The conditions for the edited call.
    pub release: Release,
    /// Why it is held.
    pub reasons: Vec<Reason>,
    /// How much harm it can do.
    #[serde(default, skip_serializing_if = "Risk::is_medium")]
    pub risk: Risk,
}

/// What happens to a hold. Each is one record of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum HoldEvent {
    /// The call was held.
    Opened(Box<Opened>),
    /// What it would change was read, or read again, before anybody decided.
    Targeted {
        /// Its version.
        target: Box<TargetVersion>,
        /// How much harm the call can do, now that this is known.
        #[serde(default, skip_serializing_if = "Risk::is_medium")]
        risk: Risk,
    },
    /// A person released it; enough of them make it `approved`.
    Approved {
        /// Who.
        approver: ApproverId,
        /// The binding that person confirmed.
        binding: Digest,
        /// Until when the approval may be claimed.
        valid_until: Timestamp,
        /// The groups that this person stands for, where that matters.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        groups: Vec<String>,
    },
    /// The person whom the agent acts for was asked by their own client, because rules let them
    /// confirm, and answered. No approval: it counts alone, and never as one of several people.
    SelfConfirmed {
        /// Whom the agent acts for, as configured. That it was them, their client says.
        by: String,
        /// What they said.
        answer: OwnAnswer,
        /// The binding of what they were shown.
        binding: Digest,
        /// Until when a release may be claimed.
        valid_until: Timestamp,
    },
    /// A person changed the call; it waits for approvals of the changed one.
    Edited(Box<Edited>),
    /// A person gave the hold to somebody, or took it back from them. It gives nobody a right.
    Assigned {
        /// Who did.
        by: ApproverId,
        /// Who is to look; nobody in particular if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<ApproverId>,
    },
    /// A person lengthened the wait.
    Extended {
        /// Who.
        approver: ApproverId,
        /// When it expires now.
        until: Timestamp,
    },
    /// A person refused it.
    Rejected {
        /// Who.
        approver: ApproverId,
        /// Told to the agent, marked as written by a person.
        reason: String,
    },
    /// A person asked the agent something; final for this hold.
    ChangesRequested {
        /// Who.
        approver: ApproverId,
        /// The question.
        question: String,
    },
    /// Nobody decided in time.
    Expired,
    /// Withdrawn before release.
    Cancelled {
        /// By whom and why.
        reason: String,
    },
    /// A person took the release back before it was claimed.
    Revoked {
        /// Who.
        approver: ApproverId,
    },
    /// Released, but nobody claimed it in time.
    Lapsed,
    /// One worker owns the release now.
    Claimed,
    /// Something bound to the approval changed.
    Stale {
        /// What changed, in words.
        changed: String,
    },
    /// The hold waits for people again, bound to what is true now.
    Reopened {
        /// The new binding.
        binding: Box<Binding>,
        /// The new conditions.
        release: Box<Release>,
        /// What changed, in words, if no record before this one says it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        changed: Option<String>,
        /// The version of what it would change, if that was read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        target: Option<Box<TargetVersion>>,
    },
    /// The next step is the first byte to Intercom.
    Sending,
    /// Intercom answered.
    Executed {
        /// The answer, sealed.
        sealed: String,
    },
    /// Intercom refused, or the tool reported an error.
    Failed {
        /// The answer, sealed, if there was one.
        sealed: Option<String>,
        /// What failed, without personal data.
        error: String,
    },
    /// The outcome cannot be known.
    Unknown {
        /// What was lost.
        reason: String,
    },
    /// A person looked at Intercom what became of a call whose outcome is not known.
    Noted {
        /// Who.
        by: ApproverId,
        /// What that person saw.
        effected: Effected,
        /// In that person's words.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        text: String,
    },
    /// The outcome went to the agent.
    Delivered {
        /// What policy said of the answer, unless it was a plain allow.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        disclose: Option<Box<Decision>>,
        /// Nobody was there to take it: it is kept for who resumes, and an identical call gets it, too.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        unread: bool,
    },
}

impl HoldEvent {
    /// The event's name as recorded.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Opened(_) => "opened",
            Self::Targeted { .. } => "targeted",
            Self::Approved { .. } => "approved",
            Self::SelfConfirmed { .. } => "self_confirmed",
            Self::Edited(_) => "edited",
            Self::Assigned { .. } => "assigned",
            Self::Extended { .. } => "extended",
            Self::Rejected { .. } => "rejected",
            Self::ChangesRequested { .. } => "changes_requested",
            Self::Expired => "expired",
            Self::Cancelled { .. } => "cancelled",
            Self::Revoked { .. } => "revoked",
            Self::Lapsed => "lapsed",
            Self::Claimed => "claimed",
            Self::Stale { .. } => "stale",
            Self::Reopened { .. } => "reopened",
            Self::Sending => "sending",
            Self::Executed { .. } => "executed",
            Self::Failed { .. } => "failed",
            Self::Unknown { .. } => "unknown",
            Self::Noted { .. } => "noted",
            Self::Delivered { .. } => "delivered",
        }
    }
}

/// An event that the present state does not allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IllegalTransition {
    /// The event does not follow this state.
    #[error("`{event}` cannot follow `{state}`")]
    Order {
        /// The present state.
        state: HoldState,
        /// The refused event.
        event: &'static str,
    },
    /// The same person twice.
    #[error("{0} has already approved this hold; another person must")]
    SamePerson(ApproverId),
    /// Somebody who stands for no other group than those who released it before.
    #[error(
        "each approval must come from another group, and those of {0} have released it already"
    )]
    SameGroup(ApproverId),
    /// Decided on something else than what is held now.
    #[error("the hold changed since it was shown; look at it again")]
    OtherBinding,
    /// Too late, or (for expiry) too early.
    #[error("`{event}` is not possible at this time (limit {limit})")]
    Time {
        /// The refused event.
        event: &'static str,
        /// The limit that decides.
        limit: Timestamp,
    },
}
