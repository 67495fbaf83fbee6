//! What every room stands on: rules, plugins, people, the database, and the gate over them.
//!
//! Opened in this order, because the first that cannot be used ends the start: what the configuration
//! names, then who may call and decide, then the data folder's own files. The start is in the log before
//! anything else can be.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;

use super::{AppError, io};
use crate::clock;
use crate::config::Config;
use crate::config::private;
use crate::domain::{Announced, Event, GRANT_SPAN, Timestamp};
use crate::gate::{Folds, Gate, Secrets, Settings};
use crate::holds::{Grants, HoldError, Holds};
use crate::identity::{Identity, Paused, People};
use crate::intercom::Pins;
use crate::policy::Ruleset;
use crate::rollout::{self, Opened, OpenedPlugins};
use crate::store::{self, Store};
use crate::tape::Tape;
use crate::trail::{Moment, Trail};
use crate::vault::Vault;

/// What every room stands on.
pub(super) struct Ground {
    pub(super) plugins: OpenedPlugins,
    pub(super) policies: Opened,
    pub(super) identity: Arc<Identity>,
    pub(super) people: Arc<People>,
    pub(super) store: Store,
    pub(super) pins: Arc<Pins>,
    pub(super) gate: Arc<Gate>,
}

impl Ground {
    pub(super) async fn open(config: &Config) -> Result<Self, AppError> {
        private::make_folder(&config.data)?;
        let plugins = rollout::open_plugins(config).await?;
        let announced = plugins.announced();
        warn_of(announced);
        let mut policies = rollout::open(&config.policies, &config.data, announced).await?;
        let gone = || io("take the policies", std::io::Error::other("they were taken already"));
        let ruleset = policies.ruleset.take().ok_or_else(gone)?;
        if let Some(reason) = ruleset.interpreted_because() {
            tracing::warn!("policies are interpreted, which is slower: {reason}");
        }
        let identity = Arc::new(Identity::open(config)?);
        let people = Arc::new(People::open(config)?);
        let (store, recovery) = Store::open(&config.data, &store::Options::default())?;
        let pins = Arc::new(Pins::open(config.data.join("pins.json"))?);
        let gate = Arc::new(gate(config, ruleset, &store, &pins, &people)?);
        let started = Event::Started {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ruleset: gate.ruleset().revision(),
            recovered_bytes: (recovery.recovered_bytes > 0).then_some(recovery.recovered_bytes),
        };
        let _recorded = store.log().append(started).await.map_err(HoldError::from)?;
        Ok(Self { plugins, policies, identity, people, store, pins, gate })
    }
}

/// The gate, on what the log says of what was before.
fn gate(
    config: &Config,
    ruleset: Ruleset,
    store: &Store,
    pins: &Arc<Pins>,
    people: &Arc<People>,
) -> Result<Gate, AppError> {
    let now = clock::now();
    let folds = folded(config, store, now)?;
    let (sealer, pseudonyms) = (store.sealer(), &config.pseudonyms);
    let key = pseudonyms.key.as_ref();
    let vault = Vault::open(&config.data, key, &sealer, pseudonyms.into(), now)?;
    let tape = Tape::open(config, &sealer)?;
    let secrets = Secrets { tape, sealer: Arc::new(sealer), vault };
    let settings = Settings {
        environment: config.environment.as_str().into(),
        required_plugins: config.plugins.required.clone(),
        approval_valid: config.holds.valid,
        origin: origin(&config.upstream.url),
        people: people.clone(),
        paused: Paused::open(&config.data, store)?,
    };
    Ok(Gate::new(ruleset, store.log(), folds, secrets, pins.clone(), settings))
}

/// What the log says of what was before. Holds, trails and grants are read from it at the same time: none
/// needs another, and with many holds their reading is most of a start.
fn folded(config: &Config, store: &Store, now: Timestamp) -> Result<Folds, AppError> {
    thread::scope(|scope| {
        let trail = scope.spawn(|| Trail::rebuild(&config.data, Moment::now()));
        let given = scope.spawn(|| store.grant_events(now.minus(GRANT_SPAN)));
        let events = store.hold_events()?;
        let holds = Holds::replay(store.log(), config.holds.pending_per_principal, events);
        let trail = trail.join().unwrap_or_else(|panic| resume_unwind(panic))?;
        let given = given.join().unwrap_or_else(|panic| resume_unwind(panic))?;
        Ok(Folds { trail, holds, grants: Grants::replay(store.log(), given, now) })
    })
}

/// Says loudly what configuration accepts.
fn warn_of(announced: &Announced) {
    if !announced.without.is_empty() {
        let kinds: Vec<&str> = announced.without.iter().map(String::as_str).collect();
        tracing::warn!("`plugins.without` accepts that no plugin looks for: {}", kinds.join(", "));
    }
}

/// Scheme and authority of an address.
fn origin(url: &http::Uri) -> String {
    let scheme = url.scheme_str().unwrap_or_default();
    format!("{scheme}://{}", url.authority().map(http::uri::Authority::as_str).unwrap_or_default())
}

#[cfg(test)]
mod tests;
