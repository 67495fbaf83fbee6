//! What is built in: the library, the default bundle, and the profiles to begin with.
//!
//! All of it lies in `policies/`, one folder each, and is compiled in byte by byte; a test compares
//! the two, so that a file that is not in the list here is noticed.

use super::{Bundle, Manifest};

/// Names and texts of the files of a folder.
type Files = &'static [(&'static str, &'static str)];

macro_rules! built_in {
    ($folder:literal: $($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../../policies/", $folder, "/", $name)))),+]
    };
}

pub(super) const LIBRARY: Files = built_in!("lib":
    "admit.rego", "approve.rego", "disclose.rego", "join.rego", "visible.rego");

const DEFAULT: Files = built_in!("default":
    "access.rego", "admit.rego", "admit_test.rego", "answers_test.rego", "approve.rego",
    "disclose.rego", "privacy.rego", "privacy.yaml", "privacy_test.rego", "privacy_writes.rego",
    "pseudonyms.json", "pseudonyms.rego", "pseudonyms_test.rego", "roles.json", "visible.rego");

/// The bundles to begin with, by the name of their folder.
pub(super) const PROFILES: &[(&str, Files)] = &[
    ("default", DEFAULT),
    (
        "knowledge-author",
        built_in!("knowledge-author":
            "access.rego", "admit.rego", "admit_test.rego", "answers_test.rego", "approve.rego",
            "disclose.rego", "knowledge-author.cases.yaml", "privacy.rego", "privacy.yaml",
            "privacy_test.rego", "privacy_writes.rego", "releases.yaml", "roles.yaml",
            "visible.rego"),
    ),
    (
        "lockdown",
        built_in!("lockdown":
            "access.rego", "admit.rego", "admit_test.rego", "answers_test.rego", "approve.rego",
            "disclose.rego", "lockdown.cases.yaml", "people.yaml", "privacy.rego", "privacy.yaml",
            "privacy_test.rego", "visible.rego"),
    ),
    (
        "quality-analyst",
        built_in!("quality-analyst":
            "access.rego", "admit.rego", "admit_test.rego", "answers_test.rego", "approve.rego",
            "counts.yaml", "disclose.rego", "privacy.rego", "privacy.yaml", "privacy_test.rego",
            "quality-analyst.cases.yaml", "roles.yaml",
            "visible.rego"),
    ),
    (
        "read-only-support",
        built_in!("read-only-support":
            "access.rego", "admit.rego", "admit_test.rego", "answers_test.rego", "approve.rego",
            "disclose.rego", "limits.yaml", "privacy.rego", "privacy.yaml", "privacy_test.rego",
            "pseudonyms.rego", "pseudonyms.yaml", "pseudonyms_test.rego",
            "read-only-support.cases.yaml", "roles.yaml",
            "visible.rego"),
    ),
];

impl Bundle {
    /// The rules that decide where no others are configured: the profile `default`.
    #[must_use]
    pub fn shipped() -> Self {
        Self::built_in(DEFAULT)
    }

    /// A built-in bundle by its name.
    #[must_use]
    pub fn profile(name: &str) -> Option<Self> {
        PROFILES.iter().find(|(known, _)| *known == name).map(|(_, files)| Self::built_in(files))
    }

    /// The names of the built-in bundles.
    pub fn profiles() -> impl Iterator<Item = &'static str> {
        PROFILES.iter().map(|(name, _)| *name)
    }

    fn built_in(files: Files) -> Self {
        let members = files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().into()));
        Self { members: members.collect(), manifest: Manifest::default() }
    }
}
