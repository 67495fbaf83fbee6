//! Which era Intercom speaks: asked, remembered once a leg was opened in it, and doubted when Intercom
//! contradicts it.

use std::sync::{Arc, PoisonError};

use super::Upstream;
use super::fault::Fault;
use super::leg::{Leg, Who, own_hint};
use crate::config::Secret;
use crate::domain::{Era, JsonText, Revision};
use crate::mcp::json::{self, Object};

impl Upstream {
    /// The era in which to open a leg: as configured, as a leg was opened before, or as Intercom says
    /// now to `server/discover`.
    pub(super) async fn era_to_open(self: &Arc<Self>, token: Option<Secret>) -> Result<Era, Fault> {
        let known = self.forced.or(*self.lock_era());
        match known {
            Some(era) => Ok(era),
            None => self.find_out(token).await,
        }
    }

    /// Remembers the era in which a leg was opened. Nothing else is proof: an Intercom in trouble
    /// refuses `server/discover` as one does that does not know it.
    pub(super) fn remember_era(&self, era: Era) {
        *self.lock_era() = Some(era);
    }

    /// Forgets the era that was remembered: it is asked again.
    pub(super) fn forget_era(&self) {
        *self.lock_era() = None;
    }

    fn lock_era(&self) -> std::sync::MutexGuard<'_, Option<Era>> {
        self.era.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Doubts the era of a leg when Intercom refuses a request on it in a way that may mean that it
    /// speaks the other era by now: the next request asks again.
    pub(super) fn doubt_if(&self, leg: &Leg, refuses: bool) {
        if refuses && self.forced.is_none() {
            leg.doubt();
        }
    }

    /// Asks in which era a doubted leg has to go on, and turns it to that.
    pub(super) async fn settle(self: &Arc<Self>, leg: &Arc<Leg>) -> Result<(), Fault> {
        if !leg.is_doubted() {
            return Ok(());
        }
        let _once = leg.renewing().await;
        if leg.is_doubted() {
            let era = self.find_out(leg.token.clone()).await.map_err(Fault::before_the_call)?;
            leg.turn(era);
            self.remember_era(era);
        }
        Ok(())
    }

    async fn find_out(self: &Arc<Self>, token: Option<Secret>) -> Result<Era, Fault> {
        let who = Who {
            principal: self.own.clone(),
            client: own_hint(),
            revision: Revision::V2026_07_28,
            capabilities: JsonText::empty_object(),
        };
        let leg = Arc::new(Leg::new(who, token, Era::Modern));
        let modern = match self.ask(&leg, "server/discover", JsonText::empty_object()).await {
            Ok(result) => lists_modern(&result),
            Err(fault) if refuses_era(&fault) => false,
            // A legacy server that wants a session may refuse in any 4xx way.
            Err(fault) => return Err(fault),
        };
        tracing::info!(modern, "Intercom's era found out");
        Ok(if modern { Era::Modern } else { Era::Legacy })
    }
}

/// Whether a failure says that the server does not speak this era, rather than that it is in
/// trouble.
pub(super) fn refuses_era(fault: &Fault) -> bool {
    match fault {
        Fault::Status { status } => (400..500).contains(status),
        Fault::Refused { .. } | Fault::Malformed(_) | Fault::SessionLost => true,
        _ => false,
    }
}

fn lists_modern(result: &Object) -> bool {
    let versions = result.get("supportedVersions").and_then(json::elements).unwrap_or_default();
    versions
        .iter()
        .any(|version| json::as_str(version).as_deref() == Some(Revision::V2026_07_28.as_str()))
}
