//! The part of the schema about who is told of held calls.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde_json::json;

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
    slack: Option<Slack>,
    email: Option<Email>,
}

/// A channel of Slack. Messages are updated when a hold was decided, wherever that was.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Slack {
    /// The app's token (`chat:write`).
    #[schemars(example = "${file:slack-token}")]
    token: Option<String>,
    /// What Slack signs its requests with. Without it there are no buttons. The address to register
    /// for interactivity is `<url of the page>/slack`.
    #[schemars(example = "${file:slack-signing-secret}")]
    signing_secret: Option<String>,
    /// Where messages go: a channel's id.
    #[schemars(example = &"C0123ABCD")]
    channel: Option<String>,
    /// Slack's users by their ids, as the people they are here.
    #[schemars(example = json!({"U0123ABCD": "jane@example.com"}))]
    users: Option<BTreeMap<String, String>>,
    /// Whether there is a button that releases, though nobody sees there what they release.
    #[schemars(extend("default" = false))]
    approve: Option<bool>,
    /// Slack's interface.
    #[schemars(extend("default" = "https://slack.com/api"))]
    url: Option<String>,
    /// Holds that one of these groups may release; all if left out.
    groups: Option<Vec<String>>,
}

/// Mail by SMTP. It leads to the page and decides nothing.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Email {
    /// The server.
    #[schemars(example = "smtp.example.com")]
    host: Option<String>,
    tls: Option<EmailTls>,
    /// Its port.
    #[schemars(extend("default" = 587))]
    port: Option<u16>,
    /// Who signs in there, if anybody has to.
    username: Option<String>,
    /// With what.
    #[schemars(example = "${file:smtp-password}")]
    password: Option<String>,
    /// A PEM file of roots to trust in addition to the built-in ones.
    ca_file: Option<String>,
    /// Who writes.
    #[schemars(example = "portcullis@example.com")]
    from: Option<String>,
    /// To whom.
    #[schemars(example = json!(["approvers@example.com"]))]
    to: Option<Vec<String>>,
    /// When they are told; `opened`, `reminder` and `escalated` if left out.
    on: Option<Vec<Occasion>>,
    /// Holds that one of these groups may release; all if left out.
    groups: Option<Vec<String>>,
}

/// How the connection is protected; `none` is for a server on this machine.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase", extend("default" = "starttls"))]
enum EmailTls {
    StartTls,
    Tls,
    None,
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
    Released,
    Settled,
}
