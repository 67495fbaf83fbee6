//! Strict reading: bodies, ids, batches, mirrored headers, versions and sessions that two readers
//! could understand in two ways are refused, with the code that the protocol has for it.

use std::time::Duration;

use portcullis::simulator::Options;
use portcullis::simulator::options::Speak;
use serde_json::{Value, json};

use crate::client::Client;
use crate::door::intrusions;
use crate::raw::{MODERN, Raw, exchange, modern_body};
use crate::stand::{Setup, Stand};

const CONVERSATION: &str = "215470000000101";
const PARSE: i64 = -32700;
const REQUEST: i64 = -32600;
const METHOD: i64 = -32601;
const PARAMS: i64 = -32602;
const HEADERS: i64 = -32020;
const VERSION: i64 = -32022;

/// A row: its name, the request, and the status and code that it must get. No code is a result.
type Row = (String, Raw, u16, Option<i64>);

fn check(stand: &Stand, rows: Vec<Row>) {
    let mut wrong = Vec::new();
    for (name, raw, status, code) in rows {
        let before = intrusions(stand).len();
        let answer = exchange(stand, &raw.bytes()).unwrap_or_else(|| panic!("{name}: no answer"));
        let reached = intrusions(stand).len() - before;
        let passes = status == 200 && code.is_none();
        // An id that can be read is repeated; one that cannot is left out, never null.
        let id_is_null = answer.message().get("id").is_some_and(Value::is_null);
        if (answer.status, answer.code()) != (status, code)
            || reached != usize::from(passes)
            || id_is_null
        {
            let seen = (answer.status, answer.code());
            let body: String = answer.body.chars().take(200).collect();
            wrong.push(format!(
                "{name}: {seen:?}, not {:?}; {reached} reached; {body}",
                (status, code)
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn call() -> Value {
    modern_body(
        "tools/call",
        &json!({"name": "get_conversation", "arguments": {"id": CONVERSATION}}),
    )
}

/// A modern call with its headers, and this body.
fn with_body(stand: &Stand, body: impl Into<Vec<u8>>) -> Raw {
    Raw::call(stand, "get_conversation", &json!({"id": CONVERSATION})).body(body)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_that_are_not_strict_json() {
    let stand = Stand::start(Setup::default()).await;
    let good = call().to_string();
    let replaced = |from: &str, to: &str| {
        assert!(good.contains(from), "{from} in {good}");
        good.replacen(from, to, 1).into_bytes()
    };
    let id = format!("\"id\":\"{CONVERSATION}\"");
    let nested = |depth: usize| {
        let deep = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        replaced(&id, &format!("{id},\"x\":{deep}"))
    };
    let utf16: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let split = |bytes: &[u8]| {
        let at = good.find(CONVERSATION).unwrap();
        [&good.as_bytes()[..at], bytes, &good.as_bytes()[at..]].concat()
    };
    let rows: Vec<(&str, Vec<u8>)> = vec![
        ("method twice", replaced("\"method\":", "\"method\":\"ping\",\"method\":")),
        ("jsonrpc twice", replaced("\"jsonrpc\":", "\"jsonrpc\":\"2.0\",\"jsonrpc\":")),
        ("id twice", replaced("\"id\":1", "\"id\":1,\"id\":2")),
        ("params twice", replaced("\"params\":", "\"params\":{},\"params\":")),
        ("name twice", replaced("\"name\":", "\"name\":\"search\",\"name\":")),
        ("name twice, escaped", replaced("\"name\":", "\"\\u006eame\":\"search\",\"name\":")),
        (
            "name twice, escaped the other way",
            replaced("\"name\":", "\"n\\u0061me\":\"x\",\"name\":"),
        ),
        ("arguments twice", replaced("\"arguments\":", "\"arguments\":{},\"arguments\":")),
        ("argument twice", replaced(&id, &format!("{id},{id}"))),
        ("argument twice, escaped", replaced(&id, &format!("{id},\"\\u0069d\":\"1\""))),
        ("_meta twice", replaced("\"_meta\":", "\"_meta\":{},\"_meta\":")),
        ("twice in _meta", replaced("\"_meta\":{", "\"_meta\":{\"a\":1,\"a\":1,")),
        ("twice, deep", replaced(&id, &format!("{id},\"x\":[[{{\"a\":{{\"b\":1,\"b\":2}}}}]]"))),
        ("too deep", nested(62)),
        ("much too deep", nested(50_000)),
        ("lone high surrogate", split(b"\\ud800")),
        ("lone low surrogate", split(b"\\udc00")),
        ("surrogates swapped", split(b"\\udc00\\ud800")),
        ("bad escape", split(b"\\x41")),
        ("short escape", split(b"\\u12x")),
        ("control character", split(b"\x01")),
        ("raw newline in a string", split(b"\n")),
        ("NUL in a string", split(b"\0")),
        ("NUL in a string, escaped", split(b"\\u0000")),
        ("NUL in a name, escaped", replaced(&id, &format!("{id},\"x\\u0000\":1"))),
        ("invalid UTF-8", split(b"\xff")),
        ("overlong UTF-8", split(b"\xc0\xaf")),
        ("surrogate in UTF-8", split(b"\xed\xa0\x80")),
        ("cut UTF-8", split(b"\xe2\x82")),
        ("byte order mark", format!("\u{feff}{good}").into_bytes()),
        ("UTF-16", utf16),
        ("trailing value", format!("{good}{{}}").into_bytes()),
        ("trailing comma", format!("{good},").into_bytes()),
        ("trailing letter", format!("{good}x").into_bytes()),
        ("trailing NUL", format!("{good}\0").into_bytes()),
        ("two lines", format!("{good}\n{good}").into_bytes()),
        ("empty", Vec::new()),
        ("spaces", b"  ".to_vec()),
        ("cut", good.as_bytes()[..good.len() - 1].to_vec()),
        ("comment", format!("/* x */{good}").into_bytes()),
        ("line comment", format!("{good}// x").into_bytes()),
        ("single quotes", good.replace('"', "'").into_bytes()),
        ("bare key", replaced("\"params\":", "params:")),
        ("comma before the end", format!("{},}}", &good[..good.len() - 1]).into_bytes()),
        ("no comma", replaced(",\"jsonrpc\"", " \"jsonrpc\"")),
        ("NaN", replaced(&id, "\"id\":NaN")),
        ("infinity", replaced(&id, "\"id\":-Infinity")),
        ("leading zero", replaced(&id, "\"id\":01")),
        ("plus", replaced(&id, "\"id\":+1")),
        ("hexadecimal", replaced(&id, "\"id\":0x1")),
        ("no digit before the dot", replaced(&id, "\"id\":.5")),
        ("no digit behind the dot", replaced(&id, "\"id\":5.")),
        ("True", replaced(&id, "\"id\":True")),
        ("vertical tab", replaced(",\"jsonrpc\"", ",\u{b}\"jsonrpc\"")),
        ("no-break space", replaced(",\"jsonrpc\"", ",\u{a0}\"jsonrpc\"")),
        ("gzip", vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]),
        ("a form", b"method=tools%2Fcall".to_vec()),
    ];
    let rows = rows
        .into_iter()
        .map(|(name, body)| (name.to_owned(), with_body(&stand, body), 400, Some(PARSE)));
    let mut rows: Vec<Row> = rows.collect();
    for (name, body) in [
        ("null", "null"),
        ("a string", "\"tools/call\""),
        ("a number", "1"),
        ("true", "true"),
        ("an empty batch", "[]"),
        ("a batch of numbers", "[1]"),
        ("nested batches", "[[{}]]"),
        ("an empty object", "{}"),
    ] {
        rows.push((name.to_owned(), with_body(&stand, body), 400, Some(REQUEST)));
    }
    rows.push((
        "a batch of one".into(),
        with_body(&stand, format!("[{good}]")),
        400,
        Some(REQUEST),
    ));
    rows.push(("spaces around".into(), with_body(&stand, format!(" \n{good}\r\n\t")), 200, None));
    rows.push(("in order".into(), with_body(&stand, good.clone()), 200, None));
    check(&stand, rows);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_that_are_not_json_rpc() {
    let stand = Stand::start(Setup::default()).await;
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut body = call();
        change(&mut body);
        with_body(&stand, body.to_string())
    };
    let member = |key: &'static str, value: Value| changed(&move |body| body[key] = value.clone());
    let mut rows: Vec<Row> = Vec::new();
    for id in [
        json!(null),
        json!(true),
        json!(1.5),
        json!({}),
        json!([]),
        json!([1]),
        json!("x".repeat(1025)),
    ] {
        rows.push((format!("id {id:.20}"), member("id", id), 400, Some(REQUEST)));
    }
    for id in ["18446744073709551616", "1e400", "9223372036854775808", "-9223372036854775809"] {
        let body = call().to_string().replacen("\"id\":1", &format!("\"id\":{id}"), 1);
        // Numbers that cannot be kept exactly are refused wherever they stand.
        let code = if id == "9223372036854775808" { REQUEST } else { PARSE };
        rows.push((format!("id {id}"), with_body(&stand, body), 400, Some(code)));
    }
    for version in [json!("1.0"), json!("2"), json!(2.0), json!(null), json!("2.0 ")] {
        rows.push((format!("jsonrpc {version}"), member("jsonrpc", version), 400, Some(REQUEST)));
    }
    for method in [json!(1), json!(null), json!(""), json!(["tools/call"]), json!("x".repeat(257))]
    {
        rows.push((format!("method {method:.20}"), member("method", method), 400, Some(REQUEST)));
    }
    for params in [json!([]), json!("x"), json!(1), json!(null)] {
        rows.push((format!("params {params}"), member("params", params), 400, Some(REQUEST)));
    }
    for key in ["Method", "principal", "METHOD", "meta", "", "__proto__"] {
        let raw = changed(&|body| body[key] = json!("x"));
        rows.push((format!("member {key:?}"), raw, 400, Some(REQUEST)));
    }
    for key in ["jsonrpc", "method"] {
        let raw = changed(&|body| {
            body.as_object_mut().unwrap().remove(key);
        });
        rows.push((format!("without {key}"), raw, 400, Some(REQUEST)));
    }
    rows.push(("result beside".into(), member("result", json!({})), 400, Some(REQUEST)));
    rows.push((
        "error beside".into(),
        member("error", json!({"code": 1, "message": ""})),
        400,
        Some(REQUEST),
    ));
    rows.push((
        "_meta no object".into(),
        changed(&|body| body["params"]["_meta"] = json!([])),
        400,
        Some(REQUEST),
    ));
    for response in [
        json!({"jsonrpc": "2.0", "id": 1, "result": {}}),
        json!({"jsonrpc": "2.0", "id": 1, "error": {"code": 1, "message": "x"}}),
        json!({"jsonrpc": "2.0", "id": 1, "result": {}, "error": {"code": 1, "message": "x"}}),
        json!({"jsonrpc": "2.0", "id": 1, "result": 5}),
        json!({"jsonrpc": "2.0", "id": 1, "error": "x"}),
        json!({"jsonrpc": "2.0", "id": 1}),
    ] {
        rows.push((
            format!("posted {response}"),
            with_body(&stand, response.to_string()),
            400,
            Some(REQUEST),
        ));
    }
    // A call without an id is a notification: accepted, dropped, without effect.
    let note = changed(&|body| {
        body.as_object_mut().unwrap().remove("id");
    });
    rows.push(("a call as notification".into(), note, 202, None));
    for (extra, value) in [("extra", json!(1)), ("uri", json!("x")), ("cursor", json!("x"))] {
        let raw = changed(&|body| body["params"][extra] = value.clone());
        rows.push((format!("parameter {extra}"), raw, 400, Some(PARAMS)));
    }
    for (key, value) in
        [("inputResponses", json!(5)), ("inputResponses", json!(null)), ("requestState", json!(5))]
    {
        let raw = changed(&|body| body["params"][key] = value.clone());
        rows.push((format!("{key} {value}"), raw, 400, Some(PARAMS)));
    }
    for name in [json!(null), json!(1), json!(["get_conversation"])] {
        let raw = changed(&|body| body["params"]["name"] = name.clone()).without("Mcp-Name");
        rows.push((format!("name {name}"), raw, 400, Some(PARAMS)));
    }
    check(&stand, rows);
    // Ids come back exactly; `1` and `"1"` are two, and 1.0 is 1.
    for (written, read) in [
        ("\"1\"", json!("1")),
        ("1", json!(1)),
        ("1.0", json!(1)),
        ("\"\"", json!("")),
        ("-9007199254740993", json!(-9_007_199_254_740_993_i64)),
    ] {
        let body = call().to_string().replacen("\"id\":1", &format!("\"id\":{written}"), 1);
        let answer = exchange(&stand, &with_body(&stand, body).bytes()).unwrap();
        assert_eq!((answer.status, &answer.message()["id"]), (200, &read), "{written}: {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_of_tools_are_exact_and_arguments_fit_the_schema() {
    let stand = Stand::start(Setup {
        roles: "support-reader, knowledge-author, note-writer",
        ..Setup::default()
    })
    .await;
    let client = stand.client();
    for name in [
        "Update_article",
        "UPDATE_ARTICLE",
        " update_article",
        "update_article ",
        "update_article\0",
        "update-article",
        "update%5farticle",
        "../update_article",
        "intercom__update_article",
        "intercom.update_article",
        "update_art\u{131}cle",
        "\u{ff55}pdate_article",
        "update_article\u{200b}",
        "upd\u{430}te_article",
        "update_article\n",
        "",
    ] {
        let params = json!({"name": name, "arguments": {"id": "9100001", "title": "x"}});
        let header = if name.is_ascii() && name.trim() == name && !name.contains(['\0', '\n']) {
            name.to_owned()
        } else {
            use base64::Engine as _;
            format!("=?base64?{}?=", base64::engine::general_purpose::STANDARD.encode(name))
        };
        let raw = Raw::modern(&stand, "tools/call", &params).set("Mcp-Name", &header);
        let answer = exchange(&stand, &raw.bytes()).unwrap();
        let text = answer.message()["result"]["content"][0]["text"].to_string();
        assert!(
            text.contains("there is no tool") || answer.code().is_some(),
            "{name:?}: {answer:?}"
        );
    }
    for arguments in [
        json!({"id": CONVERSATION, "__proto__": {}}),
        json!({"id": CONVERSATION, "constructor": 1}),
        json!({"id": [CONVERSATION]}),
        json!({"id": {"$eq": CONVERSATION}}),
        json!({"id": null}),
        json!({"id": true}),
        json!({"ID": CONVERSATION}),
        json!({}),
    ] {
        let params = json!({"name": "get_conversation", "arguments": arguments});
        let reply = client.modern("tools/call", params, json!({})).await;
        assert!(reply.is_tool_error(), "{arguments}: {reply:?}");
        let told = "the arguments of `get_conversation` are not valid";
        assert!(reply.tool_text().contains(told), "{arguments}: {reply:?}");
    }
    for arguments in [json!([]), json!("x"), json!(null)] {
        let params = json!({"name": "get_conversation", "arguments": arguments});
        let reply = client.modern("tools/call", params, json!({})).await;
        assert!(reply.is_tool_error() || reply.answer()["error"].is_object(), "{reply:?}");
    }
    assert!(intrusions(&stand).is_empty(), "{:?}", intrusions(&stand));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mirrored_headers_equal_the_body() {
    let simulator = Options { speak: Speak::Modern, mirror_header: true, ..Options::default() };
    let stand = Stand::start(Setup { simulator, ..Setup::default() }).await;
    // The definitions are pinned with the first call of all.
    let good = Raw::call(&stand, "get_conversation", &json!({"id": CONVERSATION}))
        .set("Mcp-Param-Id", CONVERSATION);
    let answer = exchange(&stand, &good.bytes()).unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    let encoded = |text: &str| {
        use base64::Engine as _;
        format!("=?base64?{}?=", base64::engine::general_purpose::STANDARD.encode(text))
    };
    let mut rows: Vec<Row> = vec![("in order".into(), good.clone(), 200, None)];
    for name in ["MCP-Protocol-Version", "Mcp-Method", "Mcp-Name", "Mcp-Param-Id"] {
        let value = good.headers.iter().find(|(key, _)| key == name).unwrap().1.clone();
        let missing = good.clone().without(name);
        // Without a version header the body still says that it is modern.
        rows.push((format!("{name} missing"), missing, 400, Some(HEADERS)));
        rows.push((format!("{name} doubled"), good.clone().add(name, &value), 400, Some(HEADERS)));
        let other = good.clone().add(name, "search");
        rows.push((format!("{name} doubled, unequal"), other, 400, Some(HEADERS)));
        for (what, wrong) in [
            ("another", "search".to_owned()),
            ("empty", String::new()),
            ("capitals", value.to_uppercase()),
            ("longer", format!("{value}x")),
            ("a list", format!("{value}, {value}")),
            ("base64 of another", encoded("search")),
            ("broken base64", "=?base64?!?=".to_owned()),
            ("base64 of no text", "=?base64?//79?=".to_owned()),
            ("capital marker", encoded(&value).replace("base64", "BASE64")),
            ("no ASCII", format!("{value}\u{e9}")),
        ] {
            if wrong == value {
                continue;
            }
            let status = Some(HEADERS);
            rows.push((format!("{name} {what}"), good.clone().set(name, &wrong), 400, status));
        }
        rows.push((
            format!("{name} in base64"),
            good.clone().set(name, &encoded(&value)),
            200,
            None,
        ));
        rows.push((
            format!("{name} padded"),
            good.clone().set(name, &format!(" \t{value} ")),
            200,
            None,
        ));
    }
    let unknown = good.clone().set("Mcp-Param-Other", "x");
    rows.push(("an unknown parameter".into(), unknown, 200, None));
    let session = good.clone().set("Mcp-Session-Id", "whatever");
    rows.push(("a session id, which means nothing here".into(), session, 200, None));
    check(&stand, rows);
    // What went up was written anew: one of each, equal to the body that was sent.
    for call in stand.calls() {
        assert_eq!(call.headers["mcp-name"], "get_conversation", "{call:?}");
        assert_eq!(call.headers["mcp-method"], "tools/call", "{call:?}");
        assert_eq!(call.headers["mcp-param-id"], CONVERSATION, "{call:?}");
        assert_eq!(call.headers["mcp-protocol-version"], MODERN, "{call:?}");
        assert!(!call.headers.contains_key("mcp-param-other"), "{call:?}");
        assert!(!call.headers.contains_key("mcp-session-id"), "{call:?}");
    }
}

/// The order of mcp.md 2.5: `_meta`, headers, version, method.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn versions_are_checked_in_the_order_of_the_protocol() {
    let stand = Stand::start(Setup::default()).await;
    let key = "io.modelcontextprotocol/protocolVersion";
    let capabilities = "io.modelcontextprotocol/clientCapabilities";
    let with = |method: &str, change: &dyn Fn(&mut Value)| {
        let mut body = modern_body(method, &json!({}));
        change(&mut body["params"]["_meta"]);
        Raw::modern(&stand, method, &json!({})).body(body.to_string())
    };
    let without = |gone: &'static str| {
        move |meta: &mut Value| {
            meta.as_object_mut().unwrap().remove(gone);
        }
    };
    let of_version = |version: &str| {
        with("server/discover", &|meta| meta[key] = json!(version))
            .set("MCP-Protocol-Version", version)
    };
    let mut rows: Vec<Row> = vec![
        ("no version in _meta".into(), with("tools/list", &without(key)), 400, Some(PARAMS)),
        ("no capabilities".into(), with("tools/list", &without(capabilities)), 400, Some(PARAMS)),
        (
            "version no string".into(),
            with("tools/list", &|meta| meta[key] = json!(1)),
            400,
            Some(PARAMS),
        ),
        (
            "capabilities no object".into(),
            with("tools/list", &|meta| meta[capabilities] = json!([])),
            400,
            Some(PARAMS),
        ),
        (
            "notifications no object".into(),
            Raw::modern(&stand, "subscriptions/listen", &json!({"notifications": 5})),
            400,
            Some(PARAMS),
        ),
        (
            "_meta before headers".into(),
            with("nothing/known", &without(capabilities)).set("Mcp-Method", "x"),
            400,
            Some(PARAMS),
        ),
        (
            "headers before version".into(),
            of_version("2031-01-01").set("Mcp-Method", "x"),
            400,
            Some(HEADERS),
        ),
        (
            "headers before method".into(),
            with("nothing/known", &|_| {}).set("Mcp-Method", "x"),
            400,
            Some(HEADERS),
        ),
        (
            "version before method".into(),
            with("nothing/known", &|meta| meta[key] = json!("2031-01-01"))
                .set("MCP-Protocol-Version", "2031-01-01"),
            400,
            Some(VERSION),
        ),
        (
            "nothing of either era".into(),
            Raw::post(&stand, r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#),
            400,
            Some(PARAMS),
        ),
        (
            "header against body".into(),
            with("tools/list", &|_| {}).set("MCP-Protocol-Version", "2025-11-25"),
            400,
            Some(HEADERS),
        ),
    ];
    for version in ["2031-01-01", "2025-11-25", "2024-11-05", "1900-01-01", "DRAFT", ""] {
        rows.push((format!("version {version:?}"), of_version(version), 400, Some(VERSION)));
    }
    for method in [
        "initialize",
        "ping",
        "logging/setLevel",
        "resources/subscribe",
        "resources/unsubscribe",
        "tasks/result",
        "tasks/list",
        "nothing/known",
        "skills/list",
        "events/subscribe",
        "sampling/createMessage",
        "elicitation/create",
        "roots/list",
        "tools/call/",
        "Tools/List",
        "notifications/cancelled",
        "rpc.discover",
    ] {
        rows.push((format!("method {method}"), with(method, &|_| {}), 404, Some(METHOD)));
    }
    check(&stand, rows);
    let refused = exchange(&stand, &of_version("2031-01-01").bytes()).unwrap().message();
    assert_eq!(refused["error"]["data"]["requested"], "2031-01-01");
    let discovered =
        exchange(&stand, &Raw::modern(&stand, "server/discover", &json!({})).bytes()).unwrap();
    let served = &discovered.message()["result"]["supportedVersions"];
    assert_eq!(&refused["error"]["data"]["supported"], served, "{discovered:?}");
    assert!(served.as_array().unwrap().contains(&json!(MODERN)));
}

/// A client of the other principal, with a session, as soon as the server has read its key.
async fn another_principal(stand: &Stand) -> Client {
    let mut client = Client::new(&stand.url, &stand.add_key("principals", "other"));
    let started = std::time::Instant::now();
    while client.session().is_none() {
        assert!(started.elapsed() < Duration::from_secs(10), "the new key is not known");
        tokio::time::sleep(Duration::from_millis(50)).await;
        client.initialize("2025-06-18").await;
    }
    client
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_belong_to_one_principal_and_one_revision() {
    let stand = Stand::start(Setup::default()).await;
    let mine = stand.client().connected().await;
    let theirs = another_principal(&stand).await;
    let foreign = theirs.session().unwrap().to_owned();
    let own = mine.session().unwrap().to_owned();
    assert!(own.len() >= 43 && own != foreign, "{own}");
    let list = r#"{"jsonrpc":"2.0","id":7,"method":"tools/list"}"#;
    let post = |session: &str| Raw::post(&stand, list).set("Mcp-Session-Id", session);
    let status = |raw: &Raw| exchange(&stand, &raw.bytes()).unwrap().status;
    let missing = Raw::post(&stand, list).set("MCP-Protocol-Version", "2025-06-18");
    let verbs = ["GET", "DELETE"];
    let (guessed, longer) = ("A".repeat(43), format!("{own}A"));
    assert_eq!(status(&missing), 400);
    for session in [foreign.as_str(), &guessed, "x", "", &longer, &own.to_lowercase(), "\u{e9}"] {
        assert_eq!(status(&post(session)), 404, "{session:?}");
        for verb in verbs {
            let raw = post(session).line(&format!("{verb} /mcp HTTP/1.1")).body("");
            assert_eq!(status(&raw), 404, "{verb} {session:?}");
        }
    }
    assert_eq!(status(&post(&own).add("Mcp-Session-Id", &own)), 400);
    assert_eq!(status(&post(&own).add("Mcp-Session-Id", &foreign)), 400);
    for (version, expected) in [
        ("2025-06-18", 200),
        ("2025-03-26", 400),
        ("2025-11-25", 400),
        ("2024-11-05", 400),
        ("1.0", 400),
    ] {
        let raw = post(&own).set("MCP-Protocol-Version", version);
        assert_eq!(status(&raw), expected, "{version}");
    }
    // An answer that nobody asked for, and one to a question of another session.
    for body in [
        json!({"jsonrpc": "2.0", "id": "portcullis-1", "result": {}}),
        json!({"jsonrpc": "2.0", "id": 1, "error": {"code": 1, "message": "x"}}),
    ] {
        assert_eq!(status(&post(&own).body(body.to_string())), 400, "{body}");
    }
    let within = json!({"jsonrpc": "2.0", "id": 8, "method": "initialize", "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}});
    assert_eq!(status(&post(&own).body(within.to_string())), 400);
    assert_eq!(status(&post(&own).line("DELETE /mcp HTTP/1.1").body("")), 204);
    assert_eq!(status(&post(&own)), 404);
    assert_eq!(status(&post(&own).line("DELETE /mcp HTTP/1.1").body("")), 404);
    // The other session is untouched.
    assert_eq!(theirs.request("tools/list", json!({})).await.status, 200);
    assert!(stand.calls().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_are_of_one_revision_and_each_message_is_judged() {
    let stand = Stand::start(Setup::default()).await;
    let call = |id: i64, tool: &str, arguments: Value| json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": tool, "arguments": arguments}});
    let read = call(1, "get_conversation", json!({"id": CONVERSATION}));
    let denied = call(2, "create_article", json!({"title": "t", "author_id": 1}));
    let batch = json!([read, denied]).to_string();
    for version in ["2025-06-18", "2025-11-25"] {
        let mut client = stand.client();
        client.initialize(version).await;
        let reply = client.post(&batch).await;
        assert_eq!(reply.status, 400, "{version}: {reply:?}");
    }
    assert!(stand.calls().is_empty(), "{:?}", stand.calls());
    let mut client = stand.client();
    client.initialize("2025-03-26").await;
    let reply = client.post(&batch).await;
    assert_eq!((reply.status.as_u16(), reply.messages.len()), (200, 2), "{reply:?}");
    let by_id = |id: i64| reply.messages.iter().find(|it| it["id"] == id).unwrap();
    assert!(by_id(1)["result"]["isError"] != true, "{reply:?}");
    let refused = by_id(2)["result"]["content"][0]["text"].to_string();
    assert!(refused.contains("no role of this principal uses the tool"), "{refused}");
    let tools: Vec<_> = stand.calls().into_iter().filter_map(|it| it.tool).collect();
    assert_eq!(tools, ["get_conversation"]);
    let initialize = json!({"jsonrpc": "2.0", "id": 3, "method": "initialize", "params": {}});
    let many: Vec<Value> =
        (0..101).map(|id| call(id, "get_conversation", json!({"id": CONVERSATION}))).collect();
    for body in [
        json!([read, initialize]),
        json!([read, read]),
        json!([]),
        json!([[read]]),
        json!([read, 1]),
        json!(many),
    ] {
        let reply = client.post(&body.to_string()).await;
        assert_eq!(reply.status, 400, "{body:.100}: {reply:?}");
    }
    assert_eq!(stand.calls().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_in_flight_is_not_used_twice() {
    let simulator = Options { latency: 700, ..Options::default() };
    let stand = Stand::start(Setup { simulator, ..Setup::default() }).await;
    let client = stand.client().connected().await;
    let body = json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "get_conversation", "arguments": {"id": CONVERSATION}}}).to_string();
    let second = async {
        // The first is at Intercom, which takes its time.
        tokio::time::timeout(Duration::from_secs(10), async {
            while stand.calls().is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await
        .unwrap();
        client.post(&body).await
    };
    let (first, second) = tokio::join!(client.post(&body), second);
    assert!(!first.is_tool_error() && first.answer()["result"].is_object(), "{first:?}");
    assert_eq!((second.status.as_u16(), &second.answer()["error"]["code"]), (400, &json!(REQUEST)));
    assert_eq!(stand.calls().len(), 1);
    // Afterwards the id is free again, and another spelling of it was never another id.
    let spelled = body.replacen("\"id\":7", "\"id\":7.0", 1);
    assert_eq!(client.post(&spelled).await.status, 200);
    assert_eq!(stand.calls().len(), 2);
}
