//! The audit log as others see it: appended to through [`Log`], read and verified from its files.
//!
//! Reading takes no lock and no database, so it works while the server runs, on a copy, and after
//! the server is gone. It must never change a file.

mod filter;
mod lines;
mod look;
mod read;
#[cfg(test)]
mod tests;
mod verify;

pub use crate::store::{Flaw, Health, Log, LogError, Receipt};
pub use filter::Filter;
pub use lines::Place;
pub use look::{Link, Look, Named, look, look_up};
pub use read::{Entry, Follow, From, ReadError, Reader, Tail, tail};
pub use verify::{Break, Report, verify};
