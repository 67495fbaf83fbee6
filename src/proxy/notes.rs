//! Notes: what Portcullis tells the agent beside Intercom's answer.
//!
//! An agent that gets less than it asked for must know it, or it reads the answer as all there is.
//! A note is a content block of its own at the end; Intercom's own blocks and the structured
//! content stay byte for byte as they are.

use crate::domain::{Call, JsonText};
use crate::mcp::json::{self, Object};

/// The answer to a call with what was changed in the call before it was sent.
pub(super) fn with_notes_of(call: &Call, result: JsonText) -> JsonText {
    if call.meta.notes.is_empty() {
        return result;
    }
    let text = format!(
        "Note by Portcullis: the call was changed before it was sent, because policy demands it: {}",
        call.meta.notes.join("; ")
    );
    with_note(&result, &text).unwrap_or(result)
}

/// The result of a tool with one more block of text; `None` if it has no list of content.
pub(super) fn with_note(result: &JsonText, text: &str) -> Option<JsonText> {
    let mut object = Object::parse(result)?;
    let content = object.get("content")?;
    let blocks = json::elements(content)?;
    let block = JsonText::of(&serde_json::json!({ "type": "text", "text": text }));
    let mut list = String::from("[");
    for one in blocks.iter().chain([&block]) {
        if list.len() > 1 {
            list.push(',');
        }
        list.push_str(one.as_str());
    }
    list.push(']');
    object.set("content", JsonText::from_valid(list.into_bytes().into()));
    Some(object.to_text())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(json: &str) -> JsonText {
        JsonText::from_valid(json.to_owned().into_bytes().into())
    }

    #[test]
    fn a_note_is_the_last_block_and_changes_nothing_else() {
        let rows = [
            (
                r#"{"content":[{"type":"text","text":"a"}],"structuredContent":{"x":1.0},"isError":false}"#,
                Some(
                    r#"{"content":[{"type":"text","text":"a"},{"text":"n\"1","type":"text"}],"structuredContent":{"x":1.0},"isError":false}"#,
                ),
            ),
            (r#"{"content":[]}"#, Some(r#"{"content":[{"text":"n\"1","type":"text"}]}"#)),
            (r#"{"content":"x"}"#, None),
            (r#"{"tools":[]}"#, None),
            ("[]", None),
        ];
        for (result, expected) in rows {
            let noted = with_note(&text(result), "n\"1");
            assert_eq!(noted.as_ref().map(JsonText::as_str), expected, "{result}");
        }
    }
}
