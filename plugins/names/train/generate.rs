//! Writes messages: templates with people, places and products put in, between sentences of catalogues.

use crate::Sample;
use crate::corpus::Corpus;
use crate::people::{Lot, People, Person};
use crate::templates::Templates;

/// How often a language is written, in parts of the whole. Others share the rest.
const ENGLISH: usize = 34;

pub(crate) fn generate(
    templates: &Templates,
    people: &People,
    corpus: &Corpus,
    held: bool,
    count: usize,
) -> Vec<Sample> {
    let mut lot = Lot(if held { 2 } else { 1 });
    let others: Vec<&String> = templates.languages.keys().filter(|l| *l != "en").collect();
    let mut out = Vec::with_capacity(count);
    for _ in 0..count {
        let language = if lot.percent(ENGLISH) { "en" } else { lot.of(&others).as_str() };
        let mut writer = Writer {
            templates,
            people,
            corpus,
            held,
            language,
            lot: &mut lot,
            sample: Sample::default(),
        };
        writer.message();
        out.push(writer.sample);
    }
    out
}

/// The same text with slips of the hand in small words: a letter dropped, doubled or changed with the next.
fn slips(text: &str, lot: &mut Lot) -> String {
    let slip = |word: &str, lot: &mut Lot| {
        let mut letters: Vec<char> = word.chars().collect();
        if letters.len() > 3 && letters.iter().all(|c| c.is_lowercase()) && lot.percent(35) {
            let at = 1 + lot.below(letters.len() - 2);
            match lot.below(3) {
                0 => drop(letters.remove(at)),
                1 => letters.insert(at, letters[at]),
                _ => letters.swap(at, at + 1),
            }
        }
        letters.into_iter().collect::<String>()
    };
    text.split(' ').map(|word| slip(word, lot)).collect::<Vec<_>>().join(" ")
}

/// The number of a part, a voucher, a model: letters and digits.
fn code(lot: &mut Lot) -> String {
    let mut out = String::new();
    for part in 0..1 + lot.below(3) {
        if part > 0 {
            let sign = *lot.of(&["-", "-", "-", "/", ""]);
            out.push_str(sign);
        }
        let letters = lot.percent(50);
        for _ in 0..2 + lot.below(4) {
            let c = if letters { b'A' + lot.below(26) as u8 } else { b'0' + lot.below(10) as u8 };
            out.push(char::from(c));
        }
    }
    out
}

/// The small letter, if it is as long.
fn small(c: char) -> char {
    c.to_lowercase().next().filter(|n| n.len_utf8() == c.len_utf8()).unwrap_or(c)
}

/// The capital, if it is as long.
fn large(c: char) -> char {
    c.to_uppercase().next().filter(|n| n.len_utf8() == c.len_utf8()).unwrap_or(c)
}

struct Writer<'a> {
    templates: &'a Templates,
    people: &'a People,
    corpus: &'a Corpus,
    held: bool,
    language: &'a str,
    lot: &'a mut Lot,
    sample: Sample,
}

impl Writer<'_> {
    fn message(&mut self) {
        let gap = *self.lot.of(&["\n", "\n\n", " ", " ", "\n"]);
        let lines = 1 + self.lot.below(5);
        for n in 0..lines {
            if n > 0 {
                let gap = if self.lot.percent(10) { "\n" } else { gap };
                self.sample.text.push_str(gap);
            }
            let kind = self.lot.below(100);
            if kind < 46 {
                self.line(true);
            } else if kind < 72 {
                self.line(false);
            } else {
                self.filler();
            }
        }
        let change = self.lot.below(100);
        if change < 10 {
            self.sample.text = self.sample.text.chars().map(small).collect();
        } else if change < 13 {
            self.sample.text = self.sample.text.chars().map(large).collect();
        } else if change < 16 {
            self.without_signs();
        }
    }

    fn without_signs(&mut self) {
        let blank = |c: char| if matches!(c, ',' | '.' | '!' | '?') { ' ' } else { c };
        self.sample.text = self.sample.text.chars().map(blank).collect();
    }

    fn filler(&mut self) {
        if let Some(sides) = self.corpus.sentences.get(self.language) {
            let text = self.lot.of(&sides[usize::from(self.held)]).clone();
            let text = if self.lot.percent(15) { slips(&text, self.lot) } else { text };
            self.sample.text.push_str(&text);
        }
    }

    fn line(&mut self, named: bool) {
        let Some(language) = self.templates.languages.get(self.language) else { return };
        let lines = language.lines(named, self.held);
        if lines.is_empty() {
            return self.filler();
        }
        let from = self.sample.text.len();
        let template = self.lot.of(lines);
        self.expand(template);
        let change = self.lot.below(100);
        if change < 5 {
            let line = self.sample.text.split_off(from);
            self.sample.text.extend(line.chars().map(small));
        } else if change < 9 && self.sample.text.ends_with(['.', '!', '?']) {
            let gap = *self.lot.of(&[" ", " ", "\n", " - "]);
            self.sample.text.push_str(gap);
            self.slot("F");
        }
    }

    /// Writes a template with its slots filled.
    fn expand(&mut self, template: &str) {
        let mut rest = template;
        while let Some((before, (slot, after))) =
            rest.split_once('{').and_then(|(before, tail)| Some((before, tail.split_once('}')?)))
        {
            self.sample.text.push_str(before);
            self.slot(slot);
            rest = after;
        }
        self.sample.text.push_str(rest);
    }

    fn slot(&mut self, slot: &str) {
        let person = match slot {
            "J" => self.people.native(self.language, self.held, self.lot),
            "L" if matches!(self.language, "ja" | "zh") => {
                self.people.native(self.language, self.held, self.lot)
            }
            _ => self.people.somebody(self.language, self.held, self.lot),
        };
        match slot {
            "N" if matches!(self.language, "ja" | "zh" | "ko") && self.lot.percent(60) => {
                self.slot("J")
            }
            "N" => {
                let name = self.whole(&person);
                self.name(&name);
            }
            "n" => self.name(&format!("{} {}", person.first, person.last).to_lowercase()),
            "F" => {
                let twice = self.lot.percent(3);
                let name =
                    if twice { format!("{}-{}", person.first, person.first) } else { person.first };
                self.name(&name);
            }
            "f" => self.name(&person.first.to_lowercase()),
            "L" => self.name(&person.last),
            "l" => self.name(&person.last.to_lowercase()),
            "U" => self.name(&format!("{} {}", person.first, person.last).to_uppercase()),
            "A" => {
                self.name(&person.last);
                self.sample.text.push_str(", ");
                self.sample
                    .names
                    .push((self.sample.text.len(), self.sample.text.len() + person.first.len()));
                self.sample.text.push_str(&person.first);
            }
            "A2" => {
                let middle = if self.language == "vi" && self.lot.percent(60) {
                    format!("{} ", self.people.somebody(self.language, self.held, self.lot).first)
                } else {
                    String::new()
                };
                self.name(&format!("{} {middle}{}", person.last, person.first));
            }
            "J" => {
                let gap = if self.language == "ja" && self.lot.percent(35) { " " } else { "" };
                self.name(&format!("{}{gap}{}", person.last, person.first));
            }
            "V" | "I" | "i" | "I1" | "T" | "W1" | "w1" => self.phrase(slot),
            other => {
                let text = self.thing(other);
                self.sample.text.push_str(&text);
            }
        }
    }

    /// A part of a sentence. `I1` and `W1` begin with a capital; `i` and `w1` do not.
    fn phrase(&mut self, slot: &str) {
        let kind = slot.get(..1).unwrap_or("V").to_uppercase();
        let Some(sides) = self.templates.phrases.get(&format!("{} {kind}", self.language)) else {
            return;
        };
        // Few are held back; where none is, any will do.
        let held = self.held && !sides[1].is_empty() && self.lot.percent(60);
        let phrase = self.lot.of(&sides[usize::from(held)]).clone();
        let from = self.sample.text.len();
        self.expand(&phrase);
        if matches!(slot, "I1" | "W1") {
            let tail = self.sample.text.split_off(from);
            let mut chars = tail.chars();
            self.sample.text.extend(chars.next().map(large));
            self.sample.text.push_str(chars.as_str());
        }
    }

    /// A whole name in one of the ways in which people write theirs.
    fn whole(&mut self, person: &Person) -> String {
        let Person { first, last } = person;
        let letter = |name: &str| {
            name.chars().next().map_or_else(String::new, |c| c.to_uppercase().collect())
        };
        match self.lot.below(100) {
            0..4 => format!("{first} {}. {last}", char::from(b'A' + self.lot.below(26) as u8)),
            4..8 => format!("{}. {last}", letter(first)),
            8..11 => {
                let other = self.people.somebody(self.language, self.held, self.lot);
                format!("{first} {last}-{}", other.last)
            }
            11..15 => {
                let other = self.people.somebody(self.language, self.held, self.lot);
                format!("{first} {} {last}", other.first)
            }
            15..17 => format!("{first} {}.", letter(last)),
            17..19 => {
                let other = self.people.somebody(self.language, self.held, self.lot);
                format!("{first} {last} {}", other.last)
            }
            19..21 => format!("{first} {}", last.to_uppercase()),
            _ => format!("{first} {last}"),
        }
    }

    /// Writes a name. One that follows another after a blank goes on with it.
    fn name(&mut self, name: &str) {
        let from = self.sample.text.len();
        self.sample.text.push_str(name);
        let to = self.sample.text.len();
        match self.sample.names.last_mut() {
            Some(last) if last.1 + 1 == from && self.sample.text.get(last.1..from) == Some(" ") => {
                last.1 = to
            }
            _ => self.sample.names.push((from, to)),
        }
    }

    /// What is no person.
    fn thing(&mut self, slot: &str) -> String {
        let lot = &mut *self.lot;
        let place =
            |kind: &str, lot: &mut Lot| self.corpus.place(self.language, kind, lot).to_owned();
        match slot {
            "C" => self.company(),
            "X" => code(lot),
            "x" => self.jargon(),
            "B" => self.invented(),
            "G" => lot.of(&self.templates.organisations).clone(),
            "Z" => lot.of(&self.templates.cities).clone(),
            "z" => lot.of(&self.templates.cities).to_lowercase(),
            "MN" => (*lot
                .of(&["May", "June", "April", "August", "May", "June", "Jan", "July", "March"]))
            .to_owned(),
            "O" if lot.percent(25) => self.invented(),
            "O" => lot.of(&self.templates.brands).clone(),
            "Y" => place("city", lot),
            "K" => place("country", lot),
            "M" => place("month", lot),
            "W" => place("day", lot),
            "S" => {
                let street = place("street", lot);
                format!("{street} {}", 1 + lot.below(200))
            }
            "E" => format!(
                "{}{}@{}.com",
                place("city", lot).to_lowercase().replace(' ', "."),
                lot.below(90),
                "example"
            ),
            "P" => format!(
                "+{} {} {}",
                1 + lot.below(98),
                100 + lot.below(900),
                100_000 + lot.below(899_999)
            ),
            "D" => match lot.below(4) {
                0 => format!("{}.{}.{}", 1 + lot.below(28), 1 + lot.below(12), 2019 + lot.below(8)),
                1 => format!("2024-0{}-1{}", 1 + lot.below(9), lot.below(9)),
                2 => format!("{}/{}/{}", 1 + lot.below(12), 1 + lot.below(28), 2019 + lot.below(8)),
                _ => {
                    format!("{} {} {}", 1 + lot.below(28), place("month", lot), 2019 + lot.below(8))
                }
            },
            "R" => match lot.below(4) {
                0 => format!("#{}", 10_000 + lot.below(990_000)),
                1 => format!("INV-{}", 1000 + lot.below(9000)),
                2 => format!("ORD{}", 100_000 + lot.below(900_000)),
                _ => format!("{}", 1_000_000 + lot.below(9_000_000)),
            },
            _ => format!("{}", 1 + lot.below(500)),
        }
    }

    /// A product that nobody has heard of.
    fn invented(&mut self) -> String {
        let [names, trades, _] = &self.templates.companies;
        let (a, b) = (self.lot.of(names).clone(), self.lot.of(trades).to_lowercase());
        let ends = [
            "ly", "ify", "io", "hub", "desk", "board", "wise", "flow", "kit", "base", "pay",
            "sync", "box", "app", "cart", "mail", "chat", "track", "link", "loop", "works", "ware",
            "stack", "point", "spot", "space", "dash", "lane", "forge", "grid",
        ];
        match self.lot.below(6) {
            0 => format!("{a}{b}"),
            1 | 2 => format!("{a}{}", self.lot.of(&ends)),
            // Any word may be the first half.
            3 | 4 => {
                let word = self.word();
                let mut chars = word.chars();
                let first: String = chars.next().map(large).into_iter().collect();
                format!("{first}{}{}", chars.as_str(), self.lot.of(&ends))
            }
            _ => {
                let b = self.people.somebody("en", self.held, self.lot).last;
                let half: String = b.chars().take(4).collect();
                format!("{half}{}", self.lot.of(&ends))
            }
        }
    }

    /// A word in small letters that no list has: misspelt, made of two, or of the trade.
    fn jargon(&mut self) -> String {
        match self.lot.below(4) {
            0 => self.invented().to_lowercase(),
            1 => self.lot.of(&self.templates.trade).clone(),
            2 => format!("{}-{}", self.word(), self.word()),
            _ => {
                let word = self.word();
                slips(&word, self.lot)
            }
        }
    }

    /// A short word in small letters from the catalogues.
    fn word(&mut self) -> String {
        let sides = self.corpus.sentences.get("en");
        let text = sides.map_or("", |s| self.lot.of(&s[usize::from(self.held)]).as_str());
        let short =
            |w: &&str| (3..8).contains(&w.len()) && w.bytes().all(|b| b.is_ascii_lowercase());
        let words: Vec<&str> = text.split(' ').filter(short).collect();
        if words.is_empty() { "cloud".to_owned() } else { (*self.lot.of(&words)).to_owned() }
    }

    fn company(&mut self) -> String {
        let [names, trades, forms] = &self.templates.companies;
        let (name, trade, form) =
            (self.lot.of(names).clone(), self.lot.of(trades).clone(), self.lot.of(forms).clone());
        let family = self.people.somebody(self.language, self.held, self.lot).last;
        match self.lot.below(8) {
            0 => format!("{name} {trade}"),
            1 => format!("{name} {trade} {form}"),
            2 => format!("{name}{} {form}", trade.to_lowercase()),
            3 => format!("{family} {form}"),
            4 => format!("{family} {trade}"),
            5 => format!("{family} & Partners"),
            6 => format!("{family} {trade} {form}"),
            _ => format!("{name} {form}"),
        }
    }
}
