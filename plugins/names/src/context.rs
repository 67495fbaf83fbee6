//! What is known of each token before the sequence model is asked, and which tokens it is asked about.
//!
//! Most tokens of running text are words that nobody is called, and signs. They are no part of a name,
//! and the model spends nothing on them: it looks only at *candidates*. The trainer uses the same rule, so
//! what it learns is what the decoder needs.

use crate::table::{Code, Model};
use crate::token::{Case, Kind, Token, hash_of};

/// A text, cut and looked up.
#[derive(Clone, Debug)]
pub struct Context<'a> {
    /// The text itself.
    pub text: &'a str,
    /// Its tokens.
    pub tokens: Vec<Token>,
    /// What is known of each.
    pub codes: Vec<Code>,
    /// Whether the model is asked about each.
    pub candidates: Vec<bool>,
}

/// The longest word of a script without capitals that may be a name. Thai writes whole clauses in one.
const LONGEST: u8 = 18;
/// How many Han or Hangul characters a name has at most, with its surname in front.
const EAST: usize = 4;

impl<'a> Context<'a> {
    /// Cuts the text, looks its words up and picks the candidates.
    #[must_use]
    pub fn new(text: &'a str, model: &Model<'_>) -> Self {
        let tokens = crate::token::tokens(text);
        let codes = tokens.iter().map(|t| look_up(text, t, model));
        Self::with_codes(text, codes.collect(), tokens, model)
    }

    /// The same, with what is known of each token given.
    #[must_use]
    pub fn with_codes(
        text: &'a str,
        codes: Vec<Code>,
        tokens: Vec<Token>,
        model: &Model<'_>,
    ) -> Self {
        let mut context = Self { text, candidates: vec![false; tokens.len()], tokens, codes };
        for i in 0..context.tokens.len() {
            if context.is_candidate(i) {
                context.mark(i);
            }
        }
        context.mark_east(model);
        context.mark_joined();
        context
    }

    /// The token at a place relative to another.
    #[must_use]
    pub fn token(&self, at: usize, by: isize) -> Option<&Token> {
        self.tokens.get(at.checked_add_signed(by)?)
    }

    /// What is known of the token at a place relative to another.
    #[must_use]
    pub fn code(&self, at: usize, by: isize) -> Code {
        at.checked_add_signed(by).and_then(|i| self.codes.get(i)).copied().unwrap_or_default()
    }

    /// Whether the token at a place relative to another is a candidate.
    #[must_use]
    pub fn candidate(&self, at: usize, by: isize) -> bool {
        at.checked_add_signed(by).and_then(|i| self.candidates.get(i)).copied().unwrap_or_default()
    }

    fn mark(&mut self, at: usize) {
        if let Some(mark) = self.candidates.get_mut(at) {
            *mark = true;
        }
    }

    /// Whether a token may be a name by itself.
    fn is_candidate(&self, at: usize) -> bool {
        let Some(token) = self.token(at, 0) else { return false };
        let code = self.code(at, 0);
        if token.kind == Kind::Katakana {
            return token.letters > 1 && code.word() < 2;
        }
        if token.kind != Kind::Word {
            return false;
        }
        let known = code.word() == 2 && !code.is_name();
        match token.case {
            Case::Title | Case::Upper | Case::Single | Case::Mixed => !known,
            Case::None => token.letters <= LONGEST && code.word() < 2,
            Case::Lower if token.letters < 2 || known => false,
            Case::Lower => code.word() == 0 || (code.is_name() && self.is_announced(at)),
        }
    }

    /// Whether a name in small letters that is also a word may be meant as a name: behind a word that announces
    /// one, at the begin of a line, or behind another name in small letters.
    fn is_announced(&self, at: usize) -> bool {
        let Some(before) = self.token(at, -1) else { return true };
        let (near, over) = match before.kind {
            Kind::Break => return true,
            Kind::Sign => (2, 1),
            _ => (if self.code(at, 0).word() == 2 { 1 } else { 2 }, 0),
        };
        let follows =
            before.case == Case::Lower && (self.candidate(at, -1) || self.code(at, -1).first() > 0);
        follows || (1..=near).any(|by| self.code(at, -by - over).is_cue())
    }

    /// Han and Hangul: what begins with a surname.
    fn mark_east(&mut self, model: &Model<'_>) {
        let east = |t: &Token| matches!(t.kind, Kind::Han | Kind::Hangul);
        for i in 0..self.tokens.len() {
            let run = self.tokens.iter().skip(i).take(EAST);
            let run =
                run.enumerate().take_while(|(k, t)| east(t) && (*k == 0 || !t.spaced)).count();
            let surname =
                run >= 2 && (self.code(i, 0).last() > 0 || self.pair(i, model).last() > 0);
            if surname {
                (i..i + run).for_each(|k| self.mark(k));
            }
        }
    }

    /// What is known of a Han or Hangul token and the next as one word.
    #[must_use]
    pub fn pair(&self, at: usize, model: &Model<'_>) -> Code {
        let (Some(a), Some(b)) = (self.token(at, 0), self.token(at, 1)) else {
            return Code::UNKNOWN;
        };
        let word = self.text.get(a.start as usize..b.end as usize).unwrap_or("");
        if a.end == b.start && a.kind == b.kind { model.code(hash_of(word)) } else { Code::UNKNOWN }
    }

    /// Signs and small words between two candidates: the point of `J. Smith`, the `van` of `Anna van Dyk`.
    fn mark_joined(&mut self) {
        for i in 0..self.tokens.len() {
            let Some(token) = self.tokens.get(i) else { break };
            let initial = self
                .token(i, -1)
                .is_some_and(|t| matches!(t.case, Case::Single) && t.end == token.start);
            let point =
                token.kind == Kind::Sign && initial && self.is(i, b'.') && self.candidate(i, 1);
            let small = token.kind == Kind::Word && self.code(i, 0) == Code::PARTICLE;
            let joined = small
                && (self.candidate(i, -1)
                    || self.candidate(i, 1)
                    || self.code(i, 1) == Code::PARTICLE);
            // `An` announces a name in German and ends one in Vietnamese.
            let ends =
                token.case == Case::Title && self.code(i, 0).is_cue() && self.is_title_name(i);
            if point || joined || ends {
                self.mark(i);
            }
        }
    }

    /// Whether the token before is a name with a capital, on the same line and with no sign between.
    fn is_title_name(&self, at: usize) -> bool {
        let before =
            self.token(at, -1).is_some_and(|t| t.kind == Kind::Word && t.case == Case::Title);
        before && self.candidate(at, -1) && self.code(at, -1).is_name()
    }

    /// Whether the token is this sign.
    #[must_use]
    pub fn is(&self, at: usize, sign: u8) -> bool {
        let token = self.tokens.get(at);
        token.is_some_and(|t| {
            t.kind == Kind::Sign && self.text.as_bytes().get(t.start as usize) == Some(&sign)
        })
    }
}

fn look_up(text: &str, token: &Token, model: &Model<'_>) -> Code {
    if !matches!(
        token.kind,
        Kind::Word | Kind::Han | Kind::Hangul | Kind::Hiragana | Kind::Katakana
    ) {
        return Code::UNKNOWN;
    }
    let code = model.code(token.hash);
    if code == Code::UNKNOWN && token.kind == Kind::Word {
        look_up_parts(text, token, model)
    } else {
        code
    }
}

/// A stranger with a hyphen is what its parts are: `Anna-Lena` is a name, `follow-up` a word.
fn look_up_parts(text: &str, token: &Token, model: &Model<'_>) -> Code {
    let word = text.get(token.start as usize..token.end as usize).unwrap_or("");
    if !word.contains('-') {
        return Code::UNKNOWN;
    }
    let (mut first, mut last, mut words, mut parts) = (0, 0, 0_u8, 0_u8);
    for code in word.split('-').map(|part| model.code(hash_of(part))) {
        (first, last) = (code.first().max(first), code.last().max(last));
        words = words.saturating_add(u8::from(code.word() > 0));
        parts = parts.saturating_add(1);
    }
    // In small letters one word is enough: few write their own name as `front-anna`.
    let is_word = words == parts || (words > 0 && token.case == Case::Lower);
    if is_word { Code::of(0, 0, 1) } else { Code::of(first, last, 0) }
}
