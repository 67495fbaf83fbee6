//! No text makes the plugin panic, and every finding lies in its leaf and between characters.

use kit::{Document, Form, Leaf, Phase, Plugin};
use proptest::prelude::*;
use secrets::{Config, Secrets, look};

/// Pieces that wake the scanners, put together at random.
fn piece() -> impl Strategy<Value = String> {
    let wakes = [
        "password",
        "Passwort: ",
        "密码是",
        "パスワードは",
        "token=",
        "api key ",
        "://",
        "?sig=",
        "&token=",
        "@",
        ":",
        "=",
        "sk_live_",
        "AKIA",
        "eyJ",
        "SG.",
        "-----BEGIN RSA PRIVATE KEY-----",
        "-----END",
        "PuTTY-User-Key-File-",
        "Private-MAC:",
        "Cookie: a=",
        "curl -u ",
        "Authorization: Basic ",
        "dG9r",
        "00D",
        "!",
        "\u{200b}",
        "&#95;",
        "%5F",
        "\\u005f",
        "<b>",
        "</p>",
        "is ",
        "[[",
        "]]",
        "passphrase: ",
        "TU",
        ".",
        "\n",
        "«",
        "é",
        "𝒜",
    ];
    prop_oneof![
        3 => proptest::sample::select(wakes.to_vec()).prop_map(str::to_owned),
        2 => "[A-Za-z0-9_+/=.-]{1,40}",
        1 => "\\PC{0,12}",
        1 => " {1,2}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]
    #[test]
    fn findings_are_spans_of_their_leaf(pieces in proptest::collection::vec(piece(), 0..24), path in "(/[a-zA-Z_ß]{0,12}){0,3}", html in any::<bool>()) {
        let text = pieces.concat();
        let form = if html { Form::Html } else { Form::Text };
        let leaf = Leaf { path, text: text.clone(), form, ..Leaf::default() };
        let document = Document { phase: Phase::Call, leaves: vec![leaf], ..Document::default() };
        let report = look(&document, &Config::default());
        let kinds = Secrets::describe().kinds;
        for finding in &report.findings {
            prop_assert_eq!(finding.leaf, 0);
            prop_assert!(finding.start < finding.end);
            prop_assert!(text.get(finding.bytes()).is_some());
            prop_assert!(finding.confidence <= 100);
            prop_assert!(kinds.contains(&finding.kind));
        }
        prop_assert_eq!(look(&document, &Config::default()), report);
    }
}

#[test]
fn a_configuration_that_does_not_fit_is_an_error() {
    for wrong in ["{", "[]", "{\"unknown\":1}", "{\"least\":\"x\"}", "{\"prefixes\":[{}]}"] {
        assert!(Config::parse(wrong).is_err(), "{wrong}");
    }
    assert_eq!(Config::parse(" ").unwrap(), Config::default());
}

#[test]
fn the_operator_may_add_prefixes_and_take_out_values() {
    let text = "acme_0123456789abcdef0 and sk_live_Q6i3dEHZil2lobbXKhFPbXm5";
    let leaf = Leaf { text: text.to_owned(), ..Leaf::default() };
    let document = Document { leaves: vec![leaf], ..Document::default() };
    let config = Config::parse(
        r#"{"prefixes":[{"prefix":"acme_"}],"allow":["sk_live_Q6i3dEHZil2lobbXKhFPbXm5"]}"#,
    )
    .unwrap();
    let found: Vec<_> = look(&document, &config)
        .findings
        .iter()
        .map(|f| (text[f.bytes()].to_owned(), f.reason))
        .collect();
    assert_eq!(found, [("acme_0123456789abcdef0".to_owned(), "own_prefix")]);
}

#[test]
fn a_secret_is_found_again_where_nothing_announces_it() {
    let leaf = |text: &str| Leaf { text: text.to_owned(), ..Leaf::default() };
    let leaves = vec![leaf("password Thunder507? rejected"), leaf("I typed Thunder507? twice")];
    let report = look(&Document { leaves, ..Document::default() }, &Config::default());
    assert_eq!(
        report.findings.iter().map(|f| (f.leaf, f.reason)).collect::<Vec<_>>(),
        [(0, "cue"), (1, "repeated")]
    );
    assert_eq!(report.labels, ["secrets"]);
}
