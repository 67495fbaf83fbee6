//! What the log knows of the decisions of a while, to be matched with the tape.
//!
//! A call is judged when it comes. One that is held is judged again when a person changes it and when it
//! is released: those decisions have its id, and each is put together with the question of its own time.
//! Lists of tools and what people are allowed are decisions that the log has no records of; of what people
//! did it has.

use std::collections::{HashMap, VecDeque};
use std::path::Path;

use crate::audit::{self, Filter, Follow, From, ReadError};
use crate::domain::{
    ApproverId, CallId, Event, HoldEvent, OWN_PRINCIPAL, OutcomeKind, Question, Timestamp, Verdict,
};
use crate::tape::Entry;

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

/// What was decided on a call that had been held.
#[derive(Debug, Clone, Copy)]
struct Again {
    at: Timestamp,
    verdict: Verdict,
    /// Whether it is of the while that is wanted.
    wanted: bool,
}

/// The decisions of a while.
#[derive(Debug)]
pub struct Log {
    since: Timestamp,
    only: Vec<CallId>,
    calls: HashMap<CallId, Decided>,
    /// Those that the tape has no question of yet, in their order.
    again: HashMap<CallId, VecDeque<Again>>,
    /// Those of them that were passed over.
    passed: u64,
    /// What people did about held calls of which the tape has no question yet.
    people: HashMap<(CallId, ApproverId), u64>,
}

/// Decisions that cannot be asked again, because the tape has nothing of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unkept {
    /// On calls: when they came, when they were changed, when they were released.
    pub calls: u64,
    /// On answers.
    pub answers: u64,
    /// On what people may do about held calls.
    pub wishes: u64,
}

impl Log {
    /// Reads the decisions since then: on these calls, or on all if none is named.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn read(data: &Path, since: Timestamp, only: &[CallId]) -> Result<Self, ReadError> {
        let (only, calls, again) = (only.to_vec(), HashMap::new(), HashMap::new());
        let mut log = Self { since, only, calls, again, passed: 0, people: HashMap::new() };
        let mut held = HashMap::new();
        for entry in audit::tail(data, Filter::default(), From::Start, Follow::No)? {
            let record = entry?.record;
            let at = record.at;
            match record.event {
                Event::Hold { hold, event: HoldEvent::Opened(opened) } => {
                    held.insert(hold, opened.call.id);
                    log.again.insert(opened.call.id, VecDeque::new());
                }
                Event::Hold { hold, event } => {
                    if let (Some(call), Some(who)) = (held.get(&hold), person(&event))
                        && log.wants(*call, at)
                    {
                        *log.people.entry((*call, who.clone())).or_default() += 1;
                    }
                }
                Event::Decision { call, decision, .. } => {
                    let (verdict, wanted) = (decision.verdict, log.wants(call.id, at));
                    if let Some(again) = log.again.get_mut(&call.id) {
                        again.push_back(Again { at, verdict, wanted });
                    } else if wanted {
                        // Lists and the like are answers that policy is not asked about as such.
                        let heard = call.subject.tool().is_some()
                            && call.principal.as_str() != OWN_PRINCIPAL;
                        let (asked, unheard) = (false, false);
                        let decided = Decided { admit: verdict, asked, heard, unheard };
                        log.calls.insert(call.id, decided);
                    }
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

    /// Takes up a question of the tape: what was decided on it, as far as the log says. `None` if it is
    /// not of the while that is wanted, or not of what the log had when it was read.
    pub fn takes(&mut self, entry: &Entry) -> Option<Option<Verdict>> {
        let at = entry.at;
        match (entry.question, entry.call) {
            (Question::Visible, _) => (at >= self.since && self.only.is_empty()).then_some(None),
            (Question::Admit, Some(call)) if entry.again => self.again(call, at).map(Some),
            (Question::Admit, Some(call)) => {
                let decided = self.calls.get_mut(&call)?;
                decided.asked = true;
                Some(Some(decided.admit))
            }
            (Question::Disclose, Some(call)) => {
                self.calls.get_mut(&call)?.unheard = false;
                Some(None)
            }
            (Question::Approve, Some(call)) if self.wants(call, at) => {
                let asked = entry.rounds.first().and_then(|round| round.asked.approver.as_ref());
                let who = asked.and_then(|approver| approver.id.parse().ok());
                if let Some(left) = who.and_then(|who| self.people.get_mut(&(call, who))) {
                    *left = left.saturating_sub(1);
                }
                Some(None)
            }
            _ => None,
        }
    }

    /// The decision for which this was asked of a call that had been held: the first behind it.
    fn again(&mut self, call: CallId, asked: Timestamp) -> Option<Verdict> {
        let all = self.again.get_mut(&call)?;
        while let Some(next) = all.pop_front() {
            if next.at >= asked {
                return next.wanted.then_some(next.verdict);
            }
            self.passed += u64::from(next.wanted);
        }
        None
    }

    fn wants(&self, call: CallId, at: Timestamp) -> bool {
        at >= self.since && (self.only.is_empty() || self.only.contains(&call))
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
        let again = self.again.values().flatten().filter(|it| it.wanted).count() as u64;
        Unkept {
            calls: count(|it| !it.asked) + again + self.passed,
            answers: count(|it| it.unheard),
            wishes: self.people.values().sum(),
        }
    }
}

/// Who did this to a held call, if it was an approver.
const fn person(event: &HoldEvent) -> Option<&ApproverId> {
    match event {
        HoldEvent::Approved { approver, .. }
        | HoldEvent::Extended { approver, .. }
        | HoldEvent::Rejected { approver, .. }
        | HoldEvent::ChangesRequested { approver, .. }
        | HoldEvent::Revoked { approver, .. } => Some(approver),
        HoldEvent::Edited(edited) => Some(&edited.approver),
        HoldEvent::Assigned { by, .. } | HoldEvent::Noted { by, .. } => Some(by),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
