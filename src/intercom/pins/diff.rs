//! What changed in a definition, for the person who decides on it.

use similar::TextDiff;

use super::book::Offered;
use crate::intercom::definition::ToolDefinition;

/// A unified diff from the pinned definition (nothing, for a new tool) to the offered one.
pub(super) fn unified(tool: &str, pinned: Option<&ToolDefinition>, offered: &Offered) -> String {
    let old = pinned.map(lines).unwrap_or_default();
    let new = lines(&offered.definition);
    let from = pinned.map_or_else(
        || String::from("(nothing pinned)"),
        |it| format!("{tool} (pinned, {})", it.digest.short()),
    );
    let to = format!("{tool} (offered, {})", offered.definition.digest.short());
    let mut text = String::new();
    if offered.repeated {
        text.push_str("the upstream lists this name more than once; one of them:\n");
    }
    let diff = TextDiff::from_lines(&old, &new);
    text.push_str(&diff.unified_diff().context_radius(3).header(&from, &to).to_string());
    text
}

fn lines(definition: &ToolDefinition) -> String {
    let mut text = definition.pretty();
    text.push('\n');
    text
}
