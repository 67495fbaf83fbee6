//! What holds for every document, against serde_json as the second reader.

use proptest::prelude::*;
use serde_json::Value;

use super::super::*;
use super::{read_text, value};

/// Any JSON value, written with random whitespace and random escapes.
fn documents() -> impl Strategy<Value = String> {
    let space = prop_oneof![5 => Just(""), 1 => Just(" "), 1 => Just("\n\t "), 1 => Just("\r\n")];
    let letter = prop_oneof![
        "[a-d ,:\\[\\]{}]",
        Just(r"\\".to_owned()),
        Just(r#"\""#.to_owned()),
        Just(r"\n".to_owned()),
        (0x20u32..0xd800).prop_map(|code| format!("\\u{code:04x}")),
        Just(r"\ud83d\ude00".to_owned()),
        any::<char>()
            .prop_filter("plain", |letter| *letter >= ' ' && !"\"\\".contains(*letter))
            .prop_map(String::from),
    ];
    let string =
        proptest::collection::vec(letter, 0..12).prop_map(|all| format!("\"{}\"", all.concat()));
    let scalar = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        any::<i64>().prop_map(|value| value.to_string()),
        any::<f64>()
            .prop_filter("finite", |value| value.is_finite())
            .prop_map(|value| format!("{value:e}")),
        string.clone(),
    ];
    let spaced = move |text: BoxedStrategy<String>| {
        (space.clone(), text, space.clone())
            .prop_map(|(before, text, after)| format!("{before}{text}{after}"))
    };
    scalar.prop_recursive(5, 60, 6, move |inner| {
        let value = spaced(inner.boxed());
        let member = (spaced(string.clone().boxed()), value.clone())
            .prop_map(|(key, value)| format!("{key}:{value}"));
        prop_oneof![
            proptest::collection::vec(value, 0..6).prop_map(|all| format!("[{}]", all.join(","))),
            proptest::collection::vec(member, 0..20)
                .prop_map(|all| format!("{{{}}}", all.join(","))),
        ]
    })
}

/// Whether serde_json finds a key twice in some object.
fn has_duplicates(text: &str) -> bool {
    struct Strict;
    impl<'de> serde::de::Visitor<'de> for Strict {
        type Value = bool;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("anything")
        }
        fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
            Ok(false)
        }
        fn visit_i64<E>(self, _: i64) -> Result<bool, E> {
            Ok(false)
        }
        fn visit_u64<E>(self, _: u64) -> Result<bool, E> {
            Ok(false)
        }
        fn visit_f64<E>(self, _: f64) -> Result<bool, E> {
            Ok(false)
        }
        fn visit_str<E>(self, _: &str) -> Result<bool, E> {
            Ok(false)
        }
        fn visit_unit<E>(self) -> Result<bool, E> {
            Ok(false)
        }
        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<bool, A::Error> {
            let mut twice = false;
            while let Some(inner) = seq.next_element_seed(Self)? {
                twice |= inner;
            }
            Ok(twice)
        }
        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
            let mut twice = false;
            let mut keys = std::collections::HashSet::new();
            while let Some(key) = map.next_key::<String>()? {
                twice |= !keys.insert(key) | map.next_value_seed(Self)?;
            }
            Ok(twice)
        }
    }
    impl<'de> serde::de::DeserializeSeed<'de> for Strict {
        type Value = bool;
        fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<bool, D::Error> {
            from.deserialize_any(self)
        }
    }
    let mut from = serde_json::Deserializer::from_str(text);
    serde::de::DeserializeSeed::deserialize(Strict, &mut from).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn agrees_with_serde_json_on_documents(text in documents()) {
        match read_text(text.clone()) {
            Ok(document) => {
                let plain: Value = serde_json::from_str(&text).unwrap();
                prop_assert!(!has_duplicates(&text));
                prop_assert_eq!(value(&document.text()), plain.clone());
                let small = compact(&document.text());
                prop_assert_eq!(value(&small), plain);
                prop_assert_eq!(compact(&small).bytes().as_ptr(), small.bytes().as_ptr());
            }
            Err(error) => {
                prop_assert_eq!(error.kind, JsonFault::DuplicateKey, "{}", text);
                prop_assert!(has_duplicates(&text));
            }
        }
    }

    #[test]
    fn splitting_and_writing_are_inverse(text in documents()) {
        let Ok(document) = read_text(text) else { return Ok(()) };
        if let Some(elements) = document.elements() {
            let parts: Vec<Value> = elements.iter().map(|element| value(&element.text())).collect();
            prop_assert_eq!(Value::Array(parts), value(&document.text()));
        }
        let Some(mut object) = document.object() else { return Ok(()) };
        prop_assert_eq!(Some(object.clone()), Object::parse(&document.text()));
        // Written member by member, not as the source.
        object.set("added", JsonText::null());
        object.remove("added");
        prop_assert_eq!(value(&object.to_text()), value(&document.text()));
        let again = Object::parse(&object.to_text());
        prop_assert_eq!(Some(object), again);
    }

    #[test]
    fn arbitrary_bytes_never_panic_and_are_never_read_otherwise(bytes: Vec<u8>) {
        if let Ok(document) = read_text(bytes.clone()) {
            prop_assert_eq!(value(&document.text()), serde_json::from_slice::<Value>(&bytes).unwrap());
        }
    }

    #[test]
    fn one_changed_byte_is_refused_or_read_as_serde_json_does(text in documents(), at: prop::sample::Index, byte in prop_oneof![any::<u8>(), prop::sample::select(b"{}[]\",:\\0e-u ".to_vec())]) {
        let mut bytes = text.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(document) = read_text(bytes.clone()) {
            prop_assert_eq!(value(&document.text()), serde_json::from_slice::<Value>(&bytes).unwrap());
        }
    }

    #[test]
    fn text_that_nobody_accepted_never_panics(text: String) {
        let text = JsonText::from_valid(text.into());
        let _ = (Object::parse(&text), elements(&text), compact(&text), as_str(&text), as_i64(&text), kind(&text));
    }

    #[test]
    fn quoting_and_decoding_are_inverse(text: String) {
        let quoted = quote(&text);
        prop_assert_eq!(as_str(&quoted).map(std::borrow::Cow::into_owned), Some(text));
        let accepted = read(quoted.bytes().clone(), &Limits::default());
        prop_assert!(accepted.is_ok());
    }
}
