//! The paths of the input, as a list: which question has them, and whether every document has them.
//!
//! The table in [`super::input`] says what they mean. Two checks read this list: `not` over a path
//! that may be missing ([`super::presence`]), and paths that no input has ([`super::advice`]). A test
//! builds the documents of the trial and finds every member here.

use crate::domain::Question;

/// Which questions have a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    All,
    Visible,
    /// Everything but `visible`.
    Others,
    Disclose,
    Approve,
}

/// When a document has a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Always,
    Sometimes,
    /// Sometimes, and what is below it is the call's or the configuration's own.
    Open,
}

use Of::{All, Approve, Disclose, Others, Visible};
use When::{Always, Open, Sometimes};

const PATHS: &[(&str, Of, When)] = &[
    ("now.text", All, Always),
    ("now.unix", All, Always),
    ("now.weekday", All, Always),
    ("now.minute_of_day", All, Always),
    ("environment.name", All, Always),
    ("principal.id", All, Always),
    ("principal.kind", All, Always),
    ("principal.roles", All, Always),
    ("principal.groups", All, Always),
    ("principal.attributes", All, Always),
    ("principal.attributes", All, Open),
    ("principal.on_behalf_of", All, Sometimes),
    ("client.name", All, Always),
    ("client.version", All, Always),
    ("trail", All, Open),
    ("tools", Visible, Always),
    ("method", Others, Always),
    ("revision", Others, Always),
    ("subject.kind", Others, Always),
    ("subject.name", Others, Sometimes),
    ("subject.uri", Others, Sometimes),
    ("subject.id", Others, Sometimes),
    ("tool.name", Others, Sometimes),
    ("tool.effect", Others, Sometimes),
    ("tool.pinned", Others, Sometimes),
    ("tool.definition", Others, Sometimes),
    ("arguments", Others, Open),
    ("search.object", Others, Sometimes),
    ("search.filters", Others, Sometimes),
    ("search.text", Others, Sometimes),
    ("search.limit", Others, Sometimes),
    ("search.cursor", Others, Sometimes),
    ("target", Others, Open),
    ("reason", Others, Sometimes),
    ("params", Others, Open),
    ("continuation", Others, Open),
    ("answer.kind", Disclose, Always),
    ("answer.bytes", Disclose, Always),
    ("answer.is_error", Disclose, Always),
    ("answer.method", Disclose, Sometimes),
    ("answer.understood", Disclose, Always),
    ("answer.records", Disclose, Open),
    ("answer.counts", Disclose, Open),
    ("answer.content", Disclose, Open),
    ("answer.structured", Disclose, Open),
    ("approver.id", Approve, Always),
    ("approver.groups", Approve, Always),
    ("hold.id", Approve, Always),
    ("hold.tool", Approve, Always),
    ("hold.principal", Approve, Always),
    ("hold.opened_at.text", Approve, Always),
    ("hold.opened_at.unix", Approve, Always),
    ("hold.expires_at.text", Approve, Always),
    ("hold.expires_at.unix", Approve, Always),
    ("hold.release.groups", Approve, Always),
    ("hold.release.people", Approve, Always),
    ("hold.release.expires_seconds", Approve, Always),
    ("hold.approvals", Approve, Always),
];

/// The words that a path can have; comparing it with another is never true.
const WORDS: &[(&str, &[&str])] = &[
    ("tool.effect", &["read", "write"]),
    ("principal.kind", &["agent", "pass_through", "anonymous", "portcullis"]),
    ("subject.kind", &["tool", "prompt", "resource", "task", "answer", "method"]),
    (
        "answer.kind",
        &[
            "result",
            "tool_error",
            "error",
            "list",
            "notification",
            "server_request",
            "input_required",
            "text",
        ],
    ),
    ("search.object", &["conversations", "contacts", "companies", "articles"]),
];

/// Whether a path belongs to a question; without a question, to any.
fn belongs(of: Of, question: Option<Question>) -> bool {
    question.is_none_or(|question| match of {
        All => true,
        Visible => question == Question::Visible,
        Others => question != Question::Visible,
        Disclose => question == Question::Disclose,
        Approve => question == Question::Approve,
    })
}

/// The paths that every document of the question has; without a question, of all questions.
pub(super) fn always(question: Option<Question>) -> impl Iterator<Item = &'static str> {
    PATHS
        .iter()
        .filter(move |(_, of, when)| {
            *when == Always && (*of == All || (question.is_some() && belongs(*of, question)))
        })
        .map(|(path, _, _)| *path)
}

/// Whether a document of the question can have a path below `input`.
pub(super) fn is_known(question: Option<Question>, path: &str) -> bool {
    let is_within = |whole: &str, part: &str| {
        whole.strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    path.is_empty()
        || PATHS.iter().any(|(known, of, when)| {
            belongs(*of, question)
                && (is_within(known, path) || (*when == Open && is_within(path, known)))
        })
}

/// The known path that is most like a wrong one.
pub(super) fn like(question: Option<Question>, path: &str) -> Option<&'static str> {
    let known = PATHS.iter().filter(|(_, of, _)| belongs(*of, question)).map(|(path, _, _)| *path);
    let near = known.map(|known| (strsim::damerau_levenshtein(known, path), known));
    near.filter(|(steps, _)| *steps <= 3).min().map(|(_, known)| known)
}

/// The words that a path can have, if they are a closed set.
pub(super) fn words(path: &str) -> Option<&'static [&'static str]> {
    WORDS.iter().find(|(known, _)| *known == path).map(|(_, words)| *words)
}

#[cfg(test)]
mod tests {
    use regorus::Value;

    use super::*;
    use crate::policy::AnswerKind;

    /// The paths of a document down to what is no object.
    fn paths(value: &Value, before: &str, found: &mut Vec<String>) {
        let Ok(object) = value.as_object() else { return found.push(before.to_owned()) };
        for (key, value) in object.iter() {
            let key = key.as_string().unwrap();
            let path = if before.is_empty() { key.to_string() } else { format!("{before}.{key}") };
            paths(value, &path, found);
        }
        if object.is_empty() {
            found.push(before.to_owned());
        }
    }

    #[test]
    fn every_member_of_the_trial_is_listed_and_what_is_always_there_is() {
        for (question, document) in crate::policy::trial::whole_documents() {
            let mut found = Vec::new();
            paths(&document, "", &mut found);
            for path in &found {
                assert!(is_known(Some(question), path), "{question:?}: {path} is not listed");
            }
            for path in always(Some(question)) {
                let there = |one: &String| *one == path || one.starts_with(&format!("{path}."));
                assert!(found.iter().any(there), "{question:?}: {path} is not there: {found:?}");
            }
        }
    }

    #[test]
    fn the_table_of_the_input_names_every_first_member() {
        let table: String =
            include_str!("input.rs").lines().take_while(|it| it.starts_with("//!")).collect();
        for (path, _, _) in PATHS {
            let first = path.split('.').next().unwrap();
            // Built by another part of the road.
            if first != "trail" {
                assert!(table.contains(&format!("`{first}")), "{first}");
            }
        }
        assert_eq!(words("answer.kind").unwrap(), AnswerKind::ALL.map(AnswerKind::as_str));
    }

    #[test]
    fn wrong_paths_are_unknown() {
        for (path, known, near) in [
            ("tool.name", true, ""),
            ("tool", true, ""),
            ("arguments.any.thing", true, ""),
            ("principal.attributes.team", true, ""),
            ("principal.role", false, "principal.roles"),
            ("tool.nam", false, "tool.name"),
            ("tool.name.x", false, "tool.name"),
            ("tols", false, ""),
            ("answer.kind", false, ""),
        ] {
            assert_eq!(is_known(Some(Question::Admit), path), known, "{path}");
            if !known {
                assert_eq!(like(Some(Question::Admit), path).unwrap_or_default(), near, "{path}");
            }
        }
        assert!(is_known(None, "answer.kind") && !is_known(Some(Question::Admit), "tools"));
    }
}
