//! Dates as people write them.

use crate::lexicon::{self as lex};
use crate::text::Text;
use kit::unfold::at;
use std::ops::Range;

/// Years in which somebody who has a record may be born.
pub(crate) const BORN: std::ops::RangeInclusive<u32> = 1900..=2035;

/// A date in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Date {
    pub(crate) bytes: Range<usize>,
    pub(crate) year: u32,
    /// The year is written with four digits.
    pub(crate) full: bool,
}

fn digits(bytes: &[u8], i: usize) -> (usize, u32) {
    let (mut n, mut v) = (0, 0u32);
    while at(bytes, i + n).is_ascii_digit() && n < 5 {
        v = v * 10 + u32::from(at(bytes, i + n) - b'0');
        n += 1;
    }
    (n, v)
}

fn year(n: usize, v: u32) -> Option<u32> {
    match (n, v) {
        (4, 1900..=2099) => Some(v),
        (2, 0..=29) => Some(2000 + v),
        (2, _) => Some(1900 + v),
        _ => None,
    }
}

/// A date of digits that begins at a digit: day, month and year in any order that makes sense.
pub(crate) fn numeric(bytes: &[u8], i: usize) -> Option<Date> {
    let (n1, a) = digits(bytes, i);
    let mark = at(bytes, i + n1);
    if !matches!(mark, b'/' | b'-' | b'.') {
        return None;
    }
    let mut k = i + n1 + 1;
    if mark == b'.' && at(bytes, k) == b' ' {
        k += 1;
    }
    let (n2, b) = digits(bytes, k);
    k += n2;
    if at(bytes, k) != mark {
        return None;
    }
    k += 1;
    if mark == b'.' && at(bytes, k) == b' ' {
        k += 1;
    }
    let (n3, c) = digits(bytes, k);
    k += n3;
    if n3 == 0
        || n2 == 0
        || n2 > 2
        || at(bytes, k).is_ascii_digit()
        || at(bytes, k) == mark && at(bytes, k + 1).is_ascii_digit()
    {
        return None;
    }
    let (y, m, d) = if n1 == 4 {
        (year(n1, a)?, b, c)
    } else if n3 == 4 || (n3 == 2 && n1 <= 2) {
        (year(n3, c)?, b, a)
    } else {
        return None;
    };
    let ok = |m: u32, d: u32| (1..=12).contains(&m) && (1..=31).contains(&d);
    (ok(m, d) || ok(d, m)).then_some(Date { bytes: i..k, year: y, full: n1 == 4 || n3 == 4 })
}

/// The year, if the whole value is a date.
pub(crate) fn whole(text: &str) -> Option<Date> {
    let text = text.trim();
    let date = numeric(text.as_bytes(), 0)?;
    let rest = text.as_bytes().get(date.bytes.end..).unwrap_or_default();
    (rest.is_empty() || matches!(rest.first(), Some(b'T' | b' '))).then_some(date)
}

/// A date with a month's name, around the word that is a month: `12 May 1990`, `May 12, 1990`,
/// `12. Mai 1990`, `12 de mayo de 1990`.
pub(crate) fn worded(text: &Text<'_>, month: usize) -> Option<Date> {
    let word = |k: usize| text.words.get(k);
    let number = |k: usize| {
        let w = word(k)?;
        let plain = text.plain(w);
        let digits = plain.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        (w.digit && digits.len() <= 4)
            .then(|| digits.parse::<u32>().ok())
            .flatten()
            .map(|v| (w, digits.len(), v))
    };
    let skip =
        |k: usize| word(k).is_some_and(|w| matches!(text.folded(w), "de" | "of" | "del" | "the"));
    let near = |a: usize, b: usize| {
        (a..b).all(|k| {
            let g = text.gap(k);
            g.len() <= 2 && !g.contains('\n')
        })
    };
    let behind = if skip(month + 1) { month + 2 } else { month + 1 };
    let before =
        if month > 0 && skip(month - 1) { month.checked_sub(2) } else { month.checked_sub(1) };
    let at_year = |k: usize| number(k).filter(|(_, n, v)| *n == 4 && (1900..=2099).contains(v));
    if let Some(b) = before
        && let (Some((first, n, d)), Some((last, _, y))) = (number(b), at_year(behind))
        && n <= 2
        && (1..=31).contains(&d)
        && near(b, behind)
    {
        return Some(Date { bytes: first.start..last.end, year: y, full: true });
    }
    let (day, n, d) = number(month + 1)?;
    // `1990. május 12.`
    if let Some(b) = month.checked_sub(1)
        && let Some((first, _, y)) = at_year(b)
        && n <= 2
        && (1..=31).contains(&d)
        && near(b, month + 1)
    {
        return Some(Date { bytes: first.start..day.end, year: y, full: true });
    }
    let (last, _, y) = at_year(month + 2)?;
    let first = word(month)?;
    (n <= 2 && (1..=31).contains(&d) && near(month, month + 2)).then_some(Date {
        bytes: first.start..last.end,
        year: y,
        full: true,
    })
}

/// Whether a word may be a month's name.
pub(crate) fn is_month(text: &Text<'_>, k: usize) -> bool {
    text.words.get(k).is_some_and(|w| w.is(lex::MONTH))
}
