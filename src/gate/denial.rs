//! Refusals, in the words that an agent reads.

use super::duties::{TARGET_UNKNOWN, UNSAID};
use super::pseudonyms::{MISPLACED, UNKNOWN};
use crate::domain::{Call, CallId, Decision, told};

/// A refusal, for the agent.
#[derive(Debug, Clone)]
pub struct Denial {
    /// The call's identifier, by which the record is found.
    call: CallId,
    /// The tool or method.
    what: String,
    /// Why.
    pub decision: Decision,
}

impl Denial {
    /// The refusal of a call, by a decision that is recorded.
    #[must_use]
    pub fn new(call: &Call, decision: Decision) -> Self {
        let what = match call.subject.tool() {
            Some(name) => format!("the tool `{name}`"),
            None => format!("`{}`", call.method),
        };
        Self { call: call.id, what, decision }
    }

    /// The text an agent reads: what was refused, why, and what it could do instead. Names and
    /// places of rules stay in the record, which it names.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{} Record: {}", refusal(&self.what, &self.decision), self.call)
    }
}

/// What an agent reads of a refusal of `what`, a tool or a method.
#[must_use]
pub fn refusal(what: &str, decision: &Decision) -> String {
    let mut text = format!("Portcullis refused this call of {what}: {}", told(&decision.reasons));
    let correctable =
        decision.reasons.iter().any(|reason| CORRECTABLE.contains(&reason.rule.as_str()));
    if !correctable {
        text.push_str(" Repeating the call will not help.");
    }
    text
}

/// Refusals that the agent can mend by itself (see `intercom::Refusal`).
const CORRECTABLE: [&str; 5] =
    ["tool.invalid_arguments", UNSAID, TARGET_UNKNOWN, UNKNOWN, MISPLACED];
