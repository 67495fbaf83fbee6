//! Signs of a telephone number where no word before it says so.

use crate::figure::Figure;
use crate::lexicon as lex;
use crate::phone::{self, Region};

impl Figure<'_> {
    /// Whether a number is one by how it is grouped or by what is asked about it.
    pub(crate) fn signed(&self, regions: &[Region]) -> bool {
        let n = self.digits.len();
        if !(8..=12).contains(&n) || self.cue.all & lex::THING != 0 {
            return false;
        }
        let single = self.groups.len() == 1;
        if single && n < 9 || !(self.spelled() || self.grouped() || self.asked() || self.owned()) {
            return false;
        }
        let usual = || phone::USUAL.iter().filter_map(|r| Region::named(r));
        regions.iter().copied().chain(usual()).any(|r| r.dials(self.digits))
    }

    /// Digit by digit: `2 0 2 5 5 5 0 1 4 3`.
    fn spelled(&self) -> bool {
        let counted = self.digits.windows(2).all(|w| matches!(w, [a, b] if a < b));
        self.groups.len() >= 9
            && self.groups.iter().all(|g| g.end - g.start == 1)
            && self.uniform
            && !counted
    }

    /// As telephone numbers are grouped, and amounts are not.
    fn grouped(&self) -> bool {
        let several = [&[3, 2, 2, 2][..], &[3, 3, 2, 2], &[2, 3, 2, 2], &[5, 5], &[3, 3, 3]];
        let shaped =
            self.uniform && several.iter().any(|s| self.shape(s)) || self.shape(&[2, 5, 4]);
        shaped && matches!(self.mark(), b' ' | b'.' | b'-') && self.is_no_amount()
    }

    /// Whether nothing is counted by the number: no currency, no word for what it is a number of.
    fn is_no_amount(&self) -> bool {
        let (Some(first), Some(last)) = (self.groups.first(), self.groups.last()) else {
            return false;
        };
        let text = self.text;
        let before = text.slice(0..first.start).trim_end_matches(' ').chars().next_back();
        let behind = text.slice(last.end..text.read_text().len());
        if before.is_some_and(|c| "$\u{20ac}\u{a3}\u{a5}#".contains(c)) {
            return false;
        }
        let Some(rest) = behind.strip_prefix(' ') else {
            return !behind.starts_with(['%', '\u{20ac}', '$', '\u{a3}', '-', '_', '/']);
        };
        let word = rest.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        word.is_empty() && !rest.starts_with(['%', '\u{20ac}', '$', '\u{a3}'])
            || is_small(&kit::unfold::fold_text(word))
    }

    /// "Is ... still right?"
    fn asked(&self) -> bool {
        let (Some(first), Some(last)) = (self.groups.first(), self.groups.last()) else {
            return false;
        };
        let text = self.text;
        let n = text.word_at(first.start);
        let is = n.checked_sub(1).and_then(|k| text.words.get(k)).is_some_and(|w| {
            matches!(
                text.folded(w),
                "is" | "was"
                    | "ist"
                    | "est"
                    | "es"
                    | "e"
                    | "er"
                    | "ar"
                    | "jest"
                    | "je"
                    | "if"
                    | "ob"
            )
        });
        let m = text.word_at(last.end);
        let behind = text.words.get(m..m + 3).or_else(|| text.words.get(m..)).unwrap_or_default();
        is && behind.iter().any(|w| is_right(text.folded(w)))
    }

    /// "my number is ...", "her number ...".
    fn owned(&self) -> bool {
        let Some(first) = self.groups.first() else { return false };
        let text = self.text;
        let n = text.word_at(first.start);
        let before = text.words.get(n.saturating_sub(3)..n).unwrap_or_default();
        before.windows(2).any(|w| {
            matches!(w, [whose, number] if is_whose(text.folded(whose)) && is_number(text.folded(number)))
        })
    }
}

#[rustfmt::skip]
fn is_whose(word: &str) -> bool {
    matches!(
        word,
        "my" | "his" | "her" | "their" | "whose" | "mein" | "meine" | "meiner" | "seine" | "ihre"
            | "mi" | "su" | "mon" | "son" | "mio" | "suo" | "meu" | "seu" | "mijn" | "min" | "mitt"
            | "moj" | "muj" | "el" | "o"
    )
}

fn is_number(word: &str) -> bool {
    matches!(word, "number" | "nummer" | "numero" | "numer" | "nummeret" | "cislo" | "nr" | "num")
}

#[rustfmt::skip]
fn is_right(word: &str) -> bool {
    matches!(
        word,
        "still" | "right" | "correct" | "current" | "yours" | "valid" | "noch" | "richtig"
            | "korrekt" | "aktuell" | "toujours" | "bon" | "todavia" | "sigue" | "correcto"
            | "ancora" | "giusto" | "corretto" | "ainda" | "certo" | "correto" | "nog" | "juist"
            | "fortfarande" | "ratt" | "stadig" | "aktualny" | "nadal" | "encore"
    )
}

/// Words behind a number that it does not count.
#[rustfmt::skip]
fn is_small(word: &str) -> bool {
    matches!(
        word,
        "is" | "was" | "on" | "at" | "or" | "and" | "if" | "in" | "still" | "please" | "pls" | "thanks"
            | "for" | "when" | "after" | "before" | "today" | "tomorrow" | "but" | "to" | "from" | "any"
            | "bitte" | "und" | "oder" | "ist" | "noch" | "ab" | "svp" | "merci" | "et" | "ou" | "est"
            | "por" | "y" | "o" | "es" | "gracias" | "e" | "per" | "grazie" | "en" | "of" | "alstublieft"
            | "tack" | "takk" | "lub" | "i" | "prosze" | "as" | "the" | "my" | "he" | "she" | "they"
    )
}
