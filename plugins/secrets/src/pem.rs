//! Private keys as text: PEM in lines, in one line, with escapes; OpenPGP, PuTTY.

use crate::Hit;
use crate::bytes::{BASE64, SPACE, at, is, part};

/// No key is longer.
const LONGEST: usize = 20_000;

/// Finds the private key in whose first line a word stands: `PRIVATE`, or the name of PuTTY.
pub(crate) fn scan(text: &str, word: usize, hits: &mut Vec<Hit>) {
    if let Some(rest) = Some(crate::bytes::within(text, word, LONGEST))
        .filter(|rest| rest.starts_with("PuTTY-User-Key-File-"))
    {
        let last = rest
            .find("Private-MAC:")
            .and_then(|n| rest.get(n..).map(|tail| n + tail.find('\n').unwrap_or(tail.len())));
        let end = crate::bytes::floor(text, word + last.unwrap_or(rest.len()).min(LONGEST));
        hits.push(Hit::secret(word..end, 97, "private_key"));
        return;
    }
    let from = crate::bytes::floor(text, word.saturating_sub(40));
    let Some(begin) = part(text, from, word).rfind("-----BEGIN ") else { return };
    let start = from + begin;
    let algorithm = part(text, start + 11, word);
    if algorithm
        .bytes()
        .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b' ')
    {
        hits.push(Hit::secret(start..end(text, start), 99, "private_key"));
    }
}

/// Behind the last line; if it is missing, as far as the letters of a key go.
fn end(text: &str, start: usize) -> usize {
    let limit = crate::bytes::floor(text, (start + LONGEST).min(text.len()));
    let rest = part(text, start + 10, limit);
    if let Some(last) = rest.find("-----END") {
        let tail = rest.get(last + 8..).unwrap_or("");
        let close = tail.find("-----").map_or(0, |n| n + 5);
        return start + 10 + last + 8 + close;
    }
    let head = rest.find("-----").map_or(0, |n| n + 5);
    let mut place = start + 10 + head;
    while place < limit
        && (is(at(text, place), BASE64 | SPACE)
            || matches!(at(text, place), b':' | b'-' | b',' | b'\\'))
    {
        place += 1;
    }
    place
}
