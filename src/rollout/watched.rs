//! The candidate in shadow on disk: its files, and what it has seen, so that neither is lost when the
//! process is started anew.

use std::path::{Path, PathBuf};

use super::KeptError;
use super::kept::FOLDER;
use crate::config::private;
use crate::domain::JsonText;
use crate::gate::ShadowReport;
use crate::policy::{Bundle, MAX_ARCHIVE_BYTES};

const ARCHIVE: &str = "shadow.tar.gz";
const REPORT: &str = "shadow.json";
/// A full report has a thousand rows.
const MAX_REPORT_BYTES: u64 = 8 << 20;

/// Where it lies, beside the kept revisions.
pub(super) struct Watched {
    folder: PathBuf,
}

impl Watched {
    pub(super) fn of(data: &Path) -> Self {
        Self { folder: data.join(FOLDER) }
    }

    /// Keeps a candidate that is about to watch.
    pub(super) fn begin(&self, bundle: &Bundle, report: &ShadowReport) -> Result<(), KeptError> {
        let archive =
            bundle.to_archive().map_err(|error| KeptError::Unwritable(error.to_string()))?;
        // A report without its candidate counts for nothing.
        self.end()?;
        private::write(&self.folder.join(ARCHIVE), &archive)?;
        self.note(report)
    }

    /// Keeps what it has seen.
    pub(super) fn note(&self, report: &ShadowReport) -> Result<(), KeptError> {
        Ok(private::write(&self.folder.join(REPORT), JsonText::of(report).bytes())?)
    }

    /// Forgets it.
    pub(super) fn end(&self) -> Result<(), KeptError> {
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
