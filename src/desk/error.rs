//! Why the desk did not do what a person asked, so that each door can say it in its own way.

use crate::domain::HoldId;
use crate::gate::{DecideError, Gate};
use crate::holds::{HoldError, HoldView};
use crate::identity::Scope;

/// Why a person's wish was not done.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DeskError {
    /// There is no such hold (404).
    #[error("there is no hold `{0}`; `portcullis holds list --all` shows all of them")]
    NoSuchHold(HoldId),
    /// The hold is not as it was on the screen, or does not allow it in its state (409, 412).
    #[error("{words}")]
    Conflict {
        /// What is in the way.
        words: String,
        /// The hold as it is now.
        now: Box<HoldView>,
    },
    /// This person may not (403).
    #[error("you may not decide on this hold: {text}")]
    Forbidden {
        /// The rule that says so.
        rule: String,
        /// Why.
        text: String,
    },
    /// A fresh proof of who they are is asked for (403, and the way to give it).
    #[error(
        "this needs a proof of who you are that is younger than {minutes} minutes; sign in again"
    )]
    StepUp {
        /// How young, in minutes.
        minutes: u64,
    },
    /// The wish itself is wrong (422).
    #[error("{0}")]
    Invalid(String),
    /// Something that it takes is not there now: the log, Intercom (503).
    #[error("{0}")]
    Unavailable(String),
}

impl DeskError {
    /// The refusal of a credential that may not be used for this.
    pub(super) fn scope(wanted: Scope) -> Self {
        let text = format!("this token does not have the scope `{}`", wanted.as_str());
        Self::Forbidden { rule: "portcullis.scope".to_owned(), text }
    }

    /// The refusal of somebody without a role.
    pub(super) fn role(wanted: &str) -> Self {
        let text = format!("you do not have the role {wanted}");
        Self::Forbidden { rule: "portcullis.role".to_owned(), text }
    }

    /// What went wrong with a hold, with the hold as it is now.
    pub(super) fn of(gate: &Gate, id: HoldId, error: DecideError) -> Self {
        let words = error.to_string();
        match error {
            DecideError::Hold(error) => Self::of_hold(gate, id, &error),
            DecideError::NotAllowed { rule, text } => Self::Forbidden { rule, text },
            DecideError::StepUp { minutes } => Self::StepUp { minutes },
            DecideError::Changed(_) | DecideError::Denied(_) => Self::conflict(gate, id, words),
            DecideError::Invalid(text) => Self::Invalid(text),
            DecideError::Unreadable(_) | DecideError::Unread(_) => Self::Unavailable(words),
        }
    }

    pub(super) fn of_hold(gate: &Gate, id: HoldId, error: &HoldError) -> Self {
        match error {
            HoldError::Unknown(id) => Self::NoSuchHold(*id),
            HoldError::Illegal { .. } | HoldError::Moved(_) | HoldError::OtherCall => {
                Self::conflict(gate, id, error.to_string())
            }
            HoldError::TooMany { .. } | HoldError::Log(_) => Self::Unavailable(error.to_string()),
        }
    }

    fn conflict(gate: &Gate, id: HoldId, words: String) -> Self {
        match gate.holds().hold(id) {
            Ok(hold) => Self::Conflict { words, now: Box::new(HoldView::from(&hold)) },
            Err(_) => Self::NoSuchHold(id),
        }
    }
}
