//! A question of the road, written down so that it can be asked again.
//!
//! Everything that rules can see is written, whatever the present rules look at: others may look at
//! more. [`Asked::put`] gives the same question back.

use super::{Answer, Asked, Caller, Hold, Offered, Pseudonym, Releaser, Written};
use crate::domain::pseudonym::Mention;
use crate::domain::{Call, ClientHint, Principal, Subject};
use crate::intercom::records::Shape;
use crate::policy::{AnswerFacts, ApproveFacts, Facts, ToolFacts};

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

    /// What `approve` is asked about a person's wish.
    #[must_use]
    pub fn of_wish(ask: &ApproveFacts<'_>, facts: &Facts) -> Self {
        let (approver, hold) = (Some(Releaser::of(ask)), Hold::from(ask.hold));
        Self { approver, hold, ..Self::of_call(ask.call, facts) }
    }

    /// What `visible` is asked about the tools on offer.
    #[must_use]
    pub fn of_list(
        (principal, client): (&Principal, &ClientHint),
        tools: &[ToolFacts],
        facts: &Facts,
    ) -> Self {
        Self {
            principal: Caller::from(principal),
            client: Some(client.clone()),
            tools: Some(tools.iter().map(Offered::from).collect()),
            trail: facts.trail.clone(),
            now: Some(facts.now),
            environment: Some(facts.environment.to_string()),
            ..Self::default()
        }
    }

    /// Whether an answer's content is not here though it had some.
    #[must_use]
    pub fn is_without_content(&self) -> bool {
        self.answer.as_ref().is_some_and(|answer| answer.without_content)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{Effect, Timestamp, TrailView};

    /// What is written of a list is the list.
    #[test]
    fn the_tools_on_offer_come_back_as_they_were() {
        let facts = Facts {
            now: Timestamp::default(),
            environment: "test".into(),
            trail: TrailView::default(),
            seen: Arc::default(),
        };
        let principal = Asked::default().principal().unwrap();
        let mut tools = Vec::new();
        for name in ["get_article", "update_article", "unheard_of"] {
            for effect in [Effect::Read, Effect::Write] {
                for (pinned, labels) in [(true, &[][..]), (false, &["odd", "new"])] {
                    let labels = labels.iter().map(|label| (*label).to_owned()).collect();
                    tools.push(ToolFacts { name: name.to_owned(), effect, pinned, labels });
                }
            }
        }
        let asked = Asked::of_list((&principal, &ClientHint::default()), &tools, &facts);
        let text = serde_json::to_string(&asked).unwrap();
        assert_eq!(Asked::read(&text).unwrap().offered(), tools, "{text}");
        // A person may write either form.
        for (tools, wrong) in [
            (r#"["get_article", {"name": "x", "effect": "read"}]"#, None),
            (r#"[{"name": "x", "colour": "red"}]"#, Some("unknown field `colour`")),
            ("[7]", Some("the name of a tool, or a mapping with its `name`")),
        ] {
            let read = Asked::read(&format!(r#"{{"tools": {tools}}}"#));
            let found = read.err().map(|error| error.to_string());
            let is_it = |words: &str| found.as_ref().is_some_and(|text| text.contains(words));
            assert!(wrong.map_or(found.is_none(), is_it), "{tools}: {found:?}");
        }
    }
}
