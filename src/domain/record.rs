//! Records: what the log says happened. No secret and no raw personal value is in any of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    ApproverId, Call, CallId, ClientHint, Decision, Digest, GrantEvent, GrantId, HoldEvent, HoldId,
    PrincipalId, Question, Revision, Seq, Step, Subject, Timestamp, Verdict,
};

/// The facts of a call that a record may show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallFacts {
    /// Our identifier.
    pub id: CallId,
    /// Who called.
    pub principal: PrincipalId,
    /// What the client said of itself (untrusted).
    pub client: ClientHint,
    /// The client's revision.
    pub revision: Revision,
    /// The method.
    pub method: String,
    /// What it was about, without what a client could have written of somebody: of the address of a
    /// resource a keyed digest.
    pub subject: Subject,
    /// Keyed digest of what would be sent.
    pub arguments: Digest,
}

impl CallFacts {
    /// The facts of `call`; `arguments` is [`Call::digest`] under the installation's key, `subject`
    /// the call's, as a record may show it.
    #[must_use]
    pub fn of(call: &Call, subject: Subject, arguments: Digest) -> Self {
        Self {
            id: call.id,
            principal: call.principal.id.clone(),
            client: call.client.clone(),
            revision: call.revision,
            method: call.method.clone(),
            subject,
            arguments,
        }
    }
}

/// How an admitted call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeKind {
    /// Intercom answered, and the answer left.
    Answered,
    /// Intercom answered with a tool error or a protocol error, and that left.
    Error,
    /// The policy withheld the answer.
    Withheld,
    /// The client went away or cancelled.
    Cancelled,
    /// Intercom could not be reached before anything was sent.
    NotSent,
    /// Sent, but no answer came.
    Lost,
}

/// The end of an admitted call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// How.
    pub kind: OutcomeKind,
    /// Bytes of the answer.
    pub bytes: u64,
    /// Milliseconds between arrival and end.
    pub millis: u64,
    /// The answer to `disclose`, unless it was a plain allow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disclose: Option<Decision>,
}

/// What happened to a tool's pinned definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolChange {
    /// Pinned on first contact.
    FirstSeen,
    /// Pinned by a person.
    Pinned,
    /// The upstream's definition differs from the pinned one: hidden and denied.
    Changed,
    /// The upstream offers a tool that nobody pinned: hidden and denied.
    New,
    /// The upstream's definition is the pinned one again.
    Restored,
}

/// What a person did about which policy decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RolloutAction {
    /// A revision is to decide from now on, and stays.
    Promote,
    /// An earlier revision is to decide again, and stays.
    Rollback,
    /// The source is followed again.
    Follow,
    /// A candidate is watched beside the revision that decides.
    ShadowStart,
    /// It is no longer watched.
    ShadowStop,
}

/// What was done about an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum PrincipalChange {
    /// Its calls are denied from now on.
    Paused,
    /// It may call again.
    Resumed,
    /// It has one more key.
    KeyAdded {
        /// The key's id, and until when it is good.
        key: String,
    },
    /// A key of it ended.
    KeyRevoked {
        /// The key's id.
        key: String,
    },
}

/// What happened to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountChange {
    /// Its owner signed in.
    SignedIn,
    /// Somebody gave its name and did not prove to be its owner.
    SignInFailed,
    /// Nobody may try for a while: too many attempts failed.
    LockedOut,
    /// Its owner signed out, or ended a session.
    SignedOut,
    /// Its owner proved once more who they are.
    SteppedUp,
    /// It was made.
    Added,
    /// It was taken away.
    Removed,
    /// It has other roles.
    Roles,
    /// It has other groups.
    Groups,
    /// It has another password.
    Password,
    /// A link by which its password is set was opened.
    SetUp,
    /// It has a second factor.
    SecondFactor,
    /// Its second factor was taken away.
    SecondFactorRemoved,
    /// It has one more token.
    TokenAdded,
    /// A token of it ended.
    TokenRevoked,
    /// Its owner has one more key for the command line.
    KeyAdded,
    /// A key of its owner ended.
    KeyRevoked,
}

const fn once() -> u64 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
const fn is_once(count: &u64) -> bool {
    *count == 1
}

/// What a watched candidate said otherwise than the revision that decided. Nothing came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShadowFacts {
    /// Which question.
    pub question: Question,
    /// The call, if it was about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallId>,
    /// Who called.
    pub principal: PrincipalId,
    /// The tool, if it was about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// In so many words, such as `would have denied`.
    pub would: String,
    /// What was decided.
    pub decided: Verdict,
    /// What the candidate says.
    pub candidate: Verdict,
    /// The rules for it, the candidate's if it is stricter.
    pub rules: Vec<String>,
    /// What only one of the two demands, in words: behind `-` what decided, behind `+` the candidate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub demands: Vec<String>,
    /// The candidate's revision.
    pub revision: Digest,
}

/// A plugin of a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginFacts {
    /// Its configured name.
    pub name: String,
    /// Its version, as it says.
    pub version: String,
    /// The SHA-256 of its component.
    pub digest: Digest,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The process started.
    Started {
        /// Portcullis' version.
        version: String,
        /// The policy revision.
        ruleset: Digest,
        /// Set if a torn tail of the last run was found and cut: how many bytes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        recovered_bytes: Option<u64>,
    },
    /// The process stopped in order.
    Stopped,
    /// The answer to `admit`, durable before anything acts on it.
    Decision {
        /// Which call.
        call: CallFacts,
        /// The decision.
        decision: Decision,
        /// What it adds to the principal's trail.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trail: Option<Box<Step>>,
    },
    /// What a principal was shown, or must be given back; durable before the answer leaves.
    Trail {
        /// By which call.
        call: CallId,
        /// Whose trail.
        principal: PrincipalId,
        /// What is added.
        trail: Step,
        /// Set if the step is one of before that is taken back: nothing was sent after all.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        back: bool,
    },
    /// The end of an admitted call.
    Outcome {
        /// Which call.
        call: CallId,
        /// How it ended.
        outcome: Outcome,
    },
    /// Something happened to a hold.
    Hold {
        /// Which hold.
        hold: HoldId,
        /// What.
        #[serde(flatten)]
        event: HoldEvent,
    },
    /// A person was shown what the pseudonyms of a held call stand for; durable before the values are.
    Revealed {
        /// Which hold.
        hold: HoldId,
        /// Who saw them.
        by: ApproverId,
        /// Of which kinds they were, and how many of each.
        kinds: BTreeMap<String, u64>,
    },
    /// Something happened to a grant.
    Grant {
        /// Which grant.
        grant: GrantId,
        /// What.
        #[serde(flatten)]
        event: GrantEvent,
    },
    /// A tool's definition was seen, changed or pinned.
    Tool {
        /// The tool.
        name: String,
        /// What happened.
        change: ToolChange,
        /// The digest of the definition that the upstream offers now.
        definition: Digest,
        /// The digest that is pinned, if another.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pinned: Option<Digest>,
    },
    /// Plugins found something in a tool's definition.
    Definition {
        /// The tool.
        name: String,
        /// The digest of its definition.
        definition: Digest,
        /// The set of plugins that looked.
        plugins: Digest,
        /// Their labels.
        labels: Vec<String>,
    },
    /// A policy was loaded, or refused and the old one kept.
    Ruleset {
        /// The revision offered.
        revision: Digest,
        /// Why it was refused, if it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refused: Option<String>,
    },
    /// A set of plugins was loaded, or refused and the old one kept.
    Plugins {
        /// The revision of the set that looks from now on: its components, settings and bounds.
        revision: Digest,
        /// Its plugins.
        plugins: Vec<PluginFacts>,
        /// Why another set was refused, if one was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refused: Option<String>,
    },
    /// A person changed which policy decides, or which is watched. Recorded before it is done.
    Rollout {
        /// What is done.
        action: RolloutAction,
        /// About which revision.
        revision: Digest,
        /// The operating system's user who asked for it.
        by: String,
        /// Why, in that person's words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// A watched candidate would have decided otherwise.
    Shadow(ShadowFacts),
    /// A person paused an agent or let it call again, which is recorded before it is done; or its keys changed.
    Principal {
        /// Which.
        principal: PrincipalId,
        /// What.
        #[serde(flatten)]
        change: PrincipalChange,
        /// Who; empty where a file was changed, which does not say by whom.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        by: String,
    },
    /// Somebody signed in or out, failed to, or an account was changed.
    Account {
        /// Whose; absent where a name was given that nobody has.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        account: Option<ApproverId>,
        /// What.
        change: AccountChange,
        /// More about it in our words: roles, a token's or key's id and what it is good for, how somebody signed
        /// in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
        /// How often since the last record of the kind.
        #[serde(default = "once", skip_serializing_if = "is_once")]
        count: u64,
    },
    /// A request of a known principal that did not get as far as a decision.
    Refused {
        /// Who sent it.
        principal: PrincipalId,
        /// A short code, such as `parse.duplicate_key`.
        code: String,
        /// What was wrong, without the request's contents.
        text: String,
    },
}

/// Names each type of record once: a type that is not here does not compile.
macro_rules! kinds {
    ($($event:ident $name:literal),* $(,)?) => {
        impl Event {
            /// The types of records, as the log writes them.
            pub const KINDS: &[&str] = &[$($name),*];

            /// Which type of record it is.
            #[must_use]
            pub const fn kind(&self) -> &'static str {
                match self {
                    $(Self::$event { .. } => $name,)*
                }
            }
        }
    };
}

kinds! {
    Started "started",
    Stopped "stopped",
    Decision "decision",
    Trail "trail",
    Outcome "outcome",
    Hold "hold",
    Revealed "revealed",
    Grant "grant",
    Tool "tool",
    Definition "definition",
    Ruleset "ruleset",
    Plugins "plugins",
    Rollout "rollout",
    Shadow "shadow",
    Principal "principal",
    Account "account",
    Refused "refused",
}

/// One entry of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Record {
    /// Its position.
    pub seq: Seq,
    /// Wall-clock time; `seq` is authoritative for order.
    pub at: Timestamp,
    /// The hash of the record before it; for the first, 32 zero bytes.
    pub prev: Digest,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_types_of_records_are_named_as_they_are_written() {
        let error = serde_json::from_str::<Event>(r#"{"type": "?"}"#).unwrap_err().to_string();
        let names: Vec<&str> = error.split('`').skip(3).step_by(2).collect();
        assert_eq!(names, Event::KINDS, "{error}");
        let stopped = serde_json::to_value(Event::Stopped).unwrap();
        assert_eq!(stopped["type"], Event::Stopped.kind());
    }
}
