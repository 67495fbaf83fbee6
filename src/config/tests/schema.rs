//! The schema for editors says what the checker reads.

use super::*;

/// Collects the keys of a schema in the form of the walk's notes.
fn describe(schema: &Json, path: &str, into: &mut BTreeMap<String, Asked>) {
    for (key, inner) in schema["properties"].as_object().into_iter().flatten() {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        let node = match inner.get("anyOf") {
            Some(parts) => {
                parts.as_array().unwrap().iter().find(|part| part["type"] != "null").unwrap()
            }
            None => inner,
        };
        let default = inner.get("default").or(node.get("default")).map(|value| match value {
            Json::String(text) => text.clone(),
            other => other.to_string(),
        });
        let one_of = node["oneOf"].as_array().into_iter().flatten().map(|part| &part["const"]);
        let words = node["enum"].as_array().into_iter().flatten().chain(one_of);
        let choices = words.filter_map(Json::as_str).map(|word| &*word.to_owned().leak()).collect();
        into.insert(path.clone(), Asked { default, choices });
        describe(node, &path, into);
        describe(&node["items"], &format!("{path}[]"), into);
    }
}

#[test]
fn the_schema_describes_what_is_read() {
    let source = Source { folder: Path::new("."), environment: &environment, secrets: true };
    let text = with(
        "principals: [{ id: a }]\napprovers: [{ id: a }]\n\
         plugins: { list: [{ name: a, builtin: pii }] }\n\
         holds: { clients: [{ name: a }] }\n\
         console: { oidc: { groups: [{ from: a }] } }\n\
         notify: { escalate_after: 5m, webhooks: [{ name: a }], slack: {}, email: {} }",
    );
    let (_, notes) = check::checked(Path::new("examples/portcullis.yaml"), source, &text);
    let schema: Json = serde_json::from_str(&schema()).unwrap();
    let mut described = BTreeMap::new();
    describe(&schema, "", &mut described);
    assert_eq!(described, notes.asked);
    assert!(described.len() > 45);
}

#[test]
fn the_schema_accepts_the_example() {
    let schema: Json = serde_json::from_str(&schema()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let node = crate::yaml::read(EXAMPLE, &crate::yaml::Limits::default()).into_result().unwrap();
    let mut example = node.to_json().unwrap();
    validator.validate(&example).unwrap();
    example["limits"]["body"] = "4MB".into();
    assert!(!validator.is_valid(&example));
}
