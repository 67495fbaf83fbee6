//! One value with its pseudonym, and how it is kept.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::canonical::{Class, part_of_name};
use super::keys::Mark;

/// The most records that a value remembers of those that showed it.
const MOST_RECORDS: usize = 32;
/// The most parts of one value.
const MOST_PARTS: usize = 16;

/// A value and what it is called.
#[derive(Serialize, Deserialize)]
pub(super) struct Entry {
    #[serde(rename = "k")]
    pub(super) kind: String,
    /// As it was first spelled.
    #[serde(rename = "v", with = "wiped")]
    pub(super) value: Zeroizing<String>,
    #[serde(rename = "s")]
    pub(super) suffix: String,
    /// The suffix of its person: this one, or what this one begins with.
    #[serde(rename = "b")]
    pub(super) base: String,
    /// Whose suffix it is.
    #[serde(rename = "h")]
    pub(super) identity: Mark,
    /// The person's record, if the suffix is that person's.
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub(super) owner: Option<String>,
    /// All whose value it is.
    #[serde(rename = "j", default, skip_serializing_if = "Vec::is_empty")]
    pub(super) subjects: Vec<String>,
    /// The records that showed it.
    #[serde(rename = "i", default, skip_serializing_if = "Vec::is_empty")]
    pub(super) seen_in: Vec<String>,
    /// Parts of it, as they were spelled.
    #[serde(rename = "p", default, skip_serializing_if = "Vec::is_empty")]
    pub(super) parts: Vec<Part>,
    /// When it was last seen, in milliseconds.
    #[serde(rename = "t")]
    pub(super) seen: i64,
    /// When it was last written to the file.
    #[serde(skip)]
    pub(super) kept: i64,
    /// Its place in the order of sight.
    #[serde(skip)]
    pub(super) stamp: u64,
}

/// A part of a value, as it was spelled.
#[derive(Serialize, Deserialize)]
pub(super) struct Part {
    #[serde(rename = "n")]
    pub(super) name: String,
    #[serde(rename = "v", with = "wiped")]
    pub(super) text: Zeroizing<String>,
}

/// Texts that are wiped from memory.
mod wiped {
    use serde::{Deserialize as _, Deserializer, Serializer};
    use zeroize::Zeroizing;

    pub(super) fn serialize<S: Serializer>(
        text: &Zeroizing<String>,
        out: S,
    ) -> Result<S::Ok, S::Error> {
        out.serialize_str(text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        input: D,
    ) -> Result<Zeroizing<String>, D::Error> {
        String::deserialize(input).map(Zeroizing::new)
    }
}

impl Entry {
    /// Keeps a part; says whether it is new. `None` if the part already is another text.
    pub(super) fn part_as(&mut self, part: &str, text: &str) -> Option<bool> {
        let class = Class::of(&self.kind);
        let text = text.trim();
        if let Some(kept) = self.parts.iter().find(|kept| kept.name == part) {
            return (class.canonical(&kept.text) == class.canonical(text)).then_some(false);
        }
        if self.parts.len() >= MOST_PARTS || text.is_empty() {
            return None;
        }
        self.parts.push(Part { name: part.to_owned(), text: Zeroizing::new(text.to_owned()) });
        Some(true)
    }

    /// The value, or a part of it.
    pub(super) fn text(&self, part: Option<&str>) -> Option<Zeroizing<String>> {
        let Some(part) = part else { return Some(self.value.clone()) };
        let kept = self.parts.iter().find(|kept| kept.name == part).map(|kept| kept.text.clone());
        kept.or_else(|| {
            let is_name = Class::of(&self.kind) == Class::Name;
            let text = is_name.then(|| part_of_name(&self.value, part)).flatten()?;
            Some(Zeroizing::new(text.to_owned()))
        })
    }
}

/// Adds a record to a short list; whether it is new there. Of too many the oldest are forgotten.
pub(super) fn insert(list: &mut Vec<String>, record: &str) -> bool {
    if list.iter().any(|one| one == record) {
        return false;
    }
    if list.len() >= MOST_RECORDS {
        list.remove(0);
    }
    list.push(record.to_owned());
    true
}
