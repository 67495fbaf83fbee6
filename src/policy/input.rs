//! The input documents of the four questions: what rules can ask about.
//!
//! Built from typed values directly, member by member, so that the list below is the whole list.
//! A member that does not apply is absent, never `null`; nor is one built that no rule names
//! ([`super::wants`]). Of one call policy looks at [`MAX_CALL_BYTES`] at most (arguments or
//! parameters, and continuation); a longer one is denied.
//!
//! | path | questions | value |
//! |---|---|---|
//! | `now` | all | `{text, unix, weekday, minute_of_day}`: RFC 3339, seconds, `monday` to `sunday`, minutes since midnight, all UTC |
//! | `environment.name` | all | the installation's name |
//! | `principal` | all | `{id, kind, roles, groups, attributes}`, and `on_behalf_of` if configured; `kind` is `agent`, `pass_through`, `anonymous` or `portcullis` |
//! | `client` | all | `{name, version}` as the client says: **not trustworthy**; `{address}`, the IP address that the connection came from (of the proxy in front, if there is one; absent for Portcullis' own calls) |
//! | `trail` | all | what the principal lately did and saw, together with what is being asked about: `minute`, `hour` and `day`, each `{calls, denials, writes, probes, rows, bytes, contacts, companies, conversations, articles}`; `labels: [name]`; `recent: [{tool, verdict, seconds_ago}]`, its last calls of tools (20 at most), newest first. See [`crate::domain::TrailView`] |
//! | `tools` | `visible` | `[{name, effect, pinned, labels}]`, the tools on offer; `labels` are those that plugins gave the definition |
//! | `method`, `revision` | the others | the protocol's method and revision, such as `2025-11-25` |
//! | `subject` | the others | `{kind}` with `name` (tool, prompt), `uri` (resource) or `id` (task); `kind` is `tool`, `prompt`, `resource`, `task`, `answer` or `method` |
//! | `tool` | the others, for tools | `{name, effect, pinned}`, and `definition` (digest) if pinned; `effect` is `read` or `write` by our catalogue |
//! | `arguments` | the others, for tools | the arguments as they will be sent |
//! | `search` | the others, for tools that list | what is searched, in one form for all of them: `{object, filters: [{field, operator, values}]}`, with `text`, `limit` and `cursor` if the call gives them; `object` is `conversations`, `contacts`, `companies` or `articles`, `operator` is `eq`, `neq`, `gt`, `gte`, `lt`, `lte`, `in`, `nin` or `contains`; all filters hold, fields have their names of the tool `search` |
//! | `target` | the others, for `update_article` and `add_internal_note` | the article or conversation that the call would change, as it is at Intercom now: `{type, id, partial}` with, where it has them, `state`, `tags`, `team`, `admin`, `segments`, `contacts`, `companies`, `author: {type, id}`; if it cannot be read, the call is denied |
//! | `pseudonyms` | the others | the pseudonyms in the arguments or parameters: `[{token, kind, argument, path, known, subjects, seen, elsewhere}]`, and `part` if it has one; `argument` is the name of the argument, `path` the place in the arguments (JSON Pointer); `subjects` are the references of those whose value it is, `seen` those of the records that showed it (`contact:ID`, `conversation:ID`); `elsewhere` is whether the call names a conversation, contact or company (or `target` does) that neither has the value nor showed it; one that is not `known` is refused in any case |
//! | `reason` | the others, for tools, if given | why the agent calls, in its own words: **not trustworthy** |
//! | `params` | the others, for everything but tools | the method's parameters as they will be sent, without `_meta` and without what `continuation` has; for the client's answer to a question `{result}` or `{error}` |
//! | `continuation` | the others, if there is one | what the client answers to the server's questions: `inputResponses` and `requestState` of `tools/call`, `prompts/get`, `resources/read` and `tasks/update` |
//! | `grants` | `admit` | the grant of a person that fits this call, if there is one: `[{id, tool, by, calls_left}]`; a rule that lets a call through because of it asks for a member of it |
//! | `findings` | `admit`, `disclose` | what plugins saw in the arguments or the answer: `[{kind, party, confidence, count, plugin, paths}]`, one for each kind, party and plugin; `party` is `customer`, `teammate`, `bot` or `unknown`, `confidence` from 0 to 100 is the surest one's, `paths` are JSON Pointers (50 at most) that begin with `$` outside of what the tool gave |
//! | `labels` | `admit`, `disclose` | what plugins say of the whole, such as `instructions`: `[name]` |
//! | `answer` | `disclose` | `{kind, bytes, is_error, understood}`, and `method` for notifications and requests of the server; kinds: [`super::AnswerKind`]; `understood` is whether all of its shape is known |
//! | `answer.records` | `disclose` | what it shows ([`crate::intercom::records`]): `[{ref, type, row, partial, text_bytes}]` with, where the answer has them, `id`, `parent` (the `ref` of the record it is in), `tags`, `segments` (names and ids), `team`, `admin` (`0` is none), `state`, `contacts`, `companies` (ids), `author: {type, id}`, `part_type`; `type` is `conversation`, `contact`, `company`, `article`, `note`, `part`, `admin` or `other`; `partial` is whether facts of its type are not in the answer, as in the prose of `search` and `fetch` |
//! | `answer.counts` | `disclose` | `{contacts, companies, conversations, articles}`: different ones, those mentioned included; `{notes, parts, rows}`; `rows` are the entries of a list, or the one object |
//! | `answer.content`, `answer.structured` | `disclose` | the text blocks (parsed if they are JSON) and the structured content themselves; a longer answer than 256 KiB is then denied |
//! | `action` | `approve` | what the person wants to do about the hold: `approve`, `edit`, `reject`, `ask`, `assign`, `extend`, `revoke`, `note`, `grant` or `reveal` |
//! | `approver` | `approve` | `{id, groups}` |
//! | `hold` | `approve` | `{id, tool, principal, opened_at, expires_at, release: {groups, people, expires_seconds}, approvals: [approver id]}`, times as `{text, unix}` |

mod shown;

use std::collections::BTreeMap;

use regorus::Value;

use super::engine::Failure;
use super::json::{self, object};
use super::wants::Want;
use super::{AnswerFacts, AnswerKind, ApproveFacts, Facts, Found, Seen, ToolFacts};
use crate::domain::pseudonym::Mention;
use crate::domain::{
    Call, ClientHint, Fault, Filter, Grant, Principal, PrincipalKind, Recent, Release, Subject,
    Timestamp, TrailView,
};
use crate::intercom::Search;

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
    want: &Want,
) -> Document {
    let mut input = common(principal, client, facts, want);
    input.put("tools", || {
        let tools: Vec<Value> = tools.iter().map(offered).collect();
        tools.into()
    });
    Document { value: input.value(), bytes: tools.len() * 64 }
}

pub(super) fn admit(call: &Call, facts: &Facts, want: &Want) -> Result<Document, Failure> {
    let (mut input, bytes) = of_call(call, facts, want)?;
    input.put("grants", || call.meta.grant.iter().map(|it| grant(it)).collect::<Vec<_>>().into());
    let seen = seen(&facts.seen, &mut input);
    Ok(Document { value: input.value(), bytes: bytes + seen })
}

pub(super) fn disclose(
    call: &Call,
    answer: &AnswerFacts,
    facts: &Facts,
    want: &Want,
) -> Result<Document, Failure> {
    let (mut input, bytes) = of_call(call, facts, want)?;
    let is_error = matches!(answer.kind, AnswerKind::Error | AnswerKind::ToolError);
    let mut looked_at = Ok(0);
    let seen = seen(&facts.seen, &mut input);
    input.part("answer", |part| {
        part.put("kind", || answer.kind.as_str().into());
        part.put("bytes", || answer.bytes.into());
        part.put("is_error", || is_error.into());
        if let Some(method) = &answer.method {
            part.put("method", || method.as_str().into());
        }
        looked_at = shown::fill(part, answer);
    });
    Ok(Document { value: input.value(), bytes: bytes + seen + looked_at? })
}

pub(super) fn approve(
    ask: &ApproveFacts<'_>,
    facts: &Facts,
    want: &Want,
) -> Result<Document, Failure> {
    let (mut input, bytes) = of_call(ask.call, facts, want)?;
    input.put("action", || ask.action.as_str().into());
    input.part("approver", |part| {
        part.put("id", || ask.approver.id.as_str().into());
        part.put("groups", || strings(&ask.approver.groups));
    });
    input.part("hold", |part| {
        part.put("id", || ask.hold.id.to_string().into());
        part.put("tool", || ask.call.subject.tool().unwrap_or_default().into());
        part.put("principal", || ask.call.principal.id.as_str().into());
        part.put("opened_at", || time(ask.hold.opened_at));
        part.put("expires_at", || time(ask.hold.expires_at));
        part.put("release", || release(&ask.hold.release));
        part.put("approvals", || {
            ask.hold.approvals.iter().map(|id| Value::from(id.as_str())).collect::<Vec<_>>().into()
        });
    });
    Ok(Document { value: input.value(), bytes })
}

type Members = BTreeMap<Value, Value>;

/// An object under construction: members that nobody wants are not made.
struct Part<'a> {
    want: &'a Want,
    members: Members,
}

impl<'a> Part<'a> {
    const fn new(want: &'a Want) -> Self {
        Self { want, members: Members::new() }
    }

    fn put(&mut self, key: &'static str, value: impl FnOnce() -> Value) {
        if self.want.of(key).is_some() {
            self.members.insert(Value::from(key), value());
        }
    }

    fn part(&mut self, key: &'static str, fill: impl FnOnce(&mut Self)) {
        if let Some(want) = self.want.of(key) {
            let mut part = Self::new(want);
            fill(&mut part);
            self.members.insert(Value::from(key), part.value());
        }
    }

    /// JSON that came with the call.
    fn read(&mut self, key: &'static str, text: &str) -> Result<(), Failure> {
        if self.want.of(key).is_some() {
            // The strict reader has accepted this text already; the cause would quote the payload.
            let value = json::read(text).map_err(|_| {
                let text = "the call's payload is not JSON that policy can read";
                Failure::new(Fault::PolicyError, text)
            })?;
            self.members.insert(Value::from(key), value);
        }
        Ok(())
    }

    fn value(self) -> Value {
        self.members.into()
    }
}

fn common<'a>(
    principal: &Principal,
    client: &ClientHint,
    facts: &Facts,
    want: &'a Want,
) -> Part<'a> {
    let mut input = Part::new(want);
    input.put("now", || now(facts.now));
    input.part("environment", |part| part.put("name", || (&*facts.environment).into()));
    input.part("trail", |part| trail(&facts.trail, part));
    input.part("principal", |part| self::principal(principal, part));
    input.part("client", |part| {
        part.put("name", || client.name.as_str().into());
        part.put("version", || client.version.as_str().into());
        if let Some(address) = client.address {
            part.put("address", || address.to_canonical().to_string().into());
        }
    });
    input
}

fn of_call<'a>(call: &Call, facts: &Facts, want: &'a Want) -> Result<(Part<'a>, usize), Failure> {
    let continuation = call.continuation.as_ref().map_or("", |text| text.as_str());
    let bytes = call.payload.as_str().len() + continuation.len();
    if bytes > MAX_CALL_BYTES {
        let text = format!("the call has {bytes} bytes; policy looks at {MAX_CALL_BYTES} at most");
        return Err(Failure::new(Fault::PolicyInputTooLarge, text));
    }
    let mut input = common(&call.principal, &call.client, facts, want);
    input.put("method", || call.method.as_str().into());
    input.put("revision", || call.revision.as_str().into());
    input.part("subject", |part| subject(&call.subject, part));
    if let Subject::Tool { name, effect, definition } = &call.subject {
        input.part("tool", |part| {
            part.put("name", || name.as_str().into());
            part.put("effect", || effect.as_str().into());
            part.put("pinned", || definition.is_some().into());
            if let Some(digest) = definition {
                part.put("definition", || digest.to_string().into());
            }
        });
        input.read("arguments", call.payload.as_str())?;
        if let Some(target) = &call.meta.target {
            input.read("target", target.as_str())?;
        }
        if let Some(reason) = &call.meta.reason {
            input.put("reason", || reason.as_str().into());
        }
        if want.of("search").is_some()
            && let Some(search) = Search::of(name, &call.payload)
        {
            input.part("search", |part| self::search(&search, part));
        }
    } else {
        input.read("params", call.payload.as_str())?;
    }
    if !continuation.is_empty() {
        input.read("continuation", continuation)?;
    }
    input.put("pseudonyms", || {
        call.meta.pseudonyms.iter().map(pseudonym).collect::<Vec<_>>().into()
    });
    Ok((input, bytes))
}

fn principal(principal: &Principal, part: &mut Part<'_>) {
    let kind = match principal.kind {
        PrincipalKind::Agent => "agent",
        PrincipalKind::PassThrough => "pass_through",
        PrincipalKind::Anonymous => "anonymous",
        PrincipalKind::Portcullis => "portcullis",
    };
    part.put("id", || principal.id.as_str().into());
    part.put("kind", || kind.into());
    part.put("roles", || strings(&principal.roles));
    part.put("groups", || strings(&principal.groups));
    part.put("attributes", || {
        let attributes = principal.attributes.iter();
        attributes
            .map(|(key, value)| (Value::from(key.as_str()), Value::from(value.as_str())))
            .collect::<Members>()
            .into()
    });
    if let Some(person) = &principal.on_behalf_of {
        part.put("on_behalf_of", || person.as_str().into());
    }
}

fn subject(subject: &Subject, part: &mut Part<'_>) {
    let (kind, key, value) = match subject {
        Subject::Tool { name, .. } => ("tool", "name", name.as_str()),
        Subject::Prompt { name } => ("prompt", "name", name.as_str()),
        Subject::Resource { uri } => ("resource", "uri", uri.as_str()),
        Subject::Task { id } => ("task", "id", id.as_str()),
        Subject::Answer => ("answer", "", ""),
        Subject::Method => ("method", "", ""),
    };
    part.put("kind", || kind.into());
    if !key.is_empty() {
        part.put(key, || value.into());
    }
}

fn pseudonym(mention: &Mention) -> Value {
    let mut members = Members::new();
    let mut put = |key: &str, value: Value| members.insert(Value::from(key), value);
    put("token", mention.token.to_string().into());
    put("kind", mention.token.kind().into());
    if let Some(part) = mention.token.part() {
        put("part", part.into());
    }
    put("argument", mention.argument.as_str().into());
    put("path", mention.path.as_str().into());
    put("known", mention.known.into());
    put("elsewhere", mention.elsewhere.into());
    put("subjects", strings(&mention.subjects));
    put("seen", strings(&mention.seen_in));
    members.into()
}

fn search(search: &Search, part: &mut Part<'_>) {
    part.put("object", || search.object.as_str().into());
    part.put("filters", || search.filters.iter().map(filter).collect::<Vec<_>>().into());
    if let Some(text) = &search.text {
        part.put("text", || text.as_str().into());
    }
    if let Some(limit) = search.limit {
        part.put("limit", || limit.into());
    }
    if let Some(cursor) = &search.cursor {
        part.put("cursor", || cursor.as_str().into());
    }
}

fn filter(filter: &Filter) -> Value {
    object([
        ("field", filter.field.as_str().into()),
        ("operator", filter.operator.as_str().into()),
        ("values", strings(&filter.values)),
    ])
}

fn trail(trail: &TrailView, part: &mut Part<'_>) {
    for (name, totals) in [("minute", trail.minute), ("hour", trail.hour), ("day", trail.day)] {
        part.part(name, |part| {
            for (name, sum) in totals.named() {
                part.put(name, || sum.into());
            }
        });
    }
    part.put("labels", || strings(&trail.labels));
    part.put("recent", || trail.recent.iter().map(recent).collect::<Vec<_>>().into());
}

/// What plugins saw; gives how many bytes went into it.
fn seen(seen: &Seen, part: &mut Part<'_>) -> usize {
    part.put("findings", || seen.findings.iter().map(found).collect::<Vec<_>>().into());
    part.put("labels", || strings(&seen.labels));
    if part.want.of("findings").is_none() {
        return 0;
    }
    let of = |found: &Found| 100 + found.paths.iter().map(String::len).sum::<usize>();
    seen.findings.iter().map(of).sum()
}

fn found(found: &Found) -> Value {
    object([
        ("kind", found.kind.as_str().into()),
        ("party", found.party.as_str().into()),
        ("confidence", u64::from(found.confidence).into()),
        ("count", found.count.into()),
        ("plugin", found.plugin.as_str().into()),
        ("paths", strings(&found.paths)),
    ])
}

fn recent(recent: &Recent) -> Value {
    object([
        ("tool", recent.tool.as_str().into()),
        ("verdict", recent.verdict.as_str().into()),
        ("seconds_ago", recent.seconds_ago.into()),
    ])
}

fn offered(tool: &ToolFacts) -> Value {
    object([
        ("name", tool.name.as_str().into()),
        ("effect", tool.effect.as_str().into()),
        ("pinned", tool.pinned.into()),
        ("labels", strings(&tool.labels)),
    ])
}

fn grant(grant: &Grant) -> Value {
    object([
        ("id", grant.id.to_string().into()),
        ("tool", grant.given.tool.as_str().into()),
        ("by", grant.given.by.as_str().into()),
        ("calls_left", u64::from(grant.left()).into()),
    ])
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

/// The present, with what windows of time are made of.
fn now(now: Timestamp) -> Value {
    const DAYS: [&str; 7] =
        ["thursday", "friday", "saturday", "sunday", "monday", "tuesday", "wednesday"];
    let unix = now.millis().div_euclid(1000);
    // The epoch was a Thursday.
    let day = usize::try_from(unix.div_euclid(86_400).rem_euclid(7)).unwrap_or_default();
    object([
        ("text", now.to_string().into()),
        ("unix", unix.into()),
        ("weekday", DAYS.get(day).copied().unwrap_or_default().into()),
        ("minute_of_day", unix.rem_euclid(86_400).div_euclid(60).into()),
    ])
}

fn strings(list: &[String]) -> Value {
    list.iter().map(|text| Value::from(text.as_str())).collect::<Vec<_>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CallId, CallMeta, Effect, JsonText, Revision};

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
            let input = admit(&call, &facts(), &Want::Whole).map_err(|it| it.text).unwrap().value;
            assert_eq!(input[there], json::read(payload).unwrap());
            assert_eq!(input[not_there], Value::Undefined);
            let seen = continuation.map_or(Value::Undefined, |text| json::read(text).unwrap());
            assert_eq!(input["continuation"], seen);
        }
    }

    #[test]
    fn windows_of_time_can_be_told() {
        let rows = [
            (0, "thursday", 0),
            (1_785_000_000_000, "saturday", 17 * 60 + 20),
            (-1, "wednesday", 23 * 60 + 59),
        ];
        for (millis, weekday, minute) in rows {
            let now = now(Timestamp::from_millis(millis));
            assert_eq!(now["weekday"], Value::from(weekday), "{millis}");
            assert_eq!(now["minute_of_day"], Value::from(minute), "{millis}");
        }
    }

    #[test]
    fn a_search_is_seen_in_one_form() {
        let rows = [
            (
                "search",
                r#"{"query":"object_type:conversations state:open q:refund limit:9"}"#,
                r#"{"object":"conversations","filters":[{"field":"state","operator":"eq","values":["open"]}],"text":"refund","limit":9}"#,
            ),
            (
                "search_conversations",
                r#"{"ids":["1"],"starting_after":"c"}"#,
                r#"{"object":"conversations","filters":[{"field":"id","operator":"in","values":["1"]}],"cursor":"c"}"#,
            ),
            ("list_articles", "{}", r#"{"object":"articles","filters":[]}"#),
        ];
        for (name, payload, expected) in rows {
            let name = name.to_owned();
            let tool = Subject::Tool { name, effect: Effect::Read, definition: None };
            let input = admit(&call(tool, payload, None), &facts(), &Want::Whole).ok().unwrap();
            assert_eq!(input.value["search"], json::read(expected).unwrap());
        }
        let tool = Subject::Tool { name: "fetch".into(), effect: Effect::Read, definition: None };
        let input = admit(&call(tool, "{}", None), &facts(), &Want::Whole).ok().unwrap();
        assert_eq!(input.value["search"], Value::Undefined);
    }

    #[test]
    fn the_bound_holds_for_all_methods() {
        let long = format!(r#"{{"cursor":"{}"}}"#, "x".repeat(MAX_CALL_BYTES));
        for (payload, continuation) in [(&*long, None), ("{}", Some(&*long))] {
            let refused =
                admit(&call(Subject::Method, payload, continuation), &facts(), &Want::Whole);
            assert_eq!(refused.err().unwrap().fault, Fault::PolicyInputTooLarge);
        }
    }

    fn facts() -> Facts {
        Facts {
            now: Timestamp::default(),
            environment: "test".into(),
            trail: TrailView::default(),
            seen: std::sync::Arc::default(),
        }
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
