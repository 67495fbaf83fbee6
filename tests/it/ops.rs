//! Health and metrics of the real binary: what a monitoring system reads while policies come and go.

use std::collections::BTreeMap;

use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use crate::live::reading;
use crate::rollout::{folder, rules, write};
use crate::stand::{Setup, Stand, until};

/// Status, content type and text of a path.
async fn look(stand: &Stand, method: Method, path: &str) -> (StatusCode, String, String) {
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let url = format!("{}{path}", stand.ops.as_deref().unwrap());
    let request = Request::builder().method(method).uri(url).body(Full::default()).unwrap();
    let answer = client.request(request).await.unwrap();
    let (head, body) = answer.into_parts();
    let kind = head.headers["content-type"].to_str().unwrap().to_owned();
    let text = body.collect().await.unwrap().to_bytes();
    (head.status, kind, String::from_utf8(text.to_vec()).unwrap())
}

async fn health(stand: &Stand) -> (StatusCode, Value) {
    let (status, _, text) = look(stand, Method::GET, "/healthz").await;
    (status, serde_json::from_str(&text).unwrap())
}

/// Every sample by its name and labels.
async fn metrics(stand: &Stand) -> BTreeMap<String, f64> {
    let (status, kind, text) = look(stand, Method::GET, "/metrics").await;
    assert_eq!(status, StatusCode::OK);
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    assert!(text.ends_with("# EOF\n"), "{text}");
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let samples = samples.map(|line| {
        let (name, value) = line.rsplit_once(' ').unwrap();
        (name.to_owned(), value.parse().unwrap())
    });
    samples.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_bundle_shows_in_health_and_metrics_until_a_good_one_comes() {
    let policies = folder("first", false);
    let place = policies.path().display();
    let more = format!(
        "ops: {{ listen: \"127.0.0.1:0\" }}\npolicies: \"{place}\"\nreplay: {{ keep: calls }}\n"
    );
    let stand = Stand::start(Setup { more, ..Setup::default() }).await;
    let (status, well) = health(&stand).await;
    assert_eq!((status, &well["status"]), (StatusCode::OK, &json!("ok")), "{well}");
    assert_eq!(look(&stand, Method::GET, "/readyz").await.0, StatusCode::OK);

    let allowed = r#"portcullis_decisions_total{question="admit",verdict="allow"}"#;
    let before = metrics(&stand).await;
    stand.client().modern("tools/call", reading(0), json!({})).await;
    let after = metrics(&stand).await;
    assert!(after[allowed] > before[allowed], "{after:?}");
    assert!(after["portcullis_log_records"] > before["portcullis_log_records"]);
    assert_eq!(after["portcullis_log_writable"], 1.0);
    assert_eq!(after["portcullis_policy_load_success"], 1.0);
    assert_eq!(after["portcullis_tape_writable"], 1.0);
    assert_eq!(after["portcullis_tape_dropped_total"], 0.0);

    std::fs::write(
        policies.path().join("admit.rego"),
        "package portcullis.rules.admit\nallow contains",
    )
    .unwrap();
    assert_eq!(stand.run(&["policy", "reload"]).status.code(), Some(1));
    let (status, ill) = health(&stand).await;
    // The last good revision still decides: somebody should look, but no supervisor should end it.
    assert_eq!((status, &ill["status"]), (StatusCode::OK, &json!("degraded")), "{ill}");
    let refused = metrics(&stand).await;
    assert_eq!(refused["portcullis_policy_load_success"], 0.0);
    assert_eq!(refused[r#"portcullis_policy_loads_total{result="refused"}"#], 1.0);

    write(policies.path(), &rules("second", false));
    stand.output(&["policy", "reload"]);
    assert_eq!(health(&stand).await.1["status"], "ok");
    let good = metrics(&stand).await;
    assert_eq!(good["portcullis_policy_load_success"], 1.0);
    assert_eq!(good[r#"portcullis_policy_loads_total{result="ok"}"#], 1.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_looks_are_answered_and_held_calls_are_counted() {
    let more = "ops: { listen: \"127.0.0.1:0\" }\nholds: { wait: 300ms }\n".to_owned();
    let stand = Stand::start(Setup { more, ..Setup::default() }).await;
    assert_eq!(look(&stand, Method::POST, "/metrics").await.0, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(look(&stand, Method::GET, "/").await.0, StatusCode::NOT_FOUND);
    let client = stand.client().connected().await;
    let arguments = json!({"id": crate::road::ARTICLE, "title": "A plan of ours"});
    let _pending = client.call("update_article", arguments).await;
    until("it is counted", async || {
        metrics(&stand).await.get(r#"portcullis_holds{state="pending"}"#) == Some(&1.0)
    })
    .await;
    let (_, _, text) = look(&stand, Method::GET, "/metrics").await;
    assert!(!text.contains(crate::stand::AGENT) && !text.contains("plan of ours"), "{text}");
    // Nothing is to be kept.
    assert!(!text.contains("portcullis_tape_"), "{text}");
}
