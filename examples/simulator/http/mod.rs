//! The doors: one listener, the state behind it, and what all doors have in common.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use axum::Router;
use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::calls::Workplace;
use super::limits::{Standing, Windows};
use super::options::{Credential, Options, RegionMatch, Transport, Trouble};
use super::received::Log;
use super::rng::Rng;
use super::tools::error_list;

mod connection;
mod control;
mod flow;
mod form;
mod modern;
mod oauth;
mod perform;
mod session;
mod sse;
mod streamable;
mod tasks;

/// Largest body accepted, in bytes.
const MAX_BODY: usize = 4 << 20;

/// Names both regions, as a sibling API is reported to do.
const WRONG_REGION: &str = "This token belongs to a workspace in another region: \
    use mcp.eu.intercom.com instead of mcp.intercom.com";

/// A response that ends a request early; boxed, because it is large and rare.
type Refusal = Box<Response>;

/// Everything behind the listener.
#[derive(Debug)]
pub(super) struct Shared {
    /// Scheme and authority, without a slash at the end.
    url: String,
    options: RwLock<Arc<Options>>,
    pub(super) received: Log,
    workplace: Workplace,
    sessions: session::Sessions,
    listeners: modern::Listeners,
    tasks: tasks::Tasks,
    grants: oauth::Grants,
    windows: Windows,
    rng: Mutex<Rng>,
    /// Messages so far that matched the trouble switches.
    matched: AtomicU64,
}

impl Shared {
    pub(super) fn new(url: String, options: Options) -> Shared {
        let rng = Rng::new(options.seed, 0x0def);
        let options = Arc::new(options);
        Shared {
            url,
            workplace: Workplace::new(Arc::clone(&options)),
            options: RwLock::new(options),
            received: Log::default(),
            sessions: session::Sessions::default(),
            listeners: modern::Listeners::default(),
            tasks: tasks::Tasks::default(),
            grants: oauth::Grants::default(),
            windows: Windows::default(),
            rng: Mutex::new(rng),
            matched: AtomicU64::new(0),
        }
    }

    pub(super) fn options(&self) -> Arc<Options> {
        Arc::clone(&self.options.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn set(&self, change: impl FnOnce(&mut Options)) {
        let mut current = self.options.write().unwrap_or_else(PoisonError::into_inner);
        let mut next = Options::clone(&current);
        change(&mut next);
        *current = Arc::new(next);
        self.matched.store(0, Ordering::Relaxed);
    }

    pub(super) fn notify(&self, method: &str, params: &Value) -> usize {
        self.sessions.notify(method, params) + self.listeners.notify(method, params)
    }

    pub(super) fn forget_sessions(&self) {
        self.sessions.clear();
        self.listeners.clear();
    }

    fn hex(&self, digits: usize) -> String {
        self.rng.lock().unwrap_or_else(PoisonError::into_inner).hex(digits)
    }

    fn below(&self, bound: u64) -> u64 {
        self.rng.lock().unwrap_or_else(PoisonError::into_inner).below(bound)
    }

    /// The trouble that a message meets. Counts it if it matches.
    fn trouble(&self, options: &Options, message: &Value) -> Trouble {
        let method = message.get("method").and_then(Value::as_str).unwrap_or_default();
        let tool = message.pointer("/params/name").and_then(Value::as_str);
        let meant = options.trouble_method == method
            || (options.trouble_method == "*"
                && method != "initialize"
                && message.get("id").is_some());
        let meant =
            meant && options.trouble_tool.as_deref().is_none_or(|wanted| tool == Some(wanted));
        if options.trouble == Trouble::None || !meant {
            return Trouble::None;
        }
        let turn = self.matched.fetch_add(1, Ordering::Relaxed);
        let within = turn >= options.trouble_after
            && options.trouble_times.is_none_or(|times| turn - options.trouble_after < times);
        if within { options.trouble } else { Trouble::None }
    }

    /// Checks credential and region; the options are then those of the caller's token.
    fn admit(&self, options: &mut Arc<Options>, headers: &HeaderMap) -> Result<(), Refusal> {
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let Some(token) = given.and_then(|value| {
            value.strip_prefix("Bearer ").or_else(|| value.strip_prefix("bearer "))
        }) else {
            return Err(Box::new(self.challenge(options, "Missing or invalid access token", true)));
        };
        match options.credential {
            Credential::Expired => {
                return Err(Box::new(self.challenge(options, "Access token expired", false)));
            }
            Credential::Revoked => {
                return Err(Box::new(self.challenge(options, "Invalid access token", false)));
            }
            Credential::Good => {}
        }
        let limited = options.other_tokens.iter().find(|other| other.token == token).cloned();
        if let Some(limited) = limited {
            Arc::make_mut(options).missing_permissions = limited.missing;
        } else if token != options.token {
            self.grants
                .check(token)
                .map_err(|why| Box::new(self.challenge(options, why, false)))?;
        }
        if options.region_match == RegionMatch::Wrong {
            let body = json!({"error": "forbidden", "error_description": WRONG_REGION});
            return Err(Box::new((StatusCode::FORBIDDEN, axum::Json(body)).into_response()));
        }
        Ok(())
    }

    fn challenge(&self, options: &Options, why: &str, described: bool) -> Response {
        let description =
            if described { format!(", error_description=\"{why}\"") } else { String::new() };
        let pointer = if options.resource_metadata {
            format!(", resource_metadata=\"{}/.well-known/oauth-protected-resource/mcp\"", self.url)
        } else {
            String::new()
        };
        let value =
            format!("Bearer realm=\"OAuth\", error=\"invalid_token\"{description}{pointer}");
        let mut response = (
            StatusCode::UNAUTHORIZED,
            axum::Json(json!({"error": "invalid_token", "error_description": why})),
        )
            .into_response();
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
        }
        response
    }
}

/// Serves until told to end.
pub(super) async fn serve(
    listener: tokio::net::TcpListener,
    shared: Arc<Shared>,
    ended: oneshot::Receiver<()>,
) {
    let app = Router::new()
        .route("/mcp", post(streamable::post).get(streamable::get).delete(streamable::delete))
        .route("/sse", get(sse::open))
        .route("/sse/message", post(sse::message))
        .route("/.well-known/oauth-authorization-server", get(oauth::metadata))
        .route("/.well-known/oauth-protected-resource", get(oauth::resource))
        .route("/.well-known/oauth-protected-resource/mcp", get(oauth::resource))
        .route("/mcp/{*rest}", axum::routing::any(streamable::below))
        .route("/register", post(oauth::register))
        .route("/authorize", get(oauth::authorize).post(oauth::allow))
        .route("/token", post(oauth::token))
        .route("/_sim/received", get(control::received).delete(control::forget))
        .route("/_sim/options", get(control::options).patch(control::change))
        .route("/_sim/notify", post(control::notify))
        .route("/_sim/sessions", axum::routing::delete(control::forget_sessions))
        .route("/_sim/health", get(control::health))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(shared);
    let service = app.into_make_service_with_connect_info::<connection::Wire>();
    let served =
        axum::serve(connection::Door(listener), service).with_graceful_shutdown(async move {
            let _ = ended.await;
        });
    if let Err(error) = served.await {
        tracing::warn!(%error, "the simulator's listener ended");
    }
}

/// A JSON-RPC error outside of any request.
fn refuse(status: StatusCode, code: i64, message: &str) -> Response {
    (
        status,
        axum::Json(
            json!({"jsonrpc": "2.0", "error": {"code": code, "message": message}, "id": null}),
        ),
    )
        .into_response()
}

/// An answer in Intercom's error envelope.
fn api_error(status: StatusCode, code: &str, message: &str) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], error_list(code, message))
        .into_response()
}

/// The answer of trouble that keeps a message from being handled.
fn instead(trouble: Trouble, options: &Options) -> Option<Response> {
    Some(match trouble {
        Trouble::TooMany => too_many(options, &Standing::invented()),
        Trouble::ServerError => {
            api_error(StatusCode::INTERNAL_SERVER_ERROR, "server_error", "Internal Server Error")
        }
        Trouble::Unavailable => {
            api_error(StatusCode::SERVICE_UNAVAILABLE, "service_unavailable", "Service Unavailable")
        }
        Trouble::Redirect => {
            (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, "https://elsewhere.example/mcp")])
                .into_response()
        }
        _ => return None,
    })
}

/// 429 with the headers that the switch asks for.
fn too_many(options: &Options, standing: &Standing) -> Response {
    let message = format!("Exceeded rate limit of {} in 10_seconds", standing.limit);
    let mut response = api_error(StatusCode::TOO_MANY_REQUESTS, "rate_limit_exceeded", &message);
    standing.write(response.headers_mut(), options.rate_headers);
    response
}

fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn plain(status: StatusCode, text: &'static str) -> Response {
    (status, text).into_response()
}

/// The headers of a stream of events around its body.
fn event_stream(body: Body) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-cache, no-transform"),
    ];
    (headers, body).into_response()
}

fn closed(transport: Transport, door: Transport) -> bool {
    match door {
        Transport::Sse => transport == Transport::Stateless,
        _ => transport == Transport::Sse,
    }
}
