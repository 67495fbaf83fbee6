//! The lattice of verdicts.

use serde::{Deserialize, Serialize};

/// What a judge says of a call or an answer. Ordered by strictness: `allow < hold < deny`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The call may go on.
    Allow,
    /// The call waits for a person.
    Hold,
    /// The call ends here.
    Deny,
}

impl Verdict {
    /// Joins two verdicts by taking the stricter one.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        self.max(other)
    }

    /// The lower-case word used in Rego, records and answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Hold => "hold",
            Self::Deny => "deny",
        }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
