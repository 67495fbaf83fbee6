//! The data folder: closed to other users, owned by one process, with a reserve for the day the
//! disk is full.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{OpenError, segment};

const LOCK: &str = "lock";
const BALLAST: &str = "ballast";
const PROBE: &str = "probe";
/// What must be free for a start: sled and the first records need some room.
const PROBE_BYTES: u64 = 1024 * 1024;

/// The locked folder.
pub(super) struct Folder {
    pub(super) path: PathBuf,
    /// Ends with the last clone. The writer's threads have one each: as long as one of them may
    /// still write, however long it hangs, nobody else gets the folder.
    pub(super) lock: Arc<Lock>,
}

/// The held lock.
pub(super) struct Lock(File);

impl Drop for Lock {
    /// Gives it up in words: closing is not enough while a child of this process, not yet become
    /// another program, still has the file open.
    fn drop(&mut self) {
        // The end of the process gives it up in any case.
        let _ = self.0.unlock();
    }
}

impl Folder {
    /// Makes the folder if needed, refuses one that others may look into, and takes its lock.
    pub(super) fn lock(path: &Path) -> Result<Self, OpenError> {
        let failed = |source| OpenError::io("open the data folder", path, source);
        match fs::metadata(path) {
            Ok(found) if !found.is_dir() => {
                return Err(failed(io::Error::from(io::ErrorKind::NotADirectory)));
            }
            Ok(found) => {
                let mode = found.permissions().mode() & 0o777;
                if mode & 0o077 != 0 {
                    return Err(OpenError::Permissions { path: path.to_owned(), mode });
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if let Some(parent) = path.parent() {
                    fs::create_dir_all(parent).map_err(failed)?;
                }
                DirBuilder::new().mode(0o700).create(path).map_err(failed)?;
                if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty())
                {
                    segment::sync_folder(parent).map_err(failed)?;
                }
            }
            Err(error) => return Err(failed(error)),
        }
        let mut options = OpenOptions::new();
        let lock = options.write(true).create(true).truncate(false).mode(0o600);
        let lock = lock.open(path.join(LOCK)).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), lock: Arc::new(Lock(lock)) }),
            Err(TryLockError::WouldBlock) => Err(OpenError::Locked { path: path.to_owned() }),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// Sees that there is room for a start, giving the reserve up if there is none.
    pub(super) fn make_room(&self) -> Result<(), OpenError> {
        let mut outcome = self.probe();
        if matches!(&outcome, Err(error) if is_full(error))
            && fs::remove_file(self.path.join(BALLAST)).is_ok()
        {
            tracing::warn!(folder = %self.path.display(), "the disk is full: starting on the reserve");
            outcome = self.probe();
        }
        outcome.map_err(|source| OpenError::io("write to the data folder", &self.path, source))
    }

    /// Sets the reserve up again if there is room for it and more; that there is none is not a
    /// failure.
    pub(super) fn lay_ballast(&self, bytes: u64) {
        let path = self.path.join(BALLAST);
        if fs::metadata(&path).map_or(0, |found| found.len()) == bytes {
            return;
        }
        let _ = fs::remove_file(&path);
        if bytes > 0 && fill(&path, bytes).and_then(|()| self.probe()).is_err() {
            let _ = fs::remove_file(&path);
        }
    }

    /// Writes a little and takes it away again.
    fn probe(&self) -> io::Result<()> {
        let path = self.path.join(PROBE);
        let outcome = fill(&path, PROBE_BYTES);
        let _ = fs::remove_file(&path);
        outcome
    }
}

/// Whether an error says that the disk, or the user's share of it, is full.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Writes real bytes: a hole in a file reserves nothing.
fn fill(path: &Path, bytes: u64) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(path)?;
    let block = [0x5a; 64 * 1024];
    let mut left = bytes;
    while left > 0 {
        let size = left.min(block.len() as u64);
        file.write_all(block.get(..usize::try_from(size).unwrap_or(0)).unwrap_or_default())?;
        left -= size;
    }
    file.sync_data()
}
