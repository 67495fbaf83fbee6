//! Reading the tape back. Takes no lock, so it works while the server runs, and on a copy.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};

use super::TapeError;
use super::entry::Entry;
use super::segment::{self, FOLDER, Frames};
use crate::domain::Timestamp;
use crate::vault::Lockbox;

/// Something on the tape that is no question.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// A file cannot be opened.
    #[error("a file of what was kept cannot be opened")]
    File,
    /// A frame was sealed with another key, changed, or torn.
    #[error("a part of what was kept was sealed with another key, or is damaged")]
    Frame,
    /// A line is no question to this version.
    #[error("a kept question cannot be read")]
    Line,
}

/// The questions on a tape, oldest first.
pub struct Reader {
    lockbox: Lockbox,
    files: VecDeque<(Timestamp, PathBuf)>,
    frames: Option<Frames>,
    lines: VecDeque<Result<Entry, Unread>>,
}

/// Reads the questions that a data folder has, from about `since` on.
///
/// # Errors
/// If the folder cannot be read.
pub fn read(data: &Path, lockbox: Lockbox, since: Timestamp) -> Result<Reader, TapeError> {
    let folder = data.join(FOLDER);
    let mut files: VecDeque<_> = segment::list(&folder).map_err(TapeError::io(&folder))?.into();
    // A file ends where the next begins.
    while files.get(1).is_some_and(|(begins, _)| *begins < since) {
        files.pop_front();
    }
    Ok(Reader { lockbox, files, frames: None, lines: VecDeque::new() })
}

impl Iterator for Reader {
    type Item = Result<Entry, Unread>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(line) = self.lines.pop_front() {
                return Some(line);
            }
            match self.frames.as_mut().map(|frames| frames.next(&self.lockbox)) {
                Some(Some(Some(lines))) => {
                    let lines = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
                    let entry = |line| serde_json::from_slice(line).map_err(|_| Unread::Line);
                    self.lines.extend(lines.map(entry));
                }
                Some(Some(None)) => return Some(Err(Unread::Frame)),
                Some(None) | None => {
                    let (begins, path) = self.files.pop_front()?;
                    match Frames::open(begins, &path) {
                        Ok(frames) => self.frames = Some(frames),
                        // What went meanwhile was too old.
                        Err(error) if error.kind() == io::ErrorKind::NotFound => {
                            self.frames = None;
                        }
                        Err(_) => {
                            self.frames = None;
                            return Some(Err(Unread::File));
                        }
                    }
                }
            }
        }
    }
}
