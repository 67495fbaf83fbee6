//! Who calls: a credential becomes a principal, or 401; and who may release a hold.
//!
//! Second stop of the road, before anything of the request's body is read. It must never log a
//! key, never forward one, and never make an approver out of a principal's key or the reverse:
//! the two have key files, prefixes and types of their own.
//!
//! The choice that keeps it simple: a key is 256 random bits, so its SHA-256 is all that is kept
//! (a slow hash protects guessable passwords; these are not), and finding a key is looking up its
//! digest. No secret is ever compared byte by byte, so there is no timing to observe.

mod bearer;
mod key_file;
mod key_table;
mod people;
mod person;
mod principals;

pub use bearer::{Unauthenticated, UnauthenticatedKind};
pub use key_file::{Holder, IssuedKey, KeyEntry, KeyFile, KeysError, digest_of};
pub use people::People;
pub use person::{Person, Via};
pub use principals::{Authenticated, Identity};

use crate::domain::{ApproverId, PrincipalId};

/// The keys of agents.
pub type PrincipalKeys = KeyFile<PrincipalId>;
/// The keys of approvers.
pub type ApproverKeys = KeyFile<ApproverId>;

#[cfg(test)]
mod tests;
