//! Digits in words or one by one, and letters one by one.

use super::at;
use std::ops::Range;

/// Words for digits, folded and sorted.
const WORDS: &[(&str, u8)] = &[
    ("acht", 8),
    ("cero", 0),
    ("cinco", 5),
    ("cinq", 5),
    ("cinque", 5),
    ("cuatro", 4),
    ("deux", 2),
    ("dois", 2),
    ("dos", 2),
    ("drei", 3),
    ("drie", 3),
    ("due", 2),
    ("een", 1),
    ("eight", 8),
    ("eins", 1),
    ("five", 5),
    ("four", 4),
    ("fuenf", 5),
    ("funf", 5),
    ("huit", 8),
    ("negen", 9),
    ("neuf", 9),
    ("neun", 9),
    ("nine", 9),
    ("nove", 9),
    ("nueve", 9),
    ("nul", 0),
    ("null", 0),
    ("ocho", 8),
    ("oh", 0),
    ("oito", 8),
    ("one", 1),
    ("otto", 8),
    ("quatre", 4),
    ("quatro", 4),
    ("quattro", 4),
    ("sechs", 6),
    ("sei", 6),
    ("seis", 6),
    ("sept", 7),
    ("sete", 7),
    ("sette", 7),
    ("seven", 7),
    ("sieben", 7),
    ("siete", 7),
    ("six", 6),
    ("tre", 3),
    ("tres", 3),
    ("trois", 3),
    ("twee", 2),
    ("two", 2),
    ("three", 3),
    ("um", 1),
    ("un", 1),
    ("uno", 1),
    ("vier", 4),
    ("vijf", 5),
    ("zero", 0),
    ("zes", 6),
    ("zeven", 7),
    ("zwei", 2),
    ("zwo", 2),
];

/// How many digits make a number that is worth a look.
const LEAST: usize = 7;

/// Sequences of digits that are written as words or one by one, in a folded text, and the digits.
#[must_use]
pub fn spelled_digits(folded: &str) -> Vec<(Range<usize>, String)> {
    let bytes = folded.as_bytes();
    let mut out = Vec::new();
    let mut run = Run::default();
    let mut i = 0;
    while i < bytes.len() {
        let b = at(bytes, i);
        if b.is_ascii_alphanumeric() || b >= 0x80 {
            let start = i;
            while at(bytes, i).is_ascii_alphanumeric() || at(bytes, i) >= 0x80 {
                i += 1;
            }
            match digits_of(folded.get(start..i).unwrap_or_default()) {
                Some(Word::Digit(d)) => run.push(start..i, d),
                Some(Word::Twice(n)) => run.times = n,
                None => run.end(&mut out),
            }
        } else {
            if !matches!(b, b' ' | b',' | b'-' | b'.' | b'+' | b'(' | b')' | b'/') {
                run.end(&mut out);
            }
            i += 1;
        }
    }
    run.end(&mut out);
    out
}

enum Word {
    Digit(u8),
    Twice(usize),
}

fn digits_of(word: &str) -> Option<Word> {
    match word.as_bytes() {
        [d @ b'0'..=b'9'] => return Some(Word::Digit(d - b'0')),
        [b'o'] => return Some(Word::Digit(0)),
        b"double" => return Some(Word::Twice(2)),
        b"triple" => return Some(Word::Twice(3)),
        [_] | [] => return None,
        _ if word.len() > 7 => return None,
        _ => {}
    }
    WORDS.iter().find(|(w, _)| *w == word).map(|(_, d)| Word::Digit(*d))
}

#[derive(Default)]
struct Run {
    span: Range<usize>,
    digits: String,
    times: usize,
}

impl Run {
    fn push(&mut self, word: Range<usize>, digit: u8) {
        if self.digits.is_empty() {
            self.span = word.clone();
        }
        self.span.end = word.end;
        for _ in 0..self.times.max(1) {
            self.digits.push(char::from(b'0' + digit));
        }
        self.times = 0;
    }

    fn end(&mut self, out: &mut Vec<(Range<usize>, String)>) {
        if self.digits.len() >= LEAST {
            out.push((self.span.clone(), std::mem::take(&mut self.digits)));
        }
        self.digits.clear();
        self.times = 0;
    }
}

/// Words whose letters stand one by one: `J A N E  D O E`. Two blanks part words.
#[must_use]
pub fn spaced_letters(text: &str) -> Vec<(Range<usize>, String)> {
    let mut out = Vec::new();
    let mut span = 0..0;
    let mut read = String::new();
    let mut letters = 0;
    let mut chars = text.char_indices().peekable();
    let mut alone = true;
    while let Some((i, c)) = chars.next() {
        let next = chars.peek().map_or(' ', |(_, c)| *c);
        if c.is_alphabetic() && alone && !next.is_alphanumeric() {
            if read.is_empty() {
                span.start = i;
            }
            read.push(c);
            letters += 1;
            span.end = i + c.len_utf8();
            alone = false;
        } else if matches!(c, ' ' | '.' | '-') {
            if !alone || read.is_empty() {
                alone = true;
            } else if !read.ends_with(' ') {
                read.push(' ');
            }
        } else {
            if letters >= 5 {
                out.push((span.clone(), read.trim_end().to_owned()));
            }
            read.clear();
            letters = 0;
            alone = !c.is_alphanumeric();
        }
    }
    if letters >= 5 {
        out.push((span, read.trim_end().to_owned()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{spaced_letters, spelled_digits};

    #[test]
    fn digits_in_words_are_read() {
        let text = "call five five five, one two double three four now";
        let (range, digits) = &spelled_digits(text)[0];
        assert_eq!(digits, "55512334");
        assert_eq!(&text[range.clone()], "five five five, one two double three four");
        assert_eq!(spelled_digits("0 1 7 1 2 3 4 5 6 7")[0].1, "0171234567");
        assert!(spelled_digits("one of two or three").is_empty());
    }

    #[test]
    fn letters_one_by_one_are_read() {
        let text = "from J A N E  D O E today";
        let (range, read) = &spaced_letters(text)[0];
        assert_eq!((&text[range.clone()], read.as_str()), ("J A N E  D O E", "JANE DOE"));
        assert!(spaced_letters("I a m not").is_empty());
    }
}
