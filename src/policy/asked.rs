//! A question written down by a person: a call, and what it is asked with, as a short document.
//!
//! Only what matters is written; all else has the value that an ordinary call of a pinned tool has.
//! Arguments are taken as they stand, as the canonical ones that would be sent.
//!
//! The same document is what is kept of a question of the road, so that it can be asked again
//! ([`Asked::of_call`]): what people write, what tests hold and what is kept is one form.

mod hold;
mod offered;
mod put;
mod text;
mod write;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{AnswerFacts, AnswerKind, Facts, Found, ToolFacts, Visible, json};
use crate::domain::pseudonym::{self, Mention, Seen, Sighting};
use crate::domain::{
    Call, CallId, CallMeta, ClientHint, Digest, Effect, Finding, Grant, Principal, PrincipalKind,
    Question, Revision, Said, Subject, Timestamp, TrailView,
};
use crate::intercom::Catalogue;
use crate::intercom::records::Content;
use crate::mcp::methods::{self, Sender, Target};
use crate::yaml;

pub use hold::{Hold, Releaser};
pub use offered::Offered;
pub(in crate::policy) use put::{Matter, Put};
pub use text::Written;

/// Why a document is no question.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Misasked(pub(super) String);

/// A question as it is written. Members that are absent have an ordinary value.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Who calls.
    #[serde(default)]
    pub principal: Caller,
    /// What the client says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<ClientHint>,
    /// The tool that is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// The tool's arguments.
    #[serde(default = "Written::nothing", skip_serializing_if = "Written::is_nothing")]
    #[serde(deserialize_with = "text::object")]
    pub arguments: Written,
    /// Its effect; else the catalogue's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<Effect>,
    /// Whether its definition is pinned; true if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<bool>,
    /// The digest of its definition, if it is pinned; else one of nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<Digest>,
    /// The method, for calls of no tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The method's parameters.
    #[serde(default = "Written::nothing", skip_serializing_if = "Written::is_nothing")]
    #[serde(deserialize_with = "text::object")]
    pub params: Written,
    /// What the call is about, if it is of no tool; else what the method and its parameters say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    /// What the client answers to the server's questions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continuation: Option<Written>,
    /// The protocol's revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Revision>,
    /// Why the agent calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What the call would change, as it is now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Written>,
    /// The grant that fits the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<Grant>,
    /// The pseudonyms in the arguments; else none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pseudonyms: Vec<Pseudonym>,
    /// What the principal lately did and saw; else nothing.
    #[serde(default, skip_serializing_if = "text::is_unset")]
    pub trail: TrailView,
    /// What plugins saw in the arguments or the answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Found>,
    /// What plugins say of the whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// For `visible`: the tools on offer; else all of the catalogue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<Vec<Offered>>,
    /// For `disclose`: what is known of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// For `approve`: who wants to release the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approver: Option<Releaser>,
    /// For `approve`: the hold.
    #[serde(default, skip_serializing_if = "text::is_unset")]
    pub hold: Hold,
    /// The time that rules see; else the present.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<Timestamp>,
    /// The installation's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
}

/// Who calls, as it is written.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Caller {
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// How it was proven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<PrincipalKind>,
    /// Its roles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// Its groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Its attributes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// The person it acts for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<String>,
}

/// An answer, as it is written.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Its kind; `result` if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The method of a notification or of a request of the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// How many bytes it has; those of `result` if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// The result as Intercom gave it (`{"content": [...]}`), for rules that look into answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Written>,
    /// The parameters of a notification or of a request of the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub params: Option<Written>,
    /// Words of the server about itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
    /// Whether the result is read as one of no tool, as errors are; as the tool's if not given.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub of_no_tool: bool,
    /// Whether its content is not here though it had some: rules that look into answers cannot be
    /// asked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_content: bool,
}

/// A pseudonym in the arguments, as it is written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pseudonym {
    /// Itself, such as `[[email:7f3a9c]]`.
    pub token: String,
    /// The argument that it stands in.
    pub argument: String,
    /// Its place; that of the argument if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Whether it was given to this principal; true if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<bool>,
    /// Whose value it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subjects: Vec<String>,
    /// The records that showed it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seen: Vec<String>,
    /// Whether the call is about another record; false if not given.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub elsewhere: bool,
}

impl Pseudonym {
    fn mention(&self) -> Result<Mention, Misasked> {
        let found = pseudonym::find(&self.token);
        let [Sighting { what: Seen::Token(token), .. }] = found.as_slice() else {
            return Err(Misasked(format!("`{}` is no pseudonym", self.token)));
        };
        let path = || format!("/{}", self.argument);
        Ok(Mention {
            token: token.clone(),
            argument: self.argument.clone(),
            path: self.path.clone().unwrap_or_else(path),
            known: self.known.unwrap_or(true),
            subjects: self.subjects.clone(),
            seen_in: self.seen.clone(),
            elsewhere: self.elsewhere,
        })
    }
}

/// The answer to a written question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruled {
    /// What policy says.
    pub finding: Finding,
    /// For `visible`: the tools that are shown.
    pub tools: Option<Vec<String>>,
}

impl Ruled {
    /// The same in the form that is kept.
    #[must_use]
    pub fn said(&self) -> Said {
        let finding = &self.finding;
        self.tools.as_ref().map_or_else(
            || Said::from(finding),
            |tools| {
                let (tools, finding) = (tools.iter().cloned().collect(), finding.clone());
                Said::from(&Visible { tools, finding })
            },
        )
    }
}

/// JSON of a document that a person wrote in JSON or YAML. Doubled keys are refused in both.
///
/// # Errors
/// What is not accepted, with line and column.
pub(super) fn read_document(text: &str) -> Result<String, Misasked> {
    if text.trim_start().starts_with(['{', '[']) {
        return match json::read(text) {
            Ok(_) => Ok(text.to_owned()),
            Err(error) => Err(Misasked(format!("not JSON: {error}"))),
        };
    }
    let tree = yaml::read(text, &yaml::Limits::default()).into_result().map_err(|faults| {
        Misasked(faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    })?;
    let value = tree.to_json().map_err(|fault| Misasked(fault.to_string()))?;
    Ok(value.to_string())
}

impl Asked {
    /// Reads a document in JSON or YAML.
    ///
    /// # Errors
    /// What is not accepted, or a member that is unknown or of another type.
    pub fn read(text: &str) -> Result<Self, Misasked> {
        serde_json::from_str(&read_document(text)?).map_err(|error| Misasked(error.to_string()))
    }

    /// The question, with `now` for documents that name no time.
    pub(super) fn put(&self, question: Question, now: Timestamp) -> Result<Put, Misasked> {
        let now = self.now.unwrap_or(now);
        let environment = self.environment.as_deref().unwrap_or("default").into();
        let seen = super::Seen { findings: self.findings.clone(), labels: self.labels.clone() };
        let facts = Facts { now, environment, trail: self.trail.clone(), seen: Arc::new(seen) };
        let principal = self.principal()?;
        let matter = match question {
            Question::Visible => {
                let client = self.client.clone().unwrap_or_default();
                Matter::Visible { principal, client, tools: self.offered() }
            }
            Question::Admit => Matter::Admit(self.call(principal, now)?),
            Question::Disclose => {
                Matter::Disclose(self.call(principal, now)?, Box::new(self.answer()?))
            }
            Question::Approve => {
                let needed =
                    || Misasked(String::from("who approves? Give `approver: {id, groups}`"));
                let releaser = self.approver.as_ref().ok_or_else(needed)?;
                let (approver, action) = releaser.wish()?;
                let call = self.call(principal, now)?;
                Matter::Approve(Box::new((call, approver, action, self.hold.facts(now)?)))
            }
        };
        Ok(Put { matter, facts })
    }

    fn principal(&self) -> Result<Principal, Misasked> {
        let caller = &self.principal;
        Ok(Principal {
            id: id(caller.id.as_deref().unwrap_or("someone"), "principal.id")?,
            kind: caller.kind.unwrap_or(PrincipalKind::Agent),
            roles: caller.roles.clone(),
            groups: caller.groups.clone(),
            attributes: caller.attributes.clone(),
            on_behalf_of: caller.on_behalf_of.clone(),
        })
    }

    fn call(&self, principal: Principal, now: Timestamp) -> Result<Call, Misasked> {
        let (method, subject, payload) = match (&self.tool, &self.method) {
            (Some(_), Some(method)) if method != "tools/call" => {
                return Err(Misasked(String::from("give `tool` or `method`, not both")));
            }
            (Some(tool), _) => {
                let effect = self.effect.unwrap_or_else(|| Catalogue::shipped().effect(tool));
                let pinned = self.pinned.unwrap_or(true);
                let none = || Digest::of("portcullis/asked/v1", &[]);
                let definition = pinned.then(|| self.definition.unwrap_or_else(none));
                let subject = Subject::Tool { name: tool.clone(), effect, definition };
                ("tools/call", subject, &self.arguments)
            }
            (None, Some(method)) => {
                let subject = self.subject.clone().unwrap_or_else(|| self.subject_of(method));
                (method.as_str(), subject, &self.params)
            }
            (None, None) => {
                return Err(Misasked(String::from(
                    "which call? Give `tool` (and `arguments`), or `method` (and `params`)",
                )));
            }
        };
        Ok(Call {
            id: CallId(uuid::Uuid::nil()),
            at: now,
            principal: Arc::new(principal),
            revision: self.revision.unwrap_or(Revision::V2025_11_25),
            client: self.client.clone().unwrap_or_default(),
            method: method.to_owned(),
            subject,
            payload: payload.text().clone(),
            continuation: self.continuation.as_ref().map(|it| it.text().clone()),
            meta: CallMeta {
                reason: self.reason.clone(),
                target: self.target.as_ref().map(|it| it.text().clone()),
                grant: self.grant.clone().map(Box::new),
                pseudonyms: self
                    .pseudonyms
                    .iter()
                    .map(Pseudonym::mention)
                    .collect::<Result<_, _>>()?,
                ..CallMeta::default()
            },
        })
    }

    /// What a method is about, as the road reads it.
    fn subject_of(&self, method: &str) -> Subject {
        if methods::INPUT_REQUESTS.contains(&method) {
            return Subject::Answer;
        }
        let of_client = |row: &&methods::Method| row.name == method && row.sender == Sender::Client;
        let target = methods::TABLE.iter().find(of_client).map(|row| row.target);
        let name = target.and_then(Target::parameter).and_then(|name| self.params.str(name));
        match (target, name) {
            (Some(Target::Prompt), Some(name)) => Subject::Prompt { name },
            (Some(Target::Resource), Some(uri)) => Subject::Resource { uri },
            (Some(Target::Task), Some(id)) => Subject::Task { id },
            _ => Subject::Method,
        }
    }

    fn answer(&self) -> Result<AnswerFacts, Misasked> {
        let answer = self.answer.clone().unwrap_or_default();
        let word = answer.kind.as_deref().unwrap_or("result");
        let kind =
            AnswerKind::ALL.into_iter().find(|kind| kind.as_str() == word).ok_or_else(|| {
                let known = AnswerKind::ALL.map(AnswerKind::as_str).join(", ");
                Misasked(format!("`{word}` is no kind of answer; those are {known}"))
            })?;
        let tool = self.tool.as_deref().filter(|_| !answer.of_no_tool);
        let text = answer.result.as_ref().or(answer.params.as_ref()).map(Written::text);
        let bytes = answer.bytes.or_else(|| Some(text?.bytes().len() as u64));
        let content = match (&answer.result, &answer.params, &answer.words) {
            (Some(result), None, None) => Content::of_result(tool, result.text()),
            (None, Some(params), None) => Content::of_message(params.text()),
            (None, None, Some(words)) => Content::of_words(words),
            (None, None, None) => Content::nothing(),
            _ => {
                let text = "an answer has one of `result`, `params` and `words`, not several";
                return Err(Misasked(String::from(text)));
            }
        };
        Ok(AnswerFacts { kind, method: answer.method, bytes: bytes.unwrap_or_default(), content })
    }

    fn offered(&self) -> Vec<ToolFacts> {
        let name = |entry: &crate::intercom::Entry| Offered::from(entry.name.clone());
        let all = || Catalogue::shipped().entries().iter().map(name).collect();
        let tools: Vec<Offered> = self.tools.clone().unwrap_or_else(all);
        tools.iter().map(|tool| tool.facts(self)).collect()
    }
}

/// An identifier of a document.
fn id<I: std::str::FromStr>(text: &str, member: &str) -> Result<I, Misasked>
where
    I::Err: std::fmt::Display,
{
    text.parse().map_err(|error| Misasked(format!("`{member}`: {error}")))
}
