//! Clients that leave or cancel: in the modern era leaving cancels, in the legacy era it does not.

use std::time::{Duration, Instant};

use portcullis::simulator::Options;
use portcullis::simulator::options::{Reply as Form, Speak, Trouble};
use serde_json::{Value, json};

use crate::client::DEADLINE;
use crate::live::{ARTICLE, Live, Modern, legacy, methods, open_policies, reading, until, writing};
use crate::stand::{self, Setup, Stand};

/// How long Intercom thinks before it acts.
const LATENCY: u64 = 1000;
/// After so long it would have acted; that it did not can only be seen by waiting.
const WOULD_HAVE_ACTED: Duration = Duration::from_millis(LATENCY + 300);

fn open_setup(simulator: Options) -> Setup {
    Setup { simulator, roles: "conformance", more: open_policies(), ..Setup::default() }
}

/// Reads the article's title through another client.
async fn title(stand: &Stand) -> String {
    stand.simulator.set(|options| {
        options.latency = 0;
        options.trouble = Trouble::None;
    });
    let client = stand.client();
    let params = json!({"name": "get_article", "arguments": {"id": ARTICLE}});
    let reply = Modern::new(1, "tools/call", params, json!({})).send(&client).await;
    reply.tool_text().to_owned()
}

/// A modern client that leaves has cancelled: the call is dropped at Intercom before it acts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_modern_client_that_leaves_cancels() {
    for speak in [Speak::Modern] {
        for reply in [Form::Sse, Form::Json] {
            let simulator = Options { speak, reply, ..Options::default() };
            let stand = Stand::start(open_setup(simulator)).await;
            assert!(!title(&stand).await.is_empty());
            stand.simulator.set(|options| options.latency = LATENCY);
            let client = stand.client();
            let call = Modern::new(1, "tools/call", writing("cancelled"), json!({}));
            let arrived = until("the call is at Intercom", || {
                stand.calls().iter().any(|it| it.tool.as_deref() == Some("update_article"))
            });
            // Leaves as soon as the call has arrived.
            let mut open = Box::pin(async {
                let mut live = call.open(&client).await;
                while live.next().await.is_some() {}
            });
            tokio::select! {
                () = &mut open => panic!("answered too soon"),
                () = arrived => {}
            }
            drop(open);
            drop(client);
            tokio::time::sleep(WOULD_HAVE_ACTED).await;
            assert!(!title(&stand).await.contains("cancelled"), "{speak:?} {reply:?}");
            let outcomes = stand.records();
            let cancelled = outcomes.iter().filter(|it| it["outcome"]["kind"] == "cancelled");
            assert_eq!(cancelled.count(), 1, "{speak:?} {reply:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_legacy_client_that_leaves_does_not_cancel_but_may_say_so() {
    for reply in [Form::Sse, Form::Json] {
        for cancel in [false, true] {
            let simulator = Options { reply, ..Options::default() };
            let stand = Stand::start(open_setup(simulator)).await;
            assert!(!title(&stand).await.is_empty());
            stand.simulator.set(|options| options.latency = LATENCY);
            let client = stand.client().connected().await;
            let call = legacy("mine", "tools/call", writing("changed"));
            let arrived = || {
                stand.calls().into_iter().find(|it| it.tool.as_deref() == Some("update_article"))
            };
            let case = format!("{reply:?} cancel: {cancel}");
            if cancel {
                let mut open = Box::pin(Live::post(&client, &call));
                let wait = until("the call is at Intercom", || arrived().is_some());
                let live = tokio::select! {
                    live = &mut open => Some(live),
                    () = wait => None,
                };
                until("the call is at Intercom", || arrived().is_some()).await;
                let note = json!({"jsonrpc": "2.0", "method": "notifications/cancelled",
                    "params": {"requestId": "mine", "reason": "changed my mind"}});
                assert_eq!(client.post(&note.to_string()).await.status, 202);
                // The answer ends without a result: nobody waits for one.
                let mut live = match live {
                    Some(live) => live,
                    None => open.await,
                };
                assert_eq!(live.status, 200, "{case}");
                assert!(live.rest().await.is_empty(), "{case}");
                let told = methods(&stand, "notifications/cancelled").pop().unwrap();
                let body: Value = serde_json::from_str(&told.body).unwrap();
                assert_eq!(body["params"]["requestId"], arrived().unwrap().request_id.unwrap());
                assert_ne!(body["params"]["requestId"], "mine");
                tokio::time::sleep(WOULD_HAVE_ACTED).await;
                assert!(!title(&stand).await.contains("changed"), "{case}");
            } else {
                let mut open = Box::pin(async {
                    Live::post(&client, &call).await.rest().await;
                });
                tokio::select! {
                    () = &mut open => panic!("answered too soon"),
                    () = until("the call is at Intercom", || arrived().is_some()) => {}
                }
                drop(open);
                let begun = Instant::now();
                while !title(&stand).await.contains("changed") {
                    assert!(begun.elapsed() < DEADLINE, "{case}");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }
}

/// A cancellation of something unknown, or of another session's request, does nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_ones_own_requests_can_be_cancelled() {
    let simulator = Options { latency: 400, ..Options::default() };
    let stand = Stand::start(Setup { simulator, ..Setup::default() }).await;
    let one = stand.client().connected().await;
    let two = stand.client().connected().await;
    let mut live = Live::post(&one, &legacy(41, "tools/call", reading(0))).await;
    for id in [json!(41), json!(1), json!("41"), json!(null)] {
        let note = json!({"jsonrpc": "2.0", "method": "notifications/cancelled",
            "params": {"requestId": id}});
        assert_eq!(two.post(&note.to_string()).await.status, 202);
    }
    assert!(live.message().await.unwrap().1["result"].is_object());
    assert!(methods(&stand, "notifications/cancelled").is_empty());
}

/// How the agent heard of its hold: for each time, whether nobody was there to take the outcome.
pub(crate) fn told(stand: &Stand) -> Vec<bool> {
    let records = stand.records();
    let told = records.iter().filter(|it| it["event"] == "delivered");
    told.map(|it| it["unread"] == true).collect()
}

/// An outcome that came when nobody read any more stays owed: to who resumes the stream, or to the same
/// call made again, however much later that is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outcome_that_nobody_read_is_still_owed() {
    for resumes in [false, true] {
        let stand = Stand::start(Setup::default()).await;
        let mut client = stand.client();
        client.initialize("2025-11-25").await;
        let call = legacy("mine", "tools/call", writing("owed"));
        let mut live = Live::post(&client, &call).await;
        let first = live.next().await.unwrap().id.unwrap();
        stand::until("it waits", async || stand.holds().await.len() == 1).await;
        drop(live);
        stand.approve(stand.holds().await[0].id).await.unwrap();
        stand::until("the outcome went nowhere", async || told(&stand) == [true]).await;

        let outcome = if resumes {
            let mut live = Live::get(&client, Some(&first)).await;
            live.message().await.unwrap().1.to_string()
        } else {
            stand.client().connected().await.request("tools/call", writing("owed")).await.text
        };
        assert!(outcome.contains("owed") && !outcome.contains("PENDING"), "{outcome}");
        stand::until("it was taken", async || told(&stand) == [true, false]).await;
        assert_eq!(stand.sent("owed"), 1, "resumes: {resumes}");
    }
}
