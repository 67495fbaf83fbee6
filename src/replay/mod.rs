//! Past questions, asked again: what a change of the policies would have done.
//!
//! The log knows what was decided, the tape ([`crate::tape`]) what policy was asked. Here the two are put
//! together and a candidate is asked the same: with the time, the trail and the findings of then. What
//! cannot be asked again is counted with its reason, never guessed. Nothing is executed and nothing is
//! written: this module has no way to Intercom, to the log or to the gate.
//!
//! What policy demands of a call changes the call, and the changed call was judged once more. A candidate
//! that demands the same is asked about both; one that changes the call otherwise would have to be asked
//! about a call that no other judge ever saw, which is such a case that is counted and not guessed.

mod again;
mod fixtures;
mod log;
mod mask;
mod report;
#[cfg(test)]
mod tests;

pub use again::Why;
pub use fixtures::{Choice, Fixture, Made, Writer, fixtures};
pub use log::{Log, Unkept};
pub use mask::Mask;
pub use report::{Base, By, Change, Demanded, Impact, Redaction, Row, Silent, Total};

use crate::domain::{Question, Said, Verdict};
use crate::policy::Replay;
use crate::tape::{Entry, Kept};

/// One past question.
#[derive(Debug, Clone)]
pub struct Past {
    /// Its record: the id of its call, or the place of a case.
    pub name: String,
    /// What was kept of it.
    pub question: Question,
    /// Each time that policy was asked.
    pub rounds: Vec<Kept>,
    /// Whether what answers show was counted in the trail.
    pub counted: bool,
    /// What was decided in the end, if it is known.
    pub decided: Option<Verdict>,
    /// What was said is only known as a verdict, as of a written case.
    pub verdict_only: bool,
}

impl Past {
    /// From the tape, with what the log says came of it.
    #[must_use]
    pub fn of(entry: Entry, decided: Option<Verdict>) -> Self {
        Self {
            name: entry.name(),
            question: entry.question,
            rounds: entry.rounds,
            counted: entry.counted,
            decided,
            verdict_only: false,
        }
    }

    /// What was said then.
    ///
    /// # Errors
    /// If that is not what decided.
    pub fn recorded(&self) -> Result<Said, Why> {
        again::recorded(self)
    }

    /// What a ruleset says of it.
    ///
    /// # Errors
    /// If it cannot be asked.
    pub async fn ask(&self, ruleset: &Replay) -> Result<Said, Why> {
        again::ask(self, ruleset).await
    }
}

/// What a candidate would have done: puts every past question to it, and to `base` if there is one.
#[derive(Debug)]
pub struct Comparison<'a> {
    candidate: &'a Replay,
    base: Option<&'a Replay>,
    impact: Impact,
}

impl<'a> Comparison<'a> {
    /// Of a candidate with what was recorded, or with what a base says now.
    #[must_use]
    pub fn new(candidate: &'a Replay, base: Option<&'a Replay>) -> Self {
        let impact = Impact::new(candidate, base);
        Self { candidate, base, impact }
    }

    /// Asks about one more. Gives what the candidate says, if it could be asked.
    pub async fn add(&mut self, past: &Past) -> Option<Said> {
        let was = match self.base {
            Some(base) => past.ask(base).await,
            None => past.recorded(),
        };
        let both = match was {
            Ok(was) => past.ask(self.candidate).await.map(|would| (was, would)),
            Err(why) => Err(why),
        };
        match both {
            Ok((was, would)) => {
                self.impact.compared(past, self.base.is_none(), &was, &would);
                Some(would)
            }
            Err(why) => {
                self.impact.unasked(past.question, why, 1);
                None
            }
        }
    }

    /// Counts past questions that are not there to be asked.
    pub fn missing(&mut self, question: Question, why: Why, count: u64) {
        self.impact.unasked(question, why, count);
    }

    /// Counts parts of what was kept that cannot be read.
    pub const fn unread(&mut self, count: u64) {
        self.impact.unread += count;
    }

    /// What was found.
    #[must_use]
    pub fn finish(self) -> Impact {
        self.impact.finished(self.candidate)
    }
}
