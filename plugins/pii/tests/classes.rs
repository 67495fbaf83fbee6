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

#[test]
fn telephones_without_their_word() {
    check(&[
        "Is phone⟨2025550143⟩ still right?",
        "Is phone⟨611 23 45 67⟩ still correct?",
        "Ist phone⟨030 12345678⟩ noch richtig?",
        "you have phone⟨611.234.567⟩ on file",
        "phone⟨601-12-34-56⟩ please",
        "Vous pouvez joindre person⟨Olivia⟩ au phone⟨01512 3456789⟩",
        "my number: phone⟨2 0 2 5 5 5 0 1 4 3⟩",
        "you may reach me under phone⟨611234567⟩ all day",
        "WhatsApp phone⟨11 91234-5678⟩",
        "puedes llamarme al phone⟨611 23 45 67⟩",
        "mi puoi chiamare al phone⟨347 1234567⟩",
        "ring me, phone⟨07700 900123⟩",
        "text phone⟨98765 43210⟩ when done",
        "je bent bereikbaar op phone⟨06 12345678⟩?",
        "my number is phone⟨2025550143⟩",
        "携帯 phone⟨２１ ２６３ ５４９０⟩",
        "nås på phone⟨070-123 45 67⟩",
    ]);
}

#[test]
fn numbers_that_are_no_telephones() {
    check(&[
        "Is order 2025550143 still open?",
        "Is invoice 611 234 567 still right?",
        "ticket 611.234.567 is done",
        "it took 12 34 56 78 tries",
        "we have 611 234 567 rows",
        "revenue was 611.234.567 EUR last year",
        "SKU 611-23-45-67",
        "version 601.12.34",
        "the id is 2025550143",
        "1 2 3 4 5 6 7 8 9 are the steps",
        "serial 2 0 2 5 5 5 0 1 4 3",
        "tracking 98765 43210",
        "sizes 10 12 14 16 18 are gone",
        "Is 4500 still right?",
    ]);
}

#[test]
fn addresses_in_signatures() {
    check(&[
        "<p>Acme BV<br>address⟨avenue Foch⟩<br>address⟨75116 Paris⟩</p>",
        "<p>Acme Trading Ltd<br>address⟨112, Lotus⟩<br>address⟨110001 Delhi⟩</p>",
        "<p>Acme Inc<br>address⟨Milltown, NE 68102⟩</p>",
        "<p>Ромашка<br>address⟨ул. Лермонтова, д. 14⟩<br>address⟨614000 г. Пермь⟩</p>",
        "<p>Acme Inc<br>address⟨4120 rang Beausoleil⟩<br>address⟨Laval, QC G0R 1B0⟩</p>",
        "we are at address⟨81 Hollow Cul-de-sac, Kyletown, TAS 2920⟩",
        "<p>Nordwind GmbH<br>address⟨Am Alten Hafen⟩<br>address⟨20457 Hamburg⟩</p>",
        "<p>Step one<br>12345 Rows were read</p>",
    ]);
}

#[test]
fn names_where_a_person_is_likely() {
    check(&[
        "please ask person⟨Katarzyna⟩ in finance",
        "talk to person⟨Sara⟩ in finance",
        "person⟨Katarzyna⟩ and person⟨Ariel⟩ both saw it",
        "person⟨Jordan⟩ to approve the refund",
        "phone⟨+351 912 323 869⟩ (person⟨Santiago⟩)",
        "ask person⟨miroslava⟩, person⟨miroslava⟩ knows",
        "ask person⟨kaldorin⟩, person⟨kaldorin⟩ knows",
        "ask support, support knows",
        "It was person⟨Marijke⟩, not person⟨Verhoeven⟩.",
        "Mark to read does nothing",
        "Chrome and Safari both fail",
        "we talk to Stripe and Slack",
        "ask jira, jira knows",
        "Export to approve the list",
    ]);
}

#[test]
fn accounts_machines_and_plates() {
    check(&[
        "iban iban⟨de89370400440532013000⟩ ok",
        "pay iban⟨DE89-3704-0044-0532-0130-00⟩",
        "iban⟨DE 89 3704 0044 0532 0130 00⟩",
        "iban⟨de89 370400440532 013000⟩",
        "Konto: iban⟨GB29 NWBK 6016 1331 9268 19⟩",
        "a login attempt came from ip⟨5.12.7.93⟩ today",
        "traffic from ip⟨2001:db8:85a3::8a2e:370:7334⟩ today",
        "ip⟨fe80::1ff:fe23:4567:890a⟩ pinged us",
        "number plate vehicle⟨AB-123-CD⟩ was seen",
        "Mein Kennzeichen ist vehicle⟨B-MW 1234⟩",
        "moje auto ma tablice vehicle⟨WA 12345⟩",
        "people came in from ip⟨5.112.7.193⟩ again",
        "upgrade from 5.12.7.193 to 5.12.8.1",
        "upgrade from 5.12.7.93 to 5.12.8.1",
        "version 5.12.7.93 is out",
    ]);
}

#[test]
fn addresses_of_more_countries_and_accounts_that_were_copied_wrong() {
    check(&[
        "We will deliver to address⟨Calle Coral Pagès 95, 47910 Vizcaya⟩.",
        "Deliver to address⟨plac Chopina 58/70, 00-950 Warszawa⟩",
        "Send it to address⟨Kossuth lajos utca 12., 1051 Budapest⟩",
        "IBAN for the payout: iban⟨GB17 LOTD 7370 5980 9301 2⟩.",
        "IBAN: iban⟨DE89 3704 0044 0532 0131 00⟩ BIC",
        "the part AB12 CDEF 1234 5678 9012 is sold out",
    ]);
}

#[test]
fn whoever_a_day_of_birth_in_brackets_tells_of() {
    check(&[
        "Checked ID of person⟨Francisco Alvarado⟩ (birth_date⟨12.5.1990⟩).",
        "Checked ID of person⟨Arlento Hollin-Pace⟩ (birth_date⟨1990-05-12⟩).",
        "Checked person⟨Tomas Vega⟩ (birth_date⟨12.5.1990⟩).",
    ]);
}

#[test]
fn names_where_no_blank_is_around_them() {
    check(&[
        "私の名前はperson⟨佐藤健一⟩です",
        "제 이름은 person⟨김민수⟩입니다",
        "我叫person⟨欧阳娜娜⟩，你好",
        "お客様、person⟨田中⟩様とperson⟨スミス⟩さんへ。担当者様",
        "我是客户，皆様",
    ]);
}

#[test]
fn links_whose_end_is_somebody() {
    check(&[
        "pay me at paypal.me/username⟨jordanlee88⟩ please",
        "see https://www.linkedin.com/in/username⟨jordan-lee-88⟩",
        "follow us at twitter.com/intercom or facebook.com/groups/helpdesk",
        "see https://instagram.com/p/Cxyz123 and github.com/rust-lang/rust",
        "J'habite au address⟨14 bis rue des Lilas, 69003 Lyon⟩.",
        "Write to address⟨PO Box 4412, Wellington 6140⟩.",
        "Box 12 of the order contains 3 items; PO Box ideas",
        "رقم الجوال phone⟨0551234567⟩ تاريخ الميلاد birth_date⟨12/05/1990⟩",
        "Дата рождения birth_date⟨12.05.1990⟩, телефон phone⟨8 (495) 123-45-67⟩",
    ]);
}
