//! A server that is told by signed requests, as the Standard Webhooks specification has them.
//!
//! `webhook-id` is the notice's id, the same at every attempt; `webhook-timestamp` the second of the
//! attempt; `webhook-signature` is `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`. So
//! receivers can check with a library that exists, and refuse what is old or came already. Answers
//! are not read beyond their status; redirects are failures.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode};
use serde::Serialize;

use super::outbox::Notice;
use super::plan::Facts;
use super::words::link;
use super::{House, Told};
use crate::clock;
use crate::config::{self, Hears, Occasion, Secret};
use crate::domain::{Digest, HoldId, HoldState, PrincipalId, Timestamp};
use crate::upstream::Outside;

/// For one attempt.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A server that is told.
pub(super) struct Webhook {
    name: String,
    url: http::Uri,
    key: hmac::Key,
    client: Outside,
    hears: Hears,
}

/// The body of a request.
#[derive(Serialize)]
struct Message<'a> {
    #[serde(rename = "type")]
    kind: String,
    timestamp: Timestamp,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    environment: &'a str,
    hold: HoldId,
    state: HoldState,
    tool: &'a str,
    principal: &'a PrincipalId,
    reasons: Vec<Why<'a>>,
    groups: &'a [String],
    people: u32,
    approvals: usize,
    opened_at: Timestamp,
    expires_at: Timestamp,
    binding: Digest,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

#[derive(Serialize)]
struct Why<'a> {
    rule: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
}

impl Webhook {
    pub(super) fn new(settings: &config::Webhook) -> std::io::Result<Self> {
        Ok(Self {
            name: settings.name.clone(),
            url: settings.url.clone(),
            key: key(&settings.secret),
            client: Outside::new(settings.ca_file.as_deref(), TIMEOUT)?,
            hears: settings.hears.clone(),
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) const fn hears(&self) -> &Hears {
        &self.hears
    }

    pub(super) async fn tell(
        &self,
        id: &str,
        occasion: Occasion,
        notice: &Notice,
        facts: &Facts,
        house: &House,
    ) -> Told {
        let body = body(occasion.as_str(), notice, facts, house);
        let now = clock::now().millis() / 1000;
        let signature = sign(&self.key, id, now, &body);
        let mut request = Request::post(self.url.clone()).body(Bytes::from(body)).ok();
        let headers = request.as_mut().map(Request::headers_mut);
        if let Some(headers) = headers {
            headers.insert("content-type", HeaderValue::from_static("application/json"));
            for (name, value) in [
                ("webhook-id", id.to_owned()),
                ("webhook-timestamp", now.to_string()),
                ("webhook-signature", signature),
            ] {
                if let Ok(value) = HeaderValue::from_str(&value) {
                    headers.insert(name, value);
                }
            }
        }
        let Some(request) = request else {
            return Told::Refused("the address cannot be asked".to_owned());
        };
        match self.client.ask(request).await {
            Ok(answer) if answer.status().is_success() => Told::Arrived(None),
            Ok(answer) if answer.status() == StatusCode::GONE => {
                Told::Refused("it answered 410: it wants to hear nothing any more".to_owned())
            }
            Ok(answer) => Told::Failed(format!("it answered {}", answer.status())),
            Err(error) => Told::Failed(error.to_string()),
        }
    }
}

fn body(occasion: &str, notice: &Notice, facts: &Facts, house: &House) -> Vec<u8> {
    let view = &facts.view;
    let message = Message {
        kind: format!("hold.{occasion}"),
        timestamp: notice.made_at,
        data: Data {
            environment: &house.environment,
            hold: view.id,
            state: view.state,
            tool: &view.tool,
            principal: &view.principal,
            reasons: view
                .reasons
                .iter()
                .map(|reason| Why { rule: &reason.rule, title: reason.title.as_deref() })
                .collect(),
            groups: &view.release.groups,
            people: view.release.people,
            approvals: view.approvals.len(),
            opened_at: view.opened_at,
            expires_at: view.expires_at,
            binding: view.binding,
            url: link(facts, house),
        },
    };
    serde_json::to_vec(&message).unwrap_or_default()
}

/// `whsec_` and base64, as such secrets are handed out; anything else as it is.
fn key(secret: &Secret) -> hmac::Key {
    let text = secret.expose();
    let decoded = text.strip_prefix("whsec_").and_then(|it| STANDARD.decode(it).ok());
    let bytes = zeroize::Zeroizing::new(decoded.unwrap_or_else(|| text.as_bytes().to_vec()));
    hmac::Key::new(hmac::HMAC_SHA256, &bytes)
}

fn sign(key: &hmac::Key, id: &str, timestamp: i64, body: &[u8]) -> String {
    let mut mac = hmac::Context::with_key(key);
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    format!("v1,{}", STANDARD.encode(mac.sign()))
}
