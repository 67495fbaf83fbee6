//! Grants: calls like one that waited go through for a while.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::commands::named;
use super::history::unreadable;
use super::{Decided, Desk, DeskError, Shown, decides, reads, restrains};
use crate::clock;
use crate::domain::{Grant, GrantId, Hold, HoldId};
use crate::gate::{Granting, Term};
use crate::identity::Person;

/// Days of which held calls are counted for an offer.
const DAYS: u64 = 30;
/// The most held calls that are looked at for one, the newest: each is read from the log.
const LOOKED_AT: usize = 100;

/// A grant that could be given on a hold, and what it would have let through.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Offer {
    /// The fields that may be conditions.
    pub terms: Vec<OfferTerm>,
    /// How many held calls of this agent and tool would have matched, but for this one.
    pub matched: usize,
    /// Of how many, the newest.
    pub of: usize,
    /// How many there were.
    pub total: usize,
    /// In how many days.
    pub days: u64,
}

/// A field that may be a condition.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OfferTerm {
    /// Its name.
    pub name: String,
    /// Its value in the held call, as JSON.
    pub value: String,
    /// Whether it is a condition in any case: it says which object.
    pub fixed: bool,
    /// Whether it is one now.
    pub chosen: bool,
    /// How many of the held calls have the same value.
    pub same: usize,
}

impl Desk {
    /// What a grant on a hold could be, with these fields as conditions (a choice, if absent);
    /// `None` if nobody may give one on it.
    ///
    /// # Errors
    /// If this person may not read, there is no such hold, or the log cannot be read.
    pub async fn offer(
        self: &Arc<Self>,
        person: &Person,
        id: HoldId,
        fields: Option<&[String]>,
    ) -> Result<Option<Offer>, DeskError> {
        reads(person)?;
        let hold = self.hold(id)?;
        let Some(terms) = self.gate.grant_terms(&hold) else { return Ok(None) };
        let desk = self.clone();
        let held = tokio::task::spawn_blocking(move || desk.held_like(&hold));
        let (held, total) = unreadable(held.await)?;
        let has = |call: &BTreeMap<String, String>, term: &Term| {
            call.get(&term.name) == Some(&term.value)
        };
        let same = |term: &Term| held.iter().filter(|call| has(call, term)).count();
        // Where nobody chose yet: what calls of late have in common, or all but the title.
        let chosen = |term: &Term| match fields {
            _ if term.fixed => true,
            Some(fields) => fields.contains(&term.name),
            None if held.iter().all(BTreeMap::is_empty) => term.name != "title",
            None => same(term) > 0,
        };
        let matches = |call: &&BTreeMap<String, String>| {
            terms.iter().filter(|term| chosen(term)).all(|term| has(call, term))
        };
        let offered = terms.iter().map(|term| OfferTerm {
            same: same(term),
            chosen: chosen(term),
            name: term.name.clone(),
            value: term.value.clone(),
            fixed: term.fixed,
        });
        let (offered, matched) = (offered.collect(), held.iter().filter(matches).count());
        let of = held.len();
        Ok(Some(Offer { terms: offered, matched, of, total, days: DAYS }))
    }

    /// The arguments of the newest calls of the same agent and tool that were held lately, none of a call that
    /// cannot be opened any more; and how many such calls there were.
    fn held_like(
        &self,
        hold: &Hold,
    ) -> Result<(Vec<BTreeMap<String, String>>, usize), crate::audit::ReadError> {
        let since = clock::now().minus(Duration::from_secs(DAYS * 24 * 60 * 60));
        let (principal, tool) = (&hold.binding().principal, &hold.binding().tool);
        let like = |other: &Hold| {
            other.id != hold.id
                && other.opened_at >= since
                && other.binding().principal == *principal
                && other.binding().tool == *tool
        };
        let found = self.archive.find(like, 0, LOOKED_AT)?;
        let (mut calls, mut reader) = (Vec::new(), self.archive.reader());
        for past in found.holds {
            let whole = past.whole(&mut reader)?;
            let arguments = whole.and_then(|whole| self.gate.stored_arguments(&whole));
            calls.push(arguments.unwrap_or_default());
        }
        Ok((calls, found.total))
    }

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

    /// Whether this person may take grants back.
    #[must_use]
    pub fn may_revoke_grants(&self, person: &Person) -> bool {
        restrains(person).is_ok()
    }

    /// Takes a grant back at once. Any approver may, and any admin: it only makes things stricter.
    ///
    /// # Errors
    /// If this person may not, there is no such grant, or it cannot be recorded.
    pub async fn revoke_grant(&self, person: &Person, id: GrantId) -> Result<String, DeskError> {
        restrains(person)?;
        let revoked = self.gate.grants().revoke(id, person.id.clone()).await;
        match revoked.map_err(|error| DeskError::Unavailable(error.to_string()))? {
            true => Ok(format!("{id}: taken back by {}", person.id)),
            false => Err(DeskError::Invalid(format!("there is no grant `{id}` in force"))),
        }
    }
}
