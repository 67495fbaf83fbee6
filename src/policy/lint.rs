//! What is read from the syntax tree at load: who may speak, and where each rule stands.
//!
//! The engine accepts much that would be a rule which never speaks, or speaks when a field is
//! missing. The checks here refuse it: packages that nothing asks, verdict rules of another form
//! than `deny contains {...}`, members without a literal name, names used twice, `with`, forbidden
//! builtins wherever they stand and calls that are unsound ([`super::calls`]), and `not` over a field that may be absent in rules that allow.

use std::collections::BTreeMap;

use regorus::Value;
use regorus::unstable::{Expr, Module, Ref, Rule, RuleHead, Span};

use super::advice;
use super::answer::{Site, Sites};
use super::builtins;
use super::bundle::FileKind;
use super::calls;
use super::helpers::Helpers;
use super::kind::Kind;
use super::metadata::Notes;
use super::obligations;
use super::presence::{self, Beyond};
use super::problem::Problem;
use super::syntax::{Visit, each, root, text_of};
use crate::domain::Question;

/// A module with the file it came from.
pub(super) struct Parsed<'a> {
    pub(super) file: &'a str,
    pub(super) kind: FileKind,
    pub(super) module: &'a Ref<Module>,
}

/// Checks all modules; gives the table of rules.
pub(super) fn check(modules: &[Parsed<'_>], problems: &mut Vec<Problem>) -> Sites {
    let mut sites = Sites::new();
    let helpers = Helpers::of(modules);
    let mut asked = BTreeMap::new();
    for parsed in modules {
        let notes = match parsed.kind {
            FileKind::Tests => Notes::default(),
            _ => Notes::of(parsed.module, parsed.file, problems),
        };
        let (problems, sites) = (&mut *problems, &mut sites);
        let mut lint = Lint { parsed, notes, problems, sites, helpers: &helpers };
        if let Some(question) = lint.module() {
            asked.insert(question.as_str(), ());
        }
    }
    for question in Question::ALL {
        if !asked.contains_key(question.as_str()) {
            problems.push(Problem::of_bundle(format!(
                "no file has the package `portcullis.rules.{0}`, so everything that `{0}` is asked \
                 would be denied; add one, even with a rule that only denies",
                question.as_str()
            )).of(Kind::NoPackage));
        }
    }
    sites
}

struct Lint<'a> {
    parsed: &'a Parsed<'a>,
    notes: Notes,
    problems: &'a mut Vec<Problem>,
    sites: &'a mut Sites,
    helpers: &'a Helpers,
}

impl Lint<'_> {
    /// Checks one module; gives the question whose rules it holds.
    fn module(&mut self) -> Option<Question> {
        let package = text_of(&self.parsed.module.package.refr);
        if self.parsed.kind == FileKind::Tests {
            if !package.ends_with("_test") {
                let span = self.parsed.module.package.span.clone();
                self.problem(
                    Kind::Package,
                    &span,
                    "a file of tests must have a package that ends in `_test`",
                );
            }
            return None;
        }
        let question = self.question(&package);
        for rule in &self.parsed.module.policy {
            self.everywhere(rule);
            if self.parsed.kind == FileKind::Rules {
                advice::of_rule(self.parsed.file, question, rule, self.problems);
            }
            match (question, self.parsed.kind) {
                (Some(question), FileKind::Library) => self.library_rule(question, rule),
                (Some(question), _) => self.rule(question, rule),
                (None, FileKind::Library) => {}
                (None, _) => self.presence(None, rule),
            }
        }
        question.filter(|_| self.parsed.kind == FileKind::Rules)
    }

    fn question(&mut self, package: &str) -> Option<Question> {
        let library = self.parsed.kind == FileKind::Library;
        let prefix = if library { "portcullis." } else { "portcullis.rules." };
        let named = package.strip_prefix(prefix);
        let question = Question::ALL.into_iter().find(|one| Some(one.as_str()) == named);
        let reserved = package == "portcullis" || package.starts_with("portcullis.");
        let asked = Question::ALL.map(|one| format!("portcullis.rules.{}", one.as_str()));
        let near = asked.iter().find(|known| strsim::damerau_levenshtein(known, package) <= 3);
        let reserved = reserved || package.starts_with("portcullis[") || near.is_some();
        if question.is_none() && !library && reserved {
            let span = self.parsed.module.package.span.clone();
            let near = near.map_or(String::new(), |near| format!(" (do you mean `{near}`?)"));
            let text = format!(
                "nothing asks the package `{package}`{near}; rules belong to \
                 `portcullis.rules.admit`, `.disclose`, `.visible` or `.approve`, helpers to a \
                 package outside `portcullis`"
            );
            self.problem(Kind::Package, &span, text);
        }
        question
    }

    /// What holds for every rule of every module that can be part of a decision.
    fn everywhere(&mut self, rule: &Rule) {
        let file = self.parsed.file;
        let mut found = Vec::new();
        each(rule, &mut |visit| match visit {
            Visit::With(span) => {
                found.push(Problem::at(Kind::With, file, span, "`with` is for tests only"))
            }
            Visit::Expr(Expr::Call { span, fcn, .. }) => {
                let name = text_of(fcn);
                if let Some(why) = builtins::refused(&name) {
                    found.push(Problem::at(
                        Kind::Builtin,
                        file,
                        span,
                        format!("`{name}` is not allowed: {why}"),
                    ));
                }
            }
            Visit::Expr(_) | Visit::Literal(_) => {}
        });
        if let Rule::Default { span, args, .. } = rule
            && !args.is_empty()
        {
            let text = "bytecode does not know the default of a function; end it with an `else`";
            found.push(Problem::at(Kind::Shape, file, span, text));
        }
        let shape = |(span, text)| Problem::at(Kind::Shape, file, &span, text);
        found.extend(calls::check(rule).into_iter().map(shape));
        self.problems.extend(found);
    }

    /// A rule of ours: every literal reason in it is known by its name.
    fn library_rule(&mut self, question: Question, rule: &Rule) {
        let mut names = Vec::new();
        each(rule, &mut |visit| {
            if let Visit::Expr(Expr::Object { fields, .. }) = visit {
                names.extend(member(fields, "rule").and_then(literal));
            }
        });
        for name in names {
            self.declare(question, &name, rule.span());
        }
    }

    fn rule(&mut self, question: Question, rule: &Rule) {
        let (name, _) = root(head(rule));
        let Some(word) = words(question).iter().find(|word| **word == name) else {
            // A helper; one that nothing uses is found by the compiler.
            if VERDICTS.contains(&name.as_str()) {
                let text = format!(
                    "`{name}` says nothing in `{}`; rules there are {}",
                    question.as_str(),
                    words(question).join(", ")
                );
                self.problem(Kind::Form, rule.span(), text);
            }
            return self.presence(Some(question), rule);
        };
        if matches!(*word, "allow" | "show") {
            self.presence(Some(question), rule);
        }
        let member = match rule {
            Rule::Spec { head: RuleHead::Set { refr, key: Some(key), .. }, .. }
                if text_of(refr) == name =>
            {
                key
            }
            _ => {
                let text = format!("write `{name} contains {{...}} if {{ ... }}`");
                return self.problem(Kind::Form, rule.span(), text);
            }
        };
        if question != Question::Visible {
            self.reason(question, word, member, rule.span());
            if self.notes.of_rule(rule.span().line).title.is_none() {
                let text = "this rule has no title: METADATA with `title` is missing";
                self.problem(Kind::NoTitle, rule.span(), text);
            }
        }
    }

    /// A member of `allow`, `hold`, `deny` or `oblige`: `{"rule": literal, "text": any}`, with `release` in a
    /// `hold` and one duty in an `oblige`.
    fn reason(&mut self, question: Question, word: &str, member: &Ref<Expr>, rule: &Span) {
        let Expr::Object { fields, .. } = &**member else {
            let text = format!(
                "a member of `{word}` must be written out: {{\"rule\": \"a_name\", \"text\": ...}}"
            );
            return self.problem(Kind::Form, member.span(), text);
        };
        let more: &[&str] = match word {
            "hold" => &["release"],
            "oblige" => obligations::kinds(question),
            _ => &[],
        };
        for (_, key, _) in fields {
            let known = literal(key)
                .is_some_and(|key| key == "rule" || key == "text" || more.contains(&key.as_str()));
            if !known {
                let more: String = more.iter().map(|key| format!(", `{key}`")).collect();
                let text = format!(
                    "`{}` is no part of a member of `{word}`; those are `rule`, `text`{more}",
                    key.span().text()
                );
                self.problem(Kind::Form, key.span(), text);
            }
        }
        let duties = more.iter().filter(|kind| self::member(fields, kind).is_some()).count();
        if word == "oblige" && duties != 1 {
            let text = format!("a member of `oblige` has exactly one of {}", more.join(", "));
            self.problem(Kind::Form, member.span(), text);
        }
        let text = self::member(fields, "text");
        if text.is_none() {
            let text = "`text` is missing: say in plain words why";
            self.problem(Kind::EmptyText, member.span(), text);
        }
        if let Some(text) = text.filter(|it| literal(it).is_some_and(|it| it.trim().is_empty())) {
            self.problem(Kind::EmptyText, text.span(), "`text` is empty: say in plain words why");
        }
        if let Some(release) = self::member(fields, "release") {
            self.confirmation(release);
        }
        match self::member(fields, "rule").map(|value| (value, literal(value))) {
            Some((_, Some(name))) if is_rule_name(&name) => self.declare(question, &name, rule),
            Some((value, _)) => {
                let text = "`rule` must be a literal name of `a-z`, `0-9` and `_`, such as \
                            \"write_waits\"";
                self.problem(Kind::Name, value.span(), text);
            }
            None => {
                self.problem(Kind::Name, member.span(), "`rule` is missing: give the rule a name")
            }
        }
    }

    /// `confirm: requester` beside conditions under which it never counts.
    fn confirmation(&mut self, release: &Ref<Expr>) {
        let Expr::Object { fields, .. } = &**release else { return };
        let Some(confirm) = member(fields, "confirm") else { return };
        match literal(confirm).as_deref() {
            Some("requester") => {}
            None | Some("never") => return,
            Some(_) => {
                let text = "`confirm` is `requester` or `never`";
                return self.problem(Kind::Form, confirm.span(), text);
            }
        }
        let number = |name| match member(fields, name).map(|value| &**value) {
            Some(Expr::Number { value, .. }) => value.as_u64().ok(),
            _ => None,
        };
        let distinct = member(fields, "distinct_groups");
        let distinct =
            distinct.is_some_and(|it| matches!(&**it, Expr::Bool { value: Value::Bool(true), .. }));
        let never = [
            (number("people").is_some_and(|people| people > 1), "several people"),
            (distinct, "people of distinct groups"),
            (number("step_up_minutes").is_some_and(|minutes| minutes > 0), "a fresh proof"),
        ];
        for (_, what) in never.iter().filter(|(is_so, _)| *is_so) {
            let text = format!(
                "`confirm` never counts here, for this hold asks for {what}, which the person whom the \
                 agent acts for cannot give"
            );
            self.problem(Kind::Confirm, confirm.span(), text);
        }
    }

    fn declare(&mut self, question: Question, name: &str, span: &Span) {
        let name = format!("{}.{name}", question.as_str());
        let at = format!("{}:{}", self.parsed.file, span.line);
        let site = Site { at, note: self.notes.of_rule(span.line) };
        if let Some(other) = self.sites.insert(name.clone(), site) {
            let text = format!(
                "the rule name `{name}` is used at {} already; every rule needs its own",
                other.at
            );
            self.problem(Kind::Twice, span, text);
        }
    }

    fn presence(&mut self, question: Option<Question>, rule: &Rule) {
        let package = text_of(&self.parsed.module.package.refr);
        let beyond = Beyond { helpers: self.helpers, package: &package };
        for (span, path) in presence::unchecked(question, rule, beyond) {
            let text = format!(
                "`not` is also true where `input.{path}` is missing, which here may allow; name \
                 the field in another condition of the same body, or read it by `object.get` \
                 with a default"
            );
            self.problem(Kind::Unguarded, &span, text);
        }
    }

    fn problem(&mut self, kind: Kind, span: &Span, text: impl Into<String>) {
        self.problems.push(Problem::at(kind, self.parsed.file, span, text));
    }
}

const VERDICTS: [&str; 6] = ["allow", "hold", "deny", "oblige", "show", "hide"];

/// The rules that the library reads, by question.
pub(super) const fn words(question: Question) -> &'static [&'static str] {
    match question {
        Question::Visible => &["show", "hide"],
        Question::Admit => &["allow", "hold", "deny", "oblige"],
        Question::Disclose => &["allow", "deny", "oblige"],
        Question::Approve => &["allow", "deny", "oblige"],
    }
}

pub(super) fn head(rule: &Rule) -> &Ref<Expr> {
    match rule {
        Rule::Default { refr, .. } => refr,
        Rule::Spec { head, .. } => match head {
            RuleHead::Compr { refr, .. }
            | RuleHead::Set { refr, .. }
            | RuleHead::Func { refr, .. } => refr,
        },
    }
}

type Fields = [(Span, Ref<Expr>, Ref<Expr>)];

pub(super) fn member<'a>(fields: &'a Fields, name: &str) -> Option<&'a Ref<Expr>> {
    let (_, _, value) =
        fields.iter().find(|(_, key, _)| literal(key).is_some_and(|key| key == name))?;
    Some(value)
}

pub(super) fn literal(expr: &Ref<Expr>) -> Option<String> {
    match &**expr {
        Expr::String { value: Value::String(text), .. }
        | Expr::RawString { value: Value::String(text), .. } => Some(text.to_string()),
        _ => None,
    }
}

fn is_rule_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}
