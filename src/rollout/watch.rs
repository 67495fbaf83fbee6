//! Following the source: a folder or file is looked at every second, a server asked now and then.
//!
//! Looking rather than being told: notifications do not cross every kind of mount, and miss the
//! swap of a link above the folder. A change counts once two looks in a row are equal, so that
//! files saved one after the other come together.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::{Attempt, Candidate, Look, ReadError, Rollout};
use crate::clock;
use crate::config::PolicyOrigin;
use crate::store;

/// How often it is written down what a candidate has seen.
const NOTE_EVERY: Duration = Duration::from_secs(5);
/// How often a folder or file is looked at.
const EVERY: Duration = Duration::from_secs(1);

impl Rollout {
    /// Follows the source, if it is to be followed, and keeps what a candidate sees, until `drain` turns
    /// true.
    pub async fn follow_on(
        self: Arc<Self>,
        origin: PolicyOrigin,
        mut drain: watch::Receiver<bool>,
    ) {
        let following = async {
            match origin {
                PolicyOrigin::Server(server) => loop {
                    tokio::time::sleep(jittered(server.interval)).await;
                    self.ask_server().await;
                },
                _ if self.watch => self.watch_files().await,
                _ => {}
            }
        };
        let noting = async {
            loop {
                tokio::time::sleep(NOTE_EVERY).await;
                self.note_shadow().await;
            }
        };
        tokio::select! {
            () = async { tokio::join!(following, noting); } => {}
            _ = drain.wait_for(|stop| *stop) => {}
        }
    }

    async fn watch_files(&self) {
        let mut before = self.state().look.clone();
        loop {
            tokio::time::sleep(EVERY).await;
            let now = self.origin.look(&before).await;
            let settled = now == before;
            before = now;
            if settled && before != self.state().look {
                self.take(before.clone()).await;
            }
        }
    }

    async fn ask_server(&self) {
        let known = self.state().look.clone();
        self.take(known).await;
    }

    /// Reads a source that changed, or may have; puts in force what is new.
    async fn take(&self, look: Look) {
        let mut kept = self.kept.lock().await;
        if kept.pinned().is_some() {
            return;
        }
        self.state().look = look.clone();
        let source = self.origin.shown.clone();
        // What goes wrong is noted where it goes wrong.
        match self.origin.read(&look).await {
            Ok(None) => self.still_good(),
            Ok(Some((bundle, look))) => {
                self.state().look = look;
                if self.state().tried == Some(bundle.contents()) {
                    self.still_good();
                } else {
                    let candidate = Candidate { bundle, source, pinned: false };
                    let _noted = self.put(&mut kept, candidate, None).await;
                }
            }
            // The same trouble is one, however often it is met.
            Err(error) if self.is_known(&error) => {}
            Err(error) => {
                let _noted = self.refuse(None, source, error.into()).await;
            }
        }
    }

    fn is_known(&self, error: &ReadError) -> bool {
        let text = error.to_string();
        let mut state = self.state();
        let known = state.last_attempt.as_mut().filter(|attempt| {
            attempt.error.as_ref().is_some_and(|known| known.ends_with(text.as_str()))
        });
        let Some(attempt) = known else { return false };
        attempt.at = clock::now();
        true
    }

    /// The source has what was tried last. If that is in force, trouble on the way is over.
    fn still_good(&self) {
        let mut state = self.state();
        if state.tried == Some(state.contents)
            && let Some(attempt) = state.last_attempt.as_mut().filter(|it| it.error.is_some())
        {
            *attempt = Attempt { at: clock::now(), error: None, ..attempt.clone() };
        }
    }
}

/// A tenth more or less, so that many installations do not ask at one moment.
fn jittered(interval: Duration) -> Duration {
    let chance = store::random::<1>().map_or(0, |[byte]| byte);
    interval.mul_f64(0.9 + f64::from(chance) / 255.0 * 0.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_keeps_its_size() {
        for _ in 0..100 {
            let interval = jittered(Duration::from_secs(100)).as_secs_f64();
            assert!((90.0..=110.0).contains(&interval), "{interval}");
        }
    }
}
