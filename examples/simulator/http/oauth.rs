//! Intercom's OAuth front: metadata, registration, consent and tokens, with its oddities.
//!
//! Identifiers come from the seed: nothing here is a secret. A refresh token may be used once; the one before stays good until
//! its successor is used, as in the library that the real server is believed to wrap.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::form::{basic, escaped, fields, percent};
use super::{Shared, plain};
use crate::simulator::options::{Consent, Pkce, Registration};
use crate::simulator::received::now_ms;

/// Clients, codes and grants.
#[derive(Debug, Default)]
pub(super) struct Grants(Mutex<Book>);

#[derive(Debug, Default)]
struct Book {
    clients: HashMap<String, Client>,
    codes: HashMap<String, Code>,
    /// Access tokens and when they end, in milliseconds since 1970.
    access: HashMap<String, u64>,
    refresh: HashMap<String, Refresh>,
}

#[derive(Debug, Clone)]
struct Client {
    name: String,
    redirects: Vec<String>,
    secret: Option<String>,
}

#[derive(Debug, Clone)]
struct Code {
    client: String,
    redirect: String,
    challenge: Option<(String, String)>,
}

#[derive(Debug, Clone)]
struct Refresh {
    client: String,
    /// The token it replaced, which ends when this one is used.
    former: Option<String>,
}

impl Grants {
    /// Whether an access token is good; the reason if it is not.
    pub(super) fn check(&self, token: &str) -> Result<(), &'static str> {
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).access.get(token) {
            None => Err("Invalid access token"),
            Some(end) if *end <= now_ms() => Err("Access token expired"),
            Some(_) => Ok(()),
        }
    }

    fn book<T>(&self, work: impl FnOnce(&mut Book) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// `/.well-known/oauth-authorization-server`.
pub(super) async fn metadata(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let options = shared.options();
    shared.received.note(
        "GET /.well-known/oauth-authorization-server",
        &headers,
        b"",
        None,
        None,
        options.keep,
    );
    let url = &shared.url;
    let methods = match options.pkce {
        Pkce::S256 => json!(["S256"]),
        Pkce::S256AndPlain => json!(["plain", "S256"]),
    };
    axum::Json(json!({
        "issuer": url, "authorization_endpoint": format!("{url}/authorize"), "token_endpoint": format!("{url}/token"), "registration_endpoint": format!("{url}/register"),
        "response_types_supported": ["code"], "response_modes_supported": ["query"], "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"], "revocation_endpoint": format!("{url}/token"), "code_challenge_methods_supported": methods,
    }))
    .into_response()
}

/// `/.well-known/oauth-protected-resource`: 404 unless switched on.
pub(super) async fn resource(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let options = shared.options();
    shared.received.note(
        "GET /.well-known/oauth-protected-resource",
        &headers,
        b"",
        None,
        None,
        options.keep,
    );
    if !options.resource_metadata {
        return plain(StatusCode::NOT_FOUND, "Not Found");
    }
    axum::Json(json!({"resource": format!("{}/mcp", shared.url), "authorization_servers": [shared.url], "bearer_methods_supported": ["header"]})).into_response()
}

/// POST `/register` (RFC 7591).
pub(super) async fn register(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Response {
    let options = shared.options();
    shared.received.note("POST /register", &headers, &body, None, None, options.keep);
    let Ok(asked) = serde_json::from_slice::<Value>(&body) else {
        return fault(StatusCode::BAD_REQUEST, "invalid_client_metadata", "Invalid JSON");
    };
    let redirects: Vec<String> = asked
        .get("redirect_uris")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    if redirects.is_empty() {
        return fault(
            StatusCode::BAD_REQUEST,
            "invalid_client_metadata",
            "At least one redirect URI is required",
        );
    }
    if let Some(bad) = redirects
        .iter()
        .find(|uri| options.registration == Registration::AllowList && !is_loopback(uri))
    {
        let why = format!(
            "Redirect URI {bad} is not in the allowlist, reach out to Intercom Customer Support if you believe we should support it"
        );
        return fault(StatusCode::BAD_REQUEST, "invalid_redirect_uri", &why);
    }
    let method = asked
        .get("token_endpoint_auth_method")
        .and_then(Value::as_str)
        .unwrap_or("client_secret_basic");
    let secret = (method != "none").then(|| shared.hex(32));
    let name = asked.get("client_name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let id = shared.hex(16);
    let mut answer = json!({
        "client_id": id, "redirect_uris": redirects, "client_name": name, "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
        "token_endpoint_auth_method": method, "client_id_issued_at": now_ms() / 1000,
    });
    if let Some(secret) = &secret {
        crate::simulator::data::put(&mut answer, "client_secret", secret.clone());
    }
    shared.grants.book(|book| book.clients.insert(id, Client { name, redirects, secret }));
    (StatusCode::CREATED, axum::Json(answer)).into_response()
}

/// The parameters of `/authorize`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Ask {
    response_type: String,
    client_id: String,
    redirect_uri: String,
    state: Option<String>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
}

/// GET `/authorize`.
pub(super) async fn authorize(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Query(ask): Query<Ask>,
) -> Response {
    let options = shared.options();
    shared.received.note("GET /authorize", &headers, b"", None, None, options.keep);
    let Some(client) = shared.grants.book(|book| book.clients.get(&ask.client_id).cloned()) else {
        return plain(StatusCode::BAD_REQUEST, "Invalid client");
    };
    if !client.redirects.contains(&ask.redirect_uri) {
        return plain(
            StatusCode::BAD_REQUEST,
            "Invalid redirect URI. The redirect URI provided does not match any registered URI for this client.",
        );
    }
    if ask.response_type != "code" {
        return back(&ask, "error", "unsupported_response_type");
    }
    let plain_method =
        ask.code_challenge.is_some() && ask.code_challenge_method.as_deref() != Some("S256");
    if plain_method && options.pkce == Pkce::S256 {
        return back(&ask, "error", "invalid_request");
    }
    match options.consent {
        Consent::Auto => grant(&shared, &ask),
        Consent::Denied => back(&ask, "error", "access_denied"),
        Consent::Page => page(&client, &ask),
    }
}

/// POST `/authorize`: the Allow button.
pub(super) async fn allow(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Response {
    let mut form = fields(&String::from_utf8_lossy(&body));
    let mut take = |name: &str| form.remove(name);
    let ask = Ask {
        response_type: take("response_type").unwrap_or_default(),
        client_id: take("client_id").unwrap_or_default(),
        redirect_uri: take("redirect_uri").unwrap_or_default(),
        state: take("state"),
        code_challenge: take("code_challenge"),
        code_challenge_method: take("code_challenge_method"),
    };
    shared.received.note("POST /authorize", &headers, b"", None, None, shared.options().keep);
    let known = shared.grants.book(|book| {
        book.clients
            .get(&ask.client_id)
            .is_some_and(|client| client.redirects.contains(&ask.redirect_uri))
    });
    if known {
        grant(&shared, &ask)
    } else {
        plain(StatusCode::BAD_REQUEST, "Authorization could not be completed")
    }
}

fn page(client: &Client, ask: &Ask) -> Response {
    let field = |name: &str, value: &str| {
        format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escaped(value))
    };
    let optional = |name: &str, value: &Option<String>| {
        value.as_deref().map(|value| field(name, value)).unwrap_or_default()
    };
    let fields = [
        field("response_type", &ask.response_type),
        field("client_id", &ask.client_id),
        field("redirect_uri", &ask.redirect_uri),
        optional("state", &ask.state),
        optional("code_challenge", &ask.code_challenge),
        optional("code_challenge_method", &ask.code_challenge_method),
    ];
    let html = format!(
        "<!doctype html><title>Intercom (simulated)</title><h1>{} wants access</h1><p>Client {}<br>Redirects to {}</p><ul><li>View conversations and add internal notes</li>\
         <li>View contacts and companies</li><li>View, create and update articles</li></ul><form method=\"post\" action=\"/authorize\">{}<button>Allow</button></form>",
        escaped(&client.name),
        escaped(&ask.client_id),
        escaped(&ask.redirect_uri),
        fields.concat()
    );
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response()
}

fn grant(shared: &Shared, ask: &Ask) -> Response {
    let code = format!("{}:{}:{}", shared.hex(8), shared.hex(16), shared.hex(32));
    let challenge = ask.code_challenge.clone().map(|challenge| {
        (challenge, ask.code_challenge_method.clone().unwrap_or_else(|| "plain".to_owned()))
    });
    shared.grants.book(|book| {
        book.codes.insert(
            code.clone(),
            Code { client: ask.client_id.clone(), redirect: ask.redirect_uri.clone(), challenge },
        )
    });
    back(ask, "code", &code)
}

fn back(ask: &Ask, key: &str, value: &str) -> Response {
    let glue = if ask.redirect_uri.contains('?') { '&' } else { '?' };
    let state =
        ask.state.as_deref().map(|state| format!("&state={}", percent(state))).unwrap_or_default();
    (
        StatusCode::FOUND,
        [(header::LOCATION, format!("{}{glue}{key}={}{state}", ask.redirect_uri, percent(value)))],
    )
        .into_response()
}

/// POST `/token`: codes, refresh tokens and revocation.
pub(super) async fn token(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Response {
    let options = shared.options();
    shared.received.note("POST /token", &headers, &body, None, None, options.keep);
    let is_form = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let Some(form) = is_form.then(|| fields(&String::from_utf8_lossy(&body))) else {
        return fault(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "Content-Type must be application/x-www-form-urlencoded",
        );
    };
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let (basic_id, basic_secret) = basic(&headers).unwrap_or_default();
    let (id, secret) = if basic_id.is_empty() {
        (field("client_id"), field("client_secret"))
    } else {
        (basic_id.as_str(), basic_secret.as_str())
    };
    let client = shared.grants.book(|book| book.clients.get(id).cloned());
    if client.is_none_or(|client| client.secret.is_some_and(|wanted| wanted != secret)) {
        return fault(
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            "Client not found or secret wrong",
        );
    }
    let good = match field("grant_type") {
        "authorization_code" => shared.grants.book(|book| {
            book.redeem(field("code"), id, field("redirect_uri"), field("code_verifier"))
        }),
        "refresh_token" => shared.grants.book(|book| book.rotate(field("refresh_token"), id)),
        "" if !field("token").is_empty() => {
            shared.grants.book(|book| {
                (book.access.remove(field("token")), book.refresh.remove(field("token")))
            });
            return StatusCode::OK.into_response();
        }
        _ => {
            return fault(
                StatusCode::BAD_REQUEST,
                "unsupported_grant_type",
                "Grant type not supported",
            );
        }
    };
    let former = match good {
        Ok(former) => former,
        Err(why) => return fault(StatusCode::BAD_REQUEST, "invalid_grant", why),
    };
    let (access, refresh) = (
        format!("{}:{}:{}", shared.hex(8), shared.hex(16), shared.hex(32)),
        format!("{}:{}:{}", shared.hex(8), shared.hex(16), shared.hex(32)),
    );
    shared.grants.book(|book| {
        book.access.insert(access.clone(), now_ms() + options.token_lifetime * 1000);
        book.refresh.insert(refresh.clone(), Refresh { client: id.to_owned(), former });
    });
    axum::Json(json!({"access_token": access, "token_type": "bearer", "expires_in": options.token_lifetime, "refresh_token": refresh})).into_response()
}

impl Book {
    fn redeem(
        &mut self,
        code: &str,
        client: &str,
        redirect: &str,
        verifier: &str,
    ) -> Result<Option<String>, &'static str> {
        let code = self
            .codes
            .remove(code)
            .filter(|code| code.client == client)
            .ok_or("Authorization code not found")?;
        if code.redirect != redirect {
            return Err("Redirect URI does not match");
        }
        let proven = match &code.challenge {
            None => true,
            Some((challenge, method)) if method == "S256" => {
                URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == *challenge
            }
            Some((challenge, _)) => verifier == challenge,
        };
        if proven { Ok(None) } else { Err("Invalid PKCE code_verifier") }
    }

    /// Uses a refresh token: its predecessor ends now, and it ends itself when its successor is used.
    fn rotate(&mut self, token: &str, client: &str) -> Result<Option<String>, &'static str> {
        let used = self
            .refresh
            .get_mut(token)
            .filter(|refresh| refresh.client == client)
            .ok_or("Invalid refresh token")?;
        if let Some(former) = used.former.take() {
            self.refresh.remove(&former);
        }
        Ok(Some(token.to_owned()))
    }
}

fn is_loopback(uri: &str) -> bool {
    ["http://localhost", "http://127.0.0.1", "http://[::1]"]
        .iter()
        .filter_map(|start| uri.strip_prefix(start))
        .any(|rest| rest.is_empty() || rest.starts_with([':', '/']))
}

fn fault(status: StatusCode, error: &str, description: &str) -> Response {
    (status, axum::Json(json!({"error": error, "error_description": description}))).into_response()
}
