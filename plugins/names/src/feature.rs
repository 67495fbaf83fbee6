//! What the model looks at in a candidate: how it is written, what is known of it, what stands around it.
//!
//! A feature is a hash. It says which question was asked and what the answer was; the file knows its
//! weights, or does not, and then it weighs nothing.

use crate::context::Context;
use crate::table::{Code, Model};
use crate::token::{Case, Kind, Token, finish, fold, hash_of};

/// The most tokens between a candidate and the word that announces it.
const REACH: isize = 5;

/// Gives every feature of the candidate to `emit`.
pub fn each(
    context: &Context<'_>,
    at: usize,
    model: &Model<'_>,
    line: Line,
    emit: &mut impl FnMut(u64),
) {
    let Some(token) = context.token(at, 0) else { return };
    let here = Here::new(context, at);
    let mut put = |question: u64, answer: u64| {
        emit(finish(question.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ answer))
    };
    word(context, at, &here, model, &mut put);
    around(&here, &mut put);
    announced(context, at, &here, &mut put);
    put(30, join(here.known(0), line.class()));
    put(31, join(here.kind, u64::from(line.short) * 4 + u64::from(here.position)));
    if matches!(token.kind, Kind::Han | Kind::Hangul | Kind::Katakana) {
        east(context, at, model, &mut put);
    }
}

/// How the line is written in which a candidate stands.
#[derive(Clone, Copy, Debug, Default)]
pub struct Line {
    /// Whether any letter is small.
    pub lower: bool,
    /// Whether any letter is a capital.
    pub upper: bool,
    /// Whether it has at most three words.
    pub short: bool,
}

impl Line {
    /// Looks at the line around a token; `end` is the number of the token behind it.
    #[must_use]
    pub fn around(context: &Context<'_>, at: usize) -> (Self, usize) {
        let is_break = |t: &Token| t.kind == Kind::Break;
        let before = context
            .tokens
            .get(..at)
            .unwrap_or(&[])
            .iter()
            .rev()
            .take_while(|t| !is_break(t))
            .count();
        let behind =
            context.tokens.get(at..).unwrap_or(&[]).iter().take_while(|t| !is_break(t)).count();
        let tokens = context.tokens.get(at - before..at + behind).unwrap_or(&[]);
        let words = || tokens.iter().filter(|t| t.kind == Kind::Word);
        let lower = words().any(|t| matches!(t.case, Case::Lower | Case::Title | Case::Mixed));
        let upper = words()
            .any(|t| matches!(t.case, Case::Title | Case::Mixed | Case::Upper | Case::Single));
        (Self { lower, upper, short: words().count() <= 3 }, at + behind)
    }

    const fn class(self) -> u64 {
        self.lower as u64 * 2 + self.upper as u64
    }
}

const fn join(a: u64, b: u64) -> u64 {
    (a.rotate_left(23) ^ b).wrapping_mul(0xff51_afd7_ed55_8ccd)
}

/// A candidate and its neighbours, each as two keys.
struct Here {
    /// What is known of the tokens from two before to two behind, and how they are written.
    known: [u64; 5],
    /// The tokens themselves, where they are words that many people use; else what is known of them.
    key: [u64; 5],
    /// In few classes: is it a name, a word, neither; has it a capital.
    kind: u64,
    /// Begin of a line, of a sentence, behind a sign, behind a word.
    position: u8,
}

impl Here {
    fn new(context: &Context<'_>, at: usize) -> Self {
        let by = [-2, -1, 0, 1, 2];
        let known = by.map(|by| known(context, at, by));
        let key = by.map(|by| key(context, at, by));
        let code = context.code(at, 0);
        let class = if code.is_cue() {
            5
        } else {
            u64::from(code.is_name()) * 2 + u64::from(code.word() > 0)
        };
        let case = context.token(at, 0).map_or(0, |t| match t.case {
            Case::Lower => 1,
            Case::None => 2,
            _ => 0,
        });
        Self { known, key, kind: class * 3 + case, position: position(context, at) }
    }

    fn known(&self, by: isize) -> u64 {
        self.known.get(by.wrapping_add(2) as usize).copied().unwrap_or(0)
    }

    fn key(&self, by: isize) -> u64 {
        self.key.get(by.wrapping_add(2) as usize).copied().unwrap_or(0)
    }
}

fn position(context: &Context<'_>, at: usize) -> u8 {
    match context.token(at, -1) {
        None => 0,
        Some(t) if t.kind == Kind::Break => 0,
        Some(t) if t.kind == Kind::Sign => {
            let ends = [b'.', b'!', b'?'].iter().any(|s| context.is(at - 1, *s));
            if ends && context.token(at, 0).is_some_and(|t| t.spaced) { 1 } else { 2 }
        }
        Some(_) => 3,
    }
}

fn known(context: &Context<'_>, at: usize, by: isize) -> u64 {
    let Some(token) = context.token(at, by) else { return 1 };
    let sign = if token.kind == Kind::Sign { token.hash & 0xff } else { 0 };
    let code = u64::from(context.code(at, by).0);
    (code << 24) | (sign << 16) | ((token.kind as u64) << 8) | token.case as u64
}

/// A word that many people use stands for itself; a name stands for all names.
fn key(context: &Context<'_>, at: usize, by: isize) -> u64 {
    let Some(token) = context.token(at, by) else { return 1 };
    let code = context.code(at, by);
    let named = code.is_name() && code.word() == 0;
    let strange = code == Code::UNKNOWN && !matches!(token.case, Case::Lower | Case::None);
    if token.kind == Kind::Word && (named || strange) { known(context, at, by) } else { token.hash }
}

/// How the candidate itself is written.
fn word(
    context: &Context<'_>,
    at: usize,
    here: &Here,
    model: &Model<'_>,
    put: &mut impl FnMut(u64, u64),
) {
    let Some(token) = context.token(at, 0) else { return };
    let known = here.known(0);
    put(1, known);
    put(2, join(known, u64::from(here.position)));
    let script = context
        .text
        .as_bytes()
        .get(token.start as usize)
        .map_or(0, |b| u64::from(b.max(&0xc3) >> 1));
    put(3, join(token.case as u64, script * 16 + u64::from(token.letters.min(12))));
    let text = context.text.get(token.start as usize..token.end as usize).unwrap_or("");
    if token.kind != Kind::Word {
        return;
    }
    let capital = u64::from(token.case != Case::Lower);
    let mut tail = capital;
    for (n, c) in text.chars().rev().filter_map(fold).take(4).enumerate() {
        tail = join(tail, c as u64);
        if n > 0 {
            put(4 + n as u64, tail);
        }
    }
    let mut head = capital;
    for (n, c) in text.chars().filter_map(fold).take(3).enumerate() {
        head = join(head, c as u64);
        if n > 0 {
            put(8 + n as u64, head);
        }
    }
    if text.contains('-') {
        put(11, here.kind);
    }
    if context.code(at, 0) == Code::UNKNOWN && token.case == Case::Title {
        let compound = u64::from(is_compound(text, model));
        put(32, join(compound, join(here.key(-1), here.key(1))));
        put(33, join(compound, here.known(-1)));
    }
    // A name is told by what is known of it. Only words are learned one by one.
    if here.key(0) == token.hash {
        put(12, join(token.hash, token.case as u64));
        put(13, join(token.hash, join(here.key(-1), 1)));
        put(13, join(token.hash, join(here.key(1), 2)));
    }
}

/// Whether a stranger is made of two words, as brands and some surnames are: `Sunboard`.
fn is_compound(text: &str, model: &Model<'_>) -> bool {
    if !text.is_ascii() || !(6..=16).contains(&text.len()) {
        return false;
    }
    let level = |part: &str| match model.code(hash_of(part)).word() {
        1 if part.len() < 4 => 0,
        level => level,
    };
    (3..=text.len() - 3).filter_map(|at| text.split_at_checked(at)).any(|(a, b)| {
        let (a, b) = (level(a), level(b));
        a > 0 && b > 0 && a + b > 2
    })
}

/// What stands beside it.
fn around(here: &Here, put: &mut impl FnMut(u64, u64)) {
    let kind = here.kind;
    put(14, join(here.key(-1), kind));
    put(15, join(here.key(1), kind));
    put(16, join(here.key(-2), kind));
    put(17, join(here.key(2), kind));
    put(18, join(here.key(-2), join(here.key(-1), kind)));
    put(19, join(here.key(1), join(here.key(2), kind)));
    put(20, join(here.key(-1), join(here.key(1), kind)));
    put(21, join(here.known(-1), here.known(0)));
    put(22, join(here.known(0), here.known(1)));
    put(23, join(here.known(-1), join(here.known(0), here.known(1))));
}

/// The nearest word on each side, over signs and ends of lines, and the nearest cue before it.
fn announced(context: &Context<'_>, at: usize, here: &Here, put: &mut impl FnMut(u64, u64)) {
    for (question, direction) in [(24, -1), (25, 1)] {
        let mut gap = 0;
        for n in 1..=REACH {
            let by = n * direction;
            let Some(token) = context.token(at, by) else {
                put(question, join(gap, here.kind));
                break;
            };
            if matches!(token.kind, Kind::Sign | Kind::Break) {
                gap = join(gap, if token.kind == Kind::Break { 10 } else { token.hash });
                continue;
            }
            if n > 1 {
                put(question, join(key(context, at, by), join(gap, here.kind)));
                put(question + 2, join(u64::from(context.code(at, by).0), join(gap, here.kind)));
            }
            break;
        }
    }
    for by in 1..=REACH {
        if context.token(at, -by).is_none_or(|t| t.kind == Kind::Break && by > 2) {
            break;
        }
        let code = context.code(at, -by);
        if code.is_cue() && code != Code::PARTICLE {
            put(28, join(u64::from(code.0), join(by as u64, here.kind)));
            break;
        }
    }
    put(29, join(here.key(-1), join(u64::from(here.position), known(context, at, -3))));
}

/// Characters in place of words.
fn east(context: &Context<'_>, at: usize, model: &Model<'_>, put: &mut impl FnMut(u64, u64)) {
    let hash = |by| context.token(at, by).filter(|t| t.kind != Kind::Break).map_or(0, |t| t.hash);
    put(40, hash(0));
    put(41, join(hash(-1), hash(0)));
    put(42, join(hash(0), hash(1)));
    let pair =
        |by: isize| at.checked_add_signed(by).map_or(0, |i| u64::from(context.pair(i, model).0));
    let single = |by| u64::from(context.code(at, by).0);
    put(43, join(pair(0), single(0)));
    put(44, join(pair(-1), join(single(-1), single(0))));
    put(45, join(pair(-2), pair(0)));
    put(46, join(single(-1), pair(0)));
    put(47, join(single(-2), pair(-1)));
    let spaced = |by| {
        context
            .token(at, by)
            .is_none_or(|t| t.spaced || !matches!(t.kind, Kind::Han | Kind::Hangul))
    };
    let edges = u64::from(spaced(0)) * 8
        + u64::from(spaced(1)) * 4
        + u64::from(spaced(-1)) * 2
        + u64::from(spaced(2));
    put(48, join(edges, single(0)));
    put(49, join(edges, hash(1)));
    put(50, hash(2));
}
