//! The trail of one principal.
//!
//! What was seen is told apart exactly by its mark, up to a cap; beyond it each thing counts as
//! another one. Of each mark only the last sight is kept: it stands in the bucket of that time and
//! moves when it is seen again, so that a window's number of different things is a sum like any
//! other. What is being asked about counts too, from the moment it is asked until it is settled.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use super::window::{Count, Window};
use crate::domain::{LABEL_MINUTES, Mark, Recent, Tally, Thing, Totals, TrailView, Verdict};

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
/// Milliseconds of the longest window.
pub(super) const DAY: i64 = 24 * 60 * MINUTE;
/// Its buckets, and so what a count may stay beyond it.
pub(super) const DAY_BUCKET: i64 = 10 * MINUTE;
/// The most different things of one kind that are told apart.
const MOST_MARKS: usize = 20_000;
/// The most labels; a policy that makes up more loses those that would end first.
const MOST_LABELS: usize = 256;
/// How many calls are recent.
const RECENT: usize = 20;

/// A call of a tool, for the list of the recent ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Passed {
    pub(super) at: i64,
    pub(super) tool: Box<str>,
    pub(super) verdict: Verdict,
}

/// What one principal did and saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    minute: Window,
    hour: Window,
    day: Window,
    /// Of each thing, its last sight.
    seen: BTreeMap<Thing, HashMap<Mark, i64>>,
    most_marks: usize,
    /// Until when each label is in force.
    labels: BTreeMap<String, i64>,
    /// Oldest first.
    recent: VecDeque<Passed>,
    /// What is being asked about, by ticket.
    asked: BTreeMap<u64, Tally>,
    /// The bucket of the day in which old marks were last dropped.
    swept: i64,
}

impl Default for Person {
    fn default() -> Self {
        Self::with_cap(MOST_MARKS)
    }
}

impl Person {
    fn with_cap(most_marks: usize) -> Self {
        Self {
            minute: Window::new(SECOND, 60),
            hour: Window::new(MINUTE, 60),
            day: Window::new(DAY_BUCKET, DAY / DAY_BUCKET),
            seen: BTreeMap::new(),
            most_marks,
            labels: BTreeMap::new(),
            recent: VecDeque::new(),
            asked: BTreeMap::new(),
            swept: i64::MIN,
        }
    }

    /// Adds a step of the log. The order of steps does not matter, as long as fewer things are seen
    /// than are told apart.
    pub(super) fn apply(&mut self, at: i64, tally: &Tally) {
        self.prune(at);
        for (count, number) in plain(tally) {
            self.windows(|window| window.add(at, count, number));
        }
        for (thing, marks) in &tally.seen {
            marks.iter().for_each(|mark| self.see(at, *thing, *mark));
        }
        for label in &tally.labels {
            let minutes = i64::from(label.minutes.min(LABEL_MINUTES));
            let until = at.saturating_add(minutes * MINUTE);
            let held = self.labels.entry(label.name.clone()).or_insert(until);
            *held = until.max(*held);
        }
        self.drop_labels();
    }

    /// Takes a step back: what it counted was not sent after all.
    pub(super) fn take_back(&mut self, at: i64, tally: &Tally) {
        for (count, number) in plain(tally) {
            self.windows(|window| window.take(at, count, number));
        }
    }

    /// Notes a call of a tool.
    pub(super) fn pass(&mut self, passed: Passed) {
        let place = self.recent.partition_point(|other| other.at <= passed.at);
        self.recent.insert(place, passed);
        if self.recent.len() > RECENT {
            self.recent.pop_front();
        }
    }

    /// Counts what is being asked about, until [`Person::settle`].
    pub(super) fn ask(&mut self, ticket: u64, tally: Tally) {
        self.asked.insert(ticket, tally);
    }

    /// Says how many guesses are in what is being asked about.
    pub(super) fn probing(&mut self, ticket: u64, probes: u64) {
        if let Some(tally) = self.asked.get_mut(&ticket) {
            tally.probes = probes;
        }
    }

    /// Forgets what was asked about.
    pub(super) fn settle(&mut self, ticket: u64) {
        self.asked.remove(&ticket);
    }

    /// What rules see at `now`, with what was asked about up to a ticket.
    pub(super) fn view(&self, now: i64, ticket: u64) -> TrailView {
        let in_force = self.labels.iter().filter(|(_, until)| **until > now);
        let recent = self.recent.iter().rev().filter(|passed| self.day.covers(passed.at, now));
        let mut view = TrailView {
            minute: self.minute.totals(now),
            hour: self.hour.totals(now),
            day: self.day.totals(now),
            labels: in_force.map(|(name, _)| name.clone()).collect(),
            recent: recent
                .map(|passed| Recent {
                    tool: passed.tool.to_string(),
                    verdict: passed.verdict,
                    seconds_ago: (now.saturating_sub(passed.at).max(0) / SECOND).unsigned_abs(),
                })
                .collect(),
        };
        self.add_asked(&mut view, now, ticket);
        view
    }

    /// Whether there is nothing left to remember at `now`.
    pub(super) fn is_over(&mut self, now: i64) -> bool {
        self.prune(now);
        self.labels.retain(|_, until| *until > now);
        self.day.is_empty() && self.labels.is_empty() && self.asked.is_empty()
    }

    fn add_asked(&self, view: &mut TrailView, now: i64, ticket: u64) {
        let mut counted = HashSet::new();
        for (_, tally) in self.asked.range(..=ticket) {
            for (count, number) in plain(tally) {
                each(view, |totals| add(count.of(totals), number));
            }
            for (thing, marks) in &tally.seen {
                let seen = self.seen.get(thing);
                for mark in marks.iter().filter(|mark| counted.insert((*thing, **mark))) {
                    let last = seen.and_then(|seen| seen.get(mark));
                    let is_new = |window: &Window| last.is_none_or(|at| !window.covers(*at, now));
                    for (window, totals) in [
                        (&self.minute, &mut view.minute),
                        (&self.hour, &mut view.hour),
                        (&self.day, &mut view.day),
                    ] {
                        add(totals.of(*thing), u64::from(is_new(window)));
                    }
                }
            }
        }
    }

    fn see(&mut self, at: i64, thing: Thing, mark: Mark) {
        let (count, most) = (Count::Things(thing), self.most_marks);
        let seen = self.seen.entry(thing).or_default();
        let known = seen.len();
        let last = match seen.get_mut(&mark) {
            Some(last) if *last >= at => return,
            Some(last) => Some(std::mem::replace(last, at)),
            None if known >= most => None,
            None => {
                seen.insert(mark, at);
                None
            }
        };
        self.windows(|window| match last {
            Some(last) if window.bucket(last) == window.bucket(at) => {}
            Some(last) => {
                window.take(last, count, 1);
                window.add(at, count, 1);
            }
            None => window.add(at, count, 1),
        });
    }

    fn drop_labels(&mut self) {
        while self.labels.len() > MOST_LABELS {
            let first = self.labels.iter().min_by_key(|(_, until)| **until);
            let Some(name) = first.map(|(name, _)| name.clone()) else { return };
            self.labels.remove(&name);
        }
    }

    /// Drops what no window covers any more.
    fn prune(&mut self, now: i64) {
        self.windows(|window| window.prune(now));
        let bucket = self.day.bucket(now);
        if bucket > self.swept {
            self.swept = bucket;
            let day = &self.day;
            for marks in self.seen.values_mut() {
                marks.retain(|_, last| day.covers(*last, now));
            }
            self.recent.retain(|passed| day.covers(passed.at, now));
        }
    }

    fn windows(&mut self, mut change: impl FnMut(&mut Window)) {
        [&mut self.minute, &mut self.hour, &mut self.day].into_iter().for_each(&mut change);
    }
}

/// What a tally adds, but for what is told apart.
fn plain(tally: &Tally) -> impl Iterator<Item = (Count, u64)> {
    let unknown = Thing::ALL.map(|thing| (Count::Things(thing), tally.unknown));
    [
        (Count::Calls, tally.calls),
        (Count::Denials, tally.denials),
        (Count::Writes, tally.writes),
        (Count::Probes, tally.probes),
        (Count::Rows, tally.rows),
        (Count::Bytes, tally.bytes),
    ]
    .into_iter()
    .chain(unknown)
    .filter(|(_, number)| *number > 0)
}

fn each(view: &mut TrailView, mut change: impl FnMut(&mut Totals)) {
    [&mut view.minute, &mut view.hour, &mut view.day].into_iter().for_each(&mut change);
}

const fn add(sum: &mut u64, number: u64) {
    *sum = sum.saturating_add(number);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{Digest, Label};

    const ALL: u64 = u64::MAX;

    fn mark(number: u64) -> Mark {
        Mark::of(&Digest::of("test", &[&number.to_be_bytes()]))
    }

    fn seen(marks: &[u64]) -> Tally {
        let marks = marks.iter().copied().map(mark).collect();
        Tally { seen: [(Thing::Contacts, marks)].into(), ..Tally::default() }
    }

    proptest! {
        /// Against a plain list of all sights.
        #[test]
        fn different_things_are_counted_as_a_list_would(
            sights in proptest::collection::vec((0i64..3 * DAY, 0u64..12), 0..50),
            asked in proptest::collection::vec(0u64..14, 0..4),
            later in 0i64..DAY,
        ) {
            let mut person = Person::default();
            sights.iter().for_each(|(at, number)| person.apply(*at, &seen(&[*number])));
            person.ask(1, seen(&asked));
            person.ask(2, seen(&asked));
            let now = sights.iter().map(|(at, _)| *at).max().unwrap_or(0) + later;
            let view = person.view(now, ALL);
            for (window, totals) in [
                (&person.minute, view.minute),
                (&person.hour, view.hour),
                (&person.day, view.day),
            ] {
                let covered = sights.iter().filter(|(at, _)| window.covers(*at, now));
                let different: HashSet<u64> =
                    covered.map(|(_, number)| *number).chain(asked.iter().copied()).collect();
                prop_assert_eq!(totals.contacts, different.len() as u64);
            }
        }
    }

    #[test]
    fn beyond_the_cap_each_sight_is_another_thing() {
        let mut person = Person::with_cap(3);
        person.apply(0, &seen(&[1, 2, 3]));
        assert_eq!(person.view(0, ALL).day.contacts, 3);
        person.apply(1, &seen(&[1, 4]));
        person.apply(2, &seen(&[4]));
        assert_eq!(person.view(2, ALL).day.contacts, 5);
        assert_eq!(person.seen[&Thing::Contacts].len(), 3);
        // A day later there is room again.
        person.apply(2 * DAY, &seen(&[4, 5]));
        assert_eq!(person.view(2 * DAY, ALL).day.contacts, 2);
        assert_eq!(person.seen[&Thing::Contacts].len(), 2);
    }

    #[test]
    fn what_could_not_be_told_apart_counts_as_everything() {
        let mut person = Person::default();
        person.apply(0, &Tally { unknown: 3, ..seen(&[1]) });
        person.ask(1, Tally { unknown: 2, ..seen(&[1, 2]) });
        let day = person.view(0, ALL).day;
        assert_eq!((day.contacts, day.companies, day.articles), (3 + 1 + 2 + 1, 5, 5));
        person.settle(1);
        assert_eq!(person.view(0, ALL).day.contacts, 4);
    }

    #[test]
    fn a_label_ends_and_is_never_shortened() {
        let label = |minutes| Tally {
            labels: [Label { name: "l".to_owned(), minutes }].into(),
            ..Tally::default()
        };
        let mut person = Person::default();
        person.apply(0, &label(10));
        person.apply(MINUTE, &label(2));
        assert_eq!(person.view(10 * MINUTE - 1, ALL).labels, ["l"]);
        assert_eq!(person.view(10 * MINUTE, ALL).labels.len(), 0);
        assert!(!person.is_over(10 * MINUTE - 1) && person.is_over(10 * MINUTE));
        person.apply(0, &label(u32::MAX));
        assert_eq!(person.view(DAY, ALL).labels.len(), 0);
    }

    #[test]
    fn guesses_count_while_they_are_asked_about_and_after() {
        let mut person = Person::default();
        person.ask(1, Tally { calls: 1, ..Tally::default() });
        assert_eq!(person.view(0, ALL).hour.probes, 0);
        person.probing(1, 3);
        person.probing(2, 9);
        assert_eq!(person.view(0, ALL).hour.probes, 3);
        person.apply(0, &Tally { probes: 3, ..Tally::default() });
        person.settle(1);
        assert_eq!(person.view(0, ALL).day.probes, 3);
    }

    #[test]
    fn the_last_calls_are_recent() {
        let mut person = Person::default();
        for number in 0..30 {
            let tool = format!("tool {number}").into();
            person.pass(Passed { at: number * SECOND, tool, verdict: Verdict::Allow });
        }
        let recent = person.view(40 * SECOND, ALL).recent;
        assert_eq!(recent.len(), RECENT);
        assert_eq!((recent[0].tool.as_str(), recent[0].seconds_ago), ("tool 29", 11));
        assert_eq!(person.view(2 * DAY, ALL).recent, []);
    }
}
