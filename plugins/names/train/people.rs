//! Names to put into sentences, by locale, and made-up ones.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::Outcome;
use names::token;

/// A sequence of numbers from a seed (SplitMix64).
pub(crate) struct Lot(pub(crate) u64);

impl Lot {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        token::finish(self.0)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    /// True in this share of cases, in percent.
    pub(crate) fn percent(&mut self, share: usize) -> bool {
        self.below(100) < share
    }

    pub(crate) fn of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

/// Whether something is held back from training, by its own letters.
pub(crate) fn is_held_back(text: &str) -> bool {
    token::hash_of(text).is_multiple_of(8)
}

/// First names and surnames of one locale.
#[derive(Default)]
struct Locale {
    first: Vec<String>,
    last: Vec<String>,
}

pub(crate) struct People {
    /// Names to learn from, and names held back.
    locales: [BTreeMap<String, Locale>; 2],
    /// Locales that write in Latin letters.
    latin: Vec<String>,
}

/// A first name and a surname.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) first: String,
    pub(crate) last: String,
}

/// Locales in which a language's messages find their people.
fn locales_of(language: &str) -> &'static [&'static str] {
    match language {
        "de" => &["de_DE", "de_AT", "de_CH"],
        "fr" => &["fr_FR", "fr_CA", "fr_BE", "fr_CH", "fr_QC"],
        "es" => &["es_ES", "es_MX", "es_AR", "es_CO", "basque"],
        "it" => &["it_IT"],
        "nl" => &["nl_NL", "nl_BE"],
        "pt" => &["pt_PT", "pt_BR"],
        "pl" => &["pl_PL"],
        "sv" => &["sv_SE"],
        "da" => &["da_DK"],
        "nb" => &["no_NO"],
        "fi" => &["fi_FI"],
        "tr" => &["tr_TR"],
        "ro" => &["ro_RO"],
        "cs" => &["cs_CZ", "sk_SK"],
        "hu" => &["hu_HU"],
        "ru" => &["ru_RU"],
        "uk" => &["uk_UA"],
        "el" => &["el_GR"],
        "vi" => &["vi_VN", "vi_RO"],
        "he" => &["he_IL"],
        "ar" => &["ar_SA", "ar_AA", "ar_PS", "ar_DZ"],
        "hi" => &["hi_IN"],
        "ja" => &["ja_JP"],
        "zh" => &["zh_CN", "zh_TW"],
        "ko" => &["ko_KR"],
        _ => &["en_US", "en_US", "en_GB", "en_IE", "en_NZ", "en_NICK", "en_IN", "india"],
    }
}

/// Whether its people are written in Latin letters.
pub(crate) fn is_latin(language: &str) -> bool {
    !matches!(language, "ru" | "uk" | "el" | "he" | "ar" | "hi" | "ja" | "zh" | "ko")
}

/// Names that are words as well: the templates without names speak of many of them as words.
const WORDS: [[&str; 40]; 2] = [
    [
        "Will", "Mark", "Grace", "May", "June", "April", "August", "Rose", "Ivy", "Olive", "Reed",
        "Joy", "Hope", "Faith", "Bill", "Frank", "Rich", "Art", "Chase", "Grant", "Jack", "Robin",
        "Max", "Carol", "Holly", "Jade", "Amber", "Pearl", "Violet", "Daisy", "Hunter", "Mason",
        "Cooper", "Carter", "Summer", "Autumn", "Dawn", "Ruby", "Miles", "Drew",
    ],
    [
        "Price",
        "Page",
        "Field",
        "Fields",
        "Woods",
        "Cook",
        "Baker",
        "Marsh",
        "Stone",
        "Rice",
        "Berry",
        "King",
        "Bishop",
        "Wells",
        "Banks",
        "Bond",
        "Bush",
        "Fisher",
        "Carpenter",
        "Potter",
        "Archer",
        "Hill",
        "Rivers",
        "Lake",
        "Snow",
        "Winter",
        "Day",
        "Young",
        "Long",
        "Short",
        "Brown",
        "Green",
        "White",
        "Black",
        "Gold",
        "Bell",
        "Church",
        "House",
        "Park",
        "Street",
    ],
];

/// Surnames made of two words.
const COMPOUND: [[&str; 16]; 2] = [
    [
        "Oak", "Ash", "Stone", "Brook", "Wood", "Moor", "Fair", "Long", "High", "White", "Black",
        "Green", "Silver", "North", "Winter", "Fox",
    ],
    [
        "field", "mantle", "wood", "water", "brook", "bridge", "well", "hill", "worth", "land",
        "stone", "smith", "man", "child", "house", "way",
    ],
];

const PARTICLES: [&str; 14] = [
    "van", "de", "van der", "von", "de la", "da", "dos", "di", "del", "bin", "el", "van den", "le",
    "ten",
];

impl People {
    pub(crate) fn read(tables: &Path) -> Outcome<Self> {
        let mut locales = [BTreeMap::<String, Locale>::new(), BTreeMap::new()];
        let mut latin = BTreeMap::<String, (usize, usize)>::new();
        for line in fs::read_to_string(tables.join("names.tsv"))?.lines() {
            let mut columns = line.split('\t');
            let (Some(locale), Some(part), Some(name)) =
                (columns.next(), columns.next(), columns.next())
            else {
                continue;
            };
            // Some lists of Taiwan are in Latin letters.
            if locale.starts_with("zh_TW") && name.is_ascii() {
                continue;
            }
            let side = usize::from(is_held_back(name));
            let entry = locales[side].entry(locale.to_owned()).or_default();
            if part == "first" {
                entry.first.push(name.to_owned())
            } else {
                entry.last.push(name.to_owned())
            }
            let count = latin.entry(locale.to_owned()).or_default();
            count.0 += usize::from(name.chars().all(|c| (c as u32) < 0x250 || !c.is_alphabetic()));
            count.1 += 1;
        }
        let latin = latin
            .into_iter()
            .filter(|(_, (l, all))| l * 10 > all * 9)
            .map(|(name, _)| name)
            .collect();
        Ok(Self { locales, latin })
    }

    /// Somebody who might write or be spoken of in this language.
    pub(crate) fn somebody(&self, language: &str, held: bool, lot: &mut Lot) -> Person {
        let own = locales_of(language);
        let near = lot.below(100);
        let share = if is_latin(language) { 60 } else { 85 };
        let locale = if near < share {
            (*lot.of(own)).to_owned()
        } else if near < share + (100 - share) / 2 {
            (*lot.of(locales_of("en"))).to_owned()
        } else {
            lot.of(&self.latin).clone()
        };
        let first = self.pick(&locale, true, held, lot);
        // Families move: one in ten has a surname from elsewhere.
        let last = if lot.percent(10) && is_latin(language) {
            let other = lot.of(&self.latin).clone();
            self.pick(&other, false, held, lot)
        } else {
            self.pick(&locale, false, held, lot)
        };
        let mut person = Person { first, last };
        if is_latin(language) && lot.percent(8) {
            person.first = (*lot.of(&WORDS[0])).to_owned();
        }
        if is_latin(language) && lot.percent(6) {
            person.last = (*lot.of(&WORDS[1])).to_owned();
        }
        if lot.percent(24) && is_latin(language) {
            let (other, third) = (lot.of(&self.latin).clone(), lot.of(&self.latin).clone());
            person.first = splice(&person.first, &self.pick(&other, true, held, lot), lot);
            person.last = if lot.percent(15) {
                format!("{}{}", lot.of(&COMPOUND[0]), lot.of(&COMPOUND[1]))
            } else {
                splice(&person.last, &self.pick(&third, false, held, lot), lot)
            };
        } else if lot.percent(4) && is_latin(language) {
            person.last = format!("{} {}", lot.of(&PARTICLES), person.last);
        }
        person
    }

    /// Somebody whose name is written in the characters of the language, family first.
    pub(crate) fn native(&self, language: &str, held: bool, lot: &mut Lot) -> Person {
        let locale = *lot.of(locales_of(language));
        Person {
            first: self.pick(locale, true, held, lot),
            last: self.pick(locale, false, held, lot),
        }
    }

    /// Of small locales nothing is held back.
    fn pick(&self, locale: &str, first: bool, held: bool, lot: &mut Lot) -> String {
        for side in [usize::from(held), usize::from(!held)] {
            let Some(names) = self.locales[side].get(locale) else { continue };
            let list = if first { &names.first } else { &names.last };
            if !list.is_empty() {
                return lot.of(list).clone();
            }
        }
        if first { "Alex".to_owned() } else { "Smith".to_owned() }
    }
}

/// The begin of one name and the end of another: a name that no list has.
fn splice(a: &str, b: &str, lot: &mut Lot) -> String {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let from = (a.len() / 2 + lot.below(2)).clamp(1, a.len());
    let to = (b.len() / 2).min(b.len() - 1);
    let tail: String = b[to..].iter().collect::<String>().to_lowercase();
    let mut out: String = a[..from].iter().collect();
    if out.ends_with([' ', '-', '\'']) {
        out.pop();
    }
    out.push_str(tail.trim_start_matches([' ', '-', '\'', '’']));
    out
}
