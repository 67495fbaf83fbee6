//! Bodies of Intercom on their way through `disclose`: what they hold, and what is left of them.

use super::trouble::tool_error_result;
use crate::domain::{Call, Era, JsonText};
use crate::intercom::records::{Content, Edited};
use crate::mcp::json::Object;
use crate::mcp::message::ResponseBody;

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
        (Edited::Rest(_), ResponseBody::Error(_)) => {
            Err(String::from("Portcullis withheld Intercom's error: it shows what you may not see"))
        }
        (Edited::Nothing(words), ResponseBody::Error(_)) => Err(words),
    }
}

/// A finished task with words in the place of its result, so that its client knows that it is
/// finished; `None` if the result is no task.
pub(super) fn task(text: &JsonText, words: &str, era: Era) -> Option<JsonText> {
    let mut task = Object::parse(text).filter(|object| object.contains("taskId"))?;
    task.set("result", tool_error_result(words, era));
    Some(task.to_text())
}
