//! Which parts of two sequences are the same, in time that hostile texts cannot stretch.
//!
//! Myers' algorithm gives the diff that people expect, but takes quadratic time where everything
//! differs. So equal ends are cut off first, long rests are split at what is unique on both sides,
//! and what is still long is replaced as a whole once the budget is spent. The budget counts steps,
//! not time: the same two texts always give the same diff.

use std::collections::HashMap;
use std::hash::Hash;
use std::ops::Range;

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// Longer rests than this are split before they are compared.
const LONGEST: usize = 3000;
/// How often a rest is split again.
const DEPTH: usize = 6;

/// How much work one review may still be.
#[derive(Debug)]
pub(super) struct Budget(u64);

impl Budget {
    /// Enough for a body of a megabyte with some dozens of rewritten pages.
    pub(super) const fn of_a_review() -> Self {
        Self(60_000_000)
    }

    /// Takes `steps`; `false` if there are not enough left.
    pub(super) const fn take(&mut self, steps: usize) -> bool {
        let left = self.0.checked_sub(steps as u64);
        if let Some(left) = left {
            self.0 = left;
        }
        left.is_some()
    }
}

/// A step from the old sequence to the new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// The same on both sides.
    Same(Range<usize>, Range<usize>),
    /// The old range became the new one; one of them may be empty.
    Became(Range<usize>, Range<usize>),
}

/// The steps that lead from `old` to `new`, in order; together they cover both.
pub(super) fn align<T: Eq + Hash + Ord>(old: &[T], new: &[T], budget: &mut Budget) -> Vec<Step> {
    let mut found = Vec::new();
    between(old, new, 0..old.len(), 0..new.len(), DEPTH, budget, &mut found);
    joined(found)
}

/// Appends the steps of two ranges.
fn between<T: Eq + Hash + Ord>(
    old: &[T],
    new: &[T],
    mut from: Range<usize>,
    mut to: Range<usize>,
    depth: usize,
    budget: &mut Budget,
    found: &mut Vec<Step>,
) {
    let start =
        from.clone().zip(to.clone()).take_while(|(a, b)| old.get(*a) == new.get(*b)).count();
    found.push(Step::Same(from.start..from.start + start, to.start..to.start + start));
    from.start += start;
    to.start += start;
    let ends = from.clone().rev().zip(to.clone().rev());
    let end = ends.take_while(|(a, b)| old.get(*a) == new.get(*b)).count();
    let tail = Step::Same(from.end - end..from.end, to.end - end..to.end);
    from.end -= end;
    to.end -= end;

    let length = from.len() + to.len();
    if from.is_empty() || to.is_empty() {
        found.push(Step::Became(from, to));
    } else if length <= LONGEST && budget.take(length * length / 4) {
        compared(old, new, &from, &to, found);
    } else if depth > 0 && budget.take(length * 8) {
        let anchors = anchors(old, new, &from, &to);
        if anchors.is_empty() {
            found.push(Step::Became(from, to));
        } else {
            for (a, b) in anchors {
                between(old, new, from.start..a, to.start..b, depth - 1, budget, found);
                found.push(Step::Same(a..a + 1, b..b + 1));
                from.start = a + 1;
                to.start = b + 1;
            }
            between(old, new, from, to, depth - 1, budget, found);
        }
    } else {
        found.push(Step::Became(from, to));
    }
    found.push(tail);
}

fn compared<T: Eq + Hash + Ord>(
    old: &[T],
    new: &[T],
    from: &Range<usize>,
    to: &Range<usize>,
    found: &mut Vec<Step>,
) {
    let before = old.get(from.clone()).unwrap_or_default();
    let after = new.get(to.clone()).unwrap_or_default();
    for step in capture_diff_slices(Algorithm::Myers, before, after) {
        let (a, b) = (step.old_range(), step.new_range());
        let a = a.start + from.start..a.end + from.start;
        let b = b.start + to.start..b.end + to.start;
        found.push(match step {
            DiffOp::Equal { .. } => Step::Same(a, b),
            _ => Step::Became(a, b),
        });
    }
}

/// What stands exactly once on each side, in the longest order that both sides share.
fn anchors<T: Eq + Hash>(
    old: &[T],
    new: &[T],
    from: &Range<usize>,
    to: &Range<usize>,
) -> Vec<(usize, usize)> {
    let mut places: HashMap<&T, (usize, usize, usize, usize)> = HashMap::new();
    for at in from.clone() {
        if let Some(item) = old.get(at) {
            let entry = places.entry(item).or_default();
            entry.0 += 1;
            entry.1 = at;
        }
    }
    for at in to.clone() {
        if let Some(item) = new.get(at) {
            let entry = places.entry(item).or_default();
            entry.2 += 1;
            entry.3 = at;
        }
    }
    let unique = places.values().filter(|(a, _, b, _)| *a == 1 && *b == 1);
    let mut pairs: Vec<(usize, usize)> = unique.map(|(_, a, _, b)| (*a, *b)).collect();
    pairs.sort_unstable();
    rising(&pairs)
}

/// The longest part of `pairs` (sorted by the first) whose seconds rise.
fn rising(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut heads: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    let second = |at: &usize| pairs.get(*at).map_or(0, |(_, b)| *b);
    for (at, (_, b)) in pairs.iter().enumerate() {
        let place = heads.partition_point(|head| second(head) < *b);
        before.push(place.checked_sub(1).and_then(|last| heads.get(last).copied()));
        match heads.get_mut(place) {
            Some(head) => *head = at,
            None => heads.push(at),
        }
    }
    let mut chain = Vec::with_capacity(heads.len());
    let mut next = heads.last().copied();
    while let Some(at) = next {
        chain.extend(pairs.get(at).copied());
        next = before.get(at).copied().flatten();
    }
    chain.reverse();
    chain
}

/// Neighbours of one kind are one step; empty ones are none.
fn joined(steps: Vec<Step>) -> Vec<Step> {
    let mut out: Vec<Step> = Vec::with_capacity(steps.len());
    for step in steps {
        match (out.last_mut(), step) {
            (_, Step::Same(a, b) | Step::Became(a, b)) if a.is_empty() && b.is_empty() => {}
            (Some(Step::Same(a, b)), Step::Same(c, d))
            | (Some(Step::Became(a, b)), Step::Became(c, d)) => {
                a.end = c.end;
                b.end = d.end;
            }
            (_, step) => out.push(step),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_cover_both_sides() {
        let rows = [
            ("", ""),
            ("abc", "abc"),
            ("abc", ""),
            ("", "abc"),
            ("abcdef", "abXdeYf"),
            ("aaaa", "aa"),
        ];
        for (old, new) in rows {
            let (old, new) = (old.as_bytes(), new.as_bytes());
            let (mut a, mut b) = (0, 0);
            for step in align(old, new, &mut Budget::of_a_review()) {
                let (Step::Same(from, to) | Step::Became(from, to)) = &step;
                assert_eq!((from.start, to.start), (a, b));
                if matches!(step, Step::Same(..)) {
                    assert_eq!(old[from.clone()], new[to.clone()]);
                }
                (a, b) = (from.end, to.end);
            }
            assert_eq!((a, b), (old.len(), new.len()));
        }
    }

    #[test]
    fn long_sequences_are_split_where_something_is_unique() {
        let old: Vec<u32> = (0..20_000).collect();
        let mut new = old.clone();
        new[5_000] = 90_000;
        new[15_000] = 90_001;
        let changed = |budget: &mut Budget| {
            let steps = align(&old, &new, budget);
            steps.iter().filter(|step| matches!(step, Step::Became(..))).count()
        };
        assert_eq!(changed(&mut Budget::of_a_review()), 2);
        // Without means the answer is coarse, and still right.
        assert_eq!(changed(&mut Budget(0)), 1);
    }
}
