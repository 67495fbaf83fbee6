//! A point in time, as a value: nothing here reads a clock.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Milliseconds since the Unix epoch, UTC, from the year -9999 to 9999. Written as RFC 3339 with
/// milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

/// The ends of what can be written, and so read again.
const FIRST: i64 = -377_705_023_201_000;
const LAST: i64 = 253_402_207_200_000;

impl Timestamp {
    /// From milliseconds since the Unix epoch; the nearest end of what can be written, if that is
    /// beyond it.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        if millis < FIRST {
            Self(FIRST)
        } else if millis > LAST {
            Self(LAST)
        } else {
            Self(millis)
        }
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// This point plus a span, saturating at the ends of what can be written.
    #[must_use]
    pub fn plus(self, span: std::time::Duration) -> Self {
        let span = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        Self::from_millis(self.0.saturating_add(span))
    }

    /// This point less a span, saturating at the ends of what can be written.
    #[must_use]
    pub fn minus(self, span: std::time::Duration) -> Self {
        let span = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        Self::from_millis(self.0.saturating_sub(span))
    }

    /// The span from `earlier` to this point; zero if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> std::time::Duration {
        let millis = self.0.saturating_sub(earlier.0).max(0);
        std::time::Duration::from_millis(millis.unsigned_abs())
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // INVARIANT: no value is beyond what can be written.
        let time = jiff::Timestamp::from_millisecond(self.0).map_err(|_| std::fmt::Error)?;
        write!(f, "{time:.3}")
    }
}

impl std::str::FromStr for Timestamp {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let time: jiff::Timestamp = text.parse()?;
        Ok(Self(time.as_millisecond()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A time that was written and cannot be read again makes a file of keys unreadable.
    #[test]
    fn every_time_is_read_as_it_was_written() {
        for (end, beyond) in [(FIRST, FIRST - 1), (LAST, LAST + 1)] {
            assert!(jiff::Timestamp::from_millisecond(end).is_ok());
            assert!(jiff::Timestamp::from_millisecond(beyond).is_err());
        }
        let now = Timestamp::from_millis(1_790_000_000_123);
        for time in [
            now,
            Timestamp::default(),
            Timestamp::from_millis(-1),
            Timestamp::from_millis(i64::MIN),
            Timestamp::from_millis(i64::MAX),
            now.plus(Duration::MAX),
            now.minus(Duration::MAX),
            now.plus(Duration::from_secs(u64::from(u32::MAX) * 86_400)),
        ] {
            assert_eq!(time.to_string().parse::<Timestamp>().unwrap(), time, "{time}");
        }
    }
}
