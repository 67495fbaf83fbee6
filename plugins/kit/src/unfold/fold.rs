//! Folding: no case, no accents, no look-alike letters.

use super::map::{View, Writer};
use unicode_normalization::char::decompose_compatible;

/// A text folded, with the way back to it.
#[must_use]
pub fn fold(text: &str) -> View<'static> {
    if text.is_ascii() {
        return View::parallel(text.to_ascii_lowercase());
    }
    let mut to = Writer::with_capacity(text.len());
    let mut at = 0;
    for token in text.split_inclusive(char::is_whitespace) {
        let mixed = is_mixed(token);
        for c in token.chars() {
            let len = c.len_utf8();
            let mut first = true;
            let mut put = |d: char| {
                if first {
                    to.atom(at, len, d)
                } else {
                    to.more(d)
                }
                first = false;
            };
            if c.is_ascii() {
                put(c.to_ascii_lowercase());
            } else {
                letters(c, mixed, &mut put);
            }
            if first {
                to.gap(at, len);
            }
            at += len;
        }
    }
    to.finish()
}

/// A text folded, without a way back.
#[must_use]
pub fn fold_text(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut out = String::with_capacity(text.len());
    for token in text.split_inclusive(char::is_whitespace) {
        fold_word(token, &mut out);
    }
    out
}

/// One word folded, to the end of `out`.
pub fn fold_word(word: &str, out: &mut String) {
    let mixed = !word.is_ascii() && is_mixed(word);
    for c in word.chars() {
        if c.is_ascii() {
            out.push(c.to_ascii_lowercase());
        } else {
            letters(c, mixed, &mut |d| out.push(d));
        }
    }
}

/// Whether a word has Latin letters and others that look like Latin ones.
fn is_mixed(word: &str) -> bool {
    let (mut latin, mut other) = (false, false);
    for c in word.chars() {
        latin |= c.is_ascii_alphabetic();
        other |= look_alike(c).is_some();
    }
    latin && other
}

/// The letters of ASCII that a character is read as; nothing for marks.
fn letters(c: char, mixed: bool, put: &mut impl FnMut(char)) {
    if mixed && let Some(l) = look_alike(c) {
        put(l);
        return;
    }
    for c in c.to_lowercase() {
        match c {
            'ß' => "ss".chars().for_each(&mut *put),
            'æ' => "ae".chars().for_each(&mut *put),
            'œ' => "oe".chars().for_each(&mut *put),
            'þ' => "th".chars().for_each(&mut *put),
            'ø' => put('o'),
            'ł' => put('l'),
            'đ' | 'ð' => put('d'),
            'ı' => put('i'),
            'ħ' => put('h'),
            'ŋ' => put('n'),
            // Hangul and kana are written with their parts as one.
            '\u{3040}'..='\u{30ff}' | '\u{ac00}'..='\u{d7a3}' => put(c),
            _ => decompose_compatible(c, |d| {
                if !is_mark(d) {
                    put(d);
                }
            }),
        }
    }
}

const fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}')
}

/// The Latin letter that a Cyrillic, Greek or Armenian one looks like.
const fn look_alike(c: char) -> Option<char> {
    Some(match c {
        'а' | 'А' | 'α' | 'Α' => 'a',
        'В' | 'в' | 'Β' => 'b',
        'с' | 'С' | 'ϲ' => 'c',
        'ԁ' => 'd',
        'е' | 'Е' | 'ё' | 'Ё' | 'Ε' | 'ε' => 'e',
        'ɡ' => 'g',
        'һ' | 'Һ' | 'Н' | 'Η' => 'h',
        'і' | 'І' | 'ї' | 'Ї' | 'Ι' | 'ι' => 'i',
        'ј' | 'Ј' => 'j',
        'к' | 'К' | 'Κ' | 'κ' => 'k',
        'ӏ' => 'l',
        'М' | 'м' | 'Μ' => 'm',
        'п' | 'Ν' => 'n',
        'о' | 'О' | 'ο' | 'Ο' | 'օ' => 'o',
        'р' | 'Р' | 'ρ' | 'Ρ' => 'p',
        'ԛ' => 'q',
        'ѕ' | 'Ѕ' => 's',
        'Т' | 'т' | 'Τ' | 'τ' => 't',
        'υ' | 'ս' => 'u',
        'ν' | 'ѵ' => 'v',
        'ԝ' | 'ѡ' | 'ω' => 'w',
        'х' | 'Х' | 'χ' | 'Χ' => 'x',
        'у' | 'У' | 'Υ' | 'γ' => 'y',
        'Ζ' => 'z',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{fold, fold_text};

    #[test]
    fn accents_case_and_look_alikes_go() {
        for (text, folded) in [
            ("Gráinne Ó Dálaigh", "grainne o dalaigh"),
            ("Straße", "strasse"),
            ("Iñaki ŁUKASZ Bjørn", "inaki lukasz bjorn"),
            ("jаnе@example.org", "jane@example.org"),
            ("Анна", "анна"),
            ("e\u{301}a", "ea"),
            ("山田", "山田"),
        ] {
            assert_eq!(fold_text(text), folded);
            assert_eq!(fold(text).text(), folded);
        }
    }

    #[test]
    fn the_way_back_is_to_whole_characters() {
        let text = "Straße x";
        let view = fold(text);
        assert_eq!(view.range(0..7), 0..7);
        assert_eq!(&text[view.range(5..6)], "ß");
    }
}
