//! Classes of personal data in many word orders and languages, and what looks like them and is not.

use kit::{Document, Form, Leaf};
use pii::{Config, inspect};

/// The spans of a text that stands in the body of a conversation with Marijke Verhoeven.
fn found(text: &str) -> Vec<String> {
    let leaf = |path: &str, text: &str, form| Leaf {
        path: path.to_owned(),
        text: text.to_owned(),
        form,
        ..Leaf::default()
    };
    let leaves = vec![
        leaf("/source/body", text, Form::Html),
        leaf("/source/author/type", "user", Form::Text),
        leaf("/source/author/id", "66aa", Form::Text),
        leaf("/source/author/name", "Marijke Verhoeven", Form::Text),
        leaf("/source/author/email", "marijke@corp.example", Form::Text),
    ];
    let document = Document { leaves, ..Document::default() };
    let report = inspect(&document, &Config::default());
    let spans = report.findings.iter().filter(|f| f.leaf == 0 && f.confidence >= 50);
    spans.map(|f| format!("{}={}", f.kind, &text[f.bytes()])).collect()
}

/// Every text has its marked spans found, `kind{text}`, and nothing else.
fn check(cases: &[&str]) {
    let mut wrong = Vec::new();
    for case in cases {
        let (mut text, mut spans, mut rest) = (String::new(), Vec::new(), *case);
        while let (Some(open), Some(close)) = (rest.find('\u{27e8}'), rest.find('\u{27e9}')) {
            let head = &rest[..open];
            let cut = head.rfind(' ').map_or(0, |n| n + 1);
            let cut = head.rfind('\u{27e9}').map_or(cut, |n| cut.max(n + 3));
            let word = head[cut..].rfind(|c: char| !c.is_ascii_lowercase() && c != '_');
            let cut = word.map_or(cut, |n| {
                cut + n + head[cut + n..].chars().next().map_or(1, char::len_utf8)
            });
            let value = &rest[open + 3..close];
            text.push_str(&head[..cut]);
            text.push_str(value);
            spans.push(format!("{}={value}", &head[cut..]));
            rest = &rest[close + 3..];
        }
        text.push_str(rest);
        let seen = found(&text);
        if seen != spans {
            wrong.push(format!("{text}\n   wanted {spans:?}\n   found  {seen:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn passwords_in_every_order_and_language() {
    check(&[
        "I typed password⟨Marigold4471!⟩ as my password but it was refused",
        "password⟨copper-walrus58⟩ is the password I set yesterday",
        "We entered password⟨9fTz%wLqNe⟩ when it wanted the password",
        "Ich habe password⟨Regenbogen318⟩ als Passwort genommen",
        "j'ai mis password⟨Tournesol88*⟩ comme mot de passe",
        "puse password⟨Girasol2291⟩ como contraseña",
        "ho usato password⟨Lampone77_x⟩ come password",
        "usei password⟨Abacaxi9053⟩ como senha",
        "ik gebruikte password⟨Tulpen4410⟩ als wachtwoord",
        "jag valde password⟨Blabar7731⟩ som lösenord",
        "(password⟨Marigold4471⟩ is my password)",
        "the contraseña es password⟨Girasol2291⟩ and it fails",
        "my Passwort is password⟨Regenbogen318⟩",
        "la password è password⟨Lampone77⟩, grazie",
        "mijn wachtwoord is password⟨Tulpen4410⟩",
        "moje hasło to password⟨Malina8842⟩",
        "mitt lösenord är password⟨Blabar7731⟩",
        "a senha é password⟨Abacaxi9053⟩",
        "moje heslo je password⟨Jahoda5512⟩",
        "мой пароль password⟨Malina8842⟩",
        "şifrem password⟨Kiraz6634⟩",
        "jelszavam: password⟨Meggy4412⟩",
        "パスワードはpassword⟨Sakura7781!⟩です",
        "我的密码是password⟨Meihua3321⟩。",
        "비밀번호는 password⟨Namu8812⟩ 입니다",
        "parola mea este password⟨Visina3391⟩",
        "moja lozinka je password⟨Tresnja554⟩",
        "passordet er password⟨Tyttebaer41⟩",
        "adgangskode: password⟨Hindbaer92⟩",
        "salasana on password⟨Mustikka61⟩",
        "password: password⟨kettle-orbit-violin⟩",
        "the password is password⟨xKwPtLmz⟩ for now",
        "I changed my password from password⟨Marigold4471⟩ to password⟨Marigold4472⟩",
        "the passcode is password⟨448121⟩",
    ]);
}

#[test]
fn credentials_come_in_pairs() {
    check(&[
        "login username⟨pelikan_77⟩ / password⟨Marigold4471!⟩",
        "user: username⟨pelikan77⟩ pass: password⟨Marigold4471⟩",
        "my login username⟨pelikan77⟩:password⟨Marigold4471*⟩ stopped working",
        "the credentials username⟨pelikan77⟩ and password⟨copper-walrus58⟩ do not work",
        "I log in with username⟨pelikan77⟩, password⟨Marigold4471⟩",
        "Zugangsdaten: username⟨pelikan77⟩ / password⟨Regenbogen318⟩",
        "identifiants username⟨pelikan77⟩ et password⟨Tournesol88*⟩",
        "credenciales: username⟨pelikan77⟩ y password⟨Girasol2291⟩",
        "inloggegevens zijn username⟨pelikan77⟩ en password⟨Tulpen4410⟩",
        "u: username⟨pelikan77⟩ p: password⟨Marigold4471⟩",
        "it says username⟨pelikan.77⟩:password⟨Mari!gold4471⟩ is wrong",
    ]);
}

#[test]
fn talk_about_passwords_is_no_password() {
    check(&[
        "The password reset link is broken",
        "my password is wrong",
        "the password field on iOS17 is empty",
        "I forgot my password and cannot open the order INV-2025-12345",
        "Password reset for ticket T-48213 please",
        "password manager 1Password2 and Chrome120 fill it in",
        "the password must have 8 characters",
        "Das Passwort ist falsch",
        "Le mot de passe est incorrect",
        "is SSO the same as the password login?",
        "login fails with error E1234 on page 3",
        "log in with OAuth2 and SAML2 please",
        "The login page and build-12 are slow",
        "Version 2.3 is the password update",
        "credentials are required / see the docs",
        "sign in on Windows11, Chrome120",
        "z-index:9!important and margin:0",
    ]);
}

#[test]
fn names_in_systems() {
    check(&[
        "on the community I am username⟨pelikan77⟩",
        "my handle is username⟨pelikan_77⟩",
        "my username is username⟨pelikanx⟩",
        "Mein Benutzername ist username⟨pelikan77⟩",
        "mon pseudo est username⟨pelikan_77⟩",
        "signed in as username⟨pelikan77⟩ this morning",
        "ich bin username⟨pelikan77⟩ im Forum",
        "account username⟨pelikan77⟩ was locked",
        "user username⟨pelikan77⟩ cannot see it",
        "my nick is username⟨pelikan.x⟩ there",
        "ユーザー名はusername⟨pelikan77⟩です",
        "I am on iOS17 and the login is broken",
        "the user interface is slow",
        "my handle is broken",
    ]);
}

/// Links by which somebody is reached, and addresses under names of things, wherever they stand.
#[test]
fn addresses_stand_in_links_and_under_names_of_things() {
    for (path, text, wanted) in [
        (
            "$/content/0/resource/uri",
            "mailto:ngozi.adler@hafen.example",
            "ngozi.adler@hafen.example",
        ),
        ("/url", "MAILTO:ngozi.adler@hafen.example?subject=x", "ngozi.adler@hafen.example"),
        ("/x", "mailto:ngozi.adler@hafen.example", "ngozi.adler@hafen.example"),
        ("/contact_uri", "xmpp:ngozi.adler@hafen.example", "ngozi.adler@hafen.example"),
        ("/uri", "tel:+4915123456789", "+4915123456789"),
        ("/href", "tel:+49-151-2345-6789", "+49-151-2345-6789"),
        ("/sender_id", "ngozi.adler@hafen.example", "ngozi.adler@hafen.example"),
        ("/utm_term", "ngozi.adler@hafen.example", "ngozi.adler@hafen.example"),
        ("/app_id", "ws_test01", ""),
        ("/message_id", "<CAF91x@mail.hafen.example>", ""),
    ] {
        let leaf = Leaf { path: path.to_owned(), text: text.to_owned(), ..Leaf::default() };
        let document = Document { leaves: vec![leaf], ..Document::default() };
        let report = inspect(&document, &Config::default());
        let found: String = report.findings.iter().map(|it| &text[it.bytes()]).collect();
        assert_eq!(found, wanted, "{path}: {text}");
    }
}
