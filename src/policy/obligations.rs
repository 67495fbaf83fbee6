//! The obligations in an answer of policy: `{"rule", "text", KIND: {...}}`, with exactly one kind.

use std::collections::BTreeMap;

use regorus::Value;
use regorus::unstable::{Expr, Module, Ref};

use super::answer::{self, Sites, list, members, misfit, text};
use super::engine::Failure;
use super::lint::literal;
use super::syntax::{Visit, each};
use crate::domain::{
    Duty, Filter, How, JsonText, LABEL_MINUTES, Label, Obligation, Operator, Party, Question,
    Redact,
};
use crate::intercom::MAX_REASON;

/// The kinds that a question's rules may demand, by their word in Rego, with their members.
pub(super) const fn kinds(question: Question) -> &'static [&'static str] {
    match question {
        Question::Admit => &["set", "cap", "filter", "reason", "restore", "label"],
        Question::Disclose => &["drop", "rows", "redact", "label"],
        Question::Approve => &["reveal"],
        Question::Visible => &[],
    }
}

/// Whether some rule demands a reason of the agent, which then has to be told how to give one.
pub(super) fn ask_why(modules: &[Ref<Module>]) -> bool {
    let mut asked = false;
    for rule in modules.iter().flat_map(|module| &module.policy) {
        each(rule, &mut |visit| {
            let Visit::Expr(Expr::Object { fields, .. }) = visit else { return };
            asked |= fields.iter().any(|(_, key, _)| literal(key).as_deref() == Some("reason"));
        });
    }
    asked
}

const MAX_OBLIGATIONS: usize = 1000;
const MAX_VALUES: usize = 100;
const MAX_VALUE_BYTES: usize = 64 * 1024;
const MAX_NAME_BYTES: usize = 200;

/// Reads all obligations.
pub(super) fn read(
    question: Question,
    obligations: &Value,
    sites: &Sites,
) -> Result<Vec<Obligation>, Failure> {
    let obligations = list(obligations, "`obligations`")?;
    if obligations.len() > MAX_OBLIGATIONS {
        return Err(misfit("`obligations` holds more than 1000"));
    }
    obligations.into_iter().map(|one| self::one(question, one, sites)).collect()
}

fn one(question: Question, one: &Value, sites: &Sites) -> Result<Obligation, Failure> {
    let kind = kinds(question).iter().find(|kind| {
        one.as_object().is_ok_and(|object| object.get(&Value::from(**kind)).is_some())
    });
    let Some(kind) = kind else {
        return Err(misfit("`obligations` holds one that Portcullis does not know"));
    };
    let [rule, text, duty] = members(one, ["rule", "text", kind], "an obligation")?;
    let reason = answer::reason(question, rule, text, sites)?;
    Ok(Obligation { reason, duty: self::duty(kind, duty)?, changed: false })
}

fn duty(kind: &str, duty: &Value) -> Result<Duty, Failure> {
    match kind {
        "set" => {
            let [argument, value] = members(duty, ["argument", "value"], "`set`")?;
            let value = value.to_json_str().map_err(|_| misfit("`value` cannot be written"))?;
            if value.len() > MAX_VALUE_BYTES {
                return Err(misfit("`value` is longer than 64 KiB"));
            }
            let value = JsonText::from_valid(value.into_bytes().into());
            Ok(Duty::Set { argument: name(argument, "`argument`")?, value })
        }
        "cap" => {
            let [argument, most] = members(duty, ["argument", "most"], "`cap`")?;
            Ok(Duty::Cap {
                argument: name(argument, "`argument`")?,
                most: number(most, 1, "most")?,
            })
        }
        "filter" => {
            let [field, operator, values] =
                members(duty, ["field", "operator", "values"], "`filter`")?;
            let operator = Operator::read(text(operator, "`operator`")?)
                .ok_or_else(|| misfit("`operator` is no operator of a search"))?;
            let values = list(values, "`values`")?;
            let several = matches!(operator, Operator::In | Operator::Nin);
            if values.is_empty() || values.len() > MAX_VALUES || (values.len() > 1 && !several) {
                return Err(misfit(
                    "`values` must hold one value, or for `in` and `nin` at most 100",
                ));
            }
            let values = values.into_iter().map(value).collect::<Result<_, _>>()?;
            Ok(Duty::Filter(Filter { field: name(field, "`field`")?, operator, values }))
        }
        "reason" => {
            let [least] = members(duty, ["least"], "`reason`")?;
            let least = number(least, 1, "least")?;
            if least > MAX_REASON as u64 {
                return Err(misfit(format!("`least` must be at most {MAX_REASON}")));
            }
            Ok(Duty::Reason { least })
        }
        "restore" => {
            let [kinds, arguments] = members(duty, ["kinds", "arguments"], "`restore`")?;
            Ok(Duty::Restore {
                kinds: names(kinds, "`kinds`", is_kind)?,
                arguments: names(arguments, "`arguments`", |_| true)?,
            })
        }
        "reveal" => {
            let [kinds] = members(duty, ["kinds"], "`reveal`")?;
            Ok(Duty::Reveal { kinds: names(kinds, "`kinds`", is_kind)? })
        }
        "drop" => {
            let [record] = members(duty, ["record"], "`drop`")?;
            Ok(Duty::Drop { record: name(record, "`record`")? })
        }
        "rows" => {
            let [most] = members(duty, ["most"], "`rows`")?;
            Ok(Duty::Rows { most: number(most, 0, "most")? })
        }
        "redact" => Ok(Duty::Redact(redact(duty)?)),
        _ => Ok(Duty::Label(label(duty)?)),
    }
}

fn redact(duty: &Value) -> Result<Redact, Failure> {
    let [kinds, how, parties, paths, least] =
        some_members(duty, ["kinds", "how"], ["parties", "paths", "least"], "`redact`")?;
    let (Some(kinds), Some(how)) = (kinds, how) else {
        return Err(misfit("`redact` must have `kinds` and `how`"));
    };
    let kinds = names(kinds, "`kinds`", is_kind)?;
    let parties = match parties {
        Some(parties) => {
            let words = names(parties, "`parties`", |word| party(word).is_some())?;
            words.iter().filter_map(|word| party(word)).collect()
        }
        None => Vec::new(),
    };
    let is_path = |path: &str| path.starts_with('/') || path.starts_with("$/");
    let paths = paths.map(|paths| names(paths, "`paths`", is_path)).transpose()?;
    let how = text(how, "`how`")?;
    let how = How::ALL.into_iter().find(|known| known.as_str() == how);
    let how = how.ok_or_else(|| misfit("`how` is no way to redact"))?;
    let least = match least {
        Some(least) => least.as_u64().ok().and_then(|least| u8::try_from(least).ok()),
        None => Some(0),
    };
    let least = least.filter(|least| *least <= 100);
    let least = least.ok_or_else(|| misfit("`least` must be a whole number from 0 to 100"))?;
    Ok(Redact {
        kinds,
        parties,
        paths: paths.unwrap_or_default(),
        least,
        how,
        done: BTreeMap::new(),
    })
}

/// Whether it is a kind of finding, or `*` for all.
fn is_kind(kind: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    kind == "*" || kind.bytes().all(is_part)
}

fn party(word: &str) -> Option<Party> {
    Party::ALL.into_iter().find(|party| party.as_str() == word)
}

/// A list of 1 to 100 names that fit.
fn names(value: &Value, what: &str, fits: impl Fn(&str) -> bool) -> Result<Vec<String>, Failure> {
    let list = list(value, what)?;
    if list.is_empty() || list.len() > MAX_VALUES {
        return Err(misfit(format!("{what} must hold 1 to {MAX_VALUES} texts")));
    }
    list.into_iter()
        .map(|one| {
            let name = name(one, what)?;
            fits(&name)
                .then_some(name)
                .ok_or_else(|| misfit(format!("{what} holds something that cannot be in it")))
        })
        .collect()
}

/// The members of an object that must have some, may have others, and has no more.
fn some_members<'a, const N: usize>(
    value: &'a Value,
    must: [&str; 2],
    may: [&str; 3],
    what: &str,
) -> Result<[Option<&'a Value>; N], Failure> {
    let wrong = || {
        let (must, may) = (must.join(", "), may.join(", "));
        misfit(format!("{what} must be an object of {must}, and of nothing else but {may}"))
    };
    let Value::Object(object) = value else { return Err(wrong()) };
    let mut found = [None; N];
    let mut count = 0;
    for (slot, name) in found.iter_mut().zip(must.iter().chain(&may)) {
        *slot = object.get(&Value::from(*name));
        count += usize::from(slot.is_some());
    }
    if object.len() != count || found.iter().take(must.len()).any(Option::is_none) {
        return Err(wrong());
    }
    Ok(found)
}

fn label(duty: &Value) -> Result<Label, Failure> {
    let has_minutes = duty.as_object().is_ok_and(|object| object.len() == 2);
    let (label, minutes) = if has_minutes {
        let [label, minutes] = members(duty, ["name", "minutes"], "`label`")?;
        (label, self::minutes(minutes)?)
    } else {
        let [label] = members(duty, ["name"], "`label`")?;
        (label, LABEL_MINUTES)
    };
    let name = name(label, "`name`")?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if !name.bytes().all(plain) {
        return Err(misfit("a label's `name` must be of letters, digits, `_`, `-`, `.`"));
    }
    Ok(Label { name, minutes })
}

/// How long a label lasts.
fn minutes(value: &Value) -> Result<u32, Failure> {
    let minutes = value.as_u64().ok().and_then(|minutes| u32::try_from(minutes).ok());
    minutes.filter(|minutes| (1..=LABEL_MINUTES).contains(minutes)).ok_or_else(|| {
        misfit(format!("`minutes` must be a whole number from 1 to {LABEL_MINUTES}"))
    })
}

fn name(value: &Value, what: &str) -> Result<String, Failure> {
    let name = text(value, what)?;
    if name.is_empty() || name.len() > MAX_NAME_BYTES {
        return Err(misfit(format!("{what} must have 1 to 200 bytes")));
    }
    Ok(name.to_owned())
}

fn number(value: &Value, least: u64, what: &str) -> Result<u64, Failure> {
    value
        .as_u64()
        .ok()
        .filter(|most| *most >= least)
        .ok_or_else(|| misfit(format!("`{what}` must be a whole number of at least {least}")))
}

/// A value to compare with: text, or a whole number, as ids often are.
fn value(value: &Value) -> Result<String, Failure> {
    let value = match value {
        Value::Number(_) => value.as_i64().map(|number| number.to_string()).ok(),
        Value::String(text) => Some(text.to_string()),
        _ => None,
    };
    value
        .filter(|value| !value.is_empty() && value.len() <= MAX_NAME_BYTES)
        .ok_or_else(|| misfit("`values` must hold texts of 1 to 200 bytes, or whole numbers"))
}
