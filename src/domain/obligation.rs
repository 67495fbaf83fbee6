//! Obligations: what a rule demands of a call or of an answer, beside its verdict.
//!
//! Policy states a duty, `intercom` fulfils it on the text, `gate` makes sure that what is sent or
//! shown is what was judged after it was fulfilled. Only a verdict that is not `deny` carries any.

use serde::{Deserialize, Serialize};

use super::{Filter, JsonText, Label, Reason, Redact};

/// One demand, and the rule that makes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Obligation {
    /// The rule, and in its text what the agent is told of the change.
    #[serde(flatten)]
    pub reason: Reason,
    /// What is demanded.
    #[serde(flatten)]
    pub duty: Duty,
    /// Whether it changed the call's arguments, or the answer; set when it is fulfilled.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub changed: bool,
}

/// What is demanded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Duty {
    /// This argument has this value.
    Set {
        /// The argument's name.
        argument: String,
        /// Its value. Not in the record: a rule may have made it from personal data. The record
        /// has the keyed digest of all arguments.
        #[serde(skip, default = "JsonText::null")]
        value: JsonText,
    },
    /// This argument is a number of at most so much.
    Cap {
        /// The argument's name; `per_page` is also the `limit` in the query of `search`.
        argument: String,
        /// The largest value.
        most: u64,
    },
    /// What is searched is also limited by this condition.
    Filter(Filter),
    /// The agent says why it calls.
    Reason {
        /// The fewest characters.
        least: u64,
    },
    /// Pseudonyms of these kinds are turned back in these arguments.
    Restore {
        /// Such as `email`.
        kinds: Vec<String>,
        /// The arguments' names.
        arguments: Vec<String>,
    },
    /// A person who decides on a call may see what pseudonyms of these kinds stand for.
    Reveal {
        /// Such as `email`.
        kinds: Vec<String>,
    },
    /// This record is left out of the answer.
    Drop {
        /// Its reference, as in `input.answer.records`.
        record: String,
    },
    /// No more records than this are shown.
    Rows {
        /// How many.
        most: u64,
    },
    /// What judges saw of these kinds is not shown as it is.
    Redact(Redact),
    /// The principal's trail gets this label.
    Label(Label),
}

impl Duty {
    /// As it is written in Rego, the value of `set` included: for people and for what is sealed, not
    /// for records.
    #[must_use]
    pub fn written(&self) -> serde_json::Value {
        let mut json = serde_json::to_value(self).unwrap_or_default();
        if let Self::Set { value, .. } = self
            && let Some(set) = json.get_mut("set").and_then(serde_json::Value::as_object_mut)
        {
            let value = serde_json::from_str(value.as_str()).unwrap_or_default();
            set.insert("value".to_owned(), value);
        }
        json
    }

    /// In words, for people who compare revisions. Without what is of one call alone, which may be
    /// personal: the value of `set`, those of `filter`, and which record is left out.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Set { argument, .. } => format!("set `{argument}`"),
            Self::Cap { argument, most } => format!("cap `{argument}` at {most}"),
            Self::Filter(Filter { field, operator, values }) => {
                let plural = if values.len() == 1 { "" } else { "s" };
                let operator = operator.as_str();
                format!("only where `{field}` {operator} {} value{plural}", values.len())
            }
            Self::Reason { least } => format!("a reason of at least {least} characters"),
            Self::Restore { kinds, arguments } => {
                format!("turn back {} in `{}`", kinds.join(", "), arguments.join("`, `"))
            }
            Self::Reveal { kinds } => format!("reveal {}", kinds.join(", ")),
            Self::Drop { .. } => "leave a record out".to_owned(),
            Self::Rows { most } => format!("at most {most} records"),
            Self::Redact(redact) => format!("{}: {}", redact.kinds.join(", "), redact.way()),
            Self::Label(label) => format!("label `{}`", label.name),
        }
    }

    /// Whether it concerns what the agent sends: the arguments, or its reason.
    #[must_use]
    pub const fn is_of_call(&self) -> bool {
        matches!(
            self,
            Self::Set { .. }
                | Self::Cap { .. }
                | Self::Filter(_)
                | Self::Reason { .. }
                | Self::Restore { .. }
        )
    }
}
