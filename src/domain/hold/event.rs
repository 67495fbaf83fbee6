//! What can happen to a hold.

use serde::{Deserialize, Serialize};

use super::{Binding, Opened};
use crate::domain::{ApproverId, Decision, Digest, Release, Timestamp};

/// What happens to a hold. Each is one record of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum HoldEvent {
    /// The call was held.
    Opened(Box<Opened>),
    /// A person released it; enough of them make it `approved`.
    Approved {
        /// Who.
        approver: ApproverId,
        /// The binding that person confirmed.
        binding: Digest,
        /// Until when the approval may be claimed.
        valid_until: Timestamp,
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
        binding: Binding,
        /// The new conditions.
        release: Release,
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
    /// The outcome reached the agent.
    Delivered {
        /// What policy said of the answer, unless it was a plain allow.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        disclose: Option<Box<Decision>>,
    },
}

impl HoldEvent {
    /// The event's name as recorded.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Opened(_) => "opened",
            Self::Approved { .. } => "approved",
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
            Self::Delivered { .. } => "delivered",
        }
    }
}
