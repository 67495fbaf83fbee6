//! Which kinds the rules redact, read off their text, and whether anybody looks for them.
//!
//! The kinds are known beforehand where a rule writes them out or names a place of `data`. Where they
//! are computed, the gate refuses the answer whose decision names a kind that nobody looks for: this
//! here says it earlier and better, and is not the wall.

use std::collections::BTreeSet;

use regorus::Value;
use regorus::unstable::{Expr, Module, Ref, Rule, Span};

use super::kind::Kind;
use super::lint::{literal, member};
use super::problem::{LoadErrors, Problem};
use super::syntax::{self, Visit, each, root, text_of};
use crate::domain::{Announced, How};

/// A kind that a rule redacts, and where it says so.
pub(super) struct Redacting {
    rule: String,
    kind: String,
    file: String,
    span: Span,
}

/// What the rules about answers redact, as far as their text tells.
pub(super) fn of(modules: &[Ref<Module>], data: &Value) -> Vec<Redacting> {
    let mut found = Vec::new();
    let asked =
        |module: &&Ref<Module>| text_of(&module.package.refr) == "portcullis.rules.disclose";
    for module in modules.iter().filter(asked) {
        let file = module.package.span.source.get_path();
        module.policy.iter().for_each(|rule| of_rule(file, rule, data, &mut found));
    }
    found
}

fn of_rule(file: &str, rule: &Rule, data: &Value, found: &mut Vec<Redacting>) {
    each(rule, &mut |visit| {
        let Visit::Expr(Expr::Object { fields, .. }) = visit else { return };
        let Some(redact) = member(fields, "redact") else { return };
        let name = member(fields, "rule").and_then(literal).unwrap_or_default();
        let (at, kinds) = match &**redact {
            Expr::Object { fields, .. } => match member(fields, "kinds") {
                Some(kinds) if !keeps(fields) => (kinds.span(), texts(kinds, data)),
                _ => return,
            },
            whole => (whole.span(), in_data(whole, data).and_then(|it| strings(&it["kinds"]))),
        };
        found.extend(kinds.into_iter().flatten().map(|kind| Redacting {
            rule: name.clone(),
            kind,
            file: file.to_owned(),
            span: at.clone(),
        }));
    });
}

/// Whether a duty leaves what it is about as it is.
fn keeps(fields: &[(Span, Ref<Expr>, Ref<Expr>)]) -> bool {
    let how = fields.iter().find(|(_, key, _)| literal(key).is_some_and(|key| key == "how"));
    how.and_then(|(_, _, how)| literal(how)).is_some_and(|how| how == How::Keep.as_str())
}

/// The texts that an expression always stands for, if that can be seen.
fn texts(expr: &Expr, data: &Value) -> Option<BTreeSet<String>> {
    match expr {
        Expr::Array { items, .. } | Expr::Set { items, .. } => items.iter().map(literal).collect(),
        other => strings(in_data(other, data)?),
    }
}

/// What a reference below `data` finds in the bundle's data.
fn in_data<'a>(expr: &Expr, data: &'a Value) -> Option<&'a Value> {
    let (root, path) = root(expr);
    if root != "data" || !syntax::is_complete(expr) {
        return None;
    }
    path.iter()
        .try_fold(data, |value, step| value.as_object().ok()?.get(&Value::from(step.as_str())))
}

fn strings(value: &Value) -> Option<BTreeSet<String>> {
    let text = |one: &Value| Some(one.as_string().ok()?.to_string());
    match value {
        Value::Array(items) => items.iter().map(text).collect(),
        Value::Set(items) => items.iter().map(text).collect(),
        _ => None,
    }
}

/// What is wrong where kinds are known to be looked for by nobody.
pub(super) fn unseen(rules: &[Redacting], announced: &Announced) -> Vec<Problem> {
    let unseen = rules.iter().filter(|one| !announced.covers(&one.kind));
    let problem = |one: &Redacting| {
        let (rule, kind) = (&one.rule, &one.kind);
        let text = format!(
            "the rule `{rule}` redacts `{kind}`, and no plugin that is loaded looks for that in \
             answers, so nothing would be found; load one that does, correct the kind, or accept it \
             in the configuration: `plugins: {{ without: [{}] }}`",
            if kind == "*" { "'*'" } else { kind }
        );
        Problem::at(Kind::UnseenKind, &one.file, &one.span, text)
    };
    unseen.map(problem).collect()
}

/// What is odd where it is not known which plugins are loaded: kinds that no shipped one finds.
pub(super) fn foreign(rules: &[Redacting], shipped: &Announced) -> Vec<Problem> {
    let foreign = rules.iter().filter(|one| !shipped.covers(&one.kind));
    let problem = |one: &Redacting| {
        let (rule, kind) = (&one.rule, &one.kind);
        let text = format!(
            "the rule `{rule}` redacts `{kind}`, which none of the plugins that come along looks for"
        );
        Problem::at(Kind::ForeignKind, &one.file, &one.span, text)
    };
    foreign.map(problem).collect()
}

/// All that is wrong, as one error.
pub(super) fn check(rules: &[Redacting], announced: &Announced) -> Result<(), LoadErrors> {
    LoadErrors::check(unseen(rules, announced)).map(|_| ())
}
