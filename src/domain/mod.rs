//! The words of the house as values: call, principal, verdict, decision, hold, record.
//!
//! Pure: no I/O, no clock, no randomness, no engine. Time and identifiers come in as arguments, so
//! the whole security argument can be read and tested here. Everything else in the crate moves
//! these values around; nothing else may decide what they mean.

mod announced;
mod call;
mod decision;
mod digest;
mod filter;
mod grant;
mod hidden;
mod hold;
mod id;
mod json_text;
mod leaf;
mod obligation;
mod principal;
pub mod pseudonym;
mod record;
mod redact;
mod release;
mod revision;
mod said;
mod time;
mod told;
mod trail;
mod verdict;

pub use announced::Announced;
pub use call::{Call, CallMeta, ClientHint, Effect, Subject};
pub use decision::{Decision, Fault, Finding, Judge, Question, Reason, decide};
pub use digest::{Digest, ParseDigestError};
pub use filter::{Filter, Operator};
pub use grant::{GRANT_CALLS, GRANT_SPAN, Given, Grant, GrantEvent, GrantId, is_plain_value};
pub use hidden::is_hidden;
pub use hold::{
    Approval, Assignment, Binding, Edit, Edited, Effected, Hold, HoldEvent, HoldState,
    IllegalTransition, Note, OnRelease, Opened, Outcome as HoldOutcome, OwnAnswer, Revises, Risk,
    SelfConfirmed, TargetVersion, Used,
};
pub use id::{ApproverId, CallId, HoldId, ParseIdError, PrincipalId, Seq};
pub use json_text::JsonText;
pub use leaf::{Dictionary, Form, Known, Leaf, Party, Phase, Span};
pub use obligation::{Duty, Obligation};
pub use principal::{Approver, OWN_PRINCIPAL, ParseRoleError, Principal, PrincipalKind, Role};
pub use record::{
    AccountChange, CallFacts, Event, Outcome, OutcomeKind, PluginFacts, PrincipalChange, Record,
    RolloutAction, ShadowFacts, ToolChange,
};
pub use redact::{How, Redact};
pub use release::{Action, Confirm, Escalation, OnDisconnect, Release};
pub use revision::{Era, Revision};
pub use said::{Demand, Said};
pub use time::Timestamp;
pub use told::told;
pub use trail::{
    LABEL_MINUTES, Label, Mark, Recent, Step, Tally, Thing, Totals, TrailView, Uptime,
};
pub use verdict::Verdict;
