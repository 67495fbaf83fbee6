//! Names that only the model sees, in lines where something may be one.

use crate::hit::Hit;
use crate::lexicon as lex;
use crate::text::{Text, Word};
use kit::kinds;
use std::ops::Range;

/// Classes of words that end a name that the model drew too long.
const NEVER: u64 = lex::NOBODY | lex::GREETING | lex::CLOSING | lex::TITLE;

/// Adds what the model finds where nothing is known yet.
pub(crate) fn find(text: &Text<'_>, threshold: f32, hits: &mut Vec<Hit>) {
    let mut known: Vec<Range<usize>> =
        hits.iter().filter(|h| h.confidence >= 60).map(|h| h.bytes.clone()).collect();
    known.sort_by_key(|r| r.start);
    let lines = lines(text, &known);
    for line in lines {
        for name in names::find(text.slice(line.clone()), threshold) {
            let bytes = line.start + name.bytes.start..line.start + name.bytes.end;
            let Some(bytes) = trimmed(text, bytes) else { continue };
            if crate::report::overlaps(&known, &bytes) {
                widen(hits, &bytes);
                continue;
            }
            let confidence = (name.confidence * 100.0).clamp(1.0, 79.0) as u8;
            hits.push(Hit::new(bytes, kinds::PERSON, confidence, "model"));
        }
    }
}

/// A person of whom a part is known gets the whole name.
fn widen(hits: &mut [Hit], bytes: &Range<usize>) {
    let over = |h: &&mut Hit| h.bytes.start < bytes.end && bytes.start < h.bytes.end;
    let mut over: Vec<&mut Hit> = hits.iter_mut().filter(over).collect();
    if over.iter().any(|h| h.kind != kinds::PERSON) {
        return;
    }
    if let Some(hit) = over.iter_mut().max_by_key(|h| (h.confidence, h.bytes.len())) {
        hit.bytes = hit.bytes.start.min(bytes.start)..hit.bytes.end.max(bytes.end);
        hit.confidence = hit.confidence.max(70);
    }
}

/// Stretches of lines that have a word which may be a name, each with the line before it.
fn lines(text: &Text<'_>, known: &[Range<usize>]) -> Vec<Range<usize>> {
    let read = text.read_text();
    let mut out: Vec<Range<usize>> = Vec::new();
    let (mut before, mut start) = (0, 0);
    let mut words = text.words.iter().peekable();
    let mut covered = known.iter().peekable();
    for line in read.split_inclusive('\n') {
        let end = start + line.len();
        let mut worth = false;
        while let Some(word) = words.next_if(|w| w.start < end) {
            while covered.next_if(|k| k.end <= word.start).is_some() {}
            let known = covered.peek().is_some_and(|k| k.start < word.end);
            worth |= !worth && !known && may_be(text, word);
        }
        if worth {
            match out.last_mut() {
                Some(last) if last.end >= before => last.end = end,
                _ => out.push(before..end),
            }
        }
        (before, start) = (start, end);
    }
    out
}

/// Whether a word may be a name: a capital that no beginning of a sentence explains, or a name in
/// small letters that is no word.
fn may_be(text: &Text<'_>, word: &Word) -> bool {
    if word.digit || !(2..=600).contains(&word.len()) || !word.letter || word.is(NEVER) {
        return false;
    }
    let folded = text.folded(word);
    if word.capital {
        !names::is_word(folded) || names::is_first_name(folded) || names::is_surname(folded)
    } else {
        word.class == 0 && names::is_first_name(folded) && !names::is_word(folded)
    }
}

/// A word that its ending shows to be a noun: `Kündigung`, `Suspension`.
fn is_noun(folded: &str) -> bool {
    const TAILS: &[&str] = &["ung", "heit", "keit", "schaft", "cion", "tion", "sion", "ismus"];
    folded.len() >= 8 && TAILS.iter().any(|t| folded.ends_with(t))
}

/// A word of the language in small letters.
fn is_plain(text: &Text<'_>, word: &Word) -> bool {
    !word.capital && !word.is(lex::PARTICLE) && names::is_word(text.folded(word))
}

/// A name without words at its ends that are never a part of one.
fn trimmed(text: &Text<'_>, bytes: Range<usize>) -> Option<Range<usize>> {
    let from = text.word_at(bytes.start);
    let to = text.word_at(bytes.end);
    let mut words = text.words.get(from..to)?;
    while let [first, rest @ ..] = words
        && first.is(NEVER)
    {
        words = rest;
    }
    while let [rest @ .., last] = words
        && (last.is(lex::NOBODY) || !rest.is_empty() && is_plain(text, last))
    {
        words = rest;
    }
    while let [first, rest @ ..] = words
        && !rest.is_empty()
        && (is_plain(text, first) || is_noun(text.folded(first)))
    {
        words = rest;
    }
    let (first, last) = (words.first()?, words.last()?);
    if words.len() == 1 && (first.is(lex::BRAND) || is_noun(text.folded(first))) {
        return None;
    }
    if words.len() == 1 && !first.capital && !crate::veto::is_careless(text, first.start) {
        return None;
    }
    if words.len() == 1 && first.is(lex::MONTH) && crate::veto::vetoed(text, from..to) {
        return None;
    }
    (first.start >= bytes.start && last.end <= bytes.end).then_some(first.start..last.end)
}
