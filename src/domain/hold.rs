//! A hold: a call that waits for a person, as a pure fold of its events.
//!
//! The log keeps the events; the state is always [`Hold::open`] followed by [`Hold::apply`], at
//! run time and at restart alike, so there is no second truth. Every release goes
//! `approved -> claimed -> sending -> executed | failed | unknown`; `sending` is durable before the
//! first byte leaves, and whatever is found in `sending` after a crash becomes `unknown`, which
//! nothing ever sends again.

mod binding;

use serde::{Deserialize, Serialize};

use super::{ApproverId, CallFacts, Digest, HoldId, Reason, Release, Timestamp};

pub use binding::Binding;

/// When a released call is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnRelease {
    /// At once: the agent's protocol says that leaving does not cancel (legacy), or gives it a task
    /// to come back to.
    Send,
    /// Only while the agent waits in an identical call: its protocol says that leaving cancels
    /// (modern, without tasks).
    AwaitRepeat,
}

/// What opens a hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// What an approval will be bound to.
    pub binding: Binding,
    /// The call's facts.
    pub call: CallFacts,
    /// The call itself, sealed: the log alone can rebuild the hold, and shows nothing.
    pub sealed: String,
    /// When a release is sent.
    pub on_release: OnRelease,
    /// Why it is held.
    pub reasons: Vec<Reason>,
    /// Who may release it.
    pub release: Release,
    /// When it expires undecided.
    pub expires_at: Timestamp,
}

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
    Delivered,
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
            Self::Delivered => "delivered",
        }
    }
}

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
    /// Whether nothing can happen any more but delivery.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(
            self,
            Self::Pending | Self::Approved | Self::Claimed | Self::Sending | Self::Stale
        )
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

/// What became of a hold, as its final event told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Intercom answered; the sealed answer.
    Answer(String),
    /// It failed; the sealed answer if there was one, and the error in words.
    Failure(Option<String>, String),
    /// Words for the agent: a person's reason or question, or what was lost or withdrawn.
    Words(String),
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

/// One hold, folded from its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Its identifier.
    pub id: HoldId,
    /// Where it stands.
    pub state: HoldState,
    /// What opened it; `binding` and `release` are those of the last reopening.
    pub opened: Opened,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it last changed.
    pub changed_at: Timestamp,
    /// Who released it so far.
    pub approvals: Vec<ApproverId>,
    /// Until when an approval may be claimed.
    pub valid_until: Option<Timestamp>,
    /// What became of it.
    pub outcome: Option<Outcome>,
    /// Whether the outcome reached the agent.
    pub delivered: bool,
}

impl Hold {
    /// The fold's beginning.
    #[must_use]
    pub fn open(id: HoldId, at: Timestamp, opened: Opened) -> Self {
        Self {
            id,
            state: HoldState::Pending,
            opened,
            opened_at: at,
            changed_at: at,
            approvals: Vec::new(),
            valid_until: None,
            outcome: None,
            delivered: false,
        }
    }

    /// What an approval is bound to now.
    #[must_use]
    pub const fn binding(&self) -> &Binding {
        &self.opened.binding
    }

    /// The fold's step: the hold after `event` at time `at`.
    ///
    /// # Errors
    /// If the event may not follow; the hold is then unchanged.
    pub fn apply(&self, at: Timestamp, event: &HoldEvent) -> Result<Self, IllegalTransition> {
        use HoldState as S;
        let mut next = self.clone();
        next.changed_at = at;
        match (self.state, event) {
            (S::Pending, HoldEvent::Approved { approver, binding, valid_until }) => {
                self.before(at, self.opened.expires_at, event)?;
                if *binding != self.binding().digest() {
                    return Err(IllegalTransition::OtherBinding);
                }
                if self.approvals.contains(approver) {
                    return Err(IllegalTransition::SamePerson(approver.clone()));
                }
                next.approvals.push(approver.clone());
                if next.approvals.len() >= self.opened.release.people.max(1) as usize {
                    next.state = S::Approved;
                    next.valid_until = Some(*valid_until);
                }
            }
            (S::Pending, HoldEvent::Rejected { approver, reason }) => {
                self.before(at, self.opened.expires_at, event)?;
                next.finish(S::Rejected, Outcome::Words(format!("{approver}: {reason}")));
            }
            (S::Pending, HoldEvent::ChangesRequested { approver, question }) => {
                self.before(at, self.opened.expires_at, event)?;
                next.finish(S::ChangesRequested, Outcome::Words(format!("{approver}: {question}")));
            }
            (S::Pending | S::Stale, HoldEvent::Expired) => {
                self.after(at, self.opened.expires_at, event)?;
                next.finish(S::Expired, Outcome::Words(String::from("nobody decided in time")));
            }
            (S::Pending | S::Stale, HoldEvent::Cancelled { reason }) => {
                next.finish(S::Cancelled, Outcome::Words(reason.clone()));
            }
            (S::Approved, HoldEvent::Revoked { approver }) => {
                let words = format!("{approver} took the release back");
                next.finish(S::Revoked, Outcome::Words(words));
            }
            (S::Approved, HoldEvent::Lapsed) => {
                self.after(at, self.valid_until.unwrap_or_default(), event)?;
                let words = "the release was not used in time";
                next.finish(S::Lapsed, Outcome::Words(words.to_owned()));
            }
            (S::Approved, HoldEvent::Claimed) => {
                self.before(at, self.valid_until.unwrap_or_default(), event)?;
                next.state = S::Claimed;
            }
            (S::Approved | S::Claimed, HoldEvent::Stale { .. }) => {
                next.state = S::Stale;
                next.approvals.clear();
                next.valid_until = None;
            }
            (S::Pending | S::Stale, HoldEvent::Reopened { binding, release }) => {
                next.state = S::Pending;
                next.approvals.clear();
                next.opened.binding = binding.clone();
                next.opened.release = release.clone();
            }
            (S::Claimed, HoldEvent::Sending) => next.state = S::Sending,
            (S::Sending, HoldEvent::Executed { sealed }) => {
                next.finish(S::Executed, Outcome::Answer(sealed.clone()));
            }
            (S::Sending, HoldEvent::Failed { sealed, error }) => {
                next.finish(S::Failed, Outcome::Failure(sealed.clone(), error.clone()));
            }
            (S::Sending, HoldEvent::Unknown { reason }) => {
                next.finish(S::Unknown, Outcome::Words(reason.clone()));
            }
            (state, HoldEvent::Delivered) if state.is_final() && !self.delivered => {
                next.delivered = true;
            }
            (state, event) => {
                return Err(IllegalTransition::Order { state, event: event.name() });
            }
        }
        Ok(next)
    }

    fn finish(&mut self, state: HoldState, outcome: Outcome) {
        self.state = state;
        self.outcome = Some(outcome);
    }

    fn before(
        &self,
        at: Timestamp,
        limit: Timestamp,
        event: &HoldEvent,
    ) -> Result<(), IllegalTransition> {
        if at < limit {
            Ok(())
        } else {
            Err(IllegalTransition::Time { event: event.name(), limit })
        }
    }

    fn after(
        &self,
        at: Timestamp,
        limit: Timestamp,
        event: &HoldEvent,
    ) -> Result<(), IllegalTransition> {
        if at >= limit {
            Ok(())
        } else {
            Err(IllegalTransition::Time { event: event.name(), limit })
        }
    }
}

#[cfg(test)]
mod tests;
