//! What an operator may set.

use serde::Deserialize;
use serde::de::Error as _;

/// JSON Schema of the configuration.
pub(crate) const SCHEMA: &str = r#"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "threshold": {"type": "integer", "minimum": 1, "maximum": 100, "default": 50, "description": "From this confidence on, a finding gives its label."},
    "least": {"type": "integer", "minimum": 0, "maximum": 100, "default": 35, "description": "Findings that are less sure are not reported."},
    "hold": {"type": ["integer", "null"], "minimum": 1, "maximum": 100, "default": null, "description": "From this confidence on, the plugin itself asks for a person."},
    "deny": {"type": ["integer", "null"], "minimum": 1, "maximum": 100, "default": null, "description": "From this confidence on, the plugin itself refuses."},
    "hosts": {"type": "array", "maxItems": 256, "items": {"type": "string"}, "description": "Hosts, with those below them, to which links may carry data."},
    "allow": {"type": "array", "maxItems": 256, "items": {"type": "string", "minLength": 8}, "description": "Sentences of your own that read like orders; they are looked past."}
  }
}"#;

/// The configuration, checked.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// From this confidence on, a finding gives its label.
    pub threshold: u8,
    /// Findings that are less sure are not reported.
    pub least: u8,
    /// From this confidence on, the plugin asks for a person.
    pub hold: Option<u8>,
    /// From this confidence on, the plugin refuses.
    pub deny: Option<u8>,
    /// Hosts to which links may carry data.
    pub hosts: Vec<String>,
    /// Sentences that are looked past.
    pub allow: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            threshold: 50,
            least: 35,
            hold: None,
            deny: None,
            hosts: Vec::new(),
            allow: Vec::new(),
        }
    }
}

/// A configuration that does not fit its schema.
#[derive(Debug, thiserror::Error)]
#[error("configuration of `injection`: {0}")]
pub struct ConfigError(#[from] serde_json::Error);

impl Config {
    /// Reads a configuration; an empty one is the default.
    ///
    /// # Errors
    /// If it does not fit the schema.
    pub fn parse(json: &str) -> Result<Self, ConfigError> {
        if json.trim().is_empty() {
            return Ok(Self::default());
        }
        // Read by position, an array would fit as well.
        let config: Self = match json.trim_start().starts_with('{') {
            true => serde_json::from_str(json)?,
            false => return Err(serde_json::Error::custom("an object is expected").into()),
        };
        let most = [Some(config.threshold), Some(config.least), config.hold, config.deny];
        if most.into_iter().flatten().any(|part| part > 100)
            || config.allow.iter().any(|own| own.len() < 8)
        {
            return Err(serde_json::Error::custom(
                "a confidence is at most 100, a sentence at least 8 letters",
            )
            .into());
        }
        Ok(config)
    }
}
