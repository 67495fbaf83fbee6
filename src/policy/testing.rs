//! The tests of a bundle: `test_` rules in Rego, and cases in YAML that are decided as on the road.
//!
//! The same runner serves `policy test` and the load of a bundle, so that what passes on a desk is
//! what may decide. A test that fails says which line of its body did not hold ([`why`]); a case that
//! fails says what was decided instead, and by which rule ([`mod@cases`]).

mod case_file;
mod cases;
mod why;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use regorus::unstable::{Module, Ref, Rule, RuleHead};
use regorus::utils::limits::ExecutionTimerConfig;
use regorus::{Engine, Value};

use super::Asked;
use super::bundle::{self, File, FileKind, Source};
use super::coverage::{self, FileCoverage};
use super::load::{self, Checked};
use super::problem::{LoadErrors, Problem};
use super::syntax::text_of;
use crate::domain::{Question, Verdict};

/// How long one test may take. Generous: a bundle is tried where it is loaded, and a machine that is
/// starved for a moment must not keep the firewall from starting.
const TEST_TIME: Duration = Duration::from_secs(10);

/// What the tests of a bundle gave.
#[derive(Debug, Clone)]
pub struct TestRun {
    /// Each test, in the order of the files.
    pub results: Vec<TestResult>,
    /// Which lines of the rules were evaluated, if that was asked for.
    pub coverage: Vec<FileCoverage>,
}

/// One test.
#[derive(Debug, Clone)]
pub struct TestResult {
    /// `package.test_name`, or `file: name` of a case.
    pub name: String,
    /// The file of the bundle.
    pub file: String,
    /// Where the test begins.
    pub line: u32,
    /// How it ended.
    pub outcome: TestOutcome,
    /// What it printed.
    pub prints: Vec<String>,
    /// How long it took.
    pub took: Duration,
}

/// How a test ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TestOutcome {
    /// As it should.
    Passed,
    /// Its name begins with `todo_`.
    Skipped,
    /// With the place of what did not hold.
    Failed(Problem),
}

/// Loads a bundle without demanding that its tests pass, and runs those whose name is wanted.
///
/// # Errors
/// Every problem of the bundle beside its tests.
pub fn test(
    source: &Source,
    wanted: &dyn Fn(&str) -> bool,
    with_coverage: bool,
) -> Result<TestRun, LoadErrors> {
    let files = bundle::files(source)?;
    let mut checked = load::check(&files)?;
    checked.engine.set_enable_coverage(with_coverage);
    let results = run(&files, &mut checked, wanted)?;
    let coverage = if with_coverage { coverage::of(&files, &checked.engine)? } else { Vec::new() };
    Ok(TestRun { results, coverage })
}

/// A case of a bundle, not run.
#[derive(Debug, Clone)]
pub struct WrittenCase {
    /// `file: name`.
    pub name: String,
    /// Which question.
    pub question: Question,
    /// What is asked.
    pub asked: Asked,
    /// The verdict that is expected, if one is.
    pub verdict: Option<Verdict>,
    /// The rule that is expected to speak, if one is.
    pub rule: Option<String>,
    /// Of a list: the tools that are expected on it, if they are named.
    pub tools: Option<Vec<String>>,
}

/// The cases of a bundle, or of a folder that has nothing else.
///
/// # Errors
/// If it cannot be read, or a file of cases is not in order.
pub fn cases(source: &Source) -> Result<Vec<WrittenCase>, LoadErrors> {
    let mut all = Vec::new();
    let mut problems = Vec::new();
    for file in bundle::files(source)?.iter().filter(|file| file.kind == FileKind::Cases) {
        match case_file::read(file) {
            Ok(cases) => all.extend(cases.into_iter().map(|(_, case)| WrittenCase {
                name: format!("{}: {}", file.name, case.name),
                question: case.question,
                asked: case.asked,
                verdict: case.expect.verdict,
                rule: case.expect.rule,
                tools: case.expect.tools,
            })),
            Err(faults) => problems.extend(faults),
        }
    }
    LoadErrors::check(problems).map(|_| all)
}

/// Runs the tests of a bundle that is otherwise sound.
pub(super) fn run(
    files: &[File],
    checked: &mut Checked,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Vec<TestResult>, LoadErrors> {
    let mut results = rego(files, &mut checked.engine, wanted);
    results.extend(cases::run(files, checked, wanted)?);
    Ok(results)
}

/// The problems of tests that failed, for the load of a bundle.
pub(super) fn problems(results: Vec<TestResult>) -> Vec<Problem> {
    let failed = results.into_iter().filter_map(|result| match result.outcome {
        TestOutcome::Failed(problem) => {
            let text = format!("the test `{}` fails: {}", result.name, problem.text);
            Some(Problem { text, ..problem })
        }
        TestOutcome::Passed | TestOutcome::Skipped => None,
    });
    failed.collect()
}

/// Whether every `test_` rule passes; stops at the first that does not.
#[cfg(test)]
pub(super) fn all_pass(files: &[File], engine: &mut Engine) -> bool {
    let mut tests = Vec::new();
    for module in engine.get_modules() {
        let file = module.package.span.source.get_path();
        if files.iter().any(|one| one.name == *file && one.kind == FileKind::Tests) {
            let package = text_of(&module.package.refr);
            let names = named(module).into_iter().filter(|(name, _)| !name.starts_with("todo_"));
            tests.extend(names.map(|(name, _)| format!("data.{package}.{name}")));
        }
    }
    tests.iter().all(|path| passes(engine, path).is_ok())
}

/// Runs the `test_` rules.
fn rego(files: &[File], engine: &mut Engine, wanted: &dyn Fn(&str) -> bool) -> Vec<TestResult> {
    let time = ExecutionTimerConfig { limit: TEST_TIME, check_interval: NonZeroU32::MIN };
    engine.set_execution_timer_config(time);
    let modules: Vec<Ref<Module>> = engine.get_modules().clone();
    let tests: BTreeSet<&str> = files
        .iter()
        .filter(|file| file.kind == FileKind::Tests)
        .map(|file| file.name.as_str())
        .collect();
    let mut results = Vec::new();
    for module in &modules {
        let file = module.package.span.source.get_path().as_str();
        if !tests.contains(file) {
            continue;
        }
        let package = text_of(&module.package.refr);
        for (name, rules) in named(module) {
            let full = format!("{package}.{name}");
            let Some(first) = rules.first().filter(|_| wanted(&full)) else { continue };
            let began = Instant::now();
            let outcome = if name.starts_with("todo_") {
                TestOutcome::Skipped
            } else {
                passes(engine, &format!("data.{full}")).map_or_else(
                    |failure| TestOutcome::Failed(why::problem(files, module, &rules, failure)),
                    |()| TestOutcome::Passed,
                )
            };
            results.push(TestResult {
                name: full,
                file: file.to_owned(),
                line: first.span().line,
                outcome,
                prints: engine.take_prints().unwrap_or_default(),
                took: began.elapsed(),
            });
        }
    }
    results
}

/// The tests of a module with their definitions, in the order of the text.
fn named(module: &Module) -> Vec<(String, Vec<Ref<Rule>>)> {
    let mut order = Vec::new();
    let mut by_name: BTreeMap<String, Vec<Ref<Rule>>> = BTreeMap::new();
    for rule in &module.policy {
        let Rule::Spec { head: RuleHead::Compr { refr, .. }, .. } = &**rule else { continue };
        let name = text_of(refr);
        if name.starts_with("test_") || name.starts_with("todo_test_") {
            let rules = by_name.entry(name.clone()).or_default();
            if rules.is_empty() {
                order.push(name);
            }
            rules.push(rule.clone());
        }
    }
    let take = |name: String| by_name.remove(&name).map(|rules| (name, rules));
    order.into_iter().filter_map(take).collect()
}

/// Why a test did not pass.
enum Failure {
    /// It is undefined, or something else than `true`.
    NotTrue,
    /// The engine's message.
    Error(String),
    /// The engine panicked.
    Panic,
}

fn passes(engine: &mut Engine, path: &str) -> Result<(), Failure> {
    engine.set_input(Value::new_object());
    match catch_unwind(AssertUnwindSafe(|| engine.eval_rule(path.to_owned()))) {
        Ok(Ok(Value::Bool(true))) => Ok(()),
        Ok(Ok(_)) => Err(Failure::NotTrue),
        Ok(Err(error)) => Err(Failure::Error(error.to_string())),
        Err(_) => Err(Failure::Panic),
    }
}
