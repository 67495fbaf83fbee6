//! Reading records back: one by its position, or the end of the log as it grows.

use std::{
    collections::VecDeque,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    domain::{CallId, Digest, Event, HoldId, PrincipalId, Record, Seq, Timestamp, Verdict},
    store::{
        Flaw, line,
        segment::{self, Lines, SegmentName},
    },
};

/// How often a following reader looks for more.
const POLL: Duration = Duration::from_millis(200);

/// Why records cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The operating system refused.
    #[error("cannot read `{path}`: {source}")]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line is no record.
    #[error("`{file}`, byte {offset}: {flaw}; `audit verify` tells more")]
    Line {
        /// The file's name.
        file: String,
        /// Where the line begins.
        offset: u64,
        /// What is wrong.
        flaw: Flaw,
    },
}

impl ReadError {
    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}

/// One record as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The record.
    pub record: Record,
    /// Its hash, as the line claims it.
    pub hash: Digest,
    /// The line itself: valid JSON, safe to print.
    pub line: String,
}

/// Which records are wanted: those that match everything that is set.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The record's `type`, such as `decision`.
    pub kind: Option<String>,
    /// Who called.
    pub principal: Option<PrincipalId>,
    /// Which tool.
    pub tool: Option<String>,
    /// Which call.
    pub call: Option<CallId>,
    /// Which hold.
    pub hold: Option<HoldId>,
    /// The verdict of a decision.
    pub verdict: Option<Verdict>,
    /// A rule that spoke in a decision, or words of its title.
    pub rule: Option<String>,
    /// The policy revision of a decision, by its first digits.
    pub revision: Option<String>,
    /// Not before this time.
    pub since: Option<Timestamp>,
    /// Not after this time.
    pub until: Option<Timestamp>,
    /// Before this position.
    pub before: Option<Seq>,
}

/// Where reading begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// At the first record.
    Start,
    /// At a position.
    Seq(Seq),
    /// At the last so many records that match.
    Last(usize),
}

/// What happens at the end of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follow {
    /// The reading ends.
    No,
    /// It blocks until more is written.
    Yes,
}

/// Reads the record at a position, if there is one.
///
/// # Errors
/// If a file cannot be read or the line is no record.
pub fn read(folder: &Path, seq: Seq) -> Result<Option<Entry>, ReadError> {
    let Some(cursor) = Cursor::at(folder, seq)? else { return Ok(None) };
    let mut all = Tail::new(folder, Filter::default(), Follow::No, Some(cursor));
    Ok(all.next().transpose()?.filter(|entry| entry.record.seq == seq))
}

/// Reads the records that match, in order, and follows the log if asked. Needs no lock.
///
/// # Errors
/// If a file cannot be read, here or at each step.
pub fn tail(folder: &Path, filter: Filter, from: From, follow: Follow) -> Result<Tail, ReadError> {
    match from {
        From::Start => Ok(Tail::new(folder, filter, follow, None)),
        From::Seq(seq) => {
            let cursor = Cursor::at(folder, seq)?;
            Ok(Tail { least: Some(seq), ..Tail::new(folder, filter, follow, cursor) })
        }
        From::Last(count) => last(folder, &filter, follow, count),
    }
}

/// Begins with the last `count` records that match: looks back further and further, so that the
/// end of a long log is read quickly.
fn last(folder: &Path, filter: &Filter, follow: Follow, count: usize) -> Result<Tail, ReadError> {
    let end = last_seq(folder)?.map_or(0, |seq| seq.0 + 1);
    let end = filter.before.map_or(end, |before| before.0.min(end));
    let mut back = (count as u64).saturating_mul(2).max(64);
    loop {
        let from = end.saturating_sub(back);
        let cursor = Cursor::at(folder, Seq(from))?;
        let mut tail = Tail::new(folder, filter.clone(), Follow::No, cursor);
        let mut found = VecDeque::new();
        while let Some(entry) = tail.next().transpose()? {
            found.push_back(entry);
            if found.len() > count {
                found.pop_front();
            }
        }
        if found.len() == count || from == 0 {
            tail.follow = follow;
            tail.ready = found;
            return Ok(tail);
        }
        back = back.saturating_mul(8);
    }
}

fn last_seq(folder: &Path) -> Result<Option<Seq>, ReadError> {
    let names = segment::list(folder).map_err(|source| ReadError::io(folder, source))?;
    for name in names.into_iter().rev() {
        let path = name.path(folder);
        let last =
            segment::last_line(&path, u64::MAX).map_err(|source| ReadError::io(&path, source))?;
        if let Some(seq) = line::seq_of(&last.1) {
            return Ok(Some(seq));
        }
    }
    Ok(None)
}

/// Records as they are read; made by [`tail`].
pub struct Tail {
    folder: PathBuf,
    filter: Filter,
    follow: Follow,
    least: Option<Seq>,
    cursor: Option<Cursor>,
    ready: VecDeque<Entry>,
    is_broken: bool,
}

impl std::fmt::Debug for Tail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tail").field("folder", &self.folder).finish_non_exhaustive()
    }
}

struct Cursor {
    name: SegmentName,
    lines: Lines,
}

impl Tail {
    fn new(folder: &Path, filter: Filter, follow: Follow, cursor: Option<Cursor>) -> Self {
        let (folder, ready) = (folder.to_owned(), VecDeque::new());
        Self { folder, filter, follow, least: None, cursor, ready, is_broken: false }
    }

    /// The next record that is there, matching or not.
    fn step(&mut self) -> Result<Option<Entry>, ReadError> {
        loop {
            if let Some(cursor) = &mut self.cursor {
                let (name, offset) = (cursor.name, cursor.lines.offset);
                let path = name.path(&self.folder);
                let line = cursor.lines.next().map_err(|source| ReadError::io(&path, source))?;
                if let Some(line) = line {
                    if self.filter.passes_over(line) {
                        continue;
                    }
                    return entry(line).map(Some).map_err(|flaw| ReadError::Line {
                        file: name.to_string(),
                        offset,
                        flaw,
                    });
                }
            }
            // The next file is looked for only behind the end of this one: the writer begins it
            // after the last line here.
            let names = self.list()?;
            let here = self.cursor.as_ref().map(|cursor| cursor.name);
            let Some(next) = names.into_iter().find(|name| Some(*name) > here) else {
                return Ok(None);
            };
            if let Some(cursor) = &mut self.cursor {
                let path = cursor.name.path(&self.folder);
                let more = cursor.lines.next().map_err(|source| ReadError::io(&path, source))?;
                if let Some(line) = more {
                    if self.filter.passes_over(line) {
                        continue;
                    }
                    return entry(line).map(Some).map_err(|flaw| {
                        let (file, offset) = (cursor.name.to_string(), cursor.lines.offset);
                        ReadError::Line { file, offset, flaw }
                    });
                }
            }
            self.cursor = Some(Cursor::open(&self.folder, next, 0)?);
        }
    }

    fn list(&self) -> Result<Vec<SegmentName>, ReadError> {
        segment::list(&self.folder).map_err(|source| ReadError::io(&self.folder, source))
    }

    fn wants(&self, entry: &Entry) -> bool {
        self.least.is_none_or(|least| entry.record.seq >= least)
            && self.filter.matches(&entry.record)
    }
}

impl Iterator for Tail {
    type Item = Result<Entry, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(entry) = self.ready.pop_front() {
            return Some(Ok(entry));
        }
        while !self.is_broken {
            match self.step() {
                Ok(Some(entry)) if self.filter.ends_before(entry.record.seq) => return None,
                Ok(Some(entry)) if self.wants(&entry) => return Some(Ok(entry)),
                Ok(Some(_)) => {}
                Ok(None) if self.follow == Follow::Yes => std::thread::sleep(POLL),
                Ok(None) => return None,
                Err(error) => {
                    self.is_broken = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

impl Cursor {
    fn open(folder: &Path, name: SegmentName, offset: u64) -> Result<Self, ReadError> {
        let path = name.path(folder);
        let lines = Lines::open(&path, offset).map_err(|source| ReadError::io(&path, source))?;
        Ok(Self { name, lines })
    }

    /// Just before the record at `seq`: the file by its first line, the line by halving the file.
    fn at(folder: &Path, seq: Seq) -> Result<Option<Self>, ReadError> {
        let names = segment::list(folder).map_err(|source| ReadError::io(folder, source))?;
        let mut found = None;
        for name in names {
            let mut cursor = Self::open(folder, name, 0)?;
            let path = name.path(folder);
            let first = cursor.lines.next().map_err(|source| ReadError::io(&path, source))?;
            match first.and_then(line::seq_of) {
                Some(first) if first <= seq => found = Some(name),
                _ => break,
            }
        }
        let Some(name) = found else { return Ok(None) };
        let path = name.path(folder);
        let offset = segment::seek(&path, |line| line::seq_of(line) < Some(seq))
            .map_err(|source| ReadError::io(&path, source))?;
        Self::open(folder, name, offset).map(Some)
    }
}

impl Filter {
    /// Whether a line is of another kind than is wanted: such lines need not be read.
    fn passes_over(&self, line: &[u8]) -> bool {
        self.kind.as_ref().is_some_and(|kind| !line::is_of(line, kind))
    }

    fn ends_before(&self, seq: Seq) -> bool {
        self.before.is_some_and(|before| seq >= before)
    }

    /// Whether a record is wanted.
    #[must_use]
    pub fn matches(&self, record: &Record) -> bool {
        let facts = Facts::of(&record.event);
        let is =
            |wanted: Option<&str>, found: Option<&str>| wanted.is_none_or(|w| found == Some(w));
        is(self.kind.as_deref(), Some(facts.kind))
            && is(self.principal.as_ref().map(PrincipalId::as_str), facts.principal)
            && is(self.tool.as_deref(), facts.tool)
            && self.call.is_none_or(|wanted| facts.call == Some(wanted))
            && self.hold.is_none_or(|wanted| facts.hold == Some(wanted))
            && self.verdict.is_none_or(|wanted| facts.verdict == Some(wanted))
            && self.since.is_none_or(|since| record.at >= since)
            && self.until.is_none_or(|until| record.at <= until)
            && self.before.is_none_or(|before| record.seq < before)
            && self.decided(record)
    }
}

impl Filter {
    /// Whether a decision is one of the wanted rule and revision.
    fn decided(&self, record: &Record) -> bool {
        if self.rule.is_none() && self.revision.is_none() {
            return true;
        }
        let Event::Decision { decision, .. } = &record.event else { return false };
        self.rule.as_ref().is_none_or(|rule| decision.reasons.iter().any(|it| it.is_by(rule)))
            && self.revision.as_ref().is_none_or(|digits| decision.ruleset.begins_with(digits))
    }
}

/// What a filter can ask of an event.
struct Facts<'a> {
    kind: &'static str,
    principal: Option<&'a str>,
    tool: Option<&'a str>,
    call: Option<CallId>,
    hold: Option<HoldId>,
    verdict: Option<Verdict>,
}

impl<'a> Facts<'a> {
    fn of(event: &'a Event) -> Self {
        use crate::domain::{GrantEvent, HoldEvent};
        let bare = |kind| Self {
            kind,
            principal: None,
            tool: None,
            call: None,
            hold: None,
            verdict: None,
        };
        match event {
            Event::Started { .. } => bare("started"),
            Event::Stopped => bare("stopped"),
            Event::Decision { call, decision, .. } => Self {
                principal: Some(call.principal.as_str()),
                tool: call.subject.tool(),
                call: Some(call.id),
                verdict: Some(decision.verdict),
                ..bare("decision")
            },
            Event::Outcome { call, .. } => Self { call: Some(*call), ..bare("outcome") },
            Event::Trail { call, principal, .. } => {
                Self { principal: Some(principal.as_str()), call: Some(*call), ..bare("trail") }
            }
            Event::Hold { hold, event: HoldEvent::Opened(opened) } => Self {
                principal: Some(opened.call.principal.as_str()),
                tool: opened.call.subject.tool(),
                call: Some(opened.call.id),
                hold: Some(*hold),
                ..bare("hold")
            },
            Event::Hold { hold, .. } => Self { hold: Some(*hold), ..bare("hold") },
            Event::Revealed { hold, .. } => Self { hold: Some(*hold), ..bare("revealed") },
            Event::Grant { event: GrantEvent::Given(given), .. } => Self {
                principal: Some(given.principal.as_str()),
                tool: Some(&given.tool),
                hold: Some(given.hold),
                ..bare("grant")
            },
            Event::Grant { event: GrantEvent::Used { call }, .. } => {
                Self { call: Some(*call), ..bare("grant") }
            }
            Event::Grant { .. } => bare("grant"),
            Event::Tool { name, .. } => Self { tool: Some(name), ..bare("tool") },
            Event::Definition { name, .. } => Self { tool: Some(name), ..bare("definition") },
            Event::Ruleset { .. } => bare("ruleset"),
            Event::Plugins { .. } => bare("plugins"),
            Event::Rollout { .. } => bare("rollout"),
            Event::Shadow(facts) => Self {
                principal: Some(facts.principal.as_str()),
                tool: facts.tool.as_deref(),
                call: facts.call,
                ..bare("shadow")
            },
            Event::Principal { principal, .. } => {
                Self { principal: Some(principal.as_str()), ..bare("principal") }
            }
            Event::Account { .. } => bare("account"),
            Event::Refused { principal, .. } => {
                Self { principal: Some(principal.as_str()), ..bare("refused") }
            }
        }
    }
}

fn entry(line: &[u8]) -> Result<Entry, Flaw> {
    let (record, hash) = line::read(line)?;
    Ok(Entry { record, hash, line: String::from_utf8_lossy(line).into_owned() })
}
