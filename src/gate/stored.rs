//! Held calls and their answers as they are kept: sealed, so that the log alone can rebuild a hold
//! and shows nothing of its contents.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Gate;
use crate::domain::{
    Call, CallFacts, CallMeta, Hold, HoldId, HoldOutcome, JsonText, Principal, Timestamp,
};
use crate::identity::Identity;
use crate::store::{SealError, Sealer};

/// A held call as it is stored, sealed.
#[derive(Serialize, Deserialize)]
struct StoredCall {
    facts: CallFacts,
    at: Timestamp,
    /// As it was judged.
    payload: String,
    /// As it will be sent, if pseudonyms are turned back in it.
    #[serde(default)]
    restored: Option<String>,
    continuation: Option<String>,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    notes: Vec<String>,
}

/// What a person sees of a held call.
pub struct Contents {
    /// The arguments, exactly as they will be sent but for pseudonyms, which stand as the agent wrote
    /// them.
    pub arguments: String,
    /// The arguments exactly as they will be sent, if pseudonyms are turned back in them: for those who
    /// may see what these stand for.
    pub restored: Option<String>,
    /// What will be sent beside them, if anything.
    pub beside: Option<String>,
    /// Why the agent calls, in its own words; not sent.
    pub reason: Option<String>,
}

/// An answer as it is stored, sealed.
#[derive(Serialize, Deserialize)]
struct StoredAnswer {
    protocol_error: bool,
    text: String,
}

impl Gate {
    /// Intercom's answer to a finished hold: the text, and whether it is a JSON-RPC error.
    #[must_use]
    pub fn stored_answer(&self, hold: &Hold) -> Option<(JsonText, bool)> {
        let sealed = match hold.outcome.as_ref()? {
            HoldOutcome::Answer(sealed) | HoldOutcome::Failure(Some(sealed), _) => sealed,
            HoldOutcome::Failure(None, _) | HoldOutcome::Words(_) => return None,
        };
        let plain = self.sealer.open(&answer_context(hold.id), sealed).ok()?;
        let stored: StoredAnswer = serde_json::from_slice(&plain).ok()?;
        Some((JsonText::from_valid(stored.text.into_bytes().into()), stored.protocol_error))
    }

    /// The held call with its principal as it is today.
    ///
    /// # Errors
    /// In words: the principal is gone, or the sealed call cannot be opened.
    pub fn stored_call(&self, hold: &Hold, identity: &Identity) -> Result<Call, String> {
        let stored = self.unseal(hold)?;
        let id = &stored.facts.principal;
        let principal = identity
            .principal(id)
            .ok_or_else(|| format!("the principal `{id}` is no longer configured"))?;
        Ok(stored.into_call(principal))
    }

    /// Everything of the held call that will be sent, for an approver, and the agent's reason.
    ///
    /// # Errors
    /// In words, if the sealed call cannot be opened.
    pub fn stored_contents(&self, hold: &Hold) -> Result<Contents, String> {
        let StoredCall { payload, restored, continuation, reason, .. } = self.unseal(hold)?;
        Ok(Contents { arguments: payload, restored, beside: continuation, reason })
    }

    /// The arguments as the agent gave them, if a person changed them.
    #[must_use]
    pub fn original_arguments(&self, hold: &Hold) -> Option<String> {
        let plain = self.sealer.open(&call_context(hold.id), hold.original.as_ref()?).ok()?;
        let stored: StoredCall = serde_json::from_slice(&plain).ok()?;
        Some(stored.payload)
    }

    fn unseal(&self, hold: &Hold) -> Result<StoredCall, String> {
        let plain = self
            .sealer
            .open(&call_context(hold.id), &hold.opened.sealed)
            .map_err(|error| error.to_string())?;
        serde_json::from_slice(&plain).map_err(|error| error.to_string())
    }
}

/// The largest answer that is kept whole, in bytes: it becomes part of one record.
const KEPT_ANSWER: usize = 1024 * 1024;

/// The answer as it is kept for the agent.
fn kept_answer(text: JsonText) -> JsonText {
    let bytes = text.bytes().len();
    if bytes <= KEPT_ANSWER {
        return text;
    }
    let words = format!(
        "Intercom answered with {bytes} bytes, too many to be kept; read the object to see it"
    );
    JsonText::of(&serde_json::json!({ "content": [{ "type": "text", "text": words }] }))
}

/// Seals an answer for its hold.
pub(super) fn seal_answer(
    sealer: &Sealer,
    id: HoldId,
    text: JsonText,
    protocol_error: bool,
) -> Result<String, SealError> {
    let text = kept_answer(text).as_str().to_owned();
    seal(sealer, &answer_context(id), &StoredAnswer { protocol_error, text })
}

/// Seals a call for its hold.
pub(super) fn seal_call(
    sealer: &Sealer,
    id: HoldId,
    facts: &CallFacts,
    call: &Call,
) -> Result<String, SealError> {
    let stored = StoredCall {
        facts: facts.clone(),
        at: call.at,
        payload: call.payload.as_str().to_owned(),
        restored: call.meta.restored.as_ref().map(|text| text.as_str().to_owned()),
        continuation: call.continuation.as_ref().map(|text| text.as_str().to_owned()),
        reason: call.meta.reason.clone(),
        notes: call.meta.notes.clone(),
    };
    seal(sealer, &call_context(id), &stored)
}

impl StoredCall {
    fn into_call(self, principal: Arc<Principal>) -> Call {
        let text = |text: String| JsonText::from_valid(text.into_bytes().into());
        let CallFacts { id, client, revision, method, subject, .. } = self.facts;
        Call {
            id,
            at: self.at,
            principal,
            revision,
            client,
            method,
            subject,
            payload: text(self.payload),
            continuation: self.continuation.map(text),
            meta: CallMeta {
                restored: self.restored.map(text),
                reason: self.reason,
                notes: self.notes,
                ..CallMeta::default()
            },
        }
    }
}

fn seal<T: Serialize>(sealer: &Sealer, context: &str, value: &T) -> Result<String, SealError> {
    sealer.seal(context, JsonText::of(value).bytes())
}

fn call_context(id: HoldId) -> String {
    format!("hold/{id}/call")
}

fn answer_context(id: HoldId) -> String {
    format!("hold/{id}/answer")
}
