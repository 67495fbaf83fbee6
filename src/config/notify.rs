//! Who is told of held calls, and how.

use std::path::PathBuf;
use std::time::Duration;

use super::check::{HOUR, MINUTE, check_pem, read_url};
use super::section::Section;
use super::{Secret, walk::Walk};

/// Who is told of held calls, and how.
#[derive(Debug, Clone, Default)]
pub struct Notify {
    /// After so long without a decision a hold is told of again, to those who hear escalations.
    pub escalate_after: Option<Duration>,
    /// Servers.
    pub webhooks: Vec<Webhook>,
}

/// What a channel is told.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Occasion {
    /// A call is held.
    Opened,
    /// Half of its time has passed without a decision.
    Reminder,
    /// `escalate_after` has passed without a decision.
    Escalated,
    /// It was decided, or ended otherwise.
    Settled,
}

impl Occasion {
    /// All there are.
    pub const ALL: [Self; 4] = [Self::Opened, Self::Reminder, Self::Escalated, Self::Settled];

    /// The word in configuration and messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Reminder => "reminder",
            Self::Escalated => "escalated",
            Self::Settled => "settled",
        }
    }
}

/// Which holds a channel is told of, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hears {
    /// When.
    pub on: Vec<Occasion>,
    /// Holds that one of these groups may release; all if there are none.
    pub groups: Vec<String>,
}

/// A server that is told by signed requests.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// Its name in logs; each once.
    pub name: String,
    /// Where: `https`, or `http` to a loopback host.
    pub url: http::Uri,
    /// What requests are signed with.
    pub secret: Secret,
    /// PEM roots trusted in addition to the built-in ones.
    pub ca_file: Option<PathBuf>,
    /// Of what.
    pub hears: Hears,
}

pub(super) fn notify(root: &Section<'_>, walk: &Walk<'_>) -> Notify {
    let section = root.section("notify");
    let escalate_after = section
        .has("escalate_after")
        .is_some()
        .then(|| section.span("escalate_after", MINUTE * 30, &(MINUTE..=HOUR * 24 * 7)));
    let webhooks = webhooks(&section);
    section.finish();
    let escalates = webhooks.iter().any(|hook| hook.hears.on.contains(&Occasion::Escalated));
    if escalate_after.is_some() && !escalates {
        walk.warn("`notify.escalate_after` is set, but no channel hears escalations");
    }
    Notify { escalate_after, webhooks }
}

fn webhooks(notify: &Section<'_>) -> Vec<Webhook> {
    let mut webhooks: Vec<Webhook> = Vec::new();
    for section in notify.list("webhooks") {
        let name = section.name_of("name");
        let url = section.text("url").and_then(|text| match read_url(&text.text) {
            Ok(url) => Some(url),
            Err(rule) => {
                section.refuse(text.at, "url", &format!("is `{}`, but {rule}", text.shown));
                None
            }
        });
        let secret = section.secret("secret");
        for (key, example) in [
            ("name", "name: pager"),
            ("url", "url: https://hooks.example.com/portcullis"),
            ("secret", "secret: ${file:webhook-secret}"),
        ] {
            if section.has(key).is_none() {
                section.missing(key, example);
            }
        }
        let ca_file = section.path("ca_file").map(|(at, path)| {
            if let Err(problem) = check_pem(&path) {
                section.refuse(at, "ca_file", &problem);
            }
            path
        });
        let hears = hears(&section);
        if let (Some(name), Some(url), Some(secret)) = (name, url, secret) {
            if webhooks.iter().any(|other| other.name == name) {
                let at = section.has("name").unwrap_or(section.at);
                section.refuse(at, "name", &format!("is `{name}` a second time; keep one"));
            }
            webhooks.push(Webhook { name, url, secret, ca_file, hears });
        }
        section.finish();
    }
    webhooks
}

/// Which holds a channel hears of, and when: everything but how they ended, if nothing is said.
fn hears(section: &Section<'_>) -> Hears {
    let words = Occasion::ALL.map(|occasion| (occasion.as_str(), occasion));
    let on = section.words("on", &words);
    let usual = || vec![Occasion::Opened, Occasion::Reminder, Occasion::Escalated];
    Hears { on: if on.is_empty() { usual() } else { on }, groups: section.names("groups") }
}
