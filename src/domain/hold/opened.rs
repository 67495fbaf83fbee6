//! What opens a hold, and what an approval of it is bound to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::{CallFacts, Digest, HoldId, Mark, PrincipalId, Reason, Release, Timestamp};

/// Everything an approval is good for; a change in any part makes it stale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// Where it will be sent: scheme and authority of the upstream.
    pub origin: String,
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
    /// The revision of the plugins that looked; absent in records of old, which no set equals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugins: Option<Digest>,
    /// The version of what the call would change, keyed; absent where it changes nothing that is
    /// there, where it could not be read yet, and in records of old.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Digest>,
}

impl Binding {
    /// The one digest that an approver confirms.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut parts: Vec<&[u8]> = vec![
            self.origin.as_bytes(),
            self.principal.as_str().as_bytes(),
            self.tool.as_bytes(),
            self.definition.as_bytes(),
            self.arguments.as_bytes(),
            self.ruleset.as_bytes(),
        ];
        // Without them the digest is the one that records of old have.
        parts.extend(self.plugins.as_ref().map(|it| it.as_bytes().as_slice()));
        if let Some(target) = &self.target {
            parts.extend([b"target".as_slice(), target.as_bytes()]);
        }
        Digest::of("portcullis/binding/v1", &parts)
    }
}

/// The version of what a call would change, as it was at Intercom when somebody looked: enough to
/// see that it is another by now, and in which parts, and nothing of what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetVersion {
    /// Keyed digest of all parts.
    pub digest: Digest,
    /// Each part that counts, such as `body`, as a keyed mark.
    pub parts: BTreeMap<String, Mark>,
    /// When it last changed, as Intercom says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// Its title, sealed, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

impl TargetVersion {
    /// What is another in `now`, in words for people; `None` if nothing is.
    #[must_use]
    pub fn what_changed(&self, now: &Self) -> Option<String> {
        if self.digest == now.digest {
            return None;
        }
        let names = self.parts.keys().chain(now.parts.keys());
        let mut changed: Vec<String> = names
            .filter(|name| self.parts.get(*name) != now.parts.get(*name))
            .map(|name| format!("its {}", name.replace('_', " ")))
            .collect();
        changed.sort();
        changed.dedup();
        let what = if changed.is_empty() { "it".to_owned() } else { changed.join(", ") };
        let when = now.updated_at.map(|at| format!(" at {at}")).unwrap_or_default();
        Some(format!("what it would change was changed at Intercom{when}: {what}"))
    }
}

/// When a released call is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnRelease {
    /// At once: the agent's protocol says that leaving does not cancel (legacy), or gives it a task
    /// to come back to.
    Send,
    /// Only while the agent waits in an identical call: its protocol says that leaving cancels
    /// (modern, without tasks).
    AwaitRepeat,
}

/// How much a call can do harm, for the order in which people look.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// It changes what only teammates see.
    Low,
    /// It changes something, or it is not known what.
    #[default]
    Medium,
    /// It changes what is public: it publishes, unpublishes, or overwrites what is published.
    High,
}

impl Risk {
    /// The word for people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    /// Whether it is the usual one, which is not written.
    #[must_use]
    pub const fn is_medium(&self) -> bool {
        matches!(self, Self::Medium)
    }
}

/// The hold that this one follows: a person asked for changes, and the agent called again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revises {
    /// Revision n.
    pub hold: HoldId,
    /// The number of the new one, n+1; the first is 1.
    pub revision: u32,
}

/// What opens a hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// What an approval will be bound to.
    pub binding: Binding,
    /// The call's facts.
    pub call: CallFacts,
    /// The call itself, sealed: the log alone can rebuild the hold, and shows nothing.
    pub sealed: String,
    /// When a release is sent.
    pub on_release: OnRelease,
    /// Why it is held.
    pub reasons: Vec<Reason>,
    /// Who may release it.
    pub release: Release,
    /// When it expires undecided.
    pub expires_at: Timestamp,
    /// The version of what it would change, if that was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<TargetVersion>,
    /// Which object it would change, as a keyed mark, so that holds on one object are found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<Mark>,
    /// How much harm it can do.
    #[serde(default, skip_serializing_if = "Risk::is_medium")]
    pub risk: Risk,
    /// Which hold it follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revises: Option<Revises>,
}
