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
#[derive(Clone, Default, PartialEq, Eq)]
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

impl std::fmt::Debug for Mirrored<'_> {
    /// Shows no values: arguments and session ids end in logs otherwise.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mirrored({} parameters)", self.params.len())
    }
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
mod tests;
