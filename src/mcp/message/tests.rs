//! Which envelopes are read, which are refused and how the refusal is answered.

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::mcp::json::{self as strict, Limits, Object};

fn read(text: &str) -> Result<Incoming, MessageError> {
    read_message(Bytes::copy_from_slice(text.as_bytes()), &Limits::default())
}

fn one(text: &str) -> Message {
    match read(text) {
        Ok(Incoming::One(message)) => message,
        other => panic!("{text}: {other:?}"),
    }
}

fn text(value: &str) -> JsonText {
    strict::read(Bytes::copy_from_slice(value.as_bytes()), &Limits::default()).unwrap().text()
}

#[test]
fn ids_are_strings_or_integers_by_value() {
    let rows: &[(&str, Option<RequestId>)] = &[
        ("1", Some(1.into())),
        ("1.0", Some(1.into())),
        ("1e2", Some(100.into())),
        ("0", Some(0.into())),
        ("-0", Some(0.into())),
        ("-7", Some((-7).into())),
        ("9007199254740993", Some(9_007_199_254_740_993.into())),
        ("9223372036854775807", Some(i64::MAX.into())),
        ("\"1\"", Some("1".into())),
        ("\"\"", Some("".into())),
        (r#""\u0061\"\n""#, Some("a\"\n".into())),
        ("9223372036854775808", None),
        ("1e19", None),
        ("1.5", None),
        ("null", None),
        ("true", None),
        ("{}", None),
        ("[]", None),
        ("[1]", None),
    ];
    for (written, id) in rows {
        let ping = format!(r#"{{"jsonrpc":"2.0","id":{written},"method":"ping"}}"#);
        match (read(&ping), id) {
            (Ok(Incoming::One(Message::Request(request))), Some(id)) => {
                assert_eq!(&request.id, id, "{written}");
                assert_eq!(RequestId::read(&id.to_text()).as_ref(), Some(id), "{written}");
            }
            (Err(error), None) => {
                assert_eq!(
                    (error.code, error.reason, &error.id),
                    (-32600, "id", &None),
                    "{written}"
                );
                assert!(!String::from_utf8(error.write().to_vec()).unwrap().contains("\"id\""));
            }
            (other, _) => panic!("{written}: {other:?}"),
        }
    }
    let long = format!(r#"{{"jsonrpc":"2.0","id":"{}","method":"ping"}}"#, "x".repeat(1025));
    assert_eq!(read(&long).unwrap_err().reason, "id");
    assert!(read(&long.replacen('x', "", 1)).is_ok());
    assert_ne!(RequestId::from(1), RequestId::from("1"));
}

#[test]
fn envelopes_that_are_refused() {
    // The text, the reason, the id that the answer repeats.
    let seven = Some(RequestId::from(7));
    let rows: &[(&str, i64, &str, &Option<RequestId>)] = &[
        ("", -32700, "unexpected_end", &None),
        ("{", -32700, "unexpected_end", &None),
        (r#"{"jsonrpc":"2.0","id":7,"method":"a","method":"b"}"#, -32700, "duplicate_key", &None),
        (r#"{"jsonrpc":"2.0","id":7,"id":8,"method":"a"}"#, -32700, "duplicate_key", &None),
        (
            r#"{"jsonrpc":"2.0","id":7,"method":"a","params":{"name":"x","n\u0061me":"y"}}"#,
            -32700,
            "duplicate_key",
            &None,
        ),
        ("null", -32600, "not_an_object", &None),
        ("\"ping\"", -32600, "not_an_object", &None),
        ("7", -32600, "not_an_object", &None),
        ("{}", -32600, "jsonrpc", &None),
        (r#"{"id":7,"method":"a"}"#, -32600, "jsonrpc", &seven),
        (r#"{"jsonrpc":"1.0","id":7,"method":"a"}"#, -32600, "jsonrpc", &seven),
        (r#"{"jsonrpc":2.0,"id":7,"method":"a"}"#, -32600, "jsonrpc", &seven),
        (r#"{"jsonrpc":"2","id":7,"method":"a"}"#, -32600, "jsonrpc", &seven),
        (r#"{"JSONRPC":"2.0","id":7,"method":"a"}"#, -32600, "unknown_member", &seven),
        (r#"{"jsonrpc":"2.0","id":7,"method":"a","Params":{}}"#, -32600, "unknown_member", &seven),
        (r#"{"jsonrpc":"2.0","id":7,"method":"a","_meta":{}}"#, -32600, "unknown_member", &seven),
        (r#"{"jsonrpc":"2.0","id":7,"method":"a","ext":1}"#, -32600, "unknown_member", &seven),
        (r#"{"jsonrpc":"2.0","id":7}"#, -32600, "no_method", &seven),
        (r#"{"jsonrpc":"2.0"}"#, -32600, "no_method", &None),
        (r#"{"jsonrpc":"2.0","id":7,"params":{}}"#, -32600, "params_without_method", &seven),
        (r#"{"jsonrpc":"2.0","id":7,"method":1}"#, -32600, "method", &seven),
        (r#"{"jsonrpc":"2.0","id":7,"method":null}"#, -32600, "method", &seven),
        (r#"{"jsonrpc":"2.0","id":7,"method":""}"#, -32600, "method", &seven),
        (r#"{"jsonrpc":"2.0","id":7,"method":"a","params":[]}"#, -32600, "params", &seven),
        (r#"{"jsonrpc":"2.0","id":7,"method":"a","params":null}"#, -32600, "params", &seven),
        (r#"{"jsonrpc":"2.0","id":7,"method":"a","params":"x"}"#, -32600, "params", &seven),
        (r#"{"jsonrpc":"2.0","id":7,"method":"a","params":{"_meta":[]}}"#, -32600, "meta", &seven),
        (
            r#"{"jsonrpc":"2.0","id":7,"method":"a","params":{"_meta":null}}"#,
            -32600,
            "meta",
            &seven,
        ),
        (
            r#"{"jsonrpc":"2.0","id":7,"method":"a","result":{}}"#,
            -32600,
            "method_and_answer",
            &seven,
        ),
        (
            r#"{"jsonrpc":"2.0","id":7,"method":"a","error":null}"#,
            -32600,
            "method_and_answer",
            &seven,
        ),
        (
            r#"{"jsonrpc":"2.0","id":7,"result":{},"error":{"code":1,"message":"x"}}"#,
            -32600,
            "result_and_error",
            &seven,
        ),
        (
            r#"{"jsonrpc":"2.0","id":7,"result":{},"error":null}"#,
            -32600,
            "result_and_error",
            &seven,
        ),
        (r#"{"jsonrpc":"2.0","id":7,"result":null}"#, -32600, "result_shape", &seven),
        (r#"{"jsonrpc":"2.0","id":7,"result":[]}"#, -32600, "result_shape", &seven),
        (r#"{"jsonrpc":"2.0","result":{}}"#, -32600, "id", &None),
        (r#"{"jsonrpc":"2.0","id":null,"result":{}}"#, -32600, "id", &None),
        (r#"{"jsonrpc":"2.0","id":1.5,"error":{"code":1,"message":"x"}}"#, -32600, "id", &None),
        (r#"{"jsonrpc":"2.0","id":7,"error":null}"#, -32600, "error_shape", &seven),
        (r#"{"jsonrpc":"2.0","id":7,"error":"x"}"#, -32600, "error_shape", &seven),
        (
            r#"{"jsonrpc":"2.0","id":7,"error":{"code":"1","message":"x"}}"#,
            -32600,
            "error_shape",
            &seven,
        ),
        (
            r#"{"jsonrpc":"2.0","id":7,"error":{"code":1.5,"message":"x"}}"#,
            -32600,
            "error_shape",
            &seven,
        ),
        (r#"{"jsonrpc":"2.0","id":7,"error":{"code":1}}"#, -32600, "error_shape", &seven),
        ("[]", -32600, "empty_batch", &None),
        ("[1]", -32600, "not_an_object", &None),
        ("[[]]", -32600, "not_an_object", &None),
        (
            r#"[{"jsonrpc":"2.0","id":7,"method":"initialize"}]"#,
            -32600,
            "initialize_in_batch",
            &None,
        ),
        (
            r#"[{"jsonrpc":"2.0","method":"a"},{"jsonrpc":"2.0","id":7,"method":"initialize"}]"#,
            -32600,
            "initialize_in_batch",
            &None,
        ),
        (
            r#"[{"jsonrpc":"2.0","id":1,"method":"a"},{"jsonrpc":"2.0","id":1.0,"method":"b"}]"#,
            -32600,
            "duplicate_id",
            &None,
        ),
        (
            r#"[{"jsonrpc":"2.0","id":1,"method":"a"},{"jsonrpc":"2.0","id":7}]"#,
            -32600,
            "no_method",
            &seven,
        ),
    ];
    for (text, code, reason, id) in rows {
        let error = read(text).expect_err(text);
        assert_eq!((error.code, error.reason, &error.id), (*code, *reason, *id), "{text}");
        let answer: Value = serde_json::from_slice(&error.write()).unwrap();
        let mut expected =
            json!({"jsonrpc": "2.0", "error": {"code": code, "message": error.text}});
        if id.is_some() {
            expected["id"] = json!(7);
        }
        assert_eq!(answer, expected, "{text}");
    }
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let many = vec![ping; MAX_BATCH + 1].join(",");
    assert_eq!(read(&format!("[{many}]")).unwrap_err().reason, "batch_too_large");
    let long = ping.replace("ping", &"p".repeat(257));
    assert_eq!(read(&long).unwrap_err().reason, "method");
}

#[test]
fn meta_is_taken_out_of_the_parameters_and_put_back() {
    let call = r#"{"params":{"_meta":{"k":1e2},"name":"x\/y","arguments":{"b":1.50,"a":[ ]}},"method":"tools\/call","id":"q","jsonrpc":"2.0"}"#;
    let Message::Request(request) = one(call) else { panic!("a request") };
    assert_eq!(request.method, "tools/call");
    assert!(!request.params.contains("_meta"));
    assert_eq!(request.meta.get("k").map(JsonText::as_str), Some("1e2"));
    let written = r#"{"jsonrpc":"2.0","id":"q","method":"tools/call","params":{"name":"x\/y","arguments":{"b":1.50,"a":[ ]},"_meta":{"k":1e2}}}"#;
    assert_eq!(request.write(), written);
    let mut stray = request;
    stray.params.set("_meta", text("{}"));
    assert_eq!(stray.write(), written, "one put among the parameters is not sent");
}

#[test]
fn messages_are_written_as_they_are_read() {
    let rows = [
        r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":"a\"b","method":"tools/list","params":{"cursor":""}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"x","params":{"_meta":{"progressToken":"t"}}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1.0,"_meta":{"a":null}}}"#,
        r#"{"jsonrpc":"2.0","id":-3,"result":{"structuredContent":null,"n":1e2}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no \u001f","data":null}}"#,
        r#"{"jsonrpc":"2.0","error":{"code":-32700,"message":"parse"}}"#,
    ];
    for text in rows {
        assert_eq!(one(text).write(), text);
    }
    let sloppy = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"x","extra":1}}"#;
    assert_eq!(one(sloppy).write(), r#"{"jsonrpc":"2.0","error":{"code":-32000,"message":"x"}}"#);
}

#[test]
fn a_batch_keeps_its_order() {
    let text = r#" [ {"jsonrpc":"2.0","id":1,"method":"a"} , {"jsonrpc":"2.0","method":"b"},{"jsonrpc":"2.0","id":"1","result":{}} ] "#;
    let Ok(Incoming::Batch(messages)) = read(text) else { panic!("a batch") };
    let methods: Vec<_> = messages.iter().map(Message::method).collect();
    assert_eq!(methods, [Some("a"), Some("b"), None]);
}

#[test]
fn an_answer_is_cut_out_without_copying() {
    let body = Bytes::from(format!(
        r#"{{"jsonrpc":"2.0","id":9,"result":{{"text":"{}"}} }}"#,
        "x".repeat(9000)
    ));
    let range = body.as_ptr_range();
    let answer = split_answer(body, &Limits::default()).unwrap();
    let ResponseBody::Result(result) = &answer.body else { panic!("a result") };
    assert!(range.contains(&result.bytes().as_ptr()));
    let id = RequestId::from("agent's own");
    let [prefix, middle, suffix] = crate::mcp::reply::result_parts(&id, result);
    assert!(range.contains(&middle.as_ptr()));
    assert_eq!([&prefix[..], &middle, &suffix].concat(), crate::mcp::reply::result(&id, result));
    for other in [
        r#"{"jsonrpc":"2.0","id":9,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","method":"ping"}"#,
        r#"[{"jsonrpc":"2.0","id":9,"result":{}}]"#,
    ] {
        let error = split_answer(Bytes::from_static(other.as_bytes()), &Limits::default());
        assert_eq!(error.unwrap_err().reason, "not_a_response");
    }
}

#[test]
fn debug_output_shows_no_payload() {
    let call = one(
        r#"{"jsonrpc":"2.0","id":1,"method":"a","params":{"secret":"secret","_meta":{"secret":1}}}"#,
    );
    let error =
        one(r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"secret","data":"secret"}}"#);
    assert!(!format!("{call:?} {error:?}").contains("secret"));
}

proptest! {
    #[test]
    fn any_request_survives_writing_and_reading(
        method in "[a-z/\"\\\\\u{e9}]{1,20}",
        number: i64,
        string: Option<String>,
        keys in proptest::collection::btree_set("\\PC{0,6}", 0..6),
        in_meta: bool,
    ) {
        let id = string.filter(|text| text.len() <= 1024).map_or(RequestId::Number(number), |text| text.as_str().into());
        let members: Object = keys.iter().filter(|key| *key != "_meta").map(|key| (key.as_str(), text("[1.0]"))).collect();
        let (params, meta) = if in_meta { (Object::default(), members) } else { (members, Object::default()) };
        let request = Request { id, method, params, meta };
        let again = read_message(request.write(), &Limits::default());
        prop_assert_eq!(again, Ok(Incoming::One(Message::Request(request))));
    }

    #[test]
    fn arbitrary_members_never_panic(parts in proptest::collection::vec(prop::sample::select(vec![
        r#""jsonrpc":"2.0""#, r#""id":1"#, r#""id":null"#, r#""method":"a""#, r#""method":1"#, r#""params":{}"#,
        r#""params":{"_meta":{}}"#, r#""params":[]"#, r#""result":{}"#, r#""result":1"#, r#""error":{"code":1,"message":""}"#,
        r#""error":{}"#, r#""x":1"#,
    ]), 0..6)) {
        let body = format!("{{{}}}", parts.join(","));
        if let Ok(Incoming::One(message)) = read(&body) {
            let again = read_message(message.write(), &Limits::default());
            prop_assert_eq!(again, Ok(Incoming::One(message)));
        }
    }
}
