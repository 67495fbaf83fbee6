//! The tools: which are offered, what their arguments may be, and what each does to the workspace.
//!
//! A call is a function of the workspace, the switches and the arguments. Nothing here knows how a result travels.

use serde_json::{Map, Value, json};

use super::data::World;
use super::options::{Options, Permission};

mod articles;
mod companies;
mod contacts;
mod conversations;
pub(super) mod definitions;
mod notes;
mod paging;
mod schema;
mod search;
#[cfg(test)]
mod tests;

/// Why a call did not give a result.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fault {
    /// The tool does not exist, or its arguments do not fit its schema.
    Arguments(String),
    /// The tool ran and says in words what is wrong.
    Text(String),
    /// Intercom's API refused: its code and message.
    Api(&'static str, String),
    /// The credential lacks the permission that this tool needs.
    Permission(Permission),
}

impl Fault {
    fn not_found(what: &str) -> Fault {
        Fault::Api("not_found", format!("{what} Not Found"))
    }

    /// The text that a client reads.
    pub(super) fn text(&self) -> String {
        match self {
            Fault::Arguments(message) => format!("MCP error -32602: {message}"),
            Fault::Text(message) => message.clone(),
            Fault::Api(code, message) => error_list(code, message),
            Fault::Permission(_) => error_list(
                "token_unauthorized",
                "The access token does not have the required permission. Reconnect to grant it.",
            ),
        }
    }
}

/// Intercom's error envelope as text.
pub(super) fn error_list(code: &str, message: &str) -> String {
    json!({"type": "error.list", "request_id": "00000000-0000-4000-8000-000000000001", "errors": [{"code": code, "message": message}]}).to_string()
}

/// What a tool works on.
struct Scene<'a> {
    options: &'a Options,
    arguments: &'a Map<String, Value>,
}

impl Scene<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        self.arguments.get(name).and_then(Value::as_str)
    }

    fn number(&self, name: &str) -> Option<u64> {
        let value = self.arguments.get(name)?;
        // JSON has one kind of number: 7.0 is 7.
        value.as_u64().or_else(|| {
            value
                .as_f64()
                .filter(|number| number.fract() == 0.0 && *number >= 0.0)
                .map(|number| number as u64)
        })
    }

    fn flag(&self, name: &str) -> Option<bool> {
        self.arguments.get(name).and_then(Value::as_bool)
    }

    fn texts(&self, name: &str) -> Option<Vec<&str>> {
        Some(self.arguments.get(name)?.as_array()?.iter().filter_map(Value::as_str).collect())
    }
}

/// Runs a tool.
pub(super) fn call(
    world: &mut World,
    options: &Options,
    name: &str,
    arguments: &Map<String, Value>,
) -> Result<Value, Fault> {
    let Some(definition) = definitions::find(options, name) else {
        return Err(Fault::Arguments(format!("Tool {name} not found")));
    };
    let problems = definition
        .get("inputSchema")
        .map(|schema| schema::problems(schema, arguments))
        .unwrap_or_default();
    if !problems.is_empty() {
        return Err(Fault::Arguments(format!(
            "Input validation error: Invalid arguments for tool {name}: {}",
            Value::Array(problems)
        )));
    }
    if let Some(missing) =
        needed(name).iter().find(|needed| options.missing_permissions.contains(needed))
    {
        return Err(Fault::Permission(*missing));
    }
    let scene = Scene { options, arguments };
    match name {
        "search" => search::search(world, &scene),
        "fetch" => search::fetch(world, &scene),
        "search_conversations" => conversations::search(world, &scene),
        "get_conversation" => conversations::read(world, &scene),
        "search_contacts" => contacts::search(world, &scene),
        "get_contact" => contacts::read(world, &scene),
        "list_companies" => companies::list(world, &scene),
        "get_company" => companies::read(world, &scene),
        "list_articles" => articles::list(world, &scene),
        "search_articles" => articles::search(world, &scene),
        "get_article" => articles::read(world, &scene),
        "create_article" => articles::create(world, &scene),
        "update_article" => articles::update(world, &scene),
        "add_internal_note" => notes::add(world, &scene),
        _ => {
            world.tick();
            Ok(json!({"received": true}))
        }
    }
}

/// Whether a call of this tool leaves the workspace as it is, so that its answer may be kept.
pub(super) fn reads(name: &str) -> bool {
    !matches!(
        name,
        "create_article" | "update_article" | "add_internal_note" | "submit_mcp_feedback"
    )
}

fn needed(name: &str) -> &'static [Permission] {
    match name {
        "search" | "fetch" => &[Permission::ReadConversations, Permission::ReadPeople],
        "search_conversations" | "get_conversation" => &[Permission::ReadConversations],
        "search_contacts" | "get_contact" | "list_companies" | "get_company" => {
            &[Permission::ReadPeople]
        }
        "list_articles" | "search_articles" | "get_article" => &[Permission::ReadArticles],
        "create_article" | "update_article" => &[Permission::WriteArticles],
        "add_internal_note" => &[Permission::WriteConversations],
        _ => &[],
    }
}
