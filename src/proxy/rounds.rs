//! Rounds of `input_required` (2026-07-28): how a held call waits for a modern client without tasks, and
//! how its user is asked.
//!
//! All that Portcullis must know of a round is in `requestState`, sealed for the principal: which hold,
//! which round, what was asked of whom, about which version and which bytes. An answer counts only with the state of the very
//! round that asked, so it cannot be made up, taken from somebody else, or used for another call; that it
//! is used once, the hold sees to.

use serde::{Deserialize, Serialize};

use super::Proxy;
use super::handler::{Ask, Caller};
use super::outbox::Outbox;
use super::own::{Question, said};
use super::tools::Wanted;
use crate::domain::{Hold, HoldId, JsonText, OwnAnswer, PrincipalId};
use crate::gate::Posed;
use crate::mcp::json::{self, Object};
use crate::mcp::message::MessageError;
use crate::mcp::reply::INVALID_PARAMS;

/// What our own `requestState` begins with; anything else is Intercom's and passes untouched.
const STATE_PREFIX: &str = "pch1.";
/// The key of our one question in `inputRequests`.
const KEY: &str = "portcullis";

/// One round of a held call.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Round {
    /// The hold; none in the first round, which knows none yet.
    pub(super) hold: Option<HoldId>,
    number: usize,
    /// How many there are at most.
    #[serde(skip)]
    pub(super) most: usize,
    /// Whether the user was shown where the hold can be looked at.
    #[serde(default)]
    pub(super) offered: bool,
    /// What the round asks.
    #[serde(default)]
    asked: Option<Asked>,
    /// What goes to Intercom beside the arguments, which the client sends with its first round alone.
    #[serde(default)]
    beside: Option<(Option<String>, Option<String>)>,
    /// The answer that came.
    #[serde(skip)]
    answer: Option<JsonText>,
}

#[derive(Serialize, Deserialize)]
enum Asked {
    /// Nothing; the user was shown an address.
    Link,
    /// To confirm this.
    Confirm(Posed),
}

impl Round {
    /// The answer of the user to the question of this round, and what it was about.
    pub(super) fn take_answer(&mut self) -> Option<(Posed, OwnAnswer)> {
        match (self.asked.take()?, self.answer.take()?) {
            (Asked::Confirm(posed), answer) => Some((posed, said(&answer)?)),
            (Asked::Link, _) => None,
        }
    }
}

impl Proxy {
    /// Reads which round a call is. Our own `requestState` and the answers to our questions are taken
    /// out of it; what the client sent to Intercom's with the first round is put back.
    ///
    /// # Errors
    /// If the state was altered or is another principal's, or answers come that nobody asked for (-32602).
    pub(super) fn round(
        &self,
        caller: &Caller,
        wanted: &mut Wanted,
    ) -> Result<Round, MessageError> {
        let text = wanted.request_state.as_ref().and_then(json::as_str);
        let Some(sealed) = text.as_deref().and_then(|text| text.strip_prefix(STATE_PREFIX)) else {
            let text = |text: &Option<JsonText>| text.as_ref().map(|it| it.as_str().to_owned());
            let beside = (text(&wanted.input_responses), text(&wanted.request_state));
            let beside = Some(beside).filter(|it| it.0.is_some() || it.1.is_some());
            return Ok(Round { beside, ..Round::default() });
        };
        let wrong = |text: &str| MessageError::new(INVALID_PARAMS, "request_state", text);
        let altered =
            || wrong("`requestState` was altered or is not yours; repeat the call without it");
        let context = state_context(&caller.principal.id);
        let plain = self.gate.sealer().open(&context, sealed).map_err(|_| altered())?;
        let mut round: Round = serde_json::from_slice(&plain).map_err(|_| altered())?;
        let answers = wanted.input_responses.take();
        if answers.is_some() && round.asked.is_none() {
            return Err(wrong("`inputResponses` answers a question that nobody asked"));
        }
        round.answer = answers.and_then(|it| Object::parse(&it)?.get(KEY).cloned());
        let (responses, state) = round.beside.clone().unwrap_or_default();
        let text = |text: String| JsonText::from_valid(text.into_bytes().into());
        (wanted.input_responses, wanted.request_state) = (responses.map(text), state.map(text));
        Ok(round)
    }

    /// Answers with another round, which asks the user something or only waits; `false` if there were
    /// enough.
    pub(super) async fn another_round(
        &self,
        caller: &Caller,
        ask: &Ask,
        (hold, round): (&Hold, &mut Round),
        question: Option<Question>,
        outbox: &Outbox,
    ) -> bool {
        if round.number >= round.most {
            return false;
        }
        let mut result = Object::default();
        result.set("resultType", json::quote("input_required"));
        round.asked = None;
        if let Some(question) = question {
            let mut request = Object::default();
            request.set("method", json::quote("elicitation/create"));
            request.set("params", question.params(false).to_text());
            let requests = Object::from_iter([(KEY, request.to_text())]);
            result.set("inputRequests", requests.to_text());
            round.asked = Some(match question {
                Question::Link { .. } => Asked::Link,
                Question::Confirm { posed, .. } => Asked::Confirm(posed),
            });
            round.offered |= matches!(round.asked, Some(Asked::Link));
        }
        (round.hold, round.number) = (Some(hold.id), round.number + 1);
        let context = state_context(&caller.principal.id);
        let Ok(sealed) = self.gate.sealer().seal(&context, JsonText::of(round).bytes()) else {
            return false;
        };
        result.set("requestState", json::quote(&format!("{STATE_PREFIX}{sealed}")));
        outbox.result(&ask.id, &result.to_text()).await;
        true
    }
}

fn state_context(principal: &PrincipalId) -> String {
    format!("state/{principal}")
}
