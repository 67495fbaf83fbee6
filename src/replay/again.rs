//! One past question, asked again.

use crate::domain::{Duty, Fault, JsonText, Obligation, Question, Said, Timestamp, Verdict};
use crate::gate::{OBLIGATION, UNSAID, unsaid};
use crate::intercom::{fulfil, lookup};
use crate::policy::{Asked, Replay, Ruled};
use crate::tape::Kept;

use super::Past;

/// Why a past question cannot be asked again, or its answer not be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// Nothing was kept of it.
    NotKept,
    /// It is named, and the log has no decision of it in that time.
    Unknown,
    /// What was kept cannot be read.
    Unreadable,
    /// The content of an answer was not kept.
    Content,
    /// The rules look at what a write would change, which was not read then.
    Target,
    /// The rules look at what was counted of answers, which was not counted then.
    Uncounted,
    /// The rules change the call into one that was never judged.
    Edited,
    /// Policy ran out of time, or broke, which it need not do again.
    Failed,
    /// The rules that are asked again do not answer in time.
    Late,
    /// Something after policy decided: an edit that did not fit, a grant, a pseudonym.
    Afterwards,
    /// A written case names no verdict; of a list, no tools.
    NoVerdict,
}

impl Why {
    /// In words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotKept => "what policy was asked was not kept",
            Self::Unknown => "the log has no such decision in that time",
            Self::Unreadable => "what was kept cannot be read",
            Self::Content => "the rules look into answers, and this one's content was not kept",
            Self::Target => "the rules look at what a write would change, which was not read then",
            Self::Uncounted => "the rules look at counts of answers, which were not made then",
            Self::Edited => "the rules change the call into one that was never judged",
            Self::Failed => "policy ran out of time, or broke",
            Self::Late => "the rules did not answer in time",
            Self::Afterwards => "something after policy decided: an edit, a grant, a pseudonym",
            Self::NoVerdict => "the case names no verdict, or of a list no tools",
        }
    }
}

/// What was said then; an error if something else decided.
pub(super) fn recorded(past: &Past) -> Result<Said, Why> {
    let first = past.rounds.first().ok_or(Why::NotKept)?;
    // What another judge denied was denied, whatever policy would have said.
    if past.rounds.iter().any(|it| it.others != Verdict::Deny && is_passing(it.said.fault)) {
        return Err(Why::Failed);
    }
    let mut said = first.said.clone().under(first.others);
    if let Some(second) = past.rounds.get(1) {
        said = joined(said, second.said.clone().under(second.others));
    }
    let Some(decided) = past.decided else { return Ok(said) };
    // An agent that was to say why and did not: policy's demand decided.
    if decided == Verdict::Deny && said.verdict != Verdict::Deny {
        let reason = first.asked.reason.as_deref();
        let is_unsaid = said
            .demands
            .iter()
            .any(|demand| demand.known().is_some_and(|duty| unsaid(reason, &duty).is_some()));
        return if is_unsaid { Ok(denied(UNSAID, &said)) } else { Err(Why::Afterwards) };
    }
    if decided == said.verdict { Ok(said) } else { Err(Why::Afterwards) }
}

/// Faults that another evaluation need not have.
const fn is_passing(fault: Option<Fault>) -> bool {
    matches!(fault, Some(Fault::PolicyTimeout | Fault::PolicyPanic))
}

/// What a ruleset says.
pub(super) async fn ask(past: &Past, ruleset: &Replay) -> Result<Said, Why> {
    let first = past.rounds.first().ok_or(Why::NotKept)?;
    let ruled = put(past, first, ruleset).await?;
    let said = ruled.said().under(first.others);
    if past.question != Question::Admit || said.verdict == Verdict::Deny {
        return Ok(said);
    }
    match edit(&first.asked, &ruled.finding.obligations) {
        Edit::None => Ok(said),
        Edit::Denied(rule) => Ok(denied(rule, &said)),
        Edit::To(arguments) => {
            let is_same = |round: &&Kept| same(round.asked.arguments.text(), &arguments);
            let second = past.rounds.get(1).filter(is_same).ok_or(Why::Edited)?;
            let again = put(past, second, ruleset).await?;
            let more = again.said().under(second.others);
            match edit(&second.asked, &again.finding.obligations) {
                _ if more.verdict == Verdict::Deny => Ok(more),
                Edit::None => Ok(joined(said, more)),
                Edit::Denied(rule) => Ok(denied(rule, &more)),
                Edit::To(_) => Ok(denied(OBLIGATION, &more)),
            }
        }
    }
}

async fn put(past: &Past, round: &Kept, ruleset: &Replay) -> Result<Ruled, Why> {
    let asked = &round.asked;
    if past.question == Question::Disclose
        && asked.is_without_content()
        && ruleset.looks_into_answers()
    {
        return Err(Why::Content);
    }
    if !past.counted && ruleset.counts_answers() && ruleset.looks_at_trail(past.question) {
        return Err(Why::Uncounted);
    }
    let has_target = || lookup(asked.tool.as_deref()?, asked.arguments.text());
    if round.others != Verdict::Deny
        && asked.target.is_none()
        && ruleset.looks_at_targets()
        && has_target().is_some()
    {
        return Err(Why::Target);
    }
    let now = Timestamp::default();
    let ruled = ruleset.rule_on(past.question, asked, now).await;
    let ruled = ruled.map_err(|_| Why::Unreadable)?;
    // What they say is not known then; that the road denies for it is no answer of theirs. What
    // another judge denied stays denied all the same.
    let is_late = ruled.finding.fault == Some(Fault::PolicyTimeout);
    if is_late && round.others != Verdict::Deny { Err(Why::Late) } else { Ok(ruled) }
}

/// What demands come to, as on the road.
enum Edit {
    None,
    Denied(&'static str),
    To(JsonText),
}

fn edit(asked: &Asked, obligations: &[Obligation]) -> Edit {
    let duties: Vec<&Duty> =
        obligations.iter().map(|one| &one.duty).filter(|duty| duty.is_of_call()).collect();
    if duties.iter().any(|duty| unsaid(asked.reason.as_deref(), duty).is_some()) {
        return Edit::Denied(UNSAID);
    }
    if duties.is_empty() {
        return Edit::None;
    }
    let Some(tool) = &asked.tool else { return Edit::Denied(OBLIGATION) };
    match fulfil(tool, asked.arguments.text(), duties) {
        Err(_) => Edit::Denied(OBLIGATION),
        Ok(fulfilled) if fulfilled.changed.contains(&true) => Edit::To(fulfilled.arguments),
        Ok(_) => Edit::None,
    }
}

/// Whether two texts are one value: the road brings the changed one into its one form.
fn same(one: &JsonText, other: &JsonText) -> bool {
    let value = |text: &JsonText| serde_json::from_str::<serde_json::Value>(text.as_str()).ok();
    value(one).is_some_and(|one| value(other) == Some(one))
}

/// The second look at an edited call, with what the first one demanded.
fn joined(first: Said, mut second: Said) -> Said {
    if second.verdict != Verdict::Deny {
        second.demands.retain(|one| !first.demands.contains(one));
        second.demands.splice(0..0, first.demands);
    }
    second
}

/// A denial because of what is demanded.
fn denied(rule: &str, said: &Said) -> Said {
    let mut rules = vec![rule.to_owned()];
    for demand in &said.demands {
        if !rules.contains(&demand.rule) {
            rules.push(demand.rule.clone());
        }
    }
    Said {
        verdict: Verdict::Deny,
        rules,
        demands: Vec::new(),
        release: None,
        fault: None,
        tools: None,
    }
}
