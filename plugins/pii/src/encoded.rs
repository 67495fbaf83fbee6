//! What is written in another way altogether: in base64, in words for digits, in letters one by one.

use crate::hit::Hit;
use crate::inspect::scan;
use crate::people::People;
use crate::phone::Region;
use crate::text::Text;
use crate::{lexicon, mention};
use kit::kinds;
use kit::unfold::{base64_tokens, fold, fold_text, spaced_letters, spelled_digits};

/// What stands in base64, in words for digits, in letters one by one.
pub(crate) fn find(text: &Text<'_>, people: &People, regions: &[Region], hits: &mut Vec<Hit>) {
    let coded = |w: &crate::text::Word| w.letter && (w.len() >= 16 || w.digit && w.len() >= 6);
    let tokens =
        if text.words.iter().any(coded) { base64_tokens(text.read_text()) } else { Vec::new() };
    for (bytes, read) in tokens {
        let inner = Text::inner(text.leaf, &read, text.party);
        let mut found = Vec::new();
        scan(&inner, people, regions, false, &mut found);
        mention::find(&inner, people, &mut found);
        found.retain(|h| h.confidence >= 60);
        let best = found.into_iter().max_by_key(|h| (h.kind == kinds::EMAIL, h.confidence));
        if let Some(mut hit) = best {
            if hit.value.is_none() {
                hit.value = Some(inner.slice(hit.bytes.clone()).to_owned());
            }
            hit.bytes = bytes;
            hit.confidence = hit.confidence.max(90);
            hit.reason = "base64";
            hit.who = hit
                .value
                .as_ref()
                .and_then(|v| people.emails.get(v))
                .copied()
                .flatten()
                .or(hit.who);
            hits.push(hit);
        }
    }
    let alone = text.words.iter().filter(|w| w.len() == 1 || w.is(lexicon::SPELLED)).count();
    if alone >= 5 {
        let folded = fold(text.read_text());
        for (range, digits) in spelled_digits(folded.text()) {
            let range = folded.range(range);
            let spelled = text.slice(range.clone());
            let words = spelled.chars().any(char::is_alphabetic);
            if words
                || people.number(digits.as_bytes()).is_some()
                || is_spaced_phone(text, &range, &digits)
            {
                let who = people.number(digits.as_bytes()).and_then(|n| n.who);
                let mut hit = Hit::new(range, kinds::PHONE, 84, "spelled").value(digits);
                hit.who = who;
                hits.push(hit);
            }
        }
        for (range, read) in spaced_letters(text.read_text()) {
            let name = fold_text(&read);
            let n = people.persons.iter().position(|p| {
                !p.guessed
                    && name.split(' ').filter(|w| p.parts.iter().any(|q| q.folded == **w)).count()
                        >= 2
                    || fold_text(&p.name).replace(' ', "") == name.replace(' ', "")
            });
            let known = name.split(' ').next().is_some_and(names::is_first_name);
            if n.is_none() && known && name.contains(' ') {
                hits.push(Hit::new(range.clone(), kinds::PERSON, 64, "spelled").value(read));
            }
            if let Some(n) = n {
                let mut hit = Hit::new(range, kinds::PERSON, 92, "spelled");
                hit.value = people.person(n).map(|p| p.name.clone());
                hit.who = Some(n);
                hits.push(hit);
            }
        }
    }
}

/// Digits one by one, with a word for a telephone before them.
fn is_spaced_phone(text: &Text<'_>, range: &std::ops::Range<usize>, digits: &str) -> bool {
    let n = text.word_at(range.start);
    let before = text.words.get(n.saturating_sub(5)..n).unwrap_or_default();
    (8..=15).contains(&digits.len())
        && before.iter().any(|w| w.is(lexicon::PHONE))
        && text.slice(range.clone()).bytes().filter(u8::is_ascii_digit).count() * 2
            <= range.len() + 4
}
