//! Which era Intercom speaks: asked once, remembered, and doubted when Intercom contradicts it.

use std::sync::{Arc, PoisonError};

use tokio::sync::OnceCell;

use super::Upstream;
use super::fault::Fault;
use super::leg::{Leg, Who, own_hint};
use crate::config::Secret;
use crate::domain::{Era, JsonText, Revision};
use crate::mcp::json::{self, Object};

impl Upstream {
    /// Forgets the era that was found out: it is asked again.
    pub(super) fn forget_era(&self) {
        let mut modern = self.modern.lock().unwrap_or_else(PoisonError::into_inner);
        *modern = Arc::default();
    }

    /// Forgets the era that was found out, and the shared leg that rests on it, when Intercom
    /// refuses a call on that leg in a way that may mean that it speaks the other era by now.
    pub(super) fn doubt(&self, leg: &Arc<Leg>, fault: &Fault) {
        if self.forced.is_some() || !refuses_era(fault) {
            return;
        }
        let is_it = |cell: &OnceCell<Arc<Leg>>| cell.get().is_some_and(|it| Arc::ptr_eq(it, leg));
        let mut shared = self.lock_shared();
        let before = shared.len();
        shared.retain(|_, cell| !is_it(cell));
        if shared.len() < before {
            self.forget_era();
        }
    }

    /// Whether Intercom speaks the modern era; asked once, by `server/discover`.
    pub(super) async fn speaks_modern(
        self: &Arc<Self>,
        token: Option<Secret>,
    ) -> Result<bool, Fault> {
        match self.forced {
            Some(era) => Ok(era == Era::Modern),
            None => {
                let modern = self.modern.lock().unwrap_or_else(PoisonError::into_inner).clone();
                modern.get_or_try_init(|| self.find_out(token)).await.copied()
            }
        }
    }

    async fn find_out(self: &Arc<Self>, token: Option<Secret>) -> Result<bool, Fault> {
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
        Ok(modern)
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
