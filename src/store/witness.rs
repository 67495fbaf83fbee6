//! The second witness, kept a step behind the writer: the thread that tells the database how far the
//! chain is durable, and where the records of holds are.
//!
//! It is not waited for, because it tells nothing that the files do not: their lines are durable
//! before anybody is answered. So one commit stands for all groups of a [`LAG`], and the database
//! costs next to nothing. A group that speaks of a hold is the exception: it waits until both sinks
//! have it, since what a person releases is worth one more sync. A commit always tells of lines that
//! are durable already; hence the database never knows more than the files.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{
    index::{Head, HoldEntry, Index},
    queue::Queue,
};

/// How long the database may stay behind the files.
const LAG: Duration = Duration::from_millis(50);

/// What the writer and the thread of the database share.
#[derive(Default)]
pub(super) struct Shelf {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The newest head that is not in the database yet, with the holds since the last commit.
    head: Option<Head>,
    holds: Vec<HoldEntry>,
    /// Heads placed, and how many of them the database has.
    placed: u64,
    committed: u64,
    urgent: bool,
    closed: bool,
    /// The thread ended: by an error that is already told, or because it was closed.
    ended: bool,
}

/// The thread of the database ended by an error; the queue knows it.
#[derive(Debug, thiserror::Error)]
#[error("the thread of the log's database ended")]
pub(super) struct Ended;

impl Shelf {
    /// Tells a new head, whose lines are durable. Holds are waited for, other records are not.
    pub(super) fn place(&self, head: Head, holds: Vec<HoldEntry>) -> Result<(), Ended> {
        let mut state = self.lock();
        let is_first = state.head.is_none();
        let urgent = !holds.is_empty();
        state.head = Some(head);
        state.holds.extend(holds);
        state.placed += 1;
        state.urgent |= urgent;
        if is_first || urgent {
            self.changed.notify_all();
        }
        let ticket = state.placed;
        while urgent && !state.ended && state.committed < ticket {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.ended { Err(Ended) } else { Ok(()) }
    }

    /// Lets the thread commit what it has, and end.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Commits what is placed until the shelf is closed; the thread of the database.
    pub(super) fn keep(self: Arc<Self>, index: &Index, queue: &Queue) {
        let _ending = Ending { shelf: &self, queue };
        while let Some((head, holds, ticket)) = self.take() {
            queue.indexing(true);
            let result = index.commit(&head, &holds);
            queue.indexing(false);
            if let Err(error) = result {
                return queue.poison(&format!("cannot write to the log's database: {error}"));
            }
            self.lock().committed = ticket;
            self.changed.notify_all();
        }
    }

    fn take(&self) -> Option<(Head, Vec<HoldEntry>, u64)> {
        let mut state = self.lock();
        let mut since: Option<Instant> = None;
        loop {
            let lagging = state.head.is_some().then(|| *since.get_or_insert_with(Instant::now));
            let left = lagging.map(|since| LAG.saturating_sub(since.elapsed()));
            state = match left {
                _ if state.urgent || state.closed => break,
                Some(Duration::ZERO) => break,
                Some(left) => {
                    let wait = self.changed.wait_timeout(state, left);
                    wait.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
        state.urgent = false;
        let holds = std::mem::take(&mut state.holds);
        Some((state.head.take()?, holds, state.placed))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells the end of the thread, however it comes: nobody may wait for it for ever.
struct Ending<'a> {
    shelf: &'a Shelf,
    queue: &'a Queue,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.queue.poison("the thread of the log's database panicked");
        }
        self.shelf.lock().ended = true;
        self.shelf.changed.notify_all();
        self.queue.index_ended();
    }
}
