//! Codes of letters and digits that show by themselves what they are.

use crate::hit::Hit;
use crate::lexicon as lex;
use crate::text::{Text, Word};
use crate::{check, net};
use kit::kinds;
use kit::unfold::at;
use std::ops::Range;

/// Looks at a word that has letters: what code it is or begins.
pub(crate) fn word(text: &Text<'_>, i: usize, word: &Word, hits: &mut Vec<Hit>) {
    if word.len() <= 4 && at(text.bytes(), word.end) == b':' {
        ipv6(text, word, hits);
    }
    if !word.letter {
        return;
    }
    let plain = text.plain(word);
    let bytes = plain.as_bytes();
    let code = bytes.iter().all(u8::is_ascii_alphanumeric);
    if !code {
        return;
    }
    if let [a, b, c, d, ..] = bytes
        && a.is_ascii_alphabetic()
        && b.is_ascii_alphabetic()
        && c.is_ascii_digit()
        && d.is_ascii_digit()
        && let Some(range) = iban(text, word)
    {
        hits.push(Hit::new(range, kinds::IBAN, 97, "checksum"));
        return;
    }
    // One that is announced, and copied wrong.
    if word.len() == 4
        && word.shouted
        && text
            .words
            .get(i.saturating_sub(6)..i)
            .is_some_and(|before| before.iter().any(|it| text.folded(it) == "iban"))
        && let Some(range) = in_fours(text, i)
    {
        hits.push(Hit::new(range, kinds::IBAN, 90, "label"));
        return;
    }
    // Set apart from its country: "DE 89 3704".
    if let [a, b] = bytes
        && a.is_ascii_alphabetic()
        && b.is_ascii_alphabetic()
        && text.words.get(i + 1).is_some_and(|w| w.digit && w.len() >= 2)
        && let Some(range) = iban(text, word)
    {
        hits.push(Hit::new(range, kinds::IBAN, 97, "checksum"));
        return;
    }
    if word.len() >= 15 && word.digit && crate::fit::iban(plain) {
        let before = text.words.get(i.saturating_sub(6)..i).unwrap_or_default();
        if before.iter().any(|w| w.is(lex::BANK)) || check::iban_sum(bytes) {
            hits.push(Hit::new(word.start..word.end, kinds::IBAN, 82, "label"));
            return;
        }
    }
    if word.digit && word.len() >= 26 {
        wallet(text, word, hits);
    }
    if word.digit && matches!(word.len(), 9 | 16) {
        let upper: Vec<u8> = bytes.to_ascii_uppercase();
        if check::dni(&upper) || bytes.iter().all(|b| !b.is_ascii_lowercase()) && check::nino(bytes)
        {
            hits.push(Hit::new(word.start..word.end, kinds::NATIONAL_ID, 84, "checksum"));
        } else if check::codice(&upper) {
            hits.push(Hit::new(word.start..word.end, kinds::NATIONAL_ID, 94, "shape"));
        }
    }
    if word.len() == 2 && word.shouted {
        spaced_nino(text, i, word, hits);
    }
    if word.shouted && bytes == b"MRN" {
        medical(text, i, word, hits);
    }
}

/// An IBAN that begins at a word, in one piece or in groups.
fn iban(text: &Text<'_>, word: &Word) -> Option<Range<usize>> {
    let bytes = text.bytes();
    let length = check::iban_length(bytes.get(word.start..)?)?;
    let mut code = Vec::with_capacity(length);
    let mut i = word.start;
    while code.len() < length {
        match at(bytes, i) {
            b if b.is_ascii_alphanumeric() => code.push(b),
            b' ' | b'-' | b'.' if !matches!(at(bytes, i + 1), b' ' | b'-' | b'.') => {}
            _ => return None,
        }
        i += 1;
    }
    (!at(bytes, i).is_ascii_alphanumeric() && check::iban(&code)).then_some(word.start..i)
}

/// Groups of four capitals and digits from a word on, and a shorter one of digits at their end.
fn in_fours(text: &Text<'_>, i: usize) -> Option<Range<usize>> {
    let first = text.words.get(i)?;
    let (mut end, mut letters, mut digits) = (first.end, 0, 0);
    for k in i.. {
        let Some(word) = text.words.get(k) else { break };
        let plain = text.plain(word);
        let joined = k == i || matches!(text.gap(k - 1), " " | "-" | ".");
        let group = plain.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        let only_digits = plain.bytes().all(|b| b.is_ascii_digit());
        if !joined || !group || word.len() > 4 || word.len() < 4 && !only_digits {
            break;
        }
        end = word.end;
        letters += word.len();
        digits += plain.bytes().filter(u8::is_ascii_digit).count();
        if word.len() < 4 {
            break;
        }
    }
    ((15..=34).contains(&letters) && digits >= 8).then_some(first.start..end)
}

fn wallet(text: &Text<'_>, word: &Word, hits: &mut Vec<Hit>) {
    let plain = text.plain(word);
    let bytes = plain.as_bytes();
    let ether = plain.starts_with("0x")
        && bytes.len() == 42
        && bytes.iter().skip(2).all(u8::is_ascii_hexdigit);
    let base58 = |b: &u8| b.is_ascii_alphanumeric() && !matches!(b, b'0' | b'O' | b'I' | b'l');
    let mixed =
        bytes.iter().any(u8::is_ascii_lowercase) && bytes.iter().any(u8::is_ascii_uppercase);
    let bitcoin = matches!(bytes.first(), Some(b'1' | b'3'))
        && (26..=35).contains(&bytes.len())
        && bytes.iter().all(base58)
        && mixed;
    let segwit = plain.starts_with("bc1") && (38..=64).contains(&bytes.len());
    let labelled = (34..=106).contains(&bytes.len())
        && text
            .words
            .get(text.word_at(word.start).saturating_sub(4)..text.word_at(word.start))
            .unwrap_or_default()
            .iter()
            .any(|w| w.is(lex::CRYPTO));
    if ether || bitcoin || segwit || labelled {
        hits.push(Hit::new(word.start..word.end, kinds::CRYPTO, 92, "shape"));
    }
}

/// `AB 12 34 56 C`.
fn spaced_nino(text: &Text<'_>, i: usize, word: &Word, hits: &mut Vec<Hit>) {
    let mut code = text.plain(word).as_bytes().to_vec();
    let mut end = word.end;
    for (n, next) in text.words.iter().skip(i + 1).take(4).enumerate() {
        if !matches!(text.gap(i + n), " " | "-") {
            break;
        }
        code.extend_from_slice(text.plain(next).as_bytes());
        end = next.end;
        if code.len() >= 9 {
            break;
        }
    }
    if check::nino(&code) {
        hits.push(Hit::new(word.start..end, kinds::NATIONAL_ID, 92, "shape"));
    }
}

/// `MRN-1234567`.
fn medical(text: &Text<'_>, i: usize, word: &Word, hits: &mut Vec<Hit>) {
    let Some(next) = text.words.get(i + 1) else { return };
    if next.digit && next.len() >= 5 && text.gap(i).len() <= 2 {
        hits.push(Hit::new(word.start..next.end, kinds::MEDICAL_ID, 92, "shape"));
    }
}

fn ipv6(text: &Text<'_>, word: &Word, hits: &mut Vec<Hit>) {
    let bytes = text.bytes();
    if at(bytes, word.start.wrapping_sub(1)) == b':' && word.start > 0 {
        return;
    }
    let rest = bytes.get(word.start..).unwrap_or_default();
    let n = rest.iter().take_while(|b| b.is_ascii_hexdigit() || **b == b':').count();
    let token = text.slice(word.start..word.start + n).trim_end_matches(':');
    if token.matches(':').count() >= 3 && net::ipv6(token) {
        hits.push(Hit::new(word.start..word.start + token.len(), kinds::IP, 92, "address"));
    }
}
