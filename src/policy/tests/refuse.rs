//! What load refuses, with place and words.

use super::*;

/// The problems of a bundle as text.
fn problems(rules: &[(&str, &str)]) -> Vec<String> {
    match load::load(&bundle(rules)) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.problems().iter().map(ToString::to_string).collect(),
    }
}

pub(super) const SPEAKS: &str = "deny contains {\"rule\": \"a\", \"text\": \"a\"} if ";

#[test]
fn a_sound_bundle_is_not_refused() {
    let body = "deny contains {\"rule\": \"a\", \"text\": sprintf(\"%s\", [input.method])} if {\n\
                \tinput.tool.name in banned\n}\n\nbanned := {\"x\"}\n\n\
                allow contains {\"rule\": \"b\", \"text\": \"b\"} if {\n\
                \tinput.principal.id == \"bot\"\n\tinput.arguments.state\n\
                \tnot input.arguments.state == \"published\"\n}";
    let found = problems(&[("a.rego", &admit(body))]);
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn each_mistake_is_named_with_its_place() {
    let cases: &[(&str, &str, &str)] = &[
        ("deny contains", "a.rego:6:1", "expecting expression"),
        ("denny contains {\"rule\": \"a\", \"text\": \"a\"}", "a.rego:5:1", "no question reaches"),
        ("deny if input.tool", "a.rego:5:1", "write `deny contains {...} if"),
        ("default deny := false", "a.rego:5:1", "write `deny contains {...} if"),
        ("deny[x] if x := 1", "a.rego:5:1", "write `deny contains {...} if"),
        ("show contains \"x\"", "a.rego:5:1", "`show` says nothing in `admit`"),
        ("deny contains \"text\"", "a.rego:5:16", "must be written out"),
        ("deny contains {\"text\": \"a\"}", "a.rego:5:15", "`rule` is missing"),
        ("deny contains {\"rule\": \"a\"}", "a.rego:5:15", "`text` is missing"),
        ("deny contains {\"rule\": \"A b\", \"text\": \"a\"}", "a.rego:5:25", "literal name"),
        ("deny contains {\"rule\": input.method, \"text\": \"a\"}", "a.rego:5:24", "literal name"),
        (
            "deny contains {\"rule\": \"a\", \"text\": \"a\", \"release\": {}}",
            "a.rego:5:43",
            "`release` is no part of a member of `deny`",
        ),
        (
            "deny contains {\"rule\": \"a\", \"text\": \"a\"} if 1 == 1\n\n\
             hold contains {\"rule\": \"a\", \"text\": \"b\"}",
            "a.rego:7:1",
            "the rule name `admit.a` is used at a.rego:5 already",
        ),
        (
            "deny contains {\"rule\": \"nothing_allows\", \"text\": \"a\"}",
            "a.rego:5:1",
            "is used at lib/admit.rego:13 already",
        ),
        (
            "deny contains {\"rule\": \"a\", \"text\": \"a\"} if data.portcullis.join with input as {}",
            "a.rego:5:",
            "`with` is for tests only",
        ),
        (
            "allow contains {\"rule\": \"a\", \"text\": \"a\"} if {\n\tinput.tool.name == \"x\"\n\
             \tnot input.arguments.state == \"published\"\n}",
            "a.rego:7:",
            "`not` is also true where `input.arguments.state` is missing",
        ),
        (
            "allow contains {\"rule\": \"a\", \"text\": \"a\"} if {\n\tinput.tool.name == \"x\"\n\
             \tsafe\n}\n\nsafe if not input.arguments.risk > 5",
            "a.rego:10:",
            "`input.arguments.risk` is missing",
        ),
        (
            "allow contains {\"rule\": \"a\", \"text\": \"a\"} if {\n\tinput.tool.name == \"x\"\n\
             \tnot public\n}\n\npublic if published\n\n\
             published if input.arguments.state == \"published\"",
            "a.rego:7:",
            "`not` is also true where `input.arguments.state` is missing",
        ),
        (
            "allow contains {\"rule\": \"a\", \"text\": \"a\"} if {\n\tinput.tool.name == \"x\"\n\
             \targuments := input.arguments\n\tnot arguments.state == \"published\"\n}",
            "a.rego:8:",
            "`not` is also true where `input.arguments.state` is missing",
        ),
        (
            "allow contains {\"rule\": \"a\", \"text\": \"a\"}",
            "a.rego:5:1",
            "a rule allows without looking at anything",
        ),
        (
            "deny contains {\"rule\": \"a\", \"text\": \"a\"} if lower(input.principal.roles) == \"x\"",
            "a.rego:5:",
            "the policy ended in an error",
        ),
    ];
    for (body, place, words) in cases {
        let found = problems(&[("a.rego", &admit(body))]);
        let wanted = found.iter().any(|text| text.starts_with(place) && text.contains(words));
        assert!(wanted, "{body}\nwanted {place} {words}\nfound {found:#?}");
    }
}

#[test]
fn forbidden_and_unknown_builtins_are_found_wherever_they_stand() {
    for call in [
        "http.send({})",
        "io.jwt.decode(\"\")",
        "net.lookup_ip_addr(\"\")",
        "opa.runtime()",
        "rand.intn(\"a\", 5)",
        "time.now_ns()",
        "strings.count(\"a\", \"\")",
        "walk(input)",
        "trace(\"a\")",
        "print(\"a\")",
        "hex.encode(\"a\")",
        "foo.bar(1)",
    ] {
        for condition in ["", "input.never\n\t", "false\n\t"] {
            let body = format!("{SPEAKS}{{\n\t{condition}x := {call}\n\tx == 1\n}}");
            let found = problems(&[("a.rego", &admit(&body))]);
            let wanted = found
                .iter()
                .any(|text| text.starts_with("a.rego:") && !text.starts_with("a.rego:5:"));
            assert!(wanted, "{body}\n{found:#?}");
        }
        let unused = format!("{SPEAKS}input.tool\n\nhelper := {call}");
        assert!(!problems(&[("a.rego", &admit(&unused))]).is_empty(), "{call} in an unused rule");
    }
}

/// Each would fill the memory, or give another value than OPA.
#[test]
fn unsound_calls_and_patterns_are_refused() {
    for (condition, words) in [
        ("numbers.range(1, input.n)[0] == 1", "written out"),
        ("numbers.range(1, 1000000000)[0] == 1", "10000 elements at most"),
        ("numbers.range(-1000000000, 1)[0] == 1", "10000 elements at most"),
        ("bits.lsh(1, input.n) == 1", "written out"),
        ("bits.lsh(1, 4000000000) == 1", "0 to 63"),
        ("units.parse(\"1K\") == 1", "`units.parse` is not allowed"),
        ("units.parse_bytes(\"1K\") == 1", "`units.parse_bytes` is not allowed"),
        ("object.subset(input.a, input.b)", "`object.subset` is not allowed"),
        ("json.remove(input.a, [\"b\"]) == {}", "`json.remove` is not allowed"),
        ("sprintf(input.a, [1]) == \"1\"", "must be written out"),
        ("sprintf(\"%x\", [1]) == \"1\"", "`%x` is not one of"),
        ("sprintf(\"%s\", []) == \"1\"", "0 value(s) for 1 verb(s)"),
        ("regex.match(input.a, \"b\")", "must be written out"),
        ("regex.match(`\\d`, \"b\")", "is read differently by OPA"),
        ("regex.replace(input.a, `\\w`, \"b\") == \"\"", "is read differently by OPA"),
        ("{\"a\": x} := input.a\n\tx == 1", "matches such an object otherwise"),
        ("{\"a\": x} = input.a\n\tx == 1", "matches such an object otherwise"),
        ("[{\"a\": x}] := input.a\n\tx == 1", "matches such an object otherwise"),
        ("some {\"a\": x} in input.a\n\tx == 1", "matches such an object otherwise"),
        ("x := input.a in {1}\n\tx == false", "`in` as a value"),
    ] {
        let found = problems(&[("a.rego", &admit(&format!("{SPEAKS}{{\n\t{condition}\n}}")))]);
        let wanted = |one: &String| one.starts_with("a.rego:6:") && one.contains(words);
        assert!(found.iter().any(wanted), "{condition}: {found:#?}");
    }
    let function = format!("{SPEAKS}taken(input.a)\n\ntaken({{\"a\": x}}) if x == 1");
    let found = problems(&[("a.rego", &admit(&function))]);
    assert!(found.iter().any(|one| one.contains("matches such an object")), "{found:#?}");
    let default = format!("{SPEAKS}safe(input.a)\n\ndefault safe(_) := false");
    let found = problems(&[("a.rego", &admit(&default))]);
    assert!(found.iter().any(|one| one.contains("default of a function")), "{found:#?}");
}

#[test]
fn packages_that_nothing_asks_are_refused() {
    for package in [
        "portcullis.rules.admitt",
        "portcullis.rules",
        "portcullis",
        "portcullis.join",
        "portcullis.admit",
        "portcullis[\"rules\"].admit",
    ] {
        let text = format!("package {package}\n\nx := 1\n");
        let found = problems(&[("x.rego", &text)]);
        assert!(found.iter().any(|text| text.contains("nothing asks the package")), "{package}");
    }
    let files: Vec<File> = bundle(&[("a.rego", &admit(&format!("{SPEAKS}input.tool")))])
        .into_iter()
        .filter(|file| file.name != "filler_approve.rego")
        .collect();
    let errors = load::load(&files).err().unwrap().to_string();
    assert!(errors.contains("no file has the package `portcullis.rules.approve`"), "{errors}");
}

#[test]
fn data_is_read_strictly() {
    for (text, words) in [
        ("{\"roles\": {}, \"roles\": {}}", "the same key twice"),
        ("{\"roles\": {\"a\": 1, \"\\u0061\": 2}}", "the same key twice"),
        ("[]", "must be one object"),
        ("{", "EOF"),
        ("{\"portcullis\": {}}", "reserved"),
    ] {
        let found = problems(&[("roles.json", text)]);
        let wanted = |one: &String| one.starts_with("roles.json: ") && one.contains(words);
        assert!(found.iter().any(wanted), "{text}: {found:?}");
    }
    let twice = problems(&[("a.json", "{\"x\": 1}"), ("b.json", "{\"x\": 2}")]);
    assert!(twice.iter().any(|text| text.starts_with("b.json: ")), "{twice:?}");
}

#[test]
fn tests_of_a_bundle_must_pass() {
    let rules = admit(&format!("{SPEAKS}input.tool.name == \"x\""));
    let test = |body: &str| {
        let text = format!("package a_test\n\nimport rego.v1\n\n{body}\n");
        problems(&[("a.rego", &rules), ("a_test.rego", &text)])
    };
    let answer = "data.portcullis.admit.answer.verdict == \"deny\" with input as {}";
    assert!(test(&format!("test_a if {answer}")).is_empty());
    assert!(test("todo_test_a if false").is_empty());
    for body in
        ["test_a if false", "test_a := 1", "test_a if lower(1) == \"x\"", "test_a if foo.bar(1)"]
    {
        let found = test(body);
        assert!(found.iter().any(|text| text.starts_with("a_test.rego:5:")), "{body}: {found:?}");
    }
    let found = problems(&[("a.rego", &rules), ("a_test.rego", "package a\n\nx := 1\n")]);
    assert!(found.iter().any(|text| text.contains("ends in `_test`")), "{found:?}");
}

#[test]
fn all_problems_are_reported_at_once() {
    let body = format!("{SPEAKS}http.send({{}})\n\ndenny contains 1\n\nallow contains 2");
    let found =
        problems(&[("a.rego", &admit(&body)), ("b.rego", "package portcullis.x\n\ny := 1\n")]);
    assert!(found.len() >= 3, "{found:#?}");
    let broken = problems(&[("a.rego", "package a\n\nx :="), ("b.rego", "package b\n\ny :=")]);
    assert_eq!(broken.len(), 2, "{broken:#?}");
}
