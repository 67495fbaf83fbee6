//! Texts of others, so that a reader sees all of them: what cannot be seen becomes a named mark.
//!
//! The table of hidden characters is the domain's. Line feed and tab are shown as they are; the
//! joiners that emoji are written with are no marks between two signs.

use std::borrow::Cow;

use crate::domain::is_hidden;

/// More marks in a row than this are counted, not listed: they would bury the text.
const IN_A_ROW: usize = 12;

/// A stretch of a text as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Visible<'a> {
    /// Can be seen.
    Text(&'a str),
    /// Cannot be seen.
    Mark(Mark),
}

/// Hidden characters, one kind in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The code point in the usual form, such as `U+202E`; empty for a mixed rest.
    pub code: String,
    /// What it is, in words.
    pub name: &'static str,
    /// How often in a row.
    pub count: usize,
    /// What tag characters spell, if they are any.
    pub spells: Option<String>,
}

impl Mark {
    /// The mark as plain text, for terminals and screen readers.
    #[must_use]
    pub fn words(&self) -> String {
        let times = if self.count > 1 { format!(" x{}", self.count) } else { String::new() };
        let spells = self.spells.as_ref().map(|text| format!(": \"{text}\"")).unwrap_or_default();
        let gap = if self.code.is_empty() { "" } else { " " };
        format!("{}{gap}{}{times}{spells}", self.code, self.name)
    }
}

/// Cuts a text into what can be seen and marks for what cannot.
#[must_use]
pub fn visible(text: &str) -> Vec<Visible<'_>> {
    let mut out = Vec::new();
    let mut rest = text;
    let mut before = ' ';
    while !rest.is_empty() {
        let plain = plain_length(rest, before);
        let (seen, hidden) = rest.split_at(plain);
        if !seen.is_empty() {
            before = seen.chars().next_back().unwrap_or(' ');
            out.push(Visible::Text(seen));
        }
        let length = hidden
            .char_indices()
            .find(|(_, letter)| !is_marked(*letter))
            .map_or(hidden.len(), |(at, _)| at);
        let (run, after) = hidden.split_at(length);
        marks(run, &mut out);
        rest = after;
    }
    out
}

/// The text on one line with its marks in brackets, for headlines, logs of ours and terminals.
#[must_use]
pub fn plain(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for piece in visible(text) {
        match piece {
            Visible::Text(text) => out.push_str(&text.replace(['\n', '\t'], " ")),
            Visible::Mark(mark) => {
                out.push('[');
                out.push_str(&mark.words());
                out.push(']');
            }
        }
    }
    Cow::Owned(out)
}

/// How many hidden characters a text has, by their sort.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Hidden {
    /// Cannot be seen.
    pub(super) invisible: usize,
    /// Change the direction of reading.
    pub(super) direction: usize,
    /// Spell a text that nobody sees.
    pub(super) tags: usize,
    /// Steer a terminal or end a line.
    pub(super) controls: usize,
}

impl Hidden {
    pub(super) fn of(text: &str) -> Self {
        let mut all = Self::default();
        for piece in visible(text) {
            let Visible::Mark(mark) = piece else { continue };
            match mark.name {
                TAGS => all.tags += mark.count,
                CONTROL | ESCAPE => all.controls += mark.count,
                name if DIRECTIONS.contains(&name) => all.direction += mark.count,
                _ => all.invisible += mark.count,
            }
        }
        all
    }
}

const TAGS: &str = "tag characters";
const CONTROL: &str = "control character";
const ESCAPE: &str = "escape";
const MIXED: &str = "more hidden characters";
const DIRECTIONS: [&str; 4] =
    ["reading direction mark", "direction embedding", "direction override", "direction isolate"];

const fn is_marked(letter: char) -> bool {
    is_hidden(letter) && !matches!(letter, '\n' | '\t')
}

/// The length of the text before the next hidden character.
fn plain_length(text: &str, before: char) -> usize {
    let mut before = before;
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        if is_marked(letter) {
            let after = letters.peek().map_or(' ', |(_, next)| *next);
            let joins = match letter {
                '\u{fe0f}' => is_sign(before),
                '\u{200d}' => is_sign(before) && is_sign(after),
                _ => false,
            };
            if !joins {
                return at;
            }
        } else {
            before = letter;
        }
    }
    text.len()
}

/// Emoji and their like; a heart before its selector too.
const fn is_sign(letter: char) -> bool {
    matches!(letter, '#' | '*' | '0'..='9' | '\u{a9}' | '\u{ae}' | '\u{203c}'..='\u{3299}' | '\u{1f000}'..='\u{1faff}')
        && !is_hidden(letter)
}

fn marks<'a>(run: &'a str, out: &mut Vec<Visible<'a>>) {
    let mut letters = run.chars().peekable();
    let mut marks = 0;
    while let Some(letter) = letters.next() {
        if marks == IN_A_ROW {
            let count = 1 + letters.count();
            out.push(Visible::Mark(Mark { code: String::new(), name: MIXED, count, spells: None }));
            return;
        }
        marks += 1;
        let is_tag = matches!(letter, '\u{e0000}'..='\u{e007f}');
        let alike = |other: char| {
            if is_tag { matches!(other, '\u{e0000}'..='\u{e007f}') } else { other == letter }
        };
        let mut spells = String::new();
        let mut count = 1;
        spells.extend(spelled(letter));
        while let Some(next) = letters.next_if(|next| alike(*next)) {
            count += 1;
            spells.extend(spelled(next));
        }
        let spells = (!spells.is_empty()).then_some(spells);
        let code = format!("U+{:04X}", u32::from(letter));
        out.push(Visible::Mark(Mark { code, name: name(letter), count, spells }));
    }
}

/// The letter that a tag character stands for.
fn spelled(letter: char) -> Option<char> {
    let code = u32::from(letter).checked_sub(0xe0000)?;
    char::from_u32(code).filter(|letter| matches!(letter, ' '..='~'))
}

const fn name(letter: char) -> &'static str {
    match letter {
        '\u{1b}' => ESCAPE,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' => CONTROL,
        '\u{ad}' => "soft hyphen",
        '\u{61c}' | '\u{200e}' | '\u{200f}' => "reading direction mark",
        '\u{202a}'..='\u{202c}' => "direction embedding",
        '\u{202d}' | '\u{202e}' => "direction override",
        '\u{2066}'..='\u{2069}' => "direction isolate",
        '\u{200b}' => "zero-width space",
        '\u{200c}' | '\u{200d}' => "zero-width joiner",
        '\u{2028}' | '\u{2029}' => "line separator",
        '\u{2060}' => "word joiner",
        '\u{feff}' => "byte order mark",
        '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' => "variation selector",
        '\u{e0000}'..='\u{e007f}' => TAGS,
        _ => "invisible character",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_become_marks() {
        let rows = [
            ("plain text,\n\tline", "plain text,\n\tline"),
            ("a\u{202e}b", "a[U+202E direction override]b"),
            ("a\u{200b}\u{200b}b", "a[U+200B zero-width space x2]b"),
            ("x\u{e0068}\u{e0069}", "x[U+E0068 tag characters x2: \"hi\"]"),
            ("\u{1b}[31mred", "[U+001B escape][31mred"),
            (
                "\u{2764}\u{fe0f} \u{1f468}\u{200d}\u{1f469}",
                "\u{2764}\u{fe0f} \u{1f468}\u{200d}\u{1f469}",
            ),
            ("pass\u{200d}word", "pass[U+200D zero-width joiner]word"),
        ];
        for (text, expected) in rows {
            let mut out = String::new();
            for piece in visible(text) {
                match piece {
                    Visible::Text(text) => out.push_str(text),
                    Visible::Mark(mark) => out.push_str(&format!("[{}]", mark.words())),
                }
            }
            assert_eq!(out, expected);
        }
    }

    #[test]
    fn a_flood_of_marks_is_counted() {
        let flood: String = ['\u{200b}', '\u{200c}'].iter().cycle().take(100_000).collect();
        let found = visible(&flood);
        assert_eq!(found.len(), IN_A_ROW + 1);
        let hidden = Hidden::of(&flood);
        assert_eq!(hidden.invisible, 100_000);
    }
}
