//! `# METADATA`: what a rule or a package says of itself, in YAML comments above it.
//!
//! The engine drops comments, so they are read here, from the source text, with the place of each
//! statement taken from the syntax tree. The keys are OPA's; those that Portcullis shows are `title`,
//! `description`, `custom.agent_hint` (what an agent could do instead) and `custom.internal` (an
//! agent is told nothing of the rule). Strict: a key that nobody reads, a value of another kind, or a
//! block above nothing is a problem of the bundle, because a misspelt `internal` would be a leak.

use std::collections::BTreeMap;
use std::ops::Range;

use regorus::unstable::{Module, Ref};

use super::problem::Problem;
use crate::yaml::{self, Entry, Limits, Node, Resolved, Value};

/// What one block says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Note {
    pub(super) title: Option<String>,
    pub(super) description: Option<String>,
    pub(super) hint: Option<String>,
    pub(super) internal: Option<bool>,
}

/// The blocks of one file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Notes {
    package: Option<Note>,
    rules: BTreeMap<u32, Note>,
}

impl Notes {
    /// Reads the blocks of a module.
    pub(super) fn of(module: &Ref<Module>, file: &str, problems: &mut Vec<Problem>) -> Self {
        let text = module.package.span.source.get_contents();
        let package = module.package.span.line;
        let mut notes = Self::default();
        for block in blocks(text) {
            let mut reader = Reader { file, first: block.yaml.start, problems: &mut *problems };
            let note = reader.read(&block.text);
            let is_rule = module.policy.iter().any(|rule| rule.span().line == block.statement);
            if block.statement == package {
                reader.scope(&note.scope, "package");
                notes.package = Some(note.note);
            } else if is_rule {
                reader.scope(&note.scope, "rule");
                notes.rules.insert(block.statement, note.note);
            } else {
                let text = "this METADATA stands above no rule and no package; move it directly \
                            above the one that it describes";
                reader.problem(block.yaml.start.saturating_sub(1), 1, text);
            }
        }
        notes
    }

    /// What the rule that begins at a line says. Hint and secrecy are the package's where the rule
    /// says nothing of its own.
    pub(super) fn of_rule(&self, line: u32) -> Note {
        let mut note = self.rules.get(&line).cloned().unwrap_or_default();
        if let Some(package) = &self.package {
            note.hint = note.hint.or_else(|| package.hint.clone());
            note.internal = note.internal.or(package.internal);
        }
        note
    }
}

/// A block of comments that begins with `# METADATA`.
struct Block {
    /// The lines of its YAML, from 1.
    yaml: Range<u32>,
    /// Its lines without `#`.
    text: String,
    /// The line of the statement below it; 0 if there is none.
    statement: u32,
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = (1_u32..).zip(text.lines().map(str::trim)).peekable();
    while let Some((line, text)) = lines.next() {
        if text.strip_prefix('#').map(str::trim) != Some("METADATA") {
            continue;
        }
        let mut block = Block { yaml: line + 1..line + 1, text: String::new(), statement: 0 };
        while let Some((line, comment)) = lines.next_if(|(_, text)| text.starts_with('#')) {
            block.text.push_str(comment.get(1..).unwrap_or_default());
            block.text.push('\n');
            block.yaml.end = line + 1;
        }
        let is_code = |text: &str| !text.is_empty() && !text.starts_with('#');
        while let Some((line, text)) = lines.peek() {
            if is_code(text) {
                block.statement = *line;
            }
            // Another block begins here, or the statement was found.
            if is_code(text) || text.strip_prefix('#').map(str::trim) == Some("METADATA") {
                break;
            }
            lines.next();
        }
        blocks.push(block);
    }
    blocks
}

#[derive(Default)]
struct Read {
    note: Note,
    scope: Option<(String, u32)>,
}

struct Reader<'a> {
    file: &'a str,
    /// The line of the file that is line 1 of the YAML.
    first: u32,
    problems: &'a mut Vec<Problem>,
}

const MAX_TITLE: usize = 200;
const MAX_HINT: usize = 500;
const MAX_DESCRIPTION: usize = 4000;

/// OPA's keys that say nothing to Portcullis.
const OF_OPA: [&str; 5] =
    ["entrypoint", "organizations", "authors", "related_resources", "schemas"];
const KEYS: [&str; 4] = ["title", "description", "scope", "custom"];
const CUSTOM_KEYS: [&str; 2] = ["agent_hint", "internal"];

impl Reader<'_> {
    fn read(&mut self, text: &str) -> Read {
        let mut read = Read::default();
        let reading = yaml::read(text, &Limits { max_bytes: 64 * 1024, max_depth: 8 });
        for fault in &reading.faults {
            self.at_yaml(fault.at, &fault.text);
        }
        let Some(node) = reading.node else { return read };
        let Value::Map(entries) = node.value else {
            self.at_yaml(node.at, "METADATA must be `key: value` lines, such as `title: ...`");
            return read;
        };
        for entry in entries {
            let note = &mut read.note;
            match entry.key.as_str() {
                "title" => note.title = self.text(&entry, MAX_TITLE),
                "description" => note.description = self.text(&entry, MAX_DESCRIPTION),
                "scope" => {
                    let line = self.line(entry.key_at);
                    read.scope = self.text(&entry, MAX_TITLE).map(|scope| (scope, line));
                }
                "custom" => self.custom(entry.node, note),
                key if OF_OPA.contains(&key) => {}
                key => self.unknown(&entry, key, &KEYS),
            }
        }
        read
    }

    fn custom(&mut self, node: Node, note: &mut Note) {
        let Value::Map(entries) = node.value else {
            return self.at_yaml(node.at, "`custom` must be a mapping");
        };
        for entry in entries {
            match entry.key.as_str() {
                "agent_hint" => note.hint = self.text(&entry, MAX_HINT),
                "internal" => match scalar(&entry.node) {
                    Some(Resolved::Bool(value)) => note.internal = Some(value),
                    _ => self.at_yaml(entry.node.at, "`internal` must be `true` or `false`"),
                },
                key => self.unknown(&entry, key, &CUSTOM_KEYS),
            }
        }
    }

    fn text(&mut self, entry: &Entry, most: usize) -> Option<String> {
        let text = match scalar(&entry.node) {
            Some(Resolved::Text(text)) => text.trim(),
            _ => "",
        };
        let is_fine = !text.is_empty()
            && text.len() <= most
            && !text.chars().any(|letter| letter != '\n' && crate::domain::is_hidden(letter));
        if is_fine {
            return Some(text.to_owned());
        }
        let text = format!("`{}` must be text of 1 to {most} visible bytes", entry.key);
        self.at_yaml(entry.node.at, &text);
        None
    }

    fn unknown(&mut self, entry: &Entry, key: &str, known: &[&str]) {
        let near = known.iter().find(|known| strsim::damerau_levenshtein(known, key) <= 3);
        let text = match near {
            Some(near) => format!("METADATA has no key `{key}`; do you mean `{near}`?"),
            None => format!("METADATA has no key `{key}` here; known are {}", known.join(", ")),
        };
        self.at_yaml(entry.key_at, &text);
    }

    fn scope(&mut self, scope: &Option<(String, u32)>, wanted: &str) {
        if let Some((scope, line)) = scope
            && scope != wanted
        {
            let text = format!("this METADATA describes the {wanted} below it; remove `scope`");
            self.problem(*line, 1, &text);
        }
    }

    fn line(&self, at: yaml::Position) -> u32 {
        let line = u32::try_from(at.line).unwrap_or(u32::MAX);
        self.first.saturating_add(line).saturating_sub(1)
    }

    fn at_yaml(&mut self, at: yaml::Position, text: &str) {
        let column = u32::try_from(at.column).unwrap_or(u32::MAX);
        // The `#` was taken off.
        self.problem(self.line(at), column.saturating_add(1), text);
    }

    fn problem(&mut self, line: u32, column: u32, text: &str) {
        let problem = Problem { line, column, ..Problem::of_file(self.file, text) };
        self.problems.push(problem);
    }
}

fn scalar(node: &Node) -> Option<Resolved<'_>> {
    match &node.value {
        Value::Scalar(scalar) => Some(scalar.resolve()),
        Value::List(_) | Value::Map(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notes(text: &str) -> (Notes, Vec<String>) {
        let mut engine = regorus::Engine::new();
        engine.add_policy("m.rego".to_owned(), text.to_owned()).unwrap();
        let mut problems = Vec::new();
        let notes = Notes::of(&engine.get_modules()[0], "m.rego", &mut problems);
        (notes, problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn blocks_belong_to_what_stands_below() {
        let (notes, problems) = notes(
            "# METADATA\n# title: The package\n# custom:\n#   agent_hint: ask\n#   internal: true\n\
             package p\n\n# METADATA\n# title: \"A: one\"\n# description: |\n#   Two\n#\n#   lines\n\
             # authors:\n# - me\n# custom:\n#   internal: false\n\n# plain\na := 1\n\nb := `\n# x\n`\n",
        );
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(notes.package.as_ref().unwrap().title.as_deref(), Some("The package"));
        let a = notes.of_rule(20);
        assert_eq!(a.title.as_deref(), Some("A: one"));
        assert_eq!(a.description.as_deref(), Some("Two\n\nlines"));
        assert_eq!((a.hint.as_deref(), a.internal), (Some("ask"), Some(false)));
        let b = notes.of_rule(22);
        assert_eq!((b.title, b.internal), (None, Some(true)));
    }

    #[test]
    fn each_mistake_is_named_with_its_place() {
        for (block, place, words) in [
            ("# titel: x", "m.rego:4:3", "do you mean `title`?"),
            ("# colour: x", "m.rego:4:3", "known are title"),
            ("# title: x\n# title: y", "m.rego:5:3", "twice"),
            ("# title:", "m.rego:4:", "must be text"),
            ("# title: 1", "m.rego:4:10", "must be text"),
            ("# title: a\u{200b}b", "m.rego:4:10", "must be text"),
            ("# [", "m.rego:", "not YAML"),
            ("# just words", "m.rego:4:3", "`key: value`"),
            ("# custom: x", "m.rego:4:11", "mapping"),
            ("# custom:\n#   internl: true", "m.rego:5:5", "do you mean `internal`?"),
            ("# custom:\n#   internal: yes", "m.rego:5:15", "`true` or `false`"),
            ("# title: x\n# scope: document", "m.rego:5:1", "remove `scope`"),
        ] {
            let (_, problems) = notes(&format!("package p\n\n# METADATA\n{block}\na := 1\n"));
            let found = problems.iter().any(|it| it.starts_with(place) && it.contains(words));
            assert!(found, "{block}: {problems:?}");
        }
        for nothing in ["", "import rego.v1\n", "\n# METADATA\n# title: y\na := 1\n"] {
            let text = format!("package p\n\n# METADATA\n# title: x\n{nothing}");
            let (_, problems) = notes(&text);
            assert_eq!(problems.len(), 1, "{text}");
            assert!(problems[0].starts_with("m.rego:3:1: this METADATA stands above"));
        }
    }
}
