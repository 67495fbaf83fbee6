//! Past questions as cases that `policy test` runs, and cases as past questions.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};

use super::{Mask, Past, Why};
use crate::domain::{Fault, Question, Said, Verdict};
use crate::policy::{self, LoadErrors, Replay, Source};
use crate::tape::{Entry, Kept};

/// A case as a past question; or the reason why it cannot be compared.
pub type Fixture = Result<Past, (Question, Why)>;

/// The cases of a folder as past questions: what they expect is what was said. A case that names no
/// verdict comes with the reason why it cannot be compared.
///
/// # Errors
/// If the folder or a file of cases cannot be read.
pub fn fixtures(source: &Source) -> Result<Vec<Fixture>, LoadErrors> {
    let past = |case: policy::WrittenCase| -> Fixture {
        let policy::WrittenCase { name, question, asked, verdict, rule, tools } = case;
        let tools: Option<BTreeSet<String>> = tools.map(|tools| tools.into_iter().collect());
        // A list is what is on it.
        let verdict = match (question, &tools) {
            (Question::Visible, Some(_)) => Some(verdict.unwrap_or(Verdict::Allow)),
            (Question::Visible, None) => None,
            _ => verdict,
        };
        let verdict = verdict.ok_or((question, Why::NoVerdict))?;
        let rules = rule.into_iter().map(|rule| full(question, rule)).collect();
        let (demands, release, fault) = (Vec::new(), None, None);
        let said = Said { verdict, rules, demands, release, fault, tools };
        let rounds = vec![Kept { asked, others: Verdict::Allow, said }];
        let decided = None;
        Ok(Past { name, question, rounds, counted: true, decided, verdict_only: true })
    };
    Ok(policy::cases(source)?.into_iter().map(past).collect())
}

/// A rule's name with its question.
fn full(question: Question, rule: String) -> String {
    let begins = format!("{}.", question.as_str());
    if rule.starts_with(&begins) || rule.starts_with("portcullis.") { rule } else { begins + &rule }
}

/// What became of records that were to be cases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Made {
    /// Cases.
    pub cases: u64,
    /// Decided like a case that is there already: the same caller, tool, verdict and rules.
    pub alike: u64,
    /// What was kept cannot be masked.
    pub unmasked: u64,
    /// Masked, they are decided otherwise.
    pub otherwise: u64,
    /// They were not decided in time, or are not when they are masked.
    pub late: u64,
}

/// Of which records cases are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// One for each caller, tool, verdict and rules.
    Kinds,
    /// Each of them.
    Each,
}

/// Writes a file of cases.
pub struct Writer {
    mask: Mask,
    choice: Choice,
    seen: BTreeSet<(String, String, String, String)>,
    /// What became of the records so far.
    pub made: Made,
    text: String,
}

impl Writer {
    /// Begins a file.
    #[must_use]
    pub fn new(choice: Choice) -> Self {
        let text = String::from(
            "# Recorded decisions, masked: letters and digits are others than they were.\n",
        );
        Self { mask: Mask::default(), choice, seen: BTreeSet::new(), made: Made::default(), text }
    }

    /// Adds a record as a case, if it says something new and is decided the same when it is masked.
    pub async fn add(&mut self, entry: &Entry, ruleset: &Replay) {
        let Some(round) = entry.rounds.first() else { return };
        let (asked, said) = (&round.asked, &round.said);
        let text = |text: Option<&String>| text.cloned().unwrap_or_default();
        let principal = text(asked.principal.id.as_ref());
        let tool = text(asked.tool.as_ref().or(asked.method.as_ref()));
        let question = entry.question.as_str().to_owned();
        let mut what = format!("{} {}", said.verdict, said.rules.join(" "));
        for tool in said.tools.iter().flatten() {
            what.push_str(&format!(" {tool}"));
        }
        if let Some(releaser) = &asked.approver {
            let action = releaser.action.map_or("", |action| action.as_str());
            what.push_str(&format!(" {} {action}", releaser.id));
        }
        if self.choice == Choice::Each {
            what.push_str(&format!(" {}", id(entry)));
        }
        let group = (question, principal, tool, what);
        if self.seen.contains(&group) {
            self.made.alike += 1;
            return;
        }
        // What was not decided in time says nothing of the rules.
        let is_late = |said: &Said| said.fault == Some(Fault::PolicyTimeout);
        if is_late(said) {
            self.made.late += 1;
            return;
        }
        let Some(masked) = self.mask.question(asked) else {
            self.made.unmasked += 1;
            return;
        };
        let now = entry.at;
        let ruled = ruleset.rule_on(entry.question, &masked, now).await;
        let again = ruled.map(|ruled| ruled.said());
        if again.as_ref().is_ok_and(is_late) {
            self.made.late += 1;
            return;
        }
        let is_same = again.is_ok_and(|it| {
            (it.verdict, &it.rules, &it.tools) == (said.verdict, &said.rules, &said.tools)
        });
        if !is_same {
            self.made.otherwise += 1;
            return;
        }
        let Some(case) = case(entry, &masked, said) else {
            self.made.unmasked += 1;
            return;
        };
        self.seen.insert(group);
        self.made.cases += 1;
        item(&case, &mut self.text);
    }

    /// The file.
    #[must_use]
    pub fn finish(self) -> String {
        self.text
    }
}

/// A case, as members in the order of the file.
fn case(entry: &Entry, asked: &policy::Asked, said: &Said) -> Option<Vec<(String, Json)>> {
    let text = |text: Option<&String>| text.cloned().unwrap_or_default();
    let (question, verdict) = (entry.question, said.verdict);
    let (principal, tool) =
        (text(asked.principal.id.as_ref()), text(asked.tool.as_ref().or(asked.method.as_ref())));
    let asks = question.as_str();
    let who = asked.approver.as_ref().map_or(&principal, |approver| &approver.id);
    let what = if question == Question::Visible { String::new() } else { format!(" {tool}") };
    let name = format!("{asks}{what} by {who}: {verdict}, {}", id(entry));
    let Json::Object(mut rest) = serde_json::to_value(asked).ok()? else { return None };
    let mut case = vec![("name".to_owned(), json!(name)), ("question".to_owned(), json!(question))];
    let principal = rest.remove("principal")?;
    case.push(("as".to_owned(), without_nothing(principal)));
    case.extend(rest.into_iter().map(|(key, value)| (key, without_nothing(value))));
    let mut expect = Map::new();
    expect.insert("verdict".to_owned(), json!(said.verdict));
    if let Some(rule) = said.rules.first().filter(|_| said.fault.is_none()) {
        expect.insert("rule".to_owned(), json!(rule));
    }
    if let Some(tools) = &said.tools {
        expect.insert("tools".to_owned(), json!(tools));
    }
    case.push(("expect".to_owned(), Json::Object(expect)));
    Some(case)
}

/// The record of a case: where there can be several of one call, with the time.
fn id(entry: &Entry) -> String {
    let is_one = matches!(entry.question, Question::Admit | Question::Disclose) && !entry.again;
    match entry.call {
        Some(call) if !is_one => format!("{call} at {}", entry.at),
        _ => entry.name(),
    }
}

/// Members of an object that say something.
fn without_nothing(value: Json) -> Json {
    match value {
        Json::Object(members) => {
            let says = |(_, value): &(String, Json)| !value.is_null();
            Json::Object(members.into_iter().filter(says).collect())
        }
        value => value,
    }
}

/// A case as an item of a list in YAML. Values are JSON, which YAML is about.
fn item(case: &[(String, Json)], text: &mut String) {
    for (number, (key, value)) in case.iter().enumerate() {
        text.push_str(if number == 0 { "\n- " } else { "  " });
        text.push_str(&format!("{key}: {value}\n"));
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(super) use tests::{folder, written};
