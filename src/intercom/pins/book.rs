//! The pins as a value: what is pinned, what is offered, and what a listing or a person changes.
//!
//! Pure: no file and no clock, so that every story of a changing upstream is a table in a test.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::file::PinsError;
use super::pinned::{How, PinnedTool, usable_schema};
use super::{PinStatus, Snapshot, ToolEvent, named};
use crate::domain::{Digest, Timestamp, ToolChange};
use crate::intercom::definition::ToolDefinition;

/// All tools ever pinned, and those offered now.
#[derive(Debug, Clone, Default)]
pub(super) struct Book {
    tools: BTreeMap<String, Kept>,
    /// What the file held when it was last read or written.
    pub(super) on_disk: Option<Digest>,
}

/// What is known of one tool. Never empty: something is pinned or offered.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) pinned: Option<Arc<PinnedTool>>,
    /// What the upstream offered last, unless it is what is pinned.
    pub(super) offered: Option<Arc<Offered>>,
    /// The last listing did not have it.
    pub(super) absent: bool,
}

/// A definition that nobody accepted.
#[derive(Debug)]
pub(super) struct Offered {
    pub(super) definition: ToolDefinition,
    /// When it was first seen.
    pub(super) at: Timestamp,
    /// The listing had the name more than once, so it is unclear which one is meant.
    pub(super) repeated: bool,
}

impl Book {
    pub(super) fn of(tools: BTreeMap<String, Kept>, on_disk: Digest) -> Self {
        Self { tools, on_disk: Some(on_disk) }
    }

    pub(super) fn tools(&self) -> impl Iterator<Item = (&String, &Kept)> {
        self.tools.iter()
    }

    pub(super) fn tool(&self, name: &str) -> Option<&Kept> {
        self.tools.get(name)
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        self.tools.iter().map(|(name, kept)| (name.clone(), kept.status())).collect()
    }

    /// Whether writing this book would leave the file as `other` has it.
    pub(super) fn same_content(&self, other: &Self) -> bool {
        self.on_disk == other.on_disk
            && self.tools.len() == other.tools.len()
            && self.tools.iter().zip(&other.tools).all(|((name, a), (other, b))| {
                let same_pin = match (&a.pinned, &b.pinned) {
                    (Some(a), Some(b)) => Arc::ptr_eq(a, b),
                    (None, None) => true,
                    _ => false,
                };
                let same_offer = match (&a.offered, &b.offered) {
                    (Some(a), Some(b)) => Arc::ptr_eq(a, b),
                    (None, None) => true,
                    _ => false,
                };
                name == other && same_pin && same_offer && a.absent == b.absent
            })
    }

    /// Takes in one complete listing.
    pub(super) fn observe(
        &mut self,
        listing: Vec<ToolDefinition>,
        at: Timestamp,
    ) -> Vec<ToolEvent> {
        let first_contact = self.tools.is_empty();
        let mut events = Vec::new();
        let mut offers: BTreeMap<String, (ToolDefinition, bool)> = BTreeMap::new();
        for definition in listing {
            match offers.get_mut(&definition.name) {
                None => {
                    offers.insert(definition.name.clone(), (definition, false));
                }
                Some((kept, repeated)) => {
                    *repeated = true;
                    // Of several, the one that is not pinned is what a person must see.
                    let pinned = self.tools.get(&kept.name).and_then(|it| it.pinned.as_ref());
                    if pinned.is_some_and(|it| it.definition.digest == kept.digest) {
                        *kept = definition;
                    }
                }
            }
        }
        for (name, kept) in &mut self.tools {
            kept.absent = !offers.contains_key(name);
        }
        // A tool that was never pinned and is gone leaves nothing behind.
        self.tools.retain(|_, kept| kept.pinned.is_some() || !kept.absent);
        for (name, (definition, repeated)) in offers {
            let kept = self.tools.remove(&name);
            let (kept, event) = match kept {
                None if first_contact && !repeated => first_seen(definition, at),
                kept => offered(kept, definition, repeated, at),
            };
            events.extend(event);
            self.tools.insert(name, kept);
        }
        events
    }

    /// Pins what is offered of `name`.
    pub(super) fn pin(
        &mut self,
        name: &str,
        reviewed: Option<Digest>,
        at: Timestamp,
    ) -> Result<ToolEvent, PinsError> {
        let unknown = || PinsError::Unknown { tool: named(name) };
        let kept = self.tools.get_mut(name).ok_or_else(unknown)?;
        let offered =
            kept.offered.as_ref().ok_or_else(|| PinsError::NothingOffered { tool: named(name) })?;
        let digest = offered.definition.digest;
        if offered.repeated {
            return Err(PinsError::Repeated { tool: named(name) });
        }
        if let Some(reviewed) = reviewed.filter(|reviewed| *reviewed != digest) {
            let (reviewed, offered) = (reviewed.short(), digest.short());
            return Err(PinsError::NotReviewed { tool: named(name), reviewed, offered });
        }
        if let Err(fault) = usable_schema(&offered.definition) {
            return Err(PinsError::Unusable { tool: named(name), fault: fault.to_string() });
        }
        let tool = PinnedTool::new(offered.definition.clone(), at, How::Operator);
        let before = kept.pinned.replace(Arc::new(tool)).map(|it| it.definition.digest);
        kept.offered = None;
        Ok(event(name, ToolChange::Pinned, digest, before))
    }

    /// What a person pinned between `before` and this book.
    pub(super) fn pinned_since(&self, before: &Self) -> Vec<ToolEvent> {
        let pinned = |book: &Self, name: &str| {
            book.tool(name).and_then(|kept| kept.pinned.as_ref()).map(|it| it.definition.digest)
        };
        let changed = self.tools.keys().filter_map(|name| {
            let (was, is) = (pinned(before, name), pinned(self, name)?);
            (was != Some(is)).then(|| event(name, ToolChange::Pinned, is, was))
        });
        changed.collect()
    }
}

fn first_seen(definition: ToolDefinition, at: Timestamp) -> (Kept, Option<ToolEvent>) {
    let seen = event(&definition.name, ToolChange::FirstSeen, definition.digest, None);
    let tool = Arc::new(PinnedTool::new(definition, at, How::FirstContact));
    (Kept { pinned: Some(tool), offered: None, absent: false }, Some(seen))
}

/// What becomes of a tool that is offered when others are pinned already.
fn offered(
    kept: Option<Kept>,
    definition: ToolDefinition,
    repeated: bool,
    at: Timestamp,
) -> (Kept, Option<ToolEvent>) {
    let (name, digest) = (definition.name.clone(), definition.digest);
    let (pinned, before) = kept.map_or((None, None), |kept| (kept.pinned, kept.offered));
    let pinned_digest = pinned.as_ref().map(|it| it.definition.digest);
    if pinned_digest == Some(digest) && !repeated {
        let event = before.map(|_| event(&name, ToolChange::Restored, digest, None));
        return (Kept { pinned, offered: None, absent: false }, event);
    }
    let known =
        before.filter(|before| before.definition.digest == digest && before.repeated == repeated);
    let (offer, event) = match known {
        Some(known) => (known, None),
        None => {
            let change = if pinned.is_some() { ToolChange::Changed } else { ToolChange::New };
            let other = pinned_digest.filter(|pinned| *pinned != digest);
            let offer = Arc::new(Offered { definition, at, repeated });
            (offer, Some(event(&name, change, digest, other)))
        }
    };
    (Kept { pinned, offered: Some(offer), absent: false }, event)
}

fn event(name: &str, change: ToolChange, definition: Digest, pinned: Option<Digest>) -> ToolEvent {
    ToolEvent { name: name.to_owned(), change, definition, pinned }
}

impl Kept {
    pub(super) fn pinned(&self) -> Option<&PinnedTool> {
        self.pinned.as_deref()
    }

    pub(super) fn offered(&self) -> Option<&Offered> {
        self.offered.as_deref()
    }

    pub(super) fn status(&self) -> PinStatus {
        match (&self.pinned, &self.offered) {
            _ if self.absent => PinStatus::Absent,
            (Some(_), Some(_)) => PinStatus::Changed,
            (None, _) => PinStatus::New,
            (Some(tool), None) => match &tool.schema {
                Ok(_) => PinStatus::Pinned(Arc::clone(tool)),
                Err(fault) => PinStatus::Unusable(Arc::clone(fault)),
            },
        }
    }

    /// What an operator should know of the newest definition.
    pub(super) fn warnings(&self) -> Vec<String> {
        let (definition, schema) = match (&self.offered, &self.pinned) {
            (Some(offered), _) => (&offered.definition, Some(usable_schema(&offered.definition))),
            (None, Some(pinned)) => (&pinned.definition, None),
            (None, None) => return Vec::new(),
        };
        let schema = schema.as_ref().or(self.pinned.as_ref().map(|it| &it.schema));
        let mut warnings = Vec::new();
        if self.offered.as_ref().is_some_and(|it| it.repeated) {
            warnings.push(String::from("the upstream lists the name more than once"));
        }
        match schema {
            Some(Err(fault)) => warnings.push(format!("cannot be used: {fault}")),
            Some(Ok(schema)) => warnings.extend(schema.notes.iter().cloned()),
            None => {}
        }
        warnings.extend(definition.warnings.iter().cloned());
        warnings
    }
}
