//! `portcullis policy init`: a bundle to begin with, and what editors and CI need beside it.
//!
//! The bundle is one of those built in, as it is, with its tests and cases. Everything else lies in
//! folders with hidden names, which are no part of a bundle, so that the folder written here can be
//! configured, checked and built at once. What OPA and Regal must know of us is written from the
//! same tables that the lint reads.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;

use crate::cli::{fresh_folder, shell, write_new};
use crate::policy::{self, Bundle};

/// What is written, and where.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The folder to write; it is made, or must be empty.
    #[arg(default_value = "policies")]
    folder: PathBuf,
    /// The bundle to begin with.
    #[arg(long, default_value = "default", value_parser = profiles())]
    profile: String,
}

/// An unknown name is answered with the known ones.
fn profiles() -> clap::builder::PossibleValuesParser {
    clap::builder::PossibleValuesParser::new(Bundle::profiles())
}

/// Where the capabilities lie, for OPA and Regal.
const CAPABILITIES: &str = ".regal/capabilities.json";

const REGAL: &str = "\
# Settings of Regal (https://docs.styra.com/regal), the linter and language server for Rego.
capabilities:
  from:
    # The builtins that rules may use. Write it anew after an update:
    #   portcullis policy capabilities > .regal/capabilities.json
    file: .regal/capabilities.json
rules:
  idiomatic:
    # A bundle is flat, and its packages are those that are asked.
    directory-package-mismatch:
      level: ignore
  imports:
    # These packages are reserved: the library is built into Portcullis, and no file here.
    unresolved-import:
      level: error
      except-imports:
        - data.portcullis.*
    unresolved-reference:
      level: error
      except-paths:
        - data.portcullis.*
";

const EDITOR: &str = r#"{
  "opa.languageServers": ["regal"],
  "opa.roots": ["${workspaceFolder}"],
  "opa.checkOnSave": true,
  "opa.strictMode": true,
  "opa.env": { "OPA_CHECK_CAPABILITIES": "${workspaceFolder}/.regal/capabilities.json" },
  "[rego]": { "editor.insertSpaces": false, "editor.formatOnSave": true }
}
"#;

const WORKFLOW: &str = "\
# An example: every change of the rules is checked and tested before it can be merged.
name: policy
on: [push, pull_request]
permissions:
  contents: read
jobs:
  policy:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      # `portcullis` must be on the PATH here: install the version that you run.
      - run: portcullis policy check --strict .
      - run: portcullis policy test --coverage --threshold 95 .
";

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let Args { folder, profile } = args;
    let bundle = Bundle::profile(profile).context("there is no such profile")?;
    fresh_folder(folder)?;
    let mut capabilities = serde_json::to_string_pretty(&policy::capabilities())?;
    capabilities.push('\n');
    let beside = [
        (CAPABILITIES, capabilities.as_bytes()),
        (".regal/config.yaml", REGAL.as_bytes()),
        (".vscode/settings.json", EDITOR.as_bytes()),
        (".github/workflows/policy.yml", WORKFLOW.as_bytes()),
    ];
    for (name, bytes) in bundle.members().chain(beside) {
        let path = folder.join(name);
        write_new(&path, bytes).with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    let shown = shell(folder);
    println!(
        "wrote the profile `{profile}` to {shown}\n\nnext:\n  \
         portcullis policy check --strict {shown}\n  \
         portcullis policy test --coverage --threshold 95 {shown}\n  \
         portcullis policy matrix {shown}"
    );
    Ok(ExitCode::SUCCESS)
}
