//! The one pass over a text's tokens that makes a [`Document`] of it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

use super::concealed::conceals;
use super::document::{Block, Document, Marks, Part, Seen, Shape, TextMark};

/// Reads a text.
pub(super) fn read(html: &str) -> Document {
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(html));
    let tokens = Tokenizer::new(Walk::default(), TokenizerOpts::default());
    // Scripts would interrupt a browser here; nothing runs, so the loop only goes on.
    while !input.is_empty() {
        if matches!(tokens.feed(&input), html5ever::TokenizerResult::Done) {
            break;
        }
    }
    tokens.end();
    let mut walk = tokens.sink.0.into_inner();
    walk.close_raw();
    walk.end_block();
    Document { blocks: walk.blocks, seen: walk.seen }
}

#[derive(Default)]
struct Walk(RefCell<State>);

impl TokenSink for Walk {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut state = self.0.borrow_mut();
        match token {
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => return state.start(&tag),
            Token::TagToken(tag) => state.end(&tag.name),
            Token::CharacterTokens(text) => state.characters(&text),
            Token::NullCharacterToken => state.characters("\0"),
            Token::CommentToken(text) => state.comment(&text),
            Token::DoctypeToken(_) | Token::EOFToken | Token::ParseError(_) => {}
        }
        TokenSinkResult::Continue
    }
}

/// How text stands where the walk is.
#[derive(Clone)]
struct Style {
    marks: Marks,
    link: Option<(Arc<str>, usize)>,
    shape: Shape,
    depth: u8,
    ordered: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            marks: Marks::default(),
            link: None,
            shape: Shape::Paragraph,
            depth: 0,
            ordered: false,
        }
    }
}

#[derive(Default)]
struct State {
    blocks: Vec<Block>,
    parts: Vec<Part>,
    text: String,
    style: Style,
    /// Elements that are open, with the style outside of them.
    open: Vec<(String, Style)>,
    /// How many of a name are open.
    names: HashMap<String, usize>,
    /// An element whose content is no markup: its name and text.
    raw: Option<(String, String)>,
    seen: Seen,
}

impl State {
    fn characters(&mut self, text: &str) {
        if let Some((_, raw)) = &mut self.raw {
            raw.push_str(text);
            return;
        }
        if let Some((_, link)) = &self.style.link
            && let Some((_, words)) = self.seen.links.get_mut(*link)
            && words.len() < 300
        {
            words.push_str(text);
        }
        if self.style.shape == Shape::Preformatted {
            self.text.push_str(text);
            return;
        }
        for letter in text.chars() {
            if matches!(letter, ' ' | '\t' | '\n' | '\r' | '\x0c') {
                let starts =
                    self.text.is_empty() && !matches!(self.parts.last(), Some(Part::Text { .. }));
                if !starts && !self.ends_in_space() {
                    self.text.push(' ');
                }
            } else {
                self.text.push(letter);
            }
        }
    }

    fn ends_in_space(&self) -> bool {
        match self.parts.last() {
            Some(Part::Text { text, .. }) if self.text.is_empty() => text.ends_with(' '),
            _ => self.text.ends_with(' '),
        }
    }

    fn comment(&mut self, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        self.seen.comments += 1;
        self.part(Part::Removed { what: String::from("comment"), text: text.to_owned() });
    }

    fn start(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name: &str = &tag.name;
        self.attributes(tag);
        if let Some(kind) = raw_kind(name) {
            self.raw = Some((name.to_owned(), String::new()));
            if name == "iframe" {
                self.embedded(name, attribute(tag, "src"));
            }
            return match kind {
                Some(kind) => TokenSinkResult::RawData(kind),
                None => TokenSinkResult::Plaintext,
            };
        }
        match name {
            "br" => self.part(Part::Break),
            "hr" => {
                self.end_block();
                self.blocks.push(Block { shape: Shape::Rule, parts: Vec::new() });
            }
            "img" | "image" => {
                let alt = attribute(tag, "alt").to_owned();
                self.part(Part::Image { alt, from: attribute(tag, "src").to_owned() });
            }
            "embed" => self.embedded(name, attribute(tag, "src")),
            "meta" | "base" | "link" => {
                self.seen.page += 1;
                self.part(Part::Removed { what: name.to_owned(), text: String::new() });
            }
            "input" => {
                let text = attribute(tag, "value").to_owned();
                self.part(Part::Removed { what: String::from("input"), text });
            }
            "wbr" | "source" | "track" | "param" | "area" | "col" => {}
            _ => self.open(tag),
        }
        TokenSinkResult::Continue
    }

    /// Opens an element that has an end.
    fn open(&mut self, tag: &Tag) {
        let name: &str = &tag.name;
        self.close_implied(name);
        if is_block(name) {
            self.end_block();
        } else {
            self.end_text();
        }
        self.open.push((name.to_owned(), self.style.clone()));
        *self.names.entry(name.to_owned()).or_default() += 1;
        self.seen.depth = self.seen.depth.max(self.open.len());
        match name {
            "b" | "strong" | "th" => self.mark(TextMark::Bold),
            "i" | "em" | "cite" | "dfn" | "var" => self.mark(TextMark::Italic),
            "code" | "kbd" | "samp" | "tt" => self.mark(TextMark::Code),
            "u" | "ins" => self.mark(TextMark::Underline),
            "s" | "del" | "strike" => self.mark(TextMark::Strike),
            "template" => self.mark(TextMark::Concealed),
            "a" => {
                let address: Arc<str> = attribute(tag, "href").into();
                self.seen.links.push((Arc::clone(&address), String::new()));
                self.style.link = Some((address, self.seen.links.len() - 1));
            }
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                let level = name.as_bytes().get(1).map_or(1, |digit| digit.saturating_sub(b'0'));
                self.style.shape = Shape::Heading { level };
            }
            "ul" | "ol" | "menu" => {
                self.style.depth = (self.style.depth + 1).min(9);
                self.style.ordered = name == "ol";
            }
            "li" => {
                let depth = self.style.depth.max(1);
                self.style.shape = Shape::Item { depth, ordered: self.style.ordered };
            }
            "blockquote" => self.style.shape = Shape::Quote,
            "pre" | "listing" => self.style.shape = Shape::Preformatted,
            "tr" => self.style.shape = Shape::Row,
            "video" | "audio" | "object" => self.embedded(name, first(tag, &["src", "data"])),
            _ => {}
        }
        if matches!(name, "td" | "th") && !self.parts.is_empty() {
            self.part(Part::Cell);
        }
        if conceals(tag) {
            self.mark(TextMark::Concealed);
        }
    }

    fn end(&mut self, name: &str) {
        if self.raw.is_some() {
            self.close_raw();
            return;
        }
        if name == "br" {
            return self.part(Part::Break);
        }
        if self.names.get(name).copied().unwrap_or_default() == 0 {
            return;
        }
        while let Some((last, outside)) = self.open.pop() {
            if is_block(&last) {
                self.end_block();
            } else {
                self.end_text();
            }
            if let Some(count) = self.names.get_mut(&last) {
                *count = count.saturating_sub(1);
            }
            self.style = outside;
            if last == name {
                return;
            }
            self.seen.misnested += 1;
        }
    }

    /// Ends what a new element ends by itself: a paragraph, an entry, a cell.
    fn close_implied(&mut self, name: &str) {
        let Some((last, _)) = self.open.last() else { return };
        let ends = match last.as_str() {
            "p" => is_block(name),
            "li" | "option" | "tr" => name == last,
            "td" | "th" => matches!(name, "td" | "th" | "tr"),
            "dt" | "dd" => matches!(name, "dt" | "dd"),
            _ => false,
        };
        if ends {
            let last = last.clone();
            self.end(&last);
            self.close_implied(name);
        }
    }

    fn close_raw(&mut self) {
        let Some((what, text)) = self.raw.take() else { return };
        // A frame has been told of already; what is inside is for browsers without frames.
        if what == "iframe" && text.trim().is_empty() {
            return;
        }
        self.part(Part::Removed { what, text });
    }

    fn embedded(&mut self, what: &str, from: &str) {
        self.part(Part::Embedded { what: what.to_owned(), from: from.to_owned() });
    }

    const fn mark(&mut self, mark: TextMark) {
        self.style.marks = self.style.marks.with(mark);
    }

    fn part(&mut self, part: Part) {
        self.end_text();
        self.parts.push(part);
    }

    fn end_text(&mut self) {
        if self.text.is_empty() {
            return;
        }
        let text = std::mem::take(&mut self.text);
        let link = self.style.link.as_ref().map(|(address, _)| Arc::clone(address));
        self.parts.push(Part::Text { text, marks: self.style.marks, link });
    }

    fn end_block(&mut self) {
        self.end_text();
        if let Some(Part::Text { text, .. }) = self.parts.last_mut()
            && self.style.shape != Shape::Preformatted
        {
            text.truncate(text.trim_end_matches(' ').len());
            if text.is_empty() {
                self.parts.pop();
            }
        }
        if !self.parts.is_empty() {
            let parts = std::mem::take(&mut self.parts);
            self.blocks.push(Block { shape: self.style.shape, parts });
        }
    }

    /// Notes what a tag brings along.
    fn attributes(&mut self, tag: &Tag) {
        let name: &str = &tag.name;
        match name {
            "script" => self.seen.scripts += 1,
            "style" => self.seen.styles += 1,
            "form" | "input" | "button" | "select" | "textarea" => self.seen.forms += 1,
            _ => {}
        }
        for one in &tag.attrs {
            let (key, value): (&str, &str) = (&one.name.local, &one.value);
            let value = value.trim();
            let list = match key {
                _ if key.starts_with("on") => {
                    self.seen.scripts += 1;
                    continue;
                }
                "src" | "srcset" if matches!(name, "img" | "image") => &mut self.seen.images,
                "src" | "data" | "srcdoc" => &mut self.seen.embedded,
                "srcset" | "poster" | "background" | "lowsrc" | "action" | "formaction" => {
                    &mut self.seen.loaded
                }
                "href" | "xlink:href" if !matches!(name, "a" | "area") => &mut self.seen.loaded,
                "style" if value.to_ascii_lowercase().contains("url(") => &mut self.seen.loaded,
                _ => continue,
            };
            if !value.is_empty() {
                list.insert(value.to_owned());
            }
        }
    }
}

fn attribute<'a>(tag: &'a Tag, name: &str) -> &'a str {
    let found = tag.attrs.iter().find(|one| &*one.name.local == name);
    found.map_or("", |one| one.value.trim())
}

fn first<'a>(tag: &'a Tag, names: &[&str]) -> &'a str {
    names.iter().map(|name| attribute(tag, name)).find(|value| !value.is_empty()).unwrap_or("")
}

/// Elements whose content a browser does not read as markup; `plaintext` never ends.
fn raw_kind(name: &str) -> Option<Option<RawKind>> {
    match name {
        "script" => Some(Some(RawKind::ScriptData)),
        "title" | "textarea" => Some(Some(RawKind::Rcdata)),
        "style" | "xmp" | "iframe" | "noembed" | "noframes" | "noscript" => {
            Some(Some(RawKind::Rawtext))
        }
        "plaintext" => Some(None),
        _ => None,
    }
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "article"
            | "aside"
            | "blockquote"
            | "body"
            | "button"
            | "caption"
            | "center"
            | "dd"
            | "details"
            | "dialog"
            | "dir"
            | "div"
            | "dl"
            | "dt"
            | "fieldset"
            | "figcaption"
            | "figure"
            | "footer"
            | "form"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "head"
            | "header"
            | "hgroup"
            | "html"
            | "legend"
            | "li"
            | "listing"
            | "main"
            | "menu"
            | "nav"
            | "ol"
            | "option"
            | "p"
            | "pre"
            | "search"
            | "section"
            | "select"
            | "summary"
            | "table"
            | "tbody"
            | "tfoot"
            | "thead"
            | "tr"
            | "ul"
    )
}
