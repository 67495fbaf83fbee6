//! What keeps a person from deciding on a hold, told before they try.
//!
//! The same conditions that are checked when somebody decides, so that a list can say whose each row
//! is. Nothing is decided here: who decides is asked again.

use super::own_call::is_own;
use super::people::{DecideError, Deciding, not_allowed, refusal};
use super::{Gate, looked::Looked, taped};
use crate::clock;
use crate::domain::{
    Action, Call, Decision, Hold, Principal, Question, Release, Timestamp, decide,
};
use crate::identity::{Identity, Person};
use crate::policy::{ApproveFacts, HoldFacts};

/// The groups whose members may do this now, if this person is one of them and nothing else that the
/// hold names is in the way.
pub(super) fn conditions(
    person: &Person,
    action: Action,
    hold: &Hold,
    principal: &Principal,
    now: Timestamp,
) -> Result<Vec<String>, DecideError> {
    let release = &hold.opened.release;
    if is_own(person.id.as_str(), principal) {
        let text = "the call is your own (requester and approver must be two people)";
        return Err(not_allowed("portcullis.own_call", text));
    }
    if !release.permits(action) {
        let text = format!("its conditions do not let people {action}");
        return Err(not_allowed("portcullis.action", text));
    }
    let groups = release.groups_at(hold.opened_at, now);
    if !groups.is_empty() && !groups.iter().any(|group| person.groups.contains(group)) {
        let text = format!("it asks for a member of {}", groups.join(" or "));
        return Err(not_allowed("portcullis.groups", text));
    }
    Ok(groups)
}

/// Why policy is asked about a person's wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asking {
    /// To show whether they may. A look is no try: it is counted and kept nowhere, and no candidate
    /// watches it.
    Look,
    /// They do it.
    Try,
}

impl Gate {
    /// What keeps a person from releasing a hold, as far as the hold itself tells; policy is not asked.
    #[must_use]
    pub fn barred(&self, person: &Person, hold: &Hold, identity: &Identity) -> Option<String> {
        let id = &hold.binding().principal;
        let Some(principal) = identity.principal(id) else {
            return Some(format!("the principal `{id}` is no longer configured"));
        };
        if hold.approvers().any(|one| *one == person.id) {
            return Some("you have released it already; somebody else must as well".to_owned());
        }
        let checked = conditions(person, Action::Approve, hold, &principal, clock::now());
        checked.err().map(|error| words(&error))
    }

    /// What keeps a person from releasing a hold by today's policy.
    pub async fn barred_by_policy(&self, ask: &Deciding<'_>, hold: &Hold) -> Option<String> {
        let call = self.shown_call(hold, ask).ok()?;
        let now = clock::now();
        let groups = conditions(ask.person, Action::Approve, hold, &call.principal, now).ok()?;
        if let Looked::Unread(_) = ask.looked
            && self.ruleset().looks_at_targets()
        {
            // Whoever decides is told of that by itself.
            return None;
        }
        let asking = Asking::Look;
        let decision = self.judged(ask, Action::Approve, (hold, &call), groups, asking).await;
        refusal(&decision).map(|error| words(&error))
    }

    /// What policy says of a person's wish.
    pub(super) async fn judged(
        &self,
        ask: &Deciding<'_>,
        action: Action,
        (hold, call): (&Hold, &Call),
        groups: Vec<String>,
        asking: Asking,
    ) -> Decision {
        let ruleset = self.ruleset.load_full();
        let approver = ask.person.approver();
        let held = HoldFacts {
            id: hold.id,
            opened_at: hold.opened_at,
            expires_at: hold.opened.expires_at,
            release: Release { groups, ..hold.opened.release.clone() },
            approvals: hold.approvers().cloned().collect(),
        };
        let facts = ApproveFacts { approver: &approver, action, hold: &held, call };
        let view = || self.books.trail.view(&call.principal.id);
        let now = self.facts(&ruleset, Question::Approve, view);
        let finding = ruleset.approve(&facts, &now).await;
        if asking == Asking::Try {
            self.shadow.release(&ruleset, &facts, &now, &finding);
            self.tape.wish(&facts, || taped::round(&ruleset, call, &now, &[], &finding));
        }
        decide(Question::Approve, ruleset.revision(), vec![finding])
    }
}

/// The reason alone, without the sentence around it.
fn words(error: &DecideError) -> String {
    match error {
        DecideError::NotAllowed { text, .. } => text.clone(),
        other => other.to_string(),
    }
}
