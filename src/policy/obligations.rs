//! The obligations in an answer of policy: `{"rule", "text", KIND: {...}}`, with exactly one kind.

use regorus::Value;
use regorus::unstable::{Expr, Module, Ref};

use super::answer::{self, Sites, list, members, misfit, text};
use super::engine::Failure;
use super::lint::literal;
use super::syntax::{Visit, each};
use crate::domain::{Duty, Filter, JsonText, LABEL_MINUTES, Label, Obligation, Operator, Question};
use crate::intercom::MAX_REASON;

/// The kinds that a question's rules may demand, by their word in Rego, with their members.
pub(super) const fn kinds(question: Question) -> &'static [&'static str] {
    match question {
        Question::Admit => &["set", "cap", "filter", "reason", "label"],
        Question::Disclose => &["drop", "rows", "label"],
        Question::Visible | Question::Approve => &[],
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
        "drop" => {
            let [record] = members(duty, ["record"], "`drop`")?;
            Ok(Duty::Drop { record: name(record, "`record`")? })
        }
        "rows" => {
            let [most] = members(duty, ["most"], "`rows`")?;
            Ok(Duty::Rows { most: number(most, 0, "most")? })
        }
        _ => Ok(Duty::Label(label(duty)?)),
    }
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
