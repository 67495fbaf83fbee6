//! How often each question was decided which way, since the process began; for whoever watches it.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::{Question, Verdict};

const VERDICTS: [Verdict; 3] = [Verdict::Allow, Verdict::Hold, Verdict::Deny];

/// One counter for each question and verdict.
#[derive(Debug, Default)]
pub(super) struct Counted([[AtomicU64; VERDICTS.len()]; Question::ALL.len()]);

impl Counted {
    /// Counts one decision.
    pub(super) fn add(&self, question: Question, verdict: Verdict) {
        if let Some(counter) = self.counter(question, verdict) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// All counters.
    pub(super) fn all(&self) -> impl Iterator<Item = (Question, Verdict, u64)> + use<'_> {
        Question::ALL.into_iter().flat_map(move |question| {
            VERDICTS.into_iter().map(move |verdict| {
                let counter = self.counter(question, verdict);
                (question, verdict, counter.map_or(0, |it| it.load(Ordering::Relaxed)))
            })
        })
    }

    fn counter(&self, question: Question, verdict: Verdict) -> Option<&AtomicU64> {
        // Both enums count from 0 in the order of the tables.
        self.0.get(question as usize)?.get(verdict as usize)
    }
}
