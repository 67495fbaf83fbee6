//! The protocol itself, of every era.

use super::*;
use crate::simulator::options::Reply as ReplyForm;

#[tokio::test]
async fn legacy_refusals_have_the_documented_status_and_code() {
    let simulator = start(Options::default()).await;
    let client = Client::connect(&simulator, "2025-03-26").await;
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).to_string();
    let initialize =
        json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {}}).to_string();
    let big = format!("\"{}\"", "x".repeat(4 << 20));
    let without = |name: &str| {
        client.usual().into_iter().filter(|(known, _)| *known != name).collect::<Vec<_>>()
    };
    let with = |name: &'static str, value: &str| {
        without(name).into_iter().chain([(name, value.to_owned())]).collect::<Vec<_>>()
    };
    let cases = vec![
        ("no credential", without("authorization"), list.as_str(), 401, None),
        ("wrong token", with("authorization", "Bearer nope"), list.as_str(), 401, None),
        ("narrow accept", with("accept", "application/json"), list.as_str(), 406, Some(-32000)),
        ("wrong type", with("content-type", "text/plain"), list.as_str(), 415, Some(-32000)),
        ("not JSON", client.usual(), "{", 400, Some(-32700)),
        ("not JSON-RPC", client.usual(), "{}", 400, Some(-32700)),
        ("empty batch", client.usual(), "[]", 400, Some(-32700)),
        ("too large", client.usual(), big.as_str(), 413, None),
        ("no session", without("mcp-session-id"), list.as_str(), 400, Some(-32000)),
        ("unknown session", with("mcp-session-id", "beef"), list.as_str(), 404, Some(-32001)),
        (
            "unknown revision",
            with("mcp-protocol-version", "2026-07-28"),
            list.as_str(),
            400,
            Some(-32000),
        ),
        ("initialize in a session", client.usual(), initialize.as_str(), 400, Some(-32600)),
    ];
    for (what, headers, body, status, code) in cases {
        let reply = client.http("POST", "/mcp", &headers, body).await;
        assert_eq!(reply.status, status, "{what}: {reply:?}");
        assert_eq!(code, code.and_then(|_| reply.code()), "{what}");
    }
    let challenge = client.http("GET", "/mcp", &without("authorization"), "").await;
    assert_eq!(
        challenge.header("www-authenticate"),
        Some(
            "Bearer realm=\"OAuth\", error=\"invalid_token\", error_description=\"Missing or invalid access token\""
        )
    );
}

#[tokio::test]
async fn a_session_ends_by_delete_and_an_unknown_method_is_an_error() {
    let simulator = start(Options::default()).await;
    let client = Client::connect(&simulator, "2025-11-25").await;
    assert_eq!(client.session().unwrap().len(), 64);
    assert_eq!(
        client.send(&json!({"jsonrpc": "2.0", "id": "a", "method": "ping"})).await.message(),
        json!({"jsonrpc": "2.0", "id": "a", "result": {}})
    );
    assert_eq!(
        client.send(&json!({"jsonrpc": "2.0", "id": 2, "method": "resources/list"})).await.code(),
        Some(-32601)
    );
    assert_eq!(client.http("DELETE", "/mcp", &client.usual(), "").await.status, 204);
    assert_eq!(
        client.send(&json!({"jsonrpc": "2.0", "id": 3, "method": "ping"})).await.status,
        404
    );
}

#[tokio::test]
async fn an_unserved_revision_is_answered_with_the_preferred_one() {
    let simulator =
        start(Options { revisions: vec!["2025-06-18".to_owned()], ..Options::default() }).await;
    let reply = Client::new(&simulator).send(&json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": "2025-11-25"}})).await;
    assert_eq!(reply.message().pointer("/result/protocolVersion"), Some(&json!("2025-06-18")));
}

#[tokio::test]
async fn batches_are_answered_in_both_forms() {
    for reply in [ReplyForm::Sse, ReplyForm::Json] {
        let simulator = start(Options { reply, ..Options::default() }).await;
        let client = Client::connect(&simulator, "2025-03-26").await;
        let batch = json!([{"jsonrpc": "2.0", "id": 1, "method": "ping"}, {"jsonrpc": "2.0", "method": "notifications/x"}, call(2, "get_article", json!({"id": "9100001"}))]);
        let answers = client.send(&batch).await.messages();
        assert_eq!(
            answers.iter().map(|one| one["id"].as_u64().unwrap()).collect::<Vec<_>>(),
            [1, 2]
        );
        assert_eq!(simulator.received().len(), 5, "a batch is noted message by message");
    }
}

#[tokio::test]
async fn answers_are_wrapped_and_faults_reported_as_the_switches_say() {
    let simulator = start(Options::default()).await;
    let client = Client::connect(&simulator, "2025-06-18").await;
    let unknown = call(1, "nothing", json!({}));
    let text = client.send(&unknown).await.message();
    assert_eq!(text.pointer("/result/isError"), Some(&json!(true)));
    assert_eq!(
        text.pointer("/result/content/0/text"),
        Some(&json!("MCP error -32602: Tool nothing not found"))
    );
    simulator.set(|options| {
        options.argument_fault = ArgumentFault::Rpc;
        options.wrapping = Wrapping::Structured;
        options.pad = Some(500_000);
    });
    assert_eq!(client.send(&unknown).await.code(), Some(-32602));
    let reply = client.send(&call(2, "get_article", json!({"id": "9100001"}))).await;
    assert_eq!(reply.message().pointer("/result/structuredContent").unwrap(), &payload(&reply));
    assert!(payload(&reply).to_string().len() >= 500_000);
    simulator.set(|options| *options = Options { tools_per_page: Some(10), ..Options::default() });
    let page =
        client.send(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})).await.message();
    let cursor = page.pointer("/result/nextCursor").unwrap();
    let rest = client.send(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"cursor": cursor}})).await.message();
    assert_eq!(rest.pointer("/result/tools").unwrap().as_array().unwrap().len(), 4);
    assert!(rest.pointer("/result/nextCursor").is_none());
}

#[tokio::test]
async fn the_listening_stream_carries_notifications_and_comments() {
    let simulator = start(Options { keep_alive: 10, ..Options::default() }).await;
    let client = Client::connect(&simulator, "2025-11-25").await;
    let mut stream = client.open("GET", "/mcp", &client.usual(), "").await;
    stream.until(": keepalive\n\n").await;
    assert_eq!(simulator.notify("notifications/tools/list_changed", json!({})), 1);
    stream
        .until(r#"data: {"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{}}"#)
        .await;
}

#[tokio::test]
async fn a_call_may_ask_report_and_log_on_its_own_stream() {
    let simulator = start(Options {
        question: Question::Elicitation,
        progress: 2,
        logs: 1,
        event_ids: true,
        ..Options::default()
    })
    .await;
    let client = Client::connect(&simulator, "2025-11-25").await;
    let mut message = call(9, "get_article", json!({"id": "9100001"}));
    message["params"]["_meta"] = json!({"progressToken": "p"});
    let mut stream = client.open("POST", "/mcp", &client.usual(), &message.to_string()).await;
    let seen = stream.until("elicitation/create").await;
    assert!(
        seen.contains("id: 0\ndata: \n\n")
            && seen.contains("notifications/message")
            && seen.matches("\"progressToken\":\"p\"").count() == 2,
        "{seen}"
    );
    let question = seen.split("\"id\":\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(
        client
            .send(&json!({"jsonrpc": "2.0", "id": question, "result": {"action": "accept"}}))
            .await
            .status,
        202
    );
    let seen = stream.until("\"id\":9").await;
    assert!(seen.contains("elicitation/create was answered"), "{seen}");
}

#[tokio::test]
async fn a_cancelled_call_has_no_effect_and_a_client_that_left_does_not_cancel() {
    // A question holds each call open, so that nothing here depends on time.
    let simulator = start(Options {
        question: Question::Roots,
        question_tool: Some("create_article".to_owned()),
        ..Options::default()
    })
    .await;
    let client = Client::connect(&simulator, "2025-06-18").await;
    let begin = async |id| {
        let write =
            call(id, "create_article", json!({"title": format!("t{id}"), "author_id": 7000001}));
        let mut stream = client.open("POST", "/mcp", &client.usual(), &write.to_string()).await;
        let seen = stream.until("roots/list").await;
        let question =
            seen.split("\"id\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        (stream, json!({"jsonrpc": "2.0", "id": question, "result": {"roots": []}}))
    };
    let newest = async || {
        payload(&client.send(&call(9, "list_articles", json!({"per_page": 1}))).await)["data"][0]["title"].as_str().unwrap().to_owned()
    };
    let old = newest().await;

    let (cancelled, answer) = begin(1).await;
    client.send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}})).await;
    client.send(&answer).await;
    cancelled.ended().await;
    assert_eq!(newest().await, old);

    let (left, answer) = begin(2).await;
    drop(left);
    client.send(&answer).await;
    while newest().await == old {}
    assert_eq!(newest().await, "t2");
}

#[tokio::test]
async fn stateless_json_needs_no_session() {
    let simulator = start(Options { transport: Transport::Stateless, ..Options::default() }).await;
    let client = Client::connect(&simulator, "2025-06-18").await;
    assert_eq!(client.session(), None);
    let reply = client.send(&call(1, "get_article", json!({"id": "9100001"}))).await;
    assert_eq!(
        (reply.header("content-type"), payload(&reply)["title"].as_str()),
        (Some("application/json"), Some("Refund policy"))
    );
    assert_eq!(client.http("GET", "/mcp", &client.usual(), "").await.status, 405);
    assert_eq!(client.http("GET", "/sse", &client.usual(), "").await.status, 404);
}

#[tokio::test]
async fn the_sse_pair_answers_on_its_stream() {
    let simulator = start(Options { transport: Transport::Sse, ..Options::default() }).await;
    let client = Client::new(&simulator);
    assert_eq!(client.http("POST", "/mcp", &client.usual(), "{}").await.status, 404);
    let mut stream = client.open("GET", "/sse", &client.usual(), "").await;
    let seen = stream.until("sessionId=").await;
    assert!(seen.contains("event: endpoint\ndata: /sse/message?sessionId="));
    let session: String = seen.split("sessionId=").nth(1).unwrap().chars().take(64).collect();
    let path = format!("/sse/message?sessionId={session}");
    let initialize = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2024-11-05"}});
    let reply = client.http("POST", &path, &client.usual(), &initialize.to_string()).await;
    assert_eq!((reply.status, reply.body.as_str()), (202, "Accepted"));
    stream.until("serverInfo").await;
    client
        .http(
            "POST",
            &path,
            &client.usual(),
            &call(2, "get_article", json!({"id": "9100001"})).to_string(),
        )
        .await;
    stream.until("Refund policy").await;
    for (path, status) in [("/sse/message?sessionId=beef", 404), ("/sse/message", 400)] {
        assert_eq!(client.http("POST", path, &client.usual(), "{}").await.status, status, "{path}");
    }
    drop(stream);
}
