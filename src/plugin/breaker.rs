//! Faults in a row: a plugin that keeps failing is not asked for a while.
//!
//! After a few, only one call at a time is tried, so that a plugin that burns its whole deadline
//! cannot take every slot from the others; after more, nobody is for some seconds. Whoever is not
//! tried is denied at once.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// From so many faults on, one call at a time is tried.
const SUSPECT: u32 = 3;

/// When a plugin is not asked any more, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Faults in a row.
    pub faults: u32,
    /// For so long.
    pub pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { faults: 10, pause: Duration::from_secs(5) }
    }
}

/// How a plugin does, for people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Health {
    /// Calls since it was loaded.
    pub calls: u64,
    /// Calls that failed.
    pub faults: u64,
    /// Those that failed since the last good one.
    pub in_a_row: u32,
    /// Whether it is not asked at the moment.
    pub suspended: bool,
}

#[derive(Debug, Default)]
pub(super) struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    health: Health,
    until: Option<Instant>,
    trying: bool,
}

/// A call that may be made. Whoever holds it says how it ended; if nobody does, it failed.
pub(super) struct Pass<'a> {
    breaker: &'a Breaker,
    patience: Patience,
    alone: bool,
    good: bool,
}

impl Breaker {
    /// Whether a call may be made now.
    pub(super) fn pass(&self, patience: Patience) -> Option<Pass<'_>> {
        let mut state = self.state();
        if state.until.is_some_and(|until| Instant::now() < until) {
            return None;
        }
        let alone = state.until.is_some() || state.health.in_a_row >= SUSPECT;
        if alone && state.trying {
            return None;
        }
        state.trying |= alone;
        Some(Pass { breaker: self, patience, alone, good: false })
    }

    pub(super) fn health(&self) -> Health {
        let state = self.state();
        let suspended = state.until.is_some_and(|until| Instant::now() < until);
        Health { suspended, ..state.health }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass<'_> {
    /// The call was answered in order.
    pub(super) fn good(mut self) {
        self.good = true;
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        let mut state = self.breaker.state();
        state.health.calls += 1;
        if self.alone {
            state.trying = false;
        }
        if self.good {
            state.health.in_a_row = 0;
            state.until = None;
            return;
        }
        state.health.faults += 1;
        state.health.in_a_row = state.health.in_a_row.saturating_add(1);
        if state.health.in_a_row >= self.patience.faults {
            state.until = Some(Instant::now() + self.patience.pause);
        }
    }
}
