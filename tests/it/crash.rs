//! Crashes at chosen points of the release path, and outcomes that were lost on their way.

use std::time::Duration;

use portcullis::clock;
use portcullis::control::{self, Wish};
use portcullis::domain::{HoldEvent, HoldId, HoldState, OnRelease, Timestamp};
use portcullis::simulator::{Options, Simulator};
use serde_json::json;

use crate::kill::setup;
use crate::load::created;
use crate::stand::{Stand, told, until, wish};

/// Makes a call of each way wait, and returns their holds, legacy first.
async fn hold_both(stand: &Stand, title: &str) -> [HoldId; 2] {
    let legacy = stand.client().connected().await;
    for old in [true, false] {
        let arguments = created(&format!("{title} {old}"));
        if old {
            let held = legacy.call("create_article", arguments).await;
            assert!(held.tool_text().starts_with("PENDING"), "{held:?}");
        } else {
            let params = json!({"name": "create_article", "arguments": arguments});
            let held = stand.client().modern("tools/call", params, json!({})).await;
            assert_eq!(held.answer()["result"]["resultType"], "input_required", "{held:?}");
        }
    }
    let holds = stand.holds().await;
    [OnRelease::Send, OnRelease::AwaitRepeat]
        .map(|way| holds.iter().find(|hold| hold.on_release == way).unwrap().id)
}

/// Repeats the call of a way until it has an outcome.
async fn outcome(stand: &Stand, title: &str, old: bool) -> String {
    let arguments = created(&format!("{title} {old}"));
    let legacy = stand.client().connected().await;
    let mut text = String::new();
    until("the call has an outcome", async || {
        let reply = if old {
            legacy.call("create_article", arguments.clone()).await
        } else {
            let params = json!({"name": "create_article", "arguments": arguments});
            stand.client().modern("tools/call", params, json!({})).await
        };
        let result = &reply.answer()["result"];
        text = result["content"][0]["text"].as_str().unwrap_or_default().to_owned();
        result["resultType"] != "input_required" && !text.starts_with("PENDING")
    })
    .await;
    text
}

/// What the process leaves behind if it dies right behind these records.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_point_of_a_release_survives_a_crash() {
    let mut stand = Stand::start(setup()).await;
    let valid = clock::now().plus(Duration::from_secs(600));
    let past = clock::now();
    // Title, events, and the outcome; `person` says that somebody has to decide again.
    let cases: [(&str, Timestamp, Vec<HoldEvent>, &str); 6] = [
        ("approved", valid, vec![], "executed"),
        ("claimed", valid, vec![HoldEvent::Claimed], "executed"),
        ("late", past, vec![], "NOT SENT (lapsed)"),
        ("late claim", past, vec![HoldEvent::Claimed], "NOT SENT (lapsed)"),
        ("sending", valid, vec![HoldEvent::Claimed, HoldEvent::Sending], "UNKNOWN"),
        ("stale", valid, vec![HoldEvent::Stale { changed: "x".to_owned() }], "person"),
    ];
    let mut held = Vec::new();
    for (title, ..) in &cases {
        let ids = hold_both(&stand, title).await;
        for id in ids {
            held.push((id, stand.hold(id).await.0.binding));
        }
    }
    stand.kill();
    for ((_, valid_until, events, _), ids) in cases.iter().zip(held.chunks(2)) {
        for (hold, binding) in ids.iter().copied() {
            let (approver, valid_until) = ("ann".parse().unwrap(), *valid_until);
            let mut all =
                vec![HoldEvent::Approved { approver, binding, valid_until, groups: Vec::new() }];
            all.extend(events.iter().cloned());
            // A claim is in time.
            let at = Timestamp::from_millis(valid_until.millis().min(clock::now().millis()) - 1);
            stand.append(hold, at, &all).await;
        }
    }
    stand.serve();
    for ((title, _, _, expected), ids) in cases.iter().zip(held.chunks(2)) {
        for (old, (id, _)) in [true, false].into_iter().zip(ids) {
            if *expected == "person" {
                let refused = stand.approve(*id).await.unwrap_err();
                assert!(refused.contains("look at it again"), "{refused}");
                stand.approve(*id).await.unwrap();
            }
            let text = outcome(&stand, title, old).await;
            let title = format!("{title} {old}");
            if matches!(*expected, "executed" | "person") {
                assert!(text.contains(&title), "{title}: {text}");
                assert_eq!(stand.sent(&title), 1, "{title}");
            } else {
                assert!(text.starts_with(expected), "{title}: {text}");
                assert_eq!(stand.sent(&title), 0, "{title}");
                let again = stand.approve(*id).await.unwrap_err();
                assert!(again.contains("cannot follow"), "{title}: {again}");
            }
        }
    }
    assert!(stand.output(&["audit", "verify"]).starts_with("ok: "));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_while_intercom_works_on_it_a_call_is_unknown_and_never_sent_again() {
    let mut stand = Stand::start(setup()).await;
    let [legacy, rounds] = hold_both(&stand, "slow").await;
    stand.simulator.set(|options| options.latency = 2_000);
    let (data, key) = (stand.data(), stand.approver_key.clone());
    stand.approve(rounds).await.unwrap();
    let approving =
        tokio::spawn(async move { control::ask(&data, &wish(legacy, &key, Wish::Approve)).await });
    let params = json!({"name": "create_article",
        "arguments": created("slow false")});
    let client = stand.client();
    let asking = tokio::spawn(async move {
        client.try_modern("tools/call", params, json!({})).await.map(|reply| reply.text)
    });
    until("both calls arrived", async || stand.sent("slow true") + stand.sent("slow false") == 2)
        .await;
    stand.kill();
    assert!(told(approving.await.unwrap()).is_err(), "the person cannot have heard of the end");
    // The agent may have been told that its call waits, never how it ended.
    let heard = asking.await.unwrap();
    assert!(heard.as_ref().is_none_or(|text| text.contains("input_required")), "{heard:?}");
    stand.serve();
    for (id, old) in [(legacy, true), (rounds, false)] {
        assert_eq!(stand.hold(id).await.0.state, HoldState::Unknown);
        let again = stand.approve(id).await.unwrap_err();
        assert!(again.contains("is unknown"), "{again}");
        let text = outcome(&stand, "slow", old).await;
        assert!(text.starts_with("UNKNOWN: "), "{text}");
        assert_eq!(stand.sent(&format!("slow {old}")), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn approved_while_intercom_is_away_a_call_is_sent_when_it_is_back() {
    let mut stand = Stand::start(setup()).await;
    let [legacy, rounds] = hold_both(&stand, "away").await;
    let elsewhere = Simulator::start(([127, 0, 0, 1], 0).into(), Options::default()).await.unwrap();
    let intercom = std::mem::replace(&mut stand.simulator, elsewhere);
    let address = intercom.addr();
    intercom.stop().await;
    let answer = stand.approve(legacy).await.unwrap();
    assert!(answer.contains("not sent yet"), "{answer}");
    stand.approve(rounds).await.unwrap();
    stand.kill();
    stand.serve();
    for id in [legacy, rounds] {
        assert_eq!(stand.hold(id).await.0.state, HoldState::Approved);
    }
    stand.simulator = Simulator::start(address, Options::default()).await.unwrap();
    until("the call is sent by itself", async || {
        stand.hold(legacy).await.0.state == HoldState::Executed
    })
    .await;
    assert_eq!(stand.sent("away false"), 0, "nobody waits for it");
    for old in [true, false] {
        let text = outcome(&stand, "away", old).await;
        assert!(text.contains(&format!("away {old}")), "{text}");
        assert_eq!(stand.sent(&format!("away {old}")), 1);
    }
}

/// An outcome that was lost on its way to the agent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_round_that_names_its_hold_gets_the_outcome_again() {
    let stand = Stand::start(setup()).await;
    let params = json!({"name": "create_article",
        "arguments": created("again")});
    let client = stand.client();
    let first = client.modern("tools/call", params.clone(), json!({})).await;
    let mut named = params.clone();
    named["requestState"] = first.answer()["result"]["requestState"].clone();
    stand.approve(stand.holds().await[0].id).await.unwrap();
    for _ in 0..3 {
        let mut outcome = client.modern("tools/call", named.clone(), json!({})).await;
        while outcome.answer()["result"]["resultType"] == "input_required" {
            named["requestState"] = outcome.answer()["result"]["requestState"].clone();
            outcome = client.modern("tools/call", named.clone(), json!({})).await;
        }
        assert!(outcome.tool_text().contains("again"), "{outcome:?}");
    }
    assert_eq!((stand.holds().await.len(), stand.sent("again")), (1, 1));
    let mut other = named.clone();
    other["arguments"]["title"] = json!("another");
    let refused = client.modern("tools/call", other, json!({})).await;
    assert!(refused.answer()["error"]["message"].as_str().unwrap().contains("another call"));
}
