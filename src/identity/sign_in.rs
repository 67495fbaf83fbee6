//! Signing in and staying signed in: password and session.
//!
//! Whatever is wrong, the answer is the same and takes the same time, so that nobody learns which
//! names exist or which half was right. A session's id changes with every proof that is given, so
//! that an id somebody knew before is worth nothing after.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::accounts::{Account, AccountsError};
use super::journal::Journal;
use super::key_file::digest_of;
use super::lockout::Lockout;
use super::people::People;
use super::person::{Person, Via};
use super::sessions::{Session, SessionError, SessionLimits, Sessions, Told};
use super::{PasswordError, password};
use crate::config::Secret;
use crate::domain::{AccountChange, ApproverId, Digest, Timestamp};
use crate::store::{LogError, Sealer, Shelf, ShelfError, Store};

/// Hashes at once: each takes 19 MiB and most of a processor.
const HASHING: usize = 2;
/// How long somebody waits for a turn.
const TURN: Duration = Duration::from_secs(10);
/// Characters of a browser's name that are kept.
const BROWSER: usize = 160;

/// Why somebody was not let in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Name, password or code.
    #[error("the name, the password or the code is wrong")]
    Wrong,
    /// Too many failures.
    #[error("too many attempts failed; try again in {}", span(*.0))]
    Wait(Duration),
    /// Too many sign in at this moment.
    #[error("too many people sign in at this moment; try again in a few seconds")]
    Busy,
    /// A second factor was asked for, and there is none.
    #[error("you have no second factor yet; set one up on your account's page")]
    NoSecondFactor,
    /// There is one already.
    #[error("you have a second factor already; `portcullis people totp-reset NAME` takes it away")]
    HasSecondFactor,
    /// Not a local account.
    #[error("you sign in at your organisation; password and second factor are its business")]
    NotLocal,
    /// The new password.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The file of accounts.
    #[error(transparent)]
    Accounts(#[from] AccountsError),
    /// Sessions.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The database.
    #[error(transparent)]
    Shelf(#[from] ShelfError),
    /// The log: nobody comes in unrecorded.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The machine.
    #[error("the sign-in could not be completed on this machine; nothing was changed")]
    Machine,
}

/// A span as people say it.
fn span(wait: Duration) -> String {
    match wait.as_secs() {
        seconds if seconds < 90 => format!("{} s", seconds.max(1)),
        seconds => format!("{} min", seconds.div_ceil(60)),
    }
}

/// Somebody with a session.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Who.
    pub person: Person,
    /// The session's key in lists.
    pub key: Digest,
}

/// A session that was just opened, and the id for the browser alone.
#[derive(Debug)]
pub struct Opened {
    /// Who.
    pub person: Person,
    /// The id.
    pub id: Secret,
}

/// Signs people in.
pub struct SignIn {
    pub(super) people: Arc<People>,
    pub(super) sessions: Sessions,
    pub(super) lockout: Lockout,
    hashing: Semaphore,
    pub(super) sealer: Sealer,
    /// The last step of each second factor that was used.
    pub(super) steps: Shelf,
    pub(super) journal: Journal,
}

impl SignIn {
    /// Puts it together.
    ///
    /// # Errors
    /// If the database fails.
    pub fn open(
        people: Arc<People>,
        store: &Store,
        limits: SessionLimits,
    ) -> Result<Self, ShelfError> {
        Ok(Self {
            people,
            sessions: Sessions::new(store.shelf("sessions")?, limits),
            lockout: Lockout::default(),
            hashing: Semaphore::new(HASHING),
            sealer: store.sealer(),
            steps: store.shelf("steps")?,
            journal: Journal::new(store.log()),
        })
    }

    /// The people.
    #[must_use]
    pub fn people(&self) -> &People {
        &self.people
    }

    /// Signs in by name and password, and a code if the account has a second factor.
    ///
    /// # Errors
    /// If anything of it is wrong, or too much was.
    pub async fn by_password(
        &self,
        name: &str,
        password: Secret,
        code: &str,
        browser: &str,
        now: Timestamp,
    ) -> Result<Opened, SignInError> {
        let counted = name.to_ascii_lowercase();
        self.lockout.attempt(&counted, now).map_err(SignInError::Wait)?;
        let account = name.parse().ok().and_then(|name| self.people.account(&name));
        let kept = account.as_ref().and_then(|account| account.password.clone());
        let right = self.hashed(move || password::is(&password, kept.as_deref())).await?;
        let Some(account) = account else {
            self.journal.stranger(now);
            return Err(SignInError::Wrong);
        };
        let second = account.has_totp();
        if !right || (second && !self.code_is_good(&account, code, now)?) {
            return Err(self.failed(&account.name, &counted, now));
        }
        self.lockout.forgive(&counted);
        let how = if second { "with password and second factor" } else { "with password" };
        self.journal.record(&account.name, AccountChange::SignedIn, Some(how)).await?;
        self.begin(&account.name, Via::Password, None, second.then_some(now), browser, now)
    }

    /// Signs in somebody whom an identity provider vouched for.
    ///
    /// # Errors
    /// If no session could be opened.
    pub(super) async fn by_provider(
        &self,
        name: &ApproverId,
        told: Told,
        stepped_up_at: Option<Timestamp>,
        browser: &str,
        now: Timestamp,
    ) -> Result<Opened, SignInError> {
        let how = Some("at the organisation");
        self.journal.record(name, AccountChange::SignedIn, how).await?;
        self.people.told(name, &told, now)?;
        self.begin(name, Via::Oidc, Some(told), stepped_up_at, browser, now)
    }

    /// Opens the account of a set-up link's owner: sets the password and signs in.
    ///
    /// # Errors
    /// If the link is not good, or the password not good enough.
    pub async fn by_setup(
        &self,
        link: Secret,
        new: Secret,
        browser: &str,
        now: Timestamp,
    ) -> Result<Opened, SignInError> {
        let accounts = self.people.accounts().clone();
        let name = self.hashed(move || accounts.finish_setup(&link, &new, now)).await??;
        self.changed()?;
        self.lockout.forgive(&name.as_str().to_ascii_lowercase());
        let how = Some("by a set-up link");
        self.journal.record(&name, AccountChange::SignedIn, how).await?;
        self.begin(&name, Via::Password, None, None, browser, now)
    }

    /// Who has the session of an id, if anybody.
    ///
    /// # Errors
    /// If the database fails: then nobody is known.
    pub fn by_session(&self, id: &str, now: Timestamp) -> Result<Option<SignedIn>, SessionError> {
        let Some((key, session)) = self.sessions.find(id, now)? else { return Ok(None) };
        Ok(self.person_of(&session).map(|person| SignedIn { person, key }))
    }

    /// Ends a session. It is over for good when this returns.
    ///
    /// # Errors
    /// If the database fails.
    pub fn end(&self, signed: &SignedIn) -> Result<(), SessionError> {
        if self.sessions.end(&signed.key)? {
            self.journal.note(&signed.person.id, AccountChange::SignedOut, None);
        }
        Ok(())
    }

    /// The sessions of a person that count now, newest first.
    ///
    /// # Errors
    /// If the database fails.
    pub fn sessions_of(
        &self,
        person: &Person,
        now: Timestamp,
    ) -> Result<Vec<(Digest, Session)>, SessionError> {
        let mut all = self.sessions.of(&person.id)?;
        all.retain(|(_, session)| {
            self.sessions.counts(session, now) && self.person_of(session).is_some()
        });
        all.sort_by_key(|(_, session)| std::cmp::Reverse(session.signed_at));
        Ok(all)
    }

    /// Ends one session of a person, by its short name; says whether there was one.
    ///
    /// # Errors
    /// If the database fails.
    pub fn end_of(&self, person: &Person, short: &str) -> Result<bool, SessionError> {
        let own = self.sessions.of(&person.id)?;
        match own.iter().find(|(key, _)| key.short() == short) {
            Some((key, _)) => {
                let ended = self.sessions.end(key)?;
                self.journal.note(
                    &person.id,
                    AccountChange::SignedOut,
                    Some("a session of the list"),
                );
                Ok(ended)
            }
            None => Ok(false),
        }
    }

    /// Changes one's own password; every session ends but a new one.
    ///
    /// # Errors
    /// If the old one is wrong, or the new one not good enough.
    pub async fn change_password(
        &self,
        signed: &SignedIn,
        old: Secret,
        new: Secret,
        browser: &str,
        now: Timestamp,
    ) -> Result<Opened, SignInError> {
        let account = self.proven_again(&signed.person, old, now).await?;
        let (accounts, name) = (self.people.accounts().clone(), account.name.clone());
        self.hashed(move || accounts.set_password(name.as_str(), &new, now)).await??;
        self.changed()?;
        self.sessions.end(&signed.key)?;
        let stepped_up_at = signed.person.stepped_up_at;
        self.begin(&account.name, Via::Password, None, stepped_up_at, browser, now)
    }

    /// Removes sessions that no longer count. To be called every minute or so.
    ///
    /// # Errors
    /// If the database fails.
    pub fn sweep(&self, now: Timestamp) -> Result<(), SessionError> {
        self.journal.tell_of_strangers(now);
        self.sessions.sweep(now)
    }

    /// Asks somebody who is signed in for the password once more.
    pub(super) async fn proven_again(
        &self,
        person: &Person,
        password: Secret,
        now: Timestamp,
    ) -> Result<Account, SignInError> {
        let account = self.local(person)?;
        let counted = account.name.as_str().to_ascii_lowercase();
        self.lockout.attempt(&counted, now).map_err(SignInError::Wait)?;
        let kept = account.password.clone();
        if !self.hashed(move || password::is(&password, kept.as_deref())).await? {
            return Err(self.failed(&account.name, &counted, now));
        }
        self.lockout.forgive(&counted);
        Ok(account)
    }

    /// Notes that an attempt failed, and that nobody may try for a while if it was one too many. It is
    /// not waited for: a name that nobody has is answered as fast.
    pub(super) fn failed(&self, name: &ApproverId, counted: &str, now: Timestamp) -> SignInError {
        self.journal.note(name, AccountChange::SignInFailed, None);
        if self.lockout.waits(counted, now) {
            self.journal.note(name, AccountChange::LockedOut, None);
        }
        SignInError::Wrong
    }

    pub(super) fn local(&self, person: &Person) -> Result<Account, SignInError> {
        if person.via != Via::Password {
            return Err(SignInError::NotLocal);
        }
        self.people.account(&person.id).ok_or(SignInError::Wrong)
    }

    pub(super) fn begin(
        &self,
        name: &ApproverId,
        via: Via,
        told: Option<Told>,
        stepped_up_at: Option<Timestamp>,
        browser: &str,
        now: Timestamp,
    ) -> Result<Opened, SignInError> {
        self.begin_since(name, via, told, stepped_up_at, browser, now, now)
    }

    #[expect(clippy::too_many_arguments, reason = "the facts of a session, each once")]
    pub(super) fn begin_since(
        &self,
        name: &ApproverId,
        via: Via,
        told: Option<Told>,
        stepped_up_at: Option<Timestamp>,
        browser: &str,
        signed_at: Timestamp,
        now: Timestamp,
    ) -> Result<Opened, SignInError> {
        let visible = browser.chars().filter(|letter| !crate::domain::is_hidden(*letter));
        let browser = visible.take(BROWSER).collect();
        let name = name.clone();
        let session = Session { name, via, signed_at, seen_at: now, stepped_up_at, browser, told };
        let person = self.person_of(&session).ok_or(SignInError::Wrong)?;
        Ok(Opened { person, id: self.sessions.open(&session)? })
    }

    /// Who has a session, with the rights of this moment. What a provider told counts only for
    /// people of whom we know nothing better.
    fn person_of(&self, session: &Session) -> Option<Person> {
        let known = self.people.person(&session.name, session.via, session.signed_at);
        let person = match (&session.told, known) {
            (Some(_), Some(person)) => person,
            (Some(told), None) if self.people.is_readable() => {
                Person::told(&session.name, told, session.signed_at)
            }
            (Some(_), None) => return None,
            (None, known) => {
                let account = self.people.account(&session.name)?;
                if session.signed_at < account.sessions_from {
                    return None;
                }
                known?
            }
        };
        Some(person.stepped_up(session.stepped_up_at))
    }

    /// Makes a change of the file count at once.
    pub(super) fn changed(&self) -> Result<(), SignInError> {
        match self.people.reload() {
            Ok(_) => Ok(()),
            Err(super::PeopleError::Accounts(error)) => Err(error.into()),
            Err(super::PeopleError::Keys(_)) => Err(SignInError::Machine),
        }
    }

    /// Runs work of a hash when it is its turn, off the threads that serve.
    async fn hashed<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, SignInError> {
        let turn = tokio::time::timeout(TURN, self.hashing.acquire()).await;
        let _turn = turn.map_err(|_| SignInError::Busy)?.map_err(|_| SignInError::Machine)?;
        tokio::task::spawn_blocking(work).await.map_err(|_| SignInError::Machine)
    }
}

/// What a page's forms must bring along, so that no other page can send them: made from the
/// session's id, of which it tells nothing.
#[must_use]
pub fn form_token(id: &str) -> String {
    Digest::of("portcullis/form/v1", &[digest_of(id.as_bytes()).as_bytes(), id.as_bytes()])
        .to_string()
        .split_off("sha256:".len())
}
