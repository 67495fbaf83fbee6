//! A harmless call of Portcullis' own that waits for a person, so that somebody new sees the page work.
//!
//! It is a search that changes nothing, judged and recorded like every call; a finding of our own holds
//! it. Released, it is judged again and sent like every other.

use std::sync::Arc;

use serde_json::json;

use super::{Upstream, leg, new_call_id};
use crate::clock;
use crate::domain::{Call, CallMeta, Effect, Finding, HoldId, JsonText, Revision, Subject};
use crate::gate::{Admission, Holding};

/// What is searched for.
const TOOL: &str = "search_articles";

impl Upstream {
    /// Makes the call; the hold that it waits in.
    ///
    /// # Errors
    /// In words, if it cannot be made or is not held.
    pub async fn try_hold(self: &Arc<Self>) -> Result<HoldId, String> {
        // The clock makes each another, so that two tests do not share one hold.
        let words = format!("a test of Portcullis at {}", clock::now());
        let arguments = JsonText::of(&json!({ "phrase": words }));
        let resolved = self.pins.resolve(TOOL, Some(&arguments));
        let resolved = resolved.map_err(|refusal| refusal.to_string())?;
        if resolved.effect != Effect::Read {
            return Err(format!("`{TOOL}` is not known to be harmless here"));
        }
        let call = Call {
            id: new_call_id(),
            at: clock::now(),
            principal: self.own.clone(),
            revision: Revision::V2025_11_25,
            client: leg::own_hint(),
            method: "tools/call".to_owned(),
            subject: Subject::Tool {
                name: TOOL.to_owned(),
                effect: resolved.effect,
                definition: resolved.definition,
            },
            payload: resolved.arguments,
            continuation: None,
            meta: CallMeta::default(),
        };
        let text = "a test: released, it searches Intercom's articles once and changes nothing";
        let own = vec![Finding::held("portcullis.test", text)];
        let admitted = self.gate.admit(call, own, Holding::DEFAULT).await;
        match admitted.map_err(|error| error.to_string())? {
            Admission::Held(hold) => Ok(hold.id),
            Admission::Denied(denial) => Err(format!(
                "the policy denies the test: a rule must allow `{TOOL}` where \
                 `input.principal.kind` is \"portcullis\" ({})",
                denial.text()
            )),
            Admission::Go(_) => Err("the test was not held".to_owned()),
        }
    }
}
