//! E-mail addresses, as they are meant and as they are disguised.

use crate::hit::Hit;
use crate::lexicon as lex;
use crate::text::{Text, Word};
use kit::kinds;
use kit::unfold::{WALL, at, fold_text};
use std::ops::Range;

/// What people write or say for the sign, and for the dot.
const AT: &[&str] = &[
    "at",
    "arroba",
    "chez",
    "klammeraffe",
    "ett",
    "malpa",
    "zavinac",
    "kukac",
    "chiocciola",
    "apenstaartje",
    "snabela",
    "snabel",
    "sobaka",
    "miukumauku",
    "собака",
    "собачка",
];
const DOT: &[&str] = &[
    "dot",
    "punkt",
    "punto",
    "point",
    "ponto",
    "piste",
    "pont",
    "kropka",
    "punt",
    "tecka",
    "prik",
    "nokta",
    "tocka",
    "точка",
];

/// A letter of a mailbox's name.
fn is_local(c: char) -> bool {
    c.is_alphanumeric()
        || matches!(c, '.' | '_' | '%' | '+' | '-' | '\'')
        || ('\u{300}'..'\u{370}').contains(&c)
}

fn is_domain(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '-')
}

/// All addresses of a text.
pub(crate) fn find(text: &Text<'_>, hits: &mut Vec<Hit>) {
    let bytes = text.bytes();
    let mut from = 0;
    while let Some(n) = bytes.get(from..).and_then(|b| b.iter().position(|b| *b == b'@')) {
        let place = from + n;
        from = place + 1;
        if let Some(range) = plain(text, place).or_else(|| parted(text, place)) {
            from = range.end.max(from);
            push(text, range, 97, "address", hits);
        }
    }
    for (i, word) in text.words.iter().enumerate() {
        let folded = text.folded(word);
        let is_sign = AT.contains(&folded) || folded == "a" && is_bracketed(text, word);
        if is_sign
            && i > 0
            && let Some(range) = spoken(text, i)
        {
            push(text, range, 90, "disguise", hits);
        }
    }
}

fn push(
    text: &Text<'_>,
    range: Range<usize>,
    confidence: u8,
    reason: &'static str,
    hits: &mut Vec<Hit>,
) {
    let value = canonical(text.slice(range.clone()));
    let local = value.split('@').next().unwrap_or_default();
    let role = is_role(local);
    let confidence = if role { 45 } else { confidence };
    hits.push(
        Hit::new(range, kinds::EMAIL, confidence, if role { "role" } else { reason }).value(value),
    );
}

/// Whether a mailbox is an office's: `support`, `support.uk`, but not `hr.mueller`.
pub(crate) fn is_role(local: &str) -> bool {
    let is_office = |word: &str| lex::class(lex::hash(word), word) & lex::ROLE != 0;
    let is_name = |word: &str| {
        (names::is_first_name(word) || names::is_surname(word)) && !names::is_word(word)
    };
    let mut words = local.split(['+', '-', '.', '_']);
    let office = is_office(words.next().unwrap_or_default());
    is_office(local) || office && local.split(['.', '_', '-']).count() < 3 && !words.any(is_name)
}

/// An address in its plain form: folded, without blanks, with `@` and dots.
pub(crate) fn canonical(spelled: &str) -> String {
    let out = fold_text(spelled);
    if !out.contains([' ', '[', '(', '{', WALL, '\n']) {
        return out;
    }
    let brackets = |c: char| matches!(c, '[' | ']' | '(' | ')' | '{' | '}' | '<' | '>');
    let mut signed = out.contains('@');
    let pieces = out.split(|c: char| c.is_whitespace() || c == WALL || brackets(c));
    let mut read = String::with_capacity(out.len());
    for piece in pieces.filter(|piece| !piece.is_empty()) {
        let inside = !read.is_empty();
        if inside && !signed && (piece == "a" || AT.contains(&piece)) {
            signed = true;
            read.push('@');
        } else if inside && DOT.contains(&piece) {
            read.push('.');
        } else {
            read.push_str(piece);
        }
    }
    read
}

/// `name@example.org` around the `@`.
fn plain(text: &Text<'_>, place: usize) -> Option<Range<usize>> {
    let read = text.read_text();
    let before = read.get(..place)?;
    let local: usize =
        before.chars().rev().take(64).take_while(|c| is_local(*c)).map(char::len_utf8).sum();
    let mut start = place - local;
    let lead = read.get(start..place)?;
    start += lead.len() - lead.trim_start_matches(['.', '\'', '-', '+', '%']).len();
    let end = domain(read, place + 1)?;
    (start < place).then_some(start..end)
}

/// Where a domain that begins here ends: labels, and a last one of letters.
fn domain(read: &str, start: usize) -> Option<usize> {
    let rest = read.get(start..)?;
    let n: usize = rest.chars().take_while(|c| is_domain(*c)).map(char::len_utf8).sum();
    let whole = rest.get(..n)?.trim_end_matches(['.', '-']);
    let (host, last) = whole.rsplit_once('.')?;
    let ok = host.starts_with(char::is_alphanumeric)
        && last.chars().count() >= 2
        && last.chars().any(char::is_alphabetic)
        && !whole.contains("..");
    ok.then_some(start + whole.len())
}

/// `name @ example . org`: blanks around the signs.
fn parted(text: &Text<'_>, place: usize) -> Option<Range<usize>> {
    let read = text.read_text();
    let before = read.get(..place)?.trim_end_matches(' ');
    if place - before.len() > 2 {
        return None;
    }
    let local: usize =
        before.chars().rev().take(64).take_while(|c| is_local(*c)).map(char::len_utf8).sum();
    let start = before.len() - local;
    let after = read.get(place + 1..)?;
    let gap = after.len() - after.trim_start_matches(' ').len();
    let mut i = place + 1 + gap;
    if local < 2 || gap > 2 {
        return None;
    }
    let bytes = text.bytes();
    let mut labels = 0;
    let mut end = i;
    loop {
        let label = i;
        while at(bytes, i).is_ascii_alphanumeric() || at(bytes, i) == b'-' {
            i += 1;
        }
        if i == label {
            break;
        }
        labels += 1;
        end = i;
        // A dot, with blanks on both sides or none.
        let mut k = i;
        let spaced = at(bytes, k) == b' ';
        k += usize::from(spaced);
        if at(bytes, k) != b'.' || !spaced && !at(bytes, k + 1).is_ascii_alphanumeric() {
            break;
        }
        k += 1;
        k += usize::from(at(bytes, k) == b' ' && spaced);
        i = k;
    }
    (labels >= 2 && place > start).then_some(start..end)
}

/// `name at example dot org`, `name [at] example.org`: around the word for the sign.
fn spoken(text: &Text<'_>, i: usize) -> Option<Range<usize>> {
    let sign = text.words.get(i)?;
    let bracket = is_bracketed(text, sign);
    let (start, dots_before) = spoken_local(text, i)?;
    let (end, dots) = spoken_domain(text, i)?;
    let local = text.slice(start..sign.start);
    if !local.contains(char::is_alphabetic) {
        return None;
    }
    let odd = local.contains(['.', '_', '+']) || local.bytes().any(|b| b.is_ascii_digit());
    let mailish = text.words.get(i.saturating_sub(7)..i)?.iter().any(|w| w.is(lex::EMAIL));
    (bracket || dots || dots_before || odd || mailish).then_some(start..end)
}

fn is_dot(word: &str) -> bool {
    DOT.contains(&word)
}

fn is_bracketed(text: &Text<'_>, word: &Word) -> bool {
    let bytes = text.bytes();
    matches!(at(bytes, word.start.wrapping_sub(1)), b'[' | b'(' | b'{' | b'<')
        && matches!(at(bytes, word.end), b']' | b')' | b'}' | b'>')
}

/// Backwards from the sign: where the mailbox's name begins, and whether a dot was spoken in it.
fn spoken_local(text: &Text<'_>, i: usize) -> Option<(usize, bool)> {
    let gap_ok =
        |g: &str| g.len() <= 3 && g.chars().all(|c| matches!(c, ' ' | '[' | '(' | '{' | '<'));
    let mut k = i.checked_sub(1)?;
    if !gap_ok(text.gap(k)) {
        return None;
    }
    let mut spoken = false;
    loop {
        // Signs inside of the name.
        while k > 0 && matches!(text.gap(k - 1), "." | "_" | "-" | "+") {
            k -= 1;
        }
        if k >= 2
            && is_dot(text.folded(text.words.get(k - 1)?))
            && text.gap(k - 1).trim_matches([' ', '[', ']', '(', ')']).is_empty()
            && text.gap(k - 2).trim_matches([' ', '[', ']', '(', ')']).is_empty()
        {
            spoken = true;
            k -= 2;
            continue;
        }
        break;
    }
    Some((text.words.get(k)?.start, spoken))
}

/// Forwards from the sign: where the domain ends, and whether a dot was spoken in it.
fn spoken_domain(text: &Text<'_>, i: usize) -> Option<(usize, bool)> {
    let blank = |g: &str| {
        g.len() <= 3
            && g.chars().all(|c| matches!(c, ' ' | '[' | ']' | '(' | ')' | '{' | '}' | '<' | '>'))
    };
    if !blank(text.gap(i)) {
        return None;
    }
    let (mut k, mut labels, mut spoken) = (i + 1, 1, false);
    let mut end = text.words.get(k)?.end;
    if !text.words.get(k)?.letter {
        return None;
    }
    loop {
        let gap = text.gap(k);
        if matches!(gap, "." | "-") {
            k += 1;
            labels += usize::from(gap == ".");
        } else if blank(gap)
            && text.words.get(k + 1).is_some_and(|w| is_dot(text.folded(w)))
            && blank(text.gap(k + 1))
            && text.words.len() > k + 2
        {
            spoken = true;
            k += 2;
            labels += 1;
        } else {
            break;
        }
        end = text.words.get(k)?.end;
    }
    let last = text.words.get(k)?;
    (labels >= 2 && last.letter && !last.digit && (2..=12).contains(&last.len()))
        .then_some((end, spoken))
}
