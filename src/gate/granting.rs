//! Grants on the road: a call takes a place in one before it is judged, rules see it and honour it or
//! not, and a call that goes because of it is noted before it is sent.
//!
//! A grant is made from a hold by somebody who may release it: for the same principal and tool, on the
//! same object, with the values that the held call has in the fields that person names.

use std::collections::BTreeMap;
use std::time::Duration;

use super::looked::{has_target, publicity};
use super::own_call::is_own;
use super::people::{DecideError, Deciding};
use super::{Gate, GateError};
use crate::clock;
use crate::domain::{
    Action, Call, Decision, Effect, Finding, GRANT_CALLS, GRANT_SPAN, Given, Grant, GrantId, Hold,
    JsonText, Question, Risk, Verdict, decide, is_plain_value,
};
use crate::holds::{HoldError, Place};
use crate::intercom::Publicity;
use crate::mcp::json::Object;

/// What a person wants to let through.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Granting {
    /// How many calls.
    pub calls: u32,
    /// For how many minutes.
    pub minutes: u64,
    /// The fields that must have the values of the held call.
    pub fields: Vec<String>,
}

/// A field of a held call that may be a condition of a grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Its name.
    pub name: String,
    /// Its value, as JSON.
    pub value: String,
    /// Whether it is one in any case.
    pub fixed: bool,
}

/// Arguments that say which object a call is about: no grant is for others.
const OBJECTS: [&str; 2] = ["id", "conversation_id"];

impl Gate {
    /// Whether a grant may fit a call, as far as that is known without its target.
    #[must_use]
    pub fn could_be_granted(&self, call: &Call) -> bool {
        let tool = call.subject.tool().filter(|_| call.subject.effect() == Effect::Write);
        tool.is_some_and(|tool| {
            let arguments = arguments(&call.payload);
            self.grants.fits(&call.principal.id, tool, &arguments, clock::now())
        })
    }

    /// A place for a call in a grant, if there is one that fits. Never for what changes the public, nor
    /// for what may: an article that was a draft when the grant was given can be public by now.
    pub(super) fn grant_place(&self, call: &Call) -> Option<Place> {
        let tool = call.subject.tool().filter(|_| call.subject.effect() == Effect::Write)?;
        if !stays_private(call) {
            return None;
        }
        let arguments = arguments(&call.payload);
        // A grant is as good as who gave it is today, and nobody lets through what is asked for them.
        let counts = |given: &Given| {
            self.may_release(&given.by, &given.groups)
                && !is_own(given.by.as_str(), &call.principal)
        };
        self.grants.place(&call.principal.id, tool, &arguments, clock::now(), counts)
    }

    /// The decision on a call that had a place in a grant: noted if it goes, before anything acts.
    pub(super) async fn under_grant(
        &self,
        place: Option<Place>,
        call: &Call,
        decision: Decision,
    ) -> Result<Decision, GateError> {
        let Some(place) = place.filter(|_| decision.verdict == Verdict::Allow) else {
            return Ok(decision);
        };
        let denied = |text: &str| {
            let finding = Finding::denied("portcullis.grant", text);
            decide(Question::Admit, decision.ruleset, vec![finding])
        };
        if !stays_private(call) {
            return Ok(denied("a grant never changes what is public"));
        }
        if place.keep(call.id).await? {
            return Ok(decision);
        }
        Ok(denied("the grant was taken back; make the call again, it waits for a person then"))
    }

    /// The fields of a held call that may be conditions of a grant; `None` if nobody may give one on it.
    #[must_use]
    pub fn grant_terms(&self, hold: &Hold) -> Option<Vec<Term>> {
        let release = &hold.opened.release;
        if !release.permits(Action::Grant) || release.people > 1 || hold.opened.risk == Risk::High {
            return None;
        }
        let all = self.stored_arguments(hold)?;
        let plain = all.into_iter().filter(|(_, value)| is_plain_value(value));
        let term = |(name, value): (String, String)| Term {
            fixed: OBJECTS.contains(&name.as_str()),
            name,
            value,
        };
        Some(plain.map(term).collect())
    }

    /// The arguments of a held call by name, each as canonical JSON text.
    #[must_use]
    pub fn stored_arguments(&self, hold: &Hold) -> Option<BTreeMap<String, String>> {
        let held = self.stored_contents(hold).ok()?.arguments;
        Some(arguments(&JsonText::from_valid(held.into_bytes().into())))
    }

    /// A person releases a hold and lets calls like it through for a while, where its conditions let
    /// people do so.
    ///
    /// # Errors
    /// As [`Gate::approve`]; and if what the person names is no grant.
    pub async fn grant(
        &self,
        ask: &Deciding<'_>,
        granting: &Granting,
    ) -> Result<(Hold, Grant), DecideError> {
        let invalid = |text: String| Err(DecideError::Invalid(text));
        let hold = self.seen(ask)?;
        super::people::undecided(&hold, "granted")?;
        let call = self.shown_call(&hold, ask)?;
        let _may = self.may(ask, Action::Grant, &hold, &call).await?;
        let span = Duration::from_secs(granting.minutes.saturating_mul(60));
        if !(1..=GRANT_CALLS).contains(&granting.calls) || span.is_zero() || span > GRANT_SPAN {
            return invalid(format!("a grant is for 1 to {GRANT_CALLS} calls and 1 to 60 minutes"));
        }
        if hold.opened.release.people > 1 {
            return invalid("what takes several people cannot be granted by one".to_owned());
        }
        let public = publicity(&call, ask.looked.target());
        let is_known = ask.looked.target().is_some() || !has_target(&call);
        if !is_known || public.is_changed() || public == Publicity::Overwrites {
            return invalid("what changes the public is never granted".to_owned());
        }
        let all = arguments(&call.payload);
        let objects = OBJECTS.iter().map(|name| (*name).to_owned());
        let objects = objects.filter(|name| all.contains_key(name));
        let mut only = BTreeMap::new();
        for name in granting.fields.iter().cloned().chain(objects) {
            let value = all.get(&name).filter(|value| is_plain_value(value));
            let Some(value) = value else {
                return invalid(format!(
                    "`{name}` cannot be a condition: the held call must have it, short and plain"
                ));
            };
            only.insert(name, value.clone());
        }
        let (tool, principal) = (hold.binding().tool.clone(), hold.binding().principal.clone());
        let now = clock::now();
        let groups = hold.opened.release.groups_at(hold.opened_at, now).to_vec();
        // What can fail does so before anything is released.
        let bits = crate::store::random::<16>();
        let bits = bits.map_err(|error| DecideError::Unreadable(error.to_string()))?;
        let hold = Box::pin(self.approve(ask)).await?;
        let given = Given {
            principal,
            tool,
            only,
            calls: granting.calls,
            until: now.plus(span),
            by: ask.person.id.clone(),
            groups,
            hold: hold.id,
        };
        let id = GrantId::from_random(u128::from_be_bytes(bits));
        let grant = self.grants.give(id, given, now).await.map_err(HoldError::from)?;
        Ok((hold, grant))
    }
}

/// Whether a call leaves what is public as it is. Of what is there already, its state must be known.
fn stays_private(call: &Call) -> bool {
    let tool = call.subject.tool().unwrap_or_default();
    match Publicity::of(tool, &call.payload, call.meta.target_state.as_deref()) {
        Publicity::Private => true,
        Publicity::Unknown => !has_target(call),
        Publicity::Overwrites | Publicity::Publishes | Publicity::Unpublishes => false,
    }
}

/// The arguments by name, each as canonical JSON text.
fn arguments(payload: &JsonText) -> BTreeMap<String, String> {
    let object = Object::parse(payload).unwrap_or_default();
    object.iter().map(|(name, value)| (name.to_owned(), value.as_str().to_owned())).collect()
}
