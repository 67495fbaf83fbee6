//! First names where a person is likely: spoken to, two of them together, who is to do something.

use crate::hit::Hit;
use crate::lexicon as lex;
use crate::text::{Text, Word};
use kit::kinds;
use kit::unfold::at;

/// All of them; telephone numbers have been found before.
pub(crate) fn find(text: &Text<'_>, hits: &mut Vec<Hit>) {
    for (i, word) in text.words.iter().enumerate() {
        if !word.capital
            && word.class == 0
            && i > 0
            && text.words.get(i - 1).is_some_and(|w| w.is(lex::TO_PERSON))
            && let Some(again) = asked_twice(text, i)
        {
            push(word, 60, hits);
            push(again, 60, hits);
        }
        if !word.capital || word.digit || word.len() < 3 || word.class != 0 {
            continue;
        }
        let after = text.words.get(i + 1);
        // Whole names are the model's.
        let whole = after.is_some_and(|w| w.capital && text.gap(i) == " ");
        let led = i > 0 && text.words.get(i - 1).is_some_and(|w| w.is(lex::TO_PERSON));
        let found = led && !whole && spoken_to(text, i)
            || after.is_some_and(|w| w.len() == 2 && !w.capital) && acts(text, i);
        if found && is_first(text, word) {
            push(word, 64, hits);
        }
        if after.is_some_and(|w| w.len() <= 3 && !w.capital)
            && let Some(other) = together(text, i)
        {
            push(word, 64, hits);
            push(other, 64, hits);
        }
    }
    bracketed(text, hits);
    dated(text, hits);
}

/// "Francisco Alvarado (12 May 1990)": who is told by a day of birth in brackets.
fn dated(text: &Text<'_>, hits: &mut Vec<Hit>) {
    let births = hits.iter().filter(|hit| hit.kind == kinds::BIRTH_DATE);
    let starts: Vec<usize> = births.map(|hit| hit.bytes.start).collect();
    for start in starts {
        let Some(last) = text.word_at(start).checked_sub(1) else { continue };
        let Some(end) = text.words.get(last).map(|word| word.end) else { continue };
        if text.slice(end..start) != " (" {
            continue;
        }
        let named = |k: usize| {
            text.words
                .get(k)
                .is_some_and(|w| w.capital && !w.digit && w.class & !lex::PARTICLE == 0)
        };
        let joined = |k: usize| matches!(text.gap(k), " " | "-");
        let mut first = last;
        while first > 0 && last - first < 3 && named(first - 1) && joined(first - 1) {
            first -= 1;
        }
        // The first word of a sentence has a capital whatever it is.
        let begins = text.words.get(first).is_some_and(|word| {
            text.starts_sentence(word.start) && names::is_word(text.folded(word))
        });
        first += usize::from(begins && last > first);
        if named(last)
            && last > first
            && let (Some(a), Some(b)) = (text.words.get(first), text.words.get(last))
        {
            hits.push(Hit::new(a.start..b.end, kinds::PERSON, 70, "cue"));
        }
    }
}

fn push(word: &Word, confidence: u8, hits: &mut Vec<Hit>) {
    hits.push(Hit::new(word.start..word.end, kinds::PERSON, confidence, "cue"));
}

fn is_first(text: &Text<'_>, word: &Word) -> bool {
    names::is_first_name(text.folded(word))
}

/// "talk to Sara", "met with Sara".
fn spoken_to(text: &Text<'_>, i: usize) -> bool {
    let word = |n: usize| i.checked_sub(n).and_then(|k| text.words.get(k));
    let (Some(to), Some(verb), Some(own)) = (word(1), word(2), word(0)) else { return false };
    matches!(text.folded(to), "to" | "with")
        && text.gap(i - 1) == " "
        && text.gap(i - 2) == " "
        && matches!(
            text.folded(verb),
            "talk"
                | "talked"
                | "talking"
                | "speak"
                | "spoke"
                | "spoken"
                | "speaking"
                | "chat"
                | "chatted"
                | "chatting"
                | "met"
                | "meet"
                | "meeting"
                | "dealt"
                | "dealing"
                | "listened"
                | "replied"
                | "according"
                | "escalated"
                | "assigned"
        )
        && !(names::is_word(text.folded(own)) && lex::is_name_hash(own.hash))
}

/// "ask kaldor, kaldor knows": a name in small letters that is no word, and does something.
fn asked_twice<'t>(text: &'t Text<'_>, i: usize) -> Option<&'t Word> {
    let (before, word) = (text.words.get(i.checked_sub(1)?)?, text.words.get(i)?);
    let asked =
        matches!(text.folded(before), "ask" | "asked" | "tell" | "told" | "ping" | "invite");
    if !asked || word.digit || word.len() < 4 || names::is_word(text.folded(word)) {
        return None;
    }
    let rest = text.words.get(i + 1..)?;
    let (n, again) =
        rest.iter().take(6).enumerate().find(|(_, w)| text.folded(w) == text.folded(word))?;
    let does = rest.get(n + 1)?;
    let people = does.is(lex::SAYS)
        || matches!(
            text.folded(does),
            "knows" | "has" | "is" | "was" | "will" | "can" | "did" | "saw" | "does"
        );
    people.then_some(again)
}

/// What people are to do: "Jordan to *approve*".
#[rustfmt::skip]
pub(crate) fn is_deed(word: &str) -> bool {
    matches!(
        word,
        "approve" | "confirm" | "follow" | "call" | "check" | "review" | "sign" | "send" | "reply"
            | "decide" | "handle" | "ring" | "chase" | "contact" | "advise" | "respond"
            | "investigate" | "prepare" | "schedule" | "arrange" | "email" | "phone" | "speak"
            | "discuss" | "verify" | "escalate" | "authorise" | "authorize" | "forward"
    )
}

/// "Jordan to approve" at the start of a sentence.
fn acts(text: &Text<'_>, i: usize) -> bool {
    let (Some(word), Some(to), Some(deed)) =
        (text.words.get(i), text.words.get(i + 1), text.words.get(i + 2))
    else {
        return false;
    };
    text.folded(to) == "to"
        && text.gap(i) == " "
        && text.gap(i + 1) == " "
        && is_deed(text.folded(deed))
        && text.starts_sentence(word.start)
}

/// "Katarzyna and Ariel": two first names, of which one at least is no word.
fn together<'t>(text: &'t Text<'_>, i: usize) -> Option<&'t Word> {
    let (word, and, other) = (text.words.get(i)?, text.words.get(i + 1)?, text.words.get(i + 2)?);
    let joined =
        matches!(text.folded(and), "and" | "und" | "et" | "y" | "e" | "en" | "og" | "och" | "i")
            && !and.capital
            && text.gap(i) == " "
            && text.gap(i + 1) == " ";
    let plain = |w: &Word| w.capital && !w.digit && w.len() > 2 && w.class == 0 && !w.shouted;
    if !joined || !plain(word) || !plain(other) || !is_first(text, word) || !is_first(text, other) {
        return None;
    }
    let common = |w: &Word| names::is_word(text.folded(w)) || lex::is_name_hash(w.hash);
    let surname =
        i > 0 && text.gap(i - 1) == " " && text.words.get(i - 1).is_some_and(|w| w.capital);
    let further =
        surname || text.gap(i + 2) == " " && text.words.get(i + 3).is_some_and(|w| w.capital);
    if further || common(word) && common(other) { None } else { Some(other) }
}

/// A name in brackets behind a telephone number.
fn bracketed(text: &Text<'_>, hits: &mut Vec<Hit>) {
    let ends: Vec<usize> =
        hits.iter().filter(|h| h.kind == kinds::PHONE).map(|h| h.bytes.end).collect();
    for end in ends {
        let Some(first) = text.words.get(text.word_at(end)) else { continue };
        if !matches!(text.slice(end..first.start), " (" | "(" | " - ") {
            continue;
        }
        let closes = |w: &Word| at(text.bytes(), w.end) == b')';
        let open = text.slice(end..first.start).ends_with('(');
        let name = |w: &Word| w.capital && !w.digit && w.class & !lex::PARTICLE == 0;
        if open && name(first) && is_first(text, first) && closes(first) {
            push(first, 70, hits);
        }
    }
}
