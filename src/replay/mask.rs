//! A past question without anybody's personal values, for a fixture that others may read.
//!
//! Letters become other letters and digits other digits, the same text the same way throughout one
//! [`Mask`] and differently in the next, so that nothing can be looked up and what belonged together
//! still does. Shapes stay: an id is an id, an address looks like one. What the protocol, Intercom or
//! our catalogue names (types, states, members) is nobody's value and stays, and so does what an
//! operator configured: the caller's id and roles, the names of its attributes, of plugins and of the
//! installation. Everything else is masked, wherever it stands.
//!
//! Rules may have decided by what is masked. Whoever makes a fixture asks them again.

#[cfg(test)]
mod tests;
mod words;

use std::collections::{BTreeMap, BTreeSet, hash_map::RandomState};
use std::hash::BuildHasher as _;

use serde_json::Value as Json;

use crate::domain::pseudonym::{self, Seen};
use crate::domain::{ClientHint, Grant, JsonText, Operator, Release, TrailView};
use crate::intercom::Search;
use crate::policy::asked::{Answer, Asked, Caller, Hold, Offered, Pseudonym, Releaser, Written};
use crate::policy::{AnswerKind, Found};

/// Numbers of fewer digits say nothing of anybody.
const PLAIN_NUMBER: u64 = 10_000;
/// How deep answers are looked into.
const DEPTH: usize = 64;

/// One way of masking.
#[derive(Default)]
pub struct Mask(RandomState);

/// Words that a tool's arguments may have, beside those of the protocol.
type Words = BTreeSet<String>;

impl Mask {
    /// The question, masked; `None` if it holds something that cannot be taken apart.
    #[must_use]
    pub fn question(&self, asked: &Asked) -> Option<Asked> {
        // By name, so that a new member is thought of here.
        let Asked {
            principal,
            client,
            tool,
            arguments,
            effect,
            pinned,
            definition,
            method,
            params,
            // It is read off the method and the masked parameters.
            subject: _,
            continuation,
            revision,
            reason,
            target,
            grant,
            pseudonyms,
            trail,
            findings,
            labels,
            tools,
            answer,
            approver,
            hold,
            now,
            environment,
        } = asked.clone();
        let none = Words::new();
        let rest = |text: Option<Written>| match text {
            Some(text) => self.text(&text, &none).map(Some),
            None => Some(None),
        };
        let of_tool = tool.as_deref().map(words::enumerated).unwrap_or_default();
        // A definition that is pinned was looked at by an operator.
        let of_call = tool.clone().filter(|_| pinned == Some(true));
        let named = |name: &str| match &of_call {
            Some(tool) if tool == name => name.to_owned(),
            _ => self.tool(name),
        };
        Some(Asked {
            principal: self.principal(principal),
            client: client.map(|client| self.client(&client)),
            arguments: self.text(&arguments, &of_tool)?,
            tool: tool.as_deref().map(named),
            effect,
            pinned,
            definition,
            params: self.params(method.as_deref(), &params)?,
            method: method.map(|name| self.method(&name)),
            subject: None,
            continuation: rest(continuation)?,
            revision,
            reason: self.maybe(reason),
            target: rest(target)?,
            grant: match grant {
                Some(grant) => Some(self.grant(grant, named)?),
                None => None,
            },
            pseudonyms: pseudonyms.into_iter().map(|one| self.mention(one)).collect(),
            trail: self.trail(trail, named),
            findings: findings.into_iter().map(|one| self.found(one)).collect(),
            labels: self.all(labels),
            tools: tools.map(|all| all.into_iter().map(|one| self.offered(one, named)).collect()),
            answer: match answer {
                Some(answer) => Some(self.answer(answer)?),
                None => None,
            },
            approver: approver.map(|approver| self.releaser(approver)),
            hold: self.hold(hold),
            now,
            environment,
        })
    }

    fn principal(&self, caller: Caller) -> Caller {
        let Caller { id, kind, roles, groups, attributes, on_behalf_of } = caller;
        let value = |(name, value): (String, String)| (name, self.word(&value));
        Caller {
            id,
            kind,
            roles,
            groups: self.all(groups),
            attributes: attributes.into_iter().map(value).collect(),
            on_behalf_of: self.maybe(on_behalf_of),
        }
    }

    fn client(&self, client: &ClientHint) -> ClientHint {
        let ClientHint { name, version, address: _ } = client;
        ClientHint { name: self.word(name), version: self.word(version), address: None }
    }

    fn grant(&self, grant: Grant, named: impl Fn(&str) -> String) -> Option<Grant> {
        let Grant { id, mut given, used } = grant;
        given.tool = named(&given.tool);
        given.by = self.word(given.by.as_str()).parse().ok()?;
        let mut only = BTreeMap::new();
        let of_tool = words::enumerated(&given.tool);
        for (name, value) in &given.only {
            let mut value: Json = serde_json::from_str(value).ok()?;
            self.value(name, &mut value, &of_tool, DEPTH)?;
            only.insert(self.name(name), value.to_string());
        }
        given.only = only;
        Some(Grant { id, given, used })
    }

    fn mention(&self, mention: Pseudonym) -> Pseudonym {
        let Pseudonym { token, argument, path, known, subjects, seen, elsewhere } = mention;
        let references = |all: Vec<String>| all.iter().map(|one| self.reference(one)).collect();
        Pseudonym {
            token,
            argument: self.name(&argument),
            path: path.map(|path| self.path(&path)),
            known,
            subjects: references(subjects),
            seen: references(seen),
            elsewhere,
        }
    }

    fn trail(&self, trail: TrailView, named: impl Fn(&str) -> String) -> TrailView {
        let TrailView { minute, hour, day, labels, mut recent } = trail;
        for call in &mut recent {
            call.tool = named(&call.tool);
        }
        let mut labels = self.all(labels);
        // In the order of their names.
        labels.sort();
        TrailView { minute, hour, day, labels, recent }
    }

    fn found(&self, found: Found) -> Found {
        let Found { kind, party, confidence, count, plugin, paths } = found;
        let paths = paths.iter().map(|path| self.path(path)).collect();
        Found { kind, party, confidence, count, plugin, paths }
    }

    fn offered(&self, tool: Offered, named: impl Fn(&str) -> String) -> Offered {
        let Offered { name, effect, pinned, labels } = tool;
        Offered { name: named(&name), effect, pinned, labels: self.all(labels) }
    }

    fn answer(&self, answer: Answer) -> Option<Answer> {
        let Answer { kind, method, bytes, result, params, words, of_no_tool, without_content } =
            answer;
        let is_kind = |word: &str| AnswerKind::ALL.into_iter().any(|kind| kind.as_str() == word);
        let rest = |text: Option<Written>| match text {
            Some(text) => self.text(&text, &Words::new()).map(Some),
            None => Some(None),
        };
        Some(Answer {
            kind: kind.map(|word| if is_kind(&word) { word } else { self.word(&word) }),
            method: method.map(|name| self.method(&name)),
            bytes,
            result: rest(result)?,
            params: rest(params)?,
            words: self.maybe(words),
            of_no_tool,
            without_content,
        })
    }

    fn releaser(&self, releaser: Releaser) -> Releaser {
        let Releaser { id, groups, action } = releaser;
        Releaser { id: self.word(&id), groups: self.all(groups), action }
    }

    fn hold(&self, hold: Hold) -> Hold {
        let Hold { id, opened_at, expires_at, release, approvals } = hold;
        let masked = |mut release: Release| {
            release.groups = self.all(release.groups);
            if let Some(escalate) = &mut release.escalate {
                escalate.groups = self.all(std::mem::take(&mut escalate.groups));
            }
            release
        };
        let (release, approvals) = (release.map(masked), self.all(approvals));
        Hold { id, opened_at, expires_at, release, approvals }
    }

    /// The parameters of a method. The name of a prompt is no value.
    fn params(&self, method: Option<&str>, params: &Written) -> Option<Written> {
        let was: Json = serde_json::from_str(params.text().as_str()).ok()?;
        let mut masked = was.clone();
        self.value("", &mut masked, &Words::new(), DEPTH)?;
        let name = match method {
            Some("prompts/get") => "/name",
            Some("completion/complete") => "/ref/name",
            _ => return Some(JsonText::of(&masked).into()),
        };
        if let (Some(was @ Json::String(_)), Some(place)) =
            (was.pointer(name), masked.pointer_mut(name))
        {
            place.clone_from(was);
        }
        Some(JsonText::of(&masked).into())
    }

    fn text(&self, text: &Written, words: &Words) -> Option<Written> {
        let mut value: Json = serde_json::from_str(text.text().as_str()).ok()?;
        self.value("", &mut value, words, DEPTH)?;
        Some(JsonText::of(&value).into())
    }

    /// Masks a value that has the name `key`.
    fn value(&self, key: &str, value: &mut Json, words: &Words, depth: usize) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        match value {
            Json::String(text) if words.contains(text) || words::is_word(key, text) => {}
            Json::String(text) if key == "query" => *text = self.query(text),
            Json::String(text) => {
                let inner = text.trim_start().starts_with(['{', '[']);
                let inner = inner.then(|| serde_json::from_str::<Json>(text).ok()).flatten();
                *text = match inner {
                    Some(mut inner) => {
                        self.value(key, &mut inner, words, depth)?;
                        inner.to_string()
                    }
                    None => self.word(text),
                };
            }
            Json::Number(number) => {
                if number.as_u64().is_none_or(|it| it >= PLAIN_NUMBER) {
                    *value = self.number(&number.to_string());
                }
            }
            Json::Null | Json::Bool(_) => {}
            Json::Array(items) => {
                for item in items {
                    self.value(key, item, words, depth)?;
                }
            }
            Json::Object(members) => {
                let mut masked = serde_json::Map::new();
                for (name, mut member) in std::mem::take(members) {
                    self.value(&name, &mut member, words, depth)?;
                    // Two names that became one would be another object.
                    if masked.insert(self.name(&name), member).is_some() {
                        return None;
                    }
                }
                *members = masked;
            }
        }
        Some(())
    }

    /// A number of the same sign and form.
    fn number(&self, text: &str) -> Json {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let sign = if digits.len() < text.len() { "-" } else { "" };
        let digit = |(masked, was): (char, char)| if was.is_ascii_digit() { masked } else { was };
        let masked: String = self.letters(digits).zip(digits.chars()).map(digit).collect();
        let fits = |number: &Json| digits.contains('.') || !number.is_f64();
        let number = serde_json::from_str(&format!("{sign}{masked}")).ok();
        number.filter(fits).unwrap_or_else(|| Json::from(PLAIN_NUMBER))
    }

    /// The name of a member.
    fn name(&self, name: &str) -> String {
        if words::is_name(name) { name.to_owned() } else { self.word(name) }
    }

    fn tool(&self, name: &str) -> String {
        if words::is_tool(name) { name.to_owned() } else { self.word(name) }
    }

    fn method(&self, name: &str) -> String {
        if words::is_method(name) { name.to_owned() } else { self.word(name) }
    }

    /// A JSON Pointer, whose names are masked as those of members.
    fn path(&self, path: &str) -> String {
        let segment = |segment: &str| {
            let is_index = segment.parse::<u64>().is_ok_and(|it| it < PLAIN_NUMBER);
            if is_index {
                return segment.to_owned();
            }
            let name = self.name(&segment.replace("~1", "/").replace("~0", "~"));
            name.replace('~', "~0").replace('/', "~1")
        };
        path.split('/').map(segment).collect::<Vec<_>>().join("/")
    }

    /// The words of a query. Fields of the language stay, and the words that their values may have.
    fn query(&self, text: &str) -> String {
        let word = |word: &str| match word.split_once(':') {
            Some((field, value)) if Search::is_field(field) => {
                format!("{field}:{}", self.condition(field, value))
            }
            _ => self.word(word),
        };
        text.split(' ').map(word).collect::<Vec<_>>().join(" ")
    }

    /// What stands behind a field.
    fn condition(&self, field: &str, value: &str) -> String {
        if let Some((operator, value)) = value.split_once(':')
            && Operator::ALL.iter().any(|known| known.as_str() == operator)
        {
            return format!("{operator}:{}", self.condition(field, value));
        }
        let is_page = field == "limit" && value.parse::<u64>().is_ok_and(|it| it < PLAIN_NUMBER);
        let is_plain = is_page || words::is_word(field, value);
        if is_plain { value.to_owned() } else { self.word(value) }
    }

    /// A reference such as `contact:ID`, whose kind stays.
    fn reference(&self, text: &str) -> String {
        match text.split_once(':') {
            Some((kind, id)) if words::is_kind(kind) => format!("{kind}:{}", self.word(id)),
            _ => self.word(text),
        }
    }

    fn all(&self, texts: Vec<String>) -> Vec<String> {
        texts.iter().map(|text| self.word(text)).collect()
    }

    fn maybe(&self, text: Option<String>) -> Option<String> {
        text.as_deref().map(|text| self.word(text))
    }

    /// A text, letter by letter. Pseudonyms are masks already.
    fn word(&self, text: &str) -> String {
        let mut masked = String::with_capacity(text.len());
        let mut rest = 0;
        for sighting in pseudonym::find(text) {
            if let Seen::Token(_) = sighting.what
                && let (Some(before), Some(token)) =
                    (text.get(rest..sighting.bytes.start), text.get(sighting.bytes.clone()))
            {
                masked.extend(self.letters(before));
                masked.push_str(token);
                rest = sighting.bytes.end;
            }
        }
        masked.extend(self.letters(text.get(rest..).unwrap_or_default()));
        masked
    }

    fn letters<'a>(&'a self, text: &'a str) -> impl Iterator<Item = char> + 'a {
        text.chars().enumerate().map(move |(place, letter)| {
            let mut bits = self.0.hash_one((text, place));
            let mut one_of = |first: u8, count: u64| {
                let step = u8::try_from(bits % count).unwrap_or_default();
                bits /= count;
                char::from(first.saturating_add(step))
            };
            match letter {
                // Not zero in front, which numbers do not have.
                '0'..='9' if place == 0 && text.len() > 1 => one_of(b'1', 9),
                '0'..='9' => one_of(b'0', 10),
                // Digits of hexadecimal ids stay such.
                letter if letter.is_uppercase() => one_of(b'A', 6),
                letter if letter.is_numeric() => one_of(b'0', 10),
                letter if letter.is_alphabetic() || !letter.is_ascii() => one_of(b'a', 6),
                letter => letter,
            }
        })
    }
}
