//! The vault: what stands behind the pseudonyms of each principal.
//!
//! On the road it is used twice. When an answer is edited, [`Minting`] gives the pseudonym of each
//! value: the same one for the same value of the same principal, one suffix for all values of one
//! person, and no principal's pseudonyms mean anything to another. When a call comes back, [`Vault`]
//! says what a pseudonym stands for, whose it is and where it was shown; whether it may be turned back
//! is for policy to say and for `gate` to do.
//!
//! A suffix is a digest under the principal's own key, so it says nothing and does not depend on what
//! came before. That is why the vault may lose its last moments: it is written to a sealed file (`file`)
//! by a thread of its own (`writer`), a little behind. After a crash the agent may hold a pseudonym that
//! is not known any more; it is told so, reads the record again, and gets the same one.
//!
//! Bounded in number and time. What was not seen for long is forgotten first, and its suffix never comes
//! to mean another person.
//!
//! This module must never log a value, and never hold a lock across an await.

mod canonical;
mod entry;
mod file;
mod keys;
mod lockbox;
mod shelf;
#[cfg(test)]
mod tests;
mod writer;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak};
use std::time::Duration;

use zeroize::Zeroizing;

use crate::config::{Pseudonyms, Secret};
use crate::domain::pseudonym::Token;
use crate::domain::{Dictionary, PrincipalId, Timestamp};
use crate::store::Sealer;
use keys::Keys;
pub use lockbox::Lockbox;
use shelf::Shelf;
use writer::{Note, Writer};

/// From how many principals on empty shelves are taken down.
const MOST_SHELVES: usize = 10_000;

/// Why the vault cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The configured key is none.
    #[error(
        "`pseudonyms.key` must be 32 bytes, written as 64 hexadecimal digits or as base64: make one \
         with `openssl rand -hex 32`"
    )]
    Key,
    /// The file was sealed with another key.
    #[error(
        "`{0}` was sealed with another key: configure that one again, or move the file away; then \
         pseudonyms that agents hold are no longer known"
    )]
    OtherKey(PathBuf),
    /// The file was changed.
    #[error(
        "`{path}` is damaged at byte {place}: restore it from your backup, or move it away; then \
         pseudonyms that agents hold are no longer known"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where.
        place: u64,
    },
    /// The system gives no randomness, or the cipher refused.
    #[error("the cryptographic library failed")]
    Random,
    /// The file could not be read or written.
    #[error("cannot read or write `{path}`: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// How much is kept, and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// How long a value is known after it was last seen.
    pub valid: Duration,
    /// The most values of one principal.
    pub per_principal: usize,
    /// The most values of all principals.
    pub total: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self::from(&Pseudonyms::default())
    }
}

impl From<&Pseudonyms> for Bounds {
    fn from(configured: &Pseudonyms) -> Self {
        let Pseudonyms { valid, per_principal, total, .. } = *configured;
        Self { valid, per_principal, total }
    }
}

impl Bounds {
    fn valid_millis(&self) -> i64 {
        i64::try_from(self.valid.as_millis()).unwrap_or(i64::MAX)
    }

    /// After how many milliseconds it is written down that a value was seen again.
    fn keep_every(&self) -> i64 {
        self.valid_millis() / 32
    }
}

/// A value, where it is seen.
#[derive(Clone, Copy)]
pub struct Sight<'a> {
    /// Such as `email`.
    pub kind: &'a str,
    /// The whole value in its plain form.
    pub value: &'a str,
    /// What stands there, in its plain form: the value, or a part of it.
    pub text: &'a str,
    /// Which part that is, such as `first`.
    pub part: Option<&'a str>,
    /// Whose value it is: `contact:ID`, or a word that holds for one payload.
    pub subject: Option<&'a str>,
    /// The records that show it: `conversation:ID`, `contact:ID`.
    pub seen_in: &'a [&'a str],
}

/// What is known of a pseudonym, beside its value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Provenance {
    /// Whose value it is, as references of records.
    pub subjects: Vec<String>,
    /// The records that showed it.
    pub seen_in: Vec<String>,
}

/// The pseudonyms of this installation.
pub struct Vault {
    shelves: Arc<Shelves>,
    writer: Option<Writer>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault")
    }
}

/// The shelves of all principals, each behind its own lock.
struct Shelves {
    keys: Keys,
    bounds: Bounds,
    all: RwLock<HashMap<PrincipalId, Arc<Mutex<Shelf>>>>,
    /// Values on all shelves, about.
    values: AtomicUsize,
}

impl Vault {
    /// Opens the vault of a data folder that this process owns. Without a `key` it is sealed with one
    /// that comes from the installation's own.
    ///
    /// # Errors
    /// The key is none or another one, or the file cannot be used.
    pub fn open(
        folder: &Path,
        key: Option<&Secret>,
        sealer: &Sealer,
        bounds: Bounds,
        now: Timestamp,
    ) -> Result<Self, VaultError> {
        let mut vault = Self::in_memory(key, sealer, bounds)?;
        let writer = Writer::open(folder, &vault.shelves, now.millis())?;
        vault.writer = Some(writer);
        Ok(vault)
    }

    /// A vault that forgets everything when it is dropped.
    ///
    /// # Errors
    /// The key is none.
    pub fn in_memory(
        key: Option<&Secret>,
        sealer: &Sealer,
        bounds: Bounds,
    ) -> Result<Self, VaultError> {
        let shelves = Shelves {
            keys: Keys::of(key, sealer)?,
            bounds,
            all: RwLock::default(),
            values: AtomicUsize::new(0),
        };
        Ok(Self { shelves: Arc::new(shelves), writer: None })
    }

    /// Gives pseudonyms to the values of one payload that goes to a principal.
    #[must_use]
    pub fn minting(&self, who: &PrincipalId, now: Timestamp) -> Minting<'_> {
        let shelf = self.shelves.shelf(who);
        let (now, notes) = (now.millis(), Vec::new());
        let repeat =
            Some(Repeat { shelf: Arc::downgrade(&shelf), changes: None, entries: Vec::new() });
        Minting { vault: self, who: who.clone(), shelf, now, locals: HashMap::new(), notes, repeat }
    }

    /// Sees the values of a payload once more. False if they might have other pseudonyms by now, or if
    /// there is something to be kept of them: then they must be minted.
    #[must_use]
    pub fn repeat(&self, repeat: &Repeat, now: Timestamp) -> bool {
        let Some(changes) = repeat.changes else { return true };
        let Some(shelf) = repeat.shelf.upgrade() else { return false };
        let mut shelf = lock(&shelf);
        self.shelves.shed(&mut shelf, now.millis());
        shelf.repeat(changes, &repeat.entries, now.millis(), &self.shelves.bounds)
    }

    /// What a principal's pseudonym stands for; `None` if it is not one of its own.
    #[must_use]
    pub fn value(
        &self,
        who: &PrincipalId,
        token: &Token,
        now: Timestamp,
    ) -> Option<Zeroizing<String>> {
        let shelf = self.shelves.find(who)?;
        let mut shelf = lock(&shelf);
        self.shelves.shed(&mut shelf, now.millis());
        shelf.value(token, now.millis()).map(|(text, _)| text)
    }

    /// Whose a principal's pseudonym is and where it was shown; `None` if it is not one of its own.
    #[must_use]
    pub fn provenance(
        &self,
        who: &PrincipalId,
        token: &Token,
        now: Timestamp,
    ) -> Option<Provenance> {
        let shelf = self.shelves.find(who)?;
        let mut shelf = lock(&shelf);
        self.shelves.shed(&mut shelf, now.millis());
        let entry = shelf.look(token)?;
        Some(Provenance { subjects: entry.subjects.clone(), seen_in: entry.seen_in.clone() })
    }

    /// The values that a principal has seen last.
    #[must_use]
    pub fn dictionary(&self, who: &PrincipalId, now: Timestamp) -> Dictionary {
        let Some(shelf) = self.shelves.find(who) else { return Dictionary::default() };
        let mut shelf = lock(&shelf);
        self.shelves.shed(&mut shelf, now.millis());
        shelf.dictionary()
    }

    /// Comes back when everything that was minted before is written; whether it is.
    pub async fn flushed(&self) -> bool {
        match &self.writer {
            Some(writer) => writer.flushed().await,
            None => true,
        }
    }
}

impl Shelves {
    fn find(&self, who: &PrincipalId) -> Option<Arc<Mutex<Shelf>>> {
        self.all.read().unwrap_or_else(PoisonError::into_inner).get(who).cloned()
    }

    fn shelf(&self, who: &PrincipalId) -> Arc<Mutex<Shelf>> {
        if let Some(shelf) = self.find(who) {
            return shelf;
        }
        let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST_SHELVES {
            all.retain(|_, shelf| Arc::strong_count(shelf) > 1 || lock(shelf).len() > 0);
        }
        let new = || Arc::new(Mutex::new(Shelf::new(self.keys.of_trail(who))));
        all.entry(who.clone()).or_insert_with(new).clone()
    }

    /// All shelves with whose they are.
    fn each(&self) -> Vec<(PrincipalId, Arc<Mutex<Shelf>>)> {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        all.iter().map(|(who, shelf)| (who.clone(), shelf.clone())).collect()
    }

    /// Counts what was taken up from the file, and forgets what is too old or too much.
    fn settle(&self, now: i64) {
        for (_, shelf) in self.each() {
            let mut shelf = lock(&shelf);
            self.values.fetch_add(shelf.len(), Ordering::Relaxed);
            shelf.sort();
            self.shed(&mut shelf, now);
        }
        self.make_room();
    }

    /// Forgets what is too old on a shelf, and what is too much.
    fn shed(&self, shelf: &mut Shelf, now: i64) {
        let before = now.saturating_sub(self.bounds.valid_millis());
        let shed = shelf.shed(before, self.bounds.per_principal);
        self.values.fetch_sub(shed, Ordering::Relaxed);
    }

    /// Makes room among all principals: the oldest value goes, whosever it is. Nobody's lock is held.
    fn make_room(&self) {
        while self.values.load(Ordering::Relaxed) > self.bounds.total {
            let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
            let oldest = all
                .values()
                .filter_map(|shelf| Some((lock(shelf).oldest()?, shelf.clone())))
                .min_by_key(|(seen, _)| *seen);
            drop(all);
            let Some((_, shelf)) = oldest else { return };
            let mut shelf = lock(&shelf);
            // Several at once, or the search would be made again for each.
            let most = shelf.len().saturating_sub(64.min(self.bounds.total / 16 + 1));
            let shed = shelf.shed(i64::MIN, most);
            self.values.fetch_sub(shed, Ordering::Relaxed);
            if shed == 0 {
                return;
            }
        }
    }
}

/// What it takes for the values of a payload to have the same pseudonyms once more: nothing has changed
/// since in those of its principal.
#[derive(Debug, Clone)]
pub struct Repeat {
    shelf: Weak<Mutex<Shelf>>,
    /// Of the shelf, when the first was minted; `None` if none was.
    changes: Option<u64>,
    entries: Vec<u32>,
}

/// Gives pseudonyms to the values of one payload. What is new is kept when it is dropped.
pub struct Minting<'a> {
    vault: &'a Vault,
    who: PrincipalId,
    shelf: Arc<Mutex<Shelf>>,
    now: i64,
    /// The suffixes of people who have a word in this payload alone.
    locals: HashMap<String, String>,
    notes: Vec<u32>,
    /// `None` once something changed.
    repeat: Option<Repeat>,
}

impl Minting<'_> {
    /// What it takes for all that was minted to be the same once more; `None` if it would not be.
    #[must_use]
    pub fn repeat(&self) -> Option<Repeat> {
        let mut repeat = self.repeat.clone()?;
        repeat.entries.sort_unstable();
        repeat.entries.dedup();
        Some(repeat)
    }

    /// The pseudonym of a value; `None` if it cannot have one, because it or its kind is empty or odd.
    #[must_use]
    pub fn token(&mut self, sight: &Sight<'_>) -> Option<String> {
        let shelves = &self.vault.shelves;
        let word = sight.subject.filter(|subject| !canonical::is_record(subject));
        let local = word.and_then(|word| self.locals.get(word)).map(String::as_str);
        let mut shelf = lock(&self.shelf);
        shelves.shed(&mut shelf, self.now);
        let (before, changes) = (shelf.len(), shelf.changes());
        let minted = shelf.mint(sight, local, self.now, &shelves.bounds);
        shelves.values.fetch_add(shelf.len() - before, Ordering::Relaxed);
        let lasts = shelf.changes() == changes && minted.as_ref().is_none_or(|it| it.lasts);
        drop(shelf);
        match self.repeat.as_mut().filter(|it| lasts && it.changes.unwrap_or(changes) == changes) {
            Some(repeat) => {
                repeat.changes = Some(changes);
                repeat.entries.extend(minted.as_ref().map(|it| it.number));
            }
            None => self.repeat = None,
        }
        let minted = minted?;
        if let Some(word) = word.filter(|word| !self.locals.contains_key(*word)) {
            self.locals.insert(word.to_owned(), minted.base);
        }
        if minted.changed && !self.notes.contains(&minted.number) {
            self.notes.push(minted.number);
        }
        Some(minted.token)
    }
}

impl Drop for Minting<'_> {
    fn drop(&mut self) {
        let shelves = &self.vault.shelves;
        if let Some(writer) = &self.vault.writer
            && !self.notes.is_empty()
        {
            let shelf = lock(&self.shelf);
            let entries = self.notes.iter().filter_map(|number| shelf.entry(*number));
            let notes = entries.filter_map(|entry| Note::of(&self.who, entry)).collect();
            drop(shelf);
            writer.keep(notes);
        }
        if shelves.values.load(Ordering::Relaxed) > shelves.bounds.total {
            shelves.make_room();
        }
    }
}

fn lock(shelf: &Mutex<Shelf>) -> MutexGuard<'_, Shelf> {
    shelf.lock().unwrap_or_else(PoisonError::into_inner)
}
