//! The live view of held calls.
//!
//! The log's hold events are the truth; this map is only their fold, rebuilt at start. Every step
//! takes the hold's own lock, checks the transition on the fold, appends the event, and changes the
//! map only after the receipt: of two people who decide at once, one finds the hold already
//! decided. Waiters are woken after the record, never before it.

mod archive;
mod entry;
mod feed;
mod grants;
mod memory;
#[cfg(test)]
mod tests;
mod view;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{broadcast, watch};

use crate::audit::{Log, LogError, Receipt};
use crate::clock;
use crate::domain::{
    Binding, Event, Hold, HoldEvent, HoldId, HoldState, IllegalTransition, Opened, PrincipalId,
    Timestamp,
};

use entry::Entry;
use feed::Feed;
use memory::Memory;

pub use archive::{ARCHIVED, Archive, Finding, Past};
pub use feed::Change;
pub use grants::{Grants, Place};
pub use view::{HoldView, OwnView};

/// Why a hold could not take a step. The hold is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum HoldError {
    /// There is no such hold.
    #[error("there is no hold `{0}`; `portcullis holds list --all` shows all of them")]
    Unknown(HoldId),
    /// Its state does not allow the step.
    #[error("hold {id} is {state}: {source}")]
    Illegal {
        /// The hold.
        id: HoldId,
        /// Where it stands.
        state: HoldState,
        /// Why not.
        source: IllegalTransition,
    },
    /// It changed while somebody was deciding on what it was.
    #[error("hold {0} has changed since it was looked at; look at it again")]
    Moved(HoldId),
    /// The principal has too many open holds.
    #[error(
        "{limit} calls of `{principal}` already wait for a person; wait until some are decided"
    )]
    TooMany {
        /// Whose.
        principal: PrincipalId,
        /// The limit.
        limit: usize,
    },
    /// The state of a round names another call's hold.
    #[error("this hold belongs to another call; repeat the call without `requestState`")]
    OtherCall,
    /// The record could not be written, so nothing happened.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// All holds of this installation that can still matter to somebody.
pub struct Holds {
    log: Log,
    pending_limit: usize,
    room: Arc<Room>,
    /// Held while a hold is looked for and opened.
    opening: tokio::sync::Mutex<()>,
    /// Holds found `claimed` at start: their worker is gone.
    orphans: Mutex<HashSet<HoldId>>,
}

/// What steps change once they are recorded.
struct Room {
    memory: Memory,
    feed: Feed,
}

/// How long an outcome that was delivered still answers an identical call: the answer may have been
/// lost on its last step, and a repeated write is worse than a repeated answer.
const REPLAY: Duration = Duration::from_secs(120);

impl Holds {
    /// Rebuilds the view from the log's hold events, oldest first. A hold with an event that cannot
    /// follow becomes `unknown`.
    #[must_use]
    pub fn replay(
        log: Log,
        pending_limit: usize,
        events: impl IntoIterator<Item = (HoldId, Timestamp, HoldEvent)>,
    ) -> Self {
        let mut folded: HashMap<HoldId, Hold> = HashMap::new();
        let mut now = clock::now();
        for (id, at, event) in events {
            // A wall clock that was set back while nothing ran gives nobody more time either.
            now = now.max(at);
            if let HoldEvent::Opened(opened) = event {
                folded.insert(id, Hold::open(id, at, *opened));
            } else if let Some(hold) = folded.get_mut(&id) {
                *hold = match hold.apply(at, &event) {
                    Ok(next) => next,
                    // Whatever followed cannot be believed either; above all, nothing may be sent.
                    Err(error) => {
                        tracing::error!(hold = %id, %error, "a hold's records do not fit");
                        hold.lost_track(at, "the records of this hold do not fit together")
                    }
                };
            }
        }
        let claimed = folded.values().filter(|hold| hold.state == HoldState::Claimed);
        let orphans = Mutex::new(claimed.map(|hold| hold.id).collect());
        let entries = folded.into_values().map(|hold| Entry::new(hold, now));
        let room = Arc::new(Room { memory: Memory::new(entries), feed: Feed::new() });
        let opening = tokio::sync::Mutex::new(());
        Self { log, pending_limit, room, opening, orphans }
    }

    /// Attaches an identical call to its hold, or opens one, durable before this returns. One at a
    /// time, so that two identical calls at once share one hold. A call that was `named` a hold (by
    /// the state of its last round) belongs to that one or to none.
    ///
    /// # Errors
    /// If the principal has too many open holds, or the record cannot be written.
    pub async fn attach_or_open(
        &self,
        binding: &Binding,
        named: Option<HoldId>,
        open: impl FnOnce() -> (HoldId, Opened),
    ) -> Result<Hold, HoldError> {
        let _one_at_a_time = self.opening.lock().await;
        if let Some(named) = named {
            let same = self.hold(named).ok().filter(|hold| hold.is_of(binding));
            return same.ok_or(HoldError::OtherCall);
        }
        if let Some(hold) = self.attached(binding) {
            return Ok(hold);
        }
        let principal = &binding.principal;
        if self.is_full(principal) {
            let principal = principal.clone();
            return Err(HoldError::TooMany { principal, limit: self.pending_limit });
        }
        self.room.memory.trim(principal);
        let (id, opened) = open();
        let (log, room) = (self.log.clone(), self.room.clone());
        // In a task of its own: once the record is under way, the view must follow it, even if
        // whoever asked is gone.
        let opening = tokio::spawn(async move {
            let now = clock::now();
            let event = HoldEvent::Opened(Box::new(opened.clone()));
            let _recorded = log.append_at(Event::Hold { hold: id, event }, now).await?;
            let hold = Hold::open(id, now, opened);
            room.memory.insert(Entry::new(hold.clone(), now));
            room.feed.tell(&hold);
            Ok::<_, HoldError>(hold)
        });
        opening.await.map_err(|_| HoldError::Log(LogError::Closed))?
    }

    /// Whether a principal has as many open holds as it may.
    #[must_use]
    pub fn is_full(&self, principal: &PrincipalId) -> bool {
        self.room.memory.open_of(principal) >= self.pending_limit
    }

    /// Takes one step, durable before anybody sees it.
    ///
    /// # Errors
    /// If there is no such hold, the step is not allowed, or the record cannot be written.
    pub async fn step(&self, id: HoldId, event: HoldEvent) -> Result<Hold, HoldError> {
        let (hold, _recorded) = self.step_recorded(id, event).await?;
        Ok(hold)
    }

    /// As [`Holds::step`], with the receipt of the step's record.
    ///
    /// # Errors
    /// As [`Holds::step`].
    pub async fn step_recorded(
        &self,
        id: HoldId,
        event: HoldEvent,
    ) -> Result<(Hold, Receipt), HoldError> {
        self.step_if(id, event, |_, _| Ok(())).await
    }

    /// As [`Holds::step`], if the hold is still as it was `seen` in everything that people decide
    /// on, or `exactly` as it was: of those who decide at once, one finds it changed.
    ///
    /// # Errors
    /// As [`Holds::step`]; [`HoldError::Moved`] if it is another by now.
    pub async fn step_from(
        &self,
        seen: &Hold,
        exactly: bool,
        event: HoldEvent,
    ) -> Result<Hold, HoldError> {
        let (id, state, version) = (seen.id, seen.state, seen.version);
        let opened = seen.opened.clone();
        let same = move |now: &Hold, _: &HoldEvent| {
            // A state that moved on is told by what cannot follow it.
            let is_same = now.state != state || now.opened == opened;
            let is_same = is_same && (!exactly || now.version == version);
            if is_same { Ok(()) } else { Err(HoldError::Moved(id)) }
        };
        let (hold, _recorded) = self.step_if(id, event, same).await?;
        Ok(hold)
    }

    /// One step, if `may` agrees to the hold that it starts from, which is looked at under the
    /// hold's lock.
    async fn step_if(
        &self,
        id: HoldId,
        event: HoldEvent,
        may: impl FnOnce(&Hold, &HoldEvent) -> Result<(), HoldError> + Send + 'static,
    ) -> Result<(Hold, Receipt), HoldError> {
        let entry = self.entry(id)?;
        let (log, room) = (self.log.clone(), self.room.clone());
        // In a task of its own: between record and view nothing may cut it off.
        let step = tokio::spawn(async move {
            let _one_at_a_time = entry.step.lock().await;
            let hold = entry.state.borrow().clone();
            let at = entry.time(&hold);
            may(&hold, &event)?;
            let state = hold.state;
            let illegal = |source| HoldError::Illegal { id, state, source };
            let next = hold.apply(at, &event).map_err(illegal)?;
            // Recorded under the time it was judged by, so that a replay judges alike.
            let receipt = log.append_at(Event::Hold { hold: id, event }, at).await?;
            entry.show(next.clone(), at);
            room.feed.tell(&next);
            Ok((next, receipt))
        });
        step.await.map_err(|_| HoldError::Log(LogError::Closed))?
    }

    /// One hold as it stands.
    ///
    /// # Errors
    /// If there is no such hold.
    pub fn hold(&self, id: HoldId) -> Result<Hold, HoldError> {
        Ok(self.entry(id)?.state.borrow().clone())
    }

    /// Follows one hold.
    ///
    /// # Errors
    /// If there is no such hold.
    pub fn watch(&self, id: HoldId) -> Result<watch::Receiver<Hold>, HoldError> {
        Ok(self.entry(id)?.state.subscribe())
    }

    /// The hold that an identical call belongs to: one that is still open, or whose outcome has
    /// not reached the agent yet, or only just; a refusal answers identical calls until the hold would have
    /// expired, so that asking again does not ask the person again.
    #[must_use]
    pub fn attached(&self, binding: &Binding) -> Option<Hold> {
        let now = clock::now();
        let mut same = picked(self.room.memory.of(&binding.principal), |hold| {
            let refused = matches!(hold.state, HoldState::Rejected | HoldState::ChangesRequested);
            let acted = matches!(hold.state, HoldState::Executed | HoldState::Unknown);
            let matters = !hold.state.is_final()
                || !hold.delivered
                || (refused && now < hold.opened.expires_at)
                || (acted && now.since(hold.changed_at) < REPLAY);
            matters && hold.is_of(binding)
        });
        same.sort_by_key(|hold| (hold.state.is_final(), std::cmp::Reverse(hold.opened_at)));
        same.into_iter().next()
    }

    /// All holds that `pick` chooses, newest first.
    pub fn snapshot(&self, pick: impl Fn(&Hold) -> bool) -> Vec<Hold> {
        picked(self.room.memory.all(), pick)
    }

    /// As [`Holds::snapshot`], of one principal.
    pub fn snapshot_of(&self, principal: &PrincipalId, pick: impl Fn(&Hold) -> bool) -> Vec<Hold> {
        picked(self.room.memory.of(principal), pick)
    }

    /// Looks at every hold without copying it.
    pub fn for_each(&self, mut look: impl FnMut(&Hold)) {
        for entry in self.room.memory.all() {
            look(&entry.state.borrow());
        }
    }

    /// As [`Holds::for_each`], of one principal.
    pub fn for_each_of(&self, principal: &PrincipalId, mut look: impl FnMut(&Hold)) {
        for entry in self.room.memory.of(principal) {
            look(&entry.state.borrow());
        }
    }

    /// The number of the last change so far.
    #[must_use]
    pub fn last_change(&self) -> u64 {
        self.room.feed.last()
    }

    /// Changes from now on, and those after the change numbered `after`; `None` if that is too long
    /// ago or was before the start, and everything must be looked at again.
    #[must_use]
    pub fn changes(
        &self,
        after: Option<u64>,
    ) -> (broadcast::Receiver<Change>, Option<Vec<Change>>) {
        self.room.feed.since(after)
    }

    /// Ends what ran out of time: pending holds expire, unused releases lapse. Called once a
    /// second; a step that lost a race is not an error.
    pub async fn expire(&self) {
        let due: Vec<(HoldId, HoldEvent)> = {
            let all = self.room.memory.all();
            all.iter().filter_map(|entry| entry.due(|id| self.is_orphan(id))).collect()
        };
        for (id, event) in due {
            match self.step(id, event).await {
                Ok(_) | Err(HoldError::Illegal { .. } | HoldError::Unknown(_)) => {}
                Err(error) => tracing::error!(hold = %id, %error, "hold could not expire"),
            }
        }
    }

    /// Makes the caller the one who releases this hold: compare-and-set from `approved`. A claim
    /// that the last run of the process left behind, before it recorded `sending`, is taken over:
    /// nothing of it was sent. Like any other, it must be in time.
    ///
    /// # Errors
    /// As [`Holds::step`]; in particular if somebody else has claimed it.
    pub async fn claim(&self, id: HoldId) -> Result<Hold, HoldError> {
        let orphan = self.is_orphan(id);
        let may = move |hold: &Hold, event: &HoldEvent| {
            let state = hold.state;
            if state == HoldState::Approved || (orphan && state == HoldState::Claimed) {
                return Ok(());
            }
            let source = IllegalTransition::Order { state, event: event.name() };
            Err(HoldError::Illegal { id, state, source })
        };
        let (hold, _recorded) = self.step_if(id, HoldEvent::Claimed, may).await?;
        self.orphans.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        Ok(hold)
    }

    /// Gives a claim up before `sending`: somebody else may take it over.
    pub fn give_up_claim(&self, id: HoldId) {
        self.orphans.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
    }

    /// How many look at a hold right now.
    #[must_use]
    pub fn watchers(&self, id: HoldId) -> usize {
        self.entry(id).map_or(0, |entry| entry.state.receiver_count())
    }

    /// Whether a release of this hold may begin: people have released it and nobody works on it.
    #[must_use]
    pub fn is_ready(&self, hold: &Hold) -> bool {
        match hold.state {
            HoldState::Approved => true,
            HoldState::Claimed => self.is_orphan(hold.id),
            _ => false,
        }
    }

    /// Whether a claim was left behind by the last run of the process.
    fn is_orphan(&self, id: HoldId) -> bool {
        self.orphans.lock().unwrap_or_else(PoisonError::into_inner).contains(&id)
    }

    /// After a restart: what was being sent when the process ended becomes `unknown`, which
    /// nothing sends again.
    ///
    /// # Errors
    /// If a record cannot be written.
    pub async fn close_unfinished(&self) -> Result<(), HoldError> {
        for hold in self.snapshot(|hold| hold.state == HoldState::Sending) {
            let reason = "Portcullis stopped while the call was being sent; look at Intercom \
                          whether it took effect";
            self.step(hold.id, HoldEvent::Unknown { reason: reason.to_owned() }).await?;
        }
        Ok(())
    }

    /// Drops finished holds that are older than `age` from memory; the log keeps them.
    pub fn forget(&self, age: Duration) {
        self.room.memory.forget(clock::now(), age);
    }

    fn entry(&self, id: HoldId) -> Result<Arc<Entry>, HoldError> {
        self.room.memory.get(id).ok_or(HoldError::Unknown(id))
    }
}

/// Those of the entries that are chosen, newest first.
fn picked(entries: Vec<Arc<Entry>>, pick: impl Fn(&Hold) -> bool) -> Vec<Hold> {
    let mut list: Vec<Hold> = entries
        .iter()
        .filter_map(|entry| {
            let hold = entry.state.borrow();
            pick(&hold).then(|| hold.clone())
        })
        .collect();
    list.sort_by_key(|hold| std::cmp::Reverse((hold.opened_at, hold.id)));
    list
}
