//! Words that are base64 of text.

use super::at;
use std::ops::Range;

/// The shortest word that is tried, and the longest: a longer one is a file.
const SHORTEST: usize = 14;
const LONGEST: usize = 16 * 1024;

const fn value(b: u8) -> Option<u8> {
    match b {
        b'A'..=b'Z' => Some(b - b'A'),
        b'a'..=b'z' => Some(b - b'a' + 26),
        b'0'..=b'9' => Some(b - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

/// The words of a text that are base64 of something that can be read, and what that is.
#[must_use]
pub fn base64_tokens(text: &str) -> Vec<(Range<usize>, String)> {
    let bytes = text.as_bytes();
    let (mut out, mut i) = (Vec::new(), 0);
    while i < bytes.len() {
        if value(at(bytes, i)).is_none() {
            i += 1;
            continue;
        }
        let start = i;
        while value(at(bytes, i)).is_some() {
            i += 1;
        }
        if i - start >= SHORTEST {
            word(text, start..i, &mut out);
        }
    }
    out
}

/// A run of letters of the alphabet: the whole, or a part of it between the signs that links have.
fn word(text: &str, run: Range<usize>, out: &mut Vec<(Range<usize>, String)>) {
    if piece(text, run.clone(), out) {
        return;
    }
    let found = out.len();
    for marks in [b"/".as_slice(), b"/-_+"] {
        let bytes = text.as_bytes().get(run.clone()).unwrap_or_default();
        let mut start = run.start;
        for part in bytes.split(|b| marks.contains(b)) {
            if start != run.start || part.len() != bytes.len() {
                piece(text, start..start + part.len(), out);
            }
            start += part.len() + 1;
        }
        if out.len() > found {
            return;
        }
    }
}

fn piece(text: &str, run: Range<usize>, out: &mut Vec<(Range<usize>, String)>) -> bool {
    if run.len() < SHORTEST {
        return false;
    }
    let bytes = text.as_bytes();
    let coded = bytes.get(run.start..run.end.min(run.start + LONGEST)).unwrap_or_default();
    let Some(read) = decode(coded) else { return false };
    let mut end = run.end;
    while at(bytes, end) == b'=' && end - run.end < 2 {
        end += 1;
    }
    out.push((run.start..end, read));
    true
}

/// Decodes, if the result is text. Gives up at the first byte that is none.
fn decode(coded: &[u8]) -> Option<String> {
    let mut out = Vec::with_capacity(coded.len() * 3 / 4);
    for four in coded.chunks(4) {
        let mut bits = 0u32;
        for b in four {
            bits = bits << 6 | u32::from(value(*b)?);
        }
        let n = match four.len() {
            4 => 3,
            3 => 2,
            2 => 1,
            _ => 0,
        };
        bits <<= 6 * (4 - four.len());
        for k in 0..n {
            let b = (bits >> (16 - 8 * k)) as u8;
            if b < 0x20 && !matches!(b, b'\n' | b'\r' | b'\t') || b == 0x7f {
                return None;
            }
            out.push(b);
        }
    }
    let read = String::from_utf8(out).ok()?;
    // Random letters decode to characters of many scripts; texts are mostly of ASCII or of one.
    let strange = read.chars().filter(|c| !c.is_alphanumeric() && !c.is_ascii()).count();
    (strange * 8 <= read.chars().count()).then_some(read)
}

#[cfg(test)]
mod tests {
    use super::base64_tokens;

    #[test]
    fn words_that_decode_to_text_are_found() {
        let text = "x https://a.example/t/amFuZUBleGFtcGxlLm9yZw== y";
        let found = base64_tokens(text);
        assert_eq!(found.len(), 1);
        let (range, read) = &found[0];
        assert_eq!(read, "jane@example.org");
        assert_eq!(&text[range.clone()], "amFuZUBleGFtcGxlLm9yZw==");
        assert!(base64_tokens("internationalisation of everything").is_empty());
    }
}
