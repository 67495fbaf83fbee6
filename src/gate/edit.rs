//! A person changes a held call before releasing it.
//!
//! The edited call is judged like any other: policy, plugins and the tool's schema have their say, and
//! a denial stops the edit and leaves the hold as it was. It replaces the stored call; the agent's own
//! stays in the record. What the agent is told of the outcome names the fields that a person changed.
//! An edit cannot make another call of it: the tool and the object stay.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::people::{DecideError, Deciding, Onlooker, denial_text};
use super::{Gate, stored, weigh};
use crate::clock;
use crate::domain::{
    Action, Binding, Call, Decision, Edited, Event, Hold, HoldEvent, JsonText, Subject, Verdict,
};
use crate::holds::HoldError;
use crate::intercom::lookup;
use crate::tape::Rounds;

impl Gate {
    /// A person releases the call with other arguments than the agent gave.
    ///
    /// # Errors
    /// As [`Gate::approve`]; and if the arguments do not fit the tool, name another object, or policy
    /// denies them.
    pub async fn approve_edited(
        &self,
        ask: &Deciding<'_>,
        arguments: &JsonText,
    ) -> Result<Hold, DecideError> {
        let hold = self.seen(ask)?;
        super::people::undecided(&hold, "edited")?;
        let call = self.shown_call(&hold, ask)?;
        let _may = self.may(ask, Action::Edit, &hold, &call).await?;
        let hold = self.refresh(&Onlooker::of(ask), hold, call.clone()).await?;
        let edited = self.edited(&call, arguments)?;
        let fields = fields(&call.payload, &edited.payload);
        let mut rounds = self.tape.rounds();
        let (edited, decision) = self.judged_edit(edited, &mut rounds).await?;
        let event = self.edit_event(ask, &hold, (&edited, &decision), fields)?;
        // Whoever releases the edited call must be somebody who may release that.
        let illegal = |source| HoldError::Illegal { id: hold.id, state: hold.state, source };
        let next = hold.apply(clock::now(), &event).map_err(illegal)?;
        let _may = self.may(ask, Action::Edit, &next, &edited).await?;
        let record = Event::Decision { call: self.facts_of(&edited), decision, trail: None };
        let _recorded = self.log().append(record).await.map_err(HoldError::from)?;
        self.tape.call_again(rounds);
        let hold = self.holds.step_from(&hold, ask.if_version.is_some(), event).await?;
        self.release_by(&ask.on_what_is_there(), &hold).await
    }

    /// The call with these arguments, which the tool must take.
    fn edited(&self, call: &Call, arguments: &JsonText) -> Result<Call, DecideError> {
        let invalid = |text: String| DecideError::Invalid(text);
        let tool = call.subject.tool().unwrap_or_default();
        let resolved = self.pins.resolve(tool, Some(arguments));
        let resolved = resolved.map_err(|refusal| invalid(refusal.to_string()))?;
        if resolved.definition != definition(call) {
            return Err(invalid(
                "the tool's definition changed; look at the hold again".to_owned(),
            ));
        }
        let payload = resolved.arguments;
        if payload == call.payload {
            return Err(invalid("nothing is changed; approve it as it is".to_owned()));
        }
        if lookup(tool, &payload) != lookup(tool, &call.payload) {
            let text = "an edit cannot change which object the call is about; reject it instead";
            return Err(invalid(text.to_owned()));
        }
        let mut edited = Call { payload, ..call.clone() };
        edited.meta.restored = None;
        Ok(edited)
    }

    /// Judges the edited call; rules that want it changed further are told to the person, who has
    /// then not seen what would be sent.
    async fn judged_edit(
        &self,
        edited: Call,
        rounds: &mut Rounds,
    ) -> Result<(Call, Decision), DecideError> {
        let weighed = self.books.trail.weigh(&edited.principal, weigh::release(&edited));
        let payload = edited.payload.clone();
        let (call, decision) = self.judge_and_fulfil(edited, Vec::new(), &weighed, rounds).await;
        drop(weighed);
        if decision.verdict == Verdict::Deny {
            let rule = decision.reasons.first().map(|reason| reason.rule.clone());
            let text = format!("policy denies the edited call: {}", denial_text(&decision));
            return Err(DecideError::NotAllowed { rule: rule.unwrap_or_default(), text });
        }
        if call.payload != payload {
            let text = format!("the policy wants it otherwise: {}", call.meta.notes.join("; "));
            return Err(DecideError::Invalid(text));
        }
        Ok((call, decision))
    }

    fn edit_event(
        &self,
        ask: &Deciding<'_>,
        hold: &Hold,
        (edited, decision): (&Call, &Decision),
        fields: Vec<String>,
    ) -> Result<HoldEvent, DecideError> {
        let mut kept = edited.clone();
        let names: Vec<String> = fields.iter().map(|field| format!("`{field}`")).collect();
        let note =
            format!("{} changed {} before releasing this call", ask.person.id, names.join(", "));
        kept.meta.notes.push(note);
        let facts = self.facts_of(edited);
        let sealed = stored::seal_call(&self.sealer, hold.id, &facts, &kept);
        let sealed = sealed.map_err(|error| DecideError::Unreadable(error.to_string()))?;
        let binding = Binding {
            arguments: facts.arguments,
            ruleset: decision.ruleset,
            plugins: Some(self.plugins().revision()),
            ..hold.binding().clone()
        };
        let held = decision.release.clone();
        let risk = super::looked::publicity(edited, ask.looked.target()).risk();
        Ok(HoldEvent::Edited(Box::new(Edited {
            approver: ask.person.id.clone(),
            shown: ask.shown.unwrap_or_else(|| hold.binding().digest()),
            fields,
            sealed,
            binding,
            release: held.unwrap_or_else(|| hold.opened.release.clone()),
            reasons: decision.reasons.clone(),
            risk,
        })))
    }
}

const fn definition(call: &Call) -> Option<crate::domain::Digest> {
    match &call.subject {
        Subject::Tool { definition, .. } => *definition,
        _ => None,
    }
}

/// The names of the arguments that are another.
fn fields(was: &JsonText, is: &JsonText) -> Vec<String> {
    let read = |text: &JsonText| -> Map<String, Value> {
        serde_json::from_str(text.as_str()).unwrap_or_default()
    };
    let (was, is) = (read(was), read(is));
    let names: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    names.into_iter().filter(|name| was.get(*name) != is.get(*name)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_are_another_are_named() {
        let text = |text: &str| JsonText::from_valid(text.to_owned().into_bytes().into());
        let was = text(r#"{"id":"1","title":"a","body":"b"}"#);
        for (is, names) in [
            (r#"{"id":"1","title":"a","body":"b"}"#, &[][..]),
            (r#"{"body":"b","id":"1","title":"A"}"#, &["title"]),
            (r#"{"id":"1","body":"c","state":"draft"}"#, &["body", "state", "title"]),
        ] {
            assert_eq!(fields(&was, &text(is)), names, "{is}");
        }
    }
}
