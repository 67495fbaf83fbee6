//! Sums and tables by which numbers prove themselves.

/// The values of the digits of a text of digits.
fn values(digits: &[u8]) -> impl DoubleEndedIterator<Item = u32> + Clone + '_ {
    digits.iter().map(|b| u32::from(b.wrapping_sub(b'0')))
}

/// Luhn's sum.
pub(crate) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = values(digits)
        .rev()
        .enumerate()
        .map(|(i, v)| match (i % 2, v) {
            (0, v) => v,
            (_, v) if v > 4 => v * 2 - 9,
            (_, v) => v * 2,
        })
        .sum();
    sum.is_multiple_of(10) && !digits.is_empty()
}

fn number(digits: &[u8]) -> u64 {
    values(digits).fold(0u64, |n, v| n.wrapping_mul(10).wrapping_add(u64::from(v)))
}

/// A payment card: the issuer's range, its lengths, and Luhn.
pub(crate) fn card(digits: &[u8]) -> bool {
    let n = digits.len();
    let lead = |k: usize| number(digits.get(..k).unwrap_or_default());
    let known = match (lead(1), lead(2), lead(3), lead(4)) {
        (4, ..) => matches!(n, 13 | 16 | 19),
        (_, 51..=55, ..) | (_, _, _, 2221..=2720) => n == 16,
        (_, 34 | 37, ..) => n == 15,
        (_, _, 300..=305, _) | (_, 36 | 38 | 39, ..) => (14..=19).contains(&n),
        (_, 65, ..) | (_, _, _, 6011) | (_, _, 644..=649, _) => (16..=19).contains(&n),
        (_, _, _, 3528..=3589) | (_, 62, ..) | (_, 81, ..) => (16..=19).contains(&n),
        (_, 50 | 56..=58, ..) | (_, 60 | 61 | 63 | 64 | 66..=69, ..) => {
            (13..=19).contains(&n) && n != 14
        }
        (_, _, _, 2200..=2204) => (16..=19).contains(&n),
        _ => false,
    };
    known && luhn(digits)
}

/// Countries with an IBAN, and its length. Sorted.
const IBANS: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HN", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
    (b"YE", 30),
];

/// How long the IBANs of a country are.
pub(crate) fn iban_length(country: &[u8]) -> Option<usize> {
    let upper = [country.first()?.to_ascii_uppercase(), country.get(1)?.to_ascii_uppercase()];
    IBANS
        .binary_search_by(|(c, _)| (*c).cmp(&upper))
        .ok()
        .and_then(|n| IBANS.get(n))
        .map(|(_, n)| *n)
}

/// An IBAN without blanks: its country's length, and the remainder by 97.
pub(crate) fn iban(code: &[u8]) -> bool {
    if iban_length(code) != Some(code.len()) || !code.iter().all(u8::is_ascii_alphanumeric) {
        return false;
    }
    iban_sum(code)
}

/// Whether the remainder by 97 of a code is that of an IBAN.
pub(crate) fn iban_sum(code: &[u8]) -> bool {
    let Some((head, tail)) = code.split_at_checked(4) else { return false };
    let rest = tail.iter().chain(head).try_fold(0u32, |rest, b| match b.to_ascii_uppercase() {
        d @ b'0'..=b'9' => Some((rest * 10 + u32::from(d - b'0')) % 97),
        l @ b'A'..=b'Z' => Some((rest * 100 + u32::from(l - b'A') + 10) % 97),
        _ => None,
    });
    rest == Some(1)
}

fn weighted(digits: &[u8], weights: &[u32]) -> u32 {
    values(digits).zip(weights).map(|(v, w)| v * w).sum()
}

/// The Spanish DNI or NIE: the letter behind.
pub(crate) fn dni(code: &[u8]) -> bool {
    const LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    let Some((letter, body)) = code.split_last() else { return false };
    if body.len() != 8 {
        return false;
    }
    let mut digits = body.to_vec();
    if let Some(first) = digits.first_mut() {
        *first = match *first {
            b'X' => b'0',
            b'Y' => b'1',
            b'Z' => b'2',
            b => b,
        };
    }
    digits.iter().all(u8::is_ascii_digit)
        && LETTERS.get((number(&digits) % 23) as usize) == Some(&letter.to_ascii_uppercase())
}

/// The British national insurance number: letters, six digits, a letter.
pub(crate) fn nino(code: &[u8]) -> bool {
    let [a, b, middle @ .., z] = code else { return false };
    code.len() == 9
        && middle.iter().all(u8::is_ascii_digit)
        && a.is_ascii_uppercase()
        && !b"DFIQUV".contains(a)
        && b.is_ascii_uppercase()
        && !b"DFIQUVO".contains(b)
        && (b'A'..=b'D').contains(z)
        && ![b"BG", b"GB", b"NK", b"KN", b"TN", b"NT", b"ZZ"].contains(&&[*a, *b])
}

/// The Italian codice fiscale by its pattern: letters, digits, and which stand where.
pub(crate) fn codice(code: &[u8]) -> bool {
    const PATTERN: &[u8; 16] = b"AAAAAADDADDADDDA";
    code.len() == 16
        && code.iter().zip(PATTERN).all(|(b, p)| match p {
            b'A' => b.is_ascii_uppercase(),
            _ => b.is_ascii_digit() || b"LMNPQRSTUV".contains(b),
        })
        && code.get(8).is_some_and(|b| b"ABCDEHLMPRST".contains(b))
}

/// The Brazilian CPF: two sums by 11.
pub(crate) fn cpf(digits: &[u8]) -> bool {
    let sum = |n: u32, upto: usize| {
        let s: u32 = values(digits).take(upto).enumerate().map(|(i, v)| v * (n - i as u32)).sum();
        (s * 10 % 11) % 10
    };
    digits.len() == 11
        && digits.iter().any(|d| Some(d) != digits.first())
        && values(digits).nth(9) == Some(sum(10, 9))
        && values(digits).nth(10) == Some(sum(11, 10))
}

/// The French social security number: sex, birth, key by 97.
pub(crate) fn nir(digits: &[u8]) -> bool {
    digits.len() == 15
        && matches!(digits.first(), Some(b'1' | b'2' | b'7' | b'8'))
        && matches!(number(digits.get(3..5).unwrap_or_default()), 1..=12 | 20..=42 | 50..=99)
        && 97 - number(digits.get(..13).unwrap_or_default()) % 97
            == number(digits.get(13..).unwrap_or_default())
}

/// The Polish PESEL: a date and a sum.
pub(crate) fn pesel(digits: &[u8]) -> bool {
    let month = number(digits.get(2..4).unwrap_or_default()) % 20;
    let day = number(digits.get(4..6).unwrap_or_default());
    digits.len() == 11
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && weighted(digits, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]).is_multiple_of(10)
}

/// The Swedish personnummer: a date and Luhn over the last ten digits.
pub(crate) fn personnummer(digits: &[u8]) -> bool {
    let ten = if digits.len() == 12 { digits.get(2..).unwrap_or_default() } else { digits };
    let month = number(ten.get(2..4).unwrap_or_default());
    let day = number(ten.get(4..6).unwrap_or_default());
    ten.len() == 10 && (1..=12).contains(&month) && matches!(day, 1..=31 | 61..=91) && luhn(ten)
}

/// The Dutch BSN: weights 9 to 2 and -1, by 11.
pub(crate) fn bsn(digits: &[u8]) -> bool {
    let last = values(digits).next_back().unwrap_or(0);
    digits.len() == 9
        && number(digits) > 9_999_999
        && (weighted(digits, &[9, 8, 7, 6, 5, 4, 3, 2]) + 11 - last).is_multiple_of(11)
}

/// The Indian Aadhaar: Verhoeff's sum.
pub(crate) fn aadhaar(digits: &[u8]) -> bool {
    digits.len() == 12 && digits.first().is_some_and(|d| *d >= b'2') && verhoeff(digits)
}

fn verhoeff(digits: &[u8]) -> bool {
    // The dihedral group of order ten, and the permutation of places.
    const fn times(a: u32, b: u32) -> u32 {
        match (a < 5, b < 5) {
            (true, true) => (a + b) % 5,
            (true, false) => 5 + (a + b - 5) % 5,
            (false, true) => 5 + (a - 5 + 5 - b) % 5,
            (false, false) => (a - 5 + 5 - (b - 5)) % 5,
        }
    }
    const PLACE: [u32; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let permute =
        |v: u32, n: usize| (0..n % 8).fold(v, |v, _| PLACE.get(v as usize).copied().unwrap_or(0));
    values(digits).rev().enumerate().fold(0, |sum, (i, v)| times(sum, permute(v, i))) == 0
}

/// A social security number of the United States by its groups.
pub(crate) fn ssn(digits: &[u8]) -> bool {
    let area = number(digits.get(..3).unwrap_or_default());
    digits.len() == 9
        && area != 0
        && area != 666
        && number(digits.get(3..5).unwrap_or_default()) != 0
        && number(digits.get(5..).unwrap_or_default()) != 0
}

/// The first half of a British postal code.
pub(crate) fn is_outward(code: &str) -> bool {
    let b = code.as_bytes();
    (2..=4).contains(&b.len())
        && b.first().is_some_and(u8::is_ascii_uppercase)
        && b.iter().any(u8::is_ascii_digit)
        && b.iter().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
}

/// The second half of one.
pub(crate) fn is_inward(code: &str) -> bool {
    match code.as_bytes() {
        [d, a, b] if d.is_ascii_digit() && a.is_ascii_uppercase() => {
            b.is_ascii_uppercase() || b.is_ascii_digit()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_hold() {
        assert!(
            card(b"4111111111111111") && card(b"378282246310005") && !card(b"4111111111111112")
        );
        assert!(!card(b"7111111111111111"));
        assert!(iban(b"DE89370400440532013000") && iban(b"GB29NWBK60161331926819"));
        assert!(!iban(b"DE89370400440532013001") && !iban(b"XX89370400440532013000"));
        assert!(dni(b"12345678Z") && dni(b"X1234567L") && !dni(b"12345678A"));
        assert!(nino(b"AB123456C") && !nino(b"GB123456C"));
        assert!(codice(b"RSSMRA85T10A562S"));
        assert!(cpf(b"52998224725") && !cpf(b"52998224724") && !cpf(b"11111111111"));
        assert!(pesel(b"44051401359"));
        assert!(bsn(b"111222333"));
        assert!(personnummer(b"8112189876"));
        assert!(aadhaar(b"234123412346"));
    }
}
