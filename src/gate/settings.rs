//! What the gate is built with, and how a caller wants to be held.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::{Decision, Finding, HoldId, OnRelease, Question, Reason, Verdict, decide};
use crate::holds::{Grants, Holds};
use crate::identity::{Paused, People};
use crate::store::Sealer;
use crate::tape::Tape;
use crate::trail::Trail;
use crate::vault::Vault;

/// The gate's settings.
pub struct Settings {
    /// The name given to policy as `input.environment.name`.
    pub environment: Arc<str>,
    /// Plugins that must have looked at every call.
    pub required_plugins: Vec<String>,
    /// How long an approval may be claimed.
    pub approval_valid: Duration,
    /// Where calls go, scheme and authority: an approval is good for this place alone.
    pub origin: String,
    /// Today's people: whoever released a call must still be one of them when it is sent.
    pub people: Arc<People>,
    /// The agents that are paused.
    pub paused: Paused,
}

/// What the log says of what was before, folded.
pub struct Folds {
    /// What principals did and saw.
    pub trail: Trail,
    /// The held calls.
    pub holds: Holds,
    /// The grants in force.
    pub grants: Grants,
}

/// What seals what is kept, and what stands behind pseudonyms.
pub struct Secrets {
    /// The sealer of this installation.
    pub sealer: Arc<Sealer>,
    /// The pseudonyms of this installation.
    pub vault: Vault,
    /// What policy is asked, kept sealed if configuration wants it.
    pub tape: Tape,
}

/// What is to happen to a call that has to wait for a person.
#[derive(Debug, Clone, Copy)]
pub struct Holding {
    /// When its release is sent.
    pub on_release: OnRelease,
    /// The hold that the call says it belongs to.
    pub named: Option<HoldId>,
    /// Whether it can wait at all: what nobody could come back for is denied instead.
    pub can_wait: bool,
}

/// What the agent reads where its call would have to wait and cannot.
pub const CANNOT_WAIT: &str = "a person must release this call, and what Intercom asked of the user cannot wait that long; the \
     answer was not passed on, and nothing more was done";

impl Holding {
    /// For calls that cannot wait, or wait for the first time.
    pub const DEFAULT: Self = Self { on_release: OnRelease::Send, named: None, can_wait: true };

    /// The decision on a call, which is a denial if it would have to wait and cannot.
    pub(super) fn decided(self, mut decision: Decision) -> Decision {
        if self.can_wait || decision.verdict != Verdict::Hold {
            return decision;
        }
        decision.reasons.push(Reason::new("portcullis.cannot_wait", CANNOT_WAIT));
        let finding = Finding::denied_because(decision.reasons);
        decide(Question::Admit, decision.ruleset, vec![finding])
    }
}
