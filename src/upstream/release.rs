//! Runs one released hold to its end. Once claimed, nothing that a client does can stop it.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::sync::watch;

use super::{Fault, FromServer, Leg, Upstream};
use crate::domain::{Era, HoldId, JsonText, OutcomeKind};
use crate::gate::{Looked, ReleaseError, Settled};
use crate::identity::Identity;
use crate::intercom::PinStatus;
use crate::mcp::json::{self, Object};
use crate::mcp::message::{ResponseBody, RpcError};

/// Claims, judges again, sends and settles a hold that people have released. `leg` is the waiting
/// agent's, if one waits; else Portcullis sends on its own.
///
/// # Errors
/// If the hold cannot be released, or somebody is at it already. What happened to the hold is
/// recorded in either case.
pub async fn run(
    upstream: Arc<Upstream>,
    identity: Arc<Identity>,
    leg: Option<Arc<Leg>>,
    id: HoldId,
) -> Result<(), ReleaseError> {
    let begun = upstream.releases.begin(id);
    let _under_way = begun.ok_or(ReleaseError::UnderWay(id))?;
    let gate = upstream.gate().clone();
    gate.may_go_on(id)?;
    let tool = gate.holds().hold(id)?.binding().tool.clone();
    // The way is tried before the hold is claimed: if Intercom is away, the approval is not spent.
    let later = |fault: Fault| ReleaseError::Later(fault.to_string());
    let leg = match leg {
        Some(leg) => leg,
        None => upstream.shared_leg(None, None).await.map_err(later)?,
    };
    // What was approved is the tool as it was pinned; whether it still is, Intercom must say now.
    upstream.refresh_tools(&leg).await.map_err(later)?;
    let definition = match upstream.pins.status(&tool) {
        PinStatus::Pinned(tool) => Some(tool.definition.digest),
        _ => None,
    };
    // What it would change is read again, and what cannot be read is not changed.
    let looked = upstream.target_of_hold(Some(&leg), id, &identity).await;
    if let Looked::Unread(why) = looked {
        return Err(ReleaseError::Later(format!(
            "what it would change must be read again, but {why}"
        )));
    }
    let released = gate.release(id, definition, looked, &identity).await?;
    let settled = match upstream.send(&leg, released.permit).await {
        Ok(exchange) => finish(&upstream, &leg, exchange).await,
        Err(fault) => settled_by(&fault),
    };
    gate.settle(id, settled).await?;
    Ok(())
}

/// The releases that run at this moment: one of a hold at a time, so that attempts do not pile up
/// while Intercom is away, and the end of the process can wait for them.
#[derive(Default)]
pub(super) struct Releases(watch::Sender<HashSet<HoldId>>);

impl Releases {
    /// `None` if one of this hold runs already.
    fn begin(&self, id: HoldId) -> Option<UnderWay> {
        let begun = self.0.send_if_modified(|ids| ids.insert(id));
        begun.then(|| UnderWay { ids: self.0.clone(), id })
    }

    /// Resolves when none runs.
    pub(super) async fn ended(&self) {
        // The sender is ours, so it cannot be gone.
        let _ = self.0.subscribe().wait_for(HashSet::is_empty).await;
    }
}

/// A release that runs; ends with it, however it ends.
struct UnderWay {
    ids: watch::Sender<HashSet<HoldId>>,
    id: HoldId,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.ids.send_modify(|ids| {
            ids.remove(&self.id);
        });
    }
}

async fn finish(
    upstream: &Arc<Upstream>,
    leg: &Arc<Leg>,
    mut exchange: super::Exchange,
) -> Settled {
    loop {
        match exchange.next().await {
            Ok(FromServer::Answer(answer)) => {
                let (text, error, protocol_error) = match answer.body {
                    ResponseBody::Result(text) => {
                        if let Some(settled) = unfinished(leg.era(), &text) {
                            exchange.spent().complete(OutcomeKind::Error, answer.bytes, None);
                            return settled;
                        }
                        let error = is_tool_error(&text);
                        (text, error, false)
                    }
                    ResponseBody::Error(error) => (error_text(&error), true, true),
                };
                let kind = if error { OutcomeKind::Error } else { OutcomeKind::Answered };
                exchange.spent().complete(kind, answer.bytes, None);
                return Settled::Answered { text, error, protocol_error };
            }
            // Nobody is there to hear or to be asked.
            Ok(FromServer::Notification(_)) => {}
            Ok(FromServer::Request(question)) => upstream.refuse(leg, &question).await,
            Err(fault) => return settled_by(&fault),
        }
    }
}

fn settled_by(fault: &Fault) -> Settled {
    if fault.may_have_acted() {
        Settled::Lost(fault.to_string())
    } else {
        Settled::NotSent(fault.to_string())
    }
}

/// How a call stands whose result is none yet (`resultType` of 2026-07-28). A released call declares no
/// capabilities, for nobody is there to be asked and nobody would ask for a task; a server that asks all
/// the same did not carry it out, and one that answers something else may have.
fn unfinished(era: Era, result: &JsonText) -> Option<Settled> {
    if era == Era::Legacy || !json::may_say(result, &["resultType", "inputRequests"], &[]) {
        return None;
    }
    let Some(result) = Object::parse(result) else { return Some(lost()) };
    let kind = result.str("resultType");
    match (kind.as_deref(), result.contains("resultType"), result.contains("inputRequests")) {
        (Some("complete"), _, false) | (None, false, false) => None,
        (Some("input_required"), ..) => {
            let why = "Intercom wants to ask something before it carries the call out, and a released \
                       call has nobody who could answer";
            Some(Settled::NotSent(why.to_owned()))
        }
        // Anything else may have been carried out.
        _ => Some(lost()),
    }
}

fn lost() -> Settled {
    Settled::Lost("Intercom answered neither with a result nor with an error".to_owned())
}

/// Whether a result is a tool's error.
#[must_use]
fn is_tool_error(result: &JsonText) -> bool {
    json::may_say(result, &[], &["isError"])
        && Object::parse(result).is_some_and(|result| says_error(&result))
}

/// Whether a result that was split is a tool's error.
#[must_use]
pub fn says_error(result: &Object) -> bool {
    result.get("isError").and_then(json::as_bool).unwrap_or(false)
}

/// A JSON-RPC error as text.
fn error_text(error: &RpcError) -> JsonText {
    let mut object = Object::default();
    object.set("code", JsonText::of(&error.code));
    object.set("message", json::quote(&error.message));
    if let Some(data) = &error.data {
        object.set("data", data.clone());
    }
    object.to_text()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an answer of a modern server says of a call that was released.
    #[test]
    fn only_a_whole_result_is_one_and_only_a_question_was_not_carried_out() {
        for (answer, era, expected) in [
            (r#"{"content":[]}"#, Era::Modern, "a result"),
            (r#"{"resultType":"complete","content":[]}"#, Era::Modern, "a result"),
            (r#"{"resultType":"input_required"}"#, Era::Modern, "not sent"),
            (r#"{"resultType":"input_required","inputRequests":{}}"#, Era::Modern, "not sent"),
            (r#"{"resultType":"complete","inputRequests":{}}"#, Era::Modern, "lost"),
            (r#"{"inputRequests":{}}"#, Era::Modern, "lost"),
            (r#"{"resultType":"task","task":{}}"#, Era::Modern, "lost"),
            (r#"{"resultType":1,"content":[]}"#, Era::Modern, "lost"),
            (r#"{"resultType":null,"content":[]}"#, Era::Modern, "lost"),
            (r#"{"resultType":{},"content":[]}"#, Era::Modern, "lost"),
            // A word of another revision's.
            (r#"{"resultType":1,"content":[]}"#, Era::Legacy, "a result"),
        ] {
            let settled = unfinished(era, &JsonText::from_valid(answer.as_bytes().into()));
            let told = match settled {
                None => "a result",
                Some(Settled::NotSent(_)) => "not sent",
                Some(Settled::Lost(_)) => "lost",
                Some(Settled::Answered { .. }) => "answered",
            };
            assert_eq!(told, expected, "{answer}");
        }
    }
}
