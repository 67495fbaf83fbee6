//! What messages for people say: who wants to use which tool, why it is held, until when. Made of
//! names and of words of the operator's rules; nothing of what a call contains.

use super::House;
use super::plan::Facts;
use crate::config::Occasion;
use crate::domain::{HoldState, Timestamp};

/// One line: what it is about.
pub(super) fn headline(occasion: Occasion, facts: &Facts) -> String {
    let view = &facts.view;
    let (tool, principal) = (&view.tool, &view.principal);
    match occasion {
        Occasion::Opened => format!("{principal} wants to use {tool}"),
        Occasion::Reminder => format!("Still waiting: {principal} wants to use {tool}"),
        Occasion::Escalated => format!("Nobody decided yet: {principal} wants to use {tool}"),
        Occasion::Released | Occasion::Settled => {
            format!("{}: {tool} by {principal}", ended(view.state))
        }
    }
}

/// Why it is held and what it takes, line by line.
pub(super) fn lines(facts: &Facts, house: &House) -> Vec<(&'static str, String)> {
    let view = &facts.view;
    let title = |reason: &crate::domain::Reason| {
        reason.title.clone().unwrap_or_else(|| reason.rule.clone())
    };
    let reasons: Vec<String> = view.reasons.iter().map(title).collect();
    let groups = match view.release.groups.as_slice() {
        [] => "any approver".to_owned(),
        groups => groups.join(", "),
    };
    let people = match view.release.people {
        0 | 1 => groups,
        many => format!("{many} people of {groups}"),
    };
    let mut lines = vec![("Environment", house.environment.clone())];
    if !reasons.is_empty() {
        lines.push(("Held because", reasons.join("; ")));
    }
    lines.push(("Released by", people));
    lines.push(("Waits until", clock(view.expires_at)));
    lines
}

/// Where it is decided.
pub(super) fn link(facts: &Facts, house: &House) -> Option<String> {
    house.page.as_ref().map(|page| format!("{page}/holds/{}", facts.view.id))
}

/// A state as people say it.
const fn ended(state: HoldState) -> &'static str {
    match state {
        HoldState::Approved | HoldState::Claimed | HoldState::Sending => "Released",
        HoldState::Executed => "Released and done",
        HoldState::Failed => "Released, and it failed",
        HoldState::Unknown => "Released, and nobody knows whether it was done",
        HoldState::Rejected => "Rejected",
        HoldState::ChangesRequested => "Changes were asked for",
        HoldState::Expired => "Expired",
        HoldState::Lapsed => "Released, and never sent",
        HoldState::Cancelled => "Withdrawn",
        HoldState::Revoked => "Release taken back",
        HoldState::Pending | HoldState::Stale => "Waiting",
    }
}

fn clock(at: Timestamp) -> String {
    match jiff::Timestamp::from_millisecond(at.millis()) {
        Ok(time) => time.strftime("%-d %b %Y, %H:%M UTC").to_string(),
        Err(_) => at.to_string(),
    }
}
