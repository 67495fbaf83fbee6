//! A Portcullis under test: the real binary in front of an embedded simulator.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::LazyLock;

use portcullis::control::{self, Answer, ControlError, Question, Wish};
use portcullis::desk::Shown;
use portcullis::domain::{Event, HoldEvent, HoldId, Timestamp};
use portcullis::holds::HoldView;
use portcullis::simulator::{Options, Received, Simulator};
use portcullis::store::{self, Store};
use serde_json::Value;
use tempfile::TempDir;

use crate::client::{Client, DEADLINE};

/// The principal of most tests, and its role.
pub(crate) const AGENT: &str = "agent";
/// The approver of most tests.
pub(crate) const APPROVER: &str = "ann";

/// What a stand is made of. The text is appended to the configuration.
pub(crate) struct Setup {
    pub simulator: Options,
    pub roles: &'static str,
    /// More keys of the agent, such as `attributes: { team: "701" }`.
    pub agent: &'static str,
    pub more: String,
    /// More keys of `upstream`, such as `era: modern`.
    pub upstream: &'static str,
    /// Whether Portcullis holds a token for Intercom.
    pub own_token: bool,
    pub environment: Vec<(String, String)>,
    /// Files of the stand's folder that are there before the start: path and content.
    pub files: Vec<(String, String)>,
    /// A command that runs the binary instead of the binary itself: `sh -c '... exec "$0" "$@"'`.
    pub wrapper: Vec<String>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            simulator: Options::default(),
            roles: "support-reader, article-editor, note-writer",
            agent: "",
            more: String::new(),
            upstream: "",
            own_token: true,
            environment: Vec::new(),
            files: Vec::new(),
            wrapper: Vec::new(),
        }
    }
}

pub(crate) struct Stand {
    pub simulator: Simulator,
    pub folder: TempDir,
    pub url: String,
    /// Where health and metrics are served, if they are.
    pub ops: Option<String>,
    /// Where the approvers' page is served, if it is.
    pub console: Option<String>,
    pub key: String,
    pub approver_key: String,
    setup: Setup,
    child: Option<Child>,
}

impl Stand {
    /// Starts a simulator and a Portcullis in front of it.
    pub(crate) async fn start(setup: Setup) -> Self {
        let simulator =
            Simulator::start(([127, 0, 0, 1], 0).into(), setup.simulator.clone()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut stand = Self {
            simulator,
            folder,
            url: String::new(),
            ops: None,
            console: None,
            key: String::new(),
            approver_key: String::new(),
            setup,
            child: None,
        };
        for (path, text) in &stand.setup.files {
            let path = stand.folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        stand.write_config();
        stand.key = stand.add_key("principals", AGENT);
        stand.approver_key = stand.add_key("people", APPROVER);
        stand.serve();
        stand
    }

    /// Makes a key and returns its text.
    pub(crate) fn add_key(&self, kind: &str, name: &str) -> String {
        // People have accounts besides keys.
        let verbs: &[&str] = if kind == "people" { &[kind, "key"] } else { &[kind] };
        let output = self.run(&[verbs, &["add", name]].concat());
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().lines().last().unwrap().to_owned()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The files of the log, the oldest first.
    pub(crate) fn log_files(&self) -> Vec<PathBuf> {
        let files = std::fs::read_dir(self.data()).unwrap().map(|it| it.unwrap().path());
        let is_log = |it: &PathBuf| it.extension().is_some_and(|it| it == "jsonl");
        let mut files: Vec<PathBuf> = files.filter(is_log).collect();
        files.sort();
        files
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder.path().join("portcullis.yaml")
    }

    /// Changes the configuration's text; it counts from the next start on.
    pub(crate) fn edit_config(&self, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.config()).unwrap();
        assert!(text.contains(from), "{from:?} is not in {text}");
        std::fs::write(self.config(), text.replacen(from, to, 1)).unwrap();
    }

    /// Asks the server through the operator's door.
    pub(crate) async fn ask(&self, question: &Question) -> Result<Answer, ControlError> {
        control::ask(&self.data(), question).await
    }

    /// Approves with the key of [`APPROVER`]; what the person is told, good or bad.
    pub(crate) async fn approve(&self, id: HoldId) -> Result<String, String> {
        let key = self.approver_key.clone();
        told(self.ask(&wish(id, &key, Wish::Approve)).await)
    }

    /// Rejects with the key of [`APPROVER`].
    pub(crate) async fn reject(&self, id: HoldId, reason: &str) -> Result<String, String> {
        let (key, reason) = (self.approver_key.clone(), reason.to_owned());
        told(self.ask(&wish(id, &key, Wish::Reject { reason })).await)
    }

    /// All holds, newest first.
    pub(crate) async fn holds(&self) -> Vec<HoldView> {
        match self.ask(&Question::Holds { all: true }).await {
            Ok(Answer::Holds { holds }) => holds,
            other => panic!("{other:?}"),
        }
    }

    /// A hold and the arguments of its call.
    pub(crate) async fn hold(&self, id: HoldId) -> (HoldView, Value) {
        let show = Wish::Show { reveal: false };
        match self.ask(&wish(id, &self.approver_key, show)).await {
            Ok(Answer::Hold { hold, contents }) => {
                (*hold, serde_json::from_str(&contents.arguments).unwrap())
            }
            other => panic!("{other:?}"),
        }
    }

    /// Appends to the log of a server that is gone what it might have written last.
    pub(crate) async fn append(&self, hold: HoldId, at: Timestamp, events: &[HoldEvent]) {
        let (store, _) = Store::open(&self.data(), &store::Options::default()).unwrap();
        for event in events.iter().cloned() {
            let _receipt = store.log().append_at(Event::Hold { hold, event }, at).await.unwrap();
        }
    }

    /// How many calls with this title reached Intercom.
    pub(crate) fn sent(&self, title: &str) -> usize {
        let has = |it: &Received| it.arguments.as_ref().is_some_and(|it| it["title"] == title);
        self.simulator.count(|it| it.tool.is_some() && has(it))
    }

    /// Runs a command of the binary on this stand's configuration.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        Command::new(binary())
            .arg("--config")
            .arg(self.config())
            .args(arguments)
            .env("PORTCULLIS_APPROVER_KEY", &self.approver_key)
            .output()
            .unwrap()
    }

    /// As [`Stand::run`], and the output must be good.
    pub(crate) fn output(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(
            output.status.success(),
            "{arguments:?}: {text} {:?}",
            String::from_utf8(output.stderr)
        );
        text
    }

    /// Starts the server (again) and waits for its address.
    pub(crate) fn serve(&mut self) {
        let mut command = match self.setup.wrapper.split_first() {
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(binary());
                command
            }
            None => Command::new(binary()),
        };
        let log = std::fs::File::create(self.folder.path().join("stderr.log")).unwrap();
        let mut child = command
            .arg("--config")
            .arg(self.config())
            .arg("serve")
            .envs(self.setup.environment.iter().cloned())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        self.child = Some(child);
        let (mut ops, mut console) = (None, None);
        let line = stdout.lines().map_while(Result::ok).find(|line| {
            let after = line.split("health and metrics on ").nth(1);
            ops = ops.take().or_else(|| after.map(|url| url.trim().to_owned()));
            let after = line.split("approvers' page on ").nth(1);
            console = console.take().or_else(|| after.map(|url| url.trim().to_owned()));
            line.contains("listening on ")
        });
        let line = line.unwrap_or_else(|| panic!("did not start: {}", self.stderr()));
        (self.ops, self.console) = (ops, console);
        self.url = line.split("listening on ").nth(1).unwrap().trim().to_owned();
    }

    pub(crate) fn stderr(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("stderr.log")).unwrap_or_default()
    }

    /// SIGKILL, and waits for the end.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // A tracer that is killed would leave the server behind.
            let children = format!("/proc/{0}/task/{0}/children", child.id());
            for pid in std::fs::read_to_string(children).unwrap_or_default().split_whitespace() {
                let _ = Command::new("kill").args(["-KILL", pid]).status();
            }
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// The process id of the server.
    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// SIGTERM; the exit status.
    pub(crate) fn terminate(&mut self) -> std::process::ExitStatus {
        let mut child = self.child.take().unwrap();
        let pid = child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        child.wait().unwrap()
    }

    /// The exit status of a server that ends by itself.
    pub(crate) fn exited(&mut self) -> std::process::ExitStatus {
        let mut child = self.child.take().unwrap();
        let started = std::time::Instant::now();
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                return status;
            }
            if started.elapsed() > crate::client::DEADLINE {
                self.child = Some(child);
                panic!("the server did not end: {}", self.stderr());
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }

    /// Another wrapper for the next start.
    pub(crate) fn wrap(&mut self, wrapper: &[&str]) {
        self.setup.wrapper = wrapper.iter().map(|part| (*part).to_owned()).collect();
    }

    /// A client with the agent's key.
    pub(crate) fn client(&self) -> Client {
        Client::new(&self.url, &self.key)
    }

    /// The tool calls that reached Intercom.
    pub(crate) fn calls(&self) -> Vec<Received> {
        self.simulator.received().into_iter().filter(|it| it.tool.is_some()).collect()
    }

    /// The log's records.
    pub(crate) fn records(&self) -> Vec<serde_json::Value> {
        let text = self.output(&["audit", "tail", "-n", "0", "--json"]);
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn write_config(&self) {
        let mut upstream = format!("url: \"{}\"", self.simulator.url());
        if self.setup.own_token {
            upstream.push_str(&format!(", token: \"{}\"", self.simulator.token()));
        }
        if !self.setup.upstream.is_empty() {
            upstream.push_str(&format!(", {}", self.setup.upstream));
        }
        let separator = if self.setup.agent.is_empty() { "" } else { ", " };
        // Compiling them takes a debug build seconds; who tests with them says so.
        let plugins = match self.setup.more.contains("plugins:") {
            true => "",
            false => "plugins: { shipped: false, without: ['*'] }\n",
        };
        let text = format!(
            "listen: 127.0.0.1:0\ndata: data\nupstream: {{ {upstream} }}\n{plugins}\
             principals:\n  - {{ id: {AGENT}, roles: [{}]{separator}{} }}\n  - {{ id: other, roles: [{}] }}\n\
             approvers:\n  - {{ id: {APPROVER}, groups: [kb-editors, support-leads] }}\n  \
             - {{ id: bob, groups: [kb-editors] }}\n{}",
            self.setup.roles, self.setup.agent, self.setup.roles, self.setup.more,
        );
        std::fs::write(self.config(), text).unwrap();
        set_private(&self.config());
    }
}

/// A number from the environment, for runs larger than the usual one.
pub(crate) fn number(name: &str, usual: u64) -> u64 {
    let text = std::env::var(name).unwrap_or_default();
    if text.is_empty() { usual } else { text.parse().unwrap_or_else(|_| panic!("{name}={text}")) }
}

/// What an approver with this key asks about a hold, as it is now.
pub(crate) fn wish(id: HoldId, key: &str, wish: Wish) -> Question {
    Question::Hold { key: key.to_owned(), shown: Shown::now(id), wish }
}

/// What a person is told.
pub(crate) fn told(answer: Result<Answer, ControlError>) -> Result<String, String> {
    match answer {
        Ok(Answer::Done { text }) => Ok(text),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error.to_string()),
    }
}

/// Waits until something is so.
pub(crate) async fn until(what: &str, mut check: impl AsyncFnMut() -> bool) {
    let began = std::time::Instant::now();
    while !check().await {
        assert!(began.elapsed() < DEADLINE, "waited in vain: {what}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Exit status, standard output and standard error of a command in a folder, which reads no configuration.
pub(crate) fn ran(folder: &Path, arguments: &[&str], input: &str) -> (i32, String, String) {
    let mut child = Command::new(binary())
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that reads nothing may have ended.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let ended = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (ended.status.code().unwrap(), text(ended.stdout), text(ended.stderr))
}

/// The binary under test: that of this build, or the one that `PORTCULLIS_BINARY` names, such as one
/// with optimisations.
pub(crate) fn binary() -> &'static Path {
    static BINARY: LazyLock<PathBuf> = LazyLock::new(|| {
        let named = std::env::var_os("PORTCULLIS_BINARY").map(PathBuf::from);
        named.unwrap_or_else(|| env!("CARGO_BIN_EXE_portcullis").into())
    });
    &BINARY
}

fn set_private(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}
