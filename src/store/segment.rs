//! The files that hold the records: `audit-YYYYMMDD-N.jsonl`, appended to and never changed.
//!
//! A new file begins with each day and at a size; the chain goes on through it. The name orders the
//! files, so that no list of them has to be kept (or believed). Reading needs no lock: whatever ends
//! in a newline was written whole, and what does not is not yet, or no longer, a record.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, Seek, SeekFrom, Write},
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use super::fault::{Faults, Operation};
use crate::domain::Timestamp;

/// The name of a file of records: its day (`20260728`) and its number in that day, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SegmentName {
    pub(crate) day: u32,
    pub(crate) number: u32,
}

impl SegmentName {
    /// The first file of the day of `at` (UTC).
    pub(crate) fn first_of(at: Timestamp) -> Self {
        Self { day: day(at), number: 1 }
    }

    /// Reads a file's name; others than ours are none.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (day, number) = name.strip_prefix("audit-")?.strip_suffix(".jsonl")?.split_once('-')?;
        let name_of = Self { day: day.parse().ok()?, number: number.parse().ok()? };
        (name_of.to_string() == name).then_some(name_of)
    }

    pub(crate) fn path(self, folder: &Path) -> PathBuf {
        folder.join(self.to_string())
    }

    /// The file after this one, if one is due at `at`. A clock that went back stays in the newer
    /// day: the order of names is the order of records.
    fn next(self, at: Timestamp, is_full: bool) -> Option<Self> {
        match day(at) {
            today if today > self.day => Some(Self { day: today, number: 1 }),
            _ if is_full => Some(Self { day: self.day, number: self.number + 1 }),
            _ => None,
        }
    }
}

impl std::fmt::Display for SegmentName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "audit-{:08}-{}.jsonl", self.day, self.number)
    }
}

fn day(at: Timestamp) -> u32 {
    // `2026-07-28T...` -> `20260728`; a time that cannot be written as a date counts as day 0.
    let text = at.to_string();
    let date: String = text.chars().take(10).filter(char::is_ascii_digit).collect();
    if date.len() == 8 { date.parse().unwrap_or(0) } else { 0 }
}

/// All files of records in a folder, oldest first.
pub(crate) fn list(folder: &Path) -> io::Result<Vec<SegmentName>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.extend(entry?.file_name().to_str().and_then(SegmentName::parse));
    }
    names.sort_unstable();
    Ok(names)
}

/// Makes a created, renamed or removed name in `folder` durable.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// The file that the writer appends to.
pub(super) struct Segment {
    pub(super) name: SegmentName,
    /// Bytes in it.
    pub(super) len: u64,
    folder: PathBuf,
    file: File,
    faults: Faults,
}

impl Segment {
    /// Opens a file, making it (and its name durable) if it is new.
    pub(super) fn open(folder: &Path, name: SegmentName, faults: Faults) -> io::Result<Self> {
        faults.check(Operation::Create)?;
        let path = name.path(folder);
        let is_new = !path.exists();
        let mut options = OpenOptions::new();
        let file = options.append(true).create(true).mode(0o600).open(path)?;
        if is_new {
            file.sync_all()?;
            sync_folder(folder)?;
        }
        let len = file.metadata()?.len();
        Ok(Self { name, len, folder: folder.to_owned(), file, faults })
    }

    /// Goes on to the next file if one is due.
    pub(super) fn rotate(&mut self, at: Timestamp, limit: u64) -> io::Result<()> {
        match self.name.next(at, self.len >= limit) {
            Some(next) if self.len > 0 => {
                *self = Self::open(&self.folder, next, self.faults.clone())?;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Appends whole lines.
    pub(super) fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        self.faults.check(Operation::Write)?;
        self.file.write_all(lines)?;
        self.len += lines.len() as u64;
        Ok(())
    }

    /// Makes everything appended durable.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.faults.check(Operation::Sync)?;
        self.file.sync_data()
    }
}

/// Reads the lines of one file.
pub(crate) struct Lines {
    reader: BufReader<File>,
    /// Where the next line begins.
    pub(crate) offset: u64,
    line: Vec<u8>,
}

impl Lines {
    /// From `offset`, which must be the beginning of a line.
    pub(crate) fn open(path: &Path, offset: u64) -> io::Result<Self> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(offset))?;
        Ok(Self { reader: BufReader::with_capacity(64 * 1024, file), offset, line: Vec::new() })
    }

    /// The next line without its newline. None at the end of the file or before an unfinished
    /// line, which a later call may find finished.
    pub(crate) fn next(&mut self) -> io::Result<Option<&[u8]>> {
        if self.line.last() == Some(&b'\n') {
            self.line.clear();
        }
        self.reader.read_until(b'\n', &mut self.line)?;
        if self.line.last() != Some(&b'\n') {
            return Ok(None);
        }
        self.offset += self.line.len() as u64;
        Ok(self.line.strip_suffix(b"\n"))
    }

    /// The line that [`Lines::next`] gave last.
    pub(crate) fn line(&self) -> &[u8] {
        self.line.strip_suffix(b"\n").unwrap_or_default()
    }

    /// Bytes after the last newline, once [`Lines::next`] said none.
    pub(crate) fn unfinished(&self) -> u64 {
        if self.line.last() == Some(&b'\n') { 0 } else { self.line.len() as u64 }
    }
}

/// Reads the lines of one file backwards.
pub(crate) struct LinesBack {
    file: File,
    /// Where `bytes` begin in the file.
    start: u64,
    bytes: Vec<u8>,
    /// Where the lines that were given begin in `bytes`.
    given: usize,
    /// The end of the line that was given last, in `bytes`; it begins at `given`.
    end: usize,
}

impl LinesBack {
    /// From `limit`, or the end of the file.
    pub(crate) fn open(path: &Path, limit: u64) -> io::Result<Self> {
        let file = File::open(path)?;
        let start = file.metadata()?.len().min(limit);
        Ok(Self { file, start, bytes: Vec::new(), given: 0, end: 0 })
    }

    /// Goes to the whole line before and tells where it begins; none at the beginning of the file.
    pub(crate) fn step(&mut self) -> io::Result<Option<u64>> {
        loop {
            let rest = self.bytes.get(..self.given).unwrap_or_default();
            // What stands behind the last newline is no whole line.
            let newline = memchr::memrchr(b'\n', rest);
            let before = newline.and_then(|end| rest.get(..end));
            let begin = before.and_then(|before| memchr::memrchr(b'\n', before));
            match (newline, begin) {
                (Some(end), Some(before)) => return Ok(Some(self.give(before + 1, end))),
                (Some(end), None) if self.start == 0 => return Ok(Some(self.give(0, end))),
                (None, _) if self.start == 0 => return Ok(None),
                _ => self.fill()?,
            }
        }
    }

    /// The line that [`LinesBack::step`] went to, without its newline.
    pub(crate) fn line(&self) -> &[u8] {
        self.bytes.get(self.given..self.end).unwrap_or_default()
    }

    fn give(&mut self, begin: usize, end: usize) -> u64 {
        (self.given, self.end) = (begin, end);
        self.start + begin as u64
    }

    /// Puts the bytes before in front of what was not given yet: more of them for a longer line.
    fn fill(&mut self) -> io::Result<()> {
        const BLOCK: usize = 64 * 1024;
        let rest = self.bytes.get(..self.given).unwrap_or_default();
        let size = usize::try_from(self.start).unwrap_or(usize::MAX).min(rest.len().max(BLOCK));
        let start = self.start - size as u64;
        let mut bytes = vec![0; size];
        self.file.read_exact_at(&mut bytes, start)?;
        bytes.extend_from_slice(rest);
        (self.given, self.start, self.bytes) = (bytes.len(), start, bytes);
        Ok(())
    }
}

/// Reads lines again whose place is known, with one file open at a time.
pub(crate) struct Places {
    folder: PathBuf,
    open: Option<(SegmentName, File)>,
}

impl Places {
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), open: None }
    }

    /// The line of `len` bytes (without its newline) at `offset`.
    pub(crate) fn read(&mut self, name: SegmentName, offset: u64, len: u32) -> io::Result<Vec<u8>> {
        if self.open.as_ref().is_none_or(|(open, _)| *open != name) {
            self.open = Some((name, File::open(name.path(&self.folder))?));
        }
        let mut bytes = vec![0; len as usize];
        if let Some((_, file)) = &self.open {
            file.read_exact_at(&mut bytes, offset)?;
        }
        Ok(bytes)
    }
}

/// The bytes of a file from `offset` on.
pub(crate) fn read_at(path: &Path, offset: u64, len: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; len];
    File::open(path)?.read_exact_at(&mut bytes, offset)?;
    Ok(bytes)
}

/// Where the first line begins for which `is_before` is not true; the lines are ordered by it. A line
/// that cannot tell counts with the one behind it.
pub(crate) fn seek(path: &Path, is_before: impl Fn(&[u8]) -> Option<bool>) -> io::Result<u64> {
    let (mut low, mut high) = (0, fs::metadata(path)?.len());
    // INVARIANT: `low` begins a line; every line that begins in front of it is before, and none
    // that begins behind `high` is.
    while low <= high {
        let middle = low + (high - low) / 2;
        // The first line that begins behind `middle`, or the one at `low` itself.
        let mut lines = Lines::open(path, middle)?;
        if middle > low {
            lines.next()?;
        }
        let at = lines.offset;
        let mut told = None;
        while told.is_none() {
            let Some(line) = lines.next()? else { break };
            told = is_before(line);
        }
        match told {
            Some(true) if at <= high => low = lines.offset,
            _ if middle > low => high = middle,
            _ => break,
        }
    }
    Ok(low)
}

/// The last whole line of a file's first `limit` bytes (without its newline), and where it begins.
pub(crate) fn last_line(path: &Path, limit: u64) -> io::Result<(u64, Vec<u8>)> {
    let mut lines = LinesBack::open(path, limit)?;
    let offset = lines.step()?.unwrap_or_default();
    Ok((offset, lines.line().to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_order_as_the_records_do() {
        let at = |text: &str| {
            let time: jiff::Timestamp = text.parse().unwrap();
            Timestamp::from_millis(time.as_millisecond())
        };
        let first = SegmentName::first_of(at("2026-07-28T23:59:59.999Z"));
        assert_eq!(first.to_string(), "audit-20260728-1.jsonl");
        let mut name = first;
        for _ in 0..10 {
            let next = name.next(at("2026-07-27T00:00:00Z"), true).unwrap();
            assert!(next > name && SegmentName::parse(&next.to_string()) == Some(next));
            name = next;
        }
        assert_eq!(name.next(at("2026-07-28T12:00:00Z"), false), None);
        let tomorrow = name.next(at("2026-07-29T00:00:00Z"), false).unwrap();
        assert_eq!(tomorrow.to_string(), "audit-20260729-1.jsonl");
        for other in ["audit-1-1.jsonl", "audit-20260728-01.jsonl", "audit-20260728-1.json", "x"] {
            assert_eq!(SegmentName::parse(other), None, "{other}");
        }
    }

    #[test]
    fn every_line_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lines");
        for widths in [[1, 1, 1], [1, 40, 2], [90, 3, 17], [64, 64, 64]] {
            let mut offsets = Vec::new();
            let mut text = String::new();
            for number in 0..50 {
                offsets.push(text.len() as u64);
                text += &format!("{number:0width$}\n", width = widths[number % 3]);
            }
            offsets.push(text.len() as u64);
            fs::write(&path, &text).unwrap();
            let number = |line: &[u8]| std::str::from_utf8(line).unwrap().parse::<usize>().unwrap();
            for (wanted, offset) in offsets.iter().enumerate() {
                let found = seek(&path, |line| Some(number(line) < wanted)).unwrap();
                assert_eq!(found, *offset);
                // A line that cannot tell is behind those before it, whichever it is.
                for dumb in 0..50 {
                    let tells = |line: &[u8]| (number(line) != dumb).then(|| number(line) < wanted);
                    let expected = if dumb + 1 == wanted { wanted - 1 } else { wanted };
                    assert_eq!(seek(&path, tells).unwrap(), offsets[expected], "{dumb} {wanted}");
                }
            }
            for (wanted, limit) in [(50, u64::MAX), (50, offsets[50]), (49, offsets[50] - 1)] {
                let mut back = LinesBack::open(&path, limit).unwrap();
                for wanted in (0..wanted).rev() {
                    assert_eq!(back.step().unwrap(), Some(offsets[wanted]));
                    assert_eq!(number(back.line()), wanted);
                }
                assert_eq!(back.step().unwrap(), None);
            }
            for (wanted, limit) in [(49, u64::MAX), (49, offsets[50]), (48, offsets[50] - 1)] {
                let (offset, line) = last_line(&path, limit).unwrap();
                assert_eq!((offset, number(&line)), (offsets[wanted], wanted));
            }
        }
    }
}
