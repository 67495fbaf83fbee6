//! Strict JSON: one pass that refuses, slices that follow.
//!
//! Everything that two parsers could read in two ways is refused here (RFC 8259 plus I-JSON, RFC 7493:
//! duplicate keys at any depth, lone surrogates, invalid UTF-8, a byte order mark, numbers outside
//! what a machine holds). The reader builds no tree: it returns where the root's members lie, and
//! deeper levels are split on demand by a light skipper over text that was already accepted. It must
//! never be lenient, never recurse, and never copy a value that has not changed.

mod error;
mod keys;
mod object;
mod reader;
mod scan;
mod splice;
mod text;
mod tree;

#[cfg(test)]
mod tests;

use bytes::Bytes;

use crate::domain::JsonText;

pub use error::{JsonError, JsonFault};
pub use object::Object;
pub use splice::Splice;
pub use text::{as_bool, as_f64, as_i64, as_str, compact, elements, is_null, kind, may_say, quote};
pub use tree::{Tree, Value};

pub(crate) use text::push_quoted;

/// Bounds of one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest accepted document, in bytes.
    pub max_bytes: usize,
    /// Deepest accepted nesting; a document that is one flat array has depth 1.
    pub max_depth: usize,
    /// Whether a string may hold an escaped NUL. JSON allows it; what reads the string behind us may
    /// take it for the end, and then reads another name than the one that was judged.
    pub nul: bool,
}

impl Default for Limits {
    /// 4 MiB and 64 levels, and all that JSON allows.
    fn default() -> Self {
        Self { max_bytes: 4 * 1024 * 1024, max_depth: 64, nul: true }
    }
}

/// The six kinds of JSON value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool,
    /// A number.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

/// One document that the strict reader accepted.
#[derive(Debug, Clone)]
pub struct Document {
    text: Bytes,
    kind: Kind,
    object: Option<Object>,
}

/// Reads one document strictly, in one pass.
///
/// # Errors
/// The first fault and its byte offset; the text of the error never repeats the document.
pub fn read(bytes: Bytes, limits: &Limits) -> Result<Document, JsonError> {
    let outline = reader::outline(&bytes, limits)?;
    let object = (outline.kind == Kind::Object)
        .then(|| Object::of_spans(&bytes, outline.value.clone(), &outline.members));
    Ok(Document { text: bytes.slice(outline.value), kind: outline.kind, object })
}

impl Document {
    /// The value's text, without the whitespace around it.
    #[must_use]
    pub fn text(&self) -> JsonText {
        JsonText::from_valid(self.text.clone())
    }

    /// What the value is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The members, if the value is an object.
    #[must_use]
    pub fn object(&self) -> Option<Object> {
        self.object.clone()
    }

    /// The members without a copy of their list, if the value is an object.
    #[must_use]
    pub fn into_object(self) -> Option<Object> {
        self.object
    }

    /// The elements, if the value is an array.
    #[must_use]
    pub fn elements(&self) -> Option<Vec<Self>> {
        let of = |text: JsonText| {
            let (kind, object) = (kind(&text), Object::parse(&text));
            Self { text: text.bytes().clone(), kind, object }
        };
        (self.kind == Kind::Array)
            .then(|| elements(&self.text()))?
            .map(|list| list.into_iter().map(of).collect())
    }
}
