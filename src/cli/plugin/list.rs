//! `portcullis plugin list`, `status` and `reload`: which plugins look, and how they do.

use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value as Json, json};

use crate::cli::policy::Format;
use crate::cli::shown;
use crate::config::{Config, PluginEntry, PluginSource};
use crate::control::{self, Answer, Question};
use crate::plugin::{self, Component};
use crate::rollout::PluginsStatus;

/// How it is told.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// How to say it.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What the configuration says, whether it is in force or not.
pub(super) fn list(config: &Path, args: &Args) -> anyhow::Result<ExitCode> {
    let config = Config::load(config)?;
    let rows: Vec<Row> =
        plugin::entries(&config.plugins).iter().map(|entry| Row::of(entry, &config)).collect();
    let good = rows.iter().all(|row| row.wrong.is_none());
    match args.format {
        Format::Json => {
            let rows: Vec<Json> = rows.iter().map(Row::json).collect();
            println!("{:#}", json!({"plugins": rows}));
        }
        Format::Pretty => rows.iter().for_each(Row::print),
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

struct Row {
    name: String,
    source: String,
    digest: String,
    required: bool,
    wrong: Option<String>,
}

impl Row {
    fn of(entry: &PluginEntry, config: &Config) -> Self {
        let required = config.plugins.required.contains(&entry.name);
        let name = entry.name.clone();
        let (source, bytes, pinned) = match &entry.source {
            PluginSource::Shipped(name) => {
                let bytes = plugin::shipped(name).map(<[u8]>::to_vec);
                let bytes = bytes.ok_or_else(|| "no such plugin comes along".to_owned());
                ("comes along".to_owned(), bytes, None)
            }
            PluginSource::File { path, digest } => {
                let bytes = std::fs::read(path).map_err(|error| format!("cannot be read: {error}"));
                (path.display().to_string(), bytes, *digest)
            }
        };
        let digest = bytes.as_ref().map(|bytes| Component::digest_of(bytes));
        let wrong = match (&digest, pinned) {
            (Err(text), _) => Some((*text).clone()),
            (Ok(found), Some(pinned)) if *found != pinned => {
                Some(format!("is not what is configured: {pinned}"))
            }
            (Ok(_), _) => None,
        };
        let digest = digest.map(|digest| digest.to_string()).unwrap_or_default();
        Self { name, source, digest, required, wrong }
    }

    fn json(&self) -> Json {
        json!({
            "name": self.name,
            "source": self.source,
            "digest": self.digest,
            "required": self.required,
            "wrong": self.wrong,
        })
    }

    fn print(&self) {
        let required = if self.required { "  required" } else { "" };
        println!("{:<20} {}  {}{required}", self.name, self.digest, shown(&self.source));
        if let Some(wrong) = &self.wrong {
            println!("{:<20} wrong: {}", "", shown(wrong));
        }
    }
}

/// What is in force.
pub(super) async fn status(config: &Path, args: &Args) -> anyhow::Result<ExitCode> {
    let config = Config::load(config)?;
    let Answer::Plugins { status } = control::ask(&config.data, &Question::Plugins).await? else {
        anyhow::bail!("the running Portcullis answered something else; is it another version?")
    };
    let failed = status.last_attempt.as_ref().is_some_and(|last| last.error.is_some());
    match args.format {
        Format::Json => println!("{:#}", json!(status)),
        Format::Pretty => print(&status),
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Reads the configuration's plugins again.
pub(super) async fn reload(config: &Path) -> anyhow::Result<ExitCode> {
    let config = Config::load(config)?;
    match control::ask(&config.data, &Question::ReloadPlugins).await? {
        Answer::Done { text } => println!("{text}"),
        _ => {
            anyhow::bail!("the running Portcullis answered something else; is it another version?")
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn print(status: &PluginsStatus) {
    println!("plugin set {}", status.revision);
    for plugin in &status.plugins {
        let health = &plugin.health;
        let suspended = if health.suspended { ", not asked for a while" } else { "" };
        println!(
            "{:<20} {:<8} {}  {} calls, {} failed{suspended}",
            plugin.name,
            shown(&plugin.version),
            plugin.digest.short(),
            health.calls,
            health.faults,
        );
    }
    if let Some(last) = &status.last_attempt {
        match &last.error {
            None => println!("loaded {}", last.at),
            Some(error) => {
                println!("a load failed {}, and changed nothing: {}", last.at, shown(error))
            }
        }
    }
}
