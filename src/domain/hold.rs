//! A hold: a call that waits for a person, as a pure fold of its events.
//!
//! The log keeps the events; the state is always [`Hold::open`] followed by [`Hold::apply`], at
//! run time and at restart alike, so there is no second truth. Every release goes
//! `approved -> claimed -> sending -> executed | failed | unknown`; `sending` is durable before the
//! first byte leaves, and whatever is found in `sending` after a crash becomes `unknown`, which
//! nothing ever sends again.

mod deeds;
mod event;
mod opened;
mod state;
mod used;

use super::{ApproverId, Digest, HoldId, Timestamp};

pub use deeds::{Approval, Assignment, Edit, Note, SelfConfirmed};
pub use event::{Edited, Effected, HoldEvent, IllegalTransition, OwnAnswer};
pub use opened::{Binding, OnRelease, Opened, Revises, Risk, TargetVersion};
pub use state::HoldState;
pub use used::Used;

/// What follows the name of somebody who took a release back.
const TAKEN_BACK: &str = " took the release back";

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

/// One hold, folded from its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Its identifier.
    pub id: HoldId,
    /// How many events were folded so far.
    pub version: u64,
    /// Where it stands.
    pub state: HoldState,
    /// What opened it; what later events replaced (the call, `binding`, `release`, `expires_at`,
    /// `target`) as it is now.
    pub opened: Opened,
    /// The digest of the arguments as the agent gave them.
    pub asked: Digest,
    /// The agent's call, sealed, if a person changed it.
    pub original: Option<String>,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it last changed.
    pub changed_at: Timestamp,
    /// Who released it so far.
    pub approvals: Vec<Approval>,
    /// When it was released last, by enough people or its requester; stays, whatever becomes of it.
    pub released: Option<Timestamp>,
    /// What the person whom the agent acts for said, if their client asked them.
    pub own: Option<SelfConfirmed>,
    /// Until when an approval may be claimed.
    pub valid_until: Option<Timestamp>,
    /// Who changed the call, oldest first.
    pub edits: Vec<Edit>,
    /// To whom it was given, oldest first.
    pub assignments: Vec<Assignment>,
    /// What changed when it was last sent back to the approvers.
    pub changed: Option<String>,
    /// What people saw of a call whose outcome is not known.
    pub notes: Vec<Note>,
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
            version: 1,
            state: HoldState::Pending,
            asked: opened.binding.arguments,
            original: None,
            opened,
            opened_at: at,
            changed_at: at,
            approvals: Vec::new(),
            released: None,
            own: None,
            valid_until: None,
            edits: Vec::new(),
            assignments: Vec::new(),
            changed: None,
            notes: Vec::new(),
            outcome: None,
            delivered: false,
        }
    }

    /// Who refused it, asked for changes, or took the release back.
    #[must_use]
    pub fn ended_by(&self) -> Option<&str> {
        let Some(Outcome::Words(words)) = &self.outcome else { return None };
        let said = words.split_once(": ").map(|(who, _)| who);
        match self.state {
            HoldState::Rejected | HoldState::ChangesRequested => said,
            HoldState::Revoked => words.strip_suffix(TAKEN_BACK),
            _ => None,
        }
    }

    /// What an approval is bound to now.
    #[must_use]
    pub const fn binding(&self) -> &Binding {
        &self.opened.binding
    }

    /// Whether there is anything left for people to do about it.
    #[must_use]
    pub const fn needs_people(&self) -> bool {
        self.state.needs_people(!self.notes.is_empty())
    }

    /// Until when its outcome can be asked for as that of a task: as long again as it may wait.
    #[must_use]
    pub fn readable_until(&self) -> Timestamp {
        self.opened_at.plus(self.opened.expires_at.since(self.opened_at) * 2)
    }

    /// Which revision of the agent's call this is; the first is 1.
    #[must_use]
    pub fn revision(&self) -> u32 {
        self.opened.revises.map_or(1, |it| it.revision)
    }

    /// The latest end of its wait that people may set. Its record is made a little after its wait began:
    /// where rules let nobody lengthen it, that moment is nobody's to add.
    #[must_use]
    pub fn latest(&self) -> Timestamp {
        match self.opened.release.extend.is_zero() {
            true => self.opened.expires_at,
            false => self.opened.release.latest(self.opened_at),
        }
    }

    /// Who is to look at it.
    #[must_use]
    pub fn assignee(&self) -> Option<&ApproverId> {
        self.assignments.last()?.to.as_ref()
    }

    /// Who released it so far.
    pub fn approvers(&self) -> impl Iterator<Item = &ApproverId> {
        self.approvals.iter().map(|it| &it.approver)
    }

    /// Whether the person whom the agent acts for may be asked: rules let them confirm, nobody else
    /// has begun to decide, and they were not asked about this before.
    #[must_use]
    pub fn may_be_confirmed(&self) -> bool {
        self.state == HoldState::Pending
            && self.opened.release.is_confirmable()
            && self.opened.risk != Risk::High
            && self.approvals.is_empty()
            && self.edits.is_empty()
            && self.own.is_none()
    }

    /// Whether a call is the held one: same principal and tool, and the arguments that the agent
    /// gave or that will be sent. The rest may have changed in between, which releasing checks.
    #[must_use]
    pub fn is_of(&self, call: &Binding) -> bool {
        self.binding().principal == call.principal
            && self.binding().tool == call.tool
            && [self.asked, self.binding().arguments].contains(&call.arguments)
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
        let mut next = self.clone();
        next.changed_at = at;
        next.version += 1;
        if next.waits(at, event)? || next.goes(at, event)? || next.ends(event) {
            Ok(next)
        } else {
            Err(IllegalTransition::Order { state: self.state, event: event.name() })
        }
    }

    /// What can happen while it waits for people. Says whether the event was one of these.
    fn waits(&mut self, at: Timestamp, event: &HoldEvent) -> Result<bool, IllegalTransition> {
        use HoldState as S;
        match (self.state, event) {
            (S::Pending, HoldEvent::Targeted { target, risk }) => {
                // An approval was given for the version that was read before.
                if !self.approvals.is_empty() || self.binding().target.is_some() {
                    return Ok(false);
                }
                self.opened.binding.target = Some(target.digest);
                self.opened.target = Some((**target).clone());
                self.opened.risk = *risk;
            }
            (S::Pending, HoldEvent::Approved { approver, binding, valid_until, groups }) => {
                self.before(at, self.opened.expires_at, event)?;
                self.approve(approver, *binding, groups)?;
                let groups = self.approvals.iter().map(|it| it.groups.as_slice());
                if self.opened.release.is_met_by(groups) {
                    self.release(at, *valid_until);
                }
            }
            (S::Pending, HoldEvent::SelfConfirmed { by, answer, binding, valid_until }) => {
                self.before(at, self.opened.expires_at, event)?;
                if !self.may_be_confirmed() {
                    return Ok(false);
                }
                if *binding != self.binding().digest() {
                    return Err(IllegalTransition::OtherBinding);
                }
                self.confirm(at, by, *answer, *valid_until);
            }
            (S::Pending, HoldEvent::Edited(edited)) => {
                self.before(at, self.opened.expires_at, event)?;
                self.edit(at, edited)?;
            }
            (S::Pending, HoldEvent::Extended { until, .. }) => {
                self.before(at, self.opened.expires_at, event)?;
                let limit = self.opened.release.latest(self.opened_at);
                if *until <= self.opened.expires_at || *until > limit {
                    return Err(IllegalTransition::Time { event: event.name(), limit });
                }
                self.opened.expires_at = *until;
            }
            (S::Pending, HoldEvent::Rejected { approver, reason }) => {
                self.before(at, self.opened.expires_at, event)?;
                self.finish(S::Rejected, Outcome::Words(format!("{approver}: {reason}")));
            }
            (S::Pending, HoldEvent::ChangesRequested { approver, question }) => {
                self.before(at, self.opened.expires_at, event)?;
                self.finish(S::ChangesRequested, Outcome::Words(format!("{approver}: {question}")));
            }
            (S::Pending | S::Stale, HoldEvent::Expired) => {
                self.after(at, self.opened.expires_at, event)?;
                self.finish(S::Expired, Outcome::Words(String::from("nobody decided in time")));
            }
            (S::Pending | S::Stale, HoldEvent::Cancelled { reason }) => {
                self.finish(S::Cancelled, Outcome::Words(reason.clone()));
            }
            (S::Pending | S::Stale, HoldEvent::Reopened { binding, release, changed, target }) => {
                self.state = S::Pending;
                self.approvals.clear();
                self.own = None;
                self.opened.binding = (**binding).clone();
                self.opened.release = (**release).clone();
                if changed.is_some() {
                    self.changed.clone_from(changed);
                }
                if let Some(target) = target {
                    self.opened.target = Some((**target).clone());
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// What can happen between the release and the sending. Says whether the event was one of these.
    fn goes(&mut self, at: Timestamp, event: &HoldEvent) -> Result<bool, IllegalTransition> {
        use HoldState as S;
        match (self.state, event) {
            (state, HoldEvent::Assigned { by, to }) if !state.is_final() => {
                self.assignments.push(Assignment { by: by.clone(), to: to.clone(), at });
            }
            (S::Approved, HoldEvent::Revoked { approver }) => {
                let words = format!("{approver}{TAKEN_BACK}");
                self.finish(S::Revoked, Outcome::Words(words));
            }
            (S::Approved | S::Claimed, HoldEvent::Lapsed) => {
                self.after(at, self.valid_until.unwrap_or_default(), event)?;
                let words = "the release was not used in time";
                self.finish(S::Lapsed, Outcome::Words(words.to_owned()));
            }
            // A claim may be taken over from a process that ended; that it has, the view knows.
            (S::Approved | S::Claimed, HoldEvent::Claimed) => {
                self.before(at, self.valid_until.unwrap_or_default(), event)?;
                self.state = S::Claimed;
            }
            (S::Approved | S::Claimed, HoldEvent::Stale { changed }) => {
                self.state = S::Stale;
                self.approvals.clear();
                self.own = None;
                self.valid_until = None;
                self.changed = Some(changed.clone());
            }
            (S::Claimed, HoldEvent::Sending) => self.state = S::Sending,
            (S::Unknown, HoldEvent::Noted { by, effected, text }) => {
                let (by, text, effected) = (by.clone(), text.clone(), *effected);
                self.notes.push(Note { by, at, effected, text });
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// How it ends once it was sent, and that its agent heard of it. Says whether the event was one
    /// of these.
    fn ends(&mut self, event: &HoldEvent) -> bool {
        use HoldState as S;
        match (self.state, event) {
            (S::Sending, HoldEvent::Executed { sealed }) => {
                self.finish(S::Executed, Outcome::Answer(sealed.clone()));
            }
            (S::Sending, HoldEvent::Failed { sealed, error }) => {
                self.finish(S::Failed, Outcome::Failure(sealed.clone(), error.clone()));
            }
            (S::Sending, HoldEvent::Unknown { reason }) => {
                self.finish(S::Unknown, Outcome::Words(reason.clone()));
            }
            (state, HoldEvent::Delivered { unread, .. }) if state.is_final() && !self.delivered => {
                self.delivered = !unread;
            }
            _ => return false,
        }
        true
    }

    /// One more person releases it, who must add to those who have.
    fn approve(
        &mut self,
        approver: &ApproverId,
        binding: Digest,
        groups: &[String],
    ) -> Result<(), IllegalTransition> {
        if binding != self.binding().digest() {
            return Err(IllegalTransition::OtherBinding);
        }
        if self.approvers().any(|it| it == approver) {
            return Err(IllegalTransition::SamePerson(approver.clone()));
        }
        let counted = |of: &Self| {
            of.opened.release.counted(of.approvals.iter().map(|it| it.groups.as_slice()))
        };
        let before = counted(self);
        self.approvals.push(Approval { approver: approver.clone(), groups: groups.to_vec() });
        if counted(self) == before {
            return Err(IllegalTransition::SameGroup(approver.clone()));
        }
        Ok(())
    }

    /// The person whom the agent acts for has answered.
    fn confirm(&mut self, at: Timestamp, by: &str, answer: OwnAnswer, valid_until: Timestamp) {
        self.own = Some(SelfConfirmed { by: by.to_owned(), at, answer });
        match answer {
            OwnAnswer::Accepted => self.release(at, valid_until),
            OwnAnswer::Declined => {
                let words = format!("{by}, whom the agent acts for, declined it");
                self.finish(HoldState::Rejected, Outcome::Words(words));
            }
            OwnAnswer::Left => {}
        }
    }

    /// All that it waited for is there.
    fn release(&mut self, at: Timestamp, valid_until: Timestamp) {
        self.state = HoldState::Approved;
        self.released = Some(at);
        self.valid_until = Some(valid_until);
    }

    /// A person puts another call in place of this one; nobody has released that yet.
    fn edit(&mut self, at: Timestamp, edited: &Edited) -> Result<(), IllegalTransition> {
        let same = self.binding().principal == edited.binding.principal
            && self.binding().tool == edited.binding.tool;
        if edited.shown != self.binding().digest() || !same {
            return Err(IllegalTransition::OtherBinding);
        }
        let (by, fields) = (edited.approver.clone(), edited.fields.clone());
        self.edits.push(Edit { by, at, fields });
        let before = std::mem::replace(&mut self.opened.sealed, edited.sealed.clone());
        self.original.get_or_insert(before);
        self.opened.binding = edited.binding.clone();
        self.opened.release = edited.release.clone();
        self.opened.reasons.clone_from(&edited.reasons);
        self.opened.risk = edited.risk;
        self.approvals.clear();
        Ok(())
    }

    /// The hold if its log cannot be followed any further: nothing is known, so nothing is sent.
    #[must_use]
    pub fn lost_track(&self, at: Timestamp, reason: &str) -> Self {
        let mut next = self.clone();
        next.changed_at = at;
        next.version += 1;
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
