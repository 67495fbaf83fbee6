//! Not now is not no: a person puts a hold aside for a while. It is theirs alone, and decides nothing.
//!
//! A snooze never outlasts the last quarter of an hour of a hold, so that nothing expires unseen because
//! of it; and a hold that changed is back at once.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Desk, DeskError, Shown, reads};
use crate::clock;
use crate::domain::{ApproverId, HoldId, Timestamp};
use crate::holds::HoldError;
use crate::identity::Person;
use crate::store::Shelf;

/// What is left of a hold when a snooze ends at the latest.
const LEFT: Duration = Duration::from_secs(15 * 60);
/// The longest snooze.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// What people have put aside.
pub(super) struct Snoozes(Shelf);

#[derive(Serialize, Deserialize)]
struct Snooze {
    until: Timestamp,
    version: u64,
}

impl Snoozes {
    pub(super) const fn new(shelf: Shelf) -> Self {
        Self(shelf)
    }

    /// Until when a person does not want to see a hold, which is in this version now.
    pub(super) fn of(
        &self,
        person: &ApproverId,
        (hold, version): (HoldId, u64),
        now: Timestamp,
    ) -> Option<Timestamp> {
        let lies = self.0.get(&key(person, hold)).ok().flatten()?;
        let snooze: Snooze = serde_json::from_slice(&lies).ok()?;
        (now < snooze.until && snooze.version == version).then_some(snooze.until)
    }
}

fn key(person: &ApproverId, hold: HoldId) -> Vec<u8> {
    format!("{hold} {person}").into_bytes()
}

impl Desk {
    /// Puts a hold aside for a span as it was shown, for this person alone; no time at all brings it back.
    ///
    /// # Errors
    /// If this person may not read, there is no such hold, it is another by now, or it expires too soon.
    pub fn snooze(
        &self,
        person: &Person,
        shown: &Shown,
        span: Duration,
    ) -> Result<String, DeskError> {
        reads(person)?;
        let id = shown.id;
        let (hold, now) = (self.hold(id)?, clock::now());
        let failed = |error: crate::store::ShelfError| DeskError::Unavailable(error.to_string());
        let key = key(&person.id, id);
        if span.is_zero() {
            self.snoozes.0.remove(&key).map_err(failed)?;
            return Ok("back in your inbox".to_owned());
        }
        // Nobody puts aside what they have not seen.
        if shown.if_version.is_some_and(|version| version != hold.version) {
            return Err(DeskError::of_hold(&self.gate, id, &HoldError::Moved(id)));
        }
        let until = now.plus(span.min(LONGEST)).min(hold.opened.expires_at.minus(LEFT));
        if until <= now || hold.state.is_final() {
            let text = "it expires too soon to be put aside; decide, or let it wait longer";
            return Err(DeskError::Invalid(text.to_owned()));
        }
        let snooze = Snooze { until, version: hold.version };
        let text = serde_json::to_vec(&snooze).unwrap_or_default();
        self.snoozes.0.put(&key, &text).map_err(failed)?;
        self.snoozes.0.sync().map_err(failed)?;
        Ok(format!("put aside until {until}"))
    }

    /// Forgets what was put aside and is over.
    ///
    /// # Errors
    /// If the database fails.
    pub fn sweep_snoozes(&self) -> Result<(), DeskError> {
        let failed = |error: crate::store::ShelfError| DeskError::Unavailable(error.to_string());
        let now = clock::now();
        for (key, value) in self.snoozes.0.all().map_err(failed)? {
            let snooze: Option<Snooze> = serde_json::from_slice(&value).ok();
            if snooze.is_none_or(|it| it.until <= now) {
                self.snoozes.0.remove(&key).map_err(failed)?;
            }
        }
        Ok(())
    }
}
