//! The way in and out: login, the set-up link of a new account, logout, the second proof.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use http::{HeaderMap, StatusCode};

use super::Console;
use super::extract::{
    BROWSER, MaybeSigned, Open, Posted, SESSION, Signed, clear_cookie, cookie, set_cookie,
};
use super::page::{Fault, Frame, html, local, with_status};
use crate::clock;
use crate::config::Secret;
use crate::identity::{Opened, SignInError, Via, form_token};
use crate::store;

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/login", get(login_page).post(login))
        .route("/setup", get(setup_page).post(setup))
        .route("/logout", post(logout))
        .route("/step-up", get(step_up_page).post(step_up))
}

/// Where somebody goes after the proof they are asked for.
#[derive(serde::Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    next: String,
}

#[derive(Template)]
#[template(path = "login.html", config = "src/console/askama.toml")]
struct LoginPage {
    frame: Frame,
    next: String,
    name: String,
    problem: String,
    /// Where the organisation's provider is asked; empty without one.
    provider: String,
}

#[derive(Template)]
#[template(path = "setup.html", config = "src/console/askama.toml")]
struct SetupPage {
    frame: Frame,
    code: String,
    problem: String,
}

#[derive(Template)]
#[template(path = "step_up.html", config = "src/console/askama.toml")]
struct StepUpPage {
    frame: Frame,
    next: String,
    problem: String,
    /// Where the organisation's provider gives a fresh proof; empty for accounts here.
    provider: String,
}

async fn login_page(
    State(console): State<Arc<Console>>,
    MaybeSigned(signed): MaybeSigned,
    Query(Next { next }): Query<Next>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    if signed.is_some() {
        return Ok(Redirect::to(local(&next)).into_response());
    }
    let bound = Bound::of(&headers)?;
    let page = LoginPage {
        frame: Frame::open(&console, "Sign in", bound.token()),
        provider: console.provider(local(&next)),
        next: local(&next).to_owned(),
        name: String::new(),
        problem: String::new(),
    };
    Ok(bound.keep(html(&page)))
}

async fn login(
    State(console): State<Arc<Console>>,
    headers: HeaderMap,
    Open { fields, browser }: Open,
) -> Result<Response, Fault> {
    let (name, password) = (fields.get("name").trim().to_owned(), fields.secret("password"));
    let next = local(fields.get("next")).to_owned();
    let now = clock::now();
    let opened =
        console.sign_in.by_password(&name, password, fields.get("code"), &browser, now).await;
    match opened {
        Ok(opened) => {
            // Whoever was signed in here before no longer is: one browser, one person.
            if let Some(old) = cookie(&headers, SESSION)
                && let Ok(Some(old)) = console.sign_in.by_session(&old, now)
            {
                console.sign_in.end(&old).map_err(|_| Fault::unavailable())?;
            }
            Ok(enter(&opened, &next))
        }
        Err(error) => {
            let (status, problem) = told(&error)?;
            let bound = Bound::of(&headers)?;
            let page = LoginPage {
                frame: Frame::open(&console, "Sign in", bound.token()),
                provider: console.provider(&next),
                next,
                name,
                problem,
            };
            Ok(bound.keep(with_status(status, &page)))
        }
    }
}

/// The link of a new account has its secret behind the `#`, which browsers send nowhere; the page's
/// script puts it into the form, and without scripts it is pasted.
async fn setup_page(
    State(console): State<Arc<Console>>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    let bound = Bound::of(&headers)?;
    let frame = Frame::open(&console, "Choose a password", bound.token());
    let page = SetupPage { frame, code: String::new(), problem: String::new() };
    Ok(bound.keep(html(&page)))
}

async fn setup(
    State(console): State<Arc<Console>>,
    headers: HeaderMap,
    Open { fields, browser }: Open,
) -> Result<Response, Fault> {
    // Somebody without scripts pastes the whole link.
    let code = fields.get("code").trim();
    let code = code.rsplit_once('#').map_or(code, |(_, code)| code);
    let refused = if fields.get("password") == fields.get("again") {
        let (link, new) = (Secret::new(code.to_owned()), fields.secret("password"));
        let opened = console.sign_in.by_setup(link, new, &browser, clock::now()).await;
        match opened {
            Ok(opened) => return Ok(enter(&opened, "/")),
            Err(error) => told(&error)?,
        }
    } else {
        let text = "The two passwords differ. Type the same one twice.".to_owned();
        (StatusCode::UNPROCESSABLE_ENTITY, text)
    };
    let (status, problem) = refused;
    let bound = Bound::of(&headers)?;
    let frame = Frame::open(&console, "Choose a password", bound.token());
    let page = SetupPage { frame, code: code.to_owned(), problem };
    Ok(bound.keep(with_status(status, &page)))
}

async fn logout(State(console): State<Arc<Console>>, posted: Posted) -> Result<Response, Fault> {
    console.sign_in.end(&posted.signed.session()).map_err(|error| {
        tracing::error!(%error, "a session could not be ended");
        Fault::unavailable()
    })?;
    let mut answer = Redirect::to("/login").into_response();
    clear_cookie(answer.headers_mut(), SESSION);
    Ok(answer)
}

async fn step_up_page(
    State(console): State<Arc<Console>>,
    signed: Signed,
    Query(Next { next }): Query<Next>,
) -> Response {
    let frame = Frame::signed(&console, &signed, "", "Confirm that it is you");
    let (next, problem) = (local(&next).to_owned(), String::new());
    html(&StepUpPage { frame, provider: fresh(&console, &signed, &next), next, problem })
}

async fn step_up(
    State(console): State<Arc<Console>>,
    Posted { signed, fields, browser }: Posted,
) -> Result<Response, Fault> {
    let next = local(fields.get("next")).to_owned();
    let session = signed.session();
    let stepped =
        console.sign_in.step_up(&session, fields.get("code"), &browser, clock::now()).await;
    match stepped {
        Ok(opened) => Ok(enter(&opened, &next)),
        Err(error) => {
            let (status, problem) = told(&error)?;
            let frame = Frame::signed(&console, &signed, "", "Confirm that it is you");
            let provider = fresh(&console, &signed, &next);
            Ok(with_status(status, &StepUpPage { frame, next, problem, provider }))
        }
    }
}

/// Where somebody of the organisation's provider is asked for a fresh proof.
fn fresh(console: &Console, signed: &Signed, next: &str) -> String {
    match signed.person.via {
        Via::Oidc => format!("{}&fresh=true", console.provider(next)),
        _ => String::new(),
    }
}

/// Gives a new session to the browser and leads it on.
pub(super) fn enter(opened: &Opened, next: &str) -> Response {
    let mut answer = Redirect::to(next).into_response();
    set_cookie(answer.headers_mut(), SESSION, opened.id.expose());
    clear_cookie(answer.headers_mut(), BROWSER);
    answer
}

/// What somebody is told who was not let in; faults of ours are not theirs to read.
pub(super) fn told(error: &SignInError) -> Result<(StatusCode, String), Fault> {
    let status = match error {
        SignInError::Wrong => StatusCode::FORBIDDEN,
        SignInError::Wait(_) => StatusCode::TOO_MANY_REQUESTS,
        SignInError::Busy => StatusCode::SERVICE_UNAVAILABLE,
        SignInError::NoSecondFactor | SignInError::HasSecondFactor | SignInError::NotLocal => {
            StatusCode::CONFLICT
        }
        SignInError::Password(_) => StatusCode::UNPROCESSABLE_ENTITY,
        SignInError::Accounts(accounts) if accounts.is_the_persons() => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        _ => {
            tracing::error!(%error, "somebody could not be signed in");
            return Err(Fault::unavailable());
        }
    };
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string());
    Ok((status, format!("{}{}.", first.unwrap_or_default(), letters.as_str())))
}

/// What binds the forms of somebody without a session to their browser, so that no other site signs
/// them in as somebody else.
struct Bound {
    value: String,
    is_new: bool,
}

impl Bound {
    fn of(headers: &HeaderMap) -> Result<Self, Fault> {
        let kept = cookie(headers, BROWSER).filter(|value| value.len() == 64);
        if let Some(value) = kept {
            return Ok(Self { value, is_new: false });
        }
        let bits = store::random::<32>().map_err(|_| Fault::unavailable())?;
        let value = bits.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { value, is_new: true })
    }

    fn token(&self) -> String {
        form_token(&self.value)
    }

    fn keep(self, mut answer: Response) -> Response {
        if self.is_new {
            set_cookie(answer.headers_mut(), BROWSER, &self.value);
        }
        answer
    }
}
