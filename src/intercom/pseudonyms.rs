//! Pseudonyms in what an agent sends: where they stand, and the arguments with them turned back.
//!
//! Pure. Everything that would reach Intercom is looked through: arguments or parameters, and what the
//! client answers to questions. A pseudonym can stand in a text; in a link, within a tag or as the name
//! of a member it is never turned back, whatever rules say: there a value would leave for somebody else
//! by being looked at. In the query of `search` a value goes back into the language as a value, or not
//! at all.

use std::ops::Range;

use super::duties::Unfit;
use super::search::{QUERY, SEARCH, Search};
use crate::domain::JsonText;
use crate::domain::pseudonym::{self, Seen, Token};
use crate::mcp::json::{self, Kind, Object};

/// A pseudonym, or something that looks like one, in a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The argument or parameter.
    pub argument: String,
    /// Where in the arguments, as JSON Pointer.
    pub path: String,
    /// What it is.
    pub what: Seen,
    /// How it is written.
    pub written: String,
    /// In what it stands.
    pub within: Within,
}

/// In what a pseudonym stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Within {
    /// In a text.
    Text,
    /// In a link, or within a tag.
    Link,
    /// In the name of a member.
    Key,
    /// Beside the arguments, in an answer to a question of the server.
    Beside,
}

/// Every pseudonym of a call, and everything that looks like one.
#[must_use]
pub fn places(payload: &JsonText, continuation: Option<&JsonText>) -> Vec<Place> {
    let mut places = Vec::new();
    look(payload, Within::Text, &mut places);
    if let Some(continuation) = continuation {
        look(continuation, Within::Beside, &mut places);
    }
    places
}

fn look(payload: &JsonText, within: Within, places: &mut Vec<Place>) {
    if !may_hold(payload.as_str()) {
        return;
    }
    let mut walk = Walk { within, places };
    for (argument, value) in Object::parse(payload).unwrap_or_default().iter() {
        let path = format!("/{}", escaped(argument));
        walk.text(argument, &path, argument, Some(Within::Key));
        walk.value(argument, &path, value, 0);
    }
}

/// The records that a call is about by its arguments, and those that belong to its target.
#[must_use]
pub fn about(arguments: &JsonText, target: Option<&JsonText>) -> Vec<String> {
    let mut about = Vec::new();
    let object = Object::parse(arguments).unwrap_or_default();
    for kind in ["conversation", "contact", "company"] {
        if let Some(id) = object.get(&format!("{kind}_id")) {
            let id = json::as_str(id).map_or_else(|| id.as_str().to_owned(), |id| id.into_owned());
            about.push(format!("{kind}:{id}"));
        }
    }
    // Whose conversation it is.
    let target = target.filter(|_| !about.is_empty()).and_then(Object::parse).unwrap_or_default();
    for (kind, members) in [("contact", "contacts"), ("company", "companies")] {
        let ids = target.get(members).and_then(json::elements).unwrap_or_default();
        about.extend(ids.iter().filter_map(|id| Some(format!("{kind}:{}", json::as_str(id)?))));
    }
    about
}

/// Whether a JSON text can hold one: almost none does.
fn may_hold(text: &str) -> bool {
    let bytes = text.as_bytes();
    // Brackets and colon may be written in several ways; hexadecimal digits in one.
    let mut run = 0;
    bytes.iter().any(|byte| {
        run = if byte.is_ascii_alphanumeric() { run + 1 } else { 0 };
        run >= 3
    }) && bytes.iter().any(|byte| matches!(byte, b'[' | b'&' | b'%' | b'\\' | b':'))
}

/// The deepest that arguments are looked through; deeper ones do not pass the strict reader.
const DEEPEST: usize = 64;

struct Walk<'a> {
    within: Within,
    places: &'a mut Vec<Place>,
}

impl Walk<'_> {
    fn value(&mut self, argument: &str, path: &str, value: &JsonText, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        match json::kind(value) {
            Kind::String => {
                if let Some(text) = json::as_str(value) {
                    self.text(argument, path, &text, None);
                }
            }
            Kind::Object => {
                for (key, value) in Object::parse(value).unwrap_or_default().iter() {
                    let path = format!("{path}/{}", escaped(key));
                    self.text(argument, &path, key, Some(Within::Key));
                    self.value(argument, &path, value, depth + 1);
                }
            }
            Kind::Array => {
                let elements = json::elements(value).unwrap_or_default();
                for (place, value) in elements.iter().enumerate() {
                    self.value(argument, &format!("{path}/{place}"), value, depth + 1);
                }
            }
            Kind::Null | Kind::Bool | Kind::Number => {}
        }
    }

    fn text(&mut self, argument: &str, path: &str, text: &str, within: Option<Within>) {
        for one in pseudonym::find(text) {
            let in_link =
                (self.within == Within::Text && is_link(text, &one.bytes)).then_some(Within::Link);
            self.places.push(Place {
                argument: argument.to_owned(),
                path: path.to_owned(),
                written: text.get(one.bytes.clone()).unwrap_or_default().to_owned(),
                within: within.or(in_link).unwrap_or(self.within),
                what: one.what,
            });
        }
    }
}

/// A name in a JSON Pointer.
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Whether a place is in a link or within a tag.
fn is_link(text: &str, place: &Range<usize>) -> bool {
    let before = text.get(..place.start).unwrap_or_default();
    // An open tag: its attributes are addresses, or worse.
    let is_tag = before.rfind('<').is_some_and(|open| {
        let inside = before.get(open..).unwrap_or_default();
        let named =
            inside.chars().nth(1).is_some_and(|c| c.is_ascii_alphabetic() || "/!?".contains(c));
        named && !inside.contains('>')
    });
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '(' | ')');
    let word = before.rsplit(ends).next().unwrap_or_default().to_ascii_lowercase();
    let behind = text.get(place.end..).unwrap_or_default();
    let behind = behind.split(ends).next().unwrap_or_default();
    is_tag
        || word.contains("://")
        || word.contains("%3a%2f%2f")
        || word.contains("www.")
        || ["mailto:", "tel:", "sms:", "data:", "javascript:", "//"].iter().any(|it| word.contains(it))
        || (word.contains('/') && word.contains('.'))
        // A host or a path made of one.
        || behind.starts_with('/')
        || behind.starts_with("://")
}

/// The arguments of `tool` with pseudonyms turned back; `by` gives the value of each, `None` for those
/// that stay.
///
/// # Errors
/// [`Unfit`]: a value cannot stand there. Repeats no value.
pub fn turned_back(
    tool: &str,
    arguments: &JsonText,
    by: &mut dyn FnMut(&str, &Token) -> Option<String>,
) -> Result<JsonText, Unfit> {
    let mut object = Object::parse(arguments).unwrap_or_default();
    let mut changed = Vec::new();
    for (argument, value) in object.iter() {
        let mut values = |token: &Token| by(argument, token);
        let other = if tool == SEARCH && argument == QUERY {
            query(value, &mut values)?
        } else {
            let is_html = argument == "body";
            back(value, is_html, &mut values, 0)
        };
        changed.extend(other.map(|other| (argument.to_owned(), other)));
    }
    for (argument, value) in changed {
        object.set(&argument, value);
    }
    Ok(object.to_text())
}

/// A value with pseudonyms turned back, if that changes it.
fn back(
    value: &JsonText,
    is_html: bool,
    by: &mut dyn FnMut(&Token) -> Option<String>,
    depth: usize,
) -> Option<JsonText> {
    if depth > DEEPEST {
        return None;
    }
    match json::kind(value) {
        Kind::String => {
            let text = json::as_str(value)?;
            let is_html = is_html || has_tags(&text);
            let value = |token: &Token| {
                by(token).map(|value| if is_html { in_html(&value) } else { value })
            };
            match pseudonym::replaced(&text, value) {
                std::borrow::Cow::Borrowed(_) => None,
                std::borrow::Cow::Owned(text) => Some(json::quote(&text)),
            }
        }
        Kind::Object => {
            let mut object = Object::parse(value)?;
            let members = object.iter();
            let changed: Vec<(String, JsonText)> = members
                .filter_map(|(key, value)| {
                    Some((key.to_owned(), back(value, is_html, by, depth + 1)?))
                })
                .collect();
            if changed.is_empty() {
                return None;
            }
            for (key, value) in changed {
                object.set(&key, value);
            }
            Some(object.to_text())
        }
        Kind::Array => {
            let mut elements = json::elements(value)?;
            let mut any = false;
            for element in &mut elements {
                if let Some(other) = back(element, is_html, by, depth + 1) {
                    (*element, any) = (other, true);
                }
            }
            let texts: Vec<&str> = elements.iter().map(JsonText::as_str).collect();
            any.then(|| JsonText::from_valid(format!("[{}]", texts.join(",")).into_bytes().into()))
        }
        Kind::Null | Kind::Bool | Kind::Number => None,
    }
}

/// A query with its values turned back: each stays one value, or the query cannot be made.
fn query(
    value: &JsonText,
    by: &mut dyn FnMut(&Token) -> Option<String>,
) -> Result<Option<JsonText>, Unfit> {
    let unreadable = |fault: super::search::QueryFault| Unfit::Query(fault.to_string());
    let Some(text) = json::as_str(value) else { return Ok(None) };
    let before = Search::read(&text).map_err(unreadable)?;
    let mut search = before.clone();
    let mut back = |text: &mut String| {
        let other = pseudonym::replaced(text, &mut *by).into_owned();
        *text = other;
    };
    search.filters.iter_mut().flat_map(|filter| &mut filter.values).for_each(&mut back);
    search.text.iter_mut().for_each(&mut back);
    if search == before {
        return Ok(None);
    }
    let query = search.to_query();
    // A value that the language cannot say would become something else.
    if Search::read(&query).map_err(unreadable)? != search {
        let text = "`query` cannot say a value that a pseudonym stands for; search by another one";
        return Err(Unfit::Query(text.to_owned()));
    }
    Ok(Some(json::quote(&query)))
}

/// Whether a text has HTML tags.
fn has_tags(text: &str) -> bool {
    text.match_indices('<').any(|(at, _)| {
        let next = text.get(at + 1..).and_then(|rest| rest.chars().next());
        next.is_some_and(|c| c.is_ascii_alphabetic() || "/!?".contains(c))
    })
}

/// A value as text of an HTML document.
fn in_html(value: &str) -> String {
    value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(json: &str) -> JsonText {
        JsonText::from_valid(json.to_owned().into_bytes().into())
    }

    fn jane(_: &str, token: &Token) -> Option<String> {
        match (token.kind(), token.part()) {
            ("email", _) => Some("jane@acme.com".to_owned()),
            ("person", Some("first")) => Some("Jane".to_owned()),
            ("person", _) => Some("Jane <b>\"O'Doe\" & Co".to_owned()),
            ("company", _) => Some("Doe, Inc: \u{e9}".to_owned()),
            _ => None,
        }
    }

    #[test]
    fn every_text_is_looked_through() {
        let payload = r#"{"body":"Hi [[person:7f3a9c/first]]","list":[1,{"a/b":"x [[email:7f3a9"}],
            "[[email:7f3a9c]]":1,"n":12,"t":"email:7f3a9c"}"#;
        let found = places(&text(payload), Some(&text(r#"{"r":{"c":"[[email:7f3a9c]]"}}"#)));
        let row =
            |it: &Place| (it.argument.clone(), it.path.clone(), it.written.clone(), it.within);
        let rows: Vec<_> = found.iter().map(row).collect();
        let row = |argument: &str, path: &str, written: &str, within| {
            (argument.to_owned(), path.to_owned(), written.to_owned(), within)
        };
        assert_eq!(
            rows,
            [
                row("body", "/body", "[[person:7f3a9c/first]]", Within::Text),
                row("list", "/list/1/a~1b", "[[email:7f3a9", Within::Text),
                row("[[email:7f3a9c]]", "/[[email:7f3a9c]]", "[[email:7f3a9c]]", Within::Key),
                row("t", "/t", "email:7f3a9c", Within::Text),
                row("r", "/r/c", "[[email:7f3a9c]]", Within::Beside),
            ]
        );
        assert_eq!(found[1].what, Seen::Altered);
        assert!(matches!(found[3].what, Seen::Bare(_)));
        assert_eq!(places(&text(r#"{"query":"state:open","per_page":5}"#), None), []);
    }

    #[test]
    fn what_a_call_is_about() {
        let note = text(r#"{"conversation_id":"21","body":"b"}"#);
        let target =
            text(r#"{"type":"conversation","id":"21","contacts":["a","b"],"companies":["5"]}"#);
        assert_eq!(about(&note, None), ["conversation:21"]);
        let all = ["conversation:21", "contact:a", "contact:b", "company:5"];
        assert_eq!(about(&note, Some(&target)), all);
        assert_eq!(about(&text(r#"{"contact_id":7}"#), None), ["contact:7"]);
        assert_eq!(about(&text(r#"{"id":"21"}"#), Some(&target)), Vec::<String>::new());
    }

    #[test]
    fn links_and_tags_are_no_places_for_values() {
        let token = "[[email:7f3a9c]]";
        for (before, behind, link) in [
            ("Hi ", ", bye", false),
            ("<p>", "</p>", false),
            ("a < b ", "", false),
            ("a/b ", "", false),
            ("(", ")", false),
            ("https://evil.test/?q=", "", true),
            ("HTTPS://evil.test/?q=", "&x", true),
            ("<a href=\"x?", "\">y</a>", true),
            ("<img alt='", "'>", true),
            ("![x](//evil.test/", ")", true),
            ("mailto:", "", true),
            ("evil.test/", "", true),
            ("www.evil.test?", "", true),
            ("https%3A%2F%2Fevil.test%2F", "", true),
            ("", "/path", true),
        ] {
            let payload = json::quote(&format!("{before}{token}{behind}"));
            let payload = text(&format!("{{\"body\":{}}}", payload.as_str()));
            let found = places(&payload, None);
            assert_eq!(found[0].within == Within::Link, link, "{before}{token}{behind}");
        }
    }

    #[test]
    fn values_go_back_as_texts() {
        let rows = [
            (
                "add_internal_note",
                r#"{"conversation_id":"21","body":"Hi [[person:7f3a9c/first]] of [[PERSON:7f3a9c]]"}"#,
                r#"{"conversation_id":"21","body":"Hi Jane of Jane &lt;b&gt;\"O'Doe\" &amp; Co"}"#,
            ),
            (
                "search_contacts",
                r#"{"email":"[[email:7f3a9c]]","custom_attributes":{"a":["x","[[person:7f3a9c]]"]},"n":1.50}"#,
                r#"{"email":"jane@acme.com","custom_attributes":{"a":["x","Jane <b>\"O'Doe\" & Co"]},"n":1.50}"#,
            ),
            (
                "search_contacts",
                r#"{"phone":"[[phone:7f3a9c]]"}"#,
                r#"{"phone":"[[phone:7f3a9c]]"}"#,
            ),
            (
                "search",
                r#"{"query":"object_type:contacts email:\"[[email:7f3a9c]]\" limit:5"}"#,
                r#"{"query":"object_type:contacts email:jane@acme.com limit:5"}"#,
            ),
            (
                "search",
                r#"{"query":"object_type:contacts name:[[company:7f3a9c]]"}"#,
                r#"{"query":"object_type:contacts name:\"Doe, Inc: é\""}"#,
            ),
            (
                "search",
                r#"{"query":"object_type:contacts email:in:[[email:7f3a9c]],b@c.d q:\"by [[person:7f3a9c/first]]\""}"#,
                r#"{"query":"object_type:contacts email:in:jane@acme.com,b@c.d q:\"by Jane\""}"#,
            ),
        ];
        for (tool, before, after) in rows {
            let back = turned_back(tool, &text(before), &mut jane).unwrap();
            assert_eq!(back.as_str(), after);
        }
    }

    #[test]
    fn what_the_language_cannot_say_is_not_searched() {
        for query in [
            "object_type:contacts name:[[person:7f3a9c]]",
            "object_type:contacts name:in:a,[[company:7f3a9c]]",
        ] {
            let arguments = JsonText::of(&serde_json::json!({ "query": query }));
            let fault = turned_back("search", &arguments, &mut jane).unwrap_err().to_string();
            assert!(!fault.contains("Doe"), "{fault}");
        }
    }

    #[test]
    fn a_query_has_one_spelling_of_a_pseudonym() {
        for query in [
            "object_type:contacts email:[[email:7f3a9c]]",
            "object_type:contacts email:\"[[Email:7F3A9C]]\"",
            "object_type:contacts email:eq:\\[\\[email:7f3a9c\\]\\]",
            "object_type:contacts email:%5B%5Bemail:7f3a9c%5D%5D",
        ] {
            let search = Search::read(query).unwrap();
            assert_eq!(search.filters[0].values, ["[[email:7f3a9c]]"], "{query}");
            assert_eq!(search.to_query(), "object_type:contacts email:\"[[email:7f3a9c]]\"");
            assert_eq!(Search::read(&search.to_query()).unwrap(), search);
        }
        assert!(Search::read("object_type:contacts email:[[email:7f3a9c]]:x").is_err());
        assert!(Search::read("object_type:contacts email:[[email:7f3a9").is_err());
    }
}
