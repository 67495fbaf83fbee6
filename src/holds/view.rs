//! What people see of a hold: one shape for the CLI, its `--json`, and the console.

use serde::{Deserialize, Serialize};

use crate::domain::{
    ApproverId, ClientHint, Digest, Edit, Effected, Hold, HoldId, HoldOutcome, HoldState, Note,
    OnRelease, OwnAnswer, PrincipalId, Reason, Release, Risk, Timestamp,
};

/// A hold for people. Nothing of the call's contents is in it; those are shown on request, to
/// somebody who proved to be an approver.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HoldView {
    /// The hold.
    pub id: HoldId,
    /// How many events it was folded from: what a person saw, for `if_version`.
    #[serde(default)]
    pub version: u64,
    /// Where it stands.
    pub state: HoldState,
    /// How much harm the call can do.
    #[serde(default)]
    pub risk: Risk,
    /// Which revision of the agent's call it is; the first is 1.
    #[serde(default = "first")]
    pub revision: u32,
    /// The hold that it follows, if a person asked for changes there.
    #[serde(default)]
    pub revises: Option<HoldId>,
    /// Who called.
    pub principal: PrincipalId,
    /// What the client says of itself.
    pub client: ClientHint,
    /// The tool.
    pub tool: String,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it expires undecided.
    pub expires_at: Timestamp,
    /// Why it is held.
    pub reasons: Vec<Reason>,
    /// Who may release it.
    pub release: Release,
    /// Who released it so far.
    pub approvals: Vec<ApproverId>,
    /// What the person whom the agent acts for said, if their client asked them. Never an approval.
    #[serde(default)]
    pub own: Option<OwnView>,
    /// Who is to look at it.
    #[serde(default)]
    pub assignee: Option<ApproverId>,
    /// To whom it was given first, if it was handed on since.
    #[serde(default)]
    pub first_assignee: Option<ApproverId>,
    /// Who changed the call, and which fields.
    #[serde(default)]
    pub edits: Vec<EditView>,
    /// What changed when it was last sent back to the approvers.
    #[serde(default)]
    pub changed: Option<String>,
    /// What people saw of a call whose outcome is not known.
    #[serde(default)]
    pub notes: Vec<NoteView>,
    /// When a release is sent.
    pub on_release: OnRelease,
    /// What an approval will be bound to.
    pub binding: Digest,
    /// Words about the outcome, if there is one.
    pub outcome: Option<String>,
    /// Whether the outcome reached the agent.
    pub delivered: bool,
}

/// What the person whom the agent acts for said, asked by their own client.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OwnView {
    /// Who, as configured.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// What they said.
    pub answer: OwnAnswer,
}

/// A change of the call by a person.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EditView {
    /// Who.
    pub by: ApproverId,
    /// When.
    pub at: Timestamp,
    /// What is another.
    pub fields: Vec<String>,
}

/// What a person saw of a call whose outcome is not known.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NoteView {
    /// Who.
    pub by: ApproverId,
    /// When.
    pub at: Timestamp,
    /// Whether it took effect.
    pub effected: Effected,
    /// In that person's words.
    pub text: String,
}

impl OwnView {
    /// What they said, in words that nobody takes for an approval.
    #[must_use]
    pub fn words(&self) -> String {
        format!("{}, whom the agent acts for, {}", self.by, self.answer.words())
    }
}

const fn first() -> u32 {
    1
}

impl HoldView {
    /// Whether there is anything left for people to do about it.
    #[must_use]
    pub const fn needs_people(&self) -> bool {
        self.state.needs_people(!self.notes.is_empty())
    }
}

impl From<&Hold> for HoldView {
    fn from(hold: &Hold) -> Self {
        let outcome = hold.outcome.as_ref().map(|outcome| match outcome {
            HoldOutcome::Answer(_) => String::from("Intercom answered"),
            HoldOutcome::Failure(_, error) => error.clone(),
            HoldOutcome::Words(words) => words.clone(),
        });
        Self {
            id: hold.id,
            version: hold.version,
            state: hold.state,
            risk: hold.opened.risk,
            revision: hold.revision(),
            revises: hold.opened.revises.map(|it| it.hold),
            principal: hold.binding().principal.clone(),
            client: hold.opened.call.client.clone(),
            tool: hold.binding().tool.clone(),
            opened_at: hold.opened_at,
            expires_at: hold.opened.expires_at,
            reasons: hold.opened.reasons.clone(),
            release: hold.opened.release.clone(),
            approvals: hold.approvers().cloned().collect(),
            own: hold.own.as_ref().map(|own| OwnView {
                by: own.by.clone(),
                at: own.at,
                answer: own.answer,
            }),
            assignee: hold.assignee().cloned(),
            first_assignee: hold.assignments.first().and_then(|it| it.to.clone()),
            edits: hold.edits.iter().map(edit).collect(),
            changed: hold.changed.clone(),
            notes: hold.notes.iter().map(note).collect(),
            on_release: hold.opened.on_release,
            binding: hold.binding().digest(),
            outcome,
            delivered: hold.delivered,
        }
    }
}

fn edit(edit: &Edit) -> EditView {
    EditView { by: edit.by.clone(), at: edit.at, fields: edit.fields.clone() }
}

fn note(note: &Note) -> NoteView {
    let Note { by, at, effected, text } = note.clone();
    NoteView { by, at, effected, text }
}
