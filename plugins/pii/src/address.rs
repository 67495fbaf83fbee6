//! Postal addresses of many countries, by what their lines are made of.
//!
//! A line of an address has a street (by its kind: `Street`, `rue`, `-straße`) with a number, or a
//! postal code with a town. From such an anchor the address is followed over commas and line ends as
//! long as the words look like parts of one.

use crate::check::{is_inward, is_outward};
use crate::hit::Hit;
use crate::lexicon as lex;
use crate::text::{Text, Word};
use kit::kinds;
use std::ops::Range;

/// Ends of words that are streets.
const TAILS: &[&str] = &[
    "strasse", "str", "weg", "platz", "gasse", "allee", "ring", "damm", "ufer", "straat", "laan",
    "plein", "kade", "gracht", "singel", "dreef", "gatan", "vagen", "gade", "vej", "veien",
    "vegen", "gata", "gate", "katu", "tie", "polku", "stieg", "chaussee", "utca", "haugen", "lia",
    "bakken", "torget", "toppen", "stien", "tunet", "berget", "dalen", "vangen", "viken", "marka",
    "sletta", "skogen",
];

/// Words of streets that are written small. Sorted.
#[rustfmt::skip]
const SMALL: &[&str] = &[
    "aleja", "allee", "avenida", "avenue", "boulevard", "calle", "chemin", "corso", "faubourg",
    "gade", "gata", "gate", "impasse", "kade", "katu", "korut", "laan", "passage", "piazza",
    "plac", "place", "plaza", "plein", "quai", "rang", "rua", "rue", "ruelle", "sac", "sentier", "straat",
    "strasse", "street", "ter", "tie", "travessa", "ul", "ulica", "ut", "utca", "vei", "vej",
    "viale", "vicolo", "weg",
];

/// Small words inside of a street's name.
const JOINTS: &[&str] =
    &["aux", "degli", "dei", "del", "della", "delle", "des", "dos", "het", "las", "les", "los"];

/// What a word may be in an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Of a street's kind.
    Street,
    /// A house's number, or one of a postal code.
    Number,
    /// A code of letters and digits.
    Code,
    /// A name of a street or a town.
    Name,
    /// A word that joins: `de`, `la`, `Apt`.
    Joint,
}

fn role(text: &Text<'_>, word: &Word) -> Option<Role> {
    let folded = text.folded(word);
    if word.digit && !word.letter {
        return (word.len() <= 7).then_some(Role::Number);
    }
    if word.digit {
        let short = word.len() <= 6
            && (!folded.bytes().any(|b| b.is_ascii_lowercase())
                || text.plain(word).bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
                || word.len() <= 4);
        return short.then_some(Role::Code);
    }
    if word.is(lex::STREET)
        && (word.capital || !folded.is_ascii() || SMALL.binary_search(&folded).is_ok())
        || tail(folded) && word.capital
    {
        return Some(Role::Street);
    }
    if matches!(folded, "bis" | "quater") {
        return Some(Role::Number);
    }
    if word.is(lex::UNIT | lex::PARTICLE) || word.len() == 1 || JOINTS.contains(&folded) {
        return Some(Role::Joint);
    }
    let other = lex::GREETING
        | lex::CLOSING
        | lex::PHONE
        | lex::EMAIL
        | lex::THING
        | lex::BIRTH
        | lex::CARD
        | lex::IP
        | lex::TO_PERSON;
    // "Pagès" is no page: what is written with accents is a name before it is a word of ours.
    let other = if text.plain(word).is_ascii() { other } else { other & !lex::THING };
    if word.capital
        && (word.class & other == 0 || word.is(lex::COUNTRY) || word.is(lex::STATE) && word.shouted)
    {
        return Some(Role::Name);
    }
    None
}

fn tail(folded: &str) -> bool {
    folded.len() >= 6 && TAILS.iter().any(|t| folded.ends_with(t))
}

/// Addresses of a text.
pub(crate) fn find(text: &Text<'_>, hits: &mut Vec<Hit>) {
    let mut i = 0;
    while i < text.words.len() {
        let Some(words) = anchor(text, i) else {
            i += 1;
            continue;
        };
        let words = follow(text, words);
        let words = crate::signature::above(text, words.start).unwrap_or(words.start)..words.end;
        let (Some(first), Some(last)) =
            (text.words.get(words.start), text.words.get(words.end - 1))
        else {
            return;
        };
        hits.push(Hit::new(first.start..last.end, kinds::ADDRESS, 80, "shape"));
        i = words.end.max(i + 1);
    }
}

/// Whether what stands between two words may stand inside of an address's line.
fn within(gap: &str) -> bool {
    gap.len() <= 3
        && gap
            .chars()
            .all(|c| matches!(c, ' ' | '-' | '.' | '\'' | '/' | '#' | '\u{ba}' | '\u{b0}' | ','))
        && gap.matches(',').count() <= 1
}

/// The words of a street with its number, or of a postal code with its town, around a word.
fn anchor(text: &Text<'_>, i: usize) -> Option<Range<usize>> {
    let word = text.words.get(i)?;
    if (word.is(lex::STREET) || word.letter && word.len() >= 6 && tail(text.folded(word)))
        && role(text, word) == Some(Role::Street)
        && let Some(words) = street(text, i)
    {
        return Some(words);
    }
    if let Some(words) = box_of(text, i) {
        return Some(words);
    }
    if !word.digit && word.len() >= 9 && eastern(text, word) {
        return Some(i..i + 1);
    }
    if word.digit {
        return postal(text, i);
    }
    None
}

/// Words behind which Hungarian writes what kind of street it is: "Kossuth lajos utca".
const BEHIND: &[&str] = &["utca", "ut", "ter", "korut", "setany", "sor", "koz"];

/// Whether a small word stands between a street's first name and its kind.
fn is_second_name(text: &Text<'_>, k: usize) -> bool {
    let (Some(word), Some(kind)) = (text.words.get(k), text.words.get(k + 1)) else { return false };
    let before = k.checked_sub(1).and_then(|n| text.words.get(n));
    !word.capital
        && !word.digit
        && word.class == 0
        && word.len() >= 3
        && BEHIND.contains(&text.folded(kind))
        && text.gap(k) == " "
        && before.is_some_and(|it| role(text, it) == Some(Role::Name) && text.gap(k - 1) == " ")
}

/// A street's kind with a name and a number on its line, in any order.
fn street(text: &Text<'_>, i: usize) -> Option<Range<usize>> {
    let ok = |k: usize| {
        let of = text.words.get(k).and_then(|w| role(text, w));
        of.or_else(|| is_second_name(text, k).then_some(Role::Name))
    };
    let (mut first, mut last) = (i, i);
    let mut steps = 0;
    // Backwards: names and a number.
    let (mut number, mut names) = (None, usize::from(tail(text.folded(text.words.get(i)?))));
    while first > 0 && steps < 5 && within(text.gap(first - 1)) {
        let Some(r) = ok(first - 1) else { break };
        let gap = text.gap(first - 1);
        if r == Role::Number || r == Role::Code {
            if gap.contains('.') || gap.contains(',') && first < i && r == Role::Code {
                break;
            }
            number = Some(first - 1);
            first -= 1;
            break;
        }
        if gap.contains(',') || gap.contains('.') {
            break;
        }
        if r == Role::Joint && text.words.get(first - 1).is_none_or(|w| !w.capital) && first == i {
            break;
        }
        names += usize::from(r == Role::Name || r == Role::Street);
        first -= 1;
        steps += 1;
    }
    if number.is_some() && names == 0 && text.gap(i) == " " {
        // Over "de la" and the like.
        let next = (i + 1..i + 4).find(|k| ok(*k) != Some(Role::Joint));
        let next = next.filter(|k| (i + 1..*k).all(|n| text.gap(n) == " "));
        names +=
            usize::from(next.and_then(ok).is_some_and(|r| matches!(r, Role::Name | Role::Street)));
    }
    if number.is_none() {
        // What stands before a street's own name, such as "In der", is left; names of people are too.
        first = i;
        if names > 0 && i > 0 && text.gap(i - 1) != ". " {
            let mut k = i;
            while k > 0
                && i - k < 3
                && matches!(text.gap(k - 1), " " | "-" | "'")
                && ok(k - 1) == Some(Role::Name)
                && text.words.get(k - 1).is_some_and(|w| w.class & lex::TO_PERSON == 0)
            {
                k -= 1;
            }
            first = k;
        }
        steps = 0;
        while steps < 7 && within(text.gap(last)) {
            let Some(r) = ok(last + 1) else { break };
            last += 1;
            steps += 1;
            names += usize::from(r == Role::Name || r == Role::Street);
            if r == Role::Number || r == Role::Code {
                number = Some(last);
                break;
            }
        }
    }
    let number = number?;
    let spelled = text.words.get(number)?;
    let size = spelled.len();
    if names == 0
        || size > 6
        || text
            .char_before(spelled.start)
            .is_some_and(|c| matches!(c, '$' | '\u{20ac}' | '\u{a3}' | '+'))
    {
        return None;
    }
    // "Main Street, the 4 of us": the number is near and is no amount.
    let end = last.max(number).max(i);
    let percent = text.gap(end).starts_with(['%', '$', '\u{20ac}']);
    (!percent).then_some(first..end + 1)
}

/// A postal code with a town: `12345 Berlin`, `1234 AB Delft`, `SW1A 2AA`, `Austin, TX 78701`.
fn postal(text: &Text<'_>, i: usize) -> Option<Range<usize>> {
    let word = text.words.get(i)?;
    let plain = text.plain(word);
    let next = text.words.get(i + 1);
    let near = text.gap(i) == " ";
    if is_outward(plain) && near && next.is_some_and(|w| is_inward(text.plain(w))) {
        return Some(i..i + 2);
    }
    if let [a, b, c, d, e, f] = plain.as_bytes()
        && [a, b, c, d].iter().all(|x| x.is_ascii_digit())
        && e.is_ascii_uppercase()
        && f.is_ascii_uppercase()
        && near
        && next.is_some_and(|w| w.capital && !w.digit)
    {
        return Some(i..i + 2);
    }
    if word.letter {
        return eastern(text, word).then_some(i..i + 1);
    }
    let before = text.char_before(word.start);
    let opens = matches!(before, None | Some(',' | '\n')) || is_country(text, i);
    let named = |k: usize| {
        text.words.get(k).is_some_and(|w| {
            w.capital
                && !w.shouted
                && w.letter
                && !w.digit
                && w.class & (lex::MONTH | lex::THING) == 0
        })
    };
    let state = i
        .checked_sub(1)
        .and_then(|n| text.words.get(n))
        .is_some_and(|w| w.is(lex::STATE) && w.shouted && text.gap(i - 1) == " ");
    match plain.len() {
        6 if plain_town(text, i) => Some(i..i + 2),
        // "г. Town": a letter says what the place is.
        6 if opens
            && near
            && next.is_some_and(|w| w.is(lex::UNIT) && w.len() <= 4)
            && text.gap(i + 1) == ". "
            && named(i + 2) =>
        {
            Some(i..i + 3)
        }
        8 if opens && near && named(i + 1) && before.is_some() => Some(i..i + 2),
        5 if text.gap(i) == "-"
            && next.is_some_and(|w| w.len() == 3 && !w.letter)
            && named(i + 2) =>
        {
            Some(i..i + 3)
        }
        5 if state => Some(i.saturating_sub(1)..i + 1),
        4 if near && next.is_some_and(|w| w.shouted && w.len() == 2) && named(i + 2) && opens => {
            Some(i..i + 3)
        }
        4 | 5 if near && named(i + 1) && opens && before.is_some() => Some(i..i + 2),
        2 if text.gap(i) == "-"
            && next.is_some_and(|w| w.len() == 3 && !w.letter)
            && named(i + 2)
            && opens =>
        {
            Some(i..i + 3)
        }
        3 if near && next.is_some_and(|w| w.len() == 2 && !w.letter) && named(i + 2) && opens => {
            Some(i..i + 3)
        }
        4 if text.gap(i) == "-"
            && next.is_some_and(|w| w.len() == 3 && !w.letter)
            && named(i + 2)
            && opens =>
        {
            Some(i..i + 3)
        }
        _ => None,
    }
}

/// Whether a country's letters stand before a postal code: `D-10115`.
fn is_country(text: &Text<'_>, i: usize) -> bool {
    i > 0
        && text.gap(i - 1) == "-"
        && text.words.get(i - 1).is_some_and(|w| w.capital && w.len() <= 2 && !w.digit)
        && (i < 2 || text.gap(i - 2) != "-")
}

/// Six digits before a town, after a comma or a line's end.
fn plain_town(text: &Text<'_>, i: usize) -> bool {
    let (Some(word), Some(next)) = (text.words.get(i), text.words.get(i + 1)) else { return false };
    let before = text.char_before(word.start);
    matches!(before, Some(',' | '\n'))
        && text.gap(i) == " "
        && next.capital
        && !next.shouted
        && !next.digit
        && next.class & (lex::MONTH | lex::THING) == 0
}

/// A word of Chinese, Japanese or Korean that has a number and a mark of a place.
fn eastern(text: &Text<'_>, word: &Word) -> bool {
    const MARKS: &str = "街路号號弄室座楼樓巷丁目番地町村区區市县縣省都府道郡州";
    let plain = text.plain(word);
    !plain.is_ascii() && plain.chars().filter(|c| MARKS.contains(*c)).count() >= 1
}

/// `PO Box 4412`, `P.O. Box 12`, `Postfach 10 20 30`, `Apartado 99`.
fn box_of(text: &Text<'_>, i: usize) -> Option<Range<usize>> {
    let word = text.words.get(i)?;
    let (first, last) = match text.folded(word) {
        "box" => {
            let short = |k: usize| text.words.get(k).map(|w| text.folded(w));
            let po = i.checked_sub(1).filter(|k| short(*k) == Some("po"));
            let spaced =
                i.checked_sub(2).filter(|k| short(*k) == Some("p") && short(k + 1) == Some("o"));
            (po.or(spaced)?, i)
        }
        "postfach" | "postbus" | "postboks" | "apartado" => (i, i),
        _ => return None,
    };
    let number = text.words.get(last + 1)?;
    let near = matches!(text.gap(last), " " | " No. " | ": " | " #");
    (near && number.digit && !number.letter).then_some(first..last + 2)
}

/// Follows an address from its anchor to both sides.
fn follow(text: &Text<'_>, anchor: Range<usize>) -> Range<usize> {
    let Range { mut start, mut end } = anchor;
    // Forwards, over the postal code and the town.
    let mut steps = 0;
    let mut coded: Option<usize> = None;
    while steps < 9 {
        let gap = text.gap(end - 1);
        let line = gap.contains('\n');
        let Some(word) = text.words.get(end) else { break };
        let Some(r) = role(text, word) else { break };
        let unit = text.words.get(end - 1).is_some_and(|w| w.is(lex::UNIT) && !w.capital);
        let abbreviated = text.words.get(end - 1).is_some_and(|w| w.len() <= 4);
        let ok = if line {
            gap.trim().len() <= 1 && gap.matches('\n').count() <= 2 && begins_postal_line(text, end)
        } else {
            within(gap)
                && (gap != ". "
                    || abbreviated && (r != Role::Name || unit)
                    || matches!(r, Role::Number))
        };
        if !ok || word.digit && text.char_before(word.start) == Some('+') {
            break;
        }
        // Behind a postal code come no more than two words of a town.
        let last = text.words.get(end - 1);
        if last.is_some_and(|w| w.digit && w.len() >= 3 || is_inward(text.plain(w))) {
            coded = Some(0);
            if last.is_some_and(|w| is_inward(text.plain(w))) && gap == " " {
                break;
            }
        }
        if line || gap.contains([',', '-']) {
            coded = coded.map(|_| 0);
        }
        if let Some(n) = &mut coded {
            *n += 1;
            if *n > 2 {
                break;
            }
        }
        if line && word.len() == 1 {
            break;
        }
        end += 1;
        steps += 1;
    }
    while end > start + 1
        && text.words.get(end - 1).is_some_and(|w| w.is(lex::PARTICLE) && !w.capital && !w.digit)
    {
        end -= 1;
    }
    // Backwards: a house's or a flat's name before a comma, a town before a postal code.
    steps = 0;
    while start > 0 && steps < 6 {
        let gap = text.gap(start - 1);
        let Some(word) = text.words.get(start - 1) else { break };
        let comma = gap == ", " || gap == " " || gap == "\n";
        if !comma || gap == "\n" && !word.digit {
            break;
        }
        match role(text, word) {
            Some(Role::Name)
                if gap == ", " || steps > 0 || text.words.get(start).is_some_and(|w| w.digit) => {}
            Some(Role::Number | Role::Code | Role::Street) => {}
            Some(Role::Joint) if word.is(lex::UNIT) && word.capital => {}
            _ => break,
        }
        start -= 1;
        steps += 1;
    }
    start..end
}

/// Whether the line that begins at a word goes on with an address: it has a postal code soon.
fn begins_postal_line(text: &Text<'_>, from: usize) -> bool {
    let line =
        text.words.get(from..from + 6).or_else(|| text.words.get(from..)).unwrap_or_default();
    let mut ok = false;
    for (n, word) in line.iter().enumerate() {
        if n > 0 && text.gap(from + n - 1).contains('\n') {
            break;
        }
        match role(text, word) {
            Some(Role::Number | Role::Code) => {
                ok |= word.len() >= 3 && text.char_before(word.start) != Some('+')
            }
            Some(_) => {}
            None => break,
        }
    }
    ok
}
