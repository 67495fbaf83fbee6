//! The switches: everything about Intercom that is unknown, disputed or that can go wrong, as one value.
//!
//! Each enum lists its variants with the likeliest behaviour of the real server first, and that one is the default. The same
//! value is read from command line flags (`clap`), from JSON (`PATCH /_sim/options`) and from Rust, and a running simulator
//! takes a new value at any time. Switches never touch the data: they change how it is served.

use clap::Args;
use serde::{Deserialize, Serialize};

use super::tokens::Limited;

pub use super::switches::*;

/// All switches. `Default` is the likeliest behaviour of the real server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args)]
#[serde(default, deny_unknown_fields)]
#[command(next_help_heading = "Simulator switches")]
pub struct Options {
    /// Seed of the workspace, of identifiers and of jitter.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// The workspace's API token, accepted as a bearer token.
    #[arg(long, default_value = DEFAULT_TOKEN)]
    pub token: String,
    /// Further tokens, each with the permissions that it lacks: `TOKEN=read-articles+write-articles`.
    #[arg(long = "other-token", value_name = "TOKEN=PERMISSION+...")]
    pub other_tokens: Vec<Limited>,
    /// Generations of the protocol spoken on `/mcp`.
    #[arg(long, value_enum, default_value_t)]
    pub speak: Speak,
    /// Legacy revisions served, the preferred one first.
    #[arg(long, value_delimiter = ',', default_values_t = default_revisions())]
    pub revisions: Vec<String>,
    /// Doors that are open.
    #[arg(long, value_enum, default_value_t)]
    pub transport: Transport,
    /// Form of an answer to a POST.
    #[arg(long, value_enum, default_value_t)]
    pub reply: Reply,
    /// Number of tools offered.
    #[arg(long, value_enum, default_value_t)]
    pub tools: ToolSet,
    /// Offer `submit_mcp_feedback` as well.
    #[arg(long)]
    pub extra_tool: bool,
    /// Tools per page of `tools/list`; all on one page when absent.
    #[arg(long)]
    pub tools_per_page: Option<usize>,
    /// What is wrong with one tool's definition.
    #[arg(long, value_enum, default_value_t)]
    pub definition: Definition,
    /// The tool that `definition` is about.
    #[arg(long, default_value = "get_conversation")]
    pub changed_tool: String,
    /// Tool annotations.
    #[arg(long, value_enum, default_value_t)]
    pub annotations: Annotations,
    /// Mark the id parameters of conversations with `x-mcp-header` and check the mirrored header (modern).
    #[arg(long)]
    pub mirror_header: bool,
    /// Whether `get_conversation` returns the messages.
    #[arg(long, value_enum, default_value_t)]
    pub parts: Parts,
    /// How results are wrapped.
    #[arg(long, value_enum, default_value_t)]
    pub wrapping: Wrapping,
    /// API version of the objects.
    #[arg(long, value_enum, default_value_t)]
    pub api: ApiVersion,
    /// How bad arguments are reported.
    #[arg(long, value_enum, default_value_t)]
    pub argument_fault: ArgumentFault,
    /// What a faulty query gets.
    #[arg(long, value_enum, default_value_t)]
    pub query_fault: QueryFault,
    /// Shape of `pages.next`.
    #[arg(long, value_enum, default_value_t)]
    pub paging: Paging,
    /// Serve protected-resource metadata (RFC 9728).
    #[arg(long)]
    pub resource_metadata: bool,
    /// Redirect addresses that may register.
    #[arg(long, value_enum, default_value_t)]
    pub registration: Registration,
    /// Code challenge methods.
    #[arg(long, value_enum, default_value_t)]
    pub pkce: Pkce,
    /// What `/authorize` does.
    #[arg(long, value_enum, default_value_t)]
    pub consent: Consent,
    /// Lifetime of an OAuth access token in seconds.
    #[arg(long, default_value_t = 3600)]
    pub token_lifetime: u64,
    /// State of every credential.
    #[arg(long, value_enum, default_value_t)]
    pub credential: Credential,
    /// Region of the workspace.
    #[arg(long, value_enum, default_value_t)]
    pub region: Region,
    /// Whether the caller reached the right region.
    #[arg(long, value_enum, default_value_t)]
    pub region_match: RegionMatch,
    /// Permissions the token lacks.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub missing_permissions: Vec<Permission>,
    /// How a missing permission shows.
    #[arg(long, value_enum, default_value_t)]
    pub permission_fault: PermissionFault,
    /// Calls allowed per window of ten seconds; unlimited when absent.
    #[arg(long)]
    pub rate_limit: Option<u64>,
    /// How an exceeded rate shows.
    #[arg(long, value_enum, default_value_t)]
    pub rate_fault: RateFault,
    /// Headers about rates.
    #[arg(long, value_enum, default_value_t)]
    pub rate_headers: RateHeaders,
    /// What goes wrong with matching messages.
    #[arg(long, value_enum, default_value_t)]
    pub trouble: Trouble,
    /// Let so many matching messages pass before trouble starts.
    #[arg(long, default_value_t = 0)]
    pub trouble_after: u64,
    /// Number of messages that meet trouble; no end when absent.
    #[arg(long)]
    pub trouble_times: Option<u64>,
    /// Method that meets trouble; `*` for all but `initialize`.
    #[arg(long, default_value = "tools/call")]
    pub trouble_method: String,
    /// Only calls of this tool meet trouble.
    #[arg(long)]
    pub trouble_tool: Option<String>,
    /// Fixed delay of every tool call in milliseconds.
    #[arg(long, default_value_t = 0)]
    pub latency: u64,
    /// Additional random delay, at most so many milliseconds.
    #[arg(long, default_value_t = 0)]
    pub jitter: u64,
    /// Send answers in pieces of so many bytes ...
    #[arg(long)]
    pub piece: Option<usize>,
    /// ... with so many milliseconds between them.
    #[arg(long, default_value_t = 20)]
    pub piece_delay: u64,
    /// Milliseconds between keep-alive comments on open streams.
    #[arg(long, default_value_t = 25_000)]
    pub keep_alive: u64,
    /// Pad tool answers to at least so many bytes (500000 makes half a megabyte).
    #[arg(long)]
    pub pad: Option<usize>,
    /// Question put to the client in the middle of a call.
    #[arg(long, value_enum, default_value_t)]
    pub question: Question,
    /// Only calls of this tool put the question.
    #[arg(long)]
    pub question_tool: Option<String>,
    /// Milliseconds to wait for the client's answer to a question.
    #[arg(long, default_value_t = 30_000)]
    pub question_wait: u64,
    /// Progress notifications per call that brings a token.
    #[arg(long, default_value_t = 0)]
    pub progress: u64,
    /// Log notifications per call.
    #[arg(long, default_value_t = 0)]
    pub logs: u64,
    /// More words in notifications, in questions, and in a changed description.
    #[arg(long)]
    pub words: Option<String>,
    /// Write the letters of `results` as `\u00XX`.
    #[arg(long)]
    pub escaped: bool,
    /// Put event ids on answer streams and begin them with an empty event (2025-11-25).
    #[arg(long)]
    pub event_ids: bool,
    /// Hand out tasks to clients that declare the extension (modern); a task works for so many polls.
    #[arg(long)]
    pub tasks: Option<u64>,
    /// Who may cache lists (modern).
    #[arg(long, value_enum, default_value_t)]
    pub cache_scope: CacheScope,
    /// How long lists may be cached, in milliseconds (modern).
    #[arg(long, default_value_t = 60_000)]
    pub ttl: u64,
    /// Number of received messages kept.
    #[arg(long, default_value_t = 20_000)]
    pub keep: usize,
    /// Whole results of tools, in the place of what the workspace holds; from JSON and Rust alone. One that has only a
    /// member `error` is a JSON-RPC error.
    #[arg(skip)]
    pub results: std::collections::BTreeMap<String, serde_json::Value>,
}

/// `tok:simulator_0001` in base64: begins with `dG9r`, as Intercom's tokens do.
pub const DEFAULT_TOKEN: &str = "dG9rOnNpbXVsYXRvcl8wMDAx";

fn default_revisions() -> Vec<String> {
    ["2025-11-25", "2025-06-18", "2025-03-26"].map(str::to_owned).to_vec()
}

impl Default for Options {
    fn default() -> Self {
        Options {
            seed: 1,
            token: DEFAULT_TOKEN.to_owned(),
            other_tokens: Vec::new(),
            speak: Speak::default(),
            revisions: default_revisions(),
            transport: Transport::default(),
            reply: Reply::default(),
            tools: ToolSet::default(),
            extra_tool: false,
            tools_per_page: None,
            definition: Definition::default(),
            changed_tool: "get_conversation".to_owned(),
            annotations: Annotations::default(),
            mirror_header: false,
            parts: Parts::default(),
            wrapping: Wrapping::default(),
            api: ApiVersion::default(),
            argument_fault: ArgumentFault::default(),
            query_fault: QueryFault::default(),
            paging: Paging::default(),
            resource_metadata: false,
            registration: Registration::default(),
            pkce: Pkce::default(),
            consent: Consent::default(),
            token_lifetime: 3600,
            credential: Credential::default(),
            region: Region::default(),
            region_match: RegionMatch::default(),
            missing_permissions: Vec::new(),
            permission_fault: PermissionFault::default(),
            rate_limit: None,
            rate_fault: RateFault::default(),
            rate_headers: RateHeaders::default(),
            trouble: Trouble::default(),
            trouble_after: 0,
            trouble_times: None,
            trouble_method: "tools/call".to_owned(),
            trouble_tool: None,
            latency: 0,
            jitter: 0,
            piece: None,
            piece_delay: 20,
            keep_alive: 25_000,
            pad: None,
            question: Question::default(),
            question_tool: None,
            question_wait: 30_000,
            progress: 0,
            logs: 0,
            words: None,
            escaped: false,
            event_ids: false,
            tasks: None,
            cache_scope: CacheScope::default(),
            ttl: 60_000,
            keep: 20_000,
            results: std::collections::BTreeMap::new(),
        }
    }
}

impl Options {
    /// What `words` put behind a text.
    pub(super) fn more(&self) -> String {
        self.words.as_ref().map(|words| format!(" {words}")).unwrap_or_default()
    }

    /// These options with the members of a JSON object put over them.
    ///
    /// # Errors
    /// The reason in words, when a member is unknown or has a bad value.
    pub fn patched(&self, patch: &serde_json::Value) -> Result<Options, String> {
        let patch = patch.as_object().ok_or("a patch is a JSON object of switches")?;
        let mut all = serde_json::to_value(self).map_err(|error| error.to_string())?;
        if let Some(all) = all.as_object_mut() {
            all.extend(patch.clone());
        }
        serde_json::from_value(all).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    #[test]
    fn flags_json_and_rust_agree_on_the_defaults() {
        let line = Line::parse_from(["simulate"]).options;
        assert_eq!(line, Options::default());
        assert_eq!(serde_json::from_str::<Options>("{}").unwrap(), Options::default());
    }

    #[test]
    fn flags_and_json_spell_a_switch_alike() {
        let line = Line::parse_from([
            "simulate",
            "--api",
            "v2-16",
            "--trouble",
            "cut-within",
            "--tools",
            "six",
        ])
        .options;
        let json = serde_json::json!({"api": "v2-16", "trouble": "cut-within", "tools": "six"});
        assert_eq!(Options::default().patched(&json).unwrap(), line);
    }

    #[test]
    fn a_patch_with_an_unknown_switch_or_value_is_refused() {
        for bad in [
            serde_json::json!({"toolz": 1}),
            serde_json::json!({"tools": "seven"}),
            serde_json::json!([]),
        ] {
            assert!(Options::default().patched(&bad).is_err(), "{bad}");
        }
    }
}
