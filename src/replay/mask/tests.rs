//! Nothing that an agent or Intercom wrote comes through a mask.

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// What must not be read in a fixture. The letters of masks go to `f`.
const MARKS: [&str; 9] = [
    "jane.doe@acme.com",
    "Jane Roe",
    "49151123456",
    "-73519422",
    "519422.735",
    "٤٩١٥١١٢٣٤٥",
    "Иванова",
    "x:jane roe",
    "quit/jane~roe",
];

fn masked(asked: &Asked) -> String {
    let masked = Mask::default().question(asked).unwrap();
    serde_json::to_string(&masked).unwrap()
}

fn read(asked: Json) -> Asked {
    Asked::read(&asked.to_string()).unwrap()
}

#[test]
fn nothing_personal_stays_and_shapes_do() {
    let asked = Asked::read(
        r#"{"tool":"search","principal":{"id":"bot","roles":["r"],"on_behalf_of":"Ann Lee"},
        "arguments":{"query":"object_type:contacts email:jane@acme.com q:[[person:7f3a9c]] Jane"},
        "reason":"Jane asked","client":{"name":"c","version":"1","address":"10.0.0.1"},
        "answer":{"result":{"content":[{"type":"text",
          "text":"{\"type\":\"contact\",\"id\":\"66b0c0de0000000000000a01\",\"name\":\"Jane\",\"phone\":4915112345678,\"open\":12}"}]}}}"#,
    )
    .unwrap();
    let mask = Mask::default();
    let masked = mask.question(&asked).unwrap();
    let text = serde_json::to_string(&masked).unwrap();
    for value in ["jane", "acme", "Jane", "Ann", "Lee", "66b0c0de", "4915112345678", "10.0"] {
        assert!(!text.contains(value), "{value}: {text}");
    }
    for value in [
        "object_type:contacts",
        "email:",
        "[[person:7f3a9c]]",
        r#"\"type\":\"contact\""#,
        r#"\"open\":12"#,
        "bot",
    ] {
        assert!(text.contains(value), "{value}: {text}");
    }
    assert_eq!(mask.word("Jane"), mask.word("Jane"));
    assert_ne!(mask.word("66b0c0de0000000000000a01"), mask.word("66b0c0de0000000000000a02"));
    let id = mask.word("66b0c0de0000000000000a01");
    assert!(id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    let published = r#"{"tool":"update_article","arguments":{"state":"published","title":"x"}}"#;
    let masked = mask.question(&Asked::read(published).unwrap()).unwrap();
    assert!(masked.arguments.text().as_str().contains("published"));
}

#[test]
fn only_fields_of_the_language_stay_in_a_query() {
    let secret = "object_type:conversations jane.doe@acme.com: refund Roe:x state:jane limit:50 \
                  email:contains:roe name:\"Jane Roe\" state:open";
    for asked in [
        json!({"tool": "search", "arguments": {"query": secret}}),
        json!({"method": "x/y", "params": {"query": secret}}),
        json!({"tool": "search", "answer": {"result": {"content": [], "query": secret}}}),
    ] {
        let text = masked(&read(asked)).to_lowercase();
        for value in ["jane", "acme", "refund", "roe", ":x"] {
            assert!(!text.contains(value), "{value}: {text}");
        }
        for value in
            ["object_type:conversations", " state:open", " limit:50", "email:contains:", "name:"]
        {
            assert!(text.contains(value), "{value}: {text}");
        }
    }
}

#[test]
fn of_names_only_that_of_a_prompt_stays() {
    let greet = masked(&read(json!({"method": "prompts/get",
        "params": {"name": "greet", "arguments": {"name": "Jane Roe", "Jane Roe": 1}}})));
    assert!(greet.contains(r#""name":"greet""#) && !greet.contains("Jane"), "{greet}");
    let complete = masked(&read(json!({"method": "completion/complete", "params": {
        "ref": {"type": "ref/prompt", "name": "greet"},
        "argument": {"name": "Jane Roe", "value": "Jane"}}})));
    assert!(complete.contains("greet") && complete.contains("ref/prompt"), "{complete}");
    assert!(!complete.contains("Jane"), "{complete}");
    // Of another method it is somebody's.
    let other = masked(&read(json!({"method": "resources/read", "params": {"name": "Jane"}})));
    assert!(!other.contains("Jane"), "{other}");
}

#[test]
fn numbers_and_words_stay_only_if_they_are_nobodys() {
    let text = masked(&read(json!({"tool": "x", "pinned": true, "arguments": {
        "a": [-73519422, 519422.735, 1.5e3, 12, 0], "status": "Jane Roe", "role": "lead",
        "state": "open", "priority": "Иванова", "sort": "٤٩١٥١١٢٣٤٥", "limit": "jane",
        "order": {"type": "jane"}}})));
    for value in ["73519422", "519422", "1500", "Jane", "Иванова", "٤٩", "jane"] {
        assert!(!text.contains(value), "{value}: {text}");
    }
    for value in [",12,0]", r#""role":"lead""#, r#""state":"open""#, r#""tool":"x""#, "[-"] {
        assert!(text.contains(value), "{value}: {text}");
    }
}

#[test]
fn what_belongs_together_still_does() {
    let asked = read(full("jane-roe", &json!({"author_id": 4_915_112_345_u64})));
    let masked = Mask::default().question(&asked).unwrap();
    let (given, first) = (&masked.grant.as_ref().unwrap().given, &masked.pseudonyms[0]);
    let arguments: Json = serde_json::from_str(masked.arguments.text().as_str()).unwrap();
    let (name, value) = given.only.first_key_value().unwrap();
    let member = arguments.as_object().unwrap().get(name).unwrap();
    assert_eq!(*value, member.to_string());
    assert_eq!(first.path.as_deref(), Some(format!("/{}", first.argument).as_str()));
    assert!(arguments.get(&first.argument).is_some(), "{arguments}");
    assert_eq!(masked.labels, masked.trail.labels);
    assert_eq!(given.principal.as_str(), "bot");
}

/// A question with a text everywhere that an agent or Intercom can write one.
fn full(mark: &str, value: &Json) -> Json {
    let id: String = mark.chars().filter(char::is_ascii_alphanumeric).chain(['x']).collect();
    let pointer = mark.replace('~', "~0").replace('/', "~1");
    json!({
        "principal": {"id": "bot", "groups": [mark], "attributes": {"team": mark},
            "on_behalf_of": mark},
        "client": {"name": mark, "version": mark},
        "tool": mark,
        "arguments": {mark: mark, "query": mark, "value": value, "status": mark},
        "params": {"name": mark, "value": value},
        "subject": {"kind": "resource", "uri": mark},
        "continuation": {mark: value},
        "reason": mark,
        "target": {"type": mark, "title": value},
        "grant": {"id": "grant_00000000000000000000000000000001", "principal": "bot",
            "tool": mark, "only": {mark: json!(mark).to_string()}, "calls": 3,
            "until": "2026-01-01T00:00:00Z", "by": id, "used": 1,
            "hold": "hold_00000000000000000000000000000001"},
        "pseudonyms": [{"token": "[[email:7f3a9c]]", "argument": mark,
            "path": format!("/{pointer}"), "subjects": [format!("contact:{mark}"), mark],
            "seen": [mark]}],
        "trail": {"labels": [mark],
            "recent": [{"tool": mark, "verdict": "allow", "seconds_ago": 1}]},
        "findings": [{"kind": "email", "paths": [format!("/{pointer}/0")]}],
        "labels": [mark],
        "tools": [mark, {"name": mark, "pinned": false, "labels": [mark]}],
        "answer": {"kind": mark, "method": mark, "result": {mark: mark, "content": [value]},
            "params": value, "words": mark},
        "approver": {"id": mark, "groups": [mark]},
        "hold": {"approvals": [mark], "release": {"groups": [mark], "people": 1,
            "expires_seconds": 60, "escalate": {"after_seconds": 1, "groups": [mark]}}},
    })
}

/// Something of JSON with marks in it.
fn value() -> impl Strategy<Value = Json> {
    let mark = prop::sample::select(&MARKS[..]);
    let leaf = mark.clone().prop_map(|mark| match serde_json::from_str::<Json>(mark) {
        Ok(number) => number,
        Err(_) => json!(mark),
    });
    let name = prop_oneof![
        mark,
        prop::sample::select(&["status", "role", "query", "name", "type", "sort", "value"][..])
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Json::from),
            prop::collection::btree_map(name.clone(), inner.clone(), 1..3)
                .prop_map(|members| json!(members)),
            inner.prop_map(|inner| json!(inner.to_string())),
        ]
    })
}

proptest! {
    #[test]
    fn no_mark_is_in_what_is_written(mark in prop::sample::select(&MARKS[..]), value in value()) {
        let asked = read(full(mark, &value));
        // What cannot be masked is not written, and would show nothing here.
        let masked = Mask::default().question(&asked);
        prop_assert!(masked.is_some());
        let text = crate::replay::fixtures::written(&masked.unwrap()).to_lowercase();
        for mark in ["jane", "roe", "acme", "quit", "4915112", "7351942", "519422", "٤", "иванов"] {
            prop_assert!(!text.contains(mark), "{mark}: {text}");
        }
    }
}
