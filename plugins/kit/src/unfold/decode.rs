//! From what is written to what is read: one pass over a text.

use super::entities;
use super::map::{View, Writer};
use super::tag::{self, Tag};
use super::{WALL, at};
use crate::Form;
use std::ops::Range;
use unicode_normalization::char::decompose_compatible;

/// Bytes at which the fast pass stops: the start of anything that may be read in another way.
const fn is_special(b: u8) -> bool {
    matches!(b, b'<' | b'&' | b'%' | b'\\' | b'[') || b >= 0x80 || b < 0x09
}

impl<'t> View<'t> {
    /// Reads a text.
    #[must_use]
    pub fn of(text: &'t str, form: Form) -> Self {
        let bytes = text.as_bytes();
        if !needs_reading(text, form) {
            return Self::same(text);
        }
        let mut reader = Reader {
            text,
            html: form == Form::Html,
            to: Writer::with_capacity(text.len() + 8),
            later: Vec::new(),
        };
        reader.read(0..bytes.len(), true);
        // What stands in attributes and comments is read last, so that it does not part the words
        // between which the tag stands.
        let later = std::mem::take(&mut reader.later);
        for part in later {
            reader.to.tag(part.start, 0, true);
            reader.read(part, false);
        }
        reader.to.finish()
    }
}

/// Whether anything in the text would be read in another way than it is written.
fn needs_reading(text: &str, form: Form) -> bool {
    let bytes = text.as_bytes();
    let mut i = 0;
    while let Some(rest) = bytes.get(i..) {
        let Some(n) = rest.iter().position(|b| is_special(*b)) else { return false };
        i += n;
        let needs = match at(bytes, i) {
            b'<' => tag::parse(bytes, i, form == Form::Html).is_some(),
            b'&' => entities::parse(text, i).is_some(),
            b'%' => percent(bytes, i).is_some(),
            b'\\' => escape(bytes, i).is_some(),
            b'[' => token(bytes, i).is_some(),
            b if b >= 0x80 => {
                let c = text.get(i..).and_then(|t| t.chars().next()).unwrap_or_default();
                i += c.len_utf8() - 1;
                !matches!(read_char(c), Reading::Same)
            }
            _ => false,
        };
        if needs {
            return true;
        }
        i += 1;
    }
    false
}

struct Reader<'t> {
    text: &'t str,
    html: bool,
    to: Writer,
    /// Attributes and comments to read after the body.
    later: Vec<Range<usize>>,
}

impl Reader<'_> {
    fn read(&mut self, part: Range<usize>, tags: bool) {
        let bytes = self.text.as_bytes().get(..part.end).unwrap_or_default();
        let (mut i, mut from) = (part.start, part.start);
        while i < part.end {
            let b = at(bytes, i);
            if !is_special(b) {
                i += 1;
                continue;
            }
            self.to.same(from, self.text.get(from..i).unwrap_or_default());
            let next = match b {
                b'<' if tags => self.tag(bytes, i),
                b'&' => self.entity(i, part.end),
                b'%' => self.percent(bytes, i),
                b'\\' => self.escape(bytes, i),
                b'[' => token(bytes, i).inspect(|n| self.to.atom(i, *n, WALL)),
                b if b >= 0x80 => Some(self.wide(i)),
                _ => None,
            };
            // What is not special after all is copied with what follows.
            from = i;
            i += next.unwrap_or(1);
            if next.is_some() {
                from = i;
            }
        }
        self.to.same(from, self.text.get(from..part.end).unwrap_or_default());
    }

    fn tag(&mut self, bytes: &[u8], i: usize) -> Option<usize> {
        let Tag { len, breaks, void, inner } = tag::parse(bytes, i, self.html)?;
        if void && !breaks {
            self.to.gap(i, len);
        } else {
            self.to.tag(i, len, breaks);
        }
        self.later.extend(inner);
        Some(len)
    }

    fn entity(&mut self, i: usize, end: usize) -> Option<usize> {
        let (len, c) = entities::parse(self.text.get(..end)?, i)?;
        self.put(i, len, c);
        Some(len)
    }

    fn percent(&mut self, bytes: &[u8], i: usize) -> Option<usize> {
        let (len, c) = percent(bytes, i)?;
        self.put(i, len, c);
        Some(len)
    }

    fn escape(&mut self, bytes: &[u8], i: usize) -> Option<usize> {
        let (len, c) = escape(bytes, i)?;
        self.put(i, len, c);
        Some(len)
    }

    fn wide(&mut self, i: usize) -> usize {
        let c = self.text.get(i..).and_then(|t| t.chars().next()).unwrap_or_default();
        let len = c.len_utf8().max(1);
        if matches!(read_char(c), Reading::Same) {
            self.to.same(i, self.text.get(i..i + len).unwrap_or_default());
        } else {
            self.put(i, len, c);
        }
        len
    }

    /// A character that is spelled by some bytes.
    fn put(&mut self, from: usize, len: usize, c: char) {
        match read_char(c) {
            Reading::Nothing => self.to.gap(from, len),
            Reading::Same => self.to.atom(from, len, c),
            Reading::As(c) => self.to.atom(from, len, c),
            Reading::Parts => {
                let mut first = true;
                decompose_compatible(c, |d| {
                    if first {
                        self.to.atom(from, len, d)
                    } else {
                        self.to.more(d)
                    }
                    first = false;
                });
            }
        }
    }
}

enum Reading {
    Same,
    Nothing,
    As(char),
    Parts,
}

/// How a character is read.
const fn read_char(c: char) -> Reading {
    match c as u32 {
        0x00..=0x08 => Reading::Nothing,
        0x09..=0x9f => Reading::Same,
        // Blanks.
        0xa0 | 0x1680 | 0x2000..=0x200a | 0x202f | 0x205f | 0x3000 => Reading::As(' '),
        0x2028 | 0x2029 => Reading::As('\n'),
        // Not seen: soft hyphen, joiners, marks of direction, variation selectors, tag characters.
        0xad | 0x34f | 0x61c | 0x115f | 0x1160 | 0x17b4 | 0x17b5 | 0x180b..=0x180f => {
            Reading::Nothing
        }
        0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f | 0x3164 | 0xfe00..=0xfe0f => {
            Reading::Nothing
        }
        0xfeff | 0xffa0 | 0xfff9..=0xfffb | 0xe0000..=0xe01ef => Reading::Nothing,
        // Digits of Arabic, Persian, Devanagari, Bengali and Thai.
        0x660..=0x669 => Reading::As(digit(c as u32 - 0x660)),
        0x6f0..=0x6f9 => Reading::As(digit(c as u32 - 0x6f0)),
        0x966..=0x96f => Reading::As(digit(c as u32 - 0x966)),
        0x9e6..=0x9ef => Reading::As(digit(c as u32 - 0x9e6)),
        0xe50..=0xe59 => Reading::As(digit(c as u32 - 0xe50)),
        // Hyphens, dashes and apostrophes.
        0x2010..=0x2015 | 0x2212 | 0xfe58 | 0xfe63 | 0xff0d => Reading::As('-'),
        0x2018 | 0x2019 | 0x201b | 0x2bc | 0xff07 | 0x2b9 => Reading::As('\''),
        0x3002 => Reading::As('.'),
        0xaa | 0xb2 | 0xb3 | 0xb9 | 0xba => Reading::Parts,
        0x2070..=0x209f | 0x2100..=0x214f | 0x2460..=0x24ff | 0x2776..=0x2793 => Reading::Parts,
        0x3200..=0x33ff | 0xf900..=0xfaff | 0xfb00..=0xfb06 | 0xfe50..=0xfe6b => Reading::Parts,
        0xff01..=0xffee | 0x1d400..=0x1d7ff | 0x1f100..=0x1f1ff | 0x1fbf0..=0x1fbf9 => {
            Reading::Parts
        }
        _ => Reading::Same,
    }
}

/// One of the ten digits.
const fn digit(value: u32) -> char {
    match char::from_digit(value, 10) {
        Some(digit) => digit,
        None => '0',
    }
}

const fn hex(b: u8) -> Option<u32> {
    match b {
        b'0'..=b'9' => Some((b - b'0') as u32),
        b'a'..=b'f' => Some((b - b'a') as u32 + 10),
        b'A'..=b'F' => Some((b - b'A') as u32 + 10),
        _ => None,
    }
}

fn hexes(bytes: &[u8], i: usize, n: usize) -> Option<u32> {
    (i..i + n).try_fold(0, |v, k| Some(v * 16 + hex(at(bytes, k))?))
}

/// One byte that is %-encoded once, twice or more often: how long it is, and the byte.
fn percent_byte(bytes: &[u8], i: usize) -> Option<(usize, u8)> {
    if at(bytes, i) != b'%' {
        return None;
    }
    let mut k = i + 1;
    while at(bytes, k) == b'2' && at(bytes, k + 1) == b'5' && hexes(bytes, k + 2, 2).is_some() {
        k += 2;
    }
    let v = hexes(bytes, k, 2)?;
    Some((k + 2 - i, u8::try_from(v).ok()?))
}

/// One character that is %-encoded.
fn percent(bytes: &[u8], i: usize) -> Option<(usize, char)> {
    let (mut len, first) = percent_byte(bytes, i)?;
    let more = match first {
        b'\t' | b'\n' | b'\r' | 0x20..=0x7e if first != b'%' => return Some((len, first as char)),
        0xc2..=0xdf => 1,
        0xe0..=0xef => 2,
        0xf0..=0xf4 => 3,
        _ => return None,
    };
    let mut buffer = [first, 0, 0, 0];
    for slot in buffer.iter_mut().skip(1).take(more) {
        let (n, b) = percent_byte(bytes, i + len)?;
        *slot = b;
        len += n;
    }
    let c = std::str::from_utf8(buffer.get(..=more)?).ok()?.chars().next()?;
    Some((len, c))
}

/// A character that is written with a backslash.
fn escape(bytes: &[u8], i: usize) -> Option<(usize, char)> {
    match at(bytes, i + 1) {
        b'u' => {
            let high = hexes(bytes, i + 2, 4)?;
            if (0xd800..0xdc00).contains(&high) && bytes.get(i + 6..i + 8) == Some(br"\u") {
                let low = hexes(bytes, i + 8, 4).filter(|l| (0xdc00..0xe000).contains(l))?;
                let c = char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))?;
                return Some((12, c));
            }
            Some((6, char::from_u32(high)?))
        }
        b'x' => Some((4, char::from_u32(hexes(bytes, i + 2, 2)?)?)),
        b'n' | b'r' => Some((2, '\n')),
        b't' => Some((2, '\t')),
        b'/' => Some((2, '/')),
        b'"' => Some((2, '"')),
        b'@' => Some((2, '@')),
        b'_' => Some((2, '_')),
        _ => None,
    }
}

/// The length of a pseudonym that stands here.
fn token(bytes: &[u8], i: usize) -> Option<usize> {
    if at(bytes, i + 1) != b'[' {
        return None;
    }
    let mut k = i + 2;
    while at(bytes, k).is_ascii_lowercase() || at(bytes, k) == b'_' {
        k += 1;
    }
    if k == i + 2 || at(bytes, k) != b':' {
        return None;
    }
    let digits = k + 1;
    k = digits;
    while hex(at(bytes, k)).is_some() {
        k += 1;
    }
    if !(4..=32).contains(&(k - digits)) {
        return None;
    }
    if at(bytes, k) == b'/' {
        k += 1;
        while at(bytes, k).is_ascii_lowercase() {
            k += 1;
        }
    }
    (at(bytes, k) == b']' && at(bytes, k + 1) == b']').then_some(k + 2 - i)
}
