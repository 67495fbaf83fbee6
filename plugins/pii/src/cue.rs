//! What the words before a number say it is.

use crate::lexicon as lex;
use crate::text::Text;

/// What the words before a number say it is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cue {
    /// The classes of the nearest word that says anything.
    pub(crate) near: u64,
    /// Of all words near by.
    pub(crate) all: u64,
}

/// The classes that matter to numbers.
pub(crate) const RELEVANT: u64 = lex::PHONE
    | lex::THING
    | lex::BIRTH
    | lex::PASSPORT
    | lex::LICENCE
    | lex::DRIVE
    | lex::PLATE
    | lex::TAX
    | lex::NATIONAL
    | lex::DEVICE
    | lex::MEDICAL
    | lex::BANK
    | lex::SORT
    | lex::CVV
    | lex::EXPIRY
    | lex::IP
    | lex::CARD
    | lex::SINCE;

/// Reads the words before a place.
pub(crate) fn cue(text: &Text<'_>, place: usize) -> Cue {
    let mut out = Cue::default();
    let mut lines = 0;
    let (mut weak, mut weak_at) = (0, 0);
    let first = text.word_at(place);
    let mut last = place;
    let before = text.words.get(..first).unwrap_or_default();
    for (n, word) in before.iter().rev().take(10).enumerate() {
        let gap = text.slice(word.end..last);
        lines += gap.matches('\n').count();
        if lines > 1 || lines == 1 && (out.all != 0 || !is_short_line(text, word.end)) {
            break;
        }
        if gap.contains(['.', '!', '?', ';']) && gap.contains(' ') && !gap.starts_with('.')
            || gap.contains(". ") && word.len() > 4
        {
            break;
        }
        if weak != 0 && n > weak_at + 2 {
            break;
        }
        last = word.start;
        if weak != 0 && out.near == 0 && is_of_customer(text.folded(word)) {
            out.near = lex::THING;
        }
        let class = word.class & RELEVANT;
        if class == 0 {
            continue;
        }
        // "No" is a number's word only right before one.
        if word.is(lex::LINK) && n > 1 {
            continue;
        }
        out.all |= class;
        if out.near == 0 {
            if word.is(lex::LINK) && weak == 0 {
                weak = class;
                weak_at = n;
            } else {
                out.near = class;
            }
        }
    }
    if out.near == 0 {
        out.near = weak;
    }
    if out.all == 0 {
        out.near = text.key & RELEVANT;
        out.all = out.near;
    }
    out
}

/// Whether the line that ends with a word is a label: of few words.
fn is_short_line(text: &Text<'_>, end: usize) -> bool {
    let line = text.slice(0..end).rsplit('\n').next().unwrap_or_default();
    line.split_whitespace().count() <= 4
}

/// Whose number is none of a telephone: "customer number".
fn is_of_customer(word: &str) -> bool {
    matches!(
        word,
        "customer"
            | "client"
            | "member"
            | "membership"
            | "loyalty"
            | "room"
            | "seat"
            | "flight"
            | "house"
            | "lot"
            | "kunden"
            | "cliente"
            | "klant"
            | "kund"
            | "user"
            | "employee"
            | "file"
            | "record"
            | "serial"
            | "line"
    )
}
