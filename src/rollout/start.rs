//! The first revision of a process: the pinned one, else what the source has.

use std::path::Path;

use super::kept::{Kept, KeptError};
use super::origin::{Look, Origin, ReadError};
use super::status::{ActiveRevision, Attempt, Loads};
use super::watched::Watched;
use super::{RolloutError, State, load};
use crate::clock;
use crate::config::Policies;
use crate::domain::{Announced, Digest};
use crate::policy::{Bundle, KeyError, Keys, Ruleset};

/// Why there is no revision to begin with.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A public key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The revisions on disk, the pinned one among them.
    #[error(transparent)]
    Kept(#[from] KeptError),
    /// TLS towards the bundle server.
    #[error("cannot prepare the bundle server's client: {0}")]
    Server(#[from] std::io::Error),
    /// The source.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The revision is not in order.
    #[error("{0}")]
    Load(String),
}

/// What is there before there is a gate.
pub struct Opened {
    /// The ruleset to begin with; taken out by whoever builds the gate.
    pub ruleset: Option<Ruleset>,
    pub(super) origin: Origin,
    pub(super) keys: Keys,
    pub(super) watch: bool,
    pub(super) kept: Kept,
    pub(super) watched: Watched,
    pub(super) state: State,
}

/// Reads the first revision and keeps it. A server that is away, or has something that cannot be
/// used, is no reason not to start if its last good revision is on disk; a folder is.
///
/// # Errors
/// If there is no revision that can decide.
pub async fn open(
    policies: &Policies,
    data: &Path,
    announced: &Announced,
) -> Result<Opened, StartError> {
    let keys = Keys::read(&policies.keys)?;
    let origin = Origin::new(&policies.origin)?;
    let mut kept = Kept::open(data)?;
    let mut look = Look::default();
    let mut last_attempt = None;
    let mut tried = None;
    let pinned = kept.pinned().cloned();
    let loaded = |bundle| async {
        let loaded = load(bundle, keys.clone(), announced.clone()).await;
        loaded.map_err(|error| StartError::Load(reason(&error)))
    };
    let ((bundle, ruleset), source) = if let Some(pinned) = &pinned {
        tracing::warn!("policy revision {} is pinned", pinned.revision.short());
        (loaded(kept.read(pinned)?).await?, pinned.source.clone())
    } else {
        let first = match read(&origin, &mut look).await {
            Ok(bundle) => {
                tried = Some(bundle.contents());
                (Some(bundle.revision()), loaded(bundle).await)
            }
            Err(error) => (None, Err(error)),
        };
        let first = match first {
            (revision, Err(trouble)) if origin.is_remote() => {
                let last = last_good(&origin, &kept, trouble, revision, &mut last_attempt)?;
                loaded(last).await?
            }
            (_, first) => first?,
        };
        (first, origin.shown.clone())
    };
    if let Some(pinned) = pinned.as_ref().filter(|it| it.revision != bundle.revision()) {
        // The library is part of a revision, and belongs to the version of Portcullis.
        tracing::warn!(
            "the pinned revision {} is {} under this version's library",
            pinned.revision.short(),
            bundle.revision().short()
        );
    }
    let since = clock::now();
    kept.keep(&bundle, &source, since, pinned.is_some())?;
    let active = ActiveRevision {
        revision: bundle.revision(),
        name: bundle.manifest().revision().map(str::to_owned),
        source,
        since,
        interpreted_because: ruleset.interpreted_because().map(str::to_owned),
    };
    let contents = bundle.contents();
    let state = State {
        loads: Loads::default(),
        active,
        contents,
        look,
        // What the source has and was refused is not in force because the source still has it.
        tried: tried.or(Some(contents)),
        last_attempt,
        shadow: None,
        kept: kept.revisions().to_vec(),
        pinned: pinned.is_some(),
    };
    let watched = Watched::of(data);
    let watch = policies.watch;
    Ok(Opened { ruleset: Some(ruleset), origin, keys, watch, kept, watched, state })
}

async fn read(origin: &Origin, look: &mut Look) -> Result<Bundle, StartError> {
    match origin.read(look).await? {
        Some((bundle, seen)) => {
            *look = seen;
            Ok(bundle)
        }
        None => Err(StartError::Load("the source gave nothing".to_owned())),
    }
}

/// What a server had when it last had something good.
fn last_good(
    origin: &Origin,
    kept: &Kept,
    trouble: StartError,
    revision: Option<Digest>,
    last_attempt: &mut Option<Attempt>,
) -> Result<Bundle, StartError> {
    let last = kept.revisions().iter().rev().find(|kept| kept.source == origin.shown);
    let Some(last) = last else { return Err(trouble) };
    let text = trouble.to_string();
    tracing::error!(
        "{text}\npolicy revision {} of {} decides, which was the last good one",
        last.revision.short(),
        last.since
    );
    let (at, source) = (clock::now(), origin.shown.clone());
    *last_attempt = Some(Attempt { at, revision, source, error: Some(text) });
    Ok(kept.read(last)?)
}

fn reason(error: &RolloutError) -> String {
    match error {
        RolloutError::Load(errors) => errors.to_string(),
        other => other.to_string(),
    }
}
