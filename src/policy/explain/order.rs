//! The conditions of a body in the order in which they can be asked.
//!
//! A body may use a variable before the condition that gives it a value; the engine then asks in
//! another order than is written, and so do the probes.

use std::collections::BTreeSet;

use regorus::unstable::{AssignOp, Expr, Literal, LiteralStmt, Query, Ref};

use super::super::syntax::{Visit, expr, literal, statement};

/// The conditions of a body.
#[derive(Clone)]
pub(super) struct Conditions {
    query: Option<Ref<Query>>,
    order: Vec<usize>,
}

impl Conditions {
    pub(super) fn of(query: Option<Ref<Query>>) -> Self {
        let mut waiting: Vec<(usize, Names)> =
            statements(query.as_ref()).iter().map(Names::of).enumerate().collect();
        let mut order = Vec::new();
        let mut bound = BTreeSet::new();
        while !waiting.is_empty() {
            let is_ready = |(number, names): &(usize, Names)| {
                let unbound = names
                    .used
                    .iter()
                    .filter(|name| !bound.contains(*name) && !names.bound.contains(*name));
                let comes = |name: &String| {
                    waiting.iter().any(|(other, it)| other != number && it.bound.contains(name))
                };
                !unbound.into_iter().any(comes)
            };
            let next = waiting.iter().position(is_ready).unwrap_or(0);
            let (number, names) = waiting.remove(next);
            bound.extend(names.bound);
            order.push(number);
        }
        Self { query, order }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &LiteralStmt> {
        let statements = statements(self.query.as_ref());
        self.order.iter().filter_map(|number| statements.get(*number))
    }

    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    pub(super) fn get(&self, index: usize) -> Option<&LiteralStmt> {
        self.iter().nth(index)
    }
}

fn statements(query: Option<&Ref<Query>>) -> &[LiteralStmt] {
    query.map_or(&[], |query| &query.stmts)
}

/// The variables of one condition.
struct Names {
    /// Those that appear.
    used: BTreeSet<String>,
    /// Those that it can give a value.
    bound: BTreeSet<String>,
}

impl Names {
    fn of(stmt: &LiteralStmt) -> Self {
        let mut used = BTreeSet::new();
        statement(stmt, &mut |visit| {
            if let Visit::Expr(Expr::Var { span, .. }) = visit {
                used.insert(span.text().to_owned());
            }
        });
        let mut bound: BTreeSet<String> = named_by(stmt).into_iter().collect();
        if !matches!(stmt.literal, Literal::NotExpr { .. }) {
            literal(&stmt.literal, &mut |part| {
                if let Expr::AssignExpr { op: AssignOp::Eq, lhs, rhs, .. } = &**part {
                    bound.extend([lhs, rhs].into_iter().flat_map(|side| pattern(side)));
                }
                expr(part, &mut |visit| {
                    if let Visit::Expr(Expr::RefBrack { index, .. }) = visit {
                        bound.extend(pattern(index));
                    }
                });
            });
        }
        Self { used, bound }
    }
}

/// The variables to which a condition gives a name of its own (`some x in`, `x :=`).
pub(super) fn named_by(stmt: &LiteralStmt) -> Vec<String> {
    match &stmt.literal {
        Literal::SomeIn { key, value, .. } => {
            key.iter().chain([value]).flat_map(|part| pattern(part)).collect()
        }
        Literal::Expr { expr, .. } => match &**expr {
            Expr::AssignExpr { op: AssignOp::ColEq, lhs, .. } => pattern(lhs),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// The variables of a pattern: itself, or within arrays and objects.
fn pattern(expr: &Expr) -> Vec<String> {
    match expr {
        Expr::Var { span, .. } => {
            let name = span.text();
            let own = !matches!(name, "_" | "input" | "data");
            own.then(|| name.to_owned()).into_iter().collect()
        }
        Expr::Array { items, .. } => items.iter().flat_map(|item| pattern(item)).collect(),
        Expr::Object { fields, .. } => {
            fields.iter().flat_map(|(_, _, value)| pattern(value)).collect()
        }
        _ => Vec::new(),
    }
}
