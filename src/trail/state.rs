//! The trails of all principals.

use std::collections::HashMap;

use super::person::{DAY_BUCKET, Passed, Person};
use crate::domain::{PrincipalId, Tally, TrailView};

/// The most principals with a trail of their own; those beyond share one, which is stricter. Only
/// pass-through, where every token is another principal, can come near.
const MOST_PEOPLE: usize = 10_000;

/// All trails, without a clock.
#[derive(Debug, Default)]
pub(super) struct State {
    people: HashMap<PrincipalId, Person>,
    others: Person,
    next_ticket: u64,
    /// The span of time in which idle trails were last dropped.
    swept: i64,
}

impl State {
    /// Adds a step of the log.
    pub(super) fn apply(
        &mut self,
        who: &PrincipalId,
        at: i64,
        tally: &Tally,
        passed: Option<Passed>,
    ) {
        self.sweep(at);
        let person = self.person(who);
        person.apply(at, tally);
        if let Some(passed) = passed {
            person.pass(passed);
        }
    }

    /// Takes a step back.
    pub(super) fn take_back(&mut self, who: &PrincipalId, at: i64, tally: &Tally) {
        self.person(who).take_back(at, tally);
    }

    /// Counts what is being asked about; the ticket ends it.
    pub(super) fn ask(&mut self, who: &PrincipalId, tally: Tally) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket = ticket.wrapping_add(1);
        self.person(who).ask(ticket, tally);
        ticket
    }

    /// Forgets what was asked about. Looked for at both places: whose trail it was may have changed.
    pub(super) fn settle(&mut self, who: &PrincipalId, ticket: Option<u64>) {
        let Some(ticket) = ticket else { return };
        if let Some(person) = self.people.get_mut(who) {
            person.settle(ticket);
        }
        self.others.settle(ticket);
    }

    /// Says how many guesses are in what is being asked about.
    pub(super) fn probing(&mut self, who: &PrincipalId, ticket: u64, probes: u64) {
        if let Some(person) = self.people.get_mut(who) {
            person.probing(ticket, probes);
        }
        self.others.probing(ticket, probes);
    }

    /// What rules see of a principal, with what was asked about up to a ticket.
    pub(super) fn view(&self, who: &PrincipalId, now: i64, ticket: u64) -> TrailView {
        match self.people.get(who) {
            Some(person) => person.view(now, ticket),
            None if self.is_full() => self.others.view(now, ticket),
            None => TrailView::default(),
        }
    }

    fn is_full(&self) -> bool {
        self.people.len() >= MOST_PEOPLE
    }

    fn person(&mut self, who: &PrincipalId) -> &mut Person {
        let is_full = self.is_full();
        if is_full && !self.people.contains_key(who) {
            return &mut self.others;
        }
        if !self.people.contains_key(who) {
            self.people.insert(who.clone(), Person::default());
        }
        self.people.get_mut(who).unwrap_or(&mut self.others)
    }

    fn sweep(&mut self, now: i64) {
        let span = now.div_euclid(DAY_BUCKET);
        if span > self.swept {
            self.swept = span;
            self.people.retain(|_, person| !person.is_over(now));
        }
    }
}
