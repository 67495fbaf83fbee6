//! Which plugins look at what passes: those that come along, and the operator's own.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use super::check::{HOUR, SECOND};
use super::policies::keys;
use super::private;
use super::section::{Section, Text};
use crate::domain::{Digest, JsonText, Phase};

/// The plugins of an installation.
#[derive(Debug, Clone)]
pub struct Plugins {
    /// Whether those that come with Portcullis look, also where `list` does not name them.
    pub shipped: bool,
    /// Whether the set is loaded again when its files or the configuration's change.
    pub watch: bool,
    /// Kinds that rules redact and that need no plugin to look for them; `*` for all of them.
    pub without: Vec<String>,
    /// Plugins without which every call is denied, by their configured names.
    pub required: Vec<String>,
    /// Public keys in PEM files. If there are any, a plugin's file must be signed by one of them.
    pub keys: Vec<PathBuf>,
    /// The operator's own, and settings of those that come along; they look in this order.
    pub list: Vec<PluginEntry>,
    /// After so many faults in a row a plugin is not asked for a while.
    pub faults: u32,
    /// For so long.
    pub pause: Duration,
}

impl Default for Plugins {
    fn default() -> Self {
        Self {
            shipped: true,
            watch: false,
            without: Vec::new(),
            required: Vec::new(),
            keys: Vec::new(),
            list: Vec::new(),
            faults: 10,
            pause: SECOND * 5,
        }
    }
}

/// One plugin and its settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginEntry {
    /// Its name in records, rules and commands.
    pub name: String,
    /// Where it comes from.
    pub source: PluginSource,
    /// Its configuration, JSON that fits its schema.
    pub config: Option<JsonText>,
    /// When it is asked; `None` whenever it wants to.
    pub phases: Option<BTreeSet<Phase>>,
    /// For which tools; `None` for all that it wants to.
    pub tools: Option<BTreeSet<String>>,
    /// Bytes of its memory.
    pub memory: usize,
    /// How long one look may work, in time of the processor.
    pub deadline: Duration,
}

/// Where a plugin comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PluginSource {
    /// It comes with Portcullis, by this name.
    Shipped(String),
    /// A component in a file.
    File {
        /// Which.
        path: PathBuf,
        /// The SHA-256 that it must have.
        digest: Option<Digest>,
    },
}

const MEMORY: usize = 16 << 20;
const DEADLINE: Duration = Duration::from_millis(50);

impl PluginEntry {
    /// One that comes with Portcullis, as it is.
    #[must_use]
    pub fn shipped(name: &str) -> Self {
        Self::new(name, PluginSource::Shipped(name.to_owned()))
    }

    /// One of a source, with nothing set.
    #[must_use]
    pub fn new(name: &str, source: PluginSource) -> Self {
        Self {
            name: name.to_owned(),
            source,
            config: None,
            phases: None,
            tools: None,
            memory: MEMORY,
            deadline: DEADLINE,
        }
    }
}

pub(super) fn plugins(root: &Section<'_>) -> Plugins {
    let default = Plugins::default();
    let section = root.section("plugins");
    let shipped = section.flag("shipped", default.shipped);
    let watch = section.flag("watch", default.watch);
    let without = without(&section);
    let mut required = section.names("required");
    let keys = keys(&section);
    let faults = section.count("faults", default.faults as usize, &(1..=1000));
    let pause = section.span("pause", default.pause, &(SECOND..=HOUR));
    let mut list: Vec<PluginEntry> = Vec::new();
    for item in section.list("list") {
        let must = item.flag("required", false);
        let at = item.at;
        if let Some(entry) = entry(&item) {
            if list.iter().any(|other| other.name == entry.name) {
                item.refuse(at, "name", &format!("is `{}` a second time", entry.name));
            }
            if must && !required.contains(&entry.name) {
                required.push(entry.name.clone());
            }
            list.push(entry);
        }
        item.finish();
    }
    section.finish();
    let faults = u32::try_from(faults).unwrap_or(default.faults);
    Plugins { shipped, watch, without, required, keys, list, faults, pause }
}

/// Kinds that may be looked for by nobody. Without this line they must be announced by some plugin.
fn without(section: &Section<'_>) -> Vec<String> {
    let is_part = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    let mut kinds = Vec::new();
    for Text { at, text, shown } in section.texts("without") {
        if text == "*" || (text.len() <= 64 && text.bytes().all(is_part)) {
            kinds.push(text);
        } else {
            let rule = "which is no kind; use names such as `email`, or `*` for every kind";
            section.refuse(at, "without", &format!("has `{shown}`, {rule}"));
        }
    }
    kinds
}

fn entry(item: &Section<'_>) -> Option<PluginEntry> {
    let name = item.name_of("name");
    if name.is_none() && item.has("name").is_none() {
        item.missing("name", "name: customer-numbers");
    }
    let builtin = item.name_of("builtin");
    let path = item.path("path");
    let digest = item.text("digest").and_then(|text| match text.text.parse::<Digest>() {
        Ok(digest) => Some(digest),
        Err(error) => {
            item.refuse(text.at, "digest", &format!("is not in order: {error}"));
            None
        }
    });
    if let Some((at, path)) = &path
        && let Err(error) = private::check_not_writable(path)
    {
        item.refuse(*at, "path", &format!("is not safe: {error}"));
    }
    if let (Some(at), Some(_)) = (item.has("path"), item.has("builtin")) {
        item.refuse(at, "path", "stands beside `builtin`; keep one of them");
    }
    if let (Some(at), Some(_)) = (item.has("digest"), item.has("builtin")) {
        item.refuse(at, "digest", "is for a plugin of a file; remove it");
    }
    let source = match (path, builtin) {
        (Some((_, path)), _) => Some(PluginSource::File { path, digest }),
        (None, Some(name)) => Some(PluginSource::Shipped(name)),
        (None, None) => {
            if item.has("path").is_none() && item.has("builtin").is_none() {
                item.missing("path", "path: ./customer-numbers.wasm");
            }
            None
        }
    };
    let phases = item.words("phases", &Phase::ALL.map(words));
    let phases = item.has("phases").map(|_| phases.into_iter().collect());
    let tools = item.names("tools");
    let tools = item.has("tools").map(|_| tools.into_iter().collect());
    let entry = PluginEntry {
        config: item.json("config"),
        phases,
        tools,
        memory: item.size("memory", MEMORY, &(1 << 20..=1 << 30)),
        deadline: item.span("deadline", DEADLINE, &(Duration::from_millis(1)..=SECOND * 10)),
        ..PluginEntry::shipped("")
    };
    Some(PluginEntry { name: name?, source: source?, ..entry })
}

const fn words(phase: Phase) -> (&'static str, Phase) {
    (phase.as_str(), phase)
}
