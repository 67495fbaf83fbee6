//! Which definition of each tool a person has accepted, and what the upstream offers now.
//!
//! A tool's description and schema tell a model what to do, so a definition that changes after it
//! was accepted is an attack until somebody has looked at it. The first complete listing is
//! trusted and pinned; from then on a changed or new tool is hidden and its calls are refused until
//! an operator pins it. The upstream's hints decide nothing here.
//!
//! [`Pins`] keeps the truth in a file and an immutable snapshot in memory: the road reads the
//! snapshot without a lock, everything else works on the file, so that the command line and a
//! running server see the same pins. A snapshot is loosened only after the file is durable.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;

use self::book::Book;
pub use self::file::PinsError;
use self::file::PinsFile;
pub use self::pinned::{How, PinnedTool};
use super::definition::ToolDefinition;
use super::{Catalogue, text::shown};
use crate::domain::{Digest, Effect, Timestamp, ToolChange};

mod book;
mod diff;
mod file;
mod pinned;

/// Most tools in one listing.
pub const MAX_TOOLS: usize = 1_000;

/// The pinned tools of one upstream.
#[derive(Debug)]
pub struct Pins {
    file: PinsFile,
    kept: Mutex<State>,
    snapshot: ArcSwap<Snapshot>,
}

/// The pins as this process knows them.
#[derive(Debug, Default)]
struct State {
    book: Book,
    /// What another process pinned and nobody was told yet.
    untold: Vec<ToolEvent>,
}

/// The tools as the road sees them.
pub(super) type Snapshot = HashMap<String, PinStatus>;

/// How a tool stands.
#[derive(Debug, Clone)]
pub enum PinStatus {
    /// Pinned, and the upstream offers exactly that: the only state in which it may be called.
    Pinned(Arc<PinnedTool>),
    /// The upstream offers another definition than the pinned one, or the name twice.
    Changed,
    /// Offered, but never pinned.
    New,
    /// No longer offered.
    Absent,
    /// Its definition cannot be used, for this reason.
    Unusable(Arc<str>),
    /// Never seen.
    Unseen,
}

impl PinStatus {
    /// The word for lists.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Pinned(_) => "pinned",
            Self::Changed => "changed",
            Self::New => "new",
            Self::Absent => "absent",
            Self::Unusable(_) => "unusable",
            Self::Unseen => "unseen",
        }
    }
}

/// Something that happened to a tool's definition, for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolEvent {
    /// The tool.
    pub name: String,
    /// What happened.
    pub change: ToolChange,
    /// What the upstream offers now.
    pub definition: Digest,
    /// What was pinned until now, if another.
    pub pinned: Option<Digest>,
}

/// One tool, for a list that people read.
#[derive(Debug, Clone)]
pub struct PinRow {
    /// The tool.
    pub name: String,
    /// By our catalogue.
    pub effect: Effect,
    /// The catalogue knows it.
    pub known: bool,
    /// How it stands.
    pub status: PinStatus,
    /// The pinned definition's digest, when and how it was pinned.
    pub pinned: Option<(Digest, Timestamp, How)>,
    /// The definition that waits to be pinned, and when it was first seen.
    pub offered: Option<(Digest, Timestamp)>,
    /// What an operator should know of the newest definition.
    pub warnings: Vec<String>,
}

impl Pins {
    /// Opens the pins of `path`, usually `<data>/pins.json`; a file that is not there is first
    /// contact.
    ///
    /// # Errors
    /// The file cannot be read, or does not hold what it says: it was edited by hand.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, PinsError> {
        let file = PinsFile::new(path.into());
        let book = file.read()?;
        let snapshot = ArcSwap::from_pointee(book.snapshot());
        let kept = Mutex::new(State { book, untold: Vec::new() });
        Ok(Self { file, kept, snapshot })
    }

    /// Where the pins lie.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// How `tool` stands. Takes no lock.
    #[must_use]
    pub fn status(&self, tool: &str) -> PinStatus {
        self.snapshot.load().get(tool).cloned().unwrap_or(PinStatus::Unseen)
    }

    /// All tools that may be called, by name. Tools that the catalogue refuses are not among them.
    #[must_use]
    pub fn usable(&self) -> Vec<Arc<PinnedTool>> {
        let snapshot = self.snapshot.load();
        let mut tools: Vec<Arc<PinnedTool>> = snapshot
            .values()
            .filter_map(|status| match status {
                PinStatus::Pinned(tool) if !tool.is_refused() => Some(Arc::clone(tool)),
                _ => None,
            })
            .collect();
        tools.sort_unstable_by(|a, b| a.definition.name.cmp(&b.definition.name));
        tools
    }

    /// The road's view, for [`resolve`](Self::resolve).
    pub(super) fn snapshot(&self) -> arc_swap::Guard<Arc<Snapshot>> {
        self.snapshot.load()
    }

    /// Compares one complete listing (all its pages) with the pins, and says what is new in it.
    /// The first listing that is not empty pins everything. Order does not matter.
    ///
    /// # Errors
    /// The listing is too long, or the pins could not be written. What the listing forbids is then
    /// in force all the same; what it would permit is not.
    pub fn observe(
        &self,
        listing: Vec<ToolDefinition>,
        at: Timestamp,
    ) -> Result<Vec<ToolEvent>, PinsError> {
        if listing.len() > MAX_TOOLS {
            return Err(PinsError::TooMany { count: listing.len() });
        }
        let mut kept = self.lock();
        let observed = self.change(&mut kept, |book| Ok(book.observe(listing, at)))?;
        let mut events = std::mem::take(&mut kept.untold);
        events.extend(observed);
        Ok(events)
    }

    /// Pins what the upstream offers of `tool`. With `reviewed`, only if that is still it: an
    /// operator pins what the shown difference said, not what came after.
    ///
    /// # Errors
    /// Nothing waits to be pinned, it is another definition, it cannot be used, or the pins could
    /// not be written.
    pub fn pin(
        &self,
        tool: &str,
        reviewed: Option<Digest>,
        at: Timestamp,
    ) -> Result<ToolEvent, PinsError> {
        self.change(&mut self.lock(), |book| book.pin(tool, reviewed, at))
    }

    /// Takes over what another process (the command line) pinned in the file.
    ///
    /// # Errors
    /// The file cannot be read; the pins stay as they were.
    pub fn refresh(&self) -> Result<Vec<ToolEvent>, PinsError> {
        let mut kept = self.lock();
        if let Some(newer) = self.file.read_if_changed(&kept.book)? {
            let pinned = newer.pinned_since(&kept.book);
            kept.untold.extend(pinned);
            self.snapshot.store(Arc::new(newer.snapshot()));
            kept.book = newer;
        }
        Ok(std::mem::take(&mut kept.untold))
    }

    /// All tools, by name, for people.
    #[must_use]
    pub fn list(&self) -> Vec<PinRow> {
        let catalogue = Catalogue::shipped();
        let state = self.lock();
        let tools = state.book.tools();
        tools
            .map(|(name, tool)| PinRow {
                name: name.clone(),
                effect: catalogue.effect(name),
                known: catalogue.entry(name).is_some(),
                status: tool.status(),
                pinned: tool.pinned().map(|it| (it.definition.digest, it.at, it.how)),
                offered: tool.offered().map(|it| (it.definition.digest, it.at)),
                warnings: tool.warnings(),
            })
            .collect()
    }

    /// The difference between the pinned and the offered definition as a unified diff of sorted,
    /// indented JSON; hidden characters are escaped. `None` if there is none.
    #[must_use]
    pub fn diff(&self, tool: &str) -> Option<String> {
        let state = self.lock();
        let kept = state.book.tool(tool)?;
        let offered = kept.offered()?;
        Some(diff::unified(tool, kept.pinned().map(|it| &it.definition), offered))
    }

    /// Changes the book on disk and in memory, in this order. The file is locked and read first,
    /// so that nothing another process wrote is lost.
    fn change<T>(
        &self,
        kept: &mut State,
        change: impl FnOnce(&mut Book) -> Result<T, PinsError>,
    ) -> Result<T, PinsError> {
        let lock = self.file.lock();
        let newer = match &lock {
            Ok(_) => self.file.read_if_changed(&kept.book),
            Err(_) => Ok(None),
        };
        let (newer, readable) = match newer {
            Ok(newer) => (newer, Ok(())),
            Err(error) => (None, Err(error)),
        };
        let untold = newer.as_ref().map(|newer| newer.pinned_since(&kept.book));
        let mut next = newer.unwrap_or_else(|| kept.book.clone());
        let outcome = change(&mut next)?;
        let written = lock.and_then(|_lock| {
            readable?;
            if next.same_content(&kept.book) { Ok(()) } else { self.file.write(&mut next) }
        });
        if let Err(error) = written {
            // What the change forbids holds in memory; what it permits waits for the disk.
            let stricter = stricter(&self.snapshot.load(), next.snapshot());
            self.snapshot.store(Arc::new(stricter));
            return Err(error);
        }
        self.snapshot.store(Arc::new(next.snapshot()));
        kept.book = next;
        kept.untold.extend(untold.into_iter().flatten());
        Ok(outcome)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `new`, but a tool is pinned only if it was pinned alike in `old`.
fn stricter(old: &Snapshot, mut new: Snapshot) -> Snapshot {
    for (name, status) in &mut new {
        let PinStatus::Pinned(tool) = status else { continue };
        let same = |old: &PinStatus| {
            matches!(old, PinStatus::Pinned(was)
                if was.definition.digest == tool.definition.digest)
        };
        if !old.get(name).is_some_and(same) {
            *status = PinStatus::New;
        }
    }
    new
}

/// Names a tool in an error or a text.
fn named(tool: &str) -> String {
    shown(tool, 60)
}

#[cfg(test)]
mod tests;
