//! Finds the names of people in running text.
//!
//! Most people of a conversation are known from its fields, and a dictionary finds them. This crate is for
//! the others, who are known from text only: "please write to Rúben Torres", "i think cheryl wright changed
//! it", "Danke, Jörg". It is a small sequence model (a linear-chain conditional random field) over what is
//! known of words, how they are written and what stands around them. It was trained by `train/`, where the
//! data are named, and its weights are one file which is read in place: a call has nothing to set up.
//!
//! Give it plain text: the caller has opened HTML and other codings before. Give it whole texts rather than
//! lines, since what stands on the line before tells much ("Best regards," and then "Jane").

#![forbid(unsafe_code)]

// The parts are open to the trainer, so that it learns on what the decoder sees.
#[doc(hidden)]
pub mod chain;
#[doc(hidden)]
pub mod context;
#[doc(hidden)]
pub mod feature;
#[doc(hidden)]
pub mod table;
#[doc(hidden)]
pub mod token;

use std::ops::Range;

use context::Context;
use table::{Code, Model};
use token::{Case, Kind, Token};

static MODEL: &[u8] = include_bytes!("model.bin");

/// A name of a person in a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Name {
    /// Where it stands, in bytes; both ends lie between characters.
    pub bytes: Range<usize>,
    /// How probable it is that this is the name of a person, from 0 to 1.
    pub confidence: f32,
}

/// Finds the names whose every part is at least as probable as `threshold`.
///
/// 0.5 errs about as often to one side as to the other; 0.2 misses less and takes more that is none.
#[must_use]
pub fn find(text: &str, threshold: f32) -> Vec<Name> {
    match Model::read(MODEL) {
        Some(model) => find_with(text, threshold, &model),
        None => Vec::new(),
    }
}

/// The same with another model.
#[doc(hidden)]
#[must_use]
pub fn find_with(text: &str, threshold: f32, model: &Model<'_>) -> Vec<Name> {
    let context = Context::new(text, model);
    let labels = chain::label(&context, model);
    let mut names = Names { out: Vec::new(), open: None };
    for (token, [begin, inside]) in context.tokens.iter().zip(labels) {
        let p = begin + inside;
        if p < threshold || p <= 0.0 {
            names.close();
        } else if begin > inside || names.open.is_none() {
            names.close();
            names.open = Some(Open { from: token.start, to: token.end, sum: p, count: 1.0 });
        } else if let Some(open) = &mut names.open {
            *open = Open { to: token.end, sum: open.sum + p, count: open.count + 1.0, ..*open };
        }
    }
    names.close();
    names.out
}

/// A name that is being gathered.
#[derive(Clone, Copy)]
struct Open {
    from: u32,
    to: u32,
    sum: f32,
    count: f32,
}

struct Names {
    out: Vec<Name>,
    open: Option<Open>,
}

impl Names {
    fn close(&mut self) {
        if let Some(Open { from, to, sum, count }) = self.open.take() {
            let confidence = (sum / count).clamp(0.0, 1.0);
            self.out.push(Name { bytes: from as usize..to as usize, confidence });
        }
    }
}

/// What the tables say of a word. A stranger is taken for an entry about once in 500 times.
fn code(word: &str) -> Code {
    Model::read(MODEL).map_or(Code::UNKNOWN, |model| model.code(token::hash_of(word)))
}

/// Whether people have this first name. Case and diacritics do not count.
#[must_use]
pub fn is_first_name(word: &str) -> bool {
    code(word).first() > 0
}

/// Whether people have this surname.
#[must_use]
pub fn is_surname(word: &str) -> bool {
    code(word).last() > 0
}

/// Whether this is also a word of a language, as `will`, `mark`, `rose` and `table` are.
#[must_use]
pub fn is_word(word: &str) -> bool {
    code(word).word() > 0
}

/// Whether `find` can find anything here: a word with a capital that is not a common word, a name in small
/// letters, or a word that announces a name.
#[must_use]
pub fn looks_worth_it(line: &str) -> bool {
    let Some(model) = Model::read(MODEL) else { return false };
    let asked =
        |t: &Token| matches!(t.kind, Kind::Word | Kind::Han | Kind::Hangul | Kind::Katakana);
    token::tokens(line).iter().filter(|t| asked(t)).any(|t| {
        let code = model.code(t.hash);
        match t.case {
            Case::Lower => {
                code.word() == 0 || matches!(code, Code::GREETING | Code::TITLE | Code::SAYING)
            }
            _ => code.is_name() || code.word() < 2,
        }
    })
}
