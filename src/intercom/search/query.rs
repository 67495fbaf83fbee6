//! The language of the tool `search`: tokens `key:value` or `key:operator:value`, all of which hold.
//!
//! Only part of it is documented. So a query is read in exactly one way or refused with a sentence
//! that says how to write it: whatever two readers could split, unquote or repeat differently (a
//! colon outside quotes, an escape, a field named twice, an unknown key) does not pass. What passes
//! is written anew in one spelling, which is what rules see and Intercom receives.

use super::filter;
use super::{Object, Search};
use crate::domain::{Filter, Operator, pseudonym};

/// Why a query is refused, as an instruction. Repeats no value of the query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`query` {0}")]
pub struct QueryFault(String);

/// Why a search cannot be limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::intercom) enum Unlimited {
    /// What is searched has no such field, or the field no such value.
    Field,
    /// The search asks for what lies outside of the limit.
    Outside,
}

fn fault(text: impl Into<String>) -> QueryFault {
    QueryFault(text.into())
}

/// The longest page.
const MAX_LIMIT: u64 = 150;

/// One token, split.
struct Token<'a> {
    key: &'a str,
    operator: Option<Operator>,
    value: &'a str,
    quoted: bool,
}

impl Search {
    /// Reads a query.
    ///
    /// # Errors
    /// If it can be read in more than one way, or names what does not exist.
    pub fn read(query: &str) -> Result<Self, QueryFault> {
        // Agents write pseudonyms in several ways; here they have one.
        let query = &pseudonym::respelled(query);
        let tokens = tokens(query)?;
        let object = object(&tokens)?;
        let mut search =
            Self { object, filters: Vec::new(), text: None, limit: None, cursor: None };
        for token in tokens {
            search.token(&token)?;
        }
        filter::repeated(&search.filters).map_err(fault)?;
        Ok(search)
    }

    fn token(&mut self, token: &Token<'_>) -> Result<(), QueryFault> {
        let control = matches!(token.key, "object_type" | "limit" | "starting_after" | "q");
        if control && token.operator.is_some_and(|operator| operator != Operator::Eq) {
            return Err(fault(format!("takes no operator in `{}`: write `{0}:value`", token.key)));
        }
        let twice = || fault(format!("names `{}` twice; write it once", token.key));
        match token.key {
            // Read before all others.
            "object_type" => {}
            "limit" => {
                let digits = token.value.bytes().all(|byte| byte.is_ascii_digit());
                let plain = digits && !token.value.starts_with('0') && !token.quoted;
                let limit = token.value.parse().ok().filter(|it| plain && *it <= MAX_LIMIT);
                let limit = limit.ok_or_else(|| fault("takes 1 to 150 in `limit`, as digits"))?;
                if self.limit.replace(limit).is_some() {
                    return Err(twice());
                }
            }
            "starting_after" => {
                if self.cursor.replace(token.value.to_owned()).is_some() {
                    return Err(twice());
                }
            }
            "q" => {
                if self.text.replace(token.value.to_owned()).is_some() {
                    return Err(twice());
                }
            }
            _ => {
                let operator = token.operator.unwrap_or(Operator::Eq);
                let values = filter::values(operator, token.value, token.quoted).map_err(fault)?;
                let filter = Filter { field: token.key.to_owned(), operator, values };
                self.filters.push(filter::checked(self.object, filter).map_err(fault)?);
            }
        }
        Ok(())
    }

    /// Limits what is found by one more condition. One on the same field stays if it is stricter; two
    /// lists of values are cut to what both have.
    pub(in crate::intercom) fn limit_to(&mut self, wanted: &Filter) -> Result<(), Unlimited> {
        let wanted = filter::checked(self.object, wanted.clone()).map_err(|_| Unlimited::Field)?;
        let mut same = self.filters.iter_mut().filter(|filter| filter.field == wanted.field);
        let Some(asked) = same.next() else {
            self.filters.push(wanted);
            return Ok(());
        };
        if same.next().is_some() {
            return Err(Unlimited::Outside);
        }
        if *asked == wanted {
            return Ok(());
        }
        let listed = match wanted.operator {
            Operator::Eq | Operator::In => true,
            Operator::Neq | Operator::Nin => false,
            _ => return Err(Unlimited::Outside),
        };
        if !matches!(asked.operator, Operator::Eq | Operator::In) {
            return Err(Unlimited::Outside);
        }
        let allowed = |value: &&String| wanted.values.contains(value) == listed;
        let both: Vec<String> = asked.values.iter().filter(allowed).cloned().collect();
        match both.len() {
            0 => Err(Unlimited::Outside),
            left if left == asked.values.len() => Ok(()),
            left => {
                asked.operator = if left == 1 { Operator::Eq } else { Operator::In };
                asked.values = both;
                Ok(())
            }
        }
    }

    /// The query in its one spelling. Reading it again gives the same search.
    #[must_use]
    pub fn to_query(&self) -> String {
        let mut query = format!("object_type:{}", self.object.as_str());
        for Filter { field, operator, values } in &self.filters {
            query.push(' ');
            query.push_str(field);
            query.push(':');
            if *operator != Operator::Eq {
                query.push_str(operator.as_str());
                query.push(':');
            }
            let list = matches!(operator, Operator::In | Operator::Nin);
            push_value(&mut query, &values.join(","), list);
        }
        if let Some(text) = &self.text {
            query.push_str(" q:");
            push_value(&mut query, text, false);
        }
        if let Some(limit) = self.limit {
            query.push_str(" limit:");
            query.push_str(&limit.to_string());
        }
        if let Some(cursor) = &self.cursor {
            query.push_str(" starting_after:");
            push_value(&mut query, cursor, false);
        }
        query
    }
}

/// Bare where no reader could split it, else in quotes. Commas part the values of a `list`.
fn push_value(query: &mut String, value: &str, list: bool) {
    let bare = |byte: u8| {
        byte.is_ascii_alphanumeric() || b"_-.@+=/".contains(&byte) || (list && byte == b',')
    };
    if value.bytes().all(bare) {
        query.push_str(value);
    } else {
        query.push('"');
        query.push_str(value);
        query.push('"');
    }
}

fn object(tokens: &[Token<'_>]) -> Result<Object, QueryFault> {
    let mut named = tokens.iter().filter(|token| token.key == "object_type");
    let Some(token) = named.next() else {
        return Err(fault(
            "must say what is searched: add `object_type:conversations` or `object_type:contacts`",
        ));
    };
    if named.next().is_some() {
        return Err(fault("names `object_type` twice; write it once"));
    }
    match token.value {
        "conversations" => Ok(Object::Conversations),
        "contacts" => Ok(Object::Contacts),
        _ => Err(fault("takes `conversations` or `contacts` in `object_type`")),
    }
}

/// Splits at spaces outside quotes.
fn tokens(query: &str) -> Result<Vec<Token<'_>>, QueryFault> {
    let odd = |letter: char| letter != ' ' && (letter.is_whitespace() || letter.is_control());
    if query.chars().any(odd) {
        return Err(fault(
            "holds a line break, a tab or an unusual space; put one space between tokens",
        ));
    }
    let mut found = Vec::new();
    let mut rest = query.trim_matches(' ');
    while !rest.is_empty() {
        let (token, behind) = token(rest)?;
        found.push(token);
        rest = behind.trim_start_matches(' ');
    }
    Ok(found)
}

/// The first token, and what follows it.
fn token(text: &str) -> Result<(Token<'_>, &str), QueryFault> {
    let form = "has a token that is not `key:value`; write free text as `q:\"some words\"`";
    let (key, rest) = text.split_once(':').ok_or_else(|| fault(form))?;
    let name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    if key.is_empty() || !key.bytes().all(name) {
        return Err(fault(form));
    }
    let (operator, rest) = match rest.split_once(':') {
        Some(_) if rest.starts_with("[[") => (None, rest),
        Some((word, behind)) if !word.contains(['"', ' ']) => match Operator::read(word) {
            Some(operator) => (Some(operator), behind),
            None => {
                return Err(fault(format!(
                    "has a colon in the value of `{key}`, or an unknown operator; put the value in \
                     double quotes, or use one of {}",
                    Operator::ALL.map(Operator::as_str).join(", ")
                )));
            }
        },
        _ => (None, rest),
    };
    let (value, behind, quoted) = match rest.strip_prefix('"') {
        Some(inside) => {
            let (value, behind) = inside
                .split_once('"')
                .ok_or_else(|| fault(format!("has an open quote in `{key}`; close it")))?;
            (value, behind, true)
        }
        None => match rest.split_once(' ') {
            Some((value, behind)) => (value, behind, false),
            None => (rest, "", false),
        },
    };
    if quoted && !(behind.is_empty() || behind.starts_with(' ')) {
        return Err(fault(format!(
            "goes on behind the closing quote in `{key}`; put a space there"
        )));
    }
    if value.trim_matches(' ').is_empty() {
        return Err(fault(format!("has no value in `{key}`; leave the token out, or give one")));
    }
    if value.contains(['"', '\\']) {
        return Err(fault(format!(
            "has a quote or a backslash in the value of `{key}`; the language has no escapes, so \
             search without that character"
        )));
    }
    // The colon of a pseudonym parts nothing.
    if !quoted && pseudonym::replaced(value, |_| Some(String::new())).contains(':') {
        return Err(fault(format!("has a colon in the value of `{key}`; put it in double quotes")));
    }
    // A reader that takes the quotes off first would see an operator here.
    if value.split_once(':').is_some_and(|(word, _)| Operator::read(word).is_some()) {
        return Err(fault(format!("has a value of `{key}` that reads like an operator")));
    }
    Ok((Token { key, operator, value, quoted }, behind))
}
