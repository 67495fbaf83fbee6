//! What a call and its answer add to the trail of its principal.
//!
//! Each counts from the moment it is judged: a call as one that goes, an answer as one that is shown.
//! What it turned out to be is then kept in the trail and told by the record, before anything acts.
//!
//! An answer that cannot be read counts as much as it may hold: one record for each 200 bytes, each
//! about another contact, company, conversation and article, and all of it text of customers. Errors
//! are Intercom's words about no thing in particular: they count as records and bytes alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Gate;
use crate::audit::{Log, LogError};
use crate::domain::{
    Call, Decision, Duty, Effect, Event, Finding, Mark, Step, Subject, Tally, Thing, Verdict,
    decide,
};
use crate::intercom::records::{Gone, Kind, Records};
use crate::policy::{AnswerFacts, AnswerKind};
use crate::store::Sealer;
use crate::trail::{Decided, Trail, Weighed};

/// Bytes of an answer that cannot be read for which one record is counted.
const BYTES_OF_A_RECORD: u64 = 200;

/// What a call counts as while it is judged.
pub(super) fn call(call: &Call) -> Tally {
    let calls = u64::from(counts(call));
    Tally { calls, ..release(call) }
}

/// What the release of a held call counts as: the call itself was counted when it came.
pub(super) fn release(call: &Call) -> Tally {
    let writes = u64::from(call.subject.effect() == Effect::Write);
    Tally { writes, ..Tally::default() }
}

/// What an answer counts as without these records: with none while it is judged, with those that
/// were withheld when it leaves.
pub(super) fn answer(sealer: &Sealer, call: &Call, answer: &AnswerFacts, gone: &Gone) -> Tally {
    let is_error = match answer.kind {
        AnswerKind::Result | AnswerKind::InputRequired => false,
        AnswerKind::ToolError | AnswerKind::Error => true,
        // Lists are of tools and the like, and what is told on the way belongs to no answer.
        AnswerKind::List
        | AnswerKind::Notification
        | AnswerKind::ServerRequest
        | AnswerKind::Text => return Tally::default(),
    };
    if !counts(call) && call.method != "subscriptions/listen" {
        return Tally::default();
    }
    let rows = answer.bytes.div_ceil(BYTES_OF_A_RECORD);
    let by_size = Tally { rows, bytes: answer.bytes, ..Tally::default() };
    match answer.content.records().filter(|records| records.understood) {
        // What an error names was seen as well.
        Some(records) if is_error => Tally { seen: seen(sealer, records, gone), ..by_size },
        Some(records) => {
            let counts = records.counts_without(gone);
            Tally {
                rows: counts.rows as u64,
                bytes: counts.text_bytes as u64,
                seen: seen(sealer, records, gone),
                ..Tally::default()
            }
        }
        None if is_error => by_size,
        None => Tally { unknown: rows, ..by_size },
    }
}

/// The marks of everything that an answer shows.
fn seen(sealer: &Sealer, records: &Records, gone: &Gone) -> BTreeMap<Thing, BTreeSet<Mark>> {
    let mut seen: BTreeMap<Thing, BTreeSet<Mark>> = BTreeMap::new();
    for (kind, id) in records.seen_without(gone) {
        let thing = match kind {
            Kind::Contact => Thing::Contacts,
            Kind::Company => Thing::Companies,
            Kind::Conversation => Thing::Conversations,
            Kind::Article => Thing::Articles,
            Kind::Note | Kind::Part | Kind::Admin | Kind::Other => continue,
        };
        let keyed = sealer.mac("portcullis/seen/v1", &[thing.as_str().as_bytes(), id.as_bytes()]);
        seen.entry(thing).or_default().insert(Mark::of(&keyed));
    }
    seen
}

/// Keeps what a judged call became; gives what its record must say.
pub(super) fn keep_call(weighed: Weighed<'_>, call: &Call, decision: &Decision) -> Option<Step> {
    let probes = weighed.probes();
    let tally = match decision.verdict {
        Verdict::Deny => Tally { denials: 1, ..Tally::default() },
        // A held call writes when it is released.
        Verdict::Hold => labelled(Tally { writes: 0, probes, ..self::call(call) }, decision),
        Verdict::Allow => labelled(Tally { probes, ..self::call(call) }, decision),
    };
    let tool = call.subject.tool();
    weighed.keep(tally, tool.map(|tool| Decided { tool, verdict: decision.verdict }))
}

/// A tally with the labels that a decision demands.
pub(super) fn labelled(tally: Tally, decision: &Decision) -> Tally {
    let labels = decision.obligations.iter().filter_map(|one| match &one.duty {
        Duty::Label(label) => Some(label.clone()),
        _ => None,
    });
    Tally { labels: labels.collect(), ..tally }
}

/// Whether a call is one that budgets are about; the protocol's own methods are not.
const fn counts(call: &Call) -> bool {
    !matches!(call.subject, Subject::Method | Subject::Answer)
}

/// The log and the trails, for whoever has to tell both how a call ended.
#[derive(Clone)]
pub(super) struct Books {
    pub(super) log: Log,
    pub(super) trail: Arc<Trail>,
}

impl Books {
    /// Gives a call that never reached Intercom back to its principal's budgets.
    pub(super) fn take_back(&self, call: &Call, step: Option<&Step>) {
        let Some(step) = step else { return };
        let Tally { calls, writes, probes, .. } = step.add;
        let add = Tally { calls, writes, probes, ..Tally::default() };
        if add.is_empty() {
            return;
        }
        let trail = Step { at: step.at, clock: None, add };
        self.trail.take_back(&call.principal.id, &trail);
        let principal = call.principal.id.clone();
        let event = Event::Trail { call: call.id, principal, trail, back: true };
        if let Err(error) = self.log.append_later(event) {
            // The budget is smaller after the next start, never larger.
            tracing::warn!(%error, call = %call.id, "not recorded that nothing was sent");
        }
    }
}

impl Gate {
    /// Keeps what an answer showed, durable before it leaves. If that fails it must not leave.
    pub(super) async fn keep_answer(
        &self,
        weighed: Weighed<'_>,
        call: &Call,
        tally: Tally,
        decision: Decision,
    ) -> Decision {
        let Some(trail) = weighed.keep(labelled(tally, &decision), None) else { return decision };
        let principal = call.principal.id.clone();
        let event = Event::Trail { call: call.id, principal, trail, back: false };
        match self.books.log.append(event).await {
            Ok(_recorded) => decision,
            Err(error) => decide(decision.question, decision.ruleset, vec![unrecorded(&error)]),
        }
    }
}

fn unrecorded(error: &LogError) -> Finding {
    let text = format!("what this answer shows could not be recorded: {error}");
    Finding::denied("portcullis.not_recorded", text)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::domain::{
        CallId, CallMeta, ClientHint, JsonText, Principal, PrincipalKind, Revision, Timestamp,
    };
    use crate::intercom::records::Content;

    fn call_of(method: &str, subject: Subject) -> Call {
        Call {
            id: CallId(uuid::Uuid::nil()),
            at: Timestamp::default(),
            principal: Arc::new(Principal {
                id: "bot".parse().unwrap(),
                kind: PrincipalKind::Agent,
                roles: Vec::new(),
                groups: Vec::new(),
                attributes: BTreeMap::new(),
                on_behalf_of: None,
            }),
            revision: Revision::V2026_07_28,
            client: ClientHint::default(),
            method: method.to_owned(),
            subject,
            payload: JsonText::empty_object(),
            continuation: None,
            meta: CallMeta::default(),
        }
    }

    fn tool(name: &str, effect: Effect) -> Call {
        call_of("tools/call", Subject::Tool { name: name.to_owned(), effect, definition: None })
    }

    #[test]
    fn what_cannot_be_read_counts_by_its_size_and_never_as_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let sealer = Sealer::load(folder.path()).unwrap();
        let reading = tool("get_contact", Effect::Read);
        let plain = call_of("logging/setLevel", Subject::Method);
        let listening = call_of("subscriptions/listen", Subject::Method);
        let contact = r#"{"content":[{"type":"text","text":"{\"type\":\"contact\",\"id\":\"66b0c0de0000000000000a01\",\"role\":\"user\"}"}]}"#;
        use AnswerKind::{Error, List, Notification, Result, Text, ToolError};
        // The call, the answer and its kind; rows, unknown things, contacts.
        let rows = [
            (&reading, contact, Result, (1, 0, 1)),
            (&reading, r#"{"content":[{"type":"text","text":"surprise"}]}"#, Result, (1, 1, 0)),
            (&reading, r#"{"content":[{"type":"image","data":"eA=="}]}"#, Result, (1, 1, 0)),
            (&reading, "[]", Result, (1, 1, 0)),
            (&reading, r#"{"isError":true,"content":[]}"#, ToolError, (1, 0, 0)),
            (&reading, r#"{"code":1}"#, Error, (1, 0, 0)),
            (&reading, contact, List, (0, 0, 0)),
            (&reading, contact, Notification, (0, 0, 0)),
            (&reading, contact, Text, (0, 0, 0)),
            (&plain, "{}", Result, (0, 0, 0)),
            (&listening, "[1]", Result, (1, 1, 0)),
        ];
        for (call, text, kind, wanted) in rows {
            let text = JsonText::from_valid(Bytes::copy_from_slice(text.as_bytes()));
            let bytes = text.bytes().len() as u64;
            let content = Content::of_result(call.subject.tool(), &text);
            let facts = AnswerFacts { kind, method: None, bytes, content };
            let tally = answer(&sealer, call, &facts, &Gone::default());
            let contacts = tally.seen.get(&Thing::Contacts).map_or(0, BTreeSet::len);
            assert_eq!((tally.rows, tally.unknown, contacts), wanted, "{kind:?} {}", text.as_str());
            assert!(
                !tally.seen.values().flatten().any(|mark| format!("{mark:?}").contains("66b0"))
            );
        }
        let content = Content::nothing();
        let large = AnswerFacts { kind: Result, method: None, bytes: 40_001, content };
        let tally = answer(&sealer, &reading, &large, &Gone::default());
        assert_eq!((tally.rows, tally.unknown, tally.bytes), (201, 201, 40_001));
    }

    #[test]
    fn a_call_counts_as_what_it_asks() {
        let read = call(&tool("get_contact", Effect::Read));
        let write = call(&tool("create_article", Effect::Write));
        assert_eq!((read.calls, read.writes, write.calls, write.writes), (1, 0, 1, 1));
        let asked = tool("create_article", Effect::Write);
        assert_eq!((release(&asked).calls, release(&asked).writes), (0, 1));
        assert!(call(&call_of("ping", Subject::Method)).is_empty());
        assert_eq!(call(&call_of("tasks/get", Subject::Task { id: "1".to_owned() })).calls, 1);
    }
}
