//! The audit log as others see it: appended to through [`Log`], read and verified from its files.
//!
//! Reading takes no lock and no database, so it works while the server runs, on a copy, and after
//! the server is gone. It must never change a file.

mod read;
#[cfg(test)]
mod tests;
mod verify;

pub use crate::store::{Flaw, Health, Log, LogError, Receipt};
pub use read::{Entry, Filter, Follow, From, ReadError, Tail, read, tail};
pub use verify::{Break, Report, check, verify};
