//! Bundles: rules, tests and data, read whole and exactly as they lie there.
//!
//! A [`Bundle`] comes from a folder, from an archive in the form of OPA's bundles (`tar.gz`), or is
//! the one built in. It is flat: `*.rego`, `*_test.rego`, `*.cases.yaml`, data in `*.json`, `*.yaml`
//! and `*.yml`, and two files about itself, `.manifest` and `.signatures.json`. What is neither is refused rather than overlooked, because a
//! rule in a file with a misspelt ending would be a rule that never speaks. The library is always
//! ours and never part of a bundle.
//!
//! Nothing is unpacked to disk: an archive is read in memory under bounds, so that links, odd paths
//! and doubled names are words in a list and never files.

mod archive;
mod folder;
mod manifest;
mod shipped;
mod signature;

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::problem::{LoadErrors, Problem};
use crate::domain::Digest;

pub use archive::MAX_ARCHIVE_BYTES;
pub use folder::Fingerprint;
pub use manifest::Manifest;
use shipped::LIBRARY;
pub use signature::{Algorithm, KeyError, Keys, SigningKey};

/// Where rules, tests and data come from. The library is built in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The rules in `policies/default`, built in.
    Shipped,
    /// A folder of an operator: `*.rego`, `*_test.rego`, `*.cases.yaml`, `*.json`.
    Folder(PathBuf),
    /// A bundle in one file, `tar.gz`.
    Archive(PathBuf),
}

impl Source {
    /// The files that can be read, with their names; to show lines of them.
    #[must_use]
    pub fn texts(&self) -> Vec<(String, String)> {
        let files = files(self).unwrap_or_default();
        files.into_iter().map(|file| (file.name, file.text)).collect()
    }

    /// What lies at a path: a folder, or else a bundle in one file.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        if path.is_file() { Self::Archive(path) } else { Self::Folder(path) }
    }

    /// The names, sizes and times of what lies there: when they are equal, nothing was written in
    /// between. `None` if it cannot be looked at, or never changes.
    #[must_use]
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        match self {
            Self::Shipped => None,
            Self::Folder(path) => folder::fingerprint(path).ok(),
            Self::Archive(path) => folder::fingerprint_of_file(path).ok(),
        }
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Shipped => f.write_str("shipped"),
            Self::Folder(path) => write!(f, "folder {}", path.display()),
            Self::Archive(path) => write!(f, "bundle {}", path.display()),
        }
    }
}

/// The name of the file that says what a bundle is.
const MANIFEST: &str = ".manifest";
/// The name of the file that holds a bundle's signatures.
const SIGNATURES: &str = ".signatures.json";

/// Every file of a bundle by its name.
type Members = BTreeMap<String, Vec<u8>>;

/// A bundle that was read whole. Whether its rules are in order is another question
/// ([`super::Ruleset::of`]), and whether somebody answers for it a third ([`Bundle::verify`]).
#[derive(Clone, PartialEq, Eq)]
pub struct Bundle {
    members: Members,
    manifest: Manifest,
}

impl Bundle {
    /// Reads what lies at a source.
    ///
    /// # Errors
    /// Everything about it that is not in order.
    pub fn read(source: &Source) -> Result<Self, LoadErrors> {
        match source {
            Source::Shipped => Ok(Self::shipped()),
            Source::Folder(path) => Self::of(folder::read(path)?),
            Source::Archive(path) => Self::of_archive(&folder::read_archive(path)?),
        }
    }

    /// Reads an archive.
    ///
    /// # Errors
    /// Everything about it that is not in order.
    pub fn of_archive(bytes: &[u8]) -> Result<Self, LoadErrors> {
        Self::of(archive::read(bytes)?)
    }

    fn of(members: Members) -> Result<Self, LoadErrors> {
        let manifest = match members.get(MANIFEST) {
            Some(bytes) => Manifest::read(bytes)?,
            None => Manifest::default(),
        };
        Ok(Self { members, manifest })
    }

    /// What the bundle says of itself.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Its files by name, exactly as they are.
    pub fn members(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.members.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
    }

    /// The names of its files, and their sizes.
    pub fn sizes(&self) -> impl Iterator<Item = (&str, usize)> {
        self.members.iter().map(|(name, bytes)| (name.as_str(), bytes.len()))
    }

    /// Whether there is a signature, good or not.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        self.members.contains_key(SIGNATURES)
    }

    /// Checks that one of the keys signed exactly these files.
    ///
    /// # Errors
    /// If there is no such signature.
    pub fn verify(&self, keys: &Keys) -> Result<(), LoadErrors> {
        Ok(signature::verify(&self.members, keys)?)
    }

    /// This bundle with another name in its manifest. Its signature does not survive that.
    #[must_use]
    pub fn named(mut self, revision: &str) -> Self {
        self.manifest.set_revision(revision);
        self.members.insert(MANIFEST.to_owned(), self.manifest.write());
        self.members.remove(SIGNATURES);
        self
    }

    /// This bundle, signed. A signature that it has is replaced.
    ///
    /// # Errors
    /// If the key cannot sign, or a file cannot be hashed.
    pub fn signed(mut self, key: &SigningKey) -> Result<Self, KeyError> {
        let signature = signature::sign(&self.members, key)?;
        self.members.insert(SIGNATURES.to_owned(), signature);
        Ok(self)
    }

    /// The bytes of its signature file.
    #[must_use]
    pub fn signature(&self) -> Option<&[u8]> {
        self.members.get(SIGNATURES).map(Vec::as_slice)
    }

    /// The bundle as an archive: the same bytes for the same files, whatever they lay in.
    ///
    /// # Errors
    /// If memory cannot be written, which does not happen.
    pub fn to_archive(&self) -> std::io::Result<Vec<u8>> {
        archive::write(&self.members)
    }

    /// The digest of every file exactly as it is, its manifest and signatures included.
    #[must_use]
    pub fn contents(&self) -> Digest {
        let parts: Vec<&[u8]> =
            self.members.iter().flat_map(|(name, bytes)| [name.as_bytes(), bytes]).collect();
        Digest::of("portcullis/bundle/v1", &parts)
    }

    /// What a decision is bound to: the digest of rules, tests and data, and of the library.
    #[must_use]
    pub fn revision(&self) -> Digest {
        let library = LIBRARY.iter().map(|(name, text)| (format!("lib/{name}"), text.as_bytes()));
        let own = self.members.iter().filter(|(name, _)| kind(name).is_some());
        let own = own.map(|(name, bytes)| (name.clone(), bytes.as_slice()));
        let mut all: Vec<(String, &[u8])> = library.chain(own).collect();
        all.sort();
        digest(all.iter().map(|(name, bytes)| (name.as_str(), *bytes)))
    }

    /// The revision that stands in the record of a bundle that could not even be read.
    #[must_use]
    pub fn unread_revision() -> Digest {
        digest(std::iter::empty())
    }

    /// All files as text, the library first, each part sorted by name.
    pub(super) fn files(&self) -> Result<Vec<File>, LoadErrors> {
        let library = LIBRARY.iter().map(|(name, text)| File {
            name: format!("lib/{name}"),
            text: (*text).to_owned(),
            kind: FileKind::Library,
        });
        let mut files: Vec<File> = library.collect();
        let mut problems = Vec::new();
        for (name, bytes) in &self.members {
            let Some(kind) = kind(name) else { continue };
            match std::str::from_utf8(bytes) {
                Ok(text) => files.push(File { name: name.clone(), text: text.to_owned(), kind }),
                Err(_) => {
                    let text = "is not valid UTF-8; save it as UTF-8";
                    problems.push(Problem::of_file(name, text));
                }
            }
        }
        LoadErrors::check(problems)?;
        self.manifest.check_roots(&files)?;
        Ok(files)
    }
}

impl std::fmt::Debug for Bundle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Bundle({}, {} files)", self.contents(), self.members.len())
    }
}

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileKind {
    /// A module of the built-in library.
    Library,
    /// A module of the bundle.
    Rules,
    /// A module of tests, never part of a decision.
    Tests,
    /// Cases in YAML, never part of a decision.
    Cases,
    /// An object in JSON or YAML, whose members become members of `data`.
    Data,
}

/// One file, read whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct File {
    /// Relative to the bundle; the library's begin with `lib/`.
    pub(super) name: String,
    pub(super) text: String,
    pub(super) kind: FileKind,
}

const MAX_FILE_BYTES: u64 = 1024 * 1024;
const MAX_FILES: usize = 200;

/// All files of a bundle, the library first, each part sorted by name.
pub(super) fn files(source: &Source) -> Result<Vec<File>, LoadErrors> {
    Bundle::read(source)?.files()
}

/// As [`Bundle::revision`], of files from several places.
pub(super) fn revision(files: &[File]) -> Digest {
    let mut sorted: Vec<&File> = files.iter().collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    digest(sorted.iter().map(|file| (file.name.as_str(), file.text.as_bytes())))
}

fn digest<'a>(sorted: impl Iterator<Item = (&'a str, &'a [u8])>) -> Digest {
    let parts: Vec<&[u8]> = sorted.flat_map(|(name, bytes)| [name.as_bytes(), bytes]).collect();
    Digest::of("portcullis/ruleset/v1", &parts)
}

/// What a file of a bundle is for; `None` for what is no part of its rules: the files about the bundle
/// itself, whose names begin with a dot, and whatever else a bundle must not hold.
pub(super) fn kind(name: &str) -> Option<FileKind> {
    if name.starts_with('.') {
        None
    } else if name.ends_with("_test.rego") {
        Some(FileKind::Tests)
    } else if name.ends_with(".rego") {
        Some(FileKind::Rules)
    } else if name.ends_with(".cases.yaml") {
        Some(FileKind::Cases)
    } else if [".json", ".yaml", ".yml"].iter().any(|ending| name.ends_with(ending)) {
        Some(FileKind::Data)
    } else {
        None
    }
}

/// Notes a file, or why it cannot be one of a bundle's. One place for folders and archives.
fn admit(members: &mut Members, name: &str, bytes: Vec<u8>) -> Result<(), Problem> {
    let is_own = name == MANIFEST || name == SIGNATURES;
    if !is_own && kind(name).is_none() {
        let text = "is not a `.rego`, `.json` or `.yaml` file; a bundle is flat and holds nothing else \
                    (beside `.manifest` and `.signatures.json`)";
        return Err(Problem::of_file(name, text));
    }
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(Problem::of_file(name, format!("has more than {MAX_FILE_BYTES} bytes")));
    }
    if members.len() >= MAX_FILES {
        return Err(Problem::of_bundle(format!("there are more than {MAX_FILES} files")));
    }
    match members.insert(name.to_owned(), bytes) {
        Some(_) => Err(Problem::of_file(name, "is there twice; keep one")),
        None => Ok(()),
    }
}

/// A bundle of nothing cannot be meant.
fn check_not_empty(members: &Members, shown: &str) -> Result<(), Problem> {
    if members.keys().any(|name| kind(name).is_some()) {
        return Ok(());
    }
    Err(Problem::of_bundle(format!("{shown} has no rules")))
}

#[cfg(test)]
mod tests;
