//! What the strict reader accepts and refuses, row by row, and its agreement with serde_json.

mod properties;

use serde_json::Value;

use super::*;

fn read_text(text: impl Into<Vec<u8>>) -> Result<Document, JsonError> {
    read(Bytes::from(text.into()), &Limits::default())
}

fn json(text: &str) -> JsonText {
    read_text(text).unwrap().text()
}

fn value(text: &JsonText) -> Value {
    serde_json::from_slice(text.bytes()).unwrap()
}

/// Documents that must be read, and read as serde_json reads them.
const ACCEPTED: &[&str] = &[
    // Scalars and structure.
    "null",
    "true",
    "false",
    "0",
    "\"\"",
    "[]",
    "{}",
    " [ ] ",
    "\t{\r\n}\n",
    "[null,1,\"1\",{}]",
    "[[[[[]]]]]",
    r#"{"a":1}"#,
    r#"{"":0}"#,
    r#"{"a":{"a":{"a":1}}}"#,
    r#"{"a":[{"a":1},{"a":2}]}"#,
    r#"{"a":1,"A":2,"a ":3}"#,
    r#"{"__proto__":{},"constructor":[]}"#,
    r#"[1 , 2 ,3 ]"#,
    "{ \"a\" :\n1 }",
    // Numbers.
    "-0",
    "-1",
    "10",
    "1.0",
    "1.5e3",
    "1E5",
    "1e-5",
    "1E+2",
    "0e1",
    "0.0",
    "-0.0",
    "0.5",
    "1e308",
    "1e-400",
    "123456789012345678",
    "9007199254740991",
    "9007199254740992",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "-9223372036854775808",
    "18446744073709551616.0",
    "0.1000000000000000055511151231257827021181583404541015625",
    "-0.000000000000000000000000000000000000000000000000000000000000000000000000000001",
    "1.7976931348623157e308",
    // Strings.
    r#""\"\\\/\b\f\n\r\t""#,
    r#""\u0000""#,
    r#""\u00e9""#,
    r#""\ud834\udd1e""#,
    r#""\uD834\uDD1E""#,
    r#""\uFFFF""#,
    r#""a\u0020b""#,
    "\"\u{7f}\"",
    "\"\u{2028}\u{2029}\"",
    "\"\u{10ffff}\"",
    "\"\u{fffe}\"",
    "\"/*no comment*/\"",
    "\"\u{e9} \u{4e2d}\u{6587} \u{1f600}\"",
    r#""\\u0061""#,
    // Keys that look alike and are not.
    r#"{"a":1,"\u0041":2}"#,
    r#"{"\u0000":1,"":2}"#,
    "{\"e\u{301}\":1,\"\u{e9}\":2}",
    r#"{"a\\":1,"a":2}"#,
    r#"{"name":1,"n\u0061mes":2}"#,
];

/// Documents that must be refused, each with the fault's code.
const REFUSED: &[(&[u8], &str)] = &[
    // Structure.
    (b"", "unexpected_end"),
    (b"  ", "unexpected_end"),
    (b"[", "unexpected_end"),
    (b"{", "unexpected_end"),
    (b"[1", "unexpected_end"),
    (b"[1,", "unexpected_end"),
    (br#"{"a""#, "unexpected_end"),
    (br#"{"a":"#, "unexpected_end"),
    (br#"{"a":1"#, "unexpected_end"),
    (br#"{"a":1,"#, "unexpected_end"),
    (b"[1,]", "syntax"),
    (b"[,1]", "syntax"),
    (b"[1 2]", "syntax"),
    (b"[1:2]", "syntax"),
    (b"]", "syntax"),
    (b"[1}", "syntax"),
    (br#"{"a":1]"#, "syntax"),
    (br#"{"a":1,}"#, "syntax"),
    (br#"{"a" 1}"#, "syntax"),
    (br#"{"a":}"#, "syntax"),
    (br#"{a:1}"#, "syntax"),
    (br#"{'a':1}"#, "syntax"),
    (br#"{1:1}"#, "syntax"),
    (br#"{"a","b"}"#, "syntax"),
    (br#"{"a"::1}"#, "syntax"),
    (br#"{,}"#, "syntax"),
    (br#"{null:1}"#, "syntax"),
    (b"[1,,2]", "syntax"),
    (b"{} {}", "trailing_bytes"),
    (b"1 2", "trailing_bytes"),
    (b"[]]", "trailing_bytes"),
    (b"{}#", "trailing_bytes"),
    (b"{}\0", "trailing_bytes"),
    (b"\"a\"b", "trailing_bytes"),
    (b"{}{}", "trailing_bytes"),
    (b"// x\n1", "syntax"),
    (b"/**/1", "syntax"),
    (b"1 // x", "trailing_bytes"),
    (b"[1 /* x */]", "syntax"),
    // Literals.
    (b"nul", "syntax"),
    (b"True", "syntax"),
    (b"NULL", "syntax"),
    (b"nullx", "trailing_bytes"),
    (b"undefined", "syntax"),
    (b"'a'", "syntax"),
    (b"*", "syntax"),
    // Numbers.
    (b"+1", "syntax"),
    (b".5", "syntax"),
    (b"NaN", "syntax"),
    (b"Infinity", "syntax"),
    (b"-", "bad_number"),
    (b"-Infinity", "bad_number"),
    (b"-a", "bad_number"),
    (b"1.", "bad_number"),
    (b"1.e5", "bad_number"),
    (b"1e", "bad_number"),
    (b"1e+", "bad_number"),
    (b"01", "bad_number"),
    (b"-01", "bad_number"),
    (b"00", "bad_number"),
    (b"0x10", "trailing_bytes"),
    (b"1_000", "trailing_bytes"),
    (b"1e1.5", "trailing_bytes"),
    (b"[1a]", "syntax"),
    (b"18446744073709551616", "number_range"),
    (b"-9223372036854775809", "number_range"),
    (b"1e400", "number_range"),
    (b"-1e400", "number_range"),
    (b"[1e309]", "number_range"),
    (b"1e99999999999999999999", "number_range"),
    (b"\xef\xbc\x91", "syntax"),
    // Strings.
    (b"\"", "unexpected_end"),
    (b"\"a", "unexpected_end"),
    (b"\"\\", "unexpected_end"),
    (b"\"\\\"", "unexpected_end"),
    (b"\"\n\"", "control_character"),
    (b"\"\t\"", "control_character"),
    (b"\"\0\"", "control_character"),
    (b"\"\x1f\"", "control_character"),
    (br#""\x41""#, "bad_escape"),
    (br#""\a""#, "bad_escape"),
    (br#""\U0041""#, "bad_escape"),
    (br#""\u""#, "bad_escape"),
    (br#""\u00""#, "bad_escape"),
    (br#""\u00g0""#, "bad_escape"),
    (br#""\u+041""#, "bad_escape"),
    (br#""\'""#, "bad_escape"),
    (b"\"\\\n\"", "bad_escape"),
    (br#""\ud800""#, "lone_surrogate"),
    (br#""\udc00""#, "lone_surrogate"),
    (br#""\ud800\ud800""#, "lone_surrogate"),
    (br#""\ud834x""#, "lone_surrogate"),
    (br#""\ud834\n""#, "lone_surrogate"),
    (br#""\ud834\u0041""#, "lone_surrogate"),
    (br#""\udd1e\ud834""#, "lone_surrogate"),
    (br#""\ud834\u""#, "lone_surrogate"),
    (br#""\ud834\ue000""#, "lone_surrogate"),
    (br#""\ud834\udbff""#, "lone_surrogate"),
    (br#""\udbff\udfff\udfff""#, "lone_surrogate"),
    (br#"{"\ud800":1}"#, "lone_surrogate"),
    // Encodings.
    (b"\xef\xbb\xbf{}", "byte_order_mark"),
    (b"\xff\xfe{\0}\0", "invalid_utf8"),
    (b"{\0}\0", "syntax"),
    (b"\0{\0}", "syntax"),
    (b"\"\xff\"", "invalid_utf8"),
    (b"\"\xc0\x80\"", "invalid_utf8"),
    (b"\"\xc1\xbf\"", "invalid_utf8"),
    (b"\"\xe0\x80\x80\"", "invalid_utf8"),
    (b"\"\xed\xa0\x80\"", "invalid_utf8"),
    (b"\"\xf4\x90\x80\x80\"", "invalid_utf8"),
    (b"\"\xc3\"", "invalid_utf8"),
    (b"\"\xe9\"", "invalid_utf8"),
    (b"+AHs-", "syntax"),
    (b"[\xc2\xa0]", "syntax"),
    (b"[\x0b]", "syntax"),
    (b"[\xe2\x81\xa0]", "syntax"),
    (b"[\x0c]", "syntax"),
    // Duplicate keys, in every spelling and place.
    (br#"{"a":1,"a":1}"#, "duplicate_key"),
    (br#"{"a":1,"\u0061":2}"#, "duplicate_key"),
    (br#"{"\u0061":1,"a":2}"#, "duplicate_key"),
    (br#"{"\u0061":1,"\u0061":2}"#, "duplicate_key"),
    (br#"{"":1,"":2}"#, "duplicate_key"),
    (br#"{"/":1,"\/":2}"#, "duplicate_key"),
    (br#"{"\u00e9":1,"\u00E9":2}"#, "duplicate_key"),
    (b"{\"\\u00e9\":1,\"\xc3\xa9\":2}", "duplicate_key"),
    (br#"{"\ud83d\ude00":1,"\uD83D\uDE00":2}"#, "duplicate_key"),
    (b"{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":2}", "duplicate_key"),
    (br#"[{"a":{"b":[{"c":1,"d":2,"c":3}]}}]"#, "duplicate_key"),
    (br#"{"a":{"x":1},"b":2,"a":3}"#, "duplicate_key"),
    (br#"{"name":"a","arguments":{},"\u006eame":"b"}"#, "duplicate_key"),
    (br#"{"conversation_id":1,"conversation_ix":2,"conversation_id":3}"#, "duplicate_key"),
    (br#"{"a":1,"b":{"a":2,"b":{"a":3,"b":4,"a":5}}}"#, "duplicate_key"),
];

#[test]
fn accepts_what_serde_json_reads_the_same_way() {
    for text in ACCEPTED {
        let document = read_text(*text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let plain: Value = serde_json::from_str(text).unwrap();
        assert_eq!(value(&document.text()), plain, "{text}");
        assert_eq!(document.text().as_str(), text.trim(), "{text}");
        let wrapped = format!("{{\"k\":[{text}],\"l\":{text}}}");
        assert!(read_text(wrapped.clone()).is_ok(), "{wrapped}");
    }
}

#[test]
fn refuses_with_the_right_name() {
    for (text, code) in REFUSED {
        let shown = String::from_utf8_lossy(text);
        let error = read_text(*text).expect_err(&shown);
        assert_eq!(error.kind.code(), *code, "{shown}: {error}");
        assert!(error.offset <= text.len(), "{shown}: {error}");
        // A fault stays one inside something else; what ends a document ends it there as well.
        let inside = [b"{\"k\":".as_slice(), text, b"}"].concat();
        assert!(read_text(inside).is_err(), "{shown} as a value");
    }
}

#[test]
fn limits_hold_at_their_edges() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let objects = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    for deep in [nested, objects] {
        assert!(read_text(deep(64)).is_ok());
        for depth in [65, 1_000, 100_000] {
            assert_eq!(read_text(deep(depth)).unwrap_err().kind, JsonFault::TooDeep);
        }
    }
    assert_eq!(read_text("[".repeat(100_000)).unwrap_err().kind, JsonFault::TooDeep);
    let limits = Limits { max_bytes: 8, max_depth: 1, ..Limits::default() };
    assert!(read(Bytes::from_static(b"[12345 ]"), &limits).is_ok());
    let error = read(Bytes::from_static(b"[123456 ]"), &limits).unwrap_err();
    assert_eq!(error.kind, JsonFault::TooLarge);
    assert_eq!(read_text("1".repeat(401)).unwrap_err().kind, JsonFault::NumberRange);
    assert_eq!(
        read_text(format!("0.{}", "1".repeat(500))).unwrap_err().kind,
        JsonFault::NumberRange
    );
}

#[test]
fn many_keys_are_told_apart_at_every_count() {
    for count in [2, 15, 16, 17, 18, 40, 63, 64, 65, 66, 100_000] {
        let members: Vec<String> =
            (0..count).map(|index| format!("\"k{index}\":{index}")).collect();
        let text = format!("{{{}}}", members.join(","));
        let object = read_text(text.clone()).unwrap().object().unwrap();
        assert_eq!(object.len(), count);
        for repeated in [0, count / 2, count - 1] {
            let text = format!("{{{},\"\\u006b{repeated}\":0}}", members.join(","));
            assert_eq!(
                read_text(text).unwrap_err().kind,
                JsonFault::DuplicateKey,
                "{count} {repeated}"
            );
        }
        // The keys of an object that ended do not count for its neighbours.
        assert!(read_text(format!("[{text},{{\"in\":{text},\"k0\":1}}]")).is_ok());
    }
}

#[test]
fn error_texts_never_repeat_the_document() {
    let error = read_text(r#"{"secret":1,"secret":2}"#).unwrap_err();
    assert_eq!(error.to_string(), "duplicate key in an object at byte 12");
}

#[test]
fn questions_to_a_value() {
    type Row = (&'static str, Kind, Option<&'static str>, Option<bool>, Option<i64>);
    let rows: &[Row] = &[
        ("null", Kind::Null, None, None, None),
        ("true", Kind::Bool, None, Some(true), None),
        ("false", Kind::Bool, None, Some(false), None),
        ("7", Kind::Number, None, None, Some(7)),
        ("-0", Kind::Number, None, None, Some(0)),
        ("7.0", Kind::Number, None, None, Some(7)),
        ("7e2", Kind::Number, None, None, Some(700)),
        ("-1.5", Kind::Number, None, None, None),
        ("1e300", Kind::Number, None, None, None),
        ("9223372036854775807", Kind::Number, None, None, Some(i64::MAX)),
        ("18446744073709551615", Kind::Number, None, None, None),
        ("\"7\"", Kind::String, Some("7"), None, None),
        (r#""a\u00e9\"""#, Kind::String, Some("a\u{e9}\""), None, None),
        ("\"\"", Kind::String, Some(""), None, None),
        ("[]", Kind::Array, None, None, None),
        ("{}", Kind::Object, None, None, None),
    ];
    for (text, of_kind, string, boolean, integer) in rows {
        let value = json(text);
        assert_eq!(kind(&value), *of_kind, "{text}");
        assert_eq!(as_str(&value).as_deref(), *string, "{text}");
        assert_eq!(as_bool(&value), *boolean, "{text}");
        assert_eq!(as_i64(&value), *integer, "{text}");
        assert_eq!(is_null(&value), *of_kind == Kind::Null, "{text}");
    }
}

#[test]
fn an_object_is_changed_without_touching_the_rest() {
    let text = json(r#"{ "a" : 1.50 , "\u0062" : "x\/y", "c":{ "d" : [ ] } }"#);
    let mut object = Object::parse(&text).unwrap();
    assert_eq!(object.to_text(), text, "unchanged: the very bytes");
    assert_eq!(object.iter().map(|(key, _)| key).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(object.str("b").as_deref(), Some("x/y"));
    object.set("a", json("2"));
    object.set("e\"", json("null"));
    assert_eq!(object.remove("missing"), None);
    let written = r#"{"a":2,"\u0062":"x\/y","c":{ "d" : [ ] },"e\"":null}"#;
    assert_eq!(object.to_text().as_str(), written);
    assert_eq!(object.remove("b").unwrap().as_str(), r#""x\/y""#);
    assert_eq!(object.get("e\"").map(JsonText::as_str), Some("null"));
    object.retain(|key| key == "c");
    assert_eq!(object.to_text().as_str(), r#"{"c":{ "d" : [ ] }}"#);
}

#[test]
fn values_share_the_buffer() {
    let buffer = Bytes::from(format!("{{\"big\":\"{}\"}}", "x".repeat(1000)));
    let range = buffer.as_ptr_range();
    let object = read(buffer, &Limits::default()).unwrap().into_object().unwrap();
    assert!(range.contains(&object.get("big").unwrap().bytes().as_ptr()));
    let kept = compact(object.get("big").unwrap());
    assert!(range.contains(&kept.bytes().as_ptr()), "nothing to strip: nothing copied");
}
