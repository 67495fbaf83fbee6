//! The one place that reads the wall clock. Everything below takes the time as an argument.

use std::time::SystemTime;

use crate::domain::Timestamp;

/// The present time, to the millisecond. Times before 1970 read as 1970.
#[must_use]
pub fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}
