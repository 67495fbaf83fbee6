//! What the log knows of the decisions of a while, to be matched with the tape.

use std::collections::HashMap;
use std::path::Path;

use crate::audit::{self, Filter, Follow, From, ReadError};
use crate::domain::{CallId, Event, OWN_PRINCIPAL, OutcomeKind, Timestamp, Verdict};

/// What was decided on a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Decided {
    /// On the call.
    admit: Verdict,
    /// Whether the tape has the question.
    asked: bool,
    /// Whether policy is asked about its answer.
    heard: bool,
    /// Whether an answer was judged of which the tape has nothing yet.
    unheard: bool,
}

/// The decisions of a while.
#[derive(Debug, Default)]
pub struct Log(HashMap<CallId, Decided>);

impl Log {
    /// Reads the decisions since then.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn read(data: &Path, since: Timestamp) -> Result<Self, ReadError> {
        let mut decisions: HashMap<CallId, Decided> = HashMap::new();
        for entry in audit::tail(data, Filter::default(), From::Start, Follow::No)? {
            let record = entry?.record;
            if record.at < since {
                continue;
            }
            match record.event {
                Event::Decision { call, decision, .. } => {
                    // Lists and the like are answers that policy is not asked about as such.
                    let heard =
                        call.subject.tool().is_some() && call.principal.as_str() != OWN_PRINCIPAL;
                    let admit = decision.verdict;
                    let decided = Decided { admit, asked: false, heard, unheard: false };
                    decisions.insert(call.id, decided);
                }
                Event::Outcome { call, outcome } => {
                    use OutcomeKind::{Answered, Error, Withheld};
                    let is_answer = matches!(outcome.kind, Answered | Error | Withheld);
                    if let Some(decided) = decisions.get_mut(&call) {
                        decided.unheard |= is_answer && decided.heard;
                    }
                }
                _ => {}
            }
        }
        Ok(Self(decisions))
    }

    /// Takes up that the tape has the question about a call; what was decided, if the log has it.
    pub fn asked(&mut self, call: CallId) -> Option<Verdict> {
        let decided = self.0.get_mut(&call)?;
        decided.asked = true;
        Some(decided.admit)
    }

    /// Takes up that the tape has a question about an answer to a call; whether the log has the call.
    pub fn answered(&mut self, call: CallId) -> bool {
        let decided = self.0.get_mut(&call);
        decided.map(|decided| decided.unheard = false).is_some()
    }

    /// Decisions on calls, and answers, of which the tape has nothing.
    #[must_use]
    pub fn unasked(&self) -> (u64, u64) {
        let count = |is: fn(&&Decided) -> bool| self.0.values().filter(is).count() as u64;
        (count(|it| !it.asked), count(|it| it.unheard))
    }
}
