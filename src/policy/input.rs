//! The input documents of the four questions: what rules can ask about.
//!
//! Built from typed values directly, member by member, so that the list below is the whole list.
//! A member that does not apply is absent, never `null`. Of one call policy looks at
//! [`MAX_CALL_BYTES`] at most (arguments or parameters, and continuation); a longer one is denied.
//!
//! | path | questions | value |
//! |---|---|---|
//! | `now` | all | `{"text": RFC 3339, "unix": seconds}` |
//! | `environment.name` | all | the installation's name |
//! | `principal` | all | `{id, kind, roles, groups, attributes}`, and `on_behalf_of` if configured; `kind` is `agent`, `pass_through`, `anonymous` or `portcullis` |
//! | `client` | all | `{name, version}` as the client says: **not trustworthy** |
//! | `tools` | `visible` | `[{name, effect, pinned}]`, the tools on offer |
//! | `method`, `revision` | the others | the protocol's method and revision, such as `2025-11-25` |
//! | `subject` | the others | `{kind}` with `name` (tool, prompt), `uri` (resource) or `id` (task); `kind` is `tool`, `prompt`, `resource`, `task`, `answer` or `method` |
//! | `tool` | the others, for tools | `{name, effect, pinned}`, and `definition` (digest) if pinned; `effect` is `read` or `write` by our catalogue |
//! | `arguments` | the others, for tools | the arguments as they will be sent |
//! | `params` | the others, for everything but tools | the method's parameters as they will be sent, without `_meta` and without what `continuation` has; for the client's answer to a question `{result}` or `{error}` |
//! | `continuation` | the others, if there is one | what the client answers to the server's questions: `inputResponses` and `requestState` of `tools/call`, `prompts/get`, `resources/read` and `tasks/update` |
//! | `answer` | `disclose` | `{kind, bytes, is_error}`, and `method` for notifications and requests of the server; kinds: [`super::AnswerKind`] |
//! | `approver` | `approve` | `{id, groups}` |
//! | `hold` | `approve` | `{id, tool, principal, opened_at, expires_at, release: {groups, people, expires_seconds}, approvals: [approver id]}`, times as `now` |

use std::collections::BTreeMap;

use regorus::Value;

use super::engine::Failure;
use super::json::{self, object};
use super::{AnswerFacts, AnswerKind, ApproveFacts, Facts, ToolFacts};
use crate::domain::{
    Call, ClientHint, Effect, Fault, Principal, PrincipalKind, Release, Subject, Timestamp,
};

/// The most bytes of a call (payload and continuation) that policy looks at.
pub const MAX_CALL_BYTES: usize = 256 * 1024;

/// An input document and how many bytes of a call went into it.
pub(super) struct Document {
    pub(super) value: Value,
    pub(super) bytes: usize,
}

pub(super) fn visible(
    principal: &Principal,
    client: &ClientHint,
    tools: &[ToolFacts],
    facts: &Facts,
) -> Document {
    let mut input = common(principal, client, facts);
    let tools: Vec<Value> =
        tools.iter().map(|tool| self::tool(&tool.name, tool.effect, tool.pinned)).collect();
    let bytes = tools.len() * 64;
    put(&mut input, "tools", tools.into());
    Document { value: input.into(), bytes }
}

pub(super) fn admit(call: &Call, facts: &Facts) -> Result<Document, Failure> {
    let (input, bytes) = of_call(call, facts)?;
    Ok(Document { value: input.into(), bytes })
}

pub(super) fn disclose(
    call: &Call,
    answer: &AnswerFacts,
    facts: &Facts,
) -> Result<Document, Failure> {
    let (mut input, bytes) = of_call(call, facts)?;
    let is_error = matches!(answer.kind, AnswerKind::Error | AnswerKind::ToolError);
    let mut members = Members::new();
    put(&mut members, "kind", answer.kind.as_str().into());
    put(&mut members, "bytes", answer.bytes.into());
    put(&mut members, "is_error", is_error.into());
    if let Some(method) = &answer.method {
        put(&mut members, "method", method.as_str().into());
    }
    put(&mut input, "answer", members.into());
    Ok(Document { value: input.into(), bytes })
}

pub(super) fn approve(ask: &ApproveFacts<'_>, facts: &Facts) -> Result<Document, Failure> {
    let (mut input, bytes) = of_call(ask.call, facts)?;
    let approver = object([
        ("id", ask.approver.id.as_str().into()),
        ("groups", strings(&ask.approver.groups)),
    ]);
    put(&mut input, "approver", approver);
    let approvals: Vec<Value> =
        ask.hold.approvals.iter().map(|id| Value::from(id.as_str())).collect();
    let hold = object([
        ("id", ask.hold.id.to_string().into()),
        ("tool", ask.call.subject.tool().unwrap_or_default().into()),
        ("principal", ask.call.principal.id.as_str().into()),
        ("opened_at", time(ask.hold.opened_at)),
        ("expires_at", time(ask.hold.expires_at)),
        ("release", release(&ask.hold.release)),
        ("approvals", approvals.into()),
    ]);
    put(&mut input, "hold", hold);
    Ok(Document { value: input.into(), bytes })
}

type Members = BTreeMap<Value, Value>;

fn put(members: &mut Members, key: &'static str, value: Value) {
    members.insert(Value::from(key), value);
}

fn common(principal: &Principal, client: &ClientHint, facts: &Facts) -> Members {
    let mut input = Members::new();
    put(&mut input, "now", time(facts.now));
    put(&mut input, "environment", object([("name", (&*facts.environment).into())]));
    put(&mut input, "principal", self::principal(principal));
    let client = object([
        ("name", client.name.as_str().into()),
        ("version", client.version.as_str().into()),
    ]);
    put(&mut input, "client", client);
    input
}

fn of_call(call: &Call, facts: &Facts) -> Result<(Members, usize), Failure> {
    let continuation = call.continuation.as_ref().map_or("", |text| text.as_str());
    let bytes = call.payload.as_str().len() + continuation.len();
    if bytes > MAX_CALL_BYTES {
        let text = format!("the call has {bytes} bytes; policy looks at {MAX_CALL_BYTES} at most");
        return Err(Failure::new(Fault::PolicyInputTooLarge, text));
    }
    let mut input = common(&call.principal, &call.client, facts);
    put(&mut input, "method", call.method.as_str().into());
    put(&mut input, "revision", call.revision.as_str().into());
    put(&mut input, "subject", subject(&call.subject));
    if let Subject::Tool { name, effect, definition } = &call.subject {
        let mut tool = Members::new();
        put(&mut tool, "name", name.as_str().into());
        put(&mut tool, "effect", effect.as_str().into());
        put(&mut tool, "pinned", definition.is_some().into());
        if let Some(digest) = definition {
            put(&mut tool, "definition", digest.to_string().into());
        }
        put(&mut input, "tool", tool.into());
        put(&mut input, "arguments", parsed(call.payload.as_str())?);
    } else {
        put(&mut input, "params", parsed(call.payload.as_str())?);
    }
    if !continuation.is_empty() {
        put(&mut input, "continuation", parsed(continuation)?);
    }
    Ok((input, bytes))
}

fn parsed(text: &str) -> Result<Value, Failure> {
    // The strict reader has accepted this text already; the cause would quote the payload.
    json::read(text).map_err(|_| {
        Failure::new(Fault::PolicyError, "the call's payload is not JSON that policy can read")
    })
}

fn principal(principal: &Principal) -> Value {
    let kind = match principal.kind {
        PrincipalKind::Agent => "agent",
        PrincipalKind::PassThrough => "pass_through",
        PrincipalKind::Anonymous => "anonymous",
        PrincipalKind::Portcullis => "portcullis",
    };
    let attributes: Members = principal
        .attributes
        .iter()
        .map(|(key, value)| (key.as_str().into(), value.as_str().into()))
        .collect();
    let mut members = Members::new();
    put(&mut members, "id", principal.id.as_str().into());
    put(&mut members, "kind", kind.into());
    put(&mut members, "roles", strings(&principal.roles));
    put(&mut members, "groups", strings(&principal.groups));
    put(&mut members, "attributes", attributes.into());
    if let Some(person) = &principal.on_behalf_of {
        put(&mut members, "on_behalf_of", person.as_str().into());
    }
    members.into()
}

fn subject(subject: &Subject) -> Value {
    match subject {
        Subject::Tool { name, .. } => {
            object([("kind", "tool".into()), ("name", name.as_str().into())])
        }
        Subject::Prompt { name } => {
            object([("kind", "prompt".into()), ("name", name.as_str().into())])
        }
        Subject::Resource { uri } => {
            object([("kind", "resource".into()), ("uri", uri.as_str().into())])
        }
        Subject::Task { id } => object([("kind", "task".into()), ("id", id.as_str().into())]),
        Subject::Answer => object([("kind", "answer".into())]),
        Subject::Method => object([("kind", "method".into())]),
    }
}

fn tool(name: &str, effect: Effect, pinned: bool) -> Value {
    object([("name", name.into()), ("effect", effect.as_str().into()), ("pinned", pinned.into())])
}

fn release(release: &Release) -> Value {
    object([
        ("groups", strings(&release.groups)),
        ("people", release.people.into()),
        ("expires_seconds", release.expires.as_secs().into()),
    ])
}

fn time(time: Timestamp) -> Value {
    object([("text", time.to_string().into()), ("unix", (time.millis().div_euclid(1000)).into())])
}

fn strings(list: &[String]) -> Value {
    list.iter().map(|text| Value::from(text.as_str())).collect::<Vec<_>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CallId, CallMeta, JsonText, Revision};

    /// What a call is about, its payload and continuation, and where policy sees them.
    #[test]
    fn policy_sees_everything_that_is_sent() {
        let prompt = Subject::Prompt { name: "p".to_owned() };
        let tool = Subject::Tool { name: "t".to_owned(), effect: Effect::Read, definition: None };
        let answers = Some(r#"{"inputResponses":{"k":1},"requestState":"s"}"#);
        let rows = [
            (tool, r#"{"id":"1"}"#, answers, "arguments", "params"),
            (prompt, r#"{"name":"p","arguments":{"a":"b"}}"#, answers, "params", "arguments"),
            (Subject::Answer, r#"{"result":{"x":1}}"#, None, "params", "arguments"),
            (Subject::Method, r#"{"cursor":"c"}"#, None, "params", "arguments"),
        ];
        for (subject, payload, continuation, there, not_there) in rows {
            let call = call(subject, payload, continuation);
            let input = admit(&call, &facts()).map_err(|it| it.text).unwrap().value;
            assert_eq!(input[there], json::read(payload).unwrap());
            assert_eq!(input[not_there], Value::Undefined);
            let seen = continuation.map_or(Value::Undefined, |text| json::read(text).unwrap());
            assert_eq!(input["continuation"], seen);
        }
    }

    #[test]
    fn the_bound_holds_for_all_methods() {
        let long = format!(r#"{{"cursor":"{}"}}"#, "x".repeat(MAX_CALL_BYTES));
        for (payload, continuation) in [(&*long, None), ("{}", Some(&*long))] {
            let refused = admit(&call(Subject::Method, payload, continuation), &facts());
            assert_eq!(refused.err().unwrap().fault, Fault::PolicyInputTooLarge);
        }
    }

    fn facts() -> Facts {
        Facts { now: Timestamp::default(), environment: "test".into() }
    }

    fn call(subject: Subject, payload: &str, continuation: Option<&str>) -> Call {
        let text = |text: &str| JsonText::from_valid(text.to_owned().into());
        let principal = Principal {
            id: "bot".parse().unwrap(),
            kind: PrincipalKind::Agent,
            roles: Vec::new(),
            groups: Vec::new(),
            attributes: BTreeMap::new(),
            on_behalf_of: None,
        };
        Call {
            id: CallId(uuid::Uuid::nil()),
            at: Timestamp::default(),
            principal: principal.into(),
            revision: Revision::V2026_07_28,
            client: ClientHint::default(),
            method: "m".to_owned(),
            subject,
            payload: text(payload),
            continuation: continuation.map(text),
            meta: CallMeta::default(),
        }
    }
}
