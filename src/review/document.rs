//! What a reader sees of an article: blocks of text with marks, and no markup.
//!
//! The HTML is hostile. It is read by html5ever's tokenizer only, in one pass without a tree, so that
//! no nesting costs more than its length. What comes out is text in a closed set of shapes: whoever
//! draws it writes every element from these shapes and never from the data. Nothing of the text is
//! lost on the way: what a browser would hide stands in a part of its own.

use std::collections::BTreeSet;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A text as it is laid out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    /// From the top.
    pub blocks: Vec<Block>,
    /// What else was met.
    pub(super) seen: Seen,
}

/// A paragraph, heading, list item or the like.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Block {
    /// Its shape.
    pub shape: Shape,
    /// What is in it.
    pub parts: Vec<Part>,
}

/// The shape of a block.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(tag = "shape", rename_all = "snake_case")]
pub enum Shape {
    /// Plain text.
    Paragraph,
    /// A heading.
    Heading {
        /// 1 to 6.
        level: u8,
    },
    /// An entry of a list.
    Item {
        /// How deep, from 1, at most 9.
        depth: u8,
        /// Whether the list counts.
        ordered: bool,
    },
    /// Somebody else's words.
    Quote,
    /// Text with its own spaces.
    Preformatted,
    /// A row of a table; cells are parted by [`Part::Cell`].
    Row,
    /// A line across.
    Rule,
}

/// What a block is made of.
#[derive(
    Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(tag = "part", rename_all = "snake_case")]
pub enum Part {
    /// Text. Not safe to show before its hidden characters are visible.
    Text {
        /// The text.
        text: String,
        /// How it stands out.
        #[serde(default, skip_serializing_if = "Marks::is_empty")]
        marks: Marks,
        /// Where it leads, as written.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        link: Option<Arc<str>>,
    },
    /// A picture, which nobody loads.
    Image {
        /// Its words.
        alt: String,
        /// Where it comes from, as written.
        from: String,
    },
    /// Something of another page: a frame, a film, a sound.
    Embedded {
        /// The element's name.
        what: String,
        /// Where it comes from, as written.
        from: String,
    },
    /// Something that is no text of the page: a script, a style, a comment.
    Removed {
        /// The element's name, or `comment`.
        what: String,
        /// What is in it.
        text: String,
    },
    /// A new line.
    Break,
    /// The next cell.
    Cell,
}

impl Part {
    /// The text that the part shows.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Text { text, .. } | Self::Removed { text, .. } => text,
            Self::Image { alt, .. } => alt,
            Self::Break => "\n",
            Self::Embedded { .. } | Self::Cell => "",
        }
    }
}

/// One way in which text stands out.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum TextMark {
    /// Strong.
    Bold,
    /// Emphasised.
    Italic,
    /// Code.
    Code,
    /// Underlined.
    Underline,
    /// Struck out by the author.
    Strike,
    /// Written so that readers do not see it: same colour as the ground, no size, not displayed.
    Concealed,
}

const ALL: [TextMark; 6] = [
    TextMark::Bold,
    TextMark::Italic,
    TextMark::Code,
    TextMark::Underline,
    TextMark::Strike,
    TextMark::Concealed,
];

/// The ways in which a text stands out.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(from = "Vec<TextMark>", into = "Vec<TextMark>")]
#[schemars(with = "Vec<TextMark>")]
pub struct Marks(u8);

impl Marks {
    /// Whether it is plain.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0 == 0
    }

    /// Whether a mark is among them.
    #[must_use]
    pub const fn has(self, mark: TextMark) -> bool {
        self.0 & (1 << mark as u8) != 0
    }

    pub(super) const fn with(self, mark: TextMark) -> Self {
        Self(self.0 | (1 << mark as u8))
    }
}

impl From<Vec<TextMark>> for Marks {
    fn from(marks: Vec<TextMark>) -> Self {
        marks.into_iter().fold(Self::default(), Self::with)
    }
}

impl From<Marks> for Vec<TextMark> {
    fn from(marks: Marks) -> Self {
        ALL.into_iter().filter(|mark| marks.has(*mark)).collect()
    }
}

/// What a text brings along besides its words; warnings are made of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Scripts, and attributes that run some.
    pub(super) scripts: usize,
    /// Style sheets.
    pub(super) styles: usize,
    /// Forms and their fields.
    pub(super) forms: usize,
    /// Comments with words in them.
    pub(super) comments: usize,
    /// Elements that set something for the whole page: `meta`, `base`, `link`.
    pub(super) page: usize,
    /// Where pictures come from.
    pub(super) images: BTreeSet<String>,
    /// Where frames, films and sounds come from.
    pub(super) embedded: BTreeSet<String>,
    /// Other addresses that a browser would load by itself.
    pub(super) loaded: BTreeSet<String>,
    /// How deep elements are in one another.
    pub(super) depth: usize,
    /// How many elements were ended by the end of another.
    pub(super) misnested: usize,
    /// Links: the address and what stands on it.
    pub(super) links: Vec<(Arc<str>, String)>,
}

impl Document {
    /// Reads HTML or plain text.
    #[must_use]
    pub fn read(html: &str) -> Self {
        super::walk::read(html)
    }

    /// All text of it, blocks on lines of their own.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        for block in &self.blocks {
            out.extend(block.parts.iter().map(Part::text));
            out.push('\n');
        }
        out
    }

    /// The text that readers see, without what is concealed or removed.
    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        let parts = self.blocks.iter().flat_map(|block| &block.parts);
        parts
            .filter_map(|part| match part {
                Part::Text { text, .. } => Some(text.as_str()),
                _ => None,
            })
            .flat_map(super::words::tokens)
            .filter(|token| super::words::is_word(token))
    }

    /// The text that is written so that readers do not see it.
    pub(super) fn concealed(&self) -> usize {
        let parts = self.blocks.iter().flat_map(|block| &block.parts);
        let hidden = parts.filter_map(|part| match part {
            Part::Text { text, marks, .. } if marks.has(TextMark::Concealed) => Some(text),
            _ => None,
        });
        hidden.map(|text| text.trim().chars().count()).sum()
    }
}
