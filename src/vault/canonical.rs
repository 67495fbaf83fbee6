//! When two spellings are one value.
//!
//! A pseudonym stands for a value, not for a spelling, so that an agent can tell that two mentions are
//! the same person. What is brought together here is turned back as it was first spelled; so nothing is
//! brought together that could be two values.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;
use zeroize::Zeroizing;

/// Kinds whose values are compared alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Names of people: two people may have one.
    Name,
    Email,
    Phone,
    /// Compared within their own kind alone.
    Other,
}

impl Class {
    /// The class of a kind.
    pub(super) fn of(kind: &str) -> Self {
        match kind {
            "person" | "name" => Self::Name,
            "email" => Self::Email,
            "phone" => Self::Phone,
            _ => Self::Other,
        }
    }

    /// The word that a value is keyed with.
    pub(super) fn word(self, kind: &str) -> &str {
        match self {
            Self::Name => "person",
            _ => kind,
        }
    }

    /// The form in which equal values are equal.
    pub(super) fn canonical(self, value: &str) -> Zeroizing<String> {
        Zeroizing::new(match self {
            Self::Name => name(value),
            Self::Email => email(value),
            Self::Phone => phone(value),
            Self::Other => squeezed(value.nfkc()),
        })
    }
}

fn email(value: &str) -> String {
    let value = value.trim();
    if value.is_ascii() {
        let bare = value.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("mailto:"));
        let bare = bare.map_or(value, |scheme| value.get(scheme.len()..).unwrap_or(value));
        return bare.to_ascii_lowercase();
    }
    let folded = squeezed(value.nfkc()).to_lowercase();
    folded.strip_prefix("mailto:").map_or_else(|| folded.clone(), str::to_owned)
}

/// Digits, with the plus of a number that says its country. A trunk zero in brackets is none of it.
fn phone(value: &str) -> String {
    let plain: Cow<'_, str> =
        if value.is_ascii() { value.into() } else { value.nfkc().collect::<String>().into() };
    let plain = plain.trim();
    let plain = plain.strip_prefix("tel:").unwrap_or(plain);
    let international = plain.trim_start_matches(['(', ' ']).starts_with('+');
    let shown = if international { plain.replace("(0)", "") } else { plain.to_owned() };
    // An extension makes another number.
    let mut digits: String = shown
        .chars()
        .filter_map(|letter| match letter {
            '0'..='9' => Some(letter),
            'x' | 'X' | '#' | 'w' | 'W' | ';' => Some('x'),
            _ => None,
        })
        .collect();
    if international {
        digits.insert(0, '+');
    } else if let Some(rest) = digits.strip_prefix("00") {
        digits = format!("+{rest}");
    }
    if digits.is_empty() { squeezed(plain.chars()) } else { digits }
}

/// Lower case, without marks, in the order of speech.
fn name(value: &str) -> String {
    let value = value.trim();
    let ordered = match value.split_once(',') {
        Some((last, first)) if !first.trim().is_empty() && !first.contains(',') => {
            Cow::Owned(format!("{} {}", first.trim(), last.trim()))
        }
        _ => Cow::Borrowed(value),
    };
    if ordered.is_ascii() {
        return squeezed(ordered.chars()).to_ascii_lowercase();
    }
    let plain = ordered.nfkd().filter(|letter| !is_combining_mark(*letter));
    squeezed(plain.flat_map(char::to_lowercase))
}

/// Without spaces at the ends, and one space for many.
fn squeezed(letters: impl Iterator<Item = char>) -> String {
    let mut out = String::new();
    let mut space = false;
    for letter in letters {
        if letter.is_whitespace() {
            space = true;
            continue;
        }
        if space && !out.is_empty() {
            out.push(' ');
        }
        space = false;
        out.push(letter);
    }
    out
}

/// The first and the last word of a name, which agents write in greetings and signatures.
pub(super) fn part_of_name<'a>(name: &'a str, part: &str) -> Option<&'a str> {
    let (mut words, is_turned) = match name.split_once(',') {
        Some((last, first)) if !first.trim().is_empty() && !first.contains(',') => {
            (vec![first.trim(), last.trim()], true)
        }
        _ => (name.split_whitespace().collect::<Vec<_>>(), false),
    };
    if words.len() < 2 {
        return None;
    }
    if is_turned {
        // "Van Dyke, Anna Maria": the last name is whole already.
        let first = words.first()?.split_whitespace().next()?;
        words = vec![first, words.last()?];
    }
    match part {
        "first" => words.first().copied(),
        "last" => words.last().copied(),
        _ => None,
    }
}

/// Whether a subject names a record that is the same everywhere; other words hold in one payload.
pub(super) fn is_record(subject: &str) -> bool {
    let kind = subject.split_once(':').map(|(kind, _)| kind);
    matches!(kind, Some("contact" | "company" | "admin" | "ticket")) && !subject.contains('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(kind: &str, spellings: &[&str]) {
        let class = Class::of(kind);
        let canonical = |text: &&str| class.canonical(text).to_string();
        let all: Vec<String> = spellings.iter().map(canonical).collect();
        assert!(all.windows(2).all(|two| two[0] == two[1]), "{kind}: {all:?}");
        // What is canonical stays so.
        assert_eq!(class.canonical(&all[0]).as_str(), all[0]);
    }

    fn different(kind: &str, one: &str, other: &str) {
        let class = Class::of(kind);
        assert_ne!(*class.canonical(one), *class.canonical(other), "{kind}");
    }

    #[test]
    fn spellings_of_one_value_are_one() {
        same("email", &["jane@acme.com", " Jane@ACME.com", "mailto:jane@acme.com"]);
        same(
            "phone",
            &[
                "+49 170 123-4567",
                "0049 (170) 1234567",
                "+49 (0) 170 1234567".replace("(0) ", "(0)").as_str(),
            ],
        );
        same("person", &["Jane Doe", "jane  doe", "Doe, Jane", "JANE\u{a0}DOE"]);
        same(
            "person",
            &["Jos\u{e9} N\u{fa}\u{f1}ez", "Jose\u{301} Nu\u{301}n\u{303}ez", "jose nunez"],
        );
        same("address", &["1  Main\nSt", " 1 Main St "]);
    }

    #[test]
    fn what_could_be_two_values_stays_two() {
        different("email", "jane@acme.com", "jane+x@acme.com");
        different("phone", "0170 1234567", "+49 170 1234567");
        different("phone", "+1 555 0100", "+1 555 0100 ext 7 x7");
        different("person", "Jane Doe", "Jane D.");
        different("username", "Jane", "jane");
    }

    #[test]
    fn names_have_parts() {
        for (name, first, last) in [
            ("Jane Doe", Some("Jane"), Some("Doe")),
            ("Doe, Jane", Some("Jane"), Some("Doe")),
            ("Van Dyke, Anna Maria", Some("Anna"), Some("Van Dyke")),
            ("Anna Maria Lopez", Some("Anna"), Some("Lopez")),
            ("Cher", None, None),
            ("", None, None),
        ] {
            assert_eq!(part_of_name(name, "first"), first, "{name}");
            assert_eq!(part_of_name(name, "last"), last, "{name}");
            assert_eq!(part_of_name(name, "middle"), None, "{name}");
        }
    }
}
