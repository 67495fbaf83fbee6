//! `portcullis plugin inspect`: what a component is, wants and offers.

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Value as Json, json};

use super::opened::{Bounded, Opened};
use crate::cli::policy::Format;
use crate::cli::shown;

/// What is shown.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The component: a file, or the name of a plugin that is shipped.
    plugin: PathBuf,
    /// How to show it.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    bounds: Bounded,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let plugin = Opened::open(&args.plugin, &args.bounds)?;
    match args.format {
        Format::Json => println!("{:#}", for_machines(&plugin)),
        Format::Pretty => for_people(&plugin),
    }
    Ok(ExitCode::SUCCESS)
}

fn for_machines(plugin: &Opened) -> Json {
    let (component, said) = (&plugin.component, plugin.component.description());
    let schema: Json = serde_json::from_str(&said.config_schema).unwrap_or_default();
    json!({
        "name": said.name,
        "version": said.version,
        "summary": said.summary,
        "digest": component.digest().to_string(),
        "bytes": component.bytes(),
        "imports": component.imports(),
        "exports": component.exports(),
        "kinds": said.kinds,
        "labels": said.labels,
        "phases": Vec::from_iter(said.phases.iter().map(|phase| phase.as_str())),
        "tools": said.tools,
        "config_schema": schema,
    })
}

fn for_people(plugin: &Opened) {
    let (component, said) = (&plugin.component, plugin.component.description());
    let list = |words: Vec<&str>, none: &str| {
        if words.is_empty() { none.to_owned() } else { shown(&words.join(", ")) }
    };
    let phases = said.phases.iter().map(|phase| phase.as_str()).collect();
    let rows = [
        ("name", shown(&said.name)),
        ("version", shown(&said.version)),
        ("summary", shown(&said.summary)),
        ("digest", component.digest().to_string()),
        ("bytes", component.bytes().to_string()),
        ("imports", list(component.imports().iter().map(String::as_str).collect(), "(nothing)")),
        ("exports", list(component.exports().iter().map(String::as_str).collect(), "(nothing)")),
        ("kinds", list(said.kinds.iter().map(String::as_str).collect(), "(none)")),
        ("labels", list(said.labels.iter().map(String::as_str).collect(), "(none)")),
        ("phases", list(phases, "(none)")),
        ("tools", list(said.tools.iter().map(String::as_str).collect(), "(all)")),
    ];
    for (name, value) in rows {
        println!("{name:<9} {value}");
    }
    match said.config_schema.trim() {
        "" => println!("config    (takes none)"),
        schema => {
            println!("config");
            for line in schema.lines() {
                println!("    {}", shown(line));
            }
        }
    }
}
