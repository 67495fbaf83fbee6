//! Everything that ends a request without Intercom's answer, and the one place that tells it.
//!
//! A tool call is answered with a tool error wherever the protocol allows, because models read tool
//! errors and most clients hide JSON-RPC errors from them. A failed log is the exception: it is a
//! 503, for no client may take it for an answer.

use http::StatusCode;

use super::handler::Ask;
use super::outbox::Outbox;
use crate::domain::{Era, JsonText};
use crate::gate::{Denial, GateError};
use crate::holds::HoldError;
use crate::mcp::json::{self, Object};
use crate::mcp::message::MessageError;
use crate::mcp::reply::{self, INVALID_PARAMS};
use crate::upstream::Fault;

/// Our JSON-RPC code for "policy denies this", outside the ranges of JSON-RPC and MCP.
pub(super) const DENIED: i64 = -31403;
/// Our JSON-RPC code for "Intercom is in trouble".
const UPSTREAM: i64 = -31502;

/// Why a request has no answer of Intercom.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The request itself is at fault.
    Request(Box<MessageError>),
    /// Policy denies it.
    Denied(Box<Denial>),
    /// Intercom failed.
    Fault(Box<Fault>),
    /// It could not be judged and recorded.
    Gate(Box<GateError>),
    /// Too much at once.
    Busy,
}

impl From<MessageError> for Trouble {
    fn from(error: MessageError) -> Self {
        Self::Request(Box::new(error))
    }
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Gate(error) => Self::Gate(Box::new(error)),
            fault => Self::Fault(Box::new(fault)),
        }
    }
}

impl From<GateError> for Trouble {
    fn from(error: GateError) -> Self {
        Self::Gate(Box::new(error))
    }
}

impl From<HoldError> for Trouble {
    fn from(error: HoldError) -> Self {
        Self::Gate(Box::new(error.into()))
    }
}

impl Trouble {
    /// Answers the request.
    pub(super) async fn tell(self, outbox: &Outbox, ask: &Ask) {
        let tool = ask.method.name == "tools/call";
        match self {
            Self::Request(error) => {
                let status = StatusCode::from_u16(reply::status(error.code, ask.era()))
                    .unwrap_or(StatusCode::BAD_REQUEST);
                outbox.error(status, &ask.id, error.code, &error.text, error.data.as_ref()).await;
            }
            Self::Denied(denial) if tool => tool_error(outbox, ask, &denial.text()).await,
            Self::Denied(denial) => {
                outbox.error(StatusCode::OK, &ask.id, DENIED, &denial.text(), None).await;
            }
            Self::Fault(fault) if tool => tool_error(outbox, ask, &fault.to_string()).await,
            Self::Fault(fault) => {
                outbox.error(StatusCode::OK, &ask.id, UPSTREAM, &fault.to_string(), None).await;
            }
            Self::Gate(error)
                if tool && matches!(*error, GateError::Hold(HoldError::TooMany { .. })) =>
            {
                tool_error(outbox, ask, &error.to_string()).await;
            }
            Self::Gate(error) if matches!(*error, GateError::Hold(HoldError::OtherCall)) => {
                let status = StatusCode::BAD_REQUEST;
                outbox.error(status, &ask.id, INVALID_PARAMS, &error.to_string(), None).await;
            }
            Self::Gate(error) => {
                tracing::error!(%error, "call refused: it could not be recorded");
                let text = "Portcullis cannot record calls at the moment, so nothing was sent; \
                            try again later";
                let status = StatusCode::SERVICE_UNAVAILABLE;
                outbox.error(status, &ask.id, reply::INTERNAL_ERROR, text, None).await;
            }
            Self::Busy => {
                let text = "too many calls at once; try again in a moment";
                let status = StatusCode::SERVICE_UNAVAILABLE;
                outbox.error(status, &ask.id, reply::INTERNAL_ERROR, text, None).await;
            }
        }
    }
}

/// Answers a tool call with an error that a model can read.
pub(super) async fn tool_error(outbox: &Outbox, ask: &Ask, text: &str) {
    outbox.result(&ask.id, &tool_error_result(text, ask.era())).await;
}

/// The result of a tool call that says that it did not work.
pub(super) fn tool_error_result(text: &str, era: Era) -> JsonText {
    let mut block = Object::default();
    block.set("type", json::quote("text"));
    block.set("text", json::quote(text));
    let mut result = Object::default();
    if era == Era::Modern {
        result.set("resultType", json::quote("complete"));
    }
    let content = format!("[{}]", block.to_text().as_str());
    result.set("content", JsonText::from_valid(content.into_bytes().into()));
    result.set("isError", JsonText::of(&true));
    result.to_text()
}
