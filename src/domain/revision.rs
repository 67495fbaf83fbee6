//! Revisions of the Model Context Protocol and their two eras.

use serde::{Deserialize, Serialize};

/// A revision that Portcullis speaks on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Revision {
    /// First with Streamable HTTP; the only one with batches.
    #[serde(rename = "2025-03-26")]
    V2025_03_26,
    /// Structured content, elicitation, the version header.
    #[serde(rename = "2025-06-18")]
    V2025_06_18,
    /// The last with `initialize`.
    #[serde(rename = "2025-11-25")]
    V2025_11_25,
    /// The current one: stateless.
    #[serde(rename = "2026-07-28")]
    V2026_07_28,
}

/// Which of the two families a revision belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Era {
    /// `initialize` and sessions.
    Legacy,
    /// Protocol data in every request.
    Modern,
}

impl Revision {
    /// All revisions, oldest first.
    pub const ALL: [Self; 4] =
        [Self::V2025_03_26, Self::V2025_06_18, Self::V2025_11_25, Self::V2026_07_28];
    /// The newest revision of the legacy era.
    pub const NEWEST_LEGACY: Self = Self::V2025_11_25;

    /// Reads a revision's date.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|revision| revision.as_str() == text)
    }

    /// The date that names it on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2025_03_26 => "2025-03-26",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
            Self::V2026_07_28 => "2026-07-28",
        }
    }

    /// The era it belongs to.
    #[must_use]
    pub const fn era(self) -> Era {
        match self {
            Self::V2026_07_28 => Era::Modern,
            _ => Era::Legacy,
        }
    }
}

impl std::fmt::Display for Revision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
