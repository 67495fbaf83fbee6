//! Which lines of the rules the tests evaluated.
//!
//! A line counts if an expression of a rule begins there, read off the syntax tree. It is covered if
//! the engine's interpreter looked at an expression of it: that means *evaluated*, not *satisfied*. A
//! condition that was always false is covered; mutation of the rules shows whether a test would
//! notice.

use std::collections::{BTreeMap, BTreeSet};

use regorus::Engine;
use regorus::unstable::{Expr, Module, Ref, Rule};

use super::bundle::{File, FileKind};
use super::problem::{LoadErrors, Problem};
use super::syntax::{self, Visit};

/// The lines of one file of rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileCoverage {
    /// The file of the bundle.
    pub file: String,
    /// Lines that were evaluated, from 1.
    pub covered: BTreeSet<u32>,
    /// Lines that were not.
    pub not_covered: BTreeSet<u32>,
}

impl FileCoverage {
    /// The part of the lines that is covered, in per cent; all of none.
    #[must_use]
    pub fn percent(files: &[Self]) -> f64 {
        let count = |lines: fn(&Self) -> &BTreeSet<u32>| -> usize {
            files.iter().map(|file| lines(file).len()).sum()
        };
        let (covered, not) = (count(|file| &file.covered), count(|file| &file.not_covered));
        if covered + not == 0 {
            return 100.0;
        }
        #[expect(clippy::cast_precision_loss, reason = "bundles have fewer lines than 2^52")]
        let percent = 100.0 * covered as f64 / (covered + not) as f64;
        percent
    }
}

/// What an engine with coverage has evaluated of the bundle's rules; not of tests nor the library.
pub(super) fn of(files: &[File], engine: &Engine) -> Result<Vec<FileCoverage>, LoadErrors> {
    let report =
        engine.get_coverage_report().map_err(|error| Problem::of_engine("", &error.to_string()))?;
    let covered: BTreeMap<&str, &BTreeSet<u32>> =
        report.files.iter().map(|file| (file.path.as_str(), &file.covered)).collect();
    let none = BTreeSet::new();
    let mut engine = engine.clone();
    let mut found = Vec::new();
    for module in engine.get_modules() {
        let file = module.package.span.source.get_path();
        if !files.iter().any(|one| one.name == *file && one.kind == FileKind::Rules) {
            continue;
        }
        let covered = covered.get(file.as_str()).copied().unwrap_or(&none);
        let lines = executable(module);
        found.push(FileCoverage {
            file: file.clone(),
            covered: lines.intersection(covered).copied().collect(),
            not_covered: lines.difference(covered).copied().collect(),
        });
    }
    Ok(found)
}

fn executable(module: &Ref<Module>) -> BTreeSet<u32> {
    module.policy.iter().flat_map(|rule| lines(rule)).collect()
}

/// The lines of a rule on which something is evaluated.
pub(super) fn lines(rule: &Rule) -> BTreeSet<u32> {
    let mut lines = BTreeSet::new();
    syntax::evaluated(rule, &mut |visit| {
        if let Visit::Expr(expr) = visit
            && !matches!(expr, Expr::Var { .. })
        {
            lines.insert(expr.span().line);
        }
    });
    lines
}
