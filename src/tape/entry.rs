//! What is kept of one question.

use serde::{Deserialize, Serialize};

use super::{Heard, List, Round, What};
use crate::domain::{CallId, Digest, Question, Said, Timestamp, Verdict};
use crate::policy::{ApproveFacts, Asked};

/// One question of the road.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry {
    /// The call that it is about, by which the log knows its decision; of a list there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallId>,
    /// Whether it was asked about a held call that a person changed, or that was released: by then the
    /// call had been judged before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
    /// The time that rules saw.
    pub at: Timestamp,
    /// The revision that was asked.
    pub ruleset: Digest,
    /// Whether what answers show was counted in trails.
    pub counted: bool,
    /// Which.
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
    /// The record: the id of its call; of a list, when it was wanted.
    #[must_use]
    pub fn name(&self) -> String {
        self.call.map_or_else(|| self.at.to_string(), |call| call.to_string())
    }

    /// Writes down what was heard; content of answers up to `most` bytes.
    pub(super) fn of(heard: &Heard, most: usize) -> Option<Self> {
        let kept = |round: &Round, asked: Asked| Kept {
            asked,
            others: round.others,
            said: Said::from(&round.said),
        };
        let (question, first, rounds, is_again) = match &heard.what {
            What::Call { rounds, again } => {
                let write = |round: &Round| kept(round, Asked::of_call(&round.call, &round.facts));
                let written = rounds.iter().map(write).collect();
                (Question::Admit, rounds.first()?, written, *again)
            }
            What::Answer(answered) => {
                let (round, answer) = &**answered;
                let asked = Asked::of_answer(&round.call, answer, &round.facts, most);
                (Question::Disclose, round, vec![kept(round, asked)], false)
            }
            What::Wish(wish) => {
                let (round, approver, action, hold) = &**wish;
                let ask = ApproveFacts { approver, action: *action, hold, call: &round.call };
                let asked = Asked::of_wish(&ask, &round.facts);
                (Question::Approve, round, vec![kept(round, asked)], false)
            }
            What::List(list) => return Some(Self::of_list(list)),
        };
        let (call, at, again) = (Some(first.call.id), first.facts.now, is_again);
        let Round { ruleset, counted, .. } = *first;
        Some(Self { call, again, at, ruleset, counted, question, rounds })
    }

    fn of_list(list: &List) -> Self {
        let List { ruleset, counted, principal, client, tools, facts, said } = list;
        let asked = Asked::of_list((principal, client), tools, facts);
        Self {
            call: None,
            again: false,
            at: facts.now,
            ruleset: *ruleset,
            counted: *counted,
            question: Question::Visible,
            rounds: vec![Kept { asked, others: Verdict::Allow, said: Said::from(said) }],
        }
    }
}
