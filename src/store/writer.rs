//! The one writer: it owns the order, the chain and the files.
//!
//! A group is whatever queued up while the last one was made durable; an idle log never waits for
//! company. Its lines are written to the file and synced, and only then is anybody answered; the
//! database follows behind ([`super::witness`]). A third thread watches the clock. The first error
//! ends the writer for good: after a failed sync nobody can say what is on the disk, so nothing is
//! tried again in this process.

use std::{
    io,
    sync::Arc,
    thread::{self, JoinHandle},
};

use super::{
    Options,
    folder::Lock,
    index::{Head, HoldEntry, Index},
    line::{self, Chain},
    log::Receipt,
    queue::{Queue, Queued},
    segment::{Segment, SegmentName},
    witness::{Ended, Shelf},
};
use crate::domain::{Seq, Timestamp};

/// What the writer takes over from the opening.
pub(super) struct Work {
    pub(super) chain: Chain,
    pub(super) segment: Segment,
    pub(super) index: Arc<Index>,
    /// The lock of the folder.
    pub(super) lock: Arc<Lock>,
}

/// The threads of the writer; they end when the queue is closed.
pub(super) struct Writer(Vec<JoinHandle<()>>);

impl Writer {
    /// Starts the writer behind `queue`, at the end of the log.
    pub(super) fn start(queue: &Arc<Queue>, work: Work, options: &Options) -> io::Result<Self> {
        let shelf = Arc::new(Shelf::default());
        let (index, lock) = (work.index, Arc::clone(&work.lock));
        let (kept, told) = (Arc::clone(&shelf), Arc::clone(queue));
        let indexing = spawn("log-index", move || {
            let _lock = lock;
            kept.keep(&index, &told);
        })?;
        let scribe = Scribe {
            chain: work.chain,
            segment: work.segment,
            shelf,
            rotate_bytes: options.rotate_bytes,
            lines: Vec::new(),
            receipts: Vec::new(),
            _lock: work.lock,
        };
        let (queued, watched) = (Arc::clone(queue), Arc::clone(queue));
        let writing = spawn("log-writer", move || scribe.run(&queued))?;
        let stall = options.stall;
        let watching = spawn("log-watch", move || watched.watch_over(stall))?;
        Ok(Self(vec![writing, indexing, watching]))
    }

    /// Waits for the threads' end.
    pub(super) fn join(&mut self) {
        for thread in self.0.drain(..) {
            // A panicking thread poisoned the log already.
            let _ = thread.join();
        }
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.to_owned()).spawn(work)
}

/// What ended the log.
#[derive(Debug, thiserror::Error)]
enum CommitError {
    #[error("cannot begin the next file of records: {0}")]
    Rotate(io::Error),
    #[error("cannot write to `{0}`: {1}")]
    Append(SegmentName, io::Error),
    #[error("cannot make `{0}` durable: {1}")]
    Sync(SegmentName, io::Error),
    #[error(transparent)]
    Index(#[from] Ended),
}

struct Scribe {
    chain: Chain,
    segment: Segment,
    shelf: Arc<Shelf>,
    rotate_bytes: u64,
    lines: Vec<u8>,
    receipts: Vec<Receipt>,
    _lock: Arc<Lock>,
}

impl Scribe {
    fn run(mut self, queue: &Queue) {
        let guard = PoisonOnPanic(queue);
        let mut group = Vec::new();
        let mut company = 0;
        while let Some(waiters) = queue.take_group(&mut group, company) {
            company = waiters;
            match self.commit(&group) {
                Ok(()) => queue.settle(&self.receipts),
                Err(error) => {
                    queue.poison(&error.to_string());
                    break;
                }
            }
        }
        std::mem::forget(guard);
    }

    /// Writes a group and makes it durable; its receipts are then in `self.receipts`.
    fn commit(&mut self, group: &[Queued]) -> Result<(), CommitError> {
        let now = line::now();
        self.segment.rotate(now, self.rotate_bytes).map_err(CommitError::Rotate)?;
        let holds = self.write_lines(group, now);
        let name = self.segment.name;
        let appended = self.segment.append(&self.lines);
        appended.map_err(|error| CommitError::Append(name, error))?;
        self.segment.sync().map_err(|error| CommitError::Sync(name, error))?;
        let head = Head { chain: self.chain, segment: name, end: self.segment.len };
        Ok(self.shelf.place(head, holds)?)
    }

    fn write_lines(&mut self, group: &[Queued], now: Timestamp) -> Vec<HoldEntry> {
        self.lines.clear();
        self.receipts.clear();
        let now_text = now.to_string();
        let mut holds = Vec::new();
        for queued in group {
            let from = self.lines.len();
            let seq = Seq(self.chain.next);
            match queued.at {
                Some(at) => self.chain.write(&at.to_string(), &queued.text, &mut self.lines),
                None => self.chain.write(&now_text, &queued.text, &mut self.lines),
            }
            let (at, hash) = (queued.at.unwrap_or(now), self.chain.head);
            self.receipts.push(Receipt::new(seq, at, hash));
            holds.extend(queued.hold.map(|mark| HoldEntry {
                seq,
                at,
                hash,
                segment: self.segment.name,
                offset: self.segment.len + from as u64,
                len: u32::try_from(self.lines.len() - from - 1).unwrap_or(u32::MAX),
                mark,
            }));
        }
        holds
    }
}

impl Drop for Scribe {
    fn drop(&mut self) {
        self.shelf.close();
    }
}

/// Fails the log if the writer ends by a panic: nobody may wait for ever.
struct PoisonOnPanic<'a>(&'a Queue);

impl Drop for PoisonOnPanic<'_> {
    fn drop(&mut self) {
        self.0.poison("the writer panicked");
    }
}
