//! People whom only the organisation's identity provider knows: what it said of each of them last.
//!
//! Their rights while they act come with their session. What they decided counts for longer: a release
//! until the call is sent, a grant until it ends, and both only as long as whoever gave it may still do
//! so. So what the provider says at a sign-in is kept and replaced at the next one; with somebody whom
//! it names in no group of ours any more, it is forgotten. It counts for thirty days: of somebody who has
//! not come back for so long nobody can say who they are by now.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::sessions::Told;
use crate::domain::{ApproverId, Timestamp};
use crate::store::{Shelf, ShelfError};

/// How long what was said counts.
const COUNTS: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What is known of them.
#[derive(Debug)]
pub struct Guests(Shelf);

#[derive(Serialize, Deserialize)]
struct Said {
    told: Told,
    at: Timestamp,
}

impl Guests {
    /// Those of a shelf.
    #[must_use]
    pub const fn new(shelf: Shelf) -> Self {
        Self(shelf)
    }

    /// Keeps what was said of somebody, in place of what was said before; durable.
    pub(super) fn keep(
        &self,
        name: &ApproverId,
        told: &Told,
        now: Timestamp,
    ) -> Result<(), ShelfError> {
        let said = Said { told: told.clone(), at: now };
        let Ok(said) = serde_json::to_vec(&said) else { return Ok(()) };
        self.0.put(name.as_str().as_bytes(), &said)?;
        self.0.sync()
    }

    /// Nothing counts any more that was said of somebody; durable.
    pub(super) fn forget(&self, name: &ApproverId) -> Result<(), ShelfError> {
        if self.0.remove(name.as_str().as_bytes())? {
            self.0.sync()?;
        }
        Ok(())
    }

    /// What was said of somebody, if it counts. A database that fails knows nobody.
    pub(super) fn told(&self, name: &ApproverId, now: Timestamp) -> Option<Told> {
        let bytes = self.0.get(name.as_str().as_bytes()).ok()??;
        let said: Said = serde_json::from_slice(&bytes).ok()?;
        (now.since(said.at) < COUNTS).then_some(said.told)
    }
}
