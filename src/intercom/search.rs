//! What a call searches for: one form for every tool that lists.
//!
//! Intercom has two ways to say the same: arguments (`{"state": "open"}`) and the language of the
//! tool `search` (`state:open`). Rules and obligations must not have to know both, so each call is
//! read into one [`Search`]: an object, filters that must all hold, free text, a page size. The
//! language itself is in [`query`].

mod filter;
mod query;

use serde_json::Value;

use crate::domain::{Filter, JsonText, Operator};

pub use query::QueryFault;
pub(super) use query::Unlimited;

/// What a call searches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// What is searched.
    pub object: Object,
    /// Conditions that all hold for what is found.
    pub filters: Vec<Filter>,
    /// Free text.
    pub text: Option<String>,
    /// The page size that was asked for.
    pub limit: Option<u64>,
    /// Where the page begins, if it is not the first.
    pub cursor: Option<String>,
}

/// What can be searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Object {
    /// Conversations.
    Conversations,
    /// Contacts.
    Contacts,
    /// Companies.
    Companies,
    /// Help Center articles.
    Articles,
}

impl Object {
    /// The word in rules and in the language.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Conversations => "conversations",
            Self::Contacts => "contacts",
            Self::Companies => "companies",
            Self::Articles => "articles",
        }
    }
}

/// The tool whose argument is the language.
pub(super) const SEARCH: &str = "search";
/// Its argument.
pub(super) const QUERY: &str = "query";

impl Search {
    /// Whether the language has a key of this name.
    #[must_use]
    pub fn is_field(name: &str) -> bool {
        matches!(name, "object_type" | "limit" | "starting_after" | "q") || filter::is_field(name)
    }

    /// Reads the canonical arguments of a call; `None` if the tool does not list.
    #[must_use]
    pub fn of(tool: &str, arguments: &JsonText) -> Option<Self> {
        let object = match tool {
            SEARCH => None,
            "search_conversations" => Some(Object::Conversations),
            "search_contacts" => Some(Object::Contacts),
            "list_companies" => Some(Object::Companies),
            "list_articles" | "search_articles" => Some(Object::Articles),
            _ => return None,
        };
        let arguments: Value = serde_json::from_str(arguments.as_str()).ok()?;
        let Some(object) = object else {
            return Self::read(arguments.get(QUERY)?.as_str()?).ok();
        };
        let mut search =
            Self { object, filters: Vec::new(), text: None, limit: None, cursor: None };
        for (name, value) in arguments.as_object()? {
            search.argument(name, value);
        }
        Some(search)
    }

    /// Whether a condition is about what a person is called or reached by.
    #[must_use]
    pub fn asks_for_a_person(&self, filter: &Filter) -> bool {
        let field = filter.field.as_str();
        match self.object {
            Object::Contacts => matches!(field, "name" | "email" | "phone"),
            Object::Conversations => field.starts_with("source_author_"),
            Object::Companies | Object::Articles => false,
        }
    }

    fn argument(&mut self, name: &str, value: &Value) {
        match name {
            "per_page" => self.limit = whole(value),
            "starting_after" | "page" => self.cursor = Some(plain(value)),
            "phrase" => self.text = Some(plain(value)),
            // How hits are shown, not which.
            "highlight" => {}
            "ids" | "contact_ids" => {
                let values = value.as_array().into_iter().flatten().map(plain).collect();
                self.filters.push(Filter {
                    field: "id".to_owned(),
                    operator: Operator::In,
                    values,
                });
            }
            "custom_attributes" => {
                for (attribute, value) in value.as_object().into_iter().flatten() {
                    self.equal(format!("custom_attributes.{attribute}"), value);
                }
            }
            _ => match (value.get("operator").and_then(Value::as_str), value.get("value")) {
                (Some(sign), Some(value)) => {
                    let operator = of_sign(sign).unwrap_or(Operator::Eq);
                    let values = vec![plain(value)];
                    self.filters.push(Filter { field: name.to_owned(), operator, values });
                }
                // A contact's name is matched by part.
                _ if self.object == Object::Contacts && name == "name" => {
                    let (operator, values) = (Operator::Contains, vec![plain(value)]);
                    self.filters.push(Filter { field: name.to_owned(), operator, values });
                }
                _ => self.equal(name.to_owned(), value),
            },
        }
    }

    fn equal(&mut self, field: String, value: &Value) {
        self.filters.push(Filter { field, operator: Operator::Eq, values: vec![plain(value)] });
    }
}

/// The signs of `search_conversations`' statistics.
fn of_sign(sign: &str) -> Option<Operator> {
    Some(match sign {
        "=" => Operator::Eq,
        "!=" => Operator::Neq,
        ">" => Operator::Gt,
        ">=" => Operator::Gte,
        "<" => Operator::Lt,
        "<=" => Operator::Lte,
        _ => return None,
    })
}

/// A number without a fraction, however it is spelled: `5`, `5.0` and `0.5e1` are one to JSON Schema.
fn whole(value: &Value) -> Option<u64> {
    let spelled = || value.as_f64().filter(|it| it.fract() == 0.0 && (0.0..=1e9).contains(it));
    value.as_u64().or_else(|| spelled().map(|it| it as u64))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests;
