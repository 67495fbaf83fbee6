//! The areas that only show: policy, plugins, people. Each asks its room and draws the answer.
//!
//! They change nothing: a policy is promoted and a person is added by the command line, where the
//! operator of the machine is proven by the system.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;

use super::Console;
use super::extract::Signed;
use super::page::{Fault, Frame, html, time_text};
use super::records::decisions;
use super::text::Seen;
use crate::audit::Entry;
use crate::domain::{Event, Role, Timestamp};
use crate::gate::ShadowReport;
use crate::identity::Listed;
use crate::rollout::{PluginsStatus, PolicyStatus};

/// Decisions in which the rules that spoke are counted.
const DECISIONS: usize = 2_000;

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/policy", get(policy))
        .route("/plugins", get(plugins))
        .route("/people", get(people))
}

#[derive(Template)]
#[template(path = "policy.html", config = "src/console/askama.toml")]
struct PolicyPage {
    frame: Frame,
    status: PolicyStatus,
    report: Option<ShadowReport>,
    /// `None` if the last decisions cannot be read now.
    rules: Option<Vec<Hits>>,
}

/// How often a rule spoke lately.
struct Hits {
    rule: String,
    at: String,
    title: String,
    count: usize,
    last: Timestamp,
}

#[derive(Template)]
#[template(path = "plugins.html", config = "src/console/askama.toml")]
struct PluginsPage {
    frame: Frame,
    status: PluginsStatus,
}

#[derive(Template)]
#[template(path = "people.html", config = "src/console/askama.toml")]
struct PeoplePage {
    frame: Frame,
    people: Vec<Listed>,
}

async fn policy(State(console): State<Arc<Console>>, signed: Signed) -> Result<Response, Fault> {
    reads(&signed)?;
    Ok(html(&PolicyPage {
        frame: Frame::signed(&console, &signed, "/policy", "Policy"),
        status: console.rollout.status(),
        report: console.rollout.shadow_report().ok(),
        rules: decisions(&console, DECISIONS).await.map(|all| hits(&all)),
    }))
}

async fn plugins(State(console): State<Arc<Console>>, signed: Signed) -> Result<Response, Fault> {
    reads(&signed)?;
    Ok(html(&PluginsPage {
        frame: Frame::signed(&console, &signed, "/plugins", "Plugins"),
        status: console.plugins.status(),
    }))
}

async fn people(State(console): State<Arc<Console>>, signed: Signed) -> Result<Response, Fault> {
    reads(&signed)?;
    Ok(html(&PeoplePage {
        frame: Frame::signed(&console, &signed, "/people", "People"),
        people: console.sign_in.people().everybody(),
    }))
}

fn when(at: &Timestamp) -> String {
    time_text(*at)
}

/// The rules that spoke, the most frequent first.
fn hits(entries: &[Entry]) -> Vec<Hits> {
    let mut found: BTreeMap<&str, Hits> = BTreeMap::new();
    for entry in entries {
        let Event::Decision { decision, .. } = &entry.record.event else { continue };
        for reason in &decision.reasons {
            let hits = found.entry(&reason.rule).or_insert_with(|| Hits {
                rule: reason.rule.clone(),
                at: reason.at.clone().unwrap_or_default(),
                title: reason.title.clone().unwrap_or_default(),
                count: 0,
                last: entry.record.at,
            });
            hits.count += 1;
            hits.last = entry.record.at;
        }
    }
    let mut hits: Vec<Hits> = found.into_values().collect();
    hits.sort_by_key(|one| std::cmp::Reverse(one.count));
    hits
}

/// Somebody with a session and no role sees their account and nothing else.
pub(super) fn reads(signed: &Signed) -> Result<(), Fault> {
    if Role::ALL.iter().any(|role| signed.person.is(*role)) {
        return Ok(());
    }
    let text = "You have no role here: ask an admin for approver or auditor.";
    Err(Fault::new(http::StatusCode::FORBIDDEN, "Not for you", text))
}
