//! Cutting a piece out of an accepted text and writing another in its place.
//!
//! Exactly the pieces change; every other byte stays as it came. Within JSON in a string, places are
//! those of the decoded text; a splice there is carried outwards to the bytes that write it, and what
//! is new is escaped once for each level of packing.

use std::cmp::Reverse;
use std::ops::Range;

use super::{Kind, Value, quote};

/// A piece of a text and what is written in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Splice {
    /// The bytes that leave.
    pub range: Range<usize>,
    /// What stands there instead.
    pub new: String,
}

impl Splice {
    /// A piece and what is written in its place.
    pub fn new(range: Range<usize>, new: impl Into<String>) -> Self {
        Self { range, new: new.into() }
    }

    /// In order, without those inside others.
    #[must_use]
    pub fn apart(mut splices: Vec<Self>) -> Vec<Self> {
        splices.sort_by_key(|splice| (splice.range.start, Reverse(splice.range.end)));
        let mut end = 0;
        splices.retain(|splice| {
            let outside = splice.range.start >= end;
            if outside {
                end = splice.range.end;
            }
            outside
        });
        splices
    }

    /// The text with all of these carried out; `None` if one lies outside of it, or before the one
    /// that it follows.
    #[must_use]
    pub fn apply(splices: &[Self], text: &[u8]) -> Option<Vec<u8>> {
        let more: usize = splices.iter().map(|splice| splice.new.len()).sum();
        let mut out = Vec::with_capacity(text.len() + more);
        let mut from = 0;
        for splice in splices {
            out.extend_from_slice(text.get(from..splice.range.start)?);
            out.extend_from_slice(splice.new.as_bytes());
            from = splice.range.end;
        }
        out.extend_from_slice(text.get(from..)?);
        Some(out)
    }
}

impl Value<'_> {
    /// Splices of the decoded text of this string, in order, as splices of the document that holds
    /// it; `None` if it is no string or they lie outside of it.
    #[must_use]
    pub fn carried(self, splices: &[Splice]) -> Option<Vec<Splice>> {
        if self.kind() != Kind::String {
            return None;
        }
        carry(self.bytes(), self.range().start, splices)
    }

    /// The same for the decoded key of this member.
    #[must_use]
    pub fn carried_key(self, splices: &[Splice]) -> Option<Vec<Splice>> {
        let range = self.key_range()?;
        carry(self.document().get(range.clone())?, range.start, splices)
    }
}

/// Splices of the decoded text of the string `raw` (quotes included), which begins at `start`.
fn carry(raw: &[u8], start: usize, splices: &[Splice]) -> Option<Vec<Splice>> {
    let places: Vec<usize> =
        splices.iter().flat_map(|splice| [splice.range.start, splice.range.end]).collect();
    let written = written(raw, &places)?;
    let (pairs, _) = written.as_chunks::<2>();
    let carried = pairs.iter().zip(splices).map(|([from, to], splice)| {
        // Within a string what is written must be escaped once more.
        let quoted = quote(&splice.new);
        let inner = quoted.as_str().strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        Splice::new(start + from..start + to, inner.unwrap_or_default())
    });
    Some(carried.collect())
}

/// Where places of a decoded text are written in the string `raw` (quotes included); the places in
/// ascending order.
fn written(raw: &[u8], places: &[usize]) -> Option<Vec<usize>> {
    let mut found = Vec::with_capacity(places.len());
    let (mut at, mut decoded) = (1_usize, 0_usize);
    for place in places {
        while decoded < *place {
            let rest = raw.get(at..)?;
            let plain = memchr::memchr(b'\\', rest).unwrap_or(rest.len());
            let step = plain.min(*place - decoded);
            if step > 0 {
                (at, decoded) = (at + step, decoded + step);
                continue;
            }
            let (written, bytes) = escape(rest)?;
            (at, decoded) = (at + written, decoded + bytes);
        }
        // The closing quote is no place of the text.
        (at < raw.len() && decoded == *place).then(|| found.push(at))?;
    }
    Some(found)
}

/// How long the escape at the beginning of a text is written, and decoded.
fn escape(rest: &[u8]) -> Option<(usize, usize)> {
    match rest.get(1)? {
        b'u' => {
            let digits = std::str::from_utf8(rest.get(2..6)?).ok()?;
            let code = u32::from_str_radix(digits, 16).ok()?;
            Some(match code {
                0..0x80 => (6, 1),
                0x80..0x800 => (6, 2),
                // Two of them make one character.
                0xD800..0xE000 => (12, 4),
                _ => (6, 3),
            })
        }
        _ => Some((2, 1)),
    }
}
