//! The simulator over real loopback HTTP.

use serde_json::{Value, json};

use super::options::*;
use super::{Options, Simulator};
use client::{Client, Reply};

mod client;
mod doors;
mod modern;
mod oauth;
mod trouble;

async fn start(options: Options) -> Simulator {
    Simulator::start("127.0.0.1:0".parse().unwrap(), options).await.unwrap()
}

fn call(id: u64, name: &str, arguments: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": name, "arguments": arguments}})
}

fn payload(reply: &Reply) -> Value {
    let message = reply.message();
    serde_json::from_str(
        message
            .pointer("/result/content/0/text")
            .unwrap_or_else(|| panic!("{message}"))
            .as_str()
            .unwrap(),
    )
    .unwrap()
}

#[tokio::test]
async fn a_client_lists_reads_writes_and_reads_back_and_all_of_it_is_on_record() {
    let simulator = start(Options::default()).await;
    let client = Client::connect(&simulator, "2025-06-18").await;
    let tools =
        client.send(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})).await.message();
    assert_eq!(tools.pointer("/result/tools").unwrap().as_array().unwrap().len(), 14);
    assert!(
        tools.pointer("/result/tools/0/annotations").is_none()
            && tools.pointer("/result/tools/0/outputSchema").is_none()
    );

    let read = payload(
        &client
            .send(&call(2, "get_conversation", json!({"id": "conversation_215470000000101"})))
            .await,
    );
    assert_eq!(read["source"]["author"]["name"], "Maria Lindqvist");
    assert_eq!(read["conversation_parts"]["total_count"], 4);

    let made = payload(
        &client
            .send(&call(3, "create_article", json!({"title": "New", "author_id": 7000001})))
            .await,
    );
    let back = payload(&client.send(&call(4, "get_article", json!({"id": made["id"]}))).await);
    assert_eq!(back, made);

    let seen: Vec<(String, Option<String>)> =
        simulator.received().into_iter().map(|one| (one.method, one.tool)).collect();
    let tool = |name: &str| ("tools/call".to_owned(), Some(name.to_owned()));
    let plain = |name: &str| (name.to_owned(), None);
    assert_eq!(
        seen,
        [
            plain("initialize"),
            plain("notifications/initialized"),
            plain("tools/list"),
            tool("get_conversation"),
            tool("create_article"),
            tool("get_article")
        ]
    );
    let write = simulator
        .received()
        .into_iter()
        .find(|one| one.tool.as_deref() == Some("create_article"))
        .unwrap();
    assert_eq!(write.arguments, Some(json!({"title": "New", "author_id": 7000001})));
    assert_eq!(write.session.as_deref(), client.session());
    assert_eq!(write.headers["authorization"], format!("Bearer {DEFAULT_TOKEN}"));
    simulator.stop().await;
}

#[tokio::test]
async fn one_seed_gives_the_same_bytes_and_another_seed_others() {
    let read = async |seed| {
        let simulator = start(Options { seed, ..Options::default() }).await;
        let client = Client::connect(&simulator, "2025-11-25").await;
        let mut bytes = client.session().unwrap().to_owned();
        for (name, arguments) in [
            ("search_conversations", json!({"per_page": 150})),
            ("search_contacts", json!({"name": "a", "per_page": 150})),
            ("list_articles", json!({})),
        ] {
            bytes.push_str(&client.send(&call(1, name, arguments)).await.body);
        }
        bytes
    };
    let first = read(7).await;
    assert!(first.len() > 400_000);
    assert_eq!(first, read(7).await);
    assert_ne!(first, read(8).await);
}

#[tokio::test]
async fn the_control_door_turns_switches_and_shows_the_record() {
    let simulator = start(Options::default()).await;
    let client = Client::connect(&simulator, "2025-06-18").await;
    let turned =
        client.http("PATCH", "/_sim/options", &[], r#"{"tools":"six","extra_tool":true}"#).await;
    assert_eq!((turned.status, turned.json()["tools"].as_str()), (200, Some("six")));
    assert_eq!(
        client.http("PATCH", "/_sim/options", &[], r#"{"tools":"sixty"}"#).await.status,
        400
    );
    let tools =
        client.send(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})).await.message();
    assert_eq!(tools.pointer("/result/tools").unwrap().as_array().unwrap().len(), 7);
    let seen = client.http("GET", "/_sim/received", &[], "").await.json();
    assert_eq!(seen.as_array().unwrap().len(), 3);
    assert_eq!(client.http("DELETE", "/_sim/received", &[], "").await.status, 204);
    assert!(simulator.received().is_empty());
    assert_eq!(client.http("GET", "/_sim/health", &[], "").await.json()["token"], DEFAULT_TOKEN);
}
