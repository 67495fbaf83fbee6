//! What the interface for programs says and takes; its description is made from these types.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::desk::{Detail, Page, Row};
use crate::domain::Effected;
use crate::holds::HoldView;

/// A held call without its contents.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Hold {
    /// The hold.
    id: String,
    /// Its version: what `If-Match` names.
    version: u64,
    /// Where it stands, such as `pending` or `executed`.
    state: &'static str,
    /// How much harm it can do: `low`, `medium` or `high`.
    risk: &'static str,
    /// Which revision of the agent's call it is, from 1.
    revision: u32,
    /// The tool.
    tool: String,
    /// Who called.
    principal: String,
    /// What the client says of itself; nobody checked it.
    client: String,
    /// What it is about. Written by others.
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<String>,
    /// When it was opened.
    opened_at: String,
    /// When it expires undecided.
    expires_at: String,
    /// Why it is held.
    reasons: Vec<Reason>,
    /// The groups that may release it; empty for every approver.
    groups: Vec<String>,
    /// How many people must release it.
    people: u32,
    /// Who released it so far.
    approvals: Vec<String>,
    /// What the person whom the agent acts for said when their client asked them, in words. It is never
    /// an approval.
    #[serde(skip_serializing_if = "Option::is_none")]
    self_confirmed: Option<String>,
    /// Who is to look at it.
    #[serde(skip_serializing_if = "Option::is_none")]
    assignee: Option<String>,
    /// What became of it, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<String>,
    /// What changed when it was last sent back to the approvers.
    #[serde(skip_serializing_if = "Option::is_none")]
    changed: Option<String>,
    /// Whether the outcome reached the agent.
    delivered: bool,
    /// What keeps the person who asks from releasing it.
    #[serde(skip_serializing_if = "Option::is_none")]
    barred: Option<String>,
}

/// One rule that spoke.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Reason {
    /// Its name.
    rule: String,
    /// Its file and line.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    /// Its title.
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    /// Its words.
    text: String,
}

/// A page of held calls.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct List {
    /// In order: the riskiest first, then what expires first.
    holds: Vec<Hold>,
    /// How many match.
    total: usize,
    /// How many wait in all.
    waiting: usize,
}

/// A held call with its contents.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Shown {
    /// What is known without them.
    hold: Hold,
    /// What a decision on what is shown here is bound to; to be given back with it.
    binding: String,
    /// The arguments, exactly as they will be sent but for pseudonyms: JSON in a text.
    arguments: String,
    /// Whether pseudonyms in them are turned back in what is sent.
    pseudonyms: bool,
    /// What will be sent beside them.
    #[serde(skip_serializing_if = "Option::is_none")]
    beside: Option<String>,
    /// Why the agent calls, in its own words: untrusted.
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_says: Option<String>,
    /// What changed at Intercom since it was held.
    #[serde(skip_serializing_if = "Option::is_none")]
    moved: Option<String>,
    /// Other calls that wait for the same object.
    same_object: Vec<String>,
    /// What rules let people do with it.
    actions: Vec<&'static str>,
    /// The latest end of the wait that people may set.
    latest: String,
}

/// What to do with a held call.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Decision {
    /// What.
    pub(super) decision: Verb,
    /// The binding that was shown.
    pub(super) binding: String,
    /// For the agent: why it is rejected, or what it is to change.
    #[serde(default)]
    pub(super) words: String,
    /// The whole arguments as they are to be sent instead, as JSON in a text; for `edit` alone.
    #[serde(default)]
    pub(super) arguments: Option<String>,
}

/// The decisions.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verb {
    /// Release it.
    Approve,
    /// Release it with other arguments.
    Edit,
    /// Refuse it.
    Reject,
    /// Ask the agent for changes.
    Ask,
}

/// To whom a hold is given.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Assignment {
    /// A person's name; absent for nobody in particular.
    #[serde(default)]
    pub(super) to: Option<String>,
}

/// By how much the wait is lengthened.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Extension {
    /// In seconds.
    pub(super) seconds: u64,
}

/// What became of a call whose outcome is unknown.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Noted {
    /// Whether it took effect.
    pub(super) effected: Effect,
    /// In words.
    #[serde(default)]
    pub(super) text: String,
}

/// Whether something took effect.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Effect {
    /// It did.
    Yes,
    /// It did not.
    No,
    /// It cannot be told.
    Unclear,
}

impl From<Effect> for Effected {
    fn from(effect: Effect) -> Self {
        match effect {
            Effect::Yes => Self::Yes,
            Effect::No => Self::No,
            Effect::Unclear => Self::Unclear,
        }
    }
}

/// A hold after something was done with it.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Done {
    /// As it is now.
    pub(super) hold: Hold,
    /// What came of it, in words.
    pub(super) words: String,
}

/// Why something was not done.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Problem {
    /// In words.
    pub(super) error: String,
    /// The rule that forbids it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rule: Option<String>,
    /// The hold as it is now, if it is not as it was shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hold: Option<Hold>,
}

impl From<HoldView> for Hold {
    fn from(view: HoldView) -> Self {
        let reason = |it: crate::domain::Reason| Reason {
            rule: it.rule,
            at: it.at,
            title: it.title,
            text: it.text,
        };
        Self {
            id: view.id.to_string(),
            version: view.version,
            state: view.state.as_str(),
            risk: view.risk.as_str(),
            revision: view.revision,
            tool: view.tool,
            principal: view.principal.to_string(),
            client: view.client.name,
            object: None,
            opened_at: view.opened_at.to_string(),
            expires_at: view.expires_at.to_string(),
            reasons: view.reasons.into_iter().map(reason).collect(),
            groups: view.release.groups,
            people: view.release.people,
            approvals: view.approvals.iter().map(ToString::to_string).collect(),
            self_confirmed: view.own.map(|own| own.words()),
            assignee: view.assignee.map(|it| it.to_string()),
            outcome: view.outcome,
            changed: view.changed,
            delivered: view.delivered,
            barred: None,
        }
    }
}

impl From<Row> for Hold {
    fn from(row: Row) -> Self {
        Self { barred: row.barred, ..Self::about(row.object, row.hold) }
    }
}

impl Hold {
    /// A held call with what it is about.
    pub(super) fn about(object: Option<String>, view: HoldView) -> Self {
        Self { object, ..Self::from(view) }
    }
}

impl From<Page> for List {
    fn from(page: Page) -> Self {
        let holds = page.rows.into_iter().map(Hold::from).collect();
        Self { holds, total: page.total, waiting: page.waiting }
    }
}

impl From<Detail> for Shown {
    fn from(detail: Detail) -> Self {
        Self {
            binding: detail.binding.to_string(),
            arguments: detail.contents.arguments,
            pseudonyms: detail.contents.pseudonyms,
            beside: detail.contents.beside,
            agent_says: detail.contents.reason,
            moved: detail.moved,
            same_object: detail.others.iter().map(ToString::to_string).collect(),
            actions: detail.actions.iter().map(|it| it.as_str()).collect(),
            latest: detail.latest.to_string(),
            hold: Hold { barred: detail.barred, ..Hold::from(detail.hold) },
        }
    }
}
