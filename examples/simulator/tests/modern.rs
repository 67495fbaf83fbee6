//! 2026-07-28.

use super::*;

const VERSION: &str = "2026-07-28";

fn message(id: u64, method: &str, mut params: Value, capabilities: Value) -> Value {
    params["_meta"] = json!({"io.modelcontextprotocol/protocolVersion": VERSION, "io.modelcontextprotocol/clientCapabilities": capabilities});
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
}

async fn send(client: &Client, message: &Value) -> Reply {
    let method = message["method"].as_str().unwrap();
    let mut headers = vec![("mcp-protocol-version", VERSION), ("mcp-method", method)];
    headers.extend(
        ["name", "taskId"]
            .iter()
            .find_map(|key| message["params"][key].as_str())
            .map(|name| ("mcp-name", name)),
    );
    client.post(message, &headers).await
}

fn read(arguments: Value) -> Value {
    message(1, "tools/call", json!({"name": "get_article", "arguments": arguments}), json!({}))
}

#[tokio::test]
async fn requests_stand_alone() {
    let simulator = start(Options { speak: Speak::Modern, ..Options::default() }).await;
    let client = Client::new(&simulator);
    let discover =
        send(&client, &message(1, "server/discover", json!({}), json!({}))).await.message();
    assert_eq!(discover.pointer("/result/supportedVersions"), Some(&json!([VERSION])));
    let list = send(&client, &message(2, "tools/list", json!({}), json!({}))).await;
    assert_eq!(list.header("mcp-session-id"), None);
    let result = list.message()["result"].clone();
    assert_eq!(
        (&result["resultType"], &result["ttlMs"], &result["cacheScope"]),
        (&json!("complete"), &json!(60_000), &json!("private"))
    );
    let answer = send(&client, &read(json!({"id": "9100001"}))).await;
    assert_eq!(answer.message().pointer("/result/resultType"), Some(&json!("complete")));
    assert_eq!(payload(&answer)["title"], "Refund policy");
}

#[tokio::test]
async fn faults_are_found_in_the_documented_order() {
    let simulator =
        start(Options { speak: Speak::Modern, mirror_header: true, ..Options::default() }).await;
    let client = Client::new(&simulator);
    let good = read(json!({"id": "9100001"}));
    let usual = [
        ("mcp-protocol-version", VERSION),
        ("mcp-method", "tools/call"),
        ("mcp-name", "get_article"),
        ("mcp-param-id", "9100001"),
    ];
    let change = |name: &str, value: &'static str| {
        usual
            .iter()
            .map(|(known, old)| (*known, if *known == name { value } else { *old }))
            .collect::<Vec<_>>()
    };
    let mut bare = good.clone();
    bare["params"]["_meta"] = json!({"io.modelcontextprotocol/protocolVersion": VERSION});
    let mut newer = good.clone();
    newer["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2030-01-01");
    let cases = [
        ("good", &good, usual.to_vec(), 200, None),
        ("coded", &good, change("mcp-param-id", "=?base64?OTEwMDAwMQ==?="), 200, None),
        ("capabilities missing", &bare, change("mcp-name", "other"), 400, Some(-32602)),
        ("other name", &good, change("mcp-name", "get_contact"), 400, Some(-32020)),
        ("other argument", &good, change("mcp-param-id", "1"), 400, Some(-32020)),
        ("undecodable", &good, change("mcp-param-id", "=?base64?*?="), 400, Some(-32020)),
        ("no headers", &good, Vec::new(), 400, Some(-32020)),
        ("other version", &newer, change("mcp-protocol-version", "2030-01-01"), 400, Some(-32022)),
    ];
    for (what, message, headers, status, code) in cases {
        let reply = client.post(message, &headers).await;
        assert_eq!((reply.status, reply.code()), (status, code), "{what}: {reply:?}");
    }
    for removed in ["ping", "logging/setLevel", "resources/subscribe", "nonsense"] {
        let reply = send(&client, &message(3, removed, json!({}), json!({}))).await;
        assert_eq!((reply.status, reply.code()), (404, Some(-32601)), "{removed}");
    }
    let initialize = client.send(&json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-11-25"}})).await;
    assert_eq!((initialize.status, initialize.code()), (400, Some(-32022)));
    assert_eq!(initialize.message().pointer("/error/data/supported"), Some(&json!([VERSION])));
    assert_eq!(client.http("GET", "/mcp", &client.usual(), "").await.status, 405);
}

#[tokio::test]
async fn both_eras_share_one_address_when_asked_to() {
    let simulator = start(Options { speak: Speak::Dual, ..Options::default() }).await;
    let legacy = Client::connect(&simulator, "2025-06-18").await;
    assert_eq!(
        payload(&legacy.send(&call(1, "get_article", json!({"id": "9100001"}))).await)["title"],
        "Refund policy"
    );
    let modern = Client::new(&simulator);
    assert_eq!(
        payload(&send(&modern, &read(json!({"id": "9100001"}))).await)["title"],
        "Refund policy"
    );
}

#[tokio::test]
async fn a_listener_is_acknowledged_notified_and_dismissed() {
    let simulator = start(Options { speak: Speak::Modern, ..Options::default() }).await;
    let client = Client::new(&simulator);
    let listen = message(
        77,
        "subscriptions/listen",
        json!({"notifications": {"toolsListChanged": true, "promptsListChanged": true}}),
        json!({}),
    );
    let headers: Vec<_> = client
        .usual()
        .into_iter()
        .chain([
            ("mcp-protocol-version", VERSION.to_owned()),
            ("mcp-method", "subscriptions/listen".to_owned()),
        ])
        .collect();
    let mut stream = client.open("POST", "/mcp", &headers, &listen.to_string()).await;
    stream.until("notifications/subscriptions/acknowledged").await;
    assert_eq!(simulator.notify("notifications/prompts/list_changed", json!({})), 0);
    assert_eq!(simulator.notify("notifications/tools/list_changed", json!({})), 1);
    stream.until(r#""method":"notifications/tools/list_changed","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":77}}"#).await;
    simulator.forget_sessions();
    stream.until(r#""id":77,"result""#).await;
}

#[tokio::test]
async fn a_question_needs_a_capability_and_its_state_must_come_back_whole() {
    let simulator = start(Options {
        speak: Speak::Modern,
        question: Question::Elicitation,
        ..Options::default()
    })
    .await;
    let client = Client::new(&simulator);
    assert_eq!(
        payload(&send(&client, &read(json!({"id": "9100001"}))).await)["title"],
        "Refund policy"
    );
    let ask = |extra: Value| {
        let mut params = json!({"name": "get_article", "arguments": {"id": "9100001"}});
        params.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        message(2, "tools/call", params, json!({"elicitation": {}}))
    };
    let first = send(&client, &ask(json!({}))).await.message();
    assert_eq!(first.pointer("/result/resultType"), Some(&json!("input_required")));
    let state = first.pointer("/result/requestState").unwrap();
    let responses = json!({"elicitation": {"action": "accept"}});
    let done = send(&client, &ask(json!({"requestState": state, "inputResponses": responses})))
        .await
        .message();
    assert!(done.pointer("/result/content/1/text").unwrap().as_str().unwrap().contains("accept"));
    let again = send(&client, &ask(json!({"requestState": state}))).await.message();
    assert_eq!(again.pointer("/result/resultType"), Some(&json!("input_required")));
    assert_eq!(
        send(&client, &ask(json!({"requestState": "x", "inputResponses": responses}))).await.code(),
        Some(-32602)
    );
}

#[tokio::test]
async fn a_task_works_and_completes() {
    let simulator =
        start(Options { speak: Speak::Modern, tasks: Some(1), ..Options::default() }).await;
    let client = Client::new(&simulator);
    let able = json!({"extensions": {"io.modelcontextprotocol/tasks": {}}});
    let made = send(
        &client,
        &message(
            1,
            "tools/call",
            json!({"name": "get_article", "arguments": {"id": "9100001"}}),
            able.clone(),
        ),
    )
    .await
    .message();
    assert_eq!(made.pointer("/result/resultType"), Some(&json!("task")));
    let id = made.pointer("/result/taskId").unwrap();
    let poll = async |capabilities: &Value| {
        send(&client, &message(2, "tasks/get", json!({"taskId": id}), capabilities.clone())).await
    };
    assert_eq!(poll(&json!({})).await.code(), Some(-32021));
    assert_eq!(poll(&able).await.message().pointer("/result/status"), Some(&json!("working")));
    let done = poll(&able).await.message();
    assert_eq!(done.pointer("/result/status"), Some(&json!("completed")));
    assert!(done.pointer("/result/result/content/0/text").is_some());
    assert_eq!(
        payload(&send(&client, &read(json!({"id": "9100001"}))).await)["title"],
        "Refund policy",
        "no task for a client that cannot"
    );
}

#[tokio::test]
async fn closing_the_stream_cancels() {
    let simulator =
        start(Options { speak: Speak::Modern, latency: 250, ..Options::default() }).await;
    let client = Client::new(&simulator);
    let write = |title: &str| {
        message(
            1,
            "tools/call",
            json!({"name": "create_article", "arguments": {"title": title, "author_id": 7000001}}),
            json!({}),
        )
    };
    let headers: Vec<_> = client
        .usual()
        .into_iter()
        .chain([
            ("mcp-protocol-version", VERSION.to_owned()),
            ("mcp-method", "tools/call".to_owned()),
            ("mcp-name", "create_article".to_owned()),
        ])
        .collect();
    let mut left = client.open("POST", "/mcp", &headers, &write("left").to_string()).await;
    left.until("200 OK").await;
    drop(left);
    assert_eq!(
        payload(&send(&client, &write("stayed")).await)["id"],
        "9100065",
        "the first call made no article"
    );
}
