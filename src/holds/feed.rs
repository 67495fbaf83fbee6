//! Who wants to know when a hold changed: a broadcast, and the last changes for those who lost it.
//!
//! A change says which hold and which version, never what; whoever hears of it reads the hold with
//! rights of their own. Numbers rise over restarts as well, because they begin at the time of the
//! start; a number of an earlier life is answered by "look at everything again".

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use tokio::sync::broadcast;

use crate::clock;
use crate::domain::{Hold, HoldId, HoldState};

/// How many changes a listener may lie behind, and how many are kept for those who come back.
const KEPT: usize = 1_024;

/// A hold changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The number of the change; rises by one.
    pub id: u64,
    /// Which hold.
    pub hold: HoldId,
    /// Its version now.
    pub version: u64,
    /// Where it stands now.
    pub state: HoldState,
}

/// All changes, as they happen.
pub(super) struct Feed {
    sender: broadcast::Sender<Change>,
    last: Mutex<Last>,
}

struct Last {
    next: u64,
    kept: VecDeque<Change>,
}

impl Feed {
    pub(super) fn new() -> Self {
        let start = u64::try_from(clock::now().millis()).unwrap_or_default();
        // A thousand changes in each millisecond would be more than a disk can record.
        let last = Last { next: start.saturating_mul(1_000), kept: VecDeque::new() };
        Self { sender: broadcast::Sender::new(KEPT), last: Mutex::new(last) }
    }

    pub(super) fn tell(&self, hold: &Hold) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (id, version, state) = (last.next, hold.version, hold.state);
        let change = Change { id, hold: hold.id, version, state };
        last.next += 1;
        if last.kept.len() == KEPT {
            last.kept.pop_front();
        }
        last.kept.push_back(change);
        // Nobody listening is no error.
        let _ = self.sender.send(change);
    }

    /// The number of the last change so far.
    pub(super) fn last(&self) -> u64 {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).next.saturating_sub(1)
    }

    /// What comes from now on, and what came after the change numbered `after`; `None` if that is
    /// too long ago, or was before the start.
    pub(super) fn since(
        &self,
        after: Option<u64>,
    ) -> (broadcast::Receiver<Change>, Option<Vec<Change>>) {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let missed = match after {
            None => Some(Vec::new()),
            Some(after) if after + 1 == last.next => Some(Vec::new()),
            Some(after) => {
                let known = last.kept.front().is_some_and(|first| first.id <= after + 1);
                let missed = last.kept.iter().filter(|change| change.id > after);
                (known && after < last.next).then(|| missed.copied().collect())
            }
        };
        (self.sender.subscribe(), missed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(feed: &Feed, after: u64) -> Option<Vec<u64>> {
        feed.since(Some(after)).1.map(|all| all.iter().map(|change| change.id).collect())
    }

    #[test]
    fn whoever_comes_back_hears_what_was_missed_or_that_it_was_too_much() {
        let feed = Feed::new();
        let first = feed.last.lock().unwrap().next;
        assert_eq!(changes(&feed, first - 1), Some(vec![]), "nothing happened yet");
        assert_eq!(changes(&feed, 7), None, "another life");
        let hold = crate::holds::tests::any_hold();
        for _ in 0..3 {
            feed.tell(&hold);
        }
        assert_eq!(changes(&feed, first), Some(vec![first + 1, first + 2]));
        assert_eq!(changes(&feed, first + 2), Some(vec![]));
        assert_eq!(changes(&feed, first + 99), None, "nobody was told of that one");
        for _ in 0..KEPT {
            feed.tell(&hold);
        }
        assert_eq!(changes(&feed, first), None);
        assert_eq!(feed.since(None).1, Some(vec![]));
    }
}
