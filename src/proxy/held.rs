//! A held call, as its agent sees it (mcp.md, section 6).
//!
//! Legacy: the stream stays open with a sign of life every 15 s and ends before 50 s; then the
//! agent is told that the call waits, and asks again by repeating it; as a core task of 2025-11-25 it
//! waits until the hold ends. Modern with the tasks
//! extension: a task. Modern without: rounds of `input_required` with nothing but `requestState`,
//! at most eight, then told to ask again. What its user can be shown or asked meanwhile is in `own`.
//! Whatever the way, an identical call belongs to the same
//! hold, and the outcome is Intercom's one answer, judged by `disclose` when it leaves.

use std::sync::Arc;
use std::time::Duration;

use super::Proxy;
use super::adapt;
use super::handler::{Ask, Caller};
use super::notes::with_notes_of;
use super::outbox::Outbox;
use super::own::Asking;
use super::relay::{result_kind, withheld_text};
use super::rounds::Round;
use super::shown::{content_of, left_of};
use super::trouble::{Trouble, tool_error_result};
use super::words::{outcome_text, pending_text};
use crate::domain::{Era, Hold, HoldEvent, HoldId, JsonText, OnDisconnect, OnRelease};
use crate::mcp::json::{self, Object};
use crate::mcp::message::{MessageError, Notification, RequestId, ResponseBody, RpcError};
use crate::mcp::methods::TASKS_EXTENSION;
use crate::mcp::reply::INVALID_PARAMS;
use crate::policy::{AnswerFacts, AnswerKind};
use crate::upstream::{Leg, run_release};

/// How often a waiting agent gets a sign of life.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);
/// An outcome in the form of the protocol.
pub(super) enum Told {
    /// A result, ready for the client.
    Result(JsonText),
    /// A JSON-RPC error.
    Error(RpcError),
}

impl Proxy {
    /// Answers a call that is held.
    pub(super) async fn held(
        self: &Arc<Self>,
        caller: &Caller,
        ask: &Ask,
        leg: &Arc<Leg>,
        mut hold: Box<Hold>,
        mut round: Round,
        outbox: &Outbox,
    ) -> Result<(), Trouble> {
        if let Some(session) = &caller.session {
            session.running(&ask.id, |running| running.hold = Some(hold.id));
        }
        if let Some((posed, answer)) = round.take_answer() {
            hold = Box::pin(self.confirmed(leg, hold.id, posed, answer)).await?;
        }
        // A hold that is sent only while the agent waits cannot be a task, which nobody waits in.
        let tasks = ask.era() == Era::Modern
            && caller.capabilities.extension(TASKS_EXTENSION)
            && hold.opened.on_release == OnRelease::Send;
        let client = &caller.client;
        let answers =
            caller.capabilities.elicitation_form() || caller.capabilities.elicitation_url();
        let waits = self.settings.holds.patience(&client.name, &client.version, answers);
        round.most = waits.rounds;
        if ask.era() == Era::Modern
            && waits.rounds > 0
            && let Some(question) = self.own_question(caller, &hold, !tasks && !round.offered)
            && self.another_round(caller, ask, (&hold, &mut round), Some(question), outbox).await
        {
            return Ok(());
        }
        if tasks && !hold.state.is_final() {
            outbox.result(&ask.id, &self.created_task(&hold)).await;
            return Ok(());
        }
        let wait = match ask.era() {
            // Until it ends by itself: by then people may have given it more time.
            _ if ask.as_task => None,
            Era::Legacy => Some(waits.wait),
            Era::Modern if waits.rounds == 0 => Some(waits.wait),
            Era::Modern => Some(waits.poll),
        };
        let mut asking = Asking::default();
        let waited = self.wait(caller, ask, leg, (hold.id, wait), &mut asking, outbox).await;
        asking.end(waited.as_ref().ok().and_then(Option::as_deref), outbox).await;
        let Some(hold) = waited? else { return Ok(()) };
        if hold.state.is_final() {
            return Box::pin(self.tell_outcome(caller, ask, leg, &hold, outbox)).await;
        }
        if ask.era() == Era::Modern
            && self.another_round(caller, ask, (&hold, &mut round), None, outbox).await
        {
            return Ok(());
        }
        let text = pending_text(&hold, self.page_of(hold.id).as_deref(), self.unseen(&hold));
        outbox.result(&ask.id, &tool_error_result(&text, ask.era())).await;
        Ok(())
    }

    /// Waits until a hold is final, for at most a span if there is one; `None` if the agent left or
    /// cancelled.
    async fn wait(
        self: &Arc<Self>,
        caller: &Caller,
        ask: &Ask,
        leg: &Arc<Leg>,
        (hold, span): (HoldId, Option<Duration>),
        asking: &mut Asking,
        outbox: &Outbox,
    ) -> Result<Option<Box<Hold>>, Trouble> {
        let mut watched = self.gate.holds().watch(hold)?;
        let mut cancelled = caller.session.as_ref().and_then(|session| session.cancelled(&ask.id));
        let deadline = span.map(|span| tokio::time::Instant::now() + span);
        let mut signs = tokio::time::interval(SIGN_OF_LIFE);
        signs.tick().await;
        let mut progress = 0_u32;
        if ask.era() == Era::Legacy {
            // Flushes the head, so that no time-out for headers cuts the wait short.
            outbox.comment().await;
        }
        loop {
            // On the heap: many wait, and a future has room for every copy that it ever holds.
            let now = Box::new(watched.borrow_and_update().clone());
            if now.state.is_final() {
                return Ok(Some(now));
            }
            if ask.era() == Era::Modern && outbox.is_closed() {
                Box::pin(self.left_behind(&now)).await;
                return Ok(None);
            }
            let ready = self.gate.holds().is_ready(&now);
            if ready && now.opened.on_release == OnRelease::AwaitRepeat {
                self.release_for(Some(leg), now.id);
            }
            if let (Some(session), false) = (&caller.session, ask.as_task) {
                Box::pin(self.ask_own(caller, session, &now, asking, outbox)).await;
            }
            tokio::select! {
                // In this order: a client that left is seen before a release that came meanwhile.
                biased;
                () = outbox.closed(), if ask.era() == Era::Modern => {
                    Box::pin(self.left_behind(&now)).await;
                    return Ok(None);
                }
                changed = watched.changed() => if changed.is_err() { return Ok(Some(now)) },
                () = passed(deadline) => return Ok(Some(now)),
                () = self.draining() => return Ok(Some(now)),
                () = cancelled_by(&mut cancelled) => {
                    // A session that ended took nothing back, and others may wait for the same.
                    let ended = caller.session.as_ref().is_some_and(|session| session.is_ended());
                    if !ended && self.gate.holds().watchers(now.id) <= 1 {
                        Box::pin(self.withdraw(now.id)).await;
                    }
                    return Ok(None);
                }
                answer = asking.answer() => if let Some((posed, answer)) = answer {
                    Box::pin(self.confirmed(leg, now.id, posed, answer)).await?;
                },
                _ = signs.tick() => {
                    progress += 1;
                    sign_of_life(ask, progress, outbox).await;
                }
            }
        }
    }

    /// Releases an approved hold for the agent that waits in it. In a task of its own: once it is
    /// claimed, the agent's leaving must not cut it off half-way.
    pub(super) fn release_for(self: &Arc<Self>, leg: Option<&Arc<Leg>>, id: HoldId) {
        let (upstream, identity) = (self.upstream.clone(), self.identity.clone());
        let leg = leg.cloned();
        tokio::spawn(async move {
            if let Err(error) = run_release(upstream, identity, leg, id).await {
                tracing::info!(hold = %id, %error, "release did not run");
            }
        });
    }

    /// The agent of a hold closed a connection whose end cancels: rules say what that does to a hold
    /// that nobody else waits for.
    async fn left_behind(&self, hold: &Hold) {
        let cancels = hold.opened.release.on_disconnect == OnDisconnect::Cancel;
        if cancels && self.gate.holds().watchers(hold.id) <= 1 {
            Box::pin(self.withdraw(hold.id)).await;
        }
    }

    /// The agent withdraws a call that waits.
    pub(super) async fn withdraw(&self, id: HoldId) {
        let reason = "the agent withdrew the call".to_owned();
        if let Err(error) = self.gate.holds().step(id, HoldEvent::Cancelled { reason }).await {
            tracing::debug!(hold = %id, %error, "hold not withdrawn");
        }
    }

    /// Notes that an outcome that nobody read at first has now been taken.
    pub(super) async fn taken(&self, hold: HoldId) {
        if let Err(error) = self.gate.deliver(hold, None, false).await {
            // An identical call gets it once more.
            tracing::warn!(%hold, %error, "not recorded that the outcome was taken");
        }
    }

    /// Answers with what became of a hold.
    async fn tell_outcome(
        &self,
        caller: &Caller,
        ask: &Ask,
        leg: &Leg,
        hold: &Hold,
        outbox: &Outbox,
    ) -> Result<(), Trouble> {
        let unread = ask.as_task || outbox.is_closed() || !has_reader(caller, &ask.id, hold.id);
        let told = self.outcome(caller, ask, leg, hold, unread).await?;
        match told {
            Told::Result(text) => outbox.result(&ask.id, &text).await,
            Told::Error(error) => {
                super::relay::rpc_error(ask, &error, outbox).await;
                true
            }
        };
        Ok(())
    }

    /// What became of a final hold, judged by `disclose` and noted as delivered; an `unread` one
    /// stays owed.
    pub(super) async fn outcome(
        &self,
        caller: &Caller,
        ask: &Ask,
        leg: &Leg,
        hold: &Hold,
        unread: bool,
    ) -> Result<Told, Trouble> {
        let era = ask.era();
        let Some((text, is_protocol_error)) = self.gate.stored_answer(hold) else {
            self.gate.deliver(hold.id, None, unread).await?;
            return Ok(Told::Result(tool_error_result(&outcome_text(hold), era)));
        };
        let kind =
            if is_protocol_error { AnswerKind::Error } else { result_kind("tools/call", &text) };
        let call = self
            .gate
            .stored_call(hold, &self.identity)
            .map_err(|reason| Trouble::from(MessageError::new(INVALID_PARAMS, "hold", reason)))?;
        let bytes = text.bytes().len() as u64;
        let body = if is_protocol_error {
            ResponseBody::Error(stored_error(&text))
        } else {
            ResponseBody::Result(text)
        };
        let facts = AnswerFacts { kind, method: None, bytes, content: content_of(&call, &body) };
        let disclosed = self.gate.disclose(&call, &facts).await;
        self.gate.deliver(hold.id, disclosed.to_record(), unread).await?;
        if !disclosed.is_allowed() {
            let text = withheld_text(&disclosed.decision);
            return Ok(Told::Result(tool_error_result(&text, era)));
        }
        let text = match left_of(body, disclosed.edited, era) {
            Ok(ResponseBody::Result(text)) => text,
            Ok(ResponseBody::Error(error)) => return Ok(Told::Error(error)),
            Err(words) => return Ok(Told::Result(tool_error_result(&words, era))),
        };
        match adapt::result(self.gate.sealer(), caller, ask, leg, &text) {
            Ok(text) => Ok(Told::Result(with_notes_of(&call, text))),
            Err(_) => {
                let text = "the call was released and sent, but Intercom's answer has a form that \
                            this client cannot take";
                Ok(Told::Result(tool_error_result(text, era)))
            }
        }
    }
}

/// Whether somebody reads the answer to a request, as far as can be told.
fn has_reader(caller: &Caller, id: &RequestId, hold: HoldId) -> bool {
    caller.session.as_ref().is_none_or(|session| session.has_reader(id, hold))
}

fn stored_error(text: &JsonText) -> RpcError {
    let object = Object::parse(text).unwrap_or_default();
    RpcError {
        code: object.get("code").and_then(json::as_i64).unwrap_or_default(),
        message: object.str("message").unwrap_or_default().into_owned(),
        data: object.get("data").cloned(),
    }
}

/// Tells the client that its call still waits: as progress where it asked for that, else as a comment.
async fn sign_of_life(ask: &Ask, progress: u32, outbox: &Outbox) {
    match &ask.progress {
        Some(token) if ask.era() == Era::Legacy => {
            let mut params = Object::default();
            params.set("progressToken", token.to_text());
            params.set("progress", JsonText::of(&progress));
            params.set("message", json::quote("waiting for a person to decide"));
            let method = "notifications/progress".to_owned();
            let note = Notification { method, params, meta: Object::default() };
            outbox.message(note.write()).await
        }
        _ => outbox.comment().await,
    };
}

async fn passed(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

async fn cancelled_by(cancelled: &mut Option<tokio::sync::watch::Receiver<bool>>) {
    if let Some(cancelled) = cancelled
        && cancelled.wait_for(|cancelled| *cancelled).await.is_ok()
    {
        return;
    }
    std::future::pending().await
}
