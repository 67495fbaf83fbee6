//! The object in a read's result, and the arguments of a call, as maps.

use serde_json::{Map, Value};

use crate::domain::JsonText;

/// The arguments of a call; none if they are no object.
pub(super) fn arguments(text: &JsonText) -> Map<String, Value> {
    match serde_json::from_str(text.as_str()) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

/// The object that a read tool answered with: in `structuredContent`, or as JSON in its first text.
pub(super) fn of_answer(answer: &JsonText) -> Option<Map<String, Value>> {
    let answer: Value = serde_json::from_str(answer.as_str()).ok()?;
    if let Some(found) = answer.get("structuredContent").and_then(object) {
        return Some(found);
    }
    let texts = answer.get("content").and_then(Value::as_array).into_iter().flatten();
    let mut texts = texts.filter_map(|one| one.get("text").and_then(Value::as_str));
    let read = texts.find_map(|text| serde_json::from_str::<Value>(text).ok());
    // An object that stands by itself is taken as well.
    read.as_ref().and_then(object).or_else(|| object(&answer))
}

/// An object with an id: the value itself, or the one that it wraps.
fn object(value: &Value) -> Option<Map<String, Value>> {
    let map = value.as_object()?;
    if map.contains_key("id") {
        return Some(map.clone());
    }
    let inner = ["article", "conversation", "data"].iter().find_map(|key| map.get(*key))?;
    inner.as_object().filter(|inner| inner.contains_key("id")).cloned()
}

/// Whether an object is an article.
pub(super) fn is_article(object: &Map<String, Value>) -> bool {
    match object.get("type").and_then(Value::as_str) {
        Some(kind) => kind == "article",
        None => object.contains_key("body") && object.contains_key("title"),
    }
}
