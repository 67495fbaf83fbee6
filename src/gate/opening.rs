//! A call begins to wait for a person.

use super::{Gate, GateError, Holding, looked, stored};
use crate::clock;
use crate::domain::{Binding, Call, CallFacts, Decision, Hold, HoldId, Opened};

impl Gate {
    /// Attaches the call to the hold of an identical one, or opens a hold; `None` if the decision
    /// names no conditions of release, for then nobody could ever decide.
    pub(super) async fn hold(
        &self,
        call: &Call,
        facts: CallFacts,
        binding: Binding,
        decision: &Decision,
        holding: Holding,
    ) -> Result<Option<Hold>, GateError> {
        let Some(release) = decision.release.clone() else { return Ok(None) };
        // A held call is turned back again when it is released, perhaps by another process.
        if call.meta.restored.is_some() && !self.vault.flushed().await {
            tracing::warn!(call = %call.id, "its pseudonyms are not written; a restart would end it");
        }
        let id = HoldId::from_random(u128::from_be_bytes(crate::store::random::<16>()?));
        let sealed = stored::seal_call(&self.sealer, id, &facts, call)?;
        let object = self.object_of(call);
        let open = || {
            let opened = Opened {
                target: None,
                object,
                risk: looked::publicity(call, None).risk(),
                revises: self.revised_by(&binding, object),
                sealed,
                binding: binding.clone(),
                call: facts.clone(),
                on_release: holding.on_release,
                reasons: decision.reasons.clone(),
                expires_at: clock::now().plus(release.expires),
                release,
            };
            (id, opened)
        };
        Ok(Some(self.holds.attach_or_open(&binding, holding.named, open).await?))
    }
}
