//! One condition of a body: which of its parts have values worth seeing, and what would have to
//! differ for it to hold, in plain words.

use regorus::Value;
use regorus::unstable::{AssignOp, BoolOp, Expr, Literal, LiteralStmt, Query, Ref};

use super::super::syntax::{literal, parts, source_of, source_of_statement};
use super::probe::Seen;
use super::shown;

/// A condition, seen as what it asks for.
pub(super) struct Condition {
    kind: Kind,
    operands: Vec<Operand>,
    calls: Vec<Called>,
}

/// A call within a condition, with its arguments as written.
struct Called {
    function: Ref<Expr>,
    arguments: Vec<String>,
}

/// A call within a condition, with the values of its arguments.
pub(super) struct Call<'a> {
    pub(super) function: &'a Ref<Expr>,
    pub(super) arguments: Vec<&'a Value>,
}

/// A part of a condition.
struct Operand {
    /// As written.
    text: String,
    /// Written out in the rule: it cannot differ.
    is_literal: bool,
}

enum Kind {
    /// `a == b` and the like, with the words of what is asked.
    Compares(&'static str),
    /// `a in b`
    Member,
    /// `some x in b`
    Some,
    /// `x := b`, `x = b`
    Assigns,
    /// `every x in b { ... }`; the second operand are the elements that fail.
    Every,
    /// A reference, a call: there, and not false.
    Holds,
    /// `f(a, b)`; the operands are the arguments.
    Call(String),
    /// `not ...`; whether what must fail is a mere reference.
    Not(String, bool),
    /// Nothing that can fail.
    Nothing,
}

impl Condition {
    pub(super) fn of(stmt: &LiteralStmt) -> Self {
        let (kind, operands) = match &stmt.literal {
            Literal::SomeVars { .. } => (Kind::Nothing, Vec::new()),
            Literal::SomeIn { collection, .. } => (Kind::Some, vec![Operand::of(collection)]),
            Literal::Every { key, value, domain, query, .. } => {
                let key = key.as_ref().map(|key| format!("{}, ", key.text())).unwrap_or_default();
                let failing =
                    Operand { text: failing(&key, value.text(), domain, query), is_literal: false };
                (Kind::Every, vec![Operand::of(domain), failing])
            }
            Literal::NotExpr { expr, .. } => {
                let (inner, operands) = of_expr(expr);
                (Kind::Not(source_of(expr), matches!(inner, Kind::Holds)), operands)
            }
            Literal::Expr { expr, .. } => of_expr(expr),
        };
        let mut calls = Vec::new();
        literal(&stmt.literal, &mut |part| self::calls(part, &mut calls));
        Self { kind, operands, calls }
    }

    /// The expressions whose values tell why the condition does not hold: its operands, and then
    /// the arguments of its calls.
    pub(super) fn operands(&self) -> Vec<&str> {
        let arguments = self.calls.iter().flat_map(|call| &call.arguments);
        let operands = self.operands.iter().map(|operand| &operand.text);
        operands.chain(arguments).map(String::as_str).collect()
    }

    /// The calls whose arguments all have values.
    pub(super) fn calls<'a>(&'a self, seen: &'a Seen) -> Vec<Call<'a>> {
        let mut values = seen.operands.iter().skip(self.operands.len());
        let with_values = |call: &'a Called| {
            let arguments: Vec<_> = values.by_ref().take(call.arguments.len()).collect();
            let arguments = arguments.into_iter().map(Option::as_ref).collect::<Option<_>>()?;
            Some(Call { function: &call.function, arguments })
        };
        // Each takes its own values, whether or not all are there.
        self.calls.iter().map(with_values).collect::<Vec<_>>().into_iter().flatten().collect()
    }

    /// The operands with what they are, without those written out in the rule.
    pub(super) fn values<'a>(&'a self, seen: &'a Seen) -> Vec<(&'a str, Option<&'a Value>)> {
        let operands = self.operands.iter().zip(&seen.operands);
        let shown = match self.kind {
            // The failing elements are told in words.
            Kind::Every => 1,
            _ => usize::MAX,
        };
        operands
            .take(shown)
            .filter(|(operand, _)| !operand.is_literal)
            .map(|(operand, value)| (operand.text.as_str(), value.as_ref()))
            .collect()
    }

    /// What would have to differ, for one way in which the conditions before hold.
    pub(super) fn need(&self, seen: &Seen) -> String {
        let operands: Vec<(&Operand, Option<&Value>)> =
            self.operands.iter().zip(seen.operands.iter().map(Option::as_ref)).collect();
        if !matches!(self.kind, Kind::Not(..)) {
            let absent: Vec<String> = operands
                .iter()
                .filter(|(_, value)| value.is_none())
                .map(|(operand, _)| format!("`{}`", operand.text))
                .collect();
            if !absent.is_empty() {
                return format!("{} would have to be there", absent.join(" and "));
            }
        }
        match (&self.kind, operands.as_slice()) {
            (Kind::Compares(words), [left, right]) => compared(words, left, right),
            (Kind::Member, [value, collection]) => member(value, collection),
            (Kind::Some, [(collection, Some(value))]) => some(collection, value),
            (Kind::Every, [_, (_, Some(failing))]) => {
                format!("it would have to hold for {} too", elements(failing))
            }
            (Kind::Call(function), _) => {
                format!(
                    "`{function}` would have to give something else than false for these values"
                )
            }
            (Kind::Holds, [(operand, _)]) => format!("`{}` would have to be true", operand.text),
            (Kind::Assigns, _) => String::from("both sides would have to be equal"),
            _ => self.need_unseen(),
        }
    }

    /// What is said where no way to the condition was seen.
    pub(super) fn need_unseen(&self) -> String {
        match &self.kind {
            Kind::Not(inner, true) => {
                format!("`{}` would have to be false, or not there", one_line(inner))
            }
            Kind::Not(inner, false) => format!("`{}` must not hold", one_line(inner)),
            _ => String::from("it would have to hold"),
        }
    }
}

impl Operand {
    fn of(expr: &Ref<Expr>) -> Self {
        Self { text: source_of(expr), is_literal: is_literal(expr) }
    }
}

/// The calls of an expression, outside of its comprehensions, whose variables have no value here.
fn calls(expr: &Ref<Expr>, found: &mut Vec<Called>) {
    if let Expr::Call { fcn, params, .. } = &**expr {
        let arguments = params.iter().map(|param| source_of(param)).collect();
        found.push(Called { function: fcn.clone(), arguments });
    }
    let (parts, query) = parts(expr);
    if query.is_none() {
        parts.into_iter().for_each(|part| calls(part, found));
    }
}

fn of_expr(expr: &Ref<Expr>) -> (Kind, Vec<Operand>) {
    match &**expr {
        Expr::BoolExpr { op, lhs, rhs, .. } => {
            (Kind::Compares(words(op)), vec![Operand::of(lhs), Operand::of(rhs)])
        }
        Expr::Membership { value, collection, .. } => {
            (Kind::Member, vec![Operand::of(value), Operand::of(collection)])
        }
        Expr::AssignExpr { op: AssignOp::ColEq, rhs, .. } => {
            (Kind::Assigns, vec![Operand::of(rhs)])
        }
        // Either side may hold a variable that is bound here.
        Expr::AssignExpr { lhs, rhs, .. } => {
            let sides = [lhs, rhs].into_iter().filter(|side| !is_variable(side));
            (Kind::Assigns, sides.map(Operand::of).collect())
        }
        Expr::Call { fcn, params, .. } => {
            let function = source_of(fcn);
            (Kind::Call(function), params.iter().map(Operand::of).collect())
        }
        _ => (Kind::Holds, vec![Operand::of(expr)]),
    }
}

const fn words(op: &BoolOp) -> &'static str {
    match op {
        BoolOp::Eq => "equal to",
        BoolOp::Ne => "different from",
        BoolOp::Lt => "less than",
        BoolOp::Le => "at most",
        BoolOp::Ge => "at least",
        BoolOp::Gt => "more than",
    }
}

fn is_variable(expr: &Expr) -> bool {
    matches!(expr, Expr::Var { .. })
}

fn is_literal(expr: &Expr) -> bool {
    match expr {
        Expr::String { .. }
        | Expr::RawString { .. }
        | Expr::Number { .. }
        | Expr::Bool { .. }
        | Expr::Null { .. } => true,
        Expr::Array { items, .. } | Expr::Set { items, .. } => {
            items.iter().all(|item| is_literal(item))
        }
        Expr::Object { fields, .. } => {
            fields.iter().all(|(_, key, value)| is_literal(key) && is_literal(value))
        }
        _ => false,
    }
}

/// The elements of a domain for which the body of `every` does not hold.
fn failing(key: &str, value: &str, domain: &Expr, query: &Query) -> String {
    let body: Vec<String> = query.stmts.iter().map(source_of_statement).collect();
    format!(
        "[{value} |\n\tsome {key}{value} in {}\n\tcount([1 |\n\t{}\n\t]) == 0\n\t]",
        source_of(domain),
        body.join("\n\t")
    )
}

fn compared(
    words: &str,
    (left, left_value): &(&Operand, Option<&Value>),
    (right, right_value): &(&Operand, Option<&Value>),
) -> String {
    let shown = |value: &Option<&Value>| value.map(shown::short).unwrap_or_default();
    match (left.is_literal, right.is_literal) {
        (_, true) => {
            format!("`{}` would have to be{} {}", left.text, bare(words), shown(right_value))
        }
        (true, _) => {
            let words = bare(turned(words));
            format!("`{}` would have to be{words} {}", right.text, shown(left_value))
        }
        _ => format!("`{}` would have to be {words} `{}`", left.text, right.text),
    }
}

/// What stands before a value that is written out.
fn bare(words: &str) -> String {
    if words == "equal to" { String::new() } else { format!(" {words}") }
}

/// A comparison read from its right side.
fn turned(words: &str) -> &str {
    match words {
        "less than" => "more than",
        "at most" => "at least",
        "at least" => "at most",
        "more than" => "less than",
        same => same,
    }
}

fn member(
    (value, is): &(&Operand, Option<&Value>),
    (collection, holds): &(&Operand, Option<&Value>),
) -> String {
    let shown = |value: &Option<&Value>| value.map(shown::short).unwrap_or_default();
    match (value.is_literal, collection.is_literal) {
        (_, true) => format!("`{}` would have to be one of {}", value.text, shown(holds)),
        _ => format!("`{}` would have to hold {}", collection.text, shown(is)),
    }
}

fn some(collection: &Operand, value: &Value) -> String {
    if is_empty(value) {
        format!("`{}` would have to hold something", collection.text)
    } else {
        format!("`{}` would have to hold something of that form", collection.text)
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Set(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => true,
    }
}

fn elements(failing: &Value) -> String {
    match failing {
        Value::Array(items) if items.len() == 1 => {
            items.first().map(shown::short).unwrap_or_default()
        }
        other => format!("each of {}", shown::short(other)),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
