//! What is wrong with arguments, in sentences that an agent can act on.
//!
//! Says which argument, what is wrong and what is expected, and never repeats a value: the text
//! also reaches records, and a value may be personal.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::paths::{Location, LocationSegment};
use serde_json::Value;

use crate::intercom::text::shown;

/// Most problems that one answer names.
const MAX_PROBLEMS: usize = 5;
/// Longest name or value of the schema that is shown.
const MAX_SHOWN: usize = 60;
/// Most choices that are listed.
const MAX_CHOICES: usize = 20;

/// One sentence for each of the first problems. `arguments` are the names that the tool takes.
pub(super) fn problems<'a>(
    errors: impl Iterator<Item = ValidationError<'a>>,
    arguments: &[String],
) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    for error in errors.take(MAX_PROBLEMS + 1) {
        let text = problem(&error, arguments);
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    if texts.len() > MAX_PROBLEMS {
        texts.truncate(MAX_PROBLEMS - 1);
        texts.push(String::from("and more"));
    }
    texts
}

fn problem(error: &ValidationError<'_>, arguments: &[String]) -> String {
    let path = argument(error);
    match error.kind() {
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            format!("{} is missing", quoted(&path, name))
        }
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            unexpected_names(&path, unexpected, arguments)
        }
        Kind::FalseSchema if path.is_empty() && arguments.is_empty() => {
            String::from("this tool takes no arguments")
        }
        kind => {
            let name =
                if path.is_empty() { String::from("the arguments") } else { quoted("", &path) };
            format!("{name} {}", expectation(kind, error.instance_path()))
        }
    }
}

fn unexpected_names(path: &str, unexpected: &[String], arguments: &[String]) -> String {
    let names: Vec<String> =
        unexpected.iter().take(MAX_PROBLEMS).map(|name| quoted(path, name)).collect();
    let is = if names.len() == 1 { "is not an argument" } else { "are not arguments" };
    let mut text = format!("{} {is} of this tool", names.join(", "));
    if !path.is_empty() {
        return text;
    }
    let near = unexpected.first().and_then(|name| {
        let near = arguments.iter().map(|known| (strsim::jaro_winkler(name, known), known));
        near.filter(|(score, _)| *score > 0.85).max_by(|a, b| a.0.total_cmp(&b.0))
    });
    if let Some((_, near)) = near {
        text.push_str(&format!("; did you mean {}?", quoted("", near)));
    } else if arguments.is_empty() {
        text.push_str(", which takes none");
    } else {
        let known: Vec<String> =
            arguments.iter().take(MAX_CHOICES).map(|name| quoted("", name)).collect();
        text.push_str(&format!(", which takes {}", known.join(", ")));
    }
    text
}

/// What the value at `at` should be, as the end of a sentence that begins with its name.
fn expectation(kind: &Kind, at: &Location) -> String {
    match kind {
        Kind::Type { kind: TypeKind::Single(one) } => {
            format!("must be {}", type_words(&one.to_string()))
        }
        Kind::Type { kind: TypeKind::Multiple(many) } => {
            let words: Vec<_> = many.iter().map(|one| type_words(&one.to_string())).collect();
            format!("must be {}", words.join(" or "))
        }
        Kind::Enum { options } => {
            let all = options.as_array().map(Vec::as_slice).unwrap_or_default();
            let mut choices: Vec<String> = all.iter().take(MAX_CHOICES).map(value).collect();
            if all.len() > MAX_CHOICES {
                choices.push(format!("{} more", all.len() - MAX_CHOICES));
            }
            format!("must be one of {}", choices.join(", "))
        }
        Kind::Constant { expected_value } => format!("must be {}", value(expected_value)),
        Kind::Minimum { limit } => format!("must be at least {}", value(limit)),
        Kind::Maximum { limit } => format!("must be at most {}", value(limit)),
        Kind::ExclusiveMinimum { limit } => format!("must be more than {}", value(limit)),
        Kind::ExclusiveMaximum { limit } => format!("must be less than {}", value(limit)),
        Kind::MultipleOf { multiple_of } => format!("must be a multiple of {multiple_of}"),
        Kind::MinLength { limit: 1 } => String::from("must not be empty"),
        Kind::MinLength { limit } => format!("must have at least {limit} characters"),
        Kind::MaxLength { limit } => format!("must have at most {limit} characters"),
        Kind::MinItems { limit } => format!("must have at least {limit} items"),
        Kind::MaxItems { limit } => format!("must have at most {limit} items"),
        Kind::AdditionalItems { limit } => format!("must have at most {limit} items"),
        Kind::MinProperties { limit } => format!("must have at least {limit} members"),
        Kind::MaxProperties { limit } => format!("must have at most {limit} members"),
        Kind::UniqueItems => String::from("must not repeat an item"),
        Kind::Contains => String::from("lacks an item that its schema asks for"),
        Kind::UnevaluatedItems { .. } => String::from("has items that its schema does not allow"),
        Kind::Pattern { pattern } => {
            format!("must match the pattern `{}`", shown(pattern, 2 * MAX_SHOWN))
        }
        Kind::FalseSchema => String::from("is not allowed here"),
        Kind::PropertyNames { error } => {
            format!("has a member whose name {}", expectation(error.kind(), at))
        }
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => alternatives(context, at),
        Kind::OneOfMultipleValid { .. } => {
            String::from("fits more than one of the forms that its schema keeps apart")
        }
        other => format!("does not satisfy `{}` of its schema", other.keyword()),
    }
}

/// The alternatives' own expectations, if each has one about the value as a whole.
fn alternatives(context: &[Vec<ValidationError<'static>>], at: &Location) -> String {
    let whole = |errors: &Vec<ValidationError<'static>>| match errors.as_slice() {
        [one] if one.instance_path() == at => match one.kind() {
            Kind::Required { property } => {
                Some(format!("must have {}", quoted("", property.as_str().unwrap_or_default())))
            }
            Kind::AnyOf { .. } | Kind::OneOfNotValid { .. } => None,
            kind => Some(expectation(kind, at)),
        },
        _ => None,
    };
    let words: Option<Vec<String>> = context.iter().take(MAX_PROBLEMS).map(whole).collect();
    match words {
        Some(words) if !words.is_empty() && context.len() <= MAX_PROBLEMS => words.join(", or "),
        _ => String::from("fits none of the forms that its schema allows"),
    }
}

/// The argument that an error is about, as `statistics.value` or `ids[0]`; empty for the whole.
fn argument(error: &ValidationError<'_>) -> String {
    let mut path = String::new();
    for segment in error.instance_path().segments() {
        match segment {
            LocationSegment::Property(name) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(&name);
            }
            LocationSegment::Index(index) => path.push_str(&format!("[{index}]")),
        }
    }
    path
}

fn quoted(path: &str, name: &str) -> String {
    let dot = if path.is_empty() { "" } else { "." };
    format!("`{}{dot}{}`", shown(path, MAX_SHOWN), shown(name, MAX_SHOWN))
}

/// A value of the schema.
fn value(value: &Value) -> String {
    match value {
        Value::String(text) => format!("`{}`", shown(text, MAX_SHOWN)),
        other => shown(&other.to_string(), MAX_SHOWN),
    }
}

fn type_words(name: &str) -> &'static str {
    match name {
        "string" => "a string",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        "object" => "an object",
        "array" => "a list",
        "null" => "null",
        _ => "of another type",
    }
}
