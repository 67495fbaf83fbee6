//! Duties of arguments, fulfilled: the arguments as policy wants them, or why that cannot be.
//!
//! Pure, and without a way to half-fulfil: what a tool cannot express is refused, because a limit
//! that silently does nothing is worse than none. Where the agent asks for less than the limit, its
//! own words stay; where it asks for something outside of it, it is told, for an empty answer would
//! read like "there is nothing".

use std::collections::BTreeSet;

use serde_json::Value;

use super::catalogue::Catalogue;
use super::search::{QUERY, SEARCH, Search};
use crate::domain::{Duty, Filter, JsonText, Operator};
use crate::mcp::json::{self, Object as Members};

/// Why a duty cannot be fulfilled, for the agent. Repeats no value of the call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// No tool has such an argument, or this one cannot be limited so.
    #[error("a rule limits `{what}`, which `{tool}` cannot express, so the call cannot be made")]
    Inexpressible {
        /// The tool.
        tool: String,
        /// The argument or field.
        what: String,
    },
    /// The agent asks for something outside of the limit.
    #[error(
        "`{field}` is limited to {allowed} for this principal, and the call asks for something \
         else; leave `{field}` out, or stay within the limit"
    )]
    Outside {
        /// The field.
        field: String,
        /// What is allowed, in words.
        allowed: String,
    },
    /// Two rules demand different things.
    #[error("two rules demand different values of `{0}`, so the call cannot be made")]
    Contradiction(String),
    /// The query cannot be read.
    #[error("{0}")]
    Query(String),
}

/// The name that every listing tool's page size goes by.
const PAGE_SIZE: &str = "per_page";
/// The page size that Intercom takes where `search` names none.
const DEFAULT_LIMIT: u64 = 5;

/// The arguments of a call after its duties were fulfilled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fulfilled {
    /// The arguments; those of the call if no duty changed them.
    pub arguments: JsonText,
    /// For each duty, in order, whether it changed something.
    pub changed: Vec<bool>,
}

/// The arguments of `tool` as the duties want them.
///
/// # Errors
/// [`Unfit`]: the call must not be made.
pub fn fulfil<'a>(
    tool: &str,
    arguments: &JsonText,
    duties: impl IntoIterator<Item = &'a Duty>,
) -> Result<Fulfilled, Unfit> {
    let mut work = Work {
        tool,
        arguments: Members::parse(arguments).unwrap_or_default(),
        set: BTreeSet::new(),
        changed: false,
    };
    let mut changed = Vec::new();
    for duty in duties {
        work.changed = false;
        match duty {
            Duty::Set { argument, value } => work.set(argument, value)?,
            Duty::Cap { argument, most } => work.cap(argument, *most)?,
            Duty::Filter(filter) => work.filter(filter)?,
            // Turning back comes last, when the rest was judged.
            Duty::Restore { .. } | Duty::Reveal { .. } => {}
            Duty::Reason { .. }
            | Duty::Drop { .. }
            | Duty::Rows { .. }
            | Duty::Redact(_)
            | Duty::Label(_) => {}
        }
        changed.push(work.changed);
    }
    let any = changed.contains(&true);
    let arguments = if any { work.arguments.to_text() } else { arguments.clone() };
    Ok(Fulfilled { arguments, changed })
}

struct Work<'a> {
    tool: &'a str,
    arguments: Members,
    set: BTreeSet<&'a str>,
    /// By the duty that is being fulfilled.
    changed: bool,
}

impl<'a> Work<'a> {
    fn set(&mut self, argument: &'a str, value: &JsonText) -> Result<(), Unfit> {
        if !takes(self.tool, argument) {
            return Err(self.inexpressible(argument));
        }
        let same = self.arguments.get(argument).is_some_and(|is| equal(is, value));
        if !self.set.insert(argument) && !same {
            return Err(Unfit::Contradiction(argument.to_owned()));
        }
        if !same {
            self.put(argument, value.clone());
        }
        Ok(())
    }

    fn cap(&mut self, argument: &str, most: u64) -> Result<(), Unfit> {
        if self.tool == SEARCH && argument == PAGE_SIZE {
            let mut search = self.query()?;
            if search.limit.unwrap_or(DEFAULT_LIMIT) > most {
                search.limit = Some(most);
                self.put_query(&search);
            }
            return Ok(());
        }
        if !takes(self.tool, argument) {
            // A tool without pages is within every page size; an argument that no tool has is a slip
            // of the pen.
            let known = argument == PAGE_SIZE
                || Catalogue::shipped().entries().iter().any(|it| takes(&it.name, argument));
            return if known { Ok(()) } else { Err(self.inexpressible(argument)) };
        }
        let within = match self.arguments.get(argument).filter(|value| !json::is_null(value)) {
            Some(asked) => asked.as_str().parse::<u64>().is_ok_and(|asked| asked <= most),
            None => schema(self.tool, argument)
                .and_then(|schema| schema.get("default").and_then(Value::as_u64))
                .is_some_and(|default| default <= most),
        };
        if !within {
            self.put(argument, JsonText::of(&most));
        }
        Ok(())
    }

    fn filter(&mut self, wanted: &Filter) -> Result<(), Unfit> {
        if self.tool == SEARCH {
            let mut search = self.query()?;
            let before = search.clone();
            search.limit_to(wanted).map_err(|fault| match fault {
                super::search::Unlimited::Field => self.inexpressible(&wanted.field),
                super::search::Unlimited::Outside => outside(wanted),
            })?;
            if search != before {
                self.put_query(&search);
            }
            return Ok(());
        }
        let argument = wanted.field.as_str();
        let one = match (wanted.operator, wanted.values.as_slice()) {
            (Operator::Eq | Operator::In, [one]) => one,
            _ => return Err(self.inexpressible(argument)),
        };
        let lists = Search::of(self.tool, &JsonText::empty_object()).is_some();
        let value = Some(argument)
            .filter(|argument| lists && *argument != PAGE_SIZE && takes(self.tool, argument))
            .and_then(|argument| typed(self.tool, argument, one))
            .ok_or_else(|| self.inexpressible(argument))?;
        match self.arguments.get(argument).filter(|value| !json::is_null(value)) {
            Some(asked) if plain(asked) == plain(&value) => Ok(()),
            Some(_) => Err(outside(wanted)),
            None => {
                self.put(argument, value);
                Ok(())
            }
        }
    }

    fn query(&self) -> Result<Search, Unfit> {
        let query = self.arguments.str(QUERY).unwrap_or_default();
        Search::read(&query).map_err(|fault| Unfit::Query(fault.to_string()))
    }

    fn put_query(&mut self, search: &Search) {
        self.put(QUERY, JsonText::of(search.to_query().as_str()));
    }

    fn put(&mut self, argument: &str, value: JsonText) {
        self.arguments.set(argument, value);
        self.changed = true;
    }

    fn inexpressible(&self, what: &str) -> Unfit {
        Unfit::Inexpressible { tool: self.tool.to_owned(), what: what.to_owned() }
    }
}

fn outside(wanted: &Filter) -> Unfit {
    let values = wanted.values.join(", ");
    let allowed = match wanted.operator {
        Operator::Eq => values,
        Operator::In => format!("one of {values}"),
        Operator::Neq | Operator::Nin => format!("anything but {values}"),
        other => format!("{} {values}", other.as_str()),
    };
    Unfit::Outside { field: wanted.field.clone(), allowed }
}

/// Whether a tool has this argument. A tool that we do not know is left to its pinned schema.
fn takes(tool: &str, argument: &str) -> bool {
    Catalogue::shipped().entry(tool).is_none() || schema(tool, argument).is_some()
}

/// Our schema of an argument.
fn schema(tool: &str, argument: &str) -> Option<&'static Value> {
    Catalogue::shipped().entry(tool)?.arguments.get(argument)
}

/// A filter's value in the type that the argument has.
fn typed(tool: &str, argument: &str, value: &str) -> Option<JsonText> {
    let types = schema(tool, argument)?.get("type")?;
    let is = |name: &str| {
        types == name || types.as_array().is_some_and(|types| types.iter().any(|one| one == name))
    };
    if is("string") {
        return Some(JsonText::of(value));
    }
    let number = is("integer") && value.bytes().all(|byte| byte.is_ascii_digit());
    let word = is("boolean") && matches!(value, "true" | "false");
    (number || word).then(|| JsonText::from_valid(value.to_owned().into_bytes().into()))
}

/// A text's contents, or another value as it is written.
fn plain(value: &JsonText) -> String {
    json::as_str(value).map_or_else(|| value.as_str().to_owned(), std::borrow::Cow::into_owned)
}

/// Whether two texts say the same value.
fn equal(a: &JsonText, b: &JsonText) -> bool {
    let value = |text: &JsonText| serde_json::from_str::<Value>(text.as_str()).ok();
    a == b || (value(a).is_some() && value(a) == value(b))
}

#[cfg(test)]
mod tests;
