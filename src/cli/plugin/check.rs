//! `portcullis plugin check`: everything that loading a plugin checks.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::json;

use super::opened::{self, Bounded, Opened};
use crate::cli::report::{Format, Found, Item, Report};
use crate::plugin::Unfit;
use crate::policy::Severity;

/// What is checked, and how it is told.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The components: files, or names of plugins that are shipped.
    #[arg(required = true)]
    plugins: Vec<PathBuf>,
    /// How to say it.
    #[arg(long, value_enum, default_value = "pretty")]
    format: Format,
    #[command(flatten)]
    bounds: Bounded,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut report = Report {
        command: "plugin check",
        folder: None,
        texts: std::collections::BTreeMap::new(),
        strict: false,
        verbose: false,
        items: Vec::new(),
        more: Vec::new(),
        notes: Vec::new(),
    };
    let mut good = Vec::new();
    for path in &args.plugins {
        let name = path.display().to_string();
        // What cannot be read is a fault of the command line, not of the plugin.
        let bytes = opened::bytes(path)?;
        match Opened::of(path, &bytes, &args.bounds) {
            Ok(plugin) => {
                report.items.push(Item::clean(&name));
                report.notes.push(plugin.to_string());
                good.push(plugin.json());
            }
            Err(error) => match error.downcast_ref::<Unfit>() {
                Some(unfit) => report.items.push(Item::found(found(path, unfit))),
                None => return Err(error),
            },
        }
    }
    report.more.push(("plugins", json!(good)));
    report.print(args.format)
}

fn found(path: &Path, unfit: &Unfit) -> Found {
    let (code, help) = match unfit {
        Unfit::Format(_) => ("plugin/format", "a plugin is a component, in its binary form"),
        Unfit::Compile(_) => ("plugin/compile", "build it anew; see plugins/README.md"),
        Unfit::Import(_) => ("plugin/import", "leave out what needs it, or the library that does"),
        Unfit::Version(_) => ("plugin/version", "build it for the contract of this version"),
        Unfit::Export(_) => ("plugin/export", "build it for the world `plugin` of plugin.wit"),
        Unfit::Describe(_) => ("plugin/describe", "`describe` must answer at once, whatever else"),
        Unfit::Misdescribed(_) => ("plugin/description", "see plugin.wit for what may stand there"),
    };
    Found {
        code,
        help,
        severity: Severity::Error,
        file: path.display().to_string(),
        line: 0,
        column: 0,
        text: unfit.to_string(),
    }
}
