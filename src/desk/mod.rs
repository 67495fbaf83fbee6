//! The approvers' desk: the one place that does what people may do with holds.
//!
//! The command line's socket, the console's pages and the interface for programs only translate to
//! the commands here; every right is checked behind them, in [`crate::gate`], and never in a page. A
//! command names the hold as it was on the screen: its version (how many events it was folded from)
//! and the digest of everything that would be sent. Whoever decides on something else is told how it
//! stands now. Who decides is a proven [`Person`], never a name in a request.
//!
//! What may be read: holds without contents by whoever runs Portcullis, contents by approvers,
//! auditors and admins. Reading never changes a hold.

mod alike;
mod batch;
mod commands;
mod detail;
mod error;
mod grants;
mod history;
mod inbox;
mod once;
mod pause;
mod snooze;

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;
use tokio::task::JoinHandle;

use crate::clock;
use crate::domain::{Digest, Hold, HoldId, HoldState, OnRelease, Role};
use crate::gate::{Deciding, Gate, Looked, ReleaseError};
use crate::holds::{Archive, Change, HoldView};
use crate::identity::{Identity, Person, Scope};
use crate::store::Shelf;
use crate::upstream::{Upstream, run_release};

pub use commands::Decided;
pub use detail::{Contents, Detail, Object, Present};
pub use error::DeskError;
pub use grants::{Offer, OfferTerm};
pub use history::{Lookback, PastPage, PastRow};
pub use inbox::{Filter, Flood, Page, Row};

use alike::Alike;
use batch::Looks;
use once::Once;
use snooze::Snoozes;

/// How long a person who releases waits to hear what came of it.
const FATE: Duration = Duration::from_secs(10);

/// The desk.
pub struct Desk {
    gate: Arc<Gate>,
    upstream: Arc<Upstream>,
    identity: Arc<Identity>,
    once: Once<Decided>,
    looks: Looks,
    archive: Archive,
    snoozes: Snoozes,
    alike: Alike,
}

/// A hold as it was on a person's screen.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    /// Which.
    pub id: HoldId,
    /// Its version; whatever it is now if absent.
    #[serde(default)]
    pub if_version: Option<u64>,
    /// The digest of everything that would be sent; the present one if absent.
    #[serde(default)]
    pub binding: Option<Digest>,
    /// The name of this one wish: the same wish again is answered as the first was.
    #[serde(default)]
    pub key: Option<String>,
}

impl Shown {
    /// A hold as it is now, whatever that is.
    #[must_use]
    pub const fn now(id: HoldId) -> Self {
        Self { id, if_version: None, binding: None, key: None }
    }
}

impl Desk {
    /// A desk on these rooms.
    #[must_use]
    pub fn new(
        gate: Arc<Gate>,
        upstream: Arc<Upstream>,
        identity: Arc<Identity>,
        archive: Archive,
        snoozes: Shelf,
    ) -> Self {
        let (once, looks, alike) = (Once::default(), Looks::default(), Alike::default());
        let snoozes = Snoozes::new(snoozes);
        Self { gate, upstream, identity, once, looks, archive, snoozes, alike }
    }

    /// Changes of holds from now on, and those after the change numbered `after`; `None` if that is
    /// too long ago, and everything must be looked at again.
    #[must_use]
    pub fn changes(
        &self,
        after: Option<u64>,
    ) -> (broadcast::Receiver<Change>, Option<Vec<Change>>) {
        self.gate.holds().changes(after)
    }

    /// The number of the last change so far.
    #[must_use]
    pub fn last_change(&self) -> u64 {
        self.gate.holds().last_change()
    }

    /// The holds as those see them who run Portcullis: nothing of what the calls contain.
    #[must_use]
    pub fn views(&self, all: bool) -> Vec<HoldView> {
        let holds = self.gate.holds().snapshot(|hold| all || hold.needs_people());
        holds.iter().map(HoldView::from).collect()
    }

    /// Sends every released hold that waits for nothing but its turn: Intercom was away, or the
    /// process was.
    pub fn take_up_releases(self: &Arc<Self>) {
        let mut ready = Vec::new();
        let holds = self.gate.holds();
        holds.for_each(|hold| {
            // An approval that was just given is being released by whoever took it.
            let settled = clock::now().since(hold.changed_at) > Duration::from_secs(3);
            if settled && hold.opened.on_release == OnRelease::Send && holds.is_ready(hold) {
                ready.push(hold.id);
            }
        });
        for id in ready {
            self.release(id);
        }
    }

    /// Runs a release in a task of its own: whoever asked may leave, the release goes on.
    fn release(self: &Arc<Self>, id: HoldId) -> JoinHandle<Result<(), ReleaseError>> {
        let (upstream, identity) = (self.upstream.clone(), self.identity.clone());
        tokio::spawn(async move {
            let released = run_release(upstream, identity, None, id).await;
            if let Err(error) = &released {
                tracing::warn!(hold = %id, %error, "release did not run");
            }
            released
        })
    }

    /// Waits a little for a release to end, so that whoever released it sees what came of it.
    async fn fate(&self, hold: Hold, released: JoinHandle<Result<(), ReleaseError>>) -> Decided {
        let ended = tokio::time::timeout(FATE, released).await;
        let hold = self.gate.holds().hold(hold.id).unwrap_or(hold);
        let words = match (hold.state, ended) {
            (HoldState::Approved | HoldState::Claimed, Ok(Ok(Err(ReleaseError::Later(why))))) => {
                format!("not sent yet, Portcullis will try again: {why}")
            }
            (HoldState::Executed, _) => "sent, and Intercom did it".to_owned(),
            (HoldState::Approved | HoldState::Claimed | HoldState::Sending, _) => {
                "being sent; `portcullis holds show` tells how it ends".to_owned()
            }
            (HoldState::Pending | HoldState::Stale, _) => {
                let changed = hold.changed.as_deref().unwrap_or("what it was bound to changed");
                format!("not sent: {changed}; it waits for a new decision")
            }
            _ => HoldView::from(&hold).outcome.unwrap_or_else(|| hold.state.to_string()),
        };
        Decided::new(&hold, words)
    }

    /// What a person releases, with what it would change read anew. What cannot be read is told.
    async fn releasing<'a>(&'a self, person: &'a Person, shown: &Shown) -> Deciding<'a> {
        self.deciding(person, shown, self.look(shown.id).await)
    }

    /// What a person decides on without sending anything: that must be possible while Intercom is
    /// away, so it is only asked where rules look at what the call would change.
    async fn wishing<'a>(&'a self, person: &'a Person, shown: &Shown) -> Deciding<'a> {
        let asked = self.gate.ruleset().looks_at_targets();
        let looked = if asked { self.look(shown.id).await } else { Looked::Nothing };
        self.deciding(person, shown, looked)
    }

    fn deciding<'a>(&'a self, person: &'a Person, shown: &Shown, looked: Looked) -> Deciding<'a> {
        Deciding {
            person,
            hold: shown.id,
            if_version: shown.if_version,
            shown: shown.binding,
            looked,
            identity: &self.identity,
        }
    }

    /// What the call of a hold would change, as it is now. Without a token of its own Portcullis
    /// cannot look; what the agent's token showed when the call was held must do, and is compared
    /// again with the agent's token before anything is sent.
    async fn look(&self, id: HoldId) -> Looked {
        self.upstream.target_of_hold(None, id, &self.identity).await
    }

    async fn look_at(&self, hold: &Hold) -> Looked {
        self.upstream.target_of(None, hold, &self.identity).await
    }
}

/// Refuses people without a role that reads, and tokens that are not for reading.
fn reads(person: &Person) -> Result<(), DeskError> {
    if !person.may(Scope::HoldsRead) {
        return Err(DeskError::scope(Scope::HoldsRead));
    }
    if Role::ALL.iter().any(|role| person.is(*role)) {
        return Ok(());
    }
    Err(DeskError::role("approver, auditor or admin"))
}

/// Refuses people who are no approvers, and tokens that are not for deciding.
fn decides(person: &Person) -> Result<(), DeskError> {
    if !person.may(Scope::HoldsDecide) {
        return Err(DeskError::scope(Scope::HoldsDecide));
    }
    if person.is(Role::Approver) { Ok(()) } else { Err(DeskError::role("approver")) }
}

/// Refuses people who may not make things stricter, by pausing an agent or taking a grant back: any
/// approver may, and any admin, with a credential for deciding.
fn restrains(person: &Person) -> Result<(), DeskError> {
    if !person.may(Scope::HoldsDecide) {
        return Err(DeskError::scope(Scope::HoldsDecide));
    }
    if person.is(Role::Approver) || person.is(Role::Admin) {
        return Ok(());
    }
    Err(DeskError::role("approver or admin"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_may_what_its_scopes_say_and_its_owner_may() {
        let (approver, auditor) = ([Role::Approver].as_slice(), [Role::Auditor].as_slice());
        let admin = [Role::Admin].as_slice();
        let (read, decide) = ([Scope::HoldsRead].as_slice(), [Scope::HoldsDecide].as_slice());
        for (roles, scopes, may_read, may_decide, may_restrain) in [
            (approver, None, true, true, true),
            (auditor, None, true, false, false),
            (admin, None, true, false, true),
            ([].as_slice(), None, false, false, false),
            (approver, Some(read), true, false, false),
            (approver, Some(decide), false, true, true),
            (admin, Some(read), true, false, false),
            (admin, Some(decide), false, false, true),
            (approver, Some(Scope::ALL.as_slice()), true, true, true),
            (approver, Some([].as_slice()), false, false, false),
            (auditor, Some(Scope::ALL.as_slice()), true, false, false),
        ] {
            let person = Person::for_test("ann", &[], roles, clock::now());
            let person = match scopes {
                Some(scopes) => person.with_scopes(scopes),
                None => person,
            };
            assert_eq!(reads(&person).is_ok(), may_read, "{roles:?} {scopes:?}");
            assert_eq!(decides(&person).is_ok(), may_decide, "{roles:?} {scopes:?}");
            assert_eq!(restrains(&person).is_ok(), may_restrain, "{roles:?} {scopes:?}");
        }
    }
}
