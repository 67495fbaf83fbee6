//! Intercom's side: a client that speaks both eras, and the only way out.
//!
//! [`Upstream::send`] consumes a [`Permit`]; there is no other function that puts an agent's bytes
//! on the wire. Every message is written here from the call that was judged: own request ids, own
//! headers, Portcullis' token. An answer is matched to its request by our id and never by a
//! client's, so answers cannot be misdelivered whatever ids clients choose.
//!
//! A [`BundleServer`] shares the HTTP client and nothing else: it is asked for policies, by us alone.
//!
//! A [`Leg`] is one conversation with Intercom: a session (legacy era) or none (modern era). Each
//! legacy client has its own, so that what Intercom asks reaches the client it is meant for.

mod agent;
mod articles;
mod bundles;
mod eras;
mod exchange;
mod fault;
mod leg;
mod listing;
mod offer;
mod outside;
mod release;
mod target;
mod tls;
mod trial;
mod wire;
mod write;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use arc_swap::ArcSwap;
use http::{HeaderMap, StatusCode};
use tokio::sync::{Mutex, watch};

use crate::clock;
use crate::config::Secret;
use crate::domain::{
    Call, CallId, CallMeta, ClientHint, Digest, Era, Finding, JsonText, OutcomeKind, Principal,
    Revision, Subject,
};
use crate::gate::{Admission, Gate, Holding, Permit, Spent};
use crate::intercom::{PinStatus, Pins};
use crate::mcp::json::{self, Object};
use crate::mcp::message::{Request, RequestId};
use crate::mcp::methods::{self, Form, Sender};
use crate::mcp::reply::METHOD_NOT_FOUND;

pub use agent::Agent;
pub use articles::ArticleSeen;
pub use bundles::{BundleServer, FetchError, Fetched};
pub use exchange::{Answer, Exchange, FromServer, ServerStream};
pub use fault::Fault;
pub use leg::Leg;
pub use listing::Listed;
pub use offer::Offer;
pub use outside::{Outside, OutsideError};
pub use release::{run as run_release, says_error};

use wire::{Wire, WireAnswer, WireBody};

/// The JSON-RPC code by which servers say that a session is over.
const SESSION_NOT_FOUND: i64 = -32001;

/// Intercom's MCP server, as Portcullis reaches it.
pub struct Upstream {
    wire: Wire,
    gate: Arc<Gate>,
    pins: Arc<Pins>,
    token: Option<Secret>,
    forced: Option<Era>,
    next_id: AtomicI64,
    /// The era in which a shared leg was opened last.
    era: std::sync::Mutex<Option<Era>>,
    /// Whether Intercom refused the `initialize` of a legacy client and speaks only the modern era.
    modern_only: AtomicBool,
    /// The legs that clients without a session share: by credential in pass-through mode, else one.
    shared: std::sync::Mutex<leg::SharedLegs>,
    /// Digest of the last tool list that was compared with the pins.
    listed: Mutex<Option<Digest>>,
    /// The order of the tools in that list.
    order: ArcSwap<Vec<String>>,
    /// How often the tool list changed.
    changes: watch::Sender<u64>,
    releases: release::Releases,
    /// Who Portcullis is when it calls for itself.
    own: Arc<Principal>,
}

impl Upstream {
    /// Prepares the client; nothing is sent yet.
    ///
    /// # Errors
    /// If the operator's root certificates cannot be read.
    pub fn new(
        settings: &crate::config::Upstream,
        gate: Arc<Gate>,
        pins: Arc<Pins>,
        own: Arc<Principal>,
    ) -> std::io::Result<Self> {
        Ok(Self {
            wire: Wire::new(settings)?,
            gate,
            pins,
            token: settings.token.clone(),
            forced: settings.era,
            next_id: AtomicI64::new(1),
            era: std::sync::Mutex::default(),
            modern_only: AtomicBool::new(false),
            shared: std::sync::Mutex::default(),
            listed: Mutex::new(None),
            order: ArcSwap::default(),
            changes: watch::Sender::new(0),
            releases: release::Releases::default(),
            own,
        })
    }

    /// The gate whose permits this client spends.
    #[must_use]
    pub fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }

    /// Resolves when no release of a held call is under way.
    pub async fn releases_ended(&self) {
        self.releases.ended().await;
    }

    /// A fresh request id of ours, for [`Upstream::send_as`].
    pub fn request_id(&self) -> RequestId {
        RequestId::from(self.next_id.fetch_add(1, Ordering::Relaxed))
    }

    /// Sends the call of a permit and returns the exchange that it began. The call's end is
    /// recorded by the exchange, or here if it never began.
    ///
    /// # Errors
    /// If Intercom could not be reached or refused the call as a whole.
    pub async fn send(self: &Arc<Self>, leg: &Arc<Leg>, permit: Permit) -> Result<Exchange, Fault> {
        self.send_as(leg, permit, self.request_id()).await
    }

    /// As [`Upstream::send`], under an id that the caller knows before: whoever may want to cancel
    /// the call while Intercom has not answered yet needs it. Dropping the future records that the
    /// client went away.
    ///
    /// # Errors
    /// As [`Upstream::send`].
    pub async fn send_as(
        self: &Arc<Self>,
        leg: &Arc<Leg>,
        permit: Permit,
        id: RequestId,
    ) -> Result<Exchange, Fault> {
        let mut spent = permit.spend();
        let posted = match self.still_pinned(spent.call()) {
            Ok(()) => self.post_request(leg, &spent, &id).await,
            Err(fault) => Err(fault),
        };
        match posted {
            Ok(answer) => Ok(Exchange::new(self.clone(), leg.clone(), spent, id, answer)),
            Err(fault) => {
                spent.complete(fault.outcome(), 0, None);
                Err(leg.own(fault))
            }
        }
    }

    /// Sends a notification, or the client's answer to a question of the server (`to` is then the
    /// server's request id).
    ///
    /// # Errors
    /// If Intercom could not be reached or refused it.
    pub async fn tell(
        &self,
        leg: &Arc<Leg>,
        permit: Permit,
        to: Option<&RequestId>,
    ) -> Result<(), Fault> {
        let mut spent = permit.spend();
        let body = match to {
            Some(id) => write::answer(spent.call(), id),
            None => write::notification(spent.call()),
        };
        let session = leg.session();
        let headers = write::legacy_headers(session.as_deref(), None);
        let posted = match self.wire.post(self.token_of(leg), headers, body).await {
            Ok(answer) => reject_status(&answer),
            Err(fault) => Err(fault),
        };
        let outcome = posted.as_ref().map_or_else(Fault::outcome, |()| OutcomeKind::Answered);
        spent.complete(outcome, 0, None);
        posted
    }

    /// Answers a question of the server that nobody may or can be asked: it must not wait for us.
    /// A ping asks whether we are there, so it is answered by us.
    pub async fn refuse(&self, leg: &Arc<Leg>, question: &Request) {
        let mut payload = Object::default();
        if question.method == "ping" {
            payload.set("result", JsonText::empty_object());
        } else {
            let mut error = Object::default();
            error.set("code", JsonText::of(&METHOD_NOT_FOUND));
            error.set("message", json::quote("the client cannot be asked this"));
            payload.set("error", error.to_text());
        }
        let call = Call {
            id: new_call_id(),
            at: clock::now(),
            principal: self.own.clone(),
            revision: leg.revision(),
            client: leg::own_hint(),
            method: known_question(question).to_owned(),
            subject: Subject::Answer,
            payload: payload.to_text(),
            continuation: None,
            meta: CallMeta::default(),
        };
        let told = match self.gate.admit(call, Vec::new(), Holding::DEFAULT).await {
            Ok(Admission::Go(permit)) => self.tell(leg, *permit, Some(&question.id)).await,
            Ok(Admission::Denied(denial)) => Err(Fault::Denied(denial.text())),
            Ok(Admission::Held(_)) => Ok(()),
            Err(error) => Err(Fault::Gate(error)),
        };
        if let Err(fault) = told {
            let method = known_question(question);
            tracing::warn!(code = fault.code(), %fault, method, "question not refused");
        }
    }

    /// Asks the gate about a call that Portcullis needs for itself or for the leg of a client.
    async fn permit(
        &self,
        principal: &Arc<Principal>,
        client: &ClientHint,
        revision: Revision,
        method: &str,
        payload: JsonText,
    ) -> Result<Permit, Fault> {
        let call = Call {
            id: new_call_id(),
            at: clock::now(),
            principal: principal.clone(),
            revision,
            client: client.clone(),
            method: method.to_owned(),
            subject: Subject::Method,
            payload,
            continuation: None,
            meta: CallMeta::default(),
        };
        match self.gate.admit(call, Vec::<Finding>::new(), Holding::DEFAULT).await? {
            Admission::Go(permit) => Ok(*permit),
            Admission::Denied(denial) => Err(Fault::Denied(denial.text())),
            Admission::Held(_) => Err(Fault::Denied(format!("`{method}` cannot be held"))),
        }
    }

    /// Refuses a tool call whose definition is no longer the one it was judged by.
    fn still_pinned(&self, call: &Call) -> Result<(), Fault> {
        let Subject::Tool { name, definition, .. } = &call.subject else { return Ok(()) };
        match self.pins.status(name) {
            PinStatus::Pinned(tool) if Some(tool.definition.digest) == *definition => Ok(()),
            _ => Err(Fault::ToolChanged),
        }
    }

    /// POSTs a request in the era of the leg, which is doubted from then on if Intercom refuses it.
    async fn post_request(
        self: &Arc<Self>,
        leg: &Arc<Leg>,
        spent: &Spent,
        id: &RequestId,
    ) -> Result<WireAnswer, Fault> {
        Box::pin(self.settle(leg)).await?;
        let posted = self.post_on(leg, spent, id).await;
        let refuses = match &posted {
            // A server may tell in JSON-RPC what it misses in a request of the other era.
            Ok(answer) => answer.status.is_client_error(),
            Err(fault) => eras::refuses_era(fault),
        };
        self.doubt_if(leg, refuses);
        posted
    }

    /// POSTs a request; a legacy session that Intercom no longer knows is renewed once.
    async fn post_on(
        self: &Arc<Self>,
        leg: &Arc<Leg>,
        spent: &Spent,
        id: &RequestId,
    ) -> Result<WireAnswer, Fault> {
        if leg.era() == Era::Legacy && leg.session().is_none() {
            Box::pin(self.renew(leg, None)).await?;
        }
        for attempt in 0..2 {
            let session = leg.session();
            let (headers, body) = self.written(leg, session.as_deref(), spent.call(), id);
            let answer = self.wire.post(self.token_of(leg), headers, body).await?;
            let lost = answer.status == StatusCode::NOT_FOUND
                && session.as_ref().is_some_and(|session| session.id.is_some())
                && !is_answer(&answer, id);
            if !lost {
                return judge_status(answer, id);
            }
            // 404 says that the message was not taken, so sending it again is not sending it twice.
            if attempt == 0 {
                Box::pin(self.renew(leg, session.as_ref())).await?;
            }
        }
        Err(Fault::SessionLost)
    }

    fn written(
        &self,
        leg: &Leg,
        session: Option<&leg::Session>,
        call: &Call,
        id: &RequestId,
    ) -> (write::Headers, bytes::Bytes) {
        match leg.era() {
            Era::Legacy => {
                let body = write::legacy_request(call, id);
                (write::legacy_headers(session, None), body)
            }
            Era::Modern => {
                let mirrors = match call.subject.tool().map(|tool| self.pins.status(tool)) {
                    Some(PinStatus::Pinned(tool)) => tool.definition.mirrors.clone(),
                    _ => Arc::default(),
                };
                write::modern_request(call, id, &mirrors)
            }
        }
    }

    fn token_of<'a>(&'a self, leg: &'a Leg) -> Option<&'a Secret> {
        leg.token.as_ref().or(self.token.as_ref())
    }
}

/// The method of a question by our table: what a server makes up does not go into records.
fn known_question(question: &Request) -> &'static str {
    let known = methods::TABLE.iter().find(|method| {
        method.sender == Sender::Server
            && method.form == Form::Request
            && method.name == question.method
    });
    known.map_or("unknown", |method| method.name)
}

/// A fresh call identifier.
#[must_use]
pub fn new_call_id() -> CallId {
    CallId(uuid::Uuid::now_v7())
}

/// Turns an answer's status into a fault, unless its body is the JSON-RPC answer to our request.
fn judge_status(answer: WireAnswer, id: &RequestId) -> Result<WireAnswer, Fault> {
    if answer.status.is_success() {
        return Ok(answer);
    }
    let fault = fault_of(answer.status, &answer.headers);
    let speaks = !matches!(fault, Fault::Unauthorized | Fault::Forbidden | Fault::RateLimited(_));
    match &answer.body {
        WireBody::Json(body) if speaks && exchange::error_for(body, id).is_some() => Ok(answer),
        _ => Err(fault),
    }
}

/// Whether a refused request was refused by the server's JSON-RPC side and not for its session.
fn is_answer(answer: &WireAnswer, id: &RequestId) -> bool {
    match &answer.body {
        WireBody::Json(body) => {
            exchange::error_for(body, id).is_some_and(|code| code != SESSION_NOT_FOUND)
        }
        _ => false,
    }
}

fn reject_status(answer: &WireAnswer) -> Result<(), Fault> {
    if answer.status.is_success() { Ok(()) } else { Err(fault_of(answer.status, &answer.headers)) }
}

fn fault_of(status: StatusCode, headers: &HeaderMap) -> Fault {
    match status {
        StatusCode::UNAUTHORIZED => Fault::Unauthorized,
        StatusCode::FORBIDDEN => Fault::Forbidden,
        StatusCode::TOO_MANY_REQUESTS => Fault::RateLimited(wait_of(headers)),
        status if status.is_redirection() => Fault::Redirect,
        status => Fault::Status { status: status.as_u16() },
    }
}

/// How long Intercom asks to wait: `Retry-After` in seconds, or `X-RateLimit-Reset` as Unix time.
fn wait_of(headers: &HeaderMap) -> Option<std::time::Duration> {
    let number = |name| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
    if let Some(seconds) = number("retry-after") {
        return Some(std::time::Duration::from_secs(seconds.min(3600)));
    }
    let reset = number("x-ratelimit-reset")?;
    let now = u64::try_from(clock::now().millis() / 1000).unwrap_or_default();
    Some(std::time::Duration::from_secs(reset.saturating_sub(now).clamp(1, 3600)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refusal_for_the_session_is_its_loss() {
        let error = |id: &str, code: i64| {
            format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":{code},"message":"m"}}}}"#)
        };
        let rows = [
            (error("7", -32601), true),
            (error("7", -32602), true),
            (error("7", SESSION_NOT_FOUND), false),
            (error("8", -32601), false),
            (error("null", -32600), false),
            (r#"{"jsonrpc":"2.0","id":7,"result":{}}"#.to_owned(), false),
            ("{}".to_owned(), false),
            ("not JSON".to_owned(), false),
        ];
        for (body, answers) in rows {
            let answer = WireAnswer {
                status: StatusCode::NOT_FOUND,
                headers: HeaderMap::new(),
                body: WireBody::Json(body.clone().into()),
            };
            assert_eq!(is_answer(&answer, &RequestId::from(7)), answers, "{body}");
        }
    }
}
