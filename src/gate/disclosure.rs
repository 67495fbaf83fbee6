//! What may be shown of an answer: the decision, and the answer without what must not be seen.
//!
//! What a rule wants withheld is taken out here, before anybody else has the answer in hand. An
//! obligation that cannot be carried out denies.

use super::duties::{self, OBLIGATION};
use super::redaction::{Looked, Unredacted};
use super::{Gate, Ruleset};
use crate::domain::{Call, Decision, Digest, Duty, JsonText, Obligation, Question, Verdict, told};
use crate::intercom::records::{Content, Edited, Gone, Order, Withheld, withhold};
use crate::policy::AnswerFacts;

/// The answer to `disclose`, carried out.
#[derive(Debug)]
#[must_use]
pub struct Disclosure {
    /// The decision.
    pub decision: Decision,
    /// The content as it may be shown, if the verdict is `allow`.
    pub edited: Edited,
    /// The records that it no longer shows.
    pub(super) gone: Gone,
    /// What it holds, if it was redacted.
    pub(super) redacted: Option<Content>,
}

impl Disclosure {
    fn of(decision: Decision, withheld: Withheld) -> Self {
        Self { decision, edited: withheld.edited, gone: withheld.gone, redacted: None }
    }

    /// Whether anything may be shown.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.decision.verdict == Verdict::Allow
    }

    /// The decision, if the record must have it: a plain allow, for which nothing had to be done,
    /// need not be told.
    #[must_use]
    pub fn to_record(&self) -> Option<Decision> {
        let idle = |one: &Obligation| matches!(one.duty, Duty::Redact(_)) && !one.changed;
        let plain = self.is_allowed() && self.decision.obligations.iter().all(idle);
        (!plain).then(|| self.decision.clone())
    }
}

impl Gate {
    /// Carries a decision out on the content of an answer: first what judges saw in it is redacted,
    /// then records are taken out of what that left.
    pub(super) fn carried_out(
        &self,
        ruleset: &Ruleset,
        (call, answer): (&Call, &AnswerFacts),
        looked: &Looked,
        mut decision: Decision,
    ) -> Disclosure {
        let whole = || Withheld { edited: Edited::Same, gone: Gone::default() };
        if decision.verdict != Verdict::Allow {
            return Disclosure::of(decision, whole());
        }
        let draft = match self.redacted(call, &answer.content, looked, &mut decision) {
            Ok(draft) => draft,
            Err(why) => return Disclosure::of(unredacted(ruleset, &decision, why), whole()),
        };
        let redacted = draft.as_ref().and_then(|draft| draft.text.clone());
        let redacted = redacted.map(|text| answer.content.with(text));
        let content = redacted.as_ref().unwrap_or(&answer.content);
        let words: Vec<String> = decision.obligations.iter().map(words).collect();
        let orders: Vec<Order<'_>> = decision
            .obligations
            .iter()
            .zip(&words)
            .filter_map(|(one, text)| order(one, text))
            .collect();
        let withheld = if orders.is_empty() {
            // Most answers: to look for records costs more than all else here.
            Some(whole())
        } else if let Some(records) = content.records() {
            withhold(records, &orders).ok()
        } else {
            // There are no rows in nothing, but a record to withhold must be there.
            orders.iter().all(|it| matches!(it, Order::Rows { .. })).then(whole)
        };
        let Some(mut withheld) = withheld else {
            return Disclosure::of(denied(ruleset, &decision), whole());
        };
        if withheld.edited != Edited::Same {
            let withholding = decision.obligations.iter_mut();
            withholding.for_each(|one| one.changed |= order(one, "").is_some());
        } else if let Some((text, draft)) =
            redacted.as_ref().and_then(Content::text).zip(draft.as_ref())
        {
            withheld.edited = Edited::Rest(text.clone());
            decision.shown = Some(*draft.shown.get_or_init(|| self.shown(text)));
        }
        if decision.shown.is_none()
            && let Edited::Rest(text) = &withheld.edited
        {
            decision.shown = Some(self.shown(text));
        }
        Disclosure { redacted, ..Disclosure::of(decision, withheld) }
    }

    /// What the record says of a text that was shown.
    fn shown(&self, text: &JsonText) -> Digest {
        self.sealer.mac("portcullis/shown/v1", &[text.bytes()])
    }
}

/// A denial because an answer cannot be redacted as rules demand, or must not be.
fn unredacted(ruleset: &Ruleset, decision: &Decision, why: Unredacted) -> Decision {
    let redacting = decision.obligations.iter().filter(|one| matches!(one.duty, Duty::Redact(_)));
    duties::denied(Question::Disclose, ruleset, (why.rule(), why.to_string()), redacting)
}

/// What the agent is told of why.
fn words(obligation: &Obligation) -> String {
    let words = told(std::slice::from_ref(&obligation.reason));
    words.trim_end_matches('.').to_owned()
}

/// What an obligation wants withheld; `None` if it is of another sort.
fn order<'a>(obligation: &'a Obligation, text: &'a str) -> Option<Order<'a>> {
    match &obligation.duty {
        Duty::Drop { record } => Some(Order::Drop { reference: record, text }),
        Duty::Rows { most } => {
            Some(Order::Rows { most: usize::try_from(*most).unwrap_or(usize::MAX), text })
        }
        Duty::Set { .. }
        | Duty::Cap { .. }
        | Duty::Filter(_)
        | Duty::Redact(_)
        | Duty::Label { .. }
        | Duty::Reason { .. }
        | Duty::Restore { .. }
        | Duty::Reveal { .. } => None,
    }
}

fn denied(ruleset: &Ruleset, decision: &Decision) -> Decision {
    let text = "a rule withholds a record that this answer does not have".to_owned();
    let withholding = decision.obligations.iter().filter(|one| order(one, "").is_some());
    duties::denied(Question::Disclose, ruleset, (OBLIGATION, text), withholding)
}
