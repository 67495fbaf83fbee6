//! What the gate tells the policy beside the call: plain values, named as in `input`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::{
    Action, Approver, ApproverId, Call, Effect, HoldId, Leaf, Party, Release, Span, Timestamp,
    TrailView,
};
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
    /// What plugins saw in the call or the answer. Must be there if
    /// [`super::Ruleset::looks_at_findings`] says so.
    pub seen: Arc<Seen>,
}

/// What plugins saw, without what it says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// Each kind, for each party and plugin.
    pub findings: Vec<Found>,
    /// What they say of the whole.
    pub labels: Vec<String>,
}

/// What a plugin saw of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// Such as `email`.
    pub kind: String,
    /// Whose values.
    #[serde(default)]
    pub party: Party,
    /// The surest of them, from 0 to 100.
    #[serde(default = "sure")]
    pub confidence: u8,
    /// How many.
    #[serde(default = "once")]
    pub count: u64,
    /// The plugin's configured name.
    #[serde(default)]
    pub plugin: String,
    /// Where, as JSON Pointers; the first fifty.
    #[serde(default)]
    pub paths: Vec<String>,
}

/// The most places that are told of one kind.
const MOST_PATHS: usize = 50;

const fn sure() -> u8 {
    100
}

const fn once() -> u64 {
    1
}

impl Seen {
    /// What these spans of these texts, and these labels, come to.
    #[must_use]
    pub fn of(leaves: &[Leaf], spans: &[Span], labels: impl IntoIterator<Item = String>) -> Self {
        let mut findings: Vec<Found> = Vec::new();
        for span in spans {
            let same = |found: &&mut Found| {
                found.kind == span.kind
                    && found.party == span.party
                    && *found.plugin == *span.plugin
            };
            let path = leaves.get(span.leaf).map(|leaf| leaf.path.as_str()).unwrap_or_default();
            if let Some(found) = findings.iter_mut().find(same) {
                found.confidence = found.confidence.max(span.confidence);
                found.count += 1;
                if found.paths.len() < MOST_PATHS && found.paths.iter().all(|own| own != path) {
                    found.paths.push(path.to_owned());
                }
                continue;
            }
            findings.push(Found {
                kind: span.kind.clone(),
                party: span.party,
                confidence: span.confidence,
                count: 1,
                plugin: span.plugin.to_string(),
                paths: vec![path.to_owned()],
            });
        }
        Self { findings, labels: labels.into_iter().collect() }
    }

    /// With what was seen in something that belongs to it.
    pub fn join(&mut self, other: Self) {
        for one in other.findings {
            let same = |found: &&mut Found| {
                found.kind == one.kind && found.party == one.party && found.plugin == one.plugin
            };
            match self.findings.iter_mut().find(same) {
                Some(found) => {
                    found.confidence = found.confidence.max(one.confidence);
                    found.count += one.count;
                    let more = one.paths.into_iter();
                    found.paths.extend(more.take(MOST_PATHS.saturating_sub(found.paths.len())));
                }
                None => self.findings.push(one),
            }
        }
        self.labels.extend(other.labels);
        self.labels.sort();
        self.labels.dedup();
    }
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
    /// The labels that plugins gave its definition.
    pub labels: Arc<[String]>,
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
    /// Who wants to decide.
    pub approver: &'a Approver,
    /// What that person wants to do.
    pub action: Action,
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
