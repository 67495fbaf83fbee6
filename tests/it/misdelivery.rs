//! Two hundred clients at once, all with the same request ids, and answers that come late and out of
//! order: each client must get what it asked for and nothing else.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use portcullis::simulator::Options;
use portcullis::simulator::options::Reply as Form;
use serde_json::{Value, json};

use crate::client::{Client, Reply};
use crate::stand::{Setup, Stand, number};

/// At one firewall, whose Intercom answers by event streams first and by JSON then.
const CLIENTS: u64 = 200;
/// Calls of one client that are under way together.
const TOGETHER: u64 = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_reaches_the_client_that_asked() {
    let answers = number("PORTCULLIS_MISDELIVERY", 4_000);
    let each = answers.div_ceil(2 * CLIENTS).next_multiple_of(TOGETHER);
    let simulator = Options { jitter: 60, ..Options::default() };
    let stand = Stand::start(Setup { simulator, ..Setup::default() }).await;
    let mut delivered = 0;
    for form in [Form::Sse, Form::Json] {
        stand.simulator.set(|options| options.reply = form);
        delivered += crowd(&stand, each).await;
    }
    println!("misdelivery: 0 of {delivered} answers misdelivered, {CLIENTS} clients at once");
    assert!(delivered as u64 >= answers);
}

async fn crowd(stand: &Stand, each: u64) -> usize {
    let other = stand.add_key("principals", "other");
    crate::stand::until("the new key works", async || {
        let client = Client::new(&stand.url, &other);
        client.request("ping", json!({})).await.status != http::StatusCode::UNAUTHORIZED
    })
    .await;
    let clients = (0..CLIENTS).map(|number| {
        let key = if number.is_multiple_of(3) { &other } else { &stand.key };
        tokio::spawn(one(Client::new(&stand.url, key), number, each))
    });
    let mut delivered = 0;
    for ended in join_all(clients).await {
        delivered += ended.unwrap();
    }
    delivered
}

/// One client: legacy and modern in turn. Ids begin at the same number in all of them.
async fn one(client: Client, number: u64, each: u64) -> usize {
    let legacy = number.is_multiple_of(2);
    let version = ["2025-03-26", "2025-06-18", "2025-11-25"][(number / 2 % 3) as usize];
    let client = match legacy {
        true => client.try_connected(version).await.unwrap(),
        false => client,
    };
    client.count_from(100);
    let mut delivered = 0;
    for round in 0..each / TOGETHER {
        let asked = (0..TOGETHER).map(|turn| question(number, round * TOGETHER + turn));
        let asked: Vec<(&str, String)> = asked.collect();
        let calls = asked.iter().map(async |(tool, id)| {
            let arguments = json!({"id": id});
            let reply = match legacy {
                true => client.call(tool, arguments).await,
                false => {
                    let params = json!({"name": tool, "arguments": arguments});
                    client.modern("tools/call", params, json!({})).await
                }
            };
            (id.clone(), reply)
        });
        let mut ids = BTreeSet::new();
        for (id, reply) in join_all(calls).await {
            let answer = answered(&reply);
            assert_eq!(answer["id"].as_str(), Some(id.as_str()), "client {number}: {reply:?}");
            ids.insert(reply.answer()["id"].as_i64().unwrap());
            delivered += 1;
        }
        let first = 100 + (round * TOGETHER) as i64;
        assert!(ids.into_iter().eq(first..first + TOGETHER as i64), "client {number}");
    }
    delivered
}

/// What a client asks for in a turn; neighbours ask for different things.
fn question(client: u64, turn: u64) -> (&'static str, String) {
    if turn % 4 == 3 {
        return ("get_article", (9_100_001 + (client * 5 + turn * 3) % 60).to_string());
    }
    ("get_conversation", (215_470_000_000_101 + (client * 7 + turn * 11) % 320).to_string())
}

/// The object in an answer; nothing else came with it.
fn answered(reply: &Reply) -> Value {
    assert_eq!(reply.messages.len(), 1, "{reply:?}");
    serde_json::from_str(reply.tool_text()).unwrap_or_else(|_| panic!("{reply:?}"))
}
