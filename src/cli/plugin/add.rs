//! `portcullis plugin add` and `remove`: the list of plugins in the configuration.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::json;

use super::edit;
use super::opened::{self, Bounded, Opened};
use crate::cli::{replace, shell};
use crate::config::Config;

/// What is added.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The component's file. It is copied to the folder `plugins` beside the configuration, with its
    /// signature if there is one.
    file: PathBuf,
    /// Its name in rules, records and commands, if not the one that it gives itself.
    #[arg(long)]
    name: Option<String>,
    /// Deny every call if it cannot be asked.
    #[arg(long)]
    required: bool,
    #[command(flatten)]
    bounds: Bounded,
}

pub(super) fn add(config: &Path, args: &Args) -> anyhow::Result<ExitCode> {
    let text = read(config)?;
    let bytes = opened::bytes(&args.file)?;
    let plugin = Opened::of(&args.file, &bytes, &args.bounds)?;
    let given = args.name.as_ref().unwrap_or(&plugin.component.description().name);
    let name = super::new::name(given).map_err(anyhow::Error::msg)?;
    let file = PathBuf::from("plugins").join(format!("{name}.wasm"));
    let mut rows = vec![
        format!("name: {name}"),
        // A JSON string is a YAML string too.
        format!("path: {}", json!(file)),
        format!("digest: {}", plugin.component.digest()),
    ];
    rows.extend(args.bounds.rows());
    rows.extend(args.required.then(|| "required: true".to_owned()));
    let edited = edit::with(&text, &name, &rows).with_context(|| {
        format!(
            "cannot add it to `{}`; the lines are:\n  - {}",
            config.display(),
            rows.join("\n    ")
        )
    })?;
    let to = beside(config).join(&file);
    let folder = beside(config).join("plugins");
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
    let signature = std::fs::read(signature_of(&args.file)).ok();
    if let Some(signature) = signature {
        replace(&signature_of(&to), &signature, 0o644)?;
    }
    replace(&to, &bytes, 0o644)?;
    change(config, &edited)?;
    println!("added `{name}` to {}: {plugin}\n\nnext:\n  portcullis plugin reload", shell(config));
    Ok(ExitCode::SUCCESS)
}

pub(super) fn remove(config: &Path, name: &str) -> anyhow::Result<ExitCode> {
    let edited = edit::without(&read(config)?, name)
        .with_context(|| format!("cannot remove `{name}` from `{}`", config.display()))?;
    change(config, &edited)?;
    println!(
        "removed `{name}` from {}; its file is kept\n\nnext:\n  portcullis plugin reload",
        shell(config)
    );
    Ok(ExitCode::SUCCESS)
}

fn read(config: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(config)
        .with_context(|| format!("cannot read the configuration `{}`", config.display()))
}

fn beside(config: &Path) -> &Path {
    config.parent().unwrap_or(Path::new(""))
}

fn signature_of(component: &Path) -> PathBuf {
    let mut name = component.as_os_str().to_owned();
    name.push(".sig");
    PathBuf::from(name)
}

/// Writes the configuration, if it is one that would be taken.
fn change(config: &Path, edited: &str) -> anyhow::Result<()> {
    let mode = std::fs::metadata(config)?.permissions().mode() & 0o777;
    let folder = Some(beside(config)).filter(|folder| !folder.as_os_str().is_empty());
    let candidate = tempfile::Builder::new()
        .prefix(".portcullis-")
        .suffix(".yaml")
        .permissions(std::fs::Permissions::from_mode(mode))
        .tempfile_in(folder.unwrap_or(Path::new(".")))
        .with_context(|| format!("cannot write beside `{}`", config.display()))?;
    std::fs::write(candidate.path(), edited)?;
    Config::load(candidate.path()).context("the configuration would not be in order")?;
    candidate.persist(config).with_context(|| format!("cannot write `{}`", config.display()))?;
    Ok(())
}
