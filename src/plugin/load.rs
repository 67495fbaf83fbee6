//! From configuration to a set: read, verified, compiled, asked, tried; all of it or nothing.
//!
//! The bytes that are hashed are the bytes whose signature is checked and that are compiled: a file
//! is read once. Nothing compiled is kept on disk, for whoever can write such a file owns the
//! process; in memory a component that did not change is taken over from one load to the next.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;

use crate::config::private::{self, PrivateError};
use crate::config::{self, PluginSource};
use crate::domain::{Announced, Digest, Form, Known, Leaf, Party, Phase};

use super::breaker::{Breaker, Patience};
use super::call::{Bounds, Failure};
use super::component::{Component, MAX_BYTES, Unfit};
use super::host::Host;
use super::signature::{self, KeyError, Keys};
use super::{Plugin, Plugins, SHIPPED};

/// How long the compiler may take for one component.
const COMPILE: Duration = Duration::from_secs(120);
/// Bytes of the largest signature file.
const MAX_SIGNATURE_BYTES: u64 = 4096;
/// A trial has this much more time than a call: everything happens for the first time.
const TRIAL: u32 = 20;

/// Why a plugin is not loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Its file.
    #[error(transparent)]
    File(#[from] PrivateError),
    /// There is none of this name.
    #[error("no plugin `{}` comes with Portcullis; there are {}", .0, shipped_names())]
    NotShipped(String),
    /// Its bytes are others than those that were pinned.
    #[error("`{}` has the digest {is}, not the {pinned} of the configuration", path.display())]
    Digest {
        /// Which file.
        path: PathBuf,
        /// The digest of its bytes.
        is: Digest,
        /// The one that is configured.
        pinned: Digest,
    },
    /// Nobody answers for it.
    #[error(
        "`{}` is not signed by one of the configured keys; sign it with `portcullis plugin sign`",
        .0.display()
    )]
    Unsigned(PathBuf),
    /// It has neither pin nor signature.
    #[error("`{}` needs a pin: add `digest: {is}`, or sign it and name the key in `plugins.keys`", path.display())]
    Unpinned {
        /// Which file.
        path: PathBuf,
        /// The digest of its bytes.
        is: Digest,
    },
    /// It is no plugin.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// The compiler took too long.
    #[error("it was not compiled within {} seconds", COMPILE.as_secs())]
    Slow,
    /// The compiler's thread was lost.
    #[error("the compiler failed: {0}")]
    Lost(String),
    /// Its settings.
    #[error("{0}")]
    Config(String),
    /// Its trial.
    #[error("it failed when it was tried on a sample: {}", .0.text)]
    Trial(Failure),
}

/// Why a set is not loaded.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The keys.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Its plugins.
    #[error(transparent)]
    Plugins(#[from] LoadErrors),
}

/// What is wrong with the plugins of a set, by their configured names.
#[derive(Debug, thiserror::Error)]
#[error("{}", lines(.0))]
pub struct LoadErrors(pub Vec<(String, LoadError)>);

fn lines(errors: &[(String, LoadError)]) -> String {
    let lines: Vec<String> =
        errors.iter().map(|(name, error)| format!("plugin `{name}`: {error}")).collect();
    lines.join("\n")
}

fn shipped_names() -> String {
    let names: Vec<String> = SHIPPED.iter().map(|it| format!("`{}`", it.name)).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// Loads sets on one engine.
#[derive(Debug)]
pub struct Loader {
    host: Host,
    compiled: Mutex<BTreeMap<Digest, Component>>,
}

impl Loader {
    /// A loader on this engine.
    #[must_use]
    pub const fn new(host: Host) -> Self {
        Self { host, compiled: Mutex::new(BTreeMap::new()) }
    }

    /// The engine.
    #[must_use]
    pub const fn host(&self) -> &Host {
        &self.host
    }

    /// Loads what configuration says, as one set.
    ///
    /// # Errors
    /// If one of the plugins is not in order: all that is wrong.
    pub async fn load(&self, plugins: &config::Plugins) -> Result<Plugins, Refused> {
        let keys = Keys::read(&plugins.keys)?;
        let entries = entries(plugins);
        let loading = entries.iter().map(|entry| self.load_one(entry, &keys, plugins));
        let (mut loaded, mut errors) = (Vec::new(), Vec::new());
        // All at once: each compiles on a thread of its own.
        for (entry, result) in entries.iter().zip(join_all(loading).await) {
            match result {
                Ok(plugin) => loaded.push(plugin),
                Err(error) => errors.push((entry.name.clone(), error)),
            }
        }
        if !errors.is_empty() {
            return Err(LoadErrors(errors).into());
        }
        let used = loaded.iter().map(|it| (it.component.digest(), it.component.clone()));
        *self.compiled.lock().unwrap_or_else(PoisonError::into_inner) = used.collect();
        let host = (!loaded.is_empty()).then(|| self.host.clone());
        Ok(Plugins::of(host, loaded, &plugins.without))
    }

    async fn load_one(
        &self,
        entry: &config::PluginEntry,
        keys: &Keys,
        all: &config::Plugins,
    ) -> Result<Plugin, LoadError> {
        let bytes = read(entry, keys)?;
        let component = self.component(bytes).await?;
        let plugin = plugin(entry, component, all)?;
        let host = self.host.clone();
        let tried = move || plugin.tried(&host).map_err(LoadError::Trial);
        let tried = tokio::task::spawn_blocking(tried).await;
        tried.map_err(|error| LoadError::Lost(error.to_string()))?
    }

    fn known(&self, digest: Digest) -> Option<Component> {
        self.compiled.lock().unwrap_or_else(PoisonError::into_inner).get(&digest).cloned()
    }

    /// Compiles bytes, unless the set before had them.
    async fn component(&self, bytes: Vec<u8>) -> Result<Component, LoadError> {
        let digest = Component::digest_of(&bytes);
        if let Some(known) = self.known(digest) {
            return Ok(known);
        }
        let host = self.host.clone();
        let compile = tokio::task::spawn_blocking(move || Component::compile(&host, &bytes));
        match tokio::time::timeout(COMPILE, compile).await {
            Ok(Ok(compiled)) => Ok(compiled?),
            Ok(Err(error)) => Err(LoadError::Lost(error.to_string())),
            Err(_) => Err(LoadError::Slow),
        }
    }
}

/// The plugins that configuration means: its own, then those that come along and are not named.
#[must_use]
pub fn entries(plugins: &config::Plugins) -> Vec<config::PluginEntry> {
    let mut entries = plugins.list.clone();
    if plugins.shipped {
        let named = |name: &str| {
            plugins.list.iter().any(|entry| {
                entry.name == name
                    || matches!(&entry.source, PluginSource::Shipped(it) if it == name)
            })
        };
        let others = SHIPPED.iter().filter(|it| !named(it.name));
        entries.extend(others.map(|it| config::PluginEntry::shipped(it.name)));
    }
    entries
}

/// What the plugins of a configuration announce, without compiling those that come along.
///
/// # Errors
/// If one of the others is not in order.
pub fn announced(plugins: &config::Plugins) -> Result<Announced, Refused> {
    let keys = Keys::read(&plugins.keys)?;
    let (mut kinds, mut errors) = (BTreeSet::new(), Vec::new());
    for entry in entries(plugins) {
        match kinds_of(&entry, &keys, plugins) {
            Ok(found) => kinds.extend(found),
            Err(error) => errors.push((entry.name, error)),
        }
    }
    if !errors.is_empty() {
        return Err(LoadErrors(errors).into());
    }
    Ok(Announced { kinds, without: plugins.without.iter().cloned().collect() })
}

/// The kinds that the plugin of an entry finds in answers.
fn kinds_of(
    entry: &config::PluginEntry,
    keys: &Keys,
    all: &config::Plugins,
) -> Result<BTreeSet<String>, LoadError> {
    if let PluginSource::Shipped(name) = &entry.source {
        let shipped = SHIPPED.iter().find(|it| it.name == name);
        let shipped = shipped.ok_or_else(|| LoadError::NotShipped(name.clone()))?;
        let looks = entry.phases.as_ref().is_none_or(|phases| phases.contains(&Phase::Answer));
        let kinds = shipped.kinds.iter().filter(|_| looks);
        return Ok(kinds.map(ToString::to_string).collect());
    }
    let host = Host::start().map_err(|error| LoadError::Lost(error.to_string()))?;
    let plugin = plugin(entry, Component::compile(&host, &read(entry, keys)?)?, all)?;
    let looks = plugin.phases.contains(&Phase::Answer);
    Ok(plugin.description().kinds.iter().filter(|_| looks).cloned().collect())
}

/// The bytes of an entry, verified.
fn read(entry: &config::PluginEntry, keys: &Keys) -> Result<Vec<u8>, LoadError> {
    match &entry.source {
        PluginSource::Shipped(name) => {
            let shipped = SHIPPED.iter().find(|it| it.name == name);
            let shipped = shipped.ok_or_else(|| LoadError::NotShipped(name.clone()))?;
            Ok(shipped.bytes.to_vec())
        }
        PluginSource::File { path, digest } => read_file(path, *digest, keys),
    }
}

fn read_file(path: &Path, pinned: Option<Digest>, keys: &Keys) -> Result<Vec<u8>, LoadError> {
    let bytes = private::read_unlinked(path, MAX_BYTES as u64)?;
    let is = Component::digest_of(&bytes);
    match pinned {
        Some(pinned) if pinned != is => {
            return Err(LoadError::Digest { path: path.to_owned(), is, pinned });
        }
        None if keys.is_empty() => return Err(LoadError::Unpinned { path: path.to_owned(), is }),
        _ => {}
    }
    if !keys.is_empty() {
        let unsigned = || LoadError::Unsigned(path.to_owned());
        let signature = private::read_unlinked(&signature::beside(path), MAX_SIGNATURE_BYTES);
        let signature = match signature {
            Err(error) if error.is_absent() => return Err(unsigned()),
            signature => signature?,
        };
        if !std::str::from_utf8(&signature).is_ok_and(|text| keys.verify(&bytes, text)) {
            return Err(unsigned());
        }
    }
    Ok(bytes)
}

/// The plugin that an entry makes of a component: it may be asked less than it says, not more.
pub(super) fn plugin(
    entry: &config::PluginEntry,
    component: Component,
    all: &config::Plugins,
) -> Result<Plugin, LoadError> {
    let said = component.description();
    said.check_config(entry.config.as_ref()).map_err(LoadError::Config)?;
    let phases = match &entry.phases {
        None => said.phases.clone(),
        Some(phases) => {
            if let Some(phase) = phases.difference(&said.phases).next() {
                let text = format!("`phases` has `{}`, which it does not look at", phase.as_str());
                return Err(LoadError::Config(text));
            }
            phases.clone()
        }
    };
    let tools = match &entry.tools {
        None => said.tools.clone(),
        Some(tools) => {
            let other = tools.iter().find(|tool| !said.tools.contains(*tool));
            if let Some(tool) = other.filter(|_| !said.tools.is_empty()) {
                let text = format!("`tools` has `{tool}`, which it does not look at");
                return Err(LoadError::Config(text));
            }
            tools.clone()
        }
    };
    Ok(Plugin {
        name: entry.name.as_str().into(),
        config: entry.config.clone(),
        phases,
        tools,
        bounds: Bounds { memory: entry.memory, deadline: entry.deadline },
        patience: Patience { faults: all.faults, pause: all.pause },
        breaker: Breaker::default(),
        component,
    })
}

impl Plugin {
    /// A plugin of these settings, for tools that try components out.
    ///
    /// # Errors
    /// If the settings do not fit the component.
    pub fn of(entry: &config::PluginEntry, component: Component) -> Result<Self, LoadError> {
        plugin(entry, component, &config::Plugins::default())
    }

    /// Lets it look at a sample of each phase: whoever fails there would fail on the road.
    fn tried(self, host: &Host) -> Result<Self, Failure> {
        let bounds = self.bounds;
        let tried = Self {
            bounds: Bounds { deadline: bounds.deadline.saturating_mul(TRIAL), ..bounds },
            ..self
        };
        for phase in &tried.phases {
            tried.look_at(host, *phase, &[], &[])?;
            tried.look_at(host, *phase, &sample(), &known())?;
        }
        Ok(Self { bounds, breaker: Breaker::default(), ..tried })
    }
}

fn sample() -> Vec<Leaf> {
    let leaf = |path: &str, text: &str, form| Leaf {
        document: 0,
        path: path.to_owned(),
        text: text.to_owned(),
        form,
        owner: Some("contact:0123456789abcdef01234567".to_owned()),
        party: Party::Customer,
    };
    vec![
        leaf("/email", "sample@example.com", Form::Text),
        leaf(
            "/body",
            "<p>H\u{e9}llo&nbsp;\u{1f600} <a href=\"https://example.com\">x</a>",
            Form::Html,
        ),
        leaf("/custom_attributes/plan", "plan", Form::Key),
        leaf("/created_at", "1700000000", Form::Number),
        leaf("/empty", "", Form::Text),
    ]
}

fn known() -> Vec<Known> {
    vec![Known {
        kind: "person".to_owned(),
        value: "Sample Person".to_owned(),
        subject: Some("contact:0123456789abcdef01234567".to_owned()),
    }]
}
