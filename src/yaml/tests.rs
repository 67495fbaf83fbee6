//! YAML: positions, faults, bounds.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn faults(text: &str) -> Vec<String> {
    let limits = Limits { max_bytes: 300, max_depth: 4 };
    read(text, &limits).faults.iter().map(ToString::to_string).collect()
}

#[test]
fn positions_are_those_of_an_editor() {
    let node = read("a: 1\nb:\n  - x\n  - {k: \"v\"}\n", &Limits::default()).into_result().unwrap();
    let Value::Map(entries) = node.value else { panic!("a mapping") };
    let seen: Vec<_> = entries
        .iter()
        .map(|entry| (entry.key.as_str(), entry.key_at.to_string(), entry.node.at.to_string()))
        .collect();
    assert_eq!(seen, [("a", "1:1".into(), "1:4".into()), ("b", "2:1".into(), "3:3".into())]);
    let Value::List(items) = &entries[1].node.value else { panic!("a list") };
    let Value::Map(inner) = &items[1].value else { panic!("a mapping") };
    assert_eq!(
        (inner[0].key_at.to_string(), inner[0].node.at.to_string()),
        ("4:6".into(), "4:9".into())
    );
}

#[test]
fn what_readers_understand_differently_is_refused() {
    for (text, expected) in [
        ("a: 1\na: 2", "2:1: the key `a` is here twice; keep one of them"),
        ("a: 1\n\"\\u0061\": 2", "2:1: the key `a` is here twice; keep one of them"),
        ("b: {x: 1, x: 2}", "1:11: the key `x` is here twice; keep one of them"),
        (
            "a: &x 1",
            "1:7: anchors and aliases (`&name`, `*name`) are not accepted; write the value out",
        ),
        ("<<: {a: 1}", "1:1: merge keys (`<<`) are not accepted; write the values out"),
        ("a: !!str 1", "1:10: tags (`!name`) are not accepted; remove it"),
        ("a: 1\n---\nb: 2", "2:1: a second document begins here; keep one document in a file"),
        ("[a]: 1", "1:1: a key must be text, not a list or a mapping"),
        ("a: [[[[1]]]]", "1:7: more than 4 levels deep; make it flatter"),
        (
            "a: 1\nb: \0c",
            "2:4: the invisible character U+0000 is not accepted; remove it, or write it as an escape in double quotes",
        ),
    ] {
        assert_eq!(faults(text), [expected], "{text}");
    }
    assert_eq!(faults("a: [1\nb: }").len(), 1);
    assert!(faults(&"#".repeat(301))[0].contains("larger than 300 bytes"));
}

#[test]
fn faults_that_leave_the_structure_clear_are_collected() {
    let reading = read("a: &x 1\nb: *x\nc: 1\nc: 2\nd: 3", &Limits::default());
    assert_eq!(reading.faults.len(), 3);
    let Value::Map(entries) = reading.node.unwrap().value else { panic!("a mapping") };
    assert_eq!(entries.last().unwrap().key, "d");
}

#[test]
fn scalars_follow_the_core_schema() {
    let text = "[1, -2, 1.5, 1e3, 0x1f, 0o17, true, no, ~, null, '', \"7\", 1.2.3, +5, .5, 5., 1_000, 0, -0]";
    let expected = json!([
        1, -2, 1.5, 1000.0, 31, 15, true, "no", null, null, "", "7", "1.2.3", 5, 0.5, 5.0, "1_000",
        0, 0
    ]);
    let node = read(text, &Limits::default()).into_result();
    assert_eq!(node.unwrap().to_json().unwrap(), expected);
    for odd in
        ["007", "18446744073709551616", ".inf", "-.Inf", ".nan", "1e999", "-9223372036854775809"]
    {
        let node = read(odd, &Limits::default()).into_result().unwrap();
        assert!(node.to_json().is_err(), "{odd}");
    }
}

#[test]
fn empty_texts_are_null() {
    for text in ["", "# only a comment\n", "---\n", "\u{feff}"] {
        assert!(read(text, &Limits::default()).into_result().unwrap().is_null(), "{text:?}");
    }
}

fn values() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|value| json!(value)),
        any::<i64>().prop_map(|value| json!(value)),
        "[ -~]{0,12}".prop_map(|value| json!(value)),
        "\\PC{0,6}".prop_map(|value| json!(value)),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(|items| json!(items)),
            proptest::collection::btree_map("[a-z]{1,6}", inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

proptest! {
    #[test]
    fn json_is_yaml(value in values()) {
        let text = serde_json::to_string(&value).unwrap();
        let node = read(&text, &Limits::default()).into_result();
        prop_assert_eq!(node.unwrap().to_json().unwrap(), value);
    }

    #[test]
    fn no_text_panics(text in "[-:&*!|>{}\\[\\]'\"a-c0-9#\n \t~<,?%@]{0,60}") {
        let _ = read(&text, &Limits::default());
    }
}

#[test]
fn hostile_texts_are_refused_at_full_size() {
    let most = Limits::default().max_bytes;
    for (unit, expected) in [
        ("[", "recursion limit"),
        ("{", "recursion limit"),
        ("a: {", "more than 32 levels deep"),
        ("[a, ", "recursion limit"),
        ("- ", "more than 32 levels deep"),
        ("? ", "more than 32 levels deep"),
        ("&a ", "not YAML"),
        ("'", ""),
        ("\"\\", "not YAML"),
        ("- a\n", ""),
    ] {
        let reading = read(&unit.repeat(most / unit.len()), &Limits::default());
        let last = reading.faults.last().map(|fault| fault.text.clone()).unwrap_or_default();
        assert!(
            last.contains(expected) && last.is_empty() == expected.is_empty(),
            "{unit}: {last}"
        );
    }
}
