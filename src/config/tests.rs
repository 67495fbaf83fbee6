//! Configuration: what is read, what is refused and where, what the schema says.

mod schema;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value as Json;

use super::source::Source;
use super::walk::Asked;
use super::*;

const EXAMPLE: &str = include_str!("../../examples/portcullis.yaml");
const TOKEN: &str = "dG9rOmExYjJjM2Q0ZTVm";

fn environment(name: &str) -> Option<OsString> {
    match name {
        "INTERCOM_TOKEN" => Some(TOKEN.into()),
        "WEAK" => Some("changeme".into()),
        "MANY" => Some("2048".into()),
        _ => None,
    }
}

/// Writes the text into a folder of its own and loads it; problems come back without the folder.
fn load(text: &str, mode: u32) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.yaml");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    let prefix = format!("{}/", folder.path().display());
    Config::load_with(&path, &environment)
        .map_err(|problems| problems.to_string().replace(&prefix, ""))
}

/// The smallest file, and one more line.
fn with(line: &str) -> String {
    format!("upstream: {{ url: 'https://x.test/mcp', token: '${{INTERCOM_TOKEN}}' }}\n{line}")
}

#[test]
fn the_example_is_the_defaults() {
    let config = load(EXAMPLE, 0o644).unwrap();
    assert_eq!(config.warnings, [""; 0]);
    let bot = config.principal("support-bot").unwrap();
    assert_eq!(bot.attributes, BTreeMap::from([("team".to_owned(), "42".to_owned())]));
    assert_eq!(config.upstream.token.as_ref().unwrap().expose(), TOKEN);
    assert!(!format!("{config:?}").contains(TOKEN));

    let small = with("principals: [{ id: support-bot }]\napprovers: [{ id: jane }]");
    let small = load(&small, 0o644).unwrap();
    let tail = |config: &Config| {
        format!(
            "{:?} {:?} {:?} {:?} {} {:?}",
            config.listen,
            config.limits,
            config.holds,
            config.drain,
            config.environment,
            config.log
        )
    };
    assert_eq!(tail(&config), tail(&small));
    let summary = small.summary();
    assert!(
        summary.starts_with("ok: listen 127.0.0.1:8787, upstream https://x.test,"),
        "{summary}"
    );
    assert!(summary.contains(", 1 principal, 1 approver, "), "{summary}");
    assert!(!summary.contains("/./") && summary.ends_with("/portcullis-data"), "{summary}");
}

#[test]
fn every_problem_is_told_at_once_with_its_place() {
    let text = r#"listen: 0.0.0.0:8787
enviroment: staging
upstream:
  url: http://mcp.intercom.com/mcp
  token: ${NO_SUCH_VARIABLE}
  era: legcy
  timeouts: { connect: 5, answer: 3d, idel: 1s }
policies: ./nowhere
identity: { mode: keys, anonymous: { id: x } }
principals:
  - roles: [reader, "*"]
  - id: bot
    attributes: { team: 42 }
  - id: bot
    on_behalf_of: [jane]
approvers: jane
allowed_origins: ["*", null]
limits:
  body: 4MB
  connections: 0
  connections: 7
holds: 45s
log: { level: loud, format: &x json }
"#;
    insta::assert_snapshot!(load(text, 0o644).unwrap_err(), @r#"
    p.yaml:1:9: `listen` is `0.0.0.0:8787`, which others can reach without TLS; use a loopback address, or put a TLS proxy in front and say `behind_tls_proxy: true`
    p.yaml:2:1: unknown key `enviroment`; did you mean `environment`?
    p.yaml:4:8: `upstream.url` is `http://mcp.intercom.com/mcp`, but `http` is for loopback hosts only; use `https`
    p.yaml:5:10: the environment variable `NO_SUCH_VARIABLE` is not set; set it, or use `${file:path}`
    p.yaml:6:8: `upstream.era` cannot be `legcy`; did you mean `legacy`?
    p.yaml:7:24: `upstream.timeouts.connect` is `5`, but must be a duration such as `500ms`, `30s`, `5m` or `4h`
    p.yaml:7:35: `upstream.timeouts.answer` is `3d`, but must be between `100ms` and `1h`
    p.yaml:7:39: unknown key `upstream.timeouts.idel`; did you mean `idle`?
    p.yaml:8:11: `policies` names `nowhere`, which is not a folder; make it, or leave the key out for the shipped policies
    p.yaml:9:25: `identity.anonymous` is set, but `identity.mode` is not `anonymous`; remove one of them
    p.yaml:11:5: `principals[].id` is missing; add it, such as `id: support-bot`
    p.yaml:11:21: `principals[].roles` has `*`, which is not a name; use 1 to 128 of `A-Z a-z 0-9 . _ @ : / -`
    p.yaml:13:25: `principals[].attributes.team` must be text (put it in quotes), not a number
    p.yaml:14:9: `principals[].id` is `bot` a second time; keep one
    p.yaml:15:19: `principals[].on_behalf_of` must be text, not a list
    p.yaml:16:12: `approvers` must be a list (each item begins with `- `), not text
    p.yaml:17:19: `allowed_origins` has `*`, which is not an origin; write `https://name[:port]`, without path or wildcard
    p.yaml:17:24: `allowed_origins` must be text (put it in quotes), not nothing
    p.yaml:19:9: `limits.body` is `4MB`, but must be a size such as `512KiB` or `4MiB`
    p.yaml:20:16: `limits.connections` is `0`, but must be between `1` and `1000000`
    p.yaml:21:3: the key `connections` is here twice; keep one of them
    p.yaml:22:1: `holds` must be a mapping of keys to values, not text
    p.yaml:23:15: `log.level` cannot be `loud`; use `info`, `error`, `warn`, `debug` or `trace`
    p.yaml:23:32: anchors and aliases (`&name`, `*name`) are not accepted; write the value out
    "#);
}

#[test]
fn values_are_checked() {
    for (line, expected) in [
        ("listen: localhost:8787", "2:9: `listen` is `localhost:8787`, but must be an IP address"),
        ("listen: '[::1]:0'", ""),
        ("listen: 10.0.0.1:1\nbehind_tls_proxy: true", ""),
        (
            "behind_tls_proxy: yes",
            "2:19: `behind_tls_proxy` is `yes`, but must be `true` or `false`",
        ),
        ("environment: 7", "2:14: `environment` must be text (put it in quotes), not a number"),
        ("environment: ''", "2:14: `environment` is empty"),
        ("limits: { connections: '${MANY}' }", ""),
        (
            "limits: { connections: '${INTERCOM_TOKEN}' }",
            "2:24: `limits.connections` is `${INTERCOM_TOKEN}`, but must be a whole number",
        ),
        (
            "holds: { wait: 51s }",
            "2:16: `holds.wait` is `51s`, but must be between `100ms` and `50s`",
        ),
        (
            "limits: { body: 1GiB }",
            "2:17: `limits.body` is `1GiB`, but must be between `1KiB` and `64MiB`",
        ),
        ("identity: { mode: anonymous }", ""),
        ("identity: { mode: passthrough, passthrough: { roles: [a] } }", ""),
        (
            "identity: { mode: passthrough, anonymous: {} }",
            "2:32: `identity.anonymous` is set, but `identity.mode` is not `anonymous`",
        ),
        (
            "identity: { mode: anonymous }\nlisten: 10.0.0.1:1\nbehind_tls_proxy: true",
            "2:13: `identity.mode` cannot be `anonymous`",
        ),
        (
            "principals: [{ id: 'passthrough:abc' }]",
            "2:20: `principals[].id` is `passthrough:abc`, which Portcullis uses itself",
        ),
        ("principals: [{ id: 'a b' }]", "2:20: `principals[].id` is `a b`, but must be 1 to 128"),
        ("principals: [bot]", "2:14: `principals[]` must be a mapping of keys to values, not text"),
        (
            "allowed_hosts: ['https://x']",
            "2:17: `allowed_hosts` has `https://x`, which is not a host",
        ),
        ("allowed_hosts: [PORT.example:8443, '[::1]:1']", ""),
        ("allowed_hosts: ['*.x']", "2:17: `allowed_hosts` has `*.x`, which is not a host"),
        (
            "allowed_origins: ['https://x/']",
            "2:19: `allowed_origins` has `https://x/`, which is not an origin",
        ),
        ("allowed_origins: ['https://x:8443', 'vscode-webview://abc']", ""),
        ("tokn: x", "2:1: unknown key `tokn`; known here: `behind_tls_proxy`"),
        ("Allowed-Hosts: []", "2:1: unknown key `Allowed-Hosts`; did you mean `allowed_hosts`?"),
        ("plugins:", ""),
    ] {
        let found = load(&with(line), 0o644).map(|_| ()).err().unwrap_or_default();
        let expected =
            if expected.is_empty() { String::new() } else { format!("p.yaml:{expected}") };
        assert!(
            found.starts_with(&expected) && found.is_empty() == expected.is_empty(),
            "{line}\n{found}"
        );
        assert!(!found.contains(TOKEN) && found.lines().count() <= 1, "{found}");
    }
}

#[test]
fn upstreams_are_checked() {
    for (rest, expected) in [
        ("url: http://127.0.0.1:9/mcp, token: '${INTERCOM_TOKEN}'", ""),
        ("url: 'http://[::1]:9/mcp', token: '${INTERCOM_TOKEN}'", ""),
        ("url: http://localhost/mcp, token: '${INTERCOM_TOKEN}'", ""),
        (
            "url: http://localhost.evil/mcp, token: '${INTERCOM_TOKEN}'",
            "`http` is for loopback hosts only",
        ),
        ("url: https://u:p@x/mcp, token: '${INTERCOM_TOKEN}'", "must not hold a user name"),
        ("url: 'https://x/mcp#a', token: '${INTERCOM_TOKEN}'", "no `#` part"),
        ("url: ftp://x/, token: '${INTERCOM_TOKEN}'", "must begin with `https://`"),
        ("url: /mcp, token: '${INTERCOM_TOKEN}'", "must begin with `https://` and a host"),
        ("token: '${INTERCOM_TOKEN}'", "`upstream.url` is missing"),
        ("url: https://x/mcp", "`upstream.token` is missing"),
        ("url: https://x/mcp, token: '${WEAK}'", "`upstream.token` is a placeholder, not a secret"),
        ("url: https://x/mcp, token: ''", "`upstream.token` is empty"),
        ("url: https://x/mcp, token: short", "is shorter than 16 characters"),
        ("url: https://x/mcp, token: 'Bearer ${INTERCOM_TOKEN}'", "without `Bearer`"),
        (
            "url: https://x/mcp, token: '${INTERCOM_TOKEN}', ca_file: none.pem",
            "`none.pem`, which cannot be read",
        ),
        (
            "url: https://x/mcp, token: '${INTERCOM_TOKEN}', ca_file: p.yaml",
            "holds no PEM certificate",
        ),
    ] {
        let found =
            load(&format!("upstream: {{ {rest} }}"), 0o644).map(|_| ()).err().unwrap_or_default();
        assert_eq!(found.lines().count(), usize::from(!expected.is_empty()), "{rest}\n{found}");
        assert!(found.contains(expected), "{rest}\n{found}");
    }
}

#[test]
fn what_others_may_read_or_change_is_refused() {
    let literal = format!("upstream: {{ url: 'https://x.test/mcp', token: '{TOKEN}' }}");
    for (text, mode, expected) in [
        (with(""), 0o644, ""),
        (with(""), 0o664, ""),
        (
            with(""),
            0o666,
            "1:1: `p.yaml` can be changed by everybody (mode 0666); run `chmod o-w p.yaml`",
        ),
        (literal.clone(), 0o600, ""),
        (
            literal,
            0o640,
            "1:47: the file holds a secret, but `p.yaml` can be used by others (mode 0640); run `chmod 600 p.yaml`",
        ),
    ] {
        let found = load(&text, mode).map(|_| ()).err().unwrap_or_default();
        assert!(
            found.contains(expected) && found.is_empty() == expected.is_empty(),
            "{mode:o} {found}"
        );
    }

    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, format!("{TOKEN}\n")).unwrap();
    let path = folder.path().join("p.yaml");
    std::fs::create_dir(folder.path().join("portcullis-data")).unwrap();
    std::fs::write(&path, "upstream: { url: 'https://x.test/mcp', token: '${file:token}' }")
        .unwrap();
    let set = |name: &str, mode| {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(folder.path().join(name), mode).unwrap();
    };
    set("token", 0o644);
    set("portcullis-data", 0o755);
    let problems = Config::load_with(&path, &environment).unwrap_err();
    let texts: Vec<_> = problems.list.iter().map(|problem| problem.text.as_str()).collect();
    assert!(
        texts[0].contains("portcullis-data` can be used by others (mode 0755); run `chmod 700 "),
        "{texts:?}"
    );
    assert!(
        texts[1].contains("token` can be used by others (mode 0644); run `chmod 600 "),
        "{texts:?}"
    );
    set("token", 0o400);
    set("portcullis-data", 0o700);
    let config = Config::load_with(&path, &environment).unwrap();
    assert_eq!(config.upstream.token.unwrap().expose(), TOKEN);
}

/// What may be part of a credential is shown nowhere, and who only looks needs none.
#[test]
fn credentials_are_neither_shown_nor_needed_to_look() {
    let drawn = "upstream: { url: 'https://x.test/${INTERCOM_TOKEN}?k=${INTERCOM_TOKEN}', \
                 token: '${INTERCOM_TOKEN}' }\nprincipals: [{ id: a }]";
    let config = load(drawn, 0o644).unwrap();
    assert!(!config.summary().contains(TOKEN), "{}", config.summary());
    let said = load(&drawn.replace("x.test", "user:pa55word@x.test"), 0o644).unwrap_err();
    assert!(said.contains("must not hold a user name") && !said.contains("pa55word"), "{said}");

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.yaml");
    let unset = "upstream: { url: 'https://x.test/mcp', token: '${NOT_SET_ANYWHERE}' }\n\
                 pseudonyms: { key: '${file:none}' }\nprincipals: [{ id: a }]\n";
    std::fs::write(&path, unset).unwrap();
    assert!(Config::load(&path).unwrap_err().to_string().contains("`NOT_SET_ANYWHERE` is not set"));
    assert_eq!(Config::load_to_look(&path).unwrap().principals.len(), 1);
    // All else is looked at as ever.
    std::fs::write(&path, format!("{unset}drian: 1s\n")).unwrap();
    let said = Config::load_to_look(&path).unwrap_err().to_string();
    assert!(said.contains("did you mean `drain`?"), "{said}");
}

#[test]
fn loud_cases_warn() {
    for (line, expected) in [
        ("identity: { mode: anonymous }", "`identity.mode` is `anonymous`"),
        ("identity: { mode: passthrough }", "`identity.mode` is `passthrough`"),
        ("identity: { mode: passthrough }\nprincipals: [{ id: a }]", "`principals` is not used"),
        ("approvers: [{ id: a }]", "`principals` is empty"),
        (
            "principals: [{ id: jane@x.test }]\napprovers: [{ id: Jane@x.test }]",
            "`jane@x.test` is a principal and an approver",
        ),
        (
            "principals: [{ id: a, on_behalf_of: jane@example.com }]\napprovers: [{ id: jane }]",
            "`on_behalf_of` of `a` names no approver",
        ),
        ("listen: 10.0.0.1:1\nbehind_tls_proxy: true", "keys travel unencrypted"),
        ("listen: 10.0.0.1:1\nbehind_tls_proxy: true", "`allowed_hosts` is empty"),
    ] {
        let warnings = load(&with(line), 0o644).unwrap().warnings;
        assert!(warnings.iter().any(|warning| warning.contains(expected)), "{line}: {warnings:?}");
    }
}

#[test]
fn policies_have_one_source_and_keys_that_are_there() {
    let here = tempfile::tempdir().unwrap();
    let path = |name: &str| here.path().join(name).display().to_string();
    std::fs::create_dir(path("rules")).unwrap();
    std::fs::write(path("b.tar.gz"), "").unwrap();
    std::fs::write(path("good.pub"), "-----BEGIN PUBLIC KEY-----\n").unwrap();
    let (rules, bundle, key) = (path("rules"), path("b.tar.gz"), path("good.pub"));
    let url = "url: 'https://b.test/x'";
    for (section, expected) in [
        (rules.clone(), ""),
        (format!("{{ folder: {rules} }}"), ""),
        (format!("{{ folder: {rules}, watch: true, key: {key} }}"), ""),
        (format!("{{ bundle: {bundle}, keys: [{key}] }}"), ""),
        (format!("{{ {url}, interval: 5s, timeout: 1s, max_bytes: 1MiB, key: {key} }}"), ""),
        ("{ url: 'http://127.0.0.1:1/x', token: '${INTERCOM_TOKEN}' }".to_owned(), ""),
        ("{ watch: true }".to_owned(), "`policies.folder` is missing"),
        (format!("{{ folder: {rules}, {url} }}"), "`policies.url` is one source too many"),
        (format!("{{ bundle: {bundle}, folder: {rules} }}"), "`policies.bundle` is one source too"),
        (format!("{{ folder: {bundle} }}"), "which is not a folder"),
        (format!("{{ bundle: {rules} }}"), "which is not a file"),
        (format!("{{ {url}, watch: true }}"), "`policies.watch` is for a folder or bundle"),
        (format!("{{ folder: {rules}, token: '${{INTERCOM_TOKEN}}' }}"), "is for a bundle server"),
        (format!("{{ folder: {rules}, interval: 5s }}"), "`policies.interval` is for a bundle"),
        ("{ url: 'http://b.test/x' }".to_owned(), "`http` is for loopback hosts only"),
        ("{ url: 'https://u:p@b.test/x' }".to_owned(), "must not hold a user name or password"),
        (format!("{{ {url}, token: changeme }}"), "`policies.token` is a placeholder"),
        (format!("{{ {url}, max_bytes: 1GiB }}"), "must be between `1KiB` and `8MiB`"),
        (format!("{{ {url}, intervall: 5s }}"), "did you mean `interval`?"),
        (format!("{{ {url}, key: {bundle} }}"), "which holds no public key"),
        (format!("{{ {url}, key: {} }}", path("none.pub")), "which cannot be read"),
        (format!("{{ {url}, key: {key}, keys: [{key}] }}"), "`policies.keys` stands beside `key`"),
        // A key that was forgotten is not "no key wanted".
        (format!("{{ {url}, key: }}"), "`policies.key` names no key"),
        (format!("{{ {url}, key: '' }}"), "`policies.key` is empty"),
        (format!("{{ {url}, keys: }}"), "`policies.keys` names no key"),
        (format!("{{ {url}, keys: [] }}"), "`policies.keys` names no key"),
    ] {
        match load(&with(&format!("policies: {section}")), 0o644) {
            Ok(config) => assert!(expected.is_empty(), "{section}: {config:?}"),
            Err(problems) => assert!(
                !expected.is_empty() && problems.contains(expected),
                "{section}: {problems}, not {expected}"
            ),
        }
    }
}

#[test]
fn plugins_are_named_found_and_bounded() {
    let here = tempfile::tempdir().unwrap();
    let path = here.path().join("own.wasm").display().to_string();
    std::fs::write(&path, "").unwrap();
    let digest = format!("sha256:{}", "0a".repeat(32));
    let own = format!("name: own, path: {path}, digest: '{digest}'");
    for (section, expected) in [
        ("{ shipped: false, required: [pii], faults: 3, pause: 1m }".to_owned(), ""),
        ("{ shipped: false, watch: true, without: ['*'] }".to_owned(), ""),
        ("{ without: [email, own_number] }".to_owned(), ""),
        ("{ without: [E-mail] }".to_owned(), "which is no kind"),
        ("{ without: [email, email] }".to_owned(), "has `email` twice"),
        (format!("{{ list: [{{ {own}, memory: 8MiB, deadline: 20ms, required: true }}] }}"), ""),
        (format!("{{ list: [{{ {own}, phases: [call, answer], tools: [get_contact] }}] }}"), ""),
        (format!("{{ list: [{{ {own}, config: {{ a: [1, b] }} }}] }}"), ""),
        ("{ list: [{ name: pii, builtin: pii, config: { x: 1 } }] }".to_owned(), ""),
        ("[]".to_owned(), "`plugins` must be a mapping"),
        ("{ list: [{ builtin: pii }] }".to_owned(), "`plugins.list[].name` is missing"),
        ("{ list: [{ name: a }] }".to_owned(), "`plugins.list[].path` is missing"),
        ("{ list: [{ name: A b, builtin: pii }] }".to_owned(), "which is not a name"),
        (format!("{{ list: [{{ {own}, builtin: pii }}] }}"), "stands beside `builtin`"),
        (format!("{{ list: [{{ {own} }}, {{ {own} }}] }}"), "a second time"),
        ("{ list: [{ name: a, path: ./none.wasm }] }".to_owned(), "none.wasm"),
        (format!("{{ list: [{{ name: a, path: {path}, digest: abc }}] }}"), "is not a digest"),
        (format!("{{ list: [{{ {own}, phases: [calls] }}] }}"), "has `calls`"),
        (format!("{{ list: [{{ {own}, memory: 4GiB }}] }}"), "must be between"),
        (format!("{{ list: [{{ {own}, deadline: 0ms }}] }}"), "must be between"),
        (format!("{{ list: [{{ {own}, memry: 8MiB }}] }}"), "did you mean `memory`?"),
        (format!("{{ key: {path} }}"), "which holds no public key"),
        ("{ keys: [] }".to_owned(), "`plugins.keys` names no key"),
    ] {
        match load(&with(&format!("plugins: {section}")), 0o644) {
            Ok(config) => assert!(expected.is_empty(), "{section}: {config:?}"),
            Err(problems) => assert!(
                !expected.is_empty() && problems.contains(expected),
                "{section}: {problems}, not {expected}"
            ),
        }
    }
    let text = with(&format!(
        "plugins: {{ list: [{{ {own}, required: true, config: {{ b: 1, a: x }}, phases: [call] }}] }}"
    ));
    let plugins = load(&text, 0o644).unwrap().plugins;
    assert_eq!((plugins.required, plugins.shipped), (vec!["own".to_owned()], true));
    let [entry] = plugins.list.as_slice() else { panic!("{:?}", plugins.list) };
    assert_eq!(entry.config.as_ref().unwrap().as_str(), r#"{"a":"x","b":1}"#);
    assert_eq!(entry.phases, Some([crate::domain::Phase::Call].into()));
}

#[test]
fn files_that_cannot_be_read_are_problems() {
    let missing = Config::load(Path::new("no/such.yaml")).unwrap_err().to_string();
    assert!(missing.starts_with("no/such.yaml: cannot be read: "), "{missing}");
    for (text, expected) in [
        ("", "p.yaml:1:1: `upstream.url` is missing"),
        ("- a", "p.yaml:1:1: the file must be a mapping of keys to values, not a list"),
        ("upstream: {", "p.yaml:2:1: this is not YAML: "),
    ] {
        let found = load(text, 0o644).unwrap_err();
        assert!(found.starts_with(expected), "{found}");
    }
}
