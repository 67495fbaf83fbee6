//! The agents' side: Streamable HTTP of both eras on one endpoint, one handler behind it.
//!
//! A request passes the door (`door`), is identified, read strictly (`mcp`), and handed to the one
//! handler as a caller and an ask; what comes back goes into an outbox, and `reply` makes an HTTP
//! answer of it. Other doors (legacy SSE, stdio) would end at the same handler.

mod adapt;
mod body;
mod carry;
mod core_tasks;
mod door;
mod general;
mod handler;
mod held;
mod legacy;
mod modern;
mod notes;
mod outbox;
mod own;
mod relay;
mod reply;
mod rounds;
mod session;
mod shown;
mod slots;
mod streams;
mod tasks;
mod told;
mod tools;
mod trouble;
mod words;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::WWW_AUTHENTICATE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use tokio::sync::watch;

use crate::clock;
use crate::config::{Config, Holds};
use crate::domain::{Era, Revision};
use crate::gate::Gate;
use crate::identity::{Authenticated, Identity, Unauthenticated};
use crate::intercom::Pins;
use crate::listen::Peer;
use crate::mcp::era::{self, Post};
use crate::mcp::headers::Mirrored;
use crate::mcp::json::Limits;
use crate::mcp::message::{Incoming as Rpcs, MessageError, Request as Rpc, read_message};
use crate::mcp::methods::Method as McpMethod;
use crate::mcp::reply as rpc;
use crate::upstream::{Leg, Upstream};

pub use body::ReplyBody;
pub use door::PATH;

use door::{Names, Refusal};
use handler::{Ask, Caller};
use outbox::Outbox;
use session::{Session, Sessions};
use slots::Slots;

/// The revisions that are served.
pub(crate) const SERVED: [Revision; 4] = Revision::ALL;

/// The agents' side.
pub struct Proxy {
    gate: Arc<Gate>,
    upstream: Arc<Upstream>,
    pins: Arc<Pins>,
    identity: Arc<Identity>,
    sessions: Sessions,
    names: Names,
    slots: Arc<Slots>,
    settings: Settings,
    drain: watch::Receiver<bool>,
}

/// What of the configuration concerns the agents' side.
struct Settings {
    body_limit: usize,
    body_timeout: Duration,
    holds: Holds,
    /// Where browsers find the approvers' page, if the configuration names a public address.
    page: Option<String>,
}

/// A modern request, what its `_meta` says, and its row of the table.
type ModernRequest = (Rpc, era::ModernMeta, &'static McpMethod);

/// What a POST is, once it was read.
enum Posted {
    /// A modern request, and its `Mcp-Param-*` headers.
    Modern(Box<ModernRequest>, Vec<(String, Vec<u8>)>),
    /// Legacy messages.
    Legacy { incoming: Rpcs, version: Option<Revision>, session: Option<Vec<u8>> },
    /// Nothing that needs more than this answer.
    Answered(Response<ReplyBody>),
}

/// The rooms that the agents' side stands on.
pub struct Rooms {
    /// The one road.
    pub gate: Arc<Gate>,
    /// Intercom.
    pub upstream: Arc<Upstream>,
    /// The pinned tools.
    pub pins: Arc<Pins>,
    /// Who may call.
    pub identity: Arc<Identity>,
}

impl Proxy {
    /// Builds the agents' side for a listener at `address`; `drain` turns true when the process is
    /// to end.
    #[must_use]
    pub fn new(
        config: &Config,
        address: SocketAddr,
        rooms: Rooms,
        drain: watch::Receiver<bool>,
    ) -> Self {
        let Rooms { gate, upstream, pins, identity } = rooms;
        let limits = &config.limits;
        Self {
            gate,
            upstream,
            pins,
            identity,
            sessions: Sessions::new(limits.sessions_per_principal),
            names: Names::new(
                address.port(),
                address.ip().is_loopback(),
                &config.allowed_hosts,
                &config.allowed_origins,
            ),
            slots: Slots::new(limits.calls_in_flight),
            settings: Settings {
                body_limit: limits.body,
                body_timeout: limits.body_timeout,
                holds: config.holds.clone(),
                page: config.console.as_ref().and_then(|console| console.url.clone()),
            },
            drain,
        }
    }

    /// Answers one HTTP request.
    pub async fn serve(self: Arc<Self>, request: Request<Incoming>) -> Response<ReplyBody> {
        match self.route(request).await {
            Ok(response) => response,
            Err(refusal) => {
                tracing::debug!(code = refusal.code, status = %refusal.status, "refused at the door");
                refusal.into_response()
            }
        }
    }

    /// Resolves when no request is worked on: a legacy client may have left while its call is still
    /// being sent, so the end of all connections is not the end of all calls.
    pub async fn ended(&self) {
        self.slots.emptied().await;
    }

    /// Forgets sessions that nobody uses, and what is kept for too long. Called from time to time.
    pub fn sweep(&self) {
        for session in self.sessions.sweep() {
            self.close(session);
        }
    }

    /// Closes the leg of a session that is over.
    fn close(&self, session: Arc<Session>) {
        let upstream = self.upstream.clone();
        tokio::spawn(async move { upstream.close_leg(&session.leg).await });
    }

    async fn route(
        self: &Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<ReplyBody>, Refusal> {
        door::check_head(&request)?;
        self.names.check(&request)?;
        door::check_target(&request)?;
        let authorization = door::authorization(request.headers())?;
        let auth = match self.identity.authenticate(authorization, clock::now()) {
            Ok(auth) => auth,
            Err(unauthenticated) => return Ok(unauthorized(&unauthenticated)),
        };
        let (identity, credential) = (self.identity.clone(), auth.credential);
        let address = request.extensions().get::<Peer>().map(|peer| peer.0.ip());
        let response = self.by_method(Authenticated { address, ..auth }, request).await?;
        // A stream must not outlive the key that opened it.
        Ok(response.map(|body| body.while_it(move || identity.is_good(&credential, clock::now()))))
    }

    /// Answers a request of somebody who is known.
    async fn by_method(
        self: &Arc<Self>,
        auth: Authenticated,
        request: Request<Incoming>,
    ) -> Result<Response<ReplyBody>, Refusal> {
        let session = http::HeaderName::from_static(crate::mcp::headers::SESSION_ID);
        match *request.method() {
            Method::POST => self.post(auth, request).await,
            Method::GET => {
                let session = door::one(request.headers(), &session)?.map(HeaderValue::as_bytes);
                if session.is_none() {
                    return Err(no_stream());
                }
                door::check_get(request.headers())?;
                Ok(self.legacy_get(&auth, session, request.headers()).await)
            }
            _ => {
                let session = door::one(request.headers(), &session)?.map(HeaderValue::as_bytes);
                if session.is_none() {
                    return Err(no_stream());
                }
                Ok(self.legacy_delete(&auth, session))
            }
        }
    }

    async fn post(
        self: &Arc<Self>,
        auth: Authenticated,
        request: Request<Incoming>,
    ) -> Result<Response<ReplyBody>, Refusal> {
        match Box::pin(self.read_post(&auth, request)).await? {
            Posted::Modern(request, params) => {
                Ok(Box::pin(self.modern_post(auth, *request, params)).await)
            }
            Posted::Legacy { incoming, version, session } => {
                Ok(Box::pin(self.legacy_post(auth, session.as_deref(), version, incoming)).await)
            }
            Posted::Answered(response) => Ok(response),
        }
    }

    /// Reads a POST. Its head is gone when this returns: a call may wait for long, and each value of a header
    /// keeps what the connection read with it.
    async fn read_post(
        &self,
        auth: &Authenticated,
        request: Request<Incoming>,
    ) -> Result<Posted, Refusal> {
        door::check_post(&request)?;
        let (head, body) = request.into_parts();
        let body = door::body(body, self.settings.body_limit, self.settings.body_timeout).await?;
        let limits =
            Limits { max_bytes: self.settings.body_limit, nul: false, ..Limits::default() };
        let names = head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        let mirrored = Mirrored::collect(names);
        let unreadable = |era, error| Ok(Posted::Answered(self.unreadable(auth, era, &error)));
        let incoming = match read_message(body, &limits) {
            Ok(incoming) => incoming,
            Err(error) => return unreadable(Era::Legacy, error),
        };
        match era::decide(&mirrored, incoming, &SERVED) {
            Ok(Post::Modern { request, meta, method }) => {
                let params = mirrored
                    .params
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), value.to_vec()))
                    .collect();
                Ok(Posted::Modern(Box::new((request, meta, method)), params))
            }
            Ok(Post::ModernNotification(_)) => {
                // The core defines none over HTTP, so nothing is passed on.
                let text = "a notification was dropped: this revision has none from clients";
                self.gate.refused(&auth.principal, "notification.unknown", text);
                let mut response = Response::new(ReplyBody::empty());
                *response.status_mut() = StatusCode::ACCEPTED;
                Ok(Posted::Answered(response))
            }
            Ok(Post::Legacy { incoming, version }) => {
                let session = mirrored.session.map(<[u8]>::to_vec);
                Ok(Posted::Legacy { incoming, version, session })
            }
            Err((era, error)) => unreadable(era, error),
        }
    }

    async fn modern_post(
        self: &Arc<Self>,
        auth: Authenticated,
        (request, meta, method): ModernRequest,
        param_headers: Vec<(String, Vec<u8>)>,
    ) -> Response<ReplyBody> {
        let id = request.id.clone();
        let ask = Ask {
            id: id.clone(),
            method,
            params: request.params,
            progress: meta.progress_token,
            revision: meta.revision,
            param_headers,
            as_task: false,
        };
        let caller = Caller {
            principal: auth.principal,
            credential: auth.credential,
            token: auth.token,
            revision: meta.revision,
            client: meta.client.at(auth.address),
            capabilities: meta.capabilities,
            log_level: meta.log_level,
            session: None,
        };
        let (outbox, out) = Outbox::new();
        let proxy = self.clone();
        tokio::spawn(async move { proxy.handle(&caller, ask, outbox).await });
        reply::to_request(out, &id, None).await
    }

    /// Answers a message that cannot be read, and notes it.
    fn unreadable(
        &self,
        auth: &Authenticated,
        era: Era,
        error: &MessageError,
    ) -> Response<ReplyBody> {
        self.gate.refused(&auth.principal, &format!("parse.{}", error.reason), &error.text);
        let status = StatusCode::from_u16(rpc::status(error.code, era));
        reply::whole(status.unwrap_or(StatusCode::BAD_REQUEST), error.write().into())
    }

    /// Has Intercom's tool list read again, because something on `leg` said that it changed.
    fn tools_changed(self: &Arc<Self>, leg: &Arc<Leg>) {
        let (proxy, leg) = (self.clone(), leg.clone());
        tokio::spawn(async move { proxy.read_tools_again(&leg).await });
    }

    /// Reads Intercom's tool list again: before a client is told of a change, the pins know of it.
    async fn read_tools_again(&self, leg: &Arc<Leg>) {
        if let Err(fault) = self.upstream.refresh_tools(leg).await {
            tracing::warn!(code = fault.code(), %fault, "tool list not read again");
        }
    }

    /// Resolves when the process is to end. Whoever waits for that, waits for a person or for news
    /// and does nothing else, so its slot becomes a waiting one.
    async fn draining(&self) {
        slots::waiting();
        let mut drain = self.drain.clone();
        if drain.wait_for(|drain| *drain).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// GET and DELETE without a session: the modern era has neither.
fn no_stream() -> Refusal {
    let text = "GET and DELETE belong to a session; send `initialize` first, or use POST";
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "http.method", text)
        .with(http::header::ALLOW, HeaderValue::from_static("POST"))
}

fn unauthorized(unauthenticated: &Unauthenticated) -> Response<ReplyBody> {
    let status = StatusCode::from_u16(unauthenticated.status()).unwrap_or(StatusCode::UNAUTHORIZED);
    let mut body = crate::mcp::json::Object::default();
    let error = unauthenticated.error().unwrap_or("invalid_token");
    body.set("error", crate::mcp::json::quote(error));
    let words = unauthenticated.kind.description();
    body.set("error_description", crate::mcp::json::quote(words));
    let mut response = reply::whole(status, body.to_text().bytes().clone().into());
    if status == StatusCode::UNAUTHORIZED
        && let Ok(challenge) = HeaderValue::from_str(&unauthenticated.challenge())
    {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}
