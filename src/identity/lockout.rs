//! Guessing has a price: who fails too often waits, longer each time.
//!
//! An attempt counts as failed from its beginning and is forgiven when it succeeds, so that many at
//! once are not all let in before the first has failed. Names that do not exist are counted like
//! others. Kept in memory: an attacker cannot restart Portcullis, and whoever can needs no guesses.
//! The price of this choice: somebody who knows a name can keep it from signing in; sessions that
//! are open, and keys of the command line, go on.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::domain::Timestamp;

/// Failures in a row that cost nothing: people mistype.
const FREE: u32 = 5;
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// Failures are forgotten after so long without one.
const FORGET: Duration = Duration::from_secs(60 * 60);
/// Names that are remembered.
const NAMES: usize = 10_000;

/// Failures by name. The name is anything that guesses are counted for.
#[derive(Debug, Default)]
pub(super) struct Lockout {
    failures: Mutex<HashMap<String, Failures>>,
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Timestamp,
}

impl Failures {
    /// Until when nobody may try.
    fn until(self) -> Timestamp {
        let Some(over) = self.count.checked_sub(FREE) else { return self.last };
        let wait = Duration::from_secs(2u64.saturating_pow(over.min(16)));
        self.last.plus(wait.min(LONGEST))
    }
}

impl Lockout {
    /// Begins an attempt, which counts as failed until [`Lockout::forgive`]; or says how long to
    /// wait.
    pub(super) fn attempt(&self, name: &str, now: Timestamp) -> Result<(), Duration> {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = |failures: &Failures| now.since(failures.last) < FORGET;
        let known = failures.get(name).copied().filter(recent);
        let until = known.map_or(now, Failures::until);
        if until > now {
            return Err(until.since(now));
        }
        if failures.len() >= NAMES && !failures.contains_key(name) {
            // The one that failed least recently makes room.
            let oldest = failures.iter().min_by_key(|(_, failures)| failures.last);
            if let Some(oldest) = oldest.map(|(name, _)| name.clone()) {
                failures.remove(&oldest);
            }
        }
        let count = known.map_or(0, |failures| failures.count).saturating_add(1);
        failures.insert(name.to_owned(), Failures { count, last: now });
        Ok(())
    }

    /// Whether nobody may try under a name at the moment.
    pub(super) fn waits(&self, name: &str, now: Timestamp) -> bool {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.get(name).is_some_and(|failures| failures.until() > now)
    }

    /// The attempt succeeded.
    pub(super) fn forgive(&self, name: &str) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    #[test]
    fn the_wait_grows_with_every_failure_and_ends() {
        let lockout = Lockout::default();
        for _ in 0..FREE {
            assert_eq!(lockout.attempt("jane", NOW), Ok(()));
        }
        let mut now = NOW;
        let mut waits = Vec::new();
        for _ in 0..14 {
            let wait = lockout.attempt("jane", now).unwrap_err();
            waits.push(wait.as_secs());
            // A moment too early is too early; refused attempts do not count.
            assert!(lockout.attempt("jane", now.plus(wait - Duration::from_millis(1))).is_err());
            now = now.plus(wait);
            assert_eq!(lockout.attempt("jane", now), Ok(()));
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900]);
        assert_eq!(lockout.attempt("bob", now), Ok(()), "others are not affected");
        assert!(lockout.attempt("jane", now).is_err());
        assert_eq!(lockout.attempt("jane", now.plus(FORGET)), Ok(()));
    }

    #[test]
    fn success_forgives() {
        let lockout = Lockout::default();
        for _ in 0..100 {
            assert_eq!(lockout.attempt("jane", NOW), Ok(()));
            lockout.forgive("jane");
        }
    }

    #[test]
    fn many_names_do_not_fill_the_memory() {
        let lockout = Lockout::default();
        for number in 0..NAMES + 100 {
            let now = NOW.plus(Duration::from_millis(number as u64));
            assert_eq!(lockout.attempt(&number.to_string(), now), Ok(()));
        }
        assert_eq!(lockout.failures.lock().unwrap().len(), NAMES);
    }
}
