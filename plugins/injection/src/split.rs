//! Data that is split over the fields of a call, so that no field holds it.

use crate::Found;
use kit::kinds::ENCODED_DATA;
use kit::unfold::base64_tokens;
use kit::{Document, Form};

/// Finds fields that only together are something. Says the number of the leaf with each finding.
pub(crate) fn scan(document: &Document) -> Vec<(usize, Found)> {
    let mut found = Vec::new();
    let texts: Vec<(usize, &str)> = document
        .leaves
        .iter()
        .enumerate()
        .filter(|(_, leaf)| {
            matches!(leaf.form, Form::Text | Form::Html) && !leaf.text.trim().is_empty()
        })
        .map(|(number, leaf)| (number, leaf.text.trim()))
        .collect();
    addresses(document, &texts, &mut found);
    pieces(document, &texts, &mut found);
    found
}

/// One field ends in `jane@`, another begins with `@example` or is `example.org`.
fn addresses(document: &Document, texts: &[(usize, &str)], found: &mut Vec<(usize, Found)>) {
    let local = |text: &str| {
        text.strip_suffix('@')
            .is_some_and(|head| head.ends_with(|c: char| c.is_ascii_alphanumeric()))
    };
    let domain = |text: &str| {
        text.strip_prefix('@').is_some_and(|tail| {
            let tail = tail
                .split(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '-'))
                .next()
                .unwrap_or("");
            tail.contains('.') && tail.len() >= 4
        })
    };
    for (number, text) in texts {
        if local(text) || domain(text) {
            push(document, *number, found);
        }
    }
}

/// Fields without spaces that together are base64 of a text.
fn pieces(document: &Document, texts: &[(usize, &str)], found: &mut Vec<(usize, Found)>) {
    let coded = |text: &str| {
        let ends = text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=' | b'-' | b'_'));
        let mixed = text.bytes().any(|b| b.is_ascii_uppercase())
            && text.bytes().any(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        (4..=4096).contains(&text.len()) && ends && mixed
    };
    let parts: Vec<_> = texts.iter().filter(|(_, text)| coded(text)).collect();
    if parts.len() < 2 {
        return;
    }
    let joined: String = parts.iter().map(|(_, text)| text.trim_end_matches('=')).collect();
    let whole = base64_tokens(&joined).into_iter().any(|(bytes, plain)| {
        bytes.len() * 10 >= joined.len() * 9 && plain.chars().any(char::is_alphabetic)
    });
    if whole {
        for (number, _) in parts {
            push(document, *number, found);
        }
    }
}

fn push(document: &Document, number: usize, found: &mut Vec<(usize, Found)>) {
    let length = document.leaves.get(number).map_or(0, |leaf| leaf.text.len());
    found.push((number, Found::new(0..length, ENCODED_DATA, 70, "split_fields")));
}
