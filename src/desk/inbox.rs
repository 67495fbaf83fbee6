//! What waits, for the people who decide: riskiest first, and what expires soonest before the rest.
//!
//! Rows that somebody may not decide are shown as well, and say why; who may is asked again when they
//! decide. An agent that floods people stands in one row, so that it hides nobody else's calls.

use std::cmp::Reverse;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{Desk, DeskError, reads};
use crate::clock;
use crate::domain::{ApproverId, Hold, HoldId, HoldState, JsonText, PrincipalId, Risk, Timestamp};
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
    /// Each agent's together, and of an agent with very many one row for all. For those that wait.
    pub grouped: bool,
    /// Only those that this person put aside; they are left out otherwise if `grouped`.
    pub aside: bool,
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
    /// What keeps this person from releasing it, if it waits.
    pub barred: Option<String>,
    /// Whether this person opened it as it is now.
    pub opened: bool,
}

/// The calls of an agent of which very many wait.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Flood {
    /// Which agent.
    pub principal: PrincipalId,
    /// How many wait.
    pub count: usize,
    /// How many of them are of high risk.
    pub high: usize,
    /// When the first of them expires, in seconds from now.
    pub seconds_left: u64,
}

/// A part of a list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Page {
    /// In order.
    pub rows: Vec<Row>,
    /// Agents whose calls stand in one row each, if they are grouped.
    pub floods: Vec<Flood>,
    /// How many match.
    pub total: usize,
    /// How many this person put aside.
    pub aside: usize,
    /// How many are waiting in all, whatever the filter.
    pub waiting: usize,
    /// When the last decision fell.
    pub last_decision: Option<Timestamp>,
}

/// The most rows of a page.
const MOST: usize = 1_000;
/// More waiting calls of one agent than this stand in one row.
const CROWD: usize = 10;
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
        self.state.map_or(self.over || hold.needs_people(), |it| it == hold.state)
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
                found.push(Found::new(hold));
            }
        });
        let mut aside = 0;
        if filter.grouped || filter.aside {
            found.retain(|one| {
                let put = !one.over && self.is_aside(person, one, now);
                aside += usize::from(put);
                put == filter.aside
            });
        }
        let total = found.len();
        let floods = if filter.grouped { grouped(&mut found, filter, now) } else { Vec::new() };
        if !filter.grouped {
            found.sort_unstable_by_key(|one| one.rank);
        }
        let take = filter.take.unwrap_or(100).min(MOST);
        let page = found.iter().skip(filter.skip).take(take);
        let rows = page.filter_map(|one| self.gate.holds().hold(one.id).ok());
        let rows = rows.map(|hold| self.row(person, &hold, now)).collect();
        Ok(Page { rows, floods, total, aside, waiting, last_decision })
    }

    /// The hold that a person comes to after another one: the first in the order of their inbox that
    /// they may release, those of an agent that floods people after all others.
    #[must_use]
    pub fn next(&self, person: &Person, after: HoldId) -> Option<HoldId> {
        reads(person).ok()?;
        let now = clock::now();
        let mut found = Vec::new();
        self.gate.holds().for_each(|hold| {
            if hold.id != after && hold.state.is_undecided() {
                found.push(Found::new(hold));
            }
        });
        found.retain(|one| !self.is_aside(person, one, now));
        let _crowds = by_agent(&mut found);
        found.into_iter().map(|one| one.id).find(|id| {
            let hold = self.gate.holds().hold(*id);
            hold.is_ok_and(|hold| self.barred_by_hold(person, &hold).is_none())
        })
    }

    fn is_aside(&self, person: &Person, one: &Found, now: Timestamp) -> bool {
        self.snoozes.of(&person.id, (one.id, one.version), now).is_some()
    }

    fn row(&self, person: &Person, hold: &Hold, now: Timestamp) -> Row {
        let given =
            hold.opened.release.counted(hold.approvals.iter().map(|it| it.groups.as_slice()));
        let given = u32::try_from(given).unwrap_or(u32::MAX);
        Row {
            hold: HoldView::from(hold),
            object: self.object_name(hold),
            seconds_left: hold.opened.expires_at.since(now).as_secs(),
            missing: hold.opened.release.people.saturating_sub(given),
            barred: match hold.state.is_undecided() {
                true => self.barred_by_hold(person, hold),
                false => None,
            },
            opened: self.looks.of(person, hold).is_some(),
        }
    }

    /// What a call is about: the title that it gives, the title of what it changes, or which object that is.
    pub(super) fn object_name(&self, hold: &Hold) -> Option<String> {
        let contents = self.gate.stored_contents(hold).ok()?;
        let arguments = JsonText::from_valid(contents.arguments.into_bytes().into());
        let lookup = lookup(&hold.binding().tool, &arguments);
        let there = || self.gate.target_title(hold, lookup.as_ref()?);
        match title(&arguments).or_else(there) {
            Some(title) => Some(title.chars().take(TITLE).collect()),
            None => lookup.map(|lookup| lookup.reference()),
        }
    }
}

/// The title that a call gives.
pub(super) fn title(arguments: &JsonText) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        title: Option<String>,
    }
    let title = serde_json::from_str::<Named>(arguments.as_str()).ok()?.title;
    title.filter(|title| !title.trim().is_empty())
}

/// What a list is sorted by: what is over comes last and the newest first; what waits comes the riskiest
/// first, then what expires first.
type Rank = (bool, Reverse<Risk>, i64, HoldId);

/// A hold that matches.
struct Found {
    id: HoldId,
    version: u64,
    over: bool,
    principal: PrincipalId,
    expires_at: Timestamp,
    rank: Rank,
}

impl Found {
    fn new(hold: &Hold) -> Self {
        let (id, over, expires_at) = (hold.id, hold.state.is_final(), hold.opened.expires_at);
        let rank = match over {
            // What may have happened and may not comes before what has not happened yet.
            true if hold.needs_people() => (false, Reverse(Risk::High), i64::MIN, id),
            true => (true, Reverse(Risk::Low), -hold.changed_at.millis(), id),
            false => (false, Reverse(hold.opened.risk), expires_at.millis(), id),
        };
        let (version, principal) = (hold.version, hold.binding().principal.clone());
        Self { id, version, over, principal, expires_at, rank }
    }
}

/// What is known of the calls of one agent together.
struct Crowd {
    first: Rank,
    count: usize,
    high: usize,
    expires_at: Timestamp,
}

/// Puts the rows of each agent together, the agent with the most urgent one first, and those last of which
/// there are very many.
fn by_agent(found: &mut [Found]) -> HashMap<PrincipalId, Crowd> {
    let mut crowds: HashMap<PrincipalId, Crowd> = HashMap::new();
    for one in found.iter() {
        let high = usize::from(one.rank.1 == Reverse(Risk::High));
        let crowd = crowds.entry(one.principal.clone()).or_insert(Crowd {
            first: one.rank,
            count: 0,
            high: 0,
            expires_at: one.expires_at,
        });
        crowd.first = crowd.first.min(one.rank);
        crowd.expires_at = crowd.expires_at.min(one.expires_at);
        crowd.count += 1;
        crowd.high += high;
    }
    let place = |of: &PrincipalId| crowds.get(of).map(|crowd| (crowd.count > CROWD, crowd.first));
    found.sort_unstable_by_key(|one| (place(&one.principal), one.rank));
    crowds
}

/// As [`by_agent`], and takes those out of which there are very many, unless somebody asks for that agent's.
fn grouped(found: &mut Vec<Found>, filter: &Filter, now: Timestamp) -> Vec<Flood> {
    let mut crowds = by_agent(found);
    if filter.principal.is_some() {
        return Vec::new();
    }
    found.retain(|one| crowds.get(&one.principal).is_none_or(|it| it.count <= CROWD));
    crowds.retain(|_, crowd| crowd.count > CROWD);
    let mut floods: Vec<(Rank, Flood)> = crowds
        .into_iter()
        .map(|(principal, Crowd { first, count, high, expires_at })| {
            let seconds_left = expires_at.since(now).as_secs();
            (first, Flood { principal, count, high, seconds_left })
        })
        .collect();
    floods.sort_unstable_by_key(|(first, _)| *first);
    floods.into_iter().map(|(_, flood)| flood).collect()
}

/// Whether a person's decision led to this state.
const fn is_decided(state: HoldState) -> bool {
    !matches!(
        state,
        HoldState::Pending | HoldState::Stale | HoldState::Expired | HoldState::Cancelled
    )
}
