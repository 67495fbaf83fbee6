//! A decision as the log has it: what was decided, by which rules, under which revision.
//!
//! The log has no arguments, only a keyed digest of them, so the rules cannot be asked again from it
//! alone. They can where the question was kept ([`crate::tape`]), or with the call given once more; then
//! the digest says whether it is the same call.

use std::path::Path;

use anyhow::{Context as _, bail};
use serde::Serialize;

use crate::audit::{self, Filter, Follow, From};
use crate::config::Config;
use crate::domain::{
    Call, CallFacts, CallId, Decision, Digest, Event, HoldId, JsonText, Outcome, Question, Seq,
    Subject, Timestamp, Verdict,
};
use crate::gate::{recorded_digest, refusal};
use crate::policy::{Asked, Caller};
use crate::store::Sealer;
use crate::tape::{self, Entry};

use super::super::impact::unread;
use super::pretty::Page;

/// What the log has of one call.
#[derive(Debug, Serialize)]
pub(super) struct Recorded {
    seq: Seq,
    at: Timestamp,
    call: CallFacts,
    pub(super) decision: Decision,
    /// The hold that it opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    hold: Option<HoldId>,
    /// How it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<Outcome>,
    /// The revision that would decide now; `None` if there is none here that can be loaded.
    revision_now: Option<Digest>,
    /// What the log cannot say, and how to ask again.
    notes: Vec<String>,
}

impl Recorded {
    /// Looks a decision up by the id of its call (the `Record` of a refusal), or of its hold.
    pub(super) fn find(
        data: &Path,
        id: &str,
        revision_now: Option<Digest>,
    ) -> anyhow::Result<Self> {
        let call = match id.parse::<HoldId>() {
            Ok(hold) => call_of(data, hold)?,
            Err(_) => CallId(id.parse().with_context(|| {
                format!("`{id}` is not the id of a call (as in `Record: ...`) or of a hold")
            })?),
        };
        let (mut decided, mut hold, mut outcome, mut again) = (None, None, None, 0_u64);
        let filter = Filter { call: Some(call), ..Filter::default() };
        for entry in audit::tail(data, filter, From::Start, Follow::No)? {
            let record = entry?.record;
            match record.event {
                // A held call is judged again when people change or release it.
                Event::Decision { .. } if decided.is_some() => again += 1,
                Event::Decision { call, decision, .. } => {
                    decided = Some((record.seq, record.at, call, decision));
                }
                Event::Outcome { outcome: ended, .. } => outcome = Some(ended),
                Event::Hold { hold: id, .. } => hold = Some(id),
                _ => {}
            }
        }
        let Some((seq, at, call, decision)) = decided else {
            bail!(
                "the log in `{}` has no decision on the call {}; is this the installation that \
                 decided it?",
                data.display(),
                call
            );
        };
        let mut notes = Vec::new();
        if again > 0 {
            notes.push(format!(
                "this is how the call was judged when it came; it was judged again for people, times: \
                 {again} (portcullis audit tail --call {})",
                call.id
            ));
        }
        match revision_now {
            Some(now) if now != decision.ruleset => notes.push(format!(
                "the policies here are another revision now ({now}); their rules may say something \
                 else, and stand on other lines"
            )),
            Some(_) => {}
            None => notes.push(String::from(
                "the policies that would decide now cannot be loaded here; `portcullis policy \
                 status` tells what is in force",
            )),
        }
        Ok(Self { seq, at, call, decision, hold, outcome, revision_now, notes })
    }

    /// The question as it was kept, if it was.
    pub(super) fn kept(
        &mut self,
        question: Question,
        config: &Config,
    ) -> anyhow::Result<Option<Asked>> {
        let sealer = Sealer::load(&config.data)?;
        let tape = tape::read(&config.data, tape::lockbox(config, &sealer)?, self.at)?;
        let of_call = |entry: &Entry| {
            entry.call == Some(self.call.id) && entry.question == question && !entry.again
        };
        let mut damaged = 0;
        let readable = tape.filter_map(|entry| entry.inspect_err(|_| damaged += 1).ok());
        let entry = { readable }.find(of_call);
        if entry.is_none() && damaged > 0 {
            self.notes.push(unread(damaged));
        }
        // The last round is what decided.
        Ok(entry.and_then(|mut entry| entry.rounds.pop()).map(|round| round.asked))
    }

    /// Notes that the rules told are those that decided.
    pub(super) fn note_kept(&mut self) {
        self.notes.push(format!(
            "the rules below are those of the revision that decided, {}, which is kept",
            self.decision.ruleset.short()
        ));
    }

    /// Notes how the call can be explained although nothing of it was kept.
    pub(super) fn note_unkept(&mut self) {
        let call = &self.call;
        let what = if call.subject.tool().is_some() { "arguments" } else { "parameters" };
        self.notes.push(format!(
            "the log keeps a keyed digest of the {what} and not the {what}; to explain this call \
             rule by rule, give it once more: portcullis policy explain {} -i FILE; or let what comes \
             be kept: `replay: {{ keep: calls }}` in the configuration",
            call.id
        ));
    }

    /// Fills in what the log knows of the call, where the document says nothing.
    pub(super) fn fill(&self, asked: &mut Asked, config: &Config) -> anyhow::Result<()> {
        match &self.call.subject {
            Subject::Tool { name, .. } => {
                let given = asked.tool.get_or_insert_with(|| name.clone());
                if given != name {
                    bail!("the record is of a call of `{name}`, the document of `{given}`");
                }
            }
            _ => {
                asked.method.get_or_insert_with(|| self.call.method.clone());
            }
        }
        if asked.principal.id.is_none() {
            let known = config.principals.iter().find(|one| one.id == self.call.principal);
            match known {
                Some(known) => asked.principal = Caller::from(&**known),
                None => asked.principal.id = Some(self.call.principal.to_string()),
            }
        }
        asked.client.get_or_insert_with(|| self.call.client.clone());
        asked.revision.get_or_insert(self.call.revision);
        asked.now.get_or_insert(self.at);
        Ok(())
    }

    /// Whether these arguments are the recorded ones, in words.
    pub(super) fn compare(&self, arguments: &JsonText, config: &Config) -> anyhow::Result<String> {
        let tool = self.call.subject.tool().unwrap_or_default();
        let digest = Call::digest_of(&self.call.method, tool, arguments, None);
        let same = recorded_digest(&Sealer::load(&config.data)?, digest) == self.call.arguments;
        Ok(String::from(if same {
            "these are the recorded arguments: their digest is that of the record"
        } else {
            "these are not the recorded arguments, or not in the recorded spelling: only a JSON \
             document with the members in the agent's order, and without what an obligation \
             changed, has the digest of the record"
        }))
    }

    /// What differs between then and now, if anything.
    pub(super) fn turned(&self, now: Verdict) -> Option<String> {
        let then = self.decision.verdict;
        (then != now).then(|| format!("the record says {then}, policy now says {now}"))
    }

    pub(super) fn text(&self) -> String {
        let mut page = Page::default();
        let (decision, call) = (&self.decision, &self.call);
        let what = call.subject.tool().unwrap_or(&call.method);
        let verdict = decision.verdict.as_str().to_uppercase();
        page.line(
            0,
            &format!("{verdict}  {}: {what} by {}", decision.question.as_str(), call.principal),
        );
        page.line(0, &format!("record {} at {}, call {}", self.seq, self.at, call.id));
        page.line(
            0,
            &format!(
                "protocol {}, client {} {}",
                call.revision.as_str(),
                call.client.name,
                call.client.version
            ),
        );
        page.line(0, &format!("policy {}", decision.ruleset));
        page.because(decision);
        if self.hold.is_some() || self.outcome.is_some() {
            page.head("Afterwards");
        }
        if let Some(hold) = self.hold {
            page.line(1, &format!("held as {hold}: portcullis audit tail --hold {hold}"));
        }
        if let Some(outcome) = &self.outcome {
            let kind = serde_json::to_value(outcome.kind).unwrap_or_default();
            let kind = kind.as_str().unwrap_or_default().replace('_', " ");
            page.line(1, &format!("{kind}: {} bytes in {} ms", outcome.bytes, outcome.millis));
            if let Some(disclose) = &outcome.disclose {
                page.line(1, &format!("disclose: {}", disclose.verdict));
                page.reasons(2, disclose);
            }
        }
        page.head("Notes");
        page.line(1, &format!("arguments {}", call.arguments));
        self.notes.iter().for_each(|note| page.line(1, note));
        if decision.verdict == Verdict::Deny {
            page.head("The agent read");
            let what = match call.subject.tool() {
                Some(tool) => format!("the tool `{tool}`"),
                None => format!("`{}`", call.method),
            };
            page.line(1, &format!("{} Record: {}", refusal(&what, decision), call.id));
        }
        page.into_text()
    }
}

/// The call that opened a hold.
fn call_of(data: &Path, hold: HoldId) -> anyhow::Result<CallId> {
    use crate::domain::HoldEvent;
    let filter = Filter { hold: Some(hold), ..Filter::default() };
    for entry in audit::tail(data, filter, From::Start, Follow::No)? {
        if let Event::Hold { event: HoldEvent::Opened(opened), .. } = entry?.record.event {
            return Ok(opened.call.id);
        }
    }
    bail!("the log in `{}` has no hold {hold}", data.display())
}
