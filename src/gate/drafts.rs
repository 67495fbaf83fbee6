//! Redacted answers that are kept: the same message, looked at and redacted in the same way for the
//! same principal, comes out the same.
//!
//! True as long as nothing has changed in the principal's pseudonyms, which the vault says each time.
//! The key is a digest of everything else that it depends on: the look, the demands of the rules, the
//! schema that the result must fit, and whose pseudonyms stand in it.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::kept::Weighty;
use crate::domain::{Digest, JsonText, PrincipalId, Redact};
use crate::vault::Repeat;

/// A message, redacted.
#[derive(Debug)]
pub(super) struct Draft {
    /// What it says now; `None` if there was nothing to do.
    pub(super) text: Option<JsonText>,
    /// For each demand, how many of each kind it was done to.
    pub(super) done: Vec<BTreeMap<String, u64>>,
    /// What the record says was shown.
    pub(super) shown: OnceLock<Digest>,
    /// When it is so once more.
    pub(super) repeat: Option<Repeat>,
}

impl Weighty for Draft {
    fn bytes(&self) -> usize {
        let done = self.done.iter().flat_map(BTreeMap::keys).map(|kind| 64 + kind.len());
        self.text.as_ref().map_or(0, |text| text.bytes().len()) + done.sum::<usize>() + 512
    }
}

/// The digest of everything that a draft depends on but the pseudonyms. `definition` is the tool's.
pub(super) fn key(
    look: Digest,
    principal: &PrincipalId,
    definition: Option<Digest>,
    demands: &[&Redact],
) -> Option<Digest> {
    // A text that serde gives: what differs in a demand differs in it.
    let demands = serde_json::to_vec(demands).ok()?;
    let definition = definition.map(|it| *it.as_bytes()).unwrap_or_default();
    let parts: [&[u8]; 4] = [look.as_bytes(), principal.as_str().as_bytes(), &definition, &demands];
    Some(Digest::of("portcullis/draft/v1", &parts))
}
