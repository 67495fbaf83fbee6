//! The live view of a key file: digests to holders, replaced whole when the file changed.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt as _;
use std::sync::Mutex;

use arc_swap::ArcSwap;

use super::key_file::{Holder, KeyEntry, KeyFile, KeysError};
use crate::domain::{Digest, Timestamp};

/// Keys by digest. A lookup takes one atomic load; [`KeyTable::reload`] is called by a ticker.
pub(super) struct KeyTable<N: Holder> {
    file: KeyFile<N>,
    /// `None` while the file cannot be trusted: then no key is good.
    keys: ArcSwap<Option<HashMap<Digest, KeyEntry<N>>>>,
    /// What the file looked like when it was last read.
    seen: Mutex<Option<Stamp>>,
}

/// Changes whenever the file was replaced or edited; `None` inside is "no file".
type Stamp = Option<(u64, u64, i64, i64, i64, i64)>;

/// Why a key is no good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadKey {
    Unknown,
    Expired,
    Revoked,
    /// The file cannot be trusted at the moment.
    Unreadable,
}

impl<N: Holder> KeyTable<N> {
    pub(super) fn open(file: KeyFile<N>) -> Result<Self, KeysError> {
        let table = Self { file, keys: ArcSwap::from_pointee(None), seen: Mutex::new(None) };
        table.reload()?;
        Ok(table)
    }

    /// Reads the file again if it changed since; says whether it did. A file that cannot be
    /// trusted takes every key with it, since it may be the one that revokes them, and is tried
    /// again the next time.
    pub(super) fn reload(&self) -> Result<bool, KeysError> {
        let mut seen = self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // The stamp is taken first: a change while reading is then seen the next time.
        let stamp = self.stamp();
        if *seen == Some(stamp) {
            return Ok(false);
        }
        match self.file.list() {
            Ok(entries) => {
                let keys = entries.into_iter().map(|entry| (entry.hash, entry)).collect();
                self.keys.store(Some(keys).into());
                *seen = Some(stamp);
                Ok(true)
            }
            Err(error) => {
                self.keys.store(None.into());
                *seen = None;
                Err(error)
            }
        }
    }

    /// The holder of a key that is good now.
    pub(super) fn find(&self, digest: &Digest, now: Timestamp) -> Result<N, BadKey> {
        let keys = self.keys.load();
        let keys = keys.as_ref().as_ref().ok_or(BadKey::Unreadable)?;
        let entry = keys.get(digest).ok_or(BadKey::Unknown)?;
        if entry.revoked_at.is_some() {
            Err(BadKey::Revoked)
        } else if entry.expires_at.is_some_and(|end| end <= now) {
            Err(BadKey::Expired)
        } else {
            Ok(entry.name.clone())
        }
    }

    fn stamp(&self) -> Stamp {
        let found = std::fs::symlink_metadata(self.file.path()).ok()?;
        let (mtime, ctime) =
            ((found.mtime(), found.mtime_nsec()), (found.ctime(), found.ctime_nsec()));
        Some((found.ino(), found.len(), mtime.0, mtime.1, ctime.0, ctime.1))
    }
}
