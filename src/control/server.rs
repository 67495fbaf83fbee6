//! The server's side of the socket.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

use super::{Answer, Question, SOCKET};
use crate::clock;
use crate::domain::{Approver, Hold, HoldId, HoldState, JsonText, OnRelease};
use crate::gate::Gate;
use crate::holds::HoldView;
use crate::identity::{Identity, People};
use crate::intercom::Pins;
use crate::policy::{Ruleset, Source};
use crate::upstream::{Upstream, run_release};

/// The longest question, in bytes.
const LONGEST: u64 = 64 * 1024;
/// For one conversation.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the operator's door stands on.
pub struct Control {
    /// The road.
    pub gate: Arc<Gate>,
    /// Intercom.
    pub upstream: Arc<Upstream>,
    /// The pins.
    pub pins: Arc<Pins>,
    /// Principals.
    pub identity: Arc<Identity>,
    /// Approvers.
    pub people: Arc<People>,
    /// Where policies come from.
    pub policies: Source,
}

/// Opens the socket in the data folder and serves it until `shutdown` turns true.
///
/// # Errors
/// If the socket cannot be made.
pub fn serve(
    control: Arc<Control>,
    data: &Path,
    mut shutdown: watch::Receiver<bool>,
) -> io::Result<()> {
    let path = data.join(SOCKET);
    // The store's lock is held, so a socket that lies there belongs to no running server.
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    let _removed = RemovedAtEnd(path.clone());
    tokio::spawn(async move {
        let _removed = _removed;
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = shutdown.wait_for(|stop| *stop) => return,
            };
            let Ok((stream, _)) = accepted else { continue };
            let control = control.clone();
            tokio::spawn(async move {
                let told = tokio::time::timeout(PATIENCE, converse(&control, stream)).await;
                if let Ok(Err(error)) = told {
                    tracing::debug!(%error, "control connection ended");
                }
            });
        }
    });
    Ok(())
}

struct RemovedAtEnd(PathBuf);

impl Drop for RemovedAtEnd {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

async fn converse(control: &Arc<Control>, stream: UnixStream) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut line = String::new();
    BufReader::new(reader).take(LONGEST).read_line(&mut line).await?;
    let answer = match serde_json::from_str(&line) {
        Ok(question) => control.answer(question).await,
        Err(error) => Answer::Error { text: format!("not understood: {error}") },
    };
    let mut line = JsonText::of(&answer).bytes().to_vec();
    line.push(b'\n');
    writer.write_all(&line).await
}

impl Control {
    async fn answer(self: &Arc<Self>, question: Question) -> Answer {
        let answered = match question {
            Question::Status => Ok(done(format!("portcullis {}", env!("CARGO_PKG_VERSION")))),
            Question::Holds { all } => Ok(Answer::Holds { holds: self.holds(all) }),
            Question::Hold { id, key } => self.person(&key).and_then(|_| self.hold(id)),
            Question::Approve { id, key, shown } => match self.person(&key) {
                Ok(approver) => self.approve(&approver, id, shown).await,
                Err(text) => Err(text),
            },
            Question::Reject { id, key, reason } => match self.person(&key) {
                Ok(approver) => self.reject(&approver, id, reason).await,
                Err(text) => Err(text),
            },
            Question::Revoke { id, key } => match self.person(&key) {
                Ok(approver) => self.revoke(&approver, id).await,
                Err(text) => Err(text),
            },
            Question::RefreshTools => self.refresh_tools().await,
            Question::ReloadPolicies => self.reload_policies().await,
        };
        answered.unwrap_or_else(|text| Answer::Error { text })
    }

    fn holds(&self, all: bool) -> Vec<HoldView> {
        let holds = self.gate.holds().snapshot(|hold| all || !hold.state.is_final());
        holds.iter().map(HoldView::from).collect()
    }

    fn hold(&self, id: HoldId) -> Result<Answer, String> {
        let hold = self.gate.holds().hold(id).map_err(words)?;
        let arguments = self.gate.stored_arguments(&hold)?;
        let arguments = arguments.as_str().to_owned();
        Ok(Answer::Hold { hold: Box::new(HoldView::from(&hold)), arguments })
    }

    fn person(&self, key: &str) -> Result<Arc<Approver>, String> {
        self.people.authenticate(key.as_bytes(), clock::now()).ok_or_else(|| {
            String::from(
                "this is no approver's key; make one with `portcullis people add NAME` and give \
                 it by PORTCULLIS_APPROVER_KEY or `--key-file`",
            )
        })
    }

    async fn approve(
        self: &Arc<Self>,
        approver: &Approver,
        id: HoldId,
        shown: Option<crate::domain::Digest>,
    ) -> Result<Answer, String> {
        let hold = self.gate.approve(approver, id, shown, &self.identity).await.map_err(words)?;
        let text = match (hold.state, hold.opened.on_release) {
            (HoldState::Approved, OnRelease::Send) => {
                let (upstream, identity) = (self.upstream.clone(), self.identity.clone());
                // In a task of its own: the approver's command may end, the release goes on.
                tokio::spawn(release(upstream, identity, id));
                let hold = self.settled(&hold).await;
                format!("{id}: approved by {}; {}", approver.id, fate(&hold))
            }
            (HoldState::Pending, _) => {
                let people = hold.opened.release.people;
                format!("{id}: approved by {} ({} of {people})", approver.id, hold.approvals.len())
            }
            _ => format!(
                "{id}: approved by {}; it is sent while the agent waits in an identical call",
                approver.id
            ),
        };
        Ok(done(text))
    }

    /// Waits a little for the release to end, so that the approver sees what came of it.
    async fn settled(&self, hold: &Hold) -> Hold {
        let Ok(mut watched) = self.gate.holds().watch(hold.id) else { return hold.clone() };
        let ended = watched.wait_for(|hold| hold.state.is_final());
        match tokio::time::timeout(Duration::from_secs(10), ended).await {
            Ok(Ok(hold)) => hold.clone(),
            _ => hold.clone(),
        }
    }

    async fn reject(
        &self,
        approver: &Approver,
        id: HoldId,
        reason: String,
    ) -> Result<Answer, String> {
        let reason: String = reason.chars().filter(|it| !it.is_control()).take(500).collect();
        if reason.trim().is_empty() {
            return Err("give the agent a reason: `portcullis holds reject ID REASON`".to_owned());
        }
        self.gate.reject(approver, id, reason, &self.identity).await.map_err(words)?;
        Ok(done(format!("{id}: rejected by {}", approver.id)))
    }

    async fn revoke(&self, approver: &Approver, id: HoldId) -> Result<Answer, String> {
        self.gate.revoke(approver, id, &self.identity).await.map_err(words)?;
        Ok(done(format!("{id}: release taken back by {}", approver.id)))
    }

    async fn refresh_tools(&self) -> Result<Answer, String> {
        let events = self.pins.refresh().map_err(words)?;
        for event in events {
            self.upstream.record_tool(event).await.map_err(words)?;
        }
        let leg = self.upstream.shared_leg(None, None).await.map_err(words)?;
        self.upstream.refresh_tools(&leg).await.map_err(words)?;
        Ok(done(format!("{} tools are pinned and offered", self.pins.usable().len())))
    }

    /// Loads the policies again; a broken bundle leaves the old one in force.
    async fn reload_policies(&self) -> Result<Answer, String> {
        reload(&self.gate, &self.policies).await.map(done)
    }
}

/// Loads the policies again.
///
/// # Errors
/// In words: what is wrong with the new bundle. The old one stays in force.
pub(crate) async fn reload(gate: &Gate, source: &Source) -> Result<String, String> {
    let source = source.clone();
    let loaded =
        tokio::task::spawn_blocking(move || Ruleset::load(&source)).await.map_err(words)?;
    match loaded {
        Ok(ruleset) => {
            let revision = ruleset.revision();
            gate.replace_ruleset(ruleset).await.map_err(words)?;
            Ok(format!("policy revision {} is in force", revision.short()))
        }
        Err(errors) => Err(format!("the old policy stays in force:\n{errors}")),
    }
}

/// Runs a release and notes why it did not end well.
pub(crate) async fn release(upstream: Arc<Upstream>, identity: Arc<Identity>, id: HoldId) {
    if let Err(error) = run_release(upstream, identity, None, id).await {
        tracing::warn!(hold = %id, %error, "release did not run");
    }
}

fn fate(hold: &Hold) -> String {
    match hold.state {
        HoldState::Executed => "sent, and Intercom did it".to_owned(),
        HoldState::Approved | HoldState::Claimed | HoldState::Sending => {
            "being sent; `portcullis holds show` tells how it ends".to_owned()
        }
        _ => HoldView::from(hold).outcome.unwrap_or_else(|| hold.state.to_string()),
    }
}

fn done(text: impl Into<String>) -> Answer {
    Answer::Done { text: text.into() }
}

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}
