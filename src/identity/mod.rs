//! Who calls: a credential becomes a principal, or 401; and who may release a hold.
//!
//! Second stop of the road, before anything of the request's body is read. It must never log a
//! key, never forward one, and never make an approver out of a principal's key or the reverse:
//! the two have key files, prefixes and types of their own.
//!
//! The choice that keeps it simple: a key is 256 random bits, so its SHA-256 is all that is kept
//! (a slow hash protects guessable passwords; these are not), and finding a key is looking up its
//! digest. No secret is ever compared byte by byte, so there is no timing to observe. Passwords are
//! the exception, and have a slow hash and a price on guessing.
//!
//! | file | who |
//! |---|---|
//! | `principals`, `bearer` | agents: a key or a token becomes a [`crate::domain::Principal`] |
//! | `people`, `accounts`, `administer`, `token` | people: the configuration's and those with accounts, their rights, their API tokens |
//! | `sign_in`, `second_factor`, `sessions`, `password`, `totp`, `lockout` | how people prove who they are in a browser |
//! | `journal`, `changes` | what the log says of people, their accounts, and everybody's keys |
//! | `paused` | which agents may call nothing for a while |
//! | `oidc` | how an organisation's provider vouches for people |
//! | `slack` | whose press of a button in Slack it was |
//! | `guests` | what the organisation said last of people whom nobody lists here |
//! | `person` | what comes out: a [`Person`] |

mod accounts;
mod administer;
mod bearer;
mod changes;
mod guests;
mod journal;
mod key_file;
mod key_table;
mod lockout;
mod oidc;
mod password;
mod paused;
mod people;
mod person;
mod principals;
mod second_factor;
mod sessions;
mod sign_in;
mod slack;
mod token;
mod totp;
mod watched;

pub use accounts::{Account, Accounts, AccountsError};
pub use administer::SETUP_VALID;
pub use bearer::{Unauthenticated, UnauthenticatedKind};
pub use changes::{Changes, ChangesError};
pub use guests::Guests;
pub use key_file::{Holder, IssuedKey, KeyEntry, KeyFile, KeysError, digest_of};
pub use oidc::{AWAY, Answer, Begun, OidcError, Provider};
pub use password::PasswordError;
pub use paused::{Pause, Paused, PausedError};
pub use people::{Listed, People, PeopleError};
pub use person::{Person, Via};
pub use principals::{Authenticated, Identity, own_principal};
pub use sessions::{Session, SessionError, SessionLimits, Told};
pub use sign_in::{Opened, SignIn, SignInError, SignedIn, form_token};
pub use slack::{Press, SlackError, SlackSigned};
pub use token::{ParseScopeError, Scope, Token};
pub use totp::Enrolment;

use crate::domain::{ApproverId, PrincipalId};

/// The keys of agents.
pub type PrincipalKeys = KeyFile<PrincipalId>;
/// The keys of approvers.
pub type ApproverKeys = KeyFile<ApproverId>;

#[cfg(test)]
mod tests;
