//! The trial of a bundle before it may decide: sample calls on both of the engine's ways of
//! evaluation.
//!
//! A rule that ends in an error, an answer of another shape, an answer on which bytecode and
//! interpreter differ, or a rule that lets an empty document pass is found here, not by an agent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use regorus::Value;

use super::answer::{self, Sites};
use super::engine::{Budget, Failure, Prepared};
use super::input::{self, Document};
use super::kind::Kind;
use super::problem::Problem;
use super::wants::{Want, Wants};
use super::{AnswerFacts, AnswerKind, ApproveFacts, Facts, Found, HoldFacts, Seen, ToolFacts};
use crate::domain::pseudonym::{Mention, Token};
use crate::domain::{
    Action, Approver, ApproverId, Call, CallId, CallMeta, ClientHint, Digest, Effect, HoldId,
    JsonText, ParseIdError, Party, Principal, PrincipalId, PrincipalKind, Question, Recent,
    Release, Revision, Subject, Timestamp, Totals, TrailView, Verdict,
};
use crate::intercom::records::Content;

/// Asks every question with an empty document and with sample calls; gives what went wrong.
pub(super) fn samples(prepared: &Prepared, sites: &Sites) -> Vec<Problem> {
    let documents = match documents(&roles(&prepared.data), &prepared.wants) {
        Ok(documents) => documents,
        Err(error) => return vec![Problem::of_bundle(error.to_string())],
    };
    let mut problems = Vec::new();
    for sample in documents {
        let answer = prepared.ask(sample.question, sample.wanted.clone(), Budget::TRIAL);
        let judged = answer.clone().and_then(|answer| judge(&sample, &answer, sites));
        if let Err(failure) = judged {
            problems.push(problem(&sample, &failure));
        } else if prepared.interpret(sample.question, sample.whole.clone(), Budget::TRIAL) != answer
        {
            problems.push(disagreement(&sample));
        }
    }
    problems
}

struct Sample {
    question: Question,
    /// For messages.
    what: String,
    /// The input with every member, as documented.
    whole: Value,
    /// The input as it is built on the road.
    wanted: Value,
    offered: BTreeSet<String>,
}

const BROAD: &str = "a rule allows without looking at anything";

fn judge(sample: &Sample, answer: &Value, sites: &Sites) -> Result<(), Failure> {
    if sample.question == Question::Visible {
        return answer::shown(answer, &sample.offered, sites).map(|_| ());
    }
    let ruling = answer::ruling(sample.question, answer, sites)?;
    let empty = sample.whole.as_object().is_ok_and(regorus::value::Object::is_empty);
    if empty && ruling.verdict == Verdict::Allow {
        let at = ruling.reasons.into_iter().find_map(|reason| reason.at);
        return Err(Failure {
            at,
            ..Failure::new(crate::domain::Fault::PolicyInvalidResult, BROAD)
        });
    }
    Ok(())
}

fn problem(sample: &Sample, failure: &Failure) -> Problem {
    let question = sample.question.as_str();
    let text = format!("`{question}` failed for {}: {}", sample.what, failure.text);
    let place = failure.at.as_deref().and_then(|at| at.rsplit_once(':'));
    match place {
        Some((file, line)) => {
            Problem { line: line.parse().unwrap_or(0), column: 1, ..Problem::of_file(file, text) }
        }
        None => Problem::of_bundle(text),
    }
    .of(if failure.text == BROAD { Kind::Broad } else { Kind::Trial })
}

/// The road's way and the interpreter on the whole input must not differ.
fn disagreement(sample: &Sample) -> Problem {
    Problem::of_bundle(format!(
        "the engine's two ways of evaluation differ on `{}` for {}: write the rules that speak \
         there in another way",
        sample.question.as_str(),
        sample.what
    ))
    .of(Kind::Trial)
}

/// The roles that the bundle's data knows.
pub(super) fn role_names(data: &Value) -> Vec<String> {
    let Value::Object(roles) = &data["roles"] else { return Vec::new() };
    roles.keys_sorted().filter_map(|key| key.as_string().ok().map(ToString::to_string)).collect()
}

/// The roles that the bundle's data knows, and one that it does not.
fn roles(data: &Value) -> Vec<Vec<String>> {
    let names = role_names(data);
    let mut sets: Vec<Vec<String>> = names.iter().map(|name| vec![name.clone()]).collect();
    sets.push(names);
    sets.extend([Vec::new(), vec![String::from("a role that nobody has")]]);
    sets
}

const READS: [&str; 11] = [
    "search",
    "fetch",
    "search_conversations",
    "get_conversation",
    "search_contacts",
    "get_contact",
    "list_companies",
    "get_company",
    "list_articles",
    "search_articles",
    "get_article",
];
const WRITES: [&str; 4] =
    ["create_article", "update_article", "add_internal_note", "a tool that nobody knows"];
const METHODS: [&str; 8] = [
    "initialize",
    "ping",
    "tools/list",
    "server/discover",
    "resources/read",
    "prompts/get",
    "tasks/get",
    "a/method/that/nobody/knows",
];
const SERVER_METHODS: [Option<&str>; 3] =
    [Some("sampling/createMessage"), Some("elicitation/create"), Some("roots/list")];

/// Results: a list with every fact that rules may ask for, prose, and something that is not
/// understood.
const ANSWERS: [&str; 3] = [
    r#"{"structuredContent":{"conversations":[{"type":"conversation","id":"1","state":"open",
        "team_assignee_id":"2","admin_assignee_id":3,"tags":{"tags":[{"id":"4","name":"legal"}]},
        "source":{"author":{"type":"user","id":"66b0c0de0000000000000a01"}},
        "contacts":{"contacts":[{"type":"contact","id":"66b0c0de0000000000000a01"}]},
        "company":{"type":"company","id":"5","name":"n","tags":{"tags":[]},
            "segments":{"segments":[{"id":"6","name":"vip"}]}},
        "conversation_parts":{"conversation_parts":[{"type":"conversation_part","id":"7",
            "part_type":"note","body":"b","author":{"type":"admin","id":"3"}}]}}]}}"#,
    r#"{"structuredContent":{"results":[{"id":"conversation_1","title":"t","text":"b"}]}}"#,
    r#"{"content":[{"type":"text","text":"words"}]}"#,
];
/// The documents of a question with every member, as the trial asks them.
#[cfg(test)]
pub(super) fn whole_documents(question: Question) -> Vec<Value> {
    let roles = [vec![String::from("a role")], Vec::new()];
    let wants = Wants::of(&[]);
    let samples = documents(&roles, &wants).unwrap_or_default().into_iter();
    let asked = samples.filter(|sample| sample.question == question).map(|sample| sample.whole);
    asked.filter(|whole| *whole != Value::new_object()).collect()
}

fn documents(role_sets: &[Vec<String>], wants: &Wants) -> Result<Vec<Sample>, ParseIdError> {
    let mut samples: Vec<Sample> = Question::ALL
        .map(|question| Sample {
            question,
            what: String::from("an empty document"),
            whole: Value::new_object(),
            wanted: Value::new_object(),
            offered: BTreeSet::new(),
        })
        .into();
    let facts = Facts {
        now: Timestamp::from_millis(0),
        environment: Arc::from("sample"),
        trail: TrailView::default(),
        seen: Arc::default(),
    };
    let busy = Facts { trail: busy_trail(), seen: Arc::new(much_seen()), ..facts.clone() };
    let approvers: [ApproverId; 2] = ["first".parse()?, "second".parse()?];
    let id: PrincipalId = "sample".parse()?;
    for (place, roles) in role_sets.iter().enumerate() {
        let principal = Arc::new(principal(id.clone(), roles.clone()));
        samples.push(sample_list(&principal, &facts, wants));
        if place == 0 {
            samples.push(sample_list(&principal, &busy, wants));
            let calls = calls(&principal);
            samples.extend(calls.iter().filter_map(|call| sample_call(call, &busy, wants)));
            let answers = calls.iter().step_by(10);
            samples.extend(answers.flat_map(|call| sample_answers(call, &busy, wants)));
        }
        for (index, call) in calls(&principal).iter().enumerate() {
            samples.extend(sample_call(call, &facts, wants));
            // Answers hardly differ by call; a few calls of each sort will do.
            if index % 10 == 0 {
                samples.extend(sample_answers(call, &facts, wants));
            }
            if call.subject.effect() == Effect::Write {
                samples.extend(sample_holds(call, &approvers, &facts, wants));
            }
        }
    }
    Ok(samples)
}

/// The trail of a principal that did and saw a lot.
fn busy_trail() -> TrailView {
    const MUCH: u64 = 1_000_000;
    let much = Totals {
        calls: MUCH,
        denials: MUCH,
        writes: MUCH,
        probes: MUCH,
        rows: MUCH,
        bytes: MUCH,
        contacts: MUCH,
        companies: MUCH,
        conversations: MUCH,
        articles: MUCH,
    };
    let tool = String::from("update_article");
    TrailView {
        minute: much,
        hour: much,
        day: much,
        labels: vec![String::from("a-label")],
        recent: vec![Recent { tool, verdict: Verdict::Deny, seconds_ago: 1 }],
    }
}

/// What plugins see in a call or an answer that is full of it.
fn much_seen() -> Seen {
    const KINDS: [&str; 4] = ["email", "person", "secret", "a kind of a plugin's own"];
    let found = |(kind, party): (&str, Party)| Found {
        kind: kind.to_owned(),
        party,
        confidence: 100,
        count: 1_000,
        plugin: String::from("a plugin"),
        paths: vec![String::from("/body"), String::from("$/content/0/text")],
    };
    let pairs = KINDS.into_iter().flat_map(|kind| Party::ALL.map(|party| (kind, party)));
    Seen { findings: pairs.map(found).collect(), labels: vec![String::from("instructions")] }
}

fn sample_list(principal: &Principal, facts: &Facts, wants: &Wants) -> Sample {
    let tools = READS.map(|name| (name, Effect::Read)).into_iter();
    let tools: Vec<ToolFacts> = tools
        .chain(WRITES.map(|name| (name, Effect::Write)))
        .map(|(name, effect)| {
            let found = (effect == Effect::Write).then(|| String::from("instructions"));
            let labels = found.into_iter().collect();
            ToolFacts { name: name.to_owned(), effect, pinned: true, labels }
        })
        .collect();
    let client = ClientHint::default();
    let input = |want: &Want| input::visible(principal, &client, &tools, facts, want).value;
    let (whole, wanted) = (input(&Want::Whole), input(wants.of_question(Question::Visible)));
    let what = format!("the roles {:?}", principal.roles);
    let offered = tools.iter().map(|tool| tool.name.clone()).collect();
    Sample { question: Question::Visible, what, whole, wanted, offered }
}

fn sample(
    question: Question,
    call: &Call,
    more: &str,
    wants: &Wants,
    document: impl Fn(&Want) -> Result<Document, Failure>,
) -> Option<Sample> {
    let name = call.subject.tool().unwrap_or(&call.method);
    let what = format!("a call of `{name}` with the roles {:?}{more}", call.principal.roles);
    let whole = document(&Want::Whole).ok()?.value;
    let wanted = document(wants.of_question(question)).ok()?.value;
    Some(Sample { question, what, whole, wanted, offered: BTreeSet::new() })
}

fn sample_call(call: &Call, facts: &Facts, wants: &Wants) -> Option<Sample> {
    sample(Question::Admit, call, "", wants, |want| input::admit(call, facts, want))
}

fn sample_answers(call: &Call, facts: &Facts, wants: &Wants) -> Vec<Sample> {
    let mut samples = Vec::new();
    for kind in AnswerKind::ALL {
        let methods: &[Option<&str>] = match kind {
            AnswerKind::ServerRequest => &SERVER_METHODS,
            AnswerKind::Notification => &[Some("notifications/message")],
            _ => &[None],
        };
        let contents: &[&str] = if kind == AnswerKind::Result { &ANSWERS } else { &[""] };
        for (method, text) in
            methods.iter().flat_map(|method| contents.iter().map(move |text| (method, text)))
        {
            let content = match *text {
                "" => Content::nothing(),
                text => {
                    let text = JsonText::from_valid(Bytes::from_static(text.as_bytes()));
                    Content::of_result(call.subject.tool(), &text)
                }
            };
            let method = method.map(str::to_owned);
            let answer = AnswerFacts { kind, method, bytes: 100, content };
            let more = format!(", answer of kind `{}`", kind.as_str());
            let document = |want: &Want| input::disclose(call, &answer, facts, want);
            samples.extend(sample(Question::Disclose, call, &more, wants, document));
        }
    }
    samples
}

fn sample_holds(
    call: &Call,
    approvers: &[ApproverId; 2],
    facts: &Facts,
    wants: &Wants,
) -> Vec<Sample> {
    let mut samples = Vec::new();
    for groups in [Vec::new(), vec![String::from("a group")]] {
        let hold = HoldFacts {
            id: HoldId::from_random(1),
            opened_at: facts.now,
            expires_at: facts.now.plus(Duration::from_secs(60)),
            release: Release {
                groups,
                people: 2,
                expires: Duration::from_secs(60),
                ..Release::default()
            },
            approvals: approvers.iter().take(1).cloned().collect(),
        };
        for id in approvers {
            let approver = Approver { id: id.clone(), groups: vec![String::from("a group")] };
            let action = Action::Approve;
            let ask = ApproveFacts { approver: &approver, action, hold: &hold, call };
            let document = |want: &Want| input::approve(&ask, facts, want);
            samples.extend(sample(Question::Approve, call, ", held", wants, document));
        }
    }
    samples
}

fn principal(id: PrincipalId, roles: Vec<String>) -> Principal {
    Principal {
        id,
        kind: PrincipalKind::Agent,
        roles,
        groups: vec![String::from("a group")],
        attributes: BTreeMap::new(),
        on_behalf_of: Some(String::from("first")),
    }
}

/// A pseudonym in the arguments, with all that can be known of one.
fn mention() -> Option<Mention> {
    Some(Mention {
        token: Token::new("person", "7f3a9c", Some("first"))?,
        argument: String::from("body"),
        path: String::from("/body"),
        known: true,
        elsewhere: true,
        subjects: vec![String::from("contact:66b0c0de0000000000000a01")],
        seen_in: vec![String::from("conversation:1")],
    })
}

fn calls(principal: &Arc<Principal>) -> Vec<Call> {
    const FULL: &str = r#"{"id":"1","query":"object_type:conversations state:open q:refund limit:5",
        "title":"t","body":"<p>b</p>","author_id":1,"state":"published","conversation_id":"1","per_page":5}"#;
    let call = |method: &str, subject: Subject, payload: &'static str| Call {
        id: CallId(uuid::Uuid::nil()),
        at: Timestamp::from_millis(0),
        principal: Arc::clone(principal),
        revision: Revision::V2025_11_25,
        client: ClientHint::default(),
        method: method.to_owned(),
        subject,
        payload: JsonText::from_valid(Bytes::from_static(payload.as_bytes())),
        continuation: None,
        meta: CallMeta::default(),
    };
    let tool = |name: &str, effect, pinned: bool| Subject::Tool {
        name: name.to_owned(),
        effect,
        definition: pinned.then(|| Digest::of("sample", &[])),
    };
    let mut calls = Vec::new();
    for (names, effect) in [(&READS[..], Effect::Read), (&WRITES[..], Effect::Write)] {
        for name in names {
            let mut full = call("tools/call", tool(name, effect, true), FULL);
            full.meta.pseudonyms.extend(mention());
            calls.push(full);
            calls.push(call("tools/call", tool(name, effect, false), "{}"));
        }
    }
    calls.extend(METHODS.map(|method| call(method, Subject::Method, "{}")));
    let prompt = Subject::Prompt { name: String::from("sample") };
    calls.push(call("prompts/get", prompt, "{}"));
    let resource = Subject::Resource { uri: String::from("sample://uri") };
    calls.push(call("resources/read", resource, "{}"));
    calls.push(call("tasks/get", Subject::Task { id: String::from("1") }, "{}"));
    calls
}
