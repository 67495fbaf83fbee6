//! The sentences that names are put into.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::Outcome;
use crate::people::is_held_back;

/// The templates of one language: to learn from and held back; with names and without.
#[derive(Default)]
pub(crate) struct Language {
    with: [Vec<String>; 2],
    without: [Vec<String>; 2],
}

impl Language {
    /// Those with names, or those without.
    pub(crate) fn lines(&self, named: bool, held: bool) -> &[String] {
        if named { &self.with[usize::from(held)] } else { &self.without[usize::from(held)] }
    }
}

pub(crate) struct Templates {
    pub(crate) languages: BTreeMap<String, Language>,
    /// Parts of sentences by language and kind (`V`, `I`, `T`, `W`): to learn from and held back.
    pub(crate) phrases: BTreeMap<String, [Vec<String>; 2]>,
    pub(crate) brands: Vec<String>,
    pub(crate) cities: Vec<String>,
    /// Words of the trade, in small letters.
    pub(crate) trade: Vec<String>,
    pub(crate) organisations: Vec<String>,
    /// The parts of a company's name: what it is called, what it does, what form it has.
    pub(crate) companies: [Vec<String>; 3],
}

pub(crate) fn read(folder: &Path) -> Outcome<Templates> {
    let mut languages = BTreeMap::<String, Language>::new();
    let mut name = String::new();
    for line in fs::read_to_string(folder.join("messages.txt"))?.lines() {
        if let Some(section) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            name = section.to_owned();
        }
        let Some((sign @ ("+" | "-"), text)) = line.split_at_checked(1) else { continue };
        let language = languages.entry(name.clone()).or_default();
        let side = usize::from(is_held_back(text));
        let list = if sign == "+" { &mut language.with } else { &mut language.without };
        let text = text.strip_prefix(' ').unwrap_or(text);
        list[side].push(text.replace("\\n", "\n").replace("\\t", "\t"));
    }
    // Lists, tables and headers look alike in all languages.
    let all = languages.remove("*").unwrap_or_default();
    for language in languages.values_mut() {
        for side in 0..2 {
            language.with[side].extend(all.with[side].iter().cloned());
            language.without[side].extend(all.without[side].iter().cloned());
        }
    }
    let mut phrases = BTreeMap::<String, [Vec<String>; 2]>::new();
    for line in fs::read_to_string(folder.join("phrases.txt"))?.lines() {
        if let Some(section) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            name = section.to_owned();
        } else if !line.starts_with('#') {
            for phrase in line.split('|') {
                phrases.entry(name.clone()).or_default()[usize::from(is_held_back(phrase))]
                    .push(phrase.to_owned());
            }
        }
    }
    let bars = |line: &str| line.split('|').map(str::to_owned).collect::<Vec<_>>();
    let plain = |file: &str| -> Outcome<Vec<Vec<String>>> {
        Ok(fs::read_to_string(folder.join(file))?
            .lines()
            .filter(|l| !l.starts_with('#'))
            .map(bars)
            .collect())
    };
    let brands = plain("brands.txt")?.concat();
    let cities = plain("cities.txt")?.concat();
    let trade = plain("trade.txt")?.concat();
    let organisations = plain("organisations.txt")?.concat();
    let companies =
        plain("fillers.txt")?.try_into().map_err(|_| "fillers.txt wants three lines")?;
    Ok(Templates { languages, phrases, brands, cities, trade, organisations, companies })
}
