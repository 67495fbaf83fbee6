//! Questions of a modern Intercom for the user of a legacy client: `input_required` as requests on the
//! stream of the call, and the call again with the answers.
//!
//! Only for tool calls whose client declared that it can answer, with somebody listening on the way. Each
//! repetition is judged like the first call, answers included, and spends a permit of its own.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::Proxy;
use super::adapt::can_answer;
use super::handler::{Ask, Caller, left};
use super::outbox::Outbox;
use super::session::{Asked, Session};
use super::trouble::{Trouble, tool_error};
use crate::clock;
use crate::domain::{Call, Era, JsonText, Revision};
use crate::mcp::json::{self, Object};
use crate::mcp::message::{Request, RequestId, ResponseBody};
use crate::mcp::methods::{self, Form, Sender};
use crate::policy::AnswerKind;
use crate::upstream::{Leg, new_call_id};

/// The most rounds of questions of one call, as clients of the modern era have it.
pub(super) const ROUNDS: usize = 10;

/// Whether a caller's questions can go this way: what it declared is then declared to Intercom.
pub(super) fn can_carry(caller: &Caller, ask: &Ask, leg: &Leg) -> bool {
    (ask.era(), leg.era()) == (Era::Legacy, Era::Modern)
        && ask.method.name == "tools/call"
        && caller.session.is_some()
        && !ask.as_task
}

/// The questions of a result that the client of a session can answer.
pub(super) fn questions(
    caller: &Caller,
    ask: &Ask,
    leg: &Leg,
    kind: AnswerKind,
    text: &JsonText,
) -> Option<Object> {
    if kind != AnswerKind::InputRequired || !can_carry(caller, ask, leg) {
        return None;
    }
    let asked = Object::parse(text)?;
    can_answer(&caller.capabilities, &asked).ok()?;
    let knows = |(_, question): (&str, &JsonText)| {
        let question = Object::parse(question).unwrap_or_default();
        let method = question.str("method").unwrap_or_default().into_owned();
        let params = question.object("params").unwrap_or_default();
        let is_link = params.str("mode").as_deref() == Some("url");
        methods::find(Sender::Server, Form::Request, &method, caller.revision).is_some()
            && (!is_link || caller.revision == Revision::V2025_11_25)
    };
    asked.object("inputRequests").unwrap_or_default().iter().all(knows).then_some(asked)
}

impl Proxy {
    /// Asks the user and gives the call with their answers; `None` if there are none, and the client
    /// was told or left.
    pub(super) async fn carried(
        &self,
        caller: &Caller,
        ask: &Ask,
        call: Call,
        asked: &Object,
        outbox: &Outbox,
    ) -> Result<Option<Call>, Trouble> {
        let Some(session) = &caller.session else { return Ok(None) };
        let mut answers = Object::default();
        for (key, question) in asked.object("inputRequests").unwrap_or_default().iter() {
            let open = open(session, question).ok_or(Trouble::Busy)?;
            outbox.message(open.message.clone()).await;
            let OpenQuestion { mut answer, .. } = open;
            let body = tokio::select! {
                body = &mut answer.receiver => body,
                () = self.draining() => return Err(Trouble::Busy),
                () = left(caller, ask, outbox) => return Ok(None),
            };
            match body {
                Ok(ResponseBody::Result(text)) => answers.set(key, text),
                Ok(ResponseBody::Error(_)) | Err(_) => {
                    let text = "Intercom asked for something that the client did not answer, so the \
                                call did not go on";
                    tool_error(outbox, ask, text).await;
                    return Ok(None);
                }
            }
        }
        let mut continuation = Object::default();
        if !answers.is_empty() {
            continuation.set("inputResponses", answers.to_text());
        }
        if let Some(state) = asked.get("requestState") {
            continuation.set("requestState", state.clone());
        }
        let continuation = Some(json::compact(&continuation.to_text()));
        Ok(Some(Call { id: new_call_id(), at: clock::now(), continuation, ..call }))
    }
}

/// A question on its way to the client.
struct OpenQuestion {
    message: bytes::Bytes,
    answer: Pending,
}

/// Its answer; dropped, nobody may answer it any more.
struct Pending {
    session: Arc<Session>,
    id: RequestId,
    receiver: oneshot::Receiver<ResponseBody>,
}

impl Drop for Pending {
    fn drop(&mut self) {
        let _answer = self.session.answered(&self.id);
    }
}

/// Opens a question in a session; `None` if too many are open.
fn open(session: &Arc<Session>, question: &JsonText) -> Option<OpenQuestion> {
    let question = Object::parse(question)?;
    let (sender, receiver) = oneshot::channel();
    let id = session.ask(Asked::Ours(sender))?;
    let answer = Pending { session: session.clone(), id: id.clone(), receiver };
    let mut params = question.object("params").unwrap_or_default();
    if params.str("mode").as_deref() == Some("url") && !params.contains("elicitationId") {
        // This era knows each by a number.
        params.set("elicitationId", json::quote(&new_call_id().to_string()));
    }
    let method = question.str("method")?.into_owned();
    let message = Request { id, method, params, meta: Object::default() }.write();
    Some(OpenQuestion { message, answer })
}
