//! What somebody wrote into a filter: read, or told what is wrong with it and what there is.

use std::str::FromStr;

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;

use crate::domain::{ApproverId, HoldState, PrincipalId, Timestamp, Verdict};

/// A question in the address, or what is wrong with it as a whole.
pub(super) fn query<T>(asked: Result<Query<T>, QueryRejection>) -> Result<T, String> {
    asked.map(|Query(asked)| asked).map_err(|error| {
        let text = error.body_text();
        // What the library says first is for programmers.
        let words = text.split_once(": ").map_or(text.as_str(), |(_, words)| words);
        format!("the address is not understood: {words}")
    })
}

/// A text, if there is one.
pub(super) fn text(value: &str) -> Option<String> {
    let value = value.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

/// A value, if there is one; `there_is` says which values there are.
pub(super) fn one_of<T>(
    value: &str,
    what: &str,
    there_is: &str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, String> {
    let Some(value) = text(value) else { return Ok(None) };
    let read = read(&value);
    read.map(Some).ok_or_else(|| format!("`{value}` is no {what}: {there_is}"))
}

pub(super) fn verdict(value: &str) -> Result<Option<Verdict>, String> {
    let all = [Verdict::Allow, Verdict::Hold, Verdict::Deny];
    let find = |name: &str| all.into_iter().find(|it| it.as_str() == name);
    one_of(value, "verdict", &there_are(all.map(Verdict::as_str)), find)
}

pub(super) fn state(value: &str) -> Result<Option<HoldState>, String> {
    let find = |name: &str| HoldState::ALL.into_iter().find(|it| it.as_str() == name);
    one_of(value, "state of a held call", &there_are(HoldState::ALL.map(HoldState::as_str)), find)
}

pub(super) fn agent(value: &str) -> Result<Option<PrincipalId>, String> {
    name(value, "agent")
}

pub(super) fn approver(value: &str) -> Result<Option<ApproverId>, String> {
    name(value, "approver")
}

fn name<T: FromStr>(value: &str, what: &str) -> Result<Option<T>, String> {
    let there_is = "names are letters, digits and some signs, without spaces";
    one_of(value, what, there_is, |name| name.parse().ok())
}

/// A day, or a day and a time, in UTC; a day is meant from its beginning or to its end.
pub(super) fn moment(words: &str, end: bool) -> Result<Option<Timestamp>, String> {
    let there_is = "write a day, such as 2026-07-28, or a day and a time in UTC, such as \
                    2026-07-28T09:30";
    one_of(words, "time", there_is, |words| {
        let whole = match (words.len(), end) {
            (10, false) => format!("{words}T00:00:00Z"),
            (10, true) => format!("{words}T23:59:59.999Z"),
            (16, false) => format!("{words}:00Z"),
            (16, true) => format!("{words}:59.999Z"),
            _ => words.to_owned(),
        };
        whole.parse().ok()
    })
}

pub(super) fn there_are<const N: usize>(names: [&str; N]) -> String {
    format!("there are {}", names.map(|name| format!("`{name}`")).join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_meant_whole() {
        let at = |words: &str, end| moment(words, end).unwrap().unwrap().millis();
        assert_eq!(at("1970-01-02", false), 86_400_000);
        assert_eq!(at("1970-01-02", true), 2 * 86_400_000 - 1);
        assert_eq!(at("1970-01-02T00:01", true), 86_400_000 + 119_999);
        assert_eq!(at(" 1970-01-02T00:00:01Z ", false), 86_401_000);
        assert_eq!(moment("", true), Ok(None));
    }

    #[test]
    fn what_is_not_understood_is_told_with_what_there_is() {
        for (told, expected) in [
            (
                verdict("maybe").map(drop),
                "`maybe` is no verdict: there are `allow`, `hold`, `deny`",
            ),
            (
                state("Pending").map(drop),
                "`Pending` is no state of a held call: there are `pending`, ",
            ),
            (agent("two words").map(drop), "`two words` is no agent: names are letters, "),
            (approver("two words").map(drop), "`two words` is no approver: names are letters, "),
            (moment("yesterday", false).map(drop), "`yesterday` is no time: write a day, such as "),
        ] {
            assert!(told.as_ref().is_err_and(|it| it.starts_with(expected)), "{told:?}");
        }
        assert_eq!(verdict(" deny "), Ok(Some(Verdict::Deny)));
        assert_eq!(state("changes_requested"), Ok(Some(HoldState::ChangesRequested)));
    }
}
