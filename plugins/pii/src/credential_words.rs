//! Words around passwords and names in systems.

use crate::text::Text;

/// Words that stand between a password and the word for it, in either order.
#[rustfmt::skip]
pub(crate) fn joins(word: &str) -> bool {
    equates(word)
        || matches!(
            word,
        "my" | "the" | "a" | "our" | "your" | "new" | "old" | "current" | "mein" | "meine"
            | "meinem" | "das" | "dem" | "mi" | "la" | "le" | "el" | "il" | "mon" | "mot" | "de"
            | "ma" | "mia" | "minha" | "mijn" | "het" | "mit" | "min" | "mitt" | "moje" | "moim"
            | "meu" | "uma" | "una" | "un" | "ein" | "een" | "kata" | "mat" | "now" | "still"
            | "jetzt" | "nun" | "word" | "one" | "temporary" | "temp" | "login"
            | "\u{43c}\u{43e}\u{438}" | "au" | "am"
        )
}

/// Words that say what is what.
#[rustfmt::skip]
pub(crate) fn equates(word: &str) -> bool {
    matches!(
        word,
        "as" | "is" | "was" | "being" | "als" | "ist" | "war" | "lautet" | "comme" | "est"
            | "etait" | "como" | "es" | "era" | "come" | "e" | "som" | "er" | "ar" | "jako"
            | "je" | "jest" | "to" | "for" | "on" | "mint" | "a" | "ca" | "este" | "olarak"
            | "\u{43a}\u{430}\u{43a}" | "=" | ":" | "->" | "-" | "\u{2013}" | "\u{2192}" | "s"
    )
}

/// Words behind "password" that make another thing of it.
#[rustfmt::skip]
pub(crate) fn is_compound(text: &Text<'_>, i: usize) -> bool {
    let Some(next) = text.words.get(i + 1) else { return false };
    matches!(text.gap(i), " " | "-")
        && matches!(
            text.folded(next),
        "reset" | "resets" | "resetting" | "field" | "fields" | "policy" | "policies" | "manager"
            | "managers" | "change" | "changes" | "issue" | "issues" | "problem" | "link"
            | "links" | "page" | "ticket" | "request" | "requests" | "error" | "prompt"
            | "screen" | "form" | "box" | "dialog" | "email" | "recovery" | "strength" | "rules"
            | "requirements" | "length" | "protection" | "protected" | "zurucksetzen"
        )
}

/// Whether a token is a product or a standard with its number: `iOS17`, `OAuth2`, `10am`, `2nd`.
#[rustfmt::skip]
pub(crate) fn is_thing(folded: &str) -> bool {
    let stem = folded.trim_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '!'));
    matches!(
        stem,
        "ios" | "office" | "windows" | "win" | "iphone" | "ipad" | "android" | "chrome"
            | "firefox" | "safari" | "edge" | "macos" | "sha" | "base" | "wpa" | "utf" | "md"
            | "oauth" | "saml" | "step" | "version" | "v" | "http" | "fa" | "mp" | "am" | "pm"
            | "st" | "nd" | "rd" | "th" | "x" | "h" | "min" | "ms" | "kb" | "mb" | "gb" | "level"
            | "page" | "error" | "err" | "build" | "q" | "ipv" | "pixel" | "galaxy"
    )
}

/// Words between the parts of a pair.
#[rustfmt::skip]
pub(crate) fn parts(word: &str) -> bool {
    matches!(
        word,
        "" | "/" | ":" | "|" | "-" | "+" | "&" | "and" | "und" | "et" | "y" | "e" | "en" | "og"
            | "och" | "i" | "ja" | "with" | "mit" | "avec" | "con" | "com" | "met" | "med" | "p"
            | "pw" | "pwd" | "then" | "\u{438}"
    )
}

/// Words between a label and a name.
#[rustfmt::skip]
pub(crate) fn opens(word: &str) -> bool {
    matches!(
        word,
        "is" | "are" | "was" | "with" | "as" | "my" | "the" | "in" | "on" | "details" | "data"
            | "u" | "user" | "id" | "mit" | "avec" | "con" | "com" | "met" | "med" | "ist"
            | "sind" | "als" | "comme" | "como" | "come" | "zijn" | "son" | "sont" | "sono" | "sao" | "es"
            | "est" | "e" | "using" | "used" | "name" | "" | ":" | "="
    )
}
