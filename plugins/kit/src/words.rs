//! Tables of words, and a walk over a text that looks each word up.
//!
//! A table maps folded words to classes, which are bits: `password` and `passwort` are one class. It
//! is built by the compiler, so a fresh instance finds it ready. Words are looked up without case,
//! accents and look-alike letters. Chinese and Japanese have no spaces, so there the longest entry
//! that begins at each character is taken.

use crate::unfold::fold_word;

/// The longest word that can be in a table, in bytes.
const LONGEST: usize = 48;

/// A table of words; `SLOTS` is a power of two of at least twice as many.
#[derive(Debug)]
pub struct Words<const SLOTS: usize> {
    entries: &'static [(&'static str, u64)],
    slots: [u16; SLOTS],
    /// Which characters an entry of Chinese or Japanese begins with, by the last ten bits of each.
    firsts: [u64; 16],
}

/// A word of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    /// Its first byte.
    pub start: usize,
    /// The byte after its last.
    pub end: usize,
    /// Its classes; 0 if it is not in the table.
    pub class: u64,
}

const SEED: u32 = 0x811c_9dc5;

const fn step(hash: u32, byte: u8) -> u32 {
    (hash ^ byte as u32).wrapping_mul(0x0100_0193)
}

const fn spread(hash: u32) -> usize {
    (hash ^ (hash >> 15)) as usize
}

#[expect(
    clippy::indexing_slicing,
    reason = "runs in the compiler, where a wrong index is an error"
)]
impl<const SLOTS: usize> Words<SLOTS> {
    /// Builds a table. The words must be folded and in it once.
    #[must_use]
    pub const fn new(entries: &'static [(&'static str, u64)]) -> Self {
        assert!(SLOTS.is_power_of_two() && SLOTS >= entries.len() * 2 && entries.len() < 65_535);
        let mut table = Self { entries, slots: [0; SLOTS], firsts: [0; 16] };
        let mut n = 0;
        while n < entries.len() {
            let word = entries[n].0.as_bytes();
            let (mut hash, mut i) = (SEED, 0);
            while i < word.len() {
                hash = step(hash, word[i]);
                i += 1;
            }
            let mut slot = spread(hash) & (SLOTS - 1);
            while table.slots[slot] != 0 {
                slot = (slot + 1) & (SLOTS - 1);
            }
            table.slots[slot] = n as u16 + 1;
            if word[0] >= 0xe3 && word.len() > 2 {
                let c = ((word[0] as u32 & 15) << 12)
                    | ((word[1] as u32 & 63) << 6)
                    | (word[2] as u32 & 63);
                table.firsts[(c as usize >> 6) & 15] |= 1 << (c & 63);
            }
            n += 1;
        }
        table
    }
}

impl<const SLOTS: usize> Words<SLOTS> {
    /// The entries.
    #[must_use]
    pub const fn entries(&self) -> &'static [(&'static str, u64)] {
        self.entries
    }

    /// The classes of a word that is folded, or that is of ASCII.
    #[must_use]
    pub fn get(&self, word: &str) -> u64 {
        if word.len() > LONGEST {
            return 0;
        }
        let hash = word.bytes().fold(SEED, |hash, byte| step(hash, byte.to_ascii_lowercase()));
        self.hashed(hash, word)
    }

    fn hashed(&self, hash: u32, word: &str) -> u64 {
        let mut slot = spread(hash) & (SLOTS - 1);
        while let Some(n) = self.slots.get(slot).and_then(|n| n.checked_sub(1)) {
            match self.entries.get(usize::from(n)) {
                Some((entry, class)) if entry.eq_ignore_ascii_case(word) => return *class,
                _ => slot = (slot + 1) & (SLOTS - 1),
            }
        }
        0
    }

    /// Walks over the words of a text.
    pub fn walk(&self, text: &str, mut each: impl FnMut(Word)) {
        let bytes = text.as_bytes();
        let mut folded = String::new();
        let mut place = 0;
        while let Some(byte) = bytes.get(place) {
            if byte.is_ascii() && !byte.is_ascii_alphanumeric() {
                place += 1;
                continue;
            }
            let start = place;
            let mut hash = SEED;
            while let Some(byte) = bytes.get(place).filter(|byte| byte.is_ascii_alphanumeric()) {
                hash = step(hash, byte.to_ascii_lowercase());
                place += 1;
            }
            if bytes.get(place).is_none_or(u8::is_ascii) {
                let class = match text.get(start..place) {
                    Some(word) if word.len() <= LONGEST => self.hashed(hash, word),
                    _ => 0,
                };
                each(Word { start, end: place, class });
            } else {
                place = self.wide(text, start, &mut folded, &mut each);
            }
        }
    }

    /// A word with letters that are not of ASCII, or characters of a script without spaces. Says
    /// where to go on.
    fn wide(
        &self,
        text: &str,
        start: usize,
        folded: &mut String,
        each: &mut impl FnMut(Word),
    ) -> usize {
        let rest = text.get(start..).unwrap_or("");
        let mut end = start;
        for c in rest.chars() {
            if is_spaceless(c) {
                if end == start {
                    return self.spaceless(rest, c, start, each);
                }
                break;
            }
            if !c.is_alphanumeric() && !is_joined(c) {
                break;
            }
            end += c.len_utf8();
        }
        if end == start {
            return start + rest.chars().next().map_or(1, char::len_utf8);
        }
        let word = text.get(start..end).unwrap_or("");
        let mut class = 0;
        if word.len() <= LONGEST * 2 {
            folded.clear();
            fold_word(word, folded);
            class = self.get(folded);
        }
        each(Word { start, end, class });
        end
    }

    /// The longest entry that begins at a character, or the character.
    fn spaceless(
        &self,
        rest: &str,
        first: char,
        start: usize,
        each: &mut impl FnMut(Word),
    ) -> usize {
        let mut found = Word { start, end: start + first.len_utf8(), class: 0 };
        let code = first as usize;
        if self.firsts.get((code >> 6) & 15).is_some_and(|bits| bits >> (code & 63) & 1 == 1) {
            let mut hash = SEED;
            let mut end = 0;
            for c in rest.chars().take(8) {
                let mut buffer = [0; 4];
                hash = c.encode_utf8(&mut buffer).bytes().fold(hash, step);
                end += c.len_utf8();
                let class = self.hashed(hash, rest.get(..end).unwrap_or(""));
                if class != 0 {
                    found = Word { start, end: start + end, class };
                }
            }
        }
        each(found);
        found.end
    }
}

/// Calls back with each run of at least so many letters, digits and signs of base64, and where it
/// begins. Only every `least`th byte is looked at, for each such run covers one of them.
pub fn long_runs<'t>(text: &'t str, least: usize, mut each: impl FnMut(usize, &'t str)) {
    let bytes = text.as_bytes();
    let inside = |byte: &u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=')
    };
    let mut place = least.saturating_sub(1);
    while let Some(byte) = bytes.get(place) {
        if !inside(byte) {
            place += least.max(1);
            continue;
        }
        let head = bytes.get(..place).unwrap_or(&[]);
        let start = place - head.iter().rev().take_while(|byte| inside(byte)).count();
        let tail = bytes.get(place..).unwrap_or(&[]);
        let end = place + tail.iter().take_while(|byte| inside(byte)).count();
        if end - start >= least {
            each(start, text.get(start..end).unwrap_or(""));
        }
        place = end + least.max(1);
    }
}

/// Marks and invisible characters within a word.
const fn is_joined(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' | '\u{ad}')
}

/// Scripts that are written without spaces between words.
const fn is_spaceless(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    static TABLE: Words<16> = Words::new(&[
        ("password", 1),
        ("contrasena", 1),
        ("密码", 1),
        ("密", 2),
        ("пароль", 4),
        ("비밀번호", 1),
    ]);

    fn classes(text: &str) -> Vec<(&str, u64)> {
        let mut found = Vec::new();
        TABLE.walk(text, |word| {
            if word.class != 0 {
                found.push((&text[word.start..word.end], word.class));
            }
        });
        found
    }

    #[test]
    fn words_are_found_in_any_dress() {
        for (text, found) in [
            ("My PassWord, please", vec![("PassWord", 1)]),
            ("la contraseña: x", vec![("contraseña", 1)]),
            ("我的密码是", vec![("密码", 1)]),
            ("秘密", vec![("密", 2)]),
            ("Пароль!", vec![("Пароль", 4)]),
            ("pаsswоrd", vec![("pаsswоrd", 1)]),
            ("제 비밀번호는", vec![("비밀번호", 1)]),
            ("passwords mypassword", vec![]),
            ("a—password—b", vec![("password", 1)]),
        ] {
            assert_eq!(classes(text), found, "{text}");
        }
    }

    #[test]
    fn long_runs_are_found_wherever_they_lie() {
        for lead in 0..12 {
            let text = format!("{}abcdefgh {} ijkl", " ".repeat(lead), "m".repeat(9));
            let mut found = Vec::new();
            long_runs(&text, 8, |start, run| found.push((start, run.to_owned())));
            assert_eq!(found, [(lead, "abcdefgh".to_owned()), (lead + 9, "m".repeat(9))], "{lead}");
        }
    }

    proptest::proptest! {
        #[test]
        fn words_lie_between_characters_and_in_order(text in "\\PC{0,60}") {
            let mut last = 0;
            TABLE.walk(&text, |word| {
                assert!(word.start >= last && word.end > word.start);
                assert!(text.get(word.start..word.end).is_some());
                last = word.end;
            });
        }
    }
}
