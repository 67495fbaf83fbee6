//! Findings of judges, and the one pure function that joins them.

use serde::{Deserialize, Serialize};

use super::{Digest, Obligation, Release, Verdict};

/// The four questions put to judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Question {
    /// Which tools may the principal see?
    Visible,
    /// May this call go to Intercom?
    Admit,
    /// May this answer go to the principal?
    Disclose,
    /// May this person release this hold now?
    Approve,
}

impl Question {
    /// All four.
    pub const ALL: [Self; 4] = [Self::Visible, Self::Admit, Self::Disclose, Self::Approve];

    /// The word, which is also the entry point's name in Rego.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Visible => "visible",
            Self::Admit => "admit",
            Self::Disclose => "disclose",
            Self::Approve => "approve",
        }
    }
}

/// Who looked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "name", rename_all = "snake_case")]
pub enum Judge {
    /// The Rego policy.
    Policy,
    /// A wasm plugin, by its configured name.
    Plugin(String),
    /// Portcullis' own checks: catalogue, pins, limits.
    Portcullis,
}

/// Why a judge could not do its work. Every one of them denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The evaluation ended in an error.
    PolicyError,
    /// The engine panicked.
    PolicyPanic,
    /// The deadline passed, or the instruction budget was spent.
    PolicyTimeout,
    /// The answer had another shape than the contract's.
    PolicyInvalidResult,
    /// The input was over its bound.
    PolicyInputTooLarge,
    /// A plugin that configuration requires is not loaded.
    PluginAbsent,
    /// A plugin broke off: a trap, or an end that its contract does not have.
    PluginTrap,
    /// A plugin took longer than it may.
    PluginTimeout,
    /// A plugin wanted more memory, stack or table than it may have.
    PluginMemory,
    /// A plugin gave a report that does not fit its contract or what it was given.
    PluginInvalidResult,
    /// A plugin says itself that it could not look.
    PluginError,
    /// A plugin failed so often that it is not asked for a while.
    PluginSuspended,
    /// What a plugin should look at is over its bound.
    PluginInputTooLarge,
    /// Nobody judged.
    NoJudge,
}

/// One rule that spoke, for the record, the agent and the approver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The rule's name, such as `portcullis.admit.write_without_release`, or a name of ours.
    pub rule: String,
    /// File of the bundle, relative to its root, and line; absent for our own checks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// What the agent is told: plain words, no personal data.
    pub text: String,
    /// The rule's title, for everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What the agent could do instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Whether the agent is told nothing but that a rule spoke.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub internal: bool,
}

impl Reason {
    /// Whether somebody who looks for a rule by (a part of) its name or title means this one.
    #[must_use]
    pub fn is_by(&self, words: &str) -> bool {
        let words = words.to_lowercase();
        let named = |text: &String| text.to_lowercase().contains(&words);
        named(&self.rule) || self.title.as_ref().is_some_and(named)
    }

    /// A reason of our own checks.
    #[must_use]
    pub fn new(rule: impl Into<String>, text: impl Into<String>) -> Self {
        let (rule, text) = (rule.into(), text.into());
        Self { rule, at: None, text, title: None, hint: None, internal: false }
    }
}

/// What one judge saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Who looked.
    pub judge: Judge,
    /// What it says.
    pub verdict: Verdict,
    /// The rules that spoke.
    pub reasons: Vec<Reason>,
    /// What it demands if the call or answer passes.
    pub obligations: Vec<Obligation>,
    /// For a hold: its conditions.
    pub release: Option<Release>,
    /// Set if the judge could not do its work; the verdict is then `deny`.
    pub fault: Option<Fault>,
}

impl Finding {
    /// A judge that failed: always `deny`, with the fault's name and an inward-looking text.
    #[must_use]
    pub fn fault(judge: Judge, fault: Fault, rule: &str, text: impl Into<String>) -> Self {
        let reasons = vec![Reason { internal: true, ..Reason::new(rule, text) }];
        Self {
            judge,
            verdict: Verdict::Deny,
            reasons,
            obligations: Vec::new(),
            release: None,
            fault: Some(fault),
        }
    }

    /// A denial by Portcullis' own checks.
    #[must_use]
    pub fn denied(rule: &str, text: impl Into<String>) -> Self {
        Self::denied_because(vec![Reason::new(rule, text)])
    }

    /// Portcullis wants a person to look, whatever the rules say.
    #[must_use]
    pub fn held(rule: &str, text: impl Into<String>) -> Self {
        let denied = Self::denied(rule, text);
        Self { verdict: Verdict::Hold, ..denied }
    }

    /// A denial by Portcullis, for these reasons.
    #[must_use]
    pub const fn denied_because(reasons: Vec<Reason>) -> Self {
        Self {
            judge: Judge::Portcullis,
            verdict: Verdict::Deny,
            reasons,
            obligations: Vec::new(),
            release: None,
            fault: None,
        }
    }
}

/// The joined answer to one question, bound to the ruleset that gave it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Which question.
    pub question: Question,
    /// The strictest verdict of all judges.
    pub verdict: Verdict,
    /// Every rule that spoke for the verdict that won, then the others.
    pub reasons: Vec<Reason>,
    /// What the judges demand beside the verdict; empty if that is `deny`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub obligations: Vec<Obligation>,
    /// For an answer that obligations changed: the keyed digest of what was left of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<Digest>,
    /// For a hold: the joined conditions of release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Release>,
    /// Judges that failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
    /// The policy revision.
    pub ruleset: Digest,
}

/// Joins findings into a decision: the strictest verdict wins, and nobody judging denies.
///
/// More findings never loosen a decision, and their order does not matter to the verdict.
#[must_use]
pub fn decide(question: Question, ruleset: Digest, findings: Vec<Finding>) -> Decision {
    let findings = if findings.is_empty() {
        let text = "no judge looked at this call";
        vec![Finding::fault(Judge::Portcullis, Fault::NoJudge, "portcullis.no_judge", text)]
    } else {
        findings
    };
    let verdict = findings
        .iter()
        .map(|finding| if finding.fault.is_some() { Verdict::Deny } else { finding.verdict })
        .fold(Verdict::Allow, Verdict::join);
    let mut winning = Vec::new();
    let mut others = Vec::new();
    let mut faults = Vec::new();
    let mut obligations: Vec<Obligation> = Vec::new();
    let mut release: Option<Release> = None;
    for finding in findings {
        faults.extend(finding.fault);
        for one in finding.obligations {
            if !obligations.contains(&one) {
                obligations.push(one);
            }
        }
        let spoke = if finding.verdict == verdict { &mut winning } else { &mut others };
        spoke.extend(finding.reasons);
        if let Some(conditions) = finding.release {
            release = Some(match release {
                Some(already) => already.join(conditions),
                None => conditions,
            });
        }
    }
    winning.append(&mut others);
    let release = (verdict == Verdict::Hold).then(|| release.unwrap_or_default());
    if verdict == Verdict::Deny {
        obligations.clear();
    }
    let reasons = winning;
    Decision { question, verdict, reasons, obligations, shown: None, release, faults, ruleset }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn verdicts() -> impl Strategy<Value = Verdict> {
        prop_oneof![Just(Verdict::Allow), Just(Verdict::Hold), Just(Verdict::Deny)]
    }

    fn findings(least: usize) -> impl Strategy<Value = Vec<Finding>> {
        let release = (proptest::collection::vec("[a-c]", 0..3), 1u32..3, 1u64..100).prop_map(
            |(groups, people, secs)| {
                let expires = Duration::from_secs(secs);
                Release { groups, people, expires, ..Release::default() }
            },
        );
        let finding = (verdicts(), proptest::option::of(release), any::<bool>()).prop_map(
            |(verdict, release, broken)| Finding {
                judge: Judge::Policy,
                verdict,
                reasons: Vec::new(),
                obligations: Vec::new(),
                release,
                fault: broken.then_some(Fault::PolicyError),
            },
        );
        proptest::collection::vec(finding, least..5)
    }

    fn ruleset() -> Digest {
        Digest::of("test", &[])
    }

    proptest! {
        #[test]
        fn join_is_a_semilattice_with_deny_on_top(a in verdicts(), b in verdicts(), c in verdicts()) {
            prop_assert_eq!(a.join(b), b.join(a));
            prop_assert_eq!(a.join(b.join(c)), a.join(b).join(c));
            prop_assert_eq!(a.join(a), a);
            prop_assert_eq!(a.join(Verdict::Deny), Verdict::Deny);
        }

        #[test]
        fn one_more_finding_never_loosens(mut list in findings(1), more in findings(0)) {
            let before = decide(Question::Admit, ruleset(), list.clone());
            list.extend(more);
            let after = decide(Question::Admit, ruleset(), list);
            prop_assert!(after.verdict >= before.verdict);
            if let (Some(was), Some(is)) = (before.release, after.release) {
                prop_assert!(is.people >= was.people || was == Release::default());
            }
        }

        #[test]
        fn order_does_not_matter(list in findings(0)) {
            let mut reversed = list.clone();
            reversed.reverse();
            let (a, b) = (decide(Question::Admit, ruleset(), list), decide(Question::Admit, ruleset(), reversed));
            prop_assert_eq!(a.verdict, b.verdict);
        }

        #[test]
        fn a_fault_denies(mut list in findings(0)) {
            list.push(Finding::fault(Judge::Policy, Fault::PolicyPanic, "x", "y"));
            prop_assert_eq!(decide(Question::Admit, ruleset(), list).verdict, Verdict::Deny);
        }
    }

    #[test]
    fn reasons_of_old_records_are_read_and_new_ones_say_no_more_than_they_must() {
        let old = r#"{"rule":"a","at":"x.rego:1","text":"b"}"#;
        let reason: Reason = serde_json::from_str(old).unwrap();
        assert_eq!(reason, Reason { at: Some("x.rego:1".to_owned()), ..Reason::new("a", "b") });
        assert_eq!(serde_json::to_string(&reason).unwrap(), old);
    }

    #[test]
    fn nobody_judging_denies() {
        let decision = decide(Question::Admit, ruleset(), Vec::new());
        assert_eq!((decision.verdict, decision.faults), (Verdict::Deny, vec![Fault::NoJudge]));
    }
}
