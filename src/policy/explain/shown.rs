//! Values of the engine, for people and for JSON.

use regorus::Value;

/// The longest text of a value in a sentence.
const MOST: usize = 120;

/// As JSON on one line, cut where it is long. Sets are shown as lists.
pub(super) fn short(value: &Value) -> String {
    let text = json(value).to_string();
    if text.chars().count() <= MOST {
        return text;
    }
    let size = match value {
        Value::Array(items) => format!(" ({} elements)", items.len()),
        Value::Set(items) => format!(" ({} elements)", items.len()),
        Value::Object(members) => format!(" ({} members)", members.len()),
        _ => format!(" ({} characters)", text.chars().count()),
    };
    text.chars().take(MOST).chain(['…']).collect::<String>() + &size
}

/// As JSON; what has no value is `null`.
pub(super) fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Undefined => serde_json::Value::Null,
        value => value
            .to_json_str()
            .ok()
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default(),
    }
}

/// As Rego, such that reading it gives the same value; `None` if it has none.
pub(super) fn rego(value: &Value) -> Option<String> {
    let list = |items: Vec<Option<String>>| {
        Some(items.into_iter().collect::<Option<Vec<_>>>()?.join(", "))
    };
    Some(match value {
        Value::Undefined => return None,
        Value::Set(items) if items.is_empty() => String::from("set()"),
        Value::Set(items) => format!("{{{}}}", list(items.iter_sorted().map(rego).collect())?),
        Value::Array(items) => format!("[{}]", list(items.iter().map(rego).collect())?),
        Value::Object(members) => {
            let member = |(key, value)| Some(format!("{}: {}", rego(key)?, rego(value)?));
            format!("{{{}}}", list(members.iter_sorted().map(member).collect())?)
        }
        value => value.to_json_str().ok()?,
    })
}
