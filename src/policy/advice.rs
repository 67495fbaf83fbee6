//! Warnings: rules that are sound, and yet probably not what was meant.
//!
//! A rule that never speaks is as dangerous as one that speaks wrongly: a misspelt tool, a path that
//! no input has, a word that a field never is, a condition that cannot hold. None of these stops a
//! bundle, because a catalogue and an input grow; `policy check --strict` does.

use std::collections::{BTreeMap, BTreeSet};

use regorus::Value;
use regorus::unstable::{BoolOp, Expr, Literal, Query, Rule, Span};

use super::bundle::{File, FileKind};
use super::json;
use super::kind::Kind;
use super::paths;
use super::problem::Problem;
use super::syntax::{self, Visit, each, root};
use crate::domain::Question;
use crate::intercom::Catalogue;

/// What is odd about a rule.
pub(super) fn of_rule(
    file: &str,
    question: Option<Question>,
    rule: &Rule,
    problems: &mut Vec<Problem>,
) {
    let mut advice = Advice { file, question, problems };
    advice.inputs(rule);
    let mut compared = Vec::new();
    each(rule, &mut |visit| {
        if let Visit::Expr(expr) = visit {
            compared.extend(comparisons(expr));
        }
    });
    for (path, span, word) in compared {
        advice.word(&path, &span, &word);
    }
    if let Rule::Spec { bodies, .. } = rule {
        bodies.iter().for_each(|body| advice.never(&body.query));
    }
}

/// Tools that data name and the catalogue does not know: in lists called `tools` or `..._tools`, and as
/// the names of what stands in an object called `tools`. A condition of release for a tool that is
/// spelled wrong is one for nothing, and another counts in its place.
pub(super) fn of_data(files: &[File], problems: &mut Vec<Problem>) {
    for file in files.iter().filter(|file| file.kind == FileKind::Data) {
        let Ok(data) = json::of_file(&file.name, &file.text) else { continue };
        let mut tools = BTreeSet::new();
        tools_of(&data, &mut tools);
        for name in &tools {
            if let Some(text) = unknown_tool(name) {
                let (line, column) = place(&file.text, name);
                let problem = Problem::of_file(&file.name, text).of(Kind::UnknownTool);
                problems.push(Problem { line, column, ..problem });
            }
        }
    }
}

fn tools_of(data: &Value, tools: &mut BTreeSet<String>) {
    let Ok(members) = data.as_object() else { return };
    for (key, value) in members {
        let key = key.as_string().map(|key| key.to_string()).unwrap_or_default();
        let text = |value: &Value| value.as_string().ok().map(|text| text.to_string());
        match (value.as_array(), value.as_object()) {
            (Ok(list), _) if key == "tools" || key.ends_with("_tools") => {
                tools.extend(list.iter().filter_map(text));
            }
            (_, Ok(by_tool)) if key == "tools" => tools.extend(by_tool.keys().filter_map(text)),
            _ => tools_of(value, tools),
        }
    }
}

/// Where a text stands in a file of data for the first time as a word of its own.
fn place(text: &str, name: &str) -> (u32, u32) {
    let mut lines = (1_u32..).zip(text.lines());
    lines.find_map(|(number, line)| Some((number, word_at(line, name)?))).unwrap_or((0, 0))
}

/// In which column of a line a name stands as a word of its own.
pub(super) fn word_at(line: &str, name: &str) -> Option<u32> {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    let (start, _) = line.match_indices(name).find(|(start, _)| {
        let around = (line.get(..*start), line.get(start + name.len()..));
        let (Some(before), Some(after)) = around else { return false };
        !before.ends_with(is_part) && !after.starts_with(is_part)
    })?;
    u32::try_from(line.get(..start)?.chars().count() + 1).ok()
}

fn unknown_tool(name: &str) -> Option<String> {
    let catalogue = Catalogue::shipped();
    if catalogue.entry(name).is_some() {
        return None;
    }
    let entries = catalogue.entries().iter();
    let near = entries.map(|entry| (strsim::damerau_levenshtein(&entry.name, name), &entry.name));
    let near = near.filter(|(steps, _)| *steps <= 3).min();
    Some(match near {
        Some((_, near)) => format!("Intercom has no tool `{name}`; do you mean `{near}`?"),
        None => format!("Intercom has no tool `{name}`"),
    })
}

struct Advice<'a> {
    file: &'a str,
    question: Option<Question>,
    problems: &'a mut Vec<Problem>,
}

impl Advice<'_> {
    /// Paths below `input` that no document has.
    fn inputs(&mut self, rule: &Rule) {
        let mut unknown: BTreeMap<u32, (Span, String)> = BTreeMap::new();
        each(rule, &mut |visit| {
            let Visit::Expr(expr @ (Expr::RefDot { .. } | Expr::RefBrack { .. })) = visit else {
                return;
            };
            let (root, path) = root(expr);
            let path = path.join(".");
            if root == "input" && !paths::is_known(self.question, &path) {
                // The walk comes by the whole reference before its beginnings.
                unknown.entry(expr.span().start).or_insert((expr.span().clone(), path));
            }
        });
        for (span, path) in unknown.into_values() {
            let of = self.question.map_or(String::new(), |one| format!(" of `{}`", one.as_str()));
            let near = paths::like(self.question, &path);
            let near = near.map_or(String::new(), |near| format!("; do you mean `input.{near}`?"));
            let text = format!("no input{of} has `input.{path}`{near}");
            self.problem(Kind::UnknownInput, &span, text);
        }
    }

    /// A path compared with a word.
    fn word(&mut self, path: &str, span: &Span, word: &str) {
        if matches!(path, "tool.name" | "hold.tool") {
            if let Some(text) = unknown_tool(word) {
                self.problem(Kind::UnknownTool, span, text);
            }
        } else if let Some(words) = paths::words(path).filter(|words| !words.contains(&word)) {
            let text = format!("`input.{path}` is never \"{word}\"; it is {}", words.join(", "));
            self.problem(Kind::Never, span, text);
        }
    }

    /// Conditions that cannot hold, alone or together.
    fn never(&mut self, query: &Query) {
        let mut equal: BTreeMap<String, String> = BTreeMap::new();
        for stmt in &query.stmts {
            let (Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. }) = &stmt.literal else {
                continue;
            };
            let denied = matches!(stmt.literal, Literal::NotExpr { .. });
            if constant(expr) == Some(denied) {
                self.problem(Kind::Never, &stmt.span, "this condition is never true");
            }
            if denied {
                continue;
            }
            let Expr::BoolExpr { op: BoolOp::Eq, lhs, rhs, .. } = &**expr else { continue };
            let Some((path, word)) = pair(lhs, rhs).or_else(|| pair(rhs, lhs)) else { continue };
            let before = equal.insert(path.clone(), word.clone());
            if before.is_some_and(|before| before != word) {
                let text = format!("`input.{path}` cannot have two values at once");
                self.problem(Kind::Never, &stmt.span, text);
            }
        }
    }

    fn problem(&mut self, kind: Kind, span: &Span, text: impl Into<String>) {
        self.problems.push(Problem::at(kind, self.file, span, text));
    }
}

/// Paths of the input that an expression compares with words: `==`, `!=` and `in`.
pub(super) fn comparisons(expr: &Expr) -> Vec<(String, Span, String)> {
    match expr {
        Expr::BoolExpr { op: BoolOp::Eq | BoolOp::Ne, lhs, rhs, .. } => {
            let found = pair(lhs, rhs).map(|found| (found, rhs));
            let found = found.or_else(|| pair(rhs, lhs).map(|found| (found, lhs)));
            found.map(|((path, word), at)| (path, at.span().clone(), word)).into_iter().collect()
        }
        Expr::Membership { key: None, value, collection, .. } => {
            let (Expr::Set { items, .. } | Expr::Array { items, .. }) = &**collection else {
                return Vec::new();
            };
            let pairs = items.iter().filter_map(|item| {
                pair(value, item).map(|(path, word)| (path, item.span().clone(), word))
            });
            pairs.collect()
        }
        _ => Vec::new(),
    }
}

/// A path below `input` and the literal text beside it.
fn pair(path: &Expr, word: &Expr) -> Option<(String, String)> {
    let (root, names) = root(path);
    let is_whole = syntax::is_complete(path);
    let word = match word {
        Expr::String { value: Value::String(text), .. }
        | Expr::RawString { value: Value::String(text), .. } => text.to_string(),
        _ => return None,
    };
    (root == "input" && is_whole && !names.is_empty()).then(|| (names.join("."), word))
}

/// What a condition always is, if its text says so.
fn constant(expr: &Expr) -> Option<bool> {
    match expr {
        Expr::Bool { value: Value::Bool(value), .. } => Some(*value),
        Expr::BoolExpr { op, lhs, rhs, .. } => {
            let (left, right) = (literal(lhs)?, literal(rhs)?);
            Some(match op {
                BoolOp::Eq => left == right,
                BoolOp::Ne => left != right,
                BoolOp::Lt => left < right,
                BoolOp::Le => left <= right,
                BoolOp::Gt => left > right,
                BoolOp::Ge => left >= right,
            })
        }
        _ => None,
    }
}

fn literal(expr: &Expr) -> Option<&Value> {
    match expr {
        Expr::String { value, .. }
        | Expr::RawString { value, .. }
        | Expr::Number { value, .. }
        | Expr::Bool { value, .. }
        | Expr::Null { value, .. } => Some(value),
        _ => None,
    }
}
