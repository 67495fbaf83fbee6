//! Pseudonyms in calls: seen before rules judge, turned back after.
//!
//! Rules judge the call as the agent wrote it. What is hashed, held and sent is the call with pseudonyms
//! turned back, and only where a rule demands that. A pseudonym that no rule covers, that was altered,
//! that was never given to this principal, or that stands where a value would leave by itself (in a link)
//! ends the call: it is told, never guessed, and never sent. Nothing here names a value.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::duties::{OBLIGATION, unmade};
use super::people::{DecideError, Deciding};
use super::{Gate, Ruleset};
use crate::clock;
use crate::domain::pseudonym::{Mention, Seen, Token};
use crate::domain::{Action, Call, Decision, Duty, Event, Finding, JsonText, Verdict};
use crate::holds::HoldError;
use crate::intercom::lookup;
use crate::intercom::pseudonyms::{Place, Within, about, places, turned_back};

/// The rule named where something is no pseudonym of this principal.
pub(super) const UNKNOWN: &str = "portcullis.pseudonym_unknown";
/// The rule named where a pseudonym may not be turned back.
pub(super) const MISPLACED: &str = "portcullis.pseudonym_misplaced";

/// The most pseudonyms of one call that are told of.
const MOST_TOLD: usize = 5;

impl Gate {
    /// Notes the pseudonyms of a call for the rules, and finds what ends it.
    pub(super) fn note_pseudonyms(&self, call: &mut Call) -> Option<Finding> {
        let places = places(&call.payload, call.continuation.as_ref());
        call.meta.pseudonyms.clear();
        if places.is_empty() {
            return None;
        }
        let mut told = Told::default();
        let (who, now) = (&call.principal.id, clock::now());
        let about = about(&call.payload, call.meta.target.as_ref());
        for place in places {
            let (token, is_bare) = match &place.what {
                Seen::Token(token) => (token, false),
                Seen::Bare(token) => (token, true),
                Seen::Altered => {
                    told.unknown(&place, "is not as it was given to you");
                    continue;
                }
            };
            let provenance = self.vault.provenance(who, token, now);
            match (&provenance, is_bare) {
                // Words and numbers of the agent's own.
                (None, true) => continue,
                (Some(_), true) => {
                    told.unknown(&place, "lacks its double brackets");
                    continue;
                }
                (None, false) => told.unknown(&place, "was not given to you"),
                (Some(_), false) => told.place(&place),
            }
            let (known, provenance) = (provenance.is_some(), provenance.unwrap_or_default());
            let is_of =
                |it: &String| provenance.subjects.contains(it) || provenance.seen_in.contains(it);
            let elsewhere = known && !about.is_empty() && !about.iter().any(is_of);
            call.meta.pseudonyms.push(Mention {
                elsewhere,
                token: token.clone(),
                argument: place.argument,
                path: place.path,
                known,
                subjects: provenance.subjects,
                seen_in: provenance.seen_in,
            });
        }
        told.finding()
    }

    /// The call with its pseudonyms turned back, as its decision demands; a denial if one is not covered,
    /// or its value cannot stand where it does.
    pub(super) fn turn_back(
        &self,
        ruleset: &Arc<Ruleset>,
        mut call: Call,
        mut decision: Decision,
    ) -> (Call, Decision) {
        call.meta.restored = None;
        if decision.verdict == Verdict::Deny || call.meta.pseudonyms.is_empty() {
            return (call, decision);
        }
        let refused = |rule: &str, text: String, decision: &Decision| {
            unmade(ruleset, rule, text, &decision.obligations)
        };
        let mentions = &call.meta.pseudonyms;
        let uncovered = mentions.iter().find(|it| {
            !decision.obligations.iter().any(|one| covers(&one.duty, it.token.kind(), &it.argument))
        });
        if let Some(Mention { token, argument, .. }) = uncovered {
            let text = format!(
                "no rule lets the pseudonym {token} be turned back in `{argument}`, so it would reach \
                 Intercom as it stands; write the call without it"
            );
            let decision = refused(MISPLACED, text, &decision);
            return (call, decision);
        }
        let Some(tool) = call.subject.tool() else {
            let text = "this call has no arguments in which a pseudonym can be turned back";
            let decision = refused(MISPLACED, text.to_owned(), &decision);
            return (call, decision);
        };
        let (who, now) = (&call.principal.id, clock::now());
        let mut lost: Option<Token> = None;
        let mut value = |_: &str, token: &Token| {
            let value = self.vault.value(who, token, now).map(|value| value.to_string());
            if value.is_none() {
                lost = Some(token.clone());
            }
            value
        };
        let back = turned_back(tool, &call.payload, &mut value);
        let back = back.map_err(|unfit| unfit.to_string()).and_then(|back| {
            // The text that is sent must be one that the tool takes, in canonical form.
            self.pins
                .resolve(tool, Some(&back))
                .map(|resolved| resolved.arguments)
                .map_err(|refusal| format!("what a pseudonym stands for does not fit: {refusal}"))
        });
        let refusal = match (&back, lost) {
            (_, Some(token)) => {
                Some((UNKNOWN, format!("the pseudonym {token} is not known any more")))
            }
            (Err(text), None) => Some((MISPLACED, text.clone())),
            (Ok(back), None) if lookup(tool, back) != lookup(tool, &call.payload) => {
                let text = "a pseudonym would change which object the call is about";
                Some((OBLIGATION, text.to_owned()))
            }
            (Ok(_), None) => None,
        };
        if let Some((rule, text)) = refusal {
            let decision = refused(rule, text, &decision);
            return (call, decision);
        }
        for one in &mut decision.obligations {
            one.changed |=
                mentions.iter().any(|it| covers(&one.duty, it.token.kind(), &it.argument));
        }
        call.meta.restored = back.ok();
        (call, decision)
    }
}

impl Gate {
    /// The arguments of a held call exactly as they will be sent, for a person who may decide on it and
    /// whom policy lets see what its pseudonyms stand for.
    ///
    /// # Errors
    /// The person may not.
    pub async fn revealed(&self, ask: &Deciding<'_>) -> Result<JsonText, DecideError> {
        let hold = self.seen(ask)?;
        let call = self.shown_call(&hold, ask)?;
        let decision = self.may(ask, Action::Reveal, &hold, &call).await?;
        let sees = |kind: &str| {
            decision.obligations.iter().any(|one| match &one.duty {
                Duty::Reveal { kinds } => of_kind(kinds, kind),
                _ => false,
            })
        };
        if let Some(hidden) = call.meta.pseudonyms.iter().find(|it| !sees(it.token.kind())) {
            let kind = hidden.token.kind();
            let text = format!("no rule shows you what pseudonyms of the kind `{kind}` stand for");
            return Err(DecideError::NotAllowed { rule: "portcullis.reveal".to_owned(), text });
        }
        let mut kinds = BTreeMap::new();
        for mention in &call.meta.pseudonyms {
            *kinds.entry(mention.token.kind().to_owned()).or_default() += 1;
        }
        // No record, no values.
        let event = Event::Revealed { hold: hold.id, by: ask.person.id.clone(), kinds };
        let _recorded = self.books.log.append(event).await.map_err(HoldError::from)?;
        Ok(call.sent().clone())
    }
}

fn of_kind(kinds: &[String], kind: &str) -> bool {
    kinds.iter().any(|one| one == kind || one == "*")
}

/// Whether a duty is to turn this back.
fn covers(duty: &Duty, kind: &str, argument: &str) -> bool {
    match duty {
        Duty::Restore { kinds, arguments } => {
            of_kind(kinds, kind) && arguments.iter().any(|one| one == argument)
        }
        _ => false,
    }
}

/// What an agent is told of its pseudonyms.
#[derive(Default)]
struct Told {
    unknown: BTreeSet<String>,
    misplaced: BTreeSet<String>,
}

impl Told {
    fn unknown(&mut self, place: &Place, what: &str) {
        let Place { argument, .. } = place;
        self.unknown.insert(format!("`{}` in `{}` {what}", shown(&place.written), shown(argument)));
    }

    /// Where values never go, whatever rules say.
    fn place(&mut self, place: &Place) {
        let why = match place.within {
            Within::Text => return,
            Within::Link => "stands in a link or a tag",
            Within::Key => "stands in a name",
            Within::Beside => "stands in an answer to a question of Intercom",
        };
        let (written, argument) = (shown(&place.written), shown(&place.argument));
        self.misplaced.insert(format!("`{written}` in `{argument}` {why}"));
    }

    fn finding(self) -> Option<Finding> {
        let list =
            |all: BTreeSet<String>| all.into_iter().take(MOST_TOLD).collect::<Vec<_>>().join("; ");
        if !self.unknown.is_empty() {
            let text = format!(
                "{}; copy a pseudonym exactly as you were shown it, or read the record again",
                list(self.unknown)
            );
            return Some(Finding::denied(UNKNOWN, &text));
        }
        (!self.misplaced.is_empty()).then(|| {
            let text = format!("{}, where none is ever turned back", list(self.misplaced));
            Finding::denied(MISPLACED, &text)
        })
    }
}

/// The agent's own words, on one line and not too many.
fn shown(text: &str) -> String {
    let plain = |c: char| if crate::domain::is_hidden(c) || c == '`' { '?' } else { c };
    text.chars().take(60).map(plain).collect()
}
