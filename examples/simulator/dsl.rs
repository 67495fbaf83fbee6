//! The query language of `search`.
//!
//! `query = token *( SP token )`, `token = key ":" value | key ":" op ":" value`, a value is bare or in double quotes. Read as
//! the real server is described: tokens are ANDed, there are no escapes, a later control token replaces an earlier one. It is
//! a reader of its own and lenient where the description is silent; a firewall in front of it has to be stricter.

use serde_json::Value;

use super::data::{at, text_at};

/// What is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ObjectType {
    Conversations,
    Contacts,
}

/// A query that was understood.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Query {
    pub(super) object_type: ObjectType,
    pub(super) limit: Option<u64>,
    pub(super) starting_after: Option<String>,
    free: Vec<String>,
    filters: Vec<Filter>,
}

#[derive(Debug, Clone, PartialEq)]
struct Filter {
    field: String,
    operator: Operator,
    value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Eq,
    Neq,
    Gt,
    Gte,
    Lt,
    Lte,
    In,
    Nin,
    Contains,
}

/// Why a query was not understood.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum QueryError {
    /// It does not follow the grammar.
    Form(String),
    /// It has no `object_type`, or names a field that does not exist: some servers find nothing instead.
    Meaning(String),
}

const CONVERSATION_FIELDS: [&str; 16] = [
    "id",
    "state",
    "priority",
    "source_type",
    "source_author_name",
    "source_author_email",
    "source_subject",
    "source_body",
    "contact_ids",
    "team_assignee_id",
    "admin_assignee_id",
    "statistics_time_to_assignment",
    "statistics_time_to_admin_reply",
    "statistics_time_to_first_close",
    "created_at",
    "updated_at",
];
const CONTACT_FIELDS: [&str; 8] =
    ["id", "name", "email", "email_domain", "phone", "role", "created_at", "updated_at"];

impl Query {
    /// Reads a query.
    pub(super) fn read(text: &str) -> Result<Query, QueryError> {
        let mut object_type = None;
        let (mut limit, mut starting_after, mut free, mut filters) =
            (None, None, Vec::new(), Vec::new());
        for token in tokens(text)? {
            match token.field.as_str() {
                "object_type" => object_type = Some(read_type(&token.value)?),
                "limit" => limit = Some(read_limit(&token.value)?),
                "starting_after" => starting_after = Some(token.value),
                "q" => free.push(token.value),
                _ => filters.push(token),
            }
        }
        let Some(object_type) = object_type else {
            return Err(QueryError::Meaning("Missing object_type. Add object_type:conversations or object_type:contacts to your query".to_owned()));
        };
        filters.iter().try_for_each(|filter| check(object_type, filter))?;
        Ok(Query { object_type, limit, starting_after, free, filters })
    }
}

fn read_type(value: &str) -> Result<ObjectType, QueryError> {
    match value {
        "conversations" => Ok(ObjectType::Conversations),
        "contacts" => Ok(ObjectType::Contacts),
        other => Err(QueryError::Meaning(format!(
            "Invalid object_type: {other}. Must be one of: conversations, contacts"
        ))),
    }
}

fn read_limit(value: &str) -> Result<u64, QueryError> {
    value.parse().ok().filter(|limit| (1..=150).contains(limit)).ok_or_else(|| {
        QueryError::Form(format!("Invalid limit: {value}. Must be between 1 and 150"))
    })
}

fn check(object_type: ObjectType, filter: &Filter) -> Result<(), QueryError> {
    let field = filter.field.as_str();
    let known = match object_type {
        ObjectType::Conversations => CONVERSATION_FIELDS.contains(&field),
        ObjectType::Contacts => {
            CONTACT_FIELDS.contains(&field)
                || field.strip_prefix("custom_attributes.").is_some_and(|name| !name.is_empty())
        }
    };
    if !known {
        return Err(QueryError::Meaning(format!("Unsupported field: {field}")));
    }
    let contact_date = object_type == ObjectType::Contacts && is_date(field);
    if contact_date && !matches!(filter.operator, Operator::Eq | Operator::Gt | Operator::Lt) {
        return Err(QueryError::Form(format!("Unsupported operator for {field}")));
    }
    if is_number(field)
        && !matches!(filter.operator, Operator::In | Operator::Nin)
        && number(field, &filter.value).is_none()
    {
        return Err(QueryError::Form(format!("Invalid value for {field}: {}", filter.value)));
    }
    Ok(())
}

/// Splits a query at spaces that stand outside quotes.
fn tokens(text: &str) -> Result<Vec<Filter>, QueryError> {
    let mut found = Vec::new();
    let mut token = String::new();
    let mut quoted = false;
    for letter in text.chars().chain([' ']) {
        match letter {
            '"' => quoted = !quoted,
            letter if letter.is_whitespace() && !quoted => {
                if !token.is_empty() {
                    found.push(read_token(&std::mem::take(&mut token))?);
                }
                continue;
            }
            _ => {}
        }
        token.push(letter);
    }
    if quoted { Err(QueryError::Form("Unterminated quote in query".to_owned())) } else { Ok(found) }
}

fn read_token(token: &str) -> Result<Filter, QueryError> {
    let bad =
        || QueryError::Form(format!("Invalid token: {token}. Use key:value or key:operator:value"));
    let (field, rest) = token.split_once(':').ok_or_else(bad)?;
    let (operator, value) =
        match rest.split_once(':').and_then(|(name, value)| Some((operator(name)?, value))) {
            Some((operator, value)) => (operator, value),
            None => (Operator::Eq, rest),
        };
    let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    if field.is_empty() || value.is_empty() {
        return Err(bad());
    }
    Ok(Filter { field: field.to_owned(), operator, value: value.to_owned() })
}

fn operator(name: &str) -> Option<Operator> {
    Some(match name {
        "eq" => Operator::Eq,
        "neq" => Operator::Neq,
        "gt" => Operator::Gt,
        "gte" => Operator::Gte,
        "lt" => Operator::Lt,
        "lte" => Operator::Lte,
        "in" => Operator::In,
        "nin" => Operator::Nin,
        "contains" => Operator::Contains,
        _ => return None,
    })
}

/// Whether an object is a hit.
pub(super) fn fits(query: &Query, one: &Value) -> bool {
    query.free.iter().all(|words| free_text(query.object_type, one, words))
        && query.filters.iter().all(|filter| holds(query.object_type, filter, one))
}

fn free_text(object_type: ObjectType, one: &Value, words: &str) -> bool {
    let paths: &[&str] = match object_type {
        ObjectType::Conversations => {
            &["source.subject", "source.body", "source.author.name", "source.author.email"]
        }
        ObjectType::Contacts => &["name", "email", "phone"],
    };
    let words = words.to_lowercase();
    paths.iter().any(|path| text_at(one, path).to_lowercase().contains(&words))
}

fn holds(object_type: ObjectType, filter: &Filter, one: &Value) -> bool {
    let field = filter.field.as_str();
    if is_number(field) && !matches!(filter.operator, Operator::In | Operator::Nin) {
        let Some(actual) = at(one, path(object_type, field)).and_then(Value::as_i64) else {
            return filter.operator == Operator::Neq;
        };
        return number(field, &filter.value)
            .is_some_and(|wanted| compares(object_type, filter, actual, wanted));
    }
    let actual: Vec<String> = strings(object_type, field, one);
    let any =
        |wanted: &str| actual.iter().any(|actual| actual.to_lowercase() == wanted.to_lowercase());
    match filter.operator {
        Operator::Eq => any(&filter.value),
        Operator::Neq => !any(&filter.value),
        Operator::In => filter.value.split(',').any(|wanted| any(wanted.trim())),
        Operator::Nin => !filter.value.split(',').any(|wanted| any(wanted.trim())),
        Operator::Contains => actual.iter().any(|actual| contains(field, actual, &filter.value)),
        Operator::Gt | Operator::Gte => actual.iter().any(|actual| *actual >= filter.value),
        Operator::Lt | Operator::Lte => actual.iter().any(|actual| *actual <= filter.value),
    }
}

fn compares(object_type: ObjectType, filter: &Filter, actual: i64, wanted: i64) -> bool {
    // Contact dates match whole days; the bounds of conversation filters are inclusive.
    let (actual, wanted) = if object_type == ObjectType::Contacts {
        (actual.div_euclid(86_400), wanted.div_euclid(86_400))
    } else {
        (actual, wanted)
    };
    match filter.operator {
        Operator::Gt if object_type == ObjectType::Contacts => actual > wanted,
        Operator::Lt if object_type == ObjectType::Contacts => actual < wanted,
        Operator::Gt | Operator::Gte => actual >= wanted,
        Operator::Lt | Operator::Lte => actual <= wanted,
        Operator::Neq => actual != wanted,
        _ => actual == wanted,
    }
}

/// Bodies match by word, everything else by part.
fn contains(field: &str, actual: &str, wanted: &str) -> bool {
    let (actual, wanted) = (actual.to_lowercase(), wanted.to_lowercase());
    if field != "source_body" {
        return actual.contains(&wanted);
    }
    let actual = super::objects::stripped(&actual);
    let words: Vec<&str> = actual.split(|letter: char| !letter.is_alphanumeric()).collect();
    wanted.split_whitespace().all(|wanted| words.contains(&wanted))
}

fn strings(object_type: ObjectType, field: &str, one: &Value) -> Vec<String> {
    if field == "contact_ids" {
        return at(one, "contacts.contacts")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|stub| text_at(stub, "id").to_owned())
            .collect();
    }
    if field == "email_domain" {
        return text_at(one, "email")
            .rsplit_once('@')
            .map(|(_, domain)| domain.to_owned())
            .into_iter()
            .collect();
    }
    let value = match field.strip_prefix("custom_attributes.") {
        Some(name) => one.get("custom_attributes").and_then(|all| all.get(name)),
        None => at(one, path(object_type, field)),
    };
    value
        .filter(|value| !value.is_null())
        .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        .into_iter()
        .collect()
}

fn path(object_type: ObjectType, field: &str) -> &str {
    match (object_type, field) {
        (ObjectType::Conversations, "source_type") => "source.type",
        (ObjectType::Conversations, "source_author_name") => "source.author.name",
        (ObjectType::Conversations, "source_author_email") => "source.author.email",
        (ObjectType::Conversations, "source_subject") => "source.subject",
        (ObjectType::Conversations, "source_body") => "source.body",
        (ObjectType::Conversations, "statistics_time_to_assignment") => {
            "statistics.time_to_assignment"
        }
        (ObjectType::Conversations, "statistics_time_to_admin_reply") => {
            "statistics.time_to_admin_reply"
        }
        (ObjectType::Conversations, "statistics_time_to_first_close") => {
            "statistics.time_to_first_close"
        }
        _ => field,
    }
}

fn is_date(field: &str) -> bool {
    matches!(field, "created_at" | "updated_at")
}

fn is_number(field: &str) -> bool {
    is_date(field) || field == "admin_assignee_id" || field.starts_with("statistics_")
}

/// A number, or for dates also `YYYY-MM-DD` as the second at which that day begins (UTC).
fn number(field: &str, value: &str) -> Option<i64> {
    let parsed = value.parse().ok();
    if is_date(field) { parsed.or_else(|| day(value)) } else { parsed }
}

fn day(value: &str) -> Option<i64> {
    let mut parts = value.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Days from civil, counting years from March.
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * month + 2) / 5 + day - 1;
    Some((era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468) * 86_400)
}

#[cfg(test)]
mod tests;
