//! Which articles a new one resembles, so that nobody releases the same article twice.

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::Document;
use super::fields;
use crate::domain::JsonText;

/// An article that is there already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its HTML, if it was read.
    pub body: Option<String>,
    /// Its public page, if it has one.
    pub url: Option<String>,
}

/// An article that resembles the new one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Similar {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// How much, from 0 to 100.
    pub percent: u8,
    /// Its public page, if it has one. Written by others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// Less than this is chance.
const ALIKE: f64 = 0.45;
/// More than these help nobody.
const MOST: usize = 5;

/// Those of `others` that resemble the article of a call's arguments, the most alike first.
#[must_use]
pub fn similar(arguments: &JsonText, others: &[Other]) -> Vec<Similar> {
    let arguments = super::object::arguments(arguments);
    let text = |name: &str| arguments.get(name).map(fields::text).unwrap_or_default();
    let (title, body) = (text("title"), Document::read(&text(fields::BODY)));
    let title_words = words(&title);
    let body_words: HashSet<String> = body.words().map(str::to_lowercase).collect();
    let mut found: Vec<Similar> = others
        .iter()
        .filter_map(|other| {
            let mut share = likeness(&title_words, &words(&other.title));
            share = share.max(strsim::normalized_levenshtein(
                &title.to_lowercase().chars().take(200).collect::<String>(),
                &other.title.to_lowercase().chars().take(200).collect::<String>(),
            ));
            if let Some(html) = &other.body {
                let read = Document::read(html);
                share = share
                    .max(likeness(&body_words, &read.words().map(str::to_lowercase).collect()));
            }
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a share of one"
            )]
            let percent = (share.clamp(0.0, 1.0) * 100.0).round() as u8;
            (share >= ALIKE).then(|| Similar {
                id: other.id.clone(),
                title: other.title.clone(),
                percent,
                url: other.url.clone(),
            })
        })
        .collect();
    found.sort_by(|one, other| other.percent.cmp(&one.percent).then_with(|| one.id.cmp(&other.id)));
    found.truncate(MOST);
    found
}

fn words(text: &str) -> HashSet<String> {
    let words = super::words::tokens(text).into_iter().filter(|token| super::words::is_word(token));
    words.map(str::to_lowercase).collect()
}

/// The share of the words that two texts have in common.
fn likeness(one: &HashSet<String>, other: &HashSet<String>) -> f64 {
    let all = one.union(other).count();
    if all == 0 {
        return 0.0;
    }
    #[expect(clippy::cast_precision_loss, reason = "numbers of words")]
    let share = one.intersection(other).count() as f64 / all as f64;
    share
}
