//! The lines of the log over all its files, forwards and backwards. What they say is read elsewhere.

use std::path::{Path, PathBuf};

use super::ReadError;
use crate::domain::{Seq, Timestamp};
use crate::store::line;
use crate::store::segment::{self, Lines, LinesBack, SegmentName};

/// Where a line stands: enough to read it again without looking for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub(super) file: SegmentName,
    pub(super) offset: u64,
    /// Its bytes, without the newline.
    pub(super) len: u32,
}

/// A place between two lines.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gap {
    file: SegmentName,
    offset: u64,
}

/// Goes forwards, and on where more was written since.
pub(super) struct Cursor {
    folder: PathBuf,
    /// None before the first line of all.
    here: Option<(SegmentName, Lines)>,
}

impl Cursor {
    /// Before the first line of all.
    pub(super) fn start(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), here: None }
    }

    pub(super) fn open(folder: &Path, gap: Gap) -> Result<Self, ReadError> {
        let path = gap.file.path(folder);
        let lines = Lines::open(&path, gap.offset).map_err(|error| ReadError::io(&path, error))?;
        Ok(Self { folder: folder.to_owned(), here: Some((gap.file, lines)) })
    }

    /// Before the record at `seq`, or where it will be; lines that are no records and stand right in
    /// front of it come first.
    pub(super) fn at(folder: &Path, seq: Seq) -> Result<Self, ReadError> {
        let names = list(folder)?;
        let Some(file) = file_of(folder, &names, seq)? else { return Ok(Self::start(folder)) };
        let path = file.path(folder);
        let offset = segment::seek(&path, |line| line::seq_of(line).map(|at| at < seq));
        let offset = offset.map_err(|error| ReadError::io(&path, error))?;
        Self::open(folder, Gap { file, offset })
    }

    /// Behind the last line that is there.
    pub(super) fn end(folder: &Path) -> Result<Self, ReadError> {
        let Some(file) = list(folder)?.pop() else { return Ok(Self::start(folder)) };
        let path = file.path(folder);
        let last = segment::last_line(&path, u64::MAX);
        let (offset, line) = last.map_err(|error| ReadError::io(&path, error))?;
        let behind = if line.is_empty() { 0 } else { line.len() as u64 + 1 };
        Self::open(folder, Gap { file, offset: offset + behind })
    }

    /// Where it stands.
    pub(super) fn gap(&self) -> Option<Gap> {
        self.here.as_ref().map(|(file, lines)| Gap { file: *file, offset: lines.offset })
    }

    /// Goes over the next whole line and tells where it is; none at the end, where a later call may find
    /// more.
    pub(super) fn step(&mut self) -> Result<Option<Place>, ReadError> {
        loop {
            if let Some(place) = self.step_here()? {
                return Ok(Some(place));
            }
            // The next file is looked for only behind the end of this one, and then this one is looked at
            // once more: the writer begins a file after its last line here.
            let names = list(&self.folder)?;
            let here = self.here.as_ref().map(|(file, _)| *file);
            let Some(next) = names.into_iter().find(|name| Some(*name) > here) else {
                return Ok(None);
            };
            if let Some(place) = self.step_here()? {
                return Ok(Some(place));
            }
            *self = Self::open(&self.folder, Gap { file: next, offset: 0 })?;
        }
    }

    /// The line that it went over last.
    pub(super) fn line(&self) -> &[u8] {
        self.here.as_ref().map(|(_, lines)| lines.line()).unwrap_or_default()
    }

    fn step_here(&mut self) -> Result<Option<Place>, ReadError> {
        let Some((file, lines)) = &mut self.here else { return Ok(None) };
        let (file, offset) = (*file, lines.offset);
        let line = lines.next();
        let line = line.map_err(|error| ReadError::io(&file.path(&self.folder), error))?;
        Ok(line.map(|line| Place { file, offset, len: length(line) }))
    }
}

/// Goes backwards, the newest file first.
pub(super) struct Back {
    folder: PathBuf,
    here: Option<(SegmentName, LinesBack)>,
    /// The files before, the oldest first.
    older: Vec<SegmentName>,
}

impl Back {
    /// From a place on, and no further back than the files that may have a record of `since`: a file has
    /// none of a later day than its name says.
    pub(super) fn from(
        folder: &Path,
        gap: Option<Gap>,
        since: Option<Timestamp>,
    ) -> Result<Self, ReadError> {
        let mut back = Self { folder: folder.to_owned(), here: None, older: Vec::new() };
        let Some(gap) = gap else { return Ok(back) };
        let first = since.map(SegmentName::first_of);
        let may_have = |name: &SegmentName| first.is_none_or(|first| *name >= first);
        back.older = list(folder)?;
        back.older.retain(|name| *name < gap.file && may_have(name));
        if may_have(&gap.file) {
            back.open(gap)?;
        }
        Ok(back)
    }

    /// Goes to the whole line before and tells where it is; none at the end.
    pub(super) fn step(&mut self) -> Result<Option<Place>, ReadError> {
        while let Some((file, lines)) = &mut self.here {
            let file = *file;
            let path = file.path(&self.folder);
            if let Some(offset) = lines.step().map_err(|error| ReadError::io(&path, error))? {
                return Ok(Some(Place { file, offset, len: length(lines.line()) }));
            }
            self.here = None;
            if let Some(file) = self.older.pop() {
                self.open(Gap { file, offset: u64::MAX })?;
            }
        }
        Ok(None)
    }

    /// The line that it went to last.
    pub(super) fn line(&self) -> &[u8] {
        self.here.as_ref().map(|(_, lines)| lines.line()).unwrap_or_default()
    }

    fn open(&mut self, gap: Gap) -> Result<(), ReadError> {
        let path = gap.file.path(&self.folder);
        let lines = LinesBack::open(&path, gap.offset);
        self.here = Some((gap.file, lines.map_err(|error| ReadError::io(&path, error))?));
        Ok(())
    }
}

/// The file with the record at `seq`, found by halving: each begins where the one before it ends.
fn file_of(
    folder: &Path,
    names: &[SegmentName],
    seq: Seq,
) -> Result<Option<SegmentName>, ReadError> {
    let (mut low, mut high) = (0, names.len());
    // INVARIANT: the files before `low` begin at `seq` or before it, or say nothing; those from `high` on
    // behind it.
    while low < high {
        let middle = low + (high - low) / 2;
        // A file that says nothing counts with the one behind it.
        let mut told = None;
        for (at, name) in names.iter().enumerate().take(high).skip(middle) {
            told = first_seq(folder, *name)?.map(|first| (at, first));
            if told.is_some() {
                break;
            }
        }
        match told {
            Some((at, first)) if first <= seq => low = at + 1,
            _ => high = middle,
        }
    }
    Ok(low.checked_sub(1).and_then(|at| names.get(at)).copied())
}

/// The position of the first record of a file.
fn first_seq(folder: &Path, name: SegmentName) -> Result<Option<Seq>, ReadError> {
    let path = name.path(folder);
    let failed = |error| ReadError::io(&path, error);
    let mut lines = Lines::open(&path, 0).map_err(failed)?;
    while let Some(line) = lines.next().map_err(failed)? {
        if let Some(seq) = line::seq_of(line) {
            return Ok(Some(seq));
        }
    }
    Ok(None)
}

pub(super) fn list(folder: &Path) -> Result<Vec<SegmentName>, ReadError> {
    segment::list(folder).map_err(|error| ReadError::io(folder, error))
}

/// A line is at most one call and one answer: far from what this number can say.
fn length(line: &[u8]) -> u32 {
    u32::try_from(line.len()).unwrap_or(u32::MAX)
}
