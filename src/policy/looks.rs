//! What the rules about answers look at, read off the syntax tree, and what is refused because of it.
//!
//! A rule that looks for records must not be passed by an answer in which they cannot be seen. So if
//! the bundle's rules look into answers at all, one whose shape is not known is denied, whatever they
//! say of it. And where not all facts of a record are there (the prose of `search` and `fetch` has
//! neither tags nor team), a rule on them is silent: such records are withheld, unless some rule
//! names `partial` and so says that it has thought of them.

use regorus::unstable::{Expr, Module, Ref};

use super::AnswerFacts;
use super::lint::literal;
use super::syntax::{Visit, each, text_of};
use super::wants::{Wants, references};
use crate::domain::{Duty, Finding, Judge, Obligation, Question, Reason, Verdict};

/// What the rules of a bundle look at in answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Looks {
    /// At anything in their content, or they demand that some of it be withheld.
    content: bool,
    /// At records.
    records: bool,
    /// Some rule knows that facts of a record may be missing.
    partial: bool,
}

/// The words of a rule of ours.
const NOT_UNDERSTOOD: &str = "portcullis.answer_not_understood";
const PARTIAL: &str = "portcullis.partial_record";
const PARTIAL_TEXT: &str = "not enough is known of it here to tell whether you may see it; \
                            if you have its id, read it by the tool for one object of its kind";

impl Looks {
    /// Reads the modules that can be part of a decision.
    pub(super) fn of(modules: &[Ref<Module>], wants: &Wants) -> Self {
        let answer = wants.of_question(Question::Disclose).of("answer");
        let wanted = |part: &str| answer.and_then(|answer| answer.of(part)).is_some();
        let withholds = modules.iter().any(|module| {
            text_of(&module.package.refr) == "portcullis.rules.disclose"
                && says(module, &["drop", "rows"])
        });
        let records = wanted("records");
        let parts = ["counts", "content", "structured"];
        Self {
            content: records || withholds || parts.into_iter().any(wanted),
            records,
            partial: modules.iter().any(|module| names(module, "partial")),
        }
    }

    /// Whether they look at what is in answers.
    pub(super) const fn is_of_content(self) -> bool {
        self.content
    }

    /// The finding on an answer, with what is refused because the rules could not see enough of it.
    pub(super) fn over(self, mut finding: Finding, answer: &AnswerFacts) -> Finding {
        if finding.verdict != Verdict::Allow {
            return finding;
        }
        if self.content
            && let Some(flaw) = answer.content.flaw()
        {
            let text = format!(
                "rules look into answers, and it cannot be said what this one shows: {flaw}"
            );
            return Finding { judge: Judge::Policy, ..Finding::denied(NOT_UNDERSTOOD, text) };
        }
        if self.records && !self.partial {
            let records = answer.content.records().map_or(&[][..], |found| &found.records);
            let partial = records.iter().filter(|record| record.partial);
            finding.obligations.extend(partial.map(|record| withheld(&record.reference)));
        }
        finding
    }
}

fn withheld(reference: &str) -> Obligation {
    Obligation {
        reason: Reason::new(PARTIAL, PARTIAL_TEXT),
        duty: Duty::Drop { record: reference.to_owned() },
        changed: false,
    }
}

/// Whether a module has an object with one of these keys.
fn says(module: &Module, keys: &[&str]) -> bool {
    let mut found = false;
    for rule in &module.policy {
        each(rule, &mut |visit| {
            if let Visit::Expr(Expr::Object { fields, .. }) = visit {
                let is_one = |key: String| keys.contains(&key.as_str());
                found |= fields.iter().any(|(_, key, _)| literal(key).is_some_and(is_one));
            }
        });
    }
    found
}

/// Whether a module has this name in a reference, or gives it to a function.
fn names(module: &Module, word: &str) -> bool {
    // What a write would change has facts that may be missing as well, and is no answer.
    let is_of_target = |root: &str, path: &[String]| {
        root == "input" && path.first().is_some_and(|it| it == "target")
    };
    let named = |(root, path): (String, Vec<String>)| {
        path.iter().any(|name| name == word) && !is_of_target(&root, &path)
    };
    if references(module).any(named) {
        return true;
    }
    let mut found = false;
    for rule in &module.policy {
        each(rule, &mut |visit| {
            // `object.get(record, "partial", ...)`
            if let Visit::Expr(Expr::Call { params, .. }) = visit {
                found |= params.iter().any(|one| literal(one).is_some_and(|text| text == word));
            }
        });
    }
    found
}
