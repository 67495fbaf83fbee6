//! Where a candidate says otherwise: compared, counted, shown.

use std::collections::{BTreeMap, VecDeque};

use super::change::{Contrast, Difference, differences};
use super::report::{Flip, Row, ShadowReport, bounded, short};
use crate::domain::{
    ApproverId, CallId, Digest, Fault, Finding, PrincipalId, Question, Said, ShadowFacts, Verdict,
};

/// Rows of a report; further ones are counted together.
const MOST_ROWS: usize = 1000;
/// Calls that are named with a row.
const EXAMPLES: usize = 5;

/// One question, with what the candidate says otherwise.
pub(super) struct Compared {
    pub(super) question: Question,
    pub(super) active: Digest,
    pub(super) call: Option<CallId>,
    pub(super) principal: PrincipalId,
    pub(super) tool: Option<String>,
    pub(super) by: Option<ApproverId>,
    pub(super) late: bool,
    pub(super) flips: Vec<Difference>,
}

impl Compared {
    /// Compares what was said with what the candidate says; `own` binds both.
    pub(super) fn findings(self, own: Verdict, said: &Finding, says: &Finding) -> Self {
        self.said(own, Said::from(said), Said::from(says))
    }

    /// The same in the form that is kept.
    pub(super) fn said(mut self, own: Verdict, said: Said, says: Said) -> Self {
        // What another judge denies stays denied, whatever policy would have said.
        self.late = own != Verdict::Deny && (is_late(&said) || is_late(&says));
        if !self.late {
            self.flips = differences(self.tool.as_deref(), &said.under(own), &says.under(own));
        }
        self
    }

    /// What the log is told: each difference, in so many words.
    pub(super) fn records(&self, revision: Digest) -> Vec<ShadowFacts> {
        self.flips
            .iter()
            .map(|flip| ShadowFacts {
                question: self.question,
                call: self.call,
                principal: self.principal.clone(),
                tool: flip.tool.clone(),
                would: flip.contrast.change.would().to_owned(),
                decided: flip.was,
                candidate: flip.would,
                rules: flip.contrast.rules.clone(),
                demands: bounded(&flip.contrast.demands),
                revision,
            })
            .collect()
    }
}

/// Whether a judge said nothing in time. That the road denies for it is no answer of its rules.
fn is_late(said: &Said) -> bool {
    said.fault == Some(Fault::PolicyTimeout)
}

/// The counts.
pub(super) struct Tally {
    report: ShadowReport,
    rows: BTreeMap<Row, Seen>,
}

/// What was seen of one kind of difference.
#[derive(Default)]
struct Seen {
    count: u64,
    calls: VecDeque<CallId>,
    demands: Vec<String>,
}

impl Seen {
    fn add(&mut self, count: u64, calls: impl IntoIterator<Item = CallId>) {
        self.count += count;
        self.calls.extend(calls);
        while self.calls.len() > EXAMPLES {
            self.calls.pop_front();
        }
    }
}

impl Tally {
    /// Goes on from a report.
    pub(super) fn new(mut report: ShadowReport) -> Self {
        let mut rows: BTreeMap<Row, Seen> = BTreeMap::new();
        for Flip { row, count, calls, demands } in std::mem::take(&mut report.flips) {
            // An earlier version had a row for each list of demands.
            let first = || Seen { demands: bounded(&demands), ..Seen::default() };
            rows.entry(row).or_insert_with(first).add(count, calls);
        }
        Self { report, rows }
    }

    pub(super) fn add(&mut self, compared: Compared, unrecorded: u64) {
        self.report.unrecorded += unrecorded;
        let question = compared.question.as_str();
        *self.report.asked.entry(question.to_owned()).or_default() += 1;
        self.report.head.not_in_time += u64::from(compared.late);
        for flip in compared.flips {
            let Contrast { change, rules, demands } = flip.contrast;
            *self.report.changes.entry(change).or_default() += 1;
            let row = Row {
                change,
                question: question.to_owned(),
                rule: rules.first().map(|rule| short(rule)).unwrap_or_default(),
                tool: flip.tool.as_deref().map(short),
                principal: compared.principal.clone(),
                approver: compared.by.clone(),
                active: compared.active,
            };
            if self.rows.len() >= MOST_ROWS && !self.rows.contains_key(&row) {
                self.report.beyond_rows += 1;
                continue;
            }
            let first = || Seen { demands: bounded(&demands), ..Seen::default() };
            self.rows.entry(row).or_insert_with(first).add(1, compared.call);
        }
    }

    pub(super) fn report(&self, dropped: u64) -> ShadowReport {
        let mut flips: Vec<Flip> = self
            .rows
            .iter()
            .map(|(row, seen)| Flip {
                row: row.clone(),
                count: seen.count,
                calls: seen.calls.clone(),
                demands: seen.demands.clone(),
            })
            .collect();
        flips.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.row.cmp(&b.row)));
        let mut report = ShadowReport { flips, ..self.report.clone() };
        report.head.dropped += dropped;
        report
    }
}

#[cfg(test)]
mod tests;
