//! The list of plugins in the text of a configuration: one more, or one less. Everything else of the
//! text, comments too, stays as it is.

use crate::yaml::{self, Entry, Limits, Node, Value};

/// Why a text is not edited: what to do by hand instead.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoEdit {
    /// It is no YAML.
    #[error("the configuration is not in order; see `portcullis config check`")]
    Unreadable,
    /// It is written in braces or brackets.
    #[error("`{0}` is written on one line; write it as a block, or edit it by hand")]
    Flow(&'static str),
    /// The name is there already.
    #[error("there is a plugin of this name already; remove it first, or take another `--name`")]
    Taken,
    /// The name is not there.
    #[error("the configuration lists no plugin of this name")]
    Unknown,
}

/// The text with one more entry at the end of `plugins.list`. `rows` are the lines of the entry.
pub(super) fn with(text: &str, name: &str, rows: &[String]) -> Result<String, NoEdit> {
    let root = read(text)?;
    let lines: Vec<&str> = text.lines().collect();
    let Some((plugins, after_plugins)) = member(&root, "plugins", lines.len()) else {
        let mut edited = text.trim_end().to_owned();
        if !edited.is_empty() {
            edited.push_str("\n\n");
        }
        edited.push_str(&block("plugins:\n  list:\n", "    ", rows));
        return Ok(edited);
    };
    let end = last_of(&lines, plugins.key_at.line, after_plugins);
    let (range, new) = match &plugins.node.value {
        Value::Map(entries) if !entries.is_empty() => {
            let first = entries.first().map_or(3, |entry| entry.key_at.column);
            on_own_line(&plugins.node, plugins, "plugins")?;
            let indent = " ".repeat(first.saturating_sub(1));
            match member(&plugins.node, "list", after_plugins) {
                None => {
                    (end..end, block(&format!("{indent}list:\n"), &format!("{indent}  "), rows))
                }
                Some((list, _)) if is_empty(list) => {
                    let index = list.key_at.line.saturating_sub(1);
                    let line = lines.get(index).copied().unwrap_or_default();
                    let head = format!("{}\n", line.replacen("[]", "", 1).trim_end());
                    (index..index + 1, block(&head, &format!("{indent}  "), rows))
                }
                Some((list, after_list)) => {
                    let end = last_of(&lines, list.key_at.line, after_list);
                    let items = items(list)?;
                    if items.iter().any(|item| is_named(item, name)) {
                        return Err(NoEdit::Taken);
                    }
                    let dash = items
                        .first()
                        .map_or_else(|| format!("{indent}  "), |item| dash(&lines, item));
                    (end..end, block("", &dash, rows))
                }
            }
        }
        _ if plugins.node.is_null() => (end..end, block("  list:\n", "    ", rows)),
        _ => return Err(NoEdit::Flow("plugins")),
    };
    Ok(spliced(&lines, range, &new))
}

/// The text without the entry of this name.
pub(super) fn without(text: &str, name: &str) -> Result<String, NoEdit> {
    let root = read(text)?;
    let lines: Vec<&str> = text.lines().collect();
    let (plugins, after) = member(&root, "plugins", lines.len()).ok_or(NoEdit::Unknown)?;
    let (list, after_list) = member(&plugins.node, "list", after).ok_or(NoEdit::Unknown)?;
    let items = items(list)?;
    let index = items.iter().position(|item| is_named(item, name)).ok_or(NoEdit::Unknown)?;
    let begin = |item: &Node| item.at.line.saturating_sub(1);
    let first = items.get(index).map_or(0, begin);
    let next = items.get(index + 1).map_or(after_list, begin);
    let (from, to) = if items.len() == 1 {
        // A key that has nothing left goes too.
        let alone = matches!(&plugins.node.value, Value::Map(entries) if entries.len() == 1);
        let key = if alone { plugins.key_at } else { list.key_at };
        (key.line.saturating_sub(1), last_of(&lines, list.key_at.line, after_list))
    } else {
        (first, last_of(&lines, first + 1, next))
    };
    Ok(spliced(&lines, from..to, ""))
}

fn read(text: &str) -> Result<Node, NoEdit> {
    let node = yaml::read(text, &Limits::default()).into_result();
    let node = node.map_err(|_| NoEdit::Unreadable)?;
    if matches!(node.value, Value::Map(_)) || node.is_null() {
        Ok(node)
    } else {
        Err(NoEdit::Unreadable)
    }
}

/// A member of a mapping, and the number of lines before the member behind it, or `end`.
fn member<'a>(node: &'a Node, key: &str, end: usize) -> Option<(&'a Entry, usize)> {
    let Value::Map(entries) = &node.value else { return None };
    let index = entries.iter().position(|entry| entry.key == key)?;
    let after = entries.get(index + 1).map_or(end, |next| next.key_at.line.saturating_sub(1));
    entries.get(index).map(|entry| (entry, after))
}

/// `list: []`
fn is_empty(list: &Entry) -> bool {
    matches!(&list.node.value, Value::List(items) if items.is_empty())
        && list.node.at.line == list.key_at.line
}

fn items(list: &Entry) -> Result<&[Node], NoEdit> {
    match &list.node.value {
        Value::List(items) if !items.is_empty() => {
            on_own_line(&list.node, list, "plugins.list")?;
            let on_own = |pair: &[Node]| matches!(pair, [a, b] if a.at.line < b.at.line);
            if items.windows(2).all(on_own) { Ok(items) } else { Err(NoEdit::Flow("plugins.list")) }
        }
        _ if list.node.is_null() => Ok(&[]),
        _ => Err(NoEdit::Flow("plugins.list")),
    }
}

/// A value that begins on the line of its key is written in braces or brackets.
fn on_own_line(value: &Node, key: &Entry, name: &'static str) -> Result<(), NoEdit> {
    if value.at.line > key.key_at.line { Ok(()) } else { Err(NoEdit::Flow(name)) }
}

fn is_named(item: &Node, name: &str) -> bool {
    let Value::Map(entries) = &item.value else { return false };
    entries.iter().any(|entry| {
        entry.key == "name"
            && matches!(&entry.node.value, Value::Scalar(scalar) if scalar.text == name)
    })
}

/// What stands before the `-` of an item.
fn dash(lines: &[&str], item: &Node) -> String {
    let line = lines.get(item.at.line.saturating_sub(1)).copied().unwrap_or_default();
    let indent = line.len() - line.trim_start().len();
    " ".repeat(indent)
}

/// The line behind the last one of a block that has its key in line `key` (from 1) and ends before
/// `end`: empty lines and comments at its end belong to what follows.
fn last_of(lines: &[&str], key: usize, end: usize) -> usize {
    let body = lines.get(key..end).unwrap_or_default();
    let is_said = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    key + body.iter().rposition(is_said).map_or(0, |index| index + 1)
}

/// A head and one entry of a list.
fn block(head: &str, indent: &str, rows: &[String]) -> String {
    let mut text = head.to_owned();
    for (index, row) in rows.iter().enumerate() {
        text.push_str(&format!("{indent}{} {row}\n", if index == 0 { '-' } else { ' ' }));
    }
    text
}

fn spliced(lines: &[&str], range: std::ops::Range<usize>, new: &str) -> String {
    let mut text = String::new();
    for line in lines.get(..range.start).unwrap_or_default() {
        text.push_str(line);
        text.push('\n');
    }
    text.push_str(new);
    for line in lines.get(range.end..).unwrap_or_default() {
        text.push_str(line);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{NoEdit, with, without};

    fn rows() -> Vec<String> {
        vec!["name: new".to_owned(), "path: p.wasm".to_owned()]
    }

    const ENTRY: &str = "    - name: new\n      path: p.wasm\n";

    #[test]
    fn an_entry_comes_to_the_end_of_the_list_and_goes_again() {
        for (before, after) in [
            ("", format!("plugins:\n  list:\n{ENTRY}")),
            ("a: 1\n", format!("a: 1\n\nplugins:\n  list:\n{ENTRY}")),
            (
                "plugins:\n\n# about b\nb: 1\n",
                format!("plugins:\n  list:\n{ENTRY}\n# about b\nb: 1\n"),
            ),
            (
                "plugins:\n  shipped: false # ours\n\nb: 1\n",
                format!("plugins:\n  shipped: false # ours\n  list:\n{ENTRY}\nb: 1\n"),
            ),
            (
                "plugins:\n  list:\n    - name: old # why\n      path: o\n  # more\n  faults: 3\n",
                format!(
                    "plugins:\n  list:\n    - name: old # why\n      path: o\n{ENTRY}  # more\n  faults: 3\n"
                ),
            ),
            (
                "plugins:\n    list:\n    - {name: old, path: o}\n",
                format!("plugins:\n    list:\n    - {{name: old, path: o}}\n{ENTRY}"),
            ),
        ] {
            assert_eq!(with(before, "new", &rows()).as_deref(), Ok(after.as_str()), "{before}");
            assert_eq!(with(&after, "new", &rows()), Err(NoEdit::Taken));
            let gone = without(&after, "new").unwrap();
            let said = |text: &str| {
                let lines = text.lines().filter(|line| !line.is_empty() && *line != "plugins:");
                lines.map(str::to_owned).collect::<Vec<_>>()
            };
            assert_eq!(said(&gone), said(before), "{after}");
        }
    }

    #[test]
    fn an_empty_list_becomes_a_block() {
        let text = "plugins:\n  shipped: true\n  list: [] # none\n#   - name: x\nb: 1\n";
        let head = "plugins:\n  shipped: true\n  list:  # none\n";
        let expected = format!("{head}{ENTRY}#   - name: x\nb: 1\n");
        assert_eq!(with(text, "new", &rows()), Ok(expected));
    }

    #[test]
    fn the_others_of_a_list_stay() {
        let text = "plugins:\n  list:\n    - name: a\n      path: a\n    - name: b\n      path: b\n    - name: c\n";
        let left = without(text, "b").unwrap();
        assert_eq!(left, "plugins:\n  list:\n    - name: a\n      path: a\n    - name: c\n");
        let left = without(&left, "c").unwrap();
        assert_eq!(left, "plugins:\n  list:\n    - name: a\n      path: a\n");
    }

    #[test]
    fn what_cannot_be_edited_is_left_alone() {
        for (text, expected) in [
            ("plugins: {shipped: true}\n", NoEdit::Flow("plugins")),
            ("plugins:\n  list: [{name: a}]\n", NoEdit::Flow("plugins.list")),
            ("- a\n", NoEdit::Unreadable),
            ("a: [\n", NoEdit::Unreadable),
        ] {
            assert_eq!(with(text, "new", &rows()), Err(expected), "{text}");
        }
        assert_eq!(without("a: 1\n", "new"), Err(NoEdit::Unknown));
    }
}
