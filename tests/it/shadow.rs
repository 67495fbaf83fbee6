//! A candidate in shadow: it sees what the active revision is asked, says what it would have done,
//! and changes no byte of an answer.

use serde_json::{Value, json};

use crate::client::Client;
use crate::live::{ARTICLE, CONVERSATION, Modern, reading};
use crate::rollout::{folder, rules, write};
use crate::stand::{Setup, Stand, until};

/// Rules under which nothing passes, not even an answer or a tool in a list.
fn deny_all() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let deny = |name: &str| {
        format!(
            "package portcullis.rules.{name}\nimport rego.v1\n\
             deny contains {{\"rule\": \"nothing\", \"text\": \"nothing passes\"}}\n"
        )
    };
    let visible = "package portcullis.rules.visible\nimport rego.v1\n\
                   show contains tool.name if { some tool in input.tools; tool.name == \"x\" }\n";
    write(
        folder.path(),
        &[
            ("admit.rego", deny("admit")),
            ("disclose.rego", deny("disclose")),
            ("approve.rego", deny("approve")),
            ("visible.rego", visible.to_owned()),
        ],
    );
    folder
}

async fn stand(rules: &std::path::Path) -> Stand {
    let more = format!("policies: {}\n", rules.display());
    Stand::start(Setup { more, ..Setup::default() }).await
}

fn path(folder: &tempfile::TempDir) -> &str {
    folder.path().to_str().unwrap()
}

fn report(stand: &Stand) -> Value {
    serde_json::from_str(&stand.output(&["policy", "shadow", "report", "--format", "json"]))
        .unwrap()
}

/// Everything that an agent is told, to the byte; the name of a refusal's record is its own.
async fn answers(client: &Client) -> Vec<(u16, String)> {
    let mut all = Vec::new();
    for (id, (method, params)) in [
        ("tools/list", json!({})),
        ("tools/call", reading(0)),
        ("tools/call", reading(1)),
        ("tools/call", json!({"name": "get_article", "arguments": {"id": ARTICLE}})),
        ("tools/call", json!({"name": "no_such_tool", "arguments": {}})),
        ("tools/call", json!({"name": "get_conversation", "arguments": {"id": "x"}})),
        ("server/discover", json!({})),
    ]
    .into_iter()
    .enumerate()
    {
        let reply = Modern::new(id, method, params, json!({})).send(client).await;
        let text = reply.text.split("Record: ").next().unwrap().to_owned();
        all.push((reply.status.as_u16(), text));
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_candidate_that_denies_everything_changes_no_byte() {
    let (active, candidate) = (folder("one", false), deny_all());
    let stand = stand(active.path()).await;
    let client = stand.client();
    let before = answers(&client).await;
    assert!(before.iter().any(|(_, text)| text.contains("\"content\"")), "{before:?}");
    let told = stand.output(&["policy", "shadow", "start", path(&candidate)]);
    assert!(told.contains("it decides nothing"), "{told}");
    for _ in 0..5 {
        for ((status, text), (was_status, was)) in answers(&client).await.iter().zip(&before) {
            assert!(status == was_status && text == was, "{text:.300}\n{was:.300}");
        }
    }
    until("the candidate has seen all", async || {
        report(&stand)["changes"]["allow_to_deny"].as_u64().unwrap_or(0) >= 5 * 3 * 2
    })
    .await;
    let seen = report(&stand);
    assert_eq!(seen["dropped"], 0, "{seen}");
    assert!(seen["changes"]["deny_to_allow"].is_null(), "{seen}");
    // What Portcullis itself denies is denied under both.
    let flips = seen["flips"].as_array().unwrap();
    assert!(flips.iter().all(|flip| flip["tool"] != "no_such_tool"), "{seen}");
    let read = flips
        .iter()
        .find(|it| it["question"] == "admit" && it["tool"] == "get_conversation")
        .unwrap();
    assert_eq!((&read["count"], &read["rule"]), (&json!(10), &json!("admit.nothing")), "{read}");
    assert_eq!(read["calls"].as_array().unwrap().len(), 5);
    assert!(flips.iter().any(|it| it["question"] == "visible"), "{seen}");
    assert!(flips.iter().any(|it| it["question"] == "disclose"), "{seen}");

    // In the log, in so many words, and beside decisions of the active revision alone.
    let records = stand.records();
    let active = &records.iter().find(|it| it["type"] == "started").unwrap()["ruleset"];
    for decision in records.iter().filter(|it| it["type"] == "decision") {
        assert_eq!(&decision["decision"]["ruleset"], active);
    }
    let would: Vec<&Value> = records.iter().filter(|it| it["type"] == "shadow").collect();
    let call = read["calls"][0].as_str().unwrap();
    let one = would.iter().find(|it| it["call"] == call && it["question"] == "admit").unwrap();
    assert_eq!(
        (&one["would"], &one["decided"], &one["candidate"]),
        (&json!("would have denied"), &json!("allow"), &json!("deny"))
    );
    assert!(stand.output(&["audit", "tail", "-n", "0"]).contains("would have denied"));
    // Its state says the same of it as the report.
    let state = stand.output(&["policy", "status", "--format", "json"]);
    let state: Value = serde_json::from_str(&state).unwrap();
    for same in ["revision", "name", "source", "since", "not_in_time", "dropped"] {
        assert_eq!(state["shadow"][same], seen[same], "{same}: {state}");
    }
    assert!(state["shadow"]["not_in_time"].is_u64(), "{state}");
    let state = stand.output(&["policy", "status"]);
    assert!(state.contains("shadow   ") && state.contains("not answered in time"), "{state}");
    let shown = stand.output(&["policy", "shadow", "stop"]);
    assert!(shown.contains("x allow -> deny"), "{shown}");
    assert!(stand.output(&["audit", "verify"]).contains("the chain is whole"));
    let none = stand.run(&["policy", "shadow", "report"]);
    assert!(String::from_utf8(none.stderr).unwrap().contains("no candidate is in shadow"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_candidate_that_lets_more_pass_fails_the_check_and_can_be_promoted() {
    let (active, candidate) = (folder("one", true), folder("two", false));
    let stand = stand(active.path()).await;
    let broken = tempfile::tempdir().unwrap();
    write(broken.path(), &[("admit.rego", "package x {".to_owned())]);
    let refused = stand.run(&["policy", "shadow", "start", path(&broken)]);
    let words = String::from_utf8(refused.stderr).unwrap();
    assert!(words.contains("cannot be watched") && words.contains("admit.rego:1"), "{words}");
    stand.output(&["policy", "shadow", "start", path(&candidate), "--reason", "try two"]);
    let client = stand.client().connected().await;
    let check = |on: &str| {
        stand.run(&["policy", "shadow", "report", "--fail-on", on]).status.code().unwrap()
    };
    let denied = client.call("get_conversation", json!({"id": CONVERSATION})).await;
    assert!(denied.tool_text().contains("closed"), "{denied:?}");
    until("it was seen", async || check("deny-to-allow") == 1).await;
    assert_eq!(check("any"), 1);
    let seen = report(&stand);
    let flips = seen["flips"].as_array().unwrap();
    let expected = json!(["deny_to_allow", "admit.one_closed", "get_conversation", "agent", 1]);
    let flip = flips.iter().find(|it| it["change"] == "deny_to_allow").unwrap();
    let found =
        json!([flip["change"], flip["rule"], flip["tool"], flip["principal"], flip["count"]]);
    assert_eq!(found, expected, "{seen}");
    // What decides from now on is what was watched, not what lies in its folder by now.
    write(candidate.path(), &rules("three", true));
    stand.output(&["policy", "promote", "--shadow", "--reason", "two is better"]);
    let read = client.call("get_conversation", json!({"id": CONVERSATION})).await;
    assert!(!read.is_tool_error(), "{read:?}");
    let status = stand.output(&["policy", "status", "--format", "json"]);
    let status: Value = serde_json::from_str(&status).unwrap();
    assert!(status["pinned"] == true && status["shadow"].is_null(), "{status}");
    assert_eq!(status["active"]["revision"], seen["revision"]);
    let orders: Vec<Value> = stand
        .records()
        .into_iter()
        .filter(|it| it["type"] == "rollout")
        .map(|it| json!([it["action"], it["reason"]]))
        .collect();
    let expected = [json!(["shadow_start", "try two"]), json!(["promote", "two is better"])];
    assert_eq!(orders, expected);
}

/// A candidate is shown what it looks at, also where the active revision looks at none of it: what a call
/// would change, and how much an agent has seen.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_candidate_sees_what_only_it_looks_at() {
    let (active, candidate) = (folder("one", false), tempfile::tempdir().unwrap());
    let mut files = rules("two", false);
    files[0].1 += "\ndeny contains {\"rule\": \"blind\", \"text\": \"no target\"} if {\n\
                   \tinput.tool.name == \"update_article\"\n\tnot seen\n}\n\n\
                   seen if input.target.id\n\n\
                   deny contains {\"rule\": \"much\", \"text\": \"enough\"} if {\n\
                   \tinput.tool.name == \"get_conversation\"\n\
                   \tinput.trail.day.conversations >= 2\n}\n";
    write(candidate.path(), &files);
    let stand = stand(active.path()).await;
    stand.output(&["policy", "shadow", "start", path(&candidate)]);
    let client = stand.client().connected().await;
    let changed = client.call("update_article", json!({"id": ARTICLE, "title": "new"})).await;
    assert!(!changed.is_tool_error(), "{changed:?}");
    for number in 0..3 {
        let reply = client.request("tools/call", reading(number)).await;
        assert!(!reply.is_tool_error(), "{reply:?}");
    }
    until("it was seen", async || {
        let report = report(&stand);
        report["flips"].as_array().is_some_and(|flips| !flips.is_empty())
    })
    .await;
    let seen = report(&stand);
    let flips = seen["flips"].as_array().unwrap();
    assert_eq!(flips.len(), 1, "{seen}");
    assert_eq!(flips[0]["tool"], "get_conversation", "{seen}");
}

/// A restart loses neither the candidate nor what it has seen; only who ordered it ends it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_candidate_is_watched_again_after_a_restart_and_counts_on() {
    let (active, candidate) = (folder("one", true), folder("two", false));
    let mut stand = stand(active.path()).await;
    stand.output(&["policy", "shadow", "start", path(&candidate)]);
    let flips = |seen: &Value| seen["changes"]["deny_to_allow"].as_u64().unwrap_or(0);
    let read = async |stand: &Stand, count: u64| {
        Modern::new(1, "tools/call", reading(0), json!({})).send(&stand.client()).await;
        until("it was seen", async || flips(&report(stand)) == count).await;
        report(stand)
    };
    let before = read(&stand, 1).await;
    assert!(before["resumed"].is_null(), "{before}");
    // What lies in its folder by now is another thing.
    write(candidate.path(), &rules("three", true));
    assert!(stand.terminate().success());
    stand.serve();
    let again = report(&stand);
    for part in ["revision", "since", "source", "changes", "flips"] {
        assert_eq!(again[part], before[part], "{part}: {again}");
    }
    assert!(again["asked"]["admit"].as_u64() >= before["asked"]["admit"].as_u64(), "{again}");
    assert!(again["resumed"].is_string(), "{again}");
    assert!(
        stand
            .output(&["policy", "shadow", "report"])
            .contains("after a restart; it decides nothing")
    );
    assert!(stand.output(&["policy", "status"]).contains("after a restart"));
    let counted = read(&stand, 2).await;
    assert_eq!(counted["flips"][0]["count"], 2, "{counted}");
    // What was watched is what decides then, and it is watched no more.
    stand.output(&["policy", "promote", "--shadow", "--reason", "two is better"]);
    assert!(stand.terminate().success());
    stand.serve();
    let none = stand.run(&["policy", "shadow", "report"]);
    assert!(String::from_utf8(none.stderr).unwrap().contains("no candidate is in shadow"));
    let status = stand.output(&["policy", "status", "--format", "json"]);
    let status: Value = serde_json::from_str(&status).unwrap();
    assert_eq!(status["active"]["revision"], before["revision"]);
}

/// C13: no word of an agent starts, stops or shows a candidate.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn agents_cannot_touch_the_shadow() {
    let (active, candidate) = (folder("one", true), folder("two", false));
    let stand = stand(active.path()).await;
    let tries = async || {
        let client = stand.client();
        for (key, value) in [
            ("portcullis/shadow", json!(true)),
            ("shadow", json!({"path": path(&candidate)})),
            ("dryRun", json!(true)),
            ("mode", json!("shadow")),
        ] {
            let mut call = Modern::new(1, "tools/call", reading(0), json!({key: value}));
            call.headers.push((format!("x-portcullis-{}", key.replace('/', "-")), "shadow".into()));
            let denied = call.send(&client).await;
            assert!(!denied.text.contains("\"content\"") || denied.is_tool_error(), "{denied:?}");
        }
        for method in ["policy/shadow/start", "portcullis/shadow", "shadow/stop", "policy/promote"]
        {
            let params = json!({"path": path(&candidate), "about": "shadow_start"});
            let reply = Modern::new(2, method, params, json!({})).send(&client).await;
            assert!(reply.answer()["error"].is_object(), "{reply:?}");
        }
        let question = json!({"ask": "policy", "what": {"about": "shadow_stop", "reason": null}});
        let reply = client.post(&question.to_string()).await;
        assert!(!reply.text.contains("revision"), "{reply:?}");
    };
    tries().await;
    let none = stand.run(&["policy", "shadow", "report"]);
    assert!(String::from_utf8(none.stderr).unwrap().contains("no candidate is in shadow"));
    stand.output(&["policy", "shadow", "start", path(&candidate)]);
    let begun = report(&stand)["since"].clone();
    tries().await;
    assert_eq!(report(&stand)["since"], begun);
    assert!(stand.calls().is_empty(), "the active revision denies");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_candidate_is_asked_less_and_nobody_waits_for_it() {
    let (active, slow) = (folder("one", false), folder("slow", false));
    let loops = "deny contains {\"rule\": \"loop\", \"text\": \"slow\"} if {\n\
                 \tsome a in numbers.range(1, 100)\n\tsome b in numbers.range(1, 100)\n\
                 \ta * b == count(input.arguments) + 1000000\n}\n";
    let mut text = rules("slow", false);
    text[0].1.push_str(loops);
    write(slow.path(), &text);
    let stand = stand(active.path()).await;
    let alone = burst(&stand).await;
    stand.output(&["policy", "shadow", "start", path(&slow)]);
    let watched = burst(&stand).await;
    let seen = report(&stand);
    let asked: u64 =
        seen["asked"].as_object().unwrap().values().map(|it| it.as_u64().unwrap()).sum();
    println!(
        "{CALLS} calls: {alone:?} alone, {watched:?} watched; {asked} asked, {}",
        seen["dropped"]
    );
    assert!(seen["dropped"].as_u64().unwrap() > 0, "{seen}");
    assert!(asked < CALLS as u64, "{seen}");
    stand.output(&["policy", "shadow", "stop"]);
}

const AGENTS: usize = 8;
const CALLS: usize = 800;

/// Many calls, all of which are answered; how long it took.
async fn burst(stand: &Stand) -> std::time::Duration {
    let began = std::time::Instant::now();
    let agents = (0..AGENTS).map(|_| {
        let client = stand.client();
        tokio::spawn(async move {
            for _ in 0..CALLS / AGENTS {
                let read = Modern::new(1, "tools/call", reading(0), json!({})).send(&client).await;
                assert!(read.text.contains("\"content\"") && !read.is_tool_error(), "{read:?}");
            }
        })
    });
    for agent in agents.collect::<Vec<_>>() {
        agent.await.unwrap();
    }
    began.elapsed()
}
