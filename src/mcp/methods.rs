//! Every method of every revision, in one closed table.
//!
//! What is not in the table does not exist: it is answered "method not found" downstream and dropped
//! upstream, whatever a peer may understand by it. A test can walk the table and ask of each row that
//! it is decided or refused. The extensions `skills` and `events` are left out on purpose: events can
//! deliver past any proxy.

use std::borrow::Cow;

use super::json::{Object, as_str};
use crate::domain::Revision;
use crate::domain::Revision::{V2025_03_26, V2025_06_18, V2025_11_25, V2026_07_28};

/// The id of the tasks extension.
pub const TASKS_EXTENSION: &str = "io.modelcontextprotocol/tasks";

/// Who sends a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sender {
    /// The agent, or we towards Intercom.
    Client,
    /// Intercom, or we towards the agent.
    Server,
}

/// Whether an answer is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// With an id, and answered.
    Request,
    /// Without.
    Notification,
}

/// What a method is about, and where its parameters say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// The method says all.
    None,
    /// A tool: `params.name`.
    Tool,
    /// A prompt: `params.name`.
    Prompt,
    /// A resource: `params.uri`.
    Resource,
    /// A task: `params.taskId`.
    Task,
    /// A prompt or resource template that is completed: `params.ref`.
    Completion,
}

impl Target {
    /// The parameter that names the target, if it is a plain string.
    #[must_use]
    pub const fn parameter(self) -> Option<&'static str> {
        match self {
            Self::Tool | Self::Prompt => Some("name"),
            Self::Resource => Some("uri"),
            Self::Task => Some("taskId"),
            Self::None | Self::Completion => None,
        }
    }

    /// The target's name in the parameters of a message; for a completion the prompt's name or the
    /// template's URI. `None` if the target has no name or the parameters do not give it as a string.
    #[must_use]
    pub fn name(self, params: &Object) -> Option<Cow<'_, str>> {
        match self {
            Self::Completion => {
                let reference = params.object("ref")?;
                let key = match reference.str("type")?.as_ref() {
                    "ref/prompt" => "name",
                    "ref/resource" => "uri",
                    _ => return None,
                };
                reference.str(key).map(|name| Cow::Owned(name.into_owned()))
            }
            target => params.get(target.parameter()?).and_then(as_str),
        }
    }
}

/// One method, as one side may send it in a span of revisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Method {
    /// Its name on the wire.
    pub name: &'static str,
    /// Who sends it.
    pub sender: Sender,
    /// Request or notification.
    pub form: Form,
    /// The first revision that has it.
    pub since: Revision,
    /// The last revision that has it.
    pub until: Revision,
    /// What it is about.
    pub target: Target,
}

impl Method {
    /// Whether a revision has it.
    #[must_use]
    pub fn in_revision(&self, revision: Revision) -> bool {
        (self.since..=self.until).contains(&revision)
    }

    /// The extension that it needs in a revision, if it is not part of the core there.
    #[must_use]
    pub fn extension(&self, revision: Revision) -> Option<&'static str> {
        let tasks = self.target == Target::Task || self.name == "notifications/tasks";
        (tasks && revision == V2026_07_28).then_some(TASKS_EXTENSION)
    }

    /// Whether the `Mcp-Name` header must repeat the target's name (2026-07-28).
    #[must_use]
    pub fn mirrors_name(&self) -> bool {
        matches!(self.name, "tools/call" | "prompts/get" | "resources/read")
            || (self.target == Target::Task && self.form == Form::Request)
    }
}

/// The method that a message names, if its sender may send it in this form and revision.
#[must_use]
pub fn find(sender: Sender, form: Form, name: &str, revision: Revision) -> Option<&'static Method> {
    TABLE.iter().find(|method| {
        method.name == name
            && method.sender == sender
            && method.form == form
            && method.in_revision(revision)
    })
}

/// A row: the spans are inclusive.
const fn row(
    sender: Sender,
    form: Form,
    name: &'static str,
    (since, until): (Revision, Revision),
    target: Target,
) -> Method {
    Method { name, sender, form, since, until, target }
}

use Form::{Notification as Note, Request as Ask};
use Sender::{Client, Server};

const ALWAYS: (Revision, Revision) = (V2025_03_26, V2026_07_28);
const LEGACY: (Revision, Revision) = (V2025_03_26, V2025_11_25);
const MODERN: (Revision, Revision) = (V2026_07_28, V2026_07_28);
const CORE_TASKS: (Revision, Revision) = (V2025_11_25, V2025_11_25);
const ANY_TASKS: (Revision, Revision) = (V2025_11_25, V2026_07_28);

/// All methods.
pub const TABLE: &[Method] = &[
    // What agents ask.
    row(Client, Ask, "initialize", LEGACY, Target::None),
    row(Client, Ask, "ping", LEGACY, Target::None),
    row(Client, Ask, "server/discover", MODERN, Target::None),
    row(Client, Ask, "tools/list", ALWAYS, Target::None),
    row(Client, Ask, "tools/call", ALWAYS, Target::Tool),
    row(Client, Ask, "prompts/list", ALWAYS, Target::None),
    row(Client, Ask, "prompts/get", ALWAYS, Target::Prompt),
    row(Client, Ask, "resources/list", ALWAYS, Target::None),
    row(Client, Ask, "resources/templates/list", ALWAYS, Target::None),
    row(Client, Ask, "resources/read", ALWAYS, Target::Resource),
    row(Client, Ask, "resources/subscribe", LEGACY, Target::Resource),
    row(Client, Ask, "resources/unsubscribe", LEGACY, Target::Resource),
    row(Client, Ask, "completion/complete", ALWAYS, Target::Completion),
    row(Client, Ask, "logging/setLevel", LEGACY, Target::None),
    row(Client, Ask, "subscriptions/listen", MODERN, Target::None),
    row(Client, Ask, "tasks/get", ANY_TASKS, Target::Task),
    row(Client, Ask, "tasks/cancel", ANY_TASKS, Target::Task),
    row(Client, Ask, "tasks/update", MODERN, Target::Task),
    row(Client, Ask, "tasks/result", CORE_TASKS, Target::Task),
    row(Client, Ask, "tasks/list", CORE_TASKS, Target::None),
    // What agents tell. In the modern era only over stdio: over HTTP a closed stream cancels.
    row(Client, Note, "notifications/initialized", LEGACY, Target::None),
    row(Client, Note, "notifications/cancelled", ALWAYS, Target::None),
    row(Client, Note, "notifications/progress", LEGACY, Target::None),
    row(Client, Note, "notifications/roots/list_changed", LEGACY, Target::None),
    row(Client, Note, "notifications/tasks/status", CORE_TASKS, Target::Task),
    // What servers ask; in the modern era these travel inside results as `inputRequests`.
    row(Server, Ask, "ping", LEGACY, Target::None),
    row(Server, Ask, "sampling/createMessage", LEGACY, Target::None),
    row(Server, Ask, "roots/list", LEGACY, Target::None),
    row(Server, Ask, "elicitation/create", (V2025_06_18, V2025_11_25), Target::None),
    row(Server, Ask, "tasks/get", CORE_TASKS, Target::Task),
    row(Server, Ask, "tasks/result", CORE_TASKS, Target::Task),
    row(Server, Ask, "tasks/cancel", CORE_TASKS, Target::Task),
    row(Server, Ask, "tasks/list", CORE_TASKS, Target::None),
    // What servers tell.
    row(Server, Note, "notifications/cancelled", ALWAYS, Target::None),
    row(Server, Note, "notifications/progress", ALWAYS, Target::None),
    row(Server, Note, "notifications/message", ALWAYS, Target::None),
    row(Server, Note, "notifications/tools/list_changed", ALWAYS, Target::None),
    row(Server, Note, "notifications/prompts/list_changed", ALWAYS, Target::None),
    row(Server, Note, "notifications/resources/list_changed", ALWAYS, Target::None),
    row(Server, Note, "notifications/resources/updated", ALWAYS, Target::Resource),
    row(Server, Note, "notifications/elicitation/complete", CORE_TASKS, Target::None),
    row(Server, Note, "notifications/tasks/status", CORE_TASKS, Target::Task),
    row(Server, Note, "notifications/subscriptions/acknowledged", MODERN, Target::None),
    row(Server, Note, "notifications/tasks", MODERN, Target::Task),
];

/// The parameters, beside `_meta`, that a client may send with a method: what reaches Intercom was
/// seen by policy, and nothing rides along under a name that nobody knows.
#[must_use]
pub fn parameters(name: &str, revision: Revision) -> &'static [&'static str] {
    let modern = revision == V2026_07_28;
    match name {
        "initialize" => &["protocolVersion", "capabilities", "clientInfo"],
        "tools/list"
        | "prompts/list"
        | "resources/list"
        | "resources/templates/list"
        | "tasks/list" => &["cursor"],
        // `task` belongs to the experimental tasks of 2025-11-25; it does not reach Intercom.
        "tools/call" => &["name", "arguments", "task", "inputResponses", "requestState"],
        "prompts/get" if modern => &["name", "arguments", "inputResponses", "requestState"],
        "prompts/get" => &["name", "arguments"],
        "resources/read" if modern => &["uri", "inputResponses", "requestState"],
        "resources/read" | "resources/subscribe" | "resources/unsubscribe" => &["uri"],
        "completion/complete" => &["ref", "argument", "context"],
        "logging/setLevel" => &["level"],
        "subscriptions/listen" => &["notifications"],
        "tasks/get" | "tasks/cancel" | "tasks/result" => &["taskId"],
        "tasks/update" => &["taskId", "inputResponses"],
        "notifications/cancelled" => &["requestId", "reason"],
        "notifications/progress" => &["progressToken", "progress", "total", "message"],
        _ => &[],
    }
}

/// The methods that a modern result may ask the client through `inputRequests`.
pub const INPUT_REQUESTS: [&str; 3] =
    ["elicitation/create", "sampling/createMessage", "roots/list"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::json::JsonError;

    fn object(text: &'static str) -> Result<Object, JsonError> {
        let document = crate::mcp::json::read(text.into(), &crate::mcp::json::Limits::default())?;
        Ok(document.object().unwrap())
    }

    #[test]
    fn no_two_rows_overlap() {
        for (index, one) in TABLE.iter().enumerate() {
            assert!(one.since <= one.until, "{}", one.name);
            for other in &TABLE[index + 1..] {
                let same =
                    (one.name, one.sender, one.form) == (other.name, other.sender, other.form);
                assert!(
                    !same || one.until < other.since || other.until < one.since,
                    "{}",
                    one.name
                );
            }
        }
    }

    #[test]
    fn each_target_is_named_by_a_known_parameter() {
        for method in TABLE.iter().filter(|method| method.sender == Client) {
            for revision in Revision::ALL.into_iter().filter(|it| method.in_revision(*it)) {
                let known = parameters(method.name, revision);
                // A notification about core tasks is not passed, so none of its parameters is.
                let named = method.target.parameter().is_none_or(|name| known.contains(&name));
                assert!(named || method.form == Note, "{} {revision}", method.name);
                let asks = ["tools/call", "prompts/get", "resources/read", "tasks/update"];
                let answers = revision == V2026_07_28 && asks.contains(&method.name);
                let legacy_call = method.name == "tools/call";
                assert_eq!(
                    known.contains(&"inputResponses"),
                    answers || legacy_call,
                    "{} {revision}",
                    method.name
                );
            }
        }
    }

    #[test]
    fn names_and_forms_agree() {
        for method in TABLE {
            let told = method.name.starts_with("notifications/");
            assert_eq!(told, method.form == Form::Notification, "{}", method.name);
            for revision in Revision::ALL {
                let found = find(method.sender, method.form, method.name, revision);
                assert_eq!(
                    found.is_some(),
                    method.in_revision(revision),
                    "{} {revision}",
                    method.name
                );
            }
        }
    }

    /// Who sends what in which revision: the list of the schemas, as one line each.
    #[test]
    fn each_revision_has_its_methods() {
        let count = |revision, sender, form| {
            let here = |method: &&Method| {
                method.in_revision(revision) && method.sender == sender && method.form == form
            };
            TABLE.iter().filter(here).count()
        };
        let rows = [
            (V2025_03_26, [13, 4, 3, 7]),
            (V2025_06_18, [13, 4, 4, 7]),
            (V2025_11_25, [17, 5, 8, 9]),
            (V2026_07_28, [13, 1, 0, 9]),
        ];
        for (revision, expected) in rows {
            let found = [(Client, Ask), (Client, Note), (Server, Ask), (Server, Note)]
                .map(|(sender, form)| count(revision, sender, form));
            assert_eq!(found, expected, "{revision}");
        }
    }

    #[test]
    fn nothing_else_is_found() {
        let rows = [
            "",
            "tools",
            "tools/call ",
            "Tools/Call",
            "tools/CALL",
            "tools/\u{441}all",
            "tools/call\0",
            "skills/list",
            "skills/get",
            "resources/directory/read",
            "events/list",
            "events/subscribe",
            "events/stream",
            "rpc.discover",
            "notifications/unknown",
            "tools//call",
            "tasks/update/",
        ];
        for name in rows {
            for sender in [Client, Server] {
                for form in [Ask, Note] {
                    for revision in Revision::ALL {
                        assert_eq!(find(sender, form, name, revision), None, "{name}");
                    }
                }
            }
        }
        // A request is not a notification, and a client's method not a server's.
        assert_eq!(find(Client, Note, "tools/call", V2026_07_28), None);
        assert_eq!(find(Server, Ask, "tools/call", V2025_11_25), None);
        for gone in [
            "initialize",
            "ping",
            "logging/setLevel",
            "resources/subscribe",
            "resources/unsubscribe",
            "tasks/result",
            "tasks/list",
        ] {
            assert_eq!(find(Client, Ask, gone, V2026_07_28), None, "{gone}");
        }
    }

    #[test]
    fn targets_are_named() -> Result<(), JsonError> {
        let rows = [
            (Target::Tool, r#"{"name":"a\u0062"}"#, Some("ab")),
            (Target::Tool, r#"{"name":1}"#, None),
            (Target::Tool, r#"{}"#, None),
            (Target::Prompt, r#"{"name":"p"}"#, Some("p")),
            (Target::Resource, r#"{"uri":"x://y"}"#, Some("x://y")),
            (Target::Task, r#"{"taskId":"t","name":"n"}"#, Some("t")),
            (
                Target::Completion,
                r#"{"ref":{"type":"ref/prompt","name":"p","uri":"u"}}"#,
                Some("p"),
            ),
            (Target::Completion, r#"{"ref":{"type":"ref/resource","uri":"u"}}"#, Some("u")),
            (Target::Completion, r#"{"ref":{"type":"ref/tool","name":"u"}}"#, None),
            (Target::Completion, r#"{"ref":"p"}"#, None),
            (Target::None, r#"{"name":"a"}"#, None),
        ];
        for (target, params, name) in rows {
            assert_eq!(target.name(&object(params)?).as_deref(), name, "{params}");
        }
        Ok(())
    }

    #[test]
    fn tasks_are_core_once_and_an_extension_now() {
        let get = find(Client, Ask, "tasks/get", V2026_07_28).unwrap();
        assert_eq!(get.extension(V2026_07_28), Some(TASKS_EXTENSION));
        assert_eq!(get.extension(V2025_11_25), None);
        let extended = TABLE.iter().filter(|method| {
            method.in_revision(V2026_07_28) && method.extension(V2026_07_28).is_some()
        });
        let names: Vec<_> = extended.map(|method| method.name).collect();
        assert_eq!(names, ["tasks/get", "tasks/cancel", "tasks/update", "notifications/tasks"]);
    }

    #[test]
    fn six_methods_mirror_a_name() {
        let names =
            TABLE.iter().filter(|method| method.in_revision(V2026_07_28) && method.mirrors_name());
        let names: Vec<_> = names.map(|method| method.name).collect();
        let expected = [
            "tools/call",
            "prompts/get",
            "resources/read",
            "tasks/get",
            "tasks/cancel",
            "tasks/update",
        ];
        assert_eq!(names, expected);
    }
}
