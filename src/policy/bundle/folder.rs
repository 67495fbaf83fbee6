//! A bundle in a folder: read whole, at one moment.
//!
//! Container platforms swap a symbolic link under the files, and people save files one by one. So
//! a folder is looked at before and after it was read, and read again if it changed in between:
//! half of one revision and half of another is never a bundle.

use std::fs::{self, File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::archive::MAX_ARCHIVE_BYTES;
use super::{MANIFEST, MAX_FILE_BYTES, MAX_FILES, Members, SIGNATURES, admit, check_not_empty};
use crate::policy::problem::{LoadErrors, Problem};

/// How often a folder that changes is read anew.
const TRIES: usize = 5;

/// Which files there are, by name, place on disk, size and times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint(Vec<(String, [i64; 6])>);

/// How a folder looks now.
pub(super) fn fingerprint(folder: &Path) -> io::Result<Fingerprint> {
    let mut files = Vec::new();
    for name in names(folder)? {
        // A file that cannot be looked at is part of how the folder looks.
        let seen = fs::metadata(folder.join(&name)).map_or([0; 6], |about| stamp(&about));
        files.push((name, seen));
    }
    Ok(Fingerprint(files))
}

/// How a file looks now.
pub(super) fn fingerprint_of_file(path: &Path) -> io::Result<Fingerprint> {
    Ok(Fingerprint(vec![(String::new(), stamp(&fs::metadata(path)?))]))
}

fn stamp(about: &Metadata) -> [i64; 6] {
    let id = i64::from_ne_bytes(about.ino().to_ne_bytes());
    let length = i64::try_from(about.len()).unwrap_or(i64::MAX);
    [id, length, about.mtime(), about.mtime_nsec(), about.ctime(), about.ctime_nsec()]
}

/// The names that belong to the bundle, sorted.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        // Hidden names are the container platforms' own (`..data`); prose may lie beside rules.
        let passed = (name.starts_with('.') && name != MANIFEST && name != SIGNATURES)
            || name.ends_with(".md");
        if !passed {
            names.push(name);
        }
        if names.len() > MAX_FILES {
            break;
        }
    }
    names.sort();
    Ok(names)
}

/// Reads a folder as it is at one moment.
pub(super) fn read(folder: &Path) -> Result<Members, LoadErrors> {
    let shown = format!("the policy folder `{}`", folder.display());
    let cannot = |error: io::Error| Problem::of_bundle(format!("{shown} cannot be read: {error}"));
    for _ in 0..TRIES {
        let before = fingerprint(folder).map_err(cannot)?;
        let read = read_once(folder, &shown);
        if fingerprint(folder).map_err(cannot)? == before {
            return read;
        }
    }
    let text = format!("{shown} changes while it is read; write it beside and rename it");
    Err(Problem::of_bundle(text).into())
}

fn read_once(folder: &Path, shown: &str) -> Result<Members, LoadErrors> {
    let cannot = |error: io::Error| Problem::of_bundle(format!("{shown} cannot be read: {error}"));
    let mut members = Members::new();
    let mut problems = Vec::new();
    for name in names(folder).map_err(cannot)? {
        let noted = read_file(&folder.join(&name), MAX_FILE_BYTES)
            .map_err(|text| Problem::of_file(&name, text))
            .and_then(|bytes| admit(&mut members, &name, bytes));
        problems.extend(noted.err());
    }
    if problems.is_empty() {
        problems.extend(check_not_empty(&members, shown).err());
    }
    LoadErrors::check(problems).map(|_| members)
}

/// Reads the file of an archive, under its bound.
pub(super) fn read_archive(path: &Path) -> Result<Vec<u8>, LoadErrors> {
    let problem = |text| Problem::of_bundle(format!("the bundle `{}` {text}", path.display()));
    Ok(read_file(path, MAX_ARCHIVE_BYTES as u64).map_err(problem)?)
}

/// At most one byte more than the bound, so that the caller sees that it is over.
fn read_file(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    let cannot = |error: io::Error| format!("cannot be read: {error}");
    // Opening something else (a pipe) could wait for ever.
    if !fs::metadata(path).map_err(cannot)?.is_file() {
        return Err("is not a regular file; a bundle is flat and holds files only".to_owned());
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(cannot)?;
    file.take(most + 1).read_to_end(&mut bytes).map_err(cannot)?;
    Ok(bytes)
}
