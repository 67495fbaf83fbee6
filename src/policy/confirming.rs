//! Holds that the person whom the agent acts for may confirm, beside rules about who approves the same
//! tool.
//!
//! `approve` is asked about approvers and not when that person confirms, so that whoever wrote "not at
//! night" or "the leads alone" there may think that it holds for everybody. Found is what the text says: a
//! tool that a rule of `approve` names, and `confirm: requester` in a `hold` rule that can be about it, or in
//! data under its name. Data under another name, as rules may look it up, can be about every tool.

use std::collections::{BTreeMap, BTreeSet};

use regorus::Value;
use regorus::unstable::{BoolOp, Expr, Literal, Ref, Rule, RuleHead};

use super::advice::{comparisons, word_at};
use super::bundle::{File, FileKind};
use super::json;
use super::kind::Kind;
use super::lint::{self, Parsed};
use super::problem::Problem;
use super::syntax::{self, Visit, each, root, text_of};
use crate::domain::Question;
use crate::intercom::Catalogue;

/// What is odd about a bundle's confirmations.
pub(super) fn check(modules: &[Parsed<'_>], files: &[File], problems: &mut Vec<Problem>) {
    let approvers = approvers(modules);
    if approvers.is_empty() {
        return;
    }
    for (parsed, rule) in rules(modules, Question::Admit) {
        let Some(confirm) = confirmed(rule) else { continue };
        let tools = tools(rule);
        let is_about = |tool: &String| tools.is_empty() || tools.contains(tool);
        if let Some(text) = said(&approvers, is_about) {
            problems.push(Problem::at(Kind::Unasked, parsed.file, confirm.span(), text));
        }
    }
    for file in files.iter().filter(|file| file.kind == FileKind::Data) {
        let Ok(data) = json::of_file(&file.name, &file.text) else { continue };
        let mut owners = BTreeSet::new();
        confirmable(&data, "", &mut owners);
        for owner in owners {
            let is_tool = Catalogue::shipped().entry(&owner).is_some();
            if let Some(text) = said(&approvers, |tool| !is_tool || *tool == owner) {
                let (line, column) = place(&file.text, &owner);
                let problem = Problem::of_file(&file.name, text).of(Kind::Unasked);
                problems.push(Problem { line, column, ..problem });
            }
        }
    }
}

/// The warning, if rules of `approve` name a tool that a confirmation can be about.
fn said(
    approvers: &BTreeMap<String, String>,
    is_about: impl Fn(&String) -> bool,
) -> Option<String> {
    let named = approvers.iter().filter(|(tool, _)| is_about(tool));
    let named: Vec<String> = named.map(|(tool, at)| format!("`{tool}` ({at})")).collect();
    (!named.is_empty()).then(|| {
        format!(
            "`approve` is not asked when the person whom the agent acts for confirms, so its rules \
             about {} do not count then",
            named.join(", ")
        )
    })
}

/// The tools that rules of `approve` name, with where they first do.
fn approvers(modules: &[Parsed<'_>]) -> BTreeMap<String, String> {
    let mut approvers = BTreeMap::new();
    for (parsed, rule) in rules(modules, Question::Approve) {
        let (name, _) = root(lint::head(rule));
        if matches!(name.as_str(), "allow" | "deny") {
            for tool in tools(rule) {
                let at = || format!("{}:{}", parsed.file, rule.span().line);
                approvers.entry(tool).or_insert_with(at);
            }
        }
    }
    approvers
}

/// The rules of a bundle for a question, with their module.
fn rules<'a>(
    modules: &'a [Parsed<'a>],
    question: Question,
) -> impl Iterator<Item = (&'a Parsed<'a>, &'a Rule)> {
    let package = format!("portcullis.rules.{}", question.as_str());
    let of_question = move |parsed: &&Parsed<'_>| {
        parsed.kind == FileKind::Rules && text_of(&parsed.module.package.refr) == package
    };
    let modules = modules.iter().filter(of_question);
    modules.flat_map(|parsed| parsed.module.policy.iter().map(move |rule| (parsed, &**rule)))
}

/// The tools that a rule names; none if it says which it is not about, for then it is about all others.
fn tools(rule: &Rule) -> BTreeSet<String> {
    let (mut tools, mut excludes) = (BTreeSet::new(), false);
    each(rule, &mut |visit| match visit {
        Visit::Expr(Expr::BoolExpr { op: BoolOp::Ne, lhs, rhs, .. }) => {
            excludes |= [lhs, rhs].into_iter().any(|side| is_tool(side));
        }
        Visit::Expr(expr) => tools.extend(named(expr)),
        Visit::Literal(Literal::NotExpr { expr, .. }) => {
            syntax::expr(expr, &mut |visit| {
                excludes |= matches!(visit, Visit::Expr(expr) if is_tool(expr));
            });
        }
        Visit::Literal(_) | Visit::With(_) => {}
    });
    if excludes { BTreeSet::new() } else { tools }
}

/// The paths of the input that say which tool is called, or was held.
const TOOL: [&str; 2] = ["tool.name", "hold.tool"];

/// The tools that an expression compares with.
fn named(expr: &Expr) -> impl Iterator<Item = String> {
    let compared = comparisons(expr).into_iter();
    compared.filter(|(path, ..)| TOOL.contains(&path.as_str())).map(|(_, _, word)| word)
}

/// Whether an expression is the name of the tool.
fn is_tool(expr: &Expr) -> bool {
    let (root, names) = root(expr);
    root == "input" && TOOL.contains(&names.join(".").as_str())
}

/// Where a `hold` rule lets the person whom the agent acts for confirm.
fn confirmed(rule: &Rule) -> Option<&Ref<Expr>> {
    let Rule::Spec { head: RuleHead::Set { key: Some(member), .. }, .. } = rule else {
        return None;
    };
    let Expr::Object { fields, .. } = &**member else { return None };
    let Expr::Object { fields, .. } = &**lint::member(fields, "release")? else { return None };
    let confirm = lint::member(fields, "confirm")?;
    (lint::literal(confirm).as_deref() == Some("requester")).then_some(confirm)
}

/// The names under which data lets the person whom the agent acts for confirm.
fn confirmable(data: &Value, name: &str, owners: &mut BTreeSet<String>) {
    match data {
        Value::Object(members) => {
            for (key, value) in members.iter() {
                let Ok(key) = key.as_string() else { continue };
                let is_it = **key == *"confirm"
                    && value.as_string().is_ok_and(|word| **word == *"requester");
                if is_it {
                    owners.insert(name.to_owned());
                }
                confirmable(value, key, owners);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| confirmable(item, name, owners)),
        _ => {}
    }
}

/// Where in a file of data the `confirm` stands that belongs to a name: the nearest name of a tool before it.
/// Of names that are no tool's the first `confirm` is as good as another.
fn place(text: &str, owner: &str) -> (u32, u32) {
    let tools = Catalogue::shipped().entries().iter().map(|tool| tool.name.as_str());
    let tools: Vec<&str> = tools.chain([owner]).filter(|name| !name.is_empty()).collect();
    let (mut named, mut first) = (owner, None);
    for (number, line) in (1_u32..).zip(text.lines()) {
        let confirm = word_at(line, "confirm");
        let names = tools.iter().filter_map(|name| Some((word_at(line, name)?, *name)));
        let before = names.clone().filter(|(at, _)| confirm.is_some_and(|confirm| *at < confirm));
        let whose = before.max().map_or(named, |(_, name)| name);
        if let Some(at) = confirm {
            if whose == owner {
                return (number, at);
            }
            first = first.or(Some((number, at)));
        }
        named = names.max().map_or(named, |(_, name)| name);
    }
    first.unwrap_or_default()
}
