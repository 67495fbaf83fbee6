//! What is known of words: the gazetteers, the names of many locales, the words of many languages, the cues.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use names::table::Code;
use names::token::hash_of;

use crate::Outcome;

/// Births in the US since 1880 that make a first name common, or at least known.
const FIRST: [u64; 2] = [4_000, 500];
/// Ranks in the US census that make a surname common, or at least known.
const LAST: [u64; 2] = [5_000, 14_000];

#[derive(Default, Clone, Copy)]
struct Known {
    first: u8,
    last: u8,
    word: u8,
}

/// Codes by the hash of the word, in the order of hashes.
pub(crate) fn build(data: &Path, tables: &Path, templates: &Path) -> Outcome<BTreeMap<u64, Code>> {
    let mut known = BTreeMap::<u64, Known>::new();
    gazetteers(data, &mut known)?;
    names(tables, &mut known)?;
    words(tables, templates, &mut known)?;
    let mut out: BTreeMap<u64, Code> = known
        .into_iter()
        .map(|(hash, k)| (hash, Code::of(k.first, k.last, k.word)))
        .filter(|(_, c)| c.0 > 0)
        .collect();
    for line in fs::read_to_string(templates.join("cues.txt"))?.lines() {
        let mut words = line.split_whitespace();
        let code = match words.next() {
            Some("greeting") => Code::GREETING,
            Some("title") => Code::TITLE,
            Some("farewell") => Code::FAREWELL,
            Some("saying") => Code::SAYING,
            Some("particle") => Code::PARTICLE,
            _ => continue,
        };
        for word in words {
            out.insert(hash_of(word), code);
        }
    }
    Ok(out)
}

fn gazetteers(data: &Path, known: &mut BTreeMap<u64, Known>) -> Outcome<()> {
    for (file, first) in [("first_ssa.tsv", true), ("last_census1990.tsv", false)] {
        for line in fs::read_to_string(data.join("gazetteer").join(file))?.lines() {
            let mut columns = line.split('\t');
            let (Some(name), Some(number)) = (columns.next(), columns.next()) else { continue };
            let number: u64 = number.parse()?;
            let is_word = columns.next() == Some("1");
            let level = if first {
                FIRST.iter().filter(|least| number >= **least).count()
            } else {
                LAST.iter().filter(|most| number <= **most).count()
            } as u8;
            if level == 0 || name.len() < 2 {
                continue;
            }
            let entry = known.entry(hash_of(name)).or_default();
            let part = if first { &mut entry.first } else { &mut entry.last };
            *part = level.max(*part);
            entry.word = entry.word.max(u8::from(is_word));
        }
    }
    Ok(())
}

fn names(tables: &Path, known: &mut BTreeMap<u64, Known>) -> Outcome<()> {
    for line in fs::read_to_string(tables.join("names.tsv"))?.lines() {
        let mut columns = line.split('\t');
        let (Some(locale), Some(part), Some(name)) =
            (columns.next(), columns.next(), columns.next())
        else {
            continue;
        };
        // Long lists of small locales cost more room than they find names.
        if matches!(
            locale,
            "is_IS"
                | "ga_IE"
                | "ta_IN"
                | "bg_RO"
                | "bg_BG"
                | "or_IN"
                | "si_LK"
                | "ka_GE"
                | "hy_AM"
                | "ne_NP"
                | "th_TH"
                | "mk_MK"
                | "gu_IN"
                | "mr_IN"
        ) {
            continue;
        }
        let rare = matches!(
            locale,
            "en_KE"
                | "sk_SK"
                | "el_RO"
                | "ru_RO"
                | "uk_RO"
                | "zu_ZA"
                | "tw_GH"
                | "uz_UZ"
                | "az_AZ"
                | "et_EE"
                | "lt_LT"
                | "lv_LV"
                | "hr_HR"
                | "sl_SI"
        );
        let level = if rare { 1 } else { 2 };
        for word in name.split(' ').filter(|w| w.chars().count() > 1 || !w.is_ascii()) {
            let small = word.chars().next().is_some_and(char::is_lowercase);
            if small {
                continue;
            }
            let entry = known.entry(hash_of(word)).or_default();
            let part = if part == "first" { &mut entry.first } else { &mut entry.last };
            *part = level.max(*part);
        }
    }
    Ok(())
}

fn words(tables: &Path, templates: &Path, known: &mut BTreeMap<u64, Known>) -> Outcome<()> {
    let mut put = |word: &str, level: u8| {
        let entry = known.entry(hash_of(word)).or_default();
        entry.word = entry.word.max(level);
    };
    for line in fs::read_to_string(tables.join("words.tsv"))?.lines() {
        let Some((word, level)) = line.split_once('\t') else { continue };
        put(word, level.parse()?);
    }
    for line in fs::read_to_string(tables.join("calendar.tsv"))?.lines() {
        let mut columns = line.split('\t').skip(2);
        if let Some(word) = columns.next().filter(|w| !w.contains(' ') && w.chars().count() > 2) {
            put(word, 2);
        }
    }
    for line in
        fs::read_to_string(templates.join("brands.txt"))?.lines().filter(|l| !l.starts_with('#'))
    {
        line.split('|').filter(|w| !w.contains(' ')).for_each(|word| put(word, 2));
    }
    for line in
        fs::read_to_string(templates.join("fillers.txt"))?.lines().filter(|l| !l.starts_with('#'))
    {
        line.split('|').filter(|w| !w.contains([' ', '.'])).for_each(|word| put(word, 1));
    }
    // A town that nobody is named after is as good as a word.
    for line in fs::read_to_string(tables.join("places.tsv"))?.lines() {
        let mut columns = line.split('\t');
        let (Some(locale), Some(kind), Some(place)) =
            (columns.next(), columns.next(), columns.next())
        else {
            continue;
        };
        let whole = !place.contains(' ') && place.is_ascii() && place.len() > 3;
        let near = ["de", "fr", "es", "it", "nl", "pt", "pl", "fi", "no"]
            .iter()
            .any(|l| locale.starts_with(l));
        if whole && near && matches!(kind, "city" | "region") {
            let entry = known.entry(hash_of(place)).or_default();
            if entry.first == 0 && entry.last == 0 {
                entry.word = entry.word.max(1);
            }
        }
    }
    Ok(())
}
