//! The proof that a call may go to Intercom, and what is left of it once it went.

use super::weigh::Books;
use crate::audit::Receipt;
use crate::clock;
use crate::domain::{Call, Decision, Event, HoldId, Outcome, OutcomeKind, Step};

/// Proof that a call was allowed and that the record of it is durable. Made in `gate` alone, not
/// `Clone`, and consumed by the one function that sends.
#[must_use = "a permit that is not spent means a call that was recorded and never sent"]
pub struct Permit {
    call: Call,
    decision: Decision,
    receipt: Receipt,
    /// What it added to its principal's trail.
    step: Option<Step>,
    books: Books,
    hold: Option<HoldId>,
}

impl Permit {
    pub(super) fn new(
        call: Call,
        decision: Decision,
        receipt: Receipt,
        step: Option<Step>,
        books: Books,
    ) -> Self {
        Self { call, decision, receipt, step, books, hold: None }
    }

    /// A permit for a held call: the receipt is that of the hold's `sending` record.
    pub(super) fn for_hold(self, hold: HoldId) -> Self {
        Self { hold: Some(hold), ..self }
    }

    /// The call that was judged.
    #[must_use]
    pub const fn call(&self) -> &Call {
        &self.call
    }

    /// Spends the permit. From here on the call counts as sent; what is returned records how it
    /// ended, at the latest when it is dropped.
    #[must_use]
    pub fn spend(self) -> Spent {
        let Self { call, decision, receipt, step, books, hold } = self;
        tracing::debug!(call = %call.id, seq = %receipt.seq(), verdict = %decision.verdict, "sent");
        Spent { call, step, books, hold, completed: false }
    }
}

/// A spent permit: the call is at Intercom, and its end is still to be recorded. Dropping it
/// records that the client went away.
pub struct Spent {
    call: Call,
    step: Option<Step>,
    books: Books,
    hold: Option<HoldId>,
    completed: bool,
}

impl Spent {
    /// The call that was sent.
    #[must_use]
    pub const fn call(&self) -> &Call {
        &self.call
    }

    /// The hold whose release this was, if it was one.
    #[must_use]
    pub const fn hold(&self) -> Option<HoldId> {
        self.hold
    }

    /// Records how the call ended. The record follows the act: its failure is shouted, but does
    /// not take the answer away.
    pub fn complete(&mut self, kind: OutcomeKind, bytes: usize, disclose: Option<Decision>) {
        if std::mem::replace(&mut self.completed, true) {
            return;
        }
        let millis = clock::now().since(self.call.at).as_millis();
        let outcome = Outcome {
            kind,
            bytes: bytes as u64,
            millis: u64::try_from(millis).unwrap_or(u64::MAX),
            disclose,
        };
        let event = Event::Outcome { call: self.call.id, outcome };
        if let Err(error) = self.books.log.append_later(event) {
            tracing::error!(%error, call = %self.call.id, "outcome not recorded");
        }
        if kind == OutcomeKind::NotSent {
            self.books.take_back(&self.call, self.step.as_ref());
        }
    }
}

impl Drop for Spent {
    fn drop(&mut self) {
        self.complete(OutcomeKind::Cancelled, 0, None);
    }
}
