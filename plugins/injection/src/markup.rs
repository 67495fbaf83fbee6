//! HTML that is not shown: styles that hide, letters in the colour of the page, comments.

use crate::Found;
use crate::instruct::weigh;
use kit::Phase;
use kit::kinds::HIDDEN_TEXT;

/// The longest part that is looked through for the end of what is hidden.
const LONGEST: usize = 20_000;

/// Finds what HTML hides.
pub(crate) fn scan(text: &str, phase: Phase, found: &mut Vec<Found>) {
    let mut place = 0;
    while let Some(next) = text.get(place..).and_then(|rest| rest.find('<')) {
        let start = place + next;
        place = start + 1;
        let rest = text.get(start..).unwrap_or("");
        if let Some(comment) = rest.strip_prefix("<!--") {
            let length = comment.find("-->").unwrap_or(comment.len());
            comment_at(start + 4, comment.get(..length).unwrap_or(""), phase, found);
            place = start + 4 + length;
            continue;
        }
        let Some(name) = name(rest) else { continue };
        let Some(end) = tag_end(rest) else { continue };
        let tag = rest.get(..end).unwrap_or("");
        place = start + end;
        if let Some((confidence, reason)) = hiding(name, tag) {
            let confidence =
                if reason == "colour" && on_ground(text, start) { 40 } else { confidence };
            let body = rest.get(end..).unwrap_or("");
            let length = element_end(body, name);
            element(
                start + end,
                body.get(..length).unwrap_or(""),
                confidence,
                reason,
                phase,
                found,
            );
            // What is hidden inside of it is hidden already.
            place = start + end + length;
        }
    }
}

/// The name of an opening tag.
fn name(rest: &str) -> Option<&str> {
    let rest = rest.get(1..)?;
    let length = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
    rest.get(..length)
        .filter(|name| name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic()))
}

/// Where a tag ends, quotes respected.
fn tag_end(rest: &str) -> Option<usize> {
    let mut quote = None;
    for (place, byte) in rest.bytes().enumerate().skip(1).take(4096) {
        match (byte, quote) {
            (b'"' | b'\'', None) => quote = Some(byte),
            (b'"' | b'\'', Some(open)) if open == byte => quote = None,
            (b'>', None) => return Some(place + 1),
            // Another tag begins: this was none.
            (b'<', None) => return None,
            _ => {}
        }
    }
    None
}

/// Where the element ends whose content this is.
fn element_end(body: &str, name: &str) -> usize {
    let limit = floor(body, LONGEST.min(body.len()));
    let body = body.get(..limit).unwrap_or("");
    let (mut depth, mut place) = (0usize, 0);
    while let Some(next) = body.get(place..).and_then(|rest| rest.find('<')) {
        let start = place + next;
        let rest = body.get(start + 1..).unwrap_or("");
        let closing = rest.starts_with('/');
        let word = rest.get(usize::from(closing)..).unwrap_or("");
        let same = word.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name))
            && word.as_bytes().get(name.len()).is_none_or(|byte| !byte.is_ascii_alphanumeric());
        match (same, closing, depth) {
            (true, true, 0) => return start,
            (true, true, _) => depth -= 1,
            (true, false, _) => depth += 1,
            _ => {}
        }
        place = start + 1;
    }
    body.len()
}

fn floor(text: &str, mut place: usize) -> usize {
    while !text.is_char_boundary(place) {
        place -= 1;
    }
    place
}

/// Whether a tag hides what it holds.
fn hiding(name: &str, tag: &str) -> Option<(u8, &'static str)> {
    if ["template", "noscript", "script", "style", "title", "head", "textarea"]
        .iter()
        .any(|hidden| hidden.eq_ignore_ascii_case(name))
    {
        return (name.eq_ignore_ascii_case("template") || name.eq_ignore_ascii_case("noscript"))
            .then_some((70, "not_shown"));
    }
    if tag.len() < 9 {
        return None;
    }
    // No spaces, no case: `DISPLAY : none`.
    let tight: String = tag
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| c.to_ascii_lowercase())
        .take(2000)
        .collect();
    let has = |needle: &str| tight.contains(needle);
    if has("display:none") || has("visibility:hidden") || has("visibility:collapse") {
        return Some((75, "not_shown"));
    }
    if attribute(tag, "hidden") {
        return Some((75, "not_shown"));
    }
    if value(&tight, "font-size:").is_some_and(|size| size < 2.5)
        || value(&tight, "opacity:").is_some_and(|opacity| opacity < 0.12)
    {
        return Some((80, "too_small"));
    }
    if has("opacity:0;")
        || has("opacity:0\"")
        || has("clip:rect(0")
        || has("clip-path:inset(100")
        || has("transform:scale(0")
    {
        return Some((80, "too_small"));
    }
    if has("text-indent:-9")
        || has("left:-9")
        || has("top:-9")
        || has("margin-left:-9")
        || has("right:-9")
    {
        return Some((80, "off_screen"));
    }
    let flat = (has("height:0") && !has("height:0."))
        || (has("max-height:0") && !has("max-height:0."))
        || has("width:0;")
        || has("width:0px");
    if flat && has("overflow:hidden") {
        return Some((75, "too_small"));
    }
    colour(&tight, tag).then_some((75, "colour"))
}

/// An attribute without a value.
fn attribute(tag: &str, name: &str) -> bool {
    let mut quoted = false;
    let bare: String = tag
        .chars()
        .map(|c| {
            if c == '"' || c == '\'' {
                quoted = !quoted;
                ' '
            } else if quoted {
                'x'
            } else {
                c
            }
        })
        .collect();
    bare.split([' ', '\t', '\n', '>', '/']).any(|word| {
        word.eq_ignore_ascii_case(name)
            || word.strip_prefix(name).is_some_and(|rest| rest.starts_with('='))
    })
}

/// The number behind a property.
fn value(tight: &str, property: &str) -> Option<f32> {
    let rest = tight.split(property).nth(1)?;
    let digits = rest.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
    let unit = rest.get(digits..)?;
    let number = rest.get(..digits)?.parse().ok()?;
    // `font-size:1em` is of ordinary size.
    (!unit.starts_with("em") && !unit.starts_with("rem") && !unit.starts_with('%') || number < 0.15)
        .then_some(number)
}

/// Letters in the colour of the page, or of the background that is set with them.
fn colour(tight: &str, tag: &str) -> bool {
    let of = |property: &str| {
        let mut rest = tight;
        while let Some(place) = rest.find(property) {
            let lead = rest.as_bytes().get(place.wrapping_sub(1)).copied().unwrap_or(b' ');
            let value = rest.get(place + property.len()..).unwrap_or("");
            if lead != b'-' && !lead.is_ascii_alphanumeric() {
                let length = value.find([';', '"', '\'', '>', '!']).unwrap_or(value.len());
                return value.get(..length).map(plain_colour);
            }
            rest = value;
        }
        None
    };
    let Some(letters) = of("color:").or_else(|| font(tag)) else { return false };
    if letters == "transparent" || letters.ends_with(",0)") || letters.ends_with(",0.0)") {
        return true;
    }
    let ground = of("background-color:").or_else(|| of("background:")).or_else(|| of("bgcolor=\""));
    match ground {
        Some(ground) => ground == letters,
        None => letters == "fff",
    }
}

/// The colour that an old tag sets by an attribute.
fn font(tag: &str) -> Option<String> {
    let lower = tag.to_ascii_lowercase();
    let value = lower.split(" color=").nth(1)?.trim_start_matches(['"', '\'']);
    let length = value.find(['"', '\'', ' ', '>']).unwrap_or(value.len());
    value.get(..length).map(plain_colour)
}

/// Whether a tag before this one sets a background, on which white letters are read, as on buttons.
fn on_ground(text: &str, start: usize) -> bool {
    let from = floor(text, start.saturating_sub(800));
    let before = text.get(from..start).unwrap_or("");
    ["background", "bgcolor", "BACKGROUND", "BGCOLOR"].iter().any(|word| before.contains(word))
}

/// One spelling for white and for hexadecimal colours.
fn plain_colour(value: &str) -> String {
    let value = value.trim_start_matches('#');
    let white = [
        "white",
        "ffffff",
        "fff",
        "fefefe",
        "fdfdfd",
        "snow",
        "ivory",
        "rgb(255,255,255)",
        "rgba(255,255,255,1)",
        "hsl(0,0%,100%)",
    ];
    if white.contains(&value) { "fff".to_owned() } else { value.to_owned() }
}

/// Reports the text of an element that is not shown.
fn element(
    start: usize,
    body: &str,
    confidence: u8,
    reason: &'static str,
    phase: Phase,
    found: &mut Vec<Found>,
) {
    let mut place = 0;
    let words = letters(body);
    if words < 3 {
        return;
    }
    let raised = raise(confidence, body, phase);
    // One finding for each stretch between tags, so that no tag is covered.
    for piece in body.split_inclusive(['<', '>']) {
        let bare = piece.trim_end_matches(['<', '>']);
        let inside = piece.ends_with('>');
        let trimmed = bare.trim();
        if !inside && letters(trimmed) > 0 {
            let lead = bare.find(trimmed).unwrap_or(0);
            let at = start + place + lead;
            found.push(Found::new(at..at + trimmed.len(), HIDDEN_TEXT, raised, reason));
        }
        place += piece.len();
    }
}

/// In what an agent writes, and around orders, hiding is no accident.
fn raise(confidence: u8, body: &str, phase: Phase) -> u8 {
    let written = if phase == Phase::Answer { confidence } else { confidence.max(85) };
    if weigh(body) >= 25 { 97 } else { written }
}

fn letters(text: &str) -> usize {
    text.chars().filter(|c| c.is_alphanumeric()).count()
}

/// Programs leave comments behind; people have no use for them.
fn comment_at(start: usize, body: &str, phase: Phase, found: &mut Vec<Found>) {
    let trimmed = body.trim();
    let known = [
        "[if ",
        "<![endif",
        "[endif",
        "startfragment",
        "endfragment",
        "mobile",
        "desktop",
        "header",
        "footer",
        "body",
        "/",
        "#",
        "end ",
        "begin ",
    ];
    let lower: String = trimmed.chars().take(24).map(|c| c.to_ascii_lowercase()).collect();
    let words = trimmed.split_whitespace().count();
    if letters(trimmed) < 3 {
        return;
    }
    let orders = weigh(trimmed);
    let left_behind = known.iter().any(|begin| lower.starts_with(begin)) && words <= 6;
    let confidence = match (orders >= 20, phase) {
        (true, _) => 97,
        _ if left_behind => return,
        (false, Phase::Answer) => 35,
        (false, _) => 80,
    };
    let lead = body.find(trimmed).unwrap_or(0);
    found.push(Found::new(
        start + lead..start + lead + trimmed.len(),
        HIDDEN_TEXT,
        confidence,
        "comment",
    ));
}
