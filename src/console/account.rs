//! One's own account: who one is here, sessions, password, second factor.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use http::StatusCode;

use super::Console;
use super::extract::{Posted, SESSION, Signed, clear_cookie};
use super::page::{Fault, Frame, html, time_text, with_status};
use super::sign_in::{enter, told};
use crate::clock;
use crate::identity::{Enrolment, SignInError, Via};

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/account", get(account_page))
        .route("/account/password", post(change_password))
        .route("/account/second-factor", get(second_factor_page).post(second_factor))
        .route("/account/sessions/end", post(end_session))
}

#[derive(Template)]
#[template(path = "account.html", config = "src/console/askama.toml")]
struct AccountPage {
    frame: Frame,
    name: String,
    roles: Vec<&'static str>,
    groups: Vec<String>,
    via: &'static str,
    local: bool,
    second_factor: bool,
    sessions: Vec<Row>,
    problem: String,
}

/// A session in the list.
struct Row {
    short: String,
    browser: String,
    signed_at: String,
    seen_at: String,
    is_this: bool,
}

#[derive(Template)]
#[template(path = "second_factor.html", config = "src/console/askama.toml")]
struct SecondFactorPage {
    frame: Frame,
    offer: String,
    secret: String,
    url: String,
    /// The path of the dark squares, and the side of the picture.
    squares: String,
    side: usize,
    problem: String,
}

async fn account_page(
    State(console): State<Arc<Console>>,
    signed: Signed,
) -> Result<Response, Fault> {
    Ok(html(&account(&console, &signed, String::new())?))
}

fn account(console: &Console, signed: &Signed, problem: String) -> Result<AccountPage, Fault> {
    let (person, now) = (&signed.person, clock::now());
    let sessions = console.sign_in.sessions_of(person, now).map_err(|error| {
        tracing::error!(%error, "sessions cannot be read");
        Fault::unavailable()
    })?;
    let row = |(key, session): (crate::domain::Digest, crate::identity::Session)| Row {
        short: key.short(),
        browser: friendly(&session.browser),
        signed_at: time_text(session.signed_at),
        seen_at: time_text(session.seen_at),
        is_this: key == signed.key,
    };
    Ok(AccountPage {
        frame: Frame::signed(console, signed, "/account", "Your account"),
        name: person.name.clone(),
        roles: person.roles.iter().map(|role| role.as_str()).collect(),
        groups: person.groups.clone(),
        via: match person.via {
            Via::Password => "with a password here",
            Via::Oidc => "at your organisation",
            Via::Token => "with a token",
            Via::Key => "with a key",
            Via::Slack => "in Slack",
        },
        local: person.via == Via::Password,
        second_factor: console.sign_in.has_second_factor(person),
        sessions: sessions.into_iter().map(row).collect(),
        problem,
    })
}

async fn change_password(
    State(console): State<Arc<Console>>,
    Posted { signed, fields, browser }: Posted,
) -> Result<Response, Fault> {
    let (status, problem) = if fields.get("password") == fields.get("again") {
        let (old, new) = (fields.secret("old"), fields.secret("password"));
        let (session, now) = (signed.session(), clock::now());
        match console.sign_in.change_password(&session, old, new, &browser, now).await {
            Ok(opened) => return Ok(enter(&opened, "/account")),
            Err(SignInError::Wrong) => {
                (StatusCode::FORBIDDEN, "The present password is wrong.".to_owned())
            }
            Err(error) => told(&error)?,
        }
    } else {
        let text = "The two new passwords differ. Type the same one twice.";
        (StatusCode::UNPROCESSABLE_ENTITY, text.to_owned())
    };
    Ok(with_status(status, &account(&console, &signed, problem)?))
}

async fn second_factor_page(
    State(console): State<Arc<Console>>,
    signed: Signed,
) -> Result<Response, Fault> {
    match console.sign_in.offer(&signed.person) {
        Ok((shown, offer)) => {
            Ok(html(&second_factor_of(&console, &signed, &shown, offer, String::new())))
        }
        Err(error) => {
            let (status, problem) = told(&error)?;
            Ok(with_status(status, &account(&console, &signed, problem)?))
        }
    }
}

async fn second_factor(
    State(console): State<Arc<Console>>,
    Posted { signed, fields, browser }: Posted,
) -> Result<Response, Fault> {
    let (offer, code) = (fields.get("offer"), fields.get("code"));
    let (session, now) = (signed.session(), clock::now());
    let password = fields.secret("password");
    let enrolled = console.sign_in.enrol(&session, offer, code, password, &browser, now).await;
    let error = match enrolled {
        Ok(opened) => return Ok(enter(&opened, "/account")),
        Err(error) => error,
    };
    let (status, mut problem) = told(&error)?;
    if matches!(error, SignInError::Wrong) {
        "The password or the code is wrong.".clone_into(&mut problem);
    }
    let shown = console.sign_in.offered(&signed.person, offer).map_err(|_| Fault::form())?;
    let page = second_factor_of(&console, &signed, &shown, offer.to_owned(), problem);
    Ok(with_status(status, &page))
}

fn second_factor_of(
    console: &Console,
    signed: &Signed,
    shown: &Enrolment,
    offer: String,
    problem: String,
) -> SecondFactorPage {
    // One path of unit squares, in a frame of four that scanners need.
    let dark = shown.squares.iter().enumerate().flat_map(|(y, row)| {
        let dark = row.iter().enumerate().filter(|(_, dark)| **dark);
        dark.map(move |(x, _)| format!("M{} {}h1v1h-1z", x + 4, y + 4))
    });
    let letters: Vec<char> = shown.text.expose().chars().collect();
    let groups = letters.chunks(4).map(|group| group.iter().collect::<String>());
    SecondFactorPage {
        frame: Frame::signed(console, signed, "/account", "Set up a second factor"),
        offer,
        secret: groups.collect::<Vec<_>>().join(" "),
        url: shown.url.expose().to_owned(),
        squares: dark.collect(),
        side: shown.squares.len() + 8,
        problem,
    }
}

async fn end_session(
    State(console): State<Arc<Console>>,
    Posted { signed, fields, .. }: Posted,
) -> Result<Response, Fault> {
    let short = fields.get("session");
    let ended = console.sign_in.end_of(&signed.person, short).map_err(|error| {
        tracing::error!(%error, "a session could not be ended");
        Fault::unavailable()
    })?;
    let mut answer = Redirect::to("/account").into_response();
    if ended && signed.key.short() == short {
        clear_cookie(answer.headers_mut(), SESSION);
    }
    Ok(answer)
}

/// A browser's long name in two words; programs that are no browser keep theirs.
fn friendly(browser: &str) -> String {
    const PROGRAMS: [(&str, &str); 5] = [
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    const SYSTEMS: [(&str, &str); 6] = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ];
    let known = |list: &[(&'static str, &'static str)]| {
        list.iter().find(|(sign, _)| browser.contains(sign)).map(|(_, name)| *name)
    };
    match (known(&PROGRAMS), known(&SYSTEMS)) {
        (Some(program), Some(system)) => format!("{program} on {system}"),
        (Some(program), None) => program.to_owned(),
        _ => browser.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn browsers_are_named_in_two_words() {
        for (long, short) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
                "Firefox on Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/148.0.0.0 Safari/537.36 Edg/148.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 \
                 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            ("curl/8.5.0", "curl/8.5.0"),
        ] {
            assert_eq!(super::friendly(long), short);
        }
    }
}
