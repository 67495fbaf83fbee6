//! Questions put to a bundle outside the road: queries in Rego, and the four questions with a raw
//! input document.
//!
//! For people, for benches and for the differential against OPA. A query is evaluated by the
//! interpreter, a question by whatever decides on the road and, where that is bytecode, by the
//! interpreter as well, so that a difference between the two is seen.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use regorus::{Engine, QueryResults, Value};
use serde::Serialize;

use super::asked::{Misasked, read_document};
use super::bundle::{self, File, FileKind};
use super::engine::{Budget, Failure, entry_point};
use super::problem::{LoadErrors, Problem};
use super::{Ruleset, Source, json, load};
use crate::domain::{Fault, Question};

/// How long a query may take.
const QUERY_TIME: Duration = Duration::from_secs(10);

/// What a query gave, in the form of `opa eval`.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct Results(QueryResults);

impl Results {
    /// Whether nothing satisfies the query.
    #[must_use]
    pub fn is_undefined(&self) -> bool {
        self.0.result.is_empty()
    }

    /// The values of the last expression, one for each way in which the query is satisfied.
    pub fn values(&self) -> impl Iterator<Item = Answer> {
        let last =
            |result: &regorus::QueryResult| result.expressions.last().map(|one| one.value.clone());
        self.0.result.iter().filter_map(last).map(Answer)
    }
}

/// A value that rules gave; serialised as JSON, a set as an array.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Answer(Value);

impl Answer {
    /// The text, if the value is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.0.as_string().ok().map(|text| &**text)
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    /// The input is no document.
    #[error("the input: {0}")]
    Input(#[from] Misasked),
    /// The query cannot be read, or ended in an error.
    #[error("the query: {0}")]
    Query(Problem),
    /// The rules ended in an error; on the road this denies.
    #[error("{}{text}", at.as_ref().map(|at| format!("{at}: ")).unwrap_or_default())]
    Rules {
        /// What went wrong.
        fault: Fault,
        /// Where, if known.
        at: Option<String>,
        /// In words.
        text: String,
    },
}

impl From<Failure> for EvalError {
    fn from(failure: Failure) -> Self {
        let Failure { fault, at, text } = failure;
        Self::Rules { fault, at, text }
    }
}

/// What a question gave on both of the engine's ways.
#[derive(Debug, Clone)]
pub struct Both {
    /// What decides on the road; `None` if it is undefined.
    pub road: Result<Option<Answer>, EvalError>,
    /// What the interpreter says.
    pub interpreter: Result<Option<Answer>, EvalError>,
}

impl Both {
    /// Whether the two ways say the same.
    #[must_use]
    pub fn agree(&self) -> bool {
        self.road == self.interpreter
    }
}

impl Ruleset {
    /// Loads a bundle with more files on top, checked as a whole: `.rego` and `.json` files, or
    /// folders of them.
    ///
    /// # Errors
    /// Every problem that was found.
    pub fn load_with(source: &Source, more: &[PathBuf]) -> Result<Self, LoadErrors> {
        let mut files = bundle::files(source)?;
        for path in more {
            files.extend(files_at(path)?);
        }
        Ok(Self::new(&files, load::load(&files)?))
    }

    /// Evaluates a query in Rego, on the interpreter. `input` is a document in JSON or YAML.
    ///
    /// # Errors
    /// The input or the query cannot be read, or the evaluation ended in an error.
    pub fn query(&self, query: &str, input: Option<&str>) -> Result<Results, EvalError> {
        let mut engine = Engine::clone(&self.prepared.interpreter);
        engine.set_execution_timer_config(Budget::of_time(QUERY_TIME).timer());
        if let Some(text) = input {
            engine.set_input(value(text)?);
        }
        let evaluated = super::engine::caught(|| engine.eval_query(query.to_owned(), false))?;
        evaluated
            .map(Results)
            .map_err(|error| EvalError::Query(Problem::of_engine("", &error.to_string())))
    }

    /// Asks a question with this very input document, whatever it holds.
    ///
    /// # Errors
    /// The input cannot be read.
    pub fn ask_raw(&self, question: Question, input: &str) -> Result<Both, EvalError> {
        let input = value(input)?;
        let given = |answer: Result<Value, Failure>| match answer {
            Ok(Value::Undefined) => Ok(None),
            Ok(value) => Ok(Some(Answer(value))),
            Err(failure) => Err(EvalError::from(failure)),
        };
        let road = given(self.prepared.ask(question, input.clone(), Budget::TRIAL));
        let interpreter = given(self.prepared.interpret(question, input, Budget::TRIAL));
        Ok(Both { road, interpreter })
    }
}

/// The question whose entry point a query names.
#[must_use]
pub fn question_of(query: &str) -> Option<Question> {
    Question::ALL.into_iter().find(|question| entry_point(*question) == query)
}

fn value(text: &str) -> Result<Value, EvalError> {
    let text = read_document(text)?;
    json::read(&text).map_err(|error| EvalError::Input(Misasked(error.to_string())))
}

/// A file, or the files of a folder, by the rules of a bundle.
fn files_at(path: &Path) -> Result<Vec<File>, LoadErrors> {
    let shown = path.display().to_string();
    if path.is_dir() {
        let mut files = bundle::files(&Source::Folder(path.to_owned()))?;
        files.retain(|file| file.kind != FileKind::Library);
        files.iter_mut().for_each(|file| file.name = path.join(&file.name).display().to_string());
        return Ok(files);
    }
    let cannot = |why: String| LoadErrors::from(Problem::of_file(&shown, why));
    let kind = bundle::kind(&shown)
        .ok_or_else(|| cannot(String::from("is no `.rego` and no `.json` file")))?;
    let text =
        fs::read_to_string(path).map_err(|error| cannot(format!("cannot be read: {error}")))?;
    Ok(vec![File { name: shown, text, kind }])
}
