//! What leaves a message has, and where.

mod properties;

use bytes::Bytes;
use serde_json::{Value, json};

use super::*;
use crate::domain::{Form, JsonText, Leaf, Party};
use crate::intercom::records;

pub(super) fn text(value: &Value) -> JsonText {
    JsonText::from_valid(Bytes::from(serde_json::to_vec(value).unwrap()))
}

/// A result with JSON in its text block.
pub(super) fn wrapped(payload: &Value) -> Value {
    json!({"content": [{"type": "text", "text": payload.to_string()}], "isError": false})
}

pub(super) fn of(result: &Value) -> Payload {
    let result = text(result);
    Payload::of_result(&result, records::read("", &result).as_ref()).unwrap()
}

/// Path, text, form of each leaf.
fn shown(payload: &Payload) -> Vec<(&str, &str, Form)> {
    payload.leaves().iter().map(|leaf| (&*leaf.path, &*leaf.text, leaf.form)).collect()
}

fn find<'a>(payload: &'a Payload, path: &str) -> &'a Leaf {
    payload.leaves().iter().find(|leaf| leaf.path == path).unwrap()
}

#[test]
fn a_payload_in_a_text_block_has_paths_without_prefix() {
    let payload = json!({
        "type": "conversation", "id": "215", "created_at": 1_754_167_527,
        "source": {"type": "email", "body": "<p>Hi</p>", "author": {"type": "user", "id": "u", "name": "Jane"}},
        "custom_attributes": {"phone": 49_301_234_567_u64, "a/b~c": "x", "small": 12, "type": "jane"},
    });
    let found = of(&wrapped(&payload));
    let expected = [
        ("/type", "conversation", Form::Text),
        ("/id", "215", Form::Text),
        ("/source/type", "email", Form::Text),
        ("/source/author/type", "user", Form::Text),
        ("/source/body", "<p>Hi</p>", Form::Html),
        ("/source/author/id", "u", Form::Text),
        ("/source/author/name", "Jane", Form::Text),
        ("/custom_attributes/phone", "phone", Form::Key),
        ("/custom_attributes/phone", "49301234567", Form::Number),
        ("/custom_attributes/a~1b~0c", "a/b~c", Form::Key),
        ("/custom_attributes/a~1b~0c", "x", Form::Text),
        ("/custom_attributes/small", "small", Form::Key),
        ("/custom_attributes/type", "type", Form::Key),
        ("/custom_attributes/type", "jane", Form::Text),
    ];
    let mut shown = shown(&found);
    let mut expected = expected.to_vec();
    shown.retain(|(path, ..)| !path.starts_with('$'));
    shown.sort_by_key(|(path, text, _)| (path.to_owned(), text.to_owned()));
    expected.sort_by_key(|(path, text, _)| (path.to_owned(), text.to_owned()));
    assert_eq!(shown, expected);
}

#[test]
fn leaves_know_whose_they_are() {
    let payload = json!({
        "type": "conversation", "id": "215", "title": "t",
        "contacts": {"type": "contact.list", "contacts": [{"type": "contact", "id": "66aa", "email": "a@b.c"}]},
        "conversation_parts": {"type": "conversation_part.list", "conversation_parts": [
            {"type": "conversation_part", "id": "3", "part_type": "comment", "body": "b",
             "author": {"type": "admin", "id": "9", "name": "Bea"}},
            {"type": "conversation_part", "id": "4", "part_type": "comment", "body": "c",
             "author": {"type": "bot", "id": "10", "name": "Fin"}},
            {"type": "conversation_part", "id": "5", "part_type": "comment", "body": "d",
             "author": {"type": "lead", "id": "11", "name": "Joe"}},
        ]},
    });
    let found = of(&wrapped(&payload));
    let part = "conversation:215/part:3";
    let parts = "/conversation_parts/conversation_parts";
    for (path, owner, party) in [
        ("/title".to_owned(), "conversation:215", Party::Unknown),
        ("/contacts/contacts/0/email".to_owned(), "contact:66aa", Party::Customer),
        (format!("{parts}/0/body"), part, Party::Teammate),
        (format!("{parts}/0/author/name"), part, Party::Teammate),
        (format!("{parts}/1/body"), "conversation:215/part:4", Party::Bot),
        (format!("{parts}/2/body"), "conversation:215/part:5", Party::Customer),
        (format!("{parts}/2/author/name"), "conversation:215/part:5", Party::Customer),
    ] {
        let leaf = find(&found, &path);
        assert_eq!((leaf.owner.as_deref(), leaf.party), (Some(owner), party), "{path}");
    }
}

#[test]
fn everything_that_carries_text_is_opened() {
    let inner = json!({"mail": "two"}).to_string();
    let payload = json!({"id": "1", "raw": json!({"deep": inner, "list": ["a"]}).to_string()});
    let result = json!({
        "content": [
            {"type": "text", "text": payload.to_string()},
            {"type": "text", "text": "words"},
            {"type": "text", "text": "[words] in brackets"},
            {"type": "resource", "resource": {"uri": "https://x", "text": "{\"k\":\"v\"}"}},
            {"type": "resource", "resource": {"uri": "https://x", "blob": "SmFuZSBEb2U="}},
            {"type": "resource", "resource": {"uri": "https://x", "blob": "eyJub3RlIjoiSmFuZSJ9"}},
            {"type": "image", "data": "iVBORw0KGgo="},
            {"type": "resource_link", "uri": "file:///jane", "name": "n"},
        ],
        "_meta": {"trace": "jane@acme.com"},
        "requestState": "opaque",
        "taskId": "opaque",
        "result": {"content": [{"type": "text", "text": "task words"}]},
    });
    let found = of(&result);
    for (path, text) in [
        ("/id", "1"),
        ("/raw/deep/mail", "two"),
        ("/raw/list/0", "a"),
        ("$/content/1/text", "words"),
        ("$/content/2/text", "[words] in brackets"),
        ("$/content/3/resource/uri", "https://x"),
        ("/k", "v"),
        ("$/content/4/resource/blob", "Jane Doe"),
        ("/note", "Jane"),
        ("$/content/7/uri", "file:///jane"),
        ("$/_meta/trace", "jane@acme.com"),
        ("$/result/content/0/text", "task words"),
    ] {
        let there = |leaf: &Leaf| leaf.path == path && leaf.text == text;
        assert!(found.leaves().iter().any(there), "{path}: {:?}", shown(&found));
    }
    assert!(found.leaves().iter().all(|leaf| leaf.text != "opaque"));
    let message = text(&json!({"level": "info", "data": {"who": "jane"}, "progressToken": "t"}));
    let found = Payload::of_message(&message).unwrap();
    assert!(shown(&found).contains(&("$/data/who", "jane", Form::Text)));
    let arguments = text(&json!({"query": "q", "custom_attributes": {"jane": 1}}));
    let found = Payload::of_arguments(&arguments).unwrap();
    let expected = [("/custom_attributes/jane", "jane", Form::Key), ("/query", "q", Form::Text)];
    assert_eq!(shown(&found), expected);
}

#[test]
fn twins_are_one() {
    let payload = json!({"type": "contact", "id": "66aa", "name": "Jane", "raw": "{\"a\":\"b\"}"});
    let mut result = wrapped(&payload);
    result["structuredContent"] = payload.clone();
    let found = of(&result);
    let names = found.leaves().iter().filter(|leaf| leaf.text == "Jane").count();
    assert_eq!((names, found.twins()), (1, 6));
    let at = found.leaves().iter().position(|leaf| leaf.text == "Jane").unwrap();
    assert_eq!(found.spots_of(at).count(), 2);
    // Another content is no twin.
    result["structuredContent"]["name"] = json!("Joe");
    assert!(of(&result).twins() == 0);
}

/// What is written in place of a value makes no tag of the text around it, and ends none.
#[test]
fn edits_make_no_tags() {
    for (body, value, new, expected) in [
        ("<p>Hi</p> <Jane b>", "Jane ", "", "<p>Hi</p> <_b>"),
        ("<p>Hi</p> <Jane>", "Jane", "b /", "<p>Hi</p> <_b />"),
        ("<p>Hi</p> </bJane>", "Jane", "", "<p>Hi</p> </b_>"),
        ("<p>Hi</p> <a href=\"Jane\">", "Jane", "Jo", "<p>Hi</p> <a href=\"Jo\">"),
        ("<p>Hi</p> <a href=\"Jane>", "\"Jane", "Jo", "<p>Hi</p> <a href=\"_Jo>"),
        ("1 < 2 Jane<b>Jo</b>", "Jane", "", "1 < 2 <b>Jo</b>"),
        ("1 < 2 Jane <b>Jo</b> <Jane b>", "Jane ", "", "1 < 2 <b>Jo</b> <_b>"),
        ("1 < 2 <b>Jane</b>", "Jane", "x", "1 < 2 <b>x</b>"),
    ] {
        let found = of(&wrapped(&json!({"id": "1", "body": body})));
        let leaf = found.leaves().iter().position(|leaf| leaf.path == "/body").unwrap();
        assert_eq!(found.leaves()[leaf].form, Form::Html, "{body}");
        let edits: Vec<Edit> = body
            .match_indices(value)
            .map(|(at, _)| {
                let bytes = at..at + value.len();
                Edit { leaf, bytes, new: New::Text(new.to_owned()) }
            })
            .collect();
        let text = edit(&found, &edits).unwrap();
        let all: Value = serde_json::from_str(text.as_str()).unwrap();
        let inner = all["content"][0]["text"].as_str().unwrap();
        assert_eq!(serde_json::from_str::<Value>(inner).unwrap()["body"], expected, "{body}");
    }
}

#[test]
fn what_stands_in_fits_its_schema() {
    let payload = json!({"id": "1", "email": "a@b.io", "name": "Jane", "born": 19_820_712});
    let mut result = wrapped(&payload);
    result["structuredContent"] = payload;
    let found = of(&result);
    let edits: Vec<Edit> = ["/email", "/name", "/born"]
        .into_iter()
        .map(|path| {
            let is_value = |leaf: &Leaf| leaf.path == path && leaf.form != Form::Key;
            let leaf = found.leaves().iter().position(is_value).unwrap();
            let bytes = 0..found.leaves()[leaf].text.len();
            Edit { leaf, bytes, new: New::Text("[word]".to_owned()) }
        })
        .collect();
    let misfits = |text: &JsonText| {
        let all: Value = serde_json::from_str(text.as_str()).unwrap();
        let content = &all["structuredContent"];
        let mut wrong = Vec::new();
        if !content["email"].as_str().unwrap().contains('@') {
            wrong.push("/email".to_owned());
        }
        if !content["born"].is_number() {
            wrong.push("/born".to_owned());
        }
        wrong
    };
    let text = edit_fitting(&found, edits.clone(), &misfits).unwrap();
    let all: Value = serde_json::from_str(text.as_str()).unwrap();
    let expected =
        json!({"id": "1", "email": "redacted@redacted.invalid", "name": "[word]", "born": 0});
    assert_eq!(all["structuredContent"], expected);
    let twin: Value = serde_json::from_str(all["content"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(twin, expected);
    let never = |text: &JsonText| {
        if text.as_str().contains("Jane") { Vec::new() } else { vec!["/name".to_owned()] }
    };
    assert_eq!(edit_fitting(&found, edits, &never), Err(Unfit::Schema));
}

/// A text and its twin are opened equally deep, or they would be edited otherwise.
#[test]
fn twins_are_opened_equally_deep() {
    let mut packed = json!({"n": 49_301_234_567_u64});
    for _ in 0..6 {
        packed = json!({"body": packed.to_string()});
        let mut result = wrapped(&packed);
        result["structuredContent"] = packed.clone();
        let found = of(&result);
        assert_eq!(found.twins(), found.leaves().len(), "{packed}");
    }
}
