//! A past question without anybody's personal values, for a fixture that others may read.
//!
//! Letters become other letters and digits other digits, the same text the same way throughout one
//! [`Mask`] and differently in the next, so that nothing can be looked up and what belonged together
//! still does. Shapes stay: an id is an id, an address looks like one. What the protocol or our
//! catalogue names (types, states, the words that an argument may have) is nobody's value and stays.
//!
//! Rules may have decided by what is masked. Whoever makes a fixture asks them again.

use std::collections::{BTreeSet, hash_map::RandomState};
use std::hash::BuildHasher as _;

use serde_json::Value as Json;

use crate::domain::JsonText;
use crate::domain::pseudonym::{self, Seen};
use crate::intercom::Catalogue;
use crate::policy::{Asked, Written};

/// Members whose values are words of the protocol.
const PLAIN: [&str; 14] = [
    "type",
    "object",
    "object_type",
    "role",
    "state",
    "status",
    "priority",
    "part_type",
    "isError",
    "mimeType",
    "sort",
    "order",
    "limit",
    "content_type",
];
/// Numbers of fewer digits say nothing of anybody.
const PLAIN_NUMBER: u64 = 10_000;
/// How deep answers are looked into.
const DEPTH: usize = 64;

/// One way of masking.
#[derive(Default)]
pub struct Mask(RandomState);

impl Mask {
    /// The question, masked; `None` if it holds something that cannot be taken apart.
    #[must_use]
    pub fn question(&self, asked: &Asked) -> Option<Asked> {
        let words = asked.tool.as_deref().map(enumerated).unwrap_or_default();
        let plain = |key: &str, text: &str| words.contains(text) || PLAIN.contains(&key);
        let mut masked = asked.clone();
        masked.arguments = self.text(&asked.arguments, &plain)?;
        masked.params = match asked.tool {
            // The name of a prompt or method is no value.
            None => self.text(&asked.params, &|key, _| key == "name")?,
            Some(_) => asked.params.clone(),
        };
        let of_protocol = |key: &str, _: &str| PLAIN.contains(&key);
        let rest = |text: &Option<Written>| match text {
            Some(text) => self.text(text, &of_protocol).map(Some),
            None => Some(None),
        };
        masked.continuation = rest(&asked.continuation)?;
        masked.target = rest(&asked.target)?;
        masked.reason = asked.reason.as_deref().map(|text| self.word(text));
        if let Some(client) = &mut masked.client {
            client.address = None;
        }
        let person = &mut masked.principal.on_behalf_of;
        *person = person.as_deref().map(|name| self.word(name));
        for mention in &mut masked.pseudonyms {
            for reference in mention.subjects.iter_mut().chain(&mut mention.seen) {
                *reference = self.reference(reference);
            }
        }
        if let Some(answer) = &mut masked.answer {
            answer.result = rest(&answer.result)?;
            answer.params = rest(&answer.params)?;
            answer.words = answer.words.as_deref().map(|words| self.word(words));
        }
        // It is read off the method and the masked parameters.
        masked.subject = None;
        Some(masked)
    }

    fn text(&self, text: &Written, plain: &dyn Fn(&str, &str) -> bool) -> Option<Written> {
        let mut value: Json = serde_json::from_str(text.text().as_str()).ok()?;
        self.value("", &mut value, plain, DEPTH)?;
        Some(JsonText::of(&value).into())
    }

    /// Masks a value that has the name `key`.
    fn value(
        &self,
        key: &str,
        value: &mut Json,
        plain: &dyn Fn(&str, &str) -> bool,
        depth: usize,
    ) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        match value {
            Json::String(text) if plain(key, text) => {}
            Json::String(text) if key == "query" => *text = self.query(text),
            Json::String(text) => {
                let inner = text.trim_start().starts_with(['{', '[']);
                let inner = inner.then(|| serde_json::from_str::<Json>(text).ok()).flatten();
                *text = match inner {
                    Some(mut inner) => {
                        self.value(key, &mut inner, plain, depth)?;
                        inner.to_string()
                    }
                    None => self.word(text),
                };
            }
            Json::Number(number) => {
                if let Some(large) = number.as_u64().filter(|it| *it >= PLAIN_NUMBER) {
                    let masked = self.word(&large.to_string());
                    *value = masked.parse::<u64>().map_or(Json::from(PLAIN_NUMBER), Json::from);
                }
            }
            Json::Null | Json::Bool(_) => {}
            Json::Array(items) => {
                for item in items {
                    self.value(key, item, plain, depth)?;
                }
            }
            Json::Object(members) => {
                for (name, member) in members {
                    self.value(name, member, plain, depth)?;
                }
            }
        }
        Some(())
    }

    /// The words of a query; its fields, and the values of those that the protocol names, stay.
    fn query(&self, text: &str) -> String {
        let word = |word: &str| match word.split_once(':') {
            Some((field, _)) if PLAIN.contains(&field) => word.to_owned(),
            Some((field, value)) => format!("{field}:{}", self.word(value)),
            None => self.word(word),
        };
        text.split(' ').map(word).collect::<Vec<_>>().join(" ")
    }

    /// A reference such as `contact:ID`, whose kind stays.
    fn reference(&self, text: &str) -> String {
        match text.split_once(':') {
            Some((kind, id)) => format!("{kind}:{}", self.word(id)),
            None => self.word(text),
        }
    }

    /// A text, letter by letter. Pseudonyms are masks already.
    fn word(&self, text: &str) -> String {
        let mut masked = String::with_capacity(text.len());
        let mut rest = 0;
        for sighting in pseudonym::find(text) {
            if let Seen::Token(_) = sighting.what
                && let (Some(before), Some(token)) =
                    (text.get(rest..sighting.bytes.start), text.get(sighting.bytes.clone()))
            {
                masked.extend(self.letters(before));
                masked.push_str(token);
                rest = sighting.bytes.end;
            }
        }
        masked.extend(self.letters(text.get(rest..).unwrap_or_default()));
        masked
    }

    fn letters<'a>(&'a self, text: &'a str) -> impl Iterator<Item = char> + 'a {
        text.chars().enumerate().map(move |(place, letter)| {
            let mut bits = self.0.hash_one((text, place));
            let mut one_of = |first: u8, count: u64| {
                let step = u8::try_from(bits % count).unwrap_or_default();
                bits /= count;
                char::from(first.saturating_add(step))
            };
            match letter {
                // Not zero in front, which numbers do not have.
                '0'..='9' if place == 0 && text.len() > 1 => one_of(b'1', 9),
                '0'..='9' => one_of(b'0', 10),
                // Digits of hexadecimal ids stay such.
                letter if letter.is_uppercase() => one_of(b'A', 6),
                letter if letter.is_alphabetic() => one_of(b'a', 6),
                letter => letter,
            }
        })
    }
}

/// The words that our catalogue lets an argument of a tool have.
fn enumerated(tool: &str) -> BTreeSet<String> {
    let entries = Catalogue::shipped().entries();
    let Some(entry) = entries.iter().find(|entry| entry.name == tool) else {
        return BTreeSet::new();
    };
    let mut words = BTreeSet::new();
    if let Ok(schema) = serde_json::from_str(entry.input_schema.as_str()) {
        gather(&schema, &mut words);
    }
    words
}

fn gather(schema: &Json, words: &mut BTreeSet<String>) {
    match schema {
        Json::Object(members) => {
            if let Some(Json::Array(choices)) = members.get("enum") {
                words.extend(choices.iter().filter_map(Json::as_str).map(str::to_owned));
            }
            members.values().for_each(|member| gather(member, words));
        }
        Json::Array(items) => items.iter().for_each(|item| gather(item, words)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_personal_stays_and_shapes_do() {
        let asked = Asked::read(
            r#"{"tool":"search","principal":{"id":"bot","roles":["r"],"on_behalf_of":"Ann Lee"},
            "arguments":{"query":"object_type:contacts email:jane@acme.com q:[[person:7f3a9c]] Jane"},
            "reason":"Jane asked","client":{"name":"c","version":"1","address":"10.0.0.1"},
            "answer":{"result":{"content":[{"type":"text",
              "text":"{\"type\":\"contact\",\"id\":\"66b0c0de0000000000000a01\",\"name\":\"Jane\",\"phone\":4915112345678,\"open\":12}"}]}}}"#,
        )
        .unwrap();
        let mask = Mask::default();
        let masked = mask.question(&asked).unwrap();
        let text = serde_json::to_string(&masked).unwrap();
        for value in ["jane", "acme", "Jane", "Ann", "Lee", "66b0c0de", "4915112345678", "10.0"] {
            assert!(!text.contains(value), "{value}: {text}");
        }
        for value in ["object_type:contacts", "email:", "[[person:7f3a9c]]", r#"\"type\""#, "bot"] {
            assert!(text.contains(value), "{value}: {text}");
        }
        assert!(
            text.contains(r#"\\\"type\\\":\\\"contact\\\""#) || text.contains("contact"),
            "{text}"
        );
        assert_eq!(mask.word("Jane"), mask.word("Jane"));
        assert_ne!(mask.word("66b0c0de0000000000000a01"), mask.word("66b0c0de0000000000000a02"));
        let id = mask.word("66b0c0de0000000000000a01");
        assert!(id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
        let published =
            r#"{"tool":"update_article","arguments":{"state":"published","title":"x"}}"#;
        let masked = mask.question(&Asked::read(published).unwrap()).unwrap();
        assert!(masked.arguments.text().as_str().contains("published"));
    }
}
