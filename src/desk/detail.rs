//! One hold with everything that a person needs to decide on it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Desk, DeskError, Shown, decides, reads};
use crate::clock;
use crate::domain::{Action, ApproverId, Binding, Digest, Hold, HoldId, JsonText, Timestamp};
use crate::gate::Looked;
use crate::holds::HoldView;
use crate::identity::Person;
use crate::review::{Asked, Now, Review, Similar, review};

/// What a held call contains.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Contents {
    /// The arguments, exactly as they will be sent but for pseudonyms.
    pub arguments: String,
    /// Whether pseudonyms in them are turned back in what is sent.
    pub pseudonyms: bool,
    /// The arguments exactly as they will be sent, if somebody asked who may see that.
    pub revealed: Option<String>,
    /// What will be sent beside them, if anything.
    pub beside: Option<String>,
    /// Why the agent calls, in its own words: untrusted.
    pub reason: Option<String>,
    /// The arguments as the agent gave them, if a person changed them.
    pub original: Option<String>,
}

/// What the call would change, as it is now.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "object", rename_all = "snake_case")]
pub enum Object {
    /// Nothing that is there already.
    None,
    /// It was read just now.
    Now {
        /// When.
        read_at: Timestamp,
        /// All of it, as JSON.
        json: String,
    },
    /// It could not be read.
    Unread {
        /// Why.
        why: String,
    },
}

/// One hold for a person.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Detail {
    /// What is known without its contents.
    pub hold: HoldView,
    /// What a decision on what is shown here is bound to: the present version of the object is part
    /// of it.
    pub binding: Digest,
    /// What changed at Intercom since the hold was last looked at, in words.
    pub moved: Option<String>,
    /// The call.
    pub contents: Contents,
    /// What it would change.
    pub object: Object,
    /// The earlier revision's arguments, if this is a later one.
    pub earlier: Option<Earlier>,
    /// What plugins see in its arguments: kinds and how many of each.
    pub found: Vec<(String, usize)>,
    /// Other holds on the same object that are not over.
    pub others: Vec<HoldId>,
    /// What rules let people do with it.
    pub actions: Vec<Action>,
    /// The latest end of the wait that people may set.
    pub latest: Timestamp,
    /// Others to whom it can be given.
    #[serde(default)]
    pub colleagues: Vec<ApproverId>,
    /// What keeps this person from releasing it.
    pub barred: Option<String>,
    /// Until when this person does not want to see it in their inbox.
    pub snoozed: Option<Timestamp>,
    /// Articles that are there already, for a call that makes one.
    pub present: Present,
}

/// The articles that are there already.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "present", rename_all = "snake_case")]
pub enum Present {
    /// Nobody asks: the call makes no article or is over, or its reader may not decide on it.
    NotAsked,
    /// Some of them, found by the new one's title.
    Read {
        /// How many.
        count: usize,
        /// Those that are like the new one.
        similar: Vec<Similar>,
    },
    /// They could not be read.
    Unread {
        /// Why.
        why: String,
    },
}

/// The call that this one is a later revision of.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Earlier {
    /// Its hold.
    pub hold: HoldView,
    /// Its arguments.
    pub arguments: String,
}

impl Detail {
    /// What it comes to, for eyes.
    #[must_use]
    pub fn review(&self) -> Review {
        let text = |json: &str| JsonText::from_valid(json.to_owned().into_bytes().into());
        let arguments = text(&self.contents.arguments);
        let object = match &self.object {
            Object::Now { json, read_at } => Some((text(json), *read_at)),
            Object::None | Object::Unread { .. } => None,
        };
        let now = match (&self.object, &object) {
            (Object::Unread { why }, _) => Now::NotRead { why },
            (_, Some((answer, at))) => Now::Read { answer, at: *at },
            (_, None) => Now::New,
        };
        let similar = match &self.present {
            Present::Read { similar, .. } => similar.as_slice(),
            Present::NotAsked | Present::Unread { .. } => &[],
        };
        let (tool, found) = (self.hold.tool.as_str(), self.found.as_slice());
        review(Asked { tool, arguments: &arguments, now, found, similar })
    }
}

impl Desk {
    /// One hold with its call, and what that would change as it is now.
    ///
    /// # Errors
    /// If there is no such hold, this person may not read, or the stored call cannot be opened.
    pub async fn detail(
        self: &Arc<Self>,
        person: &Person,
        id: HoldId,
    ) -> Result<Detail, DeskError> {
        reads(person)?;
        let hold = self.known(id).await?;
        let asks = hold.state.is_undecided();
        let (looked, present) = tokio::join!(self.look_at(&hold), self.present(person, &hold));
        // It may have moved on while Intercom was asked.
        let hold = self.gate.holds().hold(id).unwrap_or(hold);
        let now = clock::now();
        let binding = Binding {
            target: looked.target().map_or(hold.binding().target, |it| Some(it.version.digest)),
            ..hold.binding().clone()
        };
        let barred = if asks { self.barred(person, &hold, &looked).await } else { None };
        let moved = looked.target().and_then(|target| {
            hold.opened.target.as_ref().and_then(|was| was.what_changed(&target.version))
        });
        let object = match looked {
            Looked::Nothing => Object::None,
            Looked::Now(target) => {
                Object::Now { read_at: now, json: target.object.as_str().to_owned() }
            }
            Looked::Unread(why) => Object::Unread { why },
        };
        let actions = Action::ALL.into_iter().filter(|it| hold.opened.release.permits(*it));
        Ok(Detail {
            binding: binding.digest(),
            moved,
            contents: self.contents(&hold)?,
            object,
            earlier: self.earlier(&hold),
            found: self.gate.found_in(&hold, &self.identity).await,
            others: self.others(&hold),
            actions: actions.collect(),
            latest: hold.latest(),
            colleagues: if asks {
                let mut all = self.gate.who_may_release(&hold);
                all.retain(|name| *name != person.id);
                all
            } else {
                Vec::new()
            },
            barred,
            snoozed: self.snoozes.of(&person.id, (hold.id, hold.version), now),
            present,
            hold: HoldView::from(&hold),
        })
    }

    /// Notes that a person has a hold's call on the screen, as it is in this detail. Who only asks what a
    /// hold's state is, does not.
    pub fn opened(&self, person: &Person, detail: &Detail) {
        let shown = (detail.hold.id, detail.hold.version);
        self.looks.note(person, shown, detail.binding);
    }

    /// One hold with its call, and nothing that has to be asked for elsewhere.
    ///
    /// # Errors
    /// As [`Desk::detail`].
    pub fn show(&self, person: &Person, id: HoldId) -> Result<(HoldView, Contents), DeskError> {
        reads(person)?;
        let hold = self.hold(id)?;
        self.looks.note(person, (id, hold.version), hold.binding().digest());
        Ok((HoldView::from(&hold), self.contents(&hold)?))
    }

    /// The arguments exactly as they will be sent, for somebody whom policy lets see what pseudonyms
    /// stand for.
    ///
    /// # Errors
    /// As [`Desk::detail`], and if policy does not.
    pub async fn revealed(&self, person: &Person, id: HoldId) -> Result<String, DeskError> {
        reads(person)?;
        let ask = self.wishing(person, &Shown::now(id)).await;
        let revealed = self.gate.revealed(&ask).await;
        let revealed = revealed.map_err(|error| DeskError::of(&self.gate, id, error))?;
        Ok(revealed.as_str().to_owned())
    }

    pub(super) fn hold(&self, id: HoldId) -> Result<Hold, DeskError> {
        let hold = self.gate.holds().hold(id);
        hold.map_err(|error| DeskError::of_hold(&self.gate, id, &error))
    }

    /// What keeps somebody from releasing a hold that waits.
    async fn barred(&self, person: &Person, hold: &Hold, looked: &Looked) -> Option<String> {
        if let Some(why) = self.barred_by_hold(person, hold) {
            return Some(why);
        }
        let ask = self.deciding(person, &Shown::now(hold.id), looked.clone());
        self.gate.barred_by_policy(&ask, hold).await
    }

    /// As far as the hold itself tells.
    pub(super) fn barred_by_hold(&self, person: &Person, hold: &Hold) -> Option<String> {
        match decides(person) {
            Err(DeskError::Forbidden { text, .. }) => Some(text),
            Err(error) => Some(error.to_string()),
            Ok(()) => self.gate.barred(person, hold, &self.identity),
        }
    }

    pub(super) fn contents(&self, hold: &Hold) -> Result<Contents, DeskError> {
        let unreadable =
            |why| DeskError::Unavailable(format!("the stored call cannot be read: {why}"));
        let contents = self.gate.stored_contents(hold).map_err(unreadable)?;
        Ok(Contents {
            arguments: contents.arguments,
            pseudonyms: contents.restored.is_some(),
            revealed: None,
            beside: contents.beside,
            reason: contents.reason,
            original: self.gate.original_arguments(hold),
        })
    }

    fn earlier(&self, hold: &Hold) -> Option<Earlier> {
        let earlier = self.gate.holds().hold(hold.opened.revises?.hold).ok()?;
        let arguments = self.gate.stored_contents(&earlier).ok()?.arguments;
        Some(Earlier { hold: HoldView::from(&earlier), arguments })
    }

    /// Other calls that wait for the same object: releasing one makes the others stale.
    fn others(&self, hold: &Hold) -> Vec<HoldId> {
        let Some(object) = hold.opened.object else { return Vec::new() };
        let mut others = Vec::new();
        self.gate.holds().for_each(|other| {
            if other.id != hold.id && other.opened.object == Some(object) && !other.state.is_final()
            {
                others.push(other.id);
            }
        });
        others
    }
}
