//! One walk over the tree of a configuration: what was asked for, and what was wrong.
//!
//! Sections (`section`) note every key they are asked for here, with its default and its choices.
//! So there is no table of keys that could differ from what is read: what nobody asked for is
//! unknown, and the editor's schema is compared with these notes by a test.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::problem::Problem;
use super::source::{Filled, Source};
use crate::yaml::{Fault, Position, Scalar};

/// What a section said of a key when it asked for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// The value that an absent key has, as one would write it.
    pub(super) default: Option<String>,
    /// The words it may be, if only some.
    pub(super) choices: Vec<&'static str>,
}

pub(super) struct Walk<'a> {
    pub(super) source: Source<'a>,
    problems: RefCell<Vec<Problem>>,
    warnings: RefCell<Vec<String>>,
    asked: RefCell<BTreeMap<String, Asked>>,
    literal_secret: RefCell<Option<Position>>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(source: Source<'a>, faults: Vec<Fault>) -> Self {
        let problems =
            faults.into_iter().map(|fault| Problem { at: Some(fault.at), text: fault.text });
        Self {
            source,
            problems: RefCell::new(problems.collect()),
            warnings: RefCell::default(),
            asked: RefCell::default(),
            literal_secret: RefCell::default(),
        }
    }

    pub(super) fn problem(&self, at: Position, text: impl Into<String>) {
        self.problems.borrow_mut().push(Problem { at: Some(at), text: text.into() });
    }

    pub(super) fn warn(&self, text: impl Into<String>) {
        self.warnings.borrow_mut().push(text.into());
    }

    pub(super) fn ask(&self, path: String, asked: Asked) {
        self.asked.borrow_mut().insert(path, asked);
    }

    /// Notes that the file itself holds a secret, so that it must be private.
    pub(super) fn note_literal_secret(&self, at: Position) {
        self.literal_secret.borrow_mut().get_or_insert(at);
    }

    pub(super) fn literal_secret(&self) -> Option<Position> {
        *self.literal_secret.borrow()
    }

    /// The scalar's text with references filled in, or a problem.
    pub(super) fn fill(&self, at: Position, scalar: &Scalar) -> Option<Filled> {
        self.source.fill(&scalar.text).map_err(|text| self.problem(at, text)).ok()
    }

    pub(super) fn into_notes(self) -> Notes {
        Notes {
            problems: self.problems.into_inner(),
            warnings: self.warnings.into_inner(),
            #[cfg(test)]
            asked: self.asked.into_inner(),
        }
    }
}

/// What a walk found.
pub(super) struct Notes {
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<String>,
    #[cfg(test)]
    pub(super) asked: BTreeMap<String, Asked>,
}

/// The candidate that a misspelt word most likely means.
pub(super) fn nearest<'c>(word: &str, candidates: &[&'c str]) -> Option<&'c str> {
    let plain = |text: &str| text.to_lowercase().replace(['-', '_', ' '], "");
    let word = plain(word);
    candidates
        .iter()
        .map(|candidate| (strsim::osa_distance(&word, &plain(candidate)), *candidate))
        .filter(|(distance, candidate)| *distance <= 1.max(candidate.len() / 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// "`a`, `b` or `c`".
pub(super) fn one_of(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        _ => quoted.concat(),
    }
}
