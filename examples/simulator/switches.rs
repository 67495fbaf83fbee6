//! The enums behind the switches, each with the likeliest behaviour of the real server first: that one is the default.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

macro_rules! switch {
    ($(#[$doc:meta])* $name:ident { $(#[$first_doc:meta])* $first:ident, $($(#[$rest_doc:meta])* $rest:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ValueEnum)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name { $(#[$first_doc])* #[default] $first, $($(#[$rest_doc])* $rest),+ }
    };
}

switch! { /// Which generations of the protocol are spoken on `/mcp`.
Speak {
    /// `initialize` and sessions: 2025-03-26 to 2025-11-25.
    Legacy,
    /// 2026-07-28 only.
    Modern,
    /// Both, decided per request.
    Dual,
} }
switch! { /// The doors that are open.
Transport {
    /// Streamable HTTP with sessions on `/mcp`, and the deprecated `/sse`.
    Streamable,
    /// Streamable HTTP without session ids; answers are JSON.
    Stateless,
    /// Only the deprecated HTTP+SSE pair `/sse` and `/sse/message`.
    Sse,
} }
switch! { /// The form of an answer to a POST.
Reply { /// `text/event-stream`.
    Sse, /// `application/json`.
    Json } }
switch! { /// How many tools are offered.
ToolSet { /// All 14 (September 2026).
    Fourteen, /// Without `add_internal_note` (spring 2026).
    Thirteen, /// The first six (2025).
    Six } }
switch! { /// What is wrong with the definition of the tool named by `changed_tool`.
Definition {
    /// Nothing.
    Plain,
    /// Another, harmless description.
    Description,
    /// A description that gives the model orders.
    Poisoned,
    /// An input schema with one more parameter.
    Schema,
    /// Annotations that were not there before.
    Annotations,
} }
switch! { /// Whether `get_conversation` returns the messages.
Parts { /// With `conversation_parts`.
    With, /// Without.
    Without } }
switch! { /// How a result is wrapped.
Wrapping { /// JSON as text in `content`.
    Text, /// The same, and `structuredContent`.
    Structured } }
switch! { /// Tool annotations.
Annotations { /// Absent.
    None, /// As one would guess.
    Plausible, /// Reads marked as writes and writes as harmless reads.
    Lying } }
switch! { /// The API version whose object shapes are served.
ApiVersion { /// 2.14
    V2_14, /// 2.13
    V2_13, /// 2.15
    V2_15, /// 2.16
    V2_16 } }
switch! { /// The form in which bad arguments and unknown tools are reported.
ArgumentFault { /// A result with `isError`.
    Result, /// JSON-RPC error -32602.
    Rpc } }
switch! { /// What a query without `object_type` or with an unknown field gets.
QueryFault { /// An error text.
    Error, /// No hits.
    Empty } }
switch! { /// The shape of `pages.next`.
Paging { /// `{page, starting_after}`
    Page, /// `{per_page, starting_after}`
    PerPage } }
switch! { /// Which redirect addresses may register.
Registration { /// Loopback addresses only.
    AllowList, /// Any.
    Open } }
switch! { /// Code challenge methods offered.
Pkce { /// `S256`.
    S256, /// `S256` and `plain`.
    S256AndPlain } }
switch! { /// What `/authorize` does.
Consent { /// Redirects at once with a code.
    Auto, /// Shows a page with an Allow button.
    Page, /// Redirects with `access_denied`.
    Denied } }
switch! { /// The state of every credential.
Credential { /// Accepted if known.
    Good, /// Known, but expired.
    Expired, /// Withdrawn.
    Revoked } }
switch! { /// Where the workspace lives.
Region { /// Links to `app.intercom.com`.
    Us, /// Links to `app.eu.intercom.com`.
    Eu } }
switch! { /// Whether the caller reached the right region.
RegionMatch { /// Yes.
    Right, /// No: 403.
    Wrong } }
switch! { /// A permission that the token may lack.
Permission {
    /// Read conversations.
    ReadConversations,
    /// Read and list users and companies.
    ReadPeople,
    /// Read articles.
    ReadArticles,
    /// Write articles.
    WriteArticles,
    /// Write conversations (internal notes).
    WriteConversations,
} }
switch! { /// How a missing permission shows.
PermissionFault { /// A tool error with code `token_unauthorized`.
    Tool, /// HTTP 401.
    Http } }
switch! { /// Headers of an answer about rates.
RateHeaders { /// None, as assumed of the real server.
    None, /// `X-RateLimit-*`.
    RateLimit, /// `Retry-After`.
    RetryAfter, /// Both.
    Both } }
switch! { /// How an exceeded rate shows.
RateFault { /// HTTP 429.
    Http, /// A tool error with code `rate_limit_exceeded`.
    Tool } }
switch! { /// What goes wrong with a matching message.
Trouble {
    /// Nothing.
    None,
    /// HTTP 429.
    TooMany,
    /// HTTP 500.
    ServerError,
    /// HTTP 503.
    Unavailable,
    /// The connection is cut before the answer, after the call took effect.
    CutBefore,
    /// The connection is cut within the answer, after the call took effect.
    CutWithin,
    /// The answer never comes; the connection stays open.
    Silence,
    /// The session is forgotten: 404.
    SessionLost,
    /// The answer is not JSON.
    Garbage,
    /// The answer carries another request id.
    WrongId,
    /// The answer is sent twice.
    Twice,
    /// A tool error in Intercom's envelope, code `server_error`.
    ToolError,
    /// A redirect to another host.
    Redirect,
} }
switch! { /// A request of the server to the client in the middle of a tool call (legacy), or an `input_required` answer (modern).
Question { /// None.
    None, /// `elicitation/create`, form.
    Elicitation, /// `elicitation/create`, URL mode.
    ElicitationUrl, /// `sampling/createMessage`.
    Sampling, /// `roots/list`.
    Roots, /// `ping`; nothing in the modern era.
    Ping } }
switch! { /// Who may cache lists (modern).
CacheScope { /// One caller.
    Private, /// Any shared gateway.
    Public } }
