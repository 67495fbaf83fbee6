//! What is wrong with a bundle: every problem at once, each with its place and what to do.

use std::fmt;

use regorus::unstable::Span;

use super::kind::{Kind, Severity};

/// One problem of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file, relative to the bundle (the library's begin with `lib/`); empty for the bundle.
    pub file: String,
    /// Line, from 1; 0 if the problem has no line.
    pub line: u32,
    /// Column, from 1; 0 if the problem has no column.
    pub column: u32,
    /// What kind of problem it is.
    pub kind: Kind,
    /// What is wrong and what to do.
    pub text: String,
}

impl Problem {
    /// A problem of the bundle as a whole.
    #[must_use]
    pub fn of_bundle(text: impl Into<String>) -> Self {
        Self { file: String::new(), line: 0, column: 0, kind: Kind::Bundle, text: text.into() }
    }

    /// The same problem as another kind.
    #[must_use]
    pub fn of(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    pub(super) fn at(kind: Kind, file: &str, span: &Span, text: impl Into<String>) -> Self {
        let column = column(span).unwrap_or(span.col);
        Self { file: file.to_owned(), line: span.line, column, kind, text: text.into() }
    }

    pub(super) fn of_file(file: &str, text: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: 0, column: 0, kind: Kind::File, text: text.into() }
    }

    /// From the engine's own message, which holds a drawing of the line; only its place
    /// (`--> file:line:col`) and its last words (`error: ...`) are kept.
    pub(super) fn of_engine(file: &str, message: &str) -> Self {
        let place = message.split_once("--> ").and_then(|(_, rest)| rest.lines().next());
        let mut parts = place.unwrap_or_default().rsplitn(3, ':');
        let column = parts.next().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
        let line = parts.next().and_then(|text| text.parse().ok()).unwrap_or(0);
        let file = parts.next().map_or(file, str::trim);
        let said = message.rsplit_once("error: ").map_or(message, |(_, said)| said);
        let text = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>();
        Self { file: file.to_owned(), line, column, kind: Kind::Syntax, text: text.join(" ") }
    }
}

/// The column in characters, as editors count; the engine counts a tab as four.
fn column(span: &Span) -> Option<u32> {
    let before = span.source.get_contents().get(..usize::try_from(span.start).ok()?)?;
    let line = before.rsplit('\n').next()?;
    u32::try_from(line.chars().count() + 1).ok()
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.file.is_empty() {
            f.write_str(&self.file)?;
            if self.line > 0 {
                write!(f, ":{}:{}", self.line, self.column)?;
            }
            f.write_str(": ")?;
        }
        f.write_str(&self.text)
    }
}

/// Why a bundle was not loaded. Never empty; sorted by place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct LoadErrors {
    problems: Vec<Problem>,
}

impl LoadErrors {
    /// `Ok` with the warnings if there is no error; else everything.
    pub(super) fn check(mut problems: Vec<Problem>) -> Result<Vec<Problem>, Self> {
        problems.sort();
        problems.dedup();
        if problems.iter().any(|problem| problem.kind.severity() == Severity::Error) {
            return Err(Self { problems });
        }
        Ok(problems)
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    /// Every problem that was found, warnings too.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl From<Problem> for LoadErrors {
    fn from(problem: Problem) -> Self {
        Self { problems: vec![problem] }
    }
}

impl fmt::Display for LoadErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let errors =
            || self.problems.iter().filter(|problem| problem.kind.severity() == Severity::Error);
        write!(f, "the policy has {} problem(s)", errors().count())?;
        errors().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}
