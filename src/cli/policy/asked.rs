//! What commands about policy ask: a call in a document, as somebody, and how the call would come to
//! policy on the road.

use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, bail};

use crate::clock;
use crate::config::Config;
use crate::domain::{Finding, JsonText, Question};
use crate::intercom::{Catalogue, Pins, ToolDefinition};
use crate::policy::{Asked, Caller};

/// Who calls; what is given here goes before the document's `principal`.
#[derive(Debug, clap::Args)]
pub(super) struct CallerArgs {
    /// The name of the principal that asks.
    #[arg(long = "as", value_name = "ID")]
    id: Option<String>,
    /// Its roles.
    #[arg(long, value_delimiter = ',')]
    roles: Vec<String>,
    /// Its groups.
    #[arg(long, value_delimiter = ',')]
    groups: Vec<String>,
    /// Its attributes.
    #[arg(long, value_name = "K=V", value_delimiter = ',', value_parser = attribute)]
    attributes: Vec<(String, String)>,
}

/// A question, as a word of the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Word {
    Visible,
    Admit,
    Disclose,
    Approve,
}

impl From<Word> for Question {
    fn from(word: Word) -> Self {
        match word {
            Word::Visible => Self::Visible,
            Word::Admit => Self::Admit,
            Word::Disclose => Self::Disclose,
            Word::Approve => Self::Approve,
        }
    }
}

/// A file as text, or standard input.
pub(super) fn read(path: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    if path.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text).context("standard input is no text")?;
        return Ok(text);
    }
    std::fs::read_to_string(path).with_context(|| format!("`{}` cannot be read", path.display()))
}

impl CallerArgs {
    /// Puts what was given into a document. A name that `config` knows brings what it says of that
    /// principal, unless something else is given.
    pub(super) fn put_into(self, asked: &mut Asked, config: Option<&Config>) {
        let principal = &mut asked.principal;
        if let Some(id) = self.id {
            let known = config.into_iter().flat_map(|config| &config.principals);
            if let Some(known) = known.into_iter().find(|known| known.id.as_str() == id) {
                *principal = Caller::from(&**known);
            }
            principal.id = Some(id);
        }
        if !self.roles.is_empty() {
            principal.roles = self.roles;
        }
        if !self.groups.is_empty() {
            principal.groups = self.groups;
        }
        principal.attributes.extend(self.attributes);
    }

    /// For commands that ask as somebody only together with something else.
    pub(super) fn refuse_without(&self, other: &str) -> anyhow::Result<()> {
        let is_given = self.id.is_some()
            || !(self.roles.is_empty() && self.groups.is_empty() && self.attributes.is_empty());
        if is_given {
            bail!("`--as`, `--roles`, `--groups` and `--attributes` need {other}");
        }
        Ok(())
    }
}

fn attribute(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("an attribute is written KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

/// Brings a tool call into the form in which the road puts it to policy: arguments in their one
/// form, the tool's pin as it stands. Gives what Portcullis itself finds, which can only deny. A
/// document that says `effect` or `pinned` is taken as it is.
pub(super) fn resolve(asked: &mut Asked, data: Option<&Path>) -> anyhow::Result<Resolved> {
    let mut resolved = Resolved::default();
    let Some(tool) = asked.tool.clone() else { return Ok(resolved) };
    if asked.effect.is_some() || asked.pinned.is_some() {
        return Ok(resolved);
    }
    let known = data.map(|data| Pins::open(data.join("pins.json"))).transpose()?;
    let scratch = tempfile::tempdir()?;
    let pins = match known.filter(|pins| !pins.is_empty()) {
        Some(pins) => pins,
        None => {
            resolved.from_catalogue = true;
            catalogue_pins(scratch.path())?
        }
    };
    match pins.resolve(&tool, Some(asked.arguments.text())) {
        Ok(call) => {
            asked.arguments = call.arguments.clone().into();
            resolved.arguments = Some(call.arguments);
        }
        Err(refusal) => {
            asked.pinned = Some(false);
            resolved.own.push(Finding::denied(refusal.code(), refusal.to_string()));
        }
    }
    Ok(resolved)
}

/// What became of a call on its way to policy.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    /// The arguments as they would be sent.
    pub(super) arguments: Option<JsonText>,
    /// What Portcullis' own checks found.
    pub(super) own: Vec<Finding>,
    /// No pinned definitions were there, so those of the built-in catalogue stood in.
    pub(super) from_catalogue: bool,
}

/// Pins as if Intercom offered exactly what the catalogue knows.
fn catalogue_pins(folder: &Path) -> anyhow::Result<Pins> {
    let pins = Pins::open(folder.join("pins.json"))?;
    let mut definitions = Vec::new();
    for entry in Catalogue::shipped().entries() {
        let schema: serde_json::Value = serde_json::from_str(entry.input_schema.as_str())?;
        let definition = serde_json::json!({"name": entry.name, "inputSchema": schema});
        definitions.push(ToolDefinition::read(&JsonText::of(&definition))?);
    }
    pins.observe(definitions, clock::now())?;
    Ok(pins)
}
