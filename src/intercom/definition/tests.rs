//! What a digest sees, what it does not, and which definitions are flagged or unusable.

use proptest::prelude::*;
use serde_json::{Map, json};

use super::*;

fn text(json: &str) -> JsonText {
    JsonText::from_valid(Bytes::from(json.to_owned()))
}

fn read(value: &Value) -> ToolDefinition {
    ToolDefinition::read(&JsonText::of(value)).unwrap()
}

fn with_schema(schema: &Value) -> ToolDefinition {
    read(&json!({"name": "t", "inputSchema": schema}))
}

#[test]
fn names() {
    let long = "n".repeat(128);
    for good in ["a", "get_conversation", "a.b-c/d_1", long.as_str()] {
        assert_eq!(read(&json!({"name": good, "inputSchema": {}})).name, good);
    }
    let too_long = "n".repeat(129);
    let bad = ["", " a", "a b", "a\u{200b}", "a\u{430}", "a:b", "a\n", too_long.as_str()];
    for name in bad {
        let error = ToolDefinition::read(&JsonText::of(&json!({"name": name}))).unwrap_err();
        assert!(matches!(error, DefinitionError::Name(_)), "{name:?}");
    }
    for other in ["[]", "null", "\"a\""] {
        assert_eq!(ToolDefinition::read(&text(other)).unwrap_err(), DefinitionError::NotAnObject);
    }
    let huge = text(&format!(r#"{{"name":"a","x":"{}"}}"#, "x".repeat(MAX_BYTES)));
    assert!(matches!(ToolDefinition::read(&huge), Err(DefinitionError::TooLarge(_))));
}

#[test]
fn the_digest_sees_everything_but_spelling() {
    let base = r#"{"name":"t","title":"T","description":"d","inputSchema":{"type":"object","properties":{"a":{"type":"string","default":1}}},"annotations":{"readOnlyHint":true}}"#;
    let digest = |json: &str| ToolDefinition::read(&text(json)).unwrap().digest;
    let same = [
        r#"{ "title" : "T", "name": "t","annotations":{"readOnlyHint":true},"description":"d",
            "inputSchema":{"properties":{"a":{"default":1,"type":"string"}},"type":"object"} }"#,
        r#"{"n\u0061me":"t","title":"\u0054","description":"d","inputSchema":{"type":"object","properties":{"a":{"type":"string","default":1}}},"annotations":{"readOnlyHint":true}}"#,
    ];
    for json in same {
        assert_eq!(digest(json), digest(base), "{json}");
    }
    let other = [
        (r#""title":"T""#, r#""title":"T ""#),
        (r#""description":"d""#, r#""description":"D""#),
        (r#""description":"d""#, "\"description\":\"d\u{200b}\""),
        (r#""description":"d","#, ""),
        (r#""type":"string""#, r#""type":"number""#),
        (r#""default":1"#, r#""default":2"#),
        (r#""default":1"#, r#""default":1.0"#),
        (r#""default":1"#, r#""default":"1""#),
        (r#""default":1"#, r#""default":null"#),
        (r#""readOnlyHint":true"#, r#""readOnlyHint":false"#),
        (r#""readOnlyHint":true"#, r#""readOnlyHint":true,"destructiveHint":false"#),
        (r#""annotations":{"readOnlyHint":true}"#, r#""annotations":{}"#),
        (r#"{"name""#, r#"{"outputSchema":{},"name""#),
        (r#"{"name""#, r#"{"icons":[],"name""#),
        (r#"{"name""#, r#"{"_meta":{"x":1},"name""#),
        (r#"{"name""#, r#"{"anything":0,"name""#),
    ];
    for (from, to) in other {
        assert!(base.contains(from));
        assert_ne!(digest(&base.replacen(from, to, 1)), digest(base), "{to}");
    }
}

#[test]
fn mirrors() {
    let good = [
        (
            json!({"type": "object", "properties": {"value": {"type": "string", "x-mcp-header": "Value"}}}),
            vec![("Value", vec!["value"])],
        ),
        (
            json!({"properties": {"a": {"properties": {"b": {"type": "integer", "x-mcp-header": "B"}}}, "c": {"type": ["boolean", "null"], "x-mcp-header": "C-1"}}}),
            vec![("B", vec!["a", "b"]), ("C-1", vec!["c"])],
        ),
        // Data and names, not keywords.
        (json!({"properties": {"x-mcp-header": {"type": "number"}}}), vec![]),
        (
            json!({"properties": {"a": {"default": {"x-mcp-header": "A"}, "enum": [{"x-mcp-header": 1}]}}}),
            vec![],
        ),
    ];
    for (schema, expected) in good {
        let definition = with_schema(&schema);
        let expected: Vec<(String, Vec<String>)> = expected
            .into_iter()
            .map(|(name, path)| (name.into(), path.into_iter().map(String::from).collect()))
            .collect();
        assert_eq!(
            (&*definition.mirrors, definition.fault),
            (expected.as_slice(), None),
            "{schema}"
        );
    }
    let bad = [
        (
            json!({"properties": {"a": {"type": "string", "x-mcp-header": ""}}}),
            "not an HTTP header name",
        ),
        (
            json!({"properties": {"a": {"type": "string", "x-mcp-header": "A B"}}}),
            "not an HTTP header name",
        ),
        (
            json!({"properties": {"a": {"type": "string", "x-mcp-header": "A\r\nB"}}}),
            "not an HTTP header name",
        ),
        (
            json!({"properties": {"a": {"type": "string", "x-mcp-header": "\u{c4}"}}}),
            "not an HTTP header name",
        ),
        (
            json!({"properties": {"a": {"type": "string", "x-mcp-header": 1}}}),
            "not an HTTP header name",
        ),
        (json!({"properties": {"a": {"type": "number", "x-mcp-header": "A"}}}), "not on a string"),
        (json!({"properties": {"a": {"type": "object", "x-mcp-header": "A"}}}), "not on a string"),
        (json!({"properties": {"a": {"x-mcp-header": "A"}}}), "not on a string"),
        (
            json!({"properties": {"a": {"type": ["string", "integer"], "x-mcp-header": "A"}}}),
            "not on a string",
        ),
        (
            json!({"properties": {"a": {"type": "string", "x-mcp-header": "A"}, "b": {"type": "string", "x-mcp-header": "a"}}}),
            "used twice",
        ),
        (json!({"x-mcp-header": "A", "type": "string"}), "through `properties` alone"),
        (
            json!({"properties": {"a": {"items": {"type": "string", "x-mcp-header": "A"}}}}),
            "through `properties` alone",
        ),
        (
            json!({"allOf": [{"properties": {"a": {"type": "string", "x-mcp-header": "A"}}}]}),
            "through `properties` alone",
        ),
        (
            json!({"$defs": {"d": {"type": "string", "x-mcp-header": "A"}}}),
            "through `properties` alone",
        ),
        (
            json!({"properties": {"a": {"if": {"properties": {"b": {"type": "string", "x-mcp-header": "A"}}}}}}),
            "through `properties` alone",
        ),
        (
            json!({"additionalProperties": {"type": "string", "x-mcp-header": "A"}}),
            "through `properties` alone",
        ),
        (json!([]), "not an object"),
    ];
    for (schema, expected) in bad {
        let definition = with_schema(&schema);
        let fault = definition.fault.unwrap();
        assert!(fault.contains(expected), "{schema}: {fault}");
        assert!(definition.mirrors.is_empty());
    }
    assert!(read(&json!({"name": "t"})).fault.is_some(), "no schema at all");
}

#[test]
fn hidden_text_and_outside_references_are_flagged() {
    let cases = [
        (json!({"name": "t", "description": "plain, \u{e9}, \u{1f600}\nsecond line"}), vec![]),
        (
            json!({"name": "t", "description": "a\u{200b}b"}),
            vec!["`description` has invisible characters"],
        ),
        (
            json!({"name": "t", "title": "a\u{202e}b"}),
            vec!["`title` has characters that change the reading direction"],
        ),
        (
            json!({"name": "t", "description": "a\u{e0041}\u{e0042}"}),
            vec!["`description` has tag characters"],
        ),
        (
            json!({"name": "t", "inputSchema": {"properties": {"a": {"description": "x\u{200b}"}}}}),
            vec!["`inputSchema/properties/a/description` has invisible characters"],
        ),
        (
            json!({"name": "t", "inputSchema": {"properties": {"a\u{200b}": {}}}}),
            vec!["the name `inputSchema/properties/a\\u{200b}` has invisible characters"],
        ),
        (
            json!({"name": "t", "inputSchema": {"$ref": "http://127.0.0.1/x"}}),
            vec!["`inputSchema/$ref` refers to another document, `http://127.0.0.1/x`"],
        ),
        (json!({"name": "t", "outputSchema": {"$ref": "#/$defs/a"}}), vec![]),
    ];
    for (value, expected) in cases {
        assert_eq!(read(&value).warnings, expected, "{value}");
    }
    let many: Vec<String> = (0..100).map(|_| String::from("\u{200b}")).collect();
    assert_eq!(read(&json!({"name": "t", "x": many})).warnings.len(), MAX_WARNINGS);
}

#[test]
fn agents_are_shown_our_hints_and_the_upstreams_text() {
    let lying = text(
        r#"{"name":"update_article", "description":"d\u0041", "inputSchema":{"type" : "object"},"annotations":{"title":"U","readOnlyHint":true,"destructiveHint":false}}"#,
    );
    let shown = present(&ToolDefinition::read(&lying).unwrap());
    assert!(shown.as_str().contains(r#""description":"d\u0041""#), "{}", shown.as_str());
    assert!(shown.as_str().contains(r#""inputSchema":{"type" : "object"}"#));
    let value: Value = serde_json::from_str(shown.as_str()).unwrap();
    assert_eq!(
        value["annotations"],
        json!({"title": "U", "readOnlyHint": false, "destructiveHint": true, "idempotentHint": true, "openWorldHint": true})
    );
    let bare = present(&read(&json!({"name": "get_contact", "inputSchema": {}})));
    let value: Value = serde_json::from_str(bare.as_str()).unwrap();
    assert_eq!(value["annotations"]["readOnlyHint"], json!(true));
    let foreign = text(r#"{"name":"other","inputSchema":{}, "annotations":{"readOnlyHint":true}}"#);
    assert_eq!(present(&ToolDefinition::read(&foreign).unwrap()), foreign);
}

#[test]
fn pretty_text_is_sorted_and_shows_what_is_hidden() {
    let definition =
        read(&json!({"name": "t", "description": "a\u{200b}\u{e0041}", "b": [], "a": [1]}));
    let expected = "{\n  \"a\": [\n    1\n  ],\n  \"b\": [],\n  \"description\": \"a\\u200b\\udb40\\udc41\",\n  \"name\": \"t\"\n}";
    assert_eq!(definition.pretty(), expected);
}

/// JSON values of a few levels.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "\\PC{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("\\PC{0,4}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Writes a value with its keys turned around, odd whitespace and every letter escaped.
fn respelled(value: &Value, out: &mut String) {
    let quote = |text: &str| -> String {
        let units = text.encode_utf16().map(|unit| format!("\\u{unit:04X}"));
        format!("\"{}\"", units.collect::<String>())
    };
    match value {
        Value::Object(members) => {
            out.push_str("{ ");
            for (at, (key, member)) in members.iter().rev().enumerate() {
                out.push_str(if at > 0 { "\t,\n" } else { "" });
                out.push_str(&quote(key));
                out.push_str(" : ");
                respelled(member, out);
            }
            out.push_str(" }");
        }
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at > 0 { " , " } else { "\r\n" });
                respelled(item, out);
            }
            out.push(']');
        }
        Value::String(text) => out.push_str(&quote(text)),
        other => out.push_str(&other.to_string()),
    }
}

/// Changes one place of a value, chosen by `at`.
fn mutate(value: &mut Value, at: &mut usize) -> bool {
    if *at == 0 {
        *value = match value.take() {
            Value::Null => json!(false),
            Value::Bool(it) => json!(!it),
            Value::Number(it) => json!(it.as_i64().unwrap_or_default().wrapping_add(1)),
            Value::String(it) => json!(it + "x"),
            Value::Array(mut it) => {
                it.push(Value::Null);
                Value::Array(it)
            }
            Value::Object(mut it) => {
                let name = (0..).map(|n| format!("new{n}")).find(|name| !it.contains_key(name));
                it.insert(name.unwrap(), Value::Null);
                Value::Object(it)
            }
        };
        return true;
    }
    *at -= 1;
    match value {
        Value::Array(items) => items.iter_mut().any(|item| mutate(item, at)),
        Value::Object(members) => members.values_mut().any(|member| mutate(member, at)),
        _ => false,
    }
}

proptest! {
    #[test]
    fn any_spelling_has_the_same_digest_and_any_change_another(extra in values(), at in 0usize..40) {
        let mut members = Map::new();
        members.insert("name".into(), json!("t"));
        members.insert("inputSchema".into(), json!({"type": "object"}));
        members.insert("extra".into(), extra);
        let mut value = Value::Object(members);
        let digest = read(&value).digest;
        let mut other = String::new();
        respelled(&value, &mut other);
        prop_assert_eq!(ToolDefinition::read(&text(&other)).unwrap().digest, digest);
        let mut at = at;
        if mutate(&mut value["extra"], &mut at) {
            prop_assert_ne!(read(&value).digest, digest);
        }
    }
}
