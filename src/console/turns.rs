//! Whose turn it is to read much of the log.
//!
//! A question with filters may read the log to its beginning, on threads that policies and plugins need
//! too: few are answered at a time, and whoever comes too many is told to try again.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::page::Fault;

/// Readings that may go on at a time.
pub(super) struct Turns {
    free: Arc<Semaphore>,
    /// What whoever has to wait is told.
    why: &'static str,
}

/// One turn, until all that hold it are gone: it goes along with what is read, so that it lasts as long as the
/// reading, also where whoever asked is gone.
#[derive(Clone)]
pub(super) struct Turn {
    _permit: Arc<OwnedSemaphorePermit>,
}

impl Turns {
    /// Of exports, each of which reads all that matches.
    pub(super) fn exports() -> Self {
        Self::new(1, "another export is being made, and they are made one at a time")
    }

    /// Of pages that look for what is rare.
    pub(super) fn looks() -> Self {
        Self::new(2, "the log is being looked through for others")
    }

    fn new(count: usize, why: &'static str) -> Self {
        Self { free: Arc::new(Semaphore::new(count)), why }
    }

    /// A turn, if there is one.
    pub(super) fn begin(&self) -> Result<Turn, Fault> {
        let permit = self.free.clone().try_acquire_owned().map_err(|_| Fault::busy(self.why))?;
        Ok(Turn { _permit: Arc::new(permit) })
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse as _;
    use http::StatusCode;

    use super::*;

    #[test]
    fn so_many_read_at_a_time_and_no_more() {
        for (turns, count) in [(Turns::exports(), 1), (Turns::looks(), 2)] {
            let mut taken: Vec<Turn> = (0..count).map(|_| turns.begin().ok().unwrap()).collect();
            let answer = turns.begin().err().unwrap().into_response();
            assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(answer.headers().get(http::header::RETRY_AFTER).unwrap(), "10");
            // Nobody else has the turn of a reading that goes on.
            let kept = taken.first().cloned();
            taken.clear();
            assert_eq!(turns.free.available_permits(), count - 1);
            drop(kept);
            assert!(turns.begin().is_ok());
        }
    }
}
