//! Whether a value as a whole looks like what the name of its field promises.

use crate::{check, date, lexicon, net};
use kit::unfold::fold_text;

/// Words at the end of a company's name.
const COMPANY: &[&str] = &[
    "ab", "ag", "as", "bv", "co", "company", "corp", "gbr", "gmbh", "group", "holding", "inc",
    "kft", "kg", "limited", "llc", "llp", "ltd", "nv", "oy", "plc", "sa", "sarl", "sas", "sl",
    "spa", "srl", "ug", "zoo",
];

/// An address, or several, or `Name <address>`.
pub(crate) fn email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    !local.is_empty() && domain.contains('.') && text.len() < 200 && !text.contains("://")
}

fn count_digits(text: &str) -> usize {
    text.chars().filter(|c| c.is_numeric()).count()
}

/// A telephone number: digits with the marks that people put between them.
pub(crate) fn phone(text: &str) -> bool {
    let text = text.trim();
    let digits = count_digits(text);
    let marks = |c: char| " +-().,/\u{a0}\u{2010}\u{2011}\u{2013}".contains(c);
    let body = text.trim_end_matches(|c: char| c.is_numeric());
    let lower = body.to_lowercase();
    let body = ["ext.", "ext", "x", "extension", "durchwahl", "dw"]
        .iter()
        .find_map(|e| lower.trim_end().strip_suffix(e))
        .map_or(text, |b| text.get(..b.len()).unwrap_or(text));
    (6..=19).contains(&digits)
        && body.chars().all(|c| c.is_numeric() || marks(c))
        && date::whole(text).is_none()
        && !(text.contains('.')
            && text.split('.').count() == 2
            && text.starts_with(|c: char| c.is_ascii_digit()))
        && net::ipv4(text).is_none()
}

/// Digits only, perhaps with marks, between two counts.
pub(crate) fn digits(text: &str, least: usize, most: usize) -> bool {
    (least..=most).contains(&count_digits(text))
        && text.chars().all(|c| c.is_numeric() || matches!(c, ' ' | '-' | '.' | '/'))
}

/// A number or code by which somebody is known.
pub(crate) fn code(text: &str) -> bool {
    let digits = count_digits(text);
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    digits >= 4
        && (6..=28).contains(&text.len())
        && letters <= 11
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '.' | '/'))
        && text.split(' ').all(|w| w.bytes().any(|b| b.is_ascii_digit()) || w.len() < 4)
        && date::whole(text).is_none()
        && !text.contains("  ")
        && !is_decimal(text)
}

fn is_decimal(text: &str) -> bool {
    text.split_once('.')
        .is_some_and(|(a, b)| b.len() < 3 && a.bytes().chain(b.bytes()).all(|b| b.is_ascii_digit()))
}

pub(crate) fn date(text: &str) -> bool {
    date::whole(text).is_some_and(|d| date::BORN.contains(&d.year))
}

/// A day as programs keep it: `19850412`, or the seconds or milliseconds since 1970.
pub(crate) fn stamp(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let part = |range| text.get(range).and_then(|t: &str| t.parse::<u32>().ok());
    match (part(0..4), part(4..6), part(6..8), text.len()) {
        (Some(year), Some(month), Some(day), 8) => {
            date::BORN.contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day)
        }
        _ => (8..=13).contains(&digits.len()),
    }
}

pub(crate) fn iban(text: &str) -> bool {
    let code: Vec<u8> = text.bytes().filter(|b| !matches!(b, b' ' | b'-')).collect();
    check::iban(&code) || looks_like_iban(&code)
}

/// A country, two digits, and as many letters and digits as accounts have.
fn looks_like_iban(code: &[u8]) -> bool {
    check::iban_length(code).is_some()
        && (15..=34).contains(&code.len())
        && code.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        && code.iter().skip(2).take(2).all(u8::is_ascii_digit)
        && code.iter().filter(|b| b.is_ascii_digit()).count() >= 8
}

pub(crate) fn mac(text: &str) -> bool {
    net::mac(text.as_bytes(), 0).is_some_and(|n| n == text.len())
}

pub(crate) fn ip(text: &str) -> bool {
    net::ipv4(text).is_some() || net::ipv6(text)
}

/// A postal address: words and a number, or several lines.
pub(crate) fn address(text: &str) -> bool {
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let parts = text.split([' ', ',', '\n']).filter(|p| !p.is_empty()).count();
    letters >= 4
        && parts >= 2
        && (count_digits(text) >= 1 || text.contains(',') || text.contains('\n'))
        && text.len() < 300
        && !text.contains('@')
}

pub(crate) fn bank(text: &str) -> bool {
    digits(text, 6, 18) && date::whole(text).is_none() && !is_decimal(text)
}

/// A number plate or a vehicle's number: letters and digits.
pub(crate) fn plate(text: &str) -> bool {
    let letters = text.bytes().filter(u8::is_ascii_alphabetic).count();
    let digits = count_digits(text);
    (5..=17).contains(&text.len())
        && letters >= 1
        && digits >= 2
        && text
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b' ' | b'-'))
}

/// A pair of coordinates, or one with many decimals.
pub(crate) fn geo(text: &str) -> bool {
    let fine = |t: &str| {
        t.split_once('.').is_some_and(|(a, b)| b.len() >= 3 && a.len() <= 4)
            && t.parse::<f64>().is_ok_and(|v| v.abs() <= 180.0)
    };
    match text.split_once(',') {
        Some((a, b)) => fine(a.trim()) && fine(b.trim()),
        None => fine(text.trim()),
    }
}

/// Yes, no, or a word that stands for one of few states.
pub(crate) fn flag(text: &str) -> bool {
    matches!(
        fold_text(text).as_str(),
        "true"
            | "false"
            | "yes"
            | "no"
            | "none"
            | "null"
            | "on"
            | "off"
            | "set"
            | "unset"
            | "weak"
            | "strong"
            | "medium"
            | "enabled"
            | "disabled"
            | "expired"
            | "reset"
            | "changed"
            | "pending"
            | "ok"
            | "required"
            | "hidden"
    )
}

/// A name in some system: one word, not a word of the language.
pub(crate) fn username(text: &str) -> bool {
    let text = text.trim_start_matches('@');
    (3..=40).contains(&text.chars().count())
        && text.chars().any(char::is_alphabetic)
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
        && !flag(text)
        && date::whole(text).is_none()
}

/// A name of a person: one to five words of letters, with capitals.
pub(crate) fn person(text: &str) -> bool {
    let text = text.trim();
    if !(2..=80).contains(&text.chars().count()) || flag(text) {
        return false;
    }
    let ok = |c: char| {
        c.is_alphabetic()
            || matches!(c, ' ' | '\'' | '\u{2019}' | '-' | '.' | ',' | '\u{b7}' | '\u{30fb}' | '_')
            || is_mark(c)
    };
    if !text.chars().all(ok) || is_company(text) {
        return false;
    }
    let words = text.split([' ', ',', '_']).filter(|w| !w.is_empty());
    let (mut capital, mut all) = (0, 0);
    for word in words {
        all += 1;
        let folded = fold_text(word);
        let class = lexicon::class(lexicon::hash(&folded), &folded);
        let first = word.chars().next().unwrap_or_default();
        if !first.is_lowercase() || class & lexicon::PARTICLE != 0 {
            capital += 1;
        }
    }
    let lower = text.chars().all(|c| !c.is_uppercase());
    (1..=6).contains(&all) && (capital == all || lower)
}

/// What the record of a person says that this person is called: anything, unless it plainly is no name.
pub(crate) fn name_of_record(text: &str) -> bool {
    let text = text.trim();
    (2..=120).contains(&text.chars().count())
        && text.chars().any(char::is_alphabetic)
        && !text.contains('@')
        && !text.contains("://")
        && !flag(text)
        && !is_company(text)
}

/// Whether a name ends as those of companies do. `Maria Sá` is none, and neither is `Kris Co`.
fn is_company(text: &str) -> bool {
    let mut words = text.split([' ', ',', '_']).filter(|w| !w.is_empty());
    let (Some(first), second) = (words.next(), words.next()) else { return false };
    let Some(last) = words.next_back().or(second) else { return false };
    let end = last.trim_end_matches('.');
    let is_end = COMPANY.binary_search(&end.to_lowercase().as_str()).is_ok();
    let of_two = text.split_whitespace().count() == 2;
    let called = of_two && names::is_first_name(&fold_text(first)) && end.len() <= 2;
    is_end && !(called && end.chars().skip(1).all(char::is_lowercase))
}

/// A mark that belongs to the letter before it: accents, and the vowels and tones of Indic scripts and
/// of Thai, which are no letters by themselves.
pub(crate) fn is_mark(c: char) -> bool {
    let sign = |c: char| {
        matches!(
            c,
            '\u{964}' | '\u{965}' | '\u{970}' | '\u{e3f}' | '\u{e4f}' | '\u{e5a}' | '\u{e5b}'
        )
    };
    ('\u{300}'..'\u{370}').contains(&c)
        || ('\u{900}'..'\u{1000}').contains(&c) && !c.is_alphanumeric() && !sign(c)
        || matches!(c, '\u{200c}' | '\u{200d}')
}

/// At least two words that begin with capitals, or a name of a script that has none.
pub(crate) fn two_words(text: &str) -> bool {
    let words = text.split([' ', ',', '_', '\u{b7}']).filter(|w| !w.is_empty()).count();
    words >= 2 || text.chars().any(|c| ('\u{3040}'..'\u{d7a4}').contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_fit_or_do_not() {
        assert!(COMPANY.is_sorted());
        for name in ["Jane Doe", "Doe, Jane", "Gráinne Ó Dálaigh", "山田 太郎", "Ivy", "O'Brien"]
            .into_iter()
            .chain(["प्रिया शर्मा", "น้ำฝน"])
        {
            assert!(person(name), "{name}");
        }
        for name in [
            "Jane doe",
            "Jane Doe (Acme)",
            "Jane Doe 2",
            "José “Pepe” García",
            "Jane\u{a0}Doe",
            "Maria Sá",
            "Kris Co",
            "प्रिया शर्मा",
            "น้ำฝน",
            "Jane \u{1f600}",
        ] {
            assert!(name_of_record(name), "{name}");
        }
        for not in ["Acme Ltd", "yes", "Fjord Trading AB", "jane@example.org", "12", "Maria AB"] {
            assert!(!name_of_record(not), "{not}");
        }
        for not in ["Acme Ltd", "yes", "P1", "Fjord Trading AB", "jane@example.org", "not set Yet"]
        {
            assert!(!person(not), "{not}");
        }
        for number in [
            "+353 86 123 4567",
            "(0)171 2345678",
            "0171/2345678",
            "4915112345678",
            "+1 202 555 0143 ext. 12",
        ] {
            assert!(phone(number), "{number}");
        }
        for not in ["iPhone 12", "yes", "2024-01-02", "12.5", "10.2.3.4"] {
            assert!(!phone(not), "{not}");
        }
    }
}
