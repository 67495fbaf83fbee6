//! What Intercom says it offers, when a session begins or when it is asked.

use crate::mcp::json::Object;

/// What Intercom says it offers.
#[derive(Debug, Clone, Default)]
pub struct Offer {
    /// Its capabilities.
    pub capabilities: Object,
    /// Its instructions to models, unjudged.
    pub instructions: Option<String>,
}

impl Offer {
    /// What an answer offers, copied: a part of an answer keeps the whole of it, here for as long as a session.
    pub(super) fn of(result: &Object) -> Self {
        Self {
            capabilities: result.object("capabilities").unwrap_or_default().detached(),
            instructions: result.str("instructions").map(std::borrow::Cow::into_owned),
        }
    }
}
