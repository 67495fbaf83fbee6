//! Roll-out with the real binary: a folder that is watched, bundles from a server, revisions that
//! are promoted, rolled back and pinned, and what is recorded of all that.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use http::{Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::live::{CONVERSATION, reading};
use crate::stand::{AGENT, Setup, Stand, binary, until};

/// Rules of few lines, under which the agent may do everything, or not read conversations.
pub(crate) fn rules(word: &str, denies: bool) -> Vec<(&'static str, String)> {
    let package = |name: &str| format!("package portcullis.rules.{name}\nimport rego.v1\n");
    let allow = format!(
        "allow contains {{\"rule\": \"{word}\", \"text\": \"may\"}} if input.principal.id\n"
    );
    let release = allow.replace("input.principal.id", "input.approver.id");
    let deny = format!(
        "deny contains {{\"rule\": \"{word}_closed\", \"text\": \"closed\"}} if \
         input.tool.name == \"get_conversation\"\n"
    );
    let deny = if denies { deny } else { String::new() };
    vec![
        ("admit.rego", package("admit") + &allow + &deny),
        ("disclose.rego", package("disclose") + &allow),
        ("approve.rego", package("approve") + &release),
        (
            "visible.rego",
            package("visible") + "show contains tool.name if some tool in input.tools\n",
        ),
    ]
}

pub(crate) fn write(folder: &Path, files: &[(&str, String)]) {
    std::fs::create_dir_all(folder).unwrap();
    for (name, text) in files {
        std::fs::write(folder.join(name), text).unwrap();
    }
}

/// A folder of its own with rules.
pub(crate) fn folder(word: &str, denies: bool) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &rules(word, denies));
    folder
}

/// The rule that decides on a call now.
async fn rule(stand: &Stand) -> String {
    let before = decisions(stand).len();
    stand.client().modern("tools/call", reading(0), json!({})).await;
    let decisions = decisions(stand);
    let found = &decisions[before..];
    assert_eq!(found.len(), 1);
    let rule = found[0]["decision"]["reasons"][0]["rule"].as_str().unwrap();
    rule.strip_prefix("admit.").unwrap().to_owned()
}

/// The agent's decisions in the log.
fn decisions(stand: &Stand) -> Vec<Value> {
    let records = stand.records().into_iter();
    let own = |it: &Value| it["type"] == "decision" && it["call"]["principal"] == AGENT;
    records.filter(own).collect()
}

fn status(stand: &Stand) -> Value {
    let output = stand.run(&["policy", "status", "--format", "json"]);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

/// Standard error of a command that must fail.
fn refused(stand: &Stand, arguments: &[&str]) -> String {
    let output = stand.run(arguments);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn records(stand: &Stand, kind: &str) -> Vec<Value> {
    stand.records().into_iter().filter(|it| it["type"] == kind).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watched_folder_is_followed_and_a_broken_one_is_not() {
    let outer = tempfile::tempdir().unwrap();
    write(&outer.path().join("one"), &rules("one", false));
    write(&outer.path().join("two"), &rules("two", true));
    write(
        &outer.path().join("bad"),
        &[("admit.rego", "package portcullis.rules.admit\nx {".into())],
    );
    // As container platforms do it: the configured folder is a link, and the link is swapped.
    let link = |name: &str| {
        std::os::unix::fs::symlink(name, outer.path().join("next")).unwrap();
        std::fs::rename(outer.path().join("next"), outer.path().join("now")).unwrap();
    };
    link("one");
    let more =
        format!("policies:\n  folder: {}\n  watch: true\n", outer.path().join("now").display());
    let stand = Stand::start(Setup { more, ..Setup::default() }).await;
    let first = status(&stand);
    assert_eq!(first["followed"], true);
    assert!(first["last_attempt"].is_null() && first["pinned"] == false, "{first}");
    assert_eq!(rule(&stand).await, "one");

    link("two");
    until("the second decides", async || rule(&stand).await == "two_closed").await;
    let second = status(&stand);
    assert_ne!(second["active"]["revision"], first["active"]["revision"]);
    assert_eq!(second["kept"].as_array().unwrap().len(), 2);

    link("bad");
    until("the third is refused", async || !status(&stand)["last_attempt"]["error"].is_null())
        .await;
    let third = status(&stand);
    assert_eq!(third["active"], second["active"]);
    assert!(third["last_attempt"]["error"].as_str().unwrap().contains("admit.rego:2"), "{third}");
    assert_eq!(stand.run(&["policy", "status"]).status.code(), Some(1));
    assert_eq!(rule(&stand).await, "two_closed");
    assert!(stand.stderr().contains("the old policy stays in force"));

    link("one");
    until("the first decides again", async || rule(&stand).await == "one").await;
    // Each revision came once, and the bad one was refused once.
    let came: Vec<bool> =
        records(&stand, "ruleset").iter().map(|it| it["refused"].is_null()).collect();
    assert_eq!(came, [true, false, true]);
    assert!(stand.output(&["policy", "status"]).contains("is in force"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn revisions_are_promoted_rolled_back_and_pinned() {
    let folder = folder("one", false);
    let more = format!("policies:\n  folder: {}\n  watch: true\n", folder.path().display());
    let mut stand = Stand::start(Setup { more, ..Setup::default() }).await;
    let nothing = refused(&stand, &["policy", "rollback", "--reason", "x"]);
    assert!(nothing.contains("no earlier revision is kept"), "{nothing}");
    let one = status(&stand)["active"]["revision"].as_str().unwrap().to_owned();
    write(folder.path(), &rules("two", false));
    until("the second decides", async || rule(&stand).await == "two").await;
    let two = status(&stand)["active"]["revision"].as_str().unwrap().to_owned();

    // Who and why are asked for, and nothing happens without.
    assert_eq!(stand.run(&["policy", "rollback"]).status.code(), Some(2));
    assert!(refused(&stand, &["policy", "rollback", "--reason", " "]).contains("say why"));
    assert_eq!(rule(&stand).await, "two");

    let told = stand.output(&["policy", "rollback", "--reason", "two reads too much"]);
    assert!(told.contains("is in force; it is pinned"), "{told}");
    assert_eq!(rule(&stand).await, "one");
    // The source is not followed: not by itself, not when asked, not after a restart.
    write(folder.path(), &rules("three", false));
    assert!(refused(&stand, &["policy", "reload"]).contains("is pinned"));
    assert!(stand.terminate().success());
    stand.serve();
    assert_eq!(rule(&stand).await, "one");
    let pinned = status(&stand);
    assert!(pinned["pinned"] == true && pinned["active"]["revision"] == one.as_str(), "{pinned}");

    // By digits of the digest; then back to the source.
    let digits = &two["sha256:".len()..]["0123".len()..];
    assert!(refused(&stand, &["policy", "promote", digits, "--reason", "x"]).contains("is called"));
    stand.output(&[
        "policy",
        "promote",
        &two["sha256:".len()..][..12],
        "--reason",
        "two after all",
    ]);
    assert_eq!(rule(&stand).await, "two");
    stand.output(&["policy", "promote", "--latest", "--reason", "three is ready"]);
    assert_eq!(rule(&stand).await, "three");
    write(folder.path(), &rules("four", false));
    until("the source is followed", async || rule(&stand).await == "four").await;

    let orders: Vec<(Value, Value)> = records(&stand, "rollout")
        .iter()
        .map(|it| {
            let by = it["by"].as_str().unwrap();
            assert!(by.contains("uid"), "{by}");
            (it["action"].clone(), it["reason"].clone())
        })
        .collect();
    let expected = [
        ("rollback", "two reads too much"),
        ("promote", "two after all"),
        ("follow", "three is ready"),
    ];
    assert_eq!(orders, expected.map(|(action, reason)| (json!(action), json!(reason))));

    // What is read back is what was kept, or nothing.
    let kept = stand.data().join("policies");
    for entry in std::fs::read_dir(&kept).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|it| it == "gz") {
            std::fs::write(path, b"x").unwrap();
        }
    }
    let damaged = refused(&stand, &["policy", "rollback", "--reason", "x"]);
    assert!(damaged.contains("is damaged"), "{damaged}");
    assert_eq!(rule(&stand).await, "four");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn open_holds_are_judged_by_the_newest_revision() {
    let folder = tempfile::tempdir().unwrap();
    let holds = "hold contains {\"rule\": \"wait\", \"text\": \"wait\", \"release\": {\"groups\": \
                 [\"kb-editors\"], \"people\": 1, \"expires_seconds\": 600}} if \
                 input.tool.name == \"get_conversation\"\n";
    let mut all = rules("one", false);
    all[0].1.push_str(holds);
    write(folder.path(), &all);
    let more = format!("policies: {}\nholds: {{ wait: 100ms }}\n", folder.path().display());
    let stand = Stand::start(Setup { more, ..Setup::default() }).await;
    let client = stand.client().connected().await;
    let held = client.call("get_conversation", json!({"id": CONVERSATION})).await;
    assert!(held.tool_text().starts_with("PENDING"), "{held:?}");
    let id = stand.holds().await[0].id;
    write(folder.path(), &rules("two", true));
    stand.output(&["policy", "reload"]);
    let refused = stand.approve(id).await.unwrap_err();
    assert!(refused.contains("policy denies this call now"), "{refused}");
    assert!(stand.calls().is_empty());
}

/// A server with one bundle, which tests change.
struct Server {
    address: std::net::SocketAddr,
    state: Arc<Mutex<Serving>>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Serving {
    bundle: Vec<u8>,
    status: Option<StatusCode>,
    /// What was asked: the tag that the client knows, its token, and what was answered.
    asked: Vec<(Option<String>, Option<String>, u16)>,
}

impl Server {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(Serving::default()));
        let shared = state.clone();
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let state = shared.clone();
                let service = hyper::service::service_fn(move |request| {
                    let answer = state.lock().unwrap().answer(&request);
                    async move { Ok::<_, std::convert::Infallible>(answer) }
                });
                let connection = hyper::server::conn::http1::Builder::new();
                tokio::spawn(connection.serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { address, state, task }
    }

    fn put(&self, bundle: Vec<u8>) {
        self.state.lock().unwrap().bundle = bundle;
    }

    fn answers(&self) -> Vec<u16> {
        self.state.lock().unwrap().asked.iter().map(|(_, _, status)| *status).collect()
    }
}

impl Serving {
    fn answer(&mut self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        let header = |name| request.headers().get(name).map(|it| it.to_str().unwrap().to_owned());
        let known = header(header::IF_NONE_MATCH);
        let etag = format!("\"{}\"", portcullis::domain::Digest::of("etag", &[&self.bundle]));
        let same = known.as_ref() == Some(&etag);
        let status =
            self.status.unwrap_or(if same { StatusCode::NOT_MODIFIED } else { StatusCode::OK });
        let body = if status == StatusCode::OK { self.bundle.clone() } else { Vec::new() };
        self.asked.push((known, header(header::AUTHORIZATION), status.as_u16()));
        let answer = Response::builder().status(status).header(header::ETAG, etag);
        answer.header(header::LOCATION, "http://127.0.0.1:1/").body(Full::from(body)).unwrap()
    }
}

/// Standard output of a command that must succeed.
fn run(arguments: &[&str]) -> String {
    let output = std::process::Command::new(binary()).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Makes a bundle with the command line.
pub(crate) fn built(folder: &Path, name: &str, key: Option<&Path>) -> Vec<u8> {
    let file = folder.join(format!("../{name}.tar.gz"));
    let (source, target) = (folder.to_str().unwrap(), file.to_str().unwrap());
    run(&["policy", "bundle", "build", source, "-o", target, "--revision", name]);
    if let Some(key) = key {
        let signed = run(&["policy", "bundle", "sign", target, "--key", key.to_str().unwrap()]);
        assert!(signed.contains("signed with EdDSA"), "{signed}");
    }
    let shown = run(&["policy", "bundle", "inspect", target, "--format", "json"]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(
        (&shown["manifest"]["revision"], &shown["signed"]),
        (&json!(name), &json!(key.is_some()))
    );
    std::fs::read(file).unwrap()
}

/// A bundle with one more file: a test that fails, with which `bundle build` would make none. Signed.
fn with_failing_test(file: &Path, good: &[u8], key: &Path) -> Vec<u8> {
    let mut all = tar::Archive::new(flate2::read::GzDecoder::new(good));
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut out = tar::Builder::new(gzip);
    let mut put = |name: &str, text: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        out.append_data(&mut header, name, text).unwrap();
    };
    for entry in all.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        let mut text = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut text).unwrap();
        put(&name, &text);
    }
    put("admit_test.rego", b"package portcullis.rules.admit_test\n\ntest_never if 1 == 2\n");
    std::fs::write(file, out.into_inner().unwrap().finish().unwrap()).unwrap();
    let (file, key) = (file.to_str().unwrap(), key.to_str().unwrap());
    run(&["policy", "bundle", "sign", file, "--key", key]);
    std::fs::read(file).unwrap()
}

/// A pair of Ed25519 keys in PEM: private and public.
fn keys(folder: &Path, name: &str) -> (PathBuf, PathBuf) {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
    use base64::Engine as _;
    let document = Ed25519KeyPair::generate_pkcs8(&aws_lc_rs::rand::SystemRandom::new()).unwrap();
    let pair = Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap();
    let prefix = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];
    let public = [&prefix[..], pair.public_key().as_ref()].concat();
    let pem = |word: &str, der: &[u8]| {
        let text = base64::engine::general_purpose::STANDARD.encode(der);
        format!("-----BEGIN {word} KEY-----\n{text}\n-----END {word} KEY-----\n")
    };
    let paths = (folder.join(format!("{name}.key")), folder.join(format!("{name}.pub")));
    std::fs::write(&paths.0, pem("PRIVATE", document.as_ref())).unwrap();
    std::fs::write(&paths.1, pem("PUBLIC", &public)).unwrap();
    paths
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_followed_and_must_sign() {
    let work = tempfile::tempdir().unwrap();
    let (private, public) = keys(work.path(), "ours");
    let (strange, _) = keys(work.path(), "strange");
    let bundle = |word: &str, key: Option<&Path>| {
        let folder = work.path().join(format!("f-{word}"));
        write(&folder, &rules(word, false));
        built(&folder, word, key)
    };
    let server = Server::start().await;
    server.put(bundle("one", Some(&private)));
    let more = format!(
        "policies:\n  url: http://{}/bundle.tar.gz?secret=x\n  token: T0kenOfTheBundleServer\n  \
         interval: 1s\n  key: {}\n",
        server.address,
        public.display()
    );
    let mut stand = Stand::start(Setup { more, ..Setup::default() }).await;
    assert_eq!(rule(&stand).await, "one");
    let first = status(&stand);
    assert_eq!((&first["active"]["name"], &first["signed_only"]), (&json!("one"), &json!(true)));
    until("it is asked again", async || server.answers().contains(&304)).await;
    let token = server.state.lock().unwrap().asked[0].1.clone();
    assert_eq!(token.as_deref(), Some("Bearer T0kenOfTheBundleServer"));

    server.put(bundle("two", Some(&private)));
    until("the second decides", async || rule(&stand).await == "two").await;

    let trouble = async |expected: &str| {
        until(expected, async || {
            status(&stand)["last_attempt"]["error"].as_str().is_some_and(|it| it.contains(expected))
        })
        .await;
        assert_eq!(rule(&stand).await, "two");
    };
    server.put(bundle("unsigned", None));
    trouble("is not signed, but keys are configured").await;
    server.put(bundle("strange", Some(&strange)));
    trouble("is not signed by a configured key").await;
    server.put(b"no bundle".to_vec());
    trouble("is no whole gzip").await;
    server.put(vec![0; 9 << 20]);
    trouble("has more than 8388608 bytes").await;
    server.state.lock().unwrap().status = Some(StatusCode::FOUND);
    trouble("redirects are not followed").await;
    server.state.lock().unwrap().status = Some(StatusCode::INTERNAL_SERVER_ERROR);
    trouble("answered 500").await;

    // Trouble that is over is no trouble any more.
    server.state.lock().unwrap().status = None;
    server.put(bundle("three", Some(&private)));
    until("the third decides", async || rule(&stand).await == "three").await;
    assert!(status(&stand)["last_attempt"]["error"].is_null());

    // What fails its own tests stays refused, also after a start that meets it again and again.
    let good = bundle("failing", None);
    server.put(with_failing_test(&work.path().join("failing.tar.gz"), &good, &private));
    let refused = async |stand: &Stand| {
        let status = status(stand);
        status["last_attempt"]["error"].as_str().is_some_and(|it| it.contains("test_never"))
    };
    until("it is refused", async || refused(&stand).await).await;
    stand.terminate();
    stand.serve();
    let asked_again = || server.answers().iter().filter(|status| **status == 304).count();
    let before = asked_again();
    until("it is asked twice more", async || asked_again() >= before + 2).await;
    assert!(refused(&stand).await, "{}", status(&stand));
    assert_eq!(rule(&stand).await, "three");

    // Without the server the last good revision decides; nothing unsigned ever does.
    server.task.abort();
    let _ended = server.task.await;
    stand.terminate();
    stand.serve();
    assert_eq!(rule(&stand).await, "three");
    assert!(stand.stderr().contains("cannot be reached"), "{}", stand.stderr());
    for secret in ["T0kenOfTheBundleServer", "secret=x"] {
        assert!(!stand.stderr().contains(secret) && !status(&stand).to_string().contains(secret));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_for_every_source_and_every_kept_revision() {
    let work = tempfile::tempdir().unwrap();
    let (private, public) = keys(work.path(), "ours");
    let folder = work.path().join("rules");
    write(&folder, &rules("one", false));
    let more = format!("policies:\n  folder: {}\n  watch: false\n", folder.display());
    let mut stand = Stand::start(Setup { more, ..Setup::default() }).await;
    assert_eq!(rule(&stand).await, "one");
    assert!(stand.terminate().success());
    // From now on somebody must answer for what decides.
    stand.edit_config("watch: false", &format!("key: {}", public.display()));
    let start = stand.run(&["serve"]);
    assert_eq!(start.status.code(), Some(1));
    let words = String::from_utf8(start.stderr).unwrap();
    assert!(words.contains("is not signed, but keys are configured"), "{words}");
    write(&folder, &rules("two", false));
    stand.output(&[
        "policy",
        "bundle",
        "sign",
        folder.to_str().unwrap(),
        "--key",
        private.to_str().unwrap(),
    ]);
    let verified = stand.output(&[
        "policy",
        "bundle",
        "verify",
        folder.to_str().unwrap(),
        "--key",
        public.to_str().unwrap(),
    ]);
    assert!(verified.starts_with("ok: signed"), "{verified}");
    stand.serve();
    assert_eq!(rule(&stand).await, "two");
    let back = refused(&stand, &["policy", "rollback", "--reason", "the unsigned one"]);
    assert!(back.contains("is not signed, but keys are configured"), "{back}");
    // A file that nobody signed.
    std::fs::write(folder.join("more.json"), "{}").unwrap();
    let more = refused(&stand, &["policy", "reload"]);
    assert!(more.contains("does not sign `more.json`"), "{more}");
    assert_eq!(rule(&stand).await, "two");
}
