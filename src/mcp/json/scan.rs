//! Finding the next byte that matters inside a string, eight or thirty-two bytes at a time.
//!
//! Answers of Intercom are mostly one long string, so this loop is where reading spends its time.
//! Plain arithmetic on words: no `unsafe`, no processor-specific code, and the compiler vectorises
//! the wide part by itself.

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Where the first quote, backslash or control byte at or after `from` lies; the length if none does.
#[inline]
pub(super) fn next_special(bytes: &[u8], from: usize) -> usize {
    // Most keys, and most runs between the escapes of JSON within a string, end in the first word.
    if let Some(word) = bytes.get(from..).and_then(<[u8]>::first_chunk) {
        let found = specials(u64::from_le_bytes(*word));
        if found != 0 {
            return from + first(found);
        }
    }
    search(bytes, from)
}

/// The same within one word: 8 if there is none.
#[inline]
pub(super) fn special_in(word: &[u8; 8]) -> usize {
    let found = specials(u64::from_le_bytes(*word));
    if found == 0 { word.len() } else { first(found) }
}

fn search(bytes: &[u8], from: usize) -> usize {
    let Some(rest) = bytes.get(from..) else { return bytes.len() };
    let (words, _) = rest.as_chunks::<8>();
    // The first word was looked at by the caller, and short runs do not earn a wide step.
    for (index, word) in words.iter().enumerate().take(4).skip(1) {
        let found = specials(u64::from_le_bytes(*word));
        if found != 0 {
            return from + index * 8 + first(found);
        }
    }
    let mut at = from + words.len().min(4) * 8;
    let (blocks, _) = bytes.get(at..).unwrap_or_default().as_chunks::<32>();
    at += 32 * blocks.iter().take_while(|block| !any_special(block)).count();
    let (words, tail) = bytes.get(at..).unwrap_or_default().as_chunks::<8>();
    for word in words {
        let found = specials(u64::from_le_bytes(*word));
        if found != 0 {
            return at + first(found);
        }
        at += 8;
    }
    tail.iter().position(|byte| is_special(*byte)).map_or(bytes.len(), |offset| at + offset)
}

const fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

fn any_special(block: &[u8; 32]) -> bool {
    block.iter().fold(false, |seen, byte| seen | is_special(*byte))
}

/// A word whose lowest set high bit marks the first special byte. Borrows may set marks above a true
/// one, never below it, so the lowest is exact.
const fn specials(word: u64) -> u64 {
    let control = word.wrapping_sub(LOW * 0x20) & !word;
    (control | equals(word, b'"') | equals(word, b'\\')) & HIGH
}

const fn equals(word: u64, byte: u8) -> u64 {
    let differs = word ^ (LOW * byte as u64);
    differs.wrapping_sub(LOW) & !differs
}

const fn first(found: u64) -> usize {
    (found.trailing_zeros() / 8) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn agrees_with_a_plain_search(bytes: Vec<u8>, from in 0usize..80) {
            let plain = (from..bytes.len()).find(|at| is_special(bytes[*at])).unwrap_or(bytes.len());
            prop_assert_eq!(next_special(&bytes, from), plain);
            if let Some(word) = bytes.first_chunk() {
                prop_assert_eq!(special_in(word), next_special(word, 0));
            }
        }

        #[test]
        fn finds_one_byte_in_long_text(before in 0usize..300, after in 0usize..80, from in 0usize..40) {
            for byte in [b'"', b'\\', 0, 0x1f] {
                let bytes = [vec![0xc3; before], vec![byte], vec![b'~'; after]].concat();
                let plain = if from <= before { before } else { bytes.len() };
                prop_assert_eq!(next_special(&bytes, from), plain);
            }
        }
    }
}
