//! The trail: what a principal lately did and saw, as values.
//!
//! A [`Step`] is what one record of the log adds to a trail; a [`TrailView`] is what rules see of
//! it. What happens between the two is `crate::trail`. A step names nobody but the principal: things
//! that were seen are [`Mark`]s, keyed digests that only this installation can make.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Digest, Timestamp, Verdict};

/// The longest a label lasts, in minutes: as long as the log is read back at start.
pub const LABEL_MINUTES: u32 = 24 * 60;

/// What is told apart when it is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Thing {
    /// Contacts: customers and leads.
    Contacts,
    /// Companies.
    Companies,
    /// Conversations.
    Conversations,
    /// Articles of the help centre.
    Articles,
}

impl Thing {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::Contacts, Self::Companies, Self::Conversations, Self::Articles];

    /// The word in `input.trail` and records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Contacts => "contacts",
            Self::Companies => "companies",
            Self::Conversations => "conversations",
            Self::Articles => "articles",
        }
    }
}

/// Which thing it was, without saying so: the first 64 bits of a keyed digest of its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark(u64);

impl Mark {
    /// From a digest under the installation's key.
    #[must_use]
    pub fn of(keyed: &Digest) -> Self {
        let (first, _) = keyed.as_bytes().split_first_chunk().unwrap_or((&[0; 8], &[]));
        Self(u64::from_be_bytes(*first))
    }
}

impl Serialize for Mark {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:016x}", self.0))
    }
}

impl<'de> Deserialize<'de> for Mark {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let bits = digits.then(|| u64::from_str_radix(&text, 16).ok()).flatten();
        bits.map(Self).ok_or_else(|| de::Error::custom("not a mark: expected 16 hex digits"))
    }
}

/// A label that policy puts on a principal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Label {
    /// Its name, such as `customer-text`.
    pub name: String,
    /// How long it lasts; [`LABEL_MINUTES`] at most.
    pub minutes: u32,
}

/// What is counted of a call or an answer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Calls that were not denied.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub calls: u64,
    /// Requests that were.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub denials: u64,
    /// Calls of tools that write, that went to Intercom.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub writes: u64,
    /// Personal values that an agent did not get from us but looked for: guesses.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub probes: u64,
    /// Records in answers.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rows: u64,
    /// Bytes of customer text in answers.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub bytes: u64,
    /// What was seen.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub seen: BTreeMap<Thing, BTreeSet<Mark>>,
    /// How much was seen that could not be told apart: each counts as another thing of every kind.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unknown: u64,
    /// Labels that policy puts on the principal.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub labels: BTreeSet<Label>,
}

impl Tally {
    /// Whether it adds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// What one record adds to a principal's trail, and when by the trail's own clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The trail's time, which no change of the wall clock moves; in milliseconds.
    #[serde(with = "millis")]
    pub at: Timestamp,
    /// What the machine's own clock said then; in one step of each hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<Uptime>,
    /// What is added.
    pub add: Tally,
}

/// How long a machine has been up: a clock that nobody sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uptime {
    /// Which start of which machine.
    pub boot: String,
    /// Milliseconds since then.
    pub millis: u64,
}

mod millis {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::domain::Timestamp;

    pub(super) fn serialize<S: Serializer>(at: &Timestamp, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_i64(at.millis())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Timestamp, D::Error> {
        i64::deserialize(input).map(Timestamp::from_millis)
    }
}

/// A principal's trail as rules see it: what was, together with what is being asked about.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrailView {
    /// The last minute.
    pub minute: Totals,
    /// The last hour.
    pub hour: Totals,
    /// The last 24 hours.
    pub day: Totals,
    /// The labels in force, in the order of their names.
    pub labels: Vec<String>,
    /// The last calls of tools before this one, newest first.
    pub recent: Vec<Recent>,
}

/// The sums of one window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "named and explained as in `Tally` and `Thing`")]
pub struct Totals {
    pub calls: u64,
    pub denials: u64,
    pub writes: u64,
    pub probes: u64,
    pub rows: u64,
    pub bytes: u64,
    pub contacts: u64,
    pub companies: u64,
    pub conversations: u64,
    pub articles: u64,
}

impl Totals {
    /// The members with their names in `input.trail`.
    #[must_use]
    pub const fn named(&self) -> [(&'static str, u64); 10] {
        [
            ("calls", self.calls),
            ("denials", self.denials),
            ("writes", self.writes),
            ("probes", self.probes),
            ("rows", self.rows),
            ("bytes", self.bytes),
            (Thing::Contacts.as_str(), self.contacts),
            (Thing::Companies.as_str(), self.companies),
            (Thing::Conversations.as_str(), self.conversations),
            (Thing::Articles.as_str(), self.articles),
        ]
    }

    /// The number of different things of a kind.
    pub const fn of(&mut self, thing: Thing) -> &mut u64 {
        match thing {
            Thing::Contacts => &mut self.contacts,
            Thing::Companies => &mut self.companies,
            Thing::Conversations => &mut self.conversations,
            Thing::Articles => &mut self.articles,
        }
    }
}

/// A call of a tool, a while ago.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recent {
    /// The tool.
    pub tool: String,
    /// What was decided.
    pub verdict: Verdict,
    /// When, in whole seconds before now.
    pub seconds_ago: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_short_and_reads_back() {
        let at = Timestamp::from_millis(1_785_000_000_000);
        let add = Tally { calls: 1, ..Tally::default() };
        let plain = Step { at, clock: None, add };
        let text = serde_json::to_string(&plain).unwrap();
        assert_eq!(text, r#"{"at":1785000000000,"add":{"calls":1}}"#);
        let mark = Mark::of(&Digest::from_bytes([0xab; 32]));
        let add = Tally {
            rows: 2,
            seen: [(Thing::Contacts, [mark].into())].into(),
            labels: [Label { name: "l".to_owned(), minutes: 5 }].into(),
            ..Tally::default()
        };
        let clock = Some(Uptime { boot: "b".to_owned(), millis: 7 });
        let full = Step { at, clock, add };
        let text = serde_json::to_string(&full).unwrap();
        assert!(text.contains(r#""seen":{"contacts":["abababababababab"]}"#), "{text}");
        for step in [plain, full] {
            let text = serde_json::to_string(&step).unwrap();
            assert_eq!(serde_json::from_str::<Step>(&text).unwrap(), step);
        }
        for bad in ["\"abababababababa\"", "\"+babababababababa\"", "\"xbababababababab\"", "7"] {
            assert!(serde_json::from_str::<Mark>(bad).is_err(), "{bad}");
        }
    }
}
