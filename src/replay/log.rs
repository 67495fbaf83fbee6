//! What the log knows of the decisions of a while, to be matched with the tape.
//!
//! A call is judged when it comes. One that is held is judged again when a person changes it and when it
//! is released: those decisions have its id, and are others than the one that the tape has the question of.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use crate::audit::{self, Filter, Follow, From, ReadError};
use crate::domain::{CallId, Event, HoldEvent, OWN_PRINCIPAL, OutcomeKind, Timestamp, Verdict};

/// What was decided on a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Decided {
    /// When it came.
    admit: Verdict,
    /// Whether the tape has that question.
    asked: bool,
    /// Whether policy is asked about its answer.
    heard: bool,
    /// Whether an answer was judged of which the tape has nothing yet.
    unheard: bool,
}

/// The decisions of a while.
#[derive(Debug, Default)]
pub struct Log {
    calls: HashMap<CallId, Decided>,
    again: u64,
}

/// Decisions that cannot be asked again, because the tape has nothing of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unkept {
    /// On calls when they came.
    pub calls: u64,
    /// On held calls that were changed or released.
    pub again: u64,
    /// On answers.
    pub answers: u64,
}

impl Log {
    /// Reads the decisions since then: on these calls, or on all if none is named.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn read(data: &Path, since: Timestamp, only: &[CallId]) -> Result<Self, ReadError> {
        let mut log = Self::default();
        let mut held = HashSet::new();
        for entry in audit::tail(data, Filter::default(), From::Start, Follow::No)? {
            let record = entry?.record;
            let is_of_then = record.at >= since;
            match record.event {
                Event::Hold { event: HoldEvent::Opened(opened), .. } => {
                    held.insert(opened.call.id);
                }
                Event::Decision { call, .. } if held.contains(&call.id) => {
                    log.again += u64::from(is_of_then && is_wanted(only, call.id));
                }
                Event::Decision { call, decision, .. }
                    if is_of_then && is_wanted(only, call.id) =>
                {
                    // Lists and the like are answers that policy is not asked about as such.
                    let heard =
                        call.subject.tool().is_some() && call.principal.as_str() != OWN_PRINCIPAL;
                    let admit = decision.verdict;
                    let decided = Decided { admit, asked: false, heard, unheard: false };
                    log.calls.insert(call.id, decided);
                }
                Event::Outcome { call, outcome } => {
                    use OutcomeKind::{Answered, Error, Withheld};
                    let is_answer = matches!(outcome.kind, Answered | Error | Withheld);
                    if let Some(decided) = log.calls.get_mut(&call) {
                        decided.unheard |= is_answer && decided.heard;
                    }
                }
                _ => {}
            }
        }
        Ok(log)
    }

    /// Takes up that the tape has the question about a call; what was decided when it came, if the log
    /// has it.
    pub fn asked(&mut self, call: CallId) -> Option<Verdict> {
        let decided = self.calls.get_mut(&call)?;
        decided.asked = true;
        Some(decided.admit)
    }

    /// Takes up that the tape has a question about an answer to a call; whether the log has the call.
    pub fn answered(&mut self, call: CallId) -> bool {
        let decided = self.calls.get_mut(&call);
        decided.map(|decided| decided.unheard = false).is_some()
    }

    /// Whether it has a decision on a call.
    #[must_use]
    pub fn has(&self, call: CallId) -> bool {
        self.calls.contains_key(&call)
    }

    /// What the tape has nothing of.
    #[must_use]
    pub fn unkept(&self) -> Unkept {
        let count = |is: fn(&&Decided) -> bool| self.calls.values().filter(is).count() as u64;
        Unkept { calls: count(|it| !it.asked), again: self.again, answers: count(|it| it.unheard) }
    }
}

fn is_wanted(only: &[CallId], call: CallId) -> bool {
    only.is_empty() || only.contains(&call)
}

#[cfg(test)]
mod tests;
