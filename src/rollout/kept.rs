//! The last revisions on disk: the exact files of each, and which of them is pinned.
//!
//! A revision is one archive, named by the digest of its files; what is read back must have that
//! digest again. `index.json` says when each was in force. Both lie in the data folder, which only
//! its owner may enter.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::config::private::{self, PrivateError};
use crate::domain::{Digest, JsonText, Timestamp};
use crate::policy::{Bundle, LoadErrors, MAX_ARCHIVE_BYTES};

/// How many revisions are kept.
pub(super) const KEPT: usize = 10;
/// The folder within the data folder.
pub(super) const FOLDER: &str = "policies";
const INDEX: &str = "index.json";
const MAX_INDEX_BYTES: u64 = 256 * 1024;
/// As few digits may name a revision.
const LEAST_DIGITS: usize = 4;

/// A revision on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptRevision {
    /// What decisions were bound to.
    pub revision: Digest,
    /// The digest of its files.
    pub contents: Digest,
    /// Its author's name for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where it came from.
    pub source: String,
    /// When it came into force, the last time.
    pub since: Timestamp,
}

/// Why a kept revision cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// The disk, or somebody changed the folder.
    #[error(transparent)]
    Private(#[from] PrivateError),
    /// The list of revisions.
    #[error("`{}` cannot be read: {why}; move it away to begin a new one", path.display())]
    Index {
        /// Which.
        path: PathBuf,
        /// Why not.
        why: serde_json::Error,
    },
    /// The files are not the ones that were kept.
    #[error("the kept revision `{}` is damaged: {why}", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// In which way.
        why: String,
    },
    /// The archive cannot be written.
    #[error("the revision cannot be kept: {0}")]
    Unwritable(String),
    /// A thread was lost.
    #[error("the thread that was to do it broke: {0}")]
    Lost(String),
    /// No revision of that name.
    #[error("{0}; `portcullis policy status` shows the revisions that are kept")]
    Unknown(String),
}

/// The revisions on disk, the one that came into force last at the end.
pub(super) struct Kept {
    folder: PathBuf,
    index: Index,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Index {
    revisions: Vec<KeptRevision>,
    /// The contents that stay in force whatever the source has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pinned: Option<Digest>,
}

/// A kept revision's files, by digits of its digest or its author's name for it. Also while a server
/// runs.
///
/// # Errors
/// If there is none, or it is damaged.
pub fn kept_bundle(data: &Path, word: &str) -> Result<Bundle, KeptError> {
    let kept = Kept::open(data)?;
    kept.read(kept.find(word)?)
}

impl Kept {
    /// Opens the folder, or makes it.
    pub(super) fn open(data: &Path) -> Result<Self, KeptError> {
        let folder = data.join(FOLDER);
        private::make_folder(&folder)?;
        let path = folder.join(INDEX);
        let index = match private::read(&path, MAX_INDEX_BYTES) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map_err(|why| KeptError::Index { path, why })?
            }
            Err(error) if error.is_absent() => Index::default(),
            Err(error) => return Err(error.into()),
        };
        let has = |contents| index.revisions.iter().any(|kept| kept.contents == contents);
        if let Some(pinned) = index.pinned.filter(|pinned| !has(*pinned)) {
            let why = format!("{pinned} is pinned and not kept");
            return Err(KeptError::Damaged { path: folder.join(INDEX), why });
        }
        Ok(Self { folder, index })
    }

    /// All of them, oldest first.
    pub(super) fn revisions(&self) -> &[KeptRevision] {
        &self.index.revisions
    }

    /// The pinned revision, if one is.
    pub(super) fn pinned(&self) -> Option<&KeptRevision> {
        let pinned = self.index.pinned?;
        self.index.revisions.iter().find(|kept| kept.contents == pinned)
    }

    /// The one that a word means: digits of its digest, or its author's name for it.
    pub(super) fn find(&self, word: &str) -> Result<&KeptRevision, KeptError> {
        let digits = word.strip_prefix("sha256:").unwrap_or(word);
        let is_meant = |kept: &&KeptRevision| {
            let named = kept.name.as_deref() == Some(word);
            named || digits.len() >= LEAST_DIGITS && hex(kept.revision).starts_with(digits)
        };
        let found: Vec<&KeptRevision> = self.index.revisions.iter().filter(is_meant).collect();
        match found.as_slice() {
            // The same rules under several names are one revision; the newest stands for it.
            [others @ .., last] if others.iter().all(|it| it.revision == last.revision) => {
                Ok(*last)
            }
            [] => Err(KeptError::Unknown(format!("no kept revision is called `{word}`"))),
            _ => Err(KeptError::Unknown(format!("several kept revisions are called `{word}`"))),
        }
    }

    /// The one that was in force before another.
    pub(super) fn before(&self, revision: Digest) -> Result<&KeptRevision, KeptError> {
        let others = self.index.revisions.iter().rev().filter(|kept| kept.revision != revision);
        let last = others.into_iter().next();
        last.ok_or_else(|| KeptError::Unknown("no earlier revision is kept".to_owned()))
    }

    /// Reads a revision's files; they are the ones that were kept, or it is an error.
    pub(super) fn read(&self, kept: &KeptRevision) -> Result<Bundle, KeptError> {
        let path = self.path(kept.contents);
        let bytes = private::read(&path, MAX_ARCHIVE_BYTES as u64)?;
        let damaged = |why: String| KeptError::Damaged { path: path.clone(), why };
        let read: Result<Bundle, LoadErrors> = Bundle::of_archive(&bytes);
        let bundle = read.map_err(|errors| damaged(errors.to_string()))?;
        if bundle.contents() != kept.contents {
            return Err(damaged(
                "its files have another digest than when they were kept".to_owned(),
            ));
        }
        Ok(bundle)
    }

    /// Keeps a revision that is about to be in force, and says whether it is pinned. The oldest
    /// ones beyond the bound go.
    pub(super) fn keep(
        &mut self,
        bundle: &Bundle,
        source: &str,
        since: Timestamp,
        pinned: bool,
    ) -> Result<(), KeptError> {
        let contents = bundle.contents();
        let path = self.path(contents);
        let archive =
            bundle.to_archive().map_err(|error| KeptError::Unwritable(error.to_string()))?;
        if archive.len() > MAX_ARCHIVE_BYTES {
            let text = format!("packed, it has more than {MAX_ARCHIVE_BYTES} bytes");
            return Err(KeptError::Unwritable(text));
        }
        // Also over a file that is there: it may be damaged.
        private::write(&path, &archive)?;
        let mut index = self.index.clone();
        index.revisions.retain(|kept| kept.contents != contents);
        index.revisions.push(KeptRevision {
            revision: bundle.revision(),
            contents,
            name: bundle.manifest().revision().map(str::to_owned),
            source: source.to_owned(),
            since,
        });
        let over = index.revisions.len().saturating_sub(KEPT);
        let gone: Vec<KeptRevision> = index.revisions.drain(..over).collect();
        index.pinned = pinned.then_some(contents);
        private::write(&self.folder.join(INDEX), JsonText::of(&index).bytes())?;
        self.index = index;
        for kept in gone {
            // A file that stays behind is in nobody's way.
            let _ = std::fs::remove_file(self.path(kept.contents));
        }
        Ok(())
    }

    fn path(&self, contents: Digest) -> PathBuf {
        self.folder.join(format!("{}.tar.gz", hex(contents)))
    }
}

fn hex(digest: Digest) -> String {
    digest.to_string().trim_start_matches("sha256:").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Source;

    fn bundle(name: &str) -> Bundle {
        let folder = tempfile::tempdir().unwrap();
        let text = format!("package portcullis.rules.admit\n# {name}\n");
        std::fs::write(folder.path().join("a.rego"), text).unwrap();
        Bundle::read(&Source::Folder(folder.path().to_owned())).unwrap().named(name)
    }

    #[test]
    fn the_last_ten_are_kept_and_read_back_exactly() {
        let data = tempfile::tempdir().unwrap();
        let mut kept = Kept::open(data.path()).unwrap();
        let all: Vec<Bundle> = (0..13).map(|count| bundle(&format!("v{count}"))).collect();
        for (count, bundle) in all.iter().enumerate() {
            kept.keep(bundle, "here", Timestamp::from_millis(count as i64), false).unwrap();
        }
        let kept = Kept::open(data.path()).unwrap();
        let names: Vec<_> = kept.revisions().iter().map(|it| it.name.clone().unwrap()).collect();
        assert_eq!(names, ["v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12"]);
        // The archives and the index.
        assert_eq!(std::fs::read_dir(data.path().join(FOLDER)).unwrap().count(), KEPT + 1);
        for (entry, bundle) in kept.revisions().iter().zip(&all[3..]) {
            assert_eq!(kept.read(entry).unwrap(), *bundle);
        }
        let last = all.last().unwrap().revision();
        assert_eq!(kept.before(last).unwrap().name.as_deref(), Some("v11"));
        assert_eq!(kept.find("v7").unwrap().revision, all[7].revision());
        assert_eq!(kept.find(&last.to_string()).unwrap().revision, last);
        assert_eq!(kept.find(&last.short()).unwrap().revision, last);
        for word in ["v2", "", "sha256:", "zzzz"] {
            assert!(kept.find(word).is_err(), "{word}");
        }
    }

    #[test]
    fn damage_is_seen_and_a_pin_survives() {
        let data = tempfile::tempdir().unwrap();
        let mut kept = Kept::open(data.path()).unwrap();
        let (one, two) = (bundle("one"), bundle("two"));
        kept.keep(&one, "here", Timestamp::from_millis(0), false).unwrap();
        kept.keep(&two, "here", Timestamp::from_millis(1), false).unwrap();
        assert!(kept.pinned().is_none());
        kept.keep(&one, "here", Timestamp::from_millis(2), true).unwrap();
        let kept = Kept::open(data.path()).unwrap();
        let pinned = kept.pinned().unwrap();
        assert_eq!((pinned.revision, kept.revisions().len()), (one.revision(), 2));
        // The bytes of another revision, and broken ones.
        let path = kept.path(one.contents());
        private::write(&path, &two.to_archive().unwrap()).unwrap();
        assert!(kept.read(pinned).unwrap_err().to_string().contains("another digest"));
        private::write(&path, b"x").unwrap();
        assert!(kept.read(pinned).unwrap_err().to_string().contains("is damaged"));
        private::write(&data.path().join(FOLDER).join(INDEX), b"{").unwrap();
        assert!(matches!(Kept::open(data.path()), Err(KeptError::Index { .. })));
    }
}
