//! What plugins say of the definitions of tools before these are shown to an agent.
//!
//! A definition is looked at once under one set of plugins: a list costs a look into a table. A tool whose
//! definition could not be looked at, or that a plugin denies, is not in the list at all.
//!
//! A call of a tool is judged by the same: an agent that knows the name of a tool that was hidden for its
//! definition's sake does not get past the list. Where plugins saw nothing in a definition, that costs a
//! look into the table; else `visible` is asked once more, about this tool alone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::Gate;
use crate::domain::{Call, Dictionary, Digest, Event, Finding, Phase, Question, Verdict};
use crate::intercom::{PinStatus, PinnedTool};
use crate::plugin::{Inspection, Plugins};
use crate::policy::{Ruleset, ToolFacts};
use crate::redact::Payload;

/// The rule named where a tool is not callable because it is not listed.
const HIDDEN: &str = "portcullis.definition_hidden";

/// What was said of each definition, by its digest, under one set of plugins.
#[derive(Default)]
pub(super) struct Definitions(Mutex<(Option<Digest>, HashMap<Digest, Said>)>);

/// What was said of one.
#[derive(Clone, Default)]
struct Said {
    labels: Arc<[String]>,
    denied: bool,
}

impl Definitions {
    fn get(&self, plugins: Digest, definition: Digest) -> Option<Said> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.1.get(&definition).filter(|_| kept.0 == Some(plugins)).cloned()
    }

    /// Keeps it; whether nobody had yet.
    fn put(&self, plugins: Digest, definition: Digest, said: Said) -> bool {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.0 != Some(plugins) || kept.1.len() >= 2 * crate::intercom::MAX_TOOLS {
            *kept = (Some(plugins), HashMap::new());
        }
        kept.1.insert(definition, said).is_none()
    }
}

impl Gate {
    /// The tools as rules see them, those that plugins deny left out.
    pub(super) async fn offered(&self, tools: &[Arc<PinnedTool>]) -> Vec<ToolFacts> {
        let plugins = self.plugins();
        let mut offered = Vec::with_capacity(tools.len());
        for tool in tools {
            let Said { labels, denied } = self.said(&plugins, tool).await;
            if !denied {
                let (name, effect) = (tool.definition.name.clone(), tool.effect());
                offered.push(ToolFacts { name, effect, pinned: true, labels });
            }
        }
        offered
    }

    /// A denial of a call to a tool that is not listed because of what plugins saw in its definition.
    pub(super) async fn hidden(&self, ruleset: &Ruleset, call: &Call) -> Option<Finding> {
        let PinStatus::Pinned(tool) = self.pins.status(call.subject.tool()?) else { return None };
        let Said { labels, denied } = self.said(&self.plugins(), &tool).await;
        if !denied && labels.is_empty() {
            return None;
        }
        let name = tool.definition.name.clone();
        if !denied {
            let facts =
                ToolFacts { name: name.clone(), effect: tool.effect(), pinned: true, labels };
            let view = || self.books.trail.view(&call.principal.id);
            let seen = self.facts(ruleset, Question::Visible, view);
            let shown = ruleset.visible(&call.principal, &call.client, &[facts], &seen).await;
            if shown.finding.verdict == Verdict::Allow && shown.tools.contains(&name) {
                return None;
            }
        }
        let text = format!("`{name}` is not offered because of what plugins saw in its definition");
        Some(Finding::denied(HIDDEN, text))
    }

    async fn said(&self, plugins: &Plugins, tool: &PinnedTool) -> Said {
        let (name, definition) = (&tool.definition.name, tool.definition.digest);
        if !plugins.looks_at(Phase::Definition, name) {
            return Said::default();
        }
        let revision = plugins.revision();
        if let Some(said) = self.definitions.get(revision, definition) {
            return said;
        }
        let Ok(payload) = Payload::of_arguments(&tool.definition.text) else {
            return Said { denied: true, ..Said::default() };
        };
        let nobody = Dictionary::default();
        let Inspection { labels, findings, .. } =
            plugins.inspect(Phase::Definition, name, payload.leaves(), &nobody).await;
        let denied = findings.iter().any(|finding| finding.verdict == Verdict::Deny);
        let said = Said { labels: labels.into_iter().collect(), denied };
        // A plugin that failed may do better the next time.
        if findings.iter().any(|finding: &Finding| finding.fault.is_some()) {
            tracing::warn!(tool = %name, "plugins could not look at its definition; it is not listed");
            return said;
        }
        let is_new = self.definitions.put(revision, definition, said.clone());
        if is_new && (denied || !said.labels.is_empty()) {
            let (name, labels) = (name.clone(), said.labels.to_vec());
            let event = Event::Definition { name, definition, plugins: revision, labels };
            if let Err(error) = self.books.log.append_later(event) {
                tracing::error!(%error, "what plugins said of a definition is not recorded");
            }
        }
        said
    }
}
