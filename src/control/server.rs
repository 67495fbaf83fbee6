//! The server's side of the socket.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::{Answer, Question, SOCKET};
use crate::clock;
use crate::domain::{Approver, Hold, HoldId, HoldState, JsonText, OnRelease};
use crate::gate::{Contents, Gate, ReleaseError};
use crate::holds::HoldView;
use crate::identity::{Identity, People};
use crate::intercom::Pins;
use crate::rollout::{PluginRollout, Rollout};
use crate::upstream::{Upstream, run_release};

/// The longest question, in bytes.
const LONGEST: u64 = 64 * 1024;
/// For the question.
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
    /// Which policies decide.
    pub rollout: Arc<Rollout>,
    /// Which plugins look.
    pub plugins: Arc<PluginRollout>,
}

/// The open socket. It is removed when this is dropped.
pub struct Door {
    listener: UnixListener,
    path: PathBuf,
}

impl Door {
    /// Opens the socket in a data folder whose lock is held.
    ///
    /// # Errors
    /// If the socket cannot be made.
    pub fn open(data: &Path) -> io::Result<Self> {
        let path = data.join(SOCKET);
        // The store's lock is held, so a socket that lies there belongs to no running server.
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        Ok(Self { listener, path })
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Serves the socket until `shutdown` turns true; what is returned ends when the last conversation
/// has.
pub fn serve(
    control: Arc<Control>,
    door: Door,
    mut shutdown: watch::Receiver<bool>,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut conversations = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                accepted = door.listener.accept() => accepted,
                Some(_) = conversations.join_next() => continue,
                _ = shutdown.wait_for(|stop| *stop) => break,
            };
            let Ok((stream, _)) = accepted else { continue };
            let control = control.clone();
            conversations.spawn(async move {
                if let Err(error) = converse(&control, stream).await {
                    tracing::debug!(%error, "control connection ended");
                }
            });
        }
        drop(door);
        // An approver who decided in the last moment is told what came of it.
        while conversations.join_next().await.is_some() {}
    })
}

async fn converse(control: &Arc<Control>, stream: UnixStream) -> io::Result<()> {
    let by = super::policy::user(stream.peer_cred()?.uid());
    let (reader, mut writer) = stream.into_split();
    let mut line = String::new();
    let mut reader = BufReader::new(reader).take(LONGEST);
    // Only the question has a limit in time: what is being done is not cut off.
    tokio::time::timeout(PATIENCE, reader.read_line(&mut line))
        .await
        .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    let answer = match serde_json::from_str(&line) {
        Ok(question) => control.answer(question, by).await,
        Err(error) => Answer::Error { text: format!("not understood: {error}") },
    };
    let mut line = JsonText::of(&answer).bytes().to_vec();
    line.push(b'\n');
    writer.write_all(&line).await
}

impl Control {
    async fn answer(self: &Arc<Self>, question: Question, by: String) -> Answer {
        let answered = match question {
            Question::Status => Ok(done(format!("portcullis {}", env!("CARGO_PKG_VERSION")))),
            Question::Holds { all } => Ok(Answer::Holds { holds: self.holds(all) }),
            Question::Hold { id, key, reveal } => match self.person(&key) {
                Ok(approver) => self.hold(&approver, id, reveal).await,
                Err(text) => Err(text),
            },
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
            Question::Policy { what } => self.policy(what, by).await,
            Question::Plugins => Ok(Answer::Plugins { status: Box::new(self.plugins.status()) }),
            Question::ReloadPlugins => self.reload_plugins().await,
        };
        answered.unwrap_or_else(|text| Answer::Error { text })
    }

    fn holds(&self, all: bool) -> Vec<HoldView> {
        let holds = self.gate.holds().snapshot(|hold| all || !hold.state.is_final());
        holds.iter().map(HoldView::from).collect()
    }

    async fn hold(&self, approver: &Approver, id: HoldId, reveal: bool) -> Result<Answer, String> {
        let hold = self.gate.holds().hold(id).map_err(words)?;
        let Contents { arguments, restored, beside, reason } = self.gate.stored_contents(&hold)?;
        let pseudonyms = restored.is_some();
        let revealed = if reveal {
            let target = self.upstream.target_of_hold(None, id, &self.identity).await;
            let target = target.map_err(words)?;
            let revealed = self.gate.revealed(approver, id, target, &self.identity).await;
            Some(revealed.map_err(words)?.as_str().to_owned())
        } else {
            None
        };
        let hold = Box::new(HoldView::from(&hold));
        Ok(Answer::Hold { hold, arguments, pseudonyms, revealed, beside, reason })
    }

    fn person(&self, key: &str) -> Result<Approver, String> {
        let person = self.people.by_key(key.as_bytes(), clock::now());
        person.map(|person| person.approver()).ok_or_else(|| {
            String::from(
                "this is no approver's key; make one with `portcullis people key add NAME` and give \
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
        let target = self.upstream.target_of_hold(None, id, &self.identity).await.map_err(words)?;
        let approved = self.gate.approve(approver, id, shown, target, &self.identity).await;
        let hold = approved.map_err(words)?;
        let text = match (hold.state, hold.opened.on_release) {
            (HoldState::Approved, OnRelease::Send) => {
                let (upstream, identity) = (self.upstream.clone(), self.identity.clone());
                // In a task of its own: the approver's command may end, the release goes on.
                let released = tokio::spawn(release(upstream, identity, id));
                format!("{id}: approved by {}; {}", approver.id, self.fate(&hold, released).await)
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
    async fn fate(&self, hold: &Hold, released: JoinHandle<Result<(), ReleaseError>>) -> String {
        let ended = tokio::time::timeout(Duration::from_secs(10), released).await;
        let hold = self.gate.holds().hold(hold.id).unwrap_or_else(|_| hold.clone());
        match (hold.state, ended) {
            (HoldState::Approved, Ok(Ok(Err(ReleaseError::Later(why))))) => {
                format!("not sent yet, Portcullis will try again: {why}")
            }
            _ => fate(&hold),
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
        // To refuse must be possible while Intercom is away.
        let target = self.upstream.target_of_hold(None, id, &self.identity).await.unwrap_or(None);
        self.gate.reject(approver, id, reason, target, &self.identity).await.map_err(words)?;
        Ok(done(format!("{id}: rejected by {}", approver.id)))
    }

    async fn revoke(&self, approver: &Approver, id: HoldId) -> Result<Answer, String> {
        let target = self.upstream.target_of_hold(None, id, &self.identity).await.unwrap_or(None);
        self.gate.revoke(approver, id, target, &self.identity).await.map_err(words)?;
        Ok(done(format!("{id}: release taken back by {}", approver.id)))
    }

    async fn reload_plugins(&self) -> Result<Answer, String> {
        let reloaded = self.plugins.reload().await;
        let kept = |error| format!("the old plugins stay in force:\n{error}");
        let revision = reloaded.map_err(kept)?.short();
        let many = self.gate.plugins().facts().len();
        Ok(done(format!("plugin set {revision} is in force: {many} plugins")))
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
}

/// Runs a release and notes why it did not end well.
///
/// # Errors
/// As [`run_release`].
pub(crate) async fn release(
    upstream: Arc<Upstream>,
    identity: Arc<Identity>,
    id: HoldId,
) -> Result<(), ReleaseError> {
    let released = run_release(upstream, identity, None, id).await;
    if let Err(error) = &released {
        tracing::warn!(hold = %id, %error, "release did not run");
    }
    released
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

pub(super) fn done(text: impl Into<String>) -> Answer {
    Answer::Done { text: text.into() }
}

pub(super) fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}
