//! What an answer of Intercom shows: its records, where they stand, and what rules may ask of them.
//!
//! Conversations, contacts, companies, articles, notes and messages are found wherever the protocol
//! can put them: as JSON in a text block, as `structuredContent`, in a resource, in the result of a
//! task, and as JSON inside a string of such JSON. `search` and `fetch` give prose: there a record
//! has its id and little else, which [`Record::partial`] says. One record may stand in several places
//! (a text and its structured twin); it is one record with one reference, and leaves from all of
//! them.
//!
//! A shape that is not known here is not guessed at: [`Records::flaw`] says why the answer was not
//! understood, and rules that look at records then refuse the answer. Each text is read strictly, in
//! one pass; nothing of it is copied but the facts.

mod content;
mod envelope;
mod facts;
mod outline;
mod place;
mod walk;
mod withhold;

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use crate::domain::JsonText;
use crate::mcp::json::Tree;

pub use content::{Content, Shape};
pub use facts::{Author, Facts};
pub use withhold::{Edited, Gone, NoSuchRecord, Order, Withheld, withhold};

use place::{Document, Place};

/// The most records that an answer may have; a larger one is not understood.
pub const MAX_RECORDS: usize = 5_000;

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A customer: user or lead.
    Contact,
    /// A company.
    Company,
    /// A conversation.
    Conversation,
    /// A Help Center article.
    Article,
    /// A note of teammates for teammates: in a conversation, on a company or a contact.
    Note,
    /// A message or an event in a conversation.
    Part,
    /// A teammate.
    Admin,
    /// Something else that stands where records stand.
    Other,
}

impl Kind {
    /// The word in `input.answer.records[].type`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Company => "company",
            Self::Conversation => "conversation",
            Self::Article => "article",
            Self::Note => "note",
            Self::Part => "part",
            Self::Admin => "admin",
            Self::Other => "other",
        }
    }

    /// Whether its ids name one thing in the whole workspace, and are counted as seen.
    const fn is_named(self) -> bool {
        matches!(self, Self::Contact | Self::Company | Self::Conversation | Self::Article)
    }
}

/// One record of an answer.
#[derive(Debug, Clone)]
pub struct Record {
    /// What it is.
    pub kind: Kind,
    /// Its id in its one form, if it has one.
    pub id: Option<String>,
    /// Its name within the answer, by which rules withhold it: `conversation:215470000000101`, or
    /// `conversation:215470000000101/note:3`.
    pub reference: String,
    /// The record that it stands in, by its number.
    pub parent: Option<usize>,
    /// Whether it is one of the things that were asked for, not a part of one.
    pub row: bool,
    /// Facts that a record of this kind has are not in the answer, so that a rule on them cannot
    /// tell: prose, a stub, a list that was cut short.
    pub partial: bool,
    /// Bytes of text in it, without those of records inside it.
    pub text_bytes: usize,
    /// Where it stands first, in the text that holds it.
    pub bytes: Range<usize>,
    /// What rules may ask of it.
    pub facts: Facts,
    /// Every place where it stands.
    places: Vec<Place>,
}

/// A mention of something by its id, with the smallest piece that names it.
#[derive(Debug, Clone)]
struct Mention {
    kind: Kind,
    id: String,
    place: Place,
    /// The record that it stands in.
    within: Option<usize>,
}

/// Everything that was found in an answer.
#[derive(Default)]
pub struct Records {
    /// In the order of the answer.
    pub records: Vec<Record>,
    /// Whether all of the answer has a shape that is known.
    pub understood: bool,
    flaw: Option<&'static str>,
    mentions: Vec<Mention>,
    documents: Vec<Document>,
    by_reference: HashMap<String, usize>,
}

/// How many of each there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Different contacts, those mentioned included.
    pub contacts: usize,
    /// Different companies, those mentioned included.
    pub companies: usize,
    /// Different conversations, those mentioned included.
    pub conversations: usize,
    /// Different articles, those mentioned included.
    pub articles: usize,
    /// Internal notes.
    pub notes: usize,
    /// Messages and events.
    pub parts: usize,
    /// Things that were asked for: the entries of a list, or the one object.
    pub rows: usize,
    /// Bytes of text in records.
    pub text_bytes: usize,
}

/// Finds the records of a result. `tool` is the name of the tool that was called, empty for other
/// methods. `None` if the result is not an object, so that there is nothing to find in it.
#[must_use]
pub fn read(tool: &str, result: &JsonText) -> Option<Records> {
    walk::read(tool, result)
}

impl Records {
    /// Why the answer was not understood; `None` if it was.
    #[must_use]
    pub const fn flaw(&self) -> Option<&'static str> {
        self.flaw
    }

    /// The record of a reference, and its number.
    #[must_use]
    pub fn find(&self, reference: &str) -> Option<(usize, &Record)> {
        let number = *self.by_reference.get(reference)?;
        Some((number, self.records.get(number)?))
    }

    /// Every contact, company, conversation and article that the answer shows, each once: records,
    /// and what records refer to by id.
    pub fn seen(&self) -> impl Iterator<Item = (Kind, &str)> + use<'_> {
        self.seen_without(&Gone::default())
    }

    /// What of that is shown if these records are withheld.
    pub fn seen_without<'a>(
        &'a self,
        gone: &Gone,
    ) -> impl Iterator<Item = (Kind, &'a str)> + use<'a> {
        let records = gone
            .others(&self.records)
            .filter_map(|record| Some((record.kind, record.id.as_deref()?)))
            .filter(|(kind, _)| kind.is_named());
        let stays = |mention: &&Mention| {
            mention.within.is_none_or(|record| !gone.has(record)) && !self.names_gone(mention, gone)
        };
        let mentions = self.mentions.iter().filter(stays);
        let mentions = mentions.map(|mention| (mention.kind, mention.id.as_str()));
        records.chain(mentions).collect::<BTreeSet<_>>().into_iter()
    }

    /// Whether a mention names a record that is withheld.
    fn names_gone(&self, mention: &Mention, gone: &Gone) -> bool {
        !gone.is_empty()
            && self
                .find(&format!("{}:{}", mention.kind.as_str(), mention.id))
                .is_some_and(|(number, _)| gone.has(number))
    }

    /// How many of each kind the answer shows.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts_without(&Gone::default())
    }

    /// How many of each kind are shown if these records are withheld.
    #[must_use]
    pub fn counts_without(&self, gone: &Gone) -> Counts {
        let mut counts = Counts::default();
        for (kind, _) in self.seen_without(gone) {
            match kind {
                Kind::Contact => counts.contacts += 1,
                Kind::Company => counts.companies += 1,
                Kind::Conversation => counts.conversations += 1,
                Kind::Article => counts.articles += 1,
                Kind::Note | Kind::Part | Kind::Admin | Kind::Other => {}
            }
        }
        for record in gone.others(&self.records) {
            counts.text_bytes += record.text_bytes;
            counts.notes += usize::from(record.kind == Kind::Note);
            counts.parts += usize::from(record.kind == Kind::Part);
            counts.rows += usize::from(record.row);
        }
        counts
    }

    /// The JSON that the text blocks of the answer hold, in order.
    pub fn contents(&self) -> impl Iterator<Item = JsonText> {
        let contents = self.documents.iter().filter(|document| document.is_content);
        contents.filter_map(|document| document.tree.root()).map(|root| root.json())
    }

    /// Every text that was read, the answer itself first, and the string of which text each is packed
    /// in.
    pub fn texts(&self) -> impl Iterator<Item = (&Arc<Tree>, Option<(usize, usize)>)> {
        self.documents.iter().map(|document| (&document.tree, document.within))
    }

    /// Where records begin: number of the text, number of the value in it, the record's reference.
    pub fn standing(&self) -> impl Iterator<Item = (usize, usize, &str)> {
        self.records.iter().flat_map(|record| {
            let places = record.places.iter();
            places.map(|place| (place.document, place.value, record.reference.as_str()))
        })
    }

    fn flawed(&mut self, why: &'static str) {
        self.understood = false;
        self.flaw.get_or_insert(why);
    }
}

impl std::fmt::Debug for Records {
    /// Shows no content: debug output ends in logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Records({}, flaw: {:?})", self.records.len(), self.flaw)
    }
}
