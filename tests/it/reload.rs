//! C07: two bundles take turns two hundred times under load; each decision is of one of them, whole.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use portcullis::control::{Answer, PolicyQuestion, Question};
use portcullis::simulator::Received;
use serde_json::{Value, json};

use crate::client::Client;
use crate::live::{ARTICLE, Modern, reading};
use crate::rollout::{built, rules, write};
use crate::stand::{AGENT, Setup, Stand, number};

/// What an agent was told, counted: requests, and reads that were allowed and denied.
#[derive(Debug, Default)]
struct Told {
    requests: u64,
    allowed: u64,
    denied: u64,
}

/// Calls until the reloads are over: conversations that one of the bundles denies, articles that
/// both allow, lists, by both eras. Whatever is neither answer nor denial is an error.
async fn agent(client: Client, legacy: bool, over: Arc<AtomicBool>) -> Told {
    let client = if legacy { client.connected().await } else { client };
    let ask = async |method: &str, params: Value| match legacy {
        true => client.request(method, params).await,
        false => Modern::new(1, method, params, json!({})).send(&client).await,
    };
    let mut told = Told::default();
    while !over.load(Ordering::Relaxed) {
        for number in 0..3 {
            let read = ask("tools/call", reading(number)).await;
            assert_eq!(read.status, 200, "{read:?}");
            match (read.is_tool_error(), read.tool_text().contains("closed")) {
                (false, _) => told.allowed += 1,
                (true, true) => told.denied += 1,
                (true, false) => panic!("{read:?}"),
            }
        }
        let params = json!({"name": "get_article", "arguments": {"id": ARTICLE}});
        let article = ask("tools/call", params).await;
        assert!(article.status == 200 && !article.is_tool_error(), "{article:?}");
        let list = ask("tools/list", json!({})).await;
        let tools = list.answer()["result"]["tools"].as_array().map_or(0, Vec::len);
        assert!(tools > 5, "{list:?}");
        told.requests += 5;
    }
    told
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_reloads_under_load_leave_no_decision_between_two_bundles() {
    let reloads = number("PORTCULLIS_RELOADS", 200);
    let work = tempfile::tempdir().unwrap();
    let bundles = [("one", false), ("two", true)].map(|(word, denies)| {
        let folder = work.path().join(word);
        write(&folder, &rules(word, denies));
        built(&folder, word, None)
    });
    let put = |turn: usize| {
        std::fs::write(work.path().join("next"), &bundles[turn]).unwrap();
        std::fs::rename(work.path().join("next"), work.path().join("now.tar.gz")).unwrap();
    };
    put(0);
    let more = format!("policies:\n  bundle: {}\n", work.path().join("now.tar.gz").display());
    let stand = Stand::start(Setup { more, ..Setup::default() }).await;
    let over = Arc::new(AtomicBool::new(false));
    let agents: Vec<_> = (0..8)
        .map(|index| tokio::spawn(agent(stand.client(), index % 2 == 0, over.clone())))
        .collect();
    let began = Instant::now();
    let mut revisions: Vec<String> = Vec::new();
    for reload in 0..reloads {
        put(usize::from(reload % 2 == 0));
        let told = stand.ask(&Question::Policy { what: PolicyQuestion::Reload }).await;
        let Ok(Answer::Done { text }) = told else { panic!("{told:?}") };
        assert!(text.contains("is in force"), "{text}");
        revisions.push(text.split(' ').nth(2).unwrap().to_owned());
    }
    let elapsed = began.elapsed();
    over.store(true, Ordering::Relaxed);
    let (mut requests, mut allowed, mut denied) = (0, 0, 0);
    for agent in agents {
        let told = agent.await.unwrap();
        requests += told.requests;
        allowed += told.allowed;
        denied += told.denied;
    }
    let rate = requests as f64 / elapsed.as_secs_f64();
    println!(
        "{reloads} reloads in {elapsed:?}, {requests} requests ({rate:.0}/s), {allowed} reads \
         allowed, {denied} denied"
    );
    assert!(allowed > reloads && denied > reloads, "both bundles decided: {allowed} {denied}");
    judge(&stand, &revisions, allowed, denied);
}

/// Every record against the bundle that its digest names.
fn judge(stand: &Stand, revisions: &[String], allowed: u64, denied: u64) {
    let records = stand.records();
    // The revisions in force, in their order, all taken and none refused.
    let taken: Vec<&Value> = records.iter().filter(|it| it["type"] == "ruleset").collect();
    assert!(taken.iter().all(|it| it["refused"].is_null()));
    let short = |digest: &Value| digest.as_str().unwrap()["sha256:".len()..][..12].to_owned();
    let names: Vec<String> = taken.iter().map(|it| short(&it["revision"])).collect();
    assert_eq!(names, revisions);
    let started = records.iter().find(|it| it["type"] == "started").unwrap();
    let words: BTreeMap<String, &str> =
        [(short(&started["ruleset"]), "one"), (names[0].clone(), "two")].into();
    assert_eq!(words.len(), 2);

    let mut counts: BTreeMap<(&str, bool), u64> = BTreeMap::new();
    let own = |it: &&Value| it["type"] == "decision" && it["call"]["principal"] == AGENT;
    for record in records.iter().filter(own) {
        let (call, decision) = (&record["call"], &record["decision"]);
        let word = words[&short(&decision["ruleset"])];
        // All rules that spoke are of the bundle whose digest the record has.
        for reason in decision["reasons"].as_array().unwrap() {
            let rule = reason["rule"].as_str().unwrap();
            assert!(rule.starts_with(&format!("admit.{word}")), "{record}");
        }
        let read = call["subject"]["name"] == "get_conversation";
        let verdict = if read && word == "two" { "deny" } else { "allow" };
        assert_eq!(decision["verdict"], verdict, "{record}");
        if read {
            *counts.entry((word, verdict == "allow")).or_default() += 1;
        }
    }
    let expected = [(("one", true), allowed), (("two", false), denied)].into();
    assert_eq!(counts, expected, "what agents were told is what was decided");
    let sent = |it: &Received| it.tool.as_deref() == Some("get_conversation");
    let sent = stand.calls().iter().filter(|it| sent(it)).count();
    assert_eq!(sent as u64, allowed, "what was sent is what was allowed");
    assert!(stand.output(&["audit", "verify"]).contains("the chain is whole"));
}
