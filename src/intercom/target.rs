//! What a write would change: which read shows it, and the facts that rules see of it.
//!
//! `update_article` says what an article is to become, never what it is. A rule such as "a draft may
//! be changed, but to publish it takes two people" needs both, so the object is read before the
//! write is judged, and again before a released write is sent.

use serde_json::{Value, json};

use super::records::{self, Record};
use crate::domain::JsonText;

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
