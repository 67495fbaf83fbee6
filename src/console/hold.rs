//! One hold: what will happen, why it waits, what it changes, and what a person can do.
//!
//! The page is made for a decision in twenty seconds: the headline, the warnings and the beginning
//! of the change stand on the first screen, and so do the buttons, on a phone too. Everything else
//! is one tap away and never cut.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::get;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use super::Console;
use super::extract::Signed;
use super::page::{Fault, Frame, time_text, with_status};
use super::records::{Line, lately};
use super::text::{RedLine, Seen, Segments, Source};
use crate::clock;
use crate::desk::{Detail, Present};
use crate::domain::{Action, HoldId, HoldState, OnRelease, Timestamp};
use crate::intercom::Catalogue;
use crate::review::{Review, Severity};

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/holds/{id}", get(page))
}

/// Which part of the change is shown.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Tab {
    pub(super) tab: String,
    /// Set if the reader comes from a decision of theirs.
    pub(super) done: bool,
}

#[derive(Template)]
#[template(path = "hold.html", config = "src/console/askama.toml")]
pub(super) struct HoldPage {
    pub(super) frame: Frame,
    pub(super) card: Card,
    pub(super) tab: &'static str,
    pub(super) problem: String,
    /// What the person typed before something came in between.
    pub(super) typed: String,
    pub(super) feed: u64,
    pub(super) next: Option<String>,
    /// Whether the reader just decided.
    pub(super) done: bool,
    /// What the agent did before; `None` if that cannot be read now.
    pub(super) lately: Option<Vec<Line>>,
}

/// A hold as it is drawn.
pub(super) struct Card {
    pub(super) detail: Detail,
    pub(super) review: Review,
    pub(super) id: String,
    pub(super) version: u64,
    pub(super) binding: String,
    pub(super) state: &'static str,
    pub(super) now: Timestamp,
}

impl Card {
    pub(super) fn of(detail: Detail) -> Self {
        Self {
            id: detail.hold.id.to_string(),
            version: detail.hold.version,
            binding: detail.binding.to_string(),
            state: detail.hold.state.as_str(),
            now: clock::now(),
            review: detail.review(),
            detail,
        }
    }

    /// Whether people can still decide.
    fn waits(&self) -> bool {
        self.detail.hold.state.is_undecided()
    }

    fn may(&self, action: &str) -> bool {
        self.detail.actions.iter().any(|it| it.as_str() == action)
    }

    /// Whether there is more to read than fits on some screens.
    pub(super) fn is_long(&self) -> bool {
        let body = self.review.body.as_ref();
        body.is_some_and(|body| body.source.len() > 40)
            || self.detail.contents.arguments.len() > 6_000
    }

    fn verb(&self) -> &str {
        &self.review.headline.verb
    }

    fn object(&self) -> Option<Seen<&String>> {
        self.review.headline.object.as_ref().map(Seen)
    }

    /// What changes; once it is done, the article of now does not tell.
    fn changes(&self) -> &[String] {
        if self.waits() { &self.review.headline.changes } else { &[] }
    }

    fn red_line(&self) -> RedLine<'_> {
        RedLine(self.review.body.as_ref().map_or(&[], |body| &body.rendered))
    }

    fn source(&self) -> Source<'_> {
        Source(self.review.body.as_ref().map_or(&[], |body| &body.source))
    }

    fn compared(&self) -> bool {
        self.review.body.as_ref().is_some_and(|body| body.compared)
    }

    fn segments<'a>(&self, field: &'a crate::review::Field) -> Segments<'a> {
        Segments(&field.segments)
    }

    fn risk(&self) -> &'static str {
        self.detail.hold.risk.as_str()
    }

    fn expires(&self) -> String {
        time_text(self.detail.hold.expires_at)
    }

    fn left(&self) -> String {
        left(self.detail.hold.expires_at.since(self.now).as_secs())
    }

    fn opened(&self) -> String {
        time_text(self.detail.hold.opened_at)
    }

    fn read_at(&self) -> Option<String> {
        self.review.read_at.map(time_text)
    }

    /// Whether the wait can be longer.
    fn can_extend(&self) -> bool {
        self.may(Action::Extend.as_str()) && self.detail.latest > self.detail.hold.expires_at
    }

    /// What the agent says why it calls.
    fn reason(&self) -> Option<Seen<&String>> {
        self.detail.contents.reason.as_ref().map(Seen)
    }

    /// The exact call, with hidden characters in its text as escapes of JSON.
    fn raw(&self) -> Seen<String> {
        Seen(laid_out(&self.review.raw))
    }

    /// Why it is not known whether a new article is there already.
    fn unread_articles(&self) -> Option<Seen<&String>> {
        match &self.detail.present {
            Present::Unread { why } => Some(Seen(why)),
            Present::NotAsked | Present::Read { .. } => None,
        }
    }

    /// How many articles a new one was compared with.
    fn compared_with(&self) -> Option<usize> {
        match &self.detail.present {
            Present::Read { count, .. } => Some(*count),
            Present::NotAsked | Present::Unread { .. } => None,
        }
    }

    /// Whether the reader may release it, as far as can be told before they try.
    fn is_mine(&self) -> bool {
        self.detail.barred.is_none()
    }

    /// Whether somebody released it, or ended it in words of their own.
    fn is_decided_by(&self, name: &str) -> bool {
        let hold = &self.detail.hold;
        let words = hold.outcome.as_deref().and_then(|words| words.strip_prefix(name));
        let said = words.is_some_and(|words| words.starts_with(": ") || words.starts_with(" took"));
        hold.approvals.iter().any(|it| it.as_str() == name) || said
    }

    /// Until when the reader put it aside.
    fn aside(&self) -> Option<(Timestamp, String)> {
        let until = self.detail.snoozed.filter(|_| self.waits())?;
        Some((until, time_text(until)))
    }

    fn missing(&self) -> usize {
        let people = usize::try_from(self.detail.hold.release.people).unwrap_or(usize::MAX);
        people.saturating_sub(self.detail.hold.approvals.len())
    }

    fn waits_for_agent(&self) -> bool {
        self.detail.hold.on_release == OnRelease::AwaitRepeat
    }

    /// What became of it, in words.
    fn fate(&self) -> (&'static str, String) {
        let outcome = self.detail.hold.outcome.clone().unwrap_or_default();
        match self.detail.hold.state {
            HoldState::Pending => ("info", String::from("It waits for a decision.")),
            HoldState::Stale => (
                "warn",
                String::from(
                    "What it was bound to changed, so the release was taken back. Look again.",
                ),
            ),
            HoldState::Approved | HoldState::Claimed if self.waits_for_agent() => (
                "good",
                String::from("Released. It is sent while the agent waits in an identical call."),
            ),
            HoldState::Approved | HoldState::Claimed => {
                ("good", String::from("Released. It is sent in a moment."))
            }
            HoldState::Sending => ("info", String::from("It is being sent to Intercom.")),
            HoldState::Executed => ("good", String::from("Done. Intercom did it.")),
            HoldState::Failed => ("bad", format!("It failed: {outcome}")),
            HoldState::Unknown => (
                "bad",
                format!(
                    "Nobody knows whether it took effect: {outcome}. Portcullis will not send it again. \
                     Compare with what there is now, below, and note what you see."
                ),
            ),
            HoldState::Rejected => ("plain", format!("Rejected by {outcome}")),
            HoldState::ChangesRequested => {
                ("plain", format!("Changes were asked for by {outcome}"))
            }
            HoldState::Expired => ("plain", String::from("It expired: nobody decided in time.")),
            HoldState::Lapsed => {
                ("plain", String::from("It was released, and never used in time."))
            }
            HoldState::Cancelled => ("plain", format!("It was withdrawn: {outcome}")),
            HoldState::Revoked => ("plain", format!("{outcome}.")),
        }
    }

    /// What this revision changes of the one before.
    fn since(&self) -> Vec<crate::review::Field> {
        let earlier = self.detail.earlier.as_ref();
        let now = &self.detail.contents.arguments;
        earlier.map(|it| crate::review::since(&it.arguments, now)).unwrap_or_default()
    }

    /// The tabs that there are: name for the address, words.
    fn tabs(&self) -> Vec<(&'static str, &'static str)> {
        let mut tabs = Vec::new();
        if let Some(body) = &self.review.body {
            tabs.push(("change", if body.compared { "Change" } else { "Text" }));
            tabs.push(("source", "Source"));
            if body.preview.is_some() {
                tabs.push(("preview", "Preview"));
            }
        }
        if self.detail.earlier.is_some() {
            tabs.push(("since", "Since the last revision"));
        }
        tabs.push(("fields", "Fields"));
        tabs.push(("raw", "Raw call"));
        tabs
    }

    pub(super) fn tab(&self, wanted: &str) -> &'static str {
        let tabs = self.tabs();
        let found = tabs.iter().find(|(name, _)| *name == wanted).or_else(|| tabs.first());
        found.map_or("raw", |(name, _)| name)
    }
}

async fn page(
    State(console): State<Arc<Console>>,
    signed: Signed,
    Path(id): Path<HoldId>,
    Query(shown): Query<Tab>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    let parts = headers.contains_key("x-parts");
    draw(&console, &signed, id, &shown, Told { parts, ..Told::default() }).await
}

/// What a page says beside the hold.
#[derive(Default)]
pub(super) struct Told {
    pub(super) status: StatusCode,
    /// Why something was not done.
    pub(super) problem: String,
    /// What the person typed before.
    pub(super) typed: String,
    /// Our script takes over some parts of it; the change on the screen stays.
    pub(super) parts: bool,
}

/// Draws a hold, with a problem to tell and what was typed before it if there is one.
pub(super) async fn draw(
    console: &Console,
    signed: &Signed,
    id: HoldId,
    shown: &Tab,
    Told { status, problem, typed, parts }: Told,
) -> Result<Response, Fault> {
    let feed = console.desk.last_change();
    let detail =
        console.desk.detail(&signed.person, id).await.map_err(|error| Fault::desk(&error))?;
    if !parts {
        console.desk.opened(&signed.person, &detail);
    }
    let card = Card::of(detail);
    let name = signed.person.id.as_str();
    let done = shown.done && problem.is_empty() && card.is_decided_by(name);
    let next = match card.waits() && !done {
        true => None,
        false => console.desk.next(&signed.person, id).map(|id| id.to_string()),
    };
    let lately = lately(console, &card.detail.hold.principal).await;
    let page = HoldPage {
        frame: Frame::signed(console, signed, "/", &card.review.headline.text()),
        tab: card.tab(&shown.tab),
        done,
        card,
        problem,
        typed,
        feed,
        next,
        lately,
    };
    Ok(with_status(status, &page))
}

/// A span in words, in its largest unit.
pub(super) fn left(seconds: u64) -> String {
    match seconds {
        0 => String::from("no time"),
        1..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// The class of a warning, which is its word too.
const fn severity(severity: &Severity) -> &'static str {
    match severity {
        Severity::Danger => "danger",
        Severity::Caution => "caution",
        Severity::Note => "note",
    }
}

/// What a tool does, in our words; its name if it is not known.
pub(super) fn tool_title(tool: &str) -> String {
    Catalogue::shipped().entry(tool).map_or_else(|| tool.to_owned(), |entry| entry.title.clone())
}

/// JSON on several lines, character for character what it was but for the spaces between values,
/// with hidden characters written as JSON writes them.
fn laid_out(json: &str) -> String {
    let mut out = String::with_capacity(json.len() + json.len() / 4);
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.push_str(&"  ".repeat(depth));
    };
    for letter in json.chars() {
        if in_text {
            if crate::domain::is_hidden(letter) {
                let mut units = [0; 2];
                for unit in letter.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            } else {
                out.push(letter);
            }
            in_text = escaped || letter != '"';
            escaped = letter == '\\' && !escaped;
            continue;
        }
        match letter {
            '"' => in_text = true,
            '{' | '[' => {
                out.push(letter);
                depth += 1;
                line(&mut out, depth);
                continue;
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
            }
            ',' => {
                out.push(letter);
                line(&mut out, depth);
                continue;
            }
            ':' => {
                out.push_str(": ");
                continue;
            }
            _ => {}
        }
        out.push(letter);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_laid_out_and_stays_what_it_is() {
        let text = r#"{"a":"x\"{,:","b":[1,2.50],"c":{"d":null}}"#;
        let laid = laid_out(text);
        assert_eq!(laid.lines().count(), 10);
        let same: serde_json::Value = serde_json::from_str(&laid).unwrap();
        assert_eq!(same, serde_json::from_str::<serde_json::Value>(text).unwrap());
        assert!(laid.contains("2.50"));
        let hidden = "{\"a\":\"x\u{202e}\u{e0041}\"}";
        let laid = laid_out(hidden);
        assert!(laid.contains("\\u202e\\udb40\\udc41"), "{laid}");
        let same: serde_json::Value = serde_json::from_str(&laid).unwrap();
        assert_eq!(same, serde_json::from_str::<serde_json::Value>(hidden).unwrap());
    }

    #[test]
    fn spans_are_told_in_words() {
        for (seconds, words) in
            [(0, "no time"), (59, "59 s"), (60, "1 min"), (3_700, "1 h 1 min"), (200_000, "2 days")]
        {
            assert_eq!(left(seconds), words);
        }
    }
}
