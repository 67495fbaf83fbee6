//! Files and folders that only we may read: the one place that knows what "private" means on disk.
//!
//! Private is: a regular file, not a symbolic link, owned by this user or root, without any
//! permission for group and others. What is written is written whole: beside, synced, renamed.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// Why a file or folder is not private, or could not be used. Names paths, never contents.
#[derive(Debug, thiserror::Error)]
pub enum PrivateError {
    /// Group or others may do something with it.
    #[error(
        "`{path}` can be used by others (mode {mode:04o}); run `chmod {want} {path}`",
        path = path.display(),
        want = if *folder { "700" } else { "600" },
    )]
    Open {
        /// Which.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// Whether it is a folder.
        folder: bool,
    },
    /// Everybody may change it.
    #[error("`{path}` can be changed by everybody (mode {mode:04o}); run `chmod o-w {path}`", path = path.display())]
    Writable {
        /// Which.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A link, whose target somebody else may choose.
    #[error("`{}` is a symbolic link; name the file itself", .0.display())]
    Link(PathBuf),
    /// Not what it should be.
    #[error("`{}` is not a {expected}", path.display())]
    Kind {
        /// Which.
        path: PathBuf,
        /// `regular file` or `folder`.
        expected: &'static str,
    },
    /// Somebody else owns it.
    #[error("`{}` belongs to user {owner}; give it to the user that runs portcullis", path.display())]
    Owner {
        /// Which.
        path: PathBuf,
        /// The owner's number.
        owner: u32,
    },
    /// Larger than it may be.
    #[error("`{}` is larger than {max_bytes} bytes", path.display())]
    TooLarge {
        /// Which.
        path: PathBuf,
        /// The bound.
        max_bytes: u64,
    },
    /// The system said no.
    #[error("cannot {verb} `{}`: {source}", path.display())]
    Io {
        /// `read`, `write`, ...
        verb: &'static str,
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl PrivateError {
    fn io(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { verb, path: path.to_owned(), source }
    }

    /// Whether the file is simply not there.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

/// Reads a private file of at most `max_bytes`.
///
/// # Errors
/// If it is not private, too large or unreadable.
pub fn read(path: &Path, max_bytes: u64) -> Result<Zeroizing<Vec<u8>>, PrivateError> {
    let named = fs::symlink_metadata(path).map_err(PrivateError::io("read", path))?;
    check_file(path, &named)?;
    read_named(path, &named, max_bytes).map(Zeroizing::new)
}

/// Reads a file that anybody may read: regular, no link, and not everybody may change it.
///
/// # Errors
/// If it is something else, too large or unreadable.
pub fn read_unlinked(path: &Path, max_bytes: u64) -> Result<Vec<u8>, PrivateError> {
    let named = fs::symlink_metadata(path).map_err(PrivateError::io("read", path))?;
    check_kind(path, &named)?;
    if named.mode() & 0o002 != 0 {
        return Err(PrivateError::Writable { path: path.to_owned(), mode: named.mode() & 0o7777 });
    }
    read_named(path, &named, max_bytes)
}

fn read_named(path: &Path, named: &Metadata, max_bytes: u64) -> Result<Vec<u8>, PrivateError> {
    let file = File::open(path).map_err(PrivateError::io("read", path))?;
    // What was opened must be what was looked at: nobody swapped a link in between.
    let opened = file.metadata().map_err(PrivateError::io("read", path))?;
    if (opened.dev(), opened.ino()) != (named.dev(), named.ino()) {
        return Err(PrivateError::Link(path.to_owned()));
    }
    let mut bytes = Vec::new();
    file.take(max_bytes.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(PrivateError::io("read", path))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= max_bytes) {
        Ok(bytes)
    } else {
        Err(PrivateError::TooLarge { path: path.to_owned(), max_bytes })
    }
}

/// Replaces a private file whole: a reader sees the old bytes or the new ones, also after a crash.
///
/// # Errors
/// If the file that is there is not private, or on a failing disk.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), PrivateError> {
    match fs::symlink_metadata(path) {
        Ok(named) => check_file(path, &named)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(PrivateError::io("write", path)(error)),
    }
    let beside = path.with_extension("tmp");
    // A torn file of an earlier run may be in the way; `create_new` then never follows a link.
    let _ = fs::remove_file(&beside);
    let write_beside = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    };
    write_beside().map_err(PrivateError::io("write", path))
}

/// Makes a private folder, or checks the one that is there.
///
/// # Errors
/// If it cannot be made, or is not private.
pub fn make_folder(path: &Path) -> Result<(), PrivateError> {
    if !path.exists() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(PrivateError::io("make", path))?;
    }
    check_folder(path)
}

/// Checks that a folder is private. A link to one is in order: the folder itself is looked at.
///
/// # Errors
/// If it is not private, or not there.
pub fn check_folder(path: &Path) -> Result<(), PrivateError> {
    let found = fs::metadata(path).map_err(PrivateError::io("read", path))?;
    if !found.is_dir() {
        return Err(PrivateError::Kind { path: path.to_owned(), expected: "folder" });
    }
    check_owner_and_mode(path, &found)
}

/// Checks that a file that turned out to hold a secret is private. A link to it is in order.
///
/// # Errors
/// If it is not private, or not there.
pub fn check_secret_holder(path: &Path) -> Result<(), PrivateError> {
    let found = fs::metadata(path).map_err(PrivateError::io("read", path))?;
    check_owner_and_mode(path, &found)
}

/// Checks that not everybody may change a file or folder that holds no secret but decides things.
///
/// # Errors
/// If everybody may, or it is not there.
pub fn check_not_writable(path: &Path) -> Result<(), PrivateError> {
    let found = fs::metadata(path).map_err(PrivateError::io("read", path))?;
    if found.mode() & 0o002 == 0 {
        return Ok(());
    }
    Err(PrivateError::Writable { path: path.to_owned(), mode: found.mode() & 0o7777 })
}

/// Checks the metadata of a file, taken without following links.
fn check_file(path: &Path, named: &Metadata) -> Result<(), PrivateError> {
    check_kind(path, named)?;
    check_owner_and_mode(path, named)
}

fn check_kind(path: &Path, named: &Metadata) -> Result<(), PrivateError> {
    if named.file_type().is_symlink() {
        return Err(PrivateError::Link(path.to_owned()));
    }
    if !named.is_file() {
        return Err(PrivateError::Kind { path: path.to_owned(), expected: "regular file" });
    }
    Ok(())
}

fn check_owner_and_mode(path: &Path, found: &Metadata) -> Result<(), PrivateError> {
    let owner = found.uid();
    if owner != 0 && own_user().is_some_and(|user| user != owner) {
        return Err(PrivateError::Owner { path: path.to_owned(), owner });
    }
    let mode = found.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(PrivateError::Open { path: path.to_owned(), mode, folder: found.is_dir() });
    }
    Ok(())
}

/// The user this process runs as; `None` where the system has no `/proc`.
fn own_user() -> Option<u32> {
    fs::metadata("/proc/self").ok().map(|found| found.uid())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn what_is_written_is_private_and_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/keys.json");
        make_folder(path.parent().unwrap()).unwrap();
        for text in ["one", "two"] {
            write(&path, text.as_bytes()).unwrap();
            assert_eq!(read(&path, 3).unwrap().as_slice(), text.as_bytes());
        }
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        assert!(matches!(read(&path, 2), Err(PrivateError::TooLarge { .. })));
    }

    #[test]
    fn what_others_may_touch_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, "x").unwrap();
        for mode in [0o644, 0o640, 0o604, 0o620, 0o601] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = read(&path, 9).unwrap_err();
            assert!(error.to_string().ends_with(&format!("run `chmod 600 {}`", path.display())));
            assert!(matches!(write(&path, b"y"), Err(PrivateError::Open { .. })), "{mode:o}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        assert!(read(&path, 9).is_ok());
        let link = folder.path().join("link");
        symlink(&path, &link).unwrap();
        assert!(matches!(read(&link, 9), Err(PrivateError::Link(_))));
        assert!(matches!(write(&link, b"y"), Err(PrivateError::Link(_))));
        assert!(matches!(read(folder.path(), 9), Err(PrivateError::Kind { .. })));
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o750)).unwrap();
        assert!(matches!(make_folder(folder.path()), Err(PrivateError::Open { folder: true, .. })));
        assert!(read(&folder.path().join("none"), 9).unwrap_err().is_absent());
    }
}
