//! The person whom an agent acts for decides on a call of their own, where rules say so in so many words.
//!
//! It is the one exception from "never the requester", and a narrow one: the rule that holds the call
//! says `confirm: requester`, one person without a fresh proof is enough, the call is no risk to the
//! public, its agent acts for somebody whom configuration names, and nobody else has begun to decide.
//! The answer comes through that person's client, which could say anything; so it is recorded as what
//! it is, never as an approval, and the call is judged again before it counts like every other.

use super::Gate;
use super::looked::{Looked, publicity};
use super::pausing::{PAUSED, WAITS};
use super::people::{DecideError, Onlooker, not_allowed, undecided};
use crate::clock;
use crate::domain::{Call, Digest, Hold, HoldEvent, HoldId, OwnAnswer, Risk, SelfConfirmed};
use crate::identity::Identity;

/// An answer of the person whom an agent acts for.
pub struct Confirming<'a> {
    /// To which hold's question.
    pub hold: HoldId,
    /// The binding of what they were shown.
    pub shown: Digest,
    /// What they said.
    pub answer: OwnAnswer,
    /// What the call would change, as it is now.
    pub looked: Looked,
    /// Today's principals.
    pub identity: &'a Identity,
}

impl Gate {
    /// Whom to ask about a hold, if its rules let the person whom the agent acts for confirm it.
    #[must_use]
    pub fn whom_to_ask(&self, hold: &Hold, identity: &Identity) -> Option<String> {
        let principal = identity.principal(&hold.binding().principal)?;
        let may = hold.may_be_confirmed() && !self.is_paused(&principal.id);
        principal.on_behalf_of.clone().filter(|_| may)
    }

    /// Takes the answer of the person whom the agent acts for.
    ///
    /// # Errors
    /// If they may not decide, the hold is decided already or is another than they were shown, policy
    /// denies the call by now, or the record cannot be written.
    pub async fn confirm(&self, ask: &Confirming<'_>) -> Result<Hold, DecideError> {
        let hold = self.holds.hold(ask.hold)?;
        undecided(&hold, "self_confirmed")?;
        let call = self.stored_call(&hold, ask.identity).map_err(DecideError::Unreadable)?;
        let call = self.call_with(call, ask.looked.facts());
        if self.is_paused(&call.principal.id) {
            return Err(not_allowed(PAUSED, WAITS));
        }
        let by = may_confirm(&hold, &call)?;
        let hold = if ask.answer == OwnAnswer::Accepted {
            if let Looked::Unread(why) = &ask.looked {
                return Err(DecideError::Unread(why.clone()));
            }
            if let Some(why) = risk(&call, &ask.looked) {
                return Err(not_allowed(RULE, why));
            }
            let eyes = Onlooker { looked: &ask.looked, shown: Some(ask.shown), exactly: false };
            Box::pin(self.refresh(&eyes, hold, call)).await?
        } else {
            hold
        };
        let valid_until = clock::now().plus(self.settings.approval_valid);
        let (binding, answer) = (ask.shown, ask.answer);
        let event = HoldEvent::SelfConfirmed { by, answer, binding, valid_until };
        Ok(self.holds.step_from(&hold, false, event).await?)
    }
}

const RULE: &str = "portcullis.self_confirmed";

/// Who it is that confirms, if rules let them.
fn may_confirm(hold: &Hold, call: &Call) -> Result<String, DecideError> {
    if !hold.may_be_confirmed() {
        let text = "its conditions do not let the person whom the agent acts for confirm it";
        return Err(not_allowed(RULE, text));
    }
    let person = call.principal.on_behalf_of.clone();
    person.ok_or_else(|| not_allowed(RULE, "the agent acts for nobody whom configuration names"))
}

/// Why a call is too much of a risk to be confirmed by whoever asked for it.
fn risk(call: &Call, looked: &Looked) -> Option<&'static str> {
    let publicity = publicity(call, looked.target());
    (publicity.is_changed() || publicity.risk() == Risk::High)
        .then_some("it changes what is public, which other people must decide")
}

/// Why a call that its own person confirmed may not go any more; `None` if it may.
pub(super) fn no_longer_confirmed(
    own: &SelfConfirmed,
    call: &Call,
    looked: &Looked,
) -> Option<String> {
    if call.principal.on_behalf_of.as_deref() != Some(own.by.as_str()) {
        return Some(format!("{} confirmed it, for whom the agent does not act any more", own.by));
    }
    risk(call, looked).map(str::to_owned)
}
