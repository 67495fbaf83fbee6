//! A leaf as it is read, and its words.

use crate::lexicon;
use kit::unfold::{View, at, fold_word};
use kit::{Form, Leaf, Party};
use std::ops::Range;

/// A word: a run of letters and digits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Word {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Where its folded form stands in the arena.
    fold: (u32, u32),
    /// Of the folded form.
    pub(crate) hash: u32,
    /// What the lexicon says, as bits of [`lexicon`].
    pub(crate) class: u64,
    /// It begins with an upper-case letter, or with one of a script without cases.
    pub(crate) capital: bool,
    /// All its letters are of upper case, and there is more than one.
    pub(crate) shouted: bool,
    /// It has a digit.
    pub(crate) digit: bool,
    /// It has a letter.
    pub(crate) letter: bool,
}

impl Word {
    pub(crate) const fn is(&self, class: u64) -> bool {
        self.class & class != 0
    }

    pub(crate) const fn len(&self) -> usize {
        self.end - self.start
    }
}

/// A leaf as it is read.
#[derive(Debug)]
pub(crate) struct Text<'a> {
    /// The number of the leaf.
    pub(crate) leaf: usize,
    pub(crate) view: View<'a>,
    pub(crate) words: Vec<Word>,
    arena: String,
    pub(crate) party: Party,
    pub(crate) form: Form,
    /// What the leaf's key says about a bare value in it, as bits of [`lexicon`].
    pub(crate) key: u64,
}

impl<'a> Text<'a> {
    pub(crate) fn of(leaf: usize, from: &'a Leaf) -> Self {
        let view = View::of(&from.text, from.form);
        Self::read(leaf, view, from.form, from.party)
    }

    /// A text that stands encoded in another.
    pub(crate) fn inner(leaf: usize, text: &'a str, party: Party) -> Self {
        Self::read(leaf, View::of(text, Form::Text), Form::Text, party)
    }

    fn read(leaf: usize, view: View<'a>, form: Form, party: Party) -> Self {
        let mut text = Self {
            leaf,
            words: Vec::with_capacity(view.text().len() / 6 + 1),
            arena: String::with_capacity(view.text().len()),
            view,
            party,
            form,
            key: 0,
        };
        text.split();
        text
    }

    fn split(&mut self) {
        let read = self.view.text();
        let bytes = read.as_bytes();
        let mut i = 0;
        while i < bytes.len() {
            let b = at(bytes, i);
            if b.is_ascii() && !b.is_ascii_alphanumeric() {
                i += 1;
                continue;
            }
            let start = i;
            let mut plain = true;
            let (mut upper, mut lower, mut digit) = (0usize, 0usize, false);
            let from = self.arena.len();
            let mut hash = lexicon::SEED;
            loop {
                let b = at(bytes, i);
                if b.is_ascii_alphanumeric() {
                    upper += usize::from(b.is_ascii_uppercase());
                    lower += usize::from(b.is_ascii_lowercase());
                    digit |= b.is_ascii_digit();
                    hash = lexicon::step(hash, b.to_ascii_lowercase());
                    self.arena.push(char::from(b.to_ascii_lowercase()));
                    i += 1;
                } else if b >= 0x80 {
                    let c = read.get(i..).and_then(|t| t.chars().next()).unwrap_or_default();
                    if !c.is_alphanumeric() && !crate::fit::is_mark(c) {
                        break;
                    }
                    plain = false;
                    let cased = c.is_lowercase() || c.is_uppercase();
                    upper += usize::from(c.is_uppercase() || !cased && c.is_alphabetic());
                    lower += usize::from(c.is_lowercase());
                    digit |= c.is_numeric();
                    i += c.len_utf8();
                } else {
                    break;
                }
            }
            if i == start {
                let c = read.get(i..).and_then(|t| t.chars().next()).unwrap_or_default();
                i += c.len_utf8().max(1);
                continue;
            }
            let mut whole = read.get(start..i).unwrap_or_default();
            if !plain {
                self.arena.truncate(from);
                fold_word(whole, &mut self.arena);
                hash = lexicon::hash(self.arena.get(from..).unwrap_or_default());
            }
            let first = whole.chars().next().unwrap_or_default();
            if upper + lower == 0 {
                whole = "";
            }
            let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            let class = lexicon::class(hash, self.arena.get(from..).unwrap_or_default());
            self.words.push(Word {
                start,
                end: i,
                fold: (small(from), small(self.arena.len())),
                hash,
                class,
                capital: first.is_uppercase() || first.is_alphabetic() && !first.is_lowercase(),
                shouted: lower == 0 && upper > 1,
                digit,
                letter: !whole.is_empty(),
            });
        }
    }

    /// What is read.
    pub(crate) fn read_text(&self) -> &str {
        self.view.text()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.view.text().as_bytes()
    }

    pub(crate) fn slice(&self, range: Range<usize>) -> &str {
        self.view.text().get(range).unwrap_or_default()
    }

    /// A word folded.
    pub(crate) fn folded(&self, word: &Word) -> &str {
        self.arena.get(word.fold.0 as usize..word.fold.1 as usize).unwrap_or_default()
    }

    /// A word as it is read.
    pub(crate) fn plain(&self, word: &Word) -> &str {
        self.slice(word.start..word.end)
    }

    /// The number of the first word that begins at or behind a place.
    pub(crate) fn word_at(&self, place: usize) -> usize {
        self.words.partition_point(|w| w.start < place)
    }

    /// What stands between a word and the next.
    pub(crate) fn gap(&self, i: usize) -> &str {
        match (self.words.get(i), self.words.get(i + 1)) {
            (Some(a), Some(b)) => self.slice(a.end..b.start),
            _ => "\n",
        }
    }

    /// The last visible character before a place on its line.
    pub(crate) fn char_before(&self, place: usize) -> Option<char> {
        let before = self.slice(0..place);
        before.chars().rev().find(|c| *c == '\n' || !c.is_whitespace())
    }

    /// Whether a sentence begins at a place.
    pub(crate) fn starts_sentence(&self, place: usize) -> bool {
        match self.char_before(place) {
            None => true,
            Some(c) => matches!(c, '\n' | '.' | '!' | '?' | ':' | '\u{2022}' | '>' | '*' | '|'),
        }
    }
}
