//! From messages to bytes. The envelope is always ours; payloads go out with the bytes they have.

use bytes::Bytes;

use super::{Message, MessageError, Notification, Request, Response, ResponseBody};
use crate::mcp::json::{Object, push_quoted};
use crate::mcp::reply;

impl Message {
    /// The message as one line of JSON.
    #[must_use]
    pub fn write(&self) -> Bytes {
        match self {
            Self::Request(request) => request.write(),
            Self::Notification(notification) => notification.write(),
            Self::Response(response) => response.write(),
        }
    }
}

impl Request {
    /// The request as one line of JSON; `params` is left out if both it and `_meta` are empty.
    #[must_use]
    pub fn write(&self) -> Bytes {
        let mut out = Vec::with_capacity(96 + self.params.written_len() + self.meta.written_len());
        out.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
        self.id.write(&mut out);
        out.push(b',');
        finish(&mut out, &self.method, &self.params, &self.meta);
        out.into()
    }
}

impl Notification {
    /// The notification as one line of JSON; `params` is left out if both it and `_meta` are empty.
    #[must_use]
    pub fn write(&self) -> Bytes {
        let mut out = Vec::with_capacity(96 + self.params.written_len() + self.meta.written_len());
        out.extend_from_slice(br#"{"jsonrpc":"2.0","#);
        finish(&mut out, &self.method, &self.params, &self.meta);
        out.into()
    }
}

impl Response {
    /// The response as one line of JSON. A result without id cannot be answered to anyone and is
    /// written as an internal error without id.
    #[must_use]
    pub fn write(&self) -> Bytes {
        match (&self.body, &self.id) {
            (ResponseBody::Result(result), Some(id)) => reply::result(id, result),
            (ResponseBody::Result(_), None) => {
                reply::error(None, reply::INTERNAL_ERROR, "result without a request", None)
            }
            (ResponseBody::Error(error), id) => {
                reply::error(id.as_ref(), error.code, &error.message, error.data.as_ref())
            }
        }
    }
}

impl MessageError {
    /// The answer to the message that is refused, as one line of JSON.
    #[must_use]
    pub fn write(&self) -> Bytes {
        reply::error(self.id.as_ref(), self.code, &self.text, self.data.as_ref())
    }
}

/// Appends method, params and the closing brace.
fn finish(out: &mut Vec<u8>, method: &str, params: &Object, meta: &Object) {
    out.extend_from_slice(br#""method":"#);
    push_quoted(out, method);
    // `_meta` lives beside the parameters: one that was put among them would be a second.
    let stray = params.contains("_meta").then(|| {
        let mut params = params.clone();
        params.remove("_meta");
        params
    });
    let params = stray.as_ref().unwrap_or(params);
    if !params.is_empty() || !meta.is_empty() {
        out.extend_from_slice(br#","params":{"#);
        params.write_members(out);
        if !meta.is_empty() {
            if !params.is_empty() {
                out.push(b',');
            }
            out.extend_from_slice(br#""_meta":{"#);
            meta.write_members(out);
            out.push(b'}');
        }
        out.push(b'}');
    }
    out.push(b'}');
}
