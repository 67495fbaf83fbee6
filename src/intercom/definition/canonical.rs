//! One text for all spellings of a JSON value: keys sorted, strings escaped in one way.
//!
//! Close to RFC 8785, but numbers keep their spelling, so that `1` and `1.0` differ: a difference
//! too many is looked at by a person, a difference too few is not. Keys are sorted by code point.

use crate::domain::JsonText;
use crate::intercom::text::is_hidden;
use crate::mcp::json::{self, Kind, Object};

/// How the canonical text is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::intercom) enum Layout {
    /// No whitespace: for digests.
    Compact,
    /// Two spaces a level, hidden characters escaped: for people.
    Pretty,
}

/// The canonical text of a value that the strict reader accepted (which bounds the recursion).
pub(in crate::intercom) fn write(value: &JsonText, layout: Layout) -> String {
    let mut out = String::with_capacity(value.as_str().len());
    append(value, layout, 0, &mut out);
    out
}

fn append(value: &JsonText, layout: Layout, level: usize, out: &mut String) {
    match json::kind(value) {
        Kind::Object => {
            let object = Object::parse(value);
            let mut members: Vec<_> = object.iter().flat_map(Object::iter).collect();
            members.sort_unstable_by_key(|(key, _)| *key);
            list(('{', '}'), members, layout, level, out, |(key, member), out| {
                string(key, layout, out);
                out.push_str(if layout == Layout::Pretty { ": " } else { ":" });
                append(member, layout, level + 1, out);
            });
        }
        Kind::Array => {
            let elements = json::elements(value).unwrap_or_default();
            list(('[', ']'), elements, layout, level, out, |element, out| {
                append(&element, layout, level + 1, out);
            });
        }
        Kind::String => string(&json::as_str(value).unwrap_or_default(), layout, out),
        _ => out.push_str(value.as_str()),
    }
}

fn list<T>(
    (open, close): (char, char),
    parts: Vec<T>,
    layout: Layout,
    level: usize,
    out: &mut String,
    part: impl Fn(T, &mut String),
) {
    let line = |level: usize, out: &mut String| {
        if layout == Layout::Pretty {
            out.push('\n');
            out.extend(std::iter::repeat_n("  ", level));
        }
    };
    let empty = parts.is_empty();
    out.push(open);
    for (at, one) in parts.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        line(level + 1, out);
        part(one, out);
    }
    if !empty {
        line(level, out);
    }
    out.push(close);
}

fn string(text: &str, layout: Layout, out: &mut String) {
    use std::fmt::Write as _;
    let quoted = json::quote(text);
    if layout == Layout::Compact {
        out.push_str(quoted.as_str());
        return;
    }
    for c in quoted.as_str().chars() {
        if is_hidden(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
}
