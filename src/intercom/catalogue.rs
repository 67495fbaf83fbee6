//! What Portcullis itself knows of Intercom's tools: effects, id arguments, schemas, side effects.
//!
//! The catalogue, not the upstream, says whether a tool writes: annotations are hints of an
//! untrusted party. A tool that is not in the catalogue is a write. The facts lie in
//! `catalogue.json` beside this file, compiled in, so that a deployment cannot loosen them.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

use super::ids::IdField;
use super::schema::Schema;
use crate::domain::{Effect, JsonText};

/// All tools that Portcullis knows.
#[derive(Debug, Default)]
pub struct Catalogue {
    entries: Vec<Entry>,
    by_name: HashMap<String, usize>,
}

/// What is known of one tool.
#[derive(Debug)]
pub struct Entry {
    /// The name at Intercom.
    pub name: String,
    /// Whether it changes something there.
    pub effect: Effect,
    /// A short name for people, in our words.
    pub title: String,
    /// What it does, in our words.
    pub description: String,
    /// Always refused, whatever the policy says.
    pub refused: bool,
    /// What an approver should know before releasing a call of it; empty for reads.
    pub side_effects: Vec<String>,
    /// The documented arguments, as a JSON Schema object.
    pub input_schema: JsonText,
    /// The four hints of the protocol, as they are told to agents.
    pub(super) annotations: Annotations,
    /// The arguments that hold ids.
    pub(super) ids: Vec<IdField>,
    /// Arguments of which at least one must be there; empty if there is no such rule.
    pub(super) at_least_one: Vec<String>,
    /// `input_schema`, compiled.
    pub(super) schema: Schema,
    /// Its schema of each argument.
    pub(super) arguments: serde_json::Map<String, Value>,
}

/// The hints of a tool definition (mcp: `ToolAnnotations`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "the protocol's own four hints")]
pub(super) struct Annotations {
    pub(super) read_only_hint: bool,
    pub(super) destructive_hint: bool,
    pub(super) idempotent_hint: bool,
    pub(super) open_world_hint: bool,
}

impl Catalogue {
    /// The catalogue that this build carries.
    #[must_use]
    pub fn shipped() -> &'static Self {
        static SHIPPED: LazyLock<Catalogue> = LazyLock::new(|| {
            // A catalogue that cannot be read knows no tool, so every call would be an unknown
            // write; a test makes sure that the shipped one is read.
            Catalogue::read(include_str!("catalogue.json")).unwrap_or_default()
        });
        &SHIPPED
    }

    /// The entry of `tool`, if the catalogue has one.
    #[must_use]
    pub fn entry(&self, tool: &str) -> Option<&Entry> {
        self.by_name.get(tool).and_then(|index| self.entries.get(*index))
    }

    /// The effect of `tool`: an unknown tool writes.
    #[must_use]
    pub fn effect(&self, tool: &str) -> Effect {
        self.entry(tool).map_or(Effect::Write, |entry| entry.effect)
    }

    /// All entries, in the order in which Intercom is believed to list them.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn read(text: &str) -> Option<Self> {
        let raw: Vec<RawEntry> = serde_json::from_str(text).ok()?;
        let entries: Vec<Entry> = raw.into_iter().map(RawEntry::check).collect::<Option<_>>()?;
        let by_name: HashMap<String, usize> =
            entries.iter().enumerate().map(|(at, entry)| (entry.name.clone(), at)).collect();
        (by_name.len() == entries.len()).then_some(Self { entries, by_name })
    }
}

/// An entry as written in `catalogue.json`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RawEntry {
    name: String,
    effect: Effect,
    title: String,
    description: String,
    annotations: Annotations,
    #[serde(default)]
    refused: bool,
    #[serde(default)]
    side_effects: Vec<String>,
    #[serde(default)]
    ids: Vec<IdField>,
    #[serde(default)]
    at_least_one: Vec<String>,
    input_schema: Value,
}

impl RawEntry {
    fn check(self) -> Option<Entry> {
        let input_schema = JsonText::of(&self.input_schema);
        let schema = Schema::compile(&input_schema).ok()?;
        let arguments = self
            .input_schema
            .get("properties")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
        Some(Entry {
            name: self.name,
            effect: self.effect,
            title: self.title,
            description: self.description,
            refused: self.refused,
            side_effects: self.side_effects,
            input_schema,
            annotations: self.annotations,
            ids: self.ids,
            at_least_one: self.at_least_one,
            schema,
            arguments,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_catalogue_is_read_and_agrees_with_itself() {
        let catalogue = Catalogue::shipped();
        assert_eq!(catalogue.entries().len(), 15);
        for entry in catalogue.entries() {
            let name = &entry.name;
            let reads = entry.effect == Effect::Read;
            assert_eq!(entry.annotations.read_only_hint, reads, "{name}");
            assert_eq!(entry.side_effects.is_empty(), reads, "{name}: side effects for approvers");
            let schema: Value = serde_json::from_str(entry.input_schema.as_str()).unwrap();
            assert_eq!(schema["additionalProperties"], Value::Bool(false), "{name}");
            let has = |field: &str| schema["properties"].get(field).is_some();
            assert!(entry.ids.iter().all(|id| has(&id.field)), "{name}: id fields exist");
            assert!(entry.at_least_one.iter().all(|field| has(field)), "{name}");
        }
    }

    #[test]
    fn effects() {
        let writes =
            ["create_article", "update_article", "add_internal_note", "submit_mcp_feedback"];
        let catalogue = Catalogue::shipped();
        for entry in catalogue.entries() {
            let expected =
                if writes.contains(&entry.name.as_str()) { Effect::Write } else { Effect::Read };
            assert_eq!(catalogue.effect(&entry.name), expected, "{}", entry.name);
        }
        for unknown in ["delete_contact", "Get_conversation", "get_conversation ", ""] {
            assert_eq!(catalogue.effect(unknown), Effect::Write, "{unknown}");
            assert!(catalogue.entry(unknown).is_none());
        }
        assert!(catalogue.entry("submit_mcp_feedback").unwrap().refused);
    }
}
