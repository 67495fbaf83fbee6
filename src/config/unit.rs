//! Durations and sizes as people write them: `500ms`, `30s`, `4MiB`.

use std::time::Duration;

/// Largest unit first.
const SPANS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
const SIZES: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

/// A whole number and one of `ms`, `s`, `m`, `h`, `d`.
pub fn span(text: &str) -> Option<Duration> {
    measure(text, &SPANS).map(Duration::from_millis)
}

/// A whole number and one of `B`, `KiB`, `MiB`, `GiB`.
pub(super) fn size(text: &str) -> Option<u64> {
    measure(text, &SIZES)
}

/// The shortest text that [`span`] reads as this.
pub(super) fn show_span(span: Duration) -> String {
    show(u64::try_from(span.as_millis()).unwrap_or(u64::MAX), &SPANS)
}

/// The shortest text that [`size`] reads as this.
pub(super) fn show_size(bytes: u64) -> String {
    show(bytes, &SIZES)
}

fn measure(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

fn show(value: u64, units: &[(&str, u64)]) -> String {
    units
        .iter()
        .find(|(_, factor)| value.is_multiple_of(*factor) && value > 0)
        .or(units.last())
        .map_or_else(String::new, |(unit, factor)| format!("{}{unit}", value / factor))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn units_are_exact_and_required() {
        for (text, millis) in [
            ("500ms", 500),
            ("0s", 0),
            ("30s", 30_000),
            ("5m", 300_000),
            ("4h", 14_400_000),
            ("2d", 172_800_000),
        ] {
            assert_eq!(span(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in [
            "",
            "5",
            "s",
            "-5s",
            "1.5s",
            "5 s",
            "5S",
            "5sec",
            "1h30m",
            "99999999999999999999s",
            "999999999999999999d",
        ] {
            assert_eq!(span(text), None, "{text}");
        }
        for (text, bytes) in [
            ("4MiB", Some(4 << 20)),
            ("10B", Some(10)),
            ("1KiB", Some(1024)),
            ("4MB", None),
            ("4", None),
            ("4mib", None),
        ] {
            assert_eq!(size(text), bytes, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(value in any::<u32>().prop_map(u64::from)) {
            let millis = Duration::from_millis(value);
            prop_assert_eq!(span(&show_span(millis)), Some(millis));
            prop_assert_eq!(size(&show_size(value)), Some(value));
        }
    }
}
