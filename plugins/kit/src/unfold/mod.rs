//! Reading a text as a person would, with the way back to its bytes.
//!
//! [`View::of`] takes away what is not read: tags (inline ones join, block ones break the line),
//! entities, %-encoding once or twice, `\uXXXX`, invisible characters, full-width and other
//! compatibility forms. [`fold`] takes away case, accents and look-alike letters besides.
//! [`base64_tokens`], [`spelled_digits`] and [`spaced_letters`] find what is written in another way
//! altogether. Whatever is found in a view is brought back by [`View::range`] or [`View::pieces`]:
//! bytes of the original text, always between characters.
//!
//! ```
//! use kit::unfold::View;
//! let text = "Write to jane&#64;example<b>.org</b>!";
//! let view = View::of(text, kit::Form::Html);
//! assert_eq!(view.text(), "Write to jane@example.org!");
//! let at = view.text().find("jane").unwrap();
//! let spans: Vec<_> = view.pieces(at..at + 16).into_iter().map(|r| &text[r]).collect();
//! assert_eq!(spans, ["jane&#64;example", ".org"]);
//! ```

mod base64;
mod decode;
mod entities;
mod fold;
mod map;
mod spell;
mod tag;

pub use base64::base64_tokens;
pub use fold::{fold, fold_text, fold_word};
pub use map::View;
pub use spell::{spaced_letters, spelled_digits};

/// What stands in a view for a pseudonym such as `[[email:7f3a9c]]`: no recogniser may look into it.
pub const WALL: char = '\u{1a}';

/// The byte at a place, or 0 beyond the end.
#[must_use]
pub fn at(bytes: &[u8], i: usize) -> u8 {
    bytes.get(i).copied().unwrap_or(0)
}
