//! The records of the contract, `plugins/wit/plugin.wit`, as plain values.
//!
//! They have the same names and the same fields in the same order, so that the component's side only
//! moves them over.

use std::ops::Range;

/// What is looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Phase {
    /// The arguments of a call that an agent makes.
    Call,
    /// What Intercom sent.
    #[default]
    Answer,
    /// The definition of a tool.
    Definition,
}

/// How a text is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Form {
    /// Words.
    #[default]
    Text,
    /// Words with HTML tags and entities in them.
    Html,
    /// The name of a member of an object.
    Key,
    /// A number, as it is spelled in the JSON text.
    Number,
}

/// Whose words or whose value something is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party {
    /// Not known.
    #[default]
    Unknown,
    /// A customer: user, lead, contact.
    Customer,
    /// A person who works with Intercom: admin, teammate.
    Teammate,
    /// A program.
    Bot,
}

/// One text of the document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Leaf {
    /// Which JSON text it stands in; 0 is the message itself.
    pub document: u32,
    /// A JSON Pointer from the root of what the tool gave; begins with `$` outside of it.
    pub path: String,
    /// The text, decoded from JSON.
    pub text: String,
    /// How it is written.
    pub form: Form,
    /// The record that it stands in, as `contact:66aa...`.
    pub owner: Option<String>,
    /// Whose words it is.
    pub party: Party,
}

/// A value that is known from elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// One of [`crate::kinds`].
    pub kind: String,
    /// The value in its plain form.
    pub value: String,
    /// Whose it is, as `contact:66aa...`.
    pub subject: Option<String>,
}

/// What a plugin looks at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    /// What it is.
    pub phase: Phase,
    /// The tool that is called, whose answer it is, or that is defined; may be empty.
    pub tool: String,
    /// The texts, in the order of the document.
    pub leaves: Vec<Leaf>,
    /// What is known from earlier answers to the same principal.
    pub dictionary: Vec<Entry>,
}

/// Something that was seen in a leaf.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Finding {
    /// The number of the leaf.
    pub leaf: u32,
    /// The first byte of the leaf's text.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
    /// One of [`crate::kinds`].
    pub kind: &'static str,
    /// From 0 to 100.
    pub confidence: u8,
    /// Why, without anything of the text.
    pub reason: &'static str,
    /// The value in its plain form, if the span spells it in another way or is a part of it.
    pub value: Option<String>,
    /// Whose it is.
    pub subject: Option<String>,
    /// Which part of the value the span is.
    pub part: Option<&'static str>,
    /// Whose value it is.
    pub party: Party,
}

impl Finding {
    /// A finding of a kind at some bytes of a leaf; offsets beyond 4 GiB do not occur in leaves.
    #[must_use]
    pub fn new(leaf: usize, bytes: &Range<usize>, kind: &'static str, confidence: u8) -> Self {
        let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self {
            leaf: small(leaf),
            start: small(bytes.start),
            end: small(bytes.end),
            kind,
            confidence,
            ..Self::default()
        }
    }

    /// The bytes of the leaf's text.
    #[must_use]
    pub const fn bytes(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// What should happen to the whole, in the plugin's opinion; it can only make a verdict stricter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opinion {
    /// A person should look.
    Hold(String),
    /// It should not pass.
    Deny(String),
}

/// What a plugin saw.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Spans.
    pub findings: Vec<Finding>,
    /// What the document as a whole is.
    pub labels: Vec<String>,
    /// What should happen to it.
    pub opinion: Option<Opinion>,
}

/// What a plugin is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Lower case letters, digits and `-`.
    pub name: &'static str,
    /// Semver.
    pub version: &'static str,
    /// One line for people.
    pub summary: &'static str,
    /// Every kind that it can find.
    pub kinds: &'static [&'static str],
    /// Every label that it can give.
    pub labels: &'static [&'static str],
    /// When it wants to be asked.
    pub phases: &'static [Phase],
    /// For which tools; empty for all.
    pub tools: &'static [&'static str],
    /// JSON Schema of its configuration; empty if it takes none.
    pub config_schema: &'static str,
}
