//! Cases, one a line: what is found in a text, and what is not.

use kit::{Document, Entry, Form, Leaf};
use pii::{Config, inspect};

/// The spans of a text that stands in the body of a conversation with Jane Doe, as `kind=text`.
fn found(text: &str) -> Vec<String> {
    found_in("/source/body", text)
}

fn found_in(path: &str, text: &str) -> Vec<String> {
    let mut leaves = vec![Leaf {
        path: path.to_owned(),
        text: text.to_owned(),
        form: Form::Html,
        ..Leaf::default()
    }];
    let fields = [
        ("type", "user"),
        ("id", "66aa"),
        ("name", "Jane Doe"),
        ("email", "jane@corp.example"),
        ("phone", "+353 86 123 4567"),
    ];
    for (key, value) in fields {
        leaves.push(Leaf {
            path: format!("/source/author/{key}"),
            text: value.to_owned(),
            ..Leaf::default()
        });
    }
    let document = Document { leaves, ..Document::default() };
    let report = inspect(&document, &Config::default());
    let spans = report.findings.iter().filter(|f| f.leaf == 0 && f.confidence >= 50);
    spans.map(|f| format!("{}={}", f.kind, &text[f.bytes()])).collect()
}

#[test]
fn values_are_found_in_every_spelling() {
    let cases = [
        ("mail kim.lee@corp.example now", "email=kim.lee@corp.example"),
        ("mail kim.lee&#64;corp&#46;example", "email=kim.lee&#64;corp&#46;example"),
        ("kim.lee<wbr>@corp.example", "email=kim.lee<wbr>@corp.example"),
        ("https://a.example/x?e=kim.lee%2540corp.example&y=1", "email=kim.lee%2540corp.example"),
        ("kim dot lee at corp dot example", "email=kim dot lee at corp dot example"),
        ("kim.lee [at] corp.example", "email=kim.lee [at] corp.example"),
        ("x kim.lee\\u0040corp.example", "email=kim.lee\\u0040corp.example"),
        ("blob a2ltLmxlZUBjb3JwLmV4YW1wbGU end", "email=a2ltLmxlZUBjb3JwLmV4YW1wbGU"),
        ("call 086-123-4567 please", "phone=086-123-4567"),
        ("call +44 20 7946 0958 ext. 12", "phone=+44 20 7946 0958 ext. 12"),
        (
            "tel five five five two zero one four three",
            "phone=five five five two zero one four three",
        ),
        ("card 4111 1111 1111 1111 ok", "card=4111 1111 1111 1111"),
        ("pay to DE89 3704 0044 0532 0130 00", "iban=DE89 3704 0044 0532 0130 00"),
        ("my SSN is 123-45-6789", "national_id=123-45-6789"),
        ("passport no. C01X00T47 expired", "passport=C01X00T47"),
        ("born on 12.3.1990", "birth_date=12.3.1990"),
        ("my password is Kestrel77!", "password=Kestrel77!"),
        ("key sk_live_4eC39HqLyjWDarjtT1zdp7dc leaked", "secret=sk_live_4eC39HqLyjWDarjtT1zdp7dc"),
        ("login from 93.184.216.34 today", "ip=93.184.216.34"),
        ("we live at 12 Rose Lane, Bath BA1 2AB", "address=12 Rose Lane, Bath BA1 2AB"),
        (
            "Lieferung an Hauptstra\u{df}e 5, 10115 Berlin",
            "address=Hauptstra\u{df}e 5, 10115 Berlin",
        ),
        ("<p>Thanks, Doe, Jane</p>", "person=Doe, Jane"),
        ("ask J. Doe about it", "person=J. Doe"),
        ("file CV_jane_doe.pdf", "person=jane_doe"),
    ];
    for (text, span) in cases {
        assert_eq!(found(text), [span], "{text}");
    }
}

#[test]
fn what_is_nobodys_stays() {
    let cases = [
        "order 8035318105 is late",
        "see INV-2025-12345 for $1,234.56",
        "agent 6.16.65.46 and build 12345678",
        "on 2025-03-01T10:20:30Z we saw 0x80041234",
        "Will it ship before June?",
        "Mark all as done",
        "conversation 215489606403884",
        "trace 702f77ee-5a93-44c9-96af-bc056743b2c7",
        "Screenshot 2025-03-16 at 10.23.57.png",
        "already masked [[email:7f3a9c]] and [[person:7f3a9c/first]]",
        "https://app.intercom.com/a/inbox/ecahpwf5/inbox/conversation/215489606403884",
        "ISBN 978-0-696-68504-8, EAN 5087431535428",
    ];
    for text in cases {
        assert_eq!(found(text), [""; 0], "{text}");
    }
}

#[test]
fn attributes_need_a_name_and_a_value_that_fit() {
    let cases = [
        ("handynummer", "0171 2345678", "phone"),
        ("secondaryEmail", "kim@corp.example", "email"),
        ("t\u{e9}l\u{e9}phone", "01 23 45 67 89", "phone"),
        ("Geburtsdatum", "1990-03-12", "birth_date"),
        ("apellidos", "Garc\u{ed}a L\u{f3}pez", "person"),
        ("lieferadresse", "Hauptstr. 5, 10115 Berlin", "address"),
        ("emergency_contact", "Kim Lee", "person"),
        ("signup_ip", "93.184.216.34", "ip"),
        ("github_username", "kimlee-dev", "username"),
    ];
    for (key, value, kind) in cases {
        assert_eq!(
            found_in(&format!("/custom_attributes/{key}"), value),
            [format!("{kind}={value}")],
            "{key}"
        );
    }
    let others = [
        ("phone_model", "iPhone 14"),
        ("email_opt_in", "weekly"),
        ("host_name", "web-01"),
        ("iban_country", "DE"),
        ("plan_name", "Growth Plus"),
        ("address_verified", "true"),
        ("app_version", "1.2.3.4"),
        ("last_order_id", "8035318105"),
        ("ip_version", "IPv4"),
        ("name_format", "First Last"),
    ];
    for (key, value) in others {
        assert_eq!(found_in(&format!("/custom_attributes/{key}"), value), [""; 0], "{key}");
    }
}

#[test]
fn earlier_answers_are_known_and_a_person_has_one_subject() {
    let text = "Kim will call; klee@corp.example is fine. Regards to K. Lee";
    let entry = |kind: &str, value: &str| Entry {
        kind: kind.to_owned(),
        value: value.to_owned(),
        subject: Some("contact:77bb".to_owned()),
    };
    let leaf = Leaf { path: "/body".to_owned(), text: text.to_owned(), ..Leaf::default() };
    let document = Document {
        leaves: vec![leaf],
        dictionary: vec![entry("person", "Kim Lee"), entry("email", "klee@corp.example")],
        ..Document::default()
    };
    let report = inspect(&document, &Config::default());
    let spans: Vec<_> =
        report.findings.iter().map(|f| (&text[f.bytes()], f.subject.as_deref(), f.part)).collect();
    let subject = Some("contact:77bb");
    assert_eq!(
        spans,
        [
            ("Kim", subject, Some("first")),
            ("klee@corp.example", subject, None),
            ("K. Lee", subject, Some("last"))
        ]
    );
}
