//! C07: two bundles take turns two hundred times under load; each decision is of one of them, whole.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use portcullis::control::{Answer, PolicyQuestion, Question};
use portcullis::simulator::{Options, Received};
use serde_json::{Value, json};

use crate::client::{Client, Reply};
use crate::live::{ARTICLE, Modern, reading};
use crate::rollout::{built, rules, write};
use crate::stand::{AGENT, Setup, Stand, number};

/// What agents were told, counted: requests, and reads that were allowed, that were denied, and those for
/// which the rules took too long, as they may on a machine that is busy otherwise.
#[derive(Debug, Default)]
struct Told {
    requests: u64,
    allowed: u64,
    denied: u64,
    late: u64,
    /// The same of what is no read of a conversation: nothing else is counted of these.
    late_others: u64,
}

impl std::iter::Sum for Told {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            requests: sum.requests + one.requests,
            allowed: sum.allowed + one.allowed,
            denied: sum.denied + one.denied,
            late: sum.late + one.late,
            late_others: sum.late_others + one.late_others,
        })
    }
}

/// What is told where the rules took too long.
fn is_late(reply: &Reply) -> bool {
    reply.is_tool_error() && reply.tool_text().contains("the rules of this installation demand it")
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
                (true, false) if is_late(&read) => told.late += 1,
                (true, false) => panic!("{read:?}"),
            }
        }
        let params = json!({"name": "get_article", "arguments": {"id": ARTICLE}});
        let article = ask("tools/call", params).await;
        assert!(article.status == 200, "{article:?}");
        told.late_others += u64::from(is_late(&article));
        assert!(!article.is_tool_error() || is_late(&article), "{article:?}");
        let list = ask("tools/list", json!({})).await;
        let tools = list.answer()["result"]["tools"].as_array().map_or(0, Vec::len);
        assert!(list.status == 200, "{list:?}");
        told.late_others += u64::from(tools <= 5);
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
    // Where a release build runs there are tens of thousands of calls.
    let simulator = Options { keep: 1_000_000, ..Options::default() };
    let stand = Stand::start(Setup { more, simulator, ..Setup::default() }).await;
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
    let mut all = Vec::new();
    for agent in agents {
        all.push(agent.await.unwrap());
    }
    let told: Told = all.into_iter().sum();
    let rate = told.requests as f64 / elapsed.as_secs_f64();
    println!("{reloads} reloads in {elapsed:?}, {rate:.0} requests/s: {told:?}");
    assert!(told.allowed > reloads && told.denied > reloads, "both bundles decided: {told:?}");
    assert!((told.late + told.late_others) * 20 < told.requests, "{told:?}");
    judge(&stand, &revisions, &told);
}

/// Every record against the bundle that its digest names.
fn judge(stand: &Stand, revisions: &[String], told: &Told) {
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
    let mut late = 0;
    let own = |it: &&Value| it["type"] == "decision" && it["call"]["principal"] == AGENT;
    for record in records.iter().filter(own) {
        let (call, decision) = (&record["call"], &record["decision"]);
        let word = words[&short(&decision["ruleset"])];
        let read = call["subject"]["name"] == "get_conversation";
        if decision["reasons"][0]["rule"] == "portcullis.policy_timeout" {
            assert_eq!(decision["verdict"], "deny", "{record}");
            late += u64::from(read);
            continue;
        }
        // All rules that spoke are of the bundle whose digest the record has.
        for reason in decision["reasons"].as_array().unwrap() {
            let rule = reason["rule"].as_str().unwrap();
            assert!(rule.starts_with(&format!("admit.{word}")), "{record}");
        }
        let verdict = if read && word == "two" { "deny" } else { "allow" };
        assert_eq!(decision["verdict"], verdict, "{record}");
        if read {
            *counts.entry((word, verdict == "allow")).or_default() += 1;
        }
    }
    // The rest of the late ones was sent, and what came back was not judged in time.
    let allowed = told.allowed + told.late - late;
    let expected = [(("one", true), allowed), (("two", false), told.denied)].into();
    assert_eq!(counts, expected, "what agents were told is what was decided");
    let sent = |it: &Received| it.tool.as_deref() == Some("get_conversation");
    let sent = stand.calls().iter().filter(|it| sent(it)).count();
    assert_eq!(sent as u64, allowed, "what was sent is what was allowed");
    assert!(stand.output(&["audit", "verify"]).contains("the chain is whole"));
}
