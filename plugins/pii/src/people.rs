//! The dictionary: the people and values that the payload's own fields hold, those of earlier answers,
//! and what is harvested from texts.
//!
//! Everything is indexed by the hash of one folded word, which the texts have for each of their words
//! already; building it costs a sort.

use crate::lexicon as lex;
use crate::place::Map;
use kit::unfold::{fold_text, fold_word};
use kit::{Party, kinds};

/// Somebody.
#[derive(Debug, Default)]
pub(crate) struct Person {
    /// The whole name, as a field has it; empty if only other things are known.
    pub(crate) name: String,
    pub(crate) subject: Option<String>,
    pub(crate) party: Party,
    /// The words of the name, folded.
    pub(crate) parts: Vec<Part>,
    /// Known from a text only, so that single words of the name count for less.
    pub(crate) guessed: bool,
}

/// A word of a name.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) folded: String,
    pub(crate) place: Place,
    /// It is a word of the language as well.
    pub(crate) common: bool,
    /// It is no name by itself: `van`, or a half of `Min-jun`.
    pub(crate) weak: bool,
}

/// Where in a name a word stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    First,
    Middle,
    Last,
}

/// A number that a field holds.
#[derive(Debug)]
pub(crate) struct Number {
    digits: Vec<u8>,
    pub(crate) kind: &'static str,
    pub(crate) value: String,
    pub(crate) who: Option<usize>,
}

/// Words that stand one behind the other.
#[derive(Debug)]
pub(crate) struct Phrase {
    pub(crate) words: Vec<String>,
    pub(crate) kind: &'static str,
    pub(crate) value: String,
    pub(crate) who: Option<usize>,
}

/// What a word may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Entry {
    /// A part of a person's name.
    Name(usize, usize),
    Phrase(usize),
    /// A part of a person's name without its ending.
    Stem(usize, usize),
    /// Names of a person in one word: `jdoe`.
    Glued(usize),
}

/// The dictionary.
#[derive(Debug, Default)]
pub(crate) struct People {
    pub(crate) persons: Vec<Person>,
    pub(crate) phrases: Vec<Phrase>,
    numbers: Vec<Number>,
    index: Vec<(u32, Entry)>,
    /// Which hashes may be in the index.
    sieve: Vec<u64>,
    by_subject: Map<String, usize>,
    by_name: Map<String, usize>,
    pub(crate) emails: Map<String, Option<usize>>,
    /// Mailboxes of one run of letters, and whose.
    pub(crate) locals: Vec<(String, usize)>,
    /// Names of scripts without blanks.
    pub(crate) unparted: Vec<(String, usize)>,
}

const SIEVE: usize = 256;

/// How much a text may add to the dictionary: its work must not grow with the square of a text.
const MOST_LOCALS: usize = 64;
const MOST_GUESSED: usize = 1000;
const MOST_VALUES: usize = 1000;

impl People {
    /// The person with a subject, made if there is none.
    pub(crate) fn who(&mut self, subject: Option<String>, party: Party) -> Option<usize> {
        let subject = subject?;
        if let Some(n) = self.by_subject.get(&subject) {
            return Some(*n);
        }
        let n = self.persons.len();
        self.persons.push(Person { subject: Some(subject.clone()), party, ..Person::default() });
        self.by_subject.insert(subject, n);
        Some(n)
    }

    /// A name.
    pub(crate) fn name(
        &mut self,
        name: &str,
        part: Option<&str>,
        who: Option<usize>,
        party: Party,
        guessed: bool,
    ) -> usize {
        let folded = fold_text(name);
        let known = self.by_name.get(&folded).copied();
        if let Some(n) = known
            && !guessed
            && part.is_none()
            && (who.is_none() || who == Some(n))
            && self.persons.get(n).is_some_and(|p| !p.guessed && !p.parts.is_empty())
        {
            return n;
        }
        let known = who.or(known).or_else(|| self.of_mailbox(name));
        let n = known.unwrap_or_else(|| {
            self.persons.push(Person { party, guessed, ..Person::default() });
            self.persons.len() - 1
        });
        self.by_name.entry(folded).or_insert(n);
        let Some(person) = self.persons.get_mut(n) else { return n };
        person.guessed &= guessed;
        if person.name.is_empty() || person.name.len() < name.len() && part.is_none() {
            name.clone_into(&mut person.name);
        }
        if is_unparted(name) && self.unparted.len() < MOST_LOCALS {
            self.unparted.push((name.to_owned(), n));
            // A field may put a blank between the names, where a text has none; and a text has the first
            // of them alone, with a title behind it.
            if let Some((first, _)) = name.split_once([' ', '\u{3000}']) {
                self.unparted.push((name.split_whitespace().collect(), n));
                if first.chars().count() >= 2 {
                    self.unparted.push((first.to_owned(), n));
                }
            }
        }
        let new = parts(name, part);
        for part in new {
            if !person.parts.iter().any(|p| p.folded == part.folded) {
                person.parts.push(part);
            }
        }
        n
    }

    /// The person whose mailbox is made of a name, if that is all that is known of them.
    fn of_mailbox(&self, name: &str) -> Option<usize> {
        let new = parts(name, None);
        let has = |word: &str| new.iter().any(|p| p.folded == word);
        let made = |p: &Person| {
            p.name.is_empty()
                && p.parts.iter().filter(|q| !q.weak).count() >= 2
                && p.parts.iter().all(|q| has(&q.folded))
        };
        let found = self.persons.iter().take(200).position(made);
        if found.is_some() || self.locals.is_empty() {
            return found;
        }
        let person = Person { parts: new, ..Person::default() };
        let mut owner = None;
        glue(&person, |word| {
            if owner.is_none() {
                owner = self.locals.iter().find(|(l, _)| l == word).map(|(_, n)| *n);
            }
        });
        owner.filter(|n| self.persons.get(*n).is_some_and(|p| p.name.is_empty()))
    }

    /// A record's address, before anything else is known of it.
    pub(crate) fn bind(&mut self, address: String, subject: String, party: Party) {
        if !self.emails.contains_key(&address) {
            let n = self.who(Some(subject), party);
            self.email(&address, n, party);
        }
    }

    /// An address: the person it belongs to, or one who is made of its mailbox's name.
    pub(crate) fn email(&mut self, address: &str, who: Option<usize>, party: Party) {
        if self.emails.contains_key(address) {
            return;
        }
        let local = address.split('@').next().unwrap_or_default();
        let local = local.split('+').next().unwrap_or_default();
        if crate::email::is_role(local) {
            self.emails.insert(address.to_owned(), who);
            return;
        }
        let n = who.or_else(|| {
            let subject = address.to_owned();
            self.who(Some(subject), party)
        });
        self.emails.insert(address.to_owned(), n);
        let Some(n) = n else { return };
        let named = self.persons.get(n).is_some_and(|p| !p.parts.is_empty());
        let words: Vec<&str> =
            local.split(|c: char| !c.is_alphabetic()).filter(|w| w.chars().count() >= 3).collect();
        if let [word] = words.as_slice()
            && self.locals.len() < MOST_LOCALS
        {
            self.locals.push(((*word).to_owned(), n));
        }
        if named || self.persons.len() > MOST_GUESSED {
            return;
        }
        if let Some(person) = self.persons.get_mut(n) {
            person.guessed = true;
            let all = words.len();
            for (i, word) in words.into_iter().enumerate() {
                let class = lex::class(lex::hash(word), word);
                let common = class != 0 || lex::is_name_word(word) || names::is_word(word);
                let weak = class & lex::ROLE != 0 || word.len() < 4 && all < 2;
                let place = if i == 0 { Place::First } else { Place::Last };
                person.parts.push(Part { folded: word.to_owned(), place, common, weak });
            }
        }
    }

    /// A number that a field holds.
    pub(crate) fn add_number(&mut self, kind: &'static str, value: &str, who: Option<usize>) {
        let head = value.to_lowercase();
        let cut = head
            .find(|c: char| c.is_alphabetic())
            .filter(|_| kind == kinds::PHONE)
            .unwrap_or(head.len());
        let digits: Vec<u8> =
            head.get(..cut).unwrap_or_default().bytes().filter(u8::is_ascii_digit).collect();
        if digits.len() >= 7 && self.numbers.len() < MOST_VALUES {
            self.numbers.push(Number { digits, kind, value: value.trim().to_owned(), who });
        }
    }

    /// The known number that some digits are: of telephones, the last eight or nine must agree.
    pub(crate) fn number(&self, digits: &[u8]) -> Option<&Number> {
        self.numbers.iter().find(|n| {
            if n.kind != kinds::PHONE {
                return n.digits == digits;
            }
            let (a, b) = (n.digits.len(), digits.len());
            let same = a.min(b).min(9);
            same >= 7
                && (same >= 8 || a.abs_diff(b) <= 4)
                && n.digits.get(a - same..) == digits.get(b - same..)
                && a.abs_diff(b) <= 5
        })
    }

    /// Words that stand for a value; numbers are known by their digits.
    pub(crate) fn phrase(&mut self, kind: &'static str, text: &str, who: Option<usize>) {
        let folded = fold_text(text);
        let words: Vec<String> = folded
            .split(|c: char| !c.is_alphanumeric())
            .filter(|w| !w.is_empty())
            .map(str::to_owned)
            .collect();
        let size: usize = words.iter().map(String::len).sum();
        let one_word = words.len() == 1
            && (lex::is_name_word(&folded) || lex::class(lex::hash(&folded), &folded) != 0);
        if size < 4 || one_word || self.phrases.len() >= MOST_VALUES {
            return;
        }
        self.phrases.push(Phrase { words, kind, value: text.trim().to_owned(), who });
    }

    /// An address, and its lines.
    pub(crate) fn address(&mut self, text: &str, who: Option<usize>) {
        self.phrase(kinds::ADDRESS, text, who);
        let lines = text.split([',', '\n']).map(str::trim);
        if let Some((first, rest)) = text.split_once([',', '\n']) {
            for part in [first, rest].into_iter().chain(lines) {
                let digits = part.bytes().filter(u8::is_ascii_digit).count();
                let words = part.split_whitespace().count();
                if digits > 0 && words >= 2 && part.len() >= 7 {
                    self.phrase(kinds::ADDRESS, part, who);
                }
            }
        }
    }

    /// Sorts what was added. Nothing is found before.
    pub(crate) fn index(&mut self) {
        self.index_from(0);
    }

    /// The same for persons from a number on; nothing else is found then.
    pub(crate) fn index_from(&mut self, first: usize) {
        let mut index = Vec::with_capacity(self.persons.len() * 4 + self.phrases.len());
        for (n, person) in self.persons.iter().enumerate().skip(first) {
            for (k, part) in person.parts.iter().enumerate() {
                index.push((lex::hash(&part.folded), Entry::Name(n, k)));
                let stem = stem(&part.folded);
                let inflects = !part.common && !part.weak && !person.guessed;
                if inflects && stem.len() < part.folded.len() && stem.chars().count() >= 4 {
                    index.push((lex::hash(stem), Entry::Stem(n, k)));
                }
            }
            glue(person, |word| index.push((lex::hash(word), Entry::Glued(n))));
        }
        let phrases = if first == 0 { self.phrases.as_slice() } else { &[] };
        for (n, phrase) in phrases.iter().enumerate() {
            if let Some(first) = phrase.words.first() {
                index.push((lex::hash(first), Entry::Phrase(n)));
            }
        }
        for (local, n) in self.locals.iter().filter(|(_, n)| *n >= first) {
            index.push((lex::hash(local), Entry::Glued(*n)));
        }
        index.sort_unstable();
        index.dedup();
        self.sieve = vec![0; SIEVE];
        for (hash, _) in &index {
            if let Some(slot) = self.sieve.get_mut((*hash as usize / 64) % SIEVE) {
                *slot |= 1 << (hash % 64);
            }
        }
        self.index = index;
    }

    /// What a word may begin.
    pub(crate) fn at(&self, hash: u32) -> &[(u32, Entry)] {
        let slot = self.sieve.get((hash as usize / 64) % SIEVE).copied().unwrap_or(0);
        if slot & (1 << (hash % 64)) == 0 {
            return &[];
        }
        let start = self.index.partition_point(|(h, _)| *h < hash);
        let rest = self.index.get(start..).unwrap_or_default();
        let n = rest.iter().take(32).take_while(|(h, _)| *h == hash).count();
        rest.get(..n).unwrap_or_default()
    }

    pub(crate) fn person(&self, n: usize) -> Option<&Person> {
        self.persons.get(n)
    }
}

/// Whether a name is of a script that puts no blanks between words.
pub(crate) fn is_unparted(name: &str) -> bool {
    let wide = |c: char| {
        ('\u{3040}'..'\u{a000}').contains(&c)
            || ('\u{ac00}'..'\u{d7a4}').contains(&c)
            || ('\u{e01}'..'\u{1000}').contains(&c)
    };
    name.chars().filter(|c| wide(*c)).count() >= 2
}

/// What a word of a name is made of.
fn is_letter(c: char) -> bool {
    c.is_alphanumeric() || crate::fit::is_mark(c)
}

/// A name without the ending that its language changes with the case: `novakov` of `novakova`.
pub(crate) fn stem(folded: &str) -> &str {
    const GREEK: &[&str] = &["ος", "ης", "ας", "ου"];
    const VOWELS: &[char] =
        &['a', 'e', 'i', 'o', 'u', 'y', 'а', 'о', 'я', 'е', 'и', 'й', 'ь', 'α', 'η', 'ο'];
    let greek = GREEK.iter().find_map(|end| folded.strip_suffix(end));
    greek.or_else(|| folded.strip_suffix(VOWELS)).unwrap_or(folded)
}

/// The words of a name. Halves of a word with a hyphen or an apostrophe are weak.
fn parts(name: &str, part: Option<&str>) -> Vec<Part> {
    let name = name.split(['<', '(', '@']).next().unwrap_or_default();
    let (last_first, name) = match name.split_once(',') {
        Some((last, first)) if !first.trim().is_empty() => {
            (true, format!("{} {}", first.trim(), last.trim()))
        }
        _ => (false, name.trim().to_owned()),
    };
    let words: Vec<&str> = name
        .split([' ', '_', '\u{b7}', '\u{30fb}', '\u{3000}', '.'])
        .filter(|w| !w.is_empty())
        .collect();
    let n = words.len();
    let mut out = Vec::with_capacity(n + 1);
    let _ = last_first;
    if n >= 3 {
        // `de Hoog` and `Mary Ann` are one word in mailboxes and links.
        let join = |words: &[&str]| {
            let mut all = String::new();
            fold_word(&words.concat(), &mut all);
            all.retain(char::is_alphanumeric);
            all
        };
        for (range, place) in [(1..n, Place::Last), (0..2, Place::First), (2..n, Place::Last)] {
            let folded = join(words.get(range).unwrap_or_default());
            out.push(Part { folded, place, common: false, weak: true });
        }
    }
    for (i, word) in words.into_iter().enumerate() {
        let place = match part {
            Some("first") => Place::First,
            Some("last") => Place::Last,
            _ if i == 0 => Place::First,
            _ if i + 1 == n => Place::Last,
            _ => Place::Middle,
        };
        let folded = fold_text(word);
        let pieces: Vec<&str> = folded.split(|c| !is_letter(c)).filter(|w| !w.is_empty()).collect();
        let many = pieces.len() > 1;
        if many {
            // Mailboxes and links leave the hyphen out.
            out.push(Part { folded: pieces.concat(), place, common: false, weak: false });
        }
        for piece in pieces {
            let class = lex::class(lex::hash(piece), piece);
            let size = piece.chars().count();
            let alone = n > 1 && i + 1 == n || part.is_some();
            let particle = class & (lex::PARTICLE | lex::TITLE) != 0 && !alone;
            let weak = size < 2
                || particle
                || many && size < 4
                || piece.bytes().all(|b| b.is_ascii_digit());
            let common = class
                & !(lex::PARTICLE | lex::TITLE | lex::STREET | lex::STATE | lex::COUNTRY)
                != 0
                || lex::is_name_word(piece)
                || names::is_word(piece)
                || size < 3 && piece.is_ascii();
            out.push(Part { folded: piece.to_owned(), place, common, weak });
        }
    }
    out
}

/// The names that people make of their name in one word.
fn glue(person: &Person, mut put: impl FnMut(&str)) {
    let of = |place| -> String {
        person.parts.iter().filter(|p| p.place == place).map(|p| p.folded.as_str()).collect()
    };
    let (first, last) = (of(Place::First), of(Place::Last));
    let (Some(f), Some(l)) = (first.chars().next(), last.chars().next()) else { return };
    for word in [format!("{first}{last}"), format!("{last}{first}")] {
        if word.len() >= 6 {
            put(&word);
        }
    }
    for word in [format!("{f}{last}"), format!("{first}{l}"), format!("{last}{f}")] {
        if word.len() >= 5 && !lex::is_name_word(&word) && lex::class(lex::hash(&word), &word) == 0
        {
            put(&word);
        }
    }
}
