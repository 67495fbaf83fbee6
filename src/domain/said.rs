//! What policy said of a question, in the form in which it is kept and compared.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Duty, Fault, Finding, Release, Verdict};

/// What policy, and the judges beside it, came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// The verdict; of a judge that failed, `deny`.
    pub verdict: Verdict,
    /// The rules that spoke, each once, in their order.
    pub rules: Vec<String>,
    /// What is demanded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub demands: Vec<Demand>,
    /// The conditions of a release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Release>,
    /// Set if policy could not do its work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// Of a list of tools: those that are shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<BTreeSet<String>>,
}

/// One demand and its rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Demand {
    /// The rule.
    pub rule: String,
    /// What it demands, as it is written in Rego.
    pub duty: serde_json::Value,
}

impl Demand {
    /// What it demands, if this version knows it.
    #[must_use]
    pub fn known(&self) -> Option<Duty> {
        serde_json::from_value(self.duty.clone()).ok()
    }

    /// What it demands, in words.
    #[must_use]
    pub fn words(&self) -> String {
        self.known().map_or_else(|| "something unknown".to_owned(), |duty| duty.words())
    }
}

impl From<&Finding> for Said {
    fn from(finding: &Finding) -> Self {
        let mut rules: Vec<String> = Vec::new();
        for reason in &finding.reasons {
            if !rules.contains(&reason.rule) {
                rules.push(reason.rule.clone());
            }
        }
        let demand = |one: &super::Obligation| Demand {
            rule: one.reason.rule.clone(),
            duty: one.duty.written(),
        };
        Self {
            verdict: if finding.fault.is_some() { Verdict::Deny } else { finding.verdict },
            rules,
            demands: finding.obligations.iter().map(demand).collect(),
            release: finding.release.clone(),
            fault: finding.fault,
            tools: None,
        }
    }
}

impl Said {
    /// With the verdict of other judges, which can only be stricter.
    #[must_use]
    pub fn under(mut self, others: Verdict) -> Self {
        self.verdict = self.verdict.join(others);
        if self.verdict == Verdict::Deny {
            self.demands.clear();
        }
        if self.verdict != Verdict::Hold {
            self.release = None;
        }
        self
    }
}
