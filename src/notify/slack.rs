//! A channel of Slack: one message per hold, updated when it was decided, wherever that was.
//!
//! Plain requests to three methods of Slack's interface; an answer that says `ok: false` is a
//! failure, whatever its status. Texts are escaped and nothing in them is looked up, unfolded or
//! calls anybody. Buttons carry which hold and which binding they are of, never an address that
//! decides; whoever has no button opens the page.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::plan::Facts;
use super::words::{headline, lines, link};
use super::{House, Told};
use crate::config::{self, Hears, Occasion, Secret};
use crate::upstream::Outside;

/// For one attempt.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The buttons.
pub(super) const APPROVE: &str = "portcullis_approve";
pub(super) const REJECT: &str = "portcullis_reject";

/// A channel of Slack.
pub(super) struct Slack {
    url: String,
    token: Secret,
    channel: String,
    buttons: bool,
    approve: bool,
    client: Outside,
    hears: Hears,
}

#[derive(Deserialize)]
struct Answer {
    ok: bool,
    #[serde(default)]
    error: String,
    #[serde(default)]
    channel: String,
    #[serde(default)]
    ts: String,
}

impl Slack {
    pub(super) fn new(settings: &config::Slack) -> std::io::Result<Self> {
        // Every occasion but the reminders changes the one message that there is.
        let hears = Hears { on: Occasion::ALL.to_vec(), groups: settings.groups.clone() };
        Ok(Self {
            url: settings.url.to_string().trim_end_matches('/').to_owned(),
            token: settings.token.clone(),
            channel: settings.channel.clone(),
            buttons: settings.signing_secret.is_some(),
            approve: settings.approve,
            client: Outside::new(None, TIMEOUT)?,
            hears,
        })
    }

    pub(super) const fn hears(&self) -> &Hears {
        &self.hears
    }

    /// Tells of a hold; `first` is the message that told of it first: channel and time.
    pub(super) async fn tell(
        &self,
        occasion: Occasion,
        first: Option<&str>,
        facts: &Facts,
        house: &House,
    ) -> Told {
        // Where there is a first message, its buttons are the ones that go when it is decided.
        let blocks = self.blocks(occasion, facts, house, first.is_none());
        let mut message = json!({
            "text": escaped(&headline(occasion, facts)),
            "blocks": blocks,
            "parse": "none",
            "link_names": false,
            "unfurl_links": false,
            "unfurl_media": false,
        });
        let mut put = |key: &str, value: Json| {
            if let Some(message) = message.as_object_mut() {
                message.insert(key.to_owned(), value);
            }
        };
        let known = first.and_then(|first| first.split_once('/'));
        let method = match (occasion, known) {
            (Occasion::Released | Occasion::Settled, Some((channel, ts))) => {
                put("channel", json!(channel));
                put("ts", json!(ts));
                "chat.update"
            }
            (Occasion::Released | Occasion::Settled, None) => return Told::Arrived(None),
            (Occasion::Reminder | Occasion::Escalated, Some((channel, ts))) => {
                put("channel", json!(channel));
                put("thread_ts", json!(ts));
                put("reply_broadcast", json!(true));
                "chat.postMessage"
            }
            _ => {
                put("channel", json!(self.channel));
                "chat.postMessage"
            }
        };
        match self.ask(method, &message).await {
            Ok(answer) => Told::Arrived(Some(format!("{}/{}", answer.channel, answer.ts))),
            Err(why) => Told::Failed(why),
        }
    }

    /// Tells one user something that nobody else sees.
    pub(super) async fn whisper(&self, channel: &str, user: &str, text: &str) {
        let message =
            json!({"channel": channel, "user": user, "text": escaped(text), "parse": "none"});
        if let Err(why) = self.ask("chat.postEphemeral", &message).await {
            tracing::warn!(%why, "somebody in Slack could not be answered");
        }
    }

    async fn ask(&self, method: &str, message: &Json) -> Result<Answer, String> {
        let bearer = zeroize::Zeroizing::new(format!("Bearer {}", self.token.expose()));
        let mut bearer = HeaderValue::from_str(&bearer).map_err(|_| "the token is no token")?;
        bearer.set_sensitive(true);
        let request = Request::post(format!("{}/{method}", self.url))
            .header(header::AUTHORIZATION, bearer)
            .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
            .body(Bytes::from(message.to_string()))
            .map_err(|error| error.to_string())?;
        let answer = self.client.ask(request).await.map_err(|error| error.to_string())?;
        if answer.status() != StatusCode::OK {
            return Err(format!("it answered {}", answer.status()));
        }
        let read: Answer = serde_json::from_slice(answer.body())
            .map_err(|_| "its answer is not what Slack answers".to_owned())?;
        if read.ok { Ok(read) } else { Err(format!("it refused: {}", plain(&read.error))) }
    }

    fn blocks(&self, occasion: Occasion, facts: &Facts, house: &House, is_first: bool) -> Json {
        let text = |text: String| json!({"type": "plain_text", "text": text, "emoji": false});
        let mut blocks = vec![json!({
            "type": "section",
            "text": {"type": "mrkdwn", "text": format!("*{}*", escaped(&headline(occasion, facts))), "verbatim": true},
        })];
        let fields = lines(facts, house).into_iter().map(|(name, value)| {
            json!({"type": "mrkdwn", "text": format!("*{name}*\n{}", escaped(&value)), "verbatim": true})
        });
        blocks.push(json!({"type": "section", "fields": fields.collect::<Vec<_>>()}));
        let mut elements = Vec::new();
        let waits = matches!(occasion, Occasion::Opened | Occasion::Reminder | Occasion::Escalated);
        if let Some(link) = link(facts, house) {
            let label = if waits { "Read and decide" } else { "Open" };
            elements.push(json!({"type": "button", "action_id": "portcullis_open", "text": text(label.to_owned()), "url": link}));
        }
        if waits && is_first && self.buttons {
            let value = format!("{} {}", facts.view.id, facts.view.binding);
            let button = |action: &str, label: &str, style: &str, question: &str| {
                json!({
                    "type": "button", "action_id": action, "style": style, "value": value,
                    "text": text(label.to_owned()),
                    "confirm": {
                        "title": text(format!("{label}?")), "text": text(question.to_owned()),
                        "confirm": text(label.to_owned()), "deny": text("Not now".to_owned()),
                    },
                })
            };
            if self.approve {
                let question = "You release it without having read what it changes.";
                elements.push(button(APPROVE, "Approve", "primary", question));
            }
            let question = "The agent is told that a person refused.";
            elements.push(button(REJECT, "Reject", "danger", question));
        }
        if !elements.is_empty() {
            blocks.push(json!({"type": "actions", "elements": elements}));
        }
        Json::Array(blocks)
    }
}

/// Text in which Slack sees no link, no name and no markup that could be one.
fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.chars().filter(|letter| !crate::domain::is_hidden(*letter)).take(2000).collect()
}

/// Slack's code of a fault: letters and `_`.
fn plain(error: &str) -> String {
    error
        .chars()
        .filter(|letter| letter.is_ascii_alphanumeric() || *letter == '_')
        .take(60)
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_in_a_text_calls_anybody() {
        for (text, expected) in [
            ("plain", "plain"),
            (
                "<!channel> & <https://evil.example|click>",
                "&lt;!channel&gt; &amp; &lt;https://evil.example|click&gt;",
            ),
            ("a\u{202e}b\u{200b}c", "abc"),
        ] {
            assert_eq!(super::escaped(text), expected);
        }
        assert_eq!(super::plain("not_in_channel\n<b>"), "not_in_channelb");
    }
}
