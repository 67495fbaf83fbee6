//! Agents that somebody paused: they prove who they are and may call nothing.
//!
//! Kept in a file of the data folder, so that a restart lets nobody call again. A file that cannot be
//! read stops the start. It is read at the start alone, so only then can a hand have changed it: what it says
//! otherwise than was recorded last is recorded then.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::config::private::{self, PrivateError};
use crate::domain::{PrincipalId, Timestamp};
use crate::store::{Shelf, ShelfError, Store};

/// The file in the data folder.
const FILE: &str = "paused.json";
/// The largest file.
const MAX_BYTES: u64 = 4 << 20;

/// Why it is not known who is paused, or could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum PausedError {
    /// The file is not private, or the disk failed.
    #[error(transparent)]
    File(#[from] PrivateError),
    /// The database that remembers what was recorded.
    #[error(transparent)]
    Shelf(#[from] ShelfError),
    /// The file says something else.
    #[error("`{}` does not say which agents are paused: {source}; delete it to let all call again", path.display())]
    Format {
        /// Which.
        path: PathBuf,
        /// What was found.
        source: serde_json::Error,
    },
}

/// One agent that is paused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pause {
    /// Which.
    pub principal: PrincipalId,
    /// Who paused it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// The agents that are paused.
#[derive(Debug)]
pub struct Paused {
    path: PathBuf,
    map: Mutex<BTreeMap<PrincipalId, Pause>>,
    /// Those whose pause was recorded last, and not their end.
    recorded: Shelf,
}

impl Paused {
    /// Those of a data folder.
    ///
    /// # Errors
    /// If the file is there and cannot be read or trusted.
    pub fn open(data: &Path, store: &Store) -> Result<Self, PausedError> {
        let path = data.join(FILE);
        let list: Vec<Pause> = match private::read(&path, MAX_BYTES) {
            Err(error) if error.is_absent() => Vec::new(),
            bytes => serde_json::from_slice(&bytes?)
                .map_err(|source| PausedError::Format { path: path.clone(), source })?,
        };
        let map = list.into_iter().map(|pause| (pause.principal.clone(), pause)).collect();
        Ok(Self { path, map: Mutex::new(map), recorded: store.shelf("paused")? })
    }

    /// Those of whom the file says something else than was recorded last, and whether they are paused.
    ///
    /// # Errors
    /// If the database fails.
    pub fn unrecorded(&self) -> Result<Vec<(PrincipalId, bool)>, PausedError> {
        let lying = self.recorded.all()?.into_iter();
        let names = lying.filter_map(|(name, _)| String::from_utf8_lossy(&name).parse().ok());
        let recorded: BTreeSet<PrincipalId> = names.collect();
        let now: BTreeSet<PrincipalId> = self.with(|map| map.keys().cloned().collect());
        let differ = now.symmetric_difference(&recorded);
        Ok(differ.map(|it| (it.clone(), now.contains(it))).collect())
    }

    /// Notes what is recorded of an agent, so that it is not recorded again.
    ///
    /// # Errors
    /// If the database fails.
    pub fn note(&self, principal: &PrincipalId, is_paused: bool) -> Result<(), PausedError> {
        let name = principal.as_str().as_bytes();
        if is_paused {
            self.recorded.put(name, b"")?;
        } else {
            self.recorded.remove(name)?;
        }
        Ok(self.recorded.sync()?)
    }

    /// Since when and by whom an agent is paused, if it is.
    #[must_use]
    pub fn get(&self, principal: &PrincipalId) -> Option<Pause> {
        self.with(|map| map.get(principal).cloned())
    }

    /// All that are paused.
    #[must_use]
    pub fn all(&self) -> Vec<Pause> {
        self.with(|map| map.values().cloned().collect())
    }

    /// Pauses an agent. It counts at once, whether or not it can be kept.
    ///
    /// # Errors
    /// If it cannot be kept over a restart.
    pub fn pause(&self, pause: Pause) -> Result<(), PausedError> {
        self.with(|map| {
            map.insert(pause.principal.clone(), pause);
            self.keep(map)
        })
    }

    /// Lets an agent call again.
    ///
    /// # Errors
    /// If that cannot be kept; it stays paused then.
    pub fn resume(&self, principal: &PrincipalId) -> Result<(), PausedError> {
        self.with(|map| {
            let mut left = map.clone();
            left.remove(principal);
            self.keep(&left)?;
            *map = left;
            Ok(())
        })
    }

    fn keep(&self, map: &BTreeMap<PrincipalId, Pause>) -> Result<(), PausedError> {
        let list: Vec<&Pause> = map.values().collect();
        let text = serde_json::to_vec_pretty(&list)
            .map_err(|source| PausedError::Format { path: self.path.clone(), source })?;
        Ok(private::write(&self.path, &text)?)
    }

    fn with<T>(&self, act: impl FnOnce(&mut BTreeMap<PrincipalId, Pause>) -> T) -> T {
        act(&mut self.map.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Options;

    #[test]
    fn who_is_paused_stays_so_over_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let (store, _) = Store::open(&data, &Options::default()).unwrap();
        let paused = Paused::open(&data, &store).unwrap();
        let (bot, other): (PrincipalId, PrincipalId) =
            ("bot".parse().unwrap(), "other".parse().unwrap());
        let at = Timestamp::from_millis(7);
        for principal in [&bot, &other] {
            let pause = Pause { principal: principal.clone(), by: "ann".to_owned(), at };
            paused.pause(pause).unwrap();
        }
        paused.resume(&other).unwrap();
        let again = Paused::open(&data, &store).unwrap();
        assert_eq!(again.all(), paused.all());
        assert!(again.get(&bot).is_some() && again.get(&other).is_none());
        private::write(&data.join(FILE), b"{}").unwrap();
        assert!(Paused::open(&data, &store).unwrap_err().to_string().contains("does not say"));
    }
}
