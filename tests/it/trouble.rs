//! Trouble at Intercom, kind by kind: a clear error with the right advice, nothing hangs, and the
//! next call works.

use std::time::{Duration, Instant};

use portcullis::simulator::Options;
use portcullis::simulator::options::{
    Credential, Permission, PermissionFault, RateFault, RateHeaders, RegionMatch, Reply, Speak,
    Transport, Trouble,
};
use serde_json::{Value, json};

use crate::live::{Modern, TASKS, declaring, reading, writing};
use crate::stand::{Setup, Stand};

type Change = fn(&mut Options);

/// What goes wrong, words that the agent must read, and whether Intercom may have acted (the advice
/// then says that the outcome is not known).
const KINDS: [(&str, Change, &[&str]); 20] = [
    ("429", |it| it.trouble = Trouble::TooMany, &["rate limit", "try again in about 10 s"]),
    (
        "429 with Retry-After",
        |it| {
            it.trouble = Trouble::TooMany;
            it.rate_headers = RateHeaders::RetryAfter;
        },
        &["rate limit", "try again in ", " s"],
    ),
    (
        "429 with X-RateLimit",
        |it| {
            it.trouble = Trouble::TooMany;
            it.rate_headers = RateHeaders::RateLimit;
        },
        &["rate limit", "try again in ", " s"],
    ),
    (
        "429 with both",
        |it| {
            it.trouble = Trouble::TooMany;
            it.rate_headers = RateHeaders::Both;
        },
        &["rate limit", "try again in ", " s"],
    ),
    (
        "rate as a tool error",
        |it| {
            it.rate_limit = Some(0);
            it.rate_fault = RateFault::Tool;
        },
        &["rate_limit_exceeded"],
    ),
    ("500", |it| it.trouble = Trouble::ServerError, &["500", "not known"]),
    ("503", |it| it.trouble = Trouble::Unavailable, &["503", "not known"]),
    ("cut before", |it| it.trouble = Trouble::CutBefore, &["lost", "not known"]),
    ("cut within", |it| it.trouble = Trouble::CutWithin, &["not known"]),
    ("silence", |it| it.trouble = Trouble::Silence, &["did not answer within 1s", "not known"]),
    ("session lost", |it| it.trouble = Trouble::SessionLost, &["404", "try again"]),
    ("garbage", |it| it.trouble = Trouble::Garbage, &["malformed"]),
    ("wrong id", |it| it.trouble = Trouble::WrongId, &[""]),
    ("tool error", |it| it.trouble = Trouble::ToolError, &["server_error"]),
    ("redirect", |it| it.trouble = Trouble::Redirect, &["redirect", "operator"]),
    ("expired", |it| it.credential = Credential::Expired, &["401", "operator"]),
    ("revoked", |it| it.credential = Credential::Revoked, &["401", "operator"]),
    ("region", |it| it.region_match = RegionMatch::Wrong, &["403", "region", "operator"]),
    (
        "permission, as a tool error",
        |it| it.missing_permissions = vec![Permission::ReadConversations],
        &["token_unauthorized"],
    ),
    (
        "permission, as 401",
        |it| {
            it.missing_permissions = vec![Permission::ReadConversations];
            it.permission_fault = PermissionFault::Http;
        },
        &["401", "operator"],
    ),
];

const QUICK: &str = "timeouts: { connect: 1s, answer: 1s, idle: 1s }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_trouble_is_told_and_passes() {
    for (speak, reply) in [
        (Speak::Legacy, Reply::Sse),
        (Speak::Legacy, Reply::Json),
        (Speak::Modern, Reply::Sse),
        (Speak::Modern, Reply::Json),
    ] {
        let simulator = Options { speak, reply, ..Options::default() };
        let healthy = simulator.clone();
        let stand = Stand::start(Setup { simulator, upstream: QUICK, ..Setup::default() }).await;
        let old = stand.client().connected().await;
        let new = stand.client();
        assert!(!old.request("tools/call", reading(0)).await.is_tool_error());
        for (name, change, words) in KINDS {
            if name == "session lost" && speak == Speak::Modern {
                continue;
            }
            for modern in [false, true] {
                let call = async || {
                    if modern {
                        Modern::new(1, "tools/call", reading(0), json!({})).send(&new).await
                    } else {
                        old.request("tools/call", reading(0)).await
                    }
                };
                let case = format!("{name}, {speak:?} {reply:?}, modern client: {modern}");
                stand.simulator.set(change);
                let begun = Instant::now();
                let told = call().await;
                assert!(begun.elapsed() < Duration::from_secs(6), "{case}: {:?}", begun.elapsed());
                assert!(told.is_tool_error(), "{case} {told:?}");
                for word in words {
                    assert!(told.tool_text().contains(word), "{case}: `{word}` in {told:?}");
                }
                for secret in [stand.simulator.token(), "elsewhere.example", "resource_metadata"] {
                    assert!(!told.text.contains(secret), "{case} {told:?}");
                }
                stand.simulator.set(|options| *options = healthy.clone());
                let next = call().await;
                assert!(!next.is_tool_error(), "{case}, the next call: {next:?}");
            }
        }
        assert!(stand.output(&["audit", "verify"]).starts_with("ok: "));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_comes_twice_is_one() {
    let simulator = Options { trouble: Trouble::Twice, ..Options::default() };
    let stand = Stand::start(Setup { simulator, ..Setup::default() }).await;
    let client = stand.client().connected().await;
    let reply = client.request("tools/call", reading(0)).await;
    assert_eq!(reply.messages.len(), 1, "{reply:?}");
    assert!(!reply.is_tool_error());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_session_is_renewed_once_and_the_call_is_made() {
    let stand = Stand::start(Setup::default()).await;
    let client = stand.client().connected().await;
    let count =
        |method: &str| stand.simulator.received().iter().filter(|it| it.method == method).count();
    let call = async || client.request("tools/call", reading(0)).await;
    assert!(!call().await.is_tool_error());
    stand.simulator.clear_received();
    stand.simulator.forget_sessions();
    let replies = tokio::join!(call(), call(), call(), call());
    for reply in [replies.0, replies.1, replies.2, replies.3] {
        assert!(!reply.is_tool_error(), "{reply:?}");
    }
    assert_eq!(count("initialize"), 1, "many calls renew a session once");
    // Lost again and again: one new session per call, and no more.
    stand.simulator.set(|options| options.trouble = Trouble::SessionLost);
    stand.simulator.clear_received();
    assert!(call().await.is_tool_error());
    assert_eq!([count("initialize"), count("tools/call")], [1, 2]);
}

/// Intercom is down for a while and loses its sessions: what could not be renewed is renewed later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_could_not_be_renewed_is_renewed_later() {
    let stand = Stand::start(Setup::default()).await;
    let old = stand.client().connected().await;
    let new = stand.client();
    let calls = async || {
        let modern = Modern::new(1, "tools/call", reading(0), json!({}));
        [old.request("tools/call", reading(0)).await, modern.send(&new).await]
    };
    assert!(calls().await.iter().all(|it| !it.is_tool_error()));
    stand.simulator.forget_sessions();
    // Everything is 404 for a while, `initialize` too.
    stand.simulator.set(|options| options.transport = Transport::Sse);
    assert!(calls().await.iter().all(|it| it.is_tool_error()));
    stand.simulator.set(|options| options.transport = Transport::Streamable);
    let later = calls().await;
    assert!(later.iter().all(|it| !it.is_tool_error()), "{later:?}");
}

/// Trouble at the very first contact must not be taken for an era.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trouble_at_first_contact_passes() {
    let kinds = [
        Trouble::ServerError,
        Trouble::Garbage,
        Trouble::TooMany,
        Trouble::Silence,
        Trouble::CutBefore,
        Trouble::Redirect,
    ];
    for speak in [Speak::Modern, Speak::Legacy] {
        for trouble in kinds {
            let simulator =
                Options { speak, trouble, trouble_method: "*".to_owned(), ..Options::default() };
            let stand =
                Stand::start(Setup { simulator, upstream: QUICK, ..Setup::default() }).await;
            let client = stand.client();
            let call = Modern::new(1, "tools/call", reading(0), json!({}));
            let begun = Instant::now();
            let first = call.send(&client).await;
            assert!(first.is_tool_error(), "{speak:?} {trouble:?} {first:?}");
            assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
            stand.simulator.set(|options| options.trouble = Trouble::None);
            let next = call.send(&client).await;
            assert!(!next.is_tool_error(), "{speak:?} {trouble:?}: {next:?}");
        }
    }
}

/// Nobody can know whether Intercom acted: the hold says so and is never sent again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_released_write_of_unknown_outcome_is_not_sent_again() {
    for trouble in [
        Trouble::CutWithin,
        Trouble::CutBefore,
        Trouble::Silence,
        Trouble::Garbage,
        Trouble::ServerError,
    ] {
        let simulator =
            Options { trouble_tool: Some("update_article".to_owned()), ..Options::default() };
        let stand = Stand::start(Setup { simulator, upstream: QUICK, ..Setup::default() }).await;
        let client = stand.client();
        let held = Modern::new(1, "tools/call", writing("once"), declaring(TASKS));
        let held = held.send(&client).await;
        let id = held.answer()["result"]["taskId"].as_str().unwrap().to_owned();
        stand.simulator.set(|options| options.trouble = trouble);
        let said = stand.run(&["holds", "approve", &id]);
        stand.simulator.set(|options| options.trouble = Trouble::None);
        let get = Modern::new(2, "tasks/get", json!({"taskId": id}), declaring(TASKS));
        let task = get.send(&client).await;
        let task = &task.answer()["result"];
        assert_eq!(task["status"], "completed", "{trouble:?} {task} {said:?}");
        assert_eq!(task["result"]["isError"], true, "{trouble:?} {task}");
        let text = task["result"]["content"][0]["text"].as_str().unwrap();
        assert!(text.starts_with("UNKNOWN"), "{trouble:?}: {text}");
        assert!(text.contains("Read the object"), "{trouble:?}: {text}");
        // Another approval, a wait longer than the worker that takes releases up, a restart.
        assert!(!stand.run(&["holds", "approve", &id]).status.success());
        let mut stand = stand;
        stand.kill();
        stand.serve();
        let shown: Value =
            serde_json::from_str(&stand.output(&["holds", "show", &id, "--json"])).unwrap();
        assert!(shown.to_string().contains("unknown"), "{shown}");
        let sent =
            stand.calls().iter().filter(|it| it.tool.as_deref() == Some("update_article")).count();
        assert_eq!(sent, 1, "{trouble:?}");
    }
}
