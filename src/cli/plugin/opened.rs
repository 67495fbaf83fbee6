//! A component that a command works with, and one question to it.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value as Json, json};

use crate::cli::shown;
use crate::domain::{JsonText, Known, Leaf, Phase};
use crate::plugin::{self, Bounds, Component, Host, Seen, Trial};

/// What the plugin may use. Commands are patient with time by default: the machine may be busy, and
/// the code of a large component is not warm.
#[derive(Debug, Clone, clap::Args)]
pub(in crate::cli) struct Bounded {
    /// MiB of memory that the plugin may use.
    #[arg(long, value_name = "MIB", default_value_t = USUAL.memory, value_parser = clap::value_parser!(u16).range(1..=1024))]
    memory: u16,
    /// Milliseconds that a call may take.
    #[arg(long, value_name = "MS", default_value_t = USUAL.deadline, value_parser = clap::value_parser!(u16).range(1..))]
    deadline: u16,
}

/// MiB and milliseconds that a plugin has where configuration says nothing.
const USUAL: Bounded = Bounded { memory: 16, deadline: 1000 };

impl Bounded {
    /// What of this must stand in a configuration.
    pub(super) fn rows(&self) -> Vec<String> {
        let memory = (self.memory != USUAL.memory).then(|| format!("memory: {}MiB", self.memory));
        let deadline =
            (self.deadline != USUAL.deadline).then(|| format!("deadline: {}ms", self.deadline));
        memory.into_iter().chain(deadline).collect()
    }

    fn bounds(&self) -> Bounds {
        Bounds {
            memory: usize::from(self.memory) << 20,
            deadline: Duration::from_millis(u64::from(self.deadline)),
        }
    }
}

/// A plugin that was checked as when it is loaded.
pub(super) struct Opened {
    pub(super) component: Component,
    host: Host,
    bounds: Bounds,
}

/// The bytes of a plugin: a file's, or one's that is shipped, by its name.
pub(super) fn bytes(plugin: &Path) -> anyhow::Result<Vec<u8>> {
    let name = plugin.to_str().filter(|_| !plugin.exists());
    if let Some(shipped) = name.and_then(plugin::shipped) {
        return Ok(shipped.to_vec());
    }
    std::fs::read(plugin).with_context(|| format!("cannot read `{}`", plugin.display()))
}

impl Opened {
    pub(super) fn open(plugin: &Path, bounds: &Bounded) -> anyhow::Result<Self> {
        Self::of(plugin, &bytes(plugin)?, bounds)
    }

    pub(super) fn of(plugin: &Path, bytes: &[u8], bounds: &Bounded) -> anyhow::Result<Self> {
        let host = Host::start()?;
        let component = Component::compile(&host, bytes)
            .with_context(|| format!("`{}` is no plugin", plugin.display()))?;
        Ok(Self { component, host, bounds: bounds.bounds() })
    }

    /// Lets the plugin look, in an instance of its own. An error says in words why it gave nothing.
    pub(super) fn ask(
        &self,
        phase: Phase,
        tool: &str,
        leaves: &[Leaf],
        dictionary: &[Known],
        config: Option<&Json>,
    ) -> Result<Seen, String> {
        let config = config.map(JsonText::of);
        self.component.description().check_config(config.as_ref())?;
        let trial = Trial { phase, tool, leaves, dictionary, config: config.as_ref() };
        self.component.attempt(&self.host, &self.bounds, &trial)
    }

    /// For machines.
    pub(super) fn json(&self) -> Json {
        let description = self.component.description();
        json!({
            "name": description.name,
            "version": description.version,
            "digest": self.component.digest().to_string(),
        })
    }
}

impl fmt::Display for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let description = self.component.description();
        let digest = self.component.digest();
        write!(f, "plugin {} {}, {digest}", shown(&description.name), shown(&description.version))
    }
}
