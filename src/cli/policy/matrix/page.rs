//! The table as a page: one file, no scripts, everything escaped by the template.

use askama::Template;

use super::word;
use crate::domain::Verdict;
use crate::policy::{Cell, Matrix};

/// The page `matrix.html`, in the folder that `askama.toml` names.
#[derive(Template)]
#[template(path = "matrix.html", config = "src/cli/policy/pages/askama.toml")]
pub(super) struct Page {
    revision: String,
    principals: Vec<Column>,
    tools: Vec<Row>,
}

struct Column {
    name: String,
    roles: String,
}

struct Row {
    name: String,
    effect: &'static str,
    cells: Vec<Shown>,
}

struct Shown {
    word: &'static str,
    class: &'static str,
    title: String,
}

impl Page {
    pub(super) fn of(matrix: &Matrix) -> Self {
        let principals = matrix
            .rows
            .iter()
            .map(|row| Column { name: row.principal.clone(), roles: row.roles.join(", ") });
        let tools = matrix.tools.iter().enumerate().map(|(index, tool)| Row {
            name: tool.name.clone(),
            effect: tool.effect.as_str(),
            cells: matrix
                .rows
                .iter()
                .filter_map(|row| row.cells.get(index))
                .map(Shown::of)
                .collect(),
        });
        Self {
            revision: matrix.revision.to_string(),
            principals: principals.collect(),
            tools: tools.collect(),
        }
    }
}

impl Shown {
    fn of(cell: &Cell) -> Self {
        let class = match (cell.visible, cell.admit) {
            (false, Verdict::Deny) => "none",
            (true, Verdict::Allow) => "allow",
            (true, Verdict::Hold) => "hold",
            // Shown and denied, or hidden and not: list and call do not say the same.
            _ => "odd",
        };
        let at = cell.at.as_deref().unwrap_or("Portcullis");
        let name = cell.title.as_ref().map(|title| format!(" \"{title}\"")).unwrap_or_default();
        let title = format!("{}{name} ({at}): {}", cell.rule, cell.text);
        Self { word: word(cell), class, title }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Digest, Effect};
    use crate::policy::{MatrixRow, MatrixTool};

    #[test]
    fn nothing_of_a_bundle_becomes_markup() {
        let cell = Cell {
            visible: true,
            admit: Verdict::Deny,
            rule: String::from("admit.r"),
            at: Some(String::from("a\"><script>.rego:1")),
            title: None,
            text: String::from("\"><img src=x>'&"),
        };
        let matrix = Matrix {
            revision: Digest::of("test", &[]),
            tools: vec![MatrixTool { name: String::from("<t>"), effect: Effect::Write }],
            rows: vec![MatrixRow {
                principal: String::from("<p>"),
                roles: vec![String::from("<r>")],
                cells: vec![cell],
            }],
        };
        let html = Page::of(&matrix).render().unwrap();
        for raw in ["<t>", "<r>", "<img", "<script", ">'&", "a\">"] {
            assert!(!html.contains(raw), "{raw}\n{html}");
        }
        assert!(html.contains("<th scope=\"col\">&#60;p&#62;<small>"), "{html}");
        assert!(html.contains("class=\"odd\"") && html.contains("deny (shown)"), "{html}");
    }
}
