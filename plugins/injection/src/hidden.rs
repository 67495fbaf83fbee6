//! Characters that nobody sees, in a text as it is written.
//!
//! Some have their use: joiners in emoji and in Persian, marks of direction in Hebrew, soft hyphens,
//! a selector after an emoji. What has no use is a joiner between Latin letters, an override of the
//! direction, a run of invisible characters, a tag or selector that stands for a letter.

use crate::Found;
use kit::kinds::HIDDEN_TEXT;
use std::ops::Range;

/// What an invisible character is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// Has no width.
    Zero,
    /// Opens or closes a direction.
    Bidi,
    /// Turns the direction over.
    Override,
    /// Stands for a letter of ASCII.
    Tag,
    /// Chooses among looks of the character before.
    Selector,
    /// A control character.
    Control,
    /// Takes room and shows nothing.
    Blank,
}

const fn sort(c: char) -> Option<Sort> {
    Some(match c {
        '\u{200b}'..='\u{200f}'
        | '\u{2060}'..='\u{2064}'
        | '\u{206a}'..='\u{206f}'
        | '\u{feff}'
        | '\u{ad}'
        | '\u{180e}'
        | '\u{34f}'
        | '\u{61c}' => Sort::Zero,
        '\u{17b4}' | '\u{17b5}' | '\u{1d173}'..='\u{1d17a}' => Sort::Zero,
        '\u{202a}'..='\u{202c}' | '\u{2066}'..='\u{2069}' => Sort::Bidi,
        '\u{202d}' | '\u{202e}' => Sort::Override,
        '\u{e0000}'..='\u{e007f}' => Sort::Tag,
        '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' => Sort::Selector,
        '\u{3164}' | '\u{ffa0}' | '\u{115f}' | '\u{1160}' | '\u{2800}' => Sort::Blank,
        '\u{1}'..='\u{8}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{84}' | '\u{86}'..='\u{9f}' => {
            Sort::Control
        }
        _ => return None,
    })
}

/// A run of invisible characters of one sort.
struct Run {
    bytes: Range<usize>,
    sort: Sort,
    count: usize,
    before: Option<char>,
    after: Option<char>,
    /// What the tags or selectors spell.
    spelled: String,
}

/// Finds what is hidden in characters. Letters of ASCII are passed over without a look at what they are.
pub(crate) fn scan(text: &str, found: &mut Vec<Found>) {
    let plain = |byte: &u8| (0x20..0x7f).contains(byte) || matches!(byte, b'\n' | b'\r' | b'\t');
    let mut lone = Lone::default();
    let mut right_to_left = None;
    let mut place = 0;
    while let Some(next) =
        text.as_bytes().get(place..).and_then(|rest| rest.iter().position(|byte| !plain(byte)))
    {
        place += next;
        let rest = text.get(place..).unwrap_or("");
        let Some(first) = rest.chars().next() else { break };
        let Some(sort_of) = sort(first) else {
            place += first.len_utf8();
            continue;
        };
        let run = run(text, place, sort_of);
        place = run.bytes.end;
        let right_to_left = *right_to_left.get_or_insert_with(|| written_from_the_right(text));
        judge(&run, right_to_left, &mut lone, found);
    }
    lone.report(found);
}

/// The run of one sort that begins at a place.
fn run(text: &str, start: usize, sort_of: Sort) -> Run {
    let before = text.get(..start).and_then(|head| head.chars().next_back());
    let mut run = Run {
        bytes: start..start,
        sort: sort_of,
        count: 0,
        before,
        after: None,
        spelled: String::new(),
    };
    for c in text.get(start..).unwrap_or("").chars() {
        if sort(c) != Some(sort_of) {
            run.after = Some(c);
            break;
        }
        run.bytes.end += c.len_utf8();
        run.count += 1;
        spell(c, &mut run.spelled);
    }
    run
}

/// Whether a text has letters of Hebrew, Arabic and their kin.
fn written_from_the_right(text: &str) -> bool {
    text.chars().any(
        |c| matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}'),
    )
}

/// What a tag or a selector stands for: a letter, or a byte.
fn spell(c: char, spelled: &mut String) {
    let byte = match c {
        '\u{e0020}'..='\u{e007e}' => c as u32 - 0xe0000,
        '\u{fe00}'..='\u{fe0f}' => c as u32 - 0xfe00,
        '\u{e0100}'..='\u{e01ef}' => c as u32 - 0xe0100 + 16,
        _ => return,
    };
    spelled.extend(char::from_u32(byte).filter(|c| !c.is_control() || *c == '\n'));
}

/// Joiners between letters, counted over the text: one may be a slip, many are a way of hiding.
#[derive(Default)]
struct Lone {
    spans: Vec<Range<usize>>,
}

impl Lone {
    fn report(self, found: &mut Vec<Found>) {
        let confidence = if self.spans.len() >= 3 { 80 } else { 60 };
        for bytes in self.spans.into_iter().take(32) {
            found.push(Found::new(bytes, HIDDEN_TEXT, confidence, "zero_width"));
        }
    }
}

fn judge(run: &Run, right_to_left: bool, lone: &mut Lone, found: &mut Vec<Found>) {
    let mut push = |confidence, reason| {
        let mut one = Found::new(run.bytes.clone(), HIDDEN_TEXT, confidence, reason);
        one.value = Some(run.spelled.clone()).filter(|spelled| spelled.len() >= 2);
        found.push(one);
    };
    match run.sort {
        // A flag is a black flag with the letters of its region.
        Sort::Tag if run.before == Some('\u{1f3f4}') && run.count <= 7 => {}
        Sort::Tag => push(98, "tag_characters"),
        Sort::Selector if run.count >= 2 => push(95, "selectors"),
        Sort::Selector => {}
        Sort::Override if right_to_left => push(60, "direction"),
        Sort::Override => push(88, "direction"),
        Sort::Bidi if !right_to_left => push(62, "direction"),
        Sort::Bidi => {}
        Sort::Control => push(if run.count > 1 { 80 } else { 55 }, "control"),
        Sort::Blank if run.count >= 8 => push(60, "blank"),
        Sort::Blank => {}
        Sort::Zero if run.count >= 8 => push(95, "zero_width"),
        Sort::Zero if run.count >= 3 => push(80, "zero_width"),
        Sort::Zero => {
            let latin = |c: Option<char>| {
                c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '@' || c == '.')
            };
            // A soft hyphen, and a mark at the beginning of a text, are what editors leave behind.
            let harmless = run.bytes.start == 0 || (run.bytes.len() == 2 && run.count == 1);
            if latin(run.before) && latin(run.after) && !harmless {
                lone.spans.push(run.bytes.clone());
            }
        }
    }
}
