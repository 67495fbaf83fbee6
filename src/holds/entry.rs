//! One hold in the view: its fold, its lock, and its end by a clock that nobody sets.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::watch;

use crate::clock;
use crate::domain::{Hold, HoldEvent, HoldId, HoldState, Timestamp};

/// One hold in the view.
pub(super) struct Entry {
    /// Held while a step is checked and recorded, so that steps of one hold never overlap.
    pub(super) step: tokio::sync::Mutex<()>,
    pub(super) state: watch::Sender<Hold>,
    /// When it expires by the monotonic clock, so that a wall clock set back cannot prolong it.
    deadline: Mutex<Instant>,
}

impl Entry {
    pub(super) fn new(hold: Hold, now: Timestamp) -> Self {
        let deadline = Mutex::new(Instant::now() + hold.opened.expires_at.since(now));
        Self { step: tokio::sync::Mutex::new(()), state: watch::Sender::new(hold), deadline }
    }

    /// Shows the hold as it is after a step that is recorded.
    pub(super) fn show(&self, next: Hold, now: Timestamp) {
        if self.state.borrow().opened.expires_at != next.opened.expires_at {
            let until = Instant::now() + next.opened.expires_at.since(now);
            *self.deadline.lock().unwrap_or_else(PoisonError::into_inner) = until;
        }
        self.state.send_replace(next);
    }

    /// The time that decides about this hold: the wall clock's, or the expiry if the monotonic
    /// clock has already passed it.
    pub(super) fn time(&self, hold: &Hold) -> Timestamp {
        let now = clock::now();
        let deadline = *self.deadline.lock().unwrap_or_else(PoisonError::into_inner);
        let undecided = hold.state.is_undecided();
        if undecided && Instant::now() >= deadline { now.max(hold.opened.expires_at) } else { now }
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
