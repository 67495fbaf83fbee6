//! The line above a postal line in a signature: a street without a number, a house without a street.

use crate::lexicon as lex;
use crate::text::Text;

/// The first word of the line above the line that begins at a word, if it goes on the address.
pub(crate) fn above(text: &Text<'_>, start: usize) -> Option<usize> {
    const OTHER: u64 = lex::PHONE
        | lex::EMAIL
        | lex::THING
        | lex::GREETING
        | lex::CLOSING
        | lex::TITLE
        | lex::PASSWORD
        | lex::BIRTH;
    let postal = text.words.get(start)?;
    let last = start.checked_sub(1)?;
    let digits = postal.digit && !postal.letter && (4..=6).contains(&postal.len());
    let gap = text.gap(last);
    if !digits || !matches!(gap.trim_matches(' '), "\n" | ",\n") {
        return None;
    }
    let mut first = last;
    while first > 0 && start - first < 7 && !text.gap(first - 1).contains('\n') {
        first -= 1;
    }
    let words = text.words.get(first..start)?;
    let (from, to) = (words.first()?, words.last()?);
    let line = text.slice(from.start..to.end);
    let ended = first == 0 || text.gap(first - 1).contains('\n');
    if !ended || words.len() > 6 || line.contains([':', '@', '?', '!', '+', '(', '$']) {
        return None;
    }
    if words.iter().any(|w| w.is(OTHER) && !w.is(lex::STREET) && w.len() > 2) {
        return None;
    }
    let small = words.iter().filter(|w| !w.capital && !w.digit && !w.is(lex::PARTICLE)).count();
    let street = words.iter().any(|w| w.is(lex::STREET) && w.len() > 2);
    let number = |w: &crate::text::Word| w.digit && w.len() <= 5;
    let numbered = number(from) || number(to);
    let lane = matches!(
        text.folded(from),
        "am" | "an" | "im" | "in" | "zum" | "zur" | "auf" | "unter" | "hinter" | "op" | "aan"
    ) && words.len() > 1;
    let names = words.iter().any(|w| w.letter && w.len() > 2);
    (names && (street && small <= 1 || small == 0 && (numbered || lane && first > 0)))
        .then_some(first)
}
