//! What comes back from Intercom for one request, judged piece by piece and passed on.
//!
//! Nothing is collected: each event is judged and goes out before the next is read. What the client
//! did not ask for (progress, log messages) or cannot answer (questions) does not reach it.

use std::sync::Arc;

use http::StatusCode;

use super::Proxy;
use super::adapt;
use super::carry;
use super::handler::{Ask, Caller, left};
use super::notes::with_notes_of;
use super::outbox::Outbox;
use super::session::{Asked, Session};
use super::shown::Shown;
use super::trouble::{DENIED, Trouble, tool_error_result};
use crate::domain::{Call, Decision, Era, JsonText, OutcomeKind, told};
use crate::intercom::records::{Content, Edited};
use crate::mcp::era::{Capabilities, LOG_LEVELS};
use crate::mcp::json::{self, Object};
use crate::mcp::message::{Notification, Request, RequestId, ResponseBody, RpcError};
use crate::mcp::methods::{self, Form, Sender};
use crate::mcp::reply::{self, INTERNAL_ERROR};
use crate::policy::{AnswerFacts, AnswerKind};
use crate::upstream::{Answer, Exchange, FromServer, says_error};

impl Proxy {
    /// Relays an exchange to its end. What is returned are questions of a modern Intercom that a legacy
    /// client can answer: the call is not over then.
    pub(super) async fn relay(
        self: &Arc<Self>,
        caller: &Caller,
        ask: &Ask,
        mut exchange: Exchange,
        outbox: &Outbox,
    ) -> Result<Option<Object>, Trouble> {
        let _questions = caller.session.as_ref().map(|it| Questions(it, exchange.id().clone()));
        if exchange.is_stream() {
            outbox.open().await;
        }
        loop {
            let next = tokio::select! {
                next = exchange.next() => next?,
                // Dropping the exchange closes our stream, which cancels in the modern era.
                () = left(caller, ask, outbox) => {
                    let (leg, id) = (exchange.leg().clone(), exchange.id().clone());
                    Box::pin(self.abandon(caller, ask, &leg, &id)).await;
                    return Ok(None);
                }
            };
            match next {
                FromServer::Answer(answer) => {
                    return Ok(self.answer(caller, ask, &mut exchange, answer, outbox).await);
                }
                FromServer::Notification(note) => {
                    let judged = Box::pin(self.notification(caller, ask, &exchange, note));
                    if let Some(message) = judged.await {
                        outbox.message(message).await;
                    }
                }
                FromServer::Request(question) => {
                    let leg = exchange.leg().clone();
                    let message = match &caller.session {
                        Some(session) if !ask.as_task => {
                            let id = Some(exchange.id().clone());
                            Box::pin(self.question(session, exchange.call(), id, &question)).await
                        }
                        _ => None,
                    };
                    match message {
                        Some(message) => {
                            outbox.message(message).await;
                        }
                        None => Box::pin(self.upstream.refuse(&leg, &question)).await,
                    }
                }
            }
        }
    }

    /// Judges an answer and passes it on, or says that it was withheld. Questions that go another way
    /// are returned.
    async fn answer(
        &self,
        caller: &Caller,
        ask: &Ask,
        exchange: &mut Exchange,
        answer: Answer,
        outbox: &Outbox,
    ) -> Option<Object> {
        let leg = exchange.leg().clone();
        let Shown { body, kind, bytes, recorded } =
            self.shown(ask, exchange, answer, outbox).await?;
        match body {
            ResponseBody::Result(text) => {
                if let Some(questions) = carry::questions(caller, ask, &leg, kind, &text) {
                    exchange.spent().complete(OutcomeKind::Answered, bytes, recorded);
                    return Some(questions);
                }
                let adapted = adapt::result(self.gate.sealer(), caller, ask, &leg, &text);
                match adapted {
                    Ok(text) => {
                        let text = with_notes_of(exchange.call(), text);
                        let failed = kind == AnswerKind::ToolError;
                        let kind = if failed { OutcomeKind::Error } else { OutcomeKind::Answered };
                        exchange.spent().complete(kind, bytes, recorded);
                        outbox.result(&ask.id, &text).await;
                    }
                    Err(unfit) => {
                        exchange.spent().complete(OutcomeKind::Withheld, bytes, recorded);
                        unfit.tell(ask, outbox).await;
                    }
                }
            }
            ResponseBody::Error(error) => {
                exchange.spent().complete(OutcomeKind::Error, bytes, recorded);
                rpc_error(ask, &error, outbox).await;
            }
        }
        None
    }

    /// A notification for the client of a request, with the client's own names in it; `None` if it
    /// is not for the client.
    async fn notification(
        self: &Arc<Self>,
        caller: &Caller,
        ask: &Ask,
        exchange: &Exchange,
        mut note: Notification,
    ) -> Option<bytes::Bytes> {
        methods::find(Sender::Server, Form::Notification, &note.method, caller.revision)?;
        match note.method.as_str() {
            "notifications/progress" => {
                let token = ask.progress.as_ref()?;
                let theirs = note.params.get("progressToken").and_then(RequestId::read);
                if theirs.as_ref() != Some(exchange.id()) {
                    return None;
                }
                note.params.set("progressToken", token.to_text());
            }
            "notifications/message" if ask.era() == Era::Modern => {
                let severity = |level: &str| LOG_LEVELS.iter().position(|known| *known == level);
                if severity(&note.params.str("level")?)? < severity(caller.log_level?)? {
                    return None;
                }
            }
            "notifications/cancelled" => {
                let id = note.params.get("requestId").and_then(RequestId::read)?;
                let ours = caller.session.as_ref()?.withdrawn(&id)?;
                note.params.set("requestId", ours.to_text());
            }
            "notifications/tools/list_changed" => self.read_tools_again(exchange.leg()).await,
            _ => {}
        }
        // In the modern era a request's stream carries nothing but its progress and log messages.
        let on_stream =
            matches!(note.method.as_str(), "notifications/progress" | "notifications/message");
        if ask.era() == Era::Modern && !on_stream {
            return None;
        }
        self.may_hear(exchange.call(), note).await.map(|note| note.write())
    }

    /// The notification as policy lets it pass; `None` if it does not.
    pub(super) async fn may_hear(
        &self,
        call: &Call,
        mut note: Notification,
    ) -> Option<Notification> {
        // A task that is told of was judged as the answer that it is.
        let is_judged = note.method == "notifications/tasks";
        let mut params = note.params.clone();
        if !note.meta.is_empty() {
            params.set("_meta", note.meta.to_text());
        }
        let text = params.to_text();
        let facts = AnswerFacts {
            kind: AnswerKind::Notification,
            method: Some(note.method.clone()),
            bytes: text.bytes().len() as u64,
            content: if is_judged { Content::nothing() } else { Content::of_message(&text) },
        };
        let disclosed = self.gate.disclose(call, &facts).await;
        if !disclosed.is_allowed() {
            return None;
        }
        if let Some(mut params) = params_left(disclosed.edited)? {
            note.meta =
                params.remove("_meta").and_then(|meta| Object::parse(&meta)).unwrap_or_default();
            note.params = params;
        }
        Some(note)
    }

    /// A question of the server for the client of a session, under an id of ours; `None` if the
    /// client cannot or may not be asked.
    pub(super) async fn question(
        &self,
        session: &Session,
        call: &Call,
        exchange: Option<RequestId>,
        question: &Request,
    ) -> Option<bytes::Bytes> {
        methods::find(Sender::Server, Form::Request, &question.method, session.revision)?;
        if !can_be_asked(&session.capabilities, &question.method, &question.params) {
            return None;
        }
        let params = question.params.to_text();
        let facts = AnswerFacts {
            kind: AnswerKind::ServerRequest,
            method: Some(question.method.clone()),
            bytes: params.bytes().len() as u64,
            content: Content::of_message(&params),
        };
        let disclosed = self.gate.disclose(call, &facts).await;
        if !disclosed.is_allowed() {
            return None;
        }
        let params = params_left(disclosed.edited)?.unwrap_or_else(|| question.params.clone());
        let (upstream_id, method) = (question.id.clone(), question.method.clone());
        let asked = Asked::Theirs { upstream_id, exchange, method };
        let id = session.ask(asked)?;
        let question =
            Request { id, method: question.method.clone(), params, meta: Object::default() };
        Some(question.write())
    }
}

/// The parameters that are left of a message, if something was done to them; `None` if nothing is.
fn params_left(edited: Edited) -> Option<Option<Object>> {
    match edited {
        Edited::Same => Some(None),
        Edited::Rest(text) => Object::parse(&text).map(Some),
        Edited::Nothing(_) => None,
    }
}

/// Drops the open questions of an exchange, however its relay ends.
struct Questions<'a>(&'a Session, RequestId);

impl Drop for Questions<'_> {
    fn drop(&mut self) {
        self.0.drop_questions(&self.1);
    }
}

/// Whether a client declared that it can answer such a question.
pub(super) fn can_be_asked(capabilities: &Capabilities, method: &str, params: &Object) -> bool {
    match method {
        "ping" => true,
        "sampling/createMessage" => capabilities.sampling(),
        "roots/list" => capabilities.roots(),
        "elicitation/create" if params.str("mode").as_deref() == Some("url") => {
            capabilities.elicitation_url()
        }
        "elicitation/create" => capabilities.elicitation_form(),
        _ => false,
    }
}

/// Passes a JSON-RPC error on, under a code that the client's era knows.
pub(super) async fn rpc_error(ask: &Ask, error: &RpcError, outbox: &Outbox) {
    let code = if reply::may_emit(error.code, ask.era()) { error.code } else { INTERNAL_ERROR };
    // The status tells the era's envelope faults apart; everything else is an answer like others.
    let status = match (code, ask.era()) {
        (reply::METHOD_NOT_FOUND, Era::Modern) => StatusCode::NOT_FOUND,
        (reply::MISSING_CAPABILITY | reply::HEADER_MISMATCH, Era::Modern) => {
            StatusCode::BAD_REQUEST
        }
        _ => StatusCode::OK,
    };
    outbox.error(status, &ask.id, code, &error.message, error.data.as_ref()).await;
}

/// Says that policy withheld an answer.
pub(super) async fn withheld(ask: &Ask, decision: &Decision, outbox: &Outbox) {
    nothing_left(ask, &withheld_text(decision), outbox).await;
}

/// Says why there is nothing to show.
pub(super) async fn nothing_left(ask: &Ask, text: &str, outbox: &Outbox) {
    if ask.method.name == "tools/call" {
        outbox.result(&ask.id, &tool_error_result(text, ask.era())).await;
    } else {
        outbox.error(StatusCode::OK, &ask.id, DENIED, text, None).await;
    }
}

/// The words for a withheld answer.
pub(super) fn withheld_text(decision: &Decision) -> String {
    format!("Portcullis withheld Intercom's answer: {}", told(&decision.reasons))
}

/// What kind of answer a body is, whatever way it came: at once, from a hold, or as a task.
pub(super) fn answer_kind(method: &str, body: &ResponseBody) -> AnswerKind {
    match body {
        ResponseBody::Error(_) => AnswerKind::Error,
        ResponseBody::Result(text) => result_kind(method, text),
    }
}

/// The members by which a result is told to be another kind than a plain one.
const KINDS: [&str; 3] = ["resultType", "inputRequests", "taskId"];

/// What kind of answer a result is.
pub(super) fn result_kind(method: &str, text: &JsonText) -> AnswerKind {
    if method.ends_with("/list") {
        return AnswerKind::List;
    }
    // Most answers have none of these, and are then not split at all.
    if !json::may_say(text, &KINDS, &["isError"]) {
        return AnswerKind::Result;
    }
    let Some(result) = Object::parse(text) else { return AnswerKind::Result };
    if result.str("resultType").as_deref() == Some("input_required")
        || result.contains("inputRequests")
    {
        return AnswerKind::InputRequired;
    }
    if method == "tools/call" && says_error(&result) {
        return AnswerKind::ToolError;
    }
    // A finished task carries the result that its call would have had.
    match result.get("result").filter(|_| result.contains("taskId")) {
        Some(inner) => result_kind("tools/call", inner),
        None => AnswerKind::Result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_a_question_in_every_disguise() {
        use AnswerKind::{InputRequired, List, Result, ToolError};
        let rows = [
            ("tools/call", r#"{"content":[]}"#, Result),
            ("tools/call", r#"{"content":[],"isError":true}"#, ToolError),
            ("tools/call", r#"{"content":[],"isError" : false}"#, Result),
            ("tools/call", r#"{"content":[{"isError":false}],"isError" : true}"#, ToolError),
            ("tools/call", r#"{"content":["\"isError\":false"],"isErr\u006fr":true}"#, ToolError),
            ("tools/call", r#"{"resultType":"input_required","requestState":"s"}"#, InputRequired),
            ("tools/call", r#"{"isError":true,"resultType":"input_required"}"#, InputRequired),
            ("tools/call", r#"{"isError":true,"inputRequests":{}}"#, InputRequired),
            ("tools/call", r#"{"resultType":"task","taskId":"t","status":"working"}"#, Result),
            (
                "tasks/get",
                r#"{"taskId":"t","status":"input_required","inputRequests":{}}"#,
                InputRequired,
            ),
            ("tasks/get", r#"{"taskId":"t","status":"completed","result":{}}"#, Result),
            ("tasks/get", r#"{"taskId":"t","result":{"isError":true}}"#, ToolError),
            (
                "tasks/get",
                r#"{"taskId":"t","result":{"resultType":"input_required"}}"#,
                InputRequired,
            ),
            ("prompts/get", r#"{"result":{"isError":true}}"#, Result),
            ("prompts/list", r#"{"prompts":[]}"#, List),
        ];
        for (method, text, kind) in rows {
            let text = JsonText::from_valid(bytes::Bytes::from_static(text.as_bytes()));
            assert_eq!(result_kind(method, &text), kind, "{method} {}", text.as_str());
        }
    }
}
