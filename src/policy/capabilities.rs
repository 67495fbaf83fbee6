//! The builtins that rules may use, in the form of OPA's `capabilities.json`: `opa check` and regal
//! then refuse what we would refuse.

use serde_json::{Value as Json, json};

use super::builtins::{LIST, OPERATORS};

/// Words of the language that OPA knew under another import first.
const KEYWORDS: [&str; 4] = ["contains", "every", "if", "in"];

/// What rules may be written in beside the builtins.
const FEATURES: [&str; 3] = ["rego_v1", "rego_v1_import", "rule_head_ref_string_prefixes"];

/// OPA's `capabilities.json` for this build.
#[must_use]
pub fn capabilities() -> Json {
    let named = LIST.iter().filter(|listed| !listed.types.is_empty());
    let mut builtins: Vec<Json> = named
        .map(|listed| json!({"name": listed.name, "decl": declaration(listed.types)}))
        .chain(OPERATORS.iter().map(
            |(name, sign, types)| json!({"name": name, "infix": sign, "decl": declaration(types)}),
        ))
        .collect();
    builtins.sort_by_cached_key(|builtin| builtin["name"].to_string());
    json!({
        "builtins": builtins,
        "features": FEATURES,
        "future_keywords": KEYWORDS,
        "wasm_abi_versions": [],
    })
}

/// `A, B -> C` as OPA writes a function's type.
fn declaration(types: &str) -> Json {
    let (arguments, result) = types.split_once(" -> ").unwrap_or(("", types));
    let arguments: Vec<Json> = split(arguments).into_iter().map(of).collect();
    json!({"type": "function", "args": arguments, "result": of(result)})
}

/// One type: a name, or a name with types in brackets.
fn of(text: &str) -> Json {
    let Some((name, inner)) = text.split_once(['[', '<']) else { return json!({"type": text}) };
    let several = text.ends_with('>');
    let inner = inner.get(..inner.len().saturating_sub(1)).unwrap_or_default();
    let types = || split(inner).into_iter().map(of).collect::<Vec<_>>();
    match (name, several) {
        ("any", _) => json!({"type": "any", "of": types()}),
        ("array", true) => json!({"type": "array", "static": types()}),
        ("array", false) => json!({"type": "array", "dynamic": of(inner)}),
        ("object", _) => {
            let (key, value) = inner.split_once(": ").unwrap_or((inner, "any"));
            json!({"type": "object", "dynamic": {"key": of(key), "value": of(value)}})
        }
        _ => json!({"type": name, "of": of(inner)}),
    }
}

/// The parts between commas, except those within brackets.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut depth = 0_usize;
    let mut start = 0;
    for (at, letter) in text.char_indices() {
        match letter {
            '[' | '<' => depth += 1,
            ']' | '>' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.extend(text.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.extend(text.get(start..));
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::policy::builtins;

    #[test]
    fn types_are_read_as_they_are_written() {
        let any = json!({"type": "any"});
        for (text, expected) in [
            ("any", any.clone()),
            ("set[set[any]]", json!({"type": "set", "of": {"type": "set", "of": any}})),
            ("object[any: any]", json!({"type": "object", "dynamic": {"key": any, "value": any}})),
            (
                "any<string, array[string]>",
                json!({"type": "any", "of": [
                    {"type": "string"}, {"type": "array", "dynamic": {"type": "string"}},
                ]}),
            ),
            (
                "array<number, string>",
                json!({"type": "array", "static": [{"type": "number"}, {"type": "string"}]}),
            ),
        ] {
            assert_eq!(of(text), expected, "{text}");
        }
        assert_eq!(declaration("a[b, c], d -> e")["args"].as_array().map(Vec::len), Some(2));
    }

    /// An argument of each type, by OPA's declaration.
    fn sample(kind: &Json) -> String {
        let of = |key: &str| sample(&kind[key]);
        match kind["type"].as_str().unwrap() {
            "any" => kind["of"].as_array().map_or(String::from("1"), |some| sample(&some[0])),
            "null" => String::from("null"),
            "boolean" => String::from("true"),
            "number" => String::from("2"),
            "string" => String::from("\"1.0.0\""),
            "set" => format!("{{{}}}", of("of")),
            "array" => match kind["static"].as_array() {
                Some(some) => {
                    format!("[{}]", some.iter().map(sample).collect::<Vec<_>>().join(","))
                }
                None => format!("[{}]", of("dynamic")),
            },
            "object" => format!(
                "{{{}: {}}}",
                sample(&kind["dynamic"]["key"]),
                sample(&kind["dynamic"]["value"])
            ),
            other => panic!("{other}"),
        }
    }

    /// Arguments that mean something, for builtins that take no others.
    const MEANT: [(&str, &str); 7] = [
        ("net.cidr_contains", "\"10.0.0.0/8\", \"10.0.0.1\""),
        ("sprintf", "\"%v\", [1]"),
        ("base64.decode", "\"YQ==\""),
        ("json.unmarshal", "\"1\""),
        ("time.parse_duration_ns", "\"1s\""),
        ("time.parse_rfc3339_ns", "\"2026-01-01T00:00:00Z\""),
        ("format_int", "2, 10"),
    ];

    #[test]
    fn every_builtin_in_it_evaluates_and_no_forbidden_one_is_there() {
        let listed = capabilities();
        let meant = BTreeMap::from(MEANT);
        let mut names = BTreeSet::new();
        for builtin in listed["builtins"].as_array().unwrap() {
            let name = builtin["name"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{name} twice");
            let args: Vec<String> =
                builtin["decl"]["args"].as_array().unwrap().iter().map(sample).collect();
            if builtin["infix"].is_string() {
                continue;
            }
            assert!(builtins::refused(name).is_none(), "{name}");
            let args = meant.get(name).map_or(args.join(", "), ToString::to_string);
            let mut engine = regorus::Engine::new();
            engine.set_strict_builtin_errors(true);
            crate::policy::own::teach(&mut engine).unwrap();
            let query = format!("x := {name}({args})");
            let results = engine.eval_query(query.clone(), false);
            let found = results.unwrap_or_else(|error| panic!("{query}: {error}"));
            assert_eq!(found.result.len(), 1, "{query}");
        }
        for name in regorus::unstable::BUILTINS.keys() {
            let refused = builtins::refused(name).is_some();
            let internal = name.starts_with("__builtin_");
            assert_eq!(names.contains(*name), !refused && !internal, "{name}");
        }
        for name in ["http.send", "time.now_ns", "rand.intn", "opa.runtime", "print", "walk"] {
            assert!(!names.contains(name), "{name}");
        }
    }
}
