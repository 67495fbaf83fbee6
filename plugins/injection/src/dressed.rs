//! Letters in the dress of other characters, addresses from behind, letters one by one.

use crate::Found;
use crate::encoded::push;
use kit::unfold::{at, fold_word};
use std::ops::Range;

/// Finds letters that are not what they seem.
pub(crate) fn scan(raw: &str, found: &mut Vec<Found>) {
    if !raw.is_ascii() {
        letter_forms(raw, found);
    }
    addresses(raw, found);
    spaced(raw, found);
}

/// Letters that are other characters: full-width, mathematical, in circles, Braille, flags, Cyrillic
/// letters among Latin ones.
fn letter_forms(raw: &str, found: &mut Vec<Found>) {
    let form = |c: char| {
        matches!(c, '\u{ff21}'..='\u{ff5a}' | '\u{1d400}'..='\u{1d7ff}' | '\u{24b6}'..='\u{24e9}' | '\u{1f130}'..='\u{1f189}' | '\u{1f1e6}'..='\u{1f1ff}'
            | '\u{2801}'..='\u{28ff}' | '\u{249c}'..='\u{24b5}' | '\u{1d00}'..='\u{1d2b}')
    };
    let mut row: Option<(Range<usize>, usize)> = None;
    for (place, c) in raw.char_indices() {
        if form(c) {
            let end = place + c.len_utf8();
            match row.as_mut().filter(|(bytes, _)| place <= bytes.end + 4) {
                Some((bytes, count)) => {
                    bytes.end = end;
                    *count += 1;
                }
                None => {
                    forms(row.take(), found);
                    row = Some((place..end, 1));
                }
            }
        }
    }
    forms(row, found);
    let mut folded = String::new();
    let mut start = 0;
    for word in raw.split_inclusive(|c: char| {
        c.is_whitespace() || matches!(c, '<' | '>' | '"' | '(' | ')' | ',')
    }) {
        if !word.is_ascii() && word.bytes().any(|b| b.is_ascii_alphabetic()) {
            let alien = word.chars().filter(|c| matches!(c, '\u{370}'..='\u{58f}')).count();
            folded.clear();
            fold_word(word, &mut folded);
            if alien > 0 && folded.is_ascii() {
                push(
                    found,
                    start..start + word.trim_end_matches(|c: char| !c.is_alphanumeric()).len(),
                    74,
                    "look_alikes",
                    Some(folded.trim().to_owned()),
                );
            }
        }
        start += word.len();
    }
}

fn forms(row: Option<(Range<usize>, usize)>, found: &mut Vec<Found>) {
    if let Some((bytes, count)) = row.filter(|(_, count)| *count >= 5) {
        push(found, bytes, if count >= 8 { 76 } else { 60 }, "letter_forms", None);
    }
}

/// Addresses from behind, and with each letter thirteen places on.
fn addresses(raw: &str, found: &mut Vec<Found>) {
    for (place, _) in raw.match_indices('@') {
        let inside = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '+');
        let before: usize = raw.get(..place).unwrap_or("").chars().rev().take_while(inside).count();
        let after: usize = raw.get(place + 1..).unwrap_or("").chars().take_while(inside).count();
        let head = raw.get(place - before..place).unwrap_or("").to_ascii_lowercase();
        let tail = raw
            .get(place + 1..place + 1 + after)
            .unwrap_or("")
            .trim_end_matches('.')
            .to_ascii_lowercase();
        let turned = ["moc.", "gro.", "ten.", "ude.", "oi.", "ed.", "ku.", "elpmaxe."]
            .iter()
            .any(|end| head.starts_with(end))
            && !tail.is_empty();
        let last = tail.rsplit('.').next().unwrap_or("");
        let moved = tail.contains('.') && ["pbz", "bet", "arg", "rqh", "rknzcyr"].contains(&last);
        if turned || moved {
            push(
                found,
                place - before..place + 1 + after,
                72,
                if turned { "reversed" } else { "rot13" },
                None,
            );
        }
    }
}

/// `j a n e @ e x a m p l e . o r g`.
fn spaced(raw: &str, found: &mut Vec<Found>) {
    let bytes = raw.as_bytes();
    let mut place = 0;
    while place < bytes.len() {
        let mut end = place;
        let mut count = 0;
        while at(bytes, end).is_ascii_graphic()
            && !matches!(at(bytes, end), b'<' | b'>')
            && matches!(at(bytes, end + 1), b' ' | 0 | b'<' | b'-' | b'\n')
        {
            count += 1;
            end += 2;
        }
        let end = end.saturating_sub(1).clamp(place, bytes.len());
        let letters =
            raw.get(place..end).unwrap_or("").bytes().filter(u8::is_ascii_alphanumeric).count();
        if count >= 7
            && letters * 10 >= count * 7
            && (place == 0 || !at(bytes, place - 1).is_ascii_alphanumeric())
        {
            push(found, place..end, 68, "spaced", None);
        }
        place = end.max(place + 1);
        // Into the next word.
        while place < bytes.len()
            && at(bytes, place) != b' '
            && at(bytes, place) != b'>'
            && at(bytes, place - 1) != b' '
            && at(bytes, place - 1) != b'>'
        {
            place += 1;
        }
        while matches!(at(bytes, place), b' ' | b'>') {
            place += 1;
        }
    }
}
