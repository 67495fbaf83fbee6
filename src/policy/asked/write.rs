//! A question of the road, written down so that it can be asked again.
//!
//! Everything that rules can see is written, whatever the present rules look at: others may look at
//! more. [`Asked::put`] gives the same question back.

use super::{Answer, Asked, Caller, Pseudonym, Written};
use crate::domain::pseudonym::Mention;
use crate::domain::{Call, Principal, Subject};
use crate::intercom::records::Shape;
use crate::policy::{AnswerFacts, Facts};

impl From<&Principal> for Caller {
    fn from(principal: &Principal) -> Self {
        Self {
            id: Some(principal.id.as_str().to_owned()),
            kind: Some(principal.kind),
            roles: principal.roles.clone(),
            groups: principal.groups.clone(),
            attributes: principal.attributes.clone(),
            on_behalf_of: principal.on_behalf_of.clone(),
        }
    }
}

impl From<&Mention> for Pseudonym {
    fn from(mention: &Mention) -> Self {
        Self {
            token: mention.token.to_string(),
            argument: mention.argument.clone(),
            path: Some(mention.path.clone()),
            known: Some(mention.known),
            subjects: mention.subjects.clone(),
            seen: mention.seen_in.clone(),
            elsewhere: mention.elsewhere,
        }
    }
}

impl Asked {
    /// What `admit` is asked about a call.
    #[must_use]
    pub fn of_call(call: &Call, facts: &Facts) -> Self {
        let written = |text: &crate::domain::JsonText| Written::from(text.clone());
        let mut asked = Self {
            principal: Caller::from(&*call.principal),
            client: Some(call.client.clone()),
            revision: Some(call.revision),
            continuation: call.continuation.as_ref().map(written),
            reason: call.meta.reason.clone(),
            target: call.meta.target.as_ref().map(written),
            grant: call.meta.grant.as_deref().cloned(),
            pseudonyms: call.meta.pseudonyms.iter().map(Pseudonym::from).collect(),
            trail: facts.trail.clone(),
            findings: facts.seen.findings.clone(),
            labels: facts.seen.labels.clone(),
            now: Some(facts.now),
            environment: Some(facts.environment.to_string()),
            ..Self::default()
        };
        let payload = written(&call.payload);
        if let Subject::Tool { name, effect, definition } = &call.subject {
            asked.tool = Some(name.clone());
            asked.effect = Some(*effect);
            (asked.pinned, asked.definition) = (Some(definition.is_some()), *definition);
            asked.arguments = payload;
        } else {
            asked.method = Some(call.method.clone());
            asked.params = payload;
            asked.subject = Some(call.subject.clone());
        }
        asked
    }

    /// What `disclose` is asked about an answer. Of content that is longer than `most` bytes is only
    /// written that there was some.
    #[must_use]
    pub fn of_answer(call: &Call, answer: &AnswerFacts, facts: &Facts, most: usize) -> Self {
        let mut written = Answer {
            kind: Some(answer.kind.as_str().to_owned()),
            method: answer.method.clone(),
            bytes: Some(answer.bytes),
            ..Answer::default()
        };
        let shape = answer.content.shape();
        if answer.content.text().is_some_and(|text| text.bytes().len() > most) {
            written.without_content = true;
        } else {
            match shape {
                Shape::Nothing => {}
                Shape::Result { tool, text } => {
                    written.result = Some(text.clone().into());
                    written.of_no_tool = tool.is_empty() && call.subject.tool().is_some();
                }
                Shape::Message(params) => written.params = Some(params.clone().into()),
                Shape::Words(words) => written.words = Some(words),
            }
        }
        Self { answer: Some(written), ..Self::of_call(call, facts) }
    }

    /// Whether an answer's content is not here though it had some.
    #[must_use]
    pub fn is_without_content(&self) -> bool {
        self.answer.as_ref().is_some_and(|answer| answer.without_content)
    }
}
