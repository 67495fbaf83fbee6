//! The texts of an answer and places in them.
//!
//! The result is the first text. A string that holds JSON is another, and knows which string of
//! which text it is: what is cut out of it is cut out of that string, as it is written there.

use std::sync::Arc;

use crate::mcp::json::{self, Tree};

/// One text that was read: the result itself, or the decoded content of a string.
pub(super) struct Document {
    pub(super) tree: Arc<Tree>,
    /// The text and value that this is the content of.
    pub(super) within: Option<(usize, usize)>,
    /// Whether it is content of the answer itself, not of something in a record.
    pub(super) is_content: bool,
}

/// A value in one of the texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) document: usize,
    pub(super) value: usize,
    /// Whether facts of the record are missing at this place.
    pub(super) partial: bool,
}

impl Document {
    /// Whether a string may hold JSON, without decoding it.
    pub(super) fn may_hold_json(raw: &[u8]) -> bool {
        let mut rest = raw.get(1..).unwrap_or_default();
        loop {
            match rest {
                [b' ', tail @ ..] | [b'\\', b'n' | b'r' | b't', tail @ ..] => rest = tail,
                [b'{' | b'[', ..] | [b'\\', b'u', ..] => return true,
                _ => return false,
            }
        }
    }
}

/// The limits of texts inside an answer: those of the answer itself.
pub(super) fn limits() -> json::Limits {
    json::Limits { max_bytes: 16 * 1024 * 1024, ..json::Limits::default() }
}
