//! Numbers in a text: runs of digits with marks between, and what they are.

use crate::cue::{Cue, cue};
use crate::figure::Figure;
use crate::hit::Hit;
use crate::lexicon as lex;
use crate::people::People;
use crate::phone::Region;
use crate::text::Text;
use crate::{date, net};
use kit::kinds;
use kit::unfold::at;
use std::ops::Range;

/// A group of digits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Group {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// Everything a number needs to know.
pub(crate) struct Numbers<'c> {
    pub(crate) people: &'c People,
    pub(crate) regions: &'c [Region],
}

impl Numbers<'_> {
    /// All numbers of a text.
    pub(crate) fn find(&self, text: &Text<'_>, hits: &mut Vec<Hit>) {
        let bytes = text.bytes();
        let mut groups = Vec::with_capacity(8);
        let mut i = 0;
        while i < bytes.len() {
            if !at(bytes, i).is_ascii_digit() {
                i += 1;
                continue;
            }
            let before = at(bytes, i.wrapping_sub(1));
            if i > 0 && (before.is_ascii_alphabetic() || before >= 0x80 && glued(text, i)) {
                while at(bytes, i).is_ascii_alphanumeric() {
                    i += 1;
                }
                continue;
            }
            groups.clear();
            let end = collect(bytes, i, &mut groups);
            if let Some(range) = coordinates(text, &groups) {
                i = range.end;
                hits.push(Hit::new(range, kinds::GEO, 88, "shape"));
                continue;
            }
            i = end;
            self.run(text, &groups, hits);
        }
    }

    /// A run: dates and addresses of machines are taken out, and what is left are numbers.
    fn run(&self, text: &Text<'_>, groups: &[Group], hits: &mut Vec<Hit>) {
        let bytes = text.bytes();
        let (mut g, mut from) = (0, 0);
        while let Some(group) = groups.get(g) {
            let taken = self.date(text, *group, hits).or_else(|| ipv4(text, *group, hits));
            let Some(end) = taken else {
                g += 1;
                continue;
            };
            self.stretch(text, groups.get(from..g).unwrap_or_default(), hits);
            while groups.get(g).is_some_and(|x| x.start < end) {
                g += 1;
            }
            from = g;
        }
        let mut rest = groups.get(from..).unwrap_or_default();
        // A last group that goes on in letters is a part of a code.
        if let [head @ .., last] = rest
            && at(bytes, last.end).is_ascii_alphabetic()
        {
            // With all that hyphens join to it.
            let joined = |n: usize| {
                let end = head.get(n).map_or(0, |g| g.end);
                let start = rest.get(n + 1).map_or(0, |g| g.start);
                bytes.get(end..start) == Some(b"-")
            };
            let keep = (0..head.len()).rev().take_while(|n| joined(*n)).count();
            rest = head.get(..head.len() - keep).unwrap_or_default();
        }
        self.stretch(text, rest, hits);
    }

    /// A date: of birth, if a word says so or if it is long ago.
    fn date(&self, text: &Text<'_>, group: Group, hits: &mut Vec<Hit>) -> Option<usize> {
        if group.end - group.start > 4 {
            return None;
        }
        let date = date::numeric(text.bytes(), group.start)?;
        if !date.full && cue(text, group.start).near & (lex::SORT | lex::BANK | lex::PHONE) != 0 {
            return None;
        }
        let end = date.bytes.end;
        let stamp = matches!(at(text.bytes(), end), b'T' | b':')
            && at(text.bytes(), end + 1).is_ascii_digit();
        if !stamp {
            birth(text, &date, hits);
        }
        Some(end)
    }

    fn stretch(&self, text: &Text<'_>, groups: &[Group], hits: &mut Vec<Hit>) {
        let mut from = 0;
        while from < groups.len() {
            let n = (from + 1..=groups.len()).rev().find(|to| {
                let window = groups.get(from..*to).unwrap_or_default();
                self.window(text, window, from == 0 && *to == groups.len(), hits)
            });
            from = n.unwrap_or(from + 1);
        }
    }

    /// What some groups are together; tells whether they are anything.
    fn window(&self, text: &Text<'_>, groups: &[Group], whole: bool, hits: &mut Vec<Hit>) -> bool {
        let (Some(first), Some(last)) = (groups.first(), groups.last()) else { return false };
        let bytes = text.bytes();
        let mut digits = [0u8; 24];
        let mut n = 0;
        for group in groups {
            for b in bytes.get(group.start..group.end).unwrap_or_default() {
                let Some(slot) = digits.get_mut(n) else { return false };
                *slot = *b;
                n += 1;
            }
        }
        let digits = digits.get(..n).unwrap_or_default();
        if n < 3 {
            return false;
        }
        let range = first.start..last.end;
        let uniform = is_uniform(bytes, groups);
        if let Some(hit) = self.known(text, &range, digits) {
            hits.push(hit);
            return true;
        }
        if is_coded(bytes, first.start) {
            return false;
        }
        let cue = if n >= 4 || n == 3 { cue(text, range.start) } else { Cue::default() };
        let number = Figure { text, groups, digits, uniform, cue, whole };
        if let Some((kind, confidence, reason)) = number.checked().or_else(|| number.labelled()) {
            hits.push(Hit::new(range, kind, confidence, reason));
            return true;
        }
        if let Some(confidence) = number.phone(self.regions) {
            let range = with_extension(text, with_plus(bytes, range));
            let mut value = String::with_capacity(n + 1);
            if at(bytes, range.start) == b'+' || at(bytes, range.start + 1) == b'+' {
                value.push('+');
            }
            value.extend(digits.iter().map(|b| char::from(*b)));
            hits.push(Hit::new(range, kinds::PHONE, confidence, "plan").value(value));
            return true;
        }
        false
    }

    /// A number that a field holds.
    fn known(&self, text: &Text<'_>, range: &Range<usize>, digits: &[u8]) -> Option<Hit> {
        let known = self.people.number(digits)?;
        let bytes = text.bytes();
        let mut range = with_plus(bytes, range.clone());
        if known.kind == kinds::PHONE {
            range = with_extension(text, range);
        }
        let mut hit = Hit::new(range, known.kind, 96, "dictionary").value(known.value.clone());
        hit.who = known.who;
        Some(hit)
    }
}

/// Two numbers with four decimals or more: a place on the map.
fn coordinates(text: &Text<'_>, groups: &[Group]) -> Option<Range<usize>> {
    let [whole, part] = groups else { return None };
    let bytes = text.bytes();
    let fine = |whole: Group, part: Group| {
        whole.end - whole.start <= 3
            && at(bytes, whole.end) == b'.'
            && part.start == whole.end + 1
            && part.end - part.start >= 4
    };
    if !fine(*whole, *part) {
        return None;
    }
    let mut k = part.end;
    while k - part.end < 3 && matches!(at(bytes, k), b',' | b' ' | b';' | b'/' | b'-' | b'+') {
        k += 1;
    }
    let mut second = Vec::with_capacity(2);
    if k == part.end || !at(bytes, k).is_ascii_digit() {
        return None;
    }
    collect(bytes, k, &mut second);
    let (a, b) = (second.first()?, second.get(1)?);
    let start =
        if at(bytes, whole.start.wrapping_sub(1)) == b'-' { whole.start - 1 } else { whole.start };
    fine(*a, *b).then_some(start..b.end)
}

/// Whether a letter that is not ASCII stands before a place.
fn glued(text: &Text<'_>, i: usize) -> bool {
    let before = text.slice(0..i);
    // Scripts without blanks write numbers right behind words.
    before
        .chars()
        .next_back()
        .is_some_and(|c| c.is_alphabetic() && !('\u{3000}'..'\u{d7a4}').contains(&c))
}

/// The groups of a run that begins at a digit; where it ends.
fn collect(bytes: &[u8], start: usize, groups: &mut Vec<Group>) -> usize {
    let mut i = start;
    loop {
        let from = i;
        while at(bytes, i).is_ascii_digit() {
            i += 1;
        }
        groups.push(Group { start: from, end: i });
        let mut k = i;
        while k - i < 4 && matches!(at(bytes, k), b' ' | b'-' | b'.' | b'/' | b'(' | b')') {
            k += 1;
        }
        if k == i || !at(bytes, k).is_ascii_digit() || groups.len() >= 24 {
            return i;
        }
        i = k;
    }
}

fn is_uniform(bytes: &[u8], groups: &[Group]) -> bool {
    let mut marks = groups.windows(2).filter_map(|w| match w {
        [a, b] => bytes.get(a.end..b.start),
        _ => None,
    });
    let first = marks.next().unwrap_or_default();
    first.len() <= 1 && marks.all(|m| m == first)
}

/// Whether a number is a part of a code or an amount: `ORD-123`, `#123`, `$123`, `1.5`.
fn is_coded(bytes: &[u8], start: usize) -> bool {
    let before = at(bytes, start.wrapping_sub(1));
    let earlier = at(bytes, start.wrapping_sub(2));
    match before {
        _ if start == 0 => false,
        b'#' | b'$' | b'_' | b'%' | b'~' | b'^' => true,
        b'-' | b'/' | b'.' | b',' => start > 1 && earlier.is_ascii_alphanumeric(),
        _ => false,
    }
}

fn with_plus(bytes: &[u8], range: Range<usize>) -> Range<usize> {
    let mut start = range.start;
    if start > 0 && at(bytes, start - 1) == b'(' {
        start -= 1;
    }
    if start > 0 && at(bytes, start - 1) == b'+' {
        start -= 1;
    }
    if start > 0 && at(bytes, start - 1) == b'(' && start == range.start.wrapping_sub(1) {
        start -= 1;
    }
    start..range.end
}

/// A number with the extension behind it.
fn with_extension(text: &Text<'_>, range: Range<usize>) -> Range<usize> {
    let rest = text.slice(range.end..text.read_text().len());
    let trimmed = rest.trim_start_matches([' ', ',', '(']);
    let lead = rest.len() - trimmed.len();
    if lead > 3 {
        return range;
    }
    let lower = trimmed
        .get(..12)
        .or(Some(trimmed))
        .filter(|t| t.is_ascii())
        .unwrap_or_default()
        .to_ascii_lowercase();
    for mark in ["extension", "ext.", "ext", "durchwahl", "poste", "interno", "x", "#"] {
        let Some(tail) = lower.strip_prefix(mark) else { continue };
        let blank = tail.len() - tail.trim_start_matches([' ', '.', ':']).len();
        let at_digits = range.end + lead + mark.len() + blank;
        let n = text
            .bytes()
            .get(at_digits..)
            .unwrap_or_default()
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count();
        if (1..=6).contains(&n) && blank <= 2 {
            return range.start..at_digits + n;
        }
    }
    range
}

/// Four numbers with dots: a machine's address, or a version.
fn ipv4(text: &Text<'_>, group: Group, hits: &mut Vec<Hit>) -> Option<usize> {
    let bytes = text.bytes();
    let rest = text.slice(group.start..text.read_text().len().min(group.start + 16));
    let n = rest.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
    let four = rest.get(..n)?.trim_end_matches('.');
    let ip = net::ipv4(four)?;
    let end = group.start + four.len();
    let longer = at(bytes, group.start.wrapping_sub(1)) == b'.'
        && group.start > 1
        && at(bytes, group.start - 2).is_ascii_digit();
    if longer {
        return None;
    }
    if at(bytes, end).is_ascii_alphabetic()
        || is_coded(bytes, group.start) && at(bytes, group.start - 1) != b'/'
    {
        return Some(end);
    }
    let cue = cue(text, group.start);
    if cue.near & lex::PHONE != 0 {
        return None;
    }
    let [a, b, ..] = ip;
    let before = at(bytes, group.start.wrapping_sub(1));
    let labelled = cue.near & lex::IP != 0 || cue.all & lex::IP != 0 && cue.near & lex::THING == 0;
    let versioned = cue.near & lex::THING != 0 || matches!(before, b'v' | b'V');
    let wide = ip.iter().filter(|x| **x > 99).count();
    let looks = a > 24 && (b > 30 || wide > 0) || wide > 1;
    let prose = wide > 0 && cue.all & lex::THING == 0 && came_from(text, group.start, end);
    if net::is_public(ip) && !versioned && (labelled || looks || prose) {
        hits.push(Hit::new(group.start..end, kinds::IP, if labelled { 92 } else { 70 }, "address"));
    }
    Some(end)
}

/// "from 5.12.7.193", but not "from 5.12.7.193 to 5.12.8.1".
fn came_from(text: &Text<'_>, start: usize, end: usize) -> bool {
    let n = text.word_at(start);
    let before = n.checked_sub(1).and_then(|k| text.words.get(k));
    let behind = text.words.get(text.word_at(end));
    before.is_some_and(|w| {
        matches!(text.folded(w), "from" | "von" | "depuis" | "desde" | "fra" | "fran" | "vanaf")
    }) && !behind.is_some_and(|w| matches!(text.folded(w), "to" | "auf" | "a" | "til" | "till"))
}

/// A date of birth by a word before it, or by its year.
pub(crate) fn birth(text: &Text<'_>, date: &date::Date, hits: &mut Vec<Hit>) {
    let cue = cue(text, date.bytes.start);
    if cue.all & lex::BIRTH != 0
        && date::BORN.contains(&date.year)
        && cue.near & (lex::THING | lex::SINCE) == 0
    {
        hits.push(Hit::new(date.bytes.clone(), kinds::BIRTH_DATE, 90, "label"));
    } else if date.full
        && (1920..=2010).contains(&date.year)
        && cue.near & (lex::SINCE | lex::THING) == 0
    {
        hits.push(Hit::new(date.bytes.clone(), kinds::BIRTH_DATE, 62, "year"));
    }
}
