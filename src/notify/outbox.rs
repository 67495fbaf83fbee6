//! Notices on their way: durable before they are sent, tried again with growing pauses.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::Occasion;
use crate::domain::{HoldId, Timestamp};
use crate::store::{Shelf, ShelfError};

/// Pauses after the first failures; the last goes on until [`ATTEMPTS`].
const PAUSES: [u64; 7] = [5, 30, 2 * 60, 10 * 60, 30 * 60, 60 * 60, 2 * 60 * 60];
/// So many attempts, over some ten hours, and a notice is given up.
const ATTEMPTS: u32 = 10;
/// A part of a pause that is left to chance, so that many do not come back at once.
const JITTER: f64 = 0.2;
/// Characters of a fault that are kept.
const FAULT: usize = 200;

/// Which notice.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct Key {
    pub(super) hold: HoldId,
    pub(super) occasion: Occasion,
    pub(super) channel: String,
}

impl Key {
    pub(super) fn new(hold: HoldId, occasion: Occasion, channel: &str) -> Self {
        Self { hold, occasion, channel: channel.to_owned() }
    }

    /// One text per notice, the same at every attempt.
    pub(super) fn id(&self) -> String {
        format!("{}.{}.{}", self.hold, self.occasion.as_str(), self.channel)
    }
}

/// Where a notice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    Waiting,
    Arrived,
    GivenUp,
}

/// One notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Notice {
    pub(super) state: State,
    pub(super) made_at: Timestamp,
    pub(super) next_at: Timestamp,
    pub(super) attempts: u32,
    /// Why the last attempt failed.
    pub(super) fault: Option<String>,
    /// Where it lies at the channel, if it can be changed there.
    #[serde(default)]
    pub(super) place: Option<String>,
}

impl Notice {
    pub(super) const fn new(now: Timestamp) -> Self {
        Self {
            state: State::Waiting,
            made_at: now,
            next_at: now,
            attempts: 0,
            fault: None,
            place: None,
        }
    }

    pub(super) fn arrived(&self, place: Option<String>) -> Self {
        let attempts = self.attempts + 1;
        Self { state: State::Arrived, attempts, fault: None, place, ..self.clone() }
    }

    pub(super) fn refused(&self, why: &str) -> Self {
        let (attempts, fault) = (self.attempts + 1, Some(why.chars().take(FAULT).collect()));
        Self { state: State::GivenUp, attempts, fault, ..self.clone() }
    }

    /// After a failure: later once more, or never. `chance` is from 0 to 1.
    pub(super) fn failed(&self, why: &str, now: Timestamp, chance: f64) -> Self {
        if self.attempts + 1 >= ATTEMPTS {
            return self.refused(why);
        }
        let step = usize::try_from(self.attempts).unwrap_or(usize::MAX);
        let pause = PAUSES.get(step).or(PAUSES.last()).copied().unwrap_or(60);
        let pause = Duration::from_secs(pause).mul_f64(1.0 + JITTER * (2.0 * chance - 1.0));
        let fault = Some(why.chars().take(FAULT).collect());
        Self { next_at: now.plus(pause), attempts: self.attempts + 1, fault, ..self.clone() }
    }
}

/// All notices: in memory to be looked through every second, on a shelf to outlive the process.
pub(super) struct Outbox {
    shelf: Shelf,
    notices: Mutex<BTreeMap<Key, Notice>>,
}

impl Outbox {
    /// Takes up what lies on the shelf. What cannot be read is not a notice and is left out.
    pub(super) fn open(shelf: Shelf) -> Result<Self, ShelfError> {
        let read = |(key, value): (Vec<u8>, Vec<u8>)| {
            Some((serde_json::from_slice(&key).ok()?, serde_json::from_slice(&value).ok()?))
        };
        let notices = shelf.all()?.into_iter().filter_map(read).collect();
        Ok(Self { shelf, notices: Mutex::new(notices) })
    }

    pub(super) fn state(&self, key: &Key) -> Option<State> {
        self.notices().get(key).map(|notice| notice.state)
    }

    /// Where a notice lies at its channel.
    pub(super) fn place(&self, key: &Key) -> Option<String> {
        self.notices().get(key).and_then(|notice| notice.place.clone())
    }

    /// Whether there is a notice of a hold.
    pub(super) fn knows(&self, hold: HoldId) -> bool {
        let from = Key { hold, occasion: Occasion::Opened, channel: String::new() };
        self.notices().range(from..).next().is_some_and(|(key, _)| key.hold == hold)
    }

    /// Writes a new notice down.
    pub(super) fn add(&self, key: &Key, notice: Notice) -> Result<(), ShelfError> {
        self.put(key, notice)
    }

    /// Writes a notice down as it is now, unless it was dropped meanwhile and has nothing to say.
    pub(super) fn put(&self, key: &Key, notice: Notice) -> Result<(), ShelfError> {
        let name = serde_json::to_vec(key).unwrap_or_default();
        self.shelf.put(&name, &serde_json::to_vec(&notice).unwrap_or_default())?;
        self.notices().insert(key.clone(), notice);
        Ok(())
    }

    /// Drops what does not stay; says whether anything was dropped.
    pub(super) fn keep(&self, stays: impl Fn(&Key, &Notice) -> bool) -> Result<bool, ShelfError> {
        let mut notices = self.notices();
        let gone = notices.iter().filter(|(key, notice)| !stays(key, notice));
        let gone: Vec<Key> = gone.map(|(key, _)| key.clone()).collect();
        for key in &gone {
            self.shelf.remove(&serde_json::to_vec(key).unwrap_or_default())?;
            notices.remove(key);
        }
        Ok(!gone.is_empty())
    }

    /// What is to be sent now, longest due first.
    pub(super) fn due(&self, now: Timestamp) -> Vec<(Key, Notice)> {
        let notices = self.notices();
        let due = notices.iter().filter(|(_, it)| it.state == State::Waiting && it.next_at <= now);
        let mut due: Vec<_> = due.map(|(key, notice)| (key.clone(), notice.clone())).collect();
        due.sort_by_key(|(_, notice)| notice.next_at);
        due
    }

    pub(super) fn sync(&self) -> Result<(), ShelfError> {
        self.shelf.sync()
    }

    fn notices(&self) -> MutexGuard<'_, BTreeMap<Key, Notice>> {
        self.notices.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
