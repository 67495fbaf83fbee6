//! The candidate in shadow on disk: its files, and what it has seen, so that neither is lost when the
//! process is started anew.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::KeptError;
use super::kept::FOLDER;
use crate::config::private;
use crate::domain::{Digest, JsonText, Timestamp};
use crate::gate::ShadowReport;
use crate::policy::{Bundle, MAX_ARCHIVE_BYTES};

const ARCHIVE: &str = "shadow.tar.gz";
const REPORT: &str = "shadow.json";
/// A full report has a thousand rows.
const MAX_REPORT_BYTES: u64 = 8 << 20;

/// Where it lies, beside the kept revisions.
pub(super) struct Watched {
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
        let (revision, since) = (report.revision, report.since);
        Self { revision, since, asked: report.asked.values().sum() }
    }

    /// Whether a report says more of the same.
    fn is_before(&self, report: &Self) -> bool {
        (self.revision, self.since) == (report.revision, report.since) && self.asked < report.asked
    }
}

impl Watched {
    pub(super) fn of(data: &Path) -> Self {
        Self { folder: data.join(FOLDER), now: Mutex::default() }
    }

    /// Keeps a candidate that is about to watch.
    pub(super) fn begin(&self, bundle: &Bundle, report: &ShadowReport) -> Result<(), KeptError> {
        let archive =
            bundle.to_archive().map_err(|error| KeptError::Unwritable(error.to_string()))?;
        let mut now = self.lock();
        // A report without its candidate counts for nothing.
        self.remove(&mut now)?;
        private::write(&self.folder.join(ARCHIVE), &archive)?;
        self.write(&mut now, report)
    }

    /// Keeps that a candidate watches again.
    pub(super) fn resume(&self, report: &ShadowReport) -> Result<(), KeptError> {
        self.write(&mut self.lock(), report)
    }

    /// Keeps what it has seen, if it still watches and that is more than before.
    pub(super) fn note(&self, report: &ShadowReport) -> Result<(), KeptError> {
        let mut now = self.lock();
        let says_more = now.as_ref().is_some_and(|now| now.is_before(&Noted::of(report)));
        if says_more { self.write(&mut now, report) } else { Ok(()) }
    }

    /// Forgets it.
    pub(super) fn end(&self) -> Result<(), KeptError> {
        self.remove(&mut self.lock())
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

    /// The candidate and what it had seen, if there is one.
    pub(super) fn read(&self) -> Result<Option<(Bundle, ShadowReport)>, KeptError> {
        let path = self.folder.join(REPORT);
        let report: ShadowReport = match private::read(&path, MAX_REPORT_BYTES) {
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
    use super::*;
    use crate::policy::Source;

    /// What was seen is read before it is written, and the candidate may come or go in between.
    #[test]
    fn a_note_of_a_candidate_that_is_gone_brings_nothing_back() {
        let data = tempfile::tempdir().unwrap();
        let watched = Watched::of(data.path());
        private::make_folder(&watched.folder).unwrap();
        let bundle = Bundle::read(&Source::Shipped).unwrap();
        let report = |since: i64, asked: u64| {
            let since = Timestamp::from_millis(since);
            let empty = ShadowReport::empty(bundle.revision(), None, "x".to_owned(), since);
            ShadowReport { asked: [("admit".to_owned(), asked)].into(), ..empty }
        };
        let kept = || {
            let (_, report) = watched.read().unwrap()?;
            Some((report.since.millis(), report.asked["admit"]))
        };
        watched.note(&report(1, 1)).unwrap();
        assert_eq!(kept(), None, "nothing watches");
        watched.begin(&bundle, &report(1, 0)).unwrap();
        // Of two notes the later one is written, whichever comes first.
        for (asked, expected) in [(2, 2), (5, 5), (4, 5)] {
            watched.note(&report(1, asked)).unwrap();
            assert_eq!(kept(), Some((1, expected)));
        }
        watched.end().unwrap();
        watched.note(&report(1, 9)).unwrap();
        assert_eq!(kept(), None);
        // Another of the same revision.
        watched.begin(&bundle, &report(2, 0)).unwrap();
        watched.note(&report(1, 9)).unwrap();
        assert_eq!(kept(), Some((2, 0)));
        // After a restart.
        let again = Watched::of(data.path());
        again.resume(&report(2, 0)).unwrap();
        again.note(&report(2, 3)).unwrap();
        assert_eq!(kept(), Some((2, 3)));
    }
}
