//! Questions of a modern Intercom for the user of a legacy client: `input_required` as requests on the
//! stream of the call, and the call again with the answers.
//!
//! Only for tool calls whose client declared that it can answer, with somebody listening on the way. Each
//! repetition is resolved and judged like the first call, answers included, and spends a permit of its own.
//! None waits for a person: its digest has the answers in it, which the agent does not have, so it could
//! never come back for what became of it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::Proxy;
use super::adapt::can_answer;
use super::handler::{Ask, Caller, left};
use super::outbox::Outbox;
use super::own::taken_back;
use super::session::{Asked, Session};
use super::tools::Wanted;
use super::trouble::tool_error;
use crate::clock;
use crate::domain::{Era, JsonText, Revision};
use crate::mcp::json::{self, Object};
use crate::mcp::message::{Request, RequestId, ResponseBody};
use crate::mcp::methods::{self, Form, Sender};
use crate::policy::AnswerKind;
use crate::upstream::{Leg, new_call_id};

/// The most rounds of questions of one call, as clients of the modern era have it.
pub(super) const ROUNDS: usize = 10;

/// How often it is looked whether the key of a waiting call still counts.
const LOOKS: Duration = Duration::from_secs(1);

const UNANSWERED: &str = "Intercom asked for something that the client did not answer in time, so the call \
                          did not go on";
const TOO_MANY_OPEN: &str = "Intercom asked for something, but too many questions are open in this session \
                             already, so the user was not asked and the call did not go on; call again \
                             when those are answered";
const STOPPING: &str = "Intercom asked for something, but Portcullis is being stopped, so the call did not \
                        go on; call again in a moment";
const FORGOTTEN: &str = "the key of this call stopped counting while the user was asked, so the call did \
                         not go on";

/// Whether a caller's questions can go this way: what it declared is then declared to Intercom.
pub(super) fn can_carry(caller: &Caller, ask: &Ask, leg: &Leg) -> bool {
    (ask.era(), leg.era()) == (Era::Legacy, Era::Modern)
        && ask.method.name == "tools/call"
        && caller.session.is_some()
        && !ask.as_task
}

/// The questions of a result that the client of a session can answer.
pub(super) fn questions(
    caller: &Caller,
    ask: &Ask,
    leg: &Leg,
    kind: AnswerKind,
    text: &JsonText,
) -> Option<Object> {
    if kind != AnswerKind::InputRequired || !can_carry(caller, ask, leg) {
        return None;
    }
    let asked = Object::parse(text)?;
    can_answer(&caller.capabilities, &asked).ok()?;
    let knows = |(_, question): (&str, &JsonText)| {
        let question = Object::parse(question).unwrap_or_default();
        let method = question.str("method").unwrap_or_default().into_owned();
        let params = question.object("params").unwrap_or_default();
        let is_link = params.str("mode").as_deref() == Some("url");
        methods::find(Sender::Server, Form::Request, &method, caller.revision).is_some()
            && (!is_link || caller.revision == Revision::V2025_11_25)
    };
    asked.object("inputRequests").unwrap_or_default().iter().all(knows).then_some(asked)
}

impl Proxy {
    /// Asks the user and puts their answers into what goes to Intercom; `false` if there are none, and the
    /// client was told or left. The user has as long as a held call is waited for (`holds.wait`): clients
    /// give up a request at that age, whatever it waits for.
    pub(super) async fn answered(
        &self,
        caller: &Caller,
        ask: &Ask,
        asked: &Object,
        wanted: &mut Wanted,
        outbox: &Outbox,
    ) -> bool {
        let Some(session) = &caller.session else { return false };
        let client = &caller.client;
        let patience = self.settings.holds.patience(&client.name, &client.version, true).wait;
        let deadline = Instant::now() + patience;
        let mut answers = Object::default();
        for (key, question) in asked.object("inputRequests").unwrap_or_default().iter() {
            let Some(OpenQuestion { message, mut answer }) = open(session, question) else {
                return unfinished(ask, TOO_MANY_OPEN, outbox).await;
            };
            outbox.message(message).await;
            let taken_back = taken_back(&answer.id);
            let body = tokio::select! {
                body = &mut answer.receiver => body,
                () = tokio::time::sleep_until(deadline) => {
                    outbox.message(taken_back).await;
                    return unfinished(ask, UNANSWERED, outbox).await;
                }
                () = self.draining() => {
                    outbox.message(taken_back).await;
                    return unfinished(ask, STOPPING, outbox).await;
                }
                () = self.unknown(caller) => {
                    self.forgotten(caller, ask, outbox).await;
                    return false;
                }
                () = left(caller, ask, outbox) => return false,
            };
            match body {
                Ok(ResponseBody::Result(text)) => answers.set(key, text),
                Ok(ResponseBody::Error(_)) | Err(_) => {
                    return unfinished(ask, UNANSWERED, outbox).await;
                }
            }
        }
        wanted.input_responses = (!answers.is_empty()).then(|| answers.to_text());
        wanted.request_state = asked.get("requestState").cloned();
        true
    }

    /// Whether the key of a call that waited for its user would still let it in.
    pub(super) fn is_still_known(&self, caller: &Caller) -> bool {
        self.identity.is_good(&caller.credential, clock::now())
    }

    /// Resolves when it would not.
    async fn unknown(&self, caller: &Caller) {
        let mut looks = tokio::time::interval(LOOKS);
        loop {
            looks.tick().await;
            if !self.is_still_known(caller) {
                return;
            }
        }
    }

    /// Ends a call whose key stopped counting while its user was asked.
    pub(super) async fn forgotten(&self, caller: &Caller, ask: &Ask, outbox: &Outbox) {
        self.gate.refused(&caller.principal, "credential.revoked", FORGOTTEN);
        unfinished(ask, FORGOTTEN, outbox).await;
    }
}

/// Says why a call that was sent does not go on: never "try again" alone, as if nothing had been.
async fn unfinished(ask: &Ask, why: &str, outbox: &Outbox) -> bool {
    tool_error(outbox, ask, why).await;
    false
}

/// A question on its way to the client.
struct OpenQuestion {
    message: bytes::Bytes,
    answer: Pending,
}

/// Its answer; dropped, nobody may answer it any more.
struct Pending {
    session: Arc<Session>,
    id: RequestId,
    receiver: oneshot::Receiver<ResponseBody>,
}

impl Drop for Pending {
    fn drop(&mut self) {
        let _answer = self.session.answered(&self.id);
    }
}

/// Opens a question in a session; `None` if too many are open.
fn open(session: &Arc<Session>, question: &JsonText) -> Option<OpenQuestion> {
    let question = Object::parse(question)?;
    let (sender, receiver) = oneshot::channel();
    let id = session.ask(Asked::Ours(sender))?;
    let answer = Pending { session: session.clone(), id: id.clone(), receiver };
    let mut params = question.object("params").unwrap_or_default();
    if params.str("mode").as_deref() == Some("url") && !params.contains("elicitationId") {
        // This era knows each by a number.
        params.set("elicitationId", json::quote(&new_call_id().to_string()));
    }
    let method = question.str("method")?.into_owned();
    let message = Request { id, method, params, meta: Object::default() }.write();
    Some(OpenQuestion { message, answer })
}
