//! The conditions of a hold as rules write them. Several holds give several; all must be met.
//!
//! Only `groups`, `people` and `expires_seconds` must be there. What is there must have its type, and
//! what is not known is a fault: a word that is misspelt would otherwise loosen a hold unseen.

use std::collections::BTreeSet;
use std::time::Duration;

use regorus::Value;

use super::{list, misfit, text};
use crate::domain::{Action, Confirm, Escalation, OnDisconnect, Release};
use crate::policy::engine::Failure;

const MAX_GROUPS: usize = 64;
const MAX_PEOPLE: u32 = 20;
const MAX_SECONDS: u64 = 30 * 24 * 60 * 60;
const MAX_MINUTES: u32 = 24 * 60;

/// Reads the conditions of one hold, or a list of those of several.
pub(super) fn read(value: &Value) -> Result<Release, Failure> {
    if matches!(value, Value::Object(_)) {
        return one(value);
    }
    let mut all = list(value, "`release`")?.into_iter().map(one);
    let first = all.next().ok_or_else(|| misfit("`release` names no conditions"))??;
    all.try_fold(first, |joined, next| Ok(joined.join(next?)))
}

fn one(value: &Value) -> Result<Release, Failure> {
    let Value::Object(object) = value else {
        return Err(misfit("`release` must be an object"));
    };
    let (mut has_groups, mut has_people, mut has_expiry) = (false, false, false);
    let mut release = Release::default();
    for (key, value) in object.iter() {
        match text(key, "a member of `release`")? {
            "groups" => {
                has_groups = true;
                release.groups = groups(value)?;
            }
            "people" => {
                has_people = true;
                let people = value.as_u32().ok().filter(|it| (1..=MAX_PEOPLE).contains(it));
                release.people =
                    people.ok_or_else(|| misfit("`people` must be a number from 1 to 20"))?;
            }
            "expires_seconds" => {
                has_expiry = true;
                release.expires = span(value, "expires_seconds", 1)?;
            }
            "distinct_groups" => release.distinct_groups = truth(value, "distinct_groups")?,
            "extend_seconds" => release.extend = span(value, "extend_seconds", 0)?,
            "escalate" => release.escalate = Some(escalation(value)?),
            "actions" => release.actions = Some(actions(value)?),
            "step_up_minutes" => {
                let minutes = value.as_u32().ok().filter(|it| *it <= MAX_MINUTES);
                let wrong = || misfit("`step_up_minutes` must be a number from 0 to 1440");
                release.step_up_minutes = Some(minutes.ok_or_else(wrong)?);
            }
            "grantable" => release.grantable = truth(value, "grantable")?,
            "on_disconnect" => {
                release.on_disconnect = match text(value, "`on_disconnect`")? {
                    "keep" => OnDisconnect::Keep,
                    "cancel" => OnDisconnect::Cancel,
                    _ => return Err(misfit("`on_disconnect` must be `keep` or `cancel`")),
                };
            }
            "confirm" => {
                release.confirm = match text(value, "`confirm`")? {
                    "never" => Confirm::Never,
                    "requester" => Confirm::Requester,
                    _ => return Err(misfit("`confirm` must be `never` or `requester`")),
                };
            }
            _ => return Err(misfit("`release` has a member that is not known")),
        }
    }
    if has_groups && has_people && has_expiry {
        return Ok(release);
    }
    Err(misfit("`release` must be an object with groups, people, expires_seconds"))
}

fn groups(value: &Value) -> Result<Vec<String>, Failure> {
    let groups = list(value, "`groups`")?;
    if groups.len() > MAX_GROUPS {
        return Err(misfit("`groups` names more than 64 groups"));
    }
    groups.into_iter().map(|group| text(group, "a group").map(str::to_owned)).collect()
}

fn span(value: &Value, name: &str, least: u64) -> Result<Duration, Failure> {
    let seconds = value.as_u64().ok().filter(|it| (least..=MAX_SECONDS).contains(it));
    let wrong = || misfit(format!("`{name}` must be a number from {least} to {MAX_SECONDS}"));
    seconds.map(Duration::from_secs).ok_or_else(wrong)
}

fn truth(value: &Value, name: &str) -> Result<bool, Failure> {
    match value {
        Value::Bool(truth) => Ok(*truth),
        _ => Err(misfit(format!("`{name}` must be true or false"))),
    }
}

fn escalation(value: &Value) -> Result<Escalation, Failure> {
    let [after, named] = super::members(value, ["after_seconds", "groups"], "`escalate`")?;
    Ok(Escalation { after: span(after, "after_seconds", 1)?, groups: groups(named)? })
}

fn actions(value: &Value) -> Result<BTreeSet<Action>, Failure> {
    let action = |word: &Value| {
        let word = text(word, "an action")?;
        let known = Action::ALL.into_iter().find(|action| action.as_str() == word);
        known.ok_or_else(|| misfit("`actions` names an action that is not known"))
    };
    list(value, "`actions`")?.into_iter().map(action).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Release, String> {
        read(&Value::from_json_str(text).unwrap()).map_err(|failure| failure.text)
    }

    #[test]
    fn conditions_are_read_strictly() {
        let basic = r#""groups":["a"],"people":2,"expires_seconds":60"#;
        let full = format!(
            r#"{{{basic},"distinct_groups":true,"extend_seconds":30,"escalate":{{"after_seconds":9,"groups":["b"]}},"actions":["approve","reject"],"step_up_minutes":5,"grantable":true,"on_disconnect":"cancel","confirm":"requester"}}"#
        );
        let release = read_text(&full).unwrap();
        assert_eq!(serde_json::from_str::<Release>(&full).unwrap(), release, "one form everywhere");
        assert_eq!(release.people, 2);
        for wrong in [
            r#""distinct_groups":"yes""#,
            r#""extend_seconds":-1"#,
            r#""escalate":{"after_seconds":9}"#,
            r#""escalate":{"after_seconds":0,"groups":[]}"#,
            r#""actions":["approve","aprove"]"#,
            r#""step_up_minutes":1441"#,
            r#""grantable":1"#,
            r#""on_disconnect":"drop""#,
            r#""confirm":"user""#,
            r#""confirm":true"#,
            r#""distinct_group":true"#,
        ] {
            assert!(read_text(&format!("{{{basic},{wrong}}}")).is_err(), "{wrong}");
        }
        assert!(read_text(r#"{"groups":[],"people":1}"#).is_err());
        assert!(read_text("[]").is_err());
        let two = format!(r#"[{{{basic}}},{{"groups":["a","b"],"people":1,"expires_seconds":9}}]"#);
        let joined = read_text(&two).unwrap();
        assert_eq!((joined.people, joined.expires.as_secs()), (2, 9));
        assert_eq!(joined.groups, ["a"]);
    }
}
