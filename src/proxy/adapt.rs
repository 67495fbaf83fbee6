//! A result of Intercom in the form that the client's era knows.
//!
//! Within the legacy era nothing is touched. For modern clients results get what their era requires
//! (`resultType`, cache hints, always private, because what a principal may see is its own affair);
//! what the client cannot take (a task it did not declare, a question it cannot answer) is not
//! passed. For legacy clients of a modern server the modern members are taken out.

use http::StatusCode;

use super::handler::{Ask, Caller};
use super::outbox::Outbox;
use super::relay::can_be_asked;
use super::trouble::tool_error_result;
use crate::domain::{Era, JsonText, PrincipalId};
use crate::mcp::era::Capabilities;
use crate::mcp::json::{self, Object};
use crate::mcp::methods::{INPUT_REQUESTS, TASKS_EXTENSION};
use crate::mcp::reply::INTERNAL_ERROR;
use crate::store::Sealer;
use crate::upstream::Leg;

/// How long a client may keep a list, in milliseconds: policy and pins can change at any time.
pub(super) const LIST_TTL_MS: u64 = 5_000;

/// A result that cannot be passed, and why.
pub(super) struct Unfit(&'static str);

impl Unfit {
    /// Answers the request with the reason.
    pub(super) async fn tell(&self, ask: &Ask, outbox: &Outbox) {
        if ask.method.name == "tools/call" {
            outbox.result(&ask.id, &tool_error_result(self.0, ask.era())).await;
        } else {
            outbox.error(StatusCode::OK, &ask.id, INTERNAL_ERROR, self.0, None).await;
        }
    }
}

/// The result for the client.
pub(super) fn result(
    sealer: &Sealer,
    caller: &Caller,
    ask: &Ask,
    leg: &Leg,
    text: &JsonText,
) -> Result<JsonText, Unfit> {
    if (ask.era(), leg.era()) == (Era::Legacy, Era::Legacy) {
        return Ok(text.clone());
    }
    let mut object =
        Object::parse(text).ok_or(Unfit("Intercom's result is malformed and was withheld"))?;
    let kind = object.str("resultType").map(std::borrow::Cow::into_owned);
    match (ask.era(), kind.as_deref()) {
        (Era::Legacy, None | Some("complete")) => {
            for member in ["resultType", "ttlMs", "cacheScope"] {
                object.remove(member);
            }
        }
        (Era::Legacy, _) => {
            return Err(Unfit(
                "Intercom wants to ask something that this client's protocol version cannot \
                 answer; connect with a client of revision 2026-07-28",
            ));
        }
        (Era::Modern, None | Some("complete")) => complete(&mut object, ask),
        (Era::Modern, Some("input_required")) => may_ask(caller, ask, &object)?,
        (Era::Modern, Some("task")) => wrap_task(sealer, caller, ask, &mut object)?,
        (Era::Modern, Some(_)) => {
            return Err(Unfit("Intercom's result is of an unknown type and was withheld"));
        }
    }
    Ok(object.to_text())
}

/// What a complete modern result must have.
pub(super) fn complete(object: &mut Object, ask: &Ask) {
    if !object.contains("resultType") {
        object.set("resultType", json::quote("complete"));
    }
    let cacheable = ask.method.name.ends_with("/list")
        || matches!(ask.method.name, "resources/read" | "server/discover");
    if cacheable {
        if !object.contains("ttlMs") {
            object.set("ttlMs", JsonText::of(&0));
        }
        object.set("cacheScope", json::quote("private"));
    }
}

fn may_ask(caller: &Caller, ask: &Ask, object: &Object) -> Result<(), Unfit> {
    if !matches!(ask.method.name, "tools/call" | "prompts/get" | "resources/read") {
        return Err(Unfit("Intercom asks for input where the protocol does not allow it"));
    }
    can_answer(&caller.capabilities, object)
}

/// Whether a client declared that it can answer all questions of a result, task or notification.
pub(super) fn can_answer(capabilities: &Capabilities, object: &Object) -> Result<(), Unfit> {
    let questions = match object.get("inputRequests") {
        Some(questions) => Object::parse(questions)
            .ok_or(Unfit("Intercom's questions are malformed and were withheld"))?,
        None => Object::default(),
    };
    let declared = questions.iter().all(|(_, question)| {
        let Some(question) = Object::parse(question) else { return false };
        let method = question.str("method").unwrap_or_default();
        let params = question.object("params").unwrap_or_default();
        INPUT_REQUESTS.contains(&&*method) && can_be_asked(capabilities, &method, &params)
    });
    if declared {
        Ok(())
    } else {
        Err(Unfit("Intercom asks for something that this client did not declare it can answer"))
    }
}

/// Binds a task of Intercom to the principal: all principals share one credential there, so the
/// id alone must not be enough.
fn wrap_task(
    sealer: &Sealer,
    caller: &Caller,
    ask: &Ask,
    object: &mut Object,
) -> Result<(), Unfit> {
    if ask.method.name != "tools/call" || !caller.capabilities.extension(TASKS_EXTENSION) {
        return Err(Unfit("Intercom made a task, which this client did not declare it can follow"));
    }
    let id = object.str("taskId").ok_or(Unfit("Intercom's task has no id"))?.into_owned();
    let sealed = sealer
        .seal(&task_context(&caller.principal.id), id.as_bytes())
        .map_err(|_| Unfit("Intercom's task could not be sealed for this client"))?;
    object.set("taskId", json::quote(&sealed));
    Ok(())
}

/// Intercom's id of a task that was given to this principal.
pub(super) fn unwrap_task(sealer: &Sealer, principal: &PrincipalId, id: &str) -> Option<String> {
    String::from_utf8(sealer.open(&task_context(principal), id).ok()?).ok()
}

fn task_context(principal: &PrincipalId) -> String {
    format!("task/{principal}")
}
