//! The trail's clock: it goes on at its own pace, whatever is done to the wall clock.
//!
//! While the process runs it follows the monotonic clock. Over a restart on the same boot of the same
//! machine it goes on by the machine's uptime. Over a boot, or on another machine, only the wall
//! clock knows how long nobody ran; it is believed, less an hour, so that one that was set an hour
//! forward frees nothing. It never goes back.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use crate::domain::{Timestamp, Uptime};

/// How far a wall clock may be wrong without a budget ending early.
const DOUBT: Duration = Duration::from_secs(60 * 60);
/// How often a step tells the machine's uptime.
const TELL_EVERY: i64 = 60 * 60 * 1000;

/// What the clocks of a machine say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// The wall clock.
    pub wall: Timestamp,
    /// How long the machine has been up, if it tells.
    pub uptime: Option<Uptime>,
}

impl Moment {
    /// Now.
    #[must_use]
    pub fn now() -> Self {
        Self { wall: crate::clock::now(), uptime: crate::clock::uptime() }
    }
}

/// What the log knows of the trail's time.
#[derive(Debug, Clone, Default)]
pub(super) struct Past {
    /// The newest step: the trail's time, and the wall clock in its record.
    last: Option<(Timestamp, Timestamp)>,
    /// The newest step that tells the machine's uptime.
    uptime: Option<(Timestamp, Uptime)>,
}

impl Past {
    /// Learns of a step.
    pub(super) fn learn(&mut self, at: Timestamp, wall: Timestamp, uptime: Option<&Uptime>) {
        if self.last.is_none_or(|(last, _)| at >= last) {
            self.last = Some((at, wall));
        }
        if let Some(uptime) = uptime
            && self.uptime.as_ref().is_none_or(|(known, _)| at >= *known)
        {
            self.uptime = Some((at, uptime.clone()));
        }
    }

    /// The trail's time at the start of the process.
    fn now(&self, moment: &Moment) -> Timestamp {
        let Some((last, wall)) = self.last else { return moment.wall };
        let by_uptime = self.uptime.as_ref().zip(moment.uptime.as_ref());
        let now = match by_uptime.filter(|((_, then), now)| then.boot == now.boot) {
            Some(((at, then), now)) => {
                at.plus(Duration::from_millis(now.millis.saturating_sub(then.millis)))
            }
            None => last.plus(moment.wall.since(wall).saturating_sub(DOUBT)),
        };
        now.max(last)
    }
}

/// The clock of a running process.
#[derive(Debug)]
pub(super) struct Clock {
    start: Timestamp,
    since: Instant,
    uptime: Option<Uptime>,
    /// When a step last told the uptime.
    told: AtomicI64,
}

impl Clock {
    /// Goes on from what the log knows.
    pub(super) fn start(past: &Past, moment: Moment) -> Self {
        Self {
            start: past.now(&moment),
            since: Instant::now(),
            uptime: moment.uptime,
            told: AtomicI64::new(i64::MIN),
        }
    }

    pub(super) fn now(&self) -> i64 {
        self.start.plus(self.since.elapsed()).millis()
    }

    /// The time for a step, and now and then what the machine's own clock says then.
    pub(super) fn stamp(&self) -> (Timestamp, Option<Uptime>) {
        let at = self.start.plus(self.since.elapsed());
        let due = at.millis().saturating_sub(TELL_EVERY) >= self.told.load(Ordering::Relaxed);
        let uptime = self.uptime.as_ref().filter(|_| due).map(|start| {
            self.told.store(at.millis(), Ordering::Relaxed);
            let since = u64::try_from(at.since(self.start).as_millis()).unwrap_or(u64::MAX);
            Uptime { boot: start.boot.clone(), millis: start.millis.saturating_add(since) }
        });
        (at, uptime)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 60 * 60 * 1000;
    const DAY: i64 = 24 * HOUR;

    fn uptime(boot: &str, millis: i64) -> Uptime {
        Uptime { boot: boot.to_owned(), millis: millis.unsigned_abs() }
    }

    /// A log whose last step was at `DAY` by the trail and by the wall, with an uptime told an hour
    /// before; then a start `away` later by the machine and `wall` later by the wall clock.
    #[test]
    fn a_wall_clock_that_was_set_frees_nothing() {
        let at = Timestamp::from_millis;
        let mut past = Past::default();
        past.learn(at(DAY - HOUR), at(DAY - HOUR), Some(&uptime("a", 10 * HOUR)));
        past.learn(at(DAY), at(DAY), None);
        let up = |boot, away: i64| Some(uptime(boot, 11 * HOUR + away));
        let rows = [
            // The same boot: the wall clock is not asked.
            ("in time", up("a", 5), 5, 5),
            ("set forward", up("a", 5), 5 + HOUR, 5),
            ("set forward by years", up("a", 5), 9_999 * DAY, 5),
            ("set back", up("a", 2 * HOUR), HOUR, 2 * HOUR),
            ("set back behind the log", up("a", 5), -DAY, 5),
            ("an uptime that went back", up("a", -3 * HOUR), 0, 0),
            // Another boot, or a machine that tells none: the wall clock, less an hour.
            ("booted, in time", up("b", 5), 5, 0),
            ("booted and set forward", up("b", 5), 5 + HOUR, 5),
            ("booted and set back", up("b", 5), 5 - HOUR, 0),
            ("booted after a day", up("b", 5), DAY, DAY - HOUR),
            ("no uptime", None, 2 * HOUR, HOUR),
        ];
        for (what, uptime, wall, passed) in rows {
            let moment = Moment { wall: at(DAY + wall), uptime };
            assert_eq!(past.now(&moment), at(DAY + passed), "{what}");
        }
        let first = Moment { wall: at(7), uptime: up("a", 0) };
        assert_eq!(Past::default().now(&first), at(7));
    }

    #[test]
    fn the_uptime_is_told_once_in_an_hour_and_fits_the_time() {
        let start = Timestamp::from_millis(DAY);
        let moment = Moment { wall: start, uptime: Some(uptime("a", 100)) };
        let clock = Clock::start(&Past::default(), moment);
        let (at, told) = clock.stamp();
        let told = told.unwrap();
        assert_eq!(told.millis - 100, at.since(start).as_millis() as u64);
        assert_eq!(clock.stamp().1, None);
        clock.told.store(at.millis() - TELL_EVERY - 1, Ordering::Relaxed);
        assert!(clock.stamp().1.is_some());
    }
}
