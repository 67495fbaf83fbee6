//! `x-mcp-header`: arguments that the client repeats as HTTP headers (revision 2026-07-28).
//!
//! A mirror must be found without judgement: on a property that is reached through `properties`
//! alone, of one simple type, under a name that no other mirror has. A tool that breaks this is
//! dropped, as the specification asks of clients: otherwise a header could name one value and the
//! body another.

use serde_json::{Map, Value};

use crate::intercom::text::shown;

const KEYWORD: &str = "x-mcp-header";

/// Why a definition's mirrors are not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum MirrorFault {
    #[error("its `{KEYWORD}` at `{0}` is not an HTTP header name")]
    Name(String),
    #[error("its `{KEYWORD}` `{0}` is used twice")]
    Twice(String),
    #[error("its `{KEYWORD}` at `{0}` is not on a string, integer or boolean")]
    Type(String),
    #[error("its `{KEYWORD}` at `{0}` is not reached through `properties` alone")]
    Place(String),
}

/// The mirrors of an argument schema, as header name and path of the argument.
pub(super) fn read(schema: &Value) -> Result<Vec<(String, Vec<String>)>, MirrorFault> {
    let mut found = Vec::new();
    look(schema, Some(&mut Vec::new()), &mut String::from("#"), &mut found)?;
    Ok(found)
}

/// Looks at one subschema. `path` is the argument's path while only `properties` were passed.
fn look(
    schema: &Value,
    mut path: Option<&mut Vec<String>>,
    at: &mut String,
    found: &mut Vec<(String, Vec<String>)>,
) -> Result<(), MirrorFault> {
    let Value::Object(members) = schema else { return Ok(()) };
    if let Some(name) = members.get(KEYWORD) {
        let header = header_name(name).ok_or_else(|| MirrorFault::Name(shown(at, 80)))?;
        let path = path.as_ref().filter(|path| !path.is_empty());
        let path = path.ok_or_else(|| MirrorFault::Place(shown(at, 80)))?;
        if !is_simple(members) {
            return Err(MirrorFault::Type(shown(at, 80)));
        }
        if found.iter().any(|(other, _)| other.eq_ignore_ascii_case(header)) {
            return Err(MirrorFault::Twice(shown(header, 60)));
        }
        found.push((header.to_owned(), path.to_vec()));
    }
    let length = at.len();
    for (keyword, value) in members {
        at.push('/');
        at.push_str(keyword);
        match (keyword.as_str(), value) {
            // Data, not schemas.
            ("const" | "enum" | "default" | "examples" | KEYWORD, _) => {}
            ("properties", Value::Object(properties)) => {
                for (name, property) in properties {
                    let length = at.len();
                    at.push('/');
                    at.push_str(name);
                    if let Some(path) = path.as_deref_mut() {
                        path.push(name.clone());
                        look(property, Some(path), at, found)?;
                        path.pop();
                    } else {
                        look(property, None, at, found)?;
                    }
                    at.truncate(length);
                }
            }
            (
                "patternProperties" | "$defs" | "definitions" | "dependentSchemas",
                Value::Object(all),
            ) => {
                all.values().try_for_each(|one| look(one, None, at, found))?;
            }
            (_, Value::Array(list)) => {
                list.iter().try_for_each(|one| look(one, None, at, found))?
            }
            (_, one) => look(one, None, at, found)?,
        }
        at.truncate(length);
    }
    Ok(())
}

/// An HTTP token (RFC 9110, section 5.6.2).
fn header_name(value: &Value) -> Option<&str> {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    value.as_str().filter(|name| !name.is_empty() && name.len() <= 128 && name.bytes().all(token))
}

fn is_simple(members: &Map<String, Value>) -> bool {
    let simple = |name: &str| matches!(name, "string" | "integer" | "boolean");
    match members.get("type") {
        Some(Value::String(name)) => simple(name),
        // An optional argument: a null is not mirrored, so there is still one form.
        Some(Value::Array(names)) => {
            let mut names = names.iter().filter_map(Value::as_str).filter(|name| *name != "null");
            names.next().is_some_and(simple) && names.next().is_none()
        }
        _ => false,
    }
}
