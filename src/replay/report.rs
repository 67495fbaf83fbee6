//! What a candidate would have done, counted and listed.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Past, Why};
use crate::domain::{Action, Demand, Digest, Duty, Question, Said, Timestamp, Verdict};
pub use crate::gate::Change;
use crate::gate::{Contrast, Difference, differences};
use crate::policy::Replay;

/// Rows that are listed, the most dangerous first; further ones are only counted.
pub(super) const MOST_ROWS: usize = 10_000;
/// Records that are named with one kind of difference.
const EXAMPLES: usize = 5;

/// What the candidate is compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Base {
    /// What was decided then.
    Recorded,
    /// What another revision says now.
    Revision {
        /// Which.
        revision: Digest,
    },
}

/// How many past questions of one sort there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Total {
    /// All of them.
    pub records: u64,
    /// Those that were asked again and answered.
    pub asked: u64,
    /// Those on which both sides say the same.
    pub unchanged: u64,
    /// Those that were asked again and not answered in time, of which nothing is known.
    pub not_in_time: u64,
}

/// One past question that would be decided otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The decision: the call's id, or the place of a written case.
    pub decision: String,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Which question.
    pub question: Question,
    /// Who called.
    pub principal: String,
    /// Which person wanted to decide on a held call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approver: Option<String>,
    /// What that person wanted to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// Of what: the tool, or the method.
    pub tool: String,
    /// How it differs.
    pub change: Change,
    /// What was decided.
    pub was: Verdict,
    /// What would be.
    pub would: Verdict,
    /// The rules behind it.
    pub rules: Vec<String>,
    /// What only one side demands: behind `-` what was demanded, behind `+` what would be.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub demands: Vec<String>,
}

/// Differences of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct By {
    /// How they differ.
    pub change: Change,
    /// Which question.
    pub question: Question,
    /// Who called.
    pub principal: String,
    /// Which person wanted to decide on a held call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approver: Option<String>,
    /// Of what.
    pub tool: String,
    /// The rules behind it.
    pub rules: Vec<String>,
    /// How many.
    pub count: u64,
    /// Some of them.
    pub decisions: Vec<String>,
}

/// Answers in which a kind of value would be treated otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Redaction {
    /// The kind.
    pub kind: String,
    /// What was done to it; `nothing`, or the ways of redacting.
    pub was: String,
    /// What would be.
    pub would: String,
    /// In how many answers.
    pub count: u64,
}

/// A demand, other than to redact, that only one side makes: behind `-` what was demanded, behind `+`
/// what would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Demanded {
    /// In words, with its rule.
    pub demand: String,
    /// Of how many calls or answers.
    pub count: u64,
}

/// A rule of the candidate that never spoke.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Silent {
    /// Its name in decisions.
    pub rule: String,
    /// `file:line`.
    pub at: String,
}

/// What a candidate would have done.
#[derive(Debug, Clone, Serialize)]
pub struct Impact {
    /// The candidate.
    pub candidate: Digest,
    /// What it is compared with.
    pub base: Base,
    /// By question.
    pub totals: BTreeMap<&'static str, Total>,
    /// How many differ, by how.
    pub changes: BTreeMap<Change, u64>,
    /// By how, question, principal, tool and rules; the most dangerous first.
    pub by: Vec<By>,
    /// Differences in what is redacted.
    pub redactions: Vec<Redaction>,
    /// Differences in what is demanded otherwise.
    pub demands: Vec<Demanded>,
    /// Rules that never spoke.
    pub silent: Vec<Silent>,
    /// What could not be asked again, and why.
    pub not_replayable: BTreeMap<&'static str, u64>,
    /// Each difference: the most dangerous first, those alike in the order of their questions.
    pub rows: Vec<Row>,
    /// Differences that have no row any more: the least dangerous and latest.
    pub beyond_rows: u64,
    /// Parts of what was kept that could not be read.
    pub unread: u64,
    #[serde(skip)]
    gathered: Gathered,
}

/// What makes differences alike.
type Kind = (Change, &'static str, String, Option<String>, String, Vec<String>);

/// What is still being counted.
#[derive(Debug, Clone, Default)]
struct Gathered {
    by: BTreeMap<Kind, By>,
    redactions: BTreeMap<(String, String, String), u64>,
    demands: BTreeMap<String, u64>,
    rows: BTreeMap<(Change, u64), Row>,
    spoke: BTreeSet<String>,
}

impl Impact {
    pub(super) fn new(candidate: &Replay, base: Option<&Replay>) -> Self {
        Self {
            candidate: candidate.revision(),
            base: base.map_or(Base::Recorded, |base| Base::Revision { revision: base.revision() }),
            totals: BTreeMap::new(),
            changes: BTreeMap::new(),
            by: Vec::new(),
            redactions: Vec::new(),
            demands: Vec::new(),
            silent: Vec::new(),
            not_replayable: BTreeMap::new(),
            rows: Vec::new(),
            beyond_rows: 0,
            unread: 0,
            gathered: Gathered::default(),
        }
    }

    /// How many past questions were asked again and answered.
    #[must_use]
    pub fn asked(&self) -> u64 {
        self.totals.values().map(|total| total.asked).sum()
    }

    /// How many were asked again and not answered in time.
    #[must_use]
    pub fn not_in_time(&self) -> u64 {
        self.totals.values().map(|total| total.not_in_time).sum()
    }

    /// Counts questions that could not be asked again, or were not answered.
    pub(super) fn unasked(&mut self, question: Question, why: Why, count: u64) {
        if count == 0 {
            return;
        }
        let total = self.totals.entry(question.as_str()).or_default();
        total.records += count;
        match why {
            Why::Late => total.not_in_time += count,
            why => *self.not_replayable.entry(why.as_str()).or_default() += count,
        }
    }

    /// Counts one that was.
    pub(super) fn compared(&mut self, past: &Past, recorded: bool, was: &Said, would: &Said) {
        let spoke = would.rules.iter().chain(would.demands.iter().map(|demand| &demand.rule));
        self.gathered.spoke.extend(spoke.cloned());
        let total = self.totals.entry(past.question.as_str()).or_default();
        (total.records, total.asked) = (total.records + 1, total.asked + 1);
        let (verdict, tools) = (was.verdict, was.tools.clone());
        let like_it = Said { verdict, tools, ..would.clone() };
        let was = if past.verdict_only && recorded { &like_it } else { was };
        let asked = past.rounds.first().map(|round| &round.asked);
        let tool = asked.and_then(|asked| asked.tool.as_deref().or(asked.method.as_deref()));
        let found = differences(tool, was, would);
        if found.is_empty() {
            total.unchanged += 1;
            return;
        }
        for difference in redactions(was, would) {
            *self.gathered.redactions.entry(difference).or_default() += 1;
        }
        // Those that redact are counted by kind.
        let others = Change::between(&but_redactions(was), &but_redactions(would));
        for demand in others.map(|others| others.demands).unwrap_or_default() {
            *self.gathered.demands.entry(demand).or_default() += 1;
        }
        for difference in found {
            self.list(past, difference);
        }
    }

    /// Counts a difference, and lists it by itself and with those of its kind.
    fn list(&mut self, past: &Past, difference: Difference) {
        let Difference { contrast, tool, was, would } = difference;
        let Contrast { change, rules, demands } = contrast;
        *self.changes.entry(change).or_default() += 1;
        let asked = past.rounds.first().map(|round| &round.asked);
        let principal = asked.and_then(|asked| asked.principal.id.clone()).unwrap_or_default();
        let releaser = asked.and_then(|asked| asked.approver.as_ref());
        let approver = releaser.map(|it| it.id.clone());
        let action = releaser.and_then(|it| it.action);
        let (question, tool) = (past.question, tool.unwrap_or_default());
        let (who, what) = ((principal.clone(), approver.clone()), (tool.clone(), rules.clone()));
        let key = (change, question.as_str(), who.0, who.1, what.0, what.1);
        let by = self.gathered.by.entry(key).or_insert_with(|| By {
            change,
            question,
            principal: principal.clone(),
            approver: approver.clone(),
            tool: tool.clone(),
            rules: rules.clone(),
            count: 0,
            decisions: Vec::new(),
        });
        by.count += 1;
        if by.decisions.len() < EXAMPLES {
            by.decisions.push(past.name.clone());
        }
        let row = Row {
            decision: past.name.clone(),
            at: asked.and_then(|asked| asked.now),
            question,
            principal,
            approver,
            action,
            tool,
            change,
            was,
            would,
            rules,
            demands,
        };
        let number = self.changes.values().sum();
        self.gathered.rows.insert((change, number), row);
        if self.gathered.rows.len() > MOST_ROWS {
            self.gathered.rows.pop_last();
            self.beyond_rows += 1;
        }
    }

    /// With what is known when all were asked.
    pub(super) fn finished(mut self, candidate: &Replay) -> Self {
        let Gathered { by, redactions, demands, rows, spoke } = std::mem::take(&mut self.gathered);
        self.rows = rows.into_values().collect();
        let demands = demands.into_iter();
        self.demands = demands.map(|(demand, count)| Demanded { demand, count }).collect();
        self.by = by.into_values().collect();
        self.by.sort_by(|a, b| a.change.cmp(&b.change).then(b.count.cmp(&a.count)));
        let redaction = |((kind, was, would), count)| Redaction { kind, was, would, count };
        self.redactions = redactions.into_iter().map(redaction).collect();
        let asked = self.totals.iter().filter(|(_, total)| total.asked > 0);
        let words: Vec<&str> = asked.map(|(word, _)| *word).collect();
        let questions = Question::ALL.into_iter().filter(|one| words.contains(&one.as_str()));
        let rules = questions.flat_map(|question| candidate.rules_of(question));
        let silent = rules.filter(|(rule, _)| !spoke.contains(rule));
        self.silent = silent.map(|(rule, at)| Silent { rule, at }).collect();
        self
    }
}

/// The kinds that two answers treat otherwise: kind, then, now.
fn redactions(was: &Said, would: &Said) -> Vec<(String, String, String)> {
    let (was, would) = (ways(&was.demands), ways(&would.demands));
    let kinds: BTreeSet<&String> = was.keys().chain(would.keys()).collect();
    let words = |ways: Option<&BTreeSet<String>>| match ways {
        Some(ways) => ways.iter().cloned().collect::<Vec<_>>().join(", "),
        None => "nothing".to_owned(),
    };
    let differing = kinds.into_iter().filter(|kind| was.get(*kind) != would.get(*kind));
    differing.map(|kind| (kind.clone(), words(was.get(kind)), words(would.get(kind)))).collect()
}

/// How each kind is redacted.
fn ways(demands: &[Demand]) -> BTreeMap<String, BTreeSet<String>> {
    let mut ways: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for demand in demands {
        let Some(Duty::Redact(redact)) = demand.known() else { continue };
        let way = redact.way();
        for kind in redact.kinds {
            ways.entry(kind).or_default().insert(way.clone());
        }
    }
    ways
}

/// The answer without its demands to redact.
fn but_redactions(said: &Said) -> Said {
    let is_other = |one: &&Demand| !matches!(one.known(), Some(Duty::Redact(_)));
    Said { demands: said.demands.iter().filter(is_other).cloned().collect(), ..said.clone() }
}
