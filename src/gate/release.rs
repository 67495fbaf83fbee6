//! How a released hold gets out: claim, judge again, record `sending`, permit, settle.
//!
//! A released hold is judged again with today's rules and today's principal; an approval lifts a
//! hold, never a deny, and is good only for exactly what was shown. Everything it was bound to is
//! compared once more at the claim, what it would change included.

use std::time::Duration;

use super::binding::{asks_more, what_changed};
use super::confirm::no_longer_confirmed;
use super::looked::{Looked, changed_since, with_target};
use super::people::{OTHER_ARGUMENTS, OTHER_CONDITIONS};
use super::permit::Permit;
use super::{Gate, stored, weigh};
use crate::audit::{LogError, Receipt};
use crate::domain::{
    Binding, Call, Decision, Digest, Event, Hold, HoldEvent, HoldId, JsonText, OwnAnswer, Release,
    TargetVersion, Verdict, told,
};
use crate::holds::HoldError;
use crate::identity::Identity;
use crate::tape::Rounds;

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
    /// Nothing was sent, or Intercom did not carry it out.
    NotSent(String),
    /// Sent, and no answer came.
    Lost(String),
}

/// What a claimed hold is bound to when it goes back to people.
struct Back {
    binding: Binding,
    release: Release,
    target: Option<TargetVersion>,
}

impl Gate {
    /// Claims an approved hold, judges it again, and records `sending`. `definition` is the digest
    /// of the tool's definition as it is pinned and offered now, `looked` what the call would
    /// change, as it is now.
    ///
    /// # Errors
    /// If the hold cannot be claimed, or something it was bound to changed. Nothing was sent then.
    pub async fn release(
        &self,
        id: HoldId,
        definition: Option<Digest>,
        looked: Looked,
        identity: &Identity,
    ) -> Result<Released, ReleaseError> {
        self.may_go_on(id)?;
        let hold = self.holds.claim(id).await?;
        let released = self.claimed(hold, definition, looked, identity).await;
        if let Err(ReleaseError::Hold(_)) = &released {
            // A record failed, so nothing was sent: the claim is free for another try.
            self.holds.give_up_claim(id);
        }
        released
    }

    /// Whether a released hold may be sent at all now: not while its agent is paused. It stays
    /// released and is tried again.
    ///
    /// # Errors
    /// If it may not.
    pub fn may_go_on(&self, id: HoldId) -> Result<(), ReleaseError> {
        if self.is_paused(&self.holds.hold(id)?.binding().principal) {
            return Err(ReleaseError::Later("a person paused the agent".to_owned()));
        }
        Ok(())
    }

    /// The rest of a release, for a claim that is held.
    async fn claimed(
        &self,
        hold: Hold,
        definition: Option<Digest>,
        looked: Looked,
        identity: &Identity,
    ) -> Result<Released, ReleaseError> {
        let id = hold.id;
        let mut call = match self.stored_call(&hold, identity) {
            Ok(call) => call,
            Err(reason) => return Err(self.cancel_stale(id, reason).await?),
        };
        call.meta.target = looked.facts();
        let weighed = self.books.trail.weigh(&call.principal, weigh::release(&call));
        let plugins = self.plugins().revision();
        let mut rounds = self.tape.rounds();
        let (call, decision) = self.judge_and_fulfil(call, Vec::new(), &weighed, &mut rounds).await;
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
            target: hold.binding().target,
        };
        let binding = with_target(binding, &looked);
        let release = decision.release.clone().unwrap_or_else(|| hold.opened.release.clone());
        let back = Back { binding, release, target: looked.target().map(|it| it.version.clone()) };
        let changed = self.stale(&hold, &call, (&back.binding, &decision), &looked);
        // Somebody may have paused the agent while its call was judged.
        if let Some(changed) = changed.or_else(|| self.paused_meanwhile(&call)) {
            return Err(self.send_back(id, changed, back).await?);
        }
        // Why it may go, by today's rules; then that it goes.
        let step = weighed.keep(weigh::labelled(weigh::release(&call), &decision), None);
        let (facts, recorded) = (self.facts_of(&call), decision.clone());
        let trail = step.clone().map(Box::new);
        let event = Event::Decision { call: facts, decision: recorded, trail };
        let receipt = match self.sending(id, (event, rounds), &call, back).await {
            Ok(receipt) => receipt,
            Err(error) => {
                self.books.take_back(&call, step.as_ref());
                return Err(error);
            }
        };
        let permit = Permit::new(call, decision, receipt, step, self.books.clone());
        Ok(Released { hold: id, permit: permit.for_hold(id) })
    }

    /// Records why a claimed call goes, and that it goes.
    async fn sending(
        &self,
        id: HoldId,
        (why, rounds): (Event, Rounds),
        call: &Call,
        back: Back,
    ) -> Result<Receipt, ReleaseError> {
        let _recorded = self.books.log.append(why).await.map_err(HoldError::from)?;
        self.tape.call_again(rounds);
        // Once more, for the record took its time: a pause that is told as done lets nothing go.
        if let Some(paused) = self.paused_meanwhile(call) {
            return Err(self.send_back(id, paused, back).await?);
        }
        let (_, receipt) = self.holds.step_recorded(id, HoldEvent::Sending).await?;
        Ok(receipt)
    }

    /// That a person paused the agent while its call was being released.
    fn paused_meanwhile(&self, call: &Call) -> Option<String> {
        let paused = self.is_paused(&call.principal.id);
        paused.then(|| "a person paused its agent while it was being released".to_owned())
    }

    /// Gives a claimed hold back to people, bound to what is true now: a claim cannot be taken back, and
    /// what they decided on is no longer so. Gives what to tell.
    async fn send_back(
        &self,
        id: HoldId,
        changed: String,
        Back { binding, release, target }: Back,
    ) -> Result<ReleaseError, HoldError> {
        self.holds.step(id, HoldEvent::Stale { changed: changed.clone() }).await?;
        let (binding, release) = (Box::new(binding), Box::new(release));
        let target = target.map(Box::new);
        let event = HoldEvent::Reopened { binding, release, changed: None, target };
        self.holds.step(id, event).await?;
        Ok(ReleaseError::Stale(changed))
    }

    /// What is another by now than it was when people released the hold, in words.
    fn stale(
        &self,
        hold: &Hold,
        call: &Call,
        (binding, decision): (&Binding, &Decision),
        looked: &Looked,
    ) -> Option<String> {
        if binding != hold.binding() {
            let moved = changed_since(hold, looked);
            return Some(moved.unwrap_or_else(|| what_changed(hold.binding(), binding)));
        }
        let others = asks_more(hold, decision).then(|| OTHER_CONDITIONS.to_owned());
        others.or_else(|| match &hold.own {
            Some(own) if own.answer == OwnAnswer::Accepted => {
                no_longer_confirmed(own, call, looked)
            }
            _ => self.no_longer_released(hold),
        })
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
    pub async fn deliver(
        &self,
        id: HoldId,
        disclose: Option<Decision>,
        unread: bool,
    ) -> Result<(), HoldError> {
        let disclose = disclose.map(Box::new);
        match self.holds.step(id, HoldEvent::Delivered { disclose, unread }).await {
            Ok(_) | Err(HoldError::Illegal { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn cancel_stale(&self, id: HoldId, reason: String) -> Result<ReleaseError, ReleaseError> {
        self.holds.step(id, HoldEvent::Stale { changed: reason.clone() }).await?;
        self.holds.step(id, HoldEvent::Cancelled { reason: reason.clone() }).await?;
        Ok(ReleaseError::Cancelled(reason))
    }
}
