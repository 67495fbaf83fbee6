//! Opening: where the log ends, and what a crash left there.
//!
//! The files are synced before anybody is answered and before the database hears of it. So the files
//! have all that the database knows, to the byte, and some groups more; whatever is missing before
//! the database's head is refused: an acknowledged record is gone. Behind the head the lines are
//! checked against the chain and mend the database. A crash can leave one group torn there, the
//! last, which nobody was told of: it is moved aside.

use std::{
    collections::HashMap,
    fs::{self, OpenOptions},
    io::{self, Write as _},
    num::NonZero,
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    panic::resume_unwind,
    path::Path,
    thread,
    time::Duration,
};

use super::{
    OpenError, Options, Recovery,
    fault::Faults,
    folder::Folder,
    index::{self, Head, HoldEntry, HoldMark, Index, IndexError, Phase},
    line::{self, Chain, Flaw},
    queue::GROUP_RECORDS,
    segment::{self, Lines, Places, Segment, SegmentName},
};
use crate::domain::{Event, HoldEvent, HoldId, Seq, Timestamp};

/// Bytes of cache for one look into the database; sled takes no less than some megabytes.
const WITNESS_CACHE: u64 = 8 << 20;

/// Where the writer goes on.
pub(super) struct End {
    pub(super) chain: Chain,
    pub(super) segment: Segment,
    pub(super) index: Index,
}

/// Finds the end of the log, mending what a crash may have left.
pub(super) fn recover(
    folder: &Path,
    options: &Options,
    faults: &Faults,
) -> Result<(End, Recovery), OpenError> {
    let failed = |source| OpenError::io("read the audit log in", folder, source);
    let indexed = |error| OpenError::index(folder, error);
    let mut recovery = Recovery::default();
    let segments = segment::list(folder).map_err(failed)?;
    check_joints(folder, &segments)?;
    let (index, mut holds) = match open_index(folder, options, faults) {
        Err(IndexError::Corrupt(what)) => {
            tracing::warn!(what, "the log's database is damaged: making it anew from the files");
            let aside = folder.join(format!("db.corrupt-{}", line::now().millis()));
            fs::rename(folder.join(index::FOLDER), aside).map_err(failed)?;
            segment::sync_folder(folder).map_err(failed)?;
            open_index(folder, options, faults).map_err(indexed)?
        }
        opened => opened.map_err(indexed)?,
    };
    let head = index.head().map_err(indexed)?;
    let mut walk = match &head {
        Some(head) => {
            check_head(folder, head)?;
            Walk {
                chain: head.chain,
                segment: Some(head.segment),
                offset: head.end,
                holds: Vec::new(),
            }
        }
        None => {
            let segment = segments.first().copied();
            Walk { chain: Chain::START, segment, offset: 0, holds: Vec::new() }
        }
    };
    let from = walk.chain.next;
    walk.finish(folder, &segments, head.is_some(), &mut recovery)?;
    recovery.reindexed = walk.chain.next - from;
    recovery.rebuilt = head.is_none() && recovery.reindexed > 0;
    let name = walk.segment.unwrap_or_else(|| SegmentName::first_of(line::now()));
    let segment = Segment::open(folder, name, faults.clone()).map_err(failed)?;
    if recovery != Recovery::default() {
        make_durable(folder, &segments, head.as_ref()).map_err(failed)?;
    }
    if recovery.reindexed > 0 {
        mend_index(&index, &walk, &segment).map_err(indexed)?;
        holds.append(&mut walk.holds);
    }
    forget_finished(&index, &holds).map_err(indexed)?;
    Ok((End { chain: walk.chain, segment, index }, recovery))
}

/// What happened to holds, and when.
type HoldEvents = Vec<(HoldId, Timestamp, HoldEvent)>;

/// How many of so many records each thread reads: as many threads as there are processors.
pub(super) fn stretch(count: usize) -> NonZero<usize> {
    /// Fewer than this are read sooner than a thread begins.
    const FEW: usize = 500;
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    NonZero::new(count.div_ceil(threads).max(FEW)).unwrap_or(NonZero::<usize>::MIN)
}

/// The events at these places, in their order.
///
/// To check and read a record costs far more than to find it, and each is checked by itself: each thread takes
/// a stretch of them.
pub(super) fn hold_events(
    folder: &Path,
    entries: &[HoldEntry],
    stretch: NonZero<usize>,
) -> Result<HoldEvents, OpenError> {
    let read = |entries: &[HoldEntry]| -> Result<HoldEvents, OpenError> {
        let mut places = Places::new(folder);
        entries.iter().map(|entry| hold_event(folder, &mut places, entry)).collect()
    };
    thread::scope(|scope| {
        let stretches: Vec<_> =
            entries.chunks(stretch.get()).map(|part| scope.spawn(move || read(part))).collect();
        let mut events = Vec::with_capacity(entries.len());
        for stretch in stretches {
            events.extend(stretch.join().unwrap_or_else(|panic| resume_unwind(panic))?);
        }
        Ok(events)
    })
}

/// The event of a hold, if the line is still the one that was acknowledged.
fn hold_event(
    folder: &Path,
    places: &mut Places,
    entry: &HoldEntry,
) -> Result<(HoldId, Timestamp, HoldEvent), OpenError> {
    let line = places
        .read(entry.segment, entry.offset, entry.len)
        .map_err(|source| OpenError::io("read a hold in", &entry.segment.path(folder), source))?;
    let corrupt = |flaw: &str| corrupt_at(folder, entry.segment, entry.offset, flaw);
    let (record, _) = line::read(&line).map_err(|flaw| corrupt(&flaw.to_string()))?;
    let mut chain = Chain { next: entry.seq.0, head: record.prev };
    chain.step(&line).map_err(|flaw| corrupt(&flaw.to_string()))?;
    if chain.head != entry.hash {
        return Err(corrupt("the record is not the one that was acknowledged"));
    }
    match record.event {
        Event::Hold { hold, event } if hold == entry.mark.id => Ok((hold, record.at, event)),
        _ => Err(corrupt(&format!("record {} is not about {}", entry.seq, entry.mark.id))),
    }
}

/// The index, and all that it knows of holds, in the order of the log.
fn open_index(
    folder: &Path,
    options: &Options,
    faults: &Faults,
) -> Result<(Index, Vec<HoldEntry>), IndexError> {
    let index = Index::open(folder, options.cache_bytes, faults.clone())?;
    // Damage may show only when something is read.
    index.head()?;
    let holds = index.holds().collect::<Result<_, _>>()?;
    Ok((index, holds))
}

/// Checks that each file goes on where the one before it ends, by its first and last line alone: a
/// missing, exchanged or shortened file shows here.
fn check_joints(folder: &Path, segments: &[SegmentName]) -> Result<(), OpenError> {
    let mut chain = Chain::START;
    for (at, name) in segments.iter().enumerate() {
        let path = name.path(folder);
        let failed = |source| OpenError::io("read", &path, source);
        let mut lines = Lines::open(&path, 0).map_err(failed)?;
        let is_last = at + 1 == segments.len();
        let first = match lines.next().map_err(failed)? {
            Some(first) => first.to_vec(),
            // The newest file may be new, or torn in its first line.
            None if is_last => return Ok(()),
            None => return Err(corrupt_at(folder, *name, 0, "the file has no whole line")),
        };
        let mut joint = chain;
        match joint.step(&first) {
            // The newest file's first line may be torn; the walk to the end looks closer.
            Err(Flaw::Shape(_) | Flaw::Hash) if is_last => return Ok(()),
            result => result.map_err(|flaw| corrupt_at(folder, *name, 0, &flaw.to_string()))?,
        }
        if !is_last {
            let (offset, last) = segment::last_line(&path, u64::MAX).map_err(failed)?;
            let end = line::seq_of(&last).zip(line::hash_of(&last));
            let (seq, head) = end.ok_or_else(|| {
                corrupt_at(folder, *name, offset, "the file does not end in a record")
            })?;
            chain = Chain { next: seq.0 + 1, head };
        }
    }
    Ok(())
}

/// Whether a log ends where its database says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Witness {
    /// It does: nothing that was acknowledged is missing from its end.
    Agrees,
    /// There is nothing to compare with, for this reason.
    Silent(&'static str),
}

/// Compares the end of a log at rest with what its database knows: the files alone cannot tell that
/// their end was cut off. Of the log nothing is changed.
///
/// # Errors
/// [`OpenError::Corrupt`] if the log lacks what was acknowledged; others if the folder cannot be
/// used.
pub fn compare_end(folder: &Path) -> Result<Witness, OpenError> {
    if !folder.join(index::FOLDER).exists() {
        return Ok(Witness::Silent("there is no database beside them"));
    }
    let _lock = match Folder::lock(folder) {
        Err(OpenError::Locked { .. }) => {
            return Ok(Witness::Silent("a server is using it, and compares when it starts"));
        }
        lock => lock?,
    };
    let head = Index::open(folder, WITNESS_CACHE, Faults::default()).and_then(|it| it.head());
    match head {
        Ok(Some(head)) => check_head(folder, &head).map(|()| Witness::Agrees),
        Ok(None) => Ok(Witness::Silent("it knows of no record")),
        // Of the log that says nothing.
        Err(IndexError::Corrupt(_)) => {
            Ok(Witness::Silent("it is damaged, and the next start makes it anew from the files"))
        }
        Err(error) => Err(OpenError::index(folder, error)),
    }
}

/// Checks that the file has the last line that the database knows, and has it unchanged.
fn check_head(folder: &Path, head: &Head) -> Result<(), OpenError> {
    let path = head.segment.path(folder);
    let failed = |source| OpenError::io("read", &path, source);
    let corrupt = |what: String| Err(OpenError::Corrupt { place: head.segment.to_string(), what });
    let last = Seq(head.chain.next.saturating_sub(1));
    let len = match fs::metadata(&path) {
        Ok(found) => found.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return corrupt(format!(
                "the file is missing; the database knows of record {last} in it"
            ));
        }
        Err(error) => return Err(failed(error)),
    };
    if len < head.end {
        let end = head.end;
        return corrupt(format!("the file ends at byte {len}, but record {last} ends at {end}"));
    }
    // A head in a new file, without a line of it: the first line will tell.
    if head.end == 0 {
        return Ok(());
    }
    let (offset, line) = segment::last_line(&path, head.end).map_err(failed)?;
    let is_same = line::read(&line).is_ok_and(|(record, hash)| {
        let mut chain = Chain { next: last.0, head: record.prev };
        chain.step(&line).is_ok() && hash == head.chain.head
    });
    if is_same {
        Ok(())
    } else {
        let what = format!("record {last} is not the one that was acknowledged");
        Err(corrupt_at(folder, head.segment, offset, &what))
    }
}

/// The walk from a known place in the log to its end.
struct Walk {
    chain: Chain,
    /// The file reached; none if there is none.
    segment: Option<SegmentName>,
    /// Where its whole, checked lines end.
    offset: u64,
    holds: Vec<HoldEntry>,
}

impl Walk {
    /// Checks every line that follows, and cuts a torn end off the newest file.
    fn finish(
        &mut self,
        folder: &Path,
        segments: &[SegmentName],
        is_anchored: bool,
        recovery: &mut Recovery,
    ) -> Result<(), OpenError> {
        let from = self.segment;
        for name in segments.iter().copied().filter(|name| Some(*name) >= from) {
            if self.segment != Some(name) {
                (self.segment, self.offset) = (Some(name), 0);
            }
            let path = name.path(folder);
            let failed = |source| OpenError::io("read", &path, source);
            let mut lines = Lines::open(&path, self.offset).map_err(failed)?;
            let is_last = segments.last() == Some(&name);
            while let Some(line) = lines.next().map_err(failed)? {
                if let Err(flaw) = self.step(name, line) {
                    // Behind a head one group can be torn. Without a head nobody knows what was
                    // acknowledged, and a whole line may have been.
                    let mut count = 1_usize;
                    while lines.next().map_err(failed)?.is_some() {
                        count = count.saturating_add(1);
                    }
                    if is_anchored && is_last && count <= GROUP_RECORDS {
                        break;
                    }
                    return Err(corrupt_at(folder, name, self.offset, &flaw.to_string()));
                }
            }
            let len = fs::metadata(&path).map_err(failed)?.len();
            if len > self.offset {
                if !is_last {
                    return Err(corrupt_at(folder, name, self.offset, "the line is unfinished"));
                }
                recovery.recovered_bytes += len - self.offset;
                cut(folder, &path, self.offset, len).map_err(failed)?;
            }
        }
        Ok(())
    }

    fn step(&mut self, name: SegmentName, line: &[u8]) -> Result<(), Flaw> {
        let seq = Seq(self.chain.next);
        let mut chain = self.chain;
        chain.step(line)?;
        if line::is_hold(line) {
            let (record, hash) = line::read(line)?;
            self.holds.extend(HoldMark::of(&record.event).map(|mark| HoldEntry {
                seq,
                at: record.at,
                hash,
                segment: name,
                offset: self.offset,
                len: u32::try_from(line.len()).unwrap_or(u32::MAX),
                mark,
            }));
        }
        self.chain = chain;
        self.offset += line.len() as u64 + 1;
        Ok(())
    }
}

/// Moves the bytes of a torn end to a file of their own: evidence is never deleted.
fn cut(folder: &Path, path: &Path, offset: u64, len: u64) -> io::Result<()> {
    let size = usize::try_from(len - offset).unwrap_or(usize::MAX);
    keep_torn(folder, &segment::read_at(path, offset, size)?)?;
    let file = OpenOptions::new().write(true).open(path)?;
    file.set_len(offset)?;
    file.sync_all()
}

fn keep_torn(folder: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut number = line::now().millis();
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mut file = loop {
        match options.open(folder.join(format!("torn-{number}.bin"))) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            opened => break opened?,
        }
    };
    file.write_all(bytes)?;
    file.sync_all()?;
    segment::sync_folder(folder)
}

/// Makes the files durable before the database speaks of them.
///
/// The bytes behind the head are written once more: after a failed sync the kernel counts pages as
/// clean that never reached the disk, and a second sync alone would say all is well.
fn make_durable(folder: &Path, segments: &[SegmentName], head: Option<&Head>) -> io::Result<()> {
    const AGAIN: u64 = 16 * 1024 * 1024;
    let from = head.map(|head| head.segment);
    for name in segments.iter().filter(|name| Some(**name) >= from) {
        let path = name.path(folder);
        let file = OpenOptions::new().write(true).open(&path)?;
        let len = file.metadata()?.len();
        let start = head.filter(|head| head.segment == *name).map_or(0, |head| head.end);
        if len > start && len - start <= AGAIN {
            let size = usize::try_from(len - start).unwrap_or(usize::MAX);
            file.write_all_at(&segment::read_at(&path, start, size)?, start)?;
        }
        file.sync_all()?;
    }
    Ok(())
}

fn mend_index(index: &Index, walk: &Walk, segment: &Segment) -> Result<(), IndexError> {
    for holds in walk.holds.chunks(4096) {
        index.add_holds(holds)?;
    }
    let head = Head { chain: walk.chain, segment: segment.name, end: walk.offset };
    index.commit(&head, &[])
}

/// Takes holds out of the index that have long been over: delivered for 30 days, or final for 90
/// without anybody asking. Their records stay in the files.
fn forget_finished(index: &Index, entries: &[HoldEntry]) -> Result<(), IndexError> {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let now = line::now();
    let last: HashMap<HoldId, HoldEntry> =
        entries.iter().map(|entry| (entry.mark.id, *entry)).collect();
    let is_over = |last: &HoldEntry| {
        let patience = match last.mark.phase {
            Phase::Open => return false,
            Phase::Final => DAY * 90,
            Phase::Delivered => DAY * 30,
        };
        now.since(last.at) > patience
    };
    let over: Vec<Seq> = entries
        .iter()
        .filter(|entry| last.get(&entry.mark.id).is_some_and(is_over))
        .map(|entry| entry.seq)
        .collect();
    if over.is_empty() { Ok(()) } else { index.forget(&over) }
}

fn corrupt_at(folder: &Path, name: SegmentName, offset: u64, what: &str) -> OpenError {
    let line = line_number(&name.path(folder), offset).unwrap_or(0);
    OpenError::Corrupt { place: format!("{name}, line {line}"), what: what.to_owned() }
}

/// The number, from 1, of the line that begins at `offset`.
fn line_number(path: &Path, offset: u64) -> io::Result<u64> {
    let mut lines = Lines::open(path, 0)?;
    let mut number = 1;
    while lines.offset < offset && lines.next()?.is_some() {
        number += 1;
    }
    Ok(number)
}
