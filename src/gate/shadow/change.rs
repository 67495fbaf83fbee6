//! How a candidate's answer differs from the one that was given.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::domain::{Action, Confirm, Demand, Escalation, OnDisconnect, Release, Said, Verdict};

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

    /// What differs between two answers to one question.
    #[must_use]
    pub fn between(was: &Said, would: &Said) -> Option<Contrast> {
        let (gone, new) = (without(&was.demands, would), without(&would.demands, was));
        // Two demands may read the same: what is of one call alone is not in their words.
        let said = |sign: char, these: &[&Demand]| -> BTreeSet<String> {
            these.iter().map(|one| format!("{sign} {} ({})", one.words(), one.rule)).collect()
        };
        let demands: Vec<String> = said('-', &gone).into_iter().chain(said('+', &new)).collect();
        if let Some(change) = Self::of(was.verdict, would.verdict) {
            let stricter = if would.verdict > was.verdict { would } else { was };
            return Some(Contrast { change, rules: rules(stricter), demands });
        }
        if was.release != would.release {
            let demands = conditions(was, would).chain(demands).collect();
            return Some(Contrast { change: Self::Release, rules: rules(would), demands });
        }
        let rules: Vec<String> = new.iter().chain(&gone).map(|one| one.rule.clone()).collect();
        let change = Self::Obligations;
        (!rules.is_empty()).then_some(Contrast { change, rules, demands })
    }
}

/// One difference between two answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// How.
    pub contrast: Contrast,
    /// The tool that it is about, if it is about one.
    pub tool: Option<String>,
    /// What was decided of it.
    pub was: Verdict,
    /// What would be.
    pub would: Verdict,
}

/// What differs between two answers to one question about `tool`; of two lists, each tool that only one
/// of them shows.
#[must_use]
pub fn differences(tool: Option<&str>, was: &Said, would: &Said) -> Vec<Difference> {
    let (Some(shown), Some(to_show)) = (&was.tools, &would.tools) else {
        let tool = tool.map(str::to_owned);
        let of = |contrast| Difference { contrast, tool, was: was.verdict, would: would.verdict };
        return Change::between(was, would).map(of).into_iter().collect();
    };
    let only_one = shown.symmetric_difference(to_show).map(|tool| {
        let (change, was, would, stricter) = if shown.contains(tool) {
            (Change::AllowToDeny, Verdict::Allow, Verdict::Deny, would)
        } else {
            (Change::DenyToAllow, Verdict::Deny, Verdict::Allow, was)
        };
        let contrast = Contrast { change, rules: rules(stricter), demands: Vec::new() };
        Difference { contrast, tool: Some(tool.clone()), was, would }
    });
    only_one.collect()
}

/// How two answers to one question differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contrast {
    /// In what.
    pub change: Change,
    /// The rules behind it: those of the stricter side, or those whose demands the other does not make.
    pub rules: Vec<String>,
    /// The demands that only one of them makes, in words with their rules, and before them the conditions
    /// of a release that are others: behind `-` what the candidate
    /// does without, behind `+` what it demands anew. Also where the verdict differs.
    pub demands: Vec<String>,
}

fn rules(said: &Said) -> Vec<String> {
    if said.rules.is_empty() {
        return vec!["(no rule spoke)".to_owned()];
    }
    let rules: BTreeSet<&String> = said.rules.iter().collect();
    rules.into_iter().cloned().collect()
}

/// The demands that the other answer does not make.
fn without<'a>(these: &'a [Demand], other: &Said) -> Vec<&'a Demand> {
    these.iter().filter(|one| !other.demands.iter().any(|it| it.duty == one.duty)).collect()
}

/// The conditions of a release that are others: who, how many, until when, and what else.
fn conditions(was: &Said, would: &Said) -> impl Iterator<Item = String> + use<> {
    let members = |said: &Said| said.release.as_ref().map(members).unwrap_or_default();
    let (was, would) = (members(was), members(would));
    let others = was.into_iter().zip(would).filter(|(was, would)| was != would);
    others.flat_map(|((name, was), (_, would))| {
        [format!("- {name}: {was}"), format!("+ {name}: {would}")]
    })
}

/// The members of a set of conditions, in words.
fn members(release: &Release) -> Vec<(&'static str, String)> {
    // By name, so that a new member is thought of here.
    let Release {
        groups,
        people,
        expires,
        distinct_groups,
        extend,
        escalate,
        actions,
        step_up_minutes,
        grantable,
        on_disconnect,
        confirm,
    } = release;
    let list = |names: &[String]| match names {
        [] => "everybody".to_owned(),
        names => names.join(" or "),
    };
    let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
    let later = |it: &Escalation| format!("after {} s to {}", it.after.as_secs(), list(&it.groups));
    let all = |actions: &BTreeSet<Action>| {
        actions.iter().map(|action| action.as_str()).collect::<Vec<_>>().join(", ")
    };
    vec![
        ("people", people.to_string()),
        ("groups", list(groups)),
        ("distinct groups", yes(*distinct_groups)),
        ("expires", format!("{} s", expires.as_secs())),
        ("extend", format!("{} s", extend.as_secs())),
        ("escalate", escalate.as_ref().map_or_else(|| "never".to_owned(), later)),
        ("actions", actions.as_ref().map_or_else(|| "all".to_owned(), all)),
        (
            "step-up",
            step_up_minutes.map_or_else(|| "not said".to_owned(), |it| format!("{it} min")),
        ),
        ("grantable", yes(*grantable)),
        ("cancelled by a disconnect", yes(*on_disconnect == OnDisconnect::Cancel)),
        ("confirmed by the requester", yes(*confirm == Confirm::Requester)),
    ]
}
