//! Intercom's rate limit: a number of calls per window of ten seconds.
//!
//! Windows are aligned to the clock, as the real ones are, so `X-RateLimit-Reset` is the end of the current window. Off
//! unless a limit is set.

use std::sync::{Mutex, PoisonError};

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::options::RateHeaders;
use super::received::now_ms;

const WINDOW_S: u64 = 10;

/// The counter of the current window.
#[derive(Debug, Default)]
pub(super) struct Windows(Mutex<(u64, u64)>);

/// Where a call stands within its window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) limit: u64,
    pub(super) remaining: u64,
    /// End of the window, in seconds since 1970.
    pub(super) reset: u64,
    /// Seconds until then.
    pub(super) wait: u64,
    pub(super) exceeded: bool,
}

impl Windows {
    /// Counts one call.
    pub(super) fn count(&self, limit: u64) -> Standing {
        self.count_at(limit, now_ms() / 1000)
    }

    fn count_at(&self, limit: u64, now: u64) -> Standing {
        let window = now / WINDOW_S;
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.0 != window {
            *state = (window, 0);
        }
        state.1 += 1;
        Standing::of(limit, state.1, now)
    }
}

impl Standing {
    fn of(limit: u64, used: u64, now: u64) -> Standing {
        let reset = (now / WINDOW_S + 1) * WINDOW_S;
        Standing {
            limit,
            remaining: limit.saturating_sub(used),
            reset,
            wait: reset - now,
            exceeded: used > limit,
        }
    }

    /// The standing of a caller who was told to slow down although nothing is counted.
    pub(super) fn invented() -> Standing {
        Standing::of(167, 168, now_ms() / 1000)
    }

    /// Writes the headers that the switch asks for.
    pub(super) fn write(&self, headers: &mut HeaderMap, which: RateHeaders) {
        let mut put = |name: &'static str, value: u64| {
            headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
        };
        if matches!(which, RateHeaders::RateLimit | RateHeaders::Both) {
            put("x-ratelimit-limit", self.limit);
            put("x-ratelimit-remaining", self.remaining);
            put("x-ratelimit-reset", self.reset);
        }
        if self.exceeded && matches!(which, RateHeaders::RetryAfter | RateHeaders::Both) {
            put("retry-after", self.wait.max(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_admits_its_limit_and_the_next_starts_anew() {
        let windows = Windows::default();
        let seen: Vec<bool> =
            [100, 101, 109, 110].into_iter().map(|now| windows.count_at(2, now).exceeded).collect();
        assert_eq!(seen, [false, false, true, false]);
        let standing = windows.count_at(2, 115);
        assert_eq!((standing.remaining, standing.reset, standing.wait), (0, 120, 5));
    }
}
