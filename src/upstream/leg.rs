//! One conversation with Intercom, and how the eras are found out.
//!
//! A legacy client gets a leg of its own, opened when it initializes: its session at Intercom, with
//! its capabilities. Clients without sessions share a leg. If Intercom speaks only the other era,
//! the leg is of that era and the proxy translates. What was found out is remembered; a failure to
//! reach Intercom is not taken for an answer.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};

use http::{HeaderValue, StatusCode};
use tokio::sync::OnceCell;

use super::eras::refuses_era;
use super::exchange::{Exchange, FromServer};
use super::fault::Fault;
use super::offer::Offer;
use super::wire::WireBody;
use super::{Upstream, write};
use crate::config::Secret;
use crate::domain::{ClientHint, Digest, Era, JsonText, Principal, Revision};
use crate::mcp::json::{self, Object};
use crate::mcp::message::{RequestId, ResponseBody};

/// Pseudo-method that policy is asked about before a session's stream is opened.
pub(super) const SESSION_LISTEN: &str = "session/listen";
/// Pseudo-method that policy is asked about before a session is ended.
pub(super) const SESSION_END: &str = "session/end";
/// The most legs that clients without sessions share (pass-through mode has one per credential).
const SHARED_LEGS: usize = 256;

/// A conversation with Intercom.
pub struct Leg {
    pub(super) token: Option<Secret>,
    who: Who,
    state: StdMutex<State>,
    /// Held while a lost session is renewed, so that it is renewed once.
    renewing: tokio::sync::Mutex<()>,
    /// Intercom may speak the other era by now.
    doubted: AtomicBool,
}

/// For whom the leg is.
#[derive(Clone)]
pub(super) struct Who {
    pub(super) principal: Arc<Principal>,
    pub(super) client: ClientHint,
    pub(super) revision: Revision,
    pub(super) capabilities: JsonText,
}

struct State {
    era: Era,
    session: Option<Arc<Session>>,
    offer: Arc<Offer>,
}

/// A session at a legacy server.
pub(super) struct Session {
    pub(super) id: Option<HeaderValue>,
    pub(super) revision: Revision,
}

/// Legs without a client session, by credential.
pub(super) type SharedLegs = HashMap<Option<Digest>, Arc<OnceCell<Arc<Leg>>>>;

impl Leg {
    pub(super) fn new(who: Who, token: Option<Secret>, era: Era) -> Self {
        let state = State { era, session: None, offer: Arc::default() };
        Self {
            token,
            who,
            state: StdMutex::new(state),
            renewing: tokio::sync::Mutex::new(()),
            doubted: AtomicBool::new(false),
        }
    }

    /// The era spoken on this leg.
    #[must_use]
    pub fn era(&self) -> Era {
        self.lock().era
    }

    /// The revision spoken on this leg.
    #[must_use]
    pub fn revision(&self) -> Revision {
        let state = self.lock();
        match (&state.session, state.era) {
            (Some(session), _) => session.revision,
            (None, Era::Modern) => Revision::V2026_07_28,
            (None, Era::Legacy) => Revision::NEWEST_LEGACY,
        }
    }

    /// What Intercom offers on this leg.
    #[must_use]
    pub fn offer(&self) -> Arc<Offer> {
        self.lock().offer.clone()
    }

    /// The same fault in the words of this leg: in pass-through mode the token is the agent's.
    pub(super) fn own(&self, fault: Fault) -> Fault {
        match fault {
            Fault::Unauthorized if self.token.is_some() => Fault::OwnTokenRefused,
            fault => fault,
        }
    }

    pub(super) fn session(&self) -> Option<Arc<Session>> {
        self.lock().session.clone()
    }

    pub(super) async fn renewing(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.renewing.lock().await
    }

    pub(super) fn is_doubted(&self) -> bool {
        self.doubted.load(Ordering::Relaxed)
    }

    pub(super) fn doubt(&self) {
        self.doubted.store(true, Ordering::Relaxed);
    }

    /// Goes on in this era, without doubt. A session of the other one is left.
    pub(super) fn turn(&self, era: Era) {
        let mut state = self.lock();
        if state.era != era {
            state.era = era;
            state.session = None;
        }
        self.doubted.store(false, Ordering::Relaxed);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // INVARIANT: only plain assignments happen under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Upstream {
    /// Opens the leg of a legacy client.
    ///
    /// # Errors
    /// If Intercom cannot be reached, speaks no era that we know, or policy denies it.
    pub async fn open_leg(
        self: &Arc<Self>,
        principal: &Arc<Principal>,
        client: &ClientHint,
        revision: Revision,
        capabilities: JsonText,
        token: Option<Secret>,
    ) -> Result<Arc<Leg>, Fault> {
        let principal = principal.clone();
        let who = Who { principal, client: client.clone(), revision, capabilities };
        if self.forced == Some(Era::Modern) {
            return self.modern_leg(who, token).await;
        }
        if self.modern_only.load(Ordering::Relaxed) {
            match self.modern_leg(who.clone(), token.clone()).await {
                Err(fault) if refuses_era(&fault) => {
                    self.modern_only.store(false, Ordering::Relaxed);
                }
                opened => return opened,
            }
        }
        let leg = Arc::new(Leg::new(who.clone(), token.clone(), Era::Legacy));
        match self.initialize(&leg).await {
            Ok(()) => Ok(leg),
            Err(fault) if self.forced.is_none() && refuses_era(&fault) => {
                let leg = self.modern_leg(who, token).await.map_err(|_| fault)?;
                self.modern_only.store(true, Ordering::Relaxed);
                Ok(leg)
            }
            Err(fault) => Err(fault),
        }
    }

    /// The leg that clients without a session use; `credential` tells legs apart in pass-through
    /// mode, where `token` is the agent's own.
    ///
    /// # Errors
    /// As [`Upstream::open_leg`].
    pub async fn shared_leg(
        self: &Arc<Self>,
        credential: Option<Digest>,
        token: Option<Secret>,
    ) -> Result<Arc<Leg>, Fault> {
        let cell = self.shared_cell(credential);
        // Many clients at once open one session; who finds it open does not wait.
        let opened = cell.get_or_try_init(|| Box::pin(self.open_shared(token))).await.cloned();
        if opened.is_err() {
            // Credentials that Intercom refuses must not push out the legs of others.
            self.lock_shared().retain(|_, other| !Arc::ptr_eq(other, &cell));
        }
        opened
    }

    /// The place of a shared leg, open or to be opened.
    fn shared_cell(&self, credential: Option<Digest>) -> Arc<OnceCell<Arc<Leg>>> {
        let mut shared = self.lock_shared();
        if shared.len() >= SHARED_LEGS && !shared.contains_key(&credential) {
            shared.clear();
        }
        shared.entry(credential).or_default().clone()
    }

    pub(super) fn lock_shared(&self) -> std::sync::MutexGuard<'_, SharedLegs> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn open_shared(self: &Arc<Self>, token: Option<Secret>) -> Result<Arc<Leg>, Fault> {
        let who = Who {
            principal: self.own.clone(),
            client: own_hint(),
            revision: Revision::NEWEST_LEGACY,
            capabilities: JsonText::empty_object(),
        };
        let era = self.era_to_open(token.clone()).await?;
        let opened = match era {
            Era::Modern => self.modern_leg(who, token).await,
            Era::Legacy => {
                let leg = Arc::new(Leg::new(who, token, era));
                self.initialize(&leg).await.map(|()| leg)
            }
        };
        match &opened {
            Ok(_) => self.remember_era(era),
            Err(fault) if refuses_era(fault) => self.forget_era(),
            Err(_) => {}
        }
        opened
    }

    /// Ends a legacy session at Intercom. Failures only matter to Intercom, which forgets sessions
    /// by itself, so they are noted and nothing else.
    pub async fn close_leg(&self, leg: &Leg) {
        let Some(session) = leg.session().filter(|session| session.id.is_some()) else { return };
        let who = &leg.who;
        let payload = JsonText::empty_object();
        let permit =
            self.permit(&who.principal, &who.client, session.revision, SESSION_END, payload).await;
        let ended = match permit {
            Ok(permit) => {
                let mut spent = permit.spend();
                let headers = write::legacy_headers(Some(&session), None);
                let ended = self.wire.delete(self.token_of(leg), headers).await;
                spent.complete(outcome_of(&ended), 0, None);
                ended.map(|_| ())
            }
            Err(fault) => Err(fault),
        };
        if let Err(fault) = ended {
            tracing::debug!(%fault, "session at Intercom not ended");
        }
    }

    /// Opens the stream on which a legacy server sends what belongs to no request; `None` if it
    /// has none (405).
    ///
    /// # Errors
    /// If policy denies it or Intercom cannot be reached.
    pub async fn server_stream(
        self: &Arc<Self>,
        leg: &Arc<Leg>,
    ) -> Result<Option<super::ServerStream>, Fault> {
        if leg.era() == Era::Modern {
            return Ok(None);
        }
        let session = leg.session();
        let who = &leg.who;
        let payload = JsonText::empty_object();
        let revision = leg.revision();
        let permit =
            self.permit(&who.principal, &who.client, revision, SESSION_LISTEN, payload).await?;
        let mut spent = permit.spend();
        let headers = write::legacy_headers(session.as_deref(), None);
        let answer = self.wire.get(self.token_of(leg), headers).await;
        spent.complete(outcome_of(&answer), 0, None);
        let answer = answer?;
        match (answer.status, answer.body) {
            (_, WireBody::Events(body)) => Ok(Some(super::ServerStream::new(body))),
            (StatusCode::METHOD_NOT_ALLOWED, _) => Ok(None),
            (StatusCode::NOT_FOUND, _) if session.is_some() => {
                self.renew(leg, session.as_ref()).await?;
                Err(Fault::SessionLost)
            }
            (status, _) if status.is_success() => Ok(None),
            (status, _) => Err(super::fault_of(status, &answer.headers)),
        }
    }

    /// Opens a new session in place of one that Intercom no longer knows.
    pub(super) async fn renew(
        self: &Arc<Self>,
        leg: &Arc<Leg>,
        lost: Option<&Arc<Session>>,
    ) -> Result<(), Fault> {
        let _once = leg.renewing().await;
        let now = leg.session();
        let same = match (&now, lost) {
            (Some(now), Some(lost)) => Arc::ptr_eq(now, lost),
            (None, None) => true,
            _ => false,
        };
        if !same {
            return Ok(());
        }
        // The lost session stays noted until there is a new one: if Intercom is away now, the next
        // request is refused again and renews again. A call that waits for this was not taken.
        self.initialize(leg).await.map_err(Fault::before_the_call)
    }

    async fn modern_leg(
        self: &Arc<Self>,
        who: Who,
        token: Option<Secret>,
    ) -> Result<Arc<Leg>, Fault> {
        let leg = Arc::new(Leg::new(who, token, Era::Modern));
        let result = self.ask(&leg, "server/discover", JsonText::empty_object()).await?;
        let offer = Offer::of(&result);
        leg.lock().offer = Arc::new(offer);
        Ok(leg)
    }

    async fn initialize(self: &Arc<Self>, leg: &Arc<Leg>) -> Result<(), Fault> {
        let mut params = Object::default();
        params.set("protocolVersion", json::quote(leg.who.revision.as_str()));
        params.set("capabilities", leg.who.capabilities.clone());
        params.set("clientInfo", client_info(&leg.who.client));
        let who = &leg.who;
        let permit = self
            .permit(&who.principal, &who.client, who.revision, "initialize", params.to_text())
            .await?;
        let mut spent = permit.spend();
        let id = self.request_id();
        let posted = self.post_initialize(leg, spent.call(), &id).await;
        let answer = posted.inspect_err(|fault| spent.complete(fault.outcome(), 0, None))?;
        // Copied: a part of an answer keeps the whole of it.
        let copy = |id: &HeaderValue| HeaderValue::from_bytes(id.as_bytes()).ok();
        let session_id = answer.headers.get(crate::mcp::headers::SESSION_ID).and_then(copy);
        let mut exchange = Exchange::new(self.clone(), leg.clone(), spent, id, answer);
        let result = self.answer_of(&mut exchange).await?;
        let revision = result
            .str("protocolVersion")
            .and_then(|version| Revision::parse(&version))
            .filter(|revision| revision.era() == Era::Legacy)
            .ok_or_else(|| {
                Fault::Malformed("it names no protocol version that Portcullis speaks".to_owned())
            })?;
        {
            let mut state = leg.lock();
            state.session = Some(Arc::new(Session { id: session_id, revision }));
            state.offer = Arc::new(Offer::of(&result));
        }
        let permit = self
            .permit(
                &who.principal,
                &who.client,
                revision,
                "notifications/initialized",
                JsonText::empty_object(),
            )
            .await?;
        self.tell(leg, permit, None).await
    }

    /// POSTs `initialize`: like any request, but never with a session, and a 404 is an answer.
    async fn post_initialize(
        &self,
        leg: &Leg,
        call: &crate::domain::Call,
        id: &RequestId,
    ) -> Result<super::WireAnswer, Fault> {
        let body = write::legacy_request(call, id);
        let answer = self.wire.post(self.token_of(leg), Vec::new(), body).await?;
        super::judge_status(answer, id).map_err(|fault| leg.own(fault))
    }

    /// A housekeeping request on a leg, and its result.
    pub(super) async fn ask(
        self: &Arc<Self>,
        leg: &Arc<Leg>,
        method: &str,
        params: JsonText,
    ) -> Result<Object, Fault> {
        let who = &leg.who;
        let permit =
            self.permit(&who.principal, &who.client, leg.revision(), method, params).await?;
        let mut exchange = self.send(leg, permit).await?;
        self.answer_of(&mut exchange).await
    }

    /// The result of a housekeeping exchange; what comes on the way is of no interest.
    pub(super) async fn answer_of(&self, exchange: &mut Exchange) -> Result<Object, Fault> {
        loop {
            let FromServer::Answer(answer) = exchange.next().await? else { continue };
            let spent = exchange.spent();
            return match answer.body {
                ResponseBody::Result(text) => {
                    spent.complete(crate::domain::OutcomeKind::Answered, answer.bytes, None);
                    Object::parse(&text)
                        .ok_or_else(|| Fault::Malformed("its result is no object".to_owned()))
                }
                ResponseBody::Error(error) => {
                    spent.complete(crate::domain::OutcomeKind::Error, answer.bytes, None);
                    Err(Fault::Refused { code: error.code })
                }
            };
        }
    }
}

/// How the end of an exchange that has no answer of its own is recorded.
fn outcome_of(answer: &Result<super::WireAnswer, Fault>) -> crate::domain::OutcomeKind {
    match answer.as_ref().map(super::reject_status) {
        Ok(Ok(())) => crate::domain::OutcomeKind::Answered,
        Ok(Err(fault)) => fault.outcome(),
        Err(fault) => fault.outcome(),
    }
}

pub(super) fn own_hint() -> ClientHint {
    let (name, version) = ("portcullis".to_owned(), env!("CARGO_PKG_VERSION").to_owned());
    ClientHint { name, version, address: None }
}

fn client_info(client: &ClientHint) -> JsonText {
    let mut info = Object::default();
    let hint = if client.name.is_empty() { own_hint() } else { client.clone() };
    info.set("name", json::quote(&hint.name));
    info.set("version", json::quote(&hint.version));
    info.to_text()
}
