//! Counting over a sliding window, in buckets.
//!
//! A window is as many whole buckets as it is long, and the one that has just begun: it never covers
//! less than its length, and one bucket more at most, so that whatever is unclear about an edge makes
//! a budget smaller. What is added late goes into the bucket of its time; the sum does not depend on
//! the order. Memory is bounded by the number of buckets.

use std::collections::VecDeque;

use crate::domain::{Thing, Totals};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    Calls,
    Denials,
    Writes,
    Probes,
    Rows,
    Bytes,
    Things(Thing),
}

impl Count {
    pub(super) const fn of(self, totals: &mut Totals) -> &mut u64 {
        match self {
            Self::Calls => &mut totals.calls,
            Self::Denials => &mut totals.denials,
            Self::Writes => &mut totals.writes,
            Self::Probes => &mut totals.probes,
            Self::Rows => &mut totals.rows,
            Self::Bytes => &mut totals.bytes,
            Self::Things(thing) => totals.of(thing),
        }
    }
}

/// One window's sums.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Window {
    /// Milliseconds of a bucket.
    width: i64,
    /// Whole buckets of the window.
    length: i64,
    /// The buckets with something in them, oldest first.
    buckets: VecDeque<(i64, Totals)>,
}

impl Window {
    /// A window of `length` buckets of `width` milliseconds.
    pub(super) const fn new(width: i64, length: i64) -> Self {
        Self { width, length, buckets: VecDeque::new() }
    }

    /// The bucket of a time.
    pub(super) const fn bucket(&self, at: i64) -> i64 {
        at.div_euclid(self.width)
    }

    /// Whether what was at `at` still counts at `now`.
    pub(super) const fn covers(&self, at: i64, now: i64) -> bool {
        self.bucket(at) >= self.oldest(now)
    }

    pub(super) fn add(&mut self, at: i64, count: Count, number: u64) {
        if number == 0 {
            return;
        }
        let bucket = self.bucket(at);
        let place = match self.buckets.back() {
            Some((last, _)) if *last == bucket => self.buckets.len() - 1,
            Some((last, _)) if *last > bucket => {
                match self.buckets.binary_search_by_key(&bucket, |(bucket, _)| *bucket) {
                    Ok(place) => place,
                    Err(place) => {
                        self.buckets.insert(place, (bucket, Totals::default()));
                        place
                    }
                }
            }
            _ => {
                self.buckets.push_back((bucket, Totals::default()));
                self.buckets.len() - 1
            }
        };
        if let Some((_, totals)) = self.buckets.get_mut(place) {
            let sum = count.of(totals);
            *sum = sum.saturating_add(number);
        }
    }

    /// Takes away what was added at `at`, if it is still there.
    pub(super) fn take(&mut self, at: i64, count: Count, number: u64) {
        let bucket = self.bucket(at);
        let place = self.buckets.binary_search_by_key(&bucket, |(bucket, _)| *bucket);
        if let Some((_, totals)) = place.ok().and_then(|place| self.buckets.get_mut(place)) {
            let sum = count.of(totals);
            *sum = sum.saturating_sub(number);
        }
    }

    /// The sums at `now`.
    pub(super) fn totals(&self, now: i64) -> Totals {
        let oldest = self.oldest(now);
        let mut sums = Totals::default();
        for (_, totals) in self.buckets.iter().rev().take_while(|(bucket, _)| *bucket >= oldest) {
            sums.calls = sums.calls.saturating_add(totals.calls);
            sums.denials = sums.denials.saturating_add(totals.denials);
            sums.writes = sums.writes.saturating_add(totals.writes);
            sums.probes = sums.probes.saturating_add(totals.probes);
            sums.rows = sums.rows.saturating_add(totals.rows);
            sums.bytes = sums.bytes.saturating_add(totals.bytes);
            sums.contacts = sums.contacts.saturating_add(totals.contacts);
            sums.companies = sums.companies.saturating_add(totals.companies);
            sums.conversations = sums.conversations.saturating_add(totals.conversations);
            sums.articles = sums.articles.saturating_add(totals.articles);
        }
        sums
    }

    /// Drops the buckets that no longer count at `now`.
    pub(super) fn prune(&mut self, now: i64) {
        let oldest = self.oldest(now);
        while self.buckets.front().is_some_and(|(bucket, _)| *bucket < oldest) {
            self.buckets.pop_front();
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }

    const fn oldest(&self, now: i64) -> i64 {
        self.bucket(now).saturating_sub(self.length)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WIDTH: i64 = 10;
    const LENGTH: i64 = 6;

    fn filled(events: &[(i64, u64)]) -> Window {
        let mut window = Window::new(WIDTH, LENGTH);
        events.iter().for_each(|(at, number)| window.add(*at, Count::Calls, *number));
        window
    }

    fn sum(events: &[(i64, u64)], from: i64) -> u64 {
        events.iter().filter(|(at, _)| *at > from).map(|(_, number)| number).sum()
    }

    proptest! {
        /// Never less than the window, and never more than a bucket beyond it.
        #[test]
        fn the_sum_lies_between_the_window_and_a_bucket_more(
            events in proptest::collection::vec((0i64..500, 1u64..9), 0..60),
            later in 0i64..200,
        ) {
            let now = events.iter().map(|(at, _)| *at).max().unwrap_or(0) + later;
            let calls = filled(&events).totals(now).calls;
            prop_assert!(calls >= sum(&events, now - WIDTH * LENGTH));
            prop_assert!(calls <= sum(&events, now - WIDTH * (LENGTH + 1) - 1));
        }

        #[test]
        fn order_and_pruning_do_not_matter(
            mut events in proptest::collection::vec((0i64..500, 1u64..9), 0..60),
            now in 500i64..600,
            prune in 0i64..500,
        ) {
            let sums = filled(&events).totals(now);
            let mut pruned = filled(&events);
            pruned.prune(prune);
            prop_assert_eq!(pruned.totals(now), sums);
            pruned.prune(now);
            prop_assert!(pruned.buckets.len() as i64 <= LENGTH + 1);
            events.reverse();
            prop_assert_eq!(filled(&events).totals(now), sums);
        }

        #[test]
        fn what_is_taken_was_never_there(
            events in proptest::collection::vec((0i64..500, 1u64..9), 1..60),
            now in 0i64..600,
        ) {
            let mut all = filled(&events);
            let (last, rest) = events.split_last().unwrap();
            all.take(last.0, Count::Calls, last.1);
            prop_assert_eq!(all.totals(now), filled(rest).totals(now));
        }
    }

    #[test]
    fn taking_what_is_gone_takes_nothing_else() {
        let mut window = filled(&[(0, 3), (100, 4)]);
        window.prune(100);
        window.take(0, Count::Calls, 3);
        window.take(100, Count::Calls, 9);
        assert_eq!(window.totals(100).calls, 0);
        assert!(filled(&[]).is_empty() && !window.is_empty());
    }
}
