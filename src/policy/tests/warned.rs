//! What is told of a bundle that is sound or not, by its code and place: warnings, and codes of errors.

use super::refuse::SPEAKS;
use super::*;

/// What the checks find of rules of `admit`: `code:line:column text`.
fn found(rules: &[(&str, &str)]) -> Vec<String> {
    let nobody = Announced::default();
    let found = load::findings(&bundle(rules), load::Lookers::Known(&nobody));
    let shown =
        |one: &Problem| format!("{}:{}:{} {}", one.kind.code(), one.line, one.column, one.text);
    found.iter().map(shown).collect()
}

#[test]
fn a_confirmation_that_never_counts_is_a_warning() {
    let rule = |release: &str| {
        let member = format!("{{\"rule\": \"a\", \"text\": \"t\", \"release\": {release}}}");
        let body = "if input.tool.name == \"search\"";
        admit(&format!("# METADATA\n# title: T\nhold contains {member} {body}"))
    };
    let basic = r#""groups": [], "expires_seconds": 60"#;
    for (release, wanted) in [
        (format!(r#"{{{basic}, "people": 1, "confirm": "requester"}}"#), None),
        (format!(r#"{{{basic}, "people": 2, "confirm": "never"}}"#), None),
        (format!(r#"{{{basic}, "people": 2, "confirm": "requester"}}"#), Some("several people")),
        (
            format!(r#"{{{basic}, "people": 1, "distinct_groups": true, "confirm": "requester"}}"#),
            Some("people of distinct groups"),
        ),
        (
            format!(r#"{{{basic}, "people": 1, "step_up_minutes": 5, "confirm": "requester"}}"#),
            Some("a fresh proof"),
        ),
        (format!(r#"{{{basic}, "people": 1, "confirm": "user"}}"#), Some("`requester` or `never`")),
    ] {
        let found = found(&[("a.rego", &rule(&release))]);
        let about = found.iter().find(|it| it.contains("confirm"));
        assert_eq!(about.is_some(), wanted.is_some(), "{release} {found:?}");
        assert!(about.is_none_or(|it| it.contains(wanted.unwrap())), "{release} {found:?}");
    }
}

/// `approve` is not asked when the person whom the agent acts for confirms.
#[test]
fn a_confirmation_beside_rules_about_approvers_is_a_warning() {
    let hold = |tools: &str, confirm: &str| {
        let release = format!(
            r#"{{"groups": [], "expires_seconds": 60, "people": 1, "confirm": "{confirm}"}}"#
        );
        let member = format!("{{\"rule\": \"a\", \"text\": \"t\", \"release\": {release}}}");
        admit(&format!("# METADATA\n# title: T\nhold contains {member} if {{\n\t{tools}\n}}"))
    };
    let one = r#"input.tool.name == "update_article""#;
    let other = r#"input.tool.name == "add_internal_note""#;
    let any = r#"input.tool.effect == "write""#;
    // What a rule is not about leaves it about all others.
    let but = r#"input.tool.name != "search""#;
    let not = r#"not input.tool.name in {"search", "fetch"}"#;
    let approve = |body: &str| {
        format!(
            "package portcullis.rules.approve\n\nimport rego.v1\n\n# METADATA\n# title: T\n\
             deny contains {{\"rule\": \"b\", \"text\": \"t\"}} if {{\n\t{body}\n}}\n"
        )
    };
    let (by_hold, by_tool) = (
        approve(r#"input.hold.tool == "update_article""#),
        approve(r#"input.tool.name in {"search", "update_article"}"#),
    );
    let general = approve(r#"input.approver.id == "ann""#);
    let all_but = approve(r#"input.hold.tool != "update_article""#);
    let words = "so its rules about `update_article` (b.rego:7) do not count then";
    for (admit, approve, warned) in [
        (hold(one, "requester"), &by_hold, true),
        (hold(one, "requester"), &by_tool, true),
        (hold(any, "requester"), &by_hold, true),
        (hold(other, "requester"), &by_hold, false),
        (hold(one, "never"), &by_hold, false),
        (hold(one, "requester"), &general, false),
        (hold(but, "requester"), &by_hold, true),
        (hold(not, "requester"), &by_hold, true),
        (hold(one, "requester"), &all_but, false),
    ] {
        let found = found(&[("a.rego", &admit), ("b.rego", approve)]);
        let about: Vec<&String> = found.iter().filter(|it| it.starts_with("PC027")).collect();
        assert_eq!(about.len(), usize::from(warned), "{admit}{approve}{found:?}");
        let line = |it: &&String| it.starts_with("PC027:7:") && it.contains(words);
        assert!(about.iter().all(line), "{found:?}");
    }
    // In data, as the shipped rules have it.
    let data = "roles: { a: { tools: [update_article, search] } }\nreleases:\n  search: { confirm: never }\n  \
                update_article:\n    people: 1\n    confirm: requester\n  any: { people: 2 }\n";
    let looked_up = r#"{"update_article": {"people": 1, "confirm": "requester"}}"#;
    let unnamed = r#"{"search": {}, "draft": {"confirm": "requester"}}"#;
    for (name, data, place) in [
        ("c.yaml", data, Some("PC027:6:5")),
        ("c.json", looked_up, Some("PC027:1:35")),
        ("c.json", unnamed, Some("PC027:1:27")),
        ("c.json", r#"{"search": {"confirm": "requester"}}"#, None),
    ] {
        let found = found(&[("a.rego", &hold(one, "never")), ("b.rego", &by_hold), (name, data)]);
        let about = found.iter().find(|it| it.starts_with("PC027"));
        assert_eq!(about.is_some(), place.is_some(), "{data} {found:?}");
        assert!(about.is_none_or(|it| it.starts_with(place.unwrap())), "{data} {found:?}");
    }
}

#[test]
fn what_was_probably_not_meant_is_a_warning() {
    let rule = |body: &str| admit(&format!("# METADATA\n# title: T\n{SPEAKS}{{\n{body}\n}}"));
    for (text, wanted) in [
        (
            rule("\tinput.tool.name == \"get_artcle\""),
            "PC019:8:22 Intercom has no tool `get_artcle`; do you mean `get_article`?",
        ),
        (
            rule("\tinput.tool.name in {\"search\", \"x_y_z\"}"),
            "PC019:8:33 Intercom has no tool `x_y_z`",
        ),
        (
            rule("\tinput.tol.name == \"x\""),
            "PC020:8:2 no input of `admit` has `input.tol.name`; do you mean `input.tool.name`?",
        ),
        (
            rule("\tinput.answer.kind == \"list\""),
            "PC020:8:2 no input of `admit` has `input.answer.kind`",
        ),
        (
            rule("\tinput.tool.effect == \"reed\""),
            "PC018:8:24 `input.tool.effect` is never \"reed\"; it is read, write",
        ),
        (rule("\tinput.tool.pinned\n\t1 == 2"), "PC018:9:2 this condition is never true"),
        (rule("\tnot true"), "PC018:8:2 this condition is never true"),
        (
            rule("\tinput.method == \"a\"\n\tinput.method == \"b\""),
            "PC018:9:2 `input.method` cannot have two values at once",
        ),
        (
            admit(&format!("{SPEAKS}input.tool.name == \"search\"")),
            "PC021:5:1 this rule has no title",
        ),
    ] {
        let warnings = found(&[("a.rego", &text)]);
        assert!(warnings.iter().any(|it| it.starts_with(wanted)), "{text}\n{warnings:#?}");
        let files = bundle(&[("a.rego", &text)]);
        assert!(load::load(&files).is_ok(), "{text}");
    }
    let roles = r#"{"roles": {"r": {"tools": ["search", "serch"]}}}"#;
    let warnings = found(&[("roles.json", roles)]);
    let wanted = "PC019:1:39 Intercom has no tool `serch`; do you mean `search`?".to_owned();
    assert!(warnings.contains(&wanted), "{warnings:?}");
    // A condition for nothing, and lists of a company's own.
    for data in [
        r#"{"releases": {"any": {"people": 1}, "tools": {"updat_article": {"people": 2}}}}"#,
        r#"{"limits": {"loud_tools": ["updat_article", "search"]}}"#,
    ] {
        let warnings = found(&[("more.json", data)]);
        let words = "Intercom has no tool `updat_article`; do you mean `update_article`?";
        assert!(warnings.iter().any(|it| it.ends_with(words)), "{data}: {warnings:?}");
    }
}

#[test]
fn errors_have_codes() {
    for (text, code) in [
        (admit("deny contains {\"rule\": \"a\", \"text\": \" \"} if input.tool"), "PC017:5:"),
        (admit(&format!("{SPEAKS}foo.bar(1)")), "PC012:5:"),
        (admit(&format!("{SPEAKS}http.send({{}})")), "PC012:5:"),
        ("package portculis.rules.admit\n\nx := 1\n".to_owned(), "PC006:1:"),
        ("package rules.admit\n\nx :=\n".to_owned(), "PC003:"),
        (
            admit("# METADATA\n# titel: x\ndeny contains {\"rule\": \"a\", \"text\": \"a\"}"),
            "PC005:6:",
        ),
    ] {
        let all = found(&[("a.rego", &text)]);
        assert!(all.iter().any(|it| it.starts_with(code)), "{text}\n{all:#?}");
    }
    let mut files = bundle(&[]);
    files.retain(|file| file.kind == FileKind::Library);
    let nobody = Announced::default();
    let found = load::findings(&files, load::Lookers::Known(&nobody));
    assert!(found.iter().all(|it| it.kind == Kind::NoPackage));
}

/// The shipped bundles are examples: nothing at all is to be said of them.
#[test]
fn the_shipped_bundles_pass_strictly() {
    for name in ["default", "conformance"] {
        // Whether the plugins that come along find what these redact is asked over the command line.
        let anybody = Announced { without: ["*".to_owned()].into(), ..Announced::default() };
        assert_eq!(check(&folder(name), Lookers::Known(&anybody)), [], "{name}");
    }
}

#[test]
fn kinds_that_nobody_looks_for_are_seen_where_they_are_named() {
    let redact = |redact: &str| {
        format!(
            "package portcullis.rules.disclose\n\nimport rego.v1\n\n# METADATA\n# title: T\n\
             oblige contains {{\n\t\"rule\": \"hides\",\n\t\"text\": \"x\",\n\t\"redact\": {redact},\n}} if \
             input.answer.kind\n"
        )
    };
    let data = r#"{"here": {"kinds": ["email", "own_number"], "one": {"kinds": ["person"], "how": "mask"}}}"#;
    let announced = |kinds: &[&str], without: &[&str]| Announced {
        kinds: kinds.iter().map(ToString::to_string).collect(),
        without: without.iter().map(ToString::to_string).collect(),
    };
    for (text, unseen) in [
        (r#"{"kinds": ["email", "phone"], "how": "mask"}"#, &["10:22 email", "10:22 phone"][..]),
        (r#"{"kinds": data.here.kinds, "how": "mask"}"#, &["10:22 email", "10:22 own_number"]),
        (r#"{"kinds": data["here"].kinds, "how": "mask"}"#, &["10:22 email", "10:22 own_number"]),
        ("data.here.one", &["10:12 person"]),
        (r#"{"kinds": ["*"], "how": "mask"}"#, &["10:22 *"]),
        (r#"{"kinds": ["email"], "how": "keep"}"#, &[]),
        // Computed: the gate refuses such an answer.
        (r#"{"kinds": [sprintf("%s", ["email"])], "how": "mask"}"#, &[]),
    ] {
        let files = bundle(&[("own.rego", &redact(text)), ("here.json", data)]);
        let seen = |announced: &Announced| {
            let found = load::findings(&files, load::Lookers::Known(announced)).into_iter();
            let ours = found.filter(|it| it.kind == Kind::UnseenKind && it.file == "own.rego");
            let shown = |it: Problem| {
                assert!(it.text.contains("the rule `hides`") && it.text.contains("without: ["));
                let kind = it.text.split('`').nth(3).unwrap().to_owned();
                format!("{}:{} {kind}", it.line, it.column)
            };
            ours.map(shown).collect::<Vec<_>>()
        };
        assert_eq!(seen(&announced(&[], &[])), unseen, "{text}");
        assert_eq!(seen(&announced(&[], &["*"])), [""; 0], "{text}");
        let all = announced(&["email", "phone", "person", "own_number"], &[]);
        assert_eq!(seen(&all), [""; 0], "{text}");
        let some = seen(&announced(&["person", "phone"], &["email"]));
        assert!(some.iter().all(|it| it.ends_with("own_number")), "{text}: {some:?}");
    }
}
