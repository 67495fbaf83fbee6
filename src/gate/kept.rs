//! What is kept for a while because it can be needed again: bounded in number, bytes and time.
//!
//! Time is bounded because what is kept names people, or shows what a person may see today.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::domain::Digest;

/// How long something is kept.
const KEPT: Duration = Duration::from_secs(10 * 60);
/// The most things of one sort that are kept.
const MOST: usize = 2048;
/// The most bytes of one sort that are kept.
const MOST_BYTES: usize = 8 << 20;

/// Something that has a size.
pub(super) trait Weighty {
    /// Bytes that it takes, about.
    fn bytes(&self) -> usize;
}

/// Things of one sort, by a digest of everything that they depend on.
pub(super) struct Kept<T>(Mutex<Shelf<T>>);

struct Shelf<T> {
    things: HashMap<Digest, (Arc<T>, Instant)>,
    /// Oldest first.
    order: VecDeque<(Digest, Instant)>,
    bytes: usize,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(Mutex::new(Shelf { things: HashMap::new(), order: VecDeque::new(), bytes: 0 }))
    }
}

impl<T: Weighty> Kept<T> {
    /// The thing of this key, if it is kept.
    pub(super) fn get(&self, key: &Digest, now: Instant) -> Option<Arc<T>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (thing, since) = kept.things.get(key)?;
        (now.duration_since(*since) < KEPT).then(|| thing.clone())
    }

    /// Keeps a thing, if it is not too large.
    pub(super) fn put(&self, key: Digest, thing: &Arc<T>, now: Instant) {
        let bytes = thing.bytes();
        if bytes > MOST_BYTES / 8 {
            return;
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((old, _)) = kept.things.insert(key, (thing.clone(), now)) {
            kept.bytes = kept.bytes.saturating_sub(old.bytes());
        }
        kept.bytes += bytes;
        kept.order.push_back((key, now));
        kept.shed(now);
    }

    /// Forgets what is too old or too much. Called once a second as well, so that an idle process
    /// keeps nothing.
    pub(super) fn shed(&self, now: Instant) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).shed(now);
    }
}

impl<T: Weighty> Shelf<T> {
    fn shed(&mut self, now: Instant) {
        while let Some((key, since)) = self.order.front().copied() {
            let old = now.duration_since(since) >= KEPT;
            if !old && self.order.len() <= MOST && self.bytes <= MOST_BYTES {
                return;
            }
            self.order.pop_front();
            // It may have been put again since.
            if self.things.get(&key).is_some_and(|(_, put)| *put == since)
                && let Some((thing, _)) = self.things.remove(&key)
            {
                self.bytes = self.bytes.saturating_sub(thing.bytes());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Block(usize);

    impl Weighty for Block {
        fn bytes(&self) -> usize {
            self.0
        }
    }

    fn digest(number: usize) -> Digest {
        Digest::of("test", &[&number.to_be_bytes()])
    }

    fn block(bytes: usize) -> Arc<Block> {
        Arc::new(Block(bytes))
    }

    #[test]
    fn what_is_kept_is_bounded_in_number_bytes_and_time() {
        let (kept, start) = (Kept::default(), Instant::now());
        for number in 0..=MOST {
            kept.put(digest(number), &block(100), start);
        }
        assert!(kept.get(&digest(0), start).is_none(), "the oldest goes first");
        assert!(kept.get(&digest(1), start).is_some() && kept.get(&digest(MOST), start).is_some());
        let later = start + KEPT;
        assert!(kept.get(&digest(MOST), later).is_none());
        kept.shed(later);
        let shelf = kept.0.lock().unwrap();
        assert_eq!((shelf.things.len(), shelf.order.len(), shelf.bytes), (0, 0, 0));
        drop(shelf);
        for number in 0..100 {
            kept.put(digest(number), &block(MOST_BYTES / 10), later);
        }
        let shelf = kept.0.lock().unwrap();
        assert!(shelf.bytes <= MOST_BYTES && shelf.things.len() == 10, "{}", shelf.bytes);
        drop(shelf);
        kept.put(digest(100), &block(MOST_BYTES / 8 + 1), later);
        assert!(kept.get(&digest(100), later).is_none(), "one alone takes no great part");
    }

    #[test]
    fn one_put_twice_is_counted_once() {
        let (kept, start) = (Kept::default(), Instant::now());
        let again = start + Duration::from_secs(1);
        kept.put(digest(1), &block(100), start);
        kept.put(digest(1), &block(300), again);
        assert_eq!(kept.0.lock().unwrap().bytes, 300);
        kept.shed(start + KEPT);
        assert!(kept.get(&digest(1), start + KEPT).is_some(), "the later one still counts");
        kept.shed(again + KEPT);
        assert_eq!(kept.0.lock().unwrap().bytes, 0);
    }
}
