//! Evaluations that may run long: on blocking threads, few at a time, under a deadline.
//!
//! The engine's timer only looks between instructions, so a slow builtin can outrun it. The caller
//! does not wait for that: past the deadline it gets a fault, while the evaluation keeps its slot
//! until it really ends. Rules that overrun can so fill their own slots, never the runtime; and nobody
//! has all the slots, so that one caller who makes rules overrun leaves a slot to the others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use regorus::Value;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use super::engine::{Budget, Failure, Prepared};
use crate::domain::{Fault, Question};

/// When the caller stops waiting.
pub(super) const DEADLINE: Duration = Duration::from_millis(50);

/// From how many callers on those who have nothing running are forgotten.
const MOST_CALLERS: usize = 256;

/// The slots of one ruleset.
pub(super) struct Apart {
    slots: Arc<Semaphore>,
    /// How many of them one caller may have.
    share: usize,
    shares: Mutex<HashMap<String, Arc<Semaphore>>>,
    deadline: Duration,
}

impl Apart {
    pub(super) fn new(deadline: Duration) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let slots = cores.max(2);
        Self {
            slots: Arc::new(Semaphore::new(slots)),
            share: slots - 1,
            shares: Mutex::default(),
            deadline,
        }
    }

    /// The share of one caller.
    fn share_of(&self, caller: &str) -> Arc<Semaphore> {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = shares.get(caller) {
            return Arc::clone(share);
        }
        if shares.len() >= MOST_CALLERS {
            // Whoever has something running, or waits, holds on to its share.
            shares.retain(|_, share| Arc::strong_count(share) > 1);
        }
        let share = Arc::new(Semaphore::new(self.share));
        shares.insert(caller.to_owned(), Arc::clone(&share));
        share
    }

    pub(super) async fn ask(
        &self,
        prepared: &Prepared,
        caller: &str,
        question: Question,
        input: Value,
        budget: Budget,
    ) -> Result<Value, Failure> {
        let late = |text| Failure::new(Fault::PolicyTimeout, text);
        let deadline = Instant::now() + self.deadline;
        let share = timeout_at(deadline, self.share_of(caller).acquire_owned())
            .await
            .map_err(|_| late("earlier calls of this principal still keep policy busy"))?
            .map_err(|_| late("policy is shutting down"))?;
        let slot = timeout_at(deadline, Arc::clone(&self.slots).acquire_owned())
            .await
            .map_err(|_| late("every slot for policy was taken by an evaluation that runs long"))?
            .map_err(|_| late("policy is shutting down"))?;
        let prepared = prepared.clone();
        // Most evaluations that run long then end by themselves before the caller leaves.
        let budget = Budget { time: budget.time.min(self.deadline.mul_f32(0.8)), ..budget };
        let task = tokio::task::spawn_blocking(move || {
            let answer = prepared.ask(question, input, budget);
            drop((slot, share));
            answer
        });
        match timeout_at(deadline, task).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(Failure::new(Fault::PolicyPanic, "the evaluation's thread was lost")),
            Err(_) => Err(late("policy did not answer in time")),
        }
    }
}
