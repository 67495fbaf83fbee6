//! YAML text to a small tree that remembers where every key and value stood.
//!
//! A leaf, off the road: configuration and policy data are read with it. Only the part of YAML 1.2
//! that reads the same to everybody is accepted: one document, unique keys that are text, no
//! anchors, aliases, merge keys or tags, bounded size and depth. It must never guess: what two
//! YAML readers may understand differently is a [`Fault`].
//!
//! The choice that keeps it simple: faults that leave the structure clear are collected beside the
//! tree instead of ending the reading, so that a caller can report them with its own problems.

mod json;
mod read;
mod scalar;

pub use read::{Limits, Reading, read};
pub use scalar::{Resolved, Scalar};

/// A place in a text, both counted from 1 (columns in characters).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Position {
    /// The first character of a text.
    pub const START: Self = Self { line: 1, column: 1 };
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Something in the text that is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {text}")]
pub struct Fault {
    /// Where.
    pub at: Position,
    /// What is wrong, and what to do. Shows keys, never values.
    pub text: String,
}

/// A value and where it began.
#[derive(Clone, PartialEq, Eq)]
pub struct Node {
    /// Where it began.
    pub at: Position,
    /// What it is.
    pub value: Value,
}

/// What a node is.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// Text, number, boolean or null.
    Scalar(Scalar),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping; keys are unique and in the order of the text.
    Map(Vec<Entry>),
}

/// One key of a mapping and its value.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key began.
    pub key_at: Position,
    /// The value.
    pub node: Node,
}

impl Node {
    /// Its kind in plain words, for messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::Scalar(scalar) => scalar.resolve().kind(),
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }

    /// Whether it is null or an empty value (`key:` with nothing behind it).
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar(scalar) if scalar.resolve() == Resolved::Null)
    }
}

impl std::fmt::Debug for Node {
    /// Shows place and kind only: values may be secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Node({}, {})", self.at, self.kind())
    }
}

#[cfg(test)]
mod tests;
