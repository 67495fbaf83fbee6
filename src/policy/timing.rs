//! How long a question takes, as an operator or a bench asks it.
//!
//! Two times of one question: as it is evaluated, from the call to the value, and as the road meets
//! it, where an answer that is kept ([`super::memo`]) needs no evaluation.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::asked::{Asked, Misasked, Put};
use super::engine::{Budget, Failure};
use super::memo::Kept;
use super::{Ruleset, settled};
use crate::domain::{Question, Timestamp};

/// Times of one question, each sorted.
#[derive(Debug, Clone)]
pub struct Timing {
    /// Input built and rules evaluated.
    pub evaluated: Vec<Duration>,
    /// The same, with kept answers where the rules allow keeping them.
    pub road: Vec<Duration>,
    /// Whether answers of this question are kept.
    pub keeps: bool,
}

impl Timing {
    /// The time within which so many of a hundred were done.
    #[must_use]
    pub fn percentile(times: &[Duration], percent: usize) -> Duration {
        let last = times.len().saturating_sub(1);
        times.get(times.len() * percent / 100).or(times.get(last)).copied().unwrap_or_default()
    }
}

impl Ruleset {
    /// Asks a written question so many times, without leaving the thread.
    ///
    /// # Errors
    /// The document does not make a question.
    pub fn time(
        &self,
        question: Question,
        asked: &Asked,
        now: Timestamp,
        rounds: usize,
    ) -> Result<Timing, Misasked> {
        let put = asked.put(question, now)?;
        let refused = |failure: Failure| Misasked(failure.text);
        // A first time, so that what is made once is made; and an error is no time.
        self.evaluated(question, &put).map_err(refused)?;
        let take = |ask: &dyn Fn() -> Result<(), Failure>| {
            let mut times = Vec::with_capacity(rounds);
            for _ in 0..rounds {
                let started = Instant::now();
                let answer = ask();
                times.push(started.elapsed());
                answer.map_err(refused)?;
            }
            times.sort_unstable();
            Ok(times)
        };
        Ok(Timing {
            evaluated: take(&|| self.evaluated(question, &put))?,
            road: take(&|| self.as_on_the_road(question, &put))?,
            keeps: self.memo.keeps(question),
        })
    }

    fn evaluated(&self, question: Question, put: &Put) -> Result<(), Failure> {
        let document = put.document(self.want(question))?;
        self.prepared.ask(question, document.value, Budget::DEFAULT).map(drop)
    }

    fn as_on_the_road(&self, question: Question, put: &Put) -> Result<(), Failure> {
        let document = put.document(self.want(question))?;
        if self.memo.get(question, &document.value).is_some() {
            return Ok(());
        }
        let input = document.value.clone();
        let answer = self.prepared.ask(question, document.value, Budget::DEFAULT)?;
        let kept = match question {
            Question::Visible => Kept::Answer(answer),
            _ => Kept::Finding(Arc::new(settled(question, Ok(answer), &self.sites))),
        };
        self.memo.put(question, input, kept);
        Ok(())
    }
}
