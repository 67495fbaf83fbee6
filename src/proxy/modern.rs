//! What only modern clients ask: `server/discover` and `subscriptions/listen`.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;

use super::Proxy;
use super::adapt::{self, LIST_TTL_MS, unwrap_task};
use super::handler::{Ask, Caller};
use super::outbox::Outbox;
use super::relay::result_kind;
use super::shown::{Shown, left_of};
use super::trouble::Trouble;
use crate::domain::{Call, Era, Hold, HoldId, HoldState, JsonText, OutcomeKind, Revision, Subject};
use crate::intercom::records::{Content, Edited};
use crate::mcp::json::{self, Object};
use crate::mcp::message::{MessageError, Notification, ResponseBody};
use crate::mcp::methods::{self, Form, Sender, TASKS_EXTENSION};
use crate::mcp::reply::INVALID_PARAMS;
use crate::policy::{AnswerFacts, AnswerKind};
use crate::upstream::{Answer, Exchange, FromServer, Offer};

/// `_meta` key that ties a message to its subscription.
const SUBSCRIPTION_ID: &str = "io.modelcontextprotocol/subscriptionId";
/// The most resources of one subscription: each costs a decision and its record.
const MAX_RESOURCES: usize = 100;
/// The first message of a subscription.
const ACKNOWLEDGED: &str = "notifications/subscriptions/acknowledged";
/// What Portcullis itself tells of the tool list.
const TOOLS_CHANGED: &str = "notifications/tools/list_changed";
/// `_meta` key of the server's name and version.
const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";

/// Portcullis' name and version, as it introduces itself.
pub(super) fn server_info() -> JsonText {
    let mut info = Object::default();
    info.set("name", json::quote("portcullis"));
    info.set("title", json::quote("Intercom through Portcullis"));
    info.set("version", json::quote(env!("CARGO_PKG_VERSION")));
    info.to_text()
}

/// Intercom's capabilities, cut to what Portcullis passes to clients of an era.
pub(super) fn capabilities(offer: &Offer, era: Era) -> Object {
    let mut cut = offer.capabilities.clone();
    cut.retain(|key| matches!(key, "tools" | "prompts" | "resources" | "completions" | "logging"));
    // Portcullis announces changes of the tool list itself, whatever Intercom does.
    let mut tools = Object::default();
    tools.set("listChanged", JsonText::of(&true));
    cut.set("tools", tools.to_text());
    if era == Era::Modern {
        let mut extensions = Object::default();
        extensions.set(TASKS_EXTENSION, JsonText::empty_object());
        cut.set("extensions", extensions.to_text());
    }
    cut
}

impl Proxy {
    /// `server/discover`: the answer is ours.
    pub(super) async fn discover(
        self: &Arc<Self>,
        caller: &Caller,
        ask: &Ask,
        outbox: &Outbox,
    ) -> Result<(), Trouble> {
        let leg = self.leg(caller).await?;
        let offer = leg.offer();
        let mut result = Object::default();
        result.set("resultType", json::quote("complete"));
        let versions: Vec<&str> = super::SERVED.iter().map(|revision| revision.as_str()).collect();
        result.set("supportedVersions", JsonText::of(&versions));
        result.set("capabilities", capabilities(&offer, Era::Modern).to_text());
        let call = self.call(caller, ask, Subject::Method, JsonText::empty_object(), None);
        if let Some(words) = self.instructions(&call, &offer).await {
            result.set("instructions", json::quote(&words));
        }
        result.set("ttlMs", JsonText::of(&LIST_TTL_MS));
        result.set("cacheScope", json::quote("private"));
        let mut meta = Object::default();
        meta.set(SERVER_INFO, server_info());
        result.set("_meta", meta.to_text());
        outbox.result(&ask.id, &result.to_text()).await;
        Ok(())
    }

    /// Intercom's instructions to models, if policy lets them pass.
    pub(super) async fn instructions(&self, call: &Call, offer: &Offer) -> Option<String> {
        let words = offer.instructions.clone()?;
        let bytes = words.len() as u64;
        // The server's words about itself, before anything was asked of it.
        let content = Content::of_words(&words);
        let facts = AnswerFacts { kind: AnswerKind::Text, method: None, bytes, content };
        let disclosed = self.gate.disclose(call, &facts).await;
        match disclosed.edited {
            _ if !disclosed.is_allowed() => None,
            Edited::Same => Some(words),
            Edited::Rest(text) => json::as_str(&text).map(std::borrow::Cow::into_owned),
            Edited::Nothing(_) => None,
        }
    }

    /// `subscriptions/listen`: a stream of what changes. Tool changes and holds are ours to tell;
    /// the rest is asked of Intercom, if it speaks the modern era.
    pub(super) async fn subscriptions(
        self: &Arc<Self>,
        caller: &Caller,
        ask: &Ask,
        outbox: &Outbox,
    ) -> Result<(), Trouble> {
        let wanted = ask.params.object("notifications").unwrap_or_default();
        let leg = self.leg(caller).await?;
        let (holds, theirs) = self.tasks_of(caller, &wanted);
        let mut filter = wanted.clone();
        filter.retain(|key| {
            matches!(key, "toolsListChanged" | "promptsListChanged" | "resourcesListChanged")
        });
        let resources = Box::pin(self.resources_of(caller, ask, &wanted)).await?;
        if !resources.is_empty() {
            filter.set("resourceSubscriptions", JsonText::of(&resources));
        }
        if !theirs.is_empty() {
            let ids: Vec<&String> = theirs.keys().collect();
            filter.set("taskIds", JsonText::of(&ids));
        }
        let mut params = Object::default();
        params.set("notifications", filter.to_text());
        let payload = json::compact(&params.to_text());
        let call = self.call(caller, ask, Subject::Method, payload, None);
        let upstream = if leg.era() == Era::Modern {
            let permit = Box::pin(self.permit(call.clone(), Vec::new())).await?;
            match Box::pin(self.send(caller, ask, &leg, permit, outbox)).await? {
                Some(exchange) => Some(exchange),
                None => return Ok(()),
            }
        } else {
            // Nothing of it reaches Intercom, but policy decides and the record says so.
            let permit = Box::pin(self.permit(call.clone(), Vec::new())).await?;
            permit.spend().complete(OutcomeKind::Answered, 0, None);
            None
        };
        let listening = Listening {
            tools: wanted.get("toolsListChanged").and_then(json::as_bool) == Some(true),
            holds,
            theirs,
        };
        self.listen(caller, ask, call, listening, upstream, outbox).await
    }

    async fn listen(
        self: &Arc<Self>,
        caller: &Caller,
        ask: &Ask,
        call: Call,
        listening: Listening,
        mut upstream: Option<Exchange>,
        outbox: &Outbox,
    ) -> Result<(), Trouble> {
        let mut tools = self.upstream.tool_changes();
        let mut holds = self.watch_all(&listening.holds);
        // The acknowledgement comes first; Intercom's, if it listens with us.
        let mut acknowledged = upstream.is_none();
        if acknowledged {
            let mut params = Object::default();
            params.set("notifications", listening.honoured());
            outbox.message(subscribed(ask, ACKNOWLEDGED, params)).await;
        }
        loop {
            tokio::select! {
                () = outbox.closed() => return Ok(()),
                () = self.draining() => {
                    let mut result = Object::default();
                    result.set("resultType", json::quote("complete"));
                    let mut meta = Object::default();
                    meta.set(SUBSCRIPTION_ID, ask.id.to_text());
                    result.set("_meta", meta.to_text());
                    outbox.result(&ask.id, &result.to_text()).await;
                    return Ok(());
                }
                changed = tools.changed(), if listening.tools && acknowledged => {
                    if changed.is_ok() {
                        outbox.message(subscribed(ask, TOOLS_CHANGED, Object::default())).await;
                    }
                }
                hold = next_change(&mut holds), if acknowledged => {
                    let status = Box::pin(self.hold_status(caller, ask, &hold, outbox)).await?;
                    let mut params = Object::parse(&status).unwrap_or_default();
                    params.remove("resultType");
                    outbox.message(subscribed(ask, "notifications/tasks", params)).await;
                }
                next = next_of(&mut upstream) => match next? {
                    FromServer::Notification(note) if note.method == TOOLS_CHANGED => {
                        // Told from the pins, once they know.
                        if let Some(exchange) = &upstream {
                            Box::pin(self.read_tools_again(exchange.leg())).await;
                        }
                        tools.mark_changed();
                    }
                    FromServer::Notification(note) => {
                        acknowledged |= note.method == ACKNOWLEDGED;
                        let told = self.subscribed_note(caller, ask, &call, &listening, note);
                        if let Some(message) = Box::pin(told).await {
                            outbox.message(message).await;
                        }
                    }
                    FromServer::Answer(answer) => {
                        if let Some(exchange) = &mut upstream {
                            Box::pin(self.subscription_ended(ask, exchange, answer, outbox)).await;
                        }
                        return Ok(());
                    }
                    FromServer::Request(_) => {}
                },
            }
        }
    }

    /// Intercom's last words on a subscription, judged like any answer.
    async fn subscription_ended(
        &self,
        ask: &Ask,
        exchange: &mut Exchange,
        answer: Answer,
        outbox: &Outbox,
    ) {
        let Some(Shown { body, kind, bytes, recorded }) =
            self.shown(ask, exchange, answer, outbox).await
        else {
            return;
        };
        let outcome =
            if kind == AnswerKind::Error { OutcomeKind::Error } else { OutcomeKind::Answered };
        exchange.spent().complete(outcome, bytes, recorded);
        match body {
            ResponseBody::Result(text) => {
                let mut result = Object::parse(&text).unwrap_or_default();
                let mut meta = result.object("_meta").unwrap_or_default();
                meta.set(SUBSCRIPTION_ID, ask.id.to_text());
                result.set("_meta", meta.to_text());
                adapt::complete(&mut result, ask);
                outbox.result(&ask.id, &result.to_text()).await;
            }
            ResponseBody::Error(error) => super::relay::rpc_error(ask, &error, outbox).await,
        }
    }

    /// A notification of Intercom on a subscription, with the client's own names in it.
    async fn subscribed_note(
        &self,
        caller: &Caller,
        ask: &Ask,
        call: &Call,
        listening: &Listening,
        mut note: Notification,
    ) -> Option<bytes::Bytes> {
        methods::find(Sender::Server, Form::Notification, &note.method, Revision::V2026_07_28)?;
        match note.method.as_str() {
            "notifications/progress" | "notifications/message" => return None,
            // Intercom ends the subscription, which it knows by our id.
            "notifications/cancelled" => note.params.set("requestId", ask.id.to_text()),
            "notifications/tasks" => {
                let id = note.params.str("taskId").map(std::borrow::Cow::into_owned)?;
                note.params.set("taskId", json::quote(listening.theirs.get(&id)?));
                adapt::can_answer(&caller.capabilities, &note.params).ok()?;
                // It is the whole task, so it is judged as the answer to `tasks/get` too.
                let task = note.params.to_text();
                let kind = result_kind("tasks/get", &task);
                let bytes = task.bytes().len() as u64;
                let content = Content::of_result(None, &task);
                let facts = AnswerFacts { kind, method: None, bytes, content };
                let disclosed = self.gate.disclose(call, &facts).await;
                if !disclosed.is_allowed() {
                    return None;
                }
                let body = ResponseBody::Result(task);
                if let ResponseBody::Result(left) =
                    left_of(body, disclosed.edited, ask.era()).ok()?
                {
                    note.params = Object::parse(&left)?;
                }
            }
            ACKNOWLEDGED => {
                let mut filter = note.params.object("notifications").unwrap_or_default();
                if listening.tools {
                    filter.set("toolsListChanged", JsonText::of(&true));
                }
                let ids: Vec<String> = listening
                    .holds
                    .iter()
                    .map(HoldId::to_string)
                    .chain(listening.theirs.values().cloned())
                    .collect();
                if !ids.is_empty() {
                    filter.set("taskIds", JsonText::of(&ids));
                }
                note.params.set("notifications", filter.to_text());
            }
            _ => {}
        }
        let mut note = self.may_hear(call, note).await?;
        note.meta.set(SUBSCRIPTION_ID, ask.id.to_text());
        Some(note.write())
    }

    /// The resources that a client wants to follow and may: each is asked about as if it were
    /// subscribed to by itself.
    async fn resources_of(
        &self,
        caller: &Caller,
        ask: &Ask,
        wanted: &Object,
    ) -> Result<Vec<String>, Trouble> {
        let uris = wanted.get("resourceSubscriptions").and_then(json::elements).unwrap_or_default();
        if uris.len() > MAX_RESOURCES {
            let text = format!("a subscription has at most {MAX_RESOURCES} resources");
            return Err(MessageError::new(INVALID_PARAMS, "params", text).into());
        }
        let mut allowed = Vec::new();
        for uri in uris.iter().filter_map(json::as_str) {
            let subject = Subject::Resource { uri: uri.clone().into_owned() };
            let payload = Object::from_iter([("uri", json::quote(&uri))]).to_text();
            let mut call = self.call(caller, ask, subject, payload, None);
            "resources/subscribe".clone_into(&mut call.method);
            match self.permit(call, Vec::new()).await {
                // It goes to Intercom within the subscription, under the permit of that.
                Ok(permit) => permit.spend().complete(OutcomeKind::Answered, 0, None),
                Err(Trouble::Denied(_)) => continue,
                Err(trouble) => return Err(trouble),
            }
            allowed.push(uri.into_owned());
        }
        Ok(allowed)
    }

    /// The tasks that a client wants to follow: our holds of this principal, and Intercom's tasks
    /// by their id there.
    fn tasks_of(
        &self,
        caller: &Caller,
        wanted: &Object,
    ) -> (Vec<HoldId>, BTreeMap<String, String>) {
        let mut holds = Vec::new();
        let mut theirs = BTreeMap::new();
        if !caller.capabilities.extension(TASKS_EXTENSION) {
            return (holds, theirs);
        }
        for id in wanted.get("taskIds").and_then(json::elements).unwrap_or_default() {
            let Some(id) = json::as_str(&id) else { continue };
            if let Ok(hold) = id.parse::<HoldId>() {
                let known = self.gate.holds().hold(hold);
                if known.is_ok_and(|hold| hold.binding().principal == caller.principal.id) {
                    holds.push(hold);
                }
            } else if let Some(theirs_id) =
                unwrap_task(self.gate.sealer(), &caller.principal.id, &id)
            {
                theirs.insert(theirs_id, id.into_owned());
            }
        }
        (holds, theirs)
    }

    fn watch_all(&self, holds: &[HoldId]) -> Vec<Watched> {
        let watched = holds.iter().filter_map(|id| self.gate.holds().watch(*id).ok());
        watched.map(Watched::new).collect()
    }
}

/// What a subscription listens to.
struct Listening {
    tools: bool,
    holds: Vec<HoldId>,
    /// Intercom's task ids and the client's.
    theirs: BTreeMap<String, String>,
}

impl Listening {
    /// The part of the filter that Portcullis alone can honour.
    fn honoured(&self) -> JsonText {
        let mut filter = Object::default();
        if self.tools {
            filter.set("toolsListChanged", JsonText::of(&true));
        }
        if !self.holds.is_empty() {
            let ids: Vec<String> = self.holds.iter().map(HoldId::to_string).collect();
            filter.set("taskIds", JsonText::of(&ids));
        }
        filter.to_text()
    }
}

/// A message of ours on a subscription.
fn subscribed(ask: &Ask, method: &str, params: Object) -> bytes::Bytes {
    let mut meta = Object::default();
    meta.set(SUBSCRIPTION_ID, ask.id.to_text());
    Notification { method: method.to_owned(), params, meta }.write()
}

/// A hold that is listened to, and its state as the client knows it.
struct Watched {
    told: Option<HoldState>,
    hold: watch::Receiver<Hold>,
}

impl Watched {
    /// What is over before anybody listens is told at once: no change would follow.
    fn new(hold: watch::Receiver<Hold>) -> Self {
        let state = hold.borrow().state;
        Self { told: (!state.is_final()).then_some(state), hold }
    }

    /// The hold in its next state. That its outcome was delivered is no news to whom it was.
    async fn change(&mut self) -> Hold {
        loop {
            let now = self.hold.borrow_and_update().clone();
            if self.told != Some(now.state) {
                self.told = Some(now.state);
                return now;
            }
            if self.hold.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

/// The next hold of several that changes.
async fn next_change(holds: &mut [Watched]) -> Hold {
    let changes: Vec<_> = holds.iter_mut().map(|hold| Box::pin(hold.change())).collect();
    if changes.is_empty() {
        return std::future::pending().await;
    }
    futures_util::future::select_all(changes).await.0
}

async fn next_of(upstream: &mut Option<Exchange>) -> Result<FromServer, crate::upstream::Fault> {
    match upstream {
        Some(exchange) => exchange.next().await,
        None => std::future::pending().await,
    }
}
