//! Grants: calls like one that waited go through for a while.

use std::sync::Arc;

use super::commands::named;
use super::{Decided, Desk, DeskError, Shown, decides, reads};
use crate::clock;
use crate::domain::{Grant, GrantId, Role};
use crate::gate::Granting;
use crate::identity::{Person, Scope};

impl Desk {
    /// Releases a hold and lets calls like it through for a while, where rules say `grantable`.
    ///
    /// # Errors
    /// As [`Desk::approve`], and if what is named is no grant.
    pub async fn grant(
        self: &Arc<Self>,
        person: &Person,
        shown: &Shown,
        granting: &Granting,
    ) -> Result<Decided, DeskError> {
        let what = format!("{} {} {:?}", granting.calls, granting.minutes, granting.fields);
        let what = named("grant", shown, &what);
        let wish = Box::pin(async {
            decides(person)?;
            let ask = self.releasing(person, shown).await;
            let granted = self.gate.grant(&ask, granting).await;
            let told = |error| DeskError::of(&self.gate, shown.id, error);
            let (hold, grant) = granted.map_err(told)?;
            let decided = self.approved(person, hold).await;
            let words = format!(
                "{}; {} lets {} more calls through until {}",
                decided.words, grant.id, grant.given.calls, grant.given.until
            );
            Ok(Decided { words, ..decided })
        });
        self.once.run(&person.id, shown.key.as_deref(), what, wish).await
    }

    /// The grants in force, that ends first first.
    ///
    /// # Errors
    /// If this person may not read.
    pub fn grants(&self, person: &Person) -> Result<Vec<Grant>, DeskError> {
        reads(person)?;
        Ok(self.gate.grants().all(clock::now()))
    }

    /// Takes a grant back at once. Any approver may, and any admin: it only makes things stricter.
    ///
    /// # Errors
    /// If this person may not, there is no such grant, or it cannot be recorded.
    pub async fn revoke_grant(&self, person: &Person, id: GrantId) -> Result<String, DeskError> {
        if !person.may(Scope::HoldsDecide) {
            return Err(DeskError::scope(Scope::HoldsDecide));
        }
        if !person.is(Role::Approver) && !person.is(Role::Admin) {
            return Err(DeskError::role("approver or admin"));
        }
        let revoked = self.gate.grants().revoke(id, person.id.clone()).await;
        match revoked.map_err(|error| DeskError::Unavailable(error.to_string()))? {
            true => Ok(format!("{id}: taken back by {}", person.id)),
            false => Err(DeskError::Invalid(format!("there is no grant `{id}` in force"))),
        }
    }
}
