//! Which parts of the input the rules of a question refer to, read off the syntax tree.
//!
//! Building the input costs more than most rules do, so only what some rule names is built; and what
//! a question does not depend on cannot change its answer ([`super::memo`]). A reference counts up
//! to its first computed name: `input.tool.name` wants that name alone, `input.arguments[key]` all
//! of `arguments`, `input` in a comparison or a call everything. Helper packages count for every
//! question, since any may call them. Wanting too much costs time; wanting too little would be a rule
//! that does not see what it asks for, so the trial at load compares both ways of asking.

use std::collections::BTreeMap;

use regorus::unstable::{Module, Ref};

use super::syntax::{References, Visit, each, text_of};
use crate::domain::Question;

/// A part of the input that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Want {
    /// All of it.
    Whole,
    /// Only these members.
    Parts(BTreeMap<String, Self>),
}

impl Want {
    /// What is wanted of a member; `None` if nothing is.
    pub(super) fn of(&self, member: &str) -> Option<&Self> {
        match self {
            Self::Whole => Some(self),
            Self::Parts(parts) => parts.get(member),
        }
    }

    fn add(&mut self, path: &[String]) {
        match (self, path) {
            (Self::Whole, _) => {}
            (want, []) => *want = Self::Whole,
            (Self::Parts(parts), [member, rest @ ..]) => {
                parts
                    .entry(member.clone())
                    .or_insert_with(|| Self::Parts(BTreeMap::new()))
                    .add(rest);
            }
        }
    }
}

/// What each question wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wants(BTreeMap<&'static str, Want>);

impl Wants {
    /// Reads the modules that can be part of a decision.
    pub(super) fn of(modules: &[Ref<Module>]) -> Self {
        let read: Vec<(String, Names)> = modules
            .iter()
            .map(|module| (text_of(&module.package.refr), Names::of(module)))
            .collect();
        let of_question = |question: Question| {
            let mut want = Want::Parts(BTreeMap::new());
            for (package, names) in &read {
                // Rules that read another question's package by name want what it wants.
                let is_near = asked_by(package).is_none_or(|asked| asked == question.as_str());
                if is_near || read.iter().any(|(_, names)| names.other_questions) {
                    names.paths.iter().for_each(|path| want.add(path));
                }
            }
            (question.as_str(), want)
        };
        Self(Question::ALL.map(of_question).into())
    }

    /// Whether any question wants what is counted of answers in the trail.
    pub(super) fn of_answers_counted(&self) -> bool {
        const OF_CALLS: [&str; 4] = ["calls", "denials", "probes", "writes"];
        let windows = |want: &Want| match want.of("trail") {
            None => false,
            Some(trail) => ["minute", "hour", "day"].iter().any(|name| match trail.of(name) {
                None => false,
                Some(Want::Whole) => true,
                Some(Want::Parts(parts)) => {
                    parts.keys().any(|name| !OF_CALLS.contains(&name.as_str()))
                }
            }),
        };
        self.0.values().any(windows)
    }

    /// What a question wants.
    pub(super) fn of_question(&self, question: Question) -> &Want {
        self.0.get(question.as_str()).unwrap_or(&Want::Whole)
    }
}

/// The question whose rules or library a package holds.
fn asked_by(package: &str) -> Option<&'static str> {
    let name = package.strip_prefix("portcullis.")?;
    let name = name.strip_prefix("rules.").unwrap_or(name);
    Question::ALL.map(Question::as_str).into_iter().find(|question| *question == name)
}

/// What a module names.
struct Names {
    /// The paths below `input`.
    paths: Vec<Vec<String>>,
    /// Whether it may read rules of a question that is not its own.
    other_questions: bool,
}

impl Names {
    fn of(module: &Module) -> Self {
        let own = asked_by(&text_of(&module.package.refr));
        let mut names = Self { paths: Vec::new(), other_questions: false };
        for (name, path) in references(module) {
            match name.as_str() {
                "input" => names.paths.push(path),
                "data" => names.other_questions |= reads_other(&path, own),
                _ => {}
            }
        }
        names
    }
}

/// Whether a path below `data` may lead to a question other than `own`.
fn reads_other(path: &[String], own: Option<&str>) -> bool {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match path.as_slice() {
        ["portcullis", "join", ..] => false,
        ["portcullis", "rules", question, ..] | ["portcullis", question, ..] => {
            Some(*question) != own
        }
        // All of `data`, or a computed name.
        [] | ["portcullis"] => true,
        _ => false,
    }
}

/// Every reference of a module: its first name, and the literal names after it.
pub(super) fn references(module: &Module) -> impl Iterator<Item = (String, Vec<String>)> {
    let mut references = References::default();
    module.policy.iter().for_each(|rule| each(rule, &mut |visit| references.note(&visit)));
    let mut note = |visit: Visit<'_>| references.note(&visit);
    module.imports.iter().for_each(|import| super::syntax::expr(&import.refr, &mut note));
    references.named()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wants(modules: &[&str]) -> Wants {
        let mut engine = regorus::Engine::new();
        for (number, text) in modules.iter().enumerate() {
            engine.add_policy(format!("{number}.rego"), (*text).to_owned()).unwrap();
        }
        Wants::of(&engine.get_modules().clone())
    }

    /// The wanted paths, `""` for everything.
    fn paths(want: &Want) -> Vec<String> {
        match want {
            Want::Whole => vec![String::new()],
            Want::Parts(parts) => parts
                .iter()
                .flat_map(|(name, want)| {
                    paths(want).into_iter().map(move |rest| match rest.as_str() {
                        "" => name.clone(),
                        rest => format!("{name}.{rest}"),
                    })
                })
                .collect(),
        }
    }

    #[test]
    fn a_reference_wants_its_literal_names() {
        let rows: [(&str, &[&str]); 16] = [
            ("p if input.a.b == 1", &["a.b"]),
            ("p if input.a.b\nq if input.a", &["a"]),
            ("p if input[\"a\"].b", &["a.b"]),
            ("p if { some x in input.a; x.b }", &["a"]),
            ("p if input.a[_].b", &["a"]),
            ("p if input.a[input.k.l].b", &["a", "k.l"]),
            ("p if count(input) == 0", &[""]),
            ("p if count(input) == 0\nq if input.a.b", &[""]),
            ("p if input == {}", &[""]),
            ("p if object.get(input.a, \"b\", 1) == 1", &["a"]),
            ("p if every x in input.a.list { x == input.b }", &["a.list", "b"]),
            ("p := {x | some x in input.a}", &["a"]),
            ("p contains input.a.b if true", &["a.b"]),
            ("f(x) := input.a.b if x\np if f(input.c)", &["a.b", "c"]),
            ("p if not input.a.b", &["a.b"]),
            ("p if { x := input; x.a }", &[""]),
        ];
        for (rules, expected) in rows {
            let found = wants(&[&format!("package helpers\nimport rego.v1\n{rules}\n")]);
            assert_eq!(paths(found.of_question(Question::Admit)), *expected, "{rules}");
        }
        let imported = "package helpers\nimport rego.v1\nimport input.a.b as c\np if c.d\n";
        assert_eq!(paths(wants(&[imported]).of_question(Question::Admit)), ["a.b"]);
    }

    #[test]
    fn a_question_wants_its_own_and_the_helpers_paths() {
        let helper = "package h\nimport rego.v1\np if input.h\n";
        let admit = "package portcullis.rules.admit\nimport rego.v1\np if { input.a; data.h.p }\n";
        let disclose = "package portcullis.rules.disclose\nimport rego.v1\np if input.d\n";
        let found = wants(&[helper, admit, disclose]);
        assert_eq!(paths(found.of_question(Question::Admit)), ["a", "h"]);
        assert_eq!(paths(found.of_question(Question::Disclose)), ["d", "h"]);
        assert_eq!(paths(found.of_question(Question::Visible)), ["h"]);
        for other in ["data.portcullis.rules.admit.p", "data.portcullis", "data[input.d]"] {
            let reads = format!(
                "package portcullis.rules.disclose\nimport rego.v1\np if {{ {other}; input.d }}\n"
            );
            let found = wants(&[helper, admit, &reads]);
            assert_eq!(paths(found.of_question(Question::Disclose)), ["a", "d", "h"], "{other}");
        }
    }
}
