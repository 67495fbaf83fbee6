//! What is found and what is not, as data: `«` and `»` stand around what must be found.

use kit::{Document, Form, Leaf, Phase};
use secrets::{Config, look};
use serde_json::Value;

fn document(path: &str, text: &str, form: Form) -> Document {
    let leaf = Leaf { path: path.to_owned(), text: text.to_owned(), form, ..Leaf::default() };
    Document { phase: Phase::Answer, leaves: vec![leaf], ..Document::default() }
}

fn form(case: &Value) -> Form {
    if case["form"] == "html" { Form::Html } else { Form::Text }
}

#[test]
fn secrets_are_found_to_the_letter() {
    let cases: Value = serde_json::from_str(include_str!("cases.json")).unwrap();
    let mut wrong = Vec::new();
    for case in cases["found"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let marked = case["text"].as_str().unwrap();
        let (head, rest) = marked.split_once('«').unwrap();
        let (value, tail) = rest.split_once('»').unwrap();
        let text = format!("{head}{value}{tail}");
        let report = look(
            &document(case["path"].as_str().unwrap_or("/body"), &text, form(case)),
            &Config::default(),
        );
        let found: Vec<_> = report
            .findings
            .iter()
            .map(|f| (&text[f.bytes()], f.kind, f.reason, f.confidence))
            .collect();
        let kind = case["kind"].as_str().unwrap_or("secret");
        let fits = matches!(found.as_slice(), [(span, k, r, c)] if *span == value && *k == kind && *c >= 50
            && case["reason"].as_str().is_none_or(|reason| reason == *r));
        if !fits {
            wrong.push(format!("{name}: {value:?} but {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_no_secret_is_left_alone() {
    let mut wrong = Vec::new();
    let cases: Value = serde_json::from_str(include_str!("cases.json")).unwrap();
    let texts =
        cases["nothing"].as_array().unwrap().iter().map(|text| ("/body", text.as_str().unwrap()));
    let fields = cases["nothing_in_fields"].as_array().unwrap();
    let fields = fields.iter().map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap()));
    for (path, text) in texts.chain(fields) {
        for form in [Form::Text, Form::Html] {
            for f in look(&document(path, text, form), &Config::default()).findings {
                wrong.push(format!(
                    "{text:?}: {:?} {} {} {}",
                    &text[f.bytes()],
                    f.kind,
                    f.reason,
                    f.confidence
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
