//! Texts in a spelling that people do not read and programs do: how data leaves in what is written.
//!
//! Nobody who writes to people spells letters as numbers. So a spelling is found by being needless:
//! what it stands for could have been written as it is.

use crate::{Found, dressed};
use kit::kinds::ENCODED_DATA;
use kit::unfold::{at, base64_tokens};
use std::ops::Range;

/// Finds encoded texts in what is written.
pub(crate) fn scan(raw: &str, found: &mut Vec<Found>) {
    base64(raw, found);
    hexadecimal(raw, found);
    base32(raw, found);
    needless(raw, found);
    numbers(raw, found);
    signs(raw, found);
    dressed::scan(raw, found);
}

/// Reports a spelling with what it stands for.
pub(crate) fn push(
    found: &mut Vec<Found>,
    bytes: Range<usize>,
    confidence: u8,
    reason: &'static str,
    value: Option<String>,
) {
    let mut one = Found::new(bytes, ENCODED_DATA, confidence, reason);
    one.value = value;
    found.push(one);
}

/// Whether bytes are a text that somebody might have encoded: letters above all.
fn readable(bytes: &[u8]) -> bool {
    let letters = bytes
        .iter()
        .filter(|byte| {
            byte.is_ascii_alphanumeric()
                || matches!(byte, b' ' | b'@' | b'.' | b',' | b'-' | b'_' | b':')
        })
        .count();
    let all = bytes.iter().all(|byte| {
        (0x20..0x7f).contains(byte) || matches!(byte, b'\n' | b'\r' | b'\t') || *byte >= 0xc2
    });
    all && letters * 10 >= bytes.len() * 8 && bytes.iter().any(u8::is_ascii_alphabetic)
}

/// Where a data URL of a picture stands, base64 is ordinary.
fn picture(raw: &str, start: usize) -> bool {
    let from = start.saturating_sub(40);
    let head = raw.as_bytes().get(from..start).unwrap_or(&[]);
    let data = head.windows(11).any(|window| window == b"data:image/");
    data && !head.windows(3).any(|window| window == b"svg")
}

fn base64(raw: &str, found: &mut Vec<Found>) {
    for (bytes, plain) in base64_tokens(raw) {
        // Numbers decode to letters by chance.
        if raw.get(bytes.clone()).is_none_or(|word| word.bytes().all(|b| b.is_ascii_digit())) {
            continue;
        }
        if readable(plain.as_bytes())
            || plain.chars().filter(|c| c.is_alphanumeric()).count() * 2 > plain.chars().count()
        {
            push(found, bytes, 82, "base64", Some(plain));
        }
    }
    // Bytes that are no text: packed or encrypted.
    let mut place = 0;
    while place < raw.len() {
        let end = place
            + raw
                .as_bytes()
                .get(place..)
                .unwrap_or(&[])
                .iter()
                .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='))
                .count();
        let run = raw.get(place..end).unwrap_or("");
        let mixed = |class: fn(&u8) -> bool| {
            run.as_bytes().iter().filter(|b| class(b)).count() * 12 > run.len()
        };
        let packed = run.starts_with("H4sI") || run.starts_with("eJ") || run.starts_with("KLUv");
        let long = run.len() >= 88 || packed && run.len() >= 32;
        let link = run.matches('/').count() * 16 > run.len();
        if long
            && !link
            && mixed(u8::is_ascii_uppercase)
            && mixed(u8::is_ascii_lowercase)
            && !picture(raw, place)
        {
            push(found, place..end, 66, "base64", None);
        }
        place = end + 1;
    }
}

/// Pairs of hexadecimal digits, with or without a sign between them, that are a text.
fn hexadecimal(raw: &str, found: &mut Vec<Found>) {
    let bytes = raw.as_bytes();
    let mut place = 0;
    while place < bytes.len() {
        if !at(bytes, place).is_ascii_hexdigit()
            || (place > 0 && at(bytes, place - 1).is_ascii_alphanumeric())
        {
            place += 1;
            continue;
        }
        let (end, plain) = pairs(bytes, place);
        let written = bytes.get(place..end).unwrap_or(&[]);
        // Numbers in a row are pairs of digits as well; with signs between them a letter must be there.
        let plainly =
            written.len() == plain.len() * 2 || written.iter().any(u8::is_ascii_alphabetic);
        if plainly
            && plain.len() >= 6
            && readable(&plain)
            && !at(bytes, end).is_ascii_alphanumeric()
        {
            push(found, place..end, 80, "hexadecimal", String::from_utf8(plain).ok());
        }
        place = end.max(place + 1);
    }
}

/// Reads pairs as far as they go: `6a616e65`, `6a 61 6e 65`, `6a:61`, `\x6a\x61`, `0x6a, 0x61`.
fn pairs(bytes: &[u8], start: usize) -> (usize, Vec<u8>) {
    let (mut place, mut end, mut plain) = (start, start, Vec::new());
    loop {
        let (Some(high), Some(low)) = (digit(at(bytes, place)), digit(at(bytes, place + 1))) else {
            return (end, plain);
        };
        plain.push(high << 4 | low);
        end = place + 2;
        place = end;
        let mut between = 0;
        while between < 4
            && matches!(at(bytes, place), b' ' | b':' | b',' | b'-' | b'\\' | b'x' | b'0')
            && !(at(bytes, place) == b'0' && at(bytes, place + 1) != b'x')
        {
            place += 1;
            between += 1;
        }
    }
}

const fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// Capitals and the digits 2 to 7 that are a text in base32.
fn base32(raw: &str, found: &mut Vec<Found>) {
    let bytes = raw.as_bytes();
    let mut place = 0;
    while place < bytes.len() {
        let run = bytes
            .get(place..)
            .unwrap_or(&[])
            .iter()
            .take_while(|b| matches!(b, b'A'..=b'Z' | b'2'..=b'7'))
            .count();
        if run >= 16 && !at(bytes, place + run).is_ascii_alphanumeric() {
            let (mut sum, mut bits, mut plain) = (0u32, 0u32, Vec::new());
            for byte in bytes.get(place..place + run).unwrap_or(&[]) {
                let value = if byte.is_ascii_uppercase() { byte - b'A' } else { byte - b'2' + 26 };
                sum = (sum << 5 | u32::from(value)) & 0xfff;
                bits += 5;
                if bits >= 8 {
                    bits -= 8;
                    plain.push((sum >> bits & 0xff) as u8);
                }
            }
            if readable(&plain) {
                let padding = bytes
                    .get(place + run..)
                    .unwrap_or(&[])
                    .iter()
                    .take_while(|b| **b == b'=')
                    .count();
                push(
                    found,
                    place..place + run + padding,
                    78,
                    "base32",
                    String::from_utf8(plain).ok(),
                );
            }
        }
        place += run.max(1);
    }
}

/// Escapes of letters and digits that need none: `%6A`, `&#106;`, `\u006a`, `=6A`.
fn needless(raw: &str, found: &mut Vec<Found>) {
    for (lead, reason) in [
        ("%", "percent"),
        ("&#", "entities"),
        ("\\u", "escapes"),
        ("\\x", "escapes"),
        ("=", "quoted_printable"),
    ] {
        let mut row: Option<(Range<usize>, String)> = None;
        for (place, _) in raw.match_indices(lead) {
            let Some((end, c)) = escaped(raw, place, lead) else { continue };
            match row.as_mut().filter(|(bytes, _)| place <= bytes.end + 24) {
                Some((bytes, plain)) => {
                    bytes.end = end;
                    plain.push(c);
                }
                None => {
                    settle(row.take(), reason, found);
                    row = Some((place..end, c.to_string()));
                }
            }
        }
        settle(row, reason, found);
    }
}

/// One letter is an accident, four are a way of writing.
fn settle(row: Option<(Range<usize>, String)>, reason: &'static str, found: &mut Vec<Found>) {
    if let Some((bytes, plain)) = row.filter(|(_, plain)| plain.len() >= 4) {
        let confidence = if plain.len() >= 8 { 84 } else { 68 };
        push(found, bytes, confidence, reason, Some(plain));
    }
}

/// The letter or digit of ASCII that is escaped at a place, and where that ends.
fn escaped(raw: &str, place: usize, lead: &str) -> Option<(usize, char)> {
    let bytes = raw.as_bytes();
    let from = place + lead.len();
    let (end, code) = match lead {
        "&#" => {
            let hex = at(bytes, from) | 0x20 == b'x';
            let from = from + usize::from(hex);
            let length = bytes
                .get(from..)
                .unwrap_or(&[])
                .iter()
                .take(7)
                .take_while(|b| b.is_ascii_hexdigit())
                .count();
            let code =
                u32::from_str_radix(raw.get(from..from + length)?, if hex { 16 } else { 10 })
                    .ok()?;
            (from + length + usize::from(at(bytes, from + length) == b';'), code)
        }
        "\\u" => (from + 4, u32::from_str_radix(raw.get(from..from + 4)?, 16).ok()?),
        _ => (from + 2, u32::from_str_radix(raw.get(from..from + 2)?, 16).ok()?),
    };
    // `a=20` in a link is a value, not an escape.
    if lead == "=" && raw.get(from..from + 2)?.bytes().any(|b| b.is_ascii_lowercase()) {
        return None;
    }
    let c = char::from_u32(code)?;
    (c.is_ascii_alphanumeric() || c == '@').then_some((end, c))
}

/// Letters by their numbers, `106 97 110 101`, and by their bits.
fn numbers(raw: &str, found: &mut Vec<Found>) {
    let mut row = Numbers::default();
    let bytes = raw.as_bytes();
    let mut place = 0;
    while place < bytes.len() {
        let length =
            bytes.get(place..).unwrap_or(&[]).iter().take_while(|b| b.is_ascii_digit()).count();
        if length == 0 {
            if !matches!(at(bytes, place), b' ' | b',' | b';' | b'-' | b'/') {
                row.end(found);
            }
            place += 1;
            continue;
        }
        let digits = raw.get(place..place + length).unwrap_or("");
        let radix =
            if length == 8 && digits.bytes().all(|b| matches!(b, b'0' | b'1')) { 2 } else { 10 };
        match u32::from_str_radix(digits, radix)
            .ok()
            .filter(|code| (32..127).contains(code) && (radix == 2 || length <= 3))
        {
            Some(code) => row.add(place..place + length, code as u8, radix == 2),
            None => row.end(found),
        }
        place += length;
    }
    row.end(found);
}

#[derive(Default)]
struct Numbers {
    bytes: Range<usize>,
    plain: Vec<u8>,
    bits: bool,
}

impl Numbers {
    fn add(&mut self, bytes: Range<usize>, code: u8, bits: bool) {
        if self.plain.is_empty() || bytes.start > self.bytes.end + 3 {
            self.plain.clear();
            self.bytes = bytes.clone();
        }
        self.bytes.end = bytes.end;
        self.bits = bits;
        self.plain.push(code);
    }

    fn end(&mut self, found: &mut Vec<Found>) {
        let letters = self
            .plain
            .iter()
            .filter(|b| b.is_ascii_lowercase() || matches!(b, b' ' | b'@' | b'.'))
            .count();
        let most = letters * 10 >= self.plain.len() * 7;
        if (self.bits && self.plain.len() >= 3) || (self.plain.len() >= 6 && most) {
            let confidence = if self.bits { 85 } else { 70 };
            let plain = std::mem::take(&mut self.plain);
            push(
                found,
                self.bytes.clone(),
                confidence,
                if self.bits { "bits" } else { "numbers" },
                String::from_utf8(plain).ok(),
            );
        }
        self.plain.clear();
    }
}

/// Morse, and the frames of old encodings.
fn signs(raw: &str, found: &mut Vec<Found>) {
    let bytes = raw.as_bytes();
    let mut place = 0;
    while place < bytes.len() {
        let run = bytes
            .get(place..)
            .unwrap_or(&[])
            .iter()
            .take_while(|b| matches!(b, b'.' | b'-' | b' ' | b'/'))
            .count();
        let row = raw.get(place..place + run).unwrap_or("").trim();
        let letters = row.split([' ', '/']).filter(|word| (1..=6).contains(&word.len()));
        let mixed = row.contains('.') && row.contains('-');
        let long = letters.clone().filter(|word| word.len() > 1).count();
        if mixed && letters.count() >= 6 && long >= 3 {
            push(found, place..place + run, 66, "morse", None);
        }
        place += run.max(1);
    }
    for (open, close) in [("<~", "~>"), ("begin 644 ", "end")] {
        if let Some(start) = raw.find(open)
            && let Some(length) =
                raw.get(start..).and_then(|rest| rest.find(close)).filter(|length| *length >= 12)
        {
            push(found, start..start + length + close.len(), 70, "frame", None);
        }
    }
}
