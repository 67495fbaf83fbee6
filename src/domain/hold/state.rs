//! Where a hold can stand.

use serde::{Deserialize, Serialize};

/// The state of a hold; page, CLI, API and agents see the same names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldState {
    /// Waits for people.
    Pending,
    /// Enough people released it; nothing sent.
    Approved,
    /// One worker owns the release.
    Claimed,
    /// Durable before the first byte.
    Sending,
    /// Intercom's answer is known and good. Final.
    Executed,
    /// Intercom's answer is known and an error. Final.
    Failed,
    /// Lost after sending began. Final: never re-sent.
    Unknown,
    /// A person refused. Final.
    Rejected,
    /// A person asked the agent something. Final for this revision.
    ChangesRequested,
    /// Nobody decided in time. Final.
    Expired,
    /// Released, never claimed. Final.
    Lapsed,
    /// Withdrawn before release. Final.
    Cancelled,
    /// Withdrawn after release. Final.
    Revoked,
    /// Something bound to the approval changed.
    Stale,
}

impl HoldState {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Pending,
        Self::Approved,
        Self::Claimed,
        Self::Sending,
        Self::Executed,
        Self::Failed,
        Self::Unknown,
        Self::Rejected,
        Self::ChangesRequested,
        Self::Expired,
        Self::Lapsed,
        Self::Cancelled,
        Self::Revoked,
        Self::Stale,
    ];

    /// Whether nothing can happen any more but delivery.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(
            self,
            Self::Pending | Self::Approved | Self::Claimed | Self::Sending | Self::Stale
        )
    }

    /// Whether there is anything left for people to do: what is over needs them only if nobody knows how
    /// it ended, and nobody has looked.
    #[must_use]
    pub const fn needs_people(self, has_looked: bool) -> bool {
        !self.is_final() || matches!(self, Self::Unknown) && !has_looked
    }

    /// Whether people are still to decide.
    #[must_use]
    pub const fn is_undecided(self) -> bool {
        matches!(self, Self::Pending | Self::Stale)
    }

    /// The word for people and protocols.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Claimed => "claimed",
            Self::Sending => "sending",
            Self::Executed => "executed",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Rejected => "rejected",
            Self::ChangesRequested => "changes_requested",
            Self::Expired => "expired",
            Self::Lapsed => "lapsed",
            Self::Cancelled => "cancelled",
            Self::Revoked => "revoked",
            Self::Stale => "stale",
        }
    }
}

impl std::fmt::Display for HoldState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
