//! The pseudonyms of one principal: which value is behind which, and what they are called.
//!
//! A suffix belongs to one person, or to one value of which nobody said whose it is; all kinds of a
//! person share it. It is a digest under the principal's key, so the same person gets the same suffix
//! again after everything was forgotten. Where two digests begin alike, the later one is longer; and a
//! suffix that was given out once never comes to mean somebody else, not even after its value is gone.

use std::collections::{BTreeMap, HashMap, VecDeque};

use zeroize::Zeroizing;

use super::canonical::{Class, is_record};
use super::entry::{Entry, insert};
use super::keys::{Mark, TrailKey, mark};
use super::{Bounds, Sight};
use crate::domain::pseudonym::{LEAST_DIGITS, MOST_DIGITS, Token};
use crate::domain::{Dictionary, Known};

/// The values that the dictionary has at most.
const MOST_KNOWN: usize = 500;

/// Who has a suffix.
struct Holder {
    identity: Mark,
    entries: Vec<u32>,
}

/// The pseudonyms of one principal.
pub(super) struct Shelf {
    key: TrailKey,
    entries: HashMap<u32, Entry>,
    /// Which entries hold a value.
    values: HashMap<Mark, Vec<u32>>,
    suffixes: HashMap<String, Holder>,
    /// The suffix of a person that has a record.
    people: HashMap<String, String>,
    /// Entries by when they were last seen, oldest first.
    order: BTreeMap<u64, u32>,
    next_entry: u32,
    next_stamp: u64,
    /// Suffixes whose values are gone, with whose they were.
    spent: HashMap<String, Mark>,
    spent_order: VecDeque<String>,
    /// The dictionary, until another value comes.
    known: Option<Dictionary>,
    /// Counts what changed here; that a value was seen once more is no change.
    changes: u64,
}

/// What minting did.
pub(super) struct Minted {
    pub(super) token: String,
    /// The entry.
    pub(super) number: u32,
    /// Whether there is something new to be kept of it.
    pub(super) changed: bool,
    /// Whether it is this token as long as nothing changes: another value might be as good, and then
    /// the one that was seen last counts.
    pub(super) lasts: bool,
    /// The suffix of its person.
    pub(super) base: String,
}

impl Shelf {
    pub(super) fn new(key: TrailKey) -> Self {
        Self {
            key,
            entries: HashMap::new(),
            values: HashMap::new(),
            suffixes: HashMap::new(),
            people: HashMap::new(),
            order: BTreeMap::new(),
            next_entry: 0,
            next_stamp: 0,
            spent: HashMap::new(),
            spent_order: VecDeque::new(),
            known: None,
            changes: 0,
        }
    }

    /// How often something changed here.
    pub(super) const fn changes(&self) -> u64 {
        self.changes
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn entry(&self, number: u32) -> Option<&Entry> {
        self.entries.get(&number)
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.order.values().filter_map(|number| self.entries.get(number))
    }

    /// The pseudonym of a value; `local` is the suffix of its person, if the person has no record.
    /// `None` if the kind or the value cannot have one.
    pub(super) fn mint(
        &mut self,
        sight: &Sight<'_>,
        local: Option<&str>,
        now: i64,
        bounds: &Bounds,
    ) -> Option<Minted> {
        Token::new(sight.kind, "000000", None)?;
        let class = Class::of(sight.kind);
        let canonical = class.canonical(sight.value);
        if canonical.is_empty() {
            return None;
        }
        let digest = self.key.digest(class.word(sight.kind), &canonical);
        let value = mark(&digest);
        let person = sight.subject.filter(|subject| is_record(subject));
        if let Some(number) = self.known_as(class, sight.kind, value, person) {
            let lasts = self.values.get(&value).is_some_and(|all| all.len() == 1);
            let minted = self.again(number, sight, person, now, bounds)?;
            return Some(Minted { lasts: minted.lasts && lasts, ..minted });
        }
        let base = match person {
            Some(person) => Some(self.suffix_of(person)?),
            None => local.filter(|suffix| self.suffixes.contains_key(*suffix)).map(str::to_owned),
        };
        let (suffix, base) = match base {
            Some(base) if !self.has_kind(&base, sight.kind) => (base.clone(), base),
            // Another address of the same person: its suffix goes on.
            Some(base) => (self.claim(&base, &digest, 2)?, base),
            None => {
                let suffix = self.claim("", &digest, LEAST_DIGITS)?;
                (suffix.clone(), suffix)
            }
        };
        let identity = self.suffixes.get(&suffix).map_or(value, |holder| holder.identity);
        let entry = Entry {
            kind: sight.kind.to_owned(),
            value: Zeroizing::new(sight.value.trim().to_owned()),
            suffix,
            base,
            identity,
            owner: person.map(str::to_owned),
            subjects: person.map(str::to_owned).into_iter().collect(),
            seen_in: Vec::new(),
            parts: Vec::new(),
            seen: now,
            kept: now,
            stamp: 0,
        };
        let number = self.put(entry, value);
        self.again(number, sight, person, now, bounds)
            .map(|minted| Minted { changed: true, ..minted })
    }

    /// The entry that has a value already. Two people may have one name; everything else is one thing.
    fn known_as(&self, class: Class, kind: &str, value: Mark, person: Option<&str>) -> Option<u32> {
        let of_kind = |number: &&u32| self.entries.get(*number).is_some_and(|it| it.kind == kind);
        let mut all = self.values.get(&value)?.iter().filter(of_kind);
        let Some(person) = person.filter(|_| class == Class::Name) else {
            // The one that was seen last.
            let seen = |number: &&u32| self.entries.get(*number).map(|it| it.seen);
            return all.max_by_key(seen).copied();
        };
        let base = self.people.get(person);
        let owned = all.clone().find(|number| {
            self.entries.get(*number).is_some_and(|it| {
                it.owner.as_deref() == Some(person) || base.is_some_and(|base| *base == it.base)
            })
        });
        let free = |number: &&u32| self.entries.get(*number).is_some_and(|it| it.owner.is_none());
        owned.or_else(|| all.find(free).filter(|_| base.is_none())).copied()
    }

    /// Notes that a known value was seen again, and gives its pseudonym.
    fn again(
        &mut self,
        number: u32,
        sight: &Sight<'_>,
        person: Option<&str>,
        now: i64,
        bounds: &Bounds,
    ) -> Option<Minted> {
        self.touch(number, now);
        let entry = self.entries.get_mut(&number)?;
        let mut changed = now.saturating_sub(entry.kept) > bounds.keep_every();
        if let Some(person) = person {
            changed |= insert(&mut entry.subjects, person);
            // Nobody said whose it is; now it is known, and all of this person gets this suffix.
            if entry.owner.is_none() && !self.people.contains_key(person) {
                entry.owner = Some(person.to_owned());
                self.people.insert(person.to_owned(), entry.base.clone());
                self.known = None;
                changed = true;
            }
        }
        for record in sight.seen_in {
            // What a part of a conversation shows, the conversation shows.
            let whole = record.split('/').next().unwrap_or(record);
            changed |= insert(&mut entry.seen_in, whole);
        }
        let fits = |part: &&str| Token::new("part", "000000", Some(*part)).is_some();
        let part = sight.part.filter(fits).filter(|_| sight.text.trim() != entry.value.as_str());
        let part = match part.map(|part| entry.part_as(part, sight.text)) {
            None => None,
            Some(Some(is_new)) => {
                changed |= is_new;
                part
            }
            // Another part of that name: a value of its own, of the same person.
            Some(None) => {
                let base = entry.base.clone();
                let whole = Sight { value: sight.text, part: None, ..*sight };
                self.changes += u64::from(changed);
                let minted = self.mint(&whole, Some(&base), now, bounds)?;
                return Some(Minted { lasts: false, ..minted });
            }
        };
        if changed {
            entry.kept = now;
            self.changes += 1;
        }
        let token = match part {
            Some(part) => format!("[[{}:{}/{part}]]", entry.kind, entry.suffix),
            None => format!("[[{}:{}]]", entry.kind, entry.suffix),
        };
        Some(Minted { token, number, changed, lasts: true, base: entry.base.clone() })
    }

    /// Sees these entries once more, if nothing changed since `changes` and none of them has to be
    /// written down again; whether that is so.
    pub(super) fn repeat(&mut self, changes: u64, all: &[u32], now: i64, bounds: &Bounds) -> bool {
        let lasts = |number: &u32| {
            let entry = self.entries.get(number);
            entry.is_some_and(|it| now.saturating_sub(it.kept) <= bounds.keep_every())
        };
        if changes != self.changes || !all.iter().all(lasts) {
            return false;
        }
        for number in all {
            self.touch(*number, now);
        }
        true
    }

    /// What a pseudonym stands for, and the entry that knows whose it is.
    pub(super) fn value(&mut self, token: &Token, now: i64) -> Option<(Zeroizing<String>, &Entry)> {
        let number = self.number_of(token)?;
        self.touch(number, now);
        let entry = self.entries.get(&number)?;
        Some((entry.text(token.part())?, entry))
    }

    /// The entry behind a pseudonym.
    pub(super) fn look(&self, token: &Token) -> Option<&Entry> {
        let entry = self.entries.get(&self.number_of(token)?)?;
        entry.text(token.part()).map(|_| entry)
    }

    fn number_of(&self, token: &Token) -> Option<u32> {
        let holder = self.suffixes.get(token.suffix())?;
        let of_kind =
            |number: &&u32| self.entries.get(*number).is_some_and(|it| it.kind == token.kind());
        holder.entries.iter().find(of_kind).copied()
    }

    /// The values that were seen last.
    pub(super) fn dictionary(&mut self) -> Dictionary {
        if let Some(known) = &self.known {
            return known.clone();
        }
        let newest = self.order.values().rev().filter_map(|number| self.entries.get(number));
        let newest = newest.take(MOST_KNOWN).map(|entry| Known {
            kind: entry.kind.clone(),
            value: entry.value.to_string(),
            subject: entry.owner.clone(),
        });
        let known = Dictionary::of(newest.collect());
        self.known = Some(known.clone());
        known
    }

    /// When the entry was last seen that was not seen for the longest time.
    pub(super) fn oldest(&self) -> Option<i64> {
        let number = self.order.values().next()?;
        self.entries.get(number).map(|entry| entry.seen)
    }

    /// Forgets what was not seen since `before`, and the oldest beyond `most`; how many.
    pub(super) fn shed(&mut self, before: i64, most: usize) -> usize {
        let mut shed = 0;
        while self.entries.len() > most || self.oldest().is_some_and(|seen| seen < before) {
            let Some(number) = self.order.values().next().copied() else { break };
            self.drop_entry(number);
            shed += 1;
        }
        if shed > 0 {
            self.known = None;
        }
        shed
    }

    /// Takes up an entry that was kept; the later of two that are the same counts.
    pub(super) fn restore(&mut self, entry: Entry) {
        let class = Class::of(&entry.kind);
        let digest = self.key.digest(class.word(&entry.kind), &class.canonical(&entry.value));
        let old = self.suffixes.get(&entry.suffix).and_then(|holder| {
            let of_kind = |it: &&u32| self.entries.get(*it).is_some_and(|it| it.kind == entry.kind);
            holder.entries.iter().find(of_kind).copied()
        });
        if let Some(old) = old {
            self.drop_entry(old);
        }
        self.spent.remove(&entry.suffix);
        if let Some(owner) = &entry.owner {
            self.people.insert(owner.clone(), entry.base.clone());
        }
        self.put(entry, mark(&digest));
    }

    /// Puts entries in the order in which they were seen.
    pub(super) fn sort(&mut self) {
        let mut all: Vec<(i64, u64, u32)> =
            self.entries.iter().map(|(number, it)| (it.seen, it.stamp, *number)).collect();
        all.sort_unstable();
        self.order.clear();
        for (stamp, (_, _, number)) in (0..).zip(all) {
            if let Some(entry) = self.entries.get_mut(&number) {
                entry.stamp = stamp;
                self.order.insert(stamp, number);
                self.next_stamp = stamp + 1;
            }
        }
    }

    /// Takes up suffixes that were spent.
    pub(super) fn restore_spent(&mut self, spent: Vec<(String, Mark)>) {
        for (suffix, identity) in spent {
            if !self.suffixes.contains_key(&suffix) {
                self.spend(suffix, identity);
            }
        }
    }

    /// The suffixes whose values are gone.
    pub(super) fn spent(&self) -> Vec<(String, Mark)> {
        self.spent.iter().map(|(suffix, identity)| (suffix.clone(), *identity)).collect()
    }

    fn put(&mut self, mut entry: Entry, value: Mark) -> u32 {
        let number = self.next_entry;
        self.next_entry = number.wrapping_add(1);
        entry.stamp = self.next_stamp;
        self.next_stamp += 1;
        let holder = self.suffixes.entry(entry.suffix.clone());
        let holder =
            holder.or_insert_with(|| Holder { identity: entry.identity, entries: Vec::new() });
        holder.entries.push(number);
        self.values.entry(value).or_default().push(number);
        self.order.insert(entry.stamp, number);
        self.entries.insert(number, entry);
        self.known = None;
        self.changes += 1;
        number
    }

    fn drop_entry(&mut self, number: u32) {
        let Some(entry) = self.entries.remove(&number) else { return };
        self.changes += 1;
        self.order.remove(&entry.stamp);
        let class = Class::of(&entry.kind);
        let digest = self.key.digest(class.word(&entry.kind), &class.canonical(&entry.value));
        if let Some(numbers) = self.values.get_mut(&mark(&digest)) {
            numbers.retain(|one| *one != number);
            if numbers.is_empty() {
                self.values.remove(&mark(&digest));
            }
        }
        let Some(holder) = self.suffixes.get_mut(&entry.suffix) else { return };
        holder.entries.retain(|one| *one != number);
        if holder.entries.is_empty() {
            let identity = holder.identity;
            self.suffixes.remove(&entry.suffix);
            for person in entry.owner.iter().chain(&entry.subjects) {
                if self.people.get(person).is_some_and(|suffix| *suffix == entry.suffix) {
                    self.people.remove(person);
                }
            }
            self.spend(entry.suffix.clone(), identity);
        }
    }

    fn spend(&mut self, suffix: String, identity: Mark) {
        const MOST_SPENT: usize = 100_000;
        if self.spent.insert(suffix.clone(), identity).is_none() {
            self.spent_order.push_back(suffix);
        }
        if self.spent_order.len() > MOST_SPENT
            && let Some(oldest) = self.spent_order.pop_front()
        {
            self.spent.remove(&oldest);
        }
    }

    fn touch(&mut self, number: u32, now: i64) {
        let Some(entry) = self.entries.get_mut(&number) else { return };
        entry.seen = entry.seen.max(now);
        if entry.stamp + 1 != self.next_stamp {
            self.order.remove(&entry.stamp);
            entry.stamp = self.next_stamp;
            self.order.insert(entry.stamp, number);
            self.next_stamp += 1;
        }
    }

    fn has_kind(&self, suffix: &str, kind: &str) -> bool {
        self.suffixes.get(suffix).is_some_and(|holder| {
            let of_kind = |it: &u32| self.entries.get(it).is_some_and(|it| it.kind == kind);
            holder.entries.iter().any(of_kind)
        })
    }

    /// The suffix of a person that has a record.
    fn suffix_of(&mut self, person: &str) -> Option<String> {
        if let Some(suffix) = self.people.get(person) {
            return Some(suffix.clone());
        }
        let digest = self.key.digest("subject", person);
        let suffix = self.claim("", &digest, LEAST_DIGITS)?;
        self.suffixes
            .entry(suffix.clone())
            .or_insert_with(|| Holder { identity: mark(&digest), entries: Vec::new() });
        self.people.insert(person.to_owned(), suffix.clone());
        self.changes += 1;
        Some(suffix)
    }

    /// The shortest suffix behind `base`, of at least `least` digits of the digest, that nobody else has
    /// or had.
    fn claim(&self, base: &str, digest: &[u8; 32], least: usize) -> Option<String> {
        let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let identity = mark(digest);
        (least..=MOST_DIGITS.saturating_sub(base.len())).find_map(|len| {
            let suffix = format!("{base}{}", digits.get(..len)?);
            let taken = self.suffixes.contains_key(&suffix);
            let spent = self.spent.get(&suffix).is_some_and(|other| *other != identity);
            (!taken && !spent).then_some(suffix)
        })
    }
}
