//! Who the people are: those of the configuration, and those with accounts.
//!
//! Rights are looked up at every use, never kept with a credential: whoever is taken out of a group
//! or out of the list has lost it within two seconds, also in sessions that are open.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use super::accounts::{Account, Accounts, AccountsError};
use super::guests::Guests;
use super::key_file::{Holder as _, KeyFile, KeysError, digest_of, has_key_form};
use super::key_table::KeyTable;
use super::person::{Person, Via};
use super::sessions::Told;
use super::token;
use super::watched::Watched;
use crate::clock;
use crate::config::Config;
use crate::domain::{Approver, ApproverId, Digest, Role, Timestamp};
use crate::store::ShelfError;

/// Why people could not be read.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// Their keys.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// Their accounts.
    #[error(transparent)]
    Accounts(#[from] AccountsError),
}

/// The people that Portcullis knows, and the credentials that need no session.
pub struct People {
    configured: HashMap<ApproverId, Arc<Approver>>,
    keys: KeyTable<ApproverId>,
    accounts: Accounts,
    table: Watched<Table>,
    /// Those of the organisation, if people come in by it.
    guests: OnceLock<Guests>,
}

/// What the file of accounts says.
struct Table {
    accounts: HashMap<ApproverId, Account>,
    tokens: HashMap<Digest, ApproverId>,
}

/// One of the people, for lists.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Listed {
    /// The name.
    pub name: ApproverId,
    /// Groups.
    pub groups: Vec<String>,
    /// Roles.
    pub roles: Vec<Role>,
    /// Whether the groups come from the configuration.
    pub configured: bool,
    /// Whether they can sign in with a password.
    pub password: bool,
    /// Whether they have a second factor.
    pub second_factor: bool,
    /// Until when a set-up link is open.
    pub setup_until: Option<Timestamp>,
}

impl People {
    /// Opens the people of a configuration and its data folder.
    ///
    /// # Errors
    /// If a file is there but is not private, or is not what it should be.
    pub fn open(config: &Config) -> Result<Self, PeopleError> {
        let approvers = config.approvers.iter();
        let people = Self {
            configured: approvers.map(|it| (it.id.clone(), it.clone())).collect(),
            keys: KeyTable::open(KeyFile::of(&config.data))?,
            accounts: Accounts::of(&config.data),
            table: Watched::unread(),
            guests: OnceLock::new(),
        };
        people.reload()?;
        Ok(people)
    }

    /// From now on people of the organisation count, too.
    pub fn welcome(&self, guests: Guests) {
        // Once per process: there is one provider.
        let _ = self.guests.set(guests);
    }

    /// Keeps what the organisation said of somebody. Also of those whom we list ourselves: who is taken
    /// out of our list must not have what was said before.
    pub(super) fn told(
        &self,
        name: &ApproverId,
        told: &Told,
        now: Timestamp,
    ) -> Result<(), ShelfError> {
        self.guests.get().map_or(Ok(()), |guests| guests.keep(name, told, now))
    }

    /// The organisation says that somebody is nobody to us any more.
    pub(super) fn sent_away(&self, name: &ApproverId) -> Result<(), ShelfError> {
        self.guests.get().map_or(Ok(()), |guests| guests.forget(name))
    }

    /// The file of accounts.
    #[must_use]
    pub const fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// The person behind an approver's key; `None` for any key that is not good now, whatever the
    /// reason.
    #[must_use]
    pub fn by_key(&self, key: &[u8], now: Timestamp) -> Option<Person> {
        if !has_key_form(key, ApproverId::PREFIX) {
            return None;
        }
        let name = self.keys.find(&digest_of(key), now).ok()?;
        self.person(&name, Via::Key, now)
    }

    /// The person behind an API token, with the token's scopes; `None` for any token that is not
    /// good now.
    #[must_use]
    pub fn by_token(&self, token: &[u8], now: Timestamp) -> Option<Person> {
        if !has_key_form(token, token::PREFIX) {
            return None;
        }
        let digest = digest_of(token);
        let name = self.with_table(|table| table.tokens.get(&digest).cloned())?;
        let account = self.account(&name)?;
        let token = account.tokens.iter().find(|it| it.hash == digest && it.is_good(now))?;
        Some(self.person(&name, Via::Token, now)?.with_scopes(&token.scopes))
    }

    /// Reads the files again if they changed; says whether they did. To be called every second.
    ///
    /// # Errors
    /// If a file cannot be trusted any more. What it says counts for nothing until it can.
    pub fn reload(&self) -> Result<bool, PeopleError> {
        let keys = self.keys.reload();
        let accounts = self.table.reload(self.accounts.path(), || {
            let accounts = self.accounts.list()?;
            let tokens = accounts.iter().flat_map(|account| {
                account.tokens.iter().map(|token| (token.hash, account.name.clone()))
            });
            let tokens = tokens.collect();
            let by_name = accounts.into_iter().map(|account| (account.name.clone(), account));
            Ok::<_, AccountsError>(Table { accounts: by_name.collect(), tokens })
        });
        // Both are read in any case: a fault of one does not keep the other old.
        Ok(keys? | accounts?)
    }

    /// Everybody, by name.
    #[must_use]
    pub fn everybody(&self) -> Vec<Listed> {
        let accounts = self.with_table(|table| Some(table.accounts.clone())).unwrap_or_default();
        let mut names: BTreeMap<ApproverId, Option<Account>> =
            self.configured.keys().map(|name| (name.clone(), None)).collect();
        names.extend(accounts.into_iter().map(|(name, account)| (name, Some(account))));
        let listed = names.into_iter().filter_map(|(name, account)| {
            let (approver, roles) = self.rights(&name)?;
            Some(Listed {
                configured: self.configured.contains_key(&name),
                groups: approver.groups,
                roles,
                password: account.as_ref().is_some_and(Account::has_password),
                second_factor: account.as_ref().is_some_and(Account::has_totp),
                setup_until: account.and_then(|account| account.setup_until()),
                name,
            })
        });
        listed.collect()
    }

    /// A number that is greater after each reading of the file of accounts.
    pub(super) fn readings(&self) -> u64 {
        self.table.readings()
    }

    /// All accounts; `None` while the file cannot be trusted.
    pub(super) fn all_accounts(&self) -> Option<Vec<Account>> {
        self.with_table(|table| Some(table.accounts.values().cloned().collect()))
    }

    /// Their keys for the command line.
    pub(super) const fn keys(&self) -> &KeyTable<ApproverId> {
        &self.keys
    }

    /// Whether it is known at this moment who has an account.
    pub(super) fn is_readable(&self) -> bool {
        self.table.get().is_some()
    }

    /// A name as we know it, if we do, whatever its capital letters.
    pub(super) fn spelled(&self, name: &str) -> Option<ApproverId> {
        let alike = |known: &&ApproverId| known.as_str().eq_ignore_ascii_case(name);
        let configured = self.configured.keys().find(alike).cloned();
        configured.or_else(|| self.with_table(|table| table.accounts.keys().find(alike).cloned()))
    }

    /// The account of a name.
    pub(super) fn account(&self, name: &ApproverId) -> Option<Account> {
        self.with_table(|table| table.accounts.get(name).cloned())
    }

    /// A person of whom one thing is known: that they are who they say.
    pub(super) fn person(&self, name: &ApproverId, via: Via, now: Timestamp) -> Option<Person> {
        let (approver, roles) = self.own_rights(name)?;
        Some(Person::proven(&approver, &roles, via, now))
    }

    /// The groups and roles that somebody has at this moment; `None` for nobody we know. Of people whom
    /// nobody lists here they are what the organisation said last.
    #[must_use]
    pub fn rights(&self, name: &ApproverId) -> Option<(Approver, Vec<Role>)> {
        self.own_rights(name).or_else(|| {
            let guests = self.guests.get().filter(|_| self.is_readable())?;
            let Told { groups, roles, .. } = guests.told(name, clock::now())?;
            Some((Approver { id: name.clone(), groups }, roles))
        })
    }

    /// The same of those whom we list ourselves. Groups come from the configuration if it lists the
    /// name; roles from the account. Who is configured and has no account is an approver.
    fn own_rights(&self, name: &ApproverId) -> Option<(Approver, Vec<Role>)> {
        // While accounts cannot be read, nobody has rights: what was taken away might be there.
        let account = self.table.get().as_ref().as_ref()?.accounts.get(name).cloned();
        match (self.configured.get(name), account) {
            (Some(approver), Some(account)) => Some((approver.as_ref().clone(), account.roles)),
            (Some(approver), None) => Some((approver.as_ref().clone(), vec![Role::Approver])),
            (None, Some(Account { name, groups, roles, .. })) => {
                Some((Approver { id: name, groups }, roles))
            }
            (None, None) => None,
        }
    }

    fn with_table<T>(&self, look: impl FnOnce(&Table) -> Option<T>) -> Option<T> {
        look(self.table.get().as_ref().as_ref()?)
    }
}
