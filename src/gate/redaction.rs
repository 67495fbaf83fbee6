//! What judges see in a call or an answer, before policy is asked; and what policy then wants done to
//! an answer, carried out on its bytes.
//!
//! A message is taken apart only if some plugin looks at such messages, and what was seen in it or made
//! of it is not kept from an earlier time. What cannot be taken apart, what a plugin could not look at,
//! and what cannot be redacted as rules demand is denied.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use super::Gate;
use super::drafts::{self, Draft};
use super::looks::{self, Look};
use crate::clock;
use crate::domain::{
    Call, Decision, Digest, Duty, Effect, Finding, Hold, How, JsonText, Leaf, Obligation, Phase,
    Redact, Span,
};
use crate::identity::Identity;
use crate::intercom::records::Content;
use crate::intercom::{PinStatus, Search};
use crate::policy::{AnswerFacts, Seen};
use crate::redact::{Mint, Payload, Plan, Unreadable, edit_fitting, plan};
use crate::vault::{Minting, Sight};

/// The rule named where a message cannot be looked into.
const UNREADABLE: &str = "portcullis.unreadable";

/// A message, and what judges saw in it.
#[derive(Debug, Default)]
pub(super) struct Looked {
    /// Which look; `None` if nobody looked.
    key: Option<Digest>,
    /// Taken apart, if the look was not kept.
    payload: Option<Payload>,
    look: Arc<Look>,
}

/// How a message is taken apart.
#[derive(Clone, Copy)]
enum Sort<'a> {
    Arguments,
    Message,
    /// As the result of this tool, which says what is a record in it; empty for others. An error that
    /// looks like a result is of none, whatever was called.
    Result(&'a str),
}

impl<'a> Sort<'a> {
    /// In words, with the tool.
    const fn parts(self) -> (&'static str, &'a str) {
        match self {
            Self::Arguments => ("arguments", ""),
            Self::Message => ("message", ""),
            Self::Result(tool) => ("result", tool),
        }
    }
}

/// Why an answer is not shown though policy allows it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unredacted {
    /// A rule blocks what is in it.
    #[error("the answer holds something that no answer may hold: {0}")]
    Blocked(String),
    /// Nobody looks for what a rule redacts.
    #[error("rules redact `{0}`, and no plugin that is loaded looks for that in answers")]
    Unseen(String),
    /// It cannot be edited.
    #[error("the answer could not be redacted as the rules demand")]
    Failed,
}

impl Unredacted {
    pub(super) const fn rule(&self) -> &'static str {
        match self {
            Self::Blocked(_) => "portcullis.redact_blocked",
            Self::Unseen(_) => "portcullis.redact_unseen",
            Self::Failed => super::duties::OBLIGATION,
        }
    }
}

impl Looked {
    /// With what was seen in another message that belongs to it.
    fn and(mut self, other: Self) -> Self {
        if other.key.is_none() && other.look.findings.is_empty() {
            return self;
        }
        let mut seen = (*self.look.seen).clone();
        seen.join((*other.look.seen).clone());
        let findings = self.look.findings.iter().chain(&other.look.findings).cloned().collect();
        // Nothing of a call is edited by its spans.
        self.look = Arc::new(Look { spans: Vec::new(), seen: Arc::new(seen), findings });
        self
    }

    /// What could not be looked at.
    fn unreadable(error: &Unreadable) -> Self {
        let text = format!("plugins cannot look at it: {error}");
        let findings = vec![Finding::denied(UNREADABLE, text)];
        Self { look: Arc::new(Look { findings, ..Look::default() }), ..Self::default() }
    }

    /// For policy.
    pub(super) fn seen(&self) -> &Arc<Seen> {
        &self.look.seen
    }

    /// What judges demand of the verdict.
    pub(super) fn findings(&self) -> Vec<Finding> {
        self.look.findings.clone()
    }
}

impl Gate {
    /// Looks at a call: its arguments or parameters, and what it answers to the server's questions.
    pub(super) async fn look_at_call(&self, call: &Call) -> Looked {
        let open = || Payload::of_arguments(&call.payload);
        let looked = self.look((Phase::Call, Sort::Arguments), call, &call.payload, open).await;
        match &call.continuation {
            Some(more) => {
                let open = || Payload::of_message(more);
                looked.and(self.look((Phase::Call, Sort::Message), call, more, open).await)
            }
            None => looked,
        }
    }

    /// What plugins see in a held call, by kind, for the people who decide on it; of kinds that several
    /// plugins see, what the one that sees most does. Empty if the stored call cannot be opened: then it
    /// cannot be released either.
    pub async fn found_in(&self, hold: &Hold, identity: &Identity) -> Vec<(String, usize)> {
        let Ok(call) = self.stored_call(hold, identity) else { return Vec::new() };
        let looked = self.look_at_call(&call).await;
        let mut by_plugin: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        for one in &looked.seen().findings {
            *by_plugin.entry((&one.kind, &one.plugin)).or_default() += one.count;
        }
        let mut found: BTreeMap<&str, u64> = BTreeMap::new();
        for ((kind, _), count) in by_plugin {
            let most = found.entry(kind).or_default();
            *most = count.max(*most);
        }
        let number = |count| usize::try_from(count).unwrap_or(usize::MAX);
        found.into_iter().map(|(kind, count)| (kind.to_owned(), number(count))).collect()
    }

    /// Looks at what Intercom sent.
    pub(super) async fn look_at_answer(&self, call: &Call, answer: &AnswerFacts) -> Looked {
        let content = &answer.content;
        let Some(text) = content.text() else { return Looked::default() };
        let sort = content.tool().map_or(Sort::Message, Sort::Result);
        self.look((Phase::Answer, sort), call, text, || opened(content, text)).await
    }

    async fn look(
        &self,
        (phase, sort): (Phase, Sort<'_>),
        call: &Call,
        text: &JsonText,
        open: impl FnOnce() -> Result<Payload, Unreadable>,
    ) -> Looked {
        let plugins = self.plugins();
        let tool = call.subject.tool().unwrap_or_default();
        if !plugins.looks_at(phase, tool) {
            return Looked::default();
        }
        let dictionary = self.vault.dictionary(&call.principal.id, clock::now());
        let key = looks::key(&plugins, (phase, sort.parts()), call, text.bytes(), &dictionary);
        if let Some(look) = self.looks.get(&key, Instant::now()) {
            return Looked { key: Some(key), payload: None, look };
        }
        let payload = match open() {
            Ok(payload) => payload,
            Err(error) => return Looked::unreadable(&error),
        };
        let look = if payload.leaves().is_empty() {
            Arc::default()
        } else {
            let inspection = plugins.inspect(phase, tool, payload.leaves(), &dictionary).await;
            Arc::new(Look::of(payload.leaves(), inspection))
        };
        if look.is_whole() {
            self.looks.put(key, &look, Instant::now());
        }
        Looked { key: Some(key), payload: Some(payload), look }
    }

    /// The answer with what judges saw in it redacted as the decision demands, which then says what
    /// was done; `None` if nobody looked at it.
    pub(super) fn redacted(
        &self,
        call: &Call,
        content: &Content,
        looked: &Looked,
        decision: &mut Decision,
    ) -> Result<Option<Arc<Draft>>, Unredacted> {
        let demands: Vec<&Redact> = decision.obligations.iter().filter_map(demand).collect();
        if let Some(kind) = self.unseen(&demands) {
            return Err(Unredacted::Unseen(kind.to_owned()));
        }
        let Some(look) = looked.key else { return Ok(None) };
        let pinned = call.subject.tool().map(|tool| self.pins.status(tool));
        let definition = match &pinned {
            Some(PinStatus::Pinned(tool)) => Some(tool.definition.digest),
            _ => None,
        };
        let key = drafts::key(look, &call.principal.id, definition, &demands);
        let kept = key.and_then(|key| self.drafts.get(&key, Instant::now()));
        let again = |it: &Arc<Draft>| {
            it.repeat.as_ref().is_some_and(|repeat| self.vault.repeat(repeat, clock::now()))
        };
        if let Some(draft) = kept.filter(again) {
            note(&mut decision.obligations, &draft.done);
            return Ok(Some(draft));
        }
        let misfits = |text: &JsonText| match &pinned {
            Some(PinStatus::Pinned(tool)) => tool.misfits(text),
            _ => Vec::new(),
        };
        let draft = Arc::new(self.draft(call, content, looked, &demands, &misfits)?);
        note(&mut decision.obligations, &draft.done);
        if let (Some(key), Some(_)) = (key, &draft.repeat) {
            self.drafts.put(key, &draft, Instant::now());
        }
        Ok(Some(draft))
    }

    /// Redacts an answer.
    fn draft(
        &self,
        call: &Call,
        content: &Content,
        looked: &Looked,
        demands: &[&Redact],
        misfits: &dyn Fn(&JsonText) -> Vec<String>,
    ) -> Result<Draft, Unredacted> {
        let failed = |_| Unredacted::Failed;
        let again = match (&looked.payload, content.text()) {
            (None, Some(text)) => Some(opened(content, text).map_err(failed)?),
            _ => None,
        };
        let Some(payload) = looked.payload.as_ref().or(again.as_ref()) else {
            return Err(Unredacted::Failed);
        };
        let mut mint = Keeping(self.vault.minting(&call.principal.id, clock::now()));
        let Plan { edits, blocked, done } = plan(payload, &looked.look.spans, demands, &mut mint);
        if !blocked.is_empty() {
            return Err(Unredacted::Blocked(blocked.join(", ")));
        }
        let text = if edits.is_empty() {
            None
        } else {
            Some(edit_fitting(payload, edits, misfits).map_err(|_| Unredacted::Failed)?)
        };
        Ok(Draft { text, done, shown: OnceLock::new(), repeat: mint.0.repeat() })
    }
}

/// What Intercom sent, taken apart.
fn opened(content: &Content, text: &JsonText) -> Result<Payload, Unreadable> {
    match content.is_result() {
        true => Payload::of_result(text, content.records()),
        false => Payload::of_message(text),
    }
}

impl Gate {
    /// Forgets looks and drafts that are old; to be called about once a second.
    pub fn shed(&self) {
        self.looks.shed(Instant::now());
        self.drafts.shed(Instant::now());
    }

    /// A kind that is to be redacted and that nobody looks for. A bundle whose text says so is not
    /// loaded; kinds that rules compute, and a set of plugins that was just swapped, are seen here.
    fn unseen<'a>(&self, demands: &[&'a Redact]) -> Option<&'a str> {
        let plugins = self.plugins();
        let demands = demands.iter().filter(|demand| demand.how != How::Keep);
        let mut kinds = demands.flat_map(|demand| &demand.kinds);
        kinds.find(|kind| !plugins.announced().covers(kind)).map(String::as_str)
    }
}

/// How many personal values a search looks for that are no pseudonyms: the agent knows or guesses them,
/// and what is found tells whether it was right. What is asked of a person's own field is one whatever
/// it looks like: a surname alone is no name to any plugin.
pub(super) fn guesses(call: &Call, seen: &Seen) -> u64 {
    let Some(tool) = call.subject.tool().filter(|_| call.subject.effect() == Effect::Read) else {
        return 0;
    };
    let Some(search) = Search::of(tool, &call.payload) else { return 0 };
    let found: u64 = seen.findings.iter().map(|found| found.count).sum();
    let asked = search.filters.iter().filter(|filter| search.asks_for_a_person(filter));
    let asked = asked.flat_map(|filter| &filter.values).filter(|value| !value.starts_with("[["));
    found.max(asked.count() as u64)
}

/// What an obligation wants redacted.
const fn demand(one: &Obligation) -> Option<&Redact> {
    match &one.duty {
        Duty::Redact(redact) => Some(redact),
        _ => None,
    }
}

/// Says in the obligations what was done, by kind.
fn note(obligations: &mut [Obligation], done: &[BTreeMap<String, u64>]) {
    let redacting = obligations.iter_mut().filter(|one| demand(one).is_some());
    for (one, done) in redacting.zip(done) {
        one.changed |= !done.is_empty();
        if let Duty::Redact(redact) = &mut one.duty {
            redact.done.clone_from(done);
        }
    }
}

/// Gives out pseudonyms for one message.
struct Keeping<'a>(Minting<'a>);

impl Mint for Keeping<'_> {
    fn token(&mut self, span: &Span, leaf: &Leaf, value: &str) -> Option<String> {
        let own = leaf.text.get(span.bytes.clone())?;
        // In another spelling, what stands there says what its value says.
        let text = if span.part.is_some() { own } else { value };
        let (kind, part) = (span.kind.as_str(), span.part.as_deref());
        let subject = span.subject.as_deref();
        let seen_in: Vec<&str> = leaf.owner.as_deref().into_iter().collect();
        self.0.token(&Sight { kind, value, text, part, subject, seen_in: &seen_in })
    }
}
