//! Telephone numbers: which ones a country has.
//!
//! The table is made by `data/phones.py`: for each region its calling code, its trunk prefix, and the
//! lengths of numbers by their first two digits. It is read where it stands.

static TABLE: &[u8] = include_bytes!("../data/phones.bin");

/// The bytes of a region.
const RECORD: usize = 206;

/// A region's row of the table.
#[derive(Clone, Copy)]
pub(crate) struct Region(&'static [u8]);

impl Region {
    fn all() -> impl Iterator<Item = Self> {
        TABLE.chunks_exact(RECORD).map(Self)
    }

    /// The region of two letters.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::all().find(|r| r.0.get(..2) == Some(name.as_bytes()))
    }

    fn number(self, i: usize) -> u16 {
        self.0.get(i..i + 2).and_then(|b| b.try_into().ok()).map_or(0, u16::from_le_bytes)
    }

    /// Such as 353.
    pub(crate) fn code(self) -> u16 {
        self.number(2)
    }

    fn trunk(self) -> &'static [u8] {
        let trunk = self.0.get(4..6).unwrap_or_default();
        trunk.strip_suffix(b"\0\0").or_else(|| trunk.strip_suffix(b"\0")).unwrap_or(trunk)
    }

    /// Whether a number without code and trunk prefix exists.
    fn has(self, digits: &[u8]) -> bool {
        let [a @ b'0'..=b'9', b @ b'0'..=b'9', ..] = digits else { return false };
        let lead = usize::from(a - b'0') * 10 + usize::from(b - b'0');
        digits.len() < 16 && self.number(6 + 2 * lead) & (1 << digits.len()) != 0
    }

    /// Whether a number exists as it is dialled in the country.
    pub(crate) fn dials(self, digits: &[u8]) -> bool {
        let trunk = self.trunk();
        if !trunk.is_empty()
            && let Some(rest) = digits.strip_prefix(trunk)
        {
            return self.has(rest);
        }
        self.has(digits)
    }

    /// Whether numbers are dialled with a prefix there.
    pub(crate) fn has_trunk(self) -> bool {
        !self.trunk().is_empty()
    }
}

/// The region of a number with its calling code, such as `353861234567`.
pub(crate) fn international(digits: &[u8]) -> Option<Region> {
    (1..=3usize).find_map(|n| {
        let code = std::str::from_utf8(digits.get(..n)?).ok()?.parse::<u16>().ok()?;
        let rest = digits.get(n..)?;
        let rest_alone = rest.strip_prefix(b"0").unwrap_or(rest);
        Region::all().filter(|r| r.code() == code).find(|r| r.has(rest) || r.has(rest_alone))
    })
}

/// Regions whose people write to most: where nothing says which, a number must exist in one of them.
pub(crate) const USUAL: &[&str] = &[
    "US", "GB", "DE", "FR", "ES", "IT", "NL", "IE", "PT", "PL", "SE", "NO", "DK", "FI", "BE", "AT",
    "CH", "AU", "IN", "BR", "CA", "HU", "CZ", "JP", "TR", "RO", "GR", "MX", "ZA", "NZ",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_exist_or_do_not() {
        let named = |n: &str| Region::named(n).unwrap();
        assert_eq!(named("IE").code(), 353);
        assert!(named("DE").dials(b"01711234567") && named("GB").dials(b"02079460958"));
        assert!(named("US").dials(b"2025550143") && !named("US").dials(b"1025550143"));
        assert!(international(b"353861234567").is_some());
        assert!(international(b"393331234567").is_some());
        assert!(international(b"999123456").is_none());
    }
}
