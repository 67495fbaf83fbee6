//! What a run of letters is made of: is it random, and is it more than a place-holder?

use crate::bytes::{ALNUM, HEX, at, is};

/// What a run of letters is made of.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Make {
    /// Its bytes.
    pub(crate) length: usize,
    /// Lower-case letters.
    pub(crate) lower: usize,
    /// Upper-case letters.
    pub(crate) upper: usize,
    /// Digits.
    pub(crate) digit: usize,
    /// Neither letter nor digit of ASCII.
    pub(crate) other: usize,
    /// How many different bytes there are.
    pub(crate) different: usize,
    /// How often the kind of byte changes between lower case, upper case and digit.
    pub(crate) turns: usize,
    /// Whether all letters are hexadecimal.
    pub(crate) hex: bool,
}

impl Make {
    /// Takes a run apart.
    pub(crate) fn of(text: &str) -> Self {
        let mut make = Self { length: text.len(), hex: !text.is_empty(), ..Self::default() };
        let mut seen = [0u64; 4];
        let mut last = 0u8;
        for byte in text.bytes() {
            let kind = match byte {
                b'a'..=b'z' => {
                    make.lower += 1;
                    1
                }
                b'A'..=b'Z' => {
                    make.upper += 1;
                    2
                }
                b'0'..=b'9' => {
                    make.digit += 1;
                    3
                }
                _ => {
                    make.other += 1;
                    4
                }
            };
            make.hex &= is(byte, HEX);
            if kind != 4 {
                make.turns += usize::from(last != 0 && kind != last);
                last = kind;
            }
            if let Some(word) = seen.get_mut(usize::from(byte >> 6)) {
                *word |= 1 << (byte & 63);
            }
        }
        make.different = seen.iter().map(|word| word.count_ones() as usize).sum();
        make
    }

    /// Whether letters and digits are mixed as chance mixes them: not a word with a number behind it.
    pub(crate) fn random(&self) -> bool {
        let letters = self.lower + self.upper;
        if self.length < 16 || letters == 0 || self.different < 8 {
            return false;
        }
        if self.hex && self.other == 0 {
            return self.digit > 0 && self.turns * 6 >= self.length;
        }
        let mixed = self.lower > 0 && self.upper > 0;
        (self.digit > 0 && self.turns * 5 >= self.length)
            || (mixed && self.turns * 4 >= self.length)
    }
}

/// Whether a run stands where a secret would stand in an example: `your_api_key`, `xxxxxxxx`.
pub(crate) fn placeholder(text: &str) -> bool {
    let make = Make::of(text);
    if make.different < 5 || (make.length >= 24 && make.different < 6) {
        return true;
    }
    if make.digit > 0 && make.turns > 4 {
        return false;
    }
    ["your", "placeholder", "redacted", "changeme", "insert", "xxxx", "dummy"]
        .iter()
        .any(|word| holds(text, word))
}

/// Whether a text holds a word of ASCII, in whatever case.
pub(crate) fn holds(text: &str, word: &str) -> bool {
    text.as_bytes().windows(word.len()).any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
}

/// Whether a text is a UUID.
pub(crate) fn uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => is(byte, HEX),
        })
}

/// Whether the last six letters of a GitHub or npm token are the checksum of the ones before.
pub(crate) fn checksum(token: &str) -> bool {
    let Some(body) = token.rsplit('_').next() else { return false };
    let Some(split) = body.len().checked_sub(6) else { return false };
    let (Some(words), Some(sum)) = (body.get(..split), body.get(split..)) else { return false };
    base62(sum).is_some_and(|sum| sum == u64::from(crc32(words)))
}

fn base62(digits: &str) -> Option<u64> {
    digits.bytes().try_fold(0u64, |sum, byte| {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'A'..=b'Z' => byte - b'A' + 10,
            b'a'..=b'z' => byte - b'a' + 36,
            _ => return None,
        };
        Some(sum * 62 + u64::from(digit))
    })
}

/// CRC-32 as in zip. Bit by bit: it is asked for thirty letters once in a while.
fn crc32(text: &str) -> u32 {
    !text.bytes().fold(!0u32, |sum, byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| {
            if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 }
        })
    })
}

/// Decodes base64 of either alphabet, as far as it is; at most so many bytes.
pub(crate) fn base64(text: &str, most: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (mut sum, mut bits) = (0u32, 0u32);
    for place in 0..text.len() {
        let digit = match at(text, place) {
            byte @ b'A'..=b'Z' => byte - b'A',
            byte @ b'a'..=b'z' => byte - b'a' + 26,
            byte @ b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => break,
        };
        sum = sum << 6 | u32::from(digit);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((sum >> bits & 0xff) as u8);
            if bytes.len() == most {
                break;
            }
        }
    }
    bytes
}

/// Whether a text consists of letters and digits of ASCII only.
pub(crate) fn alnum(text: &str) -> bool {
    text.bytes().all(|byte| is(byte, ALNUM))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc_of_the_standard_check_string() {
        assert_eq!(crc32("123456789"), 0xcbf4_3926);
    }

    #[test]
    fn randomness() {
        for yes in [
            "db3b6e07fe5a32fe8bbc9b3f436120444a100a86",
            "UkLK29E1PrR4fAXZvmD0uq2Fx9oVgHyW",
            "aK3jLq9ZxT7vBn2M",
        ] {
            assert!(Make::of(yes).random(), "{yes}");
        }
        for no in [
            "self-service-portal-2024",
            "getting-started-guide",
            "INV-2025-11080",
            "aaaaaaaaaaaaaaaaaaaa",
            "1234567890123456",
            "Donaudampfschifffahrt",
        ] {
            assert!(!Make::of(no).random(), "{no}");
        }
    }

    #[test]
    fn placeholders() {
        for yes in [
            "xxxxxxxxxxxxxxxxxxxx",
            "your_api_key_goes_here",
            "000000000000000000",
            "changeme-changeme",
        ] {
            assert!(placeholder(yes), "{yes}");
        }
        for no in ["Q6i3dEHZil2lobbXKhFPbXm5", "IOSFODNN7EXAMPLE"] {
            assert!(!placeholder(no), "{no}");
        }
    }

    #[test]
    fn decoding_stops_where_the_alphabet_does() {
        assert_eq!(base64("dG9rOmFi", 99), b"tok:ab");
        assert_eq!(base64("LS0tLS1C!!", 3), b"---");
    }
}
