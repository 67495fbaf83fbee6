//! What people see of a hold: one shape for the CLI, its `--json`, and later the console.

use serde::{Deserialize, Serialize};

use crate::domain::{
    ApproverId, ClientHint, Digest, Hold, HoldId, HoldOutcome, HoldState, OnRelease, PrincipalId,
    Reason, Release, Timestamp,
};

/// A hold for people. Nothing of the call's contents is in it; those are shown on request, to
/// somebody who proved to be an approver.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HoldView {
    /// The hold.
    pub id: HoldId,
    /// Where it stands.
    pub state: HoldState,
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
    /// When a release is sent.
    pub on_release: OnRelease,
    /// What an approval will be bound to.
    pub binding: Digest,
    /// Words about the outcome, if there is one.
    pub outcome: Option<String>,
    /// Whether the outcome reached the agent.
    pub delivered: bool,
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
            state: hold.state,
            principal: hold.binding().principal.clone(),
            client: hold.opened.call.client.clone(),
            tool: hold.binding().tool.clone(),
            opened_at: hold.opened_at,
            expires_at: hold.opened.expires_at,
            reasons: hold.opened.reasons.clone(),
            release: hold.opened.release.clone(),
            approvals: hold.approvals.clone(),
            on_release: hold.opened.on_release,
            binding: hold.binding().digest(),
            outcome,
            delivered: hold.delivered,
        }
    }
}
