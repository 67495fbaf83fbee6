//! Does a text speak to an agent instead of to people? Signals are weighed, none decides alone.
//!
//! A walk over the words keeps where each meaning was last seen. A rule is a set of meanings that
//! stand near each other, in any order, for languages differ in it. The signals of one stretch of
//! text are joined as independent hints: two of fifty are seventy-five.

use crate::lexicon::*;
use crate::marks;
use kit::words::Word;
use std::ops::Range;

/// A hint that a text speaks to an agent.
#[derive(Debug, Clone)]
pub(crate) struct Signal {
    pub(crate) bytes: Range<usize>,
    pub(crate) weight: u8,
    pub(crate) name: &'static str,
}

/// A hint with its place in the text as it is written and, if it was read there, in the view.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    pub(crate) raw: Range<usize>,
    pub(crate) view: Option<Range<usize>>,
    pub(crate) weight: u8,
    pub(crate) name: &'static str,
}

/// A stretch of text with its hints joined.
#[derive(Debug, Clone)]
pub(crate) struct Stretch {
    /// Where its hints stand in the view; hints far apart in it make several.
    pub(crate) view: Vec<Range<usize>>,
    /// From the first to the last hint that is in no view: marks that are tags.
    pub(crate) raw: Option<Range<usize>>,
    pub(crate) confidence: u8,
    /// The name of the heaviest hint.
    pub(crate) reason: &'static str,
}

/// Signals farther apart than this many bytes belong to different stretches.
const APART: usize = 700;
/// How many words a rule spans.
const NEAR: usize = 9;
/// The number of meanings.
const MEANINGS: usize = 24;

/// Where the walk is, and what it has seen.
struct Walk<'t> {
    text: &'t str,
    /// The number of the word.
    now: usize,
    /// For each meaning, the number of the last word that had it (0: none), and where it stood.
    seen: [(usize, usize, usize); MEANINGS],
    /// The last words, the newest last.
    row: [Word; 5],
    /// The last address or link: number of the word and place.
    link: (usize, usize),
    /// In the definition of a tool, talk about tools is no hint.
    definition: bool,
    signals: Vec<Signal>,
}

/// The confidence of the weightiest stretch of a text that stands for itself.
pub(crate) fn weigh(text: &str) -> u8 {
    let placed = signals(text, false).into_iter().map(|signal| Placed {
        raw: signal.bytes.clone(),
        view: Some(signal.bytes),
        weight: signal.weight,
        name: signal.name,
    });
    join(placed.collect()).iter().map(|stretch| stretch.confidence).max().unwrap_or(0)
}

/// The hints of a text, in its order.
pub(crate) fn signals(text: &str, definition: bool) -> Vec<Signal> {
    let none = Word { start: 0, end: 0, class: 0 };
    let mut walk = Walk {
        text,
        now: 0,
        seen: [(0, 0, 0); MEANINGS],
        row: [none; 5],
        link: (0, 0),
        definition,
        signals: Vec::new(),
    };
    LEXICON.walk(text, |word| walk.step(word));
    let mut signals = walk.signals;
    marks::scan(text, &mut signals);
    signals
}

impl Walk<'_> {
    fn step(&mut self, word: Word) {
        self.now += 1;
        self.row.rotate_left(1);
        if let Some(last) = self.row.last_mut() {
            *last = word;
        }
        match self.byte(word.end) {
            b'@' => self.link = (self.now, word.start),
            b':' if self.text.get(word.end..word.end + 3) == Some("://") => {
                self.link = (self.now, word.start)
            }
            b'_' => self.tool(word),
            _ => {}
        }
        if word.class == 0 {
            return;
        }
        let mut rest = word.class;
        while rest != 0 {
            let bit = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            if let Some(slot) = self.seen.get_mut(bit) {
                *slot = (self.now, word.start, word.end);
            }
        }
        if word.class & LAST != 0 {
            self.phrases();
        }
        self.rules(word);
    }

    fn byte(&self, place: usize) -> u8 {
        self.text.as_bytes().get(place).copied().unwrap_or(0)
    }

    /// Whether a meaning was seen among the last words, and where.
    fn near(&self, meaning: u64, words: usize) -> Option<(usize, usize)> {
        let (number, start, end) = self.seen.get(meaning.trailing_zeros() as usize).copied()?;
        (number > 0 && self.now - number < words).then_some((start, end))
    }

    /// A hint from the first to the last of some meanings, unless one of that name is there already.
    fn hint(&mut self, weight: u8, name: &'static str, start: usize, end: usize) {
        let near = |other: &&mut Signal| other.name == name && start < other.bytes.end + 120;
        if let Some(other) = self.signals.iter_mut().rev().take(6).find(near) {
            other.weight = other.weight.max(weight);
            other.bytes.start = other.bytes.start.min(start);
            other.bytes.end = other.bytes.end.max(end);
            return;
        }
        if weight > 0 {
            self.signals.push(Signal { bytes: start..end, weight, name });
        }
    }

    fn phrases(&mut self) {
        let row = self.row;
        let text = self.text;
        let read = |word: &Word| text.get(word.start..word.end).unwrap_or("");
        let Some(last) = row.last().map(read) else { return };
        for phrase in ending_in(last) {
            let from = row.len() - phrase.words.len();
            let tail = row.get(from..).unwrap_or(&[]);
            let same = |(word, found): (&&str, &Word)| folds(read(found), word);
            if phrase.words.iter().zip(tail).all(same) {
                let (start, end) =
                    (tail.first().map_or(0, |w| w.start), tail.last().map_or(0, |w| w.end));
                let weight =
                    if self.definition && phrase.name == "tool_talk" { 5 } else { phrase.weight };
                self.hint(weight, phrase.name, start, end);
            }
        }
    }

    /// The rules that the meanings of this word can complete.
    fn rules(&mut self, word: Word) {
        let class = word.class;
        if class & (IGNORE | PRIOR | EVERY | ORDERS) != 0 {
            self.overriding();
        }
        if class & (NOT | TELL | USER) != 0 {
            self.silence();
        }
        if class & (SECRETLY | CALL | SEND | CHANGE) != 0 {
            self.secretly();
        }
        if class & (SEND | DATA) != 0 {
            self.carrying();
        }
        if class & (REVEAL | PROMPT) != 0 {
            self.revealing();
        }
        if class & (CHANGE | ARTICLE) != 0
            && let (Some(a), Some(b)) = (self.near(CHANGE, 7), self.near(ARTICLE, 7))
        {
            self.hint(if self.definition { 0 } else { 14 }, "change", a.0.min(b.0), a.1.max(b.1));
        }
        if class & (SYSTEM | ORDERS) != 0
            && let (Some(a), Some(b)) = (self.near(SYSTEM, 3), self.near(ORDERS, 3))
        {
            self.hint(20, "system_orders", a.0.min(b.0), a.1.max(b.1));
        }
        if class & (CALL | TOOL) != 0
            && let (Some(a), Some(b)) = (self.near(CALL, 5), self.near(TOOL, 5))
        {
            self.hint(
                if self.definition { 0 } else { 10 },
                "tool_talk",
                a.0.min(b.0),
                a.1.max(b.1),
            );
        }
        if class & AGENT != 0
            && let Some(a) = self.near(MUST, 6)
        {
            self.hint(12, "agent_must", a.0, word.end);
        }
        if class & FREED != 0 {
            self.hint(35, "freed", word.start, word.end);
        }
    }

    /// "Ignore all previous instructions".
    fn overriding(&mut self) {
        let Some(ignore) = self.near(IGNORE, NEAR) else { return };
        let orders = self.near(ORDERS, NEAR);
        let prior = self.near(PRIOR, NEAR);
        let every = self.near(EVERY, NEAR);
        let own = self.near(MINE, NEAR).is_some();
        let weight = match (orders.is_some(), prior.is_some(), every.is_some()) {
            // "Please ignore the instructions in my previous mail": a customer's own words.
            (true, true, _) if own => 25,
            (true, _, _) if own => 12,
            (true, true, true) => 78,
            (true, true, false) => 68,
            (true, false, true) => 58,
            (true, false, false) => 25,
            (false, true, true) if !own && self.near(MAIL, NEAR).is_none() => 30,
            (false, true, _) if !own => 5,
            _ => 0,
        };
        let all = [Some(ignore), orders, prior].into_iter().flatten();
        let (start, end) = all.fold(ignore, |sum, one| (sum.0.min(one.0), sum.1.max(one.1)));
        if weight > 0 {
            self.hint(weight, "override", start, end);
        }
        if self.near(INSTEAD, NEAR).is_some() && weight >= 25 {
            self.hint(25, "instead", start, end);
        }
    }

    /// "Do not tell the user".
    fn silence(&mut self) {
        let (Some(not), Some(tell)) = (self.near(NOT, 8), self.near(TELL, 6)) else { return };
        if not.0 > tell.1 + 40 {
            return;
        }
        match self.near(USER, 4) {
            Some(user) => {
                self.hint(45, "silence", not.0.min(tell.0), user.1.max(tell.1).max(not.1))
            }
            None => self.hint(8, "silence", not.0.min(tell.0), tell.1.max(not.1)),
        }
    }

    /// "Silently call", "secretly send".
    fn secretly(&mut self) {
        let Some(secretly) = self.near(SECRETLY, 6) else { return };
        let act = [CALL, SEND, CHANGE].into_iter().find_map(|meaning| self.near(meaning, 6));
        if let Some(act) = act {
            self.hint(35, "secretly", secretly.0.min(act.0), secretly.1.max(act.1));
        }
    }

    /// "Send all contacts to https://...".
    fn carrying(&mut self) {
        let (Some(send), Some(data)) = (self.near(SEND, NEAR), self.near(DATA, NEAR)) else {
            return;
        };
        let own = self.near(MINE, NEAR).is_some();
        let every = self.near(EVERY, NEAR).is_some();
        let weight = match (own, every) {
            (true, _) => 6,
            (false, true) => 32,
            (false, false) => 18,
        };
        self.hint(weight, "carry", send.0.min(data.0), send.1.max(data.1));
    }

    /// "Print your system prompt".
    fn revealing(&mut self) {
        let (Some(reveal), Some(prompt)) = (self.near(REVEAL, 7), self.near(PROMPT, 7)) else {
            return;
        };
        self.hint(40, "reveal", reveal.0.min(prompt.0), reveal.1.max(prompt.1));
    }

    /// The name of a tool, such as `update_article`.
    fn tool(&mut self, word: Word) {
        if self.byte(word.start.wrapping_sub(1)) == b'_' || self.definition {
            return;
        }
        let rest = self.text.get(word.start..).unwrap_or("");
        let length =
            rest.bytes().take_while(|byte| byte.is_ascii_lowercase() || *byte == b'_').count();
        let name = rest.get(..length).unwrap_or("");
        let end = word.start + length;
        let called = self.near(CALL, 6);
        if TOOLS.contains(&name) {
            let weight = if called.is_some() { 50 } else { 25 };
            self.hint(weight, "tool", called.map_or(word.start, |c| c.0.min(word.start)), end);
        } else if let Some(called) = called
            && VERBS.contains(&name.split('_').next().unwrap_or(""))
        {
            self.hint(20, "tool", called.0.min(word.start), end);
        }
    }
}

/// Names of Intercom's tools that no customer knows.
const TOOLS: &[&str] = &[
    "add_internal_note",
    "create_article",
    "delete_article",
    "get_article",
    "get_company",
    "get_contact",
    "get_conversation",
    "list_articles",
    "list_companies",
    "search_articles",
    "search_contacts",
    "search_conversations",
    "submit_mcp_feedback",
    "update_article",
];

/// What the names of tools begin with.
const VERBS: &[&str] = &[
    "add", "call", "close", "create", "delete", "execute", "fetch", "get", "list", "post", "read",
    "remove", "reply", "run", "search", "send", "update", "write",
];

/// Whether a word is another, folded.
fn folds(word: &str, folded: &str) -> bool {
    if word.is_ascii() {
        return word.eq_ignore_ascii_case(folded);
    }
    let mut out = String::new();
    kit::unfold::fold_word(word, &mut out);
    out == folded
}

/// Joins hints that stand near each other.
pub(crate) fn join(mut hints: Vec<Placed>) -> Vec<Stretch> {
    hints.sort_by_key(|hint| hint.raw.start);
    let mut stretches = Vec::new();
    let mut rest = hints.as_slice();
    while let Some(first) = rest.first() {
        let mut end = first.raw.end;
        let near = rest.iter().take_while(|hint| {
            let near = hint.raw.start <= end + APART;
            end = if near { end.max(hint.raw.end) } else { end };
            near
        });
        let (group, others) = rest.split_at(near.count().max(1));
        stretches.push(stretch(group));
        rest = others;
    }
    stretches
}

fn stretch(group: &[Placed]) -> Stretch {
    let mut names: Vec<(&'static str, u8)> = Vec::new();
    for hint in group {
        match names.iter_mut().find(|(name, _)| *name == hint.name) {
            Some(other) => other.1 = other.1.max(hint.weight),
            None => names.push((hint.name, hint.weight)),
        }
    }
    let doubt =
        names.iter().fold(1.0, |doubt, (_, weight)| doubt * (1.0 - f32::from(*weight) / 100.0));
    let reason = names.iter().max_by_key(|(_, weight)| *weight).map_or("", |(name, _)| name);
    let mut places: Vec<_> = group.iter().filter_map(|hint| hint.view.clone()).collect();
    places.sort_by_key(|place| place.start);
    let mut view: Vec<Range<usize>> = Vec::new();
    for place in places {
        match view.last_mut().filter(|last| place.start <= last.end + APART) {
            Some(last) => last.end = last.end.max(place.end),
            None => view.push(place),
        }
    }
    let raw = group.iter().filter(|hint| hint.view.is_none()).map(|hint| hint.raw.clone()).next();
    Stretch { view, raw, confidence: ((1.0 - doubt) * 100.0).min(99.0) as u8, reason }
}
