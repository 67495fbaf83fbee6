//! Request ids: a string or an integer, compared by value.

use std::sync::Arc;

use crate::domain::JsonText;
use crate::mcp::json::{self, Kind};

/// Longest accepted string id, in bytes: an id is kept as long as its request is open.
const MAX_STRING: usize = 1024;

/// A request id. `1`, `1.0` and `1e0` are the same id; `1` and `"1"` are two.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RequestId {
    /// An integer.
    Number(i64),
    /// A string.
    String(Arc<str>),
}

impl RequestId {
    /// Reads an id or a progress token (same rules). `None` for everything else: null, booleans,
    /// fractions, objects, integers beyond 64 bits, strings over 1024 bytes.
    #[must_use]
    pub fn read(text: &JsonText) -> Option<Self> {
        match json::kind(text) {
            Kind::Number => json::as_i64(text).map(Self::Number),
            Kind::String => {
                let string = json::as_str(text)?;
                (string.len() <= MAX_STRING).then(|| Self::String(string.as_ref().into()))
            }
            _ => None,
        }
    }

    /// The id as JSON.
    #[must_use]
    pub fn to_text(&self) -> JsonText {
        match self {
            Self::Number(number) => JsonText::of(number),
            Self::String(string) => json::quote(string),
        }
    }

    /// Appends the id as JSON.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Number(number) => out.extend_from_slice(number.to_string().as_bytes()),
            Self::String(string) => json::push_quoted(out, string),
        }
    }
}

impl From<i64> for RequestId {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for RequestId {
    fn from(string: &str) -> Self {
        Self::String(string.into())
    }
}
