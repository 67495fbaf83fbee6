//! Where a candidate says otherwise: compared, counted, shown.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::effective;
use crate::domain::{
    ApproverId, CallId, Digest, Finding, Obligation, PrincipalId, Question, ShadowFacts, Timestamp,
    Verdict,
};

/// Rows of a report; further ones are counted together.
const MOST_ROWS: usize = 1000;
/// Calls that are named with a row.
const EXAMPLES: usize = 5;

/// How a candidate differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It would let pass what was denied.
    DenyToAllow,
    /// It would hold what was denied.
    DenyToHold,
    /// It would let pass what was held.
    HoldToAllow,
    /// It would hold what passed.
    AllowToHold,
    /// It would deny what was held.
    HoldToDeny,
    /// It would deny what passed.
    AllowToDeny,
    /// It would hold it as well, to be released by others.
    Release,
    /// It would demand something else of the call or answer.
    Obligations,
}

impl Change {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::DenyToAllow,
        Self::DenyToHold,
        Self::HoldToAllow,
        Self::AllowToHold,
        Self::HoldToDeny,
        Self::AllowToDeny,
        Self::Release,
        Self::Obligations,
    ];

    const fn of(was: Verdict, would: Verdict) -> Option<Self> {
        match (was, would) {
            (Verdict::Deny, Verdict::Allow) => Some(Self::DenyToAllow),
            (Verdict::Deny, Verdict::Hold) => Some(Self::DenyToHold),
            (Verdict::Hold, Verdict::Allow) => Some(Self::HoldToAllow),
            (Verdict::Allow, Verdict::Hold) => Some(Self::AllowToHold),
            (Verdict::Hold, Verdict::Deny) => Some(Self::HoldToDeny),
            (Verdict::Allow, Verdict::Deny) => Some(Self::AllowToDeny),
            _ => None,
        }
    }

    /// The words for people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DenyToAllow => "deny -> allow",
            Self::DenyToHold => "deny -> hold",
            Self::HoldToAllow => "hold -> allow",
            Self::AllowToHold => "allow -> hold",
            Self::HoldToDeny => "hold -> deny",
            Self::AllowToDeny => "allow -> deny",
            Self::Release => "release",
            Self::Obligations => "obligations",
        }
    }

    /// What the candidate would have done, in so many words.
    const fn would(self) -> &'static str {
        match self {
            Self::DenyToAllow | Self::HoldToAllow => "would have allowed",
            Self::DenyToHold | Self::AllowToHold => "would have held",
            Self::HoldToDeny | Self::AllowToDeny => "would have denied",
            Self::Release => "would have held for other people",
            Self::Obligations => "would have demanded something else",
        }
    }
}

/// What a candidate has seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShadowReport {
    /// The candidate.
    pub revision: Digest,
    /// Its author's name for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where it came from.
    pub source: String,
    /// Since when it watches.
    pub since: Timestamp,
    /// Questions that it was asked, by their word.
    pub asked: BTreeMap<String, u64>,
    /// Questions that it was not asked, because it was busy.
    pub dropped: u64,
    /// How often it differed, by kind.
    pub changes: BTreeMap<Change, u64>,
    /// The differences, most frequent first.
    pub flips: Vec<Flip>,
    /// Differences that have no row of their own any more.
    pub beyond_rows: u64,
    /// Differences that have no record in the log, because there were too many at a time.
    pub unrecorded: u64,
}

impl ShadowReport {
    /// A report of nothing yet.
    #[must_use]
    pub const fn empty(
        revision: Digest,
        name: Option<String>,
        source: String,
        since: Timestamp,
    ) -> Self {
        Self {
            revision,
            name,
            source,
            since,
            asked: BTreeMap::new(),
            dropped: 0,
            changes: BTreeMap::new(),
            flips: Vec::new(),
            beyond_rows: 0,
            unrecorded: 0,
        }
    }
}

/// One kind of difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flip {
    /// What it is.
    #[serde(flatten)]
    pub row: Row,
    /// How often.
    pub count: u64,
    /// The last calls that it happened to.
    pub calls: VecDeque<CallId>,
}

/// What one kind of difference is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Row {
    /// How the candidate differs.
    pub change: Change,
    /// The question's word.
    pub question: String,
    /// The rule: the candidate's where it is stricter, else the one that it does without.
    pub rule: String,
    /// The tool, if it was about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// Who called.
    pub principal: PrincipalId,
    /// Who wanted to release a hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approver: Option<ApproverId>,
    /// The revision that decided.
    pub active: Digest,
}

/// One question, with what the candidate says otherwise.
pub(super) struct Compared {
    pub(super) question: Question,
    pub(super) active: Digest,
    pub(super) call: Option<CallId>,
    pub(super) principal: PrincipalId,
    pub(super) tool: Option<String>,
    pub(super) by: Option<ApproverId>,
    pub(super) flips: Vec<Difference>,
}

/// One difference.
pub(super) struct Difference {
    change: Change,
    tool: Option<String>,
    was: Verdict,
    would: Verdict,
    rules: Vec<String>,
}

impl Compared {
    /// Compares what was said with what the candidate says; `own` binds both.
    pub(super) fn findings(mut self, own: Verdict, said: &Finding, says: &Finding) -> Self {
        let (was, would) = (own.join(effective(said)), own.join(effective(says)));
        let mut differs = |change, rules: Vec<String>| {
            self.flips.push(Difference { change, tool: self.tool.clone(), was, would, rules });
        };
        if let Some(change) = Change::of(was, would) {
            differs(change, rules(if would > was { says } else { said }));
        } else if was != Verdict::Deny {
            if was == Verdict::Hold && said.release != says.release {
                differs(Change::Release, rules(says));
            }
            let mut others = without(&says.obligations, &said.obligations);
            others.extend(without(&said.obligations, &says.obligations));
            if !others.is_empty() {
                differs(Change::Obligations, others);
            }
        }
        self
    }

    /// Compares two lists of tools.
    pub(super) fn lists(
        mut self,
        was: &BTreeSet<String>,
        would: &BTreeSet<String>,
        said: &Finding,
        says: &Finding,
    ) -> Self {
        for tool in was.symmetric_difference(would) {
            let hides = was.contains(tool);
            let (change, was, would, finding) = if hides {
                (Change::AllowToDeny, Verdict::Allow, Verdict::Deny, says)
            } else {
                (Change::DenyToAllow, Verdict::Deny, Verdict::Allow, said)
            };
            let (tool, rules) = (Some(tool.clone()), rules(finding));
            self.flips.push(Difference { change, tool, was, would, rules });
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
                would: flip.change.would().to_owned(),
                decided: flip.was,
                candidate: flip.would,
                rules: flip.rules.clone(),
                revision,
            })
            .collect()
    }
}

fn rules(finding: &Finding) -> Vec<String> {
    let rules: BTreeSet<&str> = finding.reasons.iter().map(|reason| reason.rule.as_str()).collect();
    if rules.is_empty() {
        return vec!["(no rule spoke)".to_owned()];
    }
    rules.into_iter().map(str::to_owned).collect()
}

/// The rules whose demands the others do not make.
fn without(these: &[Obligation], others: &[Obligation]) -> Vec<String> {
    let alone = these.iter().filter(|one| !others.iter().any(|other| other.duty == one.duty));
    alone.map(|one| one.reason.rule.clone()).collect()
}

/// The counts.
pub(super) struct Tally {
    report: ShadowReport,
    rows: BTreeMap<Row, (u64, VecDeque<CallId>)>,
}

impl Tally {
    pub(super) const fn new(report: ShadowReport) -> Self {
        Self { report, rows: BTreeMap::new() }
    }

    pub(super) fn add(&mut self, compared: Compared, unrecorded: u64) {
        self.report.unrecorded += unrecorded;
        let question = compared.question.as_str();
        *self.report.asked.entry(question.to_owned()).or_default() += 1;
        for flip in compared.flips {
            *self.report.changes.entry(flip.change).or_default() += 1;
            let row = Row {
                change: flip.change,
                question: question.to_owned(),
                rule: flip.rules.into_iter().next().unwrap_or_default(),
                tool: flip.tool,
                principal: compared.principal.clone(),
                approver: compared.by.clone(),
                active: compared.active,
            };
            if self.rows.len() >= MOST_ROWS && !self.rows.contains_key(&row) {
                self.report.beyond_rows += 1;
                continue;
            }
            let (count, calls) = self.rows.entry(row).or_default();
            *count += 1;
            calls.extend(compared.call);
            if calls.len() > EXAMPLES {
                calls.pop_front();
            }
        }
    }

    pub(super) fn report(&self, dropped: u64) -> ShadowReport {
        let mut flips: Vec<Flip> = self
            .rows
            .iter()
            .map(|(row, (count, calls))| Flip {
                row: row.clone(),
                count: *count,
                calls: calls.clone(),
            })
            .collect();
        flips.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.row.cmp(&b.row)));
        ShadowReport { dropped, flips, ..self.report.clone() }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::{Duty, Fault, Judge, Reason, Release};

    fn finding(verdict: Verdict, rule: &str) -> Finding {
        let reasons = vec![Reason::new(rule, "")];
        let release = (verdict == Verdict::Hold)
            .then(|| Release { expires: Duration::from_secs(1), ..Release::default() });
        Finding {
            judge: Judge::Policy,
            verdict,
            reasons,
            obligations: Vec::new(),
            release,
            fault: None,
        }
    }

    fn demanding(least: u64) -> Finding {
        let mut one = finding(Verdict::Allow, "r");
        let reason = Reason::new(format!("least{least}"), "");
        let duty = Duty::Reason { least };
        one.obligations.push(Obligation { reason, duty, changed: false });
        one
    }

    fn compared(own: Verdict, said: &Finding, says: &Finding) -> Vec<(Change, String)> {
        let nothing = Compared {
            question: Question::Admit,
            active: Digest::of("a", &[]),
            call: None,
            principal: "bot".parse().unwrap(),
            tool: None,
            by: None,
            flips: Vec::new(),
        };
        let flips = nothing.findings(own, said, says).flips;
        flips.into_iter().map(|flip| (flip.change, flip.rules.join(","))).collect()
    }

    #[test]
    fn differences_are_named_with_the_rule_behind_them() {
        use Verdict::{Allow, Deny, Hold};
        for was in [Allow, Hold, Deny] {
            for would in [Allow, Hold, Deny] {
                let (said, says) = (finding(was, "old"), finding(would, "new"));
                // What another judge denies stays denied.
                assert_eq!(compared(Deny, &said, &says), []);
                let found = compared(Allow, &said, &says);
                if was == would {
                    assert_eq!(found, []);
                } else {
                    let rule = if would > was { "new" } else { "old" };
                    let change = Change::of(was, would).unwrap();
                    assert_eq!(found, [(change, rule.to_owned())]);
                    assert_eq!(change.as_str(), format!("{was} -> {would}"));
                }
            }
        }
        // A candidate that fails denies.
        let failed = Finding { fault: Some(Fault::PolicyTimeout), ..finding(Allow, "late") };
        let found = compared(Allow, &finding(Allow, "old"), &failed);
        assert_eq!(found, [(Change::AllowToDeny, "late".to_owned())]);
        // Other people, other demands.
        let mut two = finding(Hold, "two");
        two.release.as_mut().unwrap().people = 2;
        let found = compared(Allow, &finding(Hold, "one"), &two);
        assert_eq!(found, [(Change::Release, "two".to_owned())]);
        assert_eq!(compared(Allow, &demanding(5), &demanding(5)), []);
        let found = compared(Allow, &demanding(5), &demanding(9));
        assert_eq!(found, [(Change::Obligations, "least9,least5".to_owned())]);
        let found = compared(Allow, &demanding(5), &finding(Allow, "r"));
        assert_eq!(found, [(Change::Obligations, "least5".to_owned())]);
    }

    #[test]
    fn rows_are_bounded_and_say_so() {
        let revision = Digest::of("c", &[]);
        let since = Timestamp::from_millis(0);
        let mut tally = Tally::new(ShadowReport::empty(revision, None, "x".into(), since));
        for count in 0..MOST_ROWS + 7 {
            let one = Compared {
                question: Question::Admit,
                active: revision,
                call: None,
                principal: format!("bot{count}").parse().unwrap(),
                tool: None,
                by: None,
                flips: Vec::new(),
            };
            let (said, says) = (finding(Verdict::Allow, "old"), finding(Verdict::Deny, "new"));
            tally.add(one.findings(Verdict::Allow, &said, &says), 1);
        }
        let report = tally.report(3);
        assert_eq!((report.flips.len(), report.beyond_rows), (MOST_ROWS, 7));
        assert_eq!((report.dropped, report.unrecorded), (3, MOST_ROWS as u64 + 7));
        assert_eq!(report.changes[&Change::AllowToDeny], MOST_ROWS as u64 + 7);
    }
}
