//! One record where it stands: its line, and its links to the records before and behind it.

use std::path::Path;

use memchr::memmem;

use super::filter::Filter;
use super::lines::{Back, Cursor};
use super::read::{Entry, ReadError};
use crate::domain::{CallId, HoldId, Seq};
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

impl Link {
    /// Whether everything is as it was written, as far as the neighbours tell.
    #[must_use]
    pub const fn is_good(&self) -> bool {
        matches!(self, Self::Whole | Self::Newest)
    }
}

impl std::fmt::Display for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Whole => f.write_str(
                "its hash is that of this line, it follows the record before it, and the next one \
                 follows it",
            ),
            Self::Newest => f.write_str(
                "its hash is that of this line and it follows the record before it; nothing follows \
                 yet, and only a later record can speak for it",
            ),
            Self::Broken { at, flaw } => write!(f, "record {at}: {flaw}"),
        }
    }
}

/// What somebody calls records by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// The position of one.
    At(Seq),
    /// The call that they are about.
    Call(CallId),
    /// The hold that they are about.
    Hold(HoldId),
}

/// Looks at each record of a name and at its neighbours, in the log's order: also at those that name what is
/// looked for and cannot be read any more.
///
/// # Errors
/// If a file cannot be read.
pub fn look_up(folder: &Path, named: Named) -> Result<Vec<(Seq, Look)>, ReadError> {
    let (filter, name) = match named {
        Named::At(seq) => {
            return Ok(look(folder, seq)?.map(|look| (seq, look)).into_iter().collect());
        }
        Named::Call(call) => (Filter { call: Some(call), ..Filter::default() }, call.to_string()),
        Named::Hold(hold) => (Filter { hold: Some(hold), ..Filter::default() }, hold.to_string()),
    };
    let name = memmem::Finder::new(&name);
    let (mut cursor, mut next, mut found) = (Cursor::start(folder), 0, Vec::new());
    while let Some(place) = cursor.step()? {
        let line = cursor.line();
        let expected = Seq(next);
        let seq = line::seq_of(line).unwrap_or(expected);
        next = seq.0.saturating_add(1);
        let is_named = || name.find(line).is_some();
        let entry = is_named().then(|| Entry::of(place, line));
        // A record of something else may name it in passing; what cannot be read may be anything.
        let Some(entry) =
            entry.filter(|it| it.as_ref().map_or(true, |it| filter.matches(&it.record)))
        else {
            continue;
        };
        let text = String::from_utf8_lossy(line).into_owned();
        let stands = look(folder, seq)?.filter(|look| look.line.as_ref() == Some(&text));
        let look = stands.unwrap_or_else(|| {
            // Its position is that of another record.
            let link = Link::Broken { at: seq, flaw: Flaw::Seq { expected, found: seq } };
            Look { line: Some(text), entry, link }
        });
        found.push((seq, look));
    }
    Ok(found)
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
