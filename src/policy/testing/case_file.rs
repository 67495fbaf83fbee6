//! A file of cases: what stands in `*.cases.yaml`.
//!
//! A list; each case is a written question ([`Asked`]) with three members more: its `name`, the
//! `question` (`admit` if not given), and what is to be decided, `expect`. The principal is under
//! `as`. Strict, like the rest of a bundle: an unknown key is a problem with its line.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::domain::{Question, Verdict};
use crate::policy::asked::Asked;
use crate::policy::bundle::File;
use crate::policy::kind::Kind;
use crate::policy::problem::Problem;
use crate::yaml::{self, Limits, Position, Value};

/// One case.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) question: Question,
    pub(super) asked: Asked,
    pub(super) expect: Expect,
}

/// What must be decided; what is not named does not matter.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expect {
    pub(super) verdict: Option<Verdict>,
    /// A rule that must speak.
    pub(super) rule: Option<String>,
    /// All obligations, each by its rule or as what it demands.
    pub(super) obligations: Option<Vec<Json>>,
    /// For `visible`: exactly these tools are shown.
    pub(super) tools: Option<Vec<String>>,
}

/// The cases of a file with their places.
pub(super) fn read(file: &File) -> Result<Vec<(Position, Case)>, Vec<Problem>> {
    let node = yaml::read(&file.text, &Limits::default()).into_result().map_err(|faults| {
        faults.iter().map(|it| problem(file, it.at, &it.text)).collect::<Vec<_>>()
    })?;
    let Value::List(items) = node.value else {
        let text = "a file of cases is a list: `- name: ...`, with `as`, `tool` and `expect`";
        return Err(vec![problem(file, node.at, text)]);
    };
    let mut cases = Vec::new();
    let mut problems = Vec::new();
    for item in items {
        let at = item.at;
        let json = item.to_json().map_err(|fault| vec![problem(file, fault.at, &fault.text)])?;
        match case(json) {
            Ok(case) => cases.push((at, case)),
            Err(text) => {
                problems.push(problem(file, at, &format!("this case cannot be read: {text}")));
            }
        }
    }
    if problems.is_empty() { Ok(cases) } else { Err(problems) }
}

fn case(json: Json) -> Result<Case, String> {
    let Json::Object(mut members) = json else { return Err("it is no mapping".to_owned()) };
    let name = take(&mut members, "name")?.ok_or("`name` is missing")?;
    let question = take(&mut members, "question")?.unwrap_or(Question::Admit);
    let expect: Expect = take(&mut members, "expect")?.ok_or("`expect` is missing")?;
    if members.contains_key("principal") {
        return Err("the principal of a case stands under `as`".to_owned());
    }
    if let Some(who) = members.remove("as") {
        members.insert("principal".to_owned(), who);
    }
    let is_of_lists = question == Question::Visible;
    let nothing = expect.verdict.is_none() && expect.rule.is_none();
    if nothing && expect.obligations.is_none() && expect.tools.is_none() {
        let text = "`expect` is empty; name a `verdict`, a `rule`, `obligations` or `tools`";
        return Err(text.to_owned());
    }
    if expect.tools.is_some() && !is_of_lists {
        return Err("`expect.tools` belongs to the question `visible`".to_owned());
    }
    let asked = serde_json::from_value(Json::Object(members)).map_err(|error| error.to_string())?;
    Ok(Case { name, question, asked, expect })
}

fn take<T: serde::de::DeserializeOwned>(
    members: &mut Map<String, Json>,
    name: &str,
) -> Result<Option<T>, String> {
    let read = |value| serde_json::from_value(value).map_err(|error| format!("`{name}`: {error}"));
    members.remove(name).map(read).transpose()
}

pub(super) fn problem(file: &File, at: Position, text: &str) -> Problem {
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Problem {
        line: number(at.line),
        column: number(at.column),
        ..Problem::of_file(&file.name, text).of(Kind::Cases)
    }
}
