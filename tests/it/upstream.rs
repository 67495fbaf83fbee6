//! What a client's leaving, a changing Intercom and odd parameters do on the way to Intercom.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Method;
use http_body_util::BodyExt as _;
use portcullis::simulator::options::{Definition, Reply, Speak};
use portcullis::simulator::{Options, Received};
use serde_json::{Value, json};

use crate::client::DEADLINE;
use crate::stand::{Setup, Stand};

const CONVERSATION: &str = "215470000000101";

fn speaking(speak: Speak, latency: u64) -> Setup {
    let simulator = Options { speak, reply: Reply::Json, latency, ..Options::default() };
    Setup { simulator, ..Setup::default() }
}

/// Waits for a message that reached Intercom.
async fn arrived(stand: &Stand, what: &str, is_it: impl Fn(&Received) -> bool) -> Received {
    let begun = Instant::now();
    loop {
        if let Some(found) = stand.simulator.received().into_iter().find(&is_it) {
            return found;
        }
        assert!(begun.elapsed() < DEADLINE, "{what} did not arrive");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn modern_headers(method: &str, name: Option<&str>) -> Vec<(String, String)> {
    let mut headers = vec![
        ("mcp-protocol-version".to_owned(), "2026-07-28".to_owned()),
        ("mcp-method".to_owned(), method.to_owned()),
    ];
    headers.extend(name.map(|name| ("mcp-name".to_owned(), name.to_owned())));
    headers
}

fn modern_body(id: i64, method: &str, mut params: Value) -> String {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string()
}

/// An Intercom that answers by one JSON text after a long time hears at once that nobody waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_is_being_sent_can_be_cancelled() {
    let stand = Stand::start(speaking(Speak::Legacy, 0)).await;
    let call = json!({"name": "get_conversation", "arguments": {"id": CONVERSATION}});
    for modern in [false, true] {
        stand.simulator.set(|it| it.latency = 0);
        let client = if modern { stand.client() } else { stand.client().connected().await };
        let client = Arc::new(client);
        let (headers, body) = if modern {
            let headers = modern_headers("tools/call", Some("get_conversation"));
            // The first call opens the shared session.
            let open = modern_body(6, "tools/call", call.clone());
            assert!(client.send(Method::POST, &headers, open).await.status.is_success());
            (headers, modern_body(7, "tools/call", call.clone()))
        } else {
            let body = json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": call});
            (Vec::new(), body.to_string())
        };
        stand.simulator.clear_received();
        stand.simulator.set(|it| it.latency = 60_000);
        let calling = tokio::spawn({
            let client = client.clone();
            async move { client.open(Method::POST, &headers, body).await.into_body().collect().await }
        });
        let sent = arrived(&stand, "the call", |it| it.tool.is_some()).await;
        if modern {
            calling.abort();
        } else {
            let note = json!({"jsonrpc": "2.0", "method": "notifications/cancelled",
                "params": {"requestId": 7}});
            assert_eq!(client.post(&note.to_string()).await.status, 202);
        }
        let note = arrived(&stand, "the cancellation", |it| it.method == "notifications/cancelled");
        let note: Value = serde_json::from_str(&note.await.body).unwrap();
        assert_eq!(Some(&note["params"]["requestId"]), sent.request_id.as_ref(), "{modern}");
        if !modern {
            let ended = tokio::time::timeout(DEADLINE, calling).await;
            assert!(ended.expect("the request ends").is_ok());
        }
    }
    let begun = Instant::now();
    let cancelled = || {
        let records = stand.records();
        records.iter().filter(|it| it["outcome"]["kind"] == "cancelled").count()
    };
    while cancelled() < 2 {
        assert!(begun.elapsed() < DEADLINE, "{:?}", stand.records());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Parameters that a method does not have do not reach Intercom, and the refusal is recorded.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_parameters_are_refused_by_name() {
    let stand = Stand::start(Setup::default()).await;
    let old = stand.client().connected().await;
    let new = stand.client();
    stand.simulator.clear_received();
    let rows = [
        ("tools/call", json!({"name": "search", "arguments": {}, "evil": 1}), true),
        ("tools/list", json!({"evil": 1}), true),
        ("prompts/get", json!({"name": "p", "evil": 1}), true),
        ("resources/read", json!({"uri": "x://y", "evil": 1}), true),
        ("completion/complete", json!({"ref": {}, "argument": {}, "evil": 1}), true),
        ("logging/setLevel", json!({"level": "info", "evil": 1}), false),
        ("subscriptions/listen", json!({"notifications": {}, "evil": 1}), true),
    ];
    let mut refused = 0;
    for (method, params, in_modern) in rows {
        let mut replies = Vec::new();
        if method != "subscriptions/listen" {
            replies.push(old.request(method, params.clone()).await);
        }
        if in_modern {
            replies.push(new.modern(method, params, json!({})).await);
        }
        refused += replies.len();
        for reply in replies {
            let error = &reply.answer()["error"];
            assert_eq!(error["code"], -32602, "{method} {reply:?}");
            assert!(error["message"].as_str().unwrap().contains("`evil`"), "{reply:?}");
        }
    }
    // Portcullis reads the tool list for itself meanwhile.
    let received = stand.simulator.received();
    assert!(!received.iter().any(|it| it.body.contains("evil")), "{received:?}");
    assert!(!received.iter().any(|it| rows_of(&it.method)), "{received:?}");
    let unknown = old.request("no/such", json!({})).await;
    assert_eq!(unknown.answer()["error"]["code"], -32601, "{unknown:?}");
    let begun = Instant::now();
    let count = |code: &str| stand.records().iter().filter(|it| it["code"] == code).count();
    while (count("request.params"), count("request.unknown_method")) != (refused, 1) {
        assert!(begun.elapsed() < DEADLINE, "{:?}", stand.records());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn rows_of(method: &str) -> bool {
    ["tools/call", "prompts/get", "resources/read", "completion/complete"].contains(&method)
}

/// A modern Intercom says that its tools changed: clients hear of it after the acknowledgement, and
/// what changed is hidden by then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_tool_is_hidden_before_a_subscriber_hears_of_it() {
    let stand = Stand::start(speaking(Speak::Modern, 0)).await;
    let client = stand.client();
    let names = async || {
        let reply = client.modern("tools/list", json!({}), json!({})).await;
        let tools = reply.answer()["result"]["tools"].as_array().unwrap().clone();
        tools.iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(names().await.contains(&"search".to_owned()));
    let method = "subscriptions/listen";
    let wanted = json!({"notifications": {"toolsListChanged": true,
        "resourceSubscriptions": ["x://y"], "odd": true}});
    let headers = modern_headers(method, None);
    let mut body =
        client.open(Method::POST, &headers, modern_body(9, method, wanted)).await.into_body();
    let ack = next_message(&mut body).await;
    assert_eq!(ack["method"], "notifications/subscriptions/acknowledged");
    assert_eq!(ack["params"]["notifications"]["toolsListChanged"], true);
    let sent = arrived(&stand, "the subscription", |it| it.method == method).await;
    let sent: Value = serde_json::from_str(&sent.body).unwrap();
    // The role may not read resources, and nobody knows what `odd` is.
    assert_eq!(sent["params"]["notifications"], json!({"toolsListChanged": true}));
    stand.simulator.set(|it| {
        it.definition = Definition::Poisoned;
        "search".clone_into(&mut it.changed_tool);
    });
    stand.simulator.notify("notifications/tools/list_changed", json!({}));
    let told = next_message(&mut body).await;
    assert_eq!(told["method"], "notifications/tools/list_changed", "{told}");
    assert_eq!(told["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], 9);
    let stderr = stand.stderr();
    assert!(stderr.contains("tool definition") && stderr.contains("Changed"), "{stderr}");
    assert!(!names().await.contains(&"search".to_owned()));
}

/// The next JSON message of an event stream.
async fn next_message(body: &mut hyper::body::Incoming) -> Value {
    let mut text = String::new();
    loop {
        let frame = tokio::time::timeout(DEADLINE, body.frame()).await;
        let frame = frame.expect("an event in time").expect("the stream goes on").unwrap();
        text.push_str(std::str::from_utf8(&frame.into_data().unwrap()).unwrap());
        let data = text.lines().find_map(|line| line.strip_prefix("data:"));
        if let Some(message) = data.and_then(|data| serde_json::from_str(data.trim()).ok()) {
            return message;
        }
    }
}
