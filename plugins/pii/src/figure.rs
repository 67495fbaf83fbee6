//! What a number is: by its sum, by the words before it, by the numbering plan of a country.

use crate::check;
use crate::cue::{Cue, RELEVANT};
use crate::lexicon as lex;
use crate::number::Group;
use crate::phone::{self, Region};
use crate::text::Text;
use kit::kinds;
use kit::unfold::at;

/// A number, and what is known about it.
pub(crate) struct Figure<'n> {
    pub(crate) text: &'n Text<'n>,
    pub(crate) groups: &'n [Group],
    pub(crate) digits: &'n [u8],
    pub(crate) uniform: bool,
    pub(crate) cue: Cue,
    /// It is all that stands there.
    pub(crate) whole: bool,
}

impl Figure<'_> {
    pub(crate) fn shape(&self, lengths: &[usize]) -> bool {
        self.groups.len() == lengths.len()
            && self.groups.iter().zip(lengths).all(|(g, n)| g.end - g.start == *n)
    }

    pub(crate) fn mark(&self) -> u8 {
        let end = self.groups.first().map_or(0, |g| g.end);
        if self.groups.len() > 1 { at(self.text.bytes(), end) } else { 0 }
    }

    fn plus(&self) -> bool {
        let start = self.groups.first().map_or(0, |g| g.start);
        let before = |n: usize| at(self.text.bytes(), start.wrapping_sub(n));
        start > 0 && (before(1) == b'+' || before(1) == b'(' && start > 1 && before(2) == b'+')
    }

    /// Numbers that prove themselves.
    pub(crate) fn checked(&self) -> Option<(&'static str, u8, &'static str)> {
        let (d, n, near) = (self.digits, self.digits.len(), self.cue.near);
        let single = self.groups.len() == 1;
        if self.plus() {
            return None;
        }
        // In fours it is one even with other marks between.
        let fours = self.shape(&[4, 4, 4, 4]);
        if (13..=19).contains(&n)
            && (self.uniform || fours)
            && check::card(d)
            && matches!(self.mark(), 0 | b' ' | b'-' | b'.')
        {
            let groups = self.groups.iter().all(|g| g.end - g.start >= 3);
            let ok = single || groups && self.groups.len() <= 5;
            if ok && !(near & lex::THING != 0 && n != 16 && n != 15) && (near & lex::DEVICE == 0) {
                return Some((kinds::CARD, 96, "checksum"));
            }
        }
        if n == 15
            && check::luhn(d)
            && (self.cue.all & lex::DEVICE != 0
                || single
                    && matches!(
                        d,
                        [b'3', b'5', ..] | [b'0', b'1', ..] | [b'8', b'6', ..] | [b'9', b'9', ..]
                    ))
        {
            return Some((kinds::DEVICE_ID, 90, "checksum"));
        }
        if check::nir(d) {
            return Some((kinds::NATIONAL_ID, 92, "checksum"));
        }
        let ordered = near & lex::THING != 0;
        if self.shape(&[3, 2, 4])
            && self.uniform
            && check::ssn(d)
            && !ordered
            && (self.mark() == b'-' || self.cue.all & lex::NATIONAL != 0)
        {
            return Some((kinds::NATIONAL_ID, 88, "shape"));
        }
        if self.shape(&[3, 3, 3, 2]) && check::cpf(d) {
            return Some((kinds::NATIONAL_ID, 93, "checksum"));
        }
        if (self.shape(&[6, 4]) || self.shape(&[8, 4]))
            && matches!(self.mark(), b'-' | b'+')
            && check::personnummer(d)
        {
            return Some((kinds::NATIONAL_ID, 88, "checksum"));
        }
        if self.shape(&[4, 4, 4])
            && matches!(self.mark(), b' ' | b'-')
            && check::aadhaar(d)
            && !ordered
        {
            return Some((kinds::NATIONAL_ID, 85, "checksum"));
        }
        if single
            && n == 11
            && !ordered
            && self.cue.near & lex::PHONE == 0
            && check::pesel(d)
            && self.cue.all & (lex::NATIONAL | lex::BIRTH) != 0
        {
            return Some((kinds::NATIONAL_ID, 88, "checksum"));
        }
        if single && n == 9 && self.cue.all & (lex::NATIONAL | lex::TAX) != 0 && check::bsn(d) {
            return Some((kinds::NATIONAL_ID, 88, "checksum"));
        }
        None
    }

    /// Numbers that a word names.
    pub(crate) fn labelled(&self) -> Option<(&'static str, u8, &'static str)> {
        let (n, near, all) = (self.digits.len(), self.cue.near, self.cue.all);
        if self.plus() {
            return None;
        }
        if self.shape(&[2, 2]) && self.mark() == b'/' || self.shape(&[2, 4]) && self.mark() == b'/'
        {
            let month = matches!(self.digits, [b'0', b'1'..=b'9', ..] | [b'1', b'0'..=b'2', ..]);
            let carded = all & (lex::EXPIRY | lex::CARD | lex::CVV) != 0 || self.near_card();
            return (month && carded).then_some((kinds::CARD_SECURITY, 80, "label"));
        }
        if near & lex::CVV != 0 && (3..=4).contains(&n) && self.groups.len() == 1 {
            return Some((kinds::CARD_SECURITY, 85, "label"));
        }
        if self.shape(&[2, 2, 2]) && self.mark() == b'-' && all & (lex::SORT | lex::BANK) != 0 {
            return Some((kinds::BANK_ACCOUNT, 86, "label"));
        }
        let size = (6..=18).contains(&n);
        if self.mark() == b'/' {
            return None;
        }
        if size && near & lex::SORT != 0 && n >= 6 {
            return Some((kinds::BANK_ACCOUNT, 84, "label"));
        }
        if size
            && near & lex::BANK != 0
            && (n >= 8 || all & lex::SORT != 0)
            && self.groups.len() <= 4
            && n <= 14
        {
            return Some((kinds::BANK_ACCOUNT, 72, "label"));
        }
        if (4..=6).contains(&self.groups.len()) && near & lex::CARD != 0 && n >= 12 {
            return Some((kinds::CARD, 60, "label"));
        }
        None
    }

    /// Whether the number stands right behind a long one on its line, as the last month does.
    fn near_card(&self) -> bool {
        let start = self.groups.first().map_or(0, |g| g.start);
        let before = self.text.slice(start.saturating_sub(40)..start);
        let line = before.rsplit('\n').next().unwrap_or_default();
        line.bytes().filter(u8::is_ascii_digit).count() >= 12
    }

    /// Whether the number is all of its line, and the line before is a name, as in a table or a
    /// signature.
    fn beside_a_name(&self) -> bool {
        let (Some(first), Some(last)) = (self.groups.first(), self.groups.last()) else {
            return false;
        };
        let text = self.text;
        let n = text.word_at(first.start);
        let mut names = 0;
        if !text.slice(last.end..text.read_text().len()).starts_with('\n')
            || n == 0
            || !text.gap(n - 1).contains('\n')
        {
            return false;
        }
        for word in text.words.get(..n).unwrap_or_default().iter().rev().take(5) {
            if text.slice(word.end..first.start).matches('\n').count() > 2 {
                break;
            }
            if names > 0 && text.slice(word.start..first.start).trim().contains('\n') {
                break;
            }
            if !word.capital || word.digit || word.class & RELEVANT != 0 {
                return false;
            }
            names += 1;
        }
        (2..=4).contains(&names)
    }

    /// Whether the number follows a name on its line, or a word that leads to a number: "Jane Doe,
    /// 01 23 45 67 89", "contatti Jane Doe al 012 345 678".
    fn behind_a_name(&self) -> bool {
        let Some(first) = self.groups.first() else { return false };
        let text = self.text;
        let n = text.word_at(first.start);
        let Some(mut k) = n.checked_sub(1) else { return false };
        let word = |k: usize| text.words.get(k);
        let leads = word(k).is_some_and(|w| {
            matches!(
                text.folded(w),
                "al" | "at" | "on" | "au" | "unter" | "op" | "pa" | "pod" | "ao"
            )
        });
        if leads && text.gap(k) == " " {
            if self.groups.len() > 1 {
                return true;
            }
            let Some(before) = k.checked_sub(1) else { return false };
            k = before;
        } else if !matches!(text.gap(k), ", " | " (" | " - " | ": " | " | " | " / ") {
            return false;
        }
        let several = self.groups.len() >= 3;
        let name = |k: usize| {
            word(k).is_some_and(|w| w.capital && !w.digit && !w.shouted && w.class & RELEVANT == 0)
        };
        name(k) && (several || k > 0 && name(k - 1) && text.gap(k - 1) == " ")
    }

    /// Whether the number follows an e-mail address on its line.
    fn behind_an_address(&self) -> bool {
        let Some(first) = self.groups.first() else { return false };
        let before = self.text.slice(first.start.saturating_sub(80)..first.start);
        let line = before.rsplit('\n').next().unwrap_or_default();
        let last = line.trim_end_matches([' ', ',', '/', '|', ';', '(']).rsplit(' ').next();
        line.ends_with([' ', '(']) && last.is_some_and(|w| w.contains('@') && w.contains('.'))
    }

    /// Whether a single letter says what the number is, as in signatures: `T 01 23 45 67 89`.
    fn lettered(&self) -> bool {
        let Some(first) = self.groups.first() else { return false };
        let text = self.text;
        let Some(k) = text.word_at(first.start).checked_sub(1) else { return false };
        let Some(word) = text.words.get(k) else { return false };
        let before = text.char_before(word.start);
        matches!(text.plain(word), "T" | "F" | "M" | "P" | "D" | "C" | "W" | "H")
            && matches!(
                text.slice(word.end..first.start),
                " " | ": " | ":" | ". " | " (" | ": (" | " : "
            )
            && before.is_none_or(|c| matches!(c, '\n' | '|' | ',' | '/') || c.is_ascii_digit())
    }

    /// How surely it is a telephone number.
    pub(crate) fn phone(&self, regions: &[Region]) -> Option<u8> {
        let (d, n, near) = (self.digits, self.digits.len(), self.cue.near);
        if !(7..=16).contains(&n) {
            return None;
        }
        let real = phone::international(d).is_some();
        if self.plus() {
            let cued = near & lex::PHONE != 0 || self.whole && n >= 9;
            return if real { Some(95) } else { cued.then_some(75) };
        }
        // A year and a number, as invoices have.
        let year = matches!(d, [b'1', b'9', ..] | [b'2', b'0', ..]);
        if self.mark() == b'/' && year && self.groups.first().is_some_and(|g| g.end - g.start == 4)
        {
            return None;
        }
        let named = near & lex::PHONE != 0 || self.lettered();
        const OTHER: u64 =
            RELEVANT & !(lex::PHONE | lex::IP | lex::CARD | lex::BIRTH | lex::SINCE | lex::EXPIRY);
        if !named && near & OTHER != 0 {
            return None;
        }
        if let Some(rest) = d.strip_prefix(b"00")
            && phone::international(rest).is_some()
        {
            return Some(85);
        }
        let usual = || phone::USUAL.iter().filter_map(|r| Region::named(r));
        if named {
            let exists = real || regions.iter().copied().chain(usual()).any(|r| r.dials(d));
            if n >= 13 && self.groups.len() == 1 && !real {
                return None;
            }
            return if exists { Some(86) } else { (n <= 12 && self.whole).then_some(65) };
        }
        if !self.whole {
            return None;
        }
        let bytes = self.text.bytes();
        let bracket = at(bytes, self.groups.first().map_or(0, |g| g.start).wrapping_sub(1)) == b'(';
        let local = |r: &Region| {
            r.dials(d) && (!r.has_trunk() || d.first() == Some(&b'0') || r.code() == 1)
        };
        if bracket && n >= 8 && regions.iter().copied().chain(usual()).any(|r| r.dials(d)) {
            return Some(72);
        }
        let short = self.groups.len() > 1 || n <= 11;
        if short
            && (self.beside_a_name() || self.behind_an_address())
            && regions.iter().copied().chain(usual()).any(|r| r.dials(d))
        {
            return Some(64);
        }
        if self.behind_a_name()
            && n >= 8
            && regions.iter().copied().chain(usual()).any(|r| r.dials(d))
        {
            return Some(62);
        }
        if self.signed(regions) {
            return Some(66);
        }
        if self.groups.len() == 1 {
            let trunk = d.first() == Some(&b'0') && (10..=12).contains(&n);
            return (trunk && regions.iter().any(&local)).then_some(62);
        }
        if self.mark() == b'.' && self.groups.iter().any(|g| g.end - g.start < 2) {
            return None;
        }
        if (self.shape(&[3, 3, 4]) || self.shape(&[1, 3, 3, 4]))
            && Region::named("US").is_some_and(|r| r.dials(d))
        {
            return Some(if bracket || self.uniform { 74 } else { 66 });
        }
        if regions.iter().any(local) && (n >= 9 || self.groups.len() >= 3) {
            return Some(74);
        }
        let trunk = d.first() == Some(&b'0') || bracket;
        (trunk && n >= 9 && usual().any(|r| local(&r))).then_some(68)
    }
}
