//! A written question that was read, and put to the rules.

use super::{Asked, Misasked, Ruled};
use crate::domain::{Action, Approver, Call, ClientHint, Principal, Question, Timestamp};
use crate::policy::engine::Failure;
use crate::policy::input::{self, Document};
use crate::policy::wants::Want;
use crate::policy::{AnswerFacts, ApproveFacts, Facts, HoldFacts, Ruleset, ToolFacts, Visible};

/// A written question, read: what is asked about, and what is true beside it.
pub(in crate::policy) struct Put {
    pub(in crate::policy) matter: Matter,
    pub(in crate::policy) facts: Facts,
}

/// What a question is about.
pub(in crate::policy) enum Matter {
    Visible { principal: Principal, client: ClientHint, tools: Vec<ToolFacts> },
    Admit(Call),
    Disclose(Call, Box<AnswerFacts>),
    Approve(Box<(Call, Approver, Action, HoldFacts)>),
}

impl Put {
    /// The input document with what is wanted of it.
    pub(in crate::policy) fn document(&self, want: &Want) -> Result<Document, Failure> {
        let facts = &self.facts;
        match &self.matter {
            Matter::Visible { principal, client, tools } => {
                Ok(input::visible(principal, client, tools, facts, want))
            }
            Matter::Admit(call) => input::admit(call, facts, want),
            Matter::Disclose(call, answer) => input::disclose(call, answer, facts, want),
            Matter::Approve(ask) => {
                let (call, approver, action, hold) = &**ask;
                input::approve(&ApproveFacts { approver, action: *action, hold, call }, facts, want)
            }
        }
    }
}

impl Ruleset {
    /// Asks a written question in the way of the road. `now` is for those that name no time.
    ///
    /// # Errors
    /// The document does not make a question.
    pub async fn rule_on(
        &self,
        question: Question,
        asked: &Asked,
        now: Timestamp,
    ) -> Result<Ruled, Misasked> {
        Ok(self.rule_on_put(&asked.put(question, now)?).await)
    }

    /// Asks what was put, in the way of the road.
    pub(in crate::policy) async fn rule_on_put(&self, put: &Put) -> Ruled {
        let ruled = |finding| Ruled { finding, tools: None };
        let facts = &put.facts;
        match &put.matter {
            Matter::Visible { principal, client, tools } => {
                let Visible { tools, finding } =
                    self.visible(principal, client, tools, facts).await;
                Ruled { finding, tools: Some(tools.into_iter().collect()) }
            }
            Matter::Admit(call) => ruled(self.admit(call, facts).await),
            Matter::Disclose(call, answer) => ruled(self.disclose(call, answer, facts).await),
            Matter::Approve(ask) => {
                let (call, approver, action, hold) = &**ask;
                let ask = ApproveFacts { approver, action: *action, hold, call };
                ruled(self.approve(&ask, facts).await)
            }
        }
    }
}
