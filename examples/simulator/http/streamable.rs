//! `/mcp`, Streamable HTTP of the legacy era: sessions, batches, answers as events or JSON.
//!
//! The order of checks and the wording of refusals follow the library that the real server is believed to use.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::connection::Wire;
use super::flow::{self, Piece};
use super::perform;
use super::session::Session;
use super::{
    Refusal, Shared, closed, event_stream, header_text, instead, modern, plain, refuse, too_many,
};
use crate::simulator::calls::{self, Outcome};
use crate::simulator::options::{Options, RateFault, Reply, Speak, Transport, Trouble};

const SESSION: &str = "mcp-session-id";
const VERSION: &str = "mcp-protocol-version";

/// Any path below `/mcp`: the API route asks for a credential first.
pub(super) async fn below(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    match shared.admit(&mut shared.options(), &headers) {
        Ok(()) => plain(StatusCode::NOT_FOUND, "Not Found"),
        Err(refused) => *refused,
    }
}

/// POST `/mcp`.
pub(super) async fn post(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut options = shared.options();
    let parsed: Option<Value> = serde_json::from_slice(&body).ok();
    shared.received.note(
        "POST /mcp",
        &headers,
        &body,
        parsed.as_ref(),
        header_text(&headers, SESSION),
        options.keep,
    );
    if closed(options.transport, Transport::Streamable) {
        return plain(StatusCode::NOT_FOUND, "Not Found");
    }
    if let Err(refused) = shared.admit(&mut options, &headers) {
        return *refused;
    }
    let accept = header_text(&headers, "accept").unwrap_or_default();
    if !(accept.contains("application/json") && accept.contains("text/event-stream")) {
        return refuse(
            StatusCode::NOT_ACCEPTABLE,
            -32000,
            "Not Acceptable: Client must accept both application/json and text/event-stream",
        );
    }
    if !header_text(&headers, "content-type").is_some_and(|kind| {
        kind.split(';').next().is_some_and(|kind| kind.trim() == "application/json")
    }) {
        return refuse(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            -32000,
            "Unsupported Media Type: Content-Type must be application/json",
        );
    }
    let Some(message) = parsed else {
        return refuse(StatusCode::BAD_REQUEST, -32700, "Parse error: Invalid JSON");
    };
    if options.speak == Speak::Modern
        || (options.speak == Speak::Dual && modern::is_modern(&message, &headers))
    {
        return modern::post(shared, options, wire, headers, message).await;
    }
    legacy(shared, options, wire, headers, message).await
}

async fn legacy(
    shared: Arc<Shared>,
    options: Arc<Options>,
    wire: Wire,
    headers: HeaderMap,
    message: Value,
) -> Response {
    let (batch, messages) = match message {
        Value::Array(messages) => (true, messages),
        one => (false, vec![one]),
    };
    if messages.is_empty()
        || messages.iter().any(|one| one.get("jsonrpc").and_then(Value::as_str) != Some("2.0"))
    {
        return refuse(StatusCode::BAD_REQUEST, -32700, "Parse error: Invalid JSON-RPC message");
    }
    if messages.iter().any(|one| method(one) == "initialize") {
        if batch || headers.contains_key(SESSION) {
            return refuse(
                StatusCode::BAD_REQUEST,
                -32600,
                "Invalid Request: Only one initialization request is allowed",
            );
        }
        return initialize(&shared, &options, messages.first().unwrap_or(&Value::Null));
    }
    let session = match session(&shared, &options, &headers) {
        Ok(session) => session,
        Err(refused) => return *refused,
    };
    for one in messages.iter().filter(|one| !is_request(one)) {
        if let Some(session) = &session {
            session.hear(one);
        }
    }
    let requests: Vec<Value> = messages.into_iter().filter(is_request).collect();
    if requests.is_empty() {
        return StatusCode::ACCEPTED.into_response();
    }
    respond(shared, options, wire, headers, session, requests, batch).await
}

/// Finds the session that a message belongs to; none when the door keeps none.
fn session(
    shared: &Shared,
    options: &Options,
    headers: &HeaderMap,
) -> Result<Option<Arc<Session>>, Refusal> {
    let refused = |status, code, message: &str| Err(Box::new(refuse(status, code, message)));
    let found = match (options.transport, header_text(headers, SESSION)) {
        (Transport::Stateless, _) => None,
        (_, None) => {
            return refused(
                StatusCode::BAD_REQUEST,
                -32000,
                "Bad Request: Mcp-Session-Id header is required",
            );
        }
        (_, Some(id)) => match shared.sessions.find(id) {
            None => return refused(StatusCode::NOT_FOUND, -32001, "Session not found"),
            found => found,
        },
    };
    match header_text(headers, VERSION) {
        Some(version) if !options.revisions.iter().any(|served| served == version) => {
            let served = options.revisions.join(", ");
            let message =
                format!("Bad Request: Unsupported protocol version (supported versions: {served})");
            refused(StatusCode::BAD_REQUEST, -32000, &message)
        }
        _ => Ok(found),
    }
}

fn initialize(shared: &Shared, options: &Options, message: &Value) -> Response {
    let (outcome, revision) = calls::initialize(options, message.get("params"));
    let text = outcome.response(message.get("id").unwrap_or(&Value::Null));
    let mut response = if replies_json(options) {
        json_body(Body::from(text))
    } else {
        event_stream(flow::text(flow::event(&text), options, false))
    };
    if options.transport != Transport::Stateless {
        let id = shared.hex(64);
        if let Ok(value) = HeaderValue::try_from(id.as_str()) {
            response.headers_mut().insert(SESSION, value);
        }
        shared.sessions.add(id, Session::new(revision, None));
    }
    response
}

/// What every request goes through: limits and trouble first, then its answer.
async fn respond(
    shared: Arc<Shared>,
    options: Arc<Options>,
    wire: Wire,
    headers: HeaderMap,
    session: Option<Arc<Session>>,
    requests: Vec<Value>,
    batch: bool,
) -> Response {
    let standing = options
        .rate_limit
        .filter(|_| requests.iter().any(|one| method(one) == "tools/call"))
        .map(|limit| shared.windows.count(limit));
    if let Some(standing) = standing.filter(|standing| standing.exceeded) {
        return match (options.rate_fault, requests.first()) {
            (RateFault::Tool, Some(request)) => {
                finish(&options, rate_text(standing.limit).response(id(request)), Trouble::None)
            }
            _ => too_many(&options, &standing),
        };
    }
    let trouble = requests
        .iter()
        .map(|one| shared.trouble(&options, one))
        .find(|trouble| *trouble != Trouble::None)
        .unwrap_or_default();
    if let Some(response) = instead(trouble, &options) {
        return response;
    }
    if trouble == Trouble::SessionLost {
        header_text(&headers, SESSION).map(|id| shared.sessions.remove(id));
        return refuse(StatusCode::NOT_FOUND, -32001, "Session not found");
    }
    let mut response = if trouble == Trouble::None
        && session
            .as_ref()
            .is_some_and(|_| requests.iter().any(|one| !perform::is_plain(&options, one)))
        && !replies_json(&options)
    {
        stream(Arc::clone(&shared), Arc::clone(&options), session, requests)
    } else {
        let say = |message: String| {
            session.as_ref().map(|session| session.say(message));
        };
        let mut texts = Vec::with_capacity(requests.len());
        for request in &requests {
            let outcome = match trouble {
                Trouble::ToolError => Some(calls::tool_error(
                    &crate::simulator::tools::error_list("server_error", "Internal Server Error"),
                )),
                _ => perform::perform(&shared, &options, session.as_deref(), request, &say).await,
            };
            match outcome {
                Some(Outcome::Unauthorized) => {
                    return shared.challenge(&options, "Invalid access token", false);
                }
                Some(outcome) => texts.push(spoiled(trouble, &outcome, request)),
                None => {}
            }
        }
        match trouble {
            Trouble::CutBefore => wire.cut(),
            Trouble::Silence => std::future::pending().await,
            _ => {}
        }
        answered(&options, session.as_deref(), texts, batch, trouble)
    };
    if let Some(standing) = standing {
        standing.write(response.headers_mut(), options.rate_headers);
    }
    response
}

/// Streams answers as they come, in a task of its own: a client that leaves does not cancel.
fn stream(
    shared: Arc<Shared>,
    options: Arc<Options>,
    session: Option<Arc<Session>>,
    requests: Vec<Value>,
) -> Response {
    let (sink, body) = flow::events(&options, options.event_ids);
    for request in requests {
        let (shared, options, session, sink) =
            (Arc::clone(&shared), Arc::clone(&options), session.clone(), sink.clone());
        tokio::spawn(async move {
            let say = |message: String| {
                let _ = sink.send(Piece::Message(message));
            };
            if let Some(outcome) =
                perform::perform(&shared, &options, session.as_deref(), &request, &say).await
            {
                say(outcome.response(id(&request)));
            }
        });
    }
    event_stream(body)
}

fn answered(
    options: &Options,
    session: Option<&Session>,
    texts: Vec<String>,
    batch: bool,
    trouble: Trouble,
) -> Response {
    if replies_json(options) {
        let text = if batch {
            format!("[{}]", texts.join(","))
        } else {
            texts.into_iter().next().unwrap_or_default()
        };
        return finish(options, text, trouble);
    }
    let ids = options.event_ids && session.is_some_and(|session| session.revision == "2025-11-25");
    if ids && trouble != Trouble::CutWithin {
        let (sink, body) = flow::events(options, true);
        texts.into_iter().for_each(|text| {
            let _ = sink.send(Piece::Message(text));
        });
        return event_stream(body);
    }
    let events: String = texts.iter().map(|text| flow::event(text)).collect();
    let events = if trouble == Trouble::Twice { events.repeat(2) } else { events };
    event_stream(flow::text(events, options, trouble == Trouble::CutWithin))
}

/// One answer in the form of the switch.
pub(super) fn finish(options: &Options, text: String, trouble: Trouble) -> Response {
    let cut = trouble == Trouble::CutWithin;
    if replies_json(options) {
        json_body(flow::text(text, options, cut))
    } else {
        event_stream(flow::text(flow::event(&text), options, cut))
    }
}

/// The response to a request, spoiled where trouble asks for it.
pub(super) fn spoiled(trouble: Trouble, outcome: &Outcome, request: &Value) -> String {
    match trouble {
        Trouble::Garbage => "{\"jsonrpc\":\"2.0\",\"id\":".to_owned(),
        Trouble::WrongId => outcome.response(&serde_json::json!("not-your-id")),
        _ => outcome.response(id(request)),
    }
}

/// The tool error of an exceeded rate.
pub(super) fn rate_text(limit: u64) -> Outcome {
    calls::tool_error(&crate::simulator::tools::error_list(
        "rate_limit_exceeded",
        &format!("Exceeded rate limit of {limit} in 10_seconds"),
    ))
}

/// GET `/mcp`: the stream on which the server speaks by itself.
pub(super) async fn get(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let mut options = shared.options();
    shared.received.note(
        "GET /mcp",
        &headers,
        b"",
        None,
        header_text(&headers, SESSION),
        options.keep,
    );
    if let Err(refused) = shared.admit(&mut options, &headers) {
        return *refused;
    }
    if options.speak == Speak::Modern || options.transport == Transport::Stateless {
        return refuse(StatusCode::METHOD_NOT_ALLOWED, -32000, "Method not allowed");
    }
    if !header_text(&headers, "accept").unwrap_or_default().contains("text/event-stream") {
        return refuse(
            StatusCode::NOT_ACCEPTABLE,
            -32000,
            "Not Acceptable: Client must accept text/event-stream",
        );
    }
    let session = match session(&shared, &options, &headers) {
        Ok(session) => session,
        Err(refused) => return *refused,
    };
    let (sink, body) = flow::events(&options, false);
    if let Some(session) = session {
        session.listen(sink);
    }
    event_stream(body)
}

/// DELETE `/mcp`: ends the session.
pub(super) async fn delete(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let mut options = shared.options();
    shared.received.note(
        "DELETE /mcp",
        &headers,
        b"",
        None,
        header_text(&headers, SESSION),
        options.keep,
    );
    if let Err(refused) = shared.admit(&mut options, &headers) {
        return *refused;
    }
    if options.speak == Speak::Modern || options.transport == Transport::Stateless {
        return refuse(StatusCode::METHOD_NOT_ALLOWED, -32000, "Method not allowed");
    }
    match session(&shared, &options, &headers) {
        Ok(_) => {
            header_text(&headers, SESSION).map(|id| shared.sessions.remove(id));
            StatusCode::NO_CONTENT.into_response()
        }
        Err(refused) => *refused,
    }
}

fn replies_json(options: &Options) -> bool {
    options.reply == Reply::Json || options.transport == Transport::Stateless
}

fn json_body(body: Body) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn is_request(message: &Value) -> bool {
    message.get("method").is_some() && message.get("id").is_some()
}

pub(super) fn method(message: &Value) -> &str {
    message.get("method").and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn id(message: &Value) -> &Value {
    message.get("id").unwrap_or(&Value::Null)
}
