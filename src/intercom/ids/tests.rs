//! Every spelling of an id, accepted or refused.

use proptest::prelude::*;

use super::*;

const HEX: &str = "66b0c0de0000000000000a01";
const UUID: &str = "9d3c1c1e-0b1a-4c57-8f5e-1f2a3b4c5d6e";

/// The canonical form, or the fault's first words.
fn form(kind: IdKind, text: &str) -> String {
    canonical(kind, text).map_or_else(|fault| format!("! {fault}"), Cow::into_owned)
}

#[test]
fn accepted() {
    use IdKind::{Any, Article, Company, Contact, Conversation, Number};
    let cases = [
        (Conversation, "215470000000101", "215470000000101"),
        (Conversation, "7", "7"),
        (Conversation, "conversation_215470000000101", "215470000000101"),
        (
            Conversation,
            "https://app.intercom.com/a/inbox/ws_test01/inbox/conversation/215470000000101",
            "215470000000101",
        ),
        (Conversation, "https://app.intercom.com/a/inbox/_/inbox/conversation/12", "12"),
        (Conversation, "https://app.eu.intercom.com/a/inbox/x1/inbox/conversation/12", "12"),
        (Conversation, "https://app.au.intercom.com/a/inbox/x1/inbox/conversation/12", "12"),
        (
            Conversation,
            "https://app.intercom.com/a/inbox/x1/inbox/admin/5001/conversation/12",
            "12",
        ),
        (Conversation, "https://app.intercom.com/a/inbox/x1/inbox/team/77/conversation/12", "12"),
        (Contact, HEX, HEX),
        (Contact, "66B0C0DE0000000000000A01", HEX),
        (Contact, UUID, UUID),
        (Contact, "9D3C1C1E-0B1A-4C57-8F5E-1F2A3B4C5D6E", UUID),
        (Contact, "contact_66b0c0de0000000000000a01", HEX),
        (Contact, "contact_9d3c1c1e-0b1a-4c57-8f5e-1f2a3b4c5d6e", UUID),
        (Contact, "https://app.intercom.com/a/apps/ws_test01/users/66b0c0de0000000000000a01", HEX),
        (
            Contact,
            "https://app.intercom.com/a/apps/ws_test01/users/66b0c0de0000000000000a01/all-conversations",
            HEX,
        ),
        (Company, HEX, HEX),
        (Company, "company_66b0c0de0000000000000a01", HEX),
        (Company, "12345", "12345"),
        (Company, "https://app.eu.intercom.com/a/apps/x/companies/66b0c0de0000000000000a01", HEX),
        (
            Company,
            "https://app.intercom.com/a/apps/ws_test01/companies/66b0c0de0000000000000a01/users",
            HEX,
        ),
        (Article, "9100001", "9100001"),
        (Article, "https://app.intercom.com/a/apps/ws_test01/articles/1", "1"),
        (Number, "5001", "5001"),
        (Number, "0", "0"),
        (Any, "conversation_12", "conversation_12"),
        (Any, "contact_66B0C0DE0000000000000A01", "contact_66b0c0de0000000000000a01"),
        (Any, "company_66b0c0de0000000000000a01", "company_66b0c0de0000000000000a01"),
        (Any, "https://app.intercom.com/a/inbox/_/inbox/conversation/12", "conversation_12"),
        (
            Any,
            "https://app.intercom.com/a/apps/x/users/66b0c0de0000000000000a01",
            "contact_66b0c0de0000000000000a01",
        ),
    ];
    for (kind, text, expected) in cases {
        assert_eq!(form(kind, text), expected, "{kind:?} {text}");
        assert_eq!(form(kind, expected), expected, "idempotent: {text}");
    }
}

#[test]
fn refused() {
    use Fault::{Bare, Decorated, Host, LeadingZero, OtherKind, Path, Shape};
    use IdKind::{Any, Article, Company, Contact, Conversation, Number};
    let link = "/a/inbox/_/inbox/conversation/12";
    let at = |host: &str| format!("https://{host}{link}");
    let after = |tail: &str| format!("https://app.intercom.com{link}{tail}");
    let cases = [
        // Shapes.
        (Conversation, String::new(), Shape),
        (Conversation, " 12".into(), Shape),
        (Conversation, "12 ".into(), Shape),
        (Conversation, "12\n".into(), Shape),
        (Conversation, "12\u{0}".into(), Shape),
        (Conversation, "+12".into(), Shape),
        (Conversation, "-12".into(), Shape),
        (Conversation, "1e3".into(), Shape),
        (Conversation, "12.0".into(), Shape),
        (Conversation, "0x12".into(), Shape),
        (Conversation, "012".into(), LeadingZero),
        (Conversation, "conversation_012".into(), LeadingZero),
        (Conversation, "00".into(), LeadingZero),
        (Conversation, "12345678901234567890".into(), Shape),
        (Conversation, "\u{661}\u{662}".into(), Shape),
        (Conversation, "\u{ff11}\u{ff12}".into(), Shape),
        (Conversation, "1\u{200b}2".into(), Shape),
        (Conversation, "conversation_".into(), Shape),
        (Conversation, "Conversation_12".into(), Shape),
        (Conversation, "conversation_conversation_12".into(), Shape),
        (Conversation, "conversation-12".into(), Shape),
        (Conversation, "conversation_12/".into(), Shape),
        (Conversation, "conversation:12".into(), Shape),
        (Conversation, "conversation_12,13".into(), Shape),
        (Conversation, format!("contact_{HEX}"), OtherKind),
        (Contact, "conversation_12".into(), OtherKind),
        (Contact, "12".into(), Shape),
        (Contact, HEX[1..].into(), Shape),
        (Contact, format!("{HEX}0"), Shape),
        (Contact, HEX.replace('b', "g"), Shape),
        (Contact, UUID.replace('-', "_"), Shape),
        (Contact, "9d3c1c1e0-b1a-4c57-8f5e-1f2a3b4c5d6e".into(), Shape),
        (Company, format!("contact_{HEX}"), OtherKind),
        (Company, "acme".into(), Shape),
        (Article, "9100001-refund-policy".into(), Shape),
        (Article, "article_1".into(), Shape),
        (Article, "https://help.example/en/articles/9100001-refund-policy".into(), Host),
        (Number, "007".into(), LeadingZero),
        (Number, "777.0".into(), Shape),
        (Number, "7.77e2".into(), Shape),
        (Number, "-1".into(), Shape),
        (Any, "12".into(), Bare),
        (Any, HEX.into(), Bare),
        (Any, "https://app.intercom.com/a/apps/x/articles/1".into(), OtherKind),
        // Hosts and schemes.
        (Conversation, at("app.intercom.com.evil.example"), Host),
        (Conversation, at("evil.example"), Host),
        (Conversation, at("app-intercom.com"), Host),
        (Conversation, at("xapp.intercom.com"), Host),
        (Conversation, at("app.intercom.com."), Host),
        (Conversation, at("APP.intercom.com"), Host),
        (Conversation, at("app.interc\u{43e}m.com"), Host),
        (Conversation, at("app.us.intercom.com"), Host),
        (Conversation, at("intercom.com"), Host),
        (Conversation, at("app.intercom.com:443"), Host),
        (Conversation, at("app.intercom.com:8443"), Host),
        (Conversation, at("app.intercom.com@evil.example"), Host),
        (Conversation, at("user@app.intercom.com"), Host),
        (Conversation, at("user:pass@app.intercom.com"), Host),
        (Conversation, at("app.intercom.com\\.evil.example"), Host),
        (Conversation, at("app%2eintercom.com"), Host),
        (Conversation, at(""), Host),
        (Conversation, format!("http://app.intercom.com{link}"), Host),
        (Conversation, format!("HTTPS://app.intercom.com{link}"), Shape),
        (Conversation, format!("javascript://app.intercom.com{link}"), Shape),
        (Conversation, format!("https:/app.intercom.com{link}"), Host),
        (Conversation, format!("https:app.intercom.com{link}"), Host),
        (Conversation, format!("//app.intercom.com{link}"), Shape),
        (Conversation, format!(" https://app.intercom.com{link}"), Shape),
        // Decorations and paths.
        (Conversation, after("?x=1"), Decorated),
        (Conversation, after("?conversation/13"), Decorated),
        (Conversation, after("#part_id=comment-1"), Decorated),
        (Conversation, after("%00"), Decorated),
        (Conversation, after("%2f13"), Decorated),
        (Conversation, after(";13"), Decorated),
        (Conversation, after(" "), Decorated),
        (Conversation, after("\u{661}"), Decorated),
        (Conversation, after("/../13"), Decorated),
        (Conversation, after("/"), Path),
        (Conversation, after("//13"), Path),
        (Conversation, after("/13"), Path),
        (Conversation, after("/conversation/13"), Path),
        (Conversation, after("/1/2/3/4/5/6/7/8"), Path),
        (Conversation, after("x"), Shape),
        (Conversation, "https://app.intercom.com".into(), Path),
        (Conversation, "https://app.intercom.com/a/inbox/_/inbox/conversation/".into(), Path),
        (Conversation, "https://app.intercom.com/a/inbox//inbox/conversation/12".into(), Path),
        (
            Conversation,
            "https://app.intercom.com/a/inbox/_/inbox/admin/x/conversation/12".into(),
            Path,
        ),
        (Conversation, "https://app.intercom.com/a/inbox/_/inbox/team/77".into(), Path),
        (
            Conversation,
            "https://app.intercom.com/a/inbox/_/inbox/conversation/012".into(),
            LeadingZero,
        ),
        (Conversation, "https://app.intercom.com/a/apps/x/users/12".into(), OtherKind),
        (Contact, "https://app.intercom.com/a/apps/x/users/12".into(), Shape),
    ];
    for (kind, text, fault) in cases {
        assert_eq!(canonical(kind, &text), Err(fault), "{kind:?} {text:?}");
    }
}

fn field(name: &str, kind: IdKind, form: IdForm, each: bool) -> IdField {
    IdField { field: name.into(), kind, form, each }
}

fn arguments(text: &str) -> Object {
    Object::parse(&JsonText::from_valid(Bytes::from(text.to_owned()))).unwrap()
}

#[test]
fn only_ids_are_written_anew() {
    let fields = [
        field("id", IdKind::Conversation, IdForm::String, false),
        field("ids", IdKind::Conversation, IdForm::String, true),
        field("author_id", IdKind::Number, IdForm::Number, false),
    ];
    let cases = [
        (
            r#"{"a":1.50,"id":"conversation_12","z":"\u0041"}"#,
            r#"{"a":1.50,"id":"12","z":"\u0041"}"#,
        ),
        (r#"{"id":12}"#, r#"{"id":"12"}"#),
        (r#"{"id":"1\u0032"}"#, r#"{"id":"12"}"#),
        (r#"{"ids":[ "conversation_1", 2,"3" ]}"#, r#"{"ids":["1","2","3"]}"#),
        (r#"{"ids":[]}"#, r#"{"ids":[]}"#),
        (r#"{"author_id":"5001"}"#, r#"{"author_id":5001}"#),
        (r#"{"author_id":5001,"b":[1, 2]}"#, r#"{"author_id":5001,"b":[1, 2]}"#),
        // Left for the schema to refuse.
        (r#"{"id":null,"ids":"1","author_id":true}"#, r#"{"id":null,"ids":"1","author_id":true}"#),
        (r#"{"ids":[null,["1"]]}"#, r#"{"ids":[null,["1"]]}"#),
    ];
    for (before, after) in cases {
        let normal = normalise(arguments(before), &fields).unwrap();
        assert_eq!(normal.to_text().as_str(), after);
    }
}

#[test]
fn refusals_name_the_argument_and_never_its_value() {
    let fields = [
        field("ids", IdKind::Contact, IdForm::String, true),
        field("id", IdKind::Number, IdForm::Number, false),
    ];
    let cases = [
        (
            r#"{"ids":["66b0c0de0000000000000a01","jane@example.com"]}"#,
            "`ids[1]` is not such an id",
        ),
        (r#"{"id":1e3}"#, "`id` is not such an id; write digits alone"),
        (r#"{"id":9007199254740993}"#, "`id` is not such an id"),
        (r#"{"id":"https://secret.example/1"}"#, "`id` is not such an id"),
    ];
    for (text, start) in cases {
        let refused = normalise(arguments(text), &fields).unwrap_err().to_string();
        assert!(refused.starts_with(start), "{refused}");
        assert!(!refused.contains("jane") && !refused.contains("secret"), "{refused}");
    }
}

proptest! {
    #[test]
    fn a_canonical_id_is_its_own_canonical_form(
        kind in prop_oneof![
            Just(IdKind::Conversation), Just(IdKind::Contact), Just(IdKind::Company),
            Just(IdKind::Article), Just(IdKind::Any), Just(IdKind::Number),
        ],
        text in prop_oneof![
            "[0-9]{1,20}",
            "(conversation_|contact_|company_)?[0-9a-fA-F]{1,25}",
            "https://app\\.(eu\\.)?intercom\\.com/a/inbox/[a-z_]{1,4}/inbox/conversation/[0-9]{1,6}",
            "https://app\\.intercom\\.com/a/apps/x/(users|companies|articles)/[0-9a-f]{24}",
            "\\PC{0,40}",
        ],
    ) {
        if let Ok(once) = canonical(kind, &text) {
            prop_assert_eq!(canonical(kind, &once), Ok(once.clone()));
            prop_assert!(once.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'));
        }
    }

    #[test]
    fn normalising_twice_changes_nothing_more(ids in proptest::collection::vec("(conversation_)?[1-9][0-9]{0,14}", 0..5)) {
        let fields = [field("ids", IdKind::Conversation, IdForm::String, true)];
        let text = format!("{{\"x\": 1, \"ids\": {}}}", serde_json::to_string(&ids).unwrap());
        let once = normalise(arguments(&text), &fields).unwrap().to_text();
        let twice = normalise(arguments(once.as_str()), &fields).unwrap().to_text();
        prop_assert_eq!(once, twice);
    }
}
