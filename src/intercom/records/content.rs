//! What an answer holds, read at most once and only if somebody asks.

use std::sync::OnceLock;

use super::{Records, read, walk};
use crate::domain::JsonText;
use crate::mcp::json;

/// The content of something that Intercom sent: a result, an error, or what it tells on the way.
#[derive(Debug, Default)]
pub struct Content {
    sort: Sort,
    tool: String,
    text: Option<JsonText>,
    records: OnceLock<Option<Records>>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Sort {
    /// Nothing of Intercom's data.
    #[default]
    Nothing,
    Result,
    /// Parameters of a notification or a request.
    Message,
    /// Words of the server about itself, as a JSON string.
    Words,
}

impl Clone for Content {
    /// Shares the text; what was read of it is read again where it is needed.
    fn clone(&self) -> Self {
        let (sort, tool, text) = (self.sort, self.tool.clone(), self.text.clone());
        Self { sort, tool, text, records: OnceLock::new() }
    }
}

/// What a content is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape<'a> {
    /// See [`Content::nothing`].
    Nothing,
    /// See [`Content::of_result`].
    Result {
        /// The tool, or nothing.
        tool: &'a str,
        /// The result.
        text: &'a JsonText,
    },
    /// See [`Content::of_message`].
    Message(&'a JsonText),
    /// See [`Content::of_words`].
    Words(String),
}

impl Content {
    /// Nothing of Intercom's data: lists of our own making, the server's description of itself.
    #[must_use]
    pub fn nothing() -> Self {
        Self::default()
    }

    /// A result. `tool` is the tool that was called, empty for other methods.
    #[must_use]
    pub fn of_result(tool: Option<&str>, result: &JsonText) -> Self {
        let (sort, tool) = (Sort::Result, tool.unwrap_or_default().to_owned());
        Self { sort, tool, text: Some(result.clone()), ..Self::default() }
    }

    /// A JSON-RPC error, as a tool would have told of it.
    #[must_use]
    pub fn of_error(message: &str, data: Option<&JsonText>) -> Self {
        let words = json::quote(message);
        let mut text = format!(r#"{{"isError":true,"content":[{{"text":{}}}]"#, words.as_str());
        if let Some(data) = data {
            text.push_str(r#","structuredContent":"#);
            text.push_str(data.as_str());
        }
        text.push('}');
        let text = JsonText::from_valid(text.into_bytes().into());
        Self { sort: Sort::Result, text: Some(text), ..Self::default() }
    }

    /// The parameters of a notification or of a request of the server.
    #[must_use]
    pub fn of_message(params: &JsonText) -> Self {
        Self { sort: Sort::Message, text: Some(params.clone()), ..Self::default() }
    }

    /// Words of the server about itself, before anything was asked of it.
    #[must_use]
    pub fn of_words(words: &str) -> Self {
        Self { sort: Sort::Words, text: Some(json::quote(words)), ..Self::default() }
    }

    /// The same content with another text.
    #[must_use]
    pub fn with(&self, text: JsonText) -> Self {
        let (sort, tool) = (self.sort, self.tool.clone());
        Self { sort, tool, text: Some(text), records: OnceLock::new() }
    }

    /// What it is made of, so that it can be made again.
    #[must_use]
    pub fn shape(&self) -> Shape<'_> {
        match (self.sort, &self.text) {
            (Sort::Nothing, _) | (_, None) => Shape::Nothing,
            (Sort::Result, Some(text)) => Shape::Result { tool: &self.tool, text },
            (Sort::Message, Some(text)) => Shape::Message(text),
            (Sort::Words, Some(text)) => {
                Shape::Words(serde_json::from_str(text.as_str()).unwrap_or_default())
            }
        }
    }

    /// Whether it is a result, or an error in the form of one.
    #[must_use]
    pub fn is_result(&self) -> bool {
        self.sort == Sort::Result
    }

    /// The tool as whose result it is read, empty if there is none; `None` if it is no result.
    #[must_use]
    pub fn tool(&self) -> Option<&str> {
        self.is_result().then_some(self.tool.as_str())
    }

    /// The text, if there is any.
    #[must_use]
    pub const fn text(&self) -> Option<&JsonText> {
        self.text.as_ref()
    }

    /// What it shows; `None` if there is nothing, or nothing that can be read.
    #[must_use]
    pub fn records(&self) -> Option<&Records> {
        let read = || match (self.sort, &self.text) {
            (Sort::Nothing | Sort::Words, _) | (_, None) => None,
            (Sort::Result, Some(text)) => read(&self.tool, text),
            (Sort::Message, Some(text)) => walk::message(text),
        };
        self.records.get_or_init(read).as_ref()
    }

    /// Why it cannot be said what it shows; `None` if it can.
    #[must_use]
    pub fn flaw(&self) -> Option<&'static str> {
        if matches!(self.sort, Sort::Nothing | Sort::Words) {
            return None;
        }
        self.records().map_or(Some("it is no JSON object"), Records::flaw)
    }
}
