//! JSON Schemas of tools: compiled when a tool is pinned, asked on the road.
//!
//! A schema comes from the upstream, so it is hostile until measured: [`bounds`] refuses schemas
//! that are too large, refer outside themselves, or would take exponential time or unbounded stack
//! to check. Nothing is ever retrieved, neither from the network nor from a file. Patterns run on
//! a linear-time engine; a pattern which that engine cannot express is left to the upstream.

use serde_json::Value;

use self::bounds::Cost;
use crate::domain::JsonText;

mod bounds;
mod explain;

/// Most bytes of one schema.
const MAX_BYTES: usize = 256 * 1024;
/// Most bytes of one compiled pattern.
const MAX_PATTERN_BYTES: usize = 256 * 1024;
/// Most schema evaluations that checking one call may need.
const MAX_EVALUATIONS: u64 = 2_000_000;

/// Most places that are named of a value that does not fit.
const MAX_MISFITS: usize = 64;

/// A compiled schema of a tool's arguments.
pub(super) struct Schema {
    validator: jsonschema::Validator,
    cost: Cost,
    /// The arguments' names, for suggestions.
    arguments: Vec<String>,
    /// What is not checked, in words for the operator.
    pub(super) notes: Vec<String>,
}

/// Why a schema cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum SchemaError {
    #[error("its schema is larger than {} KiB", MAX_BYTES / 1024)]
    Bytes,
    #[error("its schema is not a JSON object")]
    NotAnObject,
    #[error("its schema is nested more than {0} levels deep")]
    Depth(usize),
    #[error("its schema has more than {0} subschemas")]
    Count(usize),
    #[error("its schema has more than {0} patterns")]
    Patterns(usize),
    #[error("its schema refers to `{0}`, which is outside of it and is not retrieved")]
    Outside(String),
    #[error("its schema refers to `{0}`, which it does not have")]
    Dangling(String),
    #[error("its schema uses `{0}` below its root, which is not supported")]
    Unsupported(&'static str),
    #[error("its schema refers to itself without end at `{0}`")]
    Loop(String),
    #[error("its schema branches too often to be checked in bounded time")]
    Branches,
    #[error("its schema has a name pattern that cannot be checked in linear time: `{0}`")]
    NamePattern(String),
    #[error("its schema is not valid: {0}")]
    Invalid(String),
}

impl Schema {
    /// Measures and compiles a schema. Takes milliseconds: not for the road.
    ///
    /// # Errors
    /// The schema is out of bounds, refers outside itself, or is no JSON Schema.
    pub(super) fn compile(text: &JsonText) -> Result<Self, SchemaError> {
        Self::compile_with(text, false)
    }

    /// The same for results, of which the agent's client may also check the formats.
    ///
    /// # Errors
    /// As [`Schema::compile`].
    pub(super) fn of_results(text: &JsonText) -> Result<Self, SchemaError> {
        Self::compile_with(text, true)
    }

    fn compile_with(text: &JsonText, formats: bool) -> Result<Self, SchemaError> {
        if text.as_str().len() > MAX_BYTES {
            return Err(SchemaError::Bytes);
        }
        let mut schema: Value = serde_json::from_str(text.as_str())
            .map_err(|error| SchemaError::Invalid(error.to_string()))?;
        if !schema.is_object() {
            return Err(SchemaError::NotAnObject);
        }
        let measured = bounds::measure(&schema)?;
        let (cost, patterns) = (measured.cost, measured.patterns);
        let mut notes = Vec::new();
        if let Some(odd) = measured.name_patterns.iter().find(|pattern| !is_linear(pattern)) {
            return Err(SchemaError::NamePattern(super::text::shown(odd, 60)));
        }
        for (pointer, pattern) in patterns {
            if !is_linear(&pattern) {
                let shown = super::text::shown(&pattern, 60);
                let pointer = super::text::shown(&pointer, 120);
                notes.push(format!(
                    "the pattern `{shown}` at `{pointer}` is not checked: it needs a backtracking engine"
                ));
                if let Some(Value::Object(node)) = schema.pointer_mut(&pointer) {
                    node.remove("pattern");
                }
            }
        }
        let validator = options()
            .should_validate_formats(formats)
            .build(&schema)
            .map_err(|error| SchemaError::Invalid(super::text::shown(&error.to_string(), 200)))?;
        let arguments = schema
            .get("properties")
            .and_then(Value::as_object)
            .map(|properties| properties.keys().cloned().collect())
            .unwrap_or_default();
        Ok(Self { validator, cost, arguments, notes })
    }

    /// What is wrong with `arguments`, one sentence each, at most five; empty if nothing is.
    pub(super) fn problems(&self, arguments: &Value) -> Vec<String> {
        if self.cost.of(arguments) > MAX_EVALUATIONS {
            let text = "the arguments are too large or too deeply nested to be checked";
            return vec![String::from(text)];
        }
        if self.validator.is_valid(arguments) {
            return Vec::new();
        }
        explain::problems(self.validator.iter_errors(arguments), &self.arguments)
    }
}

impl Schema {
    /// The places of a value that do not fit, as JSON Pointers; the whole if it is too much to check.
    pub(super) fn misfits(&self, value: &Value) -> Vec<String> {
        if self.cost.of(value) > MAX_EVALUATIONS {
            return vec![String::new()];
        }
        if self.validator.is_valid(value) {
            return Vec::new();
        }
        let errors = self.validator.iter_errors(value).take(MAX_MISFITS);
        errors.map(|error| error.instance_path().to_string()).collect()
    }
}

impl std::fmt::Debug for Schema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Schema").field("arguments", &self.arguments).finish_non_exhaustive()
    }
}

fn options() -> jsonschema::ValidationOptions<'static> {
    let patterns = jsonschema::PatternOptions::regex()
        .size_limit(MAX_PATTERN_BYTES)
        .dfa_size_limit(4 * MAX_PATTERN_BYTES);
    // Formats are annotations in 2020-12; checking them is the upstream's business.
    jsonschema::options()
        .offline()
        .should_validate_formats(false)
        .should_ignore_unknown_formats(true)
        .with_pattern_options(patterns)
}

fn is_linear(pattern: &str) -> bool {
    options().build(&serde_json::json!({ "pattern": pattern })).is_ok()
}

#[cfg(test)]
mod tests;
