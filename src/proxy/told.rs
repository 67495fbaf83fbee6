//! What a legacy client says that is no request: notifications, and answers to questions, Intercom's and
//! ours.

use std::sync::Arc;

use http::StatusCode;

use super::Proxy;
use super::door::Refusal;
use super::session::{Asked, Session};
use super::trouble::Trouble;
use crate::clock;
use crate::domain::{Call, CallMeta, Era, JsonText, Subject};
use crate::mcp::json::{self, Object};
use crate::mcp::message::{Notification, Request, RequestId, Response as Answer, ResponseBody};
use crate::mcp::methods::{self, Form, Sender};
use crate::upstream::new_call_id;

impl Proxy {
    /// A notification of the client.
    pub(super) async fn client_note(self: &Arc<Self>, session: &Arc<Session>, note: Notification) {
        let known =
            methods::find(Sender::Client, Form::Notification, &note.method, session.revision);
        if known.is_none() {
            let text = "a notification that this revision does not have was dropped";
            self.gate.refused(&session.principal, "notification.unknown", text);
            return;
        }
        let parameters = methods::parameters(&note.method, session.revision);
        if note.params.iter().any(|(key, _)| !parameters.contains(&key)) {
            let text = "a notification with parameters that it does not have was dropped";
            self.gate.refused(&session.principal, "notification.params", text);
            return;
        }
        let mut params = note.params;
        match note.method.as_str() {
            // Said by us when the leg was opened.
            "notifications/initialized" => return,
            "notifications/cancelled" => {
                let id = params.get("requestId").and_then(RequestId::read);
                let Some((upstream_id, _)) = id.and_then(|id| session.cancel(&id)) else { return };
                // Nothing was sent yet: there is nothing to cancel at Intercom.
                let Some(upstream_id) = upstream_id else { return };
                params.set("requestId", upstream_id.to_text());
            }
            _ => {}
        }
        if session.leg.era() == Era::Modern {
            return;
        }
        let mut call = session_call(session, &note.method);
        call.payload = json::compact(&params.to_text());
        // A failure is noted; a notification has nobody to tell it to.
        let _ = self.tell(session, call, None).await;
    }

    /// The client's answer to a question of the server: matched, judged, passed on.
    pub(super) async fn client_answer(
        self: &Arc<Self>,
        session: &Arc<Session>,
        answer: Answer,
    ) -> Result<(), Refusal> {
        let asked = answer.id.as_ref().and_then(|id| session.answered(id)).ok_or_else(|| {
            let text = "this answers no open question";
            Refusal::new(StatusCode::BAD_REQUEST, "answer.unasked", text)
        })?;
        let (upstream_id, method) = match asked {
            Asked::Theirs { upstream_id, method, .. } => (upstream_id, method),
            Asked::Ours(asker) => {
                // Whoever asked may have ended; then nobody needs the answer.
                let _ended = asker.send(answer.body);
                return Ok(());
            }
        };
        let mut payload = Object::default();
        match answer.body {
            ResponseBody::Result(text) => payload.set("result", text),
            ResponseBody::Error(error) => {
                let mut object = Object::default();
                object.set("code", JsonText::of(&error.code));
                object.set("message", json::quote(&error.message));
                if let Some(data) = error.data {
                    object.set("data", data);
                }
                payload.set("error", object.to_text());
            }
        }
        let mut call = session_call(session, &method);
        call.subject = Subject::Answer;
        call.payload = json::compact(&payload.to_text());
        if let Err(Trouble::Denied(_)) = self.tell(session, call, Some(&upstream_id)).await {
            // Intercom must not wait for an answer that policy keeps back.
            let id = upstream_id;
            let (params, meta) = (Object::default(), Object::default());
            self.upstream.refuse(&session.leg, &Request { id, method, params, meta }).await;
        }
        Ok(())
    }

    /// Tells Intercom something, if the gate agrees.
    async fn tell(
        &self,
        session: &Session,
        call: Call,
        to: Option<&RequestId>,
    ) -> Result<(), Trouble> {
        let told = match self.permit(call, Vec::new()).await {
            Ok(permit) => self.upstream.tell(&session.leg, permit, to).await.map_err(Trouble::from),
            Err(trouble) => Err(trouble),
        };
        told.inspect_err(|trouble| {
            tracing::info!(?trouble, principal = %session.principal.id, "message not passed on");
        })
    }
}

/// A call of a session that is no request of the client.
pub(super) fn session_call(session: &Session, method: &str) -> Call {
    Call {
        id: new_call_id(),
        at: clock::now(),
        principal: session.principal.clone(),
        revision: session.revision,
        client: session.client.clone(),
        method: method.to_owned(),
        subject: Subject::Method,
        payload: JsonText::empty_object(),
        continuation: None,
        meta: CallMeta::default(),
    }
}
