//! The records of grants that may still count, read back at start.
//!
//! A grant lasts an hour at most, so the newest files are enough: a walk through their lines that looks
//! closely at those about grants, and at what follows each. One that was changed afterwards is not
//! believed, and stops the start: what it let through would not be known.

use super::line::{self, Chain};
use super::segment::{self, Lines, SegmentName};
use super::{OpenError, Store};
use crate::domain::{Event, GrantEvent, GrantId, Timestamp};

/// What happened to a grant, and when.
pub type GrantRecord = (GrantId, Timestamp, GrantEvent);

impl Store {
    /// What happened to the grants that were given since a time, in the order of the log; what
    /// happened to older ones may be among it.
    ///
    /// # Errors
    /// If a file cannot be read, or a record of a grant is not as it was written.
    pub fn grant_events(&self, since: Timestamp) -> Result<Vec<GrantRecord>, OpenError> {
        let folder = &self.folder.path;
        let failed = |source| OpenError::io("read the grants in", folder, source);
        let names = segment::list(folder).map_err(failed)?;
        let mut begin = names.len();
        for (place, name) in names.iter().enumerate().rev() {
            begin = place;
            let mut lines = Lines::open(&name.path(folder), 0).map_err(failed)?;
            let first = lines.next().map_err(failed)?;
            let first = first.and_then(|first| line::read(first).ok());
            if first.is_some_and(|(record, _)| record.at < since) {
                break;
            }
        }
        let mut found = Vec::new();
        let mut before = None;
        for name in names.get(begin..).unwrap_or_default() {
            self.grants_of(*name, &mut before, &mut found)?;
        }
        Ok(found)
    }

    /// The grants of one file. `before` is where the chain stands behind the line of a grant.
    fn grants_of(
        &self,
        name: SegmentName,
        before: &mut Option<Chain>,
        found: &mut Vec<GrantRecord>,
    ) -> Result<(), OpenError> {
        let path = name.path(&self.folder.path);
        let failed = |source| OpenError::io("read the grants in", &path, source);
        let mut lines = Lines::open(&path, 0).map_err(failed)?;
        while let Some(line) = lines.next().map_err(failed)? {
            let is_grant = line::is_grant(line);
            if !is_grant && before.is_none() {
                continue;
            }
            let corrupt = |flaw: line::Flaw| OpenError::Corrupt {
                place: name.to_string(),
                what: format!("near the record of a grant: {flaw}"),
            };
            let (record, _) = line::read(line).map_err(corrupt)?;
            let start = Chain { next: record.seq.0, head: record.prev };
            let mut chain = before.take().unwrap_or(start);
            chain.step(line).map_err(corrupt)?;
            if let Event::Grant { grant, event } = record.event {
                *before = Some(chain);
                found.push((grant, record.at, event));
            }
        }
        Ok(())
    }
}
