//! Checked configuration: one YAML file becomes a [`Config`], or a list of everything that is
//! wrong with it, each with line, column and what to do.
//!
//! Off the road: read once at start, then handed out in pieces by `app`. It must never print a
//! secret, nor start with half of a file understood: an unknown key is an error, because a
//! misspelt limit is a limit that is not there.
//!
//! The choice that keeps it simple: the YAML tree keeps the position of every key and value, and
//! `check` walks it once with a cursor that notes which keys it asked for. What was not asked for
//! is unknown; what was asked for is what the editor's schema must describe (a test compares them).

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::domain::{Approver, Era, Principal};

mod agents;
mod check;
mod console;
mod holds;
mod notify;
mod plugins;
mod policies;
pub mod private;
mod problem;
mod schema;
mod secret;
mod section;
mod source;
mod unit;
mod walk;

pub use console::{Console, Oidc, OidcGroup};
pub use holds::{Holds, Patience, Waits};
pub use notify::{Email, EmailTls, Hears, Notify, Occasion, Slack, Webhook};
pub use plugins::{PluginEntry, PluginSource, Plugins};
pub use problem::{Problem, Problems};
pub use schema::schema;
pub use secret::Secret;
pub use source::Lookup;
pub use unit::span;

/// Everything an operator can say, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where agents connect.
    pub listen: SocketAddr,
    /// The operator says that a proxy in front of us speaks TLS, so that an address other than
    /// loopback is in order.
    pub behind_tls_proxy: bool,
    /// The folder of keys, log, holds and pins.
    pub data: PathBuf,
    /// A free name given to policy.
    pub environment: String,
    /// Intercom's side.
    pub upstream: Upstream,
    /// Where policies come from, and who must have signed them.
    pub policies: Policies,
    /// The plugins.
    pub plugins: Plugins,
    /// The file that this was read from, if it was.
    pub file: Option<PathBuf>,
    /// How agents prove who they are.
    pub identity: IdentityMode,
    /// Agents that may have keys, each name once.
    pub principals: Vec<Arc<Principal>>,
    /// People who may release holds, each name once.
    pub approvers: Vec<Arc<Approver>>,
    /// Values of `Host` (`name` or `name:port`, lower case) beyond the loopback names of `listen`.
    pub allowed_hosts: Vec<String>,
    /// Values of `Origin` (`scheme://host[:port]`, lower case) beyond the loopback ones.
    pub allowed_origins: Vec<String>,
    /// Bounds of the agents' side.
    pub limits: Limits,
    /// How holds behave towards agents.
    pub holds: Holds,
    /// What stands behind pseudonyms: how long it is known, and how much of it.
    pub pseudonyms: Pseudonyms,
    /// What is kept of questions to policy, so that they can be asked again.
    pub replay: Replay,
    /// How long a stop waits for calls in flight.
    pub drain: Duration,
    /// Where health and metrics are served; nowhere if absent.
    pub ops: Option<SocketAddr>,
    /// The approvers' page; none if absent.
    pub console: Option<Console>,
    /// Who is told of held calls, and how.
    pub notify: Notify,
    /// The process' own log lines (not the audit log).
    pub log: Log,
    /// What is allowed but should be said loudly at start.
    pub warnings: Vec<String>,
}

/// Intercom's side.
#[derive(Debug, Clone)]
pub struct Upstream {
    /// The endpoint: `https`, or `http` to a loopback host. No user info, no fragment.
    pub url: http::Uri,
    /// Portcullis' own token. Always there unless identity is passed through.
    pub token: Option<Secret>,
    /// PEM roots trusted in addition to the built-in ones.
    pub ca_file: Option<PathBuf>,
    /// The upstream's era; `None` finds out.
    pub era: Option<Era>,
    /// Until a connection stands.
    pub connect_timeout: Duration,
    /// Until an answer begins.
    pub answer_timeout: Duration,
    /// Between two pieces of an answer.
    pub idle_timeout: Duration,
}

/// Where policies come from, and who must have signed them.
#[derive(Debug, Clone, Default)]
pub struct Policies {
    /// The source.
    pub origin: PolicyOrigin,
    /// Public keys in PEM files. If there are any, only what one of them signed is loaded.
    pub keys: Vec<PathBuf>,
    /// Whether a folder or bundle is loaded when it changes.
    pub watch: bool,
}

/// A source of policies.
#[derive(Debug, Clone, Default)]
pub enum PolicyOrigin {
    /// The rules that are built in.
    #[default]
    Shipped,
    /// A folder of rules.
    Folder(PathBuf),
    /// A bundle in one file.
    Bundle(PathBuf),
    /// A server that has the newest bundle.
    Server(Box<PolicyServer>),
}

/// A server that has the newest bundle.
#[derive(Debug, Clone)]
pub struct PolicyServer {
    /// The bundle: `https`, or `http` to a loopback host. No user info, no fragment.
    pub url: http::Uri,
    /// Sent as bearer token.
    pub token: Option<Secret>,
    /// PEM roots trusted in addition to the built-in ones.
    pub ca_file: Option<PathBuf>,
    /// How often it is asked.
    pub interval: Duration,
    /// For one answer as a whole.
    pub timeout: Duration,
    /// Of one answer.
    pub max_bytes: usize,
}

impl std::fmt::Display for PolicyOrigin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Shipped => f.write_str("shipped"),
            Self::Folder(path) => write!(f, "folder {}", path.display()),
            Self::Bundle(path) => write!(f, "bundle {}", path.display()),
            // A query may hold a secret.
            Self::Server(server) => {
                let (scheme, path) =
                    (server.url.scheme_str().unwrap_or_default(), server.url.path());
                let authority = server.url.authority().map_or("", http::uri::Authority::as_str);
                write!(f, "server {scheme}://{authority}{path}")
            }
        }
    }
}

/// How agents prove who they are.
#[derive(Debug, Clone)]
pub enum IdentityMode {
    /// Keys that Portcullis issued.
    Keys,
    /// Each agent's own Intercom token, which goes on to Intercom.
    Passthrough {
        /// Roles of everybody who comes this way.
        roles: Vec<String>,
    },
    /// No credential asked; everybody is this principal. Loopback only.
    Anonymous(Arc<Principal>),
}

/// Bounds of the agents' side.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of a request's body.
    pub body: usize,
    /// For all headers of a request.
    pub header_timeout: Duration,
    /// For all of a request's body.
    pub body_timeout: Duration,
    /// A connection without a request.
    pub idle_timeout: Duration,
    /// Open connections.
    pub connections: usize,
    /// Concurrent HTTP/2 streams of one connection.
    pub streams: u32,
    /// Sessions of one principal.
    pub sessions_per_principal: usize,
    /// Calls on the road at one time.
    pub calls_in_flight: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 4 << 20,
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(120),
            connections: 1024,
            streams: 64,
            sessions_per_principal: 1000,
            calls_in_flight: 1024,
        }
    }
}

/// What stands behind pseudonyms.
#[derive(Debug, Clone)]
pub struct Pseudonyms {
    /// What the vault's keys come from; without one, the installation's own key.
    pub key: Option<Secret>,
    /// How long a value is known after it was last seen.
    pub valid: Duration,
    /// The most values of one principal.
    pub per_principal: usize,
    /// The most values of all principals.
    pub total: usize,
}

impl Default for Pseudonyms {
    fn default() -> Self {
        let valid = Duration::from_secs(30 * 24 * 60 * 60);
        Self { key: None, valid, per_principal: 20_000, total: 200_000 }
    }
}

/// What is kept of questions to policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replay {
    /// Of which questions.
    pub keep: Keep,
    /// How long.
    pub age: Duration,
    /// The most bytes of all of it.
    pub size: usize,
    /// The longest content of an answer that is kept with its question.
    pub answer_size: usize,
}

/// Which questions are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Keep {
    /// None.
    #[default]
    Nothing,
    /// Those about calls.
    Calls,
    /// Those about calls and about answers.
    Answers,
}

impl Default for Replay {
    fn default() -> Self {
        Self {
            keep: Keep::Nothing,
            age: Duration::from_secs(7 * 24 * 60 * 60),
            size: 256 << 20,
            answer_size: 64 << 10,
        }
    }
}

/// The process' own log lines.
#[derive(Debug, Clone, Default)]
pub struct Log {
    /// The least severe level that is written.
    pub level: LogLevel,
    /// Their form.
    pub format: LogFormat,
}

/// How much is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the levels every log has")]
pub enum LogLevel {
    Error,
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

impl LogLevel {
    /// The word in configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

impl Config {
    /// Reads and checks a file; `${NAME}` is looked up in the process' environment.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn load(path: &Path) -> Result<Self, Problems> {
        Self::load_with(path, &|name| std::env::var_os(name))
    }

    /// [`Config::load`] for commands that only look at the data folder or ask the running server:
    /// credentials that stand outside the file are not read, so nobody needs them for that. What
    /// this gives must not be served with.
    ///
    /// # Errors
    /// Everything that is wrong with the file.
    pub fn load_to_look(path: &Path) -> Result<Self, Problems> {
        check::load(path, &|name| std::env::var_os(name), false)
    }

    /// [`Config::load`] with another environment.
    ///
    /// # Errors
    /// Everything that is wrong with the file.
    pub fn load_with(path: &Path, environment: Lookup<'_>) -> Result<Self, Problems> {
        check::load(path, environment, true)
    }

    /// A configuration made in code, all defaults: agents on a free loopback port, identity by
    /// keys, nobody known yet. For the demo and for tests, which then set the fields they need.
    #[must_use]
    pub fn in_code(data: PathBuf, upstream: http::Uri, token: Secret) -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            behind_tls_proxy: false,
            data,
            environment: "development".to_owned(),
            upstream: Upstream {
                url: upstream,
                token: Some(token),
                ca_file: None,
                era: None,
                connect_timeout: Duration::from_secs(5),
                answer_timeout: Duration::from_secs(120),
                idle_timeout: Duration::from_secs(300),
            },
            policies: Policies::default(),
            plugins: Plugins::default(),
            file: None,
            ops: None,
            console: None,
            notify: Notify::default(),
            identity: IdentityMode::Keys,
            principals: Vec::new(),
            approvers: Vec::new(),
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
            limits: Limits::default(),
            holds: Holds::default(),
            pseudonyms: Pseudonyms::default(),
            replay: Replay::default(),
            drain: Duration::from_secs(10),
            log: Log::default(),
            warnings: Vec::new(),
        }
    }

    /// The configured principal of a name.
    #[must_use]
    pub fn principal(&self, name: &str) -> Option<&Arc<Principal>> {
        self.principals.iter().find(|principal| principal.id.as_str() == name)
    }

    /// The configured approver of a name.
    #[must_use]
    pub fn approver(&self, name: &str) -> Option<&Arc<Approver>> {
        self.approvers.iter().find(|approver| approver.id.as_str() == name)
    }

    /// One line for `config check`: what was understood, without secrets.
    #[must_use]
    pub fn summary(&self) -> String {
        let identity = match &self.identity {
            IdentityMode::Keys => "keys",
            IdentityMode::Passthrough { .. } => "passthrough",
            IdentityMode::Anonymous(_) => "anonymous",
        };
        // A path or a query may have come from a secret.
        let upstream = &self.upstream.url;
        let count =
            |of: usize, what: &str| format!("{of} {what}{}", if of == 1 { "" } else { "s" });
        format!(
            "ok: listen {}, upstream {}://{}, identity {identity}, {}, {}, policies {}, data {}",
            self.listen,
            upstream.scheme_str().unwrap_or_default(),
            upstream.authority().map_or("", http::uri::Authority::as_str),
            count(self.principals.len(), "principal"),
            count(self.approvers.len(), "approver"),
            self.policies.origin,
            self.data.display(),
        )
    }
}

#[cfg(test)]
mod tests;
