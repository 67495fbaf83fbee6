//! A small check of arguments against an input schema.
//!
//! Knows just the keywords that the definitions use. It is not the product's validator, on purpose: two programs that read one
//! schema in two ways are a test of both.

use serde_json::{Map, Value, json};

/// Everything that is wrong, in the form in which the server's library reports it.
pub(super) fn problems(schema: &Value, arguments: &Map<String, Value>) -> Vec<Value> {
    let mut found = Vec::new();
    object(schema, arguments, &[], &mut found);
    found
}

fn object(schema: &Value, members: &Map<String, Value>, path: &[String], found: &mut Vec<Value>) {
    let properties = schema.get("properties").and_then(Value::as_object);
    for name in schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
    {
        if !members.contains_key(name) {
            found.push(problem("invalid_type", &below(path, name), "Required"));
        }
    }
    for (name, value) in members {
        match properties.and_then(|properties| properties.get(name)) {
            Some(schema) => check(schema, value, &below(path, name), found),
            None if schema.get("additionalProperties") == Some(&Value::Bool(false)) => {
                found.push(problem(
                    "unrecognized_keys",
                    path,
                    &format!("Unrecognized key(s) in object: '{name}'"),
                ))
            }
            None => {}
        }
    }
}

fn check(schema: &Value, value: &Value, path: &[String], found: &mut Vec<Value>) {
    let wanted = schema.get("type").and_then(Value::as_str).unwrap_or_default();
    let fits = match wanted {
        "string" => value.is_string(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    };
    if !fits {
        found.push(problem("invalid_type", path, &format!("Expected {wanted}")));
        return;
    }
    if let Some(allowed) = schema.get("enum").and_then(Value::as_array)
        && !allowed.contains(value)
    {
        found.push(problem(
            "invalid_enum_value",
            path,
            &format!("Invalid enum value. Expected {}", Value::Array(allowed.clone())),
        ));
    }
    let number = value.as_f64();
    if let (Some(number), Some(minimum)) = (number, schema.get("minimum").and_then(Value::as_f64))
        && number < minimum
    {
        found.push(problem(
            "too_small",
            path,
            &format!("Number must be greater than or equal to {minimum}"),
        ));
    }
    if let (Some(number), Some(maximum)) = (number, schema.get("maximum").and_then(Value::as_f64))
        && number > maximum
    {
        found.push(problem(
            "too_big",
            path,
            &format!("Number must be less than or equal to {maximum}"),
        ));
    }
    if value.as_str().is_some_and(str::is_empty) && schema.get("minLength").is_some() {
        found.push(problem("too_small", path, "String must contain at least 1 character(s)"));
    }
    if let (Some(items), Some(schema)) = (value.as_array(), schema.get("items")) {
        items
            .iter()
            .enumerate()
            .for_each(|(place, item)| check(schema, item, &below(path, &place.to_string()), found));
    }
    if let Some(members) = value.as_object() {
        object(schema, members, path, found);
    }
}

fn below(path: &[String], name: &str) -> Vec<String> {
    path.iter().cloned().chain([name.to_owned()]).collect()
}

fn problem(code: &str, path: &[String], message: &str) -> Value {
    json!({"code": code, "path": path, "message": message})
}
