//! The field map: what a leaf is by the name that it stands under.
//!
//! Intercom's own fields are known exactly. Attributes that a company has made up are judged by the
//! words of their name, and by whether the value fits what these say: `phone_model` is no telephone
//! number, and neither is `phone: "yes"`.

use crate::field_words::{ABOUT, ASKS, NAMES, NOT_SCANNED, OF_PERSON};
use crate::fit;
use crate::lexicon::{self as lex, class, hash};
use crate::place::{Object, Places};
use kit::unfold::fold_word;
use kit::{Form, Leaf, kinds};

/// What to do with a leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    /// Nothing personal can stand here: an id, a time, a state.
    Skip,
    /// A name of something else: looked at for addresses and for whole names of known people.
    Known,
    /// A link: its query is looked at, its path only for what is known.
    Link,
    /// Words of people; the bits of the lexicon that its key has.
    Words(u64),
    /// The same of an attribute that a company made up: mostly no sentence.
    Attribute(u64),
    /// The value as a whole is of a kind.
    Value(&'static str, Option<&'static str>),
}

/// Whether a sorted list has a word.
fn has(list: &[&str], word: &str) -> bool {
    list.binary_search(&word).is_ok()
}

/// What a leaf is.
pub(crate) fn of(places: &Places<'_>, n: usize, leaf: &Leaf) -> Field {
    if leaf.form == Form::Key {
        return of_key(&leaf.text);
    }
    if leaf.text.len() < 2 {
        return Field::Skip;
    }
    let key = places.key(n);
    let object = places.object(n);
    if let Some(field) = exact(key, object, leaf) {
        return field;
    }
    let words = Words::of(key);
    words.field(leaf, object)
}

/// Whether a search is for a person's name.
fn is_name_field(field: &str) -> bool {
    matches!(
        field,
        "name" | "author.name" | "source.author.name" | "contact.name" | "contacts.name"
    )
}

/// Most keys are words that programmers chose; some are addresses.
fn of_key(key: &str) -> Field {
    let plain = |b: u8| b.is_ascii_alphabetic() || matches!(b, b'_' | b' ' | b'-');
    match key.bytes().all(plain) {
        false => Field::Words(0),
        true if key.contains([' ', '_', '-']) => Field::Known,
        true => Field::Skip,
    }
}

/// The fields of Intercom.
fn exact(key: &str, object: &Object<'_>, leaf: &Leaf) -> Option<Field> {
    if is_reached_by(&leaf.text) {
        return Some(Field::Words(0));
    }
    if has(NOT_SCANNED, key) {
        let holds_address = leaf.text.contains('@') && key != "message_id";
        return Some(if holds_address { Field::Words(0) } else { Field::Skip });
    }
    Some(match key {
        "email" | "email_address" if fit::email(&leaf.text) => Field::Value(kinds::EMAIL, None),
        "phone" if fit::phone(&leaf.text) => Field::Value(kinds::PHONE, None),
        "external_id" => {
            if leaf.text.contains('@') {
                Field::Words(0)
            } else {
                Field::Skip
            }
        }
        "name" | "title" if leaf.path.contains("/social_profiles/") => Field::Skip,
        "url" if leaf.path.contains("/social_profiles/") => Field::Value(kinds::URL, None),
        "name" => match object.kind {
            Some("upload" | "attachment") => Field::Words(0),
            _ if object.is_record() && fit::name_of_record(&leaf.text) => {
                Field::Value(kinds::PERSON, None)
            }
            _ if object.is_person() && fit::person(&leaf.text) => Field::Value(kinds::PERSON, None),
            Some("team" | "bot") => Field::Skip,
            Some("company" | "tag" | "segment" | "plan" | "ticket_type") => Field::Known,
            _ if object.label.is_some_and(is_name_field) && fit::person(&leaf.text) => {
                Field::Value(kinds::PERSON, None)
            }
            _ => return None,
        },
        "title"
            if object
                .id
                .is_some_and(|id| id.starts_with("contact_") || id.starts_with("contact-"))
                && fit::name_of_record(&leaf.text) =>
        {
            Field::Value(kinds::PERSON, None)
        }
        "city" => Field::Skip,
        "body" | "text" | "title" | "subject" | "description" | "remark" | "summary"
        | "history" => Field::Words(0),
        "url" | "href" | "link" | "image_url" | "avatar" | "website" | "referrer" => Field::Link,
        _ if leaf.text.starts_with("http") && !leaf.text.contains(' ') => Field::Link,
        _ => return None,
    })
}

/// Whether it is a link by which somebody is written to or called, wherever it stands.
fn is_reached_by(text: &str) -> bool {
    let Some((scheme, _)) = text.split_once(':') else { return false };
    let schemes = ["mailto", "tel", "sms", "callto", "sip", "sips", "xmpp", "facetime", "skype"];
    schemes.iter().any(|one| scheme.eq_ignore_ascii_case(one))
}

/// Whether a value is a first name and a surname, and neither is a word besides.
fn is_surely_a_name(text: &str) -> bool {
    let words: Vec<&str> = text.split(' ').collect();
    let name = |w: &&str| w.chars().next().is_some_and(char::is_uppercase) && !names::is_word(w);
    (2..=3).contains(&words.len())
        && fit::person(text)
        && words.iter().all(name)
        && words.first().is_some_and(|w| names::is_first_name(w))
        && (words.len() == 2 || words.last().is_some_and(|w| names::is_surname(w)))
}

/// Whether every word is one of the language, and the first no first name.
fn is_phrase(text: &str) -> bool {
    let mut words = text.split([' ', ',', '-']).filter(|w| w.len() > 1).peekable();
    let first = words.peek().copied().unwrap_or_default();
    !names::is_first_name(first) && words.all(names::is_word)
}

/// The words of a key, folded.
struct Words {
    all: String,
    ends: Vec<usize>,
    class: u64,
}

impl Words {
    fn of(key: &str) -> Self {
        let (mut all, mut ends, mut bits) = (String::with_capacity(key.len()), Vec::new(), 0);
        let mut start = 0;
        let mut end_word = |all: &mut String, ends: &mut Vec<usize>| {
            if all.len() > start {
                let word = all.get(start..).unwrap_or_default();
                let says = class(hash(word), word);
                // `no` and `number` are of telephones only in sentences.
                bits |= if says & lex::LINK != 0 { says & !lex::PHONE } else { says };
                ends.push(all.len());
                start = all.len();
            }
        };
        let (mut lower, mut buffer) = (false, [0u8; 4]);
        for c in key.chars() {
            if !c.is_alphanumeric() {
                end_word(&mut all, &mut ends);
                lower = false;
                continue;
            }
            if c.is_uppercase() && lower {
                end_word(&mut all, &mut ends);
            }
            lower = c.is_lowercase() || c.is_ascii_digit();
            fold_word(c.encode_utf8(&mut buffer), &mut all);
        }
        end_word(&mut all, &mut ends);
        Self { all, ends, class: bits }
    }

    fn iter(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(self.ends.iter()).map(|(a, b)| self.all.get(a..*b).unwrap_or_default())
    }

    fn is_about(&self) -> bool {
        let last = self.iter().last().unwrap_or_default();
        let first = self.iter().next().unwrap_or_default();
        has(ABOUT, last) || (has(ASKS, first) && self.ends.len() > 1)
    }

    /// Whether it is the day itself, and not something about it.
    fn is_a_day(&self) -> bool {
        !self.is_about() || self.iter().last() == Some("date")
    }

    fn any(&self, list: &[&str]) -> bool {
        self.iter().any(|w| has(list, w))
    }

    fn ends_in(&self, tails: &[&str]) -> bool {
        self.iter().any(|w| tails.iter().any(|t| w.ends_with(t)))
    }

    fn field(&self, leaf: &Leaf, object: &Object<'_>) -> Field {
        let text = leaf.text.trim();
        if self.ends.is_empty() {
            return Field::Words(0);
        }
        if let Some(kind) = self.number(text) {
            return Field::Value(kind, None);
        }
        let last = self.iter().last().unwrap_or_default();
        if self.is_about() && !matches!(last, "date") {
            let times =
                matches!(last, "at" | "id" | "ids" | "version" | "url" | "uri" | "type" | "ts");
            return if text.starts_with("http") {
                Field::Link
            } else if !text.contains('@') && (times || !text.contains(' ')) {
                Field::Skip
            } else {
                Field::Words(0)
            };
        }
        if let Some(field) = self.words(text, object) {
            return field;
        }
        if is_surely_a_name(text) && self.class & lex::THING == 0 {
            return Field::Value(kinds::PERSON, None);
        }
        // A version, a reference or a code that stands alone is nobody's.
        if self.class & (lex::THING | lex::SINCE) != 0 && !text.contains(' ') && !text.contains('@')
        {
            return Field::Skip;
        }
        Field::Attribute(self.class)
    }

    /// Kinds whose values are so much their own that the end of the name does not matter.
    fn number(&self, text: &str) -> Option<&'static str> {
        let c = self.class;
        let has = |class: u64| c & class != 0;
        if (has(lex::BIRTH) || self.ends_in(&["geburtsdatum", "birthdate"]))
            && (fit::date(text) || fit::stamp(text) && self.is_a_day())
        {
            return Some(kinds::BIRTH_DATE);
        }
        if text.len() >= 15 && fit::iban(text) {
            return Some(kinds::IBAN);
        }
        if has(lex::DEVICE) && fit::digits(text, 14, 20) {
            return Some(kinds::DEVICE_ID);
        }
        if has(lex::MAC | lex::DEVICE) && fit::mac(text) {
            return Some(kinds::MAC);
        }
        if has(lex::IP) && fit::ip(text) {
            return Some(kinds::IP);
        }
        if has(lex::SORT) && fit::bank(text) {
            return Some(kinds::BANK_ACCOUNT);
        }
        if !fit::code(text) {
            return None;
        }
        let card = |w: &str| matches!(w, "card" | "karte" | "carte" | "tarjeta");
        if self.iter().any(card) && self.iter().any(|w| w == "id") {
            return Some(kinds::NATIONAL_ID);
        }
        if has(lex::PASSPORT) {
            return Some(kinds::PASSPORT);
        }
        if has(lex::LICENCE | lex::DRIVE)
            && (has(lex::DRIVE) || self.iter().any(|w| w == "drivers"))
        {
            return Some(kinds::DRIVER_LICENCE);
        }
        if has(lex::MEDICAL) {
            return Some(kinds::MEDICAL_ID);
        }
        if has(lex::TAX) && !self.is_about() {
            return Some(kinds::TAX_ID);
        }
        if has(lex::NATIONAL) {
            return Some(kinds::NATIONAL_ID);
        }
        if has(lex::TAX) {
            return Some(kinds::TAX_ID);
        }
        None
    }

    fn words(&self, text: &str, object: &Object<'_>) -> Option<Field> {
        let c = self.class;
        let has = |class: u64| c & class != 0;
        let value = |kind| Some(Field::Value(kind, None));
        if fit::email(text) && (has(lex::EMAIL) || self.ends.len() < 4) {
            return value(kinds::EMAIL);
        }
        let phone_word =
            self.ends_in(&["phone", "telefon", "telefono", "nummer", "mobile", "handy"]);
        if (has(lex::PHONE) || phone_word) && !has(lex::THING) && fit::phone(text) {
            return value(kinds::PHONE);
        }
        if has(lex::CRYPTO) && text.len() > 24 && !text.contains(' ') {
            return value(kinds::CRYPTO);
        }
        let address_word = self.ends_in(&["adresse", "anschrift", "strasse", "street", "address"]);
        if (has(lex::ADDRESS | lex::STREET) || address_word) && fit::address(text) {
            return value(kinds::ADDRESS);
        }
        if has(lex::SORT | lex::BANK) && !has(lex::THING) && fit::bank(text) {
            return value(kinds::BANK_ACCOUNT);
        }
        if has(lex::PLATE) && fit::plate(text) {
            return value(kinds::VEHICLE);
        }
        if has(lex::GEO) && fit::geo(text) {
            return value(kinds::GEO);
        }
        if has(lex::PASSWORD) && text.len() >= 4 && !text.contains(' ') && !fit::flag(text) {
            return value(kinds::PASSWORD);
        }
        if has(lex::SECRET) && text.len() >= 16 && !text.contains(' ') {
            return value(kinds::SECRET);
        }
        let gamer = self.iter().any(|w| matches!(w, "screen" | "gamer"));
        if (has(lex::USERNAME) || gamer) && !has(lex::THING) && fit::username(text) {
            return value(kinds::USERNAME);
        }
        self.person(text, object)
    }

    fn person(&self, text: &str, object: &Object<'_>) -> Option<Field> {
        if !fit::person(text) {
            return None;
        }
        let named = self.any(NAMES) || self.ends_in(&["name", "naam", "namn", "navn"]);
        let of_person = self.any(OF_PERSON);
        let role = self.class & lex::PERSON != 0 || self.ends_in(&["partner", "inhaber", "leiter"]);
        if self.class & lex::THING != 0 && !of_person {
            return None;
        }
        let part = if self.any(&[
            "firstname",
            "forename",
            "fornamn",
            "fornavn",
            "imie",
            "keresztnev",
            "prenom",
            "voornaam",
            "vorname",
        ]) || self.iter().any(|w| matches!(w, "first" | "given" | "preferred"))
        {
            Some("first")
        } else if self.any(&[
            "achternaam",
            "apellido",
            "apellidos",
            "cognome",
            "efternamn",
            "efternavn",
            "etternavn",
            "lastname",
            "nachname",
            "nazwisko",
            "sobrenome",
            "sukunimi",
            "surname",
            "vezeteknev",
        ]) || self.iter().any(|w| matches!(w, "last" | "family" | "maiden"))
        {
            Some("last")
        } else {
            None
        };
        let surely = part.is_some() && (named || self.ends.len() == 1 || self.iter().count() < 3);
        let two = fit::two_words(text);
        let personal = surely
            || (named && of_person)
            || (of_person && two)
            || (role && two)
            || (named
                && self.ends.len() == 1
                && two
                && (object.kind.is_none() || object.is_person()));
        // Words that are no name, under a key such as `contact_reason`.
        let spoken = part.is_none() && !named && is_phrase(text);
        (personal && !spoken).then_some(Field::Value(kinds::PERSON, part))
    }
}
