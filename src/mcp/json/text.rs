//! Questions to one accepted value, and the light skipper that cuts it into parts.
//!
//! All of it stands on the reader having accepted the text: nothing here validates again. On text that
//! nobody accepted the answers are `None` or nonsense, but never a panic.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;

use super::Kind;
use super::reader::kind_at;
use super::scan::{next_special, special_in};
use crate::domain::JsonText;

/// What the value is.
#[must_use]
pub fn kind(text: &JsonText) -> Kind {
    let bytes = text.bytes();
    kind_at(bytes.get(skip_space(bytes, 0)).copied())
}

/// The decoded string, if the value is one; borrowed if it has no escapes.
#[must_use]
pub fn as_str(text: &JsonText) -> Option<Cow<'_, str>> {
    let quoted = text.bytes().trim_ascii();
    let inner = quoted.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    if memchr::memchr(b'\\', inner).is_some() {
        return decode(quoted).map(Cow::Owned);
    }
    std::str::from_utf8(inner).ok().map(Cow::Borrowed)
}

/// The truth value, if the value is one.
#[must_use]
pub fn as_bool(text: &JsonText) -> Option<bool> {
    match text.bytes().trim_ascii() {
        b"true" => Some(true),
        b"false" => Some(false),
        _ => None,
    }
}

/// The integer, if the value is a number without fraction that fits: `1`, `1.0` and `1e0` are one.
/// Forms with a point or an exponent count only up to 2^53, where they are exact.
#[must_use]
pub fn as_i64(text: &JsonText) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let digits = std::str::from_utf8(text.bytes().trim_ascii()).ok()?;
    if let Ok(integer) = digits.parse() {
        // `parse` would also take a leading plus.
        return if digits.starts_with('+') { None } else { Some(integer) };
    }
    let float = as_f64(text)?;
    #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and within 2^53")]
    (float.fract() == 0.0 && float.abs() <= EXACT).then_some(float as i64)
}

/// The number, if the value is one, rounded to double precision.
#[must_use]
pub fn as_f64(text: &JsonText) -> Option<f64> {
    let digits = std::str::from_utf8(text.bytes().trim_ascii()).ok()?;
    // `parse` would also take `inf`, `nan` and a leading plus.
    let number = digits.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    number.then(|| digits.parse().ok()).flatten().filter(|value: &f64| value.is_finite())
}

/// Whether the value is `null`.
#[must_use]
pub fn is_null(text: &JsonText) -> bool {
    text.bytes().trim_ascii() == b"null"
}

/// A string as JSON.
#[must_use]
pub fn quote(text: &str) -> JsonText {
    JsonText::of(text)
}

/// Appends a string as JSON.
pub(crate) fn push_quoted(out: &mut Vec<u8>, text: &str) {
    // INVARIANT: writing a string to memory cannot fail.
    let _ = serde_json::to_writer(out, text);
}

/// Whether an object somewhere in the text may have one of these keys, or have one of `flags` with
/// another value than `false`. `false` is certain: an unescaped quote ends a string wherever it
/// stands, so a quoted name can be nothing but a string of its own, and without `\\u` escapes no other
/// spelling of it is there. Much cheaper than splitting, for keys that large answers rarely have.
#[must_use]
pub fn may_say(text: &JsonText, keys: &[&str], flags: &[&str]) -> bool {
    let bytes = text.bytes();
    let raised = |flag: &&str| {
        let name = [b"\"", flag.as_bytes(), b"\""].concat();
        memchr::memmem::find_iter(bytes, &name).any(|at| !is_false(bytes, at + name.len()))
    };
    keys.iter().any(|key| memchr::memmem::find(bytes, key.as_bytes()).is_some())
        || flags.iter().any(raised)
        || memchr::memmem::find(bytes, br"\u").is_some()
}

/// Whether what follows a key is the value `false`.
fn is_false(bytes: &[u8], at: usize) -> bool {
    let colon = skip_space(bytes, at);
    let value = skip_space(bytes, colon + 1);
    bytes.get(colon) == Some(&b':')
        && bytes.get(value..).is_some_and(|rest| rest.starts_with(b"false"))
}

/// The elements of an array, sharing its buffer.
#[must_use]
pub fn elements(text: &JsonText) -> Option<Vec<JsonText>> {
    let bytes = text.bytes();
    let mut at = skip_space(bytes, 0);
    if bytes.get(at) != Some(&b'[') {
        return None;
    }
    let mut list = Vec::new();
    at = skip_space(bytes, at + 1);
    if bytes.get(at) == Some(&b']') {
        return Some(list);
    }
    loop {
        let end = skip_value(bytes, at)?;
        list.push(slice(bytes, at..end));
        at = skip_space(bytes, end);
        match bytes.get(at)? {
            b',' => at = skip_space(bytes, at + 1),
            b']' => return Some(list),
            _ => return None,
        }
    }
}

/// The same value without insignificant whitespace. Key order and the spelling of strings and numbers
/// stay; text without such whitespace is returned as it is, sharing its buffer.
#[must_use]
pub fn compact(text: &JsonText) -> JsonText {
    let bytes = text.bytes();
    let Some(first) = next_gap(bytes, 0) else { return text.clone() };
    let mut out = Vec::with_capacity(bytes.len());
    let (mut from, mut gap) = (0, Some(first));
    while let Some(at) = gap {
        out.extend_from_slice(bytes.get(from..at).unwrap_or_default());
        from = skip_space(bytes, at);
        gap = next_gap(bytes, from);
    }
    out.extend_from_slice(bytes.get(from..).unwrap_or_default());
    JsonText::from_valid(out.into())
}

/// Where the next whitespace outside a string lies, from a place outside a string.
fn next_gap(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match bytes.get(at)? {
            b' ' | b'\t' | b'\n' | b'\r' => return Some(at),
            b'"' => at = skip_string(bytes, at)?,
            _ => at += 1,
        }
    }
}

/// The place behind whitespace.
pub(super) fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\n' | b'\r') = bytes.get(at) {
        at += 1;
    }
    at
}

/// The place behind the value that begins at `at`.
pub(super) fn skip_value(bytes: &[u8], mut at: usize) -> Option<usize> {
    let scalar = |byte: &u8| !matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r');
    match bytes.get(at)? {
        b'"' => return skip_string(bytes, at),
        b'{' | b'[' => {}
        _ => return Some(at + bytes.get(at..)?.iter().take_while(|byte| scalar(byte)).count()),
    }
    let mut depth = 0_usize;
    loop {
        match bytes.get(at)? {
            b'"' => {
                at = skip_string(bytes, at)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

/// The place behind the string whose opening quote is at `at`.
pub(super) fn skip_string(bytes: &[u8], at: usize) -> Option<usize> {
    let mut at = at + 1;
    loop {
        at = next_special(bytes, at);
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// Decodes a string with its quotes. Answers of Intercom are JSON within a string, with an escape
/// every few bytes, so this copies whole words and takes back what lies behind an escape.
pub(super) fn decode(quoted: &[u8]) -> Option<String> {
    let inner = quoted.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let mut out = Vec::with_capacity(inner.len() + 8);
    let mut at = 0;
    while let Some(rest) = inner.get(at..).filter(|rest| !rest.is_empty()) {
        let plain = match rest.first_chunk::<8>() {
            Some(word) => {
                let length = out.len();
                let plain = special_in(word);
                out.extend_from_slice(word);
                out.truncate(length + plain);
                plain
            }
            None => {
                let plain = next_special(rest, 0);
                out.extend_from_slice(rest.get(..plain)?);
                plain
            }
        };
        at += plain;
        match rest.get(plain) {
            Some(b'\\') => at += escaped(rest.get(plain + 1..)?, &mut out)?,
            // A quote or a control character ends no string of ours.
            Some(byte) if *byte < 0x20 || *byte == b'"' => return None,
            _ => {}
        }
    }
    String::from_utf8(out).ok()
}

/// Decodes what follows a backslash; gives how long the whole escape is.
fn escaped(rest: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let plain = match rest.first()? {
        byte @ (b'"' | b'\\' | b'/') => *byte,
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'b' => 0x08,
        b'f' => 0x0c,
        b'u' => {
            let (letter, length) = unicode(rest)?;
            out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
            return Some(length);
        }
        _ => return None,
    };
    out.push(plain);
    Some(2)
}

/// The character of `uXXXX`, or of two of them, and how long the escape is with its backslash.
fn unicode(rest: &[u8]) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let digits = rest.get(at..at + 4)?;
        digits
            .iter()
            .try_fold(0, |value, digit| Some(value * 16 + char::from(*digit).to_digit(16)?))
    };
    let first = unit(1)?;
    if !(0xD800..0xDC00).contains(&first) {
        return Some((char::from_u32(first)?, 6));
    }
    let second = unit(7).filter(|_| rest.get(5..7) == Some(b"\\u"))?;
    let low = second.checked_sub(0xDC00).filter(|low| *low < 0x400)?;
    Some((char::from_u32(0x10000 + ((first - 0xD800) << 10) + low)?, 12))
}

/// A part of an accepted value, sharing its buffer.
pub(super) fn slice(bytes: &Bytes, range: Range<usize>) -> JsonText {
    // `Bytes::slice` panics outside its bounds; all ranges here come from `get` on the same bytes.
    if range.start <= range.end && range.end <= bytes.len() {
        JsonText::from_valid(bytes.slice(range))
    } else {
        JsonText::null()
    }
}
