//! What is nobody's value: the words of the protocol, of Intercom and of our catalogue. Closed sets;
//! what is not in them is masked, wherever it stands.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::Value as Json;

use crate::intercom::Catalogue;
use crate::mcp::methods::{INPUT_REQUESTS, TABLE};
use crate::redact;

/// Members whose values may be words of [`WORDS`].
const KEYS: [&str; 14] = [
    "type",
    "object",
    "object_type",
    "role",
    "state",
    "status",
    "priority",
    "part_type",
    "source_type",
    "mimeType",
    "sort",
    "order",
    "content_type",
    "resultType",
];

/// The words that the protocol and Intercom have for kinds, states and orders.
const WORDS: [&str; 96] = [
    // Content and roles of the protocol, kinds of its schemas, states of its tasks.
    "text",
    "image",
    "audio",
    "resource",
    "resource_link",
    "tool_use",
    "tool_result",
    "ref/prompt",
    "ref/resource",
    "assistant",
    "string",
    "object",
    "number",
    "integer",
    "boolean",
    "array",
    "null",
    "complete",
    "task",
    "working",
    "input_required",
    "completed",
    "failed",
    "cancelled",
    "text/plain",
    "text/html",
    "text/markdown",
    "application/json",
    "image/png",
    "image/jpeg",
    "image/gif",
    // Records of Intercom.
    "contact",
    "contacts",
    "contact.list",
    "user",
    "lead",
    "visitor",
    "company",
    "companies",
    "company.list",
    "conversation",
    "conversations",
    "conversation.list",
    "conversation_part",
    "conversation_part.list",
    "article",
    "articles",
    "article.list",
    "internal_article",
    "note",
    "note_and_reopen",
    "comment",
    "quick_reply",
    "assignment",
    "open",
    "close",
    "admin",
    "admin.list",
    "teammate",
    "team",
    "bot",
    "ticket",
    "ticket_part",
    "tag",
    "tag.list",
    "segment",
    "segment.list",
    "list",
    "pages",
    "error.list",
    "collection",
    "section",
    "location",
    "avatar",
    "upload",
    "social_profile",
    "social_profile.list",
    "addressable_object.list",
    "conversation_rating",
    "conversation_source",
    "email",
    "phone_call",
    "push",
    "facebook",
    "instagram",
    "whatsapp",
    "sms",
    // States and orders.
    "closed",
    "snoozed",
    "published",
    "draft",
    "not_priority",
    "asc",
    "desc",
    "ascending",
    "descending",
];

/// Names of the protocol that redaction need not know.
const NAMES: [&str; 5] = ["ref", "argument", "context", "cursor", "action"];

/// Whether a text under a name is such a word.
pub(super) fn is_word(key: &str, text: &str) -> bool {
    let of_state = key == "priority" && text == "priority";
    KEYS.contains(&key) && (of_state || WORDS.contains(&text))
}

/// Whether a reference's kind is one.
pub(super) fn is_kind(text: &str) -> bool {
    WORDS.contains(&text)
}

/// Whether the protocol, Intercom or our catalogue has a member of this name.
pub(super) fn is_name(name: &str) -> bool {
    KEYS.contains(&name)
        || NAMES.contains(&name)
        || redact::is_known_name(name)
        || ARGUMENTS.contains(name)
}

/// Whether it is a method of the protocol.
pub(super) fn is_method(name: &str) -> bool {
    TABLE.iter().any(|method| method.name == name) || INPUT_REQUESTS.contains(&name)
}

/// Whether our catalogue has the tool.
pub(super) fn is_tool(name: &str) -> bool {
    Catalogue::shipped().entries().iter().any(|entry| entry.name == name)
}

/// The words that our catalogue lets an argument of a tool have.
pub(super) fn enumerated(tool: &str) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for schema in schemas(|name| name == tool) {
        each(&schema, &mut |schema| {
            if let Some(Json::Array(choices)) = schema.get("enum") {
                words.extend(choices.iter().filter_map(Json::as_str).map(str::to_owned));
            }
        });
    }
    words
}

/// The names that our catalogue has for arguments.
static ARGUMENTS: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let mut names = BTreeSet::new();
    for schema in schemas(|_| true) {
        each(&schema, &mut |schema| {
            if let Some(Json::Object(members)) = schema.get("properties") {
                names.extend(members.keys().cloned());
            }
        });
    }
    names
});

fn schemas(of: impl Fn(&str) -> bool) -> impl Iterator<Item = Json> {
    let entries = Catalogue::shipped().entries().iter();
    let entries = entries.filter(move |entry| of(&entry.name));
    entries.filter_map(|entry| serde_json::from_str(entry.input_schema.as_str()).ok())
}

fn each(schema: &Json, found: &mut dyn FnMut(&serde_json::Map<String, Json>)) {
    match schema {
        Json::Object(members) => {
            found(members);
            members.values().for_each(|member| each(member, found));
        }
        Json::Array(items) => items.iter().for_each(|item| each(item, found)),
        _ => {}
    }
}
