//! Whether those who released a hold still may.
//!
//! Between the first release and the sending of a call hours can pass, and people leave. Whoever was
//! taken out of the list, of the approvers or of the hold's groups meanwhile does not count when it
//! comes to sending; if the others are not enough, the hold waits for people again.

use super::Gate;
use crate::clock;
use crate::domain::{Approval, ApproverId, Hold, Role};

impl Gate {
    /// Whether somebody is an approver at this moment, and in one of these groups if there are any.
    pub(super) fn may_release(&self, name: &ApproverId, groups: &[String]) -> bool {
        self.settings.people.rights(name).is_some_and(|(approver, roles)| {
            let counts = groups.is_empty() || groups.iter().any(|it| approver.groups.contains(it));
            counts && roles.contains(&Role::Approver)
        })
    }

    /// Who may release a hold by its groups, of those whom we list.
    #[must_use]
    pub fn who_may_release(&self, hold: &Hold) -> Vec<ApproverId> {
        let groups = hold.opened.release.groups_at(hold.opened_at, clock::now());
        let all = self.settings.people.everybody().into_iter().map(|one| one.name);
        all.filter(|name| self.may_release(name, &groups)).collect()
    }

    /// Why the releases of a hold are not enough by now, in words; `None` if they are.
    pub(super) fn no_longer_released(&self, hold: &Hold) -> Option<String> {
        let release = &hold.opened.release;
        let named = release.groups_at(hold.opened_at, clock::now());
        let today = |one: &Approval| {
            let (approver, roles) = self.settings.people.rights(&one.approver)?;
            let counts = named.is_empty() || named.iter().any(|it| approver.groups.contains(it));
            let stands = one.groups.iter().filter(|it| approver.groups.contains(it)).cloned();
            (counts && roles.contains(&Role::Approver)).then(|| stands.collect::<Vec<String>>())
        };
        let (mut stand, mut gone) = (Vec::new(), Vec::new());
        for one in &hold.approvals {
            match today(one) {
                Some(groups) => stand.push(groups),
                None => gone.push(one.approver.as_str()),
            }
        }
        if release.is_met_by(stand.iter().map(Vec::as_slice)) {
            return None;
        }
        Some(match gone.as_slice() {
            [] => "those who released it do not stand for enough groups any more".to_owned(),
            gone => format!("{} released it and may not decide any more", gone.join(" and ")),
        })
    }
}
