//! Who asks, and that what was sent came from our own page.
//!
//! [`Signed`] is a person with a session: for pages that are read. [`Posted`] is a form of such a
//! person that carries the token of their session: for pages that change something. [`Open`] is a
//! form of somebody without a session, bound to their browser by a cookie. [`Caller`] is for the API:
//! a token of our own in `Authorization`, or a session with the form token in a header.
//!
//! Forms are `application/x-www-form-urlencoded` and the API takes `application/json`, each by its
//! exact name: what a foreign page can send without asking (`text/plain`) is nobody's form.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderMap, SET_COOKIE, USER_AGENT};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};
use subtle::ConstantTimeEq as _;

use super::Console;
use super::page::Fault;
use crate::clock;
use crate::config::Secret;
use crate::domain::Digest;
use crate::identity::{Person, SignedIn, form_token};

/// The cookie of a session. `__Host-`: for this host alone, over TLS or on this machine, whole path.
pub(super) const SESSION: &str = "__Host-portcullis";
/// The cookie that binds forms to a browser that has no session.
pub(super) const BROWSER: &str = "__Host-portcullis-form";
/// The cookie of somebody who is away at the organisation's provider.
pub(super) const PROVIDER: &str = "__Host-portcullis-oidc";
/// The field of the form token, and the header of the API.
pub(super) const TOKEN_FIELD: &str = "form_token";
const TOKEN_HEADER: &str = "x-form-token";
/// The largest form of somebody with a session: an edited call, each letter three.
const LARGEST: usize = 12 << 20;
/// Of somebody without.
const LARGEST_OPEN: usize = 16 << 10;

/// A person with a session.
pub(super) struct Signed {
    /// Who.
    pub(super) person: Person,
    /// The session's key.
    pub(super) key: Digest,
    /// What forms of this session's pages must bring along.
    pub(super) form_token: String,
}

impl Signed {
    /// As the rooms below know them.
    pub(super) fn session(&self) -> SignedIn {
        SignedIn { person: self.person.clone(), key: self.key }
    }

    pub(super) fn of(console: &Console, headers: &HeaderMap) -> Result<Option<Self>, Fault> {
        let Some(id) = cookie(headers, SESSION) else { return Ok(None) };
        let found = console.sign_in.by_session(&id, clock::now());
        let found = found.map_err(|error| {
            tracing::error!(%error, "sessions cannot be read");
            Fault::unavailable()
        })?;
        let form_token = form_token(&id);
        Ok(found.map(|SignedIn { person, key }| Self { person, key, form_token }))
    }
}

impl FromRequestParts<Arc<Console>> for Signed {
    type Rejection = Fault;

    async fn from_request_parts(
        parts: &mut Parts,
        console: &Arc<Console>,
    ) -> Result<Self, Self::Rejection> {
        Self::of(console, &parts.headers)?
            .ok_or_else(|| Fault::signed_out(&parts.method, &parts.uri))
    }
}

/// A person with a session, if there is one.
pub(super) struct MaybeSigned(pub(super) Option<Signed>);

impl FromRequestParts<Arc<Console>> for MaybeSigned {
    type Rejection = Fault;

    async fn from_request_parts(
        parts: &mut Parts,
        console: &Arc<Console>,
    ) -> Result<Self, Self::Rejection> {
        Signed::of(console, &parts.headers).map(Self)
    }
}

/// A form from a page of ours, sent by a person with a session.
pub(super) struct Posted {
    /// Who.
    pub(super) signed: Signed,
    /// What they sent.
    pub(super) fields: Fields,
    /// With what.
    pub(super) browser: String,
}

impl FromRequest<Arc<Console>> for Posted {
    type Rejection = Fault;

    async fn from_request(
        request: Request,
        console: &Arc<Console>,
    ) -> Result<Self, Self::Rejection> {
        let (parts, body) = request.into_parts();
        let signed = Signed::of(console, &parts.headers)?;
        let signed = signed.ok_or_else(|| Fault::signed_out(&parts.method, &parts.uri))?;
        let browser = browser(&parts.headers);
        let fields = fields(Request::from_parts(parts, body), LARGEST).await?;
        fields.check(&signed.form_token)?;
        Ok(Self { signed, fields, browser })
    }
}

/// A form from a page of ours, sent by somebody without a session.
pub(super) struct Open {
    /// What they sent.
    pub(super) fields: Fields,
    /// With what.
    pub(super) browser: String,
}

impl FromRequest<Arc<Console>> for Open {
    type Rejection = Fault;

    async fn from_request(request: Request, _: &Arc<Console>) -> Result<Self, Self::Rejection> {
        let bound = cookie(request.headers(), BROWSER).ok_or_else(Fault::form)?;
        let browser = browser(request.headers());
        let fields = fields(request, LARGEST_OPEN).await?;
        fields.check(&form_token(&bound))?;
        Ok(Self { fields, browser })
    }
}

/// Whoever uses the API.
pub(super) struct Caller(pub(super) Person);

impl FromRequestParts<Arc<Console>> for Caller {
    type Rejection = Fault;

    async fn from_request_parts(
        parts: &mut Parts,
        console: &Arc<Console>,
    ) -> Result<Self, Self::Rejection> {
        let headers = &parts.headers;
        let refused = || Fault::signed_out(&Method::POST, &parts.uri);
        if let Some(value) = headers.get(AUTHORIZATION) {
            // Whoever brings a token is judged by it, whatever cookies came along.
            let token = value.as_bytes().strip_prefix(b"Bearer ").unwrap_or_default();
            let person = console.sign_in.people().by_token(token, clock::now());
            return person.map(Self).ok_or_else(refused);
        }
        let signed = Signed::of(console, headers)?.ok_or_else(refused)?;
        if !matches!(parts.method, Method::GET | Method::HEAD) {
            let sent = headers.get(TOKEN_HEADER).map(HeaderValue::as_bytes).unwrap_or_default();
            same(sent, &signed.form_token)?;
        }
        Ok(Self(signed.person))
    }
}

/// The fields of a form, in their order.
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// The first field of a name; empty if there is none.
    pub(super) fn get(&self, name: &str) -> &str {
        let field = self.0.iter().find(|(key, _)| key == name);
        field.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// All fields of a name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A field that nobody may see.
    pub(super) fn secret(&self, name: &str) -> Secret {
        Secret::new(self.get(name).to_owned())
    }

    fn check(&self, token: &str) -> Result<(), Fault> {
        same(self.get(TOKEN_FIELD).as_bytes(), token)
    }
}

fn same(sent: &[u8], token: &str) -> Result<(), Fault> {
    if bool::from(sent.ct_eq(token.as_bytes())) { Ok(()) } else { Err(Fault::form()) }
}

async fn fields(request: Request, largest: usize) -> Result<Fields, Fault> {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.unwrap_or_default().to_ascii_lowercase();
    if !matches!(
        kind.as_str(),
        "application/x-www-form-urlencoded" | "application/x-www-form-urlencoded;charset=utf-8"
    ) {
        return Err(Fault::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Not a form",
            "This page takes forms of its own pages only.",
        ));
    }
    let body: Bytes = axum::body::to_bytes(request.into_body(), largest).await.map_err(|_| {
        Fault::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "Too large",
            "The form was too large or broke off.",
        )
    })?;
    Ok(Fields(form_urlencoded::parse(&body).into_owned().collect()))
}

/// The one cookie of a name; none if there are several, for somebody else set one of them.
pub(super) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let cookies = lines.flat_map(cookie::Cookie::split_parse).filter_map(Result::ok);
    let mut named = cookies.filter(|cookie| cookie.name() == name);
    let first = named.next()?;
    named.next().is_none().then(|| first.value().to_owned())
}

/// Sets a cookie for as long as the browser runs; the server knows when it ends.
pub(super) fn set_cookie(headers: &mut HeaderMap, name: &'static str, value: &str) {
    write(headers, name, value, cookie::SameSite::Strict, None);
}

/// Sets a cookie that comes along when another site leads here.
pub(super) fn set_lax(headers: &mut HeaderMap, name: &'static str, value: &str, age: Duration) {
    let age = cookie::time::Duration::try_from(age).unwrap_or(cookie::time::Duration::ZERO);
    write(headers, name, value, cookie::SameSite::Lax, Some(age));
}

/// Takes a cookie away.
pub(super) fn clear_cookie(headers: &mut HeaderMap, name: &'static str) {
    write(headers, name, "", cookie::SameSite::Strict, Some(cookie::time::Duration::ZERO));
}

fn write(
    headers: &mut HeaderMap,
    name: &'static str,
    value: &str,
    same_site: cookie::SameSite,
    age: Option<cookie::time::Duration>,
) {
    let mut cookie = cookie::Cookie::build((name, value)).path("/").secure(true).http_only(true);
    cookie = cookie.same_site(same_site);
    if let Some(age) = age {
        cookie = cookie.max_age(age);
    }
    // Names and values are ours: letters, digits, `_` and `-`.
    if let Ok(value) = HeaderValue::from_str(&cookie.build().to_string()) {
        headers.append(SET_COOKIE, value);
    }
}

/// What a browser calls itself.
pub(super) fn browser(headers: &HeaderMap) -> String {
    let name = headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
    name.unwrap_or("an unknown program").to_owned()
}
