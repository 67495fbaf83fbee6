//! The contract of the answers: exact shapes, read into our own types. Anything else is a fault.
//!
//! Nothing is converted, trimmed or defaulted here. A rule's name is looked up in the table that
//! was made from the sources at load, so file and line in a decision are never a policy's claim.

mod release;

use std::collections::{BTreeMap, BTreeSet};

use regorus::Value;

use super::engine::Failure;
use super::metadata::Note;
use super::obligations;
use crate::domain::{Fault, Obligation, Question, Reason, Release, Verdict};

/// What is known of each rule that may speak, by `question.rule`.
pub(super) type Sites = BTreeMap<String, Site>;

/// A rule that may speak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Site {
    /// `file:line`.
    pub(super) at: String,
    /// What its METADATA says.
    pub(super) note: Note,
}

impl Site {
    fn reason(&self, rule: String, text: &str) -> Reason {
        Reason {
            at: Some(self.at.clone()),
            title: self.note.title.clone(),
            hint: self.note.hint.clone(),
            internal: self.note.internal.unwrap_or_default(),
            ..Reason::new(rule, text)
        }
    }
}

const MAX_REASONS: usize = 64;
const MAX_TEXT: usize = 1000;

/// What `admit`, `disclose` and `approve` answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ruling {
    pub(super) verdict: Verdict,
    pub(super) reasons: Vec<Reason>,
    pub(super) obligations: Vec<Obligation>,
    pub(super) release: Option<Release>,
}

/// Reads `{verdict, reasons, obligations, release}`.
pub(super) fn ruling(question: Question, answer: &Value, sites: &Sites) -> Result<Ruling, Failure> {
    let [verdict, said, obligations, release] =
        members(answer, ["verdict", "reasons", "obligations", "release"], "the answer")?;
    let verdict = match (text(verdict, "`verdict`")?, question) {
        ("allow", _) => Verdict::Allow,
        ("hold", Question::Admit) => Verdict::Hold,
        ("deny", _) => Verdict::Deny,
        _ => return Err(misfit("`verdict` is no verdict of this question")),
    };
    let reasons = reasons(question, said, sites)?;
    let obligations = obligations::read(question, obligations, sites)?;
    if verdict == Verdict::Deny && !obligations.is_empty() {
        return Err(misfit("`obligations` are given beside a denial"));
    }
    let release = match release {
        Value::Null => None,
        _ if verdict == Verdict::Hold => Some(release::read(release)?),
        _ => return Err(misfit("`release` is given without a hold")),
    };
    Ok(Ruling { verdict, reasons, obligations, release })
}

/// Reads `{tools, reasons}`: names out of those offered.
pub(super) fn shown(
    answer: &Value,
    offered: &BTreeSet<String>,
    sites: &Sites,
) -> Result<(BTreeSet<String>, Vec<Reason>), Failure> {
    let [tools, said] = members(answer, ["tools", "reasons"], "the answer")?;
    let mut names = BTreeSet::new();
    for tool in list(tools, "`tools`")? {
        let name = text(tool, "a tool's name")?;
        if !offered.contains(name) {
            return Err(misfit("`tools` names a tool that was not offered"));
        }
        names.insert(name.to_owned());
    }
    Ok((names, reasons(Question::Visible, said, sites)?))
}

fn reasons(question: Question, said: &Value, sites: &Sites) -> Result<Vec<Reason>, Failure> {
    let said = list(said, "`reasons`")?;
    if said.is_empty() || said.len() > MAX_REASONS {
        return Err(misfit("`reasons` must hold 1 to 64 reasons"));
    }
    said.into_iter()
        .map(|reason| {
            let [rule, text] = members(reason, ["rule", "text"], "a reason")?;
            self::reason(question, rule, text, sites)
        })
        .collect()
}

pub(super) fn reason(
    question: Question,
    rule: &Value,
    text: &Value,
    sites: &Sites,
) -> Result<Reason, Failure> {
    let rule = format!("{}.{}", question.as_str(), self::text(rule, "`rule`")?);
    let text = self::text(text, "`text`")?;
    if text.is_empty() || text.len() > MAX_TEXT {
        return Err(misfit("a reason's `text` must have 1 to 1000 bytes"));
    }
    match sites.get(&rule) {
        Some(site) => Ok(site.reason(rule, text)),
        None => Err(misfit("a reason names a rule that the bundle does not declare")),
    }
}

/// The members of an object that has exactly these.
pub(super) fn members<'a, const N: usize>(
    value: &'a Value,
    names: [&str; N],
    what: &str,
) -> Result<[&'a Value; N], Failure> {
    let wrong = || misfit(format!("{what} must be an object of exactly: {}", names.join(", ")));
    let Value::Object(object) = value else { return Err(wrong()) };
    if object.len() != N {
        return Err(wrong());
    }
    let mut found = [value; N];
    for (slot, name) in found.iter_mut().zip(names) {
        *slot = object.get(&Value::from(name)).ok_or_else(wrong)?;
    }
    Ok(found)
}

pub(super) fn text<'a>(value: &'a Value, what: &str) -> Result<&'a str, Failure> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err(misfit(format!("{what} must be a string"))),
    }
}

/// A list, or a set, which partial rules make.
pub(super) fn list<'a>(value: &'a Value, what: &str) -> Result<Vec<&'a Value>, Failure> {
    match value {
        Value::Array(items) => Ok(items.iter().collect()),
        Value::Set(items) => Ok(items.iter_sorted().collect()),
        _ => Err(misfit(format!("{what} must be an array or a set"))),
    }
}

pub(super) fn misfit(text: impl Into<String>) -> Failure {
    Failure::new(Fault::PolicyInvalidResult, text)
}
