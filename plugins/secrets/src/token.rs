//! Secrets by the shape of the token itself: a vendor's prefix, a JSON Web Token, a bot's key.
//!
//! The text is walked once for runs of the letters that tokens are made of. A word of prose is such a
//! run as well, so the first thing asked is its length.

use crate::Hit;
use crate::bytes::{
    ALNUM, DOTTED, HEX, TOKEN, WORD, at, before, is, part, run, run_within, within,
};
use crate::measure::{Make, alnum, base64, checksum, holds, placeholder};
use crate::shapes::{Shape, beginning};

/// No secret that names itself is shorter.
const SHORTEST: usize = 16;

/// How far a token is looked at before it is known to be one.
const PROBE: usize = 256;

/// Finds the secrets that name themselves, and the long words in which one may be packed.
///
/// A run of sixteen bytes covers every sixteenth byte once, so only these are looked at.
pub(crate) fn scan(text: &str, hits: &mut Vec<Hit>, mut long: impl FnMut(usize, &str)) {
    let mut place = SHORTEST - 1;
    while place < text.len() {
        if !is(at(text, place), TOKEN) {
            place += SHORTEST;
            continue;
        }
        let mut start = place;
        while is(before(text, start), TOKEN) {
            start -= 1;
        }
        let end = run(text, place, TOKEN);
        if end - start >= SHORTEST {
            inside(text, start, end, hits);
            long(start, part(text, start, end));
        }
        place = end + SHORTEST;
    }
}

/// Looks at each place of a run where a token can begin.
fn inside(text: &str, start: usize, end: usize, hits: &mut Vec<Hit>) {
    let mut place = start;
    while place + SHORTEST <= end {
        let fresh = !is(before(text, place), ALNUM);
        match fresh.then(|| token(text, start, place, end)).flatten() {
            Some(hit) => {
                place = hit.end.max(place + 1);
                hits.push(hit);
            }
            None => place += 1,
        }
    }
}

/// The secret that begins at a place of a run.
fn token(text: &str, start: usize, place: usize, end: usize) -> Option<Hit> {
    let first = at(text, place);
    if first == b'e'
        && let Some(hit) = web_token(text, place)
    {
        return Some(hit);
    }
    if let Some(hit) = named(text, place) {
        return Some(hit);
    }
    match first {
        b'A' if before(text, place) == b':' => telegram(text, place),
        b'M' | b'N' | b'O' => discord(text, place),
        b'L' if within(text, place, 16).starts_with("LS0tLS1CRUdJTi") => armoured(text, place),
        _ if place == start => infix(text, place, end),
        _ => None,
    }
}

/// A token with a prefix of the table. The longest prefix is the most telling, so it goes first.
fn named(text: &str, place: usize) -> Option<Hit> {
    let rest = text.get(place..)?;
    let shapes =
        beginning(at(text, place)).iter().rev().filter(|shape| rest.starts_with(shape.prefix));
    shapes.filter_map(|shape| fits(text, place, shape)).next()
}

fn fits(text: &str, place: usize, shape: &Shape) -> Option<Hit> {
    let body = place + shape.prefix.len();
    // Far enough to judge; the whole is taken once it is a secret.
    let probe = run_within(text, body, shape.class, PROBE);
    let mut end = probe;
    while end > body && matches!(before(text, end), b'.' | b'-') {
        end -= 1;
    }
    let length = end - body;
    if length < usize::from(shape.least) || (shape.most > 0 && length > usize::from(shape.most)) {
        return None;
    }
    // A run of a narrow class that goes on with other letters is something else.
    if is(at(text, end), ALNUM) {
        return None;
    }
    let words = part(text, body, end);
    let make = Make::of(words);
    if placeholder(words)
        || (shape.most == 0 && make.digit == 0 && (make.upper == 0 || make.lower == 0))
    {
        return None;
    }
    if probe - body == PROBE {
        end = run(text, body, shape.class);
    }
    let sealed = matches!(shape.prefix, "ghp_" | "gho_" | "ghu_" | "ghs_" | "ghr_" | "npm_")
        && checksum(part(text, place, end));
    let confidence = if sealed { 99 } else { shape.confidence };
    let reason = match (sealed, shape.prefix) {
        (true, _) => "checksum",
        (_, "dG9r") => "intercom_token",
        _ => "prefix",
    };
    let example = holds(words, "example");
    Some(Hit::secret(place..end, if example { confidence.min(80) } else { confidence }, reason))
}

/// A JSON Web Token, signed or encrypted: two or more dots between parts, and a head that is JSON.
fn web_token(text: &str, place: usize) -> Option<Hit> {
    if !text.get(place..)?.starts_with("eyJ") {
        return None;
    }
    // The head first, for what is no token must not be read to its end from each place in it.
    let head = part(text, place, run_within(text, place, WORD, 4096));
    if head.len() < 12 || at(text, place + head.len()) != b'.' {
        return None;
    }
    let end = run(text, place, DOTTED);
    let token = part(text, place, end).trim_end_matches(['.', '-']);
    let mut parts = token.split('.');
    let head = parts.next()?;
    let body = parts.next()?;
    let json = |part: &str| base64(part, 2).starts_with(b"{\"");
    if head.len() < 12 || !json(head) || (body.len() < 8 && token.matches('.').count() < 3) {
        return None;
    }
    Some(Hit::secret(place..place + token.len(), 97, "web_token"))
}

/// `123456789:AA...`, the token of a Telegram bot.
fn telegram(text: &str, place: usize) -> Option<Hit> {
    let end = run_within(text, place, WORD, 40);
    if !part(text, place, end).starts_with("AA") || !(33..=36).contains(&(end - place)) {
        return None;
    }
    let mut start = place - 1;
    while before(text, start).is_ascii_digit() && place - start < 20 {
        start -= 1;
    }
    (7..=12).contains(&(place - 1 - start)).then(|| Hit::secret(start..end, 96, "prefix"))
}

/// The token of a Discord bot: the bot's number in base64, a time, a signature.
fn discord(text: &str, place: usize) -> Option<Hit> {
    let end = run_within(text, place, DOTTED, 90);
    let mut parts = part(text, place, end).split('.');
    let (number, time, signature) = (parts.next()?, parts.next()?, parts.next()?);
    if !(23..=28).contains(&number.len())
        || !(6..=7).contains(&time.len())
        || !(27..=40).contains(&signature.len())
    {
        return None;
    }
    let number_of_bot = base64(number, 30).iter().all(u8::is_ascii_digit);
    let end = place + number.len() + 1 + time.len() + 1 + signature.len();
    number_of_bot.then(|| Hit::secret(place..end, 96, "shape"))
}

/// A private key in PEM, in base64 once more, as in kubeconfig files.
fn armoured(text: &str, place: usize) -> Option<Hit> {
    let head = base64(within(text, place, 80), 48);
    let private = head.windows(7).any(|window| window == b"PRIVATE");
    private.then(|| Hit::secret(place..run(text, place, crate::bytes::BASE64), 98, "private_key"))
}

/// Tokens that have their mark in the middle.
fn infix(text: &str, place: usize, end: usize) -> Option<Hit> {
    let token = part(text, place, end).trim_end_matches('.');
    let end = place + token.len();
    let whole = |confidence| Some(Hit::secret(place..end, confidence, "shape"));
    match token.len() {
        // Azure: secret of an application, `xxx8Q~...`.
        37..=43 if token.get(4..6) == Some("Q~") && at(token, 3).is_ascii_digit() => whole(96),
        // Azure DevOps and other newer keys.
        52..=90 if holds(token, "JQQJ99") || (token.len() == 84 && token.contains("AZDO")) => {
            whole(94)
        }
        // Azure Storage, Cosmos, Functions: the mark of the signature stands near the end.
        44..=90
            if token.ends_with("==")
                && ["+ASt", "ACDb", "AzFu", "AIoT", "+ABa", "+ARm"]
                    .iter()
                    .any(|mark| token.contains(mark)) =>
        {
            whole(94)
        }
        // Mailchimp: 32 hexadecimal digits and the data centre.
        35..=38 => {
            let (key, centre) = token.split_once("-us")?;
            let fits = key.len() == 32
                && key.bytes().all(|byte| is(byte, HEX))
                && centre.bytes().all(|b| b.is_ascii_digit());
            if fits && !centre.is_empty() { whole(92) } else { None }
        }
        // Asana: `1/<number>:<hex>` is cut by its colon, so the first part is a number only.
        // Terraform: `<14>.atlasv1.<60>`.
        70..=100 if token.contains(".atlasv1.") => whole(97),
        // Salesforce: organisation, `!` and the session; the run ends before `!`.
        15..=18 if token.starts_with("00D") && at(text, end) == b'!' && alnum(token) => {
            let last = run(text, end + 1, DOTTED);
            (last - end > 40).then(|| Hit::secret(place..last, 95, "shape"))
        }
        _ => None,
    }
}
