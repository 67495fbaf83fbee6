//! The source diff: the exact text of a field, line by line and word by word.
//!
//! An HTML body is often one line; it is cut behind the ends of its blocks, so that lines of the
//! diff are what people would call lines. The pieces together are the text, byte for byte.

use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::align::{Budget, Step, align};
use super::words::{self, Change, Segment};

/// A line of the source diff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SourceLine {
    /// Whether anything in it is new or gone.
    pub changed: bool,
    /// What is in it.
    pub segments: Vec<Segment>,
}

/// A stretch of lines or blocks: shown, or folded because nothing near it changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// Where it is.
    pub range: Range<usize>,
    /// Whether it is folded.
    pub folded: bool,
}

/// A line longer than this is cut, so that one change does not show all of it.
const LINE: usize = 1200;
/// Fewer lines than this are not worth folding.
const FOLD: usize = 4;

/// The ends of blocks behind which a line ends.
const ENDS: [&str; 22] = [
    "</p>",
    "</h1>",
    "</h2>",
    "</h3>",
    "</h4>",
    "</h5>",
    "</h6>",
    "</li>",
    "</ul>",
    "</ol>",
    "</div>",
    "</tr>",
    "</table>",
    "</blockquote>",
    "</pre>",
    "</section>",
    "</figure>",
    "<br>",
    "<br/>",
    "<br />",
    "<hr>",
    "</script>",
];

/// The diff of two sources.
pub(super) fn compare(old: &str, new: &str, budget: &mut Budget) -> Vec<SourceLine> {
    let (before, after) = (lines(old), lines(new));
    let mut out = Vec::new();
    for step in align(&before, &after, budget) {
        match step {
            Step::Same(_, to) => {
                let same = after.get(to).unwrap_or_default();
                out.extend(same.iter().map(|text| line(Change::Same, text)));
            }
            Step::Became(from, to) => {
                let gone = before.get(from).unwrap_or_default();
                let come = after.get(to).unwrap_or_default();
                rewritten(gone, come, budget, &mut out);
            }
        }
    }
    out
}

/// A source that is compared with nothing.
pub(super) fn alone(text: &str) -> Vec<SourceLine> {
    lines(text).into_iter().map(|text| line(Change::Same, text)).collect()
}

/// Lines that became others: as many as there are of both are compared by words, in order.
fn rewritten(gone: &[&str], come: &[&str], budget: &mut Budget, out: &mut Vec<SourceLine>) {
    let paired = if gone.len() == come.len() || gone.len().min(come.len()) == 1 {
        gone.len().min(come.len())
    } else {
        0
    };
    for (one, other) in gone.iter().zip(come).take(paired) {
        let segments = words::compare(one, other, budget);
        out.push(SourceLine { changed: true, segments });
    }
    out.extend(gone.iter().skip(paired).map(|text| line(Change::Removed, text)));
    out.extend(come.iter().skip(paired).map(|text| line(Change::Added, text)));
}

fn line(change: Change, text: &str) -> SourceLine {
    let segments = vec![Segment { change, text: text.to_owned() }];
    SourceLine { changed: change != Change::Same, segments }
}

/// Cuts a text into lines that together are the text.
fn lines(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    for physical in text.split_inclusive('\n') {
        let mut rest = physical;
        while !rest.is_empty() {
            let (line, after) = rest.split_at(line_length(rest));
            out.push(line);
            rest = after;
        }
    }
    out
}

fn line_length(text: &str) -> usize {
    let mut limit = text.len().min(LINE);
    while !text.is_char_boundary(limit) {
        limit += 1;
    }
    let window = text.get(..limit).unwrap_or(text);
    let mut from = 0;
    while let Some(at) = window.get(from..).and_then(|rest| memchr::memchr(b'<', rest.as_bytes())) {
        let start = from + at;
        let rest = window.get(start..).unwrap_or_default();
        if let Some(end) = ENDS.iter().find(|end| starts(rest, end)) {
            let end = start + end.len();
            // The line break behind an end belongs to its line.
            return end + usize::from(text.get(end..) == Some("\n"));
        }
        from = start + 1;
    }
    limit
}

fn starts(text: &str, with: &str) -> bool {
    text.as_bytes()
        .get(..with.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(with.as_bytes()))
}

/// Which of `length` lines to show: those that changed, with `context` lines around them.
pub fn folded(length: usize, context: usize, is_changed: impl Fn(usize) -> bool) -> Vec<Stretch> {
    let mut shown = vec![false; length];
    for at in (0..length).filter(|at| is_changed(*at)) {
        let near = at.saturating_sub(context)..(at + context + 1).min(length);
        shown.get_mut(near).unwrap_or_default().fill(true);
    }
    let mut out: Vec<Stretch> = Vec::new();
    for (at, is_shown) in shown.into_iter().enumerate() {
        match out.last_mut() {
            Some(last) if last.folded != is_shown => last.range.end = at + 1,
            _ => out.push(Stretch { range: at..at + 1, folded: !is_shown }),
        }
    }
    for one in &mut out {
        one.folded &= one.range.len() >= FOLD;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_behind_blocks_and_are_the_text() {
        let rows: [(&str, &[&str]); 4] = [
            ("<p>a</p><p>b</p>", &["<p>a</p>", "<p>b</p>"]),
            ("<p>a</P>\n<b>c</b>", &["<p>a</P>\n", "<b>c</b>"]),
            ("a\n\nb", &["a\n", "\n", "b"]),
            ("", &[]),
        ];
        for (text, expected) in rows {
            assert_eq!(lines(text), expected);
        }
        assert_eq!(lines(&"x".repeat(3000)).len(), 3);
    }

    #[test]
    fn what_is_far_from_changes_is_folded() {
        let stretches = folded(20, 2, |at| at == 10);
        let ranges: Vec<_> = stretches.into_iter().map(|it| (it.range, it.folded)).collect();
        assert_eq!(ranges, [(0..8, true), (8..13, false), (13..20, true)]);
        assert!(folded(3, 2, |_| false).iter().all(|it| !it.folded));
    }
}
