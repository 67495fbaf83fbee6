//! Names that only a text has, where something beside them says so: a greeting, a title, an address.

use crate::hit::Hit;
use crate::lexicon as lex;
use crate::text::{Text, Word};
use crate::veto;
use kit::kinds;
use std::ops::Range;

/// Classes that no word of a name has.
const NOT_A_NAME: u64 = lex::NOBODY
    | lex::GREETING
    | lex::CLOSING
    | lex::CALLED
    | lex::TITLE
    | lex::THING
    | lex::BIRTH
    | lex::PASSWORD
    | lex::SECRET
    | lex::PASSPORT
    | lex::EMAIL
    | lex::PHONE
    | lex::ADDRESS
    | lex::TO_PERSON
    | lex::EXPIRY
    | lex::CARD
    | lex::IP
    | lex::NATIONAL;

/// Names beside a cue.
pub(crate) fn find(text: &Text<'_>, hits: &mut Vec<Hit>) {
    const CUES: u64 = lex::GREETING | lex::CLOSING | lex::CALLED | lex::TITLE | lex::PERSON;
    for (i, word) in text.words.iter().enumerate() {
        if word.class & CUES == 0 && !is_name_label(text, i) {
            continue;
        }
        let found = if word.is(lex::GREETING) && starts_line(text, i) {
            greeting(text, i)
        } else if word.is(lex::TITLE) && word.capital {
            let gap = text.gap(i);
            (matches!(gap, " " | ". " | "."))
                .then(|| titled(text, i + 1))
                .flatten()
                .map(|r| (r, 82))
        } else if word.is(lex::CLOSING) {
            closing(text, i)
        } else if is_name_label(text, i)
            || word.is(lex::CALLED) && !matches!(text.folded(word), "speaking" | "goes")
        {
            called(text, i)
        } else if word.is(lex::PERSON) {
            role(text, i)
        } else {
            None
        };
        if let Some((words, confidence)) = found {
            push(text, words, confidence, hits);
        }
        if text.folded(word) == "speaking" {
            before(text, i, hits);
        }
    }
    introduced(text, hits);
}

fn push(text: &Text<'_>, words: Range<usize>, confidence: u8, hits: &mut Vec<Hit>) {
    let (Some(first), Some(last)) =
        (text.words.get(words.start), words.end.checked_sub(1).and_then(|n| text.words.get(n)))
    else {
        return;
    };
    hits.push(Hit::new(first.start..last.end, kinds::PERSON, confidence, "cue"));
}

/// Whether a word may be a part of a name that nobody knows.
fn is_name(text: &Text<'_>, word: &Word) -> bool {
    word.capital
        && !word.digit
        && word.class & NOT_A_NAME == 0
        && word.len() > 1
        && !(word.shouted && word.len() > 12)
        && !text.folded(word).is_empty()
}

/// Words of a name from a place on: capitals, particles between, initials.
pub(crate) fn sequence(
    text: &Text<'_>,
    from: usize,
    most: usize,
    surely: bool,
) -> Option<Range<usize>> {
    let mut end = from;
    let mut names = 0;
    let mut k = from;
    while k < from + most + 2 && names < most {
        let Some(word) = text.words.get(k) else { break };
        if k > from {
            let gap = text.gap(k - 1);
            let initial = text.words.get(k - 1).is_some_and(|w| w.len() == 1);
            if !(matches!(gap, " " | "-" | "'" | "  ") || gap == ". " && initial) {
                break;
            }
        }
        if is_name(text, word) {
            names += 1;
            end = k + 1;
        } else if word.is(lex::PARTICLE) && !word.capital && k > from
            || word.len() == 1 && word.capital
        {
        } else {
            break;
        }
        k += 1;
    }
    if names == 0 {
        return None;
    }
    let words = from..end;
    let single = text.words.get(from)?;
    let common =
        names == 1 && (lex::is_name_hash(single.hash) || single.class & !lex::PARTICLE != 0);
    (surely || !common || !veto::vetoed(text, words.clone())).then_some(words)
}

fn starts_line(text: &Text<'_>, i: usize) -> bool {
    let Some(word) = text.words.get(i) else { return false };
    text.starts_sentence(word.start)
        || text.words.get(i.wrapping_sub(1)).is_some_and(|w| w.is(lex::GREETING))
}

/// Behind a title any capital is a name: "Mrs Day".
fn titled(text: &Text<'_>, i: usize) -> Option<Range<usize>> {
    sequence(text, i, 3, true).or_else(|| {
        let word = text.words.get(i)?;
        (word.capital && !word.digit && word.len() > 1 && !word.is(lex::TITLE | lex::GREETING))
            .then_some(i..i + 1)
    })
}

/// "Hi Jane," "Sehr geehrte Frau Doe", "Good evening, Jane".
fn greeting(text: &Text<'_>, i: usize) -> Option<(Range<usize>, u8)> {
    let mut k = i + 1;
    while text.words.get(k).is_some_and(|w| {
        w.is(lex::GREETING | lex::TITLE) || w.is(lex::NOBODY) && w.class & lex::GREETING != 0
    }) && k < i + 4
    {
        k += 1;
    }
    let gap = text.gap(k - 1);
    if !matches!(gap, " " | ", " | ". " | "  " | "! ") || text.words.get(k)?.is(lex::NOBODY) {
        return None;
    }
    let words = sequence(text, k, 3, true)?;
    let last = words.end - 1;
    if text.gap(last) == " " && text.words.get(words.end).is_some_and(|w| w.is(lex::NOBODY)) {
        return None;
    }
    let behind = text.gap(last);
    let closed = behind.starts_with([',', '!', '.', '\n', ':', '-', ';', '?'])
        || behind.starts_with(" -")
        || behind.is_empty();
    let first = text.words.get(k)?;
    let common = lex::is_name_hash(first.hash) || first.class & !lex::PARTICLE != 0;
    if gap == " " && (closed || !common) {
        return Some((words, if closed { 82 } else { 62 }));
    }
    (closed && !common && gap != ". ").then_some((words, 60))
}

/// "Best regards,\nJane Doe": a name that ends the text or its paragraph.
fn closing(text: &Text<'_>, i: usize) -> Option<(Range<usize>, u8)> {
    let mut k = i + 1;
    while k < i + 4
        && text.words.get(k).is_some_and(|w| {
            w.is(lex::CLOSING | lex::NOBODY)
                || matches!(
                    text.folded(w),
                    "and"
                        | "y"
                        | "et"
                        | "in"
                        | "advance"
                        | "you"
                        | "the"
                        | "a"
                        | "all"
                        | "from"
                        | "meilleures"
                        | "salutations"
                )
        })
    {
        if text.gap(k - 1).contains(['.', '?']) {
            return None;
        }
        k += 1;
    }
    let gap = text.gap(k - 1);
    let marks = gap.chars().filter(|c| !c.is_whitespace()).count();
    if gap.len() > 6 || marks > 2 || gap.contains(['?', ':', '/']) {
        return None;
    }
    let words = sequence(text, k, 3, true)?;
    let behind = text.gap(words.end - 1);
    let parting = gap.contains([',', '\n', '!', '-']);
    let ends = behind.is_empty()
        || behind.starts_with(['\n', '.', '<', '|'])
        || behind.starts_with(", ")
        || behind.starts_with("  ");
    (ends && (parting || text.words.get(k).is_some_and(|w| !lex::is_name_hash(w.hash))))
        .then_some((words, 76))
}

/// `name` before a colon or a word that equates.
fn is_name_label(text: &Text<'_>, i: usize) -> bool {
    let Some(word) = text.words.get(i) else { return false };
    if word.len() < 3 || word.len() > 8 {
        return false;
    }
    match text.folded(word) {
        "name" | "nombre" | "nom" | "nome" | "naam" | "navn" | "namn" | "vorname" | "nachname"
        | "prenom" | "imie" => {
            let gap = text.gap(i);
            gap.starts_with(':')
                || gap.starts_with('=')
                || text.words.get(i + 1).is_some_and(|w| {
                    matches!(text.folded(w), "is" | "ist" | "es" | "est" | "e" | "er" | "ar" | "s")
                })
        }
        "bin" | "soy" | "sono" | "sou" | "ben" | "am" | "vagyok" | "m" => {
            text.words.get(i + 1).is_some_and(|w| w.capital)
                && text.gap(i) == " "
                && said_by_me(text, i)
        }
        _ => false,
    }
}

/// Whether somebody speaks of themself: "I am", "ich bin".
fn said_by_me(text: &Text<'_>, i: usize) -> bool {
    let Some(word) = text.words.get(i) else { return false };
    let before = i
        .checked_sub(1)
        .and_then(|n| text.words.get(n))
        .map(|w| text.folded(w))
        .unwrap_or_default();
    match text.folded(word) {
        "bin" => before == "ich",
        "am" | "m" => before == "i",
        "ben" => before == "ik",
        _ => {
            text.starts_sentence(word.start)
                || matches!(before, "yo" | "eu" | "io" | "hola" | "ciao" | "ola")
        }
    }
}

fn called(text: &Text<'_>, i: usize) -> Option<(Range<usize>, u8)> {
    let mut k = i + 1;
    while k < i + 3
        && text.words.get(k).is_some_and(|w| {
            !w.capital
                && matches!(
                    text.folded(w),
                    "is" | "ist"
                        | "es"
                        | "est"
                        | "e"
                        | "er"
                        | "ar"
                        | "s"
                        | "sie"
                        | "frau"
                        | "herr"
                        | "the"
                )
        })
    {
        k += 1;
    }
    let gap = text.gap(k - 1);
    (gap.len() <= 4 && !gap.contains(['.', '?', '!', ',']) && gap.matches('\n').count() < 2)
        .then(|| sequence(text, k, 4, true))
        .flatten()
        .map(|w| {
            let many = w.len() > 1;
            (w, if many { 84 } else { 70 })
        })
}

/// "our lawyer, Jane Doe": two words or more.
fn role(text: &Text<'_>, i: usize) -> Option<(Range<usize>, u8)> {
    let gap = text.gap(i);
    if !matches!(gap, " " | ", " | ": " | " (" | " - ") {
        return None;
    }
    let words = sequence(text, i + 1, 4, false)?;
    let first = text.words.get(words.start)?;
    let lower_role = text.words.get(i).is_some_and(|w| !w.capital) || gap == ": ";
    let single_ok = !lex::is_name_hash(first.hash) && first.class == 0 && gap != " (";
    (lower_role && (words.len() > 1 || single_ok)).then_some((words, 68))
}

/// "Jane Doe speaking".
fn before(text: &Text<'_>, i: usize, hits: &mut Vec<Hit>) {
    let mut k = i;
    while k > 0
        && i - k < 3
        && text.words.get(k - 1).is_some_and(|w| is_name(text, w))
        && text.gap(k - 1) == " "
    {
        k -= 1;
    }
    if k < i {
        push(text, k..i, 78, hits);
    }
}

/// "Jane Doe <jane@example.org>": capitals right before an address.
fn introduced(text: &Text<'_>, hits: &mut Vec<Hit>) {
    let addresses: Vec<usize> = hits
        .iter()
        .filter(|h| h.kind == kinds::EMAIL && h.confidence > 45)
        .map(|h| h.bytes.start)
        .collect();
    for start in addresses {
        let mut k = text.word_at(start);
        let end = k;
        let Some(last) = end.checked_sub(1).and_then(|n| text.words.get(n)) else { continue };
        let gap = text.slice(last.end..start);
        if !matches!(gap, " <" | " (" | " [" | ", " | "<" | " - " | ": " | " &lt;" | "\n" | " ") {
            continue;
        }
        while k > 0 && end - k < 4 {
            let Some(word) = text.words.get(k - 1) else { break };
            let inner = if k < end { text.gap(k - 1) } else { " " };
            if !(is_name(text, word) || word.is(lex::PARTICLE) && k < end)
                || !matches!(inner, " " | "-" | "'")
            {
                break;
            }
            k -= 1;
        }
        while k < end && text.words.get(k).is_some_and(|w| !w.capital) {
            k += 1;
        }
        if end - k >= 2 || end - k == 1 && matches!(gap, " <" | " (" | "<") {
            push(text, k..end, 74, hits);
        }
    }
}
