//! A committed table, and how the present one differs from it.
//!
//! Only what a principal may do is compared: `visible` and `admit`. The other columns are for the
//! reader; a rule that was renamed or moved is no difference.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

use crate::domain::Verdict;
use crate::policy::Matrix;

/// What a principal may do with a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct May {
    visible: bool,
    admit: Verdict,
}

/// One line of the table.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    principal: String,
    tool: String,
    visible: bool,
    admit: Verdict,
    /// For the reader.
    #[serde(default)]
    rule: String,
}

/// The cells of a committed table by principal and tool.
#[derive(Debug)]
pub(super) struct Expected(BTreeMap<(String, String), May>);

/// A cell that differs; `None` where a table does not have it.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Difference {
    principal: String,
    tool: String,
    expected: Option<May>,
    found: Option<May>,
    /// More is possible than was expected.
    looser: bool,
}

/// The table, one line a cell.
pub(super) fn csv(matrix: &Matrix) -> anyhow::Result<String> {
    let mut out = csv::Writer::from_writer(Vec::new());
    for row in &matrix.rows {
        for (tool, cell) in matrix.tools.iter().zip(&row.cells) {
            out.serialize(Line {
                principal: row.principal.clone(),
                tool: tool.name.clone(),
                visible: cell.visible,
                admit: cell.admit,
                rule: cell.rule.clone(),
            })?;
        }
    }
    Ok(String::from_utf8(out.into_inner()?)?)
}

impl Expected {
    /// Reads a table.
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let name = path.display();
        let text =
            std::fs::read_to_string(path).with_context(|| format!("`{name}` cannot be read"))?;
        Self::parse(&text)
            .with_context(|| format!("`{name}` is no table of `policy matrix --format csv`"))
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let mut cells = BTreeMap::new();
        for line in csv::Reader::from_reader(text.as_bytes()).deserialize() {
            let Line { principal, tool, visible, admit, .. } = line?;
            let place = (principal, tool);
            if cells.contains_key(&place) {
                bail!("`{}` has `{}` twice", place.0, place.1);
            }
            cells.insert(place, May { visible, admit });
        }
        if cells.is_empty() {
            bail!("it has no lines");
        }
        Ok(Self(cells))
    }

    /// Where the two differ, in the order of the present table.
    pub(super) fn differences(&self, matrix: &Matrix) -> Vec<Difference> {
        let mut expected = self.0.clone();
        let mut differences = Vec::new();
        for row in &matrix.rows {
            for (tool, cell) in matrix.tools.iter().zip(&row.cells) {
                let place = (row.principal.clone(), tool.name.clone());
                let was = expected.remove(&place);
                let is = May { visible: cell.visible, admit: cell.admit };
                if was != Some(is) {
                    differences.push(Difference::of(place, was, Some(is)));
                }
            }
        }
        differences.extend(
            expected.into_iter().map(|(place, was)| Difference::of(place, Some(was), None)),
        );
        differences
    }
}

impl Difference {
    fn of((principal, tool): (String, String), expected: Option<May>, found: Option<May>) -> Self {
        let nothing = May { visible: false, admit: Verdict::Deny };
        let (was, is) = (expected.unwrap_or(nothing), found.unwrap_or(nothing));
        let looser = is.admit < was.admit || (is.visible && !was.visible);
        Self { principal, tool, expected, found, looser }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = |may: &Option<May>| match may {
            None => String::from("not in the table"),
            Some(May { visible: true, admit }) => format!("shown, {admit}"),
            Some(May { visible: false, admit }) => format!("hidden, {admit}"),
        };
        let looser = if self.looser { "LOOSER" } else { "stricter" };
        let (was, is) = (words(&self.expected), words(&self.found));
        write!(f, "{looser:<8}  {} {}: expected {was}; is {is}", self.principal, self.tool)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Digest, Effect};
    use crate::policy::{Cell, MatrixRow, MatrixTool};

    fn matrix(cells: &[(&str, bool, Verdict)]) -> Matrix {
        let tool = |name: &str| MatrixTool { name: name.to_owned(), effect: Effect::Read };
        let cell = |visible, admit| Cell {
            visible,
            admit,
            rule: String::from("admit.r"),
            at: None,
            text: String::from("a \"quoted\", text"),
        };
        Matrix {
            revision: Digest::of("test", &[]),
            tools: cells.iter().map(|(name, ..)| tool(name)).collect(),
            rows: vec![MatrixRow {
                principal: String::from("a,b"),
                roles: Vec::new(),
                cells: cells.iter().map(|(_, visible, admit)| cell(*visible, *admit)).collect(),
            }],
        }
    }

    #[test]
    fn a_table_differs_in_what_one_may_do_and_says_in_which_direction() {
        use Verdict::{Allow, Deny, Hold};
        let was = matrix(&[
            ("t", true, Allow),
            ("u", false, Deny),
            ("v", true, Hold),
            ("w", true, Allow),
        ]);
        let text = csv(&was).unwrap();
        assert!(
            text.starts_with("principal,tool,visible,admit,rule\n\"a,b\",t,true,allow,admit.r\n")
        );
        let expected = Expected::parse(&text).unwrap();
        assert_eq!(expected.differences(&was), []);
        let is =
            matrix(&[("t", true, Hold), ("u", true, Deny), ("v", true, Allow), ("x", true, Allow)]);
        let told: Vec<String> = expected.differences(&is).iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "stricter  a,b t: expected shown, allow; is shown, hold",
                "LOOSER    a,b u: expected hidden, deny; is shown, deny",
                "LOOSER    a,b v: expected shown, hold; is shown, allow",
                "LOOSER    a,b x: expected not in the table; is shown, allow",
                "stricter  a,b w: expected shown, allow; is not in the table",
            ]
        );
    }

    #[test]
    fn columns_for_the_reader_may_be_left_out_and_doubles_are_refused() {
        let short = "tool,principal,admit,visible\nt,p,deny,false\n";
        assert_eq!(Expected::parse(short).unwrap().0.len(), 1);
        let twice = format!("{short}t,p,deny,false\n");
        for wrong in [
            "",
            "principal,tool\na,b\n",
            twice.as_str(),
            "principal,tool,visible,admit\na,b,true,maybe\n",
        ] {
            assert!(Expected::parse(wrong).is_err(), "{wrong}");
        }
    }
}
