//! HTML tags and comments, as far as reading needs them.

use super::at;
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

/// Tags between letters of one word.
const INLINE: &[&str] = &[
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "center", "cite", "code", "del", "dfn", "em",
    "font", "i", "ins", "kbd", "label", "mark", "nobr", "q", "s", "samp", "small", "span",
    "strike", "strong", "sub", "sup", "tt", "u", "var", "wbr",
];

/// Tags that end a line.
const BLOCK: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "br",
    "button",
    "caption",
    "col",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "header",
    "hr",
    "html",
    "iframe",
    "img",
    "input",
    "li",
    "link",
    "main",
    "meta",
    "nav",
    "ol",
    "option",
    "p",
    "pre",
    "script",
    "section",
    "select",
    "style",
    "summary",
    "table",
    "tbody",
    "td",
    "textarea",
    "tfoot",
    "th",
    "thead",
    "title",
    "tr",
    "ul",
    "video",
];

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
    let mut name = [0u8; 16];
    for (to, from) in name.iter_mut().zip(bytes.get(name_at..k)?) {
        *to = from.to_ascii_lowercase();
    }
    let name = std::str::from_utf8(name.get(..k - name_at)?).ok()?;
    let inline = INLINE.binary_search(&name).is_ok();
    if !inline && BLOCK.binary_search(&name).is_err() && !html {
        return None;
    }
    let (end, inner) = attributes(bytes, k)?;
    Some(Tag { len: end - i, breaks: !inline, void: name == "wbr", inner })
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

#[cfg(test)]
mod tests {
    use super::{BLOCK, INLINE};

    #[test]
    fn the_lists_are_sorted() {
        assert!(INLINE.is_sorted() && BLOCK.is_sorted());
    }
}
