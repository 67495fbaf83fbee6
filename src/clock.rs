//! The one place that reads the wall clock, and that of the processor. Everything below takes the time
//! as an argument.

use std::time::{Duration, SystemTime};

use nix::time::ClockId;

use crate::domain::{Timestamp, Uptime};

/// The present time, to the millisecond. Times before 1970 read as 1970.
#[must_use]
pub fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}

/// How long this machine has been up, a clock that nobody sets; `None` where the system does not
/// tell it.
#[must_use]
pub fn uptime() -> Option<Uptime> {
    let read = |path| std::fs::read_to_string(path).ok();
    let boot = read("/proc/sys/kernel/random/boot_id")?.trim().to_owned();
    // `978.03 851.94`: seconds since the boot with two decimals, and idle ones.
    let text = read("/proc/uptime")?;
    let (seconds, hundredths) = text.split_whitespace().next()?.split_once('.')?;
    let hundredths: u64 = hundredths.parse().ok()?;
    let millis = seconds.parse::<u64>().ok()?.checked_mul(1000)?.checked_add(hundredths * 10)?;
    Some(Uptime { boot, millis })
}

/// How long this thread has worked, in time of its processor: a clock that stands still while the
/// machine does something else, so nobody is slow because the machine is busy. Always zero where the
/// system does not tell it.
#[must_use]
pub fn worked() -> Duration {
    ClockId::CLOCK_THREAD_CPUTIME_ID.now().map_or(Duration::ZERO, Duration::from)
}
