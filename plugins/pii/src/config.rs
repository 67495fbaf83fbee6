//! What an operator may set.

use serde::Deserialize;

/// The configuration, as JSON that fits [`SCHEMA`].
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How sure the name model must be, from 0 to 1: 0.5 is balanced, 0.2 strict.
    pub name_threshold: f32,
    /// Words that are no names: products, brands, places of the business.
    pub not_names: Vec<String>,
    /// Texts that are personal besides, each with its kind.
    pub words: Vec<Word>,
    /// Kinds that are not looked for.
    pub off: Vec<String>,
}

/// A text that is personal because the operator says so.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Word {
    /// One of the plugin's kinds.
    pub kind: String,
    /// As it is written.
    pub text: String,
}

impl Default for Config {
    fn default() -> Self {
        Self { name_threshold: 0.5, not_names: Vec::new(), words: Vec::new(), off: Vec::new() }
    }
}

/// JSON Schema of the configuration.
pub const SCHEMA: &str = r#"{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","additionalProperties":false,"properties":{
"name_threshold":{"type":"number","minimum":0,"maximum":1,"description":"How sure the name model must be; 0.5 is balanced, 0.2 strict."},
"not_names":{"type":"array","items":{"type":"string","minLength":1},"description":"Words that are no names of people: products, brands."},
"words":{"type":"array","items":{"type":"object","additionalProperties":false,"required":["kind","text"],"properties":{"kind":{"type":"string"},"text":{"type":"string","minLength":2}}},"description":"Texts that are personal besides, with their kind."},
"off":{"type":"array","items":{"type":"string"},"description":"Kinds that are not looked for."}}}"#;

impl Config {
    /// Reads a configuration; an empty text is the default.
    ///
    /// # Errors
    ///
    /// If it does not fit the schema.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        serde_json::from_str(text).map_err(|e| format!("the configuration of pii: {e}"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Config, SCHEMA};

    #[test]
    fn configurations_are_read_or_refused() {
        assert_eq!(Config::parse("").unwrap(), Config::default());
        let text = r#"{"name_threshold": 0.2, "words": [{"kind": "username", "text": "x1"}]}"#;
        let config = Config::parse(text).unwrap();
        assert!((config.name_threshold - 0.2).abs() < 1e-6 && config.words.len() == 1);
        assert!(Config::parse(r#"{"threshold": 1}"#).is_err());
        assert!(serde_json::from_str::<serde_json::Value>(SCHEMA).is_ok());
    }
}
