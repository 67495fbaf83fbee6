//! Events of the parser to the tree, without recursion.

use std::collections::HashSet;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle};

use super::{Entry, Fault, Node, Position, Scalar, Value};

/// Bounds of a text.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of the text.
    pub max_bytes: usize,
    /// Mappings and lists inside each other.
    pub max_depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_bytes: 1 << 20, max_depth: 32 }
    }
}

/// What was read.
#[derive(Debug)]
pub struct Reading {
    /// The tree, unless the structure itself was unreadable. Where there are faults, it lacks what
    /// they name. An empty text is null.
    pub node: Option<Node>,
    /// Everything that is not accepted, in the order of the text.
    pub faults: Vec<Fault>,
}

impl Reading {
    /// The tree if nothing was wrong.
    ///
    /// # Errors
    /// Everything that is not accepted.
    pub fn into_result(self) -> Result<Node, Vec<Fault>> {
        match self.node {
            Some(node) if self.faults.is_empty() => Ok(node),
            _ => Err(self.faults),
        }
    }
}

/// Reads one document.
#[must_use]
pub fn read(text: &str, limits: &Limits) -> Reading {
    let mut builder = Builder { max_depth: limits.max_depth, ..Builder::default() };
    let stopped = refuse_text(text, limits).or_else(|| builder.read(text).err());
    let mut faults = builder.faults;
    let node = match stopped {
        None => Some(builder.root.unwrap_or_else(|| null(Position::START))),
        Some(fault) => {
            faults.push(fault);
            None
        }
    };
    Reading { node, faults }
}

/// What no YAML may hold. NUL in particular ends the text for some parsers and not for others.
fn refuse_text(text: &str, limits: &Limits) -> Option<Fault> {
    if text.len() > limits.max_bytes {
        let text = format!("the file is larger than {} bytes; make it smaller", limits.max_bytes);
        return Some(Fault { at: Position::START, text });
    }
    let odd = |c: char| (c.is_control() && !matches!(c, '\t' | '\n' | '\r')) || c == '\u{feff}';
    // A byte order mark is in order as the first character only.
    let (line, column, found) = text.lines().enumerate().find_map(|(line, content)| {
        let mut places = content.chars().enumerate();
        places
            .find(|(column, c)| odd(*c) && !(line == 0 && *column == 0 && *c == '\u{feff}'))
            .map(|(column, c)| (line + 1, column + 1, c))
    })?;
    let text = format!(
        "the invisible character U+{:04X} is not accepted; remove it, or write it as an escape \
         in double quotes",
        u32::from(found)
    );
    Some(Fault { at: Position { line, column }, text })
}

#[derive(Default)]
struct Builder {
    max_depth: usize,
    stack: Vec<Frame>,
    root: Option<Node>,
    faults: Vec<Fault>,
}

/// A collection that is not closed yet.
enum Frame {
    List { at: Position, items: Vec<Node> },
    Map { at: Position, entries: Vec<Entry>, seen: HashSet<String>, key: Key },
}

/// What a mapping waits for.
enum Key {
    Awaited,
    Read(String, Position),
    /// The key was refused; its value is dropped.
    Refused,
}

impl Builder {
    fn read(&mut self, text: &str) -> Result<(), Fault> {
        let mut documents = 0;
        for event in Parser::new_from_str(text.strip_prefix('\u{feff}').unwrap_or(text)) {
            let (event, span) = event.map_err(|error| Fault {
                at: position(error.marker()),
                text: format!("this is not YAML: {}", error.info().trim_end_matches('.')),
            })?;
            let at = position(&span.start);
            match event {
                Event::DocumentStart(_) => {
                    documents += 1;
                    if documents > 1 {
                        let text = "a second document begins here; keep one document in a file";
                        return Err(Fault { at, text: text.to_owned() });
                    }
                }
                Event::Scalar(text, style, anchor, tag) => {
                    self.refuse_extras(at, anchor, tag.is_some());
                    let plain = style == ScalarStyle::Plain;
                    let scalar = Scalar { text: text.into_owned(), plain };
                    self.attach(Node { at, value: Value::Scalar(scalar) });
                }
                Event::Alias(_) => {
                    self.refuse_extras(at, 1, false);
                    self.attach(null(at));
                }
                Event::SequenceStart(anchor, tag) => {
                    self.refuse_extras(at, anchor, tag.is_some());
                    self.push(at, Frame::List { at, items: Vec::new() })?;
                }
                Event::MappingStart(anchor, tag) => {
                    self.refuse_extras(at, anchor, tag.is_some());
                    let (entries, seen) = (Vec::new(), HashSet::new());
                    self.push(at, Frame::Map { at, entries, seen, key: Key::Awaited })?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.close(),
                Event::StreamStart | Event::StreamEnd | Event::DocumentEnd | Event::Nothing => {}
            }
        }
        Ok(())
    }

    fn refuse_extras(&mut self, at: Position, anchor: usize, tagged: bool) {
        if anchor != 0 {
            self.fault(
                at,
                "anchors and aliases (`&name`, `*name`) are not accepted; write the value out",
            );
        }
        if tagged {
            self.fault(at, "tags (`!name`) are not accepted; remove it");
        }
    }

    fn push(&mut self, at: Position, frame: Frame) -> Result<(), Fault> {
        if self.stack.len() >= self.max_depth {
            let text = format!("more than {} levels deep; make it flatter", self.max_depth);
            return Err(Fault { at, text });
        }
        self.stack.push(frame);
        Ok(())
    }

    fn close(&mut self) {
        match self.stack.pop() {
            Some(Frame::List { at, items }) => self.attach(Node { at, value: Value::List(items) }),
            Some(Frame::Map { at, entries, .. }) => {
                self.attach(Node { at, value: Value::Map(entries) });
            }
            None => {}
        }
    }

    /// Puts a whole node where it belongs: as root, list item, key or value.
    fn attach(&mut self, node: Node) {
        match self.stack.last_mut() {
            None => self.root = Some(node),
            Some(Frame::List { items, .. }) => items.push(node),
            Some(Frame::Map { entries, seen, key, .. }) => {
                match std::mem::replace(key, Key::Awaited) {
                    Key::Read(name, key_at) => entries.push(Entry { key: name, key_at, node }),
                    Key::Refused => {}
                    Key::Awaited => match accept_key(node, seen) {
                        Ok((name, key_at)) => *key = Key::Read(name, key_at),
                        Err(fault) => {
                            *key = Key::Refused;
                            self.faults.push(fault);
                        }
                    },
                }
            }
        }
    }

    fn fault(&mut self, at: Position, text: &str) {
        self.faults.push(Fault { at, text: text.to_owned() });
    }
}

fn accept_key(node: Node, seen: &mut HashSet<String>) -> Result<(String, Position), Fault> {
    let at = node.at;
    let Value::Scalar(scalar) = node.value else {
        return Err(Fault { at, text: "a key must be text, not a list or a mapping".to_owned() });
    };
    if scalar.plain && scalar.text == "<<" {
        let text = "merge keys (`<<`) are not accepted; write the values out";
        return Err(Fault { at, text: text.to_owned() });
    }
    if !seen.insert(scalar.text.clone()) {
        let name: String = scalar.text.chars().take(80).collect();
        let text = format!("the key `{name}` is here twice; keep one of them");
        return Err(Fault { at, text });
    }
    Ok((scalar.text, at))
}

fn null(at: Position) -> Node {
    Node { at, value: Value::Scalar(Scalar { text: String::new(), plain: true }) }
}

/// The parser counts lines from 1 and columns from 0.
fn position(mark: &Marker) -> Position {
    Position { line: mark.line().max(1), column: mark.col() + 1 }
}
