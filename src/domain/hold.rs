//! A hold: a call that waits for a person, as a pure fold of its events.
//!
//! The log keeps the events; the state is always [`Hold::open`] followed by [`Hold::apply`], at
//! run time and at restart alike, so there is no second truth. Every release goes
//! `approved -> claimed -> sending -> executed | failed | unknown`; `sending` is durable before the
//! first byte leaves, and whatever is found in `sending` after a crash becomes `unknown`, which
//! nothing ever sends again.

mod event;
mod state;

use serde::{Deserialize, Serialize};

use super::{ApproverId, CallFacts, Digest, HoldId, PrincipalId, Reason, Release, Timestamp};

pub use event::HoldEvent;
pub use state::HoldState;

/// Everything an approval is good for; a change in any part makes it stale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// Where it will be sent: scheme and authority of the upstream.
    pub origin: String,
    /// Who called.
    pub principal: PrincipalId,
    /// The tool.
    pub tool: String,
    /// Digest of the tool's pinned definition.
    pub definition: Digest,
    /// Keyed digest of the call as it will be sent ([`super::Call::digest`] under the
    /// installation's key, because the log must not hold guessable values).
    pub arguments: Digest,
    /// The policy revision.
    pub ruleset: Digest,
    /// The revision of the plugins that looked; absent in records of old, which no set equals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugins: Option<Digest>,
}

impl Binding {
    /// The one digest that an approver confirms.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut parts: Vec<&[u8]> = vec![
            self.origin.as_bytes(),
            self.principal.as_str().as_bytes(),
            self.tool.as_bytes(),
            self.definition.as_bytes(),
            self.arguments.as_bytes(),
            self.ruleset.as_bytes(),
        ];
        // Without it the digest is the one that records of old have.
        parts.extend(self.plugins.as_ref().map(|it| it.as_bytes().as_slice()));
        Digest::of("portcullis/binding/v1", &parts)
    }

    /// Whether a repeated call is the same call: same principal, tool and arguments. The rest may
    /// have changed in between, which releasing checks.
    #[must_use]
    pub fn same_call(&self, other: &Self) -> bool {
        self.principal == other.principal
            && self.tool == other.tool
            && self.arguments == other.arguments
    }
}

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

    /// Whether the time for using the approval has passed.
    #[must_use]
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.valid_until.is_some_and(|until| now >= until)
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
            (S::Approved | S::Claimed, HoldEvent::Lapsed) => {
                self.after(at, self.valid_until.unwrap_or_default(), event)?;
                let words = "the release was not used in time";
                next.finish(S::Lapsed, Outcome::Words(words.to_owned()));
            }
            // A claim may be taken over from a process that ended; that it has, the view knows.
            (S::Approved | S::Claimed, HoldEvent::Claimed) => {
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
            (state, HoldEvent::Delivered { .. }) if state.is_final() && !self.delivered => {
                next.delivered = true;
            }
            (state, event) => {
                return Err(IllegalTransition::Order { state, event: event.name() });
            }
        }
        Ok(next)
    }

    /// The hold if its log cannot be followed any further: nothing is known, so nothing is sent.
    #[must_use]
    pub fn lost_track(&self, at: Timestamp, reason: &str) -> Self {
        let mut next = self.clone();
        next.changed_at = at;
        next.finish(HoldState::Unknown, Outcome::Words(reason.to_owned()));
        next
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
