//! The live view of a key file: digests to holders.

use std::collections::HashMap;

use super::key_file::{Holder, KeyEntry, KeyFile, KeysError};
use super::watched::Watched;
use crate::domain::{Digest, Timestamp};

/// Keys by digest. While the file cannot be trusted, no key is good.
pub(super) struct KeyTable<N: Holder> {
    file: KeyFile<N>,
    keys: Watched<HashMap<Digest, KeyEntry<N>>>,
}

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
        let table = Self { file, keys: Watched::unread() };
        table.reload()?;
        Ok(table)
    }

    /// Reads the file again if it changed since; says whether it did.
    pub(super) fn reload(&self) -> Result<bool, KeysError> {
        self.keys.reload(self.file.path(), || {
            let entries = self.file.list()?;
            Ok(entries.into_iter().map(|entry| (entry.hash, entry)).collect())
        })
    }

    /// A number that is greater after each reading of the file.
    pub(super) fn readings(&self) -> u64 {
        self.keys.readings()
    }

    /// All keys, those that ended too; `None` while the file cannot be trusted.
    pub(super) fn all(&self) -> Option<Vec<KeyEntry<N>>> {
        Some(self.keys.get().as_ref().as_ref()?.values().cloned().collect())
    }

    /// The holder of a key that is good now.
    pub(super) fn find(&self, digest: &Digest, now: Timestamp) -> Result<N, BadKey> {
        let keys = self.keys.get();
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
}
