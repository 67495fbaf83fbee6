//! `tools/list` and `tools/call`: the road of a tool call, from the client's side.

use std::collections::HashMap;
use std::sync::Arc;

use super::Proxy;
use super::adapt::LIST_TTL_MS;
use super::carry;
use super::core_tasks;
use super::handler::{Ask, Caller};
use super::outbox::Outbox;
use super::relay;
use super::trouble::{Trouble, tool_error};
use crate::domain::{Call, Era, Finding, JsonText, OnRelease, Revision, Subject};
use crate::gate::{Admission, CANNOT_WAIT, Holding, Looked, TARGET_UNKNOWN};
use crate::intercom::records::Content;
use crate::intercom::{Catalogue, MAX_REASON, PinnedTool, REASON, asking_why, present};
use crate::mcp::headers::Mirrored;
use crate::mcp::json::{self, Object};
use crate::mcp::message::MessageError;
use crate::mcp::methods::TASKS_EXTENSION;
use crate::mcp::reply::INVALID_PARAMS;
use crate::policy::{AnswerFacts, AnswerKind};
use crate::upstream::Leg;

impl Proxy {
    /// The tools that this principal may see, out of those pinned and offered right now.
    pub(super) async fn tools_list(
        self: &Arc<Self>,
        caller: &Caller,
        ask: &Ask,
        outbox: &Outbox,
    ) -> Result<(), Trouble> {
        if ask.params.contains("cursor") {
            let text = "unknown cursor: the list has one page";
            return Err(MessageError::new(INVALID_PARAMS, "cursor", text).into());
        }
        let leg = self.leg(caller).await?;
        let call = self.call(caller, ask, Subject::Method, JsonText::empty_object(), None);
        let permit = self.permit(call.clone(), Vec::new()).await?;
        let listed = self.upstream.list_tools(&leg, permit).await?;
        if listed.stream {
            outbox.open().await;
        }
        let mut tools = self.usable();
        if let Some(names) = &listed.names {
            tools.retain(|tool| names.contains(&tool.definition.name));
        }
        let visible = self.gate.visible(&caller.principal, &caller.client, &tools).await;
        let asks_why = self.gate.ruleset().asks_why();
        let mut list = String::from("[");
        for tool in tools.iter().filter(|tool| visible.contains(&tool.definition.name)) {
            if list.len() > 1 {
                list.push(',');
            }
            let presented = present(&tool.definition);
            let shown = if asks_why { asking_why(&presented) } else { presented };
            let shown = match ask.revision {
                Revision::V2025_11_25 => core_tasks::may_be_task(&shown),
                _ => shown,
            };
            list.push_str(shown.as_str());
        }
        list.push(']');
        let bytes = list.len() as u64;
        let mut result = Object::default();
        if ask.era() == Era::Modern {
            result.set("resultType", json::quote("complete"));
            result.set("ttlMs", JsonText::of(&LIST_TTL_MS));
            result.set("cacheScope", json::quote("private"));
        }
        result.set("tools", JsonText::from_valid(list.into_bytes().into()));
        // The list is of pinned definitions, which a person has read.
        let content = Content::nothing();
        let facts = AnswerFacts { kind: AnswerKind::List, method: None, bytes, content };
        let disclosed = self.gate.disclose(&call, &facts).await;
        if disclosed.is_allowed() {
            outbox.result(&ask.id, &result.to_text()).await;
        } else {
            relay::withheld(ask, &disclosed.decision, outbox).await;
        }
        Ok(())
    }

    /// One tool call. What a modern Intercom asks of a legacy user brings it back to the top, with the
    /// answers: nothing that was true of the call before that wait is taken for true after it.
    pub(super) async fn tools_call(
        self: &Arc<Self>,
        caller: &Caller,
        ask: &Ask,
        outbox: &Outbox,
    ) -> Result<(), Trouble> {
        let mut wanted = Wanted::read(ask)?;
        let reason = wanted.take_reason()?;
        let round = self.round(caller, &mut wanted)?;
        let leg = self.leg(caller).await?;
        let carries = carry::can_carry(caller, ask, &leg);
        let mut carried = 0;
        loop {
            let now = Box::pin(self.as_it_is_now(caller, ask, &leg, &wanted)).await?;
            let (mut call, own, looked) = now;
            call.meta.reason.clone_from(&reason);
            if carries {
                call.meta.capabilities = Some(caller.capabilities.cut(&[]).to_text());
            }
            if carried > 0 && !self.is_still_known(caller) {
                self.forgotten(caller, ask, outbox).await;
                return Ok(());
            }
            let (named, can_wait) = (round.hold, carried == 0);
            let holding = Holding { on_release: on_release(caller), named, can_wait };
            // What is over when a call waits for a person takes no room meanwhile.
            let permit = match Box::pin(self.gate.admit(call, own, holding)).await? {
                Admission::Go(permit) => *permit,
                Admission::Denied(denial) => {
                    tool_error(outbox, ask, &denial.text()).await;
                    return Ok(());
                }
                Admission::Held(_) if !can_wait => {
                    tool_error(outbox, ask, CANNOT_WAIT).await;
                    return Ok(());
                }
                Admission::Held(hold) => {
                    let noted = self.upstream.note_target(&leg, *hold, looked, &self.identity);
                    let hold = Box::new(Box::pin(noted).await);
                    return self.held(caller, ask, &leg, hold, round, outbox).await;
                }
            };
            let sent = Box::pin(self.send(caller, ask, &leg, permit, outbox)).await?;
            let Some(exchange) = sent else { return Ok(()) };
            let asked = Box::pin(self.relay(caller, ask, exchange, outbox)).await?;
            let Some(asked) = asked else { return Ok(()) };
            if carried == carry::ROUNDS {
                // Before the user is asked what nobody would hear.
                tool_error(outbox, ask, "Intercom asked too often; the call did not go on").await;
                return Ok(());
            }
            if !Box::pin(self.answered(caller, ask, &asked, &mut wanted, outbox)).await {
                return Ok(());
            }
            carried += 1;
        }
    }

    /// The call as it is to be judged at this moment: resolved by the definitions pinned now, with what it
    /// would change and the findings of our own checks.
    async fn as_it_is_now(
        self: &Arc<Self>,
        caller: &Caller,
        ask: &Ask,
        leg: &Arc<Leg>,
        wanted: &Wanted,
    ) -> Result<(Call, Vec<Finding>, Looked), Trouble> {
        Box::pin(self.upstream.look_for(leg, &wanted.tool)).await?;
        let resolved = self.pins.resolve(&wanted.tool, wanted.arguments.as_ref());
        if let Ok(resolved) = &resolved
            && ask.era() == Era::Modern
        {
            let params =
                ask.param_headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
            let mirrored = Mirrored { params: params.collect(), ..Mirrored::default() };
            let sent = wanted.arguments.clone().unwrap_or_else(JsonText::empty_object);
            mirrored.check_arguments(&sent, &resolved.mirrors)?;
        }
        let (effect, definition, payload, mut own) = match resolved {
            Ok(it) => (it.effect, it.definition, it.arguments, Vec::new()),
            Err(refusal) => {
                let sent = wanted.arguments.clone().unwrap_or_else(JsonText::empty_object);
                let effect = Catalogue::shipped().effect(&wanted.tool);
                let finding = Finding::denied(refusal.code(), refusal.to_string());
                (effect, None, json::compact(&sent), vec![finding])
            }
        };
        let subject = Subject::Tool { name: wanted.tool.clone(), effect, definition };
        let mut call = self.call(caller, ask, subject, payload, wanted.continuation());
        let mut looked = Looked::Nothing;
        if own.is_empty() {
            looked = Box::pin(self.upstream.target(leg, &call)).await;
            call.meta.target = looked.facts();
            call.meta.target_state = looked.state();
            if let Looked::Unread(why) = &looked
                && self.gate.ruleset().looks_at_targets()
            {
                let text = format!("the rules look at what this call would change, but {why}");
                own.push(Finding::denied(TARGET_UNKNOWN, text));
            }
        }
        Ok((call, own, looked))
    }

    /// The tools that may be called, in Intercom's order.
    fn usable(&self) -> Vec<Arc<PinnedTool>> {
        let order = self.upstream.tool_order();
        let place: HashMap<&str, usize> =
            order.iter().enumerate().map(|(place, name)| (name.as_str(), place)).collect();
        let mut tools = self.pins.usable();
        tools.sort_by_key(|tool| place.get(tool.definition.name.as_str()).copied());
        tools
    }
}

/// What a `tools/call` asks for.
pub(super) struct Wanted {
    tool: String,
    arguments: Option<JsonText>,
    pub(super) input_responses: Option<JsonText>,
    pub(super) request_state: Option<JsonText>,
}

impl Wanted {
    fn read(ask: &Ask) -> Result<Self, MessageError> {
        let invalid = |text: String| MessageError::new(INVALID_PARAMS, "params", text);
        let tool = ask.params.str("name").filter(|name| is_tool_name(name)).ok_or_else(|| {
            let text =
                "`params.name` must be the name of a tool (1 to 128 of `A-Z a-z 0-9 _ . - /`)";
            invalid(String::from(text))
        })?;
        let modern = |key: &str| ask.params.get(key).filter(|_| ask.era() == Era::Modern).cloned();
        Ok(Self {
            tool: tool.into_owned(),
            arguments: ask.params.get("arguments").cloned(),
            input_responses: modern("inputResponses"),
            request_state: modern("requestState"),
        })
    }

    /// Takes the agent's reason out of the arguments: it is for Portcullis alone.
    fn take_reason(&mut self) -> Result<Option<String>, MessageError> {
        let Some(mut arguments) = self.arguments.as_ref().and_then(Object::parse) else {
            return Ok(None);
        };
        let Some(reason) = arguments.remove(REASON) else { return Ok(None) };
        let wrong = || {
            let text = format!("`{REASON}` must be a text of at most {MAX_REASON} characters");
            MessageError::new(INVALID_PARAMS, "reason", text)
        };
        let reason = json::as_str(&reason).ok_or_else(wrong)?.into_owned();
        if reason.chars().count() > MAX_REASON {
            return Err(wrong());
        }
        self.arguments = Some(arguments.to_text());
        Ok(Some(reason))
    }

    /// What goes to Intercom beside the arguments.
    fn continuation(&self) -> Option<JsonText> {
        let mut object = Object::default();
        if let Some(responses) = &self.input_responses {
            object.set("inputResponses", json::compact(responses));
        }
        if let Some(state) = &self.request_state {
            object.set("requestState", state.clone());
        }
        (!object.is_empty()).then(|| object.to_text())
    }
}

/// What can be a tool's name; anything else is neither judged nor recorded.
fn is_tool_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-/".contains(&byte);
    (1..=128).contains(&name.len()) && name.bytes().all(allowed)
}

/// When a release of this caller's call is sent: its protocol decides what leaving means. An
/// agent's own token is not kept, so its call needs it to come back.
fn on_release(caller: &Caller) -> OnRelease {
    let stays = match caller.revision.era() {
        Era::Legacy => true,
        Era::Modern => caller.capabilities.extension(TASKS_EXTENSION),
    };
    if stays && caller.token.is_none() { OnRelease::Send } else { OnRelease::AwaitRepeat }
}
