//! Is it well: each part in a word, and why not.

use serde::Serialize;

use super::Ops;

/// How Portcullis is.
#[derive(Debug, Clone, Serialize)]
pub struct Health {
    /// `ok`, `degraded` (it works, but somebody should look), or `failing`.
    pub status: &'static str,
    /// The version of the program.
    pub version: &'static str,
    /// Whether records can be written; without, nothing passes.
    pub log: Check,
    /// Whether the policies in force are the newest that were offered.
    pub policy: Check,
    /// Whether the process is about to end.
    pub draining: bool,
}

/// One part.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// Whether it is in order.
    pub ok: bool,
    /// What is wrong, or what it is at.
    pub text: String,
}

impl Health {
    pub(super) fn of(ops: &Ops) -> Self {
        let log = ops.gate.log().health();
        let log = match &log.poisoned {
            Some(_) => Check { ok: false, text: "records cannot be written".to_owned() },
            None => Check { ok: true, text: format!("{} records", log.records) },
        };
        let policy = ops.rollout.status();
        let revision = policy.active.revision.short();
        let policy = match policy.last_attempt.filter(|attempt| attempt.error.is_some()) {
            // What exactly is for those who may see policies: `portcullis policy status`.
            Some(_) => Check {
                ok: false,
                text: format!(
                    "revision {revision} decides; what was offered last was refused, see \
                     `portcullis policy status`"
                ),
            },
            None => Check { ok: true, text: format!("revision {revision} decides") },
        };
        let status = match (log.ok, policy.ok) {
            (false, _) => "failing",
            (true, false) => "degraded",
            (true, true) => "ok",
        };
        let draining = *ops.draining.borrow();
        Self { status, version: env!("CARGO_PKG_VERSION"), log, policy, draining }
    }

    /// Whether the process should go on.
    pub(super) const fn is_well(&self) -> bool {
        self.log.ok
    }

    /// Whether new calls are taken.
    pub(super) const fn is_ready(&self) -> bool {
        self.log.ok && !self.draining
    }
}
