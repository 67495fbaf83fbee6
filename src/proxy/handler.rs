//! The handler behind every door: one request of a client, whatever its era.
//!
//! [`Proxy::handle`] reads like the road: what the method is decides who answers it, and everything
//! that reaches Intercom goes through [`Proxy::send`], which asks the gate first. What a client of
//! one era misses in an upstream of the other is translated in `adapt`.

use std::sync::Arc;

use futures_util::FutureExt as _;

use super::Proxy;
use super::outbox::Outbox;
use super::session::Session;
use super::slots::Use;
use super::trouble::Trouble;
use crate::clock;
use crate::config::Secret;
use crate::domain::{
    Call, CallMeta, ClientHint, Digest, Era, Finding, JsonText, Principal, Revision, Subject,
};
use crate::gate::{Admission, Holding, Permit};
use crate::mcp::era::Capabilities;
use crate::mcp::json::{self, Object};
use crate::mcp::message::{MessageError, RequestId};
use crate::mcp::methods::{self, Form, Method, Sender, TASKS_EXTENSION, Target};
use crate::mcp::reply::{INVALID_PARAMS, METHOD_NOT_FOUND};
use crate::upstream::{Exchange, Leg, new_call_id};

/// The parameters that answer the server's questions.
const CONTINUATION: [&str; 2] = ["inputResponses", "requestState"];

/// Who sends a request, proven, and how it speaks.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) principal: Arc<Principal>,
    pub(super) credential: Digest,
    /// In pass-through mode, the agent's own token.
    pub(super) token: Option<Secret>,
    pub(super) revision: Revision,
    pub(super) client: ClientHint,
    pub(super) capabilities: Capabilities,
    pub(super) log_level: Option<&'static str>,
    /// The legacy session.
    pub(super) session: Option<Arc<Session>>,
}

/// One request.
pub(super) struct Ask {
    pub(super) id: RequestId,
    pub(super) method: &'static Method,
    pub(super) params: Object,
    /// Where the client wants progress.
    pub(super) progress: Option<RequestId>,
    pub(super) revision: Revision,
    /// The `Mcp-Param-*` headers (modern era): names behind the prefix, and values.
    pub(super) param_headers: Vec<(String, Vec<u8>)>,
    /// Whether it runs as a core task: nobody listens on the way, and it may wait for long.
    pub(super) as_task: bool,
}

impl Ask {
    pub(super) const fn era(&self) -> Era {
        self.revision.era()
    }
}

impl Proxy {
    /// Answers one request.
    pub(super) async fn handle(self: &Arc<Self>, caller: &Caller, ask: Ask, outbox: Outbox) {
        let kind = match ask.method.name {
            "subscriptions/listen" | "tasks/result" => Use::Wait,
            _ => Use::Call,
        };
        let answered = match (known_parameters(&ask), self.slots.take(&caller.principal, kind)) {
            (Ok(()), Some(slot)) => slot.run(self.dispatch(caller, &ask, &outbox)).await,
            (Ok(()), None) => Err(Trouble::Busy),
            (Err(error), _) => Err(error.into()),
        };
        if let Err(trouble) = answered {
            if let Trouble::Request(error) = &trouble {
                self.note_refusal(&caller.principal, error);
            }
            trouble.tell(&outbox, &ask).await;
        }
    }

    /// Hands a request to who answers it. Each road is on the heap: a task has room for the largest
    /// there is, and thousands of them wait for a person in one of the smaller.
    async fn dispatch(
        self: &Arc<Self>,
        caller: &Caller,
        ask: &Ask,
        outbox: &Outbox,
    ) -> Result<(), Trouble> {
        match ask.method.name {
            "ping" => {
                outbox.result(&ask.id, &JsonText::empty_object()).await;
                Ok(())
            }
            "server/discover" => Box::pin(self.discover(caller, ask, outbox)).await,
            "tools/list" => Box::pin(self.tools_list(caller, ask, outbox)).await,
            "tools/call"
                if ask.revision == Revision::V2025_11_25 && ask.params.contains("task") =>
            {
                Box::pin(self.call_as_task(caller, ask, outbox)).await
            }
            "tools/call" => Box::pin(self.tools_call(caller, ask, outbox)).await,
            "subscriptions/listen" => Box::pin(self.subscriptions(caller, ask, outbox)).await,
            "tasks/get" | "tasks/update" | "tasks/cancel" if ask.era() == Era::Modern => {
                Box::pin(self.task(caller, ask, outbox)).await
            }
            name if name.starts_with("tasks/") => {
                Box::pin(self.core_task(caller, ask, outbox)).await
            }
            _ => Box::pin(self.forward(caller, ask, outbox)).await,
        }
    }

    /// Notes a request that was refused before policy was asked. Its words are left out: some name
    /// what the client sent.
    pub(super) fn note_refusal(&self, principal: &Principal, error: &MessageError) {
        let text = "the request was refused before it could be judged";
        self.gate.refused(principal, &format!("request.{}", error.reason), text);
    }

    /// A request that is passed on as it is: prompts, resources, completion, logging.
    async fn forward(
        self: &Arc<Self>,
        caller: &Caller,
        ask: &Ask,
        outbox: &Outbox,
    ) -> Result<(), Trouble> {
        let leg = self.leg(caller).await?;
        self.must_exist_at(&leg, ask)?;
        let subject = subject(ask)?;
        let (params, continuation) = continued(&ask.params);
        let payload = json::compact(&params.to_text());
        let call = self.call(caller, ask, subject, payload, continuation);
        let permit = self.permit(call, Vec::new()).await?;
        match self.send(caller, ask, &leg, permit, outbox).await? {
            Some(exchange) => self.relay(caller, ask, exchange, outbox).await.map(|_| ()),
            None => Ok(()),
        }
    }

    /// Sends what may go, for as long as its client waits: an Intercom that answers by one JSON text
    /// takes all its time here. `None` if the client left or cancelled.
    pub(super) async fn send(
        &self,
        caller: &Caller,
        ask: &Ask,
        leg: &Arc<Leg>,
        permit: Permit,
        outbox: &Outbox,
    ) -> Result<Option<Exchange>, Trouble> {
        let id = self.upstream.request_id();
        if let Some(session) = &caller.session {
            session.running(&ask.id, |running| running.upstream_id = Some(id.clone()));
        }
        if left(caller, ask, outbox).now_or_never().is_some() {
            // Cancelled while it was judged: nothing is sent, and the record says so.
            drop(permit.spend());
            return Ok(None);
        }
        tokio::select! {
            // Polled first, so that the permit is spent in any case.
            biased;
            sent = self.upstream.send_as(leg, permit, id.clone()) => Ok(Some(sent?)),
            () = left(caller, ask, outbox) => {
                Box::pin(self.abandon(caller, ask, leg, &id)).await;
                Ok(None)
            }
        }
    }

    /// Tells a legacy Intercom that a modern client left: there, a closed stream cancels nothing. A
    /// legacy client says so itself.
    pub(super) async fn abandon(&self, caller: &Caller, ask: &Ask, leg: &Arc<Leg>, id: &RequestId) {
        if (ask.era(), leg.era()) != (Era::Modern, Era::Legacy) {
            return;
        }
        let mut params = Object::default();
        params.set("requestId", id.to_text());
        let mut call = self.call(caller, ask, Subject::Method, params.to_text(), None);
        "notifications/cancelled".clone_into(&mut call.method);
        let told = match self.permit(call, Vec::new()).await {
            Ok(permit) => self.upstream.tell(leg, permit, None).await.map_err(Trouble::from),
            Err(trouble) => Err(trouble),
        };
        if let Err(trouble) = told {
            tracing::info!(?trouble, principal = %caller.principal.id, "cancellation not passed on");
        }
    }

    /// Asks the gate about a call that cannot be held.
    pub(super) async fn permit(&self, call: Call, own: Vec<Finding>) -> Result<Permit, Trouble> {
        match self.gate.admit(call, own, Holding::DEFAULT).await? {
            Admission::Go(permit) => Ok(*permit),
            Admission::Denied(denial) => Err(Trouble::Denied(denial)),
            Admission::Held(hold) => {
                let text = format!("this call waits for a person (hold {})", hold.id);
                Err(MessageError::new(INVALID_PARAMS, "held", text).into())
            }
        }
    }

    /// The call of a request.
    pub(super) fn call(
        &self,
        caller: &Caller,
        ask: &Ask,
        subject: Subject,
        payload: JsonText,
        continuation: Option<JsonText>,
    ) -> Call {
        let meta = CallMeta {
            progress: ask.progress.is_some(),
            log_level: caller.log_level.map(str::to_owned),
            // Legacy clients declared theirs once, in `initialize`.
            capabilities: (ask.era() == Era::Modern)
                .then(|| caller.capabilities.cut(&[TASKS_EXTENSION]).to_text()),
            ..CallMeta::default()
        };
        Call {
            id: new_call_id(),
            at: clock::now(),
            principal: caller.principal.clone(),
            revision: caller.revision,
            client: caller.client.clone(),
            method: ask.method.name.to_owned(),
            subject,
            payload,
            continuation,
            meta,
        }
    }

    /// The leg to Intercom that a caller uses.
    pub(super) async fn leg(&self, caller: &Caller) -> Result<Arc<Leg>, Trouble> {
        if let Some(session) = &caller.session {
            return Ok(session.leg.clone());
        }
        let credential = caller.token.is_some().then_some(caller.credential);
        Ok(Box::pin(self.upstream.shared_leg(credential, caller.token.clone())).await?)
    }

    /// Refuses a method that Intercom's era does not have.
    fn must_exist_at(&self, leg: &Leg, ask: &Ask) -> Result<(), Trouble> {
        let there = methods::find(Sender::Client, Form::Request, ask.method.name, leg.revision());
        // An older legacy revision at Intercom may still know the method: it answers for itself.
        let same_era = leg.era() == ask.era();
        if there.is_some() || same_era { Ok(()) } else { Err(no_method(ask.method.name).into()) }
    }
}

/// Resolves when nobody waits for the answer any more: a modern client closed its stream, a legacy
/// one said `notifications/cancelled` (its leaving says nothing).
pub(super) async fn left(caller: &Caller, ask: &Ask, outbox: &Outbox) {
    if ask.era() == Era::Modern {
        return outbox.closed().await;
    }
    if let Some(mut cancelled) = caller.session.as_ref().and_then(|it| it.cancelled(&ask.id))
        && cancelled.wait_for(|cancelled| *cancelled).await.is_ok()
    {
        // What is cancelled has no answer: a stream that ends, never an error of ours.
        outbox.open().await;
        return;
    }
    // Nothing to cancel, or no longer listed: it ended.
    std::future::pending().await
}

/// A method that does not exist for this client.
pub(super) fn no_method(name: &str) -> MessageError {
    MessageError::new(METHOD_NOT_FOUND, "unknown_method", format!("`{name}` is not served here"))
}

/// Refuses parameters that the method does not have, or not of that kind.
fn known_parameters(ask: &Ask) -> Result<(), MessageError> {
    let name = ask.method.name;
    let known = methods::parameters(name, ask.revision);
    let Some((key, _)) = ask.params.iter().find(|(key, _)| !known.contains(key)) else {
        return of_their_kinds(&ask.params);
    };
    let key: String = key.chars().take(60).collect();
    let hint =
        if name == "tools/call" { "; arguments of the tool belong into `arguments`" } else { "" };
    let text = format!("`{name}` has no parameter `{key}`{hint}");
    Err(MessageError::new(INVALID_PARAMS, "params", text))
}

/// Takes what the client says to the server's questions out of the parameters.
pub(super) fn continued(params: &Object) -> (Object, Option<JsonText>) {
    let (mut payload, mut continuation) = (params.clone(), params.clone());
    payload.retain(|key| !CONTINUATION.contains(&key));
    continuation.retain(|key| CONTINUATION.contains(&key));
    let continuation = (!continuation.is_empty()).then(|| json::compact(&continuation.to_text()));
    (payload, continuation)
}

/// Parameters that mean something to Portcullis itself must be of their kind: what is of another would
/// be read as if it were not there.
fn of_their_kinds(params: &Object) -> Result<(), MessageError> {
    let is_object = |key| params.object(key).is_some();
    for (key, is_right, kind) in [
        ("inputResponses", is_object("inputResponses"), "an object"),
        ("notifications", is_object("notifications"), "an object"),
        ("requestState", params.str("requestState").is_some(), "a string"),
    ] {
        if params.contains(key) && !is_right {
            let text = format!("`{key}` must be {kind}");
            return Err(MessageError::new(INVALID_PARAMS, "params", text));
        }
    }
    Ok(())
}

/// What a request that is passed on is about.
fn subject(ask: &Ask) -> Result<Subject, MessageError> {
    let missing = |what: &str| {
        MessageError::new(INVALID_PARAMS, "params", format!("`params` must name {what}"))
    };
    let name = ask.method.target.name(&ask.params).map(std::borrow::Cow::into_owned);
    match ask.method.target {
        Target::None => Ok(Subject::Method),
        Target::Prompt => Ok(Subject::Prompt { name: name.ok_or_else(|| missing("a prompt"))? }),
        Target::Resource => Ok(Subject::Resource { uri: name.ok_or_else(|| missing("a uri"))? }),
        Target::Task => Ok(Subject::Task { id: name.ok_or_else(|| missing("a task"))? }),
        Target::Completion => {
            let name = name.ok_or_else(|| missing("what to complete"))?;
            let prompt = ask
                .params
                .object("ref")
                .and_then(|it| it.str("type").map(|kind| kind == "ref/prompt"));
            Ok(if prompt == Some(true) {
                Subject::Prompt { name }
            } else {
                Subject::Resource { uri: name }
            })
        }
        Target::Tool => Err(missing("nothing; tools have a handler of their own")),
    }
}
