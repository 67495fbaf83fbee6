//! Leaves and spans: the texts of a payload, and what a judge saw in them.
//!
//! A payload is taken apart into its texts once; judges are given these and answer with spans of
//! them, policy reads what kinds there are, and redaction edits exactly the spans. The words are those
//! of the plugins' contract, `plugins/wit/plugin.wit`.

use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Digest;

/// What judges look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// The arguments of a call.
    Call,
    /// What Intercom sent.
    Answer,
    /// The definition of a tool.
    Definition,
}

impl Phase {
    /// Every phase.
    pub const ALL: [Self; 3] = [Self::Call, Self::Answer, Self::Definition];

    /// The word in configuration and records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Answer => "answer",
            Self::Definition => "definition",
        }
    }
}

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// Words.
    Text,
    /// Words with HTML tags and entities in them.
    Html,
    /// The name of a member.
    Key,
    /// A number, as it is spelled.
    Number,
}

/// Whose words or whose value something is.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Party {
    /// Not known.
    #[default]
    Unknown,
    /// A customer.
    Customer,
    /// A person who works with Intercom.
    Teammate,
    /// A program.
    Bot,
}

impl Party {
    /// Every party.
    pub const ALL: [Self; 4] = [Self::Unknown, Self::Customer, Self::Teammate, Self::Bot];

    /// The word in Rego.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Customer => "customer",
            Self::Teammate => "teammate",
            Self::Bot => "bot",
        }
    }
}

/// One text of a payload.
#[derive(Clone, PartialEq, Eq)]
pub struct Leaf {
    /// Which JSON text it stands in; 0 is the message itself.
    pub document: usize,
    /// A JSON Pointer (RFC 6901) from the root of what the tool gave; begins with `$` outside of it.
    pub path: String,
    /// The text, decoded from JSON.
    pub text: String,
    /// How it is written.
    pub form: Form,
    /// The record that it stands in, as in `input.answer.records`.
    pub owner: Option<String>,
    /// Whose words it is.
    pub party: Party,
}

impl std::fmt::Debug for Leaf {
    /// Shows no text: debug output ends in logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Leaf({}, {} bytes)", self.path, self.text.len())
    }
}

/// A value that is known from elsewhere: from an earlier answer to the same principal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Known {
    /// Such as `person`, `email`, `phone`.
    pub kind: String,
    /// The value in its plain form.
    pub value: String,
    /// Whose it is, as `contact:66aa...`.
    pub subject: Option<String>,
}

impl std::fmt::Debug for Known {
    /// Shows no value: debug output ends in logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Known({}, {} bytes)", self.kind, self.value.len())
    }
}

/// Values that are known from elsewhere, in an order that does not depend on when they were seen, so
/// that the same values are the same dictionary. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Dictionary {
    entries: Arc<[Known]>,
    digest: Digest,
}

impl Dictionary {
    /// Of these values.
    #[must_use]
    pub fn of(mut entries: Vec<Known>) -> Self {
        entries.sort_unstable();
        entries.dedup();
        let mut parts: Vec<&[u8]> = Vec::with_capacity(3 * entries.len());
        for one in &entries {
            // A subject is never empty.
            let subject = one.subject.as_deref().unwrap_or_default();
            parts.extend([one.kind.as_bytes(), one.value.as_bytes(), subject.as_bytes()]);
        }
        let digest = Digest::of("portcullis/dictionary/v1", &parts);
        Self { entries: entries.into(), digest }
    }

    /// Its values.
    #[must_use]
    pub fn entries(&self) -> &[Known] {
        &self.entries
    }

    /// A digest over all of it.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }
}

impl Default for Dictionary {
    fn default() -> Self {
        Self::of(Vec::new())
    }
}

/// Something that a judge saw in a leaf.
#[derive(Clone, PartialEq, Eq)]
pub struct Span {
    /// The leaf's number.
    pub leaf: usize,
    /// The bytes of the leaf's text; the host has checked that they lie in it and between characters.
    pub bytes: Range<usize>,
    /// What it is: `email`, `person`, or a kind of a plugin's own.
    pub kind: String,
    /// From 0 to 100.
    pub confidence: u8,
    /// Why, without anything of the text.
    pub reason: String,
    /// The value in its plain form, if the span spells it in another way or is a part of it.
    pub value: Option<String>,
    /// Whose it is: a record's reference, or a word that the judge uses for one person.
    pub subject: Option<String>,
    /// Which part of the value the span is; `None` for the whole.
    pub part: Option<String>,
    /// Whose value it is.
    pub party: Party,
    /// The plugin that saw it, by its configured name.
    pub plugin: Arc<str>,
}

impl std::fmt::Debug for Span {
    /// Shows no value: debug output ends in logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Span({} in leaf {} at {:?})", self.kind, self.leaf, self.bytes)
    }
}
