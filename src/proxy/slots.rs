//! How much may be under way at once: in all, and for each principal, so that none takes what all
//! need.
//!
//! A request takes a call slot. One that waits for a person or for news does no work, so its slot
//! becomes a waiting one, which are counted apart: held calls and subscriptions do not keep others
//! from calling. A slot is given back when it is dropped.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::domain::{Principal, PrincipalId};

/// The most waiting slots of one principal.
const WAITS_EACH: usize = 64;
/// However few calls there may be in all, one principal may have so many of them.
const CALLS_EACH_AT_LEAST: usize = 16;

tokio::task_local! {
    static SLOT: Slot;
}

/// All slots.
pub(super) struct Slots {
    limit: usize,
    limit_each: usize,
    used: Mutex<Used>,
    emptied: Notify,
}

#[derive(Default)]
struct Used {
    all: Count,
    by: HashMap<PrincipalId, Count>,
}

#[derive(Default, Clone, Copy)]
struct Count {
    calls: usize,
    waits: usize,
}

/// One request's place.
pub(super) struct Slot {
    slots: Arc<Slots>,
    principal: Arc<Principal>,
    waits: AtomicBool,
}

/// What a slot is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// A request that is worked on.
    Call,
    /// One that waits for a person or for news.
    Wait,
}

impl Slots {
    /// Slots for `limit` calls at once, of which one principal may have a quarter.
    pub(super) fn new(limit: usize) -> Arc<Self> {
        let limit_each = (limit / 4).max(CALLS_EACH_AT_LEAST).min(limit);
        let (used, emptied) = (Mutex::default(), Notify::new());
        Arc::new(Self { limit, limit_each, used, emptied })
    }

    /// Takes a slot; `None` if the principal, or all together, have too many.
    pub(super) fn take(self: &Arc<Self>, principal: &Arc<Principal>, kind: Use) -> Option<Slot> {
        let mut used = self.lock();
        let own = used.by.get(&principal.id).copied().unwrap_or_default();
        let room = match kind {
            Use::Call => used.all.calls < self.limit && own.calls < self.limit_each,
            Use::Wait => used.has_room_to_wait(&principal.id, self.limit),
        };
        if !room {
            return None;
        }
        used.change(&principal.id, |count| *count.of(kind) += 1);
        let waits = AtomicBool::new(kind == Use::Wait);
        Some(Slot { slots: self.clone(), principal: principal.clone(), waits })
    }

    /// Resolves when no slot is taken.
    pub(super) async fn emptied(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.lock().by.is_empty() {
                return;
            }
            emptied.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Used {
    fn has_room_to_wait(&self, principal: &PrincipalId, limit: usize) -> bool {
        let own = self.by.get(principal).copied().unwrap_or_default();
        self.all.waits < limit && own.waits < WAITS_EACH
    }

    fn change(&mut self, principal: &PrincipalId, change: impl Fn(&mut Count)) {
        change(&mut self.all);
        if let Some(own) = self.by.get_mut(principal) {
            change(own);
            if own.calls == 0 && own.waits == 0 {
                self.by.remove(principal);
            }
        } else {
            let mut own = Count::default();
            change(&mut own);
            self.by.insert(principal.clone(), own);
        }
    }
}

impl Count {
    const fn of(&mut self, kind: Use) -> &mut usize {
        match kind {
            Use::Call => &mut self.calls,
            Use::Wait => &mut self.waits,
        }
    }
}

impl Slot {
    /// Runs a request in this slot.
    pub(super) async fn run<T>(self, request: impl Future<Output = T>) -> T {
        SLOT.scope(self, request).await
    }

    /// From now on the request waits. If too many wait already, it keeps its call slot.
    fn wait(&self) {
        let mut used = self.slots.lock();
        if self.waits.load(Ordering::Relaxed)
            || !used.has_room_to_wait(&self.principal.id, self.slots.limit)
        {
            return;
        }
        self.waits.store(true, Ordering::Relaxed);
        used.change(&self.principal.id, |count| {
            count.calls -= 1;
            count.waits += 1;
        });
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let kind = if *self.waits.get_mut() { Use::Wait } else { Use::Call };
        let mut used = self.slots.lock();
        used.change(&self.principal.id, |count| *count.of(kind) -= 1);
        if used.by.is_empty() {
            self.slots.emptied.notify_waiters();
        }
    }
}

/// The request that runs in this task waits from now on. Nothing happens outside of a request.
pub(super) fn waiting() {
    let _ = SLOT.try_with(Slot::wait);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::PrincipalKind;

    fn principal(id: &str) -> Arc<Principal> {
        Arc::new(Principal {
            id: id.parse().unwrap(),
            kind: PrincipalKind::Agent,
            roles: Vec::new(),
            groups: Vec::new(),
            attributes: std::collections::BTreeMap::new(),
            on_behalf_of: None,
        })
    }

    /// Takes slots until there are no more.
    fn fill(slots: &Arc<Slots>, who: &Arc<Principal>, kind: Use) -> Vec<Slot> {
        std::iter::from_fn(|| slots.take(who, kind)).collect()
    }

    #[test]
    fn nobody_takes_what_all_need() {
        for (limit, each) in [(1024, 256), (100, 25), (40, 16), (10, 10), (1, 1)] {
            let slots = Slots::new(limit);
            let mut all = fill(&slots, &principal("a"), Use::Call);
            assert_eq!(all.len(), each, "{limit}");
            for name in ["b", "c", "d", "e", "f"] {
                all.extend(fill(&slots, &principal(name), Use::Call));
            }
            assert_eq!(all.len(), limit);
            let waits = fill(&slots, &principal("a"), Use::Wait);
            assert_eq!(waits.len(), WAITS_EACH.min(limit));
            drop((all, waits));
            let used = slots.lock();
            assert!(used.by.is_empty() && used.all.calls == 0 && used.all.waits == 0);
        }
    }

    #[tokio::test]
    async fn who_waits_gives_the_call_slot_back_while_there_is_room_to_wait() {
        let slots = Slots::new(1024);
        let who = principal("a");
        let mut waiting_ones = Vec::new();
        for _ in 0..WAITS_EACH {
            let slot = slots.take(&who, Use::Call).unwrap();
            slot.wait();
            slot.wait();
            waiting_ones.push(slot);
        }
        let late = slots.take(&who, Use::Call).unwrap();
        late.run(async { waiting() }).await;
        let late = slots.take(&who, Use::Call).unwrap();
        late.wait();
        assert_eq!(slots.lock().by[&who.id].calls, 1);
        assert!(slots.take(&who, Use::Wait).is_none());
        waiting();
        let emptied = tokio::spawn({
            let slots = slots.clone();
            async move { slots.emptied().await }
        });
        drop((waiting_ones, late));
        tokio::time::timeout(std::time::Duration::from_secs(10), emptied).await.unwrap().unwrap();
    }
}
