//! Which plugins look: loaded from configuration, tried, swapped as one set, and loaded again while
//! Portcullis runs. A set that is not in order changes nothing.
//!
//! If they are to be watched, the configuration's file, the components and their signatures are looked
//! at every second, as [`super::watch`] looks at policies: a change counts once two looks are equal. A
//! component whose digest is pinned changes together with its line, so that neither alone does anything.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::audit::LogError;
use crate::clock;
use crate::config::{self, Config, PluginSource, Problems};
use crate::domain::{Announced, Digest, Timestamp};
use crate::gate::Gate;
use crate::plugin::{self, Host, HostError, Loader, PluginState, Plugins, Refused};
use crate::policy::LoadErrors;

/// How often the files of a set are looked at.
const EVERY: Duration = Duration::from_secs(1);

/// Why a set of plugins is not in force.
#[derive(Debug, thiserror::Error)]
pub enum PluginsError {
    /// The engine.
    #[error(transparent)]
    Host(#[from] HostError),
    /// What is loaded.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The configuration cannot be read again.
    #[error("{0}")]
    Config(#[from] Problems),
    /// Rules in force redact what the set does not look for.
    #[error("{0}")]
    Unseen(#[from] LoadErrors),
    /// It could not be recorded.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// A set of plugins, loaded before there is a gate.
pub struct OpenedPlugins {
    loader: Loader,
    plugins: Plugins,
    configured: config::Plugins,
    file: Option<PathBuf>,
}

impl OpenedPlugins {
    /// What the set looks for in answers.
    #[must_use]
    pub fn announced(&self) -> &Announced {
        self.plugins.announced()
    }
}

/// Loads the first set.
///
/// # Errors
/// If it is not in order.
pub async fn open_plugins(config: &Config) -> Result<OpenedPlugins, PluginsError> {
    let loader = Loader::new(Host::start()?);
    let plugins = loader.load(&config.plugins).await?;
    let (configured, file) = (config.plugins.clone(), config.file.clone());
    Ok(OpenedPlugins { loader, plugins, configured, file })
}

/// Which plugins look.
pub struct PluginRollout {
    gate: Arc<Gate>,
    /// One load at a time.
    loader: tokio::sync::Mutex<Loader>,
    /// For a configuration that was made in code.
    configured: config::Plugins,
    file: Option<PathBuf>,
    last: Mutex<Option<PluginAttempt>>,
    /// The files of the last try, and how they looked then.
    taken: Mutex<Vec<(PathBuf, Stamp)>>,
}

/// Size, time of change and number of a file; `None` if it cannot be looked at.
type Stamp = Option<(u64, i64, i64, u64)>;

/// The last try to put a set in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginAttempt {
    /// When.
    pub at: Timestamp,
    /// Why it failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Where plugins stand.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PluginsStatus {
    /// The set in force.
    pub revision: Digest,
    /// Its plugins.
    pub plugins: Vec<PluginState>,
    /// The last try to change it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_attempt: Option<PluginAttempt>,
}

impl PluginRollout {
    /// Puts the first set in force.
    ///
    /// # Errors
    /// If that cannot be recorded.
    pub async fn begin(opened: OpenedPlugins, gate: Arc<Gate>) -> Result<Self, PluginsError> {
        let OpenedPlugins { loader, plugins, configured, file } = opened;
        if plugins.revision() != gate.plugins().revision() {
            gate.replace_plugins(plugins).await?;
        }
        let (loader, last) = (tokio::sync::Mutex::new(loader), Mutex::default());
        let taken = Mutex::new(stamped(&files(file.as_deref(), &configured)));
        Ok(Self { gate, loader, configured, file, last, taken })
    }

    /// Follows the files of the set until `drain` turns true; ends at once if they are not watched.
    pub async fn follow_on(self: Arc<Self>, mut drain: watch::Receiver<bool>) {
        if !self.configured.watch {
            return;
        }
        tokio::select! {
            () = self.watch_files() => {}
            _ = drain.wait_for(|stop| *stop) => {}
        }
    }

    async fn watch_files(&self) {
        let mut before = self.taken();
        loop {
            tokio::time::sleep(EVERY).await;
            let paths: Vec<PathBuf> = self.taken().into_iter().map(|(path, _)| path).collect();
            let now = stamped(&paths);
            let settled = now == before;
            before = now;
            if settled && before != self.taken() {
                // What goes wrong is noted where it goes wrong.
                let _noted = self.reload().await;
                before = self.taken();
            }
        }
    }

    fn taken(&self) -> Vec<(PathBuf, Stamp)> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes the files of a set that is about to be tried, whatever comes of it.
    fn take(&self, paths: &[PathBuf]) {
        *self.taken.lock().unwrap_or_else(PoisonError::into_inner) = stamped(paths);
    }

    /// Reads the configuration's plugins and their files again, and puts them in force.
    ///
    /// # Errors
    /// If they are not in order; the old set stays in force.
    pub async fn reload(&self) -> Result<Digest, PluginsError> {
        let loader = self.loader.lock().await;
        match self.load(&loader).await {
            Ok(plugins) => {
                let revision = plugins.revision();
                self.gate.replace_plugins(plugins).await?;
                tracing::info!("plugins {} are in force", revision.short());
                self.note(None);
                Ok(revision)
            }
            Err(error) => {
                let text = error.to_string();
                tracing::error!("the plugins are not changed:\n{text}");
                self.note(Some(text.clone()));
                self.gate.refuse_plugins(text).await?;
                Err(error)
            }
        }
    }

    /// Where plugins stand.
    #[must_use]
    pub fn status(&self) -> PluginsStatus {
        let plugins = self.gate.plugins();
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        PluginsStatus {
            revision: plugins.revision(),
            plugins: plugins.states(),
            last_attempt: last,
        }
    }

    async fn load(&self, loader: &Loader) -> Result<Plugins, PluginsError> {
        let before: Vec<PathBuf> = self.taken().into_iter().map(|(path, _)| path).collect();
        self.take(&before);
        let configured = match &self.file {
            Some(file) => Config::load(file)?.plugins,
            None => self.configured.clone(),
        };
        self.take(&files(self.file.as_deref(), &configured));
        let plugins = loader.load(&configured).await?;
        self.gate.ruleset().seen_by(plugins.announced())?;
        Ok(plugins)
    }

    fn note(&self, error: Option<String>) {
        let attempt = PluginAttempt { at: clock::now(), error };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(attempt);
    }
}

/// The files that a set is made of.
fn files(file: Option<&Path>, plugins: &config::Plugins) -> Vec<PathBuf> {
    let components = plugins.list.iter().filter_map(|entry| match &entry.source {
        PluginSource::File { path, .. } => Some(path.clone()),
        PluginSource::Shipped(_) => None,
    });
    let components = components.flat_map(|path| [plugin::signature_beside(&path), path]);
    file.map(Path::to_owned).into_iter().chain(plugins.keys.clone()).chain(components).collect()
}

fn stamped(paths: &[PathBuf]) -> Vec<(PathBuf, Stamp)> {
    let stamp = |path: &PathBuf| {
        let data = std::fs::metadata(path).ok()?;
        Some((data.len(), data.mtime(), data.mtime_nsec(), data.ino()))
    };
    paths.iter().map(|path| (path.clone(), stamp(path))).collect()
}
