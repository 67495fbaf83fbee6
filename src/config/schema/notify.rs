//! The part of the schema about who is told of held calls.

use schemars::JsonSchema;

use super::Span;

/// Who is told of held calls, and how. Messages hold no value of a call.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Notify {
    /// After so long without a decision a hold is told of again, to those who hear `escalated`.
    #[schemars(extend("default" = "30m"))]
    escalate_after: Option<Span>,
    /// Servers that are told by requests signed as Standard Webhooks are.
    webhooks: Option<Vec<Webhook>>,
}

/// A server that is told by signed requests.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Webhook {
    /// Its name in logs.
    name: String,
    /// Where: `https`, or `http` to a loopback host.
    #[schemars(example = "https://hooks.example.com/portcullis")]
    url: String,
    /// What requests are signed with (HMAC-SHA256); `whsec_` and base64, or any text.
    #[schemars(example = "${file:webhook-secret}")]
    secret: String,
    /// A PEM file of roots to trust in addition to the built-in ones.
    ca_file: Option<String>,
    /// When it is told; `opened`, `reminder` and `escalated` if left out.
    on: Option<Vec<Occasion>>,
    /// Holds that one of these groups may release; all if left out.
    groups: Option<Vec<String>>,
}

/// What a channel is told.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Occasion {
    Opened,
    Reminder,
    Escalated,
    Settled,
}
