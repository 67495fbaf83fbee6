//! `portcullis policy bundle`: a folder of rules as one signed file, in OPA's form.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::json;

use super::Format;
use crate::cli::{replace, shown};
use crate::policy::{Algorithm, Bundle, Keys, Ruleset, SigningKey, Source};

/// Whoever may read a bundle's folder may read what is made of it.
const MODE: u32 = 0o644;

/// Commands about bundles.
#[derive(Debug, clap::Subcommand)]
pub(in crate::cli) enum Command {
    /// Check a folder and write it as one file; the same files give the same bytes.
    #[command(after_help = super::DONE)]
    Build {
        /// The folder of rules.
        folder: PathBuf,
        /// The file to write.
        #[arg(long, short, default_value = "bundle.tar.gz")]
        output: PathBuf,
        /// The name of this revision, for its manifest.
        #[arg(long, short)]
        revision: Option<String>,
    },
    /// Sign a bundle: every file of it, and no other.
    #[command(after_help = super::DONE)]
    Sign {
        /// The bundle's file, which gets the signature; or a folder, which gets a
        /// `.signatures.json`.
        bundle: PathBuf,
        /// The private key, in PEM.
        #[arg(long, alias = "signing-key")]
        key: PathBuf,
        /// What the key must be for.
        #[arg(long, alias = "signing-alg", value_parser = algorithm)]
        alg: Option<Algorithm>,
    },
    /// Check that a bundle is signed by one of the keys.
    #[command(after_help = super::DONE)]
    Verify {
        /// The bundle's file or folder.
        bundle: PathBuf,
        /// A public key, in PEM.
        #[arg(long, alias = "verification-key", required = true)]
        key: Vec<PathBuf>,
    },
    /// Show what a bundle holds, whether its rules are in order or not.
    #[command(after_help = super::DONE)]
    Inspect {
        /// The bundle's file or folder.
        bundle: PathBuf,
        /// How to show it.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
}

fn algorithm(text: &str) -> Result<Algorithm, String> {
    Algorithm::ALL
        .into_iter()
        .find(|algorithm| algorithm.as_str().eq_ignore_ascii_case(text))
        .ok_or_else(|| "an algorithm is `EdDSA`, `ES256` or `RS256`".to_owned())
}

pub(super) fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Build { folder, output, revision } => build(&folder, &output, revision.as_deref()),
        Command::Sign { bundle, key, alg } => sign(bundle, &key, alg),
        Command::Verify { bundle, key } => {
            let keys = Keys::read(&key)?;
            let bundle = Bundle::read(&Source::at(bundle))?;
            bundle.verify(&keys)?;
            println!("ok: signed, {}", about(&bundle));
            Ok(ExitCode::SUCCESS)
        }
        Command::Inspect { bundle, format } => {
            inspect(&Bundle::read(&Source::at(bundle))?, format);
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn build(folder: &Path, output: &Path, revision: Option<&str>) -> anyhow::Result<ExitCode> {
    let mut bundle = Bundle::read(&Source::Folder(folder.to_owned()))?;
    if let Some(revision) = revision {
        bundle = bundle.named(revision);
    }
    // What is built can be used, at least by this version.
    let archive = bundle.to_archive()?;
    let bundle = Bundle::of_archive(&archive)?;
    Ruleset::of(&bundle)?;
    replace(output, &archive, MODE)?;
    println!("wrote {}: {}", output.display(), about(&bundle));
    Ok(ExitCode::SUCCESS)
}

fn sign(path: PathBuf, key: &Path, alg: Option<Algorithm>) -> anyhow::Result<ExitCode> {
    let key = SigningKey::read(key, alg)?;
    let source = Source::at(path);
    let bundle = Bundle::read(&source)?.signed(&key)?;
    let written = match source {
        Source::Folder(folder) => {
            let file = folder.join(".signatures.json");
            replace(&file, bundle.signature().unwrap_or_default(), MODE)?;
            file
        }
        Source::Archive(file) => {
            replace(&file, &bundle.to_archive()?, MODE)?;
            file
        }
        Source::Shipped => return Ok(ExitCode::SUCCESS),
    };
    println!(
        "wrote {}: signed with {}, {}",
        written.display(),
        key.algorithm().as_str(),
        about(&bundle)
    );
    Ok(ExitCode::SUCCESS)
}

fn about(bundle: &Bundle) -> String {
    let name = bundle.manifest().revision().map(|name| format!(" ({name})")).unwrap_or_default();
    format!("policy revision {}{name}, {} files", bundle.revision(), bundle.sizes().count())
}

fn inspect(bundle: &Bundle, format: Format) {
    let manifest = bundle.manifest();
    match format {
        Format::Json => {
            let files: Vec<_> =
                bundle.sizes().map(|(name, bytes)| json!({"name": name, "bytes": bytes})).collect();
            let all = json!({
                "revision": bundle.revision(),
                "contents": bundle.contents(),
                "signed": bundle.is_signed(),
                "manifest": manifest,
                "files": files,
            });
            println!("{all:#}");
        }
        Format::Pretty => {
            println!("revision  {}", bundle.revision());
            println!("contents  {}", bundle.contents());
            println!("name      {}", manifest.revision().unwrap_or("(none)"));
            println!("signed    {}", if bundle.is_signed() { "yes, not verified" } else { "no" });
            if let Some(roots) = manifest.roots() {
                println!("roots     {}", shown(&roots.join(", ")));
            }
            if let Some(metadata) = manifest.metadata() {
                println!("metadata  {}", shown(&json!(metadata).to_string()));
            }
            for (name, bytes) in bundle.sizes() {
                println!("{bytes:>9}  {}", shown(name));
            }
        }
    }
}
