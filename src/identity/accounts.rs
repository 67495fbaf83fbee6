//! Accounts of people: `<data>/people.json`.
//!
//! One file, private, replaced whole under a lock, for two writers: the commands of `portcullis
//! people` and the running server, which lets people set their own password and second factor. It
//! holds hashes of passwords and tokens, and second factors sealed under the installation's key.
//!
//! Groups of a name that the configuration lists among `approvers` come from there, so that rights
//! kept under version control are not changed beside it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::key_file::lock;
use super::{PasswordError, token::Token};
use crate::config::private::{self, PrivateError};
use crate::domain::{ApproverId, Digest, Role, Timestamp};

/// The file's name in the data folder.
const FILE: &str = "people.json";
/// Bytes of the largest file: some ten thousand people.
const MAX_BYTES: u64 = 8 << 20;

/// One person's account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The name in records and rules.
    pub name: ApproverId,
    /// Groups; not used for names that the configuration lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// What they may do with Portcullis.
    pub roles: Vec<Role>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Sessions that began before are over: the password was changed since.
    pub sessions_from: Timestamp,
    /// The password's hash, as a PHC text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) password: Option<String>,
    /// The link by which the password may be set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) setup: Option<SetUp>,
    /// The second factor's secret, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) totp: Option<String>,
    /// Tokens for the API.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<Token>,
}

/// A link that sets a password, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SetUp {
    /// Of the link's secret part.
    pub(super) hash: Digest,
    pub(super) expires_at: Timestamp,
}

impl Account {
    /// Whether a password is set.
    #[must_use]
    pub const fn has_password(&self) -> bool {
        self.password.is_some()
    }

    /// Whether a second factor is set.
    #[must_use]
    pub const fn has_totp(&self) -> bool {
        self.totp.is_some()
    }

    /// Until when a set-up link is open.
    #[must_use]
    pub fn setup_until(&self) -> Option<Timestamp> {
        self.setup.as_ref().map(|setup| setup.expires_at)
    }
}

/// Why accounts could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    /// The file is not private, or the disk failed.
    #[error(transparent)]
    File(#[from] PrivateError),
    /// The file's contents are not accounts.
    #[error("`{}` is no file of accounts: {source}; restore it from a backup, or delete it and add the people anew", path.display())]
    Format {
        /// Which.
        path: PathBuf,
        /// What was found.
        source: serde_json::Error,
    },
    /// Somebody has that name.
    #[error("there is an account `{0}` already; see `portcullis people list`")]
    Exists(ApproverId),
    /// Somebody has a name that people would take for it.
    #[error(
        "`{name}` differs from `{other}` only in small and capital letters; people and rules would mix them up"
    )]
    Alike {
        /// The new one.
        name: String,
        /// The one that is there.
        other: ApproverId,
    },
    /// Nobody has that name.
    #[error(
        "there is no account `{0}`; see `portcullis people list`, or make one with `portcullis people add {0}`"
    )]
    Unknown(String),
    /// Groups belong to the configuration.
    #[error("the groups of `{0}` come from `approvers` in the configuration; change them there")]
    Configured(ApproverId),
    /// Not a name.
    #[error(transparent)]
    Name(#[from] crate::domain::ParseIdError),
    /// The password is not good enough, or could not be hashed.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// There is no such token.
    #[error("`{name}` has no token `{id}` in force; see `portcullis people token list {name}`")]
    NoSuchToken {
        /// Whose.
        name: ApproverId,
        /// Which.
        id: String,
    },
    /// The system's random source failed.
    #[error("the system's random source failed; nothing was changed")]
    Random,
    /// The link is not known, was used, or is too old.
    #[error("this link is not good any more; ask for a new one (`portcullis people passwd NAME`)")]
    Link,
}

impl AccountsError {
    /// Whether the person who asked can do something about it, and may read it.
    #[must_use]
    pub const fn is_the_persons(&self) -> bool {
        match self {
            Self::Password(PasswordError::Failed) => false,
            Self::Password(_) | Self::Link => true,
            _ => false,
        }
    }
}

/// The file. Holds no state: every use reads it.
#[derive(Debug, Clone)]
pub struct Accounts {
    path: PathBuf,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    people: Vec<Account>,
}

impl Accounts {
    /// The accounts of a data folder, which need not exist yet.
    #[must_use]
    pub fn of(data: &Path) -> Self {
        Self { path: data.join(FILE) }
    }

    /// Where they are.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All accounts, oldest first. No file means nobody.
    ///
    /// # Errors
    /// If the file is not private, or not a file of accounts.
    pub fn list(&self) -> Result<Vec<Account>, AccountsError> {
        let bytes = match private::read(&self.path, MAX_BYTES) {
            Err(error) if error.is_absent() => return Ok(Vec::new()),
            bytes => bytes?,
        };
        let content: Content = serde_json::from_slice(&bytes)
            .map_err(|source| AccountsError::Format { path: self.path.clone(), source })?;
        Ok(content.people)
    }

    /// Changes the list under the lock; nothing is written if `change` fails.
    pub(super) fn change<T>(
        &self,
        change: impl FnOnce(&mut Vec<Account>) -> Result<T, AccountsError>,
    ) -> Result<T, AccountsError> {
        let _lock = lock(&self.path)?;
        let mut people = self.list()?;
        let made = change(&mut people)?;
        let mut text = serde_json::to_vec_pretty(&Content { people })
            .map_err(|source| AccountsError::Format { path: self.path.clone(), source })?;
        text.push(b'\n');
        private::write(&self.path, &text)?;
        Ok(made)
    }

    /// Changes one account.
    pub(super) fn change_one<T>(
        &self,
        name: &str,
        change: impl FnOnce(&mut Account) -> Result<T, AccountsError>,
    ) -> Result<T, AccountsError> {
        self.change(|people| {
            let account = people.iter_mut().find(|account| account.name.as_str() == name);
            change(account.ok_or_else(|| AccountsError::Unknown(name.to_owned()))?)
        })
    }
}
