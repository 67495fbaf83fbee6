//! Answers as streams: event by event, resumable, with the client's own progress tokens.

use std::collections::BTreeSet;

use portcullis::simulator::Options;
use portcullis::simulator::options::{Question, Reply};
use serde_json::{Value, json};

use crate::client::Client;
use crate::live::{CONVERSATION, Live, Modern, asking_policies, legacy, reading, until};
use crate::stand::{Setup, Stand};

const LEGACY: [&str; 3] = ["2025-03-26", "2025-06-18", "2025-11-25"];

async fn session(stand: &Stand, version: &str, capabilities: Value) -> Client {
    let mut client = stand.client();
    client.initialize_as(version, capabilities).await;
    client
}

/// The question in the middle is the witness: its answer is sent only after the question was read,
/// and the last event comes only after that answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_arrive_one_by_one() {
    let (_policies, more) = asking_policies();
    let simulator = Options {
        question: Question::Sampling,
        logs: 1,
        progress: 2,
        latency: 30,
        event_ids: true,
        ..Options::default()
    };
    let setup = Setup { simulator, roles: "support-reader, asker", more, ..Setup::default() };
    let stand = Stand::start(setup).await;
    for piece in [None, Some(7)] {
        stand.simulator.set(|options| {
            options.piece = piece;
            options.piece_delay = 1;
        });
        for version in LEGACY {
            let client = session(&stand, version, json!({"sampling": {}})).await;
            let mut params = reading(0);
            params["_meta"] = json!({"progressToken": "p"});
            let mut live = Live::post(&client, &legacy(1, "tools/call", params)).await;
            assert!(live.is_stream(), "{version}");
            assert_eq!(live.headers["x-accel-buffering"], "no");
            if version == "2025-11-25" {
                let first = live.next().await.unwrap();
                assert_eq!(first.data.as_deref(), Some(""), "{first:?}");
                assert!(first.id.is_some() && first.retry.is_some(), "{first:?}");
            }
            let mut seen = Vec::new();
            let mut ids = BTreeSet::new();
            loop {
                let (id, message) = live.message().await.unwrap();
                assert!(ids.insert(id.unwrap()), "an id came twice");
                let method = message["method"].as_str().unwrap_or("answer").to_owned();
                if method == "sampling/createMessage" {
                    let answer = json!({"jsonrpc": "2.0", "id": message["id"], "result":
                        {"role": "assistant", "model": "m", "content": {"type": "text", "text": "ok"}}});
                    assert_eq!(client.post(&answer.to_string()).await.status, 202);
                }
                seen.push(method);
                if seen.last().is_some_and(|it| it == "answer") {
                    break;
                }
            }
            let expected = [
                "notifications/message",
                "notifications/progress",
                "notifications/progress",
                "sampling/createMessage",
                "answer",
            ];
            assert_eq!(seen, expected, "{version} {piece:?}");
            assert!(live.next().await.is_none(), "the stream ends with the answer");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plain_answer_is_json_and_an_upstream_stream_is_one() {
    let stand = Stand::start(Setup::default()).await;
    for (reply, stream) in [(Reply::Json, false), (Reply::Sse, true)] {
        stand.simulator.set(|options| options.reply = reply);
        let client = stand.client().connected().await;
        let live = Live::post(&client, &legacy(1, "tools/call", reading(0))).await;
        assert_eq!(live.is_stream(), stream, "{reply:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_stream_is_resumed_and_every_event_comes_once() {
    let simulator = Options { progress: 3, latency: 1200, ..Options::default() };
    let stand = Stand::start(Setup { simulator, ..Setup::default() }).await;
    let client = session(&stand, "2025-11-25", json!({})).await;
    let mut params = reading(0);
    params["_meta"] = json!({"progressToken": 5});
    let mut live = Live::post(&client, &legacy("once", "tools/call", params)).await;
    let primed = live.next().await.unwrap().id.unwrap();
    let (first, message) = live.message().await.unwrap();
    assert_eq!(message["params"]["progress"], 1);
    let first = first.unwrap();
    drop(live);
    let mut resumed = Live::get(&client, Some(&first)).await;
    assert_eq!(resumed.status, 200);
    let mut rest = Vec::new();
    let mut last = String::new();
    while let Some((id, message)) = resumed.message().await {
        last = id.unwrap();
        rest.push(message);
    }
    let steps: Vec<_> = rest.iter().map(|it| it["params"]["progress"].as_i64()).collect();
    assert_eq!(steps, [Some(2), Some(3), None], "{rest:?}");
    assert_eq!(rest[2]["id"], "once");
    assert!(rest[2]["result"]["content"].is_array());
    // Whoever asks again gets the same events, and nothing behind the last one.
    for (from, count) in [(&primed, 4), (&first, 3), (&last, 0)] {
        assert_eq!(Live::get(&client, Some(from)).await.rest().await.len(), count, "{from}");
    }
    for unknown in ["1", "999-1", "x-y", "1-1-1"] {
        assert_eq!(Live::get(&client, Some(unknown)).await.status, 400, "{unknown}");
    }
    // Another session of the same principal has no such stream.
    let other = session(&stand, "2025-11-25", json!({})).await;
    assert_eq!(Live::get(&other, Some(&first)).await.status, 400);
    assert_eq!(stand.calls().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_general_stream_carries_what_belongs_to_no_request() {
    let stand = Stand::start(Setup::default()).await;
    let client = session(&stand, "2025-11-25", json!({})).await;
    let mut first = Live::get(&client, None).await;
    let tell = |number: i64| {
        let params = json!({"level": "info", "data": number});
        stand.simulator.notify("notifications/message", params)
    };
    until("Intercom reaches us", || tell(0) == 1).await;
    assert_eq!(first.note("notifications/message").await["params"]["data"], 0);
    // What this revision does not have, or what belongs to a request, does not pass.
    stand.simulator.notify("notifications/evil", json!({}));
    stand.simulator.notify("notifications/subscriptions/acknowledged", json!({}));
    tell(1);
    let id = loop {
        let (id, message) = first.message().await.unwrap();
        if message["params"]["data"] == 1 {
            break id;
        }
        // The first list of the tools may be news to this session.
        assert_eq!(message["method"], "notifications/tools/list_changed");
    };
    // A second reader takes the stream over.
    let mut second = Live::get(&client, None).await;
    // The first stream ends; the first list of the tools may still have been news on it.
    for message in first.rest().await {
        assert_eq!(message["method"], "notifications/tools/list_changed");
    }
    tell(2);
    assert_eq!(second.note("notifications/message").await["params"]["data"], 2);
    drop(second);
    // What came while nobody read is there for who resumes.
    tell(3);
    let mut third = Live::get(&client, id.as_deref()).await;
    for expected in [2, 3] {
        assert_eq!(third.note("notifications/message").await["params"]["data"], expected);
    }
    // A change of the tools is told from what Portcullis knows.
    stand.simulator.set(|options| options.extra_tool = true);
    stand.simulator.notify("notifications/tools/list_changed", json!({}));
    third.note("notifications/tools/list_changed").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_general_stream_survives_the_loss_of_the_session_at_intercom() {
    let stand = Stand::start(Setup::default()).await;
    let client = stand.client().connected().await;
    let mut live = Live::get(&client, None).await;
    let tell =
        || stand.simulator.notify("notifications/message", json!({"level": "info", "data": 1}));
    until("Intercom reaches us", || tell() == 1).await;
    live.note("notifications/message").await;
    stand.simulator.forget_sessions();
    until("Intercom reaches us again", || tell() == 1).await;
    live.note("notifications/message").await;
    // The end of the process is not delayed by streams that are open.
    let mut stand = stand;
    let begun = std::time::Instant::now();
    assert!(stand.terminate().success());
    assert!(begun.elapsed().as_secs() < 8, "{:?}", begun.elapsed());
    while live.next().await.is_some() {}
}

/// Long calls: comments of Intercom keep ours alive, our comments keep the client's alive.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn comments_keep_streams_alive() {
    let simulator = Options { latency: 16_500, keep_alive: 500, ..Options::default() };
    let upstream = "timeouts: { answer: 20s, idle: 2s }";
    let stand = Stand::start(Setup { simulator, upstream, ..Setup::default() }).await;
    let long = async |stand: &Stand, modern: bool| {
        let client = stand.client();
        let (mut live, _client) = if modern {
            (Modern::new(1, "tools/call", reading(0), json!({})).open(&client).await, client)
        } else {
            let client = client.connected().await;
            (Live::post(&client, &legacy(1, "tools/call", reading(0))).await, client)
        };
        let mut comments = 0;
        while let Some(event) = live.next().await {
            comments += usize::from(event.comment.is_some());
            if let Some(message) = event.message() {
                assert!(message["result"]["isError"] != true, "{message}");
                return comments;
            }
        }
        panic!("no answer");
    };
    let all = tokio::join!(long(&stand, false), long(&stand, true));
    assert!(all.0 >= 1 && all.1 >= 1, "{all:?}");
    // Without a sign of life the silence is an error, soon.
    stand.simulator.set(|options| options.keep_alive = 60_000);
    let client = stand.client().connected().await;
    let reply = client.request("tools/call", reading(0)).await;
    assert!(reply.is_tool_error());
    assert!(reply.tool_text().contains("did not answer within 2s"), "{reply:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn progress_comes_back_under_the_clients_own_token() {
    let simulator = Options { progress: 3, latency: 40, ..Options::default() };
    let stand = Stand::start(Setup { simulator, ..Setup::default() }).await;
    let legacy_client = stand.client().connected().await;
    let modern_client = stand.client();
    let tokens = [
        json!(7),
        json!(0),
        json!(-3),
        json!("7"),
        json!("\u{fc} \"x\" \\"),
        json!(""),
        Value::Null,
    ];
    for token in tokens {
        for modern in [false, true] {
            let mut meta = json!({});
            if !token.is_null() {
                meta["progressToken"] = token.clone();
            }
            let reply = if modern {
                Modern::new(9, "tools/call", reading(1), meta).send(&modern_client).await
            } else {
                let mut params = reading(1);
                params["_meta"] = meta;
                legacy_client.request("tools/call", params).await
            };
            assert!(!reply.is_tool_error(), "{reply:?}");
            let (answer, notes) = reply.messages.split_last().unwrap();
            assert!(answer["result"].is_object());
            let steps: Vec<i64> =
                notes.iter().map(|it| it["params"]["progress"].as_i64().unwrap()).collect();
            let expected: &[i64] = if token.is_null() { &[] } else { &[1, 2, 3] };
            assert_eq!(steps, expected, "{token} {reply:?}");
            assert!(notes.iter().all(|it| it["params"]["progressToken"] == token), "{notes:?}");
        }
    }
    // Intercom never saw a token of a client.
    for call in stand.calls() {
        let body: Value = serde_json::from_str(&call.body).unwrap();
        let sent = &body["params"]["_meta"]["progressToken"];
        assert!(sent.is_null() || *sent == body["id"], "{}", call.body);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn log_messages_go_to_those_who_asked() {
    let simulator = Options { logs: 2, latency: 10, ..Options::default() };
    let stand = Stand::start(Setup { simulator, ..Setup::default() }).await;
    let client = stand.client();
    let level = json!({"io.modelcontextprotocol/logLevel": "info"});
    let stricter = json!({"io.modelcontextprotocol/logLevel": "error"});
    for (meta, expected) in [(json!({}), 0), (level, 2), (stricter, 0)] {
        let reply = Modern::new(1, "tools/call", reading(0), meta.clone()).send(&client).await;
        let logs = reply.messages.iter().filter(|it| it["method"] == "notifications/message");
        assert_eq!(logs.count(), expected, "{meta}");
    }
    let client = client.connected().await;
    let reply = client.request("tools/call", reading(0)).await;
    assert_eq!(reply.messages.len(), 3, "{reply:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn equal_ids_are_told_apart() {
    let simulator = Options { latency: 100, jitter: 100, ..Options::default() };
    let stand = Stand::start(Setup { simulator, ..Setup::default() }).await;
    let one = stand.client().connected().await;
    let two = stand.client().connected().await;
    let three = stand.client();
    let call = |client: &'static str, number: u64| {
        let (one, two, three) = (&one, &two, &three);
        async move {
            let message = legacy(1, "tools/call", reading(number));
            let reply = match client {
                "one" => one.post(&message.to_string()).await,
                "two" => two.post(&message.to_string()).await,
                _ => Modern::new(1, "tools/call", reading(number), json!({})).send(three).await,
            };
            assert_eq!(reply.answer()["id"], 1);
            let wanted = (CONVERSATION + number).to_string();
            assert!(reply.tool_text().contains(&wanted), "{client} {number}: {reply:?}");
        }
    };
    tokio::join!(
        call("one", 0),
        call("two", 1),
        call("three", 2),
        call("three", 3),
        call("three", 4),
    );
    // Within one session two open requests under one id are refused, and the first goes on.
    let mut open = Live::post(&one, &legacy(50, "tools/call", reading(5))).await;
    let again = one.post(&legacy(50, "tools/call", reading(6)).to_string()).await;
    assert_eq!(again.answer()["error"]["code"], -32600, "{again:?}");
    assert!(open.message().await.unwrap().1["result"].is_object());
}
