//! What people decide about a hold: release it, refuse it, ask, change, hand on, wait longer.
//!
//! Every right is checked here, whatever door the wish came through: the person is somebody else than
//! the one who asked, the hold's conditions name a group of theirs and what they want to do, their
//! proof is as fresh as the conditions ask, and policy agrees. A decision counts only for the hold as
//! it was on the screen: its version, and the digest of everything that would be sent.

use std::time::Duration;

use super::barred::Asking;
use super::binding::{asks_more, what_changed};
use super::looked::{Looked, changed_since, publicity, with_target};
use super::{Gate, barred, weigh};
use crate::clock;
use crate::domain::{
    Action, ApproverId, Binding, Call, Decision, Digest, Effected, Hold, HoldEvent, HoldId,
    HoldState, IllegalTransition, JsonText, Question, Release, Timestamp, Verdict, told,
};
use crate::holds::HoldError;
use crate::identity::{Identity, Person, Via};
use crate::tape::Rounds;

/// What a person looked at when deciding on a hold.
pub struct Deciding<'a> {
    /// Who decides.
    pub person: &'a Person,
    /// On what.
    pub hold: HoldId,
    /// The version that was on the screen; whatever it is now if absent.
    pub if_version: Option<u64>,
    /// The binding that was on the screen; the present one if absent.
    pub shown: Option<Digest>,
    /// What the call would change, as it is now.
    pub looked: Looked,
    /// Today's principals.
    pub identity: &'a Identity,
}

impl Deciding<'_> {
    /// Whether the person decides on the hold as it is, not as it was on a screen. If it moves under
    /// such a decision, the decision is about what it moved to; each move is somebody's step, so that
    /// trying again ends.
    const fn is_of_now(&self) -> bool {
        self.if_version.is_none() && self.shown.is_none()
    }

    /// The same wish about the hold as it is by now.
    pub(super) fn on_what_is_there(&self) -> Self {
        Self { shown: None, looked: self.looked.clone(), ..*self }
    }
}

/// What somebody saw of a hold that is to be decided.
pub(super) struct Onlooker<'a> {
    /// What the call would change, as it is now.
    pub(super) looked: &'a Looked,
    /// The binding that was shown.
    pub(super) shown: Option<Digest>,
    /// Whether the hold must be of the version that was shown.
    pub(super) exactly: bool,
}

impl<'a> Onlooker<'a> {
    /// The person who decides.
    pub(super) const fn of(ask: &'a Deciding<'_>) -> Self {
        Self { looked: &ask.looked, shown: ask.shown, exactly: ask.if_version.is_some() }
    }
}

/// Why a person could not decide. What the hold went through meanwhile is recorded.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// The hold does not allow it, does not exist, or could not be recorded.
    #[error(transparent)]
    Hold(#[from] HoldError),
    /// This person may not, or not now.
    #[error("you may not decide on this hold: {text}")]
    NotAllowed {
        /// The rule that says so.
        rule: String,
        /// Why.
        text: String,
    },
    /// A fresh proof of who they are is asked for.
    #[error(
        "this needs a proof of who you are that is younger than {minutes} minutes; sign in again"
    )]
    StepUp {
        /// How young, in minutes.
        minutes: u64,
    },
    /// What the person saw is no longer what would be sent.
    #[error("the hold changed since it was shown ({0}); look at it again, then decide")]
    Changed(String),
    /// Policy denies the call by now; the hold was cancelled.
    #[error("policy denies this call now, so the hold was cancelled: {0}")]
    Denied(String),
    /// What the person asks for is wrong in itself.
    #[error("{0}")]
    Invalid(String),
    /// The stored call cannot be read.
    #[error("the stored call cannot be read: {0}")]
    Unreadable(String),
    /// Rules look at what the call would change, and it cannot be read now.
    #[error("the rules look at what this call would change, but {0}")]
    Unread(String),
}

/// A call that waits is never edited by rules: what an approver saw is what is sent, or nothing is.
pub(super) const OTHER_ARGUMENTS: &str =
    "the policy demands other arguments by now; call the tool again";

/// What rules look at (the target of the call, the time, the trail) is another by now.
pub(super) const OTHER_CONDITIONS: &str = "the conditions of release changed";

impl Gate {
    /// A person decides to release. Enough people make the hold `approved`.
    ///
    /// # Errors
    /// If the person may not, the hold is not pending or has changed, policy denies the call by
    /// now, or the record cannot be written.
    pub async fn approve(&self, ask: &Deciding<'_>) -> Result<Hold, DecideError> {
        loop {
            // On the heap: a person's decision is rare, and a release is a long road.
            match Box::pin(self.approve_once(ask)).await {
                Err(DecideError::Hold(HoldError::Moved(_))) if ask.is_of_now() => {}
                decided => return decided,
            }
        }
    }

    async fn approve_once(&self, ask: &Deciding<'_>) -> Result<Hold, DecideError> {
        let hold = self.seen(ask)?;
        undecided(&hold, "approved")?;
        let call = self.shown_call(&hold, ask)?;
        let _may = self.may(ask, Action::Approve, &hold, &call).await?;
        let hold = self.refresh(&Onlooker::of(ask), hold, call).await?;
        self.release_by(ask, &hold).await
    }

    /// Records one more release of a hold that was just judged again.
    pub(super) async fn release_by(
        &self,
        ask: &Deciding<'_>,
        hold: &Hold,
    ) -> Result<Hold, DecideError> {
        let binding = ask.shown.unwrap_or_else(|| hold.binding().digest());
        let valid_until = clock::now().plus(self.settings.approval_valid);
        let approver = ask.person.id.clone();
        let groups = standing(&hold.opened.release, hold.opened_at, ask.person);
        let event = HoldEvent::Approved { approver, binding, valid_until, groups };
        Ok(self.holds.step_from(hold, ask.if_version.is_some(), event).await?)
    }

    /// A person refuses; the reason reaches the agent.
    ///
    /// # Errors
    /// As [`Gate::approve`].
    pub async fn reject(&self, ask: &Deciding<'_>, reason: String) -> Result<Hold, DecideError> {
        let approver = ask.person.id.clone();
        self.decide_on(ask, Action::Reject, HoldEvent::Rejected { approver, reason }).await
    }

    /// A person asks the agent for something; the call must be made again.
    ///
    /// # Errors
    /// As [`Gate::approve`].
    pub async fn ask_for_changes(
        &self,
        ask: &Deciding<'_>,
        question: String,
    ) -> Result<Hold, DecideError> {
        let approver = ask.person.id.clone();
        self.decide_on(ask, Action::Ask, HoldEvent::ChangesRequested { approver, question }).await
    }

    /// A person takes a release back before it is claimed.
    ///
    /// # Errors
    /// As [`Gate::approve`].
    pub async fn revoke(&self, ask: &Deciding<'_>) -> Result<Hold, DecideError> {
        let approver = ask.person.id.clone();
        self.decide_on(ask, Action::Revoke, HoldEvent::Revoked { approver }).await
    }

    /// A person gives the hold to somebody, or to nobody in particular. It changes nobody's rights.
    ///
    /// # Errors
    /// As [`Gate::approve`].
    pub async fn assign(
        &self,
        ask: &Deciding<'_>,
        to: Option<ApproverId>,
    ) -> Result<Hold, DecideError> {
        if let Some(name) = &to
            && self.settings.people.rights(name).is_none()
        {
            let text =
                format!("nobody is called `{name}`; `portcullis people list` shows everybody");
            return Err(DecideError::Invalid(text));
        }
        let by = ask.person.id.clone();
        self.decide_on(ask, Action::Assign, HoldEvent::Assigned { by, to }).await
    }

    /// A person lengthens the wait, as far as the hold's conditions let people do so.
    ///
    /// # Errors
    /// As [`Gate::approve`].
    pub async fn extend(&self, ask: &Deciding<'_>, until: Timestamp) -> Result<Hold, DecideError> {
        let approver = ask.person.id.clone();
        self.decide_on(ask, Action::Extend, HoldEvent::Extended { approver, until }).await
    }

    /// A person says what became of a call whose outcome is not known.
    ///
    /// # Errors
    /// As [`Gate::approve`].
    pub async fn note(
        &self,
        ask: &Deciding<'_>,
        effected: Effected,
        text: String,
    ) -> Result<Hold, DecideError> {
        let by = ask.person.id.clone();
        self.decide_on(ask, Action::Note, HoldEvent::Noted { by, effected, text }).await
    }

    /// One event that a person may cause if everything is as it was on the screen.
    pub(super) async fn decide_on(
        &self,
        ask: &Deciding<'_>,
        action: Action,
        event: HoldEvent,
    ) -> Result<Hold, DecideError> {
        loop {
            let hold = self.seen(ask)?;
            if matches!(action, Action::Reject | Action::Ask | Action::Extend) {
                undecided(&hold, event.name())?;
            }
            let call = self.shown_call(&hold, ask)?;
            let _may = self.may(ask, action, &hold, &call).await?;
            let exactly = ask.if_version.is_some();
            match self.holds.step_from(&hold, exactly, event.clone()).await {
                Err(HoldError::Moved(_)) if ask.is_of_now() => {}
                decided => return Ok(decided?),
            }
        }
    }

    /// The hold, if it is still the one that was on the screen.
    pub(super) fn seen(&self, ask: &Deciding<'_>) -> Result<Hold, HoldError> {
        let hold = self.holds.hold(ask.hold)?;
        match ask.if_version {
            Some(version) if version != hold.version => Err(HoldError::Moved(hold.id)),
            _ => Ok(hold),
        }
    }

    /// The held call as approvers and rules see it.
    pub(super) fn shown_call(&self, hold: &Hold, ask: &Deciding<'_>) -> Result<Call, DecideError> {
        let call = self.stored_call(hold, ask.identity).map_err(DecideError::Unreadable)?;
        Ok(self.call_with(call, ask.looked.facts()))
    }

    /// A stored call with what belongs to it at this moment.
    pub(super) fn call_with(&self, mut call: Call, target: Option<JsonText>) -> Call {
        call.meta.target = target;
        // What ends it is found again when it is judged.
        let _ended = self.note_pseudonyms(&mut call);
        call
    }

    /// Asks whether this person may do this about this hold now: never the principal itself or the
    /// human it acts for, only the groups and actions that the hold names, with a proof as fresh as
    /// it asks, and only if policy agrees.
    pub(super) async fn may(
        &self,
        ask: &Deciding<'_>,
        action: Action,
        hold: &Hold,
        call: &Call,
    ) -> Result<Decision, DecideError> {
        if let Looked::Unread(why) = &ask.looked
            && matches!(action, Action::Approve | Action::Edit | Action::Grant)
            && self.ruleset().looks_at_targets()
        {
            return Err(DecideError::Unread(why.clone()));
        }
        let (person, release) = (ask.person, &hold.opened.release);
        let now = clock::now();
        let groups = barred::conditions(person, action, hold, &call.principal, now)?;
        let decision = self.asked_of_policy(ask, action, hold, call, groups).await?;
        if matches!(action, Action::Approve | Action::Edit | Action::Grant) {
            let publishes = publicity(call, ask.looked.target()).is_changed();
            fresh(person, release.step_up(publishes), now)?;
        }
        Ok(decision)
    }

    async fn asked_of_policy(
        &self,
        ask: &Deciding<'_>,
        action: Action,
        hold: &Hold,
        call: &Call,
        groups: Vec<String>,
    ) -> Result<Decision, DecideError> {
        let decision = self.judged(ask, action, (hold, call), groups, Asking::Try).await;
        self.counted.add(Question::Approve, decision.verdict);
        refusal(&decision).map_or(Ok(decision), Err)
    }

    /// Judges a pending hold again before a person's decision counts, so that nobody approves what
    /// is denied by now, or under a policy or for an object that was not the one shown. A hold that
    /// is still stale (the process ended before it was opened again) is opened again here.
    pub(super) async fn refresh(
        &self,
        eyes: &Onlooker<'_>,
        hold: Hold,
        call: Call,
    ) -> Result<Hold, DecideError> {
        let weighed = self.books.trail.weigh(&call.principal, weigh::release(&call));
        let plugins = self.plugins().revision();
        let (call, decision) =
            self.judge_and_fulfil(call, Vec::new(), &weighed, &mut Rounds::default()).await;
        drop(weighed);
        let denied = decision.verdict == Verdict::Deny;
        if denied || self.keyed(&call) != hold.binding().arguments {
            // The agent reads the event, the approver the error.
            let (event, reason) = if denied {
                (told(&decision.reasons), denial_text(&decision))
            } else {
                (OTHER_ARGUMENTS.to_owned(), OTHER_ARGUMENTS.to_owned())
            };
            self.holds.step(hold.id, HoldEvent::Cancelled { reason: event }).await?;
            return Err(DecideError::Denied(reason));
        }
        let judged =
            Binding { ruleset: decision.ruleset, plugins: Some(plugins), ..hold.binding().clone() };
        let other_judges = judged != *hold.binding();
        let binding = with_target(judged, eyes.looked);
        let moved = changed_since(&hold, eyes.looked);
        let release = decision.release.as_ref().unwrap_or(&hold.opened.release).clone();
        let mut what: Vec<String> = Vec::new();
        if hold.state == HoldState::Stale {
            let known = hold.changed.clone();
            what.push(known.unwrap_or_else(|| "its approval had become stale".to_owned()));
        } else if other_judges {
            what.push(what_changed(hold.binding(), &binding));
        } else if asks_more(&hold, &decision) {
            what.push(OTHER_CONDITIONS.to_owned());
        }
        // Whoever has the present version on the screen approves that.
        let seen = eyes.shown == Some(binding.digest());
        what.extend(moved.filter(|_| !seen));
        if what.is_empty() && binding == *hold.binding() {
            return Ok(hold);
        }
        let target = eyes.looked.target().map(|target| Box::new(target.version.clone()));
        let changed = (!what.is_empty()).then(|| what.join("; "));
        let (binding, release) = (Box::new(binding), Box::new(release));
        let event = HoldEvent::Reopened { binding, release, changed: changed.clone(), target };
        let hold = self.holds.step_from(&hold, eyes.exactly, event).await?;
        changed.map_or(Ok(hold), |what| Err(DecideError::Changed(what)))
    }
}

/// Why a decision does not let a person do what they want; `None` if it does.
pub(super) fn refusal(decision: &Decision) -> Option<DecideError> {
    if decision.verdict == Verdict::Allow {
        return None;
    }
    let rule = decision.reasons.first().map(|reason| reason.rule.clone());
    Some(not_allowed(&rule.unwrap_or_default(), denial_text(decision)))
}

pub(super) fn not_allowed(rule: &str, text: impl Into<String>) -> DecideError {
    DecideError::NotAllowed { rule: rule.to_owned(), text: text.into() }
}

pub(super) fn denial_text(decision: &Decision) -> String {
    let texts: Vec<&str> = decision.reasons.iter().map(|reason| reason.text.as_str()).collect();
    texts.join("; ")
}

/// Says where a hold stands that is decided already, rather than what policy thinks of deciding
/// again.
pub(super) const fn undecided(hold: &Hold, event: &'static str) -> Result<(), HoldError> {
    let (id, state) = (hold.id, hold.state);
    match state {
        HoldState::Pending | HoldState::Stale => Ok(()),
        _ => {
            let source = IllegalTransition::Order { state, event };
            Err(HoldError::Illegal { id, state, source })
        }
    }
}

/// The groups that a person stands for where each must stand for another one.
fn standing(release: &Release, opened: Timestamp, person: &Person) -> Vec<String> {
    if !release.distinct_groups {
        return Vec::new();
    }
    let named = release.groups_at(opened, clock::now());
    let counts = |group: &&String| named.is_empty() || named.contains(group);
    person.groups.iter().filter(counts).cloned().collect()
}

/// Refuses a person whose proof is older than `limit`. Whoever gives a key with the command proves it
/// with each; a token or a button in Slack proves nothing about who uses it now.
fn fresh(person: &Person, limit: Option<Duration>, now: Timestamp) -> Result<(), DecideError> {
    let Some(limit) = limit else { return Ok(()) };
    let proof = match person.via {
        Via::Key => Some(person.signed_at),
        Via::Password | Via::Oidc => person.stepped_up_at,
        Via::Token | Via::Slack => None,
    };
    if proof.is_some_and(|at| now.since(at) < limit) {
        return Ok(());
    }
    Err(DecideError::StepUp { minutes: limit.as_secs() / 60 })
}
