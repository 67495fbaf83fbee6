//! The fields that can be filtered, and what their values may be.

use std::borrow::Cow;

use super::Object;
use crate::domain::{Filter, Operator};
use crate::intercom::ids::{self, IdKind};

/// What the values of a field look like.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// An id of this kind, brought to one form.
    Id(IdKind),
    /// One lower-case word out of a closed list of Intercom's.
    Word,
    /// A number.
    Number,
    /// Unix seconds or a day.
    Date,
    /// Anything.
    Text,
}

const CONVERSATION: [(&str, Kind); 16] = [
    ("id", Kind::Id(IdKind::Conversation)),
    ("state", Kind::Word),
    ("priority", Kind::Word),
    ("source_type", Kind::Word),
    ("source_author_name", Kind::Text),
    ("source_author_email", Kind::Text),
    ("source_subject", Kind::Text),
    ("source_body", Kind::Text),
    ("contact_ids", Kind::Id(IdKind::Contact)),
    ("team_assignee_id", Kind::Id(IdKind::Number)),
    ("admin_assignee_id", Kind::Id(IdKind::Number)),
    ("statistics_time_to_assignment", Kind::Number),
    ("statistics_time_to_admin_reply", Kind::Number),
    ("statistics_time_to_first_close", Kind::Number),
    ("created_at", Kind::Date),
    ("updated_at", Kind::Date),
];

const CONTACT: [(&str, Kind); 8] = [
    ("id", Kind::Id(IdKind::Contact)),
    ("name", Kind::Text),
    ("email", Kind::Text),
    ("email_domain", Kind::Text),
    ("phone", Kind::Text),
    ("role", Kind::Word),
    ("created_at", Kind::Date),
    ("updated_at", Kind::Date),
];

fn fields(object: Object) -> &'static [(&'static str, Kind)] {
    match object {
        Object::Conversations => &CONVERSATION,
        Object::Contacts => &CONTACT,
        Object::Companies | Object::Articles => &[],
    }
}

/// Whether something that can be searched has this field.
pub(super) fn is_field(name: &str) -> bool {
    CONVERSATION.iter().chain(&CONTACT).any(|(field, _)| *field == name)
}

/// The values of a token: one, or for `in` and `nin` those between commas.
pub(super) fn values(operator: Operator, value: &str, quoted: bool) -> Result<Vec<String>, String> {
    if matches!(operator, Operator::In | Operator::Nin) {
        let values: Vec<String> = value.split(',').map(str::to_owned).collect();
        if values.iter().any(|value| value.is_empty() || value.trim() != value) {
            return Err("has an empty value or a space in a list; write `a,b,c`".to_owned());
        }
        return Ok(values);
    }
    if !quoted && value.contains(',') {
        return Err("has a comma in a value; put it in double quotes, or use `in`".to_owned());
    }
    Ok(vec![value.to_owned()])
}

/// Checks a filter's field and values, and brings ids to one form.
pub(super) fn checked(object: Object, filter: Filter) -> Result<Filter, String> {
    let Filter { field, operator, values } = filter;
    let attribute = field.strip_prefix("custom_attributes.");
    let kind = match fields(object).iter().find(|(name, _)| *name == field) {
        Some((_, kind)) => *kind,
        None if object == Object::Contacts && attribute.is_some_and(|name| !name.is_empty()) => {
            Kind::Text
        }
        None => {
            let names: Vec<&str> = fields(object).iter().map(|(name, _)| *name).collect();
            return Err(format!(
                "names a field that {} do not have; use {}, limit, starting_after or q",
                object.as_str(),
                names.join(", ")
            ));
        }
    };
    let values =
        values.into_iter().map(|value| one(&field, kind, value)).collect::<Result<_, _>>()?;
    Ok(Filter { field, operator, values })
}

fn one(field: &str, kind: Kind, value: String) -> Result<String, String> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let good = match kind {
        Kind::Id(kind) => {
            return match ids::canonical(kind, &value) {
                Ok(id) => Ok(Cow::into_owned(id)),
                Err(fault) => Err(format!("has an id in `{field}` that {fault}")),
            };
        }
        Kind::Word => value.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'),
        Kind::Number => digits(&value),
        Kind::Date => {
            let day = value.len() == 10
                && value.bytes().enumerate().all(|(at, byte)| match at {
                    4 | 7 => byte == b'-',
                    _ => byte.is_ascii_digit(),
                });
            digits(&value) || day
        }
        Kind::Text => true,
    };
    let wanted = match kind {
        Kind::Word => "one lower-case word",
        Kind::Number => "digits",
        Kind::Date => "unix seconds or YYYY-MM-DD",
        Kind::Id(_) | Kind::Text => "another value",
    };
    if good { Ok(value) } else { Err(format!("takes {wanted} in `{field}`")) }
}

/// A field may be named once; a range, which has two ends, by one token for each.
pub(super) fn repeated(filters: &[Filter]) -> Result<(), String> {
    for (at, one) in filters.iter().enumerate() {
        for other in filters.iter().skip(at + 1).filter(|other| other.field == one.field) {
            let ends = |a: &Filter, b: &Filter| {
                matches!(a.operator, Operator::Gt | Operator::Gte)
                    && matches!(b.operator, Operator::Lt | Operator::Lte)
            };
            if !ends(one, other) && !ends(other, one) {
                return Err(format!(
                    "names `{}` twice, which may mean both or either; write it once",
                    one.field
                ));
            }
        }
    }
    Ok(())
}
