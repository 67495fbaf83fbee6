//! From files to a ruleset's parts: read, check, compile, try. All of it or nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::Program;
use regorus::{CompiledPolicy, Engine, Value};

use super::answer::Sites;
use super::builtins;
use super::bundle::{File, FileKind};
use super::engine::{Prepared, entry_point};
use super::kind::Kind;
use super::lint::{self, Parsed};
use super::looks::Looks;
use super::problem::{LoadErrors, Problem};
use super::wants::Wants;
use super::{advice, confirming, json, obligations, own, redacting, sound, testing, trial};
use crate::domain::{Announced, Question};

/// What a checked bundle gives.
pub(super) struct Loaded {
    pub(super) prepared: Prepared,
    pub(super) sites: Sites,
}

const DECIDING: [FileKind; 2] = [FileKind::Library, FileKind::Rules];
const EVERYTHING: [FileKind; 3] = [FileKind::Library, FileKind::Rules, FileKind::Tests];

/// Whether somebody looks for every kind that the rules are seen to redact; nothing else is checked.
pub(super) fn unseen(files: &[File], announced: &Announced) -> Result<(), LoadErrors> {
    let mut engine = engine(files, &DECIDING)?;
    let data = engine.get_data();
    redacting::check(&redacting::of(engine.get_modules(), &data), announced)
}

/// The names under `data.roles`; none if the bundle has no such data.
pub(super) fn roles(files: &[File]) -> Result<Option<BTreeSet<String>>, LoadErrors> {
    let data = engine(files, &DECIDING)?.get_data();
    let data = data.as_object().ok();
    let roles = data.and_then(|data| data.get(&Value::from("roles"))?.as_object().ok());
    let name = |name: &Value| name.as_string().ok().map(ToString::to_string);
    Ok(roles.map(|roles| roles.iter().filter_map(|(role, _)| name(role)).collect()))
}

/// Who looks for what rules redact.
#[derive(Debug, Clone, Copy)]
pub enum Lookers<'a> {
    /// The plugins of an installation.
    Known(&'a Announced),
    /// It is not known; those that come along do.
    Shipped(&'a Announced),
}

/// A bundle that is sound but for its tests, and the engine that runs them.
pub(super) struct Checked {
    pub(super) loaded: Loaded,
    pub(super) engine: Engine,
    pub(super) warnings: Vec<Problem>,
}

/// Loads a bundle with every check.
pub(super) fn load(files: &[File]) -> Result<Loaded, LoadErrors> {
    let mut checked = check(files)?;
    let results = testing::run(files, &mut checked, &|_| true)?;
    LoadErrors::check(testing::problems(results))?;
    Ok(checked.loaded)
}

/// Makes every check; gives all that was found, warnings too.
pub(super) fn findings(files: &[File], lookers: Lookers<'_>) -> Vec<Problem> {
    let mut checked = match check(files) {
        Ok(checked) => checked,
        Err(errors) => return errors.into_problems(),
    };
    let mut found = std::mem::take(&mut checked.warnings);
    let redacting = &checked.loaded.prepared.redacting;
    found.extend(match lookers {
        Lookers::Known(announced) => redacting::unseen(redacting, announced),
        Lookers::Shipped(announced) => redacting::foreign(redacting, announced),
    });
    match testing::run(files, &mut checked, &|_| true) {
        Ok(results) => found.extend(testing::problems(results)),
        Err(errors) => found.extend(errors.into_problems()),
    }
    found
}

/// Makes every check but running the tests.
pub(super) fn check(files: &[File]) -> Result<Checked, LoadErrors> {
    let mut problems = Vec::new();
    let mut engine = tests_engine(files)?;
    let sites = lint(files, &mut engine, &mut problems);
    let compiled = match compile(files) {
        Ok((policy, prepared)) => {
            unused(&policy, &prepared, &mut problems);
            unlisted(&prepared, &mut problems);
            Some(prepared)
        }
        Err(error) => {
            // Our own words for a line say more than the engine's.
            let told = |one: &&Problem| {
                let same = |it: &Problem| it.kind == one.kind && it.file == one.file;
                !problems.iter().any(|it| it.line > 0 && it.line == one.line && same(it))
            };
            let more: Vec<Problem> = error.problems().iter().filter(told).cloned().collect();
            problems.extend(more);
            None
        }
    };
    advice::of_data(files, &mut problems);
    let warnings = LoadErrors::check(problems)?;
    let prepared = compiled.ok_or_else(|| Problem::of_bundle("the policy did not compile"))?;
    LoadErrors::check(trial::samples(&prepared, &sites))?;
    Ok(Checked { loaded: Loaded { prepared, sites }, engine, warnings })
}

/// The interpreter with rules, tests and data.
pub(super) fn tests_engine(files: &[File]) -> Result<Engine, LoadErrors> {
    engine(files, &EVERYTHING)
}

/// Loads a bundle that the checks would refuse, to see what happens when it decides.
#[cfg(test)]
pub(super) fn load_unchecked(files: &[File]) -> Result<Loaded, LoadErrors> {
    let mut engine = engine(files, &DECIDING)?;
    let sites = lint(files, &mut engine, &mut Vec::new());
    let (_, prepared) = compile(files)?;
    Ok(Loaded { prepared, sites })
}

/// An engine of the interpreter with the modules of these kinds and the bundle's data.
fn engine(files: &[File], kinds: &[FileKind]) -> Result<Engine, LoadErrors> {
    let mut engine = Engine::new();
    engine.set_strict_builtin_errors(true);
    // Otherwise `print` writes on our standard error.
    engine.set_gather_prints(true);
    own::teach(&mut engine).map_err(Problem::of_bundle)?;
    let mut problems = Vec::new();
    for file in files.iter().filter(|file| kinds.contains(&file.kind)) {
        if let Err(error) = engine.add_policy(file.name.clone(), file.text.clone()) {
            problems.push(Problem::of_engine(&file.name, &error.to_string()));
        }
    }
    for file in files.iter().filter(|file| file.kind == FileKind::Data) {
        if let Err(text) = add_data(&mut engine, file) {
            problems.push(Problem::of_file(&file.name, text).of(Kind::Data));
        }
    }
    LoadErrors::check(problems).map(|_| engine)
}

fn add_data(engine: &mut Engine, file: &File) -> Result<(), String> {
    let data = json::of_file(&file.name, &file.text)?;
    let Value::Object(members) = &data else {
        return Err(String::from("must be one object; its members become members of `data`"));
    };
    if members.contains_key(&Value::from("portcullis")) {
        return Err(String::from("`portcullis` is a reserved name in `data`"));
    }
    engine.add_data(data).map_err(|error| error.to_string())
}

fn lint(files: &[File], engine: &mut Engine, problems: &mut Vec<Problem>) -> Sites {
    let kinds: BTreeMap<&str, FileKind> =
        files.iter().map(|file| (file.name.as_str(), file.kind)).collect();
    let modules: Vec<Parsed<'_>> = engine
        .get_modules()
        .iter()
        .map(|module| {
            let file = module.package.span.source.get_path().as_str();
            let kind = kinds.get(file).copied().unwrap_or(FileKind::Rules);
            Parsed { file, kind, module }
        })
        .collect();
    confirming::check(&modules, files, problems);
    lint::check(&modules, problems)
}

/// The bytecode of the four questions, and the interpreter. The engine reports unknown functions
/// only when it makes bytecode.
fn compile(files: &[File]) -> Result<(CompiledPolicy, Prepared), LoadErrors> {
    let mut engine = engine(files, &DECIDING)?;
    let data = engine.get_data();
    let wants = Arc::new(Wants::of(engine.get_modules()));
    let asks_why = obligations::ask_why(engine.get_modules());
    let looks = Looks::of(engine.get_modules(), &wants);
    let redacting = redacting::of(engine.get_modules(), &data).into();
    let entry_points = Question::ALL.map(entry_point);
    let policy = engine
        .compile_with_entrypoint(&entry_point(Question::Admit).into())
        .map_err(|error| Problem::of_engine("", &error.to_string()))?;
    let mut program = Compiler::compile_from_policy(&policy, &entry_points).map_err(|error| {
        let problem = Problem::of_engine("", &error.to_string());
        let kind =
            if problem.text.contains("nknown function") { Kind::Builtin } else { problem.kind };
        problem.of(kind)
    })?;
    let obstacle = sound::obstacle(&policy, &program);
    if obstacle.is_none() {
        wrap_builtins(Arc::make_mut(&mut program));
    }
    Ok((
        policy,
        Prepared {
            program,
            data,
            interpreter: Arc::new(engine),
            obstacle: obstacle.map(Arc::from),
            wants,
            asks_why,
            looks,
            redacting,
        },
    ))
}

fn wrap_builtins(program: &mut Program) {
    let names = program.builtin_info_table.iter().map(|builtin| builtin.name.as_str());
    for (slot, name) in program.resolved_builtins.iter_mut().zip(names) {
        if let Some(builtin) = builtins::wrapped(name) {
            slot.0 = builtin;
        }
    }
}

/// A rule that no question reaches never speaks: a misspelt name, or something forgotten.
fn unused(policy: &CompiledPolicy, prepared: &Prepared, problems: &mut Vec<Problem>) {
    let used: BTreeSet<&str> =
        prepared.program.rule_infos.iter().map(|rule| rule.name.as_str()).collect();
    for (name, rules) in policy.get_rules() {
        let Some(rule) = rules.first().filter(|_| !used.contains(name.as_str())) else { continue };
        let file = rule.span().source.get_path();
        let name = name.strip_prefix("data.").unwrap_or(name);
        let text = format!("no question reaches the rule `{name}`: correct its name or remove it");
        problems.push(Problem::at(Kind::Unused, file, rule.span(), text));
    }
}

/// What the syntax walk may have missed (a builtin under another name) is in the bytecode.
fn unlisted(prepared: &Prepared, problems: &mut Vec<Problem>) {
    for name in builtins_of(prepared).filter(|name| !builtins::is_allowed(name)) {
        problems.push(
            Problem::of_bundle(format!("the builtin `{name}` is not allowed")).of(Kind::Builtin),
        );
    }
}

fn builtins_of(prepared: &Prepared) -> impl Iterator<Item = &str> {
    prepared.program.builtin_info_table.iter().map(|builtin| builtin.name.as_str())
}
