//! The files of the tape: frames of sealed lines, named by when they begin.
//!
//! A frame is its length in four bytes and its sealed text, which is bound to the file's name and the
//! frame's number, so that no frame can be put elsewhere. What is torn or damaged cannot be read, and is
//! told.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::domain::Timestamp;
use crate::vault::Lockbox;

/// The folder within the data folder.
pub(super) const FOLDER: &str = "tape";
const EXTENSION: &str = "tape";
/// Longer frames than any writer makes are no frames.
const MOST_FRAME: u64 = 64 << 20;
/// A file that was written to so lately may have a frame that is not whole yet.
const FRESH: Duration = Duration::from_secs(1);

/// The files of a folder, oldest first, with when they begin.
pub(super) fn list(folder: &Path) -> io::Result<Vec<(Timestamp, PathBuf)>> {
    let mut found = Vec::new();
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let path = entry?.path();
        let begins = path.file_stem().and_then(|name| name.to_str()?.parse().ok());
        if let (Some(begins), Some(EXTENSION)) =
            (begins, path.extension().and_then(|it| it.to_str()))
        {
            found.push((Timestamp::from_millis(begins), path));
        }
    }
    found.sort();
    Ok(found)
}

fn path(folder: &Path, begins: Timestamp) -> PathBuf {
    folder.join(format!("{:015}.{EXTENSION}", begins.millis()))
}

/// A file that is being written.
pub(super) struct Segment {
    pub(super) begins: Timestamp,
    pub(super) bytes: usize,
    pub(super) file: File,
    frames: u64,
}

impl Segment {
    /// Makes a file of now, or of the next millisecond that has none.
    pub(super) fn begin(folder: &Path, now: Timestamp) -> io::Result<Self> {
        let mut begins = now;
        loop {
            match OpenOptions::new()
                .append(true)
                .create_new(true)
                .mode(0o600)
                .open(path(folder, begins))
            {
                Ok(file) => return Ok(Self { begins, bytes: 0, file, frames: 0 }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    begins = Timestamp::from_millis(begins.millis() + 1);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Ends the file after a write that failed; one without a frame goes.
    pub(super) fn end(self, folder: &Path) {
        if self.frames > 0 {
            return;
        }
        if let Err(error) = fs::remove_file(path(folder, self.begins)) {
            tracing::error!(%error, "a file without a question to policy cannot be removed");
        }
    }

    /// Appends a frame of lines.
    pub(super) fn append(&mut self, lockbox: &Lockbox, lines: &[u8]) -> io::Result<()> {
        let sealed = lockbox
            .seal(&context(self.begins, self.frames), lines)
            .map_err(|error| io::Error::other(error.to_string()))?;
        let length = u32::try_from(sealed.len()).map_err(io::Error::other)?;
        let mut frame = length.to_le_bytes().to_vec();
        frame.extend(sealed);
        self.file.write_all(&frame)?;
        (self.frames, self.bytes) = (self.frames + 1, self.bytes + frame.len());
        Ok(())
    }
}

/// Reads a file frame by frame.
pub(super) struct Frames {
    begins: Timestamp,
    file: io::BufReader<File>,
    number: u64,
    ended: bool,
}

impl Frames {
    pub(super) fn open(begins: Timestamp, path: &Path) -> io::Result<Self> {
        Ok(Self { begins, file: io::BufReader::new(File::open(path)?), number: 0, ended: false })
    }

    /// The lines of the next frame, `Some(None)` if it cannot be read, `None` at the end. Behind a
    /// damaged length nothing can be found.
    pub(super) fn next(&mut self, lockbox: &Lockbox) -> Option<Option<Vec<u8>>> {
        if self.ended {
            return None;
        }
        match self.frame() {
            Ok(Some(sealed)) => {
                let context = context(self.begins, self.number);
                self.number += 1;
                Some(lockbox.open(&context, &sealed))
            }
            Ok(None) => None,
            Err(error) => {
                self.ended = true;
                let is_end =
                    error.kind() == io::ErrorKind::UnexpectedEof && self.is_being_written();
                (!is_end).then_some(None)
            }
        }
    }

    fn frame(&mut self) -> io::Result<Option<Vec<u8>>> {
        if self.file.fill_buf()?.is_empty() {
            return Ok(None);
        }
        let mut length = [0; 4];
        self.file.read_exact(&mut length)?;
        let length = u64::from(u32::from_le_bytes(length));
        if length > MOST_FRAME {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut sealed = Vec::new();
        let read = (&mut self.file).take(length).read_to_end(&mut sealed)?;
        if read as u64 == length {
            return Ok(Some(sealed));
        }
        Err(io::ErrorKind::UnexpectedEof.into())
    }

    /// Whether a frame that is torn may be one that comes right now.
    fn is_being_written(&self) -> bool {
        let written = self.file.get_ref().metadata().and_then(|found| found.modified());
        written.is_ok_and(|written| written.elapsed().map_or(true, |age| age < FRESH))
    }
}

fn context(begins: Timestamp, number: u64) -> Vec<u8> {
    [begins.millis().to_le_bytes(), number.to_le_bytes()].concat()
}
