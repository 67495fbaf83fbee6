//! What a person decides on: a held call beside what there is now, made fit for eyes.
//!
//! Pure: the call, the object as it was read, what plugins found, and nothing else go in; a
//! [`Review`] comes out, and the command line, the pages and the JSON interface draw the same one.
//! Everything in it that others wrote is text, never markup, and is kept to the last character:
//! [`visible()`] says how to show it. No word of the agent stands in the [`Headline`].

mod align;
mod concealed;
mod document;
mod fields;
mod hosts;
mod object;
mod preview;
mod rendered;
mod similar;
mod since;
mod source;
mod visible;
mod walk;
mod warnings;
mod words;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::domain::{JsonText, Timestamp};
use crate::intercom::Catalogue;

use align::Budget;
pub use document::{Block, Document, Marks, Part, Shape, TextMark};
pub use fields::Field;
pub use hosts::{Link, destination};
pub use preview::STYLE;
pub use rendered::{BlockChange, DiffBlock, DiffPart};
pub use similar::{Other, Similar, similar};
pub use since::since;
pub use source::{SourceLine, Stretch, folded};
pub use visible::{Mark, Visible, plain, visible};
pub use warnings::{Severity, Warning, WarningCode};
pub use words::{Change, Segment, WordCount};

/// What is to be reviewed.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The tool.
    pub tool: &'a str,
    /// Its arguments, exactly as they will be sent.
    pub arguments: &'a JsonText,
    /// The object that the call changes.
    pub now: Now<'a>,
    /// What plugins found in the arguments: kinds and how many of each.
    pub found: &'a [(String, usize)],
    /// Articles that a new one resembles.
    pub similar: &'a [Similar],
}

/// The object that a call changes, as it is now.
#[derive(Debug, Clone, Copy)]
pub enum Now<'a> {
    /// There is none: the call makes a new one.
    New,
    /// Read from Intercom: the result of the read tool.
    Read {
        /// The tool's result (`structuredContent`, or JSON in its text).
        answer: &'a JsonText,
        /// When.
        at: Timestamp,
    },
    /// It could not be read.
    NotRead {
        /// Why, in words.
        why: &'a str,
    },
}

/// What a person decides on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Review {
    /// What will happen, in our words.
    pub headline: Headline,
    /// What to look at, the worst first.
    pub warnings: Vec<Warning>,
    /// The fields that the call names, then those that stay.
    pub fields: Vec<Field>,
    /// The text that it writes, if it writes one.
    pub body: Option<Body>,
    /// The links of the new text.
    pub links: Vec<Link>,
    /// Articles that a new one resembles.
    pub similar: Vec<Similar>,
    /// The call's arguments, exactly as they will be sent.
    pub raw: String,
    /// When the object was read.
    #[schemars(with = "Option<String>")]
    pub read_at: Option<Timestamp>,
}

/// What will happen, in one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Headline {
    /// What is done, such as `Update article`.
    pub verb: String,
    /// The object's own title. Written by others: show it as [`visible()`] says.
    pub object: Option<String>,
    /// What changes, such as `draft -> published`, `+120 -14 words`.
    pub changes: Vec<String>,
}

impl Headline {
    /// The headline as one line of plain text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = self.verb.clone();
        if let Some(object) = &self.object {
            text.push_str(&format!(" \u{201c}{}\u{201d}", plain(object)));
        }
        if !self.changes.is_empty() {
            text.push_str(": ");
            text.push_str(&self.changes.join(", "));
        }
        text
    }
}

/// A text that a call writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Body {
    /// Whether it is compared with a text of now; if not, it stands as it is.
    pub compared: bool,
    /// As readers will see it.
    pub rendered: Vec<DiffBlock>,
    /// As it is written.
    pub source: Vec<SourceLine>,
    /// How many words come and go.
    pub words: WordCount,
    /// A page for `<iframe sandbox="" srcdoc>`; absent for texts that cannot be laid out safely.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview: Option<String>,
}

impl Body {
    /// Whether anything in it is new or gone.
    #[must_use]
    pub fn changes(&self) -> bool {
        self.source.iter().any(|line| line.changed)
    }
}

/// Reviews a call.
#[must_use]
pub fn review(asked: Asked<'_>) -> Review {
    let mut budget = Budget::of_a_review();
    let arguments = object::arguments(asked.arguments);
    let object = match asked.now {
        Now::Read { answer, .. } => object::of_answer(answer),
        Now::New | Now::NotRead { .. } => None,
    };
    let texts = Texts::of(&arguments, object.as_ref(), asked.now);
    let fields = fields::fields(&arguments, object.as_ref(), &mut budget);
    let body = texts.as_ref().map(|texts| texts.body(&mut budget));
    let links = texts.as_ref().map(|texts| hosts::links(texts.old.as_ref(), &texts.new));
    let warnings = warnings::warnings(&warnings::Facts {
        asked,
        object: object.as_ref(),
        arguments: &arguments,
        fields: &fields,
        texts: texts.as_ref(),
        body: body.as_ref(),
        links: links.as_deref().unwrap_or_default(),
    });
    Review {
        headline: headline(&asked, &arguments, object.as_ref(), &fields, body.as_ref()),
        warnings,
        fields,
        body,
        links: links.unwrap_or_default(),
        similar: asked.similar.to_vec(),
        raw: asked.arguments.as_str().to_owned(),
        read_at: match asked.now {
            Now::Read { at, .. } => Some(at),
            Now::New | Now::NotRead { .. } => None,
        },
    }
}

/// The body before and after.
struct Texts {
    old_source: Option<String>,
    old: Option<Document>,
    new_source: String,
    new: Document,
}

impl Texts {
    fn of(
        arguments: &Map<String, Value>,
        object: Option<&Map<String, Value>>,
        now: Now<'_>,
    ) -> Option<Self> {
        let new_source = fields::text(arguments.get(fields::BODY)?);
        // A conversation's body is not what a note replaces.
        let is_article = object.is_some_and(object::is_article);
        let old_source = match now {
            Now::Read { .. } if is_article => {
                object.map(|object| object.get(fields::BODY).map(fields::text).unwrap_or_default())
            }
            _ => None,
        };
        let old = old_source.as_deref().map(Document::read);
        Some(Self { new: Document::read(&new_source), old, old_source, new_source })
    }

    fn body(&self, budget: &mut Budget) -> Body {
        let rendered = match &self.old {
            Some(old) => rendered::compare(old, &self.new, budget),
            None => rendered::alone(&self.new),
        };
        let source = match &self.old_source {
            Some(old) => source::compare(old, &self.new_source, budget),
            None => source::alone(&self.new_source),
        };
        let words = match self.old {
            Some(_) => rendered::count(&rendered),
            None => WordCount { added: self.new.words().count(), ..WordCount::default() },
        };
        let preview = preview::page(&self.new_source, &self.new);
        Body { compared: self.old.is_some(), rendered, source, words, preview }
    }
}

fn headline(
    asked: &Asked<'_>,
    arguments: &Map<String, Value>,
    object: Option<&Map<String, Value>>,
    fields: &[Field],
    body: Option<&Body>,
) -> Headline {
    let entry = Catalogue::shipped().entry(asked.tool);
    let verb = entry.map_or_else(|| format!("Call {}", plain(asked.tool)), |it| it.title.clone());
    let named = |of: &Map<String, Value>| {
        let title = of.get("title").map(fields::text).filter(|text| !text.is_empty());
        let source = of.get("source").and_then(|source| source.get("subject"));
        title.or_else(|| {
            source.map(fields::text).map(|html| Document::read(&html).text().trim().to_owned())
        })
    };
    let id = || {
        let id = arguments.get("id").or_else(|| arguments.get("conversation_id"))?;
        Some(format!("#{}", fields::text(id)))
    };
    let title = object.and_then(named).filter(|title| !title.is_empty());
    let made = || if matches!(asked.now, Now::New) { named(arguments) } else { None };
    let mut changes = Vec::new();
    for field in fields.iter().filter(|field| field.is_changed()) {
        match (field.name.as_str(), &field.old, &field.new) {
            ("state", Some(old), Some(new)) => {
                changes.push(format!("{} \u{2192} {}", plain(old), plain(new)));
            }
            ("state", None, Some(new)) => changes.push(format!("as {}", plain(new))),
            ("title", Some(_), _) => changes.push(String::from("new title")),
            ("description", Some(_), _) => changes.push(String::from("new description")),
            ("author_id", Some(_), _) => changes.push(String::from("another author")),
            ("parent_id", Some(_), _) => changes.push(String::from("moved")),
            _ => {}
        }
    }
    if asked.tool == "create_article" && !arguments.contains_key("state") {
        changes.push(String::from("as draft"));
    }
    if let Some(body) = body {
        let WordCount { added, removed, .. } = body.words;
        changes.push(match (body.compared, added, removed) {
            (true, 0, 0) => String::from("same words"),
            (true, _, _) => format!("+{added} \u{2212}{removed} words"),
            (false, _, _) => format!("{added} words"),
        });
    }
    Headline { verb, object: title.or_else(made).or_else(id), changes }
}

#[cfg(test)]
mod tests;
