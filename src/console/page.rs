//! What all pages share: the frame around them, how they are written, and what is said when
//! something is not in order.

use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, StatusCode, Uri};

use super::extract::Signed;
use super::{Console, assets};
use crate::desk::DeskError;
use crate::domain::Timestamp;
use crate::identity::Person;

/// One entry of the navigation.
pub(super) struct Area {
    pub(super) path: &'static str,
    pub(super) label: &'static str,
    /// The drawing of its icon, in a square of 24.
    pub(super) icon: &'static str,
    /// Whether it stands in the bar of a phone, which has room for four.
    pub(super) on_phone: bool,
}

/// The navigation, in its order.
pub(super) const AREAS: &[Area] = &[
    Area {
        path: "/",
        label: "Inbox",
        icon: "M4 13h4l1.5 3h5L16 13h4M4 13l3-8h10l3 8v6H4Z",
        on_phone: true,
    },
    Area {
        path: "/history",
        label: "History",
        icon: "M12 7v5l3 2M4 12a8 8 0 1 0 3-6M4 4v4h4",
        on_phone: true,
    },
    Area { path: "/live", label: "Live", icon: "M3 12h4l3-7 4 14 3-7h4", on_phone: true },
    Area {
        path: "/grants",
        label: "Grants",
        icon: "M7 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM9.500 10.500 19 20M15 16l2.500-2.500",
        on_phone: false,
    },
    Area {
        path: "/policy",
        label: "Policy",
        icon: "M6 3h9l4 4v14H6ZM14 3v5h5M9 13h7M9 17h5",
        on_phone: false,
    },
    Area {
        path: "/plugins",
        label: "Plugins",
        icon: "M9 3v5M15 3v5M6 8h12v4a6 6 0 0 1-12 0ZM12 18v3",
        on_phone: false,
    },
    Area {
        path: "/people",
        label: "People",
        icon: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7Zm-6 9a6 6 0 0 1 12 0M16 4.5a3.5 3.5 0 0 1 0 6.500M18 14.500a6 6 0 0 1 3 5.500",
        on_phone: false,
    },
    Area {
        path: "/account",
        label: "Account",
        icon: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8Zm-7 8a7 7 0 0 1 14 0",
        on_phone: true,
    },
];

/// What stands around a page.
pub(super) struct Frame {
    /// Of the page.
    pub(super) title: String,
    /// The path of the area that it belongs to.
    pub(super) here: &'static str,
    /// Who reads it.
    pub(super) person: Option<Person>,
    /// What its forms must bring along.
    pub(super) form_token: String,
    /// Which installation this is.
    pub(super) environment: String,
}

impl Frame {
    /// Around a page of somebody with a session.
    pub(super) fn signed(
        console: &Console,
        signed: &Signed,
        here: &'static str,
        title: &str,
    ) -> Self {
        Self {
            title: title.to_owned(),
            here,
            person: Some(signed.person.clone()),
            form_token: signed.form_token.clone(),
            environment: console.environment.clone(),
        }
    }

    /// Around a page of somebody without.
    pub(super) fn open(console: &Console, title: &str, form_token: String) -> Self {
        let environment = console.environment.clone();
        Self { title: title.to_owned(), here: "", person: None, form_token, environment }
    }

    pub(super) fn areas(&self) -> &'static [Area] {
        AREAS
    }

    pub(super) fn style(&self) -> &'static str {
        assets::STYLE.path()
    }

    pub(super) fn script(&self) -> &'static str {
        assets::SCRIPT.path()
    }

    pub(super) fn icon(&self) -> &'static str {
        assets::ICON.path()
    }

    pub(super) fn manifest(&self) -> &'static str {
        assets::MANIFEST.path()
    }
}

/// Writes a page.
pub(super) fn html(page: &impl Template) -> Response {
    with_status(StatusCode::OK, page)
}

/// Writes a page with another status than 200.
pub(super) fn with_status(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => {
            let kind = HeaderValue::from_static("text/html; charset=utf-8");
            (status, [(CONTENT_TYPE, kind)], text).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "a page could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A time as people read it; the script adds how long ago that is.
pub(super) fn time_text(at: Timestamp) -> String {
    match jiff::Timestamp::from_millisecond(at.millis()) {
        Ok(time) => time.strftime("%-d %b %Y, %H:%M UTC").to_string(),
        Err(_) => at.to_string(),
    }
}

/// The status of an answer that says why the desk did not do something.
pub(super) const fn status_of(error: &DeskError) -> StatusCode {
    match error {
        DeskError::NoSuchHold(_) => StatusCode::NOT_FOUND,
        DeskError::Conflict { .. } => StatusCode::CONFLICT,
        DeskError::Forbidden { .. } | DeskError::StepUp { .. } => StatusCode::FORBIDDEN,
        DeskError::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        DeskError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// A request that cannot be served, with words for the person.
#[derive(Debug)]
pub(super) struct Fault {
    status: StatusCode,
    title: &'static str,
    text: String,
    /// Where to go instead.
    instead: Option<String>,
    /// After how many seconds to try again.
    again: Option<u32>,
}

#[derive(Template)]
#[template(path = "fault.html", config = "src/console/askama.toml")]
struct FaultPage {
    frame: Frame,
    text: String,
    status: u16,
}

impl Fault {
    pub(super) fn new(status: StatusCode, title: &'static str, text: impl Into<String>) -> Self {
        Self { status, title, text: text.into(), instead: None, again: None }
    }

    /// Nobody is signed in. Somebody who wanted to read is led to the door and back.
    pub(super) fn signed_out(method: &Method, uri: &Uri) -> Self {
        let title = "Signed out";
        let text = "Nothing was changed: your session has ended. Sign in again, then go back and \
                    send it once more.";
        let reads = matches!(*method, Method::GET | Method::HEAD);
        let back = uri.path_and_query().map_or("/", |it| it.as_str());
        let back: String = form_urlencoded::byte_serialize(back.as_bytes()).collect();
        let instead = reads.then(|| format!("/login?next={back}"));
        Self { instead, ..Self::new(StatusCode::UNAUTHORIZED, title, text) }
    }

    pub(super) fn foreign() -> Self {
        let text = "This request came from another site. Nothing was changed.";
        Self::new(StatusCode::FORBIDDEN, "Not from here", text)
    }

    pub(super) fn form() -> Self {
        let text = "The form is not of this session: you signed in or out since it was shown. \
                    Nothing was changed. Load the page again and repeat it.";
        Self::new(StatusCode::FORBIDDEN, "An old form", text)
    }

    pub(super) fn method() -> Self {
        let text = "Only GET, HEAD and POST are served here.";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "Not this way", text)
    }

    /// What the desk says.
    pub(super) fn desk(error: &DeskError) -> Self {
        let title = match error {
            DeskError::NoSuchHold(_) => "No such call",
            DeskError::Conflict { .. } => "It changed",
            DeskError::Forbidden { .. } | DeskError::StepUp { .. } => "Not for you",
            DeskError::Invalid(_) => "Not understood",
            DeskError::Unavailable(_) => "Not available",
        };
        Self::new(status_of(error), title, format!("Nothing was changed: {error}."))
    }

    /// Somebody else is served first.
    pub(super) fn busy(why: &str) -> Self {
        let again = 10;
        let text = format!("Portcullis is busy: {why}. Try again in {again} seconds.");
        let fault = Self::new(StatusCode::SERVICE_UNAVAILABLE, "Busy", text);
        Self { again: Some(again), ..fault }
    }

    pub(super) fn unavailable() -> Self {
        let text = "Portcullis cannot read or write its data at the moment. Nothing was changed. \
                    Try again; if it lasts, look at its log.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "Not available", text)
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        if let Some(instead) = &self.instead {
            return Redirect::to(instead).into_response();
        }
        let frame = Frame {
            title: self.title.to_owned(),
            here: "",
            person: None,
            form_token: String::new(),
            environment: String::new(),
        };
        let page = FaultPage { frame, text: self.text, status: self.status.as_u16() };
        let mut answer = with_status(self.status, &page);
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            let allow = HeaderValue::from_static("GET, HEAD, POST");
            answer.headers_mut().insert(http::header::ALLOW, allow);
        }
        if let Some(again) = self.again {
            answer.headers_mut().insert(http::header::RETRY_AFTER, again.into());
        }
        answer
    }
}

pub(super) async fn nothing_here() -> Fault {
    let text = "There is no page of this address.";
    Fault::new(StatusCode::NOT_FOUND, "Nothing here", text)
}

pub(super) async fn wrong_method() -> Fault {
    Fault::method()
}

/// A path of ours to go to after signing in; `/` for anything else.
pub(super) fn local(next: &str) -> &str {
    let plain = next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    let ours = next.starts_with('/') && !next.starts_with("//") && next.len() <= 1024;
    if plain && ours { next } else { "/" }
}

#[cfg(test)]
mod tests {
    #[test]
    fn after_signing_in_nobody_is_led_away() {
        for (next, expected) in [
            ("/holds/hold_1?tab=raw", "/holds/hold_1?tab=raw"),
            ("", "/"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("https://evil.example/", "/"),
            ("/a\r\nSet-Cookie: x", "/"),
            ("javascript:alert(1)", "/"),
            ("/\u{2066}x", "/"),
        ] {
            assert_eq!(super::local(next), expected, "{next:?}");
        }
    }
}
