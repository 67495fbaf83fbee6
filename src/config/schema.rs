//! The JSON Schema of the configuration, for editors: completion, and a first look at values.
//!
//! The structs here are read by nobody; they describe. A test compares their keys, defaults and
//! choices with what `check` asks for. The schema is a little stricter than the reading: it does
//! not know that a number or a word may also come from `${NAME}`.

#![expect(dead_code, reason = "the fields describe the schema; values are read by `check`")]

mod notify;
mod people;
mod replay;

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use notify::Notify;
use people::Console;
use replay::Replay;

/// The schema (draft 2020-12) as JSON text.
#[must_use]
pub fn schema() -> String {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let schema = settings.into_generator().into_root_schema_for::<File>();
    format!("{:#}", schema.as_value())
}

/// Configuration of Portcullis. `${NAME}` and `${file:path}` may stand inside every text; `$$` is
/// a dollar sign.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "Portcullis configuration")]
struct File {
    /// Where agents connect: IP address and port.
    #[schemars(extend("default" = "127.0.0.1:8787"))]
    listen: Option<String>,
    /// Whether a proxy in front speaks TLS. Without one, `listen` must be a loopback address.
    #[schemars(extend("default" = false))]
    behind_tls_proxy: Option<bool>,
    /// The folder of keys, log, holds and pins, relative to this file. Only we may read it (0700).
    #[schemars(extend("default" = "./portcullis-data"))]
    data: Option<String>,
    /// A free name given to policy.
    #[schemars(extend("default" = "production"))]
    environment: Option<String>,
    upstream: Upstream,
    policies: Option<Policies>,
    plugins: Option<Plugins>,
    identity: Option<Identity>,
    /// Agents that may have keys (`portcullis principals add NAME`).
    principals: Option<Vec<PrincipalEntry>>,
    /// People whose groups stand here. `portcullis people add NAME` makes accounts, also for others.
    approvers: Option<Vec<ApproverEntry>>,
    /// Values of `Host` that are answered, beyond the loopback names: `name` or `name:port`.
    allowed_hosts: Option<Vec<String>>,
    /// Values of `Origin` that are answered, beyond the loopback ones: `https://name[:port]`.
    allowed_origins: Option<Vec<String>>,
    limits: Option<Limits>,
    holds: Option<Holds>,
    pseudonyms: Option<Pseudonyms>,
    replay: Option<Replay>,
    /// How long a stop waits for calls in flight.
    #[schemars(extend("default" = "10s"))]
    drain: Option<Span>,
    ops: Option<Ops>,
    console: Option<Console>,
    notify: Option<Notify>,
    log: Option<Log>,
}

/// Health (`/healthz`, `/readyz`) and metrics (`/metrics`) for monitoring.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Ops {
    /// Where they are served: IP address and port, not that of the agents. Left out, nowhere.
    #[schemars(example = "127.0.0.1:9464")]
    listen: Option<String>,
}

/// Intercom's side.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Upstream {
    /// The MCP endpoint: `https`, or `http` to a loopback host.
    #[schemars(example = "https://mcp.intercom.com/mcp")]
    url: String,
    /// Intercom's token, never shown to agents. Optional if identity is passed through.
    #[schemars(example = "${INTERCOM_TOKEN}", example = "${file:intercom-token}")]
    token: Option<String>,
    /// A PEM file of roots to trust in addition to the built-in ones.
    ca_file: Option<String>,
    era: Option<Era>,
    timeouts: Option<Timeouts>,
}

/// The upstream's protocol era; `auto` finds out.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase", extend("default" = "auto"))]
enum Era {
    Auto,
    Legacy,
    Modern,
}

/// How long Intercom may take.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Timeouts {
    /// Until a connection stands.
    #[schemars(extend("default" = "5s"))]
    connect: Option<Span>,
    /// Until an answer begins.
    #[schemars(extend("default" = "2m"))]
    answer: Option<Span>,
    /// Between two pieces of an answer.
    #[schemars(extend("default" = "5m"))]
    idle: Option<Span>,
}

/// Where policies come from. A text is a folder; left out, the shipped ones decide.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, extend("type" = ["object", "string"]))]
struct Policies {
    /// A folder of rules, relative to this file.
    folder: Option<String>,
    /// A bundle in one file (`portcullis policy bundle build`), relative to this file.
    bundle: Option<String>,
    /// A bundle on a server: `https`, or `http` to a loopback host.
    #[schemars(example = "https://bundles.example.com/portcullis.tar.gz")]
    url: Option<String>,
    /// A bearer token for the server.
    #[schemars(example = "${file:bundle-token}")]
    token: Option<String>,
    /// A PEM file of roots to trust in addition to the built-in ones.
    ca_file: Option<String>,
    /// How often the server is asked, give or take a tenth.
    #[schemars(extend("default" = "1m"))]
    interval: Option<Span>,
    /// For one answer of the server as a whole.
    #[schemars(extend("default" = "10s"))]
    timeout: Option<Span>,
    /// Of one answer of the server.
    #[schemars(extend("default" = "8MiB"))]
    max_bytes: Option<Size>,
    /// A public key in a PEM file. Then only what it signed is loaded, from wherever it comes.
    key: Option<String>,
    /// Several public keys: one of them must have signed.
    keys: Option<Vec<String>>,
    /// Whether a folder or bundle is loaded when it changes.
    #[schemars(extend("default" = false))]
    watch: Option<bool>,
}

/// Plugins: they look at what passes, and rules decide what that means.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Plugins {
    /// Whether those that come with Portcullis look, also where `list` does not name them.
    #[schemars(extend("default" = true))]
    shipped: Option<bool>,
    /// Whether the set is loaded again when this file, a component or its signature changes.
    #[schemars(extend("default" = false))]
    watch: Option<bool>,
    /// Kinds that rules redact although no plugin looks for them: nobody finds them then. `*` for
    /// all. Without this line such rules are refused.
    #[schemars(example = ["medical_id"])]
    without: Option<Vec<String>>,
    /// Names of plugins without which every call is denied.
    required: Option<Vec<String>>,
    /// A public key (Ed25519) in a PEM file. Then a plugin's file must be signed by it.
    key: Option<String>,
    /// Several public keys: one of them must have signed.
    keys: Option<Vec<String>>,
    /// Your own plugins, and settings of those that come along; they look in this order.
    list: Option<Vec<PluginEntry>>,
    /// After so many faults in a row a plugin is not asked for a while, and what it should have
    /// looked at is denied at once.
    #[schemars(extend("default" = 10), range(min = 1, max = 1000))]
    faults: Option<u32>,
    /// For so long.
    #[schemars(extend("default" = "5s"))]
    pause: Option<Span>,
}

/// A plugin.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct PluginEntry {
    /// Its name in records, rules and commands.
    name: String,
    /// The name of one that comes with Portcullis.
    builtin: Option<String>,
    /// Its component, relative to this file.
    #[schemars(example = "./customer-numbers.wasm")]
    path: Option<String>,
    /// The SHA-256 that its file must have. Needed unless it is signed.
    digest: Option<String>,
    /// Its configuration, as its own schema has it.
    config: Option<serde_json::Value>,
    /// When it is asked: `call`, `answer`, `definition`. Left out, whenever it wants to be.
    phases: Option<Vec<String>>,
    /// For which tools. Left out, for all that it wants to be.
    tools: Option<Vec<String>>,
    /// Whether every call is denied without it.
    #[schemars(extend("default" = false))]
    required: Option<bool>,
    /// Of its memory.
    #[schemars(extend("default" = "16MiB"))]
    memory: Option<Size>,
    /// How long one look may work, in time of the processor.
    #[schemars(extend("default" = "50ms"))]
    deadline: Option<Span>,
}

/// How agents prove who they are.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Identity {
    mode: Option<Mode>,
    passthrough: Option<Passthrough>,
    anonymous: Option<Anonymous>,
}

/// `keys`: keys that Portcullis issued. `passthrough`: each agent's own Intercom token.
/// `anonymous`: no credential, loopback only.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase", extend("default" = "keys"))]
enum Mode {
    Keys,
    Passthrough,
    Anonymous,
}

/// Everybody who comes with an own Intercom token.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Passthrough {
    /// Their roles.
    roles: Option<Vec<String>>,
}

/// The one principal that everybody is.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Anonymous {
    /// Its name.
    #[schemars(extend("default" = "anonymous"))]
    id: Option<String>,
    /// Its roles.
    roles: Option<Vec<String>>,
    /// Its groups.
    groups: Option<Vec<String>>,
}

/// An agent.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct PrincipalEntry {
    /// Its name in records and rules.
    id: String,
    /// Roles, which the policy maps to tools.
    roles: Option<Vec<String>>,
    /// Groups of the organisation.
    groups: Option<Vec<String>>,
    /// Free texts for rules.
    attributes: Option<BTreeMap<String, String>>,
    /// The human it acts for.
    on_behalf_of: Option<String>,
}

/// A person who may release held calls.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct ApproverEntry {
    /// The name in records and rules.
    id: String,
    /// Groups, which holds ask for.
    groups: Option<Vec<String>>,
}

/// Bounds of the agents' side.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Limits {
    /// Of a request's body.
    #[schemars(extend("default" = "4MiB"))]
    body: Option<Size>,
    /// For all headers of a request.
    #[schemars(extend("default" = "10s"))]
    header_timeout: Option<Span>,
    /// For all of a request's body.
    #[schemars(extend("default" = "30s"))]
    body_timeout: Option<Span>,
    /// Of a connection without a request.
    #[schemars(extend("default" = "2m"))]
    idle_timeout: Option<Span>,
    /// Open connections.
    #[schemars(extend("default" = 1024), range(min = 1, max = 1_000_000))]
    connections: Option<u32>,
    /// Concurrent HTTP/2 streams of one connection.
    #[schemars(extend("default" = 64), range(min = 1, max = 1000))]
    streams: Option<u32>,
    /// Sessions of one principal.
    #[schemars(extend("default" = 1000), range(min = 1, max = 1_000_000))]
    sessions_per_principal: Option<u32>,
    /// Calls on the road at one time.
    #[schemars(extend("default" = 1024), range(min = 1, max = 1_000_000))]
    calls_in_flight: Option<u32>,
}

/// What stands behind pseudonyms.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Pseudonyms {
    /// 32 bytes, as 64 hexadecimal digits or base64, from which the vault's keys come; left out, they
    /// come from the installation's own key.
    #[schemars(example = "${file:pseudonyms.key}", example = "${PORTCULLIS_PSEUDONYMS_KEY}")]
    key: Option<String>,
    /// How long a value is known after it was last seen.
    #[schemars(extend("default" = "30d"))]
    valid: Option<Span>,
    /// The most values of one principal.
    #[schemars(extend("default" = 20_000), range(min = 100, max = 1_000_000))]
    per_principal: Option<u32>,
    /// The most values of all principals.
    #[schemars(extend("default" = 200_000), range(min = 100, max = 10_000_000))]
    total: Option<u32>,
}

/// How holds behave towards agents.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Holds {
    /// How long an agent's request stays open before it is told that the call is pending.
    #[schemars(extend("default" = "45s"))]
    wait: Option<Span>,
    /// How soon a polling agent is asked to come again.
    #[schemars(extend("default" = "20s"))]
    poll: Option<Span>,
    /// How often a polling agent is asked to come again, before it is told that the call is pending.
    #[schemars(extend("default" = 8), range(max = 8))]
    rounds: Option<u32>,
    /// How long an approval may wait to be spent.
    #[schemars(extend("default" = "1h"))]
    valid: Option<Span>,
    /// Open holds of one principal.
    #[schemars(extend("default" = 20), range(min = 1, max = 10_000))]
    pending_per_principal: Option<u32>,
    /// Clients with a patience of their own; the first that fits counts. Some are known without a
    /// line.
    clients: Option<Vec<Patience>>,
}

/// How long one sort of client waits.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Patience {
    /// The name that the client gives; a `*` at the end stands for anything.
    #[schemars(example = "my-agent*")]
    name: String,
    /// Its version likewise.
    #[schemars(extend("default" = "*"))]
    version: Option<String>,
    /// As `holds.wait`, ten minutes at most; that one if only `poll` is given.
    #[schemars(extend("default" = "45s"))]
    wait: Option<Span>,
    /// As `holds.poll`; that one if it is not given.
    #[schemars(extend("default" = "20s"))]
    poll: Option<Span>,
    /// As `holds.rounds`; 0 for clients that do not answer rounds by themselves.
    #[schemars(extend("default" = 8), range(max = 8))]
    rounds: Option<u32>,
}

/// The process' own log lines, on standard error. Not the audit log.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Log {
    level: Option<Level>,
    format: Option<Format>,
}

/// The least severe level that is written.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase", extend("default" = "info"))]
enum Level {
    Info,
    Error,
    Warn,
    Debug,
    Trace,
}

/// `text` for people, `json` for machines.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase", extend("default" = "text"))]
enum Format {
    Text,
    Json,
}

/// A duration.
struct Span;

/// A size in bytes.
struct Size;

impl JsonSchema for Span {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": r"^[0-9]+(ms|s|m|h|d)$|\$\{",
            "examples": ["500ms", "30s", "5m", "4h"],
        })
    }
}

impl JsonSchema for Size {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": r"^[0-9]+(B|KiB|MiB|GiB)$|\$\{",
            "examples": ["512KiB", "4MiB"],
        })
    }
}
