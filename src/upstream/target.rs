//! Looks at what a write would change, for rules that ask.
//!
//! The look is a call of Portcullis itself: judged by policy as the principal `portcullis`, recorded,
//! and sent by a permit like every other. Its answer goes to the rules and nowhere else.

use std::sync::Arc;

use super::{FromServer, Leg, Upstream, leg, new_call_id, says_error};
use crate::clock;
use crate::domain::{Call, CallMeta, HoldId, JsonText, OutcomeKind, Subject};
use crate::gate::{Admission, Holding};
use crate::identity::Identity;
use crate::intercom::{Lookup, lookup};
use crate::mcp::json::Object;
use crate::mcp::message::ResponseBody;

/// Why the target of a write is not known. The write must not be judged without it.
#[derive(Debug, thiserror::Error)]
#[error("the rules look at what this call would change, but {0}")]
pub struct TargetUnknown(String);

impl Upstream {
    /// The facts of what a call would change; `None` if no rule looks at them, or the call changes
    /// nothing that is there.
    ///
    /// # Errors
    /// If it could not be read: the rules cannot judge the call then.
    pub async fn target(
        self: &Arc<Self>,
        leg: &Arc<Leg>,
        call: &Call,
    ) -> Result<Option<JsonText>, TargetUnknown> {
        let lookup = call
            .subject
            .tool()
            .filter(|_| self.gate.ruleset().looks_at_targets())
            .and_then(|tool| lookup(tool, &call.payload));
        let Some(lookup) = lookup else { return Ok(None) };
        self.look(leg, &lookup).await.map(Some).map_err(TargetUnknown)
    }

    /// As [`Upstream::target`], for the call of a hold, over Portcullis' own leg if nobody waits.
    ///
    /// # Errors
    /// As [`Upstream::target`], and if Intercom cannot be reached.
    pub async fn target_of_hold(
        self: &Arc<Self>,
        leg: Option<&Arc<Leg>>,
        hold: HoldId,
        identity: &Identity,
    ) -> Result<Option<JsonText>, TargetUnknown> {
        let call = self.gate.holds().hold(hold).ok().and_then(|hold| {
            // A call that cannot be opened is refused where it is to be judged.
            self.gate.stored_call(&hold, identity).ok()
        });
        let Some(call) = call.filter(|_| self.gate.ruleset().looks_at_targets()) else {
            return Ok(None);
        };
        let own = match leg {
            Some(leg) => Arc::clone(leg),
            None => {
                let leg = self.shared_leg(None, None).await;
                leg.map_err(|fault| TargetUnknown(format!("it could not be read: {fault}")))?
            }
        };
        self.target(&own, &call).await
    }

    async fn look(self: &Arc<Self>, leg: &Arc<Leg>, lookup: &Lookup) -> Result<JsonText, String> {
        let resolved = self
            .pins
            .resolve(lookup.tool, Some(&lookup.arguments))
            .map_err(|refusal| refusal.to_string())?;
        let call = Call {
            id: new_call_id(),
            at: clock::now(),
            principal: self.own.clone(),
            revision: leg.revision(),
            client: leg::own_hint(),
            method: "tools/call".to_owned(),
            subject: Subject::Tool {
                name: lookup.tool.to_owned(),
                effect: resolved.effect,
                definition: resolved.definition,
            },
            payload: resolved.arguments,
            continuation: None,
            meta: CallMeta::default(),
        };
        let admitted = self.gate.admit(call, Vec::new(), Holding::DEFAULT).await;
        let permit = match admitted.map_err(|error| error.to_string())? {
            Admission::Go(permit) => permit,
            Admission::Denied(_) | Admission::Held(_) => {
                return Err(format!(
                    "the policy does not let Portcullis read it: a rule must allow `{}` where \
                     `input.principal.kind` is \"portcullis\"",
                    lookup.tool
                ));
            }
        };
        let mut exchange = self
            .send(leg, *permit)
            .await
            .map_err(|fault| format!("it could not be read: {fault}"))?;
        loop {
            match exchange.next().await.map_err(|fault| format!("it could not be read: {fault}"))? {
                FromServer::Answer(answer) => {
                    let shown = match answer.body {
                        ResponseBody::Result(text) => {
                            let error = Object::parse(&text).is_none_or(|text| says_error(&text));
                            (!error).then(|| lookup.facts(&text)).flatten()
                        }
                        ResponseBody::Error(_) => None,
                    };
                    let kind =
                        if shown.is_some() { OutcomeKind::Answered } else { OutcomeKind::Error };
                    exchange.spent().complete(kind, answer.bytes, None);
                    return shown.ok_or_else(|| {
                        String::from("Intercom does not show it: look whether its id is right")
                    });
                }
                FromServer::Notification(_) => {}
                FromServer::Request(question) => self.refuse(leg, &question).await,
            }
        }
    }
}
