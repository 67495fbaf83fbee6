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

use super::{Answer, Question, SOCKET, Wish};
use crate::clock;
use crate::desk::{Contents, Decided, Desk, DeskError, Shown};
use crate::domain::{GrantId, HoldId, JsonText};
use crate::gate::Gate;
use crate::identity::{Identity, People, Person};
use crate::intercom::Pins;
use crate::rollout::{PluginRollout, Rollout};
use crate::upstream::Upstream;

/// The longest question, in bytes.
const LONGEST: u64 = 64 * 1024;
/// For the question.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the operator's door stands on.
pub struct Control {
    /// The road.
    pub gate: Arc<Gate>,
    /// What people do with holds.
    pub desk: Arc<Desk>,
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
            Question::Holds { all } => Ok(Answer::Holds { holds: self.desk.views(all) }),
            Question::Hold { key, shown, wish } => self.wish(&key, &shown, wish).await,
            Question::TestHold => self.test_hold().await,
            Question::Pause { principal, pause } => {
                self.desk.pause_by(&by, &principal, pause).await.map(done).map_err(words)
            }
            Question::Paused => Ok(Answer::Paused { paused: self.desk.paused() }),
            Question::Grants { key, revoke } => self.grants(&key, revoke).await,
            Question::Batch { key, shown } => self.batch(&key, &shown).await,
            Question::RefreshTools => self.refresh_tools().await,
            Question::Policy { what } => self.policy(what, by).await,
            Question::Plugins => Ok(Answer::Plugins { status: Box::new(self.plugins.status()) }),
            Question::ReloadPlugins => self.reload_plugins().await,
        };
        answered.unwrap_or_else(|text| Answer::Error { text })
    }

    async fn shown(&self, person: &Person, id: HoldId, reveal: bool) -> Result<Answer, DeskError> {
        let (hold, contents) = self.desk.show(person, id)?;
        let revealed = if reveal { Some(self.desk.revealed(person, id).await?) } else { None };
        let contents = Box::new(Contents { revealed, ..contents });
        Ok(Answer::Hold { hold: Box::new(hold), contents })
    }

    fn person(&self, key: &str) -> Result<Person, String> {
        self.people.by_key(key.as_bytes(), clock::now()).ok_or_else(|| {
            String::from(
                "this is no approver's key; make one with `portcullis people key add NAME` and give \
                 it by PORTCULLIS_APPROVER_KEY or `--key-file`",
            )
        })
    }

    async fn test_hold(&self) -> Result<Answer, String> {
        let id = self.upstream.try_hold().await?;
        Ok(done(format!("{id} waits for a person; it changes nothing, whatever they decide")))
    }

    async fn grants(&self, key: &str, revoke: Option<GrantId>) -> Result<Answer, String> {
        let person = self.person(key)?;
        if let Some(id) = revoke {
            self.desk.revoke_grant(&person, id).await.map_err(words)?;
        }
        Ok(Answer::Grants { grants: self.desk.grants(&person).map_err(words)? })
    }

    async fn batch(&self, key: &str, shown: &[Shown]) -> Result<Answer, String> {
        let decided = self.desk.batch(&self.person(key)?, shown).await.map_err(words)?;
        let told = decided.iter().map(|one| match one {
            Ok(Decided { hold, words }) => format!("{}: {words}", hold.id),
            Err(error) => format!("not released: {error}"),
        });
        Ok(done(told.collect::<Vec<_>>().join("\n")))
    }

    /// What an approver asks about a hold.
    async fn wish(&self, key: &str, shown: &Shown, wish: Wish) -> Result<Answer, String> {
        let (person, desk) = (&self.person(key)?, &self.desk);
        let decided = match wish {
            Wish::Show { reveal } => {
                return self.shown(person, shown.id, reveal).await.map_err(words);
            }
            Wish::Detail => {
                let detail = desk.detail(person, shown.id).await.map_err(self::words)?;
                desk.opened(person, &detail);
                return Ok(Answer::Detail { detail: Box::new(detail) });
            }
            Wish::Approve => desk.approve(person, shown).await,
            Wish::Reject { reason } => desk.reject(person, shown, &reason).await,
            Wish::Ask { question } => desk.ask_for_changes(person, shown, &question).await,
            Wish::Revoke => desk.revoke(person, shown).await,
            Wish::Grant { granting } => desk.grant(person, shown, &granting).await,
            Wish::Edit { arguments } => desk.approve_edited(person, shown, &arguments).await,
            Wish::Assign { to } => desk.assign(person, shown, to).await,
            Wish::Extend { seconds } => {
                desk.extend(person, shown, Duration::from_secs(seconds)).await
            }
            Wish::Note { effected, text } => desk.note(person, shown, effected, &text).await,
        };
        let Decided { hold, words } = decided.map_err(self::words)?;
        Ok(done(format!("{}: {words}", hold.id)))
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

pub(super) fn done(text: impl Into<String>) -> Answer {
    Answer::Done { text: text.into() }
}

pub(super) fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}
