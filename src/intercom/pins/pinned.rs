//! A pinned tool, with everything that checking a call of it needs.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::{Effect, JsonText, Timestamp};
use crate::intercom::catalogue::{Catalogue, Entry};
use crate::intercom::definition::ToolDefinition;
use crate::intercom::ids::{IdField, IdForm};
use crate::intercom::schema::Schema;
use crate::mcp::json::Object;

/// How a definition came to be pinned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// It was in the first listing.
    FirstContact,
    /// An operator pinned it.
    Operator,
}

/// A definition that was accepted, compiled.
#[derive(Debug)]
pub struct PinnedTool {
    /// What was accepted.
    pub definition: ToolDefinition,
    /// When.
    pub at: Timestamp,
    /// How.
    pub how: How,
    /// What the catalogue says of it, if it knows the tool.
    pub(in crate::intercom) entry: Option<&'static Entry>,
    /// The id arguments, in the form that this upstream's schema asks for.
    pub(in crate::intercom) ids: Vec<IdField>,
    /// The upstream's argument schema, or why it cannot be used.
    pub(in crate::intercom) schema: Result<Schema, Arc<str>>,
    /// The upstream's schema of structured results, if it has one that can be used.
    output: Option<Schema>,
}

impl PinnedTool {
    /// Compiles a definition: milliseconds, so never on the road.
    pub(super) fn new(definition: ToolDefinition, at: Timestamp, how: How) -> Self {
        let entry = Catalogue::shipped().entry(&definition.name);
        let ids = entry.map(|entry| ids(entry, &definition)).unwrap_or_default();
        let schema = usable_schema(&definition);
        let output = Object::parse(&definition.text)
            .and_then(|all| Schema::of_results(all.get("outputSchema")?).ok());
        Self { definition, at, how, entry, ids, schema, output }
    }

    /// Whether it writes, by our catalogue.
    #[must_use]
    pub fn effect(&self) -> Effect {
        self.entry.map_or(Effect::Write, |entry| entry.effect)
    }

    /// The places of a result's structured content that do not fit the schema that it promises, as
    /// JSON Pointers; none without such content or schema.
    #[must_use]
    pub fn misfits(&self, result: &JsonText) -> Vec<String> {
        let Some(output) = &self.output else { return Vec::new() };
        let content = Object::parse(result).and_then(|all| {
            serde_json::from_str::<Value>(all.get("structuredContent")?.as_str()).ok()
        });
        content.map(|content| output.misfits(&content)).unwrap_or_default()
    }

    /// The catalogue refuses it, whatever the policy says.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.entry.is_some_and(|entry| entry.refused)
    }
}

/// The compiled argument schema of a definition that has no fault.
pub(super) fn usable_schema(definition: &ToolDefinition) -> Result<Schema, Arc<str>> {
    if let Some(fault) = &definition.fault {
        return Err(fault.as_str().into());
    }
    Schema::compile(&definition.input_schema).map_err(|error| error.to_string().into())
}

/// The catalogue's id fields. Whether an id is a string or a number is the upstream's choice.
fn ids(entry: &Entry, definition: &ToolDefinition) -> Vec<IdField> {
    let schema: Value = serde_json::from_str(definition.input_schema.as_str()).unwrap_or_default();
    let mut fields = entry.ids.clone();
    for id in &mut fields {
        let argument = schema.get("properties").and_then(|all| all.get(&id.field));
        let argument = if id.each { argument.and_then(|it| it.get("items")) } else { argument };
        match argument.and_then(|it| it.get("type")).and_then(Value::as_str) {
            Some("string") => id.form = IdForm::String,
            Some("number" | "integer") => id.form = IdForm::Number,
            _ => {}
        }
    }
    fields
}
