//! The HTTP door: hosts, origins, paths, methods, media types, credentials, framing, limits.
//!
//! Every row is one request that is nearly in order, sent byte by byte to the real binary. Whatever
//! is refused must not reach Intercom, and a request that is in order still does afterwards.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Version};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use portcullis::simulator::Received;
use serde_json::json;

use crate::raw::{Answer, Connection, Raw, address, exchange};
use crate::stand::{Setup, Stand};

const CONVERSATION: &str = "215470000000101";

/// The request that all rows bend.
fn good(stand: &Stand) -> Raw {
    Raw::call(stand, "get_conversation", &json!({"id": CONVERSATION}))
}

/// What reached Intercom beyond Portcullis' own connection.
pub(crate) fn intrusions(stand: &Stand) -> Vec<Received> {
    let own = ["server/discover", "initialize", "notifications/initialized", "tools/list"];
    let mut received = stand.simulator.received();
    received.retain(|it| !(own.contains(&it.method.as_str()) && it.http == "POST /mcp"));
    received
}

/// Sends rows of name, request, expected status; all but 200 must stay outside.
fn check(stand: &Stand, rows: Vec<(&str, Raw, u16)>) {
    let mut wrong = Vec::new();
    for (name, raw, expected) in rows {
        let before = intrusions(stand).len();
        let answer = exchange(stand, &raw.bytes());
        let status = answer.as_ref().map(|answer| answer.status);
        let reached = intrusions(stand).len() - before;
        if status != Some(expected) || reached != usize::from(expected == 200) {
            wrong.push(format!("{name}: {status:?} instead of {expected}, {reached} reached"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    still_serves(stand);
}

/// A request in order is answered and reaches Intercom.
fn still_serves(stand: &Stand) {
    let before = intrusions(stand).len();
    let answer = exchange(stand, &good(stand).bytes()).unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.body.contains(CONVERSATION), "{answer:?}");
    assert_eq!(intrusions(stand).len(), before + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hosts_and_origins() {
    let stand = Stand::start(Setup::default()).await;
    let own = address(&stand);
    let port = own.rsplit(':').next().unwrap().to_owned();
    let at = |name: &str| format!("{name}:{port}");
    let mut rows = Vec::new();
    for (name, host, status) in [
        ("own", own.clone(), 200),
        ("localhost", at("localhost"), 200),
        ("capitals", at("LocalHost"), 200),
        ("IPv6", at("[::1]"), 200),
        ("foreign", at("evil.test"), 403),
        ("rebound without port", "evil.test".to_owned(), 403),
        ("empty", String::new(), 403),
        ("trailing dot", at("localhost."), 403),
        ("no port", "localhost".to_owned(), 403),
        ("another port", "localhost:1".to_owned(), 403),
        ("longer name", at("localhost.evil.test"), 403),
        ("prefix", at("evil-127.0.0.1"), 403),
        ("user info", at("evil@127.0.0.1"), 403),
        ("list", format!("{own}, evil.test"), 403),
        ("mapped", at("[::ffff:127.0.0.1]"), 403),
        ("decimal", at("2130706433"), 403),
        ("any address", at("0.0.0.0"), 403),
        ("path in it", format!("{own}/x"), 403),
    ] {
        rows.push((name, good(&stand).set("Host", &host), status));
    }
    rows.push(("no host", good(&stand).without("Host"), 400));
    rows.push(("two hosts", good(&stand).add("Host", &own), 400));
    rows.push(("foreign second host", good(&stand).add("Host", "evil.test"), 400));
    rows.push(("HTTP/1.0 without", good(&stand).line("POST /mcp HTTP/1.0").without("Host"), 400));
    let absolute = |host: &str| format!("POST http://{host}/mcp HTTP/1.1");
    rows.push(("absolute form", good(&stand).line(&absolute(&own)), 200));
    rows.push(("foreign absolute form", good(&stand).line(&absolute("evil.test")), 403));
    let mixed = good(&stand).line(&absolute(&own)).set("Host", "evil.test");
    rows.push(("absolute form, foreign host", mixed, 403));
    for (name, line) in [("GET", "GET /mcp HTTP/1.1"), ("DELETE", "DELETE /mcp HTTP/1.1")] {
        let raw = good(&stand).line(line).body("").set("Host", "evil.test");
        rows.push((name, raw.set("Mcp-Session-Id", "x"), 403));
    }
    for (name, origin, status) in [
        ("own origin", format!("http://{own}"), 200),
        ("own origin by name", format!("HTTP://{}", at("localhost")), 200),
        ("null", "null".to_owned(), 403),
        ("evil", "https://evil.test".to_owned(), 403),
        ("begins like ours", format!("http://{own}.evil.test"), 403),
        ("localhost.evil", "http://localhost.evil".to_owned(), 403),
        ("another port", "http://localhost:1".to_owned(), 403),
        ("no port", "http://localhost".to_owned(), 403),
        ("file", "file://".to_owned(), 403),
        ("empty", String::new(), 403),
        ("list", format!("http://{own} https://evil.test"), 403),
    ] {
        rows.push((name, good(&stand).set("Origin", &origin), status));
    }
    let doubled = good(&stand).add("Origin", "null").add("Origin", &format!("http://{own}"));
    rows.push(("two origins", doubled, 400));
    check(&stand, rows);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paths_methods_and_media_types() {
    let stand = Stand::start(Setup::default()).await;
    let mut rows = Vec::new();
    for target in [
        "/",
        "/mcp/",
        "/MCP",
        "//mcp",
        "/mcp/../mcp",
        "/./mcp",
        "/%6dcp",
        "/mcp%2f",
        "/mcp;x=1",
        "/x",
        "/healthz",
        "/metrics",
        "/sse",
        "/message",
        "/.well-known/oauth-protected-resource",
        "/_sim/received",
    ] {
        rows.push((target, good(&stand).line(&format!("POST {target} HTTP/1.1")), 404));
    }
    for target in ["/mcp?", "/mcp?token=x", "/mcp?sessionId=1"] {
        rows.push((target, good(&stand).line(&format!("POST {target} HTTP/1.1")), 400));
    }
    for method in ["PUT", "PATCH", "OPTIONS", "HEAD", "TRACE", "post", "POSTX", "GET", "DELETE"] {
        let raw = good(&stand).line(&format!("{method} /mcp HTTP/1.1")).body("");
        let raw = raw.set("Connection", "close");
        rows.push((method, raw, 405));
    }
    for (media, status) in [
        ("application/json;charset=UTF-8", 200),
        ("Application/JSON; charset=\"utf-8\"", 200),
        ("text/plain", 415),
        ("text/plain; application/json", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=application/json", 415),
        ("application/json; charset=utf-7", 415),
        ("application/json; charset=utf-16", 415),
        ("application/json; x=y", 415),
        ("application/json, text/plain", 415),
        ("application/jsonx", 415),
        ("application/json-rpc", 415),
        ("*/*", 415),
        ("", 415),
    ] {
        rows.push((media, good(&stand).set("Content-Type", media), status));
    }
    rows.push(("no type", good(&stand).without("Content-Type"), 415));
    rows.push(("two types", good(&stand).add("Content-Type", "text/plain"), 400));
    for (coding, status) in [
        ("identity", 200),
        ("gzip", 415),
        ("br", 415),
        ("zstd", 415),
        ("deflate", 415),
        ("x-gzip", 415),
        ("identity, gzip", 415),
        ("gzip, gzip", 415),
        ("", 415),
    ] {
        rows.push((coding, good(&stand).set("Content-Encoding", coding), status));
    }
    let two = good(&stand).add("Content-Encoding", "identity").add("Content-Encoding", "gzip");
    rows.push(("two codings", two, 400));
    for (accept, status) in [
        ("*/*", 200),
        ("text/event-stream;q=0.1, application/*", 200),
        ("application/json", 406),
        ("text/event-stream", 406),
        ("application/json, text/event-stream;q=0", 406),
        ("text/html", 406),
    ] {
        rows.push((accept, good(&stand).set("Accept", accept), status));
    }
    rows.push(("no accept", good(&stand).without("Accept"), 406));
    check(&stand, rows);
    let answer = exchange(&stand, &good(&stand).line("GET /mcp HTTP/1.1").body("").bytes());
    assert_eq!(answer.unwrap().header("allow"), Some("POST"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials() {
    let stand = Stand::start(Setup::default()).await;
    let key = stand.key.clone();
    let mut other = key.clone();
    let last = if other.pop() == Some('a') { 'b' } else { 'a' };
    other.push(last);
    let long = "x".repeat(5000);
    let mut rows = vec![
        ("none", good(&stand).without("Authorization"), 401),
        ("two", good(&stand).add("Authorization", &format!("Bearer {key}")), 400),
        ("two, the second is none of ours", good(&stand).add("Authorization", "Bearer x"), 400),
        ("lower case", good(&stand).set("Authorization", &format!("bearer {key}")), 200),
        ("in the query", good(&stand).line(&format!("POST /mcp?access_token={key} HTTP/1.1")), 400),
        ("as a cookie", good(&stand).without("Authorization").add("Cookie", &key), 401),
        (
            "for a proxy",
            good(&stand).without("Authorization").add("Proxy-Authorization", &key),
            401,
        ),
    ];
    for (name, value) in [
        ("empty", String::new()),
        ("scheme only", "Bearer".to_owned()),
        ("scheme and space", "Bearer ".to_owned()),
        ("no scheme", key.clone()),
        ("basic", format!("Basic {key}")),
        ("one letter off", format!("Bearer {other}")),
        ("shorter", format!("Bearer {}", &key[..key.len() - 1])),
        ("longer", format!("Bearer {key}a")),
        ("capitals", format!("Bearer {}", key.to_uppercase())),
        ("a list", format!("Bearer {key}, Bearer {key}")),
        ("with a tail", format!("Bearer {key} x")),
        ("an approver's", format!("Bearer {}", stand.approver_key)),
        ("Intercom's own token", format!("Bearer {}", stand.simulator.token())),
        ("unsigned", "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZ2VudCJ9.".to_owned()),
        ("long", format!("Bearer {long}")),
    ] {
        rows.push((name, good(&stand).set("Authorization", &value), 401));
    }
    check(&stand, rows);
    // Every door asks, and says how; a request without a credential gets no `error` (RFC 6750).
    for line in ["POST /mcp HTTP/1.1", "GET /mcp HTTP/1.1", "DELETE /mcp HTTP/1.1"] {
        let raw = good(&stand).line(line).without("Authorization").add("Mcp-Session-Id", "x");
        let answer = exchange(&stand, &raw.bytes()).unwrap();
        assert_eq!((answer.status, answer.header("www-authenticate").is_some()), (401, true));
    }
    let wrong = good(&stand).set("Authorization", "Bearer nonsense");
    let answer = exchange(&stand, &wrong.bytes()).unwrap();
    assert!(answer.header("www-authenticate").unwrap().contains("invalid_token"), "{answer:?}");
    assert!(!answer.body.contains("nonsense"), "{answer:?}");
    // Nothing of a client's head reaches Intercom: neither its key nor what proxies trust.
    let marked = [
        "Cookie",
        "Proxy-Authorization",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "Forwarded",
        "X-Original-URL",
        "X-Real-IP",
        "X-Api-Key",
        "mcp-init-host",
        "router-key",
        "Traceparent",
        "Baggage",
        "Via",
        "Last-Event-ID",
        "User-Agent",
        "Mcp-Session-Id",
        "Mcp-Param-Unknown",
    ];
    let raw = marked.iter().fold(good(&stand), |raw, name| raw.add(name, "client-mark"));
    assert_eq!(exchange(&stand, &raw.bytes()).unwrap().status, 200);
    let received = stand.calls().pop().unwrap();
    let head = format!("{:?}", received.headers);
    assert!(!head.contains("client-mark") && !head.contains(&key), "{head}");
    assert_eq!(received.headers["authorization"], format!("Bearer {}", stand.simulator.token()));
}

/// Bytes of framing that two readers could read in two ways: at most one answer, never a 200, and
/// the connection is closed, so that what follows can become no request.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn framing_that_is_unclear_is_refused_and_closed() {
    let stand = Stand::start(Setup::default()).await;
    let inner = good(&stand).bytes();
    let length = inner.len().to_string();
    let framed = |headers: &[(&str, &str)], body: &[u8]| {
        let raw = good(&stand).without("Content-Length");
        let mut raw = headers.iter().fold(raw, |raw, (name, value)| raw.add(name, value));
        raw.body = body.to_vec();
        raw.bytes()
    };
    let smuggled = [b"0\r\n\r\n".as_slice(), &inner].concat();
    let body = good(&stand).body;
    let size = body.len().to_string();
    let mut rows: Vec<(String, Vec<u8>)> = Vec::new();
    let mut add = |name: &str, bytes: Vec<u8>| rows.push((name.to_owned(), bytes));
    add(
        "CL.TE",
        framed(&[("Content-Length", &length), ("Transfer-Encoding", "chunked")], &smuggled),
    );
    add("TE.CL", framed(&[("Transfer-Encoding", "chunked"), ("Content-Length", "4")], &smuggled));
    let bad: [&[u8]; 6] = [
        b"zz\r\n",
        b"-1\r\nx\r\n",
        b"0x1\r\nx\r\n0\r\n\r\n",
        b"1;\n\r\nx\r\n0\r\n\r\n",
        b"ffffffffffffffffff\r\nx",
        b"1\nx\n0\n\n",
    ];
    for chunk in bad {
        add("bad chunk", framed(&[("Transfer-Encoding", "chunked")], chunk));
    }
    for coding in [
        "identity",
        "chunked, identity",
        "identity, chunked",
        "chunked, chunked",
        "gzip, chunked",
        "xchunked",
        "chunkedx",
        "\"chunked\"",
        "chunked;q=1",
        "Chunked",
        "chunk",
        "",
        ",chunked",
        "\x0bchunked",
        "chunked\t",
        "'chunked'",
        "chu\u{212a}ed",
    ] {
        let both = [("Content-Length", size.as_str()), ("Transfer-Encoding", coding)];
        add(&format!("coding {coding:?} and length"), framed(&both, &body));
        let both = [("Transfer-Encoding", coding), ("Content-Length", size.as_str())];
        add(&format!("length and coding {coding:?}"), framed(&both, &smuggled));
        add(&format!("coding {coding:?}"), framed(&[("Transfer-Encoding", coding)], &smuggled));
    }
    for (name, value) in [
        ("Transfer-Encoding ", "chunked"),
        (" Transfer-Encoding", "chunked"),
        ("Transfer\tEncoding", "chunked"),
        ("Transfer-Encoding\0", "chunked"),
        ("Content-Length ", "4"),
        ("Content-Length\t", "4"),
        ("X: y\r\nTransfer-Encoding", "chunked"),
        ("X: y\rTransfer-Encoding", "chunked"),
        ("X: a\0b\r\nY", "z"),
        ("X(y)", "z"),
        ("", "z"),
    ] {
        let both = [("Content-Length", size.as_str()), (name, value)];
        add(&format!("header {name:?}"), framed(&both, &smuggled));
    }
    for pair in [[size.as_str(), "4"], ["4", &size], ["0", &size]] {
        let both = pair.map(|length| ("Content-Length", length));
        add(&format!("lengths {pair:?}"), framed(&both, &body));
    }
    for one in [
        &format!("{size},{size}"),
        &format!("{size}, {size}"),
        &format!("+{size}"),
        &format!("-{size}"),
        &format!("0x{size}"),
        &format!("{size}.0"),
        &format!("{size} 1"),
        &format!("\u{b}{size}"),
        "1_0",
        "18446744073709551616",
        "99999999999999999999",
        "",
        "a",
        "٣",
    ] {
        add(&format!("length {one:?}"), framed(&[("Content-Length", one)], &body));
    }
    let text = String::from_utf8(good(&stand).bytes()).unwrap();
    add("obs-fold", text.replace("Accept: ", "Accept:\r\n ").into_bytes());
    add(
        "obs-fold of the length",
        text.replace("Content-Length: ", "Content-Length:\r\n\t").into_bytes(),
    );
    add("LF only", text.replace("\r\n", "\n").into_bytes());
    add("one bare LF", text.replacen("\r\nAccept", "\nAccept", 1).into_bytes());
    add("LF before the end", text.replacen("\r\n\r\n", "\r\n\n", 1).into_bytes());
    add("CR only", text.replace("\r\n", "\r").into_bytes());
    add("a folded first header", text.replacen("\r\n", "\r\n ", 1).into_bytes());
    add("no version", text.replacen(" HTTP/1.1", "", 1).into_bytes());
    for version in ["HTTP/1.2", "HTTP/2.0", "http/1.1", "HTTP/1.1 x", "HTTP/11", "XTTP/1.1"] {
        add(version, text.replacen("HTTP/1.1", version, 1).into_bytes());
    }
    add("two spaces", text.replacen("POST /", "POST  /", 1).into_bytes());
    add("a tab", text.replacen("POST /", "POST\t/", 1).into_bytes());
    add("NUL in the target", text.replacen("/mcp", "/mcp\0", 1).into_bytes());
    add(
        "HTTP/1.0 with TE",
        text.replacen("HTTP/1.1", "HTTP/1.0", 1)
            .replacen("Accept:", "Transfer-Encoding: chunked\r\nAccept:", 1)
            .into_bytes(),
    );
    let mut wrong = Vec::new();
    for (name, mut bytes) in rows {
        // What follows on the connection must not become a request.
        bytes.extend(&inner);
        let mut connection = Connection::open(&stand).unwrap();
        connection.write(&bytes);
        let statuses: Vec<u16> = connection.answers().iter().map(|it| it.status).collect();
        let reached = intrusions(&stand).len();
        let refused = matches!(statuses[..], [400] | [411] | [431] | [505]);
        if !refused || reached != 0 || !connection.closed {
            let closed = connection.closed;
            wrong.push(format!("{name}: {statuses:?}, {reached} reached, closed: {closed}"));
            stand.simulator.clear_received();
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    // Equal lengths are one length (RFC 9112, 6.3): nobody can read this in two ways.
    let twice = framed(&[("Content-Length", &size), ("Content-Length", &size)], &body);
    assert_eq!(exchange(&stand, &twice).map(|answer| answer.status), Some(200));
    assert_eq!(intrusions(&stand).len(), 1);
    still_serves(&stand);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pipelined_requests_are_answered_in_order_and_each_is_judged() {
    let stand = Stand::start(Setup::default()).await;
    let denied = Raw::call(&stand, "create_article", &json!({"title": "t", "author_id": 1}));
    let keyless = good(&stand).without("Authorization");
    let mut bytes = good(&stand).bytes();
    for raw in [&denied, &keyless, &good(&stand)] {
        bytes.extend(raw.bytes());
    }
    let mut connection = Connection::open(&stand).unwrap();
    connection.write(&bytes);
    let answers: Vec<Answer> = (0..4).map_while(|_| connection.answer()).collect();
    let statuses: Vec<u16> = answers.iter().map(|it| it.status).collect();
    // A refusal may close the connection: the body behind it was not read.
    assert!(statuses == [200, 200, 401, 200] || statuses == [200, 200, 401], "{answers:?}");
    assert!(answers[1].body.contains("no role of this principal uses the tool"), "{answers:?}");
    let tools: Vec<_> = stand.calls().into_iter().filter_map(|it| it.tool).collect();
    assert_eq!(tools.len(), statuses.iter().filter(|it| **it == 200).count() - 1);
    assert!(tools.iter().all(|tool| tool == "get_conversation"), "{tools:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_large_or_too_slow_is_cut_off() {
    let more = "limits: { body: 16KiB, header_timeout: 500ms, body_timeout: 500ms, \
                idle_timeout: 3s }\n";
    let stand = Stand::start(Setup { more: more.to_owned(), ..Setup::default() }).await;
    let status = |bytes: &[u8]| exchange(&stand, bytes).map(|answer| answer.status);
    // Heads.
    let wide = good(&stand).add("X-Wide", &"x".repeat(70 * 1024));
    assert_eq!(status(&wide.bytes()), Some(431));
    // Also one that is larger by little, of which the last piece that is read has all.
    let wide = good(&stand).add("X-Wide", &"x".repeat(64 * 1024));
    assert_eq!(status(&wide.bytes()), Some(431));
    let many = (0..200).fold(good(&stand), |raw, number| raw.add(&format!("X-{number}"), "x"));
    assert_eq!(status(&many.bytes()), Some(431));
    let target = format!("POST /{} HTTP/1.1", "x".repeat(70 * 1024));
    assert!(matches!(status(&good(&stand).line(&target).bytes()), Some(414 | 431)));
    // Bodies: at the limit read (and here no JSON), one more refused before it is read.
    let at = |size: usize| good(&stand).body(vec![b' '; size]);
    assert_eq!(status(&at(16 * 1024).bytes()), Some(400));
    assert_eq!(status(&at(16 * 1024 + 1).bytes()), Some(413));
    let promised = good(&stand).set("Content-Length", "1099511627776");
    assert_eq!(status(&promised.bytes()), Some(413));
    // Slow ones: half a head, half a body, nothing at all.
    let bytes = good(&stand).bytes();
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    for (name, part, expected) in [
        ("half a head", &bytes[..head / 2], vec![]),
        ("a head without its end", &bytes[..head - 2], vec![]),
        ("no body", &bytes[..head], vec![408]),
        ("half a body", &bytes[..head + 10], vec![408]),
        ("nothing", &[], vec![]),
    ] {
        let started = Instant::now();
        let mut connection = Connection::open(&stand).unwrap();
        connection.write(part);
        let statuses: Vec<u16> = connection.answers().iter().map(|it| it.status).collect();
        let tolerated = statuses == expected || (expected.is_empty() && statuses == [408]);
        assert!(tolerated && connection.closed, "{name}: {statuses:?}");
        assert!(started.elapsed() < Duration::from_secs(6), "{name}: {:?}", started.elapsed());
    }
    // A head that trickles, a byte now and then, is not kept alive by its bytes.
    let started = Instant::now();
    let mut connection = Connection::open(&stand).unwrap();
    let mut trickle = bytes.iter().cycle();
    let mut written = Vec::new();
    while !connection.is_closed() {
        written.extend(trickle.next());
        connection.write(&written[written.len() - 1..]);
        std::thread::sleep(Duration::from_millis(50));
        assert!(started.elapsed() < Duration::from_secs(6), "{} bytes", written.len());
    }
    assert!(intrusions(&stand).is_empty());
    still_serves(&stand);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_2_with_prior_knowledge() {
    let stand = Stand::start(Setup::default()).await;
    let own = address(&stand);
    let port = own.rsplit(':').next().unwrap();
    let stream = tokio::net::TcpStream::connect(&own).await.unwrap();
    let (mut send, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    let driver = tokio::spawn(connection);
    let rows = [
        (own.clone(), None, 200),
        (format!("localhost:{port}"), None, 200),
        ("evil.test".to_owned(), None, 403),
        (format!("evil.test:{port}"), None, 403),
        (own.clone(), Some("evil.test"), 403),
        (own.clone(), Some(own.as_str()), 200),
    ];
    for (authority, host, expected) in rows {
        let raw = good(&stand).without("Host").without("Content-Length");
        let mut request = Request::builder()
            .method("POST")
            .version(Version::HTTP_2)
            .uri(format!("http://{authority}/mcp"));
        for (name, value) in raw
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .chain(host.map(|host| ("Host", host)))
        {
            request = request.header(name, value);
        }
        let before = intrusions(&stand).len();
        let request = request.body(Full::new(Bytes::from(raw.body))).unwrap();
        let answer = send.send_request(request).await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(status, expected, "{authority} {host:?}: {body:?}");
        assert_eq!(intrusions(&stand).len() - before, usize::from(expected == 200));
    }
    drop(send);
    driver.await.unwrap().unwrap();
    still_serves(&stand);
}
