//! Paused agents on the road: each call of one is denied before anybody else looks at it.

use super::Gate;
use crate::audit::LogError;
use crate::clock;
use crate::domain::{
    Call, Decision, Event, Finding, PrincipalChange, PrincipalId, Question, Subject, Verdict,
    decide,
};
use crate::identity::{Pause, PausedError};

/// The rule named where a paused agent calls.
pub(super) const PAUSED: &str = "portcullis.paused";
/// What is told then.
pub(super) const WAITS: &str =
    "a person paused this agent; nothing it calls is done until it may call again";

/// Why it could not be kept or recorded that an agent is paused, or is no longer.
#[derive(Debug, thiserror::Error)]
pub enum PauseError {
    /// The file, or the database beside it.
    #[error(transparent)]
    Kept(#[from] PausedError),
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
}

impl Gate {
    /// The finding on a call of an agent that is paused.
    pub(super) fn pausing(&self, call: &Call) -> Option<Finding> {
        // The connection itself is kept: its client learns by what it calls that it is paused.
        if matches!(call.subject, Subject::Method) {
            return None;
        }
        self.is_paused(&call.principal.id).then(|| Finding::denied(PAUSED, WAITS))
    }

    /// The decision on a call, unless its agent was paused while it was judged.
    pub(super) fn unless_paused(&self, call: &Call, decision: Decision) -> Decision {
        match self.pausing(call) {
            Some(paused) if decision.verdict != Verdict::Deny => {
                decide(Question::Admit, decision.ruleset, vec![paused])
            }
            _ => decision,
        }
    }

    /// Whether an agent is paused: then what people released of it waits too.
    #[must_use]
    pub fn is_paused(&self, principal: &PrincipalId) -> bool {
        self.settings.paused.get(principal).is_some()
    }

    /// The agents that are paused.
    #[must_use]
    pub fn paused(&self) -> Vec<Pause> {
        self.settings.paused.all()
    }

    /// Records whom a hand paused or let call again in the file while no server ran, and what a crash left
    /// unrecorded. To be called before anybody can call.
    ///
    /// # Errors
    /// If it cannot be recorded.
    pub async fn record_pauses(&self) -> Result<(), PauseError> {
        for (principal, is_paused) in self.settings.paused.unrecorded()? {
            self.record_pause(principal.clone(), is_paused, String::new()).await?;
            self.settings.paused.note(&principal, is_paused)?;
        }
        Ok(())
    }

    /// Pauses an agent, or lets it call again. Whether that was a change. A pause counts and is kept
    /// before it is recorded, and a resumption is recorded before it counts: whatever fails in between
    /// leaves the agent paused, and the next start records it as that.
    ///
    /// # Errors
    /// If it cannot be recorded or kept.
    pub async fn pause(
        &self,
        principal: &PrincipalId,
        by: &str,
        pause: bool,
    ) -> Result<bool, PauseError> {
        let paused = &self.settings.paused;
        let before = paused.get(principal);
        if before.is_none() && !pause {
            return Ok(false);
        }
        let (principal, by) = (principal.clone(), by.to_owned());
        if pause {
            let new = || Pause { principal: principal.clone(), by: by.clone(), at: clock::now() };
            // Kept once more if it is paused already: the first time the disk may have failed.
            paused.pause(before.clone().unwrap_or_else(new))?;
            if before.is_some() {
                return Ok(false);
            }
            self.record_pause(principal.clone(), true, by).await?;
            paused.note(&principal, true)?;
        } else {
            paused.note(&principal, false)?;
            self.record_pause(principal.clone(), false, by).await?;
            paused.resume(&principal)?;
        }
        Ok(true)
    }

    async fn record_pause(
        &self,
        principal: PrincipalId,
        is_paused: bool,
        by: String,
    ) -> Result<(), LogError> {
        let change = if is_paused { PrincipalChange::Paused } else { PrincipalChange::Resumed };
        let event = Event::Principal { principal, change, by };
        self.books.log.append(event).await.map(drop)
    }
}
