//! Evaluations that may run long: on blocking threads, few at a time, under a deadline.
//!
//! The engine's timer only looks between instructions, so a slow builtin can outrun it. The caller
//! does not wait for that: past the deadline it gets a fault, while the evaluation keeps its slot
//! until it really ends. Rules that overrun can so fill their own slots, never the runtime; and nobody
//! has all the slots, so that one caller who makes rules overrun leaves a slot to the others.
//!
//! A slot is a processor. So that the others also have that of theirs whole, a caller whose rules overran
//! several times lately has its share back only after a rest; and whoever's rules overran at all is
//! evaluated here, also where its calls are short.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use regorus::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::engine::{Budget, Failure, Prepared, out_of_instructions};
use crate::clock;
use crate::domain::{Fault, Question};

/// When the caller stops waiting.
pub(super) const DEADLINE: Duration = Duration::from_millis(50);

/// From how many callers on those who have nothing running are forgotten.
const MOST_CALLERS: usize = 256;

/// How long it counts that rules overran.
const LATELY: Duration = Duration::from_secs(10);
/// How often they may in that time without a rest.
const FREE: u32 = 2;
/// For each moment that was overrun so many moments of rest, and the longest rest.
const REST: u32 = 3;
const LONGEST_REST: Duration = Duration::from_secs(1);

/// The slots of one ruleset.
pub(super) struct Apart {
    slots: Arc<Semaphore>,
    /// How many of them one caller may have.
    share: usize,
    callers: Mutex<HashMap<String, Caller>>,
    deadline: Duration,
}

/// What one caller has.
#[derive(Clone)]
struct Caller {
    share: Arc<Semaphore>,
    /// Since when its rules overran, and how often from then on.
    overran: Option<(Instant, u32)>,
}

impl Caller {
    /// How often its rules overran lately.
    fn lately(&self, now: Instant) -> u32 {
        let lately = self.overran.filter(|(since, _)| now.duration_since(*since) < LATELY);
        lately.map_or(0, |(_, count)| count)
    }
}

impl Apart {
    pub(super) fn new(deadline: Duration) -> Arc<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let slots = cores.max(2);
        Arc::new(Self {
            slots: Arc::new(Semaphore::new(slots)),
            share: slots - 1,
            callers: Mutex::default(),
            deadline,
        })
    }

    /// Does something with what a caller has.
    fn with<T>(&self, caller: &str, act: impl FnOnce(&mut Caller) -> T) -> T {
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = callers.get_mut(caller) {
            return act(known);
        }
        if callers.len() >= MOST_CALLERS {
            // Whoever has something running, waits or rests, holds on to its share.
            let now = Instant::now();
            callers.retain(|_, it| Arc::strong_count(&it.share) > 1 || it.lately(now) > 0);
        }
        let share = Arc::new(Semaphore::new(self.share));
        act(callers.entry(caller.to_owned()).or_insert(Caller { share, overran: None }))
    }

    /// Whether a caller's rules overran lately.
    pub(super) fn overran_lately(&self, caller: &str, now: Instant) -> bool {
        let callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        callers.get(caller).is_some_and(|it| it.lately(now) > 0)
    }

    /// Notes that a caller's rules overran; whether it has to rest.
    pub(super) fn overran(&self, caller: &str, now: Instant) -> bool {
        self.with(caller, |it| {
            let count = it.lately(now);
            let since = it.overran.filter(|_| count > 0).map_or(now, |it| it.0);
            it.overran = Some((since, count.saturating_add(1)));
            count >= FREE
        })
    }

    /// Evaluates where the caller is.
    pub(super) fn ask_here(
        &self,
        prepared: &Prepared,
        caller: &str,
        question: Question,
        input: Value,
        budget: Budget,
    ) -> Result<Value, Failure> {
        let (answer, took) = timed(|| prepared.ask(question, input, budget));
        if self.is_over(&answer, took) {
            self.overran(caller, Instant::now());
        }
        answer
    }

    /// Whether rules overran that worked so long. The half is for a thread that had to share its
    /// processor until the clock ended it. Whoever used up the instructions overran however soon: one who
    /// calls again at once would otherwise take from the others what a processor has.
    fn is_over(&self, answer: &Result<Value, Failure>, took: Duration) -> bool {
        if answer.as_ref().is_err_and(|failure| *failure == out_of_instructions()) {
            return true;
        }
        let is_late = answer.as_ref().is_err_and(|failure| failure.fault == Fault::PolicyTimeout);
        took > self.deadline || is_late && took > self.deadline / 2
    }

    pub(super) async fn ask(
        self: &Arc<Self>,
        prepared: &Prepared,
        caller: &str,
        question: Question,
        input: Value,
        budget: Budget,
    ) -> Result<Value, Failure> {
        let late = |text| Failure::new(Fault::PolicyTimeout, text);
        let deadline = Instant::now() + self.deadline;
        let share =
            timeout_at(deadline, self.with(caller, |it| Arc::clone(&it.share)).acquire_owned())
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
        let (apart, caller) = (Arc::clone(self), caller.to_owned());
        let task = tokio::task::spawn_blocking(move || {
            let (answer, took) = timed(|| prepared.ask(question, input, budget));
            drop(slot);
            if apart.is_over(&answer, took) && apart.overran(&caller, Instant::now()) {
                rest(share, took);
            }
            answer
        });
        match timeout_at(deadline, task).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(Failure::new(Fault::PolicyPanic, "the evaluation's thread was lost")),
            Err(_) => Err(late("policy did not answer in time")),
        }
    }
}

/// What an evaluation gave, and how long its thread worked, in time of the processor: where the machine
/// is busy otherwise, nobody's rules are slow.
fn timed<T>(evaluate: impl FnOnce() -> T) -> (T, Duration) {
    let before = clock::worked();
    let answer = evaluate();
    (answer, clock::worked().saturating_sub(before))
}

/// Gives a share back after a rest.
fn rest(share: OwnedSemaphorePermit, took: Duration) {
    tokio::spawn(async move {
        tokio::time::sleep((took * REST).min(LONGEST_REST)).await;
        drop(share);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A rest is for those who overrun again and again, and nobody else's.
    #[test]
    fn whoever_overruns_again_and_again_rests() {
        let (apart, now) = (Apart::new(DEADLINE), Instant::now());
        assert!(!apart.overran_lately("slow", now));
        let rests: Vec<bool> = (0..4).map(|_| apart.overran("slow", now)).collect();
        assert_eq!(rests, [false, false, true, true]);
        assert!(apart.overran_lately("slow", now) && !apart.overran_lately("other", now));
        // Not for good.
        let later = now + LATELY;
        assert!(!apart.overran_lately("slow", later));
        assert!(!apart.overran("slow", later) && apart.overran_lately("slow", later));
    }

    /// Time that passes while nothing is worked is the machine's.
    #[test]
    fn rules_overrun_by_what_they_work() {
        let apart = Apart::new(DEADLINE);
        let late = || Err(Failure::new(Fault::PolicyTimeout, "late"));
        let wrong = || Err(Failure::new(Fault::PolicyError, "wrong"));
        let half = DEADLINE / 2;
        for (answer, took, is_over) in [
            (late(), Duration::ZERO, false),
            (Err(out_of_instructions()), Duration::ZERO, true),
            (late(), half, false),
            (late(), half * 3 / 2, true),
            (wrong(), half * 3 / 2, false),
            (wrong(), half * 3, true),
            (Ok(Value::Null), half * 3 / 2, false),
            (Ok(Value::Null), half * 3, true),
        ] {
            assert_eq!(apart.is_over(&answer, took), is_over, "{answer:?} {took:?}");
        }
    }

    /// Whoever is forgotten has nothing to answer for.
    #[tokio::test]
    async fn callers_are_bounded_and_those_who_overran_stay() {
        let apart = Apart::new(DEADLINE);
        apart.overran("slow", Instant::now());
        let share = |name: &str| apart.with(name, |it| Arc::clone(&it.share));
        let running = share("running").acquire_owned().await.unwrap();
        for number in 0..MOST_CALLERS * 2 {
            drop(share(&number.to_string()));
        }
        let known = |name: &str| apart.callers.lock().unwrap().contains_key(name);
        assert!(known("slow") && known("running") && !known("0"));
        assert!(apart.callers.lock().unwrap().len() <= MOST_CALLERS);
        assert_eq!(share("running").available_permits(), apart.share - 1);
        drop(running);
    }
}
