//! What a legacy client says that is no request: notifications, and answers to Intercom's questions.

use std::sync::Arc;

use http::StatusCode;

use super::Proxy;
use super::door::Refusal;
use super::session::Session;
use super::trouble::Trouble;
use crate::clock;
use crate::domain::{Call, CallMeta, Era, JsonText, Subject};
use crate::mcp::json::{self, Object};
use crate::mcp::message::{Notification, RequestId, Response as Answer, ResponseBody};
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
        self.tell(session, call, None).await;
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
        let mut call = session_call(session, &asked.method);
        call.subject = Subject::Answer;
        call.payload = json::compact(&payload.to_text());
        self.tell(session, call, Some(&asked.upstream_id)).await;
        Ok(())
    }

    /// Tells Intercom something, if the gate agrees.
    async fn tell(&self, session: &Session, call: Call, to: Option<&RequestId>) {
        let told = match self.permit(call, Vec::new()).await {
            Ok(permit) => self.upstream.tell(&session.leg, permit, to).await.map_err(Trouble::from),
            Err(trouble) => Err(trouble),
        };
        if let Err(trouble) = told {
            tracing::info!(?trouble, principal = %session.principal.id, "message not passed on");
        }
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
