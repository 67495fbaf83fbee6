//! What a write would change: which read shows it, and the facts that rules see of it.
//!
//! `update_article` says what an article is to become, never what it is. A rule such as "a draft may
//! be changed, but to publish it takes two people" needs both, so the object is read before the
//! write is judged, and again before a released write is sent.
//!
//! The same read tells whether the object is still the one that an approver looked at. What counts
//! of an article is all of it but its statistics; of a conversation its state and its newest part,
//! because assignments, tags and times change while nobody says anything.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::records::{self, Record};
use crate::domain::{JsonText, Timestamp};

/// A read that shows the target of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// The tool.
    pub tool: &'static str,
    /// Its arguments, canonical.
    pub arguments: JsonText,
    kind: records::Kind,
    id: String,
}

/// The target of a write, as it is now.
#[derive(Debug, Clone)]
pub struct Sight {
    /// What rules see of it, in the form of `input.answer.records`.
    pub facts: JsonText,
    /// All of it.
    pub object: JsonText,
    /// What counts of it, by name, as text.
    pub parts: BTreeMap<String, String>,
    /// Its state, such as `draft`.
    pub state: Option<String>,
    /// When it last changed, as Intercom says.
    pub updated_at: Option<Timestamp>,
    /// What an article is called.
    pub title: Option<String>,
}

/// The read that shows what a call would change; `None` for calls that change no object that is
/// there already.
#[must_use]
pub fn lookup(tool: &str, arguments: &JsonText) -> Option<Lookup> {
    let (argument, tool, kind) = match tool {
        "update_article" => ("id", "get_article", records::Kind::Article),
        "add_internal_note" => ("conversation_id", "get_conversation", records::Kind::Conversation),
        _ => return None,
    };
    let arguments: Value = serde_json::from_str(arguments.as_str()).ok()?;
    let id = match arguments.get(argument)? {
        Value::String(id) => id.clone(),
        Value::Number(id) => id.to_string(),
        _ => return None,
    };
    Some(Lookup { tool, arguments: JsonText::of(&json!({ "id": id })), kind, id })
}

impl Lookup {
    /// Which object it is, such as `article:9100001`.
    #[must_use]
    pub fn reference(&self) -> String {
        format!("{}:{}", self.kind.as_str(), self.id)
    }

    /// The target in the read's result; `None` if it is not there, or not all of the answer is
    /// understood.
    #[must_use]
    pub fn sight(&self, result: &JsonText) -> Option<Sight> {
        let facts = self.facts(result)?;
        let object = self.object(result)?;
        let parts = match self.kind {
            records::Kind::Conversation => parts_of_conversation(&object),
            _ => parts_of_article(&object),
        };
        let text = |key: &str| object.get(key).and_then(Value::as_str).map(str::to_owned);
        let state = text("state");
        // Of a conversation it would be words of a customer.
        let title = text("title").filter(|_| self.kind == records::Kind::Article);
        let updated_at = object.get("updated_at").and_then(Value::as_i64);
        let updated_at = updated_at.map(|it| Timestamp::from_millis(it.saturating_mul(1_000)));
        Some(Sight { facts, object: JsonText::of(&object), parts, state, updated_at, title })
    }

    /// The object itself, which is JSON in a text or beside it.
    fn object(&self, result: &JsonText) -> Option<Map<String, Value>> {
        let result: Value = serde_json::from_str(result.as_str()).ok()?;
        let blocks = result.get("content").and_then(Value::as_array).into_iter().flatten();
        let texts = blocks.filter_map(|block| block.get("text")?.as_str());
        let read = texts.filter_map(|text| serde_json::from_str(text).ok());
        let mut all = read.chain(result.get("structuredContent").cloned());
        all.find_map(|one: Value| match one {
            Value::Object(object) if self.is(&object) => Some(object),
            _ => None,
        })
    }

    fn is(&self, object: &Map<String, Value>) -> bool {
        let text = |key: &str| match object.get(key) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        text("type").as_deref() == Some(self.kind.as_str()) && text("id").as_ref() == Some(&self.id)
    }

    /// The facts of the target in the read's result, in the form of `input.answer.records`; `None`
    /// if it is not there, or not all of the answer is understood.
    #[must_use]
    pub fn facts(&self, result: &JsonText) -> Option<JsonText> {
        let records = records::read(self.tool, result).filter(|records| records.understood)?;
        let target = records
            .records
            .iter()
            .find(|one| one.kind == self.kind && one.id.as_deref() == Some(&self.id))?;
        Some(JsonText::of(&written(target)))
    }
}

/// Views and votes come by themselves.
const VOLATILE: [&str; 1] = ["statistics"];
/// Names that people have for members of an article.
const NAMED: [(&str, &str); 2] = [("author_id", "author"), ("translated_content", "translations")];
/// Members of an article that are told by their names; the others are told together.
const TOLD: [&str; 7] =
    ["title", "description", "body", "state", "author_id", "translated_content", "updated_at"];

fn parts_of_article(article: &Map<String, Value>) -> BTreeMap<String, String> {
    let mut parts = BTreeMap::new();
    let mut rest = Map::new();
    for (key, value) in article.iter().filter(|(key, _)| !VOLATILE.contains(&key.as_str())) {
        if TOLD.contains(&key.as_str()) {
            let name = NAMED.iter().find(|(member, _)| member == key).map_or(&**key, |it| it.1);
            parts.insert(name.to_owned(), value.to_string());
        } else {
            rest.insert(key.clone(), value.clone());
        }
    }
    parts.insert("other fields".to_owned(), Value::Object(rest).to_string());
    parts
}

fn parts_of_conversation(conversation: &Map<String, Value>) -> BTreeMap<String, String> {
    let member = |key: &str| conversation.get(key).cloned().unwrap_or_default();
    let parts = member("conversation_parts");
    let newest = parts
        .get("conversation_parts")
        .and_then(Value::as_array)
        .and_then(|parts| parts.iter().max_by_key(|part| part.get("created_at")?.as_i64()));
    // Without its parts, all that tells of a new one is the time.
    let newest = match newest {
        Some(part) => json!({ "id": part.get("id"), "body": part.get("body") }),
        None => member("updated_at"),
    };
    BTreeMap::from([
        ("state".to_owned(), member("state").to_string()),
        ("newest message".to_owned(), newest.to_string()),
    ])
}

/// A record as rules see it; a fact that is not known is absent.
fn written(record: &Record) -> Value {
    let facts = &record.facts;
    let author = facts.author.as_ref().map(|author| {
        let mut written = json!({ "type": author.kind });
        put(&mut written, "id", &author.id);
        written
    });
    let mut written = json!({ "type": record.kind.as_str(), "partial": record.partial });
    put(&mut written, "id", &record.id);
    put(&mut written, "state", &facts.state);
    put(&mut written, "tags", &facts.tags);
    put(&mut written, "team", &facts.team);
    put(&mut written, "admin", &facts.admin);
    put(&mut written, "segments", &facts.segments);
    put(&mut written, "contacts", &facts.contacts);
    put(&mut written, "companies", &facts.companies);
    put(&mut written, "author", &author);
    written
}

fn put<T: serde::Serialize>(object: &mut Value, key: &str, value: &Option<T>) {
    if let (Some(object), Some(value)) = (object.as_object_mut(), value)
        && let Ok(value) = serde_json::to_value(value)
    {
        object.insert(key.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(json: &str) -> JsonText {
        JsonText::from_valid(json.to_owned().into_bytes().into())
    }

    #[test]
    fn writes_and_the_reads_that_show_their_target() {
        let rows = [
            (
                "update_article",
                r#"{"id":"9100001","state":"draft"}"#,
                Some(("get_article", "9100001")),
            ),
            ("update_article", r#"{"id":9100001}"#, Some(("get_article", "9100001"))),
            (
                "add_internal_note",
                r#"{"conversation_id":"21","body":"b"}"#,
                Some(("get_conversation", "21")),
            ),
            ("create_article", r#"{"title":"t"}"#, None),
            ("get_article", r#"{"id":"1"}"#, None),
            ("update_article", r#"{"title":"t"}"#, None),
        ];
        for (tool, arguments, expected) in rows {
            let found = lookup(tool, &text(arguments));
            let found = found.as_ref().map(|it| (it.tool, it.arguments.as_str().to_owned()));
            let expected = expected.map(|(tool, id)| (tool, format!(r#"{{"id":"{id}"}}"#)));
            assert_eq!(found, expected, "{tool} {arguments}");
        }
    }

    #[test]
    fn what_counts_of_an_article_is_all_but_its_statistics() {
        let lookup = lookup("update_article", &text(r#"{"id":"9100001"}"#)).unwrap();
        assert_eq!(lookup.reference(), "article:9100001");
        let article = json!({"type": "article", "id": "9100001", "title": "T", "body": "<p>b</p>",
            "author_id": 7_000_001, "state": "published", "updated_at": 1_700_000_000,
            "statistics": {"views": 1}, "tags": {"type": "tag.list", "tags": []}});
        let seen = |article: &Value| {
            let block = json!({"type": "text", "text": article.to_string()});
            lookup.sight(&JsonText::of(&json!({ "content": [block] }))).unwrap()
        };
        let first = seen(&article);
        assert_eq!(first.state.as_deref(), Some("published"));
        assert_eq!(first.updated_at, Some(Timestamp::from_millis(1_700_000_000_000)));
        assert_eq!(first.title.as_deref(), Some("T"));
        for (path, value, changed) in [
            ("/statistics/views", json!(2), None),
            ("/title", json!("U"), Some("title")),
            ("/author_id", json!(7), Some("author")),
            ("/tags/tags", json!([1]), Some("other fields")),
            ("/updated_at", json!(1_700_000_001), Some("updated_at")),
        ] {
            let mut other = article.clone();
            *other.pointer_mut(path).unwrap() = value;
            let now = seen(&other).parts;
            let differs: Vec<&String> =
                now.keys().filter(|key| now.get(*key) != first.parts.get(*key)).collect();
            assert_eq!(differs, changed.into_iter().collect::<Vec<_>>(), "{path}");
        }
    }

    #[test]
    fn what_counts_of_a_conversation_is_what_was_said_last() {
        let lookup = lookup("add_internal_note", &text(r#"{"conversation_id":"21"}"#)).unwrap();
        let part = |id: u64, at: u64| {
            json!({"type": "conversation_part", "id": id.to_string(),
            "part_type": "comment", "body": "b", "created_at": at,
            "author": {"type": "user", "id": "5"}})
        };
        let parts = |list: &[Value], state: &str, at: u64| {
            let all = json!({"type": "conversation", "id": "21", "state": state, "updated_at": at,
                "conversation_parts": {"type": "conversation_part.list",
                    "conversation_parts": list, "total_count": list.len()}});
            parts_of_conversation(all.as_object().unwrap())
        };
        let first = parts(&[part(2, 20), part(1, 10)], "open", 20);
        assert_eq!(
            parts(&[part(1, 10), part(2, 20)], "open", 99),
            first,
            "time alone says nothing"
        );
        assert_ne!(parts(&[part(1, 10), part(2, 20), part(3, 30)], "open", 30), first);
        assert_ne!(parts(&[part(2, 20)], "closed", 20), first);
        assert_ne!(parts(&[], "open", 20), parts(&[], "open", 21), "without parts, time counts");
        assert_eq!(lookup.reference(), "conversation:21");
    }

    #[test]
    fn the_facts_are_those_of_the_target_alone() {
        let lookup = lookup("update_article", &text(r#"{"id":"9100001"}"#)).unwrap();
        let answer =
            |article: &str| JsonText::of(&json!({"content": [{"type": "text", "text": article}]}));
        let article = r#"{"type":"article","id":"9100001","title":"T","body":"<p>b</p>","author_id":7000001,"state":"published"}"#;
        let facts = lookup.facts(&answer(article)).unwrap();
        let facts: Value = serde_json::from_str(facts.as_str()).unwrap();
        assert_eq!(facts["state"], "published");
        assert_eq!(facts["type"], "article");
        for other in [article.replace("9100001", "9100002").as_str(), "no such article", "[]"] {
            assert_eq!(lookup.facts(&answer(other)), None, "{other}");
        }
    }
}
