//! `.manifest`: what a bundle says of itself, in OPA's form.

use regorus::{Engine, Value};
use serde::{Deserialize, Serialize};

use super::{File, FileKind, MANIFEST};
use crate::domain::is_hidden;
use crate::policy::json;
use crate::policy::problem::{LoadErrors, Problem};

/// The longest name of a revision.
const MAX_REVISION_BYTES: usize = 200;
/// The language that bundles are written in.
const REGO_VERSION: u32 = 1;

/// What a bundle says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Its author's name for this revision. A word for people: decisions are bound to the digest.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    revision: String,
    /// The paths of `data` that it may define; absent means all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    roots: Option<Vec<String>>,
    /// Anything, for people and their tools.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    metadata: Option<serde_json::Map<String, serde_json::Value>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rego_version: Option<u32>,
}

impl Manifest {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Problem> {
        let problem = |text: String| Problem::of_file(MANIFEST, text);
        let manifest: Self = serde_json::from_slice(bytes)
            .map_err(|error| problem(format!("is no manifest that can be used: {error}")))?;
        if manifest.revision.len() > MAX_REVISION_BYTES || manifest.revision.chars().any(is_hidden)
        {
            let rule = "with plain characters only";
            let text = format!("`revision` must have {MAX_REVISION_BYTES} bytes at most, {rule}");
            return Err(problem(text));
        }
        if manifest.rego_version.is_some_and(|version| version != REGO_VERSION) {
            return Err(problem(format!("`rego_version` must be {REGO_VERSION}")));
        }
        Ok(manifest)
    }

    pub(super) fn write(&self) -> Vec<u8> {
        crate::domain::JsonText::of(self).bytes().to_vec()
    }

    pub(super) fn set_revision(&mut self, revision: &str) {
        revision.clone_into(&mut self.revision);
    }

    /// The author's name for this revision.
    #[must_use]
    pub fn revision(&self) -> Option<&str> {
        (!self.revision.is_empty()).then_some(self.revision.as_str())
    }

    /// The paths of `data` that the bundle may define, if not all.
    #[must_use]
    pub fn roots(&self) -> Option<&[String]> {
        self.roots.as_deref()
    }

    /// What its author noted, as JSON.
    #[must_use]
    pub const fn metadata(&self) -> Option<&serde_json::Map<String, serde_json::Value>> {
        self.metadata.as_ref()
    }

    /// Whether all packages and data lie below the roots. Files that cannot be read are left to
    /// the checks that come after this one.
    pub(super) fn check_roots(&self, files: &[File]) -> Result<(), LoadErrors> {
        let Some(roots) = &self.roots else { return Ok(()) };
        let roots: Vec<Vec<&str>> = roots
            .iter()
            .map(|root| root.split(['/', '.']).filter(|part| !part.is_empty()).collect())
            .collect();
        let mut problems = Vec::new();
        for file in files {
            let outside = match file.kind {
                FileKind::Library | FileKind::Cases => None,
                FileKind::Rules | FileKind::Tests => {
                    let package = Engine::new().add_policy(file.name.clone(), file.text.clone());
                    package.ok().filter(|package| {
                        let path: Vec<&str> = package.split('.').skip(1).collect();
                        !roots.iter().any(|root| path.starts_with(root))
                    })
                }
                FileKind::Data => json::of_file(&file.name, &file.text)
                    .ok()
                    .and_then(|data| outside(&data, &mut vec!["data"], &roots)),
            };
            if let Some(path) = outside {
                let text = format!("defines `{path}`, which is outside of the manifest's `roots`");
                problems.push(Problem::of_file(&file.name, text));
            }
        }
        LoadErrors::check(problems).map(drop)
    }
}

/// The first path of `data` that no root covers.
fn outside<'v>(value: &'v Value, path: &mut Vec<&'v str>, roots: &[Vec<&str>]) -> Option<String> {
    let below = path.get(1..).unwrap_or_default();
    if roots.iter().any(|root| below.starts_with(root)) {
        return None;
    }
    let inward = roots.iter().any(|root| root.starts_with(below));
    let Value::Object(members) = value else { return Some(path.join(".")) };
    if !inward {
        return Some(path.join("."));
    }
    members.iter().find_map(|(key, inner)| {
        let Value::String(key) = key else { return None };
        path.push(key);
        let found = outside(inner, path, roots);
        path.pop();
        found
    })
}
