//! A call: what a principal asks of Intercom, after it was read, resolved and normalised.

use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::pseudonym::Mention;
use super::{CallId, Digest, Grant, JsonText, Principal, Revision, Timestamp};

/// Whether a tool changes something at Intercom, by *our* catalogue. Unknown tool = write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Only looks.
    Read,
    /// May change something.
    Write,
}

impl Effect {
    /// The word used in Rego and records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// What a client says of itself, self-reported and never a basis of a security decision; and where
/// it calls from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ClientHint {
    /// The client's name.
    pub name: String,
    /// The client's version.
    pub version: String,
    /// The address that its connection comes from; that of the proxy in front, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
}

impl ClientHint {
    /// The same client, calling from here.
    #[must_use]
    pub fn at(self, address: Option<IpAddr>) -> Self {
        Self { address, ..self }
    }
}

/// What a call is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Subject {
    /// A tool: the only subject that can be held.
    Tool {
        /// The tool's name at Intercom.
        name: String,
        /// By our catalogue.
        effect: Effect,
        /// Digest of the pinned definition the call was checked against; `None` if the tool is not
        /// pinned as it now stands upstream, which denies.
        definition: Option<Digest>,
    },
    /// A prompt.
    Prompt {
        /// The prompt's name.
        name: String,
    },
    /// A resource.
    Resource {
        /// The resource's URI.
        uri: String,
    },
    /// A task at Intercom.
    Task {
        /// The upstream's task id.
        id: String,
    },
    /// The client's answer to a question of the server (`sampling/createMessage` and the like),
    /// which is the call's method.
    Answer,
    /// The method itself says all (`tools/list`, `ping`, ...).
    Method,
}

impl Subject {
    /// The tool's name, if the subject is a tool.
    #[must_use]
    pub fn tool(&self) -> Option<&str> {
        match self {
            Self::Tool { name, .. } => Some(name),
            _ => None,
        }
    }

    /// The effect: a tool's own; everything else only looks.
    #[must_use]
    pub const fn effect(&self) -> Effect {
        match self {
            Self::Tool { effect, .. } => *effect,
            _ => Effect::Read,
        }
    }
}

/// What accompanies a call on the wire and changes how it is answered, not what it does.
#[derive(Debug, Clone, Default)]
pub struct CallMeta {
    /// The client asked for progress.
    pub progress: bool,
    /// The log level the client asked for (modern era), one of the protocol's names.
    pub log_level: Option<String>,
    /// The client's capabilities, cut to what Portcullis passes; an object.
    pub capabilities: Option<JsonText>,
    /// Facts of what the call would change, as it is at Intercom now; only if a rule looks at them.
    pub target: Option<JsonText>,
    /// The state of that, such as `draft`, if it was read.
    pub target_state: Option<String>,
    /// The grant that lets such calls through, if there is one: for rules, which honour it or not.
    pub grant: Option<Box<Grant>>,
    /// Why the agent calls, in its own words: untrusted, for rules and approvers, never sent.
    pub reason: Option<String>,
    /// The pseudonyms in the arguments: what rules judge.
    pub pseudonyms: Vec<Mention>,
    /// The arguments with the pseudonyms turned back, where rules want that: what is sent instead of
    /// those that were judged.
    pub restored: Option<JsonText>,
    /// What Portcullis changed in the call because rules demand it, in the rules' words: the agent
    /// reads it with the answer.
    pub notes: Vec<String>,
}

/// One call, immutable from here on: what is judged, recorded and sent.
#[derive(Debug, Clone)]
pub struct Call {
    /// Our own identifier.
    pub id: CallId,
    /// When it arrived.
    pub at: Timestamp,
    /// Who calls.
    pub principal: Arc<Principal>,
    /// The revision the client speaks.
    pub revision: Revision,
    /// What the client says of itself.
    pub client: ClientHint,
    /// The protocol's method.
    pub method: String,
    /// What it is about.
    pub subject: Subject,
    /// For a tool: its arguments in canonical form (validated text without insignificant
    /// whitespace, ids in one form). For other methods: `params` without `_meta`, likewise.
    pub payload: JsonText,
    /// What else of `params` reaches Intercom and must be judged with it (`inputResponses`,
    /// `requestState`, `task`), as one object.
    pub continuation: Option<JsonText>,
    /// How it is to be answered.
    pub meta: CallMeta,
}

impl Call {
    /// The payload as it will be sent: as it was judged, but for pseudonyms that are turned back.
    #[must_use]
    pub fn sent(&self) -> &JsonText {
        self.meta.restored.as_ref().unwrap_or(&self.payload)
    }

    /// The digest of what will be sent: method, subject's name, payload and continuation. Plain
    /// SHA-256, so it must not be written to the log as it is (short arguments could be guessed).
    #[must_use]
    pub fn digest(&self) -> Digest {
        let tool = self.subject.tool().unwrap_or_default();
        Self::digest_of(&self.method, tool, self.sent(), self.continuation.as_ref())
    }

    /// The digest that a call with these parts has.
    #[must_use]
    pub fn digest_of(
        method: &str,
        tool: &str,
        payload: &JsonText,
        continuation: Option<&JsonText>,
    ) -> Digest {
        let continuation = continuation.map_or("", JsonText::as_str);
        let parts = [method, tool, payload.as_str(), continuation];
        Digest::of("portcullis/call/v1", &parts.map(str::as_bytes))
    }
}
