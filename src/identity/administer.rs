//! What an administrator does with accounts, by command or page: add, remove, rights, set-up links.

use std::time::Duration;

use super::accounts::{Account, Accounts, AccountsError, SetUp};
use super::key_file::{digest_of, random_key};
use super::password;
use crate::config::{Config, Secret};
use crate::domain::{ApproverId, Role, Timestamp};

/// How long a set-up link is good.
pub const SETUP_VALID: Duration = Duration::from_secs(24 * 60 * 60);

/// How the secret part of a set-up link begins: recognisable where it should not be.
const LINK: &str = "pcs_";

impl Accounts {
    /// Makes an account without a password.
    ///
    /// # Errors
    /// If the name is taken or nearly taken, or is no name, or groups are given for a name whose
    /// groups the configuration has.
    pub fn add(
        &self,
        config: &Config,
        name: &str,
        groups: &[String],
        roles: &[Role],
        now: Timestamp,
    ) -> Result<Account, AccountsError> {
        let name: ApproverId = name.parse()?;
        if config.approver(name.as_str()).is_some() && !groups.is_empty() {
            return Err(AccountsError::Configured(name));
        }
        let configured = config.approvers.iter().map(|approver| approver.id.clone());
        let configured: Vec<ApproverId> = configured.collect();
        self.change(|people| {
            let mut known = people.iter().map(|account| &account.name).chain(&configured);
            let alike = |other: &&ApproverId| other.as_str().eq_ignore_ascii_case(name.as_str());
            if let Some(other) = known.find(|other| alike(other) && **other != name) {
                return Err(AccountsError::Alike { name: name.to_string(), other: other.clone() });
            }
            if people.iter().any(|account| account.name == name) {
                return Err(AccountsError::Exists(name));
            }
            let account = Account {
                name,
                groups: sorted(groups),
                roles: if roles.is_empty() { vec![Role::Approver] } else { sorted(roles) },
                created_at: now,
                sessions_from: now,
                password: None,
                setup: None,
                totp: None,
                tokens: Vec::new(),
            };
            people.push(account.clone());
            Ok(account)
        })
    }

    /// Takes an account away, with its sessions and tokens.
    ///
    /// # Errors
    /// If there is none.
    pub fn remove(&self, name: &str) -> Result<Account, AccountsError> {
        self.change(|people| {
            let at = people.iter().position(|account| account.name.as_str() == name);
            let at = at.ok_or_else(|| AccountsError::Unknown(name.to_owned()))?;
            Ok(people.remove(at))
        })
    }

    /// Gives an account these groups and no others.
    ///
    /// # Errors
    /// If there is no account, or the configuration has its groups.
    pub fn set_groups(
        &self,
        config: &Config,
        name: &str,
        groups: &[String],
    ) -> Result<Account, AccountsError> {
        if let Some(approver) = config.approver(name) {
            return Err(AccountsError::Configured(approver.id.clone()));
        }
        self.change_one(name, |account| {
            account.groups = sorted(groups);
            Ok(account.clone())
        })
    }

    /// Gives an account these roles and no others.
    ///
    /// # Errors
    /// If there is no account.
    pub fn set_roles(&self, name: &str, roles: &[Role]) -> Result<Account, AccountsError> {
        self.change_one(name, |account| {
            account.roles = sorted(roles);
            Ok(account.clone())
        })
    }

    /// Opens a link by which the person sets a password; an older link is void. The password that
    /// is there stays until then.
    ///
    /// # Errors
    /// If there is no account, or no randomness.
    pub fn open_setup(&self, name: &str, now: Timestamp) -> Result<Secret, AccountsError> {
        let secret = random_key(LINK).map_err(|_| AccountsError::Random)?;
        let hash = digest_of(secret.expose().as_bytes());
        self.change_one(name, |account| {
            account.setup = Some(SetUp { hash, expires_at: now.plus(SETUP_VALID) });
            Ok(())
        })?;
        Ok(secret)
    }

    /// Whose a set-up link is, if it is good now.
    ///
    /// # Errors
    /// If it is not.
    pub fn of_setup(&self, secret: &Secret, now: Timestamp) -> Result<ApproverId, AccountsError> {
        let hash = digest_of(secret.expose().as_bytes());
        let good = |account: &&Account| {
            account.setup.as_ref().is_some_and(|it| it.hash == hash && now < it.expires_at)
        };
        let people = self.list()?;
        let account = people.iter().find(good).ok_or(AccountsError::Link)?;
        Ok(account.name.clone())
    }

    /// Sets the password of a set-up link's owner and voids the link. Takes some 20 ms.
    ///
    /// # Errors
    /// If the link is not good, or the password not good enough.
    pub fn finish_setup(
        &self,
        secret: &Secret,
        new: &Secret,
        now: Timestamp,
    ) -> Result<ApproverId, AccountsError> {
        let name = self.of_setup(secret, now)?;
        password::check(new, name.as_str())?;
        let kept = password::hash(new)?;
        let hash = digest_of(secret.expose().as_bytes());
        self.change_one(name.as_str(), |account| {
            // Of two that come at once, one has it.
            if account.setup.take_if(|setup| setup.hash == hash && now < setup.expires_at).is_none()
            {
                return Err(AccountsError::Link);
            }
            account.password = Some(kept);
            account.sessions_from = now;
            Ok(())
        })?;
        Ok(name)
    }

    /// Sets a password and ends the sessions of its owner. Takes some 20 ms.
    ///
    /// # Errors
    /// If there is no account, or the password is not good enough.
    pub fn set_password(
        &self,
        name: &str,
        new: &Secret,
        now: Timestamp,
    ) -> Result<(), AccountsError> {
        password::check(new, name)?;
        let kept = password::hash(new)?;
        self.change_one(name, |account| {
            account.password = Some(kept);
            account.setup = None;
            account.sessions_from = now;
            Ok(())
        })
    }

    /// Takes the second factor away; says whether there was one.
    ///
    /// # Errors
    /// If there is no account.
    pub fn reset_totp(&self, name: &str) -> Result<bool, AccountsError> {
        self.change_one(name, |account| Ok(account.totp.take().is_some()))
    }
}

fn sorted<T: Ord + Clone>(list: &[T]) -> Vec<T> {
    let mut list = list.to_vec();
    list.sort();
    list.dedup();
    list
}
