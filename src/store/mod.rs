//! The store: the log's files, the database beside them, and the key that seals what they hold.
//!
//! On the road it is step 6: no decision acts before its [`Receipt`]. It lies above `domain` alone
//! and is the only place that knows sled. It must never acknowledge what is not durable, never go on
//! after a failed sync, and never delete what it cannot read: that is moved aside.
//!
//! The choice that makes the rest simple: there is one truth, the lines of the JSONL files, chained
//! by hashes, synced before anybody is answered. The database follows a step behind as a witness (how
//! far the chain was durable) and an index (which records are about holds), and can be made anew
//! from the lines.
//!
//! Trust: whoever can write to the folder can rewrite the chain from its start, or restore an older
//! copy of everything. A head that was kept elsewhere shows that; this module alone does not.

pub(crate) mod fault;
mod folder;
mod grants;
mod index;
pub(crate) mod line;
mod log;
mod queue;
mod recovery;
mod sealer;
pub(crate) mod segment;
mod shelf;
mod witness;
mod writer;

use std::{
    io,
    num::NonZero,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

pub use grants::GrantRecord;
pub use line::Flaw;
pub use log::{Health, Log, LogError, Receipt};
pub use recovery::{Witness, compare_end};
pub use sealer::{SealError, Sealer, random};
pub use shelf::{Lying, Shelf, ShelfError};

use crate::domain::{HoldEvent, HoldId, Timestamp};
use fault::Faults;
use folder::Folder;
use index::{Index, IndexError};
use queue::Queue;
use writer::{Work, Writer};

/// Settings of the store; the defaults are right for production.
#[derive(Debug, Clone)]
pub struct Options {
    /// Bytes after which a new file of records begins; each day begins one anyway.
    pub rotate_bytes: u64,
    /// Bytes kept in reserve for a restart on a full disk.
    pub ballast_bytes: u64,
    /// Bytes of memory for the database.
    pub cache_bytes: u64,
    /// Events that may wait to be written.
    pub queue: usize,
    /// How long a write may take before the log counts as failed.
    pub stall: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            rotate_bytes: 256 * 1024 * 1024,
            ballast_bytes: 8 * 1024 * 1024,
            cache_bytes: 16 * 1024 * 1024,
            queue: 8192,
            stall: Duration::from_secs(1),
        }
    }
}

/// What had to be mended when the store was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recovery {
    /// Bytes of unfinished or damaged lines at the end that were moved to a `torn-*.bin` file.
    pub recovered_bytes: u64,
    /// Records that the files had and the database did not know.
    pub reindexed: u64,
    /// Whether the database was lost or damaged and made anew from the files.
    pub rebuilt: bool,
}

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process uses the folder.
    #[error("`{path}` is in use by another process: stop that one first")]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// The log is damaged in a way that may have lost acknowledged records.
    #[error(
        "the audit log is damaged: `{place}`: {what}; nothing was changed: restore the data folder \
         from a backup, or move it away to begin a new log"
    )]
    Corrupt {
        /// File and line, or the folder.
        place: String,
        /// What is wrong there.
        what: String,
    },
    /// Others may look into the folder.
    #[error("`{path}` is open to other users (mode {mode:03o}): `chmod 700` it")]
    Permissions {
        /// The folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// No room, and no reserve left.
    #[error("no space is left for `{path}`: make room and start again")]
    Full {
        /// The folder.
        path: PathBuf,
    },
    /// The key is missing or unsafe.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The operating system refused something.
    #[error("cannot {what} `{path}`: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

impl OpenError {
    fn io(what: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        if folder::is_full(&source) { Self::Full { path } } else { Self::Io { what, path, source } }
    }

    fn index(folder: &Path, error: IndexError) -> Self {
        match error {
            IndexError::Io(source) => Self::io("use the database in", folder, source),
            IndexError::Corrupt(what) => {
                Self::Corrupt { place: folder.join(index::FOLDER).display().to_string(), what }
            }
        }
    }
}

/// The open store of one process. Dropping it finishes what is queued and gives the folder free.
pub struct Store {
    log: Log,
    sealer: Sealer,
    queue: Arc<Queue>,
    writer: Writer,
    index: Arc<Index>,
    folder: Folder,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("folder", &self.folder.path).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the store in a folder, making both if needed, and mends what a crash left behind.
    ///
    /// Only the end of the log is checked, so that a start is quick; `audit::verify` checks all.
    ///
    /// # Errors
    /// If the folder is in use, open to others, full or unreadable, or if acknowledged records are
    /// missing or damaged where this looks.
    pub fn open(path: &Path, options: &Options) -> Result<(Self, Recovery), OpenError> {
        Self::open_with(path, options, &Faults::default())
    }

    /// As [`Store::open`]; the tests of the log pass failures of the machine here.
    pub(crate) fn open_with(
        path: &Path,
        options: &Options,
        faults: &Faults,
    ) -> Result<(Self, Recovery), OpenError> {
        let folder = Folder::lock(path)?;
        folder.make_room()?;
        let sealer = Sealer::load(path)?;
        let (end, recovery) = recovery::recover(path, options, faults)?;
        folder.lay_ballast(options.ballast_bytes);
        let queue = Arc::new(Queue::new(options.queue, end.chain.next));
        let index = Arc::new(end.index);
        let work = Work {
            chain: end.chain,
            segment: end.segment,
            index: Arc::clone(&index),
            lock: Arc::clone(&folder.lock),
        };
        let writer = Writer::start(&queue, work, options)
            .map_err(|source| OpenError::io("start the writer for", path, source))?;
        let log = Log::new(Arc::clone(&queue));
        Ok((Self { log, sealer, queue, writer, index, folder }, recovery))
    }

    /// The way into the log.
    #[must_use]
    pub fn log(&self) -> Log {
        self.log.clone()
    }

    /// What seals values under this installation's key.
    #[must_use]
    pub fn sealer(&self) -> Sealer {
        self.sealer.clone()
    }

    /// A shelf for values that are no records.
    ///
    /// # Errors
    /// If the database fails.
    pub fn shelf(&self, name: &str) -> Result<Shelf, ShelfError> {
        Shelf::open(&self.index, &self.folder.lock, name)
    }

    /// The events of all holds that have not long been over, in the order of the log: what the live
    /// view is built from at start.
    ///
    /// # Errors
    /// If the database or a file cannot be read, or a record is not the one that was acknowledged.
    pub fn hold_events(&self) -> Result<Vec<(HoldId, Timestamp, HoldEvent)>, OpenError> {
        self.hold_events_by(recovery::stretch)
    }

    /// As [`Store::hold_events`], in stretches of the length that `stretch` makes of their number.
    pub(crate) fn hold_events_by(
        &self,
        stretch: impl FnOnce(usize) -> NonZero<usize>,
    ) -> Result<Vec<(HoldId, Timestamp, HoldEvent)>, OpenError> {
        let folder = &self.folder.path;
        let entries = self.index.holds().collect::<Result<Vec<_>, _>>();
        let entries = entries.map_err(|error| OpenError::index(folder, error))?;
        recovery::hold_events(folder, &entries, stretch(entries.len()))
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if self.queue.close() {
            self.writer.join();
        }
    }
}
