//! Shelves: small values by name that are no records, such as sessions and notices on their way.
//!
//! What lies here is convenience, never truth: a database that is made anew from the log begins with
//! empty shelves, and everybody signs in again. A value is written at once and durable after
//! [`Shelf::sync`]; without it, a crash may bring back what was taken away, so whoever ends
//! something syncs before saying so.

use std::sync::Arc;

use super::folder::Lock;
use super::index::{Index, IndexError, Table};

/// Why a shelf could not be used.
#[derive(Debug, thiserror::Error)]
#[error("the database cannot be used: {0}")]
pub struct ShelfError(String);

impl From<IndexError> for ShelfError {
    fn from(error: IndexError) -> Self {
        Self(error.to_string())
    }
}

/// A name and the value that lies under it.
pub type Lying = (Vec<u8>, Vec<u8>);

/// Values by name. Cheap to clone.
#[derive(Clone)]
pub struct Shelf {
    table: Table,
    index: Arc<Index>,
    /// While a shelf is in use, no other process takes the folder.
    _lock: Arc<Lock>,
}

impl std::fmt::Debug for Shelf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shelf")
    }
}

impl Shelf {
    pub(super) fn open(
        index: &Arc<Index>,
        lock: &Arc<Lock>,
        name: &str,
    ) -> Result<Self, ShelfError> {
        Ok(Self { table: index.table(name)?, index: index.clone(), _lock: lock.clone() })
    }

    /// What lies under a name.
    ///
    /// # Errors
    /// If the database fails.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ShelfError> {
        Ok(self.table.get(key)?)
    }

    /// Lays a value down, in place of what lay there.
    ///
    /// # Errors
    /// If the database fails.
    pub fn put(&self, key: &[u8], value: &[u8]) -> Result<(), ShelfError> {
        Ok(self.table.put(key, value)?)
    }

    /// Replaces a value if it is still `old`; says whether it was. `None` is nothing there.
    ///
    /// # Errors
    /// If the database fails.
    pub fn swap(
        &self,
        key: &[u8],
        old: Option<&[u8]>,
        new: Option<&[u8]>,
    ) -> Result<bool, ShelfError> {
        Ok(self.table.swap(key, old, new)?)
    }

    /// Takes a value away; says whether there was one.
    ///
    /// # Errors
    /// If the database fails.
    pub fn remove(&self, key: &[u8]) -> Result<bool, ShelfError> {
        Ok(self.table.remove(key)?)
    }

    /// Everything, in the order of the names.
    ///
    /// # Errors
    /// If the database fails.
    pub fn all(&self) -> Result<Vec<Lying>, ShelfError> {
        Ok(self.table.all()?)
    }

    /// Makes what was written durable. Blocks for as long as the disk takes.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn sync(&self) -> Result<(), ShelfError> {
        Ok(self.index.sync()?)
    }
}
