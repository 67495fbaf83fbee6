//! Scalars and their meaning under the core schema of YAML 1.2.

/// A scalar as it was written. No `Debug`: it may be secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Scalar {
    /// The text, quotes and escapes taken off.
    pub text: String,
    /// Written without quotes and not as a block, so that it may be something else than text.
    pub plain: bool,
}

/// What a scalar means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Resolved<'a> {
    /// `null`, `~`, or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer that is not negative.
    Unsigned(u64),
    /// A negative integer.
    Negative(i64),
    /// A finite number with a fraction or exponent.
    Float(f64),
    /// Looks like a number but has no one meaning everywhere: leading zeros, too large, infinite,
    /// not a number.
    OddNumber,
    /// Text.
    Text(&'a str),
}

impl Resolved<'_> {
    /// Its kind in plain words, for messages.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Unsigned(_) | Self::Negative(_) | Self::Float(_) | Self::OddNumber => "a number",
            Self::Text(_) => "text",
        }
    }
}

impl Scalar {
    /// The scalar's meaning. `yes`, `no`, `on` and `off` are text, as YAML 1.2 has it.
    #[must_use]
    pub fn resolve(&self) -> Resolved<'_> {
        if !self.plain {
            return Resolved::Text(&self.text);
        }
        match self.text.as_str() {
            "" | "~" | "null" | "Null" | "NULL" => Resolved::Null,
            "true" | "True" | "TRUE" => Resolved::Bool(true),
            "false" | "False" | "FALSE" => Resolved::Bool(false),
            text => number(text).unwrap_or(Resolved::Text(text)),
        }
    }
}

/// `None` if the text is not a number.
fn number(text: &str) -> Option<Resolved<'static>> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    if matches!(digits, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Some(Resolved::OddNumber);
    }
    let signed = digits.len() != text.len();
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(rest) = digits.strip_prefix(prefix)
            && !signed
            && !rest.is_empty()
            && rest.chars().all(|c| c.is_digit(radix))
        {
            let value = u64::from_str_radix(rest, radix);
            return Some(value.map_or(Resolved::OddNumber, Resolved::Unsigned));
        }
    }
    if !is_decimal(digits) {
        return None;
    }
    let whole = digits.split(['.', 'e', 'E']).next().unwrap_or_default();
    if whole.len() > 1 && whole.starts_with('0') {
        return Some(Resolved::OddNumber);
    }
    if digits.bytes().all(|b| b.is_ascii_digit()) {
        let unsigned = text.strip_prefix('+').unwrap_or(text);
        return Some(if negative {
            match unsigned.parse() {
                Ok(0) => Resolved::Unsigned(0),
                Ok(value) => Resolved::Negative(value),
                Err(_) => Resolved::OddNumber,
            }
        } else {
            unsigned.parse().map_or(Resolved::OddNumber, Resolved::Unsigned)
        });
    }
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Some(Resolved::Float(value)),
        _ => Some(Resolved::OddNumber),
    }
}

/// `[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?` or `\.[0-9]+([eE][-+]?[0-9]+)?`.
fn is_decimal(digits: &str) -> bool {
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (digits, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let exponent_is_number = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !exponent.is_empty() && all_digits(exponent)
    });
    all_digits(whole)
        && all_digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent_is_number
}
