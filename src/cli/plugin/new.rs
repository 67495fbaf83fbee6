//! `portcullis plugin new`: a plugin to begin with, which can be built, checked and tested at once.
//!
//! What is written are the examples of `examples/plugins`, which CI builds and tests, under the name
//! that was asked for, with the contract of this version beside them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;

use crate::cli::{fresh_folder, shell, write_new};

/// What is written, and where.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The plugin's name: lower case letters, digits and `-`.
    #[arg(value_parser = name)]
    name: String,
    /// The language.
    #[arg(long, short, value_enum, default_value = "rust")]
    lang: Language,
    /// The folder to write, if it is not to be called like the plugin; it is made, or must be empty.
    #[arg(long, short)]
    folder: Option<PathBuf>,
}

/// Languages that there is an example in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Language {
    /// Rust: 0.1 MB, the fastest.
    Rust,
    /// Python: 18 MB, some milliseconds for each call.
    Python,
    /// JavaScript: 12 MB.
    Js,
    /// C, without a library: 6 KB.
    C,
}

/// A file, and whether it is run.
type File = (&'static str, &'static str);

/// The contract, which every language reads.
const CONTRACT: File = ("wit/plugin.wit", include_str!("../../../plugins/wit/plugin.wit"));
/// The name that the examples have.
const EXAMPLE: &str = "customer-number";

macro_rules! files {
    ($language:literal: $($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../../examples/plugins/", $language, "/", $name)))),+]
    };
}

const RUST: &[File] = files!("rust": "Cargo.toml", "src/lib.rs", "src/component.rs", "build", "cases.yaml", "README.md");
const PYTHON: &[File] =
    files!("python": "app.py", "requirements.txt", "build", "cases.yaml", "README.md");
const JS: &[File] =
    files!("js": "plugin.js", "build.mjs", "package.json", "build", "cases.yaml", "README.md");
const C: &[File] = files!("c": "plugin.c", "contract.h", "memory.c", "requirements.txt", "build", "cases.yaml", "README.md");

impl Language {
    const fn files(self) -> &'static [File] {
        match self {
            Self::Rust => RUST,
            Self::Python => PYTHON,
            Self::Js => JS,
            Self::C => C,
        }
    }

    /// What version control should not keep.
    const fn ignored(self) -> &'static str {
        match self {
            Self::Rust => "/target\n*.wasm\n",
            Self::Python => "/.venv\n/bindings\n__pycache__/\n*.wasm\n",
            Self::Js => "/node_modules\n*.wasm\n",
            Self::C => "/.venv\n*.wasm\n",
        }
    }
}

/// A name that all languages and the contract take.
pub(super) fn name(text: &str) -> Result<String, String> {
    let fits =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    let begins = text.starts_with(|letter: char| letter.is_ascii_lowercase());
    if begins && text.len() <= 64 && text.chars().all(fits) && !text.ends_with('-') {
        Ok(text.to_owned())
    } else {
        Err("a name is lower case letters, digits and `-`, and begins with a letter".to_owned())
    }
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let Args { name, lang, folder } = args;
    let folder = folder.clone().unwrap_or_else(|| PathBuf::from(name));
    fresh_folder(&folder)?;
    let ignored = (".gitignore", lang.ignored());
    for (file, text) in lang.files().iter().copied().chain([CONTRACT, ignored]) {
        let path = folder.join(file);
        write_new(&path, named(text, name).as_bytes())
            .and_then(|()| if file == "build" { executable(&path) } else { Ok(()) })
            .with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    let shown = shell(&folder);
    let component = shell(&folder.join(format!("{name}.wasm")));
    let cases = shell(&folder.join("cases.yaml"));
    println!(
        "wrote the plugin `{name}` to {shown}\n\nnext:\n  {}\n  \
         portcullis plugin check {component}\n  \
         portcullis plugin test {component} {cases}",
        shell(&folder.join("build")),
    );
    Ok(ExitCode::SUCCESS)
}

/// An example's text under another name.
fn named(text: &str, name: &str) -> String {
    text.replace(EXAMPLE, name).replace(&EXAMPLE.replace('-', "_"), &name.replace('-', "_"))
}

fn executable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use clap::ValueEnum as _;

    use super::{Language, name};

    /// Whoever adds a file to an example adds it here, or says that it is none of a new plugin's.
    #[test]
    fn a_new_plugin_has_all_files_of_the_example() {
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/plugins");
        let beside = ["Cargo.lock", "package-lock.json", "wit"];
        for language in Language::value_variants() {
            let word = language.to_possible_value().unwrap();
            let folder = examples.join(word.get_name());
            let ours: BTreeSet<_> =
                language.files().iter().map(|(file, _)| file.split('/').next().unwrap()).collect();
            for entry in folder.read_dir().unwrap() {
                let file = entry.unwrap().file_name().into_string().unwrap();
                let ignored = language.ignored().lines().any(|it| it.trim_matches('/') == file);
                let built = file.ends_with(".wasm") || ignored || beside.contains(&&*file);
                assert!(built || ours.contains(&*file), "{}: {file}", word.get_name());
            }
        }
    }

    #[test]
    fn names_are_those_of_the_contract() {
        for good in ["a", "customer-number", "x2"] {
            assert_eq!(name(good).as_deref(), Ok(good));
        }
        for bad in ["", "2x", "-x", "x-", "X", "a_b", "a/b", ".", "ä"] {
            assert!(name(bad).is_err(), "{bad}");
        }
    }
}
