//! What the gate tells the policy beside the call: plain values, named as in `input`.

use std::sync::Arc;

use crate::domain::{Approver, ApproverId, Call, Effect, HoldId, Release, Timestamp, TrailView};
use crate::intercom::records::Content;

/// What is true for every question at this moment. Comes from outside, so that a decision can be
/// repeated from its record.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The time that rules see.
    pub now: Timestamp,
    /// The name of this installation from configuration, such as `production`.
    pub environment: Arc<str>,
    /// What the principal lately did and saw, with what is being asked about. Must be there if
    /// [`super::Ruleset::looks_at_trail`] says so, for no trail is no budget.
    pub trail: TrailView,
}

/// One tool of a list that goes to a principal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolFacts {
    /// Its name at Intercom.
    pub name: String,
    /// By our catalogue.
    pub effect: Effect,
    /// Whether its definition is pinned as it now stands upstream.
    pub pinned: bool,
}

/// What kind of text is about to reach the principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AnswerKind {
    /// A result that is not a tool's error nor a list.
    Result,
    /// A tool's result with `isError`.
    ToolError,
    /// A JSON-RPC error.
    Error,
    /// A list of tools, prompts, resources or templates.
    List,
    /// A notification of the server (progress, logging, changes).
    Notification,
    /// A request of the server to the client (sampling, elicitation, roots).
    ServerRequest,
    /// A result that asks the client for input before it goes on (modern era).
    InputRequired,
    /// Free text of the server outside any answer (instructions, server description).
    Text,
}

impl AnswerKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Result,
        Self::ToolError,
        Self::Error,
        Self::List,
        Self::Notification,
        Self::ServerRequest,
        Self::InputRequired,
        Self::Text,
    ];

    /// The word in `input.answer.kind`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Result => "result",
            Self::ToolError => "tool_error",
            Self::Error => "error",
            Self::List => "list",
            Self::Notification => "notification",
            Self::ServerRequest => "server_request",
            Self::InputRequired => "input_required",
            Self::Text => "text",
        }
    }
}

/// What is known of an answer.
#[derive(Debug, Clone)]
pub struct AnswerFacts {
    /// What it is.
    pub kind: AnswerKind,
    /// The method of a notification or of a request of the server.
    pub method: Option<String>,
    /// How many bytes it has.
    pub bytes: u64,
    /// What it holds; read only if a rule looks at it.
    pub content: Content,
}

/// A person who wants to release a hold, and the hold.
#[derive(Debug, Clone, Copy)]
pub struct ApproveFacts<'a> {
    /// Who wants to release it.
    pub approver: &'a Approver,
    /// The hold.
    pub hold: &'a HoldFacts,
    /// The held call, opened again.
    pub call: &'a Call,
}

/// What is known of a hold beside its call.
#[derive(Debug, Clone)]
pub struct HoldFacts {
    /// Its identifier.
    pub id: HoldId,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
    /// Under which conditions people may release it.
    pub release: Release,
    /// Who has already released it, while more people are needed.
    pub approvals: Vec<ApproverId>,
}
