//! Who is told of held calls, and how.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::check::{HOUR, MINUTE, check_pem, is_loopback, read_url};
use super::section::{Section, Text};
use super::{Secret, walk::Walk};

/// Who is told of held calls, and how.
#[derive(Debug, Clone, Default)]
pub struct Notify {
    /// After so long without a decision a hold is told of again, to those who hear escalations.
    pub escalate_after: Option<Duration>,
    /// Servers.
    pub webhooks: Vec<Webhook>,
    /// A channel of Slack.
    pub slack: Option<Slack>,
    /// Mail.
    pub email: Option<Email>,
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
    /// It was released and is not done yet.
    Released,
    /// It is over: done, refused, or ended otherwise.
    Settled,
}

impl Occasion {
    /// All there are.
    pub const ALL: [Self; 5] =
        [Self::Opened, Self::Reminder, Self::Escalated, Self::Released, Self::Settled];

    /// The word in configuration and messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Reminder => "reminder",
            Self::Escalated => "escalated",
            Self::Released => "released",
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

/// A channel of Slack.
#[derive(Debug, Clone)]
pub struct Slack {
    /// The app's token.
    pub token: Secret,
    /// What Slack signs its requests with; without it there are no buttons.
    pub signing_secret: Option<Secret>,
    /// Where messages go.
    pub channel: String,
    /// Slack's users by their ids, as the people they are here.
    pub users: BTreeMap<String, String>,
    /// Whether there is a button that releases. Off, for nobody sees there what they release.
    pub approve: bool,
    /// Slack's interface: `https`, or `http` to a loopback host.
    pub url: http::Uri,
    /// Holds that one of these groups may release; all if there are none.
    pub groups: Vec<String>,
}

/// Mail by SMTP.
#[derive(Debug, Clone)]
pub struct Email {
    /// The server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: EmailTls,
    /// Who signs in there, if anybody has to.
    pub login: Option<(String, Secret)>,
    /// PEM roots trusted in addition to the built-in ones.
    pub ca_file: Option<PathBuf>,
    /// Who writes.
    pub from: String,
    /// To whom.
    pub to: Vec<String>,
    /// Of what.
    pub hears: Hears,
}

/// How a connection to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmailTls {
    /// TLS begins after a plain greeting, or nothing is sent.
    StartTls,
    /// TLS from the first byte.
    Whole,
    /// None, to a server on this machine.
    None,
}

pub(super) fn notify(root: &Section<'_>, walk: &Walk<'_>) -> Notify {
    let section = root.section("notify");
    let escalate_after = section
        .has("escalate_after")
        .is_some()
        .then(|| section.span("escalate_after", MINUTE * 30, &(MINUTE..=HOUR * 24 * 7)));
    let webhooks = webhooks(&section);
    let (slack, email) = (slack(&section), email(&section));
    section.finish();
    let escalates = slack.is_some()
        || webhooks.iter().any(|hook| hook.hears.on.contains(&Occasion::Escalated))
        || email.as_ref().is_some_and(|mail| mail.hears.on.contains(&Occasion::Escalated));
    if escalate_after.is_some() && !escalates {
        walk.warn("`notify.escalate_after` is set, but no channel hears escalations");
    }
    Notify { escalate_after, webhooks, slack, email }
}

fn webhooks(notify: &Section<'_>) -> Vec<Webhook> {
    let mut webhooks: Vec<Webhook> = Vec::new();
    for section in notify.list("webhooks") {
        let name = section.name_of("name");
        let url = section.text("url").and_then(|text| match read_url(&text.text) {
            Ok(url) => Some(url),
            Err(rule) => {
                section.refuse_url("url", &text, rule);
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

fn slack(notify: &Section<'_>) -> Option<Slack> {
    let section = notify.section("slack");
    let is_there = notify.has("slack").is_some();
    let token = section.secret("token");
    let signing_secret = section.secret("signing_secret");
    let channel = section.text("channel").map(|text| text.text);
    for (key, example) in
        [("token", "token: ${file:slack-token}"), ("channel", "channel: C0123ABCD")]
    {
        if is_there && section.has(key).is_none() {
            section.missing(key, example);
        }
    }
    let users = section.attributes("users");
    let approve = section.flag("approve", false);
    if approve && signing_secret.is_none() {
        let at = section.has("approve").unwrap_or(section.at);
        section.refuse(at, "approve", "needs `signing_secret`: without it no press is believed");
    }
    let text = section.text_or("url", "https://slack.com/api");
    let url = match read_url(&text.text) {
        Ok(url) => Some(url),
        Err(rule) => {
            section.refuse_url("url", &text, rule);
            None
        }
    };
    let groups = section.names("groups");
    section.finish();
    let (token, channel, url) = (token?, channel?, url?);
    Some(Slack { token, signing_secret, channel, users, approve, url, groups })
}

fn email(notify: &Section<'_>) -> Option<Email> {
    let section = notify.section("email");
    let is_there = notify.has("email").is_some();
    let host = section.text("host");
    let modes =
        [("starttls", EmailTls::StartTls), ("tls", EmailTls::Whole), ("none", EmailTls::None)];
    let tls = section.choice("tls", &modes).unwrap_or(EmailTls::StartTls);
    if let Some(host) = host.as_ref().filter(|host| !is_loopback(&host.text))
        && tls == EmailTls::None
    {
        let rule = "is `none`, but that is for a server on this machine; use `starttls` or `tls`";
        section.refuse(section.has("tls").unwrap_or(host.at), "tls", rule);
    }
    let port = u16::try_from(section.count("port", 587, &(1..=65_535))).unwrap_or(587);
    let username = section.text("username").map(|text| text.text);
    let password = section.secret("password");
    let ca_file = section.path("ca_file").map(|(at, path)| {
        if let Err(problem) = check_pem(&path) {
            section.refuse(at, "ca_file", &problem);
        }
        path
    });
    let from = section.text("from").and_then(|text| mailbox(&section, "from", text));
    let to: Vec<String> =
        section.texts("to").into_iter().filter_map(|text| mailbox(&section, "to", text)).collect();
    for (key, example) in [
        ("host", "host: smtp.example.com"),
        ("from", "from: portcullis@example.com"),
        ("to", "to: [approvers@example.com]"),
    ] {
        if is_there && section.has(key).is_none() {
            section.missing(key, example);
        }
    }
    let login = match (username, password) {
        (Some(name), Some(password)) => Some((name, password)),
        (None, None) => None,
        _ => {
            section.refuse(section.at, "username", "and `password` are given together or not");
            None
        }
    };
    let hears = hears(&section);
    section.finish();
    let (host, from) = (host?.text, from?);
    (!to.is_empty()).then_some(Email { host, port, tls, login, ca_file, from, to, hears })
}

/// An address of mail; whether it exists is the server's business.
fn mailbox(section: &Section<'_>, key: &'static str, text: Text) -> Option<String> {
    let good = text.text.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && !host.is_empty() && !text.text.contains([' ', ',', ';', '<', '>'])
    });
    if !good {
        let rule = "which is not an address such as `jane@example.com`";
        section.refuse(text.at, key, &format!("has `{}`, {rule}", text.shown));
    }
    good.then_some(text.text)
}

/// Which holds a channel hears of, and when: everything but how they ended, if nothing is said.
fn hears(section: &Section<'_>) -> Hears {
    let words = Occasion::ALL.map(|occasion| (occasion.as_str(), occasion));
    let on = section.words("on", &words);
    let usual = || vec![Occasion::Opened, Occasion::Reminder, Occasion::Escalated];
    Hears { on: if on.is_empty() { usual() } else { on }, groups: section.names("groups") }
}
