//! Texts of others on a page: the one place where they meet markup.
//!
//! Whatever is drawn here is escaped, and its hidden characters are named; every element is written
//! by a line of this file and none comes from the text. Templates show what others wrote by these
//! types alone.

use std::fmt::{self, Display, Write as _};
use std::ops::Range;

use askama::filters::HtmlSafe;

use crate::review::{
    BlockChange, Change, DiffBlock, DiffPart, Part, Segment, Shape, SourceLine, TextMark, Visible,
    destination, folded, visible,
};

/// A text with its hidden characters visible.
#[derive(Debug, Clone)]
pub(super) struct Seen<T>(pub(super) T);

impl<T: AsRef<str>> HtmlSafe for Seen<T> {}

impl<T: AsRef<str>> Display for Seen<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(self.0.as_ref(), out)
    }
}

fn show(text: &str, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    for piece in visible(text) {
        match piece {
            Visible::Text(text) => escape(text, out)?,
            Visible::Mark(mark) => {
                out.write_str("<span class=\"hid\">")?;
                escape(&mark.words(), out)?;
                out.write_str("</span>")?;
            }
        }
    }
    Ok(())
}

fn escape(text: &str, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut rest = text;
    while let Some(at) = rest.find(['<', '>', '&', '"', '\'']) {
        let (plain, after) = rest.split_at(at);
        out.write_str(plain)?;
        let mut letters = after.chars();
        out.write_str(match letters.next() {
            Some('<') => "&lt;",
            Some('>') => "&gt;",
            Some('&') => "&amp;",
            Some('"') => "&quot;",
            _ => "&#39;",
        })?;
        rest = letters.as_str();
    }
    out.write_str(rest)
}

/// Old and new of a short text as one.
pub(super) struct Segments<'a>(pub(super) &'a [Segment]);

impl HtmlSafe for Segments<'_> {}

impl Display for Segments<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for one in self.0 {
            changed(one.change, out, |out| show(&one.text, out))?;
        }
        Ok(())
    }
}

/// Draws something as it is, as added or as removed.
fn changed(
    change: Change,
    out: &mut fmt::Formatter<'_>,
    inner: impl FnOnce(&mut fmt::Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    match change {
        Change::Same => inner(out),
        Change::Added => {
            out.write_str("<ins><span class=\"hidden\">added: </span>")?;
            inner(out)?;
            out.write_str("</ins>")
        }
        Change::Removed => {
            out.write_str("<del><span class=\"hidden\">removed: </span>")?;
            inner(out)?;
            out.write_str("</del>")
        }
    }
}

/// The red-line. Blocks far from a change are folded; nothing is left out.
pub(super) struct RedLine<'a>(pub(super) &'a [DiffBlock]);

impl HtmlSafe for RedLine<'_> {}

impl Display for RedLine<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_changed =
            |at: usize| self.0.get(at).is_some_and(|block| block.change != BlockChange::Same);
        let any = (0..self.0.len()).any(is_changed);
        if !any {
            return self.blocks(0..self.0.len(), &mut 0, out);
        }
        let mut number = 0;
        for stretch in folded(self.0.len(), 1, is_changed) {
            if stretch.folded {
                let count = stretch.range.len();
                write!(out, "<details class=\"fold\"><summary>{count} blocks that stay</summary>")?;
                self.blocks(stretch.range, &mut number, out)?;
                out.write_str("</details>")?;
            } else {
                self.blocks(stretch.range, &mut number, out)?;
            }
        }
        Ok(())
    }
}

impl RedLine<'_> {
    /// How many blocks change.
    pub(super) fn changes(&self) -> usize {
        self.0.iter().filter(|block| block.change != BlockChange::Same).count()
    }

    fn blocks(
        &self,
        range: Range<usize>,
        number: &mut usize,
        out: &mut fmt::Formatter<'_>,
    ) -> fmt::Result {
        for block in self.0.get(range).unwrap_or_default() {
            if block.change != BlockChange::Same {
                *number += 1;
                let words = match block.change {
                    BlockChange::Added => "added",
                    BlockChange::Removed => "removed",
                    BlockChange::Changed | BlockChange::Same => "changed",
                };
                write!(
                    out,
                    "<h2 class=\"hidden\" id=\"c{number}\" tabindex=\"-1\">Change {number}: {words}</h2>"
                )?;
            }
            pair(block, out)?;
        }
        Ok(())
    }
}

/// A block that changes stands once as a red-line. Where there is room it shows what was, and beside it
/// stands what becomes: the style takes one side out of each.
fn pair(block: &DiffBlock, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    let class = match block.change {
        BlockChange::Same => return draw(block, out),
        BlockChange::Added => "add",
        BlockChange::Removed => "rem",
        BlockChange::Changed => "chg",
    };
    write!(out, "<div class=\"pair {class}\">")?;
    draw(block, out)?;
    if block.change == BlockChange::Changed {
        out.write_str("<div class=\"after\">")?;
        draw(block, out)?;
        out.write_str("</div>")?;
    }
    out.write_str("</div>")
}

fn draw(block: &DiffBlock, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    let side = match block.change {
        BlockChange::Same => "",
        BlockChange::Added => " add",
        BlockChange::Removed => " rem",
        BlockChange::Changed => " chg",
    };
    let (class, role) = shape(block.shape);
    write!(out, "<div class=\"b {class}{side}\"{role}>")?;
    if let Some(was) = block.was {
        write!(out, "<span class=\"chip\">{} &rarr; {}</span> ", name(was), name(block.shape))?;
    }
    // A block that is new or gone as a whole is marked once.
    match block.change {
        BlockChange::Added => changed(Change::Added, out, |out| parts(&block.parts, true, out))?,
        BlockChange::Removed => {
            changed(Change::Removed, out, |out| parts(&block.parts, true, out))?
        }
        BlockChange::Same | BlockChange::Changed => parts(&block.parts, false, out)?,
    }
    out.write_str("</div>")
}

fn parts(parts: &[DiffPart], whole: bool, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    if parts.is_empty() {
        return out.write_str("<span class=\"chip\">line</span>");
    }
    for one in parts {
        let change = if whole { Change::Same } else { one.change };
        changed(change, out, |out| part(&one.part, out))?;
    }
    Ok(())
}

fn part(part: &Part, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    match part {
        Part::Text { text, marks, link } => {
            let mut classes = String::new();
            for (mark, class) in MARKS {
                if marks.has(mark) {
                    classes.push_str(class);
                }
            }
            if marks.has(TextMark::Concealed) {
                out.write_str("<span class=\"chip danger\">hidden from readers</span>")?;
            }
            let is_plain = classes.is_empty() && link.is_none();
            if !is_plain {
                let link = if link.is_some() { "lnk " } else { "" };
                write!(out, "<span class=\"{link}{}\">", classes.trim_end())?;
            }
            show(text, out)?;
            if !is_plain {
                out.write_str("</span>")?;
            }
            if let Some(address) = link {
                chip("host", &[" \u{2192} ", &destination(address)], out)?;
            }
            Ok(())
        }
        Part::Image { alt, from } => {
            chip("chip img", &["picture, not loaded: ", alt, " \u{2192} ", &destination(from)], out)
        }
        Part::Embedded { what, from } => {
            chip("chip danger", &[what, ", not loaded \u{2192} ", &destination(from)], out)
        }
        Part::Removed { what, text } => {
            chip("chip danger", &[what, ", readers do not see: ", text], out)
        }
        Part::Break => out.write_str("<br>"),
        Part::Cell => out.write_str("<span class=\"cell\"> | </span>"),
    }
}

fn chip(class: &str, words: &[&str], out: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(out, "<span class=\"{class}\">")?;
    for word in words {
        show(word, out)?;
    }
    out.write_str("</span>")
}

const MARKS: [(TextMark, &str); 6] = [
    (TextMark::Bold, "bold "),
    (TextMark::Italic, "ital "),
    (TextMark::Code, "code "),
    (TextMark::Underline, "undl "),
    (TextMark::Strike, "strk "),
    (TextMark::Concealed, "conc "),
];

/// The classes of a block, and the role that tells programs what it is.
const fn shape(shape: Shape) -> (&'static str, &'static str) {
    match shape {
        Shape::Paragraph => ("par", ""),
        Shape::Heading { level: 1 | 2 } => ("hd h-2", ""),
        Shape::Heading { .. } => ("hd h-3", ""),
        Shape::Item { depth: 1, ordered: false } => ("li li-1", ""),
        Shape::Item { depth: 1, ordered: true } => ("li ol li-1", ""),
        Shape::Item { ordered: false, .. } => ("li li-2", ""),
        Shape::Item { ordered: true, .. } => ("li ol li-2", ""),
        Shape::Quote => ("quo", ""),
        Shape::Preformatted => ("pre", ""),
        Shape::Row => ("row", ""),
        Shape::Rule => ("rul", ""),
    }
}

fn name(shape: Shape) -> String {
    match shape {
        Shape::Paragraph => String::from("paragraph"),
        Shape::Heading { level } => format!("heading {level}"),
        Shape::Item { depth, ordered: false } => format!("list entry, level {depth}"),
        Shape::Item { depth, ordered: true } => format!("numbered entry, level {depth}"),
        Shape::Quote => String::from("quotation"),
        Shape::Preformatted => String::from("preformatted"),
        Shape::Row => String::from("table row"),
        Shape::Rule => String::from("line across"),
    }
}

/// The source diff. Lines far from a change are folded, and so are runs of empty lines.
pub(super) struct Source<'a>(pub(super) &'a [SourceLine]);

impl HtmlSafe for Source<'_> {}

/// More empty lines in a row than this are told, not shown.
const EMPTY: usize = 6;

impl Display for Source<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_changed = |at: usize| self.0.get(at).is_some_and(|line| line.changed);
        if !(0..self.0.len()).any(is_changed) {
            return lines(self.0, out);
        }
        for stretch in folded(self.0.len(), 2, is_changed) {
            let part = self.0.get(stretch.range).unwrap_or_default();
            if stretch.folded {
                write!(
                    out,
                    "<details class=\"fold\"><summary>{} lines that stay</summary>",
                    part.len()
                )?;
                lines(part, out)?;
                out.write_str("</details>")?;
            } else {
                lines(part, out)?;
            }
        }
        Ok(())
    }
}

fn lines(lines: &[SourceLine], out: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut rest = lines;
    while let Some((line, after)) = rest.split_first() {
        let empty =
            rest.iter().take_while(|next| is_empty(next) && kind(next) == kind(line)).count();
        if empty > EMPTY {
            let class = kind(line);
            write!(
                out,
                "<div class=\"l {class}\"><span class=\"chip\">{empty} empty lines</span></div>"
            )?;
            rest = rest.get(empty..).unwrap_or_default();
            continue;
        }
        write!(out, "<div class=\"l {}\">", kind(line))?;
        for one in &line.segments {
            let text = one.text.strip_suffix('\n').unwrap_or(&one.text);
            changed(one.change, out, |out| show(text, out))?;
        }
        out.write_char('\n')?;
        out.write_str("</div>")?;
        rest = after;
    }
    Ok(())
}

fn is_empty(line: &SourceLine) -> bool {
    line.segments
        .iter()
        .all(|one| one.text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\n')))
}

/// The side on which a whole line stands.
fn kind(line: &SourceLine) -> &'static str {
    let mut sides = line.segments.iter().map(|one| one.change);
    match (line.changed, sides.next(), sides.next()) {
        (false, ..) => "same",
        (true, Some(Change::Added), None) => "add",
        (true, Some(Change::Removed), None) => "rem",
        _ => "chg",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{JsonText, Timestamp};
    use crate::review::{Asked, Now, Review, review};

    fn reviewed(old: &str, new: &str) -> Review {
        let arguments = JsonText::of(&serde_json::json!({"id": "1", "title": new, "body": new}));
        let object = JsonText::of(
            &serde_json::json!({"type": "article", "id": "1", "title": old, "body": old}),
        );
        let now = Now::Read { answer: &object, at: Timestamp::from_millis(0) };
        review(Asked {
            tool: "update_article",
            arguments: &arguments,
            now,
            found: &[],
            similar: &[],
        })
    }

    /// All elements and attributes that stand in what is drawn.
    fn drawn(old: &str, new: &str) -> String {
        let review = reviewed(old, new);
        let body = review.body.unwrap();
        let fields: String =
            review.fields.iter().map(|it| Segments(&it.segments).to_string()).collect();
        format!("{}{}{}{fields}", Seen(new), RedLine(&body.rendered), Source(&body.source))
    }

    #[test]
    fn no_element_comes_from_a_text() {
        let own = [
            "<span class=\"",
            "</span>",
            "<ins>",
            "</ins>",
            "<del>",
            "</del>",
            "<div class=\"",
            "</div>",
            "<br>",
            "<h2 class=\"hidden\" id=\"c",
            "</h2>",
            "<details class=\"fold\">",
            "</details>",
            "<summary>",
            "</summary>",
        ];
        for text in [
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "\"><svg onload=alert(1)>",
            "' x='",
            "<a href=\"javascript:alert(1)\">x</a>",
            "<iframe src=//e.example>",
            "<p style='color:#fff'>x",
            "<table><tr><td>a<td>b</table>",
            "&lt;script&gt;",
            "<h1 id=x onclick=y>z",
            "<br><hr>",
        ] {
            let drawn = drawn("<p>old</p>", &text.repeat(3));
            for (at, _) in drawn.match_indices('<') {
                assert!(
                    own.iter().any(|it| drawn[at..].starts_with(it)),
                    "{text}: {}",
                    &drawn[at..]
                );
            }
            for attribute in ["onerror", "onload", "onclick", "src=", "href=", "style="] {
                let quoted = drawn.replace("&quot;", "").replace("&#39;", "");
                for (at, _) in quoted.match_indices(attribute) {
                    let before = &quoted[..at];
                    let Some(open) = before.rfind('<') else { continue };
                    assert!(before[open..].contains('>'), "{text}: {attribute} in a tag");
                }
            }
        }
    }

    #[test]
    fn a_flood_of_empty_lines_is_told() {
        let review = reviewed("a", &format!("a{}b", "\n".repeat(100_000)));
        let body = review.body.unwrap();
        let drawn = format!("{}{}", RedLine(&body.rendered), Source(&body.source));
        assert!(drawn.contains("99999 empty lines</span>"), "{drawn}");
        assert!(drawn.len() < 2000, "{}", drawn.len());
    }
}
