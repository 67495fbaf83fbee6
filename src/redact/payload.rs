//! A message of Intercom or of an agent, taken apart into its texts.
//!
//! One pass over each text, the message itself and every JSON text that is packed in a string of it.
//! A leaf knows where it stands, so that an edit goes to the bytes that write it. Where the answer
//! has been read for its records already, those trees are used, and leaves know their record.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::html;
use super::walk::Walk;
use crate::domain::{Form, JsonText, Leaf, Party};
use crate::intercom::records::Records;
use crate::mcp::json::{self, Kind, Limits, Tree, Value};

/// A message, and its texts in order.
pub struct Payload {
    pub(super) leaves: Arc<[Leaf]>,
    parts: Parts,
}

/// A message while it is taken apart, and how to put it together again.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) leaves: Vec<Leaf>,
    /// Where each leaf stands.
    pub(super) spots: Vec<Spot>,
    /// Where some stand once more: in the structured twin of a text.
    pub(super) twins: Vec<(usize, Spot)>,
    pub(super) documents: Vec<Document>,
}

/// A value of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) document: usize,
    pub(super) value: usize,
}

/// One text that leaves stand in.
pub(super) struct Document {
    pub(super) text: Text,
    /// The string that it is packed in, and how; `None` for the message.
    pub(super) within: Option<(Spot, Packing)>,
}

pub(super) enum Text {
    Json(Arc<Tree>),
    /// A text that is no JSON; it is one leaf.
    Words(String),
}

/// How a text is packed in a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    /// As the string's text.
    Plain,
    /// In base64.
    Base64,
}

/// A message that is not what it must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no JSON that can be looked into")]
pub struct Unreadable;

impl Payload {
    /// The texts of a result, or of an error in the form of one. `records` are those of the same
    /// text.
    ///
    /// # Errors
    /// If it is no JSON.
    pub fn of_result(text: &JsonText, records: Option<&Records>) -> Result<Self, Unreadable> {
        let mut walk = Walk::new(records);
        let tree = walk.message(text)?;
        let root = tree.root().ok_or(Unreadable)?;
        if root.kind() == Kind::Object {
            walk.result(root, "$")
        } else {
            walk.values(0, root, "$")
        }
        Ok(walk.found.whole())
    }

    /// The texts of a notification's or a request's parameters.
    ///
    /// # Errors
    /// If they are no JSON.
    pub fn of_message(params: &JsonText) -> Result<Self, Unreadable> {
        let mut walk = Walk::new(None);
        let tree = walk.message(params)?;
        walk.values(0, tree.root().ok_or(Unreadable)?, "$");
        Ok(walk.found.whole())
    }

    /// The texts of a call's arguments, or of the definition of a tool.
    ///
    /// # Errors
    /// If they are no JSON.
    pub fn of_arguments(arguments: &JsonText) -> Result<Self, Unreadable> {
        let mut walk = Walk::new(None);
        let tree = walk.message(arguments)?;
        walk.values(0, tree.root().ok_or(Unreadable)?, "");
        Ok(walk.found.whole())
    }

    /// Its texts, in the order of the message. A text that stands twice, as text and as structured
    /// content, is one.
    #[must_use]
    pub const fn leaves(&self) -> &Arc<[Leaf]> {
        &self.leaves
    }

    /// The message itself, as it came.
    #[must_use]
    pub fn text(&self) -> JsonText {
        match self.parts.documents.first().map(|first| &first.text) {
            Some(Text::Json(tree)) => JsonText::from_valid(tree.text().clone()),
            Some(Text::Words(_)) | None => JsonText::null(),
        }
    }

    /// Every place where a leaf stands.
    pub(super) fn spots_of(&self, leaf: usize) -> impl Iterator<Item = Spot> {
        let first = self.parts.twins.partition_point(|(own, _)| *own < leaf);
        let twins = self.parts.twins.get(first..).unwrap_or_default().iter();
        let twins = twins.take_while(move |(own, _)| *own == leaf).map(|(_, spot)| *spot);
        self.parts.spots.get(leaf).copied().into_iter().chain(twins)
    }

    pub(super) fn value(&self, spot: Spot) -> Option<Value<'_>> {
        match &self.documents().get(spot.document)?.text {
            Text::Json(tree) => tree.value(spot.value),
            Text::Words(_) => None,
        }
    }

    /// How many leaves stand twice.
    #[cfg(test)]
    pub(super) fn twins(&self) -> usize {
        self.parts.twins.len()
    }

    pub(super) fn documents(&self) -> &[Document] {
        &self.parts.documents
    }
}

impl Parts {
    fn whole(mut self) -> Payload {
        let leaves = std::mem::take(&mut self.leaves).into();
        Payload { leaves, parts: self }
    }

    pub(super) fn put(&mut self, document: Document) -> usize {
        self.documents.push(document);
        self.documents.len() - 1
    }

    pub(super) fn leaf(&mut self, spot: Spot, leaf: Leaf) {
        self.spots.push(spot);
        self.leaves.push(leaf);
    }

    /// Leaves of two readings of one thing become one, if they are the same throughout.
    pub(super) fn join_twins(&mut self, first: &Range<usize>, second: &Range<usize>) {
        let (Some(one), Some(other)) =
            (self.leaves.get(first.clone()), self.leaves.get(second.clone()))
        else {
            return;
        };
        let same = |(one, other): (&Leaf, &Leaf)| {
            one.text == other.text && one.path == other.path && one.form == other.form
        };
        let at_end = second.end == self.leaves.len();
        if !at_end || one.len() != other.len() || !one.iter().zip(other).all(same) {
            return;
        }
        let moved = self.spots.get(second.clone()).unwrap_or_default();
        self.twins.extend(first.clone().zip(moved.iter().copied()));
        self.leaves.truncate(second.start);
        self.spots.truncate(second.start);
        self.twins.sort_by_key(|(leaf, _)| *leaf);
    }
}

impl std::fmt::Debug for Payload {
    /// Shows no content: debug output ends in logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Payload({} leaves, {} texts)", self.leaves.len(), self.documents().len())
    }
}

/// The limits of texts inside a message: those of the message itself.
pub(super) fn limits() -> Limits {
    Limits { max_bytes: 16 * 1024 * 1024, ..Limits::default() }
}

/// The JSON that a string may hold, read; only objects and lists are worth it.
pub(super) fn packed(value: Value<'_>) -> Option<Arc<Tree>> {
    if !may_hold_json(value.bytes()) {
        return None;
    }
    Some(Arc::new(Tree::read(value.text()?.into_owned().into(), &limits()).ok()?))
}

/// Whether a string may hold an object or a list, without decoding it.
fn may_hold_json(raw: &[u8]) -> bool {
    let mut rest = raw.get(1..).unwrap_or_default();
    loop {
        match rest {
            [b' ', tail @ ..] | [b'\\', b'n' | b'r' | b't', tail @ ..] => rest = tail,
            // An object has a key or ends, a list could be words in brackets: both are tried.
            [b'{' | b'[', ..] | [b'\\', b'u', ..] => return true,
            _ => return false,
        }
    }
}

/// The text that a string holds in base64, if it is text.
pub(super) fn unpacked(value: Value<'_>) -> Option<String> {
    let text = value.text()?;
    // Pictures and the like are told from text by their first bytes.
    let head = text.get(..text.len().min(64) / 4 * 4)?;
    let head = STANDARD.decode(head).ok()?;
    let is_text = |bytes: &[u8]| match std::str::from_utf8(bytes) {
        Ok(_) => true,
        // Cut within a character.
        Err(error) => error.error_len().is_none(),
    };
    if !is_text(&head) || head.contains(&0) {
        return None;
    }
    String::from_utf8(STANDARD.decode(text.as_bytes()).ok()?).ok()
}

/// How a text is written.
pub(super) fn form_of(text: &str) -> Form {
    if html::is_html(text) { Form::Html } else { Form::Text }
}

/// Appends a step of a JSON Pointer.
pub(super) fn step(path: &mut String, key: &str) {
    path.push('/');
    if key.bytes().any(|byte| matches!(byte, b'~' | b'/')) {
        path.push_str(&key.replace('~', "~0").replace('/', "~1"));
    } else {
        path.push_str(key);
    }
}

/// Whose words or values stand in an object, by its own `type`.
pub(super) fn party_of(word: &str) -> Option<Party> {
    match word {
        "contact" | "user" | "lead" | "visitor" | "company" => Some(Party::Customer),
        "admin" | "teammate" | "team" | "article" | "internal_article" => Some(Party::Teammate),
        "bot" => Some(Party::Bot),
        _ => None,
    }
}

/// The key of a member as text.
pub(super) fn key_of<'a>(value: Value<'a>) -> Cow<'a, str> {
    value.key().unwrap_or_default()
}

/// Whether a value is the string of a kind of `type`; the word.
pub(super) fn type_of(object: Value<'_>) -> Option<Cow<'_, str>> {
    object.get("type").filter(|word| word.kind() == json::Kind::String).and_then(Value::text)
}
