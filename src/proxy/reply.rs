//! From an outbox to an HTTP answer: plain JSON if the answer is the first thing to come, an event
//! stream otherwise.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use tokio::sync::mpsc;

use super::body::ReplyBody;
use super::outbox::Out;
use super::session::Session;
use crate::domain::Revision;
use crate::mcp::message::RequestId;
use crate::mcp::reply::{self, INTERNAL_ERROR};
use crate::mcp::sse;

/// When nothing came for so long, the head is flushed and the answer becomes a stream.
const PATIENCE: Duration = Duration::from_secs(10);
/// A stream without events gets a comment after so long.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// The answer to one request.
pub(super) async fn to_request(
    mut out: mpsc::Receiver<Out>,
    id: &RequestId,
    session: Option<&Arc<Session>>,
) -> Response<ReplyBody> {
    match tokio::time::timeout(PATIENCE, out.recv()).await {
        Ok(Some(Out::Last(status, parts))) => whole(status, parts.into()),
        Ok(None) => {
            let text = "internal error; the call's record says how far it got";
            let body = reply::error(Some(id), INTERNAL_ERROR, text, None);
            whole(StatusCode::INTERNAL_SERVER_ERROR, body.into())
        }
        Ok(Some(first)) => stream(Some(first), out, session, std::slice::from_ref(id)),
        Err(_) => stream(None, out, session, std::slice::from_ref(id)),
    }
}

/// The answers to a batch, on one stream.
pub(super) fn to_batch(
    out: mpsc::Receiver<Out>,
    session: &Arc<Session>,
    requests: &[RequestId],
) -> Response<ReplyBody> {
    stream(None, out, Some(session), requests)
}

/// A JSON answer.
pub(super) fn whole(status: StatusCode, body: ReplyBody) -> Response<ReplyBody> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// An event stream.
pub(super) fn events(receiver: mpsc::Receiver<Bytes>) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::from(receiver));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Asks reverse proxies in front of us not to collect the stream.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// Turns what is still to come into a stream that ends after the answers to `requests`.
fn stream(
    first: Option<Out>,
    out: mpsc::Receiver<Out>,
    session: Option<&Arc<Session>>,
    requests: &[RequestId],
) -> Response<ReplyBody> {
    let answers = requests.len();
    match session {
        Some(session) => {
            let prime = session.revision >= Revision::V2025_11_25;
            let (number, receiver) = session.open_stream(prime, requests);
            tokio::spawn(forward_kept(session.clone(), number, first, out, answers));
            events(receiver)
        }
        None => {
            let (sender, receiver) = mpsc::channel(16);
            tokio::spawn(forward(sender, first, out, answers));
            events(receiver)
        }
    }
}

/// Legacy: every event gets an id and is kept, so that a client that lost the stream can resume.
async fn forward_kept(
    session: Arc<Session>,
    number: u64,
    mut first: Option<Out>,
    mut out: mpsc::Receiver<Out>,
    mut answers: usize,
) {
    while answers > 0 {
        let next = match first.take() {
            Some(first) => Some(first),
            None => next(&mut out).await,
        };
        match next {
            Some(Out::Message(message)) => {
                session.streams(|streams| streams.message(number, message));
            }
            Some(Out::Open) => {}
            Some(Out::Comment) => session.streams(|streams| streams.comment(number)),
            Some(Out::Last(_, parts)) => {
                answers -= 1;
                session.streams(|streams| streams.message(number, joined(&parts)));
            }
            None => break,
        }
    }
    session.streams(|streams| streams.finish(number));
}

/// Modern: nothing is kept; when the client is gone, the handler's outbox closes.
async fn forward(
    sender: mpsc::Sender<Bytes>,
    mut first: Option<Out>,
    mut out: mpsc::Receiver<Out>,
    mut answers: usize,
) {
    while answers > 0 {
        let next = match first.take() {
            Some(first) => Some(first),
            None => tokio::select! {
                next = next(&mut out) => next,
                () = sender.closed() => return,
            },
        };
        let bytes = match next {
            Some(Out::Message(message)) => sse::message(message, None),
            Some(Out::Open) => continue,
            Some(Out::Comment) => sse::comment("keep-alive"),
            Some(Out::Last(_, parts)) => {
                answers -= 1;
                sse::message(joined(&parts), None)
            }
            None => return,
        };
        if sender.send(bytes).await.is_err() {
            return;
        }
    }
}

/// The next thing from the handler, or a sign of life if it takes long.
async fn next(out: &mut mpsc::Receiver<Out>) -> Option<Out> {
    match tokio::time::timeout(SIGN_OF_LIFE, out.recv()).await {
        Ok(next) => next,
        Err(_) => Some(Out::Comment),
    }
}

fn joined(parts: &[Bytes; 3]) -> Bytes {
    let mut whole = BytesMut::with_capacity(parts.iter().map(Bytes::len).sum());
    for part in parts {
        whole.extend_from_slice(part);
    }
    whole.freeze()
}
