//! The person whom an agent acts for decides on a call of their own, where rules say so in so many words.
//!
//! It is the one exception from "never the requester", and a narrow one: the rule that holds the call
//! says `confirm: requester`, one person without a fresh proof is enough, the call is no risk to the
//! public, its agent acts for somebody whom configuration names, nobody else has begun to decide, and
//! everything that would be sent can be shown. What was asked ([`Posed`]) is sealed with the question: an
//! answer to an earlier version of the hold, or to what somebody else was asked, counts for nothing.
//! The question `approve` is not asked, for it is about approvers. The answer comes through that person's client, which could say anything; so it is recorded as what
//! it is, never as an approval, and the call is judged again before it counts like every other.

use serde::{Deserialize, Serialize};

use super::Gate;
use super::looked::{Looked, publicity};
use super::pausing::{PAUSED, WAITS};
use super::people::{DecideError, Onlooker, not_allowed, undecided};
use super::stored::Contents;
use crate::clock;
use crate::domain::{Call, Digest, Hold, HoldEvent, HoldId, OwnAnswer, Risk, SelfConfirmed};
use crate::holds::HoldError;
use crate::identity::Identity;

/// What the person whom an agent acts for was asked to confirm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posed {
    /// Who was asked, as configured.
    whom: String,
    /// The version of the hold that they were shown.
    version: u64,
    /// Its binding.
    shown: Digest,
}

/// Whether the person whom the agent acts for can be asked about a hold.
pub enum Askable {
    /// They can, and are shown all of this.
    Yes(Posed, Box<Contents>),
    /// Rules let them, but values would be sent that their client must not show.
    Unseen,
    /// They may not.
    No,
}

/// An answer of the person whom an agent acts for.
pub struct Confirming<'a> {
    /// To which hold's question.
    pub hold: HoldId,
    /// What they were asked.
    pub posed: Posed,
    /// What they said.
    pub answer: OwnAnswer,
    /// What the call would change, as it is now.
    pub looked: Looked,
    /// Today's principals.
    pub identity: &'a Identity,
}

impl Gate {
    /// What to ask the person whom the agent acts for about a hold, if its rules let them confirm it.
    #[must_use]
    pub fn askable(&self, hold: &Hold, identity: &Identity) -> Askable {
        let principal = identity.principal(&hold.binding().principal);
        let principal = principal.filter(|it| hold.may_be_confirmed() && !self.is_paused(&it.id));
        let whom = principal.and_then(|it| it.on_behalf_of.clone());
        let Some(whom) = whom else { return Askable::No };
        let Ok(contents) = self.stored_contents(hold) else { return Askable::No };
        if contents.restored.is_some() {
            return Askable::Unseen;
        }
        let posed = Posed { whom, version: hold.version, shown: hold.binding().digest() };
        Askable::Yes(posed, Box::new(contents))
    }

    /// Takes the answer of the person whom the agent acts for.
    ///
    /// # Errors
    /// If they may not decide, the hold is decided already or is another than they were shown, policy
    /// denies the call by now, or the record cannot be written.
    pub async fn confirm(&self, ask: &Confirming<'_>) -> Result<Hold, DecideError> {
        let hold = self.holds.hold(ask.hold)?;
        undecided(&hold, "self_confirmed")?;
        if hold.version != ask.posed.version {
            return Err(HoldError::Moved(hold.id).into());
        }
        let call = self.stored_call(&hold, ask.identity).map_err(DecideError::Unreadable)?;
        let call = self.call_with(call, ask.looked.facts());
        if self.is_paused(&call.principal.id) {
            return Err(not_allowed(PAUSED, WAITS));
        }
        let by = may_confirm(&hold, &call)?;
        if by != ask.posed.whom {
            return Err(not_allowed(RULE, format!("{} was asked, not {by}", ask.posed.whom)));
        }
        let hold = if ask.answer == OwnAnswer::Accepted {
            if let Looked::Unread(why) = &ask.looked {
                return Err(DecideError::Unread(why.clone()));
            }
            if let Some(why) = unconfirmable(&call, &ask.looked) {
                return Err(not_allowed(RULE, why));
            }
            let shown = Some(ask.posed.shown);
            let eyes = Onlooker { looked: &ask.looked, shown, exactly: true };
            Box::pin(self.refresh(&eyes, hold, call)).await?
        } else {
            hold
        };
        let valid_until = clock::now().plus(self.settings.approval_valid);
        let (binding, answer) = (ask.posed.shown, ask.answer);
        let event = HoldEvent::SelfConfirmed { by, answer, binding, valid_until };
        Ok(self.holds.step_from(&hold, true, event).await?)
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

/// Why a call cannot be confirmed by whoever asked for it: it is too much of a risk, or they did not see
/// what would be sent.
fn unconfirmable(call: &Call, looked: &Looked) -> Option<&'static str> {
    if call.meta.restored.is_some() {
        return Some(
            "pseudonyms are turned back in it, so its own person did not see what is sent",
        );
    }
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
    unconfirmable(call, looked).map(str::to_owned)
}
