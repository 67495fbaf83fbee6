//! Bodies of Intercom on their way through `disclose`: what they hold, and what is left of them.

use super::Proxy;
use super::handler::Ask;
use super::outbox::Outbox;
use super::relay::{answer_kind, nothing_left, withheld};
use super::trouble::tool_error_result;
use crate::domain::{Call, Decision, Era, JsonText, OutcomeKind};
use crate::intercom::records::{Content, Edited};
use crate::mcp::json::{self, Object};
use crate::mcp::message::{ResponseBody, RpcError};
use crate::policy::{AnswerFacts, AnswerKind};
use crate::upstream::{Answer, Exchange};

/// An answer of which something may be shown.
pub(super) struct Shown {
    /// What may be shown of it.
    pub(super) body: ResponseBody,
    /// What Intercom's answer was.
    pub(super) kind: AnswerKind,
    /// How many bytes it had.
    pub(super) bytes: usize,
    /// What the record of the call's end must say of the decision.
    pub(super) recorded: Option<Decision>,
}

impl Proxy {
    /// Judges the answer to a call; `None` if nothing of it may be shown, which is then recorded and
    /// told to the agent.
    pub(super) async fn shown(
        &self,
        ask: &Ask,
        exchange: &mut Exchange,
        answer: Answer,
        outbox: &Outbox,
    ) -> Option<Shown> {
        let kind = answer_kind(ask.method.name, &answer.body);
        let bytes = answer.bytes;
        let content = content_of(exchange.call(), &answer.body);
        let facts = AnswerFacts { kind, method: None, bytes: bytes as u64, content };
        let disclosed = self.gate.disclose(exchange.call(), &facts).await;
        let recorded = disclosed.to_record();
        if !disclosed.is_allowed() {
            exchange.spent().complete(OutcomeKind::Withheld, bytes, recorded);
            withheld(ask, &disclosed.decision, outbox).await;
            return None;
        }
        match left_of(answer.body, disclosed.edited, ask.era()) {
            Ok(body) => Some(Shown { body, kind, bytes, recorded }),
            Err(words) => {
                exchange.spent().complete(OutcomeKind::Withheld, bytes, recorded);
                nothing_left(ask, &words, outbox).await;
                None
            }
        }
    }
}

/// The content of a body that answers a call.
pub(super) fn content_of(call: &Call, body: &ResponseBody) -> Content {
    match body {
        ResponseBody::Result(text) => Content::of_result(call.subject.tool(), text),
        ResponseBody::Error(error) => Content::of_error(&error.message, error.data.as_ref()),
    }
}

/// What is left of a body.
///
/// # Errors
/// The words for the agent, if nothing is.
pub(super) fn left_of(
    body: ResponseBody,
    edited: Edited,
    era: Era,
) -> Result<ResponseBody, String> {
    match (edited, body) {
        (Edited::Same, body) => Ok(body),
        (Edited::Rest(text), ResponseBody::Result(_)) => Ok(ResponseBody::Result(text)),
        (Edited::Nothing(words), ResponseBody::Result(text)) => match task(&text, &words, era) {
            Some(task) => Ok(ResponseBody::Result(task)),
            None => Err(words),
        },
        (Edited::Rest(text), ResponseBody::Error(error)) => error_left(error, &text),
        (Edited::Nothing(words), ResponseBody::Error(_)) => Err(words),
    }
}

/// An error with the words and data that are left of it. If records were withheld from it, nothing is.
fn error_left(error: RpcError, text: &JsonText) -> Result<ResponseBody, String> {
    let withheld =
        || String::from("Portcullis withheld Intercom's error: it shows what you may not see");
    let left = Object::parse(text).ok_or_else(withheld)?;
    let blocks = left.get("content").and_then(json::elements).unwrap_or_default();
    let [block] = blocks.as_slice() else { return Err(withheld()) };
    let words = Object::parse(block).and_then(|block| Some(block.str("text")?.into_owned()));
    let message = words.ok_or_else(withheld)?;
    let data = error.data.and_then(|_| left.get("structuredContent").cloned());
    Ok(ResponseBody::Error(RpcError { message, data, ..error }))
}

/// A finished task with words in the place of its result, so that its client knows that it is
/// finished; `None` if the result is no task.
pub(super) fn task(text: &JsonText, words: &str, era: Era) -> Option<JsonText> {
    let mut task = Object::parse(text).filter(|object| object.contains("taskId"))?;
    task.set("result", tool_error_result(words, era));
    Some(task.to_text())
}
