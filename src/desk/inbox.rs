//! What waits, for the people who decide: riskiest first, and what expires soonest before the rest.
//!
//! Rows that somebody may not decide are shown as well; who may is asked when they decide.

use serde::{Deserialize, Serialize};

use super::{Desk, DeskError, reads};
use crate::clock;
use crate::domain::{ApproverId, Hold, HoldState, JsonText, PrincipalId, Risk, Timestamp};
use crate::holds::HoldView;
use crate::identity::Person;
use crate::intercom::lookup;

/// Which holds somebody wants to see; everything that is not named matches.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// Of this tool.
    pub tool: Option<String>,
    /// Of this principal.
    pub principal: Option<PrincipalId>,
    /// Of this risk.
    pub risk: Option<Risk>,
    /// In this state; those that are not over if absent.
    pub state: Option<HoldState>,
    /// Also those that are over.
    pub over: bool,
    /// Given to this person.
    pub assignee: Option<ApproverId>,
    /// Given to nobody.
    pub unassigned: bool,
    /// That expire within so many seconds.
    pub expiring_seconds: Option<u64>,
    /// How many rows to leave out.
    pub skip: usize,
    /// How many rows to show; 100 if absent, 1,000 at most.
    pub take: Option<usize>,
}

/// One hold in a list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Row {
    /// What is known of it without its contents.
    pub hold: HoldView,
    /// What it is about: a title, or the object's name.
    pub object: Option<String>,
    /// When it expires, in seconds from now.
    pub seconds_left: u64,
    /// How many people are still to release it.
    pub missing: u32,
}

/// A part of a list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Page {
    /// In order.
    pub rows: Vec<Row>,
    /// How many match.
    pub total: usize,
    /// How many are waiting in all, whatever the filter.
    pub waiting: usize,
    /// When the last decision fell.
    pub last_decision: Option<Timestamp>,
}

/// The most rows of a page.
const MOST: usize = 1_000;
/// The longest title in a row, in characters.
const TITLE: usize = 120;

impl Filter {
    fn takes(&self, hold: &Hold, now: Timestamp) -> bool {
        let is = |wanted: &Option<ApproverId>| {
            wanted.as_ref().is_none_or(|it| Some(it) == hold.assignee())
        };
        let soon = self.expiring_seconds.is_none_or(|seconds| {
            hold.opened.expires_at.since(now).as_secs() <= seconds && !hold.state.is_final()
        });
        self.state.map_or(self.over || !hold.state.is_final(), |it| it == hold.state)
            && self.tool.as_ref().is_none_or(|it| *it == hold.binding().tool)
            && self.principal.as_ref().is_none_or(|it| *it == hold.binding().principal)
            && self.risk.is_none_or(|it| it == hold.opened.risk)
            && is(&self.assignee)
            && (!self.unassigned || hold.assignee().is_none())
            && soon
    }
}

impl Desk {
    /// A page of what waits, and of what is over if it is asked for.
    ///
    /// # Errors
    /// If this person may not read.
    pub fn inbox(&self, person: &Person, filter: &Filter) -> Result<Page, DeskError> {
        reads(person)?;
        let now = clock::now();
        let (mut found, mut waiting, mut last_decision) = (Vec::new(), 0, None);
        self.gate.holds().for_each(|hold| {
            waiting += usize::from(hold.state == HoldState::Pending);
            if is_decided(hold.state) {
                last_decision = last_decision.max(Some(hold.changed_at));
            }
            if filter.takes(hold, now) {
                let (over, left) = (hold.state.is_final(), hold.opened.expires_at);
                // What is over: newest first. What waits: riskiest first, then what expires first.
                let rank = match over {
                    true => (true, std::cmp::Reverse(Risk::Low), -hold.changed_at.millis()),
                    false => (false, std::cmp::Reverse(hold.opened.risk), left.millis()),
                };
                found.push((rank, hold.id));
            }
        });
        found.sort_unstable();
        let take = filter.take.unwrap_or(100).min(MOST);
        let page = found.iter().skip(filter.skip).take(take);
        let rows = page.filter_map(|(_, id)| self.gate.holds().hold(*id).ok());
        let rows = rows.map(|hold| self.row(&hold, now)).collect();
        Ok(Page { rows, total: found.len(), waiting, last_decision })
    }

    fn row(&self, hold: &Hold, now: Timestamp) -> Row {
        let given =
            hold.opened.release.counted(hold.approvals.iter().map(|it| it.groups.as_slice()));
        let given = u32::try_from(given).unwrap_or(u32::MAX);
        Row {
            hold: HoldView::from(hold),
            object: self.object_name(hold),
            seconds_left: hold.opened.expires_at.since(now).as_secs(),
            missing: hold.opened.release.people.saturating_sub(given),
        }
    }

    /// What a call is about: the title that it gives, or which object it changes.
    fn object_name(&self, hold: &Hold) -> Option<String> {
        #[derive(Deserialize)]
        struct Named {
            title: Option<String>,
        }
        let contents = self.gate.stored_contents(hold).ok()?;
        let named: Option<Named> = serde_json::from_str(&contents.arguments).ok();
        if let Some(title) = named.and_then(|it| it.title) {
            return Some(title.chars().take(TITLE).collect());
        }
        let arguments = JsonText::from_valid(contents.arguments.into_bytes().into());
        lookup(&hold.binding().tool, &arguments).map(|lookup| lookup.reference())
    }
}

/// Whether a person's decision led to this state.
const fn is_decided(state: HoldState) -> bool {
    !matches!(
        state,
        HoldState::Pending | HoldState::Stale | HoldState::Expired | HoldState::Cancelled
    )
}
