//! One record where it stands: its line, and its links to the records before and behind it.

use std::path::Path;

use super::lines::{Back, Cursor};
use super::read::{Entry, ReadError};
use crate::domain::Seq;
use crate::store::Flaw;
use crate::store::line::{self, Chain};

/// What stands at a position of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// The line, as far as it is text; `None` if the record is not where it should be.
    pub line: Option<String>,
    /// What it says.
    pub entry: Result<Entry, Flaw>,
    /// How it stands in the chain.
    pub link: Link,
}

/// How a record stands in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// Its hash is that of its line, it follows the record before it, and the next one follows it.
    Whole,
    /// The same, but nothing follows yet: it is the newest, and no later record speaks for it.
    Newest,
    /// Something is not as it was written.
    Broken {
        /// At this record: this one, or the one before or behind it.
        at: Seq,
        /// What is wrong.
        flaw: Flaw,
    },
}

/// Looks at the record at a position and at its neighbours; a walk over the whole log says more. `None` if
/// the log does not reach so far.
///
/// # Errors
/// If a file cannot be read. A line that is no record is none: it is told.
pub fn look(folder: &Path, seq: Seq) -> Result<Option<Look>, ReadError> {
    let first = seq.0.saturating_sub(1);
    let reach = first..=seq.0.saturating_add(1);
    let (mut cursor, mut number) = before(folder, Seq(first))?;
    let (mut found, mut chain, mut flaw) = (None, None, None);
    let (mut is_followed, mut is_inside) = (false, false);
    while number <= *reach.end()
        && let Some(place) = cursor.step()?
    {
        let line = cursor.line();
        let says = line::seq_of(line).map(|says| says.0);
        is_inside = says.map_or(is_inside, |says| says > seq.0);
        // Records may be missing in front of this one. A number beyond what is looked at is only somebody's
        // word: the line counts as the next.
        if let Some(says) = says.filter(|says| *says > number && reach.contains(says)) {
            let expected = number.max(first);
            number = says;
            if expected < says && flaw.is_none() {
                flaw = Some((expected, Flaw::Seq { expected: Seq(expected), found: Seq(says) }));
            }
        }
        if number == seq.0 && says.is_none_or(|says| says == number) {
            found = Some((String::from_utf8_lossy(line).into_owned(), Entry::of(place, line)));
        }
        is_followed |= number > seq.0;
        if reach.contains(&number) && flaw.is_none() {
            flaw = step(&mut chain, number, line).err().map(|flaw| (number, flaw));
        }
        number += 1;
    }
    if found.is_none() && !is_followed && !is_inside {
        return Ok(None);
    }
    let missing = || Flaw::Shape(format!("there is no record {seq}"));
    let link = match flaw {
        Some((at, flaw)) => Link::Broken { at: Seq(at), flaw },
        None if found.is_none() => Link::Broken { at: seq, flaw: missing() },
        None if is_followed => Link::Whole,
        None => Link::Newest,
    };
    Ok(Some(match found {
        Some((line, entry)) => Look { line: Some(line), entry, link },
        None => Look { line: None, entry: Err(missing()), link },
    }))
}

/// Before the line that is, or should be, the record at `seq`, or before lines without a position in front
/// of it; and the position that the next line should have.
fn before(folder: &Path, seq: Seq) -> Result<(Cursor, u64), ReadError> {
    let cursor = Cursor::at(folder, seq)?;
    let mut back = Back::from(folder, cursor.gap(), None)?;
    while back.step()?.is_some() {
        if let Some(last) = line::seq_of(back.line()) {
            return Ok((cursor, last.0.saturating_add(1)));
        }
    }
    Ok((cursor, 0))
}

/// One step of the chain, which begins with the hash that its first line claims to follow.
fn step(chain: &mut Option<Chain>, number: u64, line: &[u8]) -> Result<(), Flaw> {
    let here = chain.get_or_insert_with(|| {
        let head = line::prev_of(line).filter(|_| number > 0).unwrap_or(Chain::START.head);
        Chain { next: number, head }
    });
    // The chain covers the bytes, the reading covers their meaning.
    here.step(line)?;
    line::read(line).map(drop)
}
