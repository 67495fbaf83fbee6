//! Credentials of approvers: people who may release a hold.

use std::collections::HashMap;
use std::sync::Arc;

use super::key_file::{Holder as _, KeyFile, KeysError, digest_of, has_key_form};
use super::key_table::KeyTable;
use super::person::{Person, Via};
use crate::config::Config;
use crate::domain::{Approver, ApproverId, Role, Timestamp};

/// Who may release holds, by key.
pub struct People {
    approvers: HashMap<ApproverId, Arc<Approver>>,
    keys: KeyTable<ApproverId>,
}

impl People {
    /// Opens the approvers' keys of a configuration's data folder.
    ///
    /// # Errors
    /// If the key file is there but is not private, or is not a key file.
    pub fn open(config: &Config) -> Result<Self, KeysError> {
        let approvers = config
            .approvers
            .iter()
            .map(|approver| (approver.id.clone(), approver.clone()))
            .collect();
        Ok(Self { approvers, keys: KeyTable::open(KeyFile::of(&config.data))? })
    }

    /// The person behind an approver's key; `None` for any key that is not good now, whatever the
    /// reason. Who is configured as an approver has that role and no other.
    #[must_use]
    pub fn by_key(&self, key: &[u8], now: Timestamp) -> Option<Person> {
        if !has_key_form(key, ApproverId::PREFIX) {
            return None;
        }
        let name = self.keys.find(&digest_of(key), now).ok()?;
        let approver = self.approvers.get(&name)?;
        Some(Person::proven(approver, &[Role::Approver], Via::Key, now))
    }

    /// Reads the key file again if it changed; says whether it did. To be called every second.
    ///
    /// # Errors
    /// If the file cannot be trusted any more. No key works until it can.
    pub fn reload(&self) -> Result<bool, KeysError> {
        self.keys.reload()
    }
}
