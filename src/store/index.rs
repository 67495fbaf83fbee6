//! What sled keeps: how far the chain is durable, and where the records of holds are.
//!
//! The lines in the files are the truth; everything here can be made again from them. sled is the
//! second witness: it knows where the log ended, which no file can tell of itself, so that a tail
//! that was cut off later shows. The only module that names sled. `flush` does not sync the file (it
//! calls `sync_file_range`), hence the handle of our own.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::PermissionsExt as _,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    time::{Duration, Instant},
};

use super::{
    fault::{Faults, Operation},
    line::Chain,
    segment::{self, SegmentName},
};
use crate::domain::{Digest, Event, HoldEvent, HoldId, OwnAnswer, Seq, Timestamp};

/// The folder of the database inside the data folder.
pub(super) const FOLDER: &str = "db";
const HEAD: &[u8] = b"head";
const VERSION: u8 = 2;

/// Why the index cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum IndexError {
    #[error("{0}")]
    Corrupt(String),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl From<sled::Error> for IndexError {
    fn from(error: sled::Error) -> Self {
        match error {
            sled::Error::Io(error) => Self::Io(error),
            other => Self::Corrupt(other.to_string()),
        }
    }
}

/// How far a hold is, as far as forgetting it is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Open = 0,
    Final = 1,
    Delivered = 2,
}

/// Says that a record is about a hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct HoldMark {
    pub(super) id: HoldId,
    pub(super) phase: Phase,
}

impl HoldMark {
    pub(super) fn of(event: &Event) -> Option<Self> {
        let Event::Hold { hold, event } = event else { return None };
        let phase = match event {
            HoldEvent::Delivered { unread: false, .. } => Phase::Delivered,
            HoldEvent::Delivered { unread: true, .. }
            | HoldEvent::Lapsed
            | HoldEvent::Rejected { .. }
            | HoldEvent::SelfConfirmed { answer: OwnAnswer::Declined, .. }
            | HoldEvent::ChangesRequested { .. }
            | HoldEvent::Expired
            | HoldEvent::Cancelled { .. }
            | HoldEvent::Revoked { .. }
            | HoldEvent::Executed { .. }
            | HoldEvent::Failed { .. }
            | HoldEvent::Unknown { .. }
            | HoldEvent::Noted { .. } => Phase::Final,
            HoldEvent::Opened(_)
            | HoldEvent::Targeted { .. }
            | HoldEvent::Approved { .. }
            | HoldEvent::SelfConfirmed { .. }
            | HoldEvent::Edited(_)
            | HoldEvent::Assigned { .. }
            | HoldEvent::Extended { .. }
            | HoldEvent::Claimed
            | HoldEvent::Stale { .. }
            | HoldEvent::Reopened { .. }
            | HoldEvent::Sending => Phase::Open,
        };
        Some(Self { id: *hold, phase })
    }
}

/// Where the record of a hold is, and its hash: a line changed later is not believed.
#[derive(Debug, Clone, Copy)]
pub(super) struct HoldEntry {
    pub(super) seq: Seq,
    pub(super) at: Timestamp,
    pub(super) hash: Digest,
    pub(super) segment: SegmentName,
    pub(super) offset: u64,
    /// Without the newline.
    pub(super) len: u32,
    pub(super) mark: HoldMark,
}

/// How far the chain is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) chain: Chain,
    pub(super) segment: SegmentName,
    /// Where the last line ends in its file.
    pub(super) end: u64,
}

/// The open database.
pub(super) struct Index {
    db: sled::Db,
    head: sled::Tree,
    holds: sled::Tree,
    /// Our own handle on sled's file.
    data: File,
    faults: Faults,
}

impl Index {
    /// Opens or makes the database in `<folder>/db`.
    pub(super) fn open(folder: &Path, cache: u64, faults: Faults) -> Result<Self, IndexError> {
        let path = folder.join(FOLDER);
        let is_new = !path.exists();
        let config = sled::Config::new()
            .path(&path)
            .cache_capacity(cache)
            .mode(sled::Mode::LowSpace)
            .flush_every_ms(None);
        // sled panics on some damage instead of reporting it.
        let opened = catch_unwind(AssertUnwindSafe(|| {
            let db = open_unlocked(&config)?;
            let (head, holds) = (db.open_tree("head")?, db.open_tree("holds")?);
            Ok::<_, sled::Error>((db, head, holds))
        }));
        let (db, head, holds) = opened
            .map_err(|_| IndexError::Corrupt(String::from("sled panicked while opening it")))??;
        let data = File::open(path.join("db"))?;
        close_to_others(&path)?;
        let index = Self { db, head, holds, data, faults };
        if is_new {
            index.sync()?;
            segment::sync_folder(&path)?;
            segment::sync_folder(folder)?;
        }
        Ok(index)
    }

    /// The head, if there is one.
    pub(super) fn head(&self) -> Result<Option<Head>, IndexError> {
        let Some(bytes) = self.head.get(HEAD)? else { return Ok(None) };
        let head = decode_head(&bytes);
        head.map(Some).ok_or_else(|| IndexError::Corrupt(String::from("the head is unreadable")))
    }

    /// Writes a head with the holds before it, and makes both durable.
    pub(super) fn commit(&self, head: &Head, holds: &[HoldEntry]) -> Result<(), IndexError> {
        self.faults.check(Operation::IndexWrite)?;
        // The holds first: sled's log is durable in the order it was written, so a head never
        // speaks of holds that are not there.
        self.add_holds(holds)?;
        self.head.insert(HEAD, encode_head(head))?;
        self.sync()
    }

    /// Adds hold records without making them durable.
    pub(super) fn add_holds(&self, holds: &[HoldEntry]) -> Result<(), IndexError> {
        if holds.is_empty() {
            return Ok(());
        }
        let mut batch = sled::Batch::default();
        for entry in holds {
            batch.insert(&entry.seq.0.to_be_bytes(), encode_hold(entry));
        }
        Ok(self.holds.apply_batch(batch)?)
    }

    /// Takes hold records out of the index; their lines stay.
    pub(super) fn forget(&self, holds: &[Seq]) -> Result<(), IndexError> {
        let mut batch = sled::Batch::default();
        for seq in holds {
            batch.remove(&seq.0.to_be_bytes());
        }
        Ok(self.holds.apply_batch(batch)?)
    }

    /// The hold records in the order of the log.
    pub(super) fn holds(&self) -> impl Iterator<Item = Result<HoldEntry, IndexError>> + use<> {
        self.holds.iter().map(|item| {
            let (key, value) = item?;
            decode_hold(&key, &value)
                .ok_or_else(|| IndexError::Corrupt(String::from("a hold's entry is unreadable")))
        })
    }

    /// Values that are no part of the index and are lost with it.
    pub(super) fn table(&self, name: &str) -> Result<Table, IndexError> {
        Ok(Table(self.db.open_tree(format!("shelf/{name}"))?))
    }

    /// Makes everything written durable.
    pub(super) fn sync(&self) -> Result<(), IndexError> {
        self.db.flush()?;
        self.faults.check(Operation::IndexSync)?;
        Ok(self.data.sync_data()?)
    }
}

/// Values by name beside the index; see [`super::Shelf`].
#[derive(Clone)]
pub(super) struct Table(sled::Tree);

impl Table {
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        Ok(self.0.get(key)?.map(|value| value.to_vec()))
    }

    pub(super) fn put(&self, key: &[u8], value: &[u8]) -> Result<(), IndexError> {
        self.0.insert(key, value)?;
        Ok(())
    }

    pub(super) fn swap(
        &self,
        key: &[u8],
        old: Option<&[u8]>,
        new: Option<&[u8]>,
    ) -> Result<bool, IndexError> {
        Ok(self.0.compare_and_swap(key, old, new)?.is_ok())
    }

    pub(super) fn remove(&self, key: &[u8]) -> Result<bool, IndexError> {
        Ok(self.0.remove(key)?.is_some())
    }

    pub(super) fn all(&self) -> Result<Vec<super::shelf::Lying>, IndexError> {
        let pairs =
            self.0.iter().map(|pair| pair.map(|(key, value)| (key.to_vec(), value.to_vec())));
        Ok(pairs.collect::<Result<_, _>>()?)
    }
}

/// Opens the database as soon as nobody holds sled's own lock. The caller has the folder's lock, so
/// whoever holds it is on the way out: a thread of a dropped database, or a child of this process
/// that has not yet become another program.
fn open_unlocked(config: &sled::Config) -> Result<sled::Db, sled::Error> {
    const PATIENCE: Duration = Duration::from_secs(1);
    let since = Instant::now();
    loop {
        match config.open() {
            Err(sled::Error::Io(error))
                if error.to_string().contains("acquire lock") && since.elapsed() < PATIENCE =>
            {
                std::thread::sleep(Duration::from_millis(5));
            }
            opened => return opened,
        }
    }
}

/// sled makes its files with the process' mask; the folder around them is closed in any case.
fn close_to_others(path: &Path) -> io::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let mode = if entry.file_type()?.is_dir() { 0o700 } else { 0o600 };
        fs::set_permissions(entry.path(), fs::Permissions::from_mode(mode))?;
    }
    Ok(())
}

fn encode_head(head: &Head) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    out.push(VERSION);
    out.extend_from_slice(&head.chain.next.to_be_bytes());
    out.extend_from_slice(head.chain.head.as_bytes());
    out.extend_from_slice(&head.segment.day.to_be_bytes());
    out.extend_from_slice(&head.segment.number.to_be_bytes());
    out.extend_from_slice(&head.end.to_be_bytes());
    out
}

fn decode_head(bytes: &[u8]) -> Option<Head> {
    let mut input = Input(bytes);
    if input.take::<1>()? != [VERSION] {
        return None;
    }
    let chain =
        Chain { next: u64::from_be_bytes(input.take()?), head: Digest::from_bytes(input.take()?) };
    let segment = input.segment()?;
    let head = Head { chain, segment, end: u64::from_be_bytes(input.take()?) };
    input.0.is_empty().then_some(head)
}

fn encode_hold(entry: &HoldEntry) -> Vec<u8> {
    let mut out = Vec::with_capacity(104);
    out.push(VERSION);
    out.extend_from_slice(&entry.at.millis().to_be_bytes());
    out.extend_from_slice(entry.hash.as_bytes());
    out.extend_from_slice(&entry.segment.day.to_be_bytes());
    out.extend_from_slice(&entry.segment.number.to_be_bytes());
    out.extend_from_slice(&entry.offset.to_be_bytes());
    out.extend_from_slice(&entry.len.to_be_bytes());
    out.push(entry.mark.phase as u8);
    out.extend_from_slice(entry.mark.id.to_string().as_bytes());
    out
}

fn decode_hold(key: &[u8], value: &[u8]) -> Option<HoldEntry> {
    let seq = Seq(u64::from_be_bytes(key.try_into().ok()?));
    let mut input = Input(value);
    if input.take::<1>()? != [VERSION] {
        return None;
    }
    let at = Timestamp::from_millis(i64::from_be_bytes(input.take()?));
    let hash = Digest::from_bytes(input.take()?);
    let segment = input.segment()?;
    let offset = u64::from_be_bytes(input.take()?);
    let len = u32::from_be_bytes(input.take()?);
    let phase = match input.take::<1>()? {
        [0] => Phase::Open,
        [1] => Phase::Final,
        [2] => Phase::Delivered,
        _ => return None,
    };
    let id = std::str::from_utf8(input.0).ok()?.parse().ok()?;
    Some(HoldEntry { seq, at, hash, segment, offset, len, mark: HoldMark { id, phase } })
}

struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    fn segment(&mut self) -> Option<SegmentName> {
        let day = u32::from_be_bytes(self.take()?);
        Some(SegmentName { day, number: u32::from_be_bytes(self.take()?) })
    }
}
