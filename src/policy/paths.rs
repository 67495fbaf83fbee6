//! Every path that an input document can have, with its type: the one list behind the JSON Schemas
//! of `portcullis policy schema` and behind the lint's knowledge of what is always there.
//!
//! A test compares it with the documents that [`super::input`] makes and with the table above them.

use super::AnswerKind;
use crate::domain::{Question, Totals};

/// What stands at a path.
pub(super) enum Kind {
    Text,
    Number,
    Truth,
    /// A list of texts.
    Texts,
    /// A text out of these.
    Word(&'static [&'static str]),
    /// A kind of answer.
    Answer,
    /// An object of texts.
    Named,
    /// What was counted in a span of time.
    Counted,
    /// Any object.
    Object,
    /// Any list.
    List,
    /// Anything.
    Any,
}

use Kind::{Answer, Any, Counted, List, Named, Number, Object, Text, Texts, Truth, Word};

/// In which documents a path is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum In {
    /// Always, in those of the questions.
    Always(&'static [Question]),
    /// Where it applies, in those of the questions.
    Sometimes(&'static [Question]),
    /// Always, where what it belongs to is there.
    With(&'static [Question]),
}

const ALL: &[Question] = &Question::ALL;
const VISIBLE: &[Question] = &[Question::Visible];
const CALLS: &[Question] = &[Question::Admit, Question::Disclose, Question::Approve];
const DISCLOSE: &[Question] = &[Question::Disclose];
const JUDGED: &[Question] = &[Question::Admit, Question::Disclose];
const ADMIT: &[Question] = &[Question::Admit];
const APPROVE: &[Question] = &[Question::Approve];

const DAYS: &[&str] =
    &["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const EFFECTS: &[&str] = &["read", "write"];
const OPERATORS: &[&str] = &["eq", "neq", "gt", "gte", "lt", "lte", "in", "nin", "contains"];
const PROVEN: &[&str] = &["agent", "pass_through", "anonymous", "portcullis"];
const SUBJECTS: &[&str] = &["tool", "prompt", "resource", "task", "answer", "method"];
const SEARCHED: &[&str] = &["conversations", "contacts", "companies", "articles"];
const VERDICTS: &[&str] = &["allow", "hold", "deny"];
const RECORDS: &[&str] =
    &["conversation", "contact", "company", "article", "note", "part", "admin", "other"];
const PARTIES: &[&str] = &["unknown", "customer", "teammate", "bot"];
const TARGETS: &[&str] = &["article", "conversation"];
const ACTIONS: &[&str] =
    &["approve", "edit", "reject", "ask", "assign", "extend", "revoke", "note", "grant", "reveal"];

/// Path, documents, type. `[]` stands for each member of a list.
pub(super) const PATHS: &[(&str, In, Kind)] = &[
    ("now.text", In::Always(ALL), Text),
    ("now.unix", In::Always(ALL), Number),
    ("now.weekday", In::Always(ALL), Word(DAYS)),
    ("now.minute_of_day", In::Always(ALL), Number),
    ("environment.name", In::Always(ALL), Text),
    ("principal.id", In::Always(ALL), Text),
    ("principal.kind", In::Always(ALL), Word(PROVEN)),
    ("principal.roles", In::Always(ALL), Texts),
    ("principal.groups", In::Always(ALL), Texts),
    ("principal.attributes", In::Always(ALL), Named),
    ("principal.on_behalf_of", In::Sometimes(ALL), Text),
    ("client.name", In::Always(ALL), Text),
    ("client.version", In::Always(ALL), Text),
    ("client.address", In::Sometimes(ALL), Text),
    ("trail.minute", In::Always(ALL), Counted),
    ("trail.hour", In::Always(ALL), Counted),
    ("trail.day", In::Always(ALL), Counted),
    ("trail.labels", In::Always(ALL), Texts),
    ("trail.recent[].tool", In::Always(ALL), Text),
    ("trail.recent[].verdict", In::Always(ALL), Word(VERDICTS)),
    ("trail.recent[].seconds_ago", In::Always(ALL), Number),
    ("tools[].name", In::Always(VISIBLE), Text),
    ("tools[].effect", In::Always(VISIBLE), Word(EFFECTS)),
    ("tools[].pinned", In::Always(VISIBLE), Truth),
    ("tools[].labels", In::Always(VISIBLE), Texts),
    ("method", In::Always(CALLS), Text),
    ("revision", In::Always(CALLS), Text),
    ("subject.kind", In::Always(CALLS), Word(SUBJECTS)),
    ("subject.name", In::Sometimes(CALLS), Text),
    ("subject.uri", In::Sometimes(CALLS), Text),
    ("subject.id", In::Sometimes(CALLS), Text),
    ("tool.name", In::With(CALLS), Text),
    ("tool.effect", In::With(CALLS), Word(EFFECTS)),
    ("tool.pinned", In::With(CALLS), Truth),
    ("tool.definition", In::Sometimes(CALLS), Text),
    ("arguments", In::Sometimes(CALLS), Object),
    ("search.object", In::With(CALLS), Word(SEARCHED)),
    ("search.filters[].field", In::With(CALLS), Text),
    ("search.filters[].operator", In::With(CALLS), Word(OPERATORS)),
    ("search.filters[].values", In::With(CALLS), Texts),
    ("search.text", In::Sometimes(CALLS), Text),
    ("search.limit", In::Sometimes(CALLS), Number),
    ("search.cursor", In::Sometimes(CALLS), Text),
    ("target.type", In::With(CALLS), Word(TARGETS)),
    ("target.id", In::With(CALLS), Text),
    ("target.partial", In::With(CALLS), Truth),
    ("target.state", In::Sometimes(CALLS), Text),
    ("target.tags", In::Sometimes(CALLS), Texts),
    ("target.team", In::Sometimes(CALLS), Text),
    ("target.admin", In::Sometimes(CALLS), Text),
    ("target.segments", In::Sometimes(CALLS), Texts),
    ("target.contacts", In::Sometimes(CALLS), Texts),
    ("target.companies", In::Sometimes(CALLS), Texts),
    ("target.author.type", In::Sometimes(CALLS), Text),
    ("target.author.id", In::Sometimes(CALLS), Text),
    ("pseudonyms[].token", In::Always(CALLS), Text),
    ("pseudonyms[].kind", In::Always(CALLS), Text),
    ("pseudonyms[].part", In::Sometimes(CALLS), Text),
    ("pseudonyms[].argument", In::Always(CALLS), Text),
    ("pseudonyms[].path", In::Always(CALLS), Text),
    ("pseudonyms[].known", In::Always(CALLS), Truth),
    ("pseudonyms[].elsewhere", In::Always(CALLS), Truth),
    ("pseudonyms[].subjects", In::Always(CALLS), Texts),
    ("pseudonyms[].seen", In::Always(CALLS), Texts),
    ("reason", In::Sometimes(CALLS), Text),
    ("params", In::Sometimes(CALLS), Object),
    ("continuation", In::Sometimes(CALLS), Object),
    ("findings[].kind", In::Always(JUDGED), Text),
    ("findings[].party", In::Always(JUDGED), Word(PARTIES)),
    ("findings[].confidence", In::Always(JUDGED), Number),
    ("findings[].count", In::Always(JUDGED), Number),
    ("findings[].plugin", In::Always(JUDGED), Text),
    ("findings[].paths", In::Always(JUDGED), Texts),
    ("labels", In::Always(JUDGED), Texts),
    ("answer.kind", In::Always(DISCLOSE), Answer),
    ("answer.bytes", In::Always(DISCLOSE), Number),
    ("answer.is_error", In::Always(DISCLOSE), Truth),
    ("answer.method", In::Sometimes(DISCLOSE), Text),
    ("answer.understood", In::Always(DISCLOSE), Truth),
    ("answer.records[].ref", In::Always(DISCLOSE), Text),
    ("answer.records[].type", In::Always(DISCLOSE), Word(RECORDS)),
    ("answer.records[].row", In::Always(DISCLOSE), Truth),
    ("answer.records[].partial", In::Always(DISCLOSE), Truth),
    ("answer.records[].text_bytes", In::Always(DISCLOSE), Number),
    ("answer.records[].id", In::Sometimes(DISCLOSE), Text),
    ("answer.records[].parent", In::Sometimes(DISCLOSE), Text),
    ("answer.records[].team", In::Sometimes(DISCLOSE), Text),
    ("answer.records[].admin", In::Sometimes(DISCLOSE), Text),
    ("answer.records[].state", In::Sometimes(DISCLOSE), Text),
    ("answer.records[].part_type", In::Sometimes(DISCLOSE), Text),
    ("answer.records[].tags", In::Sometimes(DISCLOSE), Texts),
    ("answer.records[].segments", In::Sometimes(DISCLOSE), Texts),
    ("answer.records[].companies", In::Sometimes(DISCLOSE), Texts),
    ("answer.records[].contacts", In::Sometimes(DISCLOSE), Texts),
    ("answer.records[].author.type", In::Sometimes(DISCLOSE), Text),
    ("answer.records[].author.id", In::Sometimes(DISCLOSE), Text),
    ("answer.counts.contacts", In::Always(DISCLOSE), Number),
    ("answer.counts.companies", In::Always(DISCLOSE), Number),
    ("answer.counts.conversations", In::Always(DISCLOSE), Number),
    ("answer.counts.articles", In::Always(DISCLOSE), Number),
    ("answer.counts.notes", In::Always(DISCLOSE), Number),
    ("answer.counts.parts", In::Always(DISCLOSE), Number),
    ("answer.counts.rows", In::Always(DISCLOSE), Number),
    ("answer.content", In::Sometimes(DISCLOSE), List),
    ("answer.structured", In::Sometimes(DISCLOSE), Any),
    ("grants[].id", In::Always(ADMIT), Text),
    ("grants[].tool", In::Always(ADMIT), Text),
    ("grants[].by", In::Always(ADMIT), Text),
    ("grants[].calls_left", In::Always(ADMIT), Number),
    ("action", In::Always(APPROVE), Word(ACTIONS)),
    ("approver.id", In::Always(APPROVE), Text),
    ("approver.groups", In::Always(APPROVE), Texts),
    ("hold.id", In::Always(APPROVE), Text),
    ("hold.tool", In::Always(APPROVE), Text),
    ("hold.principal", In::Always(APPROVE), Text),
    ("hold.opened_at.text", In::Always(APPROVE), Text),
    ("hold.opened_at.unix", In::Always(APPROVE), Number),
    ("hold.expires_at.text", In::Always(APPROVE), Text),
    ("hold.expires_at.unix", In::Always(APPROVE), Number),
    ("hold.release.groups", In::Always(APPROVE), Texts),
    ("hold.release.people", In::Always(APPROVE), Number),
    ("hold.release.expires_seconds", In::Always(APPROVE), Number),
    ("hold.approvals", In::Always(APPROVE), Texts),
];

/// The paths that every document of the question has, without those inside of lists; without a
/// question, those that every document has.
pub(super) fn always(question: Option<Question>) -> Vec<String> {
    let everywhere = |questions: &[Question]| match question {
        Some(question) => questions.contains(&question),
        None => questions.len() == ALL.len(),
    };
    let mut paths = vec![String::new()];
    for (path, place, kind) in PATHS {
        let In::Always(questions) = place else { continue };
        if !everywhere(questions) {
            continue;
        }
        match (kind, path.split_once("[]")) {
            (Counted, _) => paths.extend(counted().map(|name| format!("{path}.{name}"))),
            (_, Some((list, _))) => paths.push(list.to_owned()),
            (_, None) => paths.push((*path).to_owned()),
        }
    }
    paths
}

/// The names of what is counted.
pub(super) fn counted() -> impl Iterator<Item = &'static str> {
    Totals::default().named().into_iter().map(|(name, _)| name)
}

/// Whether a document of the question can have a path below `input`.
pub(super) fn is_known(question: Option<Question>, path: &str) -> bool {
    let within = |whole: &str, part: &str| {
        whole.strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    path.is_empty()
        || listed(question).any(|(known, kind)| {
            let open = matches!(kind, Named | Object | List | Any);
            within(&known, path) || (open && within(path, &known))
        })
}

/// The known path that is most like a wrong one.
pub(super) fn like(question: Option<Question>, path: &str) -> Option<String> {
    let near =
        listed(question).map(|(known, _)| (strsim::damerau_levenshtein(&known, path), known));
    near.filter(|(steps, _)| *steps <= 3).min().map(|(_, known)| known)
}

/// The words that a path can have, if they are a closed set.
pub(super) fn words(path: &str) -> Option<Vec<&'static str>> {
    let (_, _, kind) = PATHS.iter().find(|(known, _, _)| *known == path)?;
    match kind {
        Word(words) => Some(words.to_vec()),
        Answer => Some(AnswerKind::ALL.map(AnswerKind::as_str).into()),
        _ => None,
    }
}

/// The paths of a question as a rule refers to them, up to the first list; without a question, of
/// any.
fn listed(question: Option<Question>) -> impl Iterator<Item = (String, &'static Kind)> {
    PATHS.iter().flat_map(move |(path, place, kind)| {
        let (In::Always(questions) | In::Sometimes(questions) | In::With(questions)) = place;
        let belongs = question.is_none_or(|question| questions.contains(&question));
        let paths: Vec<(String, &'static Kind)> = match (kind, path.split_once("[]")) {
            _ if !belongs => Vec::new(),
            (Counted, _) => counted().map(|name| (format!("{path}.{name}"), &Number)).collect(),
            // What is in a list is referred to by an index or a variable.
            (_, Some((list, _))) => vec![(list.to_owned(), &List)],
            (_, None) => vec![((*path).to_owned(), kind)],
        };
        paths
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn wrong_paths_are_unknown() {
        for (path, known, near) in [
            ("tool.name", true, ""),
            ("tool", true, ""),
            ("arguments.any.thing", true, ""),
            ("principal.attributes.team", true, ""),
            ("trail.hour.contacts", true, ""),
            ("target.state", true, ""),
            ("principal.role", false, "principal.roles"),
            ("trail.day.contact", false, "trail.day.contacts"),
            ("tool.nam", false, "tool.name"),
            ("tool.name.x", false, "tool.name"),
            ("tols", false, ""),
            ("answer.kind", false, ""),
        ] {
            assert_eq!(is_known(Some(Question::Admit), path), known, "{path}");
            if !known {
                let like = like(Some(Question::Admit), path).unwrap_or_default();
                assert_eq!(like, near, "{path}");
            }
        }
        assert!(is_known(None, "answer.kind") && !is_known(Some(Question::Admit), "tools"));
        assert!(is_known(Some(Question::Disclose), "answer.records"));
    }

    /// The table of `input.rs` names every member, and no other.
    #[test]
    fn the_table_is_the_list() {
        let table = include_str!("input.rs");
        let rows = table.lines().filter_map(|line| line.strip_prefix("//! | `"));
        let mut named = BTreeSet::new();
        for row in rows {
            for name in row.split(" | ").next().unwrap().split('`') {
                if !name.trim_matches([',', ' ']).is_empty() {
                    named.insert(name.split('.').next().unwrap());
                }
            }
        }
        let listed: BTreeSet<&str> =
            PATHS.iter().map(|(path, _, _)| path.split(['.', '[']).next().unwrap()).collect();
        assert_eq!(named, listed);
    }
}
