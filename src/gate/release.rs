//! How a held call gets out: approve, claim, judge again, record `sending`, permit, settle.
//!
//! A released hold is judged again with today's rules and today's principal; an approval lifts a
//! hold, never a deny, and is good only for exactly what was shown. Everything it was bound to is
//! compared once more at the claim.

use std::time::Duration;

use super::binding::{asks_more, what_changed};
use super::permit::Permit;
use super::{Gate, stored, weigh};
use crate::audit::LogError;
use crate::clock;
use crate::domain::{
    Approver, Binding, Call, Decision, Digest, Event, Hold, HoldEvent, HoldId, HoldState,
    IllegalTransition, JsonText, Question, Verdict, decide, told,
};
use crate::holds::HoldError;
use crate::identity::Identity;
use crate::policy::{ApproveFacts, HoldFacts};

/// Why a person could not decide. What the hold went through meanwhile is recorded.
#[derive(Debug, thiserror::Error)]
pub enum ApproveError {
    /// The hold does not allow it, does not exist, or could not be recorded.
    #[error(transparent)]
    Hold(#[from] HoldError),
    /// Policy says that this person may not, or not now.
    #[error("you may not decide on this hold: {0}")]
    NotAllowed(String),
    /// What the person saw is no longer what would be sent.
    #[error("the hold changed since it was shown ({0}); look at it again, then decide")]
    Changed(String),
    /// Policy denies the call by now; the hold was cancelled.
    #[error("policy denies this call now, so the hold was cancelled: {0}")]
    Denied(String),
    /// The stored call cannot be read.
    #[error("the stored call cannot be read: {0}")]
    Unreadable(String),
}

/// Why a released hold was not sent.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// Somebody else released it, its time passed, or a record could not be written.
    #[error(transparent)]
    Hold(#[from] HoldError),
    /// Something the approval was bound to changed; the hold waits again.
    #[error("stale_approval: {0}; the call waits for a new decision")]
    Stale(String),
    /// It can no longer be allowed; the hold was cancelled.
    #[error("cancelled: {0}")]
    Cancelled(String),
    /// Intercom cannot be reached; the approval is not spent.
    #[error("not sent yet: {0}")]
    Later(String),
    /// It is being released already.
    #[error("hold {0} is being released already")]
    UnderWay(HoldId),
}

/// A hold that is now `sending`: the permit must be spent.
pub struct Released {
    /// The hold.
    pub hold: HoldId,
    /// The way out.
    pub permit: Permit,
}

/// How the sending of a released call ended.
pub enum Settled {
    /// Intercom answered; `error` says that the answer is one.
    Answered {
        /// The answer's JSON-RPC member: `result`, or `error` if `protocol_error`.
        text: JsonText,
        /// Whether the tool or the protocol reported an error.
        error: bool,
        /// Whether `text` is a JSON-RPC error instead of a result.
        protocol_error: bool,
    },
    /// Nothing was sent, or Intercom refused it as a whole.
    NotSent(String),
    /// Sent, and no answer came.
    Lost(String),
}

impl Gate {
    /// A person decides to release. Enough people make the hold `approved`. `target` is what the
    /// call would change, as it is now, if a rule looks at it.
    ///
    /// # Errors
    /// If the person may not, the hold is not pending or has changed, policy denies the call by
    /// now, or the record cannot be written.
    pub async fn approve(
        &self,
        approver: &Approver,
        id: HoldId,
        shown: Option<Digest>,
        target: Option<JsonText>,
        identity: &Identity,
    ) -> Result<Hold, ApproveError> {
        let hold = self.holds.hold(id)?;
        undecided(&hold, "approved")?;
        let call = self.shown_call(&hold, target, identity)?;
        let _may = self.may_decide(approver, &hold, &call).await?;
        if matches!(hold.state, HoldState::Pending | HoldState::Stale) {
            self.refresh(&hold, call).await?;
        }
        let binding = shown.unwrap_or_else(|| hold.binding().digest());
        let valid_until = clock::now().plus(self.settings.approval_valid);
        let approver = approver.id.clone();
        let event = HoldEvent::Approved { approver, binding, valid_until };
        Ok(self.holds.step(id, event).await?)
    }

    /// A person refuses; the reason reaches the agent.
    ///
    /// # Errors
    /// As [`Gate::approve`].
    pub async fn reject(
        &self,
        approver: &Approver,
        id: HoldId,
        reason: String,
        target: Option<JsonText>,
        identity: &Identity,
    ) -> Result<Hold, ApproveError> {
        let hold = self.holds.hold(id)?;
        undecided(&hold, "rejected")?;
        let call = self.shown_call(&hold, target, identity)?;
        let _may = self.may_decide(approver, &hold, &call).await?;
        let event = HoldEvent::Rejected { approver: approver.id.clone(), reason };
        Ok(self.holds.step(id, event).await?)
    }

    /// A person takes a release back before it is claimed.
    ///
    /// # Errors
    /// As [`Gate::approve`].
    pub async fn revoke(
        &self,
        approver: &Approver,
        id: HoldId,
        target: Option<JsonText>,
        identity: &Identity,
    ) -> Result<Hold, ApproveError> {
        let hold = self.holds.hold(id)?;
        let call = self.shown_call(&hold, target, identity)?;
        let _may = self.may_decide(approver, &hold, &call).await?;
        Ok(self.holds.step(id, HoldEvent::Revoked { approver: approver.id.clone() }).await?)
    }

    /// Claims an approved hold, judges it again, and records `sending`. `definition` is the digest
    /// of the tool's definition as it is pinned and offered now, `target` what the call would
    /// change, as it is now, if a rule looks at it.
    ///
    /// # Errors
    /// If the hold cannot be claimed, or something it was bound to changed. Nothing was sent then.
    pub async fn release(
        &self,
        id: HoldId,
        definition: Option<Digest>,
        target: Option<JsonText>,
        identity: &Identity,
    ) -> Result<Released, ReleaseError> {
        let hold = self.holds.claim(id).await?;
        let released = self.claimed(hold, definition, target, identity).await;
        if let Err(ReleaseError::Hold(_)) = &released {
            // A record failed, so nothing was sent: the claim is free for another try.
            self.holds.give_up_claim(id);
        }
        released
    }

    /// The rest of a release, for a claim that is held.
    async fn claimed(
        &self,
        hold: Hold,
        definition: Option<Digest>,
        target: Option<JsonText>,
        identity: &Identity,
    ) -> Result<Released, ReleaseError> {
        let id = hold.id;
        let mut call = match self.stored_call(&hold, identity) {
            Ok(call) => call,
            Err(reason) => return Err(self.cancel_stale(id, reason).await?),
        };
        call.meta.target = target;
        let weighed = self.books.trail.weigh(&call.principal, weigh::release(&call));
        let plugins = self.plugins().revision();
        let (call, decision) = self.judge_and_fulfil(call, Vec::new(), &weighed).await;
        if decision.verdict == Verdict::Deny {
            return Err(self.cancel_stale(id, told(&decision.reasons)).await?);
        }
        if self.keyed(&call) != hold.binding().arguments {
            return Err(self.cancel_stale(id, OTHER_ARGUMENTS.to_owned()).await?);
        }
        let Some(definition) = definition else {
            let reason = "the tool's definition changed and is not pinned".to_owned();
            return Err(self.cancel_stale(id, reason).await?);
        };
        let binding = Binding {
            origin: self.settings.origin.clone(),
            principal: call.principal.id.clone(),
            tool: hold.binding().tool.clone(),
            definition,
            arguments: self.keyed(&call),
            ruleset: decision.ruleset,
            plugins: Some(plugins),
        };
        if binding != *hold.binding() || asks_more(&hold, &decision) {
            let changed = if binding == *hold.binding() {
                OTHER_CONDITIONS.to_owned()
            } else {
                what_changed(hold.binding(), &binding)
            };
            self.holds.step(id, HoldEvent::Stale { changed: changed.clone() }).await?;
            let release = decision.release.unwrap_or(hold.opened.release);
            self.holds.step(id, HoldEvent::Reopened { binding, release }).await?;
            return Err(ReleaseError::Stale(changed));
        }
        // Why it may go, by today's rules; then that it goes.
        let step = weighed.keep(weigh::labelled(weigh::release(&call), &decision), None);
        let (facts, recorded) = (self.facts_of(&call), decision.clone());
        let trail = step.clone().map(Box::new);
        let event = Event::Decision { call: facts, decision: recorded, trail };
        let recorded = match self.books.log.append(event).await {
            Ok(_recorded) => self.holds.step_recorded(id, HoldEvent::Sending).await,
            Err(error) => Err(error.into()),
        };
        let (_, receipt) = match recorded {
            Ok(recorded) => recorded,
            Err(error) => {
                self.books.take_back(&call, step.as_ref());
                return Err(error.into());
            }
        };
        let permit = Permit::new(call, decision, receipt, step, self.books.clone());
        Ok(Released { hold: id, permit: permit.for_hold(id) })
    }

    /// Records what became of a released call.
    ///
    /// # Errors
    /// If the record cannot be written; the hold then reads `unknown` after the next start.
    pub async fn settle(&self, id: HoldId, settled: Settled) -> Result<Hold, HoldError> {
        let event = match settled {
            Settled::Answered { text, error, protocol_error } => {
                match stored::seal_answer(&self.sealer, id, text, protocol_error) {
                    Ok(sealed) if error => {
                        let error = "Intercom answered with an error".to_owned();
                        HoldEvent::Failed { sealed: Some(sealed), error }
                    }
                    Ok(sealed) => HoldEvent::Executed { sealed },
                    Err(error) => HoldEvent::Unknown { reason: error.to_string() },
                }
            }
            Settled::NotSent(error) => HoldEvent::Failed { sealed: None, error },
            Settled::Lost(reason) => HoldEvent::Unknown { reason },
        };
        // The act is done; its record must not be lost to a queue that is full for a moment.
        loop {
            match self.holds.step(id, event.clone()).await {
                Err(HoldError::Log(LogError::Busy { .. })) => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                settled => return settled,
            }
        }
    }

    /// Notes that the outcome leaves for the agent, and what policy said of it. Several readers of one
    /// outcome are no error.
    ///
    /// # Errors
    /// If the record cannot be written; the outcome must not leave then.
    pub async fn deliver(&self, id: HoldId, disclose: Option<Decision>) -> Result<(), HoldError> {
        let disclose = disclose.map(Box::new);
        match self.holds.step(id, HoldEvent::Delivered { disclose }).await {
            Ok(_) | Err(HoldError::Illegal { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The held call as approvers and rules see it.
    pub(super) fn shown_call(
        &self,
        hold: &Hold,
        target: Option<JsonText>,
        identity: &Identity,
    ) -> Result<Call, ApproveError> {
        let mut call = self.stored_call(hold, identity).map_err(ApproveError::Unreadable)?;
        call.meta.target = target;
        // What ends it is found again when it is judged.
        let _ended = self.note_pseudonyms(&mut call);
        Ok(call)
    }

    /// Asks whether this person may decide on this hold now: never the principal itself or the
    /// human it acts for, only the groups that the hold names, and only if policy agrees.
    pub(super) async fn may_decide(
        &self,
        approver: &Approver,
        hold: &Hold,
        call: &Call,
    ) -> Result<Decision, ApproveError> {
        let not_allowed = |text: &str| Err(ApproveError::NotAllowed(text.to_owned()));
        let name = approver.id.as_str();
        let acts_for = call.principal.on_behalf_of.as_deref();
        if same_person(name, hold.binding().principal.as_str())
            || acts_for.is_some_and(|human| same_person(name, human))
        {
            return not_allowed("the call is your own (requester and approver must be two people)");
        }
        let groups = &hold.opened.release.groups;
        if !groups.is_empty() && !groups.iter().any(|group| approver.groups.contains(group)) {
            return not_allowed(&format!("it asks for a member of {}", groups.join(" or ")));
        }
        let ruleset = self.ruleset.load_full();
        let held = HoldFacts {
            id: hold.id,
            opened_at: hold.opened_at,
            expires_at: hold.opened.expires_at,
            release: hold.opened.release.clone(),
            approvals: hold.approvals.clone(),
        };
        let facts = ApproveFacts { approver, hold: &held, call };
        let view = || self.books.trail.view(&call.principal.id);
        let now = self.facts(&ruleset, Question::Approve, view);
        let finding = ruleset.approve(&facts, &now).await;
        self.shadow.release(&ruleset, &facts, &now, &finding);
        let decision = decide(Question::Approve, ruleset.revision(), vec![finding]);
        self.counted.add(Question::Approve, decision.verdict);
        if decision.verdict == Verdict::Allow {
            Ok(decision)
        } else {
            Err(ApproveError::NotAllowed(denial_text(&decision)))
        }
    }

    /// Judges a pending hold again before a person's decision counts, so that nobody approves what
    /// is denied by now, or under a policy that was not the one shown. A hold that is still stale
    /// (the process ended before it was opened again) is opened again here.
    async fn refresh(&self, hold: &Hold, call: Call) -> Result<(), ApproveError> {
        let weighed = self.books.trail.weigh(&call.principal, weigh::release(&call));
        let plugins = self.plugins().revision();
        let (call, decision) = self.judge_and_fulfil(call, Vec::new(), &weighed).await;
        drop(weighed);
        let denied = decision.verdict == Verdict::Deny;
        if denied || self.keyed(&call) != hold.binding().arguments {
            // The agent reads the event, the approver the error.
            let (event, reason) = if denied {
                (told(&decision.reasons), denial_text(&decision))
            } else {
                (OTHER_ARGUMENTS.to_owned(), OTHER_ARGUMENTS.to_owned())
            };
            let event = HoldEvent::Cancelled { reason: event };
            self.holds.step(hold.id, event).await?;
            return Err(ApproveError::Denied(reason));
        }
        let ruleset = decision.ruleset;
        let binding = Binding { ruleset, plugins: Some(plugins), ..hold.binding().clone() };
        let other_judges = binding != *hold.binding();
        if other_judges || hold.state == HoldState::Stale || asks_more(hold, &decision) {
            let release = decision.release.unwrap_or_else(|| hold.opened.release.clone());
            let what = if hold.state == HoldState::Stale {
                "its approval had become stale".to_owned()
            } else if other_judges {
                what_changed(hold.binding(), &binding)
            } else {
                OTHER_CONDITIONS.to_owned()
            };
            self.holds.step(hold.id, HoldEvent::Reopened { binding, release }).await?;
            return Err(ApproveError::Changed(what));
        }
        Ok(())
    }

    async fn cancel_stale(&self, id: HoldId, reason: String) -> Result<ReleaseError, ReleaseError> {
        self.holds.step(id, HoldEvent::Stale { changed: reason.clone() }).await?;
        self.holds.step(id, HoldEvent::Cancelled { reason: reason.clone() }).await?;
        Ok(ReleaseError::Cancelled(reason))
    }
}

/// A call that waits is never edited: what an approver saw is what is sent, or nothing is.
const OTHER_ARGUMENTS: &str = "the policy demands other arguments by now; call the tool again";

/// What rules look at (the target of the call, the time, the trail) is another by now.
const OTHER_CONDITIONS: &str = "the conditions of release changed";

/// Says where a hold stands that is decided already, rather than what policy thinks of deciding
/// again.
const fn undecided(hold: &Hold, event: &'static str) -> Result<(), HoldError> {
    let (id, state) = (hold.id, hold.state);
    match state {
        HoldState::Pending | HoldState::Stale => Ok(()),
        _ => {
            let source = IllegalTransition::Order { state, event };
            Err(HoldError::Illegal { id, state, source })
        }
    }
}

fn denial_text(decision: &Decision) -> String {
    let texts: Vec<&str> = decision.reasons.iter().map(|reason| reason.text.as_str()).collect();
    texts.join("; ")
}

/// Whether two names mean one person: case, and for addresses a `+tag`, do not make another.
fn same_person(a: &str, b: &str) -> bool {
    fn plain(name: &str) -> String {
        let lower = name.to_lowercase();
        match lower.split_once('@') {
            Some((local, host)) => {
                let local = local.split_once('+').map_or(local, |(before, _)| before);
                format!("{local}@{host}")
            }
            None => lower,
        }
    }
    plain(a) == plain(b)
}

#[cfg(test)]
mod tests;
