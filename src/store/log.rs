//! The log's front: what the road holds, and the queue behind it.
//!
//! [`Log::append`] answers when the record is durable, [`Log::append_later`] only keeps its place in
//! the order. The event is turned into text by the caller, on its own thread, so that the one
//! writer has little to do for each. Queue, records under way and the reason of failure share one
//! lock: a failure therefore reaches every waiter at once, even while the writer itself hangs in a
//! system call, and nobody can slip in behind it.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::{oneshot, watch};

use super::{index::HoldMark, line};
use crate::domain::{Digest, Event, Seq, Timestamp};

/// Records of one group at most, and the bytes after which a group is closed.
pub(super) const GROUP_RECORDS: usize = 64;
/// How long a group waits for company, if the last one had some.
const GATHER: Duration = Duration::from_micros(200);
/// How long an event that nobody waits for may stay in memory.
const LATER: Duration = Duration::from_millis(5);
const GROUP_BYTES: usize = 64 * 1024;
/// Bytes that may wait in the queue.
const QUEUE_BYTES: usize = 64 * 1024 * 1024;

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
        let mut signal = self.0.signal.subscribe();
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
        queued.waiter = Some(waiter);
        self.0.push(queued)?;
        answer.await.unwrap_or(Err(LogError::Closed))
    }
}

type Waiter = oneshot::Sender<Result<Receipt, LogError>>;

/// An event on its way to the writer.
pub(super) struct Queued {
    pub(super) at: Option<Timestamp>,
    pub(super) text: Vec<u8>,
    pub(super) hold: Option<HoldMark>,
    waiter: Option<Waiter>,
}

impl Queued {
    fn of(event: Event, at: Option<Timestamp>) -> Result<Self, LogError> {
        let text =
            line::event_text(&event).map_err(|error| LogError::Event(error.to_string().into()))?;
        Ok(Self { at, text, hold: HoldMark::of(&event), waiter: None })
    }
}

/// The queue between the callers and the writer.
pub(super) struct Queue {
    state: Mutex<State>,
    work: Condvar,
    watch: Condvar,
    signal: watch::Sender<Option<Arc<str>>>,
    limit: usize,
}

struct State {
    waiting: VecDeque<Queued>,
    bytes: usize,
    /// Who waits for the group under way, in its order.
    flight: Vec<Option<Waiter>>,
    /// When the group under way began.
    since: Option<Instant>,
    /// Whether anybody waits for an event of the queue.
    awaited: bool,
    writer_idle: bool,
    watcher_idle: bool,
    poisoned: Option<Arc<str>>,
    /// Set if the writer hangs: it then cannot be waited for.
    stalled: bool,
    closed: bool,
    records: u64,
    groups: u64,
}

impl Queue {
    /// An empty queue of at most `limit` events, for a log that holds `records`.
    pub(super) fn new(limit: usize, records: u64) -> Self {
        let state = State {
            waiting: VecDeque::new(),
            bytes: 0,
            flight: Vec::new(),
            since: None,
            awaited: false,
            writer_idle: false,
            watcher_idle: false,
            poisoned: None,
            stalled: false,
            closed: false,
            records,
            groups: 0,
        };
        Self {
            state: Mutex::new(state),
            work: Condvar::new(),
            watch: Condvar::new(),
            signal: watch::Sender::new(None),
            limit,
        }
    }

    fn push(&self, queued: Queued) -> Result<(), LogError> {
        let mut state = self.lock();
        if let Some(cause) = &state.poisoned {
            return Err(LogError::Poisoned { cause: Arc::clone(cause) });
        }
        if state.closed {
            return Err(LogError::Closed);
        }
        // What nobody waits for, which clients can make much of, may take half the room; what
        // happens to holds always finds some, because a release must not stop half-way.
        let (limit, most) = match (&queued.hold, &queued.waiter) {
            (Some(_), _) => (self.limit * 2, QUEUE_BYTES * 2),
            (None, Some(_)) => (self.limit, QUEUE_BYTES),
            (None, None) => (self.limit / 2, QUEUE_BYTES / 2),
        };
        if state.waiting.len() >= limit || state.bytes + queued.text.len() > most {
            return Err(LogError::Busy { queued: state.waiting.len() });
        }
        state.bytes += queued.text.len();
        // Whoever waits wakes the writer. What nobody waits for only starts its timer, and goes
        // with the next group: otherwise every outcome would cost a group of its own.
        let starts = queued.waiter.is_some() || state.waiting.is_empty();
        state.awaited |= queued.waiter.is_some();
        state.waiting.push_back(queued);
        let wake = starts && std::mem::take(&mut state.writer_idle);
        drop(state);
        if wake {
            self.work.notify_one();
        }
        Ok(())
    }

    /// Waits for events and takes a group of them; none if the queue was closed and is empty, or
    /// the log failed. `company` is the size of the last group: if several callers are at work,
    /// a moment's wait lets them share one sync instead of queueing for two.
    pub(super) fn take_group(&self, group: &mut Vec<Queued>, company: usize) -> bool {
        group.clear();
        let mut state = self.lock();
        let mut until: Option<Instant> = None;
        while state.poisoned.is_none() {
            let ready = state.awaited || state.closed || state.waiting.len() >= GROUP_RECORDS;
            let enough = company < 2 || state.waiting.len() >= company.min(GROUP_RECORDS);
            if ready && (enough || state.closed) {
                break;
            }
            if state.closed && state.waiting.is_empty() {
                return false;
            }
            state.writer_idle = !ready;
            if state.waiting.is_empty() {
                state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let patience = if ready { GATHER } else { LATER };
            let end = *until.get_or_insert_with(|| Instant::now() + patience);
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let was_ready = ready;
            let waited = self.work.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            if !was_ready && state.awaited {
                until = None;
            }
        }
        state.writer_idle = false;
        if state.poisoned.is_some() || state.waiting.is_empty() {
            return false;
        }
        let mut bytes = 0;
        while group.len() < GROUP_RECORDS && (bytes < GROUP_BYTES || group.is_empty()) {
            let Some(mut queued) = state.waiting.pop_front() else { break };
            bytes += queued.text.len();
            state.flight.push(queued.waiter.take());
            group.push(queued);
        }
        state.bytes = state.bytes.saturating_sub(bytes);
        state.awaited = state.waiting.iter().any(|queued| queued.waiter.is_some());
        state.since = Some(Instant::now());
        let wake = std::mem::take(&mut state.watcher_idle);
        drop(state);
        if wake {
            self.watch.notify_one();
        }
        true
    }

    /// Answers the group under way: its records are durable. Nothing if the log failed meanwhile.
    pub(super) fn settle(&self, receipts: &[Receipt]) {
        let mut state = self.lock();
        state.since = None;
        if state.poisoned.is_some() {
            return;
        }
        state.records += receipts.len() as u64;
        state.groups += 1;
        let flight = std::mem::take(&mut state.flight);
        let last = state.closed;
        drop(state);
        if last {
            self.watch.notify_one();
        }
        for (waiter, receipt) in flight.into_iter().zip(receipts) {
            // Whoever stopped waiting does not want the answer.
            let _ = waiter.map(|waiter| waiter.send(Ok(*receipt)));
        }
    }

    /// Fails the log for good: everybody who waits now and everybody who comes later. The first
    /// cause stays.
    pub(super) fn poison(&self, cause: &str) {
        let mut state = self.lock();
        if state.poisoned.is_some() {
            return;
        }
        let cause: Arc<str> = cause.into();
        state.poisoned = Some(Arc::clone(&cause));
        state.bytes = 0;
        let waiting = std::mem::take(&mut state.waiting).into_iter().filter_map(|q| q.waiter);
        let flight = std::mem::take(&mut state.flight).into_iter().flatten();
        drop(state);
        for waiter in flight.chain(waiting) {
            let _ = waiter.send(Err(LogError::Poisoned { cause: Arc::clone(&cause) }));
        }
        self.work.notify_all();
        self.watch.notify_all();
        self.signal.send_replace(Some(cause));
    }

    /// Lets the writer finish what is queued and end; false if it hangs.
    pub(super) fn close(&self) -> bool {
        let mut state = self.lock();
        state.closed = true;
        let ends = !state.stalled;
        drop(state);
        self.work.notify_all();
        self.watch.notify_all();
        ends
    }

    /// Fails the log if a group takes longer than `limit`. Runs until the log fails, or is closed
    /// and has nothing under way.
    pub(super) fn watch_over(&self, limit: Duration) {
        let mut state = self.lock();
        while state.poisoned.is_none() {
            let Some(since) = state.since else {
                if state.closed && state.waiting.is_empty() {
                    return;
                }
                state.watcher_idle = true;
                state = self.watch.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = limit.saturating_sub(since.elapsed());
            if left.is_zero() {
                state.stalled = true;
                drop(state);
                let cause = format!("a write took longer than {} ms", limit.as_millis());
                return self.poison(&cause);
            }
            let wait = self.watch.wait_timeout(state, left);
            state = wait.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn health(&self) -> Health {
        let state = self.lock();
        Health {
            poisoned: state.poisoned.clone(),
            queued: state.waiting.len(),
            records: state.records,
            groups: state.groups,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
