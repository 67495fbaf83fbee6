//! Articles that a new one could repeat, found by its title: a few searches of Portcullis' own, judged and
//! recorded like every call, within a bound of time. What cannot be read is told, not guessed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Leg, Upstream};
use crate::domain::JsonText;

/// For all searches together: a person waits.
const WITHIN: Duration = Duration::from_secs(4);
/// Searches for one title: the title itself, and its longest words.
const SEARCHES: usize = 3;
/// The shortest word that is searched for, in letters.
const WORD: usize = 5;
/// Letters of a title that are searched for.
const LONGEST: usize = 120;
/// Articles that are told.
const MOST: usize = 60;

/// An article that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArticleSeen {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its HTML, if the search tells it.
    pub body: Option<String>,
    /// Its public page, if it has one.
    pub url: Option<String>,
}

impl Upstream {
    /// The articles that a search for a title and its words finds.
    ///
    /// # Errors
    /// In words, if they cannot be read.
    pub async fn articles_like(self: &Arc<Self>, title: &str) -> Result<Vec<ArticleSeen>, String> {
        let leg = self.shared_leg(None, None).await.map_err(|fault| fault.to_string())?;
        let asked = tokio::time::timeout(WITHIN, self.search_all(&leg, title)).await;
        asked.map_err(|_| format!("Intercom did not answer within {} s", WITHIN.as_secs()))?
    }

    async fn search_all(
        self: &Arc<Self>,
        leg: &Arc<Leg>,
        title: &str,
    ) -> Result<Vec<ArticleSeen>, String> {
        let mut found: BTreeMap<String, ArticleSeen> = BTreeMap::new();
        for phrase in phrases(title) {
            let arguments = JsonText::of(&json!({ "phrase": phrase }));
            let all = self.read_for_people(leg, "search_articles", &arguments, articles).await?;
            found.extend(all.into_iter().map(|one| (one.id.clone(), one)));
        }
        Ok(found.into_values().take(MOST).collect())
    }
}

/// What is searched for: the whole title, then its longest words.
fn phrases(title: &str) -> Vec<String> {
    let title: String = title.trim().chars().take(LONGEST).collect();
    let mut words: Vec<&str> = title
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| word.chars().count() >= WORD)
        .collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.chars().count()));
    let mut phrases = vec![title.clone()];
    for word in words {
        if !phrases.iter().any(|known| known.eq_ignore_ascii_case(word)) {
            phrases.push(word.to_owned());
        }
    }
    phrases.retain(|phrase| !phrase.is_empty());
    phrases.truncate(SEARCHES);
    phrases
}

/// The articles in a search's result; `None` if it is none.
fn articles(result: &JsonText) -> Option<Vec<ArticleSeen>> {
    let result: Value = serde_json::from_str(result.as_str()).ok()?;
    let blocks = result.get("content").and_then(Value::as_array).into_iter().flatten();
    let texts = blocks.filter_map(|block| block.get("text")?.as_str());
    let read = texts.filter_map(|text| serde_json::from_str(text).ok());
    let mut all = read.chain(result.get("structuredContent").cloned());
    let list = all.find_map(|one: Value| {
        let data = one.get("data")?;
        data.get("articles").unwrap_or(data).as_array().cloned()
    })?;
    let text = |of: &Value, name: &str| match of.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let seen = |one: &Value| {
        let (id, title) = (text(one, "id")?, text(one, "title")?);
        let url = text(one, "url").filter(|url| url.starts_with("https://"));
        Some(ArticleSeen { id, title, body: text(one, "body"), url })
    };
    Some(list.iter().filter_map(seen).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_searched_for_whole_and_by_its_longest_words() {
        for (title, expected) in [
            ("Refund policy", vec!["Refund policy", "Refund", "policy"]),
            (
                "How to get a refund for annual plans",
                vec!["How to get a refund for annual plans", "refund", "annual"],
            ),
            ("Refunds", vec!["Refunds"]),
            ("  ", vec![]),
        ] {
            assert_eq!(phrases(title), expected, "{title}");
        }
    }

    #[test]
    fn articles_are_read_from_either_form_and_nothing_else_is() {
        let list = json!({"type": "list", "data": {"articles": [
            {"id": "7", "title": "T", "body": "<p>x</p>", "url": "https://help.example/7"},
            {"id": 8, "title": "U", "url": "javascript:x"}, {"id": "9"},
        ]}});
        let seven = ArticleSeen {
            id: "7".into(),
            title: "T".into(),
            body: Some("<p>x</p>".into()),
            url: Some("https://help.example/7".into()),
        };
        let eight = ArticleSeen { id: "8".into(), title: "U".into(), body: None, url: None };
        for result in [
            json!({"content": [{"type": "text", "text": list.to_string()}]}),
            json!({"content": [], "structuredContent": list}),
        ] {
            assert_eq!(articles(&JsonText::of(&result)), Some(vec![seven.clone(), eight.clone()]));
        }
        let words = json!({"content": [{"type": "text", "text": "none today"}]});
        assert_eq!(articles(&JsonText::of(&words)), None);
    }
}
