//! Cuts text into words and signs, each with a hash of its folded form.
//!
//! A word is hashed in lower case and without diacritics, so that `José`, `JOSE` and `jose` are one
//! key of the tables. Scripts that do not part their words (Han, Hangul) give one token for each
//! character. Nothing is allocated but the list of tokens.

/// What a token is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A word of a script that parts its words: Latin, Greek, Cyrillic, Arabic, Devanagari and so on.
    Word,
    /// One Han character.
    Han,
    /// One Hangul syllable.
    Hangul,
    /// A run of Hiragana, hashed by its first two characters: what follows a name (`さん`, `です`) runs into
    /// the words behind it.
    Hiragana,
    /// A run of Katakana.
    Katakana,
    /// Digits, or letters and digits mixed.
    Number,
    /// An e-mail address, or a handle in small letters with `@` in front: `@Sven` is a sign and a word.
    Address,
    /// A link.
    Link,
    /// One sign, or a run of the same sign.
    Sign,
    /// The end of a line, or of several.
    Break,
}

/// How the letters of a word are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// No letter has a case.
    None,
    /// `word`
    Lower,
    /// `Word`, `O'Brien`, `Jean-Luc`
    Title,
    /// `WORD`
    Upper,
    /// `X`
    Single,
    /// `eBay`, `JavaScript`, `Jean-luc`
    Mixed,
}

/// A word or a sign.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    /// First byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
    /// What it is made of.
    pub kind: Kind,
    /// How it is written.
    pub case: Case,
    /// Number of characters, at most 255.
    pub letters: u8,
    /// Whether white space stands before it.
    pub spaced: bool,
    /// Of the folded form; of a sign, of the sign.
    pub hash: u64,
}

const SEED: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// One step of the hash over characters.
#[must_use]
pub const fn step(hash: u64, c: u32) -> u64 {
    (hash ^ c as u64).wrapping_mul(PRIME)
}

/// Spreads the bits of a hash.
#[must_use]
pub const fn finish(mut hash: u64) -> u64 {
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

/// The base letters of U+00C0 to U+017F. A space: the character stays as it is.
const BASE: &[u8; 192] = b"aaaaaaaceeeeiiiidnooooo ouuuuytsaaaaaaaceeeeiiiidnooooo ouuuuyty\
aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkklllllll\
lllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

/// The folded form of a character: lower case, without diacritics. `None` if it is dropped.
#[must_use]
pub fn fold(c: char) -> Option<char> {
    match c {
        'a'..='z' | '0'..='9' | '-' => Some(c),
        'A'..='Z' => Some(c.to_ascii_lowercase()),
        '\'' | '\u{2019}' | '\u{2bc}' => Some('\''),
        '\u{c0}'..='\u{17f}' => match BASE.get(c as usize - 0xc0) {
            Some(b' ') | None => Some(c),
            Some(b) => Some(char::from(*b)),
        },
        '\u{1e00}'..='\u{1eff}' => Some(fold_extended(c)),
        'Ș' | 'ș' => Some('s'),
        'Ț' | 'ț' => Some('t'),
        'ơ' | 'Ơ' => Some('o'),
        'ư' | 'Ư' => Some('u'),
        'ά' | 'Ά' => Some('α'),
        'έ' | 'Έ' => Some('ε'),
        'ή' | 'Ή' => Some('η'),
        'ί' | 'Ί' | 'ϊ' | 'Ϊ' | 'ΐ' => Some('ι'),
        'ό' | 'Ό' => Some('ο'),
        'ύ' | 'Ύ' | 'ϋ' | 'Ϋ' | 'ΰ' => Some('υ'),
        'ώ' | 'Ώ' => Some('ω'),
        'ς' => Some('σ'),
        'ё' | 'Ё' => Some('е'),
        'А'..='я' | 'Α'..='ω' => c.to_lowercase().next(),
        _ if is_mark(c) || is_joiner(c) => None,
        _ if c.is_ascii() => Some(c),
        _ => c.to_lowercase().next(),
    }
}

/// Vietnamese and other letters of Latin Extended Additional.
fn fold_extended(c: char) -> char {
    match c {
        'Ạ'..='ặ' => 'a',
        'Ẹ'..='ệ' => 'e',
        'Ỉ'..='ị' => 'i',
        'Ọ'..='ợ' => 'o',
        'Ụ'..='ự' => 'u',
        'Ỳ'..='ỹ' => 'y',
        _ => c.to_lowercase().next().unwrap_or(c),
    }
}

/// Marks that belong to the letter before.
const fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5c7}' | '\u{64b}'..='\u{65f}' | '\u{94d}' | '\u{9cd}'
        | '\u{a4d}' | '\u{acd}' | '\u{bcd}' | '\u{c4d}' | '\u{ccd}' | '\u{d4d}' | '\u{e47}'..='\u{e4e}')
}

/// Characters without width, which do not part a word.
const fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' | '\u{ad}')
}

const fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '\u{2019}' | '\u{2bc}')
}

const fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '々')
}

const fn is_hangul(c: char) -> bool {
    matches!(c, '\u{ac00}'..='\u{d7a3}')
}

const fn is_hiragana(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{309f}')
}

const fn is_katakana(c: char) -> bool {
    matches!(c, '\u{30a1}'..='\u{30fa}' | 'ー' | '\u{ff66}'..='\u{ff9f}')
}

const fn is_kana(c: char) -> bool {
    is_hiragana(c) || is_katakana(c)
}

/// A letter of a script that parts its words.
fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic()
        || (!c.is_ascii() && c.is_alphabetic() && !is_han(c) && !is_hangul(c) && !is_kana(c))
}

/// The hash of a whole word, as the tables know it.
#[must_use]
pub fn hash_of(word: &str) -> u64 {
    finish(word.chars().filter_map(fold).fold(SEED, |h, c| step(h, c as u32)))
}

/// Cuts a text.
#[must_use]
pub fn tokens(text: &str) -> Vec<Token> {
    let mut cutter =
        Cutter { text, at: 0, spaced: false, out: Vec::with_capacity(text.len() / 5 + 4) };
    while cutter.next().is_some() {}
    cutter.out
}

struct Cutter<'a> {
    text: &'a str,
    at: usize,
    spaced: bool,
    out: Vec<Token>,
}

impl Cutter<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn push(&mut self, length: usize, kind: Kind, case: Case, letters: usize, hash: u64) {
        let token = Token {
            start: self.at as u32,
            end: (self.at + length) as u32,
            kind,
            case,
            letters: letters.min(255) as u8,
            spaced: self.spaced,
            hash: finish(hash),
        };
        self.out.push(token);
        self.at += length;
        self.spaced = false;
    }

    /// Takes the next token, or white space.
    fn next(&mut self) -> Option<()> {
        if self.plain() {
            return Some(());
        }
        let c = self.rest().chars().next()?;
        if c == '\n' || c == '\r' {
            let length =
                self.rest().find(|c: char| !c.is_whitespace()).unwrap_or(self.rest().len());
            self.push(length, Kind::Break, Case::None, 1, step(SEED, 10));
        } else if c.is_whitespace() {
            self.at += c.len_utf8();
            self.spaced = true;
        } else if is_letter(c) || c.is_numeric() {
            self.word();
        } else if is_han(c) || is_hangul(c) {
            let kind = if is_han(c) { Kind::Han } else { Kind::Hangul };
            self.push(c.len_utf8(), kind, Case::None, 1, step(SEED, c as u32));
        } else if is_kana(c) {
            self.kana(is_hiragana(c));
        } else if c == '@'
            && self.rest().chars().nth(1).is_some_and(|n| n.is_alphanumeric() && !n.is_uppercase())
        {
            let length = 1 + run_of(self.rest().get(1..).unwrap_or(""), is_local).len();
            self.push(length, Kind::Address, Case::None, 1, step(SEED, 64));
        } else {
            let run = run_of(self.rest(), |n| n == c);
            let (length, letters) = (run.len(), run.chars().count());
            self.push(length, Kind::Sign, Case::None, letters, step(SEED, c as u32));
        }
        Some(())
    }

    /// The usual case, a blank or a word of plain letters with nothing special behind it, in one pass over the
    /// bytes. It gives what `word` would.
    fn plain(&mut self) -> bool {
        let bytes = self.text.as_bytes().get(self.at..).unwrap_or(&[]);
        if bytes.first() == Some(&b' ') {
            self.at += 1;
            self.spaced = true;
            return true;
        }
        let (mut hash, mut upper, mut length) = (SEED, 0, 0);
        for byte in bytes.iter().take_while(|b| b.is_ascii_alphabetic()) {
            upper += usize::from(byte.is_ascii_uppercase());
            hash = step(hash, u32::from(byte | 0x20));
            length += 1;
        }
        let ends = match bytes.get(length) {
            None | Some(b' ' | b'\n' | b',' | b'!' | b'?' | b')' | b';' | b'"' | b'<' | b'>') => {
                true
            }
            Some(b'.') => matches!(bytes.get(length + 1), None | Some(b' ' | b'\n')),
            Some(_) => false,
        };
        if length == 0 || !ends {
            return false;
        }
        let title = upper == 1 && bytes.first().is_some_and(u8::is_ascii_uppercase);
        let case = match upper {
            0 => Case::Lower,
            1 if length == 1 => Case::Single,
            n if n == length => Case::Upper,
            _ if title => Case::Title,
            _ => Case::Mixed,
        };
        self.push(length, Kind::Word, case, length, hash);
        true
    }

    fn kana(&mut self, hiragana: bool) {
        let run = run_of(self.rest(), if hiragana { is_hiragana } else { is_katakana });
        let hash =
            run.chars().take(if hiragana { 2 } else { 64 }).fold(SEED, |h, c| step(h, c as u32));
        let (length, letters) = (run.len(), run.chars().count());
        let kind = if hiragana { Kind::Hiragana } else { Kind::Katakana };
        self.push(length, kind, Case::None, letters, hash);
    }

    /// Takes a word, a number, an address or a link.
    fn word(&mut self) {
        let word = Word::read(self.rest());
        let tail = self.rest().get(word.length..).unwrap_or("");
        if tail.starts_with("://")
            || (word.length == 3 && tail.starts_with('.') && self.rest().starts_with("www"))
        {
            let length =
                run_of(self.rest(), |c| !c.is_whitespace() && !matches!(c, '<' | '>' | '"' | '|'))
                    .len();
            return self.push(length, Kind::Link, Case::None, 1, step(SEED, 47));
        }
        if (tail.starts_with(['@', '.', '_', '+', '%', '-']) || word.digits > 0)
            && let Some(length) = address(self.rest())
        {
            return self.push(length, Kind::Address, Case::None, 1, step(SEED, 64));
        }
        if word.digits > 0 {
            let pure = word.letters == word.digits;
            return self.push(
                word.length,
                Kind::Number,
                Case::None,
                word.letters,
                step(SEED, if pure { 48 } else { 49 }),
            );
        }
        let case = word.case();
        self.push(word.length, Kind::Word, case, word.letters, word.hash);
    }
}

/// The part of the text at its start for whose characters the test holds.
fn run_of(text: &str, test: impl Fn(char) -> bool) -> &str {
    let end = text.find(|c| !test(c)).unwrap_or(text.len());
    text.get(..end).unwrap_or("")
}

fn is_local(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '_' | '+' | '%' | '-')
}

/// The most characters of the local part of an address, and of its domain. Without a bound, a long text full of
/// points would be read again from each of them.
const LOCAL: usize = 80;
const DOMAIN: usize = 255;

/// The length of the e-mail address at the start of the text.
fn address(text: &str) -> Option<usize> {
    let local: usize =
        text.chars().take(LOCAL).take_while(|c| is_local(*c)).map(char::len_utf8).sum();
    let domain = text.get(local..)?.strip_prefix('@')?;
    let is_domain = |c: &char| c.is_alphanumeric() || matches!(c, '.' | '-');
    let length = domain.chars().take(DOMAIN).take_while(is_domain).map(char::len_utf8).sum();
    let domain = domain.get(..length)?.trim_end_matches(['.', '-']);
    domain.contains('.').then_some(local + 1 + domain.len())
}

/// A word that is being read.
#[derive(Default)]
struct Word {
    length: usize,
    letters: usize,
    digits: usize,
    upper: usize,
    lower: usize,
    /// Whether each part (at hyphens and apostrophes) begins with a capital and goes on in small letters.
    title: bool,
    hash: u64,
}

impl Word {
    fn read(text: &str) -> Self {
        let mut word = Self { title: true, hash: SEED, ..Self::default() };
        let mut begins = true;
        for (at, c) in text.char_indices() {
            if is_letter(c) {
                word.letter(c, begins);
                begins = false;
            } else if c.is_numeric() {
                word.digits += 1;
                word.letters += 1;
                begins = false;
            } else if is_apostrophe(c) || c == '-' || c == '\u{2010}' {
                if !word.goes_on(text, at, c) {
                    break;
                }
                begins = true;
            } else if !(is_mark(c) || is_joiner(c)) {
                break;
            }
            if let Some(f) = fold(c) {
                word.hash = step(word.hash, f as u32);
            }
            word.length = at + c.len_utf8();
        }
        word
    }

    fn letter(&mut self, c: char, begins: bool) {
        self.letters += 1;
        if c.is_lowercase() {
            self.lower += 1;
            self.title &= !begins;
        } else if c.is_uppercase() {
            self.upper += 1;
            self.title &= begins;
        }
    }

    /// Whether the word goes on behind an apostrophe or a hyphen: `O'Brien`, `Jean-Luc`, the code `FQ-07-KA`; but
    /// `Jane's` and `d'Alice` are two words.
    fn goes_on(&self, text: &str, at: usize, c: char) -> bool {
        let mut next = text.get(at + c.len_utf8()..).unwrap_or("").chars();
        let Some(first) = next.next() else { return false };
        let hyphen = !is_apostrophe(c);
        if self.digits > 0 || first.is_numeric() {
            return hyphen && (is_letter(first) || first.is_numeric());
        }
        if !is_letter(first) {
            return false;
        }
        if hyphen {
            return true;
        }
        let genitive = matches!(first, 's' | 'S') && !next.next().is_some_and(is_letter);
        let elision = self.letters <= 2 && self.upper == 0;
        !genitive && !elision
    }

    const fn case(&self) -> Case {
        match (self.upper, self.lower) {
            (0, 0) => Case::None,
            (0, _) => Case::Lower,
            (1, 0) if self.letters == 1 => Case::Single,
            (_, 0) => Case::Upper,
            _ if self.title => Case::Title,
            _ => Case::Mixed,
        }
    }
}
