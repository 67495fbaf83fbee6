//! Answers that are kept: the same question with the same input has the same answer.
//!
//! True because an evaluation can ask nothing but its input and the bundle ([`super::builtins`]
//! allows no clock, network or randomness), because what it asks of the input is known beforehand
//! ([`super::wants`]), and because a ruleset never changes. Kept are only answers of questions that
//! depend on nothing an agent writes freely and on no time or size, so there are few of them: one for
//! each kind of principal, tool and answer. Whatever did not end in an answer is not kept.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use regorus::Value;

use super::wants::{Want, Wants};
use crate::domain::{Finding, Question};

/// Answers of one question; when it is full, it begins anew.
const MOST: usize = 1024;

/// Parts of the input that differ from call to call.
const PASSING: [&[&str]; 13] = [
    &["now"],
    &["trail", "recent"],
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

/// What is kept of an answer: read already where it can be, for that costs more than to find it.
#[derive(Clone)]
pub(super) enum Kept {
    /// What it says of a call or an answer.
    Finding(Arc<Finding>),
    /// As the engine gave it.
    Answer(Value),
}

/// The answers of one ruleset.
pub(super) struct Memo(BTreeMap<&'static str, Mutex<BTreeMap<Value, Kept>>>);

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
    pub(super) fn get(&self, question: Question, input: &Value) -> Option<Kept> {
        let kept = self.0.get(question.as_str())?;
        if is_rare(input) {
            return None;
        }
        kept.lock().unwrap_or_else(PoisonError::into_inner).get(input).cloned()
    }

    /// Keeps an answer.
    pub(super) fn put(&self, question: Question, input: Value, answer: Kept) {
        let Some(kept) = self.0.get(question.as_str()).filter(|_| !is_rare(&input)) else {
            return;
        };
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(input, answer);
    }

    /// Whether answers of this question are kept.
    pub(super) fn keeps(&self, question: Question) -> bool {
        self.0.contains_key(question.as_str())
    }
}

/// Sums of a principal's trail that hardly ever move: most agents guess nothing.
const RESTING: [&str; 1] = ["probes"];

/// Whether plugins saw something, or the agent wrote pseudonyms: hardly two calls or answers have the
/// same of it.
fn is_rare(input: &Value) -> bool {
    ["findings", "pseudonyms"]
        .iter()
        .any(|name| matches!(&input[*name], Value::Array(list) if !list.is_empty()))
}

/// Whether a sum of the trail is wanted that every call moves.
fn wants_moving_sums(want: &Want) -> bool {
    let Some(trail) = want.of("trail") else { return false };
    ["minute", "hour", "day"].iter().filter_map(|window| trail.of(window)).any(|sums| match sums {
        Want::Whole => true,
        Want::Parts(sums) => sums.keys().any(|sum| !RESTING.contains(&sum.as_str())),
    })
}

/// Whether nothing is wanted that differs from call to call.
fn is_lasting(want: &Want) -> bool {
    let wanted = |path: &&[&str]| path.iter().try_fold(want, |want, part| want.of(part)).is_some();
    !wants_moving_sums(want) && !PASSING.iter().any(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Ruleset, Source};

    #[test]
    fn the_shipped_rules_are_answered_from_what_is_kept() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/default");
        let ruleset = Ruleset::load(&Source::Folder(folder)).unwrap();
        for question in [Question::Visible, Question::Admit, Question::Disclose] {
            assert!(ruleset.memo.keeps(question), "{question:?}");
        }
        assert!(!ruleset.counts_answers(), "each answer would be read for its records");
    }

    /// A trail that hardly moves is no hindrance.
    #[test]
    fn what_rests_is_kept_and_what_moves_is_not() {
        let rows = [
            ("input.tool.name == \"x\"", true),
            ("input.trail.day.probes > 3", true),
            ("\"customer-text\" in input.trail.labels", true),
            ("count(input.findings) > 0", true),
            ("count(input.pseudonyms) > 0", true),
            ("input.trail.day.calls > 3", false),
            ("input.trail.hour.probes + input.trail.hour.rows > 3", false),
            ("input.trail.day[_] > 3", false),
            ("count(input.trail) > 3", false),
            ("count(input.trail.recent) > 3", false),
            ("input.arguments.id == \"x\"", false),
            ("input.now.hour > 3", false),
        ];
        for (body, kept) in rows {
            let mut engine = regorus::Engine::new();
            let text = format!("package portcullis.rules.admit\nimport rego.v1\np if {body}\n");
            engine.add_policy("a.rego".to_owned(), text).unwrap();
            let wants = Wants::of(&engine.get_modules().clone());
            assert_eq!(Memo::new(&wants).keeps(Question::Admit), kept, "{body}");
        }
    }
}
