//! What the log says of people: who came in, who did not, and whose account is another.
//!
//! Whoever signs in is recorded before they are in. A record names an account that there is, and nothing
//! else that somebody typed: a password in the wrong field is in no log. Failures under names that nobody
//! has are counted together, so that guessing fills no disk.
//!
//! Accounts and keys of people are changed by the command line, by the page and by hand: all of it in two
//! files. What is another in them since the last look is what is recorded, also after a time in which no
//! server ran.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::accounts::Account;
use super::key_file::KeyEntry;
use super::people::People;
use crate::domain::{AccountChange, ApproverId, Digest, Event, Role, Timestamp};
use crate::store::{Log, LogError, Shelf, ShelfError, Store};

/// Failures under names that nobody has are recorded this often at most.
const TOGETHER: Duration = Duration::from_secs(10);

/// Records what happens to accounts.
pub(super) struct Journal {
    log: Log,
    strangers: Mutex<Strangers>,
}

#[derive(Default)]
struct Strangers {
    count: u64,
    told_at: Timestamp,
}

impl Journal {
    pub(super) fn new(log: Log) -> Self {
        Self { log, strangers: Mutex::default() }
    }

    /// Records something about an account, durable before this returns.
    pub(super) async fn record(
        &self,
        account: &ApproverId,
        change: AccountChange,
        detail: Option<&str>,
    ) -> Result<(), LogError> {
        let _recorded = self.log.append(event(account, change, detail.map(str::to_owned))).await?;
        Ok(())
    }

    /// Records something that makes nothing looser, in its place of the order.
    pub(super) fn note(&self, account: &ApproverId, change: AccountChange, detail: Option<&str>) {
        let event = event(account, change, detail.map(str::to_owned));
        if let Err(error) = self.log.append_later(event) {
            tracing::error!(%error, "not recorded what happened to an account");
        }
    }

    /// Somebody gave a name that nobody has.
    pub(super) fn stranger(&self, now: Timestamp) {
        self.strangers.lock().unwrap_or_else(PoisonError::into_inner).count += 1;
        self.tell_of_strangers(now);
    }

    /// Records the failures of strangers that are not recorded yet, if it is time.
    pub(super) fn tell_of_strangers(&self, now: Timestamp) {
        let count = {
            let mut strangers = self.strangers.lock().unwrap_or_else(PoisonError::into_inner);
            if strangers.count == 0 || now.since(strangers.told_at) < TOGETHER {
                return;
            }
            strangers.told_at = now;
            std::mem::take(&mut strangers.count)
        };
        let change = AccountChange::SignInFailed;
        let event = Event::Account { account: None, change, detail: None, count };
        if let Err(error) = self.log.append_later(event) {
            tracing::error!(%error, "not recorded that sign-ins failed");
        }
    }
}

fn event(account: &ApproverId, change: AccountChange, detail: Option<String>) -> Event {
    Event::Account { account: Some(account.clone()), change, detail, count: 1 }
}

/// Why changes of accounts could not be recorded.
#[derive(Debug, thiserror::Error)]
pub enum ChangesError {
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The database that remembers what was recorded.
    #[error(transparent)]
    Shelf(#[from] ShelfError),
}

/// Records what is another in the files of accounts and keys.
pub struct AccountChanges {
    log: Log,
    /// What was recorded last of accounts, by name.
    known: Shelf,
    /// What was recorded last of keys, by digest: people of the configuration have no account.
    keys: Shelf,
    /// The reading of the files that was looked at last.
    seen: AtomicU64,
}

/// What counts of a key, without anything that could be used.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct KeyMark {
    name: ApproverId,
    id: String,
    good: bool,
}

/// What counts of an account, without anything that could be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    roles: Vec<Role>,
    groups: Vec<String>,
    password: Option<Digest>,
    setup: Option<Digest>,
    totp: Option<Digest>,
    /// By its id: whether it is in force.
    tokens: BTreeMap<String, bool>,
}

impl Mark {
    fn of(account: &Account) -> Self {
        let digest = |text: &Option<String>| {
            text.as_ref().map(|text| Digest::of("portcullis/account/v1", &[text.as_bytes()]))
        };
        let tokens = account.tokens.iter();
        Self {
            roles: account.roles.clone(),
            groups: account.groups.clone(),
            password: digest(&account.password),
            setup: account.setup.as_ref().map(|setup| setup.hash),
            totp: digest(&account.totp),
            tokens: tokens.map(|it| (it.id.clone(), it.revoked_at.is_none())).collect(),
        }
    }

    /// What is another in `self` than it was.
    fn since(&self, was: &Self) -> Vec<(AccountChange, Option<String>)> {
        let mut changes = Vec::new();
        if self.roles != was.roles {
            changes.push((AccountChange::Roles, Some(self.role_words())));
        }
        if self.groups != was.groups {
            changes.push((AccountChange::Groups, Some(words(&self.groups))));
        }
        if self.password != was.password {
            changes.push((AccountChange::Password, None));
        }
        if self.setup != was.setup && self.setup.is_some() {
            changes.push((AccountChange::SetUp, None));
        }
        match (&was.totp, &self.totp) {
            (was, Some(now)) if was.as_ref() != Some(now) => {
                changes.push((AccountChange::SecondFactor, None));
            }
            (Some(_), None) => changes.push((AccountChange::SecondFactorRemoved, None)),
            _ => {}
        }
        for (id, good) in &self.tokens {
            match (was.tokens.get(id), good) {
                (None, true) => changes.push((AccountChange::TokenAdded, Some(id.clone()))),
                (Some(true), false) => {
                    changes.push((AccountChange::TokenRevoked, Some(id.clone())));
                }
                _ => {}
            }
        }
        for id in was.tokens.keys().filter(|id| !self.tokens.contains_key(*id)) {
            changes.push((AccountChange::TokenRevoked, Some(id.clone())));
        }
        changes
    }

    fn role_words(&self) -> String {
        words(&self.roles.iter().map(|role| role.as_str().to_owned()).collect::<Vec<_>>())
    }
}

fn words(list: &[String]) -> String {
    if list.is_empty() { String::from("none") } else { list.join(", ") }
}

impl AccountChanges {
    /// Of a store; nothing is looked at yet.
    ///
    /// # Errors
    /// If the database fails.
    pub fn open(store: &Store) -> Result<Self, ShelfError> {
        let (known, keys) = (store.shelf("accounts")?, store.shelf("account_keys")?);
        Ok(Self { log: store.log(), known, keys, seen: AtomicU64::new(u64::MAX) })
    }

    /// Records what is another since the last look. To be called about once a second.
    ///
    /// # Errors
    /// If it cannot be recorded; it is tried again the next time.
    pub async fn record(&self, people: &People) -> Result<(), ChangesError> {
        let reading = people.reading();
        if self.seen.load(Ordering::Relaxed) == reading {
            return Ok(());
        }
        // While a file cannot be trusted nothing is known.
        if let Some(accounts) = people.all_accounts() {
            self.accounts(&accounts).await?;
        }
        if let Some(keys) = people.all_keys() {
            self.keys(&keys).await?;
        }
        self.seen.store(reading, Ordering::Relaxed);
        Ok(())
    }

    async fn accounts(&self, accounts: &[Account]) -> Result<(), ChangesError> {
        let mut was: BTreeMap<Vec<u8>, Vec<u8>> = self.known.all()?.into_iter().collect();
        let mut changed = false;
        for account in accounts {
            let (key, mark) = (account.name.as_str().as_bytes(), Mark::of(account));
            let before =
                was.remove(key).and_then(|lies| serde_json::from_slice::<Mark>(&lies).ok());
            let changes = match &before {
                None => vec![(AccountChange::Added, Some(mark.role_words()))],
                Some(before) => mark.since(before),
            };
            for (change, detail) in changes {
                self.tell(&account.name, change, detail).await?;
            }
            if before.as_ref() != Some(&mark) {
                self.known.put(key, &serde_json::to_vec(&mark).unwrap_or_default())?;
                changed = true;
            }
        }
        for name in was.into_keys() {
            let known = String::from_utf8_lossy(&name).parse::<ApproverId>();
            if let Ok(account) = known {
                self.tell(&account, AccountChange::Removed, None).await?;
            }
            self.known.remove(&name)?;
            changed = true;
        }
        if changed {
            self.known.sync()?;
        }
        Ok(())
    }

    async fn keys(&self, keys: &[KeyEntry<ApproverId>]) -> Result<(), ChangesError> {
        let read = |lies: Vec<u8>| serde_json::from_slice::<KeyMark>(&lies).ok();
        let mut was: BTreeMap<Vec<u8>, Vec<u8>> = self.keys.all()?.into_iter().collect();
        let mut changed = false;
        for entry in keys {
            let good = entry.revoked_at.is_none();
            let mark = KeyMark { name: entry.name.clone(), id: entry.id.clone(), good };
            let before = was.remove(entry.hash.as_bytes().as_slice()).and_then(read);
            let change = match (before.as_ref().map(|before| before.good), good) {
                (None, true) => Some(AccountChange::KeyAdded),
                (Some(true), false) => Some(AccountChange::KeyRevoked),
                _ => None,
            };
            if let Some(change) = change {
                self.tell(&entry.name, change, Some(entry.id.clone())).await?;
            }
            if before.as_ref() != Some(&mark) {
                let text = serde_json::to_vec(&mark).unwrap_or_default();
                self.keys.put(entry.hash.as_bytes(), &text)?;
                changed = true;
            }
        }
        for (hash, lies) in was {
            if let Some(gone) = read(lies).filter(|gone| gone.good) {
                self.tell(&gone.name, AccountChange::KeyRevoked, Some(gone.id)).await?;
            }
            self.keys.remove(&hash)?;
            changed = true;
        }
        if changed {
            self.keys.sync()?;
        }
        Ok(())
    }

    async fn tell(
        &self,
        account: &ApproverId,
        change: AccountChange,
        detail: Option<String>,
    ) -> Result<(), ChangesError> {
        let _recorded = self.log.append(event(account, change, detail)).await?;
        Ok(())
    }
}
