//! What a candidate has seen, in a form that does not grow without bound.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::Change;
use crate::domain::{ApproverId, CallId, Digest, PrincipalId, Timestamp};

/// Demands that are named with a difference; further ones are counted.
const MOST_DEMANDS: usize = 20;
/// Bytes of what others may make as long as they like: names of rules and tools, demands.
const MOST_TEXT: usize = 200;

/// Which candidate watches, since when, and what it could not be compared on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShadowHead {
    /// The candidate.
    pub revision: Digest,
    /// Its author's name for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where it came from.
    pub source: String,
    /// Since when it watches.
    pub since: Timestamp,
    /// When it began to watch again, if the process was started anew meanwhile. The counts go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumed: Option<Timestamp>,
    /// Questions that it was asked and that it, or the active revision, did not answer in time. What
    /// would have been decided is not known then: it is neither a difference nor none.
    #[serde(default)]
    pub not_in_time: u64,
    /// Questions that it was not asked, because it was busy.
    pub dropped: u64,
}

/// A candidate in short.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShadowState {
    /// Which, and since when.
    #[serde(flatten)]
    pub head: ShadowHead,
    /// Questions that it was asked.
    pub asked: u64,
    /// How often it differed.
    pub flips: u64,
}

/// What a candidate has seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShadowReport {
    /// Which, and since when.
    #[serde(flatten)]
    pub head: ShadowHead,
    /// Questions that it was asked, by their word.
    pub asked: BTreeMap<String, u64>,
    /// How often it differed, by kind.
    pub changes: BTreeMap<Change, u64>,
    /// The differences, most frequent first.
    pub flips: Vec<Flip>,
    /// Differences that have no row of their own any more.
    pub beyond_rows: u64,
    /// Differences that have no record in the log, because there were too many at a time.
    pub unrecorded: u64,
}

impl ShadowReport {
    /// More than the longest report has, as JSON.
    pub const MOST_BYTES: u64 = 8 << 20;

    /// A report of nothing yet.
    #[must_use]
    pub const fn empty(
        revision: Digest,
        name: Option<String>,
        source: String,
        since: Timestamp,
    ) -> Self {
        let (resumed, not_in_time, dropped) = (None, 0, 0);
        let head = ShadowHead { revision, name, source, since, resumed, not_in_time, dropped };
        Self {
            head,
            asked: BTreeMap::new(),
            changes: BTreeMap::new(),
            flips: Vec::new(),
            beyond_rows: 0,
            unrecorded: 0,
        }
    }

    /// The same in short.
    #[must_use]
    pub fn state(&self) -> ShadowState {
        let (asked, flips) = (self.asked.values().sum(), self.changes.values().sum());
        ShadowState { head: self.head.clone(), asked, flips }
    }
}

/// One kind of difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flip {
    /// What it is.
    #[serde(flatten)]
    pub row: Row,
    /// How often.
    pub count: u64,
    /// The last calls that it happened to.
    pub calls: VecDeque<CallId>,
    /// What only one of the two demanded when it first happened: behind `-` the active revision, behind
    /// `+` the candidate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub demands: Vec<String>,
}

/// What one kind of difference is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Row {
    /// How the candidate differs.
    pub change: Change,
    /// The question's word.
    pub question: String,
    /// The rule: the candidate's where it is stricter, else the one that it does without.
    pub rule: String,
    /// The tool, if it was about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// Who called.
    pub principal: PrincipalId,
    /// Who wanted to release a hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approver: Option<ApproverId>,
    /// The revision that decided.
    pub active: Digest,
}

/// As many of the demands as are named, each as long as it may be.
pub(super) fn bounded(demands: &[String]) -> Vec<String> {
    let mut named: Vec<String> =
        demands.iter().take(MOST_DEMANDS).map(|demand| short(demand)).collect();
    if demands.len() > MOST_DEMANDS {
        named.push(format!("and {} more", demands.len() - MOST_DEMANDS));
    }
    named
}

/// A text as far as it has room, counted as JSON writes it.
pub(super) fn short(text: &str) -> String {
    let mut room = MOST_TEXT;
    let fits = |letter: &char| {
        let bytes = match letter {
            '"' | '\\' => 2,
            letter if letter.is_ascii_control() => "\\u0000".len(),
            letter => letter.len_utf8(),
        };
        room.checked_sub(bytes).inspect(|left| room = *left).is_some()
    };
    let kept: String = text.chars().take_while(fits).collect();
    if kept.len() < text.len() { kept + "..." } else { kept }
}
