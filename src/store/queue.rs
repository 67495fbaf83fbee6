//! The queue between those who record and the one writer.
//!
//! Queue, records under way and the reason of failure share one lock: a failure therefore reaches
//! every waiter at once, even while the writer itself hangs in a system call, and nobody can slip in
//! behind it.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::{oneshot, watch};

use super::{
    index::HoldMark,
    line,
    log::{Health, LogError, Receipt},
};
use crate::domain::{Event, Timestamp};

/// Records of one group at most, and the bytes after which a group is closed.
pub(super) const GROUP_RECORDS: usize = 64;
/// A group waits for company as long as some comes within the first span, and at most the second.
const COMING: Duration = Duration::from_micros(250);
const GATHER: Duration = Duration::from_millis(2);
/// How long an event that nobody waits for may stay in memory.
const LATER: Duration = Duration::from_millis(5);
/// How long the writer looks for such events by itself after its last group.
const DOZE: Duration = Duration::from_millis(100);
const GROUP_BYTES: usize = 64 * 1024;
/// Bytes that may wait in the queue.
const QUEUE_BYTES: usize = 64 * 1024 * 1024;

type Waiter = oneshot::Sender<Result<Receipt, LogError>>;

/// An event on its way to the writer.
pub(super) struct Queued {
    pub(super) at: Option<Timestamp>,
    pub(super) text: Vec<u8>,
    pub(super) hold: Option<HoldMark>,
    waiter: Option<Waiter>,
}

impl Queued {
    /// The event as text, on the caller's thread.
    pub(super) fn of(event: Event, at: Option<Timestamp>) -> Result<Self, LogError> {
        let text =
            line::event_text(&event).map_err(|error| LogError::Event(error.to_string().into()))?;
        Ok(Self { at, text, hold: HoldMark::of(&event), waiter: None })
    }

    /// Somebody waits until it is durable.
    pub(super) fn awaited_by(&mut self, waiter: Waiter) {
        self.waiter = Some(waiter);
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

/// What the database does.
#[derive(Clone, Copy)]
enum Indexing {
    Idle,
    Since(Instant),
    Ended,
}

/// What the writer does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Writer {
    /// It looks at the queue before it rests again.
    Awake,
    /// It looks again within [`LATER`]: only who waits wakes it. A wake-up interrupts the call that
    /// causes it, which is then about to answer its agent.
    Dozing,
    /// Anything wakes it.
    Asleep,
}

struct State {
    waiting: VecDeque<Queued>,
    bytes: usize,
    /// Who waits for the group under way, in its order.
    flight: Vec<Option<Waiter>>,
    /// When the group under way began.
    since: Option<Instant>,
    index: Indexing,
    /// Whether anybody waits for an event of the queue.
    awaited: bool,
    writer: Writer,
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
            index: Indexing::Idle,
            awaited: false,
            writer: Writer::Awake,
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

    /// Queues an event; it keeps its place.
    pub(super) fn push(&self, queued: Queued) -> Result<(), LogError> {
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
        // What nobody waits for goes with the next group: otherwise every outcome would cost a
        // group of its own.
        let wake = match state.writer {
            Writer::Asleep => true,
            Writer::Dozing => queued.waiter.is_some(),
            Writer::Awake => false,
        };
        if wake {
            state.writer = Writer::Awake;
        }
        state.awaited |= queued.waiter.is_some();
        state.waiting.push_back(queued);
        drop(state);
        if wake {
            self.work.notify_one();
        }
        Ok(())
    }

    /// Waits for events and takes a group of them; says how many wait for it. `None` if the queue was
    /// closed and is empty, or the log failed. `company` is how many waited for the last group: if
    /// several callers are at work, a group waits as long as more of them keep coming, so that they
    /// share one sync instead of queueing for one each.
    pub(super) fn take_group(&self, group: &mut Vec<Queued>, company: usize) -> Option<usize> {
        group.clear();
        let mut state = self.lock();
        let begin = Instant::now();
        let mut gathering: Option<Instant> = None;
        while state.poisoned.is_none() && !state.closed && state.waiting.len() < GROUP_RECORDS {
            if !state.awaited {
                let quiet = state.waiting.is_empty();
                if quiet && begin.elapsed() >= DOZE {
                    state.writer = Writer::Asleep;
                    state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
                    continue;
                }
                state.writer = Writer::Dozing;
                let wait = self.work.wait_timeout(state, LATER);
                let (guard, over) = wait.unwrap_or_else(PoisonError::into_inner);
                state = guard;
                if over.timed_out() && !state.waiting.is_empty() {
                    break;
                }
                continue;
            }
            let since = *gathering.get_or_insert_with(Instant::now);
            if company < 2 || since.elapsed() >= GATHER {
                break;
            }
            let before = state.waiting.len();
            state.writer = Writer::Awake;
            state = self.work.wait_timeout(state, COMING).unwrap_or_else(PoisonError::into_inner).0;
            if state.waiting.len() == before {
                break;
            }
        }
        state.writer = Writer::Awake;
        if state.poisoned.is_some() || state.waiting.is_empty() {
            return None;
        }
        let (mut bytes, mut waiters) = (0, 0);
        while group.len() < GROUP_RECORDS && (bytes < GROUP_BYTES || group.is_empty()) {
            let Some(mut queued) = state.waiting.pop_front() else { break };
            bytes += queued.text.len();
            waiters += usize::from(queued.waiter.is_some());
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
        Some(waiters)
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
        drop(state);
        for (waiter, receipt) in flight.into_iter().zip(receipts) {
            // Whoever stopped waiting does not want the answer.
            let _ = waiter.map(|waiter| waiter.send(Ok(*receipt)));
        }
    }

    /// Tells that a write to the database begins or ends; it is watched like those to the files.
    pub(super) fn indexing(&self, begins: bool) {
        let mut state = self.lock();
        state.index = if begins { Indexing::Since(Instant::now()) } else { Indexing::Idle };
        let wake = begins && std::mem::take(&mut state.watcher_idle);
        drop(state);
        if wake {
            self.watch.notify_one();
        }
    }

    /// Tells that nothing is written to the database any more.
    pub(super) fn index_ended(&self) {
        self.lock().index = Indexing::Ended;
        self.watch.notify_all();
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

    /// Where the cause of a failure is told.
    pub(super) fn failures(&self) -> watch::Receiver<Option<Arc<str>>> {
        self.signal.subscribe()
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

    /// Fails the log if a write takes longer than `limit`. Runs until the log fails, or is closed
    /// and has nothing under way.
    pub(super) fn watch_over(&self, limit: Duration) {
        let mut state = self.lock();
        while state.poisoned.is_none() {
            let indexing = match state.index {
                Indexing::Since(since) => Some(since),
                Indexing::Ended if state.since.is_none() => return,
                Indexing::Idle | Indexing::Ended => None,
            };
            let Some(since) = [state.since, indexing].into_iter().flatten().min() else {
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

    /// How the log is doing.
    pub(super) fn health(&self) -> Health {
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
