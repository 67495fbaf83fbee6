//! The tasks extension: holds as tasks, and Intercom's own tasks, bound to the principal.

use std::sync::Arc;

use super::Proxy;
use super::adapt::{self, unwrap_task};
use super::handler::{Ask, Caller, continued, left};
use super::held::Told;
use super::outbox::Outbox;
use super::shown::Shown;
use super::trouble::Trouble;
use crate::domain::{Era, Hold, HoldId, HoldState, JsonText, OutcomeKind, Subject};
use crate::mcp::json::{self, Object};
use crate::mcp::message::{MessageError, ResponseBody};
use crate::mcp::methods::TASKS_EXTENSION;
use crate::mcp::reply::{INVALID_PARAMS, MISSING_CAPABILITY};
use crate::upstream::FromServer;

/// How often a client should ask about a hold, in milliseconds.
const POLL_MS: u64 = 5_000;

impl Proxy {
    /// The result that makes a held call a task.
    pub(super) fn created_task(&self, hold: &Hold) -> JsonText {
        let mut task = self.working(hold);
        task.set("resultType", json::quote("task"));
        task.to_text()
    }

    /// A task that waits or is being worked on, with where people look at it.
    fn working(&self, hold: &Hold) -> Object {
        let mut task = fields(hold, "working");
        if hold.state == HoldState::Pending {
            let unasked = self.unseen(hold).map(|why| format!("; {why}")).unwrap_or_default();
            let page = self.page_of(hold.id).map(|page| format!(" at {page}")).unwrap_or_default();
            let message = format!("{}{page}{unasked}", status_message(hold.state));
            task.set("statusMessage", json::quote(&message));
        }
        task
    }

    /// `tasks/get`, `tasks/update`, `tasks/cancel`.
    pub(super) async fn task(
        self: &Arc<Self>,
        caller: &Caller,
        ask: &Ask,
        outbox: &Outbox,
    ) -> Result<(), Trouble> {
        if !caller.capabilities.extension(TASKS_EXTENSION) {
            return Err(missing_extension().into());
        }
        let id = ask.params.str("taskId").ok_or_else(|| {
            MessageError::new(INVALID_PARAMS, "params", "`params.taskId` must name a task")
        })?;
        match id.parse::<HoldId>() {
            Ok(hold) => self.hold_task(caller, ask, hold, outbox).await,
            Err(_) => self.upstream_task(caller, ask, &id, outbox).await,
        }
    }

    /// A hold, asked about as a task.
    async fn hold_task(
        self: &Arc<Self>,
        caller: &Caller,
        ask: &Ask,
        id: HoldId,
        outbox: &Outbox,
    ) -> Result<(), Trouble> {
        let hold = self.gate.holds().hold(id).ok();
        let hold = hold.filter(|hold| hold.binding().principal == caller.principal.id);
        let hold = hold.ok_or_else(unknown_task)?;
        let result = match ask.method.name {
            "tasks/get" => self.hold_status(caller, ask, &hold, outbox).await?,
            "tasks/cancel" => {
                self.withdraw(id).await;
                acknowledged()
            }
            // A hold asks its agent nothing, so there is no key that an update could answer.
            _ => acknowledged(),
        };
        outbox.result(&ask.id, &result).await;
        Ok(())
    }

    /// The whole task of a hold.
    pub(super) async fn hold_status(
        self: &Arc<Self>,
        caller: &Caller,
        ask: &Ask,
        hold: &Hold,
        outbox: &Outbox,
    ) -> Result<JsonText, Trouble> {
        let mut task = match hold.state {
            HoldState::Cancelled => fields(hold, "cancelled"),
            state if state.is_final() => {
                let leg = self.leg(caller).await?;
                match self.outcome(caller, ask, &leg, hold, outbox.is_closed()).await? {
                    Told::Result(text) => {
                        let mut task = fields(hold, "completed");
                        task.set("result", text);
                        task
                    }
                    Told::Error(error) => {
                        let mut task = fields(hold, "failed");
                        let mut object = Object::default();
                        object.set("code", JsonText::of(&error.code));
                        object.set("message", json::quote(&error.message));
                        if let Some(data) = error.data {
                            object.set("data", data);
                        }
                        task.set("error", object.to_text());
                        task
                    }
                }
            }
            _ => self.working(hold),
        };
        task.set("resultType", json::quote("complete"));
        Ok(task.to_text())
    }

    /// A task of Intercom: its id is ours, sealed for the principal.
    async fn upstream_task(
        self: &Arc<Self>,
        caller: &Caller,
        ask: &Ask,
        id: &str,
        outbox: &Outbox,
    ) -> Result<(), Trouble> {
        let theirs =
            unwrap_task(self.gate.sealer(), &caller.principal.id, id).ok_or_else(unknown_task)?;
        let leg = self.leg(caller).await?;
        if leg.era() == Era::Legacy {
            return Err(unknown_task().into());
        }
        let mut params = ask.params.clone();
        params.set("taskId", json::quote(&theirs));
        let subject = Subject::Task { id: theirs };
        let (params, continuation) = continued(&params);
        let payload = json::compact(&params.to_text());
        let call = self.call(caller, ask, subject, payload, continuation);
        let permit = self.permit(call, Vec::new()).await?;
        let sent = self.send(caller, ask, &leg, permit, outbox).await?;
        let Some(mut exchange) = sent else { return Ok(()) };
        loop {
            let next = tokio::select! {
                next = exchange.next() => next?,
                () = left(caller, ask, outbox) => return Ok(()),
            };
            let FromServer::Answer(answer) = next else { continue };
            let Some(Shown { body, bytes, recorded, .. }) =
                self.shown(ask, &mut exchange, answer, outbox).await
            else {
                return Ok(());
            };
            match body {
                ResponseBody::Result(text) => {
                    let mut result = Object::parse(&text).unwrap_or_default();
                    if let Err(unfit) = adapt::can_answer(&caller.capabilities, &result) {
                        exchange.spent().complete(OutcomeKind::Withheld, bytes, recorded);
                        unfit.tell(ask, outbox).await;
                        return Ok(());
                    }
                    exchange.spent().complete(OutcomeKind::Answered, bytes, recorded);
                    if result.contains("taskId") {
                        result.set("taskId", json::quote(id));
                    }
                    adapt::complete(&mut result, ask);
                    outbox.result(&ask.id, &result.to_text()).await;
                }
                ResponseBody::Error(error) => {
                    exchange.spent().complete(OutcomeKind::Error, bytes, recorded);
                    super::relay::rpc_error(ask, &error, outbox).await;
                }
            }
            return Ok(());
        }
    }
}

/// The fields that every form of a hold's task has.
fn fields(hold: &Hold, status: &str) -> Object {
    let mut task = Object::default();
    let ttl = hold.readable_until().since(hold.opened_at).as_millis() as u64;
    task.set("taskId", json::quote(&hold.id.to_string()));
    task.set("status", json::quote(status));
    task.set("statusMessage", json::quote(status_message(hold.state)));
    task.set("createdAt", JsonText::of(&hold.opened_at));
    task.set("lastUpdatedAt", JsonText::of(&hold.changed_at));
    task.set("ttlMs", JsonText::of(&ttl));
    task.set("pollIntervalMs", JsonText::of(&POLL_MS));
    task
}

pub(super) const fn status_message(state: HoldState) -> &'static str {
    match state {
        HoldState::Pending => "waiting for a person to approve this call",
        HoldState::Approved | HoldState::Claimed => "approved; about to be sent to Intercom",
        HoldState::Sending => "approved; being sent to Intercom",
        HoldState::Stale => "something changed since the approval; waiting again",
        HoldState::Executed => "approved and executed",
        HoldState::Failed => "approved, but it failed",
        HoldState::Unknown => "approved and sent; the outcome is not known",
        HoldState::Rejected => "a person refused this call",
        HoldState::ChangesRequested => "a person asked for changes",
        HoldState::Expired => "nobody decided in time",
        HoldState::Lapsed => "the approval was not used in time",
        HoldState::Cancelled => "withdrawn",
        HoldState::Revoked => "the approval was taken back",
    }
}

fn acknowledged() -> JsonText {
    let mut object = Object::default();
    object.set("resultType", json::quote("complete"));
    object.to_text()
}

fn unknown_task() -> MessageError {
    MessageError::new(INVALID_PARAMS, "task", "there is no such task, or it is over")
}

fn missing_extension() -> MessageError {
    let mut extensions = Object::default();
    extensions.set(TASKS_EXTENSION, JsonText::empty_object());
    let mut required = Object::default();
    required.set("extensions", extensions.to_text());
    let mut data = Object::default();
    data.set("requiredCapabilities", required.to_text());
    let text = "this request must declare the tasks extension";
    MessageError::new(MISSING_CAPABILITY, "capability", text).with_data(data.to_text())
}
