//! The grants in force, and which of their calls are being judged.
//!
//! A grant lives in this process: it ends with it, because an hour of trust is not worth a second look
//! into the log at each start, and ending early asks a person, never lets something through. What a
//! grant let through is recorded before the call is sent. A call that is being judged has its place
//! already, so that calls at once do not share the last one.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use crate::audit::{Log, LogError};
use crate::domain::{
    ApproverId, CallId, Event, Given, Grant, GrantEvent, GrantId, PrincipalId, Timestamp,
};

/// All grants in force.
#[derive(Clone)]
pub struct Grants {
    log: Log,
    map: Arc<Mutex<HashMap<GrantId, Grant>>>,
}

/// A place in a grant, which is given back unless the call went.
#[must_use]
pub struct Place {
    grants: Grants,
    grant: Grant,
    kept: bool,
}

impl Grants {
    /// None yet.
    #[must_use]
    pub fn new(log: Log) -> Self {
        Self { log, map: Arc::default() }
    }

    /// Those in force.
    #[must_use]
    pub fn all(&self, now: Timestamp) -> Vec<Grant> {
        let mut all: Vec<Grant> = self.with(|map| {
            map.retain(|_, grant| now < grant.given.until);
            map.values().cloned().collect()
        });
        all.sort_by_key(|grant| (grant.given.until, grant.id));
        all
    }

    /// Puts a grant in force, durable before it counts.
    ///
    /// # Errors
    /// If it cannot be recorded.
    pub async fn give(&self, id: GrantId, given: Given) -> Result<Grant, LogError> {
        let event = GrantEvent::Given(Box::new(given.clone()));
        let _recorded = self.log.append(Event::Grant { grant: id, event }).await?;
        let grant = Grant { id, given, used: 0 };
        self.with(|map| map.insert(id, grant.clone()));
        Ok(grant)
    }

    /// Takes a grant back: it counts for nothing before this is recorded. Whether there was one.
    ///
    /// # Errors
    /// If it cannot be recorded; it is no longer in force all the same.
    pub async fn revoke(&self, id: GrantId, by: ApproverId) -> Result<bool, LogError> {
        if self.with(|map| map.remove(&id)).is_none() {
            return Ok(false);
        }
        let event = GrantEvent::Revoked { by };
        let _recorded = self.log.append(Event::Grant { grant: id, event }).await?;
        Ok(true)
    }

    /// A place for a call in the grant that ends first of those it fits.
    #[must_use]
    pub fn place(
        &self,
        principal: &PrincipalId,
        tool: &str,
        arguments: &BTreeMap<String, String>,
        now: Timestamp,
    ) -> Option<Place> {
        let grant = self.with(|map| {
            let fitting = map.values_mut().filter(|it| it.fits(principal, tool, arguments, now));
            let first = fitting.min_by_key(|it| (it.given.until, it.id))?;
            first.used += 1;
            Some(first.clone())
        })?;
        Some(Place { grants: self.clone(), grant, kept: false })
    }

    fn with<T>(&self, act: impl FnOnce(&mut HashMap<GrantId, Grant>) -> T) -> T {
        act(&mut self.map.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Place {
    /// The grant, with this call counted.
    #[must_use]
    pub const fn grant(&self) -> &Grant {
        &self.grant
    }

    /// Keeps the place: the call goes because of the grant. Durable before this returns.
    ///
    /// # Errors
    /// If it cannot be recorded, or the grant was taken back meanwhile; the call must not go then.
    pub async fn keep(mut self, call: CallId) -> Result<bool, LogError> {
        let id = self.grant.id;
        if !self.grants.with(|map| map.contains_key(&id)) {
            return Ok(false);
        }
        let event = GrantEvent::Used { call };
        let _recorded = self.grants.log.append(Event::Grant { grant: id, event }).await?;
        self.kept = true;
        Ok(true)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.kept {
            let id = self.grant.id;
            self.grants.with(|map| {
                if let Some(grant) = map.get_mut(&id) {
                    grant.used = grant.used.saturating_sub(1);
                }
            });
        }
    }
}
