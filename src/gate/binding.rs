//! What an approval is bound to, and how that is another by now.
//!
//! The plugins are those that were in force before the call was judged: a set that is swapped meanwhile
//! makes the hold stale, never the other way round.

use super::Gate;
use crate::domain::{Binding, CallFacts, Decision, Digest, Hold, Release, Subject};

impl Gate {
    /// What an approval of this call would be bound to; `None` if it is not a pinned tool's.
    pub(super) fn binding(
        &self,
        facts: &CallFacts,
        decision: &Decision,
        plugins: Digest,
    ) -> Option<Binding> {
        let Subject::Tool { name, definition: Some(definition), .. } = &facts.subject else {
            return None;
        };
        Some(Binding {
            origin: self.settings.origin.clone(),
            principal: facts.principal.clone(),
            tool: name.clone(),
            definition: *definition,
            arguments: facts.arguments,
            ruleset: decision.ruleset,
            plugins: Some(plugins),
            // It is read and noted once the call is held.
            target: None,
        })
    }
}

/// Whether the rules now ask for other conditions than those that the hold was opened with; how long
/// it waits was settled then.
pub(super) fn asks_more(hold: &Hold, decision: &Decision) -> bool {
    let asked = &hold.opened.release;
    decision.release.as_ref().is_some_and(|now| {
        let now = Release { expires: asked.expires, ..now.clone() };
        now != *asked
    })
}

pub(super) fn what_changed(was: &Binding, is: &Binding) -> String {
    let parts = [
        (was.origin != is.origin, "the address of Intercom's server"),
        (was.principal != is.principal, "the principal"),
        (was.definition != is.definition, "the tool's definition"),
        (was.arguments != is.arguments, "the arguments"),
        (was.ruleset != is.ruleset, "the policy"),
        (was.plugins != is.plugins, "the set of plugins"),
        (was.target != is.target, "what it would change"),
    ];
    let changed: Vec<&str> = parts.iter().filter(|part| part.0).map(|part| part.1).collect();
    format!("{} changed", changed.join(" and "))
}
