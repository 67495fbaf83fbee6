//! Held calls of before, as the log tells them: also those that left the memory of the live view.
//!
//! Made when somebody looks for the first time, and only added to from then on. Of each hold it keeps
//! the fold without the call, and where its records are; the call itself is read from the log when it is
//! shown. Nothing is decided by it.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, RwLock, RwLockWriteGuard};

use crate::audit::{self, Entry, Filter, Follow, From, Place, ReadError, Reader, Tail};
use crate::domain::{Event, Hold, HoldEvent, HoldId, HoldOutcome, Seq, Timestamp};

/// How many holds are kept, the newest.
pub const ARCHIVED: usize = 20_000;

/// The holds of the log in a data folder.
pub struct Archive {
    folder: PathBuf,
    most: usize,
    /// Where reading the log has come to; one reads on, and the others wait for what it finds.
    walk: Mutex<Option<Tail>>,
    known: RwLock<Known>,
}

/// A held call of before.
#[derive(Debug, Clone)]
pub struct Past {
    /// Its fold, without the call and the answer.
    pub hold: Hold,
    /// The positions of its records, and where they stand.
    pub records: Vec<(Seq, Place)>,
}

/// What was found.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The part that was asked for, newest first.
    pub holds: Vec<Past>,
    /// How many match.
    pub total: usize,
    /// Since when held calls are known here, if the log has older ones.
    pub since: Option<Timestamp>,
    /// How many lines about holds cannot be read: what they say is missing here.
    pub unreadable: usize,
}

#[derive(Default)]
struct Known {
    /// The position behind the last record of a hold.
    next: u64,
    holds: HashMap<HoldId, Past>,
    /// By the position of the first record.
    order: BTreeMap<u64, HoldId>,
    /// Whether older ones were left out.
    is_cut: bool,
    /// Lines about holds that cannot be read: those before `next`, and those behind it, which come again if the
    /// log has to be opened anew.
    unreadable: (usize, usize),
}

impl Archive {
    /// The archive of a data folder; nothing is read yet.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        let (folder, walk, known) = (folder.to_owned(), Mutex::default(), RwLock::default());
        Self { folder, most: ARCHIVED, walk, known }
    }

    /// A part of those that are picked. Blocks while the log is read.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn find(
        &self,
        pick: impl Fn(&Hold) -> bool,
        skip: usize,
        take: usize,
    ) -> Result<Finding, ReadError> {
        self.catch_up()?;
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let newest = known.order.values().rev().filter_map(|id| known.holds.get(id));
        let (mut holds, mut total) = (Vec::new(), 0);
        for past in newest.filter(|past| pick(&past.hold)) {
            if total >= skip && holds.len() < take {
                holds.push(past.clone());
            }
            total += 1;
        }
        let oldest = known.order.values().next().and_then(|id| known.holds.get(id));
        let since = oldest.filter(|_| known.is_cut).map(|past| past.hold.opened_at);
        let unreadable = known.unreadable.0 + known.unreadable.1;
        Ok(Finding { holds, total, since, unreadable })
    }

    /// One hold with its call, as the log tells it. Blocks while the log is read.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn hold(&self, id: HoldId) -> Result<Option<Hold>, ReadError> {
        self.catch_up()?;
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let past = known.holds.get(&id).cloned();
        drop(known);
        past.map_or(Ok(None), |past| past.whole(&mut self.reader()))
    }

    /// What reads the calls of those that were found.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader::new(&self.folder)
    }

    /// Reads on from where the last reading ended. A line that is no record is passed over and counted: it
    /// would be there at every look, and hide all that follows.
    fn catch_up(&self) -> Result<(), ReadError> {
        let mut walk = self.walk.lock().unwrap_or_else(PoisonError::into_inner);
        let tail = match walk.take() {
            Some(tail) => tail,
            None => self.begin()?,
        };
        let tail = walk.insert(tail);
        for entry in tail {
            match entry {
                Ok(entry) => self.take(entry),
                Err(error @ ReadError::Line { .. }) => {
                    tracing::error!(%error, "a record of a held call cannot be read");
                    self.known_mut().unreadable.1 += 1;
                }
                Err(error) => {
                    // The next reading begins behind the last good one.
                    *walk = None;
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    fn begin(&self) -> Result<Tail, ReadError> {
        let mut known = self.known_mut();
        known.unreadable.1 = 0;
        let next = known.next;
        drop(known);
        let filter = Filter { kind: Some("hold".to_owned()), ..Filter::default() };
        audit::tail(&self.folder, filter, From::Seq(Seq(next)), Follow::No)
    }

    /// Keeps what a record says. Held for one record only: others look while the log is read.
    fn take(&self, entry: Entry) {
        let mut known = self.known_mut();
        known.take(entry);
        if known.order.len() > self.most
            && let Some((_, oldest)) = known.order.pop_first()
        {
            known.holds.remove(&oldest);
            known.is_cut = true;
        }
    }

    fn known_mut(&self) -> RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn take(&mut self, entry: Entry) {
        let (record, place) = (entry.record, entry.place);
        self.next = record.seq.0 + 1;
        self.unreadable = (self.unreadable.0 + self.unreadable.1, 0);
        let Event::Hold { hold: id, event } = record.event else { return };
        let (before, mut records) = match self.holds.remove(&id) {
            Some(Past { hold, records }) => (Some(hold), records),
            None => (None, Vec::new()),
        };
        let Some(mut hold) = next(before, id, record.at, event) else { return };
        strip(&mut hold);
        if records.is_empty() {
            self.order.insert(record.seq.0, id);
        }
        records.push((record.seq, place));
        self.holds.insert(id, Past { hold, records });
    }
}

impl Past {
    /// The hold with its call, read again from the log.
    ///
    /// # Errors
    /// If one of its records cannot be read any more.
    pub fn whole(&self, reader: &mut Reader) -> Result<Option<Hold>, ReadError> {
        let mut folded = None;
        for (_, place) in &self.records {
            let record = reader.read(*place)?.record;
            if let Event::Hold { hold, event } = record.event
                && hold == self.hold.id
            {
                folded = next(folded, hold, record.at, event);
            }
        }
        Ok(folded)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::holds::tests::{log_file, opened};
    use crate::store::{Options, Store};

    async fn record(store: &Store, id: u128, event: HoldEvent) {
        let event = Event::Hold { hold: HoldId::from_random(id), event };
        let _receipt = store.log().append(event).await.unwrap();
    }

    fn ids(found: &Finding) -> Vec<HoldId> {
        found.holds.iter().map(|past| past.hold.id).collect()
    }

    /// What was read is not read again: the lines that were passed may even be gone.
    #[tokio::test]
    async fn each_look_reads_on_from_where_the_last_one_ended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        let (store, _) = Store::open(&path, &Options::default()).unwrap();
        let until = Timestamp::from_millis(1_000);
        let mut archive = Archive::new(&path);
        archive.most = 5;
        assert_eq!(archive.find(|_| true, 0, 9).unwrap().total, 0);
        for number in 0..7_u8 {
            let opening = HoldEvent::Opened(Box::new(opened(number, until)));
            record(&store, number.into(), opening).await;
            let found = archive.find(|_| true, 0, 2).unwrap();
            assert_eq!(found.total, usize::from(number.min(4)) + 1);
            assert_eq!(found.holds[0].hold.id, HoldId::from_random(number.into()));
            // The holds that were left out are told.
            assert_eq!(found.since.is_some(), number >= 5);
            let _receipt = store.log().append(Event::Stopped).await.unwrap();
            assert_eq!(archive.find(|_| true, 1, 9).unwrap().holds.len(), found.total - 1);
        }
        let file = log_file(&path);
        let whole = std::fs::read(&file).unwrap();
        std::fs::write(&file, vec![b'x'; whole.len()]).unwrap();
        record(&store, 6, HoldEvent::Cancelled { reason: "x".into() }).await;
        let found = archive.find(|_| true, 0, 9).unwrap();
        assert_eq!(ids(&found), [6, 5, 4, 3, 2].map(HoldId::from_random));
        assert_eq!(found.holds[0].records.len(), 2);
        assert!(archive.hold(HoldId::from_random(5)).is_err(), "the call itself is gone");
        std::fs::write(&file, &whole).unwrap();
        let hold = archive.hold(HoldId::from_random(5)).unwrap().unwrap();
        assert_eq!(hold.opened, opened(5, until));
        assert!(archive.find(|_| true, 0, 1).unwrap().holds[0].hold.opened.sealed.is_empty());
        assert_eq!(archive.hold(HoldId::from_random(0)).unwrap(), None);
    }

    /// A damaged line hides what it says, and nothing that follows it.
    #[tokio::test]
    async fn lines_that_cannot_be_read_are_passed_over_and_counted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        let (store, _) = Store::open(&path, &Options::default()).unwrap();
        let until = Timestamp::from_millis(1_000);
        for number in 0..4_u8 {
            let opening = HoldEvent::Opened(Box::new(opened(number, until)));
            record(&store, number.into(), opening).await;
        }
        let file = log_file(&path);
        let text = std::fs::read_to_string(&file).unwrap();
        let damaged = text.lines().enumerate().map(|(at, line)| match at {
            1 | 3 => line.replace("\"event\":\"opened\"", "\"event\":\"openea\"") + "\n",
            _ => format!("{line}\n"),
        });
        std::fs::write(&file, damaged.collect::<String>()).unwrap();
        let archive = Archive::new(&path);
        let found = archive.find(|_| true, 0, 9).unwrap();
        assert_eq!((ids(&found), found.unreadable), ([2, 0].map(HoldId::from_random).into(), 2));
        record(&store, 5, HoldEvent::Opened(Box::new(opened(5, until)))).await;
        let found = archive.find(|_| true, 0, 9).unwrap();
        assert_eq!((ids(&found), found.unreadable), ([5, 2, 0].map(HoldId::from_random).into(), 2));
        // Where the disk fails nothing is told, and no line is counted twice when it is there again.
        record(&store, 6, HoldEvent::Cancelled { reason: "x".into() }).await;
        let last = std::fs::read_to_string(&file).unwrap();
        let torn = last.replace("\"reason\"", "\"raeson\"");
        std::fs::write(&file, &torn).unwrap();
        assert_eq!(archive.find(|_| true, 0, 9).unwrap().unreadable, 3);
        *archive.walk.lock().unwrap() = None;
        let aside = path.with_extension("aside");
        std::fs::rename(&path, &aside).unwrap();
        assert!(archive.find(|_| true, 0, 9).is_err());
        std::fs::rename(&aside, &path).unwrap();
        let found = archive.find(|_| true, 0, 9).unwrap();
        assert_eq!((ids(&found), found.unreadable), ([5, 2, 0].map(HoldId::from_random).into(), 3));
    }
}
