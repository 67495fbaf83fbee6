//! What an operator may set.

use serde::Deserialize;
use serde::de::Error as _;

/// JSON Schema of the configuration.
pub(crate) const SCHEMA: &str = r#"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "least": {"type": "integer", "minimum": 0, "maximum": 100, "default": 50, "description": "Findings that are less sure are not reported."},
    "attachments": {"type": "boolean", "default": true, "description": "Report the signatures of Intercom's own download links (reason `signed_attachment`, confidence 60)."},
    "prefixes": {
      "type": "array", "maxItems": 64, "description": "Secrets of your own that begin in a certain way.",
      "items": {
        "type": "object", "additionalProperties": false, "required": ["prefix"],
        "properties": {
          "prefix": {"type": "string", "minLength": 2, "maxLength": 64},
          "length": {"type": "integer", "minimum": 4, "default": 16, "description": "At least so many letters, digits, `_` or `-` follow."}
        }
      }
    },
    "allow": {"type": "array", "maxItems": 256, "items": {"type": "string"}, "description": "Values that are known to be harmless, such as keys in your own examples."}
  }
}"#;

/// The configuration, checked.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Findings that are less sure are not reported.
    pub least: u8,
    /// Whether signatures of Intercom's own download links are reported.
    pub attachments: bool,
    /// Secrets of the operator's own.
    pub prefixes: Vec<Prefix>,
    /// Values that are known to be harmless.
    pub allow: Vec<String>,
}

/// How a secret of the operator's own begins.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prefix {
    /// The first letters.
    pub prefix: String,
    /// At least so many letters follow.
    #[serde(default = "sixteen")]
    pub length: usize,
}

const fn sixteen() -> usize {
    16
}

impl Default for Config {
    fn default() -> Self {
        Self { least: 50, attachments: true, prefixes: Vec::new(), allow: Vec::new() }
    }
}

/// A configuration that does not fit its schema.
#[derive(Debug, thiserror::Error)]
#[error("configuration of `secrets`: {0}")]
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
        if config.least > 100 || config.prefixes.iter().any(|own| own.prefix.len() < 2) {
            return Err(serde_json::Error::custom(
                "`least` is at most 100, a prefix at least 2 letters",
            )
            .into());
        }
        Ok(config)
    }

    pub(crate) fn allows(&self, value: &str) -> bool {
        self.allow.iter().any(|allowed| allowed == value)
    }
}
