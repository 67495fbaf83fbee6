//! Names that are words as well: whether one stands as a name where it stands.

use crate::lexicon as lex;
use crate::text::Text;
use std::ops::Range;

/// Whether the sentence around a place begins with a small letter, or the text is no sentence: then
/// small letters say nothing about names.
pub(crate) fn is_careless(text: &Text<'_>, place: usize) -> bool {
    let mut from = place.saturating_sub(240);
    while !text.read_text().is_char_boundary(from) {
        from += 1;
    }
    let before = text.slice(from..place);
    let start = before.rfind(['.', '!', '?', '\n']).map_or(0, |n| n + 1);
    let first = before.get(start..).unwrap_or_default().chars().find(|c| c.is_alphabetic());
    first.is_none_or(char::is_lowercase) || !text.read_text().contains(' ')
}

/// Whether somebody is told or asked, in small letters: "tell mark i said hi".
pub(crate) fn told(text: &Text<'_>, words: &Range<usize>) -> bool {
    let Some(before) = words.start.checked_sub(1).and_then(|n| text.words.get(n)) else {
        return false;
    };
    matches!(
        text.folded(before),
        "can"
            | "could"
            | "would"
            | "did"
            | "does"
            | "has"
            | "was"
            | "for"
            | "from"
            | "by"
            | "tell"
            | "ask"
            | "cc"
            | "told"
            | "asked"
            | "ping"
            | "with"
            | "invite"
            | "add"
    ) && text.gap(words.start - 1) == " "
        && is_careless(text, before.start)
}

/// Whether a word stands behind a greeting or a closing and ends its line: "ta, mark".
pub(crate) fn signs(text: &Text<'_>, words: &Range<usize>) -> bool {
    let Some(before) = words.start.checked_sub(1) else { return false };
    let opened = text.words.get(before).is_some_and(|w| w.is(lex::CLOSING | lex::GREETING));
    let gap = text.gap(words.end.saturating_sub(1));
    opened
        && matches!(text.gap(before), ", " | " " | ",\n" | "\n")
        && (gap.is_empty() || gap.starts_with(['\n', ',', '.', '!']))
}

/// Whether a name that is a word as well is the word here.
pub(crate) fn vetoed(text: &Text<'_>, words: Range<usize>) -> bool {
    let (Some(first), Some(last)) = (text.words.get(words.start), words.end.checked_sub(1)) else {
        return true;
    };
    let before = words
        .start
        .checked_sub(1)
        .and_then(|n| text.words.get(n))
        .filter(|_| text.gap(words.start.wrapping_sub(1)) == " ");
    let gap = text.gap(last);
    let after = text.words.get(last + 1);
    let after_close = after.filter(|_| gap == " ");
    if after_close.is_some_and(|w| w.is(lex::AFTER_VERB) && !w.capital) {
        return true;
    }
    if first.is(lex::MONTH)
        && (before.is_some_and(|w| w.is(lex::BEFORE_NOUN) || w.digit)
            || after.is_some_and(|w| w.digit && gap.len() <= 2))
    {
        return true;
    }
    if before.is_some_and(|w| {
        matches!(
            text.folded(w),
            "the" | "a" | "an" | "this" | "your" | "our" | "every" | "each" | "any" | "some" | "no"
        )
    }) {
        return true;
    }
    if first.shouted
        && first.len() > 3
        && before.is_some_and(|w| w.shouted)
        && after.is_some_and(|w| w.shouted)
    {
        return true;
    }
    if !text.starts_sentence(first.start) {
        return false;
    }
    // At the start of a sentence everything has a capital: something must speak for a name.
    let closed = gap.starts_with([',', '.', '!', '?', ':', '\n', ')', ';', '<', '-', '\''])
        || gap.starts_with(" -")
        || gap.starts_with(" <");
    let says = after_close.is_some_and(|w| {
        w.is(lex::SAYS)
            || w.capital && !w.is(lex::THING)
            || matches!(
                text.folded(w),
                "is" | "was"
                    | "will"
                    | "would"
                    | "can"
                    | "could"
                    | "had"
                    | "did"
                    | "does"
                    | "should"
                    | "must"
                    | "might"
                    | "from"
                    | "and"
                    | "or"
                    | "at"
                    | "und"
                    | "et"
                    | "y"
                    | "speaking"
            )
    });
    let acts = after_close.is_some_and(|w| text.folded(w) == "to")
        && text.words.get(last + 2).is_some_and(|w| crate::likely::is_deed(text.folded(w)));
    !(closed || says || acts)
}
