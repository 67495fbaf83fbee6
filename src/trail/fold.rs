//! The trail as a fold of the log: read back at start, as far as the longest window reaches.
//!
//! What a record adds is in its `trail` member. A record that has one and cannot be read stops the
//! start: a budget must not come back because a line was damaged.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex};

use memchr::memmem;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Trail;
use super::clock::{Clock, Moment, Past};
use super::person::{DAY, DAY_BUCKET, Passed};
use super::state::State;
use crate::domain::{PrincipalId, Step, Subject, Timestamp, Verdict};
use crate::store::segment::{self, Lines, SegmentName};

/// What a line has that adds to a trail; quotes within strings are escaped, so it is no text of
/// anybody's.
const MEMBER: &[u8] = b"\"trail\":{\"at\":";

/// Why the trail cannot be read back.
#[derive(Debug, thiserror::Error)]
pub enum TrailError {
    /// The operating system refused.
    #[error("cannot read `{path}`, which the budgets of principals are counted from: {source}")]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line is no record that this version knows.
    #[error(
        "`{file}`, byte {offset}: the record cannot be read, so what principals did is not known: \
         {source}; `audit verify` tells more"
    )]
    Line {
        /// The file's name.
        file: String,
        /// Where the line begins.
        offset: u64,
        /// What is wrong.
        source: serde_json::Error,
    },
}

impl Trail {
    /// Reads the trail back from the log in a data folder whose store is open.
    ///
    /// # Errors
    /// If the log cannot be read as far as the longest window reaches.
    pub fn rebuild(folder: &Path, moment: Moment) -> Result<Self, TrailError> {
        let mut fold = Fold::default();
        read_tail(folder, |line| fold.apply(line))?;
        Ok(fold.start(moment))
    }
}

/// A trail under construction.
#[derive(Debug, Default)]
pub(super) struct Fold {
    pub(super) state: State,
    past: Past,
}

/// What a trail needs of a record that adds to one: a start reads back many.
#[derive(Deserialize)]
struct Line<'a> {
    at: Timestamp,
    trail: Step,
    /// A step of before that is taken back.
    #[serde(default)]
    back: bool,
    /// What was shown says whose it is; a decision says it in its call.
    principal: Option<PrincipalId>,
    #[serde(borrow)]
    call: &'a RawValue,
    decision: Option<Decided>,
}

#[derive(Deserialize)]
struct Called {
    principal: PrincipalId,
    subject: Subject,
}

#[derive(Deserialize)]
struct Decided {
    verdict: Verdict,
}

impl Fold {
    /// Adds what a line of the log says that has a `trail`.
    pub(super) fn apply(&mut self, line: &[u8]) -> Result<(), serde_json::Error> {
        let line: Line<'_> = serde_json::from_slice(line)?;
        let step = &line.trail;
        let at = step.at.millis();
        let (who, tool) = match line.principal {
            Some(principal) => (principal, None),
            None => {
                let Called { principal, subject } = serde_json::from_str(line.call.get())?;
                (principal, subject.tool().map(Box::from))
            }
        };
        if line.back {
            self.state.take_back(&who, at, &step.add);
            return Ok(());
        }
        self.past.learn(step.at, line.at, step.clock.as_ref());
        // A call is recent by the record that counts it, not by that of its release.
        let counts = step.add.calls > 0 || step.add.denials > 0;
        let decided = tool.zip(line.decision).filter(|_| counts);
        let passed = decided.map(|(tool, Decided { verdict })| Passed { at, tool, verdict });
        self.state.apply(&who, at, &step.add, passed);
        Ok(())
    }

    /// The trail from here on.
    pub(super) fn start(self, moment: Moment) -> Trail {
        Trail { clock: Clock::start(&self.past, moment), state: Mutex::new(self.state) }
    }
}

/// Reads the records that can still count, oldest first.
fn read_tail(
    folder: &Path,
    mut apply: impl FnMut(&[u8]) -> Result<(), serde_json::Error>,
) -> Result<(), TrailError> {
    let failed = |path: &Path, source| TrailError::Io { path: path.to_owned(), source };
    let names = segment::list(folder).map_err(|source| failed(folder, source))?;
    // The trail's time never goes back, so that of a file's first step tells what lies before it.
    let mut begin = names.len();
    let mut since = None;
    for (place, name) in names.iter().enumerate().rev() {
        let path = name.path(folder);
        let first = first_step(&path).map_err(|source| failed(&path, source))?;
        begin = place;
        if let Some(first) = first {
            let since = *since.get_or_insert(first - DAY - DAY_BUCKET);
            if first < since {
                break;
            }
        }
    }
    let since = since.unwrap_or(i64::MIN);
    for name in names.get(begin..).unwrap_or_default() {
        read_file(folder, *name, since, &mut apply)?;
    }
    Ok(())
}

fn read_file(
    folder: &Path,
    name: SegmentName,
    since: i64,
    apply: &mut impl FnMut(&[u8]) -> Result<(), serde_json::Error>,
) -> Result<(), TrailError> {
    let path = name.path(folder);
    let failed = |source| TrailError::Io { path: path.clone(), source };
    let mut lines = Lines::open(&path, 0).map_err(failed)?;
    loop {
        let offset = lines.offset;
        let Some(line) = lines.next().map_err(failed)? else { return Ok(()) };
        match step_time(line) {
            None => continue,
            Some(Some(at)) if at < since => continue,
            // One whose time cannot be read is looked at closer.
            Some(_) => {}
        }
        apply(line).map_err(|source| {
            let file = name.to_string();
            TrailError::Line { file, offset, source }
        })?;
    }
}

/// The trail's time in the first line that has one.
fn first_step(path: &Path) -> io::Result<Option<i64>> {
    let mut lines = Lines::open(path, 0)?;
    while let Some(line) = lines.next()? {
        if let Some(Some(at)) = step_time(line) {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

/// Whether a line adds to a trail, and its time if that can be read.
fn step_time(line: &[u8]) -> Option<Option<i64>> {
    static FINDER: LazyLock<memmem::Finder<'static>> =
        LazyLock::new(|| memmem::Finder::new(MEMBER));
    let start = FINDER.find(line)? + MEMBER.len();
    let rest = line.get(start..).unwrap_or_default();
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let text = rest.get(..digits).and_then(|digits| std::str::from_utf8(digits).ok());
    Some(text.and_then(|text| text.parse().ok()))
}
