//! Legacy clients: `initialize`, sessions, batches, notifications, answers, streams.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Response, StatusCode};

use super::Proxy;
use super::body::ReplyBody;
use super::core_tasks;
use super::door::{Refusal, one};
use super::handler::{Ask, Caller, no_method};
use super::modern::{capabilities, server_info};
use super::outbox::Outbox;
use super::reply::{self as http_reply, events, whole};
use super::session::{Listening, NewSession, Session};
use super::slots::Use;
use super::told::session_call;
use super::trouble::Trouble;
use crate::domain::{Era, JsonText, Revision};
use crate::identity::Authenticated;
use crate::mcp::era::{Capabilities, META_PROGRESS, client_hint};
use crate::mcp::headers::SESSION_ID;
use crate::mcp::json::{self, Object};
use crate::mcp::message::{Incoming, Message, MessageError, Request, RequestId};
use crate::mcp::methods::{self, Form, Sender};
use crate::mcp::reply::{self, INVALID_PARAMS, INVALID_REQUEST};

impl Proxy {
    /// One legacy POST.
    pub(super) async fn legacy_post(
        self: &Arc<Self>,
        auth: Authenticated,
        session: Option<&[u8]>,
        version: Option<Revision>,
        incoming: Incoming,
    ) -> Response<ReplyBody> {
        if let Incoming::One(Message::Request(request)) = &incoming
            && request.method == "initialize"
        {
            if session.is_some() {
                let text = "`initialize` opens a session and cannot come within one";
                return refused(&request.id, INVALID_REQUEST, text);
            }
            return Box::pin(self.initialize(&auth, request)).await;
        }
        let session = match self.session(&auth, session, version) {
            Ok(session) => session,
            Err(refusal) => return refusal.into_response(),
        };
        match incoming {
            Incoming::One(Message::Request(request)) => self.request(auth, session, request).await,
            Incoming::One(Message::Notification(note)) => {
                Box::pin(self.client_note(&session, note)).await;
                accepted()
            }
            Incoming::One(Message::Response(answer)) => {
                match Box::pin(self.client_answer(&session, answer)).await {
                    Ok(()) => accepted(),
                    Err(refusal) => refusal.into_response(),
                }
            }
            Incoming::Batch(messages) => Box::pin(self.batch(auth, session, messages)).await,
        }
    }

    /// A legacy GET: the general stream, or one that was lost.
    pub(super) async fn legacy_get(
        self: &Arc<Self>,
        auth: &Authenticated,
        session: Option<&[u8]>,
        headers: &HeaderMap,
    ) -> Response<ReplyBody> {
        let session = match self.session(auth, session, None) {
            Ok(session) => session,
            Err(refusal) => return refusal.into_response(),
        };
        let last_event = match one(headers, &http::HeaderName::from_static("last-event-id")) {
            Ok(value) => value.and_then(|value| value.to_str().ok()),
            Err(refusal) => return refusal.into_response(),
        };
        let Some(Listening { receiver, start, owed }) = session.listen(last_event) else {
            let text = "no stream can be resumed from this event";
            return Refusal::new(StatusCode::BAD_REQUEST, "session.event", text).into_response();
        };
        if start {
            tokio::spawn(self.clone().general_stream(session));
        }
        if let Some(hold) = owed {
            self.taken(hold).await;
        }
        events(receiver)
    }

    /// A legacy DELETE: the session ends.
    pub(super) fn legacy_delete(
        self: &Arc<Self>,
        auth: &Authenticated,
        session: Option<&[u8]>,
    ) -> Response<ReplyBody> {
        let session = match self.session(auth, session, None) {
            Ok(session) => session,
            Err(refusal) => return refusal.into_response(),
        };
        self.sessions.remove(&session);
        self.close(session);
        let mut response = Response::new(ReplyBody::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        response
    }

    /// The session that a message belongs to.
    fn session(
        &self,
        auth: &Authenticated,
        id: Option<&[u8]>,
        version: Option<Revision>,
    ) -> Result<Arc<Session>, Refusal> {
        let id = id.ok_or_else(|| {
            let text = "`Mcp-Session-Id` is missing; send `initialize` first";
            Refusal::new(StatusCode::BAD_REQUEST, "session.missing", text)
        })?;
        let session = self.sessions.find(id, &auth.credential).ok_or_else(|| {
            let text = "there is no such session; send `initialize` to open a new one";
            Refusal::new(StatusCode::NOT_FOUND, "session.unknown", text)
        })?;
        if version.is_some_and(|version| version != session.revision) {
            let text = format!(
                "`MCP-Protocol-Version` is not the session's, which is {}",
                session.revision
            );
            return Err(Refusal::new(StatusCode::BAD_REQUEST, "session.version", text));
        }
        Ok(session)
    }

    /// `initialize`: opens a leg to Intercom and a session here. The answer is ours.
    async fn initialize(
        self: &Arc<Self>,
        auth: &Authenticated,
        request: &Request,
    ) -> Response<ReplyBody> {
        let params = &request.params;
        let Some(asked) = params.str("protocolVersion") else {
            let text = "`params.protocolVersion` is missing";
            return refused(&request.id, INVALID_PARAMS, text);
        };
        let Some(declared) = Capabilities::of(params.get("capabilities")) else {
            let text = "`params.capabilities` must be an object";
            return refused(&request.id, INVALID_PARAMS, text);
        };
        let Some(client) = params.get("clientInfo").and_then(client_hint) else {
            let text = "`params.clientInfo` must be an object";
            return refused(&request.id, INVALID_PARAMS, text);
        };
        let revision = Revision::parse(&asked)
            .filter(|revision| revision.era() == Era::Legacy)
            .unwrap_or(Revision::NEWEST_LEGACY);
        let declared = declared.cut(&[]);
        let Some(_slot) = self.slots.take(&auth.principal, Use::Call) else {
            return self.not_initialized(request, Trouble::Busy).await;
        };
        let opened = self
            .upstream
            .open_leg(&auth.principal, &client, revision, declared.to_text(), auth.token.clone())
            .await;
        let leg = match opened {
            Ok(leg) => leg,
            Err(fault) => return self.not_initialized(request, fault.into()).await,
        };
        let client = client.at(auth.address);
        let new = NewSession { revision, client, capabilities: declared, leg };
        let (session, evicted) = match self.sessions.open(auth, new) {
            Ok(opened) => opened,
            Err(error) => {
                tracing::error!(%error, "no session id");
                return refused(&request.id, reply::INTERNAL_ERROR, "no session can be opened");
            }
        };
        if let Some(evicted) = evicted {
            self.close(evicted);
        }
        let result = self.initialized(&session).await;
        let mut response = whole(StatusCode::OK, reply::result(&request.id, &result).into());
        if let Ok(id) = HeaderValue::from_str(&session.id) {
            response.headers_mut().insert(SESSION_ID, id);
        }
        response
    }

    async fn not_initialized(&self, request: &Request, trouble: Trouble) -> Response<ReplyBody> {
        let Some(method) =
            methods::find(Sender::Client, Form::Request, "initialize", Revision::NEWEST_LEGACY)
        else {
            return refused(&request.id, reply::METHOD_NOT_FOUND, "`initialize` is not served");
        };
        let ask = Ask {
            id: request.id.clone(),
            method,
            params: Object::default(),
            progress: None,
            revision: Revision::NEWEST_LEGACY,
            param_headers: Vec::new(),
            as_task: false,
        };
        let (outbox, out) = Outbox::new();
        trouble.tell(&outbox, &ask).await;
        drop(outbox);
        http_reply::to_request(out, &request.id, None).await
    }

    async fn initialized(&self, session: &Arc<Session>) -> JsonText {
        let offer = session.leg.offer();
        let mut offered = capabilities(&offer, Era::Legacy);
        if session.leg.era() == Era::Modern {
            // The modern era has neither log levels per session nor per-resource subscriptions.
            offered.remove("logging");
            if let Some(mut resources) = offered.object("resources") {
                resources.remove("subscribe");
                offered.set("resources", resources.to_text());
            }
        }
        if let Some(tasks) = core_tasks::offered(session.revision) {
            offered.set("tasks", tasks);
        }
        let mut result = Object::default();
        result.set("protocolVersion", json::quote(session.revision.as_str()));
        result.set("capabilities", offered.to_text());
        result.set("serverInfo", server_info());
        let call = session_call(session, "initialize");
        if let Some(words) = self.instructions(&call, &offer).await {
            result.set("instructions", json::quote(&words));
        }
        result.to_text()
    }

    /// One request of a session. It runs in a task of its own, because in this era a client that
    /// leaves has not cancelled.
    async fn request(
        self: &Arc<Self>,
        auth: Authenticated,
        session: Arc<Session>,
        request: Request,
    ) -> Response<ReplyBody> {
        let id = request.id.clone();
        let (outbox, out) = Outbox::new();
        if let Err(error) = self.begin(auth, &session, request, outbox) {
            self.note_refusal(&session.principal, &error);
            let status = StatusCode::from_u16(reply::status(error.code, Era::Legacy));
            return whole(status.unwrap_or(StatusCode::BAD_REQUEST), error.write().into());
        }
        http_reply::to_request(out, &id, Some(&session)).await
    }

    fn begin(
        self: &Arc<Self>,
        auth: Authenticated,
        session: &Arc<Session>,
        request: Request,
        outbox: Outbox,
    ) -> Result<(), MessageError> {
        let id = request.id.clone();
        let method =
            methods::find(Sender::Client, Form::Request, &request.method, session.revision)
                .filter(|method| method.name != "initialize")
                .ok_or_else(|| {
                    let name: String = request.method.chars().take(60).collect();
                    no_method(&name).answering(Some(&id))
                })?;
        if !session.begin(&id) {
            let text = "this request id is already in use; use a new one for each request";
            return Err(MessageError::new(INVALID_REQUEST, "id_in_use", text).answering(Some(&id)));
        }
        let ask = Ask {
            id: id.clone(),
            method,
            params: request.params,
            progress: request.meta.get(META_PROGRESS).and_then(RequestId::read),
            revision: session.revision,
            param_headers: Vec::new(),
            as_task: false,
        };
        let caller = Caller {
            principal: auth.principal,
            credential: auth.credential,
            token: auth.token,
            revision: session.revision,
            client: session.client.clone().at(auth.address),
            capabilities: session.capabilities.clone(),
            log_level: None,
            session: Some(session.clone()),
        };
        let proxy = self.clone();
        let under_way = UnderWay(session.clone(), id);
        tokio::spawn(async move {
            let _ends_with_the_task = under_way;
            proxy.handle(&caller, ask, outbox).await;
        });
        Ok(())
    }

    /// A batch (2025-03-26): each message gets its own decision, all answers come on one stream.
    async fn batch(
        self: &Arc<Self>,
        auth: Authenticated,
        session: Arc<Session>,
        messages: Vec<Message>,
    ) -> Response<ReplyBody> {
        if session.revision != Revision::V2025_03_26 {
            let text = "batches exist in revision 2025-03-26 only";
            return Refusal::new(StatusCode::BAD_REQUEST, "batch", text).into_response();
        }
        let (outbox, out) = Outbox::new();
        let mut requests = Vec::new();
        let mut faults = Vec::new();
        for message in messages {
            match message {
                Message::Request(request) => {
                    requests.push(request.id.clone());
                    if let Err(error) = self.begin(auth.clone(), &session, request, outbox.clone())
                    {
                        self.note_refusal(&session.principal, &error);
                        faults.push(error);
                    }
                }
                Message::Notification(note) => self.client_note(&session, note).await,
                Message::Response(answer) => {
                    if let Err(refusal) = self.client_answer(&session, answer).await {
                        self.gate.refused(&session.principal, refusal.code, &refusal.text);
                    }
                }
            }
        }
        if requests.is_empty() {
            return accepted();
        }
        tokio::spawn(async move {
            for error in faults {
                if let Some(id) = &error.id {
                    let data = error.data.as_ref();
                    outbox.error(StatusCode::OK, id, error.code, &error.text, data).await;
                }
            }
        });
        http_reply::to_batch(out, &session, &requests)
    }
}

/// Ends a request's entry in its session, however its task ends.
struct UnderWay(Arc<Session>, RequestId);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.finish(&self.1);
    }
}

fn accepted() -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::empty());
    *response.status_mut() = StatusCode::ACCEPTED;
    response
}

fn refused(id: &RequestId, code: i64, text: &str) -> Response<ReplyBody> {
    let status = StatusCode::from_u16(reply::status(code, Era::Legacy));
    let body = reply::error(Some(id), code, text, None);
    whole(status.unwrap_or(StatusCode::BAD_REQUEST), body.into())
}
