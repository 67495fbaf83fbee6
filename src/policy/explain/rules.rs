//! The rules of a bundle by their paths, and what their expressions lead to: other rules, and parts
//! of the input.

use std::collections::{BTreeMap, BTreeSet};

use regorus::unstable::{Expr, Module, Ref, Rule, RuleHead, Span};

use super::super::lint;
use super::super::syntax::{References, Visit, each, root, source_of, text_of};
use super::order::Conditions;
use super::probe::Body;

/// All rules that can be part of a decision.
pub(super) struct Rules {
    sites: Vec<Site>,
    by_path: BTreeMap<String, Vec<usize>>,
}

/// One rule where it stands.
#[derive(Clone)]
pub(super) struct Site {
    pub(super) module: Ref<Module>,
    pub(super) rule: Ref<Rule>,
    pub(super) package: String,
    /// Its name within the package.
    pub(super) name: String,
}

impl Rules {
    pub(super) fn of(modules: &[Ref<Module>]) -> Self {
        let mut rules = Self { sites: Vec::new(), by_path: BTreeMap::new() };
        for module in modules {
            let package = text_of(&module.package.refr);
            for rule in &module.policy {
                let (name, _) = root(lint::head(rule));
                let (module, rule, package) = (module.clone(), rule.clone(), package.clone());
                let path = format!("data.{package}.{name}");
                rules.by_path.entry(path).or_default().push(rules.sites.len());
                rules.sites.push(Site { module, rule, package, name });
            }
        }
        rules
    }

    /// The rules of a package with one of these names, in the order of the sources.
    pub(super) fn named(&self, package: &str, names: &[&str]) -> Vec<Site> {
        let is_one = |site: &&Site| site.package == package && names.contains(&&*site.name);
        self.sites.iter().filter(is_one).cloned().collect()
    }

    /// The rules of a path such as `data.access.tools`.
    pub(super) fn at(&self, path: &str) -> impl Iterator<Item = &Site> {
        let numbers = self.by_path.get(path).into_iter().flatten();
        numbers.filter_map(|number| self.sites.get(*number))
    }

    /// The path of the rule that a reference in a module leads to, if it leads to one.
    pub(super) fn resolve(&self, module: &Module, name: &str, path: &[String]) -> Option<String> {
        let (mut names, local) = match (name, imported(module, name)) {
            ("data", _) => (path.to_vec(), false),
            (_, Some(import)) if import.0 == "data" => ([import.1, path.to_vec()].concat(), false),
            _ => (vec![name.to_owned()], true),
        };
        if local {
            let path = format!("data.{}.{name}", text_of(&module.package.refr));
            return self.by_path.contains_key(&path).then_some(path);
        }
        while !names.is_empty() {
            let path = format!("data.{}", names.join("."));
            if self.by_path.contains_key(&path) {
                return Some(path);
            }
            names.pop();
        }
        None
    }

    /// The rules that expressions of a module name, and the paths below `input`.
    pub(super) fn named_by(&self, module: &Module, references: References) -> Named {
        let mut named = Named::default();
        for (name, path) in references.named() {
            let import = imported(module, &name).filter(|(root, _)| root == "input");
            if name == "input" {
                named.inputs.insert(path);
            } else if let Some((_, start)) = import {
                named.inputs.insert([start, path].concat());
            } else if let Some(rule) = self.resolve(module, &name, &path) {
                named.rules.insert(rule);
            }
        }
        named
    }

    /// The paths below `input` that rules read, themselves and through others.
    pub(super) fn inputs_of(&self, paths: &BTreeSet<String>) -> BTreeSet<Vec<String>> {
        let mut inputs = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut open: Vec<String> = paths.iter().cloned().collect();
        while let Some(path) = open.pop() {
            if !seen.insert(path.clone()) {
                continue;
            }
            for site in self.at(&path) {
                let mut references = References::default();
                each(&site.rule, &mut |visit| references.note(&visit));
                let named = self.named_by(&site.module, references);
                inputs.extend(named.inputs);
                open.extend(named.rules);
            }
        }
        inputs
    }
}

/// What expressions name.
#[derive(Default)]
pub(super) struct Named {
    /// Paths of rules.
    pub(super) rules: BTreeSet<String>,
    /// Paths below `input`.
    pub(super) inputs: BTreeSet<Vec<String>>,
}

/// What a name stands for by an import: its first name, and the names after it.
fn imported(module: &Module, name: &str) -> Option<(String, Vec<String>)> {
    module.imports.iter().find_map(|import| {
        let (root, path) = root(&import.refr);
        let known = match &import.r#as {
            Some(alias) => alias.text() == name,
            None => path.last().is_some_and(|last| last == name),
        };
        known.then_some((root, path))
    })
}

impl Site {
    pub(super) fn span(&self) -> &Span {
        self.rule.span()
    }

    /// `file:line` of a span in this rule.
    pub(super) fn at(&self, span: &Span) -> String {
        format!("{}:{}", self.span().source.get_path(), span.line)
    }

    /// The arguments, if it is a function.
    pub(super) fn arguments(&self) -> Option<&[Ref<Expr>]> {
        match &*self.rule {
            Rule::Spec { head: RuleHead::Func { args, .. }, .. } => Some(args),
            _ => None,
        }
    }

    /// What a member of the set is, as written.
    pub(super) fn member(&self) -> Option<&Ref<Expr>> {
        match &*self.rule {
            Rule::Spec { head: RuleHead::Set { key, .. }, .. } => key.as_ref(),
            _ => None,
        }
    }

    /// The name that a member gives itself: the literal `rule`.
    pub(super) fn own_name(&self) -> Option<String> {
        match &**self.member()? {
            Expr::Object { fields, .. } => lint::member(fields, "rule").and_then(lint::literal),
            _ => None,
        }
    }

    /// The bodies, each with what is given if it holds; `else` branches follow in their order.
    /// `values` are the arguments of a function, written as Rego.
    pub(super) fn bodies(&self, values: &[String]) -> Vec<Body> {
        let Rule::Spec { head, bodies, .. } = &*self.rule else { return Vec::new() };
        let of_head = match head {
            RuleHead::Set { refr, key, .. } => source_of(key.as_ref().unwrap_or(refr)),
            RuleHead::Compr { assign, .. } | RuleHead::Func { assign, .. } => {
                assign.as_ref().map_or_else(|| "true".to_owned(), |it| source_of(&it.value))
            }
        };
        let arguments = self.arguments().unwrap_or_default().iter().zip(values);
        let given: Vec<String> = arguments
            .map(|(argument, value)| {
                let sign = if matches!(**argument, Expr::Var { .. }) { ":=" } else { "=" };
                format!("{} {sign} {value}", source_of(argument))
            })
            .collect();
        let body = |query, head: String| Body {
            package: self.package.clone(),
            imports: self.module.imports.iter().map(|it| it.span.text().to_owned()).collect(),
            given: given.clone(),
            conditions: Conditions::of(query),
            head,
        };
        if bodies.is_empty() {
            return vec![body(None, of_head)];
        }
        let heads = bodies.iter().enumerate().map(|(index, body)| match &body.assign {
            Some(assign) => source_of(&assign.value),
            None if index == 0 || !body.is_else => of_head.clone(),
            None => "true".to_owned(),
        });
        let queries = bodies.iter().map(|body| Some(body.query.clone()));
        queries.zip(heads).map(|(query, head)| body(query, head)).collect()
    }
}

/// The references within expressions.
pub(super) fn references<'a>(exprs: impl IntoIterator<Item = &'a Ref<Expr>>) -> References {
    let mut references = References::default();
    for part in exprs {
        super::super::syntax::expr(part, &mut |visit: Visit<'_>| references.note(&visit));
    }
    references
}
