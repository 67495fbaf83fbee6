//! HTML's character references.

use super::at;

/// Names that occur in mails and messages, sorted.
const NAMES: &[(&str, char)] = &[
    ("AElig", 'Æ'),
    ("Aacute", 'Á'),
    ("Acirc", 'Â'),
    ("Agrave", 'À'),
    ("Aring", 'Å'),
    ("Atilde", 'Ã'),
    ("Auml", 'Ä'),
    ("Ccedil", 'Ç'),
    ("ETH", 'Ð'),
    ("Eacute", 'É'),
    ("Ecirc", 'Ê'),
    ("Egrave", 'È'),
    ("Euml", 'Ë'),
    ("Iacute", 'Í'),
    ("Icirc", 'Î'),
    ("Igrave", 'Ì'),
    ("Iuml", 'Ï'),
    ("Ntilde", 'Ñ'),
    ("OElig", 'Œ'),
    ("Oacute", 'Ó'),
    ("Ocirc", 'Ô'),
    ("Ograve", 'Ò'),
    ("Oslash", 'Ø'),
    ("Otilde", 'Õ'),
    ("Ouml", 'Ö'),
    ("Scaron", 'Š'),
    ("THORN", 'Þ'),
    ("Uacute", 'Ú'),
    ("Ucirc", 'Û'),
    ("Ugrave", 'Ù'),
    ("Uuml", 'Ü'),
    ("Yacute", 'Ý'),
    ("aacute", 'á'),
    ("acirc", 'â'),
    ("aelig", 'æ'),
    ("agrave", 'à'),
    ("amp", '&'),
    ("apos", '\''),
    ("aring", 'å'),
    ("atilde", 'ã'),
    ("auml", 'ä'),
    ("bull", '•'),
    ("ccedil", 'ç'),
    ("colon", ':'),
    ("comma", ','),
    ("commat", '@'),
    ("copy", '©'),
    ("dash", '-'),
    ("eacute", 'é'),
    ("ecirc", 'ê'),
    ("egrave", 'è'),
    ("emsp", ' '),
    ("ensp", ' '),
    ("equals", '='),
    ("eth", 'ð'),
    ("euml", 'ë'),
    ("euro", '€'),
    ("gt", '>'),
    ("hellip", '…'),
    ("hyphen", '-'),
    ("iacute", 'í'),
    ("icirc", 'î'),
    ("igrave", 'ì'),
    ("iuml", 'ï'),
    ("laquo", '«'),
    ("ldquo", '"'),
    ("lowbar", '_'),
    ("lpar", '('),
    ("lsquo", '\''),
    ("lt", '<'),
    ("mdash", '-'),
    ("middot", '·'),
    ("nbsp", ' '),
    ("ndash", '-'),
    ("ntilde", 'ñ'),
    ("num", '#'),
    ("oacute", 'ó'),
    ("ocirc", 'ô'),
    ("oelig", 'œ'),
    ("ograve", 'ò'),
    ("oslash", 'ø'),
    ("otilde", 'õ'),
    ("ouml", 'ö'),
    ("period", '.'),
    ("plus", '+'),
    ("pound", '£'),
    ("quot", '"'),
    ("raquo", '»'),
    ("rdquo", '"'),
    ("reg", '®'),
    ("rpar", ')'),
    ("rsquo", '\''),
    ("scaron", 'š'),
    ("shy", '\u{ad}'),
    ("sol", '/'),
    ("szlig", 'ß'),
    ("thinsp", ' '),
    ("thorn", 'þ'),
    ("trade", '™'),
    ("uacute", 'ú'),
    ("ucirc", 'û'),
    ("ugrave", 'ù'),
    ("uuml", 'ü'),
    ("yacute", 'ý'),
    ("yuml", 'ÿ'),
    ("zwj", '\u{200d}'),
    ("zwnj", '\u{200c}'),
];

/// The reference that begins at an `&`: how many bytes, and the character. One that is itself
/// encoded, such as `&amp;#64;`, is read to the end.
pub(super) fn parse(text: &str, i: usize) -> Option<(usize, char)> {
    let (mut len, mut c) = single(text, i)?;
    while c == '&' {
        let Some((more, inner)) = behind(text, i + len) else { break };
        (len, c) = (len + more, inner);
    }
    Some((len, c))
}

fn single(text: &str, i: usize) -> Option<(usize, char)> {
    behind(text, i + 1).map(|(n, c)| (n + 1, c))
}

/// What follows an `&`.
fn behind(text: &str, i: usize) -> Option<(usize, char)> {
    let bytes = text.as_bytes();
    if at(bytes, i) == b'#' {
        let hex = matches!(at(bytes, i + 1), b'x' | b'X');
        let start = i + if hex { 2 } else { 1 };
        let mut k = start;
        while k - start < 8
            && if hex { at(bytes, k).is_ascii_hexdigit() } else { at(bytes, k).is_ascii_digit() }
        {
            k += 1;
        }
        let value = u32::from_str_radix(text.get(start..k)?, if hex { 16 } else { 10 }).ok()?;
        let end = if at(bytes, k) == b';' { k + 1 } else { k };
        return Some((end - i, char::from_u32(value).filter(|c| *c != '\0')?));
    }
    let mut k = i;
    while at(bytes, k).is_ascii_alphanumeric() && k - i < 12 {
        k += 1;
    }
    if at(bytes, k) != b';' {
        return None;
    }
    let name = text.get(i..k)?;
    let n = NAMES.binary_search_by(|(n, _)| (*n).cmp(name)).ok()?;
    NAMES.get(n).map(|(_, c)| (k + 1 - i, *c))
}

#[cfg(test)]
mod tests {
    use super::{NAMES, parse};

    #[test]
    fn the_names_are_sorted() {
        assert!(NAMES.is_sorted_by_key(|(n, _)| *n));
    }

    #[test]
    fn references_are_read_to_the_end() {
        for (text, len, c) in [
            ("&#64;", 5, '@'),
            ("&#x40;x", 6, '@'),
            ("&amp;#64;", 9, '@'),
            ("&eacute;", 8, 'é'),
            ("&amp;co", 5, '&'),
        ] {
            assert_eq!(parse(text, 0), Some((len, c)), "{text}");
        }
        for text in ["& co", "&nosuch;", "&#;", "&#0;"] {
            assert_eq!(parse(text, 0), None, "{text}");
        }
    }
}
