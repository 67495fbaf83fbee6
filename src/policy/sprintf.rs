//! `sprintf`, as OPA does it, for `%s`, `%d`, `%v` and `%%`.
//!
//! The engine's own pads and rounds differently from OPA and writes some values in another way. Here
//! a verb gets what it is for, or the evaluation ends: OPA would write `%!s(int=5)` into the text.
//! The format must be written out in the rule, so that the lint can check it at load.

use regorus::Value;

/// A piece of a format.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    Verb(char),
}

/// The pieces of a format.
fn pieces(format: &str) -> Result<Vec<Piece<'_>>, String> {
    let mut pieces = Vec::new();
    let mut rest = format;
    while let Some((before, after)) = rest.split_once('%') {
        pieces.push(Piece::Text(before));
        let verb = after.chars().next();
        match verb {
            Some('%') => pieces.push(Piece::Text("%")),
            Some(verb @ ('s' | 'd' | 'v')) => pieces.push(Piece::Verb(verb)),
            _ => {
                let shown: String = verb.into_iter().collect();
                return Err(format!("`%{shown}` is not one of `%s`, `%d`, `%v` and `%%`"));
            }
        }
        rest = after.get(1..).unwrap_or_default();
    }
    pieces.push(Piece::Text(rest));
    Ok(pieces)
}

/// How many values a format takes.
pub(super) fn verbs(format: &str) -> Result<usize, String> {
    Ok(pieces(format)?.iter().filter(|piece| matches!(piece, Piece::Verb(_))).count())
}

/// The builtin: a format and an array of values.
pub(super) fn sprintf(args: &[Value]) -> Option<Value> {
    let [Value::String(format), Value::Array(values)] = args else { return None };
    let mut values = values.iter();
    let mut text = String::new();
    for piece in pieces(format).ok()? {
        match piece {
            Piece::Text(part) => text.push_str(part),
            Piece::Verb(verb) => write(verb, values.next()?, &mut text)?,
        }
        if text.len() > super::own::MAX_TEXT {
            return None;
        }
    }
    values.next().is_none().then(|| text.into())
}

fn write(verb: char, value: &Value, out: &mut String) -> Option<()> {
    match (verb, value) {
        ('s' | 'v', Value::String(text)) => out.push_str(text),
        ('d' | 'v', Value::Number(number)) if number.is_integer() => {
            out.push_str(&number.format_decimal());
        }
        ('v', Value::Number(number)) => out.push_str(&float(number.as_f64()?)),
        ('s' | 'v', Value::Number(_) | Value::Undefined) | ('d', _) => return None,
        ('s' | 'v', value) => term(value, out)?,
        _ => return None,
    }
    Some(())
}

/// A value as Rego writes it.
fn term(value: &Value, out: &mut String) -> Option<()> {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) if number.is_integer() => out.push_str(&number.format_decimal()),
        Value::Number(number) => out.push_str(&shortest(number.as_f64()?, 21)),
        Value::String(text) => quoted(text, out),
        Value::Array(items) => list('[', items.iter(), ']', out)?,
        Value::Set(items) if items.is_empty() => out.push_str("set()"),
        Value::Set(items) => list('{', items.iter_sorted(), '}', out)?,
        Value::Object(members) => {
            out.push('{');
            for (number, (key, value)) in members.iter_sorted().enumerate() {
                out.push_str(if number > 0 { ", " } else { "" });
                term(key, out)?;
                out.push_str(": ");
                term(value, out)?;
            }
            out.push('}');
        }
        Value::Undefined => return None,
    }
    (out.len() <= super::own::MAX_TEXT).then_some(())
}

fn list<'a>(
    open: char,
    items: impl Iterator<Item = &'a Value>,
    close: char,
    out: &mut String,
) -> Option<()> {
    out.push(open);
    for (number, item) in items.enumerate() {
        out.push_str(if number > 0 { ", " } else { "" });
        term(item, out)?;
    }
    out.push(close);
    Some(())
}

/// A float in the shortest form that reads back, with an exponent where Go's `%v` has one.
fn float(value: f64) -> String {
    shortest(value, 6)
}

/// The same, with an exponent from so many digits before the point.
fn shortest(value: f64, most: i32) -> String {
    let scientific = format!("{value:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    // Where all digits stand before the point, so many are written out.
    if exponent >= -4 && exponent < most {
        return value.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// A text in double quotes with Go's escapes: what cannot be printed is written by its number.
fn quoted(text: &str, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            letter if is_printable(letter) => out.push(letter),
            letter => {
                let number = u32::from(letter);
                out.push_str(&match number {
                    0..=0x7f => format!("\\x{number:02x}"),
                    0x80..=0xffff => format!("\\u{number:04x}"),
                    _ => format!("\\U{number:08x}"),
                });
            }
        }
    }
    out.push('"');
}

/// Whether a character has a form of its own. The standard library knows, but tells only by escaping;
/// behind another letter it does not escape marks that join with it.
fn is_printable(letter: char) -> bool {
    letter.is_ascii_graphic()
        || letter == ' '
        || ['a', letter].iter().collect::<String>().escape_debug().count() == 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(format: &str, values: &str) -> Option<String> {
        let values = crate::policy::json::read(values).unwrap();
        let said = sprintf(&[Value::from(format), values])?;
        Some(said.as_string().unwrap().to_string())
    }

    #[test]
    fn verbs_write_what_they_are_for() {
        for (format, values, expected) in [
            ("", "[]", Some("")),
            ("100%%", "[]", Some("100%")),
            ("%s of %d: %v", r#"["a", 2, [1, "b\n"]]"#, Some(r#"a of 2: [1, "b\n"]"#)),
            ("%v", "[1.5]", Some("1.5")),
            ("%v", "[1e-7]", Some("1e-07")),
            ("%s", "[null]", Some("null")),
            ("%s", r#"[{"b": true, "a": []}]"#, Some(r#"{"a": [], "b": true}"#)),
            ("é%sé", r#"["ß"]"#, Some("éßé")),
            ("%s", "[1]", None),
            ("%d", "[1.5]", None),
            ("%d", r#"["1"]"#, None),
            ("%s", "[]", None),
            ("", "[1]", None),
            ("%5d", "[1]", None),
            ("%", "[]", None),
        ] {
            assert_eq!(said(format, values).as_deref(), expected, "{format} {values}");
        }
    }

    #[test]
    fn a_result_is_bounded() {
        let long = format!("[\"{}\", \"b\"]", "a".repeat(crate::policy::own::MAX_TEXT));
        assert_eq!(said("%s%s", &long), None);
    }
}
