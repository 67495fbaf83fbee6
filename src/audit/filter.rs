//! Which records somebody wants, told by the record and, where that is enough, by the bytes of its line.

use memchr::memmem::Finder;

use crate::domain::{CallId, Event, HoldId, PrincipalId, Record, Seq, Timestamp, Verdict};
use crate::store::line;

/// Which records are wanted: those that match everything that is set.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The record's `type`, such as `decision`.
    pub kind: Option<String>,
    /// Who called.
    pub principal: Option<PrincipalId>,
    /// Which tool.
    pub tool: Option<String>,
    /// Which call.
    pub call: Option<CallId>,
    /// Which hold.
    pub hold: Option<HoldId>,
    /// The verdict of a decision.
    pub verdict: Option<Verdict>,
    /// A rule that spoke in a decision, or words of its title.
    pub rule: Option<String>,
    /// The policy revision of a decision, by its first digits.
    pub revision: Option<String>,
    /// Not before this time.
    pub since: Option<Timestamp>,
    /// Not after this time.
    pub until: Option<Timestamp>,
    /// Before this position.
    pub before: Option<Seq>,
}

impl Filter {
    /// Whether a record is wanted.
    #[must_use]
    pub fn matches(&self, record: &Record) -> bool {
        let facts = Facts::of(&record.event);
        let is =
            |wanted: Option<&str>, found: Option<&str>| wanted.is_none_or(|w| found == Some(w));
        is(self.kind.as_deref(), Some(record.event.kind()))
            && is(self.principal.as_ref().map(PrincipalId::as_str), facts.principal)
            && is(self.tool.as_deref(), facts.tool)
            && self.call.is_none_or(|wanted| facts.call == Some(wanted))
            && self.hold.is_none_or(|wanted| facts.hold == Some(wanted))
            && self.verdict.is_none_or(|wanted| facts.verdict == Some(wanted))
            && self.since.is_none_or(|since| record.at >= since)
            && self.until.is_none_or(|until| record.at <= until)
            && self.before.is_none_or(|before| record.seq < before)
            && self.decided(record)
    }

    /// Whether a decision is one of the wanted rule and revision.
    fn decided(&self, record: &Record) -> bool {
        if self.rule.is_none() && self.revision.is_none() {
            return true;
        }
        let Event::Decision { decision, .. } = &record.event else { return false };
        self.rule.as_ref().is_none_or(|rule| decision.reasons.iter().any(|it| it.is_by(rule)))
            && self.revision.as_ref().is_none_or(|digits| decision.ruleset.begins_with(digits))
    }
}

/// What a filter can ask of an event beside its kind.
#[derive(Default)]
struct Facts<'a> {
    principal: Option<&'a str>,
    tool: Option<&'a str>,
    call: Option<CallId>,
    hold: Option<HoldId>,
    verdict: Option<Verdict>,
}

impl<'a> Facts<'a> {
    fn of(event: &'a Event) -> Self {
        use crate::domain::{GrantEvent, HoldEvent};
        let none = Self::default();
        match event {
            Event::Decision { call, decision, .. } => Self {
                principal: Some(call.principal.as_str()),
                tool: call.subject.tool(),
                call: Some(call.id),
                verdict: Some(decision.verdict),
                ..none
            },
            Event::Outcome { call, .. } | Event::Grant { event: GrantEvent::Used { call }, .. } => {
                Self { call: Some(*call), ..none }
            }
            Event::Trail { call, principal, .. } => {
                Self { principal: Some(principal.as_str()), call: Some(*call), ..none }
            }
            Event::Hold { hold, event: HoldEvent::Opened(opened) } => Self {
                principal: Some(opened.call.principal.as_str()),
                tool: opened.call.subject.tool(),
                call: Some(opened.call.id),
                hold: Some(*hold),
                ..none
            },
            Event::Hold { hold, .. } | Event::Revealed { hold, .. } => {
                Self { hold: Some(*hold), ..none }
            }
            Event::Grant { event: GrantEvent::Given(given), .. } => Self {
                principal: Some(given.principal.as_str()),
                tool: Some(&given.tool),
                hold: Some(given.hold),
                ..none
            },
            Event::Tool { name, .. } | Event::Definition { name, .. } => {
                Self { tool: Some(name), ..none }
            }
            Event::Shadow(facts) => Self {
                principal: Some(facts.principal.as_str()),
                tool: facts.tool.as_deref(),
                call: facts.call,
                ..none
            },
            Event::Principal { principal, .. } | Event::Refused { principal, .. } => {
                Self { principal: Some(principal.as_str()), ..none }
            }
            Event::Started { .. }
            | Event::Stopped
            | Event::Grant { .. }
            | Event::Ruleset { .. }
            | Event::Plugins { .. }
            | Event::Rollout { .. }
            | Event::Account { .. } => none,
        }
    }
}

/// What the bytes of a line must have if its record is to match: most lines need not be read.
pub(super) struct Sieve {
    kind: Option<String>,
    /// Values that stand in the line as they are: the writer has one form for each.
    values: Vec<Finder<'static>>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl Sieve {
    pub(super) fn of(filter: &Filter) -> Self {
        let who = filter.principal.as_ref().map(PrincipalId::to_string);
        let hold = filter.hold.as_ref().map(HoldId::to_string);
        let verdict = filter.verdict.map(|verdict| verdict.to_string());
        let values = [who, hold, verdict].into_iter().flatten();
        Self {
            kind: filter.kind.clone(),
            values: values.map(|it| Finder::new(&format!("\"{it}\"")).into_owned()).collect(),
            since: filter.since,
            until: filter.until,
        }
    }

    /// Whether the line is certainly not wanted.
    pub(super) fn passes_over(&self, line: &[u8]) -> bool {
        let is_out = |at: Timestamp| {
            self.since.is_some_and(|since| at < since) || self.until.is_some_and(|until| at > until)
        };
        let is_timed = self.since.is_some() || self.until.is_some();
        self.kind.as_ref().is_some_and(|kind| !line::is_of(line, kind))
            || (is_timed && line::at_of(line).is_some_and(is_out))
            || self.values.iter().any(|value| value.find(line).is_none())
    }
}
