//! Signing in at the organisation's provider and coming back.
//!
//! The way back is a request that another site began, so the cookie that binds it to the browser is
//! `SameSite=Lax`, and what it sets is not sent along to the page that is asked for next. Hence the
//! way back ends on a page of ours, which leads on: a request of our own then.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::Console;
use super::extract::{
    MaybeSigned, PROVIDER, SESSION, browser, clear_cookie, cookie, set_cookie, set_lax,
};
use super::page::{Fault, Frame, html, local};
use crate::clock;
use crate::config;
use crate::identity::{AWAY, Answer, OidcError, Provider};
use crate::upstream::{Outside, OutsideError};

/// The path to which the provider sends browsers back.
pub(super) const CALLBACK: &str = "/login/oidc/callback";
/// For one question to the provider.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

/// The provider and the way to ask it.
pub(super) struct Organisation {
    provider: Provider,
    outside: Outside,
}

#[derive(Template)]
#[template(path = "back.html", config = "src/console/askama.toml")]
struct BackPage {
    frame: Frame,
    next: String,
}

#[derive(serde::Deserialize)]
struct Begin {
    #[serde(default)]
    next: String,
    #[serde(default)]
    fresh: bool,
}

impl Organisation {
    pub(super) fn new(settings: &config::Oidc, page: &str) -> std::io::Result<Self> {
        let outside = Outside::new(settings.ca_file.as_deref(), PATIENCE)?;
        let provider = Provider::new(settings.clone(), format!("{page}{CALLBACK}"));
        Ok(Self { provider, outside })
    }

    /// The client in the library's words.
    fn http(&self) -> impl Fn(http::Request<Vec<u8>>) -> Asked {
        let outside = self.outside.clone();
        move |request: http::Request<Vec<u8>>| {
            let outside = outside.clone();
            Box::pin(async move {
                let answer = outside.ask(request.map(Bytes::from)).await?;
                Ok(answer.map(|body| body.to_vec()))
            })
        }
    }
}

/// An answer of the provider that is on its way.
type Asked =
    std::pin::Pin<Box<dyn Future<Output = Result<http::Response<Vec<u8>>, OutsideError>> + Send>>;

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/login/oidc", get(begin)).route(CALLBACK, get(back))
}

async fn begin(
    State(console): State<Arc<Console>>,
    Query(Begin { next, fresh }): Query<Begin>,
) -> Result<Response, Fault> {
    let organisation = console.organisation.as_ref().ok_or_else(nobody)?;
    let http = organisation.http();
    let next = local(&next);
    let begun =
        organisation.provider.begin(&console.sign_in, &http, next, fresh, clock::now()).await;
    let begun = begun.map_err(|error| refused(&error))?;
    let mut answer = Redirect::to(&begun.url).into_response();
    set_lax(answer.headers_mut(), PROVIDER, &begun.cookie, AWAY);
    Ok(answer)
}

async fn back(
    State(console): State<Arc<Console>>,
    MaybeSigned(signed): MaybeSigned,
    headers: HeaderMap,
    Query(answer): Query<Answer>,
) -> Result<Response, Fault> {
    let organisation = console.organisation.as_ref().ok_or_else(nobody)?;
    let kept = cookie(&headers, PROVIDER).unwrap_or_default();
    let (http, name) = (organisation.http(), browser(&headers));
    let provider = &organisation.provider;
    let finished =
        provider.finish(&console.sign_in, &http, &kept, answer, &name, clock::now()).await;
    let (opened, next) = finished.map_err(|error| refused(&error))?;
    // Whoever was signed in here before no longer is: one browser, one person.
    if let Some(old) = signed {
        console.sign_in.end(&old.session()).map_err(|_| Fault::unavailable())?;
    }
    let next = local(&next).to_owned();
    let mut answer =
        html(&BackPage { frame: Frame::open(&console, "Signed in", String::new()), next });
    set_cookie(answer.headers_mut(), SESSION, opened.id.expose());
    clear_cookie(answer.headers_mut(), PROVIDER);
    Ok(answer)
}

fn nobody() -> Fault {
    let text = "Nobody but Portcullis itself vouches for people here.";
    Fault::new(StatusCode::NOT_FOUND, "Nothing here", text)
}

fn refused(error: &OidcError) -> Fault {
    let status = match error {
        OidcError::Provider(_) => StatusCode::BAD_GATEWAY,
        OidcError::SignIn(_) => {
            tracing::error!(%error, "somebody could not be signed in");
            return Fault::unavailable();
        }
        _ => StatusCode::FORBIDDEN,
    };
    match error {
        OidcError::Token(why) | OidcError::Provider(why) => {
            tracing::warn!(%why, "the word of the identity provider was not taken");
        }
        _ => {}
    }
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string());
    Fault::new(
        status,
        "Not signed in",
        format!("{}{}.", first.unwrap_or_default(), letters.as_str()),
    )
}
