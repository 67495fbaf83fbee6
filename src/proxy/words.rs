//! What an agent is told of a held call that has no answer of Intercom.

use crate::domain::{Hold, HoldOutcome, HoldState, OwnAnswer, SelfConfirmed, told};

/// What an agent is told while its call waits and it cannot wait any longer: where people look at it, and
/// why its user is not asked.
pub(super) fn pending_text(hold: &Hold, page: Option<&str>, unasked: Option<&str>) -> String {
    let page = page.map(|page| format!(" People look at it at {page}.")).unwrap_or_default();
    let unasked = unasked.map(|why| format!(" Here {why}.")).unwrap_or_default();
    format!(
        "PENDING: this call is held and waits for a person; it has not been sent: {} It waits \
         until {}.{page}{unasked} To learn the outcome, repeat the identical call later: it belongs to the same \
         hold and is executed once at most. Do not change the arguments, for that would be \
         another call. Hold: {}",
        told(&hold.opened.reasons),
        hold.opened.expires_at,
        hold.id
    )
}

/// What an agent is told of a hold that ended without an answer of Intercom.
pub(super) fn outcome_text(hold: &Hold) -> String {
    let words = match &hold.outcome {
        Some(HoldOutcome::Words(words) | HoldOutcome::Failure(_, words)) => words.as_str(),
        Some(HoldOutcome::Answer(_)) | None => "",
    };
    // A person's words are data for the model, never instructions of ours: marked and cut.
    let words: String = words.chars().filter(|letter| !letter.is_control()).take(500).collect();
    let words = words.trim_end_matches('.');
    let id = hold.id;
    let declined = |own: &SelfConfirmed| own.answer == OwnAnswer::Declined;
    match hold.state {
        HoldState::Rejected if hold.own.as_ref().is_some_and(declined) => format!(
            "REJECTED: {words}; it was not sent. Do not repeat it unchanged, and do not try to reach the \
             same by another call. Hold: {id}"
        ),
        HoldState::Rejected => format!(
            "REJECTED: a person refused this call; it was not sent. Written by the approver \
             {words}. Do not repeat it unchanged. Hold: {id}"
        ),
        HoldState::ChangesRequested => format!(
            "CHANGES REQUESTED: a person asks for a change before this call may be sent. Written \
             by the approver {words}. Make the changed call: people see it beside this one. Hold: \
             {id}"
        ),
        HoldState::Failed => {
            format!(
                "FAILED: the call was released but not executed: {words}. Correct the call and make \
                 it again if it is still needed; a person decides anew. Hold: {id}"
            )
        }
        HoldState::Unknown => match hold.notes.last() {
            Some(note) => format!(
                "UNKNOWN: the call was released and sent, but no answer came: {words}. A person \
                 ({}) looked at Intercom: {}. Do not repeat the call before you have read the \
                 object yourself. Hold: {id}",
                note.by,
                note.effected.words()
            ),
            None => format!(
                "UNKNOWN: the call was released and sent, but its outcome is not known: {words}. \
                 Read the object at Intercom before doing anything else. Hold: {id}"
            ),
        },
        state => {
            let next = match state {
                HoldState::Expired => {
                    "Make the call again if it is still needed; people are asked once more"
                }
                HoldState::Lapsed => {
                    "The approval was not used in time: make the call again and stay with it until \
                     it is answered"
                }
                HoldState::Revoked => {
                    "A person took the approval back: do not repeat the call unless you are asked to"
                }
                _ => "Make the call again if it is still wanted",
            };
            format!("NOT SENT ({state}): {words}. {next}. Hold: {id}")
        }
    }
}
