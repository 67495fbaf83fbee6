//! `portcullis policy check`: everything that can be said of a bundle without a call.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::json;

use crate::cli::report::{Format, Item, Report};
use crate::config::{self, Config};
use crate::domain::Announced;
use crate::plugin;
use crate::policy::{self, Bundle, Lookers};

/// What is checked, and how it is told.
#[derive(Debug, clap::Args)]
#[command(after_help = super::CHECKED)]
pub(in crate::cli) struct Args {
    /// The bundle's folder; else the configuration's. With a configuration, the kinds that rules redact
    /// are checked against its plugins.
    folder: Option<PathBuf>,
    /// Let warnings fail too.
    #[arg(long)]
    strict: bool,
    /// How to say it.
    #[arg(long, value_enum, default_value = "pretty")]
    format: Format,
}

pub(super) fn run(config: &Path, args: Args) -> anyhow::Result<ExitCode> {
    let source = super::source(config, args.folder)?;
    let revision = Bundle::read(&source).map(|bundle| bundle.revision().to_string()).ok();
    let known = loaded(config)?;
    let shipped;
    let lookers = match &known {
        Some(announced) => Lookers::Known(announced),
        None => {
            shipped = plugin::announced(&config::Plugins::default())?;
            Lookers::Shipped(&shipped)
        }
    };
    let found = policy::check(&source, lookers);
    let mut items: Vec<Item> = found.into_iter().map(Item::found).collect();
    let files = source.texts();
    let clean = files.iter().map(|(name, _)| name).filter(|name| !name.starts_with("lib/"));
    let clean: Vec<Item> = clean
        .filter(|name| !items.iter().any(|item| item.file == **name))
        .map(|name| Item::clean(name))
        .collect();
    items.extend(clean);
    let report = Report {
        strict: args.strict,
        items,
        notes: revision.iter().map(|it| format!("policy revision {it}")).collect(),
        more: vec![("revision", json!(revision))],
        ..Report::of("policy check", &source)
    };
    report.print(args.format)
}

/// What the configuration's plugins look for. `None` without a configuration: then it is not known
/// which plugins will be loaded.
fn loaded(config: &Path) -> anyhow::Result<Option<Announced>> {
    if !config.exists() {
        return Ok(None);
    }
    Ok(Some(plugin::announced(&Config::load(config)?.plugins)?))
}
