//! The trap of `not`: it is true where the field it looks at is missing.
//!
//! In a rule that allows, and in the helpers it may call, `not input.arguments.state == "published"`
//! also holds for a call without `state`. Found here: a `not` over a field of the input that the
//! document does not always have and that no other condition of the same body names.

use std::collections::BTreeMap;

use regorus::unstable::{Expr, Literal, Query, Ref, Rule, RuleHead, Span};

use super::helpers::{Helpers, longest};
use super::paths;
use super::syntax::{Visit, expr, head_exprs, is_complete, literal, parts, root};
use crate::domain::{Question, Totals};

/// What a rule can name beside the input.
#[derive(Clone, Copy)]
pub(super) struct Beyond<'a> {
    /// The fields behind the rules of the bundle.
    pub(super) helpers: &'a Helpers,
    /// The package that the rule is in.
    pub(super) package: &'a str,
}

/// Every `not` over a field that may be missing, with the field's path below `input`: named there, under
/// another name of the body, or behind a helper.
pub(super) fn unchecked(
    question: Option<Question>,
    rule: &Rule,
    beyond: Beyond<'_>,
) -> Vec<(Span, String)> {
    let Rule::Spec { head, bodies, .. } = rule else { return Vec::new() };
    let may_allow = beyond.helpers.may_allow(beyond.package, rule);
    let beyond = may_allow.then_some(beyond);
    let mut found = Search { always: paths::always(question), beyond, found: Vec::new() };
    let none = Aliases::new();
    let in_head = named(head_exprs(head).into_iter().filter(|_| !is_function(head)), &none);
    let mut inner = Vec::new();
    for part in head_exprs(head) {
        comprehensions(part, &mut inner);
    }
    for body in bodies {
        if let Some(assign) = &body.assign {
            comprehensions(&assign.value, &mut inner);
        }
        found.query(&body.query, &in_head, &none);
    }
    for query in inner {
        found.query(&query, &[], &none);
    }
    found.found
}

const fn is_function(head: &RuleHead) -> bool {
    matches!(head, RuleHead::Func { .. })
}

/// Names of a body that stand for a part of the input.
type Aliases = BTreeMap<String, String>;

struct Search<'a> {
    always: Vec<String>,
    /// What is behind the names of a rule that may let something through.
    beyond: Option<Beyond<'a>>,
    found: Vec<(Span, String)>,
}

impl Search<'_> {
    fn query(&mut self, query: &Query, outer: &[String], aliases: &Aliases) {
        let mut aliases = aliases.clone();
        for stmt in &query.stmts {
            literal(&stmt.literal, &mut |part| alias(part, &mut aliases));
        }
        let aliases = &aliases;
        let mut known = outer.to_vec();
        for stmt in &query.stmts {
            if !matches!(stmt.literal, Literal::NotExpr { .. }) {
                literal(&stmt.literal, &mut |part| known.extend(named([part], aliases)));
            }
        }
        for stmt in &query.stmts {
            if let Literal::NotExpr { span, expr } = &stmt.literal {
                let mut paths = named([expr], aliases);
                paths.extend(self.behind(expr));
                for path in paths {
                    if !self.is_known(&path, &known) {
                        self.found.push((span.clone(), path));
                        // One says what is wrong.
                        break;
                    }
                }
            }
            if let Literal::Every { query, .. } = &stmt.literal {
                self.query(query, &known, aliases);
            }
            let mut inner = Vec::new();
            literal(&stmt.literal, &mut |part| comprehensions(part, &mut inner));
            for query in inner {
                self.query(&query, &known, aliases);
            }
        }
    }

    /// The fields behind the helpers that an expression names.
    fn behind(&self, part: &Ref<Expr>) -> Vec<String> {
        let mut fields = Vec::new();
        let Some(beyond) = self.beyond else { return fields };
        expr(part, &mut |visit| {
            if let Visit::Expr(
                name @ (Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. }),
            ) = visit
            {
                fields.extend(beyond.helpers.behind(beyond.package, name).cloned());
            }
        });
        fields
    }

    fn is_known(&self, path: &str, known: &[String]) -> bool {
        let within = |whole: &str| {
            whole == path || whole.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'))
        };
        // The three fields of a tool come together.
        let of_tool = matches!(path, "tool" | "tool.name" | "tool.effect" | "tool.pinned");
        path.is_empty()
            || is_of_trail(path)
            || self.always.iter().any(|whole| within(whole))
            || known.iter().any(|whole| within(whole))
            || (of_tool && known.iter().any(|whole| whole.split('.').next() == Some("tool")))
    }
}

/// Whether a path is one of the trail's, which every document has.
fn is_of_trail(path: &str) -> bool {
    let parts: Vec<&str> = path.split('.').collect();
    match parts.as_slice() {
        ["trail"] | ["trail", "labels" | "recent" | "minute" | "hour" | "day"] => true,
        ["trail", "minute" | "hour" | "day", name] => {
            Totals::default().named().iter().any(|(known, _)| known == name)
        }
        _ => false,
    }
}

fn comprehensions(part: &Ref<Expr>, found: &mut Vec<Ref<Query>>) {
    let (inner, query) = parts(part);
    found.extend(query.cloned());
    for part in inner {
        comprehensions(part, found);
    }
}

/// `name := input.some.part`.
fn alias(part: &Ref<Expr>, aliases: &mut Aliases) {
    let Expr::AssignExpr { lhs, rhs, .. } = &**part else { return };
    let (Expr::Var { .. }, (first, path)) = (&**lhs, root(rhs)) else { return };
    let (name, _) = root(lhs);
    let within = aliases.get(&first).cloned();
    let is_input = first == "input" && is_complete(rhs);
    if let Some(prefix) = within.or_else(|| is_input.then(String::new)) {
        let prefix = (!prefix.is_empty()).then_some(prefix);
        aliases.insert(name, prefix.into_iter().chain(path).collect::<Vec<_>>().join("."));
    }
}

/// The paths below `input` that expressions name, the longest of each reference.
fn named<'a>(exprs: impl IntoIterator<Item = &'a Ref<Expr>>, aliases: &Aliases) -> Vec<String> {
    let mut paths = Vec::new();
    for part in exprs {
        expr(part, &mut |visit| {
            if let Visit::Expr(reference @ (Expr::RefDot { .. } | Expr::RefBrack { .. })) = visit {
                let (root, path) = root(reference);
                if root == "input" {
                    paths.push(path.join("."));
                } else if let Some(prefix) = aliases.get(&root) {
                    let prefix = (!prefix.is_empty()).then(|| prefix.clone());
                    paths.push(prefix.into_iter().chain(path).collect::<Vec<_>>().join("."));
                }
            }
        });
    }
    longest(&mut paths);
    paths
}
