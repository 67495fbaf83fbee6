//! Several holds at once: only what one person has looked at, one by one.
//!
//! A batch saves clicks, not looks. So each hold must have been opened by this person in the version that
//! it has now, all must be of one tool and one principal, and none of high risk. Each is then released by
//! itself, as it was when this person opened it, with everything that a release asks.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Decided, Desk, DeskError, Shown, decides};
use crate::domain::{ApproverId, Digest, Hold, HoldId, Risk};
use crate::identity::Person;

/// The most holds of a batch.
const MOST: usize = 50;
/// The most bytes of arguments in a batch: what is longer is not read in a glance, and has to be read to its
/// end.
const SHORT: usize = 2_000;
/// How many looks are remembered.
const KEPT: usize = 20_000;

/// Who opened which hold, in which version, and what a decision on what they saw is bound to. In memory:
/// after a restart one looks again.
#[derive(Default)]
pub(super) struct Looks(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    versions: HashMap<(ApproverId, HoldId), (u64, Digest)>,
    order: VecDeque<(ApproverId, HoldId)>,
}

impl Looks {
    /// Notes that a person was shown a hold with its call.
    pub(super) fn note(&self, person: &Person, (id, version): (HoldId, u64), binding: Digest) {
        let key = (person.id.clone(), id);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.versions.insert(key.clone(), (version, binding)).is_none() {
            kept.order.push_back(key);
        }
        if kept.order.len() > KEPT
            && let Some(oldest) = kept.order.pop_front()
        {
            kept.versions.remove(&oldest);
        }
    }

    /// What a person's decision on a hold is bound to, if they opened it as it is now.
    pub(super) fn of(&self, person: &Person, hold: &Hold) -> Option<Digest> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (version, binding) = kept.versions.get(&(person.id.clone(), hold.id))?;
        (*version == hold.version).then_some(*binding)
    }
}

impl Desk {
    /// Releases several holds; what came of each, in their order.
    ///
    /// # Errors
    /// If they do not make a batch; nothing is released then.
    pub async fn batch(
        self: &Arc<Self>,
        person: &Person,
        shown: &[Shown],
    ) -> Result<Vec<Result<Decided, DeskError>>, DeskError> {
        decides(person)?;
        let wrong = |text: String| Err(DeskError::Invalid(text));
        if shown.is_empty() || shown.len() > MOST {
            return wrong(format!("a batch has 1 to {MOST} holds"));
        }
        let holds: Vec<Hold> =
            shown.iter().map(|one| self.hold(one.id)).collect::<Result<_, _>>()?;
        let mut seen: BTreeMap<HoldId, Digest> = BTreeMap::new();
        for hold in &holds {
            let first = holds.first().map(Hold::binding);
            if first.is_some_and(|it| it.tool != hold.binding().tool) {
                return wrong("a batch is of one tool".to_owned());
            }
            if first.is_some_and(|it| it.principal != hold.binding().principal) {
                return wrong("a batch is of one principal".to_owned());
            }
            if hold.opened.risk == Risk::High {
                return wrong(format!("{} is of high risk; release it by itself", hold.id));
            }
            if self.contents(hold)?.arguments.len() > SHORT {
                return wrong(format!("{} is long; read it and release it by itself", hold.id));
            }
            let Some(binding) = self.looks.of(person, hold) else {
                return wrong(format!("open {} first, as it is now", hold.id));
            };
            seen.insert(hold.id, binding);
        }
        if seen.len() < shown.len() {
            return wrong("a batch has each hold once".to_owned());
        }
        let mut decided = Vec::new();
        for (one, hold) in shown.iter().zip(&holds) {
            // As it was opened, or not at all.
            let binding = one.binding.or_else(|| seen.get(&hold.id).copied());
            let exact = Shown { if_version: Some(hold.version), binding, ..one.clone() };
            decided.push(self.approve(person, &exact).await);
        }
        Ok(decided)
    }
}
