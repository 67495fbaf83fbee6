//! Classes of bytes and careful access to them.
//!
//! The scanners of this crate walk over bytes and never index: a place outside of the text is the
//! byte zero, which is in no class. The table is in the data section, so a fresh instance pays nothing.

/// A letter or digit of ASCII.
pub(crate) const ALNUM: u8 = 1;
/// A digit or one of the letters a to f.
pub(crate) const HEX: u8 = 2;
/// An upper-case letter or digit.
pub(crate) const UPPER: u8 = 4;
/// A letter, a digit, `_` or `-`.
pub(crate) const WORD: u8 = 8;
/// A letter, a digit, or one of `+/=`.
pub(crate) const BASE64: u8 = 16;
/// What the spelling of a token can hold: the letters and digits and `_-.+/=~`.
pub(crate) const TOKEN: u8 = 32;
/// `WORD` and `.`.
pub(crate) const DOTTED: u8 = 64;
/// White space of ASCII.
pub(crate) const SPACE: u8 = 128;

const CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0u8; 256];
    let mut byte = 0u8;
    loop {
        let mut class = 0;
        if byte.is_ascii_alphanumeric() {
            class |= ALNUM | WORD | BASE64 | TOKEN | DOTTED;
        }
        if byte.is_ascii_hexdigit() {
            class |= HEX;
        }
        if byte.is_ascii_uppercase() || byte.is_ascii_digit() {
            class |= UPPER;
        }
        class |= match byte {
            b'_' | b'-' => WORD | TOKEN | DOTTED,
            b'.' => TOKEN | DOTTED,
            b'+' | b'/' | b'=' => BASE64 | TOKEN,
            b'~' => TOKEN,
            b' ' | b'\t' | b'\n' | b'\r' | 0x0c => SPACE,
            _ => 0,
        };
        #[expect(
            clippy::indexing_slicing,
            reason = "a byte is always inside of 256, and this runs in the compiler"
        )]
        {
            table[byte as usize] = class;
        }
        if byte == 255 {
            return table;
        }
        byte += 1;
    }
}

/// The byte at a place; zero outside of the text.
#[inline]
pub(crate) fn at(text: &str, place: usize) -> u8 {
    text.as_bytes().get(place).copied().unwrap_or(0)
}

/// The byte before a place; zero at the beginning.
#[inline]
pub(crate) fn before(text: &str, place: usize) -> u8 {
    if place == 0 { 0 } else { at(text, place - 1) }
}

/// Whether a byte is in one of the classes.
#[inline]
pub(crate) fn is(byte: u8, class: u8) -> bool {
    CLASSES.get(usize::from(byte)).is_some_and(|found| found & class != 0)
}

/// A part of the text; empty if the places are not those of characters.
#[inline]
pub(crate) fn part(text: &str, start: usize, end: usize) -> &str {
    text.get(start..end).unwrap_or("")
}

/// Where the run of a class that begins at a place ends.
#[inline]
pub(crate) fn run(text: &str, start: usize, class: u8) -> usize {
    let rest = text.as_bytes().get(start..).unwrap_or(&[]);
    start + rest.iter().position(|byte| !is(*byte, class)).unwrap_or(rest.len())
}

/// As [`run`], but looks at so many bytes at most. Where runs begin in runs, looking to the end from
/// each of them would make the work grow with the square of the text.
#[inline]
pub(crate) fn run_within(text: &str, start: usize, class: u8, most: usize) -> usize {
    let end = start.saturating_add(most).min(text.len());
    let rest = text.as_bytes().get(start..end).unwrap_or(&[]);
    start + rest.iter().position(|byte| !is(*byte, class)).unwrap_or(rest.len())
}

/// A text from a place on, so many bytes at most.
#[inline]
pub(crate) fn within(text: &str, start: usize, most: usize) -> &str {
    part(text, start, floor(text, start.saturating_add(most)))
}

/// The nearest place at or after one that lies between characters.
pub(crate) fn ceil(text: &str, mut place: usize) -> usize {
    while place < text.len() && !text.is_char_boundary(place) {
        place += 1;
    }
    place.min(text.len())
}

/// The nearest place at or before one that lies between characters.
pub(crate) fn floor(text: &str, place: usize) -> usize {
    let mut place = place.min(text.len());
    while !text.is_char_boundary(place) {
        place -= 1;
    }
    place
}
