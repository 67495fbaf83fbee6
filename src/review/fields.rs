//! The arguments of a call beside what there is now, field by field.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::align::Budget;
use super::words::{self, Segment};

/// One field of the object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Field {
    /// Its name in the call.
    pub name: String,
    /// Its name for people.
    pub label: String,
    /// What it is now; absent if it is not known or there is nothing yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// What it becomes; absent if the call leaves it as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
    /// Old and new as one text; empty unless both are known and differ.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<Segment>,
}

impl Field {
    /// Whether the call changes it, as far as is known.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.new.is_some() && self.new != self.old
    }
}

/// The argument that is a text of its own, with a diff of its own.
pub(super) const BODY: &str = "body";

const LABELS: [(&str, &str); 9] = [
    ("id", "Article"),
    ("conversation_id", "Conversation"),
    ("title", "Title"),
    ("description", "Description"),
    ("state", "State"),
    ("author_id", "Author"),
    ("parent_id", "Filed under"),
    ("parent_type", "Filed under a"),
    ("default_locale", "Language"),
];

/// What an object that is changed has beside the named fields, in this order.
const KEPT: [&str; 7] =
    ["title", "description", "state", "author_id", "parent_id", "parent_type", "default_locale"];

/// The fields that a call names, then those that stay.
pub(super) fn fields(
    arguments: &Map<String, Value>,
    object: Option<&Map<String, Value>>,
    budget: &mut Budget,
) -> Vec<Field> {
    let mut out: Vec<Field> = arguments
        .iter()
        .filter(|(name, _)| name.as_str() != BODY)
        .map(|(name, value)| {
            let new = text(value);
            // The object that was read is the one that the id names.
            let old = object.map(|object| match name.as_str() {
                "id" | "conversation_id" => new.clone(),
                key => object.get(key).map(text).unwrap_or_default(),
            });
            field(name, old, Some(new), budget)
        })
        .collect();
    if let Some(object) = object {
        let kept = KEPT.iter().filter(|name| !arguments.contains_key(**name));
        out.extend(kept.filter_map(|name| {
            let old = object.get(*name).map(text).filter(|text| !text.is_empty())?;
            Some(field(name, Some(old), None, budget))
        }));
    }
    out
}

/// A field with what it was and what it becomes.
pub(super) fn field(
    name: &str,
    old: Option<String>,
    new: Option<String>,
    budget: &mut Budget,
) -> Field {
    let segments = match (&old, &new) {
        (Some(old), Some(new)) if old != new => words::compare(old, new, budget),
        _ => Vec::new(),
    };
    let label = LABELS.iter().find(|(known, _)| *known == name);
    let label = label.map_or_else(|| name.to_owned(), |(_, label)| (*label).to_owned());
    Field { name: name.to_owned(), label, old, new, segments }
}

/// A value as people read it: a text without quotes, nothing for `null`, else JSON.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(_) | Value::Object(_) => {
            serde_json::to_string_pretty(value).unwrap_or_default()
        }
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}
