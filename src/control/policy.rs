//! What the operator's door answers about policies.

use std::path::PathBuf;

use nix::unistd::{Uid, User};
use serde::{Deserialize, Serialize};

use super::Answer;
use super::server::{Control, done, words};
use crate::domain::{Digest, is_hidden};
use crate::policy::Source;
use crate::rollout::{Order, RolloutError};

/// The longest reason, in characters.
const LONGEST_REASON: usize = 500;

/// What can be asked about policies. Whoever changes what decides says why.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "about", rename_all = "snake_case", deny_unknown_fields)]
pub enum PolicyQuestion {
    /// Where policy stands.
    Status,
    /// Read the source again.
    Reload,
    /// Put a kept revision in force and pin it.
    Promote {
        /// Digits of its digest, or its author's name for it.
        revision: String,
        /// Why.
        reason: String,
    },
    /// Put an earlier revision in force and pin it.
    Rollback {
        /// Which; the one before the active if absent.
        revision: Option<String>,
        /// Why.
        reason: String,
    },
    /// Follow the source again.
    Follow {
        /// Why.
        reason: String,
    },
    /// Let the candidate in shadow decide and pin it.
    PromoteShadow {
        /// Why.
        reason: String,
    },
    /// Watch live traffic with a candidate.
    ShadowStart {
        /// Its folder or bundle, as the server sees it.
        path: PathBuf,
        /// Why, if somebody says so: nothing comes of it.
        reason: Option<String>,
    },
    /// Take the candidate away.
    ShadowStop {
        /// Why, if somebody says so.
        reason: Option<String>,
    },
    /// What the candidate has seen so far.
    ShadowReport,
}

impl Control {
    pub(super) async fn policy(&self, what: PolicyQuestion, by: String) -> Result<Answer, String> {
        let order = |reason: &str| order(by.clone(), reason);
        let watch = |reason: Option<String>| Order {
            by: by.clone(),
            reason: reason.map(|reason| cut(&reason)),
        };
        let rollout = &self.rollout;
        let pinned = "it is pinned; `portcullis policy promote --latest` follows the source again";
        match what {
            PolicyQuestion::Status => {
                Ok(Answer::PolicyStatus { status: Box::new(rollout.status()) })
            }
            PolicyQuestion::Reload => in_force(rollout.reload().await, None),
            PolicyQuestion::Promote { revision, reason } => {
                in_force(rollout.promote(&revision, &order(&reason)?).await, Some(pinned))
            }
            PolicyQuestion::Rollback { revision, reason } => {
                let rolled = rollout.rollback(revision.as_deref(), &order(&reason)?).await;
                in_force(rolled, Some(pinned))
            }
            PolicyQuestion::Follow { reason } => {
                let followed = rollout.follow_source(&order(&reason)?).await;
                in_force(followed, Some("the source is followed"))
            }
            PolicyQuestion::PromoteShadow { reason } => {
                in_force(rollout.promote_shadow(&order(&reason)?).await, Some(pinned))
            }
            PolicyQuestion::ShadowStart { path, reason } => {
                let started = rollout.shadow_start(Source::at(path), &watch(reason)).await;
                let revision = started.map_err(words)?.short();
                Ok(done(format!("policy revision {revision} is in shadow: it decides nothing")))
            }
            PolicyQuestion::ShadowStop { reason } => {
                let report = rollout.shadow_stop(&watch(reason)).await.map_err(words)?;
                Ok(Answer::Shadow { report: Box::new(report) })
            }
            PolicyQuestion::ShadowReport => {
                let report = rollout.shadow_report().map_err(words)?;
                Ok(Answer::Shadow { report: Box::new(report) })
            }
        }
    }
}

fn in_force(result: Result<Digest, RolloutError>, more: Option<&str>) -> Result<Answer, String> {
    let revision = result.map_err(words)?;
    let more = more.map(|more| format!("; {more}")).unwrap_or_default();
    Ok(done(format!("policy revision {} is in force{more}", revision.short())))
}

fn order(by: String, reason: &str) -> Result<Order, String> {
    let reason = cut(reason);
    if reason.trim().is_empty() {
        return Err("say why, for the log: `--reason \"...\"`".to_owned());
    }
    Ok(Order { by, reason: Some(reason) })
}

fn cut(reason: &str) -> String {
    reason.chars().filter(|letter| !is_hidden(*letter)).take(LONGEST_REASON).collect()
}

/// The name of a user of this system, and its number: names can be given anew.
pub(super) fn user(uid: u32) -> String {
    let found = User::from_uid(Uid::from_raw(uid)).ok().flatten();
    found.map_or_else(|| format!("uid {uid}"), |user| format!("{} (uid {uid})", user.name))
}
