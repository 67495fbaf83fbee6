//! The plugin's one act: from a document to what is personal in it.

use crate::fields::{self, Field};
use crate::hit::Hit;
use crate::number::{Numbers, birth};
use crate::people::People;
use crate::phone::Region;
use crate::place::{Map, Places};
use crate::text::Text;
use crate::{
    Config, address, codes, credential, cues, date, east, email, encoded, label, likely, mention,
    model, net, report, secret,
};
use kit::{Document, Leaf, Party, Report, kinds};

/// A text with what was seen in it.
pub(crate) struct Seen<'a> {
    pub(crate) text: Text<'a>,
    field: Field,
    pub(crate) hits: Vec<Hit>,
}

impl Seen<'_> {
    /// Whether there is nothing to look for in it: a field whose value is known as a whole, a link of
    /// Intercom's own.
    fn is_settled(&self) -> bool {
        let known = matches!(self.field, Field::Value(kind, _) if kind != kinds::EMAIL);
        known && !self.hits.is_empty() || self.field == Field::Link && is_own(self.text.read_text())
    }
}

/// Looks at a document.
#[must_use]
pub fn inspect(document: &Document, config: &Config) -> Report {
    let places = Places::of(document);
    let mut people = People::default();
    known(document, config, &mut people);
    for (address, subject, party) in places.records() {
        people.bind(email::canonical(address), subject, party);
    }
    let mut seen: Vec<Seen<'_>> = Vec::with_capacity(document.leaves.len());
    for (n, leaf) in document.leaves.iter().enumerate() {
        let field = fields::of(&places, n, leaf);
        if field == Field::Skip {
            continue;
        }
        let mut text = Text::of(n, leaf);
        let object = places.object(n);
        if text.party == Party::Unknown || object.is_record() {
            text.party = object.party();
        }
        if let Field::Words(bits) | Field::Attribute(bits) = field {
            text.key = bits;
        }
        let mut hits = Vec::new();
        if let Field::Value(kind, part) = field {
            learn(&mut people, &places, document, n, &text, (kind, part), &mut hits);
        }
        seen.push(Seen { text, field, hits });
    }
    let regions = regions(document, &people, &places);
    for one in &mut seen {
        recognise(one, &people, &regions);
    }
    harvest(&mut seen, &mut people);
    unite_phones(&mut seen);
    people.index();
    for one in &mut seen {
        repeat(one, &people);
        if !one.is_settled() {
            encoded::find(&one.text, &people, &regions, &mut one.hits);
        }
    }
    learn_names(&mut seen, &mut people, config);
    let mut findings = Vec::new();
    for one in seen {
        report::report(one, &people, config, document, &mut findings);
    }
    findings.sort_by_key(|f| (f.leaf, f.start));
    Report { findings, ..Report::default() }
}

/// What is known from earlier answers, and what the operator names.
fn known(document: &Document, config: &Config, people: &mut People) {
    for entry in &document.dictionary {
        let party = match &entry.subject {
            Some(s) if s.starts_with("admin") => Party::Teammate,
            Some(_) => Party::Customer,
            None => Party::Unknown,
        };
        let who = people.who(entry.subject.clone(), party);
        if let Some(kind) = kinds::named(&entry.kind) {
            remember(people, kind, None, &entry.value, who, party);
        }
    }
    for word in &config.words {
        if let Some(kind) = kinds::named(&word.kind) {
            people.phrase(kind, &word.text, None);
        }
    }
}

/// Puts a value into the dictionary.
fn remember(
    people: &mut People,
    kind: &'static str,
    part: Option<&str>,
    value: &str,
    who: Option<usize>,
    party: Party,
) {
    match kind {
        kinds::PERSON => {
            people.name(value, part, who, party, false);
        }
        kinds::EMAIL => people.email(&email::canonical(value), who, party),
        kinds::ADDRESS => people.address(value, who),
        kinds::PHONE => people.add_number(kind, value, who),
        kinds::BIRTH_DATE | kinds::CARD_SECURITY | kinds::GEO | kinds::URL => {}
        _ => {
            if value.bytes().all(|b| !b.is_ascii_alphabetic()) {
                people.add_number(kind, value, who);
            }
            people.phrase(kind, value.trim_start_matches('@'), who);
        }
    }
}

/// A field whose value as a whole is of a kind.
fn learn(
    people: &mut People,
    places: &Places<'_>,
    document: &Document,
    n: usize,
    text: &Text<'_>,
    (kind, part): (&'static str, Option<&'static str>),
    hits: &mut Vec<Hit>,
) {
    let object = places.person(&document.leaves, n);
    let party = object.map_or(text.party, crate::place::Object::party);
    let subject =
        object.and_then(crate::place::Object::subject).or_else(|| owner(document.leaves.get(n)));
    let read = text.read_text();
    let lead = read.len() - read.trim_start().len();
    let bytes = lead..lead + read.trim().len();
    let value = read.trim();
    // `Name <address>` and lists of addresses are taken apart by the recognisers.
    if kind == kinds::EMAIL && value.contains([' ', ',', ';', '<']) {
        return;
    }
    if kind == kinds::URL {
        let start = value.trim_end_matches('/').rfind('/').map_or(0, |s| s + 1);
        let handle = value.get(start..).unwrap_or_default();
        if handle.len() >= 3 {
            let who = people.who(subject, party);
            people.phrase(kinds::USERNAME, handle, who);
            let mut hit = Hit::new(lead + start..bytes.end, kinds::USERNAME, 96, "field");
            hit.who = who;
            hits.push(hit);
        }
        return;
    }
    // Attributes of a contact may hold other people's names and addresses.
    let foreign = matches!(kind, kinds::PERSON | kinds::EMAIL)
        && !places.object(n).is_person()
        && part.is_none();
    // Who is known by an address only may be known by a record elsewhere.
    let bound = subject
        .as_deref()
        .filter(|s| s.contains('@'))
        .and_then(|s| people.emails.get(s))
        .copied()
        .flatten();
    let who = if foreign { None } else { bound.or_else(|| people.who(subject, party)) };
    remember(people, kind, part, value, who, party);
    let mut hit = Hit::new(bytes, kind, 99, "field");
    hit.who = who.or_else(|| match kind {
        kinds::PERSON => Some(people.name(value, part, None, party, false)),
        kinds::EMAIL => people.emails.get(&email::canonical(value)).copied().flatten(),
        _ => None,
    });
    hit.part = part;
    if kind == kinds::EMAIL {
        hit.value = Some(email::canonical(value));
    }
    hits.push(hit);
}

fn owner(leaf: Option<&Leaf>) -> Option<String> {
    leaf?.owner.clone().filter(|o| o.starts_with("contact:") || o.starts_with("admin:"))
}

/// The countries that the payload speaks of: by the codes of its telephone numbers, by its contacts'
/// places, by the ends of its addresses.
fn regions(document: &Document, people: &People, places: &Places<'_>) -> Vec<Region> {
    let mut out: Vec<Region> = Vec::new();
    let mut add = |region: Option<Region>| {
        if let Some(region) = region
            && !out.iter().any(|r| r.code() == region.code())
            && out.len() < 12
        {
            out.push(region);
        }
    };
    for (n, leaf) in document.leaves.iter().enumerate() {
        match places.key(n) {
            "country_code" | "country" if leaf.text.len() == 2 => add(Region::named(&leaf.text)),
            "phone" if leaf.text.starts_with('+') => {
                let digits: Vec<u8> = leaf.text.bytes().filter(u8::is_ascii_digit).collect();
                add(crate::phone::international(&digits));
            }
            _ => {}
        }
    }
    for address in people.emails.keys() {
        let end = address.rsplit('.').next().unwrap_or_default();
        if end.len() == 2 {
            let upper = end.to_ascii_uppercase();
            add(Region::named(if upper == "UK" { "GB" } else { &upper }));
        }
    }
    out
}

/// Everything that a text shows by itself.
fn recognise(one: &mut Seen<'_>, people: &People, regions: &[Region]) {
    if one.is_settled() {
        return;
    }
    let Seen { text, field, hits } = one;
    if *field == Field::Known {
        email::find(text, hits);
        return;
    }
    scan(text, people, regions, *field == Field::Link, hits);
}

/// Links into Intercom's own pages hold ids only.
fn is_own(link: &str) -> bool {
    let host = link.split("://").nth(1).unwrap_or_default();
    let host = host.split('/').next().unwrap_or_default();
    let ours = host == "intercom.com" || host.ends_with(".intercom.com") || link.starts_with('/');
    ours && !link.contains(['@', '?', '%'])
}

pub(crate) fn scan(
    text: &Text<'_>,
    people: &People,
    regions: &[Region],
    link: bool,
    hits: &mut Vec<Hit>,
) {
    email::find(text, hits);
    secret::find(text, link, hits);
    label::find(text, hits);
    label::pages(text, hits);
    credential::find(text, hits);
    if !link {
        label::handles(text, hits);
    }
    if !link {
        Numbers { people, regions }.find(text, hits);
        coded(text, hits);
        address::find(text, hits);
        cues::find(text, hits);
        likely::find(text, hits);
        east::find(text, hits);
    } else if text.read_text().contains('?') {
        Numbers { people, regions }.find(text, hits);
    }
}

/// Words that are codes: bank accounts, wallets, machines, papers.
fn coded(text: &Text<'_>, hits: &mut Vec<Hit>) {
    for (i, word) in text.words.iter().enumerate() {
        if date::is_month(text, i)
            && let Some(date) = date::worded(text, i)
        {
            birth(text, &date, hits);
        }
        codes::word(text, i, word, hits);
        if word.len() == 2 || word.len() <= 4 && word.digit {
            let bytes = text.bytes();
            if let Some(n) = net::mac(bytes, word.start) {
                hits.push(Hit::new(word.start..word.start + n, kinds::MAC, 93, "shape"));
            }
        }
    }
}

/// What was found in texts joins the dictionary.
fn harvest(seen: &mut [Seen<'_>], people: &mut People) {
    for one in seen {
        let party = one.text.party;
        for hit in &mut one.hits {
            let read = one.text.slice(hit.bytes.clone());
            match (hit.kind, hit.reason) {
                (kinds::EMAIL, "address" | "disguise" | "base64") => {
                    let value = hit.value.clone().unwrap_or_default();
                    people.email(&value, hit.who, Party::Unknown);
                    hit.who = people.emails.get(&value).copied().flatten();
                }
                // An office's address is somebody's if a record has it.
                (kinds::EMAIL, "role") => {
                    let known = hit.value.as_ref().and_then(|it| people.emails.get(it)).copied();
                    if let Some(who @ Some(_)) = known {
                        (hit.who, hit.confidence) = (who, 97);
                    }
                }
                (kinds::PERSON, "cue" | "model") => {
                    let guessed = !read.contains(' ');
                    // After "Hello" may stand the name of a product: it is not looked for elsewhere.
                    if guessed && !names::is_first_name(read) && !names::is_surname(read) {
                        continue;
                    }
                    hit.who = Some(people.name(read, None, None, party_of_mention(party), guessed));
                }
                _ => {}
            }
        }
    }
}

/// Whether a text is somebody's words: of attributes, only if they are many.
fn may_speak(one: &Seen<'_>) -> bool {
    match one.field {
        Field::Words(_) => true,
        Field::Attribute(_) => one.text.words.len() > 4,
        _ => false,
    }
}

/// What the model sees, and its repetitions.
fn learn_names(seen: &mut [Seen<'_>], people: &mut People, config: &Config) {
    let before = people.persons.len();
    for one in seen.iter_mut().filter(|s| may_speak(s)) {
        let from = one.hits.len();
        model::find(&one.text, config.name_threshold, &mut one.hits);
        for hit in one.hits.get_mut(from..).unwrap_or_default() {
            let read = one.text.slice(hit.bytes.clone());
            hit.who = Some(people.name(read, None, None, Party::Unknown, true));
        }
    }
    if people.persons.len() > before {
        people.index_from(before);
        for one in seen {
            repeat(one, people);
        }
    }
}

/// Telephone numbers that end alike are one, spelled best with the country's code.
fn unite_phones(seen: &mut [Seen<'_>]) {
    let ending = |v: &str| {
        let digits: Vec<u8> = v.bytes().filter(u8::is_ascii_digit).collect();
        digits.len().checked_sub(8).and_then(|n| digits.get(n..).map(<[u8]>::to_vec))
    };
    let phone = |h: &&mut Hit| h.kind == kinds::PHONE && h.value.is_some();
    let mut best: Map<Vec<u8>, String> = Map::default();
    for hit in seen.iter_mut().flat_map(|s| s.hits.iter_mut()).filter(phone) {
        let Some(value) = &mut hit.value else { continue };
        if let Some(rest) = value.strip_prefix("00") {
            *value = format!("+{rest}");
        }
        let Some(end) = ending(value) else { continue };
        let known = best.entry(end).or_insert_with(|| value.clone());
        if value.starts_with('+') && !known.starts_with('+') {
            known.clone_from(value);
        }
    }
    for hit in seen.iter_mut().flat_map(|s| s.hits.iter_mut()).filter(phone) {
        let known = hit.value.as_deref().and_then(ending).and_then(|e| best.get(&e));
        if let Some(known) = known {
            hit.value = Some(known.clone());
        }
    }
}

/// Whoever a text speaks of need not be whoever wrote it.
const fn party_of_mention(_: Party) -> Party {
    Party::Unknown
}

/// Mentions of what the dictionary knows.
fn repeat(one: &mut Seen<'_>, people: &People) {
    if one.is_settled() {
        return;
    }
    let before = one.hits.len();
    mention::find(&one.text, people, &mut one.hits);
    if one.field == Field::Known {
        // Single words are what the thing is called, whoever else is called so.
        let (text, mut n) = (&one.text, 0);
        let is_whole = |hit: &Hit| text.slice(hit.bytes.clone()).contains([' ', '_', '-']);
        one.hits.retain(|hit| {
            n += 1;
            n <= before || hit.confidence >= 93 && is_whole(hit)
        });
    }
}
