//! Who may do what: principals, tools, and for each pair whether the tool is shown and what a call
//! of it comes to.
//!
//! The cells are asked for in the road's own way, a call of each tool at a time, so the table is what
//! would happen and not a reading of the rules. Rules that look at arguments see those of the
//! pattern that the caller gives; without one, none.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Asked, Caller, Misasked, Ruled, Ruleset};
use crate::domain::{Digest, Effect, Question, Timestamp, Verdict};
use crate::intercom::Catalogue;

/// The table.
#[derive(Debug, Clone, Serialize)]
pub struct Matrix {
    /// The policy revision.
    pub revision: Digest,
    /// The tools of every row, in the order of the cells.
    pub tools: Vec<MatrixTool>,
    /// One row for each principal.
    pub rows: Vec<MatrixRow>,
}

/// One tool.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct MatrixTool {
    /// Its name.
    pub name: String,
    /// By our catalogue.
    pub effect: Effect,
}

/// What one principal may do.
#[derive(Debug, Clone, Serialize)]
pub struct MatrixRow {
    /// The principal, or the role that stands for one.
    pub principal: String,
    /// Its roles.
    pub roles: Vec<String>,
    /// One cell for each tool.
    pub cells: Vec<Cell>,
}

/// What one principal may do with one tool.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Cell {
    /// Whether the tool is in its list.
    pub visible: bool,
    /// What a call of it comes to.
    pub admit: Verdict,
    /// The rule that decided.
    pub rule: String,
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// What it says.
    pub text: String,
}

impl Ruleset {
    /// The roles that the bundle's data knows (`data.roles`), sorted.
    #[must_use]
    pub fn roles(&self) -> Vec<String> {
        super::trial::role_names(&self.prepared.data)
    }

    /// What each of these principals may do with every tool of the catalogue. All else of a call is
    /// taken from `pattern`: its arguments, time, environment.
    ///
    /// # Errors
    /// The pattern does not make a question.
    pub async fn matrix(
        &self,
        principals: Vec<(String, Caller)>,
        pattern: &Asked,
        now: Timestamp,
    ) -> Result<Matrix, Misasked> {
        let tools: Vec<MatrixTool> = Catalogue::shipped()
            .entries()
            .iter()
            .filter(|entry| !entry.refused)
            .map(|entry| MatrixTool { name: entry.name.clone(), effect: entry.effect })
            .collect();
        let mut rows = Vec::new();
        for (principal, caller) in principals {
            let asked = Asked { principal: caller, ..pattern.clone() };
            let roles = asked.principal.roles.clone();
            let Ruled { tools: shown, .. } = self.rule_on(Question::Visible, &asked, now).await?;
            let shown: BTreeSet<String> = shown.unwrap_or_default().into_iter().collect();
            let mut cells = Vec::new();
            for tool in &tools {
                cells.push(self.cell(&asked, tool, shown.contains(&tool.name), now).await?);
            }
            rows.push(MatrixRow { principal, roles, cells });
        }
        Ok(Matrix { revision: self.revision(), tools, rows })
    }

    async fn cell(
        &self,
        asked: &Asked,
        tool: &MatrixTool,
        visible: bool,
        now: Timestamp,
    ) -> Result<Cell, Misasked> {
        let asked = Asked { tool: Some(tool.name.clone()), ..asked.clone() };
        let Ruled { finding, .. } = self.rule_on(Question::Admit, &asked, now).await?;
        let admit = finding.verdict;
        let reason = finding.reasons.into_iter().next();
        let (rule, at, text) =
            reason.map_or_else(Default::default, |one| (one.rule, one.at, one.text));
        Ok(Cell { visible, admit, rule, at, text })
    }
}
