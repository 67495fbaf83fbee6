//! What the rules of a bundle look at through each other: the fields of the input behind a name.
//!
//! A condition such as `not is_public` looks at whatever `is_public` looks at, however many helpers are
//! between. Which of several bodies was used is not asked: all of them count.

use std::collections::{BTreeMap, BTreeSet};

use regorus::unstable::{Expr, Rule};

use super::lint::{Parsed, head};
use super::syntax::{Visit, evaluated, root, text_of};

/// The fields behind every rule, by package and name: `portcullis.rules.admit.is_public`.
#[derive(Default)]
pub(super) struct Helpers(BTreeMap<String, Behind>);

#[derive(Default)]
struct Behind {
    fields: BTreeSet<String>,
    rules: BTreeSet<String>,
}

impl Helpers {
    /// Of all modules of a bundle.
    pub(super) fn of(modules: &[Parsed<'_>]) -> Self {
        let mut all = Self::default();
        for parsed in modules {
            let package = text_of(&parsed.module.package.refr);
            for rule in &parsed.module.policy {
                let (name, _) = root(head(rule));
                let behind = all.0.entry(format!("{package}.{name}")).or_default();
                look(&package, rule, behind);
            }
        }
        all.close();
        all
    }

    /// What follows from what, until nothing more does.
    fn close(&mut self) {
        loop {
            let mut more: Vec<(String, String)> = Vec::new();
            for (name, behind) in &self.0 {
                let inner = behind.rules.iter().filter_map(|rule| self.0.get(rule));
                for field in inner.flat_map(|inner| &inner.fields) {
                    if !behind.fields.contains(field) {
                        more.push((name.clone(), field.clone()));
                    }
                }
            }
            if more.is_empty() {
                return;
            }
            for (name, field) in more {
                self.0.entry(name).or_default().fields.insert(field);
            }
        }
    }

    /// Whether a rule that lets something through looks at this one.
    pub(super) fn may_allow(&self, package: &str, rule: &Rule) -> bool {
        let (name, _) = root(head(rule));
        let wanted = format!("{package}.{name}");
        let lets = |name: &str| name.ends_with(".allow") || name.ends_with(".show");
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut next: Vec<&str> = self.0.keys().map(String::as_str).filter(|it| lets(it)).collect();
        while let Some(name) = next.pop() {
            if name == wanted {
                return true;
            }
            if seen.insert(name) {
                next.extend(
                    self.0.get(name).into_iter().flat_map(|it| &it.rules).map(String::as_str),
                );
            }
        }
        false
    }

    /// The fields behind a reference that a module of `package` makes; none if it names no rule.
    pub(super) fn behind(&self, package: &str, reference: &Expr) -> impl Iterator<Item = &String> {
        let names = named(package, reference);
        let found = names.into_iter().find_map(|name| self.0.get(&name));
        found.into_iter().flat_map(|behind| &behind.fields)
    }
}

/// The rules that a reference may name: one of its own package, or one by its whole path.
fn named(package: &str, reference: &Expr) -> Vec<String> {
    let (first, path) = root(reference);
    if first != "data" {
        return vec![format!("{package}.{first}")];
    }
    // The longest first: what comes behind a rule's name are parts of its value.
    (1..=path.len()).rev().filter_map(|n| Some(path.get(..n)?.join("."))).collect()
}

/// The longest of paths of which some begin others: a reference holds its own beginnings as parts, and
/// those say nothing more.
pub(super) fn longest(paths: &mut Vec<String>) {
    let all = paths.clone();
    paths.retain(|path| {
        !all.iter().any(|longer| {
            longer.strip_prefix(path.as_str()).is_some_and(|rest| rest.starts_with('.'))
                || (path.is_empty() && !longer.is_empty())
        })
    });
    paths.sort();
    paths.dedup();
}

fn look(package: &str, rule: &Rule, behind: &mut Behind) {
    let mut fields = Vec::new();
    evaluated(rule, &mut |visit| {
        let Visit::Expr(part @ (Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. })) =
            visit
        else {
            return;
        };
        let (first, path) = root(part);
        match first.as_str() {
            "input" => fields.push(path.join(".")),
            _ => behind.rules.extend(named(package, part)),
        }
    });
    longest(&mut fields);
    behind.fields.extend(fields);
}
