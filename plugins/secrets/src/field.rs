//! Secrets by the name of the member that holds them: `custom_attributes.wifi_password`.

use crate::Hit;
use crate::cues::{CUES, HARMLESS, KEY, MODIFIER, NOVALUE, PASSWORD, STRONG, TOKEN};
use crate::grade::{Grade, grade};
use crate::measure::{Make, placeholder, uuid};

/// Asks the last name of a path, and looks at the whole text.
pub(crate) fn scan(path: &str, text: &str, hits: &mut Vec<Hit>) {
    if !(4..=4096).contains(&text.len()) || text.contains([' ', '\n', '\u{1a}', '<']) {
        return;
    }
    let name = path.rsplit('/').next().unwrap_or("");
    if name.is_empty() || name.len() > 80 || name.bytes().all(|byte| byte.is_ascii_digit()) {
        return;
    }
    let (mut last, mut earlier) = (0, 0);
    CUES.walk(&parted(name), |word| {
        earlier |= last;
        last = word.class;
    });
    let make = Make::of(text);
    let random = make.random() && !placeholder(text);
    let hit = if last & PASSWORD != 0 {
        let value = grade(text) > Grade::No && CUES.get(text) & NOVALUE == 0 && !epoch(text);
        value.then(|| Hit::password(0..text.len(), 92, "field"))
    } else if last & STRONG != 0 || (last & (KEY | TOKEN) != 0 && earlier & MODIFIER != 0) {
        let value = (random
            || uuid(text)
            || (make.digit > 0 && make.length >= 10 && make.lower + make.upper > 0))
            && !text.contains("://");
        value.then(|| Hit::secret(0..text.len(), 90, "field"))
    } else if last & TOKEN != 0 && earlier & HARMLESS == 0 {
        (random && !uuid(text)).then(|| Hit::secret(0..text.len(), 80, "field"))
    } else {
        None
    };
    hits.extend(hit);
}

/// Words of camel case with spaces between them.
fn parted(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 8);
    let mut lower = false;
    for c in name.chars() {
        if c.is_uppercase() && lower {
            words.push(' ');
        }
        lower = c.is_lowercase() || c.is_ascii_digit();
        words.push(if c == '_' { ' ' } else { c });
    }
    words
}

/// A time in seconds, as in `password_changed`.
fn epoch(text: &str) -> bool {
    text.len() >= 9 && text.bytes().all(|byte| byte.is_ascii_digit())
}
