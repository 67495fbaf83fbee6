//! What can go wrong on Intercom's side, and how it is told to an agent.

use std::time::Duration;

use crate::audit::LogError;
use crate::domain::OutcomeKind;
use crate::gate::GateError;
use crate::mcp::json::JsonError;

/// A failed exchange with Intercom.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// No connection was made; nothing was sent.
    #[error("Intercom cannot be reached ({0}); nothing was sent, try again later")]
    Unreachable(String),
    /// 401: the token Portcullis holds is missing, wrong or expired.
    #[error(
        "Intercom does not accept the access token that Portcullis holds (401); the operator must \
         renew it"
    )]
    Unauthorized,
    /// 401 in pass-through mode: the token is the agent's.
    #[error(
        "Intercom does not accept the access token of this connection (401); sign in again and \
         connect with the new token"
    )]
    OwnTokenRefused,
    /// 403: permission, plan or region.
    #[error(
        "Intercom refuses this call (403): the access token lacks a permission, or belongs to \
         another region; the operator must look at it"
    )]
    Forbidden,
    /// 429.
    #[error("Intercom's rate limit is reached (429); {}", wait_words(.0.as_ref()))]
    RateLimited(Option<Duration>),
    /// The upstream session ended and a new one did not help.
    #[error("Intercom ended the session (404) and a new one did not help; try again")]
    SessionLost,
    /// Another HTTP status without a JSON-RPC body.
    #[error("Intercom answered with HTTP status {status}; {}", status_words(*.status))]
    Status {
        /// The status.
        status: u16,
    },
    /// A redirect: never followed, for it would carry the call elsewhere.
    #[error(
        "Intercom answered with a redirect, which Portcullis does not follow; the operator \
             must check `upstream.url`"
    )]
    Redirect,
    /// Sent, and the connection ended before the answer.
    #[error(
        "the connection to Intercom was lost before its answer arrived; whether the call took \
             effect is not known"
    )]
    Lost,
    /// Sent, and no answer came in time.
    #[error("Intercom did not answer within {0:?}; whether the call took effect is not known")]
    Timeout(Duration),
    /// A JSON-RPC error that answers a request of Portcullis itself.
    /// Intercom's words are left out: no policy has judged them, and faults are told and recorded.
    #[error("Intercom refused what the call needs first (error {code})")]
    Refused {
        /// The JSON-RPC code.
        code: i64,
    },
    /// The answer is not what the protocol allows.
    #[error("Intercom's answer is malformed and was withheld: {0}")]
    Malformed(String),
    /// The answer is larger than Portcullis reads.
    #[error("Intercom's answer is larger than {0} bytes and was withheld; ask for fewer rows")]
    TooLarge(usize),
    /// The tool's definition changed between the judgement and the sending.
    #[error(
        "the definition of this tool changed at Intercom and waits for the operator; nothing was \
         sent"
    )]
    ToolChanged,
    /// The gate refused a housekeeping call that this one needs.
    #[error("policy denies what the call needs first: {0}")]
    Denied(String),
    /// The pins of tool definitions could not be kept.
    #[error("the pins of tool definitions cannot be kept: {0}")]
    Pins(String),
    /// The gate could not record.
    #[error(transparent)]
    Gate(#[from] GateError),
}

impl Fault {
    /// Whether the call may have taken effect at Intercom.
    #[must_use]
    pub const fn may_have_acted(&self) -> bool {
        matches!(self, Self::Lost | Self::Timeout(_) | Self::Malformed(_) | Self::TooLarge(_))
            || matches!(self, Self::Status { status } if *status >= 500)
    }

    /// What it means for a call that had to wait for what broke: that was not sent.
    pub(super) fn before_the_call(self) -> Self {
        if self.may_have_acted() { Self::SessionLost } else { self }
    }

    /// How the call's end is recorded.
    #[must_use]
    pub const fn outcome(&self) -> OutcomeKind {
        match self {
            Self::Unreachable(_) | Self::ToolChanged | Self::Denied(_) | Self::Gate(_) => {
                OutcomeKind::NotSent
            }
            Self::Lost | Self::Timeout(_) | Self::Malformed(_) | Self::TooLarge(_) => {
                OutcomeKind::Lost
            }
            _ => OutcomeKind::Error,
        }
    }

    /// A short name for the process log and metrics.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "upstream_unreachable",
            Self::Unauthorized | Self::OwnTokenRefused => "upstream_unauthorized",
            Self::Forbidden => "upstream_forbidden",
            Self::RateLimited(_) => "upstream_rate_limited",
            Self::SessionLost => "upstream_session_lost",
            Self::Status { .. } => "upstream_status",
            Self::Redirect => "upstream_redirect",
            Self::Lost => "upstream_lost",
            Self::Timeout(_) => "upstream_timeout",
            Self::Malformed(_) => "upstream_malformed",
            Self::TooLarge(_) => "upstream_too_large",
            Self::Refused { .. } => "upstream_refused",
            Self::Pins(_) => "pins_unavailable",
            Self::ToolChanged => "tool_changed",
            Self::Denied(_) => "denied",
            Self::Gate(_) => "log_unavailable",
        }
    }
}

impl From<JsonError> for Fault {
    fn from(error: JsonError) -> Self {
        Self::Malformed(error.to_string())
    }
}

impl From<LogError> for Fault {
    fn from(error: LogError) -> Self {
        Self::Gate(error.into())
    }
}

fn wait_words(wait: Option<&Duration>) -> String {
    match wait {
        Some(wait) => format!("try again in {} s", wait.as_secs().max(1)),
        None => String::from("try again in about 10 s"),
    }
}

const fn status_words(status: u16) -> &'static str {
    if status >= 500 {
        "it is in trouble; whether the call took effect is not known"
    } else {
        "it did not accept the call"
    }
}
