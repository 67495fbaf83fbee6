//! The tape: what policy was asked on the road, kept for a while so that another revision can be
//! asked the same.
//!
//! On the road, `gate` hands over a question once its decision is recorded (of lists and of people's wishes
//! there is no such record: once it is decided), and waits for nothing: a
//! thread of its own writes it down ([`crate::policy::Asked`]), seals it ([`Lockbox`]) and appends it
//! to a file in the data folder. Off the road, [`read()`] gives the questions back, for `policy impact`,
//! `policy record` and `policy explain`.
//!
//! It is no evidence, which is the log's business, but material: what does not fit the queue or cannot
//! be written is dropped and counted ([`Tape::health`]), and a decision whose question is not here is said to be one that cannot be decided
//! again. Nothing is kept unless configuration wants it. Bounded in bytes and in time.
//!
//! This module must never write a question in the clear, and never make the road wait.

mod entry;
mod read;
mod segment;
#[cfg(test)]
mod tests;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, SyncSender, TrySendError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::config::{Config, Keep, Replay};
use crate::domain::{
    Action, Approver, Call, ClientHint, Digest, Finding, Principal, Question, Verdict,
};
use crate::policy::{AnswerFacts, ApproveFacts, Facts, HoldFacts, ToolFacts, Visible};
use crate::store::Sealer;
use crate::vault::{Lockbox, VaultError};

pub use entry::{Entry, Kept};
pub use read::{Reader, Unread, read};
use writer::Writer;

/// Questions that may wait to be written, and bytes of their calls and answers.
const MOST_WAITING: usize = 1024;
const MOST_WAITING_BYTES: usize = 32 << 20;

/// About how much memory a list takes, and each tool on it.
const LIST_BYTES: usize = 1024;
const TOOL_BYTES: usize = 128;

/// How often it is looked for what is too old.
const LOOK_EVERY: Duration = Duration::from_secs(600);

/// Why there is no tape, or it cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TapeError {
    /// The folder.
    #[error(transparent)]
    Folder(#[from] crate::config::private::PrivateError),
    /// The key.
    #[error(transparent)]
    Key(#[from] VaultError),
    /// The file system.
    #[error("cannot read or write `{path}`: {source}")]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl TapeError {
    fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        |source| Self::Io { path, source }
    }
}

/// The key of the tape.
///
/// # Errors
/// If the configured secret is none.
pub fn lockbox(config: &Config, sealer: &Sealer) -> Result<Lockbox, TapeError> {
    Ok(Lockbox::of(config.pseudonyms.key.as_ref(), sealer, "tape")?)
}

/// One time that policy was asked, and what it said.
#[derive(Debug)]
pub struct Round {
    /// The revision that was asked.
    pub ruleset: Digest,
    /// Whether what answers show was counted for it.
    pub counted: bool,
    /// The call as it was then.
    pub call: Call,
    /// What was true beside it.
    pub facts: Facts,
    /// The strictest verdict of the other judges.
    pub others: Verdict,
    /// What policy said.
    pub said: Finding,
}

/// The rounds in which one call was judged; an edited call has two. Empty if nobody keeps them.
#[derive(Debug, Default)]
pub struct Rounds(Option<Vec<Round>>);

impl Rounds {
    /// Adds one, if it is kept.
    pub fn add(&mut self, round: impl FnOnce() -> Round) {
        if let Some(rounds) = &mut self.0 {
            rounds.push(round());
        }
    }
}

/// One time that policy was asked which tools a principal may see, and what it said.
#[derive(Debug)]
pub struct List {
    /// The revision that was asked.
    pub ruleset: Digest,
    /// Whether what answers show was counted for it.
    pub counted: bool,
    /// Who wanted the list.
    pub principal: Principal,
    /// What the client says of itself.
    pub client: ClientHint,
    /// The tools on offer.
    pub tools: Vec<ToolFacts>,
    /// What was true beside it.
    pub facts: Facts,
    /// What policy said.
    pub said: Visible,
}

/// What is written down.
enum What {
    Call { rounds: Vec<Round>, again: bool },
    Answer(Box<(Round, AnswerFacts)>),
    Wish(Box<(Round, Approver, Action, HoldFacts)>),
    List(Box<List>),
}

/// A question on its way to the file.
struct Heard {
    bytes: usize,
    what: What,
}

/// What both sides of the queue know.
#[derive(Debug, Default)]
struct Shared {
    waiting: AtomicUsize,
    dropped: AtomicU64,
    /// Whether the last write failed.
    failing: AtomicBool,
    /// Whether it was said that there was no room, and that the thread is gone.
    full: AtomicBool,
    gone: AtomicBool,
}

/// How it is with what is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TapeHealth {
    /// Questions that were not kept since start: they came too fast, or could not be written.
    pub dropped: u64,
    /// Whether those that come now can be kept.
    pub writable: bool,
}

/// The way to the file. Dropping it writes what waits.
pub struct Tape {
    keep: Keep,
    queue: Option<SyncSender<Heard>>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Tape {
    /// Opens the tape as configuration wants it. What is there and too old goes, also if nothing is
    /// kept any more.
    ///
    /// # Errors
    /// If the folder is not safe, or the key is none.
    pub fn open(config: &Config, sealer: &Sealer) -> Result<Self, TapeError> {
        Self::looking(config, sealer, LOOK_EVERY)
    }

    fn looking(config: &Config, sealer: &Sealer, every: Duration) -> Result<Self, TapeError> {
        let Replay { keep, .. } = config.replay;
        let shared = Arc::new(Shared::default());
        let mut writer = Writer::new(config, lockbox(config, sealer)?, shared.clone())?;
        writer.prune();
        if keep == Keep::Nothing && !writer.has_files() {
            return Ok(Self { keep, queue: None, shared, thread: None });
        }
        let (queue, heard) = mpsc::sync_channel(MOST_WAITING);
        let thread = std::thread::Builder::new()
            .name("tape".to_owned())
            .spawn(move || writer.run(&heard, every))
            .map_err(TapeError::io(&config.data))?;
        Ok(Self { keep, queue: Some(queue), shared, thread: Some(thread) })
    }

    /// Whether questions of this sort are kept.
    #[must_use]
    pub fn keeps(&self, question: Question) -> bool {
        match question {
            Question::Visible | Question::Admit | Question::Approve => self.keep >= Keep::Calls,
            Question::Disclose => self.keep >= Keep::Answers,
        }
    }

    /// How it is with what is kept; `None` if nothing is to be.
    #[must_use]
    pub fn health(&self) -> Option<TapeHealth> {
        let is_gone = self.thread.as_ref().is_none_or(JoinHandle::is_finished);
        let writable = !is_gone && !self.shared.failing.load(Ordering::Relaxed);
        let dropped = self.shared.dropped.load(Ordering::Relaxed);
        (self.keep != Keep::Nothing).then_some(TapeHealth { dropped, writable })
    }

    /// Where the rounds of a call are gathered.
    #[must_use]
    pub fn rounds(&self) -> Rounds {
        Rounds(self.keeps(Question::Admit).then(Vec::new))
    }

    /// Keeps what was asked about a call when it came.
    pub fn call(&self, rounds: Rounds) {
        self.calls(rounds, false);
    }

    /// Keeps what was asked about a held call when a person changed it, or when it was released.
    pub fn call_again(&self, rounds: Rounds) {
        self.calls(rounds, true);
    }

    fn calls(&self, rounds: Rounds, again: bool) {
        let Some(rounds) = rounds.0.filter(|rounds| !rounds.is_empty()) else { return };
        let bytes = rounds.iter().map(|round| size(&round.call)).sum();
        self.offer(Heard { bytes, what: What::Call { rounds, again } });
    }

    /// Keeps what was asked about an answer.
    pub fn answer(&self, answer: &AnswerFacts, round: impl FnOnce() -> Round) {
        if !self.keeps(Question::Disclose) {
            return;
        }
        let round = round();
        let content = answer.content.text().map_or(0, |text| text.bytes().len());
        let bytes = size(&round.call) + content;
        let what = What::Answer(Box::new((round, answer.clone())));
        self.offer(Heard { bytes, what });
    }

    /// Keeps what was asked about a person's wish.
    pub fn wish(&self, ask: &ApproveFacts<'_>, round: impl FnOnce() -> Round) {
        if !self.keeps(Question::Approve) {
            return;
        }
        let (round, approver, hold) = (round(), ask.approver.clone(), ask.hold.clone());
        let bytes = size(&round.call);
        let what = What::Wish(Box::new((round, approver, ask.action, hold)));
        self.offer(Heard { bytes, what });
    }

    /// Keeps what was asked about a list of tools.
    pub fn list(&self, list: impl FnOnce() -> List) {
        if !self.keeps(Question::Visible) {
            return;
        }
        let list = Box::new(list());
        let bytes = LIST_BYTES + list.tools.len() * TOOL_BYTES;
        self.offer(Heard { bytes, what: What::List(list) });
    }

    fn offer(&self, heard: Heard) {
        let bytes = heard.bytes;
        let waiting = self.shared.waiting.fetch_add(bytes, Ordering::Relaxed);
        let has_room = waiting.saturating_add(bytes) <= MOST_WAITING_BYTES;
        let sent = match &self.queue {
            Some(queue) if has_room => queue.try_send(heard),
            _ => Err(TrySendError::Full(heard)),
        };
        if let Err(error) = sent {
            // Once: the metrics say how it goes on.
            let is_gone = matches!(error, TrySendError::Disconnected(_));
            if is_gone && !self.shared.gone.swap(true, Ordering::Relaxed) {
                tracing::error!(
                    "what keeps questions to policy has broken; nothing is kept until the next start"
                );
            } else if !is_gone && !self.shared.full.swap(true, Ordering::Relaxed) {
                tracing::warn!(
                    "questions to policy come too fast to be kept; `portcullis_tape_dropped_total` \
                     counts those that are not"
                );
            }
            self.shared.waiting.fetch_sub(bytes, Ordering::Relaxed);
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Tape {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// About how much memory a call takes.
fn size(call: &Call) -> usize {
    let continuation = call.continuation.as_ref().map_or(0, |text| text.bytes().len());
    1024 + call.payload.bytes().len() + continuation
}
