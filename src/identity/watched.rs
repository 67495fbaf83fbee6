//! What a file says, read again when it changed and replaced whole.
//!
//! A file that cannot be trusted takes with it everything it said, since it may be the one that takes
//! rights away; it is tried again the next time.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use arc_swap::{ArcSwap, Guard};

/// The live view of one file. A look takes one atomic load; [`Watched::reload`] is called by a
/// ticker.
pub(super) struct Watched<T> {
    /// `None` while the file cannot be trusted.
    now: ArcSwap<Option<T>>,
    /// What the file looked like when it was last read.
    seen: Mutex<Option<Stamp>>,
    /// How often it was read.
    readings: AtomicU64,
}

/// Changes whenever the file was replaced or edited; `None` inside is "no file".
type Stamp = Option<(u64, u64, i64, i64, i64, i64)>;

impl<T> Watched<T> {
    /// Not read yet, so nothing is trusted.
    pub(super) fn unread() -> Self {
        Self {
            now: ArcSwap::from_pointee(None),
            seen: Mutex::new(None),
            readings: AtomicU64::new(0),
        }
    }

    /// What the file says; `None` inside while it cannot be trusted.
    pub(super) fn get(&self) -> Guard<std::sync::Arc<Option<T>>> {
        self.now.load()
    }

    /// A number that is greater after each reading.
    pub(super) fn readings(&self) -> u64 {
        self.readings.load(Ordering::Acquire)
    }

    /// Reads the file again if it changed since; says whether it did.
    pub(super) fn reload<E>(
        &self,
        path: &Path,
        read: impl FnOnce() -> Result<T, E>,
    ) -> Result<bool, E> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // The stamp is taken first: a change while reading is then seen the next time.
        let stamp = stamp(path);
        if *seen == Some(stamp) {
            return Ok(false);
        }
        let read = read().map(|content| {
            self.now.store(Some(content).into());
            *seen = Some(stamp);
            true
        });
        if read.is_err() {
            self.now.store(None.into());
            *seen = None;
        }
        self.readings.fetch_add(1, Ordering::Release);
        read
    }
}

fn stamp(path: &Path) -> Stamp {
    let found = std::fs::symlink_metadata(path).ok()?;
    let (mtime, ctime) = ((found.mtime(), found.mtime_nsec()), (found.ctime(), found.ctime_nsec()));
    Some((found.ino(), found.len(), mtime.0, mtime.1, ctime.0, ctime.1))
}
