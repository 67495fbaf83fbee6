//! Which era one POST belongs to, and what a modern request says of itself.
//!
//! The era is a property of the request, never of the connection (mcp.md 1 and 10). The order of the
//! checks is the one the official suite asserts: `_meta` keys, headers against the body, version,
//! method.

use super::headers::{self, Mirrored};
use super::json::{self, Kind, Object};
use super::message::{Incoming, Message, MessageError, Notification, Request, RequestId};
use super::methods::{self, Form, Method, Sender};
use super::reply::{INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND, UNSUPPORTED_VERSION};
use crate::domain::{ClientHint, Era, JsonText, Revision};

/// `_meta` key of the revision.
pub const META_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
/// `_meta` key of the client's capabilities.
pub const META_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
/// `_meta` key of the client's name and version.
pub const META_CLIENT: &str = "io.modelcontextprotocol/clientInfo";
/// `_meta` key of the wanted log level.
pub const META_LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";
/// `_meta` key of the progress token, in every era.
pub const META_PROGRESS: &str = "progressToken";

/// Longest kept name or version of a client, in characters.
const MAX_HINT: usize = 100;

/// The severities of RFC 5424 by their protocol names, mildest first.
pub const LOG_LEVELS: [&str; 8] =
    ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

/// What one POST is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Post {
    /// A modern request: envelope, headers, version and method are in order.
    Modern {
        /// The request.
        request: Request,
        /// What its `_meta` says.
        meta: ModernMeta,
        /// Its row of the table.
        method: &'static Method,
    },
    /// A modern notification: the core defines none over HTTP, so there is nothing to pass on.
    ModernNotification(Notification),
    /// Of the legacy era, one message or a batch: session, revision and methods are the session's
    /// business.
    Legacy {
        /// What came.
        incoming: Incoming,
        /// The revision of the header, if there was one.
        version: Option<Revision>,
    },
}

/// What `_meta` of a modern request says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModernMeta {
    /// The revision.
    pub revision: Revision,
    /// What the client can do, on this request.
    pub capabilities: Capabilities,
    /// What the client says of itself; empty if it says nothing.
    pub client: ClientHint,
    /// The mildest log level it wants to hear, one of [`LOG_LEVELS`]; none means no log messages.
    pub log_level: Option<&'static str>,
    /// Where progress goes; none means no progress.
    pub progress_token: Option<RequestId>,
}

/// Decides what one POST is and checks it as far as its era can be checked without state.
/// `served` are the revisions that `server/discover` names.
///
/// # Errors
/// -32602, -32020, -32022, -32601 in this order for a modern request; -32600 for a body that its era
/// does not have, or a legacy version that is not served. The era tells the HTTP status:
/// [`super::reply::status`].
pub fn decide(
    headers: &Mirrored<'_>,
    incoming: Incoming,
    served: &[Revision],
) -> Result<Post, (Era, MessageError)> {
    match era_of(headers, &incoming) {
        Era::Modern => modern(headers, incoming, served).map_err(|error| (Era::Modern, error)),
        Era::Legacy => legacy(headers, incoming, served).map_err(|error| (Era::Legacy, error)),
    }
}

/// The era of one POST, by its body first and its headers second.
#[must_use]
pub fn era_of(headers: &Mirrored<'_>, incoming: &Incoming) -> Era {
    let message = match incoming {
        Incoming::One(message) => Some(message),
        Incoming::Batch(_) => None,
    };
    let meta = message.and_then(Message::meta);
    let version = headers.version.and_then(VersionEra::of);
    if meta.is_some_and(|meta| meta.contains(META_VERSION)) || version == Some(VersionEra::Modern) {
        return Era::Modern;
    }
    let initialize = message.and_then(Message::method) == Some("initialize");
    if initialize || headers.session.is_some() || version == Some(VersionEra::Legacy) {
        return Era::Legacy;
    }
    Era::Modern
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum VersionEra {
    Modern,
    Legacy,
}

impl VersionEra {
    /// The era of a version header, served or not: dates sort, and the last legacy one is known.
    fn of(header: &[u8]) -> Option<Self> {
        let text = headers::decode(header)?;
        let date = text.as_bytes();
        let is_date = date.len() == 10
            && date.iter().enumerate().all(|(index, byte)| match index {
                4 | 7 => *byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        let last = Revision::NEWEST_LEGACY.as_str().as_bytes();
        is_date.then_some(if date <= last { Self::Legacy } else { Self::Modern })
    }
}

fn modern(
    headers: &Mirrored<'_>,
    incoming: Incoming,
    served: &[Revision],
) -> Result<Post, MessageError> {
    let invalid = |reason, text: &str| MessageError::new(INVALID_REQUEST, reason, text);
    match incoming {
        Incoming::Batch(_) => Err(invalid("batch", "batches exist in revision 2025-03-26 only")),
        Incoming::One(Message::Response(_)) => {
            Err(invalid("response_posted", "clients must not post responses in this revision"))
        }
        Incoming::One(Message::Notification(note)) => {
            headers.check_notification(&note)?;
            Ok(Post::ModernNotification(note))
        }
        Incoming::One(Message::Request(request)) => {
            let id = request.id.clone();
            modern_request(headers, request, served).map_err(|error| error.answering(Some(&id)))
        }
    }
}

fn modern_request(
    headers: &Mirrored<'_>,
    request: Request,
    served: &[Revision],
) -> Result<Post, MessageError> {
    let version = request.meta.str(META_VERSION).ok_or_else(|| missing(META_VERSION))?.into_owned();
    let capabilities = Capabilities::of(request.meta.get(META_CAPABILITIES))
        .ok_or_else(|| missing(META_CAPABILITIES))?;
    headers.check(&request, &version)?;
    let revision = Revision::parse(&version)
        .filter(|revision| revision.era() == Era::Modern && served.contains(revision))
        .ok_or_else(|| unsupported(&version, served))?;
    let method = methods::find(Sender::Client, Form::Request, &request.method, revision)
        .ok_or_else(|| {
            MessageError::new(METHOD_NOT_FOUND, "unknown_method", "this method does not exist here")
        })?;
    let meta = ModernMeta::read(&request.meta, revision, capabilities)?;
    Ok(Post::Modern { request, meta, method })
}

fn legacy(
    headers: &Mirrored<'_>,
    incoming: Incoming,
    served: &[Revision],
) -> Result<Post, MessageError> {
    if headers.twice.is_some() {
        let text = "a header of the protocol comes twice";
        let error = MessageError::new(INVALID_REQUEST, "header_twice", text);
        return Err(error.answering(asked(&incoming)));
    }
    // `initialize` negotiates in its body; a header on it says nothing yet.
    let initialize = matches!(&incoming, Incoming::One(one) if one.method() == Some("initialize"));
    let Some(header) = headers.version.filter(|_| !initialize) else {
        return Ok(Post::Legacy { incoming, version: None });
    };
    let version = headers::decode(header).and_then(|date| Revision::parse(&date));
    let version =
        version.filter(|version| version.era() == Era::Legacy && served.contains(version));
    let Some(version) = version else {
        let text = format!("unsupported protocol version; this server speaks {}", list(served));
        let error = MessageError::new(INVALID_REQUEST, "unsupported_version", text);
        return Err(error.answering(asked(&incoming)));
    };
    if matches!(incoming, Incoming::Batch(_)) && version != Revision::V2025_03_26 {
        let text = "batches exist in revision 2025-03-26 only";
        return Err(MessageError::new(INVALID_REQUEST, "batch", text));
    }
    Ok(Post::Legacy { incoming, version: Some(version) })
}

/// The id of the one request that came.
const fn asked(incoming: &Incoming) -> Option<&RequestId> {
    match incoming {
        Incoming::One(Message::Request(request)) => Some(&request.id),
        _ => None,
    }
}

impl ModernMeta {
    fn read(
        meta: &Object,
        revision: Revision,
        capabilities: Capabilities,
    ) -> Result<Self, MessageError> {
        let wrong = |key: &str| {
            MessageError::new(INVALID_PARAMS, "meta", format!("`_meta[\"{key}\"]` is malformed"))
        };
        let client = meta.get(META_CLIENT).map(client_hint);
        let client = client.map_or(Some(ClientHint::default()), |hint| hint);
        let log_level = meta.get(META_LOG_LEVEL).map(log_level);
        let progress_token = meta.get(META_PROGRESS).map(RequestId::read);
        Ok(Self {
            revision,
            capabilities,
            client: client.ok_or_else(|| wrong(META_CLIENT))?,
            log_level: log_level
                .map_or(Ok(None), |level| level.map(Some).ok_or_else(|| wrong(META_LOG_LEVEL)))?,
            progress_token: progress_token
                .map_or(Ok(None), |token| token.map(Some).ok_or_else(|| wrong(META_PROGRESS)))?,
        })
    }
}

/// What a client declares, per request (modern) or per session (legacy).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Capabilities(Object);

impl Capabilities {
    /// Reads the object; `None` if the value is absent or no object.
    #[must_use]
    pub fn of(value: Option<&JsonText>) -> Option<Self> {
        value.and_then(Object::parse).map(Self)
    }

    /// Whether the server may ask the user by a form. An empty declaration means forms.
    #[must_use]
    pub fn elicitation_form(&self) -> bool {
        self.0
            .object("elicitation")
            .is_some_and(|modes| declares(&modes, "form") || !modes.contains("url"))
    }

    /// Whether the server may send the user to a URL.
    #[must_use]
    pub fn elicitation_url(&self) -> bool {
        self.0.object("elicitation").is_some_and(|modes| declares(&modes, "url"))
    }

    /// Whether the server may ask the client's model.
    #[must_use]
    pub fn sampling(&self) -> bool {
        declares(&self.0, "sampling")
    }

    /// Whether the server may ask for roots.
    #[must_use]
    pub fn roots(&self) -> bool {
        declares(&self.0, "roots")
    }

    /// Whether an extension is declared, by its id.
    #[must_use]
    pub fn extension(&self, id: &str) -> bool {
        self.0.object("extensions").is_some_and(|extensions| declares(&extensions, id))
    }

    /// The same without what we do not pass: unknown extensions, experimental and unknown members.
    /// Such an extension could deliver past us.
    #[must_use]
    pub fn cut(&self, extensions: &[&str]) -> Self {
        let mut kept = self.0.clone();
        kept.retain(|key| matches!(key, "elicitation" | "sampling" | "roots" | "extensions"));
        if let Some(mut declared) = kept.object("extensions") {
            declared.retain(|id| extensions.contains(&id));
            kept.set("extensions", declared.to_text());
        } else {
            kept.remove("extensions");
        }
        Self(kept)
    }

    /// The object as text.
    #[must_use]
    pub fn to_text(&self) -> JsonText {
        self.0.to_text()
    }
}

fn declares(object: &Object, key: &str) -> bool {
    object.get(key).is_some_and(|value| json::kind(value) == Kind::Object)
}

/// Name and version of `clientInfo`, cut to a length and to characters that can be shown.
#[must_use]
pub fn client_hint(info: &JsonText) -> Option<ClientHint> {
    let info = Object::parse(info)?;
    let short = |key| {
        let text = info.str(key).unwrap_or_default();
        text.chars().filter(|letter| !letter.is_control()).take(MAX_HINT).collect()
    };
    Some(ClientHint { name: short("name"), version: short("version"), address: None })
}

/// The log level of a value, if it is one of [`LOG_LEVELS`].
#[must_use]
pub fn log_level(value: &JsonText) -> Option<&'static str> {
    let level = json::as_str(value)?;
    LOG_LEVELS.into_iter().find(|known| *known == level)
}

fn missing(key: &str) -> MessageError {
    let text = format!("`params._meta` must have `{key}`");
    MessageError::new(INVALID_PARAMS, "meta", text)
}

fn unsupported(requested: &str, served: &[Revision]) -> MessageError {
    let text = format!("unsupported protocol version; this server speaks {}", list(served));
    let names: Vec<&str> = served.iter().map(|revision| revision.as_str()).collect();
    let data = Object::from_iter([
        ("supported", JsonText::of(&names)),
        ("requested", json::quote(requested)),
    ]);
    MessageError::new(UNSUPPORTED_VERSION, "unsupported_version", text).with_data(data.to_text())
}

fn list(served: &[Revision]) -> String {
    served.iter().map(|revision| revision.as_str()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
