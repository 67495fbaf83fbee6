//! `kill -9` at random moments under mixed load.
//!
//! Witnesses: what clients and approvers were told, what the simulator received (it lives on over
//! all kills), and the records of the log.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use portcullis::audit;
use portcullis::domain::{HoldId, HoldState};
use portcullis::simulator::Options;
use serde_json::Value;

use crate::client::DEADLINE;
use crate::load::{Agent, Dice, Ledger, Shared, Way, load};
use crate::stand::{Setup, Stand, number, until};

/// Agents that do not wait for long, and an Intercom that takes its time.
pub(crate) fn setup() -> Setup {
    let simulator = Options { latency: 5, jitter: 40, keep: 1_000_000, ..Options::default() };
    let more = "holds: { wait: 100ms, poll: 100ms, pending_per_principal: 10000 }\n".to_owned();
    let roles = "support-reader, knowledge-author, note-writer";
    Setup { simulator, roles, more, ..Setup::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_and_nothing_is_sent_twice() {
    let kills = number("PORTCULLIS_KILLS", 10);
    let seed = number("PORTCULLIS_SEED", u64::from(std::process::id()));
    println!("PORTCULLIS_SEED={seed} PORTCULLIS_KILLS={kills}");
    let mut dice = Dice(seed);
    let mut stand = Stand::start(setup()).await;
    let ledger = Arc::new(Mutex::new(Ledger::default()));
    let mut titles = Titles::default();
    for life in 0..kills {
        let load = load(&stand, &ledger, life, &mut dice);
        tokio::time::sleep(Duration::from_millis(80 + dice.below(700))).await;
        stand.kill();
        for task in load {
            let ended = tokio::time::timeout(DEADLINE, task).await;
            ended.expect("a client ends with the server").expect("no client panicked");
        }
        stand.serve();
        let report = audit::verify(&stand.data()).unwrap();
        assert!(report.is_whole(), "kill {life}: {report:?}");
        titles.learn(&stand).await;
        let told = ledger.lock().unwrap().clone();
        holds_are_there(&stand, &told, &titles).await;
    }
    settle(&stand, &ledger).await;
    assert!(stand.output(&["audit", "verify"]).starts_with("ok: "));
    titles.learn(&stand).await;
    let ledger = ledger.lock().unwrap().clone();
    holds_are_there(&stand, &ledger, &titles).await;
    let records = stand.records();
    let acknowledged = every_answer_has_its_decision(&ledger, &records);
    let sums = every_hold_was_sent_once_at_most(&stand, &ledger, &records, &titles);
    println!(
        "kill -9: {kills} kills, {} records, {acknowledged} acknowledged calls, {} denials, {} holds, \
         {} approvals and {} rejections acknowledged, {} sends ({} \
         of a call that was approved twice, its first outcome lost on the way), {} unknown; 0 lost, 0 sent twice, 0 \
         chain breaks",
        records.len(),
        ledger.denied.len(),
        titles.0.len(),
        ledger.approved.len(),
        ledger.rejected.len(),
        sums.sends,
        sums.repeated,
        sums.unknown,
    );
}

/// The title of each hold, as an approver sees it.
#[derive(Default)]
struct Titles(HashMap<HoldId, String>);

impl Titles {
    async fn learn(&mut self, stand: &Stand) {
        for hold in stand.holds().await {
            if let Entry::Vacant(place) = self.0.entry(hold.id) {
                let (_, arguments) = stand.hold(hold.id).await;
                place.insert(arguments["title"].as_str().unwrap().to_owned());
            }
        }
    }
}

/// Every hold that somebody was told of is there, with a state that fits what was told.
async fn holds_are_there(stand: &Stand, ledger: &Ledger, titles: &Titles) {
    let states: HashMap<HoldId, HoldState> =
        stand.holds().await.into_iter().map(|hold| (hold.id, hold.state)).collect();
    let present: BTreeSet<&str> = titles.0.values().map(String::as_str).collect();
    for (title, waiting) in &ledger.held {
        if let Some(hold) = waiting.hold {
            assert!(states.contains_key(&hold), "{title}: {hold} is lost");
            assert_eq!(titles.0.get(&hold), Some(title));
        }
        // A write that policy never held would have no hold; each of these was held.
        assert!(present.contains(title.as_str()), "{title} is lost: {waiting:?}");
    }
    for id in &ledger.approved {
        let state = states[id];
        let undone = matches!(state, HoldState::Pending | HoldState::Rejected | HoldState::Expired);
        assert!(!undone, "{id} was approved, and is {state}");
    }
    for id in &ledger.rejected {
        assert_eq!(states[id], HoldState::Rejected, "{id} was rejected");
    }
}

/// Brings every call that waits to its end.
async fn settle(stand: &Stand, ledger: &Shared) {
    let agent = |name, client| Agent::new(name, client, ledger, Dice(0));
    let legacy = stand.client().named("last-legacy").connected().await;
    let legacy = agent("last-legacy", legacy);
    let modern = agent("last-modern", stand.client().named("last-modern"));
    until("every call has an outcome", async || {
        for hold in stand.holds().await {
            if hold.state == HoldState::Pending && stand.approve(hold.id).await.is_ok() {
                ledger.lock().unwrap().approved.insert(hold.id);
            }
        }
        for way in [Way::Legacy, Way::Rounds, Way::Task] {
            let agent = if way == Way::Legacy { &legacy } else { &modern };
            for title in agent.open(way) {
                agent.ask(way, &title).await.expect("the server lives");
            }
        }
        ledger.lock().unwrap().held.values().all(|it| it.outcome.is_some())
    })
    .await;
}

/// Counts the calls whose answer arrived; each has its record.
fn every_answer_has_its_decision(ledger: &Ledger, records: &[Value]) -> u64 {
    // A release judges a call again, under the same id: one call all the same.
    let mut decided: HashMap<&str, BTreeSet<&str>> = HashMap::new();
    let mut denied = BTreeSet::new();
    for record in records.iter().filter(|record| record["type"] == "decision") {
        if record["call"]["method"] == "tools/call" {
            let client = record["call"]["client"]["name"].as_str().unwrap();
            decided.entry(client).or_default().insert(record["call"]["id"].as_str().unwrap());
        }
        if record["decision"]["verdict"] == "deny" {
            denied.insert(record["call"]["id"].as_str().unwrap());
        }
    }
    for (name, (tried, answered)) in &ledger.calls {
        let decided = decided.get(name.as_str()).map_or(0, BTreeSet::len) as u64;
        assert!(decided >= *answered, "{name}: {answered} answers, {decided} records");
        assert!(decided <= *tried, "{name}: {tried} tries, {decided} records");
    }
    for id in &ledger.denied {
        assert!(denied.contains(id.as_str()), "the denial {id} has no record");
    }
    ledger.calls.values().map(|calls| calls.1).sum()
}

struct Sums {
    sends: usize,
    /// Sends of a title beyond its first: each by a hold and an approval of its own.
    repeated: usize,
    unknown: usize,
}

/// The log's story of each hold, compared with what reached Intercom.
fn every_hold_was_sent_once_at_most(
    stand: &Stand,
    ledger: &Ledger,
    records: &[Value],
    titles: &Titles,
) -> Sums {
    let mut stories: BTreeMap<HoldId, Vec<&str>> = BTreeMap::new();
    for record in records {
        if record["type"] == "started" {
            stories.values_mut().for_each(|story| story.push("(started)"));
        } else if record["type"] == "hold" {
            let id = record["hold"].as_str().unwrap().parse().unwrap();
            stories.entry(id).or_default().push(record["event"].as_str().unwrap());
        }
    }
    let count = |story: &[&str], event: &str| story.iter().filter(|it| **it == event).count();
    // By title: sends begun and sends answered, over all holds of it.
    let mut began: HashMap<&str, (usize, usize)> = HashMap::new();
    let mut unknown = 0;
    for (id, story) in &stories {
        let title = titles.0.get(id).unwrap_or_else(|| panic!("{id} is lost: {story:?}"));
        let (sending, ends) = (count(story, "sending"), ["executed", "failed", "unknown"]);
        let ended: usize = ends.iter().map(|end| count(story, end)).sum();
        assert!(sending <= 1, "{id} was sent twice: {story:?}");
        assert_eq!(sending, ended, "{id} has no end: {story:?}");
        if let Some(at) = story.iter().position(|event| *event == "sending")
            && story[at + 1] == "(started)"
        {
            assert_eq!(story[at + 2], "unknown", "{id}: {story:?}");
        }
        unknown += count(story, "unknown");
        let sums = began.entry(title).or_default();
        sums.0 += sending;
        sums.1 += count(story, "executed");
    }
    let mut sent: HashMap<String, usize> = HashMap::new();
    for call in stand.calls().iter().filter(|it| it.tool.as_deref() == Some("create_article")) {
        let title = call.arguments.as_ref().unwrap()["title"].as_str().unwrap();
        *sent.entry(title.to_owned()).or_default() += 1;
    }
    for (title, count) in &sent {
        let (sending, executed) = began.get(title.as_str()).copied().unwrap_or_default();
        let fits = (executed..=sending).contains(count);
        assert!(fits, "{title}: {count} arrived of {sending} sends, {executed} of them answered");
    }
    for (title, waiting) in &ledger.held {
        if waiting.outcome.as_deref() == Some("executed") {
            assert!(sent.get(title).is_some_and(|count| *count >= 1), "{title} never arrived");
        }
    }
    let sends = sent.values().sum::<usize>();
    Sums { sends, repeated: sends - sent.len(), unknown }
}
