//! What the strict reader refuses, with a short code for records and plain words for people.

/// The first fault of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at byte {offset}")]
pub struct JsonError {
    /// What was wrong.
    pub kind: JsonFault,
    /// Where, in bytes from the start of the document.
    pub offset: usize,
}

/// The kinds of fault. The texts never repeat the document: it may hold personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum JsonFault {
    /// Larger than the limit.
    #[error("document is larger than this server accepts")]
    TooLarge,
    /// Not UTF-8 (overlong forms, encoded surrogates, other encodings).
    #[error("invalid UTF-8")]
    Utf8,
    /// Begins with a byte order mark.
    #[error("byte order mark: send plain UTF-8")]
    ByteOrderMark,
    /// Ended too early; an empty document too.
    #[error("unexpected end of the document")]
    UnexpectedEnd,
    /// Something else was expected.
    #[error("expected {0}")]
    Expected(&'static str),
    /// An object names one key twice, perhaps in two spellings.
    #[error("duplicate key in an object")]
    DuplicateKey,
    /// Nested deeper than the limit.
    #[error("nested too deeply")]
    TooDeep,
    /// Half of a surrogate pair.
    #[error("lone surrogate in a string")]
    LoneSurrogate,
    /// A raw character below U+0020 in a string.
    #[error("raw control character in a string: escape it")]
    ControlCharacter,
    /// An escaped NUL, from one who may not send it.
    #[error("NUL in a string: leave it out")]
    Nul,
    /// A backslash with an unknown letter or bad hexadecimal digits.
    #[error("invalid escape in a string")]
    Escape,
    /// Not a number by the grammar.
    #[error("malformed number")]
    Number,
    /// An integer beyond 64 bits, a fraction beyond double precision's range, or endless digits.
    #[error("number outside the range that can be kept exactly")]
    NumberRange,
    /// Something follows the value.
    #[error("trailing bytes after the value")]
    Trailing,
}

impl JsonFault {
    /// A short stable name for records, such as `duplicate_key`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::Utf8 => "invalid_utf8",
            Self::ByteOrderMark => "byte_order_mark",
            Self::UnexpectedEnd => "unexpected_end",
            Self::Expected(_) => "syntax",
            Self::DuplicateKey => "duplicate_key",
            Self::TooDeep => "too_deep",
            Self::LoneSurrogate => "lone_surrogate",
            Self::Nul => "nul",
            Self::ControlCharacter => "control_character",
            Self::Escape => "bad_escape",
            Self::Number => "bad_number",
            Self::NumberRange => "number_range",
            Self::Trailing => "trailing_bytes",
        }
    }
}
