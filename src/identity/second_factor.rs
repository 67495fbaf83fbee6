//! The second factor of a person: set up, asked for, taken once.
//!
//! What is offered to somebody is kept nowhere: it goes to their browser sealed, and comes back with
//! a code that shows that their app has it.

use super::accounts::Account;
use super::person::{Person, Via};
use super::sign_in::{Opened, SignIn, SignInError, SignedIn};
use super::totp::{Enrolment, Totp};
use crate::config::Secret;
use crate::domain::{AccountChange, ApproverId, Timestamp};

impl SignIn {
    /// Whether a person has a second factor here.
    #[must_use]
    pub fn has_second_factor(&self, person: &Person) -> bool {
        self.local(person).is_ok_and(|account| account.has_totp())
    }

    /// A second proof: the code of the app. The session gets a new id.
    ///
    /// # Errors
    /// If the code is wrong, or there is no second factor.
    pub async fn step_up(
        &self,
        signed: &SignedIn,
        code: &str,
        browser: &str,
        now: Timestamp,
    ) -> Result<Opened, SignInError> {
        let account = self.local(&signed.person)?;
        if !account.has_totp() {
            return Err(SignInError::NoSecondFactor);
        }
        let counted = format!("code/{}", account.name.as_str().to_ascii_lowercase());
        self.lockout.attempt(&counted, now).map_err(SignInError::Wait)?;
        if !self.code_is_good(&account, code, now)? {
            return Err(self.failed(&account.name, &counted, now));
        }
        self.lockout.forgive(&counted);
        self.journal.record(&account.name, AccountChange::SteppedUp, None).await?;
        self.sessions.end(&signed.key)?;
        let since = signed.person.signed_at;
        self.begin_since(&account.name, Via::Password, None, Some(now), browser, since, now)
    }

    /// A secret for a second factor, to be shown once and confirmed by [`SignIn::enrol`]. Nothing
    /// is kept: what is shown comes back sealed.
    ///
    /// # Errors
    /// If the person has a second factor already, or no local account.
    pub fn offer(&self, person: &Person) -> Result<(Enrolment, String), SignInError> {
        let account = self.local(person)?;
        if account.has_totp() {
            return Err(SignInError::HasSecondFactor);
        }
        let totp = Totp::random().ok_or(SignInError::Machine)?;
        let shown = totp.enrolment(account.name.as_str()).ok_or(SignInError::Machine)?;
        let sealed = self.sealer.seal(&offered(&account.name), totp.bytes());
        Ok((shown, sealed.map_err(|_| SignInError::Machine)?))
    }

    /// What was offered, to be shown again.
    ///
    /// # Errors
    /// If it was not offered to this person.
    pub fn offered(&self, person: &Person, sealed: &str) -> Result<Enrolment, SignInError> {
        let totp = self.sealer.open(&offered(&person.id), sealed);
        let totp = Totp::from_bytes(totp.map_err(|_| SignInError::Wrong)?);
        totp.enrolment(person.id.as_str()).ok_or(SignInError::Machine)
    }

    /// Sets up the second factor that was offered, if the code shows that the app has it and the
    /// password that it is its owner who sits there.
    ///
    /// # Errors
    /// If code or password is wrong.
    pub async fn enrol(
        &self,
        signed: &SignedIn,
        sealed: &str,
        code: &str,
        password: Secret,
        browser: &str,
        now: Timestamp,
    ) -> Result<Opened, SignInError> {
        let account = self.proven_again(&signed.person, password, now).await?;
        let opened = self.sealer.open(&offered(&account.name), sealed);
        let totp = Totp::from_bytes(opened.map_err(|_| SignInError::Wrong)?);
        let step = totp.step(code, now, None).ok_or(SignInError::Wrong)?;
        let kept = self.sealer.seal(&second_factor(&account.name), totp.bytes());
        let kept = kept.map_err(|_| SignInError::Machine)?;
        self.people.accounts().change_one(account.name.as_str(), |account| {
            if account.totp.is_some() {
                return Ok(Err(SignInError::HasSecondFactor));
            }
            account.totp = Some(kept);
            // Sessions that were opened with less are over.
            account.sessions_from = now;
            Ok(Ok(()))
        })??;
        self.steps.put(account.name.as_str().as_bytes(), &step.to_be_bytes())?;
        self.changed()?;
        self.sessions.end(&signed.key)?;
        self.begin(&account.name, Via::Password, None, Some(now), browser, now)
    }

    /// Whether a code is good now, and takes it: no code is good twice.
    pub(super) fn code_is_good(
        &self,
        account: &Account,
        code: &str,
        now: Timestamp,
    ) -> Result<bool, SignInError> {
        let name = account.name.as_str();
        let sealed = account.totp.as_deref().unwrap_or_default();
        let opened = self.sealer.open(&second_factor(&account.name), sealed);
        let totp = Totp::from_bytes(opened.map_err(|_| SignInError::Machine)?);
        let last = self.steps.get(name.as_bytes())?;
        let last_step = last.as_deref().and_then(|it| it.try_into().ok()).map(u64::from_be_bytes);
        let Some(step) = totp.step(code, now, last_step) else { return Ok(false) };
        let taken = self.steps.swap(name.as_bytes(), last.as_deref(), Some(&step.to_be_bytes()))?;
        self.steps.sync()?;
        Ok(taken)
    }
}

fn offered(name: &ApproverId) -> String {
    format!("second factor offered/{name}")
}

fn second_factor(name: &ApproverId) -> String {
    format!("second factor/{name}")
}
