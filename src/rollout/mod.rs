//! Roll-out: which revision of the policies decides, and how it comes and goes.
//!
//! A revision is read from its source, verified, checked, tried with its own tests, kept on disk,
//! recorded, and then put in force whole ([`crate::gate::Gate::replace_ruleset`]); calls under way
//! end on the revision they began with. Whatever fails on that way leaves the revision that was in
//! force, is recorded, and stands in [`PolicyStatus`] until something better comes.
//!
//! The source is followed (when it changes, or by asking the server) until a person promotes or
//! rolls back: that revision is then pinned, also over a restart, until the source is followed
//! again. Orders of people come from the operator's door alone, never from the agents' side, and
//! are recorded with who and why before they are carried out.

mod candidate;
mod kept;
mod origin;
mod plugins;
mod start;
mod status;
mod watch;
mod watched;

use std::sync::{Arc, Mutex, PoisonError};

use crate::audit::LogError;
use crate::clock;
use crate::domain::{Announced, Digest, RolloutAction};
use crate::gate::Gate;
use crate::policy::{Bundle, Keys, LoadErrors, Ruleset};

pub use kept::{KeptError, KeptRevision, kept_bundle};
pub use origin::ReadError;
pub use plugins::{
    OpenedPlugins, PluginAttempt, PluginRollout, PluginsError, PluginsStatus, open_plugins,
};
pub use start::{Opened, StartError, open};
pub use status::{ActiveRevision, Attempt, Loads, PolicyStatus};

use candidate::Shadowing;
use kept::Kept;
use origin::{Look, Origin};
use watched::Watched;

/// Why another revision is not in force.
#[derive(Debug, thiserror::Error)]
pub enum RolloutError {
    /// The source, or what it gave.
    #[error("the old policy stays in force:\n{0}")]
    Read(#[from] ReadError),
    /// The revision is not in order.
    #[error("the old policy stays in force:\n{0}")]
    Load(#[from] LoadErrors),
    /// The revisions on disk.
    #[error("the old policy stays in force: {0}")]
    Kept(#[from] KeptError),
    /// No record, no change.
    #[error("the old policy stays in force: {0}")]
    Log(#[from] LogError),
    /// A thread was lost.
    #[error("the old policy stays in force: {0}")]
    Lost(String),
    /// A candidate that is not in order.
    #[error("the candidate cannot be watched:\n{0}")]
    Candidate(String),
    /// No candidate.
    #[error("no candidate is in shadow; start one with `portcullis policy shadow start PATH`")]
    NoShadow,
    /// The source is not followed now.
    #[error(
        "revision {0} is pinned; `portcullis policy promote --latest` follows the source again"
    )]
    Pinned(String),
}

/// Who gives an order, and why.
#[derive(Debug, Clone)]
pub struct Order {
    /// The operating system's user.
    pub by: String,
    /// In that person's words; what changes who decides needs them.
    pub reason: Option<String>,
}

/// The roll-out of one installation.
pub struct Rollout {
    gate: Arc<Gate>,
    origin: Origin,
    keys: Keys,
    watch: bool,
    /// Held while a revision is put in force: one at a time.
    kept: tokio::sync::Mutex<Kept>,
    watched: Watched,
    state: Mutex<State>,
}

/// What changes.
struct State {
    active: ActiveRevision,
    /// The digest of its files.
    contents: Digest,
    /// How the source looked when it was last read.
    look: Look,
    /// The contents that were last tried, good or bad.
    tried: Option<Digest>,
    last_attempt: Option<Attempt>,
    loads: Loads,
    shadow: Option<Shadowing>,
    /// What is on disk, for the status: it must not wait while a revision is tried.
    kept: Vec<KeptRevision>,
    pinned: bool,
}

/// A bundle on its way.
struct Candidate {
    bundle: Bundle,
    source: String,
    pinned: bool,
}

impl Rollout {
    /// Takes over what was opened, once there is a gate to put it in.
    #[must_use]
    pub fn new(opened: Opened, gate: Arc<Gate>) -> Self {
        let Opened { origin, keys, watch, kept, watched, state, .. } = opened;
        let (kept, state) = (tokio::sync::Mutex::new(kept), Mutex::new(state));
        Self { gate, origin, keys, watch, kept, watched, state }
    }

    /// Reads the source again, whether it changed or not.
    ///
    /// # Errors
    /// If what it has is not in order, or another revision is pinned; the old one stays.
    pub async fn reload(&self) -> Result<Digest, RolloutError> {
        let mut kept = self.kept.lock().await;
        if let Some(pinned) = kept.pinned() {
            return Err(RolloutError::Pinned(pinned.revision.short()));
        }
        self.follow(&mut kept, None).await
    }

    /// Puts a kept revision in force and pins it.
    ///
    /// # Errors
    /// If there is none, or it is not in order; the old one stays.
    pub async fn promote(&self, word: &str, order: &Order) -> Result<Digest, RolloutError> {
        let mut kept = self.kept.lock().await;
        let found = kept.find(word)?.clone();
        self.pin(&mut kept, &found, RolloutAction::Promote, order).await
    }

    /// Puts an earlier revision in force and pins it; the one before the active if none is named.
    ///
    /// # Errors
    /// As [`Rollout::promote`].
    pub async fn rollback(
        &self,
        word: Option<&str>,
        order: &Order,
    ) -> Result<Digest, RolloutError> {
        let mut kept = self.kept.lock().await;
        let found = match word {
            Some(word) => kept.find(word)?.clone(),
            None => kept.before(self.state().active.revision)?.clone(),
        };
        self.pin(&mut kept, &found, RolloutAction::Rollback, order).await
    }

    /// Follows the source again and puts in force what it has now.
    ///
    /// # Errors
    /// If what it has is not in order; the pinned one stays then, and stays pinned.
    pub async fn follow_source(&self, order: &Order) -> Result<Digest, RolloutError> {
        let mut kept = self.kept.lock().await;
        self.follow(&mut kept, Some(order)).await
    }

    /// Where policy stands.
    #[must_use]
    pub fn status(&self) -> PolicyStatus {
        let state = self.state();
        PolicyStatus {
            active: state.active.clone(),
            source: self.origin.shown.clone(),
            followed: self.watch || self.origin.is_remote(),
            signed_only: !self.keys.is_empty(),
            pinned: state.pinned,
            last_attempt: state.last_attempt.clone(),
            shadow: self.gate.watch_report().map(|report| report.state()),
            kept: state.kept.clone(),
        }
    }

    /// How many revisions were offered since start, and what became of them.
    #[must_use]
    pub fn loads(&self) -> Loads {
        self.state().loads
    }

    /// Reads the source whatever is known of it, and puts it in force without a pin.
    async fn follow(&self, kept: &mut Kept, order: Option<&Order>) -> Result<Digest, RolloutError> {
        let source = self.origin.shown.clone();
        let read = match self.origin.read(&Look::default()).await {
            Ok(Some(read)) => read,
            // Nothing is known, so nothing can be unchanged.
            Ok(None) => return Err(RolloutError::Lost("the source gave nothing".to_owned())),
            Err(error) => return Err(self.refuse(None, source, error.into()).await),
        };
        let (bundle, look) = read;
        self.state().look = look;
        let candidate = Candidate { bundle, source, pinned: false };
        self.put(kept, candidate, order.map(|order| (RolloutAction::Follow, order))).await
    }

    async fn pin(
        &self,
        kept: &mut Kept,
        found: &KeptRevision,
        action: RolloutAction,
        order: &Order,
    ) -> Result<Digest, RolloutError> {
        let bundle = match kept.read(found) {
            Ok(bundle) => bundle,
            Err(error) => {
                let (revision, source) = (Some(found.revision), found.source.clone());
                return Err(self.refuse(revision, source, error.into()).await);
            }
        };
        let candidate = Candidate { bundle, source: found.source.clone(), pinned: true };
        self.put(kept, candidate, Some((action, order))).await
    }

    /// The one way into force: verify, check, keep, record, swap.
    async fn put(
        &self,
        kept: &mut Kept,
        candidate: Candidate,
        order: Option<(RolloutAction, &Order)>,
    ) -> Result<Digest, RolloutError> {
        let Candidate { bundle, source, pinned } = candidate;
        let revision = bundle.revision();
        self.state().tried = Some(bundle.contents());
        let loaded = load(bundle, self.keys.clone(), self.announced()).await;
        let (bundle, ruleset) = match loaded {
            Ok(loaded) => loaded,
            Err(error) => return Err(self.refuse(Some(revision), source, error).await),
        };
        if let Some((action, order)) = order {
            self.order(action, revision, order).await?;
        }
        let since = clock::now();
        if let Err(error) = kept.keep(&bundle, &source, since, pinned) {
            return Err(self.refuse(Some(revision), source, error.into()).await);
        }
        let interpreted_because = ruleset.interpreted_because().map(str::to_owned);
        self.gate.replace_ruleset(ruleset).await?;
        tracing::info!(%source, pinned, "policy revision {} is in force", revision.short());
        let name = bundle.manifest().revision().map(str::to_owned);
        let mut state = self.state();
        state.contents = bundle.contents();
        (state.kept, state.pinned) = (kept.revisions().to_vec(), pinned);
        state.active =
            ActiveRevision { revision, name, source: source.clone(), since, interpreted_because };
        let attempt = Attempt { at: since, revision: Some(revision), source, error: None };
        state.last_attempt = Some(attempt);
        state.loads.taken += 1;
        Ok(revision)
    }

    /// Notes what did not come into force: in the log of decisions, in our own, in the status.
    async fn refuse(
        &self,
        revision: Option<Digest>,
        source: String,
        error: RolloutError,
    ) -> RolloutError {
        let text = error.to_string();
        let attempt = Attempt { at: clock::now(), revision, source, error: Some(text.clone()) };
        self.note_refusal(attempt);
        tracing::error!("{text}");
        let offered = revision.unwrap_or_else(Bundle::unread_revision);
        match self.gate.refuse_ruleset(offered, text).await {
            Ok(()) => error,
            Err(log) => log.into(),
        }
    }

    /// What the plugins in force look for. A set that is swapped while a revision is checked is asked
    /// by the gate once more, at each answer.
    fn announced(&self) -> Announced {
        self.gate.plugins().announced().clone()
    }

    fn note_refusal(&self, attempt: Attempt) {
        let mut state = self.state();
        state.last_attempt = Some(attempt);
        state.loads.refused += 1;
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Verifies and checks a bundle, on a thread of its own: it takes a while.
async fn load(
    bundle: Bundle,
    keys: Keys,
    announced: Announced,
) -> Result<(Bundle, Ruleset), RolloutError> {
    let load = move || {
        if !keys.is_empty() {
            bundle.verify(&keys)?;
        }
        let ruleset = Ruleset::of(&bundle)?;
        ruleset.seen_by(&announced)?;
        Ok::<_, LoadErrors>((bundle, ruleset))
    };
    let loaded = tokio::task::spawn_blocking(load).await;
    Ok(loaded.map_err(|error| RolloutError::Lost(error.to_string()))??)
}
