//! From bytes to messages.

use std::collections::HashSet;

use bytes::Bytes;

use super::{
    Incoming, Message, MessageError, Notification, Request, RequestId, Response, ResponseBody,
    RpcError,
};
use crate::domain::JsonText;
use crate::mcp::json::{self, Document, JsonError, Kind, Limits, Object};
use crate::mcp::reply::{INVALID_REQUEST, PARSE_ERROR};

/// Most messages in one batch: each of them is decided and recorded by itself.
pub const MAX_BATCH: usize = 100;

/// Longest accepted method name, in bytes.
const MAX_METHOD: usize = 256;

/// The members a JSON-RPC message may have.
const MEMBERS: [&str; 6] = ["jsonrpc", "id", "method", "params", "result", "error"];

/// Reads one body: a message, or a batch of them.
///
/// # Errors
/// -32700 if the text is not strict JSON, -32600 if it is no message.
pub fn read_message(bytes: Bytes, limits: &Limits) -> Result<Incoming, MessageError> {
    let document = json::read(bytes, limits)?;
    match document.kind() {
        Kind::Object => message(document).map(Incoming::One),
        Kind::Array => batch(&document).map(Incoming::Batch),
        _ => Err(invalid("not_an_object", "a message must be a JSON object")),
    }
}

/// Reads one body or event that must be a response, the fast path for answers of Intercom: one pass,
/// and the result stays a slice of the buffer.
///
/// # Errors
/// As [`read_message`]; also -32600 (`not_a_response`) if it is another message or a batch.
pub fn split_answer(bytes: Bytes, limits: &Limits) -> Result<Response, MessageError> {
    match read_message(bytes, limits)? {
        Incoming::One(Message::Response(response)) => Ok(response),
        _ => Err(invalid("not_a_response", "a response was expected")),
    }
}

impl From<JsonError> for MessageError {
    fn from(error: JsonError) -> Self {
        Self::new(PARSE_ERROR, error.kind.code(), format!("malformed JSON: {error}"))
    }
}

fn batch(document: &Document) -> Result<Vec<Message>, MessageError> {
    let elements = document.elements().unwrap_or_default();
    if elements.is_empty() {
        return Err(invalid("empty_batch", "a batch must hold at least one message"));
    }
    if elements.len() > MAX_BATCH {
        let text = format!("a batch may hold at most {MAX_BATCH} messages");
        return Err(invalid("batch_too_large", &text));
    }
    let mut seen = HashSet::new();
    let mut messages = Vec::with_capacity(elements.len());
    for element in elements {
        if element.kind() != Kind::Object {
            return Err(invalid("not_an_object", "each message of a batch must be an object"));
        }
        let message = message(element)?;
        if message.method() == Some("initialize") {
            let text = "`initialize` must not be part of a batch";
            return Err(invalid("initialize_in_batch", text));
        }
        if let Message::Request(request) = &message
            && !seen.insert(request.id.clone())
        {
            return Err(invalid("duplicate_id", "two requests of the batch have the same `id`"));
        }
        messages.push(message);
    }
    Ok(messages)
}

fn message(document: Document) -> Result<Message, MessageError> {
    let mut members = document.into_object().unwrap_or_default();
    // Read first, so that every refusal below can repeat it.
    let raw_id = members.remove("id");
    let id = raw_id.as_ref().and_then(RequestId::read);
    envelope(members, raw_id, id.clone()).map_err(|error| error.answering(id.as_ref()))
}

fn envelope(
    mut members: Object,
    raw_id: Option<JsonText>,
    id: Option<RequestId>,
) -> Result<Message, MessageError> {
    if members.iter().any(|(key, _)| !MEMBERS.contains(&key)) {
        let text = "a message may only have the members `jsonrpc`, `id`, `method`, `params`, \
                    `result` and `error`";
        return Err(invalid("unknown_member", text));
    }
    if members.str("jsonrpc").as_deref() != Some("2.0") {
        return Err(invalid("jsonrpc", "`jsonrpc` must be \"2.0\""));
    }
    let answers = (members.remove("result"), members.remove("error"));
    let Some(method) = members.remove("method") else {
        return response(&members, raw_id.as_ref(), id, answers).map(Message::Response);
    };
    if answers.0.is_some() || answers.1.is_some() {
        let text = "a message with `method` must have neither `result` nor `error`";
        return Err(invalid("method_and_answer", text));
    }
    let method = method_name(&method)?;
    let (params, meta) = params(members.remove("params"))?;
    match (raw_id, id) {
        (None, _) => Ok(Message::Notification(Notification { method, params, meta })),
        (Some(_), Some(id)) => Ok(Message::Request(Request { id, method, params, meta })),
        (Some(_), None) => Err(bad_id()),
    }
}

fn response(
    members: &Object,
    raw_id: Option<&JsonText>,
    id: Option<RequestId>,
    answers: (Option<JsonText>, Option<JsonText>),
) -> Result<Response, MessageError> {
    if members.contains("params") {
        return Err(invalid("params_without_method", "`params` needs a `method`"));
    }
    match answers {
        (Some(_), Some(_)) => {
            Err(invalid("result_and_error", "a response must not have both `result` and `error`"))
        }
        (None, None) => Err(invalid("no_method", "a request must have a `method`")),
        (Some(result), None) => {
            let id = Some(id.ok_or_else(bad_id)?);
            if json::kind(&result) != Kind::Object {
                return Err(invalid("result_shape", "`result` must be an object"));
            }
            Ok(Response { id, body: ResponseBody::Result(result) })
        }
        (None, Some(error)) => {
            // JSON-RPC itself wants `null` where the id could not be read, and older servers send it.
            if id.is_none() && raw_id.is_some_and(|raw| !json::is_null(raw)) {
                return Err(bad_id());
            }
            Ok(Response { id, body: ResponseBody::Error(rpc_error(&error)?) })
        }
    }
}

fn rpc_error(text: &JsonText) -> Result<RpcError, MessageError> {
    let shape = || invalid("error_shape", "`error` must have an integer `code` and a `message`");
    let mut members = Object::parse(text).ok_or_else(shape)?;
    let code = members.get("code").and_then(json::as_i64).ok_or_else(shape)?;
    let message = members.str("message").ok_or_else(shape)?.into_owned();
    Ok(RpcError { code, message, data: members.remove("data") })
}

fn method_name(text: &JsonText) -> Result<String, MessageError> {
    let name = json::as_str(text).filter(|name| !name.is_empty() && name.len() <= MAX_METHOD);
    let shape = || invalid("method", "`method` must be a string of 1 to 256 bytes");
    name.map(std::borrow::Cow::into_owned).ok_or_else(shape)
}

/// `params` without `_meta`, and `_meta`.
fn params(text: Option<JsonText>) -> Result<(Object, Object), MessageError> {
    let Some(text) = text else { return Ok((Object::default(), Object::default())) };
    let shape = || invalid("params", "`params` must be an object");
    let mut params = Object::parse(&text).ok_or_else(shape)?;
    let Some(meta) = params.remove("_meta") else { return Ok((params, Object::default())) };
    let shape = || invalid("meta", "`params._meta` must be an object");
    Ok((params, Object::parse(&meta).ok_or_else(shape)?))
}

fn bad_id() -> MessageError {
    let text = "`id` must be a string of at most 1024 bytes or an integer of 64 bits";
    invalid("id", text)
}

fn invalid(reason: &'static str, text: &str) -> MessageError {
    MessageError::new(INVALID_REQUEST, reason, text)
}
