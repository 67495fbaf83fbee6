//! Finds pseudonyms, and what looks like them, in a text.
//!
//! One pass. A text is read in units: a character, or one that is written as an entity, percent-encoded
//! (once or twice) or behind a backslash. Whatever begins with two brackets is read strictly, and if
//! that fails loosely; what has fewer brackets counts only if the rest is strict.

use std::ops::Range;

use super::{LEAST_DIGITS, MOST_DIGITS, MOST_KIND, MOST_PART, Seen, Sighting, Token, is_word};
use crate::domain::is_hidden;

/// All sightings in a text, in its order; they do not overlap.
#[must_use]
pub fn find(text: &str) -> Vec<Sighting> {
    let mut found: Vec<Sighting> = Vec::new();
    let mut at = 0;
    while let Some(start) = candidate(text, at) {
        let sighting = match text.as_bytes().get(start) {
            Some(b':') => bare(text, start, at),
            _ => bracketed(text, start),
        };
        at = match sighting {
            Some(sighting) => {
                let end = sighting.bytes.end;
                found.push(sighting);
                end
            }
            None => next(text, start),
        };
    }
    found
}

/// Where the next thing may begin.
fn candidate(text: &str, from: usize) -> Option<usize> {
    let rest = text.as_bytes().get(from..)?;
    let starts = |byte: &u8| matches!(byte, b'[' | b'&' | b'%' | b'\\' | b':' | 0xe2 | 0xe3 | 0xef);
    rest.iter().position(starts).map(|place| from + place)
}

/// Behind the character at a place.
fn next(text: &str, at: usize) -> usize {
    let mut next = at + 1;
    while next < text.len() && !text.is_char_boundary(next) {
        next += 1;
    }
    next
}

/// A character as it is meant, and where it ends.
#[derive(Clone, Copy)]
struct Unit {
    letter: char,
    end: usize,
}

/// The spellings of the characters of the grammar.
const ENTITIES: [(&str, char); 10] = [
    ("lbrack;", '['),
    ("lsqb;", '['),
    ("rbrack;", ']'),
    ("rsqb;", ']'),
    ("colon;", ':'),
    ("sol;", '/'),
    ("lowbar;", '_'),
    ("lobrk;", '\u{27e6}'),
    ("robrk;", '\u{27e7}'),
    ("nbsp;", '\u{a0}'),
];

fn unit(text: &str, at: usize) -> Option<Unit> {
    let rest = text.get(at..)?;
    let letter = rest.chars().next()?;
    let plain = Unit { letter, end: at + letter.len_utf8() };
    let written = match letter {
        '\\' => rest.get(1..).and_then(|rest| rest.chars().next()).and_then(|letter| {
            matches!(letter, '[' | ']' | ':' | '/' | '_')
                .then_some(Unit { letter, end: at + 1 + letter.len_utf8() })
        }),
        '&' => entity(rest).map(|(letter, len)| Unit { letter, end: at + len }),
        '%' => percent(rest).map(|(letter, len)| Unit { letter, end: at + len }),
        _ => None,
    };
    Some(written.unwrap_or(plain))
}

/// An entity of a character of the grammar, and its length.
fn entity(text: &str) -> Option<(char, usize)> {
    let inside = text.strip_prefix('&')?;
    if let Some(number) = inside.strip_prefix('#') {
        let (digits, radix, head) = match number.strip_prefix(['x', 'X']) {
            Some(hex) => (hex, 16, 3),
            None => (number, 10, 2),
        };
        let len = digits.bytes().take_while(u8::is_ascii_hexdigit).count();
        let code = u32::from_str_radix(digits.get(..len).filter(|_| len <= 7)?, radix).ok()?;
        let closed = usize::from(digits.as_bytes().get(len) == Some(&b';'));
        return Some((char::from_u32(code)?, head + len + closed));
    }
    let (name, letter) = ENTITIES.iter().find(|(name, _)| inside.starts_with(name))?;
    Some((*letter, 1 + name.len()))
}

/// A percent-encoded ASCII character, encoded once or twice, and its length.
fn percent(text: &str) -> Option<(char, usize)> {
    let (head, digits) = match text.strip_prefix("%25") {
        Some(digits) => (3, digits),
        None => (1, text.strip_prefix('%')?),
    };
    let code = u8::from_str_radix(digits.get(..2)?, 16).ok().filter(u8::is_ascii)?;
    Some((char::from(code), head + 2))
}

/// What begins with brackets, if it is or resembles a pseudonym.
fn bracketed(text: &str, start: usize) -> Option<Sighting> {
    // Of many brackets the last two count.
    let mut opened: Vec<Range<usize>> = Vec::new();
    let mut at = start;
    while let Some(one) = unit(text, at).filter(|one| one.letter == '[') {
        opened.push(at..one.end);
        at = one.end;
    }
    let [.., first, second] = opened.as_slice() else {
        return odd(text, start);
    };
    let (start, inside) = (first.start, second.start);
    let what = |what, end| Some(Sighting { bytes: start..end, what, inside });
    if let Some((token, end)) = strict(text, at)
        && let Some(end) = closed(text, end)
    {
        return what(Seen::Token(token), end);
    }
    loose(text, at).and_then(|end| what(Seen::Altered, end))
}

/// What has one bracket, or other ones.
fn odd(text: &str, start: usize) -> Option<Sighting> {
    const OPENING: [char; 5] = ['[', '\u{27e6}', '\u{301a}', '\u{3010}', '\u{ff3b}'];
    let mut at = start;
    while let Some(one) = unit(text, at).filter(|one| OPENING.contains(&one.letter)) {
        // Two brackets begin something of their own.
        if one.letter == '[' && unit(text, one.end).is_some_and(|next| next.letter == '[') {
            return None;
        }
        at = one.end;
    }
    if at == start {
        return None;
    }
    let (token, mut end) = strict(text, at)?;
    const CLOSING: [char; 5] = [']', '\u{27e7}', '\u{301b}', '\u{3011}', '\u{ff3d}'];
    while let Some(one) = unit(text, end).filter(|one| CLOSING.contains(&one.letter)) {
        end = one.end;
    }
    Some(Sighting { bytes: start..end, what: Seen::Bare(token), inside: at })
}

/// What has no brackets: a word before a colon, digits behind it.
fn bare(text: &str, colon: usize, from: usize) -> Option<Sighting> {
    let before = text.get(from..colon)?;
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let len = before.bytes().rev().take_while(word).count();
    let start = colon - len;
    let (token, end) = strict(text, start).filter(|_| len > 0)?;
    Some(Sighting { bytes: start..end, what: Seen::Bare(token), inside: start })
}

/// `kind:suffix` or `kind:suffix/part`, and where it ends. Digits or letters must not go on behind it.
fn strict(text: &str, at: usize) -> Option<(Token, usize)> {
    let (kind, at) = word(text, at, MOST_KIND)?;
    let colon = unit(text, at).filter(|one| one.letter == ':')?;
    let digits = text.get(colon.end..)?.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let mut end = colon.end + digits;
    if !(LEAST_DIGITS..=MOST_DIGITS).contains(&digits) {
        return None;
    }
    let suffix = text.get(colon.end..end)?.to_ascii_lowercase();
    let mut part = None;
    if let Some(slash) = unit(text, end).filter(|one| one.letter == '/')
        && let Some((name, behind)) = word(text, slash.end, MOST_PART)
    {
        (part, end) = (Some(name), behind);
    }
    Some((Token::new(&kind, &suffix, part.as_deref())?, end))
}

/// A word in lower case, and where it ends.
fn word(text: &str, mut at: usize, most: usize) -> Option<(String, usize)> {
    let mut word = String::new();
    while let Some(one) = unit(text, at)
        && (one.letter.is_ascii_alphanumeric() || one.letter == '_')
        && word.len() <= most
    {
        word.push(one.letter.to_ascii_lowercase());
        at = one.end;
    }
    is_word(&word, most).then_some((word, at))
}

/// Behind two closing brackets.
fn closed(text: &str, at: usize) -> Option<usize> {
    let first = unit(text, at).filter(|one| one.letter == ']')?;
    unit(text, first.end).filter(|one| one.letter == ']').map(|second| second.end)
}

/// Where something ends that was a pseudonym or tries to be one: a word, a sign, and what may be
/// digits of a suffix, with spaces or invisible characters anywhere.
fn loose(text: &str, at: usize) -> Option<usize> {
    let mut at = blank(text, at);
    let mut letters = 0;
    while let Some(one) = unit(text, at)
        && (one.letter.is_alphanumeric()
            || matches!(one.letter, '_' | '-')
            || is_hidden(one.letter))
        && letters <= MOST_KIND
    {
        letters += usize::from(one.letter.is_alphabetic());
        at = one.end;
    }
    at = blank(text, at);
    let sign = unit(text, at)?;
    let signs = [':', '=', '|', '#', '/', '\u{ff1a}', '\u{2236}', '\u{a789}'];
    if letters < 2 || !signs.contains(&sign.letter) {
        return None;
    }
    at = blank(text, sign.end);
    let (mut count, mut hex, mut digits) = (0, 0, 0);
    while let Some(one) = unit(text, at)
        && (one.letter.is_alphanumeric() || is_hidden(one.letter))
        && count <= 2 * MOST_DIGITS
    {
        count += usize::from(!is_hidden(one.letter));
        hex += usize::from(one.letter.is_ascii_hexdigit());
        digits += usize::from(one.letter.is_numeric());
        at = one.end;
    }
    let like = (count >= 3 && digits > 0) || (count >= LEAST_DIGITS && hex == count);
    if !like {
        return None;
    }
    Some(brackets_near(text, at).unwrap_or(at))
}

/// Behind the closing brackets that belong to what ends here: near, and before anything else can begin,
/// however its bracket is written.
fn brackets_near(text: &str, mut at: usize) -> Option<usize> {
    for _ in 0..MOST_PART + 4 {
        let one = unit(text, at)?;
        match one.letter {
            ']' => return Some(closing(text, one.end)),
            '[' | '\n' | '<' => return None,
            _ => at = one.end,
        }
    }
    None
}

/// Behind closing brackets, if there are any.
fn closing(text: &str, mut at: usize) -> usize {
    while let Some(one) = unit(text, at).filter(|one| one.letter == ']') {
        at = one.end;
    }
    at
}

/// Behind spaces and what cannot be seen.
fn blank(text: &str, mut at: usize) -> usize {
    while let Some(one) = unit(text, at)
        && (one.letter.is_whitespace() || is_hidden(one.letter))
    {
        at = one.end;
    }
    at
}
