//! Values that stand behind a label: "Passport C01X00T47", "Kennwort: ...", "token=...".

use crate::hit::Hit;
use crate::lexicon as lex;
use crate::text::{Text, Word};
use kit::kinds;
use kit::unfold::{WALL, at};
use std::ops::Range;

/// How many words may stand between a label and its value.
const REACH: usize = 6;

/// All labelled values.
pub(crate) fn find(text: &Text<'_>, hits: &mut Vec<Hit>) {
    const CODES: u64 = lex::PASSPORT
        | lex::DRIVE
        | lex::LICENCE
        | lex::PLATE
        | lex::TAX
        | lex::NATIONAL
        | lex::DEVICE
        | lex::MEDICAL;
    for (i, word) in text.words.iter().enumerate() {
        if word.class & (CODES | lex::USERNAME | lex::SECRET | lex::CVV) == 0 {
            continue;
        }
        if word.is(CODES) {
            code(text, i, word, hits);
        }
        if word.is(lex::USERNAME) {
            username(text, i, hits);
        }
        if word.is(lex::SECRET) {
            secret(text, i, hits);
        }
        if word.is(lex::CVV) {
            cvv(text, i, hits);
        }
    }
}

/// What a code behind a label is, and how it may look.
struct Shape {
    kind: &'static str,
    digits: usize,
    least: usize,
    most: usize,
    confidence: u8,
    /// How many words may lie between.
    reach: usize,
}

fn shape(text: &Text<'_>, i: usize, word: &Word) -> Option<Shape> {
    let near = |class: u64| {
        text.words
            .get(i.saturating_sub(2)..i + 3)
            .or_else(|| text.words.get(i.saturating_sub(2)..))
            .is_some_and(|w| w.iter().any(|w| w.is(class)))
    };
    let of = |kind, digits, least, most, confidence, reach| {
        Some(Shape { kind, digits, least, most, confidence, reach })
    };
    if word.is(lex::PASSPORT) {
        return of(kinds::PASSPORT, 4, 6, 10, 88, REACH);
    }
    if word.is(lex::DRIVE | lex::LICENCE) && near(lex::DRIVE) {
        return of(kinds::DRIVER_LICENCE, 4, 6, 18, 85, REACH);
    }
    if word.is(lex::NATIONAL) {
        let weak = matches!(
            text.folded(word),
            "social"
                | "national"
                | "identity"
                | "insurance"
                | "carte"
                | "sin"
                | "pan"
                | "ni"
                | "taj"
                | "securite"
        );
        return of(
            kinds::NATIONAL_ID,
            4,
            8,
            18,
            if weak { 78 } else { 86 },
            if weak { 5 } else { REACH },
        );
    }
    if word.is(lex::TAX) {
        return of(kinds::TAX_ID, 4, 7, 15, 75, REACH);
    }
    if word.is(lex::MEDICAL) {
        return of(kinds::MEDICAL_ID, 4, 6, 14, 70, 3);
    }
    if word.is(lex::DEVICE) {
        return of(kinds::DEVICE_ID, 14, 14, 20, 80, 4);
    }
    if word.is(lex::PLATE) {
        let most = if text.folded(word) == "vin" { 17 } else { 9 };
        return of(kinds::VEHICLE, 2, 5, most, 82, 4);
    }
    None
}

fn code(text: &Text<'_>, i: usize, word: &Word, hits: &mut Vec<Hit>) {
    let Some(shape) = shape(text, i, word) else { return };
    let mut k = i + 1;
    while k <= i + shape.reach {
        let gap = text.gap(k - 1);
        let Some(word) = text.words.get(k) else { return };
        let line_ends = gap.contains('\n') && (k > i + 1 || !is_label_line(text, i));
        if line_ends
            || ends_sentence(gap) && k > i + 2
            || text.slice(word.start..word.end).contains(WALL)
        {
            return;
        }
        if word.is(lex::THING) && !word.is(lex::LINK) && !word.digit {
            return;
        }
        if let Some(range) = take(text, k, &shape) {
            hits.push(Hit::new(range, shape.kind, shape.confidence, "label"));
            return;
        }
        k += 1;
    }
}

fn ends_sentence(gap: &str) -> bool {
    gap.contains(['!', '?']) || gap.contains(". ")
}

/// Whether a label has its line for itself, and the value is on the next.
fn is_label_line(text: &Text<'_>, i: usize) -> bool {
    let end = text.words.get(i).map_or(0, |w| w.end);
    let line = text.slice(0..end).rsplit('\n').next().unwrap_or_default();
    line.split_whitespace().count() <= 3
}

/// A code that begins with a word: words of capitals and digits, joined by blanks or hyphens.
fn take(text: &Text<'_>, from: usize, shape: &Shape) -> Option<Range<usize>> {
    let first = text.words.get(from)?;
    let is_code = |w: &Word| {
        let plain = text.plain(w).as_bytes();
        plain.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    };
    if !is_code(first)
        || !first.digit
            && first.class != 0
            && !(shape.kind == kinds::VEHICLE && first.shouted && first.len() <= 3)
        || matches!(at(text.bytes(), first.start.wrapping_sub(1)), b'$' | b'.' | b'#')
        || !first.digit && first.len() > 6 && first.len() != 16
    {
        return None;
    }
    let (mut end, mut digits, mut size) = (first.start, 0, 0);
    let mut good = None;
    for (n, word) in text.words.get(from..)?.iter().take(6).enumerate() {
        if n > 0 && !matches!(text.gap(from + n - 1), " " | "-" | "." | "/" | "  ") {
            break;
        }
        if !is_code(word)
            || n > 0
                && text.gap(from + n - 1).contains(' ')
                && word.letter
                && !word.digit
                && word.len() > 3
        {
            break;
        }
        let spaced = n > 0 && text.gap(from + n - 1).contains(' ');
        if spaced
            && good.is_some()
            && (word.letter && !word.digit && word.len() > 1 && shape.kind != kinds::VEHICLE
                || size >= 9 && word.len() > 4)
        {
            break;
        }
        size += word.len();
        if size > shape.most {
            break;
        }
        digits += text.plain(word).bytes().filter(u8::is_ascii_digit).count();
        end = word.end;
        if digits >= shape.digits && size >= shape.least {
            good = Some(end);
        }
    }
    let end = good.filter(|e| *e <= end)?;
    let range = first.start..end;
    let date = crate::date::numeric(text.bytes(), first.start).is_some();
    (!date && crate::net::ipv4(text.slice(range.clone())).is_none()).then_some(range)
}

/// Where the end of a link is somebody: pages of people, and addresses to pay or write to them. On other
/// sites companies have their pages, too.
const PAGES: &[&str] = &[
    "paypal.me/",
    "venmo.com/",
    "venmo.com/u/",
    "cash.app/$",
    "t.me/",
    "telegram.me/",
    "m.me/",
    "linkedin.com/in/",
    "reddit.com/user/",
    "snapchat.com/add/",
];
/// Ends of such links that are pages of the site.
const SITE: &[&str] = &["about", "home", "joinchat", "login", "share", "signup"];

/// Whose page a link leads to.
pub(crate) fn pages(text: &Text<'_>, hits: &mut Vec<Hit>) {
    let read = text.read_text();
    if !read.contains('/') {
        return;
    }
    let lower = read.to_ascii_lowercase();
    for page in PAGES {
        for (place, _) in lower.match_indices(page) {
            // Of the host, or of a part of it such as `www`.
            let before = lower.get(..place).and_then(|it| it.chars().next_back());
            if before.is_some_and(|c| c.is_alphanumeric() || c == '-') {
                continue;
            }
            let from = place + page.len();
            let rest = text.slice(from..read.len());
            let n = rest
                .bytes()
                .take_while(|b| b.is_ascii_alphanumeric() || b"_-.".contains(b))
                .count();
            let name = rest.get(..n).unwrap_or_default().trim_end_matches(['.', '-']);
            let known = SITE.contains(&name.to_ascii_lowercase().as_str());
            if (3..=40).contains(&name.len()) && !known {
                hits.push(Hit::new(from..from + name.len(), kinds::USERNAME, 84, "page"));
            }
        }
    }
}

/// Names with `@` before them: `@kimlee-dev`.
pub(crate) fn handles(text: &Text<'_>, hits: &mut Vec<Hit>) {
    let read = text.read_text();
    for (place, _) in read.match_indices('@') {
        let before = text.slice(0..place).chars().next_back();
        if before
            .is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '/' | '@' | '+'))
        {
            continue;
        }
        let rest = text.slice(place + 1..read.len());
        let n: usize = rest
            .chars()
            .take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
            .map(char::len_utf8)
            .sum();
        let name = rest.get(..n).unwrap_or_default().trim_end_matches(['.', '-']);
        let next = rest.get(name.len()..).and_then(|r| r.chars().next());
        let odd = name.bytes().any(|b| b.is_ascii_digit() || b == b'_' || b == b'-');
        let word = names::is_word(&kit::unfold::fold_text(name)) && !odd;
        let cased = name.starts_with(char::is_uppercase) && !odd;
        if name.len() >= 4
            && name.contains(char::is_alphabetic)
            && !word
            && !cased
            && !matches!(next, Some('/' | '@'))
        {
            hits.push(Hit::new(place..place + 1 + name.len(), kinds::USERNAME, 62, "handle"));
        }
    }
}

/// The next thing between blanks behind a word and what joins it to its value; `far` allows words
/// between.
pub(crate) fn tokens<'t>(
    text: &'t Text<'_>,
    i: usize,
    far: usize,
) -> impl Iterator<Item = (Range<usize>, bool)> + 't {
    let read = text.read_text();
    let from = text.words.get(i).map_or(read.len(), |w| w.end);
    // No value is longer than this, and no search may be: the work must not grow with the square.
    let mut reach = read.len().min(from + 400);
    while !read.is_char_boundary(reach) {
        reach -= 1;
    }
    let rest = read.get(from..reach).unwrap_or_default();
    // The line's end closes the search, unless the label is all that stands before it.
    let lead = rest.len() - rest.trim_start_matches([' ', ':', '\n', '=', '"', '\'']).len();
    let line = rest.get(lead..).unwrap_or_default();
    let stop = lead + line.find('\n').unwrap_or(line.len());
    let direct = rest.get(..lead).unwrap_or_default().contains([':', '=']);
    let mut place = 0;
    std::iter::from_fn(move || {
        let tail = rest.get(place..stop)?;
        let skip = tail.len()
            - tail
                .trim_start_matches(|c: char| {
                    c.is_whitespace() || matches!(c, ':' | '=' | '"' | '\'' | ',' | '(' | '>' | '`')
                })
                .len();
        let start = place + skip;
        let token = rest.get(start..stop)?;
        let n = token
            .find(|c: char| c.is_whitespace() || matches!(c, '"' | '<' | '>' | WALL | '`'))
            .unwrap_or(token.len());
        if n == 0 {
            return None;
        }
        let before = rest.get(place..start).unwrap_or_default();
        place = start + n;
        Some((from + start..from + start + n, before.contains([':', '='])))
    })
    .take(far)
    .map(move |(r, eq)| (r, eq || direct))
}

/// Trims what closes a sentence from a token.
fn trimmed(text: &Text<'_>, range: Range<usize>, marks: &[char]) -> Range<usize> {
    let token = text.slice(range.clone());
    range.start..range.start + token.trim_end_matches(marks).len()
}

fn username(text: &Text<'_>, i: usize, hits: &mut Vec<Hit>) {
    let label = text.words.get(i).map(|w| text.folded(w)).unwrap_or_default();
    let weak = matches!(
        label,
        "user"
            | "login"
            | "handle"
            | "profil"
            | "forum"
            | "twitter"
            | "github"
            | "instagram"
            | "steam"
            | "discord"
            | "skype"
            | "alias"
            | "nick"
            | "telegram"
    );
    for (n, (range, direct)) in tokens(text, i, 6).enumerate() {
        let range = trimmed(text, range, &['.', ',', ')', ';', '!', '?', '\'', ':']);
        let token = text.slice(range.clone());
        let bare = token.trim_start_matches('@');
        if !crate::fit::username(token) {
            if token.contains(['@', '/']) {
                return;
            }
            continue;
        }
        let digit = bare.bytes().any(|b| b.is_ascii_digit());
        let joined = bare.contains(['_', '-', '.']);
        let letters = bare.bytes().filter(u8::is_ascii_alphabetic).count();
        let strong = digit && letters >= 2
            || joined && letters > 4 && (!bare.contains('.') || n == 1 && said(text, i))
            || token.starts_with('@');
        if !bare.bytes().any(|b| b.is_ascii_lowercase())
            || crate::credential_words::is_thing(&kit::unfold::fold_text(bare))
        {
            continue;
        }
        let plain = text
            .words
            .get(text.word_at(range.start))
            .is_some_and(|w| w.class == 0 && w.len() >= 5 && !names::is_word(text.folded(w)));
        let named = n <= 2
            && !weak
            && plain
            && text
                .slice(text.words.get(i).map_or(0, |w| w.end)..range.start)
                .trim_matches([' ', ':', '=', '"', '\''])
                .split(' ')
                .all(|w| matches!(w, "is" | "ist" | "es" | "est" | "" | "name" | ":"));
        if strong || direct && n == 0 && !weak || named || weak && plain && direct {
            hits.push(Hit::new(range, kinds::USERNAME, if strong { 75 } else { 60 }, "label"));
            return;
        }
    }
}

/// Whether a word that equates stands behind a label: "my nick is".
fn said(text: &Text<'_>, i: usize) -> bool {
    text.gap(i) == " "
        && text.words.get(i + 1).is_some_and(|w| {
            matches!(text.folded(w), "is" | "ist" | "es" | "est" | "jest" | "er" | "ar")
        })
}

fn secret(text: &Text<'_>, i: usize, hits: &mut Vec<Hit>) {
    for (n, (range, direct)) in tokens(text, i, 5).enumerate() {
        let mut range = trimmed(text, range, &['.', ',', ')', ';', '!', '?', '\'']);
        let token = text.slice(range.clone());
        // A query goes on behind the value.
        if let Some(cut) = token.find(['&', '#']) {
            range.end = range.start + cut;
        }
        let token = text.slice(range.clone());
        if token.contains("://") || token.len() < 12 || token.contains('@') {
            continue;
        }
        let sure = direct && n == 0;
        if crate::secret::is_random(token, if sure { 12 } else { 16 }) {
            hits.push(Hit::new(range, kinds::SECRET, 85, "label"));
            return;
        }
    }
}

fn cvv(text: &Text<'_>, i: usize, hits: &mut Vec<Hit>) {
    for word in text.words.get(i + 1..).unwrap_or_default().iter().take(4) {
        let plain = text.plain(word);
        if word.digit && !word.letter && (3..=4).contains(&plain.len()) {
            hits.push(Hit::new(word.start..word.end, kinds::CARD_SECURITY, 85, "label"));
            return;
        }
    }
}
