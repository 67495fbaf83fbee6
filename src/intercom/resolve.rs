//! Step 4 of the road: from a tool's name and arguments to what will be judged and sent.
//!
//! The tool must be pinned as the upstream offers it now; ids are brought to one form; the
//! arguments must satisfy our own schema of a tool that we know and the upstream's pinned schema.
//! What comes out is the canonical text that policy sees, approvers see and Intercom receives.
//! Nothing here decides whether the call may pass.

use std::sync::Arc;

use serde_json::Value;

use super::definition::Mirrors;
use super::ids;
use super::pins::{PinStatus, PinnedTool, Pins};
use super::search::{QUERY, SEARCH, Search};
use super::text::shown;
use crate::domain::{Digest, Effect, JsonText};
use crate::mcp::json::{self, Object};

/// A call's tool and arguments, understood.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// Whether it writes, by our catalogue.
    pub effect: Effect,
    /// The pinned definition that the arguments were checked against; always there, as the call's
    /// subject wants it.
    pub definition: Option<Digest>,
    /// The arguments as they will be sent: no insignificant whitespace, ids in one form, all else
    /// as it came.
    pub arguments: JsonText,
    /// The arguments that travel again as headers.
    pub mirrors: Mirrors,
}

/// Why a tool call goes no further, in words for the agent. Repeats no argument's value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nothing of that name, or nothing that is still offered.
    #[error("there is no tool `{tool}`; ask for the list of tools and use a name from it")]
    UnknownTool {
        /// The name, safe to show.
        tool: String,
    },
    /// The catalogue refuses the tool.
    #[error("`{tool}` is not available through Portcullis; do not try it again")]
    RefusedTool {
        /// The name.
        tool: String,
    },
    /// Changed since it was pinned.
    #[error(
        "`{tool}` is blocked: its definition changed since it was approved; ask the operator to \
         run `portcullis tools diff {tool}` and, if the change is wanted, `portcullis tools pin {tool}`"
    )]
    Changed {
        /// The name.
        tool: String,
    },
    /// Offered, but never pinned.
    #[error(
        "`{tool}` is blocked: it is new and nobody has approved it; ask the operator to run \
         `portcullis tools diff {tool}` and, if it is wanted, `portcullis tools pin {tool}`"
    )]
    NotPinned {
        /// The name.
        tool: String,
    },
    /// Its definition cannot be used.
    #[error(
        "`{tool}` is blocked: its definition cannot be used; ask the operator to run \
         `portcullis tools list`"
    )]
    Unusable {
        /// The name.
        tool: String,
    },
    /// The arguments do not fit.
    #[error("the arguments of `{tool}` are not valid: {}", problems.join("; "))]
    InvalidArguments {
        /// The name.
        tool: String,
        /// One sentence each.
        problems: Vec<String>,
    },
}

impl Refusal {
    /// A short code for records.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownTool { .. } => "tool.unknown",
            Self::RefusedTool { .. } => "tool.refused",
            Self::Changed { .. } => "tool.changed",
            Self::NotPinned { .. } => "tool.not_pinned",
            Self::Unusable { .. } => "tool.unusable",
            Self::InvalidArguments { .. } => "tool.invalid_arguments",
        }
    }
}

impl Pins {
    /// Reads a call of `tool`. Absent arguments are none. Takes no lock.
    ///
    /// # Errors
    /// The tool cannot be called as it stands, or the arguments do not fit.
    pub fn resolve(&self, tool: &str, arguments: Option<&JsonText>) -> Result<Resolved, Refusal> {
        let snapshot = self.snapshot();
        let name = || shown(tool, 60);
        let pinned = match snapshot.get(tool) {
            Some(PinStatus::Pinned(pinned)) if pinned.is_refused() => {
                return Err(Refusal::RefusedTool { tool: name() });
            }
            Some(PinStatus::Pinned(pinned)) => pinned,
            Some(PinStatus::Changed) => return Err(Refusal::Changed { tool: name() }),
            Some(PinStatus::New) => return Err(Refusal::NotPinned { tool: name() }),
            Some(PinStatus::Unusable(_)) => return Err(Refusal::Unusable { tool: name() }),
            Some(PinStatus::Absent | PinStatus::Unseen) | None => {
                return Err(Refusal::UnknownTool { tool: name() });
            }
        };
        let arguments = checked(pinned, arguments)
            .map_err(|problems| Refusal::InvalidArguments { tool: name(), problems })?;
        Ok(Resolved {
            effect: pinned.effect(),
            definition: Some(pinned.definition.digest),
            arguments,
            mirrors: Arc::clone(&pinned.definition.mirrors),
        })
    }
}

/// The canonical arguments, or what is wrong with them.
fn checked(tool: &PinnedTool, arguments: Option<&JsonText>) -> Result<JsonText, Vec<String>> {
    let one = |problem: String| vec![problem];
    let none = JsonText::empty_object();
    let arguments = arguments.filter(|text| !json::is_null(text)).unwrap_or(&none);
    let object = Object::parse(arguments)
        .ok_or_else(|| one(String::from("`arguments` must be an object")))?;
    if let Some(entry) = tool.entry {
        let given = |name: &String| object.get(name).is_some_and(|value| !json::is_null(value));
        if !entry.at_least_one.is_empty() && !entry.at_least_one.iter().any(given) {
            let names: Vec<String> =
                entry.at_least_one.iter().map(|name| format!("`{name}`")).collect();
            return Err(one(format!("at least one of {} is needed", names.join(", "))));
        }
    }
    let arguments = &one_query(&tool.definition.name, arguments).map_err(one)?;
    let canonical = if tool.ids.is_empty() {
        json::compact(arguments)
    } else {
        let object =
            ids::normalise(object, &tool.ids).map_err(|refused| one(refused.to_string()))?;
        json::compact(&object.to_text())
    };
    let value: Value = serde_json::from_str(canonical.as_str())
        .map_err(|_| one(String::from("they hold a number that cannot be read exactly")))?;
    let ours = tool.entry.map(|entry| entry.schema.problems(&value)).unwrap_or_default();
    let problems = match &tool.schema {
        _ if !ours.is_empty() => ours,
        Ok(theirs) => theirs.problems(&value),
        Err(fault) => one(fault.to_string()),
    };
    if problems.is_empty() { Ok(canonical) } else { Err(problems) }
}

/// The arguments with the query of `search` in its one spelling; others as they are. What is no text
/// is left for the schema to refuse.
fn one_query(tool: &str, arguments: &JsonText) -> Result<JsonText, String> {
    let plain = || Ok(arguments.clone());
    if tool != SEARCH {
        return plain();
    }
    let Some(mut object) = Object::parse(arguments) else { return plain() };
    let Some(query) = object.get(QUERY).and_then(json::as_str) else { return plain() };
    let query = Search::read(&query).map_err(|fault| fault.to_string())?.to_query();
    object.set(QUERY, JsonText::of(&Value::from(query)));
    Ok(object.to_text())
}

#[cfg(test)]
mod tests;
