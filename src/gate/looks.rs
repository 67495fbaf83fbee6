//! Looks that are kept: the same texts under the same plugins have the same findings.
//!
//! True because a plugin is a pure function: it gets its document and its settings, has no clock,
//! randomness or files, and forgets everything between two looks. Agents read the same conversation
//! again and again, and a look costs more than all else that is done to an answer.
//!
//! The key is a digest of everything that a look depends on. Looks at calls are kept for each principal
//! apart, so that nobody can learn by the time it takes what others wrote. Kept are only looks that
//! came to an end, in a bounded room and for a short time, because what was seen names people.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use crate::domain::{Call, Dictionary, Digest, Finding, Form, Leaf, Phase, Span};
use crate::plugin::{Inspection, Plugins};
use crate::policy::Seen;

/// How long a look is kept.
const KEPT: Duration = Duration::from_secs(10 * 60);
/// The most looks that are kept.
const MOST: usize = 2048;
/// The most bytes of what was seen that are kept.
const MOST_BYTES: usize = 8 << 20;
/// Bytes that a span has beside its words.
const SPAN_BYTES: usize = 200;

/// What was seen in one message.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// Where what stands.
    pub(super) spans: Vec<Span>,
    /// For policy.
    pub(super) seen: Arc<Seen>,
    /// What plugins demand of the verdict.
    pub(super) findings: Vec<Finding>,
}

impl Look {
    /// What an inspection of these leaves comes to.
    pub(super) fn of(leaves: &[Leaf], inspection: Inspection) -> Self {
        let Inspection { spans, labels, findings, .. } = inspection;
        let seen = Arc::new(Seen::of(leaves, &spans, labels));
        Self { spans, seen, findings }
    }

    /// Whether every plugin came to an end.
    fn is_whole(&self) -> bool {
        self.findings.iter().all(|finding| finding.fault.is_none())
    }

    /// Bytes that it takes, about.
    fn bytes(&self) -> usize {
        let words = |span: &Span| {
            let own = span.kind.len() + span.reason.len();
            let optional = [&span.value, &span.subject, &span.part];
            own + optional.into_iter().flatten().map(String::len).sum::<usize>()
        };
        let spans = self.spans.iter().map(|span| SPAN_BYTES + words(span)).sum::<usize>();
        // What policy is told has as many paths, about.
        SPAN_BYTES + 2 * spans
    }
}

/// The looks that are kept.
#[derive(Default)]
pub(super) struct Looks(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    looks: HashMap<Digest, (Arc<Look>, Instant)>,
    /// Oldest first.
    order: VecDeque<(Digest, Instant)>,
    bytes: usize,
}

impl Looks {
    /// The look of this key, if it is kept.
    pub(super) fn get(&self, key: &Digest, now: Instant) -> Option<Arc<Look>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (look, since) = kept.looks.get(key)?;
        (now.duration_since(*since) < KEPT).then(|| look.clone())
    }

    /// Keeps a look, if it came to an end.
    pub(super) fn put(&self, key: Digest, look: &Arc<Look>, now: Instant) {
        let bytes = look.bytes();
        if !look.is_whole() || bytes > MOST_BYTES / 8 {
            return;
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((old, _)) = kept.looks.insert(key, (look.clone(), now)) {
            kept.bytes = kept.bytes.saturating_sub(old.bytes());
        }
        kept.bytes += bytes;
        kept.order.push_back((key, now));
        kept.shed(now);
    }

    /// Forgets what is too old or too much. Called once a second as well, so that an idle process
    /// keeps nobody's values.
    pub(super) fn shed(&self, now: Instant) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).shed(now);
    }
}

impl Kept {
    fn shed(&mut self, now: Instant) {
        while let Some((key, since)) = self.order.front().copied() {
            let old = now.duration_since(since) >= KEPT;
            if !old && self.order.len() <= MOST && self.bytes <= MOST_BYTES {
                return;
            }
            self.order.pop_front();
            // It may have been put again since.
            if self.looks.get(&key).is_some_and(|(_, put)| *put == since)
                && let Some((look, _)) = self.looks.remove(&key)
            {
                self.bytes = self.bytes.saturating_sub(look.bytes());
            }
        }
    }
}

/// The digest of everything that a look at these leaves depends on.
pub(super) fn key(
    plugins: &Plugins,
    phase: Phase,
    call: &Call,
    leaves: &[Leaf],
    dictionary: &Dictionary,
) -> Digest {
    let mut hash = Hash(Sha256::new());
    hash.part(b"portcullis/look/v1");
    hash.part(plugins.revision().as_bytes());
    hash.part(phase.as_str().as_bytes());
    hash.part(call.subject.tool().unwrap_or_default().as_bytes());
    if phase == Phase::Call {
        hash.part(call.principal.id.as_str().as_bytes());
    }
    hash.part(dictionary.digest().as_bytes());
    for leaf in leaves {
        let form = match leaf.form {
            Form::Text => 0,
            Form::Html => 1,
            Form::Key => 2,
            Form::Number => 3,
        };
        hash.part(&[form, u8::from(leaf.owner.is_some())]);
        hash.part(leaf.party.as_str().as_bytes());
        hash.part(&(leaf.document as u64).to_be_bytes());
        hash.part(leaf.path.as_bytes());
        hash.part(leaf.text.as_bytes());
        hash.part(leaf.owner.as_deref().unwrap_or_default().as_bytes());
    }
    Digest::from_bytes(hash.0.finalize().into())
}

/// Every part is preceded by its length, so that no two lists of parts are the same bytes.
struct Hash(Sha256);

impl Hash {
    fn part(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Fault, Judge, Party};

    fn look(value: &str) -> Arc<Look> {
        let span = Span {
            leaf: 0,
            bytes: 0..1,
            kind: "person".into(),
            confidence: 90,
            reason: "field".into(),
            value: Some(value.to_owned()),
            subject: None,
            part: None,
            party: Party::Customer,
            plugin: "pii".into(),
        };
        Arc::new(Look { spans: vec![span], ..Look::default() })
    }

    fn digest(number: usize) -> Digest {
        Digest::of("test", &[&number.to_be_bytes()])
    }

    #[test]
    fn what_is_kept_is_bounded_in_number_bytes_and_time() {
        let (looks, start) = (Looks::default(), Instant::now());
        for number in 0..=MOST {
            looks.put(digest(number), &look("Ada"), start);
        }
        assert!(looks.get(&digest(0), start).is_none(), "the oldest goes first");
        assert!(
            looks.get(&digest(1), start).is_some() && looks.get(&digest(MOST), start).is_some()
        );
        let later = start + KEPT;
        assert!(looks.get(&digest(MOST), later).is_none());
        looks.shed(later);
        let kept = looks.0.lock().unwrap();
        assert_eq!((kept.looks.len(), kept.order.len(), kept.bytes), (0, 0, 0));
        drop(kept);
        let large = look(&"x".repeat(MOST_BYTES / 20));
        for number in 0..100 {
            looks.put(digest(number), &large, later);
        }
        let kept = looks.0.lock().unwrap();
        assert!(kept.bytes <= MOST_BYTES && (5..12).contains(&kept.looks.len()), "{}", kept.bytes);
    }

    #[test]
    fn one_put_twice_is_counted_once() {
        let (looks, start) = (Looks::default(), Instant::now());
        let again = start + Duration::from_secs(1);
        looks.put(digest(1), &look("Ada"), start);
        looks.put(digest(1), &look("Ada Lovelace"), again);
        assert_eq!(looks.0.lock().unwrap().bytes, look("Ada Lovelace").bytes());
        looks.shed(start + KEPT);
        assert!(looks.get(&digest(1), start + KEPT).is_some(), "the later one still counts");
        looks.shed(again + KEPT);
        assert_eq!(looks.0.lock().unwrap().bytes, 0);
    }

    #[test]
    fn a_look_that_did_not_end_is_not_kept() {
        let (looks, now) = (Looks::default(), Instant::now());
        let judge = Judge::Plugin("pii".into());
        let fault = Finding::fault(judge, Fault::PluginTimeout, "plugin.timeout", "late");
        let broken = Arc::new(Look { findings: vec![fault], ..Look::default() });
        looks.put(digest(1), &broken, now);
        assert!(looks.get(&digest(1), now).is_none());
    }
}
