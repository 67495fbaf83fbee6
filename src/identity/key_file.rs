//! Keys and the file that lists them: `<data>/keys.json` for principals,
//! `<data>/approver-keys.json` for people. Holds digests of keys, never a key.

use std::fs::{File, OpenOptions};
use std::marker::PhantomData;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::config::private::{self, PrivateError};
use crate::config::{Config, Secret};
use crate::domain::{ApproverId, Digest, PrincipalId, Timestamp};

/// Bytes of the largest key file: some ten thousand keys.
const MAX_BYTES: u64 = 4 << 20;

/// Whose keys a file lists. Two types implement it, and their keys never meet.
pub trait Holder:
    Clone + Eq + std::fmt::Display + std::str::FromStr + Serialize + DeserializeOwned
{
    /// How a key's text begins.
    const PREFIX: &'static str;
    /// The file's name in the data folder.
    const FILE: &'static str;

    /// Whether configuration knows the name.
    fn is_configured(config: &Config, name: &str) -> bool;

    /// What a name is not, and what makes it that: the end of "`x` is not".
    fn unknown(name: &str) -> String;
}

impl Holder for PrincipalId {
    const PREFIX: &'static str = "pcl_";
    const FILE: &'static str = "keys.json";

    fn is_configured(config: &Config, name: &str) -> bool {
        config.principal(name).is_some()
    }

    fn unknown(name: &str) -> String {
        format!(
            "in the configuration; add it, then try again:\n\n\
             principals:\n  - id: {name}\n    roles: [support-reader]"
        )
    }
}

impl Holder for ApproverId {
    const PREFIX: &'static str = "pca_";
    const FILE: &'static str = "approver-keys.json";

    fn is_configured(config: &Config, name: &str) -> bool {
        let has = |account: &super::Account| account.name.as_str() == name;
        let accounts = || super::Accounts::of(&config.data).list();
        config.approver(name).is_some() || accounts().is_ok_and(|all| all.iter().any(has))
    }

    fn unknown(name: &str) -> String {
        format!(
            "known; make an account first, `portcullis people add {name}`, or list the name among \
             `approvers` in the configuration"
        )
    }
}

/// One key, as the file lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound = "")]
pub struct KeyEntry<N: Holder> {
    /// Whose.
    pub name: N,
    /// A short name of the key for lists and revocation; says nothing of the key.
    pub id: String,
    /// [`digest_of`] the key.
    pub hash: Digest,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Since when it is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}

/// A key that was just made. Its text is shown once and kept nowhere.
#[derive(Debug)]
pub struct IssuedKey<N: Holder> {
    /// What the file keeps.
    pub entry: KeyEntry<N>,
    /// The key.
    pub key: Secret,
}

/// Why keys could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The file is not private, or the disk failed.
    #[error(transparent)]
    File(#[from] PrivateError),
    /// The file's contents are not a list of keys.
    #[error("`{}` is not a key file: {source}; restore it from a backup, or delete it and add keys anew", path.display())]
    Format {
        /// Which.
        path: PathBuf,
        /// What was found.
        source: serde_json::Error,
    },
    /// Nobody of that name is known.
    #[error("`{name}` is not {unknown}")]
    NotConfigured {
        /// The name.
        name: String,
        /// What it is not, and what to do.
        unknown: String,
    },
    /// Nothing to revoke.
    #[error("there is no active key with the name or id `{0}`; list the keys to see what there is")]
    NoSuchKey(String),
    /// The system's random source failed.
    #[error("the system's random source failed; no key was made")]
    Random,
}

/// The key file of one kind of holder. Holds no state: every use reads the file.
#[derive(Debug, Clone)]
pub struct KeyFile<N: Holder> {
    path: PathBuf,
    holder: PhantomData<fn() -> N>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound = "")]
struct Content<N: Holder> {
    keys: Vec<KeyEntry<N>>,
}

impl<N: Holder> KeyFile<N> {
    /// The key file of a data folder, which need not exist yet.
    #[must_use]
    pub fn of(data: &Path) -> Self {
        Self { path: data.join(N::FILE), holder: PhantomData }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All keys, revoked and expired ones too, oldest first. No file means no keys.
    ///
    /// # Errors
    /// If the file is not private, or not a key file.
    pub fn list(&self) -> Result<Vec<KeyEntry<N>>, KeysError> {
        let bytes = match private::read(&self.path, MAX_BYTES) {
            Err(error) if error.is_absent() => return Ok(Vec::new()),
            bytes => bytes?,
        };
        let content: Content<N> = serde_json::from_slice(&bytes)
            .map_err(|source| KeysError::Format { path: self.path.clone(), source })?;
        Ok(content.keys)
    }

    /// Makes a key for a configured name.
    ///
    /// # Errors
    /// If configuration does not know the name, or the file cannot be changed.
    pub fn add(
        &self,
        config: &Config,
        name: &str,
        now: Timestamp,
        expires_at: Option<Timestamp>,
    ) -> Result<IssuedKey<N>, KeysError> {
        let parsed = name.parse::<N>().ok().filter(|_| N::is_configured(config, name));
        let name = parsed.ok_or_else(|| KeysError::NotConfigured {
            name: name.to_owned(),
            unknown: N::unknown(name),
        })?;
        let _lock = self.lock()?;
        let mut keys = self.list()?;
        let key = random_key(N::PREFIX)?;
        let hash = digest_of(key.expose().as_bytes());
        let id: String = hash.short().chars().take(8).collect();
        let entry = KeyEntry { name, id, hash, created_at: now, expires_at, revoked_at: None };
        keys.push(entry.clone());
        self.write(keys)?;
        Ok(IssuedKey { entry, key })
    }

    /// Revokes one key by its id, or all keys of a name. Returns those that were active.
    ///
    /// # Errors
    /// If there is none, or the file cannot be changed.
    pub fn revoke(&self, name_or_id: &str, now: Timestamp) -> Result<Vec<KeyEntry<N>>, KeysError> {
        let _lock = self.lock()?;
        let mut keys = self.list()?;
        let mut revoked = Vec::new();
        for entry in &mut keys {
            let meant = entry.id == name_or_id || entry.name.to_string() == name_or_id;
            if meant && entry.revoked_at.is_none() {
                entry.revoked_at = Some(now);
                revoked.push(entry.clone());
            }
        }
        if revoked.is_empty() {
            return Err(KeysError::NoSuchKey(name_or_id.to_owned()));
        }
        self.write(keys)?;
        Ok(revoked)
    }

    fn write(&self, keys: Vec<KeyEntry<N>>) -> Result<(), KeysError> {
        let mut text = serde_json::to_vec_pretty(&Content { keys })
            .map_err(|source| KeysError::Format { path: self.path.clone(), source })?;
        text.push(b'\n');
        Ok(private::write(&self.path, &text)?)
    }

    fn lock(&self) -> Result<File, KeysError> {
        Ok(lock(&self.path)?)
    }
}

/// Keeps two commands from overwriting each other's change of a file; released when dropped. A file
/// of its own, since the file itself is replaced.
pub(super) fn lock(path: &Path) -> Result<File, PrivateError> {
    private::make_folder(path.parent().unwrap_or(Path::new(".")))?;
    let path = path.with_extension("lock");
    let lock = || {
        let file =
            OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path)?;
        file.lock()?;
        Ok(file)
    };
    lock().map_err(|source| PrivateError::Io { verb: "lock", path: path.clone(), source })
}

/// What is kept of a key. A plain, fast hash is right here: a key is 256 random bits, so there is
/// nothing to guess that a slow hash would protect, and every request computes it.
#[must_use]
pub fn digest_of(key: &[u8]) -> Digest {
    Digest::of("portcullis/key/v1", &[key])
}

/// Whether a text has the form of a key with this prefix: 43 base64url characters behind it.
pub(super) fn has_key_form(text: &[u8], prefix: &str) -> bool {
    let word = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    text.strip_prefix(prefix.as_bytes())
        .is_some_and(|rest| rest.len() == 43 && rest.iter().all(word))
}

pub(super) fn random_key(prefix: &str) -> Result<Secret, KeysError> {
    let mut bits = Zeroizing::new([0; 32]);
    aws_lc_rs::rand::fill(bits.as_mut_slice()).map_err(|_| KeysError::Random)?;
    let mut text = prefix.to_owned();
    text.reserve(43);
    URL_SAFE_NO_PAD.encode_string(bits.as_slice(), &mut text);
    Ok(Secret::new(text))
}
