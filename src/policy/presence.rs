//! The trap of `not`: it is true where the field it looks at is missing.
//!
//! In a rule that allows, and in the helpers it may call, `not input.arguments.state == "published"`
//! also holds for a call without `state`. Found here: a `not` over a field of the input that the
//! document does not always have and that no other condition of the same body names.

use regorus::unstable::{Expr, Literal, Query, Ref, Rule, RuleHead, Span};

use super::paths;
use super::syntax::{Visit, expr, head_exprs, literal, parts, root};
use crate::domain::{Question, Totals};

/// Every `not` over a field that may be missing, with the field's path below `input`.
pub(super) fn unchecked(question: Option<Question>, rule: &Rule) -> Vec<(Span, String)> {
    let Rule::Spec { head, bodies, .. } = rule else { return Vec::new() };
    let mut found = Search { always: paths::always(question), found: Vec::new() };
    let in_head = named(head_exprs(head).into_iter().filter(|_| !is_function(head)));
    let mut inner = Vec::new();
    for part in head_exprs(head) {
        comprehensions(part, &mut inner);
    }
    for body in bodies {
        if let Some(assign) = &body.assign {
            comprehensions(&assign.value, &mut inner);
        }
        found.query(&body.query, &in_head);
    }
    for query in inner {
        found.query(&query, &[]);
    }
    found.found
}

const fn is_function(head: &RuleHead) -> bool {
    matches!(head, RuleHead::Func { .. })
}

struct Search {
    always: Vec<String>,
    found: Vec<(Span, String)>,
}

impl Search {
    fn query(&mut self, query: &Query, outer: &[String]) {
        let mut known = outer.to_vec();
        for stmt in &query.stmts {
            if !matches!(stmt.literal, Literal::NotExpr { .. }) {
                literal(&stmt.literal, &mut |part| known.extend(named([part])));
            }
        }
        for stmt in &query.stmts {
            if let Literal::NotExpr { span, expr } = &stmt.literal {
                for path in named([expr]) {
                    if !self.is_known(&path, &known) {
                        self.found.push((span.clone(), path));
                    }
                }
            }
            if let Literal::Every { query, .. } = &stmt.literal {
                self.query(query, &known);
            }
            let mut inner = Vec::new();
            literal(&stmt.literal, &mut |part| comprehensions(part, &mut inner));
            for query in inner {
                self.query(&query, &known);
            }
        }
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

/// The paths below `input` that expressions name, the longest of each reference.
fn named<'a>(exprs: impl IntoIterator<Item = &'a Ref<Expr>>) -> Vec<String> {
    let mut paths = Vec::new();
    for part in exprs {
        expr(part, &mut |visit| {
            if let Visit::Expr(reference @ (Expr::RefDot { .. } | Expr::RefBrack { .. })) = visit {
                let (root, path) = root(reference);
                if root == "input" {
                    paths.push(path.join("."));
                }
            }
        });
    }
    // A reference holds its own beginnings as parts; those say nothing more.
    let all = paths.clone();
    paths.retain(|path| {
        !all.iter().any(|longer| {
            longer.strip_prefix(path.as_str()).is_some_and(|rest| rest.starts_with('.'))
                || (path.is_empty() && !longer.is_empty())
        })
    });
    paths.sort();
    paths.dedup();
    paths
}
