//! JSON-RPC messages: what may come in, in exactly one reading, and how it goes out.
//!
//! The envelope is closed: unknown top-level members, `result` beside `error`, ids that are no string
//! or integer, and `params` that are no object are refused, because a peer might read them otherwise.
//! What lies inside `params` and `result` stays text. `_meta` is taken out of `params`, so that nobody
//! forwards it without deciding to.

mod id;
mod read;
mod write;

#[cfg(test)]
mod tests;

use crate::domain::JsonText;

use super::json::Object;

pub use id::RequestId;
pub use read::{MAX_BATCH, read_message, split_answer};

/// What one body holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// One message.
    One(Message),
    /// A batch of one message or more: legal in 2025-03-26 only, which the caller must check. It holds
    /// no `initialize` and no id twice.
    Batch(Vec<Message>),
}

/// One JSON-RPC message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Something asked.
    Request(Request),
    /// Something told.
    Notification(Notification),
    /// An answer.
    Response(Response),
}

impl Message {
    /// The method, of a request or notification.
    #[must_use]
    pub fn method(&self) -> Option<&str> {
        match self {
            Self::Request(request) => Some(&request.method),
            Self::Notification(notification) => Some(&notification.method),
            Self::Response(_) => None,
        }
    }

    /// The id, of a request or response.
    #[must_use]
    pub const fn id(&self) -> Option<&RequestId> {
        match self {
            Self::Request(request) => Some(&request.id),
            Self::Notification(_) => None,
            Self::Response(response) => response.id.as_ref(),
        }
    }

    /// `params._meta`, of a request or notification.
    #[must_use]
    pub const fn meta(&self) -> Option<&Object> {
        match self {
            Self::Request(request) => Some(&request.meta),
            Self::Notification(notification) => Some(&notification.meta),
            Self::Response(_) => None,
        }
    }
}

/// Something asked of the other side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The sender's id.
    pub id: RequestId,
    /// The method.
    pub method: String,
    /// The parameters without `_meta`; empty if there were none.
    pub params: Object,
    /// `params._meta`; empty if there was none.
    pub meta: Object,
}

/// Something told to the other side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// The method.
    pub method: String,
    /// The parameters without `_meta`; empty if there were none.
    pub params: Object,
    /// `params._meta`; empty if there was none.
    pub meta: Object,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Whose answer it is; `None` only on an error whose sender could not read the id.
    pub id: Option<RequestId>,
    /// The answer.
    pub body: ResponseBody,
}

/// The two kinds of answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResponseBody {
    /// It worked: an object, as text.
    Result(JsonText),
    /// It did not.
    Error(RpcError),
}

/// The error of a response.
#[derive(Clone, PartialEq, Eq)]
pub struct RpcError {
    /// The code.
    pub code: i64,
    /// The sender's words.
    pub message: String,
    /// More, if the sender gave more.
    pub data: Option<JsonText>,
}

impl std::fmt::Debug for RpcError {
    /// Shows the code only: the words are the peer's and may hold personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RpcError({})", self.code)
    }
}

/// Why a message is refused: enough to answer it and to record the refusal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct MessageError {
    /// The JSON-RPC code of the answer.
    pub code: i64,
    /// A short stable name for records, such as `duplicate_key`.
    pub reason: &'static str,
    /// What the sender is told: plain words, nothing of the payload.
    pub text: String,
    /// The id to repeat in the answer, if it could be read. Never answered as `null`: every revision's
    /// schema rejects that.
    pub id: Option<RequestId>,
    /// `error.data`, where the protocol wants some.
    pub data: Option<JsonText>,
}

impl MessageError {
    /// A refusal without data and id.
    #[must_use]
    pub fn new(code: i64, reason: &'static str, text: impl Into<String>) -> Self {
        Self { code, reason, text: text.into(), id: None, data: None }
    }

    /// The same, answering a request.
    #[must_use]
    pub fn answering(mut self, id: Option<&RequestId>) -> Self {
        self.id = id.cloned();
        self
    }

    /// The same, with `error.data`.
    #[must_use]
    pub fn with_data(mut self, data: JsonText) -> Self {
        self.data = Some(data);
        self
    }
}
