//! What the gate hands to the tape: what policy was asked, with what was true beside it, and what it said.

use super::shadow::strictest;
use crate::domain::{Call, ClientHint, Finding, Principal};
use crate::policy::{Facts, Ruleset, ToolFacts, Visible};
use crate::tape::{List, Round};

/// About a call, its answer, or a person's wish about it.
pub(super) fn round(
    ruleset: &Ruleset,
    call: &Call,
    facts: &Facts,
    others: &[Finding],
    said: &Finding,
) -> Round {
    let (revision, counted) = (ruleset.revision(), ruleset.counts_answers());
    let (call, facts, said) = (call.clone(), facts.clone(), said.clone());
    Round { ruleset: revision, counted, call, facts, others: strictest(others), said }
}

/// About a list of tools.
pub(super) fn list(
    ruleset: &Ruleset,
    (principal, client): (&Principal, &ClientHint),
    tools: &[ToolFacts],
    facts: &Facts,
    said: &Visible,
) -> List {
    List {
        ruleset: ruleset.revision(),
        counted: ruleset.counts_answers(),
        principal: principal.clone(),
        client: client.clone(),
        tools: tools.to_vec(),
        facts: facts.clone(),
        said: said.clone(),
    }
}
