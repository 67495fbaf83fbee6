//! Looks at what a write would change: for rules that ask, and to see whether it is still what an
//! approver looked at.
//!
//! The look is a call of Portcullis itself: judged by policy as the principal `portcullis`, recorded,
//! and sent by a permit like every other. Its answer goes to the rules and to approvers, and nowhere
//! else.

use std::sync::Arc;

use super::{FromServer, Leg, Upstream, leg, new_call_id, says_error};
use crate::clock;
use crate::domain::{Call, CallMeta, Hold, HoldId, JsonText, OutcomeKind, Subject};
use crate::gate::{Admission, Holding, Looked, Target, has_target};
use crate::identity::Identity;
use crate::intercom::{Lookup, lookup};
use crate::mcp::json::Object;
use crate::mcp::message::ResponseBody;

impl Upstream {
    /// What a call would change: not looked for if no rule looks at it, and no grant could let the call
    /// through.
    pub async fn target(self: &Arc<Self>, leg: &Arc<Leg>, call: &Call) -> Looked {
        if self.gate.looks_at_targets() || self.gate.could_be_granted(call) {
            self.look_at(leg, call).await
        } else {
            Looked::Nothing
        }
    }

    /// What the call of a hold would change, over Portcullis' own leg if nobody waits.
    pub async fn target_of_hold(
        self: &Arc<Self>,
        leg: Option<&Arc<Leg>>,
        hold: HoldId,
        identity: &Identity,
    ) -> Looked {
        match self.gate.holds().hold(hold) {
            Ok(hold) => self.target_of(leg, &hold, identity).await,
            Err(_) => Looked::Nothing,
        }
    }

    /// As [`Upstream::target_of_hold`], of a hold that may have left the live view.
    pub async fn target_of(
        self: &Arc<Self>,
        leg: Option<&Arc<Leg>>,
        hold: &Hold,
        identity: &Identity,
    ) -> Looked {
        // A call that cannot be opened is refused where it is to be judged.
        let call = self.gate.stored_call(hold, identity).ok();
        let Some(call) = call.filter(has_target) else { return Looked::Nothing };
        match leg {
            Some(leg) => self.look_at(leg, &call).await,
            None => match self.shared_leg(None, None).await {
                Ok(leg) => self.look_at(&leg, &call).await,
                Err(fault) => Looked::Unread(format!("it could not be read: {fault}")),
            },
        }
    }

    /// Notes what a call that was just held would change, so that people see whether it is another
    /// later. `looked` is what was read for the rules. What cannot be read is not noted: it is read
    /// again before anything is sent.
    pub async fn note_target(
        self: &Arc<Self>,
        leg: &Arc<Leg>,
        hold: Hold,
        looked: Looked,
        identity: &Identity,
    ) -> Hold {
        if hold.version != 1 || hold.binding().target.is_some() {
            return hold;
        }
        let looked = match looked {
            Looked::Now(_) => looked,
            Looked::Nothing | Looked::Unread(_) => {
                self.target_of_hold(Some(leg), hold.id, identity).await
            }
        };
        match looked {
            Looked::Now(target) => match self.gate.note_target(&hold, &target).await {
                Ok(noted) => noted,
                Err(error) => {
                    tracing::warn!(hold = %hold.id, %error, "its target is not noted");
                    hold
                }
            },
            Looked::Nothing => hold,
            Looked::Unread(why) => {
                tracing::info!(hold = %hold.id, %why, "what a held call would change is not known");
                hold
            }
        }
    }

    /// What a call would change, as it is now.
    async fn look_at(self: &Arc<Self>, leg: &Arc<Leg>, call: &Call) -> Looked {
        let lookup = call.subject.tool().and_then(|tool| lookup(tool, &call.payload));
        let Some(lookup) = lookup else { return Looked::Nothing };
        match self.look(leg, &lookup).await {
            Ok(target) => Looked::Now(Box::new(target)),
            Err(why) => Looked::Unread(why),
        }
    }

    async fn look(self: &Arc<Self>, leg: &Arc<Leg>, lookup: &Lookup) -> Result<Target, String> {
        let sight = self
            .read_for_people(leg, lookup.tool, &lookup.arguments, |text| lookup.sight(text))
            .await?;
        Ok(self.gate.target(lookup, sight))
    }

    /// A read of Portcullis' own, judged and recorded like every call; `show` says whether the answer is
    /// one.
    pub(super) async fn read_for_people<T>(
        self: &Arc<Self>,
        leg: &Arc<Leg>,
        tool: &str,
        arguments: &JsonText,
        show: impl Fn(&JsonText) -> Option<T>,
    ) -> Result<T, String> {
        let resolved =
            self.pins.resolve(tool, Some(arguments)).map_err(|refusal| refusal.to_string())?;
        let call = Call {
            id: new_call_id(),
            at: clock::now(),
            principal: self.own.clone(),
            revision: leg.revision(),
            client: leg::own_hint(),
            method: "tools/call".to_owned(),
            subject: Subject::Tool {
                name: tool.to_owned(),
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
                    tool
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
                            (!error).then(|| show(&text)).flatten()
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
