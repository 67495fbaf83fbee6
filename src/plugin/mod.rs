//! Plugins: the only place that knows wasm.
//!
//! A plugin is a WebAssembly component that looks at the texts of a call, of an answer or of a
//! tool's definition and says what it sees: spans with a kind, labels, and an opinion that can only
//! make a verdict stricter (`plugins/wit/plugin.wit`). It has no files, network, clock or
//! randomness, gets a fresh instance for each call, and can change nothing.
//!
//! On the road: `gate` asks before policy does, and gives policy what was seen. This module must
//! never let a plugin's failure pass: a trap, a time-out, too much memory, a report that does not
//! fit, each becomes a finding that denies what was looked at, and nothing else.
//!
//! The choice that keeps the rest simple: guests run to their end on blocking threads, interrupted
//! by the engine's epoch once they have worked for too long (by the time of the processor, so that
//! nobody is late because the machine is busy), and never on the runtime's own. All plugins that look
//! at one document do so one after the other in one task, because handing over costs more than an
//! empty call; the first that fails ends it, for the document is denied by then.

mod breaker;
mod call;
mod component;
mod contract;
mod description;
mod guest;
mod host;
mod inspect;
mod load;
mod report;
mod shipped;
mod signature;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::domain::{Announced, Digest, Finding, JsonText, Phase, PluginFacts, Span};

pub use breaker::{Health, Patience};
pub use call::{Bounds, Failure};
pub use component::{Component, MAX_BYTES, Unfit};
pub use description::{Description, Misdescribed};
pub use host::{Host, HostError};
pub use inspect::Trial;
pub use load::{LoadError, LoadErrors, Loader, Refused, announced, entries};
pub use report::Seen;
pub use shipped::{SHIPPED, Shipped, shipped};
pub use signature::{KeyError, Keys, SigningKey, beside as signature_beside};

use breaker::Breaker;

/// A set of plugins that were checked and tried together. Immutable: a reload makes a new one.
/// Cloning shares it.
#[derive(Debug, Clone)]
pub struct Plugins(Arc<Set>);

#[derive(Debug)]
struct Set {
    revision: Digest,
    /// Absent if there are no plugins.
    host: Option<Host>,
    plugins: Vec<Plugin>,
    announced: Announced,
    /// Documents that are looked at at one time.
    slots: Arc<Semaphore>,
}

/// One plugin of a set, with its settings.
#[derive(Debug)]
pub struct Plugin {
    name: Arc<str>,
    component: Component,
    config: Option<JsonText>,
    phases: BTreeSet<Phase>,
    /// Empty for all, and for messages without a tool.
    tools: BTreeSet<String>,
    bounds: Bounds,
    patience: Patience,
    breaker: Breaker,
}

/// What the plugins of a set saw.
#[derive(Debug, Default)]
pub struct Inspection {
    /// Spans of the leaves, checked: they lie in their leaf and between characters.
    pub spans: Vec<Span>,
    /// What the whole is.
    pub labels: BTreeSet<String>,
    /// What they demand of the verdict: their opinions, and a denial for each that failed.
    pub findings: Vec<Finding>,
    /// Who was asked, by their configured names, whatever came of it.
    pub looked: BTreeSet<Arc<str>>,
}

/// What a plugin is and how it does, for people.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct PluginState {
    /// Its configured name.
    pub name: String,
    /// Its version, as it says.
    pub version: String,
    /// The SHA-256 of its component.
    pub digest: Digest,
    /// What it looks at: words of [`Phase`].
    pub phases: Vec<String>,
    /// For which tools; empty for all.
    pub tools: Vec<String>,
    /// What it can find.
    pub kinds: Vec<String>,
    /// How it does.
    pub health: Health,
}

impl Plugins {
    /// No plugins.
    #[must_use]
    pub fn none() -> Self {
        Self::of(None, Vec::new(), &[])
    }

    fn of(host: Option<Host>, plugins: Vec<Plugin>, without: &[String]) -> Self {
        let mut parts: Vec<Digest> = plugins.iter().map(Plugin::revision).collect();
        if !without.is_empty() {
            parts.push(Digest::of("portcullis/without/v1", &[without.join("\n").as_bytes()]));
        }
        let of_answers = plugins.iter().filter(|plugin| plugin.phases.contains(&Phase::Answer));
        let kinds = of_answers.flat_map(|plugin| plugin.description().kinds.iter().cloned());
        let announced =
            Announced { kinds: kinds.collect(), without: without.iter().cloned().collect() };
        let parts: Vec<&[u8]> = parts.iter().map(|it| it.as_bytes().as_slice()).collect();
        let revision = Digest::of("portcullis/plugins/v1", &parts);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        // More than cores, so that one plugin that burns its deadline is shared out by the system.
        let slots = Arc::new(Semaphore::new((2 * cores).max(4)));
        Self(Arc::new(Set { revision, host, plugins, announced, slots }))
    }

    /// The digest over all components, their settings and their bounds.
    #[must_use]
    pub fn revision(&self) -> Digest {
        self.0.revision
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.plugins.is_empty()
    }

    /// The plugin of a configured name.
    #[must_use]
    pub fn plugin(&self, name: &str) -> Option<&Plugin> {
        self.0.plugins.iter().find(|plugin| &*plugin.name == name)
    }

    /// Whether a plugin of this configured name is in the set.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.plugin(name).is_some()
    }

    /// Whether anybody wants to be asked. `tool` is empty for messages without one.
    #[must_use]
    pub fn looks_at(&self, phase: Phase, tool: &str) -> bool {
        self.0.plugins.iter().any(|plugin| plugin.looks_at(phase, tool))
    }

    /// The kinds of span that they find in answers, and those that may be missing.
    #[must_use]
    pub fn announced(&self) -> &Announced {
        &self.0.announced
    }

    /// Every label that they can give.
    #[must_use]
    pub fn labels(&self) -> BTreeSet<String> {
        let all = self.0.plugins.iter();
        all.flat_map(|plugin| plugin.description().labels.iter().cloned()).collect()
    }

    /// Its plugins, for the record.
    #[must_use]
    pub fn facts(&self) -> Vec<PluginFacts> {
        self.0.plugins.iter().map(Plugin::facts).collect()
    }

    /// Its plugins and how they do, for people.
    #[must_use]
    pub fn states(&self) -> Vec<PluginState> {
        self.0.plugins.iter().map(Plugin::state).collect()
    }
}

impl Plugin {
    /// Whether it wants to be asked. `tool` is empty for messages without one.
    #[must_use]
    pub fn looks_at(&self, phase: Phase, tool: &str) -> bool {
        self.phases.contains(&phase) && (self.tools.is_empty() || self.tools.contains(tool))
    }

    /// What it says of itself.
    #[must_use]
    pub fn description(&self) -> &Description {
        self.component.description()
    }

    /// For the record.
    #[must_use]
    pub fn facts(&self) -> PluginFacts {
        PluginFacts {
            name: self.name.to_string(),
            version: self.description().version.clone(),
            digest: self.component.digest(),
        }
    }

    fn state(&self) -> PluginState {
        let PluginFacts { name, version, digest } = self.facts();
        PluginState {
            name,
            version,
            digest,
            phases: self.phases.iter().map(|phase| phase.as_str().to_owned()).collect(),
            tools: self.tools.iter().cloned().collect(),
            kinds: self.description().kinds.iter().cloned().collect(),
            health: self.breaker.health(),
        }
    }

    /// Everything that its findings depend on.
    fn revision(&self) -> Digest {
        let list = |words: Vec<&str>| words.join("\n");
        let phases = list(self.phases.iter().map(|phase| phase.as_str()).collect());
        let tools = list(self.tools.iter().map(String::as_str).collect());
        let bounds = format!("{} {}", self.bounds.memory, self.bounds.deadline.as_micros());
        let config = self.config.as_ref().map_or("", JsonText::as_str);
        let parts = [&*self.name, config, &phases, &tools, &bounds];
        let mut parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
        let digest = self.component.digest();
        parts.push(digest.as_bytes());
        Digest::of("portcullis/plugin/v1", &parts)
    }
}
