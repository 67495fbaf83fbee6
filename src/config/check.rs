//! The file to a [`Config`]: every section in the order of the example, every problem noted.

use std::fs::File;
use std::io::Read as _;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::agents;
use super::console::console;
use super::holds::holds;
use super::notify::notify;
use super::plugins::plugins;
use super::policies::policies;
use super::private;
use super::section::Section;
use super::source::{Lookup, Source};
use super::walk::{Notes, Walk};
use super::{
    Config, IdentityMode, Keep, Limits, Log, LogFormat, LogLevel, Problem, Problems, Pseudonyms,
    Replay, Upstream,
};
use crate::domain::Era;
use crate::yaml::{self, Node, Position};

const MAX_BYTES: usize = 1 << 20;

pub(super) fn load(
    path: &Path,
    environment: Lookup<'_>,
    secrets: bool,
) -> Result<Config, Problems> {
    let whole = |text| Problems::new(path.to_owned(), vec![Problem { at: None, text }]);
    let text = read_text(path).map_err(whole)?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let folder = parent.unwrap_or(Path::new("."));
    let source = Source { folder, environment, secrets };
    let (config, notes) = checked(path, source, &text);
    match config {
        Some(config) if notes.problems.is_empty() => {
            Ok(Config { warnings: notes.warnings, file: Some(path.to_owned()), ..config })
        }
        _ => Err(Problems::new(path.to_owned(), notes.problems)),
    }
}

fn read_text(path: &Path) -> Result<String, String> {
    let unreadable = |error: std::io::Error| {
        format!("cannot be read: {error}; name a configuration with `--config`")
    };
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    String::from_utf8(bytes).map_err(|_| "is not valid UTF-8; save it as UTF-8".to_owned())
}

/// Walks the text. The configuration is there only if all required values are; it counts only if
/// there are no problems.
pub(super) fn checked(path: &Path, source: Source<'_>, text: &str) -> (Option<Config>, Notes) {
    let reading = yaml::read(text, &yaml::Limits { max_bytes: MAX_BYTES, ..Default::default() });
    let walk = Walk::new(source, reading.faults);
    let config = reading.node.as_ref().and_then(|node| whole(&walk, node));
    check_file(&walk, path);
    (config, walk.into_notes())
}

fn whole<'w>(walk: &'w Walk<'w>, node: &'w Node) -> Option<Config> {
    let root = Section::new(walk, String::new(), Position::START, Some(node));
    let behind_tls_proxy = root.flag("behind_tls_proxy", false);
    let listen = listen(&root, behind_tls_proxy);
    let data = data(&root, walk);
    let environment = root.text_or("environment", "production").text;
    let policies = policies(&root);
    let plugins = plugins(&root);
    let identity = agents::identity(&root, walk, listen.ip().is_loopback());
    let token_needed =
        identity.as_ref().is_some_and(|mode| !matches!(mode, IdentityMode::Passthrough { .. }));
    let upstream = upstream(&root, token_needed);
    let principals = agents::principals(&root);
    let approvers = agents::approvers(&root);
    let allowed_hosts = agents::allowed_hosts(&root);
    let allowed_origins = agents::allowed_origins(&root);
    let limits = limits(&root);
    let holds = holds(&root);
    let pseudonyms = pseudonyms(&root);
    let replay = replay(&root);
    let drain =
        root.span("drain", Duration::from_secs(10), &(SECOND.saturating_mul(0)..=MINUTE * 10));
    let ops = ops(&root, &listen);
    let console =
        console(&root, walk, &[Some(listen), ops].into_iter().flatten().collect::<Vec<_>>());
    let notify = notify(&root, walk);
    let log = log(&root);
    root.finish();
    let config = Config {
        listen,
        behind_tls_proxy,
        data,
        environment,
        upstream: upstream?,
        policies,
        plugins,
        file: None,
        identity: identity?,
        principals,
        approvers,
        allowed_hosts,
        allowed_origins,
        limits,
        holds,
        pseudonyms,
        replay,
        drain,
        ops,
        console,
        notify,
        log,
        warnings: Vec::new(),
    };
    check_together(walk, &config);
    Some(config)
}

pub(super) const MILLI: Duration = Duration::from_millis(1);
pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const MINUTE: Duration = Duration::from_secs(60);
pub(super) const HOUR: Duration = Duration::from_secs(60 * 60);

/// What can only be said of the whole.
fn check_together(walk: &Walk<'_>, config: &Config) {
    let keys = matches!(config.identity, IdentityMode::Keys);
    if keys && config.principals.is_empty() {
        walk.warn("`principals` is empty: every agent will be answered 401");
    }
    if !keys && !config.principals.is_empty() {
        walk.warn("`principals` is not used: `identity.mode` is not `keys`");
    }
    for principal in &config.principals {
        let Some(human) = &principal.on_behalf_of else { continue };
        let mut approvers = config.approvers.iter();
        if !config.approvers.is_empty()
            && !approvers.any(|approver| approver.id.as_str().eq_ignore_ascii_case(human))
        {
            walk.warn(format!(
                "`on_behalf_of` of `{}` names no approver: a person who is both must have the same \
                 name in both places, or could release calls made in their own name",
                principal.id
            ));
        }
    }
    for principal in &config.principals {
        let name = principal.id.as_str();
        let is_both =
            config.approvers.iter().any(|approver| approver.id.as_str().eq_ignore_ascii_case(name));
        if is_both {
            walk.warn(format!(
                "`{name}` is a principal and an approver: the person cannot release what that agent \
                 asks for, and the log cannot tell them apart; give the agent another name"
            ));
        }
    }
    if config.behind_tls_proxy && !config.listen.ip().is_loopback() {
        walk.warn(
            "`listen` is not a loopback address: keys travel unencrypted between the TLS proxy \
             and Portcullis",
        );
    }
    if config.behind_tls_proxy && config.allowed_hosts.is_empty() {
        walk.warn(
            "`allowed_hosts` is empty: requests that carry the TLS proxy's host name will be \
             refused",
        );
    }
}

fn listen(root: &Section<'_>, behind_tls_proxy: bool) -> SocketAddr {
    let default = SocketAddr::from(([127, 0, 0, 1], 8787));
    let text = root.text_or("listen", "127.0.0.1:8787");
    let Ok(address) = text.text.parse::<SocketAddr>() else {
        let rule = "but must be an IP address and a port, such as `127.0.0.1:8787` or `[::1]:8787`";
        root.refuse(text.at, "listen", &format!("is `{}`, {rule}", text.shown));
        return default;
    };
    if !address.ip().is_loopback() && !behind_tls_proxy {
        let rule = "which others can reach without TLS; use a loopback address, or put a TLS proxy \
                    in front and say `behind_tls_proxy: true`";
        root.refuse(text.at, "listen", &format!("is `{}`, {rule}", text.shown));
    }
    address
}

/// Where health and metrics are served. Any address will do, for they hold nothing of calls; but not
/// the agents' one.
fn ops(root: &Section<'_>, agents: &SocketAddr) -> Option<SocketAddr> {
    let section = root.section("ops");
    let text = section.text("listen");
    let address = text.and_then(|text| {
        let refuse =
            |why: &str| section.refuse(text.at, "listen", &format!("is `{}`, {why}", text.shown));
        match text.text.parse::<SocketAddr>() {
            Ok(address) if address == *agents && address.port() != 0 => {
                refuse("where agents connect; give health and metrics a port of their own");
                None
            }
            Ok(address) => Some(address),
            Err(_) => {
                refuse("but must be an IP address and a port, such as `127.0.0.1:9464`");
                None
            }
        }
    });
    section.finish();
    address
}

fn data(root: &Section<'_>, walk: &Walk<'_>) -> PathBuf {
    let text = root.text_or("data", "./portcullis-data");
    let path = walk.source.beside(&text.text);
    // An absent folder is made at start, private.
    if path.exists()
        && let Err(error) = private::check_folder(&path)
    {
        root.refuse(text.at, "data", &format!("is no private folder: {error}"));
    }
    path
}

fn upstream(root: &Section<'_>, token_needed: bool) -> Option<Upstream> {
    let section = root.section("upstream");
    let url = section.text("url");
    if url.is_none() && section.has("url").is_none() {
        section.missing("url", "url: https://mcp.intercom.com/mcp");
    }
    let url = url.and_then(|text| match read_url(&text.text) {
        Ok(url) => Some(url),
        Err(rule) => {
            section.refuse_url("url", &text, rule);
            None
        }
    });
    let token = section.secret("token");
    if token_needed && section.has("token").is_none() {
        section.missing("token", "token: ${INTERCOM_TOKEN}");
    }
    let ca_file = section.path("ca_file").map(|(at, path)| {
        if let Err(problem) = check_pem(&path) {
            section.refuse(at, "ca_file", &problem);
        }
        path
    });
    let eras = [("auto", None), ("legacy", Some(Era::Legacy)), ("modern", Some(Era::Modern))];
    let era = section.choice("era", &eras).flatten();
    let timeouts = section.section("timeouts");
    let connect_timeout = timeouts.span("connect", SECOND * 5, &(MILLI * 100..=MINUTE));
    let answer_timeout = timeouts.span("answer", MINUTE * 2, &(MILLI * 100..=HOUR));
    let idle_timeout = timeouts.span("idle", MINUTE * 5, &(SECOND..=HOUR * 24));
    timeouts.finish();
    section.finish();
    Some(Upstream { url: url?, token, ca_file, era, connect_timeout, answer_timeout, idle_timeout })
}

/// The endpoint, or what is wrong with it.
pub(super) fn read_url(text: &str) -> Result<http::Uri, &'static str> {
    let url: http::Uri =
        text.parse().map_err(|_| "must be a URL, such as `https://mcp.intercom.com/mcp`")?;
    let (Some(scheme), Some(authority)) = (url.scheme_str(), url.authority()) else {
        return Err("must begin with `https://` and a host");
    };
    if authority.as_str().contains('@') {
        return Err("must not hold a user name or password; use `token`");
    }
    if authority.host().is_empty() || text.contains('#') {
        return Err("must have a host and no `#` part");
    }
    match scheme {
        "https" => Ok(url),
        "http" if is_loopback(authority.host()) => Ok(url),
        "http" => Err("`http` is for loopback hosts only; use `https`"),
        _ => Err("must begin with `https://`"),
    }
}

pub(super) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

pub(super) fn check_pem(path: &Path) -> Result<(), String> {
    let shown = path.display();
    let text = std::fs::read(path)
        .map_err(|error| format!("names `{shown}`, which cannot be read: {error}"))?;
    if text.windows(27).any(|part| part == b"-----BEGIN CERTIFICATE-----") {
        Ok(())
    } else {
        Err(format!(
            "names `{shown}`, which holds no PEM certificate; it must have \
             `-----BEGIN CERTIFICATE-----`"
        ))
    }
}

fn limits(root: &Section<'_>) -> Limits {
    let default = Limits::default();
    let section = root.section("limits");
    let wait = MILLI * 100..=HOUR;
    let many = 1..=1_000_000;
    let limits = Limits {
        body: section.size("body", default.body, &(1 << 10..=64 << 20)),
        header_timeout: section.span("header_timeout", default.header_timeout, &wait),
        body_timeout: section.span("body_timeout", default.body_timeout, &wait),
        idle_timeout: section.span("idle_timeout", default.idle_timeout, &wait),
        connections: section.count("connections", default.connections, &many),
        streams: u32::try_from(section.count("streams", 64, &(1..=1000)))
            .unwrap_or(default.streams),
        sessions_per_principal: section.count(
            "sessions_per_principal",
            default.sessions_per_principal,
            &many,
        ),
        calls_in_flight: section.count("calls_in_flight", default.calls_in_flight, &many),
    };
    section.finish();
    limits
}

fn pseudonyms(root: &Section<'_>) -> Pseudonyms {
    let default = Pseudonyms::default();
    let section = root.section("pseudonyms");
    let pseudonyms = Pseudonyms {
        key: section.secret("key"),
        valid: section.span("valid", default.valid, &(MINUTE..=HOUR * 24 * 400)),
        per_principal: section.count("per_principal", default.per_principal, &(100..=1_000_000)),
        total: section.count("total", default.total, &(100..=10_000_000)),
    };
    section.finish();
    pseudonyms
}

fn replay(root: &Section<'_>) -> Replay {
    let default = Replay::default();
    let section = root.section("replay");
    let words = [("nothing", Keep::Nothing), ("calls", Keep::Calls), ("answers", Keep::Answers)];
    let replay = Replay {
        keep: section.choice("keep", &words).unwrap_or_default(),
        age: section.span("age", default.age, &(MINUTE..=HOUR * 24 * 90)),
        size: section.size("size", default.size, &((1 << 20)..=(64 << 30))),
        answer_size: section.size("answer_size", default.answer_size, &(0..=(1 << 20))),
    };
    section.finish();
    replay
}

fn log(root: &Section<'_>) -> Log {
    let section = root.section("log");
    use LogLevel::{Debug, Error, Info, Trace, Warn};
    let levels = [Info, Error, Warn, Debug, Trace].map(|level| (level.as_str(), level));
    let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
    let log = Log {
        level: section.choice("level", &levels).unwrap_or_default(),
        format: section.choice("format", &formats).unwrap_or_default(),
    };
    section.finish();
    log
}

/// The file itself: nobody else may change it, nor read it if it holds a secret.
fn check_file(walk: &Walk<'_>, path: &Path) {
    if let Err(error) = private::check_not_writable(path) {
        walk.problem(Position::START, error.to_string());
    }
    if let Some(at) = walk.literal_secret()
        && let Err(error) = private::check_secret_holder(path)
    {
        walk.problem(
            at,
            format!("the file holds a secret, but {error}; or use `${{NAME}}` or `${{file:path}}`"),
        );
    }
}
