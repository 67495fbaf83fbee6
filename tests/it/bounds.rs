//! What one client may take, and how what it holds open ends: slots, sessions, streams, the stop.

use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use portcullis::simulator::Options;
use serde_json::{Value, json};

use crate::client::{Client, DEADLINE};
use crate::stand::{Setup, Stand};

fn with(more: &str) -> Setup {
    Setup { more: format!("{more}\n"), ..Setup::default() }
}

fn update(title: &str) -> Value {
    json!({"id": "9100001", "title": title})
}

/// Looks until `look` finds something.
async fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "{what} did not come");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn pending(stand: &Stand) -> Vec<String> {
    let list: Value = serde_json::from_str(&stand.output(&["holds", "list", "--json"])).unwrap();
    list.as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect()
}

/// Reads a stream until an event holds `word`, or to its end: then `false`.
async fn comes(body: &mut Incoming, word: &str) -> bool {
    let read = async {
        while let Some(Ok(frame)) = body.frame().await {
            let data = frame.into_data().unwrap_or_default();
            if String::from_utf8_lossy(&data).contains(word) {
                return true;
            }
        }
        false
    };
    tokio::time::timeout(DEADLINE, read).await.expect("the stream goes on in time")
}

async fn general(client: &Client, last_event: Option<&str>) -> Incoming {
    let headers: Vec<(String, String)> =
        last_event.map(|id| ("last-event-id".to_owned(), id.to_owned())).into_iter().collect();
    let response = client.open(Method::GET, &headers, "").await;
    assert_eq!(response.status(), StatusCode::OK);
    response.into_body()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_waits_for_a_person_takes_no_call_slot() {
    let stand = Stand::start(with("limits: { calls_in_flight: 1 }\nholds: { wait: 40s }")).await;
    let client = stand.client().connected().await;
    let headers = [];
    let body = json!({"jsonrpc": "2.0", "id": "held", "method": "tools/call",
        "params": {"name": "update_article", "arguments": update("x")}});
    let _waits = client.open(Method::POST, &headers, body.to_string()).await;
    until("the hold", || pending(&stand).pop()).await;
    // Between the record and the wait there is a moment; a slot that stays taken is the fault.
    let end = Instant::now() + DEADLINE;
    while client.request("ping", json!({})).await.status != StatusCode::OK {
        assert!(Instant::now() < end, "the call that waits keeps the only slot");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let listed = client.request("tools/list", json!({})).await;
    assert!(listed.answer()["result"]["tools"].is_array(), "{listed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_evicted_session_ends_and_its_hold_stays() {
    let stand =
        Stand::start(with("limits: { sessions_per_principal: 1 }\nholds: { wait: 40s }")).await;
    let first = stand.client().connected().await;
    let mut stream = general(&first, None).await;
    let body = json!({"jsonrpc": "2.0", "id": 99, "method": "tools/call",
        "params": {"name": "update_article", "arguments": update("x")}});
    let waits = first.open(Method::POST, &[], body.to_string()).await;
    let hold = until("the hold", || pending(&stand).pop()).await;
    let second = stand.client().connected().await;
    assert!(!comes(&mut stream, "never said").await);
    assert!(!comes(&mut waits.into_body(), "never said").await);
    assert_eq!(first.request("ping", json!({})).await.status, StatusCode::NOT_FOUND);
    assert_eq!(pending(&stand), std::slice::from_ref(&hold));
    stand.output(&["holds", "approve", &hold]);
    let outcome = second.call("update_article", update("x")).await;
    assert!(!outcome.is_tool_error(), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_general_stream_is_carried_again_when_it_is_resumed() {
    let stand = Stand::start(Setup::default()).await;
    let client = stand.client().connected().await;
    drop(general(&client, None).await);
    let mut stream = general(&client, Some("0-0")).await;
    let method = "notifications/resources/list_changed";
    let told = async {
        loop {
            // Until Portcullis listens at Intercom there is nobody to be told.
            stand.simulator.notify(method, json!({}));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        () = told => {}
        came = comes(&mut stream, method) => assert!(came),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_does_not_wait_for_general_streams_but_for_calls_that_are_being_sent() {
    let simulator = Options { latency: 1500, ..Options::default() };
    let mut stand =
        Stand::start(Setup { simulator, more: "drain: 60s\n".to_owned(), ..Setup::default() })
            .await;
    let client = stand.client().connected().await;
    let mut stream = general(&client, None).await;
    let other = Client::new(&stand.url, &stand.key).connected().await;
    let body = json!({"jsonrpc": "2.0", "id": 99, "method": "tools/call",
        "params": {"name": "get_conversation", "arguments": {"id": "215470000000101"}}});
    // The client leaves at once; in this era it has not cancelled.
    let left = tokio::spawn(async move {
        let _answer = other.open(Method::POST, &[], body.to_string()).await;
    });
    until("the call", || stand.calls().pop()).await;
    left.abort();
    let began = Instant::now();
    assert!(stand.terminate().success());
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    assert!(!comes(&mut stream, "never said").await);
    let records = stand.records();
    let last: Vec<&str> =
        records.iter().rev().take(2).filter_map(|record| record["type"].as_str()).collect();
    assert_eq!(last, ["stopped", "outcome"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_ends_soon_after_its_key() {
    let stand = Stand::start(Setup::default()).await;
    let client = stand.client().connected().await;
    let mut stream = general(&client, None).await;
    stand.output(&["principals", "revoke", "agent"]);
    let began = Instant::now();
    assert!(!comes(&mut stream, "never said").await);
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_held_call_contains_is_shown_to_approvers_only() {
    let mut stand = Stand::start(with("holds: { wait: 300ms }")).await;
    let client = stand.client().connected().await;
    client.call("update_article", update("a new title")).await;
    let hold = pending(&stand).pop().unwrap();
    assert!(stand.output(&["holds", "show", &hold]).contains("a new title"));
    // An agent's key is no approver's.
    let approver_key = std::mem::replace(&mut stand.approver_key, stand.key.clone());
    let refused = stand.run(&["holds", "show", &hold]);
    assert!(!refused.status.success() && refused.stdout.is_empty(), "{refused:?}");
    stand.approver_key = approver_key;
    // Listing contains nothing of it, and needs neither a key nor, without a server, the lock.
    stand.kill();
    assert_eq!(pending(&stand), [hold]);
    let listed = stand.output(&["holds", "list", "--json"]);
    assert!(!listed.contains("a new title"), "{listed}");
}
