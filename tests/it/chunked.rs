//! Bodies in chunks: read when nothing else says how long they are, and never beside a length, also not
//! in a request that comes behind others on its connection.

use std::convert::Infallible;

use bytes::Bytes;
use http::Request;
use http_body::Frame;
use http_body_util::StreamBody;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::json;

use crate::door::intrusions;
use crate::raw::{Connection, MODERN, Raw};
use crate::road::CONVERSATION;
use crate::stand::{Setup, Stand};

/// A read whose body is said to come as `headers` say.
fn framed(stand: &Stand, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let raw = Raw::call(stand, "get_conversation", &json!({"id": CONVERSATION}));
    let mut raw = headers
        .iter()
        .fold(raw.without("Content-Length"), |raw, (name, value)| raw.add(name, value));
    raw.body = body.to_vec();
    raw.bytes()
}

/// A body in chunks of `size` bytes, with what stands behind the last one.
fn chunks(body: &[u8], size: usize, extension: &str, trailers: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for chunk in body.chunks(size) {
        bytes.extend(format!("{:x}{extension}\r\n", chunk.len()).bytes());
        bytes.extend(chunk);
        bytes.extend(b"\r\n");
    }
    bytes.extend(format!("0\r\n{trailers}\r\n").bytes());
    bytes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_in_chunks_are_read_and_end_their_connection() {
    let stand = Stand::start(Setup::default()).await;
    let body = Raw::call(&stand, "get_conversation", &json!({"id": CONVERSATION})).body;
    let whole = Raw::call(&stand, "get_conversation", &json!({"id": CONVERSATION})).bytes();
    let mut calls = 0;
    for (name, sent, status) in [
        ("one chunk", chunks(&body, 100_000, "", ""), 200),
        ("many chunks", chunks(&body, 7, "", ""), 200),
        ("single bytes", chunks(&body, 1, "", ""), 200),
        ("an extension", chunks(&body, 50, ";name=\"value\"", ""), 200),
        ("trailers", chunks(&body, 50, "", "Authorization: Bearer other\r\n"), 400),
        ("no body", chunks(b"", 1, "", ""), 400),
        ("large extensions", chunks(&body, 1, &format!(";{}", "x".repeat(1000)), ""), 400),
    ] {
        for coding in ["chunked", "Chunked"] {
            for before in [&[][..], &whole] {
                let chunked = framed(&stand, &[("Transfer-Encoding", coding)], &sent);
                // A request behind it is not read: where it begins is for the parser alone to say.
                let bytes = [before, &chunked, &whole].concat();
                let mut connection = Connection::open(&stand).unwrap();
                connection.write(&bytes);
                let statuses: Vec<u16> = connection.answers().iter().map(|it| it.status).collect();
                let mut expected = vec![200; usize::from(!before.is_empty())];
                calls += expected.len() + usize::from(status == 200);
                expected.push(status);
                assert_eq!(statuses, expected, "{name} {coding}");
                assert!(connection.closed, "{name} {coding}");
                assert_eq!(intrusions(&stand).len(), calls, "{name} {coding}");
            }
        }
    }
    // A client library that does not know how much will come.
    let parts: Vec<Bytes> = body.chunks(11).map(Bytes::copy_from_slice).collect();
    let parts = parts.into_iter().map(|part| Ok::<_, Infallible>(Frame::data(part)));
    let request = Request::post(&stand.url)
        .header("Authorization", format!("Bearer {}", stand.key))
        .header("Content-Type", "application/json")
        .header("Accept", "application/json, text/event-stream")
        .header("MCP-Protocol-Version", MODERN)
        .header("Mcp-Method", "tools/call")
        .header("Mcp-Name", "get_conversation")
        .body(StreamBody::new(futures_util::stream::iter(parts)));
    let client = Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request.unwrap()).await.unwrap();
    assert_eq!(response.status(), 200);
}

/// Each coding beside a length, in both orders, at the beginning of a connection and behind requests
/// that are in order, whole and in pieces: never a second answer that is good.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_length_beside_a_coding_is_refused_wherever_it_comes() {
    let stand = Stand::start(Setup::default()).await;
    let whole = Raw::call(&stand, "get_conversation", &json!({"id": CONVERSATION})).bytes();
    let body = Raw::call(&stand, "get_conversation", &json!({"id": CONVERSATION})).body;
    let size = body.len().to_string();
    let smuggled = [b"0\r\n\r\n".as_slice(), &whole].concat();
    let chunked = chunks(&body, 20, "", "");
    let mut wrong = Vec::new();
    let mut calls = 0;
    for coding in
        ["chunked", "CHUNKED", "identity", " chunked", "x", "chunked, identity", "\tchunked"]
    {
        for (name, length) in
            [("Content-Length", size.as_str()), ("content-length", "5"), ("CONTENT-LENGTH", "0")]
        {
            let coded = ("Transfer-Encoding", coding);
            for headers in [[(name, length), coded], [coded, (name, length)]] {
                for sent in [&smuggled, &chunked, &body] {
                    for before in 0..3 {
                        let bytes = [whole.repeat(before), framed(&stand, &headers, sent)].concat();
                        let mut connection = Connection::open(&stand).unwrap();
                        connection.write(&bytes);
                        let answers = connection.answers();
                        let statuses: Vec<u16> = answers.iter().map(|it| it.status).collect();
                        calls += before;
                        let (good, rest) = statuses.split_at(before.min(statuses.len()));
                        let is_refused = good.len() == before
                            && good.iter().all(|it| *it == 200)
                            && matches!(rest, [] | [400]);
                        if !is_refused || !connection.closed || intrusions(&stand).len() != calls {
                            wrong.push(format!("{headers:?} after {before}: {statuses:?}"));
                            calls = intrusions(&stand).len();
                        }
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
