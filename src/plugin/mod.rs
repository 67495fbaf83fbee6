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

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::domain::{Digest, Finding, Known, Leaf, Phase, PluginFacts, Span};

/// A set of plugins that were checked and tried together. Immutable: a reload makes a new one.
/// Cloning shares it.
#[derive(Debug, Clone)]
pub struct Plugins {
    revision: Digest,
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
    /// Who looked, by their configured names, whatever came of it.
    pub looked: BTreeSet<Arc<str>>,
}

impl Plugins {
    /// No plugins.
    #[must_use]
    pub fn none() -> Self {
        Self { revision: Digest::of("portcullis/plugins/v1", &[]) }
    }

    /// The digest over all components, their settings and their bounds.
    #[must_use]
    pub const fn revision(&self) -> Digest {
        self.revision
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        true
    }

    /// Whether a plugin of this configured name is in the set.
    #[must_use]
    pub const fn has(&self, _name: &str) -> bool {
        false
    }

    /// Whether anybody wants to be asked. `tool` is empty for messages without one.
    #[must_use]
    pub const fn looks_at(&self, _phase: Phase, _tool: &str) -> bool {
        false
    }

    /// Every kind of span that they can find.
    #[must_use]
    pub const fn kinds(&self) -> BTreeSet<String> {
        BTreeSet::new()
    }

    /// Every label that they can give.
    #[must_use]
    pub const fn labels(&self) -> BTreeSet<String> {
        BTreeSet::new()
    }

    /// Its plugins, for the record.
    #[must_use]
    pub const fn facts(&self) -> Vec<PluginFacts> {
        Vec::new()
    }

    /// Asks everybody who wants to be asked. What fails denies, by its finding.
    #[expect(clippy::unused_async, reason = "plugins run apart from the caller")]
    pub async fn inspect(
        &self,
        _phase: Phase,
        _tool: &str,
        _leaves: &Arc<[Leaf]>,
        _dictionary: &Arc<[Known]>,
    ) -> Inspection {
        Inspection::default()
    }
}
