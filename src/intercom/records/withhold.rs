//! Taking records out of an answer, and saying how many.
//!
//! Exactly the bytes of the records leave, with their commas, from every text in which they stand;
//! all other bytes stay as they came. An entry of a list vanishes; what is no entry becomes `null`.
//! With a record leaves what names it by its id: stubs, search highlights, entries of lists of ids.
//!
//! Of the numbers in the answer, those that count a list that is there (`total_in_page`, and
//! `total_count` where it equals the length) are lowered with it. Numbers about everything at
//! Intercom (`total_pages`, other totals) stay: they are the server's own, pages are asked for by
//! them, and they tell no more than the withheld counts of all pages together, which are told
//! truthfully: [`withhold`] adds a text of its own that says how many of what were withheld, and the
//! rule's words why. Cursors stay, so that the next page can be asked for.
//!
//! Within JSON in a string, places are those of the decoded text; an edit there is carried outwards
//! to the bytes that write it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::ops::Range;

use super::{Kind, Place, Record, Records};
use crate::domain::JsonText;
use crate::mcp::json::{self, Splice, Value};

/// What a rule wants withheld, and why, in its words for the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order<'a> {
    /// One record.
    Drop {
        /// [`Record::reference`].
        reference: &'a str,
        /// The rule's words.
        text: &'a str,
    },
    /// All but the first so many things that were asked for.
    Rows {
        /// How many stay.
        most: usize,
        /// The rule's words.
        text: &'a str,
    },
}

/// A reference that names no record of the answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the answer has no record `{0}`")]
pub struct NoSuchRecord(pub String);

/// What is left of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edited {
    /// There was nothing to withhold: the answer as it came.
    Same,
    /// The rest, with words that say what was withheld.
    Rest(JsonText),
    /// Nothing of what was asked for; the words that say so.
    Nothing(String),
}

/// The records that are withheld, those inside others included.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gone(BTreeSet<usize>);

impl Gone {
    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the record of this number is.
    #[must_use]
    pub fn has(&self, number: usize) -> bool {
        self.0.contains(&number)
    }

    /// The others.
    pub(super) fn others<'a>(&self, all: &'a [Record]) -> impl Iterator<Item = &'a Record> {
        let others = all.iter().enumerate().filter(|(number, _)| !self.has(*number));
        others.map(|(_, record)| record)
    }
}

/// An answer after orders were carried out on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withheld {
    /// What is left.
    pub edited: Edited,
    /// What is not.
    pub gone: Gone,
}

/// Carries the orders out on the answer that `records` was read from.
///
/// # Errors
/// If an order names a record that is not there: the rule meant another answer, so this one must not
/// leave.
pub fn withhold(records: &Records, orders: &[Order<'_>]) -> Result<Withheld, NoSuchRecord> {
    let (dropped, words) = settle(records, orders)?;
    let edited = edited(records, &dropped, words);
    let mut gone = dropped;
    // A record stands behind the one that it is in.
    for (number, record) in records.records.iter().enumerate() {
        if record.parent.is_some_and(|outer| gone.contains(&outer)) {
            gone.insert(number);
        }
    }
    Ok(Withheld { edited, gone: Gone(gone) })
}

fn edited(records: &Records, dropped: &BTreeSet<usize>, words: String) -> Edited {
    if dropped.is_empty() {
        return Edited::Same;
    }
    let is_single = |place: &Place| !records.is_entry(place);
    let rows = || records.records.iter().enumerate().filter(|(_, record)| record.row);
    let none_left = rows().all(|(number, _)| dropped.contains(&number));
    let one = rows().any(|(_, record)| record.places.iter().any(is_single));
    if none_left && one {
        return Edited::Nothing(words);
    }
    let mut edits = Edits::new(records);
    for record in dropped.iter().filter_map(|number| records.records.get(*number)) {
        edits.record(record);
    }
    // An answer whose places cannot be found again is not sent at all.
    edits.carry_out(&words).map_or(Edited::Nothing(words), Edited::Rest)
}

/// The records that leave, and the words for it.
fn settle(
    records: &Records,
    orders: &[Order<'_>],
) -> Result<(BTreeSet<usize>, String), NoSuchRecord> {
    let mut because: BTreeMap<usize, &str> = BTreeMap::new();
    for order in orders {
        if let Order::Drop { reference, text } = order {
            let wrong = || NoSuchRecord((*reference).to_owned());
            let (number, _) = records.find(reference).ok_or_else(wrong)?;
            because.entry(number).or_insert(text);
        }
    }
    let mut words = Vec::new();
    let mut dropped: BTreeSet<usize> = because.keys().copied().collect();
    for (text, counts) in counted(records, &because) {
        words.push(format!("Portcullis withheld {}: {text}.", list(&counts)));
    }
    let most = orders.iter().filter_map(|order| match order {
        Order::Rows { most, text } => Some((*most, *text)),
        Order::Drop { .. } => None,
    });
    if let Some((most, text)) = most.min_by_key(|(most, _)| *most) {
        let rows: Vec<usize> = (0..records.records.len())
            .filter(|number| records.records.get(*number).is_some_and(|record| record.row))
            .filter(|number| !dropped.contains(number))
            .collect();
        if rows.len() > most {
            dropped.extend(rows.iter().skip(most));
            words.push(format!("Portcullis shows {most} of {} entries: {text}.", rows.len()));
        }
    }
    Ok((dropped, words.join("\n")))
}

/// For each rule's words, in the order of the answer, how many records of each kind they withhold.
/// What is inside a withheld record is not counted again.
fn counted<'a>(
    records: &Records,
    because: &BTreeMap<usize, &'a str>,
) -> Vec<(&'a str, BTreeMap<Kind, usize>)> {
    let mut counted: Vec<(&str, BTreeMap<Kind, usize>)> = Vec::new();
    for (number, text) in because {
        let Some(record) = records.records.get(*number) else { continue };
        let inside = std::iter::successors(record.parent, |outer| {
            records.records.get(*outer).and_then(|outer| outer.parent)
        });
        if inside.into_iter().any(|outer| because.contains_key(&outer)) {
            continue;
        }
        let index = counted.iter().position(|(known, _)| known == text).unwrap_or_else(|| {
            counted.push((text, BTreeMap::new()));
            counted.len() - 1
        });
        if let Some((_, counts)) = counted.get_mut(index) {
            *counts.entry(record.kind).or_default() += 1;
        }
    }
    counted
}

/// `2 conversations and 1 internal note`.
fn list(counts: &BTreeMap<Kind, usize>) -> String {
    let mut text = String::new();
    for (index, (kind, count)) in counts.iter().enumerate() {
        let (one, many) = match kind {
            Kind::Contact => ("contact", "contacts"),
            Kind::Company => ("company", "companies"),
            Kind::Conversation => ("conversation", "conversations"),
            Kind::Article => ("article", "articles"),
            Kind::Note => ("internal note", "internal notes"),
            Kind::Part => ("message", "messages"),
            Kind::Admin => ("teammate", "teammates"),
            Kind::Other => ("entry", "entries"),
        };
        let before = match index {
            0 => "",
            index if index + 1 == counts.len() => " and ",
            _ => ", ",
        };
        // Writing to a String cannot fail.
        let _ = write!(text, "{before}{count} {}", if *count == 1 { one } else { many });
    }
    text
}

/// All edits, by text.
struct Edits<'a> {
    records: &'a Records,
    /// Values that become `null`.
    nulls: BTreeSet<(usize, usize)>,
    /// The entries that leave, by list.
    entries: BTreeMap<(usize, usize), BTreeSet<usize>>,
}

impl<'a> Edits<'a> {
    const fn new(records: &'a Records) -> Self {
        Self { records, nulls: BTreeSet::new(), entries: BTreeMap::new() }
    }

    /// Notes every place of a record, and what names it.
    fn record(&mut self, record: &Record) {
        record.places.iter().for_each(|place| self.place(*place));
        let Some(id) = record.id.as_deref().filter(|_| record.kind.is_named()) else { return };
        for mention in &self.records.mentions {
            if mention.kind == record.kind && mention.id == id {
                self.place(mention.place);
            }
        }
    }

    fn place(&mut self, place: Place) {
        let Some(value) = self.records.value(&place) else { return };
        match value.parent().filter(|parent| parent.kind() == json::Kind::Array) {
            Some(list) => {
                let key = (place.document, list.number());
                self.entries.entry(key).or_default().insert(value.number());
            }
            None => {
                self.nulls.insert((place.document, place.value));
            }
        }
    }

    /// Writes the answer anew; `None` if a place cannot be found in what is written.
    fn carry_out(&self, words: &str) -> Option<JsonText> {
        let documents = &self.records.documents;
        let mut edits: Vec<Vec<Splice>> = vec![Vec::new(); documents.len()];
        for (document, value) in &self.nulls {
            let value = documents.get(*document)?.tree.value(*value)?;
            let is_structured = value.key().is_some_and(|key| key == "structuredContent");
            let new = if is_structured { "{}" } else { "null" };
            edits.get_mut(*document)?.push(Splice::new(value.range(), new));
        }
        for ((document, list), gone) in &self.entries {
            let list = documents.get(*document)?.tree.value(*list)?;
            edits.get_mut(*document)?.extend(without(list, gone));
        }
        edits.first_mut()?.push(said(documents.first()?.tree.root()?, words)?);
        // A text inside another has the higher number, so it is finished first.
        for number in (1..documents.len()).rev() {
            let document = documents.get(number)?;
            let own = Splice::apart(std::mem::take(edits.get_mut(number)?));
            if own.is_empty() {
                continue;
            }
            let (outer, string) = document.within?;
            let string = documents.get(outer)?.tree.value(string)?;
            edits.get_mut(outer)?.extend(string.carried(&own)?);
        }
        let own = Splice::apart(std::mem::take(edits.first_mut()?));
        let out = Splice::apply(&own, documents.first()?.tree.text())?;
        Some(JsonText::from_valid(out.into()))
    }
}

/// The edits that take entries out of a list, and lower the numbers that count it.
fn without(list: Value<'_>, gone: &BTreeSet<usize>) -> Vec<Splice> {
    let entries: Vec<(bool, Range<usize>)> =
        list.children().map(|entry| (gone.contains(&entry.number()), entry.range())).collect();
    let mut edits = Vec::new();
    let mut last_kept: Option<usize> = None;
    let mut first_gone: Option<usize> = None;
    for (is_gone, range) in &entries {
        if *is_gone {
            first_gone.get_or_insert(range.start);
            continue;
        }
        // Up to the entry that stays: with the comma behind what leaves.
        if let Some(start) = first_gone.take() {
            edits.push(Splice::new(start..range.start, ""));
        }
        last_kept = Some(range.end);
    }
    if let (Some(start), Some((_, last))) = (first_gone, entries.last()) {
        // At the end: with the comma before it.
        edits.push(Splice::new(last_kept.unwrap_or(start)..last.end, ""));
    }
    let left = entries.len() - gone.len();
    edits.extend(
        counts_of(list, entries.len()).map(|count| Splice::new(count.range(), left.to_string())),
    );
    edits
}

/// The numbers that say how long a list is.
fn counts_of(list: Value<'_>, length: usize) -> impl Iterator<Item = Value<'_>> {
    let is_found = list.key().is_some_and(|key| key == "highlights");
    let holder = list.parent().filter(|_| !is_found);
    // `{total_count, data: {articles: [..]}}`
    let outer = holder
        .filter(|holder| holder.key().is_some_and(|key| key == "data"))
        .and_then(Value::parent);
    let length = length.to_string();
    holder
        .into_iter()
        .chain(outer)
        .flat_map(|object| ["total_in_page", "total_count"].map(|key| object.get(key)))
        .flatten()
        .filter(move |count| count.bytes() == length.as_bytes())
}

/// The edit that adds words of ours to a result.
fn said(result: Value<'_>, words: &str) -> Option<Splice> {
    // A finished task holds the result of its call.
    let inner = result.get("result").filter(|_| result.get("taskId").is_some());
    let result = inner.unwrap_or(result);
    let words = json::quote(words);
    let words = words.as_str();
    let text = format!(r#"{{"type":"text","text":{words}}}"#);
    let list = |key: &str| result.get(key).filter(|list| list.kind() == json::Kind::Array);
    let (list, block) = if let Some(contents) = list("contents") {
        let uri = r#""uri":"portcullis://withheld","mimeType":"text/plain""#;
        (contents, format!(r#"{{{uri},"text":{words}}}"#))
    } else if let Some(messages) = list("messages") {
        (messages, format!(r#"{{"role":"user","content":{text}}}"#))
    } else if let Some(content) = list("content") {
        (content, text)
    } else {
        let end = result.range().end.checked_sub(1)?;
        let comma = if result.children().next().is_some() { "," } else { "" };
        return Some(Splice::new(end..end, format!(r#"{comma}"content":[{text}]"#)));
    };
    let end = list.range().end.checked_sub(1)?;
    let comma = if list.children().next().is_some() { "," } else { "" };
    Some(Splice::new(end..end, format!("{comma}{block}")))
}

impl Records {
    fn value(&self, place: &Place) -> Option<Value<'_>> {
        self.documents.get(place.document)?.tree.value(place.value)
    }

    /// Whether a place is an entry of a list.
    fn is_entry(&self, place: &Place) -> bool {
        let parent = self.value(place).and_then(Value::parent);
        parent.is_some_and(|parent| parent.kind() == json::Kind::Array)
    }
}
