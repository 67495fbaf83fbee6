//! What is checked of calls and patterns in every rule, beside the list of builtins.
//!
//! Some builtins are sound only with arguments that stand in the rule: a range or a shift of an
//! agent's choice fills the memory before any clock is asked; a regular expression with `\w` is read
//! by Unicode here and by ASCII in OPA; the format of `sprintf` decides what its values may be. And
//! the engine matches patterns of objects that OPA does not match, and gives `in` a value where OPA
//! has none.

use regorus::Value;
use regorus::unstable::{AssignOp, Expr, Literal, Ref, Rule, RuleHead, Span};

use super::sprintf;
use super::syntax::{Visit, each, text_of};

/// The most elements of a range.
const MOST_ELEMENTS: i64 = 10_000;

/// The furthest shift to the left.
const MOST_BITS: i64 = 63;

/// What is wrong with calls and patterns of a rule.
pub(super) fn check(rule: &Rule) -> Vec<(Span, String)> {
    let mut found = Vec::new();
    if let Rule::Spec { head: RuleHead::Func { args, .. }, .. } = rule {
        args.iter().for_each(|arg| pattern(arg, &mut found));
    }
    let mut conditions = Vec::new();
    each(rule, &mut |visit| match visit {
        Visit::Literal(Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. }) => {
            conditions.push(place(expr));
        }
        Visit::Expr(part @ Expr::Membership { span, .. }) if !conditions.contains(&place(part)) => {
            let text = "`in` as a value is false where the value is missing, in OPA it has none \
                        then: write it as a condition of its own";
            found.push((span.clone(), text.to_owned()));
        }
        Visit::Literal(Literal::SomeIn { key, value, .. }) => {
            key.iter().chain([value]).for_each(|part| pattern(part, &mut found));
        }
        Visit::Expr(Expr::AssignExpr { op, lhs, rhs, .. }) => {
            pattern(lhs, &mut found);
            if matches!(op, AssignOp::Eq) {
                pattern(rhs, &mut found);
            }
        }
        Visit::Expr(Expr::Call { span, fcn, params, .. }) => {
            if let Some(text) = call(&text_of(fcn), params) {
                found.push((span.clone(), text));
            }
        }
        _ => {}
    });
    found
}

/// Where an expression stands.
fn place(part: &Expr) -> (u32, u32) {
    (part.span().start, part.span().end)
}

/// An object with a variable in it, where values are taken apart.
fn pattern(part: &Expr, found: &mut Vec<(Span, String)>) {
    match part {
        Expr::Array { items, .. } => items.iter().for_each(|item| pattern(item, found)),
        Expr::Object { span, fields, .. } => {
            let is_var = |part: &Ref<Expr>| matches!(&**part, Expr::Var { .. });
            if fields.iter().any(|(_, key, value)| is_var(key) || is_var(value)) {
                let text = "the engine matches such an object otherwise than OPA: take its members \
                            apart by name (`x := object.member`), or compare by `==`";
                found.push((span.clone(), text.to_owned()));
            }
            fields.iter().for_each(|(_, _, value)| pattern(value, found));
        }
        _ => {}
    }
}

/// What is wrong with the arguments of a builtin.
fn call(name: &str, args: &[Ref<Expr>]) -> Option<String> {
    match (name, args) {
        ("numbers.range", [from, to, ..]) => {
            let elements =
                integer(from).zip(integer(to)).and_then(|(from, to)| to.checked_sub(from));
            let few = elements.is_some_and(|span| span.abs() < MOST_ELEMENTS);
            (!few).then(|| {
                format!(
                    "`{name}` needs two numbers that are written out, with {MOST_ELEMENTS} \
                     elements at most"
                )
            })
        }
        ("bits.lsh", [_, shift, ..]) => {
            let near = integer(shift).is_some_and(|shift| (0..=MOST_BITS).contains(&shift));
            (!near)
                .then(|| format!("`{name}` needs a shift of 0 to {MOST_BITS} that is written out"))
        }
        ("sprintf", [format, values, ..]) => {
            let Some(format) = text(format) else {
                return Some(format!("the format of `{name}` must be written out as a text"));
            };
            match (sprintf::verbs(&format), &**values) {
                (Err(why), _) => Some(format!("`{name}`: {why}")),
                (Ok(verbs), Expr::Array { items, .. }) if items.len() != verbs => {
                    Some(format!("`{name}` has {} value(s) for {verbs} verb(s)", items.len()))
                }
                _ => None,
            }
        }
        ("regex.match" | "regex.replace" | "regex.split", args) => {
            // `replace` takes the text first.
            let pattern = args.get(usize::from(name == "regex.replace"))?;
            let Some(pattern) = text(pattern) else {
                return Some(format!("the pattern of `{name}` must be written out as a text"));
            };
            unportable(&pattern).map(|why| format!("`{name}`: {why}"))
        }
        _ => None,
    }
}

/// What of a regular expression the engine and OPA read differently.
fn unportable(pattern: &str) -> Option<String> {
    let mut letters = pattern.chars().peekable();
    let mut class = false;
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some(sign) if sign.is_ascii_punctuation() && !matches!(sign, '<' | '>') => {}
                Some('a' | 'f' | 't' | 'n' | 'r' | 'v' | 'A' | 'z' | 'x' | 'p' | 'P') => {}
                Some(sign) => {
                    return Some(format!(
                        "`\\{sign}` is read differently by OPA: write a class such as `[0-9]`, \
                         `[A-Za-z0-9_]` or `[ \\t\\r\\n]`"
                    ));
                }
                None => {}
            },
            '[' if class && letters.peek() != Some(&':') => {
                return Some(String::from("write `\\[` for a bracket inside of a class"));
            }
            '[' if class => {
                // A class by name, such as `[:alpha:]`.
                while letters.next().is_some_and(|letter| letter != ']') {}
            }
            '[' => {
                class = true;
                letters.next_if_eq(&'^');
                letters.next_if_eq(&']');
            }
            ']' => class = false,
            '&' | '~' | '-' if class && letters.peek() == Some(&letter) => {
                return Some(format!("`{letter}{letter}` in a class is read differently by OPA"));
            }
            '*' | '+' | '?' | '}' if !class && matches!(letters.peek(), Some('*' | '+' | '{')) => {
                return Some(String::from("one repetition of another is an error in OPA"));
            }
            '(' if letters.next_if_eq(&'?').is_some() => {
                let flags = |letter: &char| matches!(letter, 'i' | 'm' | 's' | '-');
                while letters.next_if(flags).is_some() {}
                if !matches!(letters.peek(), Some(':' | ')' | 'P')) {
                    return Some(String::from(
                        "of the groups that begin with `(?` only `(?:...)`, `(?P<name>...)` and \
                         the flags `i`, `m`, `s` are the same in OPA",
                    ));
                }
            }
            _ => {}
        }
    }
    None
}

fn text(part: &Ref<Expr>) -> Option<String> {
    match &**part {
        Expr::String { value: Value::String(text), .. }
        | Expr::RawString { value: Value::String(text), .. } => Some(text.to_string()),
        _ => None,
    }
}

fn integer(part: &Ref<Expr>) -> Option<i64> {
    match &**part {
        Expr::Number { value, .. } => value.as_i64().ok(),
        Expr::UnaryExpr { expr, .. } => integer(expr).and_then(i64::checked_neg),
        _ => None,
    }
}
