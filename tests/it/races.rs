//! People, agents, clocks and changes that meet on one hold: one effect at most, and words that tell
//! the losers where the hold stands.

use std::path::Path;

use futures_util::future::join_all;
use portcullis::clock;
use portcullis::control::{self, Answer, Question, Wish};
use portcullis::desk::Shown;
use portcullis::domain::{HoldEvent, HoldId, HoldState};
use portcullis::simulator::options::Definition;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::{Client, Reply};
use crate::guests::Guest;
use crate::obligations;
use crate::plugins::entry;
use crate::road::{ARTICLE, CONVERSATION, hold_id};
use crate::stand::{Setup, Stand, number, told, until, wish};

fn waiting(wait: &str) -> Setup {
    let more = format!("holds: {{ wait: {wait}, poll: {wait} }}\n");
    Setup { more, ..Setup::default() }
}

fn update(title: &str) -> Value {
    json!({"id": ARTICLE, "title": title})
}

/// A call of a legacy client that is now held.
async fn held(stand: &Stand, title: &str) -> HoldId {
    let client = stand.client().connected().await;
    let reply = client.call("update_article", update(title)).await;
    assert!(reply.tool_text().starts_with("PENDING"), "{reply:?}");
    hold_id(reply.tool_text()).parse().unwrap()
}

/// A call of a modern client, which is sent only while its client waits.
async fn round(stand: &Stand, title: &str) -> Reply {
    let params = json!({"name": "update_article", "arguments": update(title)});
    stand.client().modern("tools/call", params, json!({})).await
}

async fn held_in_rounds(stand: &Stand, title: &str) -> HoldId {
    let reply = round(stand, title).await;
    assert_eq!(reply.answer()["result"]["resultType"], "input_required", "{reply:?}");
    stand.holds().await[0].id
}

/// Repeats a modern call until it is told how it ended.
async fn end_of_rounds(stand: &Stand, title: &str) -> String {
    let mut text = String::new();
    until("the rounds end", async || {
        let reply = round(stand, title).await;
        let result = &reply.answer()["result"];
        text = result["content"][0]["text"].as_str().unwrap_or_default().to_owned();
        result["resultType"] == "complete"
    })
    .await;
    text
}

/// The shipped rules in a folder of their own, without their tests.
pub(crate) fn bundle() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/default");
    for entry in std::fs::read_dir(shipped).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if !name.ends_with("_test.rego") {
            std::fs::copy(&path, folder.path().join(name)).unwrap();
        }
    }
    folder
}

/// Replaces all of a text in a file of a bundle.
fn edit(bundle: &TempDir, file: &str, from: &str, to: &str) {
    let path = bundle.path().join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file}: {text}");
    std::fs::write(path, text.replace(from, to)).unwrap();
}

fn with_bundle(bundle: &TempDir) -> Setup {
    let mut setup = waiting("100ms");
    setup.more.push_str(&format!("policies: {}\n", bundle.path().display()));
    setup
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_decisions_at_once_one_counts() {
    let stand = Stand::start(waiting("100ms")).await;
    let mut released = 0;
    // The whole of it is 1,000.
    for number in 0..number("PORTCULLIS_RACES", 6) {
        let title = format!("race {number}");
        let id = held(&stand, &title).await;
        // 0: only approvals, as of somebody who clicks twice; then approvals against rejections.
        let rejects = |turn: u64| number > 0 && turn % 2 == number % 2;
        let decisions = (0..64).map(|turn| {
            let (data, key) = (stand.data(), stand.approver_key.clone());
            let question = match rejects(turn) {
                true => wish(id, &key, Wish::Reject { reason: "no".to_owned() }),
                false => wish(id, &key, Wish::Approve),
            };
            tokio::spawn(async move { (turn, told(control::ask(&data, &question).await)) })
        });
        let decided = join_all(decisions).await;
        let (mut won, mut lost) = (Vec::new(), Vec::new());
        for (turn, answer) in decided.into_iter().map(Result::unwrap) {
            match answer {
                Ok(text) => won.push((turn, text)),
                Err(text) => lost.push(text),
            }
        }
        assert_eq!(won.len(), 1, "{won:?}");
        let state = stand.hold(id).await.0.state;
        if rejects(won[0].0) {
            assert_eq!((state, stand.sent(&title)), (HoldState::Rejected, 0));
        } else {
            released += 1;
            assert_eq!((state, stand.sent(&title)), (HoldState::Executed, 1), "{won:?}");
        }
        for text in lost {
            assert!(text.contains(&format!("hold {id} is ")), "{text}");
            assert!(text.contains("cannot follow"), "{text}");
        }
    }
    assert!(released >= 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn identical_calls_at_once_share_one_hold_and_its_outcome() {
    const AT_ONCE: usize = 12;
    let stand = Stand::start(waiting("25s")).await;
    let mut clients = Vec::new();
    for _ in 0..AT_ONCE {
        clients.push(stand.client().connected().await);
    }
    let calls = clients.into_iter().map(|client| {
        tokio::spawn(async move { client.call("update_article", update("shared")).await })
    });
    let calls: Vec<_> = calls.collect();
    until("all calls are judged", async || {
        let held = stand.records().into_iter().filter(|it| it["decision"]["verdict"] == "hold");
        held.count() == AT_ONCE
    })
    .await;
    until("the hold is there", async || !stand.holds().await.is_empty()).await;
    let holds = stand.holds().await;
    assert_eq!(holds.len(), 1, "{holds:?}");
    stand.approve(holds[0].id).await.unwrap();
    for reply in join_all(calls).await {
        assert!(reply.unwrap().tool_text().contains("shared"));
    }
    assert_eq!((stand.sent("shared"), stand.holds().await.len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_principal_cannot_fill_the_approvers_list() {
    let stand = Stand::start(waiting("100ms")).await;
    let client = stand.client().connected().await;
    for number in 0..25 {
        let reply = client.call("update_article", update(&format!("many {number}"))).await;
        if number < 20 {
            assert!(reply.tool_text().starts_with("PENDING"), "{number}: {reply:?}");
        } else {
            assert!(reply.is_tool_error());
            let text = reply.tool_text();
            assert!(text.contains("20 calls of `agent` already wait for a person"), "{text}");
        }
    }
    let read = client.call("get_conversation", json!({"id": CONVERSATION})).await;
    assert!(!read.is_tool_error(), "{read:?}");
    let other = Client::new(&stand.url, &stand.add_key("principals", "other"));
    until("the new key works", async || other.request("ping", json!({})).await.status != 401).await;
    let other = other.connected().await;
    let reply = other.call("update_article", update("another's")).await;
    assert!(reply.tool_text().starts_with("PENDING"), "{reply:?}");
    // One decided makes room for one.
    let oldest = stand.holds().await.last().unwrap().id;
    stand.reject(oldest, "no").await.unwrap();
    for (number, word) in [(26, "PENDING"), (27, "20 calls")] {
        let reply = client.call("update_article", update(&format!("many {number}"))).await;
        assert!(reply.tool_text().starts_with(word), "{reply:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_expires_whether_the_server_runs_or_not() {
    let bundle = bundle();
    edit(&bundle, "roles.json", "14400", "1");
    let mut stand = Stand::start(with_bundle(&bundle)).await;
    let first = held(&stand, "first").await;
    let view = stand.hold(first).await.0;
    until("time passes", async || clock::now() >= view.expires_at).await;
    let refused = stand.approve(first).await.unwrap_err();
    assert!(refused.contains("not possible at this time") || refused.contains("is expired"));
    until("it expires", async || stand.hold(first).await.0.state == HoldState::Expired).await;
    let refused = stand.approve(first).await.unwrap_err();
    assert!(refused.contains("is expired"), "{refused}");
    let client = stand.client().connected().await;
    let reply = client.call("update_article", update("first")).await;
    assert!(reply.tool_text().starts_with("NOT SENT (expired)"), "{reply:?}");

    let second = held(&stand, "second").await;
    let view = stand.hold(second).await.0;
    stand.kill();
    until("time passes", async || clock::now() >= view.expires_at).await;
    stand.serve();
    let refused = stand.approve(second).await.unwrap_err();
    assert!(refused.contains("not possible at this time") || refused.contains("is expired"));
    until("it expires", async || stand.hold(second).await.0.state == HoldState::Expired).await;
    assert_eq!(stand.sent("first") + stand.sent("second"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_outlives_the_process_and_can_be_listed_without_it() {
    let mut stand = Stand::start(waiting("100ms")).await;
    let id = held(&stand, "survives").await;
    let view = stand.hold(id).await.0;
    let before = stand.client().connected().await;
    for kill in [true, false] {
        if kill {
            stand.kill();
        } else {
            assert!(stand.terminate().success());
        }
        let list = stand.output(&["holds", "list"]);
        assert!(list.contains(&id.to_string()) && list.contains("pending"), "{list}");
        let down = stand.run(&["holds", "approve", &id.to_string()]);
        let words = String::from_utf8(down.stderr).unwrap();
        assert!(!down.status.success() && words.contains("start it with `portcullis serve`"));
        stand.serve();
        let again = stand.hold(id).await.0;
        assert_eq!(serde_json::to_value(&again).unwrap(), serde_json::to_value(&view).unwrap());
    }
    stand.approve(id).await.unwrap();
    assert_eq!(stand.sent("survives"), 1);
    // Sessions do not outlive it: 404 tells a client to initialize again.
    let session = ("mcp-session-id".to_owned(), before.session().unwrap().to_owned());
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}).to_string();
    let lost = stand.client().send(http::Method::POST, &[session], ping).await;
    assert_eq!(lost.status, 404, "{lost:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_right_people_decide() {
    let mut stand = Stand::start(waiting("100ms")).await;
    stand.kill();
    stand.edit_config("{ id: agent,", "{ id: agent, on_behalf_of: ANN,");
    let bob = "- { id: bob, groups: [kb-editors] }";
    stand.edit_config(bob, &format!("{bob}\n  - {{ id: eve, groups: [support-leads] }}"));
    let (bob, eve) = (stand.add_key("people", "bob"), stand.add_key("people", "eve"));
    stand.serve();
    let id = held(&stand, "whose").await;
    let (ann, agent) = (stand.approver_key.clone(), stand.key.clone());
    for (key, words) in [
        (&ann, "the call is your own"),
        (&eve, "it asks for a member of kb-editors"),
        (&agent, "this is no approver's key"),
        (&String::new(), "this is no approver's key"),
    ] {
        let key = key.clone();
        for question in [
            wish(id, &key, Wish::Approve),
            wish(id, &key, Wish::Reject { reason: "no".to_owned() }),
            wish(id, &key, Wish::Ask { question: "why".to_owned() }),
            wish(id, &key, Wish::Revoke),
        ] {
            let refused = told(stand.ask(&question).await).unwrap_err();
            assert!(refused.contains(words), "{words}: {refused}");
        }
    }
    let as_agent = Client::new(&stand.url, &bob).request("ping", json!({})).await;
    assert_eq!(as_agent.status, 401);
    let view = stand.hold(id).await.0;
    assert_eq!((view.state, view.approvals.len(), stand.sent("whose")), (HoldState::Pending, 0, 0));
    told(stand.ask(&wish(id, &bob, Wish::Approve)).await).unwrap();
    assert_eq!(stand.sent("whose"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approval_is_good_for_the_policy_it_was_given_under() {
    let bundle = bundle();
    let stand = Stand::start(with_bundle(&bundle)).await;
    let reload = |stand: &Stand| {
        assert!(stand.output(&["policy", "reload"]).contains("is in force"));
    };
    // Changed before the approval: the person looks again.
    let id = held(&stand, "before").await;
    let binding = Some(stand.hold(id).await.0.binding);
    let shown = Shown { binding, ..Shown::now(id) };
    edit(&bundle, "roles.json", "14400", "7200");
    reload(&stand);
    let refused = stand.approve(id).await.unwrap_err();
    assert!(refused.contains("the policy changed") && refused.contains("look at it again"));
    let key = stand.approver_key.clone();
    let refused =
        told(stand.ask(&Question::Hold { key, shown, wish: Wish::Approve }).await).unwrap_err();
    assert!(refused.contains("the hold changed since it was shown"), "{refused}");
    assert_eq!(stand.sent("before"), 0);
    stand.approve(id).await.unwrap();
    assert_eq!(stand.sent("before"), 1);

    // Changed between approval and release: the hold waits again.
    let id = held_in_rounds(&stand, "between").await;
    stand.approve(id).await.unwrap();
    edit(&bundle, "roles.json", "7200", "3600");
    reload(&stand);
    round(&stand, "between").await;
    until("it waits again", async || stand.hold(id).await.0.state == HoldState::Pending).await;
    let view = stand.hold(id).await.0;
    assert_eq!((view.approvals.len(), stand.sent("between")), (0, 0));
    stand.approve(id).await.unwrap();
    assert!(end_of_rounds(&stand, "between").await.contains("between"));
    assert_eq!(stand.sent("between"), 1);

    // Denied by now: before the approval, and between approval and release.
    let pending = held(&stand, "denied early").await;
    let approved = held_in_rounds(&stand, "denied late").await;
    stand.approve(approved).await.unwrap();
    edit(&bundle, "roles.json", "\"update_article\"\n", "\"search\"\n");
    reload(&stand);
    let refused = stand.approve(pending).await.unwrap_err();
    assert!(refused.contains("policy denies this call now"), "{refused}");
    assert_eq!(stand.hold(pending).await.0.state, HoldState::Cancelled);
    let reply = round(&stand, "denied late").await;
    assert!(reply.tool_text().contains("no role of this principal uses the tool"), "{reply:?}");
    assert_eq!(stand.sent("denied early") + stand.sent("denied late"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approval_is_good_for_the_plugins_it_was_given_under() {
    let mut setup = waiting("100ms");
    setup.more.push_str("plugins: { shipped: false, without: ['*'] }\n");
    let mut stand = Stand::start(setup).await;
    let secrets =
        "plugins: { shipped: false, without: ['*'], list: [{ name: secrets, builtin: secrets }] }";
    let secrets_later = secrets.replace("secrets }]", "secrets, deadline: 90ms }]");
    let put = |stand: &Stand, from: &str, to: &str| {
        stand.edit_config(from, to);
        stand.output(&["plugin", "reload"]);
    };
    // Changed before the approval: the person looks again.
    let id = held(&stand, "before").await;
    put(&stand, "plugins: { shipped: false, without: ['*'] }", secrets);
    let refused = stand.approve(id).await.unwrap_err();
    assert!(refused.contains("the set of plugins changed"), "{refused}");
    assert_eq!(stand.sent("before"), 0);
    stand.approve(id).await.unwrap();
    assert_eq!(stand.sent("before"), 1);

    // Changed between approval and release: the hold waits again.
    let id = held_in_rounds(&stand, "between").await;
    stand.approve(id).await.unwrap();
    put(&stand, secrets, &secrets_later);
    round(&stand, "between").await;
    until("it waits again", async || stand.hold(id).await.0.state == HoldState::Pending).await;
    assert_eq!((stand.hold(id).await.0.approvals.len(), stand.sent("between")), (0, 0));
    stand.approve(id).await.unwrap();
    assert!(end_of_rounds(&stand, "between").await.contains("between"));
    assert_eq!(stand.sent("between"), 1);

    // The same set after a restart is the same set.
    let id = held(&stand, "again").await;
    stand.kill();
    stand.serve();
    stand.approve(id).await.unwrap();
    assert_eq!(stand.sent("again"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tool_that_changed_after_the_approval_is_not_called() {
    let stand = Stand::start(waiting("100ms")).await;
    let rounds = held_in_rounds(&stand, "later").await;
    let legacy = held(&stand, "at once").await;
    stand.approve(rounds).await.unwrap();
    stand.simulator.set(|options| {
        options.definition = Definition::Poisoned;
        options.changed_tool = "update_article".to_owned();
    });
    let answer = stand.approve(legacy).await.unwrap();
    assert!(answer.contains("the tool's definition changed"), "{answer}");
    let reply = round(&stand, "later").await;
    assert!(reply.is_tool_error(), "{reply:?}");
    assert_eq!(stand.hold(legacy).await.0.state, HoldState::Cancelled);
    assert_eq!(stand.sent("later") + stand.sent("at once"), 0);

    // The same, noticed by nobody but the release itself.
    let stand = Stand::start(waiting("100ms")).await;
    let rounds = held_in_rounds(&stand, "later").await;
    stand.approve(rounds).await.unwrap();
    stand.simulator.set(|options| {
        options.definition = Definition::Schema;
        options.changed_tool = "update_article".to_owned();
    });
    let text = end_of_rounds(&stand, "later").await;
    assert!(text.contains("definition"), "{text}");
    assert_eq!(stand.sent("later"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_principal_that_is_gone_sends_nothing() {
    let mut stand = Stand::start(waiting("100ms")).await;
    let approved = held(&stand, "approved").await;
    let pending = held(&stand, "pending").await;
    let binding = stand.hold(approved).await.0.binding;
    stand.kill();
    let approver = "ann".parse().unwrap();
    let now = clock::now();
    let valid_until = now.plus(std::time::Duration::from_secs(600));
    let event = HoldEvent::Approved { approver, binding, valid_until, groups: Vec::new() };
    stand.append(approved, now, &[event]).await;
    stand.edit_config("- { id: agent,", "- { id: somebody,");
    stand.serve();
    until("the release is tried", async || {
        stand.hold(approved).await.0.state == HoldState::Cancelled
    })
    .await;
    let outcome = stand.hold(approved).await.0.outcome.unwrap();
    assert!(outcome.contains("`agent` is no longer configured"), "{outcome}");
    let refused = stand.approve(pending).await.unwrap_err();
    assert!(refused.contains("no longer configured"), "{refused}");
    let reply = stand.client().request("ping", json!({})).await;
    assert_eq!(reply.status, 401);
    assert_eq!(stand.sent("approved") + stand.sent("pending"), 0);
}

/// The questions of the door are words on a socket: what is no question is refused in words.
const UNHELD: &str = r#"
package portcullis.rules.admit

import rego.v1

allow contains {"rule": "reads", "text": "reads are allowed"} if {
	input.tool.effect == "read"
	input.principal.id in {"agent", "portcullis"}
}

allow contains {"rule": "methods", "text": "methods are allowed"} if {
	input.subject.kind == "method"
	input.principal.id
}

allow contains {"rule": "articles", "text": "articles are changed"} if {
	input.tool.effect == "write"
	input.target.type == "article"
}
"#;

/// A plugin that looks at a call of a tool with a name of 14 letters for a second or more.
fn slow() -> Guest {
    let looks = "(local $n i64)
        (if (i32.and (i32.eqz (local.get 0)) (i32.eq (local.get 2) (i32.const 14))) (then
          (loop $l
            (local.set $n (i64.add (local.get $n) (i64.const 1)))
            (br_if $l (i64.lt_u (local.get $n) (i64.const 1500000000))))))
        (global.get $report)";
    Guest::looking(looks)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_counts_for_a_call_that_is_being_judged() {
    let work = tempfile::tempdir().unwrap();
    let slow = entry(work.path(), "slow", &slow()).replace(" }", ", deadline: 10s }");
    let more =
        format!("policies: rules\nplugins: {{ shipped: false, without: ['*'], list: [{slow}] }}\n");
    let stand = Stand::start(Setup { more, ..obligations::bundle(UNHELD) }).await;
    let client = stand.client().connected().await;
    let call = tokio::spawn(async move { client.call("update_article", update("raced")).await });
    // What it would change was read, so now it is judged.
    until("its target was read", async || {
        let records = stand.records();
        let read = records.iter().find(|it| it["call"]["subject"]["name"] == "get_article");
        let ended = |read: &Value| records.iter().any(|it| it["call"] == read["call"]["id"]);
        read.is_some_and(ended)
    })
    .await;
    let pause = Question::Pause { principal: "agent".parse().unwrap(), pause: true };
    told(stand.ask(&pause).await).unwrap();
    let reply = call.await.unwrap();
    assert!(reply.tool_text().contains("a person paused this agent"), "{reply:?}");
    assert_eq!(stand.sent("raced"), 0);
    let records = stand.records();
    let write = |it: &&Value| it["call"]["subject"]["name"] == "update_article";
    let decision = &records.iter().find(write).unwrap()["decision"];
    assert_eq!(decision["verdict"], "deny");
    assert_eq!(decision["reasons"][0]["rule"], "portcullis.paused");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_that_does_not_exist_is_told_so() {
    let stand = Stand::start(waiting("100ms")).await;
    let id = HoldId::from_random(7);
    for answer in [stand.approve(id).await, stand.reject(id, "no").await] {
        assert!(answer.unwrap_err().contains(&format!("there is no hold `{id}`")));
    }
    let id = held(&stand, "reasoned").await;
    let refused = stand.reject(id, " \u{7} ").await.unwrap_err();
    assert!(refused.contains("give the agent a reason"), "{refused}");
    match stand.ask(&Question::Status).await {
        Ok(Answer::Done { text }) => assert!(text.starts_with("portcullis "), "{text}"),
        other => panic!("{other:?}"),
    }
}
