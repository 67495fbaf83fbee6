//! Which characters a reader does not see: one table for every place that shows the texts of others.

/// Whether a character ends a line, steers a terminal, reorders text or cannot be seen: controls,
/// direction marks, zero-width, filler, tag and other default-ignorable characters.
#[must_use]
pub const fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}'            // C0, DEL and C1
        | '\u{ad}' | '\u{34f}' | '\u{61c}'                  // soft hyphen, joiner, Arabic mark
        | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' // Hangul fillers
        | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' // Khmer vowels, Mongolian selectors
        | '\u{200b}'..='\u{200f}'                           // zero-width and direction marks
        | '\u{2028}'..='\u{202e}'                           // line and paragraph ends, bidi
        | '\u{2060}'..='\u{206f}'                           // joiner, invisible operators, isolates
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'              // variation selectors, BOM
        | '\u{fff0}'..='\u{fffb}'                           // unassigned, annotation
        | '\u{1bca0}'..='\u{1bca3}'                         // shorthand controls
        | '\u{1d173}'..='\u{1d17a}'                         // musical controls
        | '\u{e0000}'..='\u{e0fff}'                         // tags, more variation selectors
    )
}

#[cfg(test)]
mod tests {
    use super::is_hidden;

    #[test]
    fn what_cannot_be_seen_is_hidden_and_letters_are_not() {
        let hidden = [
            '\0',
            '\t',
            '\n',
            '\u{1b}',
            '\u{7f}',
            '\u{9b}',
            '\u{ad}',
            '\u{61c}',
            '\u{115f}',
            '\u{1160}',
            '\u{3164}',
            '\u{ffa0}',
            '\u{180e}',
            '\u{200b}',
            '\u{200f}',
            '\u{2028}',
            '\u{202e}',
            '\u{2060}',
            '\u{2066}',
            '\u{206f}',
            '\u{fe00}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{e0000}',
            '\u{e0041}',
            '\u{e0100}',
            '\u{e0fff}',
        ];
        for c in hidden {
            assert!(is_hidden(c), "{c:?}");
        }
        for c in
            [' ', 'a', '~', '\u{a0}', '\u{e9}', '\u{2010}', '\u{27e6}', '\u{4e2d}', '\u{1f468}']
        {
            assert!(!is_hidden(c), "{c:?}");
        }
    }
}
