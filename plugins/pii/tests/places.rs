//! What a value is by where it stands: names of records however they are spelled, parts that others
//! wrote, names of things that hold people's, cursors.

use kit::{Document, Form, Leaf, Party};
use pii::{Config, inspect};

/// A payload as its leaves: `path: text`, a line each. What a teammate wrote begins with `!`; a key is
/// written `path:: text`.
fn document(lines: &str) -> Document {
    let leaf = |line: &str| {
        let (party, line) = match line.strip_prefix('!') {
            Some(rest) => (Party::Teammate, rest),
            None => (Party::Unknown, line),
        };
        let (path, text) = line.split_once(':').unwrap_or((line, ""));
        let (form, text) = match text.strip_prefix(':') {
            Some(text) => (Form::Key, text),
            None => (Form::Text, text),
        };
        Leaf { path: path.into(), text: text.trim().into(), form, party, ..Leaf::default() }
    };
    let lines = lines.lines().map(str::trim).filter(|line| !line.is_empty());
    Document { leaves: lines.map(leaf).collect(), ..Document::default() }
}

/// What must not be shown, as `kind=text`, of the leaves whose path ends in one of `of`.
fn hidden(lines: &str, of: &str) -> Vec<String> {
    let document = document(lines);
    let report = inspect(&document, &Config::default());
    let spans = report.findings.iter().filter(|f| f.confidence >= 50 && f.party != Party::Teammate);
    let spans = spans.filter_map(|f| Some((document.leaves.get(f.leaf as usize)?, f)));
    let spans = spans.filter(|(leaf, _)| leaf.path.ends_with(of));
    spans.map(|(leaf, f)| format!("{}={}", f.kind, &leaf.text[f.bytes()])).collect()
}

#[test]
fn a_record_is_called_what_it_says() {
    for name in [
        "Jane doe",
        "jane Doe",
        "Jane Doe (Acme)",
        "Jane Doe 2",
        "José “Pepe” García",
        "Jane\u{a0}Doe",
        "Maria Sá",
        "Kris Co",
        "प्रिया शर्मा",
        "น้ำฝน",
        "Jane \u{1f600}",
        "Jane Mary Ann Louise de la Cruz Smith",
    ] {
        let contact = format!("/type: contact\n/id: 66b0\n/name: {name}\n/email: jd77@x.example");
        assert_eq!(hidden(&contact, "/name"), [format!("person={name}")]);
    }
    for name in ["Acme Ltd", "Fjord Trading AB"] {
        let contact = format!("/type: contact\n/id: 66b0\n/name: {name}");
        assert!(hidden(&contact, "/name").is_empty(), "{name}");
    }
}

#[test]
fn whom_a_teammate_wrote_to_is_hidden() {
    let part = "
        !/parts/0/author/type: admin
        !/parts/0/author/id: 7
        !/parts/0/author/name: Ben Agent
        !/parts/0/author/email: ben@corp.example
        !/parts/0/headers/0/type: to
        !/parts/0/headers/0/email_address: carla.x@home.example
        !/parts/0/headers/0/name: Carla Xu
        !/parts/0/headers/1/type: from
        !/parts/0/headers/1/email_address: ben@corp.example
        !/parts/0/headers/1/name: Ben Agent
        !/parts/0/details/participant/type: user
        !/parts/0/details/participant/id: 66b0
        !/parts/0/details/participant/name: Dana Ruiz";
    assert_eq!(hidden(part, "/headers/0/email_address"), ["email=carla.x@home.example"]);
    assert_eq!(hidden(part, "/headers/0/name"), ["person=Carla Xu"]);
    assert_eq!(hidden(part, "/participant/name"), ["person=Dana Ruiz"]);
    for own in ["/author/name", "/author/email", "/headers/1/email_address", "/headers/1/name"] {
        assert!(hidden(part, own).is_empty(), "{own}");
    }
}

#[test]
fn of_two_who_are_called_alike_the_customer_is_hidden() {
    for (first, second) in [("admin", "user"), ("user", "admin")] {
        let name = |kind: &str| if kind == "admin" { "Jane Smith" } else { "Jane Doe" };
        let talk = format!(
            "/source/author/type: {first}\n/source/author/id: 1\n/source/author/name: {}
            /part/author/type: {second}\n/part/author/id: 2\n/part/author/name: {}
            /last/body: Hi Jane, we are on it",
            name(first),
            name(second)
        );
        assert_eq!(hidden(&talk, "/body"), ["person=Jane"], "{first}");
    }
}

#[test]
fn what_a_record_has_is_known_elsewhere() {
    let contact = "/c/type: contact\n/c/id: 66b0\n";
    for (has, body, expected) in [
        (
            "/c/email: info@doe-consulting.example",
            "or info@doe-consulting.example",
            &["email=info@doe-consulting.example"][..],
        ),
        ("/c/phone: ٠٥٠١٢٣٤٥٦٧", "رقمي ٠٥٠١٢٣٤٥٦٧ شكرا", &["phone=٠٥٠١٢٣٤٥٦٧"]),
        ("/c/name: 山田 太郎", "山田様、山田太郎です。", &["person=山田", "person=山田太郎"]),
        ("/c/name: สมชาย ใจดี", "ผมชื่อสมชายใจดีครับ", &["person=สมชายใจดี"]),
        (
            "/c/name: Jana Nováková",
            "s paní Novákovou, Novákové",
            &["person=Novákovou", "person=Novákové"],
        ),
        ("/c/name: Anna Kowalska", "dla pani Kowalskiej", &["person=Kowalskiej"]),
        ("/c/name: Олег Мельниченко", "передайте Мельниченку", &["person=Мельниченку"]),
        ("/c/name: Jane Doe", "the office info@corp.example", &[]),
        // The other half of a name that is a word as well, or that nobody is known by.
        ("/c/name: Tiina Järvi", "I removed Sari Järvi from it", &["person=Sari Järvi"]),
        ("/c/name: Carolyn Mills", "i think carolyn woods changed it", &["person=carolyn woods"]),
        (
            "/c/name: Jane Doe",
            "Ask Jane Brown, or Jane about it",
            &["person=Jane Brown", "person=Jane"],
        ),
    ] {
        let lines = format!("{contact}{has}\n/part/body: {body}");
        assert_eq!(hidden(&lines, "/body"), expected, "{has}");
    }
}

#[test]
fn names_of_things_hide_whole_names_and_addresses_only() {
    let contact = "/c/type: contact\n/c/id: 66b0\n/c/name: Jane Doe\n/c/email: jane@doe.example\n";
    for (kind, name, expected) in [
        ("company", "jane.doe@home.example", &["email=jane.doe@home.example"][..]),
        ("company", "Jane Doe", &["person=Jane Doe"]),
        ("tag", "Refund Jane Doe", &["person=Jane Doe"]),
        ("company", "Jane Street", &[]),
        ("company", "Doe & Sons 4111 1111 1111 1111 Ltd", &[]),
        ("team", "Jane Doe", &[]),
    ] {
        let lines = format!("{contact}/x/type: {kind}\n/x/name: {name}");
        assert_eq!(hidden(&lines, "/x/name"), expected, "{name}");
    }
    let lines = format!("{contact}/c/custom_attributes/approvals/Jane Doe:: Jane Doe");
    assert_eq!(hidden(&lines, "/Jane Doe"), ["person=Jane Doe"]);
    let lines = format!("{contact}/c/custom_attributes/last_contact:: last_contact");
    assert!(hidden(&lines, "/last_contact").is_empty());
}

#[test]
fn links_are_intercoms_own_only_without_a_query() {
    for (link, expected) in [
        ("/signup?email=jane@acme.example", &["email=jane@acme.example"][..]),
        ("https://notintercom.com/u/jane@doe.example", &["email=jane@doe.example"]),
        ("https://app.intercom.com/a/apps/x/users/66b0c0de0000000000000a01", &[]),
        ("/a/apps/x/users/66b0c0de0000000000000a01", &[]),
    ] {
        assert_eq!(hidden(&format!("/url: {link}"), "/url"), expected, "{link}");
    }
}

/// A page is turned with what stands here; an address in it is found all the same.
#[test]
fn cursors_are_no_secrets() {
    for (value, expected) in [
        ("WzE3NTQxNjc1MjcsIjIxNTQ3MDAwMDAwMDEwMSJd", &[][..]),
        ("WzE2NzA0MjI1MjkwMDAsMjQzMTY3NzA2ODcsMl0=", &[]),
        ("eyJhZnRlciI6MTc1NDE2NzUyNywiaWQiOiIyMTU0NyJ9", &[]),
        (
            "WyJqYW5lLmRvZUBhY21lLmV4YW1wbGUiLDE3NTQxXQ",
            &["email=WyJqYW5lLmRvZUBhY21lLmV4YW1wbGUiLDE3NTQxXQ"],
        ),
        ("Zq8Xv3LmT0bW7yKd2NcR5hJp9GsF4uEa", &["secret=Zq8Xv3LmT0bW7yKd2NcR5hJp9GsF4uEa"]),
    ] {
        let next = format!("/pages/next/starting_after: {value}");
        assert_eq!(hidden(&next, "/starting_after"), expected);
        let note = format!("/_note: call this tool again with starting_after: {value}");
        assert_eq!(hidden(&note, "/_note").len(), expected.len(), "{value}");
    }
}

#[test]
fn days_of_birth_may_be_numbers() {
    let number = |key: &str, text: &str| {
        let leaf = |form| Leaf {
            path: format!("/custom_attributes/{key}"),
            text: text.into(),
            form,
            ..Leaf::default()
        };
        let document = Document { leaves: vec![leaf(Form::Number)], ..Document::default() };
        let report = inspect(&document, &Config::default());
        report.findings.iter().any(|f| f.kind == "birth_date" && f.confidence >= 50)
    };
    assert!(
        number("birth_date", "479001600")
            && number("date_of_birth", "-86400000")
            && number("birthday", "19850412")
    );
    assert!(!number("created_on", "479001600") && !number("birthday_count", "19850412"));
}
