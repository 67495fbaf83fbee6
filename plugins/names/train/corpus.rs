//! What `corpus.py` gathered: sentences without names, tweets with names, places.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::people::{Lot, is_held_back};
use crate::{Outcome, Sample};

pub(crate) struct Corpus {
    /// Sentences of message catalogues by language: to learn from and held back.
    pub(crate) sentences: BTreeMap<String, [Vec<String>; 2]>,
    /// Places by language, then by kind.
    places: BTreeMap<(String, String), Vec<String>>,
    tweets: Vec<(String, Sample)>,
}

impl Corpus {
    pub(crate) fn read(tables: &Path) -> Outcome<Self> {
        let mut sentences = BTreeMap::<String, [Vec<String>; 2]>::new();
        for line in fs::read_to_string(tables.join("sentences.tsv"))?.lines() {
            let Some((language, text)) = line.split_once('\t') else { continue };
            let side = usize::from(is_held_back(text));
            sentences.entry(language.to_owned()).or_default()[side].push(text.replace("\\n", "\n"));
        }
        let mut places = BTreeMap::<_, Vec<String>>::new();
        for line in fs::read_to_string(tables.join("places.tsv"))?.lines() {
            let mut columns = line.split('\t');
            let (Some(locale), Some(kind), Some(place)) =
                (columns.next(), columns.next(), columns.next())
            else {
                continue;
            };
            let language = locale.get(..2).unwrap_or("en").replace("no", "nb");
            places.entry((language, kind.to_owned())).or_default().push(place.to_owned());
        }
        for line in fs::read_to_string(tables.join("calendar.tsv"))?.lines() {
            let mut columns = line.split('\t');
            let (Some(language), Some(kind), Some(word)) =
                (columns.next(), columns.next(), columns.next())
            else {
                continue;
            };
            if word.chars().all(|c| c.is_alphabetic() || c == ' ') && word.chars().count() > 2 {
                places
                    .entry((language.to_owned(), kind.to_owned()))
                    .or_default()
                    .push(word.to_owned());
            }
        }
        let tweets = fs::read_to_string(tables.join("wnut.tsv"))?.lines().map(tweet).collect();
        Ok(Self { sentences, places, tweets })
    }

    /// A place, month or day of this language, or an English one.
    pub(crate) fn place(&self, language: &str, kind: &str, lot: &mut Lot) -> &str {
        let own = self.places.get(&(language.to_owned(), kind.to_owned()));
        let english = self.places.get(&("en".to_owned(), kind.to_owned()));
        let list = own.filter(|_| lot.percent(85)).or(english).or(own);
        list.filter(|l| !l.is_empty()).map_or("Berlin", |l| lot.of(l).as_str())
    }

    /// The tweets of a part of WNUT-17.
    pub(crate) fn tweets(&self, part: &str) -> Vec<Sample> {
        self.tweets.iter().filter(|(p, _)| p == part).map(|(_, s)| s.clone()).collect()
    }

    /// Sentences without names that nothing was learned from.
    pub(crate) fn held_back(&self) -> Vec<Sample> {
        let texts = self.sentences.values().flat_map(|sides| &sides[1]);
        texts.map(|text| Sample { text: text.clone(), names: Vec::new() }).collect()
    }
}

/// A line of `wnut.tsv`: the part, then tokens each with its label before it.
fn tweet(line: &str) -> (String, Sample) {
    let mut columns = line.split('\t');
    let part = columns.next().unwrap_or("").to_owned();
    let mut sample = Sample::default();
    let mut quoted = false;
    for column in columns {
        let Some((label, token)) = column.split_once(' ') else { continue };
        let closes = token.starts_with(['.', ',', '!', '?', ':', ';', ')', '\'', '%', '’'])
            || token == "n't";
        if !(sample.text.is_empty() || closes || quoted) {
            sample.text.push(' ');
        }
        quoted = token == "(" || token == "@" || token == "#";
        let from = sample.text.len();
        sample.text.push_str(token);
        match (label, sample.names.last_mut()) {
            ("I", Some(name)) => name.1 = sample.text.len(),
            ("B" | "I", _) => sample.names.push((from, sample.text.len())),
            _ => {}
        }
    }
    (part, sample)
}
