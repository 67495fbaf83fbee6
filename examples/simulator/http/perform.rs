//! One request of the legacy era from beginning to end: notices on the way, a question in the middle, delay, effect, answer.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::Shared;
use super::session::Session;
use crate::simulator::calls::{self, Outcome};
use crate::simulator::options::{Options, Question};

/// Where messages of the server go while a request runs.
pub(super) type Say<'a> = &'a (dyn Fn(String) + Send + Sync);

/// Whether a request has nothing to wait for or to say on the way.
pub(super) fn is_plain(options: &Options, message: &Value) -> bool {
    let call = message.get("method").and_then(Value::as_str) == Some("tools/call");
    !call
        || (options.latency == 0
            && options.jitter == 0
            && options.logs == 0
            && options.progress == 0
            && question(options, message) == Question::None)
}

/// Answers a request at once.
pub(super) fn answer(shared: &Shared, options: &Arc<Options>, message: &Value) -> Outcome {
    let params = message.get("params");
    match message.get("method").and_then(Value::as_str).unwrap_or_default() {
        "tools/call" => shared.workplace.call(options, params),
        "tools/list" => calls::list(options, params),
        "initialize" => calls::initialize(options, params).0,
        "ping" => Outcome::Result("{}".into()),
        "logging/setLevel" if options.logs > 0 => Outcome::Result("{}".into()),
        _ => Outcome::error(-32601, "Method not found"),
    }
}

/// Answers a request in its own time. `None` when it was cancelled before it took effect.
pub(super) async fn perform(
    shared: &Shared,
    options: &Arc<Options>,
    session: Option<&Session>,
    message: &Value,
    say: Say<'_>,
) -> Option<Outcome> {
    let id = message.get("id").unwrap_or(&Value::Null);
    if is_plain(options, message) {
        return Some(answer(shared, options, message));
    }
    notices(shared, options, message, say, None).await;
    let mut heard = None;
    if let (
        Some(session),
        asked @ (Question::Elicitation
        | Question::ElicitationUrl
        | Question::Sampling
        | Question::Roots
        | Question::Ping),
    ) = (session, question(options, message))
    {
        let question_id = json!(format!("sim-{}", shared.hex(8)));
        let (method, params) = asking(asked, &shared.url, options);
        let wait = session.ask(&question_id);
        say(json!({"jsonrpc": "2.0", "id": question_id, "method": method, "params": params})
            .to_string());
        let answer = tokio::time::timeout(Duration::from_millis(options.question_wait), wait).await;
        heard = Some(answer.ok().and_then(Result::ok).map_or_else(
            || format!("{method} was not answered"),
            |answer| format!("{method} was answered: {answer}"),
        ));
    }
    if session.is_some_and(|session| session.was_cancelled(id)) {
        return None;
    }
    let outcome = answer(shared, options, message);
    Some(match heard {
        Some(text) => outcome.with_text(&text),
        None => outcome,
    })
}

/// Progress and log notifications of a call, spread over its delay.
pub(super) async fn notices(
    shared: &Shared,
    options: &Options,
    message: &Value,
    say: Say<'_>,
    level: Option<&str>,
) {
    let token = message.pointer("/params/_meta/progressToken");
    let more = options.more();
    let steps = if token.is_some() { options.progress } else { 0 };
    let delay =
        options.latency + if options.jitter > 0 { shared.below(options.jitter + 1) } else { 0 };
    for number in 1..=options.logs {
        let level = level.unwrap_or("info");
        say(json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": level, "logger": "intercom", "data": format!("step {number}{more}")}}).to_string());
    }
    for step in 1..=steps {
        pause(delay / (steps + 1)).await;
        say(json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": token, "progress": step, "total": steps, "message": format!("step {step} of {steps}{more}")}}).to_string());
    }
    pause(delay - delay / (steps + 1) * steps).await;
}

async fn pause(milliseconds: u64) {
    if milliseconds > 0 {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }
}

/// The question that a call puts.
pub(super) fn question(options: &Options, message: &Value) -> Question {
    let tool = message.pointer("/params/name").and_then(Value::as_str);
    let meant = options.question_tool.as_deref().is_none_or(|wanted| tool == Some(wanted));
    if meant { options.question } else { Question::None }
}

/// Method and params of a question.
pub(super) fn asking(question: Question, url: &str, options: &Options) -> (&'static str, Value) {
    let more = options.more();
    match question {
        Question::Elicitation => (
            "elicitation/create",
            json!({"message": format!("Which inbox do you mean?{more}"), "requestedSchema": {"type": "object", "properties": {"inbox": {"type": "string"}}, "required": ["inbox"]}}),
        ),
        Question::ElicitationUrl => (
            "elicitation/create",
            json!({"mode": "url", "elicitationId": "sim-elicitation", "url": format!("{url}/authorize"), "message": format!("Please sign in again.{more}")}),
        ),
        Question::Sampling => (
            "sampling/createMessage",
            json!({"messages": [{"role": "user", "content": {"type": "text", "text": format!("Summarise this conversation.{more}")}}], "maxTokens": 100}),
        ),
        Question::Roots => ("roots/list", json!({})),
        Question::Ping | Question::None => ("ping", json!({})),
    }
}
