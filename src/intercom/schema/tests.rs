//! Schemas that are refused, and what is said of arguments that do not fit.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde_json::json;

use super::*;

fn compile(schema: &Value) -> Result<Schema, SchemaError> {
    Schema::compile(&JsonText::of(schema))
}

fn problems(schema: &Value, arguments: &Value) -> Vec<String> {
    compile(schema).unwrap().problems(arguments)
}

#[test]
fn problems_say_what_is_wrong_and_what_is_expected() {
    let schema = json!({
        "type": "object",
        "properties": {
            "per_page": {"type": "integer", "minimum": 1, "maximum": 150},
            "state": {"enum": ["open", "closed", "snoozed"]},
            "time": {"type": "object", "properties": {"value": {"type": "number"}}, "required": ["value"], "additionalProperties": false},
            "ids": {"type": "array", "items": {"type": "string", "minLength": 1}, "maxItems": 2, "uniqueItems": true},
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "code": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 5},
            "either": {"anyOf": [{"properties": {"a": {"type": "string"}}}, {"type": "null"}]},
            "flag": {"const": true},
            "both": {"type": ["string", "integer"]},
            "never": false
        },
        "required": ["per_page"],
        "dependentRequired": {"state": ["flag"]},
        "additionalProperties": false
    });
    let cases = [
        (json!({"per_page": 5}), vec![]),
        (json!({}), vec!["`per_page` is missing"]),
        (json!({"per_page": "5"}), vec!["`per_page` must be a whole number"]),
        (json!({"per_page": 1.5}), vec!["`per_page` must be a whole number"]),
        (json!({"per_page": 0}), vec!["`per_page` must be at least 1"]),
        (json!({"per_page": 151}), vec!["`per_page` must be at most 150"]),
        (
            json!({"per_page": 5, "state": "new", "flag": true}),
            vec!["`state` must be one of `open`, `closed`, `snoozed`"],
        ),
        (json!({"per_page": 5, "state": "open"}), vec!["`flag` is missing"]),
        (json!({"per_page": 5, "time": {}}), vec!["`time.value` is missing"]),
        (json!({"per_page": 5, "time": {"value": "x"}}), vec!["`time.value` must be a number"]),
        (
            json!({"per_page": 5, "time": {"value": 1, "unit": 2}}),
            vec!["`time.unit` is not an argument of this tool"],
        ),
        (json!({"per_page": 5, "ids": ["a", 2]}), vec!["`ids[1]` must be a string"]),
        (json!({"per_page": 5, "ids": [""]}), vec!["`ids[0]` must not be empty"]),
        (json!({"per_page": 5, "ids": ["a", "b", "c"]}), vec!["`ids` must have at most 2 items"]),
        (json!({"per_page": 5, "ids": ["a", "a"]}), vec!["`ids` must not repeat an item"]),
        (json!({"per_page": 5, "note": 1}), vec!["`note` must be a string, or must be null"]),
        (
            json!({"per_page": 5, "either": {"a": 1}}),
            vec!["`either` fits none of the forms that its schema allows"],
        ),
        (json!({"per_page": 5, "code": "ABC"}), vec!["`code` must match the pattern `^[a-z]+$`"]),
        (json!({"per_page": 5, "code": "abcdef"}), vec!["`code` must have at most 5 characters"]),
        (json!({"per_page": 5, "flag": false}), vec!["`flag` must be true"]),
        (json!({"per_page": 5, "both": []}), vec!["`both` must be a whole number or a string"]),
        (json!({"per_page": 5, "never": 1}), vec!["`never` is not allowed here"]),
        (
            json!({"per_page": 5, "perpage": 5}),
            vec!["`perpage` is not an argument of this tool; did you mean `per_page`?"],
        ),
        (json!([]), vec!["the arguments must be an object"]),
    ];
    for (arguments, expected) in cases {
        assert_eq!(problems(&schema, &arguments), expected, "{arguments}");
    }
    let none = json!({"type": "object", "additionalProperties": false});
    assert_eq!(problems(&none, &json!({"a": 1})), ["this tool takes no arguments"]);
    let unknown = problems(&schema, &json!({"per_page": 5, "xyz": 1})).join("");
    assert!(
        unknown.starts_with("`xyz` is not an argument of this tool, which takes `both`"),
        "{unknown}"
    );
}

#[test]
fn problems_are_few_short_and_without_values() {
    let schema = json!({"type": "object", "properties": {"ids": {"items": {"type": "string", "enum": ["a"]}}}});
    let secret = "jane.doe@example.com".repeat(50);
    let many = problems(&schema, &json!({"ids": vec![json!(7); 100]}));
    assert_eq!((many.len(), many[4].as_str()), (5, "and more"));
    let text = problems(&schema, &json!({"ids": [secret]})).join("; ");
    assert!(!text.contains("jane"), "{text}");
    let name = "\u{202e}".to_owned() + &"n".repeat(500);
    let closed = json!({"type": "object", "properties": {"a": {}}, "additionalProperties": false});
    let text = problems(&closed, &json!({ name: 1 })).join("; ");
    assert!(text.starts_with("`\\u{202e}nnn") && text.len() < 200, "{text}");
}

#[test]
fn local_references_and_recursion_work() {
    let cases = [
        json!({"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": {"A": {"type": "string"}}}),
        json!({"type": "object", "properties": {"a": {"$ref": "#A"}}, "$defs": {"A": {"$anchor": "A", "type": "string"}}}),
        json!({"$id": "https://example.com/s", "type": "object", "properties": {"a": {"$ref": "https://example.com/s#/$defs/A"}}, "$defs": {"A": {"type": "string"}}}),
        json!({"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "properties": {"a": {"allOf": [{"type": "string"}]}}}),
        json!({"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "properties": {"a": {"$ref": "#/definitions/A"}}, "definitions": {"A": {"type": "string"}}}),
    ];
    for schema in cases {
        assert_eq!(problems(&schema, &json!({"a": "x"})), Vec::<String>::new(), "{schema}");
        assert_eq!(problems(&schema, &json!({"a": 1})), ["`a` must be a string"], "{schema}");
    }
    let tree = json!({
        "type": "object",
        "properties": {"and": {"type": "array", "items": {"$ref": "#"}}, "or": {"type": "array", "items": {"$ref": "#"}}, "leaf": {"type": "string"}},
        "additionalProperties": false
    });
    assert!(problems(&tree, &json!({"and": [{"or": [{"leaf": "x"}]}]})).is_empty());
    assert_eq!(
        problems(&tree, &json!({"and": [{"or": [{"leaf": 1}]}]})),
        ["`and[0].or[0].leaf` must be a string"]
    );
}

/// `$defs` of `n` steps, each applying the next one twice.
fn doubling(n: usize) -> Value {
    let mut defs = serde_json::Map::new();
    for step in 0..n {
        let next = json!({"$ref": format!("#/$defs/d{}", step + 1)});
        defs.insert(format!("d{step}"), json!({"allOf": [next, next]}));
    }
    defs.insert(format!("d{n}"), json!({"type": "object"}));
    json!({"$ref": "#/$defs/d0", "$defs": defs})
}

fn nested(depth: usize) -> Value {
    (0..depth).fold(json!({}), |inner, _| json!({"properties": {"a": inner}}))
}

fn chain(n: usize) -> Value {
    let mut defs = serde_json::Map::new();
    for step in 0..n {
        defs.insert(format!("d{step}"), json!({"$ref": format!("#/$defs/d{}", step + 1)}));
    }
    defs.insert(format!("d{n}"), json!({}));
    json!({"$ref": "#/$defs/d0", "$defs": defs})
}

#[test]
fn hostile_schemas_are_refused_fast() {
    let wide: serde_json::Map<String, Value> =
        (0..5_000).map(|n| (format!("p{n}"), json!({"type": "string"}))).collect();
    let patterns: serde_json::Map<String, Value> =
        (0..201).map(|n| (format!("p{n}"), json!({"pattern": "a"}))).collect();
    let mut lattice = json!({});
    for _ in 0..20 {
        let branch = json!({"properties": {"a": lattice}});
        lattice = json!({"allOf": [branch.clone(), branch]});
        if lattice.to_string().len() > 100_000 {
            break;
        }
    }
    let mut huge = String::from("{\"description\":\"");
    let _ = write!(huge, "{}\"}}", "x".repeat(MAX_BYTES));
    let cases: Vec<(&str, Value, &str)> = vec![
        (
            "network",
            json!({"properties": {"a": {"$ref": "http://127.0.0.1:9/x.json"}}}),
            "outside of it",
        ),
        ("file", json!({"$ref": "file:///etc/passwd"}), "outside of it"),
        ("relative", json!({"$ref": "other.json#/a"}), "outside of it"),
        (
            "in unused definitions",
            json!({"$defs": {"a": {"$ref": "https://x.example/"}}}),
            "outside of it",
        ),
        ("unknown dialect", json!({"$schema": "http://127.0.0.1:9/meta"}), "not valid"),
        (
            "nested id",
            json!({"properties": {"a": {"$id": "https://x.example/a"}}}),
            "`$id` below its root",
        ),
        ("recursive ref", json!({"properties": {"a": {"$recursiveRef": "#"}}}), "$recursiveRef"),
        ("dangling", json!({"$ref": "#/$defs/none"}), "does not have"),
        ("dangling anchor", json!({"$ref": "#none"}), "does not have"),
        ("self", json!({"$ref": "#"}), "without end"),
        ("self by allOf", json!({"allOf": [{"$ref": "#"}, {"$ref": "#"}]}), "without end"),
        (
            "two in a circle",
            json!({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"not": {"$ref": "#/$defs/a"}}}}),
            "without end",
        ),
        (
            "dynamic circle",
            json!({"$dynamicAnchor": "n", "anyOf": [{"$dynamicRef": "#n"}]}),
            "without end",
        ),
        ("doubling", doubling(40), "branches"),
        ("long chain", chain(1_000), "branches"),
        ("lattice", lattice, "subschemas"),
        ("deep", nested(60), "levels deep"),
        ("wide", json!({"properties": wide}), "subschemas"),
        ("patterns", json!({"properties": patterns}), "patterns"),
        ("name pattern", json!({"patternProperties": {"(?=a)b": {}}}), "linear time"),
        ("huge", serde_json::from_str(&huge).unwrap(), "KiB"),
        ("not an object", json!(true), "not a JSON object"),
        ("not a schema", json!({"type": 5}), "not valid"),
        ("not a schema below", json!({"properties": {"a": {"required": "x"}}}), "not valid"),
    ];
    for (name, schema, expected) in cases {
        let start = Instant::now();
        let error = compile(&schema).expect_err(name).to_string();
        assert!(error.contains(expected), "{name}: {error}");
        assert!(start.elapsed() < Duration::from_secs(2), "{name}: {:?}", start.elapsed());
    }
}

#[test]
fn exponential_recursion_is_stopped_by_the_size_of_the_arguments() {
    // Each level of the arguments doubles the work: 2^n for n levels.
    let schema = json!({
        "type": "object",
        "properties": {"a": {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}}
    });
    let schema = compile(&schema).unwrap();
    let deep = |n: usize| (0..n).fold(json!({}), |inner, _| json!({"a": inner}));
    assert!(schema.problems(&deep(5)).is_empty());
    let start = Instant::now();
    let problems = schema.problems(&deep(60));
    assert_eq!(problems, ["the arguments are too large or too deeply nested to be checked"]);
    for n in 0..60 {
        schema.problems(&deep(n));
    }
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn the_deepest_accepted_chain_fits_an_ordinary_stack() {
    let steps = 350;
    let schema = chain(steps);
    let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024);
    let problems = thread.spawn(move || compile(&schema).unwrap().problems(&json!({}))).unwrap();
    assert_eq!(problems.join().unwrap(), Vec::<String>::new());
}

#[test]
fn patterns_that_need_backtracking_are_left_to_the_upstream() {
    let schema = json!({"type": "object", "properties": {
        "email": {"type": "string", "pattern": "^(?!\\.)(?!.*\\.\\.)[a-z]+@[a-z]+$"},
        "word": {"type": "string", "pattern": "^(a+)+$"}
    }});
    let schema = compile(&schema).unwrap();
    assert_eq!(schema.notes.len(), 1);
    assert!(schema.notes[0].contains("/properties/email"), "{:?}", schema.notes);
    assert!(schema.problems(&json!({"email": "anything"})).is_empty());
    let start = Instant::now();
    assert_eq!(schema.problems(&json!({"word": "a".repeat(100_000) + "!"})).len(), 1);
    assert!(start.elapsed() < Duration::from_secs(2));
}
