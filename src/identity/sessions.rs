//! Sessions: who signed in with which browser, and for how long that counts.
//!
//! A session's id is 256 random bits that only the browser has; the shelf knows its digest. What can
//! be looked up is not kept: rights come from the list of people at every use. People of an identity
//! provider are the exception, for nobody else knows their groups; these count until the session
//! ends.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::key_file::{digest_of, has_key_form, random_key};
use super::person::Via;
use crate::config::Secret;
use crate::domain::{ApproverId, Digest, Role, Timestamp};
use crate::store::{Shelf, ShelfError};

/// How an id begins.
const PREFIX: &str = "pcw_";
/// How exactly it is known when a session was last used.
const EXACT: Duration = Duration::from_secs(60);
/// Sessions of one person; the oldest makes room.
const EACH: usize = 20;

/// How long sessions last.
#[derive(Debug, Clone, Copy)]
pub struct SessionLimits {
    /// Without a request.
    pub idle: Duration,
    /// In any case.
    pub whole: Duration,
}

/// One session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Whose.
    pub name: ApproverId,
    /// How they proved it.
    pub via: Via,
    /// When.
    pub signed_at: Timestamp,
    /// When it was last used, to the minute.
    pub seen_at: Timestamp,
    /// When a second proof was last given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stepped_up_at: Option<Timestamp>,
    /// The browser, in its own words.
    pub browser: String,
    /// What an identity provider said of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Told>,
}

/// What an identity provider said of a person, mapped to our words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// For people to read.
    pub display: String,
    /// Groups of rules.
    pub groups: Vec<String>,
    /// Roles.
    pub roles: Vec<Role>,
}

/// Why a session could not be opened or ended.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The database.
    #[error(transparent)]
    Shelf(#[from] ShelfError),
    /// The system gave no randomness.
    #[error("the system's random source failed; nobody was signed in")]
    Random,
    /// What lies there is no session.
    #[error("a session is unreadable: {0}")]
    Format(#[from] serde_json::Error),
}

/// All sessions.
#[derive(Debug)]
pub(super) struct Sessions {
    shelf: Shelf,
    limits: SessionLimits,
}

impl Sessions {
    pub(super) const fn new(shelf: Shelf, limits: SessionLimits) -> Self {
        Self { shelf, limits }
    }

    /// Opens a session; what is returned is for the browser alone.
    pub(super) fn open(&self, session: &Session) -> Result<Secret, SessionError> {
        let mut own = self.of(&session.name)?;
        own.sort_by_key(|(_, session)| session.signed_at);
        for (key, _) in own.iter().take((own.len() + 1).saturating_sub(EACH)) {
            self.shelf.remove(key.as_bytes())?;
        }
        let id = random_key(PREFIX).map_err(|_| SessionError::Random)?;
        let key = digest_of(id.expose().as_bytes());
        self.shelf.put(key.as_bytes(), &serde_json::to_vec(session)?)?;
        Ok(id)
    }

    /// The session of an id, if it still counts, and notes that it was used.
    pub(super) fn find(
        &self,
        id: &str,
        now: Timestamp,
    ) -> Result<Option<(Digest, Session)>, SessionError> {
        if !has_key_form(id.as_bytes(), PREFIX) {
            return Ok(None);
        }
        let key = digest_of(id.as_bytes());
        let Some(bytes) = self.shelf.get(key.as_bytes())? else { return Ok(None) };
        let session: Session = serde_json::from_slice(&bytes)?;
        if !self.counts(&session, now) {
            self.shelf.remove(key.as_bytes())?;
            return Ok(None);
        }
        if now.since(session.seen_at) >= EXACT {
            let seen = serde_json::to_vec(&Session { seen_at: now, ..session.clone() })?;
            // If it was ended or changed meanwhile, that stays.
            self.shelf.swap(key.as_bytes(), Some(&bytes), Some(&seen))?;
        }
        Ok(Some((key, session)))
    }

    /// Ends a session for good: it is durable when this returns.
    pub(super) fn end(&self, key: &Digest) -> Result<bool, SessionError> {
        let ended = self.shelf.remove(key.as_bytes())?;
        self.shelf.sync()?;
        Ok(ended)
    }

    /// The sessions of a person.
    pub(super) fn of(&self, name: &ApproverId) -> Result<Vec<(Digest, Session)>, SessionError> {
        let mut all = self.all()?;
        all.retain(|(_, session)| session.name == *name);
        Ok(all)
    }

    /// Removes what no longer counts.
    pub(super) fn sweep(&self, now: Timestamp) -> Result<(), SessionError> {
        for (key, session) in self.all()? {
            if !self.counts(&session, now) {
                self.shelf.remove(key.as_bytes())?;
            }
        }
        Ok(())
    }

    fn all(&self) -> Result<Vec<(Digest, Session)>, SessionError> {
        let all = self.shelf.all()?.into_iter().filter_map(|(key, bytes)| {
            let key = Digest::from_bytes(key.try_into().ok()?);
            Some(serde_json::from_slice(&bytes).map(|session| (key, session)))
        });
        Ok(all.collect::<Result<_, _>>()?)
    }

    /// A clock that was set back ends nothing early and makes nothing longer: what lies in the
    /// future does not count.
    pub(super) fn counts(&self, session: &Session, now: Timestamp) -> bool {
        session.signed_at <= now
            && now.since(session.signed_at) < self.limits.whole
            && now.since(session.seen_at) < self.limits.idle
    }
}
