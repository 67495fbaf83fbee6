//! Noticing that an object names a key twice, cheaply.
//!
//! Objects are small as a rule: a key is compared by a 64-bit tag with those before it, eight at a
//! time, and only equal tags look at the bytes. From the sixty-fifth key on, an object gets a hash
//! set (randomly keyed), so that hundred thousand keys stay linear. Keys are compared after decoding, and only
//! those with escapes are copied.

use std::borrow::Cow;
use std::collections::HashSet;

/// Up to here a linear search is cheaper than hashing.
const LINEAR: usize = 64;

/// The keys of all objects that are open at one moment: a stack in one allocation.
#[derive(Default)]
pub(super) struct Keys<'a> {
    tags: Vec<u64>,
    texts: Vec<Cow<'a, [u8]>>,
}

/// One open object's part of the stack.
pub(super) struct Scope<'a> {
    first: usize,
    many: Option<HashSet<Cow<'a, [u8]>>>,
}

impl<'a> Keys<'a> {
    /// A new object begins.
    pub(super) fn open(&self) -> Scope<'a> {
        Scope { first: self.tags.len(), many: None }
    }

    /// The object ends; its keys are forgotten.
    pub(super) fn close(&mut self, scope: &Scope<'a>) {
        self.tags.truncate(scope.first);
        self.texts.truncate(scope.first);
    }

    /// Adds a decoded key to the object; `false` if it is there already.
    pub(super) fn insert(&mut self, scope: &mut Scope<'a>, key: Cow<'a, [u8]>) -> bool {
        if let Some(many) = &mut scope.many {
            return many.insert(key);
        }
        let tag = tag(&key);
        let tags = self.tags.get(scope.first..).unwrap_or_default();
        let texts = self.texts.get(scope.first..).unwrap_or_default();
        // Without an early end, so that the compiler compares many at once.
        let (eights, rest) = tags.as_chunks::<8>();
        let is_among =
            |some: &[u64]| some.iter().fold(false, |found, other| found | (*other == tag));
        let perhaps = eights.iter().any(|eight| is_among(eight)) || is_among(rest);
        if perhaps && texts.iter().any(|other| other.as_ref() == key.as_ref()) {
            return false;
        }
        if tags.len() < LINEAR {
            self.tags.push(tag);
            self.texts.push(key);
            return true;
        }
        let mut many: HashSet<Cow<'a, [u8]>> = self.texts.drain(scope.first..).collect();
        self.tags.truncate(scope.first);
        many.insert(key);
        scope.many = Some(many);
        true
    }
}

/// Length and both ends of the key in one word: unequal for nearly all unequal keys.
fn tag(key: &[u8]) -> u64 {
    let ends = if let (Some(head), Some(tail)) = (key.first_chunk(), key.last_chunk()) {
        u64::from_le_bytes(*head) ^ u64::from_le_bytes(*tail).rotate_left(29)
    } else if let (Some(head), Some(tail)) = (key.first_chunk(), key.last_chunk()) {
        u64::from(u32::from_le_bytes(*head)) | (u64::from(u32::from_le_bytes(*tail)) << 32)
    } else {
        key.iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
    };
    ends ^ (key.len() as u64).rotate_left(57)
}
