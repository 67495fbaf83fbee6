//! Names in Chinese, Japanese and Korean texts, which put no blanks around them: behind the words with
//! which people say who they are, and before the titles with which they are spoken to.

use crate::hit::Hit;
use crate::text::Text;
use kit::kinds;

/// What a name stands behind.
const BEHIND: &[&str] =
    &["名前は", "氏名は", "姓名：", "姓名是", "我叫", "名字是", "名字叫", "이름은 ", "성함은 "];
/// Titles behind a name.
const TITLES: &[&str] = &["様", "さま", "さん", "先生", "女士", "小姐", "氏"];
/// What people are called who are nobody in particular.
const NOBODY: &[&str] = &[
    "お客",
    "皆",
    "神",
    "奥",
    "王",
    "担当者",
    "管理者",
    "御社",
    "貴社",
    "利用者",
    "関係者",
    "各位",
    "这位",
    "那位",
    "同",
    "李先",
    "店員",
    "業者",
    "医者",
    "会員",
    "会社",
    "患者",
    "読者",
    "何",
];
/// The longest name, in characters.
const LONGEST: usize = 8;

const fn is_han(c: char) -> bool {
    matches!(c, '\u{4e00}'..='\u{9fff}' | '々')
}

const fn is_name(c: char) -> bool {
    is_han(c) || matches!(c, '\u{30a1}'..='\u{30fc}')
}

const fn is_hangul(c: char) -> bool {
    matches!(c, '\u{ac00}'..='\u{d7a3}')
}

/// All of them.
pub(crate) fn find(text: &Text<'_>, hits: &mut Vec<Hit>) {
    let read = text.read_text();
    if read.is_ascii() {
        return;
    }
    for lead in BEHIND {
        for (at, _) in read.match_indices(lead) {
            let from = at + lead.len();
            let blank = text.slice(from..read.len());
            let from = from + (blank.len() - blank.trim_start().len()).min(3);
            let rest = text.slice(from..read.len());
            let name = match rest.chars().next() {
                Some(c) if is_hangul(c) => korean(rest),
                _ => run(rest, is_name),
            };
            push(text, from, name, 2, hits);
        }
    }
    for title in TITLES {
        for (at, _) in read.match_indices(title) {
            let before = text.slice(0..at);
            let size: usize = before
                .chars()
                .rev()
                .take(LONGEST)
                .take_while(|c| is_name(*c))
                .map(char::len_utf8)
                .sum();
            push(text, at - size, text.slice(at - size..at), 2, hits);
        }
    }
}

/// The longest beginning of a text that is made of such characters.
fn run(text: &str, is_part: impl Fn(char) -> bool) -> &str {
    let size: usize =
        text.chars().take(LONGEST + 1).take_while(|c| is_part(*c)).map(char::len_utf8).sum();
    text.get(..size).unwrap_or_default()
}

/// A Korean name without what the sentence puts behind it.
fn korean(text: &str) -> &str {
    let word = run(text, is_hangul);
    let ends = ["입니다", "이에요", "예요", "이라고", "라고", "이고", "이며", "이요", "고", "인데"];
    let name = ends.iter().find_map(|end| word.strip_suffix(end)).unwrap_or(word);
    if name.chars().count() <= 4 { name } else { "" }
}

fn push(text: &Text<'_>, from: usize, name: &str, least: usize, hits: &mut Vec<Hit>) {
    let size = name.chars().count();
    let somebody = !NOBODY.iter().any(|word| name.ends_with(word) || name.starts_with("お"));
    if (least..=LONGEST).contains(&size) && somebody && text.slice(from..from + name.len()) == name
    {
        hits.push(Hit::new(from..from + name.len(), kinds::PERSON, 68, "cue"));
    }
}
