//! Held calls of before, as the log tells them: also those that left the memory of the live view.
//!
//! Made when somebody looks for the first time, and only added to from then on. Of each hold it keeps
//! the fold without the call, and where its records are; the call itself is read from the log when one
//! hold is looked at. Nothing is decided by it.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::audit::{self, Filter, Follow, From, ReadError};
use crate::domain::{Event, Hold, HoldEvent, HoldId, HoldOutcome, Seq, Timestamp};

/// How many holds are kept, the newest.
const MOST: usize = 20_000;

/// The holds of the log in a data folder.
pub struct Archive {
    folder: PathBuf,
    known: Mutex<Known>,
}

/// A held call of before.
#[derive(Debug, Clone)]
pub struct Past {
    /// Its fold, without the call and the answer.
    pub hold: Hold,
    /// The positions of its records.
    pub records: Vec<Seq>,
}

#[derive(Default)]
struct Known {
    /// The position up to which the log was read.
    next: u64,
    holds: HashMap<HoldId, Past>,
    /// By the position of the first record.
    order: BTreeMap<u64, HoldId>,
}

impl Archive {
    /// The archive of a data folder; nothing is read yet.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), known: Mutex::default() }
    }

    /// A part of those that are picked, newest first, and how many there are. Blocks while the log is
    /// read.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn find(
        &self,
        pick: impl Fn(&Hold) -> bool,
        skip: usize,
        take: usize,
    ) -> Result<(Vec<Past>, usize), ReadError> {
        self.with(|known| {
            let newest = known.order.values().rev().filter_map(|id| known.holds.get(id));
            let (mut found, mut count) = (Vec::new(), 0);
            for past in newest.filter(|past| pick(&past.hold)) {
                if count >= skip && found.len() < take {
                    found.push(past.clone());
                }
                count += 1;
            }
            (found, count)
        })
    }

    /// One hold with its call, as the log tells it. Blocks while the log is read.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn hold(&self, id: HoldId) -> Result<Option<Hold>, ReadError> {
        let records = self.with(|known| known.holds.get(&id).map(|past| past.records.clone()))?;
        let mut folded = None;
        for seq in records.into_iter().flatten() {
            let Some(entry) = audit::read(&self.folder, seq)? else { continue };
            if let Event::Hold { hold, event } = entry.record.event
                && hold == id
            {
                folded = next(folded, id, entry.record.at, event);
            }
        }
        Ok(folded)
    }

    fn with<T>(&self, look: impl FnOnce(&Known) -> T) -> Result<T, ReadError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.catch_up(&self.folder)?;
        Ok(look(&known))
    }
}

impl Known {
    fn catch_up(&mut self, folder: &Path) -> Result<(), ReadError> {
        let filter = Filter { kind: Some("hold".to_owned()), ..Filter::default() };
        for entry in audit::tail(folder, filter, From::Seq(Seq(self.next)), Follow::No)? {
            let record = entry?.record;
            self.next = record.seq.0 + 1;
            let Event::Hold { hold: id, event } = record.event else { continue };
            let before = self.holds.remove(&id);
            let (before, mut records) = match before {
                Some(Past { hold, records }) => (Some(hold), records),
                None => (None, Vec::new()),
            };
            let Some(mut hold) = next(before, id, record.at, event) else { continue };
            strip(&mut hold);
            if records.is_empty() {
                self.order.insert(record.seq.0, id);
            }
            records.push(record.seq);
            self.holds.insert(id, Past { hold, records });
            if self.order.len() > MOST
                && let Some((_, oldest)) = self.order.pop_first()
            {
                self.holds.remove(&oldest);
            }
        }
        Ok(())
    }
}

/// A hold after one more of its events; `None` while its opening is not known.
fn next(before: Option<Hold>, id: HoldId, at: Timestamp, event: HoldEvent) -> Option<Hold> {
    match (before, event) {
        (_, HoldEvent::Opened(opened)) => Some(Hold::open(id, at, *opened)),
        (Some(hold), event) => Some(hold.apply(at, &event).unwrap_or_else(|error| {
            tracing::error!(hold = %id, %error, "a hold's records do not fit");
            hold.lost_track(at, "the records of this hold do not fit together")
        })),
        (None, _) => None,
    }
}

/// Takes out what is large: the sealed call and the sealed answer.
fn strip(hold: &mut Hold) {
    hold.opened.sealed = String::new();
    hold.original = hold.original.take().map(|_| String::new());
    if let Some(HoldOutcome::Answer(sealed) | HoldOutcome::Failure(Some(sealed), _)) =
        &mut hold.outcome
    {
        *sealed = String::new();
    }
}
