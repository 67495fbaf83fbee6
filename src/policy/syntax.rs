//! A walk over the engine's syntax tree.

use std::collections::BTreeMap;

use regorus::unstable::{Expr, Literal, LiteralStmt, Query, Ref, Rule, RuleBody, RuleHead, Span};

/// What the walk comes by.
pub(super) enum Visit<'a> {
    /// An expression, before its parts.
    Expr(&'a Expr),
    /// A statement of a body, before its parts.
    Literal(&'a Literal),
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

/// Walks what is evaluated of a rule: the value or key of its head, and its bodies; not its name
/// and parameters.
pub(super) fn evaluated(rule: &Rule, visit: &mut dyn FnMut(Visit<'_>)) {
    match rule {
        Rule::Default { value, .. } => expr(value, visit),
        Rule::Spec { head, bodies, .. } => {
            match head {
                RuleHead::Compr { assign, .. } | RuleHead::Func { assign, .. } => {
                    assign.iter().for_each(|assign| expr(&assign.value, visit));
                }
                RuleHead::Set { key, .. } => key.iter().for_each(|key| expr(key, visit)),
            }
            bodies.iter().for_each(|one| body(one, visit));
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
    query.stmts.iter().for_each(|stmt| statement(stmt, visit));
}

/// A statement of a body and all within it.
pub(super) fn statement(stmt: &LiteralStmt, visit: &mut dyn FnMut(Visit<'_>)) {
    for with in &stmt.with_mods {
        visit(Visit::With(&with.span));
        expr(&with.refr, visit);
        expr(&with.r#as, visit);
    }
    visit(Visit::Literal(&stmt.literal));
    literal(&stmt.literal, &mut |part| expr(part, visit));
    if let Literal::Every { query, .. } = &stmt.literal {
        self::query(query, visit);
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
pub(super) fn is_complete(expr: &Expr) -> bool {
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

/// An expression as written. The engine's spans leave out the quotes of strings at their ends, and
/// of an object all but its last member; its line and column are right.
pub(super) fn source_of(expr: &Expr) -> String {
    let mut strings = Vec::new();
    self::expr(expr, &mut |visit| strings.extend(string(&visit)));
    let mut span = expr.span().clone();
    if let (Expr::Object { .. }, Some(start)) = (expr, offset(&span)) {
        span.start = start;
    }
    written(&span, &strings)
}

/// Where the line and column of a span are in its file.
fn offset(span: &Span) -> Option<u32> {
    let (line, column) = (usize::try_from(span.line).ok()?, usize::try_from(span.col).ok()?);
    let lines = span.source.get_contents().split_inclusive('\n');
    let before: usize = lines.clone().take(line.checked_sub(1)?).map(str::len).sum();
    let text = lines.clone().nth(line.checked_sub(1)?)?;
    let (within, brace) = text.char_indices().nth(column.checked_sub(1)?)?;
    (brace == '{').then(|| u32::try_from(before + within).ok()).flatten()
}

/// A statement of a body as written.
pub(super) fn source_of_statement(statement: &LiteralStmt) -> String {
    let mut strings = Vec::new();
    self::statement(statement, &mut |visit| strings.extend(string(&visit)));
    written(&statement.span, &strings)
}

fn string(visit: &Visit<'_>) -> Option<Span> {
    match visit {
        Visit::Expr(Expr::String { span, .. } | Expr::RawString { span, .. }) => Some(span.clone()),
        _ => None,
    }
}

fn written(span: &Span, strings: &[Span]) -> String {
    let mut span = span.clone();
    if strings.iter().any(|one| one.start == span.start) {
        span.start = span.start.saturating_sub(1);
    }
    if strings.iter().any(|one| one.end == span.end) {
        span.end = span.end.saturating_add(1);
    }
    span.text().to_owned()
}

/// The references that a walk comes by: their first names, and the literal names after them.
#[derive(Default)]
pub(super) struct References(BTreeMap<(String, Vec<String>), i64>);

impl References {
    /// Notes what a walk came by.
    pub(super) fn note(&mut self, visit: &Visit<'_>) {
        let Visit::Expr(expr) = visit else { return };
        // The walk comes by each reference and then by the shorter ones that it is made of. Those
        // are taken off again; what stays stands somewhere for itself.
        if let Expr::RefDot { refr, .. } | Expr::RefBrack { refr, .. } = expr {
            *self.0.entry(root(refr)).or_default() -= 1;
        }
        if let Expr::RefDot { .. } | Expr::RefBrack { .. } | Expr::Var { .. } = expr {
            *self.0.entry(root(expr)).or_default() += 1;
        }
    }

    /// Leaves out what stands in one place for itself.
    pub(super) fn leave_out(&mut self, root: &str, path: &[String], times: i64) {
        *self.0.entry((root.to_owned(), path.to_vec())).or_default() -= times;
    }

    /// How often a name stands for itself, and which literal names follow it elsewhere.
    pub(super) fn uses(&self, name: &str) -> (i64, Vec<&[String]>) {
        let of_name = self.0.iter().filter(|((root, _), count)| root == name && **count > 0);
        let bare = of_name.clone().filter(|((_, path), _)| path.is_empty());
        let bare = bare.map(|(_, count)| *count).sum();
        let paths = of_name.map(|((_, path), _)| path.as_slice());
        (bare, paths.filter(|path| !path.is_empty()).collect())
    }

    /// What stands for itself.
    pub(super) fn named(self) -> impl Iterator<Item = (String, Vec<String>)> {
        self.0.into_iter().filter(|(_, count)| *count > 0).map(|(reference, _)| reference)
    }
}
