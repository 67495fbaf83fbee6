//! What `input.answer` says of an answer's content.

use regorus::Value;

use super::{Part, strings};
use crate::domain::{Fault, JsonText};
use crate::intercom::records::{Counts, Record, Records};
use crate::mcp::json as text;
use crate::mcp::json::Object;
use crate::policy::AnswerFacts;
use crate::policy::engine::Failure;
use crate::policy::json;
use crate::policy::wants::Want;

/// The most bytes of an answer's content that policy looks at, for bundles that ask for it.
const MAX_CONTENT_BYTES: usize = super::MAX_CALL_BYTES;
/// What a record weighs in the input, about.
const RECORD_BYTES: usize = 300;

/// Puts what is wanted of the content; gives how many bytes went into it.
pub(super) fn fill(part: &mut Part<'_>, answer: &AnswerFacts) -> Result<usize, Failure> {
    let content = &answer.content;
    part.put("understood", || content.flaw().is_none().into());
    let mut bytes = 0;
    let wants = |key: &str| part.want.of(key).cloned();
    if let Some(want) = wants("records") {
        let records = content.records().map_or(&[][..], |found| &found.records);
        bytes += records.len() * RECORD_BYTES;
        let list: Vec<Value> =
            records.iter().map(|one| record(one, content.records(), &want)).collect();
        part.put("records", || list.into());
    }
    part.part("counts", |part| {
        let counts = content.records().map(Records::counts).unwrap_or_default();
        self::counts(part, counts);
    });
    for (key, read) in [("content", blocks as fn(&Object) -> _), ("structured", structured)] {
        if part.want.of(key).is_none() {
            continue;
        }
        let text = content.text().filter(|text| text.bytes().len() <= MAX_CONTENT_BYTES);
        let Some(text) = text else {
            if content.text().is_none() {
                continue;
            }
            let text = format!(
                "the answer is longer than the {MAX_CONTENT_BYTES} bytes that rules look at"
            );
            return Err(Failure::new(Fault::PolicyInputTooLarge, text));
        };
        bytes += text.bytes().len();
        if let Some(value) = Object::parse(text).as_ref().and_then(read) {
            part.put(key, || value);
        }
    }
    Ok(bytes)
}

fn counts(part: &mut Part<'_>, counts: Counts) {
    part.put("contacts", || counts.contacts.into());
    part.put("companies", || counts.companies.into());
    part.put("conversations", || counts.conversations.into());
    part.put("articles", || counts.articles.into());
    part.put("notes", || counts.notes.into());
    part.put("parts", || counts.parts.into());
    part.put("rows", || counts.rows.into());
}

fn record(record: &Record, all: Option<&Records>, want: &Want) -> Value {
    let mut part = Part::new(want);
    let facts = &record.facts;
    let one = |part: &mut Part<'_>, key, text: &Option<String>| {
        if let Some(text) = text {
            part.put(key, || text.as_str().into());
        }
    };
    let many = |part: &mut Part<'_>, key, list: &Option<Vec<String>>| {
        if let Some(list) = list {
            part.put(key, || strings(list));
        }
    };
    part.put("ref", || record.reference.as_str().into());
    part.put("type", || record.kind.as_str().into());
    part.put("row", || record.row.into());
    part.put("partial", || record.partial.into());
    part.put("text_bytes", || record.text_bytes.into());
    one(&mut part, "id", &record.id);
    one(&mut part, "team", &facts.team);
    one(&mut part, "admin", &facts.admin);
    one(&mut part, "state", &facts.state);
    one(&mut part, "part_type", &facts.part_type);
    many(&mut part, "tags", &facts.tags);
    many(&mut part, "segments", &facts.segments);
    many(&mut part, "companies", &facts.companies);
    many(&mut part, "contacts", &facts.contacts);
    if let Some(author) = &facts.author {
        part.part("author", |part| {
            part.put("type", || author.kind.as_str().into());
            one(part, "id", &author.id);
        });
    }
    let parent = record.parent.and_then(|parent| all?.records.get(parent));
    if let Some(parent) = parent {
        part.put("parent", || parent.reference.as_str().into());
    }
    part.value()
}

/// The text blocks: JSON as what it is, everything else as text.
fn blocks(result: &Object) -> Option<Value> {
    let blocks = text::elements(result.get("content")?)?;
    let value = |block: &JsonText| {
        let words = Object::parse(block)?.str("text")?.into_owned();
        Some(json::read(&words).unwrap_or_else(|_| Value::from(words)))
    };
    Some(blocks.iter().filter_map(value).collect::<Vec<_>>().into())
}

fn structured(result: &Object) -> Option<Value> {
    json::read(result.get("structuredContent")?.as_str()).ok()
}
