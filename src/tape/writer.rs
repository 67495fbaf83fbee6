//! What writes the tape, a little behind the road.
//!
//! One thread owns the file. It gathers for a moment, writes each question as a line, and seals the lines
//! as one frame. A file is closed when it has an eighth of the bytes or of the time that are allowed for
//! all of them; then, and now and then, the oldest go.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant, SystemTime};

use super::entry::Entry;
use super::segment::{self, FOLDER, Segment};
use super::{Heard, Shared, TapeError};
use crate::clock;
use crate::config::private;
use crate::config::{Config, Keep, Replay};
use crate::domain::Timestamp;
use crate::vault::Lockbox;

/// How long questions are gathered.
const GATHER: Duration = Duration::from_millis(200);
/// The bytes of lines after which a frame is written.
const FRAME_BYTES: usize = 256 * 1024;
/// How long nothing is tried after a write that failed.
const PAUSE: Duration = Duration::from_secs(10);
/// Into how many files it is divided at least.
const PARTS: u32 = 8;

/// The owner of the files.
pub(super) struct Writer {
    folder: PathBuf,
    lockbox: Lockbox,
    bounds: Replay,
    shared: Arc<Shared>,
    segment: Option<Segment>,
    /// When the last write failed, if it did, which is said once.
    failed: Option<Instant>,
}

impl Writer {
    pub(super) fn new(
        config: &Config,
        lockbox: Lockbox,
        shared: Arc<Shared>,
    ) -> Result<Self, TapeError> {
        let (folder, bounds) = (config.data.join(FOLDER), config.replay);
        if bounds.keep != Keep::Nothing {
            private::make_folder(&folder)?;
        }
        Ok(Self { folder, lockbox, bounds, shared, segment: None, failed: None })
    }

    /// Writes until nobody hands over any more. Where nothing is kept, it looks until no file is left.
    pub(super) fn run(mut self, heard: &Receiver<Heard>, look_every: Duration) {
        let mut looked = Instant::now();
        loop {
            if self.bounds.keep == Keep::Nothing && !self.has_files() {
                return;
            }
            match heard.recv_timeout(look_every.saturating_sub(looked.elapsed())) {
                Ok(first) => self.frame(first, heard),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            // Also while questions keep coming.
            if looked.elapsed() >= look_every {
                self.turn();
                self.prune();
                looked = Instant::now();
            }
        }
    }

    /// Whether there is something that will be too old.
    pub(super) fn has_files(&self) -> bool {
        segment::list(&self.folder).is_ok_and(|files| !files.is_empty())
    }

    /// Gathers a frame and writes it.
    fn frame(&mut self, first: Heard, heard: &Receiver<Heard>) {
        let until = Instant::now() + GATHER;
        let (mut lines, mut count) = (Vec::new(), 0);
        let mut next = Some(first);
        while let Some(heard_now) = next.take() {
            count += 1;
            self.line(&heard_now, &mut lines);
            if lines.len() < FRAME_BYTES {
                let left = until.saturating_duration_since(Instant::now());
                next = heard.recv_timeout(left).ok();
            }
        }
        self.turn();
        if self.failed.is_some_and(|failed| failed.elapsed() < PAUSE) {
            self.shared.dropped.fetch_add(count, Ordering::Relaxed);
            return;
        }
        match self.write(&lines) {
            Ok(()) => self.failed = None,
            Err(error) => {
                self.shared.dropped.fetch_add(count, Ordering::Relaxed);
                if self.failed.replace(Instant::now()).is_none() {
                    tracing::error!(%error, "questions to policy cannot be kept");
                }
                // What was written of a frame is a torn end; behind it nothing could be read.
                if let Some(segment) = self.segment.take() {
                    segment.end(&self.folder);
                }
                self.prune();
            }
        }
        self.shared.failing.store(self.failed.is_some(), Ordering::Relaxed);
    }

    fn line(&self, heard: &Heard, lines: &mut Vec<u8>) {
        let entry = Entry::of(heard, self.bounds.answer_size);
        if let Some(entry) = entry
            && serde_json::to_writer(&mut *lines, &entry).is_ok()
        {
            lines.push(b'\n');
        }
        self.shared.waiting.fetch_sub(heard.bytes, Ordering::Relaxed);
    }

    fn write(&mut self, lines: &[u8]) -> std::io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        if self.segment.is_none() {
            self.segment = Some(Segment::begin(&self.folder, clock::now())?);
        }
        match &mut self.segment {
            Some(segment) => segment.append(&self.lockbox, lines),
            None => Ok(()),
        }
    }

    /// Closes a file that is full or old, and lets the oldest go.
    fn turn(&mut self) {
        let ends = |segment: &Segment| {
            let age = clock::now().since(segment.begins);
            segment.bytes >= self.bounds.size / PARTS as usize || age >= self.bounds.age / PARTS
        };
        if self.segment.as_ref().is_some_and(ends) {
            self.segment = None;
            self.prune();
        }
    }

    /// Takes away what is too old, and the oldest of what is too much; not the file that is written.
    pub(super) fn prune(&mut self) {
        if let Err(error) = self.try_prune() {
            tracing::error!(%error, "old questions to policy cannot be removed");
        }
    }

    fn try_prune(&self) -> std::io::Result<()> {
        let mut files = Vec::new();
        let open = self.segment.as_ref().map(|segment| segment.begins);
        for (begins, path) in segment::list(&self.folder)? {
            if Some(begins) == open {
                continue;
            }
            let found = fs::metadata(&path)?;
            let written =
                found.modified().ok().and_then(|it| it.duration_since(SystemTime::UNIX_EPOCH).ok());
            let ended = written.map_or(begins, |since| Timestamp::default().plus(since));
            files.push((ended, path, found.len()));
        }
        let now = clock::now();
        // The file that comes next has its part.
        let room = self.bounds.size - self.bounds.size / PARTS as usize;
        let mut room = u64::try_from(room).unwrap_or(u64::MAX);
        for (ended, path, bytes) in files.into_iter().rev() {
            let fits = bytes <= room;
            if fits && now.since(ended) <= self.bounds.age {
                room -= bytes;
            } else {
                // Nothing older stays than what goes.
                room = 0;
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::lockbox;
    use super::super::tests::{aged, config, files, heard, sealer};
    use super::*;

    #[test]
    fn a_write_that_fails_leaves_no_file_makes_room_and_is_not_repeated_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path(), Keep::Calls);
        let key = lockbox(&config, &sealer(folder.path())).unwrap();
        let shared: Arc<Shared> = Arc::default();
        let mut writer = Writer::new(&config, key, shared.clone()).unwrap();
        let health =
            || (shared.dropped.load(Ordering::Relaxed), shared.failing.load(Ordering::Relaxed));
        let (_queue, none) = std::sync::mpsc::sync_channel(1);
        // An old one, and one that cannot be written to.
        writer.frame(heard(0), &none);
        assert_eq!(health(), (0, false));
        writer.segment = None;
        aged(&files(folder.path())[0], &config);
        let mut broken = Segment::begin(&writer.folder, clock::now()).unwrap();
        broken.file = fs::File::open(files(folder.path()).last().unwrap()).unwrap();
        writer.segment = Some(broken);
        writer.frame(heard(1), &none);
        assert_eq!(files(folder.path()), Vec::<PathBuf>::new());
        assert!(writer.segment.is_none());
        assert_eq!(health(), (1, true));
        // Not for each frame another try.
        writer.frame(heard(2), &none);
        assert_eq!((files(folder.path()), health()), (Vec::<PathBuf>::new(), (2, true)));
        writer.failed = Some(Instant::now().checked_sub(PAUSE).unwrap());
        writer.frame(heard(3), &none);
        assert_eq!((files(folder.path()).len(), writer.failed), (1, None));
        assert_eq!(health(), (2, false));
    }
}
