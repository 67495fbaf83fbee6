//! Words of a text, and the diff of two texts by words.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::align::{Budget, Step, align};

/// On which side something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// On both.
    Same,
    /// Only in the new one.
    Added,
    /// Only in the old one.
    Removed,
}

/// A stretch of two compared texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Segment {
    /// On which side it stands.
    pub change: Change,
    /// The text, as it is: make hidden characters visible before showing it.
    pub text: String,
}

/// How many words came and went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WordCount {
    /// Words that are new.
    pub added: usize,
    /// Words that are gone.
    pub removed: usize,
    /// Words that there were before.
    pub before: usize,
}

impl WordCount {
    /// Whether more than 40 % of the words are gone.
    #[must_use]
    pub const fn is_mostly_removed(self) -> bool {
        self.before >= 10 && self.removed * 5 > self.before * 2
    }
}

/// Cuts a text into words, spaces, and signs; together they are the text.
pub(super) fn tokens(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut start = 0;
    let mut last = None;
    for (at, letter) in text.char_indices() {
        let class = class(letter);
        if last.is_some_and(|last| last != class || class == Class::Sign) {
            out.extend(text.get(start..at));
            start = at;
        }
        last = Some(class);
    }
    out.extend(text.get(start..).filter(|rest| !rest.is_empty()));
    out
}

/// Whether a token of [`tokens`] counts as a word.
pub(super) fn is_word(token: &str) -> bool {
    token.chars().next().is_some_and(char::is_alphanumeric)
}

pub(super) fn is_space(token: &str) -> bool {
    token.chars().all(char::is_whitespace)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Word,
    Space,
    Sign,
}

fn class(letter: char) -> Class {
    match letter {
        // Scripts without spaces: each sign is a word of its own.
        '\u{3040}'..='\u{9fff}' | '\u{e00}'..='\u{e7f}' | '\u{20000}'..='\u{3ffff}' => Class::Sign,
        letter if letter.is_alphanumeric() => Class::Word,
        letter if letter.is_whitespace() => Class::Space,
        _ => Class::Sign,
    }
}

/// The diff of two texts by words.
pub(super) fn compare(old: &str, new: &str, budget: &mut Budget) -> Vec<Segment> {
    let (before, after) = (tokens(old), tokens(new));
    let steps = readable(align(&before, &after, budget), |at| {
        before.get(at).is_some_and(|token| is_space(token))
    });
    let mut out: Vec<Segment> = Vec::new();
    let mut push = |change: Change, tokens: Option<&[&str]>| {
        let text = tokens.unwrap_or_default().concat();
        if !text.is_empty() {
            out.push(Segment { change, text });
        }
    };
    for step in steps {
        match step {
            Step::Same(from, _) => push(Change::Same, before.get(from)),
            Step::Became(from, to) => {
                push(Change::Removed, before.get(from));
                push(Change::Added, after.get(to));
            }
        }
    }
    out
}

/// Joins changes that only a space parts: `old words` became `new text`, not each word on its own.
pub(super) fn readable(steps: Vec<Step>, is_space: impl Fn(usize) -> bool) -> Vec<Step> {
    let mut out: Vec<Step> = Vec::with_capacity(steps.len());
    let mut steps = steps.into_iter().peekable();
    while let Some(step) = steps.next() {
        let joins = match (&step, out.last(), steps.peek()) {
            (Step::Same(from, _), Some(Step::Became(a, b)), Some(Step::Became(c, d))) => {
                let whole = |old: &std::ops::Range<usize>, new: &std::ops::Range<usize>| {
                    !old.is_empty() && !new.is_empty()
                };
                whole(a, b) && whole(c, d) && from.len() <= 2 && from.clone().all(&is_space)
            }
            _ => false,
        };
        match (out.last_mut(), step) {
            (Some(Step::Became(a, b)), Step::Same(c, d)) if joins => {
                a.end = c.end;
                b.end = d.end;
            }
            (Some(Step::Became(a, b)), Step::Became(c, d)) => {
                a.end = c.end;
                b.end = d.end;
            }
            (_, step) => out.push(step),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(old: &str, new: &str) -> String {
        let segments = compare(old, new, &mut Budget::of_a_review());
        let shown = segments.into_iter().map(|one| match one.change {
            Change::Same => one.text,
            Change::Added => format!("[+{}]", one.text),
            Change::Removed => format!("[-{}]", one.text),
        });
        shown.collect()
    }

    #[test]
    fn words_are_compared_as_people_read_them() {
        let rows = [
            ("Refunds take 5 days.", "Refunds take 14 days.", "Refunds take [-5][+14] days."),
            ("same", "same", "same"),
            ("", "new text", "[+new text]"),
            ("one two end", "three four end", "[-one two][+three four] end"),
            ("\u{8fd4}\u{91d1}", "\u{8fd4}\u{6b3e}", "\u{8fd4}[-\u{91d1}][+\u{6b3e}]"),
        ];
        for (old, new, expected) in rows {
            assert_eq!(shown(old, new), expected);
        }
    }
}
