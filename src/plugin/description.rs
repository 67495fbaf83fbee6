//! What a plugin says of itself, checked when it is loaded.

use std::collections::BTreeSet;

use serde_json::Value;

use super::contract::exports::portcullis::plugin::inspector;
use super::contract::portcullis::plugin::types;
use crate::domain::{JsonText, Phase};

const MOST_WORDS: usize = 256;
const MOST_SCHEMA_BYTES: usize = 64 * 1024;

/// What a plugin says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The name that its author gave it.
    pub name: String,
    /// Its version.
    pub version: String,
    /// One line for people.
    pub summary: String,
    /// Every kind that it can find.
    pub kinds: BTreeSet<String>,
    /// Every label that it can give.
    pub labels: BTreeSet<String>,
    /// When it wants to be asked.
    pub phases: BTreeSet<Phase>,
    /// For which tools; empty for all, and for messages without a tool.
    pub tools: BTreeSet<String>,
    /// The JSON Schema of its configuration; empty if it takes none.
    pub config_schema: String,
}

/// Why a description is not in order.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Misdescribed(String);

impl Description {
    pub(super) fn read(said: inspector::Description) -> Result<Self, Misdescribed> {
        let wrong = |text: &str| Err(Misdescribed(text.to_owned()));
        if !is_word(&said.name, b"-", 64) {
            return wrong("`name` must be 1 to 64 lower case letters, digits and `-`");
        }
        if !is_version(&said.version) {
            return wrong("`version` must be like `1.2.3`");
        }
        if said.summary.chars().count() > 300 || said.summary.chars().any(crate::domain::is_hidden)
        {
            return wrong("`summary` must be one line of at most 300 characters");
        }
        for words in [&said.kinds, &said.labels] {
            if words.len() > MOST_WORDS || !words.iter().all(|word| is_word(word, b"_", 64)) {
                return wrong("`kinds` and `labels` must be lower case letters, digits and `_`");
            }
        }
        if said.phases.is_empty() {
            return wrong("`phases` is empty, so it would never be asked");
        }
        let is_tool = |tool: &String| !tool.is_empty() && tool.len() <= 128;
        if said.tools.len() > MOST_WORDS || !said.tools.iter().all(is_tool) {
            return wrong("`tools` must be names of tools");
        }
        if said.config_schema.len() > MOST_SCHEMA_BYTES {
            return wrong("`config-schema` is larger than 64 KiB");
        }
        let description = Self {
            name: said.name,
            version: said.version,
            summary: said.summary,
            kinds: said.kinds.into_iter().collect(),
            labels: said.labels.into_iter().collect(),
            phases: said.phases.into_iter().map(phase).collect(),
            tools: said.tools.into_iter().collect(),
            config_schema: said.config_schema,
        };
        description.schema()?;
        Ok(description)
    }

    fn schema(&self) -> Result<Option<jsonschema::Validator>, Misdescribed> {
        if self.config_schema.trim().is_empty() {
            return Ok(None);
        }
        let schema: Value = serde_json::from_str(&self.config_schema)
            .map_err(|error| Misdescribed(format!("`config-schema` is no JSON: {error}")))?;
        let validator = jsonschema::draft202012::new(&schema).map_err(|error| {
            let text = super::component::words(&error.to_string());
            Misdescribed(format!("`config-schema` is no JSON Schema: {text}"))
        })?;
        Ok(Some(validator))
    }

    /// Whether a configuration is one that the plugin takes; what is wrong with it, in words.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check_config(&self, config: Option<&JsonText>) -> Result<(), String> {
        let schema = self.schema().map_err(|error| error.to_string())?;
        match (schema, config) {
            (None, None) => Ok(()),
            (None, Some(_)) => Err("the plugin takes no `config`; remove it".to_owned()),
            (Some(schema), config) => {
                let text = config.map_or("{}", JsonText::as_str);
                let config: Value = serde_json::from_str(text)
                    .map_err(|error| format!("`config` is no JSON: {error}"))?;
                let wrong: Vec<String> = schema
                    .iter_errors(&config)
                    .take(5)
                    .map(|error| {
                        let (place, error) = (error.instance_path().to_string(), error.masked());
                        super::component::words(&format!("`config{place}`: {error}"))
                    })
                    .collect();
                if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
            }
        }
    }
}

const fn phase(phase: types::Phase) -> Phase {
    match phase {
        types::Phase::Call => Phase::Call,
        types::Phase::Answer => Phase::Answer,
        types::Phase::Definition => Phase::Definition,
    }
}

/// Lower case letters, digits and some signs.
pub(super) fn is_word(word: &str, signs: &[u8], most: usize) -> bool {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || signs.contains(&b);
    !word.is_empty() && word.len() <= most && word.bytes().all(fits)
}

fn is_version(text: &str) -> bool {
    let core = text.split(['-', '+']).next().unwrap_or_default();
    let numbers: Vec<&str> = core.split('.').collect();
    let is_number = |it: &&str| !it.is_empty() && it.bytes().all(|b| b.is_ascii_digit());
    let plain = |b: u8| b.is_ascii_alphanumeric() || b".-+".contains(&b);
    text.len() <= 64
        && numbers.len() == 3
        && numbers.iter().all(is_number)
        && text.bytes().all(plain)
}
