//! The grants in force, and which of their calls are being judged.
//!
//! The log's records of grants are the truth; this map is their fold, rebuilt at start, so that a grant
//! and what is used of it outlive the process. Whatever is unclear ends a grant and asks a person: one
//! from a time to come, one that is longer or larger than a grant may be. It ends by the wall clock or
//! by the monotonic one, whichever is first. What a grant let through is recorded before the call is
//! sent. A call that is being judged has its place already, so that calls at once do not share the last
//! one.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::audit::{Log, LogError};
use crate::domain::{
    ApproverId, CallId, Event, GRANT_CALLS, GRANT_SPAN, Given, Grant, GrantEvent, GrantId,
    PrincipalId, Timestamp,
};
use crate::store::GrantRecord;

/// All grants in force.
#[derive(Clone)]
pub struct Grants {
    log: Log,
    map: Arc<Mutex<HashMap<GrantId, Held>>>,
}

/// A grant in the map.
struct Held {
    grant: Grant,
    /// When it ends by the monotonic clock, so that a wall clock set back cannot prolong it.
    ends: Instant,
    /// It was taken back, which is not recorded yet: it lets nothing through.
    ended: bool,
}

/// A place in a grant, which is given back unless the call went.
#[must_use]
pub struct Place {
    grants: Grants,
    grant: Grant,
    kept: bool,
}

impl Held {
    fn new(grant: Grant, now: Timestamp) -> Self {
        let ends = Instant::now() + grant.given.until.since(now);
        Self { grant, ends, ended: false }
    }

    fn is_over(&self, now: Timestamp) -> bool {
        now >= self.grant.given.until || Instant::now() >= self.ends
    }
}

impl Grants {
    /// Rebuilds those in force from the log's records, oldest first.
    #[must_use]
    pub fn replay(
        log: Log,
        records: impl IntoIterator<Item = GrantRecord>,
        now: Timestamp,
    ) -> Self {
        let mut folded: HashMap<GrantId, Grant> = HashMap::new();
        for (id, at, event) in records {
            match event {
                GrantEvent::Given(given) => {
                    let bounded = at <= now
                        && now < given.until
                        && given.until <= at.plus(GRANT_SPAN)
                        && given.calls <= GRANT_CALLS;
                    if bounded {
                        folded.insert(id, Grant { id, given: *given, used: 0 });
                    }
                }
                GrantEvent::Used { .. } => {
                    if let Some(grant) = folded.get_mut(&id) {
                        grant.used = grant.used.saturating_add(1);
                    }
                }
                GrantEvent::Revoked { .. } => {
                    folded.remove(&id);
                }
            }
        }
        let map = folded.into_iter().map(|(id, grant)| (id, Held::new(grant, now)));
        Self { log, map: Arc::new(Mutex::new(map.collect())) }
    }

    /// Those in force.
    #[must_use]
    pub fn all(&self, now: Timestamp) -> Vec<Grant> {
        let mut all: Vec<Grant> = self.with(|map| {
            map.retain(|_, held| !held.is_over(now));
            map.values().map(|held| held.grant.clone()).collect()
        });
        all.sort_by_key(|grant| (grant.given.until, grant.id));
        all
    }

    /// Puts a grant in force, durable before it counts. It lasts for a span from the moment at which it
    /// is recorded.
    ///
    /// # Errors
    /// If it cannot be recorded.
    pub async fn give(&self, id: GrantId, given: Given, now: Timestamp) -> Result<Grant, LogError> {
        let event = GrantEvent::Given(Box::new(given.clone()));
        let _recorded = self.log.append_at(Event::Grant { grant: id, event }, now).await?;
        let grant = Grant { id, given, used: 0 };
        self.with(|map| map.insert(id, Held::new(grant.clone(), now)));
        Ok(grant)
    }

    /// Takes a grant back: it lets nothing through before this is recorded. Whether there was one.
    ///
    /// # Errors
    /// If it cannot be recorded. It lets nothing through as long as this process runs, and can be taken
    /// back again.
    pub async fn revoke(&self, id: GrantId, by: ApproverId) -> Result<bool, LogError> {
        let found = self.with(|map| map.get_mut(&id).map(|held| held.ended = true));
        if found.is_none() {
            return Ok(false);
        }
        let event = GrantEvent::Revoked { by };
        let _recorded = self.log.append(Event::Grant { grant: id, event }).await?;
        self.with(|map| map.remove(&id));
        Ok(true)
    }

    /// Whether a call fits a grant in force, as far as that is known; it takes no place.
    #[must_use]
    pub fn fits(
        &self,
        principal: &PrincipalId,
        tool: &str,
        arguments: &BTreeMap<String, String>,
        now: Timestamp,
    ) -> bool {
        self.with(|map| {
            let mut in_force = map.values().filter(|held| !held.ended && !held.is_over(now));
            in_force.any(|held| held.grant.fits(principal, tool, arguments, now))
        })
    }

    /// A place for a call in the grant that ends first of those it fits and that `counts`.
    #[must_use]
    pub fn place(
        &self,
        principal: &PrincipalId,
        tool: &str,
        arguments: &BTreeMap<String, String>,
        now: Timestamp,
        counts: impl Fn(&Given) -> bool,
    ) -> Option<Place> {
        let grant = self.with(|map| {
            let in_force = map.values_mut().filter(|held| !held.ended && !held.is_over(now));
            let fitting = in_force.map(|held| &mut held.grant);
            let fitting =
                fitting.filter(|it| it.fits(principal, tool, arguments, now) && counts(&it.given));
            let first = fitting.min_by_key(|it| (it.given.until, it.id))?;
            first.used += 1;
            Some(first.clone())
        })?;
        Some(Place { grants: self.clone(), grant, kept: false })
    }

    fn with<T>(&self, act: impl FnOnce(&mut HashMap<GrantId, Held>) -> T) -> T {
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
        if !self.grants.with(|map| map.get(&id).is_some_and(|held| !held.ended)) {
            return Ok(false);
        }
        let event = GrantEvent::Used { call };
        let _recorded = self.grants.log.append(Event::Grant { grant: id, event }).await?;
        self.kept = true;
        // Whoever took it back meanwhile was told that it lets nothing through any more.
        Ok(self.grants.with(|map| map.get(&id).is_some_and(|held| !held.ended)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.kept {
            let id = self.grant.id;
            self.grants.with(|map| {
                if let Some(held) = map.get_mut(&id) {
                    held.grant.used = held.grant.used.saturating_sub(1);
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::HoldId;
    use crate::holds::tests::log_file;
    use crate::store::{Options, Store};

    fn given(until: Timestamp, calls: u32) -> Given {
        Given {
            principal: "bot".parse().unwrap(),
            tool: "create_article".to_owned(),
            only: BTreeMap::new(),
            calls,
            until,
            by: "ann".parse().unwrap(),
            groups: Vec::new(),
            hold: HoldId::from_random(1),
        }
    }

    fn back(store: &Store, now: Timestamp) -> Grants {
        let since = Timestamp::from_millis(now.millis() - 3_600_000);
        Grants::replay(store.log(), store.grant_events(since).unwrap(), now)
    }

    fn place_of(grants: &Grants, now: Timestamp, counts: fn(&Given) -> bool) -> Option<Place> {
        grants.place(&"bot".parse().unwrap(), "create_article", &BTreeMap::new(), now, counts)
    }

    #[tokio::test]
    async fn one_that_does_not_count_is_passed_over_and_one_taken_back_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(&folder.path().join("data"), &Options::default()).unwrap();
        let now = crate::clock::now();
        let later = |minutes: u64| now.plus(Duration::from_secs(minutes * 60));
        let grants = back(&store, now);
        let ids: Vec<GrantId> = (0..2).map(GrantId::from_random).collect();
        grants.give(ids[0], given(later(5), 3), now).await.unwrap();
        grants.give(ids[1], given(later(30), 2), now).await.unwrap();
        let other = place_of(&grants, now, |given| given.calls == 2).unwrap();
        assert_eq!(other.grant().id, ids[1], "the first to end does not count");
        assert!(place_of(&grants, now, |_| false).is_none());
        let first = place_of(&grants, now, |_| true).unwrap();
        assert_eq!(first.grant().id, ids[0]);
        assert!(grants.revoke(ids[0], "ann".parse().unwrap()).await.unwrap());
        assert!(!first.keep(CallId(uuid::Uuid::nil())).await.unwrap());
    }

    #[tokio::test]
    async fn what_is_left_of_a_grant_outlives_the_process_and_nothing_more_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        let (store, _) = Store::open(&path, &Options::default()).unwrap();
        let now = crate::clock::now();
        let later = |minutes: u64| now.plus(Duration::from_secs(minutes * 60));
        let grants = back(&store, now);
        let ids: Vec<GrantId> = (0..5).map(GrantId::from_random).collect();
        for (id, until, calls) in [
            (0, later(30), 3),
            (1, later(30), 3),
            // Longer and larger than a grant may be: another hand wrote these.
            (2, later(90), 3),
            (3, later(30), 21),
        ] {
            grants.give(ids[id], given(until, calls), now).await.unwrap();
        }
        // From a time to come: the clock was set back since.
        grants.give(ids[4], given(later(70), 3), later(20)).await.unwrap();
        let place = |grants: &Grants| place_of(grants, now, |_| true);
        let call = CallId(uuid::Uuid::nil());
        assert!(place(&grants).unwrap().keep(call).await.unwrap());
        // One that was judged and did not go is not used.
        drop(place(&grants).unwrap());
        assert!(grants.revoke(ids[1], "ann".parse().unwrap()).await.unwrap());
        assert!(!grants.revoke(ids[1], "ann".parse().unwrap()).await.unwrap());
        drop((grants, store));
        let (store, _) = Store::open(&path, &Options::default()).unwrap();
        let grants = back(&store, now);
        let all = grants.all(now);
        assert_eq!(all.iter().map(|it| (it.id, it.left())).collect::<Vec<_>>(), [(ids[0], 2)]);
        for _ in 0..2 {
            assert!(place(&grants).unwrap().keep(call).await.unwrap());
        }
        assert!(place(&grants).is_none());
        assert!(back(&store, now).all(now).first().is_some_and(|it| it.left() == 0));
        assert!(back(&store, later(31)).all(later(31)).iter().all(|it| it.id != ids[0]));
        // A record that was changed afterwards stops the start.
        drop((grants, store));
        let file = log_file(&path);
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text.replacen("\"calls\":3", "\"calls\":9", 1)).unwrap();
        let (store, _) = Store::open(&path, &Options::default()).unwrap();
        let error = store.grant_events(Timestamp::default()).unwrap_err();
        assert!(error.to_string().contains("near the record of a grant"), "{error}");
    }
}
