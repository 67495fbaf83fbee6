//! Assignments that bytecode makes although there is nothing to assign.
//!
//! `one := input.state` ends a body where `state` is missing. Bytecode goes on, with a variable that
//! has no value: most conditions then fail as they should, but `not one == "published"` holds. Found
//! here: an assignment of what may be undefined, to a variable that no plain condition of the same
//! body looks at. The interpreter decides such bundles.

use std::collections::BTreeSet;

use regorus::unstable::{AssignOp, Expr, Literal, Query, Ref, Rule, RuleHead, Span};

use super::builtins;
use super::syntax::{head_exprs, literal, parts, text_of};

/// The first assignment of a rule after which bytecode may go on without a value.
pub(super) fn unguarded(rule: &Rule) -> Option<Span> {
    let Rule::Spec { head, bodies, .. } = rule else { return None };
    let mut params = BTreeSet::new();
    if let RuleHead::Func { args, .. } = head {
        args.iter().for_each(|arg| names(arg, &mut params));
    }
    let of_head = head_exprs(head);
    let mut first = of_head.iter().find_map(|part| within(part, &params));
    for body in bodies {
        let mut given = of_head.clone();
        given.extend(body.assign.as_ref().map(|assign| &assign.value));
        first = first.or_else(|| query(&body.query, &given, &params));
    }
    first
}

/// Looks at a body; `given` are the expressions that it gives, which need their values.
fn query(query: &Query, given: &[&Ref<Expr>], params: &BTreeSet<String>) -> Option<Span> {
    let mut needed = BTreeSet::new();
    given.iter().for_each(|part| names(part, &mut needed));
    for stmt in &query.stmts {
        match &stmt.literal {
            Literal::Expr { expr, .. } if assignment(expr).is_none() => names(expr, &mut needed),
            Literal::SomeIn { collection, .. } => names(collection, &mut needed),
            Literal::Every { domain, .. } => names(domain, &mut needed),
            _ => {}
        }
    }
    query.stmts.iter().find_map(|stmt| {
        if let Literal::Expr { span, expr } = &stmt.literal
            && let Some((to, value)) = assignment(expr)
        {
            let looked_at = matches!(&**to, Expr::Var { span, .. } if needed.contains(span.text()));
            if !looked_at && !is_defined(value, params) {
                return Some(span.clone());
            }
        }
        let mut found = None;
        literal(&stmt.literal, &mut |part| found = found.take().or_else(|| within(part, params)));
        if let Literal::Every { query, .. } = &stmt.literal {
            found = found.or_else(|| self::query(query, &[], params));
        }
        found
    })
}

/// Looks at the bodies of comprehensions within an expression.
fn within(part: &Ref<Expr>, params: &BTreeSet<String>) -> Option<Span> {
    let (inner, body) = parts(part);
    let found = body.and_then(|body| query(body, &inner, params));
    found.or_else(|| inner.into_iter().find_map(|part| within(part, params)))
}

fn assignment(expr: &Expr) -> Option<(&Ref<Expr>, &Ref<Expr>)> {
    match expr {
        Expr::AssignExpr { op: AssignOp::ColEq, lhs, rhs, .. } => Some((lhs, rhs)),
        _ => None,
    }
}

/// The names in an expression, without those that stand only in bodies of comprehensions.
fn names(part: &Expr, found: &mut BTreeSet<String>) {
    if let Expr::Var { span, .. } = part {
        found.insert(span.text().to_owned());
    }
    let (inner, body) = parts(part);
    if body.is_none() {
        inner.into_iter().for_each(|part| names(part, found));
    }
}

/// Whether an expression always has a value, or ends the evaluation.
fn is_defined(part: &Ref<Expr>, params: &BTreeSet<String>) -> bool {
    let all = |parts: Vec<&Ref<Expr>>| parts.into_iter().all(|part| is_defined(part, params));
    match &**part {
        Expr::Var { span, .. } => params.contains(span.text()),
        Expr::RefDot { .. } | Expr::RefBrack { .. } => false,
        Expr::Call { fcn, params: args, .. } => {
            let name = text_of(fcn);
            builtins::is_allowed(&name)
                && !matches!(name.as_str(), "max" | "min")
                && all(args.iter().collect())
        }
        other => {
            let (inner, body) = parts(other);
            body.is_some() || all(inner)
        }
    }
}
