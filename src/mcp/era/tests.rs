//! The era of each POST, the order of its faults, and what a request says of itself.

use bytes::Bytes;

use super::*;
use crate::mcp::json::Limits;
use crate::mcp::message::read_message;
use crate::mcp::reply::HEADER_MISMATCH;

const META: &str = r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}"#;
const V: (&str, &str) = ("mcp-protocol-version", "2026-07-28");
const LIST: (&str, &str) = ("mcp-method", "tools/list");

type Headers<'a> = &'a [(&'a str, &'a str)];

fn read(body: &str) -> Incoming {
    read_message(Bytes::copy_from_slice(body.as_bytes()), &Limits::default()).unwrap()
}

fn post(headers: Headers<'_>, body: &str) -> Result<Post, (Era, MessageError)> {
    let headers = Mirrored::collect(headers.iter().map(|(name, value)| (*name, value.as_bytes())));
    decide(&headers, read(body), &Revision::ALL)
}

fn ask(method: &str, meta: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":7,"method":"{method}","params":{{"_meta":{{{meta}}}}}}}"#)
}

#[test]
fn the_era_is_in_the_request() {
    use Era::{Legacy, Modern};
    let modern = ask("tools/list", META);
    let bare = ask("tools/list", "");
    let initialize = ask("initialize", "");
    let modern_initialize = ask("initialize", META);
    let batch = format!("[{bare}]");
    let response = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
    let note = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    let session = ("mcp-session-id", "s");
    let old = ("mcp-protocol-version", "2025-06-18");
    let rows: &[(Headers<'_>, &str, Era)] = &[
        (&[], &modern, Modern),
        (&[session], &modern, Modern),
        (&[old], &modern, Modern),
        (&[V], &bare, Modern),
        (&[("mcp-protocol-version", "2027-01-01")], &bare, Modern),
        (&[V, session], &bare, Modern),
        (&[], &bare, Modern),
        (&[("mcp-protocol-version", "banana")], &bare, Modern),
        (&[("mcp-protocol-version", "banana"), session], &bare, Legacy),
        (&[], &modern_initialize, Modern),
        (&[V], &initialize, Modern),
        (&[], &initialize, Legacy),
        (&[session], &bare, Legacy),
        (&[old], &bare, Legacy),
        (&[("mcp-protocol-version", " 2025-06-18\t")], &bare, Legacy),
        (&[("mcp-protocol-version", "2024-11-05")], &bare, Legacy),
        (&[session], &batch, Legacy),
        (&[], &batch, Modern),
        (&[V], &batch, Modern),
        (&[session], response, Legacy),
        (&[], response, Modern),
        (&[session], note, Legacy),
        (&[], note, Modern),
    ];
    for (headers, body, era) in rows {
        let values = headers.iter().map(|(name, value)| (*name, value.as_bytes()));
        assert_eq!(era_of(&Mirrored::collect(values), &read(body)), *era, "{headers:?} {body}");
    }
}

#[test]
fn faults_of_a_modern_request_come_in_the_order_of_the_suite() {
    let version = |text: &str| META.replace("2026-07-28", text);
    let session = ("mcp-session-id", "s");
    let only_version = r#""io.modelcontextprotocol/protocolVersion":"1900-01-01""#;
    let only_capabilities = r#""io.modelcontextprotocol/clientCapabilities":{}"#;
    let rows: &[(Headers<'_>, String, i64, &str)] = &[
        // Several faults at once: the first in order speaks.
        (&[], ask("nope", only_version), INVALID_PARAMS, "meta"),
        (&[V], ask("nope", only_capabilities), INVALID_PARAMS, "meta"),
        (&[], ask("nope", ""), INVALID_PARAMS, "meta"),
        (&[], ask("nope", &version("1900-01-01")), HEADER_MISMATCH, "header_missing"),
        (&[V, LIST], ask("nope", &version("1900-01-01")), HEADER_MISMATCH, "header_mismatch"),
        (
            &[("mcp-protocol-version", "1900-01-01"), ("mcp-method", "nope")],
            ask("nope", &version("1900-01-01")),
            UNSUPPORTED_VERSION,
            "unsupported_version",
        ),
        (
            &[("mcp-protocol-version", "2025-11-25"), LIST],
            ask("tools/list", &version("2025-11-25")),
            UNSUPPORTED_VERSION,
            "unsupported_version",
        ),
        (&[V, ("mcp-method", "nope")], ask("nope", META), METHOD_NOT_FOUND, "unknown_method"),
        (
            &[V, ("mcp-method", "initialize")],
            ask("initialize", META),
            METHOD_NOT_FOUND,
            "unknown_method",
        ),
        (
            &[V, ("mcp-method", "ping"), session],
            ask("ping", META),
            METHOD_NOT_FOUND,
            "unknown_method",
        ),
        (
            &[V, ("mcp-method", "skills/list")],
            ask("skills/list", META),
            METHOD_NOT_FOUND,
            "unknown_method",
        ),
        (&[V, V, LIST], ask("tools/list", META), HEADER_MISMATCH, "header_twice"),
        // Shapes within `_meta`.
        (
            &[V, LIST],
            ask("tools/list", &META.replace("\"2026-07-28\"", "20260728")),
            INVALID_PARAMS,
            "meta",
        ),
        (&[V, LIST], ask("tools/list", &META.replace("{}", "[]")), INVALID_PARAMS, "meta"),
        (
            &[V, LIST],
            ask("tools/list", &format!(r#"{META},"progressToken":null"#)),
            INVALID_PARAMS,
            "meta",
        ),
        (
            &[V, LIST],
            ask("tools/list", &format!(r#"{META},"progressToken":1.5"#)),
            INVALID_PARAMS,
            "meta",
        ),
        (
            &[V, LIST],
            ask("tools/list", &format!(r#"{META},"{META_LOG_LEVEL}":"loud""#)),
            INVALID_PARAMS,
            "meta",
        ),
        (
            &[V, LIST],
            ask("tools/list", &format!(r#"{META},"{META_CLIENT}":"me""#)),
            INVALID_PARAMS,
            "meta",
        ),
    ];
    for (headers, body, code, reason) in rows {
        let (era, error) = post(headers, body).expect_err(body);
        assert_eq!(
            (era, error.code, error.reason),
            (Era::Modern, *code, *reason),
            "{headers:?} {body}"
        );
        assert_eq!(error.id, Some(7.into()), "{body}");
    }
}

#[test]
fn bodies_that_an_era_does_not_have() {
    let session = ("mcp-session-id", "s");
    let list = ask("tools/list", "");
    let batch = format!("[{list}]");
    let response = r#"{"jsonrpc":"2.0","id":7,"result":{}}"#;
    let note = r#"{"jsonrpc":"2.0","method":"notifications/x"}"#;
    let rows: &[(Headers<'_>, &str, Era, i64, &str)] = &[
        (&[V], &batch, Era::Modern, INVALID_REQUEST, "batch"),
        (&[], &batch, Era::Modern, INVALID_REQUEST, "batch"),
        (&[V], response, Era::Modern, INVALID_REQUEST, "response_posted"),
        (&[], response, Era::Modern, INVALID_REQUEST, "response_posted"),
        (&[V, LIST], note, Era::Modern, HEADER_MISMATCH, "header_mismatch"),
        (&[("mcp-protocol-version", "2025-06-18")], &batch, Era::Legacy, INVALID_REQUEST, "batch"),
        (
            &[("mcp-protocol-version", "2024-11-05")],
            &list,
            Era::Legacy,
            INVALID_REQUEST,
            "unsupported_version",
        ),
        (
            &[("mcp-protocol-version", "banana"), session],
            &list,
            Era::Legacy,
            INVALID_REQUEST,
            "unsupported_version",
        ),
        (&[session, session], &list, Era::Legacy, INVALID_REQUEST, "header_twice"),
    ];
    for (headers, body, era, code, reason) in rows {
        let (of, error) = post(headers, body).expect_err(body);
        assert_eq!((of, error.code, error.reason), (*era, *code, *reason), "{headers:?} {body}");
    }
}

#[test]
fn legacy_posts_are_left_to_their_session() {
    let session = ("mcp-session-id", "s");
    let (list, initialize) = (ask("tools/list", ""), ask("initialize", ""));
    let batch = format!("[{list}]");
    let rows: &[(Headers<'_>, &str, Option<Revision>)] = &[
        (&[session], &list, None),
        (&[session, ("mcp-protocol-version", "2025-11-25")], &list, Some(Revision::V2025_11_25)),
        (&[("mcp-protocol-version", "2025-03-26")], &batch, Some(Revision::V2025_03_26)),
        (&[session], &batch, None),
        (&[], &initialize, None),
        (&[("mcp-protocol-version", "2024-11-05")], &initialize, None),
    ];
    for (headers, body, expected) in rows {
        let Ok(Post::Legacy { version, .. }) = post(headers, body) else {
            panic!("{headers:?} {body}")
        };
        assert_eq!(version, *expected, "{headers:?} {body}");
    }
}

#[test]
fn an_unsupported_version_names_what_is_served() {
    let body = ask("tools/list", &META.replace("2026-07-28", "2099-01-01"));
    let headers = [("mcp-protocol-version", "2099-01-01"), LIST];
    let (_, error) = post(&headers, &body).unwrap_err();
    let expected = r#"{"supported":["2025-03-26","2025-06-18","2025-11-25","2026-07-28"],"requested":"2099-01-01"}"#;
    assert_eq!(error.data.as_ref().map(JsonText::as_str), Some(expected));
}

#[test]
fn what_a_request_says_of_itself() {
    let meta = format!(
        r#"{META},"{META_CLIENT}":{{"name":"a\u0000\n{}","title":"x"}},"{META_LOG_LEVEL}":"warning","progressToken":1.0,"traceparent":"x","evil":1"#,
        "b".repeat(200),
    );
    let Ok(Post::Modern { meta, method, request }) = post(&[V, LIST], &ask("tools/list", &meta))
    else {
        panic!("modern")
    };
    assert_eq!((method.name, request.id), ("tools/list", 7.into()));
    assert_eq!((meta.revision, meta.log_level), (Revision::V2026_07_28, Some("warning")));
    assert_eq!(meta.progress_token, Some(1.into()));
    assert_eq!((meta.client.name.len(), meta.client.version.as_str()), (MAX_HINT, ""));
    assert!(meta.client.name.starts_with("ab"));

    let Ok(Post::Modern { meta, .. }) = post(&[V, LIST], &ask("tools/list", META)) else {
        panic!("modern")
    };
    assert_eq!(
        (meta.client, meta.log_level, meta.progress_token),
        (ClientHint::default(), None, None)
    );
}

#[test]
fn capabilities_are_what_was_declared() {
    let of = |text: &'static str| {
        let document = json::read(text.into(), &Limits::default()).unwrap();
        Capabilities::of(Some(&document.text()))
    };
    let tasks = methods::TASKS_EXTENSION;
    // Form, URL, sampling, roots, tasks.
    let rows: &[(&str, [bool; 5])] = &[
        ("{}", [false; 5]),
        (r#"{"elicitation":{}}"#, [true, false, false, false, false]),
        (r#"{"elicitation":{"form":{}}}"#, [true, false, false, false, false]),
        (r#"{"elicitation":{"url":{}}}"#, [false, true, false, false, false]),
        (r#"{"elicitation":{"form":{},"url":{}}}"#, [true, true, false, false, false]),
        (r#"{"elicitation":true,"sampling":true,"roots":null}"#, [false; 5]),
        (
            r#"{"sampling":{"tools":{}},"roots":{"listChanged":true}}"#,
            [false, false, true, true, false],
        ),
        (
            r#"{"extensions":{"io.modelcontextprotocol/tasks":{}}}"#,
            [false, false, false, false, true],
        ),
        (r#"{"extensions":{"io.modelcontextprotocol/tasks":true}}"#, [false; 5]),
        (r#"{"tasks":{}}"#, [false; 5]),
    ];
    for (text, expected) in rows {
        let all = of(text).unwrap();
        let found = [
            all.elicitation_form(),
            all.elicitation_url(),
            all.sampling(),
            all.roots(),
            all.extension(tasks),
        ];
        assert_eq!(found, *expected, "{text}");
    }
    assert_eq!(of("[]"), None);
    let all = of(
        r#"{"roots":{},"experimental":{"x":{}},"extensions":{"io.modelcontextprotocol/events":{},"io.modelcontextprotocol/tasks":{}},"odd":1}"#,
    );
    let cut = all.unwrap().cut(&[tasks]).to_text();
    assert_eq!(cut.as_str(), r#"{"roots":{},"extensions":{"io.modelcontextprotocol/tasks":{}}}"#);
    let none = of(r#"{"extensions":[]}"#).unwrap().cut(&[tasks]).to_text();
    assert_eq!(none.as_str(), "{}");
}
