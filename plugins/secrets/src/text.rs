//! One text: every scanner over it, and the walk over its words for cues.

use crate::bytes::{self, ALNUM, WORD, at, before, is, part, run, within};
use crate::config::Config;
use crate::cues::*;
use crate::near::{Ask, backward, forward};
use crate::{Hit, link, pem, token};
use kit::unfold::base64_tokens;

/// How often a text may be packed in base64.
const DEEPEST: usize = 2;

/// Finds the secrets of a text that is read as a person reads it.
pub(crate) fn scan(text: &str, config: &Config, hits: &mut Vec<Hit>) {
    unpack(text, config, DEEPEST, hits);
}

fn unpack(text: &str, config: &Config, depth: usize, hits: &mut Vec<Hit>) {
    let mut packed = Vec::new();
    token::scan(text, hits, |start, run| {
        if depth > 0 {
            let tokens = base64_tokens(run).into_iter();
            packed.extend(
                tokens.map(|(bytes, plain)| (start + bytes.start..start + bytes.end, plain)),
            );
        }
    });
    for (bytes, plain) in packed {
        let mut inner = Vec::new();
        unpack(&plain, config, depth - 1, &mut inner);
        // The whole word is the secret: its parts cannot be told apart.
        if let Some(hit) = inner.into_iter().max_by_key(|hit| hit.confidence) {
            hits.push(Hit { start: bytes.start, end: bytes.end, reason: "packed", ..hit });
        }
    }
    own(text, config, hits);
    words(text, config, hits);
}

/// The operator's own prefixes.
fn own(text: &str, config: &Config, hits: &mut Vec<Hit>) {
    for own in &config.prefixes {
        let mut last = 0;
        for (start, prefix) in text.match_indices(own.prefix.as_str()) {
            if start < last {
                continue;
            }
            let end = run(text, start + prefix.len(), WORD);
            if !is(before(text, start), ALNUM) && end - start - prefix.len() >= own.length {
                hits.push(Hit::secret(start..end, 95, "own_prefix"));
                last = end;
            }
        }
    }
}

/// What the walk remembers of the words before.
#[derive(Default)]
struct Before {
    class: u64,
    end: usize,
    /// Where the last `curl` stands.
    curl: Option<usize>,
    /// Where the last link ends, and how many links were found in it.
    link: (usize, usize),
    /// Where the last cookie header was read to.
    cookie: usize,
}

/// Walks over the words and looks behind each cue.
fn words(text: &str, config: &Config, hits: &mut Vec<Hit>) {
    let mut last = Before::default();
    let mut budget = text.len() * 4 + 16_384;
    CUES.walk(text, |word| {
        if at(text, word.end) == b':' && part(text, word.end, word.end + 3) == "://" {
            // A link holds links, but not so many that reading each to the end would matter.
            let inside = word.start < last.link.0;
            last.link.1 = if inside { last.link.1 + 1 } else { 0 };
            if last.link.1 < 4 {
                let end = link::scan(text, word.end + 3, config, hits);
                last.link.0 = last.link.0.max(end);
            }
        }
        // The class of a word counts only for its neighbour: one sign lies between them at most.
        let near = if word.start.saturating_sub(last.end) <= 3
            && !part(text, last.end, word.start).contains(['.', '\n'])
        {
            last.class
        } else {
            0
        };
        if word.class != 0 {
            if let Some(ask) = ask(text, word.class, near, word.start, word.end) {
                let hit = forward(text, word.end, ask, &mut budget).or_else(|| {
                    if ask == Ask::Password { backward(text, word.start) } else { None }
                });
                hits.extend(hit);
            }
            if word.class & COOKIE != 0 && word.start >= last.cookie {
                last.cookie = cookies(text, word.end, hits);
            }
            if word.class & CURL != 0 {
                last.curl = Some(word.end);
            }
            let covered = |hit: &Hit| hit.reason == "private_key" && hit.end > word.start;
            if word.class & ARMOUR != 0 && !hits.last().is_some_and(covered) {
                pem::scan(text, word.start, hits);
            }
        }
        if last.curl.is_some_and(|curl| word.end - curl < 400) && word.end - word.start == 1 {
            user(text, word.start, word.end, hits);
        }
        // Of a name such as `api_access_key` the first word counts for the last.
        let kept = if word.class & (MODIFIER | PROOF) != 0
            || word.class == 0 && word.end - word.start <= 4
        {
            near & (MODIFIER | PROOF)
        } else {
            0
        };
        last.class = word.class | kept;
        last.end = word.end;
    });
}

/// What a word asks for, given the classes of the word before it.
fn ask(text: &str, class: u64, near: u64, start: usize, end: usize) -> Option<Ask> {
    // Part of a longer name: `password_reset_url`, `token-count`; and of a link's path.
    if matches!(at(text, end), b'_' | b'-') && is(at(text, end + 1), ALNUM)
        || before(text, start) == b'@'
    {
        return None;
    }
    if class & PASSWORD != 0 {
        return Some(Ask::Password);
    }
    if class & PHRASE != 0
        || (class & WORDS != 0 && near & (PROOF | PASSWORD) != 0 && class & PROOF == 0)
    {
        return Some(Ask::Phrase);
    }
    if class & BEARER != 0 {
        return Some(Ask::Bearer);
    }
    if class & BASIC != 0 {
        return Some(Ask::Basic);
    }
    if class & (STRONG | AUTHORIZATION) != 0 {
        return Some(Ask::Strong);
    }
    if class & (TOKEN | KEY) != 0 && near & HARMLESS == 0 {
        return Some(if near & MODIFIER != 0 { Ask::Strong } else { Ask::Weak });
    }
    if class & CODE != 0 && (near & PROOF != 0 || class & PROOF != 0) {
        return Some(Ask::Code);
    }
    if class & LOGIN == 0 {
        return None;
    }
    // `pass: x` is a password, a pass is not.
    let rest = text.get(end..).unwrap_or("").trim_start();
    let said = [":", "=", "is ", "was ", "es ", "ist "].iter().any(|next| rest.starts_with(next));
    Some(if end - start == 4 && said { Ask::Password } else { Ask::Login })
}

/// `Cookie: a=b; c=d`: each value that looks like more than a setting. Says how far was read.
fn cookies(text: &str, from: usize, hits: &mut Vec<Hit>) -> usize {
    if at(text, from) != b':' {
        return from;
    }
    let rest = within(text, from + 1, 4096);
    let line = rest.find(['\n', '"', '<', '\'']).unwrap_or(rest.len());
    let mut place = from + 1;
    for pair in rest.get(..crate::bytes::floor(rest, line)).unwrap_or("").split(';') {
        if let Some((name, value)) = pair.split_once('=') {
            let start = place + name.len() + 1;
            let end = start + value.len();
            let make = crate::measure::Make::of(value.trim());
            let setting = ["path", "expires", "domain", "max-age", "samesite", "version"]
                .iter()
                .any(|known| name.trim().eq_ignore_ascii_case(known));
            if !setting
                && make.length >= 10
                && make.digit > 0
                && make.lower + make.upper > 0
                && make.different > 5
            {
                hits.push(Hit::secret(start..end, 88, "cookie"));
            }
        }
        place += pair.len() + 1;
    }
    from + 1 + line
}

/// `curl -u name:password`.
fn user(text: &str, start: usize, end: usize, hits: &mut Vec<Hit>) {
    if before(text, start) != b'-' || at(text, start) != b'u' || at(text, end) != b' ' {
        return;
    }
    let from = end + 1 + usize::from(matches!(at(text, end + 1), b'"' | b'\''));
    let last = text
        .get(from..)
        .map_or(from, |rest| from + rest.find([' ', '"', '\'', '\n', '<']).unwrap_or(rest.len()));
    if let Some((name, password)) = part(text, from, last).split_once(':') {
        let start = from + name.len() + 1;
        // Of a key that is used as a name, the name is the secret, and its shape says so.
        if password.len() >= 4 && !is(at(text, start), bytes::TOKEN) || password.len() >= 4 {
            hits.push(Hit::password(start..last, 92, "user_option"));
        }
    }
}
