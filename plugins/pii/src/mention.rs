//! Mentions: where a text repeats what the dictionary knows.

use crate::hit::Hit;
use crate::lexicon as lex;
use crate::people::{self, Entry, People, Person, Place};
use crate::text::{Text, Word};
use crate::veto::{is_careless, signs, told, vetoed};
use kit::{Party, kinds};
use std::ops::Range;

/// Some words of a text that are somebody's name.
struct Match {
    words: Range<usize>,
    bytes: Range<usize>,
    /// The parts of the name that were met, as bits.
    parts: u32,
    /// How many of them are names by themselves.
    strong: usize,
    initial: bool,
}

/// All mentions of a text.
pub(crate) fn find(text: &Text<'_>, people: &People, hits: &mut Vec<Hit>) {
    let mut i = 0;
    while let Some(word) = text.words.get(i) {
        let mut next = i + 1;
        for (_, entry) in people.at(word.hash) {
            match entry {
                Entry::Phrase(n) => {
                    if let Some(phrase) = people.phrases.get(*n)
                        && let Some(end) = phrase_end(text, i, &phrase.words)
                    {
                        let mut hit = Hit::new(word.start..end, phrase.kind, 93, "dictionary")
                            .value(phrase.value.clone());
                        hit.who = phrase.who;
                        hits.push(hit);
                    }
                }
                Entry::Glued(n) => glued(text, word, people, *n, hits),
                Entry::Name(..) | Entry::Stem(..) => {}
            }
        }
        if let Some((found, n)) = best(text, i, people) {
            next = next.max(found.words.end);
            name(text, &found, people, n, hits);
        } else if word.capital && word.letter {
            if let Some(end) = inflected(text, i, people, hits) {
                next = next.max(end);
            } else if !people.locals.is_empty() {
                next = next.max(from_mailbox(text, i, people, hits).unwrap_or(next));
            }
        } else if word.digit && word.letter {
            numbered(text, word, people, hits);
        }
        i = next;
    }
    for (name, n) in &people.unparted {
        for (start, found) in text.read_text().match_indices(name.as_str()) {
            push(start..start + found.len(), people, *n, None, 94, hits);
        }
    }
}

fn push(
    bytes: Range<usize>,
    people: &People,
    n: usize,
    part: Option<&'static str>,
    confidence: u8,
    hits: &mut Vec<Hit>,
) {
    let mut hit = Hit::new(bytes, kinds::PERSON, confidence, "dictionary");
    hit.who = Some(n);
    hit.part = part;
    if let Some(person) = people.person(n)
        && !person.name.is_empty()
    {
        hit.value = Some(person.name.clone());
    }
    hits.push(hit);
}

/// Where the words of a phrase end that begins at a word.
fn phrase_end(text: &Text<'_>, i: usize, words: &[String]) -> Option<usize> {
    let mut end = None;
    for (k, want) in words.iter().enumerate() {
        let word = text.words.get(i + k)?;
        if text.folded(word) != want || k > 0 && text.gap(i + k - 1).len() > 4 {
            return None;
        }
        end = Some(word.end);
    }
    end
}

/// The person of whose name most words stand here.
fn best(text: &Text<'_>, i: usize, people: &People) -> Option<(Match, usize)> {
    let word = text.words.get(i)?;
    let mut best: Option<(Match, usize)> = None;
    for (_, entry) in people.at(word.hash) {
        let Entry::Name(n, k) = entry else { continue };
        let Some(person) = people.person(*n) else { continue };
        if person.parts.get(*k).is_none_or(|p| p.folded != text.folded(word)) {
            continue;
        }
        let found = extend(text, i, *k, person);
        let rank = |m: &Match, n: usize| {
            let person = people.person(n);
            let known = person.is_some_and(|p| !p.guessed);
            // Of two who are called alike the one who must not be shown.
            (m.words.len(), m.strong, known, person.is_some_and(|p| p.party != Party::Teammate))
        };
        if best.as_ref().is_none_or(|(b, m)| rank(&found, *n) > rank(b, *m)) {
            best = Some((found, *n));
        }
    }
    best
}

/// Whether what stands between two words joins the words of a name.
fn joins(gap: &str) -> bool {
    gap.len() <= 3
        && gap.chars().all(|c| matches!(c, ' ' | ',' | '.' | '_' | '-' | '+' | '\'' | '\u{b7}'))
}

fn extend(text: &Text<'_>, i: usize, k: usize, person: &Person) -> Match {
    let mut parts = 1u32 << k.min(31);
    let (mut last, mut initial) = (i, false);
    let taken = |parts: u32, n: usize| parts & (1 << n.min(31)) != 0;
    let is_initial = |w: &Word, parts: u32| {
        w.len() == 1
            && w.capital
            && person
                .parts
                .iter()
                .enumerate()
                .any(|(n, p)| !taken(parts, n) && p.folded.starts_with(text.folded(w)))
    };
    let part_of = |w: &Word, parts: u32| {
        person
            .parts
            .iter()
            .enumerate()
            .find(|(n, p)| !taken(parts, *n) && p.folded == text.folded(w))
            .map(|(n, _)| n)
    };
    while let Some(word) = text.words.get(last + 1) {
        let gap = text.gap(last);
        let abbreviated = text.words.get(last).is_some_and(|w| w.len() == 1);
        if !joins(gap) || gap == ". " && !abbreviated {
            break;
        }
        if let Some(n) = part_of(word, parts) {
            parts |= 1 << n.min(31);
        } else if is_initial(word, parts)
            && (gap == " " || gap == ", ")
            && !text.starts_sentence(word.start)
        {
            initial = true;
        } else if word.len() == 1
            && word.capital
            && text.words.get(last + 2).is_some_and(|w| part_of(w, parts).is_some())
            && text.gap(last + 1).len() <= 2
        {
            // A middle initial that the field does not have.
        } else {
            break;
        }
        last += 1;
    }
    let (mut first, mut start) = (i, text.words.get(i).map_or(0, |w| w.start));
    if i > 0
        && let Some(before) = text.words.get(i - 1)
        && is_initial(before, parts)
        && matches!(text.gap(i - 1), ". " | "." | " ")
    {
        first = i - 1;
        start = before.start;
        initial = true;
    }
    let end = text.words.get(last).map_or(start, |w| w.end);
    let strong =
        person.parts.iter().enumerate().filter(|(n, p)| taken(parts, *n) && !p.weak).count();
    let _ = first;
    Match { words: i..last + 1, bytes: start..end, parts, strong, initial }
}

/// A name that stands in a text, if it is one here.
fn name(text: &Text<'_>, found: &Match, people: &People, n: usize, hits: &mut Vec<Hit>) {
    let Some(person) = people.person(n) else { return };
    let met = || {
        person
            .parts
            .iter()
            .enumerate()
            .filter(|(k, _)| found.parts & (1 << (*k).min(31)) != 0)
            .map(|(_, p)| p)
    };
    let all_strong = person.parts.iter().filter(|p| !p.weak).count();
    let places = |place: Place| met().any(|p| p.place == place && !p.weak);
    let whole = found.strong >= all_strong.max(1) && !person.guessed
        || places(Place::First) && places(Place::Last);
    let part = match (whole && all_strong > 1, places(Place::First), places(Place::Last)) {
        (true, ..) => None,
        (_, true, false) => Some("first"),
        (_, false, true) => Some("last"),
        _ => None,
    };
    let many = found.parts.count_ones() >= 2 && found.bytes.len() >= 5;
    if found.strong >= 2 || found.strong == 1 && found.initial || many {
        let confidence = if person.guessed { 85 } else { 97 };
        push(found.bytes.clone(), people, n, part, confidence, hits);
        return;
    }
    let Some(first) = text.words.get(found.words.start) else { return };
    let Some(p) = met().find(|p| !p.weak).or_else(|| met().next()) else { return };
    if found.strong == 0 {
        return;
    }
    let size = p.folded.chars().count();
    let cased = first.capital || p.folded.chars().any(|c| !c.is_lowercase());
    let fine = if person.guessed {
        cased && size >= 4 && (!p.common || !vetoed(text, found.words.clone()))
    } else if p.common {
        cased && !vetoed(text, found.words.clone())
            || !cased && (signs(text, &found.words) || told(text, &found.words))
    } else {
        cased || size >= 4 && is_careless(text, first.start)
    };
    if fine {
        let confidence = match (person.guessed, p.common) {
            (true, _) => 72,
            (_, true) => 80,
            _ => 94,
        };
        push(found.bytes.clone(), people, n, part, confidence, hits);
    }
}

/// A name with an ending of its language: `Annie`, `Petras`, `Şahin'in`.
fn inflected(text: &Text<'_>, i: usize, people: &People, hits: &mut Vec<Hit>) -> Option<usize> {
    const ENDINGS: &[&str] = &[
        "s", "a", "e", "i", "u", "y", "m", "n", "t", "em", "om", "ie", "in", "na", "ne", "en",
        "es", "ens", "ov", "ova", "owi", "owie", "ego", "ej", "emu", "ot", "at", "nak", "nek",
        "val", "vel", "hoz", "hez", "lla", "lle", "ssa", "sta", "nin", "ra", "re",
    ];
    // Behind a stem, where others stand as well.
    const CASES: &[&str] = &[
        "", "a", "e", "i", "o", "u", "y", "em", "om", "ou", "im", "ym", "ej", "ie", "ich", "ych",
        "ovi", "owi", "iej", "ego", "iego", "emu", "iemu", "ami", "imi", "ymi", "ach", "ам", "а",
        "е", "и", "ы", "у", "ю", "я", "ой", "ою", "ей", "ею", "ом", "ем", "ым", "им", "ых", "их",
        "ого", "его", "ому", "ему", "ами", "ями", "ах", "ях", "ове", "ові", "ου", "ο", "ε", "α",
        "η", "ας", "ης", "ων", "ους",
    ];
    let word = text.words.get(i)?;
    let folded = text.folded(word);
    if folded.len() < 5 || word.digit || word.class != 0 {
        return None;
    }
    let cuts = folded.char_indices().map(|(at, _)| at).chain([folded.len()]);
    let cuts: Vec<usize> = cuts.skip(4).collect();
    for cut in cuts.into_iter().rev().take(5) {
        let (Some(stem), Some(ending)) = (folded.get(..cut), folded.get(cut..)) else { continue };
        for (_, entry) in people.at(lex::hash(stem)) {
            let (Entry::Name(p, k) | Entry::Stem(p, k)) = entry else { continue };
            let Some(person) = people.person(*p) else { continue };
            let Some(part) = person.parts.get(*k) else { continue };
            let fits = match entry {
                Entry::Name(..) => {
                    part.folded == stem && !ending.is_empty() && ENDINGS.contains(&ending)
                }
                _ => {
                    people::stem(&part.folded) == stem
                        && CASES.contains(&ending)
                        && !names::is_word(folded)
                }
            };
            let fits = fits && !part.common && !part.weak;
            if fits && !person.guessed && !lex::is_name_word(folded) {
                push(word.start..word.end, people, *p, Some("last"), 75, hits);
                return Some(i + 1);
            }
        }
    }
    None
}

/// `jdoe`: a person's names in one word.
fn glued(text: &Text<'_>, word: &Word, people: &People, n: usize, hits: &mut Vec<Hit>) {
    let local = people.locals.iter().any(|(l, m)| *m == n && l == text.folded(word));
    let mut bytes = word.start..word.end;
    if text.slice(0..word.start).ends_with('@') {
        bytes.start -= 1;
    }
    if local && word.len() < 5 || lex::is_name_hash(word.hash) || word.class != 0 {
        return;
    }
    let mut hit = Hit::new(bytes, kinds::USERNAME, 70, "dictionary");
    hit.who = Some(n);
    hits.push(hit);
}

/// `janedoe42`: the same with a number behind.
fn numbered(text: &Text<'_>, word: &Word, people: &People, hits: &mut Vec<Hit>) {
    let stem = text.folded(word).trim_end_matches(|c: char| c.is_ascii_digit());
    if stem.len() < 4 {
        return;
    }
    for (_, entry) in people.at(lex::hash(stem)) {
        let n = match entry {
            Entry::Glued(n) => *n,
            Entry::Name(n, k) => {
                let fits = people
                    .person(*n)
                    .and_then(|p| p.parts.get(*k))
                    .is_some_and(|p| p.folded == stem && !p.common && !p.weak);
                if !fits {
                    continue;
                }
                *n
            }
            Entry::Phrase(_) | Entry::Stem(..) => continue,
        };
        let mut hit = Hit::new(word.start..word.end, kinds::USERNAME, 68, "dictionary");
        hit.who = Some(n);
        hits.push(hit);
        return;
    }
}

/// Two words whose letters are a mailbox's name: `Gregory Wright` of `gregorywright@`.
fn from_mailbox(text: &Text<'_>, i: usize, people: &People, hits: &mut Vec<Hit>) -> Option<usize> {
    let first = text.words.get(i)?;
    if first.digit || first.class & !(lex::PARTICLE | lex::MONTH) != 0 {
        return None;
    }
    let a = text.folded(first);
    if let Some(second) = text.words.get(i + 1)
        && second.capital
        && !second.digit
        && matches!(text.gap(i), " " | ", " | "-")
    {
        let b = text.folded(second);
        let join = |from: u32, with: &str| with.bytes().fold(from, lex::step);
        let initial = |w: &str| w.get(..1).map_or(lex::SEED, lex::hash);
        for hash in [
            join(first.hash, b),
            join(second.hash, a),
            join(initial(a), b),
            join(second.hash, a.get(..1).unwrap_or_default()),
            join(first.hash, b.get(..1).unwrap_or_default()),
        ] {
            let owner = people.at(hash).iter().find_map(|(_, e)| match e {
                Entry::Glued(n) => Some(*n),
                _ => None,
            });
            if let Some(n) = owner {
                push(first.start..second.end, people, n, None, 84, hits);
                return Some(i + 2);
            }
        }
    }
    if a.len() < 4 || lex::is_name_word(a) {
        return None;
    }
    let near =
        |local: &str| local.starts_with(a) && local.len() <= a.len() + 12 || local.ends_with(a);
    let (_, n) = people.locals.iter().find(|(l, _)| l.len() > a.len() && near(l))?;
    push(first.start..first.end, people, *n, Some("first"), 68, hits);
    Some(i + 1)
}
