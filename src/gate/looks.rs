//! Looks that are kept: the same message under the same plugins has the same findings.
//!
//! True because a plugin is a pure function: it gets its document and its settings, has no clock,
//! randomness or files, and forgets everything between two looks. Agents read the same conversation
//! again and again, and a look costs more than all else that is done to an answer.
//!
//! The key is a digest of everything that a look depends on. Looks at calls are kept for each principal
//! apart, so that nobody can learn by the time it takes what others wrote. Kept are only looks that
//! came to an end.

use std::sync::Arc;

use crate::domain::{Call, Dictionary, Digest, Finding, Leaf, Phase, Span};
use crate::plugin::{Inspection, Plugins};
use crate::policy::Seen;

use super::kept::Weighty;

/// Bytes that a span has beside its words.
const SPAN_BYTES: usize = 200;

/// What was seen in one message.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// Where what stands.
    pub(super) spans: Vec<Span>,
    /// For policy.
    pub(super) seen: Arc<Seen>,
    /// What plugins demand of the verdict.
    pub(super) findings: Vec<Finding>,
}

impl Look {
    /// What an inspection of these leaves comes to.
    pub(super) fn of(leaves: &[Leaf], inspection: Inspection) -> Self {
        let Inspection { spans, labels, findings, .. } = inspection;
        let seen = Arc::new(Seen::of(leaves, &spans, labels));
        Self { spans, seen, findings }
    }

    /// Whether every plugin came to an end.
    pub(super) fn is_whole(&self) -> bool {
        self.findings.iter().all(|finding| finding.fault.is_none())
    }
}

impl Weighty for Look {
    fn bytes(&self) -> usize {
        let words = |span: &Span| {
            let own = span.kind.len() + span.reason.len();
            let optional = [&span.value, &span.subject, &span.part];
            own + optional.into_iter().flatten().map(String::len).sum::<usize>()
        };
        let spans = self.spans.iter().map(|span| SPAN_BYTES + words(span)).sum::<usize>();
        // What policy is told has as many paths, about.
        SPAN_BYTES + 2 * spans
    }
}

/// The digest of everything that a look at a message depends on; `sort` says how, and as what tool's, it
/// is taken apart.
pub(super) fn key(
    plugins: &Plugins,
    (phase, (sort, of)): (Phase, (&str, &str)),
    call: &Call,
    message: &[u8],
    dictionary: &Dictionary,
) -> Digest {
    let principal = match phase {
        Phase::Call => call.principal.id.as_str(),
        _ => "",
    };
    let (revision, known) = (plugins.revision(), dictionary.digest());
    let parts = [
        revision.as_bytes().as_slice(),
        phase.as_str().as_bytes(),
        sort.as_bytes(),
        of.as_bytes(),
        call.subject.tool().unwrap_or_default().as_bytes(),
        principal.as_bytes(),
        known.as_bytes(),
        message,
    ];
    Digest::of("portcullis/look/v2", &parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Fault, Judge};

    #[test]
    fn a_look_at_which_a_plugin_failed_is_not_whole() {
        let judge = Judge::Plugin("pii".into());
        let fault = Finding::fault(judge, Fault::PluginTimeout, "plugin.timeout", "late");
        assert!(!Look { findings: vec![fault], ..Look::default() }.is_whole());
        let denied = Finding::denied("plugin.verdict", "no");
        assert!(Look { findings: vec![denied], ..Look::default() }.is_whole());
    }
}
