//! A call is judged, its duties are fulfilled, and what came out is judged again.
//!
//! What is sent must be what was judged, so an edited call goes through policy once more, under the
//! same ruleset, and must then need no further edit: rules that want another change each time they
//! look deny. The same function serves first judgement and release, so a held call whose duties
//! changed since is seen there.

use std::sync::Arc;

use super::{Gate, Ruleset};
use crate::domain::{
    Call, Decision, Duty, Finding, Obligation, Question, Reason, Verdict, decide, told,
};
use crate::intercom::{Lookup, REASON, fulfil, lookup};
use crate::tape::Rounds;
use crate::trail::Weighed;

/// The rule named where a duty cannot be fulfilled.
pub const OBLIGATION: &str = "portcullis.obligation";
/// The rule named where it is not known what a call would change.
pub const TARGET_UNKNOWN: &str = "portcullis.target_unknown";
/// The rule named where the agent did not say why it calls.
pub const UNSAID: &str = "portcullis.reason_missing";

impl Gate {
    /// The decision on a call, and the call as its duties want it. Not recorded; what policy was asked
    /// for it is added to `rounds`.
    pub(super) async fn judge_and_fulfil(
        &self,
        mut call: Call,
        own: Vec<Finding>,
        weighed: &Weighed<'_>,
        rounds: &mut Rounds,
    ) -> (Call, Decision) {
        let ruleset = self.ruleset.load_full();
        let mut findings = own.clone();
        findings.extend(self.note_pseudonyms(&mut call));
        let first = self.judge(&ruleset, &call, findings, weighed, rounds).await;
        let (first, edited) = self.fulfilled(&ruleset, &call, first);
        let Some(payload) = edited else { return self.turn_back(&ruleset, call, first) };
        let target = target(&call);
        call.payload = payload;
        if self::target(&call) != target {
            let text = "a rule changes which object the call is about";
            return (call, unmade(&ruleset, OBLIGATION, text.to_owned(), &first.obligations));
        }
        call.meta.notes = first.obligations.iter().filter(|it| it.changed).map(note).collect();
        let mut findings = own;
        findings.extend(self.note_pseudonyms(&mut call));
        let second = self.judge(&ruleset, &call, findings, weighed, rounds).await;
        let (mut second, again) = self.fulfilled(&ruleset, &call, second);
        if again.is_some() {
            let text = "the rules demand other arguments each time they look at the call";
            return (call, unmade(&ruleset, OBLIGATION, text.to_owned(), &second.obligations));
        }
        if second.verdict != Verdict::Deny {
            second.obligations.retain(|one| !same_rule(&first.obligations, one));
            let mut obligations = first.obligations;
            obligations.append(&mut second.obligations);
            second.obligations = obligations;
        }
        self.turn_back(&ruleset, call, second)
    }

    /// The decision with its duties marked as they changed the arguments, and the arguments if they
    /// did; a denial if a duty cannot be fulfilled.
    fn fulfilled(
        &self,
        ruleset: &Arc<Ruleset>,
        call: &Call,
        mut decision: Decision,
    ) -> (Decision, Option<crate::domain::JsonText>) {
        if let Some(text) = decision
            .obligations
            .iter()
            .find_map(|one| unsaid(call.meta.reason.as_deref(), &one.duty))
        {
            return (unmade(ruleset, UNSAID, text, &decision.obligations), None);
        }
        let duties: Vec<&mut Obligation> =
            decision.obligations.iter_mut().filter(|one| one.duty.is_of_call()).collect();
        if duties.is_empty() {
            return (decision, None);
        }
        let Some(tool) = call.subject.tool() else {
            let text = "a rule limits the arguments of a call that has none".to_owned();
            return (unmade(ruleset, OBLIGATION, text, &decision.obligations), None);
        };
        let fulfilled = fulfil(tool, &call.payload, duties.iter().map(|one| &one.duty));
        let fulfilled = match fulfilled {
            Ok(fulfilled) => fulfilled,
            Err(unfit) => {
                return (
                    unmade(ruleset, OBLIGATION, unfit.to_string(), &decision.obligations),
                    None,
                );
            }
        };
        for (one, changed) in duties.into_iter().zip(&fulfilled.changed) {
            one.changed = *changed;
        }
        if !fulfilled.changed.contains(&true) {
            return (decision, None);
        }
        // The edited arguments must still be ones that the tool takes, in canonical form.
        match self.pins.resolve(tool, Some(&fulfilled.arguments)) {
            Ok(resolved) => (decision, Some(resolved.arguments)),
            Err(refusal) => {
                let text = format!("what a rule demands does not fit: {refusal}");
                (unmade(ruleset, OBLIGATION, text, &decision.obligations), None)
            }
        }
    }
}

/// What a call would change, if that is something that can be read before.
fn target(call: &Call) -> Option<Lookup> {
    lookup(call.subject.tool()?, &call.payload)
}

/// A finding where rules look at what a call would change and it was not read: whoever brings a call
/// here reads it by the rules of that moment, and others may be in force by now.
pub(super) fn unread_target(ruleset: &Ruleset, call: &Call, own: &[Finding]) -> Option<Finding> {
    let is_unread = ruleset.looks_at_targets() && call.meta.target.is_none() && own.is_empty();
    (is_unread && target(call).is_some()).then(|| {
        let text = "the rules look at what this call would change, and they came into force after \
                    it was looked for; make the call again";
        Finding::denied(TARGET_UNKNOWN, text)
    })
}

/// What an agent that did not say why is told.
#[must_use]
pub fn unsaid(reason: Option<&str>, duty: &Duty) -> Option<String> {
    let Duty::Reason { least } = duty else { return None };
    let said = reason.map_or(0, |reason| reason.trim().chars().count());
    (u64::try_from(said).is_ok_and(|said| said < *least)).then(|| {
        format!(
            "this call needs a reason: call again with the argument `{REASON}`, a sentence of at \
             least {least} characters that says why"
        )
    })
}

/// What the agent reads of a duty that changed its call.
fn note(one: &Obligation) -> String {
    told(std::slice::from_ref(&one.reason)).trim_end_matches('.').to_owned()
}

fn same_rule(among: &[Obligation], one: &Obligation) -> bool {
    among.iter().any(|other| other.reason.rule == one.reason.rule && other.duty == one.duty)
}

/// A denial because duties cannot be fulfilled, which names their rules.
pub(super) fn denied<'a>(
    question: Question,
    ruleset: &Ruleset,
    (rule, text): (&str, String),
    duties: impl Iterator<Item = &'a Obligation>,
) -> Decision {
    let mut reasons = vec![Reason::new(rule, text)];
    for one in duties {
        if !reasons.contains(&one.reason) {
            reasons.push(one.reason.clone());
        }
    }
    decide(question, ruleset.revision(), vec![Finding::denied_because(reasons)])
}

/// A call that is not made because of what rules demand of it.
pub(super) fn unmade(
    ruleset: &Ruleset,
    rule: &str,
    text: String,
    duties: &[Obligation],
) -> Decision {
    let of_call = duties.iter().filter(|one| one.duty.is_of_call());
    denied(Question::Admit, ruleset, (rule, text), of_call)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::{
        CallId, CallMeta, ClientHint, Effect, JsonText, Principal, PrincipalKind, Revision,
        Subject, Timestamp,
    };
    use crate::policy::Source;

    fn call(tool: &str, target: Option<&str>) -> Call {
        let text = |text: &str| JsonText::from_valid(text.to_owned().into());
        let principal = Principal {
            id: "bot".parse().unwrap(),
            kind: PrincipalKind::Agent,
            roles: Vec::new(),
            groups: Vec::new(),
            attributes: BTreeMap::new(),
            on_behalf_of: None,
        };
        let subject =
            Subject::Tool { name: tool.to_owned(), effect: Effect::Write, definition: None };
        Call {
            id: CallId(uuid::Uuid::nil()),
            at: Timestamp::default(),
            principal: principal.into(),
            revision: Revision::V2026_07_28,
            client: ClientHint::default(),
            method: "tools/call".to_owned(),
            subject,
            payload: text(r#"{"id":"1"}"#),
            continuation: None,
            meta: CallMeta { target: target.map(text), ..CallMeta::default() },
        }
    }

    /// Rules that look at targets came into force between the look and the judgement.
    #[test]
    fn a_target_that_nobody_read_denies_where_rules_look_at_it() {
        let bundle = |name: &str| {
            let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
            Ruleset::load(&Source::Folder(folder.join(name))).unwrap()
        };
        let (looking, blind) = (bundle("knowledge-author"), bundle("default"));
        let rows = [
            (&looking, call("update_article", None), true),
            (&looking, call("update_article", Some("{}")), false),
            (&looking, call("create_article", None), false),
            (&blind, call("update_article", None), false),
        ];
        for (ruleset, call, denied) in rows {
            let found = unread_target(ruleset, &call, &[]);
            let rule = found.map(|finding| finding.reasons[0].rule.clone());
            assert_eq!(rule.as_deref(), denied.then_some(TARGET_UNKNOWN), "{call:?}");
        }
        // It was looked for in vain, which is said already.
        let own = [Finding::denied(TARGET_UNKNOWN, "it could not be read")];
        assert!(unread_target(&looking, &call("update_article", None), &own).is_none());
    }
}
