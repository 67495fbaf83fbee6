//! Pseudonyms as text: `[[email:7f3a9c]]`, `[[person:7f3a9c/first]]`.
//!
//! A pseudonym stands for a personal value; Portcullis alone can turn it back. It is plain ASCII, so
//! that it survives JSON, HTML and what models do to texts. Two readers need this grammar: the way back
//! (what an agent wrote is turned back only if it is exactly a pseudonym, and refused if it only looks
//! like one), and the way out (a customer's text that looks like one is made not to). Which pseudonyms
//! there are is not known here.
//!
//! On the way back the case does not matter, and the brackets, the colon and the slash may be written
//! as HTML entities, percent-encoded or behind a backslash, because agents do that. Nothing else is
//! mended: what is altered is told, never guessed.

mod scan;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

pub use scan::find;

/// The fewest hexadecimal digits of a suffix.
pub const LEAST_DIGITS: usize = 6;
/// The most of them.
pub const MOST_DIGITS: usize = 32;
/// The longest kind.
pub const MOST_KIND: usize = 40;
/// The longest name of a part.
pub const MOST_PART: usize = 24;

/// A pseudonym, read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token {
    kind: String,
    suffix: String,
    part: Option<String>,
}

impl Token {
    /// A pseudonym of these parts; `None` if they do not fit the grammar.
    #[must_use]
    pub fn new(kind: &str, suffix: &str, part: Option<&str>) -> Option<Self> {
        let fits = is_word(kind, MOST_KIND)
            && (LEAST_DIGITS..=MOST_DIGITS).contains(&suffix.len())
            && suffix.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
            && part.is_none_or(|part| is_word(part, MOST_PART));
        fits.then(|| Self {
            kind: kind.to_owned(),
            suffix: suffix.to_owned(),
            part: part.map(str::to_owned),
        })
    }

    /// What it stands for: `email`, `person`.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Whose it is, as hexadecimal digits that say nothing else.
    #[must_use]
    pub fn suffix(&self) -> &str {
        &self.suffix
    }

    /// Which part of the value, such as `first`; `None` for the whole.
    #[must_use]
    pub fn part(&self) -> Option<&str> {
        self.part.as_deref()
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[[{}:{}", self.kind, self.suffix)?;
        if let Some(part) = &self.part {
            write!(f, "/{part}")?;
        }
        f.write_str("]]")
    }
}

/// A pseudonym in the arguments of a call, as rules see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// The pseudonym.
    pub token: Token,
    /// The argument that it stands in.
    pub argument: String,
    /// Where in the arguments, as JSON Pointer.
    pub path: String,
    /// Whether it was given to this principal.
    pub known: bool,
    /// Whose value it is, as references of records.
    pub subjects: Vec<String>,
    /// The records that showed it.
    pub seen_in: Vec<String>,
    /// Whether the call is about a record that neither has the value nor showed it.
    pub elsewhere: bool,
}

/// Something in a text that is a pseudonym, or looks like one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// Where it stands.
    pub bytes: Range<usize>,
    /// What it is.
    pub what: Seen,
    /// Where a mark makes it something else ([`defused`]).
    inside: usize,
}

/// What a sighting is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// A pseudonym by the grammar.
    Token(Token),
    /// Double brackets around something that was a pseudonym, or tries to be one.
    Altered,
    /// The inside of a pseudonym without its double brackets. Only whoever knows all pseudonyms can
    /// say whether it was one.
    Bare(Token),
}

/// The mark between the brackets of what is no pseudonym.
const MARK: &str = "~";

/// Where [`defused`] puts marks into a text that imitates pseudonyms: for editors that splice.
#[must_use]
pub fn imitations(text: &str) -> Vec<usize> {
    let sightings = find(text).into_iter().filter(|one| !matches!(one.what, Seen::Bare(_)));
    sightings.map(|one| one.inside).collect()
}

/// What [`imitations`] says where to put.
#[must_use]
pub const fn mark() -> &'static str {
    MARK
}

/// A text of others, in which nothing can be taken for a pseudonym: `[[email:7f3a9c]]` becomes
/// `[~[email:7f3a9c]]`. Done twice it is done once.
#[must_use]
pub fn defused(text: &str) -> Cow<'_, str> {
    let places = imitations(text);
    if places.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + places.len());
    let mut from = 0;
    for place in places {
        out.push_str(text.get(from..place).unwrap_or_default());
        out.push_str(MARK);
        from = place;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    Cow::Owned(out)
}

/// The text with every pseudonym in its one spelling; what only looks like one stays as it is.
#[must_use]
pub fn respelled(text: &str) -> Cow<'_, str> {
    replaced(text, |token| Some(token.to_string()))
}

/// The text with pseudonyms replaced by what `by` gives for them; `None` leaves one as it is.
#[must_use]
pub fn replaced(text: &str, mut by: impl FnMut(&Token) -> Option<String>) -> Cow<'_, str> {
    let mut out = String::new();
    let mut from = 0;
    for one in find(text) {
        let Seen::Token(token) = &one.what else { continue };
        let Some(value) = by(token) else { continue };
        out.push_str(text.get(from..one.bytes.start).unwrap_or_default());
        out.push_str(&value);
        from = one.bytes.end;
    }
    if from == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(text.get(from..).unwrap_or_default());
    Cow::Owned(out)
}

/// A lower-case word: a letter, then letters, digits and `_`.
fn is_word(text: &str, most: usize) -> bool {
    text.len() <= most
        && text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}
