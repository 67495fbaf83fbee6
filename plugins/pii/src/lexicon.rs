//! What single words say: a table that stands ready in the binary.
//!
//! Every word of every text is looked up, so that labels ("Passport", "Tel.", "Rechnung") are found
//! in the same pass as names. The hash is taken while the word is read.

use crate::words::WORDS;

macro_rules! classes {
    ($($(#[$doc:meta])* $name:ident = $bit:expr;)*) => {
        $($(#[$doc])* pub(crate) const $name: u64 = 1 << $bit;)*
    };
}

classes! {
    /// Before a telephone number.
    PHONE = 0;
    /// Before a number that is nobody's: an order, a version, a case.
    THING = 1;
    /// Before a date of birth.
    BIRTH = 2;
    PASSWORD = 3;
    USERNAME = 4;
    SECRET = 5;
    PASSPORT = 6;
    /// Of driving, with a word for a licence.
    LICENCE = 7;
    PLATE = 8;
    TAX = 9;
    NATIONAL = 10;
    DEVICE = 11;
    MEDICAL = 12;
    BANK = 13;
    SORT = 14;
    CVV = 15;
    EXPIRY = 16;
    IP = 17;
    CARD = 18;
    /// Before a postal address.
    ADDRESS = 19;
    /// A word of a street's name, such as `street`, `rue`.
    STREET = 20;
    /// Opens a letter.
    GREETING = 21;
    /// Closes one.
    CLOSING = 22;
    /// Before a name, such as `llamo`.
    CALLED = 23;
    /// A title before a name.
    TITLE = 24;
    /// Joins words of a label and its value: `is`, `number`, `my`.
    LINK = 25;
    /// A part of names that is no name: `van`, `de`, `al`.
    PARTICLE = 26;
    /// Never a name behind a greeting: `team`, `there`.
    NOBODY = 27;
    MONTH = 28;
    /// Before a date that is no date of birth.
    SINCE = 29;
    /// Behind a word that is a name as well, and then it is none: "will *it*".
    AFTER_VERB = 30;
    /// Before a word that is a name as well, and then it is none: "*in* May".
    BEFORE_NOUN = 31;
    /// A mailbox that belongs to nobody.
    ROLE = 32;
    /// A person by what they are: `lawyer`, `colleague`.
    PERSON = 33;
    /// An e-mail address follows.
    EMAIL = 34;
    CRYPTO = 35;
    GEO = 36;
    MAC = 37;
    /// A driving word.
    DRIVE = 38;
    /// A verb that people do: "Jane *said*".
    SAYS = 40;
    /// Before a person: `ask`, `contact`, `cc`.
    TO_PERSON = 41;
    /// A unit inside a house: `flat`, `apt`.
    UNIT = 42;
    /// A state or province, short.
    STATE = 43;
    /// A country.
    COUNTRY = 44;
    /// A digit in words.
    SPELLED = 45;
    /// A company, a product or a town: if it stands alone, nobody.
    BRAND = 46;
    /// Before a name and a password: `login`, `Zugangsdaten`.
    LOGIN = 47;
}

/// Where the hash begins.
pub(crate) const SEED: u32 = 0x811c_9dc5;

/// One more byte of a word.
pub(crate) const fn step(hash: u32, byte: u8) -> u32 {
    (hash ^ byte as u32).wrapping_mul(0x0100_0193)
}

/// The hash of a folded word.
pub(crate) fn hash(word: &str) -> u32 {
    word.bytes().fold(SEED, step)
}

const SIZE: usize = 8192;

static TABLE: [u16; SIZE] = build();

#[expect(clippy::indexing_slicing, reason = "worked out by the compiler, which would say so")]
const fn build() -> [u16; SIZE] {
    let mut table = [0u16; SIZE];
    let mut n = 0;
    while n < WORDS.len() {
        let word = WORDS[n].0.as_bytes();
        let (mut h, mut k) = (SEED, 0);
        while k < word.len() {
            h = step(h, word[k]);
            k += 1;
        }
        let mut slot = spread(h);
        while table[slot] != 0 {
            slot = (slot + 1) % SIZE;
        }
        n += 1;
        table[slot] = n as u16;
    }
    table
}

const fn spread(hash: u32) -> usize {
    ((hash ^ (hash >> 15)) as usize) % SIZE
}

/// What a word says; 0 if nothing.
pub(crate) fn class(hash: u32, word: &str) -> u64 {
    let mut slot = spread(hash);
    loop {
        let n = TABLE.get(slot).copied().unwrap_or(0);
        if n == 0 {
            return 0;
        }
        match WORDS.get(usize::from(n) - 1) {
            Some((w, class)) if *w == word => return *class,
            _ => slot = (slot + 1) % SIZE,
        }
    }
}

/// The hashes of names that are words as well, sorted; made from `data/name_words.txt`.
static NAME_WORDS: &[u8] = include_bytes!("../data/name_words.bin");

/// Whether a folded word means something besides being a name.
pub(crate) fn is_name_word(word: &str) -> bool {
    is_name_hash(hash(word))
}

/// The same by the word's hash.
pub(crate) fn is_name_hash(hash: u32) -> bool {
    let at = |n: usize| {
        let four = NAME_WORDS.get(4 * n..4 * n + 4).and_then(|b| b.try_into().ok());
        four.map_or(u32::MAX, u32::from_le_bytes)
    };
    let (mut low, mut high) = (0, NAME_WORDS.len() / 4);
    while low < high {
        let middle = low + (high - low) / 2;
        match at(middle).cmp(&hash) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_found_and_stands_once() {
        let mut seen = std::collections::BTreeSet::new();
        for (word, class) in WORDS {
            assert!(seen.insert(word), "{word} stands twice");
            assert_eq!(super::class(hash(word), word), *class, "{word}");
            assert_eq!(kit::unfold::fold_text(word), **word, "{word} is not folded");
        }
        assert!(WORDS.len() * 2 < SIZE, "the table is full");
    }

    #[test]
    fn names_that_are_words_are_known() {
        for word in include_str!("../data/name_words.txt").lines() {
            assert!(is_name_word(word), "{word}");
        }
        for word in ["", "zzzz", "aaa", "eze", "kowalski"] {
            assert!(!is_name_word(word), "{word}");
        }
    }
}
