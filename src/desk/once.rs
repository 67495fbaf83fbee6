//! A wish that is sent twice is done once.
//!
//! A person's page may send a decision again when the answer was lost. The second one, by the same
//! person under the same name, gets the first one's answer, and waits for it if need be. What was
//! refused had no effect, so it is tried anew: whoever signed in again meanwhile is not told of the
//! old refusal. The names live in memory: after a restart a repeated decision meets the state of its hold, which is a conflict
//! and never a second effect.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::DeskError;
use crate::domain::{ApproverId, Digest};

/// How many answers are kept.
const KEPT: usize = 4_096;
/// The longest name of a wish.
const LONGEST: usize = 200;

type Answer<T> = Arc<OnceCell<T>>;

/// The answers to wishes that were named.
pub(super) struct Once<T>(Mutex<Kept<T>>);

struct Kept<T> {
    answers: HashMap<(ApproverId, String), (Digest, Answer<T>)>,
    order: VecDeque<(ApproverId, String)>,
}

impl<T> Default for Once<T> {
    fn default() -> Self {
        Self(Mutex::new(Kept { answers: HashMap::new(), order: VecDeque::new() }))
    }
}

impl<T: Clone> Once<T> {
    /// Does `wish`, or gives the answer of the one that had this name. `what` is everything that the
    /// wish consists of.
    pub(super) async fn run(
        &self,
        person: &ApproverId,
        name: Option<&str>,
        what: Digest,
        wish: impl Future<Output = Result<T, DeskError>>,
    ) -> Result<T, DeskError> {
        let Some(name) = name else { return wish.await };
        if name.is_empty() || name.len() > LONGEST {
            let text = "the idempotency key must have 1 to 200 bytes";
            return Err(DeskError::Invalid(text.to_owned()));
        }
        let answer = self.place(person, name, what)?;
        answer.get_or_try_init(|| wish).await.cloned()
    }

    fn place(&self, person: &ApproverId, name: &str, what: Digest) -> Result<Answer<T>, DeskError> {
        let key = (person.clone(), name.to_owned());
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((same, answer)) = kept.answers.get(&key) {
            if *same == what {
                return Ok(answer.clone());
            }
            let text = "this idempotency key was used for another decision; use a new one";
            return Err(DeskError::Invalid(text.to_owned()));
        }
        if kept.order.len() == KEPT
            && let Some(oldest) = kept.order.pop_front()
        {
            kept.answers.remove(&oldest);
        }
        let answer = Answer::default();
        kept.order.push_back(key.clone());
        kept.answers.insert(key, (what, answer.clone()));
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_wish_is_done_once_under_its_name() {
        let (once, done) = (Once::default(), AtomicU32::new(0));
        let wish = || async {
            let number = done.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            Ok(number)
        };
        let (ann, bob): (ApproverId, ApproverId) = ("ann".parse().unwrap(), "bob".parse().unwrap());
        let (this, that) = (Digest::of("this", &[]), Digest::of("that", &[]));
        let twice = tokio::join!(
            once.run(&ann, Some("k"), this, wish()),
            once.run(&ann, Some("k"), this, wish()),
        );
        assert!(matches!(twice, (Ok(0), Ok(0))));
        assert_eq!(done.load(Ordering::Relaxed), 1);
        let other = once.run(&ann, Some("k"), that, wish()).await.unwrap_err();
        assert!(other.to_string().contains("used for another decision"), "{other}");
        let _ = once.run(&bob, Some("k"), this, wish()).await;
        let _ = once.run(&ann, None, this, wish()).await;
        let _ = once.run(&ann, None, this, wish()).await;
        assert_eq!(done.load(Ordering::Relaxed), 4);
        assert!(once.run(&ann, Some(""), this, wish()).await.is_err());
        for number in 0..KEPT {
            let _ = once.run(&ann, Some(&number.to_string()), this, async { Ok(0) }).await;
        }
        let _ = once.run(&ann, Some("k"), that, wish()).await;
        assert_eq!(done.load(Ordering::Relaxed), 5, "the oldest are forgotten");
    }

    #[tokio::test]
    async fn what_was_refused_is_tried_anew() {
        let (once, ann) = (Once::default(), "ann".parse().unwrap());
        let this = Digest::of("this", &[]);
        let refused = async { Err(DeskError::StepUp { minutes: 5 }) };
        assert!(once.run(&ann, Some("k"), this, refused).await.is_err());
        assert_eq!(once.run(&ann, Some("k"), this, async { Ok(1) }).await.unwrap(), 1);
        assert_eq!(once.run(&ann, Some("k"), this, async { Ok(2) }).await.unwrap(), 1);
    }
}
