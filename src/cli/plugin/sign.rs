//! `portcullis plugin sign`: answer for a component with a key.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;

use crate::cli::replace;
use crate::plugin::{Component, SigningKey};

/// What is signed.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The component's file; its signature is written beside it, as `FILE.sig`.
    file: PathBuf,
    /// The private key (Ed25519), in PEM.
    #[arg(long)]
    key: PathBuf,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let Args { file, key } = args;
    let bytes = std::fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))?;
    let key = SigningKey::read(key)?;
    let mut signature = file.clone().into_os_string();
    signature.push(".sig");
    let signature = PathBuf::from(signature);
    replace(&signature, key.sign(&bytes).as_bytes(), 0o644)?;
    println!("wrote {}: signed, {}", signature.display(), Component::digest_of(&bytes));
    Ok(ExitCode::SUCCESS)
}
