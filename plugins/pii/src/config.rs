//! What an operator may set.

/// The configuration, as JSON that fits [`SCHEMA`].
#[derive(Debug, Clone, PartialEq)]
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
#[derive(Debug, Clone, PartialEq, Eq)]
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
