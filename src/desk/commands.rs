//! What a person does about one hold.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Desk, DeskError, Shown, decides};
use crate::domain::{ApproverId, Digest, Effected, Hold, HoldState, JsonText, OnRelease};
use crate::gate::DecideError;
use crate::holds::HoldView;
use crate::identity::Person;
use crate::mcp::json;

/// The longest words of a person to an agent, in characters.
const LONGEST: usize = 500;

/// What was decided.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Decided {
    /// The hold as it is now.
    pub hold: HoldView,
    /// What came of it, in words.
    pub words: String,
}

impl Decided {
    pub(super) fn new(hold: &Hold, words: impl Into<String>) -> Self {
        Self { hold: HoldView::from(hold), words: words.into() }
    }
}

impl Desk {
    /// Releases a hold. It is judged again, and exactly the stored call is sent; enough people must
    /// release it.
    ///
    /// # Errors
    /// If this person may not, the hold is not as it was on the screen, policy denies the call by
    /// now, or a record cannot be written.
    pub async fn approve(
        self: &Arc<Self>,
        person: &Person,
        shown: &Shown,
    ) -> Result<Decided, DeskError> {
        let wish = Box::pin(async {
            decides(person)?;
            let ask = self.releasing(person, shown).await;
            let hold = self.told(shown, self.gate.approve(&ask).await)?;
            Ok(self.approved(person, hold).await)
        });
        self.once.run(&person.id, shown.key.as_deref(), named("approve", shown, ""), wish).await
    }

    /// Releases a hold with other arguments. They are judged like the agent's own; the agent is told
    /// which fields a person changed.
    ///
    /// # Errors
    /// As [`Desk::approve`], and if the arguments do not fit the tool, name another object, or are
    /// denied.
    pub async fn approve_edited(
        self: &Arc<Self>,
        person: &Person,
        shown: &Shown,
        arguments: &str,
    ) -> Result<Decided, DeskError> {
        let wish = Box::pin(async {
            decides(person)?;
            let read = read(arguments)?;
            let ask = self.releasing(person, shown).await;
            let hold = self.told(shown, self.gate.approve_edited(&ask, &read).await)?;
            let fields = hold.edits.last().map(|it| it.fields.join(", ")).unwrap_or_default();
            let decided = self.approved(person, hold).await;
            Ok(Decided { words: format!("{fields} changed, {}", decided.words), ..decided })
        });
        let what = named("edit", shown, arguments);
        self.once.run(&person.id, shown.key.as_deref(), what, wish).await
    }

    /// Gives a hold to somebody, or to nobody in particular. The record keeps whom it was given to
    /// before, and nobody's rights change.
    ///
    /// # Errors
    /// As [`Desk::approve`].
    pub async fn assign(
        &self,
        person: &Person,
        shown: &Shown,
        to: Option<ApproverId>,
    ) -> Result<Decided, DeskError> {
        let name = to.as_ref().map_or_else(|| "nobody".to_owned(), ToString::to_string);
        let what = named("assign", shown, &name);
        let wish = Box::pin(async {
            decides(person)?;
            let ask = self.wishing(person, shown).await;
            let hold = self.told(shown, self.gate.assign(&ask, to).await)?;
            Ok(Decided::new(&hold, format!("given to {name} by {}", person.id)))
        });
        self.once.run(&person.id, shown.key.as_deref(), what, wish).await
    }

    /// Lengthens the wait by a span, as far as rules let people do so.
    ///
    /// # Errors
    /// As [`Desk::approve`], and if it waits as long as it may already.
    pub async fn extend(
        &self,
        person: &Person,
        shown: &Shown,
        by: Duration,
    ) -> Result<Decided, DeskError> {
        let what = named("extend", shown, &by.as_secs().to_string());
        let wish = Box::pin(async {
            decides(person)?;
            let hold = self.hold(shown.id)?;
            let (now, latest) = (hold.opened.expires_at, hold.latest());
            if now >= latest && hold.state == HoldState::Pending {
                let text =
                    format!("its conditions let it wait until {latest} at most, and it does");
                return Err(DeskError::Invalid(text));
            }
            let ask = self.wishing(person, shown).await;
            let hold = self.told(shown, self.gate.extend(&ask, now.plus(by).min(latest)).await)?;
            let until = hold.opened.expires_at;
            Ok(Decided::new(&hold, format!("waits until {until}, by {}", person.id)))
        });
        self.once.run(&person.id, shown.key.as_deref(), what, wish).await
    }

    /// Says what became of a call whose outcome is not known, as somebody saw it at Intercom.
    ///
    /// # Errors
    /// As [`Desk::approve`].
    pub async fn note(
        &self,
        person: &Person,
        shown: &Shown,
        effected: Effected,
        text: &str,
    ) -> Result<Decided, DeskError> {
        let what = named("note", shown, &format!("{}: {text}", effected.words()));
        let wish = Box::pin(async {
            decides(person)?;
            let ask = self.wishing(person, shown).await;
            let text = said(text).unwrap_or_default();
            let hold = self.told(shown, self.gate.note(&ask, effected, text).await)?;
            Ok(Decided::new(&hold, format!("noted by {}: {}", person.id, effected.words())))
        });
        self.once.run(&person.id, shown.key.as_deref(), what, wish).await
    }

    /// What comes of a release, which ends by itself if nothing else is waited for.
    pub(super) async fn approved(self: &Arc<Self>, person: &Person, hold: Hold) -> Decided {
        let by = format!("approved by {}", person.id);
        match (hold.state, hold.opened.on_release) {
            (HoldState::Approved, OnRelease::Send) => {
                let released = self.release(hold.id);
                let decided = self.fate(hold, released).await;
                Decided { words: format!("{by}; {}", decided.words), ..decided }
            }
            (HoldState::Pending, _) => {
                let people = hold.opened.release.people;
                Decided::new(&hold, format!("{by} ({} of {people})", hold.approvals.len()))
            }
            _ => {
                let later = "it is sent while the agent waits in an identical call";
                Decided::new(&hold, format!("{by}; {later}"))
            }
        }
    }

    /// Refuses a hold; the reason reaches the agent.
    ///
    /// # Errors
    /// As [`Desk::approve`], and if there is no reason.
    pub async fn reject(
        &self,
        person: &Person,
        shown: &Shown,
        reason: &str,
    ) -> Result<Decided, DeskError> {
        let wish = Box::pin(async {
            decides(person)?;
            let words = said(reason).ok_or_else(|| {
                DeskError::Invalid(
                    "give the agent a reason: `portcullis holds reject ID REASON`".to_owned(),
                )
            })?;
            let ask = self.wishing(person, shown).await;
            let hold = self.told(shown, self.gate.reject(&ask, words).await)?;
            Ok(Decided::new(&hold, format!("rejected by {}", person.id)))
        });
        self.once.run(&person.id, shown.key.as_deref(), named("reject", shown, reason), wish).await
    }

    /// Asks the agent for a change; it has to make the call again, and people see what is another.
    ///
    /// # Errors
    /// As [`Desk::approve`], and if there is no question.
    pub async fn ask_for_changes(
        &self,
        person: &Person,
        shown: &Shown,
        question: &str,
    ) -> Result<Decided, DeskError> {
        let wish = Box::pin(async {
            decides(person)?;
            let words = said(question).ok_or_else(|| {
                DeskError::Invalid(
                    "say what the agent is to change: `portcullis holds ask ID WORDS`".to_owned(),
                )
            })?;
            let ask = self.wishing(person, shown).await;
            let hold = self.told(shown, self.gate.ask_for_changes(&ask, words).await)?;
            Ok(Decided::new(&hold, format!("changes asked for by {}", person.id)))
        });
        self.once.run(&person.id, shown.key.as_deref(), named("ask", shown, question), wish).await
    }

    /// Takes a release back before it is used.
    ///
    /// # Errors
    /// As [`Desk::approve`].
    pub async fn revoke(&self, person: &Person, shown: &Shown) -> Result<Decided, DeskError> {
        let wish = Box::pin(async {
            decides(person)?;
            let ask = self.wishing(person, shown).await;
            let hold = self.told(shown, self.gate.revoke(&ask).await)?;
            Ok(Decided::new(&hold, format!("release taken back by {}", person.id)))
        });
        self.once.run(&person.id, shown.key.as_deref(), named("revoke", shown, ""), wish).await
    }

    /// What the gate says, in the desk's words.
    pub(super) fn told(
        &self,
        shown: &Shown,
        decided: Result<Hold, DecideError>,
    ) -> Result<Hold, DeskError> {
        decided.map_err(|error| DeskError::of(&self.gate, shown.id, error))
    }
}

/// Arguments that a person wrote, read as strictly as an agent's.
fn read(arguments: &str) -> Result<JsonText, DeskError> {
    let wrong =
        |why: String| DeskError::Invalid(format!("the arguments are no JSON object: {why}"));
    let bytes = arguments.to_owned().into_bytes().into();
    let read = json::read(bytes, &json::Limits::default()).map_err(|why| wrong(why.to_string()))?;
    read.object().ok_or_else(|| wrong("they are something else".to_owned()))?;
    Ok(read.text())
}

/// A person's words as they may reach an agent; `None` if there are none.
pub(super) fn said(words: &str) -> Option<String> {
    let plain = words.chars().filter(|letter| !crate::domain::is_hidden(*letter));
    let plain: String = plain.filter(|it| !it.is_control()).take(LONGEST).collect();
    (!plain.trim().is_empty()).then(|| plain.trim().to_owned())
}

/// Everything that a wish consists of.
pub(super) fn named(action: &str, shown: &Shown, more: &str) -> Digest {
    let id = shown.id.to_string();
    let version = shown.if_version.map(|it| it.to_string()).unwrap_or_default();
    let binding = shown.binding.map(|it| it.to_string()).unwrap_or_default();
    let parts = [action, &id, &version, &binding, more];
    Digest::of("portcullis/wish/v1", &parts.map(str::as_bytes))
}
