//! Where the tags and entities of a text lie, so that an edit leaves them whole.

use std::ops::Range;

/// Longer runs of letters behind an ampersand are no entity.
const LONGEST_ENTITY: usize = 33;

/// A piece of markup that must stay as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tag {
    /// From `<` to behind `>`.
    pub(super) range: Range<usize>,
    /// The parts of it that may be edited: names and values of attributes, the words of a comment.
    pub(super) open: Vec<Piece>,
}

/// A piece of a text that may be edited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) range: Range<usize>,
    /// Neither spaces nor quotes may stand in it: a name, or a value without quotes.
    pub(super) is_bare: bool,
}

impl Piece {
    const fn of(range: Range<usize>) -> Self {
        Self { range, is_bare: false }
    }

    const fn bare(range: Range<usize>) -> Self {
        Self { range, is_bare: true }
    }
}

/// Whether a text has tags or entities.
pub(super) fn is_html(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr2_iter(b'<', b'&', bytes).any(|at| match bytes.get(at) {
        Some(b'<') => tag(bytes, at).is_some(),
        _ => entity(bytes, at).is_some(),
    })
}

/// The tags of a text, in order.
pub(super) fn tags(text: &str) -> Vec<Tag> {
    let bytes = text.as_bytes();
    let mut tags: Vec<Tag> = Vec::new();
    for at in memchr::memchr_iter(b'<', bytes) {
        if tags.last().is_none_or(|last| at >= last.range.end)
            && let Some(tag) = tag(bytes, at)
        {
            tags.push(tag);
        }
    }
    tags
}

/// The entity that begins at an ampersand: the place behind its semicolon.
fn entity(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at + 1..)?;
    let length = rest.iter().take(LONGEST_ENTITY).position(|byte| *byte == b';')?;
    let name = rest.get(..length)?;
    let is_one = match name {
        [b'#', b'x' | b'X', digits @ ..] => {
            !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit)
        }
        [b'#', digits @ ..] => !digits.is_empty() && digits.iter().all(u8::is_ascii_digit),
        [first, rest @ ..] => {
            first.is_ascii_alphabetic() && rest.iter().all(u8::is_ascii_alphanumeric)
        }
        [] => false,
    };
    is_one.then_some(at + 1 + length + 1)
}

/// The entity that a place lies inside of.
pub(super) fn entity_around(text: &str, place: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let from = place.saturating_sub(LONGEST_ENTITY);
    let before = bytes.get(from..place)?;
    let start = from + memchr::memrchr(b'&', before)?;
    let end = entity(bytes, start)?;
    (place < end).then_some(start..end)
}

/// The percent-escape that a place lies inside of.
pub(super) fn percent_around(text: &str, place: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let is_escape = |start: &usize| {
        bytes.get(*start) == Some(&b'%')
            && bytes
                .get(start + 1..start + 3)
                .is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))
    };
    let start =
        [place.checked_sub(1), place.checked_sub(2)].into_iter().flatten().find(is_escape)?;
    Some(start..start + 3)
}

/// The tag, comment or declaration that begins at a `<`.
fn tag(bytes: &[u8], at: usize) -> Option<Tag> {
    let rest = bytes.get(at + 1..)?;
    match rest {
        [b'!', b'-', b'-', ..] => {
            let end = at + 4 + memchr::memmem::find(bytes.get(at + 4..)?, b"-->")?;
            Some(Tag { range: at..end + 3, open: vec![Piece::of(at + 4..end)] })
        }
        [b'!' | b'?', ..] => {
            let end = at + memchr::memchr(b'>', bytes.get(at..)?)? + 1;
            Some(Tag { range: at..end, open: vec![Piece::of(at + 2..end - 1)] })
        }
        _ => element(bytes, at, at + 1 + usize::from(rest.first() == Some(&b'/'))),
    }
}

/// The names of elements. What else stands in angle brackets is text, as in `Jane <jane>`.
static ELEMENTS: [&str; 127] = [
    "a",
    "abbr",
    "acronym",
    "address",
    "applet",
    "area",
    "article",
    "aside",
    "audio",
    "b",
    "base",
    "bdi",
    "bdo",
    "big",
    "blockquote",
    "body",
    "br",
    "button",
    "canvas",
    "caption",
    "center",
    "cite",
    "code",
    "col",
    "colgroup",
    "data",
    "datalist",
    "dd",
    "del",
    "details",
    "dfn",
    "dialog",
    "dir",
    "div",
    "dl",
    "dt",
    "em",
    "embed",
    "fieldset",
    "figcaption",
    "figure",
    "font",
    "footer",
    "form",
    "frame",
    "frameset",
    "g",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "header",
    "hgroup",
    "hr",
    "html",
    "i",
    "iframe",
    "img",
    "input",
    "ins",
    "kbd",
    "label",
    "legend",
    "li",
    "link",
    "main",
    "map",
    "mark",
    "menu",
    "meta",
    "meter",
    "nav",
    "noscript",
    "object",
    "ol",
    "optgroup",
    "option",
    "output",
    "p",
    "param",
    "path",
    "picture",
    "pre",
    "progress",
    "q",
    "rp",
    "rt",
    "ruby",
    "s",
    "samp",
    "script",
    "section",
    "select",
    "slot",
    "small",
    "source",
    "span",
    "strike",
    "strong",
    "style",
    "sub",
    "summary",
    "sup",
    "svg",
    "table",
    "tbody",
    "td",
    "template",
    "textarea",
    "tfoot",
    "th",
    "thead",
    "time",
    "title",
    "tr",
    "track",
    "tt",
    "u",
    "ul",
    "use",
    "var",
    "video",
    "wbr",
    "xml",
];

/// A start or end tag whose name begins at `name`. `<jane@acme.com>` is none.
fn element(bytes: &[u8], at: usize, name: usize) -> Option<Tag> {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b':');
    let mut place = name + bytes.get(name..)?.iter().take_while(|byte| is_name(byte)).count();
    let element = bytes.get(name..place).filter(|name| name.len() <= 10)?.to_ascii_lowercase();
    let is_end = matches!(bytes.get(place)?, b'/' | b'>') || is_space(*bytes.get(place)?);
    if !is_end || ELEMENTS.binary_search_by(|known| known.as_bytes().cmp(&element)).is_err() {
        return None;
    }
    let mut open = Vec::new();
    loop {
        match bytes.get(place)? {
            b'>' => return Some(Tag { range: at..place + 1, open }),
            // No tag has another in it.
            b'<' => return None,
            b'=' => {
                let value = value(bytes, place + 1)?;
                place = value.range.end + usize::from(!value.is_bare);
                open.push(value);
            }
            byte if is_space(*byte) || matches!(byte, b'/' | b'"' | b'\'') => place += 1,
            _ => {
                let attribute = attribute(bytes, place)?;
                place = attribute.end;
                open.push(Piece::bare(attribute));
            }
        }
    }
}

/// The name of an attribute.
fn attribute(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let is_part = |byte: &&u8| !is_space(**byte) && !b"=></\"'".contains(byte);
    Some(at..at + bytes.get(at..)?.iter().take_while(is_part).count())
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0c')
}

/// The value of an attribute, behind its `=`, without quotes.
fn value(bytes: &[u8], from: usize) -> Option<Piece> {
    let start = from + bytes.get(from..)?.iter().take_while(|byte| is_space(**byte)).count();
    match bytes.get(start)? {
        quote @ (b'"' | b'\'') => {
            let length = memchr::memchr(*quote, bytes.get(start + 1..)?)?;
            Some(Piece::of(start + 1..start + 1 + length))
        }
        _ => {
            let rest = bytes.get(start..)?;
            let length = rest.iter().take_while(|byte| !is_space(**byte) && **byte != b'>').count();
            Some(Piece::bare(start..start + length))
        }
    }
}

/// What a span of an HTML text comes to: the pieces that are cut out. Tags stay, and so do entities:
/// one that the span cuts through is taken as a whole, as words are. The first piece is where what is
/// new goes.
pub(super) fn pieces(text: &str, tags: &[Tag], span: Range<usize>) -> Vec<Piece> {
    let start = entity_around(text, span.start).map_or(span.start, |entity| entity.start);
    let end = entity_around(text, span.end).map_or(span.end, |entity| entity.end);
    let mut pieces = Vec::new();
    let mut from = start;
    let push = |pieces: &mut Vec<Piece>, piece: Piece| {
        if piece.range.start < piece.range.end {
            pieces.push(piece);
        }
    };
    for tag in tags {
        if tag.range.end <= start || tag.range.start >= end {
            continue;
        }
        push(&mut pieces, Piece::of(from..tag.range.start));
        from = tag.range.end;
        // A tag that is all in the span stays as it is; its attributes have findings of their own.
        if tag.range.start >= start && tag.range.end <= end {
            continue;
        }
        for open in &tag.open {
            let range = open.range.start.max(start)..open.range.end.min(end);
            push(&mut pieces, Piece { range, ..open.clone() });
        }
    }
    push(&mut pieces, Piece::of(from..end));
    pieces
}

/// A text for the place of a piece: what means something there is written otherwise.
pub(super) fn fitted(text: &str, piece: &Piece) -> String {
    if piece.is_bare {
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "[]:*@.-".contains(letter);
        return text.chars().map(|letter| if is_plain(letter) { letter } else { '_' }).collect();
    }
    escaped(text)
}

/// The same text with what means something in HTML written as entities.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_told_from_text() {
        let rows: [(&str, &[&str]); 12] = [
            ("a < b", &[]),
            ("<p>x</p>", &["<p>", "</p>"]),
            ("Jane <jane@acme.com>", &[]),
            ("<a href=\"x>y\">t</a>", &["<a href=\"x>y\">", "</a>"]),
            ("<a href='q' b=c>", &["<a href='q' b=c>"]),
            ("<br/><br />", &["<br/>", "<br />"]),
            ("<!-- a <b> -->z", &["<!-- a <b> -->"]),
            ("<!doctype html>", &["<!doctype html>"]),
            ("<p", &[]),
            ("<p <b>x", &["<b>"]),
            ("</p >", &["</p >"]),
            ("<jane>", &[]),
        ];
        for (text, expected) in rows {
            let found: Vec<&str> = tags(text).into_iter().map(|tag| &text[tag.range]).collect();
            assert_eq!(found, expected, "{text}");
        }
        assert!(is_html("a &amp; b") && is_html("&#64;") && is_html("&#x40;") && is_html("<p>"));
        assert!(!is_html("R&D; it") || entity(b"&D;", 0).is_some());
        assert!(!is_html("a & b; c") && !is_html("&;") && !is_html("&#;") && !is_html("<3"));
    }

    #[test]
    fn spans_leave_markup_whole() {
        // The text, the span's beginning and end, the pieces.
        let rows: [(&str, &str, &[&str]); 8] = [
            ("<p>Jane Doe</p>", "Jane Doe", &["Jane Doe"]),
            ("<p>Jane <b>Doe</b></p>", "Jane <b>Doe", &["Jane ", "Doe"]),
            ("a Tom &amp; Ann b", "Tom &am", &["Tom &amp;"]),
            ("j&#64;x.com", "4;x.com", &["&#64;x.com"]),
            ("<a href=\"mailto:j@x.com\">", "j@x.com", &["j@x.com"]),
            ("<a href=\"mailto:j@x.com\">J</a>", "j@x.com\">J", &["j@x.com", "J"]),
            ("<!-- j@x.com -->", "j@x.com", &["j@x.com"]),
            ("<b title=J>x", "title=J>x", &["title", "J", "x"]),
        ];
        for (text, span, expected) in rows {
            let start = text.find(span).unwrap();
            let found: Vec<&str> = pieces(text, &tags(text), start..start + span.len())
                .into_iter()
                .map(|piece| &text[piece.range])
                .collect();
            assert_eq!(found, expected, "{text}");
        }
        assert_eq!(percent_around("a%40b", 2), Some(1..4));
        assert_eq!(percent_around("a%40b", 3), Some(1..4));
        assert_eq!(percent_around("a%40b", 4), None);
        assert_eq!(percent_around("a%zzb", 2), None);
    }
}
