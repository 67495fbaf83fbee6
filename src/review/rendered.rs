//! The red-line: two documents as one, block by block and word by word.
//!
//! Blocks are aligned first; a rewritten stretch pairs the blocks that share most words, and a pair
//! is compared by words. A word that only changed its link or its marks is a change too.

use std::collections::HashMap;
use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::align::{Budget, Step, align};
use super::document::{Block, Document, Part, Shape};
use super::words::{Change, WordCount, is_space, is_word, readable, tokens};

/// A block of the red-line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DiffBlock {
    /// Its shape; of the new side if it has one.
    pub shape: Shape,
    /// The shape before, if it is another now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<Shape>,
    /// What happened to it.
    pub change: BlockChange,
    /// What is in it.
    pub parts: Vec<DiffPart>,
}

/// What happened to a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BlockChange {
    /// Nothing.
    Same,
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// Something in it is new or gone.
    Changed,
}

/// A part of a block of the red-line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DiffPart {
    /// On which side it stands.
    pub change: Change,
    /// The part.
    pub part: Part,
}

/// A pair of blocks must share this much of their words, in percent.
const ALIKE: usize = 35;
/// Stretches of more blocks than this are paired in order.
const PAIRED: usize = 40;

/// The red-line of two documents.
pub(super) fn compare(old: &Document, new: &Document, budget: &mut Budget) -> Vec<DiffBlock> {
    let before: Vec<&Block> = old.blocks.iter().collect();
    let after: Vec<&Block> = new.blocks.iter().collect();
    let mut out = Vec::new();
    for step in align(&before, &after, budget) {
        match step {
            Step::Same(_, to) => {
                let same = after.get(to).unwrap_or_default();
                out.extend(same.iter().map(|block| whole(block, BlockChange::Same, Change::Same)));
            }
            Step::Became(from, to) => {
                let gone = before.get(from).unwrap_or_default();
                let come = after.get(to).unwrap_or_default();
                rewritten(gone, come, budget, &mut out);
            }
        }
    }
    out
}

/// A document that is compared with nothing: everything stands as it is.
pub(super) fn alone(document: &Document) -> Vec<DiffBlock> {
    document.blocks.iter().map(|block| whole(block, BlockChange::Same, Change::Same)).collect()
}

/// How many words came and went.
pub(super) fn count(blocks: &[DiffBlock]) -> WordCount {
    let mut count = WordCount::default();
    for one in blocks.iter().flat_map(|block| &block.parts) {
        let Part::Text { text, .. } = &one.part else { continue };
        let words = tokens(text).into_iter().filter(|token| is_word(token)).count();
        match one.change {
            Change::Same => count.before += words,
            Change::Added => count.added += words,
            Change::Removed => {
                count.removed += words;
                count.before += words;
            }
        }
    }
    count
}

fn whole(block: &Block, change: BlockChange, side: Change) -> DiffBlock {
    let part = |part: &Part| DiffPart { change: side, part: part.clone() };
    DiffBlock {
        shape: block.shape,
        was: None,
        change,
        parts: block.parts.iter().map(part).collect(),
    }
}

fn rewritten(gone: &[&Block], come: &[&Block], budget: &mut Budget, out: &mut Vec<DiffBlock>) {
    let (mut old, mut new) = (gone.iter(), come.iter());
    let mut at = (0, 0);
    for (a, b) in pairs(gone, come, budget) {
        let left = old.by_ref().take(a - at.0);
        out.extend(left.map(|block| whole(block, BlockChange::Removed, Change::Removed)));
        let left = new.by_ref().take(b - at.1);
        out.extend(left.map(|block| whole(block, BlockChange::Added, Change::Added)));
        if let (Some(one), Some(other)) = (old.next(), new.next()) {
            out.push(pair(one, other, budget));
        }
        at = (a + 1, b + 1);
    }
    out.extend(old.map(|block| whole(block, BlockChange::Removed, Change::Removed)));
    out.extend(new.map(|block| whole(block, BlockChange::Added, Change::Added)));
}

/// Which blocks belong together, in rising order: the pairs that share most words in all.
fn pairs(gone: &[&Block], come: &[&Block], budget: &mut Budget) -> Vec<(usize, usize)> {
    if gone.is_empty() || come.is_empty() {
        return Vec::new();
    }
    let old: Vec<_> = gone.iter().map(|block| bag(block)).collect();
    let new: Vec<_> = come.iter().map(|block| bag(block)).collect();
    let work = old.iter().map(HashMap::len).sum::<usize>() * new.len();
    if old.len().max(new.len()) > PAIRED || !budget.take(work) {
        return (0..old.len().min(new.len())).map(|at| (at, at)).collect();
    }
    // best[a][b]: the most that the blocks from a and b on can share.
    let width = new.len() + 1;
    let mut best = vec![0_usize; (old.len() + 1) * width];
    let read = |best: &[usize], a: usize, b: usize| best.get(a * width + b).copied().unwrap_or(0);
    let mut likeness = vec![0_usize; old.len() * new.len()];
    for (a, one) in old.iter().enumerate().rev() {
        for (b, other) in new.iter().enumerate().rev() {
            let share = alike(one, other);
            if let Some(place) = likeness.get_mut(a * new.len() + b) {
                *place = share;
            }
            let paired = if share >= ALIKE { share + read(&best, a + 1, b + 1) } else { 0 };
            let most = paired.max(read(&best, a + 1, b)).max(read(&best, a, b + 1));
            if let Some(place) = best.get_mut(a * width + b) {
                *place = most;
            }
        }
    }
    let mut found = Vec::new();
    let (mut a, mut b) = (0, 0);
    while a < old.len() && b < new.len() {
        let share = likeness.get(a * new.len() + b).copied().unwrap_or(0);
        let here = read(&best, a, b);
        if share >= ALIKE && here == share + read(&best, a + 1, b + 1) {
            found.push((a, b));
            (a, b) = (a + 1, b + 1);
        } else if here == read(&best, a + 1, b) {
            a += 1;
        } else {
            b += 1;
        }
    }
    found
}

fn bag(block: &Block) -> HashMap<&str, usize> {
    let mut bag = HashMap::new();
    for token in block.parts.iter().flat_map(|part| tokens(part.text())) {
        if !is_space(token) {
            *bag.entry(token).or_default() += 1;
        }
    }
    bag
}

/// How much two bags share, in percent of the larger; two without words are alike. One that is nearly
/// all in the other was written on, so it counts as alike too.
fn alike(one: &HashMap<&str, usize>, other: &HashMap<&str, usize>) -> usize {
    let size = |bag: &HashMap<&str, usize>| bag.values().sum::<usize>();
    let most = size(one).max(size(other));
    let shared: usize =
        one.iter().map(|(word, count)| other.get(word).map_or(0, |more| *count.min(more))).sum();
    let least = size(one).min(size(other));
    let share = (shared * 100).checked_div(most).unwrap_or(100);
    if least >= 4 && shared * 100 >= least * 65 { share.max(ALIKE) } else { share }
}

/// Two blocks as one.
fn pair(old: &Block, new: &Block, budget: &mut Budget) -> DiffBlock {
    let (before, after) = (atoms(&old.parts), atoms(&new.parts));
    let is_gap =
        |at: usize| matches!(before.get(at), Some(Part::Text { text, .. }) if is_space(text));
    let mut parts = Vec::new();
    for step in readable(align(&before, &after, budget), is_gap) {
        match step {
            Step::Same(_, to) => joined(&after, to, Change::Same, &mut parts),
            Step::Became(from, to) => {
                joined(&before, from, Change::Removed, &mut parts);
                joined(&after, to, Change::Added, &mut parts);
            }
        }
    }
    let was = (old.shape != new.shape).then_some(old.shape);
    let is_same = was.is_none() && parts.iter().all(|one: &DiffPart| one.change == Change::Same);
    let change = if is_same { BlockChange::Same } else { BlockChange::Changed };
    DiffBlock { shape: new.shape, was, change, parts }
}

/// The parts with their text in single words.
fn atoms(parts: &[Part]) -> Vec<Part> {
    let mut out = Vec::new();
    for part in parts {
        match part {
            Part::Text { text, marks, link } => out.extend(tokens(text).into_iter().map(|token| {
                Part::Text { text: token.to_owned(), marks: *marks, link: link.clone() }
            })),
            other => out.push(other.clone()),
        }
    }
    out
}

/// Appends atoms, those of one look in one part.
fn joined(atoms: &[Part], range: Range<usize>, change: Change, out: &mut Vec<DiffPart>) {
    for atom in atoms.get(range).unwrap_or_default() {
        if let Part::Text { text, marks, link } = atom
            && let Some(DiffPart {
                change: last,
                part: Part::Text { text: all, marks: m, link: l },
            }) = out.last_mut()
            && (*last == change && m == marks && l == link)
        {
            all.push_str(text);
        } else {
            out.push(DiffPart { change, part: atom.clone() });
        }
    }
}
