//! How a candidate's answer differs from the one that was given.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::domain::{Demand, Said, Verdict};

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

    pub(super) const fn of(was: Verdict, would: Verdict) -> Option<Self> {
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
    pub(super) const fn would(self) -> &'static str {
        match self {
            Self::DenyToAllow | Self::HoldToAllow => "would have allowed",
            Self::DenyToHold | Self::AllowToHold => "would have held",
            Self::HoldToDeny | Self::AllowToDeny => "would have denied",
            Self::Release => "would have held for other people",
            Self::Obligations => "would have demanded something else",
        }
    }

    /// What differs between two answers to one question, and the rules behind it: those of the
    /// stricter side, or those whose demands the other does not make.
    #[must_use]
    pub fn between(was: &Said, would: &Said) -> Option<(Self, Vec<String>)> {
        if let Some(change) = Self::of(was.verdict, would.verdict) {
            let stricter = if would.verdict > was.verdict { would } else { was };
            return Some((change, rules(stricter)));
        }
        if was.release != would.release {
            return Some((Self::Release, rules(would)));
        }
        let mut others = without(&would.demands, &was.demands);
        others.extend(without(&was.demands, &would.demands));
        (!others.is_empty()).then_some((Self::Obligations, others))
    }
}

pub(super) fn rules(said: &Said) -> Vec<String> {
    if said.rules.is_empty() {
        return vec!["(no rule spoke)".to_owned()];
    }
    let rules: BTreeSet<&String> = said.rules.iter().collect();
    rules.into_iter().cloned().collect()
}

/// The rules whose demands the others do not make.
fn without(these: &[Demand], others: &[Demand]) -> Vec<String> {
    let alone = these.iter().filter(|one| !others.iter().any(|other| other.duty == one.duty));
    alone.map(|one| one.rule.clone()).collect()
}
