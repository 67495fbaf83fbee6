//! JSON Schemas of what rules see, made from the list of paths ([`super::paths`]): for `opa check -s`
//! and editors.

use serde_json::{Map, Value as Json, json};

use super::AnswerKind;
use super::paths::{In, Kind, PATHS, counted};
use crate::domain::Question;
use Kind::{Answer, Any, Counted, List, Named, Number, Object, Text, Texts, Truth, Word};

/// The JSON Schema of the input document of a question; without one, of all of them together.
#[must_use]
pub fn input_schema(question: Option<Question>) -> Json {
    let mut root = Node::default();
    for (path, place, kind) in PATHS {
        let (In::Always(questions) | In::Sometimes(questions) | In::With(questions)) = place;
        if question.is_some_and(|question| !questions.contains(&question)) {
            continue;
        }
        let needed = match place {
            In::Always(_) => question.is_some() || questions.len() == Question::ALL.len(),
            In::With(_) | In::Sometimes(_) => false,
        };
        let parts: Vec<&str> = path.split('.').collect();
        root.add(&parts, needed, matches!(place, In::With(_)), kind);
    }
    let mut schema = root.schema();
    if let Json::Object(members) = &mut schema {
        let title = question.map_or("all questions", Question::as_str);
        members.insert(String::from("title"), json!(format!("input of {title}")));
        let dialect = "http://json-schema.org/draft-07/schema#";
        members.insert(String::from("$schema"), json!(dialect));
    }
    schema
}

/// The JSON Schema of `data`: what the shipped rules read; a bundle may have more.
#[must_use]
pub fn data_schema() -> Json {
    let texts = json!({"type": "array", "items": {"type": "string"}});
    let release = json!({
        "type": "object",
        "properties": {
            "groups": texts,
            "people": {"type": "number"},
            "expires_seconds": {"type": "number"},
            "distinct_groups": {"type": "boolean"},
            "extend_seconds": {"type": "number"},
            "escalate": {
                "type": "object",
                "properties": {"after_seconds": {"type": "number"}, "groups": texts},
            },
            "actions": texts,
            "step_up_minutes": {"type": "number"},
            "grantable": {"type": "boolean"},
            "on_disconnect": {"type": "string", "enum": ["keep", "cancel"]},
            "confirm": {"type": "string", "enum": ["never", "requester"]},
        },
    });
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "data",
        "type": "object",
        "properties": {
            "roles": {
                "type": "object",
                "additionalProperties": {
                    "type": "object",
                    "properties": {
                        "title": {"type": "string"},
                        "tools": texts,
                        "methods": texts,
                        "questions": texts,
                    },
                },
            },
            "pseudonyms": {
                "type": "object",
                "properties": {
                    "searches": {
                        "type": "object",
                        "properties": {"kinds": texts, "arguments": texts},
                    },
                    "notes": {"type": "object", "properties": {"kinds": texts}},
                    "seen_by": texts,
                    "guesses_a_day": {"type": "number"},
                },
            },
            "releases": {
                "type": "object",
                "properties": {
                    "any": release,
                    "tools": {"type": "object", "additionalProperties": release},
                },
            },
        },
    })
}

/// A schema under construction.
#[derive(Default)]
struct Node {
    members: Vec<(&'static str, Self)>,
    required: Vec<&'static str>,
    is_list: bool,
    leaf: Option<Json>,
}

impl Node {
    fn add(&mut self, parts: &[&'static str], needed: bool, inside: bool, kind: &Kind) {
        let [part, rest @ ..] = parts else {
            self.leaf = Some(kind.schema());
            return;
        };
        let name = part.strip_suffix("[]").unwrap_or(part);
        // What is always there within a member is needed there, not for the member to be.
        if (needed || (inside && self.is_list) || (inside && rest.is_empty()))
            && !self.required.contains(&name)
        {
            self.required.push(name);
        }
        let at = self.members.iter().position(|(known, _)| *known == name);
        let at = at.unwrap_or_else(|| {
            self.members.push((name, Self::default()));
            self.members.len() - 1
        });
        if let Some((_, member)) = self.members.get_mut(at) {
            member.is_list |= part.ends_with("[]");
            member.add(rest, needed, inside, kind);
        }
    }

    fn schema(&self) -> Json {
        if let Some(leaf) = &self.leaf {
            return leaf.clone();
        }
        let members: Map<String, Json> =
            self.members.iter().map(|(name, node)| ((*name).to_owned(), node.schema())).collect();
        let object = json!({
            "type": "object",
            "properties": members,
            "required": self.required,
            "additionalProperties": false,
        });
        if self.is_list { json!({"type": "array", "items": object}) } else { object }
    }
}

impl Kind {
    fn schema(&self) -> Json {
        match self {
            Text => json!({"type": "string"}),
            Number => json!({"type": "number"}),
            Truth => json!({"type": "boolean"}),
            Texts => json!({"type": "array", "items": {"type": "string"}}),
            Word(words) => json!({"type": "string", "enum": words}),
            Answer => json!({"type": "string", "enum": AnswerKind::ALL.map(AnswerKind::as_str)}),
            Named => json!({"type": "object", "additionalProperties": {"type": "string"}}),
            Counted => {
                let numbers: Map<String, Json> =
                    counted().map(|name| (name.to_owned(), json!({"type": "number"}))).collect();
                let names: Vec<&str> = counted().collect();
                json!({
                    "type": "object",
                    "properties": numbers,
                    "required": names,
                    "additionalProperties": false,
                })
            }
            Object => json!({"type": "object"}),
            List => json!({"type": "array"}),
            Any => json!({}),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::trial;

    /// Every document of the trial fits the schema of its question and of all questions.
    #[test]
    fn documents_fit_their_schemas() {
        let all = jsonschema::validator_for(&input_schema(None)).unwrap();
        let mut seen = 0;
        for question in Question::ALL {
            let schema = jsonschema::validator_for(&input_schema(Some(question))).unwrap();
            for document in trial::whole_documents(question) {
                let document = serde_json::to_value(document).unwrap();
                seen += 1;
                for schema in [&schema, &all] {
                    let problem = schema
                        .validate(&document)
                        .err()
                        .map(|error| format!("{} at {}", error, error.instance_path()));
                    assert_eq!(problem, None, "{}: {document:#}", question.as_str());
                }
            }
        }
        assert!(seen > 100, "{seen}");
    }

    #[test]
    fn a_schema_refuses_what_no_document_has() {
        let schema = jsonschema::validator_for(&input_schema(Some(Question::Admit))).unwrap();
        let document = trial::whole_documents(Question::Admit).pop().unwrap();
        let document = serde_json::to_value(document).unwrap();
        for (path, value) in [
            ("/principal/roles", json!("text")),
            ("/principal/kind", json!("human")),
            ("/now/unix", json!("1")),
            ("/client", json!({})),
            ("/subject/more", json!(1)),
        ] {
            let mut other = document.clone();
            let (parent, name) = path.rsplit_once('/').unwrap();
            other.pointer_mut(parent).unwrap()[name] = value;
            assert!(!schema.is_valid(&other), "{path}");
        }
    }
}
