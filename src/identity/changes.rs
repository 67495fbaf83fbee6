//! What is another in the files of accounts and keys, for the log.
//!
//! Accounts and keys are changed by the command line, by the page and by hand: all of it in three files. What
//! is another in them since the last look is what is recorded, also after a time in which no server ran.
//! What makes more possible is recorded above all: a credential that is good for something else than before
//! is told as the end of one and the beginning of another.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use super::accounts::Account;
use super::journal::event;
use super::key_file::{Holder, KeyEntry};
use super::key_table::KeyTable;
use super::people::People;
use super::principals::Identity;
use super::token::{Scope, Token};
use crate::domain::{
    AccountChange, ApproverId, Digest, Event, PrincipalChange, PrincipalId, Role, Timestamp,
};
use crate::store::{Log, LogError, Shelf, ShelfError, Store};

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
pub struct Changes {
    log: Log,
    /// What was recorded last of accounts, by name.
    accounts: Known,
    /// Of the keys of people, by digest: people of the configuration have no account.
    keys: KeyChanges<ApproverId>,
    /// Of the keys of agents, by digest.
    principals: KeyChanges<PrincipalId>,
}

/// What was recorded last, by name or digest, as it lies in the database.
type Marks = BTreeMap<Vec<u8>, Vec<u8>>;

/// What was recorded last of a file.
struct Known {
    shelf: Shelf,
    /// The reading of the file that was looked at last.
    seen: AtomicU64,
}

/// Records what is another in a file of keys.
struct KeyChanges<N: Holder> {
    log: Log,
    known: Known,
    /// The record of a key's beginning or end, with words about it.
    event: fn(&N, Key, String) -> Event,
    holder: PhantomData<N>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Added,
    Revoked,
}

/// What counts of a key, without anything that could be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound = "")]
struct KeyMark<N: Holder> {
    name: N,
    id: String,
    good: bool,
    /// Absent in what was kept by a version that did not look at it.
    #[serde(default)]
    rights: Option<Rights>,
}

/// What a credential is good for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Rights {
    /// Of a token.
    scopes: Vec<Scope>,
    expires_at: Option<Timestamp>,
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
    /// By its id: what it is good for. Those that are missing were kept by a version that did not look at it.
    #[serde(default)]
    rights: BTreeMap<String, Rights>,
}

impl Rights {
    fn of(token: &Token) -> Self {
        Self { scopes: token.scopes.clone(), expires_at: token.expires_at }
    }

    /// Whether a credential is not good for the same any more, as far as is known.
    fn changed(was: Option<&Self>, now: Option<&Self>) -> bool {
        was.is_some() && was != now
    }

    /// A credential's id with what it is good for.
    fn words(id: &str, rights: Option<&Self>) -> String {
        let mut words = id.to_owned();
        let Some(Self { scopes, expires_at }) = rights else { return words };
        if !scopes.is_empty() {
            let scopes: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
            words.push_str(&format!(" for {}", scopes.join(", ")));
        }
        if let Some(end) = expires_at {
            words.push_str(&format!(" until {end}"));
        }
        words
    }
}

/// What is to be told of a credential that was in force or not and is or not, and whether it is another one
/// since. One that came into force again is as good as a new one.
fn told(was: bool, now: bool, is_another: bool) -> &'static [Key] {
    match (was, now) {
        (false, true) => &[Key::Added],
        (true, false) => &[Key::Revoked],
        (true, true) if is_another => &[Key::Revoked, Key::Added],
        (true, true) | (false, false) => &[],
    }
}

impl Mark {
    fn of(account: &Account) -> Self {
        let digest = |text: &Option<String>| {
            text.as_ref().map(|text| Digest::of("portcullis/account/v1", &[text.as_bytes()]))
        };
        let tokens = || account.tokens.iter();
        Self {
            roles: account.roles.clone(),
            groups: account.groups.clone(),
            password: digest(&account.password),
            setup: account.setup.as_ref().map(|setup| setup.hash),
            totp: digest(&account.totp),
            tokens: tokens().map(|it| (it.id.clone(), it.revoked_at.is_none())).collect(),
            rights: tokens().map(|it| (it.id.clone(), Rights::of(it))).collect(),
        }
    }

    /// What is to be told of a new account: that it is there, and the tokens that it came with.
    fn added(&self) -> Vec<(AccountChange, Option<String>)> {
        let mut changes = vec![(AccountChange::Added, Some(self.role_words()))];
        let none = Self { tokens: BTreeMap::new(), rights: BTreeMap::new(), ..self.clone() };
        changes.extend(self.tokens_since(&none));
        changes
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
        changes.extend(self.tokens_since(was));
        changes
    }

    fn tokens_since(&self, was: &Self) -> Vec<(AccountChange, Option<String>)> {
        let mut changes = Vec::new();
        let mut ids: Vec<&String> = self.tokens.keys().chain(was.tokens.keys()).collect();
        ids.sort_unstable();
        ids.dedup();
        for id in ids {
            let good = |mark: &Self| mark.tokens.get(id).is_some_and(|good| *good);
            let (before, now) = (was.rights.get(id), self.rights.get(id));
            for what in told(good(was), good(self), Rights::changed(before, now)) {
                changes.push(match what {
                    Key::Added => (AccountChange::TokenAdded, Some(Rights::words(id, now))),
                    Key::Revoked => (AccountChange::TokenRevoked, Some(id.clone())),
                });
            }
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

impl Known {
    fn open(store: &Store, name: &str) -> Result<Self, ShelfError> {
        Ok(Self { shelf: store.shelf(name)?, seen: AtomicU64::new(u64::MAX) })
    }

    /// What was recorded, if the file was read since.
    fn stale(&self, reading: u64) -> Result<Option<Marks>, ShelfError> {
        if self.seen.load(Ordering::Relaxed) == reading {
            return Ok(None);
        }
        Ok(Some(self.shelf.all()?.into_iter().collect()))
    }

    /// That the file was looked at; `changed` if something of it was recorded.
    fn saw(&self, reading: u64, changed: bool) -> Result<(), ShelfError> {
        if changed {
            self.shelf.sync()?;
        }
        self.seen.store(reading, Ordering::Relaxed);
        Ok(())
    }

    fn keep(&self, key: &[u8], mark: &impl Serialize) -> Result<(), ShelfError> {
        self.shelf.put(key, &serde_json::to_vec(mark).unwrap_or_default())
    }
}

impl Changes {
    /// Of a store; nothing is looked at yet.
    ///
    /// # Errors
    /// If the database fails.
    pub fn open(store: &Store) -> Result<Self, ShelfError> {
        let person = |name: &ApproverId, what, words| {
            let change = match what {
                Key::Added => AccountChange::KeyAdded,
                Key::Revoked => AccountChange::KeyRevoked,
            };
            event(name, change, Some(words))
        };
        let agent = |name: &PrincipalId, what, key| {
            let change = match what {
                Key::Added => PrincipalChange::KeyAdded { key },
                Key::Revoked => PrincipalChange::KeyRevoked { key },
            };
            Event::Principal { principal: name.clone(), change, by: String::new() }
        };
        Ok(Self {
            log: store.log(),
            accounts: Known::open(store, "accounts")?,
            keys: KeyChanges::open(store, "account_keys", person)?,
            principals: KeyChanges::open(store, "principal_keys", agent)?,
        })
    }

    /// Records what is another since the last look. To be called about once a second.
    ///
    /// # Errors
    /// If it cannot be recorded; it is tried again the next time.
    pub async fn record(&self, people: &People, identity: &Identity) -> Result<(), ChangesError> {
        self.accounts(people).await?;
        self.keys.record(people.keys()).await?;
        match identity.keys() {
            Some(keys) => self.principals.record(keys).await,
            None => Ok(()),
        }
    }

    async fn accounts(&self, people: &People) -> Result<(), ChangesError> {
        let reading = people.readings();
        let Some(mut was) = self.accounts.stale(reading)? else { return Ok(()) };
        // While the file cannot be trusted nothing is known.
        let Some(accounts) = people.all_accounts() else { return Ok(()) };
        let mut changed = false;
        for account in &accounts {
            let (key, mark) = (account.name.as_str().as_bytes(), Mark::of(account));
            let before =
                was.remove(key).and_then(|lies| serde_json::from_slice::<Mark>(&lies).ok());
            let changes = before.as_ref().map_or_else(|| mark.added(), |was| mark.since(was));
            for (change, detail) in changes {
                let _recorded = self.log.append(event(&account.name, change, detail)).await?;
            }
            if before.as_ref() != Some(&mark) {
                self.accounts.keep(key, &mark)?;
                changed = true;
            }
        }
        for name in was.into_keys() {
            let known = String::from_utf8_lossy(&name).parse::<ApproverId>();
            if let Ok(account) = known {
                let removed = event(&account, AccountChange::Removed, None);
                let _recorded = self.log.append(removed).await?;
            }
            self.accounts.shelf.remove(&name)?;
            changed = true;
        }
        Ok(self.accounts.saw(reading, changed)?)
    }
}

impl<N: Holder> KeyMark<N> {
    fn of(entry: &KeyEntry<N>) -> Self {
        let rights = Rights { scopes: Vec::new(), expires_at: entry.expires_at };
        Self {
            name: entry.name.clone(),
            id: entry.id.clone(),
            good: entry.revoked_at.is_none(),
            rights: Some(rights),
        }
    }

    /// What is another now, with the mark that it is told of.
    fn since<'a>(now: Option<&'a Self>, was: Option<&'a Self>) -> Vec<(Key, &'a Self)> {
        let good = |mark: Option<&Self>| mark.is_some_and(|mark| mark.good);
        let is_another = now.zip(was).is_some_and(|(now, was)| {
            now.name != was.name || Rights::changed(was.rights.as_ref(), now.rights.as_ref())
        });
        let about = |what: &Key| Some((*what, if *what == Key::Added { now } else { was }?));
        told(good(was), good(now), is_another).iter().filter_map(about).collect()
    }
}

impl<N: Holder> KeyChanges<N> {
    fn open(
        store: &Store,
        name: &str,
        event: fn(&N, Key, String) -> Event,
    ) -> Result<Self, ShelfError> {
        let known = Known::open(store, name)?;
        Ok(Self { log: store.log(), known, event, holder: PhantomData })
    }

    async fn record(&self, keys: &KeyTable<N>) -> Result<(), ChangesError> {
        let reading = keys.readings();
        let Some(mut was) = self.known.stale(reading)? else { return Ok(()) };
        // While the file cannot be trusted nothing is known.
        let Some(keys) = keys.all() else { return Ok(()) };
        let read = |lies: Vec<u8>| serde_json::from_slice::<KeyMark<N>>(&lies).ok();
        let mut changed = false;
        for entry in &keys {
            let mark = KeyMark::of(entry);
            let before = was.remove(entry.hash.as_bytes().as_slice()).and_then(read);
            self.tell(Some(&mark), before.as_ref()).await?;
            if before.as_ref() != Some(&mark) {
                self.known.keep(entry.hash.as_bytes(), &mark)?;
                changed = true;
            }
        }
        for (hash, lies) in was {
            self.tell(None, read(lies).as_ref()).await?;
            self.known.shelf.remove(&hash)?;
            changed = true;
        }
        Ok(self.known.saw(reading, changed)?)
    }

    async fn tell(
        &self,
        now: Option<&KeyMark<N>>,
        was: Option<&KeyMark<N>>,
    ) -> Result<(), ChangesError> {
        for (what, mark) in KeyMark::since(now, was) {
            let words = match what {
                Key::Added => Rights::words(&mark.id, mark.rights.as_ref()),
                Key::Revoked => mark.id.clone(),
            };
            let _recorded = self.log.append((self.event)(&mark.name, what, words)).await?;
        }
        Ok(())
    }
}
