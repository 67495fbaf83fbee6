//! `/sse` and `/sse/message`: the deprecated pair of 2024-11-05.
//!
//! The stream names the address to post to; answers come on the stream, posts get 202.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;

use super::connection::Wire;
use super::flow::{self, Piece, Sink};
use super::perform;
use super::session::Session;
use super::streamable::spoiled;
use super::{Shared, closed, event_stream, instead, plain};
use crate::simulator::calls;
use crate::simulator::options::{Options, Transport, Trouble};

/// The query of a POST.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Address {
    session_id: Option<String>,
}

/// GET `/sse`: opens a session.
pub(super) async fn open(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let mut options = shared.options();
    shared.received.note("GET /sse", &headers, b"", None, None, options.keep);
    if let Err(refused) = shared.admit(&mut options, &headers) {
        return *refused;
    }
    if closed(options.transport, Transport::Sse) {
        return plain(StatusCode::NOT_FOUND, "Not Found");
    }
    let (sink, body) = flow::events(&options, false);
    let session = shared.hex(64);
    let _ = sink.send(Piece::Event("endpoint", format!("/sse/message?sessionId={session}")));
    shared.sessions.add(session, Session::new("2024-11-05".to_owned(), Some(sink)));
    event_stream(body)
}

/// POST `/sse/message`.
pub(super) async fn message(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    Query(address): Query<Address>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut options = shared.options();
    let parsed: Option<Value> = serde_json::from_slice(&body).ok();
    shared.received.note(
        "POST /sse/message",
        &headers,
        &body,
        parsed.as_ref(),
        address.session_id.as_deref(),
        options.keep,
    );
    if let Err(refused) = shared.admit(&mut options, &headers) {
        return *refused;
    }
    let Some(session_id) = address.session_id else {
        return plain(
            StatusCode::BAD_REQUEST,
            "Missing sessionId. Expected POST to /sse to initiate new one",
        );
    };
    let session =
        shared.sessions.find(&session_id).and_then(|session| Some((session.stream()?, session)));
    let Some((sink, session)) = session.filter(|(sink, _)| !sink.is_closed()) else {
        return plain(StatusCode::NOT_FOUND, "Could not find session");
    };
    let Some(message) = parsed.filter(Value::is_object) else {
        return plain(StatusCode::BAD_REQUEST, "Invalid message");
    };
    session.hear(&message);
    if message.get("id").is_none() || message.get("method").is_none() {
        return plain(StatusCode::ACCEPTED, "Accepted");
    }
    let trouble = shared.trouble(&options, &message);
    if let Some(response) = instead(trouble, &options) {
        return response;
    }
    match trouble {
        Trouble::SessionLost => {
            shared.sessions.remove(&session_id);
            return plain(StatusCode::NOT_FOUND, "Could not find session");
        }
        Trouble::CutBefore => wire.cut(),
        _ => {}
    }
    tokio::spawn(answer(Arc::clone(&shared), options, session, message, sink, trouble));
    plain(StatusCode::ACCEPTED, "Accepted")
}

async fn answer(
    shared: Arc<Shared>,
    options: Arc<Options>,
    session: Arc<Session>,
    message: Value,
    sink: Sink,
    trouble: Trouble,
) {
    let say = |text: String| {
        let _ = sink.send(Piece::Message(text));
    };
    let outcome = match trouble {
        Trouble::ToolError => Some(calls::tool_error(&crate::simulator::tools::error_list(
            "server_error",
            "Internal Server Error",
        ))),
        _ => perform::perform(&shared, &options, Some(&session), &message, &say).await,
    };
    let Some(outcome) = outcome.filter(|_| trouble != Trouble::Silence) else { return };
    let text = spoiled(trouble, &outcome, &message);
    match trouble {
        Trouble::CutWithin | Trouble::CutBefore => {
            let _ = sink.send(Piece::Half(text));
        }
        Trouble::Twice => {
            say(text.clone());
            say(text)
        }
        _ => say(text),
    }
}
