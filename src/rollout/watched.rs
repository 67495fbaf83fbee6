//! The candidate in shadow on disk: its files, and what it has seen, so that neither is lost when the
//! process is started anew.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::KeptError;
use super::kept::FOLDER;
use crate::config::private;
use crate::domain::{Digest, JsonText, Timestamp};
use crate::gate::ShadowReport;
use crate::policy::{Bundle, MAX_ARCHIVE_BYTES};

const ARCHIVE: &str = "shadow.tar.gz";
const REPORT: &str = "shadow.json";

/// Where it lies. What is written is synced, which takes as long as the disk wants: it is waited for on
/// a thread of its own, never on one that answers agents.
#[derive(Clone)]
pub(super) struct Watched(Arc<Place>);

/// The folder, beside the kept revisions.
struct Place {
    folder: PathBuf,
    /// Held while something is written: a note of a candidate that was taken away meanwhile would bring
    /// it back at the next start.
    now: Mutex<Option<Noted>>,
}

/// Which candidate is written about, and how many questions it had been asked when it last was.
struct Noted {
    revision: Digest,
    since: Timestamp,
    asked: u64,
}

impl Noted {
    fn of(report: &ShadowReport) -> Self {
        let (revision, since) = (report.head.revision, report.head.since);
        Self { revision, since, asked: report.asked.values().sum() }
    }

    /// Whether a report says more of the same.
    fn is_before(&self, report: &Self) -> bool {
        (self.revision, self.since) == (report.revision, report.since) && self.asked < report.asked
    }
}

impl Watched {
    pub(super) fn of(data: &Path) -> Self {
        Self(Arc::new(Place { folder: data.join(FOLDER), now: Mutex::default() }))
    }

    /// Keeps a candidate that is about to watch.
    pub(super) async fn begin(
        &self,
        bundle: Bundle,
        report: ShadowReport,
    ) -> Result<(), KeptError> {
        self.apart(move |place| place.begin(&bundle, &report)).await
    }

    /// The candidate and what it had seen, if there is one.
    pub(super) async fn read(&self) -> Result<Option<(Bundle, ShadowReport)>, KeptError> {
        self.apart(Place::read).await
    }

    /// Keeps that a candidate watches again.
    pub(super) async fn resume(&self, report: ShadowReport) -> Result<(), KeptError> {
        self.apart(move |place| place.write(&mut place.lock(), &report)).await
    }

    /// Keeps what it has seen, if it still watches and that is more than before.
    pub(super) async fn note(&self, report: ShadowReport) -> Result<(), KeptError> {
        self.apart(move |place| place.note(&report)).await
    }

    /// Forgets it.
    pub(super) async fn end(&self) -> Result<(), KeptError> {
        self.apart(|place| place.remove(&mut place.lock())).await
    }

    async fn apart<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Place) -> Result<T, KeptError> + Send + 'static,
    ) -> Result<T, KeptError> {
        let place = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || work(&place)).await;
        done.map_err(|error| KeptError::Lost(error.to_string()))?
    }
}

impl Place {
    fn begin(&self, bundle: &Bundle, report: &ShadowReport) -> Result<(), KeptError> {
        let archive =
            bundle.to_archive().map_err(|error| KeptError::Unwritable(error.to_string()))?;
        let mut now = self.lock();
        // A report without its candidate counts for nothing.
        self.remove(&mut now)?;
        private::write(&self.folder.join(ARCHIVE), &archive)?;
        self.write(&mut now, report)
    }

    fn note(&self, report: &ShadowReport) -> Result<(), KeptError> {
        let mut now = self.lock();
        let says_more = now.as_ref().is_some_and(|now| now.is_before(&Noted::of(report)));
        if says_more { self.write(&mut now, report) } else { Ok(()) }
    }

    fn write(&self, now: &mut Option<Noted>, report: &ShadowReport) -> Result<(), KeptError> {
        private::write(&self.folder.join(REPORT), JsonText::of(report).bytes())?;
        *now = Some(Noted::of(report));
        Ok(())
    }

    fn remove(&self, now: &mut Option<Noted>) -> Result<(), KeptError> {
        *now = None;
        let path = self.folder.join(REPORT);
        match std::fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(KeptError::Unwritable(error.to_string())),
        }
        // Without a report it is nobody's.
        let _ = std::fs::remove_file(self.folder.join(ARCHIVE));
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Noted>> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> Result<Option<(Bundle, ShadowReport)>, KeptError> {
        let path = self.folder.join(REPORT);
        let report: ShadowReport = match private::read(&path, ShadowReport::MOST_BYTES) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map_err(|why| KeptError::Index { path, why })?
            }
            Err(error) if error.is_absent() => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let path = self.folder.join(ARCHIVE);
        let bytes = private::read(&path, MAX_ARCHIVE_BYTES as u64)?;
        let bundle = Bundle::of_archive(&bytes)
            .map_err(|errors| KeptError::Damaged { path, why: errors.to_string() })?;
        Ok(Some((bundle, report)))
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;
    use crate::policy::Source;

    type BoxFuture<'a> = Pin<Box<dyn Future<Output = Result<(), KeptError>> + 'a>>;

    fn bundle() -> Bundle {
        Bundle::read(&Source::Shipped).unwrap()
    }

    fn report(since: i64, asked: u64) -> ShadowReport {
        let since = Timestamp::from_millis(since);
        let empty = ShadowReport::empty(bundle().revision(), None, "x".to_owned(), since);
        ShadowReport { asked: [("admit".to_owned(), asked)].into(), ..empty }
    }

    fn watched() -> (tempfile::TempDir, Watched) {
        let data = tempfile::tempdir().unwrap();
        let watched = Watched::of(data.path());
        private::make_folder(&watched.0.folder).unwrap();
        (data, watched)
    }

    /// What was seen is read before it is written, and the candidate may come or go in between.
    #[tokio::test]
    async fn a_note_of_a_candidate_that_is_gone_brings_nothing_back() {
        let (data, watched) = watched();
        let kept = async || {
            let (_, report) = watched.read().await.unwrap()?;
            Some((report.head.since.millis(), report.asked["admit"]))
        };
        watched.note(report(1, 1)).await.unwrap();
        assert_eq!(kept().await, None, "nothing watches");
        watched.begin(bundle(), report(1, 0)).await.unwrap();
        // Of two notes the later one is written, whichever comes first.
        for (asked, expected) in [(2, 2), (5, 5), (4, 5)] {
            watched.note(report(1, asked)).await.unwrap();
            assert_eq!(kept().await, Some((1, expected)));
        }
        watched.end().await.unwrap();
        watched.note(report(1, 9)).await.unwrap();
        assert_eq!(kept().await, None);
        // Another of the same revision.
        watched.begin(bundle(), report(2, 0)).await.unwrap();
        watched.note(report(1, 9)).await.unwrap();
        assert_eq!(kept().await, Some((2, 0)));
        // After a restart.
        let again = Watched::of(data.path());
        again.resume(report(2, 0)).await.unwrap();
        again.note(report(2, 3)).await.unwrap();
        assert_eq!(kept().await, Some((2, 3)));
    }

    /// While the disk takes its time, the runtime's only thread does other work.
    #[tokio::test]
    async fn nobody_else_waits_for_the_disk() {
        let (_data, watched) = watched();
        let steps: [(&str, BoxFuture<'_>); 4] = [
            ("begin", Box::pin(watched.begin(bundle(), report(1, 0)))),
            ("resume", Box::pin(watched.resume(report(1, 0)))),
            ("note", Box::pin(watched.note(report(1, 1)))),
            ("end", Box::pin(watched.end())),
        ];
        for (name, step) in steps {
            let (held, is_held) = mpsc::channel();
            let (go_on, other_work) = mpsc::channel();
            let place = Arc::clone(&watched.0);
            let disk = std::thread::spawn(move || {
                let _busy = place.lock();
                held.send(()).unwrap();
                other_work.recv_timeout(Duration::from_secs(20))
            });
            is_held.recv().unwrap();
            let (done, sent) = tokio::join!(step, async {
                // Whatever the step gave the runtime to do comes first.
                tokio::task::yield_now().await;
                go_on.send(())
            });
            done.unwrap();
            sent.unwrap();
            assert_eq!(disk.join().unwrap(), Ok(()), "{name}");
        }
    }
}
