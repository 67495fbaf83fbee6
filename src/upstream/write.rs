//! The bytes that go to Intercom, written from the call that was judged.

use bytes::Bytes;
use http::{HeaderName, HeaderValue};

use super::leg::Session;
use crate::domain::{Call, JsonText, Revision, Subject};
use crate::mcp::era::{
    META_CAPABILITIES, META_CLIENT, META_LOG_LEVEL, META_PROGRESS, META_VERSION,
};
use crate::mcp::headers;
use crate::mcp::json::{self, Object};
use crate::mcp::message::{Notification, Request, RequestId};

/// Headers of one request.
pub(super) type Headers = Vec<(HeaderName, HeaderValue)>;

/// A request in the legacy era: no `_meta` but our progress token.
pub(super) fn legacy_request(call: &Call, id: &RequestId) -> Bytes {
    let mut meta = Object::default();
    if call.meta.progress {
        meta.set(META_PROGRESS, id.to_text());
    }
    request(call, id, meta).write()
}

/// A request in the modern era, with the headers that repeat it.
pub(super) fn modern_request(
    call: &Call,
    id: &RequestId,
    mirrors: &[(String, Vec<String>)],
) -> (Headers, Bytes) {
    let request = request(call, id, modern_meta(call, id));
    let written = headers::build(Revision::V2026_07_28, &request, mirrors);
    let headers = written.into_iter().filter_map(|(name, value)| {
        Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?))
    });
    (headers.collect(), request.write())
}

/// The headers of a legacy message: session, revision (from 2025-06-18 on), place to resume from.
pub(super) fn legacy_headers(session: Option<&Session>, last_event: Option<&str>) -> Headers {
    let mut headers = Headers::new();
    if let Some(session) = session {
        if let Some(id) = &session.id {
            headers.push((HeaderName::from_static(headers::SESSION_ID), id.clone()));
        }
        if session.revision >= Revision::V2025_06_18 {
            let revision = HeaderValue::from_static(session.revision.as_str());
            headers.push((HeaderName::from_static(headers::PROTOCOL_VERSION), revision));
        }
    }
    if let Some(value) = last_event.and_then(|id| HeaderValue::from_str(id).ok()) {
        headers.push((HeaderName::from_static("last-event-id"), value));
    }
    headers
}

/// A notification.
pub(super) fn notification(call: &Call) -> Bytes {
    let params = Object::parse(&call.payload).unwrap_or_default();
    Notification { method: call.method.clone(), params, meta: Object::default() }.write()
}

/// The client's answer to a question of the server: the payload is an object with `result` or
/// `error`.
pub(super) fn answer(call: &Call, to: &RequestId) -> Bytes {
    let mut envelope = Object::default();
    envelope.set("jsonrpc", json::quote("2.0"));
    envelope.set("id", to.to_text());
    let body = Object::parse(&call.payload).unwrap_or_default();
    for (key, value) in body.iter() {
        envelope.set(key, value.clone());
    }
    envelope.to_text().bytes().clone()
}

fn request(call: &Call, id: &RequestId, meta: Object) -> Request {
    let mut params = match &call.subject {
        Subject::Tool { name, .. } => {
            let mut params = Object::default();
            params.set("name", json::quote(name));
            params.set("arguments", call.sent().clone());
            params
        }
        _ => Object::parse(&call.payload).unwrap_or_default(),
    };
    if let Some(more) = call.continuation.as_ref().and_then(Object::parse) {
        for (key, value) in more.iter() {
            params.set(key, value.clone());
        }
    }
    Request { id: id.clone(), method: call.method.clone(), params, meta }
}

fn modern_meta(call: &Call, id: &RequestId) -> Object {
    let mut client = Object::default();
    let name = if call.client.name.is_empty() { "portcullis" } else { &call.client.name };
    let version = if call.client.version.is_empty() {
        env!("CARGO_PKG_VERSION")
    } else {
        &call.client.version
    };
    client.set("name", json::quote(name));
    client.set("version", json::quote(version));
    // Capabilities are of one request (2026-07-28): a server asks only what the request declares, and else
    // refuses with -32021. A direct call declares what its client can answer. A released one declares
    // nothing: whoever called has left, or waits for a result and not for questions.
    let capabilities = call.meta.capabilities.clone().unwrap_or_else(JsonText::empty_object);
    let mut meta = Object::default();
    meta.set(META_VERSION, json::quote(Revision::V2026_07_28.as_str()));
    meta.set(META_CAPABILITIES, capabilities);
    meta.set(META_CLIENT, client.to_text());
    if let Some(level) = &call.meta.log_level {
        meta.set(META_LOG_LEVEL, json::quote(level));
    }
    if call.meta.progress {
        meta.set(META_PROGRESS, id.to_text());
    }
    meta
}
