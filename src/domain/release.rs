//! What rules say of a hold: who may release it, how many, until when, and what else people may do.
//!
//! One value for the policy's answer, the record and the fold. What rules leave out is what was so
//! before they could say it: every action, no extension, no escalation, no grant. Two sets of
//! conditions join to the stricter one, member by member, so that one more rule never loosens a hold.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// Under which conditions people may release a hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// The approver must be in one of these groups; empty means every approver.
    pub groups: Vec<String>,
    /// How many different people.
    pub people: u32,
    /// How long the hold waits, in seconds.
    #[serde(rename = "expires_seconds", with = "seconds")]
    pub expires: Duration,
    /// Whether each of these people must stand for another group.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub distinct_groups: bool,
    /// By how much people may lengthen the wait in all, in seconds.
    #[serde(rename = "extend_seconds", default, skip_serializing_if = "Duration::is_zero")]
    #[serde(with = "seconds")]
    pub extend: Duration,
    /// Who else may decide after a while.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalate: Option<Escalation>,
    /// What people may do; everything if rules do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actions: Option<BTreeSet<Action>>,
    /// How young the proof of a person who releases must be, in minutes; 0 asks for none. Without it
    /// publishing and unpublishing ask for [`Release::STEP_UP_MINUTES`], and nothing else does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_up_minutes: Option<u32>,
    /// Whether people may let similar calls through for a while.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub grantable: bool,
    /// What becomes of the hold when its agent closes a connection that cancels by closing.
    #[serde(default, skip_serializing_if = "OnDisconnect::is_keep")]
    pub on_disconnect: OnDisconnect,
    /// Whether the person whom the agent acts for may release its call alone; `approve` is not asked then.
    #[serde(default, skip_serializing_if = "Confirm::is_never")]
    pub confirm: Confirm,
}

/// Who else may decide on a hold that waits for long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Escalation {
    /// After how long, in seconds.
    #[serde(rename = "after_seconds", with = "seconds")]
    pub after: Duration,
    /// The groups whose members may then decide as well.
    pub groups: Vec<String>,
}

/// What a person may do about a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Release it.
    Approve,
    /// Change the call, then release it.
    Edit,
    /// Refuse it.
    Reject,
    /// Ask the agent for something.
    Ask,
    /// Give it to somebody, or hand it on.
    Assign,
    /// Lengthen the wait.
    Extend,
    /// Take a release back.
    Revoke,
    /// Say what became of a call whose outcome is unknown.
    Note,
    /// Let similar calls through for a while.
    Grant,
    /// See what its pseudonyms stand for.
    Reveal,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Approve,
        Self::Edit,
        Self::Reject,
        Self::Ask,
        Self::Assign,
        Self::Extend,
        Self::Revoke,
        Self::Note,
        Self::Grant,
        Self::Reveal,
    ];

    /// The word in rules, commands and the interface.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Edit => "edit",
            Self::Reject => "reject",
            Self::Ask => "ask",
            Self::Assign => "assign",
            Self::Extend => "extend",
            Self::Revoke => "revoke",
            Self::Note => "note",
            Self::Grant => "grant",
            Self::Reveal => "reveal",
        }
    }
}

impl std::fmt::Display for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the end of a connection that cancels by ending does to a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnDisconnect {
    /// The hold waits on; the agent claims the outcome later.
    #[default]
    Keep,
    /// The hold is cancelled if nobody else waits for it.
    Cancel,
}

impl OnDisconnect {
    const fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }
}

/// Whether the person whom an agent acts for may release its call alone, asked by their own client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confirm {
    /// Other people decide.
    #[default]
    Never,
    /// That person may as well, if the call is no risk to the public and one person is enough.
    Requester,
}

impl Confirm {
    const fn is_never(&self) -> bool {
        matches!(self, Self::Never)
    }
}

impl Default for Release {
    /// How long a hold waits and who may release it where no judge said so: one person of any
    /// group, four hours.
    fn default() -> Self {
        Self {
            groups: Vec::new(),
            people: 1,
            expires: Duration::from_secs(4 * 60 * 60),
            distinct_groups: false,
            extend: Duration::ZERO,
            escalate: None,
            actions: None,
            step_up_minutes: None,
            grantable: false,
            on_disconnect: OnDisconnect::Keep,
            confirm: Confirm::Never,
        }
    }
}

/// The group that nobody is in: what is left where rules name groups that do not meet.
const NOBODY: &str = "(no group satisfies all rules)";

impl Release {
    /// How young a proof must be, in minutes, to publish or unpublish if rules do not say it.
    pub const STEP_UP_MINUTES: u32 = 10;

    /// How old the proof of a person who releases may be; `None` if it does not matter. `publishes`
    /// is whether the call changes what is public.
    #[must_use]
    pub fn step_up(&self, publishes: bool) -> Option<Duration> {
        let minutes = match self.step_up_minutes {
            Some(minutes) => minutes,
            None if publishes => Self::STEP_UP_MINUTES,
            None => 0,
        };
        (minutes > 0).then(|| Duration::from_secs(u64::from(minutes) * 60))
    }

    /// Whether people may do this.
    #[must_use]
    pub fn permits(&self, action: Action) -> bool {
        let granting = action != Action::Grant || self.grantable;
        granting && self.actions.as_ref().is_none_or(|actions| actions.contains(&action))
    }

    /// Whether the person whom the agent acts for may release a call under these conditions. Their
    /// answer proves little, so it counts where one person without a fresh proof is enough, and
    /// never as one of several.
    #[must_use]
    pub fn is_confirmable(&self) -> bool {
        self.confirm == Confirm::Requester
            && self.people <= 1
            && !self.distinct_groups
            && self.step_up_minutes.unwrap_or_default() == 0
            && self.permits(Action::Approve)
    }

    /// The groups whose members may decide on a hold that was opened at `opened`; empty means
    /// everybody.
    #[must_use]
    pub fn groups_at(&self, opened: Timestamp, now: Timestamp) -> Vec<String> {
        let mut groups = self.groups.clone();
        if let Some(escalation) = &self.escalate
            && !groups.is_empty()
            && now >= opened.plus(escalation.after)
        {
            groups.extend(escalation.groups.iter().filter(|it| !self.groups.contains(it)).cloned());
        }
        groups
    }

    /// The latest end of the wait that people may set for a hold that was opened at `opened`.
    #[must_use]
    pub fn latest(&self, opened: Timestamp) -> Timestamp {
        opened.plus(self.expires).plus(self.extend)
    }

    /// Whether these people, each by the groups that it stands for, are enough.
    #[must_use]
    pub fn is_met_by<'a>(&self, people: impl IntoIterator<Item = &'a [String]>) -> bool {
        self.counted(people) >= self.people.max(1) as usize
    }

    /// How many of these people count: each, or the most that can stand for a group of their own.
    #[must_use]
    pub fn counted<'a>(&self, people: impl IntoIterator<Item = &'a [String]>) -> usize {
        let people: Vec<&[String]> = people.into_iter().collect();
        if !self.distinct_groups {
            return people.len();
        }
        let mut taken: Vec<(&str, usize)> = Vec::new();
        let counts = |person: &usize| stands(&people, *person, &mut taken, &mut Vec::new());
        (0..people.len()).filter(counts).count()
    }

    /// The stricter of two: both sets of conditions must be met. Groups that do not meet leave
    /// nobody.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        Self {
            groups: meet(self.groups, other.groups),
            people: self.people.max(other.people),
            expires: self.expires.min(other.expires),
            distinct_groups: self.distinct_groups || other.distinct_groups,
            extend: self.extend.min(other.extend),
            escalate: self.escalate.zip(other.escalate).map(|(a, b)| Escalation {
                after: a.after.max(b.after),
                groups: both(a.groups, &b.groups),
            }),
            actions: match (self.actions, other.actions) {
                (Some(a), Some(b)) => Some(a.intersection(&b).copied().collect()),
                (one, None) | (None, one) => one,
            },
            step_up_minutes: match (self.step_up_minutes, other.step_up_minutes) {
                (Some(0) | None, None) | (None, Some(0)) => None,
                (Some(0), Some(minutes)) | (Some(minutes), Some(0)) => Some(minutes),
                (Some(a), Some(b)) => Some(a.min(b)),
                // What rules leave out asks for a younger proof of those who publish.
                (Some(minutes), None) | (None, Some(minutes)) => {
                    Some(minutes.min(Self::STEP_UP_MINUTES))
                }
            },
            grantable: self.grantable && other.grantable,
            on_disconnect: match (self.on_disconnect, other.on_disconnect) {
                (OnDisconnect::Keep, OnDisconnect::Keep) => OnDisconnect::Keep,
                _ => OnDisconnect::Cancel,
            },
            confirm: match (self.confirm, other.confirm) {
                (Confirm::Requester, Confirm::Requester) => Confirm::Requester,
                _ => Confirm::Never,
            },
        }
    }
}

fn meet(a: Vec<String>, b: Vec<String>) -> Vec<String> {
    match (a.is_empty(), b.is_empty()) {
        (true, _) => b,
        (false, true) => a,
        (false, false) => {
            let both = both(a, &b);
            if both.is_empty() { vec![NOBODY.to_owned()] } else { both }
        }
    }
}

fn both(a: Vec<String>, b: &[String]) -> Vec<String> {
    a.into_iter().filter(|group| b.contains(group)).collect()
}

/// Finds a group for a person, moving those who have one already if that helps (the matching of
/// Kuhn): people and groups are few.
fn stands<'a>(
    people: &[&'a [String]],
    person: usize,
    taken: &mut Vec<(&'a str, usize)>,
    tried: &mut Vec<&'a str>,
) -> bool {
    let Some(groups) = people.get(person) else { return false };
    for group in groups.iter() {
        if tried.contains(&group.as_str()) {
            continue;
        }
        tried.push(group);
        let holder = taken.iter().position(|(name, _)| name == group);
        let Some(at) = holder else {
            taken.push((group, person));
            return true;
        };
        let other = taken.get(at).map(|(_, other)| *other);
        let moved = other.is_some_and(|other| stands(people, other, taken, tried));
        if moved {
            // The other person took a place of its own, so this one is free.
            if let Some(slot) = taken.get_mut(at) {
                *slot = (group, person);
            }
            return true;
        }
    }
    false
}

mod seconds {
    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(span: &Duration, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_u64(span.as_secs())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Duration, D::Error> {
        u64::deserialize(input).map(Duration::from_secs)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn groups(names: &str) -> Vec<String> {
        names.split_whitespace().map(str::to_owned).collect()
    }

    fn releases() -> impl Strategy<Value = Release> {
        let escalation = proptest::option::of((1u64..9, "[a-c]").prop_map(|(after, group)| {
            Escalation { after: Duration::from_secs(after), groups: vec![group] }
        }));
        let actions =
            proptest::option::of(proptest::sample::subsequence(Action::ALL.to_vec(), 0..10));
        let first = (proptest::collection::vec("[a-c]", 0..3), 1u32..4, 1u64..99, any::<bool>());
        let second = (0u64..9, escalation, actions, proptest::option::of(0u32..30));
        (first, second, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
            |((groups, people, expires, distinct_groups), more, grantable, cancels, own)| Release {
                groups,
                people,
                expires: Duration::from_secs(expires),
                distinct_groups,
                extend: Duration::from_secs(more.0),
                escalate: more.1,
                actions: more.2.map(|actions| actions.into_iter().collect()),
                step_up_minutes: more.3,
                grantable,
                on_disconnect: if cancels { OnDisconnect::Cancel } else { OnDisconnect::Keep },
                confirm: if own { Confirm::Requester } else { Confirm::Never },
            },
        )
    }

    proptest! {
        /// Whoever may do something under both may do it under each.
        #[test]
        fn joined_conditions_are_at_least_as_strict_as_each(a in releases(), b in releases()) {
            let joined = a.clone().join(b.clone());
            let opened = Timestamp::from_millis(0);
            for one in [&a, &b] {
                prop_assert!(joined.people >= one.people);
                prop_assert!(joined.expires <= one.expires);
                prop_assert!(joined.latest(opened) <= one.latest(opened));
                prop_assert!(!joined.is_confirmable() || one.is_confirmable());
                for action in Action::ALL {
                    prop_assert!(!joined.permits(action) || one.permits(action));
                }
                for publishes in [false, true] {
                    if let Some(limit) = one.step_up(publishes) {
                        prop_assert!(joined.step_up(publishes).is_some_and(|it| it <= limit));
                    }
                }
                for seconds in 0..10 {
                    let now = Timestamp::from_millis(seconds * 1000);
                    let (open, narrow) = (one.groups_at(opened, now), joined.groups_at(opened, now));
                    let within = |it: &String| open.contains(it) || it == NOBODY;
                    prop_assert!(open.is_empty() || (!narrow.is_empty() && narrow.iter().all(within)));
                }
            }
        }

        #[test]
        fn what_rules_leave_out_is_not_written_and_reads_back(release in releases()) {
            let text = serde_json::to_string(&release).unwrap();
            prop_assert_eq!(serde_json::from_str::<Release>(&text).unwrap(), release);
        }
    }

    #[test]
    fn conditions_of_old_records_are_read_and_written_alike() {
        let old = r#"{"groups":["kb-editors"],"people":1,"expires_seconds":14400}"#;
        let release: Release = serde_json::from_str(old).unwrap();
        assert_eq!(release, Release { groups: groups("kb-editors"), ..Release::default() });
        assert_eq!(serde_json::to_string(&release).unwrap(), old);
        assert!(Action::ALL.iter().all(|it| release.permits(*it) == (*it != Action::Grant)));
        assert!(serde_json::from_str::<Release>(&old.replace("people", "peple")).is_err());
    }

    #[test]
    fn people_of_distinct_groups_each_stand_for_one() {
        let release = Release { people: 2, distinct_groups: true, ..Release::default() };
        for (people, counted) in [
            (&["a", "a"][..], 1),
            (&["a", "b"], 2),
            (&["a b", "a"], 2),
            (&["a", "a b"], 2),
            (&["", "a"], 1),
            (&["a b", "a c", "a"], 3),
            (&["a b", "a b", "a b"], 2),
            (&["a b", "b c", "a", "c"], 3),
        ] {
            let people: Vec<Vec<String>> = people.iter().map(|it| groups(it)).collect();
            let slices = || people.iter().map(Vec::as_slice);
            assert_eq!(release.counted(slices()), counted, "{people:?}");
            assert_eq!(release.is_met_by(slices()), counted >= 2, "{people:?}");
            let any = Release { distinct_groups: false, ..release.clone() };
            assert_eq!(any.counted(slices()), people.len());
        }
    }

    #[test]
    fn escalation_adds_groups_to_those_that_are_named() {
        let escalate =
            Some(Escalation { after: Duration::from_secs(60), groups: groups("leads kb") });
        let release = Release { groups: groups("kb"), escalate, ..Release::default() };
        let at = |seconds: i64| {
            release.groups_at(Timestamp::default(), Timestamp::from_millis(seconds * 1000))
        };
        assert_eq!((at(59), at(60)), (groups("kb"), groups("kb leads")));
        let open = Release { groups: Vec::new(), ..release.clone() };
        assert!(open.groups_at(Timestamp::default(), Timestamp::from_millis(99_000)).is_empty());
    }
}
