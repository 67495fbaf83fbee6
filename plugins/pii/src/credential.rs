//! Passwords and the names that go with them: behind the word that says so, before it, and in pairs.

use crate::credential_words::{equates, is_compound, is_thing, joins, opens, parts};
use crate::hit::Hit;
use crate::lexicon as lex;
use crate::text::Text;
use kit::kinds;
use kit::unfold::{WALL, at, fold_text};
use std::ops::Range;

/// What is trimmed off the ends of a value.
const ENDS: &[char] = &['.', ',', ')', ';', '\'', ':', ']', '\u{201d}', '\u{bb}', '\u{2019}'];
const STARTS: &[char] = &['(', '[', '\'', '"', '`', '\u{201c}', '\u{201e}', '\u{ab}', '\u{2018}'];

/// All of them.
pub(crate) fn find(text: &Text<'_>, hits: &mut Vec<Hit>) {
    for (i, word) in text.words.iter().enumerate() {
        if word.is(lex::PASSWORD) {
            forward(text, i, hits);
            if let Some(range) = backward(text, i) {
                hits.push(Hit::new(range, kinds::PASSWORD, 84, "label"));
            }
        }
        if word.is(lex::LOGIN | lex::USERNAME)
            || word.len() == 1 && text.folded(word) == "u" && at(text.bytes(), word.end) == b':'
        {
            pair(text, i, hits);
        }
        if word.letter && (word.digit || at(text.bytes(), word.end) == b'_') {
            named(text, i, hits);
        }
    }
    glued(text, hits);
    // How letters of the scripts begin that write without blanks.
    if text.bytes().iter().any(|b| matches!(b, 0xe0 | 0xe3..=0xed)) {
        unspaced(text, hits);
    }
}

/// Whether a token is something else than a password: an address, a link, a date.
fn is_other(token: &str) -> bool {
    token.contains("://")
        || token.starts_with("http")
        || token.starts_with("[[")
        || token.contains('@') && token.contains('.') && crate::fit::email(token)
        || crate::date::numeric(token.as_bytes(), 0).is_some()
        || token.contains('.') && crate::net::ipv4(token).is_some()
        || is_thing(&fold_text(token))
}

/// Letters with digits or signs.
fn is_weak(token: &str) -> bool {
    let core = token.trim_end_matches(['!', '?', ':']);
    let digit = token.bytes().any(|b| b.is_ascii_digit());
    let odd =
        core.chars().any(|c| "!@#$%^&*?~+=_".contains(c)) || digit && token.ends_with(['!', '?']);
    (5..=64).contains(&token.chars().count())
        && token.chars().any(char::is_alphabetic)
        && (digit || odd)
        && !is_other(token)
}

/// Letters, digits and a sign that no other word has.
fn is_strong(token: &str) -> bool {
    token.len() >= 7
        && token.bytes().filter(u8::is_ascii_alphabetic).count() >= 2
        && token.bytes().any(|b| b.is_ascii_digit())
        && token.chars().any(|c| "!@$%^&*~".contains(c))
        && !token.contains(['/', '=', '<', '\\'])
        && token.chars().next().is_some_and(|c| !matches!(c, '@' | '$'))
        && is_weak(token)
}

/// Only right behind the word: capitals inside, or three words with hyphens.
fn is_odd_word(token: &str) -> bool {
    let mixed =
        token.chars().skip(1).any(char::is_uppercase) && token.chars().any(char::is_lowercase);
    let parts = token.split('-').filter(|p| p.len() > 2).count();
    (5..=64).contains(&token.chars().count())
        && token.chars().any(char::is_alphabetic)
        && (mixed || parts > 2)
        && !is_other(token)
}

fn is_code(token: &str) -> bool {
    !token.bytes().any(|b| b.is_ascii_lowercase())
}

/// A token without what is around it.
fn trimmed(text: &Text<'_>, range: Range<usize>) -> Range<usize> {
    let token = text.slice(range.clone());
    let lead = token.len() - token.trim_start_matches(STARTS).len();
    let inner = token.get(lead..).unwrap_or_default().trim_end_matches(ENDS);
    // A full stop behind a closing sign.
    range.start + lead..range.start + lead + inner.len()
}

/// "my password is ...", and what it was changed to.
fn forward(text: &Text<'_>, i: usize, hits: &mut Vec<Hit>) {
    let compound = is_compound(text, i);
    let (mut between, mut equal, mut found) = (0, false, false);
    for (n, (range, direct)) in super::label::tokens(text, i, 9).enumerate() {
        let range = trimmed(text, range);
        let token = text.slice(range.clone());
        let folded = fold_text(token);
        if token.is_empty() || joins(&folded) {
            equal |= equates(&folded);
            continue;
        }
        let near = between < 5 && (between == 0 || !is_code(token));
        let digits = (4..=12).contains(&token.len())
            && token.bytes().all(|b| b.is_ascii_digit())
            && (equal || direct && n == 0);
        if is_strong(token)
            || !compound && near && is_weak(token)
            || !compound && between == 0 && !found && (is_odd_word(token) || digits)
        {
            hits.push(Hit::new(range.clone(), kinds::PASSWORD, 86, "label"));
            if found {
                return;
            }
            found = true;
            between = 3;
            continue;
        }
        let whole = text.slice(range.start..(range.end + 1).min(text.read_text().len()));
        if found
            && !matches!(
                folded.as_str(),
                "and"
                    | "auf"
                    | "zu"
                    | "und"
                    | "or"
                    | "oder"
                    | "en"
                    | "et"
                    | "y"
                    | "naar"
                    | "til"
                    | "till"
                    | "na"
                    | "o"
            )
            || whole.ends_with(['.', '!', '?'])
            || text
                .words
                .get(text.word_at(range.start))
                .is_some_and(|w| w.is(lex::THING) && !w.is(lex::LINK))
        {
            return;
        }
        between += 1;
    }
}

/// The token that ends before a place on its line.
fn token_before(text: &Text<'_>, place: usize) -> Option<Range<usize>> {
    let mut from = place.saturating_sub(100);
    while !text.read_text().is_char_boundary(from) {
        from += 1;
    }
    let before = text.slice(from..place);
    let line = before.rsplit(['\n', WALL]).next()?;
    let kept = line
        .trim_end_matches([' ', '(', '"', '\'', '[', '\u{ab}', '\u{201e}', '\u{201c}', '\u{a0}']);
    let end = place - (line.len() - kept.len());
    let token = kept.rsplit([' ', '\u{a0}', '<', '>']).next()?;
    (!token.is_empty()).then(|| end - token.len()..end)
}

/// "... is my password", "... als Passwort".
fn backward(text: &Text<'_>, i: usize) -> Option<Range<usize>> {
    let word = text.words.get(i)?;
    let compound = is_compound(text, i);
    let mut place = word.start;
    let bracket = text.slice(0..place).ends_with('(');
    let mut equal = bracket;
    for n in 0..8 {
        let range = token_before(text, place)?;
        place = range.start;
        let raw = text.slice(range.clone());
        let value = trimmed(text, range);
        let token = text.slice(value.clone());
        if n < 5 && (token.is_empty() || joins(&fold_text(token))) {
            if raw.ends_with(['.', '!', '?']) {
                return None;
            }
            equal |= token.is_empty() || equates(&fold_text(token));
            continue;
        }
        let said = equal && !compound && n < 6;
        if is_strong(token) || said && (is_weak(token) || is_odd_word(token)) {
            return Some(value);
        }
        equal = false;
        if raw.ends_with(['.', '!', '?', ';']) {
            return None;
        }
    }
    None
}

/// Whether a token may be somebody's name in a system.
fn is_user(token: &str) -> bool {
    if crate::fit::email(token) {
        return true;
    }
    let folded = fold_text(token);
    crate::fit::username(token)
        && !opens(&folded)
        && !parts(&folded)
        && !is_thing(&folded)
        && token.bytes().any(|b| b.is_ascii_lowercase())
        && (token.bytes().any(|b| b.is_ascii_digit() || matches!(b, b'_' | b'.' | b'-'))
            || lex::class(lex::hash(&folded), &folded) & !lex::PARTICLE == 0
                && !names::is_word(&folded))
}

/// "login kim79 / ...", "credentials kim79 and ...", "user: kim79 pass: ...".
fn pair(text: &Text<'_>, i: usize, hits: &mut Vec<Hit>) {
    // `instagram.com/p/x` is a host's name and no label.
    let behind = text.words.get(i).map_or("", |word| text.slice(word.end..text.read_text().len()));
    let mut letters = behind.chars();
    if letters.next() == Some('.') && letters.next().is_some_and(char::is_alphanumeric) {
        return;
    }
    let mut user: Option<Range<usize>> = None;
    let mut skipped = 0;
    for (range, _) in super::label::tokens(text, i, 9) {
        let value = trimmed(text, range);
        let token = text.slice(value.clone());
        let Some(known) = &user else {
            // "kim79:secret" and "kim79/secret" in one piece.
            let cut = token.find([':', '/', '|']).filter(|c| token.len() > c + 5);
            if let Some(cut) = cut
                && let (Some(a), Some(b)) = (token.get(..cut), token.get(cut + 1..))
                && is_user(a)
                && is_weak(b)
            {
                push_user(text, value.start..value.start + cut, hits);
                let start = value.start + cut + 1;
                hits.push(Hit::new(start..value.end, kinds::PASSWORD, 88, "pair"));
                return;
            }
            if is_user(token) {
                user = Some(value);
            } else if skipped < 3 && opens(&fold_text(token)) {
                skipped += 1;
            } else {
                return;
            }
            continue;
        };
        let folded = fold_text(token.trim_end_matches(['=', ':']));
        let labelled = lex::class(lex::hash(&folded), &folded) & lex::PASSWORD != 0;
        if labelled || parts(&folded) {
            skipped += 1;
            if skipped > 6 {
                return;
            }
            continue;
        }
        // "user=kim addr=10.2.3.4" is a line of a log, and says itself what is what.
        if token.trim_end_matches('=').contains('=') {
            return;
        }
        let digit = text.slice(known.clone()).bytes().any(|b| b.is_ascii_digit());
        if token.len() >= 6 && is_weak(token) && !is_user_of(token) && (digit || !is_code(token)) {
            push_user(text, known.clone(), hits);
            hits.push(Hit::new(value, kinds::PASSWORD, 88, "pair"));
        }
        return;
    }
}

/// Whether a token is an order, a case: `INV-2025-12345`.
fn is_user_of(token: &str) -> bool {
    is_code(token)
        && token.contains('-')
        && token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn push_user(text: &Text<'_>, range: Range<usize>, hits: &mut Vec<Hit>) {
    if !crate::fit::email(text.slice(range.clone())) {
        hits.push(Hit::new(range, kinds::USERNAME, 84, "pair"));
    }
}

/// "kim79:Pa55word!" where no word says what it is.
fn glued(text: &Text<'_>, hits: &mut Vec<Hit>) {
    let read = text.read_text();
    let bytes = text.bytes();
    let plain = |b: u8| b.is_ascii_graphic() && !b"\"'<>(){},;:`/\\".contains(&b);
    for (place, _) in read.match_indices(':') {
        if place == 0 || !plain(at(bytes, place - 1)) || !plain(at(bytes, place + 1)) {
            continue;
        }
        let left = bytes.iter().take(place).rev().take(64).take_while(|b| plain(**b)).count();
        let right = bytes.iter().skip(place + 1).take(64).take_while(|b| plain(**b)).count();
        let user = text.slice(place - left..place);
        let value = trimmed(text, place + 1..place + 1 + right);
        let telling = user.bytes().any(|b| b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'@'));
        if telling && is_strong(text.slice(value.clone())) && is_user(user) {
            push_user(text, place - left..place, hits);
            hits.push(Hit::new(value, kinds::PASSWORD, 82, "pair"));
        }
    }
}

/// "on the forum I am kim79", "signed in as kim79", "account kim79".
fn named(text: &Text<'_>, i: usize, hits: &mut Vec<Hit>) {
    let (Some(word), Some(before)) =
        (text.words.get(i), i.checked_sub(1).and_then(|n| text.words.get(n)))
    else {
        return;
    };
    let gap = text.gap(i - 1);
    if !matches!(gap, " " | ": " | " \"" | " '" | " @" | " \u{201c}") {
        return;
    }
    let earlier = |n: usize| {
        i.checked_sub(n).and_then(|k| text.words.get(k)).map(|w| text.folded(w)).unwrap_or_default()
    };
    let said = match text.folded(before) {
        "am" | "m" => matches!(earlier(2), "i" | "am"),
        "bin" | "suis" | "soy" | "sono" | "ben" | "sou" | "jestem" | "olen" | "vagyok" | "jsem"
        | "jeg" | "jag" => !before.capital || text.starts_sentence(before.start),
        "er" | "ar" => matches!(earlier(2), "jeg" | "jag"),
        "as" | "als" | "comme" | "como" | "come" | "som" | "jako" | "under" | "unter" => {
            let from = i.saturating_sub(7);
            text.words.get(from..i).unwrap_or_default().iter().any(|w| {
                w.is(lex::LOGIN)
                    || matches!(
                        text.folded(w),
                        "known"
                            | "post"
                            | "posting"
                            | "posted"
                            | "community"
                            | "forum"
                            | "bekannt"
                            | "registered"
                            | "connu"
                            | "inscrit"
                            | "registrado"
                            | "registrato"
                            | "online"
                            | "profile"
                    )
            })
        }
        "account" | "compte" | "cuenta" | "konto" | "profile" | "profil" | "perfil" | "profilo"
        | "member" => true,
        _ => false,
    };
    if !said {
        return;
    }
    let bytes = text.bytes();
    let rest = bytes.iter().skip(word.start).take(41);
    let n =
        rest.take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-')).count();
    let token = text.slice(word.start..word.start + n).trim_end_matches(['.', '-']);
    let letters = token.bytes().filter(u8::is_ascii_alphabetic).count();
    let fits = letters >= 3
        && token.len() >= 5
        && token.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
        && is_user(token);
    if fits {
        let range = word.start..word.start + token.len();
        hits.push(Hit::new(range, kinds::USERNAME, 68, "label"));
    }
}

/// Scripts that write without blanks: the label is looked for as it stands.
fn unspaced(text: &Text<'_>, hits: &mut Vec<Hit>) {
    const LABELS: &[(&str, bool)] = &[
        ("\u{30d1}\u{30b9}\u{30ef}\u{30fc}\u{30c9}", true),
        ("\u{6697}\u{8a3c}\u{756a}\u{53f7}", true),
        ("\u{5bc6}\u{7801}", true),
        ("\u{5bc6}\u{78bc}", true),
        ("\u{53e3}\u{4ee4}", true),
        ("\u{be44}\u{bc00}\u{bc88}\u{d638}", true),
        ("\u{c554}\u{d638}", true),
        ("\u{e23}\u{e2b}\u{e31}\u{e2a}\u{e1c}\u{e48}\u{e32}\u{e19}", true),
        ("\u{92a}\u{93e}\u{938}\u{935}\u{930}\u{94d}\u{921}", true),
        ("\u{30e6}\u{30fc}\u{30b6}\u{30fc}", false),
        ("\u{7528}\u{6237}\u{540d}", false),
        ("\u{7528}\u{6236}\u{540d}", false),
        ("\u{8d26}\u{53f7}", false),
        ("\u{5e10}\u{53f7}", false),
        ("\u{c544}\u{c774}\u{b514}", false),
    ];
    let read = text.read_text();
    for (label, secret) in LABELS {
        for (start, _) in read.match_indices(label) {
            let end = start + label.len();
            let fits = |r: &Range<usize>| {
                let token = text.slice(r.clone());
                if *secret { is_weak(token) || is_odd_word(token) } else { is_user(token) }
            };
            let behind = ascii_run(text, end, true).filter(fits);
            if let Some(range) = behind.or_else(|| ascii_run(text, start, false).filter(fits)) {
                let kind = if *secret { kinds::PASSWORD } else { kinds::USERNAME };
                hits.push(Hit::new(range, kind, 84, "label"));
            }
        }
    }
}

/// The next run of plain letters and signs behind or before a place, with a few others between.
fn ascii_run(text: &Text<'_>, place: usize, behind: bool) -> Option<Range<usize>> {
    let bytes = text.bytes();
    let graphic = |k: usize| {
        let b = at(bytes, k);
        b.is_ascii_graphic() && !matches!(b, b'"' | b'<' | b'>' | b'`')
    };
    let step = |k: usize| if behind { Some(k + 1) } else { k.checked_sub(1) };
    let mut k = if behind { Some(place) } else { place.checked_sub(1) };
    for _ in 0..40 {
        let here = k.filter(|k| *k < bytes.len() && at(bytes, *k) != b'\n')?;
        if graphic(here)
            && !matches!(at(bytes, here), b':' | b'=' | b'(' | b')' | b'\'' | b',' | b'.')
        {
            let (mut a, mut b) = (here, here + 1);
            while behind && b - a < 64 && graphic(b) {
                b += 1;
            }
            while !behind && b - a < 64 && a > 0 && graphic(a - 1) {
                a -= 1;
            }
            return Some(trimmed(text, a..b));
        }
        k = step(here);
    }
    None
}
