//! Values planted wherever Intercom can put words: none of them reaches an agent that may not see them.

use std::collections::BTreeMap;

use portcullis::simulator::Options;
use portcullis::simulator::options::{Definition, Question, Reply as Form, Speak};
use serde_json::{Value, json};

use crate::client::Client;
use crate::live::{Live, Modern, asking_policies, declaring, legacy, reading};
use crate::road::CONVERSATION;
use crate::stand::{Setup, Stand};

/// A value as Intercom would write it, and what of it must not be seen.
fn planted() -> Vec<(String, &'static str)> {
    let key = format!("sk_{}_{}", "live", "51HqLyjWDarjtT1zdp7dcQf8Wm2Xv");
    let token = format!("gh{}_{}", "p", "x8KqT2vLm4Zr9Wc1Yb7Nd3Fh6Js0Pg5QeAtU");
    vec![
        ("oluwaseun.brandt@harbourmail.example".to_owned(), "oluwaseun"),
        ("+49 1512 3456789".to_owned(), "3456789"),
        ("4111 1111 1111 1111".to_owned(), "1111 1111"),
        ("DE89 3704 0044 0532 0130 00".to_owned(), "0532 0130"),
        (key, "51HqLyjWDarj"),
        (token, "x8KqT2vLm4Zr"),
    ]
}

/// A sentence that holds all of them.
fn words() -> String {
    let of = |at: usize| planted()[at].0.clone();
    format!(
        "Write to {} or call {}. The card is {}, the IBAN is {}, the API key is {} and the GitHub token is {}.",
        of(0),
        of(1),
        of(2),
        of(3),
        of(4),
        of(5)
    )
}

fn assert_gone(what: &str, text: &str) {
    // As a client reads it, too: escapes undone as often as they are put on.
    let mut readings = vec![text.to_owned()];
    for _ in 0..3 {
        let last = readings.last().unwrap().replace("\\\\", "\\");
        readings.push(unescaped(&last));
    }
    for reading in readings {
        for (_, gone) in planted() {
            assert!(!reading.contains(gone), "{what}: {gone} in {reading}");
        }
    }
}

/// The text with every `\uXXXX` as its letter.
fn unescaped(text: &str) -> String {
    let mut parts = text.split("\\u");
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.get(..4).and_then(|hex| u32::from_str_radix(hex, 16).ok());
        match code.and_then(char::from_u32) {
            Some(letter) => whole.extend([&letter.to_string(), &part[4..]]),
            None => whole.extend(["\\u", part]),
        }
    }
    whole
}

/// Results with the words in every place that has some.
fn results() -> Vec<(&'static str, Value)> {
    let words = words();
    let mail = planted()[0].0.clone();
    let text = |text: &str| json!({"type": "text", "text": text});
    let record = json!({"type": "conversation", "id": "215470000000101", "note": words,
        "custom_attributes": {"packed": json!({"deep": words}).to_string(), &mail: "a key"}});
    vec![
        ("text", json!({"content": [text(&words)]})),
        ("JSON in a text", json!({"content": [text(&record.to_string())]})),
        (
            "structuredContent",
            json!({"content": [text(&record.to_string())], "structuredContent": record}),
        ),
        ("structuredContent alone", json!({"content": [], "structuredContent": record})),
        (
            "a resource link",
            json!({"content": [{"type": "resource_link", "name": words, "title": words,
                "description": words, "uri": format!("https://x.example/?mail={mail}&tel=%2B49%201512%203456789")}]}),
        ),
        (
            "a resource",
            json!({"content": [{"type": "resource", "resource": {"uri": format!("mailto:{mail}"),
                "mimeType": "text/plain", "text": words}}]}),
        ),
        ("_meta", json!({"content": [], "_meta": {"example.com/who": words}})),
        (
            "_meta of a block",
            json!({"content": [{"type": "text", "text": "ok", "_meta": {"who": [words]}}]}),
        ),
        ("a tool's error", json!({"isError": true, "content": [text(&words)]})),
        (
            "an error and its data",
            json!({"error": {"code": -32000, "message": words, "data": {"who": words, "deep": [{"x": words}]}}}),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_hold_no_planted_value_in_any_place() {
    let more = "plugins: { shipped: true }\n".to_owned();
    let stand = Stand::start(Setup { more, ..Setup::default() }).await;
    let client = stand.client().connected().await;
    let modern = stand.client();
    for escaped in [false, true] {
        for (what, result) in results() {
            stand.simulator.set(|options| {
                options.results = BTreeMap::from([("get_conversation".to_owned(), result.clone())]);
                options.escaped = escaped;
            });
            for reply in [
                client.request("tools/call", reading(0)).await,
                modern.modern("tools/call", reading(0), json!({})).await,
            ] {
                assert!(!reply.messages.is_empty(), "{what}: {reply:?}");
                assert_gone(&format!("{what}, escaped: {escaped}"), &reply.text);
            }
        }
    }
    assert!(stand.calls().len() >= 40, "{} calls reached Intercom", stand.calls().len());
    assert_gone("stderr", &stand.stderr());
    assert_gone("records", &json!(stand.records()).to_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notifications_and_questions_hold_none_either() {
    let (_policies, more) = asking_policies();
    let more = format!("{more}plugins: {{ shipped: true }}\n");
    let simulator = Options {
        words: Some(words()),
        progress: 2,
        logs: 2,
        question_wait: 300,
        reply: Form::Sse,
        ..Options::default()
    };
    let roles = "support-reader, asker";
    let stand = Stand::start(Setup { simulator, more, roles, ..Setup::default() }).await;
    let capabilities = json!({"elicitation": {"form": {}, "url": {}}, "sampling": {}, "roots": {}});
    let mut call = reading(0);
    call["_meta"] = json!({"progressToken": "p"});
    for question in
        [Question::None, Question::Elicitation, Question::ElicitationUrl, Question::Sampling]
    {
        stand.simulator.set(|options| options.question = question);
        let mut client: Client = stand.client();
        client.initialize_as("2025-11-25", capabilities.clone()).await;
        client.request("logging/setLevel", json!({"level": "debug"})).await;
        let mut live = Live::post(&client, &legacy(70, "tools/call", call.clone())).await;
        let all = live.rest().await;
        let methods: Vec<&Value> = all.iter().map(|it| &it["method"]).collect();
        let told = json!(all).to_string();
        assert_gone(&format!("{question:?}"), &told);
        assert!(told.contains("step 1 of 2"), "{question:?}: no progress in {methods:?}");
        assert!(told.contains(r#""id":70"#), "{question:?}: no answer in {methods:?}");
    }
    stand.simulator.set(|options| options.speak = Speak::Dual);
    for question in [Question::Elicitation, Question::Sampling] {
        stand.simulator.set(|options| options.question = question);
        let meta =
            declaring(r#"{"elicitation": {"form": {}, "url": {}}, "sampling": {}, "roots": {}}"#);
        let reply = Modern::new(1, "tools/call", reading(0), meta).send(&stand.client()).await;
        assert!(!reply.messages.is_empty(), "{reply:?}");
        assert_gone(&format!("modern {question:?}"), &reply.text);
    }
    assert_gone("stderr", &stand.stderr());
    assert_gone("records", &json!(stand.records()).to_string());
}

/// A description that nobody reviewed is not shown at all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_description_with_planted_values_is_not_listed() {
    let more = "plugins: { shipped: true }\n".to_owned();
    let stand = Stand::start(Setup { more, ..Setup::default() }).await;
    let client = stand.client().connected().await;
    let list = async || client.request("tools/list", json!({})).await;
    assert!(list().await.text.contains("\"get_conversation\""));
    stand.simulator.set(|options| {
        options.words = Some(words());
        options.definition = Definition::Description;
    });
    let after = list().await;
    assert!(after.text.contains("\"get_contact\""), "{after:?}");
    assert!(!after.text.contains("\"get_conversation\""), "{after:?}");
    assert_gone("the list of tools", &after.text);
    assert_gone("stderr", &stand.stderr());
}

/// A definition that gives orders is not listed even when a person pinned it, and is looked at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pinned_definition_that_gives_orders_is_not_listed() {
    for definition in [Definition::Poisoned, Definition::Description] {
        let more = "plugins: { shipped: true }\n".to_owned();
        let stand = Stand::start(Setup { more, ..Setup::default() }).await;
        let client = stand.client().connected().await;
        let list = async || client.request("tools/list", json!({})).await;
        let before = list().await;
        let count = |reply: &crate::client::Reply| {
            reply.answer()["result"]["tools"].as_array().map_or(0, Vec::len)
        };
        assert!(before.text.contains("\"get_conversation\""), "{before:?}");
        stand.simulator.set(|options| options.definition = definition);
        list().await;
        stand.output(&["tools", "pin", "get_conversation"]);
        let is_clean = definition == Definition::Description;
        for _ in 0..3 {
            let after = list().await;
            assert_eq!(after.text.contains("\"get_conversation\""), is_clean, "{after:?}");
            assert_eq!(count(&after), count(&before) - usize::from(!is_clean), "{after:?}");
        }
        // Whoever knows its name gets no further than the list.
        let sent = stand.calls().len();
        let called = client.call("get_conversation", json!({"id": CONVERSATION})).await;
        assert_eq!(called.is_tool_error(), !is_clean, "{called:?}");
        assert_eq!(stand.calls().len() - sent, usize::from(is_clean));
        let records = stand.records();
        let said: Vec<&Value> = records.iter().filter(|it| it["type"] == "definition").collect();
        assert_eq!(said.len(), usize::from(!is_clean), "{said:?}");
        for one in said {
            assert_eq!(one["name"], "get_conversation");
            assert!(json!(one["labels"]).to_string().contains("instructions"), "{one}");
        }
    }
}
