//! What plugins have to say at the gate: which are in force, and which are missing; and what policy is
//! told beside the call.

use std::sync::Arc;

use super::Gate;
use crate::audit::LogError;
use crate::clock;
use crate::domain::{Event, Fault, Finding, Judge, Question, TrailView};
use crate::plugin::Plugins;
use crate::policy::{Facts, Ruleset};

impl Gate {
    /// The plugins in force.
    #[must_use]
    pub fn plugins(&self) -> Arc<Plugins> {
        self.plugins.load_full()
    }

    /// Puts another set of plugins in force: calls under way end on the one they started with.
    ///
    /// # Errors
    /// If the change cannot be recorded; the old one stays.
    pub async fn replace_plugins(&self, plugins: Plugins) -> Result<(), LogError> {
        let (revision, facts) = (plugins.revision(), plugins.facts());
        let event = Event::Plugins { revision, plugins: facts, refused: None };
        let _recorded = self.books.log.append(event).await?;
        self.plugins.store(Arc::new(plugins));
        Ok(())
    }

    /// Notes that a set of plugins was offered and refused; the one in force stays.
    ///
    /// # Errors
    /// If it cannot be recorded.
    pub async fn refuse_plugins(&self, why: String) -> Result<(), LogError> {
        let plugins = self.plugins();
        let (revision, facts) = (plugins.revision(), plugins.facts());
        let event = Event::Plugins { revision, plugins: facts, refused: Some(why) };
        let _recorded = self.books.log.append(event).await?;
        Ok(())
    }

    /// A finding for every plugin that configuration requires and nobody loaded.
    pub(super) fn absent_plugins(&self) -> Vec<Finding> {
        if self.settings.required_plugins.is_empty() {
            return Vec::new();
        }
        let plugins = self.plugins.load();
        let absent = |name: &String| {
            let text = format!("the required plugin `{name}` is not loaded");
            Finding::fault(Judge::Plugin(name.clone()), Fault::PluginAbsent, "plugin.absent", text)
        };
        let required = self.settings.required_plugins.iter();
        required.filter(|name| !plugins.has(name)).map(absent).collect()
    }

    /// What a ruleset is told beside the call; the trail only if it, or one in shadow, looks at it.
    pub(super) fn facts(
        &self,
        ruleset: &Ruleset,
        question: Question,
        view: impl FnOnce() -> TrailView,
    ) -> Facts {
        let looks = ruleset.looks_at_trail(question)
            || self.shadow.looks_at_trail(question)
            || self.tape.keeps(question);
        let trail = if looks { view() } else { TrailView::default() };
        let environment = self.settings.environment.clone();
        Facts { now: clock::now(), environment, trail, seen: Arc::default() }
    }
}
