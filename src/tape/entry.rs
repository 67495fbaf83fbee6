//! What is kept of one question.

use serde::{Deserialize, Serialize};

use super::{Heard, Round, What};
use crate::domain::{CallId, Digest, Question, Said, Timestamp, Verdict};
use crate::policy::Asked;

/// One question of the road.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry {
    /// The call that it is about, by which the log knows its decision.
    pub call: CallId,
    /// The time that rules saw.
    pub at: Timestamp,
    /// The revision that was asked.
    pub ruleset: Digest,
    /// Whether what answers show was counted in trails.
    pub counted: bool,
    /// `admit` or `disclose`.
    pub question: Question,
    /// Each time that policy was asked: twice, if what it demanded changed the call.
    pub rounds: Vec<Kept>,
}

/// One time that policy was asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Kept {
    /// The question.
    pub asked: Asked,
    /// The strictest verdict of the other judges.
    pub others: Verdict,
    /// What policy said.
    pub said: Said,
}

impl Entry {
    /// Writes down what was heard; content of answers up to `most` bytes.
    pub(super) fn of(heard: &Heard, most: usize) -> Option<Self> {
        let kept = |round: &Round, asked: Asked| Kept {
            asked,
            others: round.others,
            said: Said::from(&round.said),
        };
        let (question, first, rounds) = match &heard.what {
            What::Call(rounds) => {
                let write = |round: &Round| kept(round, Asked::of_call(&round.call, &round.facts));
                (Question::Admit, rounds.first()?, rounds.iter().map(write).collect())
            }
            What::Answer(answered) => {
                let (round, answer) = &**answered;
                let asked = Asked::of_answer(&round.call, answer, &round.facts, most);
                (Question::Disclose, round, vec![kept(round, asked)])
            }
        };
        let (call, at) = (first.call.id, first.facts.now);
        let Round { ruleset, counted, .. } = *first;
        Some(Self { call, at, ruleset, counted, question, rounds })
    }
}
