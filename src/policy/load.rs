//! From files to a prepared bundle.

use std::sync::Arc;

use regorus::languages::rego::compiler::Compiler;
use regorus::{Engine, Value};

use super::bundle::{File, FileKind};
use super::engine::{Prepared, entry_point};
use super::json;
use super::problem::{LoadErrors, Problem};
use crate::domain::Question;

/// An engine of the interpreter with the modules of these kinds and the bundle's data.
pub(super) fn engine(files: &[File], kinds: &[FileKind]) -> Result<Engine, LoadErrors> {
    let mut engine = Engine::new();
    engine.set_strict_builtin_errors(true);
    // Otherwise `print` in a rule writes on our standard error.
    engine.set_gather_prints(true);
    let mut problems = Vec::new();
    for file in files.iter().filter(|file| kinds.contains(&file.kind)) {
        if let Err(error) = engine.add_policy(file.name.clone(), file.text.clone()) {
            problems.push(Problem::of_engine(&file.name, &error.to_string()));
        }
    }
    for file in files.iter().filter(|file| file.kind == FileKind::Data) {
        match json::read(&file.text) {
            Ok(data @ Value::Object(_)) => {
                if let Err(error) = engine.add_data(data) {
                    problems.push(Problem::of_file(&file.name, error.to_string()));
                }
            }
            Ok(_) => problems.push(Problem::of_file(&file.name, "must be a JSON object")),
            Err(error) => problems.push(Problem::of_file(&file.name, error.to_string())),
        }
    }
    LoadErrors::check(problems).map(|()| engine)
}

/// The bytecode of the four questions.
pub(super) fn compile(engine: &mut Engine) -> Result<Prepared, LoadErrors> {
    let data = engine.get_data();
    let entry_points = Question::ALL.map(entry_point);
    let failed = |error: &dyn std::fmt::Display| Problem::of_engine("", &error.to_string());
    let policy = engine
        .compile_with_entrypoint(&entry_point(Question::Admit).into())
        .map_err(|error| failed(&error))?;
    let program =
        Compiler::compile_from_policy(&policy, &entry_points).map_err(|error| failed(&error))?;
    Ok(Prepared { program: Arc::clone(&program), data })
}
