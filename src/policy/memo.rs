//! Answers that are kept: the same question with the same input has the same answer.
//!
//! True because an evaluation can ask nothing but its input and the bundle ([`super::builtins`]
//! allows no clock, network or randomness), because what it asks of the input is known beforehand
//! ([`super::wants`]), and because a ruleset never changes. Kept are only answers of questions that
//! depend on nothing an agent writes freely and on no time or size, so there are few of them: one for
//! each kind of principal, tool and answer. Whatever did not end in an answer is not kept.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use regorus::Value;

use super::wants::{Want, Wants};
use crate::domain::Question;

/// Answers of one question; when it is full, it begins anew.
const MOST: usize = 1024;

/// Parts of the input that differ from call to call.
const PASSING: [&[&str]; 13] = [
    &["now"],
    &["trail"],
    &["arguments"],
    &["params"],
    &["continuation"],
    &["client"],
    &["subject", "uri"],
    &["subject", "id"],
    &["answer", "bytes"],
    &["answer", "records"],
    &["answer", "counts"],
    &["answer", "content"],
    &["answer", "structured"],
];

/// The answers of one ruleset.
pub(super) struct Memo(BTreeMap<&'static str, Mutex<BTreeMap<Value, Value>>>);

impl Memo {
    /// Keeps answers of the questions whose wants allow it.
    pub(super) fn new(wants: &Wants) -> Self {
        // A release is asked for once.
        let asked_often = [Question::Visible, Question::Admit, Question::Disclose];
        let lasts = |question: &Question| is_lasting(wants.of_question(*question));
        let kept = asked_often.into_iter().filter(lasts);
        Self(kept.map(|question| (question.as_str(), Mutex::default())).collect())
    }

    /// The answer that this input had.
    pub(super) fn get(&self, question: Question, input: &Value) -> Option<Value> {
        let kept = self.0.get(question.as_str())?;
        if is_rare(input) {
            return None;
        }
        kept.lock().unwrap_or_else(PoisonError::into_inner).get(input).cloned()
    }

    /// Keeps an answer.
    pub(super) fn put(&self, question: Question, input: Value, answer: &Value) {
        let Some(kept) = self.0.get(question.as_str()).filter(|_| !is_rare(&input)) else {
            return;
        };
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(input, answer.clone());
    }

    /// Whether answers of this question are kept.
    pub(super) fn keeps(&self, question: Question) -> bool {
        self.0.contains_key(question.as_str())
    }
}

/// Whether plugins saw something: hardly two calls or answers have the same of it.
fn is_rare(input: &Value) -> bool {
    matches!(&input["findings"], Value::Array(findings) if !findings.is_empty())
}

/// Whether nothing is wanted that differs from call to call.
fn is_lasting(want: &Want) -> bool {
    let wanted = |path: &&[&str]| path.iter().try_fold(want, |want, part| want.of(part)).is_some();
    !PASSING.iter().any(wanted)
}
