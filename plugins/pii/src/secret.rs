//! Keys and tokens by the marks that their makers give them.

use crate::hit::Hit;
use crate::text::{Text, Word};
use kit::kinds;
use kit::unfold::{at, base64_tokens};

/// How keys of known makers begin, and how many letters follow at least. By first byte.
const MARKS: &[(&str, usize)] = &[
    ("AKIA", 16),
    ("ASIA", 16),
    ("AIza", 30),
    ("SG.", 40),
    ("dG9rO", 24),
    ("eyJ", 30),
    ("ghp_", 30),
    ("gho_", 30),
    ("ghs_", 30),
    ("ghu_", 30),
    ("github_pat_", 30),
    ("glpat-", 16),
    ("hf_", 24),
    ("npm_", 30),
    ("pk_live_", 16),
    ("pypi-", 40),
    ("rk_live_", 16),
    ("shpat_", 24),
    ("sk-", 20),
    ("sk_live_", 16),
    ("sk_test_", 16),
    ("whsec_", 20),
    ("xapp-", 20),
    ("xox", 20),
    ("ya29.", 20),
    ("dop_v1_", 30),
    ("AGE-SECRET-KEY-", 30),
    ("LTAI", 16),
    ("EAAC", 40),
    ("sq0", 20),
    ("key-", 28),
    ("dckr_pat_", 20),
    ("lin_api_", 30),
];

const fn is_key(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/' | b'+' | b'=')
}

/// Keys in a text.
pub(crate) fn find(text: &Text<'_>, link: bool, hits: &mut Vec<Hit>) {
    let bytes = text.bytes();
    for word in &text.words {
        if word.len() < 2
            || !matches!(
                at(bytes, word.start),
                b'A' | b'S'
                    | b'd'
                    | b'e'
                    | b'g'
                    | b'h'
                    | b'n'
                    | b'p'
                    | b'r'
                    | b's'
                    | b'w'
                    | b'x'
                    | b'y'
                    | b'L'
                    | b'E'
                    | b'k'
                    | b'l'
            )
        {
            continue;
        }
        let rest = bytes.get(word.start..).unwrap_or_default();
        for (mark, least) in MARKS {
            if !rest.starts_with(mark.as_bytes()) {
                continue;
            }
            let n = rest.iter().take(4096).take_while(|b| is_key(**b)).count();
            let token = text.slice(word.start..word.start + n).trim_end_matches(['.', '-', '/']);
            // What stands in a structure that was packed is looked at there.
            let packed = *mark == "eyJ" && !token.contains('.') && is_packed(text, word);
            let varied = !packed
                && token.bytes().any(|b| b.is_ascii_digit())
                && token.bytes().any(|b| b.is_ascii_alphabetic());
            if token.len() >= mark.len() + least && varied {
                let range = word.start..word.start + token.len();
                hits.push(Hit::new(range, kinds::SECRET, 97, "mark"));
                break;
            }
        }
    }
    if !link {
        long(text, hits);
    }
    if let Some(start) = text.read_text().find("-----BEGIN ") {
        let rest = text.slice(start..text.read_text().len());
        if rest.get(..60).unwrap_or(rest).contains("PRIVATE KEY") {
            let end = rest
                .find("-----END ")
                .and_then(|n| rest.get(n + 9..)?.find("-----").map(|m| n + 9 + m + 5))
                .unwrap_or(rest.len());
            hits.push(Hit::new(start..start + end, kinds::SECRET, 99, "mark"));
        }
    }
}

/// Long words of both cases and digits in no order: nobody writes these, programs give them out.
fn long(text: &Text<'_>, hits: &mut Vec<Hit>) {
    for word in &text.words {
        if word.len() < 32 || !word.digit {
            continue;
        }
        let token = text.plain(word);
        let both = token.bytes().any(|b| b.is_ascii_uppercase())
            && token.bytes().any(|b| b.is_ascii_lowercase());
        let linked = matches!(at(text.bytes(), word.start.wrapping_sub(1)), b'/') && word.start > 0;
        if both && !linked && is_random(token, 32) && !is_packed(text, word) {
            hits.push(Hit::new(word.start..word.end, kinds::SECRET, 66, "lot"));
        }
    }
}

/// The longest cursor, in bytes.
const PACKED: usize = 2048;

/// Whether a word is of a list or an object of JSON in base64, as the cursors are that turn pages: what
/// is in it is looked at by itself.
fn is_packed(text: &Text<'_>, word: &Word) -> bool {
    let bytes = text.bytes();
    // Only the run that the word stands in is read, and only if it begins as such a text does: a text
    // of many words must not be read as often as it has words.
    let inside =
        |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_' | b'=');
    let before = bytes.get(..word.start).unwrap_or_default();
    let start = word.start - before.iter().rev().take(PACKED).take_while(|b| inside(b)).count();
    if !matches!(at(bytes, start), b'W' | b'e') {
        return false;
    }
    let behind = bytes.get(start..).unwrap_or_default();
    let run = start..start + behind.iter().take(PACKED).take_while(|b| inside(b)).count();
    base64_tokens(text.slice(run)).iter().any(|(read, plain)| {
        let is_json = plain.starts_with('[') && plain.ends_with(']')
            || plain.starts_with('{') && plain.ends_with('}');
        is_json && start + read.start <= word.start && word.end <= start + read.end
    })
}

/// Whether a token looks drawn by lot: long enough, and not made of words.
pub(crate) fn is_random(token: &str, least: usize) -> bool {
    let bytes = token.as_bytes();
    if bytes.len() < least || !bytes.iter().all(|b| b.is_ascii_graphic()) {
        return false;
    }
    let digits = bytes.iter().filter(|b| b.is_ascii_digit()).count();
    let upper = bytes.iter().filter(|b| b.is_ascii_uppercase()).count();
    let lower = bytes.iter().filter(|b| b.is_ascii_lowercase()).count();
    if digits == bytes.len() {
        return false;
    }
    // Changes between letters of both cases and digits are many in keys and few in words.
    let class = |b: u8| {
        if b.is_ascii_digit() {
            0
        } else if b.is_ascii_uppercase() {
            1
        } else if b.is_ascii_lowercase() {
            2
        } else {
            3
        }
    };
    let changes =
        bytes.windows(2).filter(|w| matches!(w, [a, b] if class(*a) != class(*b))).count();
    (digits >= 2 && changes * 4 >= bytes.len())
        || (upper >= 3 && lower >= 3 && changes * 3 >= bytes.len())
}
