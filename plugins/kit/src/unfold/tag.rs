//! HTML tags and comments, as far as reading needs them.

use super::at;
use crate::words::Words;
use std::ops::Range;

/// A tag or comment.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tag {
    /// How many bytes it has.
    pub(super) len: usize,
    /// Whether a line ends here.
    pub(super) breaks: bool,
    /// Whether it stands alone and shows nothing, so that a span may cover it.
    pub(super) void: bool,
    /// What in it may be read: values of attributes, the text of a comment.
    pub(super) inner: Vec<Range<usize>>,
}

/// A tag between letters of one word.
const INLINE: u64 = 1;
/// A tag that ends a line.
const BLOCK: u64 = 2;

/// The names of tags. A hash finds them in a few steps; a payload has hundreds of tags.
static TAGS: Words<256> = Words::new(&[
    ("a", INLINE),
    ("abbr", INLINE),
    ("acronym", INLINE),
    ("b", INLINE),
    ("bdi", INLINE),
    ("bdo", INLINE),
    ("big", INLINE),
    ("center", INLINE),
    ("cite", INLINE),
    ("code", INLINE),
    ("del", INLINE),
    ("dfn", INLINE),
    ("em", INLINE),
    ("font", INLINE),
    ("i", INLINE),
    ("ins", INLINE),
    ("kbd", INLINE),
    ("label", INLINE),
    ("mark", INLINE),
    ("nobr", INLINE),
    ("q", INLINE),
    ("s", INLINE),
    ("samp", INLINE),
    ("small", INLINE),
    ("span", INLINE),
    ("strike", INLINE),
    ("strong", INLINE),
    ("sub", INLINE),
    ("sup", INLINE),
    ("tt", INLINE),
    ("u", INLINE),
    ("var", INLINE),
    ("wbr", INLINE),
    ("address", BLOCK),
    ("article", BLOCK),
    ("aside", BLOCK),
    ("blockquote", BLOCK),
    ("body", BLOCK),
    ("br", BLOCK),
    ("button", BLOCK),
    ("caption", BLOCK),
    ("col", BLOCK),
    ("dd", BLOCK),
    ("details", BLOCK),
    ("div", BLOCK),
    ("dl", BLOCK),
    ("dt", BLOCK),
    ("fieldset", BLOCK),
    ("figcaption", BLOCK),
    ("figure", BLOCK),
    ("footer", BLOCK),
    ("form", BLOCK),
    ("h1", BLOCK),
    ("h2", BLOCK),
    ("h3", BLOCK),
    ("h4", BLOCK),
    ("h5", BLOCK),
    ("h6", BLOCK),
    ("head", BLOCK),
    ("header", BLOCK),
    ("hr", BLOCK),
    ("html", BLOCK),
    ("iframe", BLOCK),
    ("img", BLOCK),
    ("input", BLOCK),
    ("li", BLOCK),
    ("link", BLOCK),
    ("main", BLOCK),
    ("meta", BLOCK),
    ("nav", BLOCK),
    ("ol", BLOCK),
    ("option", BLOCK),
    ("p", BLOCK),
    ("pre", BLOCK),
    ("script", BLOCK),
    ("section", BLOCK),
    ("select", BLOCK),
    ("style", BLOCK),
    ("summary", BLOCK),
    ("table", BLOCK),
    ("tbody", BLOCK),
    ("td", BLOCK),
    ("textarea", BLOCK),
    ("tfoot", BLOCK),
    ("th", BLOCK),
    ("thead", BLOCK),
    ("title", BLOCK),
    ("tr", BLOCK),
    ("ul", BLOCK),
    ("video", BLOCK),
]);

/// The longest tag that is looked for.
const LONGEST: usize = 8192;

/// Reads the tag or comment that begins here. In plain text only tags of HTML count: `<jane>` may be
/// somebody's name.
pub(super) fn parse(bytes: &[u8], i: usize, html: bool) -> Option<Tag> {
    if bytes.get(i..i + 4) == Some(b"<!--") {
        return comment(bytes, i);
    }
    let name_at = if at(bytes, i + 1) == b'/' { i + 2 } else { i + 1 };
    let mut k = name_at;
    while at(bytes, k).is_ascii_alphanumeric() && k - name_at < 16 {
        k += 1;
    }
    if k == name_at || !at(bytes, name_at).is_ascii_alphabetic() {
        return None;
    }
    if !matches!(at(bytes, k), b'>' | b'/' | b' ' | b'\t' | b'\n' | b'\r') {
        return None;
    }
    let name = std::str::from_utf8(bytes.get(name_at..k)?).ok()?;
    let known = TAGS.get(name);
    let inline = known == INLINE;
    if known == 0 && !html {
        return None;
    }
    let (end, inner) = attributes(bytes, k)?;
    Some(Tag { len: end - i, breaks: !inline, void: name.eq_ignore_ascii_case("wbr"), inner })
}

fn comment(bytes: &[u8], i: usize) -> Option<Tag> {
    let start = i + 4;
    let rest = bytes.get(start..)?;
    let n = rest.windows(3).position(|w| w == b"-->").unwrap_or(rest.len());
    let end = (start + n + 3).min(bytes.len());
    let text = start..start + n;
    Some(Tag { len: end - i, breaks: false, void: false, inner: vec![text] })
}

/// From behind the name to behind `>`: where that is, and the values that may hold text.
fn attributes(bytes: &[u8], from: usize) -> Option<(usize, Vec<Range<usize>>)> {
    let mut inner = Vec::new();
    let mut k = from;
    while k - from < LONGEST {
        match at(bytes, k) {
            b'>' => return Some((k + 1, inner)),
            0 | b'<' => return None,
            quote @ (b'"' | b'\'') => {
                let start = k + 1;
                k = start;
                while at(bytes, k) != quote {
                    if k >= bytes.len() || k - from >= LONGEST {
                        return None;
                    }
                    k += 1;
                }
                if worth_reading(bytes.get(start..k).unwrap_or_default()) {
                    inner.push(start..k);
                }
                k += 1;
            }
            _ => k += 1,
        }
    }
    None
}

/// Values such as `no-margin` or `100` hold nothing; addresses, links and phrases may.
fn worth_reading(value: &[u8]) -> bool {
    value.len() > 4 && value.iter().any(|b| matches!(b, b'@' | b' ' | b'/' | b':' | b'%'))
}
