//! What is wrong with a file: all of it, each with its place and what to do.

use std::path::PathBuf;

use crate::yaml::Position;

/// One thing that is wrong. The text never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where; `None` is the file as a whole.
    pub at: Option<Position>,
    /// What is wrong, and what to do.
    pub text: String,
}

/// Everything that is wrong with a file, in the order of the file. Displayed as one
/// `file:line:column: text` per line, the form editors and terminals make into links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    /// The file, as it was named.
    pub file: PathBuf,
    /// At least one.
    pub list: Vec<Problem>,
}

impl Problems {
    pub(super) fn new(file: PathBuf, mut list: Vec<Problem>) -> Self {
        list.sort_by_key(|problem| problem.at);
        Self { file, list }
    }
}

impl std::fmt::Display for Problems {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, problem) in self.list.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{}:", self.file.display())?;
            if let Some(at) = problem.at {
                write!(f, "{at}:")?;
            }
            write!(f, " {}", problem.text)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
