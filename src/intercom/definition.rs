//! A tool's definition as the upstream offers it: one object of a `tools/list` answer.
//!
//! Every part of it is read by a model, so the digest covers the whole object, whatever members it
//! has. Two definitions with one digest say the same: only key order, whitespace and the escaping
//! of characters may differ. A definition is never edited here, except for the hints that agents
//! are shown ([`present`]), which come from our own catalogue.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use self::canonical::Layout;
use super::catalogue::Catalogue;
use super::text::{hidden_kind, shown};
use crate::domain::{Digest, JsonText};
use crate::mcp::json::{self, Kind, Object};

pub(super) mod canonical;
mod mirrors;

/// Largest definition, in bytes.
const MAX_BYTES: usize = 512 * 1024;
/// Longest tool name.
const MAX_NAME: usize = 128;
/// Most warnings about one definition.
const MAX_WARNINGS: usize = 10;

/// The arguments that travel again as headers `Mcp-Param-<Name>` (revision 2026-07-28): the
/// header's name and the path of the argument.
pub type Mirrors = Arc<[(String, Vec<String>)]>;

/// One tool as the upstream defines it.
#[derive(Debug, Clone)]
pub struct ToolDefinition {
    /// Its name.
    pub name: String,
    /// Digest of everything it says.
    pub digest: Digest,
    /// The text as it came.
    pub text: JsonText,
    /// The schema of its arguments; `null` if there is none.
    pub input_schema: JsonText,
    /// Its mirrored arguments; empty if they are not valid.
    pub mirrors: Mirrors,
    /// What an operator should know before trusting it: hidden characters, references to other
    /// documents.
    pub warnings: Vec<String>,
    /// Why it cannot be used at all, if it cannot: such a tool is hidden and never called.
    pub fault: Option<String>,
}

/// An element of a tool list that is no tool definition, or none that could be told apart by name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// Not an object.
    #[error("a tool definition must be a JSON object")]
    NotAnObject,
    /// Over the bound.
    #[error("a tool definition of {0} bytes is over the limit of {MAX_BYTES}")]
    TooLarge(usize),
    /// No name, or one that could be mistaken for another.
    #[error(
        "`{0}` is not a tool name: expected 1 to {MAX_NAME} letters, digits, `_`, `-`, `.` or `/`"
    )]
    Name(String),
}

impl ToolDefinition {
    /// Reads one element of a tool list.
    ///
    /// # Errors
    /// It is no object, too large, or has no usable name. Everything else that is wrong with it is
    /// in [`fault`](Self::fault), so that it can be shown under its name.
    pub fn read(text: &JsonText) -> Result<Self, DefinitionError> {
        if text.as_str().len() > MAX_BYTES {
            return Err(DefinitionError::TooLarge(text.as_str().len()));
        }
        let object = Object::parse(text).ok_or(DefinitionError::NotAnObject)?;
        let name = object.str("name").unwrap_or_default().into_owned();
        if !is_tool_name(&name) {
            return Err(DefinitionError::Name(shown(&name, 60)));
        }
        let canonical = canonical::write(text, Layout::Compact);
        let digest = Digest::of("portcullis/tool/v1", &[canonical.as_bytes()]);
        // A copy of its own: the slice would keep the whole answer in memory.
        let text = JsonText::from_valid(Bytes::copy_from_slice(text.bytes()));
        let input_schema = object.get("inputSchema").cloned().unwrap_or(JsonText::null());
        let input_schema = JsonText::from_valid(Bytes::copy_from_slice(input_schema.bytes()));
        let (mirrors, fault) = match read_mirrors(&input_schema) {
            Ok(mirrors) => (mirrors, None),
            Err(fault) => (Vec::new(), Some(fault)),
        };
        let warnings = warnings(&text);
        Ok(Self { name, digest, text, input_schema, mirrors: mirrors.into(), warnings, fault })
    }

    /// Everything it says, sorted and indented, with hidden characters escaped: for people.
    #[must_use]
    pub fn pretty(&self) -> String {
        canonical::write(&self.text, Layout::Pretty)
    }
}

/// The definition as agents are shown it: the upstream's text, but the hints of a tool that the
/// catalogue knows are the catalogue's.
#[must_use]
pub fn present(definition: &ToolDefinition) -> JsonText {
    let (Some(entry), Some(mut object)) =
        (Catalogue::shipped().entry(&definition.name), Object::parse(&definition.text))
    else {
        return definition.text.clone();
    };
    let offered = object.get("annotations").and_then(Object::parse);
    let mut hints = offered.or_else(|| Object::parse(&JsonText::empty_object()));
    if let Some(hints) = &mut hints {
        let ours = &entry.annotations;
        for (name, value) in [
            ("readOnlyHint", ours.read_only_hint),
            ("destructiveHint", ours.destructive_hint),
            ("idempotentHint", ours.idempotent_hint),
            ("openWorldHint", ours.open_world_hint),
        ] {
            hints.set(name, JsonText::of(&value));
        }
        object.set("annotations", hints.to_text());
    }
    object.to_text()
}

/// The argument by which an agent says why it calls. Portcullis takes it out before the call is
/// judged, so Intercom never sees it.
pub const REASON: &str = "portcullis_reason";

/// A presented definition with the argument [`REASON`] among its properties.
#[must_use]
pub fn asking_why(presented: &JsonText) -> JsonText {
    let property = serde_json::json!({
        "type": "string",
        "maxLength": MAX_REASON,
        "description": "Why you make this call, in a sentence. Asked for by the firewall, which \
                        requires it for some calls; it is shown to approvers and not sent on.",
    });
    let edit = || {
        let mut object = Object::parse(presented)?;
        let mut schema = object.object("inputSchema")?;
        let mut properties = match schema.get("properties") {
            Some(properties) => Object::parse(properties)?,
            None => Object::default(),
        };
        properties.set(REASON, JsonText::of(&property));
        schema.set("properties", properties.to_text());
        object.set("inputSchema", schema.to_text());
        Some(object.to_text())
    };
    edit().unwrap_or_else(|| presented.clone())
}

/// The most characters of a reason.
pub const MAX_REASON: usize = 500;

fn is_tool_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/');
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(fits)
}

fn read_mirrors(input_schema: &JsonText) -> Result<Vec<(String, Vec<String>)>, String> {
    let schema: Value = serde_json::from_str(input_schema.as_str()).unwrap_or_default();
    if !schema.is_object() {
        return Err(String::from("its `inputSchema` is not an object"));
    }
    mirrors::read(&schema).map_err(|fault| fault.to_string())
}

/// Looks at every key and every string of a definition: a model reads them all.
fn warnings(text: &JsonText) -> Vec<String> {
    let mut found = Vec::new();
    warn(text, &mut String::new(), &mut found);
    found
}

fn warn(value: &JsonText, path: &mut String, found: &mut Vec<String>) {
    if found.len() >= MAX_WARNINGS {
        return;
    }
    let length = path.len();
    match json::kind(value) {
        Kind::String => {
            let text = json::as_str(value).unwrap_or_default();
            if let Some(kind) = hidden_kind(&text) {
                found.push(format!("{} has {kind}", place(path)));
            }
            let refers = ["/$ref", "/$dynamicRef", "/$recursiveRef"];
            if refers.iter().any(|end| path.ends_with(end)) && !text.starts_with('#') {
                let target = shown(&text, 80);
                found.push(format!("{} refers to another document, `{target}`", place(path)));
            }
        }
        Kind::Object => {
            for (key, member) in Object::parse(value).iter().flat_map(Object::iter) {
                path.push('/');
                path.push_str(key);
                if let Some(kind) = hidden_kind(key) {
                    found.push(format!("the name {} has {kind}", place(path)));
                }
                warn(member, path, found);
                path.truncate(length);
            }
        }
        Kind::Array => {
            for (at, element) in json::elements(value).iter().flatten().enumerate() {
                path.push_str(&format!("/{at}"));
                warn(element, path, found);
                path.truncate(length);
            }
        }
        _ => {}
    }
}

fn place(path: &str) -> String {
    format!("`{}`", shown(path.trim_start_matches('/'), 120))
}

#[cfg(test)]
mod tests;
