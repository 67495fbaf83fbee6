//! Data in the addresses of links and pictures: whoever opens them tells their host.

use crate::Found;
use kit::kinds::DATA_IN_URL;
use kit::unfold::base64_tokens;

/// Names of parameters of pictures that say how they look.
const LOOKS: &[&str] = &[
    "w",
    "h",
    "width",
    "height",
    "size",
    "q",
    "quality",
    "format",
    "fm",
    "auto",
    "fit",
    "s",
    "dpr",
    "v",
    "crop",
    "ixlib",
    "expires",
    "signature",
    "req",
    "ver",
    "version",
    "alt",
];

/// Hosts of Intercom's own, to which an agent may link.
const OWN: &[&str] = &[
    "intercom.com",
    "intercomcdn.com",
    "intercom.help",
    "intercomassets.com",
    "intercom-attachments.com",
    "intercom.io",
    "intercomcdn.eu",
];

/// The longest link that is read.
const LONGEST: usize = 8192;

/// Finds links that carry data.
pub(crate) fn scan(text: &str, hosts: &[String], found: &mut Vec<Found>) {
    let mut last = 0;
    for (place, _) in text.match_indices("://") {
        // A link inside of a link is judged with it.
        if place < last {
            continue;
        }
        let host = place + 3;
        let link = until(text, host, |c| {
            c.is_whitespace() || matches!(c, '"' | '<' | '>' | '`' | '\u{1a}' | '\'' | '|' | ')')
        });
        last = host + link.len();
        let before = text.get(..place).unwrap_or("");
        let scheme = before.len()
            - before.bytes().rev().take(16).take_while(u8::is_ascii_alphabetic).count();
        if let Some((confidence, reason)) = judge(link, image(text, scheme), hosts) {
            found.push(Found::new(scheme..last, DATA_IN_URL, confidence, reason));
        }
    }
    let mut last = 0;
    for (place, _) in text.match_indices("data:") {
        if place < last {
            continue;
        }
        let link = until(text, place, |c| c.is_whitespace() || matches!(c, '"' | '<' | '>' | ')'));
        last = place + link.len();
        let picture = ["data:image/png", "data:image/jp", "data:image/gif", "data:image/webp"]
            .iter()
            .any(|kind| link.starts_with(kind));
        let typed = link.contains(";base64,")
            || link.starts_with("data:text/")
            || link.starts_with("data:application/");
        if typed && !picture {
            found.push(Found::new(place..last, DATA_IN_URL, 78, "data_link"));
        }
    }
}

/// A text from a place to where something closes it.
fn until(text: &str, start: usize, close: impl Fn(char) -> bool) -> &str {
    let rest = text.get(start..floor(text, start + LONGEST)).unwrap_or("");
    rest.get(..rest.find(close).unwrap_or(rest.len())).unwrap_or("")
}

fn floor(text: &str, place: usize) -> usize {
    let mut place = place.min(text.len());
    while !text.is_char_boundary(place) {
        place -= 1;
    }
    place
}

/// Whether a link is that of a picture, which is fetched without a click.
fn image(text: &str, start: usize) -> bool {
    let head = text.get(floor(text, start.saturating_sub(300))..start).unwrap_or("");
    let tag = head.rfind('<').and_then(|open| head.get(open..)).is_some_and(|tag| {
        let tag = tag.to_ascii_lowercase();
        let picture =
            ["<img", "<source", "<iframe", "<video"].iter().any(|name| tag.starts_with(name));
        !tag.contains('>') && (picture || tag.contains("background") || tag.contains("url("))
    });
    let markdown = head.ends_with('(')
        && head.rfind("![").is_some_and(|open| !head.get(open..).unwrap_or("").contains('\n'));
    tag || markdown || head.ends_with("url(") || head.ends_with("url('")
}

fn judge(link: &str, image: bool, hosts: &[String]) -> Option<(u8, &'static str)> {
    let path = link.find(['/', '?', '#']).unwrap_or(link.len());
    let authority = link.get(..path)?;
    let host = authority.rsplit('@').next()?.split(':').next()?;
    let below = |domain: &str| {
        host.eq_ignore_ascii_case(domain)
            || host.len() > domain.len()
                && host.get(host.len() - domain.len() - 1..).is_some_and(|end| {
                    end.starts_with('.')
                        && end.get(1..).is_some_and(|end| end.eq_ignore_ascii_case(domain))
                })
    };
    if OWN.iter().any(|domain| below(domain)) || hosts.iter().any(|domain| below(domain)) {
        return None;
    }
    if let Some(label) = host.split('.').find(|label| {
        label.len() >= 24 && label.bytes().any(|b| b.is_ascii_digit()) || label.len() >= 40
    }) {
        return Some((if label.len() >= 32 { 78 } else { 60 }, "host"));
    }
    let tail = link.get(path..)?;
    let (route, query) = tail.split_once(['?', '#']).unwrap_or((tail, ""));
    if query.contains('@')
        || query.contains("%40")
        || route.contains("%40")
        || route.contains('@') && route.len() > 6 && !route.starts_with("/@")
    {
        return Some((85, "address"));
    }
    let mut worst = None;
    for pair in query.split(['&', ';']) {
        let (name, value) = pair.split_once('=').unwrap_or(("", pair));
        let looks = value.len() <= 6 && LOOKS.iter().any(|look| look.eq_ignore_ascii_case(name));
        let rated = if looks || name.starts_with("utm_") && value.len() < 48 {
            None
        } else {
            rate(value, image)
        };
        worst = worst.max(rated);
    }
    for name in route.split('/').filter(|name| name.len() >= 16) {
        let coded = base64_tokens(name).iter().any(|(_, plain)| plain.len() >= 8) || hex_text(name);
        worst = worst.max(coded.then_some((80, "path")));
    }
    worst
}

/// How much the value of a parameter looks like data.
fn rate(value: &str, image: bool) -> Option<(u8, &'static str)> {
    if value.is_empty() {
        return None;
    }
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let words = value.matches("%20").count() + value.matches('+').count();
    let coded = base64_tokens(value).iter().any(|(_, plain)| plain.len() >= 8) || hex_text(value);
    match () {
        () if coded => Some((88, "encoded")),
        () if value.contains(['{', '$', '[']) && value.contains(['}', ']']) => {
            Some((75, "template"))
        }
        () if value.len() >= 80 => Some((72, "long")),
        () if words >= 3 => Some((70, "words")),
        () if image && value.len() >= 6 => Some((70, "image")),
        () if digits >= 9 && digits * 10 >= value.len() * 8 => Some((60, "digits")),
        () if value.len() >= 40 => Some((62, "long")),
        () => None,
    }
}

fn hex_text(value: &str) -> bool {
    value.len() >= 16
        && value.len().is_multiple_of(2)
        && value.as_bytes().chunks(2).all(|pair| {
            std::str::from_utf8(pair)
                .ok()
                .and_then(|pair| u8::from_str_radix(pair, 16).ok())
                .is_some_and(|byte| (0x20..0x7f).contains(&byte))
        })
}
