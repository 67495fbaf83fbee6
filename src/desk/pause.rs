//! An agent that floods people is paused by one of them: it may call nothing until somebody lets it.

use super::{Desk, DeskError, restrains};
use crate::domain::{PrincipalId, PrincipalKind};
use crate::identity::{Pause, Person};

impl Desk {
    /// Pauses an agent, or lets it call again. Any approver may pause, and any admin; what is held stays
    /// held.
    ///
    /// # Errors
    /// If this person may not, nobody is called so, or it cannot be recorded.
    pub async fn pause(
        &self,
        person: &Person,
        principal: &PrincipalId,
        pause: bool,
    ) -> Result<String, DeskError> {
        restrains(person)?;
        self.pause_by(person.id.as_str(), principal, pause).await
    }

    /// As [`Desk::pause`], by whoever runs Portcullis.
    ///
    /// # Errors
    /// If nobody is called so, or it cannot be recorded.
    pub async fn pause_by(
        &self,
        by: &str,
        principal: &PrincipalId,
        pause: bool,
    ) -> Result<String, DeskError> {
        let known = self.identity.principal(principal);
        if pause && known.is_none_or(|it| it.kind == PrincipalKind::Portcullis) {
            let text = format!("no agent is called `{principal}`");
            return Err(DeskError::Invalid(text));
        }
        let changed = self.gate.pause(principal, by, pause).await;
        let changed = changed.map_err(|error| DeskError::Unavailable(error.to_string()))?;
        match (changed, pause) {
            (true, true) => Ok(format!("{principal} is paused by {by}: its calls are denied")),
            (true, false) => Ok(format!("{principal} may call again, by {by}")),
            (false, true) => Err(DeskError::Invalid(format!("{principal} is paused already"))),
            (false, false) => Err(DeskError::Invalid(format!("{principal} is not paused"))),
        }
    }

    /// The agents that are paused.
    #[must_use]
    pub fn paused(&self) -> Vec<Pause> {
        self.gate.paused()
    }
}
