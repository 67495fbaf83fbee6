//! Answers as bytes, the protocol's error codes, and the HTTP status each of them has.
//!
//! Results are spliced, not built: the envelope is written around the very bytes of the result.

use bytes::Bytes;

use super::json::push_quoted;
use super::message::RequestId;
use crate::domain::{Era, JsonText};

/// Not JSON, or not strictly.
pub const PARSE_ERROR: i64 = -32700;
/// JSON, but no message.
pub const INVALID_REQUEST: i64 = -32600;
/// Method unknown, or gone in this revision.
pub const METHOD_NOT_FOUND: i64 = -32601;
/// Parameters or `_meta` of the wrong shape; also unknown tool, resource, prompt, task or cursor.
pub const INVALID_PARAMS: i64 = -32602;
/// Our own fault.
pub const INTERNAL_ERROR: i64 = -32603;
/// A mirrored header is missing, doubled, undecodable or unequal to the body (2026-07-28).
pub const HEADER_MISMATCH: i64 = -32020;
/// `data.requiredCapabilities` names what the client did not declare (2026-07-28).
pub const MISSING_CAPABILITY: i64 = -32021;
/// `data.supported` and `data.requested` say what is spoken here (2026-07-28).
pub const UNSUPPORTED_VERSION: i64 = -32022;
/// Resource not found: legacy only.
pub const RESOURCE_NOT_FOUND: i64 = -32002;
/// URL elicitation required: 2025-11-25 only.
pub const URL_ELICITATION_REQUIRED: i64 = -32042;

/// The HTTP status of an error that answers a POST before any upstream was asked: protocol faults of
/// the modern era have their own; an error that a handler raises goes out with 200 in both eras.
#[must_use]
pub const fn status(code: i64, era: Era) -> u16 {
    match (code, era) {
        (METHOD_NOT_FOUND, Era::Modern) => 404,
        (PARSE_ERROR | INVALID_REQUEST, _) => 400,
        (
            INVALID_PARAMS | HEADER_MISMATCH | MISSING_CAPABILITY | UNSUPPORTED_VERSION,
            Era::Modern,
        ) => 400,
        (HEADER_MISMATCH | UNSUPPORTED_VERSION, Era::Legacy) => 400,
        _ => 200,
    }
}

/// Whether a code may be sent in an era: some codes belong to one of them.
#[must_use]
pub const fn may_emit(code: i64, era: Era) -> bool {
    match era {
        Era::Modern => !matches!(code, RESOURCE_NOT_FOUND | URL_ELICITATION_REQUIRED),
        Era::Legacy => !matches!(code, HEADER_MISMATCH | MISSING_CAPABILITY | UNSUPPORTED_VERSION),
    }
}

/// A response with a result, as one line of JSON.
#[must_use]
pub fn result(id: &RequestId, body: &JsonText) -> Bytes {
    let mut out = result_prefix(id, body.bytes().len() + 1);
    out.extend_from_slice(body.bytes());
    out.push(b'}');
    out.into()
}

/// The same in three parts, for a body that is sent in chunks without copying the result.
#[must_use]
pub fn result_parts(id: &RequestId, body: &JsonText) -> [Bytes; 3] {
    [result_prefix(id, 0).into(), body.bytes().clone(), Bytes::from_static(b"}")]
}

/// A response with an error, as one line of JSON. Without an id the member is left out, never `null`.
#[must_use]
pub fn error(id: Option<&RequestId>, code: i64, message: &str, data: Option<&JsonText>) -> Bytes {
    let extra = data.map_or(0, |data| data.bytes().len());
    let mut out = Vec::with_capacity(96 + message.len() + extra);
    out.extend_from_slice(br#"{"jsonrpc":"2.0","#);
    if let Some(id) = id {
        out.extend_from_slice(br#""id":"#);
        id.write(&mut out);
        out.push(b',');
    }
    out.extend_from_slice(br#""error":{"code":"#);
    out.extend_from_slice(code.to_string().as_bytes());
    out.extend_from_slice(br#","message":"#);
    push_quoted(&mut out, message);
    if let Some(data) = data {
        out.extend_from_slice(br#","data":"#);
        out.extend_from_slice(data.bytes());
    }
    out.extend_from_slice(b"}}");
    out.into()
}

fn result_prefix(id: &RequestId, room: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + room);
    out.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
    id.write(&mut out);
    out.extend_from_slice(br#","result":"#);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_the_status_of_its_era() {
        let rows = [
            (PARSE_ERROR, 400, 400),
            (INVALID_REQUEST, 400, 400),
            (METHOD_NOT_FOUND, 404, 200),
            (INVALID_PARAMS, 400, 200),
            (INTERNAL_ERROR, 200, 200),
            (HEADER_MISMATCH, 400, 400),
            (MISSING_CAPABILITY, 400, 200),
            (UNSUPPORTED_VERSION, 400, 400),
            (1, 200, 200),
        ];
        for (code, modern, legacy) in rows {
            assert_eq!((status(code, Era::Modern), status(code, Era::Legacy)), (modern, legacy));
        }
    }

    #[test]
    fn codes_stay_in_their_era() {
        for code in [RESOURCE_NOT_FOUND, URL_ELICITATION_REQUIRED] {
            assert!(!may_emit(code, Era::Modern) && may_emit(code, Era::Legacy));
        }
        for code in [HEADER_MISMATCH, MISSING_CAPABILITY, UNSUPPORTED_VERSION] {
            assert!(may_emit(code, Era::Modern) && !may_emit(code, Era::Legacy));
        }
        assert!(may_emit(INVALID_PARAMS, Era::Modern) && may_emit(INVALID_PARAMS, Era::Legacy));
    }

    #[test]
    fn answers_are_written_around_the_payload() {
        let id = RequestId::from("a\"");
        let body = JsonText::from_valid(Bytes::from_static(br#"{"n" : 1.0}"#));
        assert_eq!(result(&id, &body), r#"{"jsonrpc":"2.0","id":"a\"","result":{"n" : 1.0}}"#);
        let told = error(Some(&7.into()), -32021, "\u{e9}\n", Some(&body));
        let expected = "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32021,\"message\":\"\u{e9}\\n\",\"data\":{\"n\" : 1.0}}}";
        assert_eq!(told, expected);
        assert_eq!(
            error(None, 1, "", None),
            r#"{"jsonrpc":"2.0","error":{"code":1,"message":""}}"#
        );
    }
}
