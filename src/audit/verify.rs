//! The full walk: every line of every file, from the first record to the last.

use std::path::Path;

use super::ReadError;
use super::lines::list;
use crate::{
    domain::{Digest, Seq},
    store::{
        Flaw,
        line::{self, Chain},
        segment::{Lines, SegmentName},
    },
};

/// What a walk over the whole log found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Files read.
    pub files: usize,
    /// Records that follow from the first one without a break.
    pub records: u64,
    /// Hash of the last of them (32 zero bytes if there is none). A log that was cut, or rewritten
    /// as a whole, is consistent in itself: compare with a head that was kept elsewhere.
    pub head: Digest,
    /// The first break.
    pub first_break: Option<Break>,
    /// Bytes at the end of the newest file that are no whole line: being written right now, or torn
    /// by a crash.
    pub unfinished_bytes: u64,
}

impl Report {
    /// Whether the chain is whole.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.first_break.is_none()
    }
}

/// Where the chain breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{file}`, line {line}: {flaw} (record {seq} was expected)")]
pub struct Break {
    /// The file's name.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// The record that should be there.
    pub seq: Seq,
    /// What is wrong.
    pub flaw: Flaw,
}

/// Walks the log in a data folder and names the first break. Works while the server runs.
///
/// # Errors
/// If a file cannot be read; a break is no error.
pub fn verify(folder: &Path) -> Result<Report, ReadError> {
    let names = list(folder)?;
    let mut walk = Walk { chain: Chain::START, unfinished: 0, first_break: None };
    for name in &names {
        walk.file(folder, *name, names.last() == Some(name))?;
        if walk.first_break.is_some() {
            break;
        }
    }
    Ok(Report {
        files: names.len(),
        records: walk.chain.next,
        head: walk.chain.head,
        first_break: walk.first_break,
        unfinished_bytes: walk.unfinished,
    })
}

struct Walk {
    chain: Chain,
    unfinished: u64,
    first_break: Option<Break>,
}

impl Walk {
    fn file(&mut self, folder: &Path, name: SegmentName, is_last: bool) -> Result<(), ReadError> {
        let path = name.path(folder);
        let failed = |source| ReadError::io(&path, source);
        let mut lines = Lines::open(&path, 0).map_err(failed)?;
        let mut number = 0;
        while let Some(line) = lines.next().map_err(failed)? {
            number += 1;
            // The chain covers the bytes, the reading covers their meaning.
            let result = self.chain.step(line);
            if let Err(flaw) = result.and_then(|()| line::read(line).map(drop)) {
                self.break_at(name, number, flaw);
                return Ok(());
            }
        }
        if is_last {
            self.unfinished = lines.unfinished();
        } else if lines.unfinished() > 0 {
            self.break_at(name, number + 1, Flaw::Shape(String::from("the line is unfinished")));
        }
        Ok(())
    }

    fn break_at(&mut self, name: SegmentName, line: u64, flaw: Flaw) {
        let seq = Seq(self.chain.next);
        self.first_break = Some(Break { file: name.to_string(), line, seq, flaw });
    }
}
