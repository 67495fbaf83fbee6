//! Does a text speak to an agent instead of to people? Signals are weighed, none decides alone.
//!
//! A walk over the words keeps where each meaning was last seen. A rule is a set of meanings that
//! stand near each other, in any order, for languages differ in it. The signals of one stretch of
//! text are joined as independent hints: two of fifty are seventy-five.

use crate::lexicon::*;
use crate::marks;
use kit::words::Word;
use std::ops::Range;

/// A hint that a text speaks to an agent.
#[derive(Debug, Clone)]
pub(crate) struct Signal {
    pub(crate) bytes: Range<usize>,
    pub(crate) weight: u8,
    pub(crate) name: &'static str,
}

/// A hint with its place in the text as it is written and, if it was read there, in the view.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    pub(crate) raw: Range<usize>,
    pub(crate) view: Option<Range<usize>>,
    pub(crate) weight: u8,
    pub(crate) name: &'static str,
}

/// A stretch of text with its hints joined.
#[derive(Debug, Clone)]
pub(crate) struct Stretch {
    /// Where its hints stand in the view; hints far apart in it make several.
    pub(crate) view: Vec<Range<usize>>,
    /// From the first to the last hint that is in no view: marks that are tags.
    pub(crate) raw: Option<Range<usize>>,
    pub(crate) confidence: u8,
    /// The name of the heaviest hint.
    pub(crate) reason: &'static str,
}

/// Signals farther apart than this many bytes belong to different stretches.
const APART: usize = 700;
/// How many words a rule spans.
pub(crate) const NEAR: usize = 9;
/// The number of meanings.
const MEANINGS: usize = 30;

/// Where the walk is, and what it has seen.
pub(crate) struct Walk<'t> {
    pub(crate) text: &'t str,
    /// The number of the word.
    pub(crate) now: usize,
    /// For each meaning, the number of the last word that had it (0: none), and where it stood.
    seen: [(usize, usize, usize); MEANINGS],
    /// The last words, the newest last.
    pub(crate) row: [Word; 5],
    /// The last address or link: number of the word and place.
    pub(crate) link: (usize, usize),
    /// In the definition of a tool, talk about tools is no hint.
    pub(crate) definition: bool,
    /// Letters that stand alone, and where.
    spelled: String,
    letters: (usize, usize),
    signals: Vec<Signal>,
}

/// The confidence of the weightiest stretch of a text that stands for itself.
pub(crate) fn weigh(text: &str) -> u8 {
    let placed = signals(text, false).into_iter().map(|signal| Placed {
        raw: signal.bytes.clone(),
        view: Some(signal.bytes),
        weight: signal.weight,
        name: signal.name,
    });
    join(placed.collect()).iter().map(|stretch| stretch.confidence).max().unwrap_or(0)
}

/// The hints of a text, in its order.
pub(crate) fn signals(text: &str, definition: bool) -> Vec<Signal> {
    let none = Word { start: 0, end: 0, class: 0 };
    let mut walk = Walk {
        text,
        now: 0,
        seen: [(0, 0, 0); MEANINGS],
        row: [none; 5],
        link: (0, 0),
        definition,
        spelled: String::new(),
        letters: (0, 0),
        signals: Vec::new(),
    };
    LEXICON.walk(text, |word| walk.step(word));
    walk.step(Word { start: text.len(), end: text.len() + 2, class: 0 });
    let mut signals = walk.signals;
    marks::scan(text, &mut signals);
    signals
}

impl Walk<'_> {
    fn step(&mut self, mut word: Word) {
        if self.letter(word) {
            return;
        }
        if word.class == 0 && word.end - word.start <= 16 {
            word.class = self.digits_for_letters(word);
        }
        self.take(word);
    }

    /// Letters that stand alone, as in `i g n o r e`, are kept until they are a word.
    fn letter(&mut self, word: Word) -> bool {
        let single = word.end - word.start == 1;
        let near = word.start <= self.letters.1 + 1;
        let goes_on = single && near;
        if !goes_on && !self.spelled.is_empty() {
            let (start, end) = self.letters;
            let spelled = std::mem::take(&mut self.spelled);
            if spelled.len() >= 3 {
                // The first of the row was taken for a word: `I`.
                if let Some(slot) =
                    self.seen.get_mut(MINE.trailing_zeros() as usize).filter(|slot| slot.1 == start)
                {
                    *slot = (0, 0, 0);
                }
                self.take(Word { start, end, class: LEXICON.get(&spelled) });
            }
        }
        let letter = self.byte(word.start);
        if !single || !letter.is_ascii_alphabetic() {
            return false;
        }
        if self.spelled.is_empty() {
            self.letters.0 = word.start;
        }
        self.letters.1 = word.end;
        self.spelled.push(char::from(letter.to_ascii_lowercase()));
        // The first of a row may be a word, such as `I`.
        self.spelled.len() > 1
    }

    /// The meaning of a word that is spelled with digits, as `1gn0re`.
    fn digits_for_letters(&self, word: Word) -> u64 {
        let read = self.text.get(word.start..word.end).unwrap_or("");
        let digits = read.bytes().filter(u8::is_ascii_digit).count();
        if digits == 0 || digits * 2 > read.len() || read.len() < 5 {
            return 0;
        }
        let plain: String = read
            .chars()
            .map(|c| match c {
                '0' => 'o',
                '1' => 'i',
                '3' => 'e',
                '4' => 'a',
                '5' => 's',
                '7' => 't',
                c => c,
            })
            .collect();
        LEXICON.get(&plain)
    }

    fn take(&mut self, word: Word) {
        self.now += 1;
        self.row.rotate_left(1);
        if let Some(last) = self.row.last_mut() {
            *last = word;
        }
        match self.byte(word.end) {
            b'@' => self.link = (self.now, word.start),
            b':' if self.text.get(word.end..word.end + 3) == Some("://") => {
                self.link = (self.now, word.start);
                self.carrying();
            }
            b'_' => self.tool(word),
            _ => {}
        }
        if word.class == 0 {
            return;
        }
        let mut rest = word.class;
        while rest != 0 {
            let bit = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            if let Some(slot) = self.seen.get_mut(bit) {
                *slot = (self.now, word.start, word.end);
            }
        }
        if word.class & LAST != 0 {
            self.phrases();
        }
        self.rules(word);
    }

    pub(crate) fn byte(&self, place: usize) -> u8 {
        self.text.as_bytes().get(place).copied().unwrap_or(0)
    }

    /// Whether a meaning was seen among the last words, and where.
    pub(crate) fn near(&self, meaning: u64, words: usize) -> Option<(usize, usize)> {
        let (number, start, end) = self.seen.get(meaning.trailing_zeros() as usize).copied()?;
        (number > 0 && self.now - number < words).then_some((start, end))
    }

    /// A hint from the first to the last of some meanings, unless one of that name is there already.
    pub(crate) fn hint(&mut self, weight: u8, name: &'static str, start: usize, end: usize) {
        let near = |other: &&mut Signal| other.name == name && start < other.bytes.end + 120;
        if let Some(other) = self.signals.iter_mut().rev().take(6).find(near) {
            other.weight = other.weight.max(weight);
            other.bytes.start = other.bytes.start.min(start);
            other.bytes.end = other.bytes.end.max(end);
            return;
        }
        if weight > 0 {
            self.signals.push(Signal { bytes: start..end, weight, name });
        }
    }

    fn phrases(&mut self) {
        let row = self.row;
        let text = self.text;
        let read = |word: &Word| text.get(word.start..word.end).unwrap_or("");
        let Some(last) = row.last().map(read) else { return };
        for phrase in ending_in(last) {
            let from = row.len() - phrase.words.len();
            let tail = row.get(from..).unwrap_or(&[]);
            let same = |(word, found): (&&str, &Word)| folds(read(found), word);
            if phrase.words.iter().zip(tail).all(same) {
                let (start, end) =
                    (tail.first().map_or(0, |w| w.start), tail.last().map_or(0, |w| w.end));
                let weight =
                    if self.definition && phrase.name == "tool_talk" { 5 } else { phrase.weight };
                self.hint(weight, phrase.name, start, end);
            }
        }
    }
}

/// Whether a word is another, folded.
fn folds(word: &str, folded: &str) -> bool {
    if word.is_ascii() {
        return word.eq_ignore_ascii_case(folded);
    }
    let mut out = String::new();
    kit::unfold::fold_word(word, &mut out);
    out == folded
}

/// Joins hints that stand near each other.
pub(crate) fn join(mut hints: Vec<Placed>) -> Vec<Stretch> {
    hints.sort_by_key(|hint| hint.raw.start);
    let mut stretches = Vec::new();
    let mut rest = hints.as_slice();
    while let Some(first) = rest.first() {
        let mut end = first.raw.end;
        let near = rest.iter().take_while(|hint| {
            let near = hint.raw.start <= end + APART;
            end = if near { end.max(hint.raw.end) } else { end };
            near
        });
        let (group, others) = rest.split_at(near.count().max(1));
        stretches.push(stretch(group));
        rest = others;
    }
    stretches
}

fn stretch(group: &[Placed]) -> Stretch {
    let mut names: Vec<(&'static str, u8)> = Vec::new();
    for hint in group {
        match names.iter_mut().find(|(name, _)| *name == hint.name) {
            Some(other) => other.1 = other.1.max(hint.weight),
            None => names.push((hint.name, hint.weight)),
        }
    }
    let doubt =
        names.iter().fold(1.0, |doubt, (_, weight)| doubt * (1.0 - f32::from(*weight) / 100.0));
    let reason = names.iter().max_by_key(|(_, weight)| *weight).map_or("", |(name, _)| name);
    let mut places: Vec<_> = group.iter().filter_map(|hint| hint.view.clone()).collect();
    places.sort_by_key(|place| place.start);
    let mut view: Vec<Range<usize>> = Vec::new();
    for place in places {
        match view.last_mut().filter(|last| place.start <= last.end + APART) {
            Some(last) => last.end = last.end.max(place.end),
            None => view.push(place),
        }
    }
    let raw = group.iter().filter(|hint| hint.view.is_none()).map(|hint| hint.raw.clone()).next();
    Stretch { view, raw, confidence: ((1.0 - doubt) * 100.0).min(99.0) as u8, reason }
}
