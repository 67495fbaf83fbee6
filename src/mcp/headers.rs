//! Headers that repeat what the body says: checked on what agents send, built anew for Intercom.
//!
//! Everything is decided on the body; a header is only ever compared with it (mcp.md 2.1). A peer that
//! routes by headers would otherwise see another call than the one that was judged. Headers come in as
//! lower-cased names with values, so that no HTTP library is needed here.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::json::{self, Kind, Object};
use super::message::{MessageError, Notification, Request};
use super::methods::{self, Form, Sender, Target};
use super::reply::HEADER_MISMATCH;
use crate::domain::{JsonText, Revision};

/// `MCP-Protocol-Version`, lower-cased as all names here.
pub const PROTOCOL_VERSION: &str = "mcp-protocol-version";
/// `Mcp-Method`.
pub const METHOD: &str = "mcp-method";
/// `Mcp-Name`.
pub const NAME: &str = "mcp-name";
/// What the names of mirrored arguments begin with.
pub const PARAM_PREFIX: &str = "mcp-param-";
/// `Mcp-Session-Id`: legacy only.
pub const SESSION_ID: &str = "mcp-session-id";

const OPENING: &str = "=?base64?";
const CLOSING: &str = "?=";

/// The headers of one message that the protocol knows, each at most once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mirrored<'a> {
    /// `MCP-Protocol-Version`.
    pub version: Option<&'a [u8]>,
    /// `Mcp-Method`.
    pub method: Option<&'a [u8]>,
    /// `Mcp-Name`.
    pub name: Option<&'a [u8]>,
    /// `Mcp-Session-Id`.
    pub session: Option<&'a [u8]>,
    /// `Mcp-Param-*`: the name behind the prefix, lower-cased, and the value.
    pub params: Vec<(&'a str, &'a [u8])>,
    /// One of these that came twice: a peer might read the other one, so both eras refuse it.
    pub twice: Option<&'a str>,
}

impl<'a> Mirrored<'a> {
    /// Picks the protocol's headers out of all headers; names must be lower-cased.
    #[must_use]
    pub fn collect(headers: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        let mut found = Self::default();
        for (name, value) in headers {
            let slot = match name {
                PROTOCOL_VERSION => &mut found.version,
                METHOD => &mut found.method,
                NAME => &mut found.name,
                SESSION_ID => &mut found.session,
                _ => {
                    let Some(suffix) = name.strip_prefix(PARAM_PREFIX) else { continue };
                    if found.params.iter().any(|(other, _)| *other == suffix) {
                        found.twice = Some(name);
                    }
                    found.params.push((suffix, value));
                    continue;
                }
            };
            if slot.replace(value).is_some() {
                found.twice = Some(name);
            }
        }
        found
    }

    /// Checks version, method and name against a modern request. `version` is what its `_meta` says.
    ///
    /// `Mcp-Name` may be absent on `tasks/*` only, because a known client omits it there.
    ///
    /// # Errors
    /// -32020 if one is missing, undecodable or unequal.
    pub fn check(&self, request: &Request, version: &str) -> Result<(), MessageError> {
        self.check_single()?;
        compare("MCP-Protocol-Version", self.version, version)?;
        compare("Mcp-Method", self.method, &request.method)?;
        let Some((target, required)) = named_target(&request.method) else { return Ok(()) };
        let named = target.name(&request.params);
        match (self.name, named) {
            (None, _) if !required => Ok(()),
            (None, None) => Ok(()),
            (header, Some(name)) => compare("Mcp-Name", header, &name),
            (Some(_), None) => {
                Err(mismatch("header_mismatch", "`Mcp-Name` repeats nothing in the body"))
            }
        }
    }

    /// Checks `Mcp-Method` against a modern notification, if the header is there: nothing acts on a
    /// notification, so absence is tolerated.
    ///
    /// # Errors
    /// -32020 if it is unequal or doubled.
    pub fn check_notification(&self, note: &Notification) -> Result<(), MessageError> {
        self.check_single()?;
        self.method.map_or(Ok(()), |header| compare("Mcp-Method", Some(header), &note.method))
    }

    fn check_single(&self) -> Result<(), MessageError> {
        let Some(name) = self.twice else { return Ok(()) };
        // A parameter's name is the client's own text, perhaps long.
        let shown: String = name.chars().take(64).collect();
        Err(mismatch("header_twice", &format!("the header `{shown}` comes twice")))
    }

    /// Checks the mirrored arguments of a `tools/call`: `mirrors` are the header's name behind
    /// `Mcp-Param-` and the path of properties in the arguments, from the tool's definition. Unknown
    /// `Mcp-Param-*` headers are ignored: they are not forwarded.
    ///
    /// # Errors
    /// -32020 if one is missing, undecodable or unequal.
    pub fn check_arguments(
        &self,
        arguments: &JsonText,
        mirrors: &[(String, Vec<String>)],
    ) -> Result<(), MessageError> {
        for (suffix, path) in mirrors {
            let header = self.params.iter().find(|(name, _)| name.eq_ignore_ascii_case(suffix));
            let header = header.map(|(_, value)| *value);
            let value = at_path(arguments, path).filter(|value| !json::is_null(value));
            let equal = match (&value, header) {
                (None, None) => true,
                (Some(value), Some(header)) => equals(value, header),
                // Nothing but these three kinds can be mirrored; the schema judges other values.
                (Some(value), None) => mirror_text(value).is_none(),
                (None, Some(_)) => false,
            };
            if !equal {
                let text = format!("`Mcp-Param-{suffix}` does not repeat the argument in the body");
                return Err(mismatch("header_mismatch", &text));
            }
        }
        Ok(())
    }
}

/// The headers of a modern request to Intercom, from the request as it is sent. `mirrors` as in
/// [`Mirrored::check_arguments`], empty for other methods than `tools/call`. Names are lower-cased.
#[must_use]
pub fn build(
    revision: Revision,
    request: &Request,
    mirrors: &[(String, Vec<String>)],
) -> Vec<(String, String)> {
    let mut headers = vec![
        (PROTOCOL_VERSION.to_owned(), revision.as_str().to_owned()),
        (METHOD.to_owned(), encode(&request.method).into_owned()),
    ];
    if let Some((target, _)) = named_target(&request.method)
        && let Some(name) = target.name(&request.params)
    {
        headers.push((NAME.to_owned(), encode(&name).into_owned()));
    }
    if let Some(arguments) = request.params.get("arguments") {
        for (suffix, path) in mirrors {
            if let Some(text) = at_path(arguments, path).as_ref().and_then(mirror_text) {
                let name = format!("{PARAM_PREFIX}{}", suffix.to_ascii_lowercase());
                headers.push((name, encode(&text).into_owned()));
            }
        }
    }
    headers
}

/// The header form of a value: plain if it is visible ASCII with inner spaces and tabs, base64 of its
/// UTF-8 between markers if it is not, is padded, or looks like the marker itself.
#[must_use]
pub fn encode(value: &str) -> Cow<'_, str> {
    let plain = value.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
    let padded = value.trim_matches([' ', '\t']).len() != value.len();
    if plain && !padded && !value.starts_with(OPENING) {
        return Cow::Borrowed(value);
    }
    Cow::Owned(format!("{OPENING}{}{CLOSING}", STANDARD.encode(value)))
}

/// The value of a header: outer whitespace dropped, base64 form decoded. `None` if it is neither
/// plain ASCII nor well-formed base64 of UTF-8.
#[must_use]
pub fn decode(header: &[u8]) -> Option<Cow<'_, str>> {
    let text = std::str::from_utf8(header).ok()?.trim_matches([' ', '\t']);
    if !text.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~')) {
        return None;
    }
    let Some(inner) = text.strip_prefix(OPENING).and_then(|rest| rest.strip_suffix(CLOSING)) else {
        return Some(Cow::Borrowed(text));
    };
    String::from_utf8(STANDARD.decode(inner).ok()?).ok().map(Cow::Owned)
}

/// What `Mcp-Name` repeats, and whether it must be there.
fn named_target(method: &str) -> Option<(Target, bool)> {
    let method = methods::find(Sender::Client, Form::Request, method, Revision::V2026_07_28)?;
    method.mirrors_name().then_some((method.target, method.target != Target::Task))
}

fn compare(name: &str, header: Option<&[u8]>, body: &str) -> Result<(), MessageError> {
    match header {
        Some(header) if decode(header).as_deref() == Some(body) => Ok(()),
        Some(_) => {
            let text = format!("the header `{name}` does not equal what the body says");
            Err(mismatch("header_mismatch", &text))
        }
        None => Err(mismatch("header_missing", &format!("the header `{name}` is missing"))),
    }
}

/// Whether a header repeats a value: strings by text, numbers by value, booleans by word.
fn equals(value: &JsonText, header: &[u8]) -> bool {
    let Some(header) = decode(header) else { return false };
    match json::kind(value) {
        Kind::String => json::as_str(value).as_deref() == Some(&*header),
        Kind::Bool => value.as_str().trim() == header,
        Kind::Number => number_equals(value, &header),
        _ => false,
    }
}

fn number_equals(value: &JsonText, header: &str) -> bool {
    // Read by the strict reader, so that `0x10`, `+1` or `inf` are no numbers here either.
    let document =
        json::read(bytes::Bytes::copy_from_slice(header.as_bytes()), &json::Limits::default());
    let Ok(header) = document.map(|document| document.text()) else { return false };
    match (json::as_i64(value), json::as_i64(&header)) {
        (Some(one), Some(other)) => one == other,
        (None, None) => value.as_str() == header.as_str(),
        _ => false,
    }
}

/// The plain text of a value that can be mirrored: a string, an integer in decimal, a boolean.
fn mirror_text(value: &JsonText) -> Option<Cow<'_, str>> {
    match json::kind(value) {
        Kind::String => json::as_str(value),
        Kind::Bool => Some(Cow::Borrowed(value.as_str().trim())),
        Kind::Number => Some(match json::as_i64(value) {
            Some(integer) => Cow::Owned(integer.to_string()),
            None => Cow::Borrowed(value.as_str().trim()),
        }),
        _ => None,
    }
}

fn at_path(arguments: &JsonText, path: &[String]) -> Option<JsonText> {
    path.iter().try_fold(arguments.clone(), |value, key| Object::parse(&value)?.get(key).cloned())
}

fn mismatch(reason: &'static str, text: &str) -> MessageError {
    MessageError::new(HEADER_MISMATCH, reason, text)
}

#[cfg(test)]
mod tests {
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
                &[
                    (NAME, " =?base64?Y2Fmw6k=?= "),
                    VERSION,
                    (METHOD, "\ttools/call "),
                    ("accept", "x"),
                ],
                None,
            ),
            (
                &call,
                &[VERSION, (METHOD, "tools/call"), (NAME, "caf\u{e9}")],
                Some("header_mismatch"),
            ),
            (&call, &[VERSION, (METHOD, "tools/call"), (NAME, "cafe")], Some("header_mismatch")),
            (
                &call,
                &[VERSION, (METHOD, "tools/call"), (NAME, "=?base64?Y2Fmw6k?=")],
                Some("header_mismatch"),
            ),
            (&call, &[VERSION, (METHOD, "tools/call")], Some("header_missing")),
            (&call, &[VERSION, (NAME, "=?base64?Y2Fmw6k=?=")], Some("header_missing")),
            (
                &call,
                &[(METHOD, "tools/call"), (NAME, "=?base64?Y2Fmw6k=?=")],
                Some("header_missing"),
            ),
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
            (
                &list,
                &[VERSION, (METHOD, "tools/list"), (METHOD, "tools/call")],
                Some("header_twice"),
            ),
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
}
