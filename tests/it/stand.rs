//! A Portcullis under test: the real binary in front of an embedded simulator.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use portcullis::simulator::{Options, Received, Simulator};
use tempfile::TempDir;

use crate::client::Client;

/// The principal of most tests, and its role.
pub(crate) const AGENT: &str = "agent";
/// The approver of most tests.
pub(crate) const APPROVER: &str = "ann";

/// What a stand is made of. The text is appended to the configuration.
pub(crate) struct Setup {
    pub simulator: Options,
    pub roles: &'static str,
    pub more: String,
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
            more: String::new(),
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
        let output = self.run(&[kind, "add", name]);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().lines().last().unwrap().to_owned()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder.path().join("portcullis.yaml")
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
        let line = stdout.lines().map_while(Result::ok).find(|line| line.contains("listening on "));
        let line = line.unwrap_or_else(|| panic!("did not start: {}", self.stderr()));
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
        let text = format!(
            "listen: 127.0.0.1:0\ndata: data\nupstream: {{ url: \"{}\", token: \"{}\" }}\n\
             principals:\n  - {{ id: {AGENT}, roles: [{}] }}\n  - {{ id: other, roles: [{}] }}\n\
             approvers:\n  - {{ id: {APPROVER}, groups: [kb-editors, support-leads] }}\n  \
             - {{ id: bob, groups: [kb-editors] }}\n{}",
            self.simulator.url(),
            self.simulator.token(),
            self.setup.roles,
            self.setup.roles,
            self.setup.more,
        );
        std::fs::write(self.config(), text).unwrap();
        set_private(&self.config());
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        self.kill();
    }
}

pub(crate) fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_portcullis"))
}

fn set_private(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}
