//! What goes wrong on purpose.

use super::*;
use crate::simulator::options::Reply as ReplyForm;

#[tokio::test]
async fn troubles_look_as_announced_and_end() {
    let write = call(5, "create_article", json!({"title": "t", "author_id": 7000001}));
    for reply in [ReplyForm::Sse, ReplyForm::Json] {
        let simulator = start(Options { reply, ..Options::default() }).await;
        let client = Client::connect(&simulator, "2025-06-18").await;
        let cases = [
            (Trouble::TooMany, 429, true, false),
            (Trouble::ServerError, 500, true, false),
            (Trouble::Unavailable, 503, true, false),
            (Trouble::Redirect, 307, true, false),
            (Trouble::CutBefore, 0, false, true),
            (Trouble::CutWithin, 200, false, true),
            (Trouble::Garbage, 200, true, true),
            (Trouble::WrongId, 200, true, true),
            (Trouble::ToolError, 200, true, false),
            (Trouble::SessionLost, 404, true, false),
        ];
        for (trouble, status, whole, effect) in cases {
            let articles = async |client: &Client| {
                payload(&client.send(&call(1, "list_articles", json!({"per_page": 1}))).await)["total_count"].as_u64().unwrap()
            };
            let before = articles(&client).await;
            simulator.set(|options| {
                options.trouble = trouble;
                options.trouble_tool = Some("create_article".to_owned());
                options.trouble_times = Some(1);
            });
            let spoiled = client.send(&write).await;
            assert_eq!((spoiled.status, spoiled.whole), (status, whole), "{trouble:?} {spoiled:?}");
            assert!(
                simulator
                    .received()
                    .iter()
                    .any(|one| one.tool.as_deref() == Some("create_article"))
            );
            if trouble == Trouble::SessionLost {
                break;
            }
            assert_eq!(articles(&client).await - before, u64::from(effect), "{trouble:?}");
            assert_eq!(
                client.send(&write).await.message()["id"],
                5,
                "{trouble:?} was to strike once"
            );
        }
    }
}

#[tokio::test]
async fn a_silent_call_keeps_its_connection_and_others_go_on() {
    let simulator = start(Options {
        trouble: Trouble::Silence,
        trouble_tool: Some("search".to_owned()),
        ..Options::default()
    })
    .await;
    let client = Client::connect(&simulator, "2025-06-18").await;
    let mut silent = client
        .open(
            "POST",
            "/mcp",
            &client.usual(),
            &call(1, "search", json!({"query": "object_type:contacts"})).to_string(),
        )
        .await;
    assert_eq!(client.send(&call(2, "get_article", json!({"id": "9100001"}))).await.status, 200);
    let waited =
        tokio::time::timeout(std::time::Duration::from_millis(20), silent.until("HTTP")).await;
    assert!(waited.is_err());
}

#[tokio::test]
async fn the_rate_limit_answers_in_both_forms_with_the_headers_asked_for() {
    let simulator = start(Options { rate_limit: Some(0), ..Options::default() }).await;
    let client = Client::connect(&simulator, "2025-06-18").await;
    let read = call(1, "get_article", json!({"id": "9100001"}));
    for (headers, limit, retry) in [
        (RateHeaders::None, false, false),
        (RateHeaders::RateLimit, true, false),
        (RateHeaders::RetryAfter, false, true),
        (RateHeaders::Both, true, true),
    ] {
        simulator.set(|options| options.rate_headers = headers);
        let reply = client.send(&read).await;
        assert_eq!(reply.status, 429);
        assert_eq!(
            reply.json()["errors"][0],
            json!({"code": "rate_limit_exceeded", "message": "Exceeded rate limit of 0 in 10_seconds"})
        );
        assert_eq!(
            (reply.header("x-ratelimit-limit").is_some(), reply.header("retry-after").is_some()),
            (limit, retry),
            "{headers:?}"
        );
    }
    simulator.set(|options| options.rate_fault = RateFault::Tool);
    assert_eq!(client.send(&read).await.message().pointer("/result/isError"), Some(&json!(true)));
    assert_eq!(
        client.send(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})).await.status,
        200,
        "only calls count"
    );
    simulator.set(|options| {
        options.rate_limit = Some(1_000_000);
        options.rate_headers = RateHeaders::RateLimit;
    });
    assert!(client.send(&read).await.header("x-ratelimit-remaining").is_some());
}

#[tokio::test]
async fn slow_answers_arrive_in_pieces_and_whole() {
    let simulator = start(Options {
        piece: Some(500),
        piece_delay: 1,
        latency: 5,
        jitter: 5,
        ..Options::default()
    })
    .await;
    let client = Client::connect(&simulator, "2025-06-18").await;
    let reply = client.send(&call(1, "get_conversation", json!({"id": "215470000000101"}))).await;
    assert!(reply.whole);
    assert_eq!(payload(&reply)["id"], "215470000000101");
}

#[tokio::test]
async fn credentials_fail_in_their_ways() {
    let simulator = start(Options::default()).await;
    let client = Client::connect(&simulator, "2025-06-18").await;
    let read = call(1, "list_articles", json!({}));
    let refused = async |change: fn(&mut Options)| {
        simulator.set(change);
        let reply = client.send(&read).await;
        simulator.set(|options| *options = Options::default());
        (reply.status, reply.json()["error_description"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(
        refused(|options| options.credential = Credential::Expired).await,
        (401, "Access token expired".to_owned())
    );
    assert_eq!(
        refused(|options| options.credential = Credential::Revoked).await,
        (401, "Invalid access token".to_owned())
    );
    assert_eq!(refused(|options| options.region_match = RegionMatch::Wrong).await.0, 403);
    let missing = refused(|options| {
        options.missing_permissions = vec![Permission::ReadArticles];
        options.permission_fault = PermissionFault::Http;
    });
    assert_eq!(missing.await.0, 401);
    // Of two tokens at once each has permissions of its own.
    simulator.set(|options| options.other_tokens = vec!["other=read-articles".parse().unwrap()]);
    let text = client.send(&read).await.body;
    assert!(!text.contains("token_unauthorized"), "{text}");
    let other = client.with_token("other");
    let text = other.send(&read).await.body;
    assert!(text.contains("token_unauthorized"), "{text}");
    let text =
        other.send(&call(2, "get_conversation", json!({"id": "215470000000101"}))).await.body;
    assert!(!text.contains("token_unauthorized"), "{text}");
}
