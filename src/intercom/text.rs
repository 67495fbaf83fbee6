//! Names and texts of others, made safe to show.
//!
//! Tool names, descriptions and argument names come from the upstream or the agent. A reader, man
//! or model, must see all of a text or see that something is hidden in it.

use crate::domain;

/// Whether a character cannot be seen. Line feed and tab, which descriptions are full of, count as
/// visible.
pub(super) const fn is_hidden(c: char) -> bool {
    !matches!(c, '\n' | '\t') && domain::is_hidden(c)
}

/// What kind of hidden characters `text` holds, in words for a warning; `None` if it holds none.
pub(super) fn hidden_kind(text: &str) -> Option<&'static str> {
    let kind = |c: char| match c {
        '\u{e0000}'..='\u{e007f}' => Some((2, "tag characters")),
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            Some((1, "characters that change the reading direction"))
        }
        // Emoji are written with these two; they hide nothing there.
        '\u{fe0f}' | '\u{200d}' => None,
        c if is_hidden(c) => Some((0, "invisible characters")),
        _ => None,
    };
    text.chars().filter_map(kind).max().map(|(_, words)| words)
}

/// At most `limit` characters of `text` on one line, hidden ones written as `\u{..}`.
pub(super) fn shown(text: &str, limit: usize) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    for (at, c) in text.chars().enumerate() {
        if at == limit {
            out.push_str("...");
            break;
        }
        if is_hidden(c) || matches!(c, '\n' | '\t' | '`') {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_named_and_shown() {
        let cases = [
            ("plain text,\nwith a tab\t", None),
            ("caf\u{e9} \u{1f468}\u{200d}\u{1f469} \u{2764}\u{fe0f}", None),
            ("a\u{200b}b", Some("invisible characters")),
            ("a\u{7}b", Some("invisible characters")),
            ("a\u{202e}b\u{200b}", Some("characters that change the reading direction")),
            ("a\u{e0041}\u{202e}", Some("tag characters")),
        ];
        for (text, kind) in cases {
            assert_eq!(hidden_kind(text), kind, "{text:?}");
        }
        assert_eq!(shown("a\u{200b}b`\n", 60), "a\\u{200b}b\\u{60}\\u{a}");
        assert_eq!(shown("abcdef", 3), "abc...");
    }
}
