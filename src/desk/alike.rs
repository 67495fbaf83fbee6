//! Articles that a new one could repeat, for those who may decide on it.
//!
//! They are looked for by a few searches at Intercom, so what they came to is kept for a minute: whoever
//! loads a page again, or looks at it with others, asks nothing anew. Of the articles that were found
//! only what is shown is kept, and only of those that are like the new one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::OnceCell;

use super::inbox::title;
use super::{Desk, Present, decides};
use crate::domain::{Digest, Hold, HoldId, JsonText};
use crate::identity::Person;
use crate::review::{Other, Similar, similar};
use crate::upstream::ArticleSeen;

/// How long it is kept what was found.
const KEPT: Duration = Duration::from_secs(60);
/// For how many calls.
const MOST: usize = 64;

/// What was found.
#[derive(Debug, Clone)]
struct Found {
    count: usize,
    similar: Vec<Similar>,
}

/// A held call as it is now: one that was edited is looked for anew.
type Key = (HoldId, Digest);

/// What is found for a call, by the one who asks for it first.
type Kept = Arc<OnceCell<Found>>;

/// What was found for calls that were looked at of late.
#[derive(Default)]
pub(super) struct Alike(Mutex<HashMap<Key, (Instant, Kept)>>);

impl Alike {
    /// What is found for a call. Those who ask while somebody asks wait for the same answer; a failure is
    /// told and not kept.
    async fn of(
        &self,
        key: Key,
        now: Instant,
        ask: impl Future<Output = Result<Found, String>>,
    ) -> Result<Found, String> {
        let cell = self.cell(key, now);
        cell.get_or_try_init(|| ask).await.cloned()
    }

    fn cell(&self, key: Key, now: Instant) -> Kept {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, (since, _)| now.duration_since(*since) < KEPT);
        if kept.len() >= MOST
            && !kept.contains_key(&key)
            && let Some(oldest) = kept.iter().min_by_key(|(_, (since, _))| *since)
        {
            let oldest = *oldest.0;
            kept.remove(&oldest);
        }
        kept.entry(key).or_insert_with(|| (now, Arc::default())).1.clone()
    }
}

impl Desk {
    /// The articles that a new one is like, if the call makes one and this person may decide on it.
    pub(super) async fn present(&self, person: &Person, hold: &Hold) -> Present {
        let makes = hold.state.is_undecided() && hold.binding().tool == "create_article";
        if !makes || decides(person).is_err() {
            return Present::NotAsked;
        }
        let Ok(contents) = self.gate.stored_contents(hold) else { return Present::NotAsked };
        let arguments = JsonText::from_valid(contents.arguments.into_bytes().into());
        let Some(title) = title(&arguments) else { return Present::NotAsked };
        let ask = async {
            let found = self.upstream.articles_like(&title).await?;
            let count = found.len();
            let others: Vec<Other> = found.into_iter().map(other).collect();
            Ok(Found { count, similar: similar(&arguments, &others) })
        };
        let key = (hold.id, hold.binding().arguments);
        match self.alike.of(key, Instant::now(), ask).await {
            Ok(Found { count, similar }) => Present::Read { count, similar },
            Err(why) => Present::Unread { why },
        }
    }
}

fn other(seen: ArticleSeen) -> Other {
    let ArticleSeen { id, title, body, url } = seen;
    Other { id, title, body, url }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn key(number: u128) -> Key {
        (HoldId::from_random(number), Digest::of("test", &[]))
    }

    #[tokio::test]
    async fn what_was_found_is_asked_once_a_minute_for_each_call() {
        let (alike, start, asked) = (Alike::default(), Instant::now(), Cell::new(0));
        let ask = |good: bool| {
            let asked = &asked;
            async move {
                asked.set(asked.get() + 1);
                let found = Found { count: asked.get(), similar: Vec::new() };
                good.then_some(found).ok_or_else(|| "away".to_owned())
            }
        };
        let second = Duration::from_secs(1);
        for (call, at, good, expected) in [
            (1, start, false, Err("away".to_owned())),
            // A failure is asked again at once.
            (1, start, true, Ok(2)),
            (1, start + KEPT - second, true, Ok(2)),
            (2, start + KEPT - second, true, Ok(3)),
            (1, start + KEPT, true, Ok(4)),
            (2, start + KEPT, true, Ok(3)),
        ] {
            let found = alike.of(key(call), at, ask(good)).await.map(|it| it.count);
            assert_eq!(found, expected, "{call} {good}");
        }
        let edited = (key(1).0, Digest::of("other", &[]));
        let found = alike.of(edited, start + KEPT, ask(true)).await.unwrap();
        assert_eq!(found.count, 5, "another call by now");
    }

    #[tokio::test]
    async fn what_is_kept_is_bounded() {
        let (alike, start) = (Alike::default(), Instant::now());
        for number in 0..2 * MOST {
            let now = start + Duration::from_millis(number as u64);
            alike.cell(key(number as u128), now);
        }
        let kept = alike.0.lock().unwrap();
        assert_eq!(kept.len(), MOST);
        assert!(kept.contains_key(&key(2 * MOST as u128 - 1)) && !kept.contains_key(&key(0)));
    }
}
