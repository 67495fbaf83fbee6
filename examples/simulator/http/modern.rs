//! `/mcp` in the modern era, 2026-07-28: no session, everything in each request.
//!
//! Order of checks: `_meta` keys, headers against body, version, method. Closing the response stream cancels: the work of a
//! request is dropped with its stream.

use std::sync::{Arc, Mutex, PoisonError};

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::connection::Wire;
use super::flow::{self, Piece, Sink};
use super::perform::{self, question};
use super::streamable::{finish, id, method, rate_text, spoiled};
use super::{Shared, event_stream, header_text, instead, too_many};
use crate::simulator::calls::{self, Outcome};
use crate::simulator::options::{Options, Question, RateFault, Reply, Speak, Trouble};
use crate::simulator::tools::definitions;

const REVISION: &str = "2026-07-28";
const META_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const META_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";
const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";

/// Whether a dual-era server takes this for a modern message.
pub(super) fn is_modern(message: &Value, headers: &HeaderMap) -> bool {
    if meta(message, META_VERSION).is_some() {
        return true;
    }
    let version = header_text(headers, "mcp-protocol-version");
    version.is_some_and(|version| version >= REVISION)
        || (version.is_none()
            && method(message) != "initialize"
            && !headers.contains_key("mcp-session-id")
            && message.is_object())
}

/// POST `/mcp`.
pub(super) async fn post(
    shared: Arc<Shared>,
    options: Arc<Options>,
    wire: Wire,
    headers: HeaderMap,
    message: Value,
) -> Response {
    if let Err(refused) = check(&options, &headers, &message) {
        return *refused;
    }
    if message.get("id").is_none() {
        return StatusCode::ACCEPTED.into_response();
    }
    let standing = options
        .rate_limit
        .filter(|_| method(&message) == "tools/call")
        .map(|limit| shared.windows.count(limit));
    if let Some(standing) = standing.filter(|standing| standing.exceeded) {
        return match options.rate_fault {
            RateFault::Tool => finish(
                &options,
                complete(rate_text(standing.limit)).response(id(&message)),
                Trouble::None,
            ),
            RateFault::Http => too_many(&options, &standing),
        };
    }
    let trouble = shared.trouble(&options, &message);
    if let Some(response) = instead(trouble, &options) {
        return response;
    }
    if method(&message) == "subscriptions/listen" {
        return listen(&shared, &options, &message);
    }
    let level = meta(&message, "io.modelcontextprotocol/logLevel")
        .and_then(Value::as_str)
        .map(str::to_owned);
    let options = if level.is_none() && options.logs > 0 {
        Arc::new(Options { logs: 0, ..Options::clone(&options) })
    } else {
        options
    };
    if trouble == Trouble::None
        && options.reply == Reply::Sse
        && !perform::is_plain(&options, &message)
    {
        return stream(shared, options, message, level);
    }
    perform::notices(&shared, &options, &message, &|_| (), None).await;
    let outcome = match trouble {
        Trouble::ToolError => complete(calls::tool_error(&crate::simulator::tools::error_list(
            "server_error",
            "Internal Server Error",
        ))),
        _ => answer(&shared, &options, &message),
    };
    match (&outcome, trouble) {
        (Outcome::Unauthorized, _) => {
            return shared.challenge(&options, "Invalid access token", false);
        }
        (Outcome::Error { code, .. }, _) => {
            let status =
                if *code == -32601 { StatusCode::NOT_FOUND } else { StatusCode::BAD_REQUEST };
            return (
                status,
                [(header::CONTENT_TYPE, "application/json")],
                outcome.response(id(&message)),
            )
                .into_response();
        }
        (_, Trouble::CutBefore) => wire.cut(),
        (_, Trouble::Silence) => std::future::pending().await,
        _ => {}
    }
    finish(&options, spoiled(trouble, &outcome, &message), trouble)
}

fn stream(
    shared: Arc<Shared>,
    options: Arc<Options>,
    message: Value,
    level: Option<String>,
) -> Response {
    let (sink, body) = flow::events(&options, false);
    tokio::spawn(async move {
        let say = |text: String| {
            let _ = sink.send(Piece::Message(text));
        };
        tokio::select! {
            () = perform::notices(&shared, &options, &message, &say, level.as_deref()) => say(answer(&shared, &options, &message).response(id(&message))),
            () = sink.closed() => {}
        }
    });
    event_stream(body)
}

/// Checks the envelope. The error is boxed because it is large and rare.
fn check(options: &Options, headers: &HeaderMap, message: &Value) -> Result<(), Box<Response>> {
    let refuse = |code: i64, text: &str, data: Option<Value>| {
        let mut body = json!({"jsonrpc": "2.0", "error": {"code": code, "message": text}});
        if let (Some(data), Some(error)) = (data, body.get_mut("error")) {
            crate::simulator::data::put(error, "data", data);
        }
        if let Some(id) = message.get("id") {
            crate::simulator::data::put(&mut body, "id", id.clone());
        }
        Err(Box::new((StatusCode::BAD_REQUEST, axum::Json(body)).into_response()))
    };
    let supported =
        |asked: &str| Some(json!({"supported": supported(options), "requested": asked}));
    if !message.is_object()
        || message.get("jsonrpc").and_then(Value::as_str) != Some("2.0")
        || message.get("method").is_none()
    {
        return refuse(-32600, "Invalid Request", None);
    }
    let version = meta(message, META_VERSION).and_then(Value::as_str);
    let Some(version) =
        version.filter(|_| meta(message, META_CAPABILITIES).is_some_and(Value::is_object))
    else {
        if method(message) == "initialize" {
            return refuse(
                -32022,
                "Unsupported protocol version",
                supported(
                    message
                        .pointer("/params/protocolVersion")
                        .and_then(Value::as_str)
                        .unwrap_or_default(),
                ),
            );
        }
        return refuse(
            -32602,
            "Invalid params: _meta must hold protocolVersion and clientCapabilities",
            None,
        );
    };
    if let Some(name) = mismatch(options, headers, message, version) {
        return refuse(-32020, &format!("Header mismatch: {name}"), None);
    }
    if version != REVISION {
        return refuse(-32022, "Unsupported protocol version", supported(version));
    }
    Ok(())
}

/// Versions named by `server/discover` and by errors.
fn supported(options: &Options) -> Vec<&str> {
    let legacy = if options.speak == Speak::Dual { options.revisions.as_slice() } else { &[] };
    [REVISION].into_iter().chain(legacy.iter().map(String::as_str)).collect()
}

/// The name of a header that does not repeat what the body says.
fn mismatch(
    options: &Options,
    headers: &HeaderMap,
    message: &Value,
    version: &str,
) -> Option<String> {
    let name = match method(message) {
        "tools/call" | "prompts/get" => message.pointer("/params/name").and_then(Value::as_str),
        "resources/read" => message.pointer("/params/uri").and_then(Value::as_str),
        "tasks/get" | "tasks/update" | "tasks/cancel" => {
            message.pointer("/params/taskId").and_then(Value::as_str)
        }
        _ => None,
    };
    let mut wanted = vec![
        ("mcp-protocol-version".to_owned(), Some(version.to_owned())),
        ("mcp-method".to_owned(), Some(method(message).to_owned())),
    ];
    if let Some(name) = name {
        wanted.push(("mcp-name".to_owned(), Some(name.to_owned())));
    }
    if options.mirror_header && method(message) == "tools/call" {
        wanted.extend(mirrors(options, message));
    }
    wanted
        .into_iter()
        .find(|(header, value)| given(headers, header) != *value)
        .map(|(header, _)| header)
}

/// Headers that the tool's schema asks for, with the value that they must have.
fn mirrors(options: &Options, message: &Value) -> Vec<(String, Option<String>)> {
    let tool = message
        .pointer("/params/name")
        .and_then(Value::as_str)
        .and_then(|name| definitions::find(options, name));
    let properties = tool
        .as_ref()
        .and_then(|tool| tool.pointer("/inputSchema/properties"))
        .and_then(Value::as_object);
    let marked = properties
        .into_iter()
        .flatten()
        .filter_map(|(name, schema)| Some((name, schema.get("x-mcp-header")?.as_str()?)));
    marked
        .map(|(name, header)| {
            let argument = message
                .pointer("/params/arguments")
                .and_then(|arguments| arguments.get(name))
                .filter(|value| !value.is_null());
            let value = argument
                .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
            (format!("mcp-param-{}", header.to_lowercase()), value)
        })
        .collect()
}

/// A header as text, the marked base64 form decoded; several values are never equal to anything.
fn given(headers: &HeaderMap, name: &str) -> Option<String> {
    let mut all = headers.get_all(name).iter();
    let one = all.next()?.to_str().ok()?.trim();
    if all.next().is_some() {
        return Some("\u{0}".to_owned());
    }
    match one.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?=")) {
        Some(coded) => STANDARD
            .decode(coded)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .or(Some("\u{0}".to_owned())),
        None => Some(one.to_owned()),
    }
}

fn answer(shared: &Shared, options: &Arc<Options>, message: &Value) -> Outcome {
    let params = message.get("params");
    match method(message) {
        "server/discover" => {
            let mut capabilities = calls::capabilities(options);
            if options.tasks.is_some() {
                crate::simulator::data::put(
                    &mut capabilities,
                    "extensions",
                    json!({"io.modelcontextprotocol/tasks": {}}),
                );
            }
            let result = json!({"supportedVersions": supported(options), "capabilities": capabilities, "_meta": {SERVER_INFO: calls::server_info()}});
            Outcome::result(&result).with_members(&calls::cache_members(options))
        }
        "tools/list" => calls::list(options, params).with_members(&calls::cache_members(options)),
        "tools/call" => call(shared, options, message),
        "tasks/get" | "tasks/update" | "tasks/cancel" if options.tasks.is_some() => {
            shared.tasks.answer(
                method(message),
                params,
                declares(message, "/extensions/io.modelcontextprotocol~1tasks"),
            )
        }
        _ => Outcome::error(-32601, "Method not found"),
    }
}

fn call(shared: &Shared, options: &Arc<Options>, message: &Value) -> Outcome {
    let params = message.get("params");
    let asked = question(options, message);
    let (declared, kind) = match asked {
        Question::Elicitation => (declares(message, "/elicitation"), "elicitation"),
        Question::ElicitationUrl => (declares(message, "/elicitation/url"), "elicitation"),
        Question::Sampling => (declares(message, "/sampling"), "sampling"),
        Question::Roots => (declares(message, "/roots"), "roots"),
        Question::Ping | Question::None => (false, ""),
    };
    if declared {
        let state = state_of(params);
        let given = params.and_then(|params| params.get("requestState"));
        if given.is_some_and(|given| given.as_str() != Some(state.as_str())) {
            return Outcome::error(-32602, "Invalid params: requestState was altered");
        }
        match params
            .and_then(|params| params.get("inputResponses"))
            .and_then(|all| all.get(kind))
            .filter(|_| given.is_some())
        {
            Some(response) => {
                return complete(
                    shared
                        .workplace
                        .call(options, params)
                        .with_text(&format!("{kind} was answered: {response}")),
                );
            }
            None => {
                let (method, params) = perform::asking(asked, &shared.url, options);
                return Outcome::result(
                    &json!({"resultType": "input_required", "inputRequests": {kind: {"method": method, "params": params}}, "requestState": state}),
                );
            }
        }
    }
    let outcome = complete(shared.workplace.call(options, params));
    match (&outcome, options.tasks) {
        (Outcome::Result(result), Some(polls))
            if declares(message, "/extensions/io.modelcontextprotocol~1tasks") =>
        {
            shared.tasks.create(shared.hex(32), polls, Arc::clone(result))
        }
        _ => outcome,
    }
}

/// A state that changes when the call does.
fn state_of(params: Option<&Value>) -> String {
    let named = |name: &str| {
        params.and_then(|params| params.get(name)).map(ToString::to_string).unwrap_or_default()
    };
    STANDARD.encode(Sha256::digest(format!("{}\n{}", named("name"), named("arguments"))))
}

/// A result that says of itself what it is (`results`) is left as it is.
fn complete(outcome: Outcome) -> Outcome {
    if matches!(&outcome, Outcome::Result(result) if result.contains(r#""resultType""#)) {
        return outcome;
    }
    outcome.with_members(r#""resultType":"complete""#)
}

fn declares(message: &Value, pointer: &str) -> bool {
    meta(message, META_CAPABILITIES)
        .and_then(|all| all.pointer(pointer))
        .is_some_and(Value::is_object)
}

fn meta<'a>(message: &'a Value, key: &str) -> Option<&'a Value> {
    message.get("params")?.get("_meta")?.get(key)
}

/// Open `subscriptions/listen` streams.
#[derive(Debug, Default)]
pub(super) struct Listeners(Mutex<Vec<Listener>>);

#[derive(Debug)]
struct Listener {
    id: Value,
    tools: bool,
    sink: Sink,
}

impl Listeners {
    pub(super) fn notify(&self, method: &str, params: &Value) -> usize {
        let mut listeners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.retain(|listener| !listener.sink.is_closed());
        let meant = listeners
            .iter()
            .filter(|listener| listener.tools && method == "notifications/tools/list_changed");
        meant
            .filter(|listener| {
                listener.sink.send(Piece::Message(listener.notice(method, params))).is_ok()
            })
            .count()
    }

    /// Ends every stream with its result.
    pub(super) fn clear(&self) {
        for listener in self.0.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let end = Outcome::result(
                &json!({"resultType": "complete", "_meta": {SUBSCRIPTION: listener.id}}),
            );
            let _ = listener.sink.send(Piece::Message(end.response(&listener.id)));
        }
    }
}

impl Listener {
    fn notice(&self, method: &str, params: &Value) -> String {
        let mut params = if params.is_object() { params.clone() } else { json!({}) };
        crate::simulator::data::put(&mut params, "_meta", json!({SUBSCRIPTION: self.id}));
        json!({"jsonrpc": "2.0", "method": method, "params": params}).to_string()
    }
}

fn listen(shared: &Shared, options: &Options, message: &Value) -> Response {
    let tools =
        message.pointer("/params/notifications/toolsListChanged") == Some(&Value::Bool(true));
    let (sink, body) = flow::events(options, false);
    let listener = Listener { id: id(message).clone(), tools, sink };
    let honoured = if tools { json!({"toolsListChanged": true}) } else { json!({}) };
    let first = listener
        .notice("notifications/subscriptions/acknowledged", &json!({"notifications": honoured}));
    let _ = listener.sink.send(Piece::Message(first));
    shared.listeners.0.lock().unwrap_or_else(PoisonError::into_inner).push(listener);
    event_stream(body)
}
