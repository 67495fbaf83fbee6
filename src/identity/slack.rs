//! People who press a button in Slack: believed if Slack signed it, and known by name.
//!
//! The signature is HMAC-SHA256 over `v0:timestamp:body` with the app's signing secret, over the
//! bytes as they came. What is older than five minutes, or came already, is dropped. Who pressed is
//! taken from the signed text and looked up in the configuration; nobody is known by an address or a
//! name that they can choose in Slack.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::hmac;
use serde::Deserialize;

use super::people::People;
use super::person::{Person, Via};
use crate::config::Secret;
use crate::domain::{ApproverId, Timestamp};

/// How old a request may be, and how long it is remembered.
const WINDOW: Duration = Duration::from_secs(5 * 60);

/// Why a request was not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SlackError {
    /// Not by Slack, or not as it came from there.
    #[error("the request is not signed by Slack")]
    NotSigned,
    /// Too old, or from the future.
    #[error("the request is too old")]
    Old,
    /// It came already.
    #[error("the request came already")]
    Repeated,
    /// Signed, and not what buttons send.
    #[error("the request is no press of a button")]
    Other,
}

/// A button that was pressed.
#[derive(Debug)]
pub struct Press {
    /// Who, if that is one of our people.
    pub person: Option<Person>,
    /// Who, in Slack's words.
    pub user: String,
    /// In which channel of Slack.
    pub channel: String,
    /// The button.
    pub action: String,
    /// What the button carries.
    pub value: String,
}

/// Reads what Slack sends.
pub struct SlackSigned {
    key: hmac::Key,
    users: BTreeMap<String, String>,
    /// Signatures of the last minutes.
    seen: Mutex<HashMap<Vec<u8>, Timestamp>>,
}

#[derive(Deserialize)]
struct Payload {
    #[serde(rename = "type")]
    kind: String,
    user: Named,
    #[serde(default)]
    channel: Option<Named>,
    #[serde(default)]
    actions: Vec<Action>,
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

#[derive(Deserialize)]
struct Action {
    action_id: String,
    #[serde(default)]
    value: String,
}

impl SlackSigned {
    /// With the app's signing secret, and who its users are here.
    #[must_use]
    pub fn new(secret: &Secret, users: BTreeMap<String, String>) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
        Self { key, users, seen: Mutex::default() }
    }

    /// Reads the press of a button: `timestamp` and `signature` are the headers, `body` the bytes as
    /// they came.
    ///
    /// # Errors
    /// If Slack did not sign it, or not just now, or it came already.
    pub fn press(
        &self,
        people: &People,
        timestamp: &str,
        signature: &str,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Press, SlackError> {
        let sent = signature.strip_prefix("v0=").and_then(unhex).ok_or(SlackError::NotSigned)?;
        let mut signed = format!("v0:{timestamp}:").into_bytes();
        signed.extend_from_slice(body);
        hmac::verify(&self.key, &signed, &sent).map_err(|_| SlackError::NotSigned)?;
        let seconds: i64 = timestamp.parse().map_err(|_| SlackError::Old)?;
        let at = Timestamp::from_millis(seconds.saturating_mul(1000));
        if at.since(now).max(now.since(at)) > WINDOW {
            return Err(SlackError::Old);
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|_, at| now.since(*at) <= WINDOW * 2);
        if seen.insert(sent, now).is_some() {
            return Err(SlackError::Repeated);
        }
        drop(seen);
        let mut fields = form_urlencoded::parse(body);
        let (_, payload) = fields.find(|(key, _)| key == "payload").ok_or(SlackError::Other)?;
        let payload: Payload = serde_json::from_str(&payload).map_err(|_| SlackError::Other)?;
        let action = payload.actions.into_iter().next().ok_or(SlackError::Other)?;
        if payload.kind != "block_actions" {
            return Err(SlackError::Other);
        }
        let name = self.users.get(&payload.user.id);
        let name: Option<ApproverId> = name.and_then(|name| name.parse().ok());
        Ok(Press {
            person: name.and_then(|name| people.person(&name, Via::Slack, now)),
            user: payload.user.id,
            channel: payload.channel.map(|it| it.id).unwrap_or_default(),
            action: action.action_id,
            value: action.value,
        })
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != 32 || !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
    const SIGNING: &str = "8f742231b10e8888abcd99yyyzzz85a5";

    fn people(folder: &std::path::Path) -> People {
        let token = Secret::new("tok_0123456789abcdef".to_owned());
        let url = "http://127.0.0.1:1/mcp".parse().unwrap();
        let mut config = Config::in_code(folder.join("data"), url, token);
        let approver =
            crate::domain::Approver { id: "ann".parse().unwrap(), groups: vec!["a".to_owned()] };
        config.approvers = vec![std::sync::Arc::new(approver)];
        People::open(&config).unwrap()
    }

    fn body(user: &str, kind: &str) -> Vec<u8> {
        let payload = format!(
            r#"{{"type":"{kind}","user":{{"id":"{user}","name":"ann"}},"channel":{{"id":"C1"}},"actions":[{{"action_id":"x","value":"v"}}]}}"#
        );
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("payload", &payload);
        form.finish().into_bytes()
    }

    fn sign(secret: &str, timestamp: &str, body: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let signed = [format!("v0:{timestamp}:").as_bytes(), body].concat();
        let tag = hmac::sign(&key, &signed);
        let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("v0={hex}")
    }

    /// The example of Slack's own documentation.
    #[test]
    fn the_signature_is_slacks() {
        let body = b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
        let expected = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
        assert_eq!(sign(SIGNING, "1531420618", body), expected);
        let folder = tempfile::tempdir().unwrap();
        let signed = SlackSigned::new(&Secret::new(SIGNING.to_owned()), BTreeMap::new());
        let then = Timestamp::from_millis(1_531_420_618_000);
        let read = signed.press(&people(folder.path()), "1531420618", expected, body, then);
        assert_eq!(read.unwrap_err(), SlackError::Other, "signed, and no button");
    }

    #[test]
    fn a_press_counts_once_just_now_and_only_if_slack_signed_it() {
        let folder = tempfile::tempdir().unwrap();
        let people = people(folder.path());
        let users = BTreeMap::from([("U1".to_owned(), "ann".to_owned())]);
        let signed = SlackSigned::new(&Secret::new(SIGNING.to_owned()), users);
        let press = |at: &str, signature: &str, body: &[u8], now| {
            signed.press(&people, at, signature, body, now)
        };
        let (at, good) = ("1800000000", body("U1", "block_actions"));
        let signature = sign(SIGNING, at, &good);
        let wrong = sign("another secret of somebody", at, &good);
        let mut altered = good.clone();
        altered[20] ^= 1;
        for (at, signature, body) in [
            (at, wrong.as_str(), &good),
            (at, signature.as_str(), &altered),
            ("1800000001", signature.as_str(), &good),
            (at, "", &good),
            (at, "v0=", &good),
            (at, &signature[3..], &good),
            (at, &signature.replace("v0", "v1"), &good),
            (at, &format!("{signature}00"), &good),
        ] {
            assert_eq!(press(at, signature, body, NOW).unwrap_err(), SlackError::NotSigned);
        }
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        let late = press(at, &signature, &good, NOW.plus(minutes(5) + Duration::from_secs(1)));
        assert_eq!(late.unwrap_err(), SlackError::Old);
        let early = Timestamp::from_millis(NOW.millis() - 301_000);
        assert_eq!(press(at, &signature, &good, early).unwrap_err(), SlackError::Old);
        let pressed = press(at, &signature, &good, NOW.plus(minutes(5))).unwrap();
        let ann = pressed.person.unwrap();
        assert_eq!((ann.id.as_str(), ann.via, ann.groups.len()), ("ann", Via::Slack, 1));
        assert_eq!((pressed.user.as_str(), pressed.channel.as_str()), ("U1", "C1"));
        let again = press(at, &signature, &good, NOW.plus(minutes(5)));
        assert_eq!(again.unwrap_err(), SlackError::Repeated);
        // A name is nothing: only the id counts.
        let other = body("U2", "block_actions");
        assert!(press(at, &sign(SIGNING, at, &other), &other, NOW).unwrap().person.is_none());
        let other = body("U1", "view_submission");
        let read = press(at, &sign(SIGNING, at, &other), &other, NOW);
        assert_eq!(read.unwrap_err(), SlackError::Other);
    }
}
