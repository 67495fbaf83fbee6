//! Any message, any spans, any words in their place: what must hold of every edit.

use std::ops::Range;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::super::*;
use super::text;
use crate::domain::{Form, How, JsonText, Leaf, Party, Redact, Span};
use crate::intercom::records;
use crate::mcp::json::{self as strict, Limits, Tree};
use crate::redact::html;

/// How a result is written.
#[derive(Debug, Clone, Copy)]
struct Spelling {
    structured: bool,
    pretty: bool,
    /// Slashes and the letter `r` are written as escapes.
    escaped: bool,
    blob: bool,
}

fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z ]{0,12}",
        Just("Hi Jane, mail jane@x.io or +49 30 1234567".to_owned()),
        Just(
            "<p>Jane <b class=\"x\">Doe</b> &amp; <a href=\"mailto:jane@x.io\">Jane</a></p>"
                .to_owned()
        ),
        Just(
            "<!-- Jane --><img alt=Jane src='https://x.io/?e=jane%40x.io'>&#64;&nbsp;Jane"
                .to_owned()
        ),
        Just(
            "quote \" back \\ slash / tab \t line \n \u{1F600} caf\u{e9} \u{200b}Jane\u{7f}"
                .to_owned()
        ),
        Just("Jane <jane@x.io> a < b && c > d".to_owned()),
        "[<>&;\"'\\\\/%=a-cJ#0-9 ]{0,24}",
        Just(String::from("https://app.intercom.com/a/inbox/x/inbox/conversation/215489606403884")),
    ]
}

fn keys() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("body".to_owned()),
        Just("name".to_owned()),
        Just("id".to_owned()),
        Just("jane@x.io".to_owned()),
        Just("Jane / Doe~".to_owned()),
        "[a-z\"\\\\]{1,6}",
    ]
}

fn values() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        words().prop_map(Value::from),
        Just(json!(1_754_167_527)),
        Just(json!(49_301_234_567_u64)),
        Just(json!(1.25e10)),
        Just(json!(null)),
        Just(json!(true)),
    ];
    scalar.prop_recursive(4, 24, 5, |inner| {
        let object = proptest::collection::vec((keys(), inner.clone()), 0..5)
            .prop_map(|members| Value::from(members.into_iter().collect::<Map<_, _>>()))
            .boxed();
        prop_oneof![
            proptest::collection::vec(inner, 0..4).prop_map(Value::from),
            object.clone(),
            // Packed in a string.
            object.prop_map(|value| Value::from(value.to_string())),
        ]
    })
}

fn payloads() -> impl Strategy<Value = Value> {
    proptest::collection::vec((keys(), values()), 1..6).prop_map(|members| {
        let mut object: Map<String, Value> = members.into_iter().collect();
        object.insert("id".to_owned(), json!("215489606403884"));
        object.insert("type".to_owned(), json!("conversation"));
        Value::from(object)
    })
}

fn spellings() -> impl Strategy<Value = Spelling> {
    (any::<bool>(), any::<bool>(), any::<bool>(), proptest::bool::weighted(0.2)).prop_map(
        |(structured, pretty, escaped, blob)| Spelling { structured, pretty, escaped, blob },
    )
}

fn spelled(payload: &Value, how: Spelling) -> JsonText {
    use base64::Engine as _;
    let write = |value: &Value| {
        if how.pretty { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) }
    };
    let inner = write(payload).unwrap();
    if how.blob {
        let blob = base64::engine::general_purpose::STANDARD.encode(inner);
        return text(&json!({"content": [{"type": "resource", "resource": {"blob": blob}}]}));
    }
    let mut string = serde_json::to_string(&inner).unwrap();
    if how.escaped {
        string = string.replace('/', "\\/").replace('J', "\\u004a").replace('\u{e9}', "\\u00e9");
    }
    let mut out = format!(r#"{{"content": [{{"type":"text","text":{string}}}]"#);
    if how.structured {
        out.push_str(&format!(r#","structuredContent":{}"#, write(payload).unwrap()));
    }
    out.push('}');
    JsonText::from_valid(out.into())
}

fn opened(result: &JsonText) -> Payload {
    Payload::of_result(result, records::read("", result).as_ref()).unwrap()
}

fn news() -> impl Strategy<Value = New> {
    prop_oneof![
        Just(New::Text("[[email:7f3a9c]]".to_owned())),
        Just(New::Text("[person]".to_owned())),
        Just(New::Text(String::new())),
        Just(New::Text("b /".to_owned())),
        Just(New::Text("a \"b\" \\ <c> & 'd'\n\u{1F600}".to_owned())),
        Just(New::Empty),
    ]
}

/// A span of a leaf, from two numbers.
fn span_of(leaf: &Leaf, from: usize, length: usize) -> Option<Range<usize>> {
    let places: Vec<usize> =
        leaf.text.char_indices().map(|(at, _)| at).chain([leaf.text.len()]).collect();
    let from = from % places.len();
    let to = (from + 1 + length % 9).min(places.len() - 1);
    (from < to).then(|| places[from]..places[to])
}

/// The names of the tags of a text, in order.
fn tags(text: &str) -> Vec<String> {
    let name = |tag: &str| {
        let is_name = |letter: &char| letter.is_alphanumeric() || "</!".contains(*letter);
        tag.chars().take_while(is_name).collect::<String>()
    };
    html::tags(text).into_iter().map(|tag| name(&text[tag.range])).collect()
}

/// What a judge of names would see.
fn seen(payload: &Payload) -> Vec<Span> {
    let mut spans = Vec::new();
    for (number, leaf) in payload.leaves().iter().enumerate() {
        for (word, kind) in [("Jane", "person"), ("jane@x.io", "email"), ("49301234567", "phone")] {
            for (at, _) in leaf.text.match_indices(word) {
                spans.push(span(number, at..at + word.len(), kind));
            }
        }
    }
    spans
}

fn span(leaf: usize, bytes: Range<usize>, kind: &str) -> Span {
    Span {
        leaf,
        bytes,
        kind: kind.to_owned(),
        confidence: 90,
        reason: String::new(),
        value: None,
        subject: None,
        part: None,
        party: Party::Unknown,
        plugin: "test".into(),
    }
}

fn demand(how: How) -> Redact {
    Redact {
        kinds: vec!["*".to_owned()],
        parties: Vec::new(),
        paths: Vec::new(),
        least: 0,
        how,
        done: std::collections::BTreeMap::new(),
    }
}

fn redacted(result: &JsonText, how: How) -> JsonText {
    let payload = opened(result);
    let mut mint = |span: &Span, _: &Leaf, value: &str| {
        Some(format!("[[{}:{:06x}]]", span.kind, value.len() * 7919))
    };
    let plan = plan(&payload, &seen(&payload), &[&demand(how)], &mut mint);
    edit(&payload, &plan.edits).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn edits_change_what_they_name_and_nothing_else(
        payload in payloads(),
        how in spellings(),
        edits in proptest::collection::vec((any::<usize>(), any::<usize>(), any::<usize>(), news()), 0..6),
    ) {
        let result = spelled(&payload, how);
        let before = opened(&result);
        let leaves = before.leaves();
        let edits: Vec<Edit> = edits
            .into_iter()
            .filter(|_| !leaves.is_empty())
            .filter_map(|(leaf, from, length, new)| {
                let leaf = leaf % leaves.len();
                Some(Edit { leaf, bytes: span_of(&leaves[leaf], from, length)?, new })
            })
            .collect();
        let edited = edit(&before, &edits).unwrap();
        if edits.is_empty() {
            prop_assert_eq!(&edited, &result);
        }
        // Strictly valid: also no key twice.
        prop_assert!(Tree::read(edited.bytes().clone(), &Limits::default()).is_ok());
        let after = opened(&edited);
        // Values that became empty are no leaves, and texts in brackets could look like JSON.
        let empty = |leaf: usize| edits.iter().any(|it| it.leaf == leaf && it.new == New::Empty);
        let touched = |leaf: usize| edits.iter().any(|edit| edit.leaf == leaf);
        let renamed = |path: &str| edits.iter().any(|edit| {
            let leaf = &leaves[edit.leaf];
            leaf.form == Form::Key && (path == leaf.path || path.starts_with(&format!("{}/", leaf.path)))
        });
        for (number, leaf) in leaves.iter().enumerate() {
            if touched(number) || renamed(&leaf.path) {
                continue;
            }
            let same = |other: &Leaf| {
                other.path == leaf.path && other.text == leaf.text && other.form == leaf.form
            };
            prop_assert!(after.leaves().iter().any(same), "lost {} {:?}", leaf.path, leaf.text);
        }
        for (number, leaf) in leaves.iter().enumerate() {
            if leaf.form != Form::Html || !touched(number) || empty(number) || renamed(&leaf.path) {
                continue;
            }
            let there = |other: &&Leaf| other.path == leaf.path && other.form != Form::Key;
            let other = after.leaves().iter().find(there);
            if let Some(other) = other {
                prop_assert_eq!(tags(&other.text), tags(&leaf.text), "{:?} {:?}", leaf.text, other.text);
            }
        }
    }

    #[test]
    fn what_is_written_as_it_was_changes_no_byte(
        payload in payloads(),
        how in spellings(),
        edits in proptest::collection::vec((any::<usize>(), any::<usize>(), any::<usize>()), 1..6),
    ) {
        let how = Spelling { escaped: false, ..how };
        let result = spelled(&payload, how);
        let before = opened(&result);
        let leaves = before.leaves();
        prop_assume!(!leaves.is_empty());
        let edits: Vec<Edit> = edits
            .into_iter()
            .filter_map(|(leaf, from, length)| {
                let number = leaf % leaves.len();
                let leaf = &leaves[number];
                let plain = matches!(leaf.form, Form::Text | Form::Key);
                let bytes = span_of(leaf, from, length).filter(|_| plain)?;
                // A span that cuts through an escape is widened.
                let whole = !leaf.text.contains('%');
                let new = New::Text(leaf.text[bytes.clone()].to_owned());
                whole.then_some(Edit { leaf: number, bytes, new })
            })
            .collect();
        let mut apart: Vec<Edit> = Vec::new();
        for one in edits {
            let over = |other: &Edit| {
                one.leaf == other.leaf
                    && one.bytes.start < other.bytes.end
                    && other.bytes.start < one.bytes.end
            };
            if !apart.iter().any(over) {
                apart.push(one);
            }
        }
        let edits = apart;
        prop_assert_eq!(edit(&before, &edits).unwrap(), result);
    }

    #[test]
    fn nothing_is_left_and_twice_is_once(payload in payloads(), how in spellings(), operator in 1..6_usize) {
        let operator = How::ALL[operator];
        let result = spelled(&payload, how);
        let once = redacted(&result, operator);
        // What we were given as a pseudonym is none of ours.
        if operator != How::Pseudonym {
            prop_assert_eq!(&redacted(&once, operator), &once);
        }
        let after = opened(&once);
        for leaf in after.leaves().iter() {
            prop_assert!(!leaf.text.contains("Jane"), "{} {}", leaf.path, leaf.text);
            prop_assert!(operator == How::Partial || !leaf.text.contains("jane@x.io"), "{}", leaf.text);
        }
        if how.structured && !how.blob {
            let object = strict::Object::parse(&once).unwrap();
            let block = strict::elements(object.get("content").unwrap()).unwrap();
            let block = strict::Object::parse(&block[0]).unwrap();
            let twin: Value = serde_json::from_str(object.get("structuredContent").unwrap().as_str()).unwrap();
            let own: Value = serde_json::from_str(&block.str("text").unwrap()).unwrap();
            prop_assert_eq!(own, twin);
        }
    }
}
