//! What Portcullis itself asks the user of a held call's agent, through their own client.
//!
//! Where the hold's rules let the person whom the agent acts for confirm it, they are shown exactly what
//! would be sent and asked whether it may (elicitation in form mode); not where pseudonyms are turned back
//! in it, for their client must not show what is sent then. Where the approvers' page has a
//! public address, the user is shown where the hold can be looked at (URL mode): a link that shows
//! something to those who may sign in there, and decides nothing. Either only if the client declared
//! that it can. In the modern era the questions travel in rounds (`rounds`), in the legacy era as
//! requests on the stream of the call, under ids that only this session can answer, once.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::oneshot;

use super::Proxy;
use super::handler::Caller;
use super::outbox::Outbox;
use super::relay::can_be_asked;
use super::session::{Asked, Session};
use super::trouble::Trouble;
use crate::domain::{
    Era, Hold, HoldId, HoldState, JsonText, OnRelease, OwnAnswer, Revision, is_hidden, told,
};
use crate::gate::{Askable, Confirming, Contents, DecideError, Looked, Posed};
use crate::holds::HoldError;
use crate::mcp::json::{self, Object};
use crate::mcp::message::{Notification, Request, RequestId, ResponseBody};
use crate::mcp::methods::{self, Form, Sender};
use crate::upstream::Leg;

/// The method of all our questions.
const ELICIT: &str = "elicitation/create";
/// The most that a question shows, in characters; what is longer nobody reads in a dialog, so it is not
/// asked and other people decide.
const LONGEST: usize = 12_000;
/// How often one waiting call asks, at most: a question that changed or was not answered is asked again.
const QUESTIONS: u32 = 3;
/// The one field of the form.
const SEND: &str = "send";

/// A question about a held call.
pub(super) enum Question {
    /// Where the hold can be looked at.
    Link { hold: HoldId, url: String },
    /// Whether exactly this may be sent.
    Confirm { posed: Posed, text: String },
}

impl Question {
    /// The parameters of `elicitation/create`; `numbered` where the protocol wants the id of a link.
    pub(super) fn params(&self, numbered: bool) -> Object {
        let mut params = Object::default();
        match self {
            Self::Link { hold, url } => {
                let text = "Portcullis holds this call until a person decides on it. People who may \
                            decide can look at it here; opening the page decides nothing.";
                params.set("mode", json::quote("url"));
                params.set("message", json::quote(text));
                params.set("url", json::quote(url));
                if numbered {
                    params.set("elicitationId", json::quote(&hold.to_string()));
                }
            }
            Self::Confirm { text, .. } => {
                params.set("message", json::quote(text));
                params.set("requestedSchema", form());
            }
        }
        params
    }
}

/// What one waiting call of a legacy client asks its user.
#[derive(Default)]
pub(super) struct Asking {
    open: Option<Open>,
    asked: u32,
    offered: bool,
}

/// A question that waits for its answer.
struct Open {
    session: Arc<Session>,
    id: RequestId,
    /// What is to be confirmed; nothing where only an address is shown.
    posed: Option<Posed>,
    answer: oneshot::Receiver<ResponseBody>,
}

impl Drop for Open {
    fn drop(&mut self) {
        let _answer = self.session.answered(&self.id);
    }
}

impl Asking {
    /// The answer to the open question; pending for ever if there is none. `None` if the answer says
    /// nothing about the call.
    pub(super) async fn answer(&mut self) -> Option<(Posed, OwnAnswer)> {
        let Some(open) = &mut self.open else { return std::future::pending().await };
        let body = (&mut open.answer).await;
        let posed = self.open.take()?.posed.take()?;
        match body {
            Ok(ResponseBody::Result(text)) => Some((posed, said(&text)?)),
            Ok(ResponseBody::Error(_)) | Err(_) => None,
        }
    }

    /// Takes back a question that nobody needs to answer any more, and says that the page behind a link
    /// has done its work.
    pub(super) async fn end(self, hold: Option<&Hold>, outbox: &Outbox) {
        if let Some(open) = &self.open {
            outbox.message(taken_back(&open.id)).await;
        }
        if let Some(hold) = hold.filter(|hold| self.offered && hold.state.is_final()) {
            let id = json::quote(&hold.id.to_string());
            outbox.message(note("notifications/elicitation/complete", "elicitationId", id)).await;
        }
    }
}

impl Proxy {
    /// Where people look at a hold, if browsers find the approvers' page under a public address.
    pub(super) fn page_of(&self, hold: HoldId) -> Option<String> {
        self.settings.page.as_ref().map(|page| format!("{page}/holds/{hold}"))
    }

    /// That the user of an agent cannot confirm a call although rules let them, in words for the agent.
    pub(super) fn unseen(&self, hold: &Hold) -> Option<&'static str> {
        let is_unseen = matches!(self.gate.askable(hold, &self.identity), Askable::Unseen);
        is_unseen.then_some(
            "its user cannot confirm it, for pseudonyms in it are turned back into what this client must \
             not show, so approvers decide",
        )
    }

    /// What the user of this client is to be asked about a hold now; a `link` only if they were not
    /// shown it already.
    pub(super) fn own_question(
        &self,
        caller: &Caller,
        hold: &Hold,
        link: bool,
    ) -> Option<Question> {
        if hold.state != HoldState::Pending {
            return None;
        }
        let confirm = || match self.gate.askable(hold, &self.identity) {
            Askable::Yes(posed, contents) => {
                Some(Question::Confirm { posed, text: summary(hold, &contents)? })
            }
            Askable::Unseen | Askable::No => None,
        };
        let link = || {
            let url = self.page_of(hold.id).filter(|_| link)?;
            Some(Question::Link { hold: hold.id, url })
        };
        confirm().filter(|it| can_take(caller, it)).or_else(link).filter(|it| can_take(caller, it))
    }

    /// Asks the user of a legacy client what is to be asked, if nothing is being asked.
    pub(super) async fn ask_own(
        &self,
        caller: &Caller,
        session: &Arc<Session>,
        hold: &Hold,
        asking: &mut Asking,
        outbox: &Outbox,
    ) {
        if asking.open.is_some() || asking.asked >= QUESTIONS {
            return;
        }
        let Some(question) = self.own_question(caller, hold, !asking.offered) else { return };
        let (sender, answer) = oneshot::channel();
        let Some(id) = session.ask(Asked::Ours(sender)) else { return };
        let (method, params) = (ELICIT.to_owned(), question.params(true));
        let posed = match question {
            Question::Link { .. } => None,
            Question::Confirm { posed, .. } => Some(posed),
        };
        asking.asked += 1;
        asking.offered |= posed.is_none();
        asking.open = Some(Open { session: session.clone(), id: id.clone(), posed, answer });
        outbox.message(Request { id, method, params, meta: Object::default() }.write()).await;
    }

    /// Takes the answer of the person whom the agent acts for; the hold as it is now. What cannot count
    /// leaves the hold to others.
    pub(super) async fn confirmed(
        self: &Arc<Self>,
        leg: &Arc<Leg>,
        id: HoldId,
        posed: Posed,
        answer: OwnAnswer,
    ) -> Result<Box<Hold>, Trouble> {
        let looked = match answer {
            OwnAnswer::Accepted => {
                self.upstream.target_of_hold(Some(leg), id, &self.identity).await
            }
            OwnAnswer::Declined | OwnAnswer::Left => Looked::Nothing,
        };
        let confirming = Confirming { hold: id, posed, answer, looked, identity: &self.identity };
        match self.gate.confirm(&confirming).await {
            Ok(hold) => {
                if hold.state == HoldState::Approved && hold.opened.on_release == OnRelease::Send {
                    self.release_for(None, id);
                }
                Ok(Box::new(hold))
            }
            Err(DecideError::Hold(HoldError::Log(error))) => Err(HoldError::Log(error).into()),
            Err(error) => {
                tracing::info!(hold = %id, %error, "the answer of the agent's user does not count");
                Ok(Box::new(self.gate.holds().hold(id)?))
            }
        }
    }
}

/// Says that a question needs no answer any more.
pub(super) fn taken_back(question: &RequestId) -> Bytes {
    note("notifications/cancelled", "requestId", question.to_text())
}

fn note(method: &str, key: &str, value: JsonText) -> Bytes {
    let (method, params) = (method.to_owned(), Object::from_iter([(key, value)]));
    Notification { method, params, meta: Object::default() }.write()
}

/// Whether a client can be asked this: it declared so, and its revision knows how.
fn can_take(caller: &Caller, question: &Question) -> bool {
    let knows = match (question, caller.revision.era()) {
        (_, Era::Modern) => true,
        (Question::Link { .. }, Era::Legacy) => caller.revision == Revision::V2025_11_25,
        (Question::Confirm { .. }, Era::Legacy) => {
            methods::find(Sender::Server, Form::Request, ELICIT, caller.revision).is_some()
        }
    };
    knows && can_be_asked(&caller.capabilities, ELICIT, &question.params(false))
}

/// What somebody said to a form of ours; `None` if that is no answer. Sending the form off without its
/// tick is none.
pub(super) fn said(answer: &JsonText) -> Option<OwnAnswer> {
    let answer = Object::parse(answer)?;
    match &*answer.str("action")? {
        "accept" => {
            let send = answer.object("content")?.get(SEND).and_then(json::as_bool)?;
            send.then_some(OwnAnswer::Accepted)
        }
        "decline" => Some(OwnAnswer::Declined),
        "cancel" => Some(OwnAnswer::Left),
        _ => None,
    }
}

/// The form: one box, which is not ticked.
fn form() -> JsonText {
    JsonText::of(&serde_json::json!({
        "type": "object",
        "properties": { SEND: {
            "type": "boolean",
            "title": "Send it to Intercom",
            "description": "Exactly what is shown above, once.",
            "default": false,
        } },
        "required": [SEND],
    }))
}

/// What would be sent, whole and in plain sight; `None` if it is too long to be read in a dialog. What
/// the agent wrote stands as JSON, so that it cannot pass for words of ours, and letters that cannot be
/// seen are written out.
fn summary(hold: &Hold, contents: &Contents) -> Option<String> {
    let arguments = JsonText::from_valid(contents.arguments.clone().into_bytes().into());
    let arguments = Object::parse(&arguments)?;
    let mut lines = vec![
        format!("Portcullis holds a call of `{}` and has sent nothing.", hold.binding().tool),
        format!("Held because: {}", visible(&told(&hold.opened.reasons))),
        "Your agent wants to send exactly this to Intercom:".to_owned(),
    ];
    let line = |(key, value): (&str, &JsonText)| {
        format!("  {}: {}", visible(key), visible(value.as_str()))
    };
    lines.extend(arguments.iter().map(line));
    if let Some(beside) = &contents.beside {
        lines.push(format!("and beside it: {}", visible(beside)));
    }
    lines.push(
        "Tick the box and accept to have it sent, once. Decline to refuse it. Cancel to leave it to \
         the approvers."
            .to_owned(),
    );
    let text = lines.join("\n");
    (text.chars().count() <= LONGEST).then_some(text)
}

/// JSON text with the letters that cannot be seen written out.
fn visible(text: &str) -> String {
    let mut seen = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_hidden(letter) {
            let mut units = [0; 2];
            let escaped =
                letter.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}"));
            seen.extend(escaped);
        } else {
            seen.push(letter);
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> JsonText {
        JsonText::from_valid(text.to_owned().into_bytes().into())
    }

    #[test]
    fn only_a_tick_that_is_sent_off_releases() {
        for (answer, expected) in [
            (r#"{"action":"accept","content":{"send":true}}"#, Some(OwnAnswer::Accepted)),
            (r#"{"action":"accept","content":{"send":false}}"#, None),
            (r#"{"action":"accept","content":{"send":"true"}}"#, None),
            (r#"{"action":"accept","content":{}}"#, None),
            (r#"{"action":"accept"}"#, None),
            (r#"{"action":"decline","content":{"send":true}}"#, Some(OwnAnswer::Declined)),
            (r#"{"action":"cancel"}"#, Some(OwnAnswer::Left)),
            (r#"{"action":"Accept","content":{"send":true}}"#, None),
            (r#"{"content":{"send":true}}"#, None),
            ("null", None),
            ("7", None),
        ] {
            assert_eq!(said(&text(answer)), expected, "{answer}");
        }
    }

    #[test]
    fn what_cannot_be_seen_is_written_out() {
        assert_eq!(visible("a\u{202e}b\u{e0041}c"), "a\\u202eb\\udb40\\udc41c");
    }
}
