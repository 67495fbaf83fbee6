//! What is said and taken about more than one hold; see [`super::model`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::model::Hold;
use crate::desk::{Decided, DeskError, Offer, PastPage, PastRow};
use crate::domain::{Grant, HoldId};

/// Words about what was done.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Said {
    /// They.
    pub(super) words: String,
}

/// For how long a hold is put aside, for the one who asks alone.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Snooze {
    /// Minutes; 0 brings it back.
    pub(super) minutes: u64,
}

/// Holds to be released together: of one tool and one agent, each shown before, none of high risk.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Batch {
    /// 1 to 50 of them.
    pub(super) holds: Vec<Seen>,
}

/// A hold as it was shown.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Seen {
    /// The hold.
    pub(super) id: String,
    /// The version that was shown.
    pub(super) version: u64,
    /// The binding that was shown.
    pub(super) binding: String,
}

/// What came of a batch.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Batched {
    /// In the order of the request.
    pub(super) holds: Vec<Came>,
}

/// What came of one hold of a batch.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Came {
    /// The hold.
    id: String,
    /// Whether the decision counts.
    done: bool,
    /// In words.
    words: String,
}

impl Came {
    pub(super) fn of(id: HoldId, came: Result<Decided, DeskError>) -> Self {
        let (done, words) = match came {
            Ok(decided) => (true, decided.words),
            Err(error) => (false, error.to_string()),
        };
        Self { id: id.to_string(), done, words }
    }
}

/// A grant to be given with a release.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Granted {
    /// The binding that was shown.
    pub(super) binding: String,
    /// At most so many calls, 1 to 20.
    pub(super) calls: u32,
    /// For so many minutes, 1 to 60.
    pub(super) minutes: u64,
    /// The fields that must have the values of the held call.
    #[serde(default)]
    pub(super) fields: Vec<String>,
}

/// The grants in force.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Grants {
    /// That ends first first.
    grants: Vec<InForce>,
}

/// A grant in force.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct InForce {
    /// The grant.
    id: String,
    /// Whose calls.
    principal: String,
    /// Of which tool.
    tool: String,
    /// Arguments that must be there with exactly this value, as JSON in a text.
    only: std::collections::BTreeMap<String, String>,
    /// How many calls in all.
    calls: u32,
    /// How many are left.
    left: u32,
    /// Until when.
    until: String,
    /// Who gave it.
    by: String,
    /// On which hold.
    hold: String,
}

impl From<Vec<Grant>> for Grants {
    fn from(grants: Vec<Grant>) -> Self {
        let in_force = |grant: Grant| InForce {
            id: grant.id.to_string(),
            left: grant.left(),
            principal: grant.given.principal.to_string(),
            tool: grant.given.tool,
            only: grant.given.only,
            calls: grant.given.calls,
            until: grant.given.until.to_string(),
            by: grant.given.by.to_string(),
            hold: grant.given.hold.to_string(),
        };
        Self { grants: grants.into_iter().map(in_force).collect() }
    }
}

/// The fields to be conditions of a grant that is thought of.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Fields {
    /// Names, separated by commas; a choice if absent.
    pub(super) fields: Option<String>,
}

/// What a grant on a hold could be.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct OfferSaid {
    /// Whether rules let people give one.
    grantable: bool,
    /// The fields that may be conditions.
    terms: Vec<Term>,
    /// How many held calls of the agent and tool would have matched.
    matched: usize,
    /// Of how many, the newest.
    of: usize,
    /// How many there were.
    total: usize,
    /// In how many days.
    days: u64,
}

/// A field that may be a condition.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Term {
    /// Its name.
    name: String,
    /// Its value in the held call, as JSON in a text.
    value: String,
    /// Whether it is a condition in any case.
    fixed: bool,
    /// Whether it was counted as one.
    chosen: bool,
    /// How many of the held calls have the same value.
    same: usize,
}

impl From<Option<Offer>> for OfferSaid {
    fn from(offer: Option<Offer>) -> Self {
        let grantable = offer.is_some();
        let Offer { terms, matched, of, total, days } = offer.unwrap_or_default();
        let term = |it: crate::desk::OfferTerm| Term {
            name: it.name,
            value: it.value,
            fixed: it.fixed,
            chosen: it.chosen,
            same: it.same,
        };
        let terms = terms.into_iter().map(term).collect();
        Self { grantable, terms, matched, of, total, days }
    }
}

/// A part of the held calls of before.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct BeforePage {
    /// Newest first.
    holds: Vec<Before>,
    /// How many match.
    total: usize,
    /// Since when held calls are looked through, if the log has older ones than the newest 20,000.
    since: Option<String>,
    /// How many lines about held calls cannot be read: what they say is missing here.
    unreadable: usize,
}

/// A held call of before.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Before {
    /// As it is.
    hold: Hold,
    /// The policy revision it was last judged by.
    revision: String,
    /// When it last changed.
    changed_at: String,
    /// Whether its release was ever used: `used`, `never used`, `not yet`, `unknown`, or nothing.
    used: &'static str,
    /// The positions of its records in the log.
    records: Vec<u64>,
}

impl From<PastPage> for BeforePage {
    fn from(page: PastPage) -> Self {
        let before = |row: PastRow| Before {
            hold: Hold::about(row.object, row.hold),
            revision: row.revision,
            changed_at: row.changed_at.to_string(),
            used: row.used.words(),
            records: row.records.iter().map(|seq| seq.0).collect(),
        };
        let since = page.since.map(|since| since.to_string());
        let (total, unreadable) = (page.total, page.unreadable);
        Self { holds: page.rows.into_iter().map(before).collect(), total, since, unreadable }
    }
}
