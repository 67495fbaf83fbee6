//! Reading records back: those that match, the last of them, the log as it grows, or one whose place is
//! known.

use std::{
    collections::VecDeque,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use super::filter::{Filter, Sieve};
use super::lines::{Back, Cursor, Place};
use crate::{
    domain::{Digest, Record, Seq},
    store::{Flaw, line, segment::Places},
};

/// How often a following reader looks for more.
const POLL: Duration = Duration::from_millis(200);

/// Why records cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The operating system refused.
    #[error("cannot read `{path}`: {source}")]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line is no record.
    #[error("`{file}`, byte {offset}: {flaw}; `audit verify` tells more")]
    Line {
        /// The file's name.
        file: String,
        /// Where the line begins.
        offset: u64,
        /// What is wrong.
        flaw: Flaw,
    },
}

impl ReadError {
    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}

/// One record as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The record.
    pub record: Record,
    /// Its hash, as the line claims it.
    pub hash: Digest,
    /// The line itself: valid JSON, safe to print.
    pub line: String,
    /// Where it stands.
    pub place: Place,
}

impl Entry {
    pub(super) fn of(place: Place, line: &[u8]) -> Result<Self, Flaw> {
        let (record, hash) = line::read(line)?;
        Ok(Self { record, hash, line: String::from_utf8_lossy(line).into_owned(), place })
    }

    /// As [`Entry::of`]; a line that is no record is an error here.
    fn read(place: Place, line: &[u8]) -> Result<Self, ReadError> {
        Self::of(place, line).map_err(|flaw| {
            let (file, offset) = (place.file.to_string(), place.offset);
            ReadError::Line { file, offset, flaw }
        })
    }
}

/// Where reading begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// At the first record.
    Start,
    /// At a position.
    Seq(Seq),
    /// At the last so many records that match.
    Last(usize),
}

/// What happens at the end of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follow {
    /// The reading ends.
    No,
    /// It blocks until more is written.
    Yes,
}

/// Reads the records that match, in order, and follows the log if asked. Needs no lock.
///
/// # Errors
/// If a file cannot be read, here or at each step.
pub fn tail(folder: &Path, filter: Filter, from: From, follow: Follow) -> Result<Tail, ReadError> {
    match from {
        From::Start => Ok(Tail::new(Cursor::start(folder), filter, follow)),
        From::Seq(seq) => {
            let cursor = Cursor::at(folder, seq)?;
            Ok(Tail { least: Some(seq), ..Tail::new(cursor, filter, follow) })
        }
        From::Last(count) => last(folder, filter, follow, count),
    }
}

/// Begins with the last `count` records that match. Looks for them from the end backwards, so that the end
/// of a long log is read quickly, and files that are too old are not opened at all.
fn last(folder: &Path, filter: Filter, follow: Follow, count: usize) -> Result<Tail, ReadError> {
    let cursor = match filter.before {
        Some(before) => Cursor::at(folder, before)?,
        None => Cursor::end(folder)?,
    };
    let mut back = Back::from(folder, cursor.gap(), filter.since)?;
    let mut tail = Tail::new(cursor, filter, follow);
    while tail.ready.len() < count
        && let Some(place) = back.step()?
    {
        if tail.sieve.passes_over(back.line()) {
            continue;
        }
        let entry = Entry::read(place, back.line())?;
        if tail.filter.matches(&entry.record) {
            tail.ready.push_front(entry);
        }
    }
    // Without following, what is written meanwhile is none of the last.
    tail.is_over = follow == Follow::No;
    Ok(tail)
}

/// Records as they are read; made by [`tail`]. One that came to the end of the log goes on from there when
/// it is asked again; so does one that came to a line which is no record.
pub struct Tail {
    filter: Filter,
    sieve: Sieve,
    follow: Follow,
    least: Option<Seq>,
    cursor: Cursor,
    ready: VecDeque<Entry>,
    is_over: bool,
}

impl std::fmt::Debug for Tail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tail").field("filter", &self.filter).finish_non_exhaustive()
    }
}

impl Tail {
    fn new(cursor: Cursor, filter: Filter, follow: Follow) -> Self {
        let (sieve, ready) = (Sieve::of(&filter), VecDeque::new());
        Self { filter, sieve, follow, least: None, cursor, ready, is_over: false }
    }

    /// The next record that is there and may match.
    fn step(&mut self) -> Result<Option<Entry>, ReadError> {
        while let Some(place) = self.cursor.step()? {
            if !self.sieve.passes_over(self.cursor.line()) {
                return Entry::read(place, self.cursor.line()).map(Some);
            }
        }
        Ok(None)
    }

    fn wants(&self, entry: &Entry) -> bool {
        self.least.is_none_or(|least| entry.record.seq >= least)
            && self.filter.matches(&entry.record)
    }

    fn is_behind(&self, entry: &Entry) -> bool {
        self.filter.before.is_some_and(|before| entry.record.seq >= before)
    }
}

impl Iterator for Tail {
    type Item = Result<Entry, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(entry) = self.ready.pop_front() {
            return Some(Ok(entry));
        }
        while !self.is_over {
            match self.step() {
                Ok(Some(entry)) if self.is_behind(&entry) => self.is_over = true,
                Ok(Some(entry)) if self.wants(&entry) => return Some(Ok(entry)),
                Ok(Some(_)) => {}
                Ok(None) if self.follow == Follow::Yes => std::thread::sleep(POLL),
                Ok(None) => return None,
                Err(error) => {
                    // Behind a line that is no record there are others.
                    self.is_over = matches!(error, ReadError::Io { .. });
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

/// Reads records again where they were found.
pub struct Reader {
    folder: PathBuf,
    places: Places,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Reader {
    /// Of the log in a data folder.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), places: Places::new(folder) }
    }

    /// The record at a place.
    ///
    /// # Errors
    /// If the file cannot be read or the line is no record any more.
    pub fn read(&mut self, place: Place) -> Result<Entry, ReadError> {
        let Place { file, offset, len } = place;
        let line = self.places.read(file, offset, len);
        let line = line.map_err(|error| ReadError::io(&file.path(&self.folder), error))?;
        Entry::read(place, &line)
    }
}
