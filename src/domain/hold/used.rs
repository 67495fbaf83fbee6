//! Whether what people released was ever sent.

use serde::{Deserialize, Serialize};

use super::{Hold, HoldState};

/// Whether a release was ever used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Used {
    /// It was not released, or waits for people again.
    NotReleased,
    /// The call was sent.
    Yes,
    /// It was never sent.
    Never,
    /// It can still be sent.
    NotYet,
    /// Nobody knows whether it took effect.
    Unknown,
}

impl Used {
    /// Whether the release of a hold was ever used. The fold says whether there was one: the approvals do
    /// not, for one of two is no release, and those of a release that came to nothing are gone.
    #[must_use]
    pub const fn of(hold: &Hold) -> Self {
        match hold.state {
            HoldState::Executed | HoldState::Failed => Self::Yes,
            HoldState::Unknown => Self::Unknown,
            HoldState::Approved | HoldState::Claimed | HoldState::Sending => Self::NotYet,
            HoldState::Pending | HoldState::Stale => Self::NotReleased,
            HoldState::Rejected
            | HoldState::ChangesRequested
            | HoldState::Expired
            | HoldState::Lapsed
            | HoldState::Cancelled
            | HoldState::Revoked => {
                if hold.released.is_some() {
                    Self::Never
                } else {
                    Self::NotReleased
                }
            }
        }
    }

    /// In a word for a column.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::NotReleased => "",
            Self::Yes => "used",
            Self::Never => "never used",
            Self::NotYet => "not yet",
            Self::Unknown => "unknown",
        }
    }
}
