//! The OpenAPI 3.1 description of the interface, made from the types that it uses.

use schemars::JsonSchema;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};

use super::lists::{Batch, Batched, BeforePage, Granted, Grants, OfferSaid, Said, Snooze};
use super::model::{Assignment, Decision, Done, Extension, List, Noted, Problem, Shown};
use crate::review::Review;

/// The description.
pub(super) fn openapi() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut schemas = settings.into_generator();
    let paths = paths(&mut schemas);
    let schemas: Map<String, Value> = schemas.take_definitions(true).into_iter().collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Portcullis: held calls",
            "version": "1",
            "description": "What approvers do with calls that wait. A decision names the version \
                            that was shown (`If-Match`) and its binding; whatever came in between \
                            is answered by 409 with the hold as it is now.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" }
        },
        "servers": [{ "url": "/" }],
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API token: `portcullis people token NAME`."
                }
            }
        }
    })
}

fn paths(schemas: &mut SchemaGenerator) -> Value {
    let text = |name: &str, words: &str| json!({ "name": name, "in": "query", "description": words, "schema": { "type": "string" } });
    let number = |name: &str, words: &str| {
        json!({
            "name": name, "in": "query", "description": words,
            "schema": { "type": "integer", "minimum": 0 }
        })
    };
    let filters = json!([
        text("tool", "Of this tool."),
        text("principal", "Of this principal."),
        text("risk", "`low`, `medium` or `high`."),
        text("state", "In this state."),
        json!({
            "name": "over", "in": "query", "description": "Also those that are over.",
            "schema": { "type": "boolean" }
        }),
        text("assignee", "Given to this person."),
        number("skip", "How many to leave out."),
        number("take", "How many to show; 100 if absent, 1,000 at most."),
    ]);
    let mut list = reads::<List>(schemas, "list", "Held calls", false);
    if let Some(list) = list.as_object_mut() {
        list.insert("parameters".to_owned(), filters);
    }
    let mut history = reads::<BeforePage>(schemas, "history", "Held calls of before", false);
    if let Some(history) = history.as_object_mut() {
        history.insert(
            "parameters".to_owned(),
            json!([
                text("state", "In this state."),
                text("tool", "Of this tool."),
                text("principal", "Of this principal."),
                text("approver", "Released by this person."),
                text(
                    "person",
                    "With which this person did anything, or whom the principal acts for."
                ),
                text("rule", "Held by this rule, or one with these words in its title."),
                text("revision", "Under the policy revision that begins with these digits."),
                text("article", "About the article with this id."),
                text("since", "Opened at this time (RFC 3339) or later."),
                text("until", "Opened at this time or earlier."),
                number("skip", "How many to leave out."),
                number("take", "How many to show; 100 if absent, 200 at most."),
            ]),
        );
    }
    let mut offer = reads::<OfferSaid>(schemas, "offer", "What a grant on it could be", true);
    if let Some(Value::Array(parameters)) = offer.get_mut("parameters") {
        let words = "Names of the fields to be conditions, with commas; what calls of late have in common if absent.";
        parameters.push(text("fields", words));
    }
    let mut paths = holds(schemas, list);
    let more = json!({
        "/api/v1/history": { "get": history },
        "/api/v1/grants": { "get": reads::<Grants>(schemas, "grants", "The grants in force", false) },
        "/api/v1/grants/{id}/revoke": { "post": posts::<(), Said>(schemas, "revokeGrant", "Take a grant back", "id") },
        "/api/v1/holds/{id}/grant": {
            "get": offer,
            "post": writes::<Granted, Done>(schemas, "grant", "Release it, and let calls like it through for a while")
        },
        "/api/v1/holds/{id}/snooze": { "post": writes::<Snooze, Said>(schemas, "snooze", "Put it aside, for the one who asks alone") },
        "/api/v1/batch": { "post": posts::<Batch, Batched>(schemas, "batch", "Release several, each shown before", "") },
        "/api/v1/principals/{name}/pause": { "post": posts::<(), Said>(schemas, "pause", "Deny every call of an agent", "name") },
        "/api/v1/principals/{name}/resume": { "post": posts::<(), Said>(schemas, "resume", "Let a paused agent call again", "name") },
    });
    if let (Some(paths), Value::Object(more)) = (paths.as_object_mut(), more) {
        paths.extend(more);
    }
    paths
}

fn holds(schemas: &mut SchemaGenerator, list: Value) -> Value {
    json!({
        "/api/v1/holds": { "get": list },
        "/api/v1/holds/{id}": { "get": reads::<Shown>(schemas, "show", "One held call with its contents", true) },
        "/api/v1/holds/{id}/diff": { "get": reads::<Review>(schemas, "diff", "What it would change", true) },
        "/api/v1/holds/{id}/decision": { "post": writes::<Decision, Done>(schemas, "decide", "Decide on it") },
        "/api/v1/holds/{id}/assign": { "post": writes::<Assignment, Done>(schemas, "assign", "Give it to somebody") },
        "/api/v1/holds/{id}/extend": { "post": writes::<Extension, Done>(schemas, "extend", "Lengthen the wait") },
        "/api/v1/holds/{id}/revoke": { "post": writes::<(), Done>(schemas, "revoke", "Take a release back") },
        "/api/v1/holds/{id}/note": { "post": writes::<Noted, Done>(schemas, "note", "Say what became of it") },
    })
}

fn id() -> Value {
    json!({ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } })
}

fn reads<T: JsonSchema>(
    schemas: &mut SchemaGenerator,
    name: &str,
    words: &str,
    one: bool,
) -> Value {
    let mut operation = json!({
        "operationId": name,
        "summary": words,
        "responses": responses::<T>(schemas, &["401", "403", "404", "503"]),
    });
    if one && let Some(operation) = operation.as_object_mut() {
        operation.insert("parameters".to_owned(), json!([id()]));
    }
    operation
}

fn writes<T: JsonSchema, A: JsonSchema>(
    schemas: &mut SchemaGenerator,
    name: &str,
    words: &str,
) -> Value {
    let header = |name: &str, required: bool, words: &str| {
        json!({
            "name": name, "in": "header", "required": required, "description": words,
            "schema": { "type": "string" }
        })
    };
    let failures = ["401", "403", "404", "409", "415", "422", "428", "503"];
    let mut operation = json!({
        "operationId": name,
        "summary": words,
        "parameters": [
            id(),
            header("If-Match", true, "The `ETag` of what was shown."),
            header("Idempotency-Key", false, "The same key makes it the same wish."),
        ],
        "responses": responses::<A>(schemas, &failures),
    });
    if name != "revoke"
        && let Some(operation) = operation.as_object_mut()
    {
        let schema = schemas.subschema_for::<T>();
        let body =
            json!({ "required": true, "content": { "application/json": { "schema": schema } } });
        operation.insert("requestBody".to_owned(), body);
    }
    operation
}

/// A POST that names no version: `part` is what stands in its path, if anything.
fn posts<T: JsonSchema, A: JsonSchema>(
    schemas: &mut SchemaGenerator,
    name: &str,
    words: &str,
    part: &str,
) -> Value {
    let failures = ["401", "403", "404", "415", "422", "503"];
    let mut operation = json!({
        "operationId": name,
        "summary": words,
        "responses": responses::<A>(schemas, &failures),
    });
    let Some(members) = operation.as_object_mut() else { return operation };
    if !part.is_empty() {
        let part = json!({
            "name": part, "in": "path", "required": true, "schema": { "type": "string" }
        });
        members.insert("parameters".to_owned(), json!([part]));
    }
    let schema = schemas.subschema_for::<T>();
    if schema.as_value().get("type").and_then(Value::as_str) != Some("null") {
        let body =
            json!({ "required": true, "content": { "application/json": { "schema": schema } } });
        members.insert("requestBody".to_owned(), body);
    }
    operation
}

fn responses<T: JsonSchema>(schemas: &mut SchemaGenerator, failures: &[&str]) -> Value {
    let content = |schema: Value| json!({ "application/json": { "schema": schema } });
    let good = schemas.subschema_for::<T>().to_value();
    let bad = schemas.subschema_for::<Problem>().to_value();
    let mut all = Map::new();
    all.insert("200".to_owned(), json!({ "description": "Done", "content": content(good) }));
    for status in failures {
        let words = match *status {
            "401" => "No credential that is good",
            "403" => "This person may not",
            "404" => "No such hold",
            "409" => "Not as it was shown; the hold as it is now",
            "415" => "Not JSON",
            "422" => "The request is wrong",
            "428" => "No version named",
            _ => "Not possible at the moment",
        };
        all.insert(
            (*status).to_owned(),
            json!({ "description": words, "content": content(bad.clone()) }),
        );
    }
    Value::Object(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The committed description is what is served; `PORTCULLIS_WRITE=1` writes it anew.
    #[test]
    fn the_committed_description_is_fresh() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/console/api/openapi.json");
        let fresh = format!("{}\n", serde_json::to_string_pretty(&openapi()).unwrap());
        if std::env::var_os("PORTCULLIS_WRITE").is_some() {
            std::fs::write(path, &fresh).unwrap();
        }
        assert_eq!(
            std::fs::read_to_string(path).unwrap(),
            fresh,
            "write it anew: PORTCULLIS_WRITE=1 cargo test"
        );
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let text = openapi();
        fn walk(value: &Value, root: &Value, seen: &mut usize) {
            match value {
                Value::Object(map) => {
                    if let Some(Value::String(to)) = map.get("$ref") {
                        *seen += 1;
                        assert!(root.pointer(to.trim_start_matches('#')).is_some(), "{to}");
                    }
                    map.values().for_each(|it| walk(it, root, seen));
                }
                Value::Array(list) => list.iter().for_each(|it| walk(it, root, seen)),
                _ => {}
            }
        }
        let mut seen = 0;
        walk(&text, &text, &mut seen);
        assert!(seen > 20, "{seen}");
    }
}
