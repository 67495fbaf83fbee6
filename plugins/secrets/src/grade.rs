//! Could this word be a password? Order numbers, dates, versions and words of prose are not.

use crate::bytes::{at, is};
use crate::cues::{CUES, NOVALUE};
use crate::measure::{Make, uuid};

/// How much a word looks like a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Grade {
    /// It is something else: an address, a date, a price.
    No,
    /// Letters or digits only: a password where one is announced.
    Weak,
    /// Letters with digits.
    Fair,
    /// Letters, digits and signs; or capitals where no word has them.
    Strong,
}

/// Signs that stand in passwords and hardly in words.
const SIGNS: &[u8] = b"!?#$%^*&+=~|@{}[]<>";

/// How much a word looks like a password.
pub(crate) fn grade(word: &str) -> Grade {
    let make = Make::of(word);
    if !(4..=128).contains(&word.len()) || make.different < 3 || other_thing(word, &make) {
        return Grade::No;
    }
    let letters = make.lower + make.upper;
    let signs = word.bytes().filter(|byte| SIGNS.contains(byte)).count();
    if letters == 0 {
        return if make.digit + make.other == word.len() { Grade::Weak } else { Grade::No };
    }
    let inner_upper = word.bytes().skip(1).any(|byte| byte.is_ascii_uppercase()) && make.lower > 0;
    if make.digit > 0 {
        let strong = signs > 0 || (inner_upper && make.turns > 2) || make.random();
        return if strong && word.len() >= 6 { Grade::Strong } else { Grade::Fair };
    }
    if inner_signs(word) { Grade::Fair } else { Grade::Weak }
}

/// Whether a sign stands between letters, as in `Pa$$word`.
fn inner_signs(word: &str) -> bool {
    let bytes = word.as_bytes();
    let inner = bytes.get(1..bytes.len().saturating_sub(1)).unwrap_or(&[]);
    inner.iter().any(|byte| SIGNS.contains(byte)) && !word.contains("://")
}

/// Whether a word is plainly something else.
fn other_thing(word: &str, make: &Make) -> bool {
    if CUES.get(word) & NOVALUE != 0 || uuid(word) {
        return true;
    }
    if word.contains("://") || word.starts_with("www.") || word.starts_with("[[") || email(word) {
        return true;
    }
    let letters = make.lower + make.upper;
    // Dates, times, versions, telephone numbers, prices, ranges.
    if letters == 0 && make.digit > 0 && make.other > 0 {
        return word
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b".,:/-+()$%# ".contains(&byte) || byte >= 0x80);
    }
    let versioned = make.digit > 0 && at(word, 0) | 0x20 == b'v' && make.lower + make.upper == 1;
    versioned || file(word) || ordinal(word) || path(word)
}

fn email(word: &str) -> bool {
    word.split_once('@').is_some_and(|(local, domain)| {
        let last = domain.rsplit('.').next().unwrap_or("");
        !local.is_empty()
            && domain.contains('.')
            && last.len() >= 2
            && last.bytes().all(|b| b.is_ascii_alphabetic())
    })
}

fn file(word: &str) -> bool {
    word.rsplit_once('.').is_some_and(|(name, ending)| {
        let known = [
            "pdf", "png", "jpg", "jpeg", "csv", "xlsx", "docx", "com", "net", "org", "io", "html",
            "json", "txt", "zip", "exe", "js", "de", "php",
        ];
        !name.is_empty() && known.iter().any(|end| ending.eq_ignore_ascii_case(end))
    })
}

/// `1st`, `24h`, `10am`, `3x`, `30min`.
fn ordinal(word: &str) -> bool {
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    let rest = word.get(digits..).unwrap_or("");
    digits > 0
        && !rest.is_empty()
        && rest.len() <= 5
        && rest.bytes().all(|b| b.is_ascii_lowercase())
        && word.len() <= 7
}

/// A path, or words with strokes between them.
fn path(word: &str) -> bool {
    word.starts_with('/')
        || (word.matches('/').count() > 0 && !word.bytes().any(|b| b.is_ascii_digit()))
}

/// Whether a word looks like the number of an order, an invoice, a part: capitals and digits only.
pub(crate) fn numbered(word: &str) -> bool {
    word.bytes().all(|byte| {
        is(byte, crate::bytes::UPPER) || matches!(byte, b'-' | b'/' | b'#' | b'_' | b'.')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grades() {
        for (word, expected) in [
            ("Thunder507?", Grade::Strong),
            ("ab3D!x9Yz1", Grade::Strong),
            ("tR0ub4dor", Grade::Strong),
            ("glacier-lantern56", Grade::Fair),
            ("hunter2", Grade::Fair),
            ("Pa$$word", Grade::Fair),
            ("sunflower", Grade::Weak),
            ("123456", Grade::Weak),
            ("self-service", Grade::Weak),
            ("2024-10-11", Grade::No),
            ("10:45", Grade::No),
            ("6.16.65.46", Grade::No),
            ("v2.3", Grade::No),
            ("a@b.com", Grade::No),
            ("https://x.example/a1", Grade::No),
            ("manual2.pdf", Grade::No),
            ("24h", Grade::No),
            ("SHA256", Grade::No),
            ("reset", Grade::No),
            ("519b525d-7061-4544-b12e-3a632528b97c", Grade::No),
            ("[[email:7f3a9c]]", Grade::No),
        ] {
            assert_eq!(grade(word), expected, "{word}");
        }
    }
}
