//! From hits to findings: what stays, how far it reaches, and whose it is.

use crate::Config;
use crate::hit::{Hit, settle};
use crate::inspect::Seen;
use crate::people::People;
use crate::text::Text;
use kit::unfold::WALL;
use kit::{Document, Finding, Form, Party, kinds};
use std::ops::Range;

/// Whether one of some ranges, sorted by their start, overlaps another.
pub(crate) fn overlaps(sorted: &[Range<usize>], one: &Range<usize>) -> bool {
    let end = sorted.partition_point(|r| r.start < one.end);
    let near = sorted.get(end.saturating_sub(8)..end).unwrap_or_default();
    near.iter().any(|r| one.start < r.end)
}

/// A name of which a part is known takes in the words beside it that look like the rest: capitals
/// that are no words.
fn grow(text: &Text<'_>, hits: &mut [Hit]) {
    if text.form == Form::Key {
        return;
    }
    let mut taken: Vec<Range<usize>> = hits.iter().map(|h| h.bytes.clone()).collect();
    taken.sort_by_key(|r| r.start);
    let free = |w: &crate::text::Word| !overlaps(&taken, &(w.start..w.end));
    let name = |w: &crate::text::Word| {
        w.capital
            && !w.digit
            && w.class == 0
            && w.len() > 1
            && free(w)
            && !names::is_word(text.folded(w))
    };
    // Words that are names as well, where they stand beside one as the other half of it.
    let may_be = |w: &crate::text::Word| !w.digit && w.class == 0 && w.len() > 1 && free(w);
    let given =
        |w: &crate::text::Word| w.capital && may_be(w) && names::is_first_name(text.folded(w));
    let family = |w: &crate::text::Word, small: bool| {
        (w.capital || small) && may_be(w) && names::is_surname(text.folded(w))
    };
    for hit in hits.iter_mut().filter(|h| h.kind == kinds::PERSON && h.reason != "field") {
        // Where no letter is a capital, none says that a word is a name.
        let cased = |c: char| c.is_lowercase() || c.is_uppercase();
        if !text.slice(hit.bytes.clone()).contains(cased) {
            continue;
        }
        let one = !text.slice(hit.bytes.clone()).contains(' ');
        let small = one && text.slice(hit.bytes.clone()).starts_with(char::is_lowercase);
        // A surname, and its other half.
        for _ in 0..2 {
            let Some(word) = text.words.get(text.word_at(hit.bytes.end)) else { break };
            let gap = text.slice(hit.bytes.end..word.start);
            let spaced = gap == " " && (name(word) || one && family(word, small));
            let joined = gap == "-" && !word.digit && free(word) && text.read_text().contains(' ');
            if !spaced && !joined {
                break;
            }
            hit.bytes.end = word.end;
        }
        let mut start = hit.bytes.start;
        let first = text.word_at(start);
        for k in (0..first).rev().take(2) {
            let Some(word) = text.words.get(k) else { break };
            let gap = text.slice(word.end..start);
            if !(gap == " " || gap == "-") || !(name(word) || one && given(word)) {
                break;
            }
            start = word.start;
        }
        hit.bytes.start = start;
    }
}

/// A street that is named after somebody is an address as a whole.
fn enclose(hits: &mut [Hit]) {
    let people = hits.iter().filter(|h| h.kind == kinds::PERSON).map(|h| h.bytes.clone());
    let mut people: Vec<Range<usize>> = people.collect();
    people.sort_by_key(|r| r.start);
    for hit in hits.iter_mut().filter(|h| h.kind == kinds::ADDRESS) {
        let first = people.partition_point(|p| p.start < hit.bytes.start);
        if people.get(first).is_some_and(|p| p.end <= hit.bytes.end) {
            hit.confidence = hit.confidence.max(98);
        }
    }
}

/// What a hit has on each side of a pseudonym, which stays.
fn apart(text: &Text<'_>, bytes: &Range<usize>) -> Vec<Range<usize>> {
    let (mut parts, mut at) = (Vec::with_capacity(1), bytes.start);
    for part in text.slice(bytes.clone()).split(WALL) {
        if !part.trim().is_empty() {
            parts.push(at..at + part.len());
        }
        at += part.len() + WALL.len_utf8();
    }
    parts
}

/// Findings of a text: hits that stay, as bytes of the leaf.
pub(crate) fn report(
    one: Seen<'_>,
    people: &People,
    config: &Config,
    document: &Document,
    out: &mut Vec<Finding>,
) {
    let Seen { text, mut hits, .. } = one;
    let vetoes = &config.not_names;
    if !vetoes.is_empty() {
        hits.retain(|h| {
            h.kind != kinds::PERSON
                || h.reason == "field"
                || !vetoes.iter().any(|v| v.eq_ignore_ascii_case(text.slice(h.bytes.clone())))
        });
    }
    if !config.off.is_empty() {
        hits.retain(|h| !config.off.iter().any(|k| k == h.kind));
    }
    let leaf = document.leaves.get(text.leaf).map(|l| l.text.as_str()).unwrap_or_default();
    grow(&text, &mut hits);
    enclose(&mut hits);
    for hit in settle(hits) {
        let who = hit.who.and_then(|n| people.person(n));
        let party = match (who.map(|p| p.party), text.form) {
            (Some(party), _) if party != Party::Unknown => party,
            _ if hit.reason == "field" => text.party,
            _ => Party::Unknown,
        };
        let around = apart(&text, &hit.bytes).into_iter();
        for bytes in around.flat_map(|part| text.view.pieces(part)) {
            if bytes.is_empty() {
                continue;
            }
            let mut finding = Finding::new(text.leaf, &bytes, hit.kind, hit.confidence);
            finding.reason = hit.reason;
            finding.subject = who.and_then(|p| p.subject.clone());
            finding.part = hit.part;
            finding.party = party;
            let written = leaf.get(bytes).unwrap_or_default();
            finding.value = hit.value.clone().filter(|v| v != written);
            out.push(finding);
        }
    }
}
