//! Addresses of machines.

use kit::unfold::at;

/// An IPv4 address that is the whole text: its four numbers.
pub(crate) fn ipv4(text: &str) -> Option<[u8; 4]> {
    let mut out = [0u8; 4];
    let mut parts = text.split('.');
    for slot in &mut out {
        let part = parts.next()?;
        if part.is_empty()
            || part.len() > 3
            || (part.len() > 1 && part.starts_with('0'))
            || !part.bytes().all(|b| b.is_ascii_digit())
        {
            return None;
        }
        *slot = part.parse().ok()?;
    }
    parts.next().is_none().then_some(out)
}

/// Addresses that are nobody's: private, local, documentation's, well-known resolvers'.
pub(crate) const fn is_public(ip: [u8; 4]) -> bool {
    !matches!(
        ip,
        [0 | 10 | 127 | 224..=255, ..]
            | [192, 168, ..]
            | [172, 16..=31, ..]
            | [169, 254, ..]
            | [100, 64..=127, ..]
            | [8, 8, 8 | 4, 8 | 4]
            | [1, 1, 1 | 0, 1]
            | [9, 9, 9, 9]
    )
}

/// An IPv6 address that is the whole text.
pub(crate) fn ipv6(text: &str) -> bool {
    let text = text.split('/').next().unwrap_or_default();
    text.matches(':').count() >= 2
        && text
            .parse::<std::net::Ipv6Addr>()
            .is_ok_and(|ip| !ip.is_loopback() && !ip.is_unspecified())
}

/// The length of a network card's address that begins here.
pub(crate) fn mac(bytes: &[u8], i: usize) -> Option<usize> {
    let mark = at(bytes, i + 2);
    if !matches!(mark, b':' | b'-') {
        return None;
    }
    for k in 0..6 {
        let p = i + 3 * k;
        if !at(bytes, p).is_ascii_hexdigit() || !at(bytes, p + 1).is_ascii_hexdigit() {
            return None;
        }
        if k < 5 && at(bytes, p + 2) != mark {
            return None;
        }
    }
    let after = at(bytes, i + 17);
    (!after.is_ascii_alphanumeric() && after != mark).then_some(17)
}
