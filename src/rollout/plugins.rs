//! Which plugins look: loaded from configuration, tried, swapped as one set, and loaded again while
//! Portcullis runs. A set that is not in order changes nothing.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::audit::LogError;
use crate::clock;
use crate::config::{self, Config, Problems};
use crate::domain::{Announced, Digest, Timestamp};
use crate::gate::Gate;
use crate::plugin::{Host, HostError, Loader, PluginState, Plugins, Refused};
use crate::policy::LoadErrors;

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
}

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
        Ok(Self { gate, loader, configured, file, last })
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
        let configured = match &self.file {
            Some(file) => Config::load(file)?.plugins,
            None => self.configured.clone(),
        };
        let plugins = loader.load(&configured).await?;
        self.gate.ruleset().seen_by(plugins.announced())?;
        Ok(plugins)
    }

    fn note(&self, error: Option<String>) {
        let attempt = PluginAttempt { at: clock::now(), error };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(attempt);
    }
}
