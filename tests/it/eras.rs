//! Clients and upstreams of both eras in all combinations, and what only one era has.

use http::Method;
use portcullis::simulator::Options;
use portcullis::simulator::options::{CacheScope, Speak};
use serde_json::{Value, json};

use crate::client::Reply;
use crate::live::{CONVERSATION, Modern, methods, reading, speaking};
use crate::stand::{Setup, Stand};

const SPEAK: [Speak; 3] = [Speak::Legacy, Speak::Modern, Speak::Dual];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_client_works_with_every_upstream() {
    for speak in SPEAK {
        let stand = speaking(speak).await;
        let old = stand.client().connected().await;
        let new = stand.client();
        for modern in [false, true] {
            let ask = async |method: &str, params: Value, meta: Value| {
                if modern {
                    return Modern::new(1, method, params, meta).send(&new).await;
                }
                let mut params = params;
                params["_meta"] = meta;
                old.request(method, params).await
            };
            let case = format!("{speak:?}, modern client: {modern}");
            let list = ask("tools/list", json!({}), json!({})).await;
            let tools = list.answer()["result"]["tools"].as_array().unwrap();
            assert_eq!(tools.len(), 13, "{case}: all but create_article");
            let call = ask("tools/call", reading(0), json!({})).await;
            assert!(call.tool_text().contains(&CONVERSATION.to_string()), "{case} {call:?}");
            let wrong = json!({"name": "get_conversation", "arguments": {"id": "1"}});
            let error = ask("tools/call", wrong, json!({})).await;
            assert!(error.is_tool_error(), "{case} {error:?}");
            // Each era's results have what it requires and nothing of the other.
            for reply in [&list, &call, &error] {
                let result = &reply.answer()["result"];
                assert_eq!(result["resultType"] == "complete", modern, "{case} {result}");
                assert!(modern || result["ttlMs"].is_null() && result["cacheScope"].is_null());
            }
            stand.simulator.set(|options| {
                options.progress = 2;
                options.latency = 30;
            });
            let told = ask("tools/call", reading(1), json!({"progressToken": "mine"})).await;
            assert_eq!(told.messages.len(), 3, "{case} {told:?}");
            assert_eq!(told.messages[0]["params"]["progressToken"], "mine");
            stand.simulator.set(|options| {
                options.progress = 0;
                options.latency = 0;
            });
            let prompts = ask("prompts/list", json!({}), json!({})).await;
            assert_eq!(prompts.answer()["error"]["code"], -31403, "{case} {prompts:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_era_of_intercom_is_found_out_once() {
    // Discoveries and initializations: for the shared leg, and for each legacy client.
    for (speak, discoveries, initializations) in
        [(Speak::Legacy, 1, 1 + 2), (Speak::Modern, 2 + 2, 1), (Speak::Dual, 2, 2)]
    {
        let stand = speaking(speak).await;
        let client = stand.client();
        let many = (0..8).map(|n| Modern::new(1, "tools/call", reading(n), json!({})));
        let many: Vec<_> = many.collect();
        let replies = futures_util::future::join_all(many.iter().map(|it| it.send(&client))).await;
        assert!(replies.iter().all(|it| !it.is_tool_error()), "{speak:?} {replies:?}");
        for _ in 0..2 {
            let client = stand.client().connected().await;
            assert!(!client.request("tools/call", reading(0)).await.is_tool_error());
        }
        let found = [methods(&stand, "server/discover"), methods(&stand, "initialize")];
        let found = found.map(|it| it.len());
        assert_eq!(found, [discoveries, initializations], "{speak:?}");
    }
}

/// What was found out is doubted when Intercom refuses the era: a deployment may change it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upstream_that_changes_its_era_is_found_out_again() {
    // Another process forgets the sessions of the one before; a changed one may keep them.
    for (from, to, forgets) in [
        (Speak::Legacy, Speak::Modern, true),
        (Speak::Legacy, Speak::Modern, false),
        (Speak::Modern, Speak::Legacy, true),
        (Speak::Modern, Speak::Legacy, false),
    ] {
        let stand = speaking(from).await;
        let client = stand.client();
        let modern =
            async || Modern::new(1, "tools/call", reading(0), json!({})).send(&client).await;
        // A client with a session goes on in it.
        let connected = stand.client().connected().await;
        let legacy = async || connected.request("tools/call", reading(0)).await;
        let works = |reply: &Reply| {
            reply.status == 200 && reply.answer()["result"].is_object() && !reply.is_tool_error()
        };
        assert!(works(&modern().await) && works(&legacy().await));
        stand.simulator.set(|options| options.speak = to);
        if forgets {
            stand.simulator.forget_sessions();
        }
        let first = [modern().await, legacy().await];
        let second = [modern().await, legacy().await];
        assert!(second.iter().all(works), "{from:?} to {to:?}, {forgets}: {first:?} {second:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_towards_a_modern_upstream_repeat_the_body() {
    let simulator = Options { speak: Speak::Modern, mirror_header: true, ..Options::default() };
    let stand = Stand::start(Setup { simulator, ..Setup::default() }).await;
    let old = stand.client().connected().await;
    let new = stand.client();
    let wrong = Modern::new(1, "tools/call", reading(0), json!({})).send(&new).await;
    // The first call comes before the first list, so the header is not known to be wanted earlier.
    assert_eq!(wrong.status, 400, "{wrong:?}");
    assert_eq!(wrong.answer()["error"]["code"], -32020);
    let mut right = Modern::new(
        1,
        "tools/call",
        reading(0),
        json!({"evil": 1, "traceparent": "00-1",
        "io.modelcontextprotocol/x": {}, "com.example/y": "z"}),
    );
    right.headers.push(("mcp-param-id".to_owned(), CONVERSATION.to_string()));
    right.headers.push(("mcp-param-evil".to_owned(), "x".to_owned()));
    right.headers.push(("x-forwarded-for".to_owned(), "10.0.0.1".to_owned()));
    right.headers.push(("cookie".to_owned(), "a=b".to_owned()));
    let replies = [right.send(&new).await, old.request("tools/call", reading(0)).await];
    assert!(replies.iter().all(|it| !it.is_tool_error()), "{replies:?}");
    let calls = stand.calls();
    assert_eq!(calls.len(), 2);
    for call in &calls {
        let header = |name: &str| call.headers.get(name).map(String::as_str).unwrap_or_default();
        assert_eq!(header("mcp-protocol-version"), "2026-07-28");
        assert_eq!(header("mcp-method"), "tools/call");
        assert_eq!(header("mcp-name"), "get_conversation");
        assert_eq!(header("mcp-param-id"), CONVERSATION.to_string());
        for gone in ["mcp-param-evil", "x-forwarded-for", "cookie", "mcp-session-id"] {
            assert_eq!(header(gone), "", "{gone}");
        }
        assert!(!call.headers["authorization"].contains("pcl_"));
        let body: Value = serde_json::from_str(&call.body).unwrap();
        let meta = body["params"]["_meta"].as_object().unwrap();
        let known = ["protocolVersion", "clientCapabilities", "clientInfo"];
        let known = known.map(|name| format!("io.modelcontextprotocol/{name}"));
        assert!(meta.keys().all(|key| known.contains(key)), "{meta:?}");
    }
    // Every message of the whole run was accepted: the simulator checks all headers.
    for one in stand.simulator.received().iter().filter(|it| !it.method.is_empty()) {
        if one.method != "initialize" {
            assert_eq!(one.headers.get("mcp-method"), Some(&one.method), "{one:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_are_private_and_discovery_is_ours() {
    let simulator = Options {
        speak: Speak::Modern,
        cache_scope: CacheScope::Public,
        ttl: 600_000,
        tasks: Some(1),
        ..Options::default()
    };
    let stand = Stand::start(Setup { simulator, ..Setup::default() }).await;
    let client = stand.client();
    for method in ["tools/list", "server/discover"] {
        let reply = Modern::new("x", method, json!({}), json!({})).send(&client).await;
        let result = &reply.answer()["result"];
        assert_eq!(reply.answer()["id"], "x");
        assert_eq!(result["cacheScope"], "private", "{method}");
        assert!(result["ttlMs"].as_i64().unwrap() <= 60_000, "{result}");
        assert_eq!(result["resultType"], "complete");
    }
    for speak in SPEAK {
        stand.simulator.set(|options| options.speak = speak);
        let reply = Modern::new(1, "server/discover", json!({}), json!({})).send(&client).await;
        let result = &reply.answer()["result"];
        let versions = ["2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"];
        let mut served: Vec<&str> = result["supportedVersions"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        served.sort_unstable();
        assert_eq!(served, versions);
        let capabilities = result["capabilities"].as_object().unwrap();
        let passed = ["tools", "prompts", "resources", "completions", "logging", "extensions"];
        assert!(capabilities.keys().all(|key| passed.contains(&key.as_str())), "{result}");
        let info = &result["_meta"]["io.modelcontextprotocol/serverInfo"];
        assert_eq!(info["name"], "portcullis");
        // A version nobody serves is refused with the same list.
        let meta = json!({"io.modelcontextprotocol/protocolVersion": "2027-01-01"});
        let mut request = Modern::new(2, "tools/list", json!({}), meta);
        request.headers[0].1 = "2027-01-01".to_owned();
        let refused = request.send(&client).await;
        assert_eq!(refused.status, 400);
        assert_eq!(refused.answer()["error"]["code"], -32022);
        assert_eq!(refused.answer()["error"]["data"]["supported"], result["supportedVersions"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn methods_of_the_other_era_do_not_exist() {
    let stand = Stand::start(Setup::default()).await;
    let new = stand.client();
    let gone = [
        "initialize",
        "ping",
        "logging/setLevel",
        "resources/subscribe",
        "resources/unsubscribe",
        "tasks/result",
        "tasks/list",
        "sampling/createMessage",
        "events/list",
        "skills/list",
        "tools/delete",
    ];
    for (number, method) in gone.into_iter().enumerate() {
        let reply = Modern::new(number, method, json!({"uri": "a:b"}), json!({})).send(&new).await;
        let mut retried = reply;
        if retried.answer()["error"]["code"] == -32020 {
            // The helper mirrors a name that this method does not have.
            retried = Modern::new(number, method, json!({}), json!({})).send(&new).await;
        }
        assert_eq!(retried.status, 404, "{method} {retried:?}");
        assert_eq!(retried.answer()["error"]["code"], -32601, "{method}");
        assert_eq!(retried.answer()["id"], number, "{method}");
    }
    for http in [Method::GET, Method::DELETE] {
        assert_eq!(new.send(http, &[], "").await.status, 405);
    }
    let old = stand.client().connected().await;
    for method in ["server/discover", "subscriptions/listen", "tasks/update", "tasks/get"] {
        let reply = old.request(method, json!({"taskId": "x"})).await;
        assert_eq!(reply.answer()["error"]["code"], -32601, "{method} {reply:?}");
    }
    assert!(stand.simulator.received().iter().all(|it| !gone[1..].contains(&it.method.as_str())));
}
