//! The holds in memory, and which of them leave it.
//!
//! Found by their identifier and by their principal, so that what one agent does costs nothing for
//! the holds of the others. What is over leaves after a while; the log keeps it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::entry::Entry;
use crate::domain::{HoldId, HoldState, PrincipalId, Timestamp};

/// The most holds of one principal that are over and stay in memory, and the bytes of their calls.
const KEPT: usize = 5_000;
const KEPT_BYTES: usize = 32 * 1024 * 1024;
/// How long a hold that is over and was told of stays in memory.
const TOLD: Duration = Duration::from_secs(60 * 60);

/// All entries.
pub(super) struct Memory {
    /// How many holds of one principal that are over stay, and bytes of their calls.
    pub(super) kept: (usize, usize),
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    map: HashMap<HoldId, Arc<Entry>>,
    /// A principal never changes for a hold.
    of: HashMap<PrincipalId, BTreeMap<HoldId, Arc<Entry>>>,
}

impl Memory {
    pub(super) fn new(entries: impl IntoIterator<Item = Entry>) -> Self {
        let memory = Self { kept: (KEPT, KEPT_BYTES), inner: Mutex::default() };
        for entry in entries {
            memory.insert(entry);
        }
        memory
    }

    pub(super) fn insert(&self, entry: Entry) {
        let (id, principal) = {
            let hold = entry.state.borrow();
            (hold.id, hold.binding().principal.clone())
        };
        let entry = Arc::new(entry);
        let mut inner = self.lock();
        inner.of.entry(principal).or_default().insert(id, entry.clone());
        inner.map.insert(id, entry);
    }

    pub(super) fn get(&self, id: HoldId) -> Option<Arc<Entry>> {
        self.lock().map.get(&id).cloned()
    }

    /// Every entry.
    pub(super) fn all(&self) -> Vec<Arc<Entry>> {
        self.lock().map.values().cloned().collect()
    }

    /// The entries of a principal.
    pub(super) fn of(&self, principal: &PrincipalId) -> Vec<Arc<Entry>> {
        self.lock().of.get(principal).map(|own| own.values().cloned().collect()).unwrap_or_default()
    }

    /// How many holds of a principal are not over.
    pub(super) fn open_of(&self, principal: &PrincipalId) -> usize {
        self.of(principal).iter().filter(|entry| !entry.state.borrow().state.is_final()).count()
    }

    /// Drops the oldest holds of a principal that are over, if it left too many: not every agent comes
    /// back for an outcome.
    pub(super) fn trim(&self, principal: &PrincipalId) {
        let mut over: Vec<(Timestamp, HoldId, usize)> = self
            .of(principal)
            .iter()
            .filter_map(|entry| {
                let hold = entry.state.borrow();
                let bytes = hold.opened.sealed.len();
                hold.state.is_final().then(|| (hold.changed_at, hold.id, bytes))
            })
            .collect();
        let mut bytes: usize = over.iter().map(|(_, _, bytes)| bytes).sum();
        let mut count = over.len();
        let (most, most_bytes) = self.kept;
        if count <= most && bytes <= most_bytes {
            return;
        }
        over.sort_unstable();
        let mut inner = self.lock();
        for (_, id, size) in over {
            if count <= most && bytes <= most_bytes {
                break;
            }
            inner.remove(id, principal);
            count -= 1;
            bytes -= size;
        }
    }

    /// Drops finished holds that are older than `age`.
    pub(super) fn forget(&self, now: Timestamp, age: Duration) {
        for entry in self.all() {
            let hold = entry.state.borrow();
            let told =
                !hold.needs_people() && (hold.delivered || hold.state == HoldState::Cancelled);
            let kept = if told { age.min(TOLD) } else { age };
            let is_readable = now < hold.readable_until();
            if hold.state.is_final() && !is_readable && now.since(hold.changed_at) >= kept {
                self.lock().remove(hold.id, &hold.binding().principal);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // INVARIANT: no code that can panic runs under this lock, so its data is whole even if a
        // thread died.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn remove(&mut self, id: HoldId, principal: &PrincipalId) {
        self.map.remove(&id);
        if let Some(own) = self.of.get_mut(principal) {
            own.remove(&id);
            if own.is_empty() {
                self.of.remove(principal);
            }
        }
    }
}
