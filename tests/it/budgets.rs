//! Budgets and labels: kept under many clients at once, over `kill -9`, and whatever is done to the
//! clock.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use futures_util::future::join_all;
use portcullis::clock;
use portcullis::domain::{
    CallFacts, CallId, ClientHint, Decision, Digest, Effect, Event, Question, Revision, Step,
    Subject, Tally, Timestamp, Uptime, Verdict,
};
use portcullis::simulator::Simulator;
use portcullis::store::{self, Store};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::client::Client;
use crate::live::other;
use crate::races::bundle;
use crate::road::{ARTICLE, CONVERSATION, hold_id};
use crate::stand::{AGENT, Setup, Stand, until};

const HOUR: i64 = 60 * 60 * 1000;

/// A stand with the shipped rules and these beside them, which are about the usual agent alone.
async fn stand(rules: &[(&str, &str)]) -> (Stand, TempDir) {
    let bundle = bundle();
    for (question, rules) in rules {
        let text = format!("package portcullis.rules.{question}\n\nimport rego.v1\n\n{rules}\n");
        std::fs::write(bundle.path().join(format!("budget_{question}.rego")), text).unwrap();
    }
    let more =
        format!("holds: {{ wait: 100ms, poll: 100ms }}\npolicies: {}\n", bundle.path().display());
    (Stand::start(Setup { more, ..Setup::default() }).await, bundle)
}

const CALLS: &str = r#"deny contains {"rule": "calls_an_hour", "text": "no more than 40 calls an hour"} if {
	input.principal.id == "agent"
	input.trail.hour.calls > 40
}"#;

async fn read(stand: &Stand, count: usize) -> usize {
    let clients = (0..32).map(|_| async {
        let client = stand.client();
        let params = json!({"name": "get_conversation", "arguments": {"id": CONVERSATION}});
        let mut answered = 0;
        for _ in 0..count {
            let reply = client.modern("tools/call", params.clone(), json!({})).await;
            let denied = reply.text.contains("no more than 40 calls an hour");
            assert!(denied || reply.tool_text().contains(CONVERSATION), "{reply:?}");
            answered += usize::from(!denied);
        }
        answered
    });
    join_all(clients).await.into_iter().sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_are_limited_under_32_clients_and_over_kills() {
    let (mut stand, _bundle) = stand(&[("admit", CALLS)]).await;
    // Fewer calls than the budget before the first kill.
    assert_eq!(read(&stand, 1).await, 32);
    stand.kill();
    stand.serve();
    assert_eq!(read(&stand, 2).await, 8);
    stand.kill();
    stand.serve();
    assert_eq!(read(&stand, 1).await, 0);
    assert_eq!(stand.calls().len(), 40);
    // What was denied is no call, and is told apart.
    let counted = |name: &str| {
        let of = |record: &Value| record["trail"]["add"][name].as_u64().unwrap_or_default();
        stand.records().iter().map(of).sum::<u64>()
    };
    assert_eq!((counted("calls"), counted("denials")), (40, 56 + 32));
    assert!(stand.output(&["audit", "verify"]).starts_with("ok: "));
}

/// A record of the usual agent that spent its calls, at this time of the wall clock and the trail's.
fn spent(wall: Timestamp, boot: Option<Uptime>) -> Event {
    let digest = Digest::of("test", &[]);
    let (name, effect) = ("get_conversation".to_owned(), Effect::Read);
    let call = CallFacts {
        id: CallId(uuid::Uuid::nil()),
        principal: AGENT.parse().unwrap(),
        client: ClientHint::default(),
        revision: Revision::V2026_07_28,
        method: "tools/call".to_owned(),
        subject: Subject::Tool { name, effect, definition: None },
        arguments: digest,
    };
    let decision = Decision {
        question: Question::Admit,
        verdict: Verdict::Allow,
        reasons: Vec::new(),
        obligations: Vec::new(),
        release: None,
        faults: Vec::new(),
        ruleset: digest,
        shown: None,
    };
    let add = Tally { calls: 40, ..Tally::default() };
    Event::Decision { call, decision, trail: Some(Box::new(Step { at: wall, clock: boot, add })) }
}

/// The process meets a log that was written while the clock showed another time than its own does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_was_set_gives_no_budget_back() {
    let now = || clock::uptime().unwrap();
    let other = || Some(Uptime { boot: "another machine".to_owned(), ..now() });
    let rows: [(&str, i64, Option<Uptime>, usize); 6] = [
        ("set back by an hour", HOUR, Some(now()), 0),
        ("set forward by an hour", -HOUR, Some(now()), 0),
        ("set forward by a month", -720 * HOUR, Some(now()), 0),
        ("another machine, an hour behind", HOUR, other(), 0),
        ("another machine, an hour ahead", -HOUR, other(), 0),
        // The control: more than two hours of another machine's time end a window of one hour.
        ("another machine, three hours later", -3 * HOUR, other(), 32),
    ];
    for (what, offset, boot, answered) in rows {
        let (mut stand, _bundle) = stand(&[("admit", CALLS)]).await;
        stand.kill();
        let at = Timestamp::from_millis(clock::now().millis() + offset);
        let (store, _) = Store::open(&stand.data(), &store::Options::default()).unwrap();
        let _receipt = store.log().append_at(spent(at, boot), at).await.unwrap();
        drop(store);
        stand.serve();
        assert_eq!(read(&stand, 1).await, answered, "{what}");
    }
}

const LABEL: &str = r#"oblige contains {
	"rule": "customer_text",
	"text": "this answer has text of customers",
	"label": {"name": "customer-text", "minutes": 30},
} if {
	input.tool.name == "get_conversation"
	input.answer.kind == "result"
}"#;

const TWO_PEOPLE: &str = r#"hold contains {
	"rule": "after_customer_text",
	"text": "after reading text of customers, two people must release a write",
	"release": {"groups": [], "people": 2, "expires_seconds": 600},
} if {
	input.tool.effect == "write"
	"customer-text" in input.trail.labels
}"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_reading_untrusted_text_a_write_needs_two_people() {
    let (mut stand, _bundle) = stand(&[("disclose", LABEL), ("admit", TWO_PEOPLE)]).await;
    let people = async |stand: &Stand, title: &str| {
        let client = stand.client().connected().await;
        let reply = client.call("update_article", json!({"id": ARTICLE, "title": title})).await;
        assert!(reply.tool_text().starts_with("PENDING"), "{reply:?}");
        let id = hold_id(reply.tool_text());
        let records = stand.records();
        let opened = records.iter().find(|it| it["hold"] == id.as_str() && it["event"] == "opened");
        opened.unwrap()["release"]["people"].as_u64().unwrap()
    };
    assert_eq!(people(&stand, "before").await, 1);
    let client = stand.client().connected().await;
    let read = client.call("get_conversation", json!({"id": CONVERSATION})).await;
    assert!(read.tool_text().contains(CONVERSATION), "{read:?}");
    assert_eq!(people(&stand, "after").await, 2);
    stand.kill();
    stand.serve();
    assert_eq!(people(&stand, "after a kill").await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_never_reached_intercom_is_given_back() {
    let (mut stand, _bundle) = stand(&[("admit", CALLS)]).await;
    assert_eq!(read(&stand, 1).await, 32);
    let (address, options) = (stand.simulator.addr(), (*stand.simulator.options()).clone());
    let elsewhere = Simulator::start(([127, 0, 0, 1], 0).into(), options.clone()).await.unwrap();
    std::mem::replace(&mut stand.simulator, elsewhere).stop().await;
    for _ in 0..50 {
        let params = json!({"name": "get_conversation", "arguments": {"id": CONVERSATION}});
        let reply = stand.client().modern("tools/call", params, json!({})).await;
        assert!(
            reply.is_tool_error() && !reply.text.contains("no more than 40 calls an hour"),
            "{reply:?}"
        );
    }
    let records = stand.records();
    let ended = |kind| records.iter().filter(|it| it["outcome"]["kind"] == kind).count();
    let back = records.iter().filter(|it| it["back"] == true).count();
    // A connection that was open may have carried one before it broke.
    assert!(ended("not_sent") > 40 && back == ended("not_sent"), "{back}");
    let lost = ended("lost");
    stand.kill();
    stand.simulator = Simulator::start(address, options).await.unwrap();
    stand.serve();
    assert_eq!(read(&stand, 1).await, 8 - lost);
}

const CONTACTS: &str = r#"deny contains {
	"rule": "contacts_a_day",
	"text": "no more than 20 different contacts a day",
} if {
	input.principal.id == "agent"
	input.trail.day.contacts > 20
}"#;

/// All contacts of the workspace.
async fn contacts(stand: &Stand) -> Vec<String> {
    let arguments = json!({"name": "a", "per_page": 150});
    let params = json!({"name": "search_contacts", "arguments": arguments});
    let reply = other(stand).await.modern("tools/call", params, json!({})).await;
    let found: Value = serde_json::from_str(reply.tool_text()).unwrap();
    let ids = found["data"].as_array().unwrap().iter();
    let ids: Vec<String> = ids.map(|one| one["id"].as_str().unwrap().to_owned()).collect();
    assert!(ids.len() >= 64, "{}", ids.len());
    ids
}

/// What was shown, by all clients together.
type Shown = Arc<Mutex<BTreeSet<String>>>;

/// Whether the contact was shown; false if it was withheld, or the server died meanwhile.
async fn look(client: &Client, id: &str, shown: &Shown) -> bool {
    let params = json!({"name": "get_contact", "arguments": {"id": id}});
    let Some(reply) = client.try_modern("tools/call", params, json!({})).await else {
        return false;
    };
    if reply.text.contains("no more than 20 different contacts") {
        return false;
    }
    assert!(reply.tool_text().contains(id), "{reply:?}");
    shown.lock().unwrap().insert(id.to_owned());
    true
}

/// 32 clients, each looks at every contact, in an order of its own.
fn look_at_all(stand: &Stand, ids: &[String], shown: &Shown) -> Vec<JoinHandle<()>> {
    let clients = (0..32).map(|number| {
        let (client, shown) = (stand.client(), shown.clone());
        let count = ids.len();
        let ids: Vec<String> = ids.iter().cycle().skip(number * 3).take(count).cloned().collect();
        tokio::spawn(async move {
            for id in &ids {
                look(&client, id, &shown).await;
            }
        })
    });
    clients.collect()
}

async fn ended(clients: Vec<JoinHandle<()>>) {
    join_all(clients).await.into_iter().for_each(Result::unwrap);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_contacts_are_shown_than_the_budget_over_kills() {
    let (mut stand, _bundle) = stand(&[("disclose", CONTACTS)]).await;
    let ids = contacts(&stand).await;
    let ids = &ids[..40];
    let shown = Shown::default();
    let count = || shown.lock().unwrap().len();
    // Killed while they look, at no particular moment: a contact that somebody saw is counted.
    let looking = look_at_all(&stand, ids, &shown);
    until("some are shown", async || count() >= 5).await;
    stand.kill();
    ended(looking).await;
    println!("{} contacts were shown before the kill", count());
    stand.serve();
    ended(look_at_all(&stand, ids, &shown)).await;
    assert!(count() <= 20, "{}", count());
    stand.kill();
    stand.serve();
    let client = stand.client();
    let before = shown.lock().unwrap().clone();
    for id in ids {
        // What was seen may be seen again; and nothing else if the budget is spent to the last.
        let again = look(&client, id, &shown).await;
        assert!(again || !before.contains(id), "{id}");
    }
    assert!(count() <= 20, "{}", count());
    let records = stand.records();
    let marks = records.iter().filter(|it| it["principal"] == AGENT).flat_map(|it| {
        let marks = it["trail"]["add"]["seen"]["contacts"].as_array().cloned();
        marks.unwrap_or_default()
    });
    let marks: BTreeSet<String> = marks.map(|it| it.as_str().unwrap().to_owned()).collect();
    // One may be recorded and never have arrived.
    assert!(marks.len() == 20 && count() > 10, "{} {}", marks.len(), count());
    let text = records.iter().map(Value::to_string).collect::<String>();
    let raw: Vec<_> = ids.iter().filter(|id| text.contains(id.as_str())).collect();
    assert!(raw.is_empty(), "raw ids in the log: {raw:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_withheld_is_not_counted() {
    let few = r#"oblige contains {"rule": "few", "text": "three at a time", "rows": {"most": 3}} if {
	input.principal.id == "agent"
	input.tool.name == "search_contacts"
}"#;
    let rules = format!("{few}\n\n{}", CONTACTS.replace("> 20", "> 1000"));
    let (stand, _bundle) = stand(&[("disclose", &rules)]).await;
    for starts in [json!("a"), json!("e")] {
        let arguments = json!({"name": starts, "per_page": 15});
        let reply = stand.client().connected().await.call("search_contacts", arguments).await;
        assert!(!reply.is_tool_error(), "{reply:?}");
    }
    let records = stand.records();
    let steps: Vec<&Value> = records.iter().filter(|it| it["type"] == "trail").collect();
    assert_eq!(steps.len(), 2);
    for step in steps {
        let add = &step["trail"]["add"];
        assert_eq!((&add["rows"], &add["unknown"]), (&json!(3), &Value::Null), "{step}");
        assert_eq!(add["seen"]["contacts"].as_array().unwrap().len(), 3, "{step}");
        assert!(add["bytes"].as_u64().unwrap() > 0, "{step}");
    }
}
