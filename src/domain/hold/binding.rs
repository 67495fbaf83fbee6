//! What an approval is bound to.

use serde::{Deserialize, Serialize};

use crate::domain::{Digest, PrincipalId};

/// Everything an approval is good for; a change in any part makes it stale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// Who called.
    pub principal: PrincipalId,
    /// The tool.
    pub tool: String,
    /// Digest of the tool's pinned definition.
    pub definition: Digest,
    /// Keyed digest of the call as it will be sent ([`crate::domain::Call::digest`] under the
    /// installation's key, because the log must not hold guessable values).
    pub arguments: Digest,
    /// The policy revision.
    pub ruleset: Digest,
}

impl Binding {
    /// The one digest that an approver confirms.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(
            "portcullis/binding/v1",
            &[
                self.principal.as_str().as_bytes(),
                self.tool.as_bytes(),
                self.definition.as_bytes(),
                self.arguments.as_bytes(),
                self.ruleset.as_bytes(),
            ],
        )
    }

    /// Whether a repeated call is the same call: same principal, tool and arguments. The rest may
    /// have changed in between, which releasing checks.
    #[must_use]
    pub fn same_call(&self, other: &Self) -> bool {
        self.principal == other.principal
            && self.tool == other.tool
            && self.arguments == other.arguments
    }
}
