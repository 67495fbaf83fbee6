//! What the log says of people: who came in, and who did not.
//!
//! Whoever signs in is recorded before they are in. A record names an account that there is, and nothing
//! else that somebody typed: a password in the wrong field is in no log. Failures under names that nobody
//! has are counted together, so that guessing fills no disk.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::domain::{AccountChange, ApproverId, Event, Timestamp};
use crate::store::{Log, LogError};

/// Failures under names that nobody has are recorded this often at most.
const TOGETHER: Duration = Duration::from_secs(10);

/// Records what happens to accounts.
pub(super) struct Journal {
    log: Log,
    strangers: Mutex<Strangers>,
}

#[derive(Default)]
struct Strangers {
    count: u64,
    told_at: Timestamp,
}

impl Journal {
    pub(super) fn new(log: Log) -> Self {
        Self { log, strangers: Mutex::default() }
    }

    /// Records something about an account, durable before this returns.
    pub(super) async fn record(
        &self,
        account: &ApproverId,
        change: AccountChange,
        detail: Option<&str>,
    ) -> Result<(), LogError> {
        let _recorded = self.log.append(event(account, change, detail.map(str::to_owned))).await?;
        Ok(())
    }

    /// Records something that makes nothing looser, in its place of the order.
    pub(super) fn note(&self, account: &ApproverId, change: AccountChange, detail: Option<&str>) {
        let event = event(account, change, detail.map(str::to_owned));
        if let Err(error) = self.log.append_later(event) {
            tracing::error!(%error, "not recorded what happened to an account");
        }
    }

    /// Somebody gave a name that nobody has.
    pub(super) fn stranger(&self, now: Timestamp) {
        self.strangers.lock().unwrap_or_else(PoisonError::into_inner).count += 1;
        self.tell_of_strangers(now);
    }

    /// Records the failures of strangers that are not recorded yet, if it is time.
    pub(super) fn tell_of_strangers(&self, now: Timestamp) {
        let count = {
            let mut strangers = self.strangers.lock().unwrap_or_else(PoisonError::into_inner);
            if strangers.count == 0 || now.since(strangers.told_at) < TOGETHER {
                return;
            }
            strangers.told_at = now;
            std::mem::take(&mut strangers.count)
        };
        let change = AccountChange::SignInFailed;
        let event = Event::Account { account: None, change, detail: None, count };
        if let Err(error) = self.log.append_later(event) {
            tracing::error!(%error, "not recorded that sign-ins failed");
        }
    }
}

pub(super) fn event(account: &ApproverId, change: AccountChange, detail: Option<String>) -> Event {
    Event::Account { account: Some(account.clone()), change, detail, count: 1 }
}
