//! What rules withhold of answers, through the real binary: every way by which a conversation could
//! reach somebody who may not see it, and what is left.

use std::collections::BTreeSet;

use portcullis::simulator::Options;
use portcullis::simulator::options::{ApiVersion, Reply as Form, Speak, Wrapping};
use serde_json::{Value, json};

use crate::client::{Client, Reply};
use crate::live::{Live, TASKS, legacy, other};
use crate::obligations::bundle_of;
use crate::road::{CONVERSATION, hold_id};
use crate::stand::{Setup, Stand};

/// `other` sees everything; the agent no legal conversation, no internal note, and few rows.
const DISCLOSE: &str = r#"
package portcullis.rules.disclose

import rego.v1

allow contains {"rule": "all", "text": "all"} if input.principal.id

oblige contains {
	"rule": "legal",
	"text": "legal matters are for the legal team",
	"drop": {"record": r.ref},
} if {
	input.principal.id == "agent"
	some r in input.answer.records
	is_legal(r)
}

# Prose has no tags.
is_legal(r) if {
	r.type == "conversation"
	r.partial
}

is_legal(r) if {
	r.type == "conversation"
	"legal" in r.tags
}

oblige contains {
	"rule": "notes",
	"text": "internal notes stay inside",
	"drop": {"record": r.ref},
} if {
	input.principal.id == "agent"
	some r in input.answer.records
	r.type == "note"
}

oblige contains {"rule": "few", "text": "few at a time", "rows": {"most": 3}} if {
	input.principal.id == "agent"
	input.tool.name in {"list_companies", "search_contacts"}
}
"#;

const ADMIT: &str = r#"
package portcullis.rules.admit

import rego.v1

allow contains {"rule": "all", "text": "all"} if input.principal.id

hold contains {"rule": "writes_wait", "text": "writes wait"} if input.tool.effect == "write"
"#;

fn setup(simulator: Options, disclose: &str) -> Setup {
    let more = "policies: rules\nholds: { wait: 300ms, poll: 300ms }\n".to_owned();
    Setup { simulator, more, ..bundle_of(ADMIT, disclose) }
}

/// The JSON of an answer, and the words of ours beside it.
fn read(reply: &Reply) -> (Value, String) {
    assert!(!reply.is_tool_error(), "{reply:?}");
    let payload: Value = serde_json::from_str(reply.tool_text()).unwrap();
    let result = &reply.answer()["result"];
    if !result["structuredContent"].is_null() {
        assert_eq!(result["structuredContent"], payload, "text and structured content are one");
    }
    let blocks = result["content"].as_array().unwrap();
    (payload, blocks.get(1).map_or("", |block| block["text"].as_str().unwrap()).to_owned())
}

/// The whole inbox, page by page; the agent's own words are collected beside it.
async fn inbox(client: &Client, per_page: u64) -> (Vec<Value>, Vec<String>) {
    let (mut all, mut words) = (Vec::new(), Vec::new());
    let mut arguments = json!({"per_page": per_page});
    loop {
        let (page, said) = read(&client.call("search_conversations", arguments.clone()).await);
        let list = page["conversations"].as_array().unwrap().clone();
        assert_eq!(page["total_in_page"], list.len());
        all.extend(list);
        words.push(said);
        match page["pages"]["next"]["starting_after"].as_str() {
            Some(cursor) => arguments["starting_after"] = json!(cursor),
            None => return (all, words),
        }
    }
}

fn id(one: &Value) -> String {
    one["id"].as_str().unwrap().to_owned()
}

fn is_legal(one: &Value) -> bool {
    one["tags"]["tags"].as_array().unwrap().iter().any(|tag| tag["name"] == "legal")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_legal_conversation_is_seen_by_no_way() {
    let simulator = Options { reply: Form::Json, ..Options::default() };
    let stand = Stand::start(setup(simulator, DISCLOSE)).await;
    let agent = stand.client().connected().await;
    let free = other(&stand).await.connected().await;
    for (wrapping, api) in
        [(Wrapping::Text, ApiVersion::V2_14), (Wrapping::Structured, ApiVersion::V2_16)]
    {
        stand.simulator.set(|it| (it.wrapping, it.api) = (wrapping, api));
        let (whole, silent) = inbox(&free, 50).await;
        assert!(silent.iter().all(String::is_empty), "{silent:?}");
        let legal: BTreeSet<String> = whole.iter().filter(|one| is_legal(one)).map(id).collect();
        assert!(legal.len() > 3 && whole.len() > 2 * legal.len(), "{}", legal.len());
        // Lists: all but the legal ones, the same bytes, and a truthful count.
        let (left, words) = inbox(&agent, 7).await;
        let expected: Vec<&Value> = whole.iter().filter(|one| !is_legal(one)).collect();
        assert_eq!(left.iter().collect::<Vec<_>>(), expected);
        let told: usize = words.iter().map(|words| count(words, "conversation")).sum();
        assert_eq!(told, legal.len(), "{words:?}");
        // One by one.
        for one in legal.iter().take(4) {
            for (tool, spelling) in [
                ("get_conversation", one.clone()),
                ("get_conversation", format!("conversation_{one}")),
                ("fetch", format!("conversation_{one}")),
                ("fetch", format!("https://app.intercom.com/a/inbox/x/inbox/conversation/{one}")),
            ] {
                let refused = agent.call(tool, json!({"id": spelling})).await;
                assert!(refused.is_tool_error(), "{refused:?}");
                assert_eq!(
                    refused.tool_text(),
                    "Portcullis withheld 1 conversation: legal matters are for the legal team."
                );
                assert!(!refused.text.contains(one.as_str()), "{refused:?}");
                assert!(!free.call(tool, json!({"id": spelling})).await.is_tool_error());
            }
        }
        // Prose: what cannot be told apart is not shown; contacts are.
        for query in ["object_type:conversations limit:150", "object_type:conversations q:refund"] {
            let reply = agent.call("search", json!({"query": query})).await;
            let (hits, words) = read(&reply);
            assert_eq!(hits["results"], json!([]));
            assert!(count(&words, "conversation") > 0, "{words}");
            assert!(legal.iter().all(|id| !reply.text.contains(id.as_str())));
            let (hits, _) = read(&free.call("search", json!({"query": query})).await);
            assert!(!hits["results"].as_array().unwrap().is_empty());
        }
        let (hits, words) =
            read(&agent.call("search", json!({"query": "object_type:contacts"})).await);
        assert!(!hits["results"].as_array().unwrap().is_empty() && words.is_empty());
    }
    assert!(stand.output(&["audit", "verify"]).starts_with("ok: "));
}

/// How many of something the words say were withheld.
fn count(words: &str, what: &str) -> usize {
    let number = |line: &str| {
        let rest = line.strip_prefix("Portcullis withheld ")?;
        let (number, after) = rest.split_once(' ')?;
        after.starts_with(what).then(|| number.parse::<usize>().unwrap())
    };
    words.lines().filter_map(number).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notes_are_cut_out_and_lists_are_short() {
    let simulator =
        Options { wrapping: Wrapping::Structured, api: ApiVersion::V2_16, ..Options::default() };
    let stand = Stand::start(setup(simulator, DISCLOSE)).await;
    let agent = stand.client().connected().await;
    let free = other(&stand).await.connected().await;
    let asked = json!({"id": CONVERSATION});
    let (mut whole, _) = read(&free.call("get_conversation", asked.clone()).await);
    let (left, words) = read(&agent.call("get_conversation", asked).await);
    let parts = whole["conversation_parts"]["conversation_parts"].as_array_mut().unwrap();
    let before = parts.len();
    parts.retain(|part| !part["part_type"].as_str().unwrap().starts_with("note"));
    let notes = before - parts.len();
    assert!(notes > 0);
    whole["conversation_parts"]["total_count"] = json!(before - notes);
    assert_eq!(left, whole);
    assert_eq!(count(&words, "internal note"), notes, "{words}");
    // Rows, and the notes that teammates keep on companies.
    let (companies, words) = read(&agent.call("list_companies", json!({"per_page": 10})).await);
    let list = companies["data"].as_array().unwrap();
    assert_eq!(list.len(), 3);
    assert!(list.iter().all(|one| one["notes"] == json!([])), "{list:?}");
    assert!(words.contains("Portcullis shows 3 of 10 entries: few at a time."), "{words}");
    let (contacts, words) =
        read(&agent.call("search_contacts", json!({"email_domain": "northwind.example"})).await);
    assert!(contacts["data"].as_array().unwrap().len() <= 3, "{words}");
    // What was shown is what the record says was shown.
    let records = stand.records();
    let edited: Vec<&Value> = records
        .iter()
        .filter(|it| it["type"] == "outcome" && it["outcome"]["disclose"]["shown"].is_string())
        .collect();
    assert!(edited.len() >= 2, "{records:?}");
    let duties = edited[0]["outcome"]["disclose"]["obligations"].as_array().unwrap();
    assert!(
        duties.iter().all(|duty| duty["changed"] == true && duty["drop"]["record"].is_string())
    );
    let log = serde_json::to_string(&records).unwrap();
    assert!(!log.contains("Checked the gateway") && !log.contains("Maria"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outcomes_of_held_calls_and_tasks_are_cut_alike() {
    let stand = Stand::start(setup(Options::default(), DISCLOSE)).await;
    let note = |body: &str| json!({"conversation_id": CONVERSATION, "body": body});
    // Held, released, and the outcome read by repeating the call. It is a note.
    let agent = stand.client().connected().await;
    let held = agent.call("add_internal_note", note("one")).await;
    assert!(held.tool_text().starts_with("PENDING"), "{held:?}");
    stand.approve(hold_id(held.tool_text()).parse().unwrap()).await.unwrap();
    for _ in 0..2 {
        let outcome = agent.call("add_internal_note", note("one")).await;
        assert_eq!(
            outcome.tool_text(),
            "Portcullis withheld 1 internal note: internal notes stay inside."
        );
        assert!(!outcome.text.contains("<p>one</p>"), "{outcome:?}");
    }
    // The hold's record has what policy said, and what was shown of the answer is nothing.
    let records = stand.records();
    let delivered = records.iter().find(|it| it["event"] == "delivered").unwrap();
    let duties = &delivered["disclose"]["obligations"];
    assert_eq!(duties[0]["rule"], "disclose.notes", "{delivered}");
    // The same as a task of the modern era.
    let tasks: Value = serde_json::from_str(TASKS).unwrap();
    let call = json!({"name": "add_internal_note", "arguments": note("two")});
    let task = agent.modern("tools/call", call, tasks.clone()).await;
    let task = task.answer()["result"]["taskId"].as_str().unwrap().to_owned();
    stand.approve(task.parse().unwrap()).await.unwrap();
    let status = agent.modern("tasks/get", json!({"taskId": task}), tasks.clone()).await;
    let result = &status.answer()["result"];
    assert_eq!(result["status"], "completed");
    let text = result["result"]["content"][0]["text"].as_str().unwrap();
    assert!(text.starts_with("Portcullis withheld 1 internal note"), "{text}");
    assert!(!status.text.contains("<p>two</p>"));
    assert_eq!(
        stand.calls().iter().filter(|it| it.tool.as_deref() == Some("add_internal_note")).count(),
        2
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_of_intercom_are_cut_alike() {
    let simulator = Options { speak: Speak::Modern, tasks: Some(0), ..Options::default() };
    let stand = Stand::start(setup(simulator, DISCLOSE)).await;
    let (agent, free) = (stand.client(), other(&stand).await);
    let tasks: Value = serde_json::from_str(TASKS).unwrap();
    let read = async |client: &Client, id: &str| {
        let call = json!({"name": "get_conversation", "arguments": {"id": id}});
        let task = client.modern("tools/call", call, tasks.clone()).await;
        let task = task.answer()["result"]["taskId"].clone();
        client.modern("tasks/get", json!({"taskId": task}), tasks.clone()).await
    };
    let whole = read(&free, CONVERSATION).await;
    assert!(whole.text.contains("part_type") && whole.text.contains("note"), "{whole:?}");
    let left = read(&agent, CONVERSATION).await;
    let result = &left.answer()["result"];
    assert_eq!(result["status"], "completed", "{left:?}");
    let text = result["result"]["content"][0]["text"].as_str().unwrap();
    let conversation: Value = serde_json::from_str(text).unwrap();
    let parts = conversation["conversation_parts"]["conversation_parts"].as_array().unwrap();
    assert!(!parts.is_empty() && parts.iter().all(|part| part["part_type"] != "note"));
    let mut legal = None;
    for number in 102..=115 {
        let id = format!("215470000000{number}");
        if read(&free, &id).await.text.contains(r#"\"name\":\"legal\""#) {
            legal = Some(id);
        }
    }
    let legal = legal.as_deref().unwrap();
    let refused = read(&agent, legal).await;
    let result = &refused.answer()["result"];
    assert_eq!(result["status"], "completed", "{refused:?}");
    let text = result["result"]["content"][0]["text"].as_str().unwrap();
    assert!(text.starts_with("Portcullis withheld 1 conversation"), "{text}");
    assert!(!refused.text.contains(legal));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_and_their_replays_are_cut_alike() {
    let simulator = Options { reply: Form::Sse, ..Options::default() };
    let stand = Stand::start(setup(simulator, DISCLOSE)).await;
    let mut agent = stand.client();
    agent.initialize("2025-11-25").await;
    let call = json!({"name": "get_conversation", "arguments": {"id": CONVERSATION}});
    let mut live = Live::post(&agent, &legacy(1, "tools/call", call)).await;
    let first = live.next().await.unwrap().id.unwrap();
    let came = live.rest().await;
    let mut resumed = Live::get(&agent, Some(&first)).await;
    let again = resumed.rest().await;
    assert_eq!(came, again);
    let answer = again.last().unwrap()["result"]["content"].clone();
    assert!(answer[0]["text"].as_str().unwrap().contains("part_type"));
    assert!(!answer[0]["text"].as_str().unwrap().contains(r#""part_type":"note"#));
    assert!(answer[1]["text"].as_str().unwrap().contains("internal note"));
}

/// Rules that look for records and do not know that `search` has no tags.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn naive_rules_fail_closed() {
    let naive = DISCLOSE
        .replace("is_legal(r) if {\n\tr.type == \"conversation\"\n\tr.partial\n}\n", "")
        .replace("# Prose has no tags.\n", "");
    assert!(!naive.contains("partial"));
    let simulator = Options { logs: 1, progress: 1, ..Options::default() };
    let stand = Stand::start(setup(simulator, &naive)).await;
    let agent = stand.client().connected().await;
    let (hits, words) =
        read(&agent.call("search", json!({"query": "object_type:conversations"})).await);
    assert_eq!(hits["results"], json!([]));
    assert!(words.contains("not enough is known"), "{words}");
    let refused = agent.call("fetch", json!({"id": format!("conversation_{CONVERSATION}")})).await;
    assert!(
        refused.is_tool_error() && refused.tool_text().contains("not enough is known"),
        "{refused:?}"
    );
    let whole = agent.call("get_conversation", json!({"id": CONVERSATION})).await;
    assert!(!whole.is_tool_error());
    // What Intercom logs on the way could be about anything.
    let methods: Vec<&Value> = whole.messages.iter().map(|message| &message["method"]).collect();
    assert!(!methods.contains(&&json!("notifications/message")), "{methods:?}");
    // Errors are words of Intercom, and pass.
    let missing = agent.call("get_conversation", json!({"id": "999"})).await;
    assert!(missing.tool_text().contains("Not Found"), "{missing:?}");
    // An answer that nobody knows does not.
    stand.simulator.set(|it| it.pad = Some(50_000));
    let odd = agent.call("search_conversations", json!({})).await;
    assert!(odd.is_tool_error(), "{odd:?}");
    assert!(odd.tool_text().contains("cannot be said what this one shows"), "{odd:?}");
    assert!(!odd.text.contains(CONVERSATION));
}
