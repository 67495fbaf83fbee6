//! Which parts of the input the rules of a question refer to, read off the syntax tree.
//!
//! Building the input costs more than most rules do, so only what some rule names is built; and what
//! a question does not depend on cannot change its answer ([`super::memo`]). A reference counts up
//! to its first computed name: `input.tool.name` wants that name alone, `input.arguments[key]` all
//! of `arguments`, `input` in a comparison or a call everything. Of the records of an answer only those
//! members are wanted that rules name of each one ([`LISTS`]). Helper packages count for every
//! question, since any may call them. Wanting too much costs time; wanting too little would be a rule
//! that does not see what it asks for, so the trial at load compares both ways of asking.

use std::collections::BTreeMap;

use regorus::unstable::{Expr, Literal, Module, Ref, Rule};

use super::syntax::{References, Visit, each, is_complete, root, text_of};
use crate::domain::Question;

/// Lists whose elements are built member by member, as wanted.
const LISTS: [[&str; 2]; 1] = [["answer", "records"]];

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

    /// Wants something at a path, whatever is wanted of it.
    fn reach(&mut self, path: &[String]) {
        if let (Self::Parts(parts), [member, rest @ ..]) = (self, path) {
            let part = parts.entry(member.clone());
            part.or_insert_with(|| Self::Parts(BTreeMap::new())).reach(rest);
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
                    names.lists.iter().for_each(|path| want.reach(path));
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
    /// Lists of [`LISTS`] that it goes through; what it wants of their elements is among the paths.
    lists: Vec<Vec<String>>,
    /// Whether it may read rules of a question that is not its own.
    other_questions: bool,
}

impl Names {
    fn of(module: &Module) -> Self {
        let own = asked_by(&text_of(&module.package.refr));
        let mut names = Self { paths: Vec::new(), lists: Vec::new(), other_questions: false };
        let mut all = all(module);
        for gone_through in module.policy.iter().flat_map(|rule| gone_through(rule)) {
            let GoneThrough { list, times, members } = gone_through;
            all.leave_out("input", &list, times);
            let path = |member| [list.as_slice(), &[member]].concat();
            names.paths.extend(members.into_iter().map(path));
            names.lists.push(list);
        }
        for (name, path) in all.named() {
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

/// A list of which a rule names nothing but members of its elements.
struct GoneThrough {
    list: Vec<String>,
    /// In so many places.
    times: i64,
    members: Vec<String>,
}

/// The lists that a rule goes through by `some one in input.answer.records`, if `one` stands nowhere in it
/// but there and before a literal name: then nothing else of an element can matter.
fn gone_through(rule: &Rule) -> Vec<GoneThrough> {
    let mut references = References::default();
    let mut through: BTreeMap<(String, Vec<String>), i64> = BTreeMap::new();
    each(rule, &mut |visit| {
        references.note(&visit);
        if let Visit::Literal(Literal::SomeIn { value, collection, .. }) = visit
            && let Expr::Var { span, .. } = &**value
            && let ("input", list) = (&*root(collection).0, root(collection).1)
            && is_complete(collection)
            && LISTS.iter().any(|known| list.iter().eq(known))
        {
            *through.entry((span.text().to_owned(), list)).or_default() += 1;
        }
    });
    let all = through.into_iter().filter_map(|((name, list), times)| {
        let (bare, paths) = references.uses(&name);
        let members = paths.iter().filter_map(|path| path.first().cloned()).collect();
        (bare == times).then_some(GoneThrough { list, times, members })
    });
    all.collect()
}

/// Every reference of a module: its first name, and the literal names after it.
pub(super) fn references(module: &Module) -> impl Iterator<Item = (String, Vec<String>)> {
    all(module).named()
}

fn all(module: &Module) -> References {
    let mut references = References::default();
    module.policy.iter().for_each(|rule| each(rule, &mut |visit| references.note(&visit)));
    let mut note = |visit: Visit<'_>| references.note(&visit);
    module.imports.iter().for_each(|import| super::syntax::expr(&import.refr, &mut note));
    references
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

    /// Of each record of an answer what rules name of it, and all where they take it as a whole.
    #[test]
    fn of_records_only_what_rules_name_is_wanted() {
        let records = "some r in input.answer.records";
        let all: &[&str] = &["answer.records"];
        let rows: [(&str, &[&str]); 18] = [
            (
                "p if { some r in input.answer.records; r.type == \"contact\"; \"vip\" in r.tags }",
                &["answer.records.tags", "answer.records.type"],
            ),
            (
                "p if { R; r[\"type\"] == 1; r.author.id }",
                &["answer.records.author", "answer.records.type"],
            ),
            (
                "p contains {\"drop\": r.ref} if { R; r.row }",
                &["answer.records.ref", "answer.records.row"],
            ),
            ("p := [r.id | R; not r.partial]", &["answer.records.id", "answer.records.partial"]),
            (
                "p if { R; r.id }\nq if { some s in input.answer.records; s.team }",
                &["answer.records.id", "answer.records.team"],
            ),
            ("p if { some i, r in input.answer.records; i > 3; r.id }", &["answer.records.id"]),
            ("p if { R; r.id }\nq if count(input.answer.records) > 2", all),
            ("p if { R; count(r) > 2; r.id }", all),
            ("p if { R; r.id; q[r] }", all),
            ("p if { R; x := \"id\"; r[x] }", all),
            ("p if { R; r == {} }", all),
            ("p := {r | R}", all),
            ("p if { R; s := r; s.id }", all),
            ("f(r) := 1 if R\np if f(1)", all),
            ("p if { some r in input.other; R; r.id }", &["answer.records", "other"]),
            ("p if { some {\"id\": x} in input.answer.records; x }", all),
            ("p if { some r in input.answer[input.k]; r.id }", &["answer", "k"]),
            ("p if every r in input.answer.records { r.id }", all),
        ];
        for (rules, expected) in rows {
            let rules = rules.replace('R', records);
            let found = wants(&[&format!("package helpers\nimport rego.v1\n{rules}\n")]);
            assert_eq!(paths(found.of_question(Question::Disclose)), *expected, "{rules}");
        }
        // Whether there is one at all.
        let some =
            wants(&["package helpers\nimport rego.v1\np if some r in input.answer.records\n"]);
        let answer = some.of_question(Question::Disclose).of("answer").unwrap();
        assert_eq!(answer.of("records"), Some(&Want::Parts(BTreeMap::new())));
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
