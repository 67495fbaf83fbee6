//! One hold in the view: its fold, its lock, and its end by a clock that nobody sets.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::clock;
use crate::domain::{Hold, HoldEvent, HoldId, HoldState, Timestamp};

/// One hold in the view.
pub(super) struct Entry {
    /// Held while a step is checked and recorded, so that steps of one hold never overlap.
    pub(super) step: tokio::sync::Mutex<()>,
    pub(super) state: watch::Sender<Hold>,
    /// Its ends by the monotonic clock, so that a wall clock set back cannot prolong anything.
    ends: Mutex<Ends>,
}

/// Longer than any process runs.
const FAR: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// When a hold ends by itself, by the monotonic clock.
#[derive(Clone, Copy)]
struct Ends {
    /// While it waits for people.
    wait: Instant,
    /// Once it was released, if that ends.
    valid: Option<Instant>,
}

impl Ends {
    fn of(hold: &Hold, now: Timestamp) -> Self {
        // What ends beyond any clock does not end here.
        let at = |end: Timestamp| {
            let now_here = Instant::now();
            now_here.checked_add(end.since(now)).unwrap_or(now_here + FAR)
        };
        Self { wait: at(hold.opened.expires_at), valid: hold.valid_until.map(at) }
    }
}

impl Entry {
    pub(super) fn new(hold: Hold, now: Timestamp) -> Self {
        let ends = Mutex::new(Ends::of(&hold, now));
        Self { step: tokio::sync::Mutex::new(()), state: watch::Sender::new(hold), ends }
    }

    /// Shows the hold as it is after a step that is recorded.
    pub(super) fn show(&self, next: Hold, now: Timestamp) {
        {
            // Each end moves by itself: a wait must not begin anew because a release did.
            let before = self.state.borrow();
            let moved = Ends::of(&next, now);
            let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
            if before.opened.expires_at != next.opened.expires_at {
                ends.wait = moved.wait;
            }
            if before.valid_until != next.valid_until {
                ends.valid = moved.valid;
            }
        }
        self.state.send_replace(next);
    }

    /// The time that decides about this hold: the wall clock's, or the end that the monotonic clock
    /// has already passed: of the wait, or of a release.
    pub(super) fn time(&self, hold: &Hold) -> Timestamp {
        let now = clock::now();
        let ends = *self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = |end: Instant| Instant::now() >= end;
        if hold.state.is_undecided() {
            return if passed(ends.wait) { now.max(hold.opened.expires_at) } else { now };
        }
        match hold.valid_until {
            Some(until) if ends.valid.is_some_and(passed) => now.max(until),
            _ => now,
        }
    }

    /// What is due by the clock.
    pub(super) fn due(&self, is_orphan: impl Fn(HoldId) -> bool) -> Option<(HoldId, HoldEvent)> {
        let hold = self.state.borrow();
        let now = self.time(&hold);
        let event = match hold.state {
            HoldState::Pending | HoldState::Stale if now >= hold.opened.expires_at => {
                HoldEvent::Expired
            }
            HoldState::Approved | HoldState::Claimed
                if hold.valid_until.is_some_and(|until| now >= until)
                    && (hold.state == HoldState::Approved || is_orphan(hold.id)) =>
            {
                HoldEvent::Lapsed
            }
            _ => return None,
        };
        Some((hold.id, event))
    }
}
