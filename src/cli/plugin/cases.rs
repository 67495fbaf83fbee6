//! A file of golden cases: a document, and what a plugin must say of it.
//!
//! A list. What a plugin finds is compared whole: nothing may be missing, and nothing may be found
//! beside. Of a finding, its leaf, its text and its kind must be given; what else is given must be so.

use serde::Deserialize;
use serde_json::Value as Json;

use crate::domain::{Form, Known, Leaf, Party, Phase, Verdict};
use crate::yaml::{self, Limits, Position, Value};

/// One case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    pub(super) name: String,
    #[serde(default)]
    phase: PhaseWord,
    /// The tool; empty for messages without one.
    #[serde(default)]
    pub(super) tool: String,
    /// The plugin's configuration.
    pub(super) config: Option<Json>,
    leaves: Vec<LeafRow>,
    #[serde(default)]
    dictionary: Vec<EntryRow>,
    pub(super) expect: Expect,
}

/// What the plugin must say.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expect {
    /// All findings, in any order.
    pub(super) findings: Option<Vec<Expected>>,
    /// All labels, in any order.
    pub(super) labels: Option<Vec<String>>,
    pub(super) opinion: Option<OpinionWord>,
    /// The plugin must fail.
    #[serde(default)]
    pub(super) failure: bool,
}

/// A finding.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expected {
    /// The leaf's number, from 0.
    pub(super) leaf: usize,
    /// What of the leaf it is.
    pub(super) text: String,
    pub(super) kind: String,
    /// The first byte, if the text stands in the leaf more than once.
    pub(super) start: Option<usize>,
    pub(super) confidence: Option<u8>,
    pub(super) reason: Option<String>,
    pub(super) value: Option<String>,
    pub(super) subject: Option<String>,
    pub(super) part: Option<String>,
    party: Option<PartyWord>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PhaseWord {
    Call,
    #[default]
    Answer,
    Definition,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FormWord {
    #[default]
    Text,
    Html,
    Key,
    Number,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PartyWord {
    #[default]
    Unknown,
    Customer,
    Teammate,
    Bot,
}

/// What a plugin thinks should happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum OpinionWord {
    None,
    Hold,
    Deny,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LeafRow {
    #[serde(default)]
    document: usize,
    path: String,
    text: String,
    #[serde(default)]
    form: FormWord,
    owner: Option<String>,
    #[serde(default)]
    party: PartyWord,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryRow {
    kind: String,
    value: String,
    subject: Option<String>,
}

/// Something that is no case.
pub(super) struct Unreadable {
    pub(super) at: Position,
    pub(super) text: String,
}

/// The cases of a file with their places, and what is wrong with the others.
pub(super) fn read(text: &str) -> (Vec<(Position, Case)>, Vec<Unreadable>) {
    let unreadable = |at: Position, text: String| Unreadable { at, text };
    let node = match yaml::read(text, &Limits::default()).into_result() {
        Ok(node) => node,
        Err(faults) => {
            return (Vec::new(), faults.into_iter().map(|it| unreadable(it.at, it.text)).collect());
        }
    };
    let Value::List(items) = node.value else {
        let text = "a file of cases is a list: `- name: ...`, with `leaves` and `expect`";
        return (Vec::new(), vec![unreadable(node.at, text.to_owned())]);
    };
    let mut cases: Vec<(Position, Case)> = Vec::new();
    let mut wrong = Vec::new();
    for item in items {
        let read = item.to_json().map_err(|fault| unreadable(fault.at, fault.text));
        let read = read.and_then(|json| {
            Case::read(json)
                .map_err(|text| unreadable(item.at, format!("this case cannot be read: {text}")))
        });
        match read {
            Ok(case) if cases.iter().any(|(_, other)| other.name == case.name) => {
                wrong.push(unreadable(item.at, "another case has this name".to_owned()));
            }
            Ok(case) => cases.push((item.at, case)),
            Err(one) => wrong.push(one),
        }
    }
    (cases, wrong)
}

impl Case {
    fn read(json: Json) -> Result<Self, String> {
        let case: Self = serde_json::from_value(json).map_err(|error| error.to_string())?;
        let Expect { findings, labels, opinion, failure } = &case.expect;
        if !failure && findings.is_none() && labels.is_none() && opinion.is_none() {
            let text = "`expect` is empty; name `findings`, `labels`, `opinion` or `failure: true`";
            return Err(text.to_owned());
        }
        for expected in findings.iter().flatten() {
            let leaf = case.leaves.get(expected.leaf).map(|leaf| leaf.text.as_str());
            let stands = match (leaf, expected.start) {
                (None, _) => return Err(format!("there is no leaf {}", expected.leaf)),
                (Some(leaf), None) => leaf.contains(&expected.text),
                (Some(leaf), Some(start)) => {
                    leaf.get(start..).is_some_and(|tail| tail.starts_with(&expected.text))
                }
            };
            if !stands || expected.text.is_empty() {
                return Err(format!(
                    "`{}` does not stand in leaf {} there",
                    expected.text, expected.leaf
                ));
            }
        }
        Ok(case)
    }

    pub(super) const fn phase(&self) -> Phase {
        match self.phase {
            PhaseWord::Call => Phase::Call,
            PhaseWord::Answer => Phase::Answer,
            PhaseWord::Definition => Phase::Definition,
        }
    }

    pub(super) fn leaves(&self) -> Vec<Leaf> {
        self.leaves.iter().map(LeafRow::leaf).collect()
    }

    pub(super) fn dictionary(&self) -> Vec<Known> {
        let known = |row: &EntryRow| Known {
            kind: row.kind.clone(),
            value: row.value.clone(),
            subject: row.subject.clone(),
        };
        self.dictionary.iter().map(known).collect()
    }
}

impl LeafRow {
    fn leaf(&self) -> Leaf {
        Leaf {
            document: self.document,
            path: self.path.clone(),
            text: self.text.clone(),
            form: match self.form {
                FormWord::Text => Form::Text,
                FormWord::Html => Form::Html,
                FormWord::Key => Form::Key,
                FormWord::Number => Form::Number,
            },
            owner: self.owner.clone(),
            party: self.party.party(),
        }
    }
}

impl Expected {
    pub(super) fn party(&self) -> Option<Party> {
        self.party.map(PartyWord::party)
    }
}

impl OpinionWord {
    pub(super) const fn verdict(self) -> Option<Verdict> {
        match self {
            Self::None => None,
            Self::Hold => Some(Verdict::Hold),
            Self::Deny => Some(Verdict::Deny),
        }
    }
}

impl PartyWord {
    const fn party(self) -> Party {
        match self {
            Self::Unknown => Party::Unknown,
            Self::Customer => Party::Customer,
            Self::Teammate => Party::Teammate,
            Self::Bot => Party::Bot,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::read;

    fn check(text: &str, expected: &str) {
        let (cases, wrong) = read(text);
        let wrong: Vec<_> = wrong.iter().map(|it| format!("{}: {}", it.at.line, it.text)).collect();
        assert!(cases.is_empty() && wrong.iter().any(|it| it.contains(expected)), "{wrong:?}");
    }

    #[test]
    fn the_examples_are_cases() {
        let text = include_str!("../../../examples/plugins/rust/cases.yaml");
        let (cases, wrong) = read(text);
        assert!(cases.len() >= 5 && wrong.is_empty());
    }

    #[test]
    fn what_is_no_case_is_told_with_its_line() {
        check("a: b", "1: a file of cases is a list");
        check(
            "- name: x\n  leaves: []\n  expect: {}",
            "1: this case cannot be read: `expect` is empty",
        );
        check("- name: x\n  leaf: []\n  expect: {}", "unknown field `leaf`");
        let head = "- name: x\n  leaves: [{path: /a, text: abab}]\n  expect: {findings: [";
        check(&format!("{head}{{leaf: 1, text: a, kind: k}}]}}"), "there is no leaf 1");
        check(&format!("{head}{{leaf: 0, text: c, kind: k}}]}}"), "does not stand in leaf 0");
        check(&format!("{head}{{leaf: 0, text: a, kind: k, start: 1}}]}}"), "does not stand");
    }

    #[test]
    fn a_name_is_used_once() {
        let case = "- {name: x, leaves: [], expect: {findings: []}}\n";
        let (cases, wrong) = read(&format!("{case}{case}"));
        assert_eq!((cases.len(), wrong.len()), (1, 1));
    }
}
