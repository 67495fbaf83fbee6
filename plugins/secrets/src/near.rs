//! The value behind a cue: `password: Thunder507`, `our API key, for now, is ...`, `X is my password`.
//!
//! How much a word must look like a secret depends on how plainly the text says that it is one: after
//! a colon nearly anything is a password, three words behind the cue only what no prose holds.

use crate::Hit;
use crate::bytes::{BASE64, TOKEN, at, before, ceil, is, part, run_within, within};
use crate::cues::{COPULA, CUES, DIGEST, HARMLESS, NOVALUE};
use crate::grade::{Grade, grade, numbered};
use crate::measure::{Make, base64, placeholder, uuid};

/// What a cue announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    /// A password.
    Password,
    /// A key or token, without doubt.
    Strong,
    /// A key or token, or something else of that name.
    Weak,
    /// Several words.
    Phrase,
    /// Digits that prove somebody.
    Code,
    /// A name and a password.
    Login,
    /// The credentials of a bearer.
    Bearer,
    /// A name and a password in base64.
    Basic,
}

/// How plainly the text says that the value comes now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Said {
    Not,
    /// A word such as `is`.
    Copula,
    /// `:` or `=`.
    Sign,
}

/// The longest word that is looked at.
const LONGEST: usize = 512;
/// How many words may stand between a cue and its value.
const FAR: usize = 7;

/// A word behind a cue.
struct Candidate<'t> {
    start: usize,
    end: usize,
    word: &'t str,
    said: Said,
    quoted: bool,
    skipped: usize,
    /// Nothing else stands in the sentence behind it.
    last: bool,
}

/// Looks for the value behind a cue that ends at a place. What is looked at is taken from a budget, so
/// that a text of nothing but cues costs no more than its length; without any left, only the next word
/// is looked at.
pub(crate) fn forward(text: &str, from: usize, ask: Ask, budget: &mut usize) -> Option<Hit> {
    let (mut place, mut said) = separators(text, from, Said::Not);
    if ask == Ask::Phrase {
        return phrase(text, place, said);
    }
    let mut skipped = 0;
    while skipped <= FAR {
        let (start, end, quoted) = word(text, place, LONGEST.min((*budget).max(64)))?;
        *budget = budget.saturating_sub(end - from.min(end));
        let candidate = Candidate {
            start,
            end,
            word: part(text, start, end),
            said,
            quoted,
            skipped,
            last: ends(text, end),
        };
        if let Some(hit) = judge(text, &candidate, ask) {
            return Some(hit);
        }
        let class = CUES.get(candidate.word);
        if class & (DIGEST | HARMLESS) != 0 && ask != Ask::Password {
            return None;
        }
        let closed = matches!(at(text, end), b'.' | b'!' | b'?' | b';')
            && (end + 1 >= text.len() || is(at(text, end + 1), crate::bytes::SPACE));
        let copula = if class & COPULA != 0 { Said::Copula } else { Said::Not };
        (place, said) = separators(text, end, copula);
        // A new line that no sign announces is another matter.
        if closed
            || *budget == 0
            || (said < Said::Sign && part(text, end, place).contains('\n'))
            || place <= end && end >= text.len()
        {
            return None;
        }
        skipped += 1;
    }
    None
}

/// Skips what stands between a cue and a word.
fn separators(text: &str, mut place: usize, mut said: Said) -> (usize, Said) {
    let mut lines = 0;
    loop {
        let rest = text.get(place..).unwrap_or("");
        let Some(c) = rest.chars().next() else { return (place, said) };
        match c {
            ':' | '=' | '：' | '→' | '＝' => said = Said::Sign,
            '-' if rest.starts_with("->") || rest.starts_with("- ") => {
                said = said.max(Said::Copula)
            }
            '–' | '—' => said = said.max(Said::Copula),
            '>' if before(text, place) == b'-' || before(text, place) == b'=' => said = Said::Sign,
            '\n' if lines < 2 => lines += 1,
            ' ' | '\t' | '\r' | '"' | '\'' | '`' | '*' | '_' | ')' | ']' | '(' | '[' | ','
            | '\u{a0}' | '“' | '”' | '„' | '«' | '»' | '‘' | '’' | '\\' => {
                // The bracket of a pseudonym belongs to the next word.
                if c == '[' && rest.starts_with("[[") {
                    return (place, said);
                }
            }
            _ => return (place, said),
        }
        place += c.len_utf8();
    }
}

/// The next word, without the punctuation around it; and whether it stands in quotes.
fn word(text: &str, start: usize, longest: usize) -> Option<(usize, usize, bool)> {
    // No secret of one word is longer; the word is cut where looking ends.
    let rest = Some(within(text, start, longest)).filter(|rest| !rest.is_empty())?;
    let opening = text.get(..start).and_then(|head| head.chars().next_back());
    let quoted = opening.is_some_and(|c| matches!(c, '"' | '\'' | '`' | '“' | '„' | '«' | '‘'));
    let close = |c: char| {
        c.is_whitespace() || matches!(c, '<' | '>' | '"' | '`' | '“' | '”' | '«' | '»' | '\u{1a}')
    };
    let length = rest.find(close).unwrap_or(rest.len());
    let mut end = start + length;
    // Prose of scripts without spaces goes on behind the value.
    if let Some(other) = part(text, start, end)
        .char_indices()
        .find(|(n, c)| *n > 0 && !c.is_ascii() && !c.is_alphabetic() || spaceless(*c))
    {
        end = if other.0 == 0 {
            start + rest.chars().next().map_or(1, char::len_utf8)
        } else {
            start + other.0
        };
    }
    // `a=b&c=d`, `a=b;c=d`: the value ends where the next name begins.
    if matches!(before(text, start), b'=') {
        let value = part(text, start, end);
        end = start + value.find(['&', ';', ',']).unwrap_or(value.len());
    }
    while end > start
        && (matches!(
            before(text, end),
            b'.' | b',' | b';' | b':' | b')' | b']' | b'}' | b'\'' | b'*' | b'\\'
        ))
    {
        end -= 1;
    }
    if end == start {
        end = ceil(text, start + 1);
    }
    Some((start, end, quoted))
}

const fn spaceless(c: char) -> bool {
    matches!(c, '\u{3000}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{ff00}'..='\u{ffef}')
}

/// Whether a sentence or line ends at a place.
fn ends(text: &str, end: usize) -> bool {
    let rest = within(text, end, 32).trim_start_matches(['"', '\'', '`', ')', '”', ' ', '*']);
    rest.is_empty()
        || rest.starts_with(['\n', '\r', '.', ',', ';', '<', '|', '/', '}', ']', '&', '\u{1a}'])
}

fn judge(text: &str, candidate: &Candidate<'_>, ask: Ask) -> Option<Hit> {
    let Candidate { start, end, word, said, .. } = *candidate;
    match ask {
        Ask::Password | Ask::Login => password(candidate, ask),
        Ask::Code => code(candidate),
        Ask::Strong | Ask::Weak => secret(candidate, ask),
        Ask::Bearer => {
            let last = run_within(text, start, TOKEN, LONGEST);
            let value = part(text, start, last).trim_end_matches('.');
            let make = Make::of(value);
            let fits = value.len() >= 16
                && make.digit > 0
                && make.lower + make.upper > 0
                && !placeholder(value)
                && candidate.skipped <= 1;
            fits.then(|| Hit::secret(start..start + value.len(), 94, "authorization"))
        }
        Ask::Basic => {
            let last = run_within(text, start, BASE64, LONGEST);
            let plain = base64(part(text, start, last), 200);
            let fits = last - start >= 8
                && candidate.skipped == 0
                && plain.contains(&b':')
                && plain.iter().all(|b| (32..127).contains(b));
            fits.then(|| Hit::secret(start..last, 96, "authorization"))
        }
        Ask::Phrase => None,
    }
    .filter(|_| !word.is_empty() && end > start && said >= Said::Not)
}

fn password(candidate: &Candidate<'_>, ask: Ask) -> Option<Hit> {
    let Candidate { start, end, word, said, quoted, skipped, last } = *candidate;
    // A plain word that nothing announces: most of what is asked.
    if said == Said::Not && !quoted && word.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return None;
    }
    let grade = grade(word);
    let hit = |confidence, reason| Some(Hit::password(start..end, confidence, reason));
    if ask == Ask::Login {
        let signed = word.bytes().any(|byte| b"!?#$%*&+@".contains(&byte));
        return if grade == Grade::Strong && signed && skipped <= 5 {
            hit(65, "near_login")
        } else {
            None
        };
    }
    match (said, grade) {
        (_, Grade::No) => None,
        (Said::Sign, Grade::Strong | Grade::Fair) if skipped == 0 => hit(95, "label"),
        (Said::Copula, Grade::Strong) if skipped <= 1 => hit(95, "label"),
        (Said::Sign, Grade::Strong | Grade::Fair) => hit(85, "label"),
        (Said::Sign, Grade::Weak) if skipped == 0 && (last || quoted) => hit(75, "label"),
        (Said::Sign, Grade::Weak) if digits(word) && last => hit(70, "label"),
        (Said::Copula, Grade::Fair) => hit(85, "label"),
        (Said::Copula, Grade::Weak) if quoted || (digits(word) && last) => hit(70, "label"),
        (_, Grade::Strong) if skipped == 0 => hit(90, "cue"),
        (_, Grade::Fair) if skipped == 0 && word.len() >= 6 => hit(80, "cue"),
        (_, Grade::Weak) if quoted && skipped == 0 && last => hit(60, "cue"),
        (_, Grade::Strong) if !numbered(word) => hit(70, "cue"),
        (_, Grade::Fair)
            if skipped <= 3 && word.len() >= 8 && !numbered(word) && !hyphened(word) =>
        {
            hit(60, "cue")
        }
        _ => None,
    }
}

fn digits(word: &str) -> bool {
    word.len() >= 4 && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// Parts with hyphens of which one is a number only, as in `TCK-32150`, `covid-19`.
fn hyphened(word: &str) -> bool {
    word.contains('-')
        && word.split('-').any(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}

fn code(candidate: &Candidate<'_>) -> Option<Hit> {
    let Candidate { start, end, word, said, skipped, .. } = *candidate;
    let bare = word.trim_start_matches(|c: char| c.is_ascii_uppercase()).trim_start_matches('-');
    let digits = bare.bytes().filter(u8::is_ascii_digit).count();
    let only = digits >= 4 && bare.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let recovery = word.contains('-') && word.len() >= 9 && digits > 0 && Make::of(word).turns > 2;
    let fits = (only && digits <= 8) || recovery;
    (fits && (said > Said::Not || skipped <= 1) && skipped <= 3)
        .then(|| Hit::secret(start..end, 80, "one_time_code"))
}

fn secret(candidate: &Candidate<'_>, ask: Ask) -> Option<Hit> {
    let Candidate { start, word, said, quoted, skipped, .. } = *candidate;
    let length =
        word.bytes().take_while(|byte| is(*byte, TOKEN) || matches!(byte, b':' | b'%')).count();
    let value = word.get(..length)?.trim_end_matches([':', '.', '-']);
    let make = Make::of(value);
    if make.digit == 0 && make.length < 24 {
        return None;
    }
    let prose = value.contains("://")
        || value.starts_with('/')
        || grade_of_other(value)
        || placeholder(value);
    if prose || make.digit == 0 && !(make.random() && make.length >= 24) {
        return None;
    }
    let hit =
        |confidence, reason| Some(Hit::secret(start..start + value.len(), confidence, reason));
    let letters = make.lower + make.upper > 0;
    match ask {
        Ask::Strong if uuid(value) && skipped <= 3 => hit(75, "label"),
        Ask::Strong
            if said > Said::Not
                && value.len() >= 10
                && letters
                && make.different >= 6
                && !hyphened(value) =>
        {
            hit(92, "label")
        }
        Ask::Strong if (make.random() || (quoted && value.len() >= 12)) && skipped <= 5 => {
            hit(85, "cue")
        }
        Ask::Weak if uuid(value) => None,
        Ask::Weak if said > Said::Not && make.random() && skipped <= 3 => hit(85, "label"),
        Ask::Weak if make.random() && value.len() >= 20 && skipped <= 3 => hit(75, "cue"),
        _ => None,
    }
}

/// E-mail addresses, files, dates.
fn grade_of_other(value: &str) -> bool {
    CUES.get(value) & NOVALUE != 0
        || (!uuid(value) && value.len() <= 128 && grade(value) == Grade::No)
}

/// Words to the end of the line.
fn phrase(text: &str, start: usize, said: Said) -> Option<Hit> {
    let rest = within(text, start, 400);
    let end = rest.find(['\n', '.', '<', '"', '”', '\u{1a}']).unwrap_or(rest.len());
    let line = rest.get(..end)?.trim_end();
    let words = line.split_whitespace().count();
    let plain = line.chars().all(|c| {
        c.is_alphanumeric() || matches!(c, ' ' | '-' | ',' | '\'' | '!' | '?' | '#' | '$')
    });
    if words == 1 && said > Said::Not && grade(line) > Grade::No {
        return Some(Hit::password(start..start + line.len(), 85, "label"));
    }
    let seed = matches!(words, 12 | 15 | 18 | 21 | 24)
        && line.split_whitespace().all(|word| (3..=9).contains(&word.len()));
    let fits = plain && (said == Said::Sign && (3..=24).contains(&words) || seed);
    fits.then(|| Hit::password(start..start + line.len(), if seed { 92 } else { 75 }, "phrase"))
}

/// `Thunder507? is my password`: the value before a cue that begins at a place.
pub(crate) fn backward(text: &str, cue: usize) -> Option<Hit> {
    let from = crate::bytes::floor(text, cue.saturating_sub(100));
    let head = text.get(from..cue)?;
    let sentence = head.rfind(['\n', ';', ':']).map_or(0, |n| n + 1);
    let mut end = head.len();
    // The word behind the one that is looked at: `as`, `is`.
    let mut behind = "";
    for step in 0..9 {
        let words = head.get(sentence..end)?.trim_end();
        let start = words.rfind(char::is_whitespace).map_or(0, |n| {
            n + words.get(n..).and_then(|w| w.chars().next()).map_or(1, char::len_utf8)
        });
        let word = words.get(start..)?;
        if word.is_empty() {
            return None;
        }
        let bare = word.trim_matches(['"', '\'', '`', '(', ')', ',', '.', '“', '”', '„', '*']);
        let lead = word.find(bare)?;
        let plain = bare.bytes().all(|byte| byte.is_ascii_alphabetic());
        if !plain && !numbered(bare) {
            let signed = bare.bytes().any(|byte| b"!?#$%*&+@".contains(&byte));
            let confidence = match grade(bare) {
                Grade::Strong if step < 5 || signed => 65,
                Grade::Strong | Grade::Fair
                    if LINKS.contains(&behind) && bare.len() >= 6 && !hyphened(bare) =>
                {
                    62
                }
                _ => 0,
            };
            if confidence > 0 {
                let start = from + sentence + start + lead;
                return Some(Hit::password(start..start + bare.len(), confidence, "cue"));
            }
        }
        if word.ends_with(['.', '!', '?']) {
            return None;
        }
        behind = word;
        end = sentence + start;
    }
    None
}

/// Words between a value and the cue behind it.
const LINKS: &[&str] = &[
    "as", "is", "als", "ist", "como", "es", "comme", "est", "come", "é", "è", "was", "for", "jako",
    "som", "как", "olarak",
];
