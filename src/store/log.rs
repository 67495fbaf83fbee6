//! The log's front: what the road holds.
//!
//! [`Log::append`] answers when the record is durable, [`Log::append_later`] only keeps its place in
//! the order. The event is turned into text by the caller, on its own thread, so that the one
//! writer has little to do for each.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::queue::{Queue, Queued};
use crate::domain::{Digest, Event, Seq, Timestamp};

/// Proof that a record is durable. Only the writer makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Receipt {
    seq: Seq,
    at: Timestamp,
    hash: Digest,
}

impl Receipt {
    pub(super) const fn new(seq: Seq, at: Timestamp, hash: Digest) -> Self {
        Self { seq, at, hash }
    }

    /// The record's position.
    #[must_use]
    pub const fn seq(&self) -> Seq {
        self.seq
    }

    /// The time in the record.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// The record's hash.
    #[must_use]
    pub const fn hash(&self) -> Digest {
        self.hash
    }
}

/// Why an event was not recorded. Nothing may act on an event that was not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// A write or sync failed or stalled. Final: only a restart helps.
    #[error("the audit log cannot be written any more: {cause}")]
    Poisoned {
        /// What failed first.
        cause: Arc<str>,
    },
    /// More waits to be written than the queue may hold.
    #[error("the audit log is behind: {queued} records wait to be written; try again later")]
    Busy {
        /// How many wait.
        queued: usize,
    },
    /// The store was closed.
    #[error("the audit log is closed")]
    Closed,
    /// The event cannot be written as text.
    #[error("the event cannot be recorded: {0}")]
    Event(Arc<str>),
}

/// How the log is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Why it can no longer be written, if so.
    pub poisoned: Option<Arc<str>>,
    /// Events that wait to be written.
    pub queued: usize,
    /// Records in the log that are durable.
    pub records: u64,
    /// Groups written since start.
    pub groups: u64,
}

impl Health {
    /// Whether records can be written.
    #[must_use]
    pub const fn is_good(&self) -> bool {
        self.poisoned.is_none()
    }
}

/// The way into the log. Cheap to clone.
#[derive(Clone)]
pub struct Log(Arc<Queue>);

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Log").field(&self.health()).finish()
    }
}

impl Log {
    pub(super) const fn new(queue: Arc<Queue>) -> Self {
        Self(queue)
    }

    /// Records an event at the writer's time and answers when it is durable.
    ///
    /// If the caller stops waiting, the event is recorded nevertheless.
    ///
    /// # Errors
    /// If it is not known to be durable; then nothing may act on it.
    pub async fn append(&self, event: Event) -> Result<Receipt, LogError> {
        self.append_timed(event, None).await
    }

    /// As [`Log::append`], with the time at which the caller judged the event, so that a replay
    /// judges it at the same time.
    ///
    /// # Errors
    /// As [`Log::append`].
    pub async fn append_at(&self, event: Event, at: Timestamp) -> Result<Receipt, LogError> {
        self.append_timed(event, Some(at)).await
    }

    /// Records an event behind those already queued, without waiting: it is durable with its group,
    /// and before any record that is appended after it.
    ///
    /// # Errors
    /// If the event was not queued.
    pub fn append_later(&self, event: Event) -> Result<(), LogError> {
        self.0.push(Queued::of(event, None)?)
    }

    /// How the log is doing.
    #[must_use]
    pub fn health(&self) -> Health {
        self.0.health()
    }

    /// Waits until the log cannot be written any more (perhaps for ever) and tells why, for the
    /// process to stop in favour of its supervisor.
    pub async fn failed(&self) -> Arc<str> {
        let mut signal = self.0.failures();
        let cause = signal.wait_for(Option::is_some).await.ok().and_then(|cause| cause.clone());
        match cause {
            Some(cause) => cause,
            // The queue owns the sender, and this handle owns the queue.
            None => std::future::pending().await,
        }
    }

    async fn append_timed(&self, event: Event, at: Option<Timestamp>) -> Result<Receipt, LogError> {
        let mut queued = Queued::of(event, at)?;
        let (waiter, answer) = oneshot::channel();
        queued.awaited_by(waiter);
        self.0.push(queued)?;
        answer.await.unwrap_or(Err(LogError::Closed))
    }
}
