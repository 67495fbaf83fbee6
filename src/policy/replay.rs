//! A ruleset to which past questions are put again.
//!
//! It differs from one on the road in three things: `data.portcullis.replay` is true, so that rules can
//! tell; an evaluation may take longer, for a machine that is busy with a million of them must not turn
//! a decision into a time-out; and nobody can put it in force, because the road takes what is loaded.

use std::collections::BTreeMap;
use std::sync::Arc;

use regorus::Value;

use super::json::object;
use super::{Bundle, LoadErrors, Problem, Ruleset};
use crate::domain::Question;

/// A ruleset for past questions.
#[derive(Debug)]
pub struct Replay(Ruleset);

impl std::ops::Deref for Replay {
    type Target = Ruleset;

    fn deref(&self) -> &Ruleset {
        &self.0
    }
}

impl Replay {
    /// Checks, compiles and tries a bundle that was read.
    ///
    /// # Errors
    /// Every problem that was found.
    pub fn of(bundle: &Bundle) -> Result<Self, LoadErrors> {
        let mut ruleset = Ruleset::of(bundle)?;
        let mark = object([("portcullis", object([("replay", Value::from(true))]))]);
        let prepared = &mut ruleset.prepared;
        let mut engine = regorus::Engine::clone(&prepared.interpreter);
        engine
            .add_data(mark)
            .map_err(|error| Problem::of_bundle(format!("data for replay: {error}")))?;
        prepared.data = engine.get_data();
        prepared.interpreter = Arc::new(engine);
        ruleset.replays = true;
        Ok(Self(ruleset))
    }
}

impl Ruleset {
    /// Whether the rules about answers look at what is in them.
    #[must_use]
    pub fn looks_into_answers(&self) -> bool {
        let wanted = self.want(Question::Disclose).of("answer");
        self.prepared.looks.is_of_content()
            || wanted.is_some_and(|answer| answer.of("understood").is_some())
    }

    /// The rules that may speak on a question, by their names in decisions, with `file:line`.
    #[must_use]
    pub fn rules_of(&self, question: Question) -> BTreeMap<String, String> {
        let begins = format!("{}.", question.as_str());
        let of_question = self.sites.iter().filter(|(name, _)| name.starts_with(&begins));
        of_question.map(|(name, site)| (name.clone(), site.at.clone())).collect()
    }
}
