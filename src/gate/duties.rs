//! A call is judged, its duties are fulfilled, and what came out is judged again.
//!
//! What is sent must be what was judged, so an edited call goes through policy once more, under the
//! same ruleset, and must then need no further edit: rules that want another change each time they
//! look deny. The same function serves first judgement and release, so a held call whose duties
//! changed since is seen there.

use std::sync::Arc;

use super::{Gate, Ruleset};
use crate::domain::{
    Call, Decision, Duty, Finding, Judge, Obligation, Question, Reason, Verdict, decide, told,
};
use crate::intercom::{REASON, fulfil};
use crate::trail::Weighed;

/// The rule named where a duty cannot be fulfilled.
const OBLIGATION: &str = "portcullis.obligation";
/// The rule named where the agent did not say why it calls.
pub(super) const UNSAID: &str = "portcullis.reason_missing";

impl Gate {
    /// The decision on a call, and the call as its duties want it. Not recorded.
    pub(super) async fn judge_and_fulfil(
        &self,
        mut call: Call,
        own: Vec<Finding>,
        weighed: &Weighed<'_>,
    ) -> (Call, Decision) {
        let ruleset = self.ruleset.load_full();
        let first = self.judge(&ruleset, &call, own.clone(), weighed).await;
        let (first, edited) = self.fulfilled(&ruleset, &call, first);
        let Some(payload) = edited else { return (call, first) };
        call.payload = payload;
        call.meta.notes = first.obligations.iter().filter(|it| it.changed).map(note).collect();
        let second = self.judge(&ruleset, &call, own, weighed).await;
        let (mut second, again) = self.fulfilled(&ruleset, &call, second);
        if again.is_some() {
            let text = "the rules demand other arguments each time they look at the call";
            return (call, denied(&ruleset, OBLIGATION, text.to_owned(), &second.obligations));
        }
        if second.verdict != Verdict::Deny {
            second.obligations.retain(|one| !same_rule(&first.obligations, one));
            let mut obligations = first.obligations;
            obligations.append(&mut second.obligations);
            second.obligations = obligations;
        }
        (call, second)
    }

    /// The decision with its duties marked as they changed the arguments, and the arguments if they
    /// did; a denial if a duty cannot be fulfilled.
    fn fulfilled(
        &self,
        ruleset: &Arc<Ruleset>,
        call: &Call,
        mut decision: Decision,
    ) -> (Decision, Option<crate::domain::JsonText>) {
        if let Some(text) = decision.obligations.iter().find_map(|one| unsaid(call, &one.duty)) {
            return (denied(ruleset, UNSAID, text, &decision.obligations), None);
        }
        let duties: Vec<&mut Obligation> =
            decision.obligations.iter_mut().filter(|one| one.duty.is_of_call()).collect();
        if duties.is_empty() {
            return (decision, None);
        }
        let Some(tool) = call.subject.tool() else {
            let text = "a rule limits the arguments of a call that has none".to_owned();
            return (denied(ruleset, OBLIGATION, text, &decision.obligations), None);
        };
        let fulfilled = fulfil(tool, &call.payload, duties.iter().map(|one| &one.duty));
        let fulfilled = match fulfilled {
            Ok(fulfilled) => fulfilled,
            Err(unfit) => {
                return (
                    denied(ruleset, OBLIGATION, unfit.to_string(), &decision.obligations),
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
                (denied(ruleset, OBLIGATION, text, &decision.obligations), None)
            }
        }
    }
}

/// What an agent that did not say why is told.
fn unsaid(call: &Call, duty: &Duty) -> Option<String> {
    let Duty::Reason { least } = duty else { return None };
    let said = call.meta.reason.as_deref().map_or(0, |reason| reason.trim().chars().count());
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

/// A denial because of duties, which names their rules.
fn denied(ruleset: &Arc<Ruleset>, rule: &str, text: String, duties: &[Obligation]) -> Decision {
    let mut reasons = vec![Reason::new(rule, text)];
    let of_call = duties.iter().filter(|one| one.duty.is_of_call());
    reasons.extend(of_call.map(|one| one.reason.clone()));
    let finding = Finding {
        judge: Judge::Portcullis,
        verdict: Verdict::Deny,
        reasons,
        obligations: Vec::new(),
        release: None,
        fault: None,
    };
    decide(Question::Admit, ruleset.revision(), vec![finding])
}
