//! The files of a bundle: the library, which is always ours, and the rules, tests and data.
//!
//! A folder is flat: `*.rego`, `*_test.rego`, `*.cases.yaml` and `*.json`. What is neither is refused rather than
//! overlooked, because a rule in a file with a misspelt ending would be a rule that never speaks.

use std::fs;
use std::path::{Path, PathBuf};

use super::problem::{LoadErrors, Problem};
use crate::domain::Digest;

/// Where rules, tests and data come from. The library is built in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The rules in `policies/default`, built in.
    Shipped,
    /// A folder of an operator: `*.rego`, `*_test.rego`, `*.cases.yaml`, `*.json`.
    Folder(PathBuf),
}

impl Source {
    /// The files that can be read, with their names.
    #[must_use]
    pub fn texts(&self) -> Vec<(String, String)> {
        let files = files(self).unwrap_or_default();
        files.into_iter().map(|file| (file.name, file.text)).collect()
    }

    /// The revision of what lies there now, whether it can be loaded or not; without files, that of
    /// an empty bundle.
    #[must_use]
    pub fn revision(&self) -> Digest {
        revision(&files(self).unwrap_or_default())
    }
}

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileKind {
    /// A module of the built-in library.
    Library,
    /// A module of the bundle.
    Rules,
    /// A module of tests, never part of a decision.
    Tests,
    /// Cases in YAML, never part of a decision.
    Cases,
    /// A JSON object, whose members become members of `data`.
    Data,
}

/// One file, read whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct File {
    /// Relative to the bundle; the library's begin with `lib/`.
    pub(super) name: String,
    pub(super) text: String,
    pub(super) kind: FileKind,
}

const MAX_FILE_BYTES: u64 = 1024 * 1024;
const MAX_FILES: usize = 200;

macro_rules! built_in {
    ($folder:literal: $($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../policies/", $folder, "/", $name)))),+]
    };
}

const LIBRARY: &[(&str, &str)] = built_in!("lib":
    "admit.rego", "approve.rego", "disclose.rego", "join.rego", "visible.rego");

const DEFAULT: &[(&str, &str)] = built_in!("default":
    "access.rego", "admit.rego", "admit_test.rego", "answers_test.rego", "approve.rego",
    "disclose.rego", "roles.json", "visible.rego");

/// All files of a bundle, the library first, each part sorted by name.
pub(super) fn files(source: &Source) -> Result<Vec<File>, LoadErrors> {
    let mut files: Vec<File> = LIBRARY
        .iter()
        .map(|(name, text)| File {
            name: format!("lib/{name}"),
            text: (*text).to_owned(),
            kind: FileKind::Library,
        })
        .collect();
    match source {
        Source::Shipped => files.extend(DEFAULT.iter().filter_map(|(name, text)| {
            let kind = kind(name)?;
            Some(File { name: (*name).to_owned(), text: (*text).to_owned(), kind })
        })),
        Source::Folder(folder) => files.extend(read_folder(folder)?),
    }
    Ok(files)
}

/// What binds a decision to a bundle: the digest of all names and contents.
pub(super) fn revision(files: &[File]) -> Digest {
    let mut sorted: Vec<&File> = files.iter().collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    let parts: Vec<&[u8]> =
        sorted.iter().flat_map(|file| [file.name.as_bytes(), file.text.as_bytes()]).collect();
    Digest::of("portcullis/ruleset/v1", &parts)
}

pub(super) fn kind(name: &str) -> Option<FileKind> {
    if name.ends_with("_test.rego") {
        Some(FileKind::Tests)
    } else if name.ends_with(".rego") {
        Some(FileKind::Rules)
    } else if name.ends_with(".cases.yaml") {
        Some(FileKind::Cases)
    } else if name.ends_with(".json") {
        Some(FileKind::Data)
    } else {
        None
    }
}

fn read_folder(folder: &Path) -> Result<Vec<File>, LoadErrors> {
    let shown = folder.display();
    let cannot = |error: std::io::Error| {
        Problem::of_bundle(format!("the policy folder `{shown}` cannot be read: {error}"))
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(cannot)? {
        names.push(entry.map_err(cannot)?.file_name());
    }
    names.sort();
    let mut files = Vec::new();
    let mut problems = Vec::new();
    for name in names {
        let name = name.to_string_lossy().into_owned();
        // Hidden names are the container platforms' own (`..data`); prose may lie beside rules.
        if name.starts_with('.') || name.ends_with(".md") {
            continue;
        }
        match read_file(folder, &name) {
            Ok(file) => files.push(file),
            Err(problem) => problems.push(problem),
        }
    }
    if files.len() > MAX_FILES {
        problems.push(Problem::of_bundle(format!("more than {MAX_FILES} files in `{shown}`")));
    }
    if files.is_empty() && problems.is_empty() {
        problems.push(Problem::of_bundle(format!("the policy folder `{shown}` has no rules")));
    }
    LoadErrors::check(problems).map(|_| files)
}

fn read_file(folder: &Path, name: &str) -> Result<File, Problem> {
    let path = folder.join(name);
    let cannot = |error: std::io::Error| Problem::of_file(name, format!("cannot be read: {error}"));
    let about = fs::metadata(&path).map_err(cannot)?;
    let kind = kind(name).filter(|_| about.is_file()).ok_or_else(|| {
        let text =
            "is not a `.rego`, `.json` or `.cases.yaml` file; a policy folder is flat and holds nothing \
             else";
        Problem::of_file(name, text)
    })?;
    if about.len() > MAX_FILE_BYTES {
        return Err(Problem::of_file(name, format!("has more than {MAX_FILE_BYTES} bytes")));
    }
    let text = fs::read_to_string(&path).map_err(cannot)?;
    Ok(File { name: name.to_owned(), text, kind })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(folder: &str) -> Vec<(String, String)> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies").join(folder);
        read_folder(&folder).unwrap().into_iter().map(|file| (file.name, file.text)).collect()
    }

    fn built_in(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn what_is_built_in_is_what_is_in_the_folders() {
        assert_eq!(built_in(DEFAULT), listed("default"));
        let library: Vec<_> =
            listed("lib").into_iter().filter(|(name, _)| !name.ends_with("_test.rego")).collect();
        assert_eq!(built_in(LIBRARY), library);
    }

    #[test]
    fn the_revision_knows_names_and_contents() {
        let files = files(&Source::Shipped).unwrap();
        let was = revision(&files);
        let mut reversed = files.clone();
        reversed.reverse();
        assert_eq!(revision(&reversed), was);
        let mut other = files.clone();
        other[0].name.push('x');
        assert_ne!(revision(&other), was);
        let mut other = files;
        other[0].text.push('\n');
        assert_ne!(revision(&other), was);
    }

    #[test]
    fn a_folder_holds_nothing_unexpected() {
        let folder = tempfile::tempdir().unwrap();
        let problems = |folder: &Path| match read_folder(folder) {
            Ok(_) => Vec::new(),
            Err(errors) => errors.problems().iter().map(ToString::to_string).collect(),
        };
        assert!(problems(folder.path())[0].contains("has no rules"));
        assert!(problems(&folder.path().join("none"))[0].contains("cannot be read"));
        fs::create_dir(folder.path().join("sub.rego")).unwrap();
        fs::write(folder.path().join("a.reg"), "").unwrap();
        fs::write(folder.path().join("README.md"), "").unwrap();
        fs::write(folder.path().join("b.rego"), [0xff]).unwrap();
        fs::write(folder.path().join("c.json"), vec![b' '; 1024 * 1024 + 1]).unwrap();
        let found = problems(folder.path());
        let starts: Vec<&str> = found.iter().map(|text| text.split(':').next().unwrap()).collect();
        assert_eq!(starts, ["a.reg", "b.rego", "c.json", "sub.rego"]);
    }
}
