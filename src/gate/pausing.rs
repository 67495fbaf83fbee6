//! Paused agents on the road: each call of one is denied before anybody else looks at it.

use super::Gate;
use crate::clock;
use crate::domain::{Call, Event, Finding, PrincipalChange, PrincipalId, Subject};
use crate::identity::Pause;

impl Gate {
    /// The finding on a call of an agent that is paused.
    pub(super) fn pausing(&self, call: &Call) -> Option<Finding> {
        // The connection itself is kept: its client learns by what it calls that it is paused.
        if matches!(call.subject, Subject::Method | Subject::Answer) {
            return None;
        }
        self.settings.paused.get(&call.principal.id)?;
        let text = "a person paused this agent; nothing it calls is done until it may call again";
        Some(Finding::denied("portcullis.paused", text))
    }

    /// The agents that are paused.
    #[must_use]
    pub fn paused(&self) -> Vec<Pause> {
        self.settings.paused.all()
    }

    /// Pauses an agent, or lets it call again; recorded first. Whether that was a change.
    ///
    /// # Errors
    /// In words, if it cannot be recorded or kept.
    pub async fn pause(
        &self,
        principal: &PrincipalId,
        by: &str,
        pause: bool,
    ) -> Result<bool, String> {
        if self.settings.paused.get(principal).is_some() == pause {
            return Ok(false);
        }
        let change = if pause { PrincipalChange::Paused } else { PrincipalChange::Resumed };
        let (principal, by) = (principal.clone(), by.to_owned());
        let event = Event::Principal { principal: principal.clone(), change, by: by.clone() };
        let _recorded = self.books.log.append(event).await.map_err(|error| error.to_string())?;
        let kept = if pause {
            self.settings.paused.pause(Pause { principal, by, at: clock::now() })
        } else {
            self.settings.paused.resume(&principal)
        };
        kept.map_err(|error| error.to_string())?;
        Ok(true)
    }
}
