//! Edits under a schema: structured content must stay what its tool promised.
//!
//! A stand-in that does not fit (a word where an address is promised) is exchanged for a plain value
//! that does. If none does, the message cannot be shown.

use super::edit::{Edit, Misplaced, New, edit};
use super::payload::Payload;
use crate::domain::{Form, JsonText};

/// What fits in the place of a text: an address, a link, dates, identifiers, and less.
const TEXTS: [&str; 9] = [
    "redacted@redacted.invalid",
    "https://redacted.invalid/",
    "1970-01-01",
    "1970-01-01T00:00:00Z",
    "00000000-0000-0000-0000-000000000000",
    "0.0.0.0",
    "redacted.invalid",
    "redacted",
    "",
];

/// Why a message cannot be edited so that it still is what it must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// An edit is of something that is not there.
    #[error(transparent)]
    Misplaced(#[from] Misplaced),
    /// No stand-in fits.
    #[error("nothing that could stand in its place fits the schema of the result")]
    Schema,
}

/// The message with the edits carried out. `misfits` gives the places of a message's structured content that
/// do not fit its schema; those that came with the message are left as they are.
///
/// # Errors
/// If an edit is of nothing, or if nothing fits in some place.
pub fn edit_fitting(
    payload: &Payload,
    mut edits: Vec<Edit>,
    misfits: &dyn Fn(&JsonText) -> Vec<String>,
) -> Result<JsonText, Unfit> {
    let mut text = edit(payload, &edits)?;
    let mut wrong = misfits(&text);
    if wrong.is_empty() {
        return Ok(text);
    }
    let before = misfits(&payload.text());
    wrong.retain(|path| !before.contains(path));
    for path in wrong {
        let leaves = payload.leaves().iter().enumerate();
        let edited: Vec<usize> = leaves
            .filter(|(leaf, it)| it.path == path && edits.iter().any(|edit| edit.leaf == *leaf))
            .map(|(leaf, _)| leaf)
            .collect();
        if edited.is_empty() {
            return Err(Unfit::Schema);
        }
        edits.retain(|edit| !edited.contains(&edit.leaf));
        (edits, text) = fitting(payload, &edits, &edited, &path, misfits)?;
    }
    Ok(text)
}

/// The first stand-in for whole leaves with which a place fits.
fn fitting(
    payload: &Payload,
    others: &[Edit],
    leaves: &[usize],
    path: &str,
    misfits: &dyn Fn(&JsonText) -> Vec<String>,
) -> Result<(Vec<Edit>, JsonText), Unfit> {
    for candidate in 0..=TEXTS.len() {
        let mut edits = others.to_vec();
        for number in leaves {
            let leaf = payload.leaves().get(*number).ok_or(Misplaced)?;
            let new = match (leaf.form, TEXTS.get(candidate)) {
                (Form::Number, Some(_)) => {
                    New::Number(u64::try_from(candidate).unwrap_or_default())
                }
                (Form::Key, None) | (Form::Number, None) => New::Empty,
                (_, Some(text)) => New::Text((*text).to_owned()),
                (_, None) => New::Empty,
            };
            edits.push(Edit { leaf: *number, bytes: 0..leaf.text.len(), new });
        }
        let text = edit(payload, &edits)?;
        if !misfits(&text).iter().any(|wrong| wrong == path) {
            return Ok((edits, text));
        }
    }
    Err(Unfit::Schema)
}
