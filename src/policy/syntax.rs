//! A walk over the engine's syntax tree.

use regorus::unstable::{Expr, Literal, Query, Ref, Rule, RuleBody, RuleHead, Span};

/// What the walk comes by.
pub(super) enum Visit<'a> {
    /// An expression, before its parts.
    Expr(&'a Expr),
    /// A `with` modifier.
    With(&'a Span),
}

/// Walks a rule: head, bodies, and all within them.
pub(super) fn each(rule: &Rule, visit: &mut dyn FnMut(Visit<'_>)) {
    match rule {
        Rule::Default { args, value, .. } => {
            args.iter().for_each(|arg| expr(arg, visit));
            expr(value, visit);
        }
        Rule::Spec { head, bodies, .. } => {
            head_exprs(head).into_iter().for_each(|part| expr(part, visit));
            for body in bodies {
                self::body(body, visit);
            }
        }
    }
}

/// The expressions of a rule's head.
pub(super) fn head_exprs(head: &RuleHead) -> Vec<&Ref<Expr>> {
    match head {
        RuleHead::Compr { refr, assign, .. } => {
            [refr].into_iter().chain(assign.as_ref().map(|assign| &assign.value)).collect()
        }
        RuleHead::Set { refr, key, .. } => [refr].into_iter().chain(key).collect(),
        RuleHead::Func { refr, args, assign, .. } => [refr]
            .into_iter()
            .chain(args)
            .chain(assign.as_ref().map(|assign| &assign.value))
            .collect(),
    }
}

fn body(body: &RuleBody, visit: &mut dyn FnMut(Visit<'_>)) {
    if let Some(assign) = &body.assign {
        expr(&assign.value, visit);
    }
    query(&body.query, visit);
}

fn query(query: &Query, visit: &mut dyn FnMut(Visit<'_>)) {
    for stmt in &query.stmts {
        for with in &stmt.with_mods {
            visit(Visit::With(&with.span));
            expr(&with.refr, visit);
            expr(&with.r#as, visit);
        }
        literal(&stmt.literal, &mut |part| expr(part, visit));
        if let Literal::Every { query, .. } = &stmt.literal {
            self::query(query, visit);
        }
    }
}

/// The expressions of a literal; not the body of `every`.
pub(super) fn literal(literal: &Literal, each: &mut dyn FnMut(&Ref<Expr>)) {
    match literal {
        Literal::SomeVars { .. } => {}
        Literal::SomeIn { key, value, collection, .. } => {
            key.iter().for_each(&mut *each);
            each(value);
            each(collection);
        }
        Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } => each(expr),
        Literal::Every { domain, .. } => each(domain),
    }
}

/// An expression and all within it.
pub(super) fn expr(expr: &Expr, visit: &mut dyn FnMut(Visit<'_>)) {
    visit(Visit::Expr(expr));
    let (parts, query) = parts(expr);
    for part in parts {
        self::expr(part, visit);
    }
    if let Some(query) = query {
        self::query(query, visit);
    }
}

/// The direct parts of an expression, and the query of a comprehension.
pub(super) fn parts(expr: &Expr) -> (Vec<&Ref<Expr>>, Option<&Ref<Query>>) {
    let parts = match expr {
        Expr::Array { items, .. } | Expr::Set { items, .. } => items.iter().collect(),
        Expr::Object { fields, .. } => {
            fields.iter().flat_map(|(_, key, value)| [key, value]).collect()
        }
        Expr::ArrayCompr { term, query, .. } | Expr::SetCompr { term, query, .. } => {
            return (vec![term], Some(query));
        }
        Expr::ObjectCompr { key, value, query, .. } => return (vec![key, value], Some(query)),
        Expr::Call { fcn, params, .. } => [fcn].into_iter().chain(params).collect(),
        Expr::UnaryExpr { expr, .. } => vec![expr],
        Expr::RefDot { refr, .. } => vec![refr],
        Expr::RefBrack { refr, index, .. } => vec![refr, index],
        Expr::BinExpr { lhs, rhs, .. }
        | Expr::BoolExpr { lhs, rhs, .. }
        | Expr::ArithExpr { lhs, rhs, .. }
        | Expr::AssignExpr { lhs, rhs, .. } => vec![lhs, rhs],
        Expr::Membership { key, value, collection, .. } => {
            key.iter().chain([value, collection]).collect()
        }
        Expr::String { .. }
        | Expr::RawString { .. }
        | Expr::Number { .. }
        | Expr::Bool { .. }
        | Expr::Null { .. }
        | Expr::Var { .. } => Vec::new(),
    };
    (parts, None)
}

/// The first name of a reference and the literal names after it, up to the first computed one.
pub(super) fn root(expr: &Expr) -> (String, Vec<String>) {
    match expr {
        Expr::RefDot { refr, field, .. } => {
            let (root, mut path) = root(refr);
            if is_complete(refr) {
                path.push(field.0.text().to_owned());
            }
            (root, path)
        }
        Expr::RefBrack { refr, index, .. } => {
            let (root, mut path) = root(refr);
            if let (true, Expr::String { value, .. } | Expr::RawString { value, .. }) =
                (is_complete(refr), &**index)
            {
                path.extend(value.as_string().ok().map(ToString::to_string));
            }
            (root, path)
        }
        Expr::Var { span, .. } => (span.text().to_owned(), Vec::new()),
        _ => (String::new(), Vec::new()),
    }
}

/// Whether every name of a reference is a literal.
fn is_complete(expr: &Expr) -> bool {
    match expr {
        Expr::RefDot { refr, .. } => is_complete(refr),
        Expr::RefBrack { refr, index, .. } => {
            matches!(**index, Expr::String { .. } | Expr::RawString { .. }) && is_complete(refr)
        }
        _ => true,
    }
}

/// A reference as written, without its white space.
pub(super) fn text_of(expr: &Expr) -> String {
    expr.span().text().split_whitespace().collect()
}
