//! Personal data on its way to an agent, through the real binary: what the shipped plugins see and the
//! default rules demand, carried out on the bytes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use portcullis::simulator::Options;
use serde_json::{Value, json};

use crate::client::Client;
use crate::stand::{Setup, Stand, until};

/// With the plugins that come along.
const PLUGINS: &str = "plugins: { shipped: true }\n";

fn plugins() -> Setup {
    Setup { more: PLUGINS.to_owned(), ..Setup::default() }
}

/// A conversation that tells of a customer in fields, in HTML, in prose and in what is packed.
fn conversation() -> Value {
    json!({
        "type": "conversation", "id": "215470000000777", "created_at": 1_754_167_527,
        "state": "open", "team_assignee_id": null, "admin_assignee_id": 814_860,
        "tags": {"type": "tag.list", "tags": []},
        "source": {
            "type": "email", "id": "3507117410",
            "body": "<p>Hi, it is <b>Merle</b> Okonkwo, write to merle.okonkwo@fjordmail.example</p>",
            "author": {"type": "user", "id": "66b0c0de0000000000000a77", "name": "Merle Okonkwo",
                "email": "merle.okonkwo@fjordmail.example"},
        },
        "custom_attributes": {
            "order": "8910561613",
            "raw": json!({"mail": "merle.okonkwo@fjordmail.example", "n": 1.50}).to_string(),
        },
    })
}

fn served(tool: &str, result: Value) -> Options {
    Options { results: BTreeMap::from([(tool.to_owned(), result)]), ..Options::default() }
}

fn wrapped(payload: &Value) -> Value {
    json!({"content": [{"type": "text", "text": payload.to_string()}], "structuredContent": payload})
}

async fn shown(stand: &Stand) -> Value {
    let client = stand.client().connected().await;
    let reply = client.call("get_conversation", json!({"id": "215470000000777"})).await;
    reply.answer()["result"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_stays_behind_and_the_conversation_does_not() {
    let payload = conversation();
    let simulator = served("get_conversation", wrapped(&payload));
    let stand = Stand::start(Setup { simulator, ..plugins() }).await;
    let result = shown(&stand).await;
    let text = result.to_string();
    for gone in ["merle", "Merle", "Okonkwo", "fjordmail"] {
        assert!(!text.contains(gone), "{gone} in {text}");
    }
    let inner: Value =
        serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(inner, result["structuredContent"], "text and twin differ");
    for path in
        ["/id", "/created_at", "/source/id", "/source/author/id", "/custom_attributes/order"]
    {
        assert_eq!(inner.pointer(path), payload.pointer(path), "{path}");
    }
    let body = inner["source"]["body"].as_str().unwrap();
    assert!(body.starts_with("<p>Hi, it is <b>") && body.ends_with("</p>"), "{body}");
    let mail = inner["source"]["author"]["email"].as_str().unwrap();
    assert!(mail.starts_with("[[email:") && body.contains(mail), "{mail} {body}");
    let raw = inner["custom_attributes"]["raw"].as_str().unwrap();
    assert_eq!(raw, format!(r#"{{"mail":"{mail}","n":1.5}}"#));
    // The log says how many of each kind, and nothing of what they were.
    let records = || serde_json::to_string(&stand.records()).unwrap();
    until("recorded what was done", async || records().contains(r#""done":{"#)).await;
    assert!(!records().contains("Okonkwo") && !records().contains("fjordmail"), "{}", records());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_prose_links_and_blobs_tell_nothing_either() {
    let secret = format!("sk_{}_{}", "live", "51HqLyjWDarjtT1zdp7dcQf8Wm2Xv");
    let blob = "bWVybGUub2tvbmt3b0Bmam9yZG1haWwuZXhhbXBsZQ==";
    let results = [
        json!({"isError": true, "content": [{"type": "text", "text": "no user merle.okonkwo@fjordmail.example"}]}),
        json!({"content": [{"type": "text", "text": format!("use {secret} as the key")}]}),
        json!({"content": [{"type": "resource", "resource": {"uri": "x:1", "text": "merle.okonkwo@fjordmail.example"}}]}),
        json!({"content": [{"type": "resource", "resource": {"uri": "x:1", "blob": blob}}]}),
        json!({"content": [{"type": "resource_link", "name": "l", "uri": "https://x.example/?e=merle.okonkwo%40fjordmail.example"}]}),
        json!({"content": [], "_meta": {"who": "merle.okonkwo@fjordmail.example"}}),
        json!({"content": [{"type": "text", "text": r#"{"a":"{\"b\":\"merle.okonk\\u0077o@fjordmail.example\"}"}"#}]}),
    ];
    let stand = Stand::start(plugins()).await;
    for result in results {
        stand.simulator.set(|options| {
            options.results = BTreeMap::from([("get_conversation".to_owned(), result.clone())]);
        });
        let text = shown(&stand).await.to_string();
        for gone in ["merle", "okonkwo", secret.as_str(), blob] {
            assert!(!text.contains(gone), "{gone} in {text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_are_not_written_and_people_in_articles_wait() {
    let stand = Stand::start(Setup { roles: "knowledge-author", ..plugins() }).await;
    let client = stand.client().connected().await;
    let secret = format!("sk_{}_{}", "live", "51HqLyjWDarjtT1zdp7dcQf8Wm2Xv");
    let article = |body: &str| json!({"title": "t", "author_id": 814_860, "body": body});
    let reply = client.call("create_article", article(&format!("the key is {secret}"))).await;
    assert!(reply.is_tool_error() && reply.tool_text().contains("secret"), "{}", reply.text);
    assert_eq!(stand.sent("t"), 0);
}

/// What was made of an answer once is shown again, but never to another principal, and not once its
/// pseudonyms are others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_read_again_reads_the_same() {
    let (one, other) = ("reader-one".to_owned(), "reader-other".to_owned());
    let mut stand = Stand::start(of_sessions(&[one.clone(), other.clone()])).await;
    let keys = [&one, &other].map(|name| stand.add_key("principals", name));
    stand.kill();
    stand.serve();
    let read = async |client: &Client, payload: &Value| {
        let results = BTreeMap::from([("get_conversation".to_owned(), wrapped(payload))]);
        stand.simulator.set(|options| options.results = results);
        let reply = client.call("get_conversation", json!({"id": "215470000000777"})).await;
        reply.answer()["result"]["structuredContent"].clone()
    };
    let mut shown = Vec::new();
    let twin = {
        // Somebody else of the same name.
        let mut twin = conversation();
        twin["source"]["author"]["id"] = json!("66b0c0de0000000000000a78");
        twin["source"]["author"]["email"] = json!("m.okonkwo@other.example");
        twin
    };
    for key in &keys {
        let client = Client::new(&stand.url, key).connected().await;
        let first = read(&client, &conversation()).await;
        for _ in 0..4 {
            assert_eq!(read(&client, &conversation()).await, first);
        }
        // Whose a bare name is, of two, is said by who was seen last; an author is always the same.
        let author = |of: &Value| of["source"]["author"].clone();
        let others = read(&client, &twin).await;
        for _ in 0..4 {
            assert_eq!(author(&read(&client, &twin).await), author(&others));
            assert_eq!(author(&read(&client, &conversation()).await), author(&first));
        }
        assert_ne!(author(&first), author(&others));
        shown.push(first);
    }
    assert_ne!(shown[0], shown[1], "another principal's pseudonyms");
    // Each time the record says what was done.
    let done = || {
        let records = stand.records();
        records.iter().filter(|it| it.to_string().contains(r#""done":{"#)).count()
    };
    until("recorded each time", async || done() == 28).await;
}

/// The folder of the development set.
fn set() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pii")
}

/// A tool of the catalogue for each of the set's.
fn tool(name: &str) -> &str {
    match name {
        "get_ticket" | "list_notes" | "create_note" => "get_conversation",
        name => name,
    }
}

fn arguments(tool: &str) -> Value {
    match tool {
        "search" => json!({"query": "object_type:contacts q:x"}),
        "search_contacts" => json!({"name": "x"}),
        "search_conversations" => json!({"state": "open"}),
        "list_companies" => json!({}),
        "get_contact" => json!({"id": "66b0c0de0000000000000a01"}),
        _ => json!({"id": "215470000000101"}),
    }
}

/// The principal that a line of the set is read by: one for each session, and for each line without.
fn session(line: &Value) -> String {
    let name = line["session"].as_str().unwrap_or_else(|| line["id"].as_str().unwrap());
    format!("reader-{name}")
}

/// A stand with a principal for each session.
fn of_sessions(sessions: &[String]) -> Setup {
    let mut names: Vec<&String> = sessions.iter().collect();
    names.sort();
    names.dedup();
    let others =
        names.iter().map(|name| format!("  - {{ id: {name}, roles: [support-reader] }}\n"));
    // The list of principals goes on behind the agent's own entry.
    let agent: String = format!("groups: [] }}\n{}", others.collect::<String>());
    let agent = agent.trim_end_matches(" }\n").to_owned();
    Setup { roles: "support-reader", agent: agent.leak(), ..plugins() }
}

/// Every payload of the set through the road, each session as a principal of its own; the scorer's
/// table is printed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_development_set_is_redacted() {
    let lines = std::fs::read_to_string(set().join("payloads.jsonl")).unwrap();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let sessions: Vec<String> = lines.iter().map(session).collect();
    let mut stand = Stand::start(of_sessions(&sessions)).await;
    let mut keys: BTreeMap<&str, String> = BTreeMap::new();
    for session in &sessions {
        keys.entry(session).or_insert_with(|| stand.add_key("principals", session));
    }
    // Keys that were added are known from the next start on at the latest.
    stand.kill();
    stand.serve();
    let mut clients: BTreeMap<&str, Client> = BTreeMap::new();
    for (session, key) in &keys {
        clients.insert(session, Client::new(&stand.url, key).connected().await);
    }
    let mut out = String::new();
    for (line, session) in lines.iter().zip(&sessions) {
        let name = tool(line["tool"].as_str().unwrap());
        let result = json!({"content": [{"type": "text", "text": line["payload"].to_string()}]});
        stand.simulator.set(|options| {
            options.results = BTreeMap::from([(name.to_owned(), result.clone())]);
        });
        let reply = clients[session.as_str()].call(name, arguments(name)).await;
        let text = reply.answer()["result"]["content"][0]["text"].as_str();
        let text = text.unwrap_or_else(|| panic!("{} {}", line["id"], reply.text));
        out.push_str(&json!({"id": line["id"], "raw": text}).to_string());
        out.push('\n');
    }
    let redacted = stand.folder.path().join("redacted.jsonl");
    std::fs::write(&redacted, out).unwrap();
    let report = stand.folder.path().join("report.json");
    let output = Command::new("python3")
        .arg(set().join("score.py"))
        .args(["--payloads".as_ref(), set().join("payloads.jsonl").as_os_str()])
        .args(["--gold".as_ref(), set().join("gold.jsonl").as_os_str()])
        .args(["--redacted".as_ref(), redacted.as_os_str()])
        .args(["--json".as_ref(), report.as_os_str()])
        .output()
        .unwrap();
    println!("{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_str(&std::fs::read_to_string(report).unwrap()).unwrap();
    for (measure, most) in MOST {
        let found = report.pointer(measure).and_then(Value::as_f64);
        assert!(found.is_some_and(|found| found <= *most), "{measure}: {found:?}, at most {most}");
    }
}

/// What the set may lose at most: nothing of structure, and of the rest a part of what is asked for on
/// payloads that nobody has seen.
const MOST: &[(&str, f64)] = &[
    ("/missing", 0.0),
    ("/invalid_json", 0.0),
    ("/html_broken", 0.0),
    ("/ids_lost", 0.0),
    ("/links_lost", 0.0),
    ("/scalars_changed", 0.0),
    ("/leak", 0.003),
    ("/payload_leak", 0.1),
    ("/by_type/EMAIL/leak", 0.002),
    ("/by_type/PHONE/leak", 0.01),
    ("/by_type/PERSON/leak", 0.01),
    ("/by_type/ADDRESS/leak", 0.05),
    ("/over_chars_text", 0.0075),
    ("/protected_lost", 0.01),
];
