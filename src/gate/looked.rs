//! What a held call would change, as it was when somebody looked.
//!
//! The object is at Intercom and belongs to others: between a person's look and the sending it may
//! change. So its version is part of what an approval is bound to, it is read again before anything
//! is sent, and what cannot be read is not released. This narrows the race with the world outside; it
//! cannot end it.

use std::collections::{BTreeMap, HashSet};

use super::Gate;
use crate::domain::{
    Binding, Call, Hold, HoldEvent, HoldState, JsonText, Mark, Revises, Risk, TargetVersion,
};
use crate::holds::HoldError;
use crate::intercom::{Lookup, Publicity, Sight, lookup};

/// The longest title that is kept, in bytes; Intercom's are of 255 letters at most.
const LONGEST_TITLE: usize = 1_024;

/// An object that was just read.
#[derive(Debug, Clone)]
pub struct Target {
    /// What rules see of it.
    pub facts: JsonText,
    /// All of it.
    pub object: JsonText,
    /// Its state, such as `draft`.
    pub state: Option<String>,
    /// Which version it is.
    pub version: TargetVersion,
}

/// What is known of what a call would change.
#[derive(Debug, Clone)]
pub enum Looked {
    /// It changes nothing that is there already.
    Nothing,
    /// It was read just now.
    Now(Box<Target>),
    /// It could not be read, and why.
    Unread(String),
}

impl Looked {
    /// What was read.
    #[must_use]
    pub const fn target(&self) -> Option<&Target> {
        match self {
            Self::Now(target) => Some(target),
            Self::Nothing | Self::Unread(_) => None,
        }
    }

    /// Its state, such as `draft`.
    #[must_use]
    pub fn state(&self) -> Option<String> {
        self.target().and_then(|target| target.state.clone())
    }

    /// What rules see of it.
    #[must_use]
    pub fn facts(&self) -> Option<JsonText> {
        self.target().map(|target| target.facts.clone())
    }
}

impl Gate {
    /// A target that was read, with its version.
    #[must_use]
    pub fn target(&self, lookup: &Lookup, sight: Sight) -> Target {
        let name = lookup.reference();
        let marked = |(part, text): (String, String)| {
            let keyed = [name.as_bytes(), part.as_bytes(), text.as_bytes()];
            let keyed = self.sealer.mac("portcullis/target-part/v1", &keyed);
            (part, Mark::of(&keyed))
        };
        let all: Vec<&[u8]> = std::iter::once(name.as_bytes())
            .chain(sight.parts.iter().flat_map(|(name, text)| [name.as_bytes(), text.as_bytes()]))
            .collect();
        let digest = self.sealer.mac("portcullis/target/v1", &all);
        let parts: BTreeMap<String, Mark> = sight.parts.into_iter().map(marked).collect();
        // Without a title it is called by its id.
        let title = sight.title.filter(|title| title.len() <= LONGEST_TITLE);
        let title =
            title.and_then(|it| self.sealer.seal(&title_context(&name), it.as_bytes()).ok());
        let version = TargetVersion { digest, parts, updated_at: sight.updated_at, title };
        Target { facts: sight.facts, object: sight.object, state: sight.state, version }
    }

    /// What the object of a held call was called when it was last read for the hold.
    #[must_use]
    pub fn target_title(&self, hold: &Hold, lookup: &Lookup) -> Option<String> {
        let sealed = hold.opened.target.as_ref()?.title.as_ref()?;
        let plain = self.sealer.open(&title_context(&lookup.reference()), sealed).ok()?;
        String::from_utf8(plain).ok()
    }

    /// Which object a call would change, so that holds on one object are found.
    pub(super) fn object_of(&self, call: &Call) -> Option<Mark> {
        let name = lookup(call.subject.tool()?, &call.payload)?.reference();
        Some(self.object_mark(&name))
    }

    /// The mark of holds on the article with an id.
    #[must_use]
    pub fn mark_of_article(&self, id: &str) -> Mark {
        let call = JsonText::of(&serde_json::json!({ "id": id }));
        let name = lookup("update_article", &call).map(|it| it.reference()).unwrap_or_default();
        self.object_mark(&name)
    }

    fn object_mark(&self, name: &str) -> Mark {
        Mark::of(&self.sealer.mac("portcullis/object/v1", &[name.as_bytes()]))
    }

    /// Notes what a call that was just held would change, for those who look at it later. A hold that
    /// somebody decided on meanwhile, or whose target is known, stays as it is.
    ///
    /// # Errors
    /// If it cannot be recorded.
    pub async fn note_target(&self, hold: &Hold, target: &Target) -> Result<Hold, HoldError> {
        let state = target.state.as_deref();
        let risk = self.stored_contents(hold).map_or(Risk::Medium, |held| {
            let arguments = JsonText::from_valid(held.arguments.into_bytes().into());
            Publicity::of(&hold.binding().tool, &arguments, state).risk()
        });
        let event = HoldEvent::Targeted { target: Box::new(target.version.clone()), risk };
        match self.holds.step(hold.id, event).await {
            Err(HoldError::Illegal { id, .. }) => self.holds.hold(id),
            noted => noted,
        }
    }

    /// The hold that a new one follows: the same principal was asked for changes of a call of the same
    /// tool on the same object, and did not answer yet. A call that makes something new follows the
    /// one such hold, if there is but one.
    pub(super) fn revised_by(&self, binding: &Binding, object: Option<Mark>) -> Option<Revises> {
        let principal = &binding.principal;
        let mut asked = self.holds.snapshot_of(principal, |one| {
            one.state == HoldState::ChangesRequested
                && one.binding().tool == binding.tool
                && one.opened.object == object
        });
        // Of most agents nobody asks anything, and some have thousands of holds.
        if asked.is_empty() {
            return None;
        }
        let mut answered = HashSet::new();
        self.holds.for_each_of(principal, |one| {
            answered.extend(one.opened.revises.map(|it| it.hold));
        });
        asked.retain(|one| !answered.contains(&one.id));
        let mut asked = asked.iter();
        let newest = asked.next()?;
        let is_clear = object.is_some() || asked.next().is_none();
        is_clear.then(|| Revises { hold: newest.id, revision: newest.revision() + 1 })
    }
}

fn title_context(name: &str) -> String {
    format!("target/{name}/title")
}

/// What a call would do to what is public.
pub(super) fn publicity(call: &Call, target: Option<&Target>) -> Publicity {
    let state = target.and_then(|target| target.state.as_deref());
    Publicity::of(call.subject.tool().unwrap_or_default(), &call.payload, state)
}

/// Whether a call changes something that is there already.
#[must_use]
pub fn has_target(call: &Call) -> bool {
    call.subject.tool().and_then(|tool| lookup(tool, &call.payload)).is_some()
}

/// The binding with the version that was read just now; as it was where it could not be read.
pub(super) fn with_target(binding: Binding, looked: &Looked) -> Binding {
    match looked {
        Looked::Nothing => Binding { target: None, ..binding },
        Looked::Now(target) => Binding { target: Some(target.version.digest), ..binding },
        Looked::Unread(_) => binding,
    }
}

/// What is another at Intercom since the hold was last looked at; `None` if nothing is, or it is not
/// known.
pub(super) fn changed_since(hold: &Hold, looked: &Looked) -> Option<String> {
    let now = &looked.target()?.version;
    match (&hold.opened.target, hold.binding().target) {
        (Some(was), Some(_)) => was.what_changed(now),
        _ => None,
    }
}
