//! The trail: what each principal lately did and saw, so that rules can set budgets and look back.
//!
//! Per principal it counts calls, denials, writes, rows, bytes of customer text and different
//! contacts, companies, conversations and articles over the last minute, hour and 24 hours, and
//! keeps labels that policy put on it until they end. It is a fold of the log (`fold`): each record
//! says what it adds, and at start the last day of records is read back before the first call is
//! judged. So a restart, in order or by `kill -9`, gives nobody a new budget.
//!
//! On the road: `gate` weighs a call or an answer before it is judged. From that moment it counts,
//! for itself and for all others that are judged at the same time ([`Trail::weigh`]), so that thirty
//! calls at once do not each see the last free place of a budget. Then it is kept as what it became,
//! or forgotten. What a view shows is thus the trail as it will be if the call or answer passes:
//! `input.trail.day.contacts > 200` denies what would make it 201.
//!
//! The trail has a clock of its own (`clock::Clock`), which no change of the wall clock moves.
//! Memory is bounded: sums in buckets, marks up to a cap, trails up to a number.
//!
//! This module must never hold a raw identifier, and never its lock across an await.

mod clock;
mod fold;
mod person;
mod state;
#[cfg(test)]
mod tests;
mod window;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use clock::Moment;
pub use fold::TrailError;

use crate::domain::{Principal, PrincipalId, Step, Tally, TrailView, Verdict};
use clock::Clock;
use person::Passed;
use state::State;

/// The trails of this installation.
#[derive(Debug)]
pub struct Trail {
    clock: Clock,
    state: Mutex<State>,
}

/// How a call of a tool was decided, for the list of recent ones.
#[derive(Debug, Clone, Copy)]
pub struct Decided<'a> {
    /// The tool.
    pub tool: &'a str,
    /// The verdict.
    pub verdict: Verdict,
}

impl Trail {
    /// Counts something that is about to be judged, until the returned value is kept or dropped.
    pub fn weigh(&self, who: &Arc<Principal>, tally: Tally) -> Weighed<'_> {
        let ticket = self.lock().ask(&who.id, tally);
        let probes = AtomicU64::new(0);
        Weighed { trail: self, who: Arc::clone(who), ticket: Some(ticket), probes }
    }

    /// What rules see of a principal, with everything that is being judged.
    #[must_use]
    pub fn view(&self, who: &PrincipalId) -> TrailView {
        self.view_up_to(who, u64::MAX)
    }

    fn view_up_to(&self, who: &PrincipalId, ticket: u64) -> TrailView {
        let state = self.lock();
        state.view(who, self.clock.now(), ticket)
    }

    /// Takes back what a kept step counted, because nothing was sent after all.
    pub fn take_back(&self, who: &PrincipalId, step: &Step) {
        self.lock().take_back(who, step.at.millis(), &step.add);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Something that is being judged and counts already. Dropping it forgets it.
#[must_use = "dropped at once it never counts"]
pub struct Weighed<'a> {
    trail: &'a Trail,
    who: Arc<Principal>,
    /// None once it is settled.
    ticket: Option<u64>,
    /// The guesses in it.
    probes: AtomicU64,
}

impl Weighed<'_> {
    /// What rules see of the principal, with this in it and all that was weighed before. What was
    /// weighed later sees this one: so of those who want the last place of a budget the first has it.
    #[must_use]
    pub fn view(&self) -> TrailView {
        self.trail.view_up_to(&self.who.id, self.ticket.unwrap_or(u64::MAX))
    }

    /// Counts the guesses in it, which are known only when somebody looked at it.
    pub fn probing(&self, probes: u64) {
        let before = self.probes.swap(probes, Ordering::Relaxed);
        if let Some(ticket) = self.ticket.filter(|_| before != probes) {
            self.trail.lock().probing(&self.who.id, ticket, probes);
        }
    }

    /// The guesses in it.
    #[must_use]
    pub fn probes(&self) -> u64 {
        self.probes.load(Ordering::Relaxed)
    }

    /// Keeps what it became, and gives what the record of it must say; `None` if that is nothing.
    #[must_use]
    pub fn keep(mut self, tally: Tally, decided: Option<Decided<'_>>) -> Option<Step> {
        if tally.is_empty() && decided.is_none() {
            return None;
        }
        let mut state = self.trail.lock();
        // Under the lock, so that the order of times is the order in which it was counted.
        let (at, clock) = self.trail.clock.stamp();
        let passed = decided.map(|decided| Passed {
            at: at.millis(),
            tool: decided.tool.into(),
            verdict: decided.verdict,
        });
        state.apply(&self.who.id, at.millis(), &tally, passed);
        state.settle(&self.who.id, self.ticket.take());
        drop(state);
        Some(Step { at, clock, add: tally })
    }
}

impl Drop for Weighed<'_> {
    fn drop(&mut self) {
        if self.ticket.is_some() {
            self.trail.lock().settle(&self.who.id, self.ticket);
        }
    }
}
