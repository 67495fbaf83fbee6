//! Held calls of before, for those who look back: found by what is known of them without their calls.
//!
//! What is asked is answered from the log, so that it reaches back as far as the archive does, whatever
//! the live view has forgotten.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Desk, DeskError, reads};
use crate::audit::Reader;
use crate::domain::{ApproverId, Hold, HoldId, HoldState, PrincipalId, Seq, Timestamp, Used};
use crate::holds::{Finding, HoldView, Past};
use crate::identity::Person;

/// Which held calls somebody looks for; everything that is not named matches.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lookback {
    /// In this state.
    pub state: Option<HoldState>,
    /// Of this tool.
    pub tool: Option<String>,
    /// Of this agent.
    pub principal: Option<PrincipalId>,
    /// Released by this person.
    pub approver: Option<ApproverId>,
    /// With which this person did anything, or whom the agent acts for.
    pub person: Option<String>,
    /// Held by this rule, or one with these words in its title.
    pub rule: Option<String>,
    /// Under the policy revision that begins with these digits.
    pub revision: Option<String>,
    /// About the article with this id.
    pub article: Option<String>,
    /// Opened at this time or later.
    pub since: Option<Timestamp>,
    /// Opened at this time or earlier.
    pub until: Option<Timestamp>,
    /// How many to leave out.
    pub skip: usize,
    /// How many to show; 100 if absent, 200 at most.
    pub take: Option<usize>,
}

/// A held call of before.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PastRow {
    /// What is known of it without its contents.
    pub hold: HoldView,
    /// What it is about: a title, or the object's name; not in an export.
    pub object: Option<String>,
    /// The policy revision it was last judged by.
    pub revision: String,
    /// When it last changed.
    pub changed_at: Timestamp,
    /// Whether its release was ever used.
    pub used: Used,
    /// The positions of its records.
    pub records: Vec<Seq>,
}

/// A part of what was found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PastPage {
    /// Newest first.
    pub rows: Vec<PastRow>,
    /// How many match.
    pub total: usize,
    /// Since when held calls are looked through, if the log has older ones.
    pub since: Option<Timestamp>,
    /// How many lines about held calls cannot be read.
    pub unreadable: usize,
}

/// The most rows of one page: the call of each is read from the log.
const MOST: usize = 200;

impl Desk {
    /// A page of held calls of before, with their titles.
    ///
    /// # Errors
    /// If this person may not read, or the log cannot be read.
    pub async fn history(
        self: &Arc<Self>,
        person: &Person,
        wanted: &Lookback,
    ) -> Result<PastPage, DeskError> {
        let take = wanted.take.unwrap_or(100).min(MOST);
        self.look_back(person, wanted, take, true).await
    }

    /// All held calls of before that match, whatever part is asked for, without their titles.
    ///
    /// # Errors
    /// As [`Desk::history`].
    pub async fn history_export(
        self: &Arc<Self>,
        person: &Person,
        wanted: &Lookback,
    ) -> Result<PastPage, DeskError> {
        let wanted = Lookback { skip: 0, ..wanted.clone() };
        self.look_back(person, &wanted, usize::MAX, false).await
    }

    async fn look_back(
        self: &Arc<Self>,
        person: &Person,
        wanted: &Lookback,
        take: usize,
        named: bool,
    ) -> Result<PastPage, DeskError> {
        reads(person)?;
        let (desk, wanted) = (self.clone(), wanted.clone());
        let found = tokio::task::spawn_blocking(move || {
            let object = wanted.article.as_ref().map(|id| desk.gate.mark_of_article(id));
            let pick = |hold: &Hold| {
                desk.matches(&wanted, hold)
                    && object.is_none_or(|object| hold.opened.object == Some(object))
            };
            let Finding { holds, total, since, unreadable } =
                desk.archive.find(pick, wanted.skip, take)?;
            let mut reader = named.then(|| desk.archive.reader());
            let row = |past| desk.past(past, reader.as_mut());
            let rows = holds.into_iter().map(row).collect();
            Ok::<_, crate::audit::ReadError>(PastPage { rows, total, since, unreadable })
        });
        unreadable(found.await)
    }

    /// One hold as it is, or as the log tells it if it left the live view.
    pub(super) async fn known(self: &Arc<Self>, id: HoldId) -> Result<Hold, DeskError> {
        if let Ok(hold) = self.gate.holds().hold(id) {
            return Ok(hold);
        }
        let desk = self.clone();
        let found = tokio::task::spawn_blocking(move || desk.archive.hold(id));
        unreadable(found.await)?.ok_or(DeskError::NoSuchHold(id))
    }

    fn matches(&self, wanted: &Lookback, hold: &Hold) -> bool {
        let by = |name: &str| {
            let same = |id: &ApproverId| id.as_str() == name;
            let acts_for = self.identity.principal(&hold.binding().principal);
            hold.approvers().any(same)
                || hold.ended_by() == Some(name)
                || hold.edits.iter().any(|it| same(&it.by))
                || hold
                    .assignments
                    .iter()
                    .any(|it| same(&it.by) || it.to.as_ref().is_some_and(same))
                || hold.notes.iter().any(|it| same(&it.by))
                || hold.own.as_ref().is_some_and(|own| own.by == name)
                || acts_for.is_some_and(|it| it.on_behalf_of.as_deref() == Some(name))
        };
        wanted.state.is_none_or(|it| it == hold.state)
            && wanted.tool.as_ref().is_none_or(|it| *it == hold.binding().tool)
            && wanted.principal.as_ref().is_none_or(|it| *it == hold.binding().principal)
            && wanted.approver.as_ref().is_none_or(|it| hold.approvers().any(|by| by == it))
            && wanted.person.as_ref().is_none_or(|it| by(it))
            && wanted
                .rule
                .as_ref()
                .is_none_or(|it| hold.opened.reasons.iter().any(|reason| reason.is_by(it)))
            && wanted.revision.as_ref().is_none_or(|it| hold.binding().ruleset.begins_with(it))
            && wanted.since.is_none_or(|it| hold.opened_at >= it)
            && wanted.until.is_none_or(|it| hold.opened_at <= it)
    }

    /// A row; with a reader, the call is read for its title.
    fn past(&self, past: Past, reader: Option<&mut Reader>) -> PastRow {
        let whole = reader.and_then(|reader| past.whole(reader).ok().flatten());
        let Past { hold, records } = past;
        PastRow {
            object: whole.and_then(|whole| self.object_name(&whole)),
            revision: hold.binding().ruleset.to_string(),
            changed_at: hold.changed_at,
            used: Used::of(&hold),
            hold: HoldView::from(&hold),
            records: records.into_iter().map(|(seq, _)| seq).collect(),
        }
    }
}

pub(super) fn unreadable<T>(
    read: Result<Result<T, crate::audit::ReadError>, tokio::task::JoinError>,
) -> Result<T, DeskError> {
    let failed = |why: String| DeskError::Unavailable(format!("the log cannot be read: {why}"));
    read.map_err(|error| failed(error.to_string()))?.map_err(|error| failed(error.to_string()))
}
