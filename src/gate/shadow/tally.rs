//! Where a candidate says otherwise: compared, counted, shown.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::change::{self, Change, Contrast};
use crate::domain::{
    ApproverId, CallId, Digest, Finding, PrincipalId, Question, Said, ShadowFacts, Timestamp,
    Verdict,
};

/// Rows of a report; further ones are counted together.
const MOST_ROWS: usize = 1000;
/// Calls that are named with a row.
const EXAMPLES: usize = 5;

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
    /// When it began to watch again, if the process was started anew meanwhile. The counts go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumed: Option<Timestamp>,
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
            resumed: None,
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
    /// What only one of the two demands: behind `-` the active revision, behind `+` the candidate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub demands: Vec<String>,
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
    contrast: Contrast,
    tool: Option<String>,
    was: Verdict,
    would: Verdict,
}

impl Compared {
    /// Compares what was said with what the candidate says; `own` binds both.
    pub(super) fn findings(mut self, own: Verdict, said: &Finding, says: &Finding) -> Self {
        let (was, would) = (Said::from(said).under(own), Said::from(says).under(own));
        if let Some(contrast) = Change::between(&was, &would) {
            let (was, would) = (was.verdict, would.verdict);
            self.flips.push(Difference { contrast, tool: self.tool.clone(), was, would });
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
            let (tool, rules) = (Some(tool.clone()), change::rules(&Said::from(finding)));
            let contrast = Contrast { change, rules, demands: Vec::new() };
            self.flips.push(Difference { contrast, tool, was, would });
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
                demands: flip.contrast.demands.clone(),
                revision,
            })
            .collect()
    }
}

/// The counts.
pub(super) struct Tally {
    report: ShadowReport,
    rows: BTreeMap<Row, (u64, VecDeque<CallId>)>,
}

impl Tally {
    /// Goes on from a report.
    pub(super) fn new(mut report: ShadowReport) -> Self {
        let flips = std::mem::take(&mut report.flips).into_iter();
        let rows = flips.map(|flip| (flip.row, (flip.count, flip.calls))).collect();
        Self { report, rows }
    }

    pub(super) fn add(&mut self, compared: Compared, unrecorded: u64) {
        self.report.unrecorded += unrecorded;
        let question = compared.question.as_str();
        *self.report.asked.entry(question.to_owned()).or_default() += 1;
        for flip in compared.flips {
            let Contrast { change, rules, demands } = flip.contrast;
            *self.report.changes.entry(change).or_default() += 1;
            let row = Row {
                change,
                question: question.to_owned(),
                rule: rules.into_iter().next().unwrap_or_default(),
                tool: flip.tool,
                principal: compared.principal.clone(),
                approver: compared.by.clone(),
                active: compared.active,
                demands,
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
        let dropped = self.report.dropped + dropped;
        ShadowReport { dropped, flips, ..self.report.clone() }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::{Duty, Fault, Judge, Obligation, Reason, Release};

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

    fn contrasts(own: Verdict, said: &Finding, says: &Finding) -> Vec<Contrast> {
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
        flips.into_iter().map(|flip| flip.contrast).collect()
    }

    fn compared(own: Verdict, said: &Finding, says: &Finding) -> Vec<(Change, String)> {
        let contrasts = contrasts(own, said, says).into_iter();
        contrasts.map(|it| (it.change, it.rules.join(","))).collect()
    }

    /// What is demanded otherwise is told also where the verdict is another.
    #[test]
    fn a_flip_says_which_demands_changed() {
        let duty = |json: serde_json::Value| serde_json::from_value::<Duty>(json).unwrap();
        let least = |least| duty(serde_json::json!({"reason": {"least": least}}));
        let cap = duty(serde_json::json!({"cap": {"argument": "per_page", "most": 20}}));
        let mask =
            duty(serde_json::json!({"redact": {"kinds": ["email", "phone"], "how": "mask"}}));
        let one = duty(serde_json::json!(
            {"filter": {"field": "state", "operator": "eq", "values": ["open"]}}
        ));
        let demanding = |verdict: Verdict, duties: &[(&str, &Duty)]| {
            let mut all = finding(verdict, "r");
            let demand = |(rule, duty): &(&str, &Duty)| Obligation {
                reason: Reason::new(*rule, ""),
                duty: (*duty).clone(),
                changed: false,
            };
            all.obligations = duties.iter().map(demand).collect();
            all
        };
        use Verdict::{Allow, Deny, Hold};
        let rows: [(Finding, Finding, &[&str]); 5] = [
            (
                demanding(Allow, &[("a", &cap), ("b", &mask)]),
                demanding(Hold, &[("b", &mask), ("c", &one)]),
                &["- cap `per_page` at 20 (a)", "+ only where `state` eq open (c)"],
            ),
            (
                demanding(Deny, &[]),
                demanding(Allow, &[("b", &mask)]),
                &["+ email, phone: mask (b)"],
            ),
            (
                demanding(Hold, &[("a", &cap)]),
                demanding(Deny, &[]),
                &["- cap `per_page` at 20 (a)"],
            ),
            (
                demanding(Allow, &[("a", &least(5))]),
                demanding(Allow, &[("a", &least(9))]),
                &[
                    "- a reason of at least 5 characters (a)",
                    "+ a reason of at least 9 characters (a)",
                ],
            ),
            (demanding(Allow, &[("a", &cap)]), demanding(Hold, &[("z", &cap)]), &[]),
        ];
        for (said, says, demands) in rows {
            let [contrast] = contrasts(Allow, &said, &says).try_into().unwrap();
            assert_eq!(contrast.demands, demands, "{contrast:?}");
        }
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
        // Another process goes on where this one was.
        let text = serde_json::to_string(&report).unwrap();
        let again = Tally::new(serde_json::from_str(&text).unwrap());
        assert_eq!(again.report(0), report);
        assert_eq!(again.report(4).dropped, 7);
    }
}
