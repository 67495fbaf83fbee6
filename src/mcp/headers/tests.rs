//! The forms of a header, and which headers repeat a body.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::mcp::json::Limits;

fn text(json: &str) -> JsonText {
    json::read(Bytes::copy_from_slice(json.as_bytes()), &Limits::default()).unwrap().text()
}

fn request(method: &str, params: &str) -> Request {
    let (params, meta) = (Object::parse(&text(params)).unwrap(), Object::default());
    Request { id: 1.into(), method: method.to_owned(), params, meta }
}

type Headers<'a> = &'a [(&'a str, &'a str)];

fn mirrored<'a>(headers: &[(&'a str, &'a str)]) -> Mirrored<'a> {
    Mirrored::collect(headers.iter().map(|(name, value)| (*name, value.as_bytes())))
}

#[test]
fn the_forms_of_a_value() {
    let rows: &[(&str, &str)] = &[
        ("", ""),
        ("update_article", "update_article"),
        ("a b\tc", "a b\tc"),
        ("?=", "?="),
        ("=?BASE64?YQ==?=", "=?BASE64?YQ==?="),
        (" a", "=?base64?IGE=?="),
        ("a\t", "=?base64?YQk=?="),
        ("\u{e9}", "=?base64?w6k=?="),
        ("a\nb", "=?base64?YQpi?="),
        ("\u{7f}", "=?base64?fw==?="),
        ("=?base64?YQ==?=", "=?base64?PT9iYXNlNjQ/WVE9PT89?="),
        ("=?base64?", "=?base64?PT9iYXNlNjQ/?="),
    ];
    for (value, header) in rows {
        assert_eq!(encode(value), *header, "{value:?}");
        assert_eq!(decode(header.as_bytes()).as_deref(), Some(*value), "{value:?}");
    }
}

#[test]
fn what_a_header_decodes_to() {
    let rows: &[(&[u8], Option<&str>)] = &[
        (b"  a b\t", Some("a b")),
        (b"=?base64?YWI=?=", Some("ab")),
        (b" =?base64?YWI=?= ", Some("ab")),
        (b"=?base64??=", Some("")),
        (b"=?base64?YWI=", Some("=?base64?YWI=")),
        (b"=?Base64?YWI=?=", Some("=?Base64?YWI=?=")),
        (b"x=?base64?YWI=?=", Some("x=?base64?YWI=?=")),
        (b"=?base64?YWI?=", None),
        (b"=?base64?YWJ=?=", None),
        (b"=?base64?YW I=?=", None),
        (b"=?base64?Y_-=?=", None),
        (b"=?base64?/w==?=", None),
        (b"\xc3\xa9", None),
        (b"\xe9", None),
        (b"a\0b", None),
        (b"a\x7f", None),
    ];
    for (header, value) in rows {
        assert_eq!(decode(header).as_deref(), *value, "{}", String::from_utf8_lossy(header));
    }
}

#[test]
fn envelope_headers_must_repeat_the_body() {
    const VERSION: (&str, &str) = (PROTOCOL_VERSION, "2026-07-28");
    let call = request("tools/call", r#"{"name":"caf\u00e9"}"#);
    let list = request("tools/list", "{}");
    let read = request("resources/read", r#"{"uri":"x://y","name":"z"}"#);
    let get = request("tasks/get", r#"{"taskId":"t1"}"#);
    let nameless = request("tools/call", r#"{"name":1}"#);
    let rows: &[(&Request, Headers<'_>, Option<&str>)] = &[
        (&call, &[VERSION, (METHOD, "tools/call"), (NAME, "=?base64?Y2Fmw6k=?=")], None),
        (
            &call,
            &[(NAME, " =?base64?Y2Fmw6k=?= "), VERSION, (METHOD, "\ttools/call "), ("accept", "x")],
            None,
        ),
        (&call, &[VERSION, (METHOD, "tools/call"), (NAME, "caf\u{e9}")], Some("header_mismatch")),
        (&call, &[VERSION, (METHOD, "tools/call"), (NAME, "cafe")], Some("header_mismatch")),
        (
            &call,
            &[VERSION, (METHOD, "tools/call"), (NAME, "=?base64?Y2Fmw6k?=")],
            Some("header_mismatch"),
        ),
        (&call, &[VERSION, (METHOD, "tools/call")], Some("header_missing")),
        (&call, &[VERSION, (NAME, "=?base64?Y2Fmw6k=?=")], Some("header_missing")),
        (&call, &[(METHOD, "tools/call"), (NAME, "=?base64?Y2Fmw6k=?=")], Some("header_missing")),
        (
            &call,
            &[VERSION, (METHOD, "Tools/Call"), (NAME, "=?base64?Y2Fmw6k=?=")],
            Some("header_mismatch"),
        ),
        (&list, &[VERSION, (METHOD, "tools/list")], None),
        (&list, &[VERSION, (METHOD, "=?base64?dG9vbHMvbGlzdA==?=")], None),
        (
            &list,
            &[VERSION, (METHOD, "tools/list"), (NAME, "ignored, as it mirrors nothing here")],
            None,
        ),
        (&list, &[VERSION, VERSION, (METHOD, "tools/list")], Some("header_twice")),
        (&list, &[VERSION, (METHOD, "tools/list"), (METHOD, "tools/call")], Some("header_twice")),
        (
            &list,
            &[VERSION, (METHOD, "tools/list"), (SESSION_ID, "a"), (SESSION_ID, "a")],
            Some("header_twice"),
        ),
        (
            &list,
            &[VERSION, (METHOD, "tools/list"), ("mcp-param-x", "1"), ("mcp-param-x", "1")],
            Some("header_twice"),
        ),
        (&list, &[VERSION, (METHOD, "tools/list"), (SESSION_ID, "ignored")], None),
        (
            &list,
            &[(PROTOCOL_VERSION, "2025-11-25"), (METHOD, "tools/list")],
            Some("header_mismatch"),
        ),
        (&read, &[VERSION, (METHOD, "resources/read"), (NAME, "x://y")], None),
        (&read, &[VERSION, (METHOD, "resources/read"), (NAME, "z")], Some("header_mismatch")),
        (&get, &[VERSION, (METHOD, "tasks/get"), (NAME, "t1")], None),
        (&get, &[VERSION, (METHOD, "tasks/get")], None),
        (&get, &[VERSION, (METHOD, "tasks/get"), (NAME, "t2")], Some("header_mismatch")),
        (&get, &[VERSION, (METHOD, "tasks/get"), (NAME, "")], Some("header_mismatch")),
        (&nameless, &[VERSION, (METHOD, "tools/call"), (NAME, "1")], Some("header_mismatch")),
        (&nameless, &[VERSION, (METHOD, "tools/call")], None),
    ];
    for (request, headers, reason) in rows {
        let checked = mirrored(headers).check(request, "2026-07-28");
        assert_eq!(checked.as_ref().err().map(|error| error.reason), *reason, "{headers:?}");
        assert!(checked.is_ok() || checked.unwrap_err().code == HEADER_MISMATCH);
    }
}

#[test]
fn argument_headers_must_repeat_the_body() {
    let mirrors = [("Region".to_owned(), vec!["where".to_owned(), "region".to_owned()])];
    let wrap = |value: &str| text(&format!(r#"{{"where":{{"region":{value}}}}}"#));
    let equal: &[(&str, Option<&str>)] = &[
        ("\"eu\"", Some("eu")),
        ("\"eu\"", Some(" eu ")),
        ("\"eu\"", Some("=?base64?ZXU=?=")),
        ("\"\"", Some("")),
        ("42", Some("42")),
        ("42.0", Some("42")),
        ("42", Some("42.0")),
        ("4.2e1", Some("42")),
        ("-0", Some("0")),
        ("18446744073709551615", Some("18446744073709551615")),
        ("true", Some("true")),
        ("false", Some("false")),
        ("null", None),
        // Cannot be mirrored; the tool's schema refuses it.
        ("[]", None),
    ];
    let unequal: &[(&str, Option<&str>)] = &[
        ("\"eu\"", Some("EU")),
        ("\"eu\"", Some("=?base64?RVU=?=")),
        ("\"eu\"", None),
        ("\"\"", None),
        ("\"42\"", Some("42.0")),
        ("42", Some("43")),
        ("42", Some("42.5")),
        ("42", Some("+42")),
        ("42", Some("0x2a")),
        ("42", Some("042")),
        ("42", Some("\"42\"")),
        ("9007199254740993", Some("9007199254740992")),
        ("9007199254740993", Some("9007199254740993.0")),
        ("18446744073709551615", Some("18446744073709551614")),
        ("42", None),
        ("true", Some("True")),
        ("true", Some("1")),
        ("true", None),
        ("null", Some("null")),
        ("null", Some("")),
        ("[]", Some("[]")),
        ("{}", Some("{}")),
    ];
    for (expected, rows) in [(true, equal), (false, unequal)] {
        for (value, header) in rows {
            let headers: Vec<_> =
                header.iter().map(|header| ("mcp-param-region", *header)).collect();
            let checked = mirrored(&headers).check_arguments(&wrap(value), &mirrors);
            assert_eq!(checked.is_ok(), expected, "{value} {header:?}");
        }
    }
    // Absent on the way is absent; unknown parameter headers are ignored.
    for arguments in ["{}", r#"{"where":null}"#, r#"{"where":"eu"}"#, r#"{"region":"eu"}"#] {
        let headers = mirrored(&[("mcp-param-other", "x")]);
        assert_eq!(headers.check_arguments(&text(arguments), &mirrors), Ok(()), "{arguments}");
        let headers = mirrored(&[("mcp-param-region", "eu")]);
        assert!(headers.check_arguments(&text(arguments), &mirrors).is_err(), "{arguments}");
    }
}

#[test]
fn headers_are_built_from_what_is_sent() {
    let mirrors = [
        ("Region".to_owned(), vec!["where".to_owned(), "region".to_owned()]),
        ("Count".to_owned(), vec!["count".to_owned()]),
        ("Draft".to_owned(), vec!["draft".to_owned()]),
        ("Absent".to_owned(), vec!["absent".to_owned()]),
        ("Null".to_owned(), vec!["none".to_owned()]),
    ];
    let params = r#"{"name":"t","arguments":{"where":{"region":"caf\u00e9"},"count":4.2e1,"draft":false,"none":null}}"#;
    let headers = build(Revision::V2026_07_28, &request("tools/call", params), &mirrors);
    let expected = [
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "tools/call"),
        ("mcp-name", "t"),
        ("mcp-param-region", "=?base64?Y2Fmw6k=?="),
        ("mcp-param-count", "42"),
        ("mcp-param-draft", "false"),
    ];
    assert_eq!(headers, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

proptest! {
    #[test]
    fn any_value_survives_its_header(value: String) {
        let header = encode(&value).into_owned();
        prop_assert!(header.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~')));
        prop_assert_eq!(decode(header.as_bytes()).map(Cow::into_owned), Some(value));
    }

    #[test]
    fn what_is_built_is_accepted(name: String, region: String, count: i64, draft: bool) {
        let mirrors = [("R", "region"), ("C", "count"), ("D", "draft")]
            .map(|(suffix, key)| (suffix.to_owned(), vec![key.to_owned()]));
        let arguments = Object::from_iter([
            ("region", json::quote(&region)),
            ("count", JsonText::of(&count)),
            ("draft", JsonText::of(&draft)),
        ]);
        let mut request = request("tools/call", "{}");
        request.params.set("name", json::quote(&name));
        request.params.set("arguments", arguments.to_text());
        let headers = build(Revision::V2026_07_28, &request, &mirrors);
        let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        let mirrored = Mirrored::collect(headers);
        prop_assert_eq!(mirrored.check(&request, "2026-07-28"), Ok(()));
        prop_assert_eq!(mirrored.check_arguments(&arguments.to_text(), &mirrors), Ok(()));
    }

    #[test]
    fn arbitrary_headers_never_panic(header: Vec<u8>, value in "\\PC{0,8}") {
        let _ = decode(&header);
        let _ = equals(&JsonText::of(&value), &header);
    }
}
