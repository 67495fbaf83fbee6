//! The core tasks of revision 2025-11-25: a tool call whose client wants a task of it.
//!
//! They were experimental and are gone since; clients of that revision that speak them wait for a person
//! as long as it takes, where others are told to come back. The client decides (`params.task`), so every
//! call can be one. Nothing else changes: the call runs in the background as all calls of a session do,
//! is judged, held, sent and disclosed as ever, and its one answer is kept here until it is asked for.
//! Tasks belong to their session and go with it; what outlives it is the hold, which an identical call
//! finds again. They are Portcullis' own: none of this reaches Intercom. A task asks its client nothing
//! on the way, for nobody listens there.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::StatusCode;
use tokio::sync::{mpsc, watch};

use super::Proxy;
use super::handler::{Ask, Caller, left, no_method};
use super::outbox::{Out, Outbox};
use super::session::Session;
use super::tasks::status_message;
use super::trouble::Trouble;
use crate::clock;
use crate::domain::{HoldId, JsonText, Revision, Timestamp};
use crate::mcp::json::{self, Object};
use crate::mcp::message::{MessageError, Notification, RequestId};
use crate::mcp::reply::INVALID_PARAMS;
use crate::store;

/// Where a result says which task it belongs to.
const RELATED: &str = "io.modelcontextprotocol/related-task";
/// Tasks of one session.
const MOST: usize = 64;
/// How long a task is kept if its client does not say, and at most.
const KEPT: Duration = Duration::from_secs(60 * 60);
const KEPT_AT_MOST: Duration = Duration::from_secs(24 * 60 * 60);
/// How often a client should ask, in milliseconds.
const POLL_MS: u64 = 5_000;
/// How often one that waits gets a sign of life.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// The tasks of a session, the oldest first.
#[derive(Default)]
pub(super) struct CoreTasks(Mutex<Vec<Arc<CoreTask>>>);

/// One task.
struct CoreTask {
    id: String,
    /// The id of its call among the requests of the session.
    request: RequestId,
    created: Timestamp,
    kept: Duration,
    end: watch::Sender<Option<End>>,
}

/// How a task ended, and when.
#[derive(Clone)]
struct End {
    at: Timestamp,
    what: What,
    /// Its hold, if it waited for a person: the outcome reaches the client with the result.
    hold: Option<HoldId>,
}

#[derive(Clone)]
enum What {
    Result(JsonText),
    Error(JsonText),
    Cancelled,
}

impl What {
    const fn status(&self, is_error: bool) -> &'static str {
        match self {
            Self::Result(_) if !is_error => "completed",
            Self::Result(_) | Self::Error(_) => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl CoreTasks {
    /// Opens a task; `None` if there are too many.
    fn open(&self, kept: Duration) -> Result<Option<Arc<CoreTask>>, store::SealError> {
        let id = URL_SAFE_NO_PAD.encode(store::random::<24>()?);
        let request = RequestId::from(format!("portcullis-task-{id}").as_str());
        let task = Arc::new(CoreTask {
            id,
            request,
            created: clock::now(),
            kept,
            end: watch::channel(None).0,
        });
        let mut all = self.lock();
        all.retain(|task| !task.is_over());
        if all.len() >= MOST {
            return Ok(None);
        }
        all.push(task.clone());
        Ok(Some(task))
    }

    fn find(&self, id: &str) -> Option<Arc<CoreTask>> {
        self.lock().iter().find(|task| task.id == id && !task.is_over()).cloned()
    }

    fn all(&self) -> Vec<Arc<CoreTask>> {
        self.lock().iter().filter(|task| !task.is_over()).cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<CoreTask>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CoreTask {
    fn end(&self) -> Option<End> {
        self.end.borrow().clone()
    }

    /// Ends it, unless it ended already.
    fn settle(&self, what: What, hold: Option<HoldId>) {
        self.end.send_if_modified(|end| {
            let is_first = end.is_none();
            if is_first {
                *end = Some(End { at: clock::now(), what, hold });
            }
            is_first
        });
    }

    /// Whether it ended and was kept for long enough.
    fn is_over(&self) -> bool {
        self.end().is_some_and(|end| clock::now().since(end.at) > self.kept)
    }
}

/// What a session of this revision can do with tasks, as `initialize` says it.
pub(super) fn offered(revision: Revision) -> Option<JsonText> {
    let empty = JsonText::empty_object;
    let object = |entries: &[(&str, JsonText)]| {
        let mut object = Object::default();
        entries.iter().for_each(|(key, value)| object.set(key, value.clone()));
        object.to_text()
    };
    let requests = object(&[("tools", object(&[("call", empty())]))]);
    let tasks = object(&[("list", empty()), ("cancel", empty()), ("requests", requests)]);
    (revision == Revision::V2025_11_25).then_some(tasks)
}

/// A definition that says that its tool may be called as a task.
pub(super) fn may_be_task(definition: &JsonText) -> JsonText {
    let Some(mut object) = Object::parse(definition) else { return definition.clone() };
    let mut execution = object.object("execution").unwrap_or_default();
    execution.set("taskSupport", json::quote("optional"));
    object.set("execution", execution.to_text());
    object.to_text()
}

impl Proxy {
    /// A tool call as a task: answered at once, done in the background.
    pub(super) async fn call_as_task(
        self: &Arc<Self>,
        caller: &Caller,
        ask: &Ask,
        outbox: &Outbox,
    ) -> Result<(), Trouble> {
        let session = session(caller, ask)?;
        let kept = asked_ttl(ask)?;
        let task = session.tasks.open(kept).map_err(|error| {
            tracing::error!(%error, "no task id");
            Trouble::Busy
        })?;
        let Some(task) = task.filter(|task| session.begin(&task.request)) else {
            return Err(Trouble::Busy);
        };
        let mut params = ask.params.clone();
        params.remove("task");
        let own = Ask {
            id: task.request.clone(),
            method: ask.method,
            params,
            progress: None,
            revision: ask.revision,
            param_headers: Vec::new(),
            as_task: true,
        };
        let answer = self.fields(&session, &task);
        self.clone().run(caller.clone(), own, session, task);
        let mut result = Object::default();
        result.set("task", answer.to_text());
        outbox.result(&ask.id, &result.to_text()).await;
        Ok(())
    }

    /// Runs a task to its end. No part of the future that asks for it, which could not be named then.
    fn run(self: Arc<Self>, caller: Caller, own: Ask, session: Arc<Session>, task: Arc<CoreTask>) {
        tokio::spawn(async move {
            let (inner, out) = Outbox::new();
            let request = own.id.clone();
            let ((), what) = tokio::join!(self.handle(&caller, own, inner), last(out));
            let mut hold = None;
            session.running(&request, |running| hold = running.hold);
            session.finish(&request);
            task.settle(what, hold);
        });
    }

    /// `tasks/get`, `tasks/result`, `tasks/list`, `tasks/cancel` of a session.
    pub(super) async fn core_task(
        self: &Arc<Self>,
        caller: &Caller,
        ask: &Ask,
        outbox: &Outbox,
    ) -> Result<(), Trouble> {
        let session = session(caller, ask)?;
        if ask.method.name == "tasks/list" {
            let all: Vec<String> = session
                .tasks
                .all()
                .iter()
                .map(|task| self.fields(&session, task).to_text().as_str().to_owned())
                .collect();
            let list = format!("[{}]", all.join(","));
            let mut result = Object::default();
            result.set("tasks", JsonText::from_valid(list.into_bytes().into()));
            outbox.result(&ask.id, &result.to_text()).await;
            return Ok(());
        }
        let id = ask.params.str("taskId");
        let task = id.and_then(|id| session.tasks.find(&id)).ok_or_else(|| {
            MessageError::new(INVALID_PARAMS, "task", "there is no such task, or it is over")
        })?;
        match ask.method.name {
            "tasks/result" => return self.task_result(caller, ask, &task, outbox).await,
            "tasks/cancel" => {
                if task.end().is_some() {
                    let text = "the task has ended, so it cannot be cancelled";
                    return Err(MessageError::new(INVALID_PARAMS, "task", text).into());
                }
                task.settle(What::Cancelled, None);
                let mut params = Object::default();
                params.set("requestId", task.request.to_text());
                let method = "notifications/cancelled".to_owned();
                let meta = Object::default();
                self.client_note(&session, Notification { method, params, meta }).await;
            }
            _ => {}
        }
        outbox.result(&ask.id, &self.fields(&session, &task).to_text()).await;
        Ok(())
    }

    /// Waits for a task's end and answers as its call would have been answered.
    async fn task_result(
        &self,
        caller: &Caller,
        ask: &Ask,
        task: &CoreTask,
        outbox: &Outbox,
    ) -> Result<(), Trouble> {
        let mut ends = task.end.subscribe();
        let mut signs = tokio::time::interval(SIGN_OF_LIFE);
        let end = loop {
            let end = ends.borrow_and_update().clone();
            if let Some(end) = end {
                break end;
            }
            tokio::select! {
                changed = ends.changed() => if changed.is_err() { return Err(Trouble::Busy) },
                _ = signs.tick() => { outbox.comment().await; }
                () = self.draining() => return Err(Trouble::Busy),
                () = left(caller, ask, outbox) => return Ok(()),
            }
        };
        let told = match end.what {
            What::Result(text) => {
                let mut result = Object::parse(&text).unwrap_or_default();
                let mut meta = result.object("_meta").unwrap_or_default();
                let mut related = Object::default();
                related.set("taskId", json::quote(&task.id));
                meta.set(RELATED, related.to_text());
                result.set("_meta", meta.to_text());
                outbox.result(&ask.id, &result.to_text()).await
            }
            What::Error(text) => {
                let error = Object::parse(&text).unwrap_or_default();
                let code = error.get("code").and_then(json::as_i64).unwrap_or(INVALID_PARAMS);
                let message = error.str("message").unwrap_or_default();
                outbox.error(StatusCode::OK, &ask.id, code, &message, error.get("data")).await
            }
            What::Cancelled => {
                let text = "the task was cancelled, so it has no result";
                return Err(MessageError::new(INVALID_PARAMS, "task", text).into());
            }
        };
        if let (true, Some(hold)) = (told, end.hold) {
            self.taken(hold).await;
        }
        Ok(())
    }

    /// A task as its client sees it.
    fn fields(&self, session: &Session, task: &CoreTask) -> Object {
        let end = task.end();
        let mut hold = None;
        session.running(&task.request, |running| hold = running.hold);
        let hold = hold.and_then(|id| self.gate.holds().hold(id).ok());
        let (status, changed) = match &end {
            None => ("working", hold.as_ref().map_or(task.created, |hold| hold.changed_at)),
            Some(End { at, what, .. }) => (what.status(is_error(what)), *at),
        };
        let mut object = Object::default();
        object.set("taskId", json::quote(&task.id));
        object.set("status", json::quote(status));
        if let (None, Some(hold)) = (&end, &hold) {
            object.set("statusMessage", json::quote(status_message(hold.state)));
        }
        object.set("createdAt", JsonText::of(&task.created));
        object.set("lastUpdatedAt", JsonText::of(&changed));
        let kept = u64::try_from(task.kept.as_millis()).unwrap_or(u64::MAX);
        object.set("ttl", JsonText::of(&kept));
        object.set("pollInterval", JsonText::of(&POLL_MS));
        object
    }
}

/// The session of a client whose revision has core tasks.
fn session(caller: &Caller, ask: &Ask) -> Result<Arc<Session>, Trouble> {
    let session = caller.session.clone().filter(|_| ask.revision == Revision::V2025_11_25);
    session.ok_or_else(|| no_method(ask.method.name).into())
}

/// How long the client wants its task kept.
fn asked_ttl(ask: &Ask) -> Result<Duration, MessageError> {
    let wrong = |text: &str| MessageError::new(INVALID_PARAMS, "task", text);
    let task = ask.params.object("task").ok_or_else(|| wrong("`params.task` must be an object"))?;
    let Some(ttl) = task.get("ttl").filter(|ttl| !json::is_null(ttl)) else { return Ok(KEPT) };
    let ttl = json::as_i64(ttl).and_then(|ttl| u64::try_from(ttl).ok());
    let ttl = ttl.ok_or_else(|| wrong("`params.task.ttl` must be a number of milliseconds"))?;
    Ok(Duration::from_millis(ttl).min(KEPT_AT_MOST))
}

fn is_error(what: &What) -> bool {
    let What::Result(text) = what else { return false };
    let result = Object::parse(text).unwrap_or_default();
    result.get("isError").and_then(json::as_bool) == Some(true)
}

/// The last message of a call; what comes before it has nobody to go to.
async fn last(mut out: mpsc::Receiver<Out>) -> What {
    while let Some(one) = out.recv().await {
        let Out::Last(_, parts) = one else { continue };
        let text =
            parts.iter().fold(Vec::new(), |text, part: &Bytes| [text, part.to_vec()].concat());
        let message = Object::parse(&JsonText::from_valid(text.into())).unwrap_or_default();
        return match (message.get("result"), message.get("error")) {
            (Some(result), _) => What::Result(result.clone()),
            (None, Some(error)) => What::Error(error.clone()),
            (None, None) => What::Cancelled,
        };
    }
    What::Cancelled
}
