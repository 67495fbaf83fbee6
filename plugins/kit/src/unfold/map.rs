//! A view of a text, and the map from its bytes to those of the text.

use std::borrow::Cow;
use std::ops::Range;

/// What a stretch of a view is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Made {
    /// The same bytes.
    Same,
    /// Some bytes that spell these together; they cannot be told apart.
    Atom,
    /// Something that is not read and may be covered by a span, such as an invisible character.
    Gap,
    /// A tag: no span may cover it.
    Tag,
}

/// A stretch of a view: begins at `to` in the view, stands for `len` bytes at `from` of the text.
#[derive(Debug, Clone, Copy)]
struct Run {
    to: u32,
    from: u32,
    len: u32,
    made: Made,
}

impl Run {
    const fn end(&self) -> usize {
        self.from as usize + self.len as usize
    }
}

/// A text as it is read. Made by [`View::of`] or [`super::fold`].
#[derive(Debug, Clone)]
pub struct View<'t> {
    text: Cow<'t, str>,
    /// Empty if the view has the bytes of the text.
    runs: Vec<Run>,
}

impl<'t> View<'t> {
    /// A text that is read as it is written.
    #[must_use]
    pub const fn same(text: &'t str) -> Self {
        Self { text: Cow::Borrowed(text), runs: Vec::new() }
    }

    /// A text of the same length, byte for byte.
    pub(super) const fn parallel(text: String) -> Self {
        Self { text: Cow::Owned(text), runs: Vec::new() }
    }

    /// What is read.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the bytes of the view are those of the text.
    #[must_use]
    pub const fn is_same(&self) -> bool {
        self.runs.is_empty()
    }

    fn run(&self, at: usize) -> Option<&Run> {
        let n = self.runs.partition_point(|r| r.to as usize <= at);
        n.checked_sub(1).and_then(|n| self.runs.get(n))
    }

    /// The bytes of the text from the first to the last of what some bytes of the view stand for,
    /// with everything between.
    #[must_use]
    pub fn range(&self, bytes: Range<usize>) -> Range<usize> {
        if self.runs.is_empty() {
            return bytes;
        }
        let start = self.run(bytes.start).map_or(0, |r| match r.made {
            Made::Same => r.from as usize + (bytes.start - r.to as usize),
            _ => r.from as usize,
        });
        if bytes.is_empty() {
            return start..start;
        }
        let last = bytes.end - 1;
        let end = self.run(last).map_or(start, |r| match r.made {
            Made::Same => r.from as usize + (last - r.to as usize) + 1,
            _ => r.end(),
        });
        start..end.max(start)
    }

    /// The same, in pieces that leave tags out. Pieces without a letter or digit are left out too,
    /// unless nothing else is left.
    #[must_use]
    pub fn pieces(&self, bytes: Range<usize>) -> Vec<Range<usize>> {
        let first = self.runs.partition_point(|r| (r.to as usize) < bytes.start);
        let cut = |r: &&Run| r.made == Made::Tag && (r.to as usize) < bytes.end;
        let inside = self.runs.get(first..).unwrap_or(&[]);
        let mut inside = inside.iter().take_while(|r| (r.to as usize) < bytes.end).peekable();
        if inside.peek().is_none() || !inside.clone().any(|r| cut(&r)) {
            return vec![self.range(bytes)];
        }
        let (mut out, mut signs, mut from) = (Vec::new(), Vec::new(), bytes.start);
        let mut push = |piece: Range<usize>| {
            let read = self.text.get(piece.clone()).unwrap_or_default();
            let lead = read.len() - read.trim_start().len();
            let end = piece.start + read.trim_end().len();
            if piece.start + lead < end {
                let is_read = read.chars().any(char::is_alphanumeric);
                let into = if is_read { &mut out } else { &mut signs };
                into.push(self.range(piece.start + lead..end));
            }
        };
        for run in inside.filter(cut) {
            let to = run.to as usize;
            push(from..to);
            from = self.run_end(run).max(from);
        }
        push(from..bytes.end);
        // Signs alone are no reason to take a tag along.
        if out.is_empty() { signs } else { out }
    }

    /// Where the bytes of a tag end in the view: behind its line break, if it makes one.
    fn run_end(&self, tag: &Run) -> usize {
        let to = tag.to as usize;
        if self.text.as_bytes().get(to) == Some(&b'\n')
            && self.run(to).is_some_and(|r| r.made == Made::Tag)
        {
            to + 1
        } else {
            to
        }
    }

    /// A view of this view, as a view of the text.
    #[must_use]
    pub fn through(&self, inner: &View<'_>, bytes: Range<usize>) -> Vec<Range<usize>> {
        self.pieces(inner.range(bytes))
    }
}

/// Writes a view.
#[derive(Debug, Default)]
pub(super) struct Writer {
    text: String,
    runs: Vec<Run>,
}

impl Writer {
    pub(super) fn with_capacity(n: usize) -> Self {
        Self { text: String::with_capacity(n), runs: Vec::with_capacity(16) }
    }

    fn run(&mut self, from: usize, len: usize, made: Made) {
        let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let run = Run { to: small(self.text.len()), from: small(from), len: small(len), made };
        if let Some(last) = self.runs.last_mut()
            && made == Made::Same
            && last.made == Made::Same
            && last.end() == from
        {
            last.len = last.len.saturating_add(run.len);
            return;
        }
        self.runs.push(run);
    }

    /// Text that is read as written.
    pub(super) fn same(&mut self, from: usize, text: &str) {
        if !text.is_empty() {
            self.run(from, text.len(), Made::Same);
            self.text.push_str(text);
        }
    }

    /// `len` bytes that are read as one character.
    pub(super) fn atom(&mut self, from: usize, len: usize, read: char) {
        self.run(from, len, Made::Atom);
        self.text.push(read);
    }

    /// More characters of the last atom.
    pub(super) fn more(&mut self, read: char) {
        self.text.push(read);
    }

    /// `len` bytes that are not read.
    pub(super) fn gap(&mut self, from: usize, len: usize) {
        self.run(from, len, Made::Gap);
    }

    /// A tag, which may break the line.
    pub(super) fn tag(&mut self, from: usize, len: usize, breaks: bool) {
        self.run(from, len, Made::Tag);
        if breaks {
            self.text.push('\n');
        }
    }

    pub(super) fn finish<'t>(self) -> View<'t> {
        View { text: Cow::Owned(self.text), runs: self.runs }
    }
}
